//! The table of attacks on tools: each row is what an attacker tries, and is played against every API that it can be tried over: whole answers
//! and streams of OpenAI and Anthropic, calls to an MCP server, and its lists.
//!
//! What is asserted is what arrives: [`EVIL`] stands in everything that must not, and never does. Rows have a benign twin that does arrive, so
//! that refusing everything passes no test.

mod calls;
mod definitions;
mod lures;
mod messages;
mod names;

#[allow(dead_code)]
#[path = "../../mcp/stage.rs"]
mod stage;

use doorward_core::engine::Engine;
use serde_json::{Value, json};

use super::{data, played_chunks};
use crate::support::{Played, engine, policy};

/// Stands in what must arrive nowhere.
const EVIL: &str = "EVIL";

/// The policy of the table: `search` may be called with anything, the others within conditions. Under [`open`] everything may be called but
/// `wipe`.
fn strict() -> Value {
    json!([
        {"name": "search"},
        {"name": "mail", "arguments": {"/to": {"glob": "*@acme.com", "required": true}}},
        {"name": "read", "arguments": {"/path": {"under": "/srv/share", "required": true}}},
        {"name": "query", "arguments": {"/sql": {"sql": "select", "required": true}, "/options/limit": {"max": 10}}},
        {"name": "fetch", "arguments": {"/url": {"hosts": "*.acme.com", "required": true}}},
        {"name": "exact", "arguments": {"/id": {"max": 9}}, "other_arguments": "deny"},
    ])
}

fn statements(open: bool) -> Value {
    match open {
        false => json!([{"id": "some", "effect": "allow", "models": ["m-1", "default"], "tools": strict()}]),
        true => json!([
            {"id": "all", "effect": "allow", "models": ["m-1", "default"]},
            {"id": "never", "effect": "deny", "tools": {"name": "wipe"}},
        ]),
    }
}

/// The same statements about an MCP server.
fn mcp_statements(open: bool) -> Value {
    match open {
        false => json!([{"id": "some", "effect": "allow", "methods": "tools/*", "tools": strict()}]),
        true => json!([
            {"id": "all", "effect": "allow"},
            {"id": "never", "effect": "deny", "tools": {"name": "wipe"}},
        ]),
    }
}

fn llm(provider: &str, open: bool) -> Engine {
    engine(&policy(provider, &json!({"access": statements(open)})))
}

fn mcp(open: bool) -> stage::Stage {
    stage::Stage::new(&json!({"access": mcp_statements(open)}))
}

/// A tool's definition as an API has it.
fn defined(provider: &str, name: &str, description: &str) -> Value {
    let schema = json!({"type": "object"});
    match provider {
        "openai" => {
            json!({"type": "function", "function": {"name": name, "description": description, "parameters": schema}})
        }
        _ => json!({"name": name, "description": description, "input_schema": schema}),
    }
}

fn path(provider: &str) -> &'static str {
    if provider == "openai" { "/v1/chat/completions" } else { "/v1/messages" }
}

fn request(provider: &str, stream: bool) -> Value {
    json!({"model": "m-1", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": "Go on."}],
        "tools": [defined(provider, "search", "Searches.")]})
}

/// All that a client puts together of an answer, whole or streamed: texts, names and arguments, in the order in which they came.
fn put_together(played: &Played) -> String {
    fn texts(value: &Value, out: &mut String) {
        match value {
            Value::String(text) => out.push_str(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, out)),
            Value::Object(members) => members.values().for_each(|member| texts(member, out)),
            _ => {}
        }
    }
    fn wanted(value: &Value, out: &mut String) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| wanted(item, out)),
            Value::Object(members) => {
                for (name, member) in members {
                    match name.as_str() {
                        "arguments" | "partial_json" | "text" | "content" | "input" | "name" if !member.is_array() => {
                            texts(member, out)
                        }
                        _ => wanted(member, out),
                    }
                }
            }
            _ => {}
        }
    }
    let (text, mut out) = (played.client_text(), String::new());
    match serde_json::from_str::<Value>(&text) {
        Ok(whole) => wanted(&whole, &mut out),
        Err(_) => {
            let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
            events
                .filter_map(|event| serde_json::from_str(event).ok())
                .for_each(|event: Value| wanted(&event, &mut out));
        }
    }
    out
}
