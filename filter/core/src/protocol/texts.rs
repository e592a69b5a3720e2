//! Every string, key and long number of a body, with its channel.
//!
//! The walk is a superset by construction: it visits *every* leaf and only *names* the ones it knows. A field that
//! an API adds tomorrow is visited as metadata of the place where it stands; it cannot be skipped. What it knows is the same
//! for every API: the members of a body that are read, and inside of messages their roles, their parts' types and the members
//! that say what a part is. An API that has no such member is not troubled by it.

use std::ops::Range;

use super::Channel;
use crate::host::Side;
use crate::json::{Kind, Node, StringToken};

/// A leaf of a body that carries text.
#[derive(Clone, Copy)]
pub struct Leaf<'d> {
    /// What it is.
    pub place: Place<'d>,
    /// What it belongs to.
    pub of: Setting<'d>,
}

/// What the leaves of a part of a body have in common.
#[derive(Clone, Copy)]
pub struct Setting<'d> {
    /// Where in the exchange they stand.
    pub channel: Channel,
    /// The provider signed them, or signs with them: changed, they are refused later. They are looked at, and never edited.
    pub signed: bool,
    /// The name of the tool that is called with them.
    pub tool: Option<StringToken<'d>>,
}

impl<'d> Setting<'d> {
    /// A channel, and nothing else.
    pub fn new(channel: Channel) -> Self {
        Self { channel, signed: false, tool: None }
    }

    /// What the provider signed.
    pub fn signed(channel: Channel) -> Self {
        Self { signed: true, ..Self::new(channel) }
    }

    /// A call of a tool, whose name stands in `node` or one member further in.
    pub fn call(node: Node<'d>) -> Self {
        let inner = ["function", "custom"].into_iter().filter_map(|member| node.get(member));
        let mut names = std::iter::once(node).chain(inner).filter_map(|n| n.get("name")?.string());
        // With several names, nobody can say which of them a client goes by.
        let tool = names.next().filter(|tool| names.all(|other| other.text() == tool.text()));
        Self { tool, ..Self::new(Channel::ToolCall) }
    }
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

#[cfg(feature = "trace")]
impl Leaf<'_> {
    /// It, for people.
    pub fn traced(&self) -> crate::trace::Text {
        let (kind, text) = match self.place {
            Place::Value(token) => ("value", token.text().into_owned()),
            Place::Key(token, _) => ("key", token.text().into_owned()),
            Place::Number(node) => ("number", node.number().unwrap_or_default().to_owned()),
        };
        crate::trace::Text { channel: self.of.channel, span: self.place.span(), kind, text }
    }
}

impl Place<'_> {
    /// Where it stands, quotes aside.
    pub fn span(&self) -> Range<usize> {
        match self {
            Place::Value(token) | Place::Key(token, _) => token.inner_span(),
            Place::Number(node) => node.span(),
        }
    }

    /// Whether it stands in what `edits`, in the order of their ranges, take out.
    pub fn is_within(&self, edits: &[(Range<usize>, String)]) -> bool {
        !edits.is_empty() && is_taken_out(&self.span(), edits)
    }
}

/// Whether what stands at `span` is taken out by `edits`, in the order of their ranges.
pub fn is_taken_out(span: &Range<usize>, edits: &[(Range<usize>, String)]) -> bool {
    let after = edits.partition_point(|(range, _)| range.start <= span.start);
    let before = after.checked_sub(1).and_then(|i| edits.get(i));
    before.is_some_and(|(range, text)| text.is_empty() && span.end <= range.end && span.start >= range.start)
}

/// Sees every leaf.
type Visit<'v, 'd> = &'v mut dyn FnMut(Leaf<'d>);

/// How a part of a body is read: a node, the channel it has unless it says otherwise, and the visitor.
type Part<'d> = fn(Node<'d>, Channel, Visit<'_, 'd>);

/// Visits every leaf below `root`.
pub fn walk<'d>(side: Side, root: Node<'d>, visit: Visit<'_, 'd>) {
    if root.kind() != Kind::Object {
        return subtree(root, Channel::Metadata, visit);
    }
    for (key, value) in root.entries() {
        visit(Leaf { place: Place::Key(key, root.id()), of: Setting::new(Channel::Metadata) });
        let name = key.text();
        match side {
            Side::Request => request(name.as_ref(), value, visit),
            Side::Response => answer(name.as_ref(), value, visit),
        }
    }
}

