//! Calls in answers of every API, and what stands in their place.

use serde_json::{Value, json};

use super::*;
use crate::json::{Document, Edits, Limits};

fn judged(answer: &Value, refuse: &[&str]) -> (Vec<String>, Value) {
    let json = answer.to_string();
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    let mut seen = Vec::new();
    let edits = calls(document.root(), &mut |call| {
        let with = match call.arguments {
            With::Text(token) => token.text().into_owned(),
            With::Value(node) => json.get(node.span()).unwrap().to_owned(),
            With::Nothing => String::new(),
        };
        seen.push(format!("{}:{} {with}", call.kind, call.name));
        refuse.contains(&&*call.name).then(|| format!("no {}", call.name))
    });
    let mut all = Edits::new();
    for (range, text) in edits {
        all.replace(range, text).unwrap();
    }
    (seen, serde_json::from_slice(&all.splice(json.as_bytes())).unwrap())
}

#[test]
fn openai() {
    let call =
        |name: &str| json!({"id": "c", "type": "function", "function": {"name": name, "arguments": "{\"x\":1}"}});
    let answer =
        |message: Value, reason: &str| json!({"choices": [{"index": 0, "message": message, "finish_reason": reason}]});
    let both =
        answer(json!({"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]}), "tool_calls");
    let (seen, same) = judged(&both, &[]);
    assert_eq!((seen, same), (vec!["function:a {\"x\":1}".into(), "function:b {\"x\":1}".into()], both.clone()));
    assert_eq!(
        judged(&both, &["a"]).1,
        answer(json!({"role": "assistant", "content": "no a", "tool_calls": [call("b")]}), "tool_calls")
    );
    assert_eq!(judged(&both, &["a", "b"]).1, answer(json!({"role": "assistant", "content": "no a no b"}), "stop"));
    let said = answer(json!({"content": "Well.", "tool_calls": [call("a")]}), "tool_calls");
    assert_eq!(judged(&said, &["a"]).1, answer(json!({"content": "Well.\n\nno a"}), "stop"));
    let bare = answer(json!({"tool_calls": [call("a")]}), "tool_calls");
    assert_eq!(judged(&bare, &["a"]).1, answer(json!({"content": "no a"}), "stop"));
    let roled = answer(json!({"role": "assistant", "tool_calls": [call("a")]}), "tool_calls");
    assert_eq!(judged(&roled, &["a"]).1, answer(json!({"role": "assistant", "content": "no a"}), "stop"));
    let older = answer(json!({"content": null, "function_call": {"name": "a", "arguments": "{}"}}), "function_call");
    assert_eq!(judged(&older, &["a"]).1, answer(json!({"content": "no a"}), "stop"));
    let two = answer(json!({"content": null, "tool_calls": [{"name": "a", "function": {"name": "b"}}]}), "stop");
    assert_eq!(judged(&two, &[]).0, ["function: "]);
}

#[test]
fn several_choices_end_each_for_itself() {
    let call = |name: &str| json!({"type": "function", "function": {"name": name, "arguments": "{}"}});
    let choice = |message: Value, reason: &str| json!({"message": message, "finish_reason": reason});
    let answer = json!({"choices": [choice(json!({"content": "", "tool_calls": [call("a")]}), "tool_calls"),
        choice(json!({"content": "", "tool_calls": [call("b")]}), "tool_calls")]});
    let left = json!({"choices": [choice(json!({"content": "no a"}), "stop"),
        choice(json!({"content": "", "tool_calls": [call("b")]}), "tool_calls")]});
    assert_eq!(judged(&answer, &["a"]).1, left);
}

#[test]
fn the_others() {
    for (answer, seen, left) in [
        (
            json!({"content": [{"type": "text", "text": "t"}, {"type": "tool_use", "id": "u", "name": "a", "input": {"x": 1}}],
                "stop_reason": "tool_use"}),
            "function:a {\"x\":1}",
            json!({"content": [{"type": "text", "text": "t"}, {"type": "text", "text": "no a"}], "stop_reason": "end_turn"}),
        ),
        (
            json!({"output": [{"type": "function_call", "id": "fc_1", "call_id": "c", "name": "a", "arguments": "{}"}],
                "status": "completed"}),
            "function:a {}",
            json!({"output": [{"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content":
                [{"type": "output_text", "text": "no a", "annotations": []}]}], "status": "completed"}),
        ),
        (
            json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "a", "args": {"x": 1}}}]},
                "finishReason": "STOP"}]}),
            "function:a {\"x\":1}",
            json!({"candidates": [{"content": {"parts": [{"text": "no a"}]}, "finishReason": "STOP"}]}),
        ),
        (
            json!({"output": {"message": {"content": [{"toolUse": {"toolUseId": "t", "name": "a", "input": {}}}]}},
                "stopReason": "tool_use"}),
            "function:a {}",
            json!({"output": {"message": {"content": [{"text": "no a"}]}}, "stopReason": "end_turn"}),
        ),
        (
            json!({"message": {"tool_plan": "p", "tool_calls": [{"function": {"name": "a", "arguments": "{}"}}]},
                "finish_reason": "TOOL_CALL"}),
            "function:a {}",
            json!({"message": {"tool_plan": "p", "content": "no a"}, "finish_reason": "COMPLETE"}),
        ),
        (
            json!({"message": {"content": "", "tool_calls": [{"function": {"name": "a", "arguments": {"x": 1}}}]}, "done": true}),
            "function:a {\"x\":1}",
            json!({"message": {"content": "no a"}, "done": true}),
        ),
        (
            json!({"steps": [{"type": "function_call", "name": "a", "arguments": {"x": 1}}]}),
            "function:a {\"x\":1}",
            json!({"steps": [{"type": "model_output", "content": [{"type": "text", "text": "no a"}]}]}),
        ),
        (
            json!({"output": [{"type": "local_shell_call", "id": "1", "action": {"command": ["ls"]}}]}),
            "bash:bash {\"command\":[\"ls\"]}",
            json!({"output": [{"type": "local_shell_call", "id": "1", "action": {"command": ["ls"]}}]}),
        ),
    ] {
        let (found, cut) = judged(&answer, &["a"]);
        assert_eq!(found, [seen], "{answer}");
        assert_eq!(cut, left);
    }
}
