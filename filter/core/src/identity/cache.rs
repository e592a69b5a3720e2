//! Verified tokens, remembered for minutes: bounded, and never longer than they would verify again.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::jwt::Terms;
use super::principal::Principal;

/// A hasher for keys that are digests already: nobody can choose their first bytes cheaply, and no
/// random seed is needed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FirstBytes(u64);

/// Builds [`FirstBytes`].
pub(super) type DigestHasher = BuildHasherDefault<FirstBytes>;

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        // An array hashes its length first, as eight bytes or four; the digest comes after it.
        if let Some(first) = bytes.first_chunk::<8>().filter(|_| bytes.len() == 32) {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A token that verified.
#[derive(Clone, Debug)]
pub(super) struct Verified {
    pub principal: Rc<Principal>,
    pub terms: Rc<Terms>,
    /// Index of the issuer in the policy.
    pub issuer: usize,
    /// [`super::jwk::Key::fingerprint`] of the key that verified it.
    pub key: [u8; 32],
    pub at_ms: u64,
}

impl Verified {
    /// About how many bytes it takes. Issuers decide how many groups a token carries.
    fn weight(&self) -> usize {
        let text = |text: &String| text.len() + 40;
        let principal = &*self.principal;
        let claims = principal.claims.iter().map(|(name, values)| text(name) + values.iter().map(text).sum::<usize>());
        512 + principal.groups.iter().map(text).sum::<usize>() + claims.sum::<usize>()
    }
}

/// Most bytes of one generation, by [`Verified::weight`].
const MAX_WEIGHT: usize = 4 << 20;

type Generation = HashMap<[u8; 32], Verified, DigestHasher>;

/// A cache of two generations: what is used moves to the young one, and when that is full the old one is dropped.
/// So it is bounded, an insertion costs the same always, and what is in use stays.
#[derive(Debug)]
pub(super) struct Cache {
    young: Generation,
    old: Generation,
    /// Most entries of one generation.
    half: usize,
    /// The young generation's weight; entries that left it still count.
    weight: usize,
    max_age_ms: u64,
}

impl Cache {
    pub fn new(entries: usize, max_age_ms: u64) -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), half: entries.div_ceil(2), weight: 0, max_age_ms }
    }

    /// The entry under `digest`, unless it is too old.
    pub fn get(&mut self, digest: &[u8; 32], now_ms: u64) -> Option<Verified> {
        let entry = match self.young.get(digest) {
            Some(entry) => entry.clone(),
            None => self.old.remove(digest)?,
        };
        // A clock set back makes an entry's age unknown: verify again.
        let fresh = now_ms.checked_sub(entry.at_ms).is_some_and(|age| age < self.max_age_ms);
        if !fresh {
            self.remove(digest);
            return None;
        }
        if !self.young.contains_key(digest) {
            self.put(*digest, entry.clone());
        }
        Some(entry)
    }

    pub fn put(&mut self, digest: [u8; 32], entry: Verified) {
        if self.half == 0 {
            return;
        }
        let weight = entry.weight();
        if self.young.len() >= self.half || self.weight + weight > MAX_WEIGHT {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        self.young.insert(digest, entry);
    }

    pub fn remove(&mut self, digest: &[u8; 32]) {
        self.young.remove(digest);
        self.old.remove(digest);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::principal::Method;
    use super::*;

    fn entry(at_ms: u64) -> Verified {
        Verified {
            principal: Rc::new(Principal::new(Method::Jwt)),
            terms: Rc::new(Terms { not_before_ms: 0, not_after_ms: u64::MAX, certificate: None, subject: None }),
            issuer: 0,
            key: [0; 32],
            at_ms,
        }
    }

    fn digest(n: u32) -> [u8; 32] {
        hmac_sha256::Hash::hash(&n.to_be_bytes())
    }

    #[test]
    fn is_bounded_and_keeps_what_is_used() {
        let mut cache = Cache::new(100, 1000);
        for n in 0..10_000 {
            cache.put(digest(n), entry(0));
            assert!(cache.get(&digest(0), 0).is_some(), "{n}");
            assert!(cache.len() <= 100);
        }
        assert!(cache.get(&digest(1), 0).is_none());
        assert!(cache.get(&digest(9_999), 0).is_some());
        let mut heavy = entry(0);
        Rc::make_mut(&mut heavy.principal).groups = vec!["g".repeat(256); 1000];
        let mut cache = Cache::new(4096, 1000);
        for n in 0..1000 {
            cache.put(digest(n), heavy.clone());
        }
        assert!(cache.len() * heavy.weight() <= 2 * MAX_WEIGHT && cache.len() > 14, "{}", cache.len());
        let mut off = Cache::new(0, 1000);
        off.put(digest(0), entry(0));
        assert_eq!(off.len(), 0);
    }

    #[test]
    fn forgets_in_time() {
        let mut cache = Cache::new(10, 1000);
        cache.put(digest(0), entry(5_000));
        assert!(cache.get(&digest(0), 5_999).is_some());
        assert!(cache.get(&digest(0), 6_000).is_none());
        assert_eq!(cache.len(), 0);
        cache.put(digest(0), entry(5_000));
        assert!(cache.get(&digest(0), 4_999).is_none(), "the clock was set back");
    }

    #[test]
    fn digests_spread() {
        let hashes: std::collections::HashSet<u64> =
            (0..1000).map(|n| std::hash::BuildHasher::hash_one(&DigestHasher::default(), digest(n))).collect();
        assert_eq!(hashes.len(), 1000);
    }
}
