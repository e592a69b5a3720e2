//! Values back into an answer, whole or in pieces.
//!
//! Text is passed on at once, but for its end where that may be the beginning of a placeholder of this map, or a
//! placeholder that still depends on the word behind it: at most the longest placeholder and 512 bytes. What comes out
//! does not depend on how the text was cut. Time is linear in the text, plus the bytes held for each piece; what was
//! restored is not looked at again.
//!
//! A value is restored as the characters it is. In JSON that is wrong, where it may need escaping: [`restore_json`] is
//! for JSON that is whole, [`Restorer::json`] for what comes in pieces.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::derive::{LABEL_CHARS, MAX_NAME, is_base32};
use super::links::{Links, after};
use super::map::{RestoreMap, joined};
use crate::json::{Document, Edits, Limits, Node, Text, escaped};

/// How deep JSON inside strings inside JSON is seen through.
const MAX_NESTED: u8 = 3;

/// What became of the placeholders in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Restored.
    pub restored: u64,
    /// Placeholders of the map that were left, since they stand in a link or in what may become one.
    pub in_url: u64,
    /// What looks like a label but is none of the map: of another request, another caller, or made up.
    pub foreign: u64,
}

impl Counts {
    /// Adds those of another text.
    pub fn add(&mut self, more: Counts) {
        self.restored = self.restored.saturating_add(more.restored);
        self.in_url = self.in_url.saturating_add(more.in_url);
        self.foreign = self.foreign.saturating_add(more.foreign);
    }
}

/// Restores one text that comes in pieces, always with the same map.
///
/// `Debug` shows sizes only: the text is a user's.
#[derive(Clone, Default)]
pub struct Restorer {
    held: String,
    links: Links,
    foreign: Foreign,
    counts: Counts,
    json: bool,
}

impl Restorer {
    /// For an answer that is JSON because the *caller* asked for that (structured output), and that no program
    /// therefore shows as Markdown: values are escaped once, and each string is a text of its own, so that a link ends
    /// with its string. Unlike [`restore_json`] it restores in keys too and does not look into JSON inside strings.
    /// The default is for all other text.
    #[must_use]
    pub fn json() -> Self {
        Self { links: Links::json(), json: true, ..Self::default() }
    }

    /// What goes on when `piece` has come; `end` says that nothing comes after it, and then nothing is held any more.
    /// With an empty map that is the piece itself.
    pub fn push<'p>(&mut self, map: &RestoreMap, piece: &'p str, end: bool) -> Cow<'p, str> {
        if map.is_empty() {
            self.foreign.text(piece, &mut self.counts.foreign);
            return Cow::Borrowed(piece);
        }
        let text = match self.held.is_empty() {
            true => Cow::Borrowed(piece),
            false => Cow::Owned(std::mem::take(&mut self.held) + piece),
        };
        let (edits, done) = self.read(map, &text, end);
        self.held.push_str(text.get(done..).unwrap_or_default());
        if edits.is_empty() {
            return match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.get(..done).unwrap_or_default()),
                Cow::Owned(mut text) => {
                    text.truncate(done);
                    Cow::Owned(text)
                }
            };
        }
        let mut restored = String::with_capacity(text.len());
        let mut at = 0;
        for (range, value) in edits {
            restored.push_str(text.get(at..range.start).unwrap_or_default());
            match self.json {
                true => restored.push_str(&escaped(value)),
                false => restored.push_str(value),
            }
            at = range.end;
        }
        restored.push_str(text.get(at..done).unwrap_or_default());
        Cow::Owned(restored)
    }

    /// For a text that a client may show joined to this one, while this one goes on.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { links: self.links.clone(), json: self.json, ..Self::default() }
    }

    /// Whether the text so far leaves a link open, or what may become one.
    #[must_use]
    pub fn in_link(&self) -> bool {
        !self.links.plain()
    }

    /// Bytes that were pushed and have not gone on.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// What is held back.
    #[must_use]
    pub fn held_text(&self) -> &str {
        &self.held
    }

    /// What became of the placeholders that have gone on.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What to restore in `text`, and up to where it is decided.
    fn read<'m>(&mut self, map: &'m RestoreMap, text: &str, end: bool) -> (Vec<(Range<usize>, &'m str)>, usize) {
        let mut edits = Vec::new();
        let unfinished = |from| if end { text.len() } else { map.unfinished(text, from) };
        let (mut at, mut tail) = (0, unfinished(0));
        loop {
            if tail < at {
                tail = unfinished(at);
            }
            // What begins before the tail cannot become a longer placeholder.
            let found = map.find(text, at).filter(|(range, _)| range.start < tail);
            let Some((range, value)) = found else {
                self.literal(text.get(at..tail).unwrap_or_default());
                return (edits, tail);
            };
            self.literal(text.get(at..range.start).unwrap_or_default());
            at = range.start;
            let own = text.get(range.clone()).unwrap_or_default();
            let rest = text.get(range.end..).unwrap_or_default();
            if rest.is_empty() && !end {
                return (edits, at);
            }
            // Another number that begins or ends like the placeholder.
            let part =
                joined(self.links.last(), own.chars().next()) || joined(own.chars().next_back(), rest.chars().next());
            let fits = if part || !self.links.plain() { Some(false) } else { after(rest, self.json, end) };
            match fits {
                None => return (edits, at),
                Some(true) => {
                    self.links.value(value);
                    self.counts.restored += 1;
                    edits.push((range.clone(), value));
                }
                Some(false) => {
                    self.links.text(own);
                    self.counts.in_url += u64::from(!part);
                }
            }
            self.foreign = Foreign::default();
            at = range.end;
        }
    }

    fn literal(&mut self, text: &str) {
        self.links.text(text);
        self.foreign.text(text, &mut self.counts.foreign);
    }
}

