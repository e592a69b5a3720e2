//! A look into a text that may go on.

use std::cell::Cell;

use super::super::{bytes, context, work};

/// A text, and whether anybody wanted to know what stands behind its end: what was decided without that stays so,
/// whatever follows.
pub(in super::super) struct Reader<'t> {
    bytes: &'t [u8],
    /// No more text comes.
    over: bool,
    short: Cell<bool>,
}

/// A letter: folded (no case, no accents), its width, whether it is a capital.
#[derive(Clone, Copy)]
pub(super) struct Letter {
    pub(super) folded: u32,
    pub(super) width: usize,
    pub(super) upper: bool,
}

/// A run of letters, cut where camel case turns.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Word {
    pub(super) start: usize,
    pub(in super::super) end: usize,
    pub(in super::super) hash: u32,
    /// Whether it starts with a capital, and whether all are.
    pub(super) capital: bool,
    pub(super) capitals: bool,
    pub(super) letters: usize,
}

/// Words are read so far: a longer one has no hash that anybody knows.
pub(in super::super) const LONGEST: usize = 40;

impl<'t> Reader<'t> {
    pub(in super::super) fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, over: false, short: Cell::new(false) }
    }

    /// A text behind whose end there is nothing.
    pub(in super::super) fn whole(bytes: &'t [u8]) -> Self {
        Self { bytes, over: true, short: Cell::new(false) }
    }

    /// The byte at `at`; NUL behind the end.
    #[inline]
    pub(super) fn at(&self, at: usize) -> u8 {
        work::add(1);
        match self.bytes.get(at) {
            Some(byte) => *byte,
            None => {
                self.short.set(!self.over);
                0
            }
        }
    }

    /// The byte before `at`; NUL at the start.
    pub(super) fn before(&self, at: usize) -> u8 {
        bytes::before(self.bytes, at)
    }

    /// Whether anything behind the end was asked for since the last [`Reader::begin`].
    pub(super) fn is_short(&self) -> bool {
        self.short.get()
    }

    pub(super) fn begin(&self) {
        self.short.set(false);
    }

    pub(super) fn bytes(&self) -> &'t [u8] {
        self.bytes
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'t [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Whether `literal`, in lower case, stands at `at` in any case.
    pub(super) fn stands(&self, at: usize, literal: &str) -> bool {
        literal.bytes().enumerate().all(|(i, b)| self.at(at + i).to_ascii_lowercase() == b)
    }

    /// How many bytes from `at` on fulfil `test`, at most `limit`.
    pub(super) fn run(&self, at: usize, limit: usize, test: impl Fn(u8) -> bool) -> usize {
        (0..limit).find(|i| !test(self.at(at + i))).unwrap_or(limit)
    }

    pub(super) fn spaces(&self, at: usize, limit: usize) -> usize {
        at + self.run(at, limit, |b| b == b' ')
    }

    /// The digits at `at`: how many (at most `limit` + 1), and their number.
    pub(super) fn digits(&self, at: usize, limit: usize) -> (usize, u32) {
        let length = self.run(at, limit + 1, |b| b.is_ascii_digit());
        let number = self.slice(at, at + length).iter().take(9);
        (length, number.fold(0, |n, b| n * 10 + u32::from(b.wrapping_sub(b'0'))))
    }

    /// The letter at `at`: Latin, Greek or Cyrillic.
    pub(super) fn letter(&self, at: usize) -> Option<Letter> {
        let byte = self.at(at);
        if byte.is_ascii_alphabetic() {
            let folded = u32::from(byte.to_ascii_lowercase());
            return Some(Letter { folded, width: 1, upper: byte.is_ascii_uppercase() });
        }
        if !is_lead(byte) {
            return None;
        }
        let code = (u32::from(byte) & 0x1F) << 6 | u32::from(self.at(at + 1) & 0x3F);
        let (folded, upper) = match code {
            // Most of Cyrillic, which whole texts are in.
            0x430..=0x45F => (code, false),
            0x410..=0x42F => (code + 0x20, true),
            0x400..=0x40F => (code + 0x50, true),
            _ => {
                let char = char::from_u32(code).filter(|c| c.is_alphabetic())?;
                (context::fold(char), char.is_uppercase())
            }
        };
        Some(Letter { folded, width: 2, upper })
    }

    /// Whether a letter or digit stands at `at`.
    pub(super) fn alnum(&self, at: usize) -> bool {
        let byte = self.at(at);
        byte.is_ascii_alphanumeric() || is_lead(byte)
    }

    /// The word at `at`, as far as camel case lets it go.
    pub(in super::super) fn word(&self, at: usize) -> Option<Word> {
        let mut word = Word { start: at, end: at, hash: context::SEED, capital: false, capitals: true, letters: 0 };
        let mut lower = false;
        loop {
            let byte = self.at(word.end);
            let letter = match byte {
                b'a'..=b'z' => Letter { folded: u32::from(byte), width: 1, upper: false },
                b'A'..=b'Z' if !lower => Letter { folded: u32::from(byte | 0x20), width: 1, upper: true },
                0x80.. => match self.letter(word.end) {
                    Some(letter) => letter,
                    None => break,
                },
                _ => break,
            };
            if word.letters == LONGEST {
                word.hash = 0;
                return Some(word);
            }
            word.capital |= word.letters == 0 && letter.upper;
            word.capitals &= letter.upper;
            lower = letter.width == 1 && !letter.upper;
            word.hash = step(word.hash, letter.folded);
            word.end += letter.width;
            word.letters += 1;
        }
        (word.letters > 0).then_some(word)
    }
}

