//! Findings that must be acted on, as byte ranges of a body.

use std::ops::Range;

use crate::json::Edits;
use crate::policy::Action;
use crate::reply::Reason;
use crate::sort;

/// One finding to act on.
#[derive(Debug)]
pub(super) struct Hit {
    /// Where, in the body as it came.
    pub raw: Range<usize>,
    /// What is done.
    pub action: Action,
    /// What goes there.
    pub replacement: Replacement,
}

/// What goes where a value stood.
#[derive(Clone, Debug)]
pub(super) enum Replacement {
    /// Text that needs no escaping at any level of JSON.
    Text(String),
    /// A number of that many digits.
    Digits(usize),
}

impl Replacement {
    fn text(&self) -> String {
        match self {
            Replacement::Text(text) => text.clone(),
            // A JSON number has no leading zero.
            Replacement::Digits(count) => format!("1{}", "0".repeat(count.saturating_sub(1))),
        }
    }
}

/// The hits of one body.
#[derive(Debug, Default)]
pub(super) struct Hits(Vec<Hit>);

impl Hits {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn push(&mut self, hit: Hit) {
        self.0.push(hit);
    }

    /// The hits from `start` on stand in a number of `length` bytes, which stays a number.
    pub fn as_digits(&mut self, start: usize, length: usize) {
        for hit in self.0.iter_mut().skip(start) {
            hit.replacement = Replacement::Digits(length);
        }
    }

    /// Whether one of them refuses the body.
    pub fn deny(&self) -> bool {
        self.0.iter().any(|h| h.action == Action::Deny)
    }

    /// Refuses where a hit touches bytes that cannot be replaced.
    pub fn protect(&self, protected: &[Range<usize>], denial: &mut Option<Reason>) {
        let touches = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
        if self.0.iter().any(|h| protected.iter().any(|p| touches(&h.raw, p))) {
            *denial = Some(Reason::ContentDenied);
        }
    }

    /// The replacements, overlapping ones merged under the strictest, together with `more`, which stand where no
    /// hit is.
    pub fn edits(mut self, more: &[(Range<usize>, String)]) -> Edits {
        sort::cold(&mut self.0, |a, b| (a.raw.start, a.raw.end) < (b.raw.start, b.raw.end));
        let mut merged: Vec<Hit> = Vec::with_capacity(self.0.len());
        for hit in self.0 {
            match merged.last_mut() {
                Some(last) if hit.raw.start < last.raw.end => {
                    last.raw.end = last.raw.end.max(hit.raw.end);
                    if hit.action < last.action {
                        last.action = hit.action;
                        last.replacement = hit.replacement;
                    }
                }
                _ => merged.push(hit),
            }
        }
        let mut edits = Edits::new();
        for hit in merged {
            // Merged ranges do not overlap.
            let _ = edits.replace(hit.raw, hit.replacement.text());
        }
        for (range, text) in more {
            let _ = edits.replace(range.clone(), text.as_str());
        }
        edits
    }
}
