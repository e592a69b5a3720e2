//! Agent2Agent over HTTP and JSON.

use serde_json::{Value, json};

use crate::outcome;
use crate::stage::{Answer, Stage};

fn agents() -> Value {
    json!({
        "targets": [{"name": "planner", "cluster": "c", "provider": "a2a", "push_hosts": "*.acme.test"}],
        "access": [
            {"id": "talk", "effect": "allow", "roles": "reader", "methods": ["message/*", "SendMessage", "tasks/get"]},
            {"id": "all", "effect": "allow", "roles": "writer"},
            {"id": "no-cancel", "effect": "deny", "methods": ["tasks/cancel", "CancelTask"]},
        ],
        "content": [
            {"id": "cards", "detect": "CREDIT_CARD", "action": "mask", "channels": ["user", "tool_result"]},
            {"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize", "channels": "user"},
        ],
        "redaction": {"tokenize_key": {"env": "KEY"}},
    })
}

fn send(text: &str) -> Value {
    json!({"message": {"role": "ROLE_USER", "messageId": "m", "content": [{"text": text}]}})
}

#[test]
fn paths_say_the_method() {
    let mut stage = Stage::new(&agents());
    let none = Answer::default();
    let body = send("hi").to_string();
    for (path, method, name) in [
        ("/v1/message:send", "POST", "message/send"),
        ("/v1/message:stream", "POST", "message/stream"),
        ("/v1/tasks", "GET", "tasks/list"),
        ("/v1/tasks/t-1", "GET", "tasks/get"),
        ("/v1/tasks/t-1?historyLength=3", "GET", "tasks/get"),
        ("/v1/tasks/t-1:cancel", "POST", "tasks/cancel"),
        ("/v1/tasks/t-1:subscribe", "GET", "tasks/resubscribe"),
        ("/v1/tasks/t-1:subscribe", "POST", "tasks/resubscribe"),
        ("/v1/tasks/t-1/pushNotificationConfigs", "POST", "tasks/pushNotificationConfig/set"),
        ("/v1/tasks/t-1/pushNotificationConfigs", "GET", "tasks/pushNotificationConfig/list"),
        ("/v1/tasks/t-1/pushNotificationConfigs/p", "GET", "tasks/pushNotificationConfig/get"),
        ("/v1/tasks/t-1/pushNotificationConfigs/p", "DELETE", "tasks/pushNotificationConfig/delete"),
        ("/v1/card", "GET", "agent/getAuthenticatedExtendedCard"),
        ("/message:send", "POST", "SendMessage"),
        ("/acme/message:stream", "POST", "SendStreamingMessage"),
        ("/tasks", "GET", "ListTasks"),
        ("/tasks/t", "GET", "GetTask"),
        ("/acme/tasks/t:cancel", "POST", "CancelTask"),
        ("/tasks/t:subscribe", "GET", "SubscribeToTask"),
        ("/tasks/t/pushNotificationConfigs", "POST", "CreateTaskPushNotificationConfig"),
        ("/acme/tasks/t/pushNotificationConfigs/p", "GET", "GetTaskPushNotificationConfig"),
        ("/acme/tasks/t/pushNotificationConfigs/p", "DELETE", "DeleteTaskPushNotificationConfig"),
        ("/extendedAgentCard", "GET", "GetExtendedAgentCard"),
    ] {
        let body = if method == "POST" { body.as_str() } else { "" };
        for (caller, allowed) in [
            ("writer", !name.to_ascii_lowercase().contains("cancel")),
            ("reader", name.starts_with("message/") || ["SendMessage", "tasks/get"].contains(&name)),
        ] {
            let played = stage.send_to(path, caller, method, &[], body, &none);
            let expected = if allowed { "passes" } else { "403 method.not_allowed" };
            assert_eq!(outcome(&played), expected, "{caller} {method} {path}");
            assert_eq!(played.record["mcp.method.name"], name, "{method} {path}");
        }
        assert_eq!(outcome(&stage.send_to(path, "nobody", method, &[], body, &none)), "403 access.denied", "{path}");
    }
}

