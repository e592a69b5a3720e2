//! A file as values that know where they stand.
//!
//! The filter reads its configuration from Envoy, which has already lost the lines. Here the same [`Tree`] is
//! made from the file itself, and every value keeps its [`Mark`], so that a mistake found at a path can be shown
//! at its line.

mod json;
mod scalar;
mod yaml;

use std::collections::HashMap;

use doorward_core::config::{Path, Problem, Tree};

pub use scalar::plain;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// How many characters of that line are meant; at least 1.
    pub width: usize,
}

impl Mark {
    /// The first character of a file.
    pub const START: Mark = Mark { line: 1, column: 1, width: 1 };

    /// The place in a file of a place in a text that starts at `first` there and has all lines equally indented.
    pub fn within(self, first: Mark) -> Self {
        Self { line: self.line + first.line - 1, column: self.column + first.column - 1, ..self }
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    pub mark: Mark,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    /// Neither list nor mapping.
    Scalar(Tree),
    /// Text of several lines that stands in the file as it is (YAML's `|`): the first line's place.
    Block {
        text: String,
        first: Mark,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub mark: Mark,
    pub node: Node,
}

/// A file that was read.
#[derive(Debug)]
pub struct Source {
    pub text: String,
    /// One for JSON; YAML files can hold several.
    pub documents: Vec<Node>,
}

/// What cannot be read at all.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub mark: Mark,
    pub message: String,
    pub help: Option<String>,
}

impl Source {
    /// Reads JSON or YAML.
    ///
    /// # Errors
    /// The first syntax error; the text is given back, for showing it.
    pub fn parse(name: &str, text: String) -> Result<Self, (Unreadable, String)> {
        let json = if name.ends_with(".json") {
            true
        } else {
            // A YAML flow mapping starts with the same brace.
            text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok()
        };
        let documents = if json { json::read(&text).map(|node| vec![node]) } else { yaml::read(&text) };
        match documents {
            Ok(documents) => Ok(Self { text, documents }),
            Err(unreadable) => Err((unreadable, text)),
        }
    }
}

impl Node {
    /// The value without its places.
    pub fn tree(&self) -> Tree {
        match &self.value {
            Value::Scalar(tree) => tree.clone(),
            Value::Block { text, .. } => Tree::String(text.clone()),
            Value::List(items) => Tree::List(items.iter().map(Node::tree).collect()),
            Value::Map(entries) => Tree::Map(entries.iter().map(|e| (e.key.clone(), e.node.tree())).collect()),
        }
    }

    /// The value under `key`, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|e| e.key == key).map(|e| &e.node)
    }

    /// The value under `key`, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.value {
            Value::Map(entries) => entries.iter_mut().find(|e| e.key == key).map(|e| &mut e.node),
            _ => None,
        }
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text, where this is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(Tree::String(text)) | Value::Block { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// Where every path of a document stands.
#[derive(Debug, Default)]
pub struct Marks(HashMap<String, Place>);

#[derive(Clone, Copy, Debug)]
struct Place {
    key: Mark,
    value: Mark,
    /// A list or mapping: it is shown by its key, since it starts on a later line.
    container: bool,
}

impl Marks {
    /// Of a document.
    pub fn of(root: &Node) -> Self {
        let mut marks = Self::default();
        marks.enter(root, root.mark, &Path::root());
        marks
    }

    fn enter(&mut self, node: &Node, key: Mark, path: &Path) {
        let container = matches!(node.value, Value::List(_) | Value::Map(_));
        self.0.insert(path.to_string(), Place { key, value: node.mark, container });
        for entry in node.entries() {
            self.enter(&entry.node, entry.mark, &path.key(&entry.key));
        }
        for (i, item) in node.items().iter().enumerate() {
            self.enter(item, item.mark, &path.index(i));
        }
    }

    /// Where a problem is shown: at the value, or at the key if that is what is wrong. What is not there (a
    /// missing key) is shown at what should hold it.
    pub fn find(&self, problem: &Problem) -> Mark {
        let path = problem.path.to_string();
        if let Some(place) = self.0.get(&path) {
            return if place.container || problem.message.starts_with("unknown key") { place.key } else { place.value };
        }
        let ends = path.rmatch_indices(['.', '[']).map(|(at, _)| at);
        let parents = ends.filter_map(|end| path.get(..end)).chain(["document"]);
        let parent = parents.filter_map(|parent| self.0.get(parent)).next();
        // The first of a list can be written without the list.
        parent.map_or(Mark::START, |place| if place.container { place.key } else { place.value })
    }

    /// The same places, for a document that stands inside a text of another file.
    pub fn shifted(self, first: Mark) -> Self {
        let shift = |(path, place): (String, Place)| {
            (path, Place { key: place.key.within(first), value: place.value.within(first), ..place })
        };
        Self(self.0.into_iter().map(shift).collect())
    }

    /// Every path at one place, for a document inside a text whose lines are not the file's.
    pub fn all_at(self, mark: Mark) -> Self {
        let at = |(path, place): (String, Place)| (path, Place { key: mark, value: mark, ..place });
        Self(self.0.into_iter().map(at).collect())
    }
}

/// Reads JSON text that stands inside another file.
///
/// # Errors
/// The first syntax error, at its place within `text`.
pub fn read_json(text: &str) -> Result<Node, Unreadable> {
    json::read(text)
}

#[cfg(test)]
mod tests;
