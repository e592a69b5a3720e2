//! Look-alike characters: text written with other characters than it seems to be is read as ASCII.
//!
//! Format characters and what is not drawn go; full-width forms, mathematical, circled, raised and lowered letters and
//! digits, the digits of all scripts, spaces, dashes and some punctuation become their ASCII characters, and so does
//! text in tag characters; marks that combine with ASCII letters and digits go. Cyrillic, Greek and Armenian letters that
//! look like Latin ones are read as such only where they stand among Latin letters: in a word that has those and no
//! letter that looks like none, or in a word of look-alikes only beside one in Latin.
//!
//! A text has a view only where one of these would not stand in honest text, or may belong to a value: zero-width
//! characters within an emoji, dashes and typographic spaces and quotes by themselves make none. Text in ASCII costs one
//! fast pass; other text one step for each character that is none.
//!
//! What this does not do: letters with diacritics in one character stay (`pàssword` is another word), numbers above nine
//! in one character (⑩), look-alikes within ASCII (`l` and `1`, `rn` and `m`).

mod table;

use std::ops::Range;

use super::{Builder, View};
use Sort::{Gone, Mark, Plain, Sparse, Weak};
pub(in crate::inspect) use table::Sort;
use table::{LETTERS, LOOKALIKES, ROWS};

/// By the upper bits of a character below U+10000: whether there is a row for one with them.
static PAGES: [bool; 256] = pages();

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn pages() -> [bool; 256] {
    let mut pages = [false; 256];
    let mut row = 0;
    while row < ROWS.len() {
        let mut page = ROWS[row].0 >> 8;
        while page <= ROWS[row].1 >> 8 && page < 256 {
            pages[page as usize] = true;
            page += 1;
        }
        row += 1;
    }
    pages
}

/// What a character is read as, wherever it stands: nothing (`None`) or an ASCII character.
pub(in crate::inspect) fn of(char: char) -> Option<(Option<u8>, Sort)> {
    let code = u32::from(char);
    if code < 0xA0 || !PAGES.get((code >> 8) as usize).copied().unwrap_or(true) {
        return None;
    }
    let before = ROWS.partition_point(|row| row.0 <= code);
    let (first, last, to, cycle, sort) = *ROWS.get(before.checked_sub(1)?)?;
    let into = code.checked_sub(first).filter(|_| code <= last)?;
    let into = (into % u32::from(cycle)) as u8;
    let to = match (to, cycle) {
        (0, _) => None,
        (_, LETTERS) if into >= 26 => Some(b'a' + (into - 26)),
        // Two in a row that are no neighbours in ASCII.
        _ => Some(match code {
            0xFE63 => b'-',
            _ => to + into,
        }),
    };
    Some((to, sort))
}

/// The Latin letter that one of another script looks like.
pub(in crate::inspect) fn lookalike(char: char) -> Option<u8> {
    if !is_foreign(char) {
        return None;
    }
    let row = LOOKALIKES.binary_search_by_key(&char, |(known, _)| *known).ok()?;
    LOOKALIKES.get(row).map(|(_, to)| *to)
}

/// Whether it is of a script that has look-alikes.
fn is_foreign(char: char) -> bool {
    matches!(char, 'ı' | 'ɑ' | 'ɡ' | 'ɩ' | '\u{370}'..='\u{58F}')
}

/// `text` as a reader would take it, if that is not how it is written.
pub(super) fn view(text: &str) -> Option<View> {
    if text.is_ascii() || !Walk::new(text).any(|found| found.strong) {
        return None;
    }
    let mut builder = Builder::new(text);
    for Found { at, to, .. } in Walk::new(text) {
        builder
            .push(at, to.map(char::from).map(|char| char.encode_utf8(&mut [0; 4]).to_owned()).as_deref().unwrap_or(""));
    }
    builder.finish()
}

/// Reads a text that arrives in pieces, character by character and by what stands before: a letter of another script
/// counts as a look-alike behind ASCII letters and digits.
pub(in crate::inspect) struct Fold {
    /// The last byte of what was read.
    before: u8,
    /// How many bytes may go.
    credit: usize,
}

/// So many bytes may go at once, and so many more for each character that stays: what is held back is longer than what
/// it says, but not without bound.
const CREDIT: usize = 4096;
const CREDIT_EACH: usize = 12;

impl Fold {
    /// Behind a text that ends with `before`.
    pub(in crate::inspect) fn new(before: u8) -> Self {
        Self { before, credit: CREDIT }
    }

