//! What is kept of callers in the shared store, changed by compare-and-swap: a fixed set of shards, each a bounded table.
//!
//! A full table forgets who was seen least recently. Only proven callers have entries, so that nobody who makes names up drives
//! others out.

mod table;

pub(crate) use table::{HEAD, Id, Parts, Table, identity};

use crate::host::{Host, HostError, StoreError};

/// Attempts of a compare-and-swap. Each failed one means that another worker succeeded.
const ATTEMPTS: u32 = 64;

/// Makes what is kept from now on of what was, and an answer.
type Change<'a, T> = dyn FnMut(Option<&[u8]>) -> (Vec<u8>, T) + 'a;

/// One set of shards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shards {
    /// What is kept: a part of the keys.
    pub name: &'static str,
    /// How many shards.
    pub count: u16,
    /// Bytes of one at most.
    pub max_bytes: usize,
}

impl Shards {
    /// Creates the shards that are not there. Called while a worker is configured, before it serves: where none is there later, two
    /// workers might both create it.
    ///
    /// # Errors
    /// The store failed.
    pub fn prepare(&self, namespace: &str, host: &mut dyn Host) -> Result<(), HostError> {
        for shard in 0..self.count {
            let key = self.key(namespace, shard);
            if host.load(&key)?.is_none() {
                match host.store(&key, &[], None) {
                    Ok(()) | Err(StoreError::Conflict) => {}
                    Err(StoreError::Failed) => return Err(HostError::Failed),
                }
            }
        }
        Ok(())
    }

    /// What is kept of `id`.
    ///
    /// # Errors
    /// The store failed.
    pub fn load(&self, namespace: &str, id: &Id, host: &mut dyn Host) -> Result<Option<Vec<u8>>, HostError> {
        let stored = host.load(&self.shard(namespace, id))?.ok_or(HostError::Failed)?;
        Ok(Table::read(stored.value).find(id).map(<[u8]>::to_vec))
    }

    /// Changes what is kept of `id`, seen now. `change` may be called more than once.
    ///
    /// # Errors
    /// The store failed or was too busy.
    pub fn change<T>(
        &self,
        namespace: &str,
        id: &Id,
        now_secs: u64,
        host: &mut dyn Host,
        change: &mut Change<'_, T>,
    ) -> Result<T, HostError> {
        let key = self.shard(namespace, id);
        for _ in 0..ATTEMPTS {
            let stored = host.load(&key)?.ok_or(HostError::Failed)?;
            let mut table = Table::read(stored.value);
            let (kept, answer) = change(table.find(id));
            if !table.put(id, now_secs, &kept) {
                return Err(HostError::Failed);
            }
            while table.bytes().len() > self.max_bytes {
                if !table.drop_oldest(id) {
                    return Err(HostError::Failed);
                }
            }
            match host.store(&key, table.bytes(), Some(stored.version)) {
                Ok(()) => return Ok(answer),
                Err(StoreError::Conflict) => {}
                Err(StoreError::Failed) => return Err(HostError::Failed),
            }
        }
        Err(HostError::Failed)
    }

    fn shard(&self, namespace: &str, id: &Id) -> String {
        let [low, high, ..] = *id;
        self.key(namespace, u16::from_le_bytes([low, high]) % self.count.max(1))
    }

    fn key(&self, namespace: &str, shard: u16) -> String {
        format!("doorward/{namespace}/{}/{shard}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::MemoryHost;

    #[test]
    fn a_full_shard_forgets_who_was_seen_least_recently() {
        let shards = Shards { name: "test", count: 1, max_bytes: 10 * (HEAD + 100) };
        let mut host = MemoryHost::default();
        assert_eq!(shards.load("p", &[1; 16], &mut host), Err(HostError::Failed));
        shards.prepare("p", &mut host).unwrap();
        for n in 0..25u8 {
            shards.change("p", &[n; 16], u64::from(n), &mut host, &mut |_| (vec![n; 100], ())).unwrap();
            // The first one comes again and again.
            shards.change("p", &[0; 16], u64::from(n), &mut host, &mut |_| (vec![0; 100], ())).unwrap();
        }
        assert!(host.shared.values().all(|s| s.value.len() <= shards.max_bytes));
        let mut kept = |n: u8| shards.load("p", &[n; 16], &mut host).unwrap().is_some();
        assert!(kept(0) && kept(24) && !kept(1));
    }
}
