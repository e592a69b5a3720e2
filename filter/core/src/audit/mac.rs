//! HMAC-SHA-256 (RFC 2104) whose key is hashed once: a record takes dozens of codes of one key.

/// A code in the making. Its clone goes on from where it is.
#[derive(Clone)]
pub(crate) struct Mac {
    inner: hmac_sha256::Hash,
    outer: hmac_sha256::Hash,
}

impl Mac {
    pub fn new(key: [u8; 32]) -> Self {
        let pad = |with: u8| {
            let mut block = [with; 64];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            let mut hash = hmac_sha256::Hash::new();
            hash.update(block);
            hash
        };
        Self { inner: pad(0x36), outer: pad(0x5c) }
    }

    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.inner.update(bytes);
    }

    pub fn finalize(self) -> [u8; 32] {
        let mut outer = self.outer;
        outer.update(self.inner.finalize());
        outer.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_hmac() {
        for length in [0, 1, 63, 64, 65, 1000] {
            let (key, text) = ([length as u8; 32], vec![b'x'; length]);
            let mut mac = Mac::new(key);
            mac.update(&text);
            assert_eq!(mac.clone().finalize(), hmac_sha256::HMAC::mac(&text, key));
            mac.update(b"more");
            assert_eq!(mac.finalize(), hmac_sha256::HMAC::mac([&*text, b"more"].concat(), key));
        }
    }
}
