//! SYSTEM_PROMPT_LEAK: an answer that repeats the request's own system or developer text.
//!
//! **What counts.** A text is a row of *words*: runs of letters and digits in lower case; whatever else there is
//! separates and is not compared, so Markdown, quotes and line breaks make no difference, and characters that nobody
//! sees (zero-width spaces, soft hyphens) are left out. In scripts that write no spaces every letter is a word of half the weight. The
//! system texts are kept as the hashes of their *windows*, six words in a row each ([`Shingles`]). A *run* is a row of
//! words of the answer of which every six in a row are such a window, as long as it goes; it is a finding once it has
//! the weight of twelve words: seven windows, each one word behind the one before. A quoted phrase of eleven words is
//! none. The finding covers the run from its first word to its last.
//!
//! **In pieces.** Held back is what may become a run: the word that has not ended, and the last words as far as they
//! are how a window begins, up to eleven words of a run. Once it is confirmed, each word of it is settled as it ends,
//! as a part of the finding, with what stands before it; parts that leave with one push are one finding. Which bytes
//! are covered depends on the text alone, and not on the pieces.
//!
//! **Bounds.** [`MAX_WINDOWS`] windows are kept, the first ones: of a text of more than some 4,100 words, the rest is
//! not recognised. A text of less than twelve words has none. A word of more than [`MAX_WORD`] bytes is no word of
//! any run, and neither is one behind more than [`MAX_GAP`] bytes of other characters. Held back are at most about 4 KB.
//!
//! **What this does not do.** A translation, a paraphrase, an encoding or an answer with a word added in every sixth
//! place is no finding; canaries help there. Hashes are not keyed: they live as long as the request.

use std::collections::{HashSet, VecDeque};

use super::dictionary::is_unspaced;
use super::types::Type;
use super::{Finding, KindId, Settled};

/// Words in a window.
const WINDOW: usize = 6;
/// The weight of a run that is a finding, in halves of a word.
const LEAST: usize = 24;
/// The most windows that are kept.
const MAX_WINDOWS: usize = 4096;
/// A longer word, in bytes, is never a word of a run.
const MAX_WORD: usize = 128;
/// A longer gap between two words ends a run.
const MAX_GAP: usize = 256;
/// The bits of the map of beginnings.
const BITS: u32 = 18;

const SEED: u64 = 0xCBF2_9CE4_8422_2325;

/// The windows of a request's system and developer texts.
#[derive(Clone, Default)]
pub struct Shingles {
    windows: HashSet<u64>,
    /// One bit per hash of one to five words with which a window begins. A bit that is set by chance only holds a word back.
    beginnings: Vec<u64>,
}

impl std::fmt::Debug for Shingles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shingles").field("windows", &self.windows.len()).finish_non_exhaustive()
    }
}

impl Shingles {
    /// The windows of `texts`, each for itself.
    pub fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut shingles = Self::default();
        for text in texts {
            shingles.add(text);
        }
        shingles
    }

    /// Adds the windows of one more text.
    pub fn add(&mut self, text: &str) {
        if self.windows.len() >= MAX_WINDOWS {
            return;
        }
        let mut words = Vec::new();
        let mut reader = Reader::default();
        // More words than there is room for windows are not looked at.
        let most = MAX_WINDOWS + WINDOW;
        for (at, c) in text.char_indices() {
            reader.step(at, c, |event| words.extend(event.word()));
            if words.len() > most {
                break;
            }
        }
        reader.end(text.len(), |event| words.extend(event.word()));
        if words.iter().map(|word| word.weight).sum::<usize>() < LEAST {
            return;
        }
        if self.beginnings.is_empty() {
            self.beginnings = vec![0; 1 << (BITS - 6)];
        }
        for window in words.windows(WINDOW) {
            if self.windows.len() >= MAX_WINDOWS {
                return;
            }
            let mut hash = SEED;
            for (index, word) in window.iter().enumerate() {
                hash = joined(hash, word.hash);
                if index + 1 < WINDOW {
                    let (place, bit) = place(hash);
                    if let Some(bits) = self.beginnings.get_mut(place) {
                        *bits |= bit;
                    }
                }
            }
            self.windows.insert(hash);
        }
    }

    /// Whether there are none, and nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    fn begins(&self, hash: u64) -> bool {
        let (place, bit) = place(hash);
        self.beginnings.get(place).is_some_and(|bits| bits & bit != 0)
    }
}

