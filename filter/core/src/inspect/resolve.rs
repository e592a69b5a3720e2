//! What stays where built-in findings overlap.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::types::Type;
use super::{Candidate, Selection};
use crate::sort;

/// Keeps, of overlapping candidates, the best: checked before unchecked, longer, higher score. What is not
/// in `selection` is left out, but where it was checked, it still takes what was not checked with it: a card
/// number is no phone number, whoever asked.
///
/// A private key and what stands inside it both stay: a key block may run to the end of the text, and must
/// not hide what follows from a stricter rule.
pub(super) fn overlaps(candidates: &mut Vec<Candidate>, selection: &Selection) {
    let selected = |c: &Candidate| selection.contains(c.kind.id());
    candidates.retain(|c| selected(c) || (c.checked && !c.is_secret()));
    let mut ranked: Vec<usize> = (0..candidates.len()).collect();
    sort::plain(&mut ranked, |a, b| match (candidates.get(*a), candidates.get(*b)) {
        (Some(a), Some(b)) => better_first(a, b).is_lt(),
        _ => false,
    });
    let mut taken = Spans::default();
    let mut keys = Spans::default();
    let mut shadows = Spans::default();
    let mut keep = vec![false; candidates.len()];
    for index in ranked {
        let (Some(candidate), Some(keep)) = (candidates.get(index), keep.get_mut(index)) else { continue };
        if candidate.kind == Type::PrivateKey {
            *keep = selected(candidate) && keys.take(candidate);
        } else if !selected(candidate) {
            shadows.take(candidate);
        } else if candidate.checked || !shadows.overlap(candidate) {
            *keep = taken.take(candidate);
        }
    }
    let mut keep = keep.into_iter();
    candidates.retain(|_| keep.next().unwrap_or(false));
}

/// Spans that do not overlap: start to end.
#[derive(Default)]
struct Spans(BTreeMap<usize, usize>);

impl Spans {
    fn overlap(&self, c: &Candidate) -> bool {
        self.0.range(..c.end).next_back().is_some_and(|(_, end)| *end > c.start)
    }

    /// Adds the candidate's span, unless it overlaps one that is there.
    fn take(&mut self, c: &Candidate) -> bool {
        let free = !self.overlap(c);
        if free {
            self.0.insert(c.start, c.end);
        }
        free
    }
}

impl Candidate {
    fn is_secret(&self) -> bool {
        self.kind.id() >= Type::PrivateKey.id() && self.kind.id() <= super::types::LAST.id()
    }
}

fn better_first(a: &Candidate, b: &Candidate) -> Ordering {
    let length = |c: &Candidate| c.end.saturating_sub(c.start);
    b.checked
        .cmp(&a.checked)
        .then(length(b).cmp(&length(a)))
        .then(b.score.total_cmp(&a.score))
        .then(a.start.cmp(&b.start))
}
