//! Streams that only listen (`GET`, `subscriptions/listen`, the older transport's) end with the proof of who listens: at the token's `exp` and
//! the tolerated clock skew.
//!
//! Other requests are over soon, and what they are answered they were allowed to ask for. A stream that listens may stay for days, and would
//! tell a caller who was let go everything that the server says. A filter is told nothing while nothing happens, so that the worker's tick
//! looks for them, once a second; an event that comes in between is not delivered either.

use crate::exchange::{Context, Exchange, Flow, Stage};
use crate::identity;
use crate::reply::{Denial, Reason};

impl Exchange {
    /// From now on the stream listens.
    pub(super) fn listen(&mut self, cx: &mut Context<'_>) {
        let ends_ms = self.record.principal.as_ref().and_then(|principal| principal.ends_ms);
        if let Some(ends_ms) = ends_ms.filter(|_| self.listens_until.is_none()) {
            self.listens_until = Some(ends_ms);
            cx.worker.listens(self.id, ends_ms);
        }
    }

    /// Whether the stream listens longer than its caller is proven.
    pub(in crate::exchange) fn has_run_out(&self, cx: &Context<'_>) -> bool {
        self.listens_until.is_some_and(|ends_ms| cx.at.millis() >= ends_ms)
    }

    /// Ends it. Its head has usually gone, so that the client sees it cut off; one that asks again is told to prove itself.
    pub(in crate::exchange) fn run_out(&mut self, cx: &mut Context<'_>) -> Flow {
        self.forget_listening(cx);
        if matches!(self.stage, Stage::Over) {
            return Flow::Hold;
        }
        if self.tap.is_none() {
            self.stream_over(cx);
        }
        self.record.answer_denied |= self.record.denial.is_none();
        let reason = self.record.denial.unwrap_or(Reason::Identity(identity::Reason::Expired));
        self.deny(Denial::new(reason), cx)
    }

    /// Has a stream cut off that was refused. No message of the protocol ends it, and the server may keep it open for ever; what went before
    /// goes on first.
    pub(in crate::exchange) fn cut_off(&mut self, cx: &mut Context<'_>) {
        if self.tap.is_some() {
            return;
        }
        self.forget_listening(cx);
        let now = cx.at.millis();
        self.listens_until = Some(now);
        cx.worker.listens(self.id, now);
    }

    /// Nothing ends it any more.
    pub(in crate::exchange) fn forget_listening(&mut self, cx: &mut Context<'_>) {
        if let Some(ends_ms) = self.listens_until.take() {
            cx.worker.listens_no_more(self.id, ends_ms);
        }
    }
}
