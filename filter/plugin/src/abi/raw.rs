//! What the host offers, as it is declared by proxy-wasm ABI 0.2.1 and WASI preview 1.
//!
//! The list is the filter's whole set of capabilities: `envoy/capabilities.txt` names the same.

/// Declares imports. Off wasm there is no host, and each answers status 12 (unimplemented), but in tests a fake one.
macro_rules! imports {
    ($module:literal { $(fn $name:ident($($arg:ident: $type:ty),* $(,)?);)* }) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = $module)]
        unsafe extern "C" {
            $(pub fn $name($($arg: $type),*) -> u32;)*
        }

        $(
            #[cfg(all(not(target_arch = "wasm32"), not(test)))]
            #[allow(clippy::too_many_arguments)]
            pub unsafe fn $name($(_: $type),*) -> u32 {
                12
            }

            #[cfg(all(not(target_arch = "wasm32"), test))]
            #[allow(clippy::too_many_arguments)]
            pub unsafe fn $name($($arg: $type),*) -> u32 {
                super::fake::call(stringify!($name), &[$($arg as usize),*])
            }
        )*
    };
}

imports! { "env" {
    fn proxy_log(level: u32, message: *const u8, message_size: usize);
    fn proxy_get_current_time_nanoseconds(time: *mut u64);
    fn proxy_set_tick_period_milliseconds(period: u32);
    fn proxy_set_effective_context(context_id: u32);

    fn proxy_get_buffer_bytes(buffer: u32, start: usize, max_size: usize, data: *mut *mut u8, size: *mut usize);
    fn proxy_set_buffer_bytes(buffer: u32, start: usize, replaced: usize, data: *const u8, size: usize);

    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize);
    fn proxy_replace_header_map_value(map: u32, key: *const u8, key_size: usize, value: *const u8, value_size: usize);
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize);

    fn proxy_get_property(path: *const u8, path_size: usize, data: *mut *mut u8, size: *mut usize);
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize);

    fn proxy_get_shared_data(
        key: *const u8, key_size: usize, data: *mut *mut u8, size: *mut usize, version: *mut u32,
    );
    fn proxy_set_shared_data(key: *const u8, key_size: usize, value: *const u8, value_size: usize, version: u32);

    fn proxy_continue_stream(direction: u32);
    fn proxy_send_local_response(
        status: u32, details: *const u8, details_size: usize, body: *const u8, body_size: usize,
        headers: *const u8, headers_size: usize, grpc_status: i32,
    );

    fn proxy_http_call(
        cluster: *const u8, cluster_size: usize, headers: *const u8, headers_size: usize,
        body: *const u8, body_size: usize, trailers: *const u8, trailers_size: usize,
        timeout_ms: u32, token: *mut u32,
    );
    fn proxy_call_foreign_function(
        name: *const u8, name_size: usize, arguments: *const u8, arguments_size: usize,
        data: *mut *mut u8, size: *mut usize,
    );

    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32);
    fn proxy_increment_metric(id: u32, offset: i64);
    fn proxy_record_metric(id: u32, value: u64);
} }

imports! { "wasi_snapshot_preview1" {
    fn random_get(data: *mut u8, size: usize);
} }
