//! OpenAI's Responses API. Text occurs four times in a stream: in deltas, in `output_text.done`, in
//! `content_part.done`, in `output_item.done`, and once more in the response that ends it.

use serde_json::{Value, json};

use super::echo::{Finish, Prompt, Reply, SIGNATURE, Turn, declared, limited, result_of, text_of};
use super::{CREATED, deltas, event, openai};
use crate::upstream::Script;

/// Answers a request to create a response.
pub(super) fn answer(request: &Value) -> Script {
    let Some(model) = request["model"].as_str() else { return openai::failure(400, "`model` is required") };
    let prompt = Prompt {
        model: model.to_owned(),
        turns: turns(&request["input"]),
        tools: declared(&request["tools"]),
        limited: limited(request),
    };
    let reply = match prompt.reply() {
        Ok(reply) => reply,
        Err(status) => return openai::failure(status, "as the prompt asked"),
    };
    let script = if request["stream"] == true {
        Script::sse(Stream::of(request, &reply))
    } else {
        let items = items(&reply).iter().map(|item| item.whole(&reply)).collect();
        Script::json(&ended(request, &reply, items))
    };
    script.header("x-request-id", "req_test")
}

fn turns(input: &Value) -> Vec<Turn> {
    let turn = |item: &Value| match (item["type"].as_str(), item["role"].as_str()) {
        (Some("function_call_output" | "custom_tool_call_output"), _) => Some(Turn::Tool(result_of(&item["output"]))),
        (Some("message") | None, Some("user")) => Some(Turn::User(text_of(&item["content"]))),
        (Some("message") | None, Some("assistant")) | (Some("function_call" | "custom_tool_call"), _) => {
            Some(Turn::Model)
        }
        _ => None,
    };
    match input {
        Value::String(text) => vec![Turn::User(text.clone())],
        input => input.as_array().into_iter().flatten().filter_map(turn).collect(),
    }
}

/// An item of the output.
enum Item {
    Reasoning(String),
    Message(String),
    Refusal(String),
    Call(usize),
}

fn items(reply: &Reply) -> Vec<Item> {
    let thinking = reply.thinking.clone().map(Item::Reasoning);
    let text = reply.text.clone().map(Item::Message);
    let refusal = reply.refusal.clone().map(Item::Refusal);
    thinking.into_iter().chain(text).chain(refusal).chain((0..reply.calls.len()).map(Item::Call)).collect()
}

impl Item {
    fn id(&self) -> String {
        match self {
            Self::Reasoning(_) => "rs_1".to_owned(),
            Self::Message(_) | Self::Refusal(_) => "msg_1".to_owned(),
            Self::Call(index) => format!("fc_{}", index + 1),
        }
    }

    /// The part of a message that says it.
    fn part(&self, text: &str) -> Value {
        match self {
            Self::Refusal(_) => json!({"type": "refusal", "refusal": text}),
            _ => json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []}),
        }
    }

    fn whole(&self, reply: &Reply) -> Value {
        let status = if reply.finish() == Finish::Length { "incomplete" } else { "completed" };
        match self {
            Self::Reasoning(text) => json!({
                "id": self.id(), "type": "reasoning", "summary": [{"type": "summary_text", "text": text}],
                "encrypted_content": SIGNATURE,
            }),
            Self::Message(text) | Self::Refusal(text) => json!({
                "id": self.id(), "type": "message", "role": "assistant", "status": status, "content": [self.part(text)],
            }),
            Self::Call(index) => {
                let call = &reply.calls[*index];
                json!({"id": self.id(), "type": "function_call", "status": status, "call_id": call.id,
                    "name": call.name, "arguments": call.arguments})
            }
        }
    }

    fn begun(&self, reply: &Reply) -> Value {
        let mut item = self.whole(reply);
        match self {
            Self::Reasoning(_) => item["summary"] = json!([]),
            Self::Message(_) | Self::Refusal(_) => item["content"] = json!([]),
            Self::Call(_) => item["arguments"] = json!(""),
        }
        if !matches!(self, Self::Reasoning(_)) {
            item["status"] = json!("in_progress");
        }
        item
    }
}

