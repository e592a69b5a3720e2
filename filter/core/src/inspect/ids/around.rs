//! What the words around a number say of it.
//!
//! A number that many checks let pass is asked about by as many rows. So the words around it are read once, and each is looked up
//! once in a [`Lexicon`] of all rows, which tells the lists that it is in: what is left for a row is to look at its own.

use super::super::Sight;
use super::super::bytes;
use super::super::context::{self, Token, Words};
use super::super::work;
use super::layout::Match;
use super::{AFTER, BEFORE, COMMON, COUNTRIES, DOUBT, HINT, HINTED, NEAR, NUMBER, OTHER, Row};
use crate::sort;

/// A list of words, by its number.
type List = u8;
const COMMON_LIST: List = 0;
const NUMBER_LIST: List = 1;
const COUNTRIES_LIST: List = 2;
const OTHER_LIST: List = 3;
/// So many lists there may be; the last number is that of none.
const LISTS: usize = 256;
const NO_LIST: List = u8::MAX;

/// Every word that says something of a number, and the lists it is in.
#[derive(Default)]
pub(super) struct Lexicon {
    lists: Vec<&'static Words>,
    /// Words in Latin letters, by hash.
    latin: Vec<(u32, List)>,
    /// Those of other scripts, by their first two bytes, in the order of their list.
    others: Vec<(u16, usize, &'static str, List)>,
    /// A bit for each hash and each first two bytes: few words of a text are known.
    known: Vec<u64>,
    /// The names of each row, and those of its country.
    rows: Vec<(List, List)>,
}

impl Lexicon {
    pub(super) fn new(rows: &[&'static Row]) -> Self {
        let mut lexicon = Self { known: vec![0; KNOWN / 64], ..Self::default() };
        for list in [&COMMON, &NUMBER, &COUNTRIES, &OTHER] {
            lexicon.list(list);
        }
        for row in rows {
            let lists = (lexicon.list(&row.words), row.country.map_or(NO_LIST, |country| lexicon.list(country)));
            lexicon.rows.push(lists);
        }
        sort::plain(&mut lexicon.latin, |a: &(u32, List), b| a < b);
        sort::plain(&mut lexicon.others, |a: &(u16, usize, &str, List), b| (a.0, a.1) < (b.0, b.1));
        lexicon
    }

    /// The number of a list: countries share theirs.
    fn list(&mut self, words: &'static Words) -> List {
        if let Some(known) = self.lists.iter().position(|list| std::ptr::eq(*list, words)) {
            return known as List;
        }
        let list = self.lists.len() as List;
        self.lists.push(words);
        for hash in words.hashes() {
            self.know(*hash);
            self.latin.push((*hash, list));
        }
        for word in words.others() {
            let key = key(word.as_bytes());
            self.know(u32::from(key));
            self.others.push((key, self.others.len(), word, list));
        }
        list
    }

    fn know(&mut self, what: u32) {
        let (word, bit) = known_place(what);
        if let Some(bits) = self.known.get_mut(word) {
            *bits |= bit;
        }
    }

    fn knows(&self, what: u32) -> bool {
        let (word, bit) = known_place(what);
        self.known.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Calls `found` with every list that the token is a word of, and where that word ends.
    fn look_up(&self, bytes: &[u8], token: &Token, mut found: impl FnMut(List, usize)) {
        work::add(1);
        match token.hash {
            Some(hash) => {
                if self.knows(hash) {
                    let from = self.latin.partition_point(|(h, _)| *h < hash);
                    for (_, list) in self.latin.iter().skip(from).take_while(|(h, _)| *h == hash) {
                        work::add(1);
                        found(*list, token.end);
                    }
                }
            }
            None => {
                let text = bytes.get(token.start..).unwrap_or_default();
                let first = key(text);
                if self.knows(u32::from(first)) {
                    let from = self.others.partition_point(|(key, ..)| *key < first);
                    for (_, _, word, list) in self.others.iter().skip(from).take_while(|(key, ..)| *key == first) {
                        work::add(1);
                        if text.starts_with(word.as_bytes()) {
                            found(*list, token.start + word.len());
                        }
                    }
                }
            }
        }
    }
}

/// The first two bytes.
fn key(text: &[u8]) -> u16 {
    text.first_chunk::<2>().map_or(0, |two| u16::from_be_bytes(*two))
}

/// Bits of what is known.
const KNOWN: usize = 1 << 15;

fn known_place(what: u32) -> (usize, u64) {
    let place = what.wrapping_mul(0x9E37_79B1) >> (32 - KNOWN.ilog2());
    ((place / 64) as usize, 1 << (place % 64))
}

/// The words around a value that starts at one place.
pub(super) struct Around<'l> {
    lexicon: &'l Lexicon,
    /// How far before the value the nearest word of each list ends.
    before: Nearest,
    /// The lists that words behind it are in, and where it ends then: most values that start at one place end at one, too.
    behind: Option<(usize, Nearest)>,
    /// A `#` stands before it: the number of an order or an issue.
    hash: bool,
}

/// By list: how far its nearest word is.
struct Nearest([u8; LISTS]);

impl Nearest {
    const NONE: u8 = u8::MAX;

