//! Strings: decoded, and mapped back to the raw bytes they were decoded from.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::parse::Entry;
use super::{escape, keys, scan};

/// A string or key of a document, not decoded yet.
///
/// `Debug` shows the place only.
#[derive(Clone, Copy)]
pub struct StringToken<'d> {
    text: &'d str,
    start: u32,
    end: u32,
    escaped: bool,
}

impl<'d> StringToken<'d> {
    pub(super) fn new(text: &'d str, entry: &Entry) -> Self {
        // The quotes are ASCII and always there.
        Self { text, start: entry.start + 1, end: entry.end.saturating_sub(1), escaped: entry.aux != 0 }
    }

    /// The string and its way back to the raw bytes.
    #[must_use]
    pub fn decode(&self) -> Text<'d> {
        let base = self.start as usize;
        let mut runs = Vec::new();
        let decoded = if self.escaped {
            Cow::Owned(decode(self.raw(), |decoded, raw, escape| {
                push_run(&mut runs, decoded, base + raw, escape);
            }))
        } else {
            Cow::Borrowed(self.raw())
        };
        Text { decoded, base, runs, outer: None, levels: 1 }
    }

    /// The decoded string alone; borrowed when it has no escapes.
    #[must_use]
    pub fn text(&self) -> Cow<'d, str> {
        if self.escaped { Cow::Owned(decode(self.raw(), |_, _, _| ())) } else { Cow::Borrowed(self.raw()) }
    }

    /// The text, for who can bear that short escapes (`\\n`, `\\"`) stand in it as they are written: most texts are read without
    /// a copy then. Characters that are written by their numbers are themselves.
    #[must_use]
    pub fn written(&self) -> Cow<'d, str> {
        let raw = self.raw();
        // All of it is looked at, which is many bytes at a time.
        let numbers = || raw.bytes().zip(raw.bytes().skip(1)).fold(false, |any, pair| any | (pair == (b'\\', b'u')));
        if self.escaped && numbers() { self.text() } else { Cow::Borrowed(raw) }
    }

    /// Whether the text may begin with one of these bytes, as far as its first one tells: an escape may be any.
    #[must_use]
    pub fn may_begin(&self, any: &[u8]) -> bool {
        self.raw().bytes().next().is_some_and(|first| first == b'\\' || any.contains(&first))
    }

    /// Where the raw string stands in the document's bytes, without its quotes.
    #[must_use]
    pub fn inner_span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// What stands between the quotes.
    pub(super) fn raw(&self) -> &'d str {
        self.text.get(self.inner_span()).unwrap_or_default()
    }

    /// Whether the decoded string is `wanted`. Stops at the first difference and allocates nothing, since
    /// it is asked of every key of an object.
    pub(super) fn is(&self, wanted: &str) -> bool {
        if !self.escaped {
            // Most keys are told apart by their lengths.
            return (self.end - self.start) as usize == wanted.len() && self.raw() == wanted;
        }
        let (mut raw, mut wanted) = (self.raw(), wanted);
        loop {
            let stop = scan::string_stop(raw.as_bytes(), 0);
            let (literal, rest) = raw.split_at_checked(stop).unwrap_or((raw, ""));
            let Some(after) = wanted.strip_prefix(literal) else { return false };
            let Ok(escape) = escape::read(rest.as_bytes()) else { return after.is_empty() };
            let Some(after) = after.strip_prefix(escape.char) else { return false };
            raw = rest.get(escape.raw..).unwrap_or_default();
            wanted = after;
        }
    }

    /// Whether the decoded string folds to what `wanted` folds to, which is folded already, or all ASCII. It is asked of every key
    /// of an object, as [`StringToken::is`].
    pub(super) fn is_folded(&self, wanted: &str) -> bool {
        let raw = self.text.as_bytes().get(self.inner_span()).unwrap_or_default();
        if !self.escaped {
            if raw.eq_ignore_ascii_case(wanted.as_bytes()) {
                return true;
            }
            if raw.is_ascii() {
                return false;
            }
        }
        // Folding keeps the number of characters, and none is written with more than 12 bytes.
        raw.len() <= wanted.len().saturating_mul(12) && keys::fold(&self.text()).eq_ignore_ascii_case(wanted)
    }
}

impl fmt::Debug for StringToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StringToken").field("inner_span", &self.inner_span()).field("escaped", &self.escaped).finish()
    }
}

/// Reads the string whose body begins at `at`, as the parser would: the string, decoded, and where its closing quote stands. `None`
/// where there is no whole string.
pub(crate) fn string_at(bytes: &[u8], at: usize) -> Option<(Cow<'_, str>, usize)> {
    let (mut end, mut escaped) = (at, false);
    loop {
        end = scan::string_stop(bytes, end);
        match bytes.get(end) {
            Some(b'"') => break,
            Some(b'\\') => {
                escaped = true;
                end += escape::read(bytes.get(end..)?).ok()?.raw;
            }
            _ => return None,
        }
    }
    let raw = std::str::from_utf8(bytes.get(at..end)?).ok()?;
    Some((if escaped { Cow::Owned(decode(raw, |_, _, _| ())) } else { Cow::Borrowed(raw) }, end))
}

