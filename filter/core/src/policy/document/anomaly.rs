//! What is usual for each caller, and what happens beyond it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Mode;
use crate::config::{Duration, OneOrMany};
use crate::policy::Number;

/// Baselines of what each caller does, learned hour by hour and day by day, and what happens when one does far more.
///
/// Nobody is compared with their own past before the warm-up is over (`warmup`, and 20 hours or 5 days in which they did anything);
/// `ceilings` hold from the first request on. Of a caller 0.5 KB are kept in memory, for the workers of one process, of all at most
/// 16 MB, some 30,000 callers; who was seen least recently is forgotten. A restart forgets all but `baselines`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnomalyDocument {
    /// How long a caller must be known before they are compared with their own past, from `1d` on. Default: 7d.
    #[serde(default)]
    pub warmup: Option<Duration>,
    /// How many deviations (of logarithms) are unusual, from 2 to 20. Default: 4.5.
    #[serde(default)]
    pub sensitivity: Option<Number>,
    /// How long a caller counts as unusual after they last were. Default: 1h.
    #[serde(default)]
    pub hold: Option<Duration>,
    /// What is not unusual for anybody: below so much in an hour nothing is flagged. Defaults: 40 requests, 200000 tokens, 5 of
    /// cost, 20 denials, 8 names, 30 findings, 60 identifiers, 40 similar queries, 200000 bytes encoded.
    #[serde(default)]
    pub floors: BTreeMap<WatchDocument, Number>,
    /// What is unusual for everybody, in an hour, during the warm-up too. Default: none.
    #[serde(default)]
    pub ceilings: BTreeMap<WatchDocument, Number>,
    /// What happens.
    #[serde(default)]
    pub actions: Vec<AnomalyActionDocument>,
    /// What was learned before, as `doorward baseline` makes it from access logs.
    #[serde(default)]
    pub baselines: Vec<BaselineDocument>,
}

/// What is watched of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchDocument {
    /// Requests, refused ones too.
    Requests,
    /// Tokens, in and out.
    Tokens,
    /// What they cost, in whatever currency the models' prices have.
    Cost,
    /// Denials: somebody tries what is possible.
    Denials,
    /// Distinct models and tools in a day.
    Names,
    /// Findings.
    Findings,
    /// Distinct values that statements found in an hour, on the way in and out: somebody reads a table from end to end.
    Identifiers,
    /// Queries that are like one of the four before, but for numbers: somebody counts an id up.
    Similar,
    /// Bytes of encoded or random-looking runs in what a request adds to its conversation: somebody packs data up.
    Encoded,
}

/// What happens while a caller is unusual.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnomalyActionDocument {
    /// On the record when this decided.
    pub id: String,
    /// `observe`: recorded, never part of the outcome.
    #[serde(default)]
    pub mode: Mode,
    /// In what. Default: in anything.
    #[serde(default)]
    pub watch: OneOrMany<WatchDocument>,
    /// The caller has one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
    /// What is done.
    pub action: React,
    /// For `throttle`: so many requests a minute. Default: 6.
    #[serde(default)]
    pub rate: Option<u32>,
    /// For `fresh_token`: how long ago the token may have been issued (`iat`). Default: 5m.
    #[serde(default)]
    pub max_age: Option<Duration>,
    /// Controls that the statement serves, as auditors know them: `GDPR Art. 32`. They decide nothing; `doorward report --policy`
    /// counts what the statement did as evidence for them.
    #[serde(default)]
    pub controls: OneOrMany<String>,
}

/// What is done about a caller who is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum React {
    /// Recorded (`anomaly.flagged` in the notes).
    Flag,
    /// Slowed down: beyond `rate` refused with `anomaly.throttled`.
    Throttle,
    /// Refused with 401 (`anomaly.fresh_token`) unless the token was issued just now: whoever has only stolen one cannot get
    /// another. API keys and certificates are never fresh.
    FreshToken,
    /// Refused with `anomaly.denied`.
    Deny,
}

/// What was learned of one caller.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineDocument {
    /// The caller: `doorward.caller` on the record.
    pub caller: String,
    /// What was learned, as text.
    pub learned: String,
}
