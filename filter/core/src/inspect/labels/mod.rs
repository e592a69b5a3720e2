//! What only the words around it give away: a date of birth, a password, a passport number, a person, an address.
//!
//! **How.** From the words forward. Every word of the text is cut out, and its first letters and its length are
//! looked up in a table of bits, which most words do not pass; what passes is hashed, with up to three words behind it,
//! and looked up among the *labels* ([`table`]), which are in a dozen languages and may be written in any way that names are written
//! (`date of birth`, `dateOfBirth`, `DATE_OF_BIRTH`, `"date-of-birth"`). What may stand between a label and
//! its value ([`separator`]) and what the value looks like ([`shape`], [`date`], [`person`], [`address`], [`secret`]) is read from there. Street
//! addresses and ages may also begin with a number, which is then read forward in the same way.
//!
//! Every trigger is read by itself, whatever was found before it, and through a [`Reader`] that knows whether
//! it was asked for what the text does not have yet. So a text that arrives in pieces is read by the same code
//! (`lane::labels`), with the same result: what is decided without the end of the text stays decided.
//!
//! **What this does not do.** It does not recognise names, places or numbers that nothing announces, nor values that
//! stand before their label.

mod address;
mod date;
mod more;
mod number;
mod person;
pub(super) mod reader;
mod scan;
mod secret;
mod separator;
mod shape;
mod table;

use super::types::{LABELLED, Type};
use super::{Candidate, Selection};
use crate::sort;
pub(super) use number::find as number;
pub(super) use reader::LONGEST;
use reader::Word;
pub(super) use reader::{Reader, list};
pub(super) use scan::scan;
use separator::Separator;
use table::ROWS;

/// No label and what separates it from its value are longer.
pub(super) const BACK: usize = 96;

/// The longest value: an address.
pub(super) const MAX_VALUE: usize = 512;

/// Whether a kind is found here.
pub(super) fn finds(kind: Type) -> bool {
    (LABELLED.0.id()..=LABELLED.1.id()).contains(&kind.id())
}

/// The compiled labels.
pub(super) struct Labels {
    /// By the first two letters of a word: one bit for each length.
    first: Vec<u32>,
    /// A bit for the first four letters and the length of each first word in English letters.
    heads: Vec<u64>,
    /// A bit for the hash of each first word.
    words: Vec<u64>,
    /// Hashes of labels and of what they begin with, sorted; a row, or [`PREFIX`].
    entries: Vec<(u32, u16)>,
    /// The labels of [`table::WIDE`] and their rows, and a bit for the first character of each.
    wide: Vec<(&'static str, usize)>,
    wide_first: [u64; 4],
}

/// Something longer begins so.
const PREFIX: u16 = u16::MAX;

/// What was found from one trigger.
#[derive(Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    /// Whether more text may change this.
    pub(super) open: bool,
    /// Where the earliest value may start that is not decided.
    pub(super) start: Option<usize>,
}

impl Found {
    pub(super) fn clear(&mut self) {
        self.candidates.clear();
        (self.open, self.start) = (false, None);
    }

    fn undecided(&mut self, start: usize) {
        self.open = true;
        self.start = Some(self.start.map_or(start, |s| s.min(start)));
    }
}

/// Which of the kinds are looked for.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) struct Wanted(u64);

impl Wanted {
    pub(super) fn new(selection: &Selection) -> Self {
        Self(selection.bits(LABELLED.0.id(), LABELLED.1.id()))
    }

    pub(super) fn any(self) -> bool {
        self.0 != 0
    }

    pub(super) fn has(self, kind: Type) -> bool {
        let place = kind.id().0.wrapping_sub(LABELLED.0.id().0);
        place < 64 && self.0 >> place & 1 == 1
    }
}

/// What a byte begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Other,
    /// A small letter, a capital, one of two bytes.
    Lower,
    Upper,
    Lead,
    Digit,
    /// A character of three bytes: words of Chinese, Japanese and Korean.
    Wide,
    /// The second byte of a character, or one behind it.
    Rest,
}

