//! A file of policy tests as it is written.
//!
//! The same file is played offline over core and on a real Envoy, so it says what can be said of both: who sends what to
//! which target, what the upstream answers, and what has to come of it.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use doorward_core::config::{Duration, Tree};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

/// A file of tests, `NAME.test.yaml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The policy, as a path from this file: a policy, or an Envoy or Istio configuration that holds one. Default: `NAME.yaml`
    /// beside it.
    #[serde(default)]
    pub policy: Option<String>,
    /// What `{env: NAME}` of the policy refers to. What is not here is stood in for.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// When it is (RFC 3339). Default: today at noon, UTC. A file that says it is played offline only.
    #[serde(default)]
    pub now: Option<String>,
    /// Callers by name, for several cases.
    #[serde(default)]
    pub identities: BTreeMap<String, Identity>,
    /// The tests. Each begins with a proxy that has seen nothing yet.
    pub cases: Vec<Case>,
}

/// One test: one exchange, or several in a row (`steps`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// The caller: a name out of `identities`, or one written here. Default: nobody, without any credential.
    pub identity: Option<NameOr<Identity>>,
    /// The target, by its name in the policy. Default: the policy's only one.
    pub target: Option<String>,
    /// For a request that is routed elsewhere than to a target of the policy: Envoy's cluster.
    pub cluster: Option<String>,
    /// What is sent.
    pub request: Option<Request>,
    /// What the upstream answers. Default: 204, without a body.
    pub answer: Option<Answer>,
    /// What other clusters answer when the filter asks them (external detectors, by cluster). What is not here does not answer.
    pub calls: BTreeMap<String, Answer>,
    /// What has to come of it.
    pub expect: Option<Expect>,
    /// Several exchanges through one proxy, one after the other. What a step leaves out is the case's.
    pub steps: Vec<Step>,
    /// Why it is played offline only, where it cannot be played on a real Envoy.
    pub offline: Option<String>,
}

/// One of several exchanges.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// How long after the one before. Such a case is played offline only.
    pub after: Option<Duration>,
    /// How often it is sent; each time the same has to come of it. Default 1.
    pub times: Option<u32>,
    /// The caller.
    pub identity: Option<NameOr<Identity>>,
    /// The target.
    pub target: Option<String>,
    /// Envoy's cluster.
    pub cluster: Option<String>,
    /// What is sent.
    pub request: Option<Request>,
    /// What the upstream answers.
    pub answer: Option<Answer>,
    /// What has to come of it.
    pub expect: Option<Expect>,
}

/// A caller, as proven: the runner makes a credential that proves it, by keys that it puts in place of the policy's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// The user, where the issuer's `claims.user` says.
    pub user: Option<String>,
    /// The groups, where its `claims.groups` says.
    pub groups: Option<Vec<String>>,
    /// The team, where its `claims.team` says.
    pub team: Option<String>,
    /// The purpose, where its `claims.purpose` says.
    pub purpose: Option<String>,
    /// Further claims by the names that roles use (`claims.extra`): a text, or a list of them.
    pub claims: BTreeMap<String, Tree>,
    /// The token's own claims, over what the rest makes; `null` takes one away.
    pub token: BTreeMap<String, Tree>,
    /// Who issued the token, by its `iss`. Default: the policy's first issuer.
    pub issuer: Option<String>,
    /// Seconds that the token is good for; below 0 it has ended. Default 300, or the issuer's `max_lifetime`.
    pub expires_in: Option<i64>,
    /// The token is signed by a key that is not the issuer's.
    pub forged: bool,
    /// In place of a token: the API key with this id in the policy.
    pub api_key: Option<String>,
    /// The SPIFFE id of the client's certificate: beside a credential, or alone.
    pub workload: Option<String>,
    /// A credential as it is written here.
    pub credential: Option<String>,
    /// The header that carries the credential. Default: `authorization`, as a bearer.
    pub header: Option<String>,
}

/// What is sent. At most one of `json`, `text` and `base64`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// Default: POST with a body, GET without.
    pub method: Option<String>,
    /// The path, and query.
    pub path: String,
    /// Headers beside the credential. `content-type` of a JSON body, `content-length` and `host` come of themselves.
    pub headers: BTreeMap<String, String>,
    /// The body, as JSON: members in this order.
    pub json: Option<Tree>,
    /// The body, byte by byte.
    pub text: Option<String>,
    /// The body, in base64.
    pub base64: Option<String>,
}

