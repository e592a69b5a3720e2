//! Amazon Bedrock: models invoked in their vendor's own shape (Anthropic's, Titan's), and Converse.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::echo::{Finish, Prompt, Reply, SIGNATURE, Turn, Usage, declared, limited, result_of, text_of};
use super::{Asked, EMBEDDING, INPUT_TOKENS, anthropic, deltas, eventstream, failed, pieces};
use crate::upstream::{Handler, Script, Seen};

/// Bedrock as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(seen);
        let named = asked.path.strip_prefix("/model/").and_then(|rest| rest.rsplit_once('/'));
        let Some((id, operation)) = named else { return failure(404, "UnknownOperationException") };
        if asked.unreadable() {
            return failure(400, "Malformed input request, please reformat your input and try again.");
        }
        let id = decoded(id);
        let script = match operation {
            "invoke" => invoke(&asked.body, &id),
            "invoke-with-response-stream" => invoke_stream(&asked.body, &id),
            "converse" => converse(&asked.body, &id).map(|reply| Script::json(&whole(&reply))),
            "converse-stream" => converse(&asked.body, &id)
                .map(|reply| pieces(eventstream::CONTENT_TYPE, events(&reply).iter().map(|(name, e)| padded(name, e)))),
            "count-tokens" => Ok(Script::json(&json!({"inputTokens": INPUT_TOKENS}))),
            _ => Err(failure(404, "UnknownOperationException")),
        };
        script.unwrap_or_else(|failure| failure).header("x-amzn-requestid", "req-test")
    })
}

fn failure(status: u16, message: &str) -> Script {
    let kind = match status {
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        429 => "ThrottlingException",
        500.. => "InternalServerException",
        _ => "ValidationException",
    };
    failed(status, &json!({"message": message})).header("x-amzn-errortype", kind)
}

/// A model id as it was before it went into a path.
fn decoded(id: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = id.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Usage is in the answer's head too, where it does not stream.
fn counted(script: Script, usage: Usage) -> Script {
    script
        .header("x-amzn-bedrock-input-token-count", (usage.input - usage.cached).to_string())
        .header("x-amzn-bedrock-output-token-count", usage.output.to_string())
        .header("x-amzn-bedrock-cache-read-input-token-count", usage.cached.to_string())
        .header("x-amzn-bedrock-invocation-latency", "7")
}

fn invoke(request: &Value, id: &str) -> Result<Script, Script> {
    if request["inputText"].is_string() {
        return titan(request, id);
    }
    let reply = claude(request, id)?;
    Ok(counted(Script::json(&anthropic::message(&reply)), reply.usage))
}

/// Amazon's own models: text, or embeddings where the model's name says so.
fn titan(request: &Value, id: &str) -> Result<Script, Script> {
    if id.contains("embed") {
        return Ok(Script::json(&json!({"embedding": EMBEDDING, "inputTextTokenCount": INPUT_TOKENS}))
            .header("x-amzn-bedrock-input-token-count", INPUT_TOKENS.to_string()));
    }
    let prompt = Prompt {
        model: id.to_owned(),
        turns: vec![Turn::User(text_of(&request["inputText"]))],
        tools: false,
        limited: limited(request),
    };
    let reply = prompt.reply().map_err(|status| failure(status, "as the prompt asked"))?;
    let reason = if reply.limited { "LENGTH" } else { "FINISH" };
    let result = json!({"tokenCount": reply.usage.output, "outputText": reply.words(), "completionReason": reason});
    let usage = Usage { cached: 0, ..reply.usage };
    Ok(counted(Script::json(&json!({"inputTextTokenCount": usage.input, "results": [result]})), usage))
}

fn claude(request: &Value, id: &str) -> Result<Reply, Script> {
    // `bedrock-2023-05-31` for long; the SDK now sends the version of Anthropic's own API.
    if !request["anthropic_version"].is_string() {
        return Err(failure(400, "anthropic_version: Field required"));
    }
    let mut request = request.clone();
    request["model"] = json!(id);
    // Bedrock wraps its vendors' errors: only the status is Anthropic's.
    anthropic::reply(&request).map_err(|script| failure(script.status, "as Anthropic would say"))
}

/// Anthropic's events, each in a chunk; the last also has Amazon's count.
fn invoke_stream(request: &Value, id: &str) -> Result<Script, Script> {
    let reply = claude(request, id)?;
    let usage = reply.usage;
    let chunk = |mut payload: Value| {
        if payload["type"] == "message_stop" {
            payload["amazon-bedrock-invocationMetrics"] = json!({
                "inputTokenCount": usage.input - usage.cached, "outputTokenCount": usage.output,
                "invocationLatency": 7, "firstByteLatency": 3, "cacheReadInputTokenCount": usage.cached,
                "cacheWriteInputTokenCount": 0,
            });
        }
        padded("chunk", &json!({"bytes": STANDARD.encode(payload.to_string())}))
    };
    let script = pieces(eventstream::CONTENT_TYPE, anthropic::events(&reply).into_iter().map(chunk));
    Ok(script.header("x-amzn-bedrock-content-type", "application/json"))
}

/// An event whose length tells nothing of its content: padding of varying length.
fn padded(name: &str, payload: &Value) -> Vec<u8> {
    const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut payload = payload.clone();
    payload["p"] = json!(PADDING[..payload.to_string().len() * 7 % PADDING.len()]);
    eventstream::event(name, &payload)
}

fn converse(request: &Value, id: &str) -> Result<Reply, Script> {
    let mut turns = Vec::new();
    for message in request["messages"].as_array().into_iter().flatten() {
        if message["role"] == "assistant" {
            turns.push(Turn::Model);
            continue;
        }
        for block in message["content"].as_array().into_iter().flatten() {
            for result in block["toolResult"]["content"].as_array().into_iter().flatten() {
                turns.push(Turn::Tool(result_of(result.get("json").unwrap_or(result))));
            }
        }
        turns.push(Turn::User(text_of(&message["content"])));
    }
    if turns.is_empty() {
        return Err(failure(400, "A conversation must start with a user message."));
    }
    let tools = declared(&request["toolConfig"]["tools"]);
    let prompt = Prompt { model: id.to_owned(), turns, tools, limited: limited(request) };
    prompt.reply().map_err(|status| failure(status, "as the prompt asked"))
}

fn stop_reason(reply: &Reply) -> &'static str {
    match reply.finish() {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
        Finish::Refusal => "content_filtered",
    }
}

