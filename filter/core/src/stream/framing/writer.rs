//! The stream as it goes on, with frames changed, dropped and added.

use std::ops::Range;

use super::array::Kind;
use super::frame::Inner;
use super::{Frame, Framing, MessageKind, message};

/// Keeps a stream well-formed while its frames are kept, replaced, dropped (by not writing them) and joined by
/// others: commas stand between the elements that are left, a last event without its blank line gets one before
/// another follows, no event comes first whose first field would lose a byte order mark there, and nothing follows
/// the end. All methods append to `out`.
pub struct Writer {
    framing: Framing,
    state: State,
    /// What must be written before another message can follow.
    glue: String,
    /// Something was written.
    begun: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Of an array nothing but white space is written.
    Start,
    /// More can follow.
    Open,
    /// Only what comes of itself at the end: white space.
    Closed,
    /// Nothing is written any more.
    Finished,
}

impl Writer {
    /// For a stream of which nothing has been written yet.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        let state = if framing == Framing::JsonArray { State::Start } else { State::Open };
        Self { framing, state, glue: String::new(), begun: false }
    }

    /// The frame as it came; of an array's element, with the comma that it needs here.
    pub fn keep(&mut self, frame: &Frame, out: &mut Vec<u8>) {
        self.frame(frame, [frame.raw(), &[], &[]], out);
    }

    /// The frame with another payload ([`Frame::with_payload`]).
    pub fn replace(&mut self, frame: &Frame, payload: &[u8], out: &mut Vec<u8>) {
        self.frame(frame, [&frame.with_payload(payload), &[], &[]], out);
    }

    /// The same where only `range` of the payload is another: `text`, which has no line ends.
    pub fn splice(&mut self, frame: &Frame, range: Range<usize>, text: &str, out: &mut Vec<u8>) {
        let whole = frame.payload_at().and_then(|at| {
            let raw = frame.raw();
            Some([raw.get(..at + range.start)?, text.as_bytes(), raw.get(at + range.end..)?])
        });
        match whole {
            Some(parts) => self.frame(frame, parts, out),
            None => {
                let payload = frame.payload().unwrap_or_default();
                let (before, after) = (payload.get(..range.start), payload.get(range.end..));
                let payload = [before.unwrap_or_default(), text.as_bytes(), after.unwrap_or_default()].concat();
                self.replace(frame, &payload, out);
            }
        }
    }

    /// A further message of the frame's kind ([`Frame::another`]), whether or not the frame itself was written.
    /// False, and nothing written, where none can follow.
    pub fn another(&mut self, frame: &Frame, payload: &[u8], out: &mut Vec<u8>) -> bool {
        self.add(&frame.fresh(payload), out)
    }

    /// A message from nothing ([`message`]). False, and nothing written, where none can follow.
    pub fn message(&mut self, kind: MessageKind<'_>, payload: &[u8], out: &mut Vec<u8>) -> bool {
        self.add(&message(self.framing, kind, payload), out)
    }

    /// Ends the stream here: an array is closed (`[]` when nothing was written). What is written later is ignored.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.framing == Framing::JsonArray {
            match self.state {
                State::Start => out.extend_from_slice(b"[]"),
                State::Open => out.push(b']'),
                State::Closed | State::Finished => {}
            }
        }
        self.state = State::Finished;
    }

    /// Writes a frame, which is these parts by now.
    fn frame(&mut self, frame: &Frame, parts: [&[u8]; 3], out: &mut Vec<u8>) {
        if self.state == State::Finished {
            return;
        }
        let begun = std::mem::replace(&mut self.begun, true);
        let Inner::Array(piece) = &frame.0 else {
            // Now that those before it are gone, its first field would lose a mark, and become another field.
            if matches!(&frame.0, Inner::Sse(event) if event.is_not_first() && !begun) {
                out.push(b'\n');
            }
            parts.into_iter().for_each(|part| out.extend_from_slice(part));
            self.glue = frame.glue().unwrap_or_default().into_owned();
            return;
        };
        let bytes = || parts.into_iter().flatten().copied();
        match (piece.kind, self.state) {
            (Kind::Space, _) => out.extend(bytes()),
            (Kind::Open, State::Start) => {
                out.extend(bytes());
                self.state = State::Open;
            }
            (Kind::Item { comma, .. }, State::Start | State::Open) => {
                // Its own comma keeps its place when one is needed; else one is added or left out.
                self.open(out);
                let needed = !self.glue.is_empty();
                if needed && comma.is_none() {
                    out.push(b',');
                }
                let left_out = comma.filter(|_| !needed);
                out.extend(bytes().enumerate().filter(|(at, _)| Some(*at) != left_out).map(|(_, byte)| byte));
                self.glue = ",".to_owned();
            }
            (Kind::Close, State::Open) => {
                out.extend(bytes());
                self.state = State::Closed;
            }
            (Kind::Close, State::Start) => self.finish(out),
            (Kind::Whole { .. }, State::Start) => {
                out.extend(bytes());
                self.state = State::Closed;
            }
            (Kind::Open | Kind::Item { .. } | Kind::Close | Kind::Whole { .. }, _) => {}
        }
    }

    fn add(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        if matches!(self.state, State::Closed | State::Finished) {
            return false;
        }
        self.begun = true;
        self.open(out);
        out.extend_from_slice(self.glue.as_bytes());
        out.extend_from_slice(bytes);
        self.glue = if self.framing == Framing::JsonArray { ",".to_owned() } else { String::new() };
        true
    }

    /// Makes sure that an array has its opening bracket.
    fn open(&mut self, out: &mut Vec<u8>) {
        if self.state == State::Start {
            out.push(b'[');
            self.state = State::Open;
        }
    }
}
