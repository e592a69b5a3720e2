//! What makes a request depend on, or leave, state at the provider.
//!
//! Text that the provider remembers is not in the request: nobody here can look at it, redaction and restoring do not cover it.
//! So it is a knob of its own: an access statement says `stateful: true`, or such requests are refused. Where the provider keeps
//! an exchange unless it is told not to, and the caller said nothing, it is told not to.

use super::names::Api;
use crate::json::{Kind, Node};

/// Members that refer to what the provider keeps, whatever the API.
const REFERENCES: &[&str] = &[
    "previous_response_id",
    "previous_interaction_id",
    "previousInteractionId",
    "conversation",
    "conversation_id",
    "cachedContent",
    "cached_content",
    "thread_id",
    "session_id",
    "container",
];

/// Members that ask the provider to keep something, when they are true.
const REQUESTS: &[&str] = &["store", "background"];

/// What a request says of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is kept and nothing is referred to.
    None,
    /// The provider would keep the exchange, since nobody told it not to.
    Default,
    /// The named member asks for it.
    Asked(&'static str),
}

/// What `root` says of state.
pub fn state(api: Api, root: Node<'_>) -> State {
    // As a server reads it that does not look at case.
    let member = |name: &str| root.get_folded(name).filter(|v| !v.is_null());
    if let Some(name) = REFERENCES.iter().find(|name| member(name).is_some()) {
        return State::Asked(name);
    }
    if let Some(name) = REQUESTS.iter().find(|name| member(name).is_some_and(|v| v.bool() != Some(false))) {
        return State::Asked(name);
    }
    // A prompt that is kept by the provider, and only named here.
    if member("prompt").is_some_and(|p| p.kind() == Kind::Object && p.get_folded("id").is_some()) {
        return State::Asked("prompt");
    }
    if member("input").is_some_and(|input| input.items().any(is_reference)) {
        return State::Asked("input");
    }
    match api.stores_by_default() && member("store").is_none() {
        true => State::Default,
        false => State::None,
    }
}

/// Whether an item of a conversation stands for one that the provider keeps. It need not say so: an id alone will do.
fn is_reference(item: Node<'_>) -> bool {
    let word = |name: &str| item.get_folded(name).filter(|n| !n.is_null()).and_then(|n| n.text());
    match word("type").as_deref() {
        Some(kind) => kind == "item_reference",
        None => word("id").is_some() && word("role").is_none(),
    }
}

/// Whether a request asks for JSON as the text of its answer.
pub fn wants_json(root: Node<'_>) -> bool {
    let kind = |node: Option<Node<'_>>| {
        let text = node.and_then(|n| n.get("type")).and_then(|t| t.text());
        text.is_some_and(|t| t.starts_with("json"))
    };
    let gemini = || {
        let config = root.get("generationConfig").or_else(|| root.get("generation_config"))?;
        let mime = config.get("responseMimeType").or_else(|| config.get("response_mime_type"))?.text()?;
        Some(mime.eq_ignore_ascii_case("application/json"))
    };
    kind(root.get("response_format"))
        || kind(root.get("text").and_then(|t| t.get("format")))
        || kind(root.get("output_format"))
        || root.get("format").is_some_and(|f| f.kind() == Kind::Object || f.text().as_deref() == Some("json"))
        || gemini() == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    #[test]
    fn state_is_seen() {
        for (api, json, expected) in [
            (Api::OpenAiChat, "{}", State::None),
            (Api::OpenAiChat, r#"{"store":true}"#, State::Asked("store")),
            (Api::OpenAiChat, r#"{"STORE":1}"#, State::Asked("store")),
            (Api::OpenAiChat, r#"{"store":false,"conversation":null}"#, State::None),
            (Api::OpenAiResponses, "{}", State::Default),
            (Api::OpenAiResponses, r#"{"store":null}"#, State::Default),
            (Api::OpenAiResponses, r#"{"store":false}"#, State::None),
            (
                Api::OpenAiResponses,
                r#"{"store":false,"previous_response_id":"r"}"#,
                State::Asked("previous_response_id"),
            ),
            (Api::OpenAiResponses, r#"{"store":false,"prompt":{"id":"p"}}"#, State::Asked("prompt")),
            (Api::GeminiGenerate, r#"{"cachedContent":"c"}"#, State::Asked("cachedContent")),
            (Api::GeminiGenerate, r#"{"cached_content":"c"}"#, State::Asked("cached_content")),
            (Api::GeminiInteractions, r#"{"previous_interaction_id":"i"}"#, State::Asked("previous_interaction_id")),
        ] {
            let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(state(api, document.root()), expected, "{json}");
        }
    }
}
