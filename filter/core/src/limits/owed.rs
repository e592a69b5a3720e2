//! What this VM has yet to settle.
//!
//! A call that is over is settled by changing its counters once more: as much work as admitting it was. While so much is left of a
//! limit that nobody could tell the difference, that can wait for the next change of the same shard, which comes with the next
//! request of the same caller, or for the next tick. Until then more is held back than need be, never less. A counter that all
//! callers have in common is changed half as often so, and workers meet at it half as often.
//!
//! What waits is a small part of what was left when its calls were admitted, however many end at once; and nothing waits of which
//! more was used than reserved, or where too many counters wait already. A VM that traps does not settle what waits: what surely went
//! out stays used, as for its calls that still go on.

use super::counter::{Counter, Lease};
use super::ledger::{Shard, shard};
use super::table::Id;
use super::window::Place;

/// Counters at most: a tick that settles them all takes a millisecond or two.
const MAX_COUNTERS: usize = 64;

/// Which part of what is left may wait, in all VMs together: one in so many. Calls must take up all the others within a tick before
/// one is refused for what could have been settled.
const PART: u64 = 8;

/// What waits to be settled.
#[derive(Debug, Default)]
pub(super) struct Owed(Vec<Debt>);

/// Calls of one counter.
#[derive(Debug)]
struct Debt {
    /// The limit's place.
    limit: usize,
    id: Id,
    /// How many; none where all are settled.
    calls: u32,
    /// What was reserved for them.
    lease: Lease,
    /// What they used.
    used: u64,
    /// Some came since the last tick.
    recent: bool,
}

/// What is owed to one shard.
pub(super) struct Debts<'a> {
    shard: Shard,
    owed: &'a mut Owed,
    /// Those that were settled, a bit for each.
    settled: u64,
    /// Where to look for the next one.
    next: usize,
}

const _: () = assert!(MAX_COUNTERS <= u64::BITS as usize);

/// How much of a counter may wait in one of so many VMs, where so much is left of its limit.
pub(super) fn room(left: u64, vms: u64) -> u64 {
    left / vms.max(1).saturating_mul(PART)
}

impl Owed {
    /// Lets a call wait that used so much, where no more than `room` waits then. Answers whether it can.
    pub fn add(&mut self, limit: usize, id: Id, lease: Lease, used: u64, room: u64) -> bool {
        if used > lease.amount || lease.amount > room {
            return false;
        }
        let known = self.0.iter().position(|debt| debt.id == id);
        let waits = known.and_then(|place| self.0.get(place)).map_or(0, |debt| debt.lease.amount);
        if waits.saturating_add(lease.amount) > room {
            return false;
        }
        if known.is_none() && self.0.len() >= MAX_COUNTERS {
            return false;
        }
        let place = known.unwrap_or_else(|| {
            self.0.push(Debt { limit, id, calls: 0, lease: Lease::default(), used: 0, recent: true });
            self.0.len().saturating_sub(1)
        });
        let Some(debt) = self.0.get_mut(place) else { return false };
        debt.calls = debt.calls.saturating_add(1);
        debt.lease.amount = debt.lease.amount.saturating_add(lease.amount);
        debt.lease.floor = debt.lease.floor.saturating_add(lease.floor);
        debt.used = debt.used.saturating_add(used);
        debt.recent = true;
        true
    }

    /// Where something is owed.
    pub fn shards(&self) -> Vec<Shard> {
        let mut shards: Vec<Shard> = Vec::new();
        for debt in self.0.iter().filter(|debt| debt.calls > 0) {
            let shard = shard(&debt.id);
            if !shards.contains(&shard) {
                shards.push(shard);
            }
        }
        shards
    }

    /// What is owed to a shard.
    pub fn of(&mut self, shard: Shard) -> Debts<'_> {
        Debts { shard, owed: self, settled: 0, next: 0 }
    }

    /// Counters of which it is known.
    #[cfg(test)]
    pub fn counters(&self) -> usize {
        self.0.len()
    }

    /// A tick is over: counters that nobody used since the last one make room. Those that are in use all the time stay, whoever else
    /// comes.
    pub fn forget_settled(&mut self) {
        self.0.retain_mut(|debt| std::mem::take(&mut debt.recent) || debt.calls > 0);
    }
}

impl Debts<'_> {
    /// Nothing of it is settled.
    pub fn begin(&mut self) {
        (self.settled, self.next) = (0, 0);
    }

    /// The next counter to which something is owed: its limit's place, and its id.
    pub fn next(&mut self) -> Option<(usize, Id)> {
        loop {
            let (place, debt) = (self.next, self.owed.0.get(self.next)?);
            self.next = place.saturating_add(1);
            if debt.calls > 0 && !self.is_settled(place) && shard(&debt.id) == self.shard {
                return Some((debt.limit, debt.id));
            }
        }
    }

    /// Settles what is owed to a counter.
    pub fn pay(&mut self, id: &Id, generation: u32, counter: &mut Counter, at: Place) {
        let Some(place) = self.place(id) else { return };
        let Some(debt) = self.owed.0.get(place).filter(|_| !self.is_settled(place)) else { return };
        counter.settle(generation, debt.calls, debt.lease, debt.used, at);
        self.settled |= bit(place);
    }

    /// What was settled of a counter is not kept.
    pub fn keep(&mut self, id: &Id) {
        if let Some(place) = self.place(id) {
            self.settled &= !bit(place);
        }
    }

    fn place(&self, id: &Id) -> Option<usize> {
        self.owed.0.iter().position(|debt| debt.id == *id && debt.calls > 0)
    }

    /// The shard is stored: what was settled is owed no more.
    pub fn settled(self) {
        for (place, debt) in self.owed.0.iter_mut().enumerate() {
            if self.settled & bit(place) != 0 {
                (debt.calls, debt.lease, debt.used) = (0, Lease::default(), 0);
            }
        }
    }

    fn is_settled(&self, place: usize) -> bool {
        self.settled & bit(place) != 0
    }
}

fn bit(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| 1u64.checked_shl(place)).unwrap_or_default()
}
