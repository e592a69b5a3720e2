//! What the stages of an exchange cost, and the whole of it: `cargo bench -p doorward-core --bench stages`.
//!
//! The policy is the one of `make bench`; the host is in memory and its signature check is free, so that this is core's
//! own part.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::field_reassign_with_default,
    clippy::panic,
    missing_docs,
    reason = "a benchmark"
)]

use std::time::{SystemTime, UNIX_EPOCH};

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use doorward_core::config::{Path, from_tree, tree_from_json};
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Flow, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use doorward_core::identity::{Identity, Keys, Outcome, Presented, take};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

fn main() {
    divan::main();
}

const SENTENCE: &str = "The committee met on Tuesday, 2026-05-12, to discuss the library's opening hours: three evenings \
    a week, for \\\"one season\\\", at most 1,250 EUR a month.\\n";

/// Every 1,000 bytes, where wanted.
const FINDING: &str = "Write to jane.roe@northwind.dev or pay with 4111 1111 1111 1111. ";

fn fixtures() -> Value {
    serde_json::from_str(include_str!("../src/identity/testdata/test-only-keys.json")).unwrap()
}

fn policy() -> Value {
    let mut key = fixtures()["keys"]["rsa_a"]["jwk"].clone();
    if key.is_null() {
        panic!("no RSA key in testdata");
    }
    key["kid"] = json!("k");
    json!({
        "version": "doorward/v1", "name": "bench",
        "targets": [{"name": "openai", "cluster": "openai", "provider": "openai"}],
        "identity": {"jwt": [{
            "issuer": "https://idp.test", "audiences": "doorward", "jwks": {"inline": {"keys": [key]}},
            "claims": {"user": "sub", "groups": "groups", "team": "team"},
        }]},
        "roles": {"users": {"groups": ["llm-users"]}},
        "models": [{"name": "gpt-4o", "price": {"input": 2.5, "output": 10}}],
        "access": [{"id": "a", "effect": "allow", "roles": "users", "models": "gpt-4o*",
                    "parameters": {"max_tokens": {"max": 4096}}}],
        "content": [
            {"id": "mask", "detect": ["pii", "financial"], "action": "mask"},
            {"id": "secrets", "detect": "secrets", "action": "deny"},
        ],
        "limits": [{"id": "rate", "requests": 4_000_000_000_u32, "window": "1m"}],
    })
}

fn now() -> Time {
    Time(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap())
}

/// A token of about 1 KB.
fn token() -> String {
    let claims = json!({
        "iss": "https://idp.test", "aud": "doorward", "sub": "alice", "team": "search", "exp": now().secs() + 3600,
        "groups": ["llm-users", "engineering-platform", "berlin-office", "vpn", "wiki-editors"],
        "name": "Alice Example", "email": "alice@example.com", "scope": "openid profile email groups",
        "sid": "5c1f7f2e-1f0b-45b5-b6a0-1d5d9a3f0d3e", "filler": "x".repeat(120),
    });
    let fixtures = fixtures();
    let pem = fixtures["keys"]["rsa_a"]["pem"].as_str().unwrap().as_bytes();
    let header = Header { kid: Some("k".to_owned()), ..Header::new(jsonwebtoken::Algorithm::RS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_rsa_pem(pem).unwrap()).unwrap()
}

fn head(token: &str, length: usize) -> Headers {
    head_to("/v1/chat/completions", token, length)
}

fn head_to(path: &str, token: &str, length: usize) -> Headers {
    Headers::from_iter([
        (":method", "POST"),
        (":path", path),
        (":authority", "gateway"),
        ("authorization", &*format!("Bearer {token}")),
        ("content-type", "application/json"),
        ("content-length", &*length.to_string()),
        ("user-agent", "bench"),
    ])
}

/// A chat request of about `size` bytes.
fn body(size: usize, findings: bool) -> String {
    let mut text = String::new();
    let mut due = 0;
    while text.len() < size {
        if findings && text.len() >= due {
            text.push_str(FINDING);
            due += 1000;
        }
        text.push_str(SENTENCE);
    }
    format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}],"model":"gpt-4o","max_tokens":512}}"#)
}

fn answer() -> String {
    let text = SENTENCE.repeat(4);
    format!(
        r#"{{"id":"1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}}}}],"usage":{{"prompt_tokens":412,"completion_tokens":117,"total_tokens":529}}}}"#
    )
}

fn host() -> MemoryHost {
    let mut host = MemoryHost::default();
    host.native = Some(|_| true);
    host.set_attribute(Attribute::Cluster, "openai");
    host
}

