//! The filter as it ships: the built `doorward.wasm` in wasmtime, with proxy-wasm's imports over the model.

mod env;
mod memory;
mod wasi;

use std::path::PathBuf;
use std::sync::OnceLock;

use wasmtime::{Config, Engine, Instance, InstancePre, Linker, Module, Store, TypedFunc, WasmParams, WasmResults};

use crate::model::{Abi, Action, Side, Vm};
use memory::Guest;

/// One VM with the module in it.
pub struct Wasm {
    store: Store<Guest>,
    instance: Instance,
}

/// Where the module is looked for: `DOORWARD_WASM`, or where `make wasm` puts it.
pub fn path() -> PathBuf {
    if let Some(path) = std::env::var_os("DOORWARD_WASM") {
        return path.into();
    }
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from(root).join("target"), PathBuf::from);
    target.join("wasm32-wasip1/release/doorward.wasm")
}

/// The compiled module, once per process; `None` where there is no file.
fn module() -> Option<&'static InstancePre<Guest>> {
    static MODULE: OnceLock<Option<InstancePre<Guest>>> = OnceLock::new();
    let compile = || {
        let bytes = std::fs::read(path()).ok()?;
        let mut config = Config::new();
        // A filter that does not come back is a failed scenario, not a hanging test.
        config.consume_fuel(true);
        let engine = Engine::new(&config).expect("wasmtime starts");
        let module = Module::new(&engine, bytes).expect("the module is WebAssembly");
        let mut linker = Linker::new(&engine);
        env::link(&mut linker);
        wasi::link(&mut linker);
        Some(linker.instantiate_pre(&module).expect("the module imports only what Envoy offers"))
    };
    MODULE.get_or_init(compile).as_ref()
}

/// Whether the module was built.
pub fn is_built() -> bool {
    module().is_some()
}

/// Work that one VM may do in a scenario, in wasmtime's units: about one an instruction.
const FUEL: u64 = 20_000_000_000;

impl Wasm {
    /// A fresh VM.
    ///
    /// # Panics
    /// The module was not built ([`is_built`]), or it traps.
    pub fn new(abi: Abi) -> Self {
        let module = module().expect("the module is built");
        let mut store = Store::new(module.module().engine(), Guest::new(abi));
        store.set_fuel(FUEL).expect("fuel is on");
        let instance = module.instantiate(&mut store).expect("the module starts");
        store.data_mut().attach(instance);
        let mut wasm = Self { store, instance };
        assert!(wasm.has("proxy_abi_version_0_2_1"), "the module speaks another ABI");
        wasm.call::<(), ()>("_initialize", ());
        wasm
    }

    fn has(&mut self, name: &str) -> bool {
        self.instance.get_export(&mut self.store, name).is_some()
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> R {
        let function: TypedFunc<P, R> = self
            .instance
            .get_typed_func(&mut self.store, name)
            .unwrap_or_else(|e| panic!("the module's `{name}` is not the ABI's: {e}"));
        function.call(&mut self.store, parameters).unwrap_or_else(|e| panic!("the filter trapped in `{name}`: {e:?}"))
    }

    fn flow<P: WasmParams>(&mut self, name: &str, parameters: P) -> Action {
        match self.call::<P, u32>(name, parameters) {
            0 => Action::Continue,
            1 => Action::Pause,
            other => panic!("`{name}` answers {other}"),
        }
    }
}

fn name(side: Side, request: &'static str, response: &'static str) -> &'static str {
    match side {
        Side::Request => request,
        Side::Response => response,
    }
}

impl Vm for Wasm {
    fn create(&mut self, context: u32, root: u32) {
        self.call::<_, ()>("proxy_on_context_create", (context, root));
        if root == 0 {
            assert_eq!(self.call::<_, u32>("proxy_on_vm_start", (context, 0u32)), 1, "the VM does not start");
        }
    }

    fn configure(&mut self, root: u32, size: usize) -> bool {
        self.call::<_, u32>("proxy_on_configure", (root, size as u32)) != 0
    }

    fn headers(&mut self, stream: u32, side: Side, count: usize, end: bool) -> Action {
        let name = name(side, "proxy_on_request_headers", "proxy_on_response_headers");
        self.flow(name, (stream, count as u32, u32::from(end)))
    }

    fn body(&mut self, stream: u32, side: Side, size: usize, end: bool) -> Action {
        let name = name(side, "proxy_on_request_body", "proxy_on_response_body");
        self.flow(name, (stream, size as u32, u32::from(end)))
    }

    fn trailers(&mut self, stream: u32, side: Side, count: usize) -> Action {
        let name = name(side, "proxy_on_request_trailers", "proxy_on_response_trailers");
        self.flow(name, (stream, count as u32))
    }

    fn tick(&mut self, root: u32) {
        self.call::<_, ()>("proxy_on_tick", root);
    }

    fn call_response(&mut self, context: u32, token: u32, headers: usize, size: usize) {
        self.call::<_, ()>("proxy_on_http_call_response", (context, token, headers as u32, size as u32, 0u32));
    }

    fn log(&mut self, stream: u32) {
        self.call::<_, ()>("proxy_on_log", stream);
    }

    fn done(&mut self, context: u32) -> bool {
        self.call::<_, u32>("proxy_on_done", context) != 0
    }

    fn delete(&mut self, context: u32) {
        self.call::<_, ()>("proxy_on_delete", context);
    }
}
