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

/// One of the shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard(u16);

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
        let mut answer = None;
        self.transact(shard(id), &mut |open| {
            answer = Some(open.change(id, window, change)?);
            Ok(())
        })?;
        answer.ok_or(HostError::Failed)
    }

    /// Changes counters of one shard, all of them or none. `act` may be called more than once, and sees them as of now.
    ///
    /// # Errors
    /// `act` failed, the store failed, or it was too busy.
    pub fn transact(
        &mut self,
        shard: Shard,
        act: &mut dyn FnMut(&mut Open<'_, '_>) -> Result<(), HostError>,
    ) -> Result<(), HostError> {
        let key = name(self.namespace, shard);
        for _ in 0..ATTEMPTS {
            let stored = self.host.load(&key)?;
            // The shards are created before a worker serves: where none is there, two workers might both create it.
            let stored = stored.ok_or(HostError::Failed)?;
            let mut open = Open { table: Table::read(stored.value), ledger: self };
            act(&mut open)?;
            let table = open.table;
            match self.host.store(&key, table.bytes(), Some(stored.version)) {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => *self.conflicts = self.conflicts.saturating_add(1),
                Err(StoreError::Failed) => return Err(HostError::Failed),
            }
        }
        Err(HostError::Failed)
    }
}

/// One shard that is being changed.
pub(super) struct Open<'t, 'l> {
    table: Table,
    ledger: &'t mut Ledger<'l>,
}

impl Open<'_, '_> {
    /// Changes one counter of this shard.
    ///
    /// # Errors
    /// The store failed, or has no room for another counter.
    pub fn change<T>(
        &mut self,
        id: &Id,
        window: &Window,
        change: &mut dyn FnMut(&mut Counter, Place, &Alive) -> T,
    ) -> Result<T, HostError> {
        let Ledger { namespace, now_millis, alive, host, .. } = &mut *self.ledger;
        let place = window.place(*now_millis);
        let mut counter = self.table.find(id);
        if counter.holders().any(|generation| !alive.knows(generation)) {
            alive.look(namespace, *now_millis, *host)?;
        }
        counter.advance(place, alive);
        let answer = change(&mut counter, place, alive);
        match self.table.put(id, &counter, place.end, *now_millis / 1000) {
            true => Ok(answer),
            false => Err(HostError::Failed),
        }
    }
}

/// Creates the shards that are not there. Called while a worker is configured, before it serves.
///
/// # Errors
/// The store failed.
pub(super) fn prepare(namespace: &str, host: &mut dyn Host) -> Result<(), HostError> {
    let shards = (0..SHARDS).map(|shard| name(namespace, Shard(shard)));
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

/// Where a counter stands.
pub(super) fn shard(id: &Id) -> Shard {
    let [low, high, ..] = *id;
    Shard(u16::from_le_bytes([low, high]) % SHARDS)
}

fn name(namespace: &str, Shard(shard): Shard) -> String {
    ["doorward/", namespace, "/limits/", &shard.to_string()].concat()
}
