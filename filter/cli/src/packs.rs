//! `doorward packs`: the packs that are compiled into the filter, with the controls that each statement serves and what a proxy
//! cannot do for them.
//!
//! `policies/PACKS.md` is the output of `--markdown`; a test compares the two.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::bail;
use doorward_core::config::Tree;
use doorward_core::packs::SOURCES;
use serde_json::{Value, json};

use crate::Outcome;
use crate::args::{Format, PacksArguments};
use crate::source::Source;

/// Sections of a pack that hold statements, and what their line says first.
const SECTIONS: [&str; 3] = ["access", "content", "limits"];

const TITLE: &str = "\
# Policy packs

What is compiled into the filter, and a policy extends: `extends: [gdpr@1, secrets@1]`. This file is made by `doorward packs --markdown`; do not
edit it. Each pack stands in `policies/packs/`, with its tests beside it.

A statement of the policy with a pack's id changes that one: the keys it has count, the others stay the pack's. What makes it weaker says
`weakens: true` and is on the record of every exchange (`doorward.policy.weakened`). What a version says never changes.

A pack is a start, and no certificate: each says what a proxy cannot do for it.
";

/// One pack as it was written.
#[derive(Debug)]
struct Shown {
    reference: String,
    name: &'static str,
    tree: Tree,
}

impl Shown {
    fn all() -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        for (name, version, text) in SOURCES {
            let source = Source::parse("pack.yaml", (*text).to_owned())
                .map_err(|(problem, _)| anyhow::anyhow!("the pack `{name}`: {}", problem.message))?;
            let Some(document) = source.documents.first() else { bail!("the pack `{name}` is empty") };
            all.push(Self { reference: format!("{name}@{version}"), name, tree: document.tree() });
        }
        Ok(all)
    }

    fn text(&self, key: &str) -> String {
        self.tree.get(key).map(line).unwrap_or_default()
    }

    fn list(&self, key: &str) -> Vec<String> {
        items(self.tree.get(key)).iter().map(line).collect()
    }

    /// Its statements: section and mapping.
    fn statements(&self) -> Vec<(&'static str, &Tree)> {
        let of = |section: &'static str| items(self.tree.get(section)).iter().map(move |s| (section, s));
        SECTIONS.into_iter().flat_map(of).collect()
    }

    fn human(&self) -> String {
        let mut out =
            format!("{}  {}\n{}\n\n{}\n", self.reference, self.text("title"), self.text("source"), self.text("about"));
        let needs = self.list("requires");
        if !needs.is_empty() {
            let _ = writeln!(out, "\nNeeds {}.", needs.join(", "));
        }
        out.push_str("\nStatements:\n");
        for (section, statement) in self.statements() {
            let _ = writeln!(out, "  {} ({section}): {}", id(statement), what(section, statement));
            let _ = writeln!(out, "    {}", controls(statement).join("; "));
        }
        for setting in self.settings() {
            let _ = writeln!(out, "  {setting}");
        }
        out.push_str("\nWhat a proxy cannot do for it:\n");
        self.list("cannot").iter().for_each(|text| {
            let _ = writeln!(out, "  - {text}");
        });
        let beside = self.list("beside");
        if !beside.is_empty() {
            out.push_str("\nBeside it:\n");
            beside.iter().for_each(|text| {
                let _ = writeln!(out, "  - {text}");
            });
        }
        out
    }

    fn settings(&self) -> Vec<String> {
        let Some(Tree::Map(settings)) = self.tree.get("answers") else { return Vec::new() };
        settings.iter().map(|(key, value)| format!("answers.{key}: {}", line(value))).collect()
    }

    fn markdown(&self) -> String {
        let mut out = format!(
            "\n## `{}`\n\n{}: {}.\n\n{}\n",
            self.reference,
            self.text("title"),
            self.text("source"),
            self.text("about").trim_end()
        );
        let needs: Vec<String> = self.list("requires").iter().map(|need| format!("`{need}`")).collect();
        if !needs.is_empty() {
            let _ = writeln!(out, "\nNeeds {}.", needs.join(", "));
        }
        out.push_str("\n| Statement | What | Controls |\n|---|---|---|\n");
        for (section, statement) in self.statements() {
            let what = what(section, statement).replace('|', "\\|");
            let _ = writeln!(out, "| `{}` | {what} | {} |", id(statement), controls(statement).join("; "));
        }
        for setting in self.settings() {
            let _ = writeln!(out, "| `{setting}` | | |");
        }
        out.push_str("\nWhat a proxy cannot do for it:\n\n");
        self.list("cannot").iter().for_each(|text| {
            let _ = writeln!(out, "- {text}");
        });
        let beside = self.list("beside");
        if !beside.is_empty() {
            out.push_str("\nBeside it:\n\n");
            beside.iter().for_each(|text| {
                let _ = writeln!(out, "- {text}");
            });
        }
        out
    }
}

