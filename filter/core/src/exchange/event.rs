//! What an exchange is told, and what it answers: the whole language between core and a host.

use std::borrow::Cow;

use crate::head::Headers;
use crate::host::Side;

/// Nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub u64);

impl Time {
    /// Whole milliseconds since the epoch.
    pub fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Whole seconds since the epoch.
    pub fn secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// Microseconds from `earlier` to this; 0 if the clock went back.
    pub fn micros_since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }
}

/// What happened to an HTTP stream.
///
/// Any event may be the first (earlier filters can answer), and any may be missing (clients abort).
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The head of the request or of the answer. Interim (1xx) heads are not told.
    Head {
        /// Whose.
        side: Side,
        /// Its headers, pseudo headers included.
        headers: &'a Headers,
        /// Nothing follows: neither body nor trailers.
        end: bool,
    },
    /// Part of a body, or its end: from the last body bytes or from trailers, which are one and the same here.
    /// The bytes are read through [`crate::host::Host::body`]: everything held back so far where the last
    /// answer was [`Flow::Hold`], otherwise the bytes that just came.
    Body {
        /// Whose.
        side: Side,
        /// How many bytes `Host::body` would answer.
        available: usize,
        /// Nothing follows but, at most, trailers that this event already stands for.
        end: bool,
    },
    /// Something that the exchange waits for may have come, or its time may be up.
    Wake,
    /// The stream is over, however it ended. Always the last event.
    Done {
        /// Microseconds the filter itself spent on this exchange, by the host's clock.
        spent_us: u64,
    },
}

/// What the host does with the stream whose event was just told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// Lets it go on.
    Continue,
    /// Holds it, and everything of it that follows, until an answer of [`Flow::Continue`] or [`Effect::Resume`].
    Hold,
}

/// A local answer instead of the upstream's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReply {
    /// HTTP status.
    pub status: u16,
    /// Headers, `content-type` among them; `content-length` is the host's to add.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// The reason code, for the host's response-code details.
    pub details: String,
}

/// What the host has to carry out, in order, before it follows the [`Flow`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Sets a header to one value, removing every other of that name. `:path` and `:status` too. No caller and no
    /// policy chooses the name.
    SetHeader(Side, &'static str, Vec<u8>),
    /// Removes every header of that name.
    RemoveHeader(Side, Cow<'static, str>),
    /// Trailers of the request that have one of these names, or one that begins with `x-doorward-`, do not go on: some
    /// servers read trailers as headers (RFC 9110, section 6.5.1), and would take a caller's own key from there.
    ForbidTrailers(&'static [&'static str]),
    /// Replaces all bytes that `Host::body` answers at this event.
    ReplaceBody(Side, Vec<u8>),
    /// Answers the client. The stream is over for core but for `Done`; the answer's own events are ignored by it.
    Reply(LocalReply),
    /// Lets a held side go on: after a `Wake`.
    Resume(Side),
    /// Starts an HTTP call on behalf of the worker.
    Call(Call),
    /// Puts values on the record (Envoy: filter state, read by access logs). Keys and values are printable ASCII.
    Record(Vec<(&'static str, String)>),
    /// Writes a checkpoint of the record's chain to the host's own log, which goes another way than the record.
    Checkpoint(String),
    /// Adds to a counter or records into a histogram.
    Measure(Measure),
}

/// A call-out that belongs to the worker, which knows for whom it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Comes back with the result.
    pub id: u32,
    /// The host's cluster to call.
    pub cluster: String,
    /// `:authority`.
    pub authority: String,
    /// `:path`.
    pub path: String,
    /// `:method`.
    pub method: &'static str,
    /// Further headers, secrets among them.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Milliseconds until it counts as failed.
    pub timeout_ms: u32,
}

/// What came of a [`Call`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// The call.
    pub id: u32,
    /// Status and body, or nothing where no answer came.
    pub answer: Option<(u16, Vec<u8>)>,
}

/// One measurement. Label values are bounded sets, never names of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The metric's name, `doorward_...`.
    pub name: &'static str,
    /// A counter, or a histogram.
    pub histogram: bool,
    /// Label names and values.
    pub labels: Vec<(&'static str, String)>,
    /// What to add (counters: more than 0) or record.
    pub value: u64,
}