/// A member of a request.
fn request<'d>(name: &str, value: Node<'d>, visit: Visit<'_, 'd>) {
    let (channel, part): (Channel, Part<'d>) = match name {
        // OpenAI, Anthropic, Cohere, Bedrock, Ollama; Gemini; OpenAI responses and embeddings; Gemini interactions.
        "messages" | "contents" | "input" | "inputs" | "content" | "chat_history" | "steps" => (Channel::User, message),
        "system" | "systemInstruction" | "system_instruction" | "instructions" | "preamble" => {
            (Channel::System, message)
        }
        "prompt" | "prediction" | "suffix" | "message" | "query" | "texts" | "text" | "text_1" | "text_2"
        | "queries" | "inputText" | "inputTexts" | "instances" | "template" => (Channel::User, subtree),
        "documents" | "data_sources" | "citations" => (Channel::Document, subtree),
        "tools" | "functions" | "tool_choice" | "function_call" | "toolConfig" | "tool_config" | "toolChoice"
        | "response_format" | "text_format" | "mcp_servers" | "format" | "guided_json" => {
            (Channel::ToolDescription, subtree)
        }
        "tool_results" => (Channel::ToolResult, subtree),
        // Many requests in one: each is a request of its own.
        "requests" => return each(value, Channel::User, visit, inner),
        _ => (Channel::Metadata, subtree),
    };
    each(value, channel, visit, part);
}

/// A request among others.
fn inner<'d>(node: Node<'d>, _: Channel, visit: Visit<'_, 'd>) {
    members(node, Channel::Metadata, visit, |name, value, channel, visit| match name {
        "params" | "request" | "body" | "embedContentRequest" => inner(value, channel, visit),
        name => request(name, value, visit),
    });
}

/// A member of an answer.
pub(super) fn answer<'d>(name: &str, value: Node<'d>, visit: Visit<'_, 'd>) {
    match name {
        // OpenAI; Gemini; OpenAI responses; Anthropic and Cohere; Bedrock; Ollama; TGI.
        "choices" | "candidates" | "output" | "outputs" | "content" | "message" | "response" | "generated_text"
        | "results" | "generation" | "generations" | "completion" | "steps" | "delta" | "text" | "thinking"
        | "item" | "part" | "content_block" | "candidate" | "token" | "refusal" | "output_text" | "arguments" => {
            each(value, Channel::Assistant, visit, message);
        }
        _ => subtree(value, Channel::Metadata, visit),
    }
}

/// The items of a list; anything else as it stands.
fn each<'d>(node: Node<'d>, channel: Channel, visit: Visit<'_, 'd>, part: Part<'d>) {
    if node.kind() == Kind::Array {
        for item in node.items() {
            part(item, channel, visit);
        }
    } else {
        part(node, channel, visit);
    }
}

/// The members of an object, each in the way `member` says; anything else as it stands.
fn members<'d>(
    node: Node<'d>,
    channel: Channel,
    visit: Visit<'_, 'd>,
    member: impl Fn(&str, Node<'d>, Channel, Visit<'_, 'd>),
) {
    if node.kind() != Kind::Object {
        return subtree(node, channel, visit);
    }
    for (key, value) in node.entries() {
        visit(Leaf { place: Place::Key(key, node.id()), of: Setting::new(channel) });
        member(key.text().as_ref(), value, channel, visit);
    }
}

/// A message, an item of a conversation, or a part of one: its role and type say what it is, and so do some members.
pub(super) fn message<'d>(node: Node<'d>, channel: Channel, visit: Visit<'_, 'd>) {
    let word = |name: &str| node.get(name).and_then(|r| r.text());
    let channel = match word("role").as_deref() {
        Some("system") => Channel::System,
        Some("developer") => Channel::Developer,
        Some("assistant" | "model" | "CHATBOT") => Channel::Assistant,
        Some("tool" | "function" | "TOOL") => Channel::ToolResult,
        Some("user" | "USER") => Channel::User,
        _ => channel,
    };
    let kind = word("type");
    let kind = kind.as_deref().unwrap_or_default();
    match kind {
        // Cohere's has no signature.
        "thinking" if node.get("signature").is_some() => return signed(node, Channel::Assistant, visit),
        "redacted_thinking" => return signed(node, Channel::Assistant, visit),
        // What the model put out is no tool's.
        "model_output" => {}
        _ if kind.ends_with("_output") || kind.ends_with("tool_result") || kind == "function_response" => {
            return subtree(node, Channel::ToolResult, visit);
        }
        "tool_use" | "server_tool_use" | "mcp_tool_use" => return below(node, Setting::call(node), visit),
        _ if kind.ends_with("_call") => return below(node, Setting::call(node), visit),
        "document" | "file" | "search_result" | "input_file" => return subtree(node, Channel::Document, visit),
        _ => {}
    }
    members(node, channel, visit, |name, value, channel, visit| match name {
        "tool_calls" | "function_call" | "functionCall" | "toolUse" | "tool_use" | "executableCode" => {
            each(value, Channel::ToolCall, visit, |call, _, visit| below(call, Setting::call(call), visit));
        }
        "toolResult" | "functionResponse" | "function_response" | "codeExecutionResult" | "tool_result" => {
            subtree(value, Channel::ToolResult, visit);
        }
        "document" | "citations" | "annotations" | "groundingMetadata" => subtree(value, Channel::Document, visit),
        "content" | "parts" | "message" | "messages" | "delta" | "summary" | "item" | "output" | "outputs"
        | "choices" | "candidates" | "steps" => {
            each(value, channel, visit, message);
        }
        "reasoningContent" => signed(value, channel, visit),
        "signature" | "encrypted_content" | "thoughtSignature" | "thought_signature" => signed(value, channel, visit),
        _ => subtree(value, channel, visit),
    });
}

