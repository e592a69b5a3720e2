//! One pass over a text: its words, what the model knows them by, and the rules they complete.

use super::lexicon;
use super::rules::{self, Progress};
use super::shots::Conversation;
use super::words::{SEED, Script, Word, Words, join, pair};

/// Takes what is read.
pub(super) trait Sink {
    /// A feature of the word that ends next.
    fn feature(&mut self, hash: u32);
    /// A word has ended, and completes `rules`.
    fn word(&mut self, word: &Word, rules: u64);
    /// The text has ended, and `rules` with it.
    fn end(&mut self, rules: u64);
}

/// A class is remembered for so many half words.
const NEAR: u32 = 12;
/// Longer words are also known by their first five letters.
const LONG: u32 = 7;

pub(super) fn read(text: &str, sink: &mut impl Sink) {
    let mut words = Words::new(text);
    let (mut progress, mut conversation) = (Progress::new(), Conversation::default());
    // The hashes of the two words before, and the last characters of an unspaced script.
    let (mut before, mut last) = (0, 0);
    let mut characters = [0_u32; 4];
    let (mut class_before, mut class_place) = (0_u32, 0_u32);
    while let Some(word) = words.next() {
        let classes = classes(text, &word, &words, last, &mut characters);
        sink.feature(pair(0x51, word.hash));
        sink.feature(pair(last, word.hash));
        sink.feature(pair(before ^ 0x7F4A_7C15, word.hash));
        if word.len >= LONG {
            sink.feature(pair(0x52, word.stem));
        }
        let mut rules = 0;
        if classes != 0 {
            let class = classes.trailing_zeros() + 1;
            sink.feature(pair(0x53, class));
            if word.place.wrapping_sub(class_place) <= NEAR {
                sink.feature(pair(0x54 + class_before, class));
            }
            (class_before, class_place) = (class, word.place);
            rules = progress.step(classes, word.place);
        }
        (before, last) = (last, word.hash);
        conversation.step(text, &word);
        sink.word(&word, rules);
    }
    sink.end(conversation.end().map_or(0, rules::of_shots));
}

/// What the word does in a sentence, alone or with what stands before it.
#[inline]
fn classes(text: &str, word: &Word, words: &Words<'_>, last: u32, characters: &mut [u32; 4]) -> u64 {
    if word.marker != 0 {
        return word.marker;
    }
    if word.script == Script::Unspaced {
        return unspaced(text, word, characters);
    }
    *characters = [0; 4];
    let mut classes = lexicon::classes(word.hash) | lexicon::classes(pair(last, word.hash));
    if word.script == Script::Other {
        classes |= lexicon::stems(words.prefixes(word));
    }
    classes
}

/// The same of a character of an unspaced script: alone, and with up to three before it.
#[inline(never)]
fn unspaced(text: &str, word: &Word, characters: &mut [u32; 4]) -> u64 {
    let code = text.get(word.start..word.end).and_then(|c| c.chars().next()).map_or(0, |c| c as u32);
    let [_, b, c, d] = *characters;
    *characters = [b, c, d, code];
    let [a, b, c, d] = *characters;
    let mut classes = lexicon::classes(word.hash);
    if c != 0 {
        classes |= lexicon::classes(join(join(SEED, c), d));
    }
    if b != 0 {
        classes |= lexicon::classes(join(join(join(SEED, b), c), d));
    }
    if a != 0 {
        classes |= lexicon::classes(join(join(join(join(SEED, a), b), c), d));
    }
    classes
}