/// Runs the command.
///
/// # Errors
/// There is no such pack, or the output failed.
pub fn run(arguments: &PacksArguments) -> anyhow::Result<Outcome> {
    let all = Shown::all()?;
    let fits = |pack: &&Shown| {
        arguments.names.is_empty() || arguments.names.iter().any(|name| *name == pack.name || *name == pack.reference)
    };
    let known = |name: &String| all.iter().any(|pack| *name == pack.name || *name == pack.reference);
    if let Some(name) = arguments.names.iter().find(|name| !known(name)) {
        let names: Vec<&str> = all.iter().map(|pack| pack.reference.as_str()).collect();
        bail!("there is no pack `{name}` (there are {})", names.join(", "));
    }
    let chosen: Vec<&Shown> = all.iter().filter(fits).collect();
    let mut out = anstream::stdout().lock();
    if arguments.markdown {
        write!(out, "{}", markdown(&chosen))?;
    } else if arguments.format == Format::Json {
        let packs: Vec<Value> = chosen
            .iter()
            .map(|pack| {
                let mut value = value(&pack.tree);
                if let Value::Object(entries) = &mut value {
                    entries.insert("reference".to_owned(), json!(pack.reference));
                }
                value
            })
            .collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&packs)?)?;
    } else if arguments.names.is_empty() {
        for pack in &chosen {
            let count = pack.statements().len();
            writeln!(out, "{:<18} {:<52} {count:>2} statements", pack.reference, pack.text("title"))?;
        }
    } else {
        let shown: Vec<String> = chosen.iter().map(|pack| pack.human()).collect();
        write!(out, "{}", shown.join("\n"))?;
    }
    out.flush()?;
    Ok(Outcome::Clean)
}

fn markdown(packs: &[&Shown]) -> String {
    packs.iter().fold(TITLE.to_owned(), |page, pack| page + &pack.markdown())
}

fn items(tree: Option<&Tree>) -> &[Tree] {
    match tree {
        Some(Tree::List(items)) => items,
        _ => &[],
    }
}

fn id(statement: &Tree) -> String {
    statement.get("id").map(line).unwrap_or_default()
}

fn controls(statement: &Tree) -> Vec<String> {
    items(statement.get("controls")).iter().map(line).collect()
}

/// What a statement does, in short: all of it but what is shown beside it.
fn what(section: &str, statement: &Tree) -> String {
    let Tree::Map(entries) = statement else { return String::new() };
    let beside = |key: &str| ["id", "controls", "why"].contains(&key) || section == "access" && key == "effect";
    let first = match section {
        "access" => vec!["deny".to_owned()],
        _ => Vec::new(),
    };
    let rest = entries.iter().filter(|(key, _)| !beside(key)).map(|(key, value)| format!("{key}: {}", line(value)));
    first.into_iter().chain(rest).collect::<Vec<_>>().join(", ")
}

/// A value on one line.
fn line(tree: &Tree) -> String {
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Bool(truth) => truth.to_string(),
        Tree::Integer(number) => number.to_string(),
        Tree::Float(number) => number.to_string(),
        Tree::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Tree::List(items) => format!("[{}]", items.iter().map(line).collect::<Vec<_>>().join(", ")),
        Tree::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {}", line(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn value(tree: &Tree) -> Value {
    match tree {
        Tree::Null => Value::Null,
        Tree::Bool(truth) => json!(truth),
        Tree::Integer(number) => json!(number),
        Tree::Float(number) => json!(number),
        Tree::String(text) => json!(text),
        Tree::List(items) => items.iter().map(value).collect(),
        Tree::Map(entries) => entries.iter().map(|(key, entry)| (key.clone(), value(entry))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/PACKS.md");
        let all = Shown::all().unwrap();
        let page = markdown(&all.iter().collect::<Vec<_>>());
        let same = std::fs::read_to_string(path).unwrap_or_default() == page;
        assert!(same, "out of date: run `cargo run -p doorward-cli -- packs --markdown > policies/PACKS.md`");
        // What is not done is said of every pack.
        assert_eq!(page.matches("What a proxy cannot do for it").count(), SOURCES.len());
    }
}
