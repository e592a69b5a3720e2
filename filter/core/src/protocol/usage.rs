//! Token usage out of an answer, in one meaning for every provider.

use super::Api;
use crate::json::{Kind, Node};

/// What an answer says it used. Input includes what was read from and written to the provider's cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens that went in, cached ones included.
    pub input: u64,
    /// Tokens that came out, reasoning included.
    pub output: u64,
    /// Of `input`: read from the provider's cache.
    pub cache_read: u64,
    /// Of `input`: written to the provider's cache.
    pub cache_write: u64,
    /// Of `output`: reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Reads the `usage` object of a whole answer; `None` where there is none.
    pub fn of(api: Api, answer: Node<'_>) -> Option<Self> {
        let usage = answer.get("usage").filter(|u| u.kind() == Kind::Object)?;
        let count = |node: Node<'_>, name: &str| node.get(name).and_then(whole).unwrap_or(0);
        let detail = |outer: &str, name: &str| usage.get(outer).map_or(0, |d| count(d, name));
        match api {
            // OpenAI's prompt_tokens include cached ones.
            Api::OpenAiChat => Some(Self {
                input: count(usage, "prompt_tokens"),
                output: count(usage, "completion_tokens"),
                cache_read: detail("prompt_tokens_details", "cached_tokens"),
                cache_write: 0,
                reasoning: detail("completion_tokens_details", "reasoning_tokens"),
            }),
            // Anthropic's input_tokens exclude both kinds of cached ones.
            Api::AnthropicMessages => {
                let cache_read = count(usage, "cache_read_input_tokens");
                let cache_write = count(usage, "cache_creation_input_tokens");
                Some(Self {
                    input: count(usage, "input_tokens").saturating_add(cache_read).saturating_add(cache_write),
                    output: count(usage, "output_tokens"),
                    cache_read,
                    cache_write,
                    reasoning: 0,
                })
            }
            Api::Models => None,
        }
    }
}

fn whole(node: Node<'_>) -> Option<u64> {
    node.number()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn usage(api: Api, json: &str) -> Option<Usage> {
        Usage::of(api, Document::parse(json.as_bytes(), &Limits::default()).unwrap().root())
    }

    #[test]
    fn one_meaning_for_both() {
        let openai = usage(
            Api::OpenAiChat,
            r#"{"usage":{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":40},
            "completion_tokens_details":{"reasoning_tokens":3}}}"#,
        );
        assert_eq!(openai, Some(Usage { input: 100, output: 7, cache_read: 40, cache_write: 0, reasoning: 3 }));
        let anthropic = usage(
            Api::AnthropicMessages,
            r#"{"usage":{"input_tokens":50,"cache_read_input_tokens":40,"cache_creation_input_tokens":10,
            "output_tokens":7}}"#,
        );
        assert_eq!(anthropic, Some(Usage { input: 100, output: 7, cache_read: 40, cache_write: 10, reasoning: 0 }));
        assert_eq!(usage(Api::OpenAiChat, r#"{"usage":null}"#), None);
        assert_eq!(usage(Api::OpenAiChat, r#"{"usage":{"prompt_tokens":-1}}"#), Some(Usage::default()));
    }
}
