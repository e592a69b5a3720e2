//! Anthropic: messages, token counts, batches, models.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::echo::{Finish, Prompt, Reply, SIGNATURE, Turn, Usage, declared, limited, result_of, text_of};
use super::{Asked, CREATED_AT, INPUT_TOKENS, deltas, event, failed, pieces};
use crate::model::MODELS;
use crate::upstream::{Handler, Script, Seen};

/// Anthropic as an upstream's handler. Batches end at once, and it remembers them: their results are echoes too.
pub fn handler() -> Handler {
    let batches: Mutex<HashMap<String, Value>> = Mutex::default();
    Arc::new(move |seen: &Seen| {
        let asked = Asked::of(seen);
        if asked.unreadable() {
            return failure(400, "invalid JSON");
        }
        let mut batches = batches.lock().unwrap_or_else(PoisonError::into_inner);
        match (seen.method.as_str(), asked.path) {
            ("GET", "/v1/models") => Script::json(&models()),
            ("POST", "/v1/messages") => complete(&asked.body, asked.streams()),
            ("POST", "/v1/messages/count_tokens") => Script::json(&json!({"input_tokens": INPUT_TOKENS})),
            ("POST", "/v1/messages/batches") => {
                let id = format!("msgbatch_{}", batches.len() + 1);
                let answer = Script::json(&batch(&asked, &id, "in_progress"));
                batches.insert(id, asked.body);
                answer
            }
            ("GET", path) => {
                let name = path.strip_prefix("/v1/messages/batches/").unwrap_or_default();
                let (id, results) = name.strip_suffix("/results").map_or((name, false), |id| (id, true));
                match batches.get(id) {
                    Some(request) if results => pieces("application/x-jsonl", outcomes(request)),
                    Some(_) => Script::json(&batch(&asked, id, "ended")),
                    None => failure(404, "Not found"),
                }
            }
            _ => failure(404, "Not found"),
        }
    })
}

/// An error as Anthropic tells it.
pub(super) fn failure(status: u16, message: &str) -> Script {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let error = json!({"type": kind, "message": message});
    failed(status, &json!({"type": "error", "error": error, "request_id": "req_test"}))
}

/// Answers a messages request.
pub(super) fn complete(request: &Value, stream: bool) -> Script {
    let reply = match reply(request) {
        Ok(reply) => reply,
        Err(script) => return script,
    };
    let script = if stream { Script::sse(self::stream(&reply)) } else { Script::json(&message(&reply)) };
    script.header("request-id", "req_test")
}

/// The answer to a messages request, or the error.
pub(super) fn reply(request: &Value) -> Result<Reply, Script> {
    if request["messages"].as_array().is_none_or(Vec::is_empty) {
        return Err(failure(400, "messages: Field required"));
    }
    if !request["max_tokens"].is_u64() {
        return Err(failure(400, "max_tokens: Field required"));
    }
    let prompt = prompt(request);
    if prompt.model.is_empty() {
        return Err(failure(400, "model: Field required"));
    }
    prompt.reply().map_err(|status| failure(status, "as the prompt asked"))
}

fn prompt(request: &Value) -> Prompt {
    let mut turns = Vec::new();
    for message in request["messages"].as_array().into_iter().flatten() {
        if message["role"] == "assistant" {
            turns.push(Turn::Model);
            continue;
        }
        let blocks = message["content"].as_array();
        let (results, blocks): (Vec<&Value>, Vec<&Value>) =
            blocks.into_iter().flatten().partition(|block| block["type"] == "tool_result");
        turns.extend(results.into_iter().map(|block| Turn::Tool(result_of(&block["content"]))));
        turns.push(Turn::User(match message["content"].as_str() {
            Some(text) => text.to_owned(),
            None => text_of(&blocks.into_iter().cloned().collect()),
        }));
    }
    Prompt {
        model: request["model"].as_str().unwrap_or_default().to_owned(),
        turns,
        tools: declared(&request["tools"]),
        limited: limited(request),
    }
}

/// The whole answer.
pub(super) fn message(reply: &Reply) -> Value {
    json!({
        "id": "msg_test", "type": "message", "role": "assistant", "model": reply.model, "content": blocks(reply),
        "stop_reason": stop_reason(reply), "stop_sequence": null, "usage": usage(reply.usage, reply.usage.output),
    })
}

fn stop_reason(reply: &Reply) -> &'static str {
    match reply.finish() {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
        Finish::Refusal => "refusal",
    }
}

fn usage(usage: Usage, output: u64) -> Value {
    json!({
        "input_tokens": usage.input - usage.cached, "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached, "output_tokens": output, "service_tier": "standard",
    })
}