fn usage(usage: Usage) -> Value {
    json!({
        "inputTokens": usage.input - usage.cached, "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output, "cacheReadInputTokens": usage.cached, "cacheWriteInputTokens": 0,
    })
}

fn tool_id(id: &str) -> String {
    id.replace("call_", "tooluse_")
}

fn whole(reply: &Reply) -> Value {
    let mut content = Vec::new();
    if let Some(text) = &reply.thinking {
        content.push(json!({"reasoningContent": {"reasoningText": {"text": text, "signature": SIGNATURE}}}));
    }
    content.extend(reply.words().map(|text| json!({"text": text})));
    for call in &reply.calls {
        content.push(json!({"toolUse": {"toolUseId": tool_id(&call.id), "name": call.name, "input": call.object()}}));
    }
    json!({
        "output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop_reason(reply),
        "usage": usage(reply.usage), "metrics": {"latencyMs": 7},
    })
}

/// Converse's events: name and payload. Only tool use has a start.
fn events(reply: &Reply) -> Vec<(&'static str, Value)> {
    let mut events = vec![("messageStart", json!({"role": "assistant"}))];
    let mut index = 0;
    let mut block = |start: Option<Value>, parts: Vec<Value>| {
        let start = start.map(|start| ("contentBlockStart", json!({"start": start, "contentBlockIndex": index})));
        let delta = |part| ("contentBlockDelta", json!({"delta": part, "contentBlockIndex": index}));
        events.extend(start);
        events.extend(parts.into_iter().map(delta));
        events.push(("contentBlockStop", json!({"contentBlockIndex": index})));
        index += 1;
    };
    if let Some(text) = &reply.thinking {
        let mut parts: Vec<Value> =
            deltas(text).into_iter().map(|text| json!({"reasoningContent": {"text": text}})).collect();
        parts.push(json!({"reasoningContent": {"signature": SIGNATURE}}));
        block(None, parts);
    }
    if let Some(text) = reply.words() {
        block(None, deltas(text).into_iter().map(|text| json!({"text": text})).collect());
    }
    for call in &reply.calls {
        let start = json!({"toolUse": {"toolUseId": tool_id(&call.id), "name": call.name}});
        let part = |text| json!({"toolUse": {"input": text}});
        block(Some(start), deltas(&call.arguments).into_iter().map(part).collect());
    }
    events.push(("messageStop", json!({"stopReason": stop_reason(reply)})));
    events.push(("metadata", json!({"usage": usage(reply.usage), "metrics": {"latencyMs": 7}})));
    events
}
