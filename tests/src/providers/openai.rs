//! OpenAI: chat completions, responses, completions, embeddings, moderations, images, speech, models; and the rerank
//! endpoints that servers of its dialect add.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::chat::{self, Dialect};
use super::echo::{Finish, Prompt, Reply, Turn, Usage, limited};
use super::{
    Asked, CREATED, DONE, EMBEDDING, INPUT_TOKENS, TOTAL_TOKENS, data, failed, pieces, ranked, responses, strings,
};
use crate::model::MODELS;
use crate::upstream::{Handler, Script, Seen};

/// OpenAI as an upstream's handler.
pub fn handler() -> Handler {
    Arc::new(|seen: &Seen| {
        let asked = Asked::of(seen);
        let Some(operation) = asked.path.strip_prefix("/v1/").or(asked.path.strip_prefix("/v2/")) else {
            return failure(404, "unknown url");
        };
        answer(&asked, operation, Dialect::OpenAi)
    })
}

/// Answers an operation: the path after the version, or after the deployment.
pub(super) fn answer(asked: &Asked, operation: &str, dialect: Dialect) -> Script {
    if asked.unreadable() {
        return failure(400, "invalid JSON");
    }
    let request = &asked.body;
    match (asked.seen.method.as_str(), operation) {
        ("GET", "models") => Script::json(&models()),
        ("POST", "chat/completions") => chat::complete(asked, dialect, failure),
        ("POST", "responses") => responses::answer(request),
        ("POST", "responses/input_tokens") => {
            Script::json(&json!({"object": "response.input_tokens", "input_tokens": INPUT_TOKENS}))
        }
        ("POST", "completions") => completions(request, dialect),
        ("POST", "embeddings") => Script::json(&embeddings(request)),
        ("POST", "moderations") => Script::json(&moderations(request)),
        ("POST", "images/generations") => Script::json(&images(request)),
        ("POST", "audio/speech") => pieces("audio/mpeg", SPEECH.chunks(7)),
        ("POST", "rerank") => Script::json(&json!({
            "id": "rerank-test", "model": request["model"], "results": ranked(request),
            "usage": {"total_tokens": INPUT_TOKENS},
        })),
        _ => failure(404, "unknown url"),
    }
}

/// An error as OpenAI tells it.
pub(super) fn failure(status: u16, message: &str) -> Script {
    let kind = if status == 429 { "rate_limit_error" } else { "invalid_request_error" };
    failed(status, &json!({"error": {"message": message, "type": kind, "param": null, "code": null}}))
}

/// What speech sounds like: no text in any encoding.
pub const SPEECH: [u8; 20] =
    [0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 0, 0xff, 0xfb, 0x90, 0x64, 0, 0x80, 0xfe, 0xc0, 0x0d, 0x0a];

