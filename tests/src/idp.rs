//! A test identity provider: keys, tokens minted by an implementation other than the one under test
//! (`jsonwebtoken`), and a JWKS endpoint that can rotate, be slow, and go down.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
pub use jsonwebtoken::Algorithm;
use jsonwebtoken::EncodingKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Map, Value, json};

use crate::upstream::{Script, Step, Upstream};

/// Audience of the tokens that [`Idp::claims`] makes.
pub const AUDIENCE: &str = "doorward";

/// A signing key and its public half as JWK.
#[derive(Clone)]
pub struct Key {
    /// `kid`.
    pub kid: String,
    /// The algorithm it signs with.
    pub algorithm: Algorithm,
    /// Public JWK with `kid`, `alg` and `use`; for a shared secret, the `oct` key itself.
    pub jwk: Value,
    secret: EncodingKey,
}

impl Key {
    /// A fresh key of the kind that `algorithm` needs; RSA keys are the same for the same `kid`.
    pub fn new(kid: &str, algorithm: Algorithm) -> Self {
        let (secret, public) = match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => rsa_pair(kid),
            Algorithm::ES256 => {
                let key = p256::SecretKey::random(&mut OsRng);
                let jwk: Value = serde_json::from_str(&key.public_key().to_jwk_string()).expect("a JWK");
                (EncodingKey::from_ec_der(key.to_pkcs8_der().expect("PKCS#8").as_bytes()), jwk)
            }
            Algorithm::ES384 => {
                let key = p384::SecretKey::random(&mut OsRng);
                let jwk: Value = serde_json::from_str(&key.public_key().to_jwk_string()).expect("a JWK");
                (EncodingKey::from_ec_der(key.to_pkcs8_der().expect("PKCS#8").as_bytes()), jwk)
            }
            Algorithm::EdDSA => {
                let key = ed25519_dalek::SigningKey::generate(&mut OsRng);
                let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
                let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
                (EncodingKey::from_ed_der(key.to_pkcs8_der().expect("PKCS#8").as_bytes()), jwk)
            }
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
                let mut bytes = [0; 64];
                rsa::rand_core::RngCore::fill_bytes(&mut OsRng, &mut bytes);
                return Self::shared(kid, algorithm, &bytes);
            }
            other => panic!("no key for {other:?}"),
        };
        Self::of(kid, algorithm, secret, public)
    }

    /// A key with a shared secret (HS256, HS384, HS512).
    pub fn shared(kid: &str, algorithm: Algorithm, secret: &[u8]) -> Self {
        let public = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret)});
        Self::of(kid, algorithm, EncodingKey::from_secret(secret), public)
    }

    fn of(kid: &str, algorithm: Algorithm, secret: EncodingKey, mut jwk: Value) -> Self {
        jwk["kid"] = json!(kid);
        jwk["alg"] = json!(format!("{algorithm:?}"));
        jwk["use"] = json!("sig");
        Self { kid: kid.to_owned(), algorithm, jwk, secret }
    }

    /// A token over `claims` with the usual header.
    pub fn mint(&self, claims: &Value) -> String {
        self.mint_with(&json!({"alg": format!("{:?}", self.algorithm), "typ": "JWT", "kid": self.kid}), claims)
    }

    /// A token with any header, signed with this key's own algorithm whatever the header says.
    pub fn mint_with(&self, header: &Value, claims: &Value) -> String {
        self.mint_raw(header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// A token over any bytes (duplicate members, bad UTF-8, ...), properly signed.
    pub fn mint_raw(&self, header: &[u8], claims: &[u8]) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature =
            jsonwebtoken::crypto::sign(signed.as_bytes(), &self.secret, self.algorithm).expect("a signature");
        format!("{signed}.{signature}")
    }
}

/// A valid token's claims with `more` (an object) over them; a `null` takes a claim away.
pub fn changed(claims: &Map<String, Value>, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("further claims are an object, not {more}") };
    let mut claims = claims.clone();
    claims.extend(more);
    claims.retain(|_, value| !value.is_null());
    Value::Object(claims)
}

