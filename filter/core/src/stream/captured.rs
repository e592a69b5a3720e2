//! What a client gets of a stream's texts, for the record.
//!
//! The bytes that go on are read once more, as a client reads them: pieces are put together by the text that they belong to, so that what
//! was replaced, left out or told in the place of a refused call is shown as it was sent, and nothing of what came behind the end of a stream
//! that was cut off. Where findings are to be replaced, every text has a lane of its own, and what may still become a finding is not shown
//! before it is settled.
//!
//! What is kept: as many bytes of texts as the record has room for, and what waits to be settled, [`MAX_HELD`] bytes of all texts at most; of
//! one that would hold more, `withheld` is said instead. Once there is enough, nothing is read any more.
//!
//! What it does not do: as in every stream, encodings (base64, percent, HTML) are seen through only in arguments of tool calls and in
//! messages, which come whole; and external detectors see no streams. Names of tools and settings are no texts.

use super::filter::Stream;
use super::framing::Frames;
use super::text::{Text, With};
use super::wrap;
use crate::audit::printable_within;
use crate::inspect::Budget;
use crate::json::{Document, Limits, escaped};
use crate::policy::StreamMode;
use crate::protocol::{Channel, Contents, Lane, Leaf, Piece, Place, read_event};
use crate::redact::{Inspector, RestoreMap, Restorer, Scan};

/// Most bytes that wait to be settled: a key in its armour, the arguments of a call.
const MAX_HELD: usize = 32 * 1024;
/// What one text counts beside its bytes, so that many short ones are bounded, too.
const EACH: usize = 16;

/// The texts of a stream, as far as the record has room for them.
pub struct Captured {
    kind: Stream,
    /// Texts come whole, in messages and results, and not in pieces.
    wholes: bool,
    most: usize,
    /// None once there is enough, or nothing can be read any more.
    frames: Option<Frames>,
    /// It came to its end: what waits to be settled is what it is.
    complete: bool,
    /// It was cut off before: what comes now is no end of it.
    cut: bool,
    texts: Vec<Shown>,
    budget: Budget,
    restore: RestoreMap,
}

/// One text.
struct Shown {
    /// None of one that came whole.
    lane: Option<Lane>,
    channel: Channel,
    /// Settles what is shown, where findings are replaced.
    settles: Option<Box<Text>>,
    text: String,
    withheld: bool,
}

impl std::fmt::Debug for Captured {
    /// Without texts.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Captured").field("texts", &self.texts.len()).finish_non_exhaustive()
    }
}

impl Captured {
    /// A stream of which nothing went on yet; at most so many bytes go on the record.
    pub fn new(kind: Stream, wholes: bool, most: usize, max_frame: usize) -> Self {
        Self {
            kind,
            wholes,
            most,
            frames: Some(Frames::new(kind.framing, max_frame)),
            complete: false,
            cut: false,
            texts: Vec::new(),
            budget: Budget::default(),
            restore: RestoreMap::default(),
        }
    }

