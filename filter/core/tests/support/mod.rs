//! An exchange from its first byte to its last over core alone, in the way Envoy plays it in hold mode.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

pub mod mutate;
pub mod streams;

use std::collections::BTreeMap;

use doorward_core::config::tree_from_json;
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Flow, LocalReply, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};

/// One of the fixtures in `tests/apis`.
#[derive(Clone, Debug)]
pub struct Fixture {
    pub name: String,
    pub value: Value,
}

impl Fixture {
    /// Every fixture.
    pub fn all() -> Vec<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/apis");
        let mut all: Vec<Self> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .map(|path| Self {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                value: serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display())),
            })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(all.len() > 20, "the fixtures are there");
        all
    }

    pub fn text(&self, name: &str) -> &str {
        self.value[name].as_str().unwrap_or_else(|| panic!("{}: no `{name}`", self.name))
    }

    /// The request's body, with `text` as the user's words.
    pub fn request(&self, text: &str) -> String {
        self.value["request"].to_string().replace("\"USER\"", &json!(text).to_string())
    }

    /// The body of a request for a streamed answer.
    pub fn stream_request(&self, text: &str) -> String {
        let mut request = self.value["request"].clone();
        if let Some(patch) = self.value["stream"]["request"].as_object() {
            for (name, value) in patch {
                match value {
                    Value::Null => {
                        request.as_object_mut().unwrap().remove(name);
                    }
                    value => request[name] = value.clone(),
                }
            }
        }
        request.to_string().replace("\"USER\"", &json!(text).to_string())
    }

    pub fn stream_path(&self) -> &str {
        self.value["stream"]["path"].as_str().unwrap_or_else(|| self.text("path"))
    }

    pub fn streams(&self) -> bool {
        self.value["stream"].is_object()
    }

    /// The answer, with `text` as the model's words.
    pub fn answer(&self, text: &str) -> Option<String> {
        let answer = self.value.get("answer")?;
        Some(answer.to_string().replace("\"ANSWER\"", &json!(text).to_string()))
    }
}

/// A policy under which anybody in the mesh may use model `m-1`, with what `more` sets.
pub fn policy(provider: &str, more: &Value) -> Value {
    let mut policy = json!({
        "version": "doorward/v1",
        "targets": [{"name": "t", "cluster": "c", "provider": provider}],
        "identity": {"mtls": {"trust_domains": ["td"]}, "require": {"user": false, "workload": true}},
        "access": [{"id": "all", "effect": "allow", "models": ["m-1", "default"]}],
        "redaction": {"hash_key": {"env": "KEY"}, "tokenize_key": {"env": "KEY"}},
    });
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    policy
}

pub fn engine(policy: &Value) -> Engine {
    let env = |_: &str| Some("0123456789abcdef0123456789abcdef".to_owned());
    let tree = tree_from_json(&policy.to_string()).unwrap();
    Engine::compile(&tree, &env).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What came of an exchange.
#[derive(Debug, Default)]
pub struct Played {
    pub reply: Option<LocalReply>,
    /// What the upstream received; nothing where the request was refused.
    pub upstream: Option<Vec<u8>>,
    pub path: String,
    /// Headers that were set.
    pub set: Vec<(String, String)>,
    /// Headers that the upstream does not get.
    pub removed: Vec<String>,
    /// The client's bytes, by the event at which they came.
    pub client: Vec<Vec<u8>>,
    pub record: BTreeMap<&'static str, String>,
}

impl Played {
    pub fn client_bytes(&self) -> Vec<u8> {
        self.client.concat()
    }

    pub fn client_text(&self) -> String {
        String::from_utf8_lossy(&self.client_bytes()).into_owned()
    }

    pub fn upstream_text(&self) -> &str {
        std::str::from_utf8(self.upstream.as_deref().expect("the request went on")).unwrap()
    }

    pub fn reason(&self) -> &str {
        self.record.get("doorward.reason").map_or("", String::as_str)
    }

    pub fn usage(&self) -> (Option<&str>, Option<&str>) {
        let get = |name: &str| self.record.get(name).map(String::as_str);
        (get("gen_ai.usage.input_tokens"), get("gen_ai.usage.output_tokens"))
    }
}

/// What an upstream answers.
pub struct Answer<'a> {
    pub content_type: &'a str,
    pub chunks: Vec<Vec<u8>>,
    /// The connection ends before the answer does.
    pub cut: bool,
}

