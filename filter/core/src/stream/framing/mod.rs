//! Streams cut into messages, without losing a byte.
//!
//! Bytes are pushed into [`Frames`] as they come, split anywhere. Out come [`Frame`]s, each of which owns its
//! bytes as they were sent: put together they are the stream again. A frame shows what a client reads of it
//! ([`Frame::payload`], [`Frame::event`]) and everything else that is text ([`Frame::rest`]), so that nothing
//! has to leave uninspected. It is sent on unchanged, with another payload, or not at all; [`Writer`] keeps the
//! stream well-formed meanwhile, as dropping the first element of an array would not.
//!
//! A byte is scanned once to find where a frame ends, however the stream is cut. What waits is one frame of at
//! most `max_frame` bytes, plus what the last push brought; as much again that has left may still take memory.
//! Errors are sticky: what follows one is not read.
//!
//! What can be read in two ways is refused or shown, per framing:
//!
//! - Server-sent events (WHATWG HTML, 9.2.6): the whole stream is UTF-8. Field names are case-sensitive, so
//!   `Data:` is shown by `rest`, as are comments, ids and unknown fields. Line ends are LF, CRLF and CR in any
//!   mix. One byte order mark is skipped at the very start; a later one is part of a field's name. A last event
//!   without its blank line is a frame with a payload: browsers drop it, the providers' SDKs do not.
//! - NDJSON: LF ends a line, a CR before it is not part of the payload. A CR elsewhere stays in the payload,
//!   where the JSON reader sees two values and refuses them.
//! - A JSON array in pieces (RFC 8259): brackets, strings and depth are followed, and the grammar between
//!   elements is complete. What an element holds is not checked: the reader of the payload does that. One
//!   object instead of an array is one frame (Gemini answers an error so).
//! - `application/vnd.amazon.eventstream`: both checksums are verified, unknown header types and a header that
//!   comes twice are refused.
//!
//! What it does not do: it parses no JSON, undoes no `content-encoding`, and except for server-sent events and
//! header texts does not look at UTF-8. White space between the elements of an array waits for the element
//! after it. A client that splits lines elsewhere (at U+2028, or at LF only) sees other lines than this module,
//! made of the same inspected text.

mod array;
mod crc32;
mod event_stream;
mod frame;
mod lines;
mod sse;
mod writer;

pub use frame::{Frame, MessageKind, message};
pub use writer::Writer;

use std::fmt;

/// How a stream is cut into messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// `text/event-stream`.
    Sse,
    /// `application/x-ndjson`: one JSON text on each line.
    Lines,
    /// `application/json` whose top is an array delivered element by element, or one object.
    JsonArray,
    /// `application/vnd.amazon.eventstream`.
    EventStream,
}

/// What is wrong with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A frame is longer than allowed, or says that it will be.
    TooLarge,
    /// A byte, a length or a header that the framing does not allow.
    Malformed,
    /// A checksum does not match.
    Checksum,
    /// Not UTF-8 where the framing demands it.
    Utf8,
    /// An array element is nested deeper than [`crate::json::Limits`] allows by default.
    Depth,
    /// Something other than white space after the end of a JSON text.
    Trailing,
    /// The stream ends inside a message or before its array is closed.
    Truncated,
}

impl ErrorKind {
    /// The stable name used in reason codes and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Checksum => "checksum",
            Self::Utf8 => "utf8",
            Self::Depth => "depth",
            Self::Trailing => "trailing",
            Self::Truncated => "truncated",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why and where a stream cannot be read on. Carries nothing of the stream itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The byte of the stream at which the unreadable frame begins. Everything before it came out as frames.
    pub offset: u64,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unreadable stream: {} in the frame at byte {}", self.kind, self.offset)
    }
}

impl std::error::Error for FrameError {}

/// Cuts a stream into frames.
///
/// ```
/// use doorward_core::stream::framing::{Frames, Framing};
///
/// let mut frames = Frames::new(Framing::Sse, 65_536);
/// frames.push(b"data: {\"a\":1}\n\nda");
/// let frame = frames.next_frame()?.unwrap();
/// assert_eq!(frame.payload().as_deref(), Some(&b"{\"a\":1}"[..]));
/// assert!(frames.next_frame()?.is_none());
/// # Ok::<(), doorward_core::stream::framing::FrameError>(())
/// ```
pub struct Frames {
    scan: Scan,
    max_frame: usize,
    bytes: Vec<u8>,
    /// Where the frame to come begins in `bytes`.
    start: usize,
    /// How many bytes of the stream have left as frames.
    passed: u64,
    ended: bool,
    error: Option<FrameError>,
}

/// Finds the end of the frame that begins the bytes it is given. Until it does, it is given the same bytes and
/// more, and goes on where it stopped.
enum Scan {
    Sse(sse::Scan),
    Lines(lines::Scan),
    JsonArray(array::Scan),
    EventStream(event_stream::Scan),
}

impl Frames {
    /// A decoder for a stream from its first byte. A frame may be `max_frame` bytes long, its separators, names
    /// and line ends included.
    #[must_use]
    pub fn new(framing: Framing, max_frame: usize) -> Self {
        let scan = match framing {
            Framing::Sse => Scan::Sse(sse::Scan::default()),
            Framing::Lines => Scan::Lines(lines::Scan::default()),
            Framing::JsonArray => Scan::JsonArray(array::Scan::default()),
            Framing::EventStream => Scan::EventStream(event_stream::Scan::new(max_frame)),
        };
        Self { scan, max_frame, bytes: Vec::new(), start: 0, passed: 0, ended: false, error: None }
    }

    /// Takes what came. Ask for frames until there is none before pushing more: that bounds the memory. After an
    /// error or [`end`](Self::end) nothing is taken any more.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.error.is_some() || self.ended {
            return;
        }
        // Moving at least as much out as stays makes each byte move once on average.
        if self.start > 0 && self.start >= self.bytes.len() - self.start {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Nothing comes any more: what is left is the last frame, or an error.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The next frame that is complete, if any.
    ///
    /// # Errors
    ///
    /// When the stream cannot be read on; the same error every time from then on.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        match self.scan() {
            Ok(Some(frame)) => {
                self.start += frame.raw().len();
                self.passed += frame.raw().len() as u64;
                Ok(Some(frame))
            }
            Ok(None) => Ok(None),
            Err(kind) => {
                let error = FrameError { kind, offset: self.passed };
                self.error = Some(error);
                (self.bytes, self.start) = (Vec::new(), 0);
                Err(error)
            }
        }
    }

    /// How many bytes were pushed that no frame has taken yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.bytes.len() - self.start
    }

    fn scan(&mut self) -> Result<Option<Frame>, ErrorKind> {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        // Nothing beyond `max_frame` is looked at, so that the outcome is the same however the stream is cut.
        let bytes = rest.get(..self.max_frame).unwrap_or(rest);
        let all = bytes.len() == rest.len();
        let end = self.ended && all;
        let frame = match &mut self.scan {
            Scan::Sse(scan) => scan.next(bytes, end)?.map(Frame::from),
            Scan::Lines(scan) => scan.next(bytes, end).map(Frame::from),
            Scan::JsonArray(scan) => scan.next(bytes, end)?.map(Frame::from),
            Scan::EventStream(scan) => scan.next(bytes, end)?.map(Frame::from),
        };
        if frame.is_none() && !all { Err(ErrorKind::TooLarge) } else { Ok(frame) }
    }
}

#[cfg(test)]
mod tests;
