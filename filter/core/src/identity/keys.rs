//! What one worker keeps: fetched key sets, and the tokens that verified.

use super::cache::Cache;
use super::json::Json;
use super::jwk::{Key, KeySet, NoKey, choose};
use super::shared::{Held, Slot, Turn};
use super::signature::Algorithm;
use super::{Identity, Issuer};
use crate::host::Host;

/// The longest key set that is read, in bytes. Real ones have 1 to 20 KB.
const MAX_SET_BYTES: usize = 256 * 1024;
/// How long a fetched set is believed to be complete: an unknown `kid` asks again only after this, so that made-up
/// ones cannot hammer the provider.
const COOL_DOWN_MS: u64 = 10_000;
/// How long a request may wait for a key.
const MAX_WAIT_MS: u64 = 1_000;

/// A key set to be fetched: a GET whose answer, if its status is 200, goes to [`Keys::fetched`], as does its failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Whose keys: the index of the issuer in `identity.jwt`.
    pub issuer: usize,
    /// The Envoy cluster to send it to.
    pub cluster: String,
    /// The `:authority`.
    pub authority: String,
    /// The `:path`.
    pub path: String,
    /// How long to wait for the answer.
    pub timeout_ms: u64,
}

/// What one worker keeps for one [`Identity`]; made anew with each configuration, so that nothing that an old
/// policy accepted outlives it. Its size is bounded.
#[derive(Debug)]
pub struct Keys {
    remotes: Vec<Option<Remote>>,
    pub(super) cache: Cache,
    /// [`Identity::digest`] of the identity this is for.
    pub(super) identity: [u8; 32],
}

/// The key set of one issuer, fetched.
#[derive(Debug)]
struct Remote {
    slot: Slot,
    /// The last good set and when it was fetched.
    set: Option<(KeySet, u64)>,
    /// The version of the shared entry that was last read.
    seen: Option<u32>,
    /// When our own fetch's lease ends, while one is under way.
    fetching_until_ms: Option<u64>,
    /// No fetch of ours before this. The shared lease says so too, but the store may be out of order.
    not_before_ms: u64,
}

/// How the search for a key ended.
pub(super) enum Found<'k> {
    Key(&'k Key),
    No(NoKey),
    /// No set was ever fetched.
    Unavailable,
    /// Somebody is fetching: look again by this time.
    Wait {
        until_ms: u64,
    },
}

impl Keys {
    /// Keeps nothing yet. `namespace` begins every name in the shared store: one per policy, so that policies in
    /// one process do not read each other's.
    pub fn new(identity: &Identity, namespace: &str) -> Self {
        let remote = |issuer: &Issuer| {
            issuer.remote.as_ref().map(|remote| Remote {
                slot: Slot::new(namespace, &remote.source, identity.shared_key.clone(), remote.timeout_ms),
                set: None,
                seen: None,
                fetching_until_ms: None,
                not_before_ms: 0,
            })
        };
        Self {
            remotes: identity.issuers.iter().map(remote).collect(),
            cache: Cache::new(identity.cache_entries, identity.cache_max_age_ms),
            identity: identity.digest,
        }
    }

    /// Adopts key sets that other workers fetched, and asks for those that are due, one worker each.
    /// Call it once a second or so. With an identity other than the one this was made for, it does nothing.
    pub fn tick(&mut self, identity: &Identity, now_ms: u64, host: &mut dyn Host, fetches: &mut Vec<Fetch>) {
        if self.identity != identity.digest {
            return;
        }
        for (index, issuer) in identity.issuers.iter().enumerate() {
            let (Some(source), Some(Some(remote))) = (&issuer.remote, self.remotes.get_mut(index)) else { continue };
            remote.adopt(issuer, now_ms, host);
            let due = match &remote.set {
                None => true,
                // A clock set back makes the set's age unknown.
                Some((_, at)) => now_ms.checked_sub(*at).is_none_or(|age| age >= source.refresh_ms),
            };
            if due {
                remote.fetch(index, issuer, now_ms, host, fetches);
            }
        }
    }

    /// Takes the answer to a [`Fetch`]: the body of a 200, or `Err` for anything else. A set that cannot be read
    /// is a failure; the last good one stays.
    pub fn fetched(
        &mut self,
        identity: &Identity,
        issuer: usize,
        result: Result<&[u8], ()>,
        now_ms: u64,
        host: &mut dyn Host,
    ) {
        if self.identity != identity.digest {
            return;
        }
        let (Some(config), Some(Some(remote))) = (identity.issuers.get(issuer), self.remotes.get_mut(issuer)) else {
            return;
        };
        let set = result.ok().and_then(|body| Some((read(body, config)?, body)));
        let success = set.is_some();
        if let Some((set, body)) = set {
            remote.set = Some((set, now_ms));
            remote.slot.store_set(body, now_ms, host);
        }
        let ours_ms = remote.fetching_until_ms.take().unwrap_or(0);
        remote.not_before_ms = remote.slot.release(ours_ms, success, now_ms, host);
    }

    /// How many keys of an issuer's fetched set are in use, and how many were left out because they cannot be used
    /// (too short, of an unknown kind, not for signatures, ambiguous). `None` before the first set.
    pub fn counts(&self, issuer: usize) -> Option<(usize, usize)> {
        let (set, _) = self.remotes.get(issuer)?.as_ref()?.set.as_ref()?;
        Some((set.keys.len(), set.refused.len()))
    }

