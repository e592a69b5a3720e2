//! What is kept of one caller: what has added up in each session and in all of them, as bytes.
//!
//! A value is counted once: of the values that were counted a caller keeps a fingerprint in two Bloom filters, the older of
//! which is dropped when the newer is a quarter full, and after each half-life: a value that is shown again when it has decayed counts
//! anew. What was forgotten so counts again, which errs on the strict side; that two
//! values share their bits, and the second is not counted, happens to one in 16 at most.

use crate::shards::Id;

/// Sessions of a caller that are told apart.
pub const MAX_SESSIONS: usize = 16;

/// Kinds of what adds up, and statements on tools that conversations have met.
pub const MAX_KINDS: usize = 24;

/// Bytes of one filter.
const FILTER: usize = 64;

/// Less than this has been seen so long ago that it counts no more.
const SEEN: f32 = 0.25;

/// What tells one kind of what adds up from others, also after the policy was changed.
pub type Tag = u16;

/// What has added up over some exchanges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// When it was touched last, in seconds since 1970.
    pub last: u64,
    /// When it began, in seconds since 1970: values of an earlier session of that name count again.
    began: u64,
    /// How much of which kind, as of then.
    amounts: Vec<(Tag, f32)>,
    /// The route that the session was sent to, by the digest of its id; 0 is none.
    pub route: u32,
}

/// One caller.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caller {
    /// Over all sessions.
    pub all: Tally,
    /// Sessions by their digests.
    sessions: Vec<(u64, Tally)>,
    /// Values that were counted, and since when the newer of the two takes them.
    counted: [Filter; 2],
    turned: u64,
}

/// A Bloom filter.
#[derive(Clone, Debug, PartialEq)]
struct Filter([u8; FILTER]);

impl Default for Filter {
    fn default() -> Self {
        Self([0; FILTER])
    }
}

impl Filter {
    fn bits(hash: u64) -> [(usize, u8); 2] {
        [hash, hash >> 32].map(|h| {
            let bit = (h as usize) % (FILTER * 8);
            (bit / 8, 1 << (bit % 8))
        })
    }

    fn has(&self, hash: u64) -> bool {
        Self::bits(hash).iter().all(|(byte, bit)| self.0.get(*byte).is_some_and(|b| b & bit != 0))
    }

    fn add(&mut self, hash: u64) {
        for (byte, bit) in Self::bits(hash) {
            if let Some(b) = self.0.get_mut(byte) {
                *b |= bit;
            }
        }
    }

    fn is_full(&self) -> bool {
        self.0.iter().map(|b| b.count_ones()).sum::<u32>() > (FILTER * 8 / 4) as u32
    }
}

impl Tally {
    /// What is left of it at `now`.
    pub fn decay(&mut self, now: u64, half_life: u64) {
        // A clock that went back brings nothing back.
        let passed = now.saturating_sub(self.last);
        self.last = self.last.max(now);
        if passed > 0 {
            let left = (-(passed as f64) / half_life.max(1) as f64).exp2() as f32;
            self.amounts.iter_mut().for_each(|(_, amount)| *amount *= left);
            self.amounts.retain(|(_, amount)| *amount >= 0.01);
        }
    }

