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
    /// What came before it, and what of it went on already.
    before: Remnant,
    /// The event that carried its last piece, and where in its payload that stands.
    pub(super) last: Option<Last>,
}

/// An event that carried a piece.
pub(super) struct Last {
    pub(super) frame: Rc<Frame>,
    /// What is looked at instead of its payload, where calls were taken out of that.
    pub(super) inner: Option<Rc<[u8]>>,
    pub(super) span: std::ops::Range<usize>,
}

/// The end of a text that was let go of only because it was told to be the end.
#[derive(Default)]
pub(super) struct Remnant {
    /// As it came.
    came: String,
    /// As it went on.
    went: String,
}

impl Remnant {
    /// Its bytes.
    pub fn len(&self) -> usize {
        self.came.len() + self.went.len()
    }

    /// What of `goes`, the same text going on, has not gone on yet. Where it is another one by what followed, all of it.
    fn beyond(&mut self, goes: String) -> String {
        if self.went.is_empty() {
            return goes;
        }
        if let Some(rest) = self.went.strip_prefix(&*goes) {
            self.went = rest.to_owned();
            return String::new();
        }
        let went = std::mem::take(&mut self.went);
        goes.strip_prefix(&*went).map(str::to_owned).unwrap_or(goes)
    }
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
            before: Remnant::default(),
            last: None,
        }
    }

    /// The same text, going on behind what it was let go with.
    pub fn behind(self, remnant: Remnant) -> Self {
        Self { before: remnant, ..self }
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

    /// Whether it is a call's arguments.
    pub fn is_call(&self) -> bool {
        self.way == Way::Arguments
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

    /// Takes a piece; answers what goes on now.
    pub fn push(&mut self, piece: &str, with: &With<'_>, scan: &mut Scan<'_, '_>) -> String {
        let came = std::mem::take(&mut self.before.came);
        let goes = match came.is_empty() {
            true => self.take(piece, false, with, scan),
            false => self.take(&(came + piece), false, with, scan),
        };
        self.before.beyond(goes)
    }

    /// Takes the last piece; answers what goes on. Where that is `over` by the answer's own word, it may go on in spite of it: then
    /// what is let go of only because of that is told, too.
    pub fn end(
        &mut self,
        piece: &str,
        over: bool,
        with: &With<'_>,
        scan: &mut Scan<'_, '_>,
    ) -> (String, Option<Remnant>) {
        let mut goes = self.push(piece, with, scan);
        let came = self.unsettled();
        // A call that is complete does not go on: what comes is another one.
        let over = over && !(self.way == Way::Arguments && is_object(&came, &scan.limits()));
        let went = self.take("", true, with, scan);
        goes.push_str(&self.before.beyond(went.clone()));
        (goes, over.then_some(Remnant { came, went }))
    }

    /// What came of it and was not let go.
    fn unsettled(&self) -> String {
        match self.way {
            Way::Tail => String::new(),
            _ => [self.restorer.held_text(), self.leak.held_text(), self.lane.held_text(), &self.whole].concat(),
        }
    }

    fn take(&mut self, piece: &str, end: bool, with: &With<'_>, scan: &mut Scan<'_, '_>) -> String {
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
        let goes = self.restored(&text, false, with);
        self.before.beyond(goes)
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
    Text::new(Piece::Whole, mode, channel, signed, restorer).take(text, true, with, scan)
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
