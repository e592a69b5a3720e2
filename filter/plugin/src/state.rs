//! What one VM keeps between callbacks.
//!
//! A VM serves several root contexts (one per configuration) and their streams. A root has one live *generation* of
//! configuration, an engine and its worker; streams stay with the generation they started with, so that an old one lives
//! until its last stream is over.
//!
//! The state is borrowed while core works, and not while its effects are carried out: the host can call back from inside
//! one (Envoy answers a body that outgrew its buffer while the filter is still writing it).

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::Time;
use doorward_core::host::HostError;

use crate::abi::{Level, calls};
use crate::host::Envoy;
use crate::metadata::Expressions;
use crate::metrics::Metrics;
use crate::stream::Stream;

/// Milliseconds until the tick that does what could not be done at once.
const SOON: u32 = 1;

/// Milliseconds between looks at streams whose held head no body follows ([`crate::watch`]).
const WATCH: u32 = 1_000;

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Runs `f` on the state. Nothing where the state is in use, which is never: only core runs while it is, and calls of the
/// host that call back are not among those it makes.
pub fn with<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    STATE.try_with(|state| state.try_borrow_mut().ok().map(|mut state| f(&mut state))).ok().flatten()
}

/// What is known by an id. The host numbers what it names one after the other, and nobody else has a say in it: no more need be
/// done against ids that collide than to spread neighbours, and a callback looks up a dozen of them.
pub type ById<T> = HashMap<u32, T, BuildHasherDefault<Spread>>;

/// Spreads an id over all bits.
#[derive(Debug, Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, id: u32) {
        // Fibonacci hashing (Knuth, 6.4): 2^64 divided by the golden ratio.
        self.0 = (self.0.rotate_left(5) ^ u64::from(id)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// What one VM keeps.
#[derive(Debug, Default)]
pub struct State {
    /// Root contexts.
    pub roots: ById<Root>,
    /// Accepted configurations that are live or in use.
    pub generations: ById<Generation>,
    /// Streams.
    pub streams: ById<Stream>,
    /// Metrics.
    pub metrics: Metrics,
    /// Call-outs under way, by the host's token.
    pub calls: ById<Caller>,
    /// What waits for the next tick.
    pub errands: Vec<Errand>,
    last_generation: u32,
}

/// One root context.
#[derive(Debug, Default)]
pub struct Root {
    /// Its live generation, once it has one.
    pub live: Option<u32>,
    /// Expressions compiled for it.
    pub expressions: Expressions,
    /// The tick that the host was asked for, in milliseconds.
    period: u32,
}

/// One accepted configuration.
#[derive(Debug)]
pub struct Generation {
    /// Its root context.
    pub root: u32,
    /// Its policy.
    pub engine: Engine,
    /// What belongs to this policy and this VM.
    pub worker: Worker,
    /// Streams that started with it and are not over.
    pub streams: usize,
    /// Whether bodies come while heads are held.
    pub hold: Hold,
}

/// What is known of the host's `allow_on_headers_stop_iteration`, which a filter cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It does not matter: the policy needs no body while a head is held.
    Unneeded,
    /// Nothing yet.
    Unknown,
    /// It is set: a body came.
    Proven,
    /// It is not set, and that was said.
    Missing,
}

/// Who made a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The generation whose worker did.
    pub generation: u32,
    /// The worker's id of the call.
    pub call: u32,
}

/// What waits for the next tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Tell a worker that the host refused its call. Core is not told while it waits for its effects to be carried out; and
    /// waking another stream from inside a stream's callback would let a local reply to the one stop the other.
    Refused(Caller),
    /// Let a request go on that ended in trailers.
    ResumeRequest(u32),
    /// Let an answer go on that ended in trailers.
    ResumeResponse(u32),
    /// End an answer whose end the host does not tell.
    EndResponse(u32),
}

