//! The main job on a real Envoy: who, whether, what is in it, and what is on the record.

use doorward_e2e::client::Request;
use doorward_e2e::governed::{World, chat, code, post};
use doorward_e2e::sdk::{self, Call};
use serde_json::{Value, json};

#[tokio::test]
async fn an_allowed_call_reaches_the_model_and_the_record() {
    let world = World::new().await;
    let gate = world.gate().await;
    let body = chat("gpt-5-mini", "Say hello").to_string();
    let answer = gate.call(&post("/v1/chat/completions", &world.alice(), body.clone())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.upstream.request(0).await;
    assert_eq!(seen.text(), body);
    assert!(!seen.fields.has("authorization"), "the caller's credential went on");

    let line = gate.log_line(&answer).await;
    for (key, value) in [
        ("doorward.decision", "allow"),
        ("doorward.action", "pass"),
        ("doorward.user", "alice"),
        ("doorward.team", "search"),
        ("doorward.roles", "engineers"),
        ("doorward.auth", "jwt"),
        ("doorward.rules", "eng-gpt"),
        ("doorward.target", "model"),
        ("doorward.owner", "platform"),
        ("doorward.path", "/v1/chat/completions"),
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "gpt-5-mini"),
        ("gen_ai.response.model", "gpt-5-mini"),
        ("gen_ai.usage.input_tokens", "3"),
    ] {
        assert_eq!(line[key], json!(value), "{key} in {line:#}");
    }
    assert!(line["doorward.cost"].as_str().is_some_and(|c| c.ends_with(" USD")), "{line:#}");
    assert!(line["doorward.duration_us"].as_str().is_some_and(|d| d.parse::<u64>().is_ok_and(|d| d > 0)), "{line:#}");
    assert_eq!(line["doorward.reason"], Value::Null);

    let metrics = gate.envoy.prometheus().await;
    let counted = metrics.lines().any(|l| {
        l.starts_with("doorward_requests_total{")
            && ["decision=\"allow\"", "operation=\"chat\"", "target=\"model\"", "reason=\"none\""]
                .iter()
                .all(|t| l.contains(t))
    });
    assert!(counted, "{}", metrics.lines().filter(|l| l.contains("doorward")).collect::<Vec<_>>().join("\n"));
    assert!(metrics.lines().any(|l| l.starts_with("doorward_tokens_total{") && l.contains("model=\"gpt-5-mini\"")));
}

#[tokio::test]
async fn every_denial_is_said_in_the_callers_dialect() {
    let world = World::new().await;
    let gate = world.gate().await;
    let token = world.alice();
    let good = |model: &str| chat(model, "hi").to_string();
    let stranger = world.token("mallory", &["sales"]);
    // Another user under alice's signature.
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[1] = stranger.split('.').nth(1).unwrap().to_owned();
    let forged = parts.join(".");
    for (request, status, reason, kind) in [
        (post("/v1/chat/completions", &stranger, good("gpt-5")), 403, "access.denied", "permission_error"),
        (post("/v1/chat/completions", &token, good("o1")), 403, "model.not_allowed", "permission_error"),
        (post("/v1/chat/completions", &forged, good("gpt-5")), 401, "identity.signature", "authentication_error"),
        (
            post("/v1/chat/completions", &token, r#"{"model":"gpt-5","max_tokens":1e9,"messages":[]}"#),
            403,
            "parameter.not_allowed",
            "permission_error",
        ),
        (
            post("/v1/embeddings", &token, r#"{"model":"gpt-5","stream":true,"input":"x"}"#),
            400,
            "protocol.stream_unsupported",
            "invalid_request_error",
        ),
        (
            post("/v1/chat/completions", &token, chat("gpt-5", "key AKIAIQ7RX4PJH6ZN2WVB").to_string()),
            400,
            "content.denied",
            "invalid_request_error",
        ),
        (post("/v1/file", &token, "{}"), 403, "protocol.unknown_path", "permission_error"),
        (post("/v1/files", &token, "{}"), 403, "access.denied", "permission_error"),
        (Request::get("/v1/embeddings").bearer(&token), 405, "protocol.method", "invalid_request_error"),
        (
            Request::new("POST", "/v1/chat/completions").header("content-type", "application/json").body(good("gpt-5")),
            401,
            "identity.missing",
            "authentication_error",
        ),
    ] {
        let answer = gate.call(&request).await;
        assert_eq!((answer.status, code(&answer).as_str()), (status, reason), "{}", answer.text());
        assert_eq!(answer.json()["error"]["type"], kind);
        assert_eq!(answer.json()["error"]["code"], reason);
        let line = gate.log_line(&answer).await;
        assert_eq!(
            (&line["doorward.decision"], &line["doorward.action"]),
            (&json!("deny"), &json!("reply")),
            "{line:#}"
        );
        assert_eq!(line["doorward.reason"], reason);
        assert_eq!(line["details"], format!("doorward.{reason}"));
    }
    assert_eq!(world.upstream.count(), 0, "a refused request reached the upstream");
}

#[tokio::test]
async fn both_sdks_raise_their_own_errors_and_get_their_answers() {
    let world =
        World::new().await.with("limits", json!([{"id": "few", "requests": 3, "window": "1h", "roles": "few"}]));
    let world = World {
        policy: {
            let mut p = world.policy.clone();
            p["roles"]["few"] = json!({"users": "few"});
            p
        },
        ..world
    };
    let gate = world.gate().await;
    let (alice, few) = (world.alice(), world.token("few", &["eng"]));
    let ask = |model: &str, text: &str| {
        Call::Create(json!({"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": text}]}))
    };
    let calls = |good: &str| {
        vec![
            (alice.clone(), ask(good, "reply: pong")),
            (alice.clone(), Call::Models),
            ("no-token".to_owned(), ask(good, "x")),
            (alice.clone(), ask("o1", "x")),
            (alice.clone(), ask(good, "key AKIAIQ7RX4PJH6ZN2WVB")),
            (few.clone(), ask(good, "1")),
            (few.clone(), ask(good, "2")),
            (few.clone(), ask(good, "3")),
            (few.clone(), ask(good, "4")),
        ]
    };
    let expected = ["AuthenticationError", "PermissionDeniedError", "BadRequestError"];
    for anthropic in [false, true] {
        let calls = calls(if anthropic { "claude-haiku-4-5" } else { "gpt-5" });
        let calls: Vec<(&str, Call)> = calls.iter().map(|(k, c)| (k.as_str(), c.clone())).collect();
        let outcomes = if anthropic {
            sdk::anthropic_all(&gate.url(""), &calls).await
        } else {
            sdk::openai_all(&gate.url("/v1"), &calls).await
        };
        assert!(outcomes[0].ok.as_ref().is_some_and(|o| o.to_string().contains("pong")), "{:?}", outcomes[0]);
        let models = outcomes[1].ok.clone().unwrap();
        let list = if anthropic { json!(["claude-haiku-4-5"]) } else { json!(["gpt-5-mini", "gpt-5"]) };
        assert!(list.as_array().unwrap().iter().all(|m| models.as_array().unwrap().contains(m)), "{models}");
        assert!(!models.to_string().contains("opus"), "{models}");
        for (outcome, class) in outcomes[2..5].iter().zip(expected) {
            assert_eq!(outcome.error.as_deref(), Some(class), "{outcome:?}");
        }
        let limited: Vec<_> = outcomes[5..].iter().filter_map(|o| o.error.as_deref()).collect();
        assert!(limited.iter().all(|class| *class == "RateLimitError"), "{limited:?}");
        assert_eq!(limited.len(), if anthropic { 4 } else { 1 });
    }
}

