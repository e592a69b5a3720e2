//! How much: requests, tokens, money and calls at a time, counted in the shared store by all workers of a process together.
//!
//! Requests are counted when they come, refused ones too. Of tokens and money, what a request may use at most is reserved
//! before it goes on, and settled with what it did use when it is over. So no number of calls at the same time passes a limit:
//! what is used and what is reserved never add up to more.
//!
//! Where so much is left that nobody could tell the difference, a worker reserves for several calls at once, and settles several at
//! once ([`purse`]).
//!
//! What a limit counts for all proxies together, a rate-limit service counts beside it ([`global`]).

mod alive;
mod count;
mod counter;
mod counters;
mod estimate;
mod global;
mod grants;
mod ledger;
mod limit;
mod purse;
mod rls;
mod table;
mod window;
mod zone;

use std::collections::HashSet;

pub(crate) use alive::BEAT_MS;
use count::Found;
pub use count::{Count, Exceeded, Standing, What};
use counter::{Counter, Lease};
pub use counters::Counters;
pub(crate) use counters::Vm;
use counters::{Visit, Wanted};
pub(crate) use estimate::{Calibrations, Weight};
pub use global::Share;
pub(crate) use global::{Shared, Stage as GrantStage};
pub(crate) use grants::Grants;
use limit::{Kind, Limit};
pub use limit::{Need, Subject};
use purse::Room;
use table::Id;

use crate::config::{Path, Problem};
use crate::engine::Env;
use crate::host::{Host, HostError};
use crate::policy::{LimitDocument, Mode, Models, Roles, Targets, Verdict};

/// Every limit of a policy.
#[derive(Debug, Default)]
pub struct Limits(Vec<Limit>);

/// The counters that have counted one request.
#[derive(Debug, Default)]
pub struct Counted(Vec<Id>);

/// What is reserved for one exchange, until it is over.
#[derive(Debug, Default)]
pub struct Reserved(Vec<Held>);

#[derive(Debug)]
struct Held {
    limit: usize,
    id: Id,
    lease: Lease,
    room: Room,
}

