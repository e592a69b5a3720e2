//! Cohere's second API: chat, embed, rerank.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::echo::{Finish, Reply, ToolCall, messages};
use super::{Asked, EMBEDDING, INPUT_TOKENS, deltas, event, failed, ranked};
use crate::upstream::{Handler, Script, Seen};

/// Cohere as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(seen);
        if asked.unreadable() {
            return failure(400, "invalid json syntax");
        }
        match (seen.method.as_str(), asked.path) {
            ("POST", "/v2/chat") => chat(&asked),
            ("POST", "/v2/embed") => Script::json(&embed(&asked.body)),
            ("POST", "/v1/rerank" | "/v2/rerank") => Script::json(&json!({
                "id": "rerank-test", "results": ranked(&asked.body),
                "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
            })),
            _ => failure(404, "not found"),
        }
    })
}

fn failure(status: u16, message: &str) -> Script {
    failed(status, &json!({"id": "error-test", "message": message}))
}

fn chat(asked: &Asked) -> Script {
    let prompt = messages(&asked.body);
    if prompt.model.is_empty() || prompt.turns.is_empty() {
        return failure(400, "invalid request: `model` and `messages` are required");
    }
    match prompt.reply() {
        Ok(reply) if asked.streams() => {
            let payloads = events(&reply);
            Script::sse(payloads.iter().map(|payload| event(payload["type"].as_str().unwrap_or_default(), payload)))
        }
        Ok(reply) => Script::json(&whole(&reply)),
        Err(status) => failure(status, "as the prompt asked"),
    }
}

/// What the model plans before it calls tools: its thinking, in this API.
fn plan(reply: &Reply) -> Option<&str> {
    reply.thinking.as_deref().filter(|_| !reply.calls.is_empty())
}

fn whole(reply: &Reply) -> Value {
    let mut message = json!({"role": "assistant"});
    let parts = parts(reply);
    if !parts.is_empty() {
        message["content"] = parts.iter().map(|(kind, text)| json!({"type": kind, *kind: text})).collect();
    }
    if let Some(plan) = plan(reply) {
        message["tool_plan"] = json!(plan);
    }
    if !reply.calls.is_empty() {
        message["tool_calls"] = reply.calls.iter().map(|call| tool_call(call, &call.arguments)).collect();
    }
    json!({"id": "chat-test", "finish_reason": finish(reply), "message": message, "usage": usage(reply)})
}

/// Parts of the content: kind, which is also the name of its field, and text.
fn parts(reply: &Reply) -> Vec<(&'static str, &str)> {
    let thinking = if reply.calls.is_empty() { reply.thinking.as_deref() } else { None };
    let thinking = thinking.map(|text| ("thinking", text));
    thinking.into_iter().chain(reply.words().map(|text| ("text", text))).collect()
}

fn tool_call(call: &ToolCall, arguments: &str) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

fn finish(reply: &Reply) -> &'static str {
    match reply.finish() {
        Finish::Stop | Finish::Refusal => "COMPLETE",
        Finish::Length => "MAX_TOKENS",
        Finish::Calls => "TOOL_CALL",
    }
}

/// Billed is what no cache had.
fn usage(reply: &Reply) -> Value {
    let usage = reply.usage;
    json!({
        "billed_units": {"input_tokens": usage.input - usage.cached, "output_tokens": usage.output},
        "tokens": {"input_tokens": usage.input, "output_tokens": usage.output}, "cached_tokens": usage.cached,
    })
}

fn events(reply: &Reply) -> Vec<Value> {
    let begun = json!({"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [],
        "citations": []}});
    let mut events = vec![json!({"type": "message-start", "id": "chat-test", "delta": begun})];
    for text in plan(reply).map(deltas).unwrap_or_default() {
        events.push(json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": text}}}));
    }
    let parts = parts(reply);
    for (index, (kind, text)) in parts.iter().enumerate() {
        let mut content = Map::from_iter([((*kind).to_owned(), json!(""))]);
        content.insert("type".to_owned(), json!(kind));
        let start = json!({"message": {"content": content}});
        events.push(json!({"type": "content-start", "index": index, "delta": start}));
        for text in deltas(text) {
            let delta = json!({"message": {"content": {*kind: text}}});
            events.push(json!({"type": "content-delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "content-end", "index": index}));
    }
    for (index, call) in reply.calls.iter().enumerate() {
        let start = json!({"message": {"tool_calls": tool_call(call, "")}});
        events.push(json!({"type": "tool-call-start", "index": index, "delta": start}));
        for text in deltas(&call.arguments) {
            let delta = json!({"message": {"tool_calls": {"function": {"arguments": text}}}});
            events.push(json!({"type": "tool-call-delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "tool-call-end", "index": index}));
    }
    let end = json!({"finish_reason": finish(reply), "usage": usage(reply)});
    events.push(json!({"type": "message-end", "delta": end}));
    events
}

fn embed(request: &Value) -> Value {
    let count = |name: &str| request[name].as_array().map_or(0, Vec::len);
    let count = count("texts") + count("images") + count("inputs");
    let types = request["embedding_types"].as_array().cloned().unwrap_or_else(|| vec![json!("float")]);
    let of_type = |kind: &Value| {
        let kind = kind.as_str().unwrap_or("float");
        let embedding = match kind {
            "float" => json!(EMBEDDING),
            "base64" => json!(STANDARD.encode(EMBEDDING.map(f32::to_le_bytes).concat())),
            _ => json!([32, -64, 127, 16]),
        };
        (kind.to_owned(), json!(vec![embedding; count]))
    };
    json!({
        "id": "embed-test", "response_type": "embeddings_by_type", "texts": request["texts"],
        "embeddings": types.iter().map(of_type).collect::<Map<_, _>>(),
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": INPUT_TOKENS}},
    })
}
