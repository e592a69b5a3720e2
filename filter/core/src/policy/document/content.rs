//! What is looked for in texts, and what is done about it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Mode, Verdict};
use crate::config::{OneOrMany, SecretRef};
use crate::protocol::Channel;

/// What is done about a finding, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The exchange is refused.
    Deny,
    /// The request goes where `route` says, and is judged once more for there.
    Route,
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
            Action::Route => "route",
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
    /// not carry out (`exfiltration`) is not in `all`. Prompt injections (`injection`) and topics are judged in whole texts: in an
    /// answer that is streamed, only under `stream: hold_all`.
    pub detect: OneOrMany<String>,
    /// What is done.
    pub action: Action,
    /// For `action: route`, which is for requests only: the id of one of `routes`.
    #[serde(default)]
    pub route: Option<String>,
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
    /// What happens where an external detector that it asks fails: `deny` (the default) refuses, `allow` goes on
    /// with what the others found. Either is on the record.
    #[serde(default)]
    pub on_failure: Option<Verdict>,
    /// Controls that the statement serves, as auditors know them: `GDPR Art. 32`. They decide nothing; `doorward report --policy`
    /// counts what the statement did as evidence for them.
    #[serde(default)]
    pub controls: OneOrMany<String>,
    /// This makes a statement of a pack weaker: without it, what does so is refused. On the record (`doorward.policy.weakened`).
    #[serde(default)]
    pub weakens: bool,
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
    /// For a tool of an MCP server: the SHA-256 of its definition (`doorward pin` makes it), or several while a new one is rolled out.
    #[serde(default)]
    pub pin: OneOrMany<String>,
    /// What happens to a pinned tool that is defined otherwise. Default: `hide`.
    #[serde(default)]
    pub on_change: OnChange,
    /// For a tool of an MCP server: headers that repeat arguments of other names, as `x-mcp-header` in its input schema says: what
    /// follows `Mcp-Param-`, and the argument's JSON pointer (`Region: /location`). Default: each header repeats the argument
    /// that it is named after, in any case and without `-` and `_`; one that is named after none is refused.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The targets whose tool is pinned, or has `headers`. Default: all.
    #[serde(default)]
    pub targets: OneOrMany<String>,
}

/// What happens to a tool whose definition is not the pinned one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// Lists do not show it.
    #[default]
    Hide,
    /// Nor is it called, until a list shows it as it was: in any worker of one Envoy.
    Block,
}
