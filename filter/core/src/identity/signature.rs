//! Signatures of tokens (RFC 7518): checked by the host where it can, otherwise with the crypto of jwt-simple.

use ed25519_compact::Signature as Ed25519Signature;
use hmac_sha512::sha384;
use jwt_simple::algorithms::{Edwards25519PublicKey, P256PublicKey, P384PublicKey, RSAPublicKey};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use serde::Deserialize;
use superboring::hash::MessageDigest;
use superboring::pkey::PKey;
use superboring::rsa::Padding;
use superboring::sign::Verifier;

use super::der;
use crate::host::{Host, NativeAlgorithm, SignatureCheck};

/// A signature algorithm (RFC 7518, section 3.1; RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
    /// RSASSA-PSS with SHA-256 and MGF1 with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PSS with SHA-384 and MGF1 with SHA-384.
    #[serde(rename = "PS384")]
    Ps384,
    /// RSASSA-PSS with SHA-512 and MGF1 with SHA-512.
    #[serde(rename = "PS512")]
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// Ed25519. Tokens and keys may name it `EdDSA` (RFC 8037) or `Ed25519` (RFC 9864).
    #[serde(rename = "EdDSA", alias = "Ed25519")]
    EdDsa,
    /// HMAC with SHA-256.
    #[serde(rename = "HS256")]
    Hs256,
    /// HMAC with SHA-384.
    #[serde(rename = "HS384")]
    Hs384,
    /// HMAC with SHA-512.
    #[serde(rename = "HS512")]
    Hs512,
}

impl Algorithm {
    /// The algorithm that a token or a key names. `none` and whatever else is not listed here is none.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            _ => return None,
        })
    }

    /// Whether this takes an RSA key.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512)
    }

    /// For HMAC, the fewest bytes a key may have (RFC 7518, section 3.2).
    pub fn shared_key_bytes(self) -> Option<usize> {
        match self {
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
            Self::Hs512 => Some(64),
            _ => None,
        }
    }
}

/// What a signature is checked with.
pub(super) enum Material {
    /// Modulus size in bytes, the key, and its SubjectPublicKeyInfo.
    Rsa {
        size: usize,
        key: Box<RSAPublicKey>,
        info: Vec<u8>,
    },
    P256 {
        key: Box<P256PublicKey>,
        info: Vec<u8>,
    },
    P384 {
        key: Box<P384PublicKey>,
        info: Vec<u8>,
    },
    Ed25519(Edwards25519PublicKey),
    Secret(Vec<u8>),
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rsa { .. } => "RSA",
            Self::P256 { .. } => "P-256",
            Self::P384 { .. } => "P-384",
            Self::Ed25519(_) => "Ed25519",
            Self::Secret(_) => "secret",
        })
    }
}

impl Material {
    /// Whether `signature` over `text` verifies with this key and `algorithm`. A key of another kind verifies nothing.
    pub fn verifies(&self, algorithm: Algorithm, text: &[u8], signature: &[u8], host: &mut dyn Host) -> bool {
        match (self, algorithm) {
            (Self::Rsa { size, key, info }, _) if signature.len() == *size => {
                let bits = match algorithm {
                    Algorithm::Rs256 => 256,
                    Algorithm::Rs384 => 384,
                    Algorithm::Rs512 => 512,
                    _ => return rsa(key, algorithm, text, signature) == Some(true),
                };
                native(host, NativeAlgorithm::Rsa(bits), info, text, signature)
                    .unwrap_or_else(|| rsa(key, algorithm, text, signature) == Some(true))
            }
            (Self::P256 { key, info }, Algorithm::Es256) => {
                let Some(asn1) = der::ecdsa_signature(signature, 32) else { return false };
                native(host, NativeAlgorithm::Ecdsa(256), info, text, &asn1).unwrap_or_else(|| {
                    p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                        let hash = hmac_sha256::Hash::hash(text);
                        (**key).as_ref().verify_prehash(&hash, &signature).is_ok()
                    })
                })
            }
            (Self::P384 { key, info }, Algorithm::Es384) => {
                let Some(asn1) = der::ecdsa_signature(signature, 48) else { return false };
                native(host, NativeAlgorithm::Ecdsa(384), info, text, &asn1).unwrap_or_else(|| {
                    p384::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                        let hash = sha384::Hash::hash(text);
                        (**key).as_ref().verify_prehash(&hash, &signature).is_ok()
                    })
                })
            }
            (Self::Ed25519(key), Algorithm::EdDsa) => Ed25519Signature::from_slice(signature)
                .is_ok_and(|signature| key.as_ref().verify(text, &signature).is_ok()),
            (Self::Secret(key), Algorithm::Hs256) => {
                signature.try_into().is_ok_and(|mac| hmac_sha256::HMAC::verify(text, key, mac))
            }
            (Self::Secret(key), Algorithm::Hs384) => {
                signature.try_into().is_ok_and(|mac| sha384::HMAC::verify(text, key, mac))
            }
            (Self::Secret(key), Algorithm::Hs512) => {
                signature.try_into().is_ok_and(|mac| hmac_sha512::HMAC::verify(text, key, mac))
            }
            _ => false,
        }
    }
}

/// The host's verdict; `None` where it has none, so that the check is done here instead.
fn native(
    host: &mut dyn Host,
    algorithm: NativeAlgorithm,
    public_key: &[u8],
    text: &[u8],
    signature: &[u8],
) -> Option<bool> {
    host.verify(SignatureCheck { algorithm, public_key, signature, text }).ok()
}

fn rsa(key: &RSAPublicKey, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> Option<bool> {
    let (digest, padding) = match algorithm {
        Algorithm::Rs256 => (MessageDigest::sha256(), Padding::PKCS1),
        Algorithm::Rs384 => (MessageDigest::sha384(), Padding::PKCS1),
        Algorithm::Rs512 => (MessageDigest::sha512(), Padding::PKCS1),
        Algorithm::Ps256 => (MessageDigest::sha256(), Padding::PKCS1_PSS),
        Algorithm::Ps384 => (MessageDigest::sha384(), Padding::PKCS1_PSS),
        Algorithm::Ps512 => (MessageDigest::sha512(), Padding::PKCS1_PSS),
        _ => return None,
    };
    let key = PKey::from_rsa(key.as_ref().clone()).ok()?;
    let mut verifier = Verifier::new(digest, &key).ok()?;
    verifier.set_rsa_padding(padding).ok()?;
    verifier.update(text).ok()?;
    verifier.verify(signature).ok()
}
