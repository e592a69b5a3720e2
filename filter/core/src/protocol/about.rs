//! What documents say of each API and [`CALLS`](super::CALLS) does not: how its streams are cut, where it tells what was used, which
//! texts of its answers values come back into.
//!
//! Nothing is decided here: the filter reads what comes, by the content type it comes with. `tests/about.rs` holds this table
//! against the fixtures of every API.

use super::names::Api;
use crate::stream::framing::Framing;

/// What is known of an API.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Which.
    pub api: Api,
    /// How its streams are cut. More than one: the caller chooses. None: its answers do not stream.
    pub framings: &'static [Framing],
    /// Whether streams are asked for their usage (`stream_options.include_usage`) on our account.
    pub asks_for_usage: bool,
    /// The members of answers and events that tell the usage. None: it is not told in tokens, or not read.
    pub usage: &'static [&'static str],
    /// Texts of the model that values come back into: members of a whole answer.
    pub restores: &'static [&'static str],
    /// Whether its answers call tools, so that values come back into the arguments of tools with `restore: true`.
    pub calls_tools: bool,
}

const fn row(api: Api) -> About {
    About { api, framings: &[], asks_for_usage: false, usage: &[], restores: &[], calls_tools: false }
}

/// One row for every API but [`Api::Surface`].
pub const ABOUT: &[About] = &[
    About {
        framings: &[Framing::Sse],
        asks_for_usage: true,
        usage: &["usage"],
        restores: &["choices[].message"],
        calls_tools: true,
        ..row(Api::OpenAiChat)
    },
    About {
        framings: &[Framing::Sse],
        usage: &["usage"],
        restores: &["output[]"],
        calls_tools: true,
        ..row(Api::OpenAiResponses)
    },
    About {
        framings: &[Framing::Sse],
        asks_for_usage: true,
        usage: &["usage"],
        restores: &["choices[].text"],
        ..row(Api::OpenAiCompletions)
    },
    About { usage: &["usage"], ..row(Api::OpenAiEmbeddings) },
    row(Api::OpenAiModerations),
    About { framings: &[Framing::Sse], usage: &["usage"], ..row(Api::OpenAiImages) },
    row(Api::OpenAiSpeech),
    About {
        framings: &[Framing::Sse],
        usage: &["usage"],
        restores: &["content[]"],
        calls_tools: true,
        ..row(Api::AnthropicMessages)
    },
    row(Api::AnthropicCountTokens),
    row(Api::AnthropicBatches),
    About {
        framings: &[Framing::Sse, Framing::JsonArray],
        usage: &["usageMetadata"],
        restores: &["candidates[].content.parts[]"],
        calls_tools: true,
        ..row(Api::GeminiGenerate)
    },
    row(Api::GeminiCountTokens),
    row(Api::GeminiEmbed),
    About {
        framings: &[Framing::Sse],
        usage: &["usage"],
        restores: &["steps[]", "outputs[]"],
        calls_tools: true,
        ..row(Api::GeminiInteractions)
    },
    About {
        framings: &[Framing::Sse],
        usage: &["usage", "meta"],
        restores: &["message"],
        calls_tools: true,
        ..row(Api::CohereChat)
    },
    About { usage: &["meta"], ..row(Api::CohereEmbed) },
    row(Api::Rerank),
    About {
        framings: &[Framing::EventStream],
        usage: &["usage", "amazon-bedrock-invocationMetrics", "prompt_token_count", "inputTextTokenCount"],
        restores: &["content[]", "choices[]", "results[]", "outputs[]", "generation", "output"],
        calls_tools: true,
        ..row(Api::BedrockInvoke)
    },
    About {
        framings: &[Framing::EventStream],
        usage: &["usage"],
        restores: &["output.message.content[]"],
        calls_tools: true,
        ..row(Api::BedrockConverse)
    },
    About {
        framings: &[Framing::Lines],
        usage: &["prompt_eval_count", "eval_count"],
        restores: &["message"],
        calls_tools: true,
        ..row(Api::OllamaChat)
    },
    About {
        framings: &[Framing::Lines],
        usage: &["prompt_eval_count", "eval_count"],
        restores: &["response"],
        ..row(Api::OllamaGenerate)
    },
    About { usage: &["prompt_eval_count"], ..row(Api::OllamaEmbed) },
    About { framings: &[Framing::Sse], usage: &["details"], restores: &["generated_text"], ..row(Api::TgiGenerate) },
    About { usage: &["usage"], ..row(Api::VllmExtras) },
    row(Api::Models),
    About { framings: &[Framing::Sse], restores: &["result", "error"], ..row(Api::Mcp) },
    About { framings: &[Framing::Sse], restores: &["result", "error"], ..row(Api::A2a) },
    About { framings: &[Framing::Sse], restores: &["message", "task"], ..row(Api::A2aRest) },
];

/// The row of an API.
pub fn about(api: Api) -> Option<&'static About> {
    ABOUT.iter().find(|row| row.api == api)
}
