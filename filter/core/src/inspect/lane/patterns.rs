//! Where a match may be open of a pattern that has no literal start: a run of what its matches consist of, from a
//! byte on that starts one.

use super::super::Selection;
use super::super::pattern::Patterns;
use super::step::{NONE, Over, Step, shift};

#[derive(Default)]
pub(super) struct Runs {
    /// By pattern.
    starts: Vec<Option<usize>>,
}

impl Runs {
    pub(super) fn step(&mut self, step: &Step<'_>, patterns: &Patterns, selection: &Selection, over: &mut Over) {
        self.starts.resize(patterns.len(), None);
        for (index, start) in self.starts.iter_mut().enumerate() {
            let Some(shape) = patterns.free_shape(index).filter(|_| patterns.is_selected(index, selection)) else {
                continue;
            };
            if let Some(from) = *start
                && !shape.all.contains(step.byte)
            {
                if step.at - from >= shape.least {
                    over.mark(step.at);
                }
                *start = None;
            }
            if start.is_none() && shape.first.contains(step.byte) {
                *start = Some(step.at);
            }
        }
    }

    pub(super) fn open(&self) -> usize {
        self.starts.iter().flatten().min().copied().unwrap_or(NONE)
    }

    /// Where a match that is open may start at the earliest.
    pub(super) fn recent(&self, end: usize, patterns: &Patterns) -> usize {
        let recent = self.starts.iter().enumerate().filter_map(|(index, start)| {
            let most = patterns.free_shape(index)?.most;
            Some((*start)?.max(end.saturating_sub(most + 1)))
        });
        recent.min().unwrap_or(NONE)
    }

    pub(super) fn shift(&mut self, by: usize) {
        self.starts.iter_mut().for_each(|start| shift(start, by));
    }
}
