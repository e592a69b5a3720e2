//! A streamed answer on its way: events in, events out.
//!
//! Every event is read as a whole body would be, or known by the shape of the one before (`shape`). The pieces of texts that it carries go into their lanes, and what a lane lets
//! go takes their place; everything else of the event is looked at by itself and stays, byte for byte, where nothing is found.
//! When a text ends with something still held back, one more event is made for it, before the one that ends it. A finding that
//! refuses the answer ends the stream in the API's own way; what follows is read for its usage and dropped.
//!
//! What is held: one frame that is not complete (`max_frame` at most), and of each text what may still become a finding, `max_hold`
//! bytes, or up to `max_frame` in all where the policy holds on. Nothing grows with the length of what was let go. Copies of a
//! whole text, which OpenAI's responses end with, are frames of that size.
//!
//! What it does not do: it has no timer. Text that is held back waits for the next event, however long the upstream is silent. In
//! streams, encodings (base64, percent, HTML) are seen through only where a text is held until it is complete: in arguments of tool
//! calls, and under `stream: hold_all`.

use std::rc::Rc;

use super::calls::Calls;
use super::framing::{Frame, Frames, Framing, Writer};
use super::gate::{Gate, Judge};
use super::known::Known;
use super::messages::Messages;
use super::shape::Shape;
use super::skeleton::skeleton;
use super::text::{Last, With};
use super::texts::{MAX_TEXTS, Texts};
use super::wrap;
use crate::audit::text::{StreamTexts, TextKey};
use crate::inspect::{Budget, Scripts};
use crate::json::Document;
use crate::policy::{AtMaxHold, Globs, Verdict};
use crate::protocol::{Api, Channel, Dialect, Ends, Lane, Usage};
use crate::redact::{Counts, Inspector, Outcome, RestoreMap, Restorer, Scan};
use crate::reply::{Denial, Reason, Rpc};

/// The events that texts at once were last seen in may be so many times as long as one.
const MAX_EVENTS: usize = 4;

/// What a stream is.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// The shape of its events.
    pub api: Api,
    /// How it is cut.
    pub framing: Framing,
    /// Whose errors its caller understands.
    pub dialect: Dialect,
    /// The caller asked for JSON as the answer's text.
    pub structured: bool,
    /// The stream was asked for its usage on our account: an event that only tells it is left out.
    pub hides_usage: bool,
}

impl Stream {
    pub(super) fn restorer(self) -> Restorer {
        if self.structured { Restorer::json() } else { Restorer::default() }
    }
}

/// What a policy says of streams.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of one frame, and of all that is held together.
    pub max_frame: usize,
    /// Bytes held back of one text, before `at_max_hold` decides.
    pub max_hold: usize,
    /// What happens then.
    pub at_max_hold: AtMaxHold,
    /// What happens to pictures and sound, which cannot be read, where the call is not for them.
    pub media: Verdict,
}

/// The address that goes on instead of the one that a server tells.
pub type Endpoint<'a> = &'a dyn Fn(&str) -> Result<String, Denial>;

/// What a stream is looked at with.
pub struct Look<'a> {
    /// Whether an answer may come from this model.
    pub model: &'a dyn Fn(&str) -> bool,
    /// Finds and judges.
    pub inspector: &'a Inspector<'a>,
    /// The work that user patterns may still do.
    pub budget: &'a mut Budget,
    /// What the request's placeholders stand for.
    pub restore: &'a RestoreMap,
    /// The tools into whose arguments values come back.
    pub restoring_tools: &'a Globs,
    /// Judges the messages of an MCP server.
    pub messages: Option<&'a dyn Messages>,
    /// Where the endpoint is that a stream of the older transport of MCP tells; none where it is not spoken.
    pub endpoint: Option<Endpoint<'a>>,
    /// Judges calls of tools; none where no statement is about tools.
    pub tools: Option<&'a mut dyn Judge>,
}

