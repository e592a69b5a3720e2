//! The second prefilter pass: where one of a few hundred literals (a token's prefix, a keyword) stands.
//!
//! Every three bytes of the text, folded, are hashed into a bit map of 8 KB; only where the bit is set are
//! the literals that have those bytes compared. That is one load and a test per byte, in a table
//! that stays in the first cache, whatever the number of literals. One branch judges six bytes.

use crate::sort;

/// Under this factor few of the common three letters of English and of code fall together with those of a literal.
const HASH: u32 = 0x381D_0D00;
const BITS: u32 = 16;
const BUCKETS: u32 = 10;

/// A literal to look for.
struct Entry {
    key: u32,
    /// Where in the literal the hashed bytes stand.
    offset: u8,
    literal: Box<str>,
    /// Whether case matters.
    exact: bool,
    id: u16,
}

/// Compiled literals.
pub(super) struct Anchors {
    map: Box<[u32; 1 << (BITS - 5)]>,
    /// Where each bucket of `entries` starts; one more than there are buckets.
    starts: Box<[u16]>,
    entries: Vec<Entry>,
}

impl Anchors {
    /// From `(literal, whether case matters, id)`; literals have at least three ASCII bytes. Of those
    /// that are not `in_order`, the rarest three bytes are hashed and not the first.
    pub(super) fn new(
        literals: impl Iterator<Item = (impl Into<Box<str>>, bool, u16)>,
        in_order: impl Fn(u16) -> bool,
    ) -> Self {
        let mut entries: Vec<Entry> = literals
            .filter_map(|(literal, exact, id)| {
                let literal = literal.into();
                let offset = if in_order(id) { 0 } else { rarest(literal.as_bytes()) };
                let (head, _) = literal.as_bytes().get(offset..)?.split_first_chunk::<3>()?;
                let key = key(head);
                Some(Entry { key, offset: offset as u8, literal, exact, id })
            })
            .collect();
        sort::cold(&mut entries, |a, b| (bucket(a.key), a.key) < (bucket(b.key), b.key));
        let mut map = Box::new([0u32; 1 << (BITS - 5)]);
        for entry in &entries {
            let hash = hash(entry.key);
            if let Some(word) = map.get_mut((hash >> 5) as usize) {
                *word |= 1 << (hash & 31);
            }
        }
        let starts = (0..=1u32 << BUCKETS)
            .map(|b| entries.partition_point(|e| bucket(e.key) < b) as u16)
            .collect::<Vec<_>>()
            .into_boxed_slice();
        Self { map, starts, entries }
    }

    /// What is looked for.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.literal)
    }

    /// Calls `found(start, id)` for every place of every literal that starts at `from` or behind it, in the order of
    /// the bytes that are hashed: of their starts, where they are `in_order`.
    pub(super) fn scan(&self, bytes: &[u8], from: usize, mut found: impl FnMut(usize, u16)) {
        let mut at = from;
        // Eight bytes are loaded at once, and begin with the windows of six bytes.
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let folded = u64::from_le_bytes(*chunk) | 0x2020_2020_2020_2020;
            let windows: [u32; 6] = std::array::from_fn(|i| (folded >> (8 * i)) as u32);
            if windows.iter().fold(0, |any, window| any | self.look(*window)) & 1 == 1 {
                for (i, window) in windows.iter().enumerate() {
                    if self.look(*window) & 1 == 1 {
                        self.verify(bytes, from, at + i, *window & WINDOW, &mut found);
                    }
                }
            }
            at += windows.len();
        }
        let rest = bytes.get(at..).unwrap_or_default();
        for (i, window) in rest.windows(3).enumerate() {
            self.verify(bytes, from, at + i, key(window), &mut found);
        }
    }

    /// A look into the map for a window in the lower three bytes: the last bit, if the bytes may be those of a literal.
    #[inline]
    fn look(&self, window: u32) -> u32 {
        let hash = hash(window);
        self.map.get((hash >> 5) as usize).map_or(0, |word| word >> (hash & 31))
    }

    #[inline(never)]
    fn verify(&self, bytes: &[u8], from: usize, hashed: usize, key: u32, found: &mut impl FnMut(usize, u16)) {
        let first = from;
        let bucket = bucket(key) as usize;
        let from = self.starts.get(bucket).copied().unwrap_or(0);
        let to = self.starts.get(bucket + 1).copied().unwrap_or(0);
        for entry in self.entries.get(usize::from(from)..usize::from(to)).unwrap_or_default() {
            super::work::add(1);
            let stands = if entry.exact { super::bytes::stands } else { super::bytes::stands_folded };
            let start = hashed.checked_sub(usize::from(entry.offset)).filter(|start| *start >= first);
            if let Some(start) = start.filter(|start| entry.key == key && stands(bytes, *start, &entry.literal)) {
                found(start, entry.id);
            }
        }
    }
}

/// Where the three bytes of a word stand that are met least in other words.
fn rarest(word: &[u8]) -> usize {
    /// From common to rare; whatever is no letter is rare.
    const LETTERS: &[u8] = b"etaoinsrlcdhumpgfybwvkxjqz";
    /// Common ones that look rare by their letters.
    const COMMON: &[u8] = b"comingtheandblefulprosubconappifyypeforkeyabllasfachublinimplifplarivsonurcsumtypredkenfigfingitkervisautessaccsecageterityinecressitabtryookorydistly---earassdenokeord";
    let rank = |b: &u8| LETTERS.iter().position(|l| l.eq_ignore_ascii_case(b)).unwrap_or(LETTERS.len());
    let rarity = |three: &[u8]| {
        let common = COMMON.chunks(3).any(|common| common.eq_ignore_ascii_case(three));
        if common { 0 } else { three.iter().map(rank).sum() }
    };
    let mut best = (0, 0);
    for (offset, three) in word.windows(3).enumerate() {
        let rarity: usize = rarity(three);
        if rarity > best.0 {
            best = (rarity, offset);
        }
    }
    best.1
}

/// Three bytes as a window, folded: letters lose their case (and `_` and DEL, `@` and the grave accent and the like
/// become one, which only costs a comparison).
fn key(three: &[u8]) -> u32 {
    three.iter().rev().fold(0, |window, byte| window << 8 | u32::from(*byte | 0x20))
}

/// The bytes of a window. What stands above them does not count: the lowest byte of the factor is none.
const WINDOW: u32 = 0xFF_FFFF;

#[inline]
fn hash(window: u32) -> u32 {
    window.wrapping_mul(HASH) >> (32 - BITS)
}

fn bucket(window: u32) -> u32 {
    window.wrapping_mul(HASH) >> (32 - BUCKETS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_naive_search_finds() {
        let literals = ["ghp_", "gho_", "xox", "AKIA", "password"];
        let anchors = Anchors::new(literals.iter().zip(0..).map(|(l, id)| (*l, id < 4, id)), |id| id == 2);
        let text = "xoxxox ghp_gho_ AKIAKIA akia PassWord passwor password ghp";
        let mut expected = Vec::new();
        for start in 0..text.len() {
            for (id, literal) in literals.iter().enumerate() {
                let rest = text.get(start..).unwrap();
                let folded = rest.to_ascii_lowercase();
                if rest.starts_with(literal) || (id == 4 && folded.starts_with(literal)) {
                    expected.push((start, id as u16));
                }
            }
        }
        let mut found = Vec::new();
        anchors.scan(text.as_bytes(), 0, |start, id| found.push((start, id)));
        found.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(found.len(), 8);
    }
}
