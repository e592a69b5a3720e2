//! One policy out of several files.
//!
//! Lists are concatenated, mappings merged key by key, and a value that two files give must be the same in both. The files are
//! laid one behind the other: the lines of a merged value are those of its file plus those of the files before it, so
//! that whatever is found wrong later is shown in its own file.

use std::collections::HashMap;

use doorward_core::config::{Path, Problem};

use crate::report::{Issue, Severity};
use crate::source::{Mark, Marks, Node, Value};

/// Lists whose items may have one name several times: statements about sets of tools.
const NAMES_REPEAT: [&str; 1] = ["tools"];
/// Mappings whose members are whole: two files that define a role define two roles of one name.
const WHOLE: [&str; 1] = ["roles"];

/// A file that takes part.
#[derive(Debug)]
pub struct Part {
    pub file: String,
    /// Whose it is; `None` is the platform's, which may say anything.
    pub owner: Option<String>,
    pub text: String,
    pub root: Node,
}

/// The policy of all of them.
#[derive(Debug)]
pub struct Merged {
    pub root: Node,
    parts: Vec<Part>,
    /// For each part, how many lines come before it.
    before: Vec<usize>,
    /// For each list, by its path: where whose items begin.
    lists: HashMap<String, Vec<(usize, usize)>>,
}

impl Merged {
    /// Merges the parts, in their order.
    ///
    /// # Errors
    /// What two of them say differently.
    pub fn of(parts: Vec<Part>) -> (Self, Vec<Issue>) {
        let mut before = Vec::new();
        let mut lines = 0;
        for part in &parts {
            before.push(lines);
            lines += part.text.lines().count() + 1;
        }
        let roots: Vec<Node> = parts.iter().map(|part| part.root.clone()).collect();
        let mut root = Node { mark: Mark::START, value: Value::Map(Vec::new()) };
        let mut merged = Self { root: root.clone(), parts, before, lists: HashMap::new() };
        let mut problems = Vec::new();
        for (i, mut from) in roots.into_iter().enumerate() {
            shift(&mut from, merged.before.get(i).copied().unwrap_or_default());
            merged.join(&mut root, from, &Path::root(), i, &mut problems);
        }
        merged.root = root;
        let issues = problems.into_iter().map(|(mark, problem)| merged.at(mark, Severity::Error, &problem)).collect();
        (merged, issues)
    }

    /// The same policy, changed without touching where its values stand.
    pub fn with(self, root: Node) -> Self {
        Self { root, ..self }
    }

    /// The files, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What is to say of a problem of the merged policy, in the file that it is in.
    pub fn issue(&self, severity: Severity, problem: &Problem) -> Issue {
        self.at(Marks::of(&self.root).find(problem), severity, problem)
    }

    /// The text that an issue's line is one of.
    pub fn text_of(&self, issue: &Issue) -> &str {
        self.parts.iter().find(|part| part.file == issue.file).map_or("", |part| &part.text)
    }

    /// The file of an item of a list, by the list's path.
    pub fn part_of(&self, list: &str, index: usize) -> Option<&Part> {
        let starts = self.lists.get(list)?;
        let (_, part) = starts.iter().rev().find(|(start, _)| *start <= index)?;
        self.parts.get(*part)
    }

    fn at(&self, mark: Mark, severity: Severity, problem: &Problem) -> Issue {
        let part = self.before.iter().rposition(|before| mark.line > *before).unwrap_or_default();
        let lines = self.before.get(part).copied().unwrap_or_default();
        let file = self.parts.get(part).map_or("", |part| part.file.as_str());
        let mark = Mark { line: mark.line.saturating_sub(lines), ..mark };
        let path = self.own_path(&problem.path.to_string());
        Issue::new(severity, file, mark, path, &problem.message).help(problem.help.clone())
    }