/// What came of some bytes of a stream.
#[derive(Debug, Default)]
pub struct Passed {
    /// What goes on instead of them.
    pub bytes: Vec<u8>,
    /// Findings, and what was done.
    pub outcome: Outcome,
    /// Why the stream was ended here.
    pub denial: Option<Denial>,
    /// Why messages were left out.
    pub dropped: Option<Reason>,
    /// Text was let go unjudged, or a medium passed that cannot be read.
    pub unread: bool,
}

/// A streamed answer.
pub struct Filter {
    pub(super) kind: Stream,
    pub(super) bounds: Bounds,
    frames: Frames,
    pub(super) writer: Writer,
    pub(super) texts: Texts,
    pub(super) calls: Calls,
    pub(super) gate: Gate,
    /// What all events repeat.
    pub(super) known: Known,
    /// What the last event was but for its words, where the next one may be the same.
    pub(super) shape: Option<Shape>,
    /// The stream was ended for its caller.
    pub(super) over: bool,
    /// The number of the last event that was written, where they have numbers.
    pub(super) number: Option<u64>,
    pub(super) usage: Option<Usage>,
    pub(super) model: Option<String>,
    /// Bytes of text that came, and the scripts of the model's words among it.
    pub(super) text_bytes: u64,
    pub(super) scripts: Scripts,
    /// Digests of its texts as they come.
    pub(super) digests: Option<StreamTexts>,
    pub(super) finished: bool,
    /// What a client of MCP is told beside a reason.
    rpc: Option<Box<Rpc>>,
    /// The endpoint was told.
    endpoint: bool,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").field("kind", &self.kind).field("texts", &self.texts.len()).finish_non_exhaustive()
    }
}

impl Filter {
    /// A stream of which nothing came yet.
    pub fn new(kind: Stream, bounds: Bounds) -> Self {
        Self {
            kind,
            bounds,
            frames: Frames::new(kind.framing, bounds.max_frame),
            writer: Writer::new(kind.framing),
            texts: Texts::new(kind),
            calls: Calls::default(),
            gate: Gate::default(),
            known: Known::default(),
            shape: None,
            over: false,
            number: None,
            usage: None,
            model: None,
            text_bytes: 0,
            scripts: Scripts::default(),
            digests: None,
            finished: false,
            rpc: None,
            endpoint: false,
        }
    }

    /// The same for a client of MCP.
    #[must_use]
    pub fn answering(self, rpc: Option<Box<Rpc>>) -> Self {
        Self { rpc, ..self }
    }

    /// The same with digests of its texts, where there is a key for them.
    #[must_use]
    pub fn digesting(self, key: Option<&TextKey>) -> Self {
        Self { digests: key.map(StreamTexts::new), ..self }
    }

    /// The digests of the texts that came; asked once.
    pub fn digests(&mut self) -> Vec<u64> {
        self.digests.take().map(StreamTexts::finish).unwrap_or_default()
    }

    /// What the stream said it used, so far.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The model that answers, as it names itself.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The scripts of the model's words so far.
    pub fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// Bytes of text that came so far.
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Whether the stream came to the end that its API gives it.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// Bytes that are held back: of a frame, and of texts.
    pub fn held(&self) -> usize {
        self.texts.held() + self.gate.len() + self.frames.buffered()
    }

    /// Takes bytes as they came; `end`: nothing follows them.
    pub fn push(&mut self, bytes: &[u8], end: bool, look: &mut Look<'_>) -> Passed {
        let mut passed = Passed::default();
        self.frames.push(bytes);
        if end {
            self.frames.end();
        }
        loop {
            match self.frames.next_frame() {
                Ok(Some(frame)) => self.frame(&Rc::new(frame), look, &mut passed),
                Ok(None) => break,
                Err(_) if self.over => break,
                Err(error) => {
                    let detail = format!("{} in the stream", error.kind.as_str());
                    self.refuse(Denial::new(Reason::AnswerUnscannable).detail(detail), &mut passed);
                    break;
                }
            }
        }
        if end && !self.over {
            self.end(self.texts.ended(&Ends::every()), &Ends::default(), look, &mut passed);
            self.settle(&Ends::every(), &[], look, &mut passed);
        }
        passed
    }

