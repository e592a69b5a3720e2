//! Words whose letters are written apart: `i g n o r e   a l l`, `i.g.n.o.r.e a.l.l`.
//!
//! A run of single letters with something between them becomes words again: what stands between most of them stands
//! between the letters of a word, and anything else between words. Where nothing else is, the words of the lexicon are cut
//! out of the run. The view is for judging only; it is linear in the text, in time and in memory.

use super::lexicon;
use super::words::{self, SEED, Script, Word, Words, join};

/// A shorter run is an abbreviation or a list.
pub(super) const LEAST: usize = 8;
/// What separates letters is not longer, in bytes.
const APART: usize = 4;
/// The longest and the shortest word that is cut out of a run.
const WORD: std::ops::RangeInclusive<usize> = 3..=14;
/// Different separators of a run that are told apart.
const KINDS: usize = 6;

/// Letters of a run at most: a longer one is read in parts.
const MOST: usize = 512;
/// A word that is longer is several.
const LONG: usize = 20;
/// Places are kept every so many bytes of what was put together.
const STEP: usize = 32;

/// A text with its words put together, and where they stand in the text as it came.
pub(super) struct View {
    pub(super) text: String,
    /// In order.
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    view: usize,
    text: usize,
    /// What follows stands in the text as it is.
    plain: bool,
}

/// A letter: where it starts and ends.
type Letter = (usize, usize);

/// The view of `text`, in which there is a run.
pub(super) fn view(text: &str) -> View {
    let mut view = View { text: String::with_capacity(text.len()), places: Vec::new() };
    let mut words = Words::new(text);
    // The single letters that came last, and how far the text was taken.
    let (mut run, mut done): (Vec<Letter>, usize) = (Vec::new(), 0);
    while let Some(word) = words.next() {
        let near = run.last().is_none_or(|(_, end)| word.start - end <= APART);
        if !is_single(&word) || !near || run.len() >= MOST {
            done = view.close(text, &run, done);
            run.clear();
        }
        if is_single(&word) {
            run.push((word.start, word.end));
        }
    }
    done = view.close(text, &run, done);
    view.plain(text, done, text.len());
    view.place(text.len(), false);
    view
}

/// Whether the word is one letter or digit.
pub(super) fn is_single(word: &Word) -> bool {
    word.len == 1 && word.marker == 0 && word.script != Script::Unspaced
}

impl View {
    /// Where in the text what stands in the view from `start` to `end` lies, or a little more.
    pub(super) fn within(&self, start: usize, end: usize) -> (usize, usize) {
        let at = |at: usize| self.places.partition_point(|place| place.view <= at);
        let exact = |index: usize, at: usize| {
            let place = index.checked_sub(1).and_then(|i| self.places.get(i));
            place.map(|place| place.text + if place.plain { at - place.view } else { 0 })
        };
        let (first, last) = (at(start), at(end.saturating_sub(1)));
        let plain = last.checked_sub(1).and_then(|i| self.places.get(i)).is_some_and(|place| place.plain);
        let behind = self.places.get(last).map(|place| place.text);
        let to = if plain { exact(last, end) } else { behind };
        (exact(first, start).unwrap_or(0), to.unwrap_or(0))
    }

    fn place(&mut self, text: usize, plain: bool) {
        self.places.push(Place { view: self.text.len(), text, plain });
    }

    /// What stands in the text from `from` to `to`, as it is.
    fn plain(&mut self, text: &str, from: usize, to: usize) {
        if let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) {
            self.place(from, true);
            self.text.push_str(part);
        }
    }

    /// A run is over: it is put together if it is one. Answers how far the text was taken.
    fn close(&mut self, text: &str, run: &[Letter], done: usize) -> usize {
        let (Some((start, _)), Some((_, end))) = (run.first(), run.last()) else { return done };
        if run.len() < LEAST {
            return done;
        }
        self.plain(text, done, *start);
        self.place(*start, false);
        let between = |pair: &[Letter]| match pair {
            [(_, end), (start, _)] => text.get(*end..*start).unwrap_or_default(),
            _ => "",
        };
        let mut kinds: Vec<(&str, usize)> = Vec::new();
        for separator in run.windows(2).map(between) {
            let known = kinds.iter().position(|(kind, _)| *kind == separator);
            match known {
                None if kinds.len() < KINDS => kinds.push((separator, 1)),
                known => {
                    if let Some((_, count)) = known.and_then(|known| kinds.get_mut(known)) {
                        *count += 1;
                    }
                }
            }
        }
        let most = kinds.iter().max_by_key(|(_, count)| *count).map(|(kind, _)| *kind);
        let mut from = 0;
        for to in 1..=run.len() {
            if run.get(to - 1..=to).map(between) != most {
                let word = run.get(from..to).unwrap_or_default();
                match kinds.len() > 1 && word.len() <= LONG {
                    true => self.word(text, word),
                    false => self.words(text, word),
                }
                from = to;
            }
        }
        *end
    }

    fn word(&mut self, text: &str, word: &[Letter]) {
        let kept = self.places.last().map_or(0, |place| place.view);
        if let Some((start, _)) = word.first().filter(|_| self.text.len() >= kept + STEP) {
            self.place(*start, false);
        }
        let letters = word.iter().filter_map(|(start, end)| text.get(*start..*end));
        letters.for_each(|letter| self.text.push_str(letter));
        self.text.push(' ');
    }

    /// Several words that nothing tells apart.
    fn words(&mut self, text: &str, mut letters: &[Letter]) {
        while !letters.is_empty() {
            let known = known(text, letters);
            let count = if known > 0 { known } else { unknown(text, letters) };
            let Some((word, rest)) = letters.split_at_checked(count.max(1)) else { return };
            self.word(text, word);
            letters = rest;
        }
    }
}

/// How many letters the longest word of the lexicon has that `letters` start with.
fn known(text: &str, letters: &[Letter]) -> usize {
    let (mut hash, mut longest) = (SEED, 0);
    for (length, (start, end)) in (1..=*WORD.end()).zip(letters) {
        hash = words::letters(text, *start, *end).fold(hash, join);
        if WORD.contains(&length) && lexicon::classes(hash) != 0 {
            longest = length;
        }
    }
    longest
}

/// How many letters there are before a word of the lexicon starts.
fn unknown(text: &str, letters: &[Letter]) -> usize {
    let starts = |at: &usize| letters.get(*at..).is_some_and(|rest| known(text, rest) > 0);
    (1..letters.len()).find(starts).unwrap_or(letters.len())
}