/// What an upstream answers. At most one of `json`, `text`, `base64` and `events`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Default 200.
    pub status: Option<u16>,
    /// Headers. `content-type` comes of itself.
    pub headers: BTreeMap<String, String>,
    /// The body, as JSON.
    pub json: Option<Tree>,
    /// The body, byte by byte.
    pub text: Option<String>,
    /// The body, in base64.
    pub base64: Option<String>,
    /// A stream's events.
    pub events: Option<Vec<StreamEvent>>,
    /// How events are framed. Default `sse`.
    pub framing: Framing,
    /// Bytes that come at a time. Default: an event at a time, or a whole body.
    pub pieces: Option<usize>,
}

/// One event of a stream.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamEvent {
    /// Its name, where the API gives it one.
    #[serde(default)]
    pub event: Option<String>,
    /// What it carries: JSON, or a text as it is (`[DONE]`).
    pub data: Tree,
}

/// How a stream's events are framed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// Lines of JSON.
    Lines,
    /// One JSON array (Gemini without `alt=sse`).
    JsonArray,
    /// Amazon's binary events.
    EventStream,
}

/// What has to come of an exchange. What is not here may be anything; lists are whole, in any order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// `allow`, `deny` or `none`.
    pub decision: Option<String>,
    /// What was done: `pass`, `edit`, `route`, `reply`, `replace` or `observe`.
    pub action: Option<String>,
    /// The reason code of the denial.
    pub reason: Option<String>,
    /// Ids of the statements that made the decision.
    pub rules: Option<Vec<String>>,
    /// Ids of observed statements that fitted.
    pub observed: Option<Vec<String>>,
    /// Findings as on the record: `in:EMAIL_ADDRESS/mask=1`, or without the number for any.
    pub findings: Option<Vec<String>>,
    /// Codes of what was noticed and let through.
    pub notes: Option<Vec<String>>,
    /// Other values of the record, by key; `null` where there must be none.
    pub record: BTreeMap<String, Option<String>>,
    /// What the upstream receives, or `nothing`.
    pub upstream: Option<NameOr<Sent>>,
    /// What the caller gets.
    pub client: Option<Got>,
}

/// What the upstream has to receive.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sent {
    /// Which target it is, where a route sends it elsewhere.
    pub target: Option<String>,
    /// The path, and query.
    pub path: Option<String>,
    /// Headers; `null` where there must be none.
    pub headers: BTreeMap<String, Option<String>>,
    /// The body is byte by byte the caller's.
    pub unchanged: bool,
    /// The whole body, as JSON.
    pub json: Option<Tree>,
    /// Values of the body by JSON pointer.
    pub at: BTreeMap<String, Tree>,
    /// JSON pointers at which there must be nothing.
    pub absent: Vec<String>,
    /// Texts that the body holds.
    pub contains: Vec<String>,
    /// Texts that it does not.
    pub lacks: Vec<String>,
}

/// What the caller has to get.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Got {
    /// The status.
    pub status: Option<u16>,
    /// Headers; `null` where there must be none.
    pub headers: BTreeMap<String, Option<String>>,
    /// The body is byte by byte the upstream's.
    pub unchanged: bool,
    /// The whole body, as JSON.
    pub json: Option<Tree>,
    /// Values of the body by JSON pointer.
    pub at: BTreeMap<String, Tree>,
    /// JSON pointers at which there must be nothing.
    pub absent: Vec<String>,
    /// Texts that the body holds: as it came, in an event, or in the text that the pieces of a stream make.
    pub contains: Vec<String>,
    /// Texts that it does not.
    pub lacks: Vec<String>,
    /// The text that the pieces of a stream make.
    pub says: Option<String>,
}

/// A name, or what would have one, written in its place.
#[derive(Clone, Debug)]
pub enum NameOr<T> {
    /// A text.
    Name(String),
    /// A mapping.
    Own(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NameOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = NameOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a mapping")
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<NameOr<T>, E> {
                Ok(NameOr::Name(v.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NameOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(NameOr::Own)
            }
        }
        deserializer.deserialize_any(V(PhantomData))
    }
}
