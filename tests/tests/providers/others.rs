//! Mistral, Ollama and Cohere through their SDKs; what no SDK here speaks, as bytes.

use doorward_e2e::model;
use doorward_e2e::providers::{self, EMBEDDING, INPUT_TOKENS, OUTPUT_TOKENS, UNCACHED_TOKENS, deltas};
use doorward_e2e::sdk::Sdk;
use doorward_e2e::upstream::Upstream;
use serde_json::{Value, json};

use super::{CALLS, SAID, SAY, THINK, ask, called, calls_of, functions, oks, post, run, streamed};

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

#[tokio::test]
async fn the_small_model_streams_too() {
    let upstream = Upstream::with(model::handler()).await;
    let request = json!({"model": "gpt-5", "max_tokens": 9, "messages": ask("reply: pong ping"), "stream": true,
        "stream_options": {"include_usage": true}});
    for (path, end) in [("/v1/chat/completions", "data: [DONE]"), ("/v1/messages", "event: message_stop")] {
        let answer = post(&upstream, path, &request).await;
        assert_eq!(answer.fields.get("content-type").as_deref(), Some("text/event-stream"));
        let text = answer.text();
        assert!(text.contains("\"pon\"") && text.contains("\"g pi\"") && text.contains(end), "{text}");
        // Its own count: a token for every four bytes begun.
        assert!(text.contains("tokens\":3"), "{text}");
    }
}
