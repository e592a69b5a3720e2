//! What upstreams send, and what models write.

use super::*;

#[test]
fn an_answer_that_looks_like_bytes_is_scanned() {
    let text = format!("data:x/y;base64,{}\n4556-7375-8689-9855\n", "A".repeat(64));
    let answer = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]});
    let played = answered("openai", &masking(), CHAT, &chat(&json!({})), &answer);
    assert!(!played.client_text().contains("4556-7375"), "{}", played.client_text());
}

#[test]
fn a_stream_says_it_is_over_by_more_than_an_empty_word() {
    let events = [
        choice(&json!({"content": "4556 7375 "}), &json!("")),
        choice(&json!({"content": "8689 9855 ok"}), &json!("")),
        ("", json!("[DONE]")),
    ];
    let played = streamed("openai", &masking(), CHAT, &streaming(), &events);
    assert_eq!(texts(&played, "/choices/0/delta/content"), "[CREDIT_CARD] ok", "{}", played.client_text());
}

#[test]
fn parts_of_the_last_event_are_one_text() {
    let event = json!({"candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [
        {"text": "It is 4556 7375 "}, {"text": "8689 9855."}]}}]});
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}]});
    let played =
        streamed("gcp.gemini", &masking(), "/v1beta/models/m-1:streamGenerateContent?alt=sse", &body, &[("", event)]);
    let all: String = (0..2).map(|i| texts(&played, &format!("/candidates/0/content/parts/{i}/text"))).collect();
    assert_eq!(all, "It is [CREDIT_CARD].");
}

#[test]
fn a_text_that_goes_on_after_its_end_is_still_looked_at() {
    let events = [
        choice(&json!({"content": "4556 7375 "}), &json!("stop")),
        choice(&json!({"content": "8689 9855 ok"}), &json!("stop")),
        ("", json!("[DONE]")),
    ];
    let played = streamed("openai", &masking(), CHAT, &streaming(), &events);
    assert_eq!(texts(&played, "/choices/0/delta/content"), "4556 7375 [CREDIT_CARD] ok", "{}", played.client_text());
    // Where it is refused, it ends there.
    let denying = json!({"content": [{"id": "card", "detect": "CREDIT_CARD", "action": "deny"}]});
    let played = streamed("openai", &denying, CHAT, &streaming(), &events);
    assert_eq!(played.reason(), "answer.denied");
    assert!(!played.client_text().contains("8689"), "{}", played.client_text());
    // A text that is looked at when it is complete.
    let whole = json!({"content": [{"id": "card", "detect": "CREDIT_CARD", "action": "mask", "stream": "hold_all"}]});
    let played = streamed("openai", &whole, CHAT, &streaming(), &events);
    assert!(!texts(&played, "/choices/0/delta/content").contains(CARD), "{}", played.client_text());
}

#[test]
fn a_server_that_says_stop_in_every_event_ends_nothing_by_it() {
    let event = |text: &str| {
        (
            "",
            json!({"candidates": [{"index": 0, "finishReason": "STOP",
            "content": {"role": "model", "parts": [{"text": text}]}}]}),
        )
    };
    let path = "/v1beta/models/m-1:streamGenerateContent?alt=sse";
    for (pieces, expected) in [
        (vec!["On we go, 45", "56 7375", " 8689 98", "55 and on"], "On we go, 45[CREDIT_CARD] and on"),
        (vec!["On ", "we go, 45", "56 7375", " 8689 98", "55 and on"], "On we go, [CREDIT_CARD] and on"),
        (vec!["Nothing", " is", " found", " here, 12", "34."], "Nothing is found here, 1234."),
        (vec!["", "4556 7375 ", "8689 9855"], "[CREDIT_CARD]"),
    ] {
        let events: Vec<_> = pieces.iter().map(|piece| event(piece)).collect();
        let played = streamed("gcp.gemini", &masking(), path, &json!({"contents": []}), &events);
        assert_eq!(texts(&played, "/candidates/0/content/parts/0/text"), expected, "{}", played.client_text());
    }
}

