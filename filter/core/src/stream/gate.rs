//! Calls of tools in a stream, held back until they are complete and judged.
//!
//! An event that carries a part of a call waits in a queue; texts beside it go on. When the call is over, it is judged by its name
//! and its arguments, as they will be read. A call that is allowed goes on in the events that it came in, byte for byte where
//! nothing of it had to change. Of one that is refused nothing goes on; a text takes its place, in the API's own events, and a
//! choice of which no call is left ends as if there had been none.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::framing::{Frame, MessageKind};
use super::text::Last;
use crate::json::{Document, Kind, Limits, Node, cut, escaped};
use crate::protocol::{Api, Lane, Piece, Place, read_event, tools};

/// A call by its choice and part.
pub(super) type Call = (u32, u32);

/// Calls of one stream are told apart up to so many.
pub(super) const MAX_CALLS: usize = 1024;

/// Judges calls.
pub trait Judge {
    /// What takes the place of a call, if it is refused.
    fn call(&mut self, name: &str, arguments: &str) -> Option<String>;

    /// The edits that put refusals in the places of whole calls that are refused.
    fn whole(&mut self, root: Node<'_>, bytes: &[u8]) -> Vec<(Range<usize>, String)>;
}

/// The calls of a stream.
#[derive(Default)]
pub(super) struct Gate {
    calls: BTreeMap<Call, State>,
    held: Vec<Held>,
    /// By choice: how many calls were judged, and how many of them refused.
    judged: BTreeMap<u32, (u32, u32)>,
}

/// What is known of a call.
#[derive(Default)]
struct State {
    /// Every name that it was given: clients join them, or go by the first, or by the last.
    names: Vec<String>,
    /// Its arguments, and copies of them: each in the lane that it came in.
    arguments: Vec<Arguments>,
    /// The provider ran it: nothing is left to refuse.
    foreign: bool,
    verdict: Option<Verdict>,
    /// The digests of the arguments that it was judged by, and their lanes: copies must agree with them.
    judged: Vec<(Lane, u64)>,
}

/// Arguments as they came, and as they go on.
struct Arguments {
    lane: Lane,
    came: String,
    goes: String,
    /// Where they were last seen, when they were held back to the end.
    last: Option<Last>,
}

impl State {
    fn lane(&mut self, lane: Lane) -> Option<&mut Arguments> {
        if !self.arguments.iter().any(|arguments| arguments.lane == lane) {
            self.arguments.push(Arguments { lane, came: String::new(), goes: String::new(), last: None });
        }
        self.arguments.iter_mut().find(|arguments| arguments.lane == lane)
    }

    fn is_unchanged(&self) -> bool {
        self.arguments.iter().all(|arguments| arguments.came == arguments.goes)
    }
}

enum Verdict {
    Allow,
    Refuse,
}

/// An event that waits.
struct Held {
    frame: Rc<Frame>,
    /// What goes on of it, if that differs; without a wrapping.
    payload: Option<Vec<u8>>,
    calls: Vec<Call>,
}

/// What became of an event that waited.
pub(super) enum Out {
    /// It goes on as it came.
    Keep(Rc<Frame>),
    /// It goes on with another payload.
    Replace(Rc<Frame>, Vec<u8>),
}

impl Gate {
    /// Whether the provider runs what stands at the place of a call.
    pub fn foreign(&mut self, call: Call, foreign: bool) {
        if (foreign || self.calls.contains_key(&call))
            && let Some(state) = self.state(call)
        {
            state.foreign = foreign;
        }
    }

    /// A name of a call.
    pub fn name(&mut self, call: Call, name: &str) {
        if let Some(state) = self.state(call)
            && !name.is_empty()
            && state.names.last().is_none_or(|last| last != name)
        {
            state.names.push(name.to_owned());
        }
    }

    /// Arguments of a call came, and some may go on. Whether the call can be read.
    pub fn arguments(&mut self, lane: Lane, came: &str, goes: &str) -> bool {
        let Some(state) = self.state((lane.choice, lane.part)) else { return false };
        // A call that was let go of is over. White space means nothing.
        if state.verdict.is_some() && !state.foreign && !came.trim_ascii().is_empty() {
            let copy = |(other, digest): &(Lane, u64)| *other != lane && *digest == digest_of(goes);
            return state.judged.iter().any(copy);
        }
        let Some(arguments) = state.lane(lane) else { return false };
        arguments.came.push_str(came);
        arguments.goes.push_str(goes);
        true
    }

