//! An Envoy worker in hold mode with an MCP server behind it, over core alone; several callers, one after another.

use std::collections::BTreeMap;

use doorward_core::config::tree_from_json;
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Flow, LocalReply, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};

/// What a statement allows beside the roles of the tests: `reader` may call `read_*`, `writer` everything.
pub fn policy(more: &Value) -> Value {
    let mut policy = json!({
        "version": "doorward/v1",
        "targets": [{"name": "files", "cluster": "c", "provider": "mcp"}],
        "identity": {"mtls": {"trust_domains": ["td"]}, "require": {"user": false, "workload": true}},
        "roles": {"reader": {"workloads": "spiffe://td/reader*"}, "writer": {"workloads": "spiffe://td/writer"},
            "prompter": {"workloads": "spiffe://td/prompter"}},
        "access": [
            {"id": "read", "effect": "allow", "roles": "reader", "methods": ["tools/*", "resources/*"],
             "tools": [{"name": "read_*"}, {"name": "query", "arguments": {"/sql": {"sql": "select"}, "/opt/limit": {"max": 10}}}]},
            {"id": "write", "effect": "allow", "roles": "writer"},
            {"id": "prompts", "effect": "allow", "roles": "prompter", "methods": "prompts/*"},
            {"id": "never", "effect": "deny", "tools": [{"name": "drop_*"}]},
        ],
    });
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    policy
}

pub struct Stage {
    engine: Engine,
    worker: Worker,
    host: MemoryHost,
    next: u32,
    /// Seconds since 1970.
    pub now: u64,
}

/// What a server answers.
#[derive(Clone, Default)]
pub struct Answer {
    pub status: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub chunks: Vec<Vec<u8>>,
    /// So many seconds pass behind the first chunk,
    pub pause_s: u64,
    /// and the worker's tick finds that out.
    pub ticks: bool,
}

