//! Streamed answers: how they are recognised, what passes, and what they used.

use super::body::inspector;
use super::line::{CHECKSUMS, Media};
use super::mcp::{MessageJudge, sealed_endpoint};
use super::tools::{Judge, remember};
use super::{Context, Effect, Exchange, Flow, Stage};
use crate::audit::message;
use crate::engine::Digest;
use crate::head::Headers;
use crate::host::Side;
use crate::identity;
use crate::policy::{Capture, Plan, Transport, Verdict};
use crate::protocol::{Api, DEFAULT_MODEL, Operation};
use crate::reply::{Denial, Reason};
use crate::stream::framing::Framing;
use crate::stream::{Bounds, Captured, Filter, Look, Stream};

/// A streamed answer on its way.
#[derive(Debug)]
pub(super) struct Streaming {
    filter: Filter,
    plan: Plan,
    digest: Digest,
}

impl Exchange {
    /// Whether the answer is the sound that the call was for: whoever may make it speak gets to hear it.
    pub(super) fn speaks(&self, headers: &Headers) -> bool {
        let sound = || {
            let kind = headers.text("content-type").unwrap_or_default().trim().to_ascii_lowercase();
            kind.starts_with("audio/") || kind == "application/octet-stream"
        };
        self.facts.as_ref().is_some_and(|f| f.call.operation == Operation::Speech) && sound()
    }

    /// How the answer is cut into events, if a stream was asked for and this is one.
    pub(super) fn framing(&self, media: Media, status: u16) -> Option<Framing> {
        let facts = self.facts.as_ref().filter(|_| (200..300).contains(&status))?;
        match media {
            // Results of batches, files of examples: what stands on a line is read by itself.
            Media::Lines if facts.call.operation.must_be_named() => Some(Framing::Lines),
            _ if !facts.streams => None,
            Media::EventStream => Some(Framing::Sse),
            Media::Lines => Some(Framing::Lines),
            Media::AwsEventStream => Some(Framing::EventStream),
            // One array, element by element.
            Media::Json if facts.call.api == Api::GeminiGenerate => Some(Framing::JsonArray),
            _ => None,
        }
    }

    /// A stream: its head goes ahead, and its events are looked at as they come.
    pub(super) fn stream(&mut self, framing: Framing, headers: &Headers, cx: &mut Context<'_>) -> Flow {
        let Some(facts) = &self.facts else { return self.unscannable(cx) };
        let stream = Stream {
            api: facts.call.api,
            framing,
            dialect: self.dialect,
            structured: facts.structured,
            hides_usage: facts.hides_usage,
        };
        let bounds = Bounds {
            max_frame: cx.engine.max_body,
            max_hold: cx.engine.max_hold,
            at_max_hold: cx.engine.at_max_hold,
            media: if facts.call.operation.is_for_media() { Verdict::Allow } else { cx.engine.unscannable },
        };
        let wholes = facts.call.api.is_message() || facts.call.operation.must_be_named();
        let plan = cx.engine.content.plan(&facts.roles, facts.target, Side::Response);
        #[cfg(feature = "trace")]
        {
            let statements = cx.engine.content.considered(&facts.roles, facts.target, Side::Response);
            self.record.trace.planned("out", statements);
        }
        // Refused with the request where that told that a stream will come.
        if let Err(denial) = self.check_streamed(&plan, cx) {
            self.stage = Stage::Pass;
            return self.withhold(Denial { reason: Reason::AnswerUnscannable, ..denial }, true, cx);
        }
        if cx.engine.audit.capture != Capture::None {
            let captured = Captured::new(stream, wholes, cx.engine.audit.capture_bytes, bounds.max_frame);
            self.captured = Some(Box::new(captured));
        }
        self.stage = Stage::Stream(Box::new(Streaming {
            filter: Filter::new(stream, bounds).answering(self.rpc.clone()).digesting(cx.engine.audit.texts.as_ref()),
            plan,
            digest: Digest::new(cx.engine),
        }));
        if self.tap.is_none() {
            for name in CHECKSUMS.iter().copied().chain(["content-length", "etag"]) {
                if headers.has(name) {
                    cx.effects.push(Effect::RemoveHeader(Side::Response, name.into()));
                }
            }
        }
        Flow::Continue
    }