#[test]
fn other_paths_are_unknown() {
    let mut stage = Stage::new(&agents());
    let rpc = json!({"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": send("hi")}).to_string();
    for (path, method, body, expected) in [
        ("/v1/tasks/t:frob", "POST", rpc.as_str(), "403 protocol.unknown_path"),
        ("/v1/tasks/t", "POST", &rpc, "405 protocol.method"),
        ("/a/b/tasks/t:cancel", "POST", &rpc, "403 protocol.unknown_path"),
        ("/a/b/message:send", "POST", &rpc, "403 protocol.unknown_path"),
        ("/v1/Tasks/t", "POST", &rpc, "403 protocol.unknown_path"),
        ("/v1/message:send:stream", "POST", &rpc, "403 protocol.unknown_path"),
        ("/v1/tasks/%2e%2e/x", "GET", "", "403 protocol.unknown_path"),
        ("/v1/tasks/..", "GET", "", "403 protocol.unknown_path"),
        ("/v1/tasks/a%3acancel", "GET", "", "403 protocol.unknown_path"),
        ("/v1/tasks/t:cancel", "GET", "", "405 protocol.method"),
        ("/v1/tasks/t:subscribe", "DELETE", "", "405 protocol.method"),
        ("/v1/message:send", "GET", "", "405 protocol.method"),
        ("/v1/elsewhere", "GET", "", "405 protocol.method"),
        // A message of JSON-RPC where the path says the method, and none where it does not.
        ("/v1/message:send", "POST", &rpc, "400 protocol.unreadable"),
        ("/rpc", "POST", r#"{"message":{}}"#, "400 protocol.unreadable"),
        ("/rpc", "POST", &rpc, "passes"),
        ("/v1/message:send", "POST", r#"{"message":{},"Message":{}}"#, "400 protocol.unreadable"),
        ("/v1/message:send", "POST", r#"{"MESSAGE":{}}"#, "400 protocol.unreadable"),
        ("/v1/message:send", "POST", "[]", "400 protocol.unreadable"),
    ] {
        let played = stage.send_to(path, "writer", method, &[], body, &Answer::default());
        assert_eq!(outcome(&played), expected, "{method} {path} {body}");
    }
    // Another provider has no such paths.
    let mut other = Stage::new(&json!({"targets": [{"name": "m", "cluster": "c", "provider": "openai"}]}));
    let played = other.send_to("/tasks/t", "writer", "GET", &[], "", &Answer::default());
    assert_eq!(outcome(&played), "403 protocol.unknown_path");
}

#[test]
fn texts_are_scanned_both_ways_and_values_come_back() {
    let mut stage = Stage::new(&agents());
    let (card, mail) = ("4556 7375 8689 9855", "bob@northwind.dev");
    let body = send(&format!("pay {card} for {mail}"));
    for path in ["/v1/message:send", "/message:stream"] {
        let sent = stage.send_to(path, "writer", "POST", &[], &body.to_string(), &Answer::default()).upstream.unwrap();
        assert!(sent.contains("pay [CREDIT_CARD] for [EMAIL_ADDRESS_"), "{sent}");
        let start = sent.find("[EMAIL_ADDRESS_").unwrap();
        let placeholder = &sent[start..=start + sent[start..].find(']').unwrap()];
        let text = format!("{card} for {placeholder}, see https://evil.test/{placeholder}");
        let part = json!({"parts": [{"text": text}, {"file": {"fileWithUri": placeholder}}]});
        for answer in [
            json!({"message": part}),
            json!({"task": {"artifacts": [part]}}),
            json!({"statusUpdate": {"status": {"message": part}}}),
        ] {
            for answer in [Answer::json(&answer), Answer::stream(std::slice::from_ref(&answer), 9)] {
                let played = stage.send_to(path, "writer", "POST", &[], &body.to_string(), &answer);
                assert!(
                    !played.client.contains(card) && played.client.contains("[CREDIT_CARD] for bob@"),
                    "{}",
                    played.client
                );
                assert_eq!(played.client.matches(mail).count(), 1, "{}", played.client);
            }
        }
    }
    let task = json!({"id": "t", "status": {"message": {"content": [{"text": card}]}}});
    let played = stage.send_to("/v1/tasks/t", "writer", "GET", &[], "", &Answer::json(&task));
    assert!(played.client.contains("[CREDIT_CARD]"), "{}", played.client);
}

#[test]
fn agents_push_only_where_the_target_says() {
    let mut stage = Stage::new(&agents());
    for (url, expected) in
        [("https://hooks.acme.test/a", "passes"), ("https://evil.test/a", "403 parameter.not_allowed")]
    {
        for (path, body) in [
            ("/v1/message:send", json!({"message": {}, "configuration": {"pushNotificationConfig": {"url": url}}})),
            ("/message:stream", json!({"message": {}, "configuration": {"push_notification_config": {"URL": url}}})),
            ("/v1/tasks/t/pushNotificationConfigs", json!({"config": {"pushNotificationConfig": {"url": url}}})),
            ("/tasks/t/pushNotificationConfigs", json!({"url": url})),
        ] {
            let played = stage.send_to(path, "writer", "POST", &[], &body.to_string(), &Answer::default());
            assert_eq!(outcome(&played), expected, "{path} {url}");
        }
    }
    let path = "/v1/message:send?configuration.pushNotificationConfig.url=https://evil.test";
    let played = stage.send_to(path, "writer", "POST", &[], &send("hi").to_string(), &Answer::default());
    assert_eq!(outcome(&played), "403 parameter.not_allowed");
}

#[test]
fn they_count_and_stay_where_they_are() {
    let mut policy = agents();
    policy["targets"].as_array_mut().unwrap().push(json!({"name": "house", "cluster": "d", "provider": "openai"}));
    policy["routes"] = json!([{"id": "away", "when": {"roles": ["writer", "reader"]}, "to": {"target": "house"}}]);
    policy["limits"] = json!([{"id": "few", "requests": 4, "window": "1m"}]);
    let mut stage = Stage::new(&policy);
    let body = send("hi").to_string();
    let mut play = |caller, path: &str, method| {
        let body = if method == "POST" { body.as_str() } else { "" };
        let played = stage.send_to(path, caller, method, &[], body, &Answer::default());
        assert_eq!(played.upstream_set.get("x-doorward-route"), None, "{path}");
        outcome(&played)
    };
    assert_eq!(play("reader", "/v1/tasks/t", "GET"), "passes");
    assert_eq!(play("reader", "/v1/message:send", "POST"), "passes");
    // Refused ones, too.
    assert_eq!(play("reader", "/v1/tasks/t:cancel", "POST"), "403 method.not_allowed");
    assert_eq!(play("reader", "/v1/tasks", "GET"), "403 method.not_allowed");
    assert_eq!(play("reader", "/v1/message:send", "POST"), "429 limit.requests");
    assert_eq!(play("writer", "/v1/message:send", "POST"), "passes");
}
