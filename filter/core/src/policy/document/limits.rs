//! How much: requests, tokens, money, calls at a time.

use serde::Deserialize;

use super::{Mode, Verdict};
use crate::config::{Duration, OneOrMany};
use crate::policy::Number;

/// Whom or what a limit counts apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each caller: the user, where none is proven the workload, else the key; of one issuer, proven in one way.
    #[default]
    Principal,
    /// Each team; who has none shares one count.
    Team,
    /// Each role, of those in `roles` where there are any; a caller with several counts in each.
    Role,
    /// Each workload (SPIFFE id); who has none shares one count.
    Workload,
    /// Each model, aliases resolved; those that the policy does not know share 1,024 counts.
    Model,
    /// Each tool that is called over MCP; names share 1,024 counts.
    Tool,
    /// Each target.
    Target,
    /// Nothing: all that the limit fits count together.
    All,
}

/// A part of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A minute of the clock.
    Minute,
    /// An hour of the clock.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday (ISO 8601).
    Week,
    /// A month.
    Month,
}

/// One limit: exactly one of `requests`, `input_tokens`, `output_tokens`, `total_tokens`, `cost`, `concurrent`. All limits that
/// fit a request hold at once.
///
/// Tokens and money are reserved before a request goes on, for what it may use at most (its text; `max_tokens` times `n`), and
/// settled with what it did use, however it ends. So calls at the same time cannot pass a limit together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitDocument {
    /// On the record when this decided.
    pub id: String,
    /// How many requests. Refused ones count, too.
    #[serde(default)]
    pub requests: Option<u64>,
    /// How many tokens in, cached ones included.
    #[serde(default)]
    pub input_tokens: Option<u64>,
    /// How many tokens out.
    #[serde(default)]
    pub output_tokens: Option<u64>,
    /// How many tokens in and out.
    #[serde(default)]
    pub total_tokens: Option<u64>,
    /// How much money, by the prices in `models`, in `currency`.
    #[serde(default)]
    pub cost: Option<Number>,
    /// How many calls at a time.
    #[serde(default)]
    pub concurrent: Option<u64>,
    /// The window: the last so many seconds, hours or days (`60s`, `1h`, `7d`; at most 31 days), at any time. What was used leaves in
    /// eighths of it, so that it reaches back for up to an eighth more.
    #[serde(default)]
    pub window: Option<Duration>,
    /// Instead of `window`: this `minute`, `hour`, `day`, `week` or `month`.
    #[serde(default)]
    pub calendar: Option<Unit>,
    /// Where the calendar is looked at: an offset from UTC (`+02:00`) or a POSIX rule (`CET-1CEST,M3.5.0,M10.5.0/3`). Default: UTC.
    #[serde(default)]
    pub zone: Option<String>,
    /// Whom it counts apart; of several, each combination (`[team, model]`).
    #[serde(default)]
    pub per: OneOrMany<Per>,
    /// `observe`: counted and recorded, never part of the outcome.
    #[serde(default)]
    pub mode: Mode,
    /// The caller has one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
    /// The target's name.
    #[serde(default)]
    pub targets: OneOrMany<String>,
    /// The model, aliases resolved: globs.
    #[serde(default)]
    pub models: OneOrMany<String>,
    /// Calls of these tools over MCP: globs.
    #[serde(default)]
    pub tools: OneOrMany<String>,
    /// Where this limit fits, the one with that id does not hold.
    #[serde(default)]
    pub replaces: Option<String>,
    /// Beyond the limit, requests that name a model are made to this one instead of being refused, and do not count here. Access
    /// must allow it, and all other limits hold for it. What names no model is refused.
    #[serde(default)]
    pub step_down: Option<String>,
    /// Other amounts for a while.
    #[serde(default)]
    pub overrides: Vec<OverrideDocument>,
    /// With `cost`: the currency, ISO 4217. Prices in others are no prices. Default: USD.
    #[serde(default)]
    pub currency: Option<String>,
    /// With `cost`: what becomes of requests for models without a price. Default: deny.
    #[serde(default)]
    pub unpriced: Verdict,
}

/// Another amount for a while.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideDocument {
    /// Instead of the limit's own amount, in its unit.
    pub amount: Number,
    /// From then on (RFC 3339: `2026-12-01T00:00:00Z`). Default: now.
    #[serde(default)]
    pub from: Option<String>,
    /// Until then (RFC 3339).
    pub until: String,
    /// Only for callers with one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
}

/// How much a request is taken to use before it is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReserveDocument {
    /// Where a limit on tokens or money holds and a request names no `max_tokens`, it gets this one. Default: 4096.
    pub max_tokens: u64,
    /// Tokens in that one provider-side tool (web search, code interpreter, ...) is taken to add. Default: 8000.
    pub provider_tool_tokens: u64,
    /// Tokens in that one picture, sound, video or document is taken to be. Default: 2000.
    pub media_tokens: u64,
}

impl Default for ReserveDocument {
    fn default() -> Self {
        Self { max_tokens: 4096, provider_tool_tokens: 8000, media_tokens: 2000 }
    }
}
