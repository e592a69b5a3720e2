//! What this VM has reserved of counters for no call that goes on: what calls that are over have left there, and what it took for
//! calls to come.
//!
//! To change a counter, a shard of the shared store is read, and stored again; twice for each call, once to reserve and once to
//! settle. While so much is left of a limit that nobody could tell the difference, neither needs to be done each time. A call that is
//! over is settled when its counter is changed next, or with the next tick. And where calls follow each other faster than ticks, as
//! much is reserved at once as several of them need, from which this VM then admits them by itself. So of a counter that is in use
//! all the time, a worker changes one in dozens of calls what it changed twice in each, and workers hardly meet at it any more.
//!
//! More is reserved so than need be, never less: what is used and reserved in the store never passes a limit. All of it is a small
//! part of what was left, whatever the number of calls, and goes back with every tick; nothing waits of which more was used than
//! reserved, or where too many counters wait already. A VM that traps takes along what it had yet to settle: what surely went out of
//! the calls that it reserved for stays used, as for its calls that still go on.

use super::counter::{Counter, Lease};
use super::ledger::{Shard, shard};
use super::table::Id;
use super::window::Place;

/// Counters at most: a tick that settles them all takes a millisecond or two.
const MAX_COUNTERS: usize = 64;

/// Which part of what is left may be in the purses of all VMs together: one in so many. Calls must take up all the others within a
/// tick before one is refused for what no call needs.
const PART: u64 = 8;

/// Calls that are reserved for at once, beside the one that is there.
const AHEAD: u64 = 16;

/// How long what was seen of a counter holds good: two ticks. Far less than it takes for others to take this VM for lost.
const FRESH_MILLIS: u64 = 2000;

/// What this VM has of all counters.
#[derive(Debug, Default)]
pub(super) struct Purse(Vec<Pocket>);

/// What it has of one counter.
#[derive(Debug)]
struct Pocket {
    /// The limit's place.
    limit: usize,
    id: Id,
    /// For how many calls; some of them are over, others are to come.
    calls: u32,
    /// What is reserved for them.
    lease: Lease,
    /// What those that are over used of it.
    used: u64,
    /// Some came since the last tick.
    recent: bool,
    /// How the counter stood when it was changed for a call, if it was not settled since.
    seen: Option<Seen>,
}

/// How a counter stood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub at_millis: u64,
    /// What was used and reserved, by all VMs.
    pub taken: u64,
    /// How much of it may be in this VM's purse.
    pub room: u64,
}

/// What a call takes out of the purse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// What is reserved for it.
    pub lease: Lease,
    /// What of the counter is used or reserved for calls that go on, as far as is known.
    pub used: u64,
    /// See [`Seen::room`].
    pub room: u64,
}

/// What is owed to one shard.
pub(super) struct Debts<'a> {
    shard: Shard,
    purse: &'a mut Purse,
    /// Those that were settled, a bit for each.
    settled: u64,
    /// Where to look for the next one.
    next: usize,
}

const _: () = assert!(MAX_COUNTERS <= u64::BITS as usize);

/// How much of a counter may be in the purse of one of so many VMs, where so much is left of its limit.
pub(super) fn room(left: u64, vms: u64) -> u64 {
    left / vms.max(1).saturating_mul(PART)
}

/// For how many calls such as this one more is to be reserved, where there is so much room for them and for itself.
pub(super) fn ahead(lease: Lease, room: u64) -> u32 {
    let fit = room.checked_div(lease.amount).unwrap_or_default();
    u32::try_from(fit.saturating_sub(1).min(AHEAD)).unwrap_or_default()
}

impl Purse {
    /// Takes what a call needs of a counter. `None` where that is not there, or not surely within `amount`: what the limit grants
    /// to this caller.
    pub fn take(&mut self, id: &Id, lease: Lease, amount: u64, now_millis: u64) -> Option<Taken> {
        let pocket = self.0.iter_mut().find(|pocket| pocket.id == *id)?;
        let seen = pocket.seen.filter(|seen| seen.taken <= amount && seen.is_fresh(now_millis))?;
        let free = pocket.lease.amount.saturating_sub(pocket.used);
        if lease.amount == 0 || lease.amount > free || pocket.calls == 0 {
            return None;
        }
        let lease = Lease { floor: lease.floor.min(pocket.lease.floor), ..lease };
        pocket.calls = pocket.calls.saturating_sub(1);
        pocket.lease = pocket.lease.less(lease);
        pocket.recent = true;
        let used = seen.taken.saturating_sub(free.saturating_sub(lease.amount));
        Some(Taken { lease, used, room: seen.room })
    }

