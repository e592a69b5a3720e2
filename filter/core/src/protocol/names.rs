//! The names of APIs and operations, as policies and records use them.

use serde::Deserialize;

/// The shape of a call's bodies: which fields carry text, parameters and usage, and how its answers stream. Compatible hosts
/// have the shape of what they are compatible with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Api {
    /// OpenAI chat completions, and what is compatible with it (Azure OpenAI, Mistral, vLLM, TGI, Ollama's `/v1`).
    #[serde(rename = "openai.chat")]
    OpenAiChat,
    /// OpenAI responses.
    #[serde(rename = "openai.responses")]
    OpenAiResponses,
    /// OpenAI completions, and Mistral's fill-in-the-middle.
    #[serde(rename = "openai.completions")]
    OpenAiCompletions,
    /// OpenAI embeddings.
    #[serde(rename = "openai.embeddings")]
    OpenAiEmbeddings,
    /// OpenAI moderations.
    #[serde(rename = "openai.moderations")]
    OpenAiModerations,
    /// OpenAI image generations (JSON).
    #[serde(rename = "openai.images")]
    OpenAiImages,
    /// OpenAI speech.
    #[serde(rename = "openai.speech")]
    OpenAiSpeech,
    /// Anthropic messages, also behind Vertex's `rawPredict`.
    #[serde(rename = "anthropic.messages")]
    AnthropicMessages,
    /// Anthropic's token counting.
    #[serde(rename = "anthropic.count_tokens")]
    AnthropicCountTokens,
    /// Anthropic message batches.
    #[serde(rename = "anthropic.batches")]
    AnthropicBatches,
    /// Gemini and Vertex `generateContent` and `streamGenerateContent`.
    #[serde(rename = "gemini.generate")]
    GeminiGenerate,
    /// Gemini and Vertex `countTokens`.
    #[serde(rename = "gemini.count_tokens")]
    GeminiCountTokens,
    /// Gemini `embedContent` and `batchEmbedContents`; Vertex `predict`.
    #[serde(rename = "gemini.embed")]
    GeminiEmbed,
    /// Gemini interactions.
    #[serde(rename = "gemini.interactions")]
    GeminiInteractions,
    /// Cohere chat (v2).
    #[serde(rename = "cohere.chat")]
    CohereChat,
    /// Cohere embeddings (v2).
    #[serde(rename = "cohere.embed")]
    CohereEmbed,
    /// Rerank, as Cohere, vLLM and others have it.
    #[serde(rename = "rerank")]
    Rerank,
    /// Bedrock `invoke` and `invoke-with-response-stream`, with the body of the model's vendor.
    #[serde(rename = "bedrock.invoke")]
    BedrockInvoke,
    /// Bedrock `converse` and `converse-stream`.
    #[serde(rename = "bedrock.converse")]
    BedrockConverse,
    /// Ollama chat.
    #[serde(rename = "ollama.chat")]
    OllamaChat,
    /// Ollama generate.
    #[serde(rename = "ollama.generate")]
    OllamaGenerate,
    /// Ollama embeddings.
    #[serde(rename = "ollama.embed")]
    OllamaEmbed,
    /// TGI generate.
    #[serde(rename = "tgi.generate")]
    TgiGenerate,
    /// What vLLM adds: tokenizing, pooling, scoring, classifying.
    #[serde(rename = "vllm.extras")]
    VllmExtras,
    /// The list of models, in any provider's shape.
    #[serde(rename = "models")]
    Models,
    /// The Model Context Protocol over streamable HTTP: JSON-RPC to a server of tools, resources and prompts. Only where a target's
    /// `apis` name it, or its `provider` is `mcp`; every path below the target's `path_prefix` is its endpoint.
    #[serde(rename = "mcp")]
    Mcp,
    /// Agent2Agent over JSON-RPC. Only where a target's `apis` name it, or its `provider` is `a2a`.
    #[serde(rename = "a2a")]
    A2a,
    /// Agent2Agent over HTTP and JSON: paths say the method, which statements know by its name in JSON-RPC (of version 0.3 below `/v1/`, else
    /// of 1.0). Only where a target's `apis` name it, or its `provider` is `a2a`.
    #[serde(rename = "a2a.rest")]
    A2aRest,
    /// Stateful and bulk surfaces of any provider: files, batches, fine-tuning and the like. Known by name only.
    #[serde(rename = "surface")]
    Surface,
}

