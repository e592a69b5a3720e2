//! Counters in the shared store, changed by compare-and-swap: exact for all workers of a process.

use super::alive::{self, Alive};
use super::counter::Counter;
use super::table::{Id, Table};
use super::window::{Place, Window};
use crate::host::{Host, HostError, StoreError};

/// Shards of the store: enough that workers rarely meet on one, and that a table stays short. 16 MB when all are full.
const SHARDS: u16 = 512;

/// Attempts of a compare-and-swap before the store counts as unavailable. Each failed one means that another worker
/// succeeded.
const ATTEMPTS: u32 = 256;

/// Access to the counters of one policy, at one moment.
pub(super) struct Ledger<'a> {
    pub namespace: &'a str,
    pub now_millis: u64,
    pub alive: &'a mut Alive,
    pub host: &'a mut dyn Host,
    /// Compare-and-swaps that another worker was faster at.
    pub conflicts: &'a mut u64,
}

impl Ledger<'_> {
    /// Changes one counter, which `change` sees as of now. It may be called more than once.
    ///
    /// # Errors
    /// The store failed, was too busy, or has no room for another counter.
    pub fn change<T>(
        &mut self,
        id: &Id,
        window: &Window,
        change: &mut dyn FnMut(&mut Counter, Place, &Alive) -> T,
    ) -> Result<T, HostError> {
        let key = shard(self.namespace, id);
        let place = window.place(self.now_millis);
        for _ in 0..ATTEMPTS {
            let stored = self.host.load(&key)?;
            // The shards are created before a worker serves: where none is there, two workers might both create it.
            let stored = stored.ok_or(HostError::Failed)?;
            let mut table = Table::read(stored.value);
            let mut counter = table.find(id);
            if counter.holders().any(|generation| !self.alive.knows(generation)) {
                self.alive.look(self.namespace, self.now_millis, self.host)?;
            }
            counter.advance(place, self.alive);
            let answer = change(&mut counter, place, self.alive);
            if !table.put(id, &counter, place.end, self.now_millis / 1000) {
                return Err(HostError::Failed);
            }
            match self.host.store(&key, table.bytes(), Some(stored.version)) {
                Ok(()) => return Ok(answer),
                Err(StoreError::Conflict) => *self.conflicts = self.conflicts.saturating_add(1),
                Err(StoreError::Failed) => return Err(HostError::Failed),
            }
        }
        Err(HostError::Failed)
    }
}

/// Creates the shards that are not there. Called while a worker is configured, before it serves.
///
/// # Errors
/// The store failed.
pub(super) fn prepare(namespace: &str, host: &mut dyn Host) -> Result<(), HostError> {
    let shards = (0..SHARDS).map(|shard| name(namespace, shard));
    for key in shards.chain([alive::key(namespace)]) {
        if host.load(&key)?.is_none() {
            match host.store(&key, &[], None) {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(StoreError::Failed) => return Err(HostError::Failed),
            }
        }
    }
    Ok(())
}

fn shard(namespace: &str, id: &Id) -> String {
    let [low, high, ..] = *id;
    name(namespace, u16::from_le_bytes([low, high]) % SHARDS)
}

fn name(namespace: &str, shard: u16) -> String {
    format!("doorward/{namespace}/limits/{shard}")
}
