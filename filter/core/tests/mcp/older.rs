//! The HTTP+SSE transport of version 2024-11-05: off by default, and where it is on, everybody speaks into their own stream only.

use doorward_core::config::tree_from_json;
use doorward_core::engine::Engine;
use serde_json::{Value, json};

use crate::stage::{Answer, Played, Stage, policy};
use crate::{call, outcome};

fn stage(more: &Value) -> Stage {
    let mut policy = json!({"targets": [{"name": "files", "cluster": "c", "provider": "mcp", "transport": "sse"}]});
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    Stage::new(&policy)
}

const ENDPOINT: &str = "event: endpoint\r\ndata: /messages/?session_id=a1\r\n\r\n";

/// What a client is told by this stream.
fn open(stage: &mut Stage, caller: &str, events: &str) -> Played {
    stage.send_to("/sse", caller, "GET", &[], "", &Answer::events(events))
}

fn address(played: &Played) -> String {
    let line = played.client.lines().find_map(|line| line.strip_prefix("data: "));
    line.unwrap_or_else(|| panic!("{}", played.client)).to_owned()
}

fn post(stage: &mut Stage, caller: &str, path: &str, body: &Value) -> Played {
    stage.send_to(path, caller, "POST", &[], &body.to_string(), &Answer { status: "202", ..Answer::default() })
}

#[test]
fn messages_go_into_ones_own_stream_only() {
    let mut stage = stage(&json!({}));
    let opened = open(&mut stage, "reader", ENDPOINT);
    let address = address(&opened);
    assert!(address.starts_with("/messages/?session_id=a1&doorward="), "{address}");
    assert_eq!(opened.client.matches("event: endpoint").count(), 1);
    let read = call("read_a", &json!({}));
    let played = post(&mut stage, "reader", &address, &read);
    assert_eq!(outcome(&played), "passes");
    assert_eq!(played.upstream_set[":path"], "/messages/?session_id=a1");
    // Another caller's roles are not in question: it is not their stream.
    assert_eq!(outcome(&post(&mut stage, "writer", &address, &read)), "404 mcp.session");
    assert_eq!(outcome(&post(&mut stage, "reader-2", &address, &read)), "404 mcp.session");
    for path in [
        "/messages/?session_id=a1",
        "/messages/",
        &address.replace("a1", "a2"),
        &address.replace("messages/", "messages"),
        &format!("{address}&session_id=a2"),
        &format!("{address}A"),
        &address.replace("?session_id=a1&", "?"),
        &format!("/messages/?session_id=a2&{}", address.split_once('&').unwrap().1),
    ] {
        assert_eq!(outcome(&post(&mut stage, "reader", path, &read)), "404 mcp.session", "{path}");
    }
    // And what is said there is judged.
    let played = post(&mut stage, "reader", &address, &call("write_a", &json!({})));
    assert_eq!((outcome(&played).as_str(), &played.error()["id"]), ("403 tool.not_allowed", &json!(7)));
}

#[test]
fn tags_of_sessions_are_none_of_addresses() {
    let mut stage = stage(&json!({}));
    let own = open(&mut stage, "reader", "event: endpoint\ndata: /m\n\n");
    let (_, tag) = address(&own).split_once("doorward=").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}).to_string();
    let session = format!("/m.{tag}");
    let played = stage.send("reader", "POST", &[("mcp-session-id", &session)], &ping, &Answer::default());
    assert_eq!(outcome(&played), "404 mcp.session");
}

