//! Hosts of an internal network: by the end of their name, as the host of a URL without a dot, and by private addresses in URLs.

use super::super::Finding;
use super::super::bytes::Set;
use super::{LINE, Line, Type, finding};

static HOST: Set = Set::new(b"aA0", b".-_");

/// The last label of names that no public server has.
const ENDS: &[&str] =
    &[".local", ".internal", ".corp", ".lan", ".intranet", ".home.arpa", ".localdomain", ".private", ".svc", ".consul"];
/// Names that everybody's machine has, or that are no hosts at all.
const NOT: &[&str] = &[
    "localhost",
    "host.docker.internal",
    "host",
    "hostname",
    "example",
    "server",
    "domain",
    "www",
    "your-host",
    "myhost",
    "api",
];

pub(super) fn find(line: Line<'_>, out: &mut Vec<Finding>) {
    let text = line.text;
    let mut at = 0;
    while at < text.len() {
        let length = HOST.run(text, at, 256);
        if length == 0 {
            at += 1;
            continue;
        }
        let (start, mut end) = (at, at + length);
        at = end;
        while end > start && matches!(text.get(end - 1), Some(b'.' | b'-' | b'_')) {
            end -= 1;
        }
        let name = text.get(start..end).unwrap_or_default();
        let before = text.get(..start).unwrap_or_default();
        if !name.contains(&b'.') && !matches!(before.last(), Some(b'/' | b'@')) {
            continue;
        }
        let name = name.to_ascii_lowercase();
        let before = text.get(..start).unwrap_or_default();
        let next = text.get(end).copied().unwrap_or(b' ');
        // Where a long line was cut, the name may go on.
        let cut = end == text.len() && text.len() >= LINE - 64;
        let url = in_authority(before) && !cut && authority_ends(text, end);
        let name = name.as_slice();
        let hit = if url {
            in_url(name)
        } else {
            !matches!(next, b'(' | b'[' | b'=') && !before.ends_with(b"@") && named(name) && !before.ends_with(b"/")
        };
        if hit {
            out.push(finding(Type::InternalHost, line.start + start, line.start + end, if url { 0.85 } else { 0.7 }));
        }
    }
}

/// Schemes of URLs with hosts.
const SCHEMES: &[&str] = &[
    "http",
    "https",
    "ws",
    "wss",
    "ftp",
    "sftp",
    "ssh",
    "postgres",
    "postgresql",
    "mysql",
    "mongodb",
    "redis",
    "rediss",
    "amqp",
    "amqps",
    "kafka",
    "ldap",
    "ldaps",
    "nats",
    "smb",
    "grpc",
    "tcp",
];

/// Whether a host may stand behind this: `https://`, `https://user@`.
fn in_authority(before: &[u8]) -> bool {
    let signs = |b: &u8| b.is_ascii_alphanumeric() || b"._-:%".contains(b);
    let before = match before.strip_suffix(b"@") {
        Some(rest) => {
            let user = rest.iter().rev().take(64).take_while(|b| signs(b)).count();
            // `://` is of those signs and two more.
            let from = rest.len() - user;
            let scheme = rest.get(..from).unwrap_or_default();
            if !scheme.ends_with(b"://") {
                return false;
            }
            scheme
        }
        None => before,
    };
    let Some(scheme) = before.strip_suffix(b"://") else { return false };
    let length = scheme.iter().rev().take(12).take_while(|b| b.is_ascii_alphabetic()).count();
    let scheme = scheme.get(scheme.len() - length..).unwrap_or_default().to_ascii_lowercase();
    SCHEMES.iter().any(|s| s.as_bytes() == scheme)
}

/// Whether a host may end here: a port, a path or nothing follows.
fn authority_ends(text: &[u8], end: usize) -> bool {
    let at = |i: usize| text.get(i).copied().unwrap_or(b' ');
    match at(end) {
        b':' => {
            let digits =
                text.get(end + 1..).unwrap_or_default().iter().take(6).take_while(|b| b.is_ascii_digit()).count();
            (1..=5).contains(&digits) && !matches!(at(end + 1 + digits), b'@' | b'.')
        }
        b'{' | b'$' | b'@' | b'%' | b'<' | b'+' => false,
        _ => true,
    }
}

fn in_url(name: &[u8]) -> bool {
    let listed = NOT.iter().any(|n| n.as_bytes() == name);
    let letters = name.iter().any(u8::is_ascii_alphabetic);
    named(name)
        || !listed && (letters && !name.contains(&b'.') && name.len() > 2 && !name.contains(&b'_') || private(name))
}

fn named(name: &[u8]) -> bool {
    let end = ENDS
        .iter()
        .find(|end| name.ends_with(end.as_bytes()))
        .map(|end| end.len())
        .or_else(|| name.ends_with(b".cluster.local").then_some(14));
    let Some(rest) = end.and_then(|end| name.len().checked_sub(end)).and_then(|to| name.get(..to)) else {
        return false;
    };
    let labels = rest.split(|b| *b == b'.');
    let fits = labels.clone().all(|l| !l.is_empty() && l.len() < 64 && l.first() != Some(&b'-') && !l.contains(&b'_'));
    // `config.local`, `settings.private`: files and fields.
    let single = labels.count() == 1;
    let telling = rest.iter().any(|b| b.is_ascii_digit() || *b == b'-');
    let sure = [&b".corp"[..], b".lan", b".intranet", b".home.arpa"].iter().any(|end| name.ends_with(end));
    fits && !NOT.iter().any(|n| n.as_bytes() == name || n.as_bytes() == rest)
        && (!single || telling || sure && rest.len() > 2)
        && !name.ends_with(b".private")
}

/// RFC 1918.
fn private(name: &[u8]) -> bool {
    let mut octets = name.split(|b| *b == b'.').map(|part| {
        let digits = part.iter().all(u8::is_ascii_digit) && (1..=3).contains(&part.len());
        if digits { part.iter().fold(0u32, |n, b| n * 10 + u32::from(b.wrapping_sub(b'0'))) } else { 999 }
    });
    let (a, b, c, d) = (octets.next(), octets.next(), octets.next(), octets.next());
    let valid = octets.next().is_none() && [b, c, d].into_iter().all(|o| o.is_some_and(|o| o < 256));
    valid && matches!((a, b), (Some(10), _) | (Some(192), Some(168)) | (Some(172), Some(16..=31)))
}