impl Answer {
    pub fn json(value: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status: "200", headers, chunks: vec![value.to_string().into_bytes()], ..Self::default() }
    }

    /// A stream of these messages, cut every `size` bytes.
    pub fn stream(messages: &[Value], size: usize) -> Self {
        let text: String = messages.iter().map(|m| format!("event: message\r\ndata: {m}\r\n\r\n")).collect();
        let chunks = text.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        Self { chunks, ..Self::events("") }
    }

    /// A stream of these very bytes.
    pub fn events(text: &str) -> Self {
        let headers = vec![("content-type", "text/event-stream".to_owned())];
        Self { status: "200", headers, chunks: vec![text.as_bytes().to_vec()], ..Self::default() }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Played {
    pub reply: Option<LocalReply>,
    pub upstream: Option<String>,
    pub upstream_set: BTreeMap<String, String>,
    pub client: String,
    pub client_set: BTreeMap<String, String>,
    pub record: BTreeMap<&'static str, String>,
}

impl Played {
    pub fn reason(&self) -> &str {
        self.record.get("doorward.reason").map_or("", String::as_str)
    }

    pub fn status(&self) -> u16 {
        self.reply.as_ref().map_or(0, |r| r.status)
    }

    /// The refusal, as JSON.
    pub fn error(&self) -> Value {
        serde_json::from_slice(&self.reply.as_ref().expect("a refusal").body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        let headers = &self.reply.as_ref().expect("a local answer").headers;
        headers.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v)
    }

    pub fn answer(&self) -> Value {
        serde_json::from_str(&self.client).unwrap_or_else(|e| panic!("{e}: {}", self.client))
    }

    /// The messages of a stream.
    pub fn events(&self) -> Vec<Value> {
        self.client.lines().filter_map(|l| l.strip_prefix("data: ")).map(|l| serde_json::from_str(l).unwrap()).collect()
    }
}

impl Stage {
    pub fn new(more: &Value) -> Self {
        let env = |_: &str| Some("0123456789abcdef0123456789abcdef".to_owned());
        let tree = tree_from_json(&policy(more).to_string()).unwrap();
        let engine = Engine::compile(&tree, &env).unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut worker = Worker::new(&engine);
        let mut host = MemoryHost::default();
        worker.start(&engine, &mut host).unwrap();
        Self { engine, worker, host, next: 0, now: 1_800_000_000 }
    }

    /// What an earlier filter left of a request.
    pub fn metadata(&mut self, namespace: &str, key: &str, value: &str) {
        self.host.set_attribute(Attribute::Metadata(namespace, key), value);
    }

    /// What the shared store holds under keys with this in their names.
    pub fn stored(&self, part: &str) -> Vec<Vec<u8>> {
        self.host.shared.iter().filter(|(key, _)| key.contains(part)).map(|(_, stored)| stored.value.clone()).collect()
    }

    /// A POST of `body` by `caller`, and what the server answers to it.
    pub fn post(&mut self, caller: &str, body: &Value, answer: &Answer) -> Played {
        self.send(caller, "POST", &[], &body.to_string(), answer)
    }

    pub fn send(&mut self, caller: &str, method: &str, fields: &[(&str, &str)], body: &str, answer: &Answer) -> Played {
        self.send_to("/mcp", caller, method, fields, body, answer)
    }

    pub fn send_to(
        &mut self,
        path: &str,
        caller: &str,
        method: &str,
        fields: &[(&str, &str)],
        body: &str,
        answer: &Answer,
    ) -> Played {
        self.next += 1;
        let (mut exchange, mut played) = (Exchange::new(self.next), Played::default());
        self.host.set_attribute(Attribute::Cluster, "c");
        self.host.set_attribute(Attribute::PeerUri, &format!("spiffe://td/{caller}"));
        let own = [
            (":method", method),
            (":path", path),
            (":scheme", "https"),
            (":authority", "tools.test"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        let headers: Headers = own.into_iter().chain(fields.iter().copied()).collect();
        let head = Event::Head { side: Side::Request, headers: &headers, end: body.is_empty() };
        let (mut flow, _) = self.tell(&mut exchange, head, &mut played);
        let mut upstream = body.to_owned();
        if played.reply.is_none() && !body.is_empty() {
            self.host.bodies.insert(Side::Request, body.as_bytes().to_vec());
            let event = Event::Body { side: Side::Request, available: body.len(), end: true };
            let (now, replaced) = self.tell(&mut exchange, event, &mut played);
            flow = now;
            upstream = replaced.map_or(upstream, |bytes| String::from_utf8(bytes).unwrap());
        }
        if flow == Flow::Continue && played.reply.is_none() {
            played.upstream = Some(upstream);
            self.answer(&mut exchange, answer, &mut played);
        }
        let _ = self.tell(&mut exchange, Event::Done { spent_us: 1 }, &mut played);
        played
    }

    fn answer(&mut self, exchange: &mut Exchange, answer: &Answer, played: &mut Played) {
        if answer.status.is_empty() {
            return;
        }
        let own = answer.headers.iter().map(|(n, v)| (*n, v.as_str()));
        let headers: Headers = std::iter::once((":status", answer.status)).chain(own).collect();
        let end = answer.chunks.is_empty();
        let (flow, _) = self.tell(exchange, Event::Head { side: Side::Response, headers: &headers, end }, played);
        let whole = [answer.chunks.concat()];
        let chunks: &[Vec<u8>] = if flow == Flow::Hold && !end { &whole } else { &answer.chunks };
        let mut client = Vec::new();
        for (i, chunk) in chunks.iter().enumerate() {
            self.host.bodies.insert(Side::Response, chunk.clone());
            let event = Event::Body { side: Side::Response, available: chunk.len(), end: i + 1 == chunks.len() };
            let (flow, replaced) = self.tell(exchange, event, played);
            if played.reply.is_none() && flow == Flow::Continue {
                client.extend(replaced.unwrap_or_else(|| chunk.clone()));
            }
            if i == 0 && answer.pause_s > 0 {
                self.now += answer.pause_s;
                if answer.ticks {
                    self.tick(exchange, played);
                }
            }
        }
        played.client = String::from_utf8(client).unwrap();
    }

    /// How often the worker wants its tick, in milliseconds.
    pub fn tick_ms(&self) -> u32 {
        self.worker.tick_ms(&self.engine)
    }

    fn tick(&mut self, exchange: &mut Exchange, played: &mut Played) {
        let at = Time(self.now * 1_000_000_000);
        assert!(self.worker.tick_ms(&self.engine) <= 1000);
        let woken = self.worker.tick(&self.engine, at, &mut self.host, &mut Vec::new());
        if woken.contains(&self.next) {
            let _ = self.tell(exchange, Event::Wake, played);
        }
    }

    fn tell(&mut self, exchange: &mut Exchange, event: Event<'_>, played: &mut Played) -> (Flow, Option<Vec<u8>>) {
        let (mut effects, mut replaced) = (Vec::new(), None);
        let at = Time(self.now * 1_000_000_000);
        let flow = exchange.on(event, at, &self.engine, &mut self.worker, &mut self.host, &mut effects);
        for effect in effects {
            match effect {
                Effect::Reply(reply) => played.reply = Some(reply),
                Effect::ReplaceBody(_, bytes) => replaced = Some(bytes),
                Effect::SetHeader(side, name, value) => {
                    let set = if side == Side::Request { &mut played.upstream_set } else { &mut played.client_set };
                    set.insert(name.to_owned(), String::from_utf8(value).unwrap());
                }
                Effect::Record(values) => played.record.extend(values),
                _ => {}
            }
        }
        (flow, replaced)
    }
}
