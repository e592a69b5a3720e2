//! Bodies as bytes: what is sent, and what an upstream answers.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_core::config::Tree;
use doorward_core::stream::framing::{self, MessageKind, message};

use crate::format::{Answer, Framing, Request};
use crate::value;

/// A message as it goes over the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Headers but the pseudo ones; `content-length` is not among them.
    pub headers: Vec<(String, String)>,
    /// The body in the pieces that it comes in; none where there is no body.
    pub pieces: Vec<Vec<u8>>,
}

impl Message {
    /// The whole body.
    pub fn body(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

impl Request {
    /// The method.
    pub fn method(&self) -> &str {
        let has_body = self.json.is_some() || self.text.is_some() || self.base64.is_some();
        self.method.as_deref().unwrap_or(if has_body { "POST" } else { "GET" })
    }

    /// The request as it is sent.
    ///
    /// # Errors
    /// It has two bodies, or one that cannot be read.
    pub fn message(&self) -> anyhow::Result<Message> {
        let json = self.json.is_some();
        let body = body(self.json.as_ref(), self.text.as_ref(), self.base64.as_ref())?;
        let mut headers = lower(&self.headers);
        if json && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Ok(Message { headers, pieces: body.into_iter().filter(|body| !body.is_empty()).collect() })
    }
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status.unwrap_or(200)
    }

    /// The answer as it comes.
    ///
    /// # Errors
    /// It has two bodies, or one that cannot be read.
    pub fn message(&self) -> anyhow::Result<Message> {
        let mut headers = lower(&self.headers);
        let whole = body(self.json.as_ref(), self.text.as_ref(), self.base64.as_ref())?;
        let (mut pieces, content_type) = match (whole, &self.events) {
            (Some(_), Some(_)) => {
                bail!("an answer has one body: `json`, `text` or `base64`, or the `events` of a stream")
            }
            (Some(body), None) => (vec![body], self.json.as_ref().map(|_| "application/json")),
            (None, Some(_)) => (self.stream(), Some(self.framing.content_type())),
            (None, None) => (Vec::new(), None),
        };
        if let Some(size) = self.pieces {
            let size = size.max(1);
            pieces = pieces.concat().chunks(size).map(<[u8]>::to_vec).collect();
        }
        pieces.retain(|piece| !piece.is_empty());
        if let Some(content_type) = content_type.filter(|_| !headers.iter().any(|(name, _)| name == "content-type")) {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        Ok(Message { headers, pieces })
    }

    /// The stream's events, each as bytes.
    fn stream(&self) -> Vec<Vec<u8>> {
        let events = self.events.as_deref().unwrap_or_default();
        let framing = self.framing.of_core();
        let one = |(i, event): (usize, &crate::format::StreamEvent)| {
            let payload = match &event.data {
                Tree::String(text) => text.clone(),
                data => value::text(data),
            };
            let kind = event.event.as_deref().map_or(MessageKind::Plain, MessageKind::Event);
            let bytes = message(framing, kind, payload.as_bytes());
            if self.framing != Framing::JsonArray {
                return bytes;
            }
            let (open, close) = (if i == 0 { "[" } else { ",\r\n" }, if i + 1 == events.len() { "]" } else { "" });
            [open.as_bytes(), &bytes, close.as_bytes()].concat()
        };
        events.iter().enumerate().map(one).collect()
    }
}

impl Framing {
    /// As core knows it.
    pub fn of_core(self) -> framing::Framing {
        match self {
            Framing::Sse => framing::Framing::Sse,
            Framing::Lines => framing::Framing::Lines,
            Framing::JsonArray => framing::Framing::JsonArray,
            Framing::EventStream => framing::Framing::EventStream,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Framing::Sse => "text/event-stream",
            Framing::Lines => "application/x-ndjson",
            Framing::JsonArray => "application/json",
            Framing::EventStream => "application/vnd.amazon.eventstream",
        }
    }
}

fn body(json: Option<&Tree>, text: Option<&String>, base64: Option<&String>) -> anyhow::Result<Option<Vec<u8>>> {
    Ok(match (json, text, base64) {
        (None, None, None) => None,
        (Some(json), None, None) => Some(value::text(json).into_bytes()),
        (None, Some(text), None) => Some(text.clone().into_bytes()),
        (None, None, Some(base64)) => {
            let packed: String = base64.split_ascii_whitespace().collect();
            Some(STANDARD.decode(packed).context("`base64` is none")?)
        }
        _ => bail!("a message has one body: `json`, `text` or `base64`"),
    })
}

fn lower(headers: &std::collections::BTreeMap<String, String>) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}
