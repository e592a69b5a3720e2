//! What limits say of one request.

use std::rc::Rc;

use super::counters::Wanted;
use super::limit::Limit;
use super::purse::Room;
use crate::policy::Mode;

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
    pub id: Rc<str>,
    /// How much it grants.
    pub amount: u64,
    /// How much of that is left; money in billionths.
    pub remaining: u64,
    /// Seconds until all of it is there again, if nothing more is used.
    pub reset: u64,
    /// What of.
    pub what: What,
}

/// How a counter was found.
#[derive(Default)]
pub(super) struct Found {
    /// What is used and reserved, this request's part included, and what is in this VM's purse left out.
    pub used: u64,
    pub fits: bool,
    /// For how many calls more it was reserved, as much for each.
    pub ahead: u32,
    pub room: Room,
    /// See [`super::counter::Counter::frees`].
    pub frees: Option<u64>,
    /// When its window is over.
    pub end: u64,
}

impl Count {
    /// Tells how a counter was found; `over`: the limit refuses, or would, and when another try may pass.
    pub(super) fn tell(&mut self, want: &Wanted<'_>, found: &Found, over: Option<Option<u64>>, now_millis: u64) {
        let Wanted { place, limit, amount, lease, .. } = *want;
        let Found { used, end, .. } = *found;
        let what = limit.kind.what();
        let remaining = amount.saturating_sub(used);
        match (over, limit.mode) {
            (Some(_), Mode::Observe) => {
                self.observe(limit);
            }
            (Some(wait), Mode::Enforce) => {
                let left = amount.saturating_sub(used.saturating_sub(lease.amount));
                self.refuse((place, limit), what, wait, (lease.amount, left));
            }
            (None, _) => {}
        }
        if limit.mode == Mode::Enforce {
            let id = limit.id.clone();
            let reset = end.saturating_sub(now_millis / 1000).max(1);
            self.standings.push(Standing { id, amount, remaining, reset, what });
        }
    }

    pub(super) fn refuse(
        &mut self,
        (place, limit): (usize, &Limit),
        what: What,
        retry_after: Option<u64>,
        asks: (u64, u64),
    ) {
        if limit.mode == Mode::Observe {
            return self.observe(limit);
        }
        if !self.exceeded.iter().any(|e| *e.id == *limit.id) {
            let step_down = (place, limit.step_down.clone());
            self.exceeded.push(Exceeded { id: limit.id.to_string(), what, retry_after, asks, step_down });
        }
    }
    fn observe(&mut self, limit: &Limit) {
        if !self.observed.iter().any(|id| **id == *limit.id) {
            self.observed.push(limit.id.to_string());
        }
    }
}
