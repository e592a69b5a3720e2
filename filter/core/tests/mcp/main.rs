//! MCP over core alone: what a caller may call is what they may call, however the call is written, and what they see is what they
//! may call.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod agents;
mod answers;
mod back;
mod forward;
mod listening;
mod lists;
mod older;
mod rest;
mod sessions;
mod stage;
mod tasks;

use serde_json::{Value, json};
use stage::{Answer, Played, Stage};

fn call(name: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": name, "arguments": arguments}})
}

fn outcome(played: &Played) -> String {
    match (&played.reply, &played.upstream) {
        (Some(reply), None) => format!("{} {}", reply.status, played.reason()),
        (None, Some(_)) => "passes".to_owned(),
        odd => panic!("{odd:?}"),
    }
}

#[test]
fn calls_are_judged_by_tool_and_arguments() {
    let mut stage = Stage::new(&json!({}));
    for (caller, name, arguments, expected) in [
        ("reader", "read_file", json!({"path": "/a"}), "passes"),
        ("reader", "write_file", json!({}), "403 tool.not_allowed"),
        ("writer", "write_file", json!({}), "passes"),
        ("writer", "drop_table", json!({}), "403 tool.not_allowed"),
        ("reader", "query", json!({"sql": "select 1"}), "passes"),
        ("reader", "query", json!({"sql": "select 1; drop table t"}), "403 tool.argument"),
        ("reader", "query", json!({"sql": "select 1", "opt": {"limit": 99}}), "403 tool.argument"),
        // JSON in a string is what the tool may read it as.
        ("reader", "query", json!({"sql": "select 1", "opt": "{\"limit\": 99}"}), "403 tool.argument"),
        ("reader", "query", json!({"sql": "select 1", "opt": "{\"limit\": 9, \"limit\": 99}"}), "403 tool.argument"),
        // Look-alikes: of what is denied they are denied, of what is allowed they are not allowed.
        ("writer", "dr\u{43e}p_table", json!({}), "403 tool.not_allowed"),
        ("reader", "re\u{430}d_file", json!({}), "403 tool.not_allowed"),
        ("writer", "files__drop_table", json!({}), "403 tool.not_allowed"),
        ("nobody", "read_file", json!({}), "403 access.denied"),
    ] {
        let played = stage.post(caller, &call(name, &arguments), &Answer::default());
        assert_eq!(outcome(&played), expected, "{caller} {name} {arguments}");
        if played.reply.is_some() && caller != "nobody" {
            let error = played.error();
            assert_eq!((&error["jsonrpc"], &error["id"]), (&json!("2.0"), &json!(7)), "{error}");
            assert_eq!(error["error"]["data"]["reason"], played.reason());
            assert_eq!(played.record.get("gen_ai.tool.name").map(|n| n.is_ascii()), Some(true));
        }
    }
}

#[test]
fn methods_are_judged() {
    let mut stage = Stage::new(&json!({}));
    let asked = |method: &str| json!({"jsonrpc": "2.0", "id": "x", "method": method});
    for (caller, method, expected) in [
        ("reader", "initialize", "passes"),
        ("reader", "ping", "passes"),
        ("reader", "tools/list", "passes"),
        ("reader", "prompts/list", "403 method.not_allowed"),
        ("prompter", "prompts/list", "passes"),
        ("prompter", "tools/list", "403 method.not_allowed"),
        ("writer", "prompts/list", "passes"),
        // What nobody has heard of must be named by whoever allows it.
        ("writer", "tools/callMany", "403 method.not_allowed"),
        ("reader", "tools/callMany", "passes"),
        ("nobody", "initialize", "403 access.denied"),
    ] {
        let played = stage.post(caller, &asked(method), &Answer::default());
        assert_eq!(outcome(&played), expected, "{caller} {method}");
    }
    let denied =
        json!({"access": [{"id": "a", "effect": "allow"}, {"id": "d", "effect": "deny", "methods": "initialize"}]});
    let played = Stage::new(&denied).post("writer", &asked("initialize"), &Answer::default());
    assert_eq!((outcome(&played).as_str(), played.record["doorward.rules"].as_str()), ("403 method.not_allowed", "d"));
    let models = json!({"access": [{"id": "a", "effect": "allow", "models": "*"}]});
    let played = Stage::new(&models).post("writer", &asked("initialize"), &Answer::default());
    assert_eq!(outcome(&played), "403 access.denied", "a statement about models means no MCP");
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let mut stage = Stage::new(&json!({}));
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_a","name":"write_a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_a","Name":"write_a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_a","arguments":{"a":1,"\u0061":2}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_a","arguments":"{}"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["read_a"]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"write_a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"TOOLS/CALL","params":{"name":"write_a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools\/call","params":{"Arguments":{},"name":"read_a"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write_a"}}"#,
        r#"{"id":1,"method":"ping"}"#,
        "[]",
        "\"ping\"",
    ] {
        let played = stage.send("reader", "POST", &[], body, &Answer::default());
        assert_eq!(outcome(&played), "400 protocol.unreadable", "{body}");
    }
}

