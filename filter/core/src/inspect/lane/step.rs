//! What every watcher is told, and what it answers.

use super::super::bytes;

/// The character that has just arrived.
pub(in super::super) struct Step<'t> {
    /// Everything that is kept, up to and with the character.
    pub(in super::super) bytes: &'t [u8],
    /// Where the character starts and ends.
    pub(in super::super) at: usize,
    pub(in super::super) end: usize,
    pub(in super::super) char: char,
    /// Its first byte.
    pub(in super::super) byte: u8,
}

impl Step<'_> {
    /// Whether a word can start at `at`.
    pub(in super::super) fn word_at(&self, at: usize) -> bool {
        !bytes::WORD.contains(bytes::before(self.bytes, at)) || bytes::escape_before(self.bytes, at)
    }

    /// Whether no letter or digit stands before `at`.
    pub(in super::super) fn free_at(&self, at: usize) -> bool {
        !bytes::before(self.bytes, at).is_ascii_alphanumeric() || bytes::escape_before(self.bytes, at)
    }
}

/// What is over and may hold findings.
#[derive(Default)]
pub(in super::super) struct Over {
    /// Whether there is any.
    pub(in super::super) any: bool,
    /// None of them goes beyond.
    pub(in super::super) end: usize,
}

impl Over {
    /// Something that may be a finding ended at `end` at the latest.
    pub(in super::super) fn mark(&mut self, end: usize) {
        self.any = true;
        self.end = self.end.max(end);
    }
}

/// How a kind is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Mode {
    #[default]
    Off,
    /// It is not looked for, but may take numbers from others: watched from a digit on.
    Shadow,
    Full,
}

/// No open start.
pub(in super::super) const NONE: usize = usize::MAX;

/// Moves a place when `by` bytes before it are let go of.
pub(in super::super) fn shift(place: &mut Option<usize>, by: usize) {
    if let Some(place) = place {
        *place = place.saturating_sub(by);
    }
}
