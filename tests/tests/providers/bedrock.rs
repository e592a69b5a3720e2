//! Bedrock through the AWS SDK.

use doorward_e2e::providers::{self, CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, TOTAL_TOKENS, UNCACHED_TOKENS};
use doorward_e2e::sdk::{Call, Sdk};
use doorward_e2e::upstream::Upstream;
use serde_json::json;

use super::{CALLS, SAID, SAY, THINK, ask, called, calls_of, oks, run, streamed};

#[tokio::test]
async fn bedrock_invokes_and_converses() {
    let id = "anthropic.claude-haiku-4-5-20251001-v1:0";
    let invoke = |text: &str| {
        json!({"modelId": id, "body": {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99,
            "messages": ask(text), "tools": [{"name": "find", "input_schema": {"type": "object"}}]}})
    };
    let converse = |text: &str| json!({"modelId": id, "messages": [{"role": "user", "content": [{"text": text}]}]});
    let tool = json!({"toolSpec": {"name": "find", "inputSchema": {"json": {"type": "object"}}}});
    let mut with_tools = converse(CALLS);
    with_tools["toolConfig"] = json!({"tools": [tool]});
    let calls = [
        ("invoke", invoke(SAY)),
        ("invoke_stream", invoke(SAY)),
        ("invoke_stream", invoke(CALLS)),
        ("converse", converse(SAY)),
        ("converse_stream", converse(SAY)),
        ("converse_stream", with_tools),
        ("converse_stream", converse(THINK)),
        ("invoke", json!({"modelId": "amazon.titan-text-express-v1", "body": {"inputText": SAY}})),
        ("count_tokens", json!({"modelId": id, "input": {"converse": {"messages": converse(SAY)["messages"]}}})),
    ];
    let all: Vec<_> = calls.iter().cloned().chain([("converse", converse("status: 429"))]).collect();
    let mut outcomes = run(Sdk::Bedrock, providers::bedrock(), "", &all).await;
    let failed = outcomes.pop().unwrap();
    assert_eq!((failed.error.as_deref(), failed.status), (Some("ThrottlingException"), Some(429)));
    let ok = oks(&calls, outcomes);
    let usage = json!({"inputTokens": UNCACHED_TOKENS, "outputTokens": OUTPUT_TOKENS, "totalTokens": TOTAL_TOKENS,
        "cacheReadInputTokens": CACHED_TOKENS, "cacheWriteInputTokens": 0});
    assert_eq!(ok[0]["body"]["content"][0]["text"], SAID);
    assert_eq!(ok[0]["headers"]["x-amzn-bedrock-input-token-count"], UNCACHED_TOKENS.to_string());
    assert_eq!(ok[0]["headers"]["x-amzn-bedrock-output-token-count"], OUTPUT_TOKENS.to_string());
    streamed(&ok[1], SAID);
    assert_eq!(ok[1]["usage"]["outputTokenCount"], OUTPUT_TOKENS);
    assert_eq!((calls_of(&ok[2]), &ok[2]["finish"]), (called(), &json!("tool_use")));
    assert_eq!((&ok[3]["output"]["message"]["content"][0]["text"], &ok[3]["usage"]), (&json!(SAID), &usage));
    streamed(&ok[4], SAID);
    assert_eq!(ok[4]["usage"], usage);
    assert_eq!((calls_of(&ok[5]), &ok[5]["finish"]), (called(), &json!("tool_use")));
    assert_eq!(ok[6]["thinking"], format!("Thinking about: {THINK}"));
    assert_eq!(ok[7]["body"]["results"][0]["outputText"], SAID);
    assert_eq!(ok[8], INPUT_TOKENS);

    let upstream = Upstream::with(providers::bedrock()).await;
    let signed =
        Sdk::Bedrock.call(&format!("http://{}", upstream.address), "sigv4", Call::of("converse", converse(SAY))).await;
    assert!(signed.ok.is_some(), "{signed:?}");
    let seen = upstream.request(0).await;
    assert!(seen.fields.get("authorization").unwrap().starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    assert_eq!(seen.target, "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse");
}