#[test]
fn every_message_of_a_batch_is_judged() {
    let mut stage = Stage::new(&json!({}));
    let good = call("read_file", &json!({}));
    let bad = call("write_file", &json!({}));
    let version = |v: &'static str| [("mcp-protocol-version", v)];
    let mut send = |body: Value, fields: &[(&str, &str)]| {
        outcome(&stage.send("reader", "POST", fields, &body.to_string(), &Answer::default()))
    };
    assert_eq!(send(json!([good, good]), &[]), "passes");
    assert_eq!(send(json!([good, good]), &version("2025-03-26")), "passes");
    assert_eq!(send(json!([good, bad]), &[]), "403 tool.not_allowed");
    assert_eq!(send(json!([bad, good]), &version("2025-03-26")), "403 tool.not_allowed");
    assert_eq!(send(json!([good, [bad]]), &[]), "400 protocol.unreadable");
    for newer in ["2025-06-18", "2025-11-25", "2026-07-28"] {
        assert_eq!(send(json!([good]), &version(newer)), "400 protocol.unreadable", "{newer}");
    }
    assert_eq!(
        send(json!([good, bad]), &[("mcp-method", "tools/call"), ("mcp-name", "read_file")]),
        "400 protocol.unreadable"
    );
    assert_eq!(send(json!(vec![good; 65]), &[]), "400 protocol.unreadable");
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}});
    assert_eq!(send(json!([initialize]), &[]), "400 protocol.unreadable");
}

