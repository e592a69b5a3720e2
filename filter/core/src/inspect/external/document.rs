//! `detectors.external` of the policy document, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::config::{Duration, SecretRef};
use crate::inspect::Group;

/// A detector outside of the filter, which is asked over an Envoy cluster while the request or the answer waits.
///
/// Content statements name it, or one of its types, like any other detector. Where it fails (no answer in time, an error, an
/// answer that cannot be read, more text than `max_bytes`), `on_failure` of the statement decides. A refused request is answered
/// 503 `content.detector_unavailable`, or 400 `content.unscannable` where there is more text; an answer is withheld, 502
/// `answer.unscannable`. A call that reached nobody goes out once more within `timeout`. All texts in the channels of
/// such statements go to it in one call: strings as they are once JSON is decoded, keys and long numbers among them; it does
/// not see through encodings for us. Equal texts are sent once, and at most 1,024 different ones.
///
/// It sees whole bodies only. Where a statement that refuses on failure has it look at answers, requests for a streamed
/// answer are refused (`protocol.stream_unsupported`); say `direction: request` where answers stream. A statement in `mode: observe`
/// has it asked as well, and never refuses; a whole policy in that mode holds nothing, so it asks nobody. Name the statement's
/// `channels`: what stands nowhere else is not sent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalDocument {
    /// Its name: letters, digits and `_`, starting with a letter. `detect: NAME` is all that it finds.
    pub name: String,
    /// The Envoy cluster that leads to it. TLS and its verification are the cluster's.
    pub cluster: String,
    /// Its host name, for `:authority`.
    pub authority: String,
    /// The path that is called, with POST. Default: `/analyze` for `presidio`; the webhook's has to be given.
    #[serde(default)]
    pub path: Option<String>,
    /// What it speaks.
    pub api: ExternalApi,
    /// How long it may take, 10ms to 5s. Default 500ms. The exchange waits that long at most, also where it is asked twice.
    #[serde(default = "default_call_timeout")]
    pub timeout: Duration,
    /// Which of its types are asked for and taken, and the types that they are here: built-in ones, the policy's own,
    /// or new ones, `{US_DRIVER_LICENSE: DRIVER_LICENSE}`. Statements that look for such a type ask this detector too.
    /// Default: all of them, as one type that is called as the detector is.
    #[serde(default)]
    pub entities: BTreeMap<String, String>,
    /// The group of the types that are new; `custom` where nothing is said.
    #[serde(default)]
    pub group: Option<Group>,
    /// The language of the texts, as Presidio wants to be told. Default `en`.
    #[serde(default = "default_language")]
    pub language: String,
    /// The score (0 to 1) from which its findings count, in place of `thresholds`. Default 0.5.
    #[serde(default = "default_min_score")]
    pub min_score: f32,
    /// How many bytes of text one call may carry, 1 to 1048576. Default 65536. With more it counts as failed.
    #[serde(default = "default_call_bytes")]
    pub max_bytes: u32,
    /// A key that goes as `authorization: Bearer ...`.
    #[serde(default)]
    pub bearer: Option<SecretRef>,
    /// Headers of the call, by name; values by reference.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretRef>,
}

/// What an external detector speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalApi {
    /// The analyzer of Presidio: `{"text": ["...", "..."], "language": "en", "score_threshold": 0.5}` is answered by a list
    /// of findings for each text, `[[{"entity_type": "PERSON", "start": 0, "end": 4, "score": 0.85}], []]`.
    Presidio,
    /// `{"direction": "request", "texts": [{"id": 0, "channel": "user", "text": "..."}]}` is answered by
    /// `{"findings": [{"id": 0, "type": "PROJECT", "start": 0, "end": 4, "score": 0.9}]}`. `direction` is `request` or
    /// `response`, `channel` where the text stands first; `score` may be left out and is 1 then.
    /// `start` and `end` count characters (code points), as Presidio's do, and `end` is exclusive.
    Webhook,
}

fn default_call_timeout() -> Duration {
    Duration::from_millis(500)
}

fn default_language() -> String {
    "en".to_owned()
}

fn default_min_score() -> f32 {
    0.5
}

fn default_call_bytes() -> u32 {
    65_536
}
