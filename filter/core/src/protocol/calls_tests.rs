use super::*;

fn found(method: &str, path: &str) -> Option<(Api, Operation, Option<String>)> {
    classify(method.as_bytes(), path, "", &[]).ok().map(|f| (f.call.api, f.call.operation, f.model.map(|m| m.name)))
}

#[test]
fn every_api_is_found_where_it_stands() {
    use Api::*;
    for (path, api, operation, model) in [
        ("/v1/chat/completions", OpenAiChat, Operation::Chat, None),
        ("/chat/completions", OpenAiChat, Operation::Chat, None),
        ("/openai/v1/chat/completions", OpenAiChat, Operation::Chat, None),
        ("/v1beta/openai/chat/completions", OpenAiChat, Operation::Chat, None),
        ("/openai/deployments/gpt-4o/chat/completions", OpenAiChat, Operation::Chat, Some("gpt-4o")),
        ("/openai/deployments/ada/embeddings", OpenAiEmbeddings, Operation::Embeddings, Some("ada")),
        ("/v1/agents/completions", OpenAiChat, Operation::Chat, None),
        ("/v1/fim/completions", OpenAiCompletions, Operation::TextCompletion, None),
        ("/v1/responses", OpenAiResponses, Operation::Chat, None),
        ("/v1/responses/input_tokens", OpenAiResponses, Operation::CountTokens, None),
        ("/v1/responses/resp_1/cancel", Surface, Operation::Stored, None),
        ("/v1/messages", AnthropicMessages, Operation::Chat, None),
        ("/v1/messages/count_tokens", AnthropicCountTokens, Operation::CountTokens, None),
        ("/v1/messages/batches", AnthropicBatches, Operation::Batches, None),
        ("/v1/messages/batches/b_1/results", Surface, Operation::Batches, None),
        ("/v1beta/models/gemini-2.5-pro:generateContent", GeminiGenerate, Operation::Chat, Some("gemini-2.5-pro")),
        ("/v1beta/tunedModels/mine:generateContent", GeminiGenerate, Operation::Chat, Some("mine")),
        (
            "/v1/projects/p-1/locations/us-east5/publishers/google/models/gemini-2.5-pro:streamGenerateContent",
            GeminiGenerate,
            Operation::Chat,
            Some("gemini-2.5-pro"),
        ),
        (
            "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4@20250514:streamRawPredict",
            AnthropicMessages,
            Operation::Chat,
            Some("claude-opus-4@20250514"),
        ),
        ("/v1/projects/p/locations/l/endpoints/openapi/chat/completions", OpenAiChat, Operation::Chat, None),
        (
            "/model/anthropic.claude-3-5-sonnet-20241022-v2:0/converse",
            BedrockConverse,
            Operation::Chat,
            Some("anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ),
        (
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/invoke-with-response-stream",
            BedrockInvoke,
            Operation::Chat,
            Some("arn:aws:bedrock:us-east-1:1:inference-profile/us.x"),
        ),
        ("/v2/chat", CohereChat, Operation::Chat, None),
        ("/v2/rerank", Rerank, Operation::Rerank, None),
        ("/api/chat", OllamaChat, Operation::Chat, None),
        ("/api/pull", Surface, Operation::Admin, None),
        ("/generate_stream", TgiGenerate, Operation::TextCompletion, None),
        ("/v1/files", Surface, Operation::Files, None),
        ("/v1/files/file-1/content", Surface, Operation::Files, None),
        ("/v1/realtime", Surface, Operation::Realtime, None),
        ("/v1/vector_stores/vs_1/search", Surface, Operation::VectorStores, None),
    ] {
        assert_eq!(found("POST", path), Some((api, operation, model.map(str::to_owned))), "{path}");
    }
}

#[test]
fn only_exact_paths_are_known() {
    for path in [
        "/v1/messages/",
        "/v1/chat/completions/",
        "/v1/files/a/../b",
        "/v1/files//a",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/V1/chat/completions",
        "/v1/chat/%63ompletions",
        "/v1/./chat/completions",
        "/v1/x/../chat/completions",
        "/v1/chat/completions;a=b",
        "/v1/chat/completions%20",
        "/v1/filesystem",
        "/v2/v1/chat/completions",
        "/v1beta/models/:generateContent",
        "/v1beta/models/a/b:generateContent",
        "/v1beta/models/..:generateContent",
        "/v1beta/models/..%2f..%2fadmin:generateContent",
        "/v1beta/models/a%252fb:generateContent",
        "/v1beta/models/a%2:generateContent",
        "/v1beta/models/a:generateContent:x",
        "/openai/deployments//chat/completions",
        "/openai/deployments/../chat/completions",
        "/v1/projects/p%2fq/locations/l/publishers/google/models/m:generateContent",
        "/v1/projects/../locations/l/publishers/google/models/m:generateContent",
        "/model/%2fx/converse",
        "",
        "*",
    ] {
        assert_eq!(found("POST", path), None, "{path}");
    }
}

#[test]
fn a_model_is_found_where_it_stands_in_the_path() {
    let found = classify(b"POST", "/llm/model/a%3Ab/converse", "/llm", &[]).unwrap();
    let model = found.model.unwrap();
    assert_eq!((model.name.as_str(), model.span), ("a:b", 11..16));
    assert_eq!(encoded("arn:x/y z"), "arn:x%2Fy%20z");
}

#[test]
fn methods_prefixes_and_api_lists() {
    assert_eq!(classify(b"GET", "/v1/messages", "", &[]), Err(NoCall::Method));
    assert_eq!(classify(b"post", "/v1/messages", "", &[]), Err(NoCall::Method));
    assert_eq!(classify(b"HEAD", "/v1/models", "", &[]), Err(NoCall::Method));
    assert!(classify(b"POST", "/llm/a/v1/messages", "/llm/a", &[]).is_ok());
    assert_eq!(classify(b"POST", "/v1/messages", "/llm", &[]), Err(NoCall::Path));
    assert_eq!(classify(b"POST", "/v1/messages", "", &[Api::OpenAiChat]), Err(NoCall::Path));
    assert!(classify(b"DELETE", "/v1/files/x", "", &[]).is_ok());
}
