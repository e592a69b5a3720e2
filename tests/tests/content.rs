//! What texts carry, on the real Envoy: every action, by direction and channel, with the policy's own detectors.

use doorward_e2e::envoy::Rejected;
use doorward_e2e::governed::{World, chat, code, post};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const HASH_KEY: &str = "0123456789abcdef0123456789abcdef";

fn ask(world: &World, body: &Value) -> doorward_e2e::client::Request {
    post(CHAT, &world.alice(), body.to_string())
}

#[tokio::test]
async fn hashed_values_can_be_compared_and_not_read() {
    let world = World::new()
        .await
        .with("content", json!([{"id": "hash", "detect": "EMAIL_ADDRESS", "action": "hash", "direction": "request"}]))
        .with("redaction", json!({"hash_key": {"env": "HASH_KEY"}}));
    let mut spec = world.spec();
    // Without the key the policy is refused, and says what to do.
    let Err(Rejected { log, .. }) = world.open(spec.clone()).await else { panic!("taken without a key") };
    assert!(log.contains("`HASH_KEY` is not set") && log.contains("vm_config.environment_variables"), "{log}");
    spec.wasm = spec.wasm.map(|wasm| wasm.env("HASH_KEY", HASH_KEY));
    let gate = world.open(spec).await.unwrap();
    for (n, text) in ["bob@northwind.dev", "eve@northwind.dev and bob@northwind.dev"].into_iter().enumerate() {
        assert_eq!(gate.call(&ask(&world, &chat("gpt-5", text))).await.status, 200);
        assert!(!world.upstream.request(n).await.mentions("northwind"));
    }
    let sent = async |n| {
        let body = world.upstream.request(n).await.json();
        body["messages"][0]["content"].as_str().unwrap().to_owned()
    };
    let (bob, both) = (sent(0).await, sent(1).await);
    assert!(bob.starts_with("[EMAIL_ADDRESS:") && bob.ends_with(']'), "{bob}");
    let (eve, bob_again) = both.split_once(" and ").unwrap();
    assert_eq!(bob_again, bob);
    assert_ne!(eve, bob);
}

#[tokio::test]
async fn a_policys_own_detectors_work_beside_the_built_in_ones() {
    let world = World::new()
        .await
        .with(
            "detectors",
            json!({
                "patterns": [
                    {"name": "EMPLOYEE_ID", "pattern": "EMP-\\d{6}", "group": "pii"},
                    {"name": "LOYALTY_CARD", "pattern": "\\b\\d{10}\\b", "check": "luhn", "context": ["loyalty", "bonus"]},
                ],
                "dictionaries": [{"name": "PROJECT", "words": ["blue bird", "Zürich-9"], "group": "business"}],
                "allow": [{"type": "EMAIL_ADDRESS", "values": "*@public.dev"}],
            }),
        )
        .with(
            "content",
            json!([
                {"id": "own", "detect": ["EMPLOYEE_ID", "LOYALTY_CARD", "EMAIL_ADDRESS"], "action": "mask"},
                {"id": "projects", "detect": "business", "action": "deny"},
            ]),
        );
    let gate = world.gate().await;
    let masked = gate
        .call(&ask(
            &world,
            &chat("gpt-5", "EMP-123456, loyalty 4242424242, other 4242424242424, a@public.dev, b@private.dev"),
        ))
        .await;
    assert_eq!(masked.status, 200, "{}", masked.text());
    assert_eq!(
        world.upstream.request(0).await.json()["messages"][0]["content"],
        "[EMPLOYEE_ID], loyalty [LOYALTY_CARD], other 4242424242424, a@public.dev, [EMAIL_ADDRESS]"
    );
    for text in ["on Blue  Bird we", "in zürich-9", "Bl\\u0075e bird"] {
        let body = chat("gpt-5", "TEXT").to_string().replace("TEXT", text);
        let refused = gate.call(&post(CHAT, &world.alice(), body)).await;
        assert_eq!((refused.status, code(&refused).as_str()), (400, "content.denied"), "{text}");
        assert_eq!(gate.log_line(&refused).await["doorward.rules"], "projects");
    }
    assert_eq!(world.upstream.count(), 1);
}

