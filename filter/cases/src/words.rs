//! The text that the pieces of a streamed answer make.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_core::stream::framing::{Frames, Framing};
use serde_json::Value;

use crate::outcome::{Delivered, header};

/// Where the events of the APIs carry a piece of the model's text.
const PIECES: &[&str] = &[
    // OpenAI chat and completions; Anthropic, Bedrock; Gemini; Ollama chat and generate; Cohere; TGI.
    "/choices/0/delta/content",
    "/choices/0/text",
    "/delta/text",
    "/contentBlockDelta/delta/text",
    "/candidates/0/content/parts/0/text",
    "/message/content",
    "/response",
    "/delta/message/content/text",
    "/token/text",
];

/// A body taken apart: what the events of a stream carry, and the text that they make.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The payloads.
    pub events: Vec<String>,
    /// The pieces of the model's text, one after the other.
    pub said: String,
}

impl Words {
    /// Takes an answer apart; one that is no stream has no events.
    pub fn of(answer: &Delivered) -> Self {
        let kind = header(&answer.headers, "content-type").unwrap_or_default();
        let framing = match kind.split(';').next().unwrap_or_default().trim() {
            "text/event-stream" => Framing::Sse,
            "application/x-ndjson" => Framing::Lines,
            "application/vnd.amazon.eventstream" => Framing::EventStream,
            "application/json" if answer.body.trim_ascii_start().starts_with(b"[") => Framing::JsonArray,
            _ => return Self::default(),
        };
        let mut frames = Frames::new(framing, usize::MAX);
        frames.push(&answer.body);
        frames.end();
        let mut words = Self::default();
        // What cannot be read on ends what is said; the bytes are compared as they are all the same.
        while let Ok(Some(frame)) = frames.next_frame() {
            let Some(payload) = frame.payload() else { continue };
            let text = unwrapped(String::from_utf8_lossy(&payload).into_owned());
            words.said.push_str(&piece(&text).unwrap_or_default());
            words.events.push(text);
        }
        words
    }
}

/// Bedrock's invoke wraps the model's own events in base64.
fn unwrapped(payload: String) -> String {
    let inner = serde_json::from_str::<Value>(&payload)
        .ok()
        .and_then(|event| STANDARD.decode(event.get("bytes")?.as_str()?).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok());
    inner.unwrap_or(payload)
}

fn piece(payload: &str) -> Option<String> {
    let event: Value = serde_json::from_str(payload).ok()?;
    // OpenAI responses: other events carry pieces of other things under the same name.
    let delta = event.get("type").and_then(Value::as_str) == Some("response.output_text.delta");
    let places: &[&str] = if delta { &["/delta"] } else { PIECES };
    places.iter().find_map(|place| event.pointer(place)?.as_str()).map(str::to_owned)
}
