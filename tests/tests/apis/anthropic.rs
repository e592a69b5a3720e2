//! Anthropic, and its models on Vertex AI and Bedrock, through the Anthropic SDK.

use doorward_e2e::governed::World;
use doorward_e2e::providers::{self, INPUT_TOKENS, OUTPUT_TOKENS};
use doorward_e2e::sdk::{Call, Sdk};
use serde_json::{Value, json};

use crate::stage::{MAIL, Place};
use crate::{Client, Row, Stage, ask};

pub const ANTHROPIC: Client =
    Client::Sdk(Sdk::Anthropic, ["PermissionDeniedError", "BadRequestError", "APIStatusError"]);
const HAIKU: &str = "claude-haiku-4-5";

fn message(model: &str, text: &str) -> Value {
    json!({"model": model, "max_tokens": 99, "messages": ask(text)})
}

fn message_with_tools(model: &str, text: &str) -> Value {
    let tool = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
    json!({"model": model, "max_tokens": 99, "messages": ask(text), "tools": [tool("find"), tool("send")]})
}

fn whole(name: &'static str, api: &'static str, text: &'static str) -> Row {
    Row::whole(name, api, HAIKU, text, message).tools(message_with_tools).used(INPUT_TOKENS, OUTPUT_TOKENS)
}

fn stream(name: &'static str, api: &'static str) -> Row {
    Row::stream(name, api, HAIKU, message).tools(message_with_tools).used(INPUT_TOKENS, OUTPUT_TOKENS)
}

/// What streams.
pub fn streams() -> Vec<Row> {
    vec![stream("stream", "anthropic.messages")]
}

#[tokio::test]
async fn anthropic() {
    let mut rows = streams();
    rows.push(whole("create", "anthropic.messages", "/content/0/text"));
    rows.push(Row::silent(
        "count_tokens",
        "anthropic.count_tokens",
        HAIKU,
        |model, text| json!({"model": model, "messages": ask(text)}),
    ));
    let stage = Stage::open(ANTHROPIC, providers::anthropic, "anthropic", |world| world).await;
    stage.models("", &["gpt-5-mini", "gpt-5", "claude-haiku-4-5"]).check(&rows).await;
}

#[tokio::test]
async fn anthropic_on_vertex() {
    let rows = [
        whole("vertex_create", "anthropic.messages", "/content/0/text"),
        stream("vertex_stream", "anthropic.messages"),
    ];
    Stage::open(ANTHROPIC, providers::gemini, "gcp.vertex_ai", |world| world).await.check(&rows).await;
}

#[tokio::test]
async fn anthropic_on_bedrock() {
    let rows =
        [whole("bedrock_create", "bedrock.invoke", "/content/0/text"), stream("bedrock_stream", "bedrock.invoke")];
    Stage::open(ANTHROPIC, providers::bedrock, "aws.bedrock", |world| world).await.check(&rows).await;
}

/// Many messages at once are allowed by name, each by its own model, and looked at like any other.
#[tokio::test]
async fn batches() {
    let batch = |model: &str| {
        let said = format!("write to {MAIL} now");
        Call::of("batch", json!({"requests": [{"custom_id": "first", "params": message(model, &said)}]}))
    };
    let unnamed = Place::open(World::of(providers::anthropic(), "anthropic").await).await;
    let world = World::of(providers::anthropic(), "anthropic").await;
    let world = world.with(
        "access",
        json!([{"id": "models", "effect": "allow", "models": "claude-haiku-*"},
            {"id": "bulk", "effect": "allow", "operations": "batches"}]),
    );
    let content = json!([{"id": "tokenize", "detect": "EMAIL_ADDRESS", "action": "tokenize"}]);
    // The results come as lines, which only streams are read as.
    let world = world.with("answers", json!({"unscannable": "allow"}));
    let named = Place::open(world.with("content", content)).await;
    let (named_at, unnamed_at) = (named.gate.url(""), unnamed.gate.url(""));
    let (named_as, unnamed_as) = (named.world.alice(), unnamed.world.alice());
    let calls = [
        (unnamed_at.as_str(), unnamed_as.as_str(), batch(HAIKU)),
        (named_at.as_str(), named_as.as_str(), batch("claude-opus-4-5")),
        (named_at.as_str(), named_as.as_str(), batch(HAIKU)),
    ];
    let outcomes = Sdk::Anthropic.calls_to(&calls).await;
    for (outcome, code) in outcomes.iter().zip(["[access.denied]", "[model.not_allowed]"]) {
        assert_eq!(
            (outcome.error.as_deref(), outcome.status),
            (Some("PermissionDeniedError"), Some(403)),
            "{outcome:?}"
        );
        assert!(outcome.body.to_string().contains(code), "{outcome:?}");
    }
    assert!(outcomes[0].body.to_string().contains("`batches`"), "{:?}", outcomes[0]);
    assert_eq!(unnamed.world.upstream.count(), 0);
    let results = outcomes[2].ok.as_ref().unwrap_or_else(|| panic!("{:?}", outcomes[2]));
    assert_eq!(results[0]["custom_id"], "first");
    let text = results[0]["result"]["message"]["content"][0]["text"].as_str().unwrap();
    // What comes later belongs to no request whose values are known: the placeholder stays.
    assert!(text.starts_with("You said: write to [EMAIL_ADDRESS_"), "{text}");
    let lines = named.lines().await;
    assert!(lines.iter().all(|(seen, line)| !seen.mentions("northwind") && line["doorward.decision"] == "allow"));
    assert_eq!(lines[0].1["doorward.api"], "anthropic.batches");
    assert!(lines[1..].iter().all(|(_, line)| line["doorward.api"] == "surface"));
}