#[tokio::test]
async fn every_string_number_and_key_is_read_whatever_field_it_stands_in() {
    let world = World::new().await;
    let gate = world.gate().await;
    let secret = "AKIAIQ7RX4PJH6ZN2WVB";
    let message = |extra: Value| {
        let mut body = chat("gpt-5", "hi");
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let arguments = json!({"query": format!("find {secret}")}).to_string();
    for body in [
        message(json!({"unknown_field": {"deep": [[secret]]}})),
        message(json!({"metadata": {secret: "1"}})),
        message(json!({"user": secret})),
        message(json!({"tools": [{"type": "function", "function": {"name": "f", "description": secret}}]})),
        message(json!({"messages": [
            {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}]},
        ]})),
        message(
            json!({"messages": [{"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": secret}]}]}),
        ),
        message(json!({"stop": [secret]})),
    ] {
        let refused = gate.call(&ask(&world, &body)).await;
        assert_eq!((refused.status, code(&refused).as_str()), (400, "content.denied"), "{body}");
    }
    // Escapes hide nothing.
    let escaped: String = secret.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
    let hidden = chat("gpt-5", "HIDDEN").to_string().replace("HIDDEN", &escaped);
    assert_eq!(gate.call(&post(CHAT, &world.alice(), hidden)).await.status, 400);
    assert_eq!(world.upstream.count(), 0);

    // A number gives way to digits, and stays a number.
    let card = message(json!({"metadata": {"card": 5_425_233_430_109_903_u64}}));
    assert_eq!(gate.call(&ask(&world, &card)).await.status, 200);
    let seen = world.upstream.request(0).await;
    assert!(!seen.mentions("5425233430109903"));
    assert!(seen.json()["metadata"]["card"].as_u64().is_some_and(|n| n.to_string().len() == 16), "{}", seen.text());
}

#[tokio::test]
async fn statements_hold_for_their_direction_channel_and_mode() {
    let world = World::new().await.with(
        "content",
        json!([
            {"id": "system-mail", "detect": "EMAIL_ADDRESS", "action": "deny", "channels": "system"},
            {"id": "watch-cards", "detect": "CREDIT_CARD", "action": "deny", "mode": "observe"},
            {"id": "answer-ip", "detect": "IP_ADDRESS", "action": "mask", "direction": "response"},
            {"id": "note-mail", "detect": "EMAIL_ADDRESS", "action": "flag", "channels": "user"},
        ]),
    );
    let gate = world.gate().await;
    let said = |role: &str, text: &str| json!({"model": "gpt-5", "messages": [{"role": role, "content": text}]});
    let refused = gate.call(&ask(&world, &said("system", "mail bob@northwind.dev"))).await;
    assert_eq!((refused.status, code(&refused).as_str()), (400, "content.denied"));

    let text = "bob@northwind.dev paid with 5425233430109903 from 81.2.69.142";
    let passed = gate.call(&ask(&world, &said("user", text))).await;
    assert_eq!(passed.status, 200, "{}", passed.text());
    assert_eq!(world.upstream.request(0).await.json()["messages"][0]["content"], text);
    assert_eq!(
        passed.json()["choices"][0]["message"]["content"],
        "bob@northwind.dev paid with 5425233430109903 from [IP_ADDRESS]"
    );
    let line = gate.log_line(&passed).await;
    assert_eq!(line["doorward.decision"], "allow", "{line:#}");
    assert_eq!(line["doorward.observed"], "watch-cards", "{line:#}");
    let findings = line["doorward.findings"].as_str().unwrap();
    for finding in ["in:EMAIL_ADDRESS/flag=1", "out:IP_ADDRESS/mask=1"] {
        assert!(findings.contains(finding), "{findings}");
    }
    assert!(!line.to_string().contains("northwind"), "a value on the record: {line:#}");
}
