//! The answer: from its head to the moment it is delivered.

use super::body::inspector;
use super::line::{CHECKSUMS, Media, encoded, length, media};
use super::models::filter_models;
use super::outside::{Judged, Sink};
use super::{Context, Effect, Exchange, Facts, Flow, Stage};
use crate::audit::message;
use crate::engine::body_digest;
use crate::head::Headers;
use crate::host::{Attribute, Side};
use crate::inspect::Scripts;
use crate::json::{Document, Node};
use crate::policy::Verdict;
use crate::protocol::{self, Api, Channel, Operation, Usage};
use crate::redact::{self, Back};
use crate::reply::{Denial, Reason};

/// What is known of an answer whose body is awaited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    json: bool,
    /// It came with a content-length, which must stay true.
    length: bool,
    success: bool,
}

impl Exchange {
    pub(super) fn response_head(&mut self, headers: &Headers, end: bool, cx: &mut Context<'_>) -> Flow {
        let status: u16 = headers.text(":status").and_then(|s| s.parse().ok()).unwrap_or(0);
        match self.stage {
            Stage::Sent if self.strayed(cx) => {
                return self.withhold(Denial::new(Reason::TargetChanged), true, cx);
            }
            Stage::Sent => {}
            // The host refuses a request whose body it was holding for us: its buffer is smaller than our bound.
            Stage::Request | Stage::Waiting(_) if status == 413 && self.tap.is_none() => {
                self.early = true;
                return self.host_too_large(end, cx);
            }
            // The head went ahead of the body, and the upstream answers that; or the host does, which is no harm.
            Stage::Request if self.tap.is_none() && !cx.engine.hold_headers => {
                if self.strayed(cx) {
                    return self.withhold(Denial::new(Reason::TargetChanged), true, cx);
                }
                self.early = true;
            }
            Stage::Waiting(_) if self.tap.is_some() => {
                self.early = true;
                return Flow::Continue;
            }
            _ => return Flow::Continue,
        }
        self.quota.status = Some(status);
        self.tell_limits(cx);
        if let Err(denial) = self.mcp_answer_head(headers, cx) {
            return self.withhold(denial, true, cx);
        }
        if end {
            return Flow::Continue;
        }
        if matches!(status, 204 | 304) {
            if self.tap.is_none() {
                // No such answer has a body (RFC 9110, section 6.4.1), whatever follows.
                self.stage = Stage::Replace(Vec::new());
            }
            return Flow::Continue;
        }
        let media = media(headers).unwrap_or(Media::Other);
        if let Some(framing) = self.framing(media, status) {
            return if encoded(headers) { self.unscannable(cx) } else { self.stream(framing, headers, cx) };
        }
        if self.record.usage.is_none() {
            // Bedrock tells it beside answers of any kind.
            let count = |name| headers.text(name).and_then(|n| n.parse().ok());
            if let (Some(input), Some(output)) =
                (count("x-amzn-bedrock-input-token-count"), count("x-amzn-bedrock-output-token-count"))
            {
                self.record.usage = Some(Usage { input, output, ..Usage::default() });
            }
        }
        if self.speaks(headers) {
            self.stage = Stage::Pass;
            return Flow::Continue;
        }
        let large = length(headers).is_some_and(|l| l > cx.engine.max_body as u64);
        if !matches!(media, Media::Json | Media::Text) || encoded(headers) || large {
            return self.unscannable(cx);
        }
        let answer = Answer {
            json: media == Media::Json,
            length: headers.has("content-length"),
            success: (200..300).contains(&status),
        };
        self.stage = Stage::Answer(answer);
        if self.tap.is_some() {
            return Flow::Continue;
        }
        if cx.engine.hold_headers {
            return Flow::Hold;
        }
        for name in CHECKSUMS.iter().copied().chain(["content-length", "etag"]) {
            if headers.has(name) {
                cx.effects.push(Effect::RemoveHeader(Side::Response, name.into()));
            }
        }
        Flow::Continue
    }

