//! The counters of one shard: a bounded table ([`crate::shards`]) in which no counter whose window goes on is forgotten for
//! another. The stamp of an entry is the second when its window is over.

use super::counter::Counter;
use crate::shards::{HEAD, Table as Entries};

pub(super) use crate::shards::Id;

/// What one shard holds at most. An idle counter takes 44 to 108 bytes, one with reservations 24 more for each VM that made
/// any: a thousand counters of months, some 300 of sliding windows that are used all the time.
const MAX_BYTES: usize = 32 * 1024;

/// The counters of one shard.
#[derive(Debug)]
pub(super) struct Table(Entries);

impl Table {
    /// Takes stored bytes. Bytes that are no table (which only another writer could have left) are an empty one.
    pub fn read(bytes: Vec<u8>) -> Self {
        Self(Entries::read(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The counter of `id`, a new one where there is none.
    pub fn find(&self, id: &Id) -> Counter {
        self.0.find(id).and_then(Counter::read).unwrap_or_default()
    }

    /// Puts a counter in, whose window is over at `over` (seconds since 1970). Answers whether there was room: no counter whose
    /// window goes on is forgotten for another.
    #[must_use]
    pub fn put(&mut self, id: &Id, counter: &Counter, over: u64, now: u64) -> bool {
        let mut bytes = Vec::with_capacity(128);
        counter.write(&mut bytes);
        if self.0.find(id).is_none() {
            let full = |table: &Entries| table.bytes().len() + HEAD + bytes.len() > MAX_BYTES;
            if full(&self.0) {
                // What is over, and nobody holds anything of.
                self.0.retain(|e| e.stamp > now || Counter::read(e.kept).is_some_and(|counter| !counter.is_idle()));
            }
            if full(&self.0) {
                return false;
            }
        }
        self.0.put(id, over, &bytes)
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
        assert!(longer.reserve(7, 1, Lease { amount: 1, floor: 0 }));
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
        assert!(held.reserve(7, 1, Lease { amount: 1, floor: 0 }));
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
