//! The policy document as it is written: serde shapes, nothing decided yet.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::number::Number;
use crate::config::{Duration, OneOrMany, SecretRef};
use crate::identity::IdentityDocument;
use crate::inspect::DetectorsDocument;
use crate::protocol::{Api, Channel, Media, Operation};

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
    /// How values are replaced.
    #[serde(default)]
    pub redaction: RedactionDocument,
    /// What is known of tools.
    #[serde(default)]
    pub tools: Vec<ToolDocument>,
    /// How much of it.
    #[serde(default)]
    pub limits: Vec<LimitDocument>,
    /// What to do with answers.
    #[serde(default)]
    pub answers: AnswersDocument,
    /// What is recorded beyond the record's fields.
    #[serde(default)]
    pub audit: AuditDocument,
    /// Facts about the deployment that the filter cannot see.
    #[serde(default)]
    pub envoy: EnvoyDocument,
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

/// Allows or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessEffect {
    /// What fits is allowed, unless a deny fits too.
    Allow,
    /// What fits is denied.
    Deny,
}

/// One access statement. Every condition must hold; one that is absent holds for everything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessDocument {
    /// On the record when this decided.
    pub id: String,
    /// `allow` or `deny`.
    pub effect: AccessEffect,
    /// `observe`: recorded, never part of the outcome.
    #[serde(default)]
    pub mode: Mode,
    /// The caller has one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
    /// The model's name, aliases resolved (globs, any case).
    #[serde(default)]
    pub models: OneOrMany<String>,
    /// The target's provider.
    #[serde(default)]
    pub providers: OneOrMany<String>,
    /// The target's name.
    #[serde(default)]
    pub targets: OneOrMany<String>,
    /// The operation. Default: every one up to `list_models`; what keeps state at the provider or carries many requests at once
    /// (`batches` and what follows) an allow must name.
    #[serde(default)]
    pub operations: OneOrMany<Operation>,
    /// What a request may carry that cannot be read: images, sound, files, token ids, references. An allow without it allows none
    /// of it; a deny with it fits requests that carry any of it.
    #[serde(default)]
    pub media: OneOrMany<Media>,
    /// Whether a request may leave state at the provider or refer to it (`store`, `previous_response_id`, `conversation`,
    /// `cachedContent`, ...): text that is not in the request, and that nobody looks at. Without it a caller who says nothing of
    /// `store` gets `store: false`. In a deny, `true` fits requests that do.
    #[serde(default)]
    pub stateful: bool,
    /// Caps on the request's parameters. `max_tokens`, `n`, `temperature`, `top_p`, `top_k` and `reasoning_effort` stand for
    /// whatever an API calls them, and wherever it has them; others are named as the API does, with dots for members of members.
    /// An allow fits only within its caps; a deny fits what is within them.
    #[serde(default)]
    pub parameters: BTreeMap<String, CapDocument>,
}

/// A cap on one parameter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapDocument {
    /// The least value, compared exactly.
    #[serde(default)]
    pub min: Option<Number>,
    /// The greatest value, compared exactly.
    #[serde(default)]
    pub max: Option<Number>,
    /// The only values accepted: text, numbers, booleans.
    #[serde(default)]
    pub one_of: Option<Vec<Scalar>>,
    /// The parameter must be there. Default: one that is absent is within the cap.
    #[serde(default)]
    pub required: bool,
}

/// A value without parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
}

/// What is done about a finding, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The exchange is refused.
    Deny,
    /// The value is replaced by its type, `[EMAIL_ADDRESS]`.
    Mask,
    /// The value is replaced by its type and a keyed digest, `[EMAIL_ADDRESS:5f2c9a0b7e31]`.
    Hash,
    /// In requests, the value is replaced by a placeholder that the answer turns back; in answers as `mask`.
    Tokenize,
    /// The finding is recorded.
    Flag,
}

impl Action {
    /// Its name in documents, records and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Deny => "deny",
            Action::Mask => "mask",
            Action::Hash => "hash",
            Action::Tokenize => "tokenize",
            Action::Flag => "flag",
        }
    }
}

/// Which way a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the model.
    Request,
    /// From the model.
    Response,
}

