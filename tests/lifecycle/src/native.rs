//! The filter as doorward-core alone: its effects carried out over the model, by the shortest reading of what they mean.

use std::collections::BTreeMap;

use doorward_core::config::tree_from_json;
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Call, CallResult, Effect, Event, Exchange, Flow, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, Host, HostError, NativeAlgorithm, SignatureCheck, StoreError, Stored};

use crate::model::{Abi, Action, BufferKind, Fields, LocalReply, MapKind, Side, Status, Vm};
use crate::verify;

/// One VM's worth of core.
#[derive(Debug)]
pub struct Native {
    abi: Abi,
    roots: BTreeMap<u32, Root>,
    streams: BTreeMap<u32, Stream>,
    /// Calls under way by token: the root, and core's id.
    calls: BTreeMap<u32, (u32, u32)>,
    /// What waits for the next tick.
    errands: Vec<Errand>,
}

#[derive(Debug)]
struct Root {
    engine: Engine,
    worker: Worker,
    period: u32,
}

#[derive(Debug)]
struct Stream {
    root: u32,
    exchange: Exchange,
    request: Half,
    response: Half,
    replied: bool,
    /// Names of trailers that do not go on.
    forbidden: Option<&'static [&'static str]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Half {
    /// Headers can still be changed.
    open: bool,
    /// Bytes of body in reach.
    body: Option<usize>,
    held: bool,
    end_told: bool,
    /// Let go by a call rather than by a callback's answer.
    resumed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Errand {
    /// A call that the host did not even start.
    Refused(u32, u32),
    /// A direction that ended in trailers goes on.
    Resume(u32, Side),
}

impl Stream {
    fn open(&self, side: Side) -> bool {
        match side {
            Side::Request => self.request.open,
            Side::Response => self.response.open,
        }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        }
    }
}

/// Trailers of a request that must not go on.
fn strip_trailers(abi: &Abi, side: Side, forbidden: Option<&[&str]>) {
    let (Side::Request, Some(forbidden)) = (side, forbidden) else { return };
    let trailers = abi.header_map(MapKind::Trailers(side)).unwrap_or_default();
    for (name, _) in &trailers.0 {
        if name.starts_with("x-doorward-") || forbidden.contains(&name.as_str()) {
            abi.remove_trailer(side, name).expect("the trailers are in reach");
        }
    }
}

impl Native {
    /// Without a configuration yet.
    pub fn new(abi: Abi) -> Self {
        Self { abi, roots: BTreeMap::new(), streams: BTreeMap::new(), calls: BTreeMap::new(), errands: Vec::new() }
    }

    fn tell(&mut self, id: u32, side: Side, event: Event<'_>) -> Action {
        let flow = self.happen(id, Some(side), event);
        let Some(stream) = self.streams.get_mut(&id) else { return Action::Continue };
        // What comes after a local reply is that reply itself, on its way out.
        let hold = match side {
            Side::Request => flow == Flow::Hold || stream.replied,
            Side::Response => flow == Flow::Hold,
        };
        stream.half(side).settle(hold);
        let root = stream.root;
        self.keep_time(root);
        if hold { Action::Pause } else { Action::Continue }
    }

    fn happen(&mut self, id: u32, running: Option<Side>, event: Event<'_>) -> Flow {
        let at = Time(self.abi.now());
        let mut effects = Vec::new();
        let Some(stream) = self.streams.get_mut(&id) else { return Flow::Continue };
        let root = stream.root;
        let state = self.roots.get_mut(&root).expect("a stream's root outlives it");
        let mut host = Over { abi: &self.abi, request: stream.request.body, response: stream.response.body };
        let answer = stream.replied && running == Some(Side::Response);
        let flow = stream.exchange.on(event, at, &state.engine, &mut state.worker, &mut host, &mut effects);
        for effect in effects {
            self.carry_out(root, Some(id), running, effect);
        }
        if answer { Flow::Continue } else { flow }
    }

