//! Local answers, in the caller's own dialect.

mod mcp;
mod reasons;
mod stream;

use serde_json::json;

pub use mcp::Rpc;
pub use reasons::Reason;

use crate::exchange::LocalReply;
use crate::protocol::Dialect;

/// Why an exchange was refused, and what the caller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The stable code.
    pub reason: Reason,
    /// What the reason cannot say by itself: a name out of the policy or the API, never a user's text.
    pub detail: Option<String>,
    /// Seconds after which another try may pass.
    pub retry_after: Option<u64>,
    /// Seconds ago that a token may have been issued, where a fresh one is asked for.
    pub max_age: Option<u64>,
    /// What a client of MCP is told beside it.
    pub rpc: Option<Box<Rpc>>,
}

impl Denial {
    /// A denial that says no more than its reason.
    pub fn new(reason: Reason) -> Self {
        Self { reason, detail: None, retry_after: None, max_age: None, rpc: None }
    }

    /// The same with a name out of the policy or the API.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// What a person reads.
    fn message(&self) -> String {
        let (message, code) = (self.reason.message(), self.reason.code());
        match &self.detail {
            Some(detail) => format!("{message} Here: {detail}. [{code}]"),
            None => format!("{message} [{code}]"),
        }
    }

    /// The error object of `dialect`.
    pub fn body(&self, dialect: Dialect) -> Vec<u8> {
        let (code, kind) = (self.reason.code(), kind(dialect, self.reason.status()));
        let body = match dialect {
            Dialect::Mcp => return self.rpc_error(),
            Dialect::OpenAi => json!({
                "error": {"message": self.message(), "type": kind, "param": null, "code": code}
            }),
            Dialect::Anthropic => json!({
                "type": "error", "error": {"type": kind, "message": self.message()}
            }),
            Dialect::Google => json!({
                "error": {"code": self.reason.status(), "message": self.message(), "status": kind, "details": [
                    {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code, "domain": "doorward"}
                ]}
            }),
            Dialect::Cohere | Dialect::Bedrock => json!({"message": self.message(), "code": code}),
            Dialect::Ollama => json!({"error": self.message(), "code": code}),
            Dialect::Tgi => json!({"error": self.message(), "error_type": kind, "code": code}),
        };
        body.to_string().into_bytes()
    }

    /// The headers that go with it.
    pub fn headers(&self, dialect: Dialect) -> Vec<(&'static str, String)> {
        let code = self.reason.code();
        let mut headers = vec![("content-type", "application/json".to_owned()), ("x-doorward-reason", code.to_owned())];
        if dialect == Dialect::Bedrock {
            headers.push(("x-amzn-errortype", kind(dialect, self.reason.status()).to_owned()));
        }
        if !self.reason.retryable() {
            // Both official SDKs retry 408, 409, 429 and 5xx by themselves unless told not to.
            headers.push(("x-should-retry", "false".to_owned()));
        }
        if self.reason.status() == 401 {
            let error = match self.reason {
                Reason::Identity(reason) => reason.bearer_error(),
                // RFC 9470, section 3.
                Reason::AnomalyFreshToken => Some("insufficient_user_authentication"),
                _ => None,
            };
            let mut challenge = "Bearer realm=\"doorward\"".to_owned();
            if let Some(error) = error {
                challenge.push_str(&format!(", error=\"{error}\", error_description=\"{code}\""));
            }
            if let Some(age) = self.max_age {
                challenge.push_str(&format!(", max_age=\"{age}\""));
            }
            challenge.push_str(&self.metadata());
            headers.push(("www-authenticate", challenge));
        }
        if self.reason.status() == 403 && self.rpc.as_ref().is_some_and(|rpc| rpc.metadata.is_some()) {
            let metadata = self.metadata();
            let challenge = format!("Bearer error=\"insufficient_scope\", error_description=\"{code}\"{metadata}");
            headers.push(("www-authenticate", challenge));
        }
        if let Some(seconds) = self.retry_after {
            headers.push(("retry-after", seconds.to_string()));
        }
        headers
    }

    /// The whole answer.
    pub fn reply(&self, dialect: Dialect) -> LocalReply {
        LocalReply {
            status: self.reason.status(),
            headers: self.headers(dialect),
            body: self.body(dialect),
            details: format!("doorward.{}", self.reason.code()),
        }
    }
}

/// The error types of the providers' own documentation, by status.
fn kind(dialect: Dialect, status: u16) -> &'static str {
    match (dialect, status) {
        (Dialect::Google, 401) => "UNAUTHENTICATED",
        (Dialect::Google, 403) => "PERMISSION_DENIED",
        (Dialect::Google, 404) => "NOT_FOUND",
        (Dialect::Google, 429) => "RESOURCE_EXHAUSTED",
        (Dialect::Google, 503) => "UNAVAILABLE",
        (Dialect::Google, 400..=499) => "INVALID_ARGUMENT",
        (Dialect::Google, _) => "INTERNAL",
        (Dialect::Bedrock, 401 | 403) => "AccessDeniedException",
        (Dialect::Bedrock, 404) => "ResourceNotFoundException",
        (Dialect::Bedrock, 429) => "ThrottlingException",
        (Dialect::Bedrock, 503) => "ServiceUnavailableException",
        (Dialect::Bedrock, 400..=499) => "ValidationException",
        (Dialect::Bedrock, _) => "InternalServerException",
        (_, 401) => "authentication_error",
        (_, 403) => "permission_error",
        (_, 429) => "rate_limit_error",
        (Dialect::Anthropic, 404) => "not_found_error",
        (Dialect::Anthropic, 413) => "request_too_large",
        (_, 400..=499) => "invalid_request_error",
        (Dialect::Anthropic, _) => "api_error",
        (_, _) => "server_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity;

    #[test]
    fn dialects() {
        let denial = Denial::new(Reason::ModelNotAllowed).detail("statement `eng`");
        let openai: serde_json::Value = serde_json::from_slice(&denial.body(Dialect::OpenAi)).unwrap();
        assert_eq!(openai["error"]["code"], "model.not_allowed");
        assert_eq!(openai["error"]["type"], "permission_error");
        let anthropic: serde_json::Value = serde_json::from_slice(&denial.body(Dialect::Anthropic)).unwrap();
        assert_eq!(anthropic["type"], "error");
        assert!(anthropic["error"]["message"].as_str().unwrap().contains("[model.not_allowed]"));
    }

    #[test]
    fn headers_say_whether_to_retry_and_how_to_authenticate() {
        let header = |denial: &Denial, name: &str| {
            denial.headers(Dialect::OpenAi).into_iter().find(|(n, _)| *n == name).map(|(_, v)| v)
        };
        let missing = Denial::new(Reason::Identity(identity::Reason::Missing));
        assert_eq!(header(&missing, "www-authenticate").unwrap(), "Bearer realm=\"doorward\"");
        assert_eq!(header(&missing, "x-should-retry").unwrap(), "false");
        let limit = Denial { retry_after: Some(7), ..Denial::new(Reason::LimitRequests) };
        assert_eq!(header(&limit, "retry-after").unwrap(), "7");
        assert_eq!(header(&limit, "x-should-retry"), None);
        assert_eq!(header(&limit, "www-authenticate"), None);
    }

    #[test]
    fn codes_are_unique_and_messages_whole_sentences() {
        for (i, reason) in Reason::OWN.iter().enumerate() {
            assert!(Reason::OWN.iter().skip(i + 1).all(|r| r.code() != reason.code()), "{}", reason.code());
            assert!((400..600).contains(&reason.status()));
            assert!(reason.message().ends_with('.') && reason.message().is_ascii());
        }
    }
}