fn joined(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn place(hash: u64) -> (usize, u64) {
    let place = hash >> (64 - BITS);
    ((place >> 6) as usize, 1 << (place & 63))
}

/// A word of a text, and where it stands.
#[derive(Clone, Copy, Debug)]
struct Word {
    start: usize,
    end: usize,
    hash: u64,
    /// In halves.
    weight: usize,
}

/// What a reader tells.
enum Event {
    Word(Word),
    /// Here no run goes on.
    Break,
}

impl Event {
    fn word(self) -> Option<Word> {
        match self {
            Event::Word(word) => Some(word),
            Event::Break => None,
        }
    }
}

/// Takes a text apart into words.
#[derive(Default)]
struct Reader {
    /// The word that goes on.
    word: Option<Word>,
    /// It is too long to be one.
    void: bool,
    /// Where the last word ended, until that is too far away.
    last: Option<usize>,
}

impl Reader {
    fn step(&mut self, at: usize, c: char, mut tell: impl FnMut(Event)) {
        let end = at + c.len_utf8();
        if c.is_ascii_alphanumeric() {
            self.letter(at, end, u64::from(c.to_ascii_lowercase()), &mut tell);
        } else if c.is_ascii() {
            self.end(at, &mut tell);
            self.gap(end, &mut tell);
        } else if is_unspaced(c) && c.is_alphanumeric() {
            self.end(at, &mut tell);
            self.last = Some(end);
            tell(Event::Word(Word { start: at, end, hash: joined(SEED, u64::from(c)), weight: 1 }));
        } else if c.is_alphanumeric() {
            for folded in c.to_lowercase() {
                self.letter(at, end, u64::from(folded), &mut tell);
            }
        } else if !is_invisible(c) {
            self.end(at, &mut tell);
            self.gap(end, &mut tell);
        }
    }

    fn letter(&mut self, at: usize, end: usize, letter: u64, tell: &mut impl FnMut(Event)) {
        if self.void {
            return;
        }
        let word = self.word.get_or_insert(Word { start: at, end, hash: SEED, weight: 2 });
        word.hash = joined(word.hash, letter);
        word.end = end;
        if end - word.start > MAX_WORD {
            (self.word, self.void, self.last) = (None, true, None);
            tell(Event::Break);
        }
    }

    fn gap(&mut self, end: usize, tell: &mut impl FnMut(Event)) {
        if self.last.is_some_and(|last| end - last > MAX_GAP) {
            self.last = None;
            tell(Event::Break);
        }
    }

    /// A word that goes on is over.
    fn end(&mut self, _at: usize, mut tell: impl FnMut(Event)) {
        self.void = false;
        if let Some(word) = self.word.take() {
            self.last = Some(word.end);
            tell(Event::Word(word));
        }
    }

    fn shift(&mut self, by: usize) {
        if let Some(word) = &mut self.word {
            (word.start, word.end) = (word.start.saturating_sub(by), word.end.saturating_sub(by));
        }
        super::lane::step::shift(&mut self.last, by);
    }
}

/// Characters that nobody sees, and that are no part of a word nor between two.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// One answer's text that arrives in pieces.
#[derive(Default)]
pub struct Leak {
    /// What is held back.
    text: String,
    reader: Reader,
    matcher: Matcher,
    /// Findings of others in what is held back.
    carried: Vec<Finding>,
}

/// Follows the words.
#[derive(Default)]
struct Matcher {
    /// The last words, at most those of a window.
    words: VecDeque<Word>,
    /// The run that goes on.
    run: Option<Run>,
    /// Parts of findings that have not left: where they start and end.
    found: Vec<(usize, usize)>,
    /// Up to where findings have been told.
    told: usize,
}

#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    weight: usize,
}

impl Leak {
    /// The kind of its findings.
    pub const KIND: KindId = Type::SystemPromptLeak.id();

    /// A text that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `piece`; `end`: nothing follows, and the next piece starts a new text. Answers the text that is settled now, with the findings in it.
    /// Without shingles everything is settled at once.
    pub fn push(&mut self, shingles: &Shingles, piece: &str, end: bool) -> Settled {
        self.follow(shingles, Settled { text: piece.to_owned(), findings: Vec::new() }, end)
    }

    /// The same behind another that settles, as a [`super::Lane`] does: its findings leave with their text, whole.
    pub fn follow(&mut self, shingles: &Shingles, settled: Settled, end: bool) -> Settled {
        if shingles.is_empty() && self.text.is_empty() {
            return settled;
        }
        let base = self.text.len();
        self.text.push_str(&settled.text);
        let shifted = |f: Finding| Finding { start: f.start + base, end: f.end + base, ..f };
        self.carried.extend(settled.findings.into_iter().map(shifted));
        let (reader, matcher) = (&mut self.reader, &mut self.matcher);
        for (at, c) in settled.text.char_indices() {
            reader.step(base + at, c, |event| matcher.take(event, shingles));
        }
        if end {
            reader.end(self.text.len(), |event| matcher.take(event, shingles));
        }
        let cut = if end { self.text.len() } else { self.open(shingles) };
        let answer = self.settle(cut);
        if end {
            *self = Self::new();
        }
        answer
    }

