//! The state of one VM, and the way from each callback of the host to core and back.
//!
//! A VM serves several root contexts (one per configuration) and their streams. A root has one live *generation* of
//! configuration, an engine and its worker; streams stay with the generation they started with, so that an old one lives
//! until its last stream is over.
//!
//! The host decides what is called when. Ids it never named, ends told twice and callbacks out of order are passed over.
//! A callback inside another (Envoy answers a body that outgrew its buffer while the filter is still writing it) finds the
//! state in use; what must not be lost of those is done afterwards.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use doorward_core::exchange::{CallResult, Effect, Event, Flow, Time};
use doorward_core::head::Headers;
use doorward_core::host::Side;

use crate::abi::{Action, Buffer, Level, Map, calls};
use crate::effects::{Caller, Calls, Target, Undone};
use crate::engine::{Engine, Worker};
use crate::host::Envoy;
use crate::metrics::Metrics;
use crate::stream::Stream;
use crate::{config, pairs};

/// The longest answer to a call-out that is read: no key set is longer.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// Milliseconds until the tick that tells of refused calls.
const SOON: u32 = 1;

thread_local! {
    static VM: RefCell<Vm> = RefCell::default();
    /// Ends of streams that came while the state was in use.
    static LATE: Cell<Vec<Late>> = const { Cell::new(Vec::new()) };
}

#[derive(Clone, Copy, Debug)]
enum Late {
    Log(u32),
    Delete(u32),
}

/// A root context has a configuration: whether it is taken. One that is not leaves the old one going on.
pub fn configure(root: u32, size: usize) -> bool {
    with(|vm| vm.configure(root, size)).unwrap_or(false)
}

/// A root context's timer.
pub fn tick(root: u32) {
    with(|vm| vm.tick(root));
}

/// A context begins: a root context (`root` is 0), or a stream of one.
pub fn create(context: u32, root: u32) {
    with(|vm| vm.create(context, root));
}

/// The head of a request or an answer.
pub fn headers(stream: u32, side: Side, end: bool) -> Action {
    with(|vm| vm.headers(stream, side, end)).unwrap_or(unserved(side))
}

/// Part of a body, or its end: `size` bytes can be read.
pub fn body(stream: u32, side: Side, size: usize, end: bool) -> Action {
    with(|vm| vm.body(stream, side, size, end)).unwrap_or(unserved(side))
}

/// The end of a body that trailers follow.
pub fn trailers(stream: u32, side: Side) -> Action {
    with(|vm| vm.trailers(stream, side)).unwrap_or(unserved(side))
}

/// An HTTP call ended; `headers` is 0 where it failed.
pub fn call_response(root: u32, token: u32, headers: usize, size: usize) {
    with(|vm| vm.call_response(root, token, headers, size));
}

/// A stream is over.
pub fn log(stream: u32) {
    if with(|vm| vm.done(stream)).is_none() {
        late(Late::Log(stream));
    }
}

/// A context is gone.
pub fn delete(context: u32) {
    if with(|vm| vm.delete(context)).is_none() {
        late(Late::Delete(context));
    }
}

/// Runs `f` on the state, and then what came late. Nothing where the state is in use.
fn with<R>(f: impl FnOnce(&mut Vm) -> R) -> Option<R> {
    VM.try_with(|vm| {
        let mut vm = vm.try_borrow_mut().ok()?;
        let result = f(&mut vm);
        for late in LATE.try_with(Cell::take).unwrap_or_default() {
            match late {
                Late::Log(stream) => vm.done(stream),
                Late::Delete(context) => vm.delete(context),
            }
        }
        Some(result)
    })
    .ok()
    .flatten()
}

fn late(what: Late) {
    let _ = LATE.try_with(|late| {
        let mut list = late.take();
        list.push(what);
        late.set(list);
    });
}

/// What becomes of a direction that cannot be served: a request stops; an answer to it can only be Envoy's own.
fn unserved(side: Side) -> Action {
    match side {
        Side::Request => Action::Pause,
        Side::Response => Action::Continue,
    }
}

