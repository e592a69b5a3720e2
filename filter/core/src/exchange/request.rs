//! The request: from its head to the moment it goes on.

use std::ops::Range;

use super::line::{Line, Media, decoded, encoded, length, media, upgrades};
use super::{Context, Effect, Exchange, Facts, Flow, Stage, Tap, Waiting};
use crate::engine::{Engine, body_digest, calls};
use crate::head::Headers;
use crate::host::{Attribute, Side};
use crate::identity::{Outcome, take};
use crate::inspect::Budget;
use crate::json::{Document, Kind, fold};
use crate::policy::{Miss, Mode, Plan, Question, RoleSet, Ungoverned, is_model_name};
use crate::protocol::{self, Channel, DECIDING_NAMES, Dialect, NoCall, classify};
use crate::redact::Inspector;
use crate::reply::{Denial, Reason};

impl Exchange {
    pub(super) fn request_head(&mut self, headers: &Headers, end: bool, cx: &mut Context<'_>) -> Flow {
        if !matches!(self.stage, Stage::New) {
            return Flow::Continue;
        }
        if cx.engine.mode == Mode::Observe {
            self.tap = Some(Tap::default());
        }
        let cluster = cx.host.attribute(Attribute::Cluster);
        let route = cx.host.attribute(Attribute::Route);
        let Some(target) = cx.engine.targets.find(cluster.as_deref(), route.as_deref()) else {
            self.note(Reason::TargetUngoverned);
            self.stage = Stage::Pass;
            return match cx.engine.ungoverned {
                Ungoverned::Pass => Flow::Continue,
                Ungoverned::Deny => self.deny(Denial::new(Reason::TargetUngoverned), cx),
            };
        };
        self.record.target = Some(target.name.clone());
        self.record.owner = target.owner.clone();
        self.record.provider = Some(target.provider.clone());
        self.dialect = match target.provider.as_str() {
            "anthropic" => Dialect::Anthropic,
            _ if headers.has("anthropic-version") => Dialect::Anthropic,
            _ => Dialect::OpenAi,
        };
        strip_own(headers, cx);

        // Such a stream has no body that ends: it is answered at once or not at all.
        if upgrades(headers) {
            self.stage = Stage::Pass;
            return self.deny(Denial::new(Reason::ProtocolUpgrade), cx);
        }
        let line = match Line::read(headers) {
            Ok(line) => line,
            Err(denial) => {
                self.stage = Stage::Pass;
                return self.deny(denial, cx);
            }
        };
        self.record.path = Some(line.path.to_owned());
        let call = classify(line.method, line.path, &target.path_prefix, &target.apis);
        if let Ok(call) = &call {
            self.record.operation = Some(call.operation.as_str());
            match call.api {
                protocol::Api::OpenAiChat => self.dialect = Dialect::OpenAi,
                protocol::Api::AnthropicMessages => self.dialect = Dialect::Anthropic,
                protocol::Api::Models => {}
            }
        }
        self.authenticate(headers, end, call, target.index, None, cx)
    }

    /// Proves the caller, or waits for the keys to do so.
    fn authenticate(
        &mut self,
        headers: &Headers,
        end: bool,
        call: Result<protocol::Call, NoCall>,
        target: usize,
        since_ms: Option<u64>,
        cx: &mut Context<'_>,
    ) -> Flow {
        let now = cx.at.millis();
        let presented = match take(headers, &cx.engine.identity.take_options()) {
            Ok(presented) => presented,
            Err(reason) => return self.unproven(reason, headers, end, call, target, cx),
        };
        let mut fetches = Vec::new();
        let outcome =
            cx.engine.identity.authenticate(&mut cx.worker.keys, &presented, now, since_ms, cx.host, &mut fetches);
        calls(fetches, cx.effects);
        match outcome {
            Outcome::Verified(principal) => {
                if self.tap.is_none() {
                    for name in &presented.strip {
                        cx.effects.push(Effect::RemoveHeader(Side::Request, (*name).to_owned()));
                    }
                    if let Some(path) = &presented.path {
                        cx.effects.push(Effect::SetHeader(
                            Side::Request,
                            ":path".to_owned(),
                            path.clone().into_bytes(),
                        ));
                    }
                }
                let query = presented.path.as_deref().map(|p| p.split_once('?').map_or("", |(_, q)| q).to_owned());
                let roles = self.prove(principal, cx);
                self.admit(headers, end, call, target, roles, query, cx)
            }
            Outcome::Refused(reason) => self.unproven(reason, headers, end, call, target, cx),
            Outcome::Wait { .. } => {
                cx.worker.wait(self.id);
                let since_ms = since_ms.unwrap_or(now);
                let headers = headers.clone();
                let waiting = Waiting { headers, end, since_ms, call, target, body_came: false, body_ended: false };
                self.stage = Stage::Waiting(Box::new(waiting));
                if self.tap.is_some() { Flow::Continue } else { Flow::Hold }
            }
        }
    }

