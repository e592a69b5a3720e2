//! A bounded table of counters, as bytes. Envoy's shared store cannot delete, so there is never a key per caller: a fixed set of
//! shards holds one table each.
//!
//! An entry: 2 bytes of its whole length, 16 of identity, 8 of the second when its window is over (all little endian), and the
//! counter (`counter.rs`).

use super::counter::Counter;

const HEAD: usize = 26;

/// What one shard holds at most. An idle counter takes 44 to 108 bytes, one with reservations 24 more for each VM that made
/// any: a thousand counters of months, some 300 of sliding windows that are used all the time.
const MAX_BYTES: usize = 32 * 1024;

/// The identity of a counter.
pub(super) type Id = [u8; 16];

/// The counters of one shard.
#[derive(Debug)]
pub(super) struct Table(Vec<u8>);

impl Table {
    /// Takes stored bytes. Bytes that are no table (which only another writer could have left) are an empty one.
    pub fn read(bytes: Vec<u8>) -> Self {
        let table = Self(bytes);
        let whole = table.entries().map(|e| e.len()).sum::<usize>() == table.0.len();
        if whole { table } else { Self(Vec::new()) }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The counter of `id`, a new one where there is none.
    pub fn find(&self, id: &Id) -> Counter {
        let entry = self.entries().find(|entry| entry.get(2..18) == Some(id));
        entry.and_then(|entry| Counter::read(entry.get(HEAD..)?)).unwrap_or_default()
    }

    /// Puts a counter in, whose window is over at `over` (seconds since 1970). Answers whether there was room: no counter whose
    /// window goes on is forgotten for another.
    #[must_use]
    pub fn put(&mut self, id: &Id, counter: &Counter, over: u64, now: u64) -> bool {
        let mut entry = Vec::with_capacity(HEAD + 128);
        entry.extend_from_slice(&[0; 2]);
        entry.extend_from_slice(id);
        entry.extend_from_slice(&over.to_le_bytes());
        counter.write(&mut entry);
        let Ok(length) = u16::try_from(entry.len()) else { return false };
        entry.splice(0..2, length.to_le_bytes());

        let mut at = 0;
        let found = self.entries().find_map(|e| {
            let start = at;
            at += e.len();
            (e.get(2..18) == Some(id)).then_some(start..at)
        });
        match found {
            Some(range) if range.len() == entry.len() => {
                if let Some(old) = self.0.get_mut(range) {
                    old.copy_from_slice(&entry);
                }
            }
            Some(range) => drop(self.0.splice(range, entry)),
            None => {
                if self.0.len() + entry.len() > MAX_BYTES {
                    self.forget(now);
                }
                if self.0.len() + entry.len() > MAX_BYTES {
                    return false;
                }
                self.0.extend_from_slice(&entry);
            }
        }
        true
    }

    /// Drops counters whose window is over and that nobody holds anything of.
    fn forget(&mut self, now: u64) {
        let goes_on = |entry: &[u8]| {
            let over = entry.get(18..26).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
            over > now || entry.get(HEAD..).and_then(Counter::read).is_some_and(|counter| !counter.is_idle())
        };
        let kept = self.entries().filter(|entry| goes_on(entry)).flatten().copied().collect();
        self.0 = kept;
    }

    fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let length = usize::from(u16::from_le_bytes(*rest.first_chunk::<2>()?));
            if length < HEAD {
                return None;
            }
            let (entry, left) = rest.split_at_checked(length)?;
            rest = left;
            Some(entry)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::alive::Alive;
    use super::super::counter::Lease;
    use super::super::window::Place;
    use super::*;

    fn id(n: usize) -> Id {
        (n as u128).to_le_bytes()
    }

    fn used(amount: u64) -> Counter {
        let place = Place { index: 1, parts: 1, end: 0 };
        let mut counter = Counter::default();
        counter.advance(place, &Alive::only(1));
        counter.add(amount, place);
        counter
    }

    #[test]
    fn counters_are_found_again_whatever_their_length() {
        let mut table = Table::read(Vec::new());
        for n in 0..20 {
            assert!(table.put(&id(n), &used(n as u64), 60, 0));
        }
        let mut longer = used(5);
        assert!(longer.reserve(7, Lease { amount: 1, floor: 0 }));
        assert!(table.put(&id(3), &longer, 60, 0));
        assert!(table.put(&id(5), &used(50), 60, 0));
        let table = Table::read(table.bytes().to_vec());
        assert_eq!(table.find(&id(3)), longer);
        assert_eq!(table.find(&id(5)).used(), 50);
        assert_eq!(table.find(&id(19)).used(), 19);
        assert_eq!(table.find(&id(99)), Counter::default());
    }

    #[test]
    fn a_full_table_forgets_only_what_is_over() {
        let mut table = Table::read(Vec::new());
        let mut held = used(1);
        assert!(held.reserve(7, Lease { amount: 1, floor: 0 }));
        assert!(table.put(&id(0), &held, 60, 0));
        let mut n = 1;
        while table.put(&id(n), &used(1), 60, 0) {
            n += 1;
        }
        assert!(n > 500 && table.bytes().len() <= MAX_BYTES, "{n}");
        assert!(!table.put(&id(n), &used(1), 120, 59));
        // What is there already goes on.
        assert!(table.put(&id(5), &used(2), 60, 59));
        assert!(table.put(&id(n), &used(1), 120, 60));
        assert_eq!(table.find(&id(0)), held);
        assert_eq!(table.find(&id(5)), Counter::default());
    }

    #[test]
    fn foreign_bytes_are_an_empty_table() {
        assert_eq!(Table::read(b"not a table".to_vec()).bytes(), b"");
        let mut table = Table::read(Vec::new());
        assert!(table.put(&id(1), &used(1), 60, 0));
        let mut cut = table.bytes().to_vec();
        cut.pop();
        assert_eq!(Table::read(cut).bytes(), b"");
    }
}
