//! OpenAI, Azure and what is compatible with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_e2e::governed::World;
use doorward_e2e::providers::{self, INPUT_TOKENS, OUTPUT_TOKENS};
use doorward_e2e::sdk::{Call, Sdk};
use serde_json::{Value, json};

use crate::stage::{MAIL, Place};
use crate::{Client, Row, Stage, ask, functions};

pub const OPENAI: Client = Client::Sdk(Sdk::OpenAi, ["PermissionDeniedError", "BadRequestError", "APIError"]);

fn chat(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": ask(text)})
}

fn chat_with_tools(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": ask(text), "tools": functions()})
}

fn response(model: &str, text: &str) -> Value {
    json!({"model": model, "input": text, "store": false})
}

fn response_with_tools(model: &str, text: &str) -> Value {
    let tool = |name: &str| json!({"type": "function", "name": name, "parameters": {}, "strict": false});
    json!({"model": model, "input": text, "store": false, "tools": [tool("find"), tool("send")]})
}

/// Chat and completions under any path that has them.
pub fn chat_rows(model: &'static str, [create, stream]: [&'static str; 2]) -> Vec<Row> {
    vec![
        Row::whole(create, "openai.chat", model, "/choices/0/message/content", chat).tools(chat_with_tools),
        Row::stream(stream, "openai.chat", model, chat).tools(chat_with_tools),
    ]
}

/// What streams.
pub fn streams() -> Vec<Row> {
    let mut rows = chat_rows("gpt-5-mini", ["create", "chat_stream"]).split_off(1);
    rows.push(Row::stream("responses_stream", "openai.responses", "gpt-5-mini", response).tools(response_with_tools));
    rows.push(Row::stream(
        "completions_stream",
        "openai.completions",
        "gpt-3.5-turbo-instruct",
        |model, text| json!({"model": model, "prompt": text}),
    ));
    rows.into_iter().map(|row| row.under("/v1").used(INPUT_TOKENS, OUTPUT_TOKENS)).collect()
}

#[tokio::test]
async fn openai() {
    let both = |row: Row| row.used(INPUT_TOKENS, OUTPUT_TOKENS);
    let input = |model: &str, text: &str| json!({"model": model, "input": text});
    let mut rows = chat_rows("gpt-5-mini", ["create", "chat_stream"]);
    rows.truncate(1);
    rows.push(
        Row::whole("responses", "openai.responses", "gpt-5-mini", "/output/0/content/0/text", response)
            .tools(response_with_tools),
    );
    rows.push(Row::whole(
        "completions",
        "openai.completions",
        "gpt-3.5-turbo-instruct",
        "/choices/0/text",
        |model, text| json!({"model": model, "prompt": text}),
    ));
    rows.push(Row::silent(
        "images",
        "openai.images",
        "gpt-image-1",
        |model, text| json!({"model": model, "prompt": text}),
    ));
    let mut rows: Vec<Row> = rows.into_iter().map(both).collect();
    rows.push(Row::silent("embeddings", "openai.embeddings", "text-embedding-3-small", input).used(INPUT_TOKENS, 0));
    rows.push(Row::silent("moderations", "openai.moderations", "omni-moderation-latest", input));
    let mut rows: Vec<Row> = rows.into_iter().map(|row| row.under("/v1")).collect();
    rows.extend(streams());
    let stage = Stage::open(OPENAI, providers::openai, "openai", |world| world).await;
    stage.models("/v1", &["gpt-5-mini", "gpt-5", "claude-haiku-4-5"]).check(&rows).await;
}

/// The deployment is the model, in the path; or the path is OpenAI's.
#[tokio::test]
async fn azure() {
    let input = |model: &str, text: &str| json!({"model": model, "input": text});
    let mut rows = chat_rows("my-gpt", ["azure_create", "azure_chat_stream"]);
    rows.extend(chat_rows("my-gpt", ["create", "chat_stream"]).into_iter().map(|row| row.under("/openai/v1")));
    rows.push(
        Row::stream("responses_stream", "openai.responses", "my-gpt", response)
            .tools(response_with_tools)
            .under("/openai/v1"),
    );
    let mut rows: Vec<Row> = rows.into_iter().map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    rows.push(Row::silent("azure_embeddings", "openai.embeddings", "my-embedding", input).used(INPUT_TOKENS, 0));
    let stage = Stage::open(OPENAI, providers::azure, "azure.ai.openai", |world| world).await;
    stage.check(&rows).await;
}

/// No answer of speech can be looked at, so that a policy must say that such answers pass.
#[tokio::test]
async fn speech() {
    let content = json!([{"id": "tokenize", "detect": "EMAIL_ADDRESS", "action": "tokenize"}]);
    let world = World::of(providers::openai(), "openai").await;
    let strict = Place::open(world.with("content", content.clone())).await;
    let world = World::of(providers::openai(), "openai").await.with("content", content);
    let open = Place::open(world.with("answers", json!({"unscannable": "allow"}))).await;
    let bases = [strict.gate.url("/v1"), open.gate.url("/v1")];
    let tokens = [strict.world.alice(), open.world.alice()];
    let speech =
        |model: &str| Call::of("speech", json!({"model": model, "voice": "alloy", "input": format!("to {MAIL}")}));
    let calls = [
        (bases[0].as_str(), tokens[0].as_str(), speech("tts-1")),
        (bases[1].as_str(), tokens[1].as_str(), speech("tts-1")),
        (bases[1].as_str(), tokens[1].as_str(), speech("other-1")),
    ];
    let outcomes = Sdk::OpenAi.calls_to(&calls).await;
    // What was asked for is sound, and whoever may ask for it gets to hear it.
    assert_eq!(outcomes[0].ok, Some(json!(STANDARD.encode(providers::openai::SPEECH))));
    assert_eq!(outcomes[1].ok, Some(json!(STANDARD.encode(providers::openai::SPEECH))));
    assert_eq!((outcomes[2].error.as_deref(), outcomes[2].status), (Some("PermissionDeniedError"), Some(403)));
    let lines = open.lines().await;
    assert_eq!(lines.len(), 1);
    let (seen, line) = &lines[0];
    assert!(!seen.mentions("northwind"), "{}", seen.text());
    assert_eq!((&line["doorward.api"], &line["doorward.notes"]), (&json!("openai.speech"), &Value::Null));
}
