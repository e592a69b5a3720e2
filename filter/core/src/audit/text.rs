//! Digests of single texts: "who sent this?", asked of a record that holds none of them.
//!
//! A text's digest is over the text with every run of white space as one space and none at its ends, so that a trailing line or another
//! wrapping makes no difference; anything else does. It is of whole texts, one message or one part of it: who has only a piece of a text
//! does not find it. 64 bits of HMAC-SHA-256: by chance one in 10^9 searches over 10^10 texts finds a wrong one.

use std::collections::HashMap;

use super::mac::Mac;
use crate::protocol::Lane;

/// The shortest text that has a digest, in bytes: shorter ones ("yes", "thanks") are everybody's.
const SHORTEST: usize = 8;

/// Texts of one body that have digests: the last ones, since earlier turns were the last ones of an earlier request.
pub(crate) const MOST: usize = 48;

/// Texts of a stream that are followed at a time.
const MOST_LANES: usize = 48;

/// The key of texts' digests.
#[derive(Clone)]
pub struct TextKey(Mac);

impl TextKey {
    /// Made of `audit.key`: digests of bodies and of texts are then of different keys.
    pub fn new(audit_key: &[u8]) -> Self {
        Self(Mac::new(hmac_sha256::HMAC::mac(b"doorward texts v1", audit_key)))
    }

    /// The digest of a whole text; none of one that is too short.
    pub fn digest(&self, text: &str) -> Option<u64> {
        let mut digest = TextDigest::new(self);
        digest.update(text);
        digest.finish()
    }
}

impl std::fmt::Debug for TextKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TextKey")
    }
}

/// The digest of a text that comes in pieces.
#[derive(Clone)]
struct TextDigest {
    mac: Mac,
    /// White space came since the last word.
    space: bool,
    length: usize,
}

impl TextDigest {
    fn new(key: &TextKey) -> Self {
        Self { mac: key.0.clone(), space: false, length: 0 }
    }

    fn update(&mut self, text: &str) {
        let mut rest = text;
        loop {
            let word = rest.trim_start();
            self.space |= word.len() < rest.len();
            if word.is_empty() {
                return;
            }
            if self.space && self.length > 0 {
                self.mac.update(b" ");
            }
            self.space = false;
            let end = word.find(char::is_whitespace).unwrap_or(word.len());
            let (word, after) = word.split_at_checked(end).unwrap_or((word, ""));
            self.mac.update(word);
            self.length = self.length.saturating_add(word.len());
            rest = after;
        }
    }

    fn finish(self) -> Option<u64> {
        let digest = self.mac.finalize();
        (self.length >= SHORTEST).then(|| digest.first_chunk().map(|first| u64::from_be_bytes(*first)))?
    }
}

/// The digests of a stream's texts as they come.
#[derive(Clone)]
pub(crate) struct StreamTexts {
    key: TextKey,
    texts: HashMap<Lane, TextDigest>,
    /// In the order in which they began.
    order: Vec<Lane>,
}

impl StreamTexts {
    pub fn new(key: &TextKey) -> Self {
        Self { key: key.clone(), texts: HashMap::new(), order: Vec::new() }
    }

    /// A piece of a text.
    pub fn push(&mut self, lane: Lane, piece: &str) {
        if let Some(text) = self.texts.get_mut(&lane) {
            text.update(piece);
        } else if self.order.len() < MOST_LANES {
            let mut text = TextDigest::new(&self.key);
            text.update(piece);
            self.texts.insert(lane, text);
            self.order.push(lane);
        }
    }

    /// The digests so far.
    pub fn finish(mut self) -> Vec<u64> {
        self.order.iter().filter_map(|lane| self.texts.remove(lane)?.finish()).collect()
    }
}

/// Digests as they stand on the record.
pub(crate) fn listed(digests: &[u64]) -> String {
    digests.iter().map(|digest| written(*digest)).collect::<Vec<_>>().join(",")
}

/// A digest as it stands on the record: 16 hex digits.
pub fn written(digest: u64) -> String {
    format!("{digest:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_makes_no_difference_and_pieces_neither() {
        let key = TextKey::new(&[7; 32]);
        let digest = key.digest("the merger closes on Friday").unwrap();
        assert_eq!(key.digest("  the merger\n\tcloses on   Friday\n"), Some(digest));
        assert_ne!(key.digest("the merger closes on friday"), Some(digest));
        assert_ne!(key.digest("themerger closes on Friday"), Some(digest));
        assert_ne!(TextKey::new(&[8; 32]).digest("the merger closes on Friday"), Some(digest));
        let lane = Lane { choice: 0, part: 0, name: 0 };
        let text = " the merger closes\u{a0}on Friday";
        for at in 1..text.len() {
            let Some((one, two)) = text.split_at_checked(at) else { continue };
            let mut stream = StreamTexts::new(&key);
            stream.push(lane, one);
            stream.push(lane, two);
            assert_eq!(stream.finish(), [digest], "{at}");
        }
    }

    #[test]
    fn what_everybody_writes_has_none() {
        let key = TextKey::new(&[7; 32]);
        assert!(key.digest("thanks!").is_none() && key.digest(" \n ").is_none() && key.digest("12345678").is_some());
        let mut stream = StreamTexts::new(&key);
        for part in 0..10_000 {
            stream.push(Lane { choice: 0, part, name: 0 }, "a text that is long enough");
        }
        assert_eq!(stream.finish().len(), MOST_LANES);
        // All of them fit a value of the record.
        assert!(listed(&[u64::MAX; MOST]).len() <= 1000);
    }
}
