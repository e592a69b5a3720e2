//! Which host names are those of model providers: what connections to them, past the filter, are known by.

/// Host names and who answers there; `*` stands for one or more labels, or for a part of one. As the providers document them.
const KNOWN: &[(&str, &str)] = &[
    ("api.openai.com", "openai"),
    ("*.api.openai.com", "openai"),
    ("chatgpt.com", "openai"),
    ("*.chatgpt.com", "openai"),
    ("chat.openai.com", "openai"),
    ("*.openai.azure.com", "azure"),
    ("*.services.ai.azure.com", "azure"),
    ("*.models.ai.azure.com", "azure"),
    ("models.inference.ai.azure.com", "azure"),
    ("api.anthropic.com", "anthropic"),
    ("claude.ai", "anthropic"),
    ("*.claude.ai", "anthropic"),
    ("generativelanguage.googleapis.com", "google"),
    ("aiplatform.googleapis.com", "google"),
    ("*-aiplatform.googleapis.com", "google"),
    ("gemini.google.com", "google"),
    ("aistudio.google.com", "google"),
    ("bedrock-runtime.*.amazonaws.com", "aws"),
    ("bedrock-runtime-fips.*.amazonaws.com", "aws"),
    ("bedrock-agent-runtime.*.amazonaws.com", "aws"),
    ("api.mistral.ai", "mistral"),
    ("codestral.mistral.ai", "mistral"),
    ("chat.mistral.ai", "mistral"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("chat.deepseek.com", "deepseek"),
    ("api.x.ai", "xai"),
    ("grok.com", "xai"),
    ("api.perplexity.ai", "perplexity"),
    ("www.perplexity.ai", "perplexity"),
    ("openrouter.ai", "openrouter"),
    ("api.together.xyz", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.replicate.com", "replicate"),
    ("api.cerebras.ai", "cerebras"),
    ("api.sambanova.ai", "sambanova"),
    ("api.ai21.com", "ai21"),
    ("api.moonshot.ai", "moonshot"),
    ("dashscope.aliyuncs.com", "alibaba"),
    ("dashscope-intl.aliyuncs.com", "alibaba"),
    ("api-inference.huggingface.co", "huggingface"),
    ("router.huggingface.co", "huggingface"),
    ("*.endpoints.huggingface.cloud", "huggingface"),
    ("integrate.api.nvidia.com", "nvidia"),
    ("api.githubcopilot.com", "github"),
    ("*.githubcopilot.com", "github"),
    ("models.github.ai", "github"),
    ("copilot.microsoft.com", "microsoft"),
    ("*.cursor.sh", "cursor"),
    ("api.elevenlabs.io", "elevenlabs"),
    ("api.stability.ai", "stability"),
];

/// Which names count.
#[derive(Debug, Default)]
pub struct Hosts {
    more: Vec<(String, String)>,
}

impl Hosts {
    /// The known ones, and those of a list: a pattern a line, and the provider's name behind a space.
    pub fn with(list: &str) -> Self {
        let lines = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let more = lines.map(|line| {
            let (host, provider) = line.split_once(char::is_whitespace).unwrap_or((line, "listed"));
            (host.to_ascii_lowercase(), provider.trim().to_owned())
        });
        Self { more: more.collect() }
    }

    /// Whose name it is.
    pub fn provider(&self, host: &str) -> Option<&str> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let listed = self.more.iter().map(|(pattern, provider)| (pattern.as_str(), provider.as_str()));
        listed.chain(KNOWN.iter().copied()).find(|(pattern, _)| fits(pattern, &host)).map(|(_, provider)| provider)
    }
}

/// Patterns have at most one `*`.
fn fits(pattern: &str, host: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == host,
        Some((before, after)) => {
            host.len() > before.len() + after.len() && host.starts_with(before) && host.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_providers() {
        let hosts = Hosts::with("# ours\n*.llm.corp.example internal\nmodels.example\n");
        for (host, provider) in [
            ("api.openai.com", Some("openai")),
            ("API.OpenAI.com.", Some("openai")),
            ("my.openai.azure.com", Some("azure")),
            ("europe-west4-aiplatform.googleapis.com", Some("google")),
            ("bedrock-runtime.eu-central-1.amazonaws.com", Some("aws")),
            ("a.llm.corp.example", Some("internal")),
            ("models.example", Some("listed")),
            (".openai.azure.com", None),
            ("api.openai.com.evil.example", None),
            ("notapi.openai.com.example", None),
            ("example.com", None),
            ("", None),
        ] {
            assert_eq!(hosts.provider(host), provider, "{host}");
        }
    }
}
