//! The texts of a stream that are open, and what one that is over leaves to those behind it.
//!
//! An answer that says it is over may go on all the same: there are servers that say so in every event. What was let go of only
//! because of that end is remembered, so that a value that goes on behind it is found; and from then on texts end with the
//! stream, whatever the answer says.

use std::collections::BTreeMap;

use super::filter::Stream;
use super::text::{Remnant, Text};
use crate::policy::StreamMode;
use crate::protocol::{Api, Ends, Lane, Leaf, Piece, Place};
use crate::redact::{Counts, Restorer};

/// More texts than this at once are no answer.
pub(super) const MAX_TEXTS: usize = 1024;

/// Every text of a stream.
pub(super) struct Texts {
    kind: Stream,
    open: BTreeMap<Lane, Text>,
    /// What restores in the next of the texts that are shown joined.
    restorers: BTreeMap<u32, Restorer>,
    /// What became of placeholders in texts that nothing is joined to any more.
    counts: Counts,
    /// What was let go of texts whose answer said that it was over.
    remnants: BTreeMap<Lane, Remnant>,
    /// It went on after that.
    goes_on: bool,
}

impl Texts {
    pub fn new(kind: Stream) -> Self {
        Self {
            kind,
            open: BTreeMap::new(),
            restorers: BTreeMap::new(),
            counts: Counts::default(),
            remnants: BTreeMap::new(),
            goes_on: false,
        }
    }

    /// Whether an answer is over where it says so. Once it went on with one of these `leaves`, it is not.
    pub fn may_end(&mut self, leaves: &[(Leaf<'_>, Piece)]) -> bool {
        let goes_on = |(leaf, piece): &(Leaf<'_>, Piece)| match (piece, leaf.place) {
            (Piece::Text(lane) | Piece::Arguments(lane), Place::Value(token)) => {
                self.remnants.contains_key(lane) && !token.text().is_empty()
            }
            _ => false,
        };
        self.goes_on = self.goes_on || leaves.iter().any(goes_on);
        !self.goes_on
    }

    /// The text that `piece` is one of, which may begin here.
    pub fn open(&mut self, lane: Lane, leaf: &Leaf<'_>, piece: Piece, mode: StreamMode) -> Option<&mut Text> {
        if !self.open.contains_key(&lane) {
            let restorer = self.restorer(lane);
            let text = Text::new(piece, mode, leaf.of.channel, leaf.of.signed, restorer);
            let text = match self.remnants.remove(&lane) {
                Some(remnant) => text.behind(remnant),
                None => text,
            };
            self.open.insert(lane, text);
        }
        self.open.get_mut(&lane)
    }

    pub fn get(&self, lane: Lane) -> Option<&Text> {
        self.open.get(&lane)
    }

    pub fn get_mut(&mut self, lane: Lane) -> Option<&mut Text> {
        self.open.get_mut(&lane)
    }

    pub fn take(&mut self, lane: Lane) -> Option<Text> {
        self.open.remove(&lane)
    }

    pub fn put(&mut self, lane: Lane, text: Text) {
        self.open.insert(lane, text);
    }

    /// Those that `ends` ends.
    pub fn ended(&self, ends: &Ends) -> Vec<Lane> {
        if ends.is_empty() {
            return Vec::new();
        }
        self.open.keys().copied().filter(|lane| ends.has(*lane)).collect()
    }

    /// Those of which more than `most` bytes are held back.
    pub fn longer_than(&self, most: usize) -> Vec<Lane> {
        self.open.iter().filter(|(_, text)| text.held() > most).map(|(lane, _)| *lane).collect()
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Bytes that are held back, or remembered.
    pub fn held(&self) -> usize {
        self.open.values().map(Text::held).sum::<usize>() + self.remnants.values().map(Remnant::len).sum::<usize>()
    }

    /// Bytes of the events that they were last seen in.
    pub fn events(&self) -> usize {
        self.open.values().filter_map(|text| Some(text.last.as_ref()?.frame.raw().len())).sum()
    }

    /// Forgets them all.
    pub fn clear(&mut self) {
        self.open.clear();
        self.remnants.clear();
    }

    /// A text is over, since its answer says so if there is a `remnant`. The next one of its choice may be shown joined to it.
    pub fn close(&mut self, lane: Lane, text: Text, remnant: Option<Remnant>) {
        if let Some(remnant) = remnant.filter(|_| self.remnants.len() < MAX_TEXTS) {
            self.remnants.insert(lane, remnant);
        }
        if text.is_restored() && self.restorers.len() < MAX_TEXTS {
            let before = self.restorers.insert(self.shown(lane), text.restorer());
            self.counts.add(before.map(|r| r.counts()).unwrap_or_default());
        }
    }

    /// What became of placeholders so far.
    pub fn placeholders(&self) -> Counts {
        let mut counts = self.counts;
        self.restorers.values().for_each(|r| counts.add(r.counts()));
        self.open.values().for_each(|t| counts.add(t.counts()));
        counts
    }

    /// Texts that a client may show joined.
    fn shown(&self, lane: Lane) -> u32 {
        match self.kind.api {
            // Those of one kind, whichever item they stand in.
            Api::OpenAiResponses | Api::GeminiInteractions => lane.name,
            _ => lane.choice,
        }
    }

    /// What restores in a text that begins.
    fn restorer(&mut self, lane: Lane) -> Restorer {
        let before = self.restorers.remove(&self.shown(lane));
        let joined = |other: &Lane| other.name == lane.name && self.shown(*other) == self.shown(lane);
        let beside = || self.open.iter().rev().find(|(other, _)| joined(other)).map(|(_, text)| text.beside());
        before.or_else(beside).unwrap_or_else(|| self.kind.restorer())
    }
}