    fn carry_out(&mut self, root: u32, id: Option<u32>, running: Option<Side>, effect: Effect) {
        let stream = id.and_then(|id| self.streams.get_mut(&id));
        match (effect, stream) {
            // Headers that went on are out of reach.
            (Effect::SetHeader(side, ..) | Effect::RemoveHeader(side, _), Some(stream)) if !stream.open(side) => {}
            (Effect::SetHeader(side, name, value), Some(_)) => {
                self.abi.set_header(side, name, &value).expect("the headers are in reach");
            }
            (Effect::RemoveHeader(side, name), Some(_)) => {
                self.abi.remove_header(side, &name).expect("the headers are in reach");
            }
            (Effect::ForbidTrailers(names), Some(stream)) => stream.forbidden = Some(names),
            (Effect::ReplaceBody(side, content), Some(stream)) => match stream.half(side).body {
                Some(_) => {
                    self.abi.set_buffer(side, 0, usize::MAX, &content).expect("the body is in reach");
                    stream.half(side).body = Some(content.len());
                }
                None => assert!(content.is_empty(), "core replaces a body that is not there"),
            },
            (Effect::Reply(reply), Some(stream)) => {
                stream.replied = true;
                let mut headers = Fields::default();
                for (name, value) in &reply.headers {
                    headers.add(name, value.as_bytes());
                }
                let reply = LocalReply { status: reply.status, details: reply.details, headers, body: reply.body };
                self.abi.send_local_response(reply).expect("the first reply");
            }
            (Effect::Resume(side), Some(stream)) => {
                let forbidden = stream.forbidden;
                let half = stream.half(side);
                if half.held && running != Some(side) {
                    strip_trailers(&self.abi, side, forbidden);
                    self.abi.continue_stream(side).expect("a stream");
                    half.settle(false);
                    half.resumed = true;
                }
            }
            (Effect::Record(values), Some(_)) => {
                for (key, value) in values {
                    self.abi.set_property(key, value.as_bytes()).expect("a stream");
                }
            }
            (Effect::Measure(measure), _) if measure.histogram || measure.value > 0 => {
                let labels = measure.labels.iter().map(|(n, v)| (n.to_string(), v.clone()));
                let name = metric_name(measure.name, labels.collect());
                let metric = self.abi.define_metric(&name, measure.histogram);
                self.abi.measure(metric, measure.histogram, measure.value).expect("a metric");
            }
            (Effect::Call(call), _) => self.call(root, id, &call),
            _ => {}
        }
    }

    /// Calls from the root, so that the answer comes even if the stream is over by then.
    fn call(&mut self, root: u32, id: Option<u32>, call: &Call) {
        self.abi.set_effective_context(root).expect("a root");
        let mut headers = Fields::of(&[
            (":method", call.method),
            (":path", &call.path),
            (":authority", &call.authority),
            (":scheme", "https"),
        ]);
        call.headers.iter().for_each(|(name, value)| headers.add(name, value.as_bytes()));
        match self.abi.http_call(&call.cluster, &headers, &call.body, call.timeout_ms.max(1)) {
            Ok(token) => _ = self.calls.insert(token, (root, call.id)),
            Err(_) => self.errands.push(Errand::Refused(root, call.id)),
        }
        if let Some(id) = id {
            self.abi.set_effective_context(id).expect("a stream");
        }
    }