/// Visits every leaf at or below `node`, all in one channel.
pub fn subtree<'d>(node: Node<'d>, channel: Channel, visit: Visit<'_, 'd>) {
    below(node, Setting::new(channel), visit);
}

/// The same, of what the provider signed.
fn signed<'d>(node: Node<'d>, channel: Channel, visit: Visit<'_, 'd>) {
    below(node, Setting::signed(channel), visit);
}

/// Visits every leaf at or below `node`. The depth is the tokenizer's limit at most.
pub fn below<'d>(node: Node<'d>, of: Setting<'d>, visit: Visit<'_, 'd>) {
    match node.kind() {
        Kind::Object => {
            for (key, value) in node.entries() {
                visit(Leaf { place: Place::Key(key, node.id()), of });
                below(value, of, visit);
            }
        }
        Kind::Array => {
            for item in node.items() {
                below(item, of, visit);
            }
        }
        Kind::String => {
            if let Some(token) = node.string() {
                visit(Leaf { place: Place::Value(token), of });
            }
        }
        Kind::Number => visit(Leaf { place: Place::Number(node), of }),
        Kind::Null | Kind::Bool => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn leaves(side: Side, json: &str) -> Vec<(String, Channel)> {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut found = Vec::new();
        walk(side, document.root(), &mut |leaf: Leaf<'_>| {
            if let Place::Value(token) = leaf.place {
                found.push((token.text().into_owned(), leaf.of.channel));
            }
        });
        found
    }

    #[test]
    fn openai_channels() {
        let found = leaves(
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
            Side::Response,
            r#"{"id":"i","choices":[{"message":{"role":"assistant","content":"a","tool_calls":[{"id":"c"}]}}],
            "steps":[{"type":"model_output","content":[{"type":"text","text":"o"}]}]}"#,
        );
        assert!(found.contains(&("o".into(), Channel::Assistant)), "{found:?}");
        assert!(found.contains(&("a".into(), Channel::Assistant)) && found.contains(&("c".into(), Channel::ToolCall)));
        assert_eq!(leaves(Side::Response, r#"["x",[["y"]]]"#).len(), 2);
        assert_eq!(leaves(Side::Request, r#""bare""#), [("bare".into(), Channel::Metadata)]);
    }

    #[test]
    fn no_leaf_is_missed() {
        let json = r#"{"messages":[{"role":"user","content":{"odd":["s1",{"k1":"s2"}]},"x":["s3"]}],
            "choices":[["s4"]],"content":["s5"],"system":{"a":"s6"},"tools":"s7","n":[["s8"]]}"#;
        for side in [Side::Request, Side::Response] {
            let found = leaves(side, json);
            for n in 1..=8 {
                assert!(found.iter().any(|(t, _)| *t == format!("s{n}")), "s{n} {side:?}");
            }
        }
    }

    #[test]
    fn gemini_bedrock_and_responses_channels() {
        let found = leaves(
            Side::Request,
            r#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"u"},
            {"functionResponse":{"name":"f","response":{"k":"r"}}}]},{"role":"model","parts":[{"functionCall":{"args":{"a":"c"}}}]}],
            "input":[{"role":"developer","content":[{"type":"input_text","text":"d"}]},
            {"type":"function_call","arguments":"c2"},{"type":"function_call_output","output":"r2"}],
            "system":[{"text":"s2"}],"messages":[{"role":"user","content":[{"toolResult":{"content":[{"text":"r3"}]}},
            {"document":{"source":{"text":"doc"}}}]},{"role":"assistant","content":[{"toolUse":{"input":{"k":"c3"}}}]}],
            "requests":[{"params":{"system":"s4","messages":[{"role":"user","content":"u2"}]}}]}"#,
        );
        for (text, channel) in [
            ("s", Channel::System),
            ("u", Channel::User),
            ("r", Channel::ToolResult),
            ("c", Channel::ToolCall),
            ("d", Channel::Developer),
            ("c2", Channel::ToolCall),
            ("r2", Channel::ToolResult),
            ("s2", Channel::System),
            ("r3", Channel::ToolResult),
            ("doc", Channel::Document),
            ("c3", Channel::ToolCall),
            ("s4", Channel::System),
            ("u2", Channel::User),
        ] {
            assert!(found.contains(&(text.to_owned(), channel)), "{text} in {channel:?}: {found:?}");
        }
    }

    #[test]
    fn what_the_provider_signed_is_known() {
        let json = r#"{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},
            {"type":"text","text":"open"},{"reasoningContent":{"reasoningText":{"text":"r"}}}]}]}"#;
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut found = Vec::new();
        walk(Side::Request, document.root(), &mut |leaf: Leaf<'_>| {
            if let (Place::Value(token), true) = (leaf.place, leaf.of.signed) {
                found.push(token.text().into_owned());
            }
        });
        assert_eq!(found, ["thinking", "t", "s", "r"]);
    }
}