#[derive(Debug, Default)]
struct Vm {
    /// The live generation of each root context, once it has one.
    roots: HashMap<u32, Option<u32>>,
    generations: HashMap<u32, Generation>,
    streams: HashMap<u32, Stream>,
    metrics: Metrics,
    calls: Calls,
    last_generation: u32,
    /// Kept for its memory.
    effects: Vec<Effect>,
}

/// One accepted configuration.
#[derive(Debug)]
struct Generation {
    root: u32,
    engine: Engine,
    worker: Worker,
    streams: usize,
}

impl Vm {
    fn configure(&mut self, root: u32, size: usize) -> bool {
        let Ok(bytes) = calls::buffer(Buffer::Configuration, size) else {
            calls::log(Level::Error, "configuration refused: the host does not hand it over");
            return false;
        };
        if calls::now().is_err() {
            // Without a clock every token would be expired, or none.
            calls::log(
                Level::Error,
                "configuration refused: the host grants no clock (help: capability_restriction_config must allow what \
                 envoy/capabilities.txt lists)",
            );
            return false;
        }
        let engine = match config::compile(&bytes) {
            Ok(engine) => engine,
            Err(problems) => {
                for problem in &problems {
                    calls::log(Level::Error, &format!("configuration refused: {problem}"));
                }
                return false;
            }
        };
        self.last_generation += 1;
        let id = self.last_generation;
        let worker = Worker::new(&engine);
        self.generations.insert(id, Generation { root, engine, worker, streams: 0 });
        let old = self.roots.insert(root, Some(id)).flatten();
        if let Some(old) = old {
            self.retire(old);
        }
        self.set_tick(root);
        true
    }

    fn create(&mut self, context: u32, root: u32) {
        if root == 0 {
            self.roots.entry(context).or_default();
        } else if !self.streams.contains_key(&context) {
            let generation = self.roots.get(&root).copied().flatten();
            if let Some(generation) = generation.and_then(|id| self.generations.get_mut(&id)) {
                generation.streams += 1;
            }
            self.streams.insert(context, Stream::new(context, generation));
        }
    }

    fn delete(&mut self, context: u32) {
        if self.roots.remove(&context).is_some() {
            let gone: Vec<u32> = self.generations_of(context).collect();
            for id in gone {
                self.generations.remove(&id);
                self.calls.forget(id);
            }
            return;
        }
        self.done(context);
        if let Some(id) = self.streams.remove(&context).and_then(|s| s.generation) {
            if let Some(generation) = self.generations.get_mut(&id) {
                generation.streams = generation.streams.saturating_sub(1);
            }
            self.retire(id);
        }
    }

    /// Drops a generation that is neither live nor in use.
    fn retire(&mut self, id: u32) {
        let over = |g: &Generation| g.streams == 0 && self.roots.get(&g.root).copied().flatten() != Some(id);
        if self.generations.get(&id).is_some_and(over) {
            self.generations.remove(&id);
            self.calls.forget(id);
        }
    }

    fn headers(&mut self, id: u32, side: Side, end: bool) -> Action {
        let Some(stream) = self.streams.get_mut(&id) else { return refuse(side) };
        let half = stream.half(side);
        if half.head_told {
            return if half.held { Action::Pause } else { Action::Continue };
        }
        half.head_told = true;
        if stream.generation.is_none_or(|g| !self.generations.contains_key(&g)) {
            return refuse(side);
        }
        let map = match side {
            Side::Request => Map::Request,
            Side::Response => Map::Response,
        };
        // A head without headers is none; the host that says so has lost them.
        let pairs = calls::header_map(map).ok().and_then(|bytes| pairs::parse(&bytes)).filter(|p| !p.is_empty());
        let Some(headers) = pairs.map(Headers::new) else {
            self.fail(id);
            return Action::Pause;
        };
        #[cfg(feature = "trap")]
        trap(&headers);
        stream.half(side).headers_open = true;
        stream.half(side).end_told = end;
        self.tell(id, side, Event::Head { side, headers: &headers, end })
    }