    /// Takes bytes that go to the client; findings are replaced with `redactor`, if there is one.
    pub fn push(&mut self, bytes: &[u8], redactor: Option<&Inspector<'_>>) {
        let Some(mut frames) = self.frames.take() else { return };
        frames.push(bytes);
        loop {
            match frames.next_frame() {
                Ok(Some(frame)) => {
                    let payload = frame.payload().unwrap_or_default();
                    let Ok(inner) = wrap::unwrap(self.kind.api, &payload) else { continue };
                    // What is no JSON ends a stream, or is no text.
                    if let Ok(document) = Document::parse(inner.as_deref().unwrap_or(&payload), &Limits::default()) {
                        self.event(frame.event(), &document, redactor);
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
            if self.bytes() >= self.most {
                return;
            }
        }
        self.frames = Some(frames);
    }

    /// Nothing follows: the answer is complete.
    pub fn complete(&mut self) {
        self.complete = true;
    }

    /// What would have followed was refused.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    fn event(&mut self, name: Option<&str>, document: &Document<'_>, redactor: Option<&Inspector<'_>>) {
        let (root, contents) = (document.root(), Contents::payloads(document.root()));
        let mut pieces: Vec<(Option<Lane>, Piece, Channel, String)> = Vec::new();
        read_event(self.kind.api, name, root, &mut |leaf: Leaf<'_>, piece| {
            let Place::Value(token) = leaf.place else { return };
            let lane = match piece {
                Piece::Text(lane) | Piece::Arguments(lane) => Some(lane),
                Piece::Whole if self.wholes && leaf.of.channel != Channel::Metadata => None,
                _ => return,
            };
            if contents.payload(&token).is_none() {
                pieces.push((lane, piece, leaf.of.channel, token.text().into_owned()));
            }
        });
        for (lane, piece, channel, came) in pieces.into_iter().filter(|(_, _, _, came)| !came.is_empty()) {
            if self.bytes() >= self.most {
                return;
            }
            self.piece(lane, piece, channel, &came, redactor);
        }
    }

    fn piece(
        &mut self,
        lane: Option<Lane>,
        piece: Piece,
        channel: Channel,
        came: &str,
        redactor: Option<&Inspector<'_>>,
    ) {
        let known = lane.and_then(|lane| self.texts.iter().position(|text| text.lane == Some(lane)));
        let at = known.unwrap_or_else(|| {
            let settles = lane
                .filter(|_| redactor.is_some())
                .map(|_| Box::new(Text::new(piece, StreamMode::Window, channel, false, Restorer::default())));
            self.texts.push(Shown { lane, channel, settles, text: String::new(), withheld: false });
            self.texts.len().saturating_sub(1)
        });
        let Some(shown) = self.texts.get_mut(at).filter(|shown| !shown.withheld) else { return };
        let Some(redactor) = redactor else { return shown.push(came, self.most) };
        let mut scan = Scan::new(redactor, &mut self.budget, None);
        let with = With { restore: &self.restore, into_call: false };
        let goes = match &mut shown.settles {
            Some(text) => text.push(came, &with, &mut scan),
            None => scan.whole(came, channel, false),
        };
        let held = shown.settles.as_ref().map_or(0, |text| text.held());
        shown.settled(&goes, scan, held, self.most);
        if self.held() > MAX_HELD
            && let Some(shown) = self.texts.get_mut(at)
        {
            shown.withhold();
        }
    }

    fn bytes(&self) -> usize {
        self.texts.iter().map(|shown| shown.text.len().saturating_add(EACH)).sum()
    }

    /// What waits to be settled, of all texts.
    fn held(&self) -> usize {
        self.texts.iter().filter_map(|shown| shown.settles.as_ref()).map(|text| text.held()).sum()
    }

    /// What goes on the record, once nothing follows; `None` where no text came. Of an answer that was cut off, what could have become a
    /// finding is not shown where findings are replaced: it is most of a value. A list in the order in which texts began: each with its text,
    /// and with its choice, its part of that, and its channel where these are not the first and the assistant's.
    pub fn finish(mut self, redactor: Option<&Inspector<'_>>) -> Option<String> {
        // A last event may come without its end.
        if let Some(frames) = &mut self.frames {
            frames.end();
        }
        self.push(&[], redactor);
        if let Some(redactor) = redactor.filter(|_| self.complete && !self.cut) {
            let mut bytes = self.bytes();
            for shown in &mut self.texts {
                let Some(mut text) = shown.settles.take().filter(|_| bytes < self.most) else { continue };
                let mut scan = Scan::new(redactor, &mut self.budget, None);
                let with = With { restore: &self.restore, into_call: false };
                let (goes, _) = text.end("", false, &with, &mut scan);
                bytes = bytes.saturating_add(goes.len());
                shown.settled(&goes, scan, 0, self.most);
            }
        }
        let mut out = String::new();
        for shown in self.texts.iter().filter(|shown| shown.withheld || !shown.text.is_empty()) {
            out.push_str(if out.is_empty() { "[{" } else { ",{" });
            let lane = shown.lane.unwrap_or(Lane { choice: 0, part: 0, name: 0 });
            for (name, number) in [("choice", lane.choice), ("part", lane.part)] {
                if number > 0 {
                    out.push_str(&format!("\"{name}\":{number},"));
                }
            }
            if shown.channel != Channel::Assistant {
                out.push_str(&format!("\"channel\":\"{}\",", shown.channel.as_str()));
            }
            out.push_str(&match shown.withheld {
                true => "\"withheld\":true}".to_owned(),
                false => format!("\"text\":\"{}\"}}", escaped(&shown.text)),
            });
        }
        if out.is_empty() {
            return None;
        }
        out.push(']');
        Some(printable_within(&out, self.most))
    }
}

impl Shown {
    /// As much of it as a record has room for: one event may tell a whole book.
    fn push(&mut self, goes: &str, most: usize) {
        let room = goes.floor_char_boundary(most.saturating_sub(self.text.len()));
        self.text.push_str(goes.get(..room).unwrap_or_default());
    }

    fn settled(&mut self, goes: &str, scan: Scan<'_, '_>, held: usize, most: usize) {
        // Where something could not be replaced, or not be looked for, nothing is shown.
        if scan.finish_texts().denial.is_some() || held > MAX_HELD {
            self.withhold();
        } else {
            self.push(goes, most);
        }
    }

    fn withhold(&mut self) {
        (self.settles, self.text, self.withheld) = (None, String::new(), true);
    }
}
