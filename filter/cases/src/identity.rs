//! Callers, as real credentials.
//!
//! Nobody can sign with the keys of a policy's issuers, so the runner puts keys of its own in their place: each issuer of
//! `identity.jwt` gets the runner's key set, each of `identity.api_keys` the digest of a key that the runner minted. Everything
//! else (issuer, audiences, claims, lifetimes, expiry, revocation, what must be proven) is the policy's own, and the code that
//! proves callers runs as it does in Envoy. What a test cannot tell is whether the real key sets are reachable, and who it
//! is that tells of workloads (`identity.mtls.from`): here it is always the connection.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use doorward_core::config::{Path, Tree, from_tree};
use doorward_core::identity::{ClaimPath, ClaimsDocument, IdentityDocument, mint_api_key};
use jsonwebtoken::{Algorithm, EncodingKey};
use p256_signer::SecretKey;
use p256_signer::pkcs8::EncodePrivateKey as _;
use serde_json::{Map, Value};

use crate::format::Identity;
use crate::value;

/// The `kid` of the runner's key.
const KID: &str = "doorward-test";

/// How long a token is good for, in seconds.
const LIFETIME: i64 = 300;

/// Makes credentials that a policy takes.
pub struct Callers {
    key: EncodingKey,
    stranger: EncodingKey,
    issuers: Vec<Issuer>,
    api_keys: BTreeMap<String, String>,
    trust_domains: Vec<String>,
}

/// An issuer of tokens.
struct Issuer {
    iss: String,
    audience: String,
    claims: ClaimsDocument,
    lifetime: i64,
    typ: Option<String>,
    /// Envoy verifies its tokens: the metadata's namespace and key.
    metadata: Option<(String, String)>,
}

/// What a caller brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The header with the credential.
    pub header: Option<(String, String)>,
    /// The first URI of the client's certificate.
    pub peer: Option<String>,
    /// What Envoy's own filter has verified: the metadata's namespace and key, and the payload.
    pub metadata: Option<(String, String, String)>,
}

impl Callers {
    /// Puts the runner's keys into a policy.
    ///
    /// # Errors
    /// The policy's `identity` cannot be read, or there are no random numbers.
    pub fn of(policy: &mut Tree) -> anyhow::Result<Self> {
        let (key, jwk) = signing_key()?;
        let (stranger, _) = signing_key()?;
        let mut callers =
            Self { key, stranger, issuers: Vec::new(), api_keys: BTreeMap::new(), trust_domains: Vec::new() };
        let Some(section) = value::entry_mut(policy, "identity") else { return Ok(callers) };
        let document: IdentityDocument = from_tree(section, &Path::root().key("identity"))?;
        callers.issuers = issuers(&document);
        callers.trust_domains = document.mtls.map(|mtls| mtls.trust_domains.0).unwrap_or_default();
        if let Some(mtls) = value::entry_mut(section, "mtls") {
            // A test's workload is the connection's own: who tells of it is the deployment's.
            value::remove(mtls, "from");
            value::remove(mtls, "peers");
        }
        if let Some(Tree::List(issuers)) = value::entry_mut(section, "jwt") {
            for issuer in issuers {
                // Narrower algorithms are those of the keys that are not here.
                value::remove(issuer, "key");
                value::remove(issuer, "algorithms");
                let keys = Tree::Map(vec![("keys".to_owned(), Tree::List(vec![jwk.clone()]))]);
                value::set(issuer, "jwks", Tree::Map(vec![("inline".to_owned(), keys)]));
            }
        }
        if let Some(Tree::List(entries)) = value::entry_mut(section, "api_keys") {
            for entry in entries {
                let Some(id) = value::text_at(entry, "id").map(str::to_owned) else { continue };
                let minted = mint_api_key(random()?);
                value::set(entry, "digest", Tree::String(minted.digest));
                callers.api_keys.insert(id, minted.key);
            }
        }
        Ok(callers)
    }

