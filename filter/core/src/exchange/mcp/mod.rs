//! Messages of MCP: each is judged by its method, calls of tools by the tool and its arguments, and its texts like any other's.
//!
//! What a list does not show may still be called by who knows its name, so that the call is what is decided; lists are cut so that a model
//! is not led to try. Messages of the server are judged for the caller, too: it asks the caller's model and user for things.

mod endpoint;
mod first;
mod incoming;
mod listening;
mod metadata;
mod pins;
mod rest;
mod seal;
mod session;
mod sift;
mod tasks;

pub(super) use endpoint::{Called, sealed as sealed_endpoint};
pub(super) use incoming::MessageJudge;
pub(super) use seal::Seal;
pub(crate) use seal::prepare as prepare_sessions;

use super::body::{extend, inspector, unreadable};
use super::outside::{Judged, Sink};
use super::{Context, Effect, Exchange, Facts};
use crate::head::Headers;
use crate::host::Side;
use crate::identity::FORWARDED_HEADER;
use crate::json::{self, Document, Kind, Node};
use crate::policy::{Arguments, Asked, FUNCTION, Miss, Question, Tool, ToolMiss, Transport};
use crate::protocol::{
    self, Api, Asking, Body, Channel, Heads, Leaf, MAX_BATCH, Message, Operation, Place, State, Unreadable, Version,
    is_known_method, is_lifecycle, media, walk_body,
};
use crate::redact::{Deriver, Scan};
use crate::reply::{Denial, Reason};

/// The header that names a session.
const SESSION: &str = "mcp-session-id";
/// Headers that some servers would read from trailers, too, where nobody compares them; and credentials, as in every request.
const NO_TRAILERS: &[&str] = &[
    SESSION,
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "last-event-id",
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    FORWARDED_HEADER,
];

