//! A head that waits for the keys to prove its caller with.

use super::head::Arrival;
use super::{Context, Effect, Exchange, Flow, Stage, Waiting};
use crate::host::Side;
use crate::reply::Reason;

impl Exchange {
    /// Keys may have come, or the time to wait for them may be up.
    pub(super) fn wake(&mut self, cx: &mut Context<'_>) -> Flow {
        let Stage::Waiting(waiting) = std::mem::replace(&mut self.stage, Stage::Pass) else {
            return Flow::Continue;
        };
        let Waiting { headers, end, since_ms, call, target, body_came, body_ended } = *waiting;
        let flow = self.authenticate(Arrival { headers: &headers, end, call, target }, Some(since_ms), cx);
        if self.tap.is_some() {
            match &mut self.stage {
                Stage::Waiting(waiting) => waiting.body_ended = body_ended,
                _ => {
                    if body_ended {
                        self.tapped_request(cx);
                    }
                    if self.early && matches!(self.stage, Stage::Sent) {
                        // The answer passed meanwhile, and was not read.
                        self.note(Reason::AnswerUnscannable);
                        self.stage = Stage::Pass;
                    }
                }
            }
            return Flow::Continue;
        }
        match (&mut self.stage, flow) {
            (Stage::Waiting(waiting), _) => {
                waiting.body_came = body_came;
                waiting.body_ended = body_ended;
                Flow::Hold
            }
            // What came of the body would go on with the head, past us: both wait for the body's end, whatever the
            // policy says of the host.
            (Stage::Request, _) if body_came && !body_ended => Flow::Hold,
            (Stage::Request, _) if body_ended => {
                let flow = self.request_body(0, true, cx);
                if flow == Flow::Continue {
                    cx.effects.push(Effect::Resume(Side::Request));
                }
                flow
            }
            (_, Flow::Continue) => {
                cx.effects.push(Effect::Resume(Side::Request));
                Flow::Continue
            }
            (_, Flow::Hold) => Flow::Hold,
        }
    }
}
