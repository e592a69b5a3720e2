//! Which call a request is.
//!
//! One table names every call; a path that is not in it is unknown, and unknown is denied. Paths are compared byte by
//! byte as Envoy forwards them: `//`, `%2e`, another case or a trailing slash make another path. A pattern's `{model}` is one
//! segment (or its part before `:verb`) and names the model, `{}` is any one segment, and `/**` at the end is everything
//! below a path, and the path itself.

use std::ops::Range;

use super::names::{Api, Operation};

/// Where a request says which model it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelIn {
    /// This member of its body; the path, where the pattern has a `{model}`, goes before it.
    Body(&'static str),
    /// The same, but it may be absent: the provider has a default, which policies call [`DEFAULT_MODEL`].
    Optional(&'static str),
    /// Nowhere.
    Nowhere,
}

/// What policies call the model of a request that names none where none is needed.
pub const DEFAULT_MODEL: &str = "default";

/// Whether an answer streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Never.
    No,
    /// If `stream` of the body says so; what it means where it is absent.
    Asked(bool),
    /// Always.
    Always,
}

/// What a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    None,
    /// JSON.
    Json,
    /// JSON is read; anything else cannot be.
    Any,
}

/// One governed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The shape of its bodies.
    pub api: Api,
    /// What it does.
    pub operation: Operation,
    /// Its method; `*` is any.
    pub method: &'static str,
    /// What may stand in front of its path.
    pub bases: &'static [&'static str],
    /// Its path behind the base.
    pub path: &'static str,
    /// Where the model stands.
    pub model: ModelIn,
    /// Whether its answer streams.
    pub streams: Streams,
    /// Its body.
    pub body: Body,
    /// The method that its path says, by its name in JSON-RPC; empty where the body says it, or there are none.
    pub says: &'static str,
}

impl Call {
    /// What it does, in the words of OpenTelemetry's `gen_ai.operation.name` where it has one.
    pub fn otel_operation(&self) -> &'static str {
        match (self.operation, self.api) {
            (Operation::Chat, Api::GeminiGenerate | Api::GeminiInteractions) => "generate_content",
            (operation, _) => operation.as_str(),
        }
    }
}

/// A call that a request was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub call: Call,
    /// The model that its path names.
    pub model: Option<PathModel>,
}

/// The model that a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathModel {
    /// Its name, percent-decoded.
    pub name: String,
    /// Where it stands in the path.
    pub span: Range<usize>,
}

/// Why a request is no governed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCall {
    /// Nothing is known of the path.
    Path,
    /// The path is known, but not with this method.
    Method,
}

/// Where OpenAI's API and compatible ones stand: OpenAI; Azure's v1 API and Groq; Gemini; OpenRouter; hosts without a version.
const OPENAI: &[&str] = &[
    "/v1/",
    "/openai/v1/",
    "/v1beta/openai/",
    "/api/v1/",
    "/",
    "/openai/deployments/{model}/",
    "/v1/projects/{}/locations/{}/endpoints/openapi/",
    "/v1beta1/projects/{}/locations/{}/endpoints/openapi/",
];
/// No base: the rest of a pattern stands for whole paths.
const ANYWHERE: &[&str] = &[""];
const V1: &[&str] = &["/v1/"];
const ANTHROPIC: &[&str] = &["/v1/", "/anthropic/v1/"];
const ROOT: &[&str] = &["/"];
const GEMINI: &[&str] = &[
    "/v1beta/models/{model}",
    "/v1/models/{model}",
    "/v1alpha/models/{model}",
    "/v1beta/tunedModels/{model}",
    "/v1/projects/{}/locations/{}/publishers/{}/models/{model}",
    "/v1beta1/projects/{}/locations/{}/publishers/{}/models/{model}",
    "/v1/projects/{}/locations/{}/endpoints/{model}",
    "/v1beta1/projects/{}/locations/{}/endpoints/{model}",
    "/v1/publishers/{}/models/{model}",
    "/v1beta1/publishers/{}/models/{model}",
];
const VERTEX_ANTHROPIC: &[&str] = &[
    "/v1/projects/{}/locations/{}/publishers/anthropic/models/{model}",
    "/v1beta1/projects/{}/locations/{}/publishers/anthropic/models/{model}",
];
const VERTEX_MISTRAL: &[&str] = &[
    "/v1/projects/{}/locations/{}/publishers/mistralai/models/{model}",
    "/v1beta1/projects/{}/locations/{}/publishers/mistralai/models/{model}",
];
const GOOGLE: &[&str] = &["/v1beta/", "/v1/", "/v1alpha/"];