    fn frame(&mut self, frame: &Rc<Frame>, look: &mut Look<'_>, passed: &mut Passed) {
        let Some(payload) = frame.payload() else { return self.rest(frame, look, passed) };
        if self.kind.api == Api::Mcp && frame.event() == Some("endpoint") {
            return self.endpoint(frame, &payload, look, passed);
        }
        if self.again(frame, &payload, look, passed) {
            return;
        }
        self.shape = None;
        let inner = match wrap::unwrap(self.kind.api, &payload) {
            Ok(inner) => inner,
            Err(wrap::Unreadable) => {
                return self.refuse(Denial::new(Reason::AnswerUnscannable).detail("an event in the stream"), passed);
            }
        };
        let json = inner.as_deref().unwrap_or(&payload);
        if json.trim_ascii().is_empty() || json.trim_ascii() == b"[DONE]" {
            if !json.trim_ascii().is_empty() {
                self.finished = true;
                self.end(self.texts.ended(&Ends::every()), &Ends::default(), look, passed);
                self.settle(&Ends::every(), &[], look, passed);
            }
            return self.rest(frame, look, passed);
        }
        let limits = look.inspector.limits;
        match Document::parse(json, &limits) {
            Ok(document) => self.event(frame, &document, None, look, passed),
            Err(_) if self.over => {}
            Err(error) => {
                let detail = format!("{} in an event of the stream", error.kind);
                self.refuse(Denial::new(Reason::AnswerUnscannable).detail(detail), passed);
            }
        }
    }

    /// The event by which a server of the older transport of MCP begins a stream: once, and only where that is spoken. What it tells is no
    /// text for anybody.
    fn endpoint(&mut self, frame: &Frame, payload: &[u8], look: &mut Look<'_>, passed: &mut Passed) {
        if self.over {
            return;
        }
        let told = match (look.endpoint.filter(|_| !self.endpoint), std::str::from_utf8(payload)) {
            (Some(tell), Ok(address)) => tell(address),
            _ => Err(Denial::new(Reason::AnswerUnscannable)
                .detail("the HTTP+SSE transport of MCP 2024-11-05 (`transport: sse` of a target)")),
        };
        self.endpoint = true;
        match told {
            Ok(address) if self.clean(frame, look, passed) => {
                self.writer.replace(frame, address.as_bytes(), &mut passed.bytes);
            }
            Ok(_) => {}
            Err(denial) => self.refuse(denial, passed),
        }
    }

    /// What stands in a frame beside its payload: comments, ids. A frame with a finding there is left out.
    fn rest(&mut self, frame: &Frame, look: &mut Look<'_>, passed: &mut Passed) {
        if self.over {
            return;
        }
        if self.clean(frame, look, passed) {
            self.writer.keep(frame, &mut passed.bytes);
        }
    }

    pub(super) fn clean(&mut self, frame: &Frame, look: &mut Look<'_>, passed: &mut Passed) -> bool {
        let mut clean = true;
        // Most events have the name of the one before.
        let name = frame.event().filter(|name| self.known.name() != *name).map(std::borrow::Cow::Borrowed);
        let mut named = None;
        let beside = wrap::beside(self.kind.api, frame).map(std::borrow::Cow::Owned);
        for text in frame.rest().chain(name).chain(beside) {
            let outcome = look.inspector.text(&text, Channel::Metadata, look.budget);
            clean &= outcome.edited.is_none() && outcome.denial.is_none();
            if outcome.findings.is_empty() && outcome.denial.is_none() && frame.event() == Some(&*text) {
                named = Some(text.into_owned());
            }
            passed.outcome.merge(outcome);
        }
        if let Some(name) = named {
            self.known.keep_name(name);
        }
        if let Some(reason) = passed.outcome.denial {
            self.refuse(Denial::new(reason), passed);
        }
        clean
    }

