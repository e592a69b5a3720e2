//! Messages of an MCP server: answers, whose lists are cut to what the caller may use, and requests, which are judged as the caller's.

use std::cell::RefCell;
use std::rc::Rc;

use super::seal::Seal;
use super::show;
use super::sift::Sifting;
use super::tasks::{Edits, Told};
use crate::engine::Engine;
use crate::exchange::body::inspector;
use crate::exchange::outside::{Judged, Sink};
use crate::exchange::{Context, Exchange, Facts};
use crate::host::Side;
use crate::json::{Document, Kind, Node};
use crate::policy::{Arguments, Asked, FUNCTION, Fitting, Pinned, Plan, Question, RoleSet, Tool};
use crate::protocol::walk_body;
use crate::protocol::{
    self, Api, Body, Listed, MAX_BATCH, MediaSet, Message, NoMessage, Operation, Returns, State, exact, is_lifecycle,
    lists, media,
};
use crate::redact::{Inspector, Scan};
use crate::reply::{Denial, Reason};
use crate::sort;
use crate::stream::{Cuts, Incoming, Messages as _, Sifted};

/// So many questions may stand in one result.
const MAX_QUESTIONS: usize = 32;

/// The code of an error that asks the user for something.
const ELICITATION_REQUIRED: &str = "-32042";

/// A list outlives the session it was asked in: what an earlier exchange has met takes calls away, and leaves lists as they are.
fn untainted(_: &str) -> bool {
    false
}

/// Judges messages of a server for one caller.
pub(in crate::exchange) struct MessageJudge<'e> {
    pub(super) engine: &'e Engine,
    roles: Rc<RoleSet>,
    pub(super) target: usize,
    operation: Operation,
    /// The stream has the server's own messages, and answers no request.
    listens: bool,
    /// The server was told who asks.
    is_told: bool,
    /// What ties ids to the caller; none where nothing is tied.
    seal: Option<&'e Result<Seal, Denial>>,
    /// What was seen of pinned tools.
    seen: RefCell<Vec<(usize, bool)>>,
    /// What was seen in lists.
    pub(super) sifting: RefCell<Sifting>,
}

impl<'e> MessageJudge<'e> {
    /// For the caller of an exchange.
    pub fn new(engine: &'e Engine, facts: &Facts, seal: Option<&'e Result<Seal, Denial>>) -> Self {
        let listens = facts.call.method == "GET";
        Self {
            engine,
            roles: Rc::clone(&facts.roles),
            target: facts.target,
            operation: facts.call.operation,
            listens,
            is_told: facts.is_told,
            seal,
            seen: RefCell::default(),
            sifting: RefCell::default(),
        }
    }

    /// Whether the stream has the server's own messages.
    pub fn listens(&self) -> bool {
        self.listens
    }

    /// What was seen of pinned tools since this was asked last: the pin's place, and whether it still holds.
    pub fn seen(&self) -> Vec<(usize, bool)> {
        self.seen.take()
    }

    /// What was seen in lists since this was asked last.
    pub fn sifting(&self) -> Sifting {
        self.sifting.take()
    }

    /// What becomes of a message by who asks, and what for.
    pub(super) fn judged(&self, node: Node<'_>) -> Incoming {
        match self.judge(node) {
            Ok(edits) => Incoming::Pass(edits),
            // Who listens goes on listening: the one message is left out. Who asked learns that nothing will come of it.
            Err(denial) if self.listens && denial.reason == Reason::MethodNotAllowed => Incoming::Drop(denial),
            Err(denial) => Incoming::Refuse(denial),
        }
    }

    /// The edits with which messages may go on, in their order.
    fn judge(&self, node: Node<'_>) -> Result<Cuts, Denial> {
        let mut edits = self.each(node)?;
        sort::cold(&mut edits, |a, b| (a.0.start, a.0.end) < (b.0.start, b.0.end));
        Ok(edits)
    }

    fn each(&self, node: Node<'_>) -> Result<Cuts, Denial> {
        if node.kind() == Kind::Array {
            if node.items().count() > MAX_BATCH {
                return Err(Denial::new(Reason::AnswerUnscannable).detail("too many messages at once"));
            }
            let mut edits = Vec::new();
            for item in node.items() {
                edits.extend(self.one(item)?);
            }
            return Ok(edits);
        }
        self.one(node)
    }

