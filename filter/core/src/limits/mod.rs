//! How much: requests, tokens, money and calls at a time, counted in the shared store by all workers of a process together.
//!
//! Requests are counted when they come, refused ones too. Of tokens and money, what a request may use at most is reserved
//! before it goes on, and settled with what it did use when it is over. So no number of calls at the same time passes a limit:
//! what is used and what is reserved never add up to more.
//!
//! What a limit counts for all proxies together, a rate-limit service counts beside it ([`global`]).

mod alive;
mod counter;
mod estimate;
mod global;
mod grants;
mod ledger;
mod limit;
mod rls;
mod table;
mod window;
mod zone;

use std::collections::HashSet;

pub(crate) use alive::{Alive, BEAT_MS};
use counter::Lease;
pub(crate) use estimate::{Calibrations, Weight};
pub use global::Share;
pub(crate) use global::{Shared, Stage as GrantStage};
pub(crate) use grants::Grants;
use ledger::Ledger;
use limit::{Kind, Limit};
pub use limit::{Need, Subject};
use table::Id;

use crate::config::{Path, Problem};
use crate::engine::Env;
use crate::exchange::Time;
use crate::host::{Host, HostError};
use crate::policy::{LimitDocument, Mode, Models, Roles, Targets, Verdict};

/// Every limit of a policy.
#[derive(Debug, Default)]
pub struct Limits(Vec<Limit>);

/// What the shared counters are reached with.
pub struct Counters<'a> {
    /// The policy's name: a prefix in the shared store.
    pub namespace: std::borrow::Cow<'a, str>,
    /// Now.
    pub at: Time,
    /// Which VMs run.
    pub(crate) alive: &'a mut Alive,
    /// The shared store.
    pub host: &'a mut dyn Host,
    /// Compare-and-swaps that another worker was faster at: added to.
    pub conflicts: &'a mut u64,
}

/// What the limits say of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The limits that refuse it.
    pub exceeded: Vec<Exceeded>,
    /// Observed limits that would.
    pub observed: Vec<String>,
    /// How the enforced limits stand, this request counted.
    pub standings: Vec<Standing>,
}

/// A limit that refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Its id.
    pub id: String,
    /// What of.
    pub what: What,
    /// Seconds after which another try may pass; none where none can.
    pub retry_after: Option<u64>,
    /// What the request would reserve, and what is left.
    pub asks: (u64, u64),
    /// The limit's place, and the model that the request may be made to instead.
    pub step_down: (usize, Option<String>),
}

/// What a limit is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Requests.
    Requests,
    /// Tokens.
    Tokens,
    /// Money, in billionths.
    Cost,
    /// Calls at a time.
    Concurrent,
    /// Money, of a model whose price is not known.
    Unpriced,
}