/// A token that was verified before: found in the headers, looked up, its times checked.
#[divan::bench]
fn identity_warm(bencher: Bencher<'_, '_>) {
    identity(bencher, false);
}

/// A token never seen, but for the signature itself.
#[divan::bench]
fn identity_cold(bencher: Bencher<'_, '_>) {
    identity(bencher, true);
}

fn identity(bencher: Bencher<'_, '_>, cold: bool) {
    let path = Path::root();
    let tree = tree_from_json(&policy()["identity"].to_string()).unwrap();
    let identity = Identity::compile(&from_tree(&tree, &path).unwrap(), &|_| None, &path).unwrap();
    let headers = head(&token(), 2048);
    let (mut host, mut keys, at) = (host(), Keys::new(&identity, "bench"), now().millis());
    let mut step = |keys: &mut Keys| {
        let credential = take(black_box(&headers), &identity.take_options(false)).unwrap();
        let outcome = identity.authenticate(
            keys,
            Presented { credential, headers: &headers },
            at,
            None,
            &mut host,
            &mut Vec::new(),
        );
        assert!(matches!(outcome, Outcome::Verified(_)), "{outcome:?}");
    };
    if cold {
        bencher.with_inputs(|| Keys::new(&identity, "bench")).bench_local_refs(|keys| step(keys));
    } else {
        bencher.bench_local(|| step(&mut keys));
    }
}

/// A whole exchange: head, body, answer of 1 KB, record.
#[divan::bench(args = [512, 2 << 10, 32 << 10, 512 << 10])]
fn exchange(bencher: Bencher<'_, '_>, size: usize) {
    run(bencher, &policy(), size, false);
}

/// The same of 2 KB under so many limits: calls at a time, tokens, money, requests.
#[divan::bench(args = [0, 1, 4])]
fn limits(bencher: Bencher<'_, '_>, count: usize) {
    let mut policy = policy();
    let all = [
        json!({"id": "tokens", "total_tokens": 4_000_000_000_000_u64, "calendar": "day", "zone": "CET-1CEST,M3.5.0,M10.5.0/3"}),
        json!({"id": "money", "cost": 1_000_000_000, "calendar": "month", "per": "team"}),
        json!({"id": "at-once", "concurrent": 1_000}),
        json!({"id": "rate", "requests": 4_000_000_000_u32, "window": "1m"}),
    ];
    policy["limits"] = all[..count].into();
    run(bencher, &policy, 2 << 10, false);
}

/// The same where an e-mail address and a card number are masked every 1,000 bytes.
#[divan::bench(args = [2 << 10, 32 << 10, 512 << 10])]
fn redact(bencher: Bencher<'_, '_>, size: usize) {
    run(bencher, &policy(), size, true);
}

/// A request that offers 1,000 tools, under so many rules for tools.
#[divan::bench(args = [0, 5, 5000])]
fn offer_tools(bencher: Bencher<'_, '_>, rules: usize) {
    let mut policy = policy();
    let rule = |i: usize| match i % 3 {
        0 => json!({"name": format!("tool_{i}")}),
        1 => json!({"name": format!("server{i}__*")}),
        _ => json!({"name": format!("*_{i}"), "arguments": {"/path": {"under": "/srv"}}}),
    };
    if rules > 0 {
        let mut rules: Vec<Value> = (1..rules).map(rule).collect();
        rules.push(json!({"name": "tool_*"}));
        policy["access"][0]["tools"] = rules.into();
    }
    let tree = tree_from_json(&policy.to_string()).unwrap();
    let engine = Engine::compile(&tree, &|_| None).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (mut worker, mut host, at) = (Worker::new(&engine), host(), now());
    let tool = |i: usize| json!({"type": "function", "function": {"name": format!("tool_{i}"), "parameters": {}}});
    let tools: Vec<Value> = (0..1000).map(tool).collect();
    let messages = json!([{"role": "user", "content": "Go on."}]);
    let body = json!({"messages": messages, "model": "gpt-4o", "max_tokens": 512, "tools": tools}).to_string();
    let head = head_to("/v1/chat/completions", &token(), body.len());
    let available = body.len();
    host.bodies.insert(Side::Request, body.into_bytes());
    bencher.bench_local(|| {
        let (mut exchange, mut effects) = (Exchange::new(1), Vec::new());
        let _ = exchange.on(
            Event::Head { side: Side::Request, headers: &head, end: false },
            at,
            &engine,
            &mut worker,
            &mut host,
            &mut effects,
        );
        let event = Event::Body { side: Side::Request, available, end: true };
        assert_eq!(exchange.on(event, at, &engine, &mut worker, &mut host, &mut effects), Flow::Continue);
    });
}

