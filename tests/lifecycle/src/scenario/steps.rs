//! What can happen in a scenario, and what can be expected of it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::Common;
use crate::model::Fields;

/// Bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// As it is.
    Text(String),
    /// Serialised.
    Json {
        /// The value.
        json: Value,
    },
    /// Base 64.
    Base64 {
        /// The text.
        base64: String,
    },
    /// Hexadecimal.
    Hex {
        /// The digits.
        hex: String,
    },
}

impl Content {
    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Content::Text(text) => text.as_bytes().to_vec(),
            Content::Json { json } => json.to_string().into_bytes(),
            Content::Base64 { base64 } => STANDARD.decode(base64).expect("base 64"),
            Content::Hex { hex } => {
                assert_eq!(hex.len() % 2, 0, "odd hex");
                (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex")).collect()
            }
        }
    }
}

/// A header's value, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum HeaderValue {
    /// One.
    One(Content),
    /// Several, in order.
    Many(Vec<Content>),
}

impl HeaderValue {
    /// Each value.
    pub fn values(&self) -> Vec<Vec<u8>> {
        match self {
            HeaderValue::One(content) => vec![content.bytes()],
            HeaderValue::Many(list) => list.iter().map(Content::bytes).collect(),
        }
    }
}

/// Names and values.
pub type HeaderList = BTreeMap<String, HeaderValue>;

/// Adds a list to a head, in place of what it holds under those names.
pub fn put(head: &mut Fields, list: &HeaderList) {
    for (name, value) in list {
        head.remove(name);
        for value in value.values() {
            head.add(name, &value);
        }
    }
}

/// How a message's end comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ends {
    /// With an empty frame, as HTTP/1 with a content-length.
    Alone,
    /// With the last bytes, as HTTP/2.
    WithData,
    /// With trailers.
    Trailers,
    /// Not yet.
    Open,
}

/// A request: its head, and as much of the rest as is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestStep {
    /// A request of `common.yaml`; what is given here takes the place of its parts.
    pub like: Option<String>,
    /// `:method`.
    pub method: Option<String>,
    /// `:path`.
    pub path: Option<String>,
    /// Headers.
    pub headers: HeaderList,
    /// Headers of the other request that are not here.
    pub without: Vec<String>,
    /// The body; `null` takes the other request's away.
    pub body: Option<Content>,
    /// No body at all: the head ends the request.
    pub bodiless: bool,
    /// Sizes of its frames, over and over. Default: one frame.
    pub chunks: Vec<usize>,
    /// How it ends. Default: alone.
    pub ends: Option<Ends>,
    /// Whether it says its length. Default: where it has a body and does not end in trailers.
    pub length: Option<bool>,
}

/// An answer: its head, and as much of the rest as is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerStep {
    /// An answer of `common.yaml`.
    pub like: Option<String>,
    /// `:status`. Default 200.
    pub status: Option<u16>,
    /// Headers.
    pub headers: HeaderList,
    /// Headers of the other answer that are not here.
    pub without: Vec<String>,
    /// The body.
    pub body: Option<Content>,
    /// No body at all.
    pub bodiless: bool,
    /// Sizes of its frames, over and over.
    pub chunks: Vec<usize>,
    /// How it ends. Default: alone.
    pub ends: Option<Ends>,
    /// Whether it says its length. Default: as for requests.
    pub length: Option<bool>,
}

/// A whole message, as a step says it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its head.
    pub head: Fields,
    /// Its body, if it has one.
    pub body: Option<Vec<u8>>,
    /// How it ends.
    pub ends: Ends,
}

impl Message {
    fn new(mut head: Fields, own: [&HeaderList; 2], without: &[String], body: Option<&Content>, parts: Parts) -> Self {
        let body = body.map(Content::bytes);
        let ends = parts.ends.unwrap_or(Ends::Alone);
        put(&mut head, own[0]);
        if let Some(body) = &body
            && parts.length.unwrap_or(ends == Ends::Alone)
        {
            head.set("content-length", body.len().to_string().as_bytes());
        }
        without.iter().for_each(|name| head.remove(name));
        put(&mut head, own[1]);
        Self { head, body, ends }
    }

    /// Whether nothing follows its head.
    pub fn is_head_only(&self) -> bool {
        self.body.is_none() && matches!(self.ends, Ends::Alone | Ends::WithData)
    }
}

struct Parts {
    ends: Option<Ends>,
    length: Option<bool>,
}

impl RequestStep {
    /// The request that it stands for.
    pub fn message(&self, common: &Common) -> Message {
        let requests = &common.requests;
        let empty = Self::default();
        let like = self.like.as_ref().map_or(&empty, |n| requests.get(n).unwrap_or_else(|| panic!("no request `{n}`")));
        let pick = |f: fn(&Self) -> Option<String>| f(self).or_else(|| f(like));
        let mut head = Fields::of(&[(":scheme", "https"), (":authority", "gateway.test")]);
        head.set(":method", pick(|r| r.method.clone()).unwrap_or_else(|| "POST".to_owned()).as_bytes());
        head.set(":path", pick(|r| r.path.clone()).expect("a path").as_bytes());
        let body = self.body.as_ref().or(like.body.as_ref()).filter(|_| !self.bodiless);
        let parts = Parts { ends: self.ends, length: self.length };
        Message::new(head, [&like.headers, &self.headers], &self.without, body, parts)
    }
}

