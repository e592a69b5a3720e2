//! Messages that say one thing to who decides and another to who acts.

use super::*;

const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");
const CALL: (&str, &str) = ("mcp-method", "tools/call");
const SEARCH: (&str, &str) = ("mcp-name", "search");

/// What an attacker tries: headers and the message, which would all be a call of a tool that is not allowed, if anybody read them so.
type Row = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
const EVIL_CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}}"#;

const ROWS: &[Row] = &[
    (
        "a header names another tool",
        &[VERSION, CALL, SEARCH],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"},META}}"#,
    ),
    ("a header names an allowed tool, the body another, of no version", &[SEARCH], EVIL_CALL),
    (
        "a header names another method",
        &[VERSION, ("mcp-method", "tools/list")],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"},META}}"#,
    ),
    (
        "a header names the method in capitals",
        &[VERSION, ("mcp-method", "TOOLS/CALL"), SEARCH],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"},META}}"#,
    ),
    (
        "a header is missing",
        &[VERSION, CALL],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"},META}}"#,
    ),
    (
        "a header is there twice",
        &[VERSION, CALL, SEARCH, ("mcp-name", "drop")],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"},META}}"#,
    ),
    (
        "a header hides another name in base64",
        &[VERSION, CALL, ("mcp-name", "=?base64?ZHJvcA==?=")],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"},META}}"#,
    ),
    (
        "a header tells another argument",
        &[VERSION, CALL, SEARCH, ("mcp-param-x", "good")],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"},META}}"#,
    ),
    (
        "a header tells another version than the body",
        &[("mcp-protocol-version", "2025-06-18"), CALL, SEARCH],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"},META}}"#,
    ),
    ("a version that nobody knows", &[("mcp-protocol-version", "2099-01-01")], EVIL_CALL),
    (
        "a batch",
        &[],
        r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}}]"#,
    ),
    (
        "a batch, the other way round",
        &[],
        r#"[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}},{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#,
    ),
    (
        "a batch in a batch",
        &[],
        r#"[[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}}]]"#,
    ),
    (
        "a batch of a version without them",
        &[("mcp-protocol-version", "2025-11-25")],
        r#"[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"}}}]"#,
    ),
    (
        "a batch that headers speak for",
        &[CALL, SEARCH],
        r#"[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"}}}]"#,
    ),
    ("a batch that opens a session", &[], r#"[{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"x":"EVIL"}}]"#),
    (
        "a notification that calls",
        &[],
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "the name twice",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","name":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "the name twice, escaped",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","n\u0061me":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "the name in another case",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","NAME":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "arguments twice",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mail","arguments":{"to":"a@acme.com"},"Arguments":{"to":"EVIL@evil.com"}}}"#,
    ),
    (
        "the method twice",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "the method in another case",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "a method that looks like one",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/c\u0430ll","params":{"name":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "a method in capitals",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "arguments as a text",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":"{\"x\":\"EVIL\"}"}}"#,
    ),
    ("parameters by position", &[], r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["drop",{"x":"EVIL"}]}"#),
    (
        "a second message behind the first",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    (
        "a question that is its own answer",
        &[],
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","result":{},"params":{"name":"drop","arguments":{"x":"EVIL"}}}"#,
    ),
    ("another method over the method of HTTP", &[("x-http-method-override", "DELETE")], EVIL_CALL),
    ("no JSON-RPC", &[], r#"{"id":1,"method":"tools/call","params":{"name":"drop","arguments":{"x":"EVIL"}}}"#),
];

#[test]
fn none_of_them_is_read_in_two_ways() {
    let mut stage = mcp(false);
    for (attack, fields, body) in ROWS {
        let body = body.replace("META", META);
        let played = stage.send("anybody", "POST", fields, &body, &stage::Answer::default());
        assert_eq!((played.status() / 100, played.upstream), (4, None), "{attack}");
    }
    let good =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"},META}}"#;
    let good = good.replace("META", META);
    let fields = [VERSION, CALL, SEARCH, ("mcp-param-x", EVIL)];
    let played = stage.send("anybody", "POST", &fields, &good, &stage::Answer::default());
    assert_eq!(played.upstream, Some(good), "{}", played.reason());
    let batch =
        r#"[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"search","arguments":{"x":"EVIL"}}}]"#;
    let played = stage.send("anybody", "POST", &[], batch, &stage::Answer::default());
    assert_eq!(played.upstream.as_deref(), Some(batch), "{}", played.reason());
}

#[test]
fn no_path_of_a_server_leads_upwards() {
    let mut stage = stage::Stage::new(&json!({"access": mcp_statements(false),
        "targets": [{"name": "files", "cluster": "c", "provider": "mcp", "path_prefix": "/mcp"}]}));
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    for (path, passes) in [
        ("/mcp", true),
        ("/mcp/a", true),
        ("/mcp/../admin", false),
        ("/mcp/..", false),
        ("/mcp/%2e%2e/admin", false),
        ("/mcp/.%2e/admin", false),
        ("/mcp/%252e%252e/admin", false),
        ("/mcp/..%2fadmin", false),
        ("/mcp/..\\admin", false),
        ("/mcp/..%5cadmin", false),
        ("/mcp/a/./b", false),
        ("/mcp//admin", false),
        ("/mcp/..;/admin", false),
        ("/mcpx", false),
        ("/MCP", false),
        ("/admin", false),
    ] {
        let played = stage.send_to(path, "anybody", "POST", &[], body, &stage::Answer::default());
        assert_eq!(played.upstream.is_some(), passes, "{path}: {}", played.reason());
    }
}