    /// A new call takes the place of one that is over: some servers number all calls alike.
    pub fn reuse(&mut self, call: Call) {
        if self.calls.get(&call).is_some_and(|state| state.verdict.is_some()) && !self.waits(call) {
            self.calls.remove(&call);
        }
    }

    fn state(&mut self, call: Call) -> Option<&mut State> {
        if self.calls.len() >= MAX_CALLS && !self.calls.contains_key(&call) {
            return None;
        }
        Some(self.calls.entry(call).or_default())
    }

    fn waits(&self, call: Call) -> bool {
        self.held.iter().any(|held| held.calls.contains(&call))
    }

    /// Whether a call is the provider's own.
    pub fn is_foreign(&self, call: Call) -> bool {
        self.calls.get(&call).is_some_and(|state| state.foreign)
    }

    /// Whether arguments go on as they came.
    pub fn is_unchanged(&self, call: Call) -> bool {
        self.calls.get(&call).is_some_and(State::is_unchanged)
    }

    /// The calls that are not judged yet.
    pub fn open(&self) -> Vec<Call> {
        let open = |(call, state): (&Call, &State)| (state.verdict.is_none() && !state.foreign).then_some(*call);
        self.calls.iter().filter_map(open).collect()
    }

    /// Whether all of these calls may go on, or not.
    pub fn is_judged(&self, calls: &[Call]) -> bool {
        calls.iter().all(|call| self.calls.get(call).is_none_or(|state| state.verdict.is_some() || state.foreign))
    }

    /// Judges a call that is over; answers what takes its place, if it is refused.
    pub fn judge(&mut self, call: Call, judge: &mut dyn Judge) -> Option<String> {
        let state = self.calls.get_mut(&call).filter(|state| state.verdict.is_none() && !state.foreign)?;
        let mut names = state.names.clone();
        if names.len() > 1 {
            names.push(state.names.concat());
        }
        if names.is_empty() {
            names.push(String::new());
        }
        let mut texts: Vec<&str> = state.arguments.iter().map(|arguments| arguments.goes.as_str()).collect();
        texts.dedup();
        if texts.is_empty() {
            texts.push("");
        }
        let lanes = state.arguments.iter().map(|arguments| (arguments.lane, digest_of(&arguments.goes)));
        state.judged = lanes.collect();
        let refusal = texts.iter().find_map(|text| names.iter().find_map(|name| judge.call(name, text)));
        state.verdict = Some(if refusal.is_some() { Verdict::Refuse } else { Verdict::Allow });
        let count = self.judged.entry(call.0).or_default();
        *count = (count.0.saturating_add(1), count.1.saturating_add(u32::from(refusal.is_some())));
        refusal
    }

    /// Where arguments that were held back to the end were last seen.
    pub fn last(&mut self, lane: Lane, last: Last) {
        if let Some(arguments) = self.state((lane.choice, lane.part)).and_then(|state| state.lane(lane)) {
            arguments.last = Some(last);
        }
    }

    /// What is to be told of a call that goes on with other arguments than it came with, once its events have.
    pub fn take_changed(&mut self, call: Call) -> Vec<(String, Last)> {
        let Some(state) = self.calls.get_mut(&call).filter(|state| !state.is_unchanged()) else { return Vec::new() };
        let of = |arguments: &mut Arguments| Some((arguments.goes.clone(), arguments.last.take()?));
        state.arguments.iter_mut().filter_map(of).collect()
    }

    /// The last event of a call that waits, and what is in it.
    pub fn like(&self, api: Api, call: Call) -> Option<(Rc<Frame>, Vec<u8>)> {
        let held = self.held.iter().rev().find(|held| held.calls.contains(&call))?;
        Some((Rc::clone(&held.frame), inner(api, &held.frame)?))
    }

    /// An event waits for its calls.
    pub fn hold(&mut self, frame: Rc<Frame>, payload: Option<Vec<u8>>, calls: Vec<Call>) {
        self.held.push(Held { frame, payload, calls });
    }

    /// Bytes of events that wait.
    pub fn len(&self) -> usize {
        let of = |held: &Held| held.frame.raw().len() + held.payload.as_ref().map_or(0, Vec::len);
        let arguments = |state: &State| state.arguments.iter().map(|a| a.came.len() + a.goes.len()).sum::<usize>();
        self.held.iter().map(of).sum::<usize>() + self.calls.values().map(arguments).sum::<usize>()
    }

    /// Whether every call of a choice was refused, and there was one.
    pub fn is_refused(&self, choice: u32) -> bool {
        self.judged.get(&choice).is_some_and(|(calls, refused)| *calls > 0 && calls == refused)
    }