    fn one(&self, node: Node<'_>) -> Result<Cuts, Denial> {
        match Message::read(node).map_err(unreadable)? {
            Message::Request(asking) => {
                self.may_ask(&asking.method(), asking.params)?;
                self.tasks(|told, edits| told.related(asking.params, edits))
            }
            Message::Notification(asking) => {
                // A task that waits for answers says so of itself.
                if let Some(params) = asking.params {
                    self.questions(params)?;
                    self.errors(params)?;
                }
                self.tasks(|told, edits| told.notification(&asking.method(), asking.params, edits))
            }
            Message::Answer(answer) => {
                let Some(result) = answer.result else {
                    return self.errors(node).map(|()| Vec::new());
                };
                self.questions(result)?;
                self.errors(result)?;
                let mut edits = self.cut(result)?;
                edits.extend(self.tasks(|told, edits| told.result(result, edits))?);
                Ok(edits)
            }
        }
    }

    /// Ties what a message says of tasks to the caller.
    fn tasks(&self, tell: impl FnOnce(Told<'_>, &mut Edits) -> Result<(), NoMessage>) -> Result<Edits, Denial> {
        let mut edits = Edits::new();
        let seal = match self.seal {
            None => return Ok(edits),
            Some(Ok(seal)) => seal,
            Some(Err(denial)) => return Err(denial.clone()),
        };
        tell(Told { seal, knows_caller: self.is_told }, &mut edits).map_err(unreadable)?;
        Ok(edits)
    }

    /// Questions of the server that come as a result.
    fn questions(&self, result: Node<'_>) -> Result<(), Denial> {
        let Some(questions) = result.get("inputRequests") else { return Ok(()) };
        if questions.kind() != Kind::Object || questions.entries().count() > MAX_QUESTIONS {
            return Err(unreadable("`inputRequests` is no object, or holds too much"));
        }
        for (_, question) in questions.entries() {
            let Some(method) = question.get("method").and_then(|method| method.text()) else {
                return Err(unreadable("a question without a method"));
            };
            self.may_ask(&method, question.get("params"))?;
        }
        Ok(())
    }

    /// Questions of the server that come as an error: the user is to visit a page (`URLElicitationRequiredError` of 2025-11-25).
    fn errors(&self, node: Node<'_>) -> Result<(), Denial> {
        let Some(error) = node.get("error") else { return Ok(()) };
        exact(error, &["code", "data"]).map_err(unreadable)?;
        let data = error.get("data");
        if let Some(data) = data {
            exact(data, &["elicitations"]).map_err(unreadable)?;
        }
        let asked = data.and_then(|data| data.get("elicitations"));
        let is_question = error.get("code").and_then(|code| code.number()) == Some(ELICITATION_REQUIRED);
        match asked {
            None if !is_question => Ok(()),
            Some(asked) if asked.items().next().is_some() => {
                if asked.items().count() > MAX_QUESTIONS {
                    return Err(unreadable("an error that asks too much"));
                }
                asked.items().try_for_each(|question| self.may_ask("elicitation/create", Some(question)))
            }
            asked => self.may_ask("elicitation/create", asked),
        }
    }

    /// Whether the server may ask something of the caller.
    fn may_ask(&self, method: &str, params: Option<Node<'_>>) -> Result<(), Denial> {
        if is_lifecycle(method) || self.allows(method, params) {
            return Ok(());
        }
        let denial = Denial::new(Reason::MethodNotAllowed);
        Err(match protocol::is_known_method(method) {
            true => denial.detail(format!("the server asked for `{method}`")),
            false => denial,
        })
    }

    fn allows(&self, method: &str, params: Option<Node<'_>>) -> bool {
        self.engine.access.decide(&self.question(method, params)).miss.is_none()
    }

    fn question<'a>(&'a self, method: &'a str, params: Option<Node<'a>>) -> Question<'a> {
        Question {
            roles: &self.roles,
            target: self.target,
            operation: self.operation,
            method: Some(method),
            model: None,
            body: Some(Asked { parameters: params, media: MediaSet::default(), state: State::None }),
        }
    }

    /// Cuts the lists of a result.
    fn cut(&self, result: Node<'_>) -> Result<Cuts, Denial> {
        let mut fitting: Option<Fitting> = None;
        let mut tool = |name: &str, definition: Node<'_>| {
            match self.engine.pins.compare(self.target, name, definition) {
                Pinned::No => {}
                Pinned::Same(place) => self.seen.borrow_mut().push((place, true)),
                Pinned::Changed(place, _) => {
                    self.seen.borrow_mut().push((place, false));
                    return false;
                }
            }
            // What a call would be judged by, found once for the list.
            let fitting = fitting.get_or_insert_with(|| {
                self.engine.access.fitting(&Question { body: None, ..self.question("tools/call", None) }, &untainted)
            });
            let tool = Tool { name, kind: FUNCTION, server: None, arguments: Arguments::Unknown };
            self.engine.access.tool(&tool, fitting).miss.is_none()
        };
        let mut calls = None;
        let (mut prompts, mut resources) = (None, None);
        let mut may = |listed: Listed, name: &str, node: Node<'_>| match listed {
            Listed::Tool => *calls.get_or_insert_with(|| self.may_try("tools/call")) && tool(name, node),
            Listed::Prompt => *prompts.get_or_insert_with(|| self.may_try("prompts/get")),
            Listed::Resource => *resources.get_or_insert_with(|| self.may_try("resources/read")),
        };
        lists(result, &mut may).map_err(unreadable)
    }

    /// Whether some call of a method may be allowed, whatever its parameters.
    fn may_try(&self, method: &str) -> bool {
        let question = Question { body: None, ..self.question(method, None) };
        self.engine.access.decide(&question).miss.is_none()
    }
}

