//! Every string, key and long number of a body, with its channel.
//!
//! The walk is a superset by construction: it visits *every* leaf and only *names* the ones it knows. A field that
//! an API adds tomorrow is visited as metadata of the place where it stands; it cannot be skipped.

use super::{Api, Channel};
use crate::host::Side;
use crate::json::{Kind, Node, StringToken};

/// A leaf of a body that carries text.
#[derive(Clone, Copy)]
pub struct Leaf<'d> {
    /// What it is.
    pub place: Place<'d>,
    /// Where in the exchange it stands.
    pub channel: Channel,
}

/// What a leaf is.
#[derive(Clone, Copy)]
pub enum Place<'d> {
    /// A string value.
    Value(StringToken<'d>),
    /// A key of the object with that id.
    Key(StringToken<'d>, usize),
    /// A number.
    Number(Node<'d>),
}

/// Visits every leaf below `root`.
pub fn walk<'d>(api: Api, side: Side, root: Node<'d>, visit: &mut dyn FnMut(Leaf<'d>)) {
    for (key, value) in root.entries() {
        visit(Leaf { place: Place::Key(key, root.id()), channel: Channel::Metadata });
        match (side, api, key.text().as_ref()) {
            (Side::Request, _, "messages") => each(value, Channel::User, visit, message),
            (Side::Request, Api::AnthropicMessages, "system") => content(value, Channel::System, visit),
            (Side::Request, _, "tools" | "functions" | "tool_choice" | "function_call" | "response_format") => {
                subtree(value, Channel::ToolDescription, visit);
            }
            (Side::Request, _, "prediction") => subtree(value, Channel::User, visit),
            (Side::Response, Api::OpenAiChat, "choices") => each(value, Channel::Assistant, visit, choice),
            (Side::Response, Api::AnthropicMessages, "content") => content(value, Channel::Assistant, visit),
            _ => subtree(value, Channel::Metadata, visit),
        }
    }
    if root.kind() != Kind::Object {
        subtree(root, Channel::Metadata, visit);
    }
}

/// A part of the walk: a node, the channel it has unless it says otherwise, and the visitor.
type Part<'d> = fn(Node<'d>, Channel, &mut dyn FnMut(Leaf<'d>));

/// The items of a list; anything else as it stands.
fn each<'d>(node: Node<'d>, channel: Channel, visit: &mut dyn FnMut(Leaf<'d>), part: Part<'d>) {
    if node.kind() == Kind::Array {
        for item in node.items() {
            part(item, channel, visit);
        }
    } else {
        subtree(node, channel, visit);
    }
}

/// The members of an object, each in the way `member` says; anything else as it stands.
fn members<'d>(
    node: Node<'d>,
    channel: Channel,
    visit: &mut dyn FnMut(Leaf<'d>),
    member: impl Fn(&str, Node<'d>, Channel, &mut dyn FnMut(Leaf<'d>)),
) {
    if node.kind() != Kind::Object {
        return subtree(node, channel, visit);
    }
    for (key, value) in node.entries() {
        visit(Leaf { place: Place::Key(key, node.id()), channel });
        member(key.text().as_ref(), value, channel, visit);
    }
}

fn choice<'d>(node: Node<'d>, channel: Channel, visit: &mut dyn FnMut(Leaf<'d>)) {
    members(node, Channel::Metadata, visit, |key, value, _, visit| match key {
        "message" => message(value, channel, visit),
        _ => subtree(value, channel, visit),
    });
}

fn message<'d>(node: Node<'d>, channel: Channel, visit: &mut dyn FnMut(Leaf<'d>)) {
    let channel = match node.get("role").and_then(|r| r.text()).as_deref() {
        Some("system") => Channel::System,
        Some("developer") => Channel::Developer,
        Some("assistant") => Channel::Assistant,
        Some("tool" | "function") => Channel::ToolResult,
        _ => channel,
    };
    members(node, channel, visit, |key, value, channel, visit| match key {
        "tool_calls" | "function_call" => subtree(value, Channel::ToolCall, visit),
        "content" => content(value, channel, visit),
        _ => subtree(value, channel, visit),
    });
}

/// Text, or a list of parts each of which may say what it is.
fn content<'d>(node: Node<'d>, channel: Channel, visit: &mut dyn FnMut(Leaf<'d>)) {
    each(node, channel, visit, |part, channel, visit| {
        let channel = match part.get("type").and_then(|t| t.text()).as_deref() {
            Some("tool_use" | "server_tool_use" | "mcp_tool_use") => Channel::ToolCall,
            Some(kind) if kind.ends_with("tool_result") => Channel::ToolResult,
            Some("document" | "file" | "search_result") => Channel::Document,
            _ => channel,
        };
        subtree(part, channel, visit);
    });
}

/// Visits every leaf at or below `node`, all in one channel. The depth is the tokenizer's limit at most.
pub fn subtree<'d>(node: Node<'d>, channel: Channel, visit: &mut dyn FnMut(Leaf<'d>)) {
    match node.kind() {
        Kind::Object => {
            for (key, value) in node.entries() {
                visit(Leaf { place: Place::Key(key, node.id()), channel });
                subtree(value, channel, visit);
            }
        }
        Kind::Array => {
            for item in node.items() {
                subtree(item, channel, visit);
            }
        }
        Kind::String => {
            if let Some(token) = node.string() {
                visit(Leaf { place: Place::Value(token), channel });
            }
        }
        Kind::Number => visit(Leaf { place: Place::Number(node), channel }),
        Kind::Null | Kind::Bool => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn leaves(api: Api, side: Side, json: &str) -> Vec<(String, Channel)> {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut found = Vec::new();
        walk(api, side, document.root(), &mut |leaf| {
            if let Place::Value(token) = leaf.place {
                found.push((token.text().into_owned(), leaf.channel));
            }
        });
        found
    }

    #[test]
    fn openai_channels() {
        let found = leaves(
            Api::OpenAiChat,
            Side::Request,
            r#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"developer","content":"d"},
            {"role":"user","name":"bob","content":[{"type":"text","text":"u"},{"type":"file","file":{"file_data":"f"}}]},
            {"role":"assistant","content":"a","tool_calls":[{"function":{"name":"t","arguments":"{}"}}]},
            {"role":"tool","content":"r"},"odd"],"tools":[{"function":{"description":"td"}}],"new_field":{"deep":["x"]}}"#,
        );
        for (text, channel) in [
            ("m", Channel::Metadata),
            ("s", Channel::System),
            ("d", Channel::Developer),
            ("u", Channel::User),
            ("bob", Channel::User),
            ("f", Channel::Document),
            ("a", Channel::Assistant),
            ("{}", Channel::ToolCall),
            ("r", Channel::ToolResult),
            ("odd", Channel::User),
            ("td", Channel::ToolDescription),
            ("x", Channel::Metadata),
        ] {
            assert!(found.contains(&(text.to_owned(), channel)), "{text} in {channel:?}: {found:?}");
        }
    }

    #[test]
    fn anthropic_channels() {
        let found = leaves(
            Api::AnthropicMessages,
            Side::Request,
            r#"{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"tool_result",
            "content":[{"type":"text","text":"r"}]},{"type":"document","source":{"data":"doc"}}]},
            {"role":"assistant","content":[{"type":"tool_use","input":{"k":"v"}}]}]}"#,
        );
        for (text, channel) in
            [("s", Channel::System), ("r", Channel::ToolResult), ("doc", Channel::Document), ("v", Channel::ToolCall)]
        {
            assert!(found.contains(&(text.to_owned(), channel)), "{text} in {channel:?}: {found:?}");
        }
    }

    #[test]
    fn answers_and_odd_roots() {
        let found = leaves(
            Api::OpenAiChat,
            Side::Response,
            r#"{"id":"i","choices":[{"message":{"role":"assistant","content":"a","tool_calls":[{"id":"c"}]}}]}"#,
        );
        assert!(found.contains(&("a".into(), Channel::Assistant)) && found.contains(&("c".into(), Channel::ToolCall)));
        assert_eq!(leaves(Api::Models, Side::Response, r#"["x",[["y"]]]"#).len(), 2);
        assert_eq!(leaves(Api::OpenAiChat, Side::Request, r#""bare""#), [("bare".into(), Channel::Metadata)]);
    }

    #[test]
    fn no_leaf_is_missed() {
        let json = r#"{"messages":[{"role":"user","content":{"odd":["s1",{"k1":"s2"}]},"x":["s3"]}],
            "choices":[["s4"]],"content":["s5"],"system":{"a":"s6"},"tools":"s7","n":[["s8"]]}"#;
        for api in [Api::OpenAiChat, Api::AnthropicMessages, Api::Models] {
            for side in [Side::Request, Side::Response] {
                let found = leaves(api, side, json);
                for n in 1..=8 {
                    assert!(found.iter().any(|(t, _)| *t == format!("s{n}")), "s{n} {api:?} {side:?}");
                }
            }
        }
    }
}
