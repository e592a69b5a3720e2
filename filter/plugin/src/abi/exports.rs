//! What the host calls. Each callback hands its numbers on to [`crate::vm`].

use std::mem::MaybeUninit;

use doorward_core::host::Side;

use crate::vm;

/// Tells the host which ABI this module speaks: 0.2.1, by name.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_abi_version_0_2_1() {}

/// The start of a WASI reactor. Calling the constructors here also keeps the linker from wrapping every
/// export in a call to them.
#[unsafe(no_mangle)]
pub extern "C" fn _initialize() {
    #[cfg(target_arch = "wasm32")]
    {
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        // SAFETY: the linker makes this function, and the host calls `_initialize` once, before anything else.
        unsafe { __wasm_call_ctors() };
    }
    crate::start();
}

/// Memory for the host to write into; [`super::calls`] takes it over. Running out of it aborts.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast::<MaybeUninit<u8>>().cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root_id: u32, _configuration_size: usize) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root_id: u32, configuration_size: usize) -> u32 {
    u32::from(vm::configure(root_id, configuration_size))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root_id: u32) {
    vm::tick(root_id);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context_id: u32, root_id: u32) {
    vm::create(context_id, root_id);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context_id: u32, _count: usize, end_of_stream: u32) -> u32 {
    vm::headers(context_id, Side::Request, end_of_stream != 0) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(context_id: u32, size: usize, end_of_stream: u32) -> u32 {
    vm::body(context_id, Side::Request, size, end_of_stream != 0) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context_id: u32, _count: usize) -> u32 {
    vm::trailers(context_id, Side::Request) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(context_id: u32, _count: usize, end_of_stream: u32) -> u32 {
    vm::headers(context_id, Side::Response, end_of_stream != 0) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_body(context_id: u32, size: usize, end_of_stream: u32) -> u32 {
    vm::body(context_id, Side::Response, size, end_of_stream != 0) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(context_id: u32, _count: usize) -> u32 {
    vm::trailers(context_id, Side::Response) as u32
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(root_id: u32, token: u32, headers: usize, body: usize, _trailers: usize) {
    vm::call_response(root_id, token, headers, body);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(_context_id: u32) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(context_id: u32) {
    vm::log(context_id);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context_id: u32) {
    vm::delete(context_id);
}