    /// Adds to a kind.
    pub fn add(&mut self, tag: Tag, amount: f32) {
        if let Some((_, sum)) = self.amounts.iter_mut().find(|(t, _)| *t == tag) {
            *sum = (*sum + amount).min(1e6);
        } else if self.amounts.len() < MAX_KINDS {
            self.amounts.push((tag, amount));
        } else if let Some(least) = self.amounts.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)) {
            // Kinds of a policy that is no more.
            *least = (tag, amount);
        }
    }

    /// How much of a kind there is.
    pub fn amount(&self, tag: Tag) -> f32 {
        self.amounts.iter().find(|(t, _)| *t == tag).map_or(0.0, |(_, amount)| *amount)
    }

    /// Whether a kind has been seen, and not too long ago.
    pub fn has_seen(&self, tag: Tag) -> bool {
        self.amount(tag) >= SEEN
    }

    /// All kinds together.
    fn sum(&self) -> f32 {
        self.amounts.iter().map(|(_, amount)| amount).sum()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&seconds(self.last));
        out.extend_from_slice(&seconds(self.began));
        out.extend_from_slice(&self.route.to_le_bytes());
        out.push(self.amounts.len() as u8);
        for (tag, amount) in &self.amounts {
            out.extend_from_slice(&tag.to_le_bytes());
            out.extend_from_slice(&amount.to_le_bytes());
        }
    }

    fn read<'a>(bytes: &'a [u8], rest: &mut &'a [u8]) -> Option<Self> {
        let (last, left) = bytes.split_first_chunk::<4>()?;
        let (began, left) = left.split_first_chunk::<4>()?;
        let (route, left) = left.split_first_chunk::<4>()?;
        let (kinds, mut left) = left.split_first()?;
        let mut tally = Self {
            last: u64::from(u32::from_le_bytes(*last)),
            began: u64::from(u32::from_le_bytes(*began)),
            route: u32::from_le_bytes(*route),
            amounts: Vec::new(),
        };
        for _ in 0..*kinds {
            let (tag, next) = left.split_first_chunk::<2>()?;
            let (amount, next) = next.split_first_chunk::<4>()?;
            let amount = f32::from_le_bytes(*amount);
            tally.amounts.push((u16::from_le_bytes(*tag), if amount.is_finite() { amount } else { 0.0 }));
            left = next;
        }
        *rest = left;
        Some(tally)
    }
}

impl Caller {
    /// Reads a caller; bytes that are none (another version's) are one of whom nothing is known.
    pub fn read(bytes: &[u8]) -> Self {
        Self::try_read(bytes).unwrap_or_default()
    }

    fn try_read(bytes: &[u8]) -> Option<Self> {
        let mut caller = Self::default();
        let mut rest = bytes;
        for filter in &mut caller.counted {
            let (bits, left) = rest.split_first_chunk::<FILTER>()?;
            filter.0 = *bits;
            rest = left;
        }
        let (turned, left) = rest.split_first_chunk::<4>()?;
        caller.turned = u64::from(u32::from_le_bytes(*turned));
        caller.all = Tally::read(left, &mut rest)?;
        while let Some((id, left)) = rest.split_first_chunk::<8>() {
            let tally = Tally::read(left, &mut rest)?;
            caller.sessions.push((u64::from_le_bytes(*id), tally));
        }
        rest.is_empty().then_some(caller)
    }

