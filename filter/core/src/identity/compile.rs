//! From the `identity` section as written to what proves callers.

use std::collections::HashSet;

use hmac_sha256::Hash;

use super::claims::{Mapping, usable};
use super::document::{
    ClaimsDocument, IdentityDocument, JwksDocument, JwtDocument, MetadataDocument, MtlsDocument, RevokedDocument,
    SharedKeyDocument,
};
use super::forwarded::Peers;
use super::json::Json;
use super::jwk::{Key, KeySet};
use super::jwt::{Rules, media_type};
use super::workload::is_trust_domain;
use super::{Identity, Issuer, Metadata, PeerSource, Revoked, Source, What};
use crate::config::{Duration, Path, Problem, SecretRef, Tree};
use crate::hex::hex;

type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

const MAX_SKEW: Duration = Duration::from_secs(300);

impl Identity {
    /// Compiles the section at `path`; `env` reads the VM's environment variables.
    ///
    /// # Errors
    /// The first mistake. A section that proves nobody is one, as is a secret that is missing or too short.
    pub fn compile(document: &IdentityDocument, env: Env<'_>, path: &Path) -> Result<Self, Problem> {
        let IdentityDocument { jwt, api_keys, mtls, envoy_metadata, require, cache, .. } = document;
        if jwt.is_empty() && api_keys.is_empty() && envoy_metadata.is_empty() && mtls.is_none() {
            return Err(Problem::new(path.clone(), "no way to prove an identity is configured")
                .help("add `jwt`, `api_keys`, `envoy_metadata` or `mtls`"));
        }
        if require.workload && mtls.is_none() {
            return Err(Problem::new(path.key("require").key("workload"), "nothing can prove a workload")
                .help("add `mtls: {trust_domains: [...]}`"));
        }
        if require.user && jwt.is_empty() && api_keys.is_empty() && envoy_metadata.is_empty() {
            return Err(Problem::new(path.key("require").key("user"), "nothing can prove a user")
                .help("add `jwt`, `api_keys` or `envoy_metadata`, or say `require: {user: false, workload: true}`"));
        }
        range(path.key("cache").key("max_age"), cache.max_age, Duration::from_millis(0), Duration::from_secs(3600))?;
        if cache.entries > 65_536 {
            return Err(Problem::new(path.key("cache").key("entries"), "more than 65536").help("4096 is the default"));
        }
        if !(256..=65_536).contains(&document.max_token_bytes) {
            return Err(
                Problem::new(path.key("max_token_bytes"), "not between 256 and 65536").help("8192 is the default")
            );
        }
        // Secrets are part of it: a token that an old key verified is not verified under a new one.
        let mut digest = Hash::new();
        digest.update(format!("{document:?}"));
        let mut secret = |reference: &SecretRef, least: usize, path: &Path| {
            let secret = read_secret(reference, least, env, path)?;
            digest.update(Hash::hash(&secret));
            Ok(secret)
        };

        let mut issuers: Vec<Issuer> = Vec::new();
        for (index, document) in jwt.iter().enumerate() {
            let path = path.key("jwt").index(index);
            let issuer = issuer(document, &mut secret, &path)?;
            if issuers.iter().any(|other| other.rules.issuer == issuer.rules.issuer) {
                return Err(Problem::new(path.key("issuer"), "the issuer is there twice")
                    .help("give all its audiences and keys in one entry"));
            }
            issuers.push(issuer);
        }
        let shared_key =
            document.shared_key.as_ref().map(|key| secret(key, 32, &path.key("shared_key"))).transpose()?;
        let metadata = envoy_metadata
            .iter()
            .enumerate()
            .map(|(index, document)| metadata(document, &path.key("envoy_metadata").index(index)))
            .collect::<Result<_, _>>()?;
        let trust_domains = match mtls {
            None => Vec::new(),
            Some(mtls) => {
                let path = path.key("mtls").key("trust_domains");
                if !mtls.trust_domains.0.iter().all(|d| is_trust_domain(d)) {
                    return Err(Problem::new(path, "not a list of SPIFFE trust domains")
                        .help("write the bare name in lower case, such as `cluster.local`, without `spiffe://`"));
                }
                mtls.trust_domains.0.clone()
            }
        };
        Ok(Self {
            issuers,
            api_keys: super::api_key::ApiKeys::compile(api_keys, &path.key("api_keys"))?,
            trust_domains,
            peer: mtls.as_ref().map_or(PeerSource::Connection, |mtls| mtls.from),
            peers: mtls
                .as_ref()
                .map(|mtls| peers(mtls, &path.key("mtls").key("peers")))
                .transpose()?
                .unwrap_or_default(),
            metadata,
            require_user: require.user,
            require_workload: require.workload,
            cache_max_age_ms: cache.max_age.as_millis(),
            cache_entries: cache.entries,
            revoked: revoked(&document.revoked, &path.key("revoked"))?,
            max_token_bytes: document.max_token_bytes,
            query_key: document.query_key,
            shared_key,
            digest: digest.finalize(),
        })
    }
}

