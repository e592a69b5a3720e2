//! Every algorithm verifies what others signed, natively and here, and nothing else.

use std::cell::Cell;

use jwt_simple::algorithms::RSAPublicKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::pkcs8::DecodePublicKey as _;
use superboring::hash::MessageDigest;

use super::*;
use crate::hex::hex;
use crate::host::{NativeAlgorithm, SignatureCheck};
use crate::identity::der::{self, Curve};

const ALL: [(&str, &str); 9] = [
    ("RS256", "rsa_a"),
    ("RS384", "rsa_a"),
    ("RS512", "rsa_a"),
    ("PS256", "rsa_a"),
    ("PS384", "rsa_a"),
    ("PS512", "rsa_a"),
    ("ES256", "p256_a"),
    ("ES384", "p384"),
    ("EdDSA", "ed25519"),
];

thread_local! {
    static NATIVE: Cell<u32> = const { Cell::new(0) };
}

/// What Envoy does: a key as SubjectPublicKeyInfo, an ECDSA signature as ASN.1.
fn native(check: SignatureCheck<'_>) -> bool {
    NATIVE.set(NATIVE.get() + 1);
    match check.algorithm {
        NativeAlgorithm::Rsa(bits) => {
            let digest = match bits {
                256 => MessageDigest::sha256(),
                384 => MessageDigest::sha384(),
                _ => MessageDigest::sha512(),
            };
            let key = RSAPublicKey::from_der(check.public_key).unwrap();
            let key = superboring::pkey::PKey::from_rsa(key.as_ref().clone()).unwrap();
            let mut verifier = superboring::sign::Verifier::new(digest, &key).unwrap();
            verifier.set_rsa_padding(superboring::rsa::Padding::PKCS1).unwrap();
            verifier.update(check.text).unwrap();
            verifier.verify(check.signature).unwrap()
        }
        NativeAlgorithm::Ecdsa(256) => {
            let key = p256::ecdsa::VerifyingKey::from_public_key_der(check.public_key).unwrap();
            p256::ecdsa::Signature::from_der(check.signature)
                .is_ok_and(|s| key.verify_prehash(&hmac_sha256::Hash::hash(check.text), &s).is_ok())
        }
        NativeAlgorithm::Ecdsa(_) => {
            let key = p384::ecdsa::VerifyingKey::from_public_key_der(check.public_key).unwrap();
            p384::ecdsa::Signature::from_der(check.signature)
                .is_ok_and(|s| key.verify_prehash(&hmac_sha512::sha384::Hash::hash(check.text), &s).is_ok())
        }
    }
}

fn gate(algorithm: &str, key: &str) -> Gate {
    Gate::new(document(json!([jwk(key, json!({"kid": "k", "alg": algorithm}))]), json!({})))
}

/// Changes one bit of a token's signature.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    format!("{signed}.{}", b64(bytes))
}

#[test]
fn tokens_of_openssl_and_of_jsonwebtoken_verify() {
    let fixtures = fixtures();
    for (algorithm, key) in ALL {
        let mut gate = gate(algorithm, key);
        let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"k"}}"#);
        let minted = sign(key, algorithm, &header, &claims(json!({"sub": "bob"})));
        for (token, user) in [(fixtures["tokens"][algorithm].as_str().unwrap(), "alice"), (&minted, "bob")] {
            let principal = gate.token(token).unwrap_or_else(|reason| panic!("{algorithm}: {reason}"));
            assert_eq!(principal.user.as_deref(), Some(user));
            assert_eq!(principal.key_id.as_deref(), Some("k"));
            assert_eq!(principal.expires_at, Some(NOW + 600));
            assert_eq!(gate.token(&forged(token)), Err(Reason::Signature), "{algorithm}");
        }
    }
}

