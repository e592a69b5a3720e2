//! Counts that proxies share, kept by a rate-limit service.
//!
//! What a request may use at most is charged there before it goes on. What it did not use comes back: to the service, where that
//! takes refunds, or into a balance that this process keeps for the next requests of the same count and window. So what is charged
//! is never less than what is used, and the service's bound is one for all. What was used and not charged, since the service did not
//! answer or refused it afterwards, is a debt: the balance is below zero, and the next request asks for that much more.
//!
//! A balance belongs to one window, and is over with it. The descriptor names the window, so that the service keeps a count for each:
//! its own windows need not be ours, and what is settled late never counts in a window that it does not belong to.
//!
//! What it does not do: it does not ask again. A call that fails may have been charged all the same; taking it for not charged would
//! be a way past the bound, so that only a clear refusal is one, and all else is charged when the exchange is over.

use hmac_sha256::{HMAC, Hash};

use super::grants::{Grants, Heard, Purpose};
use super::limit::{Kind, Limit};
use super::rls;
use super::table::Id;
use super::{Counters, Limits, Need, Reserved, Subject, What};
use crate::config::{Path, Problem};
use crate::engine::{Env, key};
use crate::exchange::{Call, Effect};
use crate::hex::hex;
use crate::policy::{GlobalDocument, Mode, Models, OnServiceFailure, Refund};
use crate::shards::identity;

/// How long a request may wait, in milliseconds.
const TIMEOUT: std::ops::RangeInclusive<u64> = 10..=5_000;

/// Where the service is that a limit's count is kept by, and how it is asked.
#[derive(Debug)]
pub(super) struct Global {
    cluster: String,
    authority: String,
    domain: String,
    timeout_ms: u32,
    pub on_failure: OnServiceFailure,
    refund: Refund,
    key: Option<Vec<u8>>,
}

impl Global {
    pub fn compile(
        document: &GlobalDocument,
        kind: Kind,
        env: Env<'_>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let authority = document.authority.as_ref().unwrap_or(&document.cluster);
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if !visible(&document.cluster) || !visible(authority) || document.domain.is_empty() {
            problems.push(
                Problem::new(path.clone(), "`cluster`, `authority` or `domain` is not usable")
                    .help("the first two are visible ASCII without spaces, and none is empty"),
            );
        }
        let timeout = document.timeout.as_millis();
        if !TIMEOUT.contains(&timeout) {
            problems.push(
                Problem::new(path.key("timeout"), "not between 10ms and 5s")
                    .help("the caller waits that long where the service is slow"),
            );
        }
        if kind == Kind::Concurrent {
            problems.push(
                Problem::new(path.clone(), "calls at a time of all proxies together")
                    .help("a rate-limit service counts what is used, and not what goes on; leave `global` out"),
            );
        }
        let key = document
            .key
            .as_ref()
            .and_then(|reference| key(reference, env, &path.key("key")).map_err(|problem| problems.push(problem)).ok());
        Self {
            cluster: document.cluster.clone(),
            authority: authority.clone(),
            domain: document.domain.clone(),
            timeout_ms: u32::try_from(timeout).unwrap_or(u32::MAX),
            on_failure: document.on_failure,
            refund: document.refund,
            key,
        }
    }

    /// Whom or what a count is of, in a form that tells nobody.
    fn caller(&self, id: &Id) -> String {
        let hashed = match &self.key {
            Some(key) => HMAC::mac(id, key),
            None => Hash::hash(id),
        };
        hex(hashed.get(..16).unwrap_or_default())
    }
}

/// One shared count, in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    limit: usize,
    id: Id,
    window: u64,
}

/// What one request charges to one shared count.
#[derive(Debug)]
pub struct Share {
    place: Place,
    /// The limit's id.
    pub limit: String,
    /// What it is one of.
    pub what: What,
    /// When the window is over, in seconds since 1970.
    pub ends: u64,
    /// What the request may use at most, as the service counts it.
    need: u64,
    /// What of this process's balance went into it: below zero, a debt that is asked for with it.
    balance: i64,
    /// How far it is.
    pub stage: Stage,
    /// What becomes of the request where the service does not answer.
    pub on_failure: OnServiceFailure,
    /// The model that the request may be made to instead, where there is not so much left.
    step_down: Option<String>,
}

impl Share {
    /// Whether the request may not go on as it is.
    pub fn refuses(&self) -> bool {
        match self.stage {
            Stage::Over => true,
            Stage::Failed(_) => self.on_failure == OnServiceFailure::Deny,
            Stage::Asked | Stage::Granted | Stage::Kept => false,
        }
    }

    /// The limit's place, and the model that the request may be made to instead of being refused.
    pub fn step_down(&self) -> (usize, Option<String>) {
        let model = self.step_down.clone().filter(|_| self.stage == Stage::Over);
        (self.place.limit, model)
    }
}

