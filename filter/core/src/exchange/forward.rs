//! What an upstream learns of the caller: nothing, unless its target says otherwise.
//!
//! An assertion is a token of our own (RFC 7519, HS256), good for one minute, that names the proven caller and the target it is for; nobody can
//! use it elsewhere, and nobody else can make one. A token of the caller's goes on where its own audience names the server: it was
//! issued to be shown there. Tokens for others, and API keys, never go on.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, json};

use super::{Context, Effect, Exchange};
use crate::head::Headers;
use crate::host::Side;
use crate::identity::{Method, Principal, is_meant_for};
use crate::policy::Forward;
use crate::reply::Reason;

/// The header of an assertion.
pub(super) const ASSERTION: &str = "x-doorward-assertion";
/// Seconds that it is good for.
const LIFETIME: u64 = 60;

impl Exchange {
    /// Tells the upstream what its target says it may know; whether it knows the caller by that. What the caller sent in these headers is
    /// gone already.
    pub(super) fn forward(&mut self, headers: &Headers, target: usize, cx: &mut Context<'_>) -> bool {
        let (Some(principal), Some(target)) = (self.record.principal.clone(), cx.engine.targets.get(target)) else {
            return false;
        };
        if self.tap.is_some() {
            return false;
        }
        match target.forward {
            Forward::None => false,
            Forward::Assertion => {
                let Some(key) = &cx.engine.assertion_key else { return false };
                let audience = target.resource.as_deref().unwrap_or(&target.name);
                let token = assertion(&principal, &self.record.roles, audience, &cx.engine.name, cx.at.secs(), key);
                cx.effects.push(Effect::SetHeader(Side::Request, ASSERTION, token.into_bytes()));
                true
            }
            Forward::SameAudience => {
                let token = headers.one("authorization").ok().flatten();
                let Some(token) = token.filter(|_| principal.method != Method::ApiKey) else { return false };
                let text = std::str::from_utf8(token).unwrap_or_default();
                let meant = is_meant_for(text, &principal, &target.audiences);
                match meant {
                    false => self.note(Reason::ForwardAudience),
                    true => {
                        let token = Effect::SetHeader(Side::Request, "authorization", token.to_vec());
                        cx.effects.push(token);
                    }
                }
                meant
            }
        }
    }
}

/// A signed statement about a caller.
fn assertion(principal: &Principal, roles: &[String], audience: &str, policy: &str, now: u64, key: &[u8]) -> String {
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), json!(format!("doorward/{policy}")));
    claims.insert("aud".to_owned(), json!(audience));
    claims.insert("iat".to_owned(), json!(now));
    claims.insert("exp".to_owned(), json!(now.saturating_add(LIFETIME)));
    // Whoever is told apart here is told apart there: an issuer's user is no other issuer's.
    claims.insert("sub".to_owned(), json!(principal.subject()));
    let texts = [
        ("user", &principal.user),
        ("team", &principal.team),
        ("workload", &principal.workload),
        ("purpose", &principal.purpose),
        ("idp", &principal.issuer),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            claims.insert(name.to_owned(), json!(text));
        }
    }
    if !principal.groups.is_empty() {
        claims.insert("groups".to_owned(), json!(principal.groups));
    }
    claims.insert("roles".to_owned(), json!(roles));
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(json!({"alg": "HS256", "typ": "JWT"})), encode(claims.into()));
    let signature = hmac_sha256::HMAC::mac(signed.as_bytes(), key);
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}
