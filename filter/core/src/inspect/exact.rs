//! Values that a company knows: customer numbers, contract numbers. The policy holds keyed digests of them and not the values, so
//! that who reads the policy learns none of them, and cannot try any without the key.
//!
//! A digest is the first [`DIGEST`] bytes of HMAC-SHA-256 over the value as [`normal`] writes it. Values are looked for as runs of
//! letters and digits, up to [`RUNS`] of them where single separators join them, if they have a digit and a length that the list
//! has: what a list of values costs does not depend on how many there are. Each attempt is charged to the text's [`Budget`], so
//! that no text can spend more time on them than the policy's patterns may.
//!
//! What this does not do: find values without a digit (words are a dictionary's affair), or with letters that are not ASCII.

use hmac_sha256::HMAC;

use super::bytes::{self, ALNUM};
use super::{Budget, Finding, KindId, OverBudget, Selection, Span};
use crate::sort;

/// Bytes of a digest: one list of a million, in a text of a million values, meets another value's once in 10^7 texts.
pub(super) const DIGEST: usize = 8;

/// A value is written in at most so many runs of letters and digits.
pub(super) const RUNS: usize = 4;
/// The shortest and the longest value, normalised: shorter ones are found everywhere.
pub(super) const LENGTHS: std::ops::RangeInclusive<usize> = 5..=40;
/// What an attempt costs, in the budget's units: two compressions of SHA-256.
const COST: u64 = 16;

/// A value as it is digested: without what stands between its letters and digits, in lower case. `None` for what cannot be found.
fn normal(value: &str) -> Option<String> {
    let value: String =
        value.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '_' | '/')).map(|c| c.to_ascii_lowercase()).collect();
    let fits = value.bytes().all(|b| b.is_ascii_alphanumeric())
        && value.bytes().any(|b| b.is_ascii_digit())
        && LENGTHS.contains(&value.len());
    fits.then_some(value)
}

/// The digests of some values, as an entry of a policy has them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// The least number of letters and digits.
    pub least: usize,
    /// The greatest.
    pub most: usize,
    /// In order, one after the other, each once.
    pub bytes: Vec<u8>,
    /// Which of the values cannot be found, and have none.
    pub refused: Vec<usize>,
}

impl Digests {
    /// Those of `values` under `key`.
    pub fn of<'v>(key: &[u8], values: impl IntoIterator<Item = &'v str>) -> Self {
        let mac = HMAC::new(key);
        let mut digests = Vec::new();
        let mut all = Self { least: usize::MAX, ..Self::default() };
        for (i, value) in values.into_iter().enumerate() {
            match normal(value) {
                Some(value) => {
                    (all.least, all.most) = (all.least.min(value.len()), all.most.max(value.len()));
                    digests.push(digest(&mac, value.as_bytes()));
                }
                None => all.refused.push(i),
            }
        }
        sort::cold(&mut digests, |a, b| a < b);
        digests.dedup();
        all.least = all.least.min(all.most);
        all.bytes = digests.concat();
        all
    }
}

/// The digest of a normalised value.
fn digest(mac: &HMAC, normal: &[u8]) -> [u8; DIGEST] {
    let mut mac = mac.clone();
    mac.update(normal);
    let whole = mac.finalize();
    whole.first_chunk().copied().unwrap_or_default()
}

/// The values of one kind.
pub(super) struct List {
    kind: KindId,
    mac: HMAC,
    /// Of the normalised values.
    least: usize,
    most: usize,
    /// Sorted.
    digests: Vec<[u8; DIGEST]>,
}

impl List {
    pub(super) fn new(kind: KindId, key: &[u8], (least, most): (usize, usize), digests: Vec<[u8; DIGEST]>) -> Self {
        let mut digests = digests;
        sort::cold(&mut digests, |a, b| a < b);
        Self { kind, mac: HMAC::new(key), least, most, digests }
    }

    fn has(&self, value: &[u8]) -> bool {
        (self.least..=self.most).contains(&value.len()) && self.digests.binary_search(&digest(&self.mac, value)).is_ok()
    }
}

/// The lists of a policy.
#[derive(Default)]
pub(super) struct Lists(Vec<List>);

/// A run of letters and digits.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
}

impl Lists {
    pub(super) fn new(lists: Vec<List>) -> Self {
        Self(lists)
    }

    /// The least and greatest length of what is selected.
    pub(super) fn lengths(&self, selection: &Selection) -> Option<(usize, usize)> {
        let selected = || self.0.iter().filter(|list| selection.contains(list.kind));
        Some((selected().map(|l| l.least).min()?, selected().map(|l| l.most).max()?))
    }

