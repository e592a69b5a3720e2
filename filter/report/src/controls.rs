//! Which statements of a policy serve which controls, and what the logs say of them.

use doorward_core::config::Tree;
use serde::Serialize;

use crate::collect::Collector;
use crate::collect::{SEPARATOR, date};
use crate::tables::Table;

/// A statement with its controls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its id, as records have it.
    pub id: String,
    /// The section of the policy that it stands in.
    pub section: String,
    /// The pack that it comes from.
    pub pack: Option<String>,
    /// The controls that it serves.
    pub controls: Vec<String>,
    /// Whether it only looks on.
    pub observes: bool,
}

impl Statement {
    /// As a pack's, which says what it is for, and as the policy that extends it has it, which may only look on.
    #[must_use]
    pub fn of_pack(self, pack: &str, policy: &Tree) -> Self {
        let own = match policy.get(&self.section) {
            Some(Tree::List(items)) => {
                items.iter().find(|item| matches!(item.get("id"), Some(Tree::String(id)) if *id == self.id))
            }
            _ => None,
        };
        let mode = own.and_then(|own| own.get("mode"));
        let observes = matches!(mode, Some(Tree::String(mode)) if mode == "observe") || only_observes(policy);
        Self { pack: Some(pack.to_owned()), observes, ..self }
    }
}

/// What the evidence is taken for.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The policy's name.
    pub policy: String,
    /// Its digest, as records have it.
    pub digest: String,
    /// Statements with controls.
    pub statements: Vec<Statement>,
}

/// Evidence for one control by one statement.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// The control's id.
    pub control: String,
    /// The statement.
    pub statement: String,
    /// Where it stands.
    pub section: String,
    /// The pack it comes from.
    pub pack: Option<String>,
    /// `enforce` or `observe`.
    pub mode: &'static str,
    /// Exchanges that it decided or changed.
    pub acted: u64,
    /// Of these: refused.
    pub denied: u64,
    /// Exchanges that it would have decided, had it not only looked on.
    pub observed: u64,
    /// When it did so first.
    pub first: Option<String>,
    /// And last.
    pub last: Option<String>,
}

/// What a policy's statements did.
#[derive(Clone, Debug, Serialize)]
pub struct Controls {
    /// The policy.
    pub policy: String,
    /// Its digest.
    pub digest: String,
    /// Exchanges that were judged under exactly this policy.
    pub exchanges: u64,
    /// The first of these.
    pub first: Option<String>,
    /// The last of these.
    pub last: Option<String>,
    /// Exchanges that were judged under another policy, or another version of it.
    pub others: u64,
    /// No statement acted oftener than is said plus this: 0 where everything is exact.
    pub missing: u64,
    /// Per control and statement.
    pub evidence: Vec<Evidence>,
}

/// Statements with `controls`, wherever in a policy they stand. Those of a candidate do nothing, and are evidence for nothing.
pub fn statements(policy: &Tree) -> Vec<Statement> {
    let mut found = Vec::new();
    if let Tree::Map(sections) = policy {
        for (section, content) in sections.iter().filter(|(section, _)| section != "candidate") {
            walk(content, section, &mut found);
        }
    }
    if only_observes(policy) {
        found.iter_mut().for_each(|statement| statement.observes = true);
    }
    found
}

/// A policy that observes as a whole enforces none of its statements.
fn only_observes(policy: &Tree) -> bool {
    matches!(policy.get("mode"), Some(Tree::String(mode)) if mode == "observe")
}