    /// Its bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        for filter in &self.counted {
            out.extend_from_slice(&filter.0);
        }
        out.extend_from_slice(&seconds(self.turned));
        self.all.write(&mut out);
        for (id, tally) in &self.sessions {
            out.extend_from_slice(&id.to_le_bytes());
            tally.write(&mut out);
        }
        out
    }

    /// What is left of everything at `now`. A session that is tied by time alone, `timed`, is over after a gap.
    pub fn decay(&mut self, now: u64, half_life: u64, timed: (u64, u64)) {
        let (id, gap) = timed;
        self.sessions.retain(|(session, tally)| *session != id || now.saturating_sub(tally.last) <= gap);
        self.all.decay(now, half_life);
        let passed = now.saturating_sub(self.turned);
        if passed >= half_life {
            let [newer, older] = &mut self.counted;
            *older = if passed >= half_life.saturating_mul(2) { Filter::default() } else { newer.clone() };
            *newer = Filter::default();
            self.turned = now;
        }
        for (_, tally) in &mut self.sessions {
            tally.decay(now, half_life);
        }
    }

    /// The session `id`, a new one where there is none.
    pub fn session(&self, id: u64) -> Tally {
        self.sessions.iter().find(|(session, _)| *session == id).map(|(_, tally)| tally.clone()).unwrap_or_default()
    }

    /// Counts values of kinds in the session `id`, and in all: each once, at most `most` of a kind.
    pub fn count(&mut self, id: u64, now: u64, values: impl Iterator<Item = (Tag, u64)>, most: f32) {
        let mut session = self.session(id);
        if session.began == 0 {
            session.began = now;
        }
        let own = mix(id ^ mix(session.began));
        session.last = session.last.max(now);
        self.all.last = self.all.last.max(now);
        let mut added: Vec<(bool, Tag, f32)> = Vec::new();
        for (tag, value) in values {
            for (of_session, scope) in [(true, own), (false, 0)] {
                let hash = mix(scope ^ mix(value ^ u64::from(tag)));
                if self.counted.iter().any(|filter| filter.has(hash)) {
                    continue;
                }
                let sum = match added.iter_mut().find(|(s, t, _)| (*s, *t) == (of_session, tag)) {
                    Some((.., sum)) => sum,
                    None => {
                        added.push((of_session, tag, 0.0));
                        match added.last_mut() {
                            Some((.., sum)) => sum,
                            None => continue,
                        }
                    }
                };
                if *sum >= most {
                    continue;
                }
                *sum += 1.0;
                let [newer, older] = &mut self.counted;
                if newer.is_full() {
                    *older = std::mem::take(newer);
                }
                newer.add(hash);
                let tally = if of_session { &mut session } else { &mut self.all };
                tally.add(tag, 1.0);
            }
        }
        self.put(id, session);
    }

    /// Adds to a kind what is no value.
    pub fn add(&mut self, id: u64, tag: Tag) {
        let mut session = self.session(id);
        session.add(tag, 1.0);
        self.put(id, session);
        self.all.add(tag, 1.0);
    }

    /// A kind has been seen, however often.
    pub fn mark(&mut self, id: u64, tag: Tag) {
        let mut session = self.session(id);
        for tally in [&mut session, &mut self.all] {
            let missing = 1.0 - tally.amount(tag);
            if missing > 0.0 {
                tally.add(tag, missing);
            }
        }
        self.put(id, session);
    }

    /// Remembers where a session was sent.
    pub fn send(&mut self, id: u64, route: u32) {
        let mut session = self.session(id);
        session.route = route;
        self.put(id, session);
    }

    /// Where there are too many sessions, the one that has shown least gives way: whoever begins many hides none.
    fn put(&mut self, id: u64, session: Tally) {
        self.sessions.retain(|(other, _)| *other != id);
        self.sessions.push((id, session));
        if self.sessions.len() > MAX_SESSIONS {
            let rank = |(_, tally): &(u64, Tally)| tally.sum() + if tally.route == 0 { 0.0 } else { 10.0 };
            let others = self.sessions.iter().enumerate().filter(|(_, (other, _))| *other != id);
            let least = others.min_by(|(_, a), (_, b)| rank(a).total_cmp(&rank(b)).then(a.1.last.cmp(&b.1.last)));
            if let Some(place) = least.map(|(place, _)| place) {
                self.sessions.remove(place);
            }
        }
    }
}

/// The digest by which a session is known.
pub fn digest(id: &Id) -> u64 {
    let (first, _) = id.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    // 0 stands for all sessions.
    u64::from_le_bytes(*first).max(1)
}

fn seconds(secs: u64) -> [u8; 4] {
    u32::try_from(secs).unwrap_or(u32::MAX).to_le_bytes()
}