    fn body(&mut self, id: u32, side: Side, size: usize, end: bool) -> Action {
        let Some(stream) = self.streams.get_mut(&id) else { return unserved(side) };
        let half = stream.half(side);
        if half.end_told {
            return if half.held { Action::Pause } else { Action::Continue };
        }
        half.body = Some(size);
        half.end_told = end;
        self.tell(id, side, Event::Body { side, available: size, end })
    }

    fn trailers(&mut self, id: u32, side: Side) -> Action {
        let Some(stream) = self.streams.get_mut(&id) else { return unserved(side) };
        let half = stream.half(side);
        if half.end_told {
            return if half.held { Action::Pause } else { Action::Continue };
        }
        half.end_told = true;
        let available = half.body.unwrap_or(0);
        self.tell(id, side, Event::Body { side, available, end: true })
    }

    fn done(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if std::mem::replace(&mut stream.done, true) {
            return;
        }
        stream.request.settle(false);
        stream.response.settle(false);
        let spent_us = stream.spent_ns / 1_000;
        let _ = self.happen(id, None, Event::Done { spent_us });
    }

    fn tick(&mut self, root: u32) {
        let ids: Vec<u32> = self.generations_of(root).collect();
        let told_refusals = self.calls.any_refused();
        for id in ids {
            while let Some(Caller { call, .. }) = self.calls.refused(id) {
                self.call_done(id, CallResult { id: call, answer: None });
            }
            self.work(id, |generation, at, host, effects| {
                generation.worker.tick(&generation.engine, at, host, effects)
            });
        }
        if told_refusals && !self.calls.any_refused() {
            self.set_tick(root);
        }
    }

    fn call_response(&mut self, _root: u32, token: u32, headers: usize, size: usize) {
        let Some(Caller { generation, call }) = self.calls.ended(token) else { return };
        let answer = (headers > 0 && size <= LONGEST_ANSWER).then(|| answer(size)).flatten();
        self.call_done(generation, CallResult { id: call, answer });
    }

    fn call_done(&mut self, id: u32, result: CallResult) {
        self.work(id, |generation, at, host, effects| {
            generation.worker.call_done(&generation.engine, result, at, host, effects)
        });
    }