fn walk(tree: &Tree, section: &str, found: &mut Vec<Statement>) {
    match tree {
        Tree::List(items) => items.iter().for_each(|item| walk(item, section, found)),
        Tree::Map(entries) => {
            let controls = get(entries, "controls").map(controls).unwrap_or_default();
            if let (Some(Tree::String(id)), false) = (get(entries, "id"), controls.is_empty()) {
                let text = |key| match get(entries, key) {
                    Some(Tree::String(text)) => Some(text.clone()),
                    _ => None,
                };
                found.push(Statement {
                    id: id.clone(),
                    section: section.to_owned(),
                    pack: text("pack"),
                    controls,
                    observes: text("mode").as_deref() == Some("observe"),
                });
            }
            entries.iter().filter(|(key, _)| key != "controls").for_each(|(_, value)| walk(value, section, found));
        }
        _ => {}
    }
}

fn get<'t>(entries: &'t [(String, Tree)], key: &str) -> Option<&'t Tree> {
    entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// `[id, {id, source}]`, or one of these.
fn controls(tree: &Tree) -> Vec<String> {
    match tree {
        Tree::String(id) => vec![id.clone()],
        Tree::List(items) => items.iter().flat_map(controls).collect(),
        Tree::Map(entries) => match get(entries, "id") {
            Some(Tree::String(id)) => vec![id.clone()],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What was collected, as evidence for the controls of a policy.
pub(crate) fn evidence(collected: &Collector, in_force: &InForce) -> Controls {
    let InForce { policy, digest, statements } = in_force;
    let table = |table: Table| collected.tables.get(table as usize);
    let of = |rows: Table, key: &str| table(rows).and_then(|rows| rows.get(key));
    let own = of(Table::Policies, &format!("{policy}{SEPARATOR}{digest}"));
    let missing = [Table::Rules, Table::Observed].into_iter().filter_map(table).map(|rows| rows.missing).max();
    let mut evidence = Vec::new();
    for statement in statements {
        let (acted, looked) = (of(Table::Rules, &statement.id), of(Table::Observed, &statement.id));
        let moments = [acted, looked].into_iter().flatten().filter(|usage| usage.first > 0);
        for control in &statement.controls {
            evidence.push(Evidence {
                control: control.clone(),
                statement: statement.id.clone(),
                section: statement.section.clone(),
                pack: statement.pack.clone(),
                mode: if statement.observes { "observe" } else { "enforce" },
                acted: acted.map_or(0, |usage| usage.requests),
                denied: acted.map_or(0, |usage| usage.denied),
                observed: looked.map_or(0, |usage| usage.requests),
                first: moments.clone().map(|usage| usage.first).min().and_then(date),
                last: moments.clone().map(|usage| usage.last).max().and_then(date),
            });
        }
    }
    evidence.sort_by_cached_key(|row| (row.pack.clone(), natural(&row.control), row.statement.clone()));
    let exchanges = own.map_or(0, |usage| usage.requests);
    Controls {
        policy: policy.clone(),
        digest: digest.clone(),
        exchanges,
        first: own.map(|usage| usage.first).filter(|at| *at > 0).and_then(date),
        last: own.map(|usage| usage.last).filter(|at| *at > 0).and_then(date),
        others: collected.lines.records.saturating_sub(exchanges),
        missing: missing.unwrap_or(0),
        evidence,
    }
}

/// `Art. 4(1)` before `Art. 25(1)`: runs of digits by what they count.
fn natural(text: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    for c in text.chars() {
        match (c.to_digit(10).map(u64::from), parts.last_mut()) {
            (Some(digit), Some((number, words))) if words.is_empty() => {
                *number = number.saturating_mul(10).saturating_add(digit);
            }
            (Some(digit), _) => parts.push((digit, String::new())),
            (None, Some((_, words))) if !words.is_empty() => words.push(c),
            (None, _) => parts.push((0, c.to_string())),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_in_the_order_that_people_count_in() {
        let mut ids = ["Art. 25(1)", "Art. 4(15)", "3.10", "Art. 4(5)", "3.4.1", "CC6.1", "3.4"];
        ids.sort_by_cached_key(|id| natural(id));
        assert_eq!(ids, ["Art. 4(5)", "Art. 4(15)", "Art. 25(1)", "CC6.1", "3.4", "3.4.1", "3.10"]);
    }
}