/// The response without its outcome: it repeats what was asked, as OpenAI's does.
fn response(request: &Value, reply: &Reply) -> Value {
    json!({
        "id": "resp_test", "object": "response", "created_at": CREATED, "status": "in_progress", "error": null,
        "incomplete_details": null, "instructions": request["instructions"], "model": reply.model, "output": [],
        "max_output_tokens": request["max_output_tokens"], "parallel_tool_calls": true,
        "previous_response_id": request["previous_response_id"], "reasoning": {"effort": null, "summary": null},
        "store": request["store"] != false, "temperature": 1.0, "text": {"format": {"type": "text"}},
        "tool_choice": "auto", "tools": request.get("tools").cloned().unwrap_or_else(|| json!([])), "top_p": 1.0,
        "truncation": "disabled", "usage": null, "metadata": {},
    })
}

fn ended(request: &Value, reply: &Reply, output: Vec<Value>) -> Value {
    let mut response = response(request, reply);
    let cut = reply.finish() == Finish::Length;
    response["status"] = json!(if cut { "incomplete" } else { "completed" });
    if cut {
        response["incomplete_details"] = json!({"reason": "max_output_tokens"});
    }
    response["output"] = json!(output);
    let usage = reply.usage;
    response["usage"] = json!({
        "input_tokens": usage.input, "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
        "output_tokens": usage.output, "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    });
    response
}

#[derive(Default)]
struct Stream {
    events: Vec<String>,
}

impl Stream {
    fn of(request: &Value, reply: &Reply) -> Vec<String> {
        let mut stream = Self::default();
        stream.push("response.created", json!({"response": response(request, reply)}));
        stream.push("response.in_progress", json!({"response": response(request, reply)}));
        let mut output = Vec::new();
        for (index, item) in items(reply).iter().enumerate() {
            stream.push("response.output_item.added", json!({"output_index": index, "item": item.begun(reply)}));
            match item {
                Item::Reasoning(text) => stream.reasoning(index, item, text),
                Item::Message(text) => stream.content(index, item, text, "output_text", "text"),
                Item::Refusal(text) => stream.content(index, item, text, "refusal", "refusal"),
                Item::Call(call) => stream.arguments(index, item, &reply.calls[*call].arguments),
            }
            let whole = item.whole(reply);
            stream.push("response.output_item.done", json!({"output_index": index, "item": whole}));
            output.push(whole);
        }
        let ended = ended(request, reply, output);
        let name = if ended["status"] == "incomplete" { "response.incomplete" } else { "response.completed" };
        stream.push(name, json!({"response": ended}));
        stream.events
    }

    fn push(&mut self, name: &str, mut payload: Value) {
        payload["type"] = json!(name);
        payload["sequence_number"] = json!(self.events.len());
        self.events.push(event(name, &payload));
    }

    /// A part of a message: `kind` names its events, `key` the field that has all of it in the last.
    fn content(&mut self, index: usize, item: &Item, text: &str, kind: &str, key: &str) {
        let at = |more: Value| merged(json!({"item_id": item.id(), "output_index": index, "content_index": 0}), more);
        self.push("response.content_part.added", at(json!({"part": item.part("")})));
        let logprobs = |mut payload: Value| {
            if key == "text" {
                payload["logprobs"] = json!([]);
            }
            payload
        };
        for delta in deltas(text) {
            self.push(&format!("response.{kind}.delta"), at(logprobs(json!({"delta": delta}))));
        }
        self.push(&format!("response.{kind}.done"), at(logprobs(json!({key: text}))));
        self.push("response.content_part.done", at(json!({"part": item.part(text)})));
    }

    fn reasoning(&mut self, index: usize, item: &Item, text: &str) {
        let at = |more: Value| merged(json!({"item_id": item.id(), "output_index": index, "summary_index": 0}), more);
        let part = |text: &str| json!({"part": {"type": "summary_text", "text": text}});
        self.push("response.reasoning_summary_part.added", at(part("")));
        for delta in deltas(text) {
            self.push("response.reasoning_summary_text.delta", at(json!({"delta": delta})));
        }
        self.push("response.reasoning_summary_text.done", at(json!({"text": text})));
        self.push("response.reasoning_summary_part.done", at(part(text)));
    }

    fn arguments(&mut self, index: usize, item: &Item, arguments: &str) {
        let at = |more: Value| merged(json!({"item_id": item.id(), "output_index": index}), more);
        for delta in deltas(arguments) {
            self.push("response.function_call_arguments.delta", at(json!({"delta": delta})));
        }
        self.push("response.function_call_arguments.done", at(json!({"arguments": arguments})));
    }
}

fn merged(mut base: Value, more: Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
        base.extend(more);
    }
    base
}
