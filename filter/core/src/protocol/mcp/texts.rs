//! Every leaf of JSON-RPC messages, with its channel.
//!
//! As in the bodies of other APIs every leaf is visited, and only the channel depends on what is known of it. What comes from a server is a
//! tool's result unless it is known to describe something: both reach a model that did not ask who wrote them.

use super::super::texts::{Leaf, Place, Setting, below, message, subtree, walk};
use super::super::{Api, Call, Channel};
use crate::host::Side;
use crate::json::{Kind, Node};

/// Sees every leaf.
type Visit<'v, 'd> = &'v mut dyn FnMut(Leaf<'d>);

/// Visits every leaf of a message, or of several in a list. `side`: whose they are.
pub fn walk_messages<'d>(side: Side, root: Node<'d>, visit: Visit<'_, 'd>) {
    match root.kind() {
        Kind::Array => root.items().for_each(|item| one(side, item, visit)),
        _ => one(side, root, visit),
    }
}

/// Visits every leaf of a body whose path says the method: what a request has are its parameters, and what an answer has its result.
pub fn walk_rest<'d>(side: Side, method: &str, root: Node<'d>, visit: Visit<'_, 'd>) {
    match side {
        Side::Request => params(side, method, root, visit),
        Side::Response => result(side, root, visit),
    }
}

/// Visits every leaf of a body, by what its call, its path or its own members say that it is.
pub fn walk_body<'d>(call: &Call, side: Side, root: Node<'d>, visit: Visit<'_, 'd>) {
    match call.api {
        Api::A2aRest => walk_rest(side, call.says, root, visit),
        api if api.is_rpc() => walk_messages(side, root, visit),
        _ => walk(side, root, visit),
    }
}

fn one<'d>(side: Side, node: Node<'d>, visit: Visit<'_, 'd>) {
    let method = node.get("method").and_then(|m| m.text()).unwrap_or_default();
    members(node, Channel::Metadata, visit, |name, value, visit| match name {
        "params" => params(side, &method, value, visit),
        "result" => result(side, value, visit),
        "error" => subtree(value, other(side), visit),
        _ => subtree(value, Channel::Metadata, visit),
    });
}

/// What a member is that nothing is known of.
fn other(side: Side) -> Channel {
    match side {
        Side::Request => Channel::Metadata,
        Side::Response => Channel::ToolResult,
    }
}

/// Parameters of a request or notification.
fn params<'d>(side: Side, method: &str, node: Node<'d>, visit: Visit<'_, 'd>) {
    members(node, other(side), visit, |name, value, visit| match (method, name) {
        (_, "_meta") => subtree(value, Channel::Metadata, visit),
        ("tools/call", "name" | "arguments") => below(value, Setting::call(node), visit),
        ("resources/read" | "resources/subscribe", "uri") => subtree(value, Channel::ToolCall, visit),
        ("prompts/get", "name" | "arguments") | ("completion/complete", "argument" | "context") => {
            subtree(value, Channel::User, visit);
        }
        // What another agent is told.
        ("message/send" | "message/stream" | "SendMessage" | "SendStreamingMessage", "message" | "request") => {
            each(value, Channel::User, visit);
        }
        ("sampling/createMessage", "systemPrompt") => subtree(value, Channel::System, visit),
        ("sampling/createMessage", "messages") => each(value, Channel::User, visit),
        ("sampling/createMessage", "tools") | ("elicitation/create", "requestedSchema") => {
            subtree(value, Channel::ToolDescription, visit);
        }
        // Answers to what a result asked for, by the names it gave its questions.
        (_, "inputResponses") => {
            members(value, Channel::Metadata, visit, |_, answer, visit| result(side, answer, visit))
        }
        _ => subtree(value, other(side), visit),
    });
}

/// What came of a request. Which one is told by its members: an answer does not say it.
fn result<'d>(side: Side, node: Node<'d>, visit: Visit<'_, 'd>) {
    // A client answers with what its model or its user said.
    let content = match side {
        Side::Request if node.get("role").is_some() => Channel::Assistant,
        Side::Request => Channel::User,
        Side::Response => Channel::ToolResult,
    };
    members(node, other(side), visit, |name, value, visit| match name {
        "_meta" => subtree(value, Channel::Metadata, visit),
        "tools" | "prompts" | "resources" | "resourceTemplates" | "instructions" | "description" => {
            subtree(value, Channel::ToolDescription, visit);
        }
        // Prompts: turns of a conversation.
        "messages" => each(value, Channel::User, visit),
        "content" if side == Side::Request => each(value, content, visit),
        "content" | "structuredContent" | "contents" => subtree(value, content, visit),
        "inputRequests" => members(value, Channel::Metadata, visit, |_, asked, visit| one(side, asked, visit)),
        _ => subtree(value, other(side), visit),
    });
}

