//! What an event of a streamed answer is made of.
//!
//! A stream repeats one shape with ever new pieces of a few texts. Each such text is a [`Lane`]: which choice or output it belongs
//! to, which part of it, and the name of the member. Everything that is no piece of a lane is whole: names, ids, roles, and the
//! copies that some APIs send once a text is complete. As in whole answers, every leaf is visited; strings under a `delta` that
//! nothing is known of are pieces of a lane of their own.

use std::collections::BTreeSet;

use super::Channel;
use super::names::Api;
use super::texts::{Leaf, Place, Setting, answer, below, walk};
use crate::host::Side;
use crate::json::{Kind, Node};

/// A text of a stream that comes in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    /// Which choice, candidate or output item.
    pub choice: u32,
    /// Which part of it: a tool call, a content block.
    pub part: u32,
    /// Which member, by a hash of its path.
    pub name: u32,
}

/// What a leaf of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Complete in itself.
    Whole,
    /// A piece of a text.
    Text(Lane),
    /// A piece of a tool call's arguments, which are JSON once they are complete.
    Arguments(Lane),
    /// The name of the tool that a choice's part calls. Complete in itself.
    Tool(u32, u32),
}

/// A choice, or one part of it.
pub type Ended = (u32, Option<u32>);

/// Which lanes an event ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Every lane.
    pub all: bool,
    /// Those of these choices, or parts.
    pub some: BTreeSet<Ended>,
}

impl Ends {
    /// Whether `lane` ends here.
    pub fn has(&self, lane: Lane) -> bool {
        self.all || self.some.contains(&(lane.choice, None)) || self.some.contains(&(lane.choice, Some(lane.part)))
    }

    fn end(&mut self, choice: u32, part: Option<u32>) {
        self.some.insert((choice, part));
    }

    /// Whether nothing ends.
    pub fn is_empty(&self) -> bool {
        !self.all && self.some.is_empty()
    }
}

/// What an event does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The lanes it ends. Their pieces in this very event still belong to them.
    pub ends: Ends,
    /// It carries usage and nothing else: who did not ask for it would not expect it.
    pub usage_only: bool,
}

/// Sees the leaves of an event.
pub type Visit<'v, 'd> = &'v mut dyn FnMut(Leaf<'d>, Piece);

/// Reads an event: `name` is the framing's name for it, `root` its payload. Visits every leaf.
pub fn read<'d>(api: Api, name: Option<&str>, root: Node<'d>, visit: Visit<'_, 'd>) -> Event {
    let mut event = Event::default();
    let kind = root.get("type").or_else(|| root.get("event_type")).and_then(|t| t.text());
    let kind = kind.as_deref().or(name).unwrap_or_default();
    match api {
        Api::OpenAiChat | Api::OpenAiCompletions => choices(root, &mut event, visit),
        Api::OpenAiResponses => responses(kind, root, &mut event, visit),
        Api::AnthropicMessages => anthropic(kind, root, &mut event, visit),
        Api::GeminiGenerate => gemini(root, &mut event, visit),
        Api::GeminiInteractions => interactions(kind, root, &mut event, visit),
        Api::CohereChat => cohere(kind, root, &mut event, visit),
        Api::BedrockConverse => converse(name.unwrap_or(kind), root, &mut event, visit),
        Api::BedrockInvoke => invoke(kind, root, &mut event, visit),
        Api::OllamaChat | Api::OllamaGenerate => ollama(root, &mut event, visit),
        Api::TgiGenerate => tgi(root, &mut event, visit),
        _ => whole(root, Channel::Assistant, visit),
    }
    event
}

/// Everything at or below `node` is complete in itself.
fn whole<'d>(node: Node<'d>, channel: Channel, visit: Visit<'_, 'd>) {
    part(node, Setting::new(channel), visit);
}

/// The same, of what the provider signed.
fn signed<'d>(node: Node<'d>, visit: Visit<'_, 'd>) {
    part(node, Setting::signed(Channel::Assistant), visit);
}

/// The same, of the calls of tools.
fn called<'d>(node: Node<'d>, visit: Visit<'_, 'd>) {
    if node.kind() != Kind::Array {
        return part(node, Setting::call(node), visit);
    }
    for call in node.items() {
        part(call, Setting::call(call), visit);
    }
}

fn part<'d>(node: Node<'d>, of: Setting<'d>, visit: Visit<'_, 'd>) {
    below(node, of, &mut |leaf: Leaf<'d>| visit(leaf, Piece::Whole));
}