/// The smallest PNG's first bytes: what every image is.
pub const IMAGE: [u8; 8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

fn models() -> Value {
    let model = |(id, owner)| json!({"id": id, "object": "model", "created": CREATED, "owned_by": owner});
    json!({"object": "list", "data": MODELS.map(model)})
}

/// One choice for every prompt.
fn completions(request: &Value, dialect: Dialect) -> Script {
    let model = request["model"].as_str().unwrap_or_default();
    let mut replies: Vec<Reply> = Vec::new();
    let mut prompts = strings(&request["prompt"]);
    if prompts.is_empty() {
        // Token ids: the model reads what no filter can.
        prompts.push("tokens");
    }
    for prompt in prompts {
        let prompt = Prompt {
            model: model.to_owned(),
            turns: vec![Turn::User(prompt.to_owned())],
            tools: false,
            limited: limited(request),
        };
        match prompt.reply() {
            Ok(reply) => replies.push(reply),
            Err(status) => return failure(status, "as the prompt asked"),
        }
    }
    let finish = |reply: &Reply| if reply.finish() == Finish::Length { "length" } else { "stop" };
    let choice = |index: usize, text: &str, finish: Option<&str>| {
        let mut choice = json!({"index": index, "text": text, "logprobs": null, "finish_reason": finish});
        if dialect == Dialect::Azure {
            choice["content_filter_results"] = chat::safe();
        }
        choice
    };
    let body = |choices: Vec<Value>| {
        json!({"id": "cmpl-test", "object": "text_completion", "created": CREATED, "model": replies[0].model,
            "choices": choices})
    };
    let usage = chat::usage(Usage::default(), dialect);
    let mut whole = body(
        replies.iter().enumerate().map(|(i, r)| choice(i, r.words().unwrap_or_default(), Some(finish(r)))).collect(),
    );
    if request["stream"] != true {
        whole["usage"] = usage;
        return Script::json(&whole);
    }
    let deltas: Vec<Vec<String>> = replies.iter().map(|r| r.words().map(super::deltas).unwrap_or_default()).collect();
    let mut events = Vec::new();
    for step in 0..deltas.iter().map(Vec::len).max().unwrap_or(0) {
        for (index, reply) in replies.iter().enumerate() {
            let Some(text) = deltas[index].get(step) else { continue };
            let last = step + 1 == deltas[index].len();
            events.push(data(&body(vec![choice(index, text, last.then(|| finish(reply)))])));
        }
    }
    if request["stream_options"]["include_usage"] == true {
        let mut last = body(Vec::new());
        last["usage"] = usage;
        events.push(data(&last));
    }
    events.push(DONE.to_owned());
    Script::sse(events)
}

pub(super) fn embeddings(request: &Value) -> Value {
    let count = match &request["input"] {
        // An array of numbers is one input: token ids.
        Value::Array(items) if items.first().is_some_and(|item| !item.is_number()) => items.len(),
        _ => 1,
    };
    let embedding = if request["encoding_format"] == "base64" {
        json!(STANDARD.encode(EMBEDDING.map(f32::to_le_bytes).concat()))
    } else {
        json!(EMBEDDING)
    };
    let item = |index: usize| json!({"object": "embedding", "index": index, "embedding": embedding});
    json!({
        "id": "embd-test", "object": "list", "model": request["model"], "data": (0..count).map(item).collect::<Value>(),
        "usage": {"prompt_tokens": INPUT_TOKENS, "total_tokens": INPUT_TOKENS},
    })
}

/// Everything is harmless but what contains `REFUSE`.
pub(super) fn moderations(request: &Value) -> Value {
    const CATEGORIES: [&str; 13] = [
        "harassment",
        "harassment/threatening",
        "hate",
        "hate/threatening",
        "illicit",
        "illicit/violent",
        "self-harm",
        "self-harm/instructions",
        "self-harm/intent",
        "sexual",
        "sexual/minors",
        "violence",
        "violence/graphic",
    ];
    let each = |value: &dyn Fn(&str) -> Value| -> Value {
        Value::Object(CATEGORIES.iter().map(|name| ((*name).to_owned(), value(name))).collect())
    };
    let result = |text: &str| {
        let bad = text.contains("REFUSE");
        json!({
            "flagged": bad,
            "categories": each(&|name| json!(bad && name == "illicit")),
            "category_scores": each(&|name| json!(if bad && name == "illicit" { 0.75 } else { 0.0 })),
            "category_applied_input_types": each(&|_| json!(["text"])),
        })
    };
    let results: Value = strings(&request["input"]).into_iter().map(result).collect();
    json!({"id": "modr-test", "model": request["model"], "results": results})
}

fn images(request: &Value) -> Value {
    let prompt = request["prompt"].as_str().unwrap_or_default();
    let image = json!({"b64_json": STANDARD.encode(IMAGE), "revised_prompt": format!("You said: {prompt}")});
    json!({
        "created": CREATED,
        "data": vec![image; usize::try_from(request["n"].as_u64().unwrap_or(1)).unwrap_or(1)],
        "usage": {
            "input_tokens": INPUT_TOKENS, "output_tokens": TOTAL_TOKENS - INPUT_TOKENS, "total_tokens": TOTAL_TOKENS,
            "input_tokens_details": {"text_tokens": INPUT_TOKENS, "image_tokens": 0},
        },
    })
}
