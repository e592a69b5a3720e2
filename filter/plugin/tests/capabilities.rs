//! The built module may do exactly what `envoy/capabilities.txt` lists. Without a built module there is nothing to compare.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::path::PathBuf;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn module() -> PathBuf {
    std::env::var_os("DOORWARD_WASM").map_or_else(
        || {
            let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| format!("{ROOT}/target"));
            PathBuf::from(target).join("wasm32-wasip1/release/doorward.wasm")
        },
        PathBuf::from,
    )
}

#[test]
fn the_module_uses_exactly_the_listed_capabilities() {
    let path = module();
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!(
            "skipped: {} is not built (cargo build --release -p doorward-plugin --target wasm32-wasip1)",
            path.display()
        );
        return;
    };
    let list = std::fs::read_to_string(format!("{ROOT}/envoy/capabilities.txt")).unwrap();
    let listed: BTreeSet<&str> = list.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).collect();

    let module = Module::read(&bytes);
    let used: BTreeSet<&str> = module
        .imports
        .iter()
        .map(|(from, name)| {
            assert!(["env", "wasi_snapshot_preview1"].contains(&from.as_str()), "{name} is imported from {from}");
            name.as_str()
        })
        // The host's own entries (memory, `_initialize`) are not subject to the list.
        .chain(module.exports.iter().map(String::as_str).filter(|e| e.starts_with("proxy_on_")))
        .filter(|name| *name != "proxy_on_memory_allocate")
        .collect();
    assert_eq!(used, listed);
    assert!(module.exports.iter().any(|e| e == "proxy_abi_version_0_2_1"));
    assert!(module.exports.iter().any(|e| e == "_initialize"), "a WASI reactor");
}

/// Names in a WebAssembly module (core specification, section 5.5).
#[derive(Default)]
struct Module {
    imports: Vec<(String, String)>,
    exports: Vec<String>,
}

impl Module {
    fn read(bytes: &[u8]) -> Self {
        let mut module = Self::default();
        let mut rest = Reader(bytes.strip_prefix(b"\0asm\x01\0\0\0").expect("a WebAssembly module"));
        while !rest.0.is_empty() {
            let id = rest.byte();
            let size = rest.number();
            let mut section = Reader(rest.take(size));
            match id {
                2 => {
                    for _ in 0..section.number() {
                        module.imports.push((section.name(), section.name()));
                        assert_eq!(section.byte(), 0, "only functions are imported");
                        section.number();
                    }
                }
                7 => {
                    for _ in 0..section.number() {
                        module.exports.push(section.name());
                        section.byte();
                        section.number();
                    }
                }
                _ => {}
            }
        }
        module
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn take(&mut self, size: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(size);
        self.0 = rest;
        taken
    }

    fn number(&mut self) -> usize {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }

    fn name(&mut self) -> String {
        let size = self.number();
        String::from_utf8(self.take(size).to_vec()).unwrap()
    }
}