impl Limits {
    /// Compiles a policy's `limits`.
    pub fn compile(
        documents: &[LimitDocument],
        roles: &Roles,
        targets: &Targets,
        env: Env<'_>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut ids = HashSet::new();
        let mut limits = Vec::new();
        for (i, document) in documents.iter().enumerate() {
            let path = path.index(i);
            crate::policy::check_statement(&document.id, &document.controls.0, &mut ids, &path, problems);
            limits.push(Limit::compile((i, document), roles, targets, env, &path, problems));
        }
        for (i, document) in documents.iter().enumerate() {
            let Some(id) = &document.replaces else { continue };
            let path = path.index(i).key("replaces");
            match documents.iter().position(|d| d.id == *id) {
                Some(other) if other == i => {
                    problems.push(Problem::new(path, "a limit that replaces itself"));
                }
                Some(other) => {
                    // What is replaced can be counted no earlier than what replaces it is known to fit.
                    let late = limits.get(i).is_some_and(|l: &Limit| l.needs_body);
                    if let Some(other) = limits.get_mut(other) {
                        other.needs_body |= late;
                    }
                    if let Some(limit) = limits.get_mut(i) {
                        limit.replaces = Some(other);
                    }
                }
                None => {
                    problems.push(crate::policy::unknown(path, "limit", id, documents.iter().map(|d| d.id.as_str())))
                }
            }
        }
        Self(limits)
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some limit counts requests, by what the head tells or by what the body does.
    pub fn counts(&self, with_body: bool) -> bool {
        self.0.iter().any(|limit| limit.kind == Kind::Requests && limit.needs_body == with_body)
    }

    /// Whether some limit has a model for what is beyond it.
    pub fn steps_down(&self) -> bool {
        self.0.iter().any(|limit| limit.step_down.is_some())
    }

    /// Whether there are any that proxies share.
    pub fn are_shared(&self) -> bool {
        self.0.iter().any(|limit| limit.global.is_some() && limit.mode == Mode::Enforce)
    }

    /// Whether some limit holds for what a request uses, as far as is known before its body: what it needs must be estimated.
    pub fn reserves(&self, subject: &Subject<'_>) -> bool {
        self.0.iter().any(|limit| limit.kind.is_used() && limit.fits(subject))
    }

    /// Counts one request against every limit on requests that applies, also when one of them refuses it: whoever is over a
    /// rate stays over it by trying. `with_body`: those that hang on what the body says, else the others. `counted`: the counters
    /// that have it already, added to; a request that is judged again counts once.
    ///
    /// # Errors
    /// The store failed or was too busy.
    pub fn count(
        &self,
        subject: &Subject<'_>,
        with_body: bool,
        counted: &mut Counted,
        counters: &mut Counters<'_>,
    ) -> Result<Count, HostError> {
        let mut count = Count::default();
        counters.beat()?;
        let mut wanted = Vec::new();
        for (place, limit) in self.applying(subject) {
            if limit.kind != Kind::Requests || limit.needs_body != with_body {
                continue;
            }
            let amount = limit.amount(subject, counters.at.secs());
            for (id, times) in limit.keys(subject) {
                if !counted.0.contains(&id) {
                    counted.0.push(id);
                    wanted.push(Wanted { place, limit, id, amount, lease: Lease { amount: times, floor: 0 } });
                }
            }
        }
        let mut found = Vec::new();
        counters.change(&wanted, &mut found, &mut |want, counter, Visit { place, .. }| {
            counter.add(want.lease.amount, place);
            // One more must fit.
            let short = counter.used().saturating_add(1).saturating_sub(want.amount);
            let frees = counter.frees(short.max(1));
            Ok(Found { used: counter.used(), fits: true, frees, end: place.end, ..Found::default() })
        })?;
        let now = counters.at.millis();
        for (want, found) in wanted.iter().zip(found.iter().flatten()) {
            let over = found.used > want.amount && (want.limit.refuses() || want.limit.mode == Mode::Observe);
            count.tell(want, found, over.then(|| want.limit.wait(found.frees, now)), now);
        }
        Ok(count)
    }

    /// Reserves what a request needs at most under every limit that applies. Where one refuses, nothing is reserved.
    ///
    /// # Errors
    /// The store failed or was too busy; nothing is reserved.
    pub fn reserve(
        &self,
        subject: &Subject<'_>,
        need: &Need,
        models: &Models,
        counters: &mut Counters<'_>,
    ) -> Result<(Reserved, Count), HostError> {
        let mut reserved = Reserved::default();
        let mut count = Count::default();
        counters.beat()?;
        let result = self.reserve_all(subject, need, models, counters, &mut reserved, &mut count);
        if result.is_err() || !count.exceeded.is_empty() {
            let given_back = self.give_back(std::mem::take(&mut reserved), counters);
            result.and(given_back)?;
        }
        Ok((reserved, count))
    }

    fn reserve_all(
        &self,
        subject: &Subject<'_>,
        need: &Need,
        models: &Models,
        counters: &mut Counters<'_>,
        reserved: &mut Reserved,
        count: &mut Count,
    ) -> Result<(), HostError> {
        let mut wanted = Vec::new();
        for (place, limit) in self.applying(subject) {
            if limit.kind == Kind::Requests {
                continue;
            }
            let Some(lease) = limit.lease(need, subject, models) else {
                if limit.unpriced == Verdict::Deny {
                    count.refuse((place, limit), What::Unpriced, None, (0, 0));
                }
                continue;
            };
            if lease.amount == 0 && !(need.open && limit.kind.is_used()) {
                continue;
            }
            let amount = limit.amount(subject, counters.at.secs());
            wanted.extend(limit.keys(subject).map(|(id, _)| Wanted { place, limit, id, amount, lease }));
        }
        let now = counters.at.millis();
        let (found, outcome) = counters.reserve(&wanted, need.open);
        for (want, found) in wanted.iter().zip(found.iter()) {
            let Some(found) = found else { continue };
            let Wanted { limit, lease, .. } = *want;
            if found.fits || !limit.refuses() {
                reserved.0.push(Held { limit: want.place, id: want.id, lease, room: found.room });
            }
            // What others reserved may come back at any time; what can never fit does not.
            let wait = || (lease.amount <= want.amount).then(|| limit.wait(found.frees, now).unwrap_or(1));
            let over = !found.fits && (limit.refuses() || limit.mode == Mode::Observe);
            count.tell(want, found, over.then(wait), now);
        }
        // In the policy's order, whatever was found first.
        count.exceeded.sort_by_key(|exceeded| exceeded.step_down.0);
        outcome
    }

    /// Settles what was reserved with what was used. What was used is charged also where the reservation is gone.
    ///
    /// # Errors
    /// The store failed or was too busy for some of it.
    pub fn settle(
        &self,
        reserved: Reserved,
        used: &Need,
        subject: &Subject<'_>,
        models: &Models,
        counters: &mut Counters<'_>,
    ) -> Result<(), HostError> {
        self.release(reserved, counters, |limit, lease| limit.used(used, subject, models).unwrap_or(lease.amount))
    }

    /// Gives back what was reserved: nothing was used.
    ///
    /// # Errors
    /// The store failed or was too busy for some of it.
    pub fn give_back(&self, reserved: Reserved, counters: &mut Counters<'_>) -> Result<(), HostError> {
        self.release(reserved, counters, |_, _| 0)
    }

    /// Takes reservations out, and puts in what `used` says of each.
    fn release(
        &self,
        reserved: Reserved,
        counters: &mut Counters<'_>,
        used: impl Fn(&Limit, Lease) -> u64,
    ) -> Result<(), HostError> {
        let (mut held, now) = (Vec::new(), counters.at.millis());
        for Held { limit: place, id, lease, room } in reserved.0 {
            let Some(limit) = self.0.get(place) else { continue };
            let amount = used(limit, lease);
            if !counters.vm.purse.put(place, id, lease, amount, room, now) {
                held.push(Wanted { place, limit, id, amount, lease });
            }
        }
        let mut act = |held: &Wanted<'_>, counter: &mut Counter, visit: Visit| {
            counter.settle(visit.generation, 1, held.lease, held.amount, visit.place);
            Ok(())
        };
        let mut done = Vec::new();
        if counters.change(&held, &mut done, &mut act).is_ok() {
            return Ok(());
        }
        let mut outcome = Ok(());
        for (held, _) in held.iter().zip(done).filter(|(_, done)| done.is_none()) {
            // One for which there is no room any more keeps no other from being released, and what is not released now is later.
            let released = counters.change(std::slice::from_ref(held), &mut Vec::new(), &mut act);
            if released.is_err() {
                counters.vm.purse.owe(held.place, held.id, held.lease, held.amount);
            }
            outcome = outcome.and(released);
        }
        outcome
    }