/// How far a charge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The service is asked.
    Asked,
    /// It is charged.
    Granted,
    /// The balance was enough: the service was not asked.
    Kept,
    /// There is not so much left.
    Over,
    /// The service did not answer.
    Failed(&'static str),
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stage::Asked => f.write_str("asked"),
            Stage::Granted => f.write_str("ok"),
            Stage::Kept => f.write_str("credit"),
            Stage::Over => f.write_str("over_limit"),
            Stage::Failed(how) => write!(f, "failed:{how}"),
        }
    }
}

/// The shared counts at one moment.
pub(crate) struct Shared<'a> {
    pub limits: &'a Limits,
    pub grants: &'a mut Grants,
    pub counters: Counters<'a>,
    pub effects: &'a mut Vec<Effect>,
}

impl Shared<'_> {
    /// What a request charges: what was reserved for it under limits that proxies share, and itself.
    pub fn shares(&self, subject: &Subject<'_>, reserved: &Reserved) -> Vec<Share> {
        let now = self.counters.at.millis();
        let held = reserved.0.iter().filter_map(|held| {
            let limit = self.limits.0.get(held.limit)?;
            // What goes on without a known need takes something too: nothing may pass once nothing is left.
            share(held.limit, limit, held.id, held.lease.amount.max(1), now)
        });
        let counted = self.limits.applying(subject).filter(|(_, limit)| limit.kind == Kind::Requests);
        let counted = counted.flat_map(|(place, limit)| {
            let keys = limit.global.is_some().then(|| limit.keys(subject));
            keys.into_iter().flatten().filter_map(move |(id, times)| share(place, limit, id, times, now))
        });
        held.chain(counted).collect()
    }

    /// Asks for a share, the `number`th of an exchange.
    pub fn ask(&mut self, exchange: u32, number: usize, share: &mut Share) {
        let need = i64::try_from(share.need).unwrap_or(i64::MAX);
        let taken = self.balance(&share.place, &mut |balance| {
            let taken = (*balance).min(need);
            *balance -= taken;
            taken
        });
        share.balance = taken.unwrap_or(0);
        share.stage = match u32::try_from(need.saturating_sub(share.balance)) {
            Ok(0) => Stage::Kept,
            Ok(hits) => {
                let purpose = Purpose::Ask { exchange, number, balance: share.balance };
                self.call(share.place, hits, purpose);
                Stage::Asked
            }
            Err(_) => Stage::Over,
        };
        if share.stage == Stage::Over {
            self.keep(&share.place, share.balance);
        }
    }

    /// The service answered an exchange.
    pub fn answered(&mut self, share: &mut Share, stage: Stage) {
        share.stage = stage;
        if stage != Stage::Granted {
            self.keep(&share.place, share.balance);
        }
    }

    /// The request is over, and has used so much.
    pub fn settle(&mut self, share: &Share, used: &Need, subject: &Subject<'_>, models: &Models) {
        let Some(limit) = self.limits.0.get(share.place.limit) else { return };
        let used = match limit.kind {
            Kind::Requests => share.need,
            _ => limit.used(used, subject, models).map_or(share.need, |used| units(limit.kind, used)),
        };
        match share.stage {
            Stage::Granted | Stage::Kept if used <= share.need => self.refund(share.place, share.need - used),
            Stage::Granted | Stage::Kept => self.charge(share.place, used - share.need),
            Stage::Failed(_) => self.charge(share.place, used),
            Stage::Asked | Stage::Over => {}
        }
    }

    /// The request did not go on: what it was charged comes back.
    pub fn give_back(&mut self, share: &Share) {
        if matches!(share.stage, Stage::Granted | Stage::Kept) {
            self.refund(share.place, share.need);
        }
    }

    /// A call came back. Answers the exchange to wake.
    pub fn heard(&mut self, heard: Heard) -> Option<u32> {
        let Heard { place, hits, purpose, stage } = heard;
        match (purpose, stage) {
            (Purpose::Ask { exchange, number, .. }, stage) => {
                self.grants.keep(exchange, number, stage);
                return Some(exchange);
            }
            // Nobody waits for it any more, and nothing was used: all that went into it comes back, debts paid with it aside.
            (Purpose::Gone { balance }, Stage::Granted) => {
                self.refund(place, u64::try_from(i64::from(hits).saturating_add(balance)).unwrap_or(0));
            }
            (Purpose::Gone { balance }, _) => self.keep(&place, balance),
            (Purpose::Charge, Stage::Granted) | (Purpose::Refund, _) => {}
            (Purpose::Charge, _) => self.keep(&place, -i64::from(hits)),
        }
        None
    }

    /// Brings back what was charged and is not used.
    fn refund(&mut self, place: Place, amount: u64) {
        let refund = self.global(&place).map(|global| global.refund);
        match (refund, u32::try_from(amount)) {
            (None, _) | (_, Ok(0)) => {}
            (Some(Refund::NegativeHits), Ok(hits)) => self.call(place, hits, Purpose::Refund),
            _ => self.keep(&place, i64::try_from(amount).unwrap_or(0)),
        }
    }

    /// Charges what was used and is not charged yet.
    fn charge(&mut self, place: Place, amount: u64) {
        let amount = i64::try_from(amount).unwrap_or(i64::MAX);
        let taken = self.balance(&place, &mut |balance| {
            let taken = (*balance).clamp(0, amount);
            *balance -= taken;
            taken
        });
        match u32::try_from(amount - taken.unwrap_or(0)) {
            Ok(0) => {}
            Ok(hits) => self.call(place, hits, Purpose::Charge),
            Err(_) => self.keep(&place, taken.unwrap_or(0).saturating_sub(amount)),
        }
    }

    /// Adds to a balance. In a store that fails it is lost: what was charged stays so.
    fn keep(&mut self, place: &Place, amount: i64) {
        if amount != 0 {
            self.balance(place, &mut |balance| *balance = balance.saturating_add(amount));
        }
    }

    /// Changes a balance, unless its window is over.
    fn balance<T>(&mut self, place: &Place, change: &mut dyn FnMut(&mut i64) -> T) -> Option<T> {
        let limit = self.limits.0.get(place.limit)?;
        let id = identity(&[b"balance", &place.id]);
        let outcome = self.counters.ledger().change(&id, &limit.window.on_the_clock(), &mut |counter, now, _| {
            if now.index != place.window || !counter.is_at(now) {
                return None;
            }
            let mut balance = signed(counter.used());
            let outcome = change(&mut balance);
            counter.set(unsigned(balance), now);
            Some(outcome)
        });
        outcome.ok().flatten()
    }

    fn call(&mut self, place: Place, hits: u32, purpose: Purpose) {
        let limits = self.limits;
        let Some((limit, global)) = limits.0.get(place.limit).and_then(|l| Some((l, l.global.as_ref()?))) else {
            return;
        };
        let (window, caller) = (place.window.to_string(), global.caller(&place.id));
        let entries = [("limit", &*limit.id), ("window", window.as_str()), ("caller", caller.as_str())];
        let refund = matches!(purpose, Purpose::Refund);
        let id = self.grants.begin(place, hits, purpose, global.timeout_ms, self.counters.at);
        self.effects.push(Effect::Call(Call {
            id,
            cluster: global.cluster.clone(),
            authority: global.authority.clone(),
            path: rls::PATH.to_owned(),
            method: "POST",
            headers: [("content-type", "application/grpc"), ("te", "trailers")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body: rls::request(&global.domain, &entries, hits, refund),
            timeout_ms: global.timeout_ms,
        }));
    }

    fn global(&self, place: &Place) -> Option<&Global> {
        self.limits.0.get(place.limit)?.global.as_ref()
    }
}

