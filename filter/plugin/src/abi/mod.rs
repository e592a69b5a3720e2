//! The proxy-wasm ABI 0.2.1, as Envoy implements it: the only module with `unsafe` code.
//!
//! [`raw`] declares what the host offers, [`calls`] wraps each of it in a safe function that returns a
//! `Result`, and [`exports`] is what the host calls. Nothing here knows what the filter is for.

pub mod calls;
mod exports;
#[cfg(test)]
pub mod fake;
mod raw;

/// Why the host did not do what it was asked (`proxy_status_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is no such thing.
    NotFound,
    /// Not with these arguments, or not now.
    BadArgument,
    /// Somebody else stored in between.
    CasMismatch,
    /// Any other status, by number.
    Other(u32),
}

impl Status {
    /// `Ok` for status 0.
    fn check(code: u32) -> Result<(), Status> {
        match code {
            0 => Ok(()),
            1 => Err(Status::NotFound),
            2 => Err(Status::BadArgument),
            8 => Err(Status::CasMismatch),
            other => Err(Status::Other(other)),
        }
    }
}

/// How loud a log line is (`proxy_log_level_t`).
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Level {
    /// Nothing to mend: what somebody may want to keep.
    Info = 2,
    /// Something to mend.
    Error = 4,
    /// The filter itself is broken.
    Critical = 5,
}

/// Header maps that the host keeps (`proxy_map_type_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Map {
    /// The client's headers.
    Request = 0,
    /// The client's trailers.
    RequestTrailers = 1,
    /// The upstream's headers.
    Response = 2,
    /// Headers of the answer to an HTTP call.
    Call = 6,
}

/// Buffers that the host keeps (`proxy_buffer_type_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Buffer {
    /// The client's body.
    RequestBody = 0,
    /// The upstream's body.
    ResponseBody = 1,
    /// Body of the answer to an HTTP call.
    CallBody = 4,
    /// The plugin's configuration, while it is being configured.
    Configuration = 7,
}

/// Directions of a stream (`proxy_stream_type_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Direction {
    /// From the client.
    Request = 0,
    /// To the client.
    Response = 1,
}

/// Kinds of metrics (`proxy_metric_type_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Metric {
    /// Only goes up.
    Counter = 0,
    /// A distribution.
    Histogram = 2,
}

/// What a callback answers (Envoy: the numbers of its filter status enums).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Action {
    /// The stream goes on.
    Continue = 0,
    /// It stops here; its body is buffered by the host.
    Pause = 1,
}
