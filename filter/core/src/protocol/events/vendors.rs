//! Streams of Anthropic, Cohere, Ollama and TGI.

use super::{At, Event, Visit, called, delta, members, number, part, signed, tool, tool_name, whole};
use crate::json::Node;
use crate::protocol::Channel;
use crate::protocol::texts::Setting;

pub(super) fn anthropic<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let index = number(root, "index").unwrap_or(0);
    match kind {
        "content_block_stop" => event.ends.end(0, Some(index)),
        "message_delta" | "message_stop" | "error" => event.over.all = true,
        _ => {}
    }
    members(root, Channel::Assistant, visit, |name, value, visit| match (kind, name) {
        ("content_block_delta", "delta") => {
            members(value, Channel::Assistant, visit, |name, value, visit| match name {
                "text" => At::new(0, index, "text").text(value, visit),
                "partial_json" => At::tool(0, index).arguments(value, visit),
                "thinking" => At::new(0, index, "thinking").signed().text(value, visit),
                "signature" | "data" => signed(value, visit),
                "type" | "citation" => whole(value, Channel::Assistant, visit),
                _ => delta(value, At::new(0, index, name), visit),
            })
        }
        ("content_block_start", "content_block") => {
            let call = Setting::call(value);
            members(value, Channel::Assistant, visit, |name, value, visit| match name {
                "text" => At::new(0, index, "text").text(value, visit),
                "thinking" => At::new(0, index, "thinking").signed().text(value, visit),
                "signature" | "data" => signed(value, visit),
                "name" => tool_name(value, 0, index, visit),
                "input" => part(value, call, visit),
                "content" => whole(value, Channel::ToolResult, visit),
                _ => whole(value, Channel::Assistant, visit),
            });
        }
        _ => whole(value, Channel::Metadata, visit),
    });
}

pub(super) fn cohere<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let index = number(root, "index").unwrap_or(0);
    match kind {
        "content-end" | "tool-call-end" => event.ends.end(0, Some(index)),
        "tool-call-start" => event.ends.all = true,
        "message-end" => event.over.all = true,
        _ => {}
    }
    members(root, Channel::Metadata, visit, |name, value, visit| match name {
        "delta" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
            "message" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
                "content" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
                    "text" | "thinking" => At::new(0, index, name).text(value, visit),
                    _ => whole(value, Channel::Assistant, visit),
                }),
                "tool_plan" => At::new(0, index, name).text(value, visit),
                "tool_calls" => tool(value, 0, index, visit),
                _ => whole(value, Channel::Assistant, visit),
            }),
            _ => whole(value, Channel::Metadata, visit),
        }),
        _ => whole(value, Channel::Metadata, visit),
    });
}

pub(super) fn ollama<'d>(root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    event.over.all = root.get("done").and_then(|d| d.bool()) == Some(true);
    members(root, Channel::Metadata, visit, |name, value, visit| match name {
        "message" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
            "content" | "thinking" => At::new(0, 0, name).text(value, visit),
            "tool_calls" => {
                event.ends.all = true;
                called(value, visit);
            }
            _ => whole(value, Channel::Assistant, visit),
        }),
        "response" | "thinking" => At::new(0, 0, name).text(value, visit),
        _ => whole(value, Channel::Metadata, visit),
    });
}

pub(super) fn tgi<'d>(root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    event.over.all = root.get("generated_text").is_some_and(|t| !t.is_null());
    members(root, Channel::Metadata, visit, |name, value, visit| match name {
        "token" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
            "text" => At::new(0, 0, name).text(value, visit),
            _ => whole(value, Channel::Metadata, visit),
        }),
        "generated_text" => whole(value, Channel::Assistant, visit),
        _ => whole(value, Channel::Metadata, visit),
    });
}
