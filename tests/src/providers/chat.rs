//! Chat completions: OpenAI's shape as OpenAI, Azure and Mistral speak it.
//!
//! Choices of `n` are told apart by their text: `You said: ..`, `(1) You said: ..` and so on; streamed, their deltas
//! take turns.

use serde_json::{Value, json};

use super::echo::{Finish, Prompt, Reply, ToolCall, Usage, messages};
use super::{Asked, CREATED, DONE, data, deltas};
use crate::upstream::Script;

/// Whose dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's own: usage in streams on demand.
    OpenAi,
    /// Azure's: with the results of its content filter.
    Azure,
    /// Mistral's: usage in the last chunk always, thinking as a part of the content, calls in one piece.
    Mistral,
}

/// Answers a chat completion request; `fail` makes the provider's error.
pub(super) fn complete(asked: &Asked, dialect: Dialect, fail: fn(u16, &str) -> Script) -> Script {
    let request = &asked.body;
    if request["messages"].as_array().is_none_or(Vec::is_empty) {
        return fail(400, "`messages` is required");
    }
    answer(request, &messages(request), dialect, fail)
}

/// Answers `prompt`, streamed if the request says so.
pub(super) fn answer(request: &Value, prompt: &Prompt, dialect: Dialect, fail: fn(u16, &str) -> Script) -> Script {
    if prompt.model.is_empty() {
        return fail(400, "`model` is required");
    }
    let reply = match prompt.reply() {
        Ok(reply) => reply,
        Err(status) => return fail(status, "as the prompt asked"),
    };
    let choices = request["n"].as_u64().unwrap_or(1).clamp(1, 8);
    let replies: Vec<Reply> = (0..choices).map(|index| choice_of(&reply, index)).collect();
    let script = if request["stream"] == true {
        Script::sse(chunks(&replies, dialect, request["stream_options"]["include_usage"] == true))
    } else {
        Script::json(&completion(&replies, dialect))
    };
    script.header("x-request-id", "req_test")
}

fn choice_of(reply: &Reply, index: u64) -> Reply {
    let mut reply = reply.clone();
    if index > 0 {
        reply.text = reply.text.map(|text| format!("({index}) {text}"));
    }
    reply
}

fn completion(replies: &[Reply], dialect: Dialect) -> Value {
    let choice = |(index, reply): (usize, &Reply)| {
        let mut choice = json!({
            "index": index, "finish_reason": finish(reply), "logprobs": null, "message": message(reply, dialect),
        });
        if dialect == Dialect::Azure {
            choice["content_filter_results"] = safe();
        }
        choice
    };
    let mut body = json!({
        "id": "chatcmpl-test", "object": "chat.completion", "created": CREATED, "model": replies[0].model,
        "choices": replies.iter().enumerate().map(choice).collect::<Value>(),
        "usage": usage(replies[0].usage, dialect),
    });
    if dialect == Dialect::Azure {
        body["prompt_filter_results"] = prompt_filter();
    }
    body
}

fn message(reply: &Reply, dialect: Dialect) -> Value {
    if dialect == Dialect::Mistral {
        let text = reply.words().unwrap_or_default();
        let content = match &reply.thinking {
            Some(thinking) => json!([thinking_part(thinking), {"type": "text", "text": text}]),
            None => json!(text),
        };
        let calls = (!reply.calls.is_empty()).then(|| tool_calls(reply));
        return json!({"role": "assistant", "content": content, "tool_calls": calls});
    }
    let mut message = json!({"role": "assistant", "content": reply.text, "refusal": reply.refusal, "annotations": []});
    if let Some(thinking) = &reply.thinking {
        message["reasoning_content"] = json!(thinking);
    }
    if !reply.calls.is_empty() {
        message["tool_calls"] = tool_calls(reply);
    }
    message
}

fn tool_calls(reply: &Reply) -> Value {
    reply.calls.iter().map(|call| tool_call(call, &call.arguments)).collect()
}

fn tool_call(call: &ToolCall, arguments: &str) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

fn thinking_part(text: &str) -> Value {
    json!({"type": "thinking", "thinking": [{"type": "text", "text": text}]})
}