    /// The place of the first character from which on it matters how the text looks.
    pub(in crate::inspect) fn begins(piece: &str, mut before: u8) -> Option<usize> {
        if piece.is_ascii() {
            return None;
        }
        piece.char_indices().find_map(|(at, char)| {
            let word = before.is_ascii_alphanumeric();
            before = if char.is_ascii() { char as u8 } else { 0 };
            let begins = match of(char) {
                Some((_, Weak)) => false,
                Some((_, Mark)) => word,
                Some(_) => true,
                None => word && lookalike(char).is_some(),
            };
            begins.then_some(at)
        })
    }

    /// What the next character is read as; `None`: as itself.
    pub(in crate::inspect) fn next(&mut self, char: char) -> Option<Option<u8>> {
        let word = self.before.is_ascii_alphanumeric();
        let read = match of(char) {
            Some((to, Mark)) => word.then_some(to),
            Some((to, _)) => Some(to),
            None => lookalike(char).filter(|_| word).map(Some),
        };
        if read == Some(None) {
            match self.credit.checked_sub(char.len_utf8()) {
                Some(left) => self.credit = left,
                None => {
                    self.before = 0;
                    return None;
                }
            }
            return read;
        }
        self.credit = CREDIT.min(self.credit + CREDIT_EACH);
        self.before = read.flatten().or_else(|| u8::try_from(char).ok().filter(u8::is_ascii)).unwrap_or(0);
        read
    }
}

/// A character that is read as another, or a run of those that are not read.
struct Found {
    at: Range<usize>,
    to: Option<u8>,
    /// Worth a view.
    strong: bool,
}

/// All of them in a text.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// How far words have been judged, and whether the last one is read as Latin.
    word: usize,
    latin: bool,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, word: 0, latin: false }
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }

    fn behind(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// The end of the run of characters of a sort.
    fn run(&self, from: usize, sort: Sort) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        let end = rest.find(|c| !of(c).is_some_and(|(_, s)| s == sort));
        end.map_or(self.text.len(), |end| from + end)
    }

    /// Whether the word that has the letter of another script at `at` is read as Latin.
    fn reads_latin(&mut self, at: usize) -> bool {
        if at < self.word {
            return self.latin;
        }
        let bytes = self.text.as_bytes();
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let before = bytes.get(self.word..at).unwrap_or_default();
        let glued = before.iter().rev().take_while(|b| is_word(b)).count();
        let start = at - glued;
        let mut latin = before.iter().skip(before.len() - glued).any(u8::is_ascii_alphabetic);
        let (mut alike, mut other, mut end) = (0usize, false, self.text.len());
        for (i, char) in self.text.get(at..).unwrap_or_default().char_indices() {
            match char {
                _ if lookalike(char).is_some() => alike += 1,
                'a'..='z' | 'A'..='Z' => latin = true,
                '0'..='9' | '_' => {}
                _ if is_foreign(char) => other = true,
                _ if of(char).is_some_and(|(to, _)| to.is_none_or(|to| to.is_ascii_alphanumeric())) => {}
                _ if char.is_alphabetic() => other = true,
                _ => {
                    end = at + i;
                    break;
                }
            }
        }
        // Beside what is Latin: a few spaces or signs may stand between.
        let beside = || {
            let between = bytes.get(..start).unwrap_or_default().iter().rev().take(4);
            let last = between.into_iter().find(|b| !b.is_ascii() || b.is_ascii_alphanumeric());
            match last {
                Some(last) if last.is_ascii() => true,
                Some(_) => self.latin,
                None => false,
            }
        };
        let latin = !other && (latin || alike > 1 && (beside() || bytes.get(end) == Some(&b'@')));
        (self.word, self.latin) = (end, latin);
        latin
    }
}

