//! One counter: what was used in each part of its window, and what calls that are still going on have reserved.
//!
//! Reservations are kept as sums, one for each VM that made any: a VM settles its own, and what a VM that is gone had
//! reserved can be told apart and given back. As bytes, little endian:
//!
//! | bytes | |
//! | --- | --- |
//! | 8 | index of the newest part |
//! | 1 | number of parts that follow |
//! | 1 | number of VMs that follow |
//! | 8 each | used in each part, the newest first |
//! | 24 each | of a VM: generation (4), calls (4), reserved (8), of it what stays used if the VM is lost (8) |

use super::alive::Alive;
use super::window::{PARTS, Place};

/// VMs with reservations in one counter at most: workers, and the ones before a reload.
const MAX_HOLDERS: usize = 255;

/// One counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counter {
    newest: u64,
    used: Vec<u64>,
    holders: Vec<Holder>,
}

/// What one VM has reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Holder {
    generation: u32,
    calls: u32,
    reserved: u64,
    floor: u64,
}

/// What is reserved for a call, or for several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lease {
    /// What may not be given to others meanwhile.
    pub amount: u64,
    /// What stays used if nobody settles: what surely went out.
    pub floor: u64,
}

impl Lease {
    pub fn and(self, other: Self) -> Self {
        Self { amount: self.amount.saturating_add(other.amount), floor: self.floor.saturating_add(other.floor) }
    }

    /// As much for each of so many calls.
    pub fn times(self, calls: u32) -> Self {
        let calls = u64::from(calls);
        Self { amount: self.amount.saturating_mul(calls), floor: self.floor.saturating_mul(calls) }
    }

    pub fn less(self, other: Self) -> Self {
        Self { amount: self.amount.saturating_sub(other.amount), floor: self.floor.saturating_sub(other.floor) }
    }
}

impl Counter {
    /// Reads a counter; `None` where the bytes are none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (newest, rest) = bytes.split_first_chunk::<8>()?;
        let ([parts, holders], mut rest) = rest.split_first_chunk::<2>()?;
        let mut counter = Self { newest: u64::from_le_bytes(*newest), ..Self::default() };
        for _ in 0..*parts {
            let (used, left) = rest.split_first_chunk::<8>()?;
            counter.used.push(u64::from_le_bytes(*used));
            rest = left;
        }
        for _ in 0..*holders {
            let (generation, left) = rest.split_first_chunk::<4>()?;
            let (calls, left) = left.split_first_chunk::<4>()?;
            let (reserved, left) = left.split_first_chunk::<8>()?;
            let (floor, left) = left.split_first_chunk::<8>()?;
            counter.holders.push(Holder {
                generation: u32::from_le_bytes(*generation),
                calls: u32::from_le_bytes(*calls),
                reserved: u64::from_le_bytes(*reserved),
                floor: u64::from_le_bytes(*floor),
            });
            rest = left;
        }
        rest.is_empty().then_some(counter)
    }

    /// Appends its bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.newest.to_le_bytes());
        out.push(u8::try_from(self.used.len()).unwrap_or(u8::MAX));
        out.push(u8::try_from(self.holders.len()).unwrap_or(u8::MAX));
        for used in &self.used {
            out.extend_from_slice(&used.to_le_bytes());
        }
        for holder in &self.holders {
            out.extend_from_slice(&holder.generation.to_le_bytes());
            out.extend_from_slice(&holder.calls.to_le_bytes());
            out.extend_from_slice(&holder.reserved.to_le_bytes());
            out.extend_from_slice(&holder.floor.to_le_bytes());
        }
    }

    /// Moves on to `place`, and takes what VMs that are gone had reserved out of the reservations.
    pub fn advance(&mut self, place: Place, alive: &Alive) {
        // A clock that went back must not open a new window.
        let steps = place.index.saturating_sub(self.newest);
        self.newest = self.newest.max(place.index);
        if steps > 0 {
            let steps = usize::try_from(steps).unwrap_or(usize::MAX).min(place.parts);
            // A calendar's windows have one part, and begin anew.
            self.used.splice(0..0, std::iter::repeat_n(0, steps));
        }
        self.used.truncate(place.parts);
        while self.used.last() == Some(&0) {
            self.used.pop();
        }
        let mut lost = 0u64;
        self.holders.retain(|holder| {
            let keeps = alive.lives(holder.generation);
            if !keeps {
                lost = lost.saturating_add(holder.floor);
            }
            keeps
        });
        self.add(lost, place);
    }

    /// What was used in the window, reservations aside.
    pub fn used(&self) -> u64 {
        self.used.iter().fold(0, |sum, used| sum.saturating_add(*used))
    }

    /// What calls that go on have reserved.
    pub fn reserved(&self) -> u64 {
        self.holders.iter().fold(0, |sum, holder| sum.saturating_add(holder.reserved))
    }

    /// How many parts from now the newest `amount` is used no more: nothing is left of older parts then. `None` where so much
    /// was not used at all.
    pub fn frees(&self, amount: u64) -> Option<u64> {
        // The oldest part leaves first.
        let mut freed = 0u64;
        for (age, used) in self.used.iter().enumerate().rev() {
            freed = freed.saturating_add(*used);
            if freed >= amount {
                return Some(self.newest.saturating_sub(age as u64));
            }
        }
        None
    }

    /// Adds to what was used.
    pub fn add(&mut self, amount: u64, place: Place) {
        if amount == 0 || place.parts == 0 {
            return;
        }
        match self.used.first_mut() {
            Some(used) => *used = used.saturating_add(amount),
            None => self.used.push(amount),
        }
    }

    /// Whether what it counts is of this place, and of none that is later.
    pub fn is_at(&self, place: Place) -> bool {
        self.newest == place.index
    }

    /// Replaces what was used, in a window of one part.
    pub fn set(&mut self, amount: u64, place: Place) {
        self.used.clear();
        self.add(amount, place);
    }

    /// Reserves for so many calls. Answers whether there was room for another VM.
    pub fn reserve(&mut self, generation: u32, calls: u32, lease: Lease) -> bool {
        if !self.holders.iter().any(|h| h.generation == generation) {
            if self.holders.len() >= MAX_HOLDERS {
                return false;
            }
            self.holders.push(Holder { generation, ..Holder::default() });
        }
        if let Some(holder) = self.holders.iter_mut().find(|h| h.generation == generation) {
            holder.calls = holder.calls.saturating_add(calls);
            holder.reserved = holder.reserved.saturating_add(lease.amount);
            holder.floor = holder.floor.saturating_add(lease.floor);
        }
        true
    }

    /// Gives back what was reserved for so many calls. Answers whether it was still there: not after others took this VM for
    /// lost.
    fn release(&mut self, generation: u32, calls: u32, lease: Lease) -> bool {
        let Some(holder) = self.holders.iter_mut().find(|h| h.generation == generation) else { return false };
        holder.calls = holder.calls.saturating_sub(calls);
        holder.reserved = holder.reserved.saturating_sub(lease.amount);
        holder.floor = holder.floor.saturating_sub(lease.floor);
        self.holders.retain(|h| h.calls > 0);
        true
    }

    /// Settles so many calls: gives back what was reserved for them, and adds what they used.
    pub fn settle(&mut self, generation: u32, calls: u32, lease: Lease, used: u64, place: Place) {
        // Where others took this VM for lost, they kept what surely went out.
        let charged = if self.release(generation, calls, lease) { 0 } else { lease.floor };
        self.add(used.saturating_sub(charged), place);
    }

    /// The VMs that have reserved.
    pub fn holders(&self) -> impl Iterator<Item = u32> {
        self.holders.iter().map(|h| h.generation)
    }

    /// What a VM has reserved, and for how many calls.
    #[cfg(test)]
    pub fn held(&self, generation: u32) -> (u32, Lease) {
        let holder = self.holders.iter().find(|h| h.generation == generation);
        holder.map_or_else(Default::default, |h| (h.calls, Lease { amount: h.reserved, floor: h.floor }))
    }

    /// Whether nothing would be lost with it once its window is over.
    pub fn is_idle(&self) -> bool {
        self.holders.is_empty()
    }
}

