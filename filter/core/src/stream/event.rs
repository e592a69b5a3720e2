//! One event of a stream.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::called::{lane_of, uncut};
use super::filter::{Filter, Look, Passed};
use super::framing::Frame;
use super::gate::Call;
use super::messages::Incoming;
use super::shape::Shape;
use super::text::{Last, With, complete};
use super::texts::MAX_TEXTS;
use super::token_lists::token_lists;
use super::wrap;
use crate::host::Side;
use crate::json::{Document, escaped};
use crate::policy::{Globs, Verdict};
use crate::protocol::{self, Api, Channel, Ends, Lane, Leaf, Piece, Place, Returns, Usage, read_event};
use crate::redact::{RestoreMap, Scan};
use crate::reply::{Denial, Reason};

impl Filter {
    pub(super) fn event(
        &mut self,
        frame: &Rc<Frame>,
        document: &Document<'_>,
        inner: Option<&Rc<[u8]>>,
        look: &mut Look<'_>,
        passed: &mut Passed,
    ) {
        let root = document.root();
        let is_rpc = self.kind.api.is_message();
        if let Some(usage) = Usage::of(self.kind.api, root).filter(|_| !is_rpc) {
            self.usage = Some(self.usage.map_or(usage, |u| u.max(usage)));
        }
        if self.model.is_none() && !is_rpc {
            self.model = protocol::answered_by(root);
            if self.model.as_deref().is_some_and(|model| !(look.model)(model)) {
                self.refuse(Denial::new(Reason::ModelMismatch), passed);
            }
        }
        let mut leaves: Vec<(Leaf<'_>, Piece)> = Vec::new();
        let event = read_event(self.kind.api, frame.event(), root, &mut |leaf, piece| leaves.push((leaf, piece)));
        let is_over = !event.over.is_empty();
        self.finished |= is_over;
        if self.over {
            return;
        }
        let (mut edits, mut returns) = (Vec::<(Range<usize>, String)>::new(), Returns::default());
        if let Some(judge) = look.messages {
            let cuts = match judge.incoming(root) {
                Incoming::Pass(cuts) => cuts,
                Incoming::Drop(denial) => {
                    passed.dropped.get_or_insert(denial.reason);
                    return;
                }
                Incoming::Refuse(denial) => return self.refuse(denial, passed),
            };
            let sifted = match judge.sift(root, cuts, look.inspector, look.budget) {
                Ok(sifted) => sifted,
                Err(denial) => return self.refuse(denial, passed),
            };
            edits = sifted.cuts;
            // What does not go on is not looked at, nor what has been.
            leaves.retain(|(leaf, _)| !leaf.place.is_within(&edits) && !leaf.place.is_within(&sifted.clean));
            if !look.restore.is_empty() {
                returns = Returns::read(root);
            }
        } else if self.kind.api == Api::A2aRest && !look.restore.is_empty() {
            returns = Returns::whole(root);
        }
        let gated = if look.tools.is_some() { self.calls_of(root, &leaves) } else { Vec::new() };
        if gated.is_empty() && inner.is_none() {
            // Whole calls.
            match self.without_calls(document, look) {
                Ok(None) => {}
                Ok(Some(left)) => {
                    return match Document::parse(&left, &look.inspector.limits) {
                        Ok(document) => self.event(frame, &document, Some(&left), look, passed),
                        Err(_) => self.refuse(uncut(), passed),
                    };
                }
                Err(denial) => return self.refuse(denial, passed),
            }
        }
        let over = if self.texts.may_end(&leaves) { event.over } else { Ends::default() };
        let mut ends = event.ends;
        ends.add(&over);
        // A call's name may stand behind its arguments.
        for (leaf, piece) in &leaves {
            if let (Place::Value(token), Piece::Tool(choice, part)) = (leaf.place, *piece) {
                self.calls.name((choice, part), &token.text(), look.restoring_tools);
                if self.calls.is_renamed((choice, part)) {
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
        let ended = self.texts.ended(&ends).into_iter().filter(|lane| !here.contains_key(lane));
        self.end(ended.collect(), &over, look, passed);
        let begun = leaves.iter().filter_map(|(leaf, piece)| match (leaf.place, piece) {
            (Place::Value(token), Piece::Arguments(lane)) => {
                let before = self.texts.get(*lane)?;
                before.is_call_before(&token.text(), &look.inspector.limits).then_some(*lane)
            }
            _ => None,
        });
        let begun: Vec<Lane> = begun.collect();
        self.end(begun.clone(), &Ends::default(), look, passed);
        self.settle(&ends, &gated, look, passed);
        self.judge_calls(begun.iter().map(|lane| (lane.choice, lane.part)).collect(), look, passed);
        if !gated.is_empty()
            && let Err(denial) = self.name_calls(document, &leaves)
        {
            return self.refuse(denial, passed);
        }
        if self.over || self.kind.hides_usage && event.usage_only {
            return;
        }
        self.known.begin();
        // What begins a call may end all before it.
        let begins = |call: Call| leaves.iter().any(|(_, piece)| *piece == Piece::Tool(call.0, call.1));
        let begun: Vec<Call> = gated.iter().copied().filter(|call| begins(*call)).collect();
        let ends_call = |call: Call| match begun.contains(&call) {
            true => Ends { all: false, some: ends.some.clone() }.has(lane_of(call)),
            false => ends.has(lane_of(call)),
        };
        let mut moved = false;
        let mut over_here: Vec<Call> = Vec::new();
        let mut scan = Scan::new(look.inspector, look.budget, Some(look.restore));
        scan.body(document, Side::Response);
        if scan.has_payloads() {
            passed.unread = true;
            if self.bounds.media == Verdict::Deny {
                let denial = Denial::new(Reason::AnswerUnscannable).detail("a picture or sound in the stream");
                return self.refuse(denial, passed);
            }
        }
        let mut clean = true;
        for (at, &(leaf, piece)) in leaves.iter().enumerate() {
            let (Place::Value(token), Piece::Text(lane) | Piece::Arguments(lane)) = (leaf.place, piece) else {
                if let Err(at) = self.known.next(&leaf) {
                    let (found, changed) = (scan.found(), edits.len());
                    match returns.way(&leaf) {
                        Some(way) => match scan.restored_result(leaf, way, look.restore) {
                            Some(edit) => edits.push(edit),
                            None => scan.leaf(leaf),
                        },
                        None => self.whole(leaf, look.restore, look.restoring_tools, &mut scan, &mut edits),
                    }
                    if scan.found() == found && edits.len() == changed {
                        self.known.keep(at, &leaf);
                    } else {
                        clean = false;
                    }
                }
                continue;
            };
            let came = token.text();
            self.text_bytes = self.text_bytes.saturating_add(came.len() as u64);
            if let Some(digests) = &mut self.digests {
                digests.push(lane, &came);
            }
            if leaf.of.channel == Channel::Assistant {
                self.scripts.push(&came);
            }
            let mode = look.inspector.plan.stream_mode(leaf.of.channel);
            let call = (lane.choice, lane.part);
            let ends_here = ends.has(lane) && here.get(&lane) == Some(&at) && (gated.is_empty() || ends_call(call));
            let into_call = self.calls.restores(call);
            let with = With { restore: look.restore, into_call };
            let Some(text) = self.texts.open(lane, &leaf, piece, mode) else { continue };
            let (goes, remnant) = match ends_here {
                true => text.end(&came, over.has(lane), &with, &mut scan),
                false => (text.push(&came, &with, &mut scan), None),
            };
            let span = token.inner_span();
            // Only for what is held back is there still something to tell.
            text.last =
                (text.held() > 0).then(|| Last { frame: Rc::clone(frame), inner: inner.cloned(), span: span.clone() });
            if text.is_call() && gated.contains(&call) {
                if !self.gate.arguments(lane, &came, &goes) {
                    let denial = Denial::new(Reason::AnswerDenied).detail("a tool call went on behind its end");
                    return self.refuse(denial, passed);
                }
                let complete = ends_here || !goes.is_empty() && self.texts.get(lane).is_none_or(|t| t.held() == 0);
                if complete {
                    over_here.push(call);
                }
                if into_call && !goes.is_empty() {
                    self.calls.tell(call);
                }
                // What came before in pieces is told here, where it changed; else every piece goes on as it came.
                if complete && !self.gate.is_unchanged(call) {
                    edits.push((span, escaped(&goes)));
                }
                if ends_here && let Some(text) = self.texts.take(lane) {
                    self.texts.close(lane, text, remnant);
                }
                continue;
            }
            if into_call && !goes.is_empty() {
                self.calls.tell(call);
            }
            if goes != came {
                moved = true;
                edits.push((span, escaped(&goes)));
            }
            if ends_here && let Some(text) = self.texts.take(lane) {
                self.texts.close(lane, text, remnant);
            }
        }
        if moved {
            // They tell the text once more, token by token.
            token_lists(root, &mut edits);
        }
        if gated.is_empty() {
            // What waits gets its number when it goes.
            edits.extend(self.number_edit(root));
        }
        edits.extend(self.ends_without_calls(root));
        // Nothing but the words of one text, which may follow in events that are the same otherwise.
        let plain = clean && !is_over && ends.is_empty() && gated.is_empty() && !event.usage_only;
        let plain = plain && edits.len() == usize::from(moved);
        let plain = plain && inner.is_none() && look.messages.is_none() && self.kind.api != Api::BedrockInvoke;
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
        let edited = edited.or_else(|| inner.map(|inner| inner.to_vec()));
        if !gated.is_empty() {
            over_here.extend(gated.iter().copied().filter(|call| ends_call(*call)));
            self.gate.hold(Rc::clone(frame), edited, gated);
            self.judge_calls(over_here, look, passed);
            return self.bound(look, passed);
        }
        match edited {
            None => self.writer.keep(frame, &mut passed.bytes),
            Some(edited) => {
                let edited = wrap::wrap(self.kind.api, frame, edited);
                self.writer.replace(frame, &edited, &mut passed.bytes);
            }
        }
        if plain {
            self.shape = Shape::of(frame.event(), document, &leaves, look.tools.is_some());
        }
        self.bound(look, passed);
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
            edits.push((token.inner_span(), escaped(&goes)));
        }
    }
}
