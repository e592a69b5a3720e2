//! From the document to compiled detectors.

use std::collections::HashSet;

use super::dictionary::DictionaryBuilder;
use super::document::{AllowDocument, DetectorsDocument};
use super::links::Hosts;
use super::pattern::{Pattern, Patterns};
use super::{DEFAULT_THRESHOLD, Detectors, Group, Kind, KindId, glob, secrets, types};
use crate::config::{Path, Problem, SecretRef, nearest};
use crate::engine::Env;

/// A longer value is never on an allow-list.
const MAX_ALLOWED: usize = 1024;

/// Compiled `allow:` entry.
pub(super) struct Allow {
    kind: Option<KindId>,
    exact: HashSet<String>,
    globs: Vec<String>,
}

impl Allow {
    pub(super) fn applies(&self, kind: KindId) -> bool {
        self.kind.is_none_or(|k| k == kind)
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        value.len() <= MAX_ALLOWED
            && (self.exact.contains(&value.to_ascii_lowercase()) || self.globs.iter().any(|g| glob::matches(g, value)))
    }
}

impl Detectors {
    /// Compiles the built-in detectors and those of `document`, which stands at `path`. Canaries are read from `env`.
    ///
    /// # Errors
    /// The first name, word, pattern, number, host or canary that cannot be used.
    pub fn compile(document: &DetectorsDocument, env: Env<'_>, path: &Path) -> Result<Self, Problem> {
        let kinds = types::TYPES.iter().map(|(name, group)| Kind { name: (*name).to_owned(), group: *group }).collect();
        let ids = super::ids::Index::new();
        let mut detectors = Self {
            kinds,
            layouts: super::lane::ids::Layouts::new(&ids),
            ids,
            thresholds: Vec::new(),
            allow: Vec::new(),
            anchors: secrets::anchors(),
            watch: super::lane::Watch::default(),
            dictionary: super::dictionary::Dictionary::default(),
            patterns: Patterns::default(),
            hosts: compile_hosts(&document.links.hosts, &path.key("links").key("hosts"))?,
        };
        let mut patterns = Vec::new();
        for (i, pattern) in document.patterns.iter().enumerate() {
            let path = path.key("patterns").index(i);
            let kind = detectors.name(&pattern.name, pattern.group, &path)?;
            patterns.push(Pattern::compile(pattern, kind, &path)?);
        }
        detectors.patterns = Patterns::new(patterns);
        detectors.watch = super::lane::Watch::new(&detectors.patterns);
        let mut dictionary = DictionaryBuilder::default();
        for (i, words) in document.dictionaries.iter().enumerate() {
            let path = path.key("dictionaries").index(i);
            let kind = detectors.name(&words.name, words.group, &path)?;
            dictionary.add(words, kind, &path)?;
        }
        for (i, reference) in document.canaries.iter().enumerate() {
            let path = path.key("canaries").index(i);
            dictionary.anywhere(&canary(reference, env, &path)?, types::Type::Canary.id());
        }
        detectors.dictionary = dictionary.build(&path.key("dictionaries"))?;
        detectors.thresholds = detectors.compile_thresholds(document, path)?;
        for (i, allow) in document.allow.iter().enumerate() {
            let allow = detectors.compile_allow(allow, &path.key("allow").index(i))?;
            detectors.allow.push(allow);
        }
        Ok(detectors)
    }

    /// Takes up a name of the policy's own.
    fn name(&mut self, name: &str, group: Option<Group>, path: &Path) -> Result<KindId, Problem> {
        let path = path.key("name");
        let fits = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits {
            return Err(Problem::new(path, format!("`{name}` cannot name a detector"))
                .help("use letters, digits and `_`, starting with a letter"));
        }
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        if let Some(index) = self.kinds.iter().position(|k| same(&k.name)) {
            let builtin = index < types::TYPES.len();
            let what = if builtin { "is a built-in detector" } else { "names two detectors" };
            return Err(Problem::new(path, format!("`{name}` {what}")).help("choose another name"));
        }
        if Self::group_names().any(same) {
            return Err(Problem::new(path, format!("`{name}` is the name of a group")).help("choose another name"));
        }
        let id = u16::try_from(self.kinds.len())
            .map_err(|_| Problem::new(path, "there are too many detectors").help("at most 65,535 in all"))?;
        self.kinds.push(Kind { name: name.to_owned(), group: group.unwrap_or(Group::Custom) });
        Ok(KindId(id))
    }