    /// Whether the request went elsewhere than it was judged for. A host chooses the route anew when headers change, and
    /// says so only once it sent the request: a route that hangs on a credential, which is removed, is such a case.
    fn strayed(&self, cx: &mut Context<'_>) -> bool {
        let Some(facts) = &self.facts else { return false };
        let cluster = cx.host.attribute(Attribute::Cluster);
        let route = cx.host.attribute(Attribute::Route);
        let target = cx.engine.targets.find(cluster.as_deref(), route.as_deref());
        target.is_none_or(|target| target.index != facts.target)
    }

    /// The host's own 413, in the caller's dialect.
    fn host_too_large(&mut self, end: bool, cx: &mut Context<'_>) -> Flow {
        let denial = Denial::new(Reason::ProtocolTooLarge).detail("the proxy's buffer limit");
        self.record.judged = true;
        self.record.denial.get_or_insert(denial.reason);
        self.record.enforced = true;
        self.stage = Stage::Over;
        if !end {
            let body = denial.body(self.dialect);
            let length = ("content-length", body.len().to_string());
            for (name, value) in denial.headers(self.dialect).into_iter().chain([length]) {
                cx.effects.push(Effect::SetHeader(Side::Response, name, value.into_bytes()));
            }
            self.stage = Stage::Replace(body);
        }
        Flow::Continue
    }

    /// The answer cannot be read.
    pub(super) fn unscannable(&mut self, cx: &mut Context<'_>) -> Flow {
        self.note(Reason::AnswerUnscannable);
        self.stage = Stage::Pass;
        match cx.engine.unscannable {
            Verdict::Allow => Flow::Continue,
            Verdict::Deny => self.withhold(Denial::new(Reason::AnswerUnscannable), true, cx),
        }
    }

    /// Refuses an answer. Where its head has gone ahead, the error object takes the place of its body.
    pub(super) fn withhold(&mut self, denial: Denial, head_held: bool, cx: &mut Context<'_>) -> Flow {
        self.record.answer_denied |= self.record.denial.is_none();
        if self.tap.is_some() || head_held || cx.engine.hold_headers {
            return self.deny(denial, cx);
        }
        let denial = Denial { rpc: self.rpc.clone(), ..denial };
        self.record.denial.get_or_insert(denial.reason);
        self.record.enforced = true;
        self.stage = Stage::Replace(denial.body(self.dialect));
        Flow::Hold
    }

    pub(super) fn response_body(&mut self, available: usize, end: bool, cx: &mut Context<'_>) -> Flow {
        if matches!(self.stage, Stage::Stream(..)) {
            if self.has_run_out(cx) {
                let flow = self.run_out(cx);
                if flow == Flow::Hold {
                    return flow;
                }
            }
            return self.stream_body(available, end, cx);
        }
        self.quota.answer_bytes = match (&self.stage, &self.tap) {
            // Held, it is told whole every time.
            (Stage::Answer(_), None) => available as u64,
            _ => self.quota.answer_bytes.saturating_add(available as u64),
        };
        if let (Stage::Answer(answer), Some(tap)) = (&self.stage, &mut self.tap) {
            let answer = *answer;
            tap.copy(Side::Response, available, cx);
            if end {
                match tap.take() {
                    Some(body) => {
                        if let Err(denial) = self.judge_answer(&body, answer, cx) {
                            let _ = self.withhold(denial, false, cx);
                        }
                    }
                    None => self.note(Reason::AnswerUnscannable),
                }
            }
            return Flow::Continue;
        }
        match &mut self.stage {
            Stage::Replace(body) => {
                // The first bytes give way to all of it: after a tail of trailers there is nothing to write to.
                cx.effects.push(Effect::ReplaceBody(Side::Response, std::mem::take(body)));
                Flow::Continue
            }
            Stage::Answer(_) if available > cx.engine.max_body => {
                let flow = self.too_long(cx);
                self.swallow(flow, cx)
            }
            Stage::Answer(_) if !end => Flow::Hold,
            Stage::Answer(answer) => {
                let answer = *answer;
                let flow = match cx.host.body(Side::Response) {
                    Ok(body) if body.len() >= available => self.deliver(&body, answer, cx),
                    _ => self.withhold(Denial::new(Reason::InternalHost), false, cx),
                };
                self.swallow(flow, cx)
            }
            _ => Flow::Continue,
        }
    }

