//! The `identity` section of a policy, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::claims::ClaimPath;
use super::signature::Algorithm;
use crate::config::{Duration, OneOrMany, SecretRef, Tree};

/// How a caller is proven. Whatever is not listed here proves nobody.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityDocument {
    /// Issuers of JSON Web Tokens (RFC 7519) that Doorward verifies itself.
    pub jwt: Vec<JwtDocument>,
    /// API keys of this gateway, made by `doorward key`. Only their digests stand here.
    pub api_keys: Vec<ApiKeyDocument>,
    /// Workloads, proven by the client certificate's SPIFFE id.
    pub mtls: Option<MtlsDocument>,
    /// Tokens that Envoy's own `jwt_authn` filter (Istio: RequestAuthentication) verified before Doorward.
    pub envoy_metadata: Vec<MetadataDocument>,
    /// What must be proven before a request is looked at any further.
    pub require: RequireDocument,
    /// How long a verified token is remembered.
    pub cache: CacheDocument,
    /// Credentials that are refused although they verify. Takes effect with the configuration update.
    pub revoked: Vec<RevokedDocument>,
    /// Longest credential in bytes, 256 to 65536. Default 8192.
    pub max_token_bytes: usize,
    /// Whether a credential may stand in the query as `?key=` (the Gemini SDKs' way). It is cut out of the path
    /// and never logged. `false` refuses such a request. Default true.
    pub query_key: bool,
    /// Authenticates what workers tell each other through Envoy's shared store (fetched key sets) with
    /// HMAC-SHA-256: at least 32 bytes, for hosts where other plugins share the `vm_id`. Default: not authenticated.
    pub shared_key: Option<SecretRef>,
}

impl Default for IdentityDocument {
    fn default() -> Self {
        Self {
            jwt: Vec::new(),
            api_keys: Vec::new(),
            mtls: None,
            envoy_metadata: Vec::new(),
            require: RequireDocument::default(),
            cache: CacheDocument::default(),
            revoked: Vec::new(),
            max_token_bytes: 8192,
            query_key: true,
            shared_key: None,
        }
    }
}

/// An issuer of JSON Web Tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtDocument {
    /// The token's `iss`, compared byte by byte. Each issuer is listed once.
    pub issuer: String,
    /// The audiences that mean us: one of them must be in the token's `aud`.
    pub audiences: OneOrMany<String>,
    /// The issuer's public keys (RFC 7517), inline or fetched.
    #[serde(default)]
    pub jwks: Option<JwksDocument>,
    /// A shared key, for HS256, HS384 and HS512 only. Prefer public keys: whoever can check such a token can make one.
    #[serde(default)]
    pub key: Option<SharedKeyDocument>,
    /// Narrows the signature algorithms further. The algorithm is the key's, never the token's choice: a JWK with
    /// `alg` fixes it, an elliptic-curve or Ed25519 key has only one, and an RSA key without `alg` takes the RSA
    /// ones of this list, or RS256 without a list.
    #[serde(default)]
    pub algorithms: Vec<Algorithm>,
    /// Which claims name the user, the groups and so on.
    #[serde(default)]
    pub claims: ClaimsDocument,
    /// Tolerated difference between the issuer's clock and ours, at most 5m. Default 30s.
    #[serde(default = "default_skew")]
    pub skew: Duration,
    /// Longest accepted life of a token, `exp` minus `iat`; `iat` is then required. Default: any.
    #[serde(default)]
    pub max_lifetime: Option<Duration>,
    /// The required `typ` of the token's header, such as `at+jwt` (RFC 9068), in any case. Default: `JWT`, `at+jwt` or none.
    #[serde(default)]
    pub typ: Option<String>,
}

pub(super) fn default_skew() -> Duration {
    Duration::from_secs(30)
}

/// A JSON Web Key Set: either `inline`, or `cluster`, `authority` and `path` to fetch it from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwksDocument {
    /// The key set itself, as a mapping or as JSON text. Every key in it must be usable.
    #[serde(default)]
    pub inline: Option<Tree>,
    /// The Envoy cluster that leads to the provider. TLS and its verification are the cluster's.
    #[serde(default)]
    pub cluster: Option<String>,
    /// The provider's host name, for `:authority`.
    #[serde(default)]
    pub authority: Option<String>,
    /// The path of the key set, for example `/.well-known/jwks.json`.
    #[serde(default)]
    pub path: Option<String>,
    /// How often the set is fetched again, 30s to 1d. An unknown `kid` asks sooner. Default 10m.
    #[serde(default = "default_refresh")]
    pub refresh: Duration,
    /// How long one fetch may take, 100ms to 30s. Default 5s.
    #[serde(default = "default_timeout")]
    pub timeout: Duration,
}

fn default_refresh() -> Duration {
    Duration::from_secs(600)
}

fn default_timeout() -> Duration {
    Duration::from_secs(5)
}

/// A shared key for HS256, HS384 or HS512.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedKeyDocument {
    /// The `kid` of tokens made with it. Default: only tokens without `kid`.
    #[serde(default)]
    pub id: Option<String>,
    /// The key: the bytes of an environment variable, at least as many as the hash has (32, 48 or 64; RFC 7518, section 3.2).
    pub secret: SecretRef,
    /// HS256, HS384 or HS512. Default HS256.
    #[serde(default = "default_shared_algorithm")]
    pub algorithm: Algorithm,
}

fn default_shared_algorithm() -> Algorithm {
    Algorithm::Hs256
}

