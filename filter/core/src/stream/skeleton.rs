//! A further event for a text, made of an event that carried a piece of it.
//!
//! Text that was held back is told once it is clear, and there may be no event of the provider's left to tell it in. The new one
//! keeps what says where the piece belongs: the members on the way to it, and beside them numbers, truth values and the names of
//! things. Everything else stays out, since clients join strings of several events: a tool's name that came twice would be
//! another tool's.

use std::ops::Range;

use crate::json::{Kind, Node, escaped};

/// Strings that name what an event is about; clients do not join them.
const NAMES: &[&str] = &[
    "object",
    "model",
    "type",
    "event_type",
    "item_id",
    "created_at",
    "system_fingerprint",
    "service_tier",
    "modelVersion",
    "responseId",
    "interaction_id",
    "role",
];

/// The event with `text` (decoded) where the string at `span` is; `number` takes the place of its `sequence_number`. `None` where
/// there is no such string.
pub(super) fn skeleton(root: Node<'_>, span: &Range<usize>, text: &str, number: Option<u64>) -> Option<String> {
    let mut out = String::new();
    write(root, span, text, number, true, &mut out).then_some(out)
}

fn write(node: Node<'_>, span: &Range<usize>, text: &str, number: Option<u64>, top: bool, out: &mut String) -> bool {
    let holds = |node: &Node<'_>| node.span().start <= span.start && span.end <= node.span().end;
    match node.kind() {
        Kind::String if holds(&node) => {
            out.push_str(&quoted(text));
            true
        }
        Kind::Array => {
            out.push('[');
            let found = node.items().find(holds).is_some_and(|item| write(item, span, text, number, false, out));
            out.push(']');
            found
        }
        Kind::Object => {
            let mut found = false;
            out.push('{');
            for (key, value) in node.entries() {
                let name = key.text();
                let on_the_way = holds(&value);
                if !on_the_way && !keeps(&name, value, top) {
                    continue;
                }
                if !out.ends_with('{') {
                    out.push(',');
                }
                out.push_str(&quoted(&name));
                out.push(':');
                match (on_the_way, number.filter(|_| top && name == "sequence_number")) {
                    (true, _) => found |= write(value, span, text, number, false, out),
                    (false, Some(number)) => out.push_str(&number.to_string()),
                    (false, None) => out.push_str(&plain(value)),
                }
            }
            out.push('}');
            found
        }
        _ => false,
    }
}

/// Whether a member that is not on the way stays.
fn keeps(name: &str, value: Node<'_>, top: bool) -> bool {
    match value.kind() {
        Kind::Number | Kind::Bool | Kind::Null => true,
        Kind::String => NAMES.contains(&name) || top && name == "id",
        // Some clients want the list to be there.
        Kind::Array => name == "logprobs",
        Kind::Object => false,
    }
}

/// A value without parts, as it may be written anew.
fn plain(value: Node<'_>) -> String {
    match value.kind() {
        Kind::String => quoted(&value.text().unwrap_or_default()),
        Kind::Number => value.number().unwrap_or("0").to_owned(),
        Kind::Bool => value.bool().unwrap_or_default().to_string(),
        Kind::Array => "[]".to_owned(),
        Kind::Object | Kind::Null => "null".to_owned(),
    }
}

/// As a JSON string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn made(json: &str, piece: &str) -> String {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let start = json.find(piece).unwrap();
        skeleton(document.root(), &(start..start + piece.len()), "new \"text\"", Some(7)).unwrap()
    }

    #[test]
    fn only_what_says_where_the_text_belongs_stays() {
        assert_eq!(
            made(
                r#"{"id":"c","object":"o","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":1,
                "id":"call","type":"function","function":{"name":"f","arguments":"PIECE"}}]},"finish_reason":null}],
                "usage":{"x":1},"obfuscation":"abc"}"#,
                "PIECE"
            ),
            r#"{"id":"c","object":"o","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":1,"type":"function","function":{"arguments":"new \"text\""}}]},"finish_reason":null}]}"#
        );
        assert_eq!(
            made(
                r#"{"type":"response.output_text.delta","item_id":"m","sequence_number":4,"delta":"PIECE","logprobs":[1]}"#,
                "PIECE"
            ),
            r#"{"type":"response.output_text.delta","item_id":"m","sequence_number":7,"delta":"new \"text\"","logprobs":[]}"#
        );
    }
}
