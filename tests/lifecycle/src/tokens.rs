//! Tokens for scenarios, minted with `jsonwebtoken` from the committed test keys.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The scenarios' present, in seconds since the epoch.
pub const NOW: u64 = 1_800_000_000;

/// A token as `scenarios/tokens.yaml` describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// Which committed key signs.
    key: String,
    /// `alg`.
    #[serde(default = "rs256")]
    alg: String,
    /// `kid`.
    #[serde(default)]
    kid: Option<String>,
    /// Claims beside `iss`, `aud`, `iat` and `exp`, which they override.
    #[serde(default)]
    claims: Map<String, Value>,
    /// Seconds from now to `exp`.
    #[serde(default = "ten_minutes")]
    expires: i64,
    /// The signature is another token's.
    #[serde(default)]
    forged: bool,
}

fn rs256() -> String {
    "RS256".to_owned()
}

fn ten_minutes() -> i64 {
    600
}

fn keys() -> &'static Value {
    static KEYS: OnceLock<Value> = OnceLock::new();
    KEYS.get_or_init(|| {
        let text = include_str!("../../../filter/core/src/identity/testdata/test-only-keys.json");
        serde_json::from_str(text).expect("the committed keys are JSON")
    })
}

impl TokenSpec {
    /// The token in compact form, minted at `now`.
    pub fn mint(&self, now: u64) -> String {
        let mut header =
            Map::from_iter([("alg".to_owned(), self.alg.as_str().into()), ("typ".to_owned(), "JWT".into())]);
        if let Some(kid) = &self.kid {
            header.insert("kid".to_owned(), kid.as_str().into());
        }
        let mut claims = Map::from_iter([
            ("iss".to_owned(), "https://issuer.test".into()),
            ("aud".to_owned(), "doorward".into()),
            ("iat".to_owned(), (now - 10).into()),
            ("exp".to_owned(), (now as i64 + self.expires).into()),
        ]);
        claims.extend(self.claims.clone());
        let part = |map: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(map).to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let pem = keys()["keys"][&self.key]["pem"].as_str().unwrap_or_else(|| panic!("no key `{}`", self.key));
        let key = match self.alg.get(..2) {
            Some("RS" | "PS") => EncodingKey::from_rsa_pem(pem.as_bytes()),
            Some("ES") => EncodingKey::from_ec_pem(pem.as_bytes()),
            _ => EncodingKey::from_ed_pem(pem.as_bytes()),
        };
        let signed = if self.forged { format!("{text}x") } else { text.clone() };
        let algorithm = self.alg.parse().expect("an algorithm that jsonwebtoken knows");
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key.expect("a readable key"), algorithm);
        format!("{text}.{}", signature.expect("a signature"))
    }
}

/// A committed key as a public JWK with this `kid`.
pub fn jwk(key: &str, kid: &str) -> Value {
    let mut jwk = keys()["keys"][key]["jwk"].clone();
    assert!(jwk.is_object(), "no key `{key}`");
    jwk["kid"] = kid.into();
    jwk
}
