//! What documents say of each API, against its fixtures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_core::protocol::{ABOUT, About, Api, CALLS, Streams};
use doorward_core::stream::framing::{Framing, MessageKind, message};
use serde_json::{Value, json};
use support::streams::{framing, read};
use support::{Answer, Fixture, Played, engine, play, policy};

fn row(fixture: &Fixture) -> &'static About {
    ABOUT.iter().find(|row| row.api.as_str() == fixture.text("api")).unwrap_or_else(|| panic!("{}", fixture.name))
}

#[test]
fn every_api_has_one_row() {
    for call in CALLS.iter().filter(|call| call.api != Api::Surface) {
        let rows = ABOUT.iter().filter(|row| row.api == call.api).count();
        assert_eq!(rows, 1, "rows of {}", call.api.as_str());
    }
    assert!(ABOUT.iter().all(|row| CALLS.iter().any(|call| call.api == row.api)));
}

#[test]
fn streams_are_cut_as_the_table_says() {
    for row in ABOUT {
        let streams = CALLS.iter().any(|call| call.api == row.api && call.streams != Streams::No);
        assert_eq!(streams, !row.framings.is_empty(), "{}", row.api.as_str());
    }
    let fixtures = Fixture::all();
    let streaming = || fixtures.iter().filter(|f| f.streams());
    for fixture in streaming() {
        assert!(row(fixture).framings.contains(&framing(fixture)), "{}", fixture.name);
    }
    // The pieces of a picture are no text that a fixture could cut; messages of MCP have tests of their own (`tests/mcp`).
    for row in ABOUT.iter().filter(|row| !matches!(row.api, Api::OpenAiImages | Api::Mcp | Api::A2a | Api::A2aRest)) {
        for cut in row.framings {
            let shown = streaming().any(|f| f.text("api") == row.api.as_str() && framing(f) == *cut);
            assert!(shown, "{} as {cut:?}", row.api.as_str());
        }
    }
}

#[test]
fn what_is_put_into_requests_is_what_the_table_says() {
    for fixture in Fixture::all() {
        let row = row(&fixture);
        let inserts = fixture.value.get("inserts").cloned().unwrap_or(json!({}));
        let expected = if row.api.stores_by_default() { json!({"store": false}) } else { json!({}) };
        assert_eq!(inserts, expected, "{}", fixture.name);
        if fixture.streams() {
            let asks = fixture.value["stream"]["asks_for_usage"] == json!(true);
            // Mistral tells it anyway.
            let expected = row.asks_for_usage && fixture.text("provider") != "mistral_ai";
            assert_eq!(asks, expected, "{}", fixture.name);
        }
    }
}

#[test]
fn usage_stands_where_the_table_says() {
    fn has(value: &Value, name: &str) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(key, value)| key == name || has(value, name)),
            Value::Array(items) => items.iter().any(|item| has(item, name)),
            _ => false,
        }
    }
    for fixture in Fixture::all() {
        let row = row(&fixture);
        if fixture.value.get("usage").is_some_and(|u| !u.is_null()) {
            let answers = [&fixture.value["answer"], &fixture.value["stream"]];
            let told = row.usage.iter().any(|name| answers.iter().any(|answer| has(answer, name)));
            assert!(told, "{}: none of {:?}", fixture.name, row.usage);
        }
    }
}

/// Where the model's words stand in an answer: `choices[].message.content`.
fn place(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (text == "ANSWER").then(String::new),
        Value::Array(items) => items.iter().find_map(place).map(|rest| format!("[]{rest}")),
        Value::Object(members) => members.iter().find_map(|(name, value)| Some(format!(".{name}{}", place(value)?))),
        _ => None,
    }
}

#[test]
fn values_come_back_where_the_table_says() {
    for fixture in Fixture::all() {
        let place = place(&fixture.value["answer"]);
        let Some(place) = place.as_deref().map(|p| p.trim_start_matches('.')) else {
            assert!(row(&fixture).restores.is_empty(), "{} has no words", fixture.name);
            continue;
        };
        let known = row(&fixture).restores.iter().any(|restores| place.starts_with(restores));
        // The revised prompt of a picture is none of the model's words to the caller.
        assert_eq!(known, row(&fixture).api != Api::OpenAiImages, "{}: {place}", fixture.name);
    }
}

const MAIL: &str = "bob.smith@northwind.dev";

