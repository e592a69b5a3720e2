//! A worker that many exchanges share, and what they ask.

use std::collections::BTreeMap;

use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Flow, LocalReply, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};

use crate::support::{engine, policy};

/// A worker that many exchanges share.
pub struct Desk {
    pub engine: Engine,
    pub worker: Worker,
    pub host: MemoryHost,
    pub secs: u64,
    pub next: u32,
}

/// An exchange that went on.
pub struct Open {
    pub exchange: Exchange,
    pub body: Value,
    /// Where the path was changed.
    pub path: Option<String>,
}

pub type Record = BTreeMap<&'static str, String>;

impl Desk {
    pub fn new(policy: &Value) -> Self {
        let engine = engine(policy);
        let mut worker = Worker::new(&engine);
        let mut host = MemoryHost::default();
        worker.start(&engine, &mut host).unwrap();
        host.set_attribute(Attribute::Cluster, "c");
        host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
        Self { engine, worker, host, secs: 1_800_000_000, next: 0 }
    }

    /// Another VM of the same process: what one that trapped leaves behind is found by it.
    pub fn another_vm(&mut self) {
        self.worker = Worker::new(&self.engine);
        self.worker.start(&self.engine, &mut self.host).unwrap();
    }

    pub fn tell(&mut self, exchange: &mut Exchange, event: Event<'_>) -> (Flow, Vec<Effect>) {
        let mut effects = Vec::new();
        let at = Time(self.secs * 1_000_000_000);
        let flow = exchange.on(event, at, &self.engine, &mut self.worker, &mut self.host, &mut effects);
        (flow, effects)
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Result<Open, (LocalReply, Record)> {
        self.next += 1;
        let mut exchange = Exchange::new(self.next);
        let fields = [(":method", "POST"), (":path", path), ("content-type", "application/json")];
        let headers: Headers = fields.into_iter().collect();
        let bytes = body.to_string().into_bytes();
        let (_, mut effects) =
            self.tell(&mut exchange, Event::Head { side: Side::Request, headers: &headers, end: false });
        self.host.bodies.insert(Side::Request, bytes.clone());
        let event = Event::Body { side: Side::Request, available: bytes.len(), end: true };
        let (mut sent, mut to) = (bytes, None);
        if !effects.iter().any(|e| matches!(e, Effect::Reply(_))) {
            effects.extend(self.tell(&mut exchange, event).1);
        }
        for effect in effects {
            match effect {
                Effect::Reply(reply) => return Err((reply, self.done(exchange))),
                Effect::ReplaceBody(Side::Request, bytes) => sent = bytes,
                Effect::SetHeader(Side::Request, ":path", value) => to = String::from_utf8(value).ok(),
                _ => {}
            }
        }
        Ok(Open { exchange, body: serde_json::from_slice(&sent).unwrap(), path: to })
    }

    pub fn chat(&mut self, body: &Value) -> Result<Open, (LocalReply, Record)> {
        self.post("/v1/chat/completions", body)
    }

    /// The head of an answer; its headers as the client gets them.
    pub fn head(&mut self, open: &mut Open, status: &str, kind: &str) -> BTreeMap<String, String> {
        let headers: Headers = [(":status", status), ("content-type", kind)].into_iter().collect();
        let event = Event::Head { side: Side::Response, headers: &headers, end: false };
        let effects = self.tell(&mut open.exchange, event).1;
        let set = effects.into_iter().filter_map(|e| match e {
            Effect::SetHeader(Side::Response, name, value) => {
                Some((name.to_owned(), String::from_utf8(value).unwrap()))
            }
            _ => None,
        });
        set.collect()
    }

    pub fn bytes(&mut self, open: &mut Open, bytes: &[u8], end: bool) {
        self.host.bodies.insert(Side::Response, bytes.to_vec());
        let event = Event::Body { side: Side::Response, available: bytes.len(), end };
        let _ = self.tell(&mut open.exchange, event);
    }

    pub fn done(&mut self, mut exchange: Exchange) -> Record {
        let effects = self.tell(&mut exchange, Event::Done { spent_us: 1 }).1;
        let values = effects.into_iter().filter_map(|e| match e {
            Effect::Record(values) => Some(values),
            _ => None,
        });
        values.flatten().collect()
    }

    /// A whole exchange that used so much.
    pub fn used(&mut self, body: &Value, input: u64, output: u64) -> Record {
        let mut open = self.chat(body).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        self.head(&mut open, "200", "application/json");
        let answer =
            json!({"model": "m-1", "choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output}});
        self.bytes(&mut open, answer.to_string().as_bytes(), true);
        self.done(open.exchange)
    }

    /// What a small request is told to be left of the only limit; for a model whose tokens nobody has told anything of.
    pub fn told(&mut self) -> u64 {
        let question = request(json!({"model": "default", "max_tokens": 0}));
        let mut open = self.chat(&question).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        self.head(&mut open, "500", "application/json");
        let record = self.done(open.exchange);
        left(&record)
    }

    /// What is left of a limit on tokens.
    pub fn left(&mut self) -> u64 {
        let reserved = 1_000_000 - Self::new(&day(1_000_000)).told();
        self.told() + reserved
    }
}

pub fn request(more: Value) -> Value {
    let mut body = json!({"model": "m-1", "messages": [{"role": "user", "content": "Tell me a story."}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// What a record says is left of `day`.
pub fn left(record: &Record) -> u64 {
    record["doorward.limit.remaining"].strip_prefix("day=").unwrap().parse().unwrap()
}

pub fn limited(limits: Value) -> Value {
    policy("openai", &json!({"limits": limits}))
}

pub fn day(tokens: u64) -> Value {
    limited(json!([{"id": "day", "total_tokens": tokens, "calendar": "day"}]))
}