/// The members of an object, their keys being visited.
fn members<'d>(
    node: Node<'d>,
    channel: Channel,
    visit: Visit<'_, 'd>,
    mut member: impl FnMut(&str, Node<'d>, Visit<'_, 'd>),
) {
    if node.kind() != Kind::Object {
        return whole(node, channel, visit);
    }
    for (key, value) in node.entries() {
        visit(Leaf { place: Place::Key(key, node.id()), of: Setting::new(channel) }, Piece::Whole);
        member(key.text().as_ref(), value, visit);
    }
}

fn number(node: Node<'_>, name: &str) -> Option<u32> {
    node.get(name)?.number()?.parse().ok()
}

fn named(name: &str) -> u32 {
    mixed(0, name)
}

/// A hash of a path, one name longer.
fn mixed(before: u32, name: &str) -> u32 {
    // FNV-1a: lanes of one stream are few, and nothing hangs on a collision but that two texts are read as one.
    name.bytes().fold(before ^ 0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// A place in a stream: which lane a string here is a piece of.
#[derive(Clone, Copy)]
struct At {
    lane: Lane,
    channel: Channel,
    signed: bool,
}

impl At {
    fn new(choice: u32, part: u32, name: &str) -> Self {
        Self { lane: Lane { choice, part, name: named(name) }, channel: Channel::Assistant, signed: false }
    }

    fn tool(choice: u32, part: u32) -> Self {
        Self { channel: Channel::ToolCall, ..Self::new(choice, part, "arguments") }
    }

    fn signed(self) -> Self {
        Self { signed: true, ..self }
    }

    /// A string is a piece of the lane; anything else is whole.
    fn text<'d>(self, node: Node<'d>, visit: Visit<'_, 'd>) {
        self.piece(node, Piece::Text(self.lane), visit);
    }

    fn arguments<'d>(self, node: Node<'d>, visit: Visit<'_, 'd>) {
        self.piece(node, Piece::Arguments(self.lane), visit);
    }

    fn piece<'d>(self, node: Node<'d>, piece: Piece, visit: Visit<'_, 'd>) {
        match node.string() {
            Some(token) => {
                let of = Setting { channel: self.channel, signed: self.signed, tool: None };
                visit(Leaf { place: Place::Value(token), of }, piece);
            }
            None => whole(node, self.channel, visit),
        }
    }
}

/// A `delta` whose shape is not known in full: strings are pieces, but for those that name something.
fn delta<'d>(node: Node<'d>, at: At, visit: Visit<'_, 'd>) {
    match node.kind() {
        Kind::Object => members(node, at.channel, visit, |name, value, visit| match name {
            "role" | "id" | "type" | "name" | "call_id" | "tool_call_id" | "index" | "status" | "object" => {
                whole(value, at.channel, visit);
            }
            "annotations" | "citations" | "logprobs" => whole(value, at.channel, visit),
            "audio" => members(value, at.channel, visit, |name, value, visit| match name {
                "transcript" => At::new(at.lane.choice, at.lane.part, name).text(value, visit),
                _ => whole(value, at.channel, visit),
            }),
            "signature" | "encrypted_content" | "reasoning_details" => {
                signed(value, visit);
            }
            "tool_calls" => calls(value, at.lane.choice, visit),
            "function_call" => tool(value, at.lane.choice, 0, visit),
            _ => delta(value, At { lane: Lane { name: mixed(at.lane.name, name), ..at.lane }, ..at }, visit),
        }),
        Kind::Array => {
            for (place, item) in node.items().enumerate() {
                let name = if place == 0 { at.lane.name } else { mixed(at.lane.name, &place.to_string()) };
                delta(item, At { lane: Lane { name, ..at.lane }, ..at }, visit);
            }
        }
        _ => at.text(node, visit),
    }
}

/// Tool calls: a list, or one of them.
fn calls<'d>(node: Node<'d>, choice: u32, visit: Visit<'_, 'd>) {
    if node.kind() != Kind::Array {
        return tool(node, choice, 1, visit);
    }
    for (place, item) in node.items().enumerate() {
        let part = number(item, "index").unwrap_or(u32::try_from(place).unwrap_or(u32::MAX));
        tool(item, choice, part.saturating_add(1), visit);
    }
}

