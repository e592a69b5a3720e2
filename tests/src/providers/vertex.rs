//! Vertex AI: Google's models in Gemini's shape, Anthropic's and Mistral's in their own with the model in the
//! path, and OpenAI's chat completions.

use serde_json::{Value, json};

use super::chat::{self, Dialect};
use super::{Asked, EMBEDDING, INPUT_TOKENS, anthropic, gemini};
use crate::upstream::Script;

/// Answers a request for `projects/P/locations/L/..`.
pub(super) fn answer(asked: &Asked, rest: &str) -> Script {
    let words: Vec<&str> = rest.split('/').collect();
    match words[..] {
        [_, _, _, _, "publishers", "google", "models", named] => match named.rsplit_once(':') {
            Some((_, "predict")) => Script::json(&predictions(&asked.body)),
            Some((model, operation)) => gemini::answer(asked, model, operation),
            None => gemini::missing(),
        },
        [_, _, _, _, "publishers", "anthropic", "models", named] => match named.rsplit_once(':') {
            Some(("count-tokens", "rawPredict")) => Script::json(&json!({"input_tokens": INPUT_TOKENS})),
            Some((model, "rawPredict")) => claude(&asked.body, model, false),
            Some((model, "streamRawPredict")) => claude(&asked.body, model, asked.streams()),
            _ => gemini::missing(),
        },
        [_, _, _, _, "publishers", "mistralai", "models", named] => match named.rsplit_once(':') {
            // The body names the model too, and says whether to stream.
            Some((_, "rawPredict" | "streamRawPredict")) => chat::complete(asked, Dialect::Mistral, gemini::failure),
            _ => gemini::missing(),
        },
        [_, _, _, _, "endpoints", "openapi", "chat", "completions"] => {
            chat::complete(asked, Dialect::OpenAi, gemini::failure)
        }
        _ => gemini::missing(),
    }
}

fn claude(request: &Value, model: &str, stream: bool) -> Script {
    if !request["anthropic_version"].is_string() {
        return anthropic::failure(400, "anthropic_version: Field required");
    }
    let mut request = request.clone();
    request["model"] = json!(model);
    anthropic::complete(&request, stream)
}

/// What an embedding model predicts.
fn predictions(request: &Value) -> Value {
    let embeddings = json!({"values": EMBEDDING, "statistics": {"token_count": INPUT_TOKENS, "truncated": false}});
    let count = request["instances"].as_array().map_or(0, Vec::len);
    json!({"predictions": vec![json!({"embeddings": embeddings}); count]})
}