const fn post(
    api: Api,
    operation: Operation,
    bases: &'static [&'static str],
    path: &'static str,
    model: ModelIn,
    streams: Streams,
) -> Call {
    Call { api, operation, method: "POST", bases, path, model, streams, body: Body::Json, says: "" }
}

const fn list(bases: &'static [&'static str], path: &'static str) -> Call {
    Call {
        api: Api::Models,
        operation: Operation::ListModels,
        method: "GET",
        bases,
        path,
        model: ModelIn::Nowhere,
        streams: Streams::No,
        body: Body::None,
        says: "",
    }
}

/// A surface that is known by name only.
const fn surface(operation: Operation, bases: &'static [&'static str], path: &'static str) -> Call {
    Call {
        api: Api::Surface,
        operation,
        method: "*",
        bases,
        path,
        model: ModelIn::Nowhere,
        streams: Streams::No,
        body: Body::Any,
        says: "",
    }
}

/// A way to speak to the endpoint of an MCP server, which may stand at any path. What is answered to a POST streams or does not,
/// as the server likes; a GET is one long stream of the server's own messages; a DELETE ends a session.
const fn mcp(method: &'static str, bases: &'static [&'static str], streams: Streams, body: Body) -> Call {
    let (api, operation) = (Api::Mcp, Operation::Mcp);
    Call { api, operation, method, bases, path: "/**", model: ModelIn::Nowhere, streams, body, says: "" }
}

/// What another agent is asked, at any path; the card that it shows of itself has a path of its own.
const fn a2a(method: &'static str, path: &'static str, streams: Streams, body: Body) -> Call {
    let (api, operation) = (Api::A2a, Operation::A2a);
    Call { api, operation, method, bases: ANYWHERE, path, model: ModelIn::Nowhere, streams, body, says: "" }
}

/// The same where the path says the method. Answers may stream whether they were asked to or not.
const fn rest(method: &'static str, bases: &'static [&'static str], path: &'static str, says: &'static str) -> Call {
    let (api, operation) = (Api::A2aRest, Operation::A2a);
    let body = if matches!(method.as_bytes(), b"POST") { Body::Json } else { Body::None };
    Call { api, operation, method, bases, path, model: ModelIn::Nowhere, streams: Streams::Always, body, says }
}

/// Where agents have their tasks: of version 0.3, and of 1.0, for one tenant or for several.
const V03: &[&str] = &["/v1/"];
const V10: &[&str] = &["/", "/{}/"];
const TASK_V03: &[&str] = &["/v1/tasks/{}"];
const TASK_V10: &[&str] = &["/tasks/{}", "/{}/tasks/{}"];
const PUSH_V03: &[&str] = &["/v1/tasks/{}/pushNotificationConfigs/{}"];
const PUSH_V10: &[&str] = &["/tasks/{}/pushNotificationConfigs/{}", "/{}/tasks/{}/pushNotificationConfigs/{}"];

const MODEL: ModelIn = ModelIn::Body("model");
const ANY_MODEL: ModelIn = ModelIn::Optional("model");

/// Every governed call. Of rows that fit one path, the first counts.
#[rustfmt::skip]
pub const CALLS: &[Call] = &[
    post(Api::OpenAiChat, Operation::Chat, OPENAI, "chat/completions", MODEL, Streams::Asked(false)),
    post(Api::OpenAiChat, Operation::Chat, V1, "agents/completions", ModelIn::Body("agent_id"), Streams::Asked(false)),
    post(Api::OpenAiResponses, Operation::Chat, OPENAI, "responses", MODEL, Streams::Asked(false)),
    post(Api::OpenAiResponses, Operation::CountTokens, OPENAI, "responses/input_tokens", MODEL, Streams::No),
    post(Api::OpenAiResponses, Operation::Chat, OPENAI, "responses/compact", MODEL, Streams::No),
    post(Api::OpenAiCompletions, Operation::TextCompletion, OPENAI, "completions", MODEL, Streams::Asked(false)),
    post(Api::OpenAiCompletions, Operation::TextCompletion, V1, "fim/completions", MODEL, Streams::Asked(false)),
    post(Api::OpenAiEmbeddings, Operation::Embeddings, OPENAI, "embeddings", MODEL, Streams::No),
    post(Api::OpenAiModerations, Operation::Moderation, OPENAI, "moderations", ANY_MODEL, Streams::No),
    post(Api::OpenAiModerations, Operation::Moderation, V1, "chat/moderations", MODEL, Streams::No),
    post(Api::OpenAiImages, Operation::ImageGeneration, OPENAI, "images/generations", ANY_MODEL, Streams::Asked(false)),
    post(Api::OpenAiSpeech, Operation::Speech, OPENAI, "audio/speech", MODEL, Streams::No),
    post(Api::Rerank, Operation::Rerank, &["/v1/", "/v2/", "/"], "rerank", ANY_MODEL, Streams::No),
    post(Api::AnthropicMessages, Operation::Chat, ANTHROPIC, "messages", MODEL, Streams::Asked(false)),
    post(Api::AnthropicCountTokens, Operation::CountTokens, ANTHROPIC, "messages/count_tokens", MODEL, Streams::No),
    post(Api::AnthropicBatches, Operation::Batches, ANTHROPIC, "messages/batches", ModelIn::Nowhere, Streams::No),
    post(Api::AnthropicMessages, Operation::Chat, VERTEX_ANTHROPIC, ":rawPredict", MODEL, Streams::Asked(false)),
    post(Api::AnthropicMessages, Operation::Chat, VERTEX_ANTHROPIC, ":streamRawPredict", MODEL, Streams::Always),
    post(Api::OpenAiChat, Operation::Chat, VERTEX_MISTRAL, ":rawPredict", MODEL, Streams::Asked(false)),
    post(Api::OpenAiChat, Operation::Chat, VERTEX_MISTRAL, ":streamRawPredict", MODEL, Streams::Always),
    post(Api::GeminiGenerate, Operation::Chat, GEMINI, ":generateContent", MODEL, Streams::No),
    post(Api::GeminiGenerate, Operation::Chat, GEMINI, ":streamGenerateContent", MODEL, Streams::Always),
    post(Api::GeminiCountTokens, Operation::CountTokens, GEMINI, ":countTokens", MODEL, Streams::No),
    post(Api::GeminiEmbed, Operation::Embeddings, GEMINI, ":embedContent", MODEL, Streams::No),
    post(Api::GeminiEmbed, Operation::Embeddings, GEMINI, ":batchEmbedContents", MODEL, Streams::No),
    post(Api::GeminiEmbed, Operation::Embeddings, GEMINI, ":predict", MODEL, Streams::No),
    post(Api::GeminiInteractions, Operation::Chat, GOOGLE, "interactions", ModelIn::Body("model"), Streams::Asked(false)),
    post(Api::CohereChat, Operation::Chat, &["/v2/"], "chat", MODEL, Streams::Asked(false)),
    post(Api::CohereEmbed, Operation::Embeddings, &["/v2/"], "embed", MODEL, Streams::No),
    post(Api::BedrockInvoke, Operation::Chat, &["/model/{model}/"], "invoke", MODEL, Streams::No),
    post(Api::BedrockInvoke, Operation::Chat, &["/model/{model}/"], "invoke-with-response-stream", MODEL, Streams::Always),
    post(Api::BedrockConverse, Operation::Chat, &["/model/{model}/"], "converse", MODEL, Streams::No),
    post(Api::BedrockConverse, Operation::Chat, &["/model/{model}/"], "converse-stream", MODEL, Streams::Always),
    post(Api::BedrockConverse, Operation::CountTokens, &["/model/{model}/"], "count-tokens", MODEL, Streams::No),
    post(Api::OllamaChat, Operation::Chat, ROOT, "api/chat", MODEL, Streams::Asked(true)),
    post(Api::OllamaGenerate, Operation::TextCompletion, ROOT, "api/generate", MODEL, Streams::Asked(true)),
    post(Api::OllamaEmbed, Operation::Embeddings, ROOT, "api/embed", MODEL, Streams::No),
    post(Api::OllamaEmbed, Operation::Embeddings, ROOT, "api/embeddings", MODEL, Streams::No),
    post(Api::TgiGenerate, Operation::TextCompletion, ROOT, "generate", ANY_MODEL, Streams::No),
    post(Api::TgiGenerate, Operation::TextCompletion, ROOT, "generate_stream", ANY_MODEL, Streams::Always),
    post(Api::VllmExtras, Operation::Analyze, ROOT, "tokenize", ANY_MODEL, Streams::No),
    post(Api::VllmExtras, Operation::Analyze, ROOT, "detokenize", ANY_MODEL, Streams::No),
    post(Api::VllmExtras, Operation::Analyze, &["/v1/", "/"], "score", ANY_MODEL, Streams::No),
    post(Api::VllmExtras, Operation::Analyze, ROOT, "classify", ANY_MODEL, Streams::No),
    post(Api::VllmExtras, Operation::Analyze, ROOT, "pooling", ANY_MODEL, Streams::No),
    list(&["/v1/", "/openai/v1/", "/v1beta/openai/", "/api/v1/", "/v1beta/", "/v1alpha/"], "models"),
    list(ROOT, "api/tags"),
    surface(Operation::Batches, OPENAI, "batches/**"),
    surface(Operation::Batches, ANTHROPIC, "messages/batches/**"),
    surface(Operation::Batches, GEMINI, ":batchGenerateContent"),
    surface(Operation::Batches, &["/"], "model-invocation-job/**"),
    surface(Operation::Batches, &["/"], "async-invoke/**"),
    surface(Operation::Files, OPENAI, "files/**"),
    surface(Operation::Files, &["/upload/v1beta/", "/v1beta/"], "files/**"),
    surface(Operation::Uploads, OPENAI, "uploads/**"),
    surface(Operation::FineTuning, OPENAI, "fine_tuning/**"),
    surface(Operation::FineTuning, OPENAI, "fine-tunes/**"),
    surface(Operation::Assistants, OPENAI, "assistants/**"),
    surface(Operation::Assistants, OPENAI, "threads/**"),
    surface(Operation::Assistants, V1, "agents/**"),
    surface(Operation::VectorStores, OPENAI, "vector_stores/**"),
    surface(Operation::Stored, OPENAI, "responses/**"),
    surface(Operation::Stored, OPENAI, "conversations/**"),
    surface(Operation::Stored, OPENAI, "chat/completions/**"),
    surface(Operation::Stored, GOOGLE, "interactions/**"),
    surface(Operation::Caches, GOOGLE, "cachedContents/**"),
    surface(Operation::Containers, OPENAI, "containers/**"),
    surface(Operation::Containers, OPENAI, "evals/**"),
    surface(Operation::Videos, OPENAI, "videos/**"),
    surface(Operation::Media, OPENAI, "audio/transcriptions"),
    surface(Operation::Media, OPENAI, "audio/translations"),
    surface(Operation::Media, OPENAI, "images/edits"),
    surface(Operation::Media, OPENAI, "images/variations"),
    surface(Operation::Media, V1, "ocr"),
    surface(Operation::Realtime, OPENAI, "realtime/**"),
    surface(Operation::Admin, OPENAI, "organization/**"),
    surface(Operation::Admin, V1, "load_lora_adapter"),
    surface(Operation::Admin, V1, "unload_lora_adapter"),
    surface(Operation::Admin, ROOT, "sleep"),
    surface(Operation::Admin, ROOT, "wake_up"),
    surface(Operation::Admin, ROOT, "reset_prefix_cache"),
    surface(Operation::Admin, ROOT, "metrics"),
    surface(Operation::Admin, ROOT, "api/pull"),
    surface(Operation::Admin, ROOT, "api/push"),
    surface(Operation::Admin, ROOT, "api/create"),
    surface(Operation::Admin, ROOT, "api/copy"),
    surface(Operation::Admin, ROOT, "api/delete"),
    surface(Operation::Admin, ROOT, "api/show"),
    surface(Operation::Admin, ROOT, "api/ps"),
    surface(Operation::Admin, ROOT, "api/blobs/**"),
    mcp("POST", ANYWHERE, Streams::Always, Body::Json),
    mcp("GET", ANYWHERE, Streams::Always, Body::None),
    mcp("DELETE", ANYWHERE, Streams::No, Body::None),
    rest("POST", V03, "message:send", "message/send"),
    rest("POST", V03, "message:stream", "message/stream"),
    rest("GET", V03, "tasks", "tasks/list"),
    rest("GET", TASK_V03, "", "tasks/get"),
    rest("POST", TASK_V03, ":cancel", "tasks/cancel"),
    rest("GET", TASK_V03, ":subscribe", "tasks/resubscribe"),
    rest("POST", TASK_V03, ":subscribe", "tasks/resubscribe"),
    rest("POST", TASK_V03, "/pushNotificationConfigs", "tasks/pushNotificationConfig/set"),
    rest("GET", TASK_V03, "/pushNotificationConfigs", "tasks/pushNotificationConfig/list"),
    rest("GET", PUSH_V03, "", "tasks/pushNotificationConfig/get"),
    rest("DELETE", PUSH_V03, "", "tasks/pushNotificationConfig/delete"),
    rest("GET", V03, "card", "agent/getAuthenticatedExtendedCard"),
    rest("POST", V10, "message:send", "SendMessage"),
    rest("POST", V10, "message:stream", "SendStreamingMessage"),
    rest("GET", V10, "tasks", "ListTasks"),
    rest("GET", TASK_V10, "", "GetTask"),
    rest("POST", TASK_V10, ":cancel", "CancelTask"),
    rest("GET", TASK_V10, ":subscribe", "SubscribeToTask"),
    rest("POST", TASK_V10, ":subscribe", "SubscribeToTask"),
    rest("POST", TASK_V10, "/pushNotificationConfigs", "CreateTaskPushNotificationConfig"),
    rest("GET", TASK_V10, "/pushNotificationConfigs", "ListTaskPushNotificationConfigs"),
    rest("GET", PUSH_V10, "", "GetTaskPushNotificationConfig"),
    rest("DELETE", PUSH_V10, "", "DeleteTaskPushNotificationConfig"),
    rest("GET", V10, "extendedAgentCard", "GetExtendedAgentCard"),
    a2a("GET", "/.well-known/agent-card.json", Streams::No, Body::None),
    a2a("GET", "/.well-known/agent.json", Streams::No, Body::None),
    a2a("POST", "/**", Streams::Always, Body::Json),
];

/// Which call a request is: `path` without its query, `prefix` what stands in front of the API's own paths.
///
/// # Errors
/// The path is unknown, or known with other methods only.
pub fn classify(method: &[u8], path: &str, prefix: &str, apis: &[Api]) -> Result<Found, NoCall> {
    let own = path.strip_prefix(prefix).ok_or(NoCall::Path)?;
    let mut known = false;
    // What fits any path must be named: elsewhere it would make unknown paths known.
    let listed = |api: Api| apis.contains(&api) || apis.is_empty() && !api.is_message();
    for call in CALLS.iter().filter(|c| listed(c.api)) {
        let Some(model) = call.bases.iter().find_map(|base| fits(base, call.path, own)) else { continue };
        // Where every path is known, none may hide a step upwards; of `..;` some servers make one.
        if call.api.is_message() && own.contains(['%', '\\', ';']) || !is_said(call, own) {
            continue;
        }
        known = true;
        if call.method != "*" && call.method.as_bytes() != method {
            continue;
        }
        let model = match model {
            None => None,
            Some(span) => Some(path_model(own, span, prefix.len()).ok_or(NoCall::Path)?),
        };
        return Ok(Found { call: *call, model });
    }
    Err(if known { NoCall::Method } else { NoCall::Path })
}

/// Whether an agent's path says what the row has it say. Where the body is to say the method, the path must not say one: a server that
/// goes by the path would do something else. Where the path says it, it says no more.
fn is_said(call: &Call, own: &str) -> bool {
    let verbs = |path: &str| path.matches(':').count();
    let rest = |segment: &str| {
        ["tasks", "card", "extendedagentcard", "pushnotificationconfigs"]
            .iter()
            .any(|s| segment.eq_ignore_ascii_case(s))
    };
    match call.api {
        Api::A2a if call.method == "POST" => verbs(own) == 0 && !own.split('/').any(rest),
        Api::A2aRest => verbs(own) == verbs(call.path),
        _ => true,
    }
}

/// Whether `path` is `base` and `tail` together; where its model stands, if they have one.
fn fits(base: &str, tail: &str, path: &str) -> Option<Option<Range<usize>>> {
    let (tail, below) = match tail.strip_suffix("/**") {
        Some(tail) => (tail, true),
        None => (tail, false),
    };
    // Most rows are told by their end.
    if !below && !path.ends_with(tail) {
        return None;
    }
    let (mut at, mut model) = (0, None);
    for part in base.split_inclusive('}').chain([tail]) {
        let (literal, hole) = part.split_at_checked(part.find('{').unwrap_or(part.len()))?;
        path.get(at..)?.strip_prefix(literal)?;
        at += literal.len();
        if hole.is_empty() {
            continue;
        }
        let rest = path.get(at..)?;
        // A verb ends the segment that the model stands in: `{model}:generateContent`.
        let end = match rest.find('/') {
            None if tail.starts_with(':') => rest.len().checked_sub(tail.len())?,
            end => end.unwrap_or(rest.len()),
        };
        let segment = rest.get(..end)?;
        // What is not read must be plain, so that no server takes it for more than one segment.
        let plain = || segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~:@".contains(&b));
        if matches!(segment, "" | "." | "..") || hole == "{}" && !plain() {
            return None;
        }
        if hole == "{model}" {
            model = Some(at..at + end);
        }
        at += end;
    }
    match path.get(at..)? {
        "" => Some(model),
        rest if below && rest.starts_with('/') => {
            // Where every path is known, one with a slash at its end is, too (`/messages/`).
            let inner = rest.strip_suffix('/').filter(|_| tail.is_empty()).unwrap_or(rest);
            let sound = inner.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | ".."));
            sound.then_some(model)
        }
        _ => None,
    }
}

/// The model of a path segment. A name that a server might take for several segments, or for a step upwards, is none.
fn path_model(path: &str, span: Range<usize>, offset: usize) -> Option<PathModel> {
    let name = decoded(path.get(span.clone())?)?;
    let sound = crate::policy::is_model_name(&name) && name.split('/').all(|s| !matches!(s, "" | "." | ".."));
    sound.then_some(PathModel { name, span: span.start + offset..span.end + offset })
}

/// Percent-decoded once. `None` where that is no text, or holds an escape still.
fn decoded(segment: &str) -> Option<String> {
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok().filter(|name| !name.contains('%'))
}

/// `name` as it may stand in one segment of a path.
pub fn encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'/' | b'%' | b'?' | b'#' | b' ' => out.push_str(&format!("%{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