    /// What proves a caller at a time, in seconds since 1970.
    ///
    /// # Errors
    /// The policy has no issuer, claim or key for what the identity says.
    pub fn proof(&self, identity: &Identity, now: u64) -> anyhow::Result<Proof> {
        let mut proof = Proof { peer: identity.workload.clone(), ..Proof::default() };
        if let Some(workload) = &identity.workload
            && self.trust_domains.is_empty()
        {
            bail!(
                "the identity has the workload `{workload}`, and the policy proves none: add `identity.mtls.trust_domains`"
            );
        }
        let credential = match (&identity.credential, &identity.api_key) {
            (Some(_), Some(_)) => bail!("an identity has one credential: `credential` or `api_key`, not both"),
            (Some(credential), None) => Some(credential.clone()),
            (None, Some(id)) => Some(self.api_key(id)?),
            (None, None) if identity.is_of_token() => {
                let issuer = self.issuer(identity)?;
                let claims = issuer.claims(identity, now)?;
                match &issuer.metadata {
                    Some((namespace, key)) => {
                        proof.metadata = Some((namespace.clone(), key.clone(), Value::Object(claims).to_string()));
                        None
                    }
                    None => Some(self.token(issuer, identity.forged, &claims)?),
                }
            }
            (None, None) if identity.workload.is_none() => {
                bail!(
                    "an identity without a user, an API key, a credential or a workload: leave `identity` out instead"
                )
            }
            (None, None) => None,
        };
        proof.header = credential.map(|credential| match identity.header.as_deref() {
            None | Some("authorization") => ("authorization".to_owned(), format!("Bearer {credential}")),
            Some(name) => (name.to_ascii_lowercase(), credential),
        });
        Ok(proof)
    }

    /// Whether tokens of an issuer are taken.
    pub fn knows(&self, iss: &str) -> bool {
        self.issuers.iter().any(|issuer| issuer.iss == iss)
    }

    fn api_key(&self, id: &str) -> anyhow::Result<String> {
        let known = || self.api_keys.keys().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        self.api_keys
            .get(id)
            .cloned()
            .ok_or_else(|| anyhow!("`identity.api_keys` of the policy has no `{id}`; known there: {}", known()))
    }

    fn issuer(&self, identity: &Identity) -> anyhow::Result<&Issuer> {
        match &identity.issuer {
            None => self.issuers.first().context(
                "the policy takes no tokens (`identity.jwt` and `envoy_metadata` are empty): give the identity an `api_key` or a `workload`",
            ),
            Some(iss) => {
                let known = || self.issuers.iter().map(|i| format!("`{}`", i.iss)).collect::<Vec<_>>().join(", ");
                let found = self.issuers.iter().find(|issuer| issuer.iss == *iss);
                found.ok_or_else(|| anyhow!("the policy has no issuer `{iss}`; known there: {}", known()))
            }
        }
    }

    fn token(&self, issuer: &Issuer, forged: bool, claims: &Map<String, Value>) -> anyhow::Result<String> {
        let mut header = jsonwebtoken::Header::new(Algorithm::ES256);
        header.kid = Some(KID.to_owned());
        if let Some(typ) = &issuer.typ {
            header.typ = Some(typ.clone());
        }
        let key = if forged { &self.stranger } else { &self.key };
        jsonwebtoken::encode(&header, claims, key).context("cannot sign a token")
    }
}

impl Identity {
    /// Whether a token proves it.
    fn is_of_token(&self) -> bool {
        self.user.is_some()
            || self.groups.is_some()
            || self.team.is_some()
            || self.purpose.is_some()
            || !self.claims.is_empty()
            || !self.token.is_empty()
            || self.issuer.is_some()
            || self.forged
            || self.expires_in.is_some()
    }
}