/// A token with `alg: none` and no signature.
pub fn unsigned(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(claims))
}

/// Seconds since the epoch.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

type RsaPair = (EncodingKey, Value);

/// Generating takes long, so tests of one process share the key of a `kid`.
fn rsa_pair(kid: &str) -> RsaPair {
    static KEYS: Mutex<BTreeMap<String, Arc<OnceLock<RsaPair>>>> = Mutex::new(BTreeMap::new());
    let slot = Arc::clone(KEYS.lock().unwrap_or_else(PoisonError::into_inner).entry(kid.to_owned()).or_default());
    let generate = || {
        let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).expect("an RSA key");
        let part = |value: &rsa::BigUint| URL_SAFE_NO_PAD.encode(value.to_bytes_be());
        let jwk = json!({"kty": "RSA", "n": part(key.n()), "e": part(key.e())});
        (EncodingKey::from_rsa_der(key.to_pkcs1_der().expect("PKCS#1").as_bytes()), jwk)
    };
    slot.get_or_init(generate).clone()
}

#[derive(Default)]
struct State {
    published: Vec<Value>,
    down: bool,
    delay: Duration,
}

/// A running identity provider; publishes its keys at `/jwks.json`.
pub struct Idp {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Its endpoint; requests are counted there.
    pub endpoint: Upstream,
    key: Mutex<Key>,
    state: Arc<Mutex<State>>,
}

impl Idp {
    /// A provider signing with a fresh key of this algorithm.
    pub async fn start(algorithm: Algorithm) -> Self {
        Self::with(Key::new("key-1", algorithm)).await
    }

    /// A provider signing with `key`.
    pub async fn with(key: Key) -> Self {
        let state = Arc::new(Mutex::new(State { published: vec![key.jwk.clone()], ..State::default() }));
        let shared = Arc::clone(&state);
        let endpoint = Upstream::with(Arc::new(move |seen| {
            let state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            match seen.target.as_str() {
                _ if state.down => Script::reset(),
                "/jwks.json" | "/.well-known/jwks.json" => {
                    Script::json(&json!({"keys": state.published})).after(Step::Pause(state.delay))
                }
                _ => Script::status(404),
            }
        }))
        .await;
        Self { issuer: "https://idp.test".to_owned(), endpoint, key: Mutex::new(key), state }
    }

    /// The key it signs with now.
    pub fn key(&self) -> Key {
        self.key.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The published key set.
    pub fn jwks(&self) -> Value {
        json!({"keys": self.lock().published})
    }

    /// Claims of a valid token for `user`: issuer, audience, five minutes to live.
    pub fn claims(&self, user: &str) -> Map<String, Value> {
        let claims = json!({"iss": self.issuer, "aud": AUDIENCE, "sub": user, "iat": now(), "exp": now() + 300});
        let Value::Object(claims) = claims else { unreachable!("an object") };
        claims
    }

    /// A valid token for `user`, with further claims (an object) over the usual ones.
    pub fn token(&self, user: &str, more: Value) -> String {
        let mut claims = self.claims(user);
        let Value::Object(more) = more else { panic!("further claims are an object, not {more}") };
        claims.extend(more);
        self.key().mint(&Value::Object(claims))
    }

    /// Signs with `key` from now on and publishes it beside (`keep_old`) or instead of the old ones.
    pub fn rotate(&self, key: Key, keep_old: bool) {
        let mut state = self.lock();
        if !keep_old {
            state.published.clear();
        }
        state.published.push(key.jwk.clone());
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// Connections are reset while `down`.
    pub fn set_down(&self, down: bool) {
        self.lock().down = down;
    }

    /// Every answer takes this long.
    pub fn set_delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// How often the keys were asked for.
    pub fn fetches(&self) -> usize {
        self.endpoint.count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