type Secrets<'s> = &'s mut dyn FnMut(&SecretRef, usize, &Path) -> Result<Vec<u8>, Problem>;

fn issuer(document: &JwtDocument, secret: Secrets<'_>, path: &Path) -> Result<Issuer, Problem> {
    let rules = Rules {
        max_lifetime_ms: document.max_lifetime.map(Duration::as_millis),
        ..rules(&document.issuer, &document.audiences.0, document.skew, &document.claims, path)?
    };
    let (mut keys, remote) = match &document.jwks {
        None => (Vec::new(), None),
        Some(jwks) => key_source(jwks, document, &path.key("jwks"))?,
    };
    match &document.key {
        Some(key) => keys.push(shared_key(key, document, secret, &path.key("key"))?),
        None if document.jwks.is_none() => {
            return Err(Problem::new(path.clone(), "the issuer has no keys")
                .help("add `jwks: {cluster, authority, path}`, `jwks: {inline: ...}` or, for HS256, `key`"));
        }
        None => {}
    }
    let repeated = keys.iter().enumerate().any(|(i, k)| k.id.is_some() && keys.iter().take(i).any(|o| o.id == k.id));
    if repeated {
        return Err(
            Problem::new(path.clone(), "`key.id` is the `kid` of another key").help("give each key an id of its own")
        );
    }
    let typ = match document.typ.as_deref() {
        Some("") => return Err(Problem::new(path.key("typ"), "is empty").help("write `at+jwt`, or leave it out")),
        typ => typ.map(media_type),
    };
    Ok(Issuer { rules, keys, remote, algorithms: document.algorithms.clone(), typ })
}

/// What tokens of an issuer must fulfil, whoever verifies them.
fn rules(
    issuer: &str,
    audiences: &[String],
    skew: Duration,
    claims: &ClaimsDocument,
    path: &Path,
) -> Result<Rules, Problem> {
    if !usable(issuer) {
        return Err(Problem::new(path.key("issuer"), "is empty, too long or holds control characters")
            .help("write the `iss` of its tokens, such as `https://login.example.com/`"));
    }
    if audiences.is_empty() || audiences.iter().any(String::is_empty) {
        return Err(Problem::new(path.key("audiences"), "no audience").help(
            "name what must be in a token's `aud`: without it, a token made for any other service would do here",
        ));
    }
    range(path.key("skew"), skew, Duration::from_millis(0), MAX_SKEW)?;
    if let Some(name) = claims.extra.keys().find(|name| !usable(name)) {
        return Err(Problem::new(path.key("claims").key("extra").key(name), "not a usable name")
            .help("a name is visible text of at most 256 bytes"));
    }
    Ok(Rules {
        issuer: issuer.to_owned(),
        audiences: audiences.to_vec(),
        skew_ms: skew.as_millis(),
        max_lifetime_ms: None,
        mapping: Mapping {
            user: claims.user.clone(),
            groups: claims.groups.clone(),
            team: claims.team.clone(),
            purpose: claims.purpose.clone(),
            extra: claims.extra.clone(),
        },
    })
}

