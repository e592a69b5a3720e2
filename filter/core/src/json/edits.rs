//! Replacements of raw byte ranges, applied in one go.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A replacement that touches bytes another one replaces, or a range that ends before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap;

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("replacements overlap")
    }
}

impl std::error::Error for Overlap {}

/// What is to be replaced in some bytes. Ranges are raw byte offsets; they may come in any order.
///
/// `Debug` shows their number only: replacements may carry what they restore.
#[derive(Clone, Default)]
pub struct Edits {
    /// By start and end; disjoint.
    replacements: BTreeMap<(usize, usize), String>,
}

impl Edits {
    /// Nothing to replace.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is to be replaced.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replacements.is_empty()
    }

    /// How many replacements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.replacements.len()
    }

    /// The ranges and what replaces them, in order of the ranges.
    pub fn iter(&self) -> impl Iterator<Item = (Range<usize>, &str)> {
        self.replacements.iter().map(|(&(start, end), with)| (start..end, with.as_str()))
    }

    /// Replaces `raw` by `with` (escaped already, see [`super::Text::escape`]). An empty range inserts.
    /// Ranges may touch.
    ///
    /// # Errors
    /// [`Overlap`] with an earlier replacement, which stays; two insertions at one place overlap, since their
    /// order would be chance.
    pub fn replace(&mut self, raw: Range<usize>, with: impl Into<String>) -> Result<(), Overlap> {
        let (start, end) = (raw.start, raw.end);
        let before = self.replacements.range(..=(start, end)).next_back().map(|(&range, _)| range);
        let after = self.replacements.range((start, end)..).next().map(|(&range, _)| range);
        if start > end
            || before.is_some_and(|before| before == (start, end) || before.1 > start)
            || after.is_some_and(|after| after.0 < end)
        {
            return Err(Overlap);
        }
        self.replacements.insert((start, end), with.into());
        Ok(())
    }

    /// `bytes` with every replacement made; all other bytes as they are. What lies beyond the end of `bytes`
    /// is taken to be at its end.
    #[must_use]
    pub fn splice(&self, bytes: &[u8]) -> Vec<u8> {
        let removed: usize = self.iter().map(|(range, _)| range.len()).sum();
        let added: usize = self.replacements.values().map(String::len).sum();
        let mut spliced = Vec::with_capacity(bytes.len().saturating_sub(removed).saturating_add(added));
        let mut at = 0;
        for (range, with) in self.iter() {
            spliced.extend_from_slice(bytes.get(at..range.start.min(bytes.len())).unwrap_or_default());
            spliced.extend_from_slice(with.as_bytes());
            at = range.end.min(bytes.len());
        }
        spliced.extend_from_slice(bytes.get(at..).unwrap_or_default());
        spliced
    }
}

impl fmt::Debug for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edits").field("len", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests;