    /// Where the head has gone, what is refused is replaced at this very event.
    fn swallow(&mut self, flow: Flow, cx: &mut Context<'_>) -> Flow {
        match &mut self.stage {
            Stage::Replace(body) => {
                cx.effects.push(Effect::ReplaceBody(Side::Response, std::mem::take(body)));
                Flow::Continue
            }
            _ => flow,
        }
    }

    fn too_long(&mut self, cx: &mut Context<'_>) -> Flow {
        self.note(Reason::AnswerUnscannable);
        match cx.engine.unscannable {
            Verdict::Allow => {
                self.stage = Stage::Pass;
                Flow::Continue
            }
            Verdict::Deny => self.withhold(Denial::new(Reason::AnswerUnscannable), false, cx),
        }
    }

    fn deliver(&mut self, body: &[u8], answer: Answer, cx: &mut Context<'_>) -> Flow {
        match self.judge_answer(body, answer, cx) {
            Err(denial) => self.withhold(denial, false, cx),
            Ok(Judged::Wait) => Flow::Hold,
            Ok(Judged::Pass(None)) => {
                self.stage = Stage::Pass;
                Flow::Continue
            }
            Ok(Judged::Pass(Some(edited))) => {
                self.stage = Stage::Pass;
                self.record.edited = true;
                if cx.engine.hold_headers {
                    if answer.length {
                        let length = edited.len().to_string().into_bytes();
                        cx.effects.push(Effect::SetHeader(Side::Response, "content-length", length));
                    }
                    for name in CHECKSUMS.iter().copied().chain(["etag"]) {
                        cx.effects.push(Effect::RemoveHeader(Side::Response, name.into()));
                    }
                }
                cx.effects.push(Effect::ReplaceBody(Side::Response, edited));
                Flow::Continue
            }
        }
    }

    /// Judges a whole answer. Answers the bytes that are delivered instead of it, if they differ.
    fn judge_answer(&mut self, body: &[u8], answer: Answer, cx: &mut Context<'_>) -> Result<Judged, Denial> {
        let Some(mut facts) = self.facts.take() else { return Err(Denial::new(Reason::InternalHost)) };
        // Judged again, as when detectors have answered, it is cut again.
        facts.tools.start_answer();
        let result = self.judge_answer_with(body, answer, &mut facts, cx);
        self.facts = Some(facts);
        // A finding in an answer is none of the caller's fault, and says so.
        result.map_err(|denial| match denial.reason {
            Reason::ContentDenied => Denial { reason: Reason::AnswerDenied, ..denial },
            Reason::ContentUnscannable | Reason::ContentDetectorUnavailable => {
                Denial { reason: Reason::AnswerUnscannable, ..denial }
            }
            _ => denial,
        })
    }

