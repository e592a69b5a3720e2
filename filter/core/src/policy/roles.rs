//! Roles: names for sets of callers.

use std::collections::BTreeMap;

use super::document::RoleDocument;
use super::glob::Globs;
use crate::config::{OneOrMany, Path, Problem};
use crate::identity::Principal;

/// A set of roles, by their place in [`Roles`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleSet(Vec<u64>);

impl RoleSet {
    fn insert(&mut self, role: usize) {
        let word = role / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (role % 64);
        }
    }

    /// Whether the two have a role in common.
    pub fn meets(&self, other: &RoleSet) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    fn has(&self, role: usize) -> bool {
        self.0.get(role / 64).is_some_and(|bits| bits >> (role % 64) & 1 == 1)
    }
}

/// Which callers a statement is for: everybody, or who has one of some roles.
#[derive(Clone, Debug, Default)]
pub struct Who(Option<RoleSet>);

impl Who {
    /// Whether a caller with `roles` is meant.
    pub fn fits(&self, roles: &RoleSet) -> bool {
        self.0.as_ref().is_none_or(|wanted| wanted.meets(roles))
    }
}

/// Every role of a policy.
#[derive(Debug, Default)]
pub struct Roles {
    names: Vec<String>,
    definitions: Vec<Vec<Conditions>>,
}

/// Conditions that must all hold.
#[derive(Debug)]
pub(crate) struct Conditions {
    groups: Globs,
    teams: Globs,
    users: Globs,
    workloads: Globs,
    purposes: Globs,
    claims: Vec<(String, Globs)>,
}

impl Roles {
    /// Compiles a policy's `roles`.
    pub fn compile(
        documents: &BTreeMap<String, OneOrMany<RoleDocument>>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut roles = Self::default();
        for (name, document) in documents {
            let path = path.key(name);
            if document.0.is_empty() {
                problems.push(Problem::new(path.clone(), "a role without conditions").help("add `groups: [...]`"));
            }
            let conditions = document.0.iter().map(|c| Conditions::compile(c, &path, problems)).collect();
            roles.names.push(name.clone());
            roles.definitions.push(conditions);
        }
        roles
    }

    /// The roles that `principal` has.
    pub fn of(&self, principal: &Principal) -> RoleSet {
        let mut set = RoleSet::default();
        for (role, definition) in self.definitions.iter().enumerate() {
            if definition.iter().any(|c| c.hold(principal)) {
                set.insert(role);
            }
        }
        set
    }

    /// The names of a set's roles, in the policy's order.
    pub fn names<'a>(&'a self, set: &'a RoleSet) -> impl Iterator<Item = &'a str> {
        self.names.iter().enumerate().filter(|(i, _)| set.has(*i)).map(|(_, n)| n.as_str())
    }

    /// The names of a caller's roles that a statement is for.
    pub fn names_for<'a>(&'a self, who: &'a Who, set: &'a RoleSet) -> impl Iterator<Item = &'a str> {
        let meant = |role: usize| who.0.as_ref().is_none_or(|wanted| wanted.has(role));
        self.names.iter().enumerate().filter(move |(i, _)| set.has(*i) && meant(*i)).map(|(_, n)| n.as_str())
    }

    /// Whom a statement's `roles` mean.
    pub fn who(&self, names: &OneOrMany<String>, path: &Path, problems: &mut Vec<Problem>) -> Who {
        if names.0.is_empty() {
            return Who(None);
        }
        let mut set = RoleSet::default();
        for (i, name) in names.0.iter().enumerate() {
            match self.names.iter().position(|n| n == name) {
                Some(role) => set.insert(role),
                None => {
                    problems.push(super::unknown(path.index(i), "role", name, self.names.iter().map(String::as_str)))
                }
            }
        }
        Who(Some(set))
    }
}

impl Conditions {
    pub(crate) fn compile(document: &RoleDocument, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let RoleDocument { groups, teams, users, workloads, purposes, claims } = document;
        let lists = [groups, teams, users, workloads, purposes];
        if lists.iter().all(|l| l.0.is_empty()) && claims.is_empty() {
            problems.push(
                Problem::new(path.clone(), "a role without conditions, which every caller would have")
                    .help("add `groups`, `teams`, `users`, `workloads`, `purposes` or `claims`; statements for every caller name no role"),
            );
        }
        let globs = |list: &OneOrMany<String>| Globs::new(&list.0);
        Self {
            groups: globs(groups),
            teams: globs(teams),
            users: globs(users),
            workloads: globs(workloads),
            purposes: globs(purposes),
            claims: claims.iter().map(|(name, values)| (name.clone(), globs(values))).collect(),
        }
    }

    pub(crate) fn hold(&self, principal: &Principal) -> bool {
        let one =
            |globs: &Globs, value: &Option<String>| globs.is_empty() || value.as_deref().is_some_and(|v| globs.any(v));
        let many = |globs: &Globs, values: &[String]| globs.is_empty() || values.iter().any(|v| globs.any(v));
        many(&self.groups, &principal.groups)
            && one(&self.teams, &principal.team)
            && one(&self.users, &principal.user)
            && one(&self.workloads, &principal.workload)
            && one(&self.purposes, &principal.purpose)
            && self.claims.iter().all(|(name, globs)| {
                principal.claims.get(name).is_some_and(|values| values.iter().any(|v| globs.any(v)))
            })
    }
}
