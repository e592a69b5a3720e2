//! Where labels and numbers begin in a text of which no more comes.
//!
//! Words and numbers are cut out by bits ([`Masks`]), 64 bytes at a time. Most words no label begins with, and their first four
//! letters and their length say so already: one look into a table of 4 KB. The rest is read as in a text that arrives.

use super::super::bytes;
use super::super::masks::{BLOCK, Masks};
use super::super::types::Type;
use super::super::{Candidate, Selection, Span, context, work};
use super::number::may_count;
use super::reader::{self, Reader, is_lead};
use super::{BACK, Class, Found, Labels, Wanted, address, class, number};

/// Appends what is found from every word and number.
pub(in super::super) fn scan(labels: &Labels, span: Span<'_>, selection: &Selection, out: &mut Vec<Candidate>) {
    let wanted = Wanted::new(selection);
    if !wanted.any() {
        return;
    }
    let bytes = span.text.as_bytes();
    let scan = Scan { labels, bytes, r: Reader::whole(bytes), wanted, streets: wanted.has(Type::Address) };
    let mut found = Found::default();
    let mut at = start(bytes, span.from.saturating_sub(BACK + 64));
    while at < span.to {
        at = scan.block(at, span.to, &mut found);
        if !found.candidates.is_empty() {
            out.append(&mut found.candidates);
        }
    }
}

struct Scan<'s> {
    labels: &'s Labels,
    bytes: &'s [u8],
    r: Reader<'s>,
    wanted: Wanted,
    /// Whether streets are looked for.
    streets: bool,
}

impl Scan<'_> {
    /// Reads on from every word and number that starts in the block at `base` and before `to`; where the next block is. What a byte
    /// within a word or number is makes no difference, so a block starts with one or between two.
    fn block(&self, base: usize, to: usize, found: &mut Found) -> usize {
        let masks = Masks::at(self.bytes, base);
        let (mut words, mut wide) = (masks.letters, 0);
        let mut high = masks.high;
        while high != 0 {
            let bit = high & high.wrapping_neg();
            match class(bytes::at(self.bytes, base + high.trailing_zeros() as usize)) {
                Class::Lead => words |= bit | bit << 1,
                Class::Wide => wide |= bit,
                _ => {}
            }
            high ^= bit;
        }
        // Camel case turns before a capital behind a small letter.
        let turns = masks.upper & (masks.letters & !masks.upper) << 1;
        let begin = words & !(words << 1) | turns;
        let digits = masks.digits & !(masks.digits << 1);
        let ends = !words | turns;
        let mut starts = begin | digits | wide;
        work::add(BLOCK / 8);
        while starts != 0 {
            let place = starts.trailing_zeros();
            let bit = 1 << place;
            starts ^= bit;
            let at = base + place as usize;
            if at >= to {
                return to;
            }
            if begin & bit != 0 {
                let rest = ends & !(bit | (bit - 1));
                let end = match rest {
                    // It goes on behind the block: it is read with the next one, unless that is where this one starts.
                    0 if place > 0 => return at,
                    0 => word_end(self.bytes, at),
                    _ => base + rest.trailing_zeros() as usize,
                };
                let foreign = masks.high & !(bit - 1) & rest.wrapping_sub(1) & !rest != 0 || rest == 0;
                self.word(at, end, foreign, found);
                if rest == 0 {
                    return end;
                }
            } else if digits & bit != 0 {
                let rest = !masks.digits & !(bit | (bit - 1));
                let end = match rest {
                    0 => at + bytes::DIGIT.run(self.bytes, at, usize::MAX),
                    _ => base + rest.trailing_zeros() as usize,
                };
                if may_count(self.bytes, at, end) {
                    number(&self.r, at, self.wanted, found);
                }
                if rest == 0 {
                    return end;
                }
            } else {
                self.labels.wide(&self.r, at, self.wanted, found);
            }
        }
        base + BLOCK
    }

    /// Reads on from a word; `foreign` where it may have other letters than English ones.
    #[inline]
    fn word(&self, at: usize, end: usize, foreign: bool, found: &mut Found) {
        if foreign || self.labels.may_begin(self.bytes, at, end) {
            self.labels.word(&self.r, at, self.wanted, found);
        } else if self.streets && bytes::at(self.bytes, at).is_ascii_uppercase() && goes_on(self.bytes, end) {
            self.street(at, end, found);
        }
    }

    #[inline(never)]
    fn street(&self, at: usize, end: usize, found: &mut Found) {
        if may_be_street(self.bytes, at, end) {
            address::from_word(&self.r, at, found);
        }
    }
}

