//! Where an entry of a dictionary may be open: the word at the end of the text and what may lead it, a phrase whose
//! first word is over, and the first bytes of entries that stand within words.

use super::super::dictionary::{Dictionary, MAX_SPACE, Watched, hash_char, is_word_char};
use super::step::{NONE, Over, Step, shift};

#[derive(Default)]
pub(super) struct Phrases {
    /// Where the last character's word starts or, before a word, what may lead one.
    start: Option<usize>,
    /// Where the word starts, its hash so far and how many characters it has.
    word: Option<(u32, usize)>,
    open: Vec<Phrase>,
    /// Where entries that stand within words may have started, and how much of them is confirmed (up to 3).
    within: Vec<(usize, usize)>,
}

/// An entry whose first word has been read.
struct Phrase {
    start: usize,
    entry: usize,
    /// Where in the entry's text the next character stands.
    next: usize,
    /// How much white space may yet follow.
    space: usize,
}

impl Phrases {
    pub(super) fn step(&mut self, step: &Step<'_>, dictionary: &Dictionary, over: &mut Over) {
        let watched = dictionary.watched();
        self.open.retain_mut(|phrase| match phrase.step(step.char, dictionary) {
            Some(goes_on) => goes_on,
            None => {
                over.mark(step.at);
                false
            }
        });
        self.within(step, watched, over);
        if watched.longest == 0 {
            return;
        }
        if is_word_char(step.char) {
            let (hash, count) = self.word.unwrap_or((Dictionary::SEED, 0));
            let hash = if step.byte < 0x80 {
                hash_char(hash, char::from(step.byte.to_ascii_lowercase()))
            } else {
                step.char.to_lowercase().fold(hash, hash_char)
            };
            self.word = Some((hash, count + 1));
            if count == 0 {
                self.start.get_or_insert(step.at);
            } else if count == watched.longest {
                self.start = None;
            }
            return;
        }
        if let Some((hash, count)) = self.word.take() {
            if count <= watched.longest
                && let Some(start) = self.start
                && dictionary.knows(hash)
            {
                // The word alone, with what stands behind it.
                over.mark(step.at);
                for (entry, next) in dictionary.phrases(hash) {
                    let mut phrase = Phrase { start, entry, next, space: 0 };
                    if phrase.step(step.char, dictionary) == Some(true) {
                        self.open.push(phrase);
                    }
                }
            }
            self.start = None;
        }
        if watched.leads.contains(step.byte) {
            let start = self.start.get_or_insert(step.at);
            *start = step.end.saturating_sub(watched.lead).max(*start);
        } else {
            self.start = None;
        }
    }

    fn within(&mut self, step: &Step<'_>, watched: &Watched, over: &mut Over) {
        let Some(heads) = &watched.heads else { return };
        for at in step.at..step.end {
            let byte = step.bytes.get(at).copied().unwrap_or(0);
            self.within.retain_mut(|(start, known)| {
                *known += 1;
                let head = step.bytes.get(*start..*start + *known).unwrap_or_default();
                let goes_on = at - *start < heads.longest && (*known > 3 || heads.may_start(head));
                if !goes_on && at - *start >= heads.shortest {
                    over.mark(step.at);
                }
                goes_on
            });
            if heads.may_start(&[byte]) {
                self.within.push((at, 1));
            }
        }
    }

    pub(super) fn open(&self) -> usize {
        let open = self.open.iter().map(|phrase| phrase.start).min().unwrap_or(NONE);
        let within = self.within.first().map_or(NONE, |(start, _)| *start);
        self.start.unwrap_or(NONE).min(open).min(within)
    }

    pub(super) fn shift(&mut self, by: usize) {
        shift(&mut self.start, by);
        self.open.iter_mut().for_each(|phrase| phrase.start = phrase.start.saturating_sub(by));
        self.within.iter_mut().for_each(|(start, _)| *start = start.saturating_sub(by));
    }
}

impl Phrase {
    /// Takes the next character: whether the entry may go on; `None` where it is complete. As
    /// `dictionary::Entry::length_in` reads it.
    fn step(&mut self, c: char, dictionary: &Dictionary) -> Option<bool> {
        if self.space > 0 && c.is_whitespace() {
            self.space -= 1;
            return Some(true);
        }
        self.space = 0;
        let (body, exact) = dictionary.body(self.entry);
        let mut rest = body.get(self.next..).unwrap_or_default().chars();
        let expected = rest.next()?;
        let fits = if expected == ' ' {
            self.space = MAX_SPACE;
            c.is_whitespace()
        } else if exact {
            c == expected
        } else {
            let mut folded = c.to_lowercase();
            folded.next() == Some(expected) && folded.all(|f| rest.next() == Some(f))
        };
        self.next = body.len() - rest.as_str().len();
        Some(fits)
    }
}