impl Exchange {
    /// What the head of a request says of messages and sessions. Answers the path that goes on, where it is not `path`.
    pub(super) fn mcp_head(
        &mut self,
        headers: &Headers,
        path: &str,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<Option<String>, Denial> {
        facts.mcp = Heads::read(headers).map_err(|error| match error {
            Unreadable::Header => Denial::new(Reason::ProtocolHeaders),
            Unreadable::Version => Denial::new(Reason::McpVersion),
        })?;
        if self.tap.is_none() {
            cx.effects.push(Effect::ForbidTrailers(NO_TRAILERS));
        }
        self.scan_heads(facts, cx)?;
        let session = headers.one(SESSION).map_err(|_| Denial::new(Reason::ProtocolHeaders))?;
        let accepts =
            |kind: &str| headers.all("accept").any(|v| String::from_utf8_lossy(v).to_ascii_lowercase().contains(kind));
        match (facts.call.body, facts.call.method) {
            // Other than these, nothing that has no body is the protocol's.
            (Body::None, "GET") if !accepts("text/event-stream") => {
                return Err(Denial::new(Reason::ProtocolUnknownPath).detail("a GET that accepts no event stream"));
            }
            (Body::None, "DELETE") if session.is_none() => {
                return Err(Denial::new(Reason::ProtocolUnknownPath).detail("a DELETE without a session"));
            }
            _ => {}
        }
        if headers.has("last-event-id") && session.is_none() {
            // Whose stream that takes up again, nobody could say.
            return Err(Denial::new(Reason::McpSession));
        }
        if facts.call.method == "GET" {
            let path = path.split('?').next().unwrap_or_default().to_owned();
            facts.called = metadata::origin(headers).map(|origin| Called { origin, path });
            self.listen(cx);
        }
        if self.tap.is_some() {
            return Ok(None);
        }
        if let Some(name) = facts.mcp.name.as_deref().filter(|_| facts.mcp.names_task) {
            let seal = self.seal(cx)?;
            // One that is not the caller's is refused with the message, which must name the same, and whose id the refusal answers.
            if let Some(own) = seal.open(seal::Of::Task, name) {
                cx.effects.push(Effect::SetHeader(Side::Request, "mcp-name", own.as_bytes().to_vec()));
            }
        }
        if let Some(sealed) = session {
            let own = self.opened(sealed, cx)?;
            cx.effects.push(Effect::SetHeader(Side::Request, SESSION, own));
        }
        let transport = cx.engine.targets.get(facts.target).map(|target| target.transport);
        match facts.call.method == "POST" && transport == Some(Transport::Sse) {
            true => self.posted(path, cx).map(Some),
            false => Ok(None),
        }
    }

    /// What ties the ids of an MCP server to this caller; none where a policy only observes.
    pub(super) fn seal_of_server(&self, cx: &mut Context<'_>) -> Option<Result<Seal, Denial>> {
        let speaks = self.facts.as_ref().is_some_and(|facts| facts.call.api == Api::Mcp);
        (speaks && self.tap.is_none()).then(|| self.seal(cx))
    }

    /// Headers go ahead of the body, and would disagree with it if a value were replaced there: what would be replaced is refused.
    fn scan_heads(&mut self, facts: &mut Facts, cx: &mut Context<'_>) -> Result<(), Denial> {
        let plan = cx.engine.content.plan(&facts.roles, facts.target, Side::Request);
        let inspector = inspector(&plan, cx.engine, None);
        for text in facts.mcp.texts() {
            let outcome = inspector.text(text, Channel::ToolCall, &mut facts.budget);
            let replaced = outcome.edited.is_some();
            self.remember("in", outcome)?;
            if replaced {
                return Err(Denial::new(Reason::ContentDenied).detail("in a header"));
            }
        }
        Ok(())
    }

    /// Judges the message, or messages, of a request.
    pub(super) fn judge_messages(
        &mut self,
        document: &Document<'_>,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<Judged, Denial> {
        let root = document.root();
        let messages: Vec<Node<'_>> = match root.kind() {
            Kind::Array => root.items().collect(),
            _ => vec![root],
        };
        let batch = root.kind() == Kind::Array;
        if batch {
            // Only the oldest version has them, which not everybody names; and headers speak of one message.
            let spoken = facts.mcp.version.is_none_or(|version| version == Version::V2025_03_26);
            if !spoken || facts.mcp.speak_of_one() {
                return Err(unreadable("several messages at once, which this version of the protocol does not have"));
            }
            if messages.is_empty() || messages.len() > MAX_BATCH {
                return Err(unreadable("no messages at once, or too many"));
            }
        }
        self.quota.tools = messages.iter().filter_map(|node| called_tool(*node)).collect();
        // Refused calls count, too.
        let counted = self.count(&facts.roles, facts.target, true, cx);
        counted.or_else(|denial| self.unless_observed(denial, cx))?;
        // Facts are out of reach of the exchange while they are used.
        let seal = match facts.call.api == Api::Mcp && self.tap.is_none() {
            true => Some(self.seal(cx)?),
            false => None,
        };
        let (mut protected, mut opened) = (Vec::new(), tasks::Edits::new());
        for node in messages {
            let message = Message::read(node).map_err(unreadable)?;
            let asking = match message {
                Message::Request(asking) | Message::Notification(asking) => asking,
                Message::Answer(_) if facts.mcp.version.is_some_and(|version| version >= Version::V2026_07_28) => {
                    return Err(unreadable("an answer, which clients of this version do not send"));
                }
                // To what the server was let ask.
                Message::Answer(answer) => {
                    if let (Some(seal), Some(result)) = (&seal, answer.result) {
                        tasks::open_answer(result, seal, &mut opened).map_err(task_refused)?;
                    }
                    continue;
                }
            };
            if let (Some(rpc), Some(id)) = (&mut self.rpc, asking.id) {
                rpc.id = document.bytes().get(id.span()).map(|id| String::from_utf8_lossy(id).into_owned());
            }
            if batch && asking.method() == "initialize" {
                return Err(unreadable("`initialize` among other messages"));
            }
            let tool = asking.name().and_then(|name| name.text()).filter(|_| asking.method() == "tools/call");
            let declared = cx.engine.param_headers.of(facts.target, tool.as_deref());
            if !batch && let Err(header) = facts.mcp.agree(&asking, declared) {
                return Err(Denial::new(Reason::McpHeaders).detail(format!("`{header}`")));
            }
            if let Err(denial) = self.judge_asking(node, &asking, facts, cx) {
                self.unless_observed(denial, cx)?;
            }
            if let Some(seal) = &seal {
                tasks::open(&asking, seal, &mut opened).map_err(task_refused)?;
            }
            // They decide: nothing of them may be replaced.
            protected.extend([Some(asking.method), asking.name(), asking.id].into_iter().flatten().map(inner));
        }
        self.scan_messages(document, &protected, &opened, facts, cx)
    }

