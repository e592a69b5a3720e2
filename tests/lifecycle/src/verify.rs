//! Envoy's foreign function `verify_signature`, by other crates than the filter's.

use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::DecodePublicKey as _;
use rsa::RsaPublicKey;
use rsa::pkcs1v15;
use rsa::sha2::{Sha256, Sha384, Sha512};

/// What is to be checked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `sha256`, `sha384` or `sha512`.
    pub hash: &'a str,
    /// DER SubjectPublicKeyInfo.
    pub public_key: &'a [u8],
    /// PKCS#1 v1.5, or ASN.1 for ECDSA.
    pub signature: &'a [u8],
    /// What was signed.
    pub text: &'a [u8],
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The signature is good.
    Good,
    /// It is not.
    Bad,
    /// Nothing can be said: a key that is not read, or of a kind that Envoy does not check.
    Unable,
}

/// Checks a signature: RSA with PKCS#1 v1.5, ECDSA on P-256 with SHA-256 and on P-384 with SHA-384.
pub fn check(request: &Request<'_>) -> Verdict {
    let Request { hash, public_key, signature, text } = *request;
    let said = |good: bool| if good { Verdict::Good } else { Verdict::Bad };
    if let Ok(key) = RsaPublicKey::from_public_key_der(public_key) {
        let Ok(signature) = pkcs1v15::Signature::try_from(signature) else { return Verdict::Bad };
        return match hash {
            "sha256" => said(pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(text, &signature).is_ok()),
            "sha384" => said(pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(text, &signature).is_ok()),
            "sha512" => said(pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(text, &signature).is_ok()),
            _ => Verdict::Unable,
        };
    }
    match hash {
        "sha256" => p256::ecdsa::VerifyingKey::from_public_key_der(public_key).map_or(Verdict::Unable, |key| {
            said(p256::ecdsa::Signature::from_der(signature).is_ok_and(|s| key.verify(text, &s).is_ok()))
        }),
        "sha384" => p384::ecdsa::VerifyingKey::from_public_key_der(public_key).map_or(Verdict::Unable, |key| {
            said(p384::ecdsa::Signature::from_der(signature).is_ok_and(|s| key.verify(text, &s).is_ok()))
        }),
        _ => Verdict::Unable,
    }
}