/// Turns of a conversation, by their roles.
fn each<'d>(node: Node<'d>, channel: Channel, visit: Visit<'_, 'd>) {
    match node.kind() {
        Kind::Array => node.items().for_each(|item| message(item, channel, visit)),
        _ => message(node, channel, visit),
    }
}

/// The members of an object, its keys being visited; anything else as it stands.
fn members<'d>(
    node: Node<'d>,
    channel: Channel,
    visit: Visit<'_, 'd>,
    mut member: impl FnMut(&str, Node<'d>, Visit<'_, 'd>),
) {
    if node.kind() != Kind::Object {
        return subtree(node, channel, visit);
    }
    for (key, value) in node.entries() {
        visit(Leaf { place: Place::Key(key, node.id()), of: Setting::new(channel) });
        member(&key.text(), value, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn leaves(side: Side, json: &str) -> Vec<(String, Channel)> {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut found = Vec::new();
        walk_messages(side, document.root(), &mut |leaf: Leaf<'_>| {
            if let Place::Value(token) | Place::Key(token, _) = leaf.place {
                found.push((token.text().into_owned(), leaf.of.channel));
            }
        });
        found
    }

    #[test]
    fn channels() {
        use Channel::{Assistant, Metadata, System, ToolCall, ToolDescription, ToolResult, User};
        for (side, json, expected) in [
            (
                Side::Request,
                r#"[{"method":"tools/call","params":{"name":"n","arguments":{"k":["a"]},"_meta":{"m":"v"},"x":"o"}},"odd"]"#,
                vec![
                    ("n", ToolCall),
                    ("k", ToolCall),
                    ("a", ToolCall),
                    ("v", Metadata),
                    ("o", Metadata),
                    ("odd", Metadata),
                ],
            ),
            (
                Side::Request,
                r#"{"id":1,"result":{"role":"assistant","model":"m","content":{"type":"text","text":"said"}}}"#,
                vec![("said", Assistant), ("m", Metadata)],
            ),
            (
                Side::Request,
                r#"{"method":"tools/call","params":{"name":"n","inputResponses":{"q":{"action":"accept","content":{"pin":"p"}}}}}"#,
                vec![("p", User), ("q", Metadata)],
            ),
            (
                Side::Response,
                r#"{"id":1,"result":{"tools":[{"name":"t","description":"d"}],"content":[{"type":"text","text":"r"}],"new":{"y":"z"}}}"#,
                vec![("t", ToolDescription), ("d", ToolDescription), ("r", ToolResult), ("z", ToolResult)],
            ),
            (
                Side::Response,
                r#"{"id":1,"method":"sampling/createMessage","params":{"systemPrompt":"s","messages":[{"role":"user","content":{"type":"text","text":"u"}},
                {"role":"assistant","content":{"type":"text","text":"a"}}],"metadata":{"o":"p"}}}"#,
                vec![("s", System), ("u", User), ("a", Assistant), ("p", ToolResult)],
            ),
            (
                Side::Response,
                r#"{"id":1,"result":{"inputRequests":{"q":{"method":"sampling/createMessage","params":{"systemPrompt":"s"}}}}}"#,
                vec![("s", System)],
            ),
            (Side::Response, r#"{"id":1,"error":{"code":1,"message":"e"}}"#, vec![("e", ToolResult)]),
            (
                Side::Response,
                r#"{"method":"notifications/message","params":{"data":"log"}}"#,
                vec![("log", ToolResult)],
            ),
        ] {
            let found = leaves(side, json);
            for (text, channel) in expected {
                assert!(found.contains(&(text.to_owned(), channel)), "{text} {channel:?}: {found:?}");
            }
        }
    }

    #[test]
    fn no_leaf_is_missed() {
        let json = r#"{"jsonrpc":"s1","id":"s2","method":"s3","params":["s4",{"k1":"s5"}],"result":"s6","error":["s7"],"k2":{"k3":"s8"}}"#;
        for side in [Side::Request, Side::Response] {
            let found = leaves(side, json);
            for name in (1..=8).map(|n| format!("s{n}")).chain((1..=3).map(|n| format!("k{n}"))) {
                assert!(found.iter().any(|(text, _)| *text == name), "{name} {side:?}");
            }
        }
    }
}
