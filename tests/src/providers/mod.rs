//! Upstreams that speak the model providers' APIs the way the providers do, streams included.
//!
//! The model behind all of them is an echo ([`echo`]): its answer is `You said: TEXT`, so a test sees in the answer
//! what reached the model, and the model can be made to think, to call tools, to refuse and to fail by what it is told.
//! One handler per provider; which dialect answers a path that several share (`/v1/chat/completions`) is the
//! handler's choice:
//!
//! ```ignore
//! let upstream = Upstream::with(providers::anthropic()).await;
//! ```
//!
//! Answers that stream are cut into [`deltas`] of three and four characters, so a value or a placeholder is always
//! split over several, and every event is one chunk (HTTP/2: one DATA frame).
//!
//! **Usage** is the same in every answer of every API, whatever was asked: [`INPUT_TOKENS`], of which
//! [`CACHED_TOKENS`] came from a cache, and [`OUTPUT_TOKENS`], of which [`REASONING_TOKENS`] were spent thinking. How
//! they are told differs as it does in reality: Anthropic and Bedrock leave cached tokens out of the input
//! ([`UNCACHED_TOKENS`]), Gemini leaves thinking out of the output ([`VISIBLE_TOKENS`]).
//!
//! What these upstreams do not do: check credentials, remember anything (but Anthropic's batches), know which models
//! exist, or refuse what a provider's validation would, beyond missing basics and what a test needs refused.

pub mod anthropic;
pub mod azure;
pub mod bedrock;
pub mod chat;
pub mod cohere;
pub mod echo;
pub mod eventstream;
pub mod gemini;
pub mod interactions;
pub mod mcp;
pub mod mistral;
pub mod ollama;
pub mod openai;
pub mod responses;
pub mod tgi;
pub mod vertex;
pub mod vllm;

use serde_json::{Value, json};

pub use self::anthropic::handler as anthropic;
pub use self::azure::handler as azure;
pub use self::bedrock::handler as bedrock;
pub use self::cohere::handler as cohere;
pub use self::gemini::handler as gemini;
pub use self::mcp::handler as mcp;
pub use self::mistral::handler as mistral;
pub use self::ollama::handler as ollama;
pub use self::openai::handler as openai;
pub use self::tgi::handler as tgi;
pub use self::vllm::handler as vllm;
use crate::upstream::{Script, Seen, Told};

/// Input tokens of every answer, cached ones included.
pub const INPUT_TOKENS: u64 = 21;
/// Those of them that a cache had.
pub const CACHED_TOKENS: u64 = 5;
/// Those that no cache had: what Anthropic and Bedrock call input tokens.
pub const UNCACHED_TOKENS: u64 = INPUT_TOKENS - CACHED_TOKENS;
/// Output tokens of every answer, reasoning included.
pub const OUTPUT_TOKENS: u64 = 34;
/// Those of them spent on reasoning.
pub const REASONING_TOKENS: u64 = 8;
/// Those that are not reasoning: what Gemini calls candidate tokens.
pub const VISIBLE_TOKENS: u64 = OUTPUT_TOKENS - REASONING_TOKENS;
/// Input and output.
pub const TOTAL_TOKENS: u64 = INPUT_TOKENS + OUTPUT_TOKENS;

/// The embedding of everything; exact in binary, so that base64 and decimal agree.
pub const EMBEDDING: [f32; 4] = [0.25, -0.5, 1.0, 0.125];

/// When everything was created: 2026-01-01.
pub const CREATED: u64 = 1_767_225_600;
/// The same as text.
pub const CREATED_AT: &str = "2026-01-01T00:00:00Z";

/// The path of a request, its query, and its body; `null` stands for a body that is no JSON.
struct Asked<'a> {
    seen: &'a Seen,
    path: &'a str,
    query: &'a str,
    body: Value,
}

impl<'a> Asked<'a> {
    fn of(seen: &'a Seen) -> Self {
        let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
        Self { seen, path, query, body: serde_json::from_slice(&seen.body).unwrap_or_default() }
    }

    /// Whether it is a POST whose body is no JSON object: every provider refuses that first.
    fn unreadable(&self) -> bool {
        self.seen.method == "POST" && !self.body.is_object()
    }

    fn streams(&self) -> bool {
        self.body["stream"] == true
    }
}

/// Cuts text into pieces of three and four characters, in turn.
pub fn deltas(text: &str) -> Vec<String> {
    let mut chars = text.chars().peekable();
    let mut sizes = [3, 4].into_iter().cycle();
    std::iter::from_fn(|| chars.peek().is_some().then(|| chars.by_ref().take(sizes.next().unwrap_or(3)).collect()))
        .collect()
}

/// A server-sent event without a name.
pub fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// A server-sent event with a name.
pub fn event(name: &str, value: &Value) -> String {
    format!("event: {name}\ndata: {value}\n\n")
}

/// What ends OpenAI's streams.
pub const DONE: &str = "data: [DONE]\n\n";

/// An error answer.
fn failed(status: u16, body: &Value) -> Script {
    let mut script = Script::json(body);
    script.status = status;
    script
}

/// A chunked answer of another type than JSON or SSE, one piece per chunk.
fn pieces<P: AsRef<[u8]>>(content_type: &str, pieces: impl IntoIterator<Item = P>) -> Script {
    let script = Script::status(200).header("content-type", content_type).told(Told::Chunked);
    pieces.into_iter().fold(script, Script::data)
}

/// The strings of an input that is a string or an array of strings; token ids are no text.
fn strings(input: &Value) -> Vec<&str> {
    match input {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(|item| item.as_str().or(item["text"].as_str())).collect(),
        _ => Vec::new(),
    }
}

/// Scores of a rerank answer: documents in order, each half as relevant as the one before.
fn ranked(request: &Value) -> Value {
    let documents = request["documents"].as_array().cloned().unwrap_or_default();
    let top = request["top_n"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(documents.len());
    let mut score = 1.0;
    let rank = |(index, document): (usize, &Value)| {
        score /= 2.0;
        let mut result = json!({"index": index, "relevance_score": score});
        if request["return_documents"] == true {
            let text = document.as_str().or(document["text"].as_str()).unwrap_or_default();
            result["document"] = json!({"text": text});
        }
        result
    };
    documents.iter().enumerate().map(rank).take(top).collect()
}

#[cfg(test)]
mod tests {
    use super::deltas;

    #[test]
    fn deltas_are_three_and_four_characters() {
        assert_eq!(deltas("You said: ü"), ["You", " sai", "d: ", "ü"]);
        assert!(deltas("").is_empty());
    }
}
