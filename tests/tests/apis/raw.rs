//! A client for what no SDK here speaks: one POST, its answer whole or as events.

use std::net::SocketAddr;

use doorward_e2e::client::{Answer, Request, Target, http1};
use doorward_e2e::sdk::{Call, Outcome};
use serde_json::{Value, json};

/// POSTs a call whose name is a path; `delta` is where an event has its piece of the text.
pub async fn call(base: &str, token: &str, call: Call, delta: &str) -> Outcome {
    let Call::Operation { name, arguments } = call else { panic!("rows are operations") };
    let address: SocketAddr = base.trim_start_matches("http://").parse().expect("an address");
    let mut connection = http1::Connection::open(&Target::plain(address)).await.expect("connect");
    let answer = connection.call(&Request::post(&name, &arguments).bearer(token)).await;
    outcome(&answer.expect("an answer"), delta)
}

/// What an answer amounts to: an error status is an error, and so is an event that tells one.
pub fn outcome(answer: &Answer, delta: &str) -> Outcome {
    assert_eq!(answer.cut, None, "{answer:?}");
    let mut outcome = Outcome { ok: None, error: None, status: None, body: Value::Null, partial: Value::Null };
    if answer.status >= 400 {
        return Outcome {
            error: Some("Status".to_owned()),
            status: Some(u64::from(answer.status)),
            body: answer.json(),
            ..outcome
        };
    }
    let kind = answer.fields.get("content-type").unwrap_or_default();
    if !kind.starts_with("text/event-stream") && !kind.contains("json") {
        outcome.ok = Some(json!(answer.body));
        return outcome;
    }
    let events = match delta {
        "" => {
            outcome.ok = Some(answer.json());
            return outcome;
        }
        _ if kind.starts_with("text/event-stream") => events(answer.text()),
        _ => answer.json().as_array().cloned().unwrap_or_default(),
    };
    let piece = |event: &Value| event.pointer(delta).and_then(Value::as_str).map(str::to_owned);
    let text: String = events.iter().filter_map(piece).collect();
    let streamed = json!({"text": text, "events": events});
    match events.iter().find_map(|event| event.get("error")) {
        None => outcome.ok = Some(streamed),
        Some(error) => {
            outcome.error = Some("Event".to_owned());
            outcome.body = error.clone();
            outcome.partial = streamed;
        }
    }
    outcome
}

/// The payloads of server-sent events, `[DONE]` left out.
pub fn events(text: &str) -> Vec<Value> {
    let payload = |line: &str| line.strip_prefix("data:").map(|payload| payload.trim().to_owned());
    let payloads = text.lines().filter_map(payload).filter(|payload| payload != "[DONE]");
    payloads.map(|payload| serde_json::from_str(&payload).unwrap_or_else(|e| panic!("{e}: {payload}"))).collect()
}