/// Which claims of a token name whom. A claim is a dotted path (`realm_access.roles`); a name that itself holds
/// dots is written as a list of names (`["https://example.com/roles"]`), and text with `://` in it is one name.
///
/// A value is text, a number or a boolean, or (for groups and `extra`) a list of them. A token is refused when a
/// value that is mapped holds control or invisible formatting characters, starts or ends with a space, is longer
/// than 256 bytes, or when there are more than 1,000; an empty text counts as none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimsDocument {
    /// The user. Default `sub`.
    pub user: ClaimPath,
    /// The groups. A token that leaves them out because there are too many (Entra's groups overage) is refused
    /// with a reason of its own.
    pub groups: Option<ClaimPath>,
    /// The team.
    pub team: Option<ClaimPath>,
    /// What the token was issued for.
    pub purpose: Option<ClaimPath>,
    /// Further claims by the name that roles use for them. The text of `scope` and `scp` is split at spaces (RFC 8693).
    pub extra: BTreeMap<String, ClaimPath>,
}

impl Default for ClaimsDocument {
    fn default() -> Self {
        Self { user: ClaimPath::dotted("sub"), groups: None, team: None, purpose: None, extra: BTreeMap::new() }
    }
}

/// An API key that was handed out.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyDocument {
    /// The key's public name, for the record.
    pub id: String,
    /// `sha256:` and the SHA-256 of the whole key in 64 lower-case hex digits, as `doorward key` prints it.
    pub digest: String,
    /// Whose key it is.
    #[serde(default, alias = "owner")]
    pub user: Option<String>,
    /// The groups it acts for.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The team it acts for.
    #[serde(default)]
    pub team: Option<String>,
    /// What it was handed out for.
    #[serde(default)]
    pub purpose: Option<String>,
    /// When it ends (RFC 3339): a date, whose whole day in UTC still counts, or a date and time with an offset. Default: never.
    #[serde(default)]
    pub expires: Option<String>,
    /// `true` refuses the key. Default false.
    #[serde(default)]
    pub revoked: bool,
}

/// Which client certificates prove a workload.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MtlsDocument {
    /// The SPIFFE trust domains whose workloads count, such as `cluster.local`. Envoy verifies the certificate;
    /// the id is read from the connection, and from a header only where `from: xfcc` says so.
    pub trust_domains: OneOrMany<String>,
    /// Where the id is read.
    #[serde(default)]
    pub from: PeerSource,
    /// For `from: xfcc`, and required there: the SPIFFE ids (globs, in which case counts) of the proxies whose
    /// `x-forwarded-client-cert` is read. Each has to write the header itself (`SANITIZE_SET` or `APPEND_FORWARD`, with `uri: true`):
    /// one that passes on what came lets its callers say who they are.
    #[serde(default)]
    pub peers: OneOrMany<String>,
}

/// Where a workload's id is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerSource {
    /// The certificate of this connection.
    #[default]
    Connection,
    /// What Istio says of the peer whose tunnel (HBONE) its waypoint ended: the filter state `io.istio.peer_principal`, which only the
    /// proxy's own configuration can set. A waypoint's connection to the filter has no certificate.
    Istio,
    /// The header `x-forwarded-client-cert`, where the certificate of this connection is that of one of `peers`. Its elements are read
    /// from the right: those about listed peers are hops, the first other one is the workload, and what stands left of it counts for
    /// nothing. From anybody else the header is not read, and they have no workload (`identity.forwarded_peer` where one is
    /// required). A header that cannot be read is refused (`identity.forwarded_certificate`). It does not go to the upstream.
    Xfcc,
}

/// The verified payload that an earlier `jwt_authn` filter left in the request's metadata. Issuer, audience and
/// expiry are checked again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataDocument {
    /// The metadata namespace. Default `envoy.filters.http.jwt_authn`.
    #[serde(default = "default_namespace")]
    pub namespace: String,
    /// The provider's `payload_in_metadata`. Istio writes `payload`.
    pub key: String,
    /// The token's `iss`, compared byte by byte.
    pub issuer: String,
    /// The audiences that mean us: one of them must be in the token's `aud`.
    pub audiences: OneOrMany<String>,
    /// Which claims name the user, the groups and so on.
    #[serde(default)]
    pub claims: ClaimsDocument,
    /// Tolerated difference between the issuer's clock and ours, at most 5m. Default 30s.
    #[serde(default = "default_skew")]
    pub skew: Duration,
    /// Longest accepted life of a token, `exp` minus `iat`; `iat` is then required. Default: any.
    #[serde(default)]
    pub max_lifetime: Option<Duration>,
}

fn default_namespace() -> String {
    "envoy.filters.http.jwt_authn".to_owned()
}

/// What must be proven.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequireDocument {
    /// A user: a token or API key that names one. Default true.
    pub user: bool,
    /// A workload: a client certificate with a SPIFFE id of `mtls.trust_domains`. Default false.
    pub workload: bool,
}

impl Default for RequireDocument {
    fn default() -> Self {
        Self { user: true, workload: false }
    }
}

/// The cache of verified tokens, one per worker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheDocument {
    /// How long a verified signature is believed, at most 1h. Expiry, revocation, certificate binding and the
    /// key's membership in the key set are checked on every request. Default 5m.
    pub max_age: Duration,
    /// How many tokens are remembered, at most 65536, and fewer if they take more than 8 MB; 0 turns the cache off.
    /// Default 4096.
    pub entries: usize,
}

impl Default for CacheDocument {
    fn default() -> Self {
        Self { max_age: Duration::from_secs(300), entries: 4096 }
    }
}

/// A revoked credential: exactly one of `jti`, `sub` and `kid`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RevokedDocument {
    /// Only tokens of this issuer. Default: of any.
    pub issuer: Option<String>,
    /// A token's id.
    pub jti: Option<String>,
    /// A subject: all their tokens.
    pub sub: Option<String>,
    /// A signing key: all tokens it signed.
    pub kid: Option<String>,
}