    /// Lets a root's worker work, then wakes the streams that it names.
    fn work(&mut self, root: u32, f: impl FnOnce(&mut Root, Time, &mut Over<'_>, &mut Vec<Effect>) -> Vec<u32>) {
        let at = Time(self.abi.now());
        let mut effects = Vec::new();
        let Some(state) = self.roots.get_mut(&root) else { return };
        let woken = f(state, at, &mut Over { abi: &self.abi, request: None, response: None }, &mut effects);
        for effect in effects {
            self.carry_out(root, None, None, effect);
        }
        for stream in woken {
            if self.abi.set_effective_context(stream).is_ok() {
                let _ = self.happen(stream, None, Event::Wake);
            }
        }
        let _ = self.abi.set_effective_context(root);
        self.keep_time(root);
    }

    fn call_done(&mut self, root: u32, result: CallResult) {
        self.work(root, |r, at, host, effects| r.worker.call_done(&r.engine, result, at, host, effects));
    }

    fn keep_time(&mut self, root: u32) {
        let busy = !self.errands.is_empty();
        let Some(state) = self.roots.get_mut(&root) else { return };
        let period = if busy { 1 } else { state.worker.tick_ms(&state.engine) };
        if std::mem::replace(&mut state.period, period) != period {
            self.abi.set_tick_period(period);
        }
    }
}

impl Half {
    fn settle(&mut self, held: bool) {
        self.held = held;
        if !held {
            self.open = false;
            self.body = None;
        }
    }
}

impl Vm for Native {
    fn create(&mut self, context: u32, root: u32) {
        if root != 0 {
            let stream = Stream {
                root,
                exchange: Exchange::new(context),
                request: Half::default(),
                response: Half::default(),
                replied: false,
                forbidden: None,
            };
            self.streams.insert(context, stream);
        }
    }

    fn configure(&mut self, root: u32, size: usize) -> bool {
        let bytes = self.abi.buffer(BufferKind::Configuration, 0, size).expect("a configuration");
        let text = String::from_utf8(bytes).expect("configurations of scenarios are JSON");
        let engine = tree_from_json(&text)
            .map_err(|problem| vec![problem])
            .and_then(|tree| Engine::compile(&tree, &|name| self.abi.env(name)));
        match engine {
            Ok(engine) => {
                let mut worker = Worker::new(&engine);
                let host = &mut Over { abi: &self.abi, request: None, response: None };
                worker.start(&engine, host).expect("the store works");
                self.roots.insert(root, Root { engine, worker, period: 0 });
                self.keep_time(root);
                true
            }
            Err(problems) => {
                for problem in problems {
                    self.abi.log(&format!("configuration refused: {problem}"));
                }
                false
            }
        }
    }

    fn headers(&mut self, id: u32, side: Side, _count: usize, end: bool) -> Action {
        let fields = self.abi.header_map(MapKind::Head(side)).expect("a head can be read when it comes");
        let headers = Headers::new(fields.0);
        if let Some(stream) = self.streams.get_mut(&id) {
            let half = stream.half(side);
            half.open = true;
            half.end_told = end;
        }
        self.tell(id, side, Event::Head { side, headers: &headers, end })
    }

    fn body(&mut self, id: u32, side: Side, size: usize, end: bool) -> Action {
        if let Some(stream) = self.streams.get_mut(&id) {
            let half = stream.half(side);
            assert!(!half.end_told, "the model tells an end twice");
            half.body = Some(size);
            half.end_told = end;
        }
        self.tell(id, side, Event::Body { side, available: size, end })
    }

    fn trailers(&mut self, id: u32, side: Side, _count: usize) -> Action {
        let half = self.streams.get_mut(&id).map(|s| s.half(side)).expect("a stream");
        assert!(!std::mem::replace(&mut half.end_told, true), "the model tells an end twice");
        let available = half.body.unwrap_or(0);
        let action = self.tell(id, side, Event::Body { side, available, end: true });
        if action == Action::Continue {
            strip_trailers(&self.abi, side, self.streams.get(&id).and_then(|s| s.forbidden));
        }
        let resumed = self.streams.get_mut(&id).is_some_and(|s| s.half(side).resumed);
        // Envoy loses a body that trailers let go inside the very call that let go the head.
        if action == Action::Continue && available > 0 && resumed {
            self.errands.push(Errand::Resume(id, side));
            let root = self.streams[&id].root;
            self.keep_time(root);
            return Action::Pause;
        }
        action
    }

    fn tick(&mut self, root: u32) {
        for errand in std::mem::take(&mut self.errands) {
            match errand {
                Errand::Refused(root, id) => self.call_done(root, CallResult { id, answer: None }),
                Errand::Resume(stream, side) => {
                    let replied = self.streams.get(&stream).is_none_or(|s| s.replied);
                    if !replied && self.abi.set_effective_context(stream).is_ok() {
                        self.abi.continue_stream(side).expect("a stream");
                    }
                }
            }
        }
        self.work(root, |r, at, host, effects| r.worker.tick(&r.engine, at, host, effects));
    }