impl Exchange {
    /// Judges an answer that came whole.
    pub(in crate::exchange) fn judge_incoming(
        &mut self,
        document: &Document<'_>,
        success: bool,
        plan: &Plan,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<Judged, Denial> {
        let (mut sifted, mut judge) = (Sifted::default(), None);
        // An agent's card is no message. What is refused is read by clients all the same, if it is one.
        let is_message = match success {
            true => facts.call.api == Api::Mcp || facts.call.body != Body::None,
            false => document.root().get("jsonrpc").is_some(),
        } && facts.call.api.is_rpc();
        let seal = match is_message && facts.call.api == Api::Mcp && self.tap.is_none() {
            true => Some(self.seal(cx)),
            false => None,
        };
        if is_message {
            let asks = judge.insert(MessageJudge::new(cx.engine, facts, seal.as_ref()));
            let incoming = asks.incoming(document.root());
            self.note_pins(&asks.seen(), cx);
            match incoming {
                Incoming::Pass(cuts) => sifted.cuts = cuts,
                Incoming::Drop(denial) | Incoming::Refuse(denial) => self.unless_observed(denial, cx)?,
            }
        }
        let media = media(document.root());
        let bytes = {
            use protocol::Media::{Audio, Document, File, Image, Video};
            [Image, Audio, Video, Document, File]
        };
        if bytes.iter().any(|m| media.contains(*m)) {
            self.not_read(cx)?;
        }
        let call = facts.call;
        let show = |sink: Sink<'_>| show(&call, document, Side::Response, &sifted.cuts, sink);
        let Some(found) = self.ask_outside(Side::Response, plan, &show, cx)? else {
            return Ok(Judged::Wait);
        };
        self.capture_again(Side::Response, document, &found, cx);
        let inspector = Inspector { external: Some(&found), ..inspector(plan, cx.engine, None) };
        if let Some(judge) = &judge {
            let cuts = std::mem::take(&mut sifted.cuts);
            sifted = judge.sift(document.root(), cuts, &inspector, &mut facts.budget)?;
            self.note_sifting(judge.sifting(), facts.target, cx);
        }
        let mut edits = sifted.cuts.clone();
        let mut scan = Scan::new(&inspector, &mut facts.budget, Some(&facts.restore));
        if !plan.is_empty() || !facts.restore.is_empty() {
            let returns = match facts.restore.is_empty() {
                true => Returns::default(),
                false if facts.call.api.is_rpc() => Returns::read(document.root()),
                false => Returns::whole(document.root()),
            };
            scan.body(document, Side::Response);
            walk_body(&facts.call, Side::Response, document.root(), &mut |leaf| {
                if leaf.place.is_within(&sifted.cuts) || leaf.place.is_within(&sifted.clean) {
                    return;
                }
                let way = returns.way(&leaf);
                match way.and_then(|way| scan.restored_result(leaf, way, &facts.restore)) {
                    Some(edit) => edits.push(edit),
                    None => scan.leaf(leaf),
                }
            });
        }
        let (edited, mut outcome) = scan.finish(document, &[], &edits);
        outcome.edited = edited;
        self.remember("out", outcome).map(Judged::Pass)
    }
}

pub(super) fn unreadable(what: &str) -> Denial {
    Denial::new(Reason::AnswerUnscannable).detail(what)
}
