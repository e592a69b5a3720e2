//! Mistral: OpenAI's chat completions with differences ([`Dialect::Mistral`]), fill-in-the-middle, agents, embeddings,
//! moderations.

use std::sync::Arc;

use serde_json::{Value, json};

use super::chat::{self, Dialect};
use super::echo::{Prompt, Turn, limited, messages};
use super::{Asked, failed, openai};
use crate::upstream::{Handler, Script, Seen};

/// Mistral as an upstream's handler. It refuses fields it does not know, of which `stream_options` is the one that
/// gateways like to add.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(seen);
        if asked.unreadable() {
            return failure(422, "invalid JSON");
        }
        let request = &asked.body;
        if request.get("stream_options").is_some() {
            let detail = json!([{"type": "extra_forbidden", "loc": ["body", "stream_options"],
                "msg": "Extra inputs are not permitted", "input": request["stream_options"]}]);
            return failed(422, &json!({"detail": detail}));
        }
        match (seen.method.as_str(), asked.path) {
            ("POST", "/v1/chat/completions") => chat::complete(&asked, Dialect::Mistral, failure),
            ("POST", "/v1/fim/completions") => chat::answer(request, &middle(request), Dialect::Mistral, failure),
            ("POST", "/v1/agents/completions") => {
                let prompt = Prompt { model: "mistral-medium-latest".to_owned(), ..messages(request) };
                match request["agent_id"].as_str() {
                    Some(_) => chat::answer(request, &prompt, Dialect::Mistral, failure),
                    None => failure(422, "agent_id: Field required"),
                }
            }
            ("POST", "/v1/embeddings") => Script::json(&openai::embeddings(request)),
            ("POST", "/v1/moderations") => Script::json(&openai::moderations(request)),
            _ => failure(404, "no Route matched with those values"),
        }
    })
}

fn failure(status: u16, message: &str) -> Script {
    failed(
        status,
        &json!({"object": "error", "message": message, "type": "invalid_request", "param": null, "code": null}),
    )
}

/// Code before and after a gap: both are echoed.
fn middle(request: &Value) -> Prompt {
    let part = |name: &str| request[name].as_str().unwrap_or_default();
    let text = format!("{}{}", part("prompt"), part("suffix"));
    Prompt { model: part("model").to_owned(), turns: vec![Turn::User(text)], tools: false, limited: limited(request) }
}
