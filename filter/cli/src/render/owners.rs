//! What an owner's file may say: statements about the owner's own targets, and nothing else.
//!
//! Whose a file is stands on the command line, where the platform's team runs it, and not in the file; whose a target is
//! stands with the target, in a file of the platform's. So nobody can give themselves what is another's.

use doorward_core::config::{Path, Problem};

use super::merge::Merged;
use crate::report::{Issue, Severity};
use crate::source::Node;

/// What is the platform's in a statement, of one list or of all: it reaches beyond the statement's targets.
const PLATFORMS: [(Option<&str>, &str, &str); 2] = [
    (Some("limits"), "global", "a service that is called, and a key that is read, are the platform's to choose"),
    // An override goes by its id, and would hold for everybody's targets.
    (None, "weakens", "what a pack says holds for all owners"),
];

/// What the owners' files say that they may not.
pub fn check(merged: &Merged) -> Vec<Issue> {
    let mut problems = Vec::new();
    for part in merged.parts().iter().filter(|part| part.owner.is_some()) {
        for entry in part.root.entries() {
            if !["version", "access", "content", "limits", "routes"].contains(&entry.key.as_str()) {
                let message = format!("`{}` is for files of the platform's", entry.key);
                let issue = Issue::new(Severity::Error, &part.file, entry.mark, &entry.key, message);
                let help = "an owner's file has `access`, `content`, `limits` and `routes` for the owner's targets";
                problems.push(issue.help(Some(help.to_owned())));
            }
        }
    }
    for list in ["access", "content", "limits", "routes"] {
        for (i, item) in merged.root.get(list).map(Node::items).unwrap_or_default().iter().enumerate() {
            let Some(owner) = merged.part_of(list, i).and_then(|part| part.owner.as_deref()) else { continue };
            let path = Path::root().key(list).index(i);
            let mut found = Vec::new();
            statement(merged, list, item, owner, &path, &mut found);
            problems.extend(found.iter().map(|problem| merged.issue(Severity::Error, problem)));
        }
    }
    problems
}

fn statement(merged: &Merged, list: &str, item: &Node, owner: &str, path: &Path, found: &mut Vec<Problem>) {
    let (holder, place) = match list {
        "routes" => (item.get("when"), path.key("when").key("targets")),
        _ => (Some(item), path.key("targets")),
    };
    let names = holder.and_then(|holder| holder.get("targets"));
    let texts: Vec<&str> = match names.and_then(Node::text) {
        Some(one) => vec![one],
        None => names.map(Node::items).unwrap_or_default().iter().filter_map(Node::text).collect(),
    };
    let own = own_targets(merged, owner);
    let help = match own.as_slice() {
        [] => format!("no target has `owner: {owner}`"),
        own => format!("`{owner}` has {}", own.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    // A route without `when` is taken only where a content statement sends something, and those name their targets.
    let only_sent = list == "routes" && holder.is_none();
    if texts.is_empty() && !only_sent {
        let message = format!("no `targets`, so it would hold for everybody's, and the file is `{owner}`'s");
        found.push(Problem::new(place.clone(), message).help(format!("name targets: {help}")));
    }
    let foreign = |name: &str| !own.contains(&name);
    for name in texts.into_iter().filter(|name| foreign(name)) {
        found.push(Problem::new(place.clone(), format!("`{name}` is no target of `{owner}`")).help(help.clone()));
    }
    if let Some(to) = item.get("to").and_then(|to| to.get("target")).and_then(Node::text).filter(|name| foreign(name)) {
        let message = format!("`{to}` is no target of `{owner}`");
        found.push(Problem::new(path.key("to").key("target"), message).help(help.clone()));
    }
    for (key, section) in [("route", "routes"), ("replaces", "limits")] {
        let Some(id) = item.get(key).and_then(Node::text) else { continue };
        let items = merged.root.get(section).map(Node::items).unwrap_or_default();
        let at = items.iter().position(|other| other.get("id").and_then(Node::text) == Some(id));
        let theirs = at.and_then(|at| merged.part_of(section, at)).is_none_or(|p| p.owner.as_deref() != Some(owner));
        if theirs {
            let message = format!("`{id}` is no statement of `{owner}`'s own");
            found.push(Problem::new(path.key(key), message).help("name one of this owner's files"));
        }
    }
    for (_, key, why) in
        PLATFORMS.iter().filter(|(of, key, _)| of.is_none_or(|of| of == list) && item.get(key).is_some())
    {
        let message = format!("`{key}` in a file of `{owner}`: {why}");
        found.push(Problem::new(path.key(key), message).help("let a file of the platform's say it"));
    }
}

/// The names of an owner's targets.
fn own_targets<'m>(merged: &'m Merged, owner: &str) -> Vec<&'m str> {
    let targets = merged.root.get("targets").map(Node::items).unwrap_or_default();
    let own = targets.iter().filter(|target| target.get("owner").and_then(Node::text) == Some(owner));
    own.filter_map(|target| target.get("name")?.text()).collect()
}
