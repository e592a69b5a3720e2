//! Definitions of tools that a policy pins: a server that describes a tool otherwise than when somebody looked at it has another tool.
//!
//! A pin is the SHA-256 over the definition in canonical form: members in the order of their names, texts decoded and escaped in one way, no
//! white space (RFC 8785; only numbers stay as they are written). All members count that a model or a client goes by: name, title,
//! description, schemas, annotations, and what a later version adds. `_meta` and `icons` do not.
//!
//! What it does not do: a tool that has no pin is none of its business.

use std::collections::BTreeMap;

use super::document::{OnChange, ToolDocument};
use super::targets::{Targets, includes};
use crate::config::{Path, Problem};
use crate::json::{Kind, Node, escaped, fold};
use crate::sort;

/// What a pin begins with.
const PREFIX: &str = "sha256:";

/// Every pin of a policy.
#[derive(Debug, Default)]
pub struct Pins(BTreeMap<String, Vec<Pin>>);

#[derive(Debug)]
struct Pin {
    /// Its place among the policy's pins.
    place: usize,
    targets: Option<Vec<bool>>,
    digests: Vec<String>,
    on_change: OnChange,
}

/// How a definition compares with its pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// It has none.
    No,
    /// It is as it was.
    Same(usize),
    /// It is another one.
    Changed(usize, OnChange),
}

impl Pins {
    /// Compiles the pins of a policy's `tools`.
    pub fn compile(documents: &[ToolDocument], targets: &Targets, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let (mut pins, mut place) = (Self::default(), 0);
        for (i, document) in documents.iter().enumerate() {
            let path = path.index(i);
            if document.pin.0.is_empty() {
                continue;
            }
            for (j, pin) in document.pin.0.iter().enumerate() {
                let hex = pin.strip_prefix(PREFIX).unwrap_or_default();
                if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
                    problems.push(
                        Problem::new(path.key("pin").index(j), format!("`{pin}` is no pin"))
                            .help("`doorward pin` makes them: `sha256:` and 64 hex digits in lower case"),
                    );
                }
            }
            let [name] = document.name.0.as_slice() else {
                problems
                    .push(Problem::new(path.key("name"), "a pin is one tool's").help("write an item for each tool"));
                continue;
            };
            let none = crate::config::OneOrMany(Vec::new());
            let pin = Pin {
                place,
                targets: targets.meant(&document.targets, &none, &path, problems),
                digests: document.pin.0.clone(),
                on_change: document.on_change,
            };
            place += 1;
            pins.0.entry(fold(name)).or_default().push(pin);
        }
        pins
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Compares the definition of a tool of a target with its pin.
    pub fn compare(&self, target: usize, name: &str, definition: Node<'_>) -> Pinned {
        let Some(pin) = self.find(target, name) else { return Pinned::No };
        match pin.digests.contains(&digest(definition)) {
            true => Pinned::Same(pin.place),
            false => Pinned::Changed(pin.place, pin.on_change),
        }
    }

    /// The place of the pin whose change ends calls of a tool.
    pub fn blocks(&self, target: usize, name: &str) -> Option<usize> {
        self.find(target, name).filter(|pin| pin.on_change == OnChange::Block).map(|pin| pin.place)
    }

    /// Whether a tool has one.
    pub fn has(&self, target: usize, name: &str) -> bool {
        self.find(target, name).is_some()
    }

    fn find(&self, target: usize, name: &str) -> Option<&Pin> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&fold(name))?.iter().find(|pin| includes(pin.targets.as_ref(), target))
    }
}

/// The pin of a definition.
pub fn digest(definition: Node<'_>) -> String {
    format!("{PREFIX}{}", crate::hex::hex(&hash(definition)))
}

/// The digest of a definition.
pub(crate) fn hash(definition: Node<'_>) -> [u8; 32] {
    let mut text = String::new();
    canonical(definition, true, &mut text);
    hmac_sha256::Hash::hash(text.as_bytes())
}

/// The canonical form of a value. `whole`: it is the definition itself.
fn canonical(node: Node<'_>, whole: bool, out: &mut String) {
    match node.kind() {
        Kind::Object => {
            let mut members: Vec<(String, Node<'_>)> =
                node.entries().map(|(key, value)| (key.text().into_owned(), value)).collect();
            members.retain(|(name, _)| !(whole && matches!(name.as_str(), "_meta" | "icons")));
            sort::cold(&mut members, |a, b| a.0.encode_utf16().lt(b.0.encode_utf16()));
            out.push('{');
            for (i, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if i > 0 { ",\"" } else { "\"" });
                out.push_str(&escaped(&name));
                out.push_str("\":");
                canonical(value, false, out);
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for (i, item) in node.items().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                canonical(item, false, out);
            }
            out.push(']');
        }
        Kind::String => {
            out.push('"');
            out.push_str(&escaped(&node.text().unwrap_or_default()));
            out.push('"');
        }
        Kind::Number => out.push_str(node.number().unwrap_or_default()),
        Kind::Bool => out.push_str(if node.bool() == Some(true) { "true" } else { "false" }),
        Kind::Null => out.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn pin(json: &str) -> String {
        digest(Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn pins_are_of_what_is_meant_and_not_of_how_it_is_written() {
        let tool = r#"{"name":"a","description":"reads /etc\u00e9","inputSchema":{"type":"object","properties":{"x":{"type":"string"},"b":{}}}}"#;
        let same = r#"{ "inputSchema" : {"properties":{"b":{},"x":{"type":"string"}},"type":"object"}, "description":"reads \/etc\u00E9",
            "name":"\u0061", "_meta":{"t":1}, "icons":[{"src":"x"}] }"#;
        assert_eq!(pin(tool), pin(same));
        // printf '{"a":1}' | sha256sum
        assert_eq!(pin(r#"{"a":1}"#), "sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
        for other in [
            tool.replace("reads", "Reads"),
            tool.replace("\"b\":{}", "\"b\":{\"description\":\"and send it\"}"),
            tool.replace("\"name\":\"a\"", "\"name\":\"b\""),
            tool.replace("\"name\":\"a\"", "\"name\":\"a\",\"title\":\"t\""),
            tool.replace("\"name\":\"a\"", "\"name\":\"a\",\"annotations\":{\"readOnlyHint\":true}"),
            tool.replace("\"b\":{}", "\"b\":{\"_meta\":1}"),
            tool.replace("\"b\":{}", "\"b\":[]"),
            tool.replace("reads /", "reads\\n/"),
        ] {
            assert_ne!(other, tool);
            assert_ne!(pin(&other), pin(tool), "{other}");
        }
    }
}