/// How a limit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its id.
    pub id: String,
    /// How much it grants.
    pub amount: u64,
    /// How much of that is left; money in billionths.
    pub remaining: u64,
    /// Seconds until all of it is there again, if nothing more is used.
    pub reset: u64,
    /// What of.
    pub what: What,
}

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
            crate::policy::check_id(&document.id, &mut ids, &path, problems);
            limits.push(Limit::compile(document, roles, targets, env, &path, problems));
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
        for (place, limit) in self.applying(subject) {
            if limit.kind != Kind::Requests || limit.needs_body != with_body {
                continue;
            }
            let amount = limit.amount(subject, counters.at.secs());
            for (id, times) in limit.keys(subject) {
                if counted.0.contains(&id) {
                    continue;
                }
                counted.0.push(id);
                let used = counters.ledger().change(&id, &limit.window, &mut |counter, place, _| {
                    counter.add(times, place);
                    // One more must fit.
                    let short = counter.used().saturating_add(1).saturating_sub(amount);
                    (counter.used(), counter.frees(short.max(1)), place.end)
                })?;
                let (used, frees, end) = used;
                let over = used > amount && (limit.refuses() || limit.mode == Mode::Observe);
                let now = counters.at.millis();
                let wait = limit.wait(frees, now);
                count.tell((place, limit), amount, used, end, over.then_some((times, wait)), now);
            }
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
            let open = need.open && limit.kind.is_used();
            if lease.amount == 0 && !open {
                continue;
            }
            let amount = limit.amount(subject, counters.at.secs());
            let generation = counters.alive.own();
            for (id, _) in limit.keys(subject) {
                let change = counters.ledger().change(&id, &limit.window, &mut |counter, place, _| {
                    let taken = counter.used().saturating_add(counter.reserved());
                    let left = amount.saturating_sub(taken);
                    let fits = lease.amount.max(u64::from(open)) <= left;
                    let room = (!fits && limit.refuses()) || counter.reserve(generation, lease);
                    let short = lease.amount.saturating_sub(left);
                    (taken, fits, room, counter.frees(short.max(1)), place.end)
                })?;
                let (taken, fits, room, frees, end) = change;
                if !room {
                    return Err(HostError::Failed);
                }
                let now = counters.at.millis();
                if fits || !limit.refuses() {
                    reserved.0.push(Held { limit: place, id, lease });
                }
                // What others reserved may come back at any time; what can never fit does not.
                let wait = (lease.amount <= amount).then(|| limit.wait(frees, now).unwrap_or(1));
                let used = taken.saturating_add(lease.amount);
                let over = !fits && (limit.refuses() || limit.mode == Mode::Observe);
                count.tell((place, limit), amount, used, end, over.then_some((lease.amount, wait)), now);
            }
        }
        Ok(())
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
        let mut result = Ok(());
        for held in reserved.0 {
            let Some(limit) = self.0.get(held.limit) else { continue };
            let used = limit.used(used, subject, models).unwrap_or(held.lease.amount);
            result = result.and(release(limit, &held, used, counters));
        }
        result
    }

    /// Gives back what was reserved: nothing was used.
    ///
    /// # Errors
    /// The store failed or was too busy for some of it.
    pub fn give_back(&self, reserved: Reserved, counters: &mut Counters<'_>) -> Result<(), HostError> {
        let mut result = Ok(());
        for held in reserved.0 {
            let Some(limit) = self.0.get(held.limit) else { continue };
            result = result.and(release(limit, &held, 0, counters));
        }
        result
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

fn release(limit: &Limit, held: &Held, used: u64, counters: &mut Counters<'_>) -> Result<(), HostError> {
    let generation = counters.alive.own();
    let lease = held.lease;
    counters.ledger().change(&held.id, &limit.window, &mut |counter, place, _| {
        // Others took this VM for lost, and kept what surely went out.
        let charged = if counter.release(generation, lease) { 0 } else { lease.floor };
        counter.add(used.saturating_sub(charged), place);
    })
}

impl Counters<'_> {
    /// Tells that this VM runs before it holds anything that others could take for lost.
    fn beat(&mut self) -> Result<(), HostError> {
        match self.alive.is_due(self.at.millis()) {
            true => self.alive.beat(&self.namespace, self.at.millis(), self.host),
            false => Ok(()),
        }
    }

    fn ledger(&mut self) -> Ledger<'_> {
        Ledger {
            namespace: &self.namespace,
            now_millis: self.at.millis(),
            alive: self.alive,
            host: self.host,
            conflicts: self.conflicts,
        }
    }
}

impl Count {
    fn tell(
        &mut self,
        (place, limit): (usize, &Limit),
        amount: u64,
        used: u64,
        end: u64,
        over: Option<(u64, Option<u64>)>,
        now_millis: u64,
    ) {
        let what = limit.kind.what();
        let remaining = amount.saturating_sub(used);
        match (over, limit.mode) {
            (Some(_), Mode::Observe) => {
                if !self.observed.contains(&limit.id) {
                    self.observed.push(limit.id.clone());
                }
            }
            (Some((asks, wait)), Mode::Enforce) => {
                let left = amount.saturating_sub(used.saturating_sub(asks));
                self.refuse((place, limit), what, wait, (asks, left));
            }
            (None, _) => {}
        }
        if limit.mode == Mode::Enforce {
            let id = limit.id.clone();
            let reset = end.saturating_sub(now_millis / 1000).max(1);
            self.standings.push(Standing { id, amount, remaining, reset, what });
        }
    }

    fn refuse(&mut self, (place, limit): (usize, &Limit), what: What, retry_after: Option<u64>, asks: (u64, u64)) {
        if limit.mode == Mode::Observe {
            if !self.observed.contains(&limit.id) {
                self.observed.push(limit.id.clone());
            }
            return;
        }
        if !self.exceeded.iter().any(|e| e.id == limit.id) {
            let step_down = (place, limit.step_down.clone());
            self.exceeded.push(Exceeded { id: limit.id.clone(), what, retry_after, asks, step_down });
        }
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