impl Api {
    /// Its name in documents and on the record.
    pub fn as_str(self) -> &'static str {
        match self {
            Api::OpenAiChat => "openai.chat",
            Api::OpenAiResponses => "openai.responses",
            Api::OpenAiCompletions => "openai.completions",
            Api::OpenAiEmbeddings => "openai.embeddings",
            Api::OpenAiModerations => "openai.moderations",
            Api::OpenAiImages => "openai.images",
            Api::OpenAiSpeech => "openai.speech",
            Api::AnthropicMessages => "anthropic.messages",
            Api::AnthropicCountTokens => "anthropic.count_tokens",
            Api::AnthropicBatches => "anthropic.batches",
            Api::GeminiGenerate => "gemini.generate",
            Api::GeminiCountTokens => "gemini.count_tokens",
            Api::GeminiEmbed => "gemini.embed",
            Api::GeminiInteractions => "gemini.interactions",
            Api::CohereChat => "cohere.chat",
            Api::CohereEmbed => "cohere.embed",
            Api::Rerank => "rerank",
            Api::BedrockInvoke => "bedrock.invoke",
            Api::BedrockConverse => "bedrock.converse",
            Api::OllamaChat => "ollama.chat",
            Api::OllamaGenerate => "ollama.generate",
            Api::OllamaEmbed => "ollama.embed",
            Api::TgiGenerate => "tgi.generate",
            Api::VllmExtras => "vllm.extras",
            Api::Models => "models",
            Api::Mcp => "mcp",
            Api::A2a => "a2a",
            Api::A2aRest => "a2a.rest",
            Api::Surface => "surface",
        }
    }

    /// Whose error shape its callers expect, where the API says it.
    pub fn dialect(self) -> Option<Dialect> {
        match self {
            Api::AnthropicMessages | Api::AnthropicCountTokens | Api::AnthropicBatches => Some(Dialect::Anthropic),
            Api::GeminiGenerate | Api::GeminiCountTokens | Api::GeminiEmbed | Api::GeminiInteractions => {
                Some(Dialect::Google)
            }
            Api::CohereChat | Api::CohereEmbed => Some(Dialect::Cohere),
            Api::BedrockInvoke | Api::BedrockConverse => Some(Dialect::Bedrock),
            Api::OllamaChat | Api::OllamaGenerate | Api::OllamaEmbed => Some(Dialect::Ollama),
            Api::TgiGenerate => Some(Dialect::Tgi),
            Api::Mcp | Api::A2a => Some(Dialect::Mcp),
            Api::A2aRest => Some(Dialect::Google),
            Api::Models | Api::Surface | Api::Rerank => None,
            _ => Some(Dialect::OpenAi),
        }
    }

    /// Whether its bodies are JSON-RPC messages.
    pub fn is_rpc(self) -> bool {
        matches!(self, Api::Mcp | Api::A2a)
    }

    /// Whether they are messages to a server of tools or to an agent, and not to a model.
    pub fn is_message(self) -> bool {
        self.is_rpc() || self == Api::A2aRest
    }

    /// Whether the provider keeps the exchange unless it is told not to.
    pub fn stores_by_default(self) -> bool {
        matches!(self, Api::OpenAiResponses | Api::GeminiInteractions)
    }
}

/// What a call does. The first ones are what a statement without `operations` means; the others, which keep state at the
/// provider or carry many requests at once, must be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A turn of a conversation.
    Chat,
    /// A continuation of a text.
    TextCompletion,
    /// Vectors for texts.
    Embeddings,
    /// A judgement of a text by the provider.
    Moderation,
    /// An order of documents by a query.
    Rerank,
    /// A picture.
    ImageGeneration,
    /// Spoken text.
    Speech,
    /// How many tokens a request has.
    CountTokens,
    /// Tokens for a text, scores, classes: what self-hosted servers answer of a model.
    Analyze,
    /// The list of models.
    ListModels,
    /// Messages of the Model Context Protocol: `methods` say which.
    Mcp,
    /// Messages to another agent: `methods` say which.
    A2a,
    /// Many requests at once.
    Batches,
    /// Files at the provider.
    Files,
    /// Uploads in parts.
    Uploads,
    /// Training.
    FineTuning,
    /// Assistants, threads and runs.
    Assistants,
    /// Vector stores.
    VectorStores,
    /// Conversations and answers that the provider keeps: read, cancelled or deleted.
    Stored,
    /// Caches of content.
    Caches,
    /// Containers and evaluations.
    Containers,
    /// Videos.
    Videos,
    /// Text from sound, edits of pictures: bodies in parts.
    Media,
    /// Two-way sessions.
    Realtime,
    /// What administers a self-hosted server.
    Admin,
}

impl Operation {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Chat => "chat",
            Operation::TextCompletion => "text_completion",
            Operation::Embeddings => "embeddings",
            Operation::Moderation => "moderation",
            Operation::Rerank => "rerank",
            Operation::ImageGeneration => "image_generation",
            Operation::Speech => "speech",
            Operation::CountTokens => "count_tokens",
            Operation::Analyze => "analyze",
            Operation::ListModels => "list_models",
            Operation::Mcp => "mcp",
            Operation::A2a => "a2a",
            Operation::Batches => "batches",
            Operation::Files => "files",
            Operation::Uploads => "uploads",
            Operation::FineTuning => "fine_tuning",
            Operation::Assistants => "assistants",
            Operation::VectorStores => "vector_stores",
            Operation::Stored => "stored",
            Operation::Caches => "caches",
            Operation::Containers => "containers",
            Operation::Videos => "videos",
            Operation::Media => "media",
            Operation::Realtime => "realtime",
            Operation::Admin => "admin",
        }
    }

    /// Whether what it answers with are pictures or sound.
    pub fn is_for_media(self) -> bool {
        matches!(self, Operation::ImageGeneration | Operation::Speech)
    }

    /// Whether only a statement that names it can allow it.
    pub fn must_be_named(self) -> bool {
        self as usize >= Operation::Batches as usize
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
    /// `{"error": {"code", "message", "status"}}`.
    Google,
    /// `{"message"}`.
    Cohere,
    /// `{"message"}`, and the type in `x-amzn-errortype`.
    Bedrock,
    /// `{"error": "text"}`.
    Ollama,
    /// `{"error": "text", "error_type"}`.
    Tgi,
    /// JSON-RPC: `{"jsonrpc": "2.0", "id", "error": {"code", "message", "data"}}`.
    Mcp,
}

impl Dialect {
    /// By a provider's name in OpenTelemetry's words.
    pub fn of_provider(provider: &str) -> Self {
        match provider {
            "anthropic" => Dialect::Anthropic,
            "gcp.gemini" | "gcp.vertex_ai" | "gcp.gen_ai" => Dialect::Google,
            "cohere" => Dialect::Cohere,
            "aws.bedrock" => Dialect::Bedrock,
            "ollama" => Dialect::Ollama,
            "mcp" | "a2a" => Dialect::Mcp,
            _ => Dialect::OpenAi,
        }
    }
}
