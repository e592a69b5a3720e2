//! The head of a request: everything that it decides before any body is held.

use std::rc::Rc;

use super::body::{extend, inspector, too_large};
use super::line::{CHECKSUMS, Line, Media, OVERRIDES, decoded, encoded, length, media, upgrades};
use super::route::Way;
use super::{Context, Effect, Exchange, Facts, Flow, Stage, Tap, Waiting};
use crate::engine::calls;
use crate::head::Headers;
use crate::host::{Attribute, Side};
use crate::identity::{
    self, CREDENTIAL_HEADERS, FORWARDED_AND_CREDENTIALS, FORWARDED_HEADER, Outcome, Presented, path_without_credential,
    take,
};
use crate::inspect::{Budget, Shingles};
use crate::policy::{Asked, Miss, Mode, Question, RoleSet, Ungoverned};
use crate::protocol;
use crate::protocol::{
    Api, Body, Channel, Dialect, Found, Heads, MediaSet, NoCall, Operation, State, Streams, classify,
    encoded as escaped,
};
use crate::redact::RestoreMap;
use crate::reply::{Denial, Reason};
use crate::route::{HEADER, Model, Situation};
use crate::sort;

/// What came with a head, before the caller is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'h> {
    pub headers: &'h Headers,
    pub end: bool,
    pub call: &'h Result<Found, NoCall>,
    pub target: usize,
}

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
                Ungoverned::Deny => {
                    self.strip_credential(headers, cx);
                    self.deny(Denial::new(Reason::TargetUngoverned), cx)
                }
            };
        };
        self.record.target = Some(target.name.clone());
        self.record.owner = target.owner.clone();
        self.record.provider = Some(target.provider.clone());
        self.dialect = match headers.has("anthropic-version") {
            true => Dialect::Anthropic,
            false => Dialect::of_provider(&target.provider),
        };
        self.signed = target.signed && headers.text("authorization").is_some_and(identity::is_signature);
        strip_own(headers, cx);
        self.strip_credential(headers, cx);

        if self.tap.is_none() && headers.has(HEADER) && cx.engine.routes.enforced() {
            // Envoy chose this target by the client's word, and would choose another without it.
            self.stage = Stage::Pass;
            return self.deny(Denial::new(Reason::RouteAsserted), cx);
        }

        // Such a stream has no body that ends: it is answered at once or not at all.
        if upgrades(headers) {
            self.stage = Stage::Pass;
            return self.upgrade(headers, target.index, cx);
        }
        let line = match Line::read(headers) {
            Ok(line) => line,
            Err(denial) => {
                self.stage = Stage::Pass;
                return self.deny(denial, cx);
            }
        };
        self.record.path = Some(line.path.to_owned());
        self.rpc = target.apis.iter().any(|api| api.is_rpc()).then(Default::default);
        if target.apis.contains(&Api::Mcp)
            && let Some(flow) = self.mcp_metadata(&line, headers, target, cx)
        {
            return flow;
        }
        let call = classify(line.method, line.path, &target.path_prefix, &target.apis);
        if let Ok(found) = &call {
            self.record.operation = Some(found.call.otel_operation());
            self.record.api = Some(found.call.api.as_str());
            self.dialect = found.call.api.dialect().unwrap_or(self.dialect);
        }
        self.authenticate(Arrival { headers, end, call: &call, target: target.index }, None, cx)
    }

    /// Takes the caller's credential out, whatever it is (a refused request's head is read by access logs, too), and what would
    /// make a server read another request.
    fn strip_credential(&self, headers: &Headers, cx: &mut Context<'_>) {
        if self.tap.is_some() {
            return;
        }
        for name in CREDENTIAL_HEADERS.iter().chain(OVERRIDES).copied().filter(|name| headers.has(name)) {
            if self.signed && name == "authorization" {
                continue;
            }
            cx.effects.push(Effect::RemoveHeader(Side::Request, name.into()));
        }
        if let Some(path) = path_without_credential(headers) {
            cx.effects.push(Effect::SetHeader(Side::Request, ":path", path.into_bytes()));
        }
        // Who the hops saw is for us: behind us anybody could take it for what we say.
        let forwarded = cx.engine.identity.reads_forwarded();
        if forwarded && headers.has(FORWARDED_HEADER) {
            cx.effects.push(Effect::RemoveHeader(Side::Request, FORWARDED_HEADER.into()));
        }
        cx.effects.push(Effect::ForbidTrailers(if forwarded { FORWARDED_AND_CREDENTIALS } else { CREDENTIAL_HEADERS }));
    }

    /// Proves the caller, or waits for the keys to do so.
    pub(super) fn authenticate(&mut self, arrival: Arrival<'_>, since_ms: Option<u64>, cx: &mut Context<'_>) -> Flow {
        if let Some(principal) = self.proven.take() {
            let roles = self.proven_already(principal, cx);
            return self.admit(arrival, roles, cx);
        }
        let now = cx.at.millis();
        let credential = match take(arrival.headers, &cx.engine.identity.take_options(self.signed)) {
            Ok(credential) => credential,
            Err(reason) => return self.unproven(reason, arrival, cx),
        };
        let presented = Presented { credential, headers: arrival.headers };
        let mut fetches = Vec::new();
        let outcome =
            cx.engine.identity.authenticate(&mut cx.worker.keys, presented, now, since_ms, cx.host, &mut fetches);
        calls(fetches, cx.effects);
        match outcome {
            Outcome::Verified(principal) => {
                let roles = self.prove(principal, cx);
                self.admit(arrival, roles, cx)
            }
            Outcome::Refused(reason) => self.unproven(reason, arrival, cx),
            Outcome::Wait { .. } => {
                cx.worker.wait(self.id);
                let since_ms = since_ms.unwrap_or(now);
                let Arrival { headers, end, call, target } = arrival;
                let (headers, call) = (headers.clone(), call.clone());
                let waiting = Waiting { headers, end, since_ms, call, target, body_came: false, body_ended: false };
                self.stage = Stage::Waiting(Box::new(waiting));
                if self.tap.is_some() { Flow::Continue } else { Flow::Hold }
            }
        }
    }

    /// The caller could not be proven. A tap still looks at the content, as that of a caller without roles.
    fn unproven(&mut self, reason: identity::Reason, arrival: Arrival<'_>, cx: &mut Context<'_>) -> Flow {
        let flow = self.deny(Denial::new(Reason::Identity(reason)), cx);
        if self.tap.is_none() {
            return flow;
        }
        self.admit(arrival, RoleSet::default().into(), cx)
    }

    /// The caller is proven: everything else that the head decides.
    fn admit(&mut self, arrival: Arrival<'_>, roles: Rc<RoleSet>, cx: &mut Context<'_>) -> Flow {
        self.stage = Stage::Pass;
        // Only now: whoever breaks the glass is still proven, and their credential stays here as ever.
        if let (None, Some(glass)) = (&self.tap, &cx.engine.break_glass)
            && let Some(reason) = glass.at(cx.at.secs())
        {
            self.record.break_glass = Some(reason.to_owned());
            self.tap = Some(Tap::default());
        }
        let Arrival { headers, end, call, target } = arrival;
        self.shadow_head(headers, end, cx);
        let found = match call {
            Ok(found) => found.clone(),
            Err(NoCall::Path) if cx.engine.targets.get(target).is_some_and(|t| t.passes_unknown_paths) => {
                self.note(Reason::ProtocolUnknownPath);
                // What is not read is counted all the same: a limit on requests is on all of them.
                if let Err(denial) =
                    self.count(&roles, target, false, cx).and_then(|()| self.enter(headers, &roles, cx))
                {
                    return self.deny(denial, cx);
                }
                if let Err(denial) = self.weigh(cx) {
                    return self.deny(denial, cx);
                }
                let principal = self.record.principal.clone();
                let principal = principal.as_deref();
                let model = Model::Unread;
                let stored = self.stored_route(cx.engine);
                let situation = Situation { roles: &roles, principal, target, model, stored };
                if let Err(denial) = self.stay(&mut Vec::new(), &situation, cx) {
                    let flow = self.deny(denial, cx);
                    if self.tap.is_none() {
                        return flow;
                    }
                }
                self.record.judged = true;
                return Flow::Continue;
            }
            Err(NoCall::Path) => return self.deny(Denial::new(Reason::ProtocolUnknownPath), cx),
            Err(NoCall::Method) => return self.deny(Denial::new(Reason::ProtocolMethod), cx),
        };
        let mut facts = Facts {
            target,
            call: found.call,
            path_model: found.model.map(|m| m.name),
            roles,
            length: headers.has("content-length"),
            checksums: CHECKSUMS.iter().copied().filter(|name| headers.has(name)).collect(),
            budget: Budget::default(),
            streams: found.call.streams == Streams::Always,
            hides_usage: false,
            structured: false,
            shingles: Shingles::default(),
            script: None,
            restore: RestoreMap::default(),
            way: self.way(headers, call, target, cx),
            mcp: Heads::default(),
            called: None,
            is_told: false,
            tools: Default::default(),
        };
        let model = facts.path_model.as_deref().map(|name| self.resolve(name, cx));
        if let Err(denial) = self.check_head(headers, end, model.as_deref(), &mut facts, cx) {
            let flow = self.deny(denial, cx);
            if self.tap.is_none() {
                return flow;
            }
        }
        facts.is_told = self.forward(headers, target, cx);
        if let (Some(model), Ok(Found { model: Some(place), .. })) = (&model, call)
            && self.tap.is_none()
            && !model.eq_ignore_ascii_case(&place.name)
        {
            if self.signed {
                return self.deny(signed("the model's alias cannot be replaced"), cx);
            }
            let stripped = path_without_credential(headers);
            if let Some(mut path) = stripped.or_else(|| headers.text(":path").map(str::to_owned)) {
                path.replace_range(place.span.clone(), &escaped(model));
                cx.effects.push(Effect::SetHeader(Side::Request, ":path", path.into_bytes()));
            }
        }
        if self.tap.is_none() && headers.has("accept-encoding") {
            // A compressed answer could not be read.
            cx.effects.push(Effect::RemoveHeader(Side::Request, "accept-encoding".into()));
        }
        // Where nothing of a body can be read, access has allowed that: it passes as it comes.
        let unread = facts.call.body == Body::Any && media(headers).ok() != Some(Media::Json);
        if end || unread {
            if let Err(denial) = self.route_head(end, model.as_deref(), &mut facts, cx) {
                let flow = self.deny(denial, cx);
                if self.tap.is_none() {
                    return flow;
                }
            }
            if unread && !end && facts.call.operation == Operation::Media {
                self.may_use();
            }
            return self.send(facts, cx);
        }
        self.stage = Stage::Request;
        let ahead = !cx.engine.hold_headers && self.tap.is_none();
        if ahead {
            // The head goes ahead of a body that may change its length.
            for name in facts.checksums.drain(..).chain(facts.length.then_some("content-length")) {
                cx.effects.push(Effect::RemoveHeader(Side::Request, name.into()));
            }
        }
        self.facts = Some(facts);
        if ahead || self.tap.is_some() { Flow::Continue } else { Flow::Hold }
    }

    /// The head is all that decides: the request goes on.
    fn send(&mut self, facts: Facts, cx: &mut Context<'_>) -> Flow {
        self.facts = Some(facts);
        if let Err(denial) = self.weigh(cx).and_then(|()| self.reserve(cx)) {
            let flow = self.deny(denial, cx);
            if self.tap.is_none() {
                return flow;
            }
        }
        self.stage = Stage::Request;
        match self.charge(cx) {
            Err(denial) => self.deny(denial, cx),
            Ok(()) => self.goes_on_with(None, cx),
        }
    }

    /// What a request needs to go elsewhere.
    fn way(&self, headers: &Headers, call: &Result<Found, NoCall>, target: usize, cx: &Context<'_>) -> Way {
        if !cx.engine.routes.enforced() && !cx.engine.limits.steps_down() {
            return Way::default();
        }
        let stripped = path_without_credential(headers);
        let path = stripped.or_else(|| headers.text(":path").map(str::to_owned)).unwrap_or_default();
        let model = call.as_ref().ok().and_then(|found| found.model.as_ref()).map(|place| place.span.clone());
        let prefix = cx.engine.targets.get(target).map(|t| t.path_prefix.clone()).unwrap_or_default();
        Way::new(path, model, prefix)
    }

    fn check_head(
        &mut self,
        headers: &Headers,
        end: bool,
        model: Option<&str>,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<(), Denial> {
        // Rates first: whoever is over one buys no further work, and refused requests count too.
        self.count(&facts.roles, facts.target, false, cx)?;
        self.enter(headers, &facts.roles, cx)?;
        let question = Question {
            roles: &facts.roles,
            target: facts.target,
            operation: facts.call.operation,
            method: None,
            model,
            body: None,
        };
        let media = match facts.call.body {
            Body::None => Media::Json,
            Body::Any if end => Media::Json,
            // Amazon's own SDKs leave the header out unless they are told, and Bedrock takes the body for JSON then.
            Body::Json if facts.call.api == Api::BedrockInvoke && !headers.has("content-type") => Media::Json,
            _ => media(headers)?,
        };
        if facts.call.body == Body::Any && (end || media != Media::Json) {
            // The head is all that can be read.
            let media: MediaSet = (!end).then_some(protocol::Media::File).into_iter().collect();
            let asked = Asked { parameters: None, media, state: State::None };
            self.ask(&Question { body: Some(asked), ..question }, cx)?;
        } else {
            self.ask(&question, cx)?;
        }
        if !facts.call.says.is_empty() {
            self.ask_path(&question, facts, cx)?;
        }
        if facts.call.body == Body::Json && media != Media::Json {
            return Err(Denial::new(Reason::ProtocolContentType));
        }
        if facts.call.body != Body::None && media == Media::Json {
            if encoded(headers) {
                return Err(Denial::new(Reason::ProtocolEncoding));
            }
            if end && facts.call.body == Body::Json {
                return Err(Denial::new(Reason::ProtocolUnreadable).detail("the body is empty"));
            }
        }
        let stripped = path_without_credential(headers);
        let mut path = stripped.as_deref().or_else(|| headers.text(":path")).unwrap_or_default();
        let own;
        if facts.call.api == Api::Mcp {
            own = self.mcp_head(headers, path, facts, cx)?;
            path = own.as_deref().unwrap_or(path);
        }
        if media == Media::Json && length(headers).is_some_and(|l| l > cx.engine.max_body as u64) {
            return Err(too_large(cx));
        }
        match path.split_once('?') {
            // Some servers lay the query over the body: where to push to must stand where it is judged.
            Some((_, query))
                if facts.call.api == Api::A2aRest && decoded(query).to_ascii_lowercase().contains("push") =>
            {
                Err(Denial::new(Reason::ParameterNotAllowed).detail("the query"))
            }
            Some((_, query)) if !query.is_empty() => self.check_query(query, facts, cx),
            _ => Ok(()),
        }
    }

    /// Asks access; what it says goes on the record.
    pub(super) fn ask(&mut self, question: &Question<'_>, cx: &Context<'_>) -> Result<(), Denial> {
        let answer = cx.engine.access.decide(question);
        #[cfg(feature = "trace")]
        self.record.trace.asked(crate::trace::Question {
            operation: question.operation.as_str(),
            method: question.method.map(str::to_owned),
            model: question.model.map(str::to_owned),
            with_body: question.body.is_some(),
            statements: answer.considered,
        });
        extend(&mut self.record.observed, answer.observed);
        // What a head fits decides nothing yet where a body is to come: that may fit a deny, or be unreadable.
        if answer.miss.is_some() || question.body.is_some() || question.operation == Operation::ListModels {
            extend(&mut self.record.rules, answer.rules);
        }
        match answer.miss {
            None => Ok(()),
            Some(Miss::Call) if question.operation.must_be_named() => Err(Denial::new(Reason::AccessDenied)
                .detail(format!("the operation `{}`, which a statement must name", question.operation.as_str()))),
            Some(Miss::Call) => Err(Denial::new(Reason::AccessDenied)),
            Some(Miss::Model) => Err(Denial::new(Reason::ModelNotAllowed)),
            Some(Miss::Parameter(name)) => {
                Err(Denial::new(Reason::ParameterNotAllowed).detail(format!("the parameter `{name}`")))
            }
            Some(Miss::State(member)) => {
                Err(Denial::new(Reason::StateNotAllowed).detail(format!("the parameter `{member}`")))
            }
            Some(Miss::Media(media)) => {
                let kinds: Vec<&str> = media.iter().map(protocol::Media::as_str).collect();
                Err(Denial::new(Reason::MediaNotAllowed).detail(format!("`{}`", kinds.join("`, `"))))
            }
        }
    }

    /// The name of the model that a caller means by `name`, aliases resolved; it goes on the record.
    pub(super) fn resolve(&mut self, name: &str, cx: &Context<'_>) -> String {
        let known = cx.engine.models.find(name);
        let model = known.map_or_else(|| name.to_owned(), |m| m.name.clone());
        self.record.model = Some(model.clone());
        self.record.model_known = known.is_some();
        model
    }

    /// A query cannot be rewritten without knowing what the API makes of it: what would be replaced is refused.
    pub(super) fn check_query(&mut self, query: &str, facts: &mut Facts, cx: &mut Context<'_>) -> Result<(), Denial> {
        let plan = cx.engine.content.plan(&facts.roles, facts.target, Side::Request);
        let inspector = inspector(&plan, cx.engine, None);
        let mut outcome = inspector.text(&decoded(query), Channel::Metadata, &mut facts.budget);
        if !outcome.routes.is_empty() {
            // What a path names is known only later: a query that has to go elsewhere stays where it was found.
            let principal = self.record.principal.clone();
            let (roles, principal) = (Rc::clone(&facts.roles), principal.as_deref());
            let situation =
                Situation { roles: &roles, principal, target: facts.target, model: Model::Unread, stored: None };
            self.stay(&mut outcome.routes, &situation, cx)?;
        }
        let replaced = outcome.edited.is_some();
        self.remember("in", outcome)?;
        if replaced { Err(Denial::new(Reason::ContentDenied).detail("in the query")) } else { Ok(()) }
    }
}

/// What would have to change of a request that its caller signed.
pub(super) fn signed(what: &str) -> Denial {
    Denial::new(Reason::ContentDenied)
        .detail(format!("the request is signed for the provider by its caller, so {what}"))
}

/// Names that only Doorward and the mesh may set: a client's are removed before anything reads them.
fn strip_own(headers: &Headers, cx: &mut Context<'_>) {
    let mut own: Vec<&str> = headers.iter().map(|(n, _)| n).filter(|n| n.starts_with("x-doorward-")).collect();
    sort::plain(&mut own, |a, b| a < b);
    own.dedup();
    cx.effects.extend(own.into_iter().map(|name| Effect::RemoveHeader(Side::Request, name.to_owned().into())));
}
