//! Whether a policy's statement does less than the pack's that it changes.
//!
//! It errs on the strict side: what cannot be compared counts as weaker. Nobody is harmed by having to say so.

use crate::config::{OneOrMany, Path, Problem, Tree, from_tree};
use crate::inspect::Detectors;
use crate::policy::{Action, ContentDocument, Document, Mode, Verdict};

/// A pack's statement that a policy changes.
#[derive(Debug)]
pub(crate) struct Base {
    /// Its section.
    pub section: &'static str,
    /// Where the policy's own stands in it.
    pub place: usize,
    /// Its id.
    pub id: String,
    /// As the pack has it.
    pub statement: Tree,
}

/// The ids of weakened statements. Each must say so, and nothing else may.
pub(crate) fn weakened(
    bases: &[Base],
    tree: &Tree,
    document: &Document,
    detectors: &Detectors,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let mut ids = Vec::new();
    for base in bases {
        let path = Path::root().key(base.section).index(base.place);
        let list = tree.get(base.section);
        let own = if let Some(Tree::List(all)) = list { all.get(base.place) } else { None };
        let Some(own) = own else { continue };
        let weaker = match base.section {
            "content" => document.content.get(base.place).and_then(|own| content(own, &base.statement, detectors)),
            "limits" => limit(own, &base.statement),
            _ => differs(own, &base.statement, &[]),
        };
        let says = own.get("weakens") == Some(&Tree::Bool(true));
        match weaker {
            Some(key) if !says => problems.push(unsaid(path.key(key), &format!("the pack's `{}`", base.id), &base.id)),
            Some(_) => ids.push(base.id.clone()),
            None => {}
        }
    }
    let says = document.content.iter().map(|s| s.weakens);
    stray("content", says, bases, problems);
    stray("access", document.access.iter().map(|s| s.weakens), bases, problems);
    stray("limits", document.limits.iter().map(|s| s.weakens), bases, problems);
    ids
}

/// Something is weakened and nobody says so.
#[cold]
pub(super) fn unsaid(path: Path, what: &str, place: &str) -> Problem {
    Problem::new(path, format!("this is weaker than {what}"))
        .help(format!("add `weakens: true` to `{place}`, which puts it on the record, or remove this"))
}

/// `weakens` where there is nothing of a pack's.
fn stray(section: &str, says: impl Iterator<Item = bool>, bases: &[Base], problems: &mut Vec<Problem>) {
    for (place, _) in says.enumerate().filter(|(_, says)| *says) {
        if !bases.iter().any(|b| b.section == section && b.place == place) {
            problems.push(
                Problem::new(
                    Path::root().key(section).index(place).key("weakens"),
                    "no pack that this policy extends has a statement of this id",
                )
                .help("remove it, or write the id as `doorward packs` shows it"),
            );
        }
    }
}

/// The key by which a content statement does less, if it does.
fn content(own: &ContentDocument, base: &Tree, detectors: &Detectors) -> Option<&'static str> {
    let base: ContentDocument = from_tree(base, &Path::root()).ok()?;
    let root = Path::root();
    // Names that are not known are reported where they stand.
    let (mine, its) = (detectors.select(&own.detect.0, &root).ok()?, detectors.select(&base.detect.0, &root).ok()?);
    let fewer = |own: bool, key| own.then_some(key);
    fewer(own.action > base.action, "action")
        .or(fewer(own.mode == Mode::Observe && base.mode == Mode::Enforce, "mode"))
        .or(fewer(mine.union(&its) != mine, "detect"))
        .or(fewer(narrows(&own.direction, &base.direction), "direction"))
        .or(fewer(narrows(&own.channels, &base.channels), "channels"))
        .or(fewer(narrows(&own.roles, &base.roles), "roles"))
        .or(fewer(narrows(&own.targets, &base.targets), "targets"))
        // What only looks on has nothing to hold back.
        .or(fewer(own.stream < base.stream && own.action != Action::Flag, "stream"))
        .or(fewer(own.on_failure == Some(Verdict::Allow) && base.on_failure != Some(Verdict::Allow), "on_failure"))
}

/// Whether a condition holds for less: an empty list is the one that holds for everything.
fn narrows<T: PartialEq>(own: &OneOrMany<T>, base: &OneOrMany<T>) -> bool {
    !own.0.is_empty() && (base.0.is_empty() || base.0.iter().any(|b| !own.0.contains(b)))
}

/// A limit may be lower; anything else that is other counts as weaker.
fn limit(own: &Tree, base: &Tree) -> Option<&'static str> {
    const AMOUNTS: [&str; 6] = ["requests", "input_tokens", "output_tokens", "total_tokens", "cost", "concurrent"];
    for key in AMOUNTS {
        match (own.get(key), base.get(key)) {
            (Some(Tree::Integer(own)), Some(Tree::Integer(base))) if own <= base => {}
            (None, None) => {}
            (own, base) if own == base => {}
            _ => return Some(key),
        }
    }
    differs(own, base, &AMOUNTS)
}

/// A key in which the two are not the same.
fn differs(own: &Tree, base: &Tree, but: &[&str]) -> Option<&'static str> {
    let (Tree::Map(own), Tree::Map(base)) = (own, base) else { return Some("id") };
    // What a statement is said to serve changes nothing that it does.
    let counts = |key: &str| !["weakens", "controls"].contains(&key) && !but.contains(&key);
    let has = |all: &[(String, Tree)], entry: &(String, Tree)| all.iter().any(|other| other == entry);
    let same = own.iter().filter(|(key, _)| counts(key)).all(|entry| has(base, entry))
        && base.iter().filter(|(key, _)| counts(key)).all(|entry| has(own, entry));
    (!same).then_some("id")
}
