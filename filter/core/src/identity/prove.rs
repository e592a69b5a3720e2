//! From what was presented to a verdict.

use std::rc::Rc;

use super::api_key::is_api_key;
use super::cache::Verified;
use super::forwarded::{FORWARDED_HEADER, workload_behind};
use super::json::Json;
use super::jwk::NoKey;
use super::jwt::{Terms, Token};
use super::keys::{Fetch, Found, Keys};
use super::principal::{Method, Principal};
use super::reason::Reason;
use super::workload::trust_domain;
use super::{Identity, Metadata, PeerSource, Revoked, What};
use crate::head::Headers;
use crate::host::{Attribute, Host};

/// Longest payload that is read from metadata, in bytes.
const MAX_METADATA_BYTES: usize = 64 * 1024;

/// What came of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The caller is proven.
    Verified(Rc<Principal>),
    /// They are not.
    Refused(Reason),
    /// A key is being fetched. Ask again when it was ([`Keys::fetched`], or a [`Keys::tick`] that may have adopted
    /// another worker's), and at `until_ms` at the latest, with the time of the first asking as `waiting_since_ms`.
    Wait {
        /// Whose key: the index of the issuer in `identity.jwt`.
        issuer: usize,
        /// When to ask for the last time: at most one second after the first.
        until_ms: u64,
    },
}

/// What a request brings to prove its caller.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The credential that [`super::take`] found.
    pub credential: Option<&'a str>,
    /// The request's headers, for what listed peers say.
    pub headers: &'a Headers,
}

/// Why there is no principal, yet.
enum Stop {
    Refused(Reason),
    Wait { issuer: usize, until_ms: u64 },
}

impl From<Reason> for Stop {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

/// What a verdict depends on besides the credential.
struct Moment<'m> {
    keys: &'m mut Keys,
    now_ms: u64,
    waiting_since_ms: Option<u64>,
    host: &'m mut dyn Host,
    fetches: &'m mut Vec<Fetch>,
}

