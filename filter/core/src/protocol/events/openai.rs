//! OpenAI's streams, and those of who follows it.

use super::Piece;
use super::{At, Event, Visit, delta, is_over, members, number, tool_name, whole};
use crate::host::Side;
use crate::json::{Kind, Node};
use crate::protocol::Channel;
use crate::protocol::texts::{Leaf, answer, walk};

/// OpenAI chat completions and completions.
pub(super) fn choices<'d>(root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let mut none = root.get("choices").is_some_and(|c| c.kind() == Kind::Array && c.items().next().is_none());
    members(root, Channel::Metadata, visit, |name, value, visit| match name {
        "choices" => {
            for (place, choice) in value.items().enumerate() {
                let index = number(choice, "index").unwrap_or(u32::try_from(place).unwrap_or(u32::MAX));
                if is_over(choice, "finish_reason") {
                    event.over.end(index, None);
                }
                members(choice, Channel::Assistant, visit, |name, value, visit| match name {
                    "delta" | "text" => delta(value, At::new(index, 0, name), visit),
                    _ => whole(value, Channel::Assistant, visit),
                });
            }
            if value.kind() != Kind::Array {
                whole(value, Channel::Assistant, visit);
            }
        }
        _ => {
            // Azure tells in an event without choices what its filters say of the prompt.
            none &= name != "prompt_filter_results";
            whole(value, Channel::Metadata, visit);
        }
    });
    event.usage_only = none && root.get("usage").is_some_and(|u| u.kind() == Kind::Object);
}

/// OpenAI responses: every event has a type; `X.delta` carries a piece, `X.done` the whole text once more.
pub(super) fn responses<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let output = number(root, "output_index").unwrap_or(0);
    let part = number(root, "content_index").or_else(|| number(root, "summary_index")).unwrap_or(0);
    if let Some(stem) = kind.strip_suffix(".delta") {
        let arguments =
            stem.ends_with("_arguments") || stem.ends_with("tool_call_input") || stem.ends_with("call_code");
        return members(root, Channel::Assistant, visit, |name, value, visit| match name {
            "delta" if arguments => {
                // Each kind of call has a lane of its own, so that its `done` ends it.
                At { channel: Channel::ToolCall, ..At::new(output, part, stem) }.arguments(value, visit);
            }
            "delta" => delta(value, At::new(output, part, stem), visit),
            _ => whole(value, Channel::Metadata, visit),
        });
    }
    match kind {
        "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" | "error" => {
            event.over.all = true;
        }
        "response.output_item.done" => event.ends.end(output, None),
        _ if kind.ends_with(".done") => event.ends.end(output, Some(part)),
        _ => {}
    }
    match kind.ends_with(".done") {
        // Arguments once more: those of the call whose pieces came, by whose name it is known what comes back into them.
        true => members(root, Channel::Metadata, visit, |name, value, visit| match name {
            "arguments" | "input" => {
                At { channel: Channel::ToolCall, ..At::new(output, part, kind) }.arguments(value, visit);
            }
            _ => answer(name, value, &mut |leaf: Leaf<'d>| visit(leaf, Piece::Whole)),
        }),
        false => walk(Side::Response, root, &mut |leaf: Leaf<'d>| visit(leaf, Piece::Whole)),
    }
    // The call's name stands in the item, before its arguments come.
    if let Some(item) = root.get("item").filter(|_| kind == "response.output_item.added")
        && let Some(name) = item.get("name")
    {
        tool_name(name, output, 0, visit);
    }
}
