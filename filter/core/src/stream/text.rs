//! One text of a stream: what came of it, what was let go, and what goes on instead.

use std::rc::Rc;

use super::framing::Frame;
use crate::inspect;
use crate::json::{Document, Limits};
use crate::policy::StreamMode;
use crate::protocol::{Channel, Piece};
use crate::redact::{Counts, RestoreMap, Restorer, Scan, restore_arguments};

/// Arguments of more bytes are not looked at before they are complete.
const MAX_CALL: usize = 64 * 1024;

/// How a text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As it comes; it goes on at once.
    Tail,
    /// As it comes; it goes on when it is settled.
    Window,
    /// When it is complete.
    Whole,
    /// When it is complete, as JSON.
    Arguments,
}

/// One text of a stream.
pub(super) struct Text {
    way: Way,
    channel: Channel,
    /// It cannot be edited.
    signed: bool,
    lane: inspect::Lane,
    leak: inspect::Leak,
    restorer: Restorer,
    /// What came of a text that is looked at when it is complete.
    whole: String,
    /// The event that carried its last piece, and where in its payload that stands.
    pub(super) last: Option<Last>,
}

/// An event that carried a piece.
pub(super) struct Last {
    pub(super) frame: Rc<Frame>,
    pub(super) span: std::ops::Range<usize>,
}

/// What texts are looked at with.
pub(super) struct With<'w> {
    /// What the request's placeholders stand for.
    pub restore: &'w RestoreMap,
    /// Whether values come back into arguments of the call.
    pub into_call: bool,
}

impl Text {
    /// A text that begins; `restorer` is that of the text before it, which a client may show joined to it.
    pub fn new(piece: Piece, mode: StreamMode, channel: Channel, signed: bool, restorer: Restorer) -> Self {
        let way = match (piece, mode) {
            (Piece::Arguments(_), _) => Way::Arguments,
            (_, StreamMode::Tail) => Way::Tail,
            (_, StreamMode::Window) => Way::Window,
            (_, StreamMode::HoldAll) => Way::Whole,
        };
        Self {
            way,
            channel,
            signed,
            lane: inspect::Lane::new(),
            leak: inspect::Leak::new(),
            restorer,
            whole: String::new(),
            last: None,
        }
    }

    /// What restores in the text that follows, once this one is over; and what it counted.
    pub fn restorer(self) -> Restorer {
        self.restorer
    }

    /// What restores in a text beside it.
    pub fn beside(&self) -> Restorer {
        self.restorer.beside()
    }

    /// Whether it is all of a call's arguments, so that `piece` begins another's: some servers number all calls alike.
    pub fn is_call_before(&self, piece: &str, limits: &Limits) -> bool {
        self.way == Way::Arguments
            && piece.trim_start().starts_with('{')
            && self.whole.len() <= MAX_CALL
            && self.whole.trim_end().ends_with('}')
            && Document::parse(self.whole.as_bytes(), limits).is_ok()
    }

    /// What became of placeholders in it so far.
    pub fn counts(&self) -> Counts {
        self.restorer.counts()
    }

    /// Whether values come back into it.
    pub fn is_restored(&self) -> bool {
        !self.signed && self.channel == Channel::Assistant && self.way != Way::Arguments
    }

    /// Bytes that are held back.
    pub fn held(&self) -> usize {
        self.whole.len()
            + self.restorer.held()
            + if self.way == Way::Tail { 0 } else { self.lane.held() + self.leak.held() }
    }

    /// Takes a piece; answers what goes on now. `end`: nothing follows.
    pub fn push(&mut self, piece: &str, end: bool, with: &With<'_>, scan: &mut Scan<'_, '_>) -> String {
        match self.way {
            Way::Tail => {
                let _ = self.settle(piece, end, scan);
                self.restored(piece, end, with)
            }
            Way::Window => {
                let text = self.settle(piece, end, scan);
                self.restored(&text, end, with)
            }
            Way::Whole | Way::Arguments => {
                // An object that comes in one piece is complete: nothing that follows could make other JSON of it, and clients
                // of servers that send calls whole know no second event of a call.
                let at_once = self.way == Way::Arguments && self.whole.is_empty() && is_object(piece, &scan.limits());
                self.whole.push_str(piece);
                if !end && !at_once {
                    return String::new();
                }
                let whole = std::mem::take(&mut self.whole);
                if self.way == Way::Arguments {
                    return arguments(&whole, self.channel, self.signed, with, scan);
                }
                let text = scan.whole(&whole, self.channel, self.signed);
                self.restored(&text, true, with)
            }
        }
    }

    /// Lets go of what is held, unjudged.
    pub fn release(&mut self, with: &With<'_>) -> String {
        let mut text = self.leak.release();
        text.push_str(&self.lane.release());
        text.push_str(&std::mem::take(&mut self.whole));
        self.restored(&text, false, with)
    }

    fn settle(&mut self, piece: &str, end: bool, scan: &mut Scan<'_, '_>) -> String {
        scan.lane((&mut self.lane, &mut self.leak), piece, end, self.channel, self.signed)
    }

    fn restored(&mut self, text: &str, end: bool, with: &With<'_>) -> String {
        if !self.is_restored() {
            return text.to_owned();
        }
        self.restorer.push(with.restore, text, end).into_owned()
    }
}

/// A text that is complete: in the way in which its pieces would have been looked at.
pub(super) fn complete(
    text: &str,
    mode: StreamMode,
    channel: Channel,
    signed: bool,
    with: &With<'_>,
    restorer: Restorer,
    scan: &mut Scan<'_, '_>,
) -> String {
    if channel == Channel::ToolCall {
        return arguments(text, channel, signed, with, scan);
    }
    Text::new(Piece::Whole, mode, channel, signed, restorer).push(text, true, with, scan)
}

fn is_object(text: &str, limits: &Limits) -> bool {
    text.trim_start().starts_with('{') && Document::parse(text.as_bytes(), limits).is_ok()
}

/// The arguments of a tool call: JSON, as a text; or one of them, where the call has them as values.
fn arguments(text: &str, channel: Channel, signed: bool, with: &With<'_>, scan: &mut Scan<'_, '_>) -> String {
    let edited = scan.whole(text, channel, signed);
    if !with.into_call || signed || with.restore.is_empty() {
        return edited;
    }
    let (restored, counts) = restore_arguments(with.restore, &edited, &scan.limits());
    scan.restored(counts);
    restored.into_owned()
}
