//! A small, honest stand-in for a model provider: OpenAI chat completions, Anthropic messages, and
//! the model list in both shapes. [`crate::providers`] has more of each API, and more APIs.
//!
//! It refuses what a provider refuses (no JSON, no model, no messages) in the provider's own error
//! shape. Its answer is an echo of the last user text, streamed if asked to, so a test sees in the
//! answer what reached the model. Lines of that text direct it:
//!
//! - `reply: TEXT` answers TEXT instead of the echo;
//! - `model: NAME` reports another model than the one asked for;
//! - `status: N` fails with that status.
//!
//! Token counts follow a stated rule, [`tokens`]: one token for every four bytes begun. Input is all
//! text of system prompt and messages, output the text of the answer.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::providers::echo::{Reply, Usage};
use crate::providers::{anthropic, chat};
use crate::upstream::{Handler, Script, Seen};

/// Models on offer: name and owner.
pub const MODELS: [(&str, &str); 4] = [
    ("gpt-5-mini", "openai"),
    ("gpt-5", "openai"),
    ("claude-haiku-4-5", "anthropic"),
    ("claude-opus-4-5", "anthropic"),
];

/// Tokens of a text of this many bytes: a quarter, rounded up.
pub fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

/// The model as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(answer)
}

/// Answers one request.
pub fn answer(seen: &Seen) -> Script {
    let path = seen.target.split('?').next().unwrap_or_default();
    let anthropic = path == "/v1/messages" || seen.fields.has("anthropic-version");
    let api = if anthropic { Api::Anthropic } else { Api::OpenAi };
    match (seen.method.as_str(), path) {
        ("GET", "/v1/models") => Script::json(&api.models()),
        ("POST", "/v1/chat/completions" | "/v1/messages") => match serde_json::from_slice(&seen.body) {
            Ok(request) => api.complete(&request),
            Err(error) => api.failure(400, &format!("invalid JSON: {error}")),
        },
        _ => api.failure(404, "unknown url"),
    }
}

#[derive(Clone, Copy)]
enum Api {
    OpenAi,
    Anthropic,
}

impl Api {
    fn models(self) -> Value {
        match self {
            Self::OpenAi => {
                let model = |(id, owner)| json!({"id": id, "object": "model", "created": CREATED, "owned_by": owner});
                json!({"object": "list", "data": MODELS.map(model)})
            }
            Self::Anthropic => {
                let model = |(id, _)| json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"});
                let data = MODELS.map(model);
                json!({"data": data, "has_more": false, "first_id": MODELS[0].0, "last_id": MODELS[3].0})
            }
        }
    }

    fn complete(self, request: &Value) -> Script {
        let Some(model) = request["model"].as_str() else { return self.failure(400, "`model` is required") };
        let Some(messages) = request["messages"].as_array().filter(|m| !m.is_empty()) else {
            return self.failure(400, "`messages` is required");
        };
        if matches!(self, Self::Anthropic) && !request["max_tokens"].is_u64() {
            return self.failure(400, "`max_tokens` is required");
        }
        let mut input = 0;
        visit(&request["system"], &mut |text| input += text.len());
        visit(&request["messages"], &mut |text| input += text.len());
        let mut prompt = String::new();
        if let Some(last) = messages.iter().rfind(|m| m["role"] == "user") {
            visit(&last["content"], &mut |text| prompt.push_str(text));
        }
        let directed = |key: &str| prompt.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        if let Some(status) = directed("status:").and_then(|s| s.parse().ok()) {
            return self.failure(status, "as the prompt asked");
        }
        let text = directed("reply:").unwrap_or(&prompt);
        let (model, input, output) = (directed("model:").unwrap_or(model), tokens(input), tokens(text.len()));
        if request["stream"] == true {
            let usage = Usage { input: input as u64, cached: 0, output: output as u64, reasoning: 0 };
            let reply = Reply { model: model.to_owned(), text: Some(text.to_owned()), usage, ..Reply::default() };
            let usage_asked = request["stream_options"]["include_usage"] == true;
            return Script::sse(match self {
                Self::OpenAi => chat::chunks(&[reply], chat::Dialect::OpenAi, usage_asked),
                Self::Anthropic => anthropic::stream(&reply),
            });
        }
        Script::json(&match self {
            Self::OpenAi => json!({
                "id": "chatcmpl-test", "object": "chat.completion", "created": CREATED, "model": model,
                "choices": [{
                    "index": 0, "finish_reason": "stop", "logprobs": null,
                    "message": {"role": "assistant", "content": text, "refusal": null},
                }],
                "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
            }),
            Self::Anthropic => json!({
                "id": "msg_test", "type": "message", "role": "assistant", "model": model,
                "content": [{"type": "text", "text": text}],
                "stop_reason": "end_turn", "stop_sequence": null,
                "usage": {"input_tokens": input, "output_tokens": output},
            }),
        })
        .header("x-request-id", "req_test")
    }

    fn failure(self, status: u16, message: &str) -> Script {
        let body = match self {
            Self::OpenAi => {
                json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": null}})
            }
            Self::Anthropic => {
                json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}})
            }
        };
        let mut script = Script::json(&body);
        script.status = status;
        script
    }
}

/// When the stand-in's models were "created".
const CREATED: u64 = 1_767_225_600;

/// Text of a content: a string, or the `text` of parts and blocks, however deep.
fn visit(content: &Value, text: &mut impl FnMut(&str)) {
    match content {
        Value::String(string) => text(string),
        Value::Array(items) => items.iter().for_each(|item| visit(item, text)),
        Value::Object(object) => {
            for key in ["content", "text"] {
                if let Some(value) = object.get(key) {
                    visit(value, text);
                }
            }
        }
        _ => {}
    }
}
