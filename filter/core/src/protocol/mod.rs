//! The APIs that Doorward governs: which call a request is, and what its bodies and events carry.

mod about;
mod calls;
mod events;
mod mcp;
mod media;
mod names;
mod parameters;
mod state;
mod texts;
pub mod tools;
mod usage;

use serde::Deserialize;

use crate::json::Node;

pub use about::{ABOUT, About, about};
pub use calls::{Body, CALLS, Call, DEFAULT_MODEL, Found, ModelIn, NoCall, PathModel, Streams, classify, encoded};
pub use events::{Ends, Event, Lane, Piece, read as read_event};
pub use mcp::{
    Answering, Asking, Heads, Listed, MAX_BATCH, Message, NoMessage, Returns, Unreadable, VERSIONS, Version, Way,
    exact, is_known_method, is_lifecycle, lists, plain_name, results, walk_body, walk_messages, walk_rest,
};
pub(crate) use media::MIN_PAYLOAD;
pub use media::{Contents, Media, MediaSet, media};
pub use names::{Api, Dialect, Operation};
pub use parameters::{given, names as parameter_names};
pub use state::{State, state, wants_json};
pub use texts::{Leaf, Place, Setting, below, is_taken_out, subtree, walk};
pub use usage::Usage;

/// Where in an exchange a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The operator's instructions.
    System,
    /// The application developer's instructions.
    Developer,
    /// The user's words.
    User,
    /// The model's words, now or in earlier turns.
    Assistant,
    /// Names, descriptions and schemas of tools.
    ToolDescription,
    /// A tool call's name and arguments.
    ToolCall,
    /// What a tool answered.
    ToolResult,
    /// A document handed to the model.
    Document,
    /// Everything else, unknown fields among it.
    Metadata,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Channel; 9] = [
        Channel::System,
        Channel::Developer,
        Channel::User,
        Channel::Assistant,
        Channel::ToolDescription,
        Channel::ToolCall,
        Channel::ToolResult,
        Channel::Document,
        Channel::Metadata,
    ];

    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::System => "system",
            Channel::Developer => "developer",
            Channel::User => "user",
            Channel::Assistant => "assistant",
            Channel::ToolDescription => "tool_description",
            Channel::ToolCall => "tool_call",
            Channel::ToolResult => "tool_result",
            Channel::Document => "document",
            Channel::Metadata => "metadata",
        }
    }

    /// Its place in [`Channel::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Members of a body by which some servers choose other models or parameters than `model` and its neighbours say:
/// OpenRouter's `models`, LiteLLM's `fallbacks`, and what JavaScript's `Object.assign` makes of `__proto__`. Folded.
pub const ELSEWHERE: &[&str] = &["models", "fallbacks", "context_window_fallbacks", "__proto__"];

/// Top-level names that decide something. A key that only *folds* to one of them is refused: servers written in
/// Go read `MODEL` as `model`, others ignore it, and a check must not depend on which.
pub const DECIDING_NAMES: &[&str] = &[
    "model",
    "agent_id",
    "agent",
    "messages",
    "contents",
    "requests",
    "input",
    "prompt",
    "system",
    "instructions",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "options",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "response_format",
    "metadata",
    "store",
];

/// The model that an answer, or an event of a stream, says it comes from.
pub fn answered_by(root: Node<'_>) -> Option<String> {
    fn named(node: Node<'_>) -> Option<String> {
        let name = ["model", "modelVersion"].into_iter().find_map(|name| node.get(name)?.text())?;
        (!name.is_empty()).then(|| name.into_owned())
    }
    let inner = ["message", "response", "interaction"].into_iter().filter_map(|name| root.get(name));
    std::iter::once(root).chain(inner).find_map(named)
}
