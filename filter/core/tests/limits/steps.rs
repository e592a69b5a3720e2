//! Beyond a limit, a cheaper model.

use doorward_core::engine::Engine;
use serde_json::{Value, json};

use crate::desk::{Desk, Open, limited, request};

fn stepping(more: Value) -> Value {
    let mut document = limited(json!([
        {"id": "big", "total_tokens": 10000, "calendar": "day", "models": "m-1", "step_down": "m-2"},
        {"id": "small", "total_tokens": 3000, "calendar": "day", "models": "m-2"}
    ]));
    document["access"] = json!([{"id": "all", "effect": "allow", "models": ["m-1", "m-2"]}]);
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

#[test]
fn beyond_a_limit_a_cheaper_model_is_asked_within_its_own_limits() {
    let mut desk = Desk::new(&stepping(json!({
        "content": [{"id": "mask", "detect": "EMAIL_ADDRESS", "action": "mask"}]
    })));
    let ask = request(json!({"max_tokens": 900, "messages": [{"role": "user", "content": "mail bob@acme.com"}]}));
    let mut models = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let refused = loop {
        match desk.chat(&ask) {
            Ok(went) => {
                models.push(went.body["model"].as_str().unwrap().to_owned());
                assert_eq!(went.body["messages"][0]["content"], "mail [EMAIL_ADDRESS]");
                open.push(went);
            }
            Err((_, record)) => break record,
        }
    };
    assert_eq!(models.iter().filter(|m| *m == "m-1").count(), 10);
    assert_eq!(models.iter().filter(|m| *m == "m-2").count(), 3);
    assert_eq!((refused["doorward.reason"].as_str(), refused["doorward.rules"].as_str()), ("limit.tokens", "small"));
    let record = desk.done(open.pop().unwrap().exchange);
    assert_eq!((record["gen_ai.request.model"].as_str(), record["doorward.route.model"].as_str()), ("m-2", "m-1"));
    assert_eq!((record["doorward.notes"].as_str(), record["doorward.decision"].as_str()), ("limit.tokens", "allow"));
    assert_eq!(record["doorward.findings"], "in:EMAIL_ADDRESS/mask=1");
}

#[test]
fn a_cheaper_model_must_be_allowed_and_stands_in_paths_too() {
    let mut desk = Desk::new(&stepping(json!({
        "access": [{"id": "all", "effect": "allow", "models": "m-1"}]
    })));
    let ask = request(json!({"max_tokens": 9000}));
    assert!(desk.chat(&ask).is_ok());
    assert_eq!(desk.chat(&ask).err().unwrap().1["doorward.reason"], "model.not_allowed");

    let mut document = stepping(json!({"targets": [{"name": "t", "cluster": "c", "provider": "gcp.gemini"}]}));
    document["limits"][1]["total_tokens"] = json!(10_000);
    let mut desk = Desk::new(&document);
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 9000}});
    let path = "/v1beta/models/m-1:generateContent";
    assert_eq!(desk.post(path, &body).ok().unwrap().path, None);
    let second = desk.post(path, &body).ok().unwrap();
    assert_eq!(second.path.as_deref(), Some("/v1beta/models/m-2:generateContent"));
    assert_eq!(desk.post(path, &body).err().unwrap().1["doorward.rules"], "small");
}

#[test]
fn what_cannot_step_down_is_refused_with_its_path() {
    use doorward_core::config::tree_from_json;
    for (limit, problem) in [
        (json!({"id": "a", "concurrent": 1, "step_down": "m-2"}), "have no cheaper model"),
        (json!({"id": "a", "requests": 1, "window": "1h", "tools": "x", "step_down": "m-2"}), "have no cheaper model"),
        (json!({"id": "a", "requests": 1, "window": "1h", "step_down": "m 2"}), "is no model name"),
    ] {
        let tree = tree_from_json(&limited(json!([limit])).to_string()).unwrap();
        let problems = Engine::compile(&tree, &|_| Some("x".repeat(32))).err().unwrap();
        assert!(problems.iter().any(|p| p.to_string().contains(problem)), "{problems:?}");
    }
}
