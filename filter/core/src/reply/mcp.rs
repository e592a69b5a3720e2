//! Denials of MCP: JSON-RPC errors, and where a client learns whom to get a token from.

use serde_json::json;

use super::{Denial, Reason};
use crate::protocol::VERSIONS;

/// What a client of MCP is told beside a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rpc {
    /// The id of the request that is refused, as JSON.
    pub id: Option<String>,
    /// The URL of the server's protected-resource metadata (RFC 9728), where tokens of an issuer are accepted.
    pub metadata: Option<String>,
}

impl Denial {
    /// The error as a JSON-RPC message.
    pub(super) fn rpc_error(&self) -> Vec<u8> {
        let id = self.rpc.as_ref().and_then(|rpc| rpc.id.as_deref()).unwrap_or("null");
        let supported: Vec<&str> = VERSIONS.iter().map(|(name, _)| *name).collect();
        let data = match self.reason {
            Reason::McpVersion => json!({"reason": self.reason.code(), "supported": supported}),
            reason => json!({"reason": reason.code()}),
        };
        let error = json!({"code": self.rpc_code(), "message": self.message(), "data": data});
        // As it came: a number may be longer than any type of ours.
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}").into_bytes()
    }

    /// Of the protocol's own codes where it has one, else of those that JSON-RPC leaves to servers.
    fn rpc_code(&self) -> i32 {
        match (self.reason, self.reason.status()) {
            (Reason::McpHeaders, _) => -32020,
            (Reason::McpVersion, _) => -32022,
            (_, 401 | 404) => -32001,
            (_, 403) => -32003,
            (_, 429) => -32029,
            (_, 400..=499) => -32600,
            _ => -32603,
        }
    }

    /// What a challenge says of the metadata.
    pub(super) fn metadata(&self) -> String {
        let url = self.rpc.as_ref().and_then(|rpc| rpc.metadata.as_deref());
        url.map_or_else(String::new, |url| format!(", resource_metadata=\"{url}\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity;
    use crate::protocol::Dialect;

    #[test]
    fn errors_answer_their_request() {
        let rpc =
            Rpc { id: Some("123456789012345678901234567890".to_owned()), metadata: Some("https://h/m".to_owned()) };
        let denial = Denial { rpc: Some(Box::new(rpc)), ..Denial::new(Reason::ToolNotAllowed) };
        let body = String::from_utf8(denial.body(Dialect::Mcp)).unwrap();
        assert!(body.contains("\"id\":123456789012345678901234567890,"), "{body}");
        let error: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (&error["error"]["code"], &error["error"]["data"]["reason"]),
            (&json!(-32003), &json!("tool.not_allowed"))
        );
        let challenge = |denial: &Denial| {
            denial
                .headers(Dialect::Mcp)
                .into_iter()
                .find(|(name, _)| *name == "www-authenticate")
                .map(|(_, value)| value)
        };
        let value = challenge(&denial).unwrap();
        assert!(value.contains("insufficient_scope") && value.contains("resource_metadata=\"https://h/m\""), "{value}");
        let missing = Denial { reason: Reason::Identity(identity::Reason::Missing), ..denial };
        assert_eq!(challenge(&missing).unwrap(), "Bearer realm=\"doorward\", resource_metadata=\"https://h/m\"");
        assert_eq!(challenge(&Denial::new(Reason::ToolNotAllowed)), None);
        let version: serde_json::Value =
            serde_json::from_slice(&Denial::new(Reason::McpVersion).body(Dialect::Mcp)).unwrap();
        assert_eq!((&version["id"], &version["error"]["data"]["supported"][0]), (&json!(null), &json!("2025-03-26")));
    }
}
