//! The shared counters at one moment, as one VM reaches them: those of one shard are changed at once, and before each is changed, what
//! this VM owes it is settled.

use super::Limits;
use super::alive::Alive;
use super::count::Found;
use super::counter::{Counter, Lease};
use super::ledger::{self, Ledger, Open, Shard};
use super::limit::Limit;
use super::purse::{Debts, Purse, Room, Seen, Taken};
use super::table::Id;
use super::window::Place;
use crate::exchange::Time;
use crate::host::{Host, HostError};

/// What the shared counters are reached with.
pub struct Counters<'a> {
    /// The policy's name: a prefix in the shared store.
    pub namespace: std::borrow::Cow<'a, str>,
    /// Now.
    pub at: Time,
    /// This VM's part in them.
    pub(crate) vm: &'a mut Vm,
    /// The shared store.
    pub host: &'a mut dyn Host,
    /// Compare-and-swaps that another worker was faster at: added to.
    pub conflicts: &'a mut u64,
}

/// One VM's part in the shared counters.
#[derive(Debug, Default)]
pub(crate) struct Vm {
    /// Which VMs run beside it: what others that are gone had reserved is free again.
    alive: Alive,
    pub(super) purse: Purse,
}

/// A counter that is to be changed.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The limit's place.
    pub place: usize,
    pub limit: &'a Limit,
    pub id: Id,
    /// What the limit grants; where something is given back, what was used of it.
    pub amount: u64,
    /// What is taken of it, or was.
    pub lease: Lease,
}

/// When, and by whom a counter is changed.
#[derive(Clone, Copy)]
pub(super) struct Visit {
    /// Where the counter's window stands.
    pub place: Place,
    /// This VM.
    pub generation: u32,
    /// Whether more calls of it are expected soon.
    pub in_use: bool,
}

