//! JSON Web Keys (RFC 7517): which keys an issuer signs with, and which algorithm each is for.

use hmac_sha256::Hash;
use jwt_simple::algorithms::{Edwards25519PublicKey, P256PublicKey, P384PublicKey, RSAPublicKey};

use super::base64url;
use super::claims::usable;
use super::der::{self, Curve};
use super::json::Json;
use super::signature::{Algorithm, Material};

/// Most keys that are kept of one set. Real ones hold two to ten.
const MAX_KEYS: usize = 100;

/// A key, and what it may be used for.
#[derive(Debug)]
pub(super) struct Key {
    pub id: Option<String>,
    /// More than one only for an RSA key without `alg` where the configuration lists several.
    pub algorithms: Vec<Algorithm>,
    pub material: Material,
    /// Tells this key from any other: over id, algorithms and key bytes.
    pub fingerprint: [u8; 32],
}

impl Key {
    /// A shared key.
    pub fn shared(id: Option<String>, algorithm: Algorithm, secret: Vec<u8>) -> Self {
        Self::new(id, vec![algorithm], Material::Secret(secret.clone()), &secret)
    }

    fn new(id: Option<String>, algorithms: Vec<Algorithm>, material: Material, bytes: &[u8]) -> Self {
        let mut hash = Hash::new();
        hash.update(format!("{id:?}{algorithms:?}"));
        hash.update(bytes);
        Self { id, algorithms, material, fingerprint: hash.finalize() }
    }
}

/// Why no key fits a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// Nobody has the token's `kid`, or, without one, not exactly one key fits.
    Unknown,
    /// The key with the token's `kid` is for another algorithm.
    Algorithm,
}

/// The key for a token with this `kid` and `alg`.
pub(super) fn choose<'k>(
    keys: impl Iterator<Item = &'k Key>,
    id: Option<&str>,
    algorithm: Algorithm,
) -> Result<&'k Key, NoKey> {
    let fits = |key: &&Key| key.algorithms.contains(&algorithm);
    match id {
        Some(id) => {
            let mut keys = keys.filter(|key| key.id.as_deref() == Some(id)).peekable();
            if keys.peek().is_none() {
                return Err(NoKey::Unknown);
            }
            keys.find(fits).ok_or(NoKey::Algorithm)
        }
        None => {
            let mut keys = keys.filter(fits);
            match (keys.next(), keys.next()) {
                (Some(key), None) => Ok(key),
                _ => Err(NoKey::Unknown),
            }
        }
    }
}

/// An issuer's keys.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    pub keys: Vec<Key>,
    /// The keys of the document that were left out: their index and why.
    pub refused: Vec<(usize, &'static str)>,
}

