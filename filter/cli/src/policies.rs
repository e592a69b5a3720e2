//! Finding the policies in a file.
//!
//! A file is a policy, or it holds one somewhere: in the `configuration` of an Envoy Wasm plugin (a Struct or a
//! StringValue), in an Istio resource, in a generated bootstrap. Whatever says `version: doorward/...` is one.

use doorward_core::config::{Path, Problem, Tree};

use crate::report::{Issue, Severity};
use crate::source::{Marks, Node, Source, Unreadable, Value, read_json};

/// A policy of a file.
#[derive(Debug)]
pub struct Policy<'s> {
    /// From the file's root; the root itself for a file that is a policy.
    pub path: String,
    pub node: Content<'s>,
    pub marks: Marks,
    /// What it stands in, outermost first: the document, ..., the object whose `configuration` it is.
    pub around: Vec<(Path, &'s Node)>,
}

impl Policy<'_> {
    /// A path of the policy, from the file's root.
    pub fn path_of(&self, path: &Path) -> String {
        let inner = path.to_string();
        match (self.path.as_str(), *path == Path::root()) {
            ("", _) => inner,
            (outer, true) => outer.to_owned(),
            (outer, false) if inner.starts_with('[') => format!("{outer}{inner}"),
            (outer, false) => format!("{outer}.{inner}"),
        }
    }

    /// What the file says of a problem of the policy.
    pub fn issue(&self, severity: Severity, file: &str, problem: &Problem) -> Issue {
        let mark = self.marks.find(problem);
        Issue::new(severity, file, mark, self.path_of(&problem.path), &problem.message).help(problem.help.clone())
    }
}

/// A policy's values: the file's own, or those of a text in it.
#[derive(Debug)]
pub enum Content<'s> {
    Native(&'s Node),
    Text(Node),
}

impl Content<'_> {
    pub fn get(&self) -> &Node {
        match self {
            Content::Native(node) => node,
            Content::Text(node) => node,
        }
    }
}

/// A place that should hold a policy and does not.
#[derive(Debug)]
pub struct Broken {
    pub path: String,
    pub problem: Unreadable,
}

/// Every policy of `source`.
pub fn find(source: &Source) -> (Vec<Policy<'_>>, Vec<Broken>) {
    let mut search = Search::default();
    for document in &source.documents {
        if looks_like_policy(document) {
            search.native(document, "");
        } else {
            search.walk(document, &Path::root());
        }
    }
    (search.found, search.broken)
}

/// At a document's root the version may be missing or wrong, and that is then the mistake to report.
fn looks_like_policy(root: &Node) -> bool {
    let sections = ["targets", "identity", "access", "content"];
    is_policy(root)
        || sections.iter().filter(|section| root.get(section).is_some()).count() >= 2
        || (root.get("targets").is_some() && root.get("version").is_some())
}

pub fn is_policy(node: &Node) -> bool {
    node.get("version").and_then(Node::text).is_some_and(|version| version.starts_with("doorward/"))
}

#[derive(Default)]
struct Search<'s> {
    found: Vec<Policy<'s>>,
    broken: Vec<Broken>,
    around: Vec<(Path, &'s Node)>,
}

impl<'s> Search<'s> {
    fn native(&mut self, node: &'s Node, path: &str) {
        self.found.push(Policy {
            path: path.to_owned(),
            node: Content::Native(node),
            marks: Marks::of(node),
            around: self.around.clone(),
        });
    }

    fn walk(&mut self, node: &'s Node, path: &Path) {
        if is_policy(node) {
            self.native(node, &path.to_string());
            return;
        }
        if let Some(text) = node.text() {
            if text.trim_start().starts_with('{') && text.contains("\"doorward/") {
                self.text(node, text, path);
            }
            return;
        }
        self.around.push((path.clone(), node));
        if is_our_plugin(node)
            && let Some(configuration) = node.get("configuration")
        {
            self.configuration(configuration, &path.key("configuration"));
        } else {
            for entry in node.entries() {
                self.walk(&entry.node, &path.key(&entry.key));
            }
            for (i, item) in node.items().iter().enumerate() {
                self.walk(item, &path.index(i));
            }
        }
        self.around.pop();
    }

    /// The configuration of a plugin that is Doorward by its name or module, whatever its version says.
    fn configuration(&mut self, node: &'s Node, outer: &Path) {
        let (value, path) = match node.get("value") {
            Some(value) if node.get("@type").is_some() => (value, outer.key("value")),
            _ => (node, outer.clone()),
        };
        self.around.push((outer.clone(), node));
        match (&value.value, value.text()) {
            (Value::Map(_), _) => self.native(value, &path.to_string()),
            (_, Some(text)) => self.text(value, text, &path),
            _ => self.broken.push(Broken {
                path: path.to_string(),
                problem: Unreadable {
                    mark: value.mark,
                    message: "the plugin has no policy".to_owned(),
                    help: Some("write the policy below `value` of a google.protobuf.Struct".to_owned()),
                },
            }),
        }
        self.around.pop();
    }

    fn text(&mut self, node: &'s Node, text: &str, path: &Path) {
        let first = match &node.value {
            Value::Block { first, .. } => Some(*first),
            _ => None,
        };
        match read_json(text) {
            Ok(inner) => {
                let marks = Marks::of(&inner);
                let marks = match first {
                    Some(first) => marks.shifted(first),
                    None => marks.all_at(node.mark),
                };
                let around = self.around.clone();
                self.found.push(Policy { path: path.to_string(), node: Content::Text(inner), marks, around });
            }
            Err(mut problem) => {
                problem.mark = match first {
                    Some(first) => problem.mark.within(first),
                    None => node.mark,
                };
                problem.help = Some("a StringValue holds JSON; YAML goes below a google.protobuf.Struct".to_owned());
                self.broken.push(Broken { path: path.to_string(), problem });
            }
        }
    }
}

/// Whether a policy, or the plugin, is at or below `node`.
pub fn is_in(node: &Node) -> bool {
    is_policy(node)
        || is_our_plugin(node)
        || node.text().is_some_and(|text| text.contains("\"doorward/"))
        || node.entries().iter().any(|entry| is_in(&entry.node))
        || node.items().iter().any(is_in)
}

/// Whether this is Envoy's `PluginConfig` of Doorward.
fn is_our_plugin(node: &Node) -> bool {
    let names = ["name", "root_id", "rootId"].into_iter().filter_map(|key| node.get(key)?.text());
    let module = ["vm_config", "vmConfig"].into_iter().filter_map(|key| Some(node.get(key)?.get("code")?.tree()));
    node.get("configuration").is_some()
        && (names.into_iter().any(|name| name.contains("doorward")) || module.into_iter().any(|code| mentions(&code)))
}

fn mentions(tree: &Tree) -> bool {
    match tree {
        Tree::String(text) => text.len() < 4096 && text.contains("doorward"),
        Tree::List(items) => items.iter().any(mentions),
        Tree::Map(entries) => entries.iter().any(|(_, value)| mentions(value)),
        _ => false,
    }
}
