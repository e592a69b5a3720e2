//! Small summaries of what a caller sends: how many distinct values, how many distinct names, whether a query is like the ones
//! before, and how much of a text is encoded.

use crate::session::mix;

/// Registers of [`Distinct`]: its error is some 13 %.
const REGISTERS: usize = 64;

/// How many distinct values there were (HyperLogLog: Flajolet et al., 2007; with linear counting below 2.5 per register).
#[derive(Clone, Debug, PartialEq)]
pub struct Distinct(pub(super) [u8; REGISTERS]);

impl Default for Distinct {
    fn default() -> Self {
        Self([0; REGISTERS])
    }
}

impl Distinct {
    /// Adds a value; answers by how much the estimate rises.
    pub fn add(&mut self, value: u64) -> f32 {
        let hash = mix(value);
        let rank = (hash >> 6).trailing_zeros().min(58) as u8 + 1;
        let Some(register) = self.0.get(hash as usize % REGISTERS).copied() else { return 0.0 };
        if rank <= register {
            return 0.0;
        }
        let before = self.estimate();
        if let Some(register) = self.0.get_mut(hash as usize % REGISTERS) {
            *register = rank;
        }
        (self.estimate() - before).max(0.0)
    }

    /// How many there were.
    pub fn estimate(&self) -> f32 {
        let m = REGISTERS as f32;
        let sum: f32 = self.0.iter().map(|r| (-f32::from(*r)).exp2()).sum();
        let raw = 0.709 * m * m / sum;
        let empty = self.0.iter().filter(|r| **r == 0).count();
        if raw <= 2.5 * m && empty > 0 { m * (m / empty as f32).ln() } else { raw }
    }
}

/// Which names there were, as a bitmap of 128.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names(pub(super) [u8; 16]);

impl Names {
    /// Adds a name; answers whether it is new.
    pub fn add(&mut self, name: u64) -> bool {
        let bit = mix(name) as usize % 128;
        let Some(byte) = self.0.get_mut(bit / 8) else { return false };
        let new = *byte >> (bit % 8) & 1 == 0;
        *byte |= 1 << (bit % 8);
        new
    }
}

/// The similarity hashes of the queries before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Similar(pub(super) [u64; 4]);

/// Bits in which similar queries differ at most.
const NEAR: u32 = 7;

impl Similar {
    /// Adds a query; answers whether it is like one of those before.
    pub fn add(&mut self, hash: u64) -> bool {
        let near = self.0.iter().any(|other| *other != 0 && (*other ^ hash).count_ones() <= NEAR);
        self.0.rotate_right(1);
        if let Some(first) = self.0.first_mut() {
            *first = hash;
        }
        near
    }
}

/// What the texts that a request adds to its conversation look like.
#[derive(Clone, Debug)]
pub struct Shape {
    bits: [i32; 64],
    words: [u64; 3],
    seen: u32,
    encoded: u64,
    left: usize,
}

/// Bytes of texts that are looked at; a greater text's rest counts as its beginning did.
const MOST: usize = 256 * 1024;

/// A run of so many characters without a space may be encoded.
const RUN: usize = 48;

impl Default for Shape {
    fn default() -> Self {
        Self { bits: [0; 64], words: [0; 3], seen: 0, encoded: 0, left: MOST }
    }
}

