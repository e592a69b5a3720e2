//! What this VM has reserved of counters for no call that goes on: what calls that are over have left there, and what it took for
//! calls to come.
//!
//! To change a counter, a shard of the shared store is read, and stored again; twice for each call, once to reserve and once to
//! settle. While so much is left of a limit that nobody could tell the difference, neither needs to be done each time. A call that is
//! over is settled when its counter is changed next, or about a second later. And where calls follow each other faster than that, as
//! much is reserved at once as several of them need, from which this VM then admits them by itself. So of a counter that is in use
//! all the time, a worker changes one in dozens of calls what it changed twice in each, and workers hardly meet at it any more.
//!
//! More is reserved so than need be, never less: what is used and reserved in the store never passes a limit. All of it is a small
//! part of what was left, whatever the number of calls, and goes back every second; nothing waits of which more was used than
//! reserved, or where too many counters wait already, but for what the store did not take. What surely went out of calls that go on
//! is in the store, as of others, and stays used if this VM traps; what calls that are over used beyond it is gone with it.

use super::counter::{Counter, Lease};
use super::ledger::{Shard, shard};
use super::table::Id;
use super::window::Place;

/// Counters at most: a tick that settles them all takes a millisecond or two.
const MAX_COUNTERS: usize = 64;

/// Which part of what is left may be in the purses of all VMs together: one in so many. Calls must take up all the others within a
/// second before one is refused for what no call needs.
const PART: u64 = 8;

/// Calls that are reserved for at once, beside the one that is there.
const AHEAD: u64 = 16;

/// Calls since the purse was emptied after which more of them are expected.
const OFTEN: u32 = 2;

/// How often the purse is emptied, at most: with every tick, but where those come for other reasons, too.
const PERIOD_MILLIS: u64 = 750;

/// How long what was seen of a counter holds good, if no tick came. Far less than it takes for others to take this VM for lost.
const FRESH_MILLIS: u64 = 2000;

/// How long a call may take to be settled late: what was left when it was admitted tells nothing about later.
const LATE_MILLIS: u64 = 60_000;

/// What this VM has of all counters.
#[derive(Debug, Default)]
pub(super) struct Purse {
    pockets: Vec<Pocket>,
    /// When it was emptied.
    emptied_millis: u64,
}

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
    /// How often calls put something in or took something out since the purse was emptied.
    recent: u32,
    /// How the counter stood when it was changed for a call, if this VM did not change it since.
    seen: Option<Seen>,
}

/// How a counter stood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// What was used and reserved, by all VMs.
    pub taken: u64,
    pub room: Room,
}

/// How much of a counter may be in this VM's purse.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Room {
    most: u64,
    /// When that was so.
    at_millis: u64,
}

/// What a call takes out of the purse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// What of the counter is used or reserved, but for what is in this purse, as far as is known.
    pub used: u64,
    pub room: Room,
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

impl Room {
    /// Where so much is left of a limit, for one of so many VMs. Those that just started do not know of each other yet.
    pub fn of(left: u64, vms: u64, at_millis: u64) -> Self {
        Self { most: left / vms.max(1).saturating_mul(PART), at_millis }
    }

    /// For how many calls such as this one more is to be reserved, with this one.
    pub fn ahead(self, lease: Lease) -> u32 {
        let fit = self.most.checked_div(lease.amount).unwrap_or_default();
        u32::try_from(fit.saturating_sub(1).min(AHEAD)).unwrap_or_default()
    }

    /// Whether it was not seen longer ago than that. A clock that went back tells nothing.
    fn is_younger(self, millis: u64, now_millis: u64) -> bool {
        now_millis.checked_sub(self.at_millis).is_some_and(|age| age < millis)
    }
}

impl Purse {
    /// Takes what a call needs of a counter. `None` where that is not there, or not surely within `amount`: what the limit grants
    /// to this caller.
    pub fn take(&mut self, id: &Id, lease: Lease, amount: u64, now_millis: u64) -> Option<Taken> {
        let pocket = self.pocket(id)?;
        let fresh = |seen: &Seen| seen.taken <= amount && seen.room.is_younger(FRESH_MILLIS, now_millis);
        let seen = pocket.seen.filter(fresh)?;
        let free = pocket.lease.amount.saturating_sub(pocket.used);
        let fits = lease.amount > 0 && lease.amount <= free && lease.floor <= pocket.lease.floor;
        if !fits || pocket.calls == 0 {
            return None;
        }
        pocket.calls = pocket.calls.saturating_sub(1);
        pocket.lease = pocket.lease.less(lease);
        pocket.recent = pocket.recent.saturating_add(1);
        let used = seen.taken.saturating_sub(free.saturating_sub(lease.amount));
        Some(Taken { used, room: seen.room })
    }

