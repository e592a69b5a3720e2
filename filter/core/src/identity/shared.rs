//! What workers tell each other through the host's shared store: the last key set fetched, and who is fetching.
//!
//! Entries cannot be deleted and are there for every plugin under the same `vm_id`, so each is read with suspicion:
//! it carries a format mark, its time must make sense, and where a key is configured it must be authenticated.

use hmac_sha256::HMAC;

use crate::host::{Host, StoreError, Stored};

const SET_MARK: &[u8; 4] = b"dwk1";
const LEASE_MARK: &[u8; 4] = b"dwl1";
const MAC_BYTES: usize = 32;
/// How far in the future a time may lie that another worker of this process wrote.
const CLOCK_SLACK_MS: u64 = 5_000;
/// The longest pause after failed fetches.
pub(super) const MAX_PAUSE_MS: u64 = 60_000;
/// The pause after the first failed fetch; it doubles.
const MIN_PAUSE_MS: u64 = 2_000;
/// How much longer than its fetch a lease lasts.
const LEASE_SLACK_MS: u64 = 2_000;

/// A key set as another worker stored it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SharedSet {
    pub fetched_at_ms: u64,
    pub body: Vec<u8>,
}

/// Why nobody else may fetch for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Somebody is fetching.
    Fetching,
    /// The last fetch failed; the provider gets a pause.
    Pausing,
}

/// The right to fetch a key set, for one worker at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lease {
    held: Held,
    /// Fetches that failed in a row.
    failures: u8,
    until_ms: u64,
}

/// The two entries of one issuer.
#[derive(Debug)]
pub(super) struct Slot {
    set_name: String,
    lease_name: String,
    secret: Option<Vec<u8>>,
    timeout_ms: u64,
}

/// Whether this worker may fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may; its lease ends at this time.
    Ours(u64),
    /// It may not.
    Theirs(Held),
}

impl Slot {
    /// The entries under `namespace` for the source that `source` tells from any other.
    pub fn new(namespace: &str, source: &str, secret: Option<Vec<u8>>, timeout_ms: u64) -> Self {
        let name = |kind| format!("{namespace}identity/{kind}/{source}");
        Self { set_name: name("jwks"), lease_name: name("lease"), secret, timeout_ms }
    }

    /// The stored key set, if its version is not `seen`; the version goes there.
    pub fn load_set(&self, seen: &mut Option<u32>, now_ms: u64, host: &mut dyn Host) -> Option<SharedSet> {
        let stored = host.load(&self.set_name).ok()??;
        if seen.replace(stored.version) == Some(stored.version) {
            return None;
        }
        self.read_set(&stored, now_ms)
    }

    fn read_set(&self, stored: &Stored, now_ms: u64) -> Option<SharedSet> {
        let (at, body) = self.open(&self.set_name, SET_MARK, &stored.value)?.split_first_chunk::<8>()?;
        let fetched_at_ms = u64::from_be_bytes(*at);
        (fetched_at_ms <= now_ms.saturating_add(CLOCK_SLACK_MS))
            .then(|| SharedSet { fetched_at_ms, body: body.to_vec() })
    }

    /// Stores a key set, unless a newer one is there.
    pub fn store_set(&self, body: &[u8], now_ms: u64, host: &mut dyn Host) {
        let value = self.seal(&self.set_name, SET_MARK, &[&now_ms.to_be_bytes(), body]);
        for _ in 0..3 {
            let Ok(stored) = host.load(&self.set_name) else { return };
            let newer =
                stored.as_ref().and_then(|s| self.read_set(s, now_ms)).is_some_and(|s| s.fetched_at_ms > now_ms);
            if newer || host.store(&self.set_name, &value, stored.map(|s| s.version)) != Err(StoreError::Conflict) {
                return;
            }
        }
    }