impl Labels {
    /// Whether a label may begin with the word, which has English letters only.
    #[inline]
    fn may_begin(&self, bytes: &[u8], at: usize, end: usize) -> bool {
        let length = end.wrapping_sub(at);
        let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
        let four = four.map_or_else(|| last_four(bytes, at), |four| u32::from_le_bytes(*four));
        let (word, bit) = super::head_place(four, length);
        self.heads.get(word).is_some_and(|bits| bits & bit != 0) && self.is_first(bytes, at, end)
    }

    #[inline(never)]
    fn is_first(&self, bytes: &[u8], at: usize, end: usize) -> bool {
        let word = bytes.get(at..end).unwrap_or_default();
        work::add(word.len());
        let hash = |hash, b: &u8| reader::step(hash, u32::from(b.to_ascii_lowercase()));
        self.begins(word.iter().fold(context::SEED, hash))
    }
}

/// The last bytes of a text, where it has no four more.
#[cold]
fn last_four(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).unwrap_or_default().iter().rev().fold(0, |four, byte| four << 8 | u32::from(*byte))
}

/// The first place from `at` on where a word or a number starts or none goes on.
fn start(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|b| (0x80..0xC0).contains(b)) {
        at += 1;
    }
    let before = bytes::before(bytes, at);
    let lead = at.checked_sub(2).and_then(|i| bytes.get(i));
    if before.is_ascii_alphabetic() || before >= 0x80 && lead.is_some_and(|b| is_lead(*b)) {
        let letters = class(bytes::at(bytes, at)).is_letter();
        return if letters && !turns(bytes, at) { word_end(bytes, at) } else { at };
    }
    at
}

/// Whether camel case turns before `at`.
fn turns(bytes: &[u8], at: usize) -> bool {
    bytes::at(bytes, at).is_ascii_uppercase() && bytes::before(bytes, at).is_ascii_lowercase()
}

/// Where the word at `at` ends.
fn word_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    // As long as camel case does not turn: a capital behind a small letter.
    let mut lower = false;
    loop {
        let rest = bytes.get(end..).unwrap_or_default();
        let run = rest.iter().position(|b| !b.is_ascii_lowercase()).unwrap_or(rest.len());
        lower |= run > 0;
        end += run;
        work::add(run + 1);
        match rest.get(run).map_or(Class::Other, |b| class(*b)) {
            Class::Upper if !lower => end += 1,
            Class::Lead => (end, lower) = (end + 2, false),
            _ => return end.min(bytes.len()),
        }
    }
}

/// Whether what stands behind a word that ends at `end` may be more of a street's name.
#[inline]
fn goes_on(bytes: &[u8], end: usize) -> bool {
    let after = |n: usize| bytes::at(bytes, end + n);
    let name = |b: u8| b.is_ascii_digit() || b.is_ascii_uppercase() || b >= 0x80;
    matches!(after(0), b' ' | b'-') && name(after(1)) || matches!(after(0), b'.' | b',') && name(after(2))
}

/// Whether the words from the capital at `at` on may come to a house's number: what [`address::from_word`] needs, without
/// reading what the words are.
fn may_be_street(bytes: &[u8], at: usize, end: usize) -> bool {
    let mut end = end;
    let mut led = None;
    for _ in 0..address::MOST_WORDS {
        work::add(1);
        let after = |n: usize| bytes::at(bytes, end + n);
        let skipped = usize::from(after(0) == b'.');
        let skipped = skipped + usize::from(after(skipped) == b',');
        if after(skipped) == b' ' && matches!(after(skipped + 1), b'1'..=b'9') {
            return true;
        }
        let next = after(1);
        if !matches!(after(0), b' ' | b'-') || !class(next).is_letter() {
            return false;
        }
        if next.is_ascii_lowercase() && !*led.get_or_insert_with(|| address::may_lead(bytes, at)) {
            return false;
        }
        end = word_end(bytes, end + 1);
    }
    false
}
