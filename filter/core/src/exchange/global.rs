//! Limits that proxies share, in the course of an exchange: charged right before it goes on, which waits for that, and settled when it
//! is over.
//!
//! The body stays with the host while the service is asked, as it came: where the service refuses and the limit has a model for what is
//! beyond it, the request is judged again as if it had named that one. What else goes on instead of the body is kept until then.

use super::quota::over;
use super::{Context, Effect, Exchange, Flow, Stage};
use crate::host::Side;
use crate::limits::{GrantStage, Need, Share, Shared};
use crate::policy::OnServiceFailure;
use crate::reply::{Denial, Reason};

/// What one exchange charges to shared counts.
#[derive(Debug, Default)]
pub(super) struct Shares {
    all: Vec<Share>,
    /// The request waits for answers.
    pub waits: bool,
    /// What goes on instead of the body.
    edited: Option<Vec<u8>>,
}

impl Exchange {
    /// Charges what was reserved, and the request itself. It may have to wait for the service.
    ///
    /// # Errors
    /// Refused, and all that was reserved is given back.
    pub(super) fn charge(&mut self, cx: &mut Context<'_>) -> Result<(), Denial> {
        if !cx.engine.limits.are_shared() || self.tap.is_some() {
            return Ok(());
        }
        let Some(facts) = &self.facts else { return Ok(()) };
        let Some(subject) = self.subject(&facts.roles, facts.target, cx.engine) else { return Ok(()) };
        let mut conflicts = 0;
        let mut shared = shared(cx, &mut conflicts);
        let mut all = shared.shares(&subject, self.quota.reserved());
        for (number, share) in all.iter_mut().enumerate() {
            shared.ask(self.id, number, share);
        }
        self.record.conflicts = self.record.conflicts.saturating_add(conflicts);
        self.quota.shares = Shares { all, waits: true, edited: None };
        self.charged(cx)
    }

    /// Answers may have come. `None`: the request does not wait for any.
    pub(super) fn wake_charged(&mut self, cx: &mut Context<'_>) -> Option<Flow> {
        if !self.quota.shares.waits {
            return None;
        }
        if matches!(self.stage, Stage::Over) {
            // Answered meanwhile, by the host.
            self.uncharge(cx);
            return Some(Flow::Hold);
        }
        self.take_answers(cx);
        let flow = match self.charged(cx) {
            Err(denial) if self.steps_down(&denial, cx) => self.request_body(0, true, cx),
            Err(denial) => self.deny(denial, cx),
            Ok(()) => {
                let edited = self.quota.shares.edited.take();
                self.goes_on_with(edited, cx)
            }
        };
        if flow == Flow::Continue {
            cx.effects.push(Effect::Resume(Side::Request));
        }
        Some(flow)
    }

    /// The request goes on, with another body or as it came, once it waits for nothing.
    pub(super) fn goes_on_with(&mut self, edited: Option<Vec<u8>>, cx: &mut Context<'_>) -> Flow {
        if self.quota.shares.waits {
            self.quota.shares.edited = edited;
            return Flow::Hold;
        }
        if let Some(edited) = edited {
            self.replace_request(edited, cx);
        }
        self.record.judged = true;
        self.early = false;
        if matches!(self.stage, Stage::Request) {
            self.stage = Stage::Sent;
        }
        Flow::Continue
    }

    /// What came of the charges so far.
    fn charged(&mut self, cx: &mut Context<'_>) -> Result<(), Denial> {
        let now = cx.at.secs();
        let shares = &self.quota.shares.all;
        let refusal = shares.iter().find_map(|share| match (share.stage, share.on_failure) {
            (GrantStage::Over, _) => {
                let reason = over(share.what);
                let detail = format!("limit `{}`, of all proxies together", share.limit);
                let wait = share.ends.saturating_sub(now).max(1);
                Some((share.limit.clone(), Denial { retry_after: Some(wait), ..Denial::new(reason).detail(detail) }))
            }
            (GrantStage::Failed(_), OnServiceFailure::Deny) => {
                let detail = format!("limit `{}`: the rate-limit service does not answer", share.limit);
                Some((share.limit.clone(), Denial::new(Reason::LimitUnavailable).detail(detail)))
            }
            _ => None,
        });
        if let Some((id, denial)) = refusal {
            self.record.rules = vec![id];
            let refusing: Vec<_> = shares.iter().filter(|s| s.refuses()).map(Share::step_down).collect();
            self.step_past(&refusing);
            self.uncharge(cx);
            return Err(denial);
        }
        self.quota.shares.waits = self.quota.shares.all.iter().any(|share| share.stage == GrantStage::Asked);
        if !self.quota.shares.waits {
            self.record_shares();
        }
        Ok(())
    }

    /// The request that waits does not go on: everything reserved and charged for it comes back, also what is charged by an answer
    /// that is still to come.
    pub(super) fn uncharge(&mut self, cx: &mut Context<'_>) {
        if !std::mem::take(&mut self.quota.shares.waits) {
            return;
        }
        self.take_answers(cx);
        self.record_shares();
        cx.worker.grants.forget(self.id);
        let mut shared = shared(cx, &mut self.record.conflicts);
        for share in std::mem::take(&mut self.quota.shares.all) {
            shared.give_back(&share);
        }
        self.give_back(cx);
    }

    /// The exchange is over, and has used so much.
    pub(super) fn settle_shares(&mut self, used: &Need, cx: &mut Context<'_>) {
        let shares = std::mem::take(&mut self.quota.shares.all);
        let Some(facts) = &self.facts else { return };
        let (engine, mut conflicts) = (cx.engine, 0);
        let Some(subject) = self.subject(&facts.roles, facts.target, engine) else { return };
        let mut shared = shared(cx, &mut conflicts);
        for share in shares {
            shared.settle(&share, used, &subject, &engine.models);
        }
        self.record.conflicts = self.record.conflicts.saturating_add(conflicts);
    }

    fn take_answers(&mut self, cx: &mut Context<'_>) {
        let answers = cx.worker.grants.take(self.id);
        let mut shared = shared(cx, &mut self.record.conflicts);
        for (number, stage) in answers {
            if let Some(share) = self.quota.shares.all.get_mut(number) {
                shared.answered(share, stage);
            }
        }
    }

    fn record_shares(&mut self) {
        for share in &self.quota.shares.all {
            self.record.shared.push((share.limit.clone(), share.stage.to_string()));
        }
    }
}

impl Shares {
    /// Whether there is nothing to settle.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

fn shared<'a>(cx: &'a mut Context<'_>, conflicts: &'a mut u64) -> Shared<'a> {
    cx.worker.shared(cx.engine, cx.at, cx.host, cx.effects, conflicts)
}