impl Iterator for Walk<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let bytes = self.text.as_bytes().get(self.at..)?;
            let start = self.at + bytes.iter().position(|b| !b.is_ascii())?;
            let char = self.behind(start)?;
            let end = start + char.len_utf8();
            self.at = end;
            let Some((to, sort)) = of(char) else {
                if let Some(to) = lookalike(char)
                    && self.reads_latin(start)
                {
                    return Some(Found { at: start..end, to: Some(to), strong: true });
                }
                continue;
            };
            match sort {
                Gone => {
                    self.at = self.run(end, sort);
                    let (before, behind) = (self.before(start), self.behind(self.at));
                    let ascii = |c: Option<char>| c.is_some_and(|c| c.is_ascii());
                    let graphic = |c: Option<char>| c.is_some_and(|c| c.is_ascii_graphic());
                    let strong = ascii(before) && ascii(behind) && (graphic(before) || graphic(behind));
                    return Some(Found { at: start..self.at, to, strong });
                }
                Mark => {
                    self.at = self.run(end, sort);
                    let before = self.before(start);
                    if before.is_some_and(|c| c.is_ascii_alphanumeric()) {
                        let strong = self.at > end || before.is_some_and(|c| c.is_ascii_digit());
                        return Some(Found { at: start..self.at, to, strong });
                    }
                }
                Plain => return Some(Found { at: start..end, to, strong: true }),
                Sparse => {
                    let like = |c: Option<char>| {
                        c.is_some_and(|c| {
                            c.is_ascii_digit() || of(c).is_some_and(|(_, sort)| matches!(sort, Plain | Sparse))
                        })
                    };
                    let strong = like(self.before(start)) || like(self.behind(end));
                    return Some(Found { at: start..end, to, strong });
                }
                Weak => return Some(Found { at: start..end, to, strong: false }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        view(text).map(|view| view.text)
    }

    #[test]
    fn tables_are_in_order() {
        assert!(ROWS.is_sorted_by(|a, b| a.1 < b.0));
        assert!(ROWS.iter().all(|row| row.0 <= row.1));
        assert!(LOOKALIKES.is_sorted_by(|a, b| a.0 < b.0));
        for (char, to) in LOOKALIKES {
            assert_eq!(lookalike(*char), Some(*to), "{char}");
        }
        // What is alphanumeric by the standard library and a digit is one here.
        for char in (0xA0..0x1_0000).filter_map(char::from_u32) {
            if let Some((to, _)) = of(char) {
                assert!(to.is_none_or(|to| to.is_ascii()), "{char:?}");
            }
        }
    }

    #[test]
    fn characters_are_read_as_what_they_look_like() {
        for (text, plain) in [
            ("4111\u{200b}1111", "41111111"),
            ("4\u{ad}1\u{2060}\u{feff}1", "411"),
            ("ｂｏｂ＠ｅｘａｍｐｌｅ．ｏｒｇ", "bob@example.org"),
            ("４１１１－１１１１", "4111-1111"),
            ("𝐛𝐨𝐛 𝟒𝟏 𝒈ℎ 𝔗ℜ 𝕫ℤ", "bob 41 gh TR zZ"),
            ("٤١١١ ۴۱ ४१ ๔๑ 𑁪", "4111 41 41 41 4"),
            ("ⓐⓑⓒ ①② x¹² ₃₄ ᵃᵇ ᴀʙ", "abc 12 x12 34 ab AB"),
            ("4111\u{a0}1111\u{2009}１", "4111 1111 1"),
            ("594‑62–0１", "594-62-01"),
            ("bob﹫example.org", "bob@example.org"),
            ("раypal іgnоrе ѕecret", "paypal ignore secret"),
            ("Αpple", "Apple"),
            ("the сосоа", "the cocoa"),
            ("4\u{336}1\u{336}1\u{336}", "411"),
            ("\u{e0068}\u{e0069}\u{e0020}\u{e0031}", "hi 1"),
            ("a\u{202e}b", "ab"),
            ("🄱🄾🄱", "BOB"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(plain), "{text}");
        }
    }

    #[test]
    fn honest_text_has_no_view() {
        for text in [
            "",
            "plain",
            "naïve façade — “quoted” text, l’été, 10 %",
            "el 1º de mayo, la 2ª vez",
            "pages 10–20, 5\u{a0}km, m², CO₂, a ① b",
            "❤️ 👩‍💻 🏳️‍🌈 1️⃣ one 👍🏽",
            "Комитет собрался во вторник. Он сказал: «Все хорошо», и у нас USB-кабель на 5А.",
            "Ο Θεός είναι αγάπη. Η επιτροπή.",
            "委员会在星期二开会，（见第三页）：好。",
            "می‌خواهم",
            "\u{feff}start",
            "e\u{301}te\u{301}",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn the_way_back_is_exact() {
        let text = "x 4111\u{200b}1111\u{200b} ｂob";
        let view = view(text).unwrap();
        assert_eq!(view.text, "x 41111111 bob");
        assert_eq!(view.way.exact(2..10), 2..13);
        assert_eq!(view.way.exact(6..10), 9..13);
        assert_eq!(view.way.exact(2..6), 2..6);
        assert_eq!(view.way.exact(11..14), 17..22);
    }
}
