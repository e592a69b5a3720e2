//! The body of a request, judged as a whole.

use std::ops::Range;

use super::{Context, Effect, Exchange, Facts, Flow, Stage, Tap};
use crate::engine::{Engine, body_digest};
use crate::host::Side;
use crate::json::{Document, Kind, fold};
use crate::policy::{Plan, Question, is_model_name};
use crate::protocol::{DECIDING_NAMES, ELSEWHERE};
use crate::redact::{self, Inspector};
use crate::reply::{Denial, Reason};

impl Exchange {
    pub(super) fn request_body(&mut self, available: usize, end: bool, cx: &mut Context<'_>) -> Flow {
        if let Some(tap) = &mut self.tap {
            if matches!(self.stage, Stage::Waiting(_) | Stage::Request) {
                tap.copy(Side::Request, available, cx);
                if end {
                    self.tapped_request(cx);
                }
            }
            return Flow::Continue;
        }
        let open = match self.stage {
            Stage::Request => true,
            // Delivered or let through unread, an early answer leaves the body to be judged like any other.
            Stage::Answer(_) | Stage::Pass => self.early,
            _ => false,
        };
        match &mut self.stage {
            Stage::Waiting(waiting) => {
                waiting.body_came = true;
                waiting.body_ended |= end;
                if available > cx.engine.max_body { self.deny(too_large(cx), cx) } else { Flow::Hold }
            }
            _ if open && available > cx.engine.max_body => self.deny(too_large(cx), cx),
            _ if open && !end => Flow::Hold,
            _ if open => {
                let body = match cx.host.body(Side::Request) {
                    Ok(body) if body.len() >= available => body,
                    _ => return self.deny(Denial::new(Reason::InternalHost), cx),
                };
                match self.judge_request(&body, cx) {
                    Err(denial) => self.deny(denial, cx),
                    Ok(edited) => {
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
                }
            }
            // Nothing of a refused request may follow it, nor what was not judged before its answer was over.
            Stage::Over => Flow::Hold,
            _ if self.early => Flow::Hold,
            _ => Flow::Continue,
        }
    }

    fn replace_request(&mut self, edited: Vec<u8>, cx: &mut Context<'_>) {
        self.record.edited = true;
        if cx.engine.hold_headers && self.facts.as_ref().is_some_and(|f| f.length) {
            let length = edited.len().to_string().into_bytes();
            cx.effects.push(Effect::SetHeader(Side::Request, "content-length".to_owned(), length));
        }
        for name in self.facts.iter_mut().flat_map(|f| f.checksums.drain(..)) {
            cx.effects.push(Effect::RemoveHeader(Side::Request, name.to_owned()));
        }
        cx.effects.push(Effect::ReplaceBody(Side::Request, edited));
    }

    /// The whole body passed a tap.
    pub(super) fn tapped_request(&mut self, cx: &mut Context<'_>) {
        if let Stage::Waiting(waiting) = &mut self.stage {
            // The copy is kept: keys that come before the exchange ends are soon enough.
            waiting.body_ended = true;
            return;
        }
        let Some(body) = self.tap.as_mut().map(Tap::take) else { return };
        let denial = match (body, &self.stage) {
            (Some(body), Stage::Request) => self.judge_request(&body, cx).err(),
            (None, Stage::Request) => {
                self.note(Reason::ProtocolTooLarge);
                Some(too_large(cx))
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

    /// Judges a whole request body. Answers the bytes that go on instead of it, if they differ.
    fn judge_request(&mut self, body: &[u8], cx: &mut Context<'_>) -> Result<Option<Vec<u8>>, Denial> {
        let Some(mut facts) = self.facts.take() else { return Err(Denial::new(Reason::InternalHost)) };
        let result = self.judge_request_with(body, &mut facts, cx);
        self.facts = Some(facts);
        result
    }

    fn judge_request_with(
        &mut self,
        body: &[u8],
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<Option<Vec<u8>>, Denial> {
        if !facts.call.body {
            let empty = body.is_empty();
            return if empty { Ok(None) } else { Err(unreadable("this call has no body")) };
        }
        self.record.content_in = body_digest(cx.engine, body);
        let document = Document::parse(body, &cx.engine.json_limits)
            .map_err(|e| unreadable(&format!("{} at byte {}", e.kind, e.offset)))?;
        let root = document.root();
        if root.kind() != Kind::Object {
            return Err(unreadable("not an object"));
        }
        for (key, _) in root.entries() {
            let key = key.text();
            let folded = fold(&key);
            if ELSEWHERE.contains(&folded.as_str()) {
                let detail = format!("the parameter `{folded}`");
                self.unless_observed(Denial::new(Reason::ParameterNotAllowed).detail(detail), cx)?;
            }
            if key != folded.as_str() && DECIDING_NAMES.contains(&folded.as_str()) {
                return Err(unreadable(&format!("a key that some servers read as `{folded}`")));
            }
        }

        let (model, span, alias) = self.model(&document, cx)?;
        if root.get("stream").is_some_and(|s| !s.is_null() && s.bool() != Some(false)) {
            self.unless_observed(Denial::new(Reason::ProtocolStream), cx)?;
        }
        let question = Question {
            roles: &facts.roles,
            target: facts.target,
            api: facts.call.api,
            operation: facts.call.operation,
            model: Some(&model),
            parameters: Some(root),
        };
        if let Err(denial) = self.ask(&question, cx) {
            self.unless_observed(denial, cx)?;
        }

        let plan = cx.engine.content.plan(&facts.roles, facts.target, Side::Request);
        let inspector = inspector(&plan, cx.engine);
        let edits: Vec<(Range<usize>, String)> = alias.then(|| (span.clone(), model)).into_iter().collect();
        let outcome = inspector.json(&document, facts.call.api, Side::Request, &[span], &edits, &mut facts.budget);
        self.remember("in", outcome)
    }

    /// The request's model: its name with aliases resolved, where the name stands, and whether it was an alias.
    fn model(&mut self, document: &Document<'_>, cx: &Context<'_>) -> Result<(String, Range<usize>, bool), Denial> {
        let token = document.root().get("model").and_then(|m| m.string());
        let token = token.ok_or_else(|| Denial::new(Reason::ProtocolModel))?;
        let asked = token.text();
        if !is_model_name(&asked) {
            return Err(Denial::new(Reason::ProtocolModel));
        }
        let known = cx.engine.models.find(&asked);
        let model = known.map_or_else(|| asked.to_string(), |m| m.name.clone());
        self.record.model = Some(model.clone());
        self.record.model_known = known.is_some();
        let alias = !model.eq_ignore_ascii_case(&asked);
        Ok((model, token.inner_span(), alias))
    }

    /// A tap records what would have been refused, and looks on.
    fn unless_observed(&mut self, denial: Denial, cx: &mut Context<'_>) -> Result<(), Denial> {
        if self.tap.is_none() {
            return Err(denial);
        }
        let _ = self.deny(denial, cx);
        Ok(())
    }

    /// Puts the outcome of an inspection on the record; answers the bytes that go on instead, if they differ.
    pub(super) fn remember(
        &mut self,
        direction: &'static str,
        outcome: redact::Outcome,
    ) -> Result<Option<Vec<u8>>, Denial> {
        for ((kind, action), count) in outcome.findings {
            let total = self.record.findings.entry((direction, kind, action)).or_default();
            *total = total.saturating_add(count);
        }
        extend(&mut self.record.observed, outcome.observed);
        let Some(reason) = outcome.denial else {
            extend(&mut self.record.rules, outcome.rules);
            return Ok(outcome.edited);
        };
        // What allowed the call, or would have masked a value, decides nothing any more. Where no statement refuses, a value
        // could not be replaced where it stands.
        self.record.rules = if outcome.denying.is_empty() { outcome.rules } else { outcome.denying };
        match self.record.rules.join("`, `") {
            ids if ids.is_empty() => Err(Denial::new(reason)),
            ids => Err(Denial::new(reason).detail(format!("statement `{ids}`"))),
        }
    }
}

/// What inspects under `plan`.
pub(super) fn inspector<'a>(plan: &'a Plan<'a>, engine: &'a Engine) -> Inspector<'a> {
    Inspector { detectors: &engine.detectors, plan, hash_key: engine.hash_key.as_deref(), limits: engine.json_limits }
}

pub(super) fn extend(list: &mut Vec<String>, more: Vec<String>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

fn unreadable(detail: &str) -> Denial {
    Denial::new(Reason::ProtocolUnreadable).detail(detail)
}

pub(super) fn too_large(cx: &Context<'_>) -> Denial {
    Denial::new(Reason::ProtocolTooLarge).detail(format!("at most {} bytes", cx.engine.max_body))
}
