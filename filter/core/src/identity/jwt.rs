//! JSON Web Tokens (RFC 7519, 8725): reading one, and what must hold besides the signature.

use super::MAX_VALUE_BYTES;
use super::base64url;
use super::claims::Mapping;
use super::json::Json;
use super::principal::{Method, Principal};
use super::reason::Reason;
use super::signature::Algorithm;
use crate::host::{Attribute, Host};

/// Later than any date a token could mean, in seconds (year 9999): beyond it, arithmetic is not exact.
const MAX_DATE: f64 = 253_402_300_799.0;

/// A token taken apart; nothing in it is verified.
#[derive(Debug)]
pub(super) struct Token<'t> {
    /// What is signed: header and payload as sent.
    pub signed: &'t str,
    pub signature: Vec<u8>,
    /// The claims' JSON.
    pub payload: Vec<u8>,
    pub algorithm: Algorithm,
    pub key_id: Option<String>,
    /// `typ`, lower case and without `application/`.
    pub typ: Option<String>,
}

impl<'t> Token<'t> {
    /// Takes a token in compact serialisation apart and reads its header.
    ///
    /// # Errors
    /// It is not exactly that, or the header asks for what is never granted.
    pub fn read(token: &'t str) -> Result<Self, Reason> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
        // A fourth part leaves a dot in the payload, which is not base64url.
        let decode = |part| base64url::decode(part).ok_or(Reason::Malformed);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
        let header = Json::read(&header).filter(|h| matches!(h, Json::Map(_))).ok_or(Reason::Malformed)?;
        // The key comes from the configuration, never from the token (RFC 8725, section 3.10); no extension is
        // understood here, so none can be critical; `zip` and `enc` belong to encryption.
        if ["crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc"].iter().any(|name| header.has(name)) {
            return Err(Reason::Header);
        }
        let algorithm = header.get("alg").and_then(Json::text).and_then(Algorithm::named).ok_or(Reason::Algorithm)?;
        let key_id = match header.get("kid") {
            None => None,
            Some(id) => {
                let id =
                    id.text().filter(|id| !id.is_empty() && id.len() <= MAX_VALUE_BYTES).ok_or(Reason::Malformed)?;
                Some(id.to_owned())
            }
        };
        let typ = match header.get("typ") {
            None => None,
            Some(typ) => Some(media_type(typ.text().ok_or(Reason::Type)?)),
        };
        if signature.is_empty() {
            return Err(Reason::Signature);
        }
        Ok(Self { signed, signature, payload, algorithm, key_id, typ })
    }

    /// The claims.
    ///
    /// # Errors
    /// They are not one JSON object.
    pub fn claims(&self) -> Result<Json<'_>, Reason> {
        Json::read(&self.payload).filter(|c| matches!(c, Json::Map(_))).ok_or(Reason::Malformed)
    }
}

/// A `typ` as it is compared: RFC 7515, section 4.1.9, lets `application/` be left out.
pub(super) fn media_type(typ: &str) -> String {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").map_or(typ.clone(), str::to_owned)
}

/// What a token of one issuer must fulfil.
#[derive(Debug)]
pub(super) struct Rules {
    pub issuer: String,
    pub audiences: Vec<String>,
    pub skew_ms: u64,
    pub max_lifetime_ms: Option<u64>,
    pub mapping: Mapping,
}

/// When a token counts, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// From `nbf` and `iat`, less the skew.
    pub not_before_ms: u64,
    /// `exp` plus the skew: no longer valid at this time.
    pub not_after_ms: u64,
    /// SHA-256 of the certificate the token is bound to (RFC 8705), in lower-case hex.
    pub certificate: Option<String>,
    pub subject: Option<String>,
}

impl Terms {
    /// Whether the token counts at this time and on this connection.
    ///
    /// # Errors
    /// It does not yet, not any more, or not here.
    pub fn hold(&self, now_ms: u64, host: &mut dyn Host) -> Result<(), Reason> {
        if now_ms >= self.not_after_ms {
            return Err(Reason::Expired);
        }
        if now_ms < self.not_before_ms {
            return Err(Reason::NotYetValid);
        }
        match &self.certificate {
            None => Ok(()),
            Some(bound) => match host.attribute(Attribute::PeerCertificateDigest) {
                Some(peer) if peer.eq_ignore_ascii_case(bound) => Ok(()),
                _ => Err(Reason::Binding),
            },
        }
    }
}

