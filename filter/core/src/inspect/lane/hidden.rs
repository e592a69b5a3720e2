//! Runs of characters that nobody sees, in the pieces in which they are reported.

use super::super::hidden::{MOST, is_hidden, may_start};
use super::step::{NONE, Over, Step, shift};

#[derive(Default)]
pub(super) struct Hidden {
    start: Option<usize>,
    count: usize,
}

impl Hidden {
    pub(super) fn step(&mut self, step: &Step<'_>, over: &mut Over) {
        if may_start(step.byte) && is_hidden(step.char) {
            if self.start.is_none() {
                (self.start, self.count) = (Some(step.at), 0);
            }
            self.count += 1;
            if self.count == MOST {
                over.mark(step.end);
                self.start = None;
            }
        } else if self.start.take().is_some() && self.count > 1 {
            over.mark(step.at);
        }
    }

    pub(super) fn open(&self) -> usize {
        self.start.unwrap_or(NONE)
    }

    pub(super) fn shift(&mut self, by: usize) {
        shift(&mut self.start, by);
    }
}