    /// Judges a request or notification.
    fn judge_asking(
        &mut self,
        node: Node<'_>,
        asking: &Asking<'_>,
        facts: &Facts,
        cx: &mut Context<'_>,
    ) -> Result<(), Denial> {
        let method = asking.method();
        self.record.method.get_or_insert_with(|| method.clone());
        let asked = Asked { parameters: Some(asking.params.unwrap_or(node)), media: media(node), state: State::None };
        let question = Question {
            roles: &facts.roles,
            target: facts.target,
            operation: facts.call.operation,
            method: Some(&method),
            model: None,
            body: Some(asked),
        };
        self.ask_method(&question, &method, cx)?;
        if facts.call.operation == Operation::A2a {
            return rest::ask_pushes(&method, asking.params, facts, cx);
        }
        if method == "subscriptions/listen" {
            self.listen(cx);
        }
        if method != "tools/call" {
            return Ok(());
        }
        let Some(name) = asking.param("name").and_then(|name| name.text()) else {
            return Err(unreadable("`name` of a tool call is no text"));
        };
        if let Some(id) = cx.engine.sessions.forbids(self.forbids(), &name) {
            self.record.rules = vec![id.to_owned()];
            return Err(Denial::new(Reason::ToolNotAllowed));
        }
        self.record.tool.get_or_insert_with(|| name.chars().take(128).collect());
        let none = Document::parse(b"{}", &json::Limits::default()).map_err(|_| Denial::new(Reason::InternalHost))?;
        let arguments = match asking.param("arguments") {
            None => none.root(),
            Some(arguments) if arguments.kind() == Kind::Object => arguments,
            Some(_) => return Err(unreadable("`arguments` of a tool call is no object")),
        };
        let tool = Tool { name: &name, kind: FUNCTION, server: None, arguments: Arguments::Known(arguments) };
        let answer =
            cx.engine.access.tool(&tool, &cx.engine.access.fitting(&question, &|id| self.tainted_before(id, true)));
        let ids = |places: &[usize]| places.iter().map(|place| cx.engine.access.id(*place).to_owned()).collect();
        extend(&mut self.record.observed, ids(&answer.observed));
        if !answer.rules.is_empty() || answer.miss.is_some() {
            self.record.rules = ids(&answer.rules);
        }
        match answer.miss {
            None => self.ask_pin(facts.target, &name, cx),
            Some(ToolMiss::Tool) => Err(Denial::new(Reason::ToolNotAllowed)),
            Some(ToolMiss::Argument(pointer)) => {
                Err(Denial::new(Reason::ToolArgument).detail(format!("the argument `{pointer}`")))
            }
        }
    }

    /// Asks access about a method; what it says goes on the record.
    fn ask_method(&mut self, question: &Question<'_>, method: &str, cx: &Context<'_>) -> Result<(), Denial> {
        let answer = cx.engine.access.decide(question);
        extend(&mut self.record.observed, answer.observed);
        let lives = answer.rules.is_empty() && is_lifecycle(method);
        extend(&mut self.record.rules, answer.rules);
        let miss = match answer.miss {
            Some(_) if lives => cx.engine.access.decide(&Question { method: None, body: None, ..*question }).miss,
            miss => miss,
        };
        match miss {
            None => Ok(()),
            Some(Miss::Parameter(name)) => {
                Err(Denial::new(Reason::ParameterNotAllowed).detail(format!("the parameter `{name}`")))
            }
            Some(Miss::Media(media)) => {
                let kinds: Vec<&str> = media.iter().map(protocol::Media::as_str).collect();
                Err(Denial::new(Reason::MediaNotAllowed).detail(format!("`{}`", kinds.join("`, `"))))
            }
            Some(_) if is_known_method(method) && !method.starts_with("notifications/") => {
                Err(Denial::new(Reason::MethodNotAllowed).detail(format!("the method `{method}`")))
            }
            Some(_) => Err(Denial::new(Reason::MethodNotAllowed)),
        }
    }

