//! A streamed answer on its way: events in, events out.
//!
//! Every event is read as a whole body would be. The pieces of texts that it carries go into their lanes, and what a lane lets
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

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::framing::{Frame, Frames, Framing, Writer};
use super::known::Known;
use super::skeleton::{quoted, skeleton};
use super::text::{Last, Text, With, complete};
use super::wrap;
use crate::host::Side;
use crate::inspect::{Budget, Scripts};
use crate::json::{Document, Kind, Node};
use crate::policy::{AtMaxHold, Globs};
use crate::protocol::{self, Api, Channel, Dialect, Ends, Lane, Leaf, Piece, Place, Usage, read_event};
use crate::redact::{Counts, Inspector, Outcome, RestoreMap, Restorer, Scan};
use crate::reply::{Denial, Reason};

/// More texts than this at once are no answer.
const MAX_TEXTS: usize = 1024;

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
    fn restorer(self) -> Restorer {
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
}

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
    /// Text was let go unjudged.
    pub released: bool,
}

/// A streamed answer.
pub struct Filter {
    kind: Stream,
    bounds: Bounds,
    frames: Frames,
    writer: Writer,
    texts: BTreeMap<Lane, Text>,
    /// What restores in the next of the texts that are shown joined.
    restorers: BTreeMap<u32, Restorer>,
    /// What all events repeat.
    known: Known,
    /// What became of placeholders in texts that nothing is joined to any more.
    counts: Counts,
    /// Whether values come back into the tool that is called, by choice and part.
    tools: BTreeMap<(u32, u32), bool>,
    /// The calls whose arguments have gone on with values in them, while more of the call may come.
    told: BTreeSet<(u32, u32)>,
    /// The stream was ended for its caller.
    over: bool,
    /// By how much numbers of events are ahead of the upstream's, and the last one.
    ahead: u64,
    number: u64,
    usage: Option<Usage>,
    model: Option<String>,
    /// Bytes of text that came, and the scripts of the model's words among it.
    text_bytes: u64,
    scripts: Scripts,
    finished: bool,
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
            texts: BTreeMap::new(),
            restorers: BTreeMap::new(),
            known: Known::default(),
            counts: Counts::default(),
            tools: BTreeMap::new(),
            told: BTreeSet::new(),
            over: false,
            ahead: 0,
            number: 0,
            usage: None,
            model: None,
            text_bytes: 0,
            scripts: Scripts::default(),
            finished: false,
        }
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
        self.texts.values().map(Text::held).sum::<usize>() + self.frames.buffered()
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
            self.flush(&Ends { all: true, ..Ends::default() }, &BTreeMap::new(), look, &mut passed);
        }
        passed
    }

    fn frame(&mut self, frame: &Rc<Frame>, look: &mut Look<'_>, passed: &mut Passed) {
        let Some(payload) = frame.payload() else { return self.rest(frame, look, passed) };
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
                self.flush(&Ends { all: true, ..Ends::default() }, &BTreeMap::new(), look, passed);
            }
            return self.rest(frame, look, passed);
        }
        let limits = look.inspector.limits;
        match Document::parse(json, &limits) {
            Ok(document) => self.event(frame, &document, look, passed),
            Err(_) if self.over => {}
            Err(error) => {
                let detail = format!("{} in an event of the stream", error.kind);
                self.refuse(Denial::new(Reason::AnswerUnscannable).detail(detail), passed);
            }
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

    fn clean(&mut self, frame: &Frame, look: &mut Look<'_>, passed: &mut Passed) -> bool {
        let mut clean = true;
        let name = frame.event().map(std::borrow::Cow::Borrowed);
        let beside = wrap::beside(self.kind.api, frame).map(std::borrow::Cow::Owned);
        for text in frame.rest().chain(name).chain(beside) {
            let outcome = look.inspector.text(&text, Channel::Metadata, look.budget);
            clean &= outcome.edited.is_none() && outcome.denial.is_none();
            passed.outcome.merge(outcome);
        }
        if let Some(reason) = passed.outcome.denial {
            self.refuse(Denial::new(reason), passed);
        }
        clean
    }

    fn event(&mut self, frame: &Rc<Frame>, document: &Document<'_>, look: &mut Look<'_>, passed: &mut Passed) {
        let root = document.root();
        if let Some(usage) = Usage::of(self.kind.api, root) {
            self.usage = Some(self.usage.map_or(usage, |u| u.max(usage)));
        }
        if self.model.is_none() {
            self.model = protocol::answered_by(root);
            if self.model.as_deref().is_some_and(|model| !(look.model)(model)) {
                self.refuse(Denial::new(Reason::ModelMismatch), passed);
            }
        }
        let mut leaves: Vec<(Leaf<'_>, Piece)> = Vec::new();
        let event = read_event(self.kind.api, frame.event(), root, &mut |leaf, piece| leaves.push((leaf, piece)));
        self.finished |= event.ends.all || event.ends.some.iter().any(|(_, part)| part.is_none());
        if self.over {
            return;
        }
        // A call's name may stand behind its arguments.
        for (leaf, piece) in &leaves {
            if let (Place::Value(token), Piece::Tool(choice, part)) = (leaf.place, *piece) {
                self.name_tool((choice, part), &token.text(), look.restoring_tools);
                if self.told.contains(&(choice, part)) && !self.goes_into(choice, part) {
                    let denial =
                        Denial::new(Reason::AnswerDenied).detail("a tool call was renamed behind its arguments");
                    return self.refuse(denial, passed);
                }
            }
        }
        // Who sends a piece in the event that ends its text gets the rest of it there, in the last one.
        let here: BTreeMap<Lane, usize> = leaves
            .iter()
            .enumerate()
            .filter_map(|(at, (_, piece))| match piece {
                Piece::Text(lane) | Piece::Arguments(lane) => Some((*lane, at)),
                _ => None,
            })
            .collect();
        if here.len() > MAX_TEXTS {
            return self.refuse(Denial::new(Reason::AnswerUnscannable).detail("too many texts at once"), passed);
        }
        self.flush(&event.ends, &here, look, passed);
        let begun = leaves.iter().filter_map(|(leaf, piece)| match (leaf.place, piece) {
            (Place::Value(token), Piece::Arguments(lane)) => {
                let before = self.texts.get(lane)?;
                before.is_call_before(&token.text(), &look.inspector.limits).then_some(*lane)
            }
            _ => None,
        });
        self.end(begun.collect(), look, passed);
        if self.over || self.kind.hides_usage && event.usage_only {
            return;
        }
        self.known.begin();
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        let mut moved = false;
        let mut scan = Scan::new(look.inspector, look.budget, Some(look.restore));
        scan.body(document, Side::Response);
        for (at, (leaf, piece)) in leaves.into_iter().enumerate() {
            let (Place::Value(token), Piece::Text(lane) | Piece::Arguments(lane)) = (leaf.place, piece) else {
                if let Err(at) = self.known.next(&leaf) {
                    let (found, changed) = (scan.found(), edits.len());
                    self.whole(leaf, look.restore, look.restoring_tools, &mut scan, &mut edits);
                    if scan.found() == found && edits.len() == changed {
                        self.known.keep(at, &leaf);
                    }
                }
                continue;
            };
            let came = token.text();
            self.text_bytes = self.text_bytes.saturating_add(came.len() as u64);
            if leaf.of.channel == Channel::Assistant {
                self.scripts.push(&came);
            }
            let mode = look.inspector.plan.stream_mode(leaf.of.channel);
            let end = event.ends.has(lane) && here.get(&lane) == Some(&at);
            let into_call = self.goes_into(lane.choice, lane.part);
            if !self.texts.contains_key(&lane) {
                let restorer = self.restorer(lane);
                self.texts.insert(lane, Text::new(piece, mode, leaf.of.channel, leaf.of.signed, restorer));
            }
            let Some(text) = self.texts.get_mut(&lane) else { continue };
            let goes = text.push(&came, end, &With { restore: look.restore, into_call }, &mut scan);
            if into_call && !goes.is_empty() && self.told.len() < MAX_TEXTS {
                self.told.insert((lane.choice, lane.part));
            }
            let span = token.inner_span();
            if goes != came {
                moved = true;
                let raw = quoted(&goes);
                let raw = raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default();
                edits.push((span.clone(), raw.to_owned()));
            }
            // Only for what is held back is there still something to tell.
            text.last = (text.held() > 0).then(|| Last { frame: Rc::clone(frame), span });
            if end && let Some(text) = self.texts.remove(&lane) {
                self.over_with(lane, text);
            }
        }
        if moved {
            // They tell the text once more, token by token.
            token_lists(root, &mut edits);
        }
        if let Some(sequence) = root.get("sequence_number").filter(|n| n.kind() == Kind::Number) {
            let number: u64 = sequence.number().and_then(|n| n.parse().ok()).unwrap_or(0);
            self.number = number.saturating_add(self.ahead);
            if self.ahead > 0 {
                edits.push((sequence.span(), self.number.to_string()));
            }
        }
        let (edited, outcome) = match scan.edits() {
            true => scan.finish(document, &[], &edits),
            false => scan.finish_values(document, &edits),
        };
        passed.outcome.merge(outcome);
        if let Some(reason) = passed.outcome.denial {
            return self.refuse(Denial::new(reason), passed);
        }
        if !self.clean(frame, look, passed) {
            return;
        }
        match edited {
            None => self.writer.keep(frame, &mut passed.bytes),
            Some(edited) => {
                let edited = wrap::wrap(self.kind.api, frame, edited);
                self.writer.replace(frame, &edited, &mut passed.bytes);
            }
        }
        self.bound(look, passed);
    }

    /// A tool that is called. A name that comes twice, or in pieces: clients join them, or go by the first, or by the last.
    fn name_tool(&mut self, call: (u32, u32), name: &str, restoring_tools: &Globs) {
        let fits = restoring_tools.any(name);
        if name.is_empty() {
            return;
        }
        if let Some(known) = self.tools.get_mut(&call) {
            *known &= fits;
        } else if self.tools.len() < MAX_TEXTS {
            self.tools.insert(call, fits);
        }
    }

    /// A leaf that is complete in itself.
    fn whole(
        &self,
        leaf: Leaf<'_>,
        restore: &RestoreMap,
        restoring_tools: &Globs,
        scan: &mut Scan<'_, '_>,
        edits: &mut Vec<(Range<usize>, String)>,
    ) {
        let Place::Value(token) = leaf.place else { return scan.leaf(leaf) };
        let came = token.text();
        if !matches!(leaf.of.channel, Channel::Assistant | Channel::ToolCall) {
            return scan.leaf(leaf);
        }
        let mode = scan.plan().stream_mode(leaf.of.channel);
        let tool = leaf.of.tool.map(|t| t.text());
        let into_call = tool.is_some_and(|name| restoring_tools.any(&name));
        let with = With { restore, into_call };
        let restorer = self.kind.restorer();
        let goes = complete(&came, mode, leaf.of.channel, leaf.of.signed, &with, restorer, scan);
        if goes != came {
            let raw = quoted(&goes);
            edits.push((token.inner_span(), raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default().to_owned()));
        }
    }

    fn goes_into(&self, choice: u32, part: u32) -> bool {
        self.tools.get(&(choice, part)).copied().unwrap_or(false)
    }

    /// Texts that a client may show joined.
    fn shown(&self, lane: Lane) -> u32 {
        match self.kind.api {
            // Those of one kind, whichever item they stand in.
            Api::OpenAiResponses | Api::GeminiInteractions => lane.name,
            _ => lane.choice,
        }
    }

    /// What restores in a text that begins.
    fn restorer(&mut self, lane: Lane) -> Restorer {
        let before = self.restorers.remove(&self.shown(lane));
        let joined = |other: &Lane| other.name == lane.name && self.shown(*other) == self.shown(lane);
        let beside = || self.texts.iter().rev().find(|(other, _)| joined(other)).map(|(_, text)| text.beside());
        before.or_else(beside).unwrap_or_else(|| self.kind.restorer())
    }

    /// Ends texts: what is held of them goes on in an event of its own. Those that have a piece `here` end there.
    fn flush(&mut self, ends: &Ends, here: &BTreeMap<Lane, usize>, look: &mut Look<'_>, passed: &mut Passed) {
        if ends.is_empty() {
            return;
        }
        let ended = self.texts.keys().copied().filter(|l| ends.has(*l) && !here.contains_key(l));
        self.end(ended.collect(), look, passed);
    }

    fn end(&mut self, ended: Vec<Lane>, look: &mut Look<'_>, passed: &mut Passed) {
        for lane in ended {
            let into_call = self.goes_into(lane.choice, lane.part);
            let Some(mut text) = self.texts.remove(&lane) else { continue };
            let mut scan = Scan::new(look.inspector, look.budget, Some(look.restore));
            let goes = text.push("", true, &With { restore: look.restore, into_call }, &mut scan);
            passed.outcome.merge(scan.finish_texts());
            if let Some(reason) = passed.outcome.denial {
                return self.refuse(Denial::new(reason), passed);
            }
            self.tell(&text, &goes, passed);
            self.over_with(lane, text);
        }
    }

    /// A text is over. The next one of its choice may be shown joined to it.
    fn over_with(&mut self, lane: Lane, text: Text) {
        if text.is_restored() && self.restorers.len() < MAX_TEXTS {
            let before = self.restorers.insert(self.shown(lane), text.restorer());
            self.counts.add(before.map(|r| r.counts()).unwrap_or_default());
        }
    }

    /// What became of placeholders in texts so far.
    pub fn placeholders(&self) -> Counts {
        let mut counts = self.counts;
        self.restorers.values().for_each(|r| counts.add(r.counts()));
        self.texts.values().for_each(|t| counts.add(t.counts()));
        counts
    }

    /// One more event, for text that was held back.
    fn tell(&mut self, text: &Text, goes: &str, passed: &mut Passed) {
        let Some(last) = text.last.as_ref().filter(|_| !goes.is_empty()) else { return };
        let limits = crate::json::Limits::default();
        let payload = last.frame.payload().unwrap_or_default();
        let Ok(inner) = wrap::unwrap(self.kind.api, &payload) else { return };
        let Ok(document) = Document::parse(inner.as_deref().unwrap_or(&payload), &limits) else { return };
        let number = self.number.saturating_add(1);
        let Some(event) = skeleton(document.root(), &last.span, goes, Some(number)) else { return };
        if document.root().get("sequence_number").is_some() {
            self.number = number;
            self.ahead = self.ahead.saturating_add(1);
        }
        let event = wrap::wrap(self.kind.api, &last.frame, event.into_bytes());
        self.writer.another(&last.frame, &event, &mut passed.bytes);
    }

    /// Keeps what is held within its bounds.
    fn bound(&mut self, look: &mut Look<'_>, passed: &mut Passed) {
        let held: usize = self.texts.values().map(Text::held).sum();
        let events: usize = self.texts.values().filter_map(|t| Some(t.last.as_ref()?.frame.raw().len())).sum();
        let long: Vec<Lane> =
            self.texts.iter().filter(|(_, t)| t.held() > self.bounds.max_hold).map(|(lane, _)| *lane).collect();
        if self.bounds.at_max_hold == AtMaxHold::Release {
            for lane in long {
                let into_call = self.goes_into(lane.choice, lane.part);
                let Some(mut text) = self.texts.remove(&lane) else { continue };
                let goes = text.release(&With { restore: look.restore, into_call });
                passed.released = true;
                self.tell(&text, &goes, passed);
                self.texts.insert(lane, text);
            }
        } else if held > self.bounds.max_frame {
            let denial = Denial::new(Reason::AnswerUnscannable).detail("too much of the stream had to be held back");
            return self.refuse(denial, passed);
        }
        if self.texts.len() > MAX_TEXTS || events > self.bounds.max_frame.saturating_mul(MAX_EVENTS) {
            let denial = Denial::new(Reason::AnswerUnscannable).detail("too much of the stream had to be held back");
            self.refuse(denial, passed);
        }
    }

    /// Ends the stream for its caller, in the API's own way.
    fn refuse(&mut self, denial: Denial, passed: &mut Passed) {
        if self.over {
            return;
        }
        self.over = true;
        self.texts.clear();
        let denial = match denial.reason {
            Reason::ContentDenied => Denial { reason: Reason::AnswerDenied, ..denial },
            Reason::ContentUnscannable => Denial { reason: Reason::AnswerUnscannable, ..denial },
            _ => denial,
        };
        let number = self.number.saturating_add(1);
        for (kind, payload) in denial.stream_end(self.kind.dialect, self.kind.api, number) {
            self.writer.message(kind, &payload, &mut passed.bytes);
        }
        self.writer.finish(&mut passed.bytes);
        passed.denial.get_or_insert(denial);
    }
}

/// Lists of tokens and their probabilities: they tell a text once more. Emptied.
pub(crate) fn token_lists(node: Node<'_>, edits: &mut Vec<(Range<usize>, String)>) {
    match node.kind() {
        Kind::Object => {
            // TGI's details.
            let details = node.get("prefill").is_some();
            for (key, value) in node.entries() {
                match (key.text().as_ref(), value.kind()) {
                    ("logprobs" | "logprobsResult" | "prompt_logprobs", Kind::Object) => {
                        edits.push((value.span(), "null".to_owned()));
                    }
                    ("tokens" | "prefill", Kind::Array) if details => edits.push((value.span(), "[]".to_owned())),
                    ("logprobs" | "logprobsResult" | "prompt_logprobs" | "top_tokens", Kind::Array) => {
                        edits.push((value.span(), "[]".to_owned()));
                    }
                    _ => token_lists(value, edits),
                }
            }
        }
        Kind::Array => node.items().for_each(|item| token_lists(item, edits)),
        _ => {}
    }
}