/// A call of the tool `mail`, as a whole answer and as events. `TEXT` is its arguments as JSON in a string, in events in two
/// halves, `OBJECT` as they are.
fn call(api: Api) -> Option<(Value, Vec<(&'static str, Value)>)> {
    let item = json!({"type": "function_call", "id": "f", "call_id": "c", "name": "mail", "arguments": "TEXT"});
    let tool_use = json!({"type": "tool_use", "id": "t", "name": "mail", "input": "OBJECT"});
    let function = json!({"id": "c1", "type": "function", "function": {"name": "mail", "arguments": "TEXT"}});
    let chunk = |call: Value, reason: Value| json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": reason}]});
    let anthropic = || {
        let start = json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "tool_use", "id": "t", "name": "mail", "input": {}}});
        let delta = |half| json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": half}});
        vec![
            ("content_block_start", start),
            ("content_block_delta", delta("HALF1")),
            ("content_block_delta", delta("HALF2")),
            ("content_block_stop", json!({"type": "content_block_stop", "index": 0})),
            ("message_stop", json!({"type": "message_stop"})),
        ]
    };
    Some(match api {
        Api::OpenAiChat => (
            json!({"model": "m-1", "choices": [{"index": 0, "message": {"role": "assistant", "content": null, "tool_calls": [function]}}]}),
            vec![
                (
                    "",
                    chunk(
                        json!({"index": 0, "id": "c1", "type": "function", "function": {"name": "mail", "arguments": ""}}),
                        Value::Null,
                    ),
                ),
                ("", chunk(json!({"index": 0, "function": {"arguments": "HALF1"}}), Value::Null)),
                ("", chunk(json!({"index": 0, "function": {"arguments": "HALF2"}}), Value::Null)),
                ("", json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})),
            ],
        ),
        Api::OpenAiResponses => (
            json!({"model": "m-1", "output": [item]}),
            vec![
                (
                    "response.output_item.added",
                    json!({"type": "response.output_item.added", "output_index": 0,
                    "item": {"type": "function_call", "id": "f", "call_id": "c", "name": "mail", "arguments": ""}}),
                ),
                (
                    "response.function_call_arguments.delta",
                    json!({"type": "response.function_call_arguments.delta",
                    "output_index": 0, "item_id": "f", "delta": "HALF1"}),
                ),
                (
                    "response.function_call_arguments.delta",
                    json!({"type": "response.function_call_arguments.delta",
                    "output_index": 0, "item_id": "f", "delta": "HALF2"}),
                ),
                (
                    "response.output_item.done",
                    json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
                ),
                ("response.completed", json!({"type": "response.completed", "response": {"output": [item]}})),
            ],
        ),
        Api::AnthropicMessages | Api::BedrockInvoke => (json!({"model": "m-1", "content": [tool_use]}), anthropic()),
        Api::GeminiGenerate => {
            let part = json!({"functionCall": {"name": "mail", "args": "OBJECT"}});
            let answer = json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}]});
            (answer.clone(), vec![("", answer)])
        }
        Api::GeminiInteractions => {
            let step = json!({"type": "function_call", "id": "f", "name": "mail", "arguments": "OBJECT"});
            (
                json!({"model": "m-1", "steps": [step]}),
                vec![
                    (
                        "step.start",
                        json!({"event_type": "step.start", "index": 0, "step": {"type": "function_call", "name": "mail"}}),
                    ),
                    (
                        "step.delta",
                        json!({"event_type": "step.delta", "index": 0, "delta": {"type": "arguments_delta", "arguments": "HALF1"}}),
                    ),
                    (
                        "step.delta",
                        json!({"event_type": "step.delta", "index": 0, "delta": {"type": "arguments_delta", "arguments": "HALF2"}}),
                    ),
                    ("step.stop", json!({"event_type": "step.stop", "index": 0})),
                ],
            )
        }
        Api::CohereChat => {
            let delta = |half| json!({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": half}}}}});
            (
                json!({"message": {"role": "assistant", "tool_calls": [function]}}),
                vec![
                    (
                        "tool-call-start",
                        json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls":
                        {"id": "c1", "type": "function", "function": {"name": "mail", "arguments": ""}}}}}),
                    ),
                    ("tool-call-delta", delta("HALF1")),
                    ("tool-call-delta", delta("HALF2")),
                    ("tool-call-end", json!({"type": "tool-call-end", "index": 0})),
                ],
            )
        }
        Api::BedrockConverse => {
            let delta = |half| json!({"contentBlockIndex": 0, "delta": {"toolUse": {"input": half}}});
            (
                json!({"output": {"message": {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "mail", "input": "OBJECT"}}]}}}),
                vec![
                    (
                        "contentBlockStart",
                        json!({"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": "mail"}}}),
                    ),
                    ("contentBlockDelta", delta("HALF1")),
                    ("contentBlockDelta", delta("HALF2")),
                    ("contentBlockStop", json!({"contentBlockIndex": 0})),
                ],
            )
        }
        Api::OllamaChat => {
            let answer = json!({"model": "m-1", "message": {"role": "assistant", "content": "",
                "tool_calls": [{"function": {"name": "mail", "arguments": "OBJECT"}}]}, "done": true});
            (answer.clone(), vec![("", answer)])
        }
        _ => return None,
    })
}

