//! The candidate: a second policy that judges requests beside the live one.
//!
//! It sees what the live policy sees, when it sees it, and changes nothing: it runs as a policy that only observes, over a caller
//! who is proven already, with effects that go nowhere. What it may not do it has not got: its limits, sessions and baselines are
//! taken out when it is compiled, so that it reserves nothing and writes nothing that others share, and its external detectors are
//! not asked. Only where it would have judged otherwise does anything go on the record.
//!
//! It judges requests, not answers. Where the live policy refuses a request before its body comes, the candidate's decision is what its
//! own head says, `none` where it would have read on.

use std::rc::Rc;

use super::{Context, Effect, Exchange, Stage};
use crate::audit::{Difference, Record};
use crate::engine::Engine;
use crate::head::Headers;
use crate::identity::Principal;
use crate::policy::RoleSet;
use crate::reply::Reason;

/// The candidate's own look at a request.
#[derive(Debug)]
pub(super) struct Shadow {
    exchange: Exchange,
    /// It has seen all that it judges.
    judged: bool,
}

impl Exchange {
    /// The caller is proven: the candidate looks at the head.
    pub(super) fn shadow_head(&mut self, headers: &Headers, end: bool, cx: &mut Context<'_>) {
        let (Some(candidate), None) = (cx.engine.candidate.as_deref(), &self.shadow) else { return };
        let Some(principal) = self.record.principal.clone() else { return };
        let mut exchange = Exchange { proven: Some(principal), ..Exchange::new(self.id) };
        let mut effects = Vec::new();
        let _ = exchange.request_head(headers, end, &mut beside(cx, candidate, &mut effects));
        // What the head alone decides is decided.
        let judged = end || exchange.record.denial.is_some() || !matches!(exchange.stage, Stage::Request);
        self.shadow = Some(Box::new(Shadow { exchange, judged }));
    }

    /// The whole body is there: the candidate judges it.
    pub(super) fn shadow_body(&mut self, body: &[u8], cx: &mut Context<'_>) {
        let (Some(candidate), Some(shadow)) = (cx.engine.candidate.as_deref(), &mut self.shadow) else { return };
        if std::mem::replace(&mut shadow.judged, true) {
            return;
        }
        let mut effects = Vec::new();
        shadow.exchange.judge_tapped(Some(body), &mut beside(cx, candidate, &mut effects));
    }

    /// Puts on the record where the candidate would have judged otherwise. What only the live policy counts or asks is no difference,
    /// nor is what was sent elsewhere, which the candidate has not seen.
    pub(super) fn compare(&mut self, cx: &Context<'_>) {
        let (Some(candidate), Some(shadow)) = (cx.engine.candidate.as_deref(), self.shadow.take()) else { return };
        let Shadow { exchange: Exchange { record: mut theirs, .. }, judged } = *shadow;
        let live = self.record.denial.filter(|_| !self.record.answer_denied);
        let elsewhere = self.record.from.is_some() || !self.record.routes.is_empty() || !theirs.routes.is_empty();
        let ended_before = live.is_none() && !self.record.judged;
        if elsewhere || ended_before || live.is_some_and(Reason::is_of_live_alone) {
            return;
        }
        if theirs.denial.is_none() && !judged {
            if live.is_none() {
                return;
            }
            // The live policy refused the head, and the body never came: the candidate would have read on.
            theirs.judged = false;
        }
        let same =
            live == theirs.denial && (live.is_some() || edits(&self.record, cx.engine) == edits(&theirs, cx.engine));
        if !same {
            self.record.candidate = Some(Difference {
                decision: theirs.decision(),
                reason: theirs.denial.map(Reason::code),
                findings: theirs.findings_text(),
                rules: theirs.rules,
                digest: candidate.digest.clone(),
            });
        }
    }
}

/// What was done to a request that goes on: to findings, by type and action, and to tools. What external detectors find is not among
/// it, since the candidate asks none.
fn edits<'r>(record: &'r Record, live: &Engine) -> Vec<(&'r str, &'static str)> {
    let outside = |name: &str| {
        let kind = live.detectors.kinds().find(|(_, kind)| kind.name == name).map(|(id, _)| id);
        kind.is_some_and(|id| live.detectors.externals().iter().any(|external| external.kinds().contains(id)))
    };
    let found = record.findings.keys().filter(|(side, kind, _)| *side == "in" && !outside(kind));
    let found = found.map(|(_, kind, action)| (kind.as_str(), *action));
    let offered = record.tools.keys().filter(|(how, ..)| *how == "offered");
    found.chain(offered.map(|(_, name, action)| (name.as_str(), *action))).collect()
}

/// The context of the candidate: the same moment and host, its own policy, effects of its own.
fn beside<'a>(cx: &'a mut Context<'_>, candidate: &'a Engine, effects: &'a mut Vec<Effect>) -> Context<'a> {
    Context { engine: candidate, worker: cx.worker, host: cx.host, effects, at: cx.at }
}

impl Exchange {
    /// The roles of a caller whom the live policy has proven. The worker remembers roles of the live policy by its callers: not these.
    pub(super) fn proven_already(&mut self, principal: Rc<Principal>, cx: &Context<'_>) -> Rc<RoleSet> {
        let roles = Rc::new(cx.engine.roles.of(&principal));
        self.record.roles = cx.engine.roles.names(&roles).map(str::to_owned).collect();
        self.record.principal = Some(principal);
        roles
    }

    /// Judges a request's whole body as a tap does; `None`: there was more than is read.
    pub(super) fn judge_tapped(&mut self, body: Option<&[u8]>, cx: &mut Context<'_>) {
        let denial = match (body, &self.stage) {
            (Some(body), Stage::Request) => {
                let judged = self.judge_request(body, cx).and_then(|_| self.weigh(cx)).err();
                let reserved = self.reserve(cx).err();
                judged.or(reserved)
            }
            (None, Stage::Request) => {
                self.note(Reason::ProtocolTooLarge);
                Some(super::body::too_large(cx))
            }
            _ => None,
        };
        if let Some(denial) = denial {
            let _ = self.deny(denial, cx);
        }
        self.record.judged = true;
        if matches!(self.stage, Stage::Request) {
            self.stage = Stage::Sent;
        }
    }
}
