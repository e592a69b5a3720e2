//! The host's calls as safe functions.
//!
//! Every pointer handed over comes from a slice or a local that outlives the call, and the host neither
//! keeps it nor reads past the size given. What the host hands back was allocated by
//! [`super::exports::proxy_on_memory_allocate`] with exactly the size it reports, and belongs to the caller.

use super::raw;
use super::{Buffer, Direction, Level, Map, Metric, Status};

/// WASI answers at most this many random bytes a call in Envoy.
const RANDOM_CHUNK: usize = 64 * 1024;

/// Writes a line to the host's log. Nothing can be done about a log that does not take it.
pub fn log(level: Level, message: &str) {
    // SAFETY: see the module.
    let _ = unsafe { raw::proxy_log(level as u32, message.as_ptr(), message.len()) };
}

/// Nanoseconds since the Unix epoch.
pub fn now() -> Result<u64, Status> {
    let mut time = 0;
    // SAFETY: see the module.
    Status::check(unsafe { raw::proxy_get_current_time_nanoseconds(&mut time) })?;
    Ok(time)
}

/// Asks for a tick of the current root context every `period_ms`; 0 stops it.
pub fn set_tick_period(period_ms: u32) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    Status::check(unsafe { raw::proxy_set_tick_period_milliseconds(period_ms) })
}

/// Makes the calls that follow, until this callback returns, act on another context.
pub fn set_effective_context(context: u32) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    Status::check(unsafe { raw::proxy_set_effective_context(context) })
}

/// At most `max` bytes of a buffer, from its start.
pub fn buffer(buffer: Buffer, max: usize) -> Result<Vec<u8>, Status> {
    // SAFETY: see the module.
    received(|data, size| unsafe { raw::proxy_get_buffer_bytes(buffer as u32, 0, max, data, size) })
}

/// Replaces everything in a buffer.
pub fn set_buffer(buffer: Buffer, content: &[u8]) -> Result<(), Status> {
    // SAFETY: see the module.
    Status::check(unsafe { raw::proxy_set_buffer_bytes(buffer as u32, 0, usize::MAX, content.as_ptr(), content.len()) })
}

/// A header map, in the ABI's serialised form ([`crate::pairs`]).
pub fn header_map(map: Map) -> Result<Vec<u8>, Status> {
    // SAFETY: see the module.
    received(|data, size| unsafe { raw::proxy_get_header_map_pairs(map as u32, data, size) })
}

/// Sets a header to one value, removing every other of that name.
pub fn set_header(map: Map, name: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: see the module.
    Status::check(unsafe {
        raw::proxy_replace_header_map_value(map as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

/// Removes every header of that name.
pub fn remove_header(map: Map, name: &str) -> Result<(), Status> {
    // SAFETY: see the module.
    Status::check(unsafe { raw::proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) })
}

/// A property of the current context, by its path with the parts joined by NUL.
pub fn property(path: &str) -> Result<Vec<u8>, Status> {
    // SAFETY: see the module.
    received(|data, size| unsafe { raw::proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Sets a property; Envoy keeps it as filter state `wasm.{path}`.
pub fn set_property(path: &str, value: &[u8]) -> Result<(), Status> {
    // SAFETY: see the module.
    Status::check(unsafe { raw::proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) })
}

/// A value of the shared store and its version.
pub fn shared_data(key: &str) -> Result<(Vec<u8>, u32), Status> {
    let mut version = 0;
    // SAFETY: see the module.
    let value = received(|data, size| unsafe {
        raw::proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &mut version)
    })?;
    Ok((value, version))
}

/// Stores a value if its version is still `version`; 0 stores whatever is there.
pub fn set_shared_data(key: &str, value: &[u8], version: u32) -> Result<(), Status> {
    // SAFETY: see the module.
    Status::check(unsafe { raw::proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version) })
}

/// Lets a paused direction go on, once this callback has returned.
pub fn continue_stream(direction: Direction) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    Status::check(unsafe { raw::proxy_continue_stream(direction as u32) })
}

/// Answers the client, once this callback has returned. `headers` are serialised pairs.
pub fn send_local_response(status: u16, details: &str, body: &[u8], headers: &[u8]) -> Result<(), Status> {
    const NO_GRPC_STATUS: i32 = -1;
    // SAFETY: see the module.
    Status::check(unsafe {
        raw::proxy_send_local_response(
            u32::from(status),
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            NO_GRPC_STATUS,
        )
    })
}

/// Starts an HTTP call, and answers its token. `headers` are serialised pairs.
pub fn http_call(cluster: &str, headers: &[u8], body: &[u8], timeout_ms: u32) -> Result<u32, Status> {
    let mut token = 0;
    let nothing: &[u8] = &[];
    // SAFETY: see the module.
    Status::check(unsafe {
        raw::proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            nothing.as_ptr(),
            0,
            timeout_ms,
            &mut token,
        )
    })?;
    Ok(token)
}

/// Calls one of the host's own functions.
pub fn foreign_function(name: &str, arguments: &[u8]) -> Result<Vec<u8>, Status> {
    // SAFETY: see the module.
    received(|data, size| unsafe {
        raw::proxy_call_foreign_function(name.as_ptr(), name.len(), arguments.as_ptr(), arguments.len(), data, size)
    })
}

/// Defines a metric, or finds it again, and answers its id.
pub fn define_metric(kind: Metric, name: &str) -> Result<u32, Status> {
    let mut id = 0;
    // SAFETY: see the module.
    Status::check(unsafe { raw::proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &mut id) })?;
    Ok(id)
}

/// Adds to a counter.
pub fn increment_metric(id: u32, offset: i64) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    Status::check(unsafe { raw::proxy_increment_metric(id, offset) })
}

/// Records into a histogram.
pub fn record_metric(id: u32, value: u64) -> Result<(), Status> {
    // SAFETY: no memory is shared.
    Status::check(unsafe { raw::proxy_record_metric(id, value) })
}

/// Fills `out` with random bytes of the host's generator (Envoy: BoringSSL).
pub fn random(out: &mut [u8]) -> Result<(), Status> {
    for chunk in out.chunks_mut(RANDOM_CHUNK) {
        // SAFETY: see the module; the host writes exactly the chunk.
        Status::check(unsafe { raw::random_get(chunk.as_mut_ptr(), chunk.len()) })?;
    }
    Ok(())
}

/// What a call hands back through a pointer and a size. Nothing is an empty vector.
fn received(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, Status> {
    let mut data: *mut u8 = std::ptr::null_mut();
    let mut size = 0usize;
    let status = Status::check(call(&mut data, &mut size));
    // Taken over even where the call failed after allocating.
    let bytes = if data.is_null() || size == 0 {
        Vec::new()
    } else {
        // SAFETY: the host got the memory from `proxy_on_memory_allocate`, which allocated exactly `size`
        // bytes with the alignment of u8, wrote all of it, and forgot it.
        unsafe { Vec::from_raw_parts(data, size, size) }
    };
    status.map(|()| bytes)
}