    fn compile_thresholds(&self, document: &DetectorsDocument, path: &Path) -> Result<Vec<f32>, Problem> {
        let mut thresholds = vec![DEFAULT_THRESHOLD; self.kinds.len()];
        for (name, threshold) in &document.thresholds {
            let path = path.key("thresholds").key(name);
            score(*threshold, &path)?;
            let id = self.by_name(name, &path)?;
            if let Some(slot) = thresholds.get_mut(id.index()) {
                *slot = *threshold;
            }
        }
        Ok(thresholds)
    }

    fn compile_allow(&self, allow: &AllowDocument, path: &Path) -> Result<Allow, Problem> {
        let kind = allow.kind.as_ref().map(|name| self.by_name(name, &path.key("type"))).transpose()?;
        let values = path.key("values");
        if let Some(i) = allow.values.0.iter().position(String::is_empty) {
            return Err(Problem::new(values.index(i), "an empty value").help("remove it"));
        }
        let (globs, exact): (Vec<_>, Vec<_>) = allow.values.0.iter().partition(|v| v.contains(['*', '?']));
        Ok(Allow {
            kind,
            exact: exact.iter().map(|v| v.to_ascii_lowercase()).collect(),
            globs: globs.into_iter().cloned().collect(),
        })
    }

    fn by_name(&self, name: &str, path: &Path) -> Result<KindId, Problem> {
        if let Some((id, _)) = self.kinds().find(|(_, k)| k.name == name) {
            return Ok(id);
        }
        let problem = Problem::new(path.clone(), format!("unknown type `{name}`"));
        Err(match nearest(name, self.kinds.iter().map(|k| k.name.as_str())) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("name a type such as `EMAIL_ADDRESS`, or a detector of this policy"),
        })
    }
}

/// The shortest canary, in bytes: less is found by chance.
const MIN_CANARY: usize = 8;

/// The value of a canary. No error says what it is.
fn canary(reference: &SecretRef, env: Env<'_>, path: &Path) -> Result<String, Problem> {
    let name = &reference.env;
    let Some(value) = env(name) else {
        return Err(Problem::new(path.clone(), format!("the environment variable `{name}` is not set"))
            .help("add it to vm_config.environment_variables (Istio: vmConfig.env)"));
    };
    let value = value.trim();
    if value.chars().count() < MIN_CANARY {
        return Err(Problem::new(
            path.clone(),
            format!("the canary in `{name}` is shorter than {MIN_CANARY} characters"),
        )
        .help("for example the output of `openssl rand -hex 16`"));
    }
    if value.len() > super::dictionary::MAX_WORD {
        let most = super::dictionary::MAX_WORD;
        return Err(Problem::new(path.clone(), format!("the canary in `{name}` is longer than {most} bytes"))
            .help("a part of it is enough to find it"));
    }
    Ok(value.to_owned())
}

fn compile_hosts(hosts: &[String], path: &Path) -> Result<Hosts, Problem> {
    for (i, host) in hosts.iter().enumerate() {
        let port = !host.starts_with('[') && host.contains(':') && host.parse::<std::net::Ipv6Addr>().is_err();
        if host.is_empty() || port || host.contains(['/', '\\', '@']) || host.contains(char::is_whitespace) {
            return Err(Problem::new(path.index(i), format!("`{host}` is no host"))
                .help("name a host such as `docs.example.com` or `*.example.com`, without scheme, port or path"));
        }
    }
    Ok(Hosts::new(hosts))
}

/// Refuses what is not a score.
pub(super) fn score(value: f32, path: &Path) -> Result<f32, Problem> {
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(Problem::new(path.clone(), format!("{value} is not a score")).help("use a number from 0 to 1"))
    }
}
