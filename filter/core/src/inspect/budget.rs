//! The work that a policy's own patterns may cost.

use std::fmt;

/// Work left for user patterns. One unit is about one byte of text fed through the simplest pattern; a
/// pattern whose compiled program is larger is charged more than in proportion, and what a search *may* have
/// read is charged, not what it matched. Built-in detectors and dictionaries are linear and charge nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    left: u64,
}

/// The budget is used up: the text is not scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverBudget;

impl Budget {
    /// A budget of `bytes_of_work` units.
    pub const fn new(bytes_of_work: u64) -> Self {
        Self { left: bytes_of_work }
    }

    /// What is left.
    pub const fn left(self) -> u64 {
        self.left
    }

    pub(super) fn charge(&mut self, work: u64) -> Result<(), OverBudget> {
        match self.left.checked_sub(work) {
            Some(left) => self.left = left,
            None => {
                self.left = 0;
                return Err(OverBudget);
            }
        }
        Ok(())
    }
}

impl Default for Budget {
    /// 4 million units, of 0.05 to 0.2 microseconds each: rarely more than half a second. A text of 512 KB
    /// passes five simple patterns without a literal start, and any number with one.
    fn default() -> Self {
        Self::new(4 << 20)
    }
}

impl fmt::Display for OverBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy's patterns used up their budget of work")
    }
}

impl std::error::Error for OverBudget {}
