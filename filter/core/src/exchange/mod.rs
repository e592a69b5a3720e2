//! One HTTP stream as a state machine: events in, effects out.
//!
//! The head decides what it can before any body is held; the body is judged as a whole; the answer is judged
//! before it is delivered. Under a policy that only observes, the exchange is a tap: nothing is held, changed or
//! refused, bytes are copied as they pass, and what would have happened is recorded.

mod body;
mod candidate;
mod course;
mod estimate;
mod event;
mod forward;
mod global;
mod head;
mod line;
mod mcp;
mod models;
mod outside;
mod quota;
mod response;
mod route;
mod stream;
mod tools;
mod upgrade;
mod wait;

use std::rc::Rc;

use tools::Tools;

pub use event::{Call, CallResult, Effect, Event, Flow, LocalReply, Measure, Time};
pub(crate) use mcp::prepare_sessions;

use crate::audit::{Record, message};
use crate::engine::{Engine, Worker};
use crate::head::Headers;
use crate::host::{Host, Side};
use crate::identity::Principal;
use crate::inspect::{Budget, Script, Scripts, Shingles};
use crate::policy::{Mode, RoleSet};
use crate::protocol::{self, Dialect, Found, Heads, NoCall};
use crate::redact::RestoreMap;
use crate::reply::{Denial, Reason, Rpc};
use crate::stream::Captured;

/// One HTTP stream.
#[derive(Debug)]
pub struct Exchange {
    id: u32,
    stage: Stage,
    dialect: Dialect,
    record: Record,
    facts: Option<Facts>,
    /// Copies of what passed, where the policy only observes.
    tap: Option<Tap>,
    /// The answer began before the request was judged.
    early: bool,
    /// The caller signed the request for the provider: nothing of it may change.
    signed: bool,
    /// What external detectors were asked about the request, and about the answer.
    asked_request: Option<outside::Asked>,
    asked_answer: Option<outside::Asked>,
    /// What a client of MCP is told beside a reason.
    rpc: Option<Box<Rpc>>,
    /// What it counts under limits.
    quota: quota::Quota,
    /// What it is a part of.
    course: course::Course,
    /// The stream only listens, and ends with the proof of its caller: in milliseconds since 1970.
    listens_until: Option<u64>,
    /// The caller whom the live policy has proven, where this is a candidate's look at the request.
    proven: Option<Rc<Principal>>,
    /// The candidate's look at it.
    shadow: Option<Box<candidate::Shadow>>,
    /// What the client got of a stream's texts, where the policy wants them on the record.
    captured: Option<Box<Captured>>,
}

/// How far an exchange is.
#[derive(Debug)]
enum Stage {
    /// Nothing seen yet.
    New,
    /// Not governed, or governed no further: everything passes.
    Pass,
    /// The head waits for keys.
    Waiting(Box<Waiting>),
    /// The request's body is being held (or copied).
    Request,
    /// The request went on; the answer is awaited.
    Sent,
    /// The answer's body is being held (or copied).
    Answer(response::Answer),
    /// The answer is a stream.
    Stream(Box<stream::Streaming>),
    /// The answer's body gives way to this one.
    Replace(Vec<u8>),
    /// Answered locally: nothing passes any more, and the answer's own events are none of ours.
    Over,
}

/// A head that waits for keys.
#[derive(Debug)]
struct Waiting {
    headers: Headers,
    end: bool,
    since_ms: u64,
    call: Result<Found, NoCall>,
    target: usize,
    /// Some of the body came meanwhile.
    body_came: bool,
    /// All of it did.
    body_ended: bool,
}

/// What the head established.
#[derive(Debug)]
struct Facts {
    target: usize,
    call: protocol::Call,
    roles: Rc<RoleSet>,
    /// The request came with a content-length, which must stay true.
    length: bool,
    /// Headers of the request that are true of its body as it came only.
    checksums: Vec<&'static str>,
    budget: Budget,
    /// The model that the path names, as it stands there.
    path_model: Option<String>,
    /// A streamed answer is expected.
    streams: bool,
    /// The stream was asked for its usage on our account: the event that tells it is not the caller's.
    hides_usage: bool,
    /// The answer's text is to be JSON.
    structured: bool,
    /// The request's system texts, where answers are not to repeat them.
    shingles: Shingles,
    /// The script that the caller writes in.
    script: Option<Script>,
    /// What the request's placeholders stand for.
    restore: RestoreMap,
    /// How it goes to where it is judged for.
    way: route::Way,
    /// What headers say of a message of MCP.
    mcp: Heads,
    /// What the caller called, where the answer may tell the address of an endpoint.
    called: Option<mcp::Called>,
    /// The upstream was told who calls.
    is_told: bool,
    /// What is known of its tools.
    tools: Tools,
}

/// Copies of one body at a time.
#[derive(Debug, Default)]
struct Tap {
    bytes: Vec<u8>,
    /// More came than is read.
    over: bool,
}

/// What an event is handled with.
struct Context<'a> {
    engine: &'a Engine,
    worker: &'a mut Worker,
    host: &'a mut dyn Host,
    effects: &'a mut Vec<Effect>,
    at: Time,
}

impl Exchange {
    /// A stream that the host calls `id`.
    pub fn new(id: u32) -> Self {
        Self {
            id,
            stage: Stage::New,
            dialect: Dialect::default(),
            record: Record::default(),
            facts: None,
            tap: None,
            early: false,
            signed: false,
            asked_request: None,
            asked_answer: None,
            rpc: None,
            quota: Default::default(),
            course: Default::default(),
            listens_until: None,
            proven: None,
            shadow: None,
            captured: None,
        }
    }