impl Issuer {
    /// A token's claims.
    fn claims(&self, identity: &Identity, now: u64) -> anyhow::Result<Map<String, Value>> {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let ends = now.saturating_add(identity.expires_in.unwrap_or(self.lifetime));
        let mut claims = Map::new();
        claims.insert("iss".to_owned(), self.iss.clone().into());
        claims.insert("aud".to_owned(), self.audience.clone().into());
        claims.insert("iat".to_owned(), now.min(ends).into());
        claims.insert("exp".to_owned(), ends.into());
        if let Some(user) = &identity.user {
            claims.insert("sub".to_owned(), user.clone().into());
            put(&mut claims, self.claims.user.names(), user.clone().into());
        }
        let mapped = |path: &Option<ClaimPath>, what: &str| {
            path.clone().ok_or_else(|| {
                anyhow!(
                    "the identity says `{what}`, and the issuer `{}` maps none: add `claims.{what}` to the policy",
                    self.iss
                )
            })
        };
        if let Some(groups) = &identity.groups {
            put(&mut claims, mapped(&self.claims.groups, "groups")?.names(), groups.clone().into());
        }
        if let Some(team) = &identity.team {
            put(&mut claims, mapped(&self.claims.team, "team")?.names(), team.clone().into());
        }
        if let Some(purpose) = &identity.purpose {
            put(&mut claims, mapped(&self.claims.purpose, "purpose")?.names(), purpose.clone().into());
        }
        for (name, tree) in &identity.claims {
            let path = self.claims.extra.get(name).ok_or_else(|| {
                anyhow!(
                    "the issuer `{}` maps no claim `{name}`: add it to `claims.extra`, or set it under `token`",
                    self.iss
                )
            })?;
            put(&mut claims, path.names(), value::json(tree));
        }
        for (name, tree) in &identity.token {
            match tree {
                Tree::Null => _ = claims.remove(name),
                tree => _ = claims.insert(name.clone(), value::json(tree)),
            }
        }
        Ok(claims)
    }
}

fn issuers(document: &IdentityDocument) -> Vec<Issuer> {
    let lifetime = |most: Option<doorward_core::config::Duration>| {
        most.map_or(LIFETIME, |most| LIFETIME.min(i64::try_from(most.as_secs()).unwrap_or(LIFETIME)))
    };
    let first = |audiences: &[String]| audiences.first().cloned().unwrap_or_default();
    let own = document.jwt.iter().map(|jwt| Issuer {
        iss: jwt.issuer.clone(),
        audience: first(&jwt.audiences.0),
        claims: jwt.claims.clone(),
        lifetime: lifetime(jwt.max_lifetime),
        typ: jwt.typ.clone(),
        metadata: None,
    });
    let envoys = document.envoy_metadata.iter().map(|metadata| Issuer {
        iss: metadata.issuer.clone(),
        audience: first(&metadata.audiences.0),
        claims: metadata.claims.clone(),
        lifetime: lifetime(metadata.max_lifetime),
        typ: None,
        metadata: Some((metadata.namespace.clone(), metadata.key.clone())),
    });
    own.chain(envoys).collect()
}

/// Sets a claim behind a path of names.
fn put(claims: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => _ = claims.insert(name.clone(), value),
        [name, rest @ ..] => {
            let inner = claims.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// A fresh key and its public half as a JWK.
fn signing_key() -> anyhow::Result<(EncodingKey, Tree)> {
    let secret = loop {
        // All but a vanishing part of the 256-bit numbers are keys of the curve.
        if let Ok(secret) = SecretKey::from_slice(&random()?) {
            break secret;
        }
    };
    let der = secret.to_pkcs8_der().map_err(|e| anyhow!("cannot write a key: {e}"))?;
    let mut jwk: Tree = serde_json::from_str(&secret.public_key().to_jwk_string()).context("a JWK")?;
    for (name, text) in [("kid", KID), ("alg", "ES256"), ("use", "sig")] {
        value::set(&mut jwk, name, Tree::String(text.to_owned()));
    }
    Ok((EncodingKey::from_ec_der(der.as_bytes()), jwk))
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("the operating system has no random numbers")?;
    Ok(bytes)
}
