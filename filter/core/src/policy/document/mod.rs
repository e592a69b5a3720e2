//! The policy document as it is written: serde shapes, nothing decided yet.

mod access;
mod anomaly;
mod audit;
mod content;
mod limits;
mod metrics;
mod routes;
mod sessions;
mod settings;
mod tools;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::number::Number;
use crate::config::{OneOrMany, Tree};
use crate::identity::IdentityDocument;
use crate::inspect::DetectorsDocument;
use crate::protocol::Api;

pub use access::{AccessDocument, AccessEffect, CapDocument, Scalar};
pub use anomaly::{AnomalyActionDocument, AnomalyDocument, BaselineDocument, React, WatchDocument};
pub use audit::{AuditDocument, BreakGlassDocument, Capture, UserNames};
pub use content::{
    Action, ContentDocument, Direction, OnChange, Placeholder, RedactionDocument, StreamMode, ToolDocument,
};
pub use limits::{GlobalDocument, LimitDocument, OnServiceFailure, Per, Refund, ReserveDocument, Unit};
pub use metrics::{MetricsDocument, OpenTelemetry};
pub use routes::{RouteDocument, RouteToDocument, RouteWhenDocument};
pub use sessions::{Of, RiskDocument, SessionsDocument, ThresholdDocument, Tighten};
pub use settings::{AnswersDocument, AtMaxHold, EnvoyDocument, FirstUse, LimitHeaders, McpDocument, Verdict};
pub use tools::{ArgumentDocument, Declared, TaintDocument, ToolRuleDocument, ToolUseDocument};

/// A whole policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The document's format: `doorward/v1`.
    pub version: Version,
    /// The policy's name: on the record, and the prefix of its entries in the shared store, so that counters
    /// survive an update of the policy. Letters, digits, `-`, `_` and `.`.
    #[serde(default = "default_name")]
    pub name: String,
    /// Whether verdicts are carried out (`enforce`) or only recorded (`observe`).
    #[serde(default)]
    pub mode: Mode,
    /// Packs of statements that are compiled into the filter, pinned by version: `gdpr@1`. `doorward packs` lists them. A statement of the
    /// policy with the id of a pack's changes that one: its keys count, and the pack's others stay.
    #[serde(default)]
    pub extends: OneOrMany<String>,
    /// What is governed, by Envoy cluster or route.
    pub targets: Vec<TargetDocument>,
    /// What happens to requests that no target names: `deny`, or `pass` them untouched.
    #[serde(default)]
    pub ungoverned: Ungoverned,
    /// How a caller is proven.
    pub identity: IdentityDocument,
    /// Names for sets of callers.
    #[serde(default)]
    pub roles: BTreeMap<String, OneOrMany<RoleDocument>>,
    /// Models with aliases and prices. A model need not be listed to be allowed.
    #[serde(default)]
    pub models: Vec<ModelDocument>,
    /// Who may use what. Nothing that no statement allows.
    #[serde(default)]
    pub access: Vec<AccessDocument>,
    /// Custom detectors, dictionaries, thresholds and allow-lists.
    #[serde(default)]
    pub detectors: DetectorsDocument,
    /// What to look for in texts, and what to do about it.
    #[serde(default)]
    pub content: Vec<ContentDocument>,
    /// Which traffic goes to another target than Envoy chose first.
    #[serde(default)]
    pub routes: Vec<RouteDocument>,
    /// How values are replaced.
    #[serde(default)]
    pub redaction: RedactionDocument,
    /// What is known of tools.
    #[serde(default)]
    pub tools: Vec<ToolDocument>,
    /// What is done about tools that access does not allow.
    #[serde(default)]
    pub tool_use: ToolUseDocument,
    /// MCP servers.
    #[serde(default)]
    pub mcp: McpDocument,
    /// How much of it.
    #[serde(default)]
    pub limits: Vec<LimitDocument>,
    /// What a request is taken to use before that is known.
    #[serde(default)]
    pub reserve: ReserveDocument,
    /// How exchanges are tied together, what they add up to, and what that tightens. Default: they are not.
    #[serde(default)]
    pub sessions: Option<SessionsDocument>,
    /// What is usual for each caller, and what happens beyond it. Default: nobody looks.
    #[serde(default)]
    pub anomaly: Option<AnomalyDocument>,
    /// What to do with answers.
    #[serde(default)]
    pub answers: AnswersDocument,
    /// What is recorded beyond the record's fields.
    #[serde(default)]
    pub audit: AuditDocument,
    /// A switch to `observe` for a time, in an emergency. Default: none.
    #[serde(default)]
    pub break_glass: Option<BreakGlassDocument>,
    /// Metrics beside Doorward's own.
    #[serde(default)]
    pub metrics: MetricsDocument,
    /// Facts about the deployment that the filter cannot see.
    #[serde(default)]
    pub envoy: EnvoyDocument,
    /// A second policy that judges requests beside this one and changes nothing: of `targets`, `roles`, `models`, `access`, `detectors`,
    /// `content`, `tools` and `tool_use` those that stand here, and this policy's own for the rest. Where it would have judged a request
    /// otherwise, `doorward.candidate` is on the record. It counts nothing, asks no external detectors, and judges no answers.
    #[serde(default)]
    pub candidate: Option<Tree>,
}

fn default_name() -> String {
    "default".to_owned()
}

/// The document's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Version {
    /// The first.
    #[serde(rename = "doorward/v1")]
    V1,
}

/// Whether a verdict is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is.
    #[default]
    Enforce,
    /// It is only recorded.
    Observe,
}