    /// Lets a worker work from its root context, then wakes the streams that it names.
    fn work(&mut self, id: u32, f: impl FnOnce(&mut Generation, Time, &mut Envoy, &mut Vec<Effect>) -> Vec<u32>) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let root = generation.root;
        let mut effects = std::mem::take(&mut self.effects);
        let woken = f(generation, now(), &mut Envoy::default(), &mut effects);
        let mut target = Target {
            stream: None,
            running: None,
            context: root,
            root,
            generation: id,
            metrics: &mut self.metrics,
            calls: &mut self.calls,
        };
        for effect in effects.drain(..) {
            let _ = target.carry_out(effect);
        }
        self.effects = effects;
        for stream in woken {
            if calls::set_effective_context(stream).is_err() {
                continue;
            }
            if let Some(Err(Undone)) = self.happen(stream, None, Event::Wake) {
                self.fail(stream);
            }
        }
        let _ = calls::set_effective_context(root);
        self.hurry();
    }

    /// Tells core what a running callback is about, and answers the host.
    fn tell(&mut self, id: u32, side: Side, event: Event<'_>) -> Action {
        // What comes of the response after a local answer is that answer itself.
        let answer = side == Side::Response && self.streams.get(&id).is_some_and(|s| s.replied);
        let outcome = self.happen(id, Some(side), event);
        self.hurry();
        match outcome {
            None => unserved(side),
            Some(Err(Undone)) if !answer => {
                self.fail(id);
                Action::Pause
            }
            Some(outcome) => {
                let Some(stream) = self.streams.get_mut(&id) else { return unserved(side) };
                let hold = !answer && (stream.replied || outcome == Ok(Flow::Hold));
                stream.half(side).settle(hold);
                if hold { Action::Pause } else { Action::Continue }
            }
        }
    }

    /// Tells core of an event and carries its effects out. Nothing where there is no such stream or no engine for it.
    fn happen(&mut self, id: u32, running: Option<Side>, event: Event<'_>) -> Option<Result<Flow, Undone>> {
        let stream = self.streams.get_mut(&id)?;
        let generation_id = stream.generation?;
        let generation = self.generations.get_mut(&generation_id)?;
        let at = now();
        let mut effects = std::mem::take(&mut self.effects);
        let flow = stream.exchange.on(
            event,
            at,
            &generation.engine,
            &mut generation.worker,
            &mut Envoy::of(stream),
            &mut effects,
        );
        let mut target = Target {
            stream: Some(stream),
            running,
            context: id,
            root: generation.root,
            generation: generation_id,
            metrics: &mut self.metrics,
            calls: &mut self.calls,
        };
        let mut outcome = Ok(flow);
        for effect in effects.drain(..) {
            // Those after one that failed are still carried out: the record and the counts among them.
            outcome = target.carry_out(effect).and(outcome);
        }
        self.effects = effects;
        let stream = self.streams.get_mut(&id)?;
        stream.spent_ns = stream.spent_ns.saturating_add(now().0.saturating_sub(at.0));
        Some(outcome)
    }

    /// Ends a stream for which something could not be done.
    fn fail(&mut self, id: u32) {
        calls::log(Level::Error, "the host did not do what the policy asks for; the stream is ended");
        if let Some(stream) = self.streams.get_mut(&id)
            && !stream.replied
        {
            stream.replied = true;
            refusal();
        }
    }

    fn generations_of(&self, root: u32) -> impl Iterator<Item = u32> {
        self.generations.iter().filter(move |(_, g)| g.root == root).map(|(id, _)| *id)
    }

    /// Asks for the tick of the live generation of the root context that is running.
    fn set_tick(&self, root: u32) {
        let live = self.roots.get(&root).copied().flatten().and_then(|id| self.generations.get(&id));
        let _ = calls::set_tick_period(live.map_or(0, |g| g.worker.tick_ms(&g.engine)));
    }

    /// Asks for a tick at once where there is news to tell.
    fn hurry(&self) {
        if self.calls.any_refused() {
            let _ = calls::set_tick_period(SOON);
        }
    }
}

/// The host's clock. Without one, the end of time: everything with a deadline is past it.
fn now() -> Time {
    Time(calls::now().unwrap_or(u64::MAX))
}

/// Status and body of the answer to the call that just ended.
fn answer(size: usize) -> Option<(u16, Vec<u8>)> {
    let headers = pairs::parse(&calls::header_map(Map::Call).ok()?)?;
    let (_, status) = headers.iter().find(|(name, _)| name == ":status")?;
    let status = std::str::from_utf8(status).ok()?.parse().ok()?;
    let body = if size == 0 { Vec::new() } else { calls::buffer(Buffer::CallBody, size).ok()? };
    (body.len() == size).then_some((status, body))
}

/// Refuses a stream that cannot be served, from its head.
fn refuse(side: Side) -> Action {
    match side {
        Side::Request => {
            refusal();
            Action::Pause
        }
        Side::Response => Action::Continue,
    }
}

/// Answers the client in the name of a filter that cannot do its work.
fn refusal() {
    let headers = pairs::serialize(&[("content-type", "application/json")]);
    let body =
        br#"{"error":{"message":"the gateway cannot check this request","type":"server_error","code":"unavailable"}}"#;
    let _ = calls::send_local_response(503, "doorward.unavailable", body, &headers);
}

/// What FAIL_RELOAD is for, on demand.
#[cfg(feature = "trap")]
fn trap(headers: &Headers) {
    if headers.text("x-trap") == Some("1") {
        #[cfg(target_arch = "wasm32")]
        core::arch::wasm32::unreachable();
    }
}
