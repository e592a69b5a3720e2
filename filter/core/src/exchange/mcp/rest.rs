//! Agent2Agent over HTTP and JSON: the path says the method, the body is its parameters.
//!
//! Methods go by their names in JSON-RPC, so that one statement is about both. A body that is a message of JSON-RPC is refused here, and
//! a path that says a method there: of two ways to read a request, a server has one.

use crate::exchange::body::unreadable;
use crate::exchange::outside::Judged;
use crate::exchange::{Context, Exchange, Facts};
use crate::json::{Document, Kind, Node, fold};
use crate::policy::{Asked, Question};
use crate::protocol::{Body, MediaSet, State, media};
use crate::reply::{Denial, Reason};

/// Members of a body that decide something, as they are written in JSON; protocol buffers know them in snake case, too.
const DECIDING: &[&str] = &["message", "request", "configuration", "config", "url", "tenant", "metadata"];

impl Exchange {
    /// Asks access about the method that a path says, as far as the head can tell.
    pub(in crate::exchange) fn ask_path(
        &mut self,
        question: &Question<'_>,
        facts: &Facts,
        cx: &Context<'_>,
    ) -> Result<(), Denial> {
        let method = facts.call.says;
        self.record.method.get_or_insert_with(|| method.to_owned());
        // Without a body nothing is left to be asked.
        let nothing = Asked { parameters: None, media: MediaSet::default(), state: State::None };
        let body = (facts.call.body == Body::None).then_some(nothing);
        self.ask_method(&Question { method: Some(method), body, ..*question }, method, cx)
    }

    /// Judges the body of a request whose path says the method.
    pub(in crate::exchange) fn judge_rest(
        &mut self,
        document: &Document<'_>,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<Judged, Denial> {
        let root = document.root();
        if root.kind() != Kind::Object {
            return Err(unreadable("not an object"));
        }
        for (key, _) in root.entries() {
            let key = key.text();
            let folded = fold(&key);
            if matches!(folded.as_str(), "jsonrpc" | "method" | "params") {
                return Err(unreadable("a message of JSON-RPC, at a path that says the method"));
            }
            if key != folded.as_str() && DECIDING.contains(&folded.as_str()) {
                return Err(unreadable("a key that some servers read as another"));
            }
        }
        // Refused requests count, too.
        let counted = self.count(&facts.roles, facts.target, true, cx);
        counted.or_else(|denial| self.unless_observed(denial, cx))?;
        let method = facts.call.says;
        let asked = Asked { parameters: Some(root), media: media(root), state: State::None };
        let question = Question {
            roles: &facts.roles,
            target: facts.target,
            operation: facts.call.operation,
            method: Some(method),
            model: None,
            body: Some(asked),
        };
        let judged = self.ask_method(&question, method, cx).and_then(|()| ask_pushes(method, Some(root), facts, cx));
        if let Err(denial) = judged {
            self.unless_observed(denial, cx)?;
        }
        self.scan_messages(document, &[], &[], facts, cx)
    }
}

/// An agent that is told to push notifications sends what it knows there: the host must be one that the target names.
pub(super) fn ask_pushes(
    method: &str,
    params: Option<Node<'_>>,
    facts: &Facts,
    cx: &Context<'_>,
) -> Result<(), Denial> {
    let hosts = cx.engine.targets.get(facts.target).map(|target| &target.push_hosts);
    let may = |node: Node<'_>| {
        let host = node.text().and_then(|url| crate::policy::url_host(&url));
        host.is_some_and(|host| hosts.is_some_and(|hosts| hosts.any(&host)))
    };
    let configures = fold(method).contains("pushnotificationconfig");
    match params.is_none_or(|params| pushes(params, configures, &may)) {
        true => Ok(()),
        false => Err(Denial::new(Reason::ParameterNotAllowed).detail("the host that notifications are pushed to")),
    }
}

/// Whether every URL that is to be pushed to may be. `inside`: they are what this part is about.
fn pushes(node: Node<'_>, inside: bool, may: &dyn Fn(Node<'_>) -> bool) -> bool {
    node.items().all(|item| pushes(item, inside, may))
        && node.entries().all(|(key, value)| {
            let key = fold(&key.text()).replace('_', "");
            match inside && key == "url" {
                true => may(value),
                false => pushes(value, inside || key.contains("pushnotification"), may),
            }
        })
}
