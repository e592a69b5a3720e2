//! What one request's placeholders stand for.
//!
//! [`Assignments`] grow while the request is redacted; [`RestoreMap`] is what they come to: its automata are built
//! once and only read. Both are bounded, since they live as long as the exchange and wasm memory never shrinks.
//!
//! Values are compared byte for byte: `Bob@x.io` and `bob@x.io` get a placeholder each, or the wrong one would come
//! back.
//!
//! What it does not do: it does not decode. A text handed to [`RestoreMap::sweep`] is to be decoded already, and a
//! value that is written another way there (other case, other spaces) is not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use super::derive::{Deriver, Form};
use crate::literals::Literals;
use crate::sort;

/// How many values one request may have replaced.
const MAX_ENTRIES: usize = 2048;

/// Bytes of values and placeholders in all.
const MAX_BYTES: usize = 128 * 1024;

/// How often another placeholder is tried in the form that is wanted, before a label is.
const ATTEMPTS: u32 = 16;

/// Values of fewer bytes are replaced only as words of their own: `Bob` must not make a mess of `Bobbin`, where for a
/// longer value a leak is worse than a mess.
const SHORT: usize = 6;

/// There is no room for another value, which must then be masked for good, or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many values to replace by placeholders")
    }
}

impl std::error::Error for Full {}

/// The values of one request and their placeholders, while it is redacted.
///
/// `Debug` shows sizes only: values are users' text.
#[derive(Default)]
pub struct Assignments {
    by_value: BTreeMap<String, String>,
    placeholders: BTreeSet<String>,
    bytes: usize,
}

impl Assignments {
    /// The placeholder of `value`: the one it has already, whatever its kind and form then were, or a new one.
    ///
    /// `taken` says whether a placeholder stands in the request's text. It is asked only about placeholders that are
    /// mere digits and separators: those can be there by chance, and what the text said would come back as the value.
    /// One with 50 or 60 derived bits in letters is there only because an earlier answer kept it (in a link, say): it
    /// means this very value, and must stay the same in every turn.
    ///
    /// # Errors [`Full`] beyond 2,048 values or 128 KiB of values and placeholders; nothing is assigned then. Also for
    /// an empty value, which is nowhere and everywhere.
    pub fn assign(
        &mut self,
        deriver: &Deriver<'_>,
        kind: &str,
        value: &str,
        form: Form,
        taken: &dyn Fn(&str) -> bool,
    ) -> Result<&str, Full> {
        if !self.by_value.contains_key(value) {
            let placeholder = self.unused(deriver, kind, value, form, taken).ok_or(Full)?;
            let bytes = self.bytes.saturating_add(value.len()).saturating_add(placeholder.len());
            if value.is_empty() || self.by_value.len() >= MAX_ENTRIES || bytes > MAX_BYTES {
                return Err(Full);
            }
            self.bytes = bytes;
            self.placeholders.insert(placeholder.clone());
            self.by_value.insert(value.to_owned(), placeholder);
        }
        self.by_value.get(value).map(String::as_str).ok_or(Full)
    }

    fn unused(
        &self,
        deriver: &Deriver<'_>,
        kind: &str,
        value: &str,
        form: Form,
        taken: &dyn Fn(&str) -> bool,
    ) -> Option<String> {
        let attempts = (0..ATTEMPTS).map(|attempt| (form, attempt));
        attempts.chain((0..ATTEMPTS).map(|attempt| (Form::Label, attempt))).find_map(|(form, attempt)| {
            let placeholder = deriver.placeholder(kind, value, form, attempt);
            let chance = !placeholder.starts_with('[') && !placeholder.contains('@');
            let used = self.placeholders.contains(&placeholder) || self.by_value.contains_key(&placeholder);
            let used = used || chance && taken(&placeholder);
            (!used).then_some(placeholder)
        })
    }

    /// How many values have a placeholder.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_value.len()
    }

    /// Whether no value has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_value.is_empty()
    }

    /// What the request came to.
    ///
    /// # Errors
    /// [`Full`] if the automata cannot be built, which the bounds on what is assigned should rule out.
    pub fn build(self) -> Result<RestoreMap, Full> {
        if self.is_empty() {
            return Ok(RestoreMap::default());
        }
        let mut entries: Vec<Entry> =
            self.by_value.into_iter().map(|(value, placeholder)| Entry { placeholder, value }).collect();
        sort::cold(&mut entries, |a, b| a.placeholder < b.placeholder);
        let mut first = [false; 256];
        for entry in &entries {
            let byte = entry.placeholder.bytes().next().unwrap_or_default();
            first.get_mut(usize::from(byte)).into_iter().for_each(|first| *first = true);
        }
        let longest = entries.iter().map(|entry| entry.placeholder.len()).max().unwrap_or(0);
        let of = |short| {
            let chosen: Vec<usize> =
                (0..).zip(&entries).filter(|(_, e)| (e.value.len() < SHORT) == short).map(|(i, _)| i).collect();
            let values: Vec<&str> = chosen.iter().filter_map(|i| entries.get(*i)).map(|e| e.value.as_str()).collect();
            let literals = if short { Literals::every(&values, false) } else { Literals::longest(&values) };
            literals.map(|literals| Values { literals, entries: chosen }).ok_or(Full)
        };
        let (short, long) = (of(true)?, of(false)?);
        let placeholders: Vec<&str> = entries.iter().map(|entry| entry.placeholder.as_str()).collect();
        let placeholders = Literals::longest(&placeholders).ok_or(Full)?;
        Ok(RestoreMap { built: Some(Built { entries, first, longest, placeholders, short, long }) })
    }
}

