//! An answer for people: a stream in any framing as its events, and the text that they tell piece by piece.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::client::Answer;
use crate::providers::eventstream;

/// An answer, taken apart.
pub struct Shown {
    /// The body as it came, in so far as it is text.
    pub raw: String,
    /// The events of a stream: name and payload. None: it is no stream.
    pub events: Vec<(String, String)>,
    /// The pieces of the model's text, one after the other.
    pub said: String,
}

impl Shown {
    /// Takes an answer apart, by its content type.
    pub fn of(answer: &Answer) -> Self {
        let kind = answer.fields.get("content-type").unwrap_or_default();
        let raw = String::from_utf8_lossy(&answer.body).into_owned();
        let events = match kind.split(';').next().unwrap_or_default() {
            "text/event-stream" => server_sent(&raw),
            "application/x-ndjson" => raw.lines().map(|line| (String::new(), line.to_owned())).collect(),
            eventstream::CONTENT_TYPE => messages(&answer.body),
            _ => match serde_json::from_str(&raw) {
                Ok(Value::Array(items)) => items.iter().map(|item| (String::new(), item.to_string())).collect(),
                _ => Vec::new(),
            },
        };
        let said = events.iter().filter_map(|(_, payload)| piece(payload)).collect();
        Self { raw, events, said }
    }

    /// Whether `text` stands in it: as it came, in an event, or cut into pieces.
    pub fn holds(&self, text: &str) -> bool {
        let mut texts = self.events.iter().map(|(_, payload)| payload.as_str()).chain([&*self.raw, &*self.said]);
        texts.any(|whole| whole.contains(text))
    }

    /// What is told beside text, in short: the names of events, or their payloads where they have none.
    pub fn ending(&self) -> String {
        let (name, payload) = self.events.last().cloned().unwrap_or_default();
        if name.is_empty() { payload } else { format!("{name}  {payload}") }
    }
}

/// WHATWG HTML, section 9.2: what a blank line ends.
fn server_sent(raw: &str) -> Vec<(String, String)> {
    let field = |event: &str, name: &str| {
        let values = event.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        values.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>().join("\n")
    };
    let events = raw.split("\n\n").filter(|event| !event.trim().is_empty());
    events.map(|event| (field(event, "event"), field(event, "data"))).collect()
}

/// Amazon's messages, and what is wrapped in them.
fn messages(mut rest: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some(message) = eventstream::first(rest) {
        let text = String::from_utf8_lossy(message.payload).into_owned();
        let wrapped = serde_json::from_str::<Value>(&text).ok();
        let inner = wrapped.as_ref().and_then(|w| STANDARD.decode(w["bytes"].as_str()?).ok());
        found.push((message.name, inner.map_or(text, |inner| String::from_utf8_lossy(&inner).into_owned())));
        rest = message.rest;
    }
    found
}

/// The piece of the model's text that an event carries.
fn piece(payload: &str) -> Option<String> {
    const PLACES: &[&str] = &[
        // OpenAI chat; Anthropic, Bedrock; Gemini; Ollama chat and generate; Cohere; TGI.
        "/choices/0/delta/content",
        "/delta/text",
        "/candidates/0/content/parts/0/text",
        "/message/content",
        "/response",
        "/delta/message/content/text",
        "/token/text",
    ];
    let event: Value = serde_json::from_str(payload).ok()?;
    // OpenAI responses: other events carry pieces of other things under the same name.
    let place = if event["type"] == "response.output_text.delta" { &["/delta"][..] } else { PLACES };
    place.iter().find_map(|place| event.pointer(place)?.as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_put_together() {
        let sse = "event: a\ndata: {\"delta\":{\"text\":\"He\"}}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"y\"}}]}\n\n";
        let events = server_sent(sse);
        assert_eq!(events[0].0, "a");
        assert_eq!(events.iter().filter_map(|(_, p)| piece(p)).collect::<String>(), "Hey");
        let one = eventstream::event("contentBlockDelta", &serde_json::json!({"delta": {"text": "x"}}));
        let two = eventstream::exception("validationException", "no");
        let found = messages(&[one, two].concat());
        assert_eq!(found[0], ("contentBlockDelta".to_owned(), r#"{"delta":{"text":"x"}}"#.to_owned()));
        assert_eq!(found[1].0, "validationException");
        assert_eq!(found.len(), 2);
    }
}