/// One content statement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentDocument {
    /// On the record when this decided.
    pub id: String,
    /// Types or groups of findings: `EMAIL_ADDRESS`, `pii`, `secrets`, a custom detector's name, `all`. What an answer must
    /// not carry out (`exfiltration`) is not in `all`.
    pub detect: OneOrMany<String>,
    /// What is done.
    pub action: Action,
    /// `observe`: recorded, never part of the outcome.
    #[serde(default)]
    pub mode: Mode,
    /// Which way. Default: both.
    #[serde(default)]
    pub direction: OneOrMany<Direction>,
    /// Where in the exchange the text stands. Default: everywhere.
    #[serde(default)]
    pub channels: OneOrMany<Channel>,
    /// The caller has one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
    /// The target's name.
    #[serde(default)]
    pub targets: OneOrMany<String>,
    /// How streamed answers are looked at.
    #[serde(default)]
    pub stream: StreamMode,
    /// What a `tokenize` placeholder looks like.
    #[serde(default)]
    pub placeholder: Placeholder,
}

/// How a statement looks at a streamed answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamMode {
    /// Nothing is held back: findings are recorded as the text passes. Only for `flag`.
    Tail,
    /// Text is held back for as long as it may still become a finding.
    #[default]
    Window,
    /// Each text is held back until it is complete.
    HoldAll,
}

/// What a placeholder looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placeholder {
    /// Its type and a keyed code: `[EMAIL_ADDRESS_7f3k2m9q4x1a]`.
    #[default]
    Label,
    /// Another value of the same form, for cards, phone numbers and e-mail addresses; a label for other types.
    Preserve,
}

/// How values are replaced.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedactionDocument {
    /// The key of `hash`: at least 32 bytes.
    #[serde(default)]
    pub hash_key: Option<SecretRef>,
    /// The key of `tokenize`: at least 32 bytes.
    #[serde(default)]
    pub tokenize_key: Option<SecretRef>,
}

/// What is known of tools.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolDocument {
    /// The tool's name (globs).
    pub name: OneOrMany<String>,
    /// Whether values that `tokenize` replaced are put back into the arguments of calls of it. Default: they are not.
    #[serde(default)]
    pub restore: bool,
}

/// Whom a limit counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// Each caller: the user, where none is proven the workload, else the key; of one issuer, proven in one way.
    #[default]
    Principal,
}

/// One limit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitDocument {
    /// On the record when this decided.
    pub id: String,
    /// How many requests in a window.
    pub requests: u32,
    /// The window: whole seconds; windows are aligned to the epoch.
    pub window: Duration,
    /// Whom it counts for.
    #[serde(default)]
    pub per: Per,
    /// `observe`: recorded, never part of the outcome.
    #[serde(default)]
    pub mode: Mode,
    /// The caller has one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
    /// The target's name.
    #[serde(default)]
    pub targets: OneOrMany<String>,
}

/// What to do with answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswersDocument {
    /// Answers that cannot be read (compressed, streamed, binary, too large): `deny` them, or `allow` and record.
    /// Default: deny.
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

impl Default for AnswersDocument {
    fn default() -> Self {
        Self {
            unscannable: Verdict::Deny,
            model_mismatch: Verdict::Allow,
            note_bytes: 64 * 1024,
            max_hold_bytes: 16 * 1024,
            at_max_hold: AtMaxHold::Hold,
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

/// What is recorded beyond the record's fields.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditDocument {
    /// Keyed digests of the bodies are recorded with this key: at least 32 bytes.
    #[serde(default)]
    pub key: Option<SecretRef>,
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
}

impl Default for EnvoyDocument {
    fn default() -> Self {
        Self { hold_headers: true, max_body_bytes: default_max_body_bytes() }
    }
}

fn yes() -> bool {
    true
}

/// Just below Envoy's own default limit of 1 MiB, so that ours answers first, in the API's dialect.
fn default_max_body_bytes() -> u32 {
    1_000_000
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl serde::de::Visitor<'_> for V {
            type Value = Scalar;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string, a number or a boolean")
            }

            fn visit_bool<E>(self, v: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(v))
            }

            fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(Number::from(v)))
            }

            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Scalar, E> {
                Number::from_f64(v).map(Scalar::Number).ok_or_else(|| E::custom("not a finite number"))
            }

            fn visit_str<E>(self, v: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(v.to_owned()))
            }
        }
        deserializer.deserialize_any(V)
    }
}
