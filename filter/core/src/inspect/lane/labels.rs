//! Where a value may be open that words announce: what was read from a word or a number is read again as the text goes
//! on, until it is decided.

use super::super::labels::{self, Class, Found, Reader, Wanted, class};
use super::super::types::Type;
use super::step::{NONE, Over, Step};

#[derive(Default)]
pub(super) struct Labels {
    /// Where the word starts that the last character belongs to.
    word: Option<usize>,
    /// It may be part of a street's name, or of a person's.
    capital: bool,
    /// Words and numbers behind which something may follow.
    open: Vec<Open>,
    found: Found,
}

struct Open {
    at: usize,
    what: What,
    /// Where a value may start.
    start: Option<usize>,
    /// How much was read the last time.
    read: usize,
}

#[derive(Clone, Copy)]
enum What {
    Word,
    Number,
    Wide,
}

/// So much more is read before a value is looked at again in the middle of a word.
const AGAIN: usize = 32;

impl Labels {
    pub(super) fn step(&mut self, step: &Step<'_>, labels: &labels::Labels, wanted: Wanted, over: &mut Over) {
        let kind = class(step.byte);
        let inside = kind.is_letter() || kind == Class::Digit || step.byte >= 0x80 && kind == Class::Other;
        // Only values that have not begun, those whose last word is over, and those that go on with some words only, can be
        // decided now.
        let begins = inside && self.word.is_none();
        let mut at = 0;
        while let Some(open) = self.open.get(at) {
            let soon =
                open.start.is_none() || !inside || begins || kind == Class::Other || step.end - open.read >= AGAIN;
            if soon && !self.again(at, step, labels, wanted, over) {
                self.open.remove(at);
            } else {
                at += 1;
            }
        }
        if let Some(start) = self.word
            && (!kind.is_letter() || turns(step))
        {
            self.word = None;
            self.begin(start, What::Word, step, labels, wanted, over);
        }
        // No street has so long a name.
        self.capital &= self.word.is_none_or(|start| step.end - start <= labels::LONGEST);
        match kind {
            Class::Lower | Class::Upper | Class::Lead if self.word.is_none() => {
                self.word = Some(step.at);
                let capital = step.byte.is_ascii_uppercase() || step.byte >= 0x80;
                self.capital = capital && wanted.has(Type::Address);
            }
            Class::Digit if !bytes_before(step).is_ascii_digit() => {
                self.begin(step.at, What::Number, step, labels, wanted, over);
            }
            Class::Wide => self.begin(step.at, What::Wide, step, labels, wanted, over),
            _ => {}
        }
    }

    fn begin(
        &mut self,
        at: usize,
        what: What,
        step: &Step<'_>,
        labels: &labels::Labels,
        wanted: Wanted,
        over: &mut Over,
    ) {
        self.open.push(Open { at, what, start: None, read: step.end });
        if !self.again(self.open.len() - 1, step, labels, wanted, over) {
            self.open.pop();
        }
    }

    /// Reads what is open again: whether it still is.
    fn again(
        &mut self,
        index: usize,
        step: &Step<'_>,
        labels: &labels::Labels,
        wanted: Wanted,
        over: &mut Over,
    ) -> bool {
        let Some(open) = self.open.get_mut(index) else { return false };
        let found = &mut self.found;
        found.clear();
        let r = Reader::new(step.bytes);
        match open.what {
            What::Word => labels.word(&r, open.at, wanted, found),
            What::Number => labels::number(&r, open.at, wanted, found),
            What::Wide => labels.wide(&r, open.at, wanted, found),
        }
        (open.start, open.read) = (found.start, step.end);
        for candidate in &found.candidates {
            over.mark(candidate.end);
            if found.open {
                // One more may overlap it.
                open.start = Some(open.start.map_or(candidate.start, |s| s.min(candidate.start)));
            }
        }
        found.open
    }

    pub(super) fn open(&self) -> usize {
        let word = self.word.filter(|_| self.capital).unwrap_or(NONE);
        self.open.iter().filter_map(|open| open.start).fold(word, usize::min)
    }

    pub(super) fn shift(&mut self, by: usize) {
        super::step::shift(&mut self.word, by);
        for open in &mut self.open {
            open.at = open.at.saturating_sub(by);
            open.read = open.read.saturating_sub(by);
            super::step::shift(&mut open.start, by);
        }
    }
}

fn bytes_before(step: &Step<'_>) -> u8 {
    super::super::bytes::before(step.bytes, step.at)
}

/// Whether camel case turns before the character.
fn turns(step: &Step<'_>) -> bool {
    step.byte.is_ascii_uppercase() && bytes_before(step).is_ascii_lowercase()
}
