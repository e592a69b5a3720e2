//! Gemini and Vertex AI through Google's SDK.

use doorward_e2e::providers::{
    self, CACHED_TOKENS, EMBEDDING, INPUT_TOKENS, REASONING_TOKENS, TOTAL_TOKENS, VISIBLE_TOKENS,
};
use doorward_e2e::sdk::Sdk;
use serde_json::{Value, json};

use super::{CALLS, SAID, SAY, THINK, called, calls_of, oks, run, streamed};

#[tokio::test]
async fn google_generates() {
    let generate = |text: &str| json!({"model": "gemini-3-flash", "contents": text});
    let declare = |name: &str| json!({"name": name, "parameters": {"type": "OBJECT", "properties": {}}});
    let tools = json!({"tools": [{"function_declarations": [declare("find"), declare("send")]}],
        "automatic_function_calling": {"disable": true}});
    let with_tools = |contents: Value| json!({"model": "gemini-3-flash", "contents": contents, "config": tools});
    let results = json!([{"role": "user", "parts": [{"text": "CALL find {}"}]},
        {"role": "model", "parts": [{"function_call": {"name": "find", "args": {}}}]},
        {"role": "user", "parts": [{"function_response": {"name": "find", "response": {"result": "555-0100"}}}]}]);
    let functions = json!([{"type": "function", "name": "find", "parameters": {"type": "object"}}]);
    let calls = [
        ("generate", generate(SAY)),
        ("generate_stream", generate(SAY)),
        ("generate_stream", with_tools(json!(CALLS))),
        ("generate_stream", generate(THINK)),
        ("generate_stream", generate("REFUSE this")),
        ("generate", with_tools(results)),
        ("count_tokens", generate(SAY)),
        ("embed", json!({"model": "gemini-embedding-001", "contents": ["a", "b"]})),
        ("interact", json!({"model": "gemini-3-flash", "input": SAY})),
        ("interact_stream", json!({"model": "gemini-3-flash", "input": SAY})),
        ("interact_stream", json!({"model": "gemini-3-flash", "input": CALLS, "tools": functions})),
        ("interact_stream", json!({"model": "gemini-3-flash", "input": THINK})),
        ("models", json!({})),
        ("vertex_generate", generate(SAY)),
        ("vertex_generate_stream", with_tools(json!(CALLS))),
        ("vertex_count_tokens", generate(SAY)),
        ("vertex_embed", json!({"model": "text-embedding-005", "contents": "a"})),
    ];
    let failing = [("generate", generate("status: 429")), ("generate_stream", generate("status: 403"))];
    let all: Vec<_> = calls.iter().chain(&failing).cloned().collect();
    let mut outcomes = run(Sdk::Google, providers::gemini(), "", &all).await;
    let failed = outcomes.split_off(calls.len());
    assert_eq!((failed[0].error.as_deref(), failed[0].status), (Some("ClientError"), Some(429)));
    assert_eq!(failed[1].status, Some(403), "{failed:?}");
    let ok = oks(&calls, outcomes);
    let usage = |told: &Value| {
        assert_eq!(told["prompt_token_count"], INPUT_TOKENS);
        assert_eq!(told["cached_content_token_count"], CACHED_TOKENS);
        assert_eq!(told["candidates_token_count"], VISIBLE_TOKENS);
        assert_eq!(told["thoughts_token_count"], REASONING_TOKENS);
        assert_eq!(told["total_token_count"], TOTAL_TOKENS);
    };
    assert_eq!(ok[0]["candidates"][0]["content"]["parts"][0]["text"], SAID);
    usage(&ok[0]["usage_metadata"]);
    streamed(&ok[1], SAID);
    usage(&ok[1]["usage"]);
    assert_eq!((calls_of(&ok[2]), &ok[2]["finish"]), (called(), &json!("STOP")));
    assert_eq!(ok[3]["thinking"], format!("Thinking about: {THINK}"));
    assert_eq!((&ok[4]["text"], &ok[4]["blocked"]), (&json!(""), &json!("SAFETY")));
    let answered = "You said: CALL find {}\nTool said: {\"result\":\"555-0100\"}";
    assert_eq!(ok[5]["candidates"][0]["content"]["parts"][0]["text"], answered);
    assert_eq!(ok[6]["total_tokens"], INPUT_TOKENS);
    assert_eq!(ok[7]["embeddings"][1]["values"], json!(EMBEDDING));
    assert_eq!(ok[8]["steps"][0]["content"][0]["text"], SAID);
    let usage_of = |told: &Value| {
        assert_eq!(told["total_input_tokens"], INPUT_TOKENS);
        assert_eq!(told["total_output_tokens"], VISIBLE_TOKENS);
        assert_eq!(told["total_tokens"], TOTAL_TOKENS);
    };
    usage_of(&ok[8]["usage"]);
    streamed(&ok[9], SAID);
    usage_of(&ok[9]["usage"]);
    assert_eq!((calls_of(&ok[10]), &ok[10]["finish"]), (called(), &json!("requires_action")));
    assert_eq!(ok[11]["thinking"], format!("Thinking about: {THINK}"));
    assert!(ok[12].as_array().unwrap().contains(&json!("models/gemini-3-flash")));
    assert_eq!(ok[13]["candidates"][0]["content"]["parts"][0]["text"], SAID);
    assert_eq!(calls_of(&ok[14]), called());
    assert_eq!(ok[15]["total_tokens"], INPUT_TOKENS);
    assert_eq!(ok[16]["embeddings"][0]["values"], json!(EMBEDDING));
}
