//! The upstreams of [`doorward_e2e::providers`] are what the official SDKs expect: every operation of every script of
//! `tests/sdk/`, straight to the upstream, streams included.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_e2e::client::{Answer, Request, Target, http1};
use doorward_e2e::providers::{
    self, CACHED_TOKENS, EMBEDDING, INPUT_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS, TOTAL_TOKENS, UNCACHED_TOKENS,
    VISIBLE_TOKENS, deltas, echo, openai,
};
use doorward_e2e::sdk::{Call, Outcome, Sdk};
use doorward_e2e::upstream::{Handler, Upstream};
use serde_json::{Value, json};

const SAY: &str = "write to jürgen@northwind.dev";
const SAID: &str = "You said: write to jürgen@northwind.dev";
const THINK: &str = "THINK of eve@northwind.dev";
const CALLS: &str = "CALL find {\"name\": \"Jürgen\", \"limit\": 3}\nCALL send {\"to\": \"eve@northwind.dev\"}";

/// What the calls of [`CALLS`] are once assembled.
fn called() -> Value {
    json!([{"name": "find", "arguments": {"name": "Jürgen", "limit": 3}},
        {"name": "send", "arguments": {"to": "eve@northwind.dev"}}])
}

/// The calls of a stream, their arguments parsed.
fn calls_of(streamed: &Value) -> Value {
    let call = |call: &Value| {
        let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
        json!({"name": call["name"], "arguments": arguments})
    };
    streamed["calls"].as_array().unwrap().iter().map(call).collect()
}

/// Runs operations through an SDK against its provider; every key is `caller-key`.
async fn run(sdk: Sdk, handler: Handler, path: &str, calls: &[(&str, Value)]) -> Vec<Outcome> {
    let upstream = Upstream::with(handler).await;
    let base = format!("http://{}{path}", upstream.address);
    let calls: Vec<(&str, Call)> =
        calls.iter().map(|(name, arguments)| ("caller-key", Call::of(name, arguments.clone()))).collect();
    let outcomes = sdk.calls(&base, &calls).await;
    assert!(upstream.seen().iter().all(|seen| seen.mentions("caller-key")), "{sdk:?} sends its key");
    outcomes
}

/// The results; panics at the first error.
fn oks(calls: &[(&str, Value)], outcomes: Vec<Outcome>) -> Vec<Value> {
    let ok = |(call, outcome): (&(&str, Value), Outcome)| match outcome.ok {
        Some(ok) => ok,
        None => panic!("{call:?}: {outcome:?}"),
    };
    calls.iter().zip(outcomes).map(ok).collect()
}

/// A stream that said `text` in deltas.
fn streamed(result: &Value, text: &str) {
    assert_eq!(result["text"], text, "{result:#}");
    assert!(result["events"].as_u64().unwrap() >= deltas(text).len() as u64, "{result:#}");
}

fn ask(text: &str) -> Value {
    json!([{"role": "user", "content": text}])
}

fn functions() -> Value {
    let function = |name: &str| {
        json!({"type": "function", "function": {"name": name, "description": name,
            "parameters": {"type": "object", "properties": {}}}})
    };
    json!([function("find"), function("send")])
}

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
    let (vertex, bedrock) = (("vertex_create", message(SAY)), ("bedrock_create", message(SAY)));
    let vertex = [vertex, ("vertex_stream", with_tools(CALLS))];
    let bedrock = [bedrock, ("bedrock_stream", with_tools(CALLS))];
    let all: Vec<_> = calls.iter().chain(&failing).cloned().collect();
    let upstream = Upstream::with(providers::bedrock()).await;
    let signed: Vec<_> = bedrock.iter().map(|(name, a)| ("caller-key", Call::of(name, a.clone()))).collect();
    let base = format!("http://{}", upstream.address);
    let (direct, vertexed, bedrocked) = tokio::join!(
        run(Sdk::Anthropic, providers::anthropic(), "", &all),
        run(Sdk::Anthropic, providers::gemini(), "", &vertex),
        Sdk::Anthropic.calls(&base, &signed)
    );
    let mut direct = direct;
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

