//! What must hold of an exchange, whatever its request and its answer are.

use doorward_core::config::tree_from_json;
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Flow, LocalReply, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::Value;

thread_local! {
    /// Enforced in hold mode, in flow mode, and observed.
    static ENGINES: [Engine; 3] =
        [("enforce", true), ("enforce", false), ("observe", true)].map(|(mode, hold)| engine(mode, hold));
}

fn engine(mode: &str, hold: bool) -> Engine {
    let policy = format!(
        r#"{{
            "version": "doorward/v1", "mode": "{mode}", "envoy": {{"hold_headers": {hold}, "max_body_bytes": 65536}},
            "targets": [{{"name": "t", "cluster": "c", "provider": "openai"}}],
            "identity": {{"mtls": {{"trust_domains": "td"}}, "require": {{"user": false, "workload": true}}}},
            "models": [{{"name": "gpt-5", "aliases": ["fast"]}}],
            "access": [{{"id": "a", "effect": "allow", "models": "gpt-5", "parameters": {{"max_tokens": {{"max": 100}}}}}}],
            "detectors": {{"patterns": [{{"name": "BADGE", "pattern": "B-\\d{{4}}"}}]}},
            "content": [
                {{"id": "m", "detect": ["EMAIL_ADDRESS", "CREDIT_CARD", "BADGE"], "action": "mask"}},
                {{"id": "d", "detect": "secrets", "action": "deny"}}
            ],
            "limits": [{{"id": "l", "requests": 1000000000, "window": "1h"}}]
        }}"#
    );
    Engine::compile(&tree_from_json(&policy).expect("JSON"), &|_| None).expect("a policy")
}

/// What came of one exchange.
#[derive(Default)]
struct Run {
    replies: Vec<LocalReply>,
    /// What went on of the request's body, and of the answer's; none where nothing did.
    sent: Option<Vec<u8>>,
    delivered: Option<Vec<u8>>,
    changes: usize,
    records: usize,
}

/// Panics when something does not hold. The first byte chooses the policy, the next the call; a line of `---` parts the
/// request from the answer.
pub fn exchange(data: &[u8]) {
    let [mode, call, rest @ ..] = data else { return };
    let at = rest.windows(4).position(|w| w == b"\n---");
    let (request, answer) = at.map_or((rest, &b"{}"[..]), |at| (&rest[..at], &rest[at + 4..]));
    ENGINES.with(|engines| {
        let engine = &engines[usize::from(mode % 3)];
        let observe = mode % 3 == 2;
        let run = play(engine, *call, request, answer);
        assert_eq!(run.records, 1, "one record for each exchange");
        assert!(run.replies.len() <= 1, "answered twice");
        if observe {
            assert!(run.replies.is_empty() && run.changes == 0, "observing changes something");
            return;
        }
        if let Some(reply) = run.replies.first() {
            assert!((400..=503).contains(&reply.status));
            serde_json::from_slice::<Value>(&reply.body).expect("a refusal in JSON");
        }
        let Some(sent) = &run.sent else { return };
        let value: Value = match serde_json::from_slice(sent) {
            Ok(value) => value,
            Err(error) => {
                assert!(error.to_string().contains("number out of range"), "{error}");
                return;
            }
        };
        assert!(value["model"].as_str().is_some_and(|m| m.eq_ignore_ascii_case("gpt-5")), "another model");
        assert!(value["max_tokens"].as_f64().is_none_or(|n| n <= 100.0), "beyond the cap");
        // What was made of a body passes as it is.
        let again = play(engine, *call, sent, b"{}");
        assert_eq!(again.sent.as_ref(), Some(sent), "inspected twice, it differs");
        if let Some(delivered) = &run.delivered {
            assert!(delivered == answer || !delivered.is_empty() || answer.is_empty());
        }
    });
}

fn play(engine: &Engine, call: u8, request: &[u8], answer: &[u8]) -> Run {
    let (mut worker, mut host) = (Worker::new(engine), MemoryHost::default());
    worker.start(engine, &mut host).expect("a store in memory");
    host.set_attribute(Attribute::Cluster, "c");
    host.set_attribute(Attribute::PeerUri, "spiffe://td/w");
    let path = if call.is_multiple_of(2) { "/v1/chat/completions" } else { "/v1/messages" };
    let request_head: Headers =
        [(":method", "POST"), (":path", path), ("content-type", "application/json")].into_iter().collect();
    let media = ["application/json", "text/plain", "text/event-stream"][usize::from(call / 2 % 3)];
    let answer_head: Headers = [(":status", "200"), ("content-type", media)].into_iter().collect();
    host.bodies.insert(Side::Request, request.to_vec());
    host.bodies.insert(Side::Response, answer.to_vec());
    let mut exchange = Exchange::new(1);
    let mut run = Run::default();
    let mut bodies = [None, None];
    for event in [
        Event::Head { side: Side::Request, headers: &request_head, end: false },
        Event::Body { side: Side::Request, available: request.len(), end: true },
        Event::Head { side: Side::Response, headers: &answer_head, end: false },
        Event::Body { side: Side::Response, available: answer.len(), end: true },
        Event::Done { spent_us: 1 },
    ] {
        let side = match &event {
            Event::Body { side, .. } => Some(*side),
            _ => None,
        };
        if !run.replies.is_empty() && !matches!(event, Event::Done { .. }) {
            continue;
        }
        let mut effects = Vec::new();
        let flow = exchange.on(event, Time(1_800_000_000_000_000_000), engine, &mut worker, &mut host, &mut effects);
        let mut body = side.map(|side| host.bodies[&side].clone());
        for effect in effects {
            match effect {
                Effect::Reply(reply) => run.replies.push(reply),
                Effect::ReplaceBody(_, new) => {
                    run.changes += 1;
                    body = Some(new);
                }
                Effect::SetHeader(..) | Effect::RemoveHeader(..) => run.changes += 1,
                Effect::Record(_) => run.records += 1,
                _ => {}
            }
        }
        if flow == Flow::Continue
            && let Some(side) = side
        {
            bodies[usize::from(side == Side::Response)] = body;
        }
    }
    let [sent, delivered] = bodies;
    Run { sent, delivered, ..run }
}