    /// A path of the merged policy in the file's own numbering.
    fn own_path(&self, path: &str) -> String {
        for (list, starts) in &self.lists {
            let Some((index, rest)) =
                path.strip_prefix(list.as_str()).and_then(|p| p.strip_prefix('[')).and_then(|p| p.split_once(']'))
            else {
                continue;
            };
            let Ok(index) = index.parse::<usize>() else { continue };
            let start = starts.iter().rev().map(|(start, _)| *start).find(|start| *start <= index).unwrap_or_default();
            return format!("{list}[{}]{rest}", index - start);
        }
        path.to_owned()
    }

    fn join(&mut self, into: &mut Node, from: Node, path: &Path, part: usize, problems: &mut Vec<(Mark, Problem)>) {
        let same = into.tree() == from.tree();
        match (&mut into.value, from.value) {
            (Value::Map(old), Value::Map(new)) if !self.is_whole(path) => {
                for entry in new {
                    let path = path.key(&entry.key);
                    match old.iter_mut().find(|e| e.key == entry.key) {
                        Some(found) => self.join(&mut found.node, entry.node, &path, part, problems),
                        None => {
                            self.enter(&entry.node, &path, part);
                            old.push(entry);
                        }
                    }
                }
            }
            (Value::List(old), Value::List(new)) => {
                for (i, item) in new.iter().enumerate() {
                    self.twice(old, item, path, old.len() + i, problems);
                }
                self.lists.entry(path.to_string()).or_default().push((old.len(), part));
                old.extend(new);
            }
            _ if same => {}
            _ => {
                let other = self.place(into.mark);
                let message = format!("`{path}` is another one in {other}");
                let help = "say it in one file, for all; lists of both are put together";
                problems.push((from.mark, Problem::new(path.clone(), message).help(help)));
            }
        }
    }

    /// A member that only one file has until now: its lists are that file's.
    fn enter(&mut self, node: &Node, path: &Path, part: usize) {
        match &node.value {
            Value::List(_) => {
                self.lists.insert(path.to_string(), vec![(0, part)]);
            }
            Value::Map(entries) if !self.is_whole(path) => {
                for entry in entries {
                    self.enter(&entry.node, &path.key(&entry.key), part);
                }
            }
            _ => {}
        }
    }

    fn is_whole(&self, path: &Path) -> bool {
        let path = path.to_string();
        WHOLE.iter().any(|whole| path.strip_prefix(whole).is_some_and(|rest| rest.starts_with(['.', '['])))
    }

    fn twice(&self, old: &[Node], item: &Node, path: &Path, at: usize, problems: &mut Vec<(Mark, Problem)>) {
        if NAMES_REPEAT.contains(&path.to_string().as_str()) {
            return;
        }
        let Some((key, id)) = name(item) else { return };
        if let Some(first) = old.iter().find(|o| o.get(key).and_then(Node::text) == Some(id)) {
            let message = format!("a second `{key}: {id}`; the first is in {}", self.place(first.mark));
            let mark = item.get(key).map_or(item.mark, |node| node.mark);
            problems.push((mark, Problem::new(path.index(at).key(key), message).help("give it a name of its own")));
        }
    }

    /// `teams.yaml:3`, of a line of all files.
    fn place(&self, mark: Mark) -> String {
        let part = self.before.iter().rposition(|before| mark.line > *before).unwrap_or_default();
        let lines = self.before.get(part).copied().unwrap_or_default();
        let file = self.parts.get(part).map_or("", |part| part.file.as_str());
        format!("{file}:{}", mark.line.saturating_sub(lines))
    }
}

/// What an item of a list is called.
fn name(item: &Node) -> Option<(&'static str, &str)> {
    ["id", "name", "issuer"].into_iter().find_map(|key| Some((key, item.get(key)?.text()?)))
}

fn shift(node: &mut Node, lines: usize) {
    node.mark.line += lines;
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Block { first, .. } => first.line += lines,
        Value::List(items) => items.iter_mut().for_each(|item| shift(item, lines)),
        Value::Map(entries) => {
            for entry in entries {
                entry.mark.line += lines;
                shift(&mut entry.node, lines);
            }
        }
    }
}