    fn call_response(&mut self, _context: u32, token: u32, headers: usize, size: usize) {
        let Some((root, id)) = self.calls.remove(&token) else { return };
        let answer = (headers > 0).then(|| {
            let head = self.abi.header_map(MapKind::Call).expect("the answer's head");
            let body = self.abi.buffer(BufferKind::Call, 0, size).expect("the answer's body");
            (head.text(":status").and_then(|s| s.parse().ok()).unwrap_or(0), body)
        });
        self.call_done(root, CallResult { id, answer });
    }

    fn log(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.request.settle(false);
            stream.response.settle(false);
        }
        let _ = self.happen(id, None, Event::Done { spent_us: 0 });
    }

    fn done(&mut self, _context: u32) -> bool {
        true
    }

    fn delete(&mut self, context: u32) {
        self.streams.remove(&context);
        self.roots.remove(&context);
        self.calls.retain(|_, (root, _)| *root != context);
    }
}

/// A metric's name with its labels, in the encoding that Envoy's `stats_tags` take apart.
pub fn metric_name(name: &str, mut labels: Vec<(String, String)>) -> String {
    labels.sort();
    labels.iter().fold(name.to_owned(), |all, (n, v)| format!("{all}.;{n}=;{v};"))
}

/// The model as core's host.
struct Over<'a> {
    abi: &'a Abi,
    request: Option<usize>,
    response: Option<usize>,
}

impl Host for Over<'_> {
    fn load(&mut self, key: &str) -> Result<Option<Stored>, HostError> {
        Ok(self.abi.shared_data(key).ok().map(|(value, version)| Stored { value, version }))
    }

    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), StoreError> {
        self.abi.set_shared_data(key, value, version.unwrap_or(0)).map_err(|status| match status {
            Status::CasMismatch => StoreError::Conflict,
            _ => StoreError::Failed,
        })
    }

    fn verify(&mut self, check: SignatureCheck<'_>) -> Result<bool, HostError> {
        let (NativeAlgorithm::Rsa(bits) | NativeAlgorithm::Ecdsa(bits)) = check.algorithm;
        let SignatureCheck { public_key, signature, text, .. } = check;
        match self.abi.verify(&verify::Request { hash: &format!("sha{bits}"), public_key, signature, text }) {
            verify::Verdict::Good => Ok(true),
            verify::Verdict::Bad => Ok(false),
            verify::Verdict::Unable => Err(HostError::Unsupported),
        }
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        self.abi.random(out);
        Ok(())
    }

    fn attribute(&mut self, attribute: Attribute<'_>) -> Option<String> {
        let path = match attribute {
            Attribute::Cluster => "xds/cluster_name".to_owned(),
            Attribute::Route => "xds/route_name".to_owned(),
            Attribute::PeerUri => "connection/uri_san_peer_certificate".to_owned(),
            Attribute::IstioPeer => "filter_state/io.istio.peer_principal".to_owned(),
            Attribute::PeerCertificateDigest => "connection/sha256_peer_certificate_digest".to_owned(),
            Attribute::RequestId => "request/id".to_owned(),
            Attribute::Metadata(namespace, key) => format!("metadata/filter_metadata/{namespace}/{key}"),
        };
        String::from_utf8(self.abi.property(&path).ok()?).ok().filter(|v| !v.is_empty())
    }

    fn writable(&mut self, side: Side) -> bool {
        match side {
            Side::Request => self.request.is_some(),
            Side::Response => self.response.is_some(),
        }
    }

    fn body(&mut self, side: Side) -> Result<Vec<u8>, HostError> {
        let size = match side {
            Side::Request => self.request,
            Side::Response => self.response,
        };
        match size.unwrap_or(0) {
            0 => Ok(Vec::new()),
            size => self.abi.buffer(BufferKind::Body(side), 0, size).map_err(|_| HostError::Failed),
        }
    }
}