/// Decodes a string that the parser has accepted; `on_escape` gets each escape with its place in the decoded
/// and in the raw string.
fn decode(raw: &str, mut on_escape: impl FnMut(usize, usize, escape::Escape)) -> String {
    let mut decoded = String::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let stop = scan::string_stop(raw.as_bytes(), at);
        decoded.push_str(raw.get(at..stop).unwrap_or_default());
        let rest = raw.as_bytes().get(stop..).unwrap_or_default();
        let Ok(escape) = escape::read(rest) else { break };
        on_escape(decoded.len(), stop, escape);
        decoded.push(escape.char);
        at = stop + escape.raw;
    }
    decoded
}

/// Equal escapes in a row. What lies between runs is literal, byte for byte.
#[derive(Clone, Copy)]
struct Run {
    /// Where the first one's character begins in the decoded text.
    decoded: u32,
    /// Where the first one's backslash is in the raw bytes.
    raw: u32,
    count: u16,
    /// Bytes of one, raw (2, 6 or 12) and decoded (1 to 4).
    raw_unit: u8,
    decoded_unit: u8,
}

impl Run {
    fn decoded_end(&self) -> usize {
        self.decoded as usize + usize::from(self.count) * usize::from(self.decoded_unit)
    }

    fn raw_end(&self) -> usize {
        self.raw as usize + usize::from(self.count) * usize::from(self.raw_unit)
    }
}

fn push_run(runs: &mut Vec<Run>, decoded: usize, raw: usize, escape: escape::Escape) {
    let (raw_unit, decoded_unit) = (escape.raw as u8, escape.char.len_utf8() as u8);
    if let Some(last) = runs.last_mut()
        && (last.raw_unit, last.decoded_unit) == (raw_unit, decoded_unit)
        && (last.raw_end(), last.decoded_end()) == (raw, decoded)
        && let Some(count) = last.count.checked_add(1)
    {
        last.count = count;
    } else {
        // Documents are shorter than u32::MAX.
        runs.push(Run { decoded: decoded as u32, raw: raw as u32, count: 1, raw_unit, decoded_unit });
    }
}

/// Decoded text plus the way back to raw bytes.
///
/// The way back is a list of runs of equal escapes, so plain text needs none and allocates nothing. `Debug`
/// shows sizes only: the text is a user's.
pub struct Text<'d> {
    decoded: Cow<'d, str>,
    /// Where the raw string begins: in the document's bytes, or in the decoded text of `outer`.
    base: usize,
    runs: Vec<Run>,
    outer: Option<&'d Text<'d>>,
    levels: u8,
}

impl<'d> Text<'d> {
    /// The decoded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.decoded
    }

    /// The raw bytes that a range of the decoded text came from, in the outermost document.
    ///
    /// Rounded outward to whole characters and escapes (a surrogate pair is one), so that replacing the
    /// result can never leave half of one behind. An empty range between characters stays empty. A range
    /// beyond the text is cut to it.
    #[must_use]
    pub fn raw_range(&self, decoded: Range<usize>) -> Range<usize> {
        let mut level = self;
        let mut range = decoded;
        loop {
            range = level.outward(range);
            match level.outer {
                Some(outer) => level = outer,
                None => return range,
            }
        }
    }

    /// In how many strings, each within the other, the text stands: 1, and one more for each [`Self::nested`].
    #[must_use]
    pub fn escape_levels(&self) -> u8 {
        self.levels
    }

    /// A string of the JSON document that this text itself is (the arguments of a tool call, for one).
    ///
    /// `inner` is a token of a [`super::Document`] parsed from `self.as_str().as_bytes()`. The result maps
    /// straight to the outermost raw bytes, and its replacements are escaped once more. How deep to look is
    /// the caller's to bound; beyond 255 levels replacements would be escaped too little.
    #[must_use]
    pub fn nested<'t>(&'t self, inner: StringToken<'t>) -> Text<'t> {
        Text { outer: Some(self), levels: self.levels.saturating_add(1), ..inner.decode() }
    }

    /// `replacement` as it must stand in the raw bytes: JSON-escaped [`Self::escape_levels`] times.
    #[must_use]
    pub fn escape(&self, replacement: &str) -> String {
        escape::write(replacement, self.levels)
    }

    /// One level of [`Self::raw_range`].
    fn outward(&self, decoded: Range<usize>) -> Range<usize> {
        let start = self.decoded.floor_char_boundary(decoded.start);
        let end = self.decoded.ceil_char_boundary(decoded.end.max(decoded.start));
        self.raw_offset(start)..self.raw_offset(end)
    }

    /// The raw offset of a character boundary of the decoded text.
    fn raw_offset(&self, at: usize) -> usize {
        let before = self.runs.partition_point(|run| run.decoded as usize <= at);
        let Some(run) = before.checked_sub(1).and_then(|last| self.runs.get(last)) else { return self.base + at };
        match at.checked_sub(run.decoded_end()) {
            Some(literal) => run.raw_end() + literal,
            None => {
                let unit = (at - run.decoded as usize) / usize::from(run.decoded_unit.max(1));
                run.raw as usize + unit * usize::from(run.raw_unit)
            }
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("bytes", &self.decoded.len()).field("levels", &self.levels).finish()
    }
}
