//! What a policy decides beside texts: state at the provider, content that cannot be read, bulk surfaces, aliases in paths, and
//! requests that their callers signed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use serde_json::{Value, json};
use support::streams::{pieces, read, words};
use support::{Answer, Fixture, Played, engine, play, play_with, policy};

fn allow(more: &Value) -> Value {
    let mut statement = json!({"id": "all", "effect": "allow"});
    for (name, value) in more.as_object().unwrap() {
        statement[name] = value.clone();
    }
    json!({"access": [statement]})
}

fn post(provider: &str, more: &Value, path: &str, body: &Value) -> Played {
    play(&engine(&policy(provider, more)), "POST", path, body.to_string(), None)
}

#[test]
fn state_at_the_provider_is_a_knob_of_its_own() {
    let chat = |more: Value| {
        let mut body = json!({"model": "m-1", "messages": []});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let response = |more: Value| {
        let mut body = json!({"model": "m-1", "input": "x"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (path, body) in [
        ("/v1/chat/completions", chat(json!({"store": true}))),
        ("/v1/responses", response(json!({"previous_response_id": "r"}))),
        ("/v1/responses", response(json!({"conversation": "c", "store": false}))),
        ("/v1/responses", response(json!({"background": true, "store": false}))),
        ("/v1/responses", response(json!({"store": true}))),
        ("/v1/responses", response(json!({"store": "yes"}))),
        ("/v1beta/models/m-1:generateContent", json!({"contents": [], "cachedContent": "c"})),
        ("/v1beta/interactions", json!({"model": "m-1", "input": "x", "previous_interaction_id": "i"})),
    ] {
        let refused = post("openai", &allow(&json!({})), path, &body);
        assert_eq!(refused.reason(), "state.not_allowed", "{path} {body}");
        let passed = post("openai", &allow(&json!({"stateful": true})), path, &body);
        assert_eq!(passed.upstream.as_deref(), Some(body.to_string().as_bytes()), "{path} {body}");
        let denied = json!({"access": [{"id": "all", "effect": "allow", "stateful": true},
            {"id": "no-state", "effect": "deny", "stateful": true}]});
        let denied = post("openai", &denied, path, &body);
        assert_eq!(
            (denied.reason(), denied.record["doorward.rules"].as_str()),
            ("access.denied", "no-state"),
            "{path}"
        );
    }
    // Who says nothing is not kept, unless they may be.
    for (body, expected) in [
        (response(json!({})), response(json!({"store": false}))),
        (response(json!({"store": null})), response(json!({"store": false}))),
        (response(json!({"store": false})), response(json!({"store": false}))),
    ] {
        let sent = post("openai", &allow(&json!({})), "/v1/responses", &body);
        assert_eq!(serde_json::from_str::<Value>(sent.upstream_text()).unwrap(), expected);
        let kept = post("openai", &allow(&json!({"stateful": true})), "/v1/responses", &body);
        assert_eq!(kept.upstream_text(), body.to_string());
    }
    // A deny of state means nobody who has none.
    let deny = json!({"access": [{"id": "all", "effect": "allow"}, {"id": "no", "effect": "deny", "stateful": true}]});
    assert!(post("openai", &deny, "/v1/chat/completions", &chat(json!({}))).upstream.is_some());
}

#[test]
fn what_cannot_be_read_must_be_allowed() {
    let pixels = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let message = |part: Value| json!({"model": "m-1", "messages": [{"role": "user", "content": [part]}]});
    let image = message(json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{pixels}")}}));
    let remote = message(json!({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}));
    let tokens = json!({"model": "m-1", "input": [[1, 2, 3]]});
    let ids = json!({"model": "m-1", "prompt": "x", "prompt_token_ids": [1, 2]});
    let computed = json!({"model": "m-1", "prompt": "x", "prompt_embeds": "AAECAwQF"});
    for (path, body, kind) in [
        ("/v1/chat/completions", &image, "image"),
        ("/v1/chat/completions", &remote, "reference"),
        ("/v1/embeddings", &tokens, "tokens"),
        ("/v1/completions", &ids, "tokens"),
        ("/v1/completions", &computed, "tokens"),
    ] {
        let refused = post("openai", &allow(&json!({})), path, body);
        assert_eq!(refused.reason(), "media.not_allowed", "{kind}");
        assert!(String::from_utf8(refused.reply.unwrap().body).unwrap().contains(&format!("`{kind}`")));
        let passed = post("openai", &allow(&json!({"media": kind})), path, body);
        assert_eq!(passed.upstream_text(), body.to_string(), "{kind}");
        let denied = json!({"access": [{"id": "all", "effect": "allow", "media": ["image", "reference", "tokens"]},
            {"id": "no", "effect": "deny", "media": kind}]});
        assert_eq!(post("openai", &denied, path, body).reason(), "access.denied", "{kind}");
        assert!(post("openai", &denied, "/v1/embeddings", &json!({"model": "m-1", "input": "x"})).upstream.is_some());
    }
}

#[test]
fn a_cap_holds_in_what_a_server_hands_on_to_its_model() {
    let more = allow(&json!({"models": "m-1", "parameters": {"max_tokens": {"max": 100}, "temperature": {"max": 1}}}));
    let body = |fields: Value| json!({"messages": [], "additionalModelRequestFields": fields});
    for (fields, fits) in [
        (json!({"max_tokens": 100}), true),
        (json!({"max_tokens": 101}), false),
        (json!({"inferenceConfig": {"maxTokens": 101}}), false),
        (json!({"temperature": 1.5}), false),
        (json!({"thinking": {"type": "enabled"}}), true),
    ] {
        let played = post("aws.bedrock", &more, "/model/m-1/converse", &body(fields.clone()));
        assert_eq!(played.upstream.is_some(), fits, "{fields}");
    }
}

#[test]
fn bulk_surfaces_must_be_named() {
    let run = |access: &Value, method: &str, path: &str, kind: &str, body: &str| {
        let engine = engine(&policy("openai", &json!({"access": access})));
        play_with(&engine, method, path, &[("content-type", kind)], body, None)
    };
    let all = json!([{"id": "all", "effect": "allow"}]);
    for (method, path, operation) in [
        ("GET", "/v1/files", "files"),
        ("DELETE", "/v1/files/f-1", "files"),
        ("POST", "/v1/batches", "batches"),
        ("POST", "/v1/fine_tuning/jobs", "fine_tuning"),
        ("GET", "/v1/threads/t/runs/r", "assistants"),
        ("POST", "/v1/vector_stores/v/search", "vector_stores"),
        ("GET", "/v1/responses/r", "stored"),
        ("POST", "/api/pull", "admin"),
        ("POST", "/v1/audio/transcriptions", "media"),
    ] {
        let body = if method == "GET" { "" } else { "{}" };
        let refused = run(&all, method, path, "application/json", body);
        assert_eq!(refused.reason(), "access.denied", "{path}");
        assert!(String::from_utf8(refused.reply.unwrap().body).unwrap().contains(&format!("`{operation}`")), "{path}");
        let named = json!([{"id": "named", "effect": "allow", "operations": operation}]);
        assert!(run(&named, method, path, "application/json", body).upstream.is_some(), "{path}");
    }
    // A body that is no JSON is a file, and passes as it comes.
    let form = "multipart/form-data; boundary=x";
    assert!(policy_refused(&json!({"access": [{"id": "a", "effect": "allow", "media": []}]})));
    let without = json!([{"id": "named", "effect": "allow", "operations": "files"}]);
    assert_eq!(run(&without, "POST", "/v1/files", form, "--x").reason(), "media.not_allowed");
    let with = json!([{"id": "named", "effect": "allow", "operations": "files", "media": "file"}]);
    assert_eq!(run(&with, "POST", "/v1/files", form, "--x").upstream.as_deref(), Some(&b"--x"[..]));
}

#[test]
fn results_of_batches_are_read_line_by_line() {
    let more = json!({"access": [{"id": "b", "effect": "allow", "operations": "batches"}],
        "content": [{"id": "mask", "detect": "EMAIL_ADDRESS", "action": "mask"}]});
    let line =
        |text: &str| json!({"custom_id": "1", "result": {"message": {"content": [{"type": "text", "text": text}]}}});
    let body = format!("{}\n{}\n", line("jane@northwind.dev"), line("plain"));
    let chunks = body.as_bytes().chunks(30).map(<[u8]>::to_vec).collect();
    let answer = Answer { content_type: "application/x-jsonl", chunks, cut: false };
    let played = play(&engine(&policy("anthropic", &more)), "GET", "/v1/messages/batches/b/results", "", Some(&answer));
    assert_eq!(played.client_text(), body.replace("jane@northwind.dev", "[EMAIL_ADDRESS]"));
    assert_eq!(played.usage(), (None, None));
}

fn policy_refused(more: &Value) -> bool {
    let tree = doorward_core::config::tree_from_json(&policy("openai", more).to_string()).unwrap();
    doorward_core::engine::Engine::compile(&tree, &|_| Some("0123456789abcdef0123456789abcdef".into())).is_err()
}

#[test]
fn an_alias_in_a_path_is_replaced_there() {
    let more = json!({"models": [{"name": "m-1", "aliases": ["fast"]}]});
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "x"}]}]});
    let played = post("gcp.gemini", &more, "/v1beta/models/fast:generateContent?alt=sse", &body);
    assert_eq!(played.path, "/v1beta/models/m-1:generateContent?alt=sse");
    assert_eq!(played.upstream_text(), body.to_string());
    let both = json!({"model": "models/fast", "content": {"parts": []}});
    let played = post("gcp.gemini", &more, "/v1beta/models/fast:embedContent", &both);
    assert_eq!(played.path, "/v1beta/models/m-1:embedContent");
    for other in ["other", "models/other", "modelsfast"] {
        let body = json!({"model": other, "content": {"parts": []}});
        let refused = post("gcp.gemini", &more, "/v1beta/models/fast:embedContent", &body);
        assert_eq!(refused.reason(), "protocol.model", "{other}");
    }
}