    fn of(lexicon: &Lexicon, bytes: &[u8], tokens: impl Iterator<Item = Token>, start: usize) -> Self {
        let mut nearest = Self([Self::NONE; LISTS]);
        for token in tokens {
            lexicon.look_up(bytes, &token, |list, end| {
                if let Some(slot) = nearest.0.get_mut(usize::from(list)).filter(|slot| **slot == Self::NONE) {
                    *slot = start.saturating_sub(end).min(usize::from(Self::NONE - 1)) as u8;
                }
            });
        }
        nearest
    }

    fn get(&self, list: List) -> Option<usize> {
        self.0.get(usize::from(list)).filter(|distance| **distance != Self::NONE).map(|distance| usize::from(*distance))
    }

    fn has(&self, list: List) -> bool {
        self.get(list).is_some()
    }
}

impl<'l> Around<'l> {
    pub(super) fn read(lexicon: &'l Lexicon, bytes: &[u8], start: usize) -> Self {
        let tokens = context::before(bytes, start, BEFORE);
        let before = Nearest::of(lexicon, bytes, tokens, start);
        Self { lexicon, before, behind: None, hash: bytes::before(bytes, start) == b'#' }
    }

    fn behind(&mut self, bytes: &[u8], end: usize) -> &Nearest {
        self.behind.take_if(|(place, _)| *place != end);
        let lexicon = self.lexicon;
        let read = || (end, Nearest::of(lexicon, bytes, context::behind(bytes, end, AFTER), 0));
        &self.behind.get_or_insert_with(read).1
    }

    /// How sure it is that the value is what row number `index` says.
    pub(super) fn score(&mut self, row: &Row, index: u16, read: &Match, bytes: &[u8], sight: Sight) -> f32 {
        let alone = match (read.formed, read.typical) {
            (false, _) => row.alone.0,
            (true, true) => row.alone.1,
            // Figures in a row pass for groups.
            (true, false) => row.alone.0.min(row.alone.1) - 0.15,
        };
        let lists = self.lexicon.rows.get(usize::from(index));
        let (names, country) = lists.copied().unwrap_or((NO_LIST, NO_LIST));
        let other = if self.hash { Some(0) } else { self.before.get(OTHER_LIST) };
        let doubtful = other.is_some_and(|distance| distance < NEAR);
        if let Some(distance) = self.before.get(names)
            && other.is_none_or(|other| distance <= other)
        {
            // The nearest name counts most.
            return row.named - distance as f32 / 1024.0;
        }
        // Few rows look farther.
        let farther = || row.after > AFTER && row.words.after(bytes, read.end, row.after);
        if sight == Sight::Whole && !doubtful && (self.behind(bytes, read.end).has(names) || farther()) {
            return row.named - 0.1;
        }
        let common = self.before.has(COMMON_LIST);
        let number = common || self.before.has(NUMBER_LIST);
        let countries = self.before.has(COUNTRIES_LIST);
        let here = self.before.has(country);
        // What is said of one country is no other's number by a check digit or two.
        let alone = if countries && !here && alone < 0.6 { alone - 0.15 } else { alone };
        match (number && here, common && !countries, doubtful) {
            (true, _, false) => row.named - 0.1,
            // `user id 123456789` is anything: what one number in ten passes stays in doubt.
            (_, true, false) if alone >= HINTED => alone + HINT,
            (_, _, true) => alone - DOUBT,
            _ => alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_a_number_of_its_own() {
        let rows: Vec<&Row> = super::super::rows().collect();
        let lexicon = Lexicon::new(&rows);
        assert!(lexicon.lists.len() < LISTS, "{} lists", lexicon.lists.len());
        assert_eq!(lexicon.rows.len(), rows.len());
    }

    #[test]
    fn a_word_is_in_the_lists_that_have_it() {
        let rows: Vec<&Row> = super::super::rows().collect();
        let lexicon = Lexicon::new(&rows);
        for text in
            ["tax id no. ", "VAT-nr ", "telefono ", "Steuernummer: ", "ИНН ", "身份证 ", "x y ", "passportNumber "]
        {
            let nearest = Nearest::of(
                &lexicon,
                text.as_bytes(),
                context::before(text.as_bytes(), text.len(), BEFORE),
                text.len(),
            );
            for (list, words) in lexicon.lists.iter().enumerate() {
                assert_eq!(
                    nearest.get(list as List),
                    words.before(text.as_bytes(), text.len(), BEFORE),
                    "{text:?}, list {list}"
                );
            }
        }
    }
}