#[test]
fn answers_on_the_stream_are_judged_by_their_shape() {
    let more = json!({"content": [
        {"id": "cards", "detect": "CREDIT_CARD", "action": "mask", "channels": "tool_result", "direction": "response"}]});
    let mut stage = stage(&more);
    let tools: Vec<Value> = ["read_a", "write_a"].map(|name| json!({"name": name, "inputSchema": {}})).into();
    let list = json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}});
    let result =
        json!({"jsonrpc": "2.0", "id": 2, "result": {"content": [{"type": "text", "text": "4556 7375 8689 9855"}]}});
    let asking = json!({"jsonrpc": "2.0", "id": 3, "method": "sampling/createMessage", "params": {"messages": []}});
    let events: String = [&list, &asking, &result].map(|m| format!("event: message\r\ndata: {m}\r\n\r\n")).concat();
    for (caller, names, asked) in [("reader", vec!["read_a"], false), ("writer", vec!["read_a", "write_a"], true)] {
        let played = open(&mut stage, caller, &format!("{ENDPOINT}{events}"));
        let told: Vec<Value> =
            played.client.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
        let shown: Vec<&str> =
            told[0]["result"]["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
        assert_eq!(shown, names, "{caller}");
        assert_eq!(told.iter().any(|m| m["method"] == "sampling/createMessage"), asked, "{caller}");
        assert_eq!(told.last().unwrap()["result"]["content"][0]["text"], "[CREDIT_CARD]", "{caller}");
    }
}

#[test]
fn a_stream_leads_nowhere_else() {
    let mut stage = stage(&json!({}));
    for events in [
        "event: endpoint\ndata: https://evil.test/messages\n\n",
        "event: endpoint\ndata: //evil.test/messages\n\n",
        "event: endpoint\ndata: /a/../admin\n\n",
        "event: endpoint\ndata: [DONE]\n\n",
        "event: endpoint\ndata: /m\ndata: /n\n\n",
    ] {
        let played = open(&mut stage, "reader", events);
        assert_eq!((played.client.as_str(), played.reason()), ("", "answer.unscannable"), "{events}");
    }
    // A second address would lead away from the first.
    let played = open(&mut stage, "reader", &ENDPOINT.repeat(2));
    assert_eq!((played.client.matches("endpoint").count(), played.reason()), (1, "answer.unscannable"));
    // Its own origin, in full, is here.
    let played = open(&mut stage, "reader", "event: endpoint\ndata: https://tools.test/m?s=1\n\n");
    assert!(address(&played).starts_with("/m?s=1&doorward="), "{}", played.client);
    // Answers to messages tell no addresses.
    let own = address(&played);
    let body = call("read_a", &json!({})).to_string();
    let played = stage.send_to(&own, "reader", "POST", &[], &body, &Answer::events(ENDPOINT));
    assert_eq!(played.reason(), "answer.unscannable");
}

#[test]
fn no_other_target_leads_to_its_streams() {
    let problems = |streamable: Value| {
        let targets =
            json!([{"name": "old", "route": "old", "cluster": "c", "provider": "mcp", "transport": "sse"}, streamable]);
        let tree = tree_from_json(&policy(&json!({"targets": targets})).to_string()).unwrap();
        let problems = Engine::compile(&tree, &|_| None).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let found = problems(json!({"name": "new", "cluster": "c", "provider": "mcp"}));
    assert!(found.starts_with("targets[1].path_prefix: "), "{found}");
    assert_eq!(problems(json!({"name": "new", "cluster": "c", "provider": "mcp", "path_prefix": "/mcp"})), "");
    assert_eq!(problems(json!({"name": "new", "cluster": "d", "provider": "mcp"})), "");
    let found = problems(json!({"name": "new", "cluster": "d", "provider": "openai", "transport": "sse"}));
    assert!(found.starts_with("targets[1].transport: "), "{found}");
}

#[test]
fn what_is_only_observed_keeps_its_addresses() {
    let mut stage = stage(&json!({"mode": "observe"}));
    let played = open(&mut stage, "reader", ENDPOINT);
    assert_eq!(played.client, ENDPOINT);
    let read = call("read_a", &json!({}));
    assert_eq!(outcome(&post(&mut stage, "writer", "/messages/?session_id=a1", &read)), "passes");
}
