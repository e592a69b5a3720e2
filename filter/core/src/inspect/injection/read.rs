//! One pass over a text: its words, what the model knows them by, and the rules they complete.

use super::lexicon;
use super::rules::Progress;
use super::words::{SEED, Script, Word, Words, join, pair};

/// Takes what is read.
pub(super) trait Sink {
    /// A feature of the word that ends next.
    fn feature(&mut self, hash: u32);
    /// A word has ended, and completes `rules`.
    fn word(&mut self, start: usize, end: usize, rules: u64);
}

/// A class is remembered for so many half words.
const NEAR: u32 = 12;
/// Longer words are also known by their first five letters.
const LONG: u32 = 7;

pub(super) fn read(text: &str, sink: &mut impl Sink) {
    let mut words = Words::new(text);
    let mut progress = Progress::new();
    // The hashes of the two words before, and the last characters of an unspaced script.
    let (mut before, mut last) = (0, 0);
    let mut characters = [0_u32; 4];
    let (mut class_before, mut class_place) = (0_u32, 0_u32);
    while let Some(word) = words.next() {
        let classes = classes(text, &word, last, &mut characters);
        sink.feature(pair(0x51, word.hash));
        sink.feature(pair(last, word.hash));
        sink.feature(pair(before ^ 0x7F4A_7C15, word.hash));
        if word.len >= LONG
            && let Some(stem) = word.prefix.get(4)
        {
            sink.feature(pair(0x52, *stem));
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
        sink.word(word.start, word.end, rules);
    }
}

/// What the word does in a sentence, alone or with what stands before it.
fn classes(text: &str, word: &Word, last: u32, characters: &mut [u32; 4]) -> u64 {
    if word.marker != 0 {
        return word.marker;
    }
    let mut classes = match word.script {
        Script::Plain => lexicon::classes(word.hash) | lexicon::classes(pair(last, word.hash)),
        Script::Other => lexicon::classes(word.hash) | lexicon::classes(pair(last, word.hash)) | lexicon::stems(word),
        Script::Unspaced => 0,
    };
    if word.script == Script::Unspaced {
        let code = text.get(word.start..word.end).and_then(|c| c.chars().next()).map_or(0, |c| c as u32);
        characters.rotate_left(1);
        if let Some(slot) = characters.last_mut() {
            *slot = code;
        }
        let [a, b, c, d] = *characters;
        if c != 0 {
            classes |= lexicon::classes(join(join(SEED, c), d));
        }
        if b != 0 {
            let three = join(join(join(SEED, b), c), d);
            classes |= lexicon::classes(three);
        }
        if a != 0 {
            classes |= lexicon::classes(join(join(join(join(SEED, a), b), c), d));
        }
        classes |= lexicon::classes(word.hash);
    } else {
        *characters = [0; 4];
    }
    classes
}