    /// Puts in what was reserved ahead for so many calls of a counter, and how it stands with that.
    pub fn fill(&mut self, id: &Id, calls: u32, lease: Lease, seen: Seen) {
        if let Some(pocket) = self.pocket(id) {
            pocket.add(calls, lease, 0);
            pocket.seen = Some(seen);
        }
    }

    /// Lets a call that is over wait to be settled, which used so much, as far as there is room for it. Answers whether it can.
    pub fn put(&mut self, limit: usize, id: Id, lease: Lease, used: u64, room: Room, now_millis: u64) -> bool {
        if !room.is_younger(LATE_MILLIS, now_millis) {
            return false;
        }
        let (held, seen) = self.pocket(&id).map_or((0, None), |pocket| (pocket.lease.amount, pocket.seen));
        let most = seen.map_or(room.most, |seen| seen.room.most.min(room.most));
        used <= lease.amount && held.saturating_add(lease.amount) <= most && self.owe(limit, id, lease, used)
    }

    /// Lets a call that is over wait to be settled in any case. Answers whether it can.
    pub fn owe(&mut self, limit: usize, id: Id, lease: Lease, used: u64) -> bool {
        let full = self.pockets.len() >= MAX_COUNTERS;
        match self.pocket(&id) {
            Some(pocket) => pocket.put(lease, used),
            None if full => return false,
            None => self.pockets.push(Pocket { limit, id, calls: 1, lease, used, recent: 1, seen: None }),
        }
        true
    }

    fn pocket(&mut self, id: &Id) -> Option<&mut Pocket> {
        self.pockets.iter_mut().find(|pocket| pocket.id == *id)
    }

    /// Where something is owed.
    pub fn shards(&self) -> Vec<Shard> {
        let mut shards: Vec<Shard> = Vec::new();
        for pocket in self.pockets.iter().filter(|pocket| pocket.owes()) {
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
        self.pockets.len()
    }

    /// What it has of a counter, and for how many calls.
    #[cfg(test)]
    pub fn held(&self, id: &Id) -> (u32, Lease) {
        let pocket = self.pockets.iter().find(|pocket| pocket.id == *id);
        pocket.map_or_else(Default::default, |pocket| (pocket.calls, pocket.lease))
    }

    /// Whether it is time to empty it.
    pub fn is_due(&self, now_millis: u64) -> bool {
        now_millis.checked_sub(self.emptied_millis).is_none_or(|age| age >= PERIOD_MILLIS)
    }

    /// It was emptied: counters that nobody used since the last time make room. Those that are in use all the time stay, whoever else
    /// comes.
    pub fn emptied(&mut self, now_millis: u64) {
        self.emptied_millis = now_millis;
        self.pockets.retain_mut(|pocket| std::mem::take(&mut pocket.recent) > 0 || pocket.owes());
    }
}

impl Pocket {
    fn add(&mut self, calls: u32, lease: Lease, used: u64) {
        self.calls = self.calls.saturating_add(calls);
        self.lease = self.lease.and(lease);
        self.used = self.used.saturating_add(used);
    }

    fn put(&mut self, lease: Lease, used: u64) {
        self.add(1, lease, used);
        self.recent = self.recent.saturating_add(1);
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
            let (place, pocket) = (self.next, self.purse.pockets.get(self.next)?);
            self.next = place.saturating_add(1);
            if pocket.owes() && !self.is_settled(place) && shard(&pocket.id) == self.shard {
                return Some((pocket.limit, pocket.id));
            }
        }
    }

    /// Settles what is owed to a counter, before anything else is done to it: what calls that go on have reserved stays theirs.
    /// Answers whether more calls of it are expected soon.
    pub fn pay(&mut self, id: &Id, generation: u32, counter: &mut Counter, at: Place) -> bool {
        let Some((place, pocket)) = self.pocket(id) else { return false };
        let Pocket { calls, lease, used, recent, .. } = *pocket;
        if !self.is_settled(place) {
            counter.settle(generation, calls, lease, used, at);
            self.settled |= bit(place);
        }
        recent >= OFTEN
    }

    /// What was settled of a counter is not kept.
    pub fn keep(&mut self, id: &Id) {
        if let Some((place, _)) = self.pocket(id) {
            self.settled &= !bit(place);
        }
    }

    fn pocket(&self, id: &Id) -> Option<(usize, &Pocket)> {
        self.purse.pockets.iter().enumerate().find(|(_, pocket)| pocket.id == *id)
    }

    /// The shard is stored: what was settled is owed no more.
    pub fn settled(self) {
        for (place, pocket) in self.purse.pockets.iter_mut().enumerate() {
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