fn blocks(reply: &Reply) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(thinking) = &reply.thinking {
        blocks.push(json!({"type": "thinking", "thinking": thinking, "signature": SIGNATURE}));
    }
    if let Some(text) = reply.words() {
        blocks.push(json!({"type": "text", "text": text, "citations": null}));
    }
    for call in &reply.calls {
        blocks.push(json!({"type": "tool_use", "id": tool_id(&call.id), "name": call.name, "input": call.object()}));
    }
    blocks
}

fn tool_id(id: &str) -> String {
    id.replace("call_", "toolu_")
}

/// The events of a stream.
pub fn stream(reply: &Reply) -> Vec<String> {
    events(reply).iter().map(|payload| event(payload["type"].as_str().unwrap_or_default(), payload)).collect()
}

/// The events of a stream, as payloads.
pub(super) fn events(reply: &Reply) -> Vec<Value> {
    let mut begun = message(reply);
    begun["content"] = json!([]);
    begun["stop_reason"] = Value::Null;
    // Output so far; `message_delta` has the whole.
    begun["usage"] = usage(reply.usage, 1);
    let mut events = vec![json!({"type": "message_start", "message": begun})];
    for (index, block) in blocks(reply).into_iter().enumerate() {
        let mut start = block.clone();
        let mut parts = Vec::new();
        match block["type"].as_str() {
            Some("thinking") => {
                start["thinking"] = json!("");
                start["signature"] = json!("");
                let text = block["thinking"].as_str().unwrap_or_default();
                parts.extend(deltas(text).into_iter().map(|t| json!({"type": "thinking_delta", "thinking": t})));
                parts.push(json!({"type": "signature_delta", "signature": SIGNATURE}));
            }
            Some("tool_use") => {
                start["input"] = json!({});
                let id = block["id"].as_str().unwrap_or_default();
                let call = reply.calls.iter().find(|call| tool_id(&call.id) == id);
                // The first delta is empty, as it is in reality.
                parts.push(json!({"type": "input_json_delta", "partial_json": ""}));
                let arguments = call.map(|call| call.arguments.as_str()).unwrap_or_default();
                let part = |text| json!({"type": "input_json_delta", "partial_json": text});
                parts.extend(deltas(arguments).into_iter().map(part));
            }
            _ => {
                start["text"] = json!("");
                let text = block["text"].as_str().unwrap_or_default();
                parts.extend(deltas(text).into_iter().map(|t| json!({"type": "text_delta", "text": t})));
            }
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        if index == 0 {
            events.push(json!({"type": "ping"}));
        }
        let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
        events.extend(parts.into_iter().map(delta));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({"stop_reason": stop_reason(reply), "stop_sequence": null});
    events.push(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": reply.usage.output}}));
    events.push(json!({"type": "message_stop"}));
    events
}

fn models() -> Value {
    let model = |(id, _)| json!({"type": "model", "id": id, "display_name": id, "created_at": CREATED_AT});
    let (first, last) = (MODELS[0].0, MODELS[MODELS.len() - 1].0);
    json!({"data": MODELS.map(model), "has_more": false, "first_id": first, "last_id": last})
}

fn batch(asked: &Asked, id: &str, status: &str) -> Value {
    let ended = status == "ended";
    // An absolute URL, which the SDK follows as it is: through whatever the caller came through.
    let results = ended.then(|| format!("http://{}/v1/messages/batches/{id}/results", asked.seen.authority));
    json!({
        "id": id, "type": "message_batch", "processing_status": status, "created_at": CREATED_AT,
        "expires_at": "2026-01-02T00:00:00Z", "ended_at": ended.then_some(CREATED_AT), "archived_at": null,
        "cancel_initiated_at": null, "results_url": results,
        "request_counts": {"processing": u8::from(!ended), "succeeded": u8::from(ended), "errored": 0, "canceled": 0,
            "expired": 0},
    })
}

/// One line for each request of a batch.
fn outcomes(batch: &Value) -> Vec<String> {
    let outcome = |request: &Value| {
        let result = match reply(&request["params"]) {
            Ok(reply) => json!({"type": "succeeded", "message": message(&reply)}),
            Err(_) => json!({"type": "errored", "error": {"type": "error",
                "error": {"type": "invalid_request_error", "message": "invalid"}}}),
        };
        format!("{}\n", json!({"custom_id": request["custom_id"], "result": result}))
    };
    batch["requests"].as_array().into_iter().flatten().map(outcome).collect()
}