/// What happens to traffic that no target names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ungoverned {
    /// It is refused with 403.
    #[default]
    Deny,
    /// It passes untouched.
    Pass,
}

/// One governed destination.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetDocument {
    /// The target's name: on the record, and what statements refer to.
    pub name: String,
    /// The Envoy clusters (globs) whose traffic this governs.
    #[serde(default)]
    pub cluster: OneOrMany<String>,
    /// The Envoy routes (globs over the route's `name`) whose traffic this governs.
    #[serde(default)]
    pub route: OneOrMany<String>,
    /// Who answers, in OpenTelemetry's words: `openai`, `anthropic`, `azure.ai.openai`, ...
    pub provider: String,
    /// The APIs that may be used here. Default: all that Doorward governs.
    #[serde(default)]
    pub apis: OneOrMany<Api>,
    /// A path in front of the API's own, such as `/llm/openai`.
    #[serde(default)]
    pub path_prefix: String,
    /// The URL that callers know an MCP server by, which is told in its protected-resource metadata (RFC 9728). Default: the URL of the
    /// request.
    #[serde(default)]
    pub resource: Option<String>,
    /// What the upstream learns of the caller: `none` (the default), `assertion` (a token of our own for one minute, in
    /// `x-doorward-assertion`, signed with `mcp.assertion_key`), or `same-audience` (the caller's own token, if its `aud` names one of
    /// `audiences`; never an API key). A token for somebody else stays here, which is noted (`forward.audience`).
    #[serde(default)]
    pub forward: Forward,
    /// For `forward: same-audience`: the audiences that mean this upstream. Default: `resource`.
    #[serde(default)]
    pub audiences: OneOrMany<String>,
    /// For an MCP server: how it is spoken to. `streamable-http` (the default) is what versions from 2025-03-26 on have; `sse` is the
    /// HTTP+SSE transport of 2024-11-05, where a GET opens a stream and messages are POSTed to the address that its `endpoint` event tells,
    /// which Doorward ties to the caller who opened it. A server that has both is two targets, by their routes.
    #[serde(default)]
    pub transport: Transport,
    /// For `apis: a2a`: hosts (globs) that an agent may be told to push notifications to. Default: none.
    #[serde(default)]
    pub push_hosts: OneOrMany<String>,
    /// Who answers for this target: on the record.
    #[serde(default)]
    pub owner: Option<String>,
    /// What happens to proven callers' requests whose path is no API call that is known here: `deny`, or `pass` them unread,
    /// which is on the record.
    #[serde(default)]
    pub unknown_paths: Ungoverned,
    /// Callers sign their requests for the provider themselves (AWS SigV4 in `authorization`), and are proven otherwise (mTLS,
    /// metadata). The signature goes on, nothing of such a request is changed, and what a statement would replace is refused.
    /// Default: only credentials of callers are taken from `authorization`.
    #[serde(default)]
    pub signed: bool,
    /// Ask for the usage of a stream (`stream_options.include_usage`) where an OpenAI-compatible API tells it only then and the
    /// caller did not. The event with it is kept from such a caller. Default: true; say `false` for a server that does not know
    /// the option.
    #[serde(default = "yes")]
    pub ask_for_usage: bool,
}

/// How an MCP server is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Streamable HTTP, of versions from 2025-03-26 on.
    #[default]
    StreamableHttp,
    /// HTTP+SSE, of version 2024-11-05.
    Sse,
}

/// What an upstream learns of the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forward {
    /// Nothing.
    #[default]
    None,
    /// Who it is, as we say.
    Assertion,
    /// The caller's own token.
    SameAudience,
}

/// Conditions on a caller, all of which must hold. A list in a condition is satisfied by any of its items (globs).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleDocument {
    /// The caller is in one of these groups.
    #[serde(default)]
    pub groups: OneOrMany<String>,
    /// The caller's team.
    #[serde(default)]
    pub teams: OneOrMany<String>,
    /// The caller's user.
    #[serde(default)]
    pub users: OneOrMany<String>,
    /// The caller's workload (SPIFFE id).
    #[serde(default)]
    pub workloads: OneOrMany<String>,
    /// The purpose the credential states.
    #[serde(default)]
    pub purposes: OneOrMany<String>,
    /// Further claims: name to accepted values (globs); `"*"` asks only that the claim be there.
    #[serde(default)]
    pub claims: BTreeMap<String, OneOrMany<String>>,
}

/// What is known of a model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelDocument {
    /// The name the provider knows it by.
    pub name: String,
    /// Other names that callers may use; a request is rewritten to `name`, and access judged by it.
    #[serde(default)]
    pub aliases: OneOrMany<String>,
    /// Names (globs) under which the provider may answer for it, beside dated snapshots of `name`.
    #[serde(default)]
    pub answers_as: OneOrMany<String>,
    /// What a million tokens cost.
    #[serde(default)]
    pub price: Option<PriceDocument>,
}

/// Prices for a million tokens, in one currency.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceDocument {
    /// Input tokens.
    pub input: Number,
    /// Output tokens.
    pub output: Number,
    /// Input tokens read from the provider's cache. Default: as input.
    #[serde(default)]
    pub cached_input: Option<Number>,
    /// Input tokens written to the provider's cache. Default: as input.
    #[serde(default)]
    pub cache_write: Option<Number>,
    /// ISO 4217. Default: USD.
    #[serde(default = "default_currency")]
    pub currency: String,
}

fn default_currency() -> String {
    "USD".to_owned()
}

fn yes() -> bool {
    true
}
