//! Policy packs: statements for a regulation or a list of risks, compiled into the filter, which a policy extends.
//!
//! `extends: [gdpr@1]` adds a pack's statements to the policy's own. A local statement with a pack's id changes that one: the keys it
//! has count, the others stay the pack's. What makes a pack's statement weaker says `weakens: true`, and is on the record of every
//! exchange; without it the policy is refused. A pack only takes away: it allows nothing.
//!
//! What it does not do: it does not see that other sections of a policy (a threshold of 1, an allow-list, a target that nobody
//! governs) leave a pack's statement with less to find. Those are in the policy's digest like everything else.

mod weaker;

use crate::config::{Path, Problem, Tree, nearest, tree_from_json};

pub(crate) use weaker::{Base, weakened};

/// A pack as the filter knows it.
#[derive(Clone, Copy, Debug)]
pub struct Pack {
    /// Its name: `gdpr`.
    pub name: &'static str,
    /// Its version. What a version says never changes.
    pub version: u32,
    /// Its sections.
    json: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// Sections whose statements have ids.
const STATEMENTS: [&str; 3] = ["access", "content", "limits"];

/// A policy with the packs that it extends in it.
#[derive(Debug)]
pub struct Extended {
    /// The whole policy.
    pub tree: Tree,
    /// The packs, as they are named: `gdpr@1`.
    pub packs: Vec<String>,
    /// Statements of packs that the policy changes.
    pub(crate) bases: Vec<Base>,
    /// Settings of packs that the policy weakens.
    pub(crate) settings: Vec<String>,
}

impl Pack {
    /// Every pack.
    pub fn all() -> &'static [Pack] {
        PACKS
    }

    /// How a policy names it: `gdpr@1`.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// What it adds to a policy.
    pub fn tree(&self) -> Tree {
        // Made from a document when this was built: a test reads each.
        tree_from_json(self.json).unwrap_or(Tree::Null)
    }
}

/// Puts the packs that a policy names into it; `None` where it names none.
///
/// # Errors
/// A pack that is not known, a statement weakened without saying so, something that a pack needs and the policy does not have.
pub fn extend(policy: &Tree) -> Result<Option<Extended>, Vec<Problem>> {
    let path = Path::root().key("extends");
    let Some(names) = policy.get("extends") else { return Ok(None) };
    // Anything else than texts is a mistake that the reader of the whole policy words.
    let names: Vec<&str> = match names {
        Tree::String(name) => vec![name],
        Tree::List(names) => {
            names.iter().filter_map(|name| if let Tree::String(n) = name { Some(&**n) } else { None }).collect()
        }
        _ => return Ok(None),
    };
    let Tree::Map(entries) = policy else { return Ok(None) };
    let mut extended =
        Extended { tree: Tree::Map(entries.clone()), packs: Vec::new(), bases: Vec::new(), settings: Vec::new() };
    let mut problems = Vec::new();
    let mut chosen: Vec<&Pack> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        match find(name) {
            Some(pack) if chosen.iter().any(|c| c.name == pack.name) => {
                let message = format!("the pack `{}` is there twice", pack.name);
                problems.push(Problem::new(path.index(i), message).help("name one version of it"));
            }
            Some(pack) => chosen.push(pack),
            None => problems.push(unknown(name, path.index(i))),
        }
    }
    for pack in &chosen {
        extended.packs.push(pack.reference());
        let Tree::Map(sections) = pack.tree() else { continue };
        for (section, value) in sections {
            match (section.as_str(), value) {
                (section, Tree::List(statements)) if STATEMENTS.contains(&section) => {
                    statements.into_iter().for_each(|s| extended.statement(section, s, &mut problems));
                }
                ("answers", Tree::Map(settings)) => extended.settings(pack, settings, &mut problems),
                ("detectors", Tree::Map(detectors)) => extended.detectors(pack, detectors, &mut problems),
                _ => {}
            }
        }
    }
    for pack in &chosen {
        if let Some(Tree::List(needs)) = pack.tree().get("requires") {
            needs.iter().for_each(|need| extended.requires(pack, need, &mut problems));
        }
    }
    if problems.is_empty() { Ok(Some(extended)) } else { Err(problems) }
}

impl Extended {
    /// Adds a statement of a pack, or lays the policy's own of that id over it.
    fn statement(&mut self, section: &str, statement: Tree, problems: &mut Vec<Problem>) {
        let Some(Tree::String(id)) = statement.get("id") else { return };
        let Some(Tree::List(own)) = member(&mut self.tree, section, Tree::List(Vec::new())) else { return };
        let same = |s: &Tree| matches!(s.get("id"), Some(Tree::String(own)) if own == id);
        let Some(place) = own.iter().position(same) else {
            own.push(statement);
            return;
        };
        let (Some(Tree::Map(local)), Tree::Map(base)) = (own.get_mut(place), &statement) else { return };
        for (key, value) in base {
            if !local.iter().any(|(own, _)| own == key) {
                local.push((key.clone(), value.clone()));
            }
        }
        if self.bases.iter().any(|b| b.section == section && b.place == place) {
            problems.push(Problem::new(Path::root().key(section).index(place), "two packs have this statement"));
        }
        let section = STATEMENTS.into_iter().find(|s| *s == section).unwrap_or_default();
        self.bases.push(Base { section, place, id: id.clone(), statement });
    }

