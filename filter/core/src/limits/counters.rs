//! The shared counters at one moment, as one VM reaches them: those of one shard are changed at once, and with them is settled what
//! this VM owes there.

use super::Limits;
use super::alive::Alive;
use super::counter::{Counter, Lease};
use super::ledger::{self, Ledger, Open, Shard};
use super::limit::Limit;
use super::owed::{Debts, Owed};
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
    pub(super) owed: Owed,
}

/// A counter that is to be changed.
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

/// Changes a counter that stands at an instant, for this VM's generation, and says how it was found.
pub(super) type Change<'c, 'w, T> = dyn FnMut(&Wanted<'w>, &mut Counter, Place, u32) -> Result<T, HostError> + 'c;

impl Vm {
    /// A VM that is about to serve.
    ///
    /// # Errors
    /// The host failed.
    pub fn draw(host: &mut dyn Host) -> Result<Self, HostError> {
        Ok(Self { alive: Alive::draw(host)?, owed: Owed::default() })
    }

    /// How many VMs there are.
    pub(super) fn count(&self) -> u64 {
        self.alive.count()
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

    /// Changes counters, those of one shard at once: what `change` answers is in `found` where the shard was stored. Every shard is
    /// tried, whatever came of the others.
    pub(super) fn change<'w, T>(
        &mut self,
        limits: &Limits,
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
            let outcome = self.transact(limits, shard, &mut |open, debts| {
                for (want, found) in wanted.iter().zip(found.iter_mut()).filter(|(want, _)| of_shard(want)) {
                    *found = Some(open.change(&want.id, &want.limit.window, &mut |counter, place, _| {
                        debts.pay(&want.id, generation, counter, place);
                        change(want, counter, place, generation)
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

    /// Changes one shard, and settles there what this VM owes it.
    pub(super) fn transact(
        &mut self,
        limits: &Limits,
        shard: Shard,
        act: &mut dyn FnMut(&mut Open<'_, '_>, &mut Debts<'_>) -> Result<(), HostError>,
    ) -> Result<(), HostError> {
        let Vm { alive, owed } = &mut *self.vm;
        let generation = alive.own();
        let (namespace, now_millis) = (&*self.namespace, self.at.millis());
        let mut ledger = Ledger { namespace, now_millis, alive, host: self.host, conflicts: self.conflicts };
        let mut debts = owed.of(shard);
        ledger.transact(shard, &mut |open| {
            // Another worker may have been faster: nothing is settled yet.
            debts.begin();
            act(open, &mut debts)?;
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
