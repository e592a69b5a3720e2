//! Limits in the course of exchanges: what is reserved, what is written into a request, and what is settled on every exit.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::get_unwrap
)]

mod desk;
mod estimates;
mod steps;
#[path = "../support/mod.rs"]
mod support;

use desk::{Desk, Open, day, limited, request};
use serde_json::json;

fn event(text: &str) -> Vec<u8> {
    format!("data: {}\n\n", json!({"model": "m-1", "choices": [{"index": 0, "delta": {"content": text}}]})).into_bytes()
}

#[test]
fn answers_tell_what_is_left_unless_only_refusals_are_to() {
    for headers in ["always", "refusals"] {
        let mut policy = day(2000);
        policy["answers"] = json!({"limit_headers": headers});
        let mut desk = Desk::new(&policy);
        let ask = request(json!({"max_tokens": 960}));
        let mut open = desk.chat(&ask).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        let set = desk.head(&mut open, "200", "application/json");
        assert_eq!(set.get("ratelimit-limit").map(String::as_str), (headers == "always").then_some("2000"));
        let (reply, _) = desk.chat(&request(json!({"max_tokens": 1960}))).err().unwrap();
        let told: Vec<&str> =
            reply.headers.iter().map(|(name, _)| *name).filter(|n| n.starts_with("ratelimit-")).collect();
        assert_eq!(told, ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]);
    }
}

#[test]
fn a_budget_for_ten_admits_ten() {
    let mut desk = Desk::new(&day(10_000));
    let ask = request(json!({"max_tokens": 950}));
    let open: Vec<Open> = (0..100).filter_map(|_| desk.chat(&ask).ok()).collect();
    assert_eq!(open.len(), 10);
    let (reply, record) = desk.chat(&ask).err().unwrap();
    assert_eq!(reply.status, 429);
    let header = |name: &str| reply.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
    assert_eq!(header("ratelimit-limit"), Some("10000"));
    assert!(header("retry-after").is_some() && header("x-should-retry").is_none());
    let text = String::from_utf8(reply.body.clone()).unwrap();
    assert!(text.contains("limit `day`") && text.contains("rate_limit_error"), "{text}");
    assert_eq!((record["doorward.reason"].as_str(), record["doorward.rules"].as_str()), ("limit.tokens", "day"));
    for open in open {
        desk.done(open.exchange);
    }
}