    /// Tells what happened; answers what the host does with the stream, after it carried out `effects` (appended).
    pub fn on(
        &mut self,
        event: Event<'_>,
        at: Time,
        engine: &Engine,
        worker: &mut Worker,
        host: &mut dyn Host,
        effects: &mut Vec<Effect>,
    ) -> Flow {
        let cx = &mut Context { engine, worker, host, effects, at };
        match event {
            Event::Head { side: Side::Request, headers, end } => self.request_head(headers, end, cx),
            Event::Body { side: Side::Request, available, end } => self.request_body(available, end, cx),
            Event::Head { side: Side::Response, headers, end } => self.response_head(headers, end, cx),
            Event::Body { side: Side::Response, available, end } => self.response_body(available, end, cx),
            Event::Wake => self.wake(cx),
            Event::Done { spent_us } => {
                self.done(spent_us, cx);
                Flow::Continue
            }
        }
    }

    /// Refuses. In a policy that only observes, the first refusal is recorded and the stream goes on.
    fn deny(&mut self, denial: Denial, cx: &mut Context<'_>) -> Flow {
        let denial = Denial { rpc: self.rpc.clone(), ..denial };
        self.record.judged = true;
        self.record.denial.get_or_insert(denial.reason);
        if self.tap.is_some() {
            return Flow::Continue;
        }
        self.record.enforced = true;
        self.stage = Stage::Over;
        self.forget_outside(cx);
        self.uncharge(cx);
        let mut reply = denial.reply(self.dialect);
        reply.headers.extend(self.limit_headers());
        cx.effects.push(Effect::Reply(reply));
        Flow::Hold
    }

    /// Notes an answer in another script than the caller's, and one of unusual size.
    fn note_shape(&mut self, asked: Option<Script>, scripts: &Scripts, bytes: u64, cx: &Context<'_>) {
        if let (Some(asked), Some(answered)) = (asked, scripts.dominant())
            && asked != answered
        {
            self.note(Reason::AnswerLanguage);
        }
        if bytes > cx.engine.note_bytes {
            self.note(Reason::AnswerSize);
        }
    }

    /// What was read and judged so far.
    #[cfg(feature = "trace")]
    pub fn trace(&self) -> &crate::trace::Trace {
        &self.record.trace
    }

    /// The caller, as proven.
    #[cfg(feature = "trace")]
    pub fn principal(&self) -> Option<&Principal> {
        self.record.principal.as_deref()
    }

    /// Notes which content statements apply, for people.
    #[cfg(feature = "trace")]
    fn trace_plan(&mut self, side: Side, facts: &Facts, cx: &Context<'_>) {
        let name = if side == Side::Request { "in" } else { "out" };
        let statements = cx.engine.content.considered(&facts.roles, facts.target, side);
        self.record.trace.planned(name, statements);
    }

    /// Nobody asks why.
    #[cfg(not(feature = "trace"))]
    #[inline(always)]
    fn trace_plan(&mut self, _: Side, _: &Facts, _: &Context<'_>) {}

    fn note(&mut self, reason: Reason) {
        if !self.record.notes.contains(&reason.code()) {
            self.record.notes.push(reason.code());
        }
    }

    fn prove(&mut self, principal: Rc<Principal>, cx: &mut Context<'_>) -> Rc<RoleSet> {
        let roles = cx.worker.roles(cx.engine, &principal);
        self.record.roles = cx.engine.roles.names(&roles).map(str::to_owned).collect();
        self.record.principal = Some(principal);
        if cx.engine.record_caller_first {
            cx.effects.push(Effect::Record(self.record.caller(&cx.engine.audit)));
        }
        roles
    }

    /// Settles and writes the record, however the exchange ended.
    fn done(&mut self, spent_us: u64, cx: &mut Context<'_>) {
        if matches!(self.stage, Stage::Pass) && self.record.target.is_none() && cx.engine.mode == Mode::Enforce {
            // Ungoverned traffic that passes is counted, and otherwise none of our business.
            self.record.judged = true;
        }
        // Cut off: the client went, or the upstream.
        self.stream_over(cx);
        if let Some(captured) = self.captured.take() {
            self.record.captured_out = captured.finish(message::redactor(cx.engine).as_ref());
        }
        self.settle(cx);
        self.settle_course(cx);
        self.forget_outside(cx);
        self.forget_listening(cx);
        self.compare(cx);
        let mut values = self.record.values(cx.engine.stamp(spent_us));
        cx.worker.link(cx.engine, cx.at, cx.host, &mut values, cx.effects);
        cx.effects.push(Effect::Record(values));
        cx.effects.extend(self.record.measures(spent_us, &cx.engine.conventions).into_iter().map(Effect::Measure));
    }
}

impl Tap {
    /// Copies what just passed, up to the bound.
    fn copy(&mut self, side: Side, available: usize, cx: &mut Context<'_>) {
        if self.over || available == 0 {
            return;
        }
        if self.bytes.len().saturating_add(available) > cx.engine.max_body {
            self.over = true;
            self.bytes = Vec::new();
            return;
        }
        match cx.host.body(side) {
            Ok(bytes) => self.bytes.extend_from_slice(&bytes),
            Err(_) => self.over = true,
        }
    }

    /// Copies what the host holds.
    fn copy_held(&mut self, cx: &mut Context<'_>) {
        match cx.host.body(Side::Request) {
            Ok(bytes) if bytes.len() <= cx.engine.max_body => self.bytes = bytes,
            _ => self.over = true,
        }
    }

    /// The copied body, whole; `None` where it was too large.
    fn take(&mut self) -> Option<Vec<u8>> {
        let tap = std::mem::take(self);
        (!tap.over).then_some(tap.bytes)
    }
}
