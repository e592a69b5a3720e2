//! What the proxy keeps for filters: streams, the shared store, metrics, call-outs, timers.

use std::collections::BTreeMap;

use super::{Fields, LocalReply, Side, Stream};

/// A call-out under way.
#[derive(Clone, Debug)]
pub struct Call {
    /// What the filter knows it by.
    pub token: u32,
    /// Whose filter's it is.
    pub vm: usize,
    /// The context that made it.
    pub context: u32,
    /// Where it goes.
    pub cluster: String,
    /// Its head.
    pub headers: Fields,
    /// When it counts as failed, in nanoseconds.
    pub deadline_ns: u64,
}

/// A metric: a counter's sum, or the values of a histogram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// As the filter named it.
    pub name: String,
    /// A histogram.
    pub histogram: bool,
    /// Sum of everything added or recorded.
    pub sum: u64,
    /// How often.
    pub count: u64,
}

/// What is done once the filter's callback has returned.
#[derive(Clone, Debug)]
pub enum After {
    /// A direction of a stream goes on.
    Continue(u32, Side),
    /// A local reply is sent.
    Reply(u32, LocalReply),
    /// The filter made a buffer too large.
    TooLarge(u32, Side),
}

/// What belongs to one VM.
#[derive(Debug, Default)]
pub struct VmState {
    /// The context that calls act on.
    pub effective: u32,
    /// Its root contexts.
    pub roots: Vec<u32>,
    /// Ticks by root: period and next time, in nanoseconds.
    pub ticks: BTreeMap<u32, (u64, u64)>,
    /// A local reply was sent from the callback that is running.
    pub stop_next: bool,
    /// Deferred until the callback returns.
    pub after: Vec<After>,
    /// The configuration, while a root is being configured.
    pub configuration: Option<Vec<u8>>,
    /// The answer to a call-out, while it is being told.
    pub answer: Option<(Fields, Vec<u8>)>,
    /// Not a worker's: its calls and ticks come to nothing.
    pub canary: bool,
}

/// Everything that filters' calls touch.
#[derive(Debug, Default)]
pub struct Host {
    /// Nanoseconds since the Unix epoch.
    pub now_ns: u64,
    /// Streams by context id.
    pub streams: BTreeMap<u32, Stream>,
    /// VMs.
    pub vms: Vec<VmState>,
    /// The store that all VMs share: value and version.
    pub shared: BTreeMap<String, (Vec<u8>, u32)>,
    /// Versions given.
    pub versions: u32,
    /// Metrics by id.
    pub metrics: Vec<Metric>,
    /// Clusters that call-outs can go to.
    pub clusters: Vec<String>,
    /// Call-outs under way.
    pub calls: Vec<Call>,
    /// Heads of all call-outs that were made: cluster and path.
    pub called: Vec<String>,
    /// With which heads and bodies.
    pub called_with: Vec<(Fields, Vec<u8>)>,
    /// Tokens given.
    pub tokens: u32,
    /// Bytes that a direction's buffer may hold.
    pub buffer_limit: usize,
    /// `allow_on_headers_stop_iteration`.
    pub stop_iteration: bool,
    /// The VMs' environment variables.
    pub env: BTreeMap<String, String>,
    /// Calls that were refused, and calls that no filter should make.
    pub mistakes: Vec<String>,
    /// The filter's log lines.
    pub logs: Vec<String>,
    /// State of the random numbers.
    pub random: u64,
}

impl Host {
    /// Milliseconds since the epoch.
    pub fn now_ms(&self) -> u64 {
        self.now_ns / 1_000_000
    }

    /// A stream that is there.
    pub fn stream(&mut self, id: u32) -> &mut Stream {
        self.streams.get_mut(&id).unwrap_or_else(|| panic!("no stream {id}"))
    }
}
