//! What a stream holds does not grow with its length: bytes that are live after a thousand events are those after fifty thousand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicIsize, Ordering};

use doorward_core::engine::Worker;
use doorward_core::exchange::{Effect, Event, Exchange, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};
use support::streams::{framing, messages, pieces};
use support::{Fixture, engine, policy};

static LIVE: AtomicIsize = AtomicIsize::new(0);

/// The system's allocator, counting what is live.
struct Counting;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: see above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: see above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One stream at a time, so that nobody else's bytes are counted.
static ALONE: Mutex<()> = Mutex::new(());

/// Events by which a stream has taken what it keeps, and those after which it has taken no more.
const FEW: usize = 1_000;
const MANY: usize = 50_000;

/// What may be held at one time and not at another: of the texts what is not settled, and what stands before it.
const SWING: isize = 4 * 1024;

/// Prose with values in it that are found, half of them in what may be a link or goes on in the next event.
fn text() -> String {
    let mut text = String::new();
    for i in 0..40 {
        text.push_str(
            "The committee met on Tuesday to discuss the library's new opening hours, and nobody was surprised. ",
        );
        text.push_str(&format!(
            "Write to jane{i}.doe@northwind.dev or see https://example.org/{i}?q=1, at 10:3{} (\\\"now\\\"). ",
            i % 10
        ));
    }
    text
}

/// Bytes that a stream of `fixture` has live after [`FEW`] events, and the most and least from there to [`MANY`].
fn live(fixture: &Fixture, policy: &Value, extra: &[Vec<u8>]) -> (isize, isize, isize) {
    let text = text();
    let all = messages(fixture, &pieces(&text, 4));
    let (head, tail) = (
        fixture.value["stream"]["head"].as_array().unwrap().len(),
        fixture.value["stream"]["tail"].as_array().unwrap().len(),
    );
    let (begin, body) = all[..all.len() - tail].split_at(head.max(1));
    let engine = engine(policy);
    let (mut worker, mut host) = (Worker::new(&engine), MemoryHost::default());
    worker.start(&engine, &mut host).unwrap();
    host.set_attribute(Attribute::Cluster, "c");
    host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
    let request = fixture.stream_request("Write to jane1.doe@northwind.dev, and to bob@northwind.dev.").into_bytes();
    let available = request.len();
    host.bodies.insert(Side::Request, request);
    let asked: Headers = [(":method", "POST"), (":path", fixture.stream_path()), ("content-type", "application/json")]
        .into_iter()
        .collect();
    let content_type = fixture.value["stream"]["content_type"].as_str().unwrap();
    let answered: Headers = [(":status", "200"), ("content-type", content_type)].into_iter().collect();
    let (mut exchange, mut effects) = (Exchange::new(1), Vec::new());
    let at = Time(1_800_000_000_000_000_000);
    for event in [
        Event::Head { side: Side::Request, headers: &asked, end: false },
        Event::Body { side: Side::Request, available, end: true },
        Event::Head { side: Side::Response, headers: &answered, end: false },
    ] {
        let _ = exchange.on(event, at, &engine, &mut worker, &mut host, &mut effects);
    }
    let (mut few, mut least, mut most, mut went) = (0, isize::MAX, isize::MIN, 0);
    let events = begin.iter().chain(body.iter().flat_map(|event| std::iter::once(event).chain(extra)).cycle());
    for (number, event) in events.take(MANY).enumerate() {
        host.bodies.insert(Side::Response, event.clone());
        let event = Event::Body { side: Side::Response, available: event.len(), end: false };
        let _ = exchange.on(event, at, &engine, &mut worker, &mut host, &mut effects);
        // What follows a refusal is dropped.
        let goes = |effect: &Effect| matches!(effect, Effect::ReplaceBody(_, bytes) if !bytes.is_empty());
        went = if effects.iter().any(goes) { number } else { went };
        drop(effects);
        effects = Vec::new();
        host.bodies.clear();
        let live = LIVE.load(Ordering::Relaxed);
        if number < FEW {
            few = live;
        } else {
            (least, most) = (least.min(live), most.max(live));
        }
    }
    let _ = exchange.on(Event::Done { spent_us: 1 }, at, &engine, &mut worker, &mut host, &mut effects);
    let of = |effect: &Effect| match effect {
        Effect::Record(values) => values.iter().find(|(key, _)| *key == "doorward.reason").map(|(_, why)| why.clone()),
        _ => None,
    };
    assert_eq!(effects.iter().find_map(of).unwrap_or_default(), "", "{}, after {went} events", fixture.name);
    assert!(went > MANY - FEW, "{}: the stream goes on, and is edited", fixture.name);
    (few, least, most)
}

fn flat(fixture: &Fixture, what: &str, more: &Value, extra: &[Vec<u8>]) {
    let (few, least, most) = live(fixture, &policy(fixture.text("provider"), more), extra);
    assert!(
        most - least < 2 * SWING && (most - few).abs() < SWING,
        "{}, {what}: {few}, then {least} to {most}",
        fixture.name
    );
}

fn fixtures() -> Vec<Fixture> {
    let names = [
        "openai.chat",
        "openai.responses",
        "anthropic.messages",
        "ollama.chat",
        "gemini.generate-array",
        "bedrock.converse",
        "bedrock.invoke",
    ];
    let all: Vec<Fixture> = Fixture::all().into_iter().filter(|f| names.contains(&f.name.as_str())).collect();
    let framings: std::collections::HashSet<_> = all.iter().map(framing).collect();
    assert_eq!((all.len(), framings.len()), (names.len(), 4), "every framing");
    all
}

#[test]
fn masked_and_restoring_streams_hold_no_more_when_they_are_long() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for fixture in &fixtures() {
        let mask = json!({"id": "m", "detect": "all", "action": "mask", "direction": "response"});
        flat(fixture, "masked", &json!({"content": [mask]}), &[]);
        let tokens = json!({"id": "t", "detect": "EMAIL_ADDRESS", "action": "tokenize", "direction": "request"});
        flat(fixture, "restoring", &json!({"content": [mask, tokens]}), &[]);
    }
}

#[test]
fn nor_do_those_with_calls_of_tools() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let fixture = Fixture::all().into_iter().find(|f| f.name == "openai.chat").unwrap();
    let call = |delta: Value| {
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "model": "m-1",
            "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
        format!("data: {chunk}\n\n").into_bytes()
    };
    // One call after the other, each with the number of the one before.
    let calls = [
        call(
            json!({"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "mail", "arguments": ""}}]}),
        ),
        call(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"to\":\"jane1.d"}}]})),
        call(json!({"tool_calls": [{"index": 0, "function": {"arguments": "oe@northwind.dev\"}"}}]})),
    ];
    let mask = json!({"id": "m", "detect": "all", "action": "mask", "direction": "response"});
    flat(&fixture, "calls", &json!({"content": [mask]}), &calls);
    let access = json!([{"id": "all", "effect": "allow", "models": ["m-1", "default"], "tools": [{"name": "mail"}]}]);
    let whole = call(json!({"tool_calls": [{"index": 0, "id": "x", "type": "function",
        "function": {"name": "mail", "arguments": "{\"to\":\"jane1.doe@northwind.dev\"}"}}]}));
    flat(&fixture, "judged calls", &json!({"content": [mask], "access": access}), &[whole]);
}
