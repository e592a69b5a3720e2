//! From the document to compiled detectors.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::dictionary::DictionaryBuilder;
use super::document::{AllowDocument, DetectorsDocument, ExactDocument};
use super::exact::{self, DIGEST, List, Lists};
use super::links::Hosts;
use super::pattern::{Pattern, Patterns};
use super::{DEFAULT_THRESHOLD, Detectors, Group, Kind, KindId, glob, secrets, types};
use crate::config::{Path, Problem, SecretRef, nearest};
use crate::engine::{Env, key};

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
            labels: super::labels::Labels::new(),
            watch: super::lane::Watch::default(),
            dictionary: super::dictionary::Dictionary::default(),
            patterns: Patterns::default(),
            exact: Lists::default(),
            topics: super::topics::Topics::default(),
            hosts: compile_hosts(&document.links.hosts, &path.key("links").key("hosts"))?,
            externals: Vec::new(),
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
        let mut lists = Vec::new();
        for (i, list) in document.exact.iter().enumerate() {
            let path = path.key("exact").index(i);
            let kind = detectors.name(&list.name, list.group, &path)?;
            lists.push(compile_exact(list, kind, env, &path)?);
        }
        detectors.exact = Lists::new(lists);
        for (i, reference) in document.canaries.iter().enumerate() {
            let path = path.key("canaries").index(i);
            dictionary.anywhere(&canary(reference, env, &path)?, types::Type::Canary.id());
        }
        detectors.dictionary = dictionary.build(&path.key("dictionaries"))?;
        detectors.topics = super::topics::compile(&document.topics, &mut detectors, &path.key("topics"))?;
        detectors.compile_external(&document.external, env, &path.key("external"))?;
        detectors.thresholds = detectors.compile_thresholds(document, path)?;
        for (i, allow) in document.allow.iter().enumerate() {
            let allow = detectors.compile_allow(allow, &path.key("allow").index(i))?;
            detectors.allow.push(allow);
        }
        Ok(detectors)
    }

    /// Takes up a name of the policy's own.
    pub(super) fn name(&mut self, name: &str, group: Option<Group>, path: &Path) -> Result<KindId, Problem> {
        self.kind_named(name, group, path.key("name"))
    }

    /// The same for a name that stands at `path` itself.
    pub(super) fn kind_named(&mut self, name: &str, group: Option<Group>, path: Path) -> Result<KindId, Problem> {
        self.check_name(name, &path)?;
        let id = u16::try_from(self.kinds.len())
            .map_err(|_| Problem::new(path, "there are too many detectors").help("at most 65,535 in all"))?;
        self.kinds.push(Kind { name: name.to_owned(), group: group.unwrap_or(Group::Custom) });
        Ok(KindId(id))
    }

    /// Refuses what cannot name a detector, and what names one already.
    pub(super) fn check_name(&self, name: &str, path: &Path) -> Result<(), Problem> {
        let path = path.clone();
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
        if self.externals.iter().any(|external| same(&external.name)) {
            return Err(Problem::new(path, format!("`{name}` names two detectors")).help("choose another name"));
        }
        Ok(())
    }

    fn compile_thresholds(&self, document: &DetectorsDocument, path: &Path) -> Result<Vec<f32>, Problem> {
        let mut thresholds = vec![DEFAULT_THRESHOLD; self.kinds.len()];
        for (id, threshold) in self.topics.thresholds() {
            if let Some(slot) = thresholds.get_mut(id.index()) {
                *slot = threshold;
            }
        }
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

fn compile_exact(list: &ExactDocument, kind: KindId, env: Env<'_>, path: &Path) -> Result<List, Problem> {
    let key = key(&list.key, env, &path.key("key"))?;
    let lengths = (usize::from(list.least), usize::from(list.most));
    if lengths.0 > lengths.1 || !exact::LENGTHS.contains(&lengths.0) || !exact::LENGTHS.contains(&lengths.1) {
        let (least, most) = exact::LENGTHS.into_inner();
        return Err(Problem::new(path.key("least"), format!("lengths from {} to {}", lengths.0, lengths.1))
            .help(format!("values have {least} to {most} letters and digits; `doorward digest` says which")));
    }
    let mut digests = Vec::new();
    for (i, text) in list.digests.0.iter().enumerate() {
        let bytes: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode(bytes).ok().filter(|bytes| bytes.len() % DIGEST == 0 && !bytes.is_empty());
        let Some(bytes) = bytes else {
            return Err(Problem::new(path.key("digests").index(i), "no digests")
                .help("digests of eight bytes, one after the other, in base64: what `doorward digest` prints"));
        };
        digests.extend(bytes.as_chunks::<DIGEST>().0);
    }
    Ok(List::new(kind, &key, lengths, digests))
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