    /// The caller could not be proven. A tap still looks at the content, as that of a caller without roles.
    fn unproven(
        &mut self,
        reason: crate::identity::Reason,
        headers: &Headers,
        end: bool,
        call: Result<protocol::Call, NoCall>,
        target: usize,
        cx: &mut Context<'_>,
    ) -> Flow {
        let flow = self.deny(Denial::new(Reason::Identity(reason)), cx);
        if self.tap.is_none() {
            return flow;
        }
        self.admit(headers, end, call, target, RoleSet::default().into(), None, cx)
    }

    /// The caller is proven: everything else that the head decides.
    #[allow(clippy::too_many_arguments)]
    fn admit(
        &mut self,
        headers: &Headers,
        end: bool,
        call: Result<protocol::Call, NoCall>,
        target: usize,
        roles: std::rc::Rc<RoleSet>,
        query: Option<String>,
        cx: &mut Context<'_>,
    ) -> Flow {
        self.stage = Stage::Pass;
        let facts = |call| Facts {
            target,
            call,
            roles: std::rc::Rc::clone(&roles),
            length: headers.has("content-length"),
            budget: Budget::default(),
        };
        let call = match call {
            Ok(call) => call,
            Err(NoCall::Path) => return self.deny(Denial::new(Reason::ProtocolUnknownPath), cx),
            Err(NoCall::Method) => return self.deny(Denial::new(Reason::ProtocolMethod), cx),
        };
        let mut facts = facts(call);
        if let Err(denial) = self.check_head(headers, end, query, &mut facts, cx) {
            let flow = self.deny(denial, cx);
            if self.tap.is_none() {
                return flow;
            }
        }
        self.facts = Some(facts);
        if end {
            self.record.judged = true;
            self.stage = Stage::Sent;
            self.forward_head(cx);
            return Flow::Continue;
        }
        self.stage = Stage::Request;
        if self.tap.is_some() {
            return Flow::Continue;
        }
        self.forward_head(cx);
        if cx.engine.hold_headers {
            return Flow::Hold;
        }
        // The head goes ahead of a body that may change its length.
        cx.effects.push(Effect::RemoveHeader(Side::Request, "content-length".to_owned()));
        Flow::Continue
    }

    /// Edits that every request's head gets before it goes on.
    fn forward_head(&mut self, cx: &mut Context<'_>) {
        if self.tap.is_none() {
            // A compressed answer could not be read.
            cx.effects.push(Effect::RemoveHeader(Side::Request, "accept-encoding".to_owned()));
        }
    }

    fn check_head(
        &mut self,
        headers: &Headers,
        end: bool,
        query: Option<String>,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<(), Denial> {
        // Rates first: whoever is over one buys no further work, and refused requests count too.
        if let Some(principal) = self.record.principal.clone() {
            self.count(&principal.subject(), facts, cx)?;
        }
        let question = Question {
            roles: &facts.roles,
            target: facts.target,
            api: facts.call.api,
            operation: facts.call.operation,
            model: None,
            parameters: None,
        };
        self.ask(&question, cx)?;
        if facts.call.body {
            if media(headers)? != Media::Json {
                return Err(Denial::new(Reason::ProtocolContentType));
            }
            if encoded(headers) {
                return Err(Denial::new(Reason::ProtocolEncoding));
            }
            if end {
                return Err(Denial::new(Reason::ProtocolUnreadable).detail("the body is empty"));
            }
        }
        if length(headers).is_some_and(|l| l > cx.engine.max_body as u64) {
            return Err(too_large(cx));
        }
        let query = query.or_else(|| Line::read(headers).ok().and_then(|l| l.query.map(str::to_owned)));
        match query {
            Some(query) if !query.is_empty() => self.check_query(&query, facts, cx),
            _ => Ok(()),
        }
    }

    fn count(&mut self, subject: &str, facts: &Facts, cx: &mut Context<'_>) -> Result<(), Denial> {
        // Observing writes no shared state: counters that refuse nobody would still be spent for a live policy.
        let name = match self.tap {
            Some(_) => format!("{}/observe", cx.engine.name),
            None => cx.engine.name.clone(),
        };
        let count = cx
            .engine
            .limits
            .count(&name, subject, &facts.roles, facts.target, cx.at, cx.host)
            .map_err(|_| Denial::new(Reason::LimitUnavailable))?;
        self.record.remaining = count.remaining;
        self.record.observed.extend(count.observed);
        match count.exceeded {
            None => Ok(()),
            Some((ids, seconds)) => {
                let detail = format!("limit `{}`", ids.join("`, `"));
                self.record.rules.extend(ids);
                Err(Denial { retry_after: Some(seconds), ..Denial::new(Reason::LimitRequests).detail(detail) })
            }
        }
    }

    /// Asks access; what it says goes on the record.
    fn ask(&mut self, question: &Question<'_>, cx: &Context<'_>) -> Result<(), Denial> {
        let answer = cx.engine.access.decide(question);
        extend(&mut self.record.observed, answer.observed);
        extend(&mut self.record.rules, answer.rules);
        match answer.miss {
            None => Ok(()),
            Some(Miss::Call) => Err(Denial::new(Reason::AccessDenied)),
            Some(Miss::Model) => Err(Denial::new(Reason::ModelNotAllowed)),
            Some(Miss::Parameter(name)) => {
                Err(Denial::new(Reason::ParameterNotAllowed).detail(format!("the parameter `{name}`")))
            }
        }
    }

    /// A tap records what would have been refused, and looks on.
    fn unless_observed(&mut self, denial: Denial, cx: &mut Context<'_>) -> Result<(), Denial> {
        if self.tap.is_none() {
            return Err(denial);
        }
        let _ = self.deny(denial, cx);
        Ok(())
    }

    /// A query cannot be rewritten without knowing what the API makes of it: what would be replaced is refused.
    fn check_query(&mut self, query: &str, facts: &mut Facts, cx: &mut Context<'_>) -> Result<(), Denial> {
        let plan = cx.engine.content.plan(&facts.roles, facts.target, Side::Request);
        let inspector = inspector(&plan, cx.engine);
        let outcome = inspector.text(&decoded(query), Channel::Metadata, &mut facts.budget);
        let replaced = outcome.edited.is_some();
        self.remember("in", outcome)?;
        if replaced { Err(Denial::new(Reason::ContentDenied).detail("in the query")) } else { Ok(()) }
    }

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
            Stage::Answer(_) => self.early,
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
        cx.effects.push(Effect::ReplaceBody(Side::Request, edited));
    }

