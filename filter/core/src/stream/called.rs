//! Calls of tools in a stream: which events carry them, and what becomes of those.

use std::ops::Range;
use std::rc::Rc;

use super::filter::{Filter, Look, Passed};
use super::framing::Frame;
use super::gate::{self, Call, Out};
use super::text::{Last, Text};
use super::wrap;
use crate::json::{Document, Edits, Kind, Limits, Node};
use crate::protocol::tools::{self, With};
use crate::protocol::{Ends, Lane, Leaf, Piece, Place};
use crate::reply::{Denial, Reason};

/// The lane of arguments that an event has whole beside the pieces that may follow.
const BESIDE: u32 = u32::MAX;

/// What is said where a call that is refused stands where it cannot be taken out.
pub(super) fn uncut() -> Denial {
    Denial::new(Reason::AnswerDenied).detail("a tool call that could not be taken out of the stream")
}

/// A lane of a call, as far as its end goes.
pub(super) fn lane_of((choice, part): Call) -> Lane {
    Lane { choice, part, name: 0 }
}

impl Filter {
    /// The calls that an event carries parts of, but for those that the provider runs.
    pub(super) fn calls_of(&mut self, root: Node<'_>, leaves: &[(Leaf<'_>, Piece)]) -> Vec<Call> {
        let block = ["item", "content_block", "step"].into_iter().find_map(|name| root.get(name));
        if let Some(kind) = block.and_then(|block| block.get("type")?.text()) {
            let foreign = !["function_call", "custom_tool_call", "tool_use"].contains(&kind.as_ref());
            let number = |name: &str| root.get(name).and_then(|n| n.number()?.parse().ok());
            let call = match number("output_index") {
                Some(output) => (output, 0),
                None if root.get("step").is_some() => (number("index").unwrap_or(0), 0),
                None => (0, number("index").unwrap_or(0)),
            };
            self.gate.foreign(call, foreign);
        }
        let mut calls: Vec<Call> = Vec::new();
        for (_, piece) in leaves {
            let call = match piece {
                Piece::Tool(choice, part) => (*choice, *part),
                Piece::Arguments(lane) => (lane.choice, lane.part),
                Piece::Text(_) | Piece::Whole => continue,
            };
            if !calls.contains(&call) && !self.gate.is_foreign(call) {
                calls.push(call);
            }
        }
        calls
    }

    /// Remembers the names of an event's calls, and arguments that it has beside the pieces. An event with calls in other
    /// places than those that are known to be read is refused.
    pub(super) fn name_calls(&mut self, document: &Document<'_>, leaves: &[(Leaf<'_>, Piece)]) -> Result<(), Denial> {
        for (leaf, piece) in leaves {
            if let (Place::Value(token), Piece::Tool(choice, part)) = (leaf.place, *piece) {
                self.gate.reuse((choice, part));
                self.gate.name((choice, part), &token.text());
            }
        }
        let named = |name: &str| {
            leaves.iter().find_map(|(leaf, piece)| match (leaf.place, *piece) {
                (Place::Value(token), Piece::Tool(choice, part)) if token.text() == name => Some((choice, part)),
                _ => None,
            })
        };
        let is_piece = |span: &Range<usize>| {
            leaves.iter().any(|(leaf, piece)| match (leaf.place, piece) {
                (Place::Value(token), Piece::Arguments(_)) => token.inner_span() == *span,
                _ => false,
            })
        };
        let mut readable = true;
        let gate = &mut self.gate;
        tools::calls(document.root(), &mut |called| {
            let text = match called.arguments {
                With::Text(token) if !is_piece(&token.inner_span()) => token.text().into_owned(),
                With::Value(node) if node.kind() != Kind::Object || node.entries().next().is_some() => {
                    String::from_utf8_lossy(document.bytes().get(node.span()).unwrap_or_default()).into_owned()
                }
                _ => String::new(),
            };
            match named(&called.name) {
                Some((choice, part)) if !text.trim_ascii().is_empty() => {
                    let lane = Lane { choice, part, name: BESIDE };
                    readable &= gate.arguments(lane, &text, &text);
                }
                Some(_) => {}
                None => readable &= called.name.is_empty() && text.trim_ascii().is_empty(),
            }
            None
        });
        if readable { Ok(()) } else { Err(uncut()) }
    }

    /// An event without the whole calls in it that are refused, if there are any.
    pub(super) fn without_calls(
        &mut self,
        document: &Document<'_>,
        look: &mut Look<'_>,
    ) -> Result<Option<Rc<[u8]>>, Denial> {
        let Some(judge) = &mut look.tools else { return Ok(None) };
        let edits = judge.whole(document.root(), document.bytes());
        if edits.is_empty() {
            return Ok(None);
        }
        let mut all = Edits::new();
        for (range, text) in edits {
            all.replace(range, text).map_err(|_| uncut())?;
        }
        Ok(Some(all.splice(document.bytes()).into()))
    }

    /// The last of a call's arguments, which were held back.
    pub(super) fn ended_call(&mut self, lane: Lane, goes: &str, text: &Text) {
        self.gate.arguments(lane, "", goes);
        if let Some(last) = &text.last {
            let last = Last { frame: Rc::clone(&last.frame), inner: last.inner.clone(), span: last.span.clone() };
            self.gate.last(lane, last);
        }
    }

    /// Judges the calls that end, but for those that the event at hand carries.
    pub(super) fn settle(&mut self, ends: &Ends, here: &[Call], look: &mut Look<'_>, passed: &mut Passed) {
        if look.tools.is_none() || ends.is_empty() {
            return;
        }
        let over = |call: &Call| ends.has(lane_of(*call)) && !here.contains(call);
        let calls: Vec<Call> = self.gate.open().into_iter().filter(over).collect();
        self.judge_calls(calls, look, passed);
    }

    /// Judges calls that are over, and lets go of what waited for them.
    pub(super) fn judge_calls(&mut self, calls: Vec<Call>, look: &mut Look<'_>, passed: &mut Passed) {
        if self.over || calls.is_empty() {
            return;
        }
        let Some(judge) = &mut look.tools else { return };
        let mut refusals = Vec::new();
        let mut told = Vec::new();
        for call in calls {
            match self.gate.judge(call, *judge) {
                Some(text) => refusals.push((call, text, self.gate.like(self.kind.api, call))),
                None => told.extend(self.gate.take_changed(call)),
            }
        }
        for out in self.gate.flush(self.kind.api) {
            let (frame, payload) = match out {
                Out::Keep(frame) => (frame, None),
                Out::Replace(frame, payload) => (frame, Some(payload)),
            };
            match self.renumbered(&frame, payload) {
                None => self.writer.keep(&frame, &mut passed.bytes),
                Some(payload) => {
                    let payload = wrap::wrap(self.kind.api, &frame, payload);
                    self.writer.replace(&frame, &payload, &mut passed.bytes);
                }
            }
        }
        for (goes, last) in told {
            self.tell(Some(&last), &goes, passed);
        }
        for (call, text, like) in refusals {
            let Some((frame, payload)) = like else { continue };
            let Ok(document) = Document::parse(&payload, &Limits::default()) else { continue };
            for (name, event) in gate::refusal(self.kind.api, document.root(), call, &text) {
                let event = self.numbered(event);
                if self.kind.api == crate::protocol::Api::BedrockInvoke {
                    let event = wrap::wrap(self.kind.api, &frame, event.into_bytes());
                    self.writer.another(&frame, &event, &mut passed.bytes);
                } else {
                    self.writer.message(gate::named(name), event.as_bytes(), &mut passed.bytes);
                }
            }
        }
    }

    /// An event of ours with the next number, where events have numbers.
    fn numbered(&mut self, event: String) -> String {
        let (before, after) = match event.split_once("\"sequence_number\":0") {
            Some(parts) => parts,
            None => return event,
        };
        let number = self.next_number();
        format!("{before}\"sequence_number\":{number}{after}")
    }

    /// The payload of an event that waited, with the number that comes next where events have numbers: others overtook it, or went.
    fn renumbered(&mut self, frame: &Frame, payload: Option<Vec<u8>>) -> Option<Vec<u8>> {
        if self.number.is_none() {
            return payload;
        }
        let came = payload.is_none();
        let bytes = payload.or_else(|| Some(frame.payload()?.into_owned()))?;
        let edit =
            Document::parse(&bytes, &Limits::default()).ok().and_then(|document| self.number_edit(document.root()));
        let Some((range, number)) = edit else { return (!came).then_some(bytes) };
        let mut edits = Edits::new();
        // One edit overlaps none.
        let _ = edits.replace(range, number);
        Some(edits.splice(&bytes))
    }

    /// The number that the next event has.
    pub(super) fn next_number(&mut self) -> u64 {
        let number = self.number.map_or(0, |last| last.saturating_add(1));
        self.number = Some(number);
        number
    }

    /// What gives an event that is about to be written the number that comes next, where it has another one.
    pub(super) fn number_edit(&mut self, root: Node<'_>) -> Option<(Range<usize>, String)> {
        let node = root.get("sequence_number").filter(|n| n.kind() == Kind::Number)?;
        let own: Option<u64> = node.number().and_then(|n| n.parse().ok());
        if self.number.is_none() {
            // The first one begins where it likes.
            self.number = own;
            return None;
        }
        let next = self.next_number();
        (own != Some(next)).then(|| (node.span(), next.to_string()))
    }

    /// A choice that ends because of its calls, of which none is left, ends by itself.
    pub(super) fn ends_without_calls(&self, root: Node<'_>) -> Vec<(Range<usize>, String)> {
        let mut edits = Vec::new();
        match root.get("choices") {
            Some(choices) => {
                for (place, choice) in choices.items().enumerate() {
                    let place = u32::try_from(place).unwrap_or(u32::MAX);
                    let index = choice.get("index").and_then(|i| i.number()?.parse().ok()).unwrap_or(place);
                    if self.gate.is_refused(index) {
                        edits.extend(tools::finish(choice));
                    }
                }
            }
            None if self.gate.is_refused(0) => {
                let inner = ["delta", "messageStop"].into_iter().filter_map(|name| root.get(name));
                edits.extend(std::iter::once(root).chain(inner).flat_map(tools::finish));
            }
            None => {}
        }
        edits
    }
}
