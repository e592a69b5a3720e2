//! Tests of the whole of it. Tokens are minted by OpenSSL (committed) and by `jsonwebtoken`, never by the
//! implementation under test.

mod algorithms;
mod attacks;
mod compile;
mod lifecycle;
mod sources;

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::config::{Path, Problem, from_tree, tree_from_json};
use crate::head::Headers;
use crate::host::MemoryHost;

/// The tests' present, in seconds.
pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const NOW_MS: u64 = NOW * 1000;
pub(super) const ISSUER: &str = "https://issuer.test";
pub(super) const AUDIENCE: &str = "doorward";

/// The committed keys and tokens.
pub(super) fn fixtures() -> Value {
    serde_json::from_str(include_str!("../testdata/test-only-keys.json")).unwrap()
}

/// A public JWK of the fixtures with further members.
pub(super) fn jwk(name: &str, members: Value) -> Value {
    let mut jwk = fixtures()["keys"][name]["jwk"].clone();
    for (key, value) in members.as_object().unwrap() {
        jwk[key] = value.clone();
    }
    jwk
}

pub(super) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs with `jsonwebtoken`, whatever header and payload hold.
pub(super) fn sign(key: &str, algorithm: &str, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", b64(header), b64(payload));
    let signature = sign_bytes(key, algorithm, message.as_bytes());
    format!("{message}.{signature}")
}

pub(super) fn sign_bytes(key: &str, algorithm: &str, message: &[u8]) -> String {
    use jsonwebtoken::EncodingKey;
    let fixtures = fixtures();
    let pem = fixtures["keys"][key]["pem"].as_str().unwrap_or_default().as_bytes();
    let key = match algorithm.get(..2).unwrap() {
        "RS" | "PS" => EncodingKey::from_rsa_pem(pem).unwrap(),
        "ES" => EncodingKey::from_ec_pem(pem).unwrap(),
        "Ed" => EncodingKey::from_ed_pem(pem).unwrap(),
        _ => EncodingKey::from_secret(key.as_bytes()),
    };
    jsonwebtoken::crypto::sign(message, &key, algorithm.parse().unwrap()).unwrap()
}

/// Good claims, with changes: `null` takes a claim out.
pub(super) fn claims(changes: Value) -> String {
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": NOW - 10, "exp": NOW + 600});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims.to_string()
}

/// A token of the P-256 key `a` with these claims.
pub(super) fn es256(changes: Value) -> String {
    sign("p256_a", "ES256", r#"{"alg":"ES256","typ":"JWT","kid":"a"}"#, &claims(changes))
}

pub(super) fn try_compile(document: Value) -> Result<Identity, Problem> {
    let root = Path::root().key("identity");
    let document: IdentityDocument = from_tree(&tree_from_json(&document.to_string()).unwrap(), &root)?;
    let env = |name: &str| match name {
        "SECRET" => fixtures()["secret"].as_str().map(str::to_owned),
        "SHORT" => Some("too short".to_owned()),
        _ => None,
    };
    Identity::compile(&document, &env, &root)
}

/// An issuer with these keys inline, and changes to its entry.
pub(super) fn document(keys: Value, changes: Value) -> Value {
    let mut issuer = json!({"issuer": ISSUER, "audiences": AUDIENCE, "jwks": {"inline": {"keys": keys}}});
    for (name, value) in changes.as_object().unwrap() {
        issuer[name] = value.clone();
    }
    json!({"jwt": [issuer]})
}

/// An identity section with its worker and host.
pub(super) struct Gate {
    pub identity: Identity,
    pub keys: Keys,
    pub host: MemoryHost,
    pub now_ms: u64,
}

impl Gate {
    pub fn new(document: Value) -> Self {
        let identity = try_compile(document).unwrap();
        let keys = Keys::new(&identity, "test/");
        Self { identity, keys, host: MemoryHost::default(), now_ms: NOW_MS }
    }

    /// One with the P-256 key `a`.
    pub fn es256(changes: Value) -> Self {
        Self::new(document(json!([jwk("p256_a", json!({"kid": "a"}))]), changes))
    }

    pub fn ask(&mut self, headers: &[(&str, &str)]) -> Outcome {
        let headers: Headers = headers.iter().copied().collect();
        let credential = match take(&headers, &self.identity.take_options(false)) {
            Ok(credential) => credential,
            Err(reason) => return Outcome::Refused(reason),
        };
        let Self { identity, keys, host, now_ms } = self;
        identity.authenticate(keys, Presented { credential, headers: &headers }, *now_ms, None, host, &mut Vec::new())
    }

    pub fn token(&mut self, token: &str) -> Result<Rc<Principal>, Reason> {
        match self.ask(&[("authorization", &format!("Bearer {token}"))]) {
            Outcome::Verified(principal) => Ok(principal),
            Outcome::Refused(reason) => Err(reason),
            Outcome::Wait { .. } => panic!("nothing to wait for"),
        }
    }
}
