//! A bounded table of entries, as bytes. Envoy's shared store cannot delete, so there is never a key per caller: a fixed set of
//! shards holds one table each.
//!
//! An entry: 2 bytes of its whole length, 16 of identity, 8 of a stamp in seconds since 1970 (all little endian), and what is
//! kept. What the stamp means, and which entry gives way when a table is full, is up to who keeps it.

use blake2b_simd::{Params, State};

/// Bytes of an entry beside what it keeps.
pub(crate) const HEAD: usize = 26;

/// The identity of an entry.
pub(crate) type Id = [u8; 16];

/// The entries of one shard.
#[derive(Debug)]
pub(crate) struct Table(Vec<u8>);

/// One entry.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub stamp: u64,
    pub kept: &'a [u8],
    whole: &'a [u8],
}

impl Table {
    /// Takes stored bytes. Bytes that are no table (which only another writer could have left) are an empty one.
    pub fn read(bytes: Vec<u8>) -> Self {
        let table = Self(bytes);
        let whole = table.entries().map(|e| e.whole.len()).sum::<usize>() == table.0.len();
        if whole { table } else { Self(Vec::new()) }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What is kept of `id`.
    pub fn find(&self, id: &Id) -> Option<&[u8]> {
        self.entries().find(|entry| entry.is(id)).map(|entry| entry.kept)
    }

    /// Keeps bytes of `id`, in the place of what was kept of it. Answers whether an entry can be so long.
    #[must_use]
    pub fn put(&mut self, id: &Id, stamp: u64, kept: &[u8]) -> bool {
        let Ok(length) = u16::try_from(HEAD.saturating_add(kept.len())) else { return false };
        let mut entry = Vec::with_capacity(usize::from(length));
        entry.extend_from_slice(&length.to_le_bytes());
        entry.extend_from_slice(id);
        entry.extend_from_slice(&stamp.to_le_bytes());
        entry.extend_from_slice(kept);
        let mut at = 0;
        let found = self.entries().find_map(|e| {
            let start = at;
            at += e.whole.len();
            e.is(id).then_some(start..at)
        });
        match found {
            Some(range) if range.len() == entry.len() => {
                if let Some(old) = self.0.get_mut(range) {
                    old.copy_from_slice(&entry);
                }
            }
            Some(range) => drop(self.0.splice(range, entry)),
            None => self.0.extend_from_slice(&entry),
        }
        true
    }

    /// Drops the entries that `keeps` does not want.
    pub fn retain(&mut self, keeps: impl Fn(Entry<'_>) -> bool) {
        let kept = self.entries().filter(|entry| keeps(*entry)).flat_map(|entry| entry.whole).copied().collect();
        self.0 = kept;
    }

    /// Drops the entry with the lowest stamp that is not of `id`. Answers whether there was one.
    pub fn drop_oldest(&mut self, id: &Id) -> bool {
        let others = self.entries().filter(|entry| !entry.is(id));
        let Some(oldest) = others.map(|entry| (entry.stamp, entry.whole.as_ptr())).min_by_key(|(stamp, _)| *stamp)
        else {
            return false;
        };
        self.retain(|entry| entry.whole.as_ptr() != oldest.1);
        true
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let length = usize::from(u16::from_le_bytes(*rest.first_chunk::<2>()?));
            let (whole, left) = rest.split_at_checked(length)?;
            let (head, kept) = whole.split_at_checked(HEAD)?;
            rest = left;
            Some(Entry { stamp: u64::from_le_bytes(*head.last_chunk()?), kept, whole })
        })
    }
}

impl Entry<'_> {
    fn is(&self, id: &Id) -> bool {
        self.whole.get(2..18) == Some(id)
    }
}

/// The identity of an entry: every part carries its length, so that no two lists of parts are one.
pub(crate) fn identity(parts: &[&[u8]]) -> Id {
    parts.iter().fold(Parts::default(), |parts, part| parts.with(part)).identity()
}

/// The parts of an identity so far, for BLAKE2b: most fit into one block of it.
#[derive(Clone, Debug)]
pub(crate) struct Parts(State);

impl Default for Parts {
    fn default() -> Self {
        Self(Params::new().hash_length(size_of::<Id>()).to_state())
    }
}

impl Parts {
    pub fn with(mut self, part: &[u8]) -> Self {
        self.0.update(&(part.len() as u64).to_le_bytes()).update(part);
        self
    }

    pub fn identity(self) -> Id {
        let mut id = Id::default();
        for (to, from) in id.iter_mut().zip(self.0.finalize().as_bytes()) {
            *to = *from;
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_and_never_the_own() {
        let mut table = Table::read(Vec::new());
        for n in 0..4u8 {
            assert!(table.put(&[n; 16], 10 - u64::from(n), &[n; 3]));
        }
        assert!(table.drop_oldest(&[3; 16]));
        assert_eq!(table.find(&[3; 16]), Some(&[3u8; 3][..]));
        assert_eq!(table.find(&[2; 16]), None);
        assert!(table.put(&[1; 16], 20, b"longer than before"));
        let mut table = Table::read(table.bytes().to_vec());
        assert_eq!(table.find(&[1; 16]), Some(&b"longer than before"[..]));
        assert_eq!(table.find(&[0; 16]), Some(&[0u8; 3][..]));
        table.retain(|entry| entry.stamp > 19);
        assert_eq!(table.bytes().len(), HEAD + 18);
        assert!(!table.drop_oldest(&[1; 16]));
        assert!(!table.put(&[9; 16], 0, &[0; 70_000]));
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(identity(&[b"ab", b"c"]), identity(&[b"a", b"bc"]));
    }
}