#[tokio::test]
async fn mistral_completes() {
    let chat = |text: &str| json!({"model": "mistral-small-latest", "messages": ask(text)});
    let mut with_tools = chat(CALLS);
    with_tools["tools"] = functions();
    let agent = json!({"agent_id": "agent-1", "messages": ask(SAY)});
    let fim = json!({"model": "codestral-latest", "prompt": "fn a() {", "suffix": "}"});
    let calls = [
        ("create", chat(SAY)),
        ("chat_stream", chat(SAY)),
        ("chat_stream", with_tools),
        ("chat_stream", chat(THINK)),
        ("fim", fim.clone()),
        ("fim_stream", fim),
        ("agent", agent.clone()),
        ("agent_stream", agent),
        ("embeddings", json!({"model": "mistral-embed", "inputs": ["a", "b"]})),
        ("moderations", json!({"model": "mistral-moderation-latest", "inputs": ["a"]})),
    ];
    let all: Vec<_> = calls.iter().cloned().chain([("create", chat("status: 429"))]).collect();
    let mut outcomes = run(Sdk::Mistral, providers::mistral(), "", &all).await;
    assert_eq!(outcomes.pop().unwrap().status, Some(429));
    let ok = oks(&calls, outcomes);
    let usage = |told: &Value| {
        assert_eq!(told["prompt_tokens"], INPUT_TOKENS);
        assert_eq!(told["completion_tokens"], OUTPUT_TOKENS);
    };
    assert_eq!(ok[0]["choices"][0]["message"]["content"], SAID);
    usage(&ok[0]["usage"]);
    streamed(&ok[1], SAID);
    usage(&ok[1]["usage"]);
    assert_eq!((calls_of(&ok[2]), &ok[2]["finish"]), (called(), &json!("tool_calls")));
    assert_eq!(ok[3]["thinking"], format!("Thinking about: {THINK}"));
    assert_eq!(ok[4]["choices"][0]["message"]["content"], "You said: fn a() {}");
    streamed(&ok[5], "You said: fn a() {}");
    assert_eq!(ok[6]["choices"][0]["message"]["content"], SAID);
    streamed(&ok[7], SAID);
    assert_eq!(ok[8]["data"][1]["embedding"], json!(EMBEDDING));
    assert_eq!(ok[9]["results"].as_array().map(Vec::len), Some(1));

    let upstream = Upstream::with(providers::mistral()).await;
    let mut unknown = chat(SAY);
    unknown["stream_options"] = json!({"include_usage": true});
    let answer = post(&upstream, "/v1/chat/completions", &unknown).await;
    assert_eq!((answer.status, &answer.json()["detail"][0]["type"]), (422, &json!("extra_forbidden")));
}

#[tokio::test]
async fn ollama_streams_lines() {
    let chat = |text: &str| json!({"model": "llama3.2", "messages": ask(text)});
    let mut with_tools = chat(CALLS);
    with_tools["tools"] = functions();
    let calls = [
        ("chat", chat(SAY)),
        ("chat_stream", chat(SAY)),
        ("chat_stream", with_tools),
        ("chat_stream", chat(THINK)),
        ("generate", json!({"model": "llama3.2", "prompt": SAY})),
        ("generate_stream", json!({"model": "llama3.2", "prompt": SAY})),
        ("embed", json!({"model": "all-minilm", "input": ["a", "b"]})),
        ("embeddings", json!({"model": "all-minilm", "prompt": "a"})),
        ("show", json!({"model": "llama3.2"})),
        ("models", json!({})),
    ];
    let all: Vec<_> = calls.iter().cloned().chain([("chat", chat("status: 429"))]).collect();
    let mut outcomes = run(Sdk::Ollama, providers::ollama(), "", &all).await;
    assert_eq!(outcomes.pop().unwrap().status, Some(429));
    let ok = oks(&calls, outcomes);
    let usage = json!({"prompt_eval_count": INPUT_TOKENS, "eval_count": OUTPUT_TOKENS});
    assert_eq!((&ok[0]["message"]["content"], &ok[0]["eval_count"]), (&json!(SAID), &json!(OUTPUT_TOKENS)));
    streamed(&ok[1], SAID);
    assert_eq!(ok[1]["usage"], usage);
    assert_eq!(calls_of(&ok[2]), called());
    assert_eq!(ok[3]["thinking"], format!("Thinking about: {THINK}"));
    assert_eq!(ok[4]["response"], SAID);
    streamed(&ok[5], SAID);
    assert_eq!((&ok[5]["usage"], &ok[6]["embeddings"][1]), (&usage, &json!(EMBEDDING)));
    assert_eq!(ok[7]["embedding"], json!(EMBEDDING));
    assert_eq!(ok[8]["capabilities"], json!(["completion", "tools"]));
    assert_eq!(ok[9], json!(["llama3.2:latest"]));

    // Streaming is what happens when nobody says otherwise.
    let upstream = Upstream::with(providers::ollama()).await;
    let answer = post(&upstream, "/api/chat", &chat(SAY)).await;
    assert_eq!(answer.fields.get("content-type").as_deref(), Some("application/x-ndjson"));
    assert_eq!(answer.text().lines().count(), answer.pieces.len());
    assert_eq!(answer.pieces.len(), deltas(SAID).len() + 1);
}

