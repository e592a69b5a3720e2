//! Where a value that a list knows may be open: runs of letters and digits that single separators join.

use super::super::exact::{RUNS, is_joint};
use super::step::{NONE, Over, Step};

/// The last runs that may be parts of one value.
#[derive(Default)]
pub(super) struct Exact {
    runs: Vec<Run>,
    /// The last one is over, and a separator follows it that may join another.
    joint: bool,
}

struct Run {
    start: usize,
    length: usize,
    /// It has nothing but digits.
    number: bool,
}

impl Exact {
    pub(super) fn step(&mut self, step: &Step<'_>, (least, most): (usize, usize), over: &mut Over) {
        if step.byte.is_ascii_alphanumeric() {
            let digit = step.byte.is_ascii_digit();
            match self.runs.last_mut().filter(|_| !self.joint) {
                Some(run) => (run.length, run.number) = (run.length + 1, run.number && digit),
                None => self.runs.push(Run { start: step.at, length: 1, number: digit }),
            }
            self.joint = false;
            // A run that is longer than every value keeps its place, so that what goes on with it starts none.
            while self.runs.len() > RUNS || self.runs.len() > 1 && self.length() > most {
                self.runs.remove(0);
                over.mark(step.at);
            }
            return;
        }
        let number = self.runs.last().is_some_and(|run| run.number);
        let joins = !self.joint && (is_joint(step.byte) || step.byte == b' ' && number);
        if joins && !self.runs.is_empty() {
            self.joint = true;
        } else if !self.runs.is_empty() {
            if self.length() >= least {
                over.mark(step.at);
            }
            (self.runs, self.joint) = (Vec::new(), false);
        }
    }

    fn length(&self) -> usize {
        self.runs.iter().map(|run| run.length).sum()
    }

    pub(super) fn open(&self, most: usize) -> usize {
        self.runs.iter().find(|run| run.length <= most).map_or(NONE, |run| run.start)
    }

    pub(super) fn shift(&mut self, by: usize) {
        self.runs.iter_mut().for_each(|run| run.start = run.start.saturating_sub(by));
    }
}
