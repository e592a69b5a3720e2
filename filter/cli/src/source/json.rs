//! JSON with places.

use doorward_core::config::Tree;
use doorward_core::json::{Document, Kind, Limits, Node as Raw};

use super::{Entry, Mark, Node, Unreadable, Value};

/// Reads one JSON text, as the filter does.
pub fn read(text: &str) -> Result<Node, Unreadable> {
    let tree: Tree = serde_json::from_str(text).map_err(|e| {
        // serde_json counts columns in bytes, from 1; at the end of a line its column can be 0.
        let line = text.lines().nth(e.line().saturating_sub(1)).unwrap_or_default();
        let column = line.get(..e.column().saturating_sub(1)).map_or(1, |before| before.chars().count() + 1);
        let message = e.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
        Unreadable {
            mark: Mark { line: e.line().max(1), column, width: 1 },
            message: format!("not valid JSON: {message}"),
            help: None,
        }
    })?;
    // The reader with places is stricter (no NUL, no keys that differ only in case): without it there are no places.
    Ok(match Document::parse(text.as_bytes(), &Limits::default()) {
        Ok(document) => place(&tree, document.root(), &Lines::of(text)),
        Err(_) => unplaced(&tree),
    })
}

/// Where lines start, in bytes.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect() }
    }

    fn mark(&self, span: std::ops::Range<usize>) -> Mark {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let chars = |from: usize, to: usize| self.text.get(from..to).map_or(0, |s| s.chars().count());
        let first_line = self.text.get(span.clone()).and_then(|s| s.lines().next()).map_or(1, |s| s.chars().count());
        Mark { line, column: chars(start, span.start) + 1, width: first_line.max(1) }
    }
}

fn place(tree: &Tree, raw: Raw<'_>, lines: &Lines<'_>) -> Node {
    let mark = lines.mark(raw.span());
    let value = match (tree, raw.kind()) {
        (Tree::List(items), Kind::Array) => {
            Value::List(items.iter().zip(raw.items()).map(|(tree, raw)| place(tree, raw, lines)).collect())
        }
        (Tree::Map(entries), Kind::Object) => Value::Map(
            entries
                .iter()
                .zip(raw.entries())
                .map(|((key, tree), (token, raw))| Entry {
                    key: key.clone(),
                    mark: lines.mark(quoted(token.inner_span())),
                    node: place(tree, raw, lines),
                })
                .collect(),
        ),
        _ => return Node { mark, ..unplaced(tree) },
    };
    Node { mark, value }
}

fn unplaced(tree: &Tree) -> Node {
    let mark = Mark::START;
    let value = match tree {
        Tree::List(items) => Value::List(items.iter().map(unplaced).collect()),
        Tree::Map(entries) => Value::Map(
            entries.iter().map(|(key, tree)| Entry { key: key.clone(), mark, node: unplaced(tree) }).collect(),
        ),
        scalar => Value::Scalar(scalar.clone()),
    };
    Node { mark, value }
}

/// A string's span with its quotes.
fn quoted(inner: std::ops::Range<usize>) -> std::ops::Range<usize> {
    inner.start.saturating_sub(1)..inner.end + 1
}
