//! Exchanges that belong together, and what they add up to.
//!
//! A session is always one of a proven caller: its id is hashed together with the caller's. So nobody gets into another's
//! session by naming it, and whoever names a new one for every request still adds up over all of them. What a request itself
//! brings counts before it goes on: the prompt that completes a picture is the one that is refused.
//!
//! What it does not do: it keeps no text and no value, only how much of which kind was seen, and it does not look across
//! processes.

mod signs;
mod tally;

use std::collections::HashSet;

pub use signs::Signs;
use tally::Tag;
pub use tally::{Caller, Tally, digest, mix};

use crate::config::{Path, Problem};
use crate::policy::{
    Globs, Mode, Number, Of, RiskDocument, RoleSet, Roles, RouteDocument, SessionsDocument, ThresholdDocument, Tighten,
    Who, check_statement, unknown,
};
use crate::shards::{Id, Shards, identity};

/// Where callers are kept: 16 MB when all is full.
pub(crate) const STORE: Shards = Shards { name: "sessions", count: 512, max_bytes: 32 * 1024 };

/// So many kinds of what adds up.
const MAX_RISKS: usize = 16;

/// One exchange adds so many values of a kind at most: one list is not a hundred prompts.
const MOST_AT_ONCE: f32 = 16.0;

/// The `sessions` of a policy, compiled.
#[derive(Debug, Default)]
pub struct Sessions {
    gap: u64,
    half_life: u64,
    /// Headers that name sessions, in lower case.
    pub headers: Vec<String>,
    risks: Vec<Risk>,
    thresholds: Vec<Threshold>,
    pub keep_route: bool,
    enabled: bool,
}

#[derive(Debug)]
struct Risk {
    id: String,
    tag: Tag,
    weight: f32,
    reasons: Globs,
}

#[derive(Debug)]
struct Threshold {
    id: String,
    mode: Mode,
    of: Of,
    above: Option<f32>,
    /// Places among the risks.
    seen: Vec<usize>,
    who: Who,
    action: Tighten,
    route: Option<usize>,
    tools: Globs,
}

/// How a session stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// The risk of the session, and over all of the caller's.
    pub risk: f32,
    pub caller_risk: f32,
    /// What has been seen in the session.
    pub seen: Vec<String>,
    /// The statements that refuse.
    pub denying: Vec<String>,
    /// Those that only tell.
    pub flags: Vec<String>,
    /// The route it is to take, and the statement that says so.
    pub route: Option<(usize, String)>,
    /// Those that take tools away, by their places.
    pub forbids: Vec<usize>,
    /// Observed statements that fit.
    pub observed: Vec<String>,
}

impl Sessions {
    /// Compiles a policy's `sessions`. None are kept where there are none.
    pub fn compile(
        document: Option<&SessionsDocument>,
        roles: &Roles,
        routes: &[RouteDocument],
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let Some(document) = document else { return Self::default() };
        let secs = |given: Option<crate::config::Duration>, default: u64| given.map_or(default, |d| d.as_secs());
        let (gap, half_life) = (secs(document.gap, 30 * 60), secs(document.half_life, 4 * 3600));
        for (key, value) in [("gap", gap), ("half_life", half_life)] {
            if !(60..=31 * 86_400).contains(&value) {
                problems.push(Problem::new(path.key(key), "not between a minute and 31 days"));
            }
        }
        let mut ids = HashSet::new();
        let risks = risks(&document.risk, path, &mut ids, problems);
        let mut thresholds = Vec::new();
        for (i, threshold) in document.thresholds.iter().enumerate() {
            let path = path.key("thresholds").index(i);
            check_statement(&threshold.id, &threshold.controls.0, &mut ids, &path, problems);
            thresholds.push(Threshold::compile(threshold, &risks, roles, routes, &path, problems));
        }
        Self {
            gap,
            half_life,
            headers: document.headers.0.iter().map(|name| name.to_ascii_lowercase()).collect(),
            risks,
            thresholds,
            keep_route: document.keep_route,
            enabled: true,
        }
    }

