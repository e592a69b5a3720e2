//! Gemini's and Vertex's streams.

use super::{At, Event, Visit, called, delta, is_over, members, number, part, signed, tool_name, whole};
use crate::json::{Kind, Node};
use crate::protocol::Channel;
use crate::protocol::texts::Setting;

pub(super) fn gemini<'d>(root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    members(root, Channel::Metadata, visit, |name, value, visit| {
        if name != "candidates" {
            return whole(value, Channel::Metadata, visit);
        }
        for (place, candidate) in value.items().enumerate() {
            let index = number(candidate, "index").unwrap_or(u32::try_from(place).unwrap_or(u32::MAX));
            if is_over(candidate, "finishReason") {
                event.over.end(index, None);
            }
            members(candidate, Channel::Assistant, visit, |name, value, visit| match name {
                "content" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
                    "parts" => parts(value, index, event, visit),
                    _ => whole(value, Channel::Assistant, visit),
                }),
                _ => whole(value, Channel::Assistant, visit),
            });
        }
        if value.kind() != Kind::Array {
            whole(value, Channel::Assistant, visit);
        }
    });
}

fn parts<'d>(node: Node<'d>, choice: u32, event: &mut Event, visit: Visit<'_, 'd>) {
    if node.kind() != Kind::Array {
        return whole(node, Channel::Assistant, visit);
    }
    for part in node.items() {
        let thought = part.get("thought").and_then(|t| t.bool()) == Some(true);
        if part.get("text").is_none() && part.kind() == Kind::Object {
            // What is no text comes behind all of the text before it.
            event.ends.end(choice, None);
        }
        members(part, Channel::Assistant, visit, |name, value, visit| match name {
            "text" => At::new(choice, 0, if thought { "thought" } else { "text" }).text(value, visit),
            "functionCall" | "executableCode" => called(value, visit),
            "codeExecutionResult" => whole(value, Channel::ToolResult, visit),
            "thoughtSignature" => signed(value, visit),
            _ => whole(value, Channel::Assistant, visit),
        });
    }
}

/// Gemini interactions: steps, or contents in their first version, with an index.
pub(super) fn interactions<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let index = number(root, "index").unwrap_or(0);
    match kind {
        "step.stop" | "content.stop" => event.ends.end(index, None),
        "interaction.completed" | "interaction.complete" | "error" => event.over.all = true,
        _ => {}
    }
    members(root, Channel::Assistant, visit, |name, value, visit| match (kind, name) {
        ("step.delta" | "content.delta", "delta") => {
            members(value, Channel::Assistant, visit, |name, value, visit| match name {
                // The content of a thought's summary is a part of its own.
                "text" | "thought" | "summary" | "content" => delta(value, At::new(index, 0, name), visit),
                "arguments" | "partial_arguments" => At::tool(index, 0).arguments(value, visit),
                "signature" => signed(value, visit),
                "name" => tool_name(value, index, 0, visit),
                _ => whole(value, Channel::Assistant, visit),
            });
        }
        ("step.start" | "content.start", "step" | "content") => {
            let call = Setting::call(value);
            let is_call = value.get("type").and_then(|t| t.text()).is_some_and(|t| t.ends_with("_call"));
            if let Some(name) = value.get("name").filter(|_| is_call) {
                tool_name(name, index, 0, visit);
            }
            if is_call { part(value, call, visit) } else { whole(value, Channel::Assistant, visit) }
        }
        _ => whole(value, Channel::Assistant, visit),
    });
}