    /// Takes out the events whose calls are all judged, in order. Nothing of a call goes before what came before of it.
    pub fn flush(&mut self, api: Api) -> Vec<Out> {
        let (mut out, mut waiting, mut blocked) = (Vec::new(), Vec::new(), Vec::<Call>::new());
        for held in std::mem::take(&mut self.held) {
            let waits = !self.is_judged(&held.calls) || held.calls.iter().any(|call| blocked.contains(call));
            if waits {
                blocked.extend(&held.calls);
                waiting.push(held);
            } else {
                out.extend(self.release(api, held));
            }
        }
        self.held = waiting;
        // Nobody asks for the arguments of calls that are over.
        for (call, state) in &mut self.calls {
            if state.verdict.is_some() && !waiting_has(&self.held, *call) {
                state.arguments.clear();
            }
        }
        out
    }

    fn release(&self, api: Api, held: Held) -> Option<Out> {
        let refused =
            |call: &Call| self.calls.get(call).is_some_and(|state| matches!(state.verdict, Some(Verdict::Refuse)));
        let Held { frame, payload, calls } = held;
        let changed = calls.iter().any(|call| !refused(call) && !self.is_unchanged(*call));
        if !calls.iter().any(refused) && !changed {
            return Some(match payload {
                Some(payload) => Out::Replace(frame, payload),
                None => Out::Keep(frame),
            });
        }
        let payload = match payload {
            Some(payload) => payload,
            None => inner(api, &frame)?,
        };
        let document = Document::parse(&payload, &Limits::default()).ok()?;
        let left = self.without(api, frame.event(), &document, &|call| refused(&call))?;
        Some(Out::Replace(frame, left))
    }

    /// An event without the calls that are refused, and without arguments that are told later. `None`: nothing is left of it.
    fn without(
        &self,
        api: Api,
        name: Option<&str>,
        document: &Document<'_>,
        refused: &dyn Fn(Call) -> bool,
    ) -> Option<Vec<u8>> {
        let (mut edits, mut says, mut names) = (crate::json::Edits::new(), false, false);
        let root = document.root();
        let mut calls = Vec::new();
        read_event(api, name, root, &mut |leaf, piece| {
            let Place::Value(token) = leaf.place else { return };
            match piece {
                Piece::Text(_) => says |= !token.text().is_empty(),
                Piece::Tool(choice, part) => {
                    names |= !refused((choice, part));
                    calls.push(((choice, part), token.inner_span()));
                }
                Piece::Arguments(lane) => {
                    let call = (lane.choice, lane.part);
                    calls.push((call, token.inner_span()));
                    if !refused(call) && !self.is_unchanged(call) {
                        // Told again when it is complete.
                        let _ = edits.replace(token.inner_span(), "");
                    }
                }
                Piece::Whole => {}
            }
        });
        let mut removed: Vec<Range<usize>> = Vec::new();
        // OpenAI's events may have several calls, and texts beside them.
        let lists =
            root.get("choices").into_iter().flat_map(|c| c.items()).filter_map(|c| c.get("delta")?.get("tool_calls"));
        for list in lists.filter(|list| list.kind() == Kind::Array) {
            let gone = |item: &Node<'_>| {
                let span = item.span();
                calls.iter().any(|(call, at)| refused(*call) && span.start <= at.start && at.end <= span.end)
            };
            let items: Vec<_> = list.items().map(|item| (item.span(), !gone(&item))).collect();
            for range in cut(&list.span(), &items) {
                removed.push(range.clone());
                edits.replace(range, "").ok()?;
            }
        }
        // A refused call that stands where it is not cut (`function_call`, a call that is no list) takes its event along.
        let gone = |at: &Range<usize>| removed.iter().any(|range| range.start <= at.start && at.end <= range.end);
        if calls.iter().any(|(call, at)| refused(*call) && !gone(at)) {
            return None;
        }
        let any_refused = calls.iter().any(|(call, _)| refused(*call));
        let in_list = root.get("choices").is_some();
        if any_refused && !in_list || !(says || names) {
            return None;
        }
        Some(edits.splice(document.bytes()))
    }
}

/// The payload of a frame, without its wrapping.
fn inner(api: Api, frame: &Frame) -> Option<Vec<u8>> {
    let payload = frame.payload()?;
    Some(super::wrap::unwrap(api, &payload).ok().flatten().unwrap_or_else(|| payload.into_owned()))
}

