//! Byte classes and bounds-checked looks into a text.

/// A set of bytes, as a table.
pub(super) struct Set([bool; 256]);

impl Set {
    /// The ASCII letters and digits named by `classes` (`a` lower-case letters, `A` upper-case letters,
    /// `0` digits, `f` and `F` the hex letters) and the bytes of `others`.
    #[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
    pub(super) const fn new(classes: &[u8], others: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            let b = byte as u8;
            table[byte] = (contains(classes, b'a') && b.is_ascii_lowercase())
                || (contains(classes, b'A') && b.is_ascii_uppercase())
                || (contains(classes, b'0') && b.is_ascii_digit())
                || (contains(classes, b'f') && b >= b'a' && b <= b'f')
                || (contains(classes, b'F') && b >= b'A' && b <= b'F')
                || contains(others, b);
            byte += 1;
        }
        Self(table)
    }

    /// Every byte but white space, control characters and `bytes`.
    #[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
    pub(super) const fn except(bytes: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            let b = byte as u8;
            table[byte] = b > b' ' && b != 0x7F && !contains(bytes, b);
            byte += 1;
        }
        Self(table)
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).copied().unwrap_or(false)
    }

    /// How many bytes from `at` on are in the set, at most `limit`.
    pub(super) fn run(&self, bytes: &[u8], at: usize, limit: usize) -> usize {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = rest.iter().take(limit).take_while(|b| self.contains(**b)).count();
        super::work::add(length + 1);
        length
    }

    /// How many bytes before `at` are in the set, at most `limit`.
    pub(super) fn run_back(&self, bytes: &[u8], at: usize, limit: usize) -> usize {
        let before = bytes.get(..at).unwrap_or_default();
        let length = before.iter().rev().take(limit).take_while(|b| self.contains(**b)).count();
        super::work::add(length + 1);
        length
    }
}

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn contains(list: &[u8], byte: u8) -> bool {
    let mut i = 0;
    while i < list.len() {
        if list[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

pub(super) static DIGIT: Set = Set::new(b"0", b"");
pub(super) static HEX: Set = Set::new(b"0fF", b"");
pub(super) static ALPHA: Set = Set::new(b"aA", b"");
pub(super) static ALNUM: Set = Set::new(b"aA0", b"");
/// Letters, digits and `_`: `\w`.
pub(super) static WORD: Set = Set::new(b"aA0", b"_");
/// base64url, and most vendors' token alphabet.
pub(super) static URL64: Set = Set::new(b"aA0", b"_-");

/// The byte at `at`, and NUL beyond either end.
pub(super) fn at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The byte before `at`, and NUL at the start.
pub(super) fn before(bytes: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |i| self::at(bytes, i))
}

/// Whether `literal` stands at `at`, letter for letter.
pub(super) fn stands(bytes: &[u8], at: usize, literal: &str) -> bool {
    bytes.get(at..at.saturating_add(literal.len())) == Some(literal.as_bytes())
}

/// Whether `literal` stands at `at` in any (ASCII) case.
pub(super) fn stands_folded(bytes: &[u8], at: usize, literal: &str) -> bool {
    bytes.get(at..at.saturating_add(literal.len())).is_some_and(|b| b.eq_ignore_ascii_case(literal.as_bytes()))
}

/// Whether the letter before `at` belongs to an escape sequence written as two characters (`\n`, `\r`, `\t`),
/// as in JSON inside JSON: it then separates, although it is a letter.
pub(super) fn escape_before(bytes: &[u8], at: usize) -> bool {
    matches!(before(bytes, at), b'n' | b'r' | b't') && at.checked_sub(2).is_some_and(|i| self::at(bytes, i) == b'\\')
}

/// The first place of `needle` in `bytes` from `from` on, before `to`.
pub(super) fn find(bytes: &[u8], needle: &str, from: usize, to: usize) -> Option<usize> {
    let window = bytes.get(from..to.min(bytes.len()))?;
    let first = needle.as_bytes().first()?;
    let starts = window.iter().enumerate().filter(|(_, b)| *b == first).map(|(i, _)| i);
    let found = starts.into_iter().find(|i| stands(window, *i, needle));
    super::work::add(found.unwrap_or(window.len()));
    found.map(|i| from + i)
}
/// What may close a quoted or emphasised word.
pub(super) static CLOSE: Set = Set::new(b"", b"\"'`*\\])");