#[test]
fn what_was_used_is_settled_to_the_token() {
    let mut desk = Desk::new(&day(10_000));
    assert_eq!(desk.left(), 10_000);
    desk.used(&request(json!({"max_tokens": 5000})), 1234, 567);
    assert_eq!(desk.left(), 10_000 - 1801);
    // Refused by the upstream: nothing was used.
    let mut open = desk.chat(&request(json!({"max_tokens": 5000}))).ok().unwrap();
    let headers = desk.head(&mut open, "429", "application/json");
    assert_eq!(headers["ratelimit-limit"], "10000");
    desk.bytes(&mut open, br#"{"error":{"message":"slow down"}}"#, true);
    desk.done(open.exchange);
    assert_eq!(desk.left(), 10_000 - 1801);
    // Refused by ourselves: neither.
    let denied = desk.chat(&request(json!({"model": "m-2"}))).err().unwrap();
    assert_eq!(denied.1["doorward.reason"], "model.not_allowed");
    assert_eq!(desk.left(), 10_000 - 1801);
}

#[test]
fn a_stream_that_is_cut_off_pays_for_what_came() {
    let mut desk = Desk::new(&day(100_000));
    let ask = request(json!({"max_tokens": 5000, "stream": true}));
    // Providers tell what is a token: here, one for each word of six bytes.
    for _ in 0..20 {
        let mut open = desk.chat(&ask).ok().unwrap();
        desk.head(&mut open, "200", "text/event-stream");
        (0..200).for_each(|_| desk.bytes(&mut open, &event("hello "), false));
        let usage = json!({"model": "m-1", "choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 200}});
        desk.bytes(&mut open, format!("data: {usage}\n\ndata: [DONE]\n\n").as_bytes(), true);
        assert_eq!(desk.done(open.exchange)["gen_ai.usage.output_tokens"], "200");
    }
    assert_eq!(desk.left(), 100_000 - 20 * 240);
    let mut open = desk.chat(&ask).ok().unwrap();
    desk.head(&mut open, "200", "text/event-stream");
    (0..500).for_each(|_| desk.bytes(&mut open, &event("hello "), false));
    let record = desk.done(open.exchange);
    assert_eq!(record["doorward.usage.estimated"], "true");
    let output: u64 = record["gen_ai.usage.output_tokens"].parse().unwrap();
    assert!((500..=550).contains(&output), "{output}");
    let left = desk.left();
    let input: u64 = record["gen_ai.usage.input_tokens"].parse().unwrap();
    assert_eq!(left, 100_000 - 20 * 240 - input - output);
    // Nothing came at all: what went out is paid for.
    let open = desk.chat(&ask).ok().unwrap();
    let record = desk.done(open.exchange);
    assert_eq!(record["doorward.usage.estimated"], "true");
    let now = desk.left();
    assert!(left - now >= input && left - now <= input + 10, "{left} {now} {input}");
}

#[test]
fn a_vm_that_is_lost_keeps_nobodys_budget() {
    let mut desk = Desk::new(&limited(json!([
        {"id": "day", "total_tokens": 10000, "calendar": "day"}, {"id": "one", "concurrent": 1}
    ])));
    let ask = request(json!({"max_tokens": 9000}));
    let lost = desk.chat(&ask).ok().unwrap();
    desk.another_vm();
    assert_eq!(desk.chat(&ask).err().unwrap().1["doorward.rules"], "day,one");
    desk.secs += 11;
    let open = desk.chat(&ask);
    assert!(open.is_ok(), "{:?}", open.err());
    drop(lost);
}

#[test]
fn calls_at_a_time_are_counted_until_they_are_over() {
    let mut desk = Desk::new(&limited(json!([{"id": "two", "concurrent": 2}])));
    let first = desk.chat(&request(json!({}))).ok().unwrap();
    let _second = desk.chat(&request(json!({}))).ok().unwrap();
    let (reply, record) = desk.chat(&request(json!({}))).err().unwrap();
    assert_eq!((reply.status, record["doorward.reason"].as_str()), (429, "limit.concurrent"));
    desk.done(first.exchange);
    assert!(desk.chat(&request(json!({}))).is_ok());
}

#[test]
fn where_nothing_is_left_nothing_that_may_use_something_passes() {
    let mut desk = Desk::new(&limited(json!([{"id": "day", "output_tokens": 100, "calendar": "day"}])));
    // It says that nothing will come out, and the model has it otherwise.
    let silent = request(json!({"max_tokens": 0}));
    desk.used(&silent, 5, 100);
    let (reply, record) = desk.chat(&silent).err().unwrap();
    assert_eq!((reply.status, record["doorward.reason"].as_str()), (429, "limit.tokens"));
}

#[test]
fn sounds_and_pictures_are_no_text_by_their_bytes() {
    let mut desk = Desk::new(&day(100_000));
    let body = json!({"model": "m-1", "prompt": "A cat."});
    let mut open = desk.post("/v1/images/generations", &body).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
    desk.head(&mut open, "200", "application/json");
    let answer = json!({"created": 1, "data": [{"b64_json": "A".repeat(400_000)}]}).to_string();
    desk.bytes(&mut open, answer.as_bytes(), true);
    desk.done(open.exchange);
    let left = desk.left();
    assert!((95_000..96_000).contains(&left), "{left}");
}

#[test]
fn who_only_observes_changes_nothing_and_counts_apart() {
    let mut document = day(100);
    document["mode"] = json!("observe");
    let mut desk = Desk::new(&document);
    for _ in 0..3 {
        let open = desk.chat(&request(json!({}))).ok().unwrap();
        assert_eq!(open.body, request(json!({})));
        assert_eq!(desk.done(open.exchange)["doorward.reason"], "limit.too_large");
    }
    // One limit of a policy that enforces: it is only recorded, and counts all the same.
    let mut desk = Desk::new(&limited(json!([{"id": "seen", "requests": 1, "window": "1h", "mode": "observe"}])));
    let record = desk.used(&request(json!({})), 1, 1);
    assert_eq!(record.get("doorward.observed"), None);
    assert_eq!(desk.used(&request(json!({})), 1, 1)["doorward.observed"], "seen");
}

#[test]
fn refused_requests_count_against_rates_and_not_against_tokens() {
    let mut desk = Desk::new(&limited(json!([
        {"id": "rate", "requests": 3, "window": "1h", "models": "m-*"},
        {"id": "day", "total_tokens": 100000, "calendar": "day"}
    ])));
    for _ in 0..3 {
        assert_eq!(
            desk.chat(&request(json!({"model": "m-2"}))).err().unwrap().1["doorward.reason"],
            "model.not_allowed"
        );
    }
    let (reply, record) = desk.chat(&request(json!({}))).err().unwrap();
    assert_eq!((reply.status, record["doorward.reason"].as_str()), (429, "limit.requests"));
    assert!(!record["doorward.limit.remaining"].contains("day"), "{record:?}");
}