#[test]
fn headers_agree_with_the_message() {
    let mut stage = Stage::new(&json!({}));
    let mut body = call("read_file", &json!({"region": "eu"}));
    body["params"]["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    let version = ("mcp-protocol-version", "2026-07-28");
    let (method, name) = (("mcp-method", "tools/call"), ("mcp-name", "read_file"));
    for (fields, expected) in [
        (vec![version, method, name], "passes"),
        (vec![version, method, name, ("mcp-param-region", "eu")], "passes"),
        (vec![version, method, ("mcp-name", "=?base64?cmVhZF9maWxl?=")], "passes"),
        (vec![version, method, name, ("mcp-param-region", "us")], "400 mcp.header_mismatch"),
        // What an argument of another name says is no argument of this one.
        (vec![version, method, name, ("mcp-param-tenant", "eu")], "400 mcp.header_mismatch"),
        (vec![version, ("mcp-method", "tools/list"), name], "400 mcp.header_mismatch"),
        (vec![version, method, ("mcp-name", "write_file")], "400 mcp.header_mismatch"),
        (vec![version, method], "400 mcp.header_mismatch"),
        (vec![method, name], "400 mcp.header_mismatch"),
        (vec![version, method, name, name], "400 protocol.headers"),
        (vec![("mcp-protocol-version", "2024-11-05")], "400 mcp.version"),
        (vec![version, version, method, name], "400 protocol.headers"),
    ] {
        let played = stage.send("reader", "POST", &fields, &body.to_string(), &Answer::default());
        assert_eq!(outcome(&played), expected, "{fields:?}");
        match expected {
            "400 mcp.header_mismatch" => assert_eq!(played.error()["error"]["code"], -32020),
            "400 mcp.version" => assert_eq!(played.error()["error"]["code"], -32022),
            _ => {}
        }
    }
    // Clients of this version answer nothing.
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    let played = stage.send("reader", "POST", &[version], &answer.to_string(), &Answer::default());
    assert_eq!(outcome(&played), "400 protocol.unreadable");
    assert_eq!(outcome(&stage.post("reader", &answer, &Answer::default())), "passes");
}

#[test]
fn a_policy_says_which_argument_a_header_repeats() {
    let tools = json!([{"name": "read_*", "headers": {"Zone": "/place/region"}}]);
    let mut stage = Stage::new(&json!({"tools": tools}));
    let mut send = |tool: &str, fields: &[(&str, &str)]| {
        let mut body = call(tool, &json!({"place": {"region": "eu"}, "zone": "us"}));
        body["params"]["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
        let own = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", tool)];
        let fields: Vec<_> = own.into_iter().chain(fields.iter().copied()).collect();
        outcome(&stage.send("writer", "POST", &fields, &body.to_string(), &Answer::default()))
    };
    assert_eq!(send("read_a", &[("mcp-param-zone", "eu")]), "passes");
    assert_eq!(send("read_a", &[("mcp-param-zone", "us")]), "400 mcp.header_mismatch");
    assert_eq!(send("read_a", &[]), "400 mcp.header_mismatch");
    assert_eq!(send("write_a", &[("mcp-param-zone", "us")]), "passes");
    assert_eq!(send("write_a", &[("mcp-param-zone", "eu")]), "400 mcp.header_mismatch");
}

#[test]
fn texts_are_scanned_by_their_channels() {
    let more = json!({"content": [
        {"id": "cards", "detect": "CREDIT_CARD", "action": "mask", "channels": "tool_call"},
        {"id": "mail", "detect": "EMAIL_ADDRESS", "action": "deny", "channels": "user"},
    ]});
    let mut stage = Stage::new(&more);
    let played = stage.post(
        "reader",
        &call("read_a", &json!({"q": "4556 7375 8689 9855", "to": "bob@northwind.dev"})),
        &Answer::default(),
    );
    assert!(played.upstream.unwrap().contains(r#""q":"[CREDIT_CARD]""#));
    // What decides cannot be replaced.
    let played = stage.post("writer", &call("4556737586899855", &json!({})), &Answer::default());
    assert_eq!(outcome(&played), "400 content.denied");
    let prompt = json!({"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": "p", "arguments": {"who": "bob@northwind.dev"}}});
    assert_eq!(outcome(&stage.post("prompter", &prompt, &Answer::default())), "400 content.denied");
}

#[test]
fn headers_carry_nothing_that_would_be_replaced() {
    let more = json!({"content": [{"id": "cards", "detect": "CREDIT_CARD", "action": "mask"}]});
    let mut stage = Stage::new(&more);
    let body = call("read_a", &json!({"card": "4556737586899855"})).to_string();
    let send = |stage: &mut Stage, fields: &[(&str, &str)]| {
        outcome(&stage.send("reader", "POST", fields, &body, &Answer::default()))
    };
    assert_eq!(send(&mut stage, &[]), "passes");
    assert_eq!(send(&mut stage, &[("mcp-param-card", "4556737586899855")]), "400 content.denied");
    assert_eq!(send(&mut stage, &[("mcp-param-card", "=?base64?NDU1NjczNzU4Njg5OTg1NQ==?=")]), "400 content.denied");
}

#[test]
fn parameters_of_methods_have_caps() {
    let access = json!([{"id": "a", "effect": "allow", "parameters": {"uri": {"one_of": ["file:///house"]}}}]);
    let mut stage = Stage::new(&json!({"access": access}));
    for (uri, expected) in [("file:///house", "passes"), ("file:///etc/passwd", "403 parameter.not_allowed")] {
        let read = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}});
        assert_eq!(outcome(&stage.post("reader", &read, &Answer::default())), expected);
    }
}