#[test]
fn a_stream_whose_bytes_the_host_keeps_is_cut_off() {
    use doorward_core::engine::Worker;
    use doorward_core::exchange::{Effect, Event, Exchange, Flow, Time};
    use doorward_core::head::Headers;
    use doorward_core::host::{Attribute, MemoryHost, Side};

    let engine = engine(&policy("openai", &masking()));
    let (mut worker, mut host) = (Worker::new(&engine), MemoryHost::default());
    worker.start(&engine, &mut host).unwrap();
    host.set_attribute(Attribute::Cluster, "c");
    host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
    let mut exchange = Exchange::new(1);
    let mut tell = |event: Event<'_>, host: &mut MemoryHost| {
        let mut effects = Vec::new();
        let flow = exchange.on(event, Time(1_800_000_000_000_000_000), &engine, &mut worker, host, &mut effects);
        (flow, effects)
    };
    let body = streaming().to_string().into_bytes();
    let request: Headers =
        [(":method", "POST"), (":path", CHAT), ("content-type", "application/json")].into_iter().collect();
    let _ = tell(Event::Head { side: Side::Request, headers: &request, end: false }, &mut host);
    host.bodies.insert(Side::Request, body.clone());
    let _ = tell(Event::Body { side: Side::Request, available: body.len(), end: true }, &mut host);
    let answer: Headers = [(":status", "200"), ("content-type", "text/event-stream")].into_iter().collect();
    let (flow, _) = tell(Event::Head { side: Side::Response, headers: &answer, end: false }, &mut host);
    assert_eq!(flow, Flow::Continue);
    host.bodies.insert(Side::Response, b"data: {}\n\n".to_vec());
    let (flow, effects) = tell(Event::Body { side: Side::Response, available: 500, end: false }, &mut host);
    assert_eq!(flow, Flow::Hold);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Reply(reply) if reply.status == 500)), "{effects:?}");
}

