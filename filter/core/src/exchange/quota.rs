//! Limits in the course of an exchange: counted when it comes, reserved before it goes on, settled when it is over.

use std::rc::Rc;

use super::estimate::yields_nothing;
use super::global::Shares;
use super::{Context, Effect, Exchange};
use crate::audit::Occurrences;
use crate::engine::Engine;
use crate::host::Side;
use crate::limits::{Count, Counted, Counters, Exceeded, Need, Reserved, Standing, Subject, Weight, What};
use crate::policy::{LimitHeaders, RoleSet};
use crate::protocol::{Operation, Usage};
use crate::reply::{Denial, Reason};

/// What one exchange counts, and what is reserved for it.
#[derive(Debug, Default)]
pub(super) struct Quota {
    /// The tools that it calls over MCP.
    pub tools: Vec<String>,
    /// What has counted it.
    counted: Counted,
    /// What its text weighs, where some limit is on what it uses.
    pub weight: Weight,
    /// What it needs at most.
    pub need: Need,
    reserved: Reserved,
    /// The limits that it went past by another model, by their places.
    past: Vec<usize>,
    /// The model that it is to be made to instead of being refused.
    step_down: Option<String>,
    /// What is charged to counts that proxies share.
    pub shares: Shares,
    /// The tightest of the limits that hold for it.
    tightest: Option<Standing>,
    /// Findings and tools from before the body was judged.
    before: Option<(Occurrences, Occurrences)>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Bytes of an answer that is no stream, as far as they came.
    pub answer_bytes: u64,
}

impl Quota {
    /// What is reserved for it.
    pub fn reserved(&self) -> &Reserved {
        &self.reserved
    }
}

