//! The upstreams of [`doorward_e2e::providers`] are what the official SDKs expect: every operation of every script of
//! `tests/sdk/`, straight to the upstream, streams included.

mod anthropic;
mod bedrock;
mod google;
mod openai;
mod others;

use doorward_e2e::client::{Answer, Request, Target, http1};
use doorward_e2e::providers::deltas;
use doorward_e2e::sdk::{Call, Outcome, Sdk};
use doorward_e2e::upstream::{Handler, Upstream};
use serde_json::{Value, json};

const SAY: &str = "write to jürgen@northwind.dev";
const SAID: &str = "You said: write to jürgen@northwind.dev";
const THINK: &str = "THINK of eve@northwind.dev";
const CALLS: &str = "CALL find {\"name\": \"Jürgen\", \"limit\": 3}\nCALL send {\"to\": \"eve@northwind.dev\"}";

/// What the calls of [`CALLS`] are once assembled.
fn called() -> Value {
    json!([{"name": "find", "arguments": {"name": "Jürgen", "limit": 3}},
        {"name": "send", "arguments": {"to": "eve@northwind.dev"}}])
}

/// The calls of a stream, their arguments parsed.
fn calls_of(streamed: &Value) -> Value {
    let call = |call: &Value| {
        let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
        json!({"name": call["name"], "arguments": arguments})
    };
    streamed["calls"].as_array().unwrap().iter().map(call).collect()
}

/// Runs operations through an SDK against its provider; every key is `caller-key`.
async fn run(sdk: Sdk, handler: Handler, path: &str, calls: &[(&str, Value)]) -> Vec<Outcome> {
    let upstream = Upstream::with(handler).await;
    let base = format!("http://{}{path}", upstream.address);
    let calls: Vec<(&str, Call)> =
        calls.iter().map(|(name, arguments)| ("caller-key", Call::of(name, arguments.clone()))).collect();
    let outcomes = sdk.calls(&base, &calls).await;
    assert!(upstream.seen().iter().all(|seen| seen.mentions("caller-key")), "{sdk:?} sends its key");
    outcomes
}

/// The results; panics at the first error.
fn oks(calls: &[(&str, Value)], outcomes: Vec<Outcome>) -> Vec<Value> {
    let ok = |(call, outcome): (&(&str, Value), Outcome)| match outcome.ok {
        Some(ok) => ok,
        None => panic!("{call:?}: {outcome:?}"),
    };
    calls.iter().zip(outcomes).map(ok).collect()
}

/// A stream that said `text` in deltas.
fn streamed(result: &Value, text: &str) {
    assert_eq!(result["text"], text, "{result:#}");
    assert!(result["events"].as_u64().unwrap() >= deltas(text).len() as u64, "{result:#}");
}

fn ask(text: &str) -> Value {
    json!([{"role": "user", "content": text}])
}

fn functions() -> Value {
    let function = |name: &str| {
        json!({"type": "function", "function": {"name": name, "description": name,
            "parameters": {"type": "object", "properties": {}}}})
    };
    json!([function("find"), function("send")])
}

/// A request without an SDK.
async fn post(upstream: &Upstream, path: &str, body: &Value) -> Answer {
    let mut connection = http1::Connection::open(&Target::plain(upstream.address)).await.unwrap();
    connection.call(&Request::post(path, body)).await.unwrap()
}
