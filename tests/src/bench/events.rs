//! What the upstream streams: the events of OpenAI and Anthropic as they are on the wire, with about four characters of prose
//! in each.

use serde_json::{Value, json};

use super::body::prose;

/// Whose events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Chat completions.
    OpenAi,
    /// Messages.
    Anthropic,
}

/// Characters of each piece.
const PIECE: usize = 4;
/// In every so many characters of an answer stands [`MAIL`], and what the request is answered about.
const EVERY: usize = 400;
/// What an answer must not tell.
pub const MAIL: &str = "grace@northwind.dev";

impl Format {
    /// All of them.
    pub const ALL: [Format; 2] = [Format::OpenAi, Format::Anthropic];

    /// As in `summary.json`.
    pub fn name(self) -> &'static str {
        match self {
            Format::OpenAi => "openai",
            Format::Anthropic => "anthropic",
        }
    }

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Where requests go.
    pub fn path(self) -> &'static str {
        match self {
            Format::OpenAi => "/v1/chat/completions",
            Format::Anthropic => "/v1/messages",
        }
    }

    /// A request whose text has `mail` in it.
    pub fn request(self, mail: &str) -> String {
        let text = format!("Write to {mail} what the committee decided, and tell me when it is done.");
        let messages = json!([{"role": "user", "content": text}]);
        match self {
            Format::OpenAi => json!({"model": "gpt-4o", "max_tokens": 4096, "stream": true, "messages": messages,
                "stream_options": {"include_usage": true}}),
            Format::Anthropic => {
                json!({"model": "gpt-4o", "max_tokens": 4096, "stream": true, "messages": messages})
            }
        }
        .to_string()
    }

    /// An answer with as many pieces of text, about `subject`: the frames of the stream, one for each event.
    pub fn stream(self, events: usize, subject: &str) -> Vec<String> {
        let mut frames = self.begin();
        frames.extend(pieces(events, subject).iter().map(|piece| self.frame(self.piece(piece))));
        frames.extend(self.end(events));
        frames
    }

    /// The text of a frame, where it has some.
    pub fn text(self, frame: &str) -> Option<String> {
        let data = frame.lines().find_map(|line| line.strip_prefix("data: "))?;
        let event: Value = serde_json::from_str(data).ok()?;
        let text = match self {
            Format::OpenAi => event["choices"][0]["delta"]["content"].as_str(),
            Format::Anthropic => event["delta"]["text"].as_str(),
        };
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn begin(self) -> Vec<String> {
        match self {
            Format::OpenAi => {
                vec![self.frame(chunk(json!({"role": "assistant", "content": "", "refusal": null}), None))]
            }
            Format::Anthropic => vec![
                self.frame(json!({"type": "message_start", "message": {
                    "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant", "content": [],
                    "model": "gpt-4o", "stop_reason": null, "stop_sequence": null,
                    "usage": {"input_tokens": 31, "output_tokens": 1},
                }})),
                self.frame(
                    json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                ),
            ],
        }
    }

    fn piece(self, text: &str) -> Value {
        match self {
            Format::OpenAi => chunk(json!({"content": text}), None),
            Format::Anthropic => {
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
            }
        }
    }

    fn end(self, events: usize) -> Vec<String> {
        match self {
            Format::OpenAi => {
                let usage = json!({"prompt_tokens": 31, "completion_tokens": events, "total_tokens": 31 + events});
                let mut last = chunk(json!({}), None);
                (last["choices"], last["usage"]) = (json!([]), usage);
                vec![self.frame(chunk(json!({}), Some("stop"))), self.frame(last), "data: [DONE]\n\n".to_owned()]
            }
            Format::Anthropic => vec![
                self.frame(json!({"type": "content_block_stop", "index": 0})),
                self.frame(
                    json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
                    "usage": {"output_tokens": events}}),
                ),
                self.frame(json!({"type": "message_stop"})),
            ],
        }
    }

    fn frame(self, event: Value) -> String {
        match self {
            Format::OpenAi => format!("data: {event}\n\n"),
            Format::Anthropic => {
                format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default())
            }
        }
    }
}

fn chunk(delta: Value, finish: Option<&str>) -> Value {
    json!({
        "id": "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG", "object": "chat.completion.chunk", "created": 1_741_570_283,
        "model": "gpt-4o-2024-08-06", "service_tier": "default", "system_fingerprint": "fp_fc9f1d7035",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}], "usage": null,
        "obfuscation": "x7Kq2",
    })
}

fn pieces(events: usize, subject: &str) -> Vec<String> {
    let mut text: Vec<char> = Vec::new();
    let prose: Vec<char> = prose().chars().collect();
    for part in prose.chunks(EVERY).cycle() {
        if text.len() >= events * PIECE {
            break;
        }
        text.extend(part);
        text.extend(format!(" ({subject}, {MAIL}) ").chars());
    }
    text.chunks(PIECE).take(events).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_an_event_with_text() {
        for format in Format::ALL {
            let frames = format.stream(300, "Ada");
            let text: Vec<String> = frames.iter().filter_map(|frame| format.text(frame)).collect();
            assert_eq!(text.len(), 300, "{format:?}");
            assert!(text.iter().all(|piece| piece.chars().count() == PIECE));
            assert!(text.concat().contains(&format!(" (Ada, {MAIL}) ")));
            assert_eq!(Format::named(format.name()), Some(format));
        }
    }
}
