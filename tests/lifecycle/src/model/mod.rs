//! Envoy 1.40's HTTP filter manager, as one Wasm filter sees it.
//!
//! One filter stands between a client and an upstream: requests are *decoded* towards the upstream, answers *encoded*
//! towards the client. What is modelled: stopping and continuing of each direction with the two meanings that a stop at the
//! headers can have (`allow_on_headers_stop_iteration`), the manager's buffer and its limit, which header map and
//! which buffer the filter can reach at which moment, local replies and their way through the filter's own callbacks,
//! trailers, call-outs, timers, the store that VMs share, and that every stream is logged and then deleted, however it
//! ends. The order of things follows `source/common/http/filter_manager.cc` and
//! `source/extensions/common/wasm/context.cc`; the names of the states are theirs.
//!
//! Not modelled: back-pressure (watermarks only ever end in a local reply here), several filters in a chain, routing,
//! HTTP framing, and CEL. An answer that outgrows the buffer while the filter is writing it ends the stream after the
//! filter has returned; Envoy ends it from inside that call.

mod abi;
mod fields;
mod host;
mod manager;
mod proxy;
mod reply;
mod stream;

pub use abi::{Abi, BufferKind, MapKind, Status};
pub use fields::Fields;
pub use host::{Call, Host, Metric};
pub use proxy::{Proxy, Setup};
pub use reply::LocalReply;
pub use stream::{Received, Stream};

pub use doorward_core::host::Side;

/// What a filter's callback answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// 0: the direction goes on.
    Continue,
    /// 1: the direction stops; a body is buffered.
    Pause,
}

/// A VM with a filter in it, as the proxy calls it. Contexts are roots or streams.
pub trait Vm {
    /// A context begins: a root (`root` is 0), or a stream of one.
    fn create(&mut self, context: u32, root: u32);
    /// A root gets its configuration of `size` bytes; whether it takes it.
    fn configure(&mut self, root: u32, size: usize) -> bool;
    /// The head of a request or an answer.
    fn headers(&mut self, stream: u32, side: Side, count: usize, end: bool) -> Action;
    /// Part of a body; `size` bytes can be read.
    fn body(&mut self, stream: u32, side: Side, size: usize, end: bool) -> Action;
    /// Trailers.
    fn trailers(&mut self, stream: u32, side: Side, count: usize) -> Action;
    /// A root's timer.
    fn tick(&mut self, root: u32);
    /// A call-out ended; `headers` is 0 where it failed.
    fn call_response(&mut self, context: u32, token: u32, headers: usize, size: usize);
    /// The stream is being logged.
    fn log(&mut self, stream: u32);
    /// The context is over.
    fn done(&mut self, context: u32) -> bool;
    /// The context is gone.
    fn delete(&mut self, context: u32);
}