impl fmt::Debug for Assignments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assignments").field("len", &self.len()).field("bytes", &self.bytes).finish()
    }
}

struct Entry {
    placeholder: String,
    value: String,
}

/// Some of the values; literal `n` is the value of the entry `entries[n]`.
struct Values {
    literals: Literals,
    entries: Vec<usize>,
}

struct Built {
    /// By placeholder.
    entries: Vec<Entry>,
    /// The bytes that placeholders begin with.
    first: [bool; 256],
    /// Bytes of the longest placeholder.
    longest: usize,
    placeholders: Literals,
    /// All matches, since one that is no word of its own must not hide another.
    short: Values,
    long: Values,
}

/// From placeholders back to values, and from values to their other places.
///
/// The default one is empty. `Debug` shows its size only: values are users' text.
#[derive(Default)]
pub struct RestoreMap {
    built: Option<Built>,
}

impl RestoreMap {
    /// Whether there is nothing to restore.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.built.is_none()
    }

    /// Whether `text` is one of its placeholders.
    #[must_use]
    pub fn is_placeholder(&self, text: &str) -> bool {
        let found =
            |built: &Built| built.entries.binary_search_by(|entry| entry.placeholder.as_str().cmp(text)).is_ok();
        self.built.as_ref().is_some_and(found)
    }

    /// How many values it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.built.as_ref().map_or(0, |built| built.entries.len())
    }

    /// Every place of a value in `text`, in order and without overlaps, and its placeholder. A value found only once,
    /// thanks to the words around it, must not leave in the clear elsewhere. Values of fewer than 6 bytes are found as
    /// words of their own only (no letter or digit goes on from them); longer ones inside of words too. Where two
    /// values overlap, a longer one is preferred to a short one, then the one that begins first.
    ///
    /// `text` is to be as it came: in redacted text a value of few letters could be found within a placeholder.
    pub fn sweep<'m>(&'m self, text: &str) -> impl Iterator<Item = (Range<usize>, &'m str)> + use<'m> {
        let mut found = Vec::new();
        if let Some(built) = &self.built {
            let whole = |range: &Range<usize>| built.borders(text, range);
            for (value, range) in built.long.literals.each(text) {
                found.extend(built.placeholder(&built.long, value).map(|placeholder| (range, placeholder)));
            }
            let mut short = Vec::new();
            built.short.literals.all(text, 0..text.len(), &mut |(value, range)| {
                let placeholder = built.placeholder(&built.short, value).filter(|_| whole(&range));
                short.extend(placeholder.map(|placeholder| (range, placeholder)));
            });
            // A short value inside a long one goes with it; among short ones the first and longest counts.
            sort::cold(&mut short, |(a, _), (b, _)| (a.start, b.end) < (b.start, a.end));
            let mut merged: Vec<(Range<usize>, &str)> = Vec::with_capacity(found.len() + short.len());
            let (mut next, mut end) = (found.iter().peekable(), 0);
            for (range, placeholder) in &short {
                while let Some((range, placeholder)) = next.next_if(|(long, _)| long.start < range.end) {
                    end = end.max(range.end);
                    merged.push((range.clone(), placeholder));
                }
                if range.start >= end {
                    end = range.end;
                    merged.push((range.clone(), placeholder));
                }
            }
            merged.extend(next.cloned());
            found = merged;
        }
        found.into_iter()
    }

    /// The first placeholder of `text` from `from` on, leftmost and longest, and its value.
    pub(super) fn find(&self, text: &str, from: usize) -> Option<(Range<usize>, &str)> {
        let built = self.built.as_ref()?;
        let (found, range) = built.placeholders.find(text, from..text.len())?;
        Some((range, &built.entries.get(found)?.value))
    }

    /// Where the longest end of `text` begins, not before `from`, that may be the beginning of a longer placeholder;
    /// its length when there is none.
    pub(super) fn unfinished(&self, text: &str, from: usize) -> usize {
        let Some(built) = &self.built else { return text.len() };
        let bytes = text.as_bytes();
        let from = from.max((bytes.len() + 1).saturating_sub(built.longest));
        let begins = |tail: &[u8]| {
            let after = built.entries.partition_point(|entry| entry.placeholder.as_bytes() <= tail);
            built.entries.get(after).is_some_and(|entry| entry.placeholder.as_bytes().starts_with(tail))
        };
        (from..bytes.len())
            .find(|at| match bytes.get(*at..) {
                Some(tail @ [first, ..]) => {
                    built.first.get(usize::from(*first)).copied().unwrap_or(false) && begins(tail)
                }
                _ => false,
            })
            .unwrap_or(text.len())
    }
}

impl Built {
    /// The placeholder of one of `values`.
    fn placeholder(&self, values: &Values, value: usize) -> Option<&str> {
        Some(&self.entries.get(*values.entries.get(value)?)?.placeholder)
    }

    /// Whether what stands at `range` is not a part of a longer word.
    fn borders(&self, text: &str, range: &Range<usize>) -> bool {
        let (before, rest) = text.split_at_checked(range.start).unwrap_or_default();
        let (own, after) = rest.split_at_checked(range.len()).unwrap_or_default();
        !joined(before.chars().next_back(), own.chars().next())
            && !joined(own.chars().next_back(), after.chars().next())
    }
}

impl fmt::Debug for RestoreMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreMap").field("len", &self.len()).finish()
    }
}

/// Whether two characters, one after the other, are parts of one word.
pub(super) fn joined(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
}
