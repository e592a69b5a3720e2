//! Upstreams that record exactly what they received and answer by script.
//!
//! What answers a request, first that applies: the queue ([`Upstream::enqueue`]), the script of its
//! path ([`Upstream::on`]), the upstream's handler.

mod http1;
mod http2;
mod script;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::script::{Ending, Script, Step, Told, WriteHead};
use crate::fields::Fields;
use crate::wait::within;

/// How far a request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The head is there, the body is not complete.
    Open,
    /// All of it arrived.
    Complete,
    /// It was cut: why.
    Broken(String),
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Connections are numbered in the order they were accepted.
    pub connection: usize,
    /// Place of the request on its connection, from 0.
    pub sequence: usize,
    /// Method.
    pub method: String,
    /// Request target (HTTP/2: `:path`).
    pub target: String,
    /// `Host` or `:authority`.
    pub authority: String,
    /// Header fields in order, without pseudo-headers.
    pub fields: Fields,
    /// Body bytes so far.
    pub body: Vec<u8>,
    /// Sizes of chunks, DATA frames or reads.
    pub pieces: Vec<usize>,
    /// Trailers.
    pub trailers: Option<Fields>,
    /// Every byte of the request (HTTP/1.1 only).
    pub raw: Vec<u8>,
    /// Whether it is complete.
    pub arrival: Arrival,
}

impl Seen {
    /// The body as text; panics if it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text body")
    }

    /// The body as JSON; panics if it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {}", self.body.escape_ascii()))
    }

    /// Whether `secret` occurs anywhere in what arrived.
    pub fn mentions(&self, secret: &str) -> bool {
        let contains = |hay: &[u8]| hay.windows(secret.len()).any(|w| w == secret.as_bytes());
        self.fields.mention(secret)
            || self.target.contains(secret)
            || contains(&self.body)
            || contains(&self.raw)
            || self.trailers.as_ref().is_some_and(|t| t.mention(secret))
    }
}

/// Answers requests no script was set for.
pub type Handler = Arc<dyn Fn(&Seen) -> Script + Send + Sync>;

/// A running upstream; it ends when this is dropped.
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks HTTP/2 (prior knowledge) instead of HTTP/1.1.
    pub http2: bool,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

impl Upstream {
    /// HTTP/1.1, answering 200 `ok`.
    pub async fn http1() -> Self {
        Self::start(false, Arc::new(|_| Script::status(200).data("ok"))).await
    }

    /// HTTP/2 with prior knowledge, answering 200 `ok`.
    pub async fn http2() -> Self {
        Self::start(true, Arc::new(|_| Script::status(200).data("ok"))).await
    }

    /// HTTP/1.1 with a handler, for example [`crate::model::handler`].
    pub async fn with(handler: Handler) -> Self {
        Self::start(false, handler).await
    }

    /// An upstream on an own port of 127.0.0.1.
    pub async fn start(http2: bool, handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind an upstream");
        Self::on_listener(listener, http2, handler)
    }

    /// An upstream on a listener that is already bound.
    pub fn on_listener(listener: TcpListener, http2: bool, handler: Handler) -> Self {
        let address = listener.local_addr().expect("address of an upstream");
        let (changes, _) = watch::channel(0);
        let inner = Arc::new(Inner { state: Mutex::default(), changes, handler });
        let server = tokio::spawn(serve(listener, http2, Arc::clone(&inner)));
        Self { address, http2, inner, server }
    }

    /// The next unanswered request gets this, whatever it is.
    pub fn enqueue(&self, script: Script) {
        self.inner.lock().queue.push_back(script);
    }

    /// Forgets what was enqueued and not asked for.
    pub fn clear(&self) {
        self.inner.lock().queue.clear();
    }

    /// Requests for this path (query cut off) get this.
    pub fn on(&self, path: &str, script: Script) {
        self.inner.lock().paths.insert(path.to_owned(), script);
    }

    /// Everything that arrived so far, in the order of arrival of the heads.
    pub fn seen(&self) -> Vec<Seen> {
        self.inner.lock().seen.clone()
    }

    /// How many requests arrived so far.
    pub fn count(&self) -> usize {
        self.inner.lock().seen.len()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.inner.lock().connections
    }

    /// Waits until request `index` (from 0) is complete or broken.
    pub async fn request(&self, index: usize) -> Seen {
        self.wait(&format!("request {index} at upstream"), |seen| {
            seen.get(index).filter(|seen| seen.arrival != Arrival::Open).cloned()
        })
        .await
    }

    /// Waits until `find` finds what it looks for among the requests.
    pub async fn wait<T>(&self, what: &str, find: impl Fn(&[Seen]) -> Option<T>) -> T {
        let mut changes = self.inner.changes.subscribe();
        within(what, async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = find(&self.inner.lock().seen) {
                    return found;
                }
                changes.changed().await.expect("the upstream is running");
            }
        })
        .await
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    connections: usize,
    queue: VecDeque<Script>,
    paths: HashMap<String, Script>,
}

struct Inner {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    handler: Handler,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a head; returns the request's index and the script set for it, if any.
    fn arrived(&self, seen: Seen) -> (usize, Option<Script>) {
        let mut state = self.lock();
        let path = seen.target.split('?').next().unwrap_or_default();
        let script = state.paths.get(path).cloned();
        let script = state.queue.pop_front().or(script);
        state.seen.push(seen);
        let index = state.seen.len() - 1;
        drop(state);
        self.changes.send_modify(|n| *n += 1);
        (index, script)
    }

    fn update(&self, index: usize, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock().seen[index]);
        self.changes.send_modify(|n| *n += 1);
    }

    fn handled(&self, index: usize) -> Script {
        let seen = self.lock().seen[index].clone();
        (self.handler)(&seen)
    }
}

async fn serve(listener: TcpListener, http2: bool, inner: Arc<Inner>) {
    // Connections end with the upstream: the set aborts its tasks when dropped.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).ok();
        let connection = {
            let mut state = inner.lock();
            state.connections += 1;
            state.connections - 1
        };
        let inner = Arc::clone(&inner);
        if http2 {
            connections.spawn(http2::serve(stream, connection, inner));
        } else {
            connections.spawn(http1::serve(stream, connection, inner));
        }
        while connections.try_join_next().is_some() {}
    }
}