impl Exchange {
    /// Whose request it is, and of what. `None` where nobody was proven: a policy that only observes looks on.
    pub(super) fn subject<'a>(&'a self, roles: &'a RoleSet, target: usize, engine: &'a Engine) -> Option<Subject<'a>> {
        Some(Subject {
            principal: self.record.principal.as_deref()?,
            roles,
            all_roles: &engine.roles,
            target,
            model: self.record.model.as_deref().map(|model| (model, self.record.model_known)),
            tools: &self.quota.tools,
            past: &self.quota.past,
        })
    }

    /// Counts the request against limits on requests: those that the head tells to hold, or those that hang on the body.
    pub(super) fn count(
        &mut self,
        roles: &RoleSet,
        target: usize,
        with_body: bool,
        cx: &mut Context<'_>,
    ) -> Result<(), Denial> {
        if !cx.engine.limits.counts(with_body) {
            return Ok(());
        }
        let (mut counted, mut conflicts, engine) = (std::mem::take(&mut self.quota.counted), 0, cx.engine);
        let outcome = match self.subject(roles, target, engine) {
            Some(subject) => engine.limits.count(&subject, with_body, &mut counted, &mut counters(cx, &mut conflicts)),
            None => Ok(Count::default()),
        };
        self.quota.counted = counted;
        self.record.conflicts = self.record.conflicts.saturating_add(conflicts);
        self.apply(outcome.map_err(|_| Denial::new(Reason::LimitUnavailable))?)
    }

    /// What goes on unread may use tokens, of which only the answer tells.
    pub(super) fn may_use(&mut self) {
        self.quota.need.open = true;
    }

    /// Reserves what the request needs, right before it goes on.
    pub(super) fn reserve(&mut self, cx: &mut Context<'_>) -> Result<(), Denial> {
        if cx.engine.limits.is_empty() {
            return Ok(());
        }
        let Some(facts) = &self.facts else { return Ok(()) };
        let (roles, target) = (Rc::clone(&facts.roles), facts.target);
        // Where there was no body to tell more, the head told all.
        self.count(&roles, target, true, cx)?;
        let engine = cx.engine;
        let Some(subject) = self.subject(&roles, target, engine) else { return Ok(()) };
        let mut conflicts = 0;
        let mut counters = counters(cx, &mut conflicts);
        let outcome = engine.limits.reserve(&subject, &self.quota.need, &engine.models, &mut counters);
        self.record.conflicts = self.record.conflicts.saturating_add(conflicts);
        let (reserved, count) = outcome.map_err(|_| Denial::new(Reason::LimitUnavailable))?;
        self.quota.reserved = reserved;
        self.apply(count)
    }

    /// The body is about to be judged: what is known until then outlives that it is judged again.
    pub(super) fn begin_judging(&mut self) {
        self.quota.before = Some((self.record.findings.clone(), self.record.tools.clone()));
    }

    /// Whether the request is to be made to another model instead of being refused: then it must be judged again as if it had
    /// named that one. Every time, it goes past one limit at least.
    pub(super) fn steps_down(&mut self, denial: &Denial, cx: &mut Context<'_>) -> bool {
        let Some(model) = self.quota.step_down.take() else { return false };
        // A head that is all there is names no model that could be another one.
        let Some((findings, tools)) = self.quota.before.clone() else { return false };
        let Some(mut facts) = self.facts.take() else { return false };
        self.note(denial.reason);
        self.record.rules.clear();
        // They are found again; those that sent it elsewhere are not, since it stays there.
        self.record.findings.retain(|(direction, _, action), _| *direction == "in" && *action == "route");
        self.record.findings.extend(findings);
        self.record.tools = tools;
        facts.step_to(model);
        self.send_path(&facts, cx);
        self.facts = Some(facts);
        true
    }

    /// Puts on the record what limits said.
    fn apply(&mut self, count: Count) -> Result<(), Denial> {
        super::body::extend(&mut self.record.observed, count.observed);
        for standing in &count.standings {
            self.record.remaining.retain(|s| s.id != standing.id);
        }
        self.record.remaining.extend(count.standings.iter().cloned());
        let share = |s: &Standing| s.remaining as f64 / s.amount.max(1) as f64;
        let shown = |s: &&Standing| matches!(s.what, What::Requests | What::Tokens);
        let standings = self.record.remaining.iter().filter(shown);
        self.quota.tightest = standings.min_by(|a, b| share(a).total_cmp(&share(b))).cloned();
        let Some(first) = count.exceeded.first() else { return Ok(()) };
        self.record.rules = count.exceeded.iter().map(|e| e.id.clone()).collect();
        let wait = count.exceeded.iter().map(|e| e.retry_after).try_fold(0, |most, wait| Some(wait?.max(most)));
        let denial = Denial { retry_after: wait, ..refusal(first, wait.is_some()) };
        let refusing: Vec<_> = count.exceeded.iter().map(|e| e.step_down.clone()).collect();
        self.step_past(&refusing);
        if let Some(standing) = count.standings.iter().find(|s| *s.id == *first.id && shown(s)) {
            self.quota.tightest = Some(standing.clone());
        }
        Err(denial)
    }

    /// Where each of the limits that refuse has a model for what is beyond it, the request is to be made to the first one's: these
    /// limits are not for it, and it is noted that they are used up.
    pub(super) fn step_past(&mut self, refusing: &[(usize, Option<String>)]) {
        let model = refusing.first().and_then(|(_, model)| model.clone());
        let model = model.filter(|model| self.record.model.as_ref() != Some(model));
        if model.is_some() && self.tap.is_none() && !self.signed && refusing.iter().all(|(_, model)| model.is_some()) {
            self.quota.past.extend(refusing.iter().map(|(place, _)| place));
            self.quota.step_down = model;
        }
    }

    /// Headers that tell how the tightest limit stands (draft-ietf-httpapi-ratelimit-headers-03).
    pub(super) fn limit_headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let tightest = self.quota.tightest.as_ref();
        let pairs = tightest.map(|standing| {
            [
                ("ratelimit-limit", standing.amount),
                ("ratelimit-remaining", standing.remaining),
                ("ratelimit-reset", standing.reset),
            ]
        });
        pairs.into_iter().flatten().map(|(name, value)| (name, value.to_string()))
    }

    /// Tells the caller with the answer, unless only refusals are to tell.
    pub(super) fn tell_limits(&self, cx: &mut Context<'_>) {
        if self.tap.is_some() || cx.engine.limit_headers == LimitHeaders::Refusals {
            return;
        }
        for (name, value) in self.limit_headers() {
            cx.effects.push(Effect::SetHeader(Side::Response, name, value.into_bytes()));
        }
    }

    /// Nothing was used of what was reserved.
    pub(super) fn give_back(&mut self, cx: &mut Context<'_>) {
        let reserved = std::mem::take(&mut self.quota.reserved);
        let engine = cx.engine;
        if engine.limits.give_back(reserved, &mut counters(cx, &mut self.record.conflicts)).is_err() {
            self.note(Reason::LimitUnavailable);
        }
    }

    /// The exchange is over, in whatever way: what was reserved is settled.
    pub(super) fn settle(&mut self, cx: &mut Context<'_>) {
        self.uncharge(cx);
        let reserved = std::mem::take(&mut self.quota.reserved);
        let operation = self.facts.as_ref().map(|f| f.call.operation);
        let weight = self.quota.weight;
        if let (Some(usage), false, Some(model)) = (&self.record.usage, self.record.usage_estimated, &self.record.model)
            && weight.tokens() > 0
        {
            let output = usage.output.saturating_sub(usage.reasoning);
            let plain = usage.input.saturating_sub(usage.audio_in);
            cx.worker.calibrations.learn(model, (plain, weight), (output, self.record.stream_bytes));
        }
        if reserved.is_empty() && self.quota.shares.is_empty() {
            return;
        }
        let failed = self.quota.status.is_some_and(|status| !(200..300).contains(&status));
        let used = match (&self.record.usage, operation) {
            // Its results come another day: all that was reserved is taken for used.
            (None, Some(Operation::Batches)) if !failed => self.quota.need.usage,
            (None, _) if failed || weight.tokens() == 0 => Usage::default(),
            // Pictures and sound are no text: their bytes say nothing of tokens.
            (None, Some(operation)) if operation.is_for_media() || yields_nothing(operation) => self.quota.need.usage,
            (None, _) => {
                // Nothing came, or nothing that tells: it went out all the same.
                if self.tap.is_none() {
                    self.estimate_usage(true, cx);
                    self.price(cx);
                }
                self.record.usage.unwrap_or_default()
            }
            (Some(usage), _) => *usage,
        };
        let used = Need { usage: used, ..Need::default() };
        let (engine, mut conflicts) = (cx.engine, 0);
        let Some(facts) = &self.facts else { return };
        let Some(subject) = self.subject(&facts.roles, facts.target, engine) else { return };
        let mut counters = counters(cx, &mut conflicts);
        let outcome = engine.limits.settle(reserved, &used, &subject, &engine.models, &mut counters);
        self.record.conflicts = self.record.conflicts.saturating_add(conflicts);
        if outcome.is_err() {
            self.note(Reason::LimitUnavailable);
        }
        self.settle_shares(&used, cx);
    }
}

fn counters<'a>(cx: &'a mut Context<'_>, conflicts: &'a mut u64) -> Counters<'a> {
    cx.worker.counters(cx.engine, cx.at, cx.host, conflicts)
}

fn refusal(exceeded: &Exceeded, may_fit_later: bool) -> Denial {
    let reason = match exceeded.what {
        What::Tokens | What::Cost if !may_fit_later => Reason::LimitTooLarge,
        what => over(what),
    };
    let (asks, left) = exceeded.asks;
    let detail = match exceeded.what {
        What::Tokens => format!("limit `{}`: {left} tokens are left, and the request may use {asks}", exceeded.id),
        _ => format!("limit `{}`", exceeded.id),
    };
    Denial::new(reason).detail(detail)
}

/// The reason where nothing, or too little, is left of a limit.
pub(super) fn over(what: What) -> Reason {
    match what {
        What::Requests => Reason::LimitRequests,
        What::Concurrent => Reason::LimitConcurrent,
        What::Unpriced => Reason::LimitUnpriced,
        What::Tokens => Reason::LimitTokens,
        What::Cost => Reason::LimitCost,
    }
}
