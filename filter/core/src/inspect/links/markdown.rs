//! Destinations of Markdown: `](...)`, `](<...>)`, `[label]: ...`, and which of them are images.
//!
//! More is an image here than in CommonMark, never less: brackets in code spans and in tags, which do not count there,
//! could hide which `[` a `]` closes, so where there are any, and where brackets do not match, it is an image.
//!
//! A definition is one if an image refers to its label. If the image comes first, the URL is found; if the definition
//! does, it has gone by then, and the label is found that the image names it by. Labels are remembered as hashes, up
//! to [`MAX_LABELS`] each way; beyond, every definition counts as an image.

use std::collections::HashSet;

use super::super::bytes;
use super::super::lane::step::{NONE, Step};
use super::Found;
use super::value::{Ends, Judge, Value};

/// So many labels are remembered.
const MAX_LABELS: usize = 256;
/// The longest label that is, in bytes.
const MAX_LABEL: usize = 256;
/// Deeper brackets are not told apart.
const MAX_DEPTH: u32 = 64;

#[derive(Debug, Default)]
pub(super) struct Markdown {
    /// One bit for every `[` that is open, the last one lowest: whether it opens an image.
    images: u64,
    depth: u32,
    /// Since the last `![` something stood there that may hide brackets.
    odd: bool,
    /// An image may be open although its bracket seems closed.
    lost: bool,
    /// The last character is a backslash that escapes.
    escape: bool,
    /// Nothing but white space since the last line's end.
    blank: bool,
    /// The same before the last character.
    first: bool,
    label: Option<Label>,
    /// What the last character, a `]`, closed.
    closed: Option<Closed>,
    slot: Slot,
    /// Labels that images refer to, and those of URLs that lead elsewhere.
    wanted: HashSet<u64>,
    foreign: HashSet<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Label {
    start: usize,
    hash: u64,
    length: usize,
    space: bool,
    /// An image may name a definition by it.
    image: bool,
    /// Nothing stands before it in its line.
    first: bool,
}

#[derive(Clone, Copy, Debug)]
struct Closed {
    image: bool,
    label: Option<Label>,
}

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Idle,
    Before(Kind),
    In(Value, Kind),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Link { image: bool },
    Definition(Label),
}

impl Label {
    fn new(start: usize, image: bool, first: bool) -> Self {
        Self { start, hash: 0xCBF2_9CE4_8422_2325, length: 0, space: false, image, first }
    }

    /// Case and the amount of white space do not matter.
    fn push(&mut self, c: char) {
        if c.is_whitespace() {
            self.space = self.length > 0;
            return;
        }
        if std::mem::take(&mut self.space) {
            self.add(' ');
        }
        c.to_lowercase().for_each(|c| self.add(c));
    }

    fn add(&mut self, c: char) {
        self.hash = (self.hash ^ u64::from(c)).wrapping_mul(0x0100_0000_01B3);
        self.length += c.len_utf8();
    }

    fn is_remembered(&self) -> bool {
        (1..=MAX_LABEL).contains(&self.length)
    }
}

impl Markdown {
    /// Takes a character; answers whether it ended a paragraph.
    pub(super) fn step(&mut self, step: &Step<'_>, judge: &mut Judge<'_>) -> bool {
        let closed = self.closed.take();
        let escaped = std::mem::replace(&mut self.escape, false);
        let byte = if escaped { 0 } else { step.byte };
        let paragraph = step.byte == b'\n' && self.blank;
        self.first = self.blank;
        self.blank = step.byte == b'\n' || self.blank && (step.byte.is_ascii_whitespace() || step.byte == b'>');
        if paragraph {
            (self.images, self.depth, self.odd, self.lost, self.label) = (0, 0, false, false, None);
        }
        if let (b'(', Some(closed)) = (step.byte, closed) {
            self.end(step.bytes, step.at, judge);
            self.lost = false;
            if closed.image || judge.wanted.links {
                self.slot = Slot::Before(Kind::Link { image: closed.image });
            }
            return paragraph;
        }
        // Not the address of version 6 that a URL may have for a host.
        if let (b':', Some(Closed { label: Some(label), .. })) = (step.byte, closed)
            && (label.first || !matches!(self.slot, Slot::In(..)))
        {
            self.end(step.bytes, step.at, judge);
            self.slot = Slot::Before(Kind::Definition(label));
            return paragraph;
        }
        self.value(step, paragraph, judge);
        match byte {
            b'\\' => self.escape = true,
            b'[' => self.opened(step, closed),
            b']' => self.closes(step, judge),
            _ => {
                self.odd |= matches!(byte, b'`' | b'<');
                if let Some(label) = &mut self.label {
                    label.push(step.char);
                }
            }
        }
        paragraph
    }

