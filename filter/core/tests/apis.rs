//! Every API of the table over its fixture: allowed, denied, redacted, restored, streamed, and what it used.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use doorward_core::host::Side;
use doorward_core::json::{Document, Limits};
use doorward_core::protocol::{CALLS, Leaf, Place, walk};
use serde_json::{Value, json};
use support::streams::{framing, messages, pieces, read, words};
use support::{Answer, Fixture, Played, engine, play, policy};

fn run(fixture: &Fixture, more: &Value, text: &str, answer: Option<String>) -> Played {
    let mut more = more.clone();
    if let Some(operations) = fixture.value.get("operations") {
        more["access"] = json!([{"id": "all", "effect": "allow", "models": ["m-1", "default"]},
            {"id": "named", "effect": "allow", "operations": operations}]);
    }
    let engine = engine(&policy(fixture.text("provider"), &more));
    let chunks = answer.map(|answer| vec![answer.into_bytes()]);
    let answer = chunks.map(|chunks| Answer { content_type: "application/json", chunks, cut: false });
    play(&engine, fixture.text("method"), fixture.text("path"), fixture.request(text), answer.as_ref())
}

fn stream(fixture: &Fixture, more: &Value, text: &str, answer: &[&str], size: Option<usize>) -> Played {
    let engine = engine(&policy(fixture.text("provider"), more));
    let mut chunks = messages(fixture, answer);
    if let Some(size) = size {
        chunks = chunks.concat().chunks(size).map(<[u8]>::to_vec).collect();
    }
    let content_type = fixture.value["stream"]["content_type"].as_str().unwrap();
    let answer = Answer { content_type, chunks, cut: false };
    play(&engine, "POST", fixture.stream_path(), fixture.stream_request(text), Some(&answer))
}

/// What the upstream should receive of a request that nothing is done to: the request, and what is put in on purpose.
fn expected_request(fixture: &Fixture, body: &str, streams: bool) -> Value {
    let mut expected: Value = serde_json::from_str(body).unwrap();
    for (name, value) in fixture.value.get("inserts").and_then(Value::as_object).into_iter().flatten() {
        expected[name] = value.clone();
    }
    if streams && fixture.value["stream"]["asks_for_usage"] == json!(true) {
        expected["stream_options"] = json!({"include_usage": true});
    }
    expected
}

#[test]
fn every_call_has_a_fixture() {
    let known: Vec<String> = Fixture::all().iter().map(|f| f.text("api").to_owned()).collect();
    // Messages of MCP and A2A have no fixture but tests of their own: `tests/mcp`.
    for call in CALLS.iter().filter(|c| !matches!(c.api.as_str(), "models" | "surface" | "mcp" | "a2a" | "a2a.rest")) {
        assert!(known.iter().any(|k| k == call.api.as_str()), "no fixture for {}", call.api.as_str());
    }
}

