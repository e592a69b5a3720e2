//! EMAIL_ADDRESS: `local@domain` as people write it: the unquoted form of RFC 5321 (4.1.2) without the
//! symbols that delimit text more often than they name a mailbox.

use super::Candidate;
use super::bytes::{self, Set};
use super::types::Type;

pub(super) static LOCAL: Set = Set::new(b"aA0", b"._%+-'&");
pub(super) static DOMAIN: Set = Set::new(b"aA0", b".-");

/// RFC 5321, 4.5.3.1.
pub(super) const MAX_LOCAL: usize = 64;
pub(super) const MAX_DOMAIN: usize = 253;
const MAX_LABEL: usize = 63;

/// Looks for an address around the `@` at `at`.
pub(super) fn find(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    let Some(start) = local(bytes, at) else { return };
    let Some(domain) = domain(bytes, at + 1) else { return };
    let name = bytes.get(start..at).unwrap_or_default();
    let score = score(bytes, start, name, &domain);
    let test_value = is_reserved(domain.text);
    let kind = Type::EmailAddress;
    found.push(Candidate { kind, start, end: domain.end, score, checked: score >= 0.5, test_value });
}

/// Where the local part that ends at `at` starts.
fn local(bytes: &[u8], at: usize) -> Option<usize> {
    let mut start = at;
    // One more than fits, to know one that is too long.
    while at - start <= MAX_LOCAL {
        start -= match bytes.get(..start).unwrap_or_default() {
            [.., b] if LOCAL.contains(*b) => 1,
            // Latin letters with accents: U+00C0 to U+017F.
            [.., 0xC3..=0xC5, 0x80..=0xBF] => 2,
            _ => break,
        };
        super::work::add(1);
    }
    if at - start > MAX_LOCAL {
        return None;
    }
    let mut name = bytes.get(start..at)?;
    if let Some(dots) = name.windows(2).rposition(|w| w == b"..") {
        name = name.get(dots + 2..)?;
    }
    if bytes::escape_before(bytes, at + 1 - name.len()) {
        name = name.get(1..)?;
    }
    while let [b'.' | b'-' | b'\'' | b'&' | b'%' | b'+', rest @ ..] = name {
        name = rest;
    }
    if matches!(name, [] | [.., b'.']) {
        return None;
    }
    Some(at - name.len())
}

struct Domain<'t> {
    text: &'t [u8],
    end: usize,
}

fn domain(bytes: &[u8], from: usize) -> Option<Domain<'_>> {
    let mut end = from;
    // One more than fits, to know one that is too long.
    while end - from <= MAX_DOMAIN {
        end += match bytes.get(end..).unwrap_or_default() {
            [b, ..] if DOMAIN.contains(*b) => 1,
            // Letters of other scripts in two bytes (Latin to Arabic), or in three (Indic to CJK) where they
            // are none of the punctuation at E2 80 and E3 80.
            [0xC3..=0xDF, 0x80..=0xBF, ..] => 2,
            [0xE0 | 0xE1, _, _, ..] | [0xE3, 0x81..=0xBF, _, ..] | [0xE4..=0xED, _, _, ..] => 3,
            _ => break,
        };
        super::work::add(1);
    }
    let mut text = bytes.get(from..end)?;
    if text.len() > MAX_DOMAIN {
        return None;
    }
    while let [rest @ .., b'.' | b'-'] = text {
        text = rest;
    }
    if let Some(dots) = text.windows(2).position(|w| w == b"..") {
        text = text.get(..dots)?;
    }
    // The sentence may go on behind a dot without a space: the name ends with its last good label.
    while !is_top(text.rsplit(|b| *b == b'.').next()?) {
        text = text.get(..text.iter().rposition(|b| *b == b'.')?)?;
    }
    // So may it with a capital, behind a name that has none.
    if let Some(dot) = text.iter().rposition(|b| *b == b'.')
        && let Some((name, [b'.', b'A'..=b'Z', b'a'..=b'z', ..])) = text.split_at_checked(dot)
        && name.contains(&b'.')
        && !name.iter().any(u8::is_ascii_uppercase)
        && is_top(name.rsplit(|b| *b == b'.').next()?)
    {
        text = name;
    }
    let label = |l: &[u8]| !l.is_empty() && l.len() <= MAX_LABEL && !matches!(l, [b'-', ..] | [.., b'-']);
    let is_name = text.contains(&b'.') && text.split(|b| *b == b'.').all(label);
    is_name.then_some(Domain { text, end: from + text.len() })
}

/// Whether a label can be the last one: two letters or more.
fn is_top(label: &[u8]) -> bool {
    super::work::add(label.len());
    let letters = label.len() >= 2 && label.iter().all(|b| b.is_ascii_alphabetic() || *b >= 0x80);
    letters || label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"xn--"))
}

/// What looks like an address and is none.
fn score(bytes: &[u8], start: usize, name: &[u8], domain: &Domain<'_>) -> f32 {
    let numeric = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_digit);
    let mut labels = domain.text.split(|b| *b == b'.');
    let (first, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    // `react@18.2.0-rc.next`
    let version = numeric(first) && second.first().is_some_and(u8::is_ascii_digit);
    // `logo@2x.png`
    let density = matches!(first, [b'1'..=b'4', b'x']);
    let file = domain.text.rsplit(|b| *b == b'.').next().is_some_and(|last| {
        [
            "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "tsx", "json", "html", "yaml", "yml", "txt",
            "md5", "service", "socket", "timer", "slice", "scope", "mount",
        ]
        .iter()
        .any(|f| last.eq_ignore_ascii_case(f.as_bytes()))
    });
    // `git@github.com:owner/repository`, `ssh://git@host/`
    let repository = matches!(name, b"git" | b"hg" | b"svn") && matches!(bytes::at(bytes, domain.end), b':' | b'/');
    let user_info = bytes.get(..start).unwrap_or_default().ends_with(b"://");
    // `a@b.weight` in code: attributes and calls.
    let code = matches!(bytes::at(bytes, domain.end), b'(' | b'[') || bytes::before(bytes, start) == b'@';
    if version || density || file {
        0.1
    } else if repository || user_info || code {
        0.3
    } else {
        0.95
    }
}

/// Names kept for documentation and tests (RFC 2606, RFC 6761).
fn is_reserved(domain: &[u8]) -> bool {
    let mut labels = domain.rsplit(|b| *b == b'.').map(<[u8]>::to_ascii_lowercase);
    let (last, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    match last.as_slice() {
        b"example" | b"test" | b"invalid" | b"localhost" => true,
        b"com" | b"net" | b"org" => second == b"example",
        _ => false,
    }
}
