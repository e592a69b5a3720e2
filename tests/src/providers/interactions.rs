//! Gemini's Interactions API: an answer is a list of steps; streamed, steps start, grow and stop.

use serde_json::{Value, json};

use super::echo::{Finish, Prompt, Reply, SIGNATURE, Turn, declared, limited, result_of, text_of};
use super::{CREATED_AT, DONE, deltas, event, gemini};
use crate::upstream::Script;

/// Answers a request to create an interaction.
pub(super) fn answer(request: &Value) -> Script {
    let Some(model) = request["model"].as_str().or(request["agent"].as_str()) else {
        return gemini::failure(400, "model or agent is required");
    };
    let prompt = Prompt {
        model: model.to_owned(),
        turns: turns(&request["input"]),
        tools: declared(&request["tools"]),
        limited: limited(request),
    };
    match prompt.reply() {
        Ok(reply) if request["stream"] == true => Script::sse(events(&reply)),
        Ok(reply) => Script::json(&whole(&reply)),
        Err(status) => gemini::failure(status, "as the prompt asked"),
    }
}

/// Input is a text, a content, contents, or steps.
fn turns(input: &Value) -> Vec<Turn> {
    let turn = |item: &Value| match (item["type"].as_str(), item["role"].as_str()) {
        (Some("function_result"), _) => Turn::Tool(result_of(&item["result"])),
        (Some("model_output" | "function_call" | "thought"), _) | (_, Some("model")) => Turn::Model,
        _ => Turn::User(text_of(item)),
    };
    match input {
        Value::Array(items) => items.iter().map(turn).collect(),
        Value::Null => Vec::new(),
        input => vec![Turn::User(text_of(input))],
    }
}

fn interaction(reply: &Reply, status: &str) -> Value {
    json!({
        "id": "interaction_test", "object": "interaction", "status": status, "model": reply.model,
        "created": CREATED_AT, "updated": CREATED_AT,
    })
}

fn status(reply: &Reply) -> &'static str {
    match reply.finish() {
        Finish::Calls => "requires_action",
        Finish::Length => "incomplete",
        Finish::Stop | Finish::Refusal => "completed",
    }
}

fn usage(reply: &Reply) -> Value {
    let usage = reply.usage;
    json!({
        "total_input_tokens": usage.input, "total_cached_tokens": usage.cached,
        "total_output_tokens": usage.output - usage.reasoning, "total_thought_tokens": usage.reasoning,
        "total_tokens": usage.input + usage.output,
    })
}

fn whole(reply: &Reply) -> Value {
    let mut interaction = interaction(reply, status(reply));
    interaction["steps"] = steps(reply).into_iter().map(|(step, _)| step).collect();
    interaction["usage"] = usage(reply);
    interaction
}

/// Steps with the deltas they come in.
fn steps(reply: &Reply) -> Vec<(Value, Vec<Value>)> {
    let mut steps = Vec::new();
    if let Some(text) = &reply.thinking {
        let summary = |text: &str| json!({"type": "text", "text": text});
        let delta = |text: String| json!({"type": "thought_summary", "content": summary(&text)});
        let mut parts: Vec<Value> = deltas(text).into_iter().map(delta).collect();
        parts.push(json!({"type": "thought_signature", "signature": SIGNATURE}));
        steps.push((json!({"type": "thought", "summary": [summary(text)], "signature": SIGNATURE}), parts));
    }
    if let Some(text) = reply.words() {
        let parts = deltas(text).into_iter().map(|text| json!({"type": "text", "text": text})).collect();
        steps.push((json!({"type": "model_output", "content": [{"type": "text", "text": text}]}), parts));
    }
    for call in &reply.calls {
        let part = |text| json!({"type": "arguments_delta", "arguments": text});
        let step = json!({"type": "function_call", "id": call.id, "name": call.name, "arguments": call.object()});
        steps.push((step, deltas(&call.arguments).into_iter().map(part).collect()));
    }
    steps
}

fn events(reply: &Reply) -> Vec<String> {
    let mut payloads = vec![
        json!({"event_type": "interaction.created", "interaction": interaction(reply, "in_progress")}),
        json!({"event_type": "interaction.status_update", "interaction_id": "interaction_test",
            "status": "in_progress"}),
    ];
    for (index, (mut step, parts)) in steps(reply).into_iter().enumerate() {
        match step["type"].as_str() {
            Some("thought") => step = json!({"type": "thought"}),
            Some("function_call") => step["arguments"] = json!({}),
            _ => step = json!({"type": "model_output"}),
        }
        payloads.push(json!({"event_type": "step.start", "index": index, "step": step}));
        let delta = |delta| json!({"event_type": "step.delta", "index": index, "delta": delta});
        payloads.extend(parts.into_iter().map(delta));
        payloads.push(json!({"event_type": "step.stop", "index": index}));
    }
    // The stream has said the steps already: only usage comes with its end.
    let mut ended = interaction(reply, status(reply));
    ended["usage"] = usage(reply);
    payloads.push(json!({"event_type": "interaction.completed", "interaction": ended}));
    let named = |payload: &Value| event(payload["event_type"].as_str().unwrap_or_default(), payload);
    let mut events: Vec<String> = payloads.iter().map(named).collect();
    events.push(format!("event: done\n{DONE}"));
    events
}
