//! What is usual for each caller, and what happens beyond it.
//!
//! An exchange is added when it is over, and the next ones are decided by what that came to: a caller who is unusual stays so for a
//! while after they last were. Denials add up like anything else (who tries what is possible is found by them), and so do
//! the signs of somebody who carries a database out: distinct values, queries that are all alike, encoded text.
//!
//! What it does not do: it looks at no cohort, only at a caller's own past; it does not look across processes but by what
//! `doorward baseline` makes of their logs; and who grows slowly enough is never unusual, which is what limits are for.

mod baseline;
mod bytes;
#[cfg(test)]
mod simulation;
mod sketch;

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;

pub use baseline::{Baseline, Sample, Tuning, WATCHED};
use baseline::{N, seconds};
use bytes::LEARNED;
pub use sketch::Shape;

use crate::config::{Duration, Path, Problem};
use crate::identity::Principal;
use crate::policy::{
    AnomalyActionDocument, AnomalyDocument, BaselineDocument, Mode, Number, React, RoleSet, Roles, WatchDocument, Who,
    check_statement,
};
use crate::session::mix;
use crate::shards::{Id, Shards, identity};

/// Where baselines are kept: 16 MB when all is full, 32 KB of them in a shard.
pub(crate) const STORE: Shards = Shards { name: "anomaly", count: 512, max_bytes: 32 * 1024 };

/// So many baselines can come with a policy.
const MOST: usize = 20_000;

/// The `anomaly` of a policy, compiled.
#[derive(Debug, Default)]
pub struct Anomaly {
    tuning: Tuning,
    actions: Vec<Action>,
    /// What was learned before, by caller.
    baselines: BTreeMap<[u8; 8], Vec<u8>>,
    enabled: bool,
}

#[derive(Debug)]
struct Action {
    id: String,
    mode: Mode,
    /// Bits by place; all where nothing is named.
    watch: u16,
    who: Who,
    react: React,
    rate: u32,
    max_age: u64,
}

/// What becomes of a request of an unusual caller.
#[derive(Debug, Default, PartialEq)]
pub struct Reaction {
    /// In what they are unusual.
    pub unusual: Vec<&'static str>,
    /// The statement that decides, and what it does. None where the request goes on.
    pub refused: Option<(String, Refusal)>,
    /// Statements that only tell.
    pub flags: Vec<String>,
    /// Observed statements that fit.
    pub observed: Vec<String>,
    /// The statement that slows down, and how many requests a minute it lets through.
    pub throttle: Option<(String, u32)>,
}

/// How a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// For good.
    Deny,
    /// Unless its token was issued at most so many seconds ago.
    Stale(u64),
}

impl Anomaly {
    /// Compiles a policy's `anomaly`. Nobody looks where there is none.
    pub fn compile(
        document: Option<&AnomalyDocument>,
        roles: &Roles,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let Some(document) = document else { return Self::default() };
        let mut tuning = Tuning::default();
        if let Some(warmup) = document.warmup {
            tuning.warmup = warmup.as_secs();
            if !(86_400..=90 * 86_400).contains(&tuning.warmup) {
                problems.push(Problem::new(path.key("warmup"), "not between a day and 90 days"));
            }
        }
        if let Some(hold) = document.hold {
            tuning.hold = hold.as_secs();
            if !(60..=7 * 86_400).contains(&tuning.hold) {
                problems.push(Problem::new(path.key("hold"), "not between a minute and seven days"));
            }
        }
        if let Some(sensitivity) = &document.sensitivity {
            tuning.sensitivity = sensitivity.as_f64() as f32;
            if !(2.0..=20.0).contains(&tuning.sensitivity) {
                problems.push(Problem::new(path.key("sensitivity"), "not from 2 to 20"));
            }
        }
        amounts(&document.floors, &mut tuning.floors, &path.key("floors"), problems);
        amounts(&document.ceilings, &mut tuning.ceilings, &path.key("ceilings"), problems);
        let mut ids = HashSet::new();
        let mut actions = Vec::new();
        for (i, action) in document.actions.iter().enumerate() {
            let path = path.key("actions").index(i);
            check_statement(&action.id, &action.controls.0, &mut ids, &path, problems);
            actions.push(Action::compile(action, roles, &path, problems));
        }
        let baselines = baselines(&document.baselines, &path.key("baselines"), problems);
        Self { tuning, actions, baselines, enabled: true }
    }

    /// Whether anybody looks.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Where a caller is kept.
    pub(crate) fn key(subject: &str) -> Id {
        identity(&[b"caller", subject.as_bytes()])
    }

    /// A caller as the record names them, and baselines.
    pub fn caller(subject: &str) -> String {
        crate::hex::hex(Self::key(subject).get(..8).unwrap_or_default())
    }

    /// What is known of a caller: what is kept here, or what came with the policy where that is more.
    pub fn baseline(&self, id: &Id, kept: Option<&[u8]>) -> Baseline {
        let mut baseline = kept.map(Baseline::read).unwrap_or_default();
        let learned = id.first_chunk::<8>().and_then(|first| self.baselines.get(first));
        if let Some(learned) = learned {
            baseline.adopt(learned);
        }
        baseline
    }

    /// Adds an exchange that is over. Answers whether it makes its caller unusual.
    pub fn add(&self, baseline: &mut Baseline, now: u64, sample: &Sample<'_>) -> bool {
        baseline.add(now, sample, &self.tuning)
    }

