//! What a server asks of a caller's model (sampling) and user (elicitation) while a tool runs: allowed for one role, within bounds, and refused
//! for another, who learns so.

use serde_json::{Value, json};

use crate::{Server, visit, world};

/// Who has elicitation.
const VERSIONS: [&str; 3] = ["2025-06-18", "2025-11-25", "2026-07-28"];

#[tokio::test]
async fn a_server_asks_only_what_the_caller_is_allowed() {
    let server = Server::start(&json!({"asks": true})).await;
    let mut world = world(&server).await;
    world.policy["roles"]["askers"] = json!({"groups": "askers"});
    let access = world.policy["access"].as_array_mut().expect("statements");
    access.push(json!({"id": "tools", "effect": "allow", "roles": "askers", "methods": "tools/*"}));
    access.push(json!({"id": "model", "effect": "allow", "roles": "askers", "methods": "sampling/createMessage",
        "parameters": {"max_tokens": {"max": 100}}}));
    access.push(json!({"id": "user", "effect": "allow", "roles": "askers", "methods": "elicitation/create"}));
    let content = world.policy["content"].as_array_mut().expect("statements");
    content.push(
        json!({"id": "asked", "detect": "CREDIT_CARD", "action": "mask", "channels": "user", "direction": "response"}),
    );
    let gate = world.gate().await;
    let (reader, asker) = (world.token("rita", &["readers"]), world.token("anna", &["askers"]));
    let caller = |version: &str, token: &str| {
        json!({"url": gate.url("/mcp"), "token": token, "version": version, "steps": [
            ["call", {"name": "read_with_model", "arguments": {"tokens": 50}}],
            ["call", {"name": "read_with_user", "arguments": {}}],
            ["call", {"name": "read_with_model", "arguments": {"tokens": 500}}],
            ["call", {"name": "read_file", "arguments": {"path": "/a"}}],
        ]})
    };
    let callers: Vec<Value> =
        VERSIONS.iter().flat_map(|version| [caller(version, &reader), caller(version, &asker)]).collect();
    let refused = |step: &Value| (step["error"].clone(), step["data"]["reason"].clone());
    let denied = (json!(-32003), json!("method.not_allowed"));
    for (i, outcome) in visit(&callers).await.into_iter().enumerate() {
        let (version, reads) = (VERSIONS[i / 2], i % 2 == 0);
        assert_eq!(outcome["version"], version, "{outcome:#}");
        let steps = outcome["steps"].as_array().expect("steps");
        if reads {
            assert_eq!(
                (refused(&steps[0]), refused(&steps[1])),
                (denied.clone(), denied.clone()),
                "{version}: {steps:#?}"
            );
            assert_eq!(outcome["asked"], json!([]), "{version}");
        } else {
            assert_eq!(steps[0]["ok"]["text"], json!(["in short"]), "{version}: {steps:#?}");
            assert_eq!(steps[1]["ok"]["text"], json!(["read with 1234"]), "{version}: {steps:#?}");
            assert_eq!(outcome["asked"], json!([["Sum up: pay with [CREDIT_CARD]", 50], ["Your PIN?"]]), "{version}");
        }
        // Beyond the bound nobody's model is asked; and the caller goes on.
        assert_eq!(refused(&steps[2]), denied, "{version}: {steps:#?}");
        assert_eq!(steps[3]["ok"]["text"], json!(["/a: pay with [CREDIT_CARD]"]), "{version}: {steps:#?}");
    }
    let ran = server.ran();
    let times = |tool: &str| ran.iter().filter(|line| line["ran"] == tool).count();
    assert_eq!((times("read_with_model"), times("read_with_user"), times("read_file")), (3, 3, 6), "{ran:#?}");
}