const _: () = assert!(PARTS < u8::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn sliding(index: u64) -> Place {
        Place { index, parts: PARTS + 1, end: 0 }
    }

    fn round(counter: &Counter) -> Counter {
        let mut bytes = Vec::new();
        counter.write(&mut bytes);
        let read = Counter::read(&bytes).unwrap();
        assert_eq!(&read, counter);
        assert_eq!(Counter::read(&bytes[1..]), None);
        read
    }

    #[test]
    fn what_was_used_leaves_part_by_part() {
        let alive = Alive::only(1);
        let mut counter = Counter::default();
        for index in 100..105 {
            counter.advance(sliding(index), &alive);
            counter.add(10, sliding(index));
        }
        assert_eq!(round(&counter).used(), 50);
        // Of 50 used, 15 are free again when the part of 101 is over.
        assert_eq!(counter.frees(15), Some(101));
        assert_eq!(counter.frees(51), None);
        counter.advance(sliding(108), &alive);
        assert_eq!(counter.used(), 50);
        counter.advance(sliding(109), &alive);
        assert_eq!(counter.used(), 40);
        // The clock went back: nothing is forgotten, nothing comes back.
        counter.advance(sliding(50), &alive);
        assert_eq!(counter.used(), 40);
        counter.advance(sliding(1000), &alive);
        assert_eq!(round(&counter), Counter { newest: 1000, ..Counter::default() });
    }

    #[test]
    fn a_calendars_window_begins_anew() {
        let alive = Alive::only(1);
        let place = |index| Place { index, parts: 1, end: 0 };
        let mut counter = Counter::default();
        counter.advance(place(5000), &alive);
        counter.add(7, place(5000));
        counter.advance(place(5000), &alive);
        assert_eq!(counter.used(), 7);
        counter.advance(place(8600), &alive);
        assert_eq!(counter.used(), 0);
    }

    #[test]
    fn reservations_outlive_windows_and_not_their_vm() {
        let mut counter = Counter::default();
        counter.advance(sliding(10), &Alive::only(1));
        assert!(counter.reserve(1, 1, Lease { amount: 100, floor: 30 }));
        assert!(counter.reserve(1, 1, Lease { amount: 50, floor: 0 }));
        assert_eq!((counter.reserved(), counter.used()), (150, 0));
        counter.advance(sliding(100), &Alive::only(1));
        assert_eq!(round(&counter).reserved(), 150);
        assert!(counter.release(1, 1, Lease { amount: 50, floor: 0 }));
        assert_eq!(counter.reserved(), 100);
        // Another VM looks, to which the first one is gone: what surely went out stays used.
        counter.advance(sliding(101), &Alive::only(2));
        assert_eq!((counter.reserved(), counter.used()), (0, 30));
        assert!(!counter.release(1, 1, Lease { amount: 100, floor: 30 }));
    }
}