fn finish(reply: &Reply) -> &'static str {
    match reply.finish() {
        Finish::Stop | Finish::Refusal => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
    }
}

/// Usage as OpenAI tells it; Mistral tells no details.
pub(super) fn usage(usage: Usage, dialect: Dialect) -> Value {
    let Usage { input, cached, output, reasoning } = usage;
    let mut told = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
    if dialect != Dialect::Mistral {
        told["prompt_tokens_details"] = json!({"cached_tokens": cached, "audio_tokens": 0});
        told["completion_tokens_details"] = json!({
            "reasoning_tokens": reasoning, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        });
    }
    told
}

/// The chunks of a stream, its end included.
pub fn chunks(replies: &[Reply], dialect: Dialect, include_usage: bool) -> Vec<String> {
    let chunk = |choices: Value| {
        let mut chunk = json!({
            "id": "chatcmpl-test", "object": "chat.completion.chunk", "created": CREATED, "model": replies[0].model,
            "choices": choices,
        });
        if include_usage && dialect != Dialect::Mistral {
            chunk["usage"] = Value::Null;
        }
        chunk
    };
    let mut events = Vec::new();
    if dialect == Dialect::Azure {
        let mut first = chunk(json!([]));
        first["prompt_filter_results"] = prompt_filter();
        events.push(data(&first));
    }
    let deltas: Vec<Vec<Value>> = replies.iter().map(|reply| steps(reply, dialect)).collect();
    for step in 0..deltas.iter().map(Vec::len).max().unwrap_or(0) {
        for (index, choice) in deltas.iter().enumerate() {
            let Some(delta) = choice.get(step) else { continue };
            let last = step + 1 == choice.len();
            let finish = last.then(|| finish(&replies[index]));
            let mut told = json!({"index": index, "delta": delta, "logprobs": null, "finish_reason": finish});
            if dialect == Dialect::Azure {
                told["content_filter_results"] = if delta["content"].is_string() { safe() } else { json!({}) };
            }
            let mut chunk = chunk(json!([told]));
            if last && dialect == Dialect::Mistral && index + 1 == replies.len() {
                chunk["usage"] = usage(replies[0].usage, dialect);
            }
            events.push(data(&chunk));
        }
    }
    if include_usage && dialect != Dialect::Mistral {
        let mut last = chunk(json!([]));
        last["usage"] = usage(replies[0].usage, dialect);
        events.push(data(&last));
    }
    events.push(DONE.to_owned());
    events
}

/// The deltas of one choice, the last of which ends it.
fn steps(reply: &Reply, dialect: Dialect) -> Vec<Value> {
    let mistral = dialect == Dialect::Mistral;
    let mut steps = vec![json!({"role": "assistant", "content": ""})];
    for text in reply.thinking_deltas() {
        steps.push(if mistral {
            json!({"content": [thinking_part(&text)]})
        } else {
            json!({"reasoning_content": text})
        });
    }
    steps.extend(reply.text_deltas().into_iter().map(|text| json!({"content": text})));
    for text in reply.refusal.as_deref().map(deltas).unwrap_or_default() {
        steps.push(if mistral { json!({"content": text}) } else { json!({"refusal": text}) });
    }
    for (index, call) in reply.calls.iter().enumerate() {
        let mut start = tool_call(call, if mistral { &call.arguments } else { "" });
        start["index"] = json!(index);
        steps.push(json!({"tool_calls": [start]}));
        for text in if mistral { Vec::new() } else { deltas(&call.arguments) } {
            steps.push(json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]}));
        }
    }
    steps.push(if mistral { json!({"content": ""}) } else { json!({}) });
    steps
}

/// What Azure's content filter has to say of harmless text.
pub(super) fn safe() -> Value {
    let verdict = json!({"filtered": false, "severity": "safe"});
    json!({"hate": verdict, "self_harm": verdict, "sexual": verdict, "violence": verdict})
}

pub(super) fn prompt_filter() -> Value {
    json!([{"prompt_index": 0, "content_filter_results": safe()}])
}
