//! Words around a candidate. They are looked up only where a candidate stands, never over the whole text.
//!
//! A word is a run of Latin letters, cut where camel case turns (`phoneNumber` is two); letters count without
//! their case and accents (`Téléphone` is `telephone`). Words of other scripts are matched as they are.

use super::bytes;
use super::work;

/// Context words of a detector.
pub(super) struct Words {
    /// Hashes of the words in Latin letters.
    latin: &'static [u32],
    /// A bit for each of them: most words of a text stop here.
    filter: [u64; FILTER],
    others: &'static [&'static str],
    /// A bit for the first two bytes of each of these.
    starts: u64,
}

const FILTER: usize = 16;

/// The longest word in Latin letters; longer runs are none.
const LONGEST: usize = 36;

impl Words {
    /// Through [`words!`].
    pub(super) const fn new(latin: &'static [u32], others: &'static [&'static str]) -> Self {
        Self { latin, filter: filter(latin), others, starts: starts(others) }
    }

    /// Of the words in Latin letters.
    pub(super) fn hashes(&self) -> &'static [u32] {
        self.latin
    }

    /// The words of other scripts.
    pub(super) fn others(&self) -> &'static [&'static str] {
        self.others
    }

    /// How many bytes before `start` the nearest of the words ends, looking back at most `reach` bytes.
    pub(super) fn before(&self, bytes: &[u8], start: usize, reach: usize) -> Option<usize> {
        let [distance] = Self::nearest([self], bytes, start, reach);
        distance
    }

    /// The same for several lists at once.
    pub(super) fn nearest<const N: usize>(
        lists: [&Words; N],
        bytes: &[u8],
        start: usize,
        reach: usize,
    ) -> [Option<usize>; N] {
        let mut distances = [None; N];
        let mut missing = N;
        let limit = start.saturating_sub(reach);
        let mut end = start;
        while missing > 0
            && let Some(token) = Token::last(bytes, limit, end)
        {
            for (list, distance) in lists.iter().zip(&mut distances) {
                if distance.is_none()
                    && let Some(end) = list.end_of(bytes, &token)
                {
                    *distance = Some(start.saturating_sub(end));
                    missing -= 1;
                }
            }
            end = token.start;
        }
        work::add(start - limit + 1);
        distances
    }

    /// Whether one of the words starts within `reach` bytes after `end`.
    pub(super) fn after(&self, bytes: &[u8], end: usize, reach: usize) -> bool {
        behind(bytes, end, reach).any(|token| self.end_of(bytes, &token).is_some())
    }

    /// Where the word of this list ends that is the token, or starts there.
    fn end_of(&self, bytes: &[u8], token: &Token) -> Option<usize> {
        match token.hash {
            Some(hash) => (passes(&self.filter, hash) && self.latin.contains(&hash)).then_some(token.end),
            None => {
                let text = bytes.get(token.start..)?;
                let [first, second] = *text.first_chunk::<2>()?;
                if self.starts >> starts_place(first, second) & 1 == 0 {
                    return None;
                }
                let stands = |word: &&&str| {
                    matches!(word.as_bytes(), [a, b, ..] if *a == first && *b == second)
                        && text.starts_with(word.as_bytes())
                };
                self.others.iter().find(stands).map(|word| token.start + word.len())
            }
        }
    }
}

/// The words within `reach` bytes before `start`, the last first.
pub(super) fn before(bytes: &[u8], start: usize, reach: usize) -> impl Iterator<Item = Token> {
    let limit = start.saturating_sub(reach);
    let mut end = start;
    work::add(start - limit + 1);
    std::iter::from_fn(move || {
        let token = Token::last(bytes, limit, end)?;
        end = token.start;
        Some(token)
    })
}

