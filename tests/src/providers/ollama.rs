//! Ollama: its own API, which streams lines of JSON unless told not to, and OpenAI's beside it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::chat::Dialect;
use super::echo::{Finish, Prompt, Reply, Turn, limited, messages};
use super::{Asked, CREATED_AT, EMBEDDING, INPUT_TOKENS, failed, openai, pieces};
use crate::upstream::{Handler, Script, Seen};

/// Ollama as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(seen);
        if let Some(operation) = asked.path.strip_prefix("/v1/") {
            return openai::answer(&asked, operation, Dialect::OpenAi);
        }
        if asked.unreadable() {
            return failure(400, "invalid JSON");
        }
        let request = &asked.body;
        match (seen.method.as_str(), asked.path) {
            ("POST", "/api/chat") => answer(request, &messages(request), spoken),
            ("POST", "/api/generate") => answer(request, &generation(request), written),
            ("POST", "/api/embed") => {
                let count = request["input"].as_array().map_or(1, Vec::len);
                Script::json(&json!({"model": request["model"], "embeddings": vec![json!(EMBEDDING); count],
                    "total_duration": 7, "load_duration": 1, "prompt_eval_count": INPUT_TOKENS}))
            }
            ("POST", "/api/embeddings") => Script::json(&json!({"embedding": EMBEDDING})),
            ("GET", "/api/tags") => Script::json(&json!({"models": [model()]})),
            ("POST", "/api/show") => Script::json(&json!({
                "modelfile": "FROM llama3.2", "template": "{{ .Prompt }}", "details": model()["details"],
                "model_info": {"general.architecture": "llama"}, "capabilities": ["completion", "tools"],
                "modified_at": CREATED_AT,
            })),
            _ => Script { status: 404, ..Script::status(404).data("404 page not found") },
        }
    })
}

fn failure(status: u16, message: &str) -> Script {
    failed(status, &json!({"error": message}))
}

fn generation(request: &Value) -> Prompt {
    Prompt {
        model: request["model"].as_str().unwrap_or_default().to_owned(),
        turns: vec![Turn::User(request["prompt"].as_str().unwrap_or_default().to_owned())],
        tools: false,
        limited: limited(request),
    }
}

/// A piece of an answer.
enum Part<'a> {
    Thinking(&'a str),
    Text(&'a str),
    Calls(&'a Reply),
}

/// What `/api/chat` makes of a part: a message.
fn spoken(parts: &[Part]) -> Value {
    let mut message = json!({"role": "assistant", "content": ""});
    for part in parts {
        match part {
            Part::Thinking(text) => message["thinking"] = json!(text),
            Part::Text(text) => message["content"] = json!(text),
            Part::Calls(reply) => {
                let call = |(index, call): (usize, &super::echo::ToolCall)| {
                    json!({"id": call.id,
                        "function": {"index": index, "name": call.name, "arguments": call.object()}})
                };
                message["tool_calls"] = reply.calls.iter().enumerate().map(call).collect();
            }
        }
    }
    json!({"message": message})
}

/// What `/api/generate` makes of it: text.
fn written(parts: &[Part]) -> Value {
    let mut written = json!({"response": ""});
    for part in parts {
        match part {
            Part::Thinking(text) => written["thinking"] = json!(text),
            Part::Text(text) => written["response"] = json!(text),
            Part::Calls(_) => {}
        }
    }
    written
}

fn answer(request: &Value, prompt: &Prompt, told: fn(&[Part]) -> Value) -> Script {
    if prompt.model.is_empty() {
        return failure(400, "model is required");
    }
    let reply = match prompt.reply() {
        Ok(reply) => reply,
        Err(status) => return failure(status, "as the prompt asked"),
    };
    let line = |parts: &[Part], done: bool| {
        let mut line = told(parts);
        line["model"] = json!(reply.model);
        line["created_at"] = json!(CREATED_AT);
        line["done"] = json!(done);
        if done {
            let length = reply.finish() == Finish::Length;
            line["done_reason"] = json!(if length { "length" } else { "stop" });
            line["prompt_eval_count"] = json!(reply.usage.input);
            line["eval_count"] = json!(reply.usage.output);
            for name in ["total_duration", "load_duration", "prompt_eval_duration", "eval_duration"] {
                line[name] = json!(7);
            }
        }
        line
    };
    let calls = || (!reply.calls.is_empty()).then_some(Part::Calls(&reply));
    if request["stream"] == false {
        let thinking = reply.thinking.as_deref().map(Part::Thinking);
        let parts: Vec<Part> = thinking.into_iter().chain(reply.words().map(Part::Text)).chain(calls()).collect();
        return Script::json(&line(&parts, true));
    }
    let words = reply.words().map(super::deltas).unwrap_or_default();
    let thinking = reply.thinking_deltas();
    let parts = thinking.iter().map(|text| Part::Thinking(text)).chain(words.iter().map(|text| Part::Text(text)));
    let mut lines: Vec<Value> = parts.chain(calls()).map(|part| line(&[part], false)).collect();
    lines.push(line(&[], true));
    pieces("application/x-ndjson", lines.iter().map(|line| format!("{line}\n")))
}

fn model() -> Value {
    json!({
        "name": "llama3.2:latest", "model": "llama3.2:latest", "modified_at": CREATED_AT, "size": 2_019_393_189_u64,
        "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
        "details": {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
            "parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
    })
}
