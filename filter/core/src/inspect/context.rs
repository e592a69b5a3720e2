//! Words around a candidate. They are looked up only where a candidate stands, never over the whole text.

use super::work;

/// Context words of a detector: ASCII words as hashes, others as they are written.
pub(super) struct Words {
    ascii: &'static [u32],
    others: &'static [&'static str],
}

impl Words {
    /// `ascii` from [`hashes`]; `others` are matched as substrings, byte for byte (scripts without spaces).
    pub(super) const fn new(ascii: &'static [u32], others: &'static [&'static str]) -> Self {
        Self { ascii, others }
    }

    /// How many bytes before `start` the nearest of the words ends, looking back at most `reach` bytes.
    pub(super) fn before(&self, bytes: &[u8], start: usize, reach: usize) -> Option<usize> {
        let from = start.saturating_sub(reach);
        let end = self.last_in(bytes, from, start)?;
        Some(start - end)
    }

    /// Whether one of the words starts within `reach` bytes after `end`.
    pub(super) fn after(&self, bytes: &[u8], end: usize, reach: usize) -> bool {
        self.last_in(bytes, end, end.saturating_add(reach)).is_some()
    }

    /// Whether one of the words stands within `reach` bytes on either side.
    pub(super) fn near(&self, bytes: &[u8], start: usize, end: usize, reach: usize) -> bool {
        self.before(bytes, start, reach).is_some() || self.after(bytes, end, reach)
    }

    /// The end of the last of the words in the window. A word is a run of ASCII letters, cut where camel
    /// case turns (`phoneNumber` is two), with one that the window cuts into left out.
    fn last_in(&self, bytes: &[u8], from: usize, to: usize) -> Option<usize> {
        let window = bytes.get(from..to.min(bytes.len()))?;
        work::add(window.len());
        let mut last = None;
        let mut hash = SEED;
        let mut previous = super::bytes::before(bytes, from);
        let mut cut = previous.is_ascii_alphabetic();
        for (i, &byte) in window.iter().chain(std::iter::once(&b' ')).enumerate() {
            let turns = byte.is_ascii_uppercase() && previous.is_ascii_lowercase();
            if !byte.is_ascii_alphabetic() || turns {
                if hash != SEED && !cut && self.ascii.contains(&hash) {
                    last = Some(from + i);
                }
                hash = SEED;
                cut = false;
            }
            if byte.is_ascii_alphabetic() {
                hash = step(hash, byte);
            }
            previous = byte;
        }
        if !window.is_ascii() {
            for word in self.others {
                let found = window.windows(word.len()).rposition(|w| w == word.as_bytes());
                last = last.max(found.map(|i| from + i + word.len()));
            }
        }
        last
    }
}

/// The hashes of lower-case ASCII words, for [`Words::new`].
#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
pub(super) const fn hashes<const N: usize>(words: [&str; N]) -> [u32; N] {
    let mut out = [0; N];
    let mut i = 0;
    while i < N {
        let word = words[i].as_bytes();
        let mut hash = SEED;
        let mut k = 0;
        while k < word.len() {
            assert!(word[k].is_ascii_lowercase(), "context words are lower-case ASCII letters");
            hash = step(hash, word[k]);
            k += 1;
        }
        out[i] = hash;
        i += 1;
    }
    out
}

/// FNV-1a, 32 bits, over folded letters.
const SEED: u32 = 0x811C_9DC5;

const fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ byte.to_ascii_lowercase() as u32).wrapping_mul(0x0100_0193)
}

#[cfg(test)]
mod tests {
    use super::*;

    static PHONE: Words = Words::new(&hashes(["phone", "tel"]), &["电话"]);

    #[test]
    fn words_are_whole_and_folded() {
        for (text, distance) in [
            ("Phone: 1", Some(2)),
            ("phoneNumber=1", Some(7)),
            ("PHONE_NO 1", Some(4)),
            ("microphone 1", None),
            ("hotel 1", None),
            ("tel1", Some(0)),
            ("电话1", Some(0)),
            ("phone tel 1", Some(1)),
        ] {
            let start = text.len() - 1;
            assert_eq!(PHONE.before(text.as_bytes(), start, 48), distance, "{text}");
        }
        // The window starts inside `microphone`.
        assert_eq!(PHONE.before(b"microphone 1", 11, 6), None);
        assert!(PHONE.after(b"1 (tel)", 1, 8));
        assert!(!PHONE.after(b"1 then something and tel", 1, 8));
    }
}
