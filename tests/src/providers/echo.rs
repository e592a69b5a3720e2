//! The model: an echo that can be told what to do.
//!
//! Its answer is `You said: TEXT`, the last text of the user, followed by a line `Tool said: RESULT` for every tool
//! result since the model last spoke. The text directs it:
//!
//! - a line `CALL NAME JSON` calls a tool, if the request declares any and no tool result has arrived: one call per
//!   line; the other lines, if any, are echoed beside the calls;
//! - a line `reply: TEXT` answers TEXT instead of the echo;
//! - a line `model: NAME` reports another model than the one asked for;
//! - a line `status: N` fails with that status;
//! - `THINK` anywhere makes it think `Thinking about: TEXT` first;
//! - `REFUSE` anywhere makes it refuse with [`REFUSAL`].
//!
//! An answer that may be one token long is its first delta, `You`.

use serde_json::{Value, json};

use super::{CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS, deltas};

/// What the model says when it refuses.
pub const REFUSAL: &str = "I cannot help with that.";

/// The signature of every thinking block.
pub const SIGNATURE: &str = "c2lnbmVkIGJ5IHRoZSBlY2hv";

/// One message of a conversation, as far as the model cares.
#[derive(Clone, Debug)]
pub enum Turn {
    /// The user spoke.
    User(String),
    /// The model spoke.
    Model,
    /// A tool answered.
    Tool(String),
}

/// A conversation to be answered.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// The model asked for.
    pub model: String,
    /// What was said, in order.
    pub turns: Vec<Turn>,
    /// Whether the request declares tools.
    pub tools: bool,
    /// Whether the answer may be one token long.
    pub limited: bool,
}

/// A tool call.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// Its id, in OpenAI's form; others put their own prefix before the number.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Arguments as the user wrote them.
    pub arguments: String,
}

impl ToolCall {
    /// Arguments as a value, for APIs that do not send text; what is no JSON becomes `{"text": ..}`.
    pub fn object(&self) -> Value {
        let value = serde_json::from_str(&self.arguments).ok().filter(Value::is_object);
        value.unwrap_or_else(|| json!({"text": self.arguments}))
    }
}

/// Tokens of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Input, cached included.
    pub input: u64,
    /// Of it, cached.
    pub cached: u64,
    /// Output, reasoning included.
    pub output: u64,
    /// Of it, reasoning.
    pub reasoning: u64,
}

impl Default for Usage {
    fn default() -> Self {
        Self { input: INPUT_TOKENS, cached: CACHED_TOKENS, output: OUTPUT_TOKENS, reasoning: REASONING_TOKENS }
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It is complete.
    Stop,
    /// It was as long as it may be.
    Length,
    /// It waits for tools.
    Calls,
    /// The model refused.
    Refusal,
}

/// What the model answers.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The model reported.
    pub model: String,
    /// What it thought.
    pub thinking: Option<String>,
    /// What it says; there is none when it only calls tools, or refuses.
    pub text: Option<String>,
    /// What it says instead, if it refuses.
    pub refusal: Option<String>,
    /// The tools it calls.
    pub calls: Vec<ToolCall>,
    /// Whether it was cut short.
    pub limited: bool,
    /// Tokens.
    pub usage: Usage,
}

impl Reply {
    /// Why it ended.
    pub fn finish(&self) -> Finish {
        match self {
            Self { refusal: Some(_), .. } => Finish::Refusal,
            Self { calls, .. } if !calls.is_empty() => Finish::Calls,
            Self { limited: true, .. } => Finish::Length,
            _ => Finish::Stop,
        }
    }

    /// Deltas of what it thought.
    pub fn thinking_deltas(&self) -> Vec<String> {
        self.thinking.as_deref().map(deltas).unwrap_or_default()
    }

    /// Deltas of what it says.
    pub fn text_deltas(&self) -> Vec<String> {
        self.text.as_deref().map(deltas).unwrap_or_default()
    }

    /// What it says or, in APIs that know no refusal of their own, says instead.
    pub fn words(&self) -> Option<&str> {
        self.text.as_deref().or(self.refusal.as_deref())
    }
}

