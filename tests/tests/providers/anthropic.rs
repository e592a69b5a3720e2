//! Anthropic, and its models on Vertex AI and Bedrock, through the Anthropic SDK.

use doorward_e2e::providers::{self, CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, UNCACHED_TOKENS, echo};
use doorward_e2e::sdk::Sdk;
use serde_json::{Value, json};

use super::{CALLS, SAID, SAY, THINK, ask, called, calls_of, oks, run, streamed};

#[tokio::test]
async fn anthropic_converses() {
    let message = |text: &str| json!({"model": "claude-haiku-4-5", "max_tokens": 99, "messages": ask(text)});
    let tool = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
    let with_tools = |text: &str| {
        let mut message = message(text);
        message["tools"] = json!([tool("find"), tool("send")]);
        message
    };
    let results = json!([{"role": "user", "content": "CALL find {}"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "find", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1",
            "content": [{"type": "text", "text": "555-0100"}]}]}]);
    let mut answered = with_tools("");
    answered["messages"] = results;
    let calls = [
        ("create", message(SAY)),
        ("stream", message(SAY)),
        ("stream", with_tools(CALLS)),
        ("final", with_tools(CALLS)),
        ("stream", message(THINK)),
        ("create", answered),
        ("create", message("REFUSE this")),
        ("count_tokens", json!({"model": "claude-haiku-4-5", "messages": ask(SAY)})),
        ("batch", json!({"requests": [{"custom_id": "first", "params": message(SAY)}]})),
        ("models", json!({})),
    ];
    let failing = [("create", message("status: 429")), ("stream", message("status: 529"))];
    let vertex = [("vertex_create", message(SAY)), ("vertex_stream", with_tools(CALLS))];
    let bedrock = [("bedrock_create", message(SAY)), ("bedrock_stream", with_tools(CALLS))];
    let all: Vec<_> = calls.iter().chain(&failing).cloned().collect();
    let (mut direct, vertexed, bedrocked) = tokio::join!(
        run(Sdk::Anthropic, providers::anthropic(), "", &all),
        run(Sdk::Anthropic, providers::gemini(), "", &vertex),
        run(Sdk::Anthropic, providers::bedrock(), "", &bedrock)
    );
    let failed = direct.split_off(calls.len());
    assert_eq!((failed[0].error.as_deref(), failed[0].status), (Some("RateLimitError"), Some(429)));
    assert_eq!(failed[1].status, Some(529), "{failed:?}");
    let ok = oks(&calls, direct);
    let usage = |told: &Value| {
        assert_eq!(told["input_tokens"], UNCACHED_TOKENS);
        assert_eq!(told["cache_read_input_tokens"], CACHED_TOKENS);
        assert_eq!(told["output_tokens"], OUTPUT_TOKENS);
    };
    assert_eq!((&ok[0]["content"][0]["text"], &ok[0]["stop_reason"]), (&json!(SAID), &json!("end_turn")));
    usage(&ok[0]["usage"]);
    streamed(&ok[1], SAID);
    usage(&ok[1]["usage"]);
    assert_eq!((calls_of(&ok[2]), &ok[2]["finish"]), (called(), &json!("tool_use")));
    assert_eq!(ok[3]["content"][1]["input"], json!({"to": "eve@northwind.dev"}));
    usage(&ok[3]["usage"]);
    assert_eq!(ok[4]["thinking"], format!("Thinking about: {THINK}"));
    assert_eq!(ok[4]["signature"], echo::SIGNATURE);
    assert_eq!(ok[5]["content"][0]["text"], "You said: CALL find {}\nTool said: 555-0100");
    assert_eq!(ok[6]["stop_reason"], "refusal");
    assert_eq!(ok[7]["input_tokens"], INPUT_TOKENS);
    assert_eq!(ok[8][0]["result"]["message"]["content"][0]["text"], SAID);
    assert!(ok[9].as_array().unwrap().contains(&json!("claude-haiku-4-5")));
    for ok in [oks(&vertex, vertexed), oks(&bedrock, bedrocked)] {
        assert_eq!((&ok[0]["content"][0]["text"], &ok[0]["model"]), (&json!(SAID), &json!("claude-haiku-4-5")));
        usage(&ok[1]["usage"]);
        assert_eq!(calls_of(&ok[1]), called());
    }
}
