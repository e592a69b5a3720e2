//! A head that waits for the keys to prove its caller with.

use super::head::Arrival;
use super::{Context, Effect, Exchange, Flow, Stage, Waiting};
use crate::host::Side;
use crate::reply::Reason;

impl Exchange {
    /// Keys may have come, or the time to wait for them, or for which a stream may listen, may be up.
    pub(super) fn wake(&mut self, cx: &mut Context<'_>) -> Flow {
        if self.has_run_out(cx) {
            return self.run_out(cx);
        }
        if let Some(flow) = self.wake_outside(cx) {
            return flow;
        }
        if let Some(flow) = self.wake_charged(cx) {
            return flow;
        }
        let waiting = match std::mem::replace(&mut self.stage, Stage::Pass) {
            Stage::Waiting(waiting) => waiting,
            // It waits no more: a body that was too large was refused meanwhile, and stays so.
            stage => {
                self.stage = stage;
                return Flow::Continue;
            }
        };
        let Waiting { headers, end, since_ms, call, target, body_came, body_ended } = *waiting;
        let tapped = self.tap.is_some();
        let flow = self.authenticate(Arrival { headers: &headers, end, call: &call, target }, Some(since_ms), cx);
        if !tapped && let Some(tap) = &mut self.tap {
            // The glass was broken: what was held until the caller was proven goes on, and is read on its way.
            if body_came {
                tap.copy_held(cx);
            }
            if body_ended {
                self.tapped_request(cx);
            }
            cx.effects.push(Effect::Resume(Side::Request));
            return Flow::Continue;
        }
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

#[cfg(test)]
mod tests {
    use crate::config::tree_from_json;
    use crate::engine::{Engine, Worker};
    use crate::exchange::{Effect, Event, Exchange, Flow, Time};
    use crate::head::Headers;
    use crate::host::{Attribute, MemoryHost, Side};

    #[test]
    fn a_wake_that_comes_late_lets_nothing_go() {
        let tree = tree_from_json(
            r#"{"version":"doorward/v1","targets":[{"name":"t","cluster":"c","provider":"openai"}],
                "identity":{"mtls":{"trust_domains":["td"]},"require":{"user":false,"workload":true}}}"#,
        )
        .unwrap();
        let engine = Engine::compile(&tree, &|_| None).unwrap();
        let (mut worker, mut host, mut exchange) = (Worker::new(&engine), MemoryHost::default(), Exchange::new(1));
        host.set_attribute(Attribute::Cluster, "c");
        let headers: Headers = [(":method", "POST"), (":path", "/v1/messages")].into_iter().collect();
        let mut tell = |event| {
            let mut effects = Vec::new();
            let flow = exchange.on(event, Time(0), &engine, &mut worker, &mut host, &mut effects);
            (flow, effects)
        };
        let (flow, effects) = tell(Event::Head { side: Side::Request, headers: &headers, end: false });
        assert!(flow == Flow::Hold && effects.iter().any(|e| matches!(e, Effect::Reply(_))), "{effects:?}");
        assert_eq!(tell(Event::Wake).1, []);
        assert_eq!(tell(Event::Body { side: Side::Request, available: 0, end: true }), (Flow::Hold, vec![]));
    }
}
