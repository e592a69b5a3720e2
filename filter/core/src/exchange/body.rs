//! The body of a request, judged as a whole.

use std::ops::Range;
use std::rc::Rc;

use super::head::signed;
use super::outside::{Judged, Sink};
use super::tools::Tools;
use super::{Context, Effect, Exchange, Facts, Flow, Stage, Tap};
use crate::audit::message;
use crate::engine::{Engine, body_digest};
use crate::host::Side;
use crate::inspect::{SYSTEM_PROMPT_LEAK, Scripts};
use crate::json::{Document, Kind, Node, fold};
use crate::policy::{Asked, Plan, Question, is_model_name};
use crate::protocol::{
    Api, Body, Channel, Contents, DECIDING_NAMES, DEFAULT_MODEL, ELSEWHERE, Leaf, ModelIn, Operation, Place, State,
    Streams, media, parameter_names, state, walk, wants_json,
};
use crate::redact::{self, Deriver, Inspector};
use crate::reply::{Denial, Reason};
use crate::route::Model;

/// So much of a caller's text tells the script that they write in.
const MAX_SCRIPT_BYTES: usize = 16 * 1024;

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
        if self.quota.shares.waits {
            return Flow::Hold;
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
                match self.admit_request(&body, cx) {
                    Err(denial) => self.deny(denial, cx),
                    Ok(Judged::Wait) => Flow::Hold,
                    Ok(Judged::Pass(edited)) => self.goes_on_with(edited, cx),
                }
            }
            // Nothing of a refused request may follow it, nor what was not judged before its answer was over.
            Stage::Over => Flow::Hold,
            _ if self.early => Flow::Hold,
            _ => Flow::Continue,
        }
    }

    pub(super) fn replace_request(&mut self, edited: Vec<u8>, cx: &mut Context<'_>) {
        self.record.edited = true;
        if cx.engine.hold_headers && self.facts.as_ref().is_some_and(|f| f.length) {
            let length = edited.len().to_string().into_bytes();
            cx.effects.push(Effect::SetHeader(Side::Request, "content-length", length));
        }
        for name in self.facts.iter_mut().flat_map(|f| f.checksums.drain(..)) {
            cx.effects.push(Effect::RemoveHeader(Side::Request, name.into()));
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
        if let Some(body) = &body {
            self.shadow_body(body, cx);
        }
        self.judge_tapped(body.as_deref(), cx);
    }

    /// Judges a whole request body, and reserves and charges what it needs; where a limit has a model for what is beyond it, once more
    /// as if that one had been named.
    fn admit_request(&mut self, body: &[u8], cx: &mut Context<'_>) -> Result<Judged, Denial> {
        self.shadow_body(body, cx);
        self.begin_judging();
        loop {
            let judged = self.judge_request(body, cx).and_then(|judged| {
                if let Judged::Pass(_) = &judged {
                    self.weigh(cx)?;
                    self.reserve(cx)?;
                    self.charge(cx)?;
                }
                Ok(judged)
            });
            match judged {
                Err(denial) if self.steps_down(&denial, cx) => {}
                judged => return judged,
            }
        }
    }

    /// Judges a whole request body. Answers the bytes that go on instead of it, if they differ.
    pub(super) fn judge_request(&mut self, body: &[u8], cx: &mut Context<'_>) -> Result<Judged, Denial> {
        let Some(mut facts) = self.facts.take() else { return Err(Denial::new(Reason::InternalHost)) };
        facts.tools = Tools::default();
        let result = self.judge_request_with(body, &mut facts, cx);
        self.facts = Some(facts);
        result
    }

    fn judge_request_with(&mut self, body: &[u8], facts: &mut Facts, cx: &mut Context<'_>) -> Result<Judged, Denial> {
        if facts.call.body == Body::None {
            if !body.is_empty() {
                return Err(unreadable("this call has no body"));
            }
            // Its head did not say that nothing follows.
            let model = facts.path_model.clone().map(|name| self.resolve(&name, cx));
            self.route_head(true, model.as_deref(), facts, cx)?;
            return Ok(Judged::Pass(None));
        }
        self.record.content_in = body_digest(cx.engine, body);
        self.record.request_bytes = body.len() as u64;
        let document = match Document::parse(body, &cx.engine.json_limits) {
            Ok(document) => document,
            Err(e) => {
                self.keep_request(body, None, facts, cx);
                return Err(unreadable(&format!("{} at byte {}", e.kind, e.offset)));
            }
        };
        self.look(document.root(), facts, cx);
        self.keep_request(body, Some(&document), facts, cx);
        match facts.call.api {
            Api::A2aRest => return self.judge_rest(&document, facts, cx),
            api if api.is_rpc() => return self.judge_messages(&document, facts, cx),
            _ => {}
        }
        let root = document.root();
        if root.kind() != Kind::Object {
            return Err(unreadable("not an object"));
        }
        self.check_keys(root, cx)?;
        let model = self.model(root, facts, cx)?;
        // Refused requests count, too.
        let counted = self.count(&facts.roles, facts.target, true, cx);
        counted.or_else(|denial| self.unless_observed(denial, cx))?;
        self.check_stream(root, facts, cx)?;
        let state = state(facts.call.api, root);
        // A batch has the models of its requests, each of which is judged by itself below.
        let first = root.get("requests").and_then(|r| r.items().next()?.get("params")?.get("model")?.text());
        let first =
            first.filter(|_| facts.call.model == ModelIn::Nowhere && facts.call.operation == Operation::Batches);
        let first = first.map(|name| cx.engine.models.find(&name).map_or(name.into_owned(), |m| m.name.clone()));
        let roles = Rc::clone(&facts.roles);
        let contents = Contents::of(root);
        let question = Question {
            roles: &roles,
            target: facts.target,
            operation: facts.call.operation,
            method: None,
            model: model.name.as_deref().or(first.as_deref()),
            body: Some(Asked { parameters: Some(root), media: contents.media(), state }),
        };
        if let Err(denial) = self.ask(&question, cx) {
            self.unless_observed(denial, cx)?;
        }
        // Statements on models mean what the caller asked, even where another statement asks something else by now.
        let caller_asked = self.record.asked_model.clone();
        let asked = match caller_asked.as_deref().or(question.model) {
            // The others of a batch may ask for any.
            _ if facts.call.operation == Operation::Batches => Model::Unread,
            Some(name) => Model::Named(name),
            None => Model::Nothing,
        };
        if self.route_by_facts(asked, facts, cx)? {
            return self.judge_request_with(body, facts, cx);
        }
        let (tools, left) = self.offer_tools(&document, &facts.tools, &question, cx)?;
        let keeps = matches!(facts.call.streams, Streams::Asked(_)) && state == State::Default;
        let stateless = keeps && !cx.engine.access.stateful(&question);
        facts.tools = tools;
        if let Some(left) = left {
            // What is sent is judged, and nothing else.
            let judged = self.judge_request_with(&left, facts, cx)?;
            return Ok(match judged {
                Judged::Pass(None) => Judged::Pass(Some(left)),
                judged => judged,
            });
        }
        let mut edits = model.edits;
        self.check_inner(root, facts, &mut edits, cx)?;
        facts.structured = wants_json(root);

        let mut insert = model.insert;
        if stateless {
            replace_or_insert(root, "store", "false", &mut edits, &mut insert);
        }
        self.ask_for_usage(root, facts, &mut edits, &mut insert, cx);
        self.estimate((&document, &contents), facts, &mut edits, &mut insert, cx);
        if !insert.is_empty() {
            let start = root.span().start.saturating_add(1);
            if root.entries().next().is_none() {
                insert.pop();
            }
            edits.push((start..start, insert));
        }
        let plan = cx.engine.content.plan(&facts.roles, facts.target, Side::Request);
        self.trace_plan(Side::Request, facts, cx);
        if facts.streams && !cx.engine.detectors.externals().is_empty() {
            let answers = cx.engine.content.plan(&facts.roles, facts.target, Side::Response);
            self.check_streamed(&answers, cx)?;
        }
        let show = |sink: Sink<'_>| redact::show(&document, Side::Request, true, &model.protected, sink);
        let Some(found) = self.ask_outside(Side::Request, &plan, &show, cx)? else { return Ok(Judged::Wait) };
        self.capture_again(Side::Request, &document, &found, cx);
        self.remember_texts(root, facts, cx);
        // Placeholders belong to their caller: nobody else's values come back by them.
        let subject = self.record.principal.as_ref().map(|p| p.subject()).unwrap_or_default();
        let deriver = cx.engine.tokenize_key.as_deref().map(|key| Deriver::new(key, &subject));
        let mut inspector = inspector(&plan, cx.engine, deriver.filter(|_| self.tap.is_none()));
        inspector.external = Some(&found);
        let mut outcome = inspector.json(&document, Side::Request, &model.protected, &edits, &mut facts.budget);
        facts.restore = std::mem::take(&mut outcome.restore);
        let tightened = self.tighten(&outcome.signs, cx) && outcome.denial.is_none();
        if tightened {
            facts.tools = Tools::default();
        }
        if self.route_by_findings(asked, &mut outcome, facts, cx)? || tightened {
            return self.judge_request_with(body, facts, cx);
        }
        let edited = self.remember("in", outcome)?;
        match edited {
            Some(_) if self.signed => Err(signed("nothing of it can be replaced")),
            edited => Ok(Judged::Pass(edited)),
        }
    }

    /// Keeps of a request what the policy wants on the record: once, however often it is judged.
    fn keep_request(&mut self, body: &[u8], document: Option<&Document<'_>>, facts: &Facts, cx: &Context<'_>) {
        if let (Some(key), Some(document), true) = (&cx.engine.audit.texts, document, self.record.texts_in.is_empty()) {
            self.record.texts_in = message::digests(key, Side::Request, document, &facts.call);
        }
        if self.record.captured_in.is_none() {
            self.record.captured_in = message::captured(cx.engine, Side::Request, body, document, None);
        }
    }

    /// What the answer will be compared with: the texts that it is not to repeat, and the script that the caller writes in.
    fn remember_texts(&mut self, root: Node<'_>, facts: &mut Facts, cx: &Context<'_>) {
        let answers = cx.engine.content.plan(&facts.roles, facts.target, Side::Response);
        let leaks = Channel::ALL.iter().filter_map(|c| answers.selection(*c)).any(|s| s.contains(SYSTEM_PROMPT_LEAK));
        let (mut scripts, mut left) = (Scripts::default(), MAX_SCRIPT_BYTES);
        walk(Side::Request, root, &mut |leaf: Leaf<'_>| {
            let Place::Value(token) = leaf.place else { return };
            match leaf.of.channel {
                Channel::System | Channel::Developer if leaks => facts.shingles.add(&token.text()),
                Channel::User if left > 0 => {
                    let text = token.text();
                    scripts.push(text.get(..text.floor_char_boundary(left)).unwrap_or_default());
                    left = left.saturating_sub(text.len());
                }
                _ => {}
            }
        });
        facts.script = scripts.dominant();
    }

    /// Keys that some servers take for others.
    fn check_keys(&mut self, root: Node<'_>, cx: &mut Context<'_>) -> Result<(), Denial> {
        for (key, value) in root.entries() {
            let key = key.text();
            let folded = fold(&key);
            if ELSEWHERE.contains(&folded.as_str()) {
                let detail = format!("the parameter `{folded}`");
                self.unless_observed(Denial::new(Reason::ParameterNotAllowed).detail(detail), cx)?;
            }
            if key != folded.as_str() && DECIDING_NAMES.contains(&folded.as_str()) {
                return Err(unreadable(&format!("a key that some servers read as `{folded}`")));
            }
            if let Some(name) = (folded == "extra_body").then(|| decides(value)).flatten() {
                let detail = format!("the parameter `extra_body.{name}`");
                self.unless_observed(Denial::new(Reason::ParameterNotAllowed).detail(detail), cx)?;
            }
        }
        Ok(())
    }

    /// Which model the request asks for.
    fn model(&mut self, root: Node<'_>, facts: &Facts, cx: &Context<'_>) -> Result<Asks, Denial> {
        let refused = || Denial::new(Reason::ProtocolModel);
        let (member, needed) = match facts.call.model {
            ModelIn::Body(member) => (member, true),
            ModelIn::Optional(member) => (member, false),
            ModelIn::Nowhere => return Ok(Asks::default()),
        };
        let own = |name| root.get(name).filter(|m| !m.is_null());
        // Gemini's interactions are with a model or with an agent, and Mistral's agents have a model of their own.
        let (other, either) = match facts.call.api {
            Api::GeminiInteractions => (own("agent"), true),
            _ => (own("model").filter(|_| member != "model"), false),
        };
        let node = own(member);
        if other.is_some() && (node.is_some() || !either) {
            return Err(refused().detail("two members name what is asked"));
        }
        let node = node.or(other);
        let token = match node.map(|node| node.string().ok_or_else(refused)).transpose()? {
            Some(token) => token,
            None => {
                let name = match &facts.path_model {
                    Some(path) => self.named(path, facts, cx),
                    None if needed => return Err(refused()),
                    None => self.named(DEFAULT_MODEL, facts, cx),
                };
                let mut asks = Asks { name: Some(name), ..Asks::default() };
                if let (Some(model), None) = (&facts.way.model, &facts.path_model) {
                    replace_or_insert(root, member, &format!("\"{model}\""), &mut asks.edits, &mut asks.insert);
                }
                return Ok(asks);
            }
        };
        let asked = token.text();
        if !is_model_name(&asked) {
            return Err(refused());
        }
        if let Some(path) = &facts.path_model {
            // Which of the two a server takes is anybody's guess: they must name one model.
            let bare = asked.rsplit('/').next().unwrap_or_default();
            if !path.eq_ignore_ascii_case(&asked) && !path.eq_ignore_ascii_case(bare) {
                return Err(refused().detail("the path and the body name different models"));
            }
        }
        let name = match &facts.path_model {
            Some(path) => self.named(path, facts, cx),
            None => self.named(&asked, facts, cx),
        };
        let span = token.inner_span();
        let alias = !name.eq_ignore_ascii_case(facts.path_model.as_deref().unwrap_or(&asked));
        let edits = alias.then(|| (span.clone(), name.clone())).into_iter().collect();
        Ok(Asks { name: Some(name), protected: vec![span], edits, insert: String::new() })
    }

    /// Whether the answer streams.
    fn check_stream(&mut self, root: Node<'_>, facts: &mut Facts, cx: &mut Context<'_>) -> Result<(), Denial> {
        let asked = match root.get("stream").filter(|s| !s.is_null()) {
            None => None,
            Some(node) => Some(node.bool().ok_or_else(|| unreadable("`stream` is neither true nor false"))?),
        };
        match facts.call.streams {
            Streams::Asked(default) => facts.streams = asked.unwrap_or(default),
            Streams::Always => facts.streams = true,
            Streams::No if asked == Some(true) => {
                self.unless_observed(Denial::new(Reason::ProtocolStream), cx)?;
            }
            Streams::No => {}
        }
        self.record.streams = facts.streams;
        Ok(())
    }

    /// Many requests in one: each has a model and parameters of its own, and must be allowed by itself.
    fn check_inner(
        &mut self,
        root: Node<'_>,
        facts: &Facts,
        edits: &mut Vec<(Range<usize>, String)>,
        cx: &mut Context<'_>,
    ) -> Result<(), Denial> {
        if facts.call.operation != Operation::Batches && facts.call.api != Api::GeminiEmbed {
            return Ok(());
        }
        if facts.way.model.is_some() && root.get("requests").is_some() {
            let detail = "the requests of a batch name models of their own";
            return Err(Denial::new(Reason::RouteUnavailable).detail(detail));
        }
        let batch = facts.call.api == Api::AnthropicBatches;
        let requests = match root.get("requests") {
            Some(requests) if requests.kind() == Kind::Array => requests,
            // `embedContent` has none, and of other surfaces nothing is known.
            None if !batch => return Ok(()),
            _ => return Err(unreadable("`requests` is no list")),
        };
        for item in requests.items() {
            // Anthropic's requests stand in `params`, whatever else an item has; Gemini's are the items themselves.
            let inner = if batch { item.get_folded("params") } else { Some(item) };
            let Some(inner) = inner.filter(|inner| inner.kind() == Kind::Object) else {
                return Err(unreadable("a request among `requests` is no object"));
            };
            self.check_keys(inner, cx)?;
            let named = inner.get("model").and_then(|m| m.text());
            let name = match (&facts.path_model, named) {
                (None, None) => return Err(Denial::new(Reason::ProtocolModel)),
                (Some(path), Some(named)) if named.rsplit('/').next() != Some(path.as_str()) => {
                    return Err(
                        Denial::new(Reason::ProtocolModel).detail("the path and the body name different models")
                    );
                }
                (Some(_), _) => self.record.model.clone().unwrap_or_default(),
                (None, Some(named)) if is_model_name(&named) => self.resolve(&named, cx),
                (None, Some(_)) => return Err(Denial::new(Reason::ProtocolModel)),
            };
            if let Some(token) = inner.get("model").and_then(|m| m.string())
                && facts.path_model.is_none()
                && !name.eq_ignore_ascii_case(&token.text())
            {
                edits.push((token.inner_span(), name.clone()));
            }
            // A statement that names batches allows them; what is in them must be allowed as if it came alone.
            let operation = match facts.call.operation {
                Operation::Batches => Operation::Chat,
                operation => operation,
            };
            let asked = Asked { parameters: Some(inner), media: media(inner), state: state(facts.call.api, inner) };
            let question = Question {
                roles: &facts.roles,
                target: facts.target,
                operation,
                method: None,
                model: Some(&name),
                body: Some(asked),
            };
            if let Err(denial) = self.ask(&question, cx) {
                self.unless_observed(denial, cx)?;
            }
        }
        Ok(())
    }

    /// OpenAI-compatible streams tell their usage if they are asked to.
    fn ask_for_usage(
        &mut self,
        root: Node<'_>,
        facts: &mut Facts,
        edits: &mut Vec<(Range<usize>, String)>,
        insert: &mut String,
        cx: &Context<'_>,
    ) {
        let target = cx.engine.targets.get(facts.target);
        // Mistral tells it anyway, and refuses the option.
        let vertex = self.record.path.as_ref().is_some_and(|path| path.contains("/publishers/mistralai/"));
        let asks = target.is_some_and(|t| t.asks_for_usage && t.provider != "mistral_ai") && !vertex;
        if !facts.streams || !asks || !matches!(facts.call.api, Api::OpenAiChat | Api::OpenAiCompletions) {
            return;
        }
        let options = root.get("stream_options").filter(|o| o.kind() == Kind::Object);
        let asked = options.and_then(|o| o.get("include_usage"));
        if asked.and_then(|a| a.bool()) == Some(true) {
            return;
        }
        facts.hides_usage = self.tap.is_none();
        match (options, asked) {
            (Some(_), Some(asked)) => edits.push((asked.span(), "true".to_owned())),
            (Some(options), None) => {
                let start = options.span().start.saturating_add(1);
                let comma = if options.entries().next().is_some() { "," } else { "" };
                edits.push((start..start, format!("\"include_usage\":true{comma}")));
            }
            (None, _) => replace_or_insert(root, "stream_options", "{\"include_usage\":true}", edits, insert),
        }
    }

    /// A tap records what would have been refused, and looks on.
    pub(super) fn unless_observed(&mut self, denial: Denial, cx: &mut Context<'_>) -> Result<(), Denial> {
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
        self.record.placeholders_whole.add(outcome.restored);
        self.course.signs.merge(outcome.signs);
        #[cfg(feature = "trace")]
        self.record.trace.inspected(direction, outcome.trace);
        extend(&mut self.record.observed, outcome.observed);
        // What asks for another route and was not sent there by now stays here.
        let unsent = (!outcome.routes.is_empty()).then_some(Reason::RouteUnavailable);
        let Some(reason) = outcome.denial.or(unsent) else {
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

/// The model that a request asks for.
#[derive(Debug, Default)]
struct Asks {
    /// Its name with aliases resolved; none where the call has no model.
    name: Option<String>,
    /// Where it stands in the body: nothing may be replaced there.
    protected: Vec<Range<usize>>,
    /// What goes there instead of an alias.
    edits: Vec<(Range<usize>, String)>,
    /// What names a model where the caller named none.
    insert: String,
}

/// A member that decides something: of `extra_body`, which some gateways (LiteLLM) lay over the body around it.
fn decides(extra: Node<'_>) -> Option<String> {
    let decides = |name: &String| {
        let name = name.as_str();
        DECIDING_NAMES.contains(&name) || ELSEWHERE.contains(&name) || !parameter_names(name).is_empty()
    };
    let named = extra.entries().map(|(key, _)| fold(&key.text())).find(decides);
    named.or_else(|| match state(Api::OpenAiChat, extra) {
        State::Asked(name) => Some(name.to_owned()),
        State::None | State::Default => None,
    })
}

/// Gives a member of `root` a value: in its place where it is there already, else in `insert`, which goes first.
pub(super) fn replace_or_insert(
    root: Node<'_>,
    name: &str,
    value: &str,
    edits: &mut Vec<(Range<usize>, String)>,
    insert: &mut String,
) {
    match root.get(name) {
        Some(node) => edits.push((node.span(), value.to_owned())),
        None => insert.push_str(&format!("\"{name}\":{value},")),
    }
}

/// What inspects under `plan`.
pub(super) fn inspector<'a>(plan: &'a Plan, engine: &'a Engine, deriver: Option<Deriver<'a>>) -> Inspector<'a> {
    Inspector {
        detectors: &engine.detectors,
        plan,
        hash_key: engine.hash_key.as_deref(),
        deriver,
        limits: engine.json_limits,
        shingles: None,
        external: None,
    }
}

pub(super) fn extend(list: &mut Vec<String>, more: Vec<String>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

pub(super) fn unreadable(detail: &str) -> Denial {
    Denial::new(Reason::ProtocolUnreadable).detail(detail)
}

pub(super) fn too_large(cx: &Context<'_>) -> Denial {
    Denial::new(Reason::ProtocolTooLarge).detail(format!("at most {} bytes", cx.engine.max_body))
}