    fn judge_answer_with(
        &mut self,
        body: &[u8],
        answer: Answer,
        facts: &mut Facts,
        cx: &mut Context<'_>,
    ) -> Result<Judged, Denial> {
        self.record.content_out = body_digest(cx.engine, body);
        let plan = cx.engine.content.plan(&facts.roles, facts.target, Side::Response);
        self.trace_plan(Side::Response, facts, cx);
        let mut inspector = inspector(&plan, cx.engine, None);
        if body.is_empty() {
            return Ok(Judged::Pass(None));
        }
        let document = match Document::parse(body, &cx.engine.json_limits) {
            // Servers that leave `content-type` out, or have it guessed as `text/plain`, mean JSON all the same, and so do
            // the clients that read it.
            Ok(document) => document,
            Err(_) if !answer.json => {
                let Ok(text) = std::str::from_utf8(body) else { return self.not_read(cx) };
                let show = |sink: Sink<'_>| sink(text, Channel::Metadata);
                let Some(found) = self.ask_outside(Side::Response, &plan, &show, cx)? else { return Ok(Judged::Wait) };
                (inspector.shingles, inspector.external) = (Some(&facts.shingles), Some(&found));
                let outcome = inspector.text(text, Channel::Metadata, &mut facts.budget);
                return self.remember("out", outcome).map(Judged::Pass);
            }
            Err(_) => return self.not_read(cx),
        };
        if let (Some(key), true) = (&cx.engine.audit.texts, self.record.texts_out.is_empty()) {
            self.record.texts_out = message::digests(key, Side::Response, &document, &facts.call);
        }
        if self.record.captured_out.is_none() {
            self.record.captured_out = message::captured(cx.engine, Side::Response, body, Some(&document), None);
        }
        if facts.call.api.is_message() {
            return self.judge_incoming(&document, answer.success, &plan, facts, cx);
        }
        let root = document.root();
        if let Some(left) = self.without_calls(&document, facts, cx)? {
            return Ok(match self.judge_answer_with(&left, answer, facts, cx)? {
                Judged::Pass(None) => Judged::Pass(Some(left)),
                judged => judged,
            });
        }
        let mut edits = Vec::new();
        match facts.call.operation {
            Operation::ListModels if answer.success => {
                let filtered = filter_models(root, &mut |model| {
                    let name = cx.engine.models.find(model).map_or(model, |m| m.name.as_str());
                    cx.engine.access.may_use(&facts.roles, facts.target, name)
                });
                match filtered {
                    Some(removals) => edits = removals,
                    None => return self.not_read(cx),
                }
            }
            operation if answer.success && !operation.must_be_named() => self.account(facts.call.api, root, cx)?,
            _ => {}
        }
        if answer.success {
            let (mut scripts, mut bytes) = (Scripts::default(), 0u64);
            protocol::walk(Side::Response, root, &mut |leaf: protocol::Leaf<'_>| {
                if let (protocol::Place::Value(token), Channel::Assistant) = (leaf.place, leaf.of.channel) {
                    let text = token.text();
                    bytes = bytes.saturating_add(text.len() as u64);
                    scripts.push(&text);
                }
            });
            self.note_shape(facts.script, &scripts, bytes, cx);
        }
        let back =
            Back { restore: &facts.restore, restoring_tools: &cx.engine.restoring_tools, structured: facts.structured };
        let bytes = {
            use protocol::Media::{Audio, Document, File, Image, Video};
            [Image, Audio, Video, Document, File]
        };
        let media = protocol::media(root);
        if !facts.call.operation.is_for_media() && bytes.iter().any(|m| media.contains(*m)) {
            // Where the policy lets that pass unread, the rest of the answer is read all the same.
            self.not_read(cx)?;
        }
        let numbers = facts.call.operation != Operation::Embeddings;
        let show = |sink: Sink<'_>| redact::show(&document, Side::Response, numbers, &[], sink);
        let Some(found) = self.ask_outside(Side::Response, &plan, &show, cx)? else { return Ok(Judged::Wait) };
        self.capture_again(Side::Response, &document, &found, cx);
        (inspector.shingles, inspector.external) = (Some(&facts.shingles), Some(&found));
        let outcome = inspector.answer(&document, back, facts.call.operation, &edits, &mut facts.budget);
        self.remember("out", outcome).map(Judged::Pass)
    }

    pub(super) fn not_read(&mut self, cx: &Context<'_>) -> Result<Judged, Denial> {
        self.note(Reason::AnswerUnscannable);
        match cx.engine.unscannable {
            Verdict::Allow => Ok(Judged::Pass(None)),
            Verdict::Deny => Err(Denial::new(Reason::AnswerUnscannable)),
        }
    }

    /// Usage, cost, and whether the model that was asked for is the one that answered.
    fn account(&mut self, api: Api, root: Node<'_>, cx: &Context<'_>) -> Result<(), Denial> {
        self.record.usage = Usage::of(api, root).or(self.record.usage);
        self.price(cx);
        let model = self.record.model.clone().unwrap_or_default();
        let Some(answered) = protocol::answered_by(root) else { return Ok(()) };
        let same = model == protocol::DEFAULT_MODEL || cx.engine.models.same(&model, &answered);
        self.record.answered_by = Some(answered);
        if same {
            return Ok(());
        }
        self.note(Reason::ModelMismatch);
        match cx.engine.model_mismatch {
            Verdict::Allow => Ok(()),
            Verdict::Deny => Err(Denial::new(Reason::ModelMismatch)),
        }
    }
}
