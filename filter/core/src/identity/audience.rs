//! Whom a caller's own token is meant for besides us.

use super::json::Json;
use super::jwt::Token;
use super::principal::{Method, Principal};

/// Whether the token that stands in `authorization` is the one that proved a caller, and names one of `audiences`.
///
/// A token that we verified is the only credential of its request. What an earlier filter verified may have stood elsewhere: then the one
/// here must say the same of who issued it, for whom, and until when.
pub fn is_meant_for(authorization: &str, principal: &Principal, audiences: &[String]) -> bool {
    let token = match authorization.trim_matches([' ', '\t']).split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start_matches(' '),
        _ => return false,
    };
    if !matches!(principal.method, Method::Jwt | Method::EnvoyMetadata) {
        return false;
    }
    let Ok(token) = Token::read(token) else { return false };
    let Ok(claims) = token.claims() else { return false };
    let text = |name: &str| claims.get(name).and_then(Json::text);
    let expires = match claims.get("exp") {
        Some(Json::Integer(seconds)) => u64::try_from(*seconds).ok(),
        Some(Json::Float(seconds)) if *seconds >= 0.0 => Some(*seconds as u64),
        _ => None,
    };
    let same = text("iss") == principal.issuer.as_deref()
        && text("jti") == principal.token_id.as_deref()
        && expires == principal.expires_at;
    let meant = |audience: &str| audiences.iter().any(|a| a == audience);
    same && match claims.get("aud") {
        Some(Json::String(audience)) => meant(audience),
        Some(Json::List(list)) => list.iter().filter_map(Json::text).any(meant),
        _ => false,
    }
}
