//! Requests that want to leave HTTP.

use super::line::{Line, decoded};
use super::{Context, Exchange, Flow};
use crate::engine::calls;
use crate::head::Headers;
use crate::identity::{self, Outcome, Presented, take};
use crate::policy::{Asked, Question, is_model_name};
use crate::protocol::{DEFAULT_MODEL, MediaSet, Operation, State, classify};
use crate::reply::{Denial, Reason};
use crate::route::{Model, Situation};

impl Exchange {
    /// A stream that leaves HTTP: refused, but for a realtime session that a statement allows by name. Nothing of it can be read.
    pub(super) fn upgrade(&mut self, headers: &Headers, target: usize, cx: &mut Context<'_>) -> Flow {
        let refused = || Denial::new(Reason::ProtocolUpgrade);
        let Some(place) = cx.engine.targets.get(target) else { return self.deny(refused(), cx) };
        let found = Line::read(headers)
            .ok()
            .and_then(|line| classify(line.method, line.path, &place.path_prefix, &place.apis).ok())
            .filter(|found| found.call.operation == Operation::Realtime);
        let Some(found) = found else { return self.deny(refused(), cx) };
        self.record.operation = Some(found.call.otel_operation());
        self.record.api = Some(found.call.api.as_str());
        let credential = match take(headers, &cx.engine.identity.take_options(false)) {
            Ok(credential) => credential,
            Err(reason) => return self.deny(Denial::new(Reason::Identity(reason)), cx),
        };
        let presented = Presented { credential, headers };
        let (now, mut fetches) = (cx.at.millis(), Vec::new());
        let outcome = cx.engine.identity.authenticate(&mut cx.worker.keys, presented, now, None, cx.host, &mut fetches);
        calls(fetches, cx.effects);
        let principal = match outcome {
            Outcome::Verified(principal) => principal,
            Outcome::Refused(reason) => return self.deny(Denial::new(Reason::Identity(reason)), cx),
            // It cannot be held until they come.
            Outcome::Wait { .. } => {
                return self.deny(Denial::new(Reason::Identity(identity::Reason::KeysUnavailable)), cx);
            }
        };
        let roles = self.prove(principal, cx);
        let entered = self.count(&roles, target, false, cx).and_then(|()| self.enter(headers, &roles, cx));
        if let Err(denial) = entered.and_then(|()| self.weigh(cx)) {
            return self.deny(denial, cx);
        }
        let model = match named(headers) {
            Ok(name) => self.resolve(name.as_deref().unwrap_or(DEFAULT_MODEL), cx),
            Err(denial) => return self.deny(denial, cx),
        };
        if let Err(denial) = self.count(&roles, target, true, cx) {
            return self.deny(denial, cx);
        }
        let asked = Asked { parameters: None, media: MediaSet::default(), state: State::None };
        let question = Question {
            roles: &roles,
            target,
            operation: Operation::Realtime,
            method: None,
            model: Some(&model),
            body: Some(asked),
        };
        let principal = self.record.principal.clone();
        let principal = principal.as_deref();
        let known = Model::Named(&model);
        let situation =
            Situation { roles: &roles, principal, target, model: known, stored: self.stored_route(cx.engine) };
        match self.ask(&question, cx).and_then(|()| self.stay(&mut Vec::new(), &situation, cx)) {
            Err(denial) => self.deny(denial, cx),
            Ok(()) => {
                self.note(Reason::ProtocolUpgrade);
                self.record.judged = true;
                Flow::Continue
            }
        }
    }
}

/// The model that a session's query names: OpenAI's `model`, Azure's `deployment`.
fn named(headers: &Headers) -> Result<Option<String>, Denial> {
    let (_, query) = headers.text(":path").and_then(|path| path.split_once('?')).unwrap_or_default();
    let members = query.split('&').map(|member| member.split_once('=').unwrap_or((member, "")));
    let mut names = members
        .filter(|(key, _)| matches!(decoded(key).to_ascii_lowercase().as_str(), "model" | "deployment"))
        .map(|(_, value)| decoded(value));
    match (names.next(), names.next()) {
        (Some(_), Some(_)) => Err(Denial::new(Reason::ProtocolModel)),
        (Some(name), None) if !is_model_name(&name) => Err(Denial::new(Reason::ProtocolModel)),
        (name, None) => Ok(name),
        (None, Some(_)) => Ok(None),
    }
}
