//! OpenAI and Azure through the OpenAI SDK.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_e2e::providers::{
    self, CACHED_TOKENS, EMBEDDING, INPUT_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS, TOTAL_TOKENS, echo, openai,
};
use doorward_e2e::sdk::Sdk;
use serde_json::{Value, json};

use super::{CALLS, SAID, SAY, THINK, ask, called, calls_of, functions, oks, run, streamed};

#[tokio::test]
async fn openai_chats() {
    let chat = |text: &str| json!({"model": "gpt-5-mini", "messages": ask(text)});
    let with = |text: &str, key: &str, value: Value| {
        let mut chat = chat(text);
        chat[key] = value;
        chat
    };
    let results = json!([{"role": "user", "content": "CALL find {}"},
        {"role": "assistant", "content": null,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "555-0100"}]);
    let calls = [
        ("create", chat(SAY)),
        ("chat_stream", chat(SAY)),
        ("chat_stream", with(SAY, "stream_options", json!({"include_usage": true}))),
        ("chat_stream", with(SAY, "n", json!(2))),
        ("chat_stream", with(CALLS, "tools", functions())),
        ("create", with(CALLS, "tools", functions())),
        ("create", json!({"model": "gpt-5-mini", "messages": results, "tools": functions()})),
        ("chat_stream", chat(THINK)),
        ("chat_stream", chat("REFUSE this")),
        ("create", with(SAY, "max_completion_tokens", json!(1))),
        ("embeddings", json!({"model": "text-embedding-3-small", "input": ["a", "b"]})),
        ("embeddings", json!({"model": "text-embedding-3-small", "input": "a", "encoding_format": "float"})),
        ("moderations", json!({"model": "omni-moderation-latest", "input": ["fine", "REFUSE"]})),
        ("images", json!({"model": "gpt-image-1", "prompt": SAY})),
        ("speech", json!({"model": "tts-1", "voice": "alloy", "input": SAY})),
        ("completions", json!({"model": "gpt-3.5-turbo-instruct", "prompt": SAY})),
        (
            "completions_stream",
            json!({"model": "gpt-3.5-turbo-instruct", "prompt": [SAY, "b"],
            "stream_options": {"include_usage": true}}),
        ),
        ("models", json!({})),
    ];
    let ok = oks(&calls, run(Sdk::OpenAi, providers::openai(), "/v1", &calls).await);
    let usage = |usage: &Value| {
        assert_eq!(usage["prompt_tokens"], INPUT_TOKENS);
        assert_eq!(usage["completion_tokens"], OUTPUT_TOKENS);
        assert_eq!(usage["total_tokens"], TOTAL_TOKENS);
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], CACHED_TOKENS);
        assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], REASONING_TOKENS);
    };
    assert_eq!(ok[0]["choices"][0]["message"]["content"], SAID);
    usage(&ok[0]["usage"]);
    streamed(&ok[1], SAID);
    assert_eq!((&ok[1]["usage"], &ok[1]["finish"]), (&Value::Null, &json!("stop")));
    streamed(&ok[2], SAID);
    usage(&ok[2]["usage"]);
    assert_eq!(ok[3]["texts"], json!([SAID, format!("(1) {SAID}")]));
    assert_eq!((calls_of(&ok[4]), &ok[4]["finish"], &ok[4]["text"]), (called(), &json!("tool_calls"), &json!("")));
    let message = &ok[5]["choices"][0]["message"];
    assert_eq!((&message["content"], &message["tool_calls"][1]["function"]["name"]), (&Value::Null, &json!("send")));
    assert_eq!(ok[6]["choices"][0]["message"]["content"], "You said: CALL find {}\nTool said: 555-0100");
    assert_eq!(ok[7]["thinking"], format!("Thinking about: {THINK}"));
    assert_eq!((&ok[8]["refusal"], &ok[8]["text"]), (&json!(echo::REFUSAL), &json!("")));
    assert_eq!(ok[9]["choices"][0]["finish_reason"], "length");
    assert_eq!(ok[10]["data"][1]["embedding"], json!(EMBEDDING));
    assert_eq!((&ok[11]["data"][0], &ok[11]["usage"]["prompt_tokens"]), (&ok[10]["data"][0], &json!(INPUT_TOKENS)));
    assert_eq!((&ok[12]["results"][0]["flagged"], &ok[12]["results"][1]["flagged"]), (&json!(false), &json!(true)));
    assert_eq!(ok[13]["data"][0]["b64_json"], STANDARD.encode(openai::IMAGE));
    assert_eq!(ok[14], STANDARD.encode(openai::SPEECH));
    assert_eq!(ok[15]["choices"][0]["text"], SAID);
    assert_eq!(ok[16]["texts"], json!([SAID, "You said: b"]));
    usage(&ok[16]["usage"]);
    assert!(ok[17].as_array().unwrap().contains(&json!("gpt-5-mini")));
}