fn key_source(jwks: &JwksDocument, document: &JwtDocument, path: &Path) -> Result<(Vec<Key>, Option<Source>), Problem> {
    match jwks {
        JwksDocument { inline: Some(inline), cluster: None, authority: None, path: None, .. } => {
            Ok((inline_keys(inline, document, &path.key("inline"))?, None))
        }
        JwksDocument {
            inline: None, cluster: Some(cluster), authority: Some(authority), path: Some(target), ..
        } => {
            let visible = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
            if !visible(cluster) || !visible(authority) || !visible(target) || !target.starts_with('/') {
                return Err(Problem::new(path.clone(), "`cluster`, `authority` or `path` is not usable")
                    .help("`path` begins with `/`; none of them is empty or holds spaces"));
            }
            range(path.key("refresh"), jwks.refresh, Duration::from_secs(30), Duration::from_secs(86_400))?;
            range(path.key("timeout"), jwks.timeout, Duration::from_millis(100), Duration::from_secs(30))?;
            let source = hex(&Hash::hash(format!("{:?}", (&document.issuer, cluster, authority, target)).as_bytes()));
            Ok((
                Vec::new(),
                Some(Source {
                    cluster: cluster.clone(),
                    authority: authority.clone(),
                    path: target.clone(),
                    refresh_ms: jwks.refresh.as_millis(),
                    timeout_ms: jwks.timeout.as_millis(),
                    source,
                }),
            ))
        }
        _ => Err(Problem::new(path.clone(), "neither an inline key set nor a complete place to fetch one from")
            .help("write either `inline`, or `cluster`, `authority` and `path`")),
    }
}

fn inline_keys(inline: &Tree, document: &JwtDocument, path: &Path) -> Result<Vec<Key>, Problem> {
    let json = match inline {
        Tree::String(text) => Json::read(text.as_bytes()).ok_or_else(|| {
            Problem::new(path.clone(), "not valid JSON").help("paste the key set as the issuer serves it")
        })?,
        tree => Json::from(tree),
    };
    let set = KeySet::read(&json, &document.algorithms)
        .map_err(|why| Problem::new(path.clone(), why).help("a key set is `{keys: [{kty: RSA, ...}]}` (RFC 7517)"))?;
    if let Some((index, why)) = set.refused.first() {
        return Err(Problem::new(path.key("keys").index(*index), *why)
            .help("remove the key from the inline set, or replace it at the issuer"));
    }
    if set.keys.is_empty() {
        return Err(Problem::new(path.clone(), "no keys").help("an empty set verifies no token"));
    }
    Ok(set.keys)
}

fn shared_key(
    key: &SharedKeyDocument,
    document: &JwtDocument,
    secret: Secrets<'_>,
    path: &Path,
) -> Result<Key, Problem> {
    let Some(least) = key.algorithm.shared_key_bytes() else {
        return Err(Problem::new(path.key("algorithm"), "not HS256, HS384 or HS512")
            .help("a shared key makes only HMACs; public keys belong into `jwks`"));
    };
    if !document.algorithms.is_empty() && !document.algorithms.contains(&key.algorithm) {
        return Err(Problem::new(path.key("algorithm"), "not among the issuer's `algorithms`")
            .help("add it there, or leave `algorithms` out"));
    }
    if key.id.as_ref().is_some_and(|id| !usable(id)) {
        return Err(Problem::new(path.key("id"), "is empty, too long or holds control characters")
            .help("write the tokens' `kid`, or leave it out"));
    }
    Ok(Key::shared(key.id.clone(), key.algorithm, secret(&key.secret, least, &path.key("secret"))?))
}

fn read_secret(reference: &SecretRef, least: usize, env: Env<'_>, path: &Path) -> Result<Vec<u8>, Problem> {
    let SecretRef { env: name } = reference;
    let Some(secret) = env(name) else {
        return Err(Problem::new(path.clone(), format!("the environment variable `{name}` is not set"))
            .help("set it in `vm_config.environment_variables` (Istio: `vmConfig.env`)"));
    };
    if secret.len() < least {
        return Err(Problem::new(
            path.clone(),
            format!("the environment variable `{name}` is shorter than {least} bytes"),
        )
        .help(format!("`openssl rand -hex {least}` makes a good one")));
    }
    Ok(secret.into_bytes())
}

