//! Captured texts of streamed answers: what the client got, of every API, as far as the record has room for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use doorward_core::engine::Engine;
use serde_json::{Value, json};
use support::streams::{framing, messages, pieces, read, words};
use support::{Answer, Fixture, Played, engine, play, policy};

const WORDS: &str = "ask jane.doe@northwind.dev or pay with 4556737586899855, \"soon\"";
const REDACTED: &str = "ask [EMAIL_ADDRESS] or pay with [CREDIT_CARD], \"soon\"";

/// The record's value: percent-decoded, and read where it was not cut.
fn shown(played: &Played) -> String {
    let text = played.record.get("doorward.captured.out").map_or("", String::as_str);
    assert!(text.is_ascii() && !text.contains('"'), "{text}");
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                let hex = String::from_utf8(vec![*high, *low]).unwrap();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                rest = after;
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn texts(played: &Played) -> Value {
    let shown = shown(played);
    serde_json::from_str(&shown).unwrap_or_else(|e| panic!("{e}: {shown}"))
}

fn chat(capture: Value, more: Value) -> Engine {
    let mut all = json!({"audit": {"capture": capture, "capture_bytes": 16384}});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    engine(&policy("openai", &all))
}

fn event(choices: Value) -> Vec<u8> {
    format!("data: {}\n\n", json!({"id": "c", "model": "m-1", "choices": choices})).into_bytes()
}

fn says(choice: u32, text: &str) -> Vec<u8> {
    event(json!([{"index": choice, "delta": {"content": text}}]))
}

fn streamed(engine: &Engine, chunks: Vec<Vec<u8>>, cut: bool) -> Played {
    let request = json!({"model": "m-1", "stream": true, "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let answer = Answer { content_type: "text/event-stream", chunks, cut };
    play(engine, "POST", "/v1/chat/completions", request, Some(&answer))
}

fn spoken(engine: &Engine, text: &str, size: usize, cut: bool) -> Played {
    let mut chunks: Vec<Vec<u8>> = pieces(text, size).into_iter().map(|piece| says(0, piece)).collect();
    if !cut {
        chunks.push(b"data: [DONE]\n\n".to_vec());
    }
    streamed(engine, chunks, cut)
}

#[test]
fn streams_of_every_api_are_captured() {
    let mut seen = 0;
    for fixture in Fixture::all().into_iter().filter(Fixture::streams) {
        for (capture, mode) in [("redacted", "enforce"), ("full", "enforce"), ("redacted", "observe")] {
            let more = json!({"audit": {"capture": capture, "capture_bytes": 16384}, "mode": mode});
            let engine = engine(&policy(fixture.text("provider"), &more));
            let chunks = messages(&fixture, &pieces(WORDS, 3));
            let content_type = fixture.value["stream"]["content_type"].as_str().unwrap();
            let answer = Answer { content_type, chunks, cut: false };
            let request = fixture.stream_request("hi");
            let played = play(&engine, "POST", fixture.stream_path(), request, Some(&answer));
            assert_eq!(words(&fixture, &read(framing(&fixture), &played.client_bytes())), WORDS, "{}", fixture.name);
            let expected = if capture == "full" { WORDS } else { REDACTED };
            let texts = texts(&played);
            let found = texts.as_array().unwrap().iter().filter(|text| text["text"] == expected).count();
            assert_eq!(found, 1, "{} {capture} {mode}: {texts}", fixture.name);
            assert!(capture == "full" || !shown(&played).contains("northwind"), "{}: {texts}", fixture.name);
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn what_the_client_got_is_shown_and_nothing_else() {
    for size in [1, 4, 200] {
        assert_eq!(
            texts(&spoken(&chat(json!("redacted"), json!({})), WORDS, size, false)),
            json!([{"text": REDACTED}])
        );
        assert_eq!(texts(&spoken(&chat(json!("full"), json!({})), WORDS, size, false)), json!([{"text": WORDS}]));
        assert_eq!(shown(&spoken(&chat(json!("none"), json!({})), WORDS, size, false)), "");
        // What the policy replaced is shown as it went on, in full, too.
        let masks = json!({"content": [{"id": "m", "detect": "EMAIL_ADDRESS", "action": "mask"}]});
        let expected = WORDS.replace("jane.doe@northwind.dev", "[EMAIL_ADDRESS]");
        assert_eq!(texts(&spoken(&chat(json!("full"), masks), WORDS, size, false)), json!([{"text": expected}]));
        // Refused half-way: what was let go of before it.
        let refuses = || json!({"content": [{"id": "d", "detect": "CREDIT_CARD", "action": "deny"}]});
        for capture in ["full", "redacted"] {
            let played = spoken(&chat(json!(capture), refuses()), WORDS, size, false);
            assert_eq!(played.reason(), "answer.denied");
            let shown = shown(&played);
            assert!(!shown.contains("4556") && !shown.contains("soon"), "{shown}");
            assert_eq!(shown.contains("ask "), size < 200, "{shown}");
            assert_eq!(shown.contains("northwind"), capture == "full" && size < 200, "{shown}");
        }
        // Cut off by the upstream in the middle of a value: that much the client has seen.
        let (before, _) = WORDS.split_once("northwind").unwrap();
        let played = spoken(&chat(json!("full"), json!({})), before, size, true);
        assert_eq!(texts(&played), json!([{"text": before}]));
        // Redacted, what is most of a value is not shown.
        let played = spoken(&chat(json!("redacted"), json!({})), before, size, true);
        assert!(shown(&played).starts_with("[{\"text\":\"ask") || size == 200, "{}", shown(&played));
        assert!(!shown(&played).contains("jane"), "{}", shown(&played));
    }
}

#[test]
fn texts_of_several_choices_and_calls_stand_apart_and_in_order() {
    let call = |arguments: &str| {
        event(json!([{"index": 1, "delta": {"tool_calls": [{"index": 2, "id": "c", "type": "function",
            "function": {"name": "send_mail", "arguments": arguments}}]}}]))
    };
    let chunks = || {
        vec![
            says(1, "second of jane.doe@"),
            says(0, "first, \"[{\""),
            says(1, "northwind.dev\n"),
            call("{\"to\":\"jane.doe@north"),
            says(0, " still first"),
            call("wind.dev\"}"),
            b"data: [DONE]\n\n".to_vec(),
        ]
    };
    let played = streamed(&chat(json!("redacted"), json!({})), chunks(), false);
    let all = texts(&played);
    let expected = json!([
        {"choice": 1, "text": "second of [EMAIL_ADDRESS]\n"},
        {"text": "first, \"[{\" still first"},
        {"choice": 1, "part": 2, "channel": "tool_call", "text": "{\"to\":\"[EMAIL_ADDRESS]\"}"},
    ]);
    let plain = |value: &Value| {
        let mut value = value.clone();
        // Which number a part gets is the reader's; it has one.
        value.as_array_mut().unwrap().iter_mut().for_each(|text| {
            if text["channel"] == "tool_call" {
                assert!(text["part"].as_u64() > Some(0), "{text}");
                text["part"] = json!(2);
            }
        });
        value
    };
    assert_eq!(plain(&all), expected, "{all}");
    // A call that is refused is not shown: what took its place is.
    let access = json!([{"id": "all", "effect": "allow", "models": ["m-1"], "tools": [{"name": "read_*"}]}]);
    let played = streamed(&chat(json!("full"), json!({"access": access})), chunks(), false);
    let shown = shown(&played);
    assert!(played.client_text().contains("send_mail") || !shown.contains("send_mail"), "{shown}");
    assert!(!shown.contains("\\\"to\\\"") && shown.contains("still first"), "{shown}");
}

#[test]
fn what_was_held_when_a_stream_was_refused_is_never_its_end() {
    let content = json!([{"id": "s", "detect": "IBAN_CODE", "action": "deny", "direction": "response"}]);
    let engine = chat(json!("redacted"), json!({"content": content}));
    let chunks = || {
        vec![
            says(1, "card 4556 7375 8689 9"),
            says(0, "an account: DE89 3704 0044 0532 0130 00 it is. "),
            says(0, "more"),
            b"data: [DONE]\n\n".to_vec(),
        ]
    };
    let played = streamed(&engine, chunks(), false);
    assert!(played.record["doorward.decision"] == "deny", "{:?}", played.record);
    assert!(!shown(&played).contains("4556"), "{}", shown(&played));
    // Where it is only looked at, all of it goes on, and is shown as what it was.
    let seen =
        json!([{"id": "s", "detect": "IBAN_CODE", "action": "deny", "direction": "response", "mode": "observe"}]);
    let played = streamed(&chat(json!("redacted"), json!({"content": seen})), chunks(), false);
    assert!(shown(&played).contains("4556 7375 8689 9"), "{}", shown(&played));
}

#[test]
fn the_record_has_so_much_room_and_no_value_is_shown_in_part() {
    let long = format!("{}{}", "no words at all ".repeat(4), "pay with 4556737586899855 now. ".repeat(2000));
    for bytes in [64, 96, 200, 300, 1024] {
        for size in [1, 7, 100] {
            let engine = chat(json!("redacted"), json!({"audit": {"capture": "redacted", "capture_bytes": bytes}}));
            let text = if size == 1 { &long[..3000] } else { &long };
            let played = spoken(&engine, text, size, false);
            let cut = &played.record["doorward.captured.out"];
            assert!(cut.len() <= bytes && cut.len() + 8 >= bytes, "{bytes}: {cut}");
            assert!(!cut.contains("455"), "{cut}");
        }
    }
    // What waits to be settled has a bound, too: of a call that goes on and on nothing is told but that.
    let begins = event(json!([{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c", "type": "function",
        "function": {"name": "f", "arguments": "{\"a\":\""}}]}}]));
    let more = event(
        json!([{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "x".repeat(1000)}}]}}]),
    );
    let mut chunks = vec![says(0, "hello "), begins];
    chunks.extend(vec![more; 40]);
    chunks.push(says(0, "there"));
    let played = streamed(&chat(json!("redacted"), json!({})), chunks, false);
    let all = texts(&played);
    assert_eq!(
        (&all[0], &all[1]["withheld"], &all[1]["text"]),
        (&json!({"text": "hello there"}), &json!(true), &Value::Null)
    );
    // And all that waits together: the call that comes on top of another's is not shown, which by itself would be.
    let key = format!("{{\"a\":\"-----BEGIN RSA PRIVATE KEY-----\\n{}", "MIIEpAIBAAKCAQEA".repeat(1250));
    for (calls, withheld) in [(1, false), (2, true)] {
        let call = |index: usize| {
            event(
                json!([{"index": 0, "delta": {"tool_calls": [{"index": index, "id": format!("c{index}"), "type": "function",
                "function": {"name": "f", "arguments": key}}]}}]),
            )
        };
        let shown = shown(&streamed(&chat(json!("redacted"), json!({})), (0..calls).map(call).collect(), false));
        assert!(!shown.contains("MII"), "{calls}: {shown}");
        assert_eq!(shown.contains("\"withheld\":true"), withheld, "{calls}: {shown}");
    }
}
