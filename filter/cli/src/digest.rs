//! `doorward digest`: keyed digests of values that a policy is to find without holding them.

use std::io::Write as _;

use anyhow::{anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_core::config::{Path, from_tree, tree_from_json};
use doorward_core::inspect::exact::Digests;
use doorward_core::inspect::{Detectors, DetectorsDocument};
use serde_json::json;

use crate::args::DigestArguments;
use crate::variables::Variables;
use crate::{Outcome, input, report};

/// Bytes of digests on a line of the entry.
const LINE: usize = 72;
/// So many refused lines are named.
const NAMED: usize = 10;

/// Runs the command.
///
/// # Errors
/// No key, no value, an entry that no policy would take, or the output failed.
pub fn run(arguments: &DigestArguments) -> anyhow::Result<Outcome> {
    let variables = Variables::load(arguments.env_file.as_deref())?;
    let name = &arguments.key_env;
    let Some(key) = variables.known(name) else {
        bail!("the environment variable `{name}` is not set (for a new key: `openssl rand -hex 32`)");
    };
    let text = input::text(&arguments.file)?;
    let lines: Vec<(usize, &str)> =
        text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())).filter(|(_, line)| !line.is_empty()).collect();
    let digests = Digests::of(key.as_bytes(), lines.iter().map(|(_, value)| *value));
    if digests.bytes.is_empty() {
        bail!("no value to make digests of: each needs a digit, and 5 to 40 letters and digits of ASCII");
    }
    let entry = entry(arguments, &digests);
    accepted(&entry, &key)?;
    let mut out = anstream::stdout().lock();
    write!(out, "{}", yaml(arguments, &digests))?;
    out.flush()?;
    if digests.refused.is_empty() {
        return Ok(Outcome::Clean);
    }
    let named: Vec<String> =
        digests.refused.iter().take(NAMED).filter_map(|i| lines.get(*i)).map(|(line, _)| line.to_string()).collect();
    let more = if digests.refused.len() > NAMED { ", ..." } else { "" };
    report::note(&format!(
        "{} of {} values have no digest (lines {}{more}): each needs a digit, and 5 to 40 letters and digits of ASCII",
        digests.refused.len(),
        lines.len(),
        named.join(", ")
    ));
    Ok(Outcome::Problems)
}

fn entry(arguments: &DigestArguments, digests: &Digests) -> serde_json::Value {
    let mut entry = json!({"name": arguments.name, "key": {"env": arguments.key_env}, "least": digests.least,
        "most": digests.most, "digests": STANDARD.encode(&digests.bytes)});
    if let (Some(group), Some(entry)) = (&arguments.group, entry.as_object_mut()) {
        entry.insert("group".to_owned(), json!(group));
    }
    entry
}

/// Asks the code that will read the entry.
fn accepted(entry: &serde_json::Value, key: &str) -> anyhow::Result<()> {
    let path = Path::root();
    let read = tree_from_json(&json!({"exact": [entry]}).to_string()).and_then(|tree| {
        let document: DetectorsDocument = from_tree(&tree, &path)?;
        Detectors::compile(&document, &|_| Some(key.to_owned()), &path)
    });
    read.map(|_| ()).map_err(|problem| {
        let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
        anyhow!("{}{help}", problem.message)
    })
}

/// The entry as YAML, indented for the list below `detectors:` and `exact:`.
fn yaml(arguments: &DigestArguments, digests: &Digests) -> String {
    let group = arguments.group.as_ref().map(|group| format!("    group: {group}\n")).unwrap_or_default();
    let mut out = format!(
        "  - name: {}\n{group}    key: {{env: {}}}\n    least: {}\n    most: {}\n    digests:\n",
        arguments.name, arguments.key_env, digests.least, digests.most
    );
    for line in digests.bytes.chunks(LINE) {
        out.push_str("    - ");
        out.push_str(&STANDARD.encode(line));
        out.push('\n');
    }
    out
}
