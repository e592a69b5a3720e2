//! Hugging Face's Text Generation Inference: `/generate`, `/generate_stream`, and OpenAI's API beside them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::chat::Dialect;
use super::echo::{Finish, Prompt, Reply, Turn, limited};
use super::{Asked, deltas, failed, openai};
use crate::upstream::{Handler, Script, Seen};

/// Text Generation Inference as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(seen);
        if let Some(operation) = asked.path.strip_prefix("/v1/") {
            return openai::answer(&asked, operation, Dialect::OpenAi);
        }
        let Some(inputs) = asked.body["inputs"].as_str() else { return failure(422, "missing field `inputs`") };
        let prompt = Prompt {
            model: "tgi".to_owned(),
            turns: vec![Turn::User(inputs.to_owned())],
            tools: false,
            limited: limited(&asked.body),
        };
        let reply = match prompt.reply() {
            Ok(reply) => reply,
            Err(status) => return failure(status, "as the prompt asked"),
        };
        match (seen.method.as_str(), asked.path, asked.streams()) {
            ("POST", "/generate", _) | ("POST", "/", false) => {
                let detailed = asked.body["parameters"]["details"] == true;
                let mut body = json!({"generated_text": reply.words()});
                if detailed {
                    body["details"] = details(&reply);
                }
                Script::json(&body)
            }
            ("POST", "/generate_stream", _) | ("POST", "/", true) => Script::sse(events(&reply)),
            _ => failure(404, "not found"),
        }
    })
}

fn failure(status: u16, message: &str) -> Script {
    failed(status, &json!({"error": message, "error_type": "validation"}))
}

fn details(reply: &Reply) -> Value {
    let length = reply.finish() == Finish::Length;
    json!({"finish_reason": if length { "length" } else { "eos_token" }, "generated_tokens": reply.usage.output,
        "input_length": reply.usage.input, "seed": null})
}

/// One event per token, without a space after `data:`; the last repeats the whole text.
fn events(reply: &Reply) -> Vec<String> {
    let words = reply.words().unwrap_or_default();
    let tokens = deltas(words);
    let count = tokens.len();
    let event = |(index, text): (usize, String)| {
        let last = index + 1 == count;
        let token = json!({"id": index, "text": text, "logprob": -0.5, "special": false});
        let payload = json!({"index": index + 1, "token": token, "generated_text": last.then_some(words),
            "details": last.then(|| details(reply))});
        format!("data:{payload}\n\n")
    };
    tokens.into_iter().enumerate().map(event).collect()
}