/// The words that start within `reach` bytes after `end`, the last first: they are read backwards, as all are.
pub(super) fn behind(bytes: &[u8], end: usize, reach: usize) -> impl Iterator<Item = Token> {
    work::add(reach);
    let limit = bytes.len().min(end.saturating_add(reach));
    let mut at = limit;
    std::iter::from_fn(move || {
        loop {
            let token = Token::last(bytes, end, at)?;
            at = token.start;
            // One that the window cuts into is left out.
            let cut = token.end == limit && letter(bytes, limit).is_some();
            // A part of a host's name (`eve@acme.org`) says nothing of a number before it.
            let host = matches!(bytes::before(bytes, token.start), b'.' | b'@');
            if !cut && !host {
                return Some(token);
            }
        }
    })
}

/// A word in Latin letters, or the place of a character of another script.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) hash: Option<u32>,
}

impl Token {
    /// The last one that ends after `limit`, and at `end` or before. A word that goes on before `limit` is none.
    fn last(bytes: &[u8], limit: usize, end: usize) -> Option<Self> {
        let mut end = end;
        loop {
            let window = bytes.get(limit..end)?;
            end = limit + window.iter().rposition(|b| b.is_ascii_alphabetic() || *b >= 0x80)? + 1;
            let last = bytes::before(bytes, end);
            if last < 0x80 || letter_before(bytes, end).is_some() {
                return Some(Self::latin(bytes, limit, end));
            }
            // Words of other scripts are looked for at each of their characters.
            if last >= 0xC0 {
                return Some(Self { start: end - 1, end, hash: None });
            }
            end -= 1;
        }
    }

    /// The run of Latin letters that ends at `end`.
    fn latin(bytes: &[u8], limit: usize, end: usize) -> Self {
        let mut start = end;
        let mut hash = SEED;
        let mut length = 0;
        let mut capital = false;
        let mut cut = false;
        loop {
            let (byte, width) = match bytes::before(bytes, start) {
                byte if byte.is_ascii_alphabetic() => (byte, 1),
                0x80.. => match letter_before(bytes, start) {
                    Some(letter) => letter,
                    None => break,
                },
                _ => break,
            };
            if capital && width == 1 && byte.is_ascii_lowercase() {
                // Going back from a capital: the lower-case letter before it ends another word.
                break;
            }
            if start <= limit || length == LONGEST {
                cut = true;
                break;
            }
            capital |= byte.is_ascii_uppercase();
            hash = step(hash, byte);
            start -= width;
            length += 1;
        }
        Self { start, end, hash: Some(if cut { SEED } else { hash }) }
    }
}

/// The Latin letter that ends at `end`, without accents, and its width.
#[inline]
fn letter_before(bytes: &[u8], end: usize) -> Option<(u8, usize)> {
    match bytes.get(..end)? {
        [.., b] if b.is_ascii_alphabetic() => Some((*b, 1)),
        [.., lead @ 0xC3..=0xC5, b @ 0x80..=0xBF] => {
            let index = usize::from(lead - 0xC3) * 64 + usize::from(b - 0x80);
            FOLDED.get(index).filter(|b| b.is_ascii_lowercase()).map(|b| (*b, 2))
        }
        _ => None,
    }
}

/// The Latin letter that starts at `at`.
fn letter(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    letter_before(bytes, at + 1).or_else(|| letter_before(bytes, at + 2))
}

/// A letter without case and, if it is a Latin one, without accents.
pub(super) fn fold(c: char) -> u32 {
    let index = (c as usize).wrapping_sub(0xC0);
    match FOLDED.get(index) {
        Some(folded) if folded.is_ascii_lowercase() => u32::from(*folded),
        _ => c.to_lowercase().next().map_or(0, u32::from),
    }
}

/// U+00C0 to U+017F without case and accents.
const FOLDED: &[u8; 192] = b"\
    aaaaaaaceeeeiiiidnooooo-ouuuuytsaaaaaaaceeeeiiiidnooooo-ouuuuyty\
    aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll\
    lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// [`Words`] from words in Latin letters, in one string, lower case, without accents and separated by spaces;
/// and words of other scripts.
macro_rules! words {
    ($ascii:literal $(, $($other:literal)+)?) => {{
        const HASHES: [u32; $crate::inspect::context::count($ascii)] = $crate::inspect::context::hashes($ascii);
        $crate::inspect::context::Words::new(&HASHES, &[$($($other),+)?])
    }};
}
pub(super) use words;

