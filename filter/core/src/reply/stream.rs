//! How a stream that is refused half-way ends: in the API's own way, so that its clients see an error and no answer that merely
//! stops.

use serde_json::json;

use super::{Denial, kind};
use crate::protocol::{Api, Dialect};
use crate::stream::framing::MessageKind;

impl Denial {
    /// The messages that end a stream: what each is called, and its payload. `number` is the next event's, where events have
    /// numbers.
    pub fn stream_end(&self, dialect: Dialect, api: Api, number: u64) -> Vec<(MessageKind<'static>, Vec<u8>)> {
        let (code, message) = (self.reason.code(), self.message());
        // What was refused is the answer: no client can mend its request, and none should try again.
        let kind = kind(dialect, 400);
        let error = json!({"message": message, "type": kind, "param": null, "code": code});
        let bytes = |value: serde_json::Value| value.to_string().into_bytes();
        match (api, dialect) {
            (Api::Mcp | Api::A2a, _) => match &self.rpc {
                Some(rpc) if rpc.id.is_some() => vec![(MessageKind::Event("message"), self.rpc_error())],
                // A server's own messages answer nothing, and neither does their end.
                _ => Vec::new(),
            },
            (Api::OpenAiResponses, _) => vec![(
                MessageKind::Event("error"),
                bytes(json!({"type": "error", "sequence_number": number, "code": code, "message": message,
                    "param": null, "error": error})),
            )],
            (Api::GeminiInteractions, _) => vec![(
                MessageKind::Event("error"),
                bytes(json!({"event_type": "error", "error": {"code": code, "message": message}})),
            )],
            (Api::CohereChat, _) => vec![(
                MessageKind::Event("message-end"),
                bytes(json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": message}})),
            )],
            (Api::BedrockConverse | Api::BedrockInvoke, _) => {
                vec![(MessageKind::Exception("validationException"), bytes(json!({"message": message})))]
            }
            (_, Dialect::OpenAi) => {
                vec![(MessageKind::Plain, bytes(json!({"error": error}))), (MessageKind::Plain, b"[DONE]".to_vec())]
            }
            (_, Dialect::Anthropic) => vec![(MessageKind::Event("error"), self.body(dialect))],
            (_, _) => vec![(MessageKind::Plain, self.body(dialect))],
        }
    }
}
