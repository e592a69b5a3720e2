//! An exchange played over core alone, with the host in memory, the way Envoy plays it.
//!
//! One [`Proxy`] is one Envoy that has seen nothing yet: one worker, its shared store, its clock. Bodies come whole, answers in
//! the pieces that the test says. Calls that the filter makes are answered at once by what the test says, or not at all.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{anyhow, bail};
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Call, CallResult, Effect, Event, Exchange, Flow, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};

use crate::format::Answer;
use crate::identity::Proof;
use crate::message::Message;
use crate::outcome::{Delivered, Outcome, Received, header};
use crate::suite::{Shot, Stage};

/// Rounds of calls and wakes in one exchange: beyond it something goes in circles.
const MAX_ROUNDS: usize = 64;

/// The header that Envoy chooses a route by.
const ROUTE: &str = "x-doorward-route";

/// Compiles a stage's policy.
///
/// # Errors
/// Every mistake in it.
pub fn compile(stage: &Stage) -> anyhow::Result<Engine> {
    Engine::compile(&stage.policy, &|name| Some(stage.variable(name))).map_err(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow!("the policy does not compile: {} (`doorward check` shows where)", all.join("; "))
    })
}

/// An Envoy with the filter in it.
pub struct Proxy<'s> {
    stage: &'s Stage,
    engine: &'s Engine,
    worker: Worker,
    host: MemoryHost,
    now_ms: u64,
    exchanges: u32,
}

impl<'s> Proxy<'s> {
    /// One that has seen nothing yet, at a time in milliseconds since 1970.
    ///
    /// # Errors
    /// The store in memory failed.
    pub fn new(stage: &'s Stage, engine: &'s Engine, now_ms: u64) -> anyhow::Result<Self> {
        let mut host = MemoryHost::default();
        let mut worker = Worker::new(engine);
        worker.start(engine, &mut host).map_err(|e| anyhow!("the filter does not start: {e}"))?;
        Ok(Self { stage, engine, worker, host, now_ms, exchanges: 0 })
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Plays an exchange.
    ///
    /// # Errors
    /// The test says what cannot be played.
    pub fn play(&mut self, shot: &Shot, calls: &BTreeMap<String, Answer>) -> anyhow::Result<Outcome> {
        self.now_ms = self.now_ms.saturating_add(shot.after_ms);
        let at = Time(self.now_ms.saturating_mul(1_000_000));
        if shot.after_ms > 0 {
            let mut effects = Vec::new();
            self.worker.tick(self.engine, at, &mut self.host, &mut effects);
        }
        let proof = self.stage.proof(shot, self.now_ms / 1000)?;
        self.exchanges += 1;
        self.host.attributes.clear();
        self.host.bodies.clear();
        self.host.set_attribute(Attribute::Cluster, &shot.place.cluster);
        self.host.set_attribute(Attribute::RequestId, &format!("test-{}", self.exchanges));
        if let Some(route) = &shot.place.route {
            self.host.set_attribute(Attribute::Route, route);
        }
        self.connect(&proof);
        let mut run = Run {
            proxy: self,
            exchange: Exchange::new(1),
            calls,
            at,
            request: Half::default(),
            response: Half::default(),
            reply: None,
            pending: VecDeque::new(),
            outcome: Outcome::default(),
        };
        run.request(shot, &proof)?;
        if run.reply.is_none() && run.request.gone {
            run.upstream();
            run.answer(shot)?;
        }
        let _ = run.tell(Event::Done { spent_us: 1 });
        run.finish()
    }

    fn connect(&mut self, proof: &Proof) {
        if let Some(peer) = &proof.peer {
            self.host.set_attribute(Attribute::PeerUri, peer);
        }
        if let Some((namespace, key, payload)) = &proof.metadata {
            self.host.set_attribute(Attribute::Metadata(namespace, key), payload);
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    headers: Vec<(String, Vec<u8>)>,
    /// What the filter reads at this event.
    held: Vec<u8>,
    /// What went on.
    out: Vec<u8>,
    /// The head has gone on: it cannot be changed any more.
    gone: bool,
    resumed: bool,
}

impl Half {
    fn set(&mut self, name: &str, value: Vec<u8>) {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value));
    }

    fn text(&self) -> Vec<(String, String)> {
        let text = |(n, v): &(String, Vec<u8>)| (n.clone(), String::from_utf8_lossy(v).into_owned());
        self.headers.iter().map(text).collect()
    }
}

struct Run<'p, 's> {
    proxy: &'p mut Proxy<'s>,
    exchange: Exchange,
    calls: &'p BTreeMap<String, Answer>,
    at: Time,
    request: Half,
    response: Half,
    reply: Option<Delivered>,
    pending: VecDeque<Call>,
    outcome: Outcome,
}

impl Run<'_, '_> {
    fn request(&mut self, shot: &Shot, proof: &Proof) -> anyhow::Result<()> {
        let message = shot.request.message()?;
        let body = message.body();
        self.request.headers = head(shot, proof, &message, body.len());
        self.outcome.sent.clone_from(&body);
        self.outcome.asked = self.request.text();
        let headers = Headers::new(self.request.headers.iter().cloned());
        let flow = self.tell(Event::Head { side: Side::Request, headers: &headers, end: body.is_empty() });
        self.settle(Side::Request, flow)?;
        if body.is_empty() || self.reply.is_some() {
            return Ok(());
        }
        let ahead = std::mem::take(&mut self.request.gone);
        self.request.held.clone_from(&body);
        let available = self.offer(Side::Request);
        let flow = self.tell(Event::Body { side: Side::Request, available, end: true });
        // The head that went ahead is out of reach.
        self.request.gone |= ahead && flow == Flow::Continue;
        self.settle(Side::Request, flow)?;
        if self.request.gone && self.reply.is_none() {
            self.request.out = std::mem::take(&mut self.request.held);
        }
        Ok(())
    }

