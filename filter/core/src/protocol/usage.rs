//! Token usage out of answers and stream events, in one meaning for every provider.
//!
//! Streams tell usage once at the end, or in every event so far, or part of it first and part of it last: of each count the
//! greatest is kept, and nothing is ever added up over events.

use super::names::Api;
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
    /// Of `input`: sound.
    pub audio_in: u64,
    /// Of `output`: sound.
    pub audio_out: u64,
}

impl Usage {
    /// Reads what a whole answer, or one event of a stream, says; `None` where it says nothing.
    pub fn of(api: Api, root: Node<'_>) -> Option<Self> {
        // Some tell it inside of what the event is about.
        let inner = ["message", "response", "delta", "metadata", "interaction"].into_iter().filter_map(|n| root.get(n));
        std::iter::once(root).chain(inner).find_map(|node| read(api, node))
    }

    /// The greater of each count.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cache_read: self.cache_read.max(other.cache_read),
            cache_write: self.cache_write.max(other.cache_write),
            reasoning: self.reasoning.max(other.reasoning),
            audio_in: self.audio_in.max(other.audio_in),
            audio_out: self.audio_out.max(other.audio_out),
        }
    }
}

fn read(api: Api, node: Node<'_>) -> Option<Usage> {
    let object = |name: &str| node.get(name).filter(|u| u.kind() == Kind::Object);
    if let Some(meta) = object("usageMetadata").or_else(|| object("usage_metadata")) {
        return Some(gemini(meta));
    }
    if let Some(metrics) = object("amazon-bedrock-invocationMetrics") {
        return Some(Usage {
            input: count(metrics, "inputTokenCount"),
            output: count(metrics, "outputTokenCount"),
            cache_read: count(metrics, "cacheReadInputTokenCount"),
            cache_write: count(metrics, "cacheWriteInputTokenCount"),
            ..Usage::default()
        });
    }
    if let Some(usage) = object("usage") {
        return Some(usage_object(api, usage));
    }
    // Ollama, vLLM, TGI, Bedrock's Titan and Llama tell it beside the text.
    let titan = node.get("results").filter(|r| r.kind() == Kind::Array);
    let titan = titan.map_or(0, |r| r.items().fold(0, |sum: u64, r| sum.saturating_add(count(r, "tokenCount"))));
    let flat = Usage {
        input: first(node, &["prompt_eval_count", "prompt_token_count", "inputTextTokenCount"]),
        output: first(node, &["eval_count", "generation_token_count", "totalOutputTextTokenCount"]).max(titan),
        ..Usage::default()
    };
    if flat != Usage::default() {
        return Some(flat);
    }
    if let Some(details) = object("details") {
        let prefill = details.get("prefill").map_or(0, |p| p.items().count() as u64);
        let input = prefill.max(count(details, "input_length"));
        return Some(Usage { input, output: count(details, "generated_tokens"), ..Usage::default() });
    }
    let meta = object("meta")?;
    cohere(meta)
}

/// An object named `usage`, which many providers have, with names of their own in it.
fn usage_object(api: Api, usage: Node<'_>) -> Usage {
    if let Some(usage) = cohere(usage) {
        return usage;
    }
    let detail = |outer: &[&str], name: &str| {
        outer.iter().filter_map(|o| usage.get(o)).map(|d| count(d, name)).max().unwrap_or(0)
    };
    if usage.get("prompt_tokens").is_some() || usage.get("completion_tokens").is_some() {
        // OpenAI's prompt_tokens include cached ones.
        return Usage {
            input: count(usage, "prompt_tokens"),
            output: count(usage, "completion_tokens"),
            cache_read: detail(&["prompt_tokens_details"], "cached_tokens").max(count(usage, "prompt_cache_hit_tokens")),
            cache_write: 0,
            reasoning: detail(&["completion_tokens_details"], "reasoning_tokens"),
            audio_in: detail(&["prompt_tokens_details"], "audio_tokens"),
            audio_out: detail(&["completion_tokens_details"], "audio_tokens"),
        };
    }
    if usage.get("inputTokens").is_some() || usage.get("outputTokens").is_some() {
        // Bedrock's inputTokens exclude cached ones.
        let (read, write) = (count(usage, "cacheReadInputTokens"), count(usage, "cacheWriteInputTokens"));
        return Usage {
            input: count(usage, "inputTokens").saturating_add(read).saturating_add(write),
            output: count(usage, "outputTokens"),
            cache_read: read,
            cache_write: write,
            ..Usage::default()
        };
    }
    let cache_read = count(usage, "cache_read_input_tokens");
    let cache_write = count(usage, "cache_creation_input_tokens");
    // Who has no output tells the sum only: rerank, and some embeddings.
    let mut input = first(usage, &["input_tokens", "total_input_tokens", "search_units", "total_tokens"]);
    if !matches!(api, Api::OpenAiResponses | Api::OpenAiImages | Api::GeminiInteractions) {
        // Anthropic's input_tokens exclude both kinds of cached ones.
        input = input.saturating_add(cache_read).saturating_add(cache_write);
    }
    let thoughts = count(usage, "total_thought_tokens");
    Usage {
        input,
        // Gemini's interactions count thoughts apart.
        output: first(usage, &["output_tokens", "total_output_tokens"]).saturating_add(thoughts),
        cache_read: cache_read.max(detail(&["input_tokens_details"], "cached_tokens")).max(count(usage, "total_cached_tokens")),
        cache_write,
        reasoning: detail(&["output_tokens_details"], "reasoning_tokens").max(thoughts),
        audio_in: detail(&["input_tokens_details"], "audio_tokens"),
        audio_out: detail(&["output_tokens_details"], "audio_tokens"),
    }
}

