//! Records of one worker, each tied to the one before it.
//!
//! A link says which worker it is (`boot`, random for each life of one), the record's number, the time, the code of the record before it,
//! and its own code: HMAC-SHA-256 over all of that and over a commitment to each field. A commitment is keyed, too, so a field can be
//! erased by putting its commitment in its place, and the record still verifies; who has no key cannot test a guess of what stood there.
//!
//! Between two records nothing can be altered, left out, repeated or put in without a trace. What is not seen: records cut off at the
//! end, unless a checkpoint (which goes to Envoy's own log, another way) tells of later ones; all records of a worker together with all its
//! checkpoints; and anything done by whoever has the key. Fields that Envoy itself writes (status, bytes, addresses) are not covered.

use super::mac::Mac;
use crate::hex::hex;
use crate::host::{Host, HostError};

/// What a field begins with that was erased; its commitment follows.
pub const ERASED: &str = "erased:";

/// The record's key of a link.
pub const KEY: &str = "doorward.chain";

/// What a line of Envoy's log has before a checkpoint.
pub const CHECKPOINT: &str = "doorward.checkpoint=";

/// Bytes of a code.
const CODE: usize = 16;

type Code = [u8; CODE];

/// The key of a chain.
#[derive(Clone)]
pub struct ChainKey(Mac);

impl ChainKey {
    /// With the bytes of `audit.chain.key`.
    pub fn new(key: &[u8]) -> Self {
        Self(Mac::new(hmac_sha256::HMAC::mac(b"doorward chain v1", key)))
    }

    fn code(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update((part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize()
    }
}

impl std::fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainKey")
    }
}

/// What ties a record to the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which life of which worker.
    pub boot: [u8; 8],
    /// The record's number in it, from 0.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The code of the record before it; zeros for the first.
    pub before: Code,
    /// Its own.
    pub code: Code,
}

impl Link {
    /// Reads a link as it stands on the record.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut next = || parts.next();
        let version = next()?;
        let boot = bytes(next()?)?;
        let (number, at_ms) = (number(next()?)?, number(next()?)?);
        let (before, code) = (bytes(next()?)?, bytes(next()?)?);
        (version == "1" && next().is_none()).then_some(Self { boot, number, at_ms, before, code })
    }

    /// As it stands on the record.
    pub fn write(&self) -> String {
        let Self { boot, number, at_ms, before, code } = self;
        format!("1.{}.{number}.{at_ms}.{}.{}", hex(boot), hex(before), hex(code))
    }

    /// Whether it is the link of a record with these fields, in any order. Values that are absent (`-`, empty) are none.
    pub fn fits(&self, key: &ChainKey, fields: &[(&str, &str)]) -> bool {
        let made = self.made(key, fields);
        // All bytes are compared: a guess of some is no help.
        made.iter().zip(&self.code).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }

    /// What takes a field's place when it is erased.
    pub fn erased(&self, key: &ChainKey, name: &str, value: &str) -> String {
        format!("{ERASED}{}", hex(&commitment(&self.fields_key(key), name, value)))
    }

    fn fields_key(&self, key: &ChainKey) -> ChainKey {
        ChainKey(Mac::new(key.code(&[b"fields", &self.boot, &self.number.to_be_bytes()])))
    }

    fn made(&self, key: &ChainKey, fields: &[(&str, &str)]) -> Code {
        let fields_key = self.fields_key(key);
        let mut fields: Vec<_> = fields.iter().copied().filter(|(_, value)| !matches!(*value, "" | "-")).collect();
        crate::sort::cold(&mut fields, |a, b| a.0 < b.0);
        let mut all = Vec::with_capacity(fields.len().saturating_mul(40));
        for (name, value) in fields {
            let erased = value.strip_prefix(ERASED).and_then(bytes::<CODE>);
            let committed = erased.unwrap_or_else(|| commitment(&fields_key, name, value));
            all.extend_from_slice(&(name.len() as u64).to_be_bytes());
            all.extend_from_slice(name.as_bytes());
            all.extend_from_slice(&committed);
        }
        let (number, at_ms) = (self.number.to_be_bytes(), self.at_ms.to_be_bytes());
        cut(key.code(&[b"record", &self.boot, &number, &at_ms, &self.before, &all]))
    }
}