/// What a token is remembered under: BLAKE2b-256, whose collisions are as out of reach as SHA-256's. It is hashed on
/// every request, and in the shipped WebAssembly this takes a quarter of the time (1.4 against 5 µs for 1 KB).
fn digest(token: &str) -> [u8; 32] {
    let hash = blake2b_simd::Params::new().hash_length(32).hash(token.as_bytes());
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

impl Identity {
    /// Proves the caller by what they present, and by the connection. Fetches that become necessary are added to `fetches`. After [`Outcome::Wait`], ask again
    /// with the time of the first asking.
    pub fn authenticate(
        &self,
        keys: &mut Keys,
        presented: Presented<'_>,
        now_ms: u64,
        waiting_since_ms: Option<u64>,
        host: &mut dyn Host,
        fetches: &mut Vec<Fetch>,
    ) -> Outcome {
        let mut moment = Moment { keys, now_ms, waiting_since_ms, host, fetches };
        match self.prove(presented, &mut moment) {
            Ok(principal) => Outcome::Verified(principal),
            Err(Stop::Refused(reason)) => Outcome::Refused(reason),
            Err(Stop::Wait { issuer, until_ms }) => Outcome::Wait { issuer, until_ms },
        }
    }

    fn prove(&self, presented: Presented<'_>, moment: &mut Moment<'_>) -> Result<Rc<Principal>, Stop> {
        let Presented { credential, headers } = presented;
        let user = match credential {
            Some(credential) if is_api_key(credential) => Some(self.api_keys.find(credential, moment.now_ms)?),
            Some(token) => match self.token(token, moment) {
                // The filter before us may know the issuer, and have verified this very token.
                Err(Stop::Refused(Reason::UnknownIssuer)) => {
                    Some(self.metadata_user(moment)?.ok_or(Reason::UnknownIssuer)?)
                }
                proven => Some(proven?),
            },
            None => self.metadata_user(moment)?,
        };
        let workload = match self.workload(headers, moment.host) {
            Ok(workload) => Some(workload),
            // Whoever brought nothing at all is told so.
            Err(_) if self.require_workload && user.is_none() && self.require_user => {
                return Err(Reason::Missing.into());
            }
            Err(why) if self.require_workload => return Err(why.into()),
            // Required or not: who can spoil the header could shake off by it what is denied to their workload.
            Err(why @ Reason::ForwardedCertificate) => return Err(why.into()),
            Err(_) => None,
        };
        let Some(user) = user else {
            return match workload {
                Some(workload) if !self.require_user => {
                    Ok(Rc::new(Principal { workload: Some(workload), ..Principal::new(Method::Mtls) }))
                }
                _ => Err(Reason::Missing.into()),
            };
        };
        if self.require_user && user.user.is_none() {
            return Err(Reason::UserRequired.into());
        }
        // What is remembered of a token knows no connection.
        match workload {
            None => Ok(user),
            workload => Ok(Rc::new(Principal { workload, ..(*user).clone() })),
        }
    }

    /// The workload's SPIFFE id, from a verified certificate, or why there is none.
    fn workload(&self, headers: &Headers, host: &mut dyn Host) -> Result<String, Reason> {
        let none = Reason::WorkloadRequired;
        if self.trust_domains.is_empty() {
            return Err(none);
        }
        let id = match self.peer {
            PeerSource::Connection => host.attribute(Attribute::PeerUri),
            PeerSource::Istio => host.attribute(Attribute::IstioPeer),
            PeerSource::Xfcc => {
                // Before anything of the header is looked at.
                if !host.attribute(Attribute::PeerUri).is_some_and(|peer| self.peers.include(&peer)) {
                    return Err(Reason::ForwardedPeer);
                }
                workload_behind(headers.all(FORWARDED_HEADER), &self.peers)?
            }
        }
        .ok_or(none)?;
        match trust_domain(&id) {
            Some(domain) if self.trust_domains.iter().any(|d| d == domain) => Ok(id),
            _ => Err(none),
        }
    }

    fn token(&self, text: &str, moment: &mut Moment<'_>) -> Result<Rc<Principal>, Stop> {
        let Moment { keys, now_ms, host, .. } = moment;
        let now_ms = *now_ms;
        if text.len() > self.max_token_bytes {
            return Err(Reason::TooLarge.into());
        }
        let remembers = keys.identity == self.digest;
        let digest = digest(text);
        if remembers && let Some(entry) = keys.cache.get(&digest, now_ms) {
            let known = self.issuers.get(entry.issuer).is_some_and(|i| keys.has(i, entry.issuer, &entry.key));
            if known {
                entry.terms.hold(now_ms, *host)?;
                self.not_revoked(&entry.principal, &entry.terms)?;
                return Ok(entry.principal);
            }
            keys.cache.remove(&digest);
        }
        if self.issuers.is_empty() {
            // Well-formed or not, nobody here could say more about it.
            return Err(Reason::UnknownIssuer.into());
        }
        let token = Token::read(text)?;
        let claims = token.claims()?;
        let issuer = claims.get("iss").and_then(Json::text).ok_or(Reason::Issuer)?;
        let (index, issuer) =
            self.issuers.iter().enumerate().find(|(_, i)| i.rules.issuer == issuer).ok_or(Reason::UnknownIssuer)?;
        match (&issuer.typ, token.typ.as_deref()) {
            (Some(wanted), typ) if typ == Some(wanted) => {}
            (None, None | Some("jwt" | "at+jwt")) => {}
            _ => return Err(Reason::Type.into()),
        }
        // All that costs little comes first: a signature check costs much, a fetch and a wait more.
        let terms = issuer.rules.terms(&claims)?;
        terms.hold(now_ms, *host)?;
        let key = (token.key_id.as_deref(), token.algorithm);
        let found = if remembers {
            keys.find(issuer, index, key, now_ms, moment.waiting_since_ms, *host, moment.fetches)
        } else {
            // Keys of another policy: only what this one holds itself counts.
            super::jwk::choose(issuer.keys.iter(), key.0, key.1).map_or_else(Found::No, Found::Key)
        };
        let key = match found {
            Found::Key(key) => key,
            Found::No(NoKey::Unknown) => return Err(Reason::UnknownKey.into()),
            Found::No(NoKey::Algorithm) => return Err(Reason::Algorithm.into()),
            Found::Unavailable => return Err(Reason::KeysUnavailable.into()),
            Found::Wait { until_ms } => return Err(Stop::Wait { issuer: index, until_ms }),
        };
        if !key.material.verifies(token.algorithm, token.signed.as_bytes(), &token.signature, *host) {
            return Err(Reason::Signature.into());
        }
        let key_id = key.id.clone();
        let fingerprint = key.fingerprint;
        let principal = Rc::new(issuer.rules.principal(&claims, Method::Jwt, key_id)?);
        self.not_revoked(&principal, &terms)?;
        if remembers {
            let terms = Rc::new(terms);
            let entry =
                Verified { principal: principal.clone(), terms, issuer: index, key: fingerprint, at_ms: now_ms };
            keys.cache.put(digest, entry);
        }
        Ok(principal)
    }

    /// The first configured payload that an earlier filter left.
    fn metadata_user(&self, moment: &mut Moment<'_>) -> Result<Option<Rc<Principal>>, Reason> {
        for Metadata { namespace, key, rules } in &self.metadata {
            let Some(text) = moment.host.attribute(Attribute::Metadata(namespace, key)) else { continue };
            if text.len() > MAX_METADATA_BYTES {
                return Err(Reason::TooLarge);
            }
            let claims = Json::read(text.as_bytes()).filter(|c| matches!(c, Json::Map(_))).ok_or(Reason::Malformed)?;
            let terms = match rules.terms(&claims) {
                // Several providers may write under one key.
                Err(Reason::UnknownIssuer) => continue,
                terms => terms?,
            };
            terms.hold(moment.now_ms, moment.host)?;
            let principal = rules.principal(&claims, Method::EnvoyMetadata, None)?;
            self.not_revoked(&principal, &terms)?;
            return Ok(Some(Rc::new(principal)));
        }
        Ok(None)
    }

    fn not_revoked(&self, principal: &Principal, terms: &Terms) -> Result<(), Reason> {
        if self.revoked.is_empty() {
            return Ok(());
        }
        let names = [
            principal.token_id.clone().map(What::Token),
            terms.subject.clone().map(What::Subject),
            principal.key_id.clone().map(What::Key),
        ];
        let revoked = names.into_iter().flatten().any(|what| {
            [None, principal.issuer.clone()]
                .into_iter()
                .any(|issuer| self.revoked.contains(&Revoked { issuer, what: what.clone() }))
        });
        if revoked { Err(Reason::Revoked) } else { Ok(()) }
    }
}