pub fn play(engine: &Engine, method: &str, path: &str, body: impl AsRef<[u8]>, answer: Option<&Answer<'_>>) -> Played {
    play_with(engine, method, path, &[("content-type", "application/json")], body, answer)
}

pub fn play_with(
    engine: &Engine,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: impl AsRef<[u8]>,
    answer: Option<&Answer<'_>>,
) -> Played {
    exchange(engine, &mut host(engine), method, path, fields, body.as_ref(), answer)
}

/// A host as it is before any request.
pub fn host(engine: &Engine) -> MemoryHost {
    let mut host = MemoryHost::default();
    Worker::new(engine).start(engine, &mut host).unwrap();
    host
}

/// A request of JSON on a host that remembers those before.
pub fn play_on(engine: &Engine, host: &mut MemoryHost, method: &str, path: &str, body: impl AsRef<[u8]>) -> Played {
    exchange(engine, host, method, path, &[("content-type", "application/json")], body.as_ref(), None)
}

fn exchange(
    engine: &Engine,
    host: &mut MemoryHost,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &[u8],
    answer: Option<&Answer<'_>>,
) -> Played {
    let mut worker = Worker::new(engine);
    host.set_attribute(Attribute::Cluster, "c");
    host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
    let mut exchange = Exchange::new(1);
    let mut played = Played { path: path.to_owned(), ..Played::default() };
    let mut upstream = body.to_vec();
    let at = Time(1_800_000_000_000_000_000);
    // Carries out what concerns bodies; answers whether the bytes at hand were replaced.
    let mut tell = |event: Event<'_>, host: &mut MemoryHost, played: &mut Played| {
        let mut effects = Vec::new();
        let flow = exchange.on(event, at, engine, &mut worker, host, &mut effects);
        let mut replaced = None;
        for effect in effects {
            match effect {
                Effect::Reply(reply) => played.reply = Some(reply),
                Effect::ReplaceBody(_, bytes) => replaced = Some(bytes),
                Effect::SetHeader(Side::Request, name, value) => {
                    let value = String::from_utf8(value).unwrap();
                    match name {
                        ":path" => played.path.clone_from(&value),
                        // The host's route leads to the cluster that is named so.
                        "x-doorward-route" => host.set_attribute(Attribute::Cluster, &value),
                        _ => {}
                    }
                    played.set.push((name.to_owned(), value));
                }
                Effect::RemoveHeader(Side::Request, name) => played.removed.push(name.into_owned()),
                Effect::Record(values) => played.record.extend(values),
                _ => {}
            }
        }
        (flow, replaced)
    };
    let pseudo = [(":method", method), (":path", path)];
    let headers: Headers = pseudo.into_iter().chain(fields.iter().copied()).collect();
    let (mut flow, _) =
        tell(Event::Head { side: Side::Request, headers: &headers, end: body.is_empty() }, host, &mut played);
    if played.reply.is_none() && !body.is_empty() {
        host.bodies.insert(Side::Request, upstream.clone());
        let event = Event::Body { side: Side::Request, available: upstream.len(), end: true };
        let (now, replaced) = tell(event, host, &mut played);
        flow = now;
        upstream = replaced.unwrap_or(upstream);
    }
    if flow == Flow::Continue && played.reply.is_none() {
        played.upstream = Some(upstream);
        if let Some(answer) = answer {
            let headers: Headers = [(":status", "200"), ("content-type", answer.content_type)].into_iter().collect();
            let (flow, _) =
                tell(Event::Head { side: Side::Response, headers: &headers, end: false }, host, &mut played);
            let whole = [answer.chunks.concat()];
            let chunks: &[Vec<u8>] = if flow == Flow::Hold { &whole } else { &answer.chunks };
            for (i, chunk) in chunks.iter().enumerate() {
                host.bodies.insert(Side::Response, chunk.clone());
                let end = i + 1 == chunks.len() && !answer.cut;
                let event = Event::Body { side: Side::Response, available: chunk.len(), end };
                let (flow, replaced) = tell(event, host, &mut played);
                if played.reply.is_some() || flow == Flow::Hold && !end {
                    continue;
                }
                played.client.push(replaced.unwrap_or_else(|| chunk.clone()));
            }
        }
    }
    let _ = tell(Event::Done { spent_us: 1 }, host, &mut played);
    played
}