impl State {
    /// Makes an accepted configuration the live one of its root.
    ///
    /// # Errors
    /// The worker could not start; the old configuration goes on.
    pub fn adopt(&mut self, root: u32, engine: Engine) -> Result<(), HostError> {
        let expressions = &mut self.roots.entry(root).or_default().expressions;
        let mut worker = Worker::new(&engine);
        worker.start(&engine, &mut Envoy::new(expressions))?;
        self.last_generation += 1;
        let id = self.last_generation;
        let hold = if engine.holds_headers() { Hold::Unknown } else { Hold::Unneeded };
        self.generations.insert(id, Generation { root, engine, worker, streams: 0, hold });
        let old = self.roots.entry(root).or_default().live.replace(id);
        if let Some(old) = old {
            self.retire(old);
        }
        Ok(())
    }

    /// A context begins: a root (`root` is 0), or a stream of one. One that is there already stays as it is.
    pub fn create(&mut self, context: u32, root: u32) {
        if root == 0 {
            self.roots.entry(context).or_default();
        } else if !self.streams.contains_key(&context) {
            let live = self.roots.get(&root).and_then(|r| r.live);
            if let Some(generation) = live.and_then(|id| self.generations.get_mut(&id)) {
                generation.streams += 1;
            }
            self.streams.insert(context, Stream::new(context, live));
        }
    }

    /// A context is gone.
    pub fn remove(&mut self, context: u32) {
        if self.roots.remove(&context).is_some() {
            for id in self.generations_of(context) {
                self.forget(id);
            }
        }
        if let Some(id) = self.streams.remove(&context).and_then(|s| s.generation) {
            if let Some(generation) = self.generations.get_mut(&id) {
                generation.streams = generation.streams.saturating_sub(1);
            }
            self.retire(id);
        }
    }

    /// The generations of a root, live and old.
    pub fn generations_of(&self, root: u32) -> Vec<u32> {
        self.generations.iter().filter(|(_, g)| g.root == root).map(|(id, _)| *id).collect()
    }

    /// The generation of a stream.
    pub fn generation_of(&mut self, stream: u32) -> Option<&mut Generation> {
        let id = self.streams.get(&stream)?.generation?;
        self.generations.get_mut(&id)
    }

    /// The tick that `root` needs now, in milliseconds, where the host has to be asked for another than before.
    pub fn new_period(&mut self, root: u32) -> Option<u32> {
        let mut period = u32::MAX;
        if !self.errands.is_empty() {
            period = SOON;
        }
        for (id, generation) in self.generations.iter().filter(|(_, g)| g.root == root) {
            let own = generation.worker.tick_ms(&generation.engine);
            if own > 0 {
                period = period.min(own);
            }
            let waits = |s: &Stream| s.request.waiting_since.or(s.response.waiting_since).is_some();
            if matches!(generation.hold, Hold::Unknown | Hold::Missing)
                && self.streams.values().any(|s| s.generation == Some(*id) && waits(s))
            {
                period = period.min(WATCH);
            }
        }
        if period == u32::MAX {
            period = 0;
        }
        let root = self.roots.get_mut(&root)?;
        (std::mem::replace(&mut root.period, period) != period).then_some(period)
    }

    /// Drops a generation that is neither live nor in use.
    fn retire(&mut self, id: u32) {
        let Some(generation) = self.generations.get(&id) else { return };
        let live = self.roots.get(&generation.root).and_then(|r| r.live) == Some(id);
        if !live && generation.streams == 0 {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: u32) {
        if let Some(Generation { root, engine, mut worker, .. }) = self.generations.remove(&id) {
            let mut gone = Expressions::default();
            let expressions = self.roots.get_mut(&root).map_or(&mut gone, |root| &mut root.expressions);
            let now = calls::now().map_err(|_| HostError::Failed);
            if now.and_then(|now| worker.end(&engine, Time(now), &mut Envoy::new(expressions))).is_err() {
                calls::log(Level::Error, "the host's store or clock fails; some of what was used is not counted");
            }
        }
        self.calls.retain(|_, caller| caller.generation != id);
        self.errands.retain(|errand| !matches!(errand, Errand::Refused(caller) if caller.generation == id));
    }
}
