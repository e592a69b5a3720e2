//! Google: Gemini's API (`/v1beta/models/M:OPERATION`, [`interactions`]) and Vertex AI's ([`vertex`]).
//!
//! Without `alt=sse` a stream is one JSON array, pretty-printed and cut every 61 bytes: inside elements, between them,
//! inside characters.

use std::sync::Arc;

use serde_json::{Value, json};

use super::echo::{Finish, Prompt, Reply, SIGNATURE, Turn, declared, limited, text_of};
use super::{Asked, EMBEDDING, INPUT_TOKENS, data, failed, interactions, vertex};
use crate::upstream::{Handler, Script, Seen, Told};

/// Gemini and Vertex AI as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(seen);
        if asked.unreadable() {
            return failure(400, "Invalid JSON payload received.");
        }
        let rest = asked.path.strip_prefix("/v1beta/").or(asked.path.strip_prefix("/v1beta1/"));
        match rest.or(asked.path.strip_prefix("/v1/")) {
            Some("models") if seen.method == "GET" => Script::json(&models()),
            Some("interactions") => interactions::answer(&asked.body),
            Some(rest) if rest.starts_with("projects/") => vertex::answer(&asked, rest),
            Some(rest) => match rest.rsplit_once(':') {
                Some((model, operation)) => answer(&asked, model.trim_start_matches("models/"), operation),
                None => missing(),
            },
            None => missing(),
        }
    })
}

/// Answers an operation on a model.
pub(super) fn answer(asked: &Asked, model: &str, operation: &str) -> Script {
    let request = &asked.body;
    match operation {
        "generateContent" | "streamGenerateContent" => {}
        "countTokens" => {
            return Script::json(&json!({"totalTokens": INPUT_TOKENS,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": INPUT_TOKENS}]}));
        }
        "embedContent" => return Script::json(&json!({"embedding": {"values": EMBEDDING}})),
        "batchEmbedContents" => {
            let count = request["requests"].as_array().map_or(0, Vec::len);
            return Script::json(&json!({"embeddings": vec![json!({"values": EMBEDDING}); count]}));
        }
        _ => return missing(),
    }
    let prompt = prompt(request, model);
    if prompt.turns.is_empty() {
        return failure(400, "* GenerateContentRequest.contents: contents is not specified");
    }
    let reply = match prompt.reply() {
        Ok(reply) => reply,
        Err(status) => return failure(status, "as the prompt asked"),
    };
    if operation == "generateContent" {
        return Script::json(&whole(&reply));
    }
    let chunks = chunks(&reply);
    if asked.query.split('&').any(|pair| pair == "alt=sse") {
        return Script::sse(chunks.iter().map(data));
    }
    let elements: Vec<String> = chunks.iter().map(|chunk| format!("{chunk:#}")).collect();
    let script = Script::status(200).header("content-type", "application/json; charset=UTF-8").told(Told::Chunked);
    script.split(format!("[{}\n]\n", elements.join("\n,\r\n")), 61)
}

/// An error as Google tells it.
pub(super) fn failure(status: u16, message: &str) -> Script {
    let name = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    failed(status, &json!({"error": {"code": status, "message": message, "status": name}}))
}

pub(super) fn missing() -> Script {
    failure(404, "Requested entity was not found.")
}

fn prompt(request: &Value, model: &str) -> Prompt {
    let mut turns = Vec::new();
    for content in request["contents"].as_array().into_iter().flatten() {
        if content["role"] == "model" {
            turns.push(Turn::Model);
            continue;
        }
        for part in content["parts"].as_array().into_iter().flatten() {
            if let Some(result) = part.get("functionResponse").or(part.get("function_response")) {
                turns.push(Turn::Tool(result["response"].to_string()));
            }
        }
        turns.push(Turn::User(text_of(&content["parts"])));
    }
    Prompt { model: model.to_owned(), turns, tools: declared(&request["tools"]), limited: limited(request) }
}

fn whole(reply: &Reply) -> Value {
    let mut parts = Vec::new();
    if let Some(thinking) = &reply.thinking {
        parts.push(json!({"text": thinking, "thought": true}));
    }
    if let Some(text) = &reply.text {
        parts.push(json!({"text": text}));
    }
    parts.extend(calls(reply));
    answered(reply, parts, Some(reply), visible(reply))
}

/// One chunk per delta; calls come whole, and the last chunk says why the answer ended.
fn chunks(reply: &Reply) -> Vec<Value> {
    let thought = |text| json!({"text": text, "thought": true});
    let mut parts: Vec<Value> = reply.thinking_deltas().into_iter().map(thought).collect();
    parts.extend(reply.text_deltas().into_iter().map(|text| json!({"text": text})));
    parts.extend(calls(reply));
    let count = parts.len() as u64;
    let step = |(index, part): (usize, Value)| {
        let last = index as u64 + 1 == count;
        // Usage grows: the last chunk has all of it.
        answered(reply, vec![part], last.then_some(reply), visible(reply) * (index as u64 + 1) / count)
    };
    match count {
        0 => vec![whole(reply)],
        _ => parts.into_iter().enumerate().map(step).collect(),
    }
}

fn calls(reply: &Reply) -> Vec<Value> {
    let part = |(index, call): (usize, &super::echo::ToolCall)| {
        let mut part = json!({"functionCall": {"id": call.id, "name": call.name, "args": call.object()}});
        // Only the first of parallel calls is signed.
        if index == 0 {
            part["thoughtSignature"] = json!(SIGNATURE);
        }
        part
    };
    reply.calls.iter().enumerate().map(part).collect()
}

fn visible(reply: &Reply) -> u64 {
    reply.usage.output - reply.usage.reasoning
}

fn answered(reply: &Reply, parts: Vec<Value>, ended: Option<&Reply>, candidates: u64) -> Value {
    let usage = reply.usage;
    let mut body = json!({
        "usageMetadata": {
            "promptTokenCount": usage.input, "cachedContentTokenCount": usage.cached,
            "candidatesTokenCount": candidates, "thoughtsTokenCount": usage.reasoning,
            "totalTokenCount": usage.input + candidates + usage.reasoning,
        },
        "modelVersion": reply.model, "responseId": "resp-test",
    });
    if reply.finish() == Finish::Refusal {
        body["promptFeedback"] = json!({"blockReason": "SAFETY"});
        return body;
    }
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(reply) = ended {
        let length = reply.finish() == Finish::Length;
        candidate["finishReason"] = json!(if length { "MAX_TOKENS" } else { "STOP" });
    }
    body["candidates"] = json!([candidate]);
    body
}

fn models() -> Value {
    let model = |name: &str| {
        json!({"name": format!("models/{name}"), "version": "001", "displayName": name,
            "inputTokenLimit": 1_048_576, "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens"]})
    };
    let models = ["gemini-3-flash", "gemini-3-pro"].map(model);
    json!({"models": models})
}
