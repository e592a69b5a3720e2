//! What requests offer, and what is left of them.

use serde_json::{Value, json};

use super::*;
use crate::json::{Document, Edits, Limits};

/// The tools of a request, as `kind:name`, and the request without those that `refuse` names.
fn cut(request: &Value, refuse: &[&str]) -> (Vec<String>, Value) {
    let json = request.to_string();
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    let list = declared(document.root());
    let (mut tools, mut refused) = (Vec::new(), Vec::new());
    list.tools(&mut |tool| {
        tools.push(format!("{}:{}", tool.kind, tool.name));
        refused.push(refuse.contains(&&*tool.name));
    });
    let mut edits = Edits::new();
    for (range, text) in list.without(&refused) {
        edits.replace(range, text).unwrap();
    }
    (tools, serde_json::from_slice(&edits.splice(json.as_bytes())).unwrap())
}

#[test]
fn every_api_offers_tools() {
    for (request, tools) in [
        (
            json!({"tools": [{"type": "function", "function": {"name": "a"}}, {"type": "custom", "custom": {"name": "b"}}],
                "web_search_options": {}}),
            vec!["function:a", "function:b", "web_search:web_search"],
        ),
        (json!({"functions": [{"name": "a"}]}), vec!["function:a"]),
        (
            json!({"tools": [{"type": "function", "name": "a"}, {"type": "web_search"}, {"type": "teleport"},
                {"type": "mcp", "server_label": "x", "server_url": "https://mcp.acme.com/sse"},
                {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "c"}]}]}),
            vec!["function:a", "web_search:web_search", "teleport:teleport", "mcp:mcp", "function:c"],
        ),
        (
            json!({"tools": [{"name": "a", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"},
                {"type": "web_search_20250305", "name": "web_search"}],
                "mcp_servers": [{"type": "url", "url": "https://mcp.acme.com", "name": "acme"}]}),
            vec!["mcp:acme", "function:a", "bash:bash", "web_search:web_search"],
        ),
        (
            json!({"tools": [{"functionDeclarations": [{"name": "a"}, {"name": "b"}], "googleSearch": {}}, {"codeExecution": {}}]}),
            vec!["function:a", "function:b", "web_search:web_search", "code_execution:code_execution"],
        ),
        (
            json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a"}}, {"cachePoint": {"type": "default"}},
                {"systemTool": {"name": "nova_grounding"}}]}}),
            vec!["function:a", "nova_grounding:nova_grounding"],
        ),
        (
            json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a"}}]},
                "additionalModelRequestFields": {"tools": [{"type": "computer_20241022", "name": "computer"}]}}),
            vec!["computer_use:computer", "function:a"],
        ),
        (json!({"TOOLS": [{"TYPE": "function", "Function": {"NAME": "a"}}]}), vec!["function:a"]),
        (
            json!({"tools": ["a", {}, {"type": "function", "name": "a", "function": {"name": "b"}}]}),
            vec!["unknown:"; 3],
        ),
        (json!({"tools": {"type": "function", "function": {"name": "a"}}}), vec!["function:a"]),
        (json!({"tools": null, "search_parameters": {"mode": "off"}, "plugins": []}), vec![]),
    ] {
        assert_eq!(cut(&request, &[]).0, tools, "{request}");
        assert_eq!(cut(&request, &[]).1, request);
    }
}

#[test]
fn hosts_of_servers_are_told() {
    let servers = |url: Value| {
        let json = json!({"tools": [{"type": "mcp", "server_url": url}]}).to_string();
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut servers = Vec::new();
        declared(document.root()).tools(&mut |tool| servers.push(tool.server.clone()));
        servers
    };
    assert_eq!(servers(json!("https://mcp.acme.com/x")), [Some("mcp.acme.com".to_owned())]);
    for odd in [json!("https://mcp.acme.com@evil.com"), json!(1), Value::Null] {
        assert_eq!(servers(odd), [Some(String::new())]);
    }
}

#[test]
fn what_is_refused_goes_and_choices_fit() {
    let function = |name: &str| json!({"type": "function", "function": {"name": name}});
    let named = |name: &str| json!({"type": "function", "name": name});
    for (request, refuse, left) in [
        (
            json!({"tools": [function("a"), function("b")], "tool_choice": function("b"), "n": 1}),
            vec!["b"],
            json!({"tools": [function("a")], "tool_choice": "auto", "n": 1}),
        ),
        (
            json!({"tools": [function("a")], "tool_choice": "required", "parallel_tool_calls": true, "n": 1}),
            vec!["a"],
            json!({"n": 1}),
        ),
        (
            json!({"tools": [function("a"), function("b")], "tool_choice": function("a")}),
            vec!["b"],
            json!({"tools": [function("a")], "tool_choice": function("a")}),
        ),
        (
            json!({"tools": [named("a"), named("b"), {"type": "web_search"}],
                "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [named("a"), named("b")]}}),
            vec!["b"],
            json!({"tools": [named("a"), {"type": "web_search"}],
                "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [named("a")]}}),
        ),
        (
            json!({"tools": [named("a"), {"type": "web_search_preview"}], "tool_choice": {"type": "web_search_preview"}}),
            vec!["web_search"],
            json!({"tools": [named("a")], "tool_choice": "auto"}),
        ),
        (
            json!({"tools": [{"name": "a"}, {"name": "b"}], "tool_choice": {"type": "tool", "name": "a"}}),
            vec!["a"],
            json!({"tools": [{"name": "b"}], "tool_choice": {"type": "auto"}}),
        ),
        (
            json!({"tools": [{"functionDeclarations": [{"name": "a"}], "googleSearch": {}}, {"functionDeclarations": [{"name": "b"}]}],
                "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["a", "b"]}}}),
            vec!["a"],
            json!({"tools": [{"googleSearch": {}}, {"functionDeclarations": [{"name": "b"}]}],
                "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["b"]}}}),
        ),
        (
            json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a"}}, {"cachePoint": {}}], "toolChoice": {"any": {}}}, "m": 1}),
            vec!["a"],
            json!({"m": 1}),
        ),
        (
            json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a"}}, {"toolSpec": {"name": "b"}}],
                "toolChoice": {"tool": {"name": "a"}}}}),
            vec!["a"],
            json!({"toolConfig": {"tools": [{"toolSpec": {"name": "b"}}], "toolChoice": {"auto": {}}}}),
        ),
    ] {
        assert_eq!(cut(&request, &refuse).1, left, "{request}");
    }
}