/// One event of a stream, with four characters of text, from the moment its bytes are there until they go on.
#[divan::bench(args = ["openai", "anthropic"])]
fn stream_event(bencher: Bencher<'_, '_>, format: &str) {
    let mut policy = policy();
    policy["targets"][0]["provider"] = json!(format);
    let tree = tree_from_json(&policy.to_string()).unwrap();
    let engine = Engine::compile(&tree, &|_| None).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (mut worker, mut host, at) = (Worker::new(&engine), host(), now());
    let body = r#"{"messages":[{"role":"user","content":"Go on."}],"model":"gpt-4o","max_tokens":512,"stream":true}"#;
    let path = if format == "openai" { "/v1/chat/completions" } else { "/v1/messages" };
    let head = head_to(path, &token(), body.len());
    let back = Headers::from_iter([(":status", "200"), ("content-type", "text/event-stream")]);
    host.bodies.insert(Side::Request, body.as_bytes().to_vec());
    let (mut exchange, mut effects) = (Exchange::new(1), Vec::new());
    let events = [
        Event::Head { side: Side::Request, headers: &head, end: false },
        Event::Body { side: Side::Request, available: body.len(), end: true },
        Event::Head { side: Side::Response, headers: &back, end: false },
    ];
    for event in events {
        let _ = exchange.on(event, at, &engine, &mut worker, &mut host, &mut effects);
    }
    let mut events = pieces(format).into_iter().cycle();
    bencher.bench_local(|| {
        let event = events.next().unwrap();
        let available = event.len();
        host.bodies.insert(Side::Response, event);
        effects.clear();
        let event = Event::Body { side: Side::Response, available, end: false };
        assert_eq!(exchange.on(event, at, &engine, &mut worker, &mut host, &mut effects), Flow::Continue);
    });
}

/// A sentence as the events of a stream.
fn pieces(format: &str) -> Vec<Vec<u8>> {
    let chars: Vec<char> = SENTENCE.replace(['\\', '"'], "").chars().collect();
    let event = |piece: &[char]| {
        let text = Value::from(piece.iter().collect::<String>());
        match format {
            "openai" => format!(
                "data: {{\"id\":\"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG\",\"object\":\"chat.completion.chunk\",\
                 \"created\":1741570283,\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\",\
                 \"system_fingerprint\":\"fp_fc9f1d7035\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{text}}},\
                 \"logprobs\":null,\"finish_reason\":null}}],\"usage\":null,\"obfuscation\":\"x7Kq2\"}}\n\n"
            ),
            _ => format!(
                "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
                 \"delta\":{{\"type\":\"text_delta\",\"text\":{text}}}}}\n\n"
            ),
        }
    };
    chars.chunks(4).map(|piece| event(piece).into_bytes()).collect()
}

fn run(bencher: Bencher<'_, '_>, policy: &Value, size: usize, findings: bool) {
    let tree = tree_from_json(&policy.to_string()).unwrap();
    let engine = Engine::compile(&tree, &|_| None).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (mut worker, mut host, at) = (Worker::new(&engine), host(), now());
    worker.start(&engine, &mut host).unwrap();
    let (request, answer) = (body(size, findings), answer());
    let (sent, received) = (request.len(), answer.len());
    let head = head(&token(), sent);
    let back = Headers::from_iter([(":status", "200"), ("content-type", "application/json")]);
    host.bodies.insert(Side::Request, request.into_bytes());
    host.bodies.insert(Side::Response, answer.into_bytes());
    bencher.counter(BytesCount::new(sent)).bench_local(|| {
        let mut exchange = Exchange::new(1);
        let mut effects = Vec::new();
        let events = [
            (Event::Head { side: Side::Request, headers: &head, end: false }, Flow::Hold),
            (Event::Body { side: Side::Request, available: sent, end: true }, Flow::Continue),
            (Event::Head { side: Side::Response, headers: &back, end: false }, Flow::Hold),
            (Event::Body { side: Side::Response, available: received, end: true }, Flow::Continue),
            (Event::Done { spent_us: 0 }, Flow::Continue),
        ];
        for (event, expected) in events {
            let flow = exchange.on(event, at, &engine, &mut worker, &mut host, &mut effects);
            assert_eq!(flow, expected, "{effects:?}");
        }
        let edited = effects.iter().any(|e| matches!(e, Effect::ReplaceBody(Side::Request, _)));
        assert_eq!(edited, findings);
        effects
    });
}