    /// Settings of a pack hold where the policy says nothing else; where it does, that is weaker.
    fn settings(&mut self, pack: &Pack, settings: Vec<(String, Tree)>, problems: &mut Vec<Problem>) {
        let path = Path::root().key("answers");
        let Some(Tree::Map(own)) = member(&mut self.tree, "answers", Tree::Map(Vec::new())) else { return };
        let weakens = own.iter().any(|(key, value)| key == "weakens" && *value == Tree::Bool(true));
        for (key, value) in settings {
            match own.iter().find(|(own, _)| *own == key) {
                None => own.push((key, value)),
                Some((_, said)) if *said == value => {}
                Some(_) if weakens => self.settings.push(format!("answers.{key}")),
                Some(_) => problems.push(weaker::unsaid(
                    path.key(&key),
                    &format!("what `{}` sets", pack.reference()),
                    "answers",
                )),
            }
        }
    }

    /// Detectors of a pack stand beside the policy's own, under names that are no other's.
    fn detectors(&mut self, pack: &Pack, detectors: Vec<(String, Tree)>, problems: &mut Vec<Problem>) {
        let Some(all @ Tree::Map(_)) = member(&mut self.tree, "detectors", Tree::Map(Vec::new())) else { return };
        for (kind, entries) in detectors {
            let (Tree::List(entries), Some(Tree::List(own))) = (entries, member(all, &kind, Tree::List(Vec::new())))
            else {
                continue;
            };
            for entry in entries {
                let path = Path::root().key("detectors").key(&kind);
                if let Some(place) = own.iter().position(|own| own.get("name") == entry.get("name")) {
                    let message = format!("`{}` has a detector of this name", pack.reference());
                    problems.push(Problem::new(path.index(place), message).help("give yours another"));
                } else {
                    own.push(entry);
                }
            }
        }
    }

    /// What a pack needs is there.
    fn requires(&self, pack: &Pack, need: &Tree, problems: &mut Vec<Problem>) {
        let Tree::String(need) = need else { return };
        let (mut path, mut place) = (Path::root(), Some(&self.tree));
        for key in need.split('.') {
            path = path.key(key);
            place = place.and_then(|tree| tree.get(key));
        }
        if place.is_none_or(|value| matches!(value, Tree::Null | Tree::Bool(false))) {
            problems.push(
                Problem::new(path, format!("the pack `{}` needs `{need}`", pack.reference()))
                    .help(format!("`doorward packs {}` says what for", pack.name)),
            );
        }
    }
}

/// The pack that a policy names.
fn find(name: &str) -> Option<&'static Pack> {
    let (name, version) = name.split_once('@')?;
    // `01` and `+1` are no names of version 1: one pack, one name.
    PACKS.iter().find(|pack| pack.name == name && pack.version.to_string() == version)
}

#[cold]
fn unknown(name: &str, path: Path) -> Problem {
    let (base, version) = name.split_once('@').map_or((name, None), |(base, version)| (base, Some(version)));
    let newest = |base: &str| PACKS.iter().filter(|p| p.name == base).max_by_key(|p| p.version).map(Pack::reference);
    let near = nearest(base, PACKS.iter().map(|p| p.name)).and_then(newest);
    let all = || PACKS.iter().map(|p| format!("`{}`", p.reference())).collect::<Vec<_>>().join(", ");
    match (newest(base), version, near) {
        (Some(newest), None, _) => Problem::new(path, format!("the pack `{base}` is named without a version"))
            .help(format!("write `{newest}`: what a version says never changes")),
        (Some(newest), Some(_), _) => {
            Problem::new(path, format!("unknown version in `{name}`")).help(format!("this filter has `{newest}`"))
        }
        (None, _, Some(near)) => {
            Problem::new(path, format!("unknown pack `{name}`")).help(format!("did you mean `{near}`?"))
        }
        (None, _, None) => {
            Problem::new(path, format!("unknown pack `{name}`")).help(format!("this filter has {}", all()))
        }
    }
}

/// The value under `key` of a mapping, which gets one where there is none.
fn member<'t>(tree: &'t mut Tree, key: &str, fresh: Tree) -> Option<&'t mut Tree> {
    let Tree::Map(entries) = tree else { return None };
    if !entries.iter().any(|(k, _)| k == key) {
        entries.push((key.to_owned(), fresh));
    }
    entries.iter_mut().find(|(k, _)| k == key).map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