#[test]
fn a_signed_request_passes_unchanged_or_not_at_all() {
    let signature = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00";
    let fields = [("content-type", "application/json"), ("authorization", signature)];
    let body = |text: &str| json!({"messages": [{"role": "user", "content": [{"text": text}]}]}).to_string();
    let targets = |signed: bool| json!([{"name": "t", "cluster": "c", "provider": "aws.bedrock", "signed": signed}]);
    let mask = json!([{"id": "mask", "detect": "EMAIL_ADDRESS", "action": "mask"}]);
    let run = |signed: bool, path: &str, text: &str| {
        let more =
            json!({"targets": targets(signed), "content": mask, "models": [{"name": "m-1", "aliases": ["fast"]}]});
        play_with(&engine(&policy("aws.bedrock", &more)), "POST", path, &fields, body(text), None)
    };
    let passed = run(true, "/model/m-1/converse", "hi");
    assert_eq!(passed.upstream_text(), body("hi"));
    assert!(!passed.removed.contains(&"authorization".to_owned()));
    assert_eq!(run(true, "/model/m-1/converse", "jane@northwind.dev").reason(), "content.denied");
    assert_eq!(run(true, "/model/fast/converse", "hi").reason(), "content.denied");
    let refused = run(false, "/model/m-1/converse", "hi");
    assert_eq!(refused.reason(), "identity.malformed");
    assert!(refused.removed.contains(&"authorization".to_owned()));
}

