//! What the plugin knows of one HTTP stream: core's exchange, and where either direction stands with the host.

use doorward_core::exchange::{Exchange, Time};
use doorward_core::host::Side;

/// One HTTP stream.
#[derive(Debug)]
pub struct Stream {
    /// Core's state machine.
    pub exchange: Exchange,
    /// The generation of configuration it started with, and stays with; none where there was none.
    pub generation: Option<u32>,
    /// The client's direction.
    pub request: Half,
    /// The upstream's direction.
    pub response: Half,
    /// A local answer is on its way to the client.
    pub replied: bool,
    /// Names of headers that must not come back as trailers of the request, beside `x-doorward-*`; none is any.
    pub forbidden: Option<&'static [&'static str]>,
    /// [`doorward_core::exchange::Event::Done`] was told.
    pub done: bool,
    /// Nanoseconds spent in callbacks of this stream.
    pub spent_ns: u64,
}

impl Stream {
    /// A stream of which nothing is known yet.
    pub fn new(id: u32, generation: Option<u32>) -> Self {
        Self {
            exchange: Exchange::new(id),
            generation,
            request: Half::default(),
            response: Half::default(),
            replied: false,
            forbidden: None,
            done: false,
            spent_ns: 0,
        }
    }

    /// One direction.
    pub fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }
}

/// One direction of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Half {
    /// The head was told to core.
    pub head_told: bool,
    /// The end of the body was told to core; it is told once, from the last bytes or from trailers.
    pub end_told: bool,
    /// The headers have not gone on: changing them still means something.
    pub headers_open: bool,
    /// How many bytes of body the host would answer; none where it would answer nothing, or bytes that went on already.
    pub body: Option<usize>,
    /// The host was told to hold this direction.
    pub held: bool,
    /// The head was let go by a call rather than by its callback's answer.
    pub resumed: bool,
    /// The head is held for a body, of which the host had nothing at this time.
    pub waiting_since: Option<Time>,
    /// Its end was not told by the host, but found out.
    pub late: bool,
}

impl Half {
    /// What the host holds from now on, after it was answered.
    pub fn settle(&mut self, held: bool) {
        self.held = held;
        if !held {
            self.headers_open = false;
            self.body = None;
        }
    }
}
