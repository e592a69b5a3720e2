//! How exchanges are tied together, what they add up to, and what that tightens.

use serde::Deserialize;

use super::{Direction, Mode};
use crate::config::{Duration, OneOrMany};
use crate::policy::Number;
use crate::protocol::Channel;

/// Sessions: exchanges of one caller that belong together, by the ids that the APIs have for that (`conversation`, a
/// `session_id`, `conversation_id` or `thread_id` in `metadata`, `prompt_cache_key`, `user`, an MCP session, a header of
/// `headers`), and without any by time. Nobody gets into another caller's session, whatever id they send; and what a caller shows adds up beside
/// that over all of their sessions.
///
/// Kept in memory, for the workers of one process: of a caller 16 sessions (the one that has shown least gives way) and what all have
/// added up to, mostly less than 0.7 KB and at most 3 KB; of all callers at most 16 MB, which is 20,000 of the former. Who was seen least
/// recently is forgotten.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionsDocument {
    /// Requests without an id that come so long after the one before begin another session. Default: 30m.
    #[serde(default)]
    pub gap: Option<Duration>,
    /// After so long half of what has added up is left. Default: 4h.
    #[serde(default)]
    pub half_life: Option<Duration>,
    /// Headers of requests in which applications name their sessions.
    #[serde(default)]
    pub headers: OneOrMany<String>,
    /// What adds up. At most 16.
    #[serde(default)]
    pub risk: Vec<RiskDocument>,
    /// What happens once enough has.
    #[serde(default)]
    pub thresholds: Vec<ThresholdDocument>,
    /// A session that findings have sent to a route's target stays there, also when later requests do not carry them any more.
    /// Default: true.
    #[serde(default = "yes")]
    pub keep_route: bool,
}

/// Something that adds up: `detect` or `reasons`. A value counts once in a session, however often a conversation repeats it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskDocument {
    /// What `seen` of thresholds and the record name it by.
    pub id: String,
    /// Types or groups of findings, as in `content`, whether or not a content statement looks for them.
    #[serde(default)]
    pub detect: OneOrMany<String>,
    /// With `detect`: which way. Default: both.
    #[serde(default)]
    pub direction: OneOrMany<Direction>,
    /// With `detect`: where in the exchange the text stands. Default: everywhere.
    #[serde(default)]
    pub channels: OneOrMany<Channel>,
    /// Reason codes of denials (globs): `content.*`, `tool.not_allowed`.
    #[serde(default)]
    pub reasons: OneOrMany<String>,
    /// What one value, or one denial, adds to the risk, from 0 to 1000. Default: 1.
    #[serde(default)]
    pub weight: Option<Number>,
    /// Controls that the statement serves, as auditors know them: `GDPR Art. 32`. They decide nothing; `doorward report --policy`
    /// counts what the statement did as evidence for them.
    #[serde(default)]
    pub controls: OneOrMany<String>,
}

/// What happens once enough has added up: `above`, `seen`, or both.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdDocument {
    /// On the record when this decided.
    pub id: String,
    /// `observe`: recorded, never part of the outcome.
    #[serde(default)]
    pub mode: Mode,
    /// What has added up in the `session` (the default), or over all of the `principal`'s.
    #[serde(default)]
    pub of: Of,
    /// The risk is above this.
    #[serde(default)]
    pub above: Option<Number>,
    /// Each of these (ids of `risk`) has been seen; after two half-lives a value that was seen once counts no more.
    #[serde(default)]
    pub seen: OneOrMany<String>,
    /// The caller has one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
    /// What is done.
    pub action: Tighten,
    /// For `action: route`: the id of one of `routes`.
    #[serde(default)]
    pub route: Option<String>,
    /// For `action: forbid_tools`: which (globs). Default: all.
    #[serde(default)]
    pub tools: OneOrMany<String>,
    /// Controls that the statement serves, as auditors know them: `GDPR Art. 32`. They decide nothing; `doorward report --policy`
    /// counts what the statement did as evidence for them.
    #[serde(default)]
    pub controls: OneOrMany<String>,
}

/// Over what something adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// One session.
    #[default]
    Session,
    /// All sessions of the caller.
    Principal,
}

/// What a threshold does. The request that passes it is held to it already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tighten {
    /// Recorded (`session.flagged` in the notes).
    Flag,
    /// Refused with `session.denied`.
    Deny,
    /// Requests go where `route` says.
    Route,
    /// Tools are taken away: offered ones as `tool_use` says, calls over MCP are refused.
    ForbidTools,
}

fn yes() -> bool {
    true
}
