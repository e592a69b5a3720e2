//! Agents on the official SDKs: their loops run through the gate, and their models may do what a role allows, and no more.

use doorward_e2e::governed::World;
use doorward_e2e::providers;
use doorward_e2e::sdk::{Call, Sdk};
use doorward_e2e::upstream::{Handler, Upstream};
use serde_json::{Value, json};

use crate::stage::Place;
use crate::{ask, functions};

/// What the model is told to do: one call that is allowed, one of a tool that is not, one with arguments that are not.
const TASK: &str = "Find Ada.\nCALL find {\"name\":  \"Ada\", \"of\": [1, 2.50]}\nCALL send {\"to\": \"eve@evil.example\"}\nCALL find {\"name\": \"Eve\"}";

async fn loops(sdk: Sdk, handler: fn() -> Handler, name: &str, base: &str, arguments: Value) {
    let rules = json!([{"name": "find", "arguments": {"/name": {"one_of": ["Ada", "Grace"], "required": true}}}]);
    let direct = Upstream::with(handler()).await;
    let place = Place::open(World::of(handler(), name).await.with_tools(rules)).await;
    let call = Call::of("agent", arguments);
    let (there, here) = (format!("http://{}{base}", direct.address), place.gate.url(base));
    let outcomes = sdk.calls_to(&[(&there, "key", call.clone()), (&here, place.token(), call)]).await;
    let [without, with] = outcomes.as_slice() else { panic!("two outcomes: {outcomes:?}") };
    let result = |outcome: &doorward_e2e::sdk::Outcome| outcome.ok.clone().unwrap_or_else(|| panic!("{outcome:?}"));
    let (without, with) = (result(without), result(with));
    assert_eq!(without["executed"].as_array().map(Vec::len), Some(3), "{without:#}");
    // The one that is allowed, byte for byte as the model made it.
    assert_eq!(with["executed"], json!([without["executed"][0]]), "{with:#}");
    assert_eq!(with["finish"], without["finish"]);
    let said = with["said"].to_string();
    for part in ["tool.not_allowed", "tool.argument, /name", "Find Ada.", "Tool said: done: find"] {
        assert!(said.contains(part), "{part}: {with:#}");
    }
    // The second answer repeats what the user said.
    let first = with["said"][0].as_str().unwrap_or_default();
    assert!(!first.contains("evil") && !first.contains("Eve"), "{with:#}");
    // The model was offered one tool in each turn, and its agent told it of one result.
    let lines = place.lines().await;
    assert_eq!(lines.len(), 2);
    for (seen, line) in &lines {
        let body: Value = serde_json::from_slice(&seen.body).expect("JSON");
        assert_eq!(body["tools"].as_array().map(Vec::len), Some(1), "{body:#}");
        assert_eq!(line["doorward.notes"], "tool.not_allowed", "{line:#}");
    }
    assert_eq!(
        lines[0].1["doorward.tools"],
        "called:find/allow=1,called:find/refuse=1,called:send/refuse=1,offered:send/remove=1"
    );
    assert_eq!(lines[1].1["doorward.tools"], "offered:send/remove=1");
}

#[tokio::test]
async fn openai_agent() {
    let arguments = json!({"model": "gpt-5-mini", "messages": ask(TASK), "tools": functions()});
    loops(Sdk::OpenAi, providers::openai, "openai", "/v1", arguments).await;
}

#[tokio::test]
async fn anthropic_agent() {
    let tool = |name: &str| json!({"name": name, "description": name, "input_schema": {"type": "object"}});
    let arguments = json!({"model": "claude-haiku-4-5", "max_tokens": 500, "messages": ask(TASK), "tools": [tool("find"), tool("send")]});
    loops(Sdk::Anthropic, providers::anthropic, "anthropic", "", arguments).await;
}
