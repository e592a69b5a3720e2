//! Who is calling: from a credential, the connection or an earlier filter's verdict to a verified [`Principal`].
//!
//! Identity cannot be asserted, only proven. [`take`] finds the credential, [`CREDENTIAL_HEADERS`] and
//! [`path_without_credential`] say what must be cut out of the request; [`Identity::authenticate`] proves it, with the keys that a worker's [`Keys`] keep. Waiting for a key is
//! an outcome, not a block: the caller carries out the [`Fetch`] and asks again.

mod api_key;
mod audience;
mod base64url;
mod cache;
mod claims;
mod compile;
mod der;
mod document;
mod forwarded;
mod json;
mod jwk;
mod jwt;
mod keys;
mod principal;
mod prove;
mod reason;
mod shared;
mod signature;
mod take;

mod workload;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

pub use api_key::{MintedKey, mint_api_key};
pub use audience::is_meant_for;
pub use claims::ClaimPath;
pub(crate) use claims::usable;
pub use document::PeerSource;
pub use document::{
    ApiKeyDocument, CacheDocument, ClaimsDocument, IdentityDocument, JwksDocument, JwtDocument, MetadataDocument,
    MtlsDocument, RequireDocument, RevokedDocument, SharedKeyDocument,
};
pub use forwarded::{FORWARDED_AND_CREDENTIALS, FORWARDED_HEADER, Peers, workload_behind};
pub use keys::{Fetch, Keys};
pub use principal::{Method, Principal};
pub use prove::{Outcome, Presented};
pub use reason::Reason;
pub use signature::Algorithm;
pub use take::{CREDENTIAL_HEADERS, TakeOptions, is_signature, path_without_credential, take};

/// Longest value of a claim, in bytes.
const MAX_VALUE_BYTES: usize = 256;
/// Most values of a claim.
const MAX_VALUES: usize = 1000;

/// A compiled `identity` section: immutable, shared by all requests.
pub struct Identity {
    issuers: Vec<Issuer>,
    api_keys: api_key::ApiKeys,
    /// Empty where mTLS proves nothing.
    trust_domains: Vec<String>,
    peer: PeerSource,
    /// Proxies whose `x-forwarded-client-cert` is read; none but for that source.
    peers: Peers,
    metadata: Vec<Metadata>,
    require_user: bool,
    require_workload: bool,
    cache_max_age_ms: u64,
    cache_entries: usize,
    revoked: HashSet<Revoked>,
    max_token_bytes: usize,
    query_key: bool,
    shared_key: Option<Vec<u8>>,
    /// Over the whole section and its secrets: what one policy verified counts for no other.
    digest: [u8; 32],
}

impl std::fmt::Debug for Identity {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("issuers", &self.issuers).finish_non_exhaustive()
    }
}

impl Identity {
    /// How [`take`] looks for this policy's credentials.
    pub fn take_options(&self, signed: bool) -> TakeOptions {
        TakeOptions { max_token_bytes: self.max_token_bytes, query_key: self.query_key, signed }
    }

    /// Whether a header of listed peers tells the workload, which is then for nobody behind.
    pub fn reads_forwarded(&self) -> bool {
        self.peer == PeerSource::Xfcc
    }

    /// Whether key sets are fetched, so that [`Keys::tick`] must be called.
    pub fn fetches_keys(&self) -> bool {
        self.issuers.iter().any(|issuer| issuer.remote.is_some())
    }

    /// Everyone whose tokens are accepted, whoever verifies them.
    pub fn token_issuers(&self) -> impl Iterator<Item = &str> {
        let own = self.issuers.iter().map(|issuer| issuer.rules.issuer.as_str());
        own.chain(self.metadata.iter().map(|metadata| metadata.rules.issuer.as_str()))
    }

    /// The `iss` at an index of `identity.jwt`, for the record.
    pub fn issuer(&self, index: usize) -> Option<&str> {
        self.issuers.get(index).map(|issuer| issuer.rules.issuer.as_str())
    }
}

/// An issuer of tokens, compiled.
#[derive(Debug)]
struct Issuer {
    rules: jwt::Rules,
    /// The keys of the configuration.
    keys: Vec<jwk::Key>,
    remote: Option<Source>,
    algorithms: Vec<Algorithm>,
    /// The one accepted `typ`; `None` for the usual ones.
    typ: Option<String>,
}

/// Where a key set is fetched from.
#[derive(Debug)]
struct Source {
    cluster: String,
    authority: String,
    path: String,
    refresh_ms: u64,
    timeout_ms: u64,
    /// Tells this source and its issuer from any other, in hex.
    source: String,
}

/// A verdict of an earlier filter, compiled.
#[derive(Debug)]
struct Metadata {
    namespace: String,
    key: String,
    rules: jwt::Rules,
}

/// A revoked credential: the issuer it is restricted to, and what is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Revoked {
    issuer: Option<String>,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum What {
    Token(String),
    Subject(String),
    Key(String),
}