static CLASSES: [Class; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn classes() -> [Class; 256] {
    let mut out = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        out[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            0xE3..=0xED => Class::Wide,
            0x80..=0xBF => Class::Rest,
            0xC3..=0xC5 | 0xCE..=0xD1 => Class::Lead,
            _ => Class::Other,
        };
        byte += 1;
    }
    out
}

pub(super) fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Other)
}

impl Class {
    pub(super) const fn is_letter(self) -> bool {
        matches!(self, Class::Lower | Class::Upper | Class::Lead)
    }
}

impl Labels {
    pub(super) fn new() -> Self {
        let mut labels = Self {
            first: vec![0; 1024],
            heads: vec![0; HEADS / 64],
            words: vec![0; 256],
            entries: Vec::new(),
            wide: Vec::new(),
            wide_first: [0; 4],
        };
        for wide in table::WIDE {
            let (word, bit) = wide_place(wide.label.as_bytes(), 0);
            if let Some(bits) = labels.wide_first.get_mut(word) {
                *bits |= bit;
            }
            let row = ROWS.iter().position(|row| row.labels.split_ascii_whitespace().any(|l| l == wide.same));
            labels.wide.push((wide.label, row.unwrap_or(usize::MAX)));
        }
        for (row, index) in ROWS.iter().zip(0u16..) {
            for label in row.labels.split_ascii_whitespace() {
                let mut hash = 0;
                for (i, word) in label.split('_').enumerate() {
                    if i == 0 {
                        hash = reader::hash(word);
                        labels.admit(word);
                    } else {
                        labels.entries.push((hash, PREFIX));
                        hash = joined(hash, reader::hash(word));
                    }
                }
                labels.entries.push((hash, index));
            }
        }
        sort::plain(&mut labels.entries, |a: &(u32, u16), b| a < b);
        labels.entries.dedup();
        labels
    }

    fn admit(&mut self, word: &str) {
        let letters = word.chars().count() as u32;
        let mut folded = word.chars().map(u32::from);
        let (first, second) = (folded.next().unwrap_or(0), folded.next().unwrap_or(0));
        if let Some(bits) = self.first.get_mut(place(first, second)) {
            *bits |= 1 << (letters & 31);
        }
        let (index, bit) = hash_place(reader::hash(word));
        if let Some(bits) = self.words.get_mut(index) {
            *bits |= bit;
        }
        if word.is_ascii() {
            let four = word.bytes().take(4).rev().fold(0, |four, b| four << 8 | u32::from(b));
            let (index, bit) = head_place(four, word.len());
            if let Some(bits) = self.heads.get_mut(index) {
                *bits |= bit;
            }
        }
    }

    /// Whether a label can begin with the word.
    pub(super) fn admits(&self, first: u32, second: u32, letters: usize) -> bool {
        self.first.get(place(first, second)).is_some_and(|bits| bits >> (letters & 31) & 1 == 1)
    }

    /// Whether a label may begin with the word of this hash.
    fn begins(&self, hash: u32) -> bool {
        let (word, bit) = hash_place(hash);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }

    fn rows(&self, hash: u32) -> impl Iterator<Item = u16> {
        let from = self.entries.partition_point(|(h, _)| *h < hash);
        super::work::add(12);
        self.entries.iter().skip(from).take_while(move |(h, _)| *h == hash).map(|(_, row)| *row)
    }

    /// Reads on from the word that starts at `at`.
    pub(super) fn word(&self, r: &Reader<'_>, at: usize, wanted: Wanted, found: &mut Found) {
        r.begin();
        let Some(first) = r.word(at) else { return };
        if first.capital && wanted.has(Type::Address) {
            address::from_word(r, at, found);
            r.begin();
        }
        let letter = |at| r.letter(at).map_or((0, 0), |l| (l.folded, l.width));
        let (one, width) = letter(at);
        let (two, _) = if first.letters > 1 { letter(at + width) } else { (0, 0) };
        if self.admits(one, two, first.letters) && self.begins(first.hash) {
            self.label(r, first, wanted, found);
        }
    }