    /// In what a caller is unusual.
    pub fn unusual(&self, baseline: &Baseline, now: u64) -> Vec<&'static str> {
        let bits = baseline.unusual(now);
        WATCHED.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, what)| *what).collect()
    }

    /// What becomes of a request.
    pub fn react(&self, baseline: &Baseline, now: u64, principal: &Principal, roles: &RoleSet) -> Reaction {
        let unusual = baseline.unusual(now);
        let mut reaction = Reaction::default();
        if unusual == 0 {
            return reaction;
        }
        reaction.unusual = self.unusual(baseline, now);
        let mut refused: Option<(u8, String, Refusal)> = None;
        for action in self.actions.iter().filter(|action| action.watch & unusual != 0 && action.who.fits(roles)) {
            let id = action.id.clone();
            if action.mode == Mode::Observe {
                reaction.observed.push(id);
                continue;
            }
            let mut refuse = |rank: u8, how: Refusal| {
                if refused.as_ref().is_none_or(|(other, ..)| rank < *other) {
                    refused = Some((rank, id.clone(), how));
                }
            };
            match action.react {
                React::Flag => reaction.flags.push(id),
                React::Deny => refuse(0, Refusal::Deny),
                React::FreshToken => {
                    let age = principal.issued_at.map(|issued| now.saturating_sub(issued));
                    if age.is_none_or(|age| age > action.max_age) {
                        refuse(1, Refusal::Stale(action.max_age));
                    }
                }
                React::Throttle => {
                    if reaction.throttle.as_ref().is_none_or(|(_, rate)| action.rate < *rate) {
                        reaction.throttle = Some((id, action.rate));
                    }
                }
            }
        }
        reaction.refused = refused.map(|(_, id, how)| (id, how));
        reaction
    }
}

impl Baseline {
    /// Takes one request out of what a throttle lets through; else answers the seconds after which there is one.
    pub fn throttle(&mut self, now: u64, rate: u32) -> Option<u64> {
        let most = f64::from(rate.max(1));
        let passed = now.saturating_sub(u64::from(self.asked));
        let allowance = (f64::from(self.allowance) + passed as f64 * most / 60.0).min(most);
        self.asked = self.asked.max(seconds(now));
        let fits = allowance >= 1.0;
        self.allowance = (if fits { allowance - 1.0 } else { allowance }) as f32;
        (!fits).then(|| ((1.0 - allowance) * 60.0 / most).ceil().max(1.0) as u64)
    }

    /// What was learned, as a policy has it.
    pub fn export(&self) -> String {
        BASE64_STANDARD_NO_PAD.encode(self.learned())
    }
}

/// The digest of a model's or a tool's name.
pub fn name(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash ^ u64::from(byte)))
}

/// The moment that a log's line tells (RFC 3339), in seconds since 1970.
pub fn instant(text: &str) -> Option<u64> {
    crate::calendar::start(text)
}

fn amounts(given: &BTreeMap<WatchDocument, Number>, amounts: &mut [f32; N], path: &Path, problems: &mut Vec<Problem>) {
    for (what, amount) in given {
        let amount = amount.as_f64();
        if !(1.0..=1e12).contains(&amount) {
            let name = WATCHED.get(*what as usize).copied().unwrap_or_default();
            problems.push(Problem::new(path.key(name), "not from 1 to 1,000,000,000,000"));
        }
        if let Some(place) = amounts.get_mut(*what as usize) {
            *place = amount as f32;
        }
    }
}

fn baselines(documents: &[BaselineDocument], path: &Path, problems: &mut Vec<Problem>) -> BTreeMap<[u8; 8], Vec<u8>> {
    if documents.len() > MOST {
        problems.push(Problem::new(path.clone(), format!("more than {MOST} callers")));
    }
    let mut all = BTreeMap::new();
    for (i, document) in documents.iter().enumerate().take(MOST) {
        let path = path.index(i);
        let Some(caller) = caller(&document.caller) else {
            problems.push(
                Problem::new(path.key("caller"), "not a caller").help("16 hex digits, as `doorward.caller` has them"),
            );
            continue;
        };
        let learned = BASE64_STANDARD_NO_PAD.decode(&document.learned).ok();
        match learned.filter(|learned| learned.len() == LEARNED && Baseline::default().adopt(learned)) {
            Some(learned) => {
                if all.insert(caller, learned).is_some() {
                    problems.push(Problem::new(path.key("caller"), "the same caller twice"));
                }
            }
            None => problems.push(
                Problem::new(path.key("learned"), "nothing that was learned").help("make it with `doorward baseline`"),
            ),
        }
    }
    all
}

fn caller(text: &str) -> Option<[u8; 8]> {
    let mut caller = [0; 8];
    if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (to, at) in caller.iter_mut().zip((0..16).step_by(2)) {
        *to = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(caller)
}

impl Action {
    fn compile(document: &AnomalyActionDocument, roles: &Roles, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let watch = document.watch.0.iter().fold(0, |bits, what| bits | 1u16 << (*what as u16));
        if document.rate.is_some() && document.action != React::Throttle {
            problems.push(Problem::new(path.key("rate"), "only `action: throttle` has a rate"));
        }
        if document.max_age.is_some() && document.action != React::FreshToken {
            problems.push(Problem::new(path.key("max_age"), "only `action: fresh_token` looks at a token's age"));
        }
        let rate = document.rate.unwrap_or(6);
        if !(1..=100_000).contains(&rate) {
            problems
                .push(Problem::new(path.key("rate"), "not from 1 to 100,000 a minute").help("or say `action: deny`"));
        }
        Self {
            id: document.id.clone(),
            mode: document.mode,
            watch: if watch == 0 { u16::MAX } else { watch },
            who: roles.who(&document.roles, &path.key("roles"), problems),
            react: document.action,
            rate,
            max_age: document.max_age.map_or(300, Duration::as_secs),
        }
    }
}

#[cfg(test)]
mod tests;