impl fmt::Debug for Restorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restorer").field("held", &self.held.len()).field("counts", &self.counts).finish()
    }
}

/// Restores a whole text.
#[must_use]
pub fn restore_whole<'t>(map: &RestoreMap, text: &'t str) -> (Cow<'t, str>, Counts) {
    let mut restorer = Restorer::default();
    let restored = restorer.push(map, text, true);
    (restored, restorer.counts)
}

/// Restores in the string values of a JSON text (the arguments of a tool call, say), each a text of its own; values
/// are escaped for where they stand, also in JSON inside a string. Keys stay as they are. In what is no JSON nothing
/// is restored.
#[must_use]
pub fn restore_json<'t>(map: &RestoreMap, text: &'t str, limits: &Limits) -> (Cow<'t, str>, Counts) {
    let (mut edits, mut counts) = (Edits::new(), Counts::default());
    if let Ok(document) = Document::parse(text.as_bytes(), limits) {
        let mut leaf = |string: Node<'_>| {
            if let Some(token) = string.string() {
                restore_leaf(map, &token.decode(), limits, 0, &mut edits, &mut counts);
            }
        };
        leaves(document.root(), &mut leaf);
    }
    let restored = match edits.is_empty() {
        true => None,
        false => String::from_utf8(edits.splice(text.as_bytes())).ok(),
    };
    (restored.map_or(Cow::Borrowed(text), Cow::Owned), counts)
}

/// Puts values back into what a tool is called with: JSON, or one argument, which may be no more than a placeholder and begin as
/// an array does.
pub fn restore_arguments<'t>(map: &RestoreMap, text: &'t str, limits: &Limits) -> (Cow<'t, str>, Counts) {
    let json = text.trim_start().starts_with(['{', '[']) && Document::parse(text.as_bytes(), limits).is_ok();
    if json { restore_json(map, text, limits) } else { restore_whole(map, text) }
}

fn restore_leaf(map: &RestoreMap, text: &Text<'_>, limits: &Limits, depth: u8, edits: &mut Edits, counts: &mut Counts) {
    let inner = text.as_str();
    if depth < MAX_NESTED
        && inner.trim_start().starts_with(['{', '[', '"'])
        && let Ok(document) = Document::parse(inner.as_bytes(), limits)
    {
        leaves(document.root(), &mut |string| {
            if let Some(token) = string.string() {
                restore_leaf(map, &text.nested(token), limits, depth + 1, edits, counts);
            }
        });
        return;
    }
    let mut restorer = Restorer::default();
    for (range, value) in restorer.read(map, inner, true).0 {
        // Places of one leaf do not overlap, nor do leaves.
        let _ = edits.replace(text.raw_range(range), text.escape(value));
    }
    counts.add(restorer.counts);
}

/// Every string value. No deeper than the document may be nested.
fn leaves(node: Node<'_>, leaf: &mut dyn FnMut(Node<'_>)) {
    leaf(node);
    node.items().for_each(|item| leaves(item, leaf));
    node.entries().for_each(|(_, value)| leaves(value, leaf));
}

/// Looks for text in the shape of a label, across pieces.
#[derive(Clone, Copy, Debug, Default)]
struct Foreign {
    /// Characters since `[`, if all may be in a label.
    length: Option<usize>,
    /// Characters since the last `_`, if all are base 32 and something is before it.
    derived: Option<usize>,
}

impl Foreign {
    fn text(&mut self, text: &str, count: &mut u64) {
        let mut text = text;
        loop {
            let Some(length) = self.length else {
                let Some((_, rest)) = text.split_once('[') else { return };
                *self = Self { length: Some(0), derived: None };
                text = rest;
                continue;
            };
            let mut chars = text.chars();
            let Some(char) = chars.next() else { return };
            text = chars.as_str();
            *self = match char {
                '[' => Self { length: Some(0), derived: None },
                '_' if length <= MAX_NAME => Self { length: Some(length + 1), derived: (length > 0).then_some(0) },
                _ if char.is_ascii_alphanumeric() && length <= MAX_NAME + LABEL_CHARS => Self {
                    length: Some(length + 1),
                    derived: self.derived.filter(|_| is_base32(char)).map(|derived| derived + 1),
                },
                _ => {
                    *count += u64::from(char == ']' && self.derived == Some(LABEL_CHARS));
                    Self::default()
                }
            };
        }
    }
}
