//! One HTTP stream: where each direction stands, and what came out at either end.

use std::collections::BTreeMap;

use super::{Fields, LocalReply, Side};

/// What one end of the proxy received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Interim answers.
    pub informational: Vec<u16>,
    /// The head.
    pub head: Option<Fields>,
    /// The body so far.
    pub body: Vec<u8>,
    /// Trailers.
    pub trailers: Option<Fields>,
    /// The message is complete.
    pub ended: bool,
    /// It was cut off.
    pub reset: bool,
}

/// Whether frames pass the filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Iteration {
    /// They do.
    #[default]
    Continue,
    /// What is here stops; what follows is still told to the filter.
    StopSingle,
    /// What follows stops before the filter (`StopAllIterationAndWatermark`).
    StopAll,
}

/// One direction.
#[derive(Clone, Debug, Default)]
pub struct Half {
    /// The header map; the filter edits it in place.
    pub head: Option<Fields>,
    /// The trailers that came.
    pub trailers: Option<Fields>,
    /// The filter was told of them, and can reach them.
    pub trailers_told: bool,
    /// The sender has sent everything.
    pub complete: bool,
    /// Whether frames pass.
    pub iteration: Iteration,
    /// While a stop of all is being undone, frames start at this filter.
    pub from_current: bool,
    /// The head went on.
    pub headers_continued: bool,
    /// The end was told to the filter.
    pub end_told: bool,
    /// The manager's buffer.
    pub buffered: Option<Vec<u8>>,
    /// It grew beyond its limit once already.
    pub above_limit: bool,
    /// Growing beyond the limit means back-pressure, not a refusal.
    pub streaming: bool,
    /// The filter can reach the header map.
    pub head_in_reach: bool,
    /// The frame that the filter is being told of; it can be edited.
    pub frame: Option<Vec<u8>>,
    /// That frame is the manager's buffer itself.
    pub frame_is_buffer: bool,
    /// The filter answered the last body callback with a stop: its buffer is the manager's.
    pub buffering: bool,
    /// What the sender sent in all: head, body, trailers.
    pub sent: Received,
    /// What came out at the far end.
    pub received: Received,
}

/// One HTTP stream.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The VM that serves it.
    pub vm: usize,
    /// Its root context.
    pub root: u32,
    /// The filter knows of it.
    pub created: bool,
    /// Towards the upstream.
    pub request: Half,
    /// Towards the client.
    pub response: Half,
    /// The direction whose callback is running.
    pub calling: Option<Side>,
    /// A local reply was sent from a running callback of this direction.
    pub aborted: Option<Side>,
    /// A local reply that waits for the running callback to return.
    pub prepared: Option<LocalReply>,
    /// The filter has sent a local reply.
    pub replied: bool,
    /// Response code details.
    pub details: Option<String>,
    /// What can be read of the stream, by path with `/` between its parts.
    pub properties: BTreeMap<String, Vec<u8>>,
    /// What the filter wrote: the access log's values.
    pub filter_state: BTreeMap<String, Vec<u8>>,
    /// The request's method is HEAD.
    pub is_head: bool,
    /// To be logged and deleted as soon as nothing runs.
    pub ending: bool,
    /// Logged and deleted already, inside a call of the filter.
    pub logged: bool,
    /// Logged and deleted.
    pub over: bool,
}

impl Stream {
    /// A local reply after the answer's head came: past the filter if nothing of the answer has left, otherwise the
    /// client is cut off.
    pub fn answer_directly(&mut self, reply: LocalReply) {
        self.details = Some(reply.details.clone());
        self.ending = true;
        let half = &mut self.response;
        if half.received.head.is_some() {
            half.received.reset = true;
            return;
        }
        let head = reply.head();
        half.complete = true;
        half.head = Some(head.clone());
        half.received.head = Some(head);
        half.received.body = reply.body;
        half.received.ended = true;
    }

    /// One direction.
    pub fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }
}
