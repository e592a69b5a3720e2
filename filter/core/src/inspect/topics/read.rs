//! One pass over a text: its sentences, and what a topic knows them by.

use super::super::injection::words::{NUMBER, SEED, SENTENCE, Script, Word, Words, join, letters, pair};

/// Takes what is read.
pub(super) trait Sink {
    /// A feature of the word that ends next.
    fn feature(&mut self, hash: u32);
    /// A word has ended.
    fn word(&mut self, start: usize, end: usize);
    /// A sentence has, or as much of one as is read at once.
    fn sentence(&mut self);
}

/// A sentence with fewer words goes on into the next.
const LEAST: u32 = 4;
/// A longer one is read in parts.
const MOST: u32 = 24;
/// Characters of a part of a word.
const GRAM: usize = 4;
/// Longer words are known by their parts as well, which endings and compounds share.
const LONG: u32 = 5;
/// The parts of so many characters are read: what is longer is no word.
const LETTERS: usize = 24;
/// What stands before the first character of a word and behind its last.
const EDGE: u32 = 1;

pub(super) fn read(text: &str, sink: &mut impl Sink) {
    let mut words = Words::new(text);
    let (mut last, mut place, mut count) = (0, 0_u32, 0_u32);
    while let Some(word) = words.next() {
        let over = word.place.wrapping_sub(place) > SENTENCE;
        if count >= MOST || over && count >= LEAST {
            sink.sentence();
            count = 0;
        }
        if over {
            last = 0;
        }
        features(text, &word, last, sink);
        sink.word(word.start, word.end);
        (last, place, count) = (word.hash, word.place, count + 1);
    }
    if count > 0 {
        sink.sentence();
    }
}

/// The word, the two together, and the parts of the word.
#[inline]
fn features(text: &str, word: &Word, last: u32, sink: &mut impl Sink) {
    sink.feature(pair(0x61, word.hash));
    if last != 0 {
        sink.feature(pair(last, word.hash));
    }
    if word.len < LONG || word.hash == NUMBER || word.script == Script::Unspaced {
        return;
    }
    let mut gram = [0_u32; GRAM];
    let ends = [EDGE].into_iter().chain(letters(text, word.start, word.end).take(LETTERS)).chain([EDGE]);
    for (at, code) in ends.enumerate() {
        let [_, b, c, d] = gram;
        gram = [b, c, d, code];
        if at + 1 >= GRAM {
            sink.feature(pair(0x62, gram.iter().fold(SEED, |hash, code| join(hash, *code))));
        }
    }
}