/// How many words `list` has, each followed or preceded by one space.
#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
pub(super) const fn count(list: &str) -> usize {
    let list = list.as_bytes();
    let mut count = 1;
    let mut i = 0;
    while i < list.len() {
        count += (list[i] == b' ') as usize;
        i += 1;
    }
    count
}

/// The hashes of the words of `list`.
#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
pub(super) const fn hashes<const N: usize>(list: &str) -> [u32; N] {
    let list = list.as_bytes();
    let mut out = [SEED; N];
    let mut word = 0;
    // Backwards, as words are read.
    let mut i = list.len();
    while i > 0 {
        i -= 1;
        if list[i] == b' ' {
            word += 1;
        } else {
            assert!(list[i].is_ascii_lowercase(), "context words are lower-case ASCII letters");
            out[word] = step(out[word], list[i]);
        }
    }
    out
}

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn filter(hashes: &[u32]) -> [u64; FILTER] {
    let mut out = [0; FILTER];
    let mut i = 0;
    while i < hashes.len() {
        let place = hashes[i] as usize % (FILTER * 64);
        out[place / 64] |= 1 << (place % 64);
        i += 1;
    }
    out
}

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn starts(words: &[&str]) -> u64 {
    let mut out = 0;
    let mut i = 0;
    while i < words.len() {
        let word = words[i].as_bytes();
        out |= 1 << starts_place(word[0], word[1]);
        i += 1;
    }
    out
}

const fn starts_place(first: u8, second: u8) -> u32 {
    (second as u32 ^ (first as u32) << 3) & 63
}

fn passes(filter: &[u64; FILTER], hash: u32) -> bool {
    let place = hash as usize % (FILTER * 64);
    filter.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
}

/// FNV-1a, 32 bits, over folded letters.
pub(super) const SEED: u32 = 0x811C_9DC5;

const fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ byte.to_ascii_lowercase() as u32).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::*;

    static PHONE: Words = words!("phone tel telefono", "电话" "тел");

    #[test]
    fn words_are_whole_and_folded() {
        for (text, distance) in [
            ("Phone: 1", Some(2)),
            ("phoneNumber=1", Some(7)),
            ("PHONE_NO 1", Some(4)),
            ("Phone1", Some(0)),
            ("microphone 1", None),
            ("hotel 1", None),
            ("tel1", Some(0)),
            ("Teléfono 1", Some(1)),
            ("étel 1", None),
            ("TELÉFONO 1", Some(1)),
            ("电话1", Some(0)),
            ("(тел) 1", Some(2)),
            ("phone tel 1", Some(1)),
            ("", None),
        ] {
            let start = text.len().saturating_sub(1);
            assert_eq!(PHONE.before(text.as_bytes(), start, 48), distance, "{text}");
        }
        // The window starts inside `microphone`, and at the word.
        assert_eq!(PHONE.before(b"microphone 1", 11, 6), None);
        assert_eq!(PHONE.before(b"a phone 1", 8, 6), Some(1));
        assert!(PHONE.after(b"1 (tel)", 1, 8));
        assert!(PHONE.after("1 (电话)".as_bytes(), 1, 9));
        assert!(!PHONE.after(b"1 eve@acme.tel", 1, 14) && !PHONE.after(b"1 eve@tel.com", 1, 13));
        assert!(!PHONE.after(b"1 telling", 1, 4));
        assert!(!PHONE.after(b"1 then something and tel", 1, 8));
        assert!(PHONE.after(b"1 tel", 1, 8) && !PHONE.after(b"1 fax", 1, 8));
    }

    #[test]
    fn the_nearest_of_each_list() {
        static FAX: Words = words!("fax");
        assert_eq!(Words::nearest([&PHONE, &FAX], b"phone fax 1", 10, 48), [Some(5), Some(1)]);
        assert_eq!(Words::nearest([&PHONE, &FAX], b"phone 1", 6, 48), [Some(1), None]);
    }
}