    /// Takes the lease, if nobody holds it. A holder that died loses it when it ends.
    ///
    /// A host without a working store leaves each worker to itself.
    pub fn acquire(&self, now_ms: u64, host: &mut dyn Host) -> Turn {
        let ends = now_ms.saturating_add(self.timeout_ms + LEASE_SLACK_MS);
        let free = Lease { held: Held::Fetching, failures: 0, until_ms: 0 };
        let mut stored = match host.load(&self.lease_name) {
            Ok(stored) => stored,
            Err(_) => return Turn::Ours(ends),
        };
        if stored.is_none() {
            // A store without a version is unconditional, so it would not tell two workers apart: both write the
            // same free lease, and only one wins the exchange for it. (Should one write it after the other has
            // won, both fetch. That is once, at start, and harmless.)
            let _ = host.store(&self.lease_name, &self.seal_lease(free), None);
            stored = host.load(&self.lease_name).ok().flatten();
        }
        let Some(stored) = stored else { return Turn::Ours(ends) };
        let lease = self.open_lease(&stored, now_ms).unwrap_or(free);
        if lease.until_ms > now_ms {
            return Turn::Theirs(lease.held);
        }
        let ours = Lease { held: Held::Fetching, failures: lease.failures, until_ms: ends };
        match host.store(&self.lease_name, &self.seal_lease(ours), Some(stored.version)) {
            Ok(()) | Err(StoreError::Failed) => Turn::Ours(ends),
            Err(StoreError::Conflict) => Turn::Theirs(Held::Fetching),
        }
    }

    /// Who holds the lease, without taking it.
    pub fn held(&self, now_ms: u64, host: &mut dyn Host) -> Option<Held> {
        let stored = host.load(&self.lease_name).ok()??;
        self.open_lease(&stored, now_ms).filter(|lease| lease.until_ms > now_ms).map(|lease| lease.held)
    }

    /// Gives back the lease that ends at `ours_ms`: free after a success, otherwise as a pause that grows with each
    /// failure in a row. Returns when the next fetch may start.
    pub fn release(&self, ours_ms: u64, success: bool, now_ms: u64, host: &mut dyn Host) -> u64 {
        let stored = host.load(&self.lease_name).ok().flatten();
        let lease = stored.as_ref().and_then(|s| self.open_lease(s, now_ms));
        let failures = match success {
            true => 0,
            false => lease.map_or(1, |l| l.failures.saturating_add(1)),
        };
        let until_ms = match failures {
            0 => now_ms,
            n => now_ms.saturating_add((MIN_PAUSE_MS << u32::from(n - 1).min(5)).min(MAX_PAUSE_MS)),
        };
        // A lease that somebody took over in between is theirs.
        if let Some(stored) = stored
            && lease.is_none_or(|l| l.held == Held::Fetching && l.until_ms == ours_ms)
        {
            let lease = self.seal_lease(Lease { held: Held::Pausing, failures, until_ms });
            let _ = host.store(&self.lease_name, &lease, Some(stored.version));
        }
        until_ms
    }

    fn seal_lease(&self, lease: Lease) -> Vec<u8> {
        let held = match lease.held {
            Held::Fetching => 1,
            Held::Pausing => 2,
        };
        self.seal(&self.lease_name, LEASE_MARK, &[&[held, lease.failures], &lease.until_ms.to_be_bytes()])
    }

    fn open_lease(&self, stored: &Stored, now_ms: u64) -> Option<Lease> {
        let (head, until) = self.open(&self.lease_name, LEASE_MARK, &stored.value)?.split_first_chunk::<2>()?;
        let [held, failures] = *head;
        let held = match held {
            1 => Held::Fetching,
            2 => Held::Pausing,
            _ => return None,
        };
        let until_ms = u64::from_be_bytes(until.try_into().ok()?);
        // A lease longer than any we give is not one of ours, or from before the clock was set back.
        let longest = MAX_PAUSE_MS.max(self.timeout_ms + LEASE_SLACK_MS) + CLOCK_SLACK_MS;
        (until_ms <= now_ms.saturating_add(longest)).then_some(Lease { held, failures, until_ms })
    }

    fn mac(secret: &[u8], name: &str, text: &[u8]) -> HMAC {
        let mut mac = HMAC::new(secret);
        // The name binds an entry to its place: one issuer's set cannot be stored as another's.
        mac.update((name.len() as u64).to_be_bytes());
        mac.update(name);
        mac.update(text);
        mac
    }

    fn seal(&self, name: &str, mark: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
        let mut value = mark.to_vec();
        value.extend(parts.iter().copied().flatten());
        if let Some(secret) = &self.secret {
            let mac = Self::mac(secret, name, &value).finalize();
            value.extend_from_slice(&mac);
        }
        value
    }

    fn open<'v>(&self, name: &str, mark: &[u8; 4], value: &'v [u8]) -> Option<&'v [u8]> {
        let text = match &self.secret {
            None => value,
            Some(secret) => {
                let (text, mac) = value.split_last_chunk::<MAC_BYTES>()?;
                Self::mac(secret, name, text).finalize_verify(mac).then_some(text)?
            }
        };
        text.strip_prefix(mark)
    }
}
