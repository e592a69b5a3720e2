//! PRIVATE_KEY: blocks from `-----BEGIN ... PRIVATE KEY-----` (RFC 7468, PEM, OpenSSH, PGP) to their end.
//!
//! Lines may be real or written as `\n`; nothing here depends on them. A block without an end runs to the end
//! of the text.

use super::super::bytes::{self, Set};
use super::{Hit, Memo};

pub(in super::super) static LABEL: Set = Set::new(b"aA0", b" _.");
pub(in super::super) static BASE64: Set = Set::new(b"aA0", b"+/");

/// The longest label.
pub(in super::super) const MAX_LABEL: usize = 80;
/// A key has more characters than this; `...` and `<your key>` have not.
pub(in super::super) const LEAST: usize = 64;
/// A block without an end is one if a line of a key starts it: so many characters in a row, so soon.
pub(in super::super) const LINE: usize = 24;
pub(in super::super) const SOON: usize = 512;

pub(super) fn find(bytes: &[u8], at: usize, memo: &mut Memo) -> Option<Hit> {
    let (private, body) = label(bytes, at + "-----BEGIN".len())?;
    // A text that arrives has its own way with blocks: they may be longer than it keeps.
    if !private || memo.left {
        return None;
    }
    let end = if memo.no_end { None } else { bytes::find(bytes, "-----END", body, bytes.len()) };
    memo.no_end |= end.is_none();
    let Some(footer) = end else {
        return starts_like_key(bytes, body).then_some(hit(bytes, at, bytes.len()));
    };
    let content = bytes.get(body..footer)?.iter().filter(|b| BASE64.contains(**b)).count();
    if content < LEAST {
        return None;
    }
    let end = label(bytes, footer + "-----END".len()).map_or(footer, |(_, end)| end);
    Some(hit(bytes, at, end))
}

fn hit(bytes: &[u8], start: usize, end: usize) -> Hit {
    let head = bytes.get(start..end.min(start + SOON)).unwrap_or_default();
    Hit { start, end, score: 0.99, test_value: super::is_placeholder(head) }
}

/// Reads ` RSA PRIVATE KEY-----`: whether it names a private key, and where it ends.
pub(in super::super) fn label(bytes: &[u8], at: usize) -> Option<(bool, usize)> {
    const KEYS: [&[u8]; 2] = [b"PRIVATE KEY", b"PRIVATE KEY BLOCK"];
    let length = LABEL.run(bytes, at, MAX_LABEL);
    let dashes = at + length;
    if !bytes::stands(bytes, dashes, "-----") {
        return None;
    }
    let name = bytes.get(at..dashes)?;
    let ends = |key: &&[u8]| {
        name.len().checked_sub(key.len()).and_then(|i| name.get(i..)).is_some_and(|n| n.eq_ignore_ascii_case(key))
    };
    Some((KEYS.iter().any(ends), dashes + 5))
}

fn starts_like_key(bytes: &[u8], body: usize) -> bool {
    let mut at = body;
    while at < bytes.len().min(body + SOON) {
        let run = BASE64.run(bytes, at, LINE);
        if run == LINE {
            return true;
        }
        at += run + 1;
    }
    false
}