/// Text flows while a tool call is assembled; calls that run side by side keep apart; arguments come back only into tools that may.
#[test]
fn tool_calls_are_assembled_while_text_flows() {
    let fixture = Fixture::all().into_iter().find(|f| f.name == "openai.chat").unwrap();
    let more = json!({"content": [{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize"},
            {"id": "card", "detect": "CREDIT_CARD", "action": "mask"}],
        "tools": [{"name": "send*", "restore": true}]});
    let engine = engine(&policy("openai", &more));
    let ask = fixture.stream_request("write to jane@northwind.dev");
    let sent = play(&engine, "POST", "/v1/chat/completions", &ask, None);
    let start = sent.upstream_text().find("[EMAIL_ADDRESS_").unwrap();
    let placeholder = &sent.upstream_text()[start..start + 28];
    let arguments =
        format!("{{\"to\":\"{placeholder}\",\"card\":\"4556 7375 8689 9855\",\"at\":\"\\u0034556737586899855\"}}");
    let delta = |delta: Value| {
        let chunk =
            json!({"id": "c", "model": "m-1", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
        format!("data: {chunk}\n\n").into_bytes()
    };
    let call = |index: u32, function: Value| delta(json!({"tool_calls": [{"index": index, "function": function}]}));
    let mut chunks = vec![
        delta(json!({"role": "assistant", "content": "Let me "})),
        delta(
            json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "send_mail", "arguments": ""}}]}),
        ),
        delta(
            json!({"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "find", "arguments": ""}}]}),
        ),
    ];
    for piece in pieces(&arguments, 5) {
        chunks.push(call(0, json!({"arguments": piece})));
        chunks.push(call(1, json!({"arguments": piece})));
        chunks.push(delta(json!({"content": "see. "})));
    }
    chunks.push(
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
            .to_vec(),
    );
    let count = pieces(&arguments, 5).len();
    let answer = Answer { content_type: "text/event-stream", chunks, cut: false };
    let played = play(&engine, "POST", "/v1/chat/completions", &ask, Some(&answer));
    // Each piece of text left with the event that brought it.
    for event in played.client.iter().skip(5).step_by(3).take(count) {
        assert!(String::from_utf8_lossy(event).contains("see. "), "{}", String::from_utf8_lossy(event));
    }
    let messages = read(support::streams::framing(&fixture), &played.client_bytes());
    assert_eq!(words(&fixture, &messages), format!("Let me {}", "see. ".repeat(count)));
    let mut calls = [(String::new(), String::new()), (String::new(), String::new())];
    for (_, payload) in &messages {
        let Ok(payload) = serde_json::from_str::<Value>(payload) else { continue };
        for call in payload["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let (name, arguments) = &mut calls[call["index"].as_u64().unwrap() as usize];
            name.push_str(call["function"]["name"].as_str().unwrap_or_default());
            arguments.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
        }
    }
    assert_eq!((calls[0].0.as_str(), calls[1].0.as_str()), ("send_mail", "find"));
    let parsed: Vec<Value> = calls.iter().map(|(_, arguments)| serde_json::from_str(arguments).unwrap()).collect();
    assert_eq!(parsed[0], json!({"to": "jane@northwind.dev", "card": "[CREDIT_CARD]", "at": "[CREDIT_CARD]"}));
    assert_eq!(parsed[1], json!({"to": placeholder, "card": "[CREDIT_CARD]", "at": "[CREDIT_CARD]"}));
}

