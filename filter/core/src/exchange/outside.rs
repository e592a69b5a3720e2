//! Bodies that wait while detectors outside are asked about them.
//!
//! A body is judged up to the point where its texts are to be inspected. If a statement wants an external detector there,
//! one call-out for each goes out, and the side is held. When all are answered, the same body is judged again from its
//! beginning, as the host still holds it, and this time findings are there. Access, limits and usage are asked or read twice by
//! that, and answer the same.

use super::{Context, Effect, Exchange, Flow, Stage};
use crate::calls::{Answered, Place};
use crate::exchange::Call;
use crate::host::Side;
use crate::inspect::{External, Failure, Found, Texts};
use crate::policy::Plan;
use crate::protocol::Channel;
use crate::reply::{Denial, Reason};

/// Sees each text of a body, and where it stands.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&str, Channel);

/// Calls about one body.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Not answered yet.
    left: usize,
    answers: Vec<Answered>,
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
        if waiting.as_ref().is_some_and(|asked| asked.left > 0) {
            return Ok(None);
        }
        collect(&mut |text, channel| {
            for (_, external, texts) in &mut needed {
                if plan.looks_for(channel, external.kinds()) {
                    texts.add(text, channel);
                }
            }
        });
        if let Some(asked) = waiting.take() {
            return self.heard(side, plan, &needed, asked.answers, cx).map(Some);
        }
        let mut asked = Asked::default();
        for (detector, external, texts) in needed.iter().filter(|(_, _, texts)| !texts.is_empty()) {
            let Ok(body) = texts.request(external, side) else { continue };
            let place = Place { exchange: self.id, side, detector: *detector };
            let id = cx.worker.exchanges.begin(place, external.timeout_ms, cx.at);
            asked.left += 1;
            cx.effects.push(Effect::Call(Call {
                id,
                cluster: external.cluster.clone(),
                authority: external.authority.clone(),
                path: external.path.clone(),
                method: "POST",
                headers: external.headers(),
                body,
                timeout_ms: external.timeout_ms,
            }));
        }
        if asked.left == 0 {
            return self.heard(side, plan, &needed, Vec::new(), cx).map(Some);
        }
        *waiting = Some(asked);
        Ok(None)
    }

    /// Every answer is there.
    fn heard(
        &mut self,
        side: Side,
        plan: &Plan,
        needed: &[(usize, &External, Texts)],
        answers: Vec<Answered>,
        cx: &Context<'_>,
    ) -> Result<Found, Denial> {
        let (mut found, mut denial) = (Found::default(), None);
        for (detector, external, texts) in needed.iter().filter(|(_, _, texts)| !texts.is_empty()) {
            let answer = answers.iter().find(|a| a.place.detector == *detector);
            let read = match answer {
                // It was not asked.
                None => Err(Failure::TooLarge),
                Some(Answered { answer: Some((200, body)), .. }) => {
                    external.read(body, texts, &cx.engine.detectors, &mut found)
                }
                // The host's own answer where the time is up, which its clock may tell a little early.
                Some(Answered { answer: Some((504, _)), .. }) => Err(Failure::Timeout),
                Some(answer) if answer.late => Err(Failure::Timeout),
                Some(Answered { answer: Some((status, _)), .. }) => Err(Failure::Status(*status)),
                Some(Answered { answer: None, .. }) => Err(Failure::Unreachable),
            };
            let Err(failure) = read else {
                let took = answer.map_or(0, |a| a.took_ms);
                self.note_outside(side, &external.name, format!("ok:{took}ms"));
                continue;
            };
            self.note_outside(side, &external.name, format!("failed:{failure}"));
            let ids = plan.refusing(external.kinds(), |channel| texts.in_channel(channel));
            if !ids.is_empty() && denial.is_none() {
                let detail = format!("the detector `{}` ({failure}), statement `{}`", external.name, ids.join("`, `"));
                denial = Some(Denial::new(Reason::ContentUnscannable).detail(detail));
                self.record.rules = ids;
            }
        }
        denial.map_or(Ok(found), Err)
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
        let ready = |asked: &Option<Asked>| asked.as_ref().is_some_and(|asked| asked.left == 0);
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
