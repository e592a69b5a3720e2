//! What was found of what is there.

use std::ops::Range;

/// Counts of values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Labelled.
    pub gold: usize,
    /// Of those, found.
    pub hit: usize,
    /// Found.
    pub found: usize,
    /// Of those, labelled.
    pub right: usize,
}

impl Tally {
    /// Takes the labelled and the found values of one text, of one type.
    pub fn add(&mut self, gold: &[Range<usize>], found: &[Range<usize>]) {
        self.gold += gold.len();
        self.hit += gold.iter().filter(|g| found.iter().any(|f| covers(f, g))).count();
        self.found += found.len();
        self.right += found.iter().filter(|f| gold.iter().any(|g| covers(f, g) || covers(g, f))).count();
    }

    /// Adds another.
    pub fn merge(&mut self, other: &Self) {
        self.gold += other.gold;
        self.hit += other.hit;
        self.found += other.found;
        self.right += other.right;
    }

    /// How much of what is found is right.
    pub fn precision(&self) -> Option<f64> {
        share(self.right, self.found)
    }

    /// How much of what is there is found.
    pub fn recall(&self) -> Option<f64> {
        share(self.hit, self.gold)
    }
}

/// `part` of `all`, where there is any.
#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
pub fn share(part: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// Whether `found` has at least half of `gold`.
pub fn covers(found: &Range<usize>, gold: &Range<usize>) -> bool {
    let overlap = found.end.min(gold.end).saturating_sub(found.start.max(gold.start));
    overlap > 0 && 2 * overlap >= gold.len()
}