fn commitment(fields_key: &ChainKey, name: &str, value: &str) -> Code {
    cut(fields_key.code(&[name.as_bytes(), value.as_bytes()]))
}

/// That there were so many records, and how the last one ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which life of which worker.
    pub boot: [u8; 8],
    /// How many records it had written.
    pub records: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The code of the last of them.
    pub last: Code,
    code: Code,
}

impl Checkpoint {
    /// Reads a checkpoint out of a line of Envoy's log, whatever stands around it.
    pub fn read(line: &str) -> Option<Self> {
        let (_, text) = line.split_once(CHECKPOINT)?;
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(text.len());
        let mut parts = text.get(..end)?.split('.');
        let mut next = || parts.next();
        let version = next()?;
        let boot = bytes(next()?)?;
        let (records, at_ms) = (number(next()?)?, number(next()?)?);
        let (last, code) = (bytes(next()?)?, bytes(next()?)?);
        (version == "1" && next().is_none()).then_some(Self { boot, records, at_ms, last, code })
    }

    fn write(&self) -> String {
        let Self { boot, records, at_ms, last, code } = self;
        format!("{CHECKPOINT}1.{}.{records}.{at_ms}.{}.{}", hex(boot), hex(last), hex(code))
    }

    /// Whether it was made with `key`.
    pub fn fits(&self, key: &ChainKey) -> bool {
        self.made(key).iter().zip(&self.code).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }

    fn made(&self, key: &ChainKey) -> Code {
        let (records, at_ms) = (self.records.to_be_bytes(), self.at_ms.to_be_bytes());
        cut(key.code(&[b"checkpoint", &self.boot, &records, &at_ms, &self.last]))
    }
}

/// The chain of one worker.
#[derive(Debug)]
pub(crate) struct Chain {
    boot: [u8; 8],
    records: u64,
    last: Code,
    /// How many records the last checkpoint told of, and when that was.
    told: u64,
    told_ms: u64,
}

impl Chain {
    /// One that begins.
    pub fn draw(host: &mut dyn Host) -> Result<Self, HostError> {
        let mut boot = [0; 8];
        host.random(&mut boot)?;
        Ok(Self { boot, records: 0, last: Code::default(), told: 0, told_ms: 0 })
    }

    /// Ties a record with these fields to the one before it.
    pub fn link(&mut self, key: &ChainKey, at_ms: u64, fields: &[(&'static str, String)]) -> String {
        let mut link = Link { boot: self.boot, number: self.records, at_ms, before: self.last, code: Code::default() };
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        link.code = link.made(key, &fields);
        self.records = self.records.saturating_add(1);
        self.last = link.code;
        link.write()
    }

    /// A checkpoint, where one is due.
    pub fn checkpoint(&mut self, key: &ChainKey, at_ms: u64, records: u64, every_ms: u64) -> Option<String> {
        let untold = self.records.saturating_sub(self.told);
        if self.told_ms == 0 {
            self.told_ms = at_ms;
        }
        let due = untold >= records || untold > 0 && at_ms.saturating_sub(self.told_ms) >= every_ms;
        if !due {
            return None;
        }
        (self.told, self.told_ms) = (self.records, at_ms);
        let mut checkpoint =
            Checkpoint { boot: self.boot, records: self.records, at_ms, last: self.last, code: Code::default() };
        checkpoint.code = checkpoint.made(key);
        Some(checkpoint.write())
    }
}

fn cut(code: [u8; 32]) -> Code {
    let mut short = Code::default();
    short.iter_mut().zip(code).for_each(|(to, from)| *to = from);
    short
}

/// Lower-case hex digits of exactly `N` bytes.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if text.len() != N.saturating_mul(2) || !text.bytes().all(lower) {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

/// A whole number as it is written here: one number, one text.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
