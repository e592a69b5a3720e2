//! Bodies that wait while detectors outside are asked about them.
//!
//! A body is judged up to the point where its texts are to be inspected. If a statement wants an external detector there,
//! one call-out for each goes out, and the side is held. When all are answered, the same body is judged again from its
//! beginning, as the host still holds it, and this time findings are there. Access, limits and usage are asked or read twice by
//! that, and answer the same.
//!
//! A call that reached nobody, as when the detector closes a connection just as the call takes it, goes out once more, at once and in
//! what is left of the detector's time.

use super::{Context, Effect, Exchange, Flow, Stage};
use crate::audit::message;
use crate::calls::{Answered, Place};
use crate::exchange::Call;
use crate::host::Side;
use crate::inspect::{External, Failure, Found, Texts};
use crate::json::Document;
use crate::policy::{Capture, Plan};
use crate::protocol::Channel;
use crate::reply::{Denial, Reason};

/// Sees each text of a body, and where it stands.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&str, Channel);

/// With less of its time left, in milliseconds, a detector is not asked again.
const AGAIN_MS: u64 = 10;

/// Calls about one body.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Not answered yet.
    left: usize,
    answers: Vec<Answered>,
    /// Detectors that were asked again, and how long they had taken by then.
    again: Vec<(usize, u64)>,
}

impl Asked {
    /// Which of the answers came from nobody, if its detector is to be asked again.
    fn unreached(&self) -> Option<usize> {
        let again = |detector| self.again.iter().any(|(known, _)| *known == detector);
        self.answers.iter().position(|a| !again(a.place.detector) && !a.late && reached_nobody(a))
    }

    /// How long a detector had taken before it was asked again.
    fn before(&self, detector: usize) -> u64 {
        self.again.iter().find(|(known, _)| *known == detector).map_or(0, |(_, took)| *took)
    }

    /// Whether there is something to do for the body.
    fn is_ready(&self) -> bool {
        self.left == 0 || self.unreached().is_some()
    }
}

/// Whether nobody answered: the host says nothing, or what Envoy says of a connection that failed, here or at the detector's side.
fn reached_nobody(answered: &Answered) -> bool {
    match &answered.answer {
        None => true,
        Some((status, body)) => *status == 503 && body.starts_with(b"upstream connect error"),
    }
}

/// What a body has come to.
#[derive(Debug)]
pub(super) enum Judged {
    /// It passes: these bytes in its place, if they differ.
    Pass(Option<Vec<u8>>),
    /// It waits for external detectors.
    Wait,
}