    /// The request is at the upstream.
    fn upstream(&mut self) {
        let headers = self.request.text();
        let stage = self.proxy.stage;
        let asked = header(&headers, ROUTE).and_then(|value| stage.ways.get(value)).cloned();
        let target = asked
            .or_else(|| self.proxy.stage.targets.iter().find(|t| self.at(&t.cluster)).and_then(|t| t.target.clone()));
        self.outcome.upstream = Some(Received {
            target,
            path: header(&headers, ":path").unwrap_or_default().to_owned(),
            headers: headers.into_iter().filter(|(name, _)| !name.starts_with(':')).collect(),
            body: std::mem::take(&mut self.request.out),
        });
    }

    fn at(&self, cluster: &str) -> bool {
        self.proxy.host.attributes.get(&format!("{:?}", Attribute::Cluster)).is_some_and(|now| now == cluster)
    }

    fn answer(&mut self, shot: &Shot) -> anyhow::Result<()> {
        let nothing = Answer { status: Some(204), ..Answer::default() };
        let answer = shot.answer.as_ref().unwrap_or(&nothing);
        let message = answer.message()?;
        let whole = message.body();
        self.outcome.answered.clone_from(&whole);
        self.response.set(":status", answer.status().to_string().into_bytes());
        for (name, value) in &message.headers {
            self.response.headers.push((name.clone(), value.clone().into_bytes()));
        }
        if answer.events.is_none() && !whole.is_empty() {
            self.response.set("content-length", whole.len().to_string().into_bytes());
        }
        let headers = Headers::new(self.response.headers.iter().cloned());
        let end = message.pieces.is_empty();
        let flow = self.tell(Event::Head { side: Side::Response, headers: &headers, end });
        self.settle(Side::Response, flow)?;
        for (i, piece) in message.pieces.iter().enumerate() {
            if self.reply.is_some() {
                break;
            }
            self.response.held.extend_from_slice(piece);
            self.response.resumed = false;
            let available = self.offer(Side::Response);
            let end = i + 1 == message.pieces.len();
            let flow = self.tell(Event::Body { side: Side::Response, available, end });
            let goes_on = self.settle(Side::Response, flow)?;
            if goes_on && self.reply.is_none() {
                let held = std::mem::take(&mut self.response.held);
                self.response.out.extend_from_slice(&held);
            }
        }
        Ok(())
    }

    /// Lets the host show what is held of a body.
    fn offer(&mut self, side: Side) -> usize {
        let held = self.half(side).held.clone();
        let size = held.len();
        self.proxy.host.bodies.insert(side, held);
        size
    }