fn digest_of(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn waiting_has(held: &[Held], call: Call) -> bool {
    held.iter().any(|held| held.calls.contains(&call))
}

/// The events that tell a refusal in the place of a call; `like` is an event of that call. Of OpenAI's responses, the item's own
/// last event follows, and of the others' blocks the one that ends them.
pub(super) fn refusal(api: Api, like: Node<'_>, call: Call, text: &str) -> Vec<(Option<&'static str>, String)> {
    let text = escaped(text);
    let (choice, part) = call;
    let plain = |event: String| vec![(None, event)];
    if like.get("choices").is_some() {
        let kept = like.entries().filter_map(|(key, value)| {
            let name = key.text();
            let kept =
                ["id", "object", "created", "model", "system_fingerprint", "service_tier"].contains(&name.as_ref());
            let value = match value.kind() {
                Kind::String => format!("\"{}\"", escaped(&value.text()?)),
                Kind::Number => value.number()?.to_owned(),
                _ => return None,
            };
            kept.then(|| format!("\"{}\":{value},", escaped(&name)))
        });
        let head: String = kept.collect();
        return plain(format!(
            "{{{head}\"choices\":[{{\"index\":{choice},\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}"
        ));
    }
    match api {
        Api::OpenAiResponses => {
            let item =
                like.get("item").and_then(|i| i.get("id")).or_else(|| like.get("item_id")).and_then(|id| id.text());
            let id = escaped(&tools::message_id(&item.unwrap_or_default()));
            let part = |text: &str| format!("{{\"type\":\"output_text\",\"text\":\"{text}\",\"annotations\":[]}}");
            let event = |kind: &'static str, more: String| {
                (Some(kind), format!("{{\"type\":\"{kind}\",\"sequence_number\":0,\"output_index\":{choice},{more}}}"))
            };
            let at = format!("\"item_id\":\"{id}\",\"content_index\":0");
            vec![
                event(
                    "response.output_item.added",
                    format!(
                        "\"item\":{{\"type\":\"message\",\"id\":\"{id}\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}"
                    ),
                ),
                event("response.content_part.added", format!("{at},\"part\":{}", part(""))),
                event("response.output_text.delta", format!("{at},\"delta\":\"{text}\",\"logprobs\":[]")),
                event("response.output_text.done", format!("{at},\"text\":\"{text}\",\"logprobs\":[]")),
                event("response.content_part.done", format!("{at},\"part\":{}", part(&text))),
            ]
        }
        Api::CohereChat => {
            let event = |kind: &'static str, delta: &str| {
                let delta = if delta.is_empty() {
                    String::new()
                } else {
                    format!(",\"delta\":{{\"message\":{{\"content\":{delta}}}}}")
                };
                (Some(kind), format!("{{\"type\":\"{kind}\",\"index\":{part}{delta}}}"))
            };
            vec![
                event("content-start", "{\"type\":\"text\",\"text\":\"\"}"),
                event("content-delta", &format!("{{\"text\":\"{text}\"}}")),
                event("content-end", ""),
            ]
        }
        Api::GeminiInteractions => {
            let stem = match like.get("event_type").and_then(|t| t.text()) {
                Some(kind) if kind.starts_with("content.") => "content",
                _ => "step",
            };
            let start = if stem == "step" { "{\"type\":\"model_output\"}" } else { "{\"type\":\"text\"}" };
            vec![
                (None, format!("{{\"event_type\":\"{stem}.start\",\"index\":{choice},\"{stem}\":{start}}}")),
                (
                    None,
                    format!(
                        "{{\"event_type\":\"{stem}.delta\",\"index\":{choice},\"delta\":{{\"type\":\"text\",\"text\":\"{text}\"}}}}"
                    ),
                ),
            ]
        }
        Api::BedrockConverse => vec![(
            Some("contentBlockDelta"),
            format!("{{\"contentBlockIndex\":{part},\"delta\":{{\"text\":\"{text}\"}}}}"),
        )],
        Api::BedrockInvoke if like.get("type").is_none() => plain(format!(
            "{{\"contentBlockDelta\":{{\"contentBlockIndex\":{part},\"delta\":{{\"text\":\"{text}\"}}}}}}"
        )),
        _ => vec![
            (
                Some("content_block_start"),
                format!(
                    "{{\"type\":\"content_block_start\",\"index\":{part},\"content_block\":{{\"type\":\"text\",\"text\":\"\"}}}}"
                ),
            ),
            (
                Some("content_block_delta"),
                format!(
                    "{{\"type\":\"content_block_delta\",\"index\":{part},\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}"
                ),
            ),
        ],
    }
}

/// A message's kind by its name.
pub(super) fn named(name: Option<&'static str>) -> MessageKind<'static> {
    name.map_or(MessageKind::Plain, MessageKind::Event)
}