/// SplitMix64's finaliser (Steele, Lea and Flood, 2014).
pub fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(caller: &mut Caller, id: u64, now: u64, values: &[(Tag, u64)]) {
        caller.decay(now, 3600, (1, 600));
        caller.count(id, now, values.iter().copied(), 8.0);
        let read = Caller::read(&caller.write());
        assert_eq!(&read, caller);
    }

    #[test]
    fn a_value_counts_once_in_each_session_and_once_in_all() {
        let mut caller = Caller::default();
        for turn in 0..10 {
            count(&mut caller, 7, 1000 + turn, &[(1, 11), (1, 12), (2, 11)]);
        }
        count(&mut caller, 8, 1010, &[(1, 11)]);
        assert!((caller.session(7).amount(1) - 2.0).abs() < 0.1);
        assert!((caller.session(8).amount(1) - 1.0).abs() < 0.1);
        assert!((caller.all.amount(1) - 2.0).abs() < 0.1);
        assert!((caller.all.amount(2) - 1.0).abs() < 0.1);
    }

    #[test]
    fn halves_and_is_forgotten() {
        let mut caller = Caller::default();
        count(&mut caller, 7, 0, &[(1, 1), (1, 2), (2, 3)]);
        caller.decay(3600, 3600, (1, 600));
        assert!((caller.session(7).amount(1) - 1.0).abs() < 0.01);
        caller.decay(3600 * 2, 3600, (1, 600));
        assert!(caller.session(7).has_seen(2));
        caller.decay(3600 * 2 + 60, 3600, (1, 600));
        assert!(!caller.session(7).has_seen(2) && caller.session(7).has_seen(1));
        // The clock goes back.
        let before = caller.clone();
        caller.decay(0, 3600, (1, 600));
        assert_eq!(caller, before);
    }

    #[test]
    fn what_is_shown_again_counts_again_once_it_has_decayed() {
        let mut caller = Caller::default();
        count(&mut caller, 7, 10_000, &[(1, 1)]);
        for later in 1..10 {
            // Every three half-lives.
            count(&mut caller, 7, 10_000 + later * 3 * 3600, &[(1, 1)]);
            assert!(caller.session(7).has_seen(1) && caller.all.has_seen(1), "{later}");
        }
        // Shown all the time, it never drops out, and never adds up to much either.
        for later in 0..1000 {
            count(&mut caller, 8, 200_000 + later * 60, &[(1, 2)]);
            let amount = caller.session(8).amount(1);
            assert!((0.25..2.5).contains(&amount), "{later}: {amount}");
        }
    }

    #[test]
    fn a_session_that_begins_anew_counts_anew() {
        let mut caller = Caller::default();
        count(&mut caller, 1, 1000, &[(1, 1)]);
        count(&mut caller, 1, 2000, &[(1, 1)]);
        assert!(caller.session(1).amount(1) > 0.9);
        // Over all it has been counted.
        assert!(caller.all.amount(1) < 1.01);
    }

    #[test]
    fn a_gap_ends_what_time_alone_ties() {
        let mut caller = Caller::default();
        count(&mut caller, 1, 0, &[(1, 1)]);
        count(&mut caller, 2, 0, &[(1, 1)]);
        count(&mut caller, 1, 600, &[(1, 2)]);
        assert!(caller.session(1).amount(1) > 1.5);
        count(&mut caller, 1, 1201, &[]);
        assert_eq!(caller.session(1).amount(1), 0.0);
        assert!(caller.session(2).has_seen(1));
    }

    #[test]
    fn whoever_begins_many_sessions_hides_none() {
        let mut caller = Caller::default();
        count(&mut caller, 7, 0, &[(1, 1), (1, 2)]);
        caller.send(9, 5);
        for id in 100..1000 {
            count(&mut caller, id, 1, &[(2, id)]);
        }
        assert!(caller.session(7).amount(1) > 1.9);
        assert_eq!(caller.session(9).route, 5);
        assert_eq!(caller.sessions.len(), MAX_SESSIONS);
        assert!(caller.all.amount(2) > 500.0);
        let full = MAX_SESSIONS * (21 + MAX_KINDS * 6) + 2 * FILTER + 17 + MAX_KINDS * 6;
        assert!(caller.write().len() <= full && full < 3200);
    }

    #[test]
    fn one_exchange_adds_so_much_and_no_more() {
        let mut caller = Caller::default();
        let values: Vec<(Tag, u64)> = (0..100).map(|v| (1, v)).collect();
        count(&mut caller, 7, 0, &values);
        assert_eq!(caller.session(7).amount(1), 8.0);
    }

    #[test]
    fn foreign_bytes_are_nobody() {
        let mut caller = Caller::default();
        count(&mut caller, 7, 5, &[(1, 1)]);
        let mut bytes = caller.write();
        bytes.pop();
        assert_eq!(Caller::read(&bytes), Caller::default());
        assert_eq!(Caller::read(b""), Caller::default());
    }
}