    /// Time passed: tells that this VM runs, and settles what waits for it.
    pub fn tick(&self, counters: &mut Counters<'_>) {
        // Told again soon: others wait for ten seconds before they take this VM for lost.
        let _ = counters.beat();
        if counters.vm.purse.is_due(counters.at.millis()) {
            // Where it fails, requests are refused for the same reason, and say so.
            let _ = self.pay(counters);
        }
    }

    /// Settles what waits for it. What the store does not take waits on.
    ///
    /// # Errors
    /// The store failed or was too busy for some of it.
    pub fn pay(&self, counters: &mut Counters<'_>) -> Result<(), HostError> {
        let outcome = counters.pay(self);
        counters.vm.purse.emptied(counters.at.millis());
        outcome
    }

    /// The limits that hold for a request.
    fn applying<'a>(&'a self, subject: &'a Subject<'_>) -> impl Iterator<Item = (usize, &'a Limit)> {
        let replaced = move |place: usize| {
            let mut others = self.0.iter().filter(|l| l.replaces == Some(place) && l.mode == Mode::Enforce);
            others.any(|l| l.fits(subject))
        };
        let holds = move |place: usize| !subject.past.contains(&place) && !replaced(place);
        self.0.iter().enumerate().filter(move |(place, limit)| limit.fits(subject) && holds(*place))
    }
}

impl Reserved {
    /// Whether there is nothing to settle.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Creates the shards that are not there. Called while a worker is configured, before it serves.
///
/// # Errors
/// The store failed.
pub fn prepare(namespace: &str, host: &mut dyn Host) -> Result<(), HostError> {
    ledger::prepare(namespace, host)
}

#[cfg(test)]
mod tests;