impl Shape {
    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let bytes = bytes.get(..bytes.len().min(self.left)).unwrap_or_default();
        self.left -= bytes.len();
        for run in bytes.split(|b| b.is_ascii_whitespace()).filter(|run| !run.is_empty()) {
            if run.len() >= RUN && is_encoded(run) {
                self.encoded = self.encoded.saturating_add(run.len() as u64);
                continue;
            }
            self.word(run);
        }
    }

    fn word(&mut self, word: &[u8]) {
        // Whatever has a digit is one word: an id that is counted up makes no other query.
        let hash = match word.iter().any(u8::is_ascii_digit) {
            true => 1,
            false => word.iter().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| {
                (h ^ u64::from(b.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
            }),
        };
        let [_, b, c] = self.words;
        self.words = [b, c, hash];
        self.seen = self.seen.saturating_add(1);
        for n in [hash, mix(c ^ hash.rotate_left(17))] {
            let hash = mix(n);
            for (place, bit) in self.bits.iter_mut().enumerate() {
                let step = if hash >> place & 1 == 1 { 1 } else { -1 };
                *bit = bit.saturating_add(step);
            }
        }
    }

    /// The similarity hash (Charikar, 2002), of texts of more than a few words.
    pub fn asked(&self) -> Option<u64> {
        (self.seen >= 4)
            .then(|| self.bits.iter().enumerate().fold(0u64, |h, (i, bit)| h | u64::from(*bit > 0) << i) | 1)
    }

    /// Bytes in runs that are encoded.
    pub fn encoded(&self) -> u64 {
        self.encoded
    }
}

/// Whether a long run of characters is base64, hexadecimal or random: letters and digits alone, and nearly as many different ones
/// as chance has. Words that stand together (a path, a name of code) have fewer, or other characters.
fn is_encoded(run: &[u8]) -> bool {
    let mut counts = [0u32; 256];
    let mut plain = 0u32;
    for byte in run {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
        plain += u32::from(byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte));
    }
    let n = run.len() as f32;
    let entropy: f32 = counts.iter().filter(|c| **c > 0).map(|c| *c as f32 / n).map(|p| -p * p.log2()).sum();
    let digits = run.iter().filter(|b| b.is_ascii_digit()).count() as f32 / n;
    let hex = run.iter().all(u8::is_ascii_hexdigit);
    plain as f32 >= 0.97 * n && if hex { entropy > 3.2 && digits > 0.3 } else { entropy > 4.4 && digits > 0.03 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_values_are_estimated() {
        for n in [1u64, 10, 50, 200, 1000, 20_000] {
            let mut distinct = Distinct::default();
            let mut sum = 0.0;
            for round in 0..2 {
                for value in 0..n {
                    sum += distinct.add(value.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                }
                assert!((sum - n as f32).abs() < 0.4 * n as f32 + 1.0, "{n}: {sum} in round {round}");
            }
        }
    }

    fn asked(text: &str) -> u64 {
        let mut shape = Shape::default();
        shape.text(text);
        shape.asked().unwrap()
    }

    #[test]
    fn an_id_that_is_counted_up_makes_no_other_query() {
        let mut similar = Similar::default();
        assert!(!similar.add(asked("Show me name, address and balance of customer 10001 please")));
        assert!(similar.add(asked("Show me name, address and balance of customer 10002 please")));
        assert!(similar.add(asked("show me Name, address and balance of customer 77-31 please")));
        assert!(!similar.add(asked("Write a unit test for the parser of dates in our billing code")));
        assert!(!similar.add(asked("What does the error about a borrowed value in this function mean?")));
        let mut shape = Shape::default();
        shape.text("go on");
        assert_eq!(shape.asked(), None);
    }

    #[test]
    fn encoded_runs_are_told_from_words() {
        let encoded = |text: &str| {
            let mut shape = Shape::default();
            shape.text(text);
            shape.encoded()
        };
        let base64 = "UEsDBBQACAgIAJl8b1cAAAAAAAAAAAAAAAALAAAAX3JlbHMvLnJlbHOtks9KAzEQxu8+Rch9m20FEdm0FxF6E6kPEJLZ3dDmD5Op1rd3KAhaKNpDj0m";
        assert_eq!(encoded(&format!("decode {base64} for me")), base64.len() as u64);
        assert_eq!(encoded(&"9f86d081884c7d659a2feaa0c55ad015".repeat(2)), 64);
        for words in [
            "https://example.com/a/very/long/path/of/a/page/that/somebody/pasted/here.html?with=query",
            "doorward_core::inspect::secrets::vendors::tests::every_row_has_samples_of_its_own",
            "================================================================",
            "src/main/java/com/example/project/module/service/implementation/CustomerService.java",
        ] {
            assert_eq!(encoded(words), 0, "{words}");
        }
    }
}