    /// Whether sessions are kept.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Where a caller is kept.
    pub fn key(subject: &str) -> Id {
        identity(&[b"caller", subject.as_bytes()])
    }

    /// The digest of a session: of an id of some kind, or of time alone.
    pub fn session(subject: &str, named: Option<(&str, &str)>) -> u64 {
        let (kind, id) = named.unwrap_or(("time", ""));
        digest(&identity(&[b"session", subject.as_bytes(), kind.as_bytes(), id.as_bytes()]))
    }

    /// What is left of a caller now.
    pub fn decayed(&self, kept: Option<&[u8]>, subject: &str, now: u64) -> Caller {
        let mut caller = kept.map(Caller::read).unwrap_or_default();
        caller.decay(now, self.half_life, (Self::session(subject, None), self.gap));
        caller
    }

    /// Counts what an exchange has shown.
    pub fn count(&self, caller: &mut Caller, session: u64, now: u64, signs: &Signs) {
        let values = signs.values().filter_map(|(row, value)| Some((self.risks.get(row)?.tag, value)));
        caller.count(session, now, values, MOST_AT_ONCE);
    }

    /// Counts a denial.
    pub fn refused(&self, caller: &mut Caller, session: u64, reason: &str) {
        for risk in self.risks.iter().filter(|risk| risk.reasons.any(reason)) {
            caller.add(session, risk.tag);
        }
    }

    /// How a session stands.
    pub fn standing(&self, caller: &Caller, session: u64, roles: &RoleSet) -> Standing {
        let own = caller.session(session);
        let mut standing = Standing {
            risk: self.risk(&own),
            caller_risk: self.risk(&caller.all),
            seen: self.risks.iter().filter(|risk| own.has_seen(risk.tag)).map(|risk| risk.id.clone()).collect(),
            ..Standing::default()
        };
        for (place, threshold) in self.thresholds.iter().enumerate() {
            let (risk, tally) = match threshold.of {
                Of::Session => (standing.risk, &own),
                Of::Principal => (standing.caller_risk, &caller.all),
            };
            let seen = |row: &usize| self.risks.get(*row).is_some_and(|risk| tally.has_seen(risk.tag));
            let fits = threshold.above.is_none_or(|above| risk > above)
                && threshold.seen.iter().all(seen)
                && threshold.who.fits(roles);
            if !fits {
                continue;
            }
            let id = threshold.id.clone();
            match (threshold.mode, threshold.action) {
                (Mode::Observe, _) => standing.observed.push(id),
                (_, Tighten::Flag) => standing.flags.push(id),
                (_, Tighten::Deny) => standing.denying.push(id),
                (_, Tighten::ForbidTools) => standing.forbids.push(place),
                (_, Tighten::Route) => {
                    if let (None, Some(route)) = (&standing.route, threshold.route) {
                        standing.route = Some((route, id));
                    }
                }
            }
        }
        standing
    }

    /// The statement among `forbids` that takes a tool away.
    pub fn forbids(&self, forbids: &[usize], tool: &str) -> Option<&str> {
        let mut thresholds = forbids.iter().filter_map(|place| self.thresholds.get(*place));
        thresholds.find(|threshold| threshold.tools.fit(tool)).map(|threshold| threshold.id.as_str())
    }

    fn risk(&self, tally: &Tally) -> f32 {
        self.risks.iter().map(|risk| risk.weight * tally.amount(risk.tag)).sum()
    }
}