impl Prompt {
    /// The answer, or the status to fail with.
    pub fn reply(&self) -> Result<Reply, u16> {
        let said = |turn: &Turn| match turn {
            Turn::User(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let user = self.turns.iter().rev().find_map(said).unwrap_or_default();
        let since = self.turns.iter().rposition(|turn| matches!(turn, Turn::Model)).map_or(0, |at| at + 1);
        let results = self.turns[since..].iter().filter_map(|turn| match turn {
            Turn::Tool(text) => Some(text.as_str()),
            _ => None,
        });
        let results: Vec<&str> = results.collect();
        let directed = |key: &str| user.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::trim);
        if let Some(status) = directed("status:").and_then(|status| status.parse().ok()) {
            return Err(status);
        }
        let model = directed("model:").unwrap_or(&self.model).to_owned();
        let mut reply = Reply { model, limited: self.limited, ..Reply::default() };
        if user.contains("THINK") {
            reply.thinking = Some(format!("Thinking about: {user}"));
        }
        if user.contains("REFUSE") {
            reply.refusal = Some(REFUSAL.to_owned());
            return Ok(reply);
        }
        let (calls, rest): (Vec<&str>, Vec<&str>) = user.lines().partition(|line| line.starts_with("CALL "));
        let called = self.tools && results.is_empty() && !calls.is_empty();
        if called {
            reply.calls = calls.into_iter().enumerate().filter_map(|(index, line)| call(index, line)).collect();
        }
        let echoed = if called { rest.join("\n") } else { user.clone() };
        let mut text = match directed("reply:") {
            Some(text) => text.to_owned(),
            None if called && echoed.trim().is_empty() => return Ok(reply),
            None => format!("You said: {echoed}"),
        };
        for result in results {
            text.push_str("\nTool said: ");
            text.push_str(result);
        }
        if self.limited {
            text = deltas(&text).into_iter().next().unwrap_or_default();
        }
        reply.text = Some(text);
        Ok(reply)
    }
}

fn call(index: usize, line: &str) -> Option<ToolCall> {
    let rest = line.strip_prefix("CALL ")?.trim();
    let (name, arguments) = rest.split_once(char::is_whitespace).unwrap_or((rest, "{}"));
    let (name, arguments) = (name.to_owned(), arguments.trim().to_owned());
    Some(ToolCall { id: format!("call_{}", index + 1), name, arguments })
}

/// The text of a content: a string, or the `text` of its parts (an object alone is a part), joined by line ends.
pub fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<String> = parts.iter().map(text_of).filter(|text| !text.is_empty()).collect();
            texts.join("\n")
        }
        Value::Object(part) => match (part.get("text"), part.get("content")) {
            (Some(text), _) | (None, Some(text)) => text_of(text),
            (None, None) => String::new(),
        },
        _ => String::new(),
    }
}

/// The text of a tool's result: its text or, where results are values, the value as JSON.
pub fn result_of(result: &Value) -> String {
    let text = text_of(result);
    if text.is_empty() { result.to_string() } else { text }
}

/// Whether a request allows one token only, under any of the names that the APIs have for that.
pub fn limited(request: &Value) -> bool {
    const NAMES: [&str; 11] = [
        "/max_tokens",
        "/max_completion_tokens",
        "/max_output_tokens",
        "/generationConfig/maxOutputTokens",
        "/generation_config/max_output_tokens",
        "/generation_config/maxOutputTokens",
        "/inferenceConfig/maxTokens",
        "/options/num_predict",
        "/parameters/max_new_tokens",
        "/textGenerationConfig/maxTokenCount",
        "/config/maxOutputTokens",
    ];
    NAMES.iter().any(|name| request.pointer(name).is_some_and(|limit| limit == 1))
}

/// Messages of OpenAI's shape, which Mistral, Cohere and Ollama share: role, content, tool results as messages.
pub fn messages(request: &Value) -> Prompt {
    let turn = |message: &Value| match message["role"].as_str() {
        Some("user") => Some(Turn::User(text_of(&message["content"]))),
        Some("assistant") => Some(Turn::Model),
        Some("tool" | "function") => Some(Turn::Tool(result_of(&message["content"]))),
        _ => None,
    };
    Prompt {
        model: request["model"].as_str().unwrap_or_default().to_owned(),
        turns: request["messages"].as_array().into_iter().flatten().filter_map(turn).collect(),
        tools: declared(&request["tools"]),
        limited: limited(request),
    }
}

/// Whether a list of tools has any.
pub fn declared(tools: &Value) -> bool {
    tools.as_array().is_some_and(|tools| !tools.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Finish, messages};

    #[test]
    fn the_echo_repeats_calls_and_thinks() {
        let request =
            |text: &str| json!({"model": "m", "tools": [{}], "messages": [{"role": "user", "content": text}]});
        let reply = messages(&request("hello")).reply().unwrap();
        assert_eq!((reply.text.as_deref(), reply.finish()), (Some("You said: hello"), Finish::Stop));
        let reply = messages(&request("CALL f {\"a\": 1}\nCALL g {}")).reply().unwrap();
        let calls: Vec<_> = reply.calls.iter().map(|c| (c.name.as_str(), c.arguments.as_str())).collect();
        assert_eq!((calls, reply.text.clone()), (vec![("f", "{\"a\": 1}"), ("g", "{}")], None));
        assert_eq!(messages(&request("status: 429")).reply().unwrap_err(), 429);
        let mut request = request("CALL f {}");
        let more = json!([{"role": "assistant", "content": null}, {"role": "tool", "content": "42"}]);
        request["messages"].as_array_mut().unwrap().extend(more.as_array().unwrap().clone());
        let reply = messages(&request).reply().unwrap();
        assert_eq!(reply.text.as_deref(), Some("You said: CALL f {}\nTool said: 42"));
    }
}