#[tokio::test]
async fn openai_responds_and_azure_filters() {
    let response = |text: &str| json!({"model": "gpt-5-mini", "input": text});
    let tools = json!([{"type": "function", "name": "find", "parameters": {}, "strict": false}]);
    let results = json!([{"role": "user", "content": [{"type": "input_text", "text": "CALL find {}"}]},
        {"type": "function_call", "call_id": "call_1", "name": "find", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "555-0100"}]);
    let calls = [
        ("responses", response(SAY)),
        ("responses_stream", response(SAY)),
        ("responses_stream", json!({"model": "gpt-5-mini", "input": CALLS, "tools": tools})),
        ("responses_stream", response(THINK)),
        ("responses_stream", response("REFUSE this")),
        ("responses_stream", json!({"model": "gpt-5-mini", "input": SAY, "max_output_tokens": 1})),
        ("responses", json!({"model": "gpt-5-mini", "input": results, "tools": tools})),
    ];
    let azure = [
        ("azure_create", json!({"model": "my-gpt", "messages": ask(SAY)})),
        ("azure_chat_stream", json!({"model": "my-gpt", "messages": ask(SAY)})),
        ("azure_chat_stream", json!({"model": "my-gpt", "messages": ask(CALLS), "tools": functions()})),
        ("azure_embeddings", json!({"model": "my-embedding", "input": "a"})),
    ];
    let (openai, azured) = tokio::join!(
        run(Sdk::OpenAi, providers::openai(), "/v1", &calls),
        run(Sdk::OpenAi, providers::azure(), "", &azure)
    );
    let ok = oks(&calls, openai);
    let usage = json!({"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS, "total_tokens": TOTAL_TOKENS,
        "cached": CACHED_TOKENS, "reasoning": REASONING_TOKENS});
    let usage_of = |told: &Value| {
        json!({"input_tokens": told["input_tokens"], "output_tokens": told["output_tokens"],
            "total_tokens": told["total_tokens"], "cached": told["input_tokens_details"]["cached_tokens"],
            "reasoning": told["output_tokens_details"]["reasoning_tokens"]})
    };
    assert_eq!(ok[0]["output"][0]["content"][0]["text"], SAID);
    assert_eq!(usage_of(&ok[0]["usage"]), usage);
    streamed(&ok[1], SAID);
    assert_eq!((usage_of(&ok[1]["usage"]), &ok[1]["copies"]), (usage, &json!([SAID, SAID, SAID, SAID])));
    assert_eq!((calls_of(&ok[2]), &ok[2]["copies"]), (called(), &json!([])));
    assert_eq!(ok[3]["thinking"], format!("Thinking about: {THINK}"));
    assert_eq!(ok[4]["refusal"], echo::REFUSAL);
    assert_eq!((&ok[5]["finish"], &ok[5]["text"]), (&json!("incomplete"), &json!("You")));
    assert_eq!(ok[6]["output"][0]["content"][0]["text"], "You said: CALL find {}\nTool said: 555-0100");

    let ok = oks(&azure, azured);
    assert_eq!((&ok[0]["choices"][0]["message"]["content"], &ok[0]["model"]), (&json!(SAID), &json!("my-gpt")));
    assert_eq!(ok[0]["prompt_filter_results"][0]["content_filter_results"]["hate"]["severity"], "safe");
    streamed(&ok[1], SAID);
    assert_eq!(calls_of(&ok[2]), called());
    assert_eq!(ok[3]["data"][0]["embedding"], json!(EMBEDDING));
}
