//! Mistral, Cohere and Ollama through their SDKs; TGI, vLLM and rerank servers without one.

use doorward_e2e::providers::{self, INPUT_TOKENS, OUTPUT_TOKENS, UNCACHED_TOKENS};
use doorward_e2e::sdk::Sdk;
use serde_json::{Value, json};

use crate::openai::chat_rows;
use crate::stage::TOLD;
use crate::{Client, Row, Stage, ask, functions};

const MISTRAL: Client = Client::Sdk(Sdk::Mistral, ["SDKError", "SDKError", "ResponseValidationError"]);
const OLLAMA: Client = Client::Sdk(Sdk::Ollama, ["ResponseError", "ResponseError", "ResponseError"]);
const COHERE: Client = Client::Sdk(Sdk::Cohere, ["ForbiddenError", "BadRequestError", TOLD]);

fn chat(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": ask(text)})
}

fn chat_with_tools(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": ask(text), "tools": functions()})
}

#[tokio::test]
async fn mistral() {
    let prompt = |model: &str, text: &str| json!({"model": model, "prompt": text});
    let agent = |model: &str, text: &str| json!({"agent_id": model, "messages": ask(text)});
    let inputs = |model: &str, text: &str| json!({"model": model, "inputs": [text]});
    let content = "/choices/0/message/content";
    let mut rows = chat_rows("mistral-small-latest", ["create", "chat_stream"]);
    rows.push(Row::whole("fim", "openai.completions", "codestral-latest", content, prompt));
    rows.push(Row::stream("fim_stream", "openai.completions", "codestral-latest", prompt));
    rows.push(Row::whole("agent", "openai.chat", "agent-1", content, agent));
    rows.push(Row::stream("agent_stream", "openai.chat", "agent-1", agent));
    rows = rows.into_iter().map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    rows.push(Row::silent("embeddings", "openai.embeddings", "mistral-embed", inputs).used(INPUT_TOKENS, 0));
    rows.push(Row::silent("moderations", "openai.moderations", "mistral-moderation-latest", inputs));
    Stage::open(MISTRAL, providers::mistral, "mistral_ai", |world| world).await.check(&rows).await;
}

#[tokio::test]
async fn ollama() {
    let prompt = |model: &str, text: &str| json!({"model": model, "prompt": text});
    let mut rows = vec![
        Row::whole("chat", "ollama.chat", "llama3.2", "/message/content", chat).tools(chat_with_tools),
        Row::stream("chat_stream", "ollama.chat", "llama3.2", chat).tools(chat_with_tools),
        Row::whole("generate", "ollama.generate", "llama3.2", "/response", prompt),
        Row::stream("generate_stream", "ollama.generate", "llama3.2", prompt),
    ];
    rows = rows.into_iter().map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    let input = |model: &str, text: &str| json!({"model": model, "input": [text]});
    rows.push(Row::silent("embed", "ollama.embed", "all-minilm", input).used(INPUT_TOKENS, 0));
    rows.push(Row::silent("embeddings", "ollama.embed", "all-minilm", prompt));
    let stage = Stage::open(OLLAMA, providers::ollama, "ollama", |world| world).await;
    stage.models("", &["llama3.2:latest"]).check(&rows).await;
}

#[tokio::test]
async fn cohere() {
    let model = "command-a-03-2025";
    // What is billed counts.
    let billed = |row: Row| row.used(UNCACHED_TOKENS, OUTPUT_TOKENS);
    let rows = [
        billed(Row::whole("chat", "cohere.chat", model, "/message/content/0/text", chat).tools(chat_with_tools)),
        billed(Row::stream("chat_stream", "cohere.chat", model, chat).tools(chat_with_tools)),
        Row::silent("embed", "cohere.embed", "embed-v4.0", |model, text| {
            json!({"model": model, "texts": [text], "input_type": "search_query", "embedding_types": ["float"]})
        })
        .used(INPUT_TOKENS, 0),
        Row::silent("rerank", "rerank", "rerank-v3.5", |model, text| {
            json!({"model": model, "query": text, "documents": ["first", "second"], "top_n": 1})
        }),
    ];
    Stage::open(COHERE, providers::cohere, "cohere", |world| world).await.check(&rows).await;
}

#[tokio::test]
async fn tgi() {
    let inputs = |model: &str, text: &str| {
        let mut request = json!({"inputs": text, "parameters": {"max_new_tokens": 20, "details": true}});
        if model != "default" {
            request["model"] = json!(model);
        }
        request
    };
    let rows = [
        Row::whole("/generate", "tgi.generate", "default", "/generated_text", inputs).used(INPUT_TOKENS, OUTPUT_TOKENS),
        Row::stream("/generate_stream", "tgi.generate", "default", inputs)
            .used(INPUT_TOKENS, OUTPUT_TOKENS)
            .delta("/token/text"),
    ];
    Stage::open(Client::Raw, providers::tgi, "huggingface", |world| world).await.check(&rows).await;
}

#[tokio::test]
async fn vllm() {
    let model = "qwen3-8b";
    let prompt = |model: &str, text: &str| json!({"model": model, "prompt": text});
    let input = |model: &str, text: &str| json!({"model": model, "input": text});
    let pair = |model: &str, text: &str| json!({"model": model, "text_1": text, "text_2": ["a", "b"]});
    let silent = |path, ask: fn(&str, &str) -> Value| Row::silent(path, "vllm.extras", model, ask);
    let mut rows = vec![silent("/tokenize", prompt)];
    rows.extend(
        [silent("/classify", input), silent("/pooling", input), silent("/score", pair), silent("/v1/score", pair)]
            .map(|row| row.used(INPUT_TOKENS, 0)),
    );
    Stage::open(Client::Raw, providers::vllm, "vllm", |world| world).await.check(&rows).await;
    // Beside them OpenAI's API, through its SDK.
    let rows = chat_rows(model, ["create", "chat_stream"]).into_iter().map(|row| row.under("/v1"));
    let rows: Vec<Row> = rows.map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    Stage::open(crate::openai::OPENAI, providers::vllm, "vllm", |world| world).await.check(&rows).await;
}

#[tokio::test]
async fn rerank() {
    let ranked = |model: &str, text: &str| json!({"model": model, "query": text, "documents": ["a", "b"], "return_documents": true});
    let row = |path: &'static str| Row::silent(path, "rerank", "rerank-v3.5", ranked).used(INPUT_TOKENS, 0);
    Stage::open(Client::Raw, providers::openai, "openai", |world| world)
        .await
        .check(&[row("/v1/rerank"), row("/v2/rerank")])
        .await;
}
