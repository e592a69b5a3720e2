//! How much: requests, tokens, money, calls at a time.

use serde::Deserialize;

use super::{Mode, Verdict};
use crate::config::{Duration, OneOrMany, SecretRef};
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
/// settled with what it did use, however it ends. So calls at the same time cannot pass a limit together. Where calls follow each
/// other fast, a worker reserves and settles several at once: for a second or two, up to an eighth of what is left, for all workers
/// together, may be held back more than need be, and never less.
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
    /// The limit is one for all proxies together: a rate-limit service counts it, beside this one's own count.
    #[serde(default)]
    pub global: Option<GlobalDocument>,
    /// Controls that the statement serves, as auditors know them: `GDPR Art. 32`. They decide nothing; `doorward report --policy`
    /// counts what the statement did as evidence for them.
    #[serde(default)]
    pub controls: OneOrMany<String>,
    /// This makes a statement of a pack weaker: without it, what does so is refused. On the record (`doorward.policy.weakened`).
    #[serde(default)]
    pub weakens: bool,
}

/// A count that all proxies share, in a service that speaks Envoy's rate-limit protocol
/// (`envoy.service.ratelimit.v3.RateLimitService`): Limitador, `envoyproxy/ratelimit`, others.
///
/// Before a request goes on, what it may use at most is charged there, and the request waits for the answer; what it did not use
/// comes back by `refund`. The service has its own configuration, and with it the amount: a descriptor has the entries `limit`
/// (the id), `window` (the first second of the window, since 1970) and `caller` (a hash of whom or what the limit counts apart,
/// empty of names). Since each window has a count of its own, the service only has to keep one for longer than a window lasts, on
/// the clock's edges: `window: 1h` begins at each full hour (UTC) there. Money is charged in millionths.
///
/// Neither what only looks on (`mode: observe`) nor what cannot wait (an upgrade, a path that passes unread) asks the service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalDocument {
    /// Envoy's cluster of the service; it speaks HTTP/2.
    pub cluster: String,
    /// `:authority` of the calls. Default: the cluster's name.
    #[serde(default)]
    pub authority: Option<String>,
    /// The domain (Limitador: namespace) in the service's configuration. Default: doorward.
    #[serde(default = "default_domain")]
    pub domain: String,
    /// How long a request waits for the service at most, 10ms to 5s. Default 500ms.
    #[serde(default = "default_service_timeout")]
    pub timeout: Duration,
    /// What holds for a request where the service does not answer. Default: local.
    #[serde(default)]
    pub on_failure: OnServiceFailure,
    /// How what was charged and not used comes back. Default: credit.
    #[serde(default)]
    pub refund: Refund,
    /// A key of at least 32 bytes that callers' names are hashed with (HMAC-SHA-256); the same for all proxies. Without one, who sees
    /// the service's keys can try names.
    #[serde(default)]
    pub key: Option<SecretRef>,
}

fn default_domain() -> String {
    "doorward".to_owned()
}

fn default_service_timeout() -> Duration {
    Duration::from_millis(500)
}

/// What holds where a rate-limit service does not answer: it cannot be reached, its time is up, it answers with an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnServiceFailure {
    /// This proxy's own count, which admits the limit's amount in each proxy. What is used meanwhile is charged to the service later.
    #[default]
    Local,
    /// The request is refused, 503 `limit.unavailable`.
    Deny,
    /// The request passes; this proxy's own count refuses nothing at any time. What is used meanwhile is charged later.
    Allow,
}

/// How what was charged and not used comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refund {
    /// This proxy keeps it for the next requests of the same count and window: works with every service, and leaves up to what is
    /// kept in each proxy to nobody else.
    #[default]
    Credit,
    /// It goes back to the service, with `is_negative_hits` of the protocol (Envoy 1.38 and later). A service that does not know the
    /// field takes it for another charge.
    NegativeHits,
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