#[test]
fn every_text_is_seen_in_its_channel() {
    for fixture in Fixture::all() {
        let body = fixture.value["request"].to_string();
        let document = Document::parse(body.as_bytes(), &Limits::default()).unwrap();
        let mut found: Vec<(String, Value)> = Vec::new();
        walk(Side::Request, document.root(), &mut |leaf: Leaf<'_>| {
            if let Place::Value(token) = leaf.place {
                let channel = format!("{:?}", leaf.of.channel);
                found.push((token.text().into_owned(), json!(snake(&channel))));
            }
        });
        for (marker, channel) in fixture.value["channels"].as_object().unwrap() {
            let here = found.iter().find(|(text, _)| text.contains(marker.as_str()));
            assert_eq!(here.map(|(_, c)| c), Some(channel), "{}: {marker}", fixture.name);
        }
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.char_indices() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[test]
fn what_is_allowed_passes_as_it_came_and_its_usage_is_recorded() {
    for fixture in Fixture::all() {
        let answer = fixture.answer("Hello there.");
        let played = run(&fixture, &json!({}), "Hi", answer.clone());
        assert_eq!(played.reply, None, "{}", fixture.name);
        let body = fixture.request("Hi");
        let sent: Value = serde_json::from_str(played.upstream_text()).unwrap();
        assert_eq!(sent, expected_request(&fixture, &body, false), "{}", fixture.name);
        if fixture.value.get("inserts").is_none() {
            assert_eq!(played.upstream_text(), body, "{}", fixture.name);
        }
        let Some(answer) = answer else { continue };
        assert_eq!(played.client_text(), answer, "{}", fixture.name);
        let usage = fixture.value.get("usage").filter(|u| !u.is_null());
        let told = usage.map(|u| (u["input"].to_string(), u["output"].to_string()));
        let recorded = played.usage();
        if let Some((input, output)) = &told {
            assert_eq!(recorded, (Some(input.as_str()), Some(output.as_str())), "{}", fixture.name);
        }
        let model = fixture.value["model"].as_str().unwrap_or("m-1");
        if fixture.value.get("operations").is_none() {
            assert_eq!(played.record.get("gen_ai.request.model").map(String::as_str), Some(model), "{}", fixture.name);
        }
        assert_eq!(played.record.get("doorward.api").map(String::as_str), Some(fixture.text("api")));
    }
}

#[test]
fn what_is_not_allowed_is_denied() {
    for fixture in Fixture::all() {
        let more = json!({"access": [{"id": "other", "effect": "allow", "models": "m-2"},
            {"id": "named", "effect": "allow", "models": "m-2", "operations": ["batches", "chat"]}]});
        let engine = engine(&policy(fixture.text("provider"), &more));
        let played = play(&engine, "POST", fixture.text("path"), fixture.request("Hi"), None);
        assert_eq!(played.upstream, None, "{}", fixture.name);
        assert_eq!(played.reason(), "model.not_allowed", "{}", fixture.name);
        let reply = played.reply.unwrap();
        assert_eq!(reply.status, 403, "{}", fixture.name);
        assert!(String::from_utf8(reply.body).unwrap().contains("[model.not_allowed]"), "{}", fixture.name);
    }
}

#[test]
fn caps_hold_under_every_name() {
    for fixture in Fixture::all().iter().filter(|f| f.value["request"].to_string().contains(":100")) {
        for (max, passes) in [(100, true), (99, false)] {
            let more = json!({"access": [{"id": "capped", "effect": "allow", "parameters": {"max_tokens": {"max": max}}},
                {"id": "named", "effect": "allow", "operations": ["batches"]}]});
            let engine = engine(&policy(fixture.text("provider"), &more));
            let played = play(&engine, "POST", fixture.text("path"), fixture.request("Hi"), None);
            assert_eq!(played.upstream.is_some(), passes, "{} {max}: {}", fixture.name, played.reason());
        }
    }
}

const MAIL: &str = "bob.smith@northwind.dev";

fn tokenizing() -> Value {
    json!({"content": [{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize"}]})
}

/// The placeholder in what the upstream received.
fn placeholder(played: &Played) -> String {
    let sent = played.upstream_text();
    let start = sent.find("[EMAIL_ADDRESS_").unwrap_or_else(|| panic!("no placeholder in {sent}"));
    sent[start..start + sent[start..].find(']').unwrap() + 1].to_owned()
}

#[test]
fn values_leave_as_placeholders_and_come_back() {
    for fixture in Fixture::all() {
        let ask = format!("Write to {MAIL} please");
        let first = run(&fixture, &tokenizing(), &ask, None);
        assert!(!first.upstream_text().contains("northwind"), "{}", fixture.name);
        let placeholder = placeholder(&first);
        let Some(answer) = fixture.answer(&format!("I wrote to {placeholder}, as you said.")) else { continue };
        if !answer.contains("I wrote") {
            continue;
        }
        let played = run(&fixture, &tokenizing(), &ask, Some(answer));
        let client = played.client_text();
        let restored = client.contains(&format!("I wrote to {MAIL}, as you said."));
        // The revised prompt of a picture is none of the model's words to the caller.
        assert_eq!(restored, fixture.name != "openai.images", "{}: {client}", fixture.name);
    }
}

#[test]
fn streams_are_restored_masked_and_accounted() {
    let more = json!({"content": [
        {"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize"},
        {"id": "card", "detect": "CREDIT_CARD", "action": "mask"},
    ]});
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        let ask = format!("Write to {MAIL} please");
        let placeholder = placeholder(&run(fixture, &more, &ask, None));
        let said = format!("I wrote to {placeholder}, and eve@other.dev paid with 4556 7375 8689 9855. \"Done\"\n");
        let expected = format!("I wrote to {MAIL}, and [EMAIL_ADDRESS] paid with [CREDIT_CARD]. \"Done\"\n");
        for (delta, size) in [(1, None), (3, None), (4, Some(1)), (7, Some(13)), (1000, Some(50)), (5, Some(100_000))] {
            let played = stream(fixture, &more, &ask, &pieces(&said, delta), size);
            let name = format!("{} in {delta} by {size:?}", fixture.name);
            assert_eq!(played.reason(), "", "{name}");
            let sent: Value = serde_json::from_str(played.upstream_text()).unwrap();
            let asks = fixture.value["stream"]["asks_for_usage"] == json!(true);
            assert_eq!(sent["stream_options"]["include_usage"] == json!(true), asks, "{name}");
            let messages = read(framing(fixture), &played.client_bytes());
            assert_eq!(words(fixture, &messages), expected, "{name}");
            for (_, payload) in &messages {
                assert!(!payload.contains("4556 7375") && !payload.contains("eve@other"), "{name}: {payload}");
                assert!(!payload.contains("EMAIL_ADDRESS_"), "{name}: {payload}");
            }
            if asks {
                assert!(
                    messages.iter().all(|(_, p)| !p.contains("prompt_tokens")),
                    "{name}: the usage was not asked for"
                );
            }
            check_numbers(&messages, &name);
            let usage = &fixture.value["usage"];
            let told = (usage["input"].to_string(), usage["output"].to_string());
            let estimated = played.record.get("doorward.usage.estimated").map(String::as_str);
            if told.0 == "0" {
                assert_eq!(estimated, Some("true"), "{name}");
            } else {
                assert_eq!(played.usage(), (Some(told.0.as_str()), Some(told.1.as_str())), "{name}");
                assert_eq!(estimated, None, "{name}");
            }
            assert_eq!(played.record.get("doorward.placeholders").map(|p| p.starts_with("restored=")), Some(true));
        }
    }
}

/// Numbers of events go up one by one.
fn check_numbers(messages: &[(Option<String>, String)], name: &str) {
    let numbers: Vec<u64> = messages
        .iter()
        .filter_map(|(_, p)| serde_json::from_str::<Value>(p).ok()?["sequence_number"].as_u64())
        .collect();
    for (i, number) in numbers.iter().enumerate() {
        assert_eq!(*number, i as u64, "{name}: {numbers:?}");
    }
}

#[test]
fn a_stream_that_nothing_is_done_to_passes_byte_for_byte() {
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        let asked = fixture.value["stream"]["asks_for_usage"] == json!(true);
        let more = json!({"targets": [{"name": "t", "cluster": "c", "provider": fixture.text("provider"), "ask_for_usage": false}]});
        let said = "Nothing to see here; 2 + 2 = 4.";
        let played = stream(fixture, &more, "Hi", &pieces(said, 4), Some(11));
        assert_eq!(played.client_bytes(), messages(fixture, &pieces(said, 4)).concat(), "{}", fixture.name);
        if asked {
            let sent: Value = serde_json::from_str(played.upstream_text()).unwrap();
            assert_eq!(sent.get("stream_options"), None, "{}", fixture.name);
        }
    }
}

#[test]
fn a_refused_stream_ends_in_the_apis_own_way() {
    let more = json!({"content": [{"id": "no-keys", "detect": "secrets", "action": "deny"}]});
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        let secret = "ghp_0123456789abcdefABCDEF0123456789abcd";
        let said = format!("The key is {secret} and it works.");
        let played = stream(fixture, &more, "Hi", &pieces(&said, 4), None);
        assert_eq!(played.reason(), "answer.denied", "{}", fixture.name);
        assert_eq!(played.record.get("doorward.action").map(String::as_str), Some("replace"), "{}", fixture.name);
        let messages = read(framing(fixture), &played.client_bytes());
        let all: String = messages.iter().map(|(_, p)| p.as_str()).collect();
        assert!(!all.contains("ghp_") && !all.contains("works"), "{}: {all}", fixture.name);
        assert!(words(fixture, &messages).starts_with("The key is "), "{}: {all}", fixture.name);
        assert!(all.contains("[answer.denied]"), "{}: {all}", fixture.name);
        // What it used is recorded all the same.
        if fixture.value["usage"]["input"] != json!(0) {
            assert_eq!(played.usage().1, Some("7"), "{}", fixture.name);
        }
    }
}

#[test]
fn a_stream_that_is_cut_off_has_an_estimate() {
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        let engine = engine(&policy(fixture.text("provider"), &json!({})));
        let said = "word ".repeat(100);
        let mut chunks = messages(fixture, &pieces(&said, 5));
        chunks.truncate(chunks.len() / 2);
        let content_type = fixture.value["stream"]["content_type"].as_str().unwrap();
        let answer = Answer { content_type, chunks, cut: true };
        let played = play(&engine, "POST", fixture.stream_path(), fixture.stream_request("Hi"), Some(&answer));
        let output: u64 = played.usage().1.unwrap().parse().unwrap();
        assert!((40..=70).contains(&output), "{}: {output}", fixture.name);
        assert_eq!(played.record.get("doorward.usage.estimated").map(String::as_str), Some("true"), "{}", fixture.name);
    }
}
