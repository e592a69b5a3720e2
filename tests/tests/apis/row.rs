//! One call of an API, as a client of it makes it, and where its answer says what.

use serde_json::Value;

/// Arguments of a call: which model, and what the user says.
pub type Ask = Box<dyn Fn(&str, &str) -> Value>;

/// A call that every policy of a [`crate::Stage`] is tried on.
pub struct Row {
    /// The SDK's operation; without an SDK, the path, in which `{model}` stands for the model.
    pub name: &'static str,
    /// What stands in front of the SDK's own paths.
    pub base: &'static str,
    /// The API on the record.
    pub api: &'static str,
    /// The model that is asked for.
    pub model: &'static str,
    /// Its arguments.
    pub ask: Ask,
    /// Its arguments with the tools `find` and `send`, where the API has tools.
    pub tools: Option<Ask>,
    /// Whether its answer streams.
    pub streams: bool,
    /// Where the result has the model's words (a pointer); nowhere if it has none.
    pub text: Option<&'static str>,
    /// What the words stand behind.
    pub before: &'static str,
    /// Input and output tokens on the record, where the API tells them.
    pub usage: Option<(u64, u64)>,
    /// The exception of a caller who may not, where it is another than the SDK usually raises.
    pub denied: Option<&'static str>,
    /// Without an SDK: where an event of a stream has its piece of the words.
    pub delta: &'static str,
}

impl Row {
    /// A call whose whole answer has the model's words at `text`.
    pub fn whole(
        name: &'static str,
        api: &'static str,
        model: &'static str,
        text: &'static str,
        ask: impl Fn(&str, &str) -> Value + 'static,
    ) -> Self {
        Self { text: Some(text), ..Self::silent(name, api, model, ask) }
    }

    /// A call whose answer streams the model's words.
    pub fn stream(
        name: &'static str,
        api: &'static str,
        model: &'static str,
        ask: impl Fn(&str, &str) -> Value + 'static,
    ) -> Self {
        Self { text: Some("/text"), streams: true, ..Self::silent(name, api, model, ask) }
    }

    /// A call in whose answer no model speaks.
    pub fn silent(
        name: &'static str,
        api: &'static str,
        model: &'static str,
        ask: impl Fn(&str, &str) -> Value + 'static,
    ) -> Self {
        Self {
            name,
            base: "",
            api,
            model,
            ask: Box::new(ask),
            tools: None,
            streams: false,
            text: None,
            before: "You said: ",
            usage: None,
            denied: None,
            delta: "",
        }
    }

    /// Under a base path.
    pub fn under(mut self, base: &'static str) -> Self {
        self.base = base;
        self
    }

    /// Tells this usage.
    pub fn used(mut self, input: u64, output: u64) -> Self {
        self.usage = Some((input, output));
        self
    }

    /// Has tools.
    pub fn tools(mut self, ask: impl Fn(&str, &str) -> Value + 'static) -> Self {
        self.tools = Some(Box::new(ask));
        self
    }

    /// Raises this when it is denied.
    pub fn denied(mut self, class: &'static str) -> Self {
        self.denied = Some(class);
        self
    }

    /// Has its pieces there.
    pub fn delta(mut self, pointer: &'static str) -> Self {
        self.delta = pointer;
        self
    }

    /// What its answer says; panics where it says nothing.
    pub fn words<'v>(&self, result: &'v Value) -> &'v str {
        let pointer = self.text.unwrap_or_else(|| panic!("{} has no words", self.name));
        result.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{}: {result:#}", self.name))
    }
}

/// The tool calls of a result, whatever the API: every object with a name and arguments, in order.
pub fn calls_in(result: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect(result, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            let arguments = ["arguments", "input", "args"].into_iter().find_map(|name| members.get(name));
            match (members.get("name").and_then(Value::as_str), arguments) {
                (Some(name), Some(arguments)) => {
                    let text = arguments.as_str().and_then(|text| serde_json::from_str(text).ok());
                    found.push((name.to_owned(), text.unwrap_or_else(|| arguments.clone())));
                }
                _ => members.values().for_each(|member| collect(member, found)),
            }
        }
        _ => {}
    }
}
