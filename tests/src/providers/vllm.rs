//! vLLM: OpenAI's API, and beside it calls that tokenize, score and classify.

use std::sync::Arc;

use serde_json::{Value, json};

use super::chat::Dialect;
use super::{Asked, EMBEDDING, INPUT_TOKENS, openai, ranked};
use crate::upstream::{Handler, Script, Seen};

/// A vLLM server as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(seen);
        if asked.unreadable() {
            return openai::failure(400, "invalid JSON");
        }
        let request = &asked.body;
        match (seen.method.as_str(), asked.path.trim_start_matches("/v1")) {
            ("POST", "/tokenize") => Script::json(&tokens(request)),
            ("POST", "/detokenize") => Script::json(&json!({"prompt": "as it was"})),
            ("POST", "/score") => Script::json(&scores(request, json!({"object": "score", "score": 0.5}))),
            ("POST", "/classify") => Script::json(&scores(request, json!({"label": "LABEL_0", "probs": [0.5, 0.5]}))),
            ("POST", "/pooling") => Script::json(&scores(request, json!({"object": "pooling", "data": EMBEDDING}))),
            ("POST", "/rerank") => Script::json(&json!({"model": request["model"], "results": ranked(request),
                "usage": {"total_tokens": INPUT_TOKENS}})),
            (_, path) => openai::answer(&asked, path.trim_start_matches('/'), Dialect::OpenAi),
        }
    })
}

/// A token for each byte of the prompt, so that a test sees what reached the server.
fn tokens(request: &Value) -> Value {
    let tokens = request["prompt"].as_str().unwrap_or_default().as_bytes();
    json!({"count": tokens.len(), "max_model_len": 4096, "tokens": tokens})
}

fn scores(request: &Value, one: Value) -> Value {
    let mut one = one;
    one["index"] = json!(0);
    json!({"id": "x", "object": "list", "model": request["model"], "data": [one],
        "usage": {"prompt_tokens": INPUT_TOKENS, "total_tokens": INPUT_TOKENS, "completion_tokens": 0}})
}
