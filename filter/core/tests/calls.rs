//! Tool calls in answers, whole and in pieces: values come back into the arguments of the tools that may have them, and into no
//! others, in whatever shape the API has them; and copies agree with the pieces.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use serde_json::{Value, json};
use support::{Answer, Played, engine, play, policy};

const MAIL: &str = "bob.smith@northwind.dev";

/// Plays an answer in which `TOKEN` stands for the placeholder.
fn answered(provider: &str, path: &str, request: &Value, content_type: &str, chunks: &[String]) -> Played {
    let more = json!({"content": [{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize"},
        {"id": "card", "detect": "CREDIT_CARD", "action": "mask"}], "tools": [{"name": "send", "restore": true}]});
    let engine = engine(&policy(provider, &more));
    let first = play(&engine, "POST", path, request.to_string(), None);
    let sent = first.upstream_text();
    let start = sent.find("[EMAIL_ADDRESS_").unwrap_or_else(|| panic!("no placeholder in {sent}"));
    let token = &sent[start..start + sent[start..].find(']').unwrap() + 1];
    let chunks = chunks.iter().map(|chunk| chunk.replace("TOKEN", token).into_bytes()).collect();
    play(&engine, "POST", path, request.to_string(), Some(&Answer { content_type, chunks, cut: false }))
}

fn chat(stream: bool) -> Value {
    json!({"model": "m-1", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": MAIL}]})
}

fn events(played: &Played) -> Vec<Value> {
    let text = played.client_text();
    let payloads: Vec<String> = text.lines().filter_map(|l| l.strip_prefix("data: ").map(str::to_owned)).collect();
    payloads.iter().filter_map(|payload| serde_json::from_str(payload).ok()).collect()
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// An argument may be no more than a placeholder, which begins like an array.
#[test]
fn arguments_that_are_values_are_restored() {
    let content = json!([{"type": "tool_use", "id": "1", "name": "find", "input": {"to": "TOKEN"}},
        {"type": "tool_use", "id": "2", "name": "send", "input": {"to": "TOKEN", "text": "dear TOKEN", "all": ["TOKEN"]}}]);
    let answer = json!({"type": "message", "model": "m-1", "content": content}).to_string();
    let played = answered("anthropic", "/v1/messages", &chat(false), "application/json", &[answer]);
    let answer: Value = serde_json::from_str(&played.client_text()).unwrap();
    assert!(answer["content"][0]["input"]["to"].as_str().unwrap().starts_with("[EMAIL_ADDRESS_"), "{answer:#}");
    let restored = json!({"to": MAIL, "text": format!("dear {MAIL}"), "all": [MAIL]});
    assert_eq!(answer["content"][1]["input"], restored);

    // The same in a stream that has calls whole.
    let calls = json!([{"function": {"name": "find", "arguments": {"to": "TOKEN"}}},
        {"function": {"name": "send", "arguments": {"to": "TOKEN"}}}]);
    let line =
        json!({"model": "m-1", "message": {"role": "assistant", "content": "", "tool_calls": calls}, "done": true});
    let played = answered("ollama", "/api/chat", &chat(true), "application/x-ndjson", &[format!("{line}\n")]);
    let line: Value = serde_json::from_str(&played.client_text()).unwrap();
    let arguments =
        |n: usize| line["message"]["tool_calls"][n]["function"]["arguments"]["to"].as_str().unwrap().to_owned();
    assert!(arguments(0).starts_with("[EMAIL_ADDRESS_"));
    assert_eq!(arguments(1), MAIL);
}

/// A call that comes in one event goes in one: there are clients that know no second event of a call. Its name may follow.
#[test]
fn a_call_in_one_event_stays_in_one() {
    for function in
        [r#"{"name":"send","arguments":"{\"to\": \"TOKEN\"}"}"#, r#"{"arguments":"{\"to\": \"TOKEN\"}","name":"send"}"#]
    {
        let call = format!(r#"[{{"index":0,"id":"1","type":"function","function":{function}}}]"#);
        let begun = format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":{call}}},\"finish_reason\":null}}]}}\n\n"
        );
        let ended = data(&json!({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "tool_calls"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1}}));
        let done = "data: [DONE]\n\n".to_owned();
        let chunks = [begun, ended, done];
        let played = answered("mistral_ai", "/v1/chat/completions", &chat(true), "text/event-stream", &chunks);
        let events = events(&played);
        assert_eq!(events.len(), 2, "{events:#?}");
        let call = &events[0]["choices"][0]["delta"]["tool_calls"][0]["function"];
        assert_eq!((&call["name"], &call["arguments"]), (&json!("send"), &json!(format!("{{\"to\": \"{MAIL}\"}}"))));
    }
}

/// The event that ends a call's arguments has them once more, and no name.
#[test]
fn copies_of_arguments_agree_with_their_pieces() {
    let request = json!({"model": "m-1", "input": MAIL, "stream": true, "store": false});
    let mut chunks = Vec::new();
    let mut push = |kind: &str, mut event: Value| {
        event["type"] = json!(kind);
        event["sequence_number"] = json!(chunks.len());
        chunks.push(format!("event: {kind}\n{}", data(&event)));
    };
    for (index, name) in ["find", "send"].into_iter().enumerate() {
        let item =
            |arguments: &str| json!({"type": "function_call", "name": name, "call_id": "c", "arguments": arguments});
        push("response.output_item.added", json!({"output_index": index, "item": item("")}));
        for piece in ["{\"to\": \"TOKEN", "\"}"] {
            push(
                "response.function_call_arguments.delta",
                json!({"output_index": index, "item_id": "i", "delta": piece}),
            );
        }
        let whole = "{\"to\": \"TOKEN\"}";
        push(
            "response.function_call_arguments.done",
            json!({"output_index": index, "item_id": "i", "arguments": whole}),
        );
        push("response.output_item.done", json!({"output_index": index, "item": item(whole)}));
    }
    push("response.completed", json!({"response": {"model": "m-1", "output": []}}));
    let played = answered("openai", "/v1/responses", &request, "text/event-stream", &chunks);
    let events = events(&played);
    for (index, restored) in [(0, false), (1, true)] {
        let of =
            |kind: &str| events.iter().filter(|e| e["type"] == kind && e["output_index"] == index).collect::<Vec<_>>();
        let deltas = of("response.function_call_arguments.delta");
        let pieces: String = deltas.iter().filter_map(|e| e["delta"].as_str()).collect();
        assert_eq!(pieces.contains(MAIL), restored, "{pieces}");
        assert_eq!(of("response.function_call_arguments.done")[0]["arguments"], pieces);
        assert_eq!(of("response.output_item.done")[0]["item"]["arguments"], pieces);
    }
}

/// Thoughts come in pieces, too.
#[test]
fn thoughts_of_interactions_are_looked_at_over_their_pieces() {
    let request = json!({"model": "m-1", "input": MAIL, "stream": true, "store": false});
    let event = |kind: &str, mut event: Value| {
        event["event_type"] = json!(kind);
        format!("event: {kind}\n{}", data(&event))
    };
    let mut chunks = vec![event("step.start", json!({"index": 0, "step": {"type": "thought"}}))];
    for piece in ["pay with 4556 73", "75 8689 98", "55 now"] {
        let delta = json!({"type": "thought_summary", "content": {"type": "text", "text": piece}});
        chunks.push(event("step.delta", json!({"index": 0, "delta": delta})));
    }
    chunks.push(event("step.stop", json!({"index": 0})));
    chunks.push(event("interaction.completed", json!({"interaction": {"status": "completed"}})));
    let played = answered("gcp.gemini", "/v1beta/interactions", &request, "text/event-stream", &chunks);
    let text: String =
        events(&played).iter().filter_map(|e| e["delta"]["content"]["text"].as_str().map(str::to_owned)).collect();
    assert_eq!(text, "pay with [CREDIT_CARD] now");
}

/// What stands behind an array's end is not kept until the stream ends: the end may bring no bytes to go with it.
#[test]
fn arrays_end_at_their_bracket() {
    let request = json!({"contents": [{"role": "user", "parts": [{"text": MAIL}]}]});
    let path = "/v1beta/models/m-1:streamGenerateContent";
    let chunks = ["[{\"candidates\":[]}".to_owned(), "\n]".to_owned(), "\n".to_owned()];
    let played = answered("gcp.gemini", path, &request, "application/json", &chunks);
    assert_eq!(played.client.len(), 3, "{:?}", played.client);
    assert_eq!(played.client_text(), chunks.concat());
    let ends = [chunks.concat(), String::new()];
    let played = answered("gcp.gemini", path, &request, "application/json", &ends);
    assert_eq!((played.client_text(), played.reason()), (chunks.concat(), ""));
}
