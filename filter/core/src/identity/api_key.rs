//! API keys of the gateway: `dw_`, 32 random bytes in base62, and a checksum, so that a key is recognised (by
//! secret scanners too) and a mistyped one is told from an unknown one without a lookup.

use std::collections::HashMap;
use std::rc::Rc;

use hmac_sha256::Hash;

use super::cache::DigestHasher;
use super::claims::usable;
use super::document::ApiKeyDocument;
use super::principal::{Method, Principal};
use super::reason::Reason;

use crate::calendar;
use crate::config::{Path, Problem};
use crate::hex::{hex, unhex};

const PREFIX: &str = "dw_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Digits that 256 bits take in base62.
const RANDOM_DIGITS: usize = 43;
/// Digits that a CRC-32 takes in base62.
const CHECKSUM_DIGITS: usize = 6;

/// A new API key. The key is shown once and kept nowhere; the digest goes into the policy.
#[derive(Clone, PartialEq, Eq)]
pub struct MintedKey {
    /// The key itself: 52 characters from `dw_`.
    pub key: String,
    /// A name for the record that says nothing about the key: `key-` and 12 hex digits of the digest.
    pub id: String,
    /// `sha256:` and the SHA-256 of the key in hex.
    pub digest: String,
}

impl std::fmt::Debug for MintedKey {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MintedKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Makes an API key of 256 random bits, which must come from a source fit for keys.
pub fn mint_api_key(random: [u8; 32]) -> MintedKey {
    let mut key = String::from(PREFIX);
    key.push_str(&base62(&random, RANDOM_DIGITS));
    let checksum = crc32(key.as_bytes());
    key.push_str(&base62(&checksum.to_be_bytes(), CHECKSUM_DIGITS));
    let digest = hex(&Hash::hash(key.as_bytes()));
    let id = format!("key-{}", digest.get(..12).unwrap_or_default());
    MintedKey { key, id, digest: format!("sha256:{digest}") }
}

/// Whether a credential is meant to be an API key of ours.
pub(super) fn is_api_key(credential: &str) -> bool {
    // A JSON Web Token's header never encodes to this; and it has dots.
    credential.starts_with(PREFIX) && !credential.contains('.')
}

fn is_well_formed(key: &str) -> bool {
    key.split_at_checked(PREFIX.len() + RANDOM_DIGITS)
        .is_some_and(|(body, checksum)| base62(&crc32(body.as_bytes()).to_be_bytes(), CHECKSUM_DIGITS) == checksum)
}

/// A number (big-endian) in exactly `digits` digits of base62; what does not fit is lost.
fn base62(number: &[u8], digits: usize) -> String {
    let mut number = number.to_vec();
    let mut out = vec![b'0'; digits];
    for digit in out.iter_mut().rev() {
        let mut rest = 0u16;
        for byte in &mut number {
            let value = rest << 8 | u16::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *digit = ALPHABET.get(usize::from(rest)).copied().unwrap_or(b'0');
    }
    out.into_iter().map(char::from).collect()
}

/// CRC-32 (ISO 3309), as in zip and PNG.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// The API keys of a policy.
#[derive(Debug, Default)]
pub(super) struct ApiKeys(HashMap<[u8; 32], Entry, DigestHasher>);

#[derive(Debug)]
struct Entry {
    principal: Rc<Principal>,
    revoked: bool,
}

impl ApiKeys {
    /// Reads the configured keys.
    pub fn compile(documents: &[ApiKeyDocument], path: &Path) -> Result<Self, Problem> {
        let mut keys = Self::default();
        for (index, document) in documents.iter().enumerate() {
            let path = path.index(index);
            let texts = [Some(&document.id), document.user.as_ref(), document.team.as_ref(), document.purpose.as_ref()];
            if texts.into_iter().flatten().chain(&document.groups).any(|text| !usable(text)) {
                return Err(Problem::new(path, "a text is empty, too long or holds control characters")
                    .help("`id`, `user`, `team`, `purpose` and `groups` are at most 256 bytes of visible text"));
            }
            if documents.iter().take(index).any(|d| d.id == document.id) {
                return Err(Problem::new(path.key("id"), format!("the id `{}` is there twice", document.id))
                    .help("give each API key an id of its own"));
            }
            let digest = document.digest.strip_prefix("sha256:").and_then(unhex).ok_or_else(|| {
                Problem::new(path.key("digest"), "not a digest")
                    .help("`doorward key` prints it: `sha256:` and 64 lower-case hex digits; never the key itself")
            })?;
            let expires_at = match &document.expires {
                None => None,
                Some(text) => Some(calendar::end(text).ok_or_else(|| {
                    Problem::new(path.key("expires"), "not a date")
                        .help("write `2026-12-31` or `2026-12-31T18:00:00Z` (RFC 3339), in quotes")
                })?),
            };
            let principal = Rc::new(Principal {
                user: document.user.clone(),
                groups: document.groups.clone(),
                team: document.team.clone(),
                purpose: document.purpose.clone(),
                key_id: Some(document.id.clone()),
                expires_at,
                ends_ms: expires_at.map(|end| end.saturating_mul(1000)),
                ..Principal::new(Method::ApiKey)
            });
            if keys.0.insert(digest, Entry { principal, revoked: document.revoked }).is_some() {
                return Err(Problem::new(path.key("digest"), "the digest is there twice")
                    .help("one key cannot belong to two owners: mint another with `doorward key`"));
            }
        }
        Ok(keys)
    }

    /// Whose key this is. Looked up by digest: how long that takes says nothing about any key.
    pub fn find(&self, credential: &str, now_ms: u64) -> Result<Rc<Principal>, Reason> {
        if !is_well_formed(credential) {
            return Err(Reason::Malformed);
        }
        let entry = self.0.get(&Hash::hash(credential.as_bytes())).ok_or(Reason::UnknownApiKey)?;
        if entry.revoked {
            return Err(Reason::Revoked);
        }
        if entry.principal.expires_at.is_some_and(|end| now_ms / 1000 >= end) {
            return Err(Reason::Expired);
        }
        Ok(entry.principal.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_recognisable_and_checked() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(base62(&[0xff; 32], RANDOM_DIGITS).len(), 43);
        assert_eq!(base62(&61u32.to_be_bytes(), 2), "0z");
        assert_eq!(base62(&3844u32.to_be_bytes(), 3), "100");
        let minted = mint_api_key([7; 32]);
        assert_eq!(minted.key.len(), 52);
        assert!(is_api_key(&minted.key) && is_well_formed(&minted.key));
        assert_ne!(mint_api_key([8; 32]).digest, minted.digest);
        // All 256 bits count: the first and the last change the key.
        let mut other = [7; 32];
        other[0] ^= 0x80;
        assert_ne!(mint_api_key(other).key, minted.key);
        other[0] ^= 0x80;
        other[31] ^= 1;
        assert_ne!(mint_api_key(other).key, minted.key);
        let mut typo = minted.key.clone();
        let last = typo.pop().unwrap();
        assert!(!is_well_formed(&typo));
        typo.push(if last == 'x' { 'y' } else { 'x' });
        assert!(!is_well_formed(&typo));
        assert!(!is_well_formed("dw_") && !is_well_formed(&format!("{}0", minted.key)));
        assert!(!format!("{minted:?}").contains(minted.key.get(10..).unwrap()));
    }
}