impl Rules {
    /// Checks the registered claims, but not the times against the clock ([`Terms::hold`] does, on every use).
    ///
    /// # Errors
    /// A claim is missing, of the wrong type, or says that the token is not for us.
    pub fn terms(&self, claims: &Json<'_>) -> Result<Terms, Reason> {
        match claims.get("iss").map(Json::text) {
            Some(Some(issuer)) if issuer == self.issuer => {}
            Some(Some(_)) => return Err(Reason::UnknownIssuer),
            _ => return Err(Reason::Issuer),
        }
        let meant = |audience: &str| self.audiences.iter().any(|a| a == audience);
        let for_us = match claims.get("aud") {
            Some(Json::String(audience)) => meant(audience),
            Some(Json::List(audiences)) => {
                audiences.iter().all(|a| a.text().is_some()) && audiences.iter().filter_map(Json::text).any(meant)
            }
            _ => false,
        };
        if !for_us {
            return Err(Reason::Audience);
        }
        let expires = date(claims, "exp")?.ok_or(Reason::Claims)?;
        let issued = date(claims, "iat")?;
        let not_before = date(claims, "nbf")?;
        if let Some(max) = self.max_lifetime_ms
            && expires.saturating_sub(issued.ok_or(Reason::Claims)?) > max
        {
            return Err(Reason::Lifetime);
        }
        let subject = match claims.get("sub") {
            None | Some(Json::Null) => None,
            Some(subject) => Some(subject.text().ok_or(Reason::Claims)?.to_owned()),
        };
        Ok(Terms {
            not_before_ms: issued.max(not_before).unwrap_or(0).saturating_sub(self.skew_ms),
            not_after_ms: expires.saturating_add(self.skew_ms),
            certificate: certificate(claims)?,
            subject,
        })
    }

    /// The principal that verified claims name.
    ///
    /// # Errors
    /// A mapped claim is unusable.
    pub fn principal(&self, claims: &Json<'_>, method: Method, key_id: Option<String>) -> Result<Principal, Reason> {
        let mut principal = Principal::new(method);
        self.mapping.apply(claims, &mut principal)?;
        principal.issuer = Some(self.issuer.clone());
        principal.key_id = key_id;
        principal.token_id = match claims.get("jti") {
            None | Some(Json::Null) => None,
            Some(id) => Some(id.text().filter(|id| super::claims::usable(id)).ok_or(Reason::Claims)?.to_owned()),
        };
        principal.issued_at = date(claims, "iat").ok().flatten().map(|ms| ms / 1000);
        let expires_ms = date(claims, "exp")?;
        principal.expires_at = expires_ms.map(|ms| ms / 1000);
        principal.ends_ms = expires_ms.map(|ms| ms.saturating_add(self.skew_ms));
        Ok(principal)
    }
}

/// A NumericDate in milliseconds; it may have a fraction (RFC 7519, section 2).
fn date(claims: &Json<'_>, name: &str) -> Result<Option<u64>, Reason> {
    let seconds = match claims.get(name) {
        None => return Ok(None),
        Some(Json::Integer(seconds)) => *seconds as f64,
        Some(Json::Float(seconds)) => *seconds,
        Some(_) => return Err(Reason::Claims),
    };
    if !(0.0..=MAX_DATE).contains(&seconds) {
        return Err(Reason::Claims);
    }
    Ok(Some((seconds * 1000.0) as u64))
}

/// The certificate of `cnf` (RFC 7800). Every other confirmation, such as DPoP's `jkt` (RFC 9449), needs a proof
/// that is not checked here, so the token is refused.
fn certificate(claims: &Json<'_>) -> Result<Option<String>, Reason> {
    let entries = match claims.get("cnf") {
        None => return Ok(None),
        Some(Json::Map(entries)) => entries.as_slice(),
        Some(_) => return Err(Reason::Binding),
    };
    match entries {
        [(name, Json::String(digest))] if name == "x5t#S256" => {
            let digest = base64url::decode_array::<32>(digest).ok_or(Reason::Binding)?;
            Ok(Some(crate::hex::hex(&digest)))
        }
        _ => Err(Reason::Binding),
    }
}
