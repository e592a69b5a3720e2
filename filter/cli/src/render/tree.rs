//! Building values, and writing them as YAML.
//!
//! What is written is read back as the same values by Envoy (YAML 1.1, by yaml-cpp), by Kubernetes and by this
//! program: a text stays plain only where none of them could take it for anything else.

use std::fmt::Write as _;

use doorward_core::config::Tree;

use crate::source::plain;

/// A mapping.
pub fn map<const N: usize>(entries: [(&str, Tree); N]) -> Tree {
    Tree::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A list.
pub fn list(items: impl IntoIterator<Item = Tree>) -> Tree {
    Tree::List(items.into_iter().collect())
}

/// A text.
pub fn text(text: impl Into<String>) -> Tree {
    Tree::String(text.into())
}

/// Adds an entry to a mapping; nothing happens to anything else.
pub fn set(tree: &mut Tree, key: &str, value: Tree) {
    if let Tree::Map(entries) = tree {
        match entries.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value,
            None => entries.push((key.to_owned(), value)),
        }
    }
}

/// The value under `key` of a mapping, made (empty) where there is none; `None` where this is no mapping.
pub fn entry<'t>(tree: &'t mut Tree, key: &str, empty: Tree) -> Option<&'t mut Tree> {
    let Tree::Map(entries) = tree else { return None };
    if !entries.iter().any(|(k, _)| k == key) {
        entries.push((key.to_owned(), empty));
    }
    entries.iter_mut().find(|(k, _)| k == key).map(|(_, value)| value)
}

/// The text under `key`.
pub fn text_of<'t>(tree: &'t Tree, key: &str) -> Option<&'t str> {
    match tree.get(key)? {
        Tree::String(text) => Some(text),
        _ => None,
    }
}

/// The items under `key`.
pub fn items_of<'t>(tree: &'t Tree, key: &str) -> &'t [Tree] {
    match tree.get(key) {
        Some(Tree::List(items)) => items,
        _ => &[],
    }
}

/// As YAML, in block style.
pub fn yaml(tree: &Tree) -> String {
    let mut out = String::new();
    block(tree, 0, &mut out);
    out
}

fn block(tree: &Tree, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match tree {
        Tree::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let _ = write!(out, "{pad}{}:", scalar(key));
                // A list stands under its key, as everybody writes it.
                below(value, if matches!(value, Tree::List(_)) { indent } else { indent + 2 }, out);
            }
        }
        Tree::List(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "{pad}-");
                match item {
                    Tree::Map(entries) if !entries.is_empty() => {
                        let mut inner = String::new();
                        block(item, indent + 2, &mut inner);
                        let _ = write!(out, " {}", inner.trim_start());
                    }
                    _ => below(item, indent + 2, out),
                }
            }
        }
        scalar => {
            let _ = writeln!(out, "{pad}{}", one_line(scalar));
        }
    }
}

fn below(tree: &Tree, indent: usize, out: &mut String) {
    match tree {
        Tree::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            block(tree, indent, out);
        }
        Tree::List(items) if !items.is_empty() => {
            out.push('\n');
            block(tree, indent, out);
        }
        _ => {
            let _ = writeln!(out, " {}", one_line(tree));
        }
    }
}

fn one_line(tree: &Tree) -> String {
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Bool(truth) => truth.to_string(),
        Tree::Integer(number) => number.to_string(),
        Tree::Float(number) => number.to_string(),
        Tree::String(text) => scalar(text),
        Tree::List(_) => "[]".to_owned(),
        Tree::Map(_) => "{}".to_owned(),
    }
}

fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    // Beside what Envoy reads as a boolean or nothing, YAML has other words for them (`.inf` starts with a dot).
    if starts && text.chars().all(word) && plain(text) == Tree::String(text.to_owned()) {
        return text.to_owned();
    }
    quoted(text)
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(c),
            // Letters of other scripts stay legible; what cannot be seen is escaped.
            c if c.is_alphanumeric() => out.push(c),
            c if u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let texts = [
            "",
            "y",
            "No",
            "on",
            "null",
            "~",
            "010",
            "1e3",
            "0.25",
            "a: b",
            "- x",
            "#x",
            "a #b",
            "'",
            "\"",
            "\\",
            "{{x}}",
            " lead",
            "tail ",
            "two\nlines\n",
            "tab\t",
            "é 日本 🦀",
            "\u{7f}\u{85}\u{feff}\u{202e}",
            "*.acme.com",
            "&x",
            "!x",
            "%x",
            "@x",
            "`x`",
            "outbound|443||api.openai.com",
            "2026-12-31",
            "12:30:00",
            "0x1F",
            "=",
            "<<",
            "?",
            ":",
            "=x",
        ];
        let all = list(texts.iter().map(|t| text(*t)));
        let mut keyed = Tree::Map(texts.iter().map(|t| ((*t).to_owned(), text(*t))).collect());
        set(&mut keyed, "nested", list([list([Tree::Integer(1)]), map([]), list([]), map([("a", all.clone())])]));
        set(&mut keyed, "numbers", list([Tree::Float(2.5), Tree::Integer(-3), Tree::Bool(true), Tree::Null]));
        let tree = map([("all", all), ("keyed", keyed), ("last", list([map([("b", map([])), ("c", text("d"))])]))]);
        let written = yaml(&tree);
        let read = Source::parse("x.yaml", written.clone()).unwrap_or_else(|(e, text)| panic!("{e:?}\n{text}"));
        assert_eq!(read.documents.len(), 1);
        assert_eq!(read.documents[0].tree(), tree, "{written}");
    }
}