    /// Bytes of a stream.
    pub(super) fn stream_body(&mut self, available: usize, end: bool, cx: &mut Context<'_>) -> Flow {
        let body = match available {
            0 => Vec::new(),
            _ => match cx.host.body(Side::Response) {
                Ok(body) if body.len() >= available => body,
                _ if self.tap.is_some() => return Flow::Continue,
                // What cannot be read does not pass: the stream is cut off.
                _ => return self.deny(Denial::new(Reason::InternalHost), cx),
            },
        };
        let seal = self.seal_of_server(cx);
        let Stage::Stream(streaming) = &mut self.stage else { return Flow::Continue };
        let Some(facts) = &mut self.facts else { return Flow::Continue };
        let Streaming { filter, plan, digest } = streaming.as_mut();
        digest.update(&body);
        let mut inspector = inspector(plan, cx.engine, None);
        inspector.shingles = Some(&facts.shingles);
        let model = self.record.model.as_deref().unwrap_or_default();
        let refuses = cx.engine.model_mismatch == Verdict::Deny && model != DEFAULT_MODEL;
        let server = MessageJudge::new(cx.engine, facts, seal.as_ref());
        let speaks_sse =
            server.listens() && cx.engine.targets.get(facts.target).is_some_and(|t| t.transport == Transport::Sse);
        let called = facts.called.as_ref();
        let endpoint = |address: &str| match &seal {
            None => Ok(address.to_owned()),
            Some(Ok(seal)) => sealed_endpoint(address, called, seal),
            Some(Err(denial)) => Err(denial.clone()),
        };
        let mut judge = Judge::new(&facts.tools, &facts.restore, cx.engine);
        if let Some(judge) = &mut judge {
            judge.copies = facts.call.api == Api::OpenAiResponses;
        }
        let mut look = Look {
            messages: facts.call.api.is_rpc().then_some(&server as &dyn crate::stream::Messages),
            model: &|answered| !refuses || cx.engine.models.same(model, answered),
            inspector: &inspector,
            budget: &mut facts.budget,
            restore: &facts.restore,
            restoring_tools: &cx.engine.restoring_tools,
            endpoint: if speaks_sse { Some(&endpoint) } else { None },
            tools: judge.as_mut().map(|judge| judge as &mut dyn crate::stream::Judge),
        };
        let passed = filter.push(&body, end, &mut look);
        let (pins, sifting, listens, target) = (server.seen(), server.sifting(), server.listens(), facts.target);
        let seen = judge.map(|judge| judge.seen).unwrap_or_default();
        self.record.usage = filter.usage().or(self.record.usage);
        self.record.stream_bytes = filter.text_bytes();
        let placeholders = filter.placeholders();
        if self.record.answered_by.is_none() {
            self.record.answered_by = filter.model().map(str::to_owned);
        }
        if passed.unread && !self.facts.as_ref().is_some_and(|f| f.call.operation.is_for_media()) {
            self.note(Reason::AnswerUnscannable);
        }
        self.note_pins(&pins, cx);
        self.note_sifting(sifting, target, cx);
        if let Some(reason) = passed.dropped {
            self.note(reason);
        }
        if remember(seen, &cx.engine.access, &mut self.record) {
            self.note(Reason::ToolNotAllowed);
        }
        // Whole parts of events are counted with their outcome, texts by themselves.
        self.record.placeholders = placeholders;
        let _ = self.remember("out", passed.outcome);
        let refused = passed.denial.is_some();
        if let Some(denial) = passed.denial {
            self.record.answer_denied |= self.record.denial.is_none();
            self.record.denial.get_or_insert(denial.reason);
            self.record.enforced |= self.tap.is_none();
            if listens {
                self.cut_off(cx);
            }
        }
        if end {
            self.stream_over(cx);
        }
        let edits = self.tap.is_none() && passed.bytes != body;
        // What goes to the client; behind its trailers nothing does.
        if let Some(captured) = self.captured.as_mut().filter(|_| !edits || cx.host.writable(Side::Response)) {
            let goes = if edits { &passed.bytes } else { &body };
            captured.push(goes, message::redactor(cx.engine).as_ref());
            // Of a stream that is only looked at, the rest goes on.
            if refused && self.tap.is_none() {
                captured.cut();
            }
            if end {
                captured.complete();
            }
        }
        if edits {
            if !cx.host.writable(Side::Response) {
                // The answer ends in trailers: what was held has no bytes to go with. Cut off, it is seen to be missing.
                if !passed.bytes.is_empty() {
                    self.record.denial.get_or_insert(Reason::AnswerUnscannable);
                    return self.deny(Denial::new(Reason::AnswerUnscannable).detail("trailers behind a stream"), cx);
                }
                return Flow::Continue;
            }
            self.record.edited |= self.record.denial.is_none();
            cx.effects.push(Effect::ReplaceBody(Side::Response, passed.bytes));
        }
        Flow::Continue
    }

    /// The stream came to an end, its own or another.
    pub(super) fn stream_over(&mut self, cx: &mut Context<'_>) {
        let streaming = match std::mem::replace(&mut self.stage, Stage::Pass) {
            Stage::Stream(streaming) => streaming,
            stage => {
                self.stage = stage;
                return;
            }
        };
        let Streaming { mut filter, digest, .. } = *streaming;
        self.record.texts_out = filter.digests();
        let outlived = self.record.principal.as_ref().and_then(|principal| principal.ends_ms);
        if outlived.is_some_and(|ends_ms| cx.at.millis() >= ends_ms) {
            self.note(Reason::Identity(identity::Reason::Expired));
        }
        self.record.content_out = digest.finish();
        let model = self.record.model.clone().unwrap_or_default();
        if let Some(answered) = filter.model()
            && model != DEFAULT_MODEL
            && !cx.engine.models.same(&model, answered)
        {
            self.note(Reason::ModelMismatch);
        }
        let asked = self.facts.as_ref().and_then(|f| f.script);
        self.note_shape(asked, filter.scripts(), filter.text_bytes(), cx);
        // Who only observes asks for nothing, and what was not told stays unknown.
        if self.tap.is_none() {
            let counts = self.facts.as_ref().is_some_and(|f| f.streams && !f.call.api.is_message());
            if counts {
                self.estimate_usage(!filter.finished(), cx);
            }
        }
        self.price(cx);
    }

    pub(super) fn price(&mut self, cx: &Context<'_>) {
        let model = self.record.model.clone().unwrap_or_default();
        if let Some(usage) = &self.record.usage {
            self.record.cost = cx.engine.models.cost(&model, usage).map(|(n, c)| (n, c.to_owned()));
        }
    }
}
