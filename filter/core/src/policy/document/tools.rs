//! What a model may do: which tools it may be offered and may call, with which arguments.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Scalar, Verdict};
use crate::config::OneOrMany;
use crate::policy::number::Number;
use crate::protocol::Channel;

/// Tools that an access statement is about. Every condition must hold.
///
/// In an allow, arguments must meet all of `arguments`; in a deny, calls whose arguments meet all of them are refused.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRuleDocument {
    /// The tool's name (globs, any case). A deny also knows names that only look like one of these, and names behind an
    /// aggregator's prefix (`server__tool`, `server/tool`). Default: any.
    #[serde(default)]
    pub name: OneOrMany<String>,
    /// What kind of tool it is (globs): `function` (the caller's application runs it; also tools of MCP servers), or what the
    /// provider defines: `web_search`, `web_fetch`, `file_search`, `code_execution`, `computer_use`, `bash`, `text_editor`,
    /// `image_generation`, `memory`, `maps`, `mcp`; any other as the API calls it. Default: `function` in an allow, any in a deny.
    #[serde(default)]
    pub kind: OneOrMany<String>,
    /// For `kind: mcp`: hosts of the MCP servers (globs) that the provider may connect to.
    #[serde(default)]
    pub servers: OneOrMany<String>,
    /// Conditions on arguments, by JSON pointer (RFC 6901): `/to`, `/query/limit`. `*` stands for every member or item
    /// (`/recipients/*`). JSON inside of strings is seen through; names are compared in any case.
    #[serde(default)]
    pub arguments: BTreeMap<String, ArgumentDocument>,
    /// What an allow says to arguments that `arguments` does not name: `allow` (the default) or `deny`.
    #[serde(default = "allow")]
    pub other_arguments: Verdict,
}

fn allow() -> Verdict {
    Verdict::Allow
}

/// Conditions on one argument, all of which must hold. A value that cannot be compared (a bound on a text, a list of hosts on what
/// is no URL) is outside what an allow accepts and inside what a deny refuses.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArgumentDocument {
    /// The only values: text, numbers, booleans. Text is compared exactly.
    #[serde(default)]
    pub one_of: OneOrMany<Scalar>,
    /// Globs over a text, any case.
    #[serde(default)]
    pub glob: OneOrMany<String>,
    /// A regular expression that the whole text must match (regex-lite's syntax). Texts of more than 4,096 bytes do not.
    #[serde(default)]
    pub pattern: Option<String>,
    /// The least number, compared exactly.
    #[serde(default)]
    pub min: Option<Number>,
    /// The greatest number, compared exactly.
    #[serde(default)]
    pub max: Option<Number>,
    /// The greatest length: characters of a text, items of a list, members of an object.
    #[serde(default)]
    pub max_length: Option<u32>,
    /// The least length.
    #[serde(default)]
    pub min_length: Option<u32>,
    /// The text is a URL (http, https, ws, wss) whose host is one of these (globs). `*` does not stand for a dot's absence:
    /// `*.acme.com` is no `acme.com`.
    #[serde(default)]
    pub hosts: OneOrMany<String>,
    /// The text is an absolute path at or below one of these folders, `..` and percent encodings resolved.
    #[serde(default)]
    pub under: OneOrMany<String>,
    /// The text is one SQL statement of these kinds (`select`, `insert`, `update`, `delete`, ...), without others inside.
    #[serde(default)]
    pub sql: OneOrMany<String>,
    /// The argument must be there. Default: in an allow, one that is absent is accepted; a deny always needs it.
    #[serde(default)]
    pub required: bool,
}

/// What a conversation carries, as the request has it: all of its turns, the results of tools among them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaintDocument {
    /// Types or groups of findings, as in `content`: `injection`, `pii`, `credentials`, a policy's own.
    pub detect: OneOrMany<String>,
    /// Where in the conversation the text stands. Default: everywhere.
    #[serde(default)]
    pub channels: OneOrMany<Channel>,
}

/// What is done about tools that are not allowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolUseDocument {
    /// About such tools in a request: `remove` takes them out of it, `deny` refuses it.
    #[serde(default)]
    pub declared: Declared,
    /// Prefixes of aggregators (globs, such as `github__` or `mcp__*__`): what an allow names may also stand behind one of them.
    #[serde(default)]
    pub prefixes: OneOrMany<String>,
}

/// What is done about a tool in a request that is not allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Declared {
    /// It is taken out of the request, and of `tool_choice`.
    #[default]
    Remove,
    /// The request is refused.
    Deny,
}
