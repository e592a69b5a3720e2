//! The parts of a request's head that decide how it is read.

use crate::head::Headers;
use crate::reply::{Denial, Reason};

/// Headers that tell a digest of the body (RFC 9530, RFC 3230, RFC 1864): not true of another one.
pub(super) const CHECKSUMS: &[&str] = &["content-digest", "repr-digest", "digest", "content-md5"];

/// Headers by which some servers read another method or path than the request line says. They do not go on.
pub(super) const OVERRIDES: &[&str] =
    &["x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"];

/// Method, and path without its query.
#[derive(Debug)]
pub(super) struct Line<'h> {
    pub method: &'h [u8],
    pub path: &'h str,
}

impl<'h> Line<'h> {
    /// Reads the pseudo headers.
    pub fn read(headers: &'h Headers) -> Result<Self, Denial> {
        let one = |name| headers.one(name).ok().flatten().ok_or_else(|| Denial::new(Reason::ProtocolHeaders));
        let target = std::str::from_utf8(one(":path")?).map_err(|_| Denial::new(Reason::ProtocolHeaders))?;
        Ok(Self { method: one(":method")?, path: target.split('?').next().unwrap_or_default() })
    }
}

/// Whether the request wants to leave HTTP: such a stream never ends its body, and must never be held.
pub(super) fn upgrades(headers: &Headers) -> bool {
    headers.has("upgrade") || headers.has(":protocol") || headers.all(":method").any(|m| m == b"CONNECT")
}

/// What a body is, by its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// JSON in UTF-8.
    Json,
    /// Text, or nothing said.
    Text,
    /// Server-sent events.
    EventStream,
    /// JSON, line by line.
    Lines,
    /// Amazon's event stream.
    AwsEventStream,
    /// Anything else.
    Other,
}

/// Reads `content-type`.
///
/// # Errors
/// The header is there twice.
pub(super) fn media(headers: &Headers) -> Result<Media, Denial> {
    let Some(value) = headers.one("content-type").map_err(|_| Denial::new(Reason::ProtocolHeaders))? else {
        return Ok(Media::Text);
    };
    let Ok(value) = std::str::from_utf8(value) else { return Ok(Media::Other) };
    let value = value.to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let foreign = parts.any(|p| {
        p.strip_prefix("charset").is_some_and(|c| {
            let charset = c.trim_start().trim_start_matches('=').trim().trim_matches('"');
            !matches!(charset, "utf-8" | "utf8" | "us-ascii")
        })
    });
    Ok(match essence {
        _ if foreign => Media::Other,
        "application/json" => Media::Json,
        _ if essence.starts_with("application/") && essence.ends_with("+json") => Media::Json,
        "" | "text/plain" | "text/html" => Media::Text,
        "text/event-stream" => Media::EventStream,
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonl" => Media::Lines,
        "application/vnd.amazon.eventstream" => Media::AwsEventStream,
        _ => Media::Other,
    })
}

/// Whether the body is compressed or otherwise encoded.
pub(super) fn encoded(headers: &Headers) -> bool {
    headers.all("content-encoding").any(|v| !v.trim_ascii().eq_ignore_ascii_case(b"identity"))
}

/// The announced length of the body.
pub(super) fn length(headers: &Headers) -> Option<u64> {
    headers.text("content-length")?.trim().parse().ok()
}

/// Percent-decoded text, for inspection only.
pub(super) fn decoded(query: &str) -> String {
    let mut out = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let digit = |b: &u8| char::from(*b).to_digit(16);
        match (byte, tail) {
            (b'%', [high, low, after @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            (b'+' | b'&' | b';', _) => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        for (value, expected) in [
            ("application/json", Media::Json),
            ("Application/JSON; charset=UTF-8", Media::Json),
            ("application/json; charset=\"utf-8\"", Media::Json),
            ("application/json;charset=utf-16", Media::Other),
            ("application/json; charset = iso-8859-1", Media::Other),
            ("application/problem+json", Media::Json),
            ("text/plain; charset=utf-8", Media::Text),
            ("text/event-stream; charset=utf-8", Media::EventStream),
            ("application/x-ndjson", Media::Lines),
            ("application/vnd.amazon.eventstream", Media::AwsEventStream),
            ("multipart/form-data; boundary=x", Media::Other),
            ("application/jsonl", Media::Lines),
        ] {
            let headers: Headers = [("content-type", value)].into_iter().collect();
            assert_eq!(media(&headers).unwrap(), expected, "{value}");
        }
        let twice: Headers = [("content-type", "a"), ("content-type", "b")].into_iter().collect();
        assert!(media(&twice).is_err());
        assert_eq!(media(&Headers::default()).unwrap(), Media::Text);
    }

    #[test]
    fn encodings_and_upgrades() {
        let has = |name: &str, value: &str| -> Headers { [(name, value)].into_iter().collect() };
        assert!(encoded(&has("content-encoding", "gzip")));
        assert!(encoded(&has("content-encoding", "identity, gzip")));
        assert!(!encoded(&has("content-encoding", " Identity ")));
        assert!(upgrades(&has("upgrade", "websocket")));
        assert!(upgrades(&has(":protocol", "websocket")));
        assert!(upgrades(&has(":method", "CONNECT")));
        assert!(!upgrades(&has(":method", "POST")));
    }

    #[test]
    fn queries_are_seen_through() {
        assert_eq!(decoded("a=b%40c&d=%zz+%4"), "a=b@c d=%zz %4");
    }
}
