//! The APIs that Doorward governs: which call a request is, and which texts of it reach the model.
//!
//! One table ([`CALLS`]) names every call; a path that is not in it is unknown, and unknown is denied. Paths are
//! compared byte by byte as Envoy forwards them: `//`, `%2e`, another case or a trailing slash make another path.

mod media;
mod texts;
mod usage;

use serde::Deserialize;

pub use media::{Contents, Media, MediaSet, look, media, tokens};
pub use texts::{Leaf, Place, subtree, walk};
pub use usage::Usage;

/// An API family's call, as targets name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Api {
    /// OpenAI chat completions, and what is compatible with it.
    #[serde(rename = "openai.chat")]
    OpenAiChat,
    /// Anthropic messages.
    #[serde(rename = "anthropic.messages")]
    AnthropicMessages,
    /// The list of models, in OpenAI's or Anthropic's shape.
    #[serde(rename = "models")]
    Models,
}

impl Api {
    /// Its name in documents and on the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Api::OpenAiChat => "openai.chat",
            Api::AnthropicMessages => "anthropic.messages",
            Api::Models => "models",
        }
    }

    /// Every name under which this API takes the parameter that a policy calls `name`.
    pub fn parameter_names(self, name: &str) -> impl Iterator<Item = &str> {
        // OpenAI renamed the parameter and still takes both; a cap on one must hold for the other.
        let other = match (self, name) {
            (Api::OpenAiChat, "max_tokens") => Some("max_completion_tokens"),
            (Api::OpenAiChat, "max_completion_tokens") => Some("max_tokens"),
            _ => None,
        };
        [Some(name), other].into_iter().flatten()
    }
}

/// What a call does, in the words of OpenTelemetry's `gen_ai.operation.name` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A turn of a conversation.
    Chat,
    /// The list of models.
    ListModels,
}

impl Operation {
    /// Its name in documents and on the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Chat => "chat",
            Operation::ListModels => "list_models",
        }
    }
}

/// Whose error shape a caller expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `{"error": {"message", "type", "param", "code"}}`.
    #[default]
    OpenAi,
    /// `{"type": "error", "error": {"type", "message"}}`.
    Anthropic,
}

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

    /// Its place in [`Channel::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }
}

/// One governed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which API's.
    pub api: Api,
    /// What it does.
    pub operation: Operation,
    /// Its method.
    pub method: &'static str,
    /// Its path.
    pub path: &'static str,
    /// Whether it has a JSON body.
    pub body: bool,
}

/// Every governed call.
pub const CALLS: &[Call] = &[
    Call { api: Api::OpenAiChat, operation: Operation::Chat, method: "POST", path: "/v1/chat/completions", body: true },
    Call { api: Api::AnthropicMessages, operation: Operation::Chat, method: "POST", path: "/v1/messages", body: true },
    Call { api: Api::Models, operation: Operation::ListModels, method: "GET", path: "/v1/models", body: false },
];

/// Why a request is no governed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCall {
    /// Nothing is known of the path.
    Path,
    /// The path is known, but not with this method.
    Method,
}

/// Which call a request is: `path` without its query, `prefix` what stands in front of the API's own paths.
///
/// # Errors
/// The path is unknown, or known with other methods only.
pub fn classify(method: &[u8], path: &str, prefix: &str, apis: &[Api]) -> Result<Call, NoCall> {
    let own = path.strip_prefix(prefix).ok_or(NoCall::Path)?;
    let mut known = CALLS.iter().filter(|c| c.path == own && (apis.is_empty() || apis.contains(&c.api))).peekable();
    if known.peek().is_none() {
        return Err(NoCall::Path);
    }
    known.find(|c| c.method.as_bytes() == method).copied().ok_or(NoCall::Method)
}

/// Members of a body by which some servers choose other models or parameters than `model` and its neighbours say:
/// OpenRouter's `models`, LiteLLM's `fallbacks`, and what JavaScript's `Object.assign` makes of `__proto__`. Folded.
pub const ELSEWHERE: &[&str] = &["models", "fallbacks", "context_window_fallbacks", "__proto__"];

/// Top-level names that decide something. A key that only *folds* to one of them is refused: servers written in
/// Go read `MODEL` as `model`, others ignore it, and a check must not depend on which.
pub const DECIDING_NAMES: &[&str] = &[
    "model",
    "messages",
    "system",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "response_format",
    "metadata",
    "store",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_paths_are_known() {
        let chat = classify(b"POST", "/v1/chat/completions", "", &[]).unwrap();
        assert_eq!((chat.api, chat.operation), (Api::OpenAiChat, Operation::Chat));
        for path in [
            "/v1/chat/completions/",
            "//v1/chat/completions",
            "/v1//chat/completions",
            "/V1/chat/completions",
            "/v1/chat/%63ompletions",
            "/v1/./chat/completions",
            "/v1/x/../chat/completions",
            "/v1/chat/completions;a=b",
            "/v1/chat/completions%20",
            "",
            "*",
        ] {
            assert_eq!(classify(b"POST", path, "", &[]), Err(NoCall::Path), "{path}");
        }
    }

    #[test]
    fn methods_prefixes_and_api_lists() {
        assert_eq!(classify(b"GET", "/v1/messages", "", &[]), Err(NoCall::Method));
        assert_eq!(classify(b"post", "/v1/messages", "", &[]), Err(NoCall::Method));
        assert_eq!(classify(b"HEAD", "/v1/models", "", &[]), Err(NoCall::Method));
        assert!(classify(b"POST", "/llm/a/v1/messages", "/llm/a", &[]).is_ok());
        assert_eq!(classify(b"POST", "/v1/messages", "/llm", &[]), Err(NoCall::Path));
        assert_eq!(classify(b"POST", "/v1/messages", "", &[Api::OpenAiChat]), Err(NoCall::Path));
    }
}
