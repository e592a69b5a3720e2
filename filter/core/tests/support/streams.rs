//! Streams out of fixtures, and what a client reads of a stream.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_core::stream::framing::{Frames, Framing, MessageKind, message};
use serde_json::{Value, json};

use super::Fixture;

pub fn framing(fixture: &Fixture) -> Framing {
    match fixture.value["stream"]["content_type"].as_str().unwrap() {
        "text/event-stream" => Framing::Sse,
        "application/x-ndjson" => Framing::Lines,
        "application/vnd.amazon.eventstream" => Framing::EventStream,
        "application/json" => Framing::JsonArray,
        other => panic!("{other}"),
    }
}

/// The stream's messages, each as bytes: `pieces` are the model's words.
pub fn messages(fixture: &Fixture, pieces: &[&str]) -> Vec<Vec<u8>> {
    let stream = &fixture.value["stream"];
    let (framing, whole) = (framing(fixture), pieces.concat());
    let mut events: Vec<(Option<String>, String)> = Vec::new();
    let mut number = stream["head"].as_array().unwrap().len();
    let mut push = |event: &Value, text: &str| {
        let name = event[0].as_str().map(str::to_owned);
        let payload = match &event[1] {
            Value::String(text) => text.clone(),
            payload => payload.to_string(),
        };
        let numbered = payload.contains("\"NUMBER\"");
        let payload = payload
            .replace("\"DELTA\"", &json!(text).to_string())
            .replace("\"WHOLE\"", &json!(whole).to_string())
            .replace("\"NUMBER\"", &number.to_string());
        number += usize::from(numbered);
        events.push((name, payload));
    };
    stream["head"].as_array().unwrap().iter().for_each(|event| push(event, ""));
    pieces.iter().for_each(|piece| push(&stream["delta"], piece));
    stream["tail"].as_array().unwrap().iter().for_each(|event| push(event, ""));
    let last = events.len() - 1;
    events
        .into_iter()
        .enumerate()
        .map(|(i, (name, payload))| {
            let payload = match stream["wrapped"] {
                Value::Bool(true) => json!({"bytes": STANDARD.encode(payload), "p": "abcdef"}).to_string(),
                _ => payload,
            };
            let kind = name.as_deref().map_or(MessageKind::Plain, MessageKind::Event);
            let bytes = message(framing, kind, payload.as_bytes());
            match framing {
                Framing::JsonArray => {
                    let (open, close) = (if i == 0 { "[" } else { ",\r\n" }, if i == last { "]" } else { "" });
                    [open.as_bytes(), &bytes, close.as_bytes()].concat()
                }
                _ => bytes,
            }
        })
        .collect()
}

/// The messages of a stream as a client reads them: name and payload, wrappings taken off.
pub fn read(framing: Framing, bytes: &[u8]) -> Vec<(Option<String>, String)> {
    let mut frames = Frames::new(framing, 1 << 24);
    frames.push(bytes);
    frames.end();
    let mut read = Vec::new();
    while let Some(frame) = frames.next_frame().expect("a well-formed stream") {
        let Some(payload) = frame.payload() else { continue };
        let mut text = String::from_utf8(payload.into_owned()).unwrap();
        if let Ok(Value::Object(outer)) = serde_json::from_str::<Value>(&text)
            && let Some(inner) = outer.get("bytes").and_then(Value::as_str)
        {
            text = String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap();
        }
        if text.trim().is_empty() {
            continue;
        }
        read.push((frame.event().map(str::to_owned), text));
    }
    read
}

/// The model's words, put together from the pieces.
pub fn words(fixture: &Fixture, messages: &[(Option<String>, String)]) -> String {
    let delta = &fixture.value["stream"]["delta"];
    let path = pointer(&delta[1], "").expect("a delta with a text");
    messages
        .iter()
        .filter(|(name, _)| name.as_deref() == delta[0].as_str())
        .filter_map(|(_, payload)| serde_json::from_str::<Value>(payload).ok())
        .filter_map(|payload| payload.pointer(&path).and_then(Value::as_str).map(str::to_owned))
        .collect()
}

fn pointer(value: &Value, at: &str) -> Option<String> {
    match value {
        Value::String(text) if text == "DELTA" => Some(at.to_owned()),
        Value::Array(items) => items.iter().enumerate().find_map(|(i, item)| pointer(item, &format!("{at}/{i}"))),
        Value::Object(members) => members.iter().find_map(|(name, item)| pointer(item, &format!("{at}/{name}"))),
        _ => None,
    }
}

/// `text` in pieces of so many characters.
pub fn pieces(text: &str, size: usize) -> Vec<&str> {
    let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).step_by(size).chain([text.len()]).collect();
    borders.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}