#[tokio::test]
async fn values_are_masked_both_ways_and_nothing_else_changes() {
    for flow in [false, true] {
        let world = World::new().await;
        let world = if flow { world.flow() } else { world };
        let gate = world.gate().await;
        let mut connection = gate.connect().await;
        let body = "{ \"model\":\"fast\", \"messages\":[ {\"role\":\"user\",\"content\":\
                    \"mail bob\\u0040corp.test and card 5425233430109903\\nreply: ask eve@northwind.dev\"} ], \"n\": 1.0 }";
        let answer = connection.call(&post("/v1/chat/completions", &world.alice(), body)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = world.upstream.request(0).await;
        let expected = body
            .replace("\"fast\"", "\"gpt-5-mini\"")
            .replace("bob\\u0040corp.test", "[EMAIL_ADDRESS]")
            .replace("5425233430109903", "[CREDIT_CARD]")
            .replace("eve@northwind.dev", "[EMAIL_ADDRESS]");
        assert_eq!(seen.text(), expected, "flow {flow}");
        // The length is told truly, and the next request on the connection is whole.
        let next =
            connection.call(&post("/v1/chat/completions", &world.alice(), chat("gpt-5", "next").to_string())).await;
        assert_eq!(next.unwrap().status, 200);
        assert_eq!(world.upstream.request(1).await.text(), chat("gpt-5", "next").to_string());
    }
}

#[tokio::test]
async fn answers_are_masked_and_refused() {
    for flow in [false, true] {
        let world = World::new().await;
        let world = if flow { world.flow() } else { world };
        let world = world.with(
            "content",
            json!([
                {"id": "mask", "detect": "EMAIL_ADDRESS", "direction": "response", "action": "mask"},
                {"id": "deny", "detect": "secrets", "direction": "response", "action": "deny"},
            ]),
        );
        let gate = world.gate().await;
        let ask = |text: &str| post("/v1/chat/completions", &world.alice(), chat("gpt-5", text).to_string());
        let masked = gate.call(&ask("reply: write to eve@northwind.dev")).await;
        assert_eq!(masked.json()["choices"][0]["message"]["content"], "write to [EMAIL_ADDRESS]");
        assert!(world.upstream.request(0).await.text().contains("eve@northwind.dev"));
        let line = gate.log_line(&masked).await;
        assert_eq!(line["doorward.findings"], "out:EMAIL_ADDRESS/mask=1");

        let refused = gate.call(&ask("reply: the key is AKIAIQ7RX4PJH6ZN2WVB")).await;
        assert_eq!(refused.status, if flow { 200 } else { 400 });
        assert_eq!(refused.json()["error"]["code"], "answer.denied");
        assert!(!refused.text().contains("AKIA"));
        let line = gate.log_line(&refused).await;
        assert_eq!((&line["doorward.reason"], &line["doorward.action"]), (&json!("answer.denied"), &json!("replace")));
    }
}