    fn label(&self, r: &Reader<'_>, first: Word, wanted: Wanted, found: &mut Found) {
        let (mut hash, mut last) = (first.hash, first);
        for _ in 0..5 {
            let mut goes_on = false;
            for row in self.rows(hash) {
                if row == PREFIX {
                    goes_on = true;
                } else {
                    value(r, usize::from(row), &first, &last, wanted, found);
                }
            }
            r.begin();
            if !goes_on {
                return;
            }
            let next = r.word(separator::join(r, last.end));
            if r.is_short() {
                found.open = true;
                return;
            }
            let Some(next) = next else { return };
            hash = joined(hash, next.hash);
            last = next;
        }
    }

    /// Reads on from a character of three bytes.
    pub(super) fn wide(&self, r: &Reader<'_>, at: usize, wanted: Wanted, found: &mut Found) {
        r.begin();
        let first = r.slice(at, at + 3);
        let (word, bit) = wide_place(first, 0);
        if self.wide_first.get(word).is_none_or(|bits| bits & bit == 0) {
            return;
        }
        for (label, row) in self.wide.iter().filter(|(label, _)| label.as_bytes().starts_with(first)) {
            r.begin();
            if r.stands(at, label) {
                let end = at + label.len();
                let word = Word { start: at, end, hash: 0, capital: false, capitals: false, letters: 0 };
                value(r, *row, &word, &word, wanted, found);
            } else {
                found.open |= r.is_short();
            }
        }
    }
}

/// Reads what stands behind a label.
fn value(r: &Reader<'_>, row: usize, first: &Word, last: &Word, wanted: Wanted, found: &mut Found) {
    let Some(row) = ROWS.get(row).filter(|row| row.kinds.iter().any(|kind| wanted.has(*kind))) else { return };
    r.begin();
    let mut start = usize::MAX;
    let separator = separator::read(r, last.end, row.fillers, &mut start);
    let fits = separator.as_ref().is_some_and(|s| s.strength >= row.least && s.at <= first.start + BACK);
    if fits && let Some(separator) = separator {
        start = start.min(separator.at);
        let label = Label { first, last, separator };
        let candidate = (row.read)(r, &label, row).filter(|c| wanted.has(c.kind));
        if !r.is_short()
            && let Some(candidate) = candidate
        {
            found.candidates.push(candidate);
            if row.several {
                start = candidate.end;
                more::read(r, label, row, candidate, found);
            }
        }
    }
    if r.is_short() {
        found.open = true;
        if start != usize::MAX {
            found.undecided(start);
        }
    }
}

/// A label, and where its value starts.
struct Label<'w> {
    first: &'w Word,
    last: &'w Word,
    separator: Separator,
}

impl Label<'_> {
    fn at(&self) -> usize {
        self.separator.at
    }
}

fn place(first: u32, second: u32) -> usize {
    ((first & 31) << 5 | second & 31) as usize
}

/// Bits for the heads of words.
const HEADS: usize = 1 << 15;

/// The place of a word by its first four bytes and its length; bytes behind it do not count, nor does case.
#[inline]
fn head_place(four: u32, length: usize) -> (usize, u64) {
    let word = if length < 4 { !(u32::MAX << (8 * length as u32)) } else { u32::MAX };
    let head = (four | 0x2020_2020) & word ^ (length as u32).wrapping_mul(0x9E37_79B1);
    let place = head.wrapping_mul(0x85EB_CA6B) >> (32 - HEADS.ilog2());
    ((place / 64) as usize, 1 << (place % 64))
}

/// 16,384 bits.
fn hash_place(hash: u32) -> (usize, u64) {
    let place = hash ^ hash >> 14;
    ((place >> 6 & 255) as usize, 1 << (place & 63))
}

fn wide_place(bytes: &[u8], at: usize) -> (usize, u64) {
    let place = super::bytes::at(bytes, at + 1) ^ super::bytes::at(bytes, at + 2) << 2;
    (usize::from(place >> 6), 1 << (place & 63))
}

fn joined(hash: u32, next: u32) -> u32 {
    reader::step(reader::step(hash, 0x5F), next)
}
