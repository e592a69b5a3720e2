//! Answers, the record, and the deployment.

use serde::Deserialize;

use super::yes;
use crate::config::SecretRef;

/// What all MCP servers have in common.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpDocument {
    /// Ties the ids of sessions and tasks, and the addresses of `transport: sse`, to whose they are with HMAC-SHA-256: at least 32 bytes, the same wherever one server is reached by several
    /// Envoys. Default: a random key of each Envoy process, and sessions that end with it.
    #[serde(default)]
    pub session_key: Option<SecretRef>,
    /// Signs assertions (`forward: assertion` of a target) with HMAC-SHA-256: at least 32 bytes that the upstream has, too.
    #[serde(default)]
    pub assertion_key: Option<SecretRef>,
    /// What happens to tools without a pin: `flag` (the default) remembers how each was first described, in one Envoy process and while it
    /// lives, 1,024 tools for each target, and notes every list in which one is described otherwise (`tool.redefined`); `off` does not.
    /// Nothing is hidden or refused by it: what is to be enforced is pinned (`tools`).
    #[serde(default)]
    pub first_use: FirstUse,
}

/// What happens to tools of MCP servers that have no pin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstUse {
    /// They are remembered, and changes noted.
    #[default]
    Flag,
    /// Nothing.
    Off,
}

/// What to do with answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswersDocument {
    /// Answers that cannot be read (compressed, binary, too large), and those with pictures or sound in them that the call was not
    /// for, streamed or not: `deny` them, or `allow` and record. Default: deny.
    pub unscannable: Verdict,
    /// An answer from another model than was asked for: `allow` and record, or `deny`. Default: allow.
    pub model_mismatch: Verdict,
    /// Answers with more bytes of text than this are noted (`answer.size`). Default: 65536.
    pub note_bytes: u32,
    /// How many bytes of one text of a stream are held back while they may still become a finding, before `at_max_hold`
    /// decides. Default: 16384.
    pub max_hold_bytes: u32,
    /// What happens then. Default: `hold`.
    pub at_max_hold: AtMaxHold,
    /// Which answers tell the caller how the tightest limit on requests or tokens stands (`RateLimit-Limit`, `-Remaining` and `-Reset`,
    /// draft-ietf-httpapi-ratelimit-headers-03). Default: `always`.
    pub limit_headers: LimitHeaders,
    /// One of these makes what a pack sets weaker: without it, what does so is refused. On the record (`doorward.policy.weakened`).
    pub weakens: bool,
}

/// What happens to a text of a stream of which more is held back than `max_hold_bytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtMaxHold {
    /// It is held on, up to `envoy.max_body_bytes`; beyond, the stream ends with `answer.unscannable`.
    #[default]
    Hold,
    /// It is let go unjudged, and that is recorded.
    Release,
}

/// Which answers tell how limits stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitHeaders {
    /// Each one.
    #[default]
    Always,
    /// Refusals only: callers need not know what they or their team have left, or nobody reads it.
    Refusals,
}

impl Default for AnswersDocument {
    fn default() -> Self {
        Self {
            unscannable: Verdict::Deny,
            model_mismatch: Verdict::Allow,
            note_bytes: 64 * 1024,
            max_hold_bytes: 16 * 1024,
            at_max_hold: AtMaxHold::Hold,
            limit_headers: LimitHeaders::Always,
            weakens: false,
        }
    }
}

/// An explicit outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Refused.
    #[default]
    Deny,
    /// Let through, and recorded.
    Allow,
}

/// Facts about the deployment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvoyDocument {
    /// Envoy's plugin configuration has `allow_on_headers_stop_iteration: true`, so that headers can wait for the
    /// body. Plain Istio WasmPlugin cannot set it: say `false` there.
    #[serde(default = "yes")]
    pub hold_headers: bool,
    /// The largest body that is read, in bytes. Keep it below the listener's `per_connection_buffer_limit_bytes`.
    #[serde(default = "default_max_body_bytes")]
    pub max_body_bytes: u32,
    /// Who the caller is stands on the record as soon as they are proven, and not at the end only: for filters behind this one,
    /// as Envoy's own rate limits are.
    #[serde(default)]
    pub record_caller_first: bool,
}

impl Default for EnvoyDocument {
    fn default() -> Self {
        Self { hold_headers: true, max_body_bytes: default_max_body_bytes(), record_caller_first: false }
    }
}

/// Just below Envoy's own default limit of 1 MiB, so that ours answers first, in the API's dialect.
fn default_max_body_bytes() -> u32 {
    1_000_000
}