#[test]
fn the_host_checks_what_it_can() {
    let fixtures = fixtures();
    for (algorithm, key) in ALL {
        let mut gate = gate(algorithm, key);
        gate.host.native = Some(native);
        NATIVE.set(0);
        let token = fixtures["tokens"][algorithm].as_str().unwrap();
        gate.token(token).unwrap_or_else(|reason| panic!("{algorithm}: {reason}"));
        assert_eq!(gate.token(&forged(token)), Err(Reason::Signature), "{algorithm}");
        let expected = if algorithm.starts_with("PS") || algorithm == "EdDSA" { 0 } else { 2 };
        assert_eq!(NATIVE.get(), expected, "{algorithm}");
        // The host's word counts, so that a wrong encoding of key or signature would show.
        gate.host.native = Some(|_| false);
        let again = sign(key, algorithm, &format!(r#"{{"alg":"{algorithm}","kid":"k"}}"#), &claims(json!({})));
        assert_eq!(gate.token(&again).is_err(), expected != 0, "{algorithm}");
    }
}

#[test]
fn shared_keys_verify() {
    let fixtures = fixtures();
    for algorithm in ["HS256", "HS384", "HS512"] {
        let key = json!({"id": "k", "secret": {"env": "SECRET"}, "algorithm": algorithm});
        let mut gate = Gate::new(json!({"jwt": [{"issuer": ISSUER, "audiences": [AUDIENCE, "other"], "key": key}]}));
        let token = fixtures["tokens"][algorithm].as_str().unwrap();
        assert_eq!(gate.token(token).unwrap().user.as_deref(), Some("alice"), "{algorithm}");
        assert_eq!(gate.token(&forged(token)), Err(Reason::Signature));
        for other in ["HS256", "HS384", "HS512"].into_iter().filter(|other| *other != algorithm) {
            assert_eq!(gate.token(fixtures["tokens"][other].as_str().unwrap()), Err(Reason::Algorithm));
        }
    }
}

#[test]
fn keys_encode_as_openssl_does() {
    let fixtures = fixtures();
    let part =
        |key: &str, part: &str| URL_SAFE_NO_PAD.decode(fixtures["keys"][key]["jwk"][part].as_str().unwrap()).unwrap();
    let spki = |key: &str| fixtures["keys"][key]["spki"].as_str().unwrap().to_owned();
    for key in ["rsa_a", "rsa_1024", "rsa_e3"] {
        assert_eq!(hex(&der::rsa_public_key(&part(key, "n"), &part(key, "e"))), spki(key), "{key}");
    }
    for (key, curve) in [("p256_a", Curve::P256), ("p384", Curve::P384)] {
        let point = [vec![4], part(key, "x"), part(key, "y")].concat();
        assert_eq!(hex(&der::ec_public_key(curve, &point)), spki(key), "{key}");
    }
}

#[test]
fn the_key_fixes_the_algorithm() {
    let rs = |algorithm: &str| {
        sign("rsa_a", algorithm, &format!(r#"{{"alg":"{algorithm}","kid":"k"}}"#), &claims(json!({})))
    };
    // Without `alg`, an RSA key is for RS256, or for the RSA ones of the configured list.
    let bare = json!([jwk("rsa_a", json!({"kid": "k"}))]);
    let mut default = Gate::new(document(bare.clone(), json!({})));
    assert!(default.token(&rs("RS256")).is_ok());
    for other in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        assert_eq!(default.token(&rs(other)), Err(Reason::Algorithm), "{other}");
    }
    let mut listed = Gate::new(document(bare, json!({"algorithms": ["PS256", "RS512", "ES256"]})));
    assert!(listed.token(&rs("PS256")).is_ok() && listed.token(&rs("RS512")).is_ok());
    assert_eq!(listed.token(&rs("RS256")), Err(Reason::Algorithm));
    let mut named = gate("PS384", "rsa_a");
    assert!(named.token(&rs("PS384")).is_ok());
    assert_eq!(named.token(&rs("RS256")), Err(Reason::Algorithm));
    // Both names of Ed25519 (RFC 8037, RFC 9864).
    for (key, token) in [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA")] {
        let header = format!(r#"{{"alg":"{token}","kid":"k"}}"#);
        assert!(gate(key, "ed25519").token(&sign("ed25519", "EdDSA", &header, &claims(json!({})))).is_ok());
    }
}

#[test]
fn a_token_without_kid_needs_one_key_that_fits() {
    let token = sign("p256_a", "ES256", r#"{"alg":"ES256"}"#, &claims(json!({})));
    let a = jwk("p256_a", json!({"kid": "a"}));
    let b = jwk("p256_b", json!({"kid": "b"}));
    let rsa = jwk("rsa_a", json!({"kid": "r"}));
    let mut gate = Gate::new(document(json!([a, rsa]), json!({})));
    assert_eq!(gate.token(&token).unwrap().key_id.as_deref(), Some("a"));
    let mut gate = Gate::new(document(json!([a, b]), json!({})));
    assert_eq!(gate.token(&token), Err(Reason::UnknownKey));
    let mut gate = Gate::new(document(json!([rsa]), json!({})));
    assert_eq!(gate.token(&token), Err(Reason::UnknownKey));
}