    fn opened(&mut self, step: &Step<'_>, closed: Option<Closed>) {
        let marked = bytes::before(step.bytes, step.at) == b'!' || closed.is_some_and(|c| c.image);
        if marked && self.images == 0 {
            self.odd = false;
        }
        let too_deep = self.depth >= MAX_DEPTH;
        self.images = self.images << 1 | u64::from(marked || too_deep);
        self.depth += 1;
        self.label = Some(Label::new(step.end, marked || self.images != 0 || self.lost, self.first));
    }

    fn closes(&mut self, step: &Step<'_>, judge: &mut Judge<'_>) {
        let unmatched = self.depth == 0;
        let marked = unmatched || self.images & 1 == 1;
        self.images >>= 1;
        self.depth = self.depth.saturating_sub(1);
        let image = marked || self.images != 0 || self.lost;
        self.lost |= marked && !unmatched && self.odd;
        let label = self.label.take();
        if let Some(label) = label.filter(|label| image && label.image && label.is_remembered()) {
            self.referred(&label, step.at, judge);
        }
        self.closed = Some(Closed { image, label });
    }

    /// An image names a definition.
    fn referred(&mut self, label: &Label, end: usize, judge: &mut Judge<'_>) {
        if !judge.wanted.images {
            return;
        }
        if self.foreign.contains(&label.hash) {
            judge.push(Found { start: label.start, end, image: true, reserved: false });
        } else if self.wanted.len() < MAX_LABELS {
            self.wanted.insert(label.hash);
        }
    }

    fn value(&mut self, step: &Step<'_>, paragraph: bool, judge: &mut Judge<'_>) {
        if let Slot::Before(kind) = &self.slot {
            let kind = *kind;
            if paragraph {
                self.slot = Slot::Idle;
            }
            if step.byte.is_ascii_whitespace() {
                return;
            }
            let image = matches!(kind, Kind::Link { image: true });
            let (start, ends) = match (step.byte, kind) {
                (b'<', _) => (step.end, Ends::Angle),
                (_, Kind::Link { .. }) => (step.at, Ends::Parenthesis),
                (_, Kind::Definition(_)) => (step.at, Ends::Space),
            };
            self.slot = Slot::In(Value::new(start, ends, image), kind);
            if step.byte == b'<' {
                return;
            }
        }
        let Slot::In(value, kind) = &mut self.slot else { return };
        match value.step(step) {
            Some(end) => self.end(step.bytes, end, judge),
            None => {
                let kind = *kind;
                if let Slot::In(value, _) = &mut self.slot {
                    value.image |= is_image(kind, &self.wanted);
                    let foreign = judge.long(value, step);
                    remember(kind, foreign.is_some(), judge, &mut self.foreign);
                }
            }
        }
    }

    /// The URL that goes on ends at `end`.
    pub(super) fn end(&mut self, bytes: &[u8], end: usize, judge: &mut Judge<'_>) {
        if let Slot::In(mut value, kind) = std::mem::take(&mut self.slot) {
            value.image |= is_image(kind, &self.wanted) || self.foreign.len() >= MAX_LABELS;
            let foreign = judge.ended(&value, bytes, end);
            remember(kind, foreign.is_some() && !value.image, judge, &mut self.foreign);
        }
    }

    pub(super) fn open(&self) -> usize {
        let value = if let Slot::In(value, _) = &self.slot { value.open() } else { NONE };
        // A label may be found.
        let label = self.label.filter(|l| l.image && !self.foreign.is_empty() && l.length <= MAX_LABEL);
        value.min(label.map_or(NONE, |l| l.start))
    }

    pub(super) fn shift(&mut self, by: usize) {
        if let Slot::In(value, _) = &mut self.slot {
            value.shift(by);
        }
        for label in self.label.iter_mut().chain(self.closed.iter_mut().filter_map(|c| c.label.as_mut())) {
            label.start = label.start.saturating_sub(by);
        }
    }

    pub(super) fn cut(&mut self, at: usize) {
        if let Slot::In(value, _) = &mut self.slot {
            value.cut(at);
        }
        if let Some(label) = &mut self.label {
            label.start = label.start.max(at);
        }
    }
}

/// Whether a URL is an image's because of its label.
fn is_image(kind: Kind, wanted: &HashSet<u64>) -> bool {
    match kind {
        Kind::Link { .. } => false,
        Kind::Definition(label) => {
            wanted.contains(&label.hash) || wanted.len() >= MAX_LABELS || label.length > MAX_LABEL
        }
    }
}

/// A definition leads elsewhere, and nothing was found: an image may yet name it.
fn remember(kind: Kind, foreign: bool, judge: &Judge<'_>, labels: &mut HashSet<u64>) {
    if let Kind::Definition(label) = kind
        && foreign
        && judge.wanted.images
        && labels.len() < MAX_LABELS
    {
        labels.insert(label.hash);
    }
}
