//! What an upstream answers: a small program of head, bytes, pauses and endings.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;

use crate::fields::Fields;

/// One step while an answer is written.
#[derive(Clone, Debug)]
pub enum Step {
    /// Body bytes: one chunk or DATA frame, flushed.
    Data(Vec<u8>),
    /// Waits.
    Pause(Duration),
    /// Waits until the test says so (`notify_one`).
    Until(Arc<Notify>),
    /// An interim answer (1xx); only before the head.
    Interim(u16, Fields),
}

/// How the end of the answer's body is told on HTTP/1.1. HTTP/2 ignores it, but sends the
/// `content-length` of [`Told::Length`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// `content-length`, computed.
    Length,
    /// `transfer-encoding: chunked`.
    Chunked,
    /// Closing the connection.
    Close,
    /// Nothing is added: the script's own fields say it, or nobody does.
    AsGiven,
}

/// What happens after the last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The answer is complete; the connection is kept.
    Keep,
    /// The answer is complete; the connection is closed.
    Close,
    /// The answer is cut by a reset (TCP RST, HTTP/2 RST_STREAM), whatever was promised.
    Reset,
    /// The answer never ends; the connection stays open until the peer gives up.
    Hang,
}

/// An upstream's answer.
#[derive(Clone, Debug)]
pub struct Script {
    /// Answer as soon as the request's head is there, while its body still arrives.
    pub early: bool,
    /// Before the head.
    pub before: Vec<Step>,
    /// Whether a head is written at all, and if only half of it (HTTP/1.1).
    pub head: WriteHead,
    /// Final status.
    pub status: u16,
    /// Fields of the head.
    pub fields: Fields,
    /// Framing.
    pub told: Told,
    /// After the head.
    pub body: Vec<Step>,
    /// Trailers (need [`Told::Chunked`] on HTTP/1.1).
    pub trailers: Option<Fields>,
    /// After the body.
    pub ending: Ending,
}

/// How much of an answer's head is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteHead {
    /// All.
    Whole,
    /// The first half of its bytes.
    Half,
    /// Nothing.
    None,
}

impl Script {
    /// An empty answer with this status.
    pub fn status(status: u16) -> Self {
        Self {
            early: false,
            before: Vec::new(),
            head: WriteHead::Whole,
            status,
            fields: Fields::default(),
            told: Told::Length,
            body: Vec::new(),
            trailers: None,
            ending: Ending::Keep,
        }
    }

    /// 200 with a JSON body and its length.
    pub fn json(value: &Value) -> Self {
        Self::status(200).header("content-type", "application/json").data(value.to_string())
    }

    /// 200 `text/event-stream`, chunked: one piece per item, exactly as given.
    pub fn sse<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Self {
        let script = Self::status(200).header("content-type", "text/event-stream").told(Told::Chunked);
        pieces.into_iter().fold(script, |script, piece| script.data(piece))
    }

    /// No answer at all: the connection stays open and silent.
    pub fn never() -> Self {
        let mut script = Self::status(200).ending(Ending::Hang);
        script.head = WriteHead::None;
        script
    }

    /// A reset instead of an answer.
    pub fn reset() -> Self {
        let mut script = Self::status(200).ending(Ending::Reset);
        script.head = WriteHead::None;
        script
    }

    /// A reset in the middle of the answer's head (HTTP/1.1; plain reset on HTTP/2).
    pub fn reset_in_head() -> Self {
        let mut script = Self::status(200).ending(Ending::Reset);
        script.head = WriteHead::Half;
        script
    }

    /// These bytes instead of an answer (HTTP/1.1), then the connection is closed.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        let mut script = Self::status(200).told(Told::AsGiven).data(bytes).ending(Ending::Close);
        script.head = WriteHead::None;
        script
    }

    /// 101 and these bytes; then the connection stays open, and what the client sends is appended to
    /// [`Seen::raw`](super::Seen::raw) (HTTP/1.1).
    pub fn upgrade(protocol: &str, bytes: impl AsRef<[u8]>) -> Self {
        let script = Self::status(101).header("upgrade", protocol).header("connection", "upgrade");
        script.told(Told::AsGiven).data(bytes).ending(Ending::Hang)
    }

    /// Appends a field to the head.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push(name, value);
        self
    }

    /// Appends a body piece.
    #[must_use]
    pub fn data(mut self, piece: impl AsRef<[u8]>) -> Self {
        self.body.push(Step::Data(piece.as_ref().to_vec()));
        self
    }

    /// Appends `body` in pieces of `size` bytes.
    #[must_use]
    pub fn split(self, body: impl AsRef<[u8]>, size: usize) -> Self {
        body.as_ref().chunks(size).fold(self, Self::data)
    }

    /// Appends any step to the body.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.body.push(step);
        self
    }

    /// Sends an interim answer (100, 103) first.
    #[must_use]
    pub fn interim(mut self, status: u16, fields: Fields) -> Self {
        self.before.push(Step::Interim(status, fields));
        self
    }

    /// Waits before the head.
    #[must_use]
    pub fn after(mut self, step: Step) -> Self {
        self.before.push(step);
        self
    }

    /// Chooses the framing.
    #[must_use]
    pub fn told(mut self, told: Told) -> Self {
        self.told = told;
        self
    }

    /// Ends the body with trailers, chunked.
    #[must_use]
    pub fn trailers(mut self, trailers: Fields) -> Self {
        self.trailers = Some(trailers);
        self.told(Told::Chunked)
    }

    /// Chooses the ending.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Answers before the request's body has arrived.
    #[must_use]
    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }

    /// Bytes of all body pieces together.
    pub fn body_len(&self) -> usize {
        self.body.iter().map(|step| if let Step::Data(data) = step { data.len() } else { 0 }).sum()
    }
}