#[test]
fn what_stands_beside_wrapped_bytes_is_looked_at() {
    use doorward_core::stream::framing::{Framing, MessageKind, message};
    let inner = "eyJ0eXBlIjoicGluZyJ9";
    let payload = json!({"bytes": inner, "p": "abc", "leak": CARD}).to_string();
    let chunk = message(Framing::EventStream, MessageKind::Event("chunk"), payload.as_bytes());
    let answer = Answer { content_type: "application/vnd.amazon.eventstream", chunks: vec![chunk], cut: false };
    let engine = engine(&policy("aws.bedrock", &masking()));
    let played = play(&engine, "POST", "/model/m-1/invoke-with-response-stream", r#"{"messages":[]}"#, Some(&answer));
    assert!(!played.client_text().contains(CARD), "{}", played.client_text());
}

#[test]
fn spoken_and_thought_words_are_texts_in_pieces() {
    let audio = |text: &str| choice(&json!({"audio": {"transcript": text}}), &Value::Null);
    let events = [audio("4556 7375 "), audio("8689 9855 ok"), ("", json!("[DONE]"))];
    let played = streamed("openai", &masking(), CHAT, &streaming(), &events);
    assert_eq!(texts(&played, "/choices/0/delta/audio/transcript"), "[CREDIT_CARD] ok");

    let delta = |text: &str| {
        (
            "step.delta",
            json!({"event_type": "step.delta", "index": 0,
        "delta": {"type": "thought_summary", "content": {"type": "text", "text": text}}}),
        )
    };
    let events =
        [delta("4556 7375 "), delta("8689 9855 ok"), ("step.stop", json!({"event_type": "step.stop", "index": 0}))];
    let body = json!({"model": "m-1", "input": "x", "store": false, "stream": true});
    let played = streamed("gcp.gemini", &masking(), "/v1beta/interactions", &body, &events);
    assert_eq!(texts(&played, "/delta/content/text"), "[CREDIT_CARD] ok", "{}", played.client_text());

    let delta = |text: &str| {
        (
            "content_block_delta",
            json!({"type": "content_block_delta", "index": 0,
        "delta": {"type": "new_delta", "words": text}}),
        )
    };
    let events = [
        delta("4556 7375 "),
        delta("8689 9855 ok"),
        ("content_block_stop", json!({"type": "content_block_stop", "index": 0})),
    ];
    let body = json!({"model": "m-1", "max_tokens": 1, "messages": [], "stream": true});
    let played = streamed("anthropic", &masking(), "/v1/messages", &body, &events);
    assert_eq!(texts(&played, "/delta/words"), "[CREDIT_CARD] ok", "{}", played.client_text());
}

#[test]
fn token_lists_do_not_tell_what_is_masked() {
    let tokens: Vec<Value> = ["4556", " 7375", " 8689", " 9855"].iter().map(|t| json!({"id": 1, "text": t})).collect();
    let answer = json!({"generated_text": CARD, "details": {"tokens": tokens, "prefill": tokens}});
    let played = answered("tgi", &masking(), "/generate", &json!({"inputs": "x"}), &answer);
    assert!(!played.client_text().contains("7375"), "{}", played.client_text());
}

#[test]
fn calls_that_share_an_index_stay_apart() {
    let call = |id: &str, name: &str, arguments: &str| {
        choice(
            &json!({"tool_calls": [{"index": 0, "id": id, "type": "function",
        "function": {"name": name, "arguments": arguments}}]}),
            &Value::Null,
        )
    };
    let events = [
        call("a", "f", r#"{"x":1}"#),
        call("b", "g", r#"{"y":2}"#),
        choice(&json!({}), &json!("tool_calls")),
        ("", json!("[DONE]")),
    ];
    let played = streamed("openai", &masking(), CHAT, &streaming(), &events);
    let all = played.client_text();
    // Each stays in the event that names it.
    for (id, own, other) in [(r#""a""#, r#"{\"x\":1}"#, r#"{\"y\":2}"#), (r#""b""#, r#"{\"y\":2}"#, r#"{\"x\":1}"#)] {
        let event = all.split("\n\n").find(|event| event.contains(id)).unwrap();
        assert!(event.contains(own) && !event.contains(other), "{all}");
    }
}

#[test]
fn pictures_and_sound_in_a_stream_are_not_passed_over_in_silence() {
    let bytes = "iVBORw0KGgo".to_owned() + &"AAECAwQFBgcICQ".repeat(40);
    let picture = (
        "",
        json!({"candidates": [{"content": {"role": "model", "parts": [
        {"inlineData": {"mimeType": "image/png", "data": bytes}}]}}]}),
    );
    let sound = choice(&json!({"audio": {"data": bytes}}), &Value::Null);
    let gemini = "/v1beta/models/m-1:streamGenerateContent?alt=sse";
    for (provider, path, body, event) in
        [("gcp.gemini", gemini, json!({"contents": []}), picture), ("openai", CHAT, streaming(), sound)]
    {
        let events = [event];
        let played = streamed(provider, &masking(), path, &body, &events);
        assert_eq!(played.reason(), "answer.unscannable", "{provider}");
        assert!(!played.client_text().contains(&bytes));
        let allowed = merged(&masking(), &json!({"answers": {"unscannable": "allow"}}));
        let played = streamed(provider, &allowed, path, &body, &events);
        assert_eq!((played.reason(), played.record["doorward.notes"].as_str()), ("", "answer.unscannable"));
        assert!(played.client_text().contains(&bytes));
    }
    // In an answer that does not stream.
    let whole =
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "audio": {"id": "a", "data": bytes}}}]});
    let played = answered("openai", &masking(), CHAT, &chat(&json!({})), &whole);
    assert_eq!(played.reason(), "answer.unscannable");
}
