//! A bounded table of counters, as bytes: 16 of identity, 8 of the window's end (seconds, little endian), 4 of count.

const ENTRY: usize = 28;

/// Live counters in one shard at most: 28 KB. With 64 shards that is 65,536 callers in one window.
const MAX_ENTRIES: usize = 1024;

/// The counters of one shard.
pub(super) struct Table(Vec<u8>);

impl Table {
    /// Takes stored bytes. Bytes that are no table (which only another writer could have left) are an empty one.
    pub fn read(bytes: &[u8]) -> Self {
        if bytes.len().is_multiple_of(ENTRY) { Self(bytes.to_vec()) } else { Self(Vec::new()) }
    }

    pub fn write(self) -> Vec<u8> {
        self.0
    }

    /// Adds one to the counter of `id` in the window that ends at `window_end`. `None`: the table is full of live
    /// counters, none of which may be forgotten.
    pub fn add(&mut self, id: [u8; 16], window_end: u64, now: u64) -> Option<u32> {
        for entry in self.0.chunks_exact_mut(ENTRY) {
            let (entry_id, rest) = entry.split_at_mut_checked(16)?;
            if entry_id != id {
                continue;
            }
            let (end, count) = rest.split_at_mut_checked(8)?;
            let current = u64::from_le_bytes((&*end).try_into().ok()?);
            let used = u32::from_le_bytes((&*count).try_into().ok()?);
            // A clock that went back must not open a new window.
            let used = if current >= window_end { used.saturating_add(1) } else { 1 };
            end.copy_from_slice(&current.max(window_end).to_le_bytes());
            count.copy_from_slice(&used.to_le_bytes());
            return Some(used);
        }
        if self.0.len() / ENTRY >= MAX_ENTRIES {
            self.forget(now);
        }
        if self.0.len() / ENTRY >= MAX_ENTRIES {
            return None;
        }
        self.0.extend_from_slice(&id);
        self.0.extend_from_slice(&window_end.to_le_bytes());
        self.0.extend_from_slice(&1u32.to_le_bytes());
        Some(1)
    }

    /// Drops counters whose window has ended.
    fn forget(&mut self, now: u64) {
        let live = |entry: &[u8]| {
            let end = entry.get(16..24).and_then(|e| e.try_into().ok()).map_or(0, u64::from_le_bytes);
            end > now
        };
        self.0 = self.0.chunks_exact(ENTRY).filter(|e| live(e)).flatten().copied().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> [u8; 16] {
        (n as u128).to_le_bytes()
    }

    #[test]
    fn windows_start_anew() {
        let mut table = Table::read(&[]);
        assert_eq!(table.add(id(1), 60, 10), Some(1));
        assert_eq!(table.add(id(1), 60, 11), Some(2));
        assert_eq!(table.add(id(2), 60, 11), Some(1));
        let mut table = Table::read(&table.write());
        assert_eq!(table.add(id(1), 120, 61), Some(1));
        // The clock went back.
        assert_eq!(table.add(id(1), 60, 59), Some(2));
    }

    #[test]
    fn a_full_table_forgets_only_ended_windows() {
        let mut table = Table::read(&[]);
        for n in 0..MAX_ENTRIES {
            assert_eq!(table.add(id(n), 60, 0), Some(1));
        }
        assert_eq!(table.add(id(MAX_ENTRIES), 60, 59), None);
        assert_eq!(table.add(id(5), 60, 59), Some(2));
        assert_eq!(table.add(id(MAX_ENTRIES), 120, 60), Some(1));
        assert_eq!(table.write().len(), ENTRY);
    }

    #[test]
    fn foreign_bytes_are_an_empty_table() {
        assert_eq!(Table::read(b"not a table").add(id(1), 60, 0), Some(1));
    }
}