#[test]
fn what_is_only_observed_passes_and_is_told() {
    let mut stage = Stage::new(&json!({"mode": "observe"}));
    let played = stage.post("reader", &call("write_file", &json!({})), &Answer::default());
    assert_eq!((outcome(&played).as_str(), played.reason()), ("passes", "tool.not_allowed"));
}

#[test]
fn metadata_tells_the_issuers() {
    let jwt = json!({"identity": {"jwt": [{"issuer": "https://idp.test", "audiences": "a", "jwks": {"cluster": "i", "authority": "idp.test", "path": "/k"}}]}});
    let mut stage = Stage::new(&jwt);
    let none = Answer::default();
    let played = stage.send("reader", "POST", &[], &call("read_a", &json!({})).to_string(), &none);
    assert_eq!(played.status(), 401);
    let url = "https://tools.test/.well-known/oauth-protected-resource/mcp";
    let challenge = played.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer ") && challenge.contains(&format!("resource_metadata=\"{url}\"")),
        "{challenge}"
    );
    let played = stage.send_to("/.well-known/oauth-protected-resource/mcp", "reader", "GET", &[], "", &none);
    assert_eq!(played.status(), 200);
    assert_eq!(played.error()["authorization_servers"], json!(["https://idp.test"]));
    assert_eq!(played.error()["resource"], "https://tools.test/mcp");
    let played = stage.send_to("/.well-known/oauth-protected-resource-x/mcp", "reader", "GET", &[], "", &none);
    assert_eq!(played.status(), 401);
}

#[test]
fn other_paths_and_methods_are_no_calls() {
    let mut stage =
        Stage::new(&json!({"targets": [{"name": "files", "cluster": "c", "provider": "mcp", "path_prefix": "/mcp"}]}));
    let body = call("read_a", &json!({})).to_string();
    let none = Answer::default();
    for (path, method, body, expected) in [
        ("/mcp", "POST", body.as_str(), "passes"),
        ("/mcp/deeper", "POST", &body, "passes"),
        ("/mcp/", "POST", &body, "passes"),
        ("/mcp//", "POST", &body, "403 protocol.unknown_path"),
        ("/admin", "POST", &body, "403 protocol.unknown_path"),
        ("/mcp/../admin", "POST", &body, "403 protocol.unknown_path"),
        ("/mcp/%2e%2e/admin", "POST", &body, "403 protocol.unknown_path"),
        ("/mcp", "PUT", &body, "405 protocol.method"),
        ("/mcp", "GET", "", "passes"),
        ("/mcp", "DELETE", "", "403 protocol.unknown_path"),
    ] {
        assert_eq!(outcome(&stage.send_to(path, "reader", method, &[], body, &none)), expected, "{method} {path}");
    }
    let played = stage.send("reader", "GET", &[("accept", "*/*"), ("last-event-id", "9")], "", &none);
    assert_eq!(outcome(&played), "404 mcp.session");
}

#[test]
fn what_texts_would_send_elsewhere_goes_nowhere() {
    let mut stage = Stage::new(&json!({
        "targets": [{"name": "files", "cluster": "c", "provider": "mcp"}, {"name": "house", "cluster": "house", "provider": "vllm"}],
        "routes": [{"id": "stays", "when": {"detect": "EMAIL_ADDRESS"}, "to": {"target": "house"}},
            {"id": "all", "when": {"roles": ["reader", "writer"]}, "to": {"target": "house"}}],
    }));
    for (path, expected) in [("/a", "passes"), ("/home/bob@northwind.dev", "403 route.unavailable")] {
        let played = stage.post("reader", &call("read_file", &json!({"path": path})), &Answer::default());
        assert_eq!(outcome(&played), expected, "{path}");
        assert_eq!(played.upstream_set.get("x-doorward-route"), None);
    }
}
