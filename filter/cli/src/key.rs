//! `doorward key`: an API key, and the entry for it in a policy.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{anyhow, bail};
use doorward_core::config::{Path, from_tree, tree_from_json};
use doorward_core::identity::{Identity, IdentityDocument, mint_api_key};
use serde::Serialize;

use crate::args::{Format, KeyArguments};
use crate::{Outcome, report};

/// An entry of `identity.api_keys`.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    id: &'a str,
    digest: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    groups: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    team: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Minted<'a> {
    key: &'a str,
    #[serde(flatten)]
    entry: Entry<'a>,
}

/// Runs the command.
///
/// # Errors
/// No random numbers, an entry that no policy would take, or the output failed.
pub fn run(arguments: &KeyArguments) -> anyhow::Result<Outcome> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|e| anyhow!("the operating system gave no random numbers: {e}"))?;
    let minted = mint_api_key(random);
    let entry = Entry {
        id: arguments.id.as_deref().unwrap_or(&minted.id),
        digest: &minted.digest,
        user: arguments.user.as_deref(),
        groups: &arguments.groups,
        team: arguments.team.as_deref(),
        purpose: arguments.purpose.as_deref(),
        expires: arguments.expires.as_deref(),
    };
    accepted(&entry)?;
    if entry.user.is_none() {
        report::note("the key names no user: a policy takes it only with `require: {user: false}`");
    }
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Json => {
            writeln!(out, "{}", serde_json::to_string_pretty(&Minted { key: &minted.key, entry })?)?;
        }
        Format::Human => {
            // First the entry: without it the key would be of no use.
            write!(out, "{}", yaml(&entry))?;
            out.flush()?;
            report::secret("the API key, shown once and kept nowhere; the policy holds its digest:", &minted.key)?;
        }
    }
    out.flush()?;
    Ok(Outcome::Clean)
}

/// Asks the code that will read the entry.
fn accepted(entry: &Entry<'_>) -> anyhow::Result<()> {
    let json = serde_json::json!({"api_keys": [entry]}).to_string();
    let read = tree_from_json(&json).and_then(|tree| {
        let document: IdentityDocument = from_tree(&tree, &Path::root())?;
        Identity::compile(&document, &|_| None, &Path::root())
    });
    let Err(problem) = read else { return Ok(()) };
    let path = problem.path.to_string();
    let option = path.rsplit('.').next().filter(|field| ["id", "expires"].contains(field));
    let option = option.map_or_else(String::new, |field| format!("--{field}: "));
    let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
    bail!("{option}{}{help}", problem.message)
}

/// The entry as YAML, indented for the list below `identity:` and `api_keys:`.
fn yaml(entry: &Entry<'_>) -> String {
    let mut out = format!("    - id: {}\n      digest: {}\n", scalar(entry.id), entry.digest);
    let mut line = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            let _ = writeln!(out, "      {key}: {}", scalar(value));
        }
    };
    line("user", entry.user);
    line("team", entry.team);
    line("purpose", entry.purpose);
    line("expires", entry.expires);
    if !entry.groups.is_empty() {
        let groups: Vec<String> = entry.groups.iter().map(|group| scalar(group)).collect();
        let _ = writeln!(out, "      groups: [{}]", groups.join(", "));
    }
    out
}

/// Text in quotes, unless every reader of YAML takes it as text without.
fn scalar(text: &str) -> String {
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./@".contains(&b))
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_where_yaml_needs_them() {
        for (text, written) in [
            ("alice", "alice"),
            ("alice@corp.io", "alice@corp.io"),
            ("No", "\"No\""),
            ("2026-12-31", "\"2026-12-31\""),
            ("a: b", "\"a: b\""),
            ("a\"b", r#""a\"b""#),
            ("é", "\"é\""),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }
}