    /// Puts in what was reserved ahead for so many calls of a counter that is in use, and how it stands with that.
    pub fn fill(&mut self, id: &Id, (calls, lease): (u32, Lease), seen: Seen) {
        if let Some(pocket) = self.0.iter_mut().find(|pocket| pocket.id == *id) {
            pocket.put(calls, lease, 0);
            pocket.seen = Some(seen);
        }
    }

    /// Lets a call that is over wait to be settled, which used so much, where no more than `room` is in the purse then. Answers
    /// whether it can.
    pub fn put(&mut self, limit: usize, id: Id, lease: Lease, used: u64, room: u64) -> bool {
        if used > lease.amount || lease.amount > room {
            return false;
        }
        let full = self.0.len() >= MAX_COUNTERS;
        let known = self.0.iter_mut().find(|pocket| pocket.id == id);
        let held = known.as_ref().map_or(0, |pocket| pocket.lease.amount);
        if known.is_none() && full || held.saturating_add(lease.amount) > room {
            return false;
        }
        match known {
            Some(pocket) => pocket.put(1, lease, used),
            None => self.0.push(Pocket { limit, id, calls: 1, lease, used, recent: true, seen: None }),
        }
        true
    }

    /// Where something is owed.
    pub fn shards(&self) -> Vec<Shard> {
        let mut shards: Vec<Shard> = Vec::new();
        for pocket in self.0.iter().filter(|pocket| pocket.owes()) {
            let shard = shard(&pocket.id);
            if !shards.contains(&shard) {
                shards.push(shard);
            }
        }
        shards
    }

    /// What is owed to a shard.
    pub fn of(&mut self, shard: Shard) -> Debts<'_> {
        Debts { shard, purse: self, settled: 0, next: 0 }
    }

    /// Counters of which it is known.
    #[cfg(test)]
    pub fn counters(&self) -> usize {
        self.0.len()
    }

    /// A tick is over: counters that nobody used since the last one make room. Those that are in use all the time stay, whoever else
    /// comes.
    pub fn forget_settled(&mut self) {
        self.0.retain_mut(|pocket| std::mem::take(&mut pocket.recent) || pocket.owes());
    }
}

impl Seen {
    fn is_fresh(self, now_millis: u64) -> bool {
        // A clock that went back tells nothing.
        now_millis.checked_sub(self.at_millis).is_some_and(|age| age < FRESH_MILLIS)
    }
}

impl Pocket {
    fn put(&mut self, calls: u32, lease: Lease, used: u64) {
        self.calls = self.calls.saturating_add(calls);
        self.lease = self.lease.and(lease);
        self.used = self.used.saturating_add(used);
        self.recent = true;
    }

    fn owes(&self) -> bool {
        self.calls > 0 || self.lease != Lease::default()
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
            let (place, pocket) = (self.next, self.purse.0.get(self.next)?);
            self.next = place.saturating_add(1);
            if pocket.owes() && !self.is_settled(place) && shard(&pocket.id) == self.shard {
                return Some((pocket.limit, pocket.id));
            }
        }
    }

    /// Settles what is owed to a counter, before anything else is done to it: what calls that go on have reserved stays theirs.
    /// Answers whether the counter is in use: calls of it follow each other faster than ticks.
    pub fn pay(&mut self, id: &Id, generation: u32, counter: &mut Counter, at: Place) -> bool {
        let Some(place) = self.place(id) else { return false };
        if let Some(pocket) = self.purse.0.get(place)
            && pocket.owes()
            && !self.is_settled(place)
        {
            counter.settle(generation, pocket.calls, pocket.lease, pocket.used, at);
            self.settled |= bit(place);
        }
        true
    }

    /// What was settled of a counter is not kept.
    pub fn keep(&mut self, id: &Id) {
        if let Some(place) = self.place(id) {
            self.settled &= !bit(place);
        }
    }

    fn place(&self, id: &Id) -> Option<usize> {
        self.purse.0.iter().position(|pocket| pocket.id == *id)
    }

    /// The shard is stored: what was settled is owed no more.
    pub fn settled(self) {
        for (place, pocket) in self.purse.0.iter_mut().enumerate() {
            if self.settled & bit(place) != 0 {
                (pocket.calls, pocket.lease, pocket.used, pocket.seen) = (0, Lease::default(), 0, None);
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
