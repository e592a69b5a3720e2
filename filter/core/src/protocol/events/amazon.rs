//! Amazon's streams: its own, and those of the models' vendors, wrapped.

use super::{At, Event, Visit, delta, members, number, openai, signed, tool, vendors, whole};
use crate::json::{Kind, Node};
use crate::protocol::Channel;

/// Bedrock converse: the framing names the event, and the payload is its body.
pub(super) fn converse<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let index = number(root, "contentBlockIndex").unwrap_or(0);
    match kind {
        "contentBlockStop" => event.ends.end(0, Some(index)),
        "messageStop" | "metadata" => event.over.all = true,
        _ => {}
    }
    members(root, Channel::Metadata, visit, |name, value, visit| match name {
        "delta" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
            "text" => At::new(0, index, name).text(value, visit),
            "toolUse" => tool(value, 0, index, visit),
            "reasoningContent" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
                "text" => At::new(0, index, "reasoning").signed().text(value, visit),
                _ => signed(value, visit),
            }),
            _ => whole(value, Channel::Assistant, visit),
        }),
        "start" => members(value, Channel::ToolCall, visit, |name, value, visit| match name {
            "toolUse" => tool(value, 0, index, visit),
            _ => whole(value, Channel::ToolCall, visit),
        }),
        _ => whole(value, Channel::Metadata, visit),
    });
}

/// Bedrock invoke: what the model's vendor sends, unwrapped.
pub(super) fn invoke<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    if root.get("amazon-bedrock-invocationMetrics").is_some() {
        event.over.all = true;
    }
    if root.get("type").is_some() {
        return vendors::anthropic(kind, root, event, visit);
    }
    if root.get("choices").is_some() {
        return openai::choices(root, event, visit);
    }
    const NOVA: &[&str] = &["contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];
    members(root, Channel::Metadata, visit, |name, value, visit| match name {
        // Titan; Llama; Cohere.
        "outputText" | "generation" | "text" => At::new(0, 0, name).text(value, visit),
        // Mistral.
        "outputs" => {
            for (place, output) in value.items().enumerate() {
                delta(output, At::new(u32::try_from(place).unwrap_or(u32::MAX), 0, name), visit);
            }
            if value.kind() != Kind::Array {
                whole(value, Channel::Assistant, visit);
            }
        }
        _ if NOVA.contains(&name) => converse(name, value, event, visit),
        "completionReason" | "stop_reason" | "is_finished" if !value.is_null() && value.bool() != Some(false) => {
            event.over.all = true;
            whole(value, Channel::Metadata, visit);
        }
        _ => whole(value, Channel::Metadata, visit),
    });
}