    /// Answers the calls that were made meanwhile; whether the direction goes on.
    fn settle(&mut self, side: Side, flow: Flow) -> anyhow::Result<bool> {
        for _ in 0..MAX_ROUNDS {
            let Some(call) = self.pending.pop_front() else {
                let goes_on = flow == Flow::Continue || self.half(side).resumed;
                self.half(side).gone |= goes_on;
                return Ok(goes_on && self.reply.is_none());
            };
            let answer = match self.calls.get(&call.cluster) {
                Some(answer) => Some((answer.status(), answer.message()?.body())),
                None => None,
            };
            let mut effects = Vec::new();
            let Proxy { engine, worker, host, .. } = &mut *self.proxy;
            let woken = worker.call_done(engine, CallResult { id: call.id, answer }, self.at, host, &mut effects);
            effects.into_iter().for_each(|effect| self.carry_out(effect));
            if !woken.is_empty() {
                let _ = self.tell(Event::Wake);
            }
        }
        bail!("the filter went on calling for {MAX_ROUNDS} rounds")
    }

    fn tell(&mut self, event: Event<'_>) -> Flow {
        let mut effects = Vec::new();
        let Proxy { engine, worker, host, .. } = &mut *self.proxy;
        let flow = self.exchange.on(event, self.at, engine, worker, host, &mut effects);
        effects.into_iter().for_each(|effect| self.carry_out(effect));
        flow
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::SetHeader(side, name, value) if !self.half(side).gone => {
                if side == Side::Request && name == ROUTE {
                    self.reroute(&String::from_utf8_lossy(&value));
                }
                self.half(side).set(name, value);
            }
            Effect::RemoveHeader(side, name) if !self.half(side).gone => {
                self.half(side).headers.retain(|(n, _)| *n != name);
            }
            Effect::ReplaceBody(side, bytes) => {
                self.half(side).held = bytes;
                self.offer(side);
            }
            Effect::Reply(reply) => {
                let headers = reply.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
                let headers = headers.collect();
                self.reply.get_or_insert(Delivered { status: reply.status, headers, body: reply.body });
            }
            Effect::Resume(side) => self.half(side).resumed = true,
            Effect::Call(call) => self.pending.push_back(call),
            Effect::Record(values) => {
                self.outcome.record.extend(values.into_iter().map(|(key, value)| (key.to_owned(), value)));
            }
            Effect::SetHeader(..)
            | Effect::RemoveHeader(..)
            | Effect::ForbidTrailers(_)
            | Effect::Measure(_)
            | Effect::Checkpoint(_) => {}
        }
    }

    /// Envoy chooses the route by the header: the target's cluster and route.
    fn reroute(&mut self, value: &str) {
        let Some(place) = self.proxy.stage.ways.get(value).and_then(|target| self.proxy.stage.target(target)) else {
            return;
        };
        self.proxy.host.set_attribute(Attribute::Cluster, &place.cluster);
        match &place.route {
            Some(route) => self.proxy.host.set_attribute(Attribute::Route, route),
            None => _ = self.proxy.host.attributes.remove(&format!("{:?}", Attribute::Route)),
        }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }

    fn finish(mut self) -> anyhow::Result<Outcome> {
        if self.reply.is_none() && self.outcome.upstream.is_none() {
            bail!("the request neither went on nor was it answered: it waits for a call that nobody answers");
        }
        // A refusal after the head of the answer has gone cuts the stream off.
        self.outcome.caller = self.exchange.principal().cloned();
        self.outcome.trace = self.exchange.trace().clone();
        self.outcome.client = self.reply.take().or_else(|| {
            let headers = self.response.text();
            Some(Delivered {
                status: header(&headers, ":status")?.parse().ok()?,
                headers: headers.into_iter().filter(|(name, _)| !name.starts_with(':')).collect(),
                body: std::mem::take(&mut self.response.out),
            })
        });
        Ok(self.outcome)
    }
}

/// A request's headers as Envoy shows them.
fn head(shot: &Shot, proof: &Proof, message: &Message, length: usize) -> Vec<(String, Vec<u8>)> {
    let mut headers: Vec<(String, String)> = vec![
        (":method".to_owned(), shot.request.method().to_owned()),
        (":path".to_owned(), shot.request.path.clone()),
        (":scheme".to_owned(), "http".to_owned()),
    ];
    let authority = header(&message.headers, "host").unwrap_or("gateway.test");
    headers.push((":authority".to_owned(), authority.to_owned()));
    headers.extend(message.headers.iter().filter(|(name, _)| name != "host").cloned());
    headers.extend(proof.header.clone());
    if length > 0 {
        headers.push(("content-length".to_owned(), length.to_string()));
    }
    headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
}
