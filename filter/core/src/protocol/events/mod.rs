//! What an event of a streamed answer is made of.
//!
//! A stream repeats one shape with ever new pieces of a few texts. Each such text is a [`Lane`]: which choice or output it belongs
//! to, which part of it, and the name of the member. Everything that is no piece of a lane is whole: names, ids, roles, and the
//! copies that some APIs send once a text is complete. As in whole answers, every leaf is visited; strings under a `delta` that
//! nothing is known of are pieces of a lane of their own.

mod amazon;
mod google;
mod openai;
mod vendors;

use std::collections::BTreeSet;

use super::Channel;
use super::mcp::{walk_messages, walk_rest};
use super::names::Api;
use super::texts::{Leaf, Place, Setting, below};
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
    /// All of them.
    pub fn every() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Whether `lane` ends here.
    pub fn has(&self, lane: Lane) -> bool {
        self.all || self.some.contains(&(lane.choice, None)) || self.some.contains(&(lane.choice, Some(lane.part)))
    }

    fn end(&mut self, choice: u32, part: Option<u32>) {
        self.some.insert((choice, part));
    }

    /// Ends what `more` does, too.
    pub fn add(&mut self, more: &Self) {
        self.all |= more.all;
        self.some.extend(&more.some);
    }

    /// Whether nothing ends.
    pub fn is_empty(&self) -> bool {
        !self.all && self.some.is_empty()
    }
}

/// What an event does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The lanes it ends: the parts that they are of are over. Their pieces in this very event still belong to them.
    pub ends: Ends,
    /// Those whose answer is over, as it says. There are servers that say so in every event.
    pub over: Ends,
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
        Api::OpenAiChat | Api::OpenAiCompletions => openai::choices(root, &mut event, visit),
        Api::OpenAiResponses => openai::responses(kind, root, &mut event, visit),
        Api::AnthropicMessages => vendors::anthropic(kind, root, &mut event, visit),
        Api::GeminiGenerate => google::gemini(root, &mut event, visit),
        Api::GeminiInteractions => google::interactions(kind, root, &mut event, visit),
        Api::CohereChat => vendors::cohere(kind, root, &mut event, visit),
        Api::BedrockConverse => amazon::converse(name.unwrap_or(kind), root, &mut event, visit),
        Api::BedrockInvoke => amazon::invoke(kind, root, &mut event, visit),
        Api::OllamaChat | Api::OllamaGenerate => vendors::ollama(root, &mut event, visit),
        Api::TgiGenerate => vendors::tgi(root, &mut event, visit),
        Api::Mcp | Api::A2a => walk_messages(Side::Response, root, &mut |leaf| visit(leaf, Piece::Whole)),
        Api::A2aRest => walk_rest(Side::Response, "", root, &mut |leaf| visit(leaf, Piece::Whole)),
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
