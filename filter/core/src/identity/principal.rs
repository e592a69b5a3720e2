//! Who a caller was proven to be.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::shards::{Id, Parts};

/// How a caller was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A JSON Web Token that we verified.
    Jwt,
    /// An API key of ours.
    ApiKey,
    /// A JSON Web Token that Envoy's `jwt_authn` (Istio: RequestAuthentication) verified.
    EnvoyMetadata,
    /// The peer's certificate alone.
    Mtls,
}

impl Method {
    /// `jwt`, `api_key`, `envoy_metadata` or `mtls`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Jwt => "jwt",
            Method::ApiKey => "api_key",
            Method::EnvoyMetadata => "envoy_metadata",
            Method::Mtls => "mtls",
        }
    }
}

/// A proven caller. Every text in it is free of control characters and at most 256 bytes long
/// (a SPIFFE id 2,048).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user, as the configured claim names them.
    pub user: Option<String>,
    /// The groups, in the token's order.
    pub groups: Vec<String>,
    /// The team.
    pub team: Option<String>,
    /// What the credential was issued for.
    pub purpose: Option<String>,
    /// The SPIFFE id of the peer's certificate.
    pub workload: Option<String>,
    /// The further claims of the mapping, by their configured names.
    pub claims: BTreeMap<String, Vec<String>>,
    /// How the caller was proven.
    pub method: Method,
    /// Who vouches: the token's `iss`.
    pub issuer: Option<String>,
    /// The `kid` of the signing key, or the id of the API key.
    pub key_id: Option<String>,
    /// The token's `jti`.
    pub token_id: Option<String>,
    /// When the token was issued (`iat`), in seconds since 1970.
    pub issued_at: Option<u64>,
    /// When the proof ends, in seconds since 1970; without the tolerated clock skew.
    pub expires_at: Option<u64>,
    /// When the proof is taken no more, in milliseconds since 1970: `expires_at` and the tolerated clock skew.
    pub ends_ms: Option<u64>,
    /// See [`Principal::digest`].
    pub(crate) digest: Worked,
}

/// A digest that is worked out once. It says nothing of a caller that the rest does not, so that callers who are equal stay so; and a copy
/// works it out anew, since more may be said of that.
#[derive(Debug, Default)]
pub(crate) struct Worked(OnceCell<Id>);

impl Clone for Worked {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Worked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Worked {}

impl Principal {
    /// A caller of whom nothing is known yet but how they were proven.
    pub(crate) fn new(method: Method) -> Self {
        Self {
            user: None,
            groups: Vec::new(),
            team: None,
            purpose: None,
            workload: None,
            claims: BTreeMap::new(),
            method,
            issuer: None,
            key_id: None,
            token_id: None,
            issued_at: None,
            expires_at: None,
            ends_ms: None,
            digest: Worked::default(),
        }
    }

    /// A stable key for limits and sessions: one per method, issuer and user, or, where no user is named, per
    /// workload or API key. Two callers never share one, whatever their names hold: each part carries its length.
    pub fn subject(&self) -> String {
        let (kind, name) = match (&self.user, &self.workload, &self.key_id) {
            (Some(user), _, _) => ("user", user.as_str()),
            (None, Some(workload), _) => ("workload", workload.as_str()),
            (None, None, Some(key)) => ("key", key.as_str()),
            (None, None, None) => ("anyone", ""),
        };
        let method = self.method.as_str();
        let issuer = self.issuer.as_deref().unwrap_or_default();
        // Asked for several times for each request: put together without what formatting costs.
        let (issuer_length, name_length) = (issuer.len().to_string(), name.len().to_string());
        [method, "/", kind, "/", &issuer_length, ":", issuer, "/", &name_length, ":", name].concat()
    }

    /// The subject's digest: what counters know a caller by. Of a caller whose token is remembered it is, too.
    pub(crate) fn digest(&self) -> Id {
        *self.digest.0.get_or_init(|| Parts::default().with(self.subject().as_bytes()).identity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(method: Method, issuer: Option<&str>, user: &str) -> Principal {
        Principal { user: Some(user.into()), issuer: issuer.map(Into::into), ..Principal::new(method) }
    }

    #[test]
    fn subjects_are_never_shared() {
        let workload = Principal { workload: Some("spiffe://td/a".into()), ..Principal::new(Method::Mtls) };
        let key = Principal { key_id: Some("alice".into()), ..Principal::new(Method::ApiKey) };
        let all = [
            user(Method::Jwt, Some("https://a"), "alice"),
            user(Method::Jwt, Some("https://b"), "alice"),
            user(Method::Jwt, Some("https://a"), "bob"),
            user(Method::Jwt, Some("a/1:b"), "c"),
            user(Method::Jwt, Some("a"), "b/1:c"),
            user(Method::ApiKey, None, "alice"),
            user(Method::Jwt, None, "alice"),
            user(Method::EnvoyMetadata, Some("https://a"), "alice"),
            workload,
            key,
            Principal::new(Method::Jwt),
        ]
        .map(|p| p.subject());
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{all:?}");
    }

    #[test]
    fn a_copy_of_whom_more_is_said_has_its_own_digest() {
        let key = Principal { key_id: Some("alice".into()), ..Principal::new(Method::ApiKey) };
        let before = key.digest();
        let workload = Principal { workload: Some("spiffe://td/a".into()), ..key.clone() };
        assert_ne!(workload.digest(), before);
        assert_eq!(key.clone().digest(), before);
        assert_eq!(key.clone(), key);
    }
}