fn filled(value: &Value, arguments: &Value) -> String {
    let text = arguments.to_string();
    let (one, two) = text.split_at(text.len() / 2);
    value
        .to_string()
        .replace("\"TEXT\"", &json!(text).to_string())
        .replace("\"HALF1\"", &json!(one).to_string())
        .replace("\"HALF2\"", &json!(two).to_string())
        .replace("\"OBJECT\"", &text)
}

/// The stream's bytes.
fn bytes(fixture: &Fixture, events: &[(&str, Value)], arguments: &Value) -> Vec<Vec<u8>> {
    let framing = framing(fixture);
    let last = events.len() - 1;
    let message = |(i, (name, event)): (usize, &(&str, Value))| {
        let mut payload = filled(event, arguments);
        if fixture.value["stream"]["wrapped"] == json!(true) {
            payload = json!({"bytes": STANDARD.encode(payload)}).to_string();
        }
        let kind = if name.is_empty() { MessageKind::Plain } else { MessageKind::Event(name) };
        let bytes = message(framing, kind, payload.as_bytes());
        match framing {
            Framing::JsonArray => {
                let (open, close) = (if i == 0 { "[" } else { "," }, if i == last { "]" } else { "" });
                [open.as_bytes(), &bytes, close.as_bytes()].concat()
            }
            _ => bytes,
        }
    };
    events.iter().enumerate().map(message).collect()
}

fn asked(fixture: &Fixture, more: &Value, answer: Option<&Answer<'_>>, streams: bool) -> Played {
    let engine = engine(&policy(fixture.text("provider"), more));
    let ask = format!("Write to {MAIL}");
    let (path, body) = match streams {
        true => (fixture.stream_path(), fixture.stream_request(&ask)),
        false => (fixture.text("path"), fixture.request(&ask)),
    };
    play(&engine, "POST", path, body, answer)
}

#[test]
fn values_come_back_into_arguments_where_a_tool_may_have_them() {
    let mut shown = Vec::new();
    let mut check = |right: bool, case: (&str, bool, &str, &str), client: &str| {
        if !right {
            shown.push(format!("{case:?}: {client}"));
        }
    };
    for fixture in Fixture::all() {
        let row = row(&fixture);
        assert_eq!(row.calls_tools, call(row.api).is_some(), "{}", fixture.name);
        let Some((whole, events)) = call(row.api) else { continue };
        for restore in [true, false] {
            let more = json!({"content": [{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize"}],
                "tools": [{"name": "mail", "restore": restore}]});
            let sent = asked(&fixture, &more, None, false).upstream_text().to_owned();
            let start = sent.find("[EMAIL_ADDRESS_").unwrap();
            let placeholder = &sent[start..start + sent[start..].find(']').unwrap() + 1];
            for (how, text) in [("alone", placeholder.to_owned()), ("in text", format!("Dear {placeholder}, hello"))] {
                let arguments = json!({"to": text, "n": 1});
                let came = json!({"to": text.replace(placeholder, if restore { MAIL } else { placeholder }), "n": 1});
                let chunks = vec![filled(&whole, &arguments).into_bytes()];
                let answer = Answer { content_type: "application/json", chunks, cut: false };
                let played = asked(&fixture, &more, Some(&answer), false);
                let client: Value = serde_json::from_str(&played.client_text()).unwrap();
                let right = client == serde_json::from_str::<Value>(&filled(&whole, &came)).unwrap();
                check(right, (&fixture.name, restore, how, "whole"), &client.to_string());
                let content_type = fixture.value["stream"]["content_type"].as_str().unwrap();
                let answer = Answer { content_type, chunks: bytes(&fixture, &events, &arguments), cut: false };
                let played = asked(&fixture, &more, Some(&answer), true);
                let messages = read(framing(&fixture), &played.client_bytes());
                let all: String = messages.iter().map(|(_, payload)| payload.replace('\\', "")).collect();
                let right = all.contains(MAIL) == restore && all.contains("[EMAIL_ADDRESS_") != restore;
                check(right, (&fixture.name, restore, how, "stream"), &all);
            }
        }
    }
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}
