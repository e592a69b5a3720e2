//! Names that stand for users: keyed digests, the same for the same user and key.

use crate::hex::hex;

/// Makes pseudonyms.
#[derive(Clone)]
pub struct Pseudonyms {
    key: [u8; 32],
    /// Which key it is.
    id: String,
}

impl Pseudonyms {
    /// With the bytes of `audit.user_key`.
    pub fn new(key: &[u8]) -> Self {
        let key = hmac_sha256::HMAC::mac(b"doorward pseudonyms v1", key);
        let id = hmac_sha256::HMAC::mac(b"id", key);
        Self { key, id: hex(id.get(..2).unwrap_or_default()) }
    }

    /// The pseudonym of a user: `u-3fa9-` (the key's id) and 80 bits in hex.
    pub fn of(&self, name: &str) -> String {
        let mut mac = hmac_sha256::HMAC::new(self.key);
        mac.update(b"user");
        mac.update(name);
        format!("u-{}-{}", self.id, hex(mac.finalize().get(..10).unwrap_or_default()))
    }
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_by_its_names_and_names_by_no_other_key() {
        let (one, other) = (Pseudonyms::new(&[1; 32]), Pseudonyms::new(&[2; 32]));
        assert_eq!(one.of("alice"), Pseudonyms::new(&[1; 32]).of("alice"));
        assert_ne!(one.of("alice"), one.of("bob"));
        assert_ne!(one.of("alice"), other.of("alice"));
        assert_eq!(one.of("alice").get(..7), one.of("bob").get(..7));
        assert_eq!(one.of("alice").len(), 27);
    }
}