/// Gemini's prompt count includes cached tokens; what was thought, and what tools put in, is counted apart.
fn gemini(meta: Node<'_>) -> Usage {
    let thoughts = count(meta, "thoughtsTokenCount");
    Usage {
        input: count(meta, "promptTokenCount").saturating_add(count(meta, "toolUsePromptTokenCount")),
        output: first(meta, &["candidatesTokenCount", "responseTokenCount"]).saturating_add(thoughts),
        cache_read: count(meta, "cachedContentTokenCount"),
        reasoning: thoughts,
        ..Usage::default()
    }
}

/// Cohere tells what it bills beside what the model saw.
fn cohere(usage: Node<'_>) -> Option<Usage> {
    // Rerank is billed by searches, and tells no tokens.
    let told =
        |name: &&str| usage.get(name).is_some_and(|t| t.get("input_tokens").or(t.get("output_tokens")).is_some());
    let tokens = usage.get(["billed_units", "tokens"].iter().find(|name| told(name))?)?;
    Some(Usage { input: count(tokens, "input_tokens"), output: count(tokens, "output_tokens"), ..Usage::default() })
}

fn first(node: Node<'_>, names: &[&str]) -> u64 {
    names.iter().map(|name| count(node, name)).find(|n| *n > 0).unwrap_or(0)
}

fn count(node: Node<'_>, name: &str) -> u64 {
    node.get(name).and_then(|n| n.number()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Limits};

    fn usage(api: Api, json: &str) -> Option<Usage> {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        Usage::of(api, document.root())
    }

    #[test]
    fn providers_count_differently_and_mean_the_same_here() {
        let all = Usage { input: 100, output: 7, cache_read: 40, cache_write: 10, reasoning: 3, ..Usage::default() };
        let read = Usage { cache_write: 0, ..all };
        let plain = Usage { input: 100, output: 7, ..Usage::default() };
        for (api, json, expected) in [
            (
                Api::OpenAiChat,
                r#"{"usage":{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":40},
                "completion_tokens_details":{"reasoning_tokens":3}}}"#,
                read,
            ),
            (
                Api::OpenAiResponses,
                r#"{"type":"response.incomplete","response":{"usage":{"input_tokens":100,"output_tokens":7,
                "input_tokens_details":{"cached_tokens":40},"output_tokens_details":{"reasoning_tokens":3}}}}"#,
                read,
            ),
            (
                Api::AnthropicMessages,
                r#"{"type":"message_start","message":{"usage":{"input_tokens":50,"cache_read_input_tokens":40,
                "cache_creation_input_tokens":10,"output_tokens":7}}}"#,
                Usage { reasoning: 0, ..all },
            ),
            (
                Api::GeminiGenerate,
                r#"{"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":4,"thoughtsTokenCount":3,
                "cachedContentTokenCount":40}}"#,
                read,
            ),
            (
                Api::BedrockConverse,
                r#"{"usage":{"inputTokens":50,"outputTokens":7,"cacheReadInputTokens":40,"cacheWriteInputTokens":10}}"#,
                Usage { reasoning: 0, ..all },
            ),
            (
                Api::BedrockInvoke,
                r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":100,"outputTokenCount":7}}"#,
                plain,
            ),
            (
                Api::CohereChat,
                r#"{"type":"message-end","delta":{"usage":{"billed_units":{"input_tokens":100,"output_tokens":7},
                "tokens":{"input_tokens":900,"output_tokens":70}}}}"#,
                plain,
            ),
            (Api::OllamaChat, r#"{"done":true,"prompt_eval_count":100,"eval_count":7}"#, plain),
            (Api::BedrockInvoke, r#"{"inputTextTokenCount":100,"results":[{"tokenCount":3},{"tokenCount":4}]}"#, plain),
            (Api::TgiGenerate, r#"{"details":{"input_length":100,"generated_tokens":7}}"#, plain),
            (
                Api::GeminiInteractions,
                r#"{"interaction":{"usage":{"total_input_tokens":100,"total_output_tokens":4,"total_thought_tokens":3,
                "total_cached_tokens":40,"total_tokens":107}}}"#,
                read,
            ),
            (Api::Rerank, r#"{"usage":{"total_tokens":100}}"#, Usage { output: 0, ..plain }),
        ] {
            assert_eq!(usage(api, json), Some(expected), "{api:?}");
        }
        assert_eq!(usage(Api::OpenAiChat, r#"{"usage":null}"#), None);
        assert_eq!(usage(Api::Rerank, r#"{"meta":{"billed_units":{"search_units":1}}}"#), None);
        assert_eq!(usage(Api::OpenAiChat, r#"{"usage":{"prompt_tokens":-1}}"#), Some(Usage::default()));
    }

    #[test]
    fn of_several_tellings_the_greatest_counts() {
        let start = Usage { input: 25, output: 1, ..Usage::default() };
        let end = Usage { output: 15, ..Usage::default() };
        assert_eq!(start.max(end), Usage { input: 25, output: 15, ..Usage::default() });
    }
}
