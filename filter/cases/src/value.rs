//! Values between documents: trees keep the order that people wrote, JSON is what goes over the wire.

use doorward_core::config::Tree;
use serde_json::{Map, Number, Value};

/// A tree as JSON text, members in their order.
pub fn text(tree: &Tree) -> String {
    let mut out = String::new();
    write(tree, &mut out);
    out
}

fn write(tree: &Tree, out: &mut String) {
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Tree::Integer(i) => out.push_str(&i.to_string()),
        Tree::Float(f) => out.push_str(&Number::from_f64(*f).map_or_else(|| "null".to_owned(), |n| n.to_string())),
        Tree::String(s) => out.push_str(&Value::from(s.as_str()).to_string()),
        Tree::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Tree::Map(entries) => {
            out.push('{');
            for (i, (key, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
    }
}

/// A tree as a JSON value.
pub fn json(tree: &Tree) -> Value {
    match tree {
        Tree::Null => Value::Null,
        Tree::Bool(b) => Value::Bool(*b),
        Tree::Integer(i) => Value::from(*i),
        Tree::Float(f) => Value::from(*f),
        Tree::String(s) => Value::from(s.as_str()),
        Tree::List(items) => Value::Array(items.iter().map(json).collect()),
        Tree::Map(entries) => {
            Value::Object(entries.iter().map(|(key, item)| (key.clone(), json(item))).collect::<Map<_, _>>())
        }
    }
}

/// Whether two JSON values are the same, however their numbers are written.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64().is_some() && a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// The entry under `key` of a mapping, to be changed.
pub fn entry_mut<'t>(tree: &'t mut Tree, key: &str) -> Option<&'t mut Tree> {
    match tree {
        Tree::Map(entries) => entries.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v),
        _ => None,
    }
}

/// Sets the entry under `key`; makes a mapping of what is none.
pub fn set(tree: &mut Tree, key: &str, value: Tree) {
    if !matches!(tree, Tree::Map(_)) {
        *tree = Tree::Map(Vec::new());
    }
    if let Tree::Map(entries) = tree {
        match entries.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => entries.push((key.to_owned(), value)),
        }
    }
}

/// Takes the entry under `key` away.
pub fn remove(tree: &mut Tree, key: &str) {
    if let Tree::Map(entries) = tree {
        entries.retain(|(k, _)| k != key);
    }
}

/// The items of a list, or the one value that stands in place of a list.
pub fn items(tree: Option<&Tree>) -> Vec<&Tree> {
    match tree {
        None | Some(Tree::Null) => Vec::new(),
        Some(Tree::List(items)) => items.iter().collect(),
        Some(one) => vec![one],
    }
}

/// A text.
pub fn str_of(tree: &Tree) -> Option<&str> {
    match tree {
        Tree::String(text) => Some(text),
        _ => None,
    }
}

/// The text under `key`.
pub fn text_at<'t>(tree: &'t Tree, key: &str) -> Option<&'t str> {
    tree.get(key).and_then(str_of)
}