    /// The longest value of a kind as it may be written.
    pub(super) fn longest(&self, kind: KindId) -> Option<usize> {
        let list = self.0.iter().find(|list| list.kind == kind)?;
        Some(list.most + RUNS - 1)
    }

    /// Appends what is found of the selected lists.
    ///
    /// # Errors
    /// The budget is used up.
    pub(super) fn scan(
        &self,
        span: Span<'_>,
        selection: &Selection,
        budget: &mut Budget,
        found: &mut Vec<Finding>,
    ) -> Result<(), OverBudget> {
        let Some((least, most)) = self.lengths(selection) else { return Ok(()) };
        let bytes = span.text.as_bytes();
        let mut at = span.from;
        while let Some(start) = next(bytes, at, span.to) {
            let end = self.longest_from(bytes, start, (least, most), selection, budget, found)?;
            at = end.unwrap_or_else(|| start + ALNUM.run(bytes, start, usize::MAX));
        }
        Ok(())
    }

    /// The longest value that starts with the run at `start`, if there is one.
    fn longest_from(
        &self,
        bytes: &[u8],
        start: usize,
        (least, most): (usize, usize),
        selection: &Selection,
        budget: &mut Budget,
        found: &mut Vec<Finding>,
    ) -> Result<Option<usize>, OverBudget> {
        let mut value = [0u8; *LENGTHS.end()];
        let (mut length, mut digit) = (0, false);
        let mut run = Run { start, end: start };
        let mut best: Option<Finding> = None;
        for _ in 0..RUNS {
            run.end = run.start + ALNUM.run(bytes, run.start, most + 1);
            let text = bytes.get(run.start..run.end).unwrap_or_default();
            let Some(slots) = value.get_mut(length..length + text.len()) else { break };
            slots.iter_mut().zip(text).for_each(|(slot, byte)| *slot = byte.to_ascii_lowercase());
            length += text.len();
            digit |= text.iter().any(u8::is_ascii_digit);
            super::work::add(text.len() + 1);
            if length > most {
                break;
            }
            if digit && length >= least {
                budget.charge(COST * self.0.len() as u64)?;
                let value = value.get(..length).unwrap_or_default();
                if let Some(list) = self.0.iter().find(|l| selection.contains(l.kind) && l.has(value)) {
                    best = Some(Finding { kind: list.kind, start, end: run.end, score: 1.0, test_value: false });
                }
            }
            match joined(bytes, run.start, run.end) {
                Some(start) => run.start = start,
                None => break,
            }
        }
        let end = best.map(|finding| finding.end);
        found.extend(best);
        Ok(end)
    }
}

/// Where the next run starts, before `to`.
fn next(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let rest = bytes.get(from..to)?;
    let at = rest.iter().position(u8::is_ascii_alphanumeric)?;
    super::work::add(at + 1);
    Some(from + at)
}

/// Where the run starts that is joined to the one before it: by one separator, which between numbers may be a space.
fn joined(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    let next = bytes::at(bytes, end + 1);
    if !next.is_ascii_alphanumeric() {
        return None;
    }
    let joins = match bytes::at(bytes, end) {
        b' ' => next.is_ascii_digit() && is_number(bytes.get(start..end).unwrap_or_default()),
        byte => is_joint(byte),
    };
    joins.then_some(end + 1)
}

/// Whether a byte joins two runs, whatever they are.
pub(super) fn is_joint(byte: u8) -> bool {
    matches!(byte, b'-' | b'.' | b'_' | b'/')
}

fn is_number(run: &[u8]) -> bool {
    run.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_digested_as_they_are_meant() {
        for (value, expected) in [
            ("C-1234 567", Some("c1234567")),
            ("12.34/56", Some("123456")),
            ("abcdef", None),
            ("1234", None),
            ("12345ü", None),
            ("12,345", None),
        ] {
            assert_eq!(normal(value).as_deref(), expected, "{value}");
        }
        let digests = Digests::of(b"k", ["C-12345", "c12345", "no digit", "1234567890"]);
        assert_eq!((digests.least, digests.most, digests.bytes.len()), (6, 10, 2 * DIGEST));
        assert_eq!(digests.refused, [2]);
        assert_ne!(digests.bytes, Digests::of(b"l", ["C-12345", "1234567890"]).bytes);
        assert_eq!(Digests::of(b"k", []), Digests::default());
    }
}
