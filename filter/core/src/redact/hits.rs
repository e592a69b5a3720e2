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
    /// Another number.
    Number(String),
    /// A placeholder that the answer turns back into the very value that stood there, whose kind this is.
    Token {
        /// What goes there.
        placeholder: String,
        /// What goes there where more than the value is cut.
        kind: String,
    },
}

impl Replacement {
    fn text(&self) -> &str {
        match self {
            Replacement::Text(text) | Replacement::Number(text) => text,
            Replacement::Token { placeholder, .. } => placeholder,
        }
    }
}

/// What goes where a number stood: a number as long as it, and never farther from zero, since access has seen the one that
/// came. `max_tokens: -4556737586899855` is within every maximum, and must not become a number that is not.
fn number(lexeme: &str) -> String {
    let (sign, rest) = match lexeme.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", lexeme),
    };
    // A JSON number has no leading zero but the one before a fraction.
    let (head, zeros) = match rest.bytes().all(|b| b.is_ascii_digit()) {
        true => ("1", rest.len().saturating_sub(1)),
        false => ("0.", rest.len().saturating_sub(2).max(1)),
    };
    format!("{sign}{head}{}", "0".repeat(zeros))
}

/// The hits of one body.
#[derive(Debug, Default)]
pub(super) struct Hits(Vec<Hit>);

impl Hits {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Where the hits from `start` on are.
    pub fn since(&self, start: usize) -> impl Iterator<Item = Range<usize>> {
        self.0.iter().skip(start).map(|hit| hit.raw.clone())
    }

    pub fn push(&mut self, hit: Hit) {
        self.0.push(hit);
    }

    /// The hits from `start` on stand in a number, which stays one.
    pub fn as_number(&mut self, start: usize, lexeme: &str) {
        for hit in self.0.iter_mut().skip(start) {
            hit.replacement = Replacement::Number(number(lexeme));
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

    /// The replacements, overlapping ones merged under the strictest, together with `more`, which go before them: what is
    /// found in text that is replaced anyway goes with it.
    pub fn edits(mut self, more: &[(Range<usize>, String)]) -> Edits {
        sort::cold(&mut self.0, |a, b| (a.raw.start, a.raw.end) < (b.raw.start, b.raw.end));
        let mut merged: Vec<Hit> = Vec::with_capacity(self.0.len());
        for hit in self.0 {
            match merged.last_mut() {
                Some(last) if hit.raw.start < last.raw.end => {
                    let whole = last.raw.start..last.raw.end.max(hit.raw.end);
                    let own = if hit.action < last.action { hit.raw.clone() } else { last.raw.clone() };
                    if hit.action < last.action {
                        last.action = hit.action;
                        last.replacement = hit.replacement;
                    }
                    if own != whole
                        && let Replacement::Token { kind, .. } = &last.replacement
                    {
                        // More goes than would come back.
                        last.replacement = Replacement::Text(format!("[{kind}]"));
                    }
                    last.raw = whole;
                }
                _ => merged.push(hit),
            }
        }
        let mut edits = Edits::new();
        for (range, text) in more {
            let _ = edits.replace(range.clone(), text.as_str());
        }
        for hit in merged {
            // Merged ranges do not overlap one another.
            let _ = edits.replace(hit.raw, hit.replacement.text());
        }
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::number;
    use crate::json::decimal::Decimal;

    #[test]
    fn a_masked_number_is_as_long_and_no_farther_from_zero() {
        for lexeme in
            ["4556737586899855", "-4556737586899855", "0.4556737586", "-45.56", "4556737e-3", "1e9", "0.5", "7"]
        {
            let masked = number(lexeme);
            assert_eq!(masked.len(), lexeme.len(), "{lexeme}: {masked}");
            let size = |text: &str| Decimal::parse(text.trim_start_matches('-')).unwrap();
            assert!(size(&masked) <= size(lexeme), "{lexeme}: {masked}");
        }
    }
}
