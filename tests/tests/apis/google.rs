//! Gemini and Vertex AI through Google's SDK; as one array, without it.

use doorward_e2e::providers::{self, INPUT_TOKENS, OUTPUT_TOKENS};
use doorward_e2e::sdk::Sdk;
use serde_json::{Value, json};

use crate::{Client, Row, Stage, ask, functions};

const GOOGLE: Client = Client::Sdk(Sdk::Google, ["ClientError", "ClientError", "ClientError"]);
const FLASH: &str = "gemini-3-flash";
const TEXT: &str = "/candidates/0/content/parts/0/text";

fn generate(model: &str, text: &str) -> Value {
    json!({"model": model, "contents": text})
}

fn generate_with_tools(model: &str, text: &str) -> Value {
    let declare = |name: &str| json!({"name": name, "parameters": {"type": "OBJECT", "properties": {}}});
    let config = json!({"tools": [{"function_declarations": [declare("find"), declare("send")]}],
        "automatic_function_calling": {"disable": true}});
    json!({"model": model, "contents": text, "config": config})
}

fn interact(model: &str, text: &str) -> Value {
    json!({"model": model, "input": text})
}

fn interact_with_tools(model: &str, text: &str) -> Value {
    let function = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object"}});
    json!({"model": model, "input": text, "tools": [function("find"), function("send")]})
}

#[tokio::test]
async fn gemini() {
    let mut rows = vec![
        Row::whole("generate", "gemini.generate", FLASH, TEXT, generate).tools(generate_with_tools),
        Row::stream("generate_stream", "gemini.generate", FLASH, generate).tools(generate_with_tools),
        Row::whole("interact", "gemini.interactions", FLASH, "/steps/0/content/0/text", interact)
            .tools(interact_with_tools)
            .denied("PermissionDeniedError"),
        Row::stream("interact_stream", "gemini.interactions", FLASH, interact)
            .tools(interact_with_tools)
            .denied("PermissionDeniedError"),
    ];
    rows = rows.into_iter().map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    rows.push(Row::silent("count_tokens", "gemini.count_tokens", FLASH, generate));
    rows.push(Row::silent("embed", "gemini.embed", "gemini-embedding-001", generate));
    let stage = Stage::open(GOOGLE, providers::gemini, "gcp.gemini", |world| world).await;
    stage.models("", &["models/gemini-3-flash"]).check(&rows).await;
}

#[tokio::test]
async fn vertex() {
    let mut rows = vec![
        Row::whole("vertex_generate", "gemini.generate", FLASH, TEXT, generate).tools(generate_with_tools),
        Row::stream("vertex_generate_stream", "gemini.generate", FLASH, generate).tools(generate_with_tools),
    ];
    rows = rows.into_iter().map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    rows.push(Row::silent("vertex_count_tokens", "gemini.count_tokens", FLASH, generate));
    rows.push(Row::silent("vertex_embed", "gemini.embed", "text-embedding-005", generate));
    Stage::open(GOOGLE, providers::gemini, "gcp.vertex_ai", |world| world).await.check(&rows).await;
}

/// Without `alt=sse` a stream is one array, whose pieces end anywhere; and OpenAI's API on Vertex AI.
#[tokio::test]
async fn arrays() {
    let contents = |_: &str, text: &str| json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
    let with_tools = move |model: &str, text: &str| {
        let mut request = contents(model, text);
        request["tools"] = json!([{"functionDeclarations": [{"name": "find"}, {"name": "send"}]}]);
        request
    };
    let rows = [
        Row::stream("/v1beta/models/{model}:streamGenerateContent", "gemini.generate", FLASH, contents)
            .tools(with_tools)
            .delta(TEXT),
        Row::whole(
            "/v1/projects/p/locations/l/endpoints/openapi/chat/completions",
            "openai.chat",
            FLASH,
            "/choices/0/message/content",
            |model, text| json!({"model": model, "messages": ask(text)}),
        )
        .tools(|model, text| json!({"model": model, "messages": ask(text), "tools": functions()})),
    ];
    let rows: Vec<Row> = rows.into_iter().map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    Stage::open(Client::Raw, providers::gemini, "gcp.gemini", |world| world).await.check(&rows).await;
}

/// Mistral's models on Vertex AI speak as they do at Mistral.
#[tokio::test]
async fn mistral_on_vertex() {
    const MODEL: &str = "mistral-small-2503";
    let chat = |model: &str, text: &str| json!({"model": model, "messages": ask(text)});
    let with_tools = |model: &str, text: &str| json!({"model": model, "messages": ask(text), "tools": functions()});
    let stream = |request: serde_json::Value| {
        let mut request = request;
        request["stream"] = json!(true);
        request
    };
    let path = "/v1/projects/p/locations/l/publishers/mistralai/models/{model}";
    let path = |operation: &str| -> &'static str { format!("{path}:{operation}").leak() };
    let rows = [
        Row::whole(path("rawPredict"), "openai.chat", MODEL, "/choices/0/message/content", chat).tools(with_tools),
        Row::stream(path("streamRawPredict"), "openai.chat", MODEL, move |model, text| stream(chat(model, text)))
            .tools(move |model, text| stream(with_tools(model, text)))
            .delta("/choices/0/delta/content"),
    ];
    let rows: Vec<Row> = rows.into_iter().map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    Stage::open(Client::Raw, providers::gemini, "gcp.vertex_ai", |world| world).await.check(&rows).await;
}