#[test]
fn a_batch_is_read_where_its_provider_reads_it() {
    let more = allow(&json!({"operations": ["batches"], "models": ["m-1"]}));
    let item = json!({"custom_id": "a", "params": {"model": "m-2", "max_tokens": 1, "messages": []}});
    for body in [
        json!({"REQUESTS": [item]}),
        json!({"requests": {"0": item}}),
        json!({"requests": [{"custom_id": "a", "request": {"model": "m-1"}, "params": item["params"]}]}),
    ] {
        let played = post("anthropic", &more, "/v1/messages/batches", &body);
        assert_ne!(played.reason(), "", "{body}");
    }
}

#[test]
fn a_stream_of_another_model_is_refused_where_the_policy_says_so() {
    let mut more = allow(&json!({"models": ["m-1"]}));
    more["answers"] = json!({"model_mismatch": "deny"});
    let ask = json!({"model": "m-1", "messages": [], "stream": true}).to_string();
    for (model, refused) in [("m-1", false), ("other", true)] {
        let event = json!({"model": model, "choices": [{"index": 0, "delta": {"content": "hello"}}]});
        let chunks = vec![format!("data: {event}\n\ndata: [DONE]\n\n").into_bytes()];
        let answer = Answer { content_type: "text/event-stream", chunks, cut: false };
        let played = play(&engine(&policy("openai", &more)), "POST", "/v1/chat/completions", &ask, Some(&answer));
        assert_eq!(played.reason() == "model.mismatch", refused, "{model}: {}", played.reason());
        assert_eq!(played.client_text().contains("hello"), !refused, "{model}");
    }
}
