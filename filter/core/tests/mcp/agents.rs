//! Agent2Agent, and what an upstream learns of the caller.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::outcome;
use crate::stage::{Answer, Stage};

fn agents(more: &Value) -> Value {
    let mut policy = json!({
        "targets": [{"name": "planner", "cluster": "c", "provider": "a2a", "push_hosts": "*.acme.test"}],
        "access": [
            {"id": "talk", "effect": "allow", "roles": "reader", "methods": ["message/*", "SendMessage"]},
            {"id": "all", "effect": "allow", "roles": "writer"},
        ],
        "content": [
            {"id": "cards", "detect": "CREDIT_CARD", "action": "mask", "channels": ["user", "tool_result"]},
        ],
    });
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    policy
}

fn send(method: &str, text: &str, push: Option<&str>) -> Value {
    let mut params = json!({"message": {"role": "user", "messageId": "m", "parts": [{"kind": "text", "text": text}]}});
    if let Some(url) = push {
        params["configuration"] = json!({"pushNotificationConfig": {"url": url, "token": "t"}});
    }
    json!({"jsonrpc": "2.0", "id": 5, "method": method, "params": params})
}

#[test]
fn agents_are_asked_what_access_allows() {
    let mut stage = Stage::new(&agents(&json!({})));
    let card = "pay 4556 7375 8689 9855";
    let result = json!({"jsonrpc": "2.0", "id": 5, "result": {"kind": "message", "role": "agent", "parts": [{"kind": "text", "text": card}]}});
    for answer in [Answer::json(&result), Answer::stream(std::slice::from_ref(&result), 13)] {
        let played = stage.post("reader", &send("message/stream", card, None), &answer);
        assert!(played.upstream.unwrap().contains("pay [CREDIT_CARD]"));
        assert!(played.client.contains("pay [CREDIT_CARD]"), "{}", played.client);
    }
    let none = Answer::default();
    let get = json!({"jsonrpc": "2.0", "id": 5, "method": "tasks/get", "params": {"id": "t"}});
    assert_eq!(outcome(&stage.post("reader", &get, &none)), "403 method.not_allowed");
    assert_eq!(outcome(&stage.post("writer", &get, &none)), "passes");
    assert_eq!(outcome(&stage.post("reader", &send("SendMessage", "hi", None), &none)), "passes");
    assert_eq!(outcome(&stage.post("reader", &send("sendmessage", "hi", None), &none)), "400 protocol.unreadable");
    let refused = stage.post("nobody", &send("message/send", "hi", None), &none);
    assert_eq!((outcome(&refused).as_str(), &refused.error()["jsonrpc"]), ("403 access.denied", &json!("2.0")));
    let card = Answer::json(&json!({"name": "planner", "url": "https://planner.test"}));
    let played = stage.send_to("/.well-known/agent-card.json", "writer", "GET", &[], "", &card);
    assert_eq!((outcome(&played).as_str(), &played.answer()["name"]), ("passes", &json!("planner")));
    let configs = json!({"jsonrpc": "2.0", "id": 5, "result": []});
    assert_eq!(stage.post("writer", &get, &Answer::json(&configs)).answer(), configs);
    assert_eq!(outcome(&stage.send("writer", "GET", &[], "", &none)), "405 protocol.method");
}

#[test]
fn agents_push_only_where_the_target_says() {
    let mut stage = Stage::new(&agents(&json!({})));
    let none = Answer::default();
    for (url, expected) in [
        ("https://hooks.acme.test/a", "passes"),
        ("https://evil.test/a", "403 parameter.not_allowed"),
        ("https://hooks.acme.test@evil.test/", "403 parameter.not_allowed"),
        ("https://evil.test/?.acme.test", "403 parameter.not_allowed"),
        ("hooks.acme.test", "403 parameter.not_allowed"),
    ] {
        assert_eq!(outcome(&stage.post("writer", &send("message/send", "hi", Some(url)), &none)), expected, "{url}");
        for (method, params) in [
            ("tasks/pushNotificationConfig/set", json!({"taskId": "t", "pushNotificationConfig": {"url": url}})),
            ("CreateTaskPushNotificationConfig", json!({"taskId": "t", "url": url})),
            ("message/send", json!({"configuration": {"task_push_notification_config": {"Url": url}}})),
        ] {
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            assert_eq!(outcome(&stage.post("writer", &body, &none)), expected, "{method} {url}");
        }
    }
}

#[test]
fn an_upstream_learns_of_the_caller_what_its_target_says() {
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let target = |forward: &str| json!([{"name": "files", "cluster": "c", "provider": "mcp", "forward": forward}]);
    let forged = [("x-doorward-assertion", "forged"), ("authorization", "Bearer abc")];
    let sent = |policy: Value| {
        let mut stage = Stage::new(&policy);
        stage.send("writer", "POST", &forged[..1], &list.to_string(), &Answer::default())
    };
    assert_eq!(sent(json!({})).upstream_set.get("x-doorward-assertion"), None);
    let told = sent(json!({"targets": target("assertion"), "mcp": {"assertion_key": {"env": "KEY"}}}));
    let token = &told.upstream_set["x-doorward-assertion"];
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let expected = hmac_sha256::HMAC::mac(signed.as_bytes(), "0123456789abcdef0123456789abcdef");
    assert_eq!(URL_SAFE_NO_PAD.decode(signature).unwrap(), expected);
    let claims = signed.split_once('.').unwrap().1;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["workload"], "spiffe://td/writer");
    assert_eq!(
        (&claims["aud"], &claims["roles"], &claims["exp"]),
        (&json!("files"), &json!(["writer"]), &json!(1_800_000_060))
    );
    // A workload has no token, and nobody else's goes on in its place.
    let mut same = target("same-audience");
    same[0]["audiences"] = json!("https://files.test/mcp");
    assert_eq!(sent(json!({"targets": same})).upstream_set.get("authorization"), None);
}