    /// Ends texts: what is held of them goes on in an event of its own. Some end because the answer is `over`, as it says.
    pub(super) fn end(&mut self, ended: Vec<Lane>, over: &Ends, look: &mut Look<'_>, passed: &mut Passed) {
        for lane in ended {
            let into_call = self.calls.restores((lane.choice, lane.part));
            let Some(mut text) = self.texts.take(lane) else { continue };
            let mut scan = Scan::new(look.inspector, look.budget, Some(look.restore));
            let (goes, remnant) = text.end("", over.has(lane), &With { restore: look.restore, into_call }, &mut scan);
            passed.outcome.merge(scan.finish_texts());
            if let Some(reason) = passed.outcome.denial {
                return self.refuse(Denial::new(reason), passed);
            }
            match look.tools.is_some() && text.is_call() {
                // It goes on once the call is judged.
                true => self.ended_call(lane, &goes, &text),
                false => self.tell(text.last.as_ref(), &goes, passed),
            }
            self.texts.close(lane, text, remnant);
        }
    }

    /// What became of placeholders in texts so far.
    pub fn placeholders(&self) -> Counts {
        self.texts.placeholders()
    }

    /// One more event, for text that was held back.
    pub(super) fn tell(&mut self, last: Option<&Last>, goes: &str, passed: &mut Passed) {
        let Some(last) = last.filter(|_| !goes.is_empty()) else { return };
        let limits = crate::json::Limits::default();
        let payload = last.frame.payload().unwrap_or_default();
        let Ok(inner) = wrap::unwrap(self.kind.api, &payload) else { return };
        let inner = last.inner.as_deref().or(inner.as_deref()).unwrap_or(&payload);
        let Ok(document) = Document::parse(inner, &limits) else { return };
        let numbered = document.root().get("sequence_number").is_some();
        let number = if numbered { self.next_number() } else { 0 };
        let Some(event) = skeleton(document.root(), &last.span, goes, Some(number)) else { return };
        let event = wrap::wrap(self.kind.api, &last.frame, event.into_bytes());
        self.writer.another(&last.frame, &event, &mut passed.bytes);
    }

    /// Keeps what is held within its bounds.
    pub(super) fn bound(&mut self, look: &mut Look<'_>, passed: &mut Passed) {
        let (held, events) = (self.texts.held(), self.texts.events());
        let mut within = self.texts.len() <= MAX_TEXTS && events <= self.bounds.max_frame.saturating_mul(MAX_EVENTS);
        if self.bounds.at_max_hold == AtMaxHold::Release {
            for lane in self.texts.longer_than(self.bounds.max_hold) {
                let into_call = self.calls.restores((lane.choice, lane.part));
                let Some(mut text) = self.texts.take(lane) else { continue };
                if look.tools.is_some() && text.is_call() {
                    // Nothing of a call goes on before it is judged: what it may hold is bounded below.
                    self.texts.put(lane, text);
                    continue;
                }
                let goes = text.release(&With { restore: look.restore, into_call });
                passed.unread = true;
                self.tell(text.last.as_ref(), &goes, passed);
                self.texts.put(lane, text);
            }
        } else {
            within &= held <= self.bounds.max_frame;
        }
        // Of calls that wait there is nothing to release.
        if self.gate.len() > self.bounds.max_frame.saturating_mul(MAX_EVENTS) {
            within = false;
        }
        if !within {
            let denial = Denial::new(Reason::AnswerUnscannable).detail("too much of the stream had to be held back");
            self.refuse(denial, passed);
        }
    }

    /// Ends the stream for its caller, in the API's own way.
    pub(super) fn refuse(&mut self, denial: Denial, passed: &mut Passed) {
        if self.over {
            return;
        }
        self.over = true;
        self.texts.clear();
        self.gate = Gate::default();
        self.shape = None;
        let denial = match denial.reason {
            Reason::ContentDenied => Denial { reason: Reason::AnswerDenied, ..denial },
            Reason::ContentUnscannable => Denial { reason: Reason::AnswerUnscannable, ..denial },
            _ => denial,
        };
        let denial = Denial { rpc: self.rpc.clone(), ..denial };
        let number = self.number.map_or(0, |last| last.saturating_add(1));
        for (kind, payload) in denial.stream_end(self.kind.dialect, self.kind.api, number) {
            self.writer.message(kind, &payload, &mut passed.bytes);
        }
        self.writer.finish(&mut passed.bytes);
        passed.denial.get_or_insert(denial);
    }
}
