//! Bedrock through the AWS SDK.

use doorward_e2e::providers::{self, INPUT_TOKENS, OUTPUT_TOKENS};
use doorward_e2e::sdk::Sdk;
use serde_json::{Value, json};

use crate::{Client, Row, Stage, ask};

const BEDROCK: Client = Client::Sdk(Sdk::Bedrock, ["AccessDeniedException", "ValidationException", "EventStreamError"]);
const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";

fn invoke(model: &str, text: &str) -> Value {
    json!({"modelId": model, "body": {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "messages": ask(text)}})
}

fn invoke_with_tools(model: &str, text: &str) -> Value {
    let tool = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
    let mut arguments = invoke(model, text);
    arguments["body"]["tools"] = json!([tool("find"), tool("send")]);
    arguments
}

fn converse(model: &str, text: &str) -> Value {
    json!({"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}]})
}

fn converse_with_tools(model: &str, text: &str) -> Value {
    let tool = |name: &str| json!({"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}});
    let mut arguments = converse(model, text);
    arguments["toolConfig"] = json!({"tools": [tool("find"), tool("send")]});
    arguments
}

#[tokio::test]
async fn bedrock() {
    let titan = |model: &str, text: &str| json!({"modelId": model, "body": {"inputText": text}});
    let rows = [
        Row::whole("invoke", "bedrock.invoke", HAIKU, "/body/content/0/text", invoke).tools(invoke_with_tools),
        Row::stream("invoke_stream", "bedrock.invoke", HAIKU, invoke).tools(invoke_with_tools),
        Row::whole("invoke", "bedrock.invoke", "amazon.titan-text-express-v1", "/body/results/0/outputText", titan),
        Row::whole("converse", "bedrock.converse", HAIKU, "/output/message/content/0/text", converse)
            .tools(converse_with_tools),
        Row::stream("converse_stream", "bedrock.converse", HAIKU, converse).tools(converse_with_tools),
    ];
    let mut rows: Vec<Row> = rows.into_iter().map(|row| row.used(INPUT_TOKENS, OUTPUT_TOKENS)).collect();
    rows.push(Row::silent(
        "count_tokens",
        "bedrock.converse",
        HAIKU,
        |model, text| json!({"modelId": model, "input": {"converse": {"messages": converse(model, text)["messages"]}}}),
    ));
    Stage::open(BEDROCK, providers::bedrock, "aws.bedrock", |world| world).await.check(&rows).await;
}