fn risks<'a>(
    documents: &'a [RiskDocument],
    path: &Path,
    ids: &mut HashSet<&'a str>,
    problems: &mut Vec<Problem>,
) -> Vec<Risk> {
    let path = path.key("risk");
    if documents.len() > MAX_RISKS {
        problems.push(Problem::new(path.clone(), format!("more than {MAX_RISKS} kinds of what adds up")));
    }
    let mut risks: Vec<Risk> = Vec::new();
    for (i, document) in documents.iter().enumerate() {
        let path = path.index(i);
        check_statement(&document.id, &document.controls.0, ids, &path, problems);
        match (document.detect.0.is_empty(), document.reasons.0.is_empty()) {
            (true, true) => problems
                .push(Problem::new(path.clone(), "nothing adds up").help("add `detect: [...]` or `reasons: [...]`")),
            (false, false) => problems
                .push(Problem::new(path.clone(), "both findings and denials").help("make two of it, each with an id")),
            (true, false) if !document.channels.0.is_empty() || !document.direction.0.is_empty() => {
                problems.push(Problem::new(path.clone(), "denials are of no channel and of no direction"));
            }
            _ => {}
        }
        let weight = document.weight.as_ref().map_or(1.0, Number::as_f64);
        if !(0.0..=1000.0).contains(&weight) {
            problems.push(Problem::new(path.key("weight"), "not from 0 to 1000"));
        }
        let tag = tag(&document.id);
        if let Some(other) = risks.iter().find(|risk| risk.tag == tag && risk.id != document.id) {
            let message = format!("`{}` and `{}` have one digest", document.id, other.id);
            problems.push(Problem::new(path.key("id"), message).help("give one of them another name"));
        }
        let reasons = Globs::new(&document.reasons.0);
        risks.push(Risk { id: document.id.clone(), tag, weight: weight as f32, reasons });
    }
    risks
}

/// By which a kind is known in the store, wherever it stands in the policy.
fn tag(id: &str) -> Tag {
    let [low, high, ..] = identity(&[b"risk", id.as_bytes()]);
    Tag::from_le_bytes([low, high])
}

/// By which a route is known in the store; never 0.
pub fn route_tag(id: &str) -> u32 {
    let digest = identity(&[b"route", id.as_bytes()]);
    digest.first_chunk::<4>().map_or(1, |first| u32::from_le_bytes(*first)).max(1)
}

/// By which a statement on tools that hangs on what a conversation carries is known in the store.
pub fn taint_tag(id: &str) -> Tag {
    let [low, high, ..] = identity(&[b"taint", id.as_bytes()]);
    Tag::from_le_bytes([low, high])
}

impl Threshold {
    fn compile(
        document: &ThresholdDocument,
        risks: &[Risk],
        roles: &Roles,
        routes: &[RouteDocument],
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let above = document.above.as_ref().map(Number::as_f64);
        if above.is_none() && document.seen.0.is_empty() {
            problems
                .push(Problem::new(path.clone(), "a threshold of nothing").help("add `above: 10` or `seen: [...]`"));
        }
        if above.is_some_and(|above| !(0.0..=1e6).contains(&above)) {
            problems.push(Problem::new(path.key("above"), "not from 0 to 1,000,000"));
        }
        let mut seen = Vec::new();
        for (i, id) in document.seen.0.iter().enumerate() {
            match risks.iter().position(|risk| risk.id == *id) {
                Some(place) => seen.push(place),
                None => {
                    let known = risks.iter().map(|risk| risk.id.as_str());
                    problems.push(unknown(path.key("seen").index(i), "kind of risk", id, known));
                }
            }
        }
        let route = match (&document.route, document.action) {
            (Some(id), Tighten::Route) => {
                let place = routes.iter().position(|route| route.id == *id);
                if place.is_none() {
                    let known = routes.iter().map(|route| route.id.as_str());
                    problems.push(unknown(path.key("route"), "route", id, known));
                }
                place
            }
            (None, Tighten::Route) => {
                problems.push(
                    Problem::new(path.key("route"), "`action: route` does not say where to")
                        .help("add `route: <id of one of the policy's routes>`"),
                );
                None
            }
            (Some(_), _) => {
                problems.push(Problem::new(path.key("route"), "only `action: route` goes anywhere"));
                None
            }
            (None, _) => None,
        };
        if !document.tools.0.is_empty() && document.action != Tighten::ForbidTools {
            problems.push(Problem::new(path.key("tools"), "only `action: forbid_tools` is about tools"));
        }
        Self {
            id: document.id.clone(),
            mode: document.mode,
            of: document.of,
            above: above.map(|above| above as f32),
            seen,
            who: roles.who(&document.roles, &path.key("roles"), problems),
            action: document.action,
            route,
            tools: Globs::new(&document.tools.0),
        }
    }
}