fn share(place: usize, limit: &Limit, id: Id, amount: u64, now_millis: u64) -> Option<Share> {
    let global = limit.global.as_ref().filter(|_| limit.mode == Mode::Enforce)?;
    let window = limit.window.on_the_clock().place(now_millis);
    Some(Share {
        place: Place { limit: place, id, window: window.index },
        limit: limit.id.to_string(),
        what: limit.kind.what(),
        ends: window.end,
        need: units(limit.kind, amount),
        balance: 0,
        stage: Stage::Asked,
        on_failure: global.on_failure,
        step_down: limit.step_down.clone(),
    })
}

/// As a service counts it: money in millionths, since it takes no more than 32 bits at a time.
fn units(kind: Kind, amount: u64) -> u64 {
    if kind == Kind::Cost { amount.div_ceil(1000) } else { amount }
}

/// A balance as a counter keeps it: 0 is nothing, odd numbers are debts.
fn unsigned(balance: i64) -> u64 {
    let debt = u64::from(balance < 0);
    balance.unsigned_abs().min(u64::MAX >> 2) << 1 | debt
}

fn signed(stored: u64) -> i64 {
    let amount = i64::try_from(stored >> 1).unwrap_or(i64::MAX);
    if stored & 1 == 1 { -amount } else { amount }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balances_are_kept_with_their_sign() {
        for balance in [0, 1, -1, 4096, -4096, i64::from(u32::MAX) * 1000] {
            assert_eq!(signed(unsigned(balance)), balance);
        }
        // A counter without anything in it is no balance at all.
        assert_eq!(signed(0), 0);
        assert!(signed(unsigned(i64::MIN)) < -i64::from(u32::MAX));
    }

    #[test]
    fn money_is_never_charged_for_less() {
        assert_eq!((units(Kind::Cost, 1), units(Kind::Cost, 1_000), units(Kind::Cost, 1_001)), (1, 1, 2));
        assert_eq!(units(Kind::Total, 1_001), 1_001);
    }
}