    /// Bytes that are held back.
    pub fn held(&self) -> usize {
        self.text.len()
    }

    /// What is held back.
    pub fn held_text(&self) -> &str {
        &self.text
    }

    /// Lets go of everything held back without judging it. What is pushed next starts a new text.
    pub fn release(&mut self) -> String {
        std::mem::take(self).text
    }

    /// Where what may become a finding starts, and what others found that has not come whole.
    fn open(&self, shingles: &Shingles) -> usize {
        let end = self.text.len();
        let word = self.reader.word.map_or(end, |word| word.start);
        let mut open = word.min(self.matcher.open(shingles, end));
        while let Some(across) = self.carried.iter().filter(|f| f.start < open && open < f.end).map(|f| f.start).min() {
            open = across;
        }
        open
    }

    fn settle(&mut self, cut: usize) -> Settled {
        let cut = self.text.floor_char_boundary(cut);
        let mut text = self.text.split_off(cut);
        std::mem::swap(&mut text, &mut self.text);
        let (own, behind): (Vec<_>, Vec<_>) = self.matcher.found.drain(..).partition(|(start, _)| *start < cut);
        self.matcher.found = behind;
        let mut findings: Vec<Finding> = Vec::new();
        for (start, end) in own {
            match findings.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => findings.push(Finding { kind: Self::KIND, start, end, score: 1.0, test_value: false }),
            }
        }
        for finding in &mut findings {
            if finding.end > cut {
                // The rest leaves with its text.
                self.matcher.found.insert(0, (cut, finding.end));
                finding.end = cut;
            }
        }
        let (carried, behind): (Vec<_>, Vec<_>) = self.carried.drain(..).partition(|f| f.end <= cut);
        self.carried = behind;
        findings.extend(carried);
        crate::sort::plain(&mut findings, |a: &Finding, b| (a.start, a.kind) < (b.start, b.kind));
        for finding in &mut self.carried {
            (finding.start, finding.end) = (finding.start.saturating_sub(cut), finding.end.saturating_sub(cut));
        }
        self.reader.shift(cut);
        self.matcher.shift(cut);
        Settled { text, findings }
    }
}

impl Matcher {
    fn take(&mut self, event: Event, shingles: &Shingles) {
        let Event::Word(word) = event else {
            self.words.clear();
            self.run = None;
            return;
        };
        if self.words.len() == WINDOW {
            self.words.pop_front();
        }
        self.words.push_back(word);
        let window = self.words.len() == WINDOW && {
            let hash = self.words.iter().fold(SEED, |hash, word| joined(hash, word.hash));
            shingles.windows.contains(&hash)
        };
        if !window {
            self.run = None;
            return;
        }
        let run = match self.run {
            Some(run) => Run { end: word.end, weight: run.weight + word.weight, ..run },
            None => Run {
                start: self.words.front().map_or(word.start, |first| first.start),
                end: word.end,
                weight: self.words.iter().map(|word| word.weight).sum(),
            },
        };
        self.run = Some(run);
        if run.weight >= LEAST {
            let start = run.start.max(self.told);
            if start < run.end {
                self.found.push((start, run.end));
            }
            self.told = run.end;
        }
    }

    /// Where the earliest run starts that may go on or begin, in a text that ends at `end`.
    fn open(&self, shingles: &Shingles, end: usize) -> usize {
        match self.run {
            Some(run) if run.weight < LEAST => return run.start,
            Some(run) => return run.end,
            None => {}
        }
        // The most words at the end that are how a window begins. What has been told stays told.
        let last = self.words.len();
        let begins = |count: &usize| {
            let hash = self.words.iter().skip(last - count).fold(SEED, |hash, word| joined(hash, word.hash));
            shingles.begins(hash)
        };
        let count = (1..WINDOW.min(last + 1)).rev().find(begins);
        let start = count.and_then(|count| self.words.get(last - count)).map_or(end, |word| word.start);
        start.max(self.told).min(end)
    }

    fn shift(&mut self, by: usize) {
        for word in &mut self.words {
            (word.start, word.end) = (word.start.saturating_sub(by), word.end.saturating_sub(by));
        }
        if let Some(run) = &mut self.run {
            (run.start, run.end) = (run.start.saturating_sub(by), run.end.saturating_sub(by));
        }
        for (start, end) in &mut self.found {
            (*start, *end) = (start.saturating_sub(by), end.saturating_sub(by));
        }
        self.told = self.told.saturating_sub(by);
    }
}
