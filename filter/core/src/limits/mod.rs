//! How much: requests in a window, counted in the shared store.
//!
//! Envoy's shared store cannot delete, so there is never a key per caller: a fixed set of shards holds bounded
//! tables of counters. Counting is a compare-and-swap loop on one shard; all workers of a process count together,
//! exactly.
//!
//! What it does not do: it does not count across processes.

mod table;

use std::collections::HashSet;

use hmac_sha256::Hash;

use crate::config::{Path, Problem};
use crate::exchange::Time;
use crate::host::{Host, HostError, StoreError};
use crate::policy::{LimitDocument, Mode, Per, RoleSet, Roles, Targets, Who};
use table::Table;

/// Shards of the store: enough that workers rarely meet on one.
const SHARDS: u8 = 64;

/// Attempts of a compare-and-swap before the store counts as unavailable. Each failed one means that another
/// worker succeeded.
const ATTEMPTS: usize = 64;

/// Every limit of a policy.
#[derive(Debug, Default)]
pub struct RequestLimits(Vec<Limit>);

#[derive(Debug)]
struct Limit {
    id: String,
    requests: u32,
    window_secs: u64,
    per: Per,
    mode: Mode,
    who: Who,
    targets: Option<Vec<bool>>,
}

/// What the limits say of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The limits that are used up, and the seconds until the last of their windows ends.
    pub exceeded: Option<(Vec<String>, u64)>,
    /// Observed limits that are used up.
    pub observed: Vec<String>,
    /// Requests left in the tightest enforced window after this one.
    pub remaining: Option<u32>,
}

impl RequestLimits {
    /// Compiles a policy's `limits`.
    pub fn compile(
        documents: &[LimitDocument],
        roles: &Roles,
        targets: &Targets,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut ids = HashSet::new();
        let mut limits = Vec::new();
        for (i, document) in documents.iter().enumerate() {
            let path = path.index(i);
            crate::policy::check_id(&document.id, &mut ids, &path, problems);
            if document.requests == 0 {
                problems.push(
                    Problem::new(path.key("requests"), "a limit of no requests").help("use a deny in `access` instead"),
                );
            }
            let window = document.window.as_millis();
            if window == 0 || window % 1000 != 0 || window > 31 * 86_400_000 {
                problems
                    .push(Problem::new(path.key("window"), "not a window").help("whole seconds, from `1s` to `31d`"));
            }
            limits.push(Limit {
                id: document.id.clone(),
                requests: document.requests,
                window_secs: document.window.as_secs().max(1),
                per: document.per,
                mode: document.mode,
                who: roles.who(&document.roles, &path.key("roles"), problems),
                targets: targets.meant(&document.targets, &Default::default(), &path, problems),
            });
        }
        Self(limits)
    }

    /// Counts one request of `subject` against every limit that applies, also when one of them refuses it:
    /// whoever is over a rate stays over it by trying. Where it was `counted` at another target before it was sent to this one,
    /// limits that are on both have it already.
    ///
    /// # Errors
    /// The store failed or was too busy.
    pub fn count(
        &self,
        namespace: &str,
        subject: &str,
        roles: &RoleSet,
        (target, counted): (usize, Option<usize>),
        at: Time,
        host: &mut dyn Host,
    ) -> Result<Count, HostError> {
        let mut count = Count::default();
        for limit in &self.0 {
            let is_on = |target| crate::policy::includes(limit.targets.as_ref(), target);
            if !limit.who.fits(roles) || !is_on(target) || counted.is_some_and(is_on) {
                continue;
            }
            let Per::Principal = limit.per;
            let used = count_one(namespace, limit, subject, at.secs(), host)?;
            let over = used > limit.requests;
            match limit.mode {
                Mode::Observe if over => count.observed.push(limit.id.clone()),
                Mode::Observe => {}
                Mode::Enforce => {
                    let left = limit.requests.saturating_sub(used);
                    count.remaining = Some(count.remaining.map_or(left, |r| r.min(left)));
                    if over {
                        let wait = limit.window_secs - at.secs() % limit.window_secs;
                        let (ids, seconds) = count.exceeded.get_or_insert_default();
                        ids.push(limit.id.clone());
                        *seconds = (*seconds).max(wait);
                    }
                }
            }
        }
        Ok(count)
    }
}

/// Adds one to a counter and answers its new value.
fn count_one(
    namespace: &str,
    limit: &Limit,
    subject: &str,
    now_secs: u64,
    host: &mut dyn Host,
) -> Result<u32, HostError> {
    let mut hash = Hash::new();
    // The window is part of the identity: another window length is another counter.
    hash.update(limit.id.len().to_le_bytes());
    hash.update(limit.id.as_bytes());
    hash.update(limit.window_secs.to_le_bytes());
    hash.update(subject.as_bytes());
    let digest = hash.finalize();
    let [shard, rest @ ..] = digest;
    let mut id = [0u8; 16];
    for (to, from) in id.iter_mut().zip(rest) {
        *to = from;
    }
    let window_end = (now_secs / limit.window_secs + 1).saturating_mul(limit.window_secs);

    let key = format!("doorward/{namespace}/limits/{}", shard % SHARDS);
    for _ in 0..ATTEMPTS {
        let stored = host.load(&key)?;
        let version = stored.as_ref().map(|s| s.version);
        let mut table = Table::read(stored.as_ref().map_or(&[], |s| s.value.as_slice()));
        let used = table.add(id, window_end, now_secs).ok_or(HostError::Failed)?;
        // Nothing there yet: two workers may both create it and one count is lost. Envoy's store has no
        // create-if-absent, so the shards are created once, when the worker starts.
        match host.store(&key, &table.write(), version) {
            Ok(()) => return Ok(used),
            Err(StoreError::Conflict) => {}
            Err(StoreError::Failed) => return Err(HostError::Failed),
        }
    }
    Err(HostError::Failed)
}

/// Creates the shards that are not there. Called while a worker is configured, before it serves.
///
/// # Errors
/// The store failed.
pub fn prepare(namespace: &str, host: &mut dyn Host) -> Result<(), HostError> {
    for shard in 0..SHARDS {
        let key = format!("doorward/{namespace}/limits/{shard}");
        if host.load(&key)?.is_none() {
            match host.store(&key, &[], None) {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(StoreError::Failed) => return Err(HostError::Failed),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