    /// The whole body passed a tap.
    fn tapped_request(&mut self, cx: &mut Context<'_>) {
        if matches!(self.stage, Stage::Waiting(_)) {
            // Keys that come before the exchange ends are soon enough.
            self.wake_tap(cx);
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

    fn wake_tap(&mut self, cx: &mut Context<'_>) {
        let _ = self.wake(cx);
    }

    /// Keys may have come, or the time to wait for them may be up.
    pub(super) fn wake(&mut self, cx: &mut Context<'_>) -> Flow {
        let Stage::Waiting(waiting) = std::mem::replace(&mut self.stage, Stage::Pass) else {
            return Flow::Continue;
        };
        let Waiting { headers, end, since_ms, call, target, body_came, body_ended } = *waiting;
        let flow = self.authenticate(&headers, end, call, target, Some(since_ms), cx);
        if self.tap.is_some() {
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

    /// Puts the outcome of an inspection on the record; answers the bytes that go on instead, if they differ.
    pub(super) fn remember(
        &mut self,
        direction: &'static str,
        outcome: crate::redact::Outcome,
    ) -> Result<Option<Vec<u8>>, Denial> {
        for ((kind, action), count) in outcome.findings {
            let total = self.record.findings.entry((direction, kind, action)).or_default();
            *total = total.saturating_add(count);
        }
        let detail = outcome.rules.join("`, `");
        extend(&mut self.record.rules, outcome.rules);
        extend(&mut self.record.observed, outcome.observed);
        match outcome.denial {
            None => Ok(outcome.edited),
            Some(reason) if detail.is_empty() => Err(Denial::new(reason)),
            Some(reason) => Err(Denial::new(reason).detail(format!("statement `{detail}`"))),
        }
    }
}

/// Names that only Doorward and the mesh may set: a client's are removed before anything reads them.
fn strip_own(headers: &Headers, cx: &mut Context<'_>) {
    let mut own: Vec<&str> = headers.iter().map(|(n, _)| n).filter(|n| n.starts_with("x-doorward-")).collect();
    own.sort_unstable();
    own.dedup();
    for name in own {
        cx.effects.push(Effect::RemoveHeader(Side::Request, name.to_owned()));
    }
}

/// What inspects under `plan`.
pub(super) fn inspector<'a>(plan: &'a Plan<'a>, engine: &'a Engine) -> Inspector<'a> {
    Inspector { detectors: &engine.detectors, plan, hash_key: engine.hash_key.as_deref(), limits: engine.json_limits }
}

fn extend(list: &mut Vec<String>, more: Vec<String>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

fn unreadable(detail: &str) -> Denial {
    Denial::new(Reason::ProtocolUnreadable).detail(detail)
}

fn too_large(cx: &Context<'_>) -> Denial {
    Denial::new(Reason::ProtocolTooLarge).detail(format!("at most {} bytes", cx.engine.max_body))
}
