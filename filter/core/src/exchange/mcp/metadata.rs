//! Whom a client gets a token from: protected-resource metadata (RFC 9728), answered out of the policy.
//!
//! The server behind knows nothing of tokens, which end here. A client learns of the issuers before it is proven; they are no secret.

use serde_json::json;

use crate::exchange::line::Line;
use crate::exchange::{Context, Effect, Exchange, Flow, LocalReply, Stage};
use crate::head::Headers;
use crate::policy::Target;
use crate::reply::Rpc;

/// What stands in front of a resource's path.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

impl Exchange {
    /// Answers a request for the metadata of an MCP server. Any other request learns where it is, should it be refused.
    pub(in crate::exchange) fn mcp_metadata(
        &mut self,
        line: &Line<'_>,
        headers: &Headers,
        target: &Target,
        cx: &mut Context<'_>,
    ) -> Option<Flow> {
        let issuers: Vec<&str> = cx.engine.identity.token_issuers().collect();
        let asked = line.path.strip_prefix(WELL_KNOWN).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let path = match asked {
            Some("") => target.path_prefix.as_str(),
            Some(path) => path,
            None => line.path,
        };
        let origin = origin(headers);
        let resource = match &target.resource {
            Some(resource) => Some(resource.clone()),
            None => origin.filter(|_| is_plain(path)).map(|origin| format!("{origin}{path}")),
        };
        let metadata = resource.as_deref().filter(|_| !issuers.is_empty()).and_then(located);
        self.rpc = Some(Box::new(Rpc { id: None, metadata }));
        let (Some(_), Some(resource)) = (asked, resource) else { return None };
        if line.method != b"GET" || issuers.is_empty() || self.tap.is_some() {
            return None;
        }
        let body = json!({
            "resource": resource,
            "authorization_servers": issuers,
            "bearer_methods_supported": ["header"],
        });
        self.record.judged = true;
        self.record.enforced = true;
        self.stage = Stage::Over;
        let header = |name, value: &str| (name, value.to_owned());
        cx.effects.push(Effect::Reply(LocalReply {
            status: 200,
            headers: vec![header("content-type", "application/json"), header("cache-control", "no-store")],
            body: body.to_string().into_bytes(),
            details: "doorward.mcp.metadata".to_owned(),
        }));
        Some(Flow::Hold)
    }
}

/// Scheme and authority of a request.
pub(super) fn origin(headers: &Headers) -> Option<String> {
    let one = |name: &'static str| headers.one(name).ok().flatten().and_then(|v| std::str::from_utf8(v).ok());
    let scheme = one("x-forwarded-proto").or_else(|| one(":scheme")).unwrap_or("https");
    let authority = one(":authority")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    let sound = matches!(scheme, "http" | "https") && !authority.is_empty() && authority.bytes().all(plain);
    sound.then(|| format!("{scheme}://{authority}"))
}

/// Whether a path may stand in a header and a document as it is.
fn is_plain(path: &str) -> bool {
    path.len() <= 512 && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%".contains(&b))
}

/// Where the metadata of a resource is: its path goes behind the well-known one.
fn located(resource: &str) -> Option<String> {
    let (scheme, rest) = resource.split_once("://")?;
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let path = if path == "/" { "" } else { path };
    let quotable = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    resource.bytes().all(quotable).then(|| format!("{scheme}://{authority}{WELL_KNOWN}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_located() {
        for (resource, expected) in [
            ("https://h/mcp", Some("https://h/.well-known/oauth-protected-resource/mcp")),
            ("https://h:8443/", Some("https://h:8443/.well-known/oauth-protected-resource")),
            ("http://h", Some("http://h/.well-known/oauth-protected-resource")),
            ("https://h/a\"b", None),
            ("h/mcp", None),
        ] {
            assert_eq!(located(resource).as_deref(), expected, "{resource}");
        }
    }

    #[test]
    fn what_a_client_writes_is_not_repeated_blindly() {
        let of = |pairs: &[(&str, &str)]| origin(&pairs.iter().copied().collect());
        assert_eq!(of(&[(":authority", "h:1"), (":scheme", "http")]).as_deref(), Some("http://h:1"));
        assert_eq!(of(&[(":authority", "h\", x=\"y")]), None);
        assert_eq!(of(&[(":authority", "h"), (":scheme", "javascript")]), None);
        assert!(!is_plain("/a\"b") && is_plain("/mcp"));
    }
}