fn metadata(document: &MetadataDocument, path: &Path) -> Result<Metadata, Problem> {
    if document.namespace.is_empty() || document.key.is_empty() {
        return Err(Problem::new(path.clone(), "`namespace` or `key` is empty")
            .help("`key` is the `payload_in_metadata` of the jwt_authn provider; Istio writes `payload`"));
    }
    let rules = Rules {
        max_lifetime_ms: document.max_lifetime.map(Duration::as_millis),
        ..rules(&document.issuer, &document.audiences.0, document.skew, &document.claims, path)?
    };
    Ok(Metadata { namespace: document.namespace.clone(), key: document.key.clone(), rules })
}

fn revoked(documents: &[RevokedDocument], path: &Path) -> Result<HashSet<Revoked>, Problem> {
    documents
        .iter()
        .enumerate()
        .map(|(index, document)| {
            let what = match (&document.jti, &document.sub, &document.kid) {
                (Some(id), None, None) => What::Token(id.clone()),
                (None, Some(subject), None) => What::Subject(subject.clone()),
                (None, None, Some(key)) => What::Key(key.clone()),
                _ => {
                    return Err(Problem::new(path.index(index), "not exactly one of `jti`, `sub` and `kid`")
                        .help("write one entry for each, such as `{jti: 4f1c}`"));
                }
            };
            Ok(Revoked { issuer: document.issuer.clone(), what })
        })
        .collect()
}

/// Whose word on the workload counts.
fn peers(mtls: &MtlsDocument, path: &Path) -> Result<Peers, Problem> {
    let listed = &mtls.peers.0;
    match (mtls.from, listed.is_empty()) {
        (PeerSource::Xfcc, true) => {
            return Err(Problem::new(path.clone(), "`from: xfcc` without peers: everybody could say who they are")
                .help("name the proxies that write the header, such as `spiffe://cluster.local/ns/istio-ingress/sa/gateway`"));
        }
        (PeerSource::Connection | PeerSource::Istio, false) => {
            return Err(Problem::new(path.clone(), "peers are for `from: xfcc`: no header is read here")
                .help("add `from: xfcc`, or remove `peers`"));
        }
        _ => {}
    }
    for (index, peer) in listed.iter().enumerate() {
        let (domain, id) = peer.strip_prefix("spiffe://").and_then(|rest| rest.split_once('/')).unwrap_or_default();
        if !is_trust_domain(domain) || id.is_empty() || !usable(peer) {
            return Err(Problem::new(path.index(index), "not a SPIFFE id, nor a glob of such")
                .help("write `spiffe://`, the trust domain as it is, and the id: `spiffe://cluster.local/ns/istio-ingress/sa/*`"));
        }
        // Who is listed is a hop, and says who is behind it.
        if is_anybody(id) {
            let message = format!("every workload of `{domain}` could say that it is any other");
            return Err(Problem::new(path.index(index), message).help("name the proxies that write the header"));
        }
    }
    Ok(Peers::new(listed))
}

/// Whether a glob means workloads wherever they are: `*` crosses `/`, so one at the end is bounded by what stands before it, and Istio's
/// `ns` bounds nothing.
fn is_anybody(id: &str) -> bool {
    let (before, last) = id.rsplit_once('/').unwrap_or(("", id));
    let open = |part: &str| part.bytes().all(|b| b"*?/".contains(&b));
    open(last) && (open(before) || before == "ns" || before.contains(['*', '?']))
}

fn range(path: Path, value: Duration, least: Duration, most: Duration) -> Result<(), Problem> {
    if value < least || value > most {
        let (least, most) = (least.as_millis(), most.as_millis());
        return Err(Problem::new(path, format!("not between {least}ms and {most}ms")).help("write it as `30s` or `5m`"));
    }
    Ok(())
}