impl AnswerStep {
    /// The answer that it stands for.
    pub fn message(&self, common: &Common) -> Message {
        let answers = &common.answers;
        let empty = Self::default();
        let like = self.like.as_ref().map_or(&empty, |n| answers.get(n).unwrap_or_else(|| panic!("no answer `{n}`")));
        let status = self.status.or(like.status).unwrap_or(200);
        let head = Fields::of(&[(":status", &status.to_string())]);
        let body = self.body.as_ref().or(like.body.as_ref()).filter(|_| !self.bodiless);
        let parts = Parts { ends: self.ends, length: self.length };
        Message::new(head, [&like.headers, &self.headers], &self.without, body, parts)
    }
}

/// The answer to a call-out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallAnswer {
    /// `:status`.
    #[serde(default = "ok")]
    pub status: u16,
    /// Body.
    pub body: Content,
}

fn ok() -> u16 {
    200
}

/// A new configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configure {
    /// The policy it builds on. Default: the scenario's.
    #[serde(default)]
    pub base: Option<String>,
    /// Changes to it.
    #[serde(default)]
    pub policy: Value,
    /// In place of a policy: these very bytes.
    #[serde(default)]
    pub raw: Option<String>,
    /// Whether it is taken.
    #[serde(default = "yes")]
    pub taken: bool,
}

fn yes() -> bool {
    true
}

/// One thing that happens. Exactly one field but `on` is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// To which stream. Default `a`.
    pub on: Option<String>,
    /// The client sends a request, or the beginning of one.
    pub request: Option<RequestStep>,
    /// ... bytes of its body,
    pub chunk: Option<Content>,
    /// ... its end, alone,
    pub end: Option<bool>,
    /// ... its end, with trailers.
    pub trailers: Option<HeaderList>,
    /// The client is gone.
    pub abort: Option<bool>,
    /// The upstream sends an answer, or the beginning of one.
    pub answer: Option<AnswerStep>,
    /// ... bytes of its body,
    pub answer_chunk: Option<Content>,
    /// ... its end, alone,
    pub answer_end: Option<bool>,
    /// ... its end, with trailers,
    pub answer_trailers: Option<HeaderList>,
    /// ... an interim answer.
    pub informational: Option<u16>,
    /// The proxy chose the route anew, and sent the request to this cluster.
    pub rerouted: Option<String>,
    /// The upstream is gone.
    pub upstream_reset: Option<bool>,
    /// The proxy gives up on the stream.
    pub time_out: Option<bool>,
    /// A filter in front answers a request with this status; ours never sees it.
    pub earlier_filter: Option<u16>,
    /// Milliseconds pass.
    pub wait: Option<u64>,
    /// The oldest call-out is answered.
    pub call_answer: Option<CallAnswer>,
    /// The oldest call-out fails.
    pub call_fails: Option<bool>,
    /// The configuration is updated.
    pub configure: Option<Configure>,
    /// What must be so at this moment.
    pub expect: Option<Expect>,
    /// What must have been counted and called by this moment.
    pub totals: Option<Totals>,
}

/// What one end received.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum End {
    /// `never`: nothing at all.
    Never(String),
    /// This.
    Got(Box<Got>),
}

/// What one end received. What is not said is not checked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Got {
    /// `:path`.
    pub path: Option<String>,
    /// `:status`.
    pub status: Option<u16>,
    /// Headers that are there, with exactly these values.
    pub headers: HeaderList,
    /// Headers that are not there.
    pub absent: Vec<String>,
    /// The whole body.
    pub body: Option<Content>,
    /// The body is, byte by byte, what the other end sent.
    pub same: bool,
    /// Trailers.
    pub trailers: Option<HeaderList>,
    /// Complete, or not.
    pub ended: Option<bool>,
    /// Cut off, or not.
    pub reset: Option<bool>,
    /// Interim answers.
    pub informational: Option<Vec<u16>>,
    /// Texts that stand in the body.
    pub contains: Vec<String>,
    /// Texts that do not.
    pub lacks: Vec<String>,
    /// Doorward's own refusal with this reason code, in the dialect.
    pub reason: Option<String>,
    /// Where the head had gone already, only the body says the reason.
    pub body_reason: Option<String>,
    /// `openai` (default) or `anthropic`.
    pub dialect: Option<String>,
}

/// What must have come of a stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// What the upstream received.
    pub upstream: Option<End>,
    /// What the client received.
    pub client: Option<End>,
    /// Values on the record; `null` is absent.
    pub log: BTreeMap<String, Option<String>>,
    /// Response code details.
    pub details: Option<String>,
    /// The stream is still open after the last step.
    pub pending: Option<bool>,
}

/// What was counted and called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Totals {
    /// Counters: `name{label=value,...}` to the sum over all that have these labels.
    pub counters: BTreeMap<String, u64>,
    /// Call-outs made.
    pub calls: Option<usize>,
    /// A call-out's body that must have been sent holds each of these.
    pub called_with: Vec<String>,
    /// A line of the filter's log that must be there holds each of these.
    pub logs: Vec<String>,
}