/// Changes a counter, and says how it was found.
pub(super) type Change<'c, 'w, T> = dyn FnMut(&Wanted<'w>, &mut Counter, Visit) -> Result<T, HostError> + 'c;

impl Vm {
    /// A VM that is about to serve.
    ///
    /// # Errors
    /// The host failed.
    pub fn draw(host: &mut dyn Host) -> Result<Self, HostError> {
        Ok(Self { alive: Alive::draw(host)?, purse: Purse::default() })
    }

    /// Which one it is.
    #[cfg(test)]
    pub fn generation(&self) -> u32 {
        self.alive.own()
    }
}

impl Counters<'_> {
    /// Tells that this VM runs before it holds anything that others could take for lost.
    pub(super) fn beat(&mut self) -> Result<(), HostError> {
        match self.vm.alive.is_due(self.at.millis()) {
            true => self.vm.alive.beat(&self.namespace, self.at.millis(), self.host),
            false => Ok(()),
        }
    }

    /// Reserves what a request needs of counters, where it fits, and where it refuses nothing in any case; `open`: it may use more
    /// than it says. What this VM's purse has is taken from there, and all else from the shared store; counters that are in use all
    /// the time are reserved for calls to come, too. Answers how each counter was found, if it could be changed.
    pub(super) fn reserve(&mut self, wanted: &[Wanted<'_>], open: bool) -> (Vec<Option<Found>>, Result<(), HostError>) {
        let mut found: Vec<_> = wanted.iter().map(|want| self.take(want)).collect();
        let missing = wanted.iter().zip(&found).filter(|(_, found)| found.is_none());
        let missing: Vec<_> = missing.map(|(want, _)| *want).collect();
        let mut stored = Vec::new();
        let outcome = self.reserve_stored(&missing, open, &mut stored);
        for (found, stored) in found.iter_mut().filter(|found| found.is_none()).zip(stored) {
            *found = stored;
        }
        (found, outcome)
    }

    fn take(&mut self, want: &Wanted<'_>) -> Option<Found> {
        let now = self.at.millis();
        let Taken { used, room } = self.vm.purse.take(&want.id, want.lease, want.amount, now)?;
        let end = want.limit.window.place(now).end;
        Some(Found { used, fits: true, room, end, ..Found::default() })
    }

    fn reserve_stored(
        &mut self,
        wanted: &[Wanted<'_>],
        open: bool,
        found: &mut Vec<Option<Found>>,
    ) -> Result<(), HostError> {
        let (vms, at) = (self.vm.alive.count(), self.at);
        let outcome = self.change(wanted, found, &mut |want, counter, visit| {
            let Wanted { limit, amount, lease, .. } = *want;
            let used = counter.used().saturating_add(counter.reserved());
            let left = amount.saturating_sub(used);
            let fits = lease.amount.max(u64::from(open && limit.kind.is_used())) <= left;
            let short = lease.amount.saturating_sub(left).max(1);
            // What others have reserved may come back at any time.
            let frees = if short <= counter.reserved() { None } else { counter.frees(short) };
            let used = used.saturating_add(lease.amount);
            // By what the one has left who may have the least of it.
            let room = Room::of(limit.least(at.secs()).saturating_sub(used), vms, at.millis());
            let ahead = if fits && visit.in_use { room.ahead(lease) } else { 0 };
            if fits || !limit.refuses() {
                let calls = ahead.saturating_add(1);
                if !counter.reserve(visit.generation, calls, lease.times(calls)) {
                    return Err(HostError::Failed);
                }
            }
            Ok(Found { used, fits, ahead, room, frees, end: visit.place.end })
        });
        for (want, found) in wanted.iter().zip(found.iter()) {
            let Some(Found { used, fits, ahead, room, .. }) = *found else { continue };
            if fits || !want.limit.refuses() {
                let lease = want.lease.times(ahead);
                let seen = Seen { taken: used.saturating_add(lease.amount), room };
                self.vm.purse.fill(&want.id, ahead, lease, seen);
            }
        }
        outcome
    }

    /// Changes counters, those of one shard at once: what `change` answers is in `found` where the shard was stored. Every shard is
    /// tried, whatever came of the others.
    pub(super) fn change<'w, T>(
        &mut self,
        wanted: &[Wanted<'w>],
        found: &mut Vec<Option<T>>,
        change: &mut Change<'_, 'w, T>,
    ) -> Result<(), HostError> {
        found.resize_with(wanted.len(), || None);
        let generation = self.vm.alive.own();
        let mut result = Ok(());
        for (first, want) in wanted.iter().enumerate() {
            let shard = ledger::shard(&want.id);
            let of_shard = |want: &Wanted<'_>| ledger::shard(&want.id) == shard;
            if wanted.iter().take(first).any(of_shard) {
                continue;
            }
            let outcome = self.transact(shard, &mut |open, debts| {
                for (want, found) in wanted.iter().zip(found.iter_mut()).filter(|(want, _)| of_shard(want)) {
                    *found = Some(open.change(&want.id, &want.limit.window, &mut |counter, place, _| {
                        let in_use = debts.pay(&want.id, generation, counter, place);
                        change(want, counter, Visit { place, generation, in_use })
                    })??);
                }
                Ok(())
            });
            if outcome.is_err() {
                let lost = wanted.iter().zip(found.iter_mut()).filter(|(want, _)| of_shard(want));
                lost.for_each(|(_, found)| *found = None);
            }
            result = result.and(outcome);
        }
        result
    }

    /// Settles all that this VM owes, one shard after the other. What the store does not take waits on.
    ///
    /// # Errors
    /// The store failed or was too busy for some of it.
    pub(super) fn pay(&mut self, limits: &Limits) -> Result<(), HostError> {
        let generation = self.vm.alive.own();
        let shards = self.vm.purse.shards();
        let each = shards.into_iter().map(|shard| {
            self.transact(shard, &mut |open, debts| {
                while let Some((limit, id)) = debts.next() {
                    let Some(limit) = limits.0.get(limit) else { continue };
                    let outcome = open.change(&id, &limit.window, &mut |counter, place, _| {
                        debts.pay(&id, generation, counter, place);
                    });
                    if outcome.is_err() {
                        // One for which there is no room any more waits on, and keeps nothing else from being changed.
                        debts.keep(&id);
                    }
                }
                Ok(())
            })
        });
        each.fold(Ok(()), Result::and)
    }

    /// Changes one shard, and tells the purse what of it was settled.
    fn transact(
        &mut self,
        shard: Shard,
        act: &mut dyn FnMut(&mut Open<'_, '_>, &mut Debts<'_>) -> Result<(), HostError>,
    ) -> Result<(), HostError> {
        let Vm { alive, purse } = &mut *self.vm;
        let (namespace, now_millis) = (&*self.namespace, self.at.millis());
        let mut ledger = Ledger { namespace, now_millis, alive, host: self.host, conflicts: self.conflicts };
        let mut debts = purse.of(shard);
        ledger.transact(shard, &mut |open| {
            // Another worker may have been faster: nothing is settled yet.
            debts.begin();
            act(open, &mut debts)
        })?;
        debts.settled();
        Ok(())
    }

    pub(super) fn ledger(&mut self) -> Ledger<'_> {
        Ledger {
            namespace: &self.namespace,
            now_millis: self.at.millis(),
            alive: &mut self.vm.alive,
            host: self.host,
            conflicts: self.conflicts,
        }
    }
}