/// The first bytes of Latin letters with accents, of Greek and of Cyrillic.
pub(super) fn is_lead(byte: u8) -> bool {
    matches!(byte, 0xC3..=0xC5 | 0xCE..=0xD1)
}

/// FNV-1a over folded letters.
pub(super) const fn step(hash: u32, folded: u32) -> u32 {
    (hash ^ folded).wrapping_mul(0x0100_0193)
}

/// The hash of a word of a table: lower case, without accents.
pub(super) fn hash(word: &str) -> u32 {
    word.chars().fold(context::SEED, |hash, c| step(hash, u32::from(c)))
}

/// A list of words, by hash.
pub(in super::super) struct List<const N: usize>([u32; N]);

impl<const N: usize> List<N> {
    /// Of lower-case words without accents, one space between two.
    #[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
    pub(in super::super) const fn new(words: &str) -> Self {
        let words = words.as_bytes();
        let mut out = [context::SEED; N];
        let mut word = 0;
        let mut i = 0;
        while i < words.len() {
            if words[i] == b' ' {
                word += 1;
            } else {
                out[word] = step(out[word], words[i] as u32);
            }
            i += 1;
        }
        // By insertion: looked up by halving.
        let mut i = 1;
        while i < N {
            let mut j = i;
            while j > 0 && out[j - 1] > out[j] {
                let last = out[j];
                out[j] = out[j - 1];
                out[j - 1] = last;
                j -= 1;
            }
            i += 1;
        }
        Self(out)
    }

    pub(in super::super) fn has(&self, hash: u32) -> bool {
        work::add(1);
        self.0.binary_search(&hash).is_ok()
    }
}

/// A [`List`] of words.
macro_rules! list {
    ($name:ident, $words:literal) => {
        static $name: $crate::inspect::labels::reader::List<{ $crate::inspect::context::count($words) }> =
            $crate::inspect::labels::reader::List::new($words);
    };
}
pub(in super::super) use list;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_folded_as_unicode_has_them() {
        for code in 0x80..0x500 {
            let char = char::from_u32(code).unwrap();
            let text = char.to_string();
            let letter = Reader::whole(text.as_bytes()).letter(0).map(|l| (l.folded, l.width, l.upper));
            let leads = is_lead(text.as_bytes()[0]) && char.is_alphabetic();
            let expected = leads.then(|| (context::fold(char), 2, char.is_uppercase()));
            assert_eq!(letter, expected, "{char:?}");
        }
    }
}