    /// Inspects the texts of what a client sends.
    fn scan_messages(
        &mut self,
        document: &Document<'_>,
        protected: &[std::ops::Range<usize>],
        opened: &[(std::ops::Range<usize>, String)],
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<Judged, Denial> {
        let plan = cx.engine.content.plan(&facts.roles, facts.target, Side::Request);
        self.trace_plan(Side::Request, facts, cx);
        let call = facts.call;
        let show = |sink: Sink<'_>| show(&call, document, Side::Request, &[], sink);
        let Some(found) = self.ask_outside(Side::Request, &plan, &show, cx)? else { return Ok(Judged::Wait) };
        self.capture_again(Side::Request, document, &found, cx);
        let subject = self.record.principal.as_ref().map(|p| p.subject()).unwrap_or_default();
        let deriver = cx.engine.tokenize_key.as_deref().map(|key| Deriver::new(key, &subject));
        let mut inspector = inspector(&plan, cx.engine, deriver.filter(|_| self.tap.is_none()));
        inspector.external = Some(&found);
        let mut scan = Scan::new(&inspector, &mut facts.budget, None);
        if !plan.is_empty() {
            scan.body(document, Side::Request);
            walk_body(&call, Side::Request, document.root(), &mut |leaf| {
                // A tag is ours, and what it stands behind came from the server.
                let is_opened = |token: std::ops::Range<usize>| opened.iter().any(|(range, _)| *range == token);
                if !matches!(leaf.place, Place::Value(token) if is_opened(token.inner_span())) {
                    scan.leaf(leaf);
                }
            });
            scan.sweep(document, Side::Request);
        }
        let (edited, mut outcome) = scan.finish(document, protected, opened);
        outcome.edited = edited;
        facts.restore = std::mem::take(&mut outcome.restore);
        self.remember("in", outcome).map(Judged::Pass)
    }
}

/// The tool that a message calls.
fn called_tool(node: Node<'_>) -> Option<String> {
    match Message::read(node).ok()? {
        Message::Request(asking) | Message::Notification(asking) if asking.method() == "tools/call" => {
            asking.param("name")?.text().map(|name| name.into_owned())
        }
        _ => None,
    }
}

fn task_refused(refused: tasks::Refused) -> Denial {
    match refused {
        tasks::Refused::Foreign => Denial::new(Reason::McpTask),
        tasks::Refused::Unreadable(what) => unreadable(what),
    }
}

/// Where a value stands, quotes aside.
fn inner(node: Node<'_>) -> std::ops::Range<usize> {
    node.string().map_or_else(|| node.span(), |token| token.inner_span())
}

/// Shows the texts of messages to detectors outside, but for what `edits` take out.
fn show(
    call: &protocol::Call,
    document: &Document<'_>,
    side: Side,
    edits: &[(std::ops::Range<usize>, String)],
    sink: Sink<'_>,
) {
    walk_body(call, side, document.root(), &mut |leaf: Leaf<'_>| match leaf.place {
        place if place.is_within(edits) => {}
        Place::Value(token) | Place::Key(token, _) => sink(&token.text(), leaf.of.channel),
        Place::Number(node) => {
            if let Some(lexeme) = node.number().filter(|lexeme| lexeme.len() >= 7) {
                sink(lexeme, leaf.of.channel);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::NO_TRAILERS;
    use crate::identity::FORWARDED_AND_CREDENTIALS;

    #[test]
    fn what_proves_callers_is_no_trailer_here_either() {
        assert!(FORWARDED_AND_CREDENTIALS.iter().all(|name| NO_TRAILERS.contains(name)));
    }
}