impl Exchange {
    /// What the external detectors that `plan` needs found in the texts that `collect` shows. `None`: they were asked, and the
    /// body waits for their answers.
    pub(super) fn ask_outside(
        &mut self,
        side: Side,
        plan: &Plan,
        collect: &dyn Fn(Sink<'_>),
        cx: &mut Context<'_>,
    ) -> Result<Option<Found>, Denial> {
        let externals = cx.engine.detectors.externals().iter().enumerate();
        let mut needed: Vec<(usize, &External, Texts)> = externals
            .filter(|(_, e)| Channel::ALL.iter().any(|channel| plan.looks_for(*channel, e.kinds())))
            .map(|(i, e)| (i, e, Texts::new(e)))
            .collect();
        if needed.is_empty() {
            return Ok(Some(Found::default()));
        }
        if self.tap.is_some() {
            for (_, external, _) in &needed {
                self.note_outside(side, &external.name, "skipped:observe".to_owned());
            }
            return Ok(Some(Found::default()));
        }
        let waiting = match side {
            Side::Request => &mut self.asked_request,
            Side::Response => &mut self.asked_answer,
        };
        if waiting.as_ref().is_some_and(|asked| !asked.is_ready()) {
            return Ok(None);
        }
        collect(&mut |text, channel| {
            for (_, external, texts) in &mut needed {
                if plan.looks_for(channel, external.kinds()) {
                    texts.add(text, channel);
                }
            }
        });
        let mut asked = Asked::default();
        match waiting.take() {
            None => {
                for (detector, external, texts) in needed.iter().filter(|(_, _, texts)| !texts.is_empty()) {
                    let place = Place { exchange: self.id, side, detector: *detector };
                    asked.left += usize::from(call(place, external, texts, external.timeout_ms, cx));
                }
            }
            Some(answered) => {
                asked = answered;
                ask_again(&mut asked, &needed, cx);
            }
        }
        if asked.left == 0 {
            return self.heard(side, plan, &needed, &asked, cx).map(Some);
        }
        match side {
            Side::Request => self.asked_request = Some(asked),
            Side::Response => self.asked_answer = Some(asked),
        }
        Ok(None)
    }

    /// Every answer is there.
    fn heard(
        &mut self,
        side: Side,
        plan: &Plan,
        needed: &[(usize, &External, Texts)],
        asked: &Asked,
        cx: &Context<'_>,
    ) -> Result<Found, Denial> {
        let (mut found, mut denial) = (Found::default(), None);
        for (detector, external, texts) in needed.iter().filter(|(_, _, texts)| !texts.is_empty()) {
            let answer = asked.answers.iter().find(|a| a.place.detector == *detector);
            let read = match answer {
                // It was not asked.
                None => Err(Failure::TooLarge),
                Some(Answered { answer: Some((200, body)), .. }) => {
                    external.read(body, texts, &cx.engine.detectors, &mut found)
                }
                // The host's own answer where the time is up, which its clock may tell a little early.
                Some(Answered { answer: Some((504, _)), .. }) => Err(Failure::Timeout),
                Some(answer) if answer.late => Err(Failure::Timeout),
                Some(answer) if reached_nobody(answer) => Err(Failure::Unreachable),
                Some(Answered { answer: Some((status, _)), .. }) => Err(Failure::Status(*status)),
                Some(Answered { answer: None, .. }) => Err(Failure::Unreachable),
            };
            let Err(failure) = read else {
                let took = answer.map_or(0, |a| a.took_ms) + asked.before(*detector);
                self.note_outside(side, &external.name, format!("ok:{took}ms"));
                continue;
            };
            self.note_outside(side, &external.name, format!("failed:{failure}"));
            let ids = plan.refusing(external.kinds(), |channel| texts.in_channel(channel));
            if !ids.is_empty() && denial.is_none() {
                let detail = format!("the detector `{}` ({failure}), statement `{}`", external.name, ids.join("`, `"));
                // Less text may pass where a detector takes no more; all else is the detector's failure, and may be over soon.
                let reason = match failure {
                    Failure::TooLarge => Reason::ContentUnscannable,
                    _ => Reason::ContentDetectorUnavailable,
                };
                denial = Some(Denial::new(reason).detail(detail));
                self.record.rules = ids;
            }
        }
        denial.map_or(Ok(found), Err)
    }

    /// Replaces in a captured body what external detectors found, too.
    pub(super) fn capture_again(&mut self, side: Side, document: &Document<'_>, found: &Found, cx: &Context<'_>) {
        if cx.engine.audit.capture != Capture::Redacted || found.is_empty() {
            return;
        }
        let captured = message::captured(cx.engine, side, document.bytes(), Some(document), Some(found));
        match side {
            Side::Request => self.record.captured_in = captured,
            Side::Response => self.record.captured_out = captured,
        }
    }

    /// Whether answers may come as a stream, which no external detector sees.
    ///
    /// # Errors
    /// A statement wants one to see answers, and refuses where it does not.
    pub(super) fn check_streamed(&mut self, plan: &Plan, cx: &Context<'_>) -> Result<(), Denial> {
        for external in cx.engine.detectors.externals() {
            if !Channel::ALL.iter().any(|channel| plan.looks_for(*channel, external.kinds())) {
                continue;
            }
            let reason = if self.tap.is_some() { "observe" } else { "stream" };
            self.note_outside(Side::Response, &external.name, format!("skipped:{reason}"));
            let ids = plan.refusing(external.kinds(), |_| true);
            if !ids.is_empty() && self.tap.is_none() {
                let detail =
                    format!("the detector `{}` sees whole answers, statement `{}`", external.name, ids.join("`, `"));
                self.record.rules = ids;
                return Err(Denial::new(Reason::ProtocolStream).detail(detail));
            }
        }
        Ok(())
    }

    /// Answers may have come. `None`: no body waits for any.
    pub(super) fn wake_outside(&mut self, cx: &mut Context<'_>) -> Option<Flow> {
        if self.asked_request.is_none() && self.asked_answer.is_none() {
            return None;
        }
        for answered in cx.worker.exchanges.take(self.id) {
            let asked = match answered.place.side {
                Side::Request => &mut self.asked_request,
                Side::Response => &mut self.asked_answer,
            };
            if let Some(asked) = asked {
                asked.left = asked.left.saturating_sub(1);
                asked.answers.push(answered);
            }
        }
        let ready = |asked: &Option<Asked>| asked.as_ref().is_some_and(Asked::is_ready);
        let mut flow = Flow::Hold;
        for side in [Side::Request, Side::Response] {
            let next = match side {
                Side::Request if ready(&self.asked_request) => self.request_body(0, true, cx),
                Side::Response if ready(&self.asked_answer) => self.response_body(0, true, cx),
                _ => continue,
            };
            if next == Flow::Continue {
                cx.effects.push(Effect::Resume(side));
            }
            flow = next;
            if matches!(self.stage, Stage::Over) {
                break;
            }
        }
        Some(flow)
    }

    /// Nothing waits any more.
    pub(super) fn forget_outside(&mut self, cx: &mut Context<'_>) {
        if self.asked_request.take().is_some() | self.asked_answer.take().is_some() {
            cx.worker.exchanges.forget(self.id);
        }
    }

    fn note_outside(&mut self, side: Side, name: &str, outcome: String) {
        let direction = match side {
            Side::Request => "in",
            Side::Response => "out",
        };
        let known = self.record.external.iter().any(|(d, n, o)| *d == direction && n == name && *o == outcome);
        if !known {
            self.record.external.push((direction, name.to_owned(), outcome));
        }
    }
}

/// Shows `texts` to a detector. Whether it is asked: it is not where there are more than it takes.
fn call(place: Place, external: &External, texts: &Texts, timeout_ms: u32, cx: &mut Context<'_>) -> bool {
    let Ok(body) = texts.request(external, place.side) else { return false };
    let id = cx.worker.exchanges.begin(place, timeout_ms, cx.at);
    cx.effects.push(Effect::Call(Call {
        id,
        cluster: external.cluster.clone(),
        authority: external.authority.clone(),
        path: external.path.clone(),
        method: "POST",
        headers: external.headers(),
        body,
        timeout_ms,
    }));
    true
}

/// Asks the detectors again that were not reached, once and while they have time left.
fn ask_again(asked: &mut Asked, needed: &[(usize, &External, Texts)], cx: &mut Context<'_>) {
    while let Some(at) = asked.unreached() {
        let Some((place, took)) = asked.answers.get(at).map(|a| (a.place, a.took_ms)) else { return };
        asked.again.push((place.detector, took));
        let Some((_, external, texts)) = needed.iter().find(|(detector, _, _)| *detector == place.detector) else {
            continue;
        };
        let left = u64::from(external.timeout_ms).saturating_sub(took);
        let left_ms = u32::try_from(left).unwrap_or(external.timeout_ms);
        if left >= AGAIN_MS && call(place, external, texts, left_ms, cx) {
            asked.answers.remove(at);
            asked.left += 1;
        }
    }
}
