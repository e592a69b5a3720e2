//! Attempts to get past the filter, or to get it to break what passes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "../support/mod.rs"]
mod support;

mod callers;
mod table;
mod upstreams;
mod values;
mod work;

use doorward_core::engine::Engine;
use serde_json::{Value, json};
use support::{Answer, Played, engine, play, policy};

const CARD: &str = "4556 7375 8689 9855";
const CHAT: &str = "/v1/chat/completions";
const MAIL: &str = "bob.smith@northwind.dev";

fn masking() -> Value {
    json!({"content": [{"id": "card", "detect": "CREDIT_CARD", "action": "mask"}]})
}

fn restoring() -> Value {
    json!({"content": [{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize"}],
        "tools": [{"name": "lookup", "restore": true}]})
}

fn merged(a: &Value, b: &Value) -> Value {
    let mut all = a.clone();
    all.as_object_mut().unwrap().extend(b.as_object().unwrap().clone());
    all
}

/// A request to `path` under a policy with `more`.
fn ask(provider: &str, more: &Value, path: &str, body: &Value) -> Played {
    play(&engine(&policy(provider, more)), "POST", path, body.to_string(), None)
}

/// The whole answer to a request.
fn answered(provider: &str, more: &Value, path: &str, body: &Value, answer: &Value) -> Played {
    let answer = Answer { content_type: "application/json", chunks: vec![answer.to_string().into_bytes()], cut: false };
    play(&engine(&policy(provider, more)), "POST", path, body.to_string(), Some(&answer))
}

/// A stream of server-sent events in answer to a request, one event at a time.
fn streamed(provider: &str, more: &Value, path: &str, body: &Value, events: &[(&str, Value)]) -> Played {
    let chunk = |(name, payload): &(&str, Value)| {
        let name = if name.is_empty() { String::new() } else { format!("event: {name}\n") };
        let payload = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
        format!("{name}data: {payload}\n\n").into_bytes()
    };
    let answer = Answer { content_type: "text/event-stream", chunks: events.iter().map(chunk).collect(), cut: false };
    play(&engine(&policy(provider, more)), "POST", path, body.to_string(), Some(&answer))
}

/// The same, the answer in these chunks.
fn played_chunks(engine: &Engine, path: &str, body: &Value, content_type: &str, chunks: &[&[u8]]) -> Played {
    let chunks = chunks.iter().map(|chunk| chunk.to_vec()).collect();
    play(engine, "POST", path, body.to_string(), Some(&Answer { content_type, chunks, cut: false }))
}

/// An event, named after its type where it has one.
fn data(event: &Value) -> String {
    match event["type"].as_str() {
        Some(kind) => format!("event: {kind}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    }
}

fn chat(more: &Value) -> Value {
    merged(&json!({"model": "m-1", "messages": [{"role": "user", "content": format!("I am {MAIL}")}]}), more)
}

fn streaming() -> Value {
    chat(&json!({"stream": true}))
}

/// What stands for [`MAIL`] in what the upstream receives.
fn placeholder() -> String {
    let sent = ask("openai", &restoring(), CHAT, &streaming());
    let sent = sent.upstream_text();
    let start = sent.find("[EMAIL_ADDRESS_").unwrap();
    sent[start..=start + sent[start..].find(']').unwrap()].to_owned()
}

fn choice(delta: &Value, finish: &Value) -> (&'static str, Value) {
    ("", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
}

/// All texts of a stream's events at one place.
fn texts(played: &Played, pointer: &str) -> String {
    let all = played.client_text();
    let payloads = all.lines().filter_map(|line| line.strip_prefix("data: "));
    payloads
        .filter_map(|p| serde_json::from_str::<Value>(p).ok()?.pointer(pointer)?.as_str().map(str::to_owned))
        .collect()
}
