//! What an argument leads to: the host of a URL, the folder of a path.

/// The host of a URL, in lower case, where every reader agrees on it: no user, no backslash, no encodings, no white space. IPv6
/// addresses come without brackets.
pub fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !["http", "https", "ws", "wss"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    if url.bytes().any(|b| b <= b' ' || b == b'\\' || b == 0x7F) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(address) => {
            let (address, after) = address.split_once(']')?;
            let plain = address.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
            (address, after.strip_prefix(':').or(after.is_empty().then_some("")))
                .1
                .filter(|_| plain)
                .map(|p| (address, p))?
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':'));
    if host.is_empty() || !plain || !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(host.trim_end_matches('.').to_ascii_lowercase())
}

/// Encodings are undone so often: what is still encoded then is no path that anybody means.
const DEPTH: usize = 3;

/// Whether a path is at or below `folder`, however it is read: as it is written, with percent encodings undone, and with the characters
/// that some systems turn into dots and slashes read as those. `None` where that cannot be said.
pub(super) fn is_under(path: &str, folder: &str) -> Option<bool> {
    let path = path.strip_prefix("file://").map_or(path, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
    let folder = segments(folder)?;
    let mut readings = vec![path.to_owned()];
    for _ in 0..DEPTH {
        let mut others: Vec<String> = Vec::new();
        for reading in &readings {
            if !segments(reading)?.starts_with(&folder) {
                return Some(false);
            }
            for other in [undone(reading)?, narrowed(reading)] {
                if other != *reading && !others.contains(&other) {
                    others.push(other);
                }
            }
        }
        if others.is_empty() {
            return Some(true);
        }
        readings = others;
    }
    None
}

/// With ASCII in the place of what normalisation (NFKC), and file systems that know only a code page, make of other dots and slashes.
fn narrowed(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for char in path.chars() {
        match char {
            '\u{ff0e}' | '\u{2024}' | '\u{fe52}' => out.push('.'),
            '\u{2025}' => out.push_str(".."),
            '\u{2026}' => out.push_str("..."),
            '\u{ff0f}' | '\u{2044}' | '\u{2215}' | '\u{29f8}' => out.push('/'),
            '\u{ff3c}' | '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{fe68}' => out.push('\\'),
            '\u{ff05}' | '\u{fe6a}' => out.push('%'),
            char => out.push(char),
        }
    }
    out
}

/// The segments of an absolute path, `.` and `..` resolved. A backslash separates, too: some systems read it so.
fn segments(path: &str) -> Option<Vec<String>> {
    if !path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut out = Vec::new();
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => {
                out.pop();
            }
            _ => out.push(segment.to_owned()),
        }
    }
    Some(out)
}

fn undone(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).map(|d| d as u8);
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for (url, expected) in [
            ("https://api.acme.com/x", Some("api.acme.com")),
            ("HTTPS://API.Acme.com:8443?q", Some("api.acme.com")),
            ("http://[2001:db8::1]:80/", Some("2001:db8::1")),
            ("https://acme.com./", Some("acme.com")),
            ("https://acme.com@evil.com/", None),
            ("https://acme.com\\@evil.com/", None),
            ("https://acme.com%2eevil.com/", None),
            ("https:/acme.com", None),
            ("//acme.com", None),
            ("file:///etc/passwd", None),
            ("https://acme.com\t.evil.com", None),
            ("https://acme。com/", None),
            ("https://", None),
            ("https://a:b:c/", None),
            (" https://acme.com", None),
            ("javascript:alert(1)//https://acme.com", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn paths() {
        for (path, under) in [
            ("/srv/share", Some(true)),
            ("/srv/share/a/b.txt", Some(true)),
            ("/srv/share/a/../b", Some(true)),
            ("/srv/share/../secret", Some(false)),
            ("/srv/shared", Some(false)),
            ("/srv/share/%2e%2e/secret", Some(false)),
            ("/srv/share/%252e%252e/secret", Some(false)),
            ("/srv/share/..\\..\\etc", Some(false)),
            ("/srv/share/a%2f..%2f..%2f..%2fetc", Some(false)),
            ("/srv/share/a b%20c", Some(true)),
            ("/srv/share/%25252525252e", None),
            ("/srv/share/\u{ff0e}\u{ff0e}/secret", Some(false)),
            ("/srv/share/\u{2025}\u{ff0f}secret", Some(false)),
            ("/srv/share/..%ef%bc%8fsecret", Some(false)),
            ("/srv/share/\u{ff05}2e\u{ff05}2e/secret", Some(false)),
            ("/srv/share/x\u{ff0f}y/%2e%2e/%2e%2e/secret", Some(false)),
            ("/srv/share/a\u{2026}", Some(true)),
            ("srv/share", None),
            ("~/x", None),
            ("file:///srv/share/x", Some(true)),
            ("file://evil/srv/share/x", None),
            ("/srv/share/a\0", None),
            ("/srv/share/%ff", None),
            ("/../srv/share/x", Some(true)),
        ] {
            assert_eq!(is_under(path, "/srv/share/"), under, "{path}");
        }
    }
}