#[tokio::test]
async fn cohere_chats() {
    let chat = |text: &str| json!({"model": "command-a-03-2025", "messages": ask(text)});
    let mut with_tools = chat(&format!("THINK\n{CALLS}"));
    with_tools["tools"] = functions();
    let documents = json!(["first", "second", "third"]);
    let calls = [
        ("chat", chat(SAY)),
        ("chat_stream", chat(SAY)),
        ("chat_stream", with_tools),
        ("chat_stream", chat(THINK)),
        (
            "embed",
            json!({"model": "embed-v4.0", "texts": ["a", "b"], "input_type": "search_query",
            "embedding_types": ["float"]}),
        ),
        ("rerank", json!({"model": "rerank-v3.5", "query": SAY, "documents": documents, "top_n": 2})),
    ];
    let all: Vec<_> = calls.iter().cloned().chain([("chat", chat("status: 429"))]).collect();
    let mut outcomes = run(Sdk::Cohere, providers::cohere(), "", &all).await;
    assert_eq!(outcomes.pop().unwrap().status, Some(429));
    let ok = oks(&calls, outcomes);
    let usage = |told: &Value| {
        let number = |value: &Value| value.as_f64().unwrap();
        assert_eq!(number(&told["tokens"]["input_tokens"]), INPUT_TOKENS as f64);
        assert_eq!(number(&told["tokens"]["output_tokens"]), OUTPUT_TOKENS as f64);
        assert_eq!(number(&told["billed_units"]["input_tokens"]), UNCACHED_TOKENS as f64);
    };
    assert_eq!(ok[0]["message"]["content"][0]["text"], SAID);
    usage(&ok[0]["usage"]);
    streamed(&ok[1], SAID);
    usage(&ok[1]["usage"]);
    assert_eq!((calls_of(&ok[2]), &ok[2]["finish"]), (called(), &json!("TOOL_CALL")));
    assert!(ok[2]["thinking"].as_str().unwrap().starts_with("Thinking about: THINK"));
    assert_eq!(ok[3]["thinking"], format!("Thinking about: {THINK}"));
    assert_eq!(ok[4]["embeddings"]["float"][1], json!(EMBEDDING));
    assert_eq!(ok[5]["results"].as_array().map(Vec::len), Some(2));
}

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

#[tokio::test]
async fn arrays_and_tokens_stream_as_they_do() {
    // Gemini without `alt=sse`: one array, whose pieces end anywhere.
    let upstream = Upstream::with(providers::gemini()).await;
    let request = json!({"contents": [{"role": "user", "parts": [{"text": SAY}]}]});
    let answer = post(&upstream, "/v1beta/models/gemini-3-flash:streamGenerateContent", &request).await;
    assert_eq!(answer.fields.get("content-type").as_deref(), Some("application/json; charset=UTF-8"));
    let chunks = answer.json();
    let text = |chunk: &Value| chunk["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(chunks.as_array().unwrap().iter().map(text).collect::<String>(), SAID);
    assert!(answer.pieces.len() > chunks.as_array().unwrap().len());

    let upstream = Upstream::with(providers::tgi()).await;
    let request = json!({"inputs": SAY, "parameters": {"max_new_tokens": 20, "details": true}});
    let whole = post(&upstream, "/generate", &request).await.json();
    assert_eq!(
        (&whole["generated_text"], &whole["details"]["generated_tokens"]),
        (&json!(SAID), &json!(OUTPUT_TOKENS))
    );
    let answer = post(&upstream, "/generate_stream", &request).await;
    let events = answer.text().split_terminator("\n\n").map(|event| event.strip_prefix("data:").unwrap());
    let events: Vec<Value> = events.map(|event| serde_json::from_str(event).unwrap()).collect();
    let tokens: String = events.iter().map(|event| event["token"]["text"].as_str().unwrap()).collect();
    assert_eq!((tokens.as_str(), &events[events.len() - 1]["generated_text"]), (SAID, &json!(SAID)));
    assert_eq!((events.len(), answer.pieces.len()), (deltas(SAID).len(), deltas(SAID).len()));

    // Servers of OpenAI's dialect that rerank.
    let upstream = Upstream::with(providers::openai()).await;
    let request = json!({"model": "m", "query": "q", "documents": ["a", "b"], "return_documents": true});
    for path in ["/v1/rerank", "/v2/rerank"] {
        let answer = post(&upstream, path, &request).await.json();
        assert_eq!(answer["results"][1]["document"]["text"], "b");
    }
}

async fn post(upstream: &Upstream, path: &str, body: &Value) -> Answer {
    let mut connection = http1::Connection::open(&Target::plain(upstream.address)).await.unwrap();
    connection.call(&Request::post(path, body)).await.unwrap()
}
