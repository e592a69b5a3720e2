//! One frame of a stream, whatever the framing.

use std::borrow::Cow;
use std::fmt;

use super::{Framing, array, event_stream, lines, sse};

/// A piece of a stream: a message, or what stands between messages. Owns its bytes as they came.
pub struct Frame(pub(super) Inner);

pub(super) enum Inner {
    Sse(sse::Event),
    Line(lines::Line),
    Array(array::Piece),
    Message(event_stream::Message),
}

impl Frame {
    /// The bytes as they came. Those of all frames together are the stream.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        match &self.0 {
            Inner::Sse(event) => event.raw(),
            Inner::Line(line) => &line.raw,
            Inner::Array(piece) => &piece.raw,
            Inner::Message(message) => message.raw(),
        }
    }

    /// The framing it came in.
    #[must_use]
    pub fn framing(&self) -> Framing {
        match &self.0 {
            Inner::Sse(_) => Framing::Sse,
            Inner::Line(_) => Framing::Lines,
            Inner::Array(_) => Framing::JsonArray,
            Inner::Message(_) => Framing::EventStream,
        }
    }

    /// The name of the event: the last `event:` field, unless empty; of an AWS message `:event-type`,
    /// `:exception-type` or `:error-code`, whichever its `:message-type` makes the one that counts.
    #[must_use]
    pub fn event(&self) -> Option<&str> {
        match &self.0 {
            Inner::Sse(event) => event.event(),
            Inner::Message(message) => message.event(),
            Inner::Line(_) | Inner::Array(_) => None,
        }
    }

    /// Whether an AWS message's `:message-type` is `exception` or `error`.
    #[must_use]
    pub fn is_exception(&self) -> bool {
        matches!(&self.0, Inner::Message(message) if message.exception)
    }

    /// What a client takes the message for: the `data:` lines joined by LF, the line without its end, the
    /// element, the payload. None where there is no message: comments, blank lines, brackets, white space, and
    /// events without a data line. An AWS message always has one, which may be empty.
    #[must_use]
    pub fn payload(&self) -> Option<Cow<'_, [u8]>> {
        match &self.0 {
            Inner::Sse(event) => event.payload(),
            Inner::Line(line) => line.payload().map(Cow::Borrowed),
            Inner::Array(piece) => piece.payload().map(Cow::Borrowed),
            Inner::Message(message) => Some(Cow::Borrowed(message.payload())),
        }
    }

    /// Where the payload begins in [`raw`](Self::raw), if it is one piece there that can be changed without changing anything else.
    pub(super) fn payload_at(&self) -> Option<usize> {
        match &self.0 {
            Inner::Sse(event) => event.payload_at(),
            Inner::Line(_) | Inner::Array(_) | Inner::Message(_) => None,
        }
    }

    /// Every text of the frame that is neither its payload nor its event: whole lines of comments, ids, `retry`,
    /// unknown fields and overridden event names; names and text values (strings and byte arrays) of AWS headers.
    pub fn rest(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let (event, message) = match &self.0 {
            Inner::Sse(event) => (Some(event), None),
            Inner::Message(message) => (None, Some(message)),
            Inner::Line(_) | Inner::Array(_) => (None, None),
        };
        let lines = event.into_iter().flat_map(sse::Event::rest);
        lines.chain(message.into_iter().flat_map(event_stream::Message::rest))
    }

    /// The bytes with another payload and everything else as it was; lengths and checksums are those of the new
    /// message. A frame without a payload comes back unchanged.
    ///
    /// The payload is JSON or other UTF-8 text. Its line ends become those of the framing: several `data:` lines
    /// (so that a CR is read as an LF), or spaces in NDJSON, where JSON means the same by them. An event gains or
    /// loses `data:` lines after its first ones; other lines between them stay.
    #[must_use]
    pub fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        match &self.0 {
            _ if self.payload().is_none() => self.raw().to_vec(),
            Inner::Sse(event) => event.with_payload(payload),
            Inner::Line(line) => line.with_payload(payload),
            Inner::Array(piece) => piece.with_payload(payload),
            Inner::Message(message) => message.with_payload(payload),
        }
    }

    /// A further message of the same kind: same event name or AWS headers, no `id:`. To be written right after
    /// this frame: it begins with the comma, or with the line ends that this frame lacks at the end of a stream.
    /// Empty where no element can follow: after `]`, after an object that is not in an array.
    #[must_use]
    pub fn another(&self, payload: &[u8]) -> Vec<u8> {
        self.glue().map_or_else(Vec::new, |glue| [glue.as_bytes(), &self.fresh(payload)].concat())
    }

    /// [`another`](Self::another) without what makes it follow.
    pub(super) fn fresh(&self, payload: &[u8]) -> Vec<u8> {
        match &self.0 {
            Inner::Sse(event) => event.fresh(payload),
            Inner::Line(line) => line.fresh(payload),
            Inner::Array(_) => payload.to_vec(),
            Inner::Message(message) => message.with_payload(payload),
        }
    }

    /// What must stand between this frame and another message; none when nothing can follow.
    pub(super) fn glue(&self) -> Option<Cow<'static, str>> {
        match &self.0 {
            Inner::Sse(event) => Some(Cow::Owned(event.glue())),
            Inner::Line(line) => Some(Cow::Borrowed(line.glue())),
            Inner::Array(piece) => piece.glue().map(Cow::Borrowed),
            Inner::Message(_) => Some(Cow::Borrowed("")),
        }
    }
}

/// Says what it is and how long, never what is in it.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("framing", &self.framing()).field("bytes", &self.raw().len()).finish()
    }
}

impl From<sse::Event> for Frame {
    fn from(event: sse::Event) -> Self {
        Self(Inner::Sse(event))
    }
}

impl From<lines::Line> for Frame {
    fn from(line: lines::Line) -> Self {
        Self(Inner::Line(line))
    }
}

impl From<array::Piece> for Frame {
    fn from(piece: array::Piece) -> Self {
        Self(Inner::Array(piece))
    }
}

impl From<event_stream::Message> for Frame {
    fn from(message: event_stream::Message) -> Self {
        Self(Inner::Message(message))
    }
}

/// What a message from nothing is called. NDJSON and arrays have no names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind<'a> {
    /// Without a name.
    Plain,
    /// `event:`, or `:message-type` `event` and `:event-type`.
    Event(&'a str),
    /// `event:`, or `:message-type` `exception` and `:exception-type`.
    Exception(&'a str),
}

impl<'a> MessageKind<'a> {
    fn name(self) -> Option<&'a str> {
        match self {
            Self::Plain => None,
            Self::Event(name) | Self::Exception(name) => Some(name),
        }
    }
}

/// A message from nothing, as an error at a stream's end is one. For an array it is the bare element:
/// [`Writer::message`](super::Writer::message) knows what must stand before it.
#[must_use]
pub fn message(framing: Framing, kind: MessageKind<'_>, payload: &[u8]) -> Vec<u8> {
    match framing {
        Framing::Sse => sse::message(kind.name(), payload, "\n"),
        Framing::Lines => lines::on_one_line(payload, "\n"),
        Framing::JsonArray => payload.to_vec(),
        Framing::EventStream => event_stream::message(kind, payload),
    }
}
