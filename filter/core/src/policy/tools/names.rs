//! Rules by the names of tools, found without looking at every rule.

use std::collections::HashMap;

use crate::inspect::skeletons;
use crate::policy::{Glob, Globs};

/// Rules by what their globs begin or end with.
#[derive(Debug, Default)]
pub(super) struct Index {
    exact: HashMap<String, Vec<u32>>,
    /// By the literal head of a glob, and by its tail where it has no head.
    heads: Affixes,
    tails: Affixes,
    /// Globs with neither.
    others: Vec<(Glob, u32)>,
}

#[derive(Debug, Default)]
struct Affixes {
    globs: HashMap<String, Vec<(Glob, u32)>>,
    /// The lengths of what is in there, in bytes.
    lengths: Vec<usize>,
}

impl Affixes {
    fn add(&mut self, affix: &str, glob: Glob, rule: u32) {
        if !self.lengths.contains(&affix.len()) {
            self.lengths.push(affix.len());
        }
        self.globs.entry(affix.to_owned()).or_default().push((glob, rule));
    }

    fn at(&self, affix: Option<&str>, name: &str, found: &mut dyn FnMut(u32)) {
        let globs = affix.and_then(|affix| self.globs.get(affix));
        globs.into_iter().flatten().filter(|(glob, _)| glob.matches(name)).for_each(|(_, rule)| found(*rule));
    }
}

impl Index {
    /// Adds a rule; no names are any name.
    pub fn add(&mut self, names: &[String], rule: u32) {
        if names.is_empty() {
            self.others.push((Glob::new("*"), rule));
        }
        for name in names {
            let glob = Glob::new(name);
            let lower = name.to_ascii_lowercase();
            let wild = |c: char| matches!(c, '*' | '?');
            let head = lower.split(wild).next().unwrap_or_default();
            let tail = lower.rsplit(wild).next().unwrap_or_default();
            match (glob.literal(), head, tail) {
                (Some(_), ..) => self.exact.entry(lower).or_default().push(rule),
                (None, "", "") => self.others.push((glob, rule)),
                (None, "", tail) => self.tails.add(tail, glob, rule),
                (None, head, _) => self.heads.add(head, glob, rule),
            }
        }
    }

    /// Tells every rule that `name`, in lower case, fits; some of them more than once.
    pub fn find(&self, name: &str, found: &mut dyn FnMut(u32)) {
        self.exact.get(name).into_iter().flatten().for_each(|rule| found(*rule));
        for length in &self.heads.lengths {
            self.heads.at(name.get(..*length), name, found);
        }
        for length in &self.tails.lengths {
            self.tails.at(name.len().checked_sub(*length).and_then(|from| name.get(from..)), name, found);
        }
        self.others.iter().filter(|(glob, _)| glob.matches(name)).for_each(|(_, rule)| found(*rule));
    }
}

/// What a tool's name may be taken for.
pub(super) struct Forms {
    /// As it is written, in lower case, and without a prefix that the policy names: what an allow goes by.
    pub own: Vec<String>,
    /// What a deny goes by, too: what it looks like, and what stands behind anything that may be a prefix.
    pub others: Vec<String>,
}

/// Names have so many parts at most that a deny looks at.
const MOST_PARTS: usize = 8;
/// What aggregators put between a server's name and a tool's.
const SEPARATORS: [&str; 5] = ["__", "/", ".", ":", "::"];

impl Forms {
    pub fn new(name: &str, prefixes: &Globs) -> Self {
        let mut own = vec![name.to_ascii_lowercase()];
        if !prefixes.is_empty() {
            let parts: Vec<String> = parts(name).filter(|(before, _)| prefixes.any(before)).map(|(_, n)| n).collect();
            own.extend(parts);
        }
        let mut others: Vec<String> = parts(name).map(|(_, name)| name).collect();
        for looks in skeletons(name) {
            others.extend(parts(&looks).map(|(_, name)| name));
            others.push(looks.to_ascii_lowercase());
        }
        let trimmed = name.trim().to_ascii_lowercase();
        if trimmed.len() != name.len() {
            others.push(trimmed);
        }
        Self { own, others }
    }
}

/// What stands behind each separator, in lower case, and what before it, the separator included.
fn parts(name: &str) -> impl Iterator<Item = (&str, String)> {
    let ends = SEPARATORS.into_iter().flat_map(|sep| name.match_indices(sep).map(move |(at, _)| at + sep.len()));
    ends.filter_map(|at| name.split_at_checked(at))
        .filter(|(_, rest)| !rest.is_empty())
        .map(|(before, rest)| (before, rest.to_ascii_lowercase()))
        .take(SEPARATORS.len() * MOST_PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_found_by_head_and_tail() {
        let mut index = Index::default();
        let names = ["Send_Mail", "read_*", "*_delete", "*", "a?c", "*mid*"].map(str::to_owned);
        for (rule, name) in (0..).zip(&names) {
            index.add(std::slice::from_ref(name), rule);
        }
        index.add(&[], 9);
        let find = |name: &str| {
            let mut found = Vec::new();
            index.find(name, &mut |rule| found.push(rule));
            found.sort_unstable();
            found
        };
        assert_eq!(find("send_mail"), [0, 3, 9]);
        assert_eq!(find("read_mid_delete"), [1, 2, 3, 5, 9]);
        assert_eq!(find("abc"), [3, 4, 9]);
        assert_eq!(find("ré"), [3, 9]);
    }

    #[test]
    fn forms() {
        let forms = Forms::new("GitHub__Issue.Read", &Globs::new(&["github__".to_owned()]));
        assert_eq!(forms.own, ["github__issue.read", "issue.read"]);
        assert!(forms.others.contains(&"read".to_owned()));
        let forms = Forms::new("x/s\u{435}nd", &Globs::default());
        assert_eq!(forms.own, ["x/s\u{435}nd"]);
        assert!(forms.others.contains(&"send".to_owned()) && forms.others.contains(&"x/send".to_owned()));
    }
}