    /// Whether the key is still among the issuer's.
    pub(super) fn has(&self, issuer: &Issuer, index: usize, fingerprint: &[u8; 32]) -> bool {
        self.all(issuer, index).any(|key| key.fingerprint == *fingerprint)
    }

    fn all<'k>(&'k self, issuer: &'k Issuer, index: usize) -> impl Iterator<Item = &'k Key> {
        let fetched = self.remotes.get(index).and_then(Option::as_ref).and_then(|r| r.set.as_ref());
        issuer.keys.iter().chain(fetched.into_iter().flat_map(|(set, _)| &set.keys))
    }

    /// Looks for a key, and for a newer set where it is not there.
    #[expect(clippy::too_many_arguments, reason = "one question; a struct for it would be used once")]
    pub(super) fn find<'k>(
        &'k mut self,
        issuer: &'k Issuer,
        index: usize,
        (id, algorithm): (Option<&str>, Algorithm),
        now_ms: u64,
        waiting_since_ms: Option<u64>,
        host: &mut dyn Host,
        fetches: &mut Vec<Fetch>,
    ) -> Found<'k> {
        let looked = choose(self.all(issuer, index), id, algorithm).map(|_| ());
        let mut state = None;
        if looked == Err(NoKey::Unknown)
            && let Some(Some(remote)) = self.remotes.get_mut(index)
        {
            state = remote.missing(index, issuer, id.is_some(), now_ms, waiting_since_ms, host, fetches);
        }
        match (choose(self.all(issuer, index), id, algorithm), state) {
            (Ok(key), _) => Found::Key(key),
            (Err(NoKey::Unknown), Some(Missing::Wait { until_ms })) => Found::Wait { until_ms },
            (Err(NoKey::Unknown), Some(Missing::Unavailable)) => Found::Unavailable,
            (Err(why), _) => Found::No(why),
        }
    }
}

enum Missing {
    Wait { until_ms: u64 },
    Unavailable,
}

impl Remote {
    /// What to do about a key that is not there; `None` for nothing more.
    #[expect(clippy::too_many_arguments, reason = "split from its only caller for the borrow checker")]
    fn missing(
        &mut self,
        index: usize,
        issuer: &Issuer,
        has_id: bool,
        now_ms: u64,
        waiting_since_ms: Option<u64>,
        host: &mut dyn Host,
        fetches: &mut Vec<Fetch>,
    ) -> Option<Missing> {
        self.adopt(issuer, now_ms, host);
        let since_ms = waiting_since_ms.unwrap_or(now_ms).min(now_ms);
        let until_ms = since_ms.saturating_add(MAX_WAIT_MS);
        let nothing = self.set.is_none().then_some(Missing::Unavailable);
        if let Some((_, at)) = &self.set {
            // Without a `kid`, a newer set is no more likely to hold exactly one key that fits.
            let fresh = now_ms.checked_sub(*at).is_some_and(|age| age < COOL_DOWN_MS);
            if !has_id || fresh {
                return nothing;
            }
        }
        if now_ms >= until_ms {
            return nothing;
        }
        let fetching = self.fetching_until_ms.is_some_and(|until| now_ms < until);
        let held = if waiting_since_ms.is_some() {
            // One fetch per wait: when it ended without the key, there is nothing more to wait for.
            self.slot.held(now_ms, host)
        } else if fetching || self.fetch(index, issuer, now_ms, host, fetches) {
            Some(Held::Fetching)
        } else {
            self.slot.held(now_ms, host)
        };
        match held {
            _ if fetching => Some(Missing::Wait { until_ms }),
            Some(Held::Fetching) => Some(Missing::Wait { until_ms }),
            Some(Held::Pausing) | None => nothing,
        }
    }

    /// Asks for a fetch, if it is this worker's turn.
    fn fetch(
        &mut self,
        index: usize,
        issuer: &Issuer,
        now_ms: u64,
        host: &mut dyn Host,
        fetches: &mut Vec<Fetch>,
    ) -> bool {
        let Some(source) = &issuer.remote else { return false };
        let busy = self.fetching_until_ms.is_some_and(|until| now_ms < until);
        // As with leases, a pause longer than any we make is from before the clock was set back.
        let pausing = now_ms < self.not_before_ms && self.not_before_ms - now_ms <= super::shared::MAX_PAUSE_MS;
        if busy || pausing {
            return false;
        }
        let Turn::Ours(until_ms) = self.slot.acquire(now_ms, host) else { return false };
        self.fetching_until_ms = Some(until_ms);
        fetches.push(Fetch {
            issuer: index,
            cluster: source.cluster.clone(),
            authority: source.authority.clone(),
            path: source.path.clone(),
            timeout_ms: source.timeout_ms,
        });
        true
    }

    /// Takes over a newer set that another worker stored.
    fn adopt(&mut self, issuer: &Issuer, now_ms: u64, host: &mut dyn Host) {
        let Some(shared) = self.slot.load_set(&mut self.seen, now_ms, host) else { return };
        let newer = self.set.as_ref().is_none_or(|(_, at)| shared.fetched_at_ms > *at);
        if newer && let Some(set) = read(&shared.body, issuer) {
            self.set = Some((set, shared.fetched_at_ms));
        }
    }
}

/// Reads a fetched set. One that lists no usable key is a set all the same: what the provider took back must stop
/// working.
fn read(body: &[u8], issuer: &Issuer) -> Option<KeySet> {
    if body.len() > MAX_SET_BYTES {
        return None;
    }
    KeySet::read(&Json::read(body)?, &issuer.algorithms).ok()
}