/// One tool call: its arguments are pieces, wherever they stand in it.
fn tool<'d>(node: Node<'d>, choice: u32, part: u32, visit: Visit<'_, 'd>) {
    members(node, Channel::ToolCall, visit, |name, value, visit| match name {
        "arguments" | "input" => At::tool(choice, part).arguments(value, visit),
        "name" => tool_name(value, choice, part, visit),
        "function" | "custom" => tool(value, choice, part, visit),
        _ => whole(value, Channel::ToolCall, visit),
    });
}

/// The name of a tool whose call's arguments come in pieces.
fn tool_name<'d>(node: Node<'d>, choice: u32, part: u32, visit: Visit<'_, 'd>) {
    let at = At { channel: Channel::ToolCall, ..At::new(choice, part, "name") };
    at.piece(node, Piece::Tool(choice, part), visit);
}

/// Whether a choice says why it ends. Some servers have an empty word there until it does.
fn is_over(choice: Node<'_>, reason: &str) -> bool {
    let said = |reason: Node<'_>| !matches!(reason.text().as_deref(), Some("" | "FINISH_REASON_UNSPECIFIED"));
    choice.get(reason).is_some_and(|reason| !reason.is_null() && said(reason))
}

/// OpenAI chat completions and completions.
fn choices<'d>(root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let mut none = root.get("choices").is_some_and(|c| c.kind() == Kind::Array && c.items().next().is_none());
    members(root, Channel::Metadata, visit, |name, value, visit| match name {
        "choices" => {
            for (place, choice) in value.items().enumerate() {
                let index = number(choice, "index").unwrap_or(u32::try_from(place).unwrap_or(u32::MAX));
                if is_over(choice, "finish_reason") {
                    event.ends.end(index, None);
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
fn responses<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
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
            event.ends.all = true;
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

fn anthropic<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let index = number(root, "index").unwrap_or(0);
    match kind {
        "content_block_stop" => event.ends.end(0, Some(index)),
        "message_delta" | "message_stop" | "error" => event.ends.all = true,
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

fn gemini<'d>(root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    members(root, Channel::Metadata, visit, |name, value, visit| {
        if name != "candidates" {
            return whole(value, Channel::Metadata, visit);
        }
        for (place, candidate) in value.items().enumerate() {
            let index = number(candidate, "index").unwrap_or(u32::try_from(place).unwrap_or(u32::MAX));
            if is_over(candidate, "finishReason") {
                event.ends.end(index, None);
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
fn interactions<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let index = number(root, "index").unwrap_or(0);
    match kind {
        "step.stop" | "content.stop" => event.ends.end(index, None),
        "interaction.completed" | "interaction.complete" | "error" => event.ends.all = true,
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

fn cohere<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let index = number(root, "index").unwrap_or(0);
    match kind {
        "content-end" | "tool-call-end" => event.ends.end(0, Some(index)),
        "tool-call-start" | "message-end" => event.ends.all = true,
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

/// Bedrock converse: the framing names the event, and the payload is its body.
fn converse<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    let index = number(root, "contentBlockIndex").unwrap_or(0);
    match kind {
        "contentBlockStop" => event.ends.end(0, Some(index)),
        "messageStop" | "metadata" => event.ends.all = true,
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
fn invoke<'d>(kind: &str, root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    if root.get("amazon-bedrock-invocationMetrics").is_some() {
        event.ends.all = true;
    }
    if root.get("type").is_some() {
        return anthropic(kind, root, event, visit);
    }
    if root.get("choices").is_some() {
        return choices(root, event, visit);
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
            event.ends.all = true;
            whole(value, Channel::Metadata, visit);
        }
        _ => whole(value, Channel::Metadata, visit),
    });
}

fn ollama<'d>(root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    event.ends.all = root.get("done").and_then(|d| d.bool()) == Some(true);
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

fn tgi<'d>(root: Node<'d>, event: &mut Event, visit: Visit<'_, 'd>) {
    event.ends.all = root.get("generated_text").is_some_and(|t| !t.is_null());
    members(root, Channel::Metadata, visit, |name, value, visit| match name {
        "token" => members(value, Channel::Assistant, visit, |name, value, visit| match name {
            "text" => At::new(0, 0, name).text(value, visit),
            _ => whole(value, Channel::Metadata, visit),
        }),
        "generated_text" => whole(value, Channel::Assistant, visit),
        _ => whole(value, Channel::Metadata, visit),
    });
}