impl KeySet {
    /// Reads a key set. Keys that cannot be used are left out and counted; `allowed` is the configured list of
    /// algorithms, empty for none.
    ///
    /// # Errors
    /// It is not a key set at all.
    pub fn read(json: &Json<'_>, allowed: &[Algorithm]) -> Result<Self, &'static str> {
        let Some(list) = json.get("keys").and_then(Json::list) else {
            return Err("not a JSON Web Key Set: there is no list `keys`");
        };
        let mut set = Self::default();
        let mut indices = Vec::new();
        for (index, jwk) in list.iter().enumerate() {
            if set.keys.len() >= MAX_KEYS {
                set.refused.push((index, "too many keys"));
                continue;
            }
            match key(jwk, allowed) {
                Ok(key) if set.keys.iter().any(|k| k.fingerprint == key.fingerprint) => {
                    set.refused.push((index, "the same key twice"));
                }
                Ok(key) => {
                    set.keys.push(key);
                    indices.push(index);
                }
                Err(why) => set.refused.push((index, why)),
            }
        }
        // Two different keys under one id: which of them is meant is anybody's guess, so neither is.
        let repeated: Vec<bool> =
            set.keys.iter().map(|a| a.id.is_some() && set.keys.iter().filter(|b| a.id == b.id).count() > 1).collect();
        let mut repeats = repeated.iter();
        set.keys.retain(|_| repeats.next() != Some(&true));
        let refused = indices.iter().zip(&repeated).filter(|(_, repeated)| **repeated);
        set.refused.extend(refused.map(|(index, _)| (*index, "another key has the same `kid`")));
        Ok(set)
    }
}

fn key(jwk: &Json<'_>, allowed: &[Algorithm]) -> Result<Key, &'static str> {
    let text = |name: &str| jwk.get(name).map(|v| v.text().ok_or("a member is not text")).transpose();
    if ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| jwk.has(name)) {
        return Err("it holds a private key: publish only its public part, and replace the key");
    }
    let id = text("kid")?;
    if id.is_some_and(|id| !usable(id)) {
        return Err("`kid` is empty, longer than 256 bytes or holds control characters");
    }
    if text("use")?.is_some_and(|purpose| purpose != "sig") {
        return Err("`use` is not `sig`");
    }
    if let Some(operations) = jwk.get("key_ops") {
        let operations = operations.list().ok_or("`key_ops` is not a list")?;
        if !operations.iter().any(|o| o.text() == Some("verify")) {
            return Err("`key_ops` does not list `verify`");
        }
    }
    let named = match text("alg")? {
        Some(name) => Some(Algorithm::named(name).ok_or("`alg` is not a signature algorithm known here")?),
        None => None,
    };
    let coordinate = |name: &str, missing| text(name)?.and_then(base64url::decode).ok_or(missing);
    let (algorithms, material, bytes): (Vec<Algorithm>, Material, Vec<u8>) = match text("kty")?.unwrap_or_default() {
        "RSA" => {
            let modulus = coordinate("n", "`n` is missing or not base64url")?;
            let exponent = coordinate("e", "`e` is missing or not base64url")?;
            let material = rsa(&modulus, &exponent)?;
            let algorithms = match named {
                Some(algorithm) => vec![algorithm],
                None if allowed.is_empty() => vec![Algorithm::Rs256],
                None => allowed.iter().copied().filter(|a| a.is_rsa()).collect(),
            };
            if algorithms.iter().any(|a| !a.is_rsa()) {
                return Err("`alg` does not fit `kty`");
            }
            (algorithms, material, modulus)
        }
        "EC" => {
            let x = coordinate("x", "`x` is missing or not base64url")?;
            let y = coordinate("y", "`y` is missing or not base64url")?;
            let (algorithm, size) = match text("crv")?.unwrap_or_default() {
                "P-256" => (Algorithm::Es256, 32),
                "P-384" => (Algorithm::Es384, 48),
                _ => return Err("`crv` is not P-256 or P-384"),
            };
            if x.len() != size || y.len() != size {
                return Err("a coordinate is not as long as the curve's field");
            }
            let point = [&[4][..], &x, &y].concat();
            let off_curve = "the point is not on the curve";
            let material = if algorithm == Algorithm::Es256 {
                let key = Box::new(P256PublicKey::from_bytes(&point).map_err(|_| off_curve)?);
                Material::P256 { key, info: der::ec_public_key(Curve::P256, &point) }
            } else {
                let key = Box::new(P384PublicKey::from_bytes(&point).map_err(|_| off_curve)?);
                Material::P384 { key, info: der::ec_public_key(Curve::P384, &point) }
            };
            (vec![algorithm], material, point)
        }
        "OKP" if text("crv")? == Some("Ed25519") => {
            let x = coordinate("x", "`x` is missing or not base64url")?;
            if x.len() != 32 {
                return Err("`x` is not 32 bytes long");
            }
            let key = Edwards25519PublicKey::from_bytes(&x).map_err(|_| "`x` is not an Ed25519 key")?;
            (vec![Algorithm::EdDsa], Material::Ed25519(key), x)
        }
        "OKP" => return Err("`crv` is not Ed25519"),
        "oct" => return Err("a shared key has no place in a key set: give it as `key` with `secret: {env: NAME}`"),
        _ => return Err("`kty` is not RSA, EC or OKP"),
    };
    if named.is_some_and(|named| !algorithms.contains(&named)) {
        return Err("`alg` does not fit `kty` and `crv`");
    }
    let algorithms: Vec<Algorithm> =
        algorithms.into_iter().filter(|a| allowed.is_empty() || allowed.contains(a)).collect();
    if algorithms.is_empty() {
        return Err("the configured `algorithms` leave nothing for it");
    }
    Ok(Key::new(id.map(str::to_owned), algorithms, material, &bytes))
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Material, &'static str> {
    let zeros = modulus.iter().take_while(|b| **b == 0).count();
    let modulus = modulus.get(zeros..).unwrap_or_default();
    let Some(top) = modulus.first() else { return Err("`n` is zero") };
    let bits = modulus.len() * 8 - top.leading_zeros() as usize;
    if !(2048..=4096).contains(&bits) {
        return Err("an RSA key must have 2048 to 4096 bits");
    }
    if exponent != [1, 0, 1] {
        return Err("an RSA key's exponent must be 65537 (`AQAB`)");
    }
    let key = RSAPublicKey::from_components(modulus, exponent).map_err(|_| "not an RSA key")?;
    let info = der::rsa_public_key(modulus, exponent);
    Ok(Material::Rsa { size: modulus.len(), key: Box::new(key), info })
}
