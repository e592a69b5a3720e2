//! Where a credential stands in a request, and what must be cut so that it never travels on.

use super::reason::Reason;
use crate::head::Headers;

/// The headers a credential may stand in. All are removed from every governed request, whatever they hold.
pub const CREDENTIAL_HEADERS: &[&str] = &["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// Query parameters under which providers take credentials but we never do: a caller could slip the provider a
/// key of their own past the one that is bound to its cluster.
const FOREIGN_PARAMETERS: [&str; 5] = ["access_token", "oauth_token", "$key", "$access_token", "$oauth_token"];

/// How credentials are looked for.
#[derive(Clone, Copy, Debug)]
pub struct TakeOptions {
    /// Longest credential, in bytes.
    pub max_token_bytes: usize,
    /// Whether it may stand in the query as `key`.
    pub query_key: bool,
    /// Whether `authorization` may hold a signature for the provider (AWS SigV4) instead, which is no credential of ours.
    pub signed: bool,
}

impl Default for TakeOptions {
    fn default() -> Self {
        Self { max_token_bytes: 8192, query_key: true, signed: false }
    }
}

/// The `:path` without the credential in its query, where it holds one; the rest of it is unchanged byte by byte. A query
/// that cannot be read goes as a whole.
pub fn path_without_credential(headers: &Headers) -> Option<String> {
    let target = headers.all(":path").next()?;
    match Query::of(target)? {
        Ok(query) => (!query.keys.is_empty() || query.foreign).then_some(query.without),
        Err(Unreadable) => {
            let path = target.split(|b| *b == b'?').next().unwrap_or_default();
            Some(String::from_utf8_lossy(path).into_owned())
        }
    }
}

/// Finds the credential of a request: `authorization: Bearer`, `x-api-key`, `api-key`, `x-goog-api-key` or `?key=`,
/// so that every SDK's way of sending its API key will do. It is answered without its scheme, and was not looked into yet.
///
/// # Errors
/// [`Reason::Repeated`] where there is more than one (servers differ in which they take), [`Reason::Malformed`]
/// where it is none by its characters, [`Reason::TooLarge`], and [`Reason::Misplaced`].
pub fn take<'a>(headers: &'a Headers, options: &TakeOptions) -> Result<Option<&'a str>, Reason> {
    let mut found: Option<&'a str> = None;
    let mut keep = |value: &'a str| match found.replace(value) {
        None => Ok(()),
        Some(_) => Err(Reason::Repeated),
    };
    for name in CREDENTIAL_HEADERS.iter().copied() {
        let Some(value) = headers.one(name).map_err(|_| Reason::Repeated)? else { continue };
        let value = std::str::from_utf8(value).map_err(|_| Reason::Malformed)?.trim_matches([' ', '\t']);
        if options.signed && name == "authorization" && is_signature(value) {
            continue;
        }
        keep(if name == "authorization" { bearer(value)? } else { value })?;
    }
    if let Some(target) = headers.one(":path").map_err(|_| Reason::Malformed)?
        && let Some(query) = Query::of(target)
    {
        let query = query.map_err(|Unreadable| Reason::Malformed)?;
        if query.foreign || !query.keys.is_empty() && !options.query_key {
            return Err(Reason::Misplaced);
        }
        query.keys.into_iter().try_for_each(keep)?;
    }
    if let Some(credential) = found {
        if credential.len() > options.max_token_bytes {
            return Err(Reason::TooLarge);
        }
        // token68 (RFC 9110, section 11.2), whose alphabet every token and key of ours keeps to.
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
        if credential.is_empty() || !credential.bytes().all(allowed) {
            return Err(Reason::Malformed);
        }
    }
    Ok(found)
}

/// Whether an `authorization` is a signature of the request by AWS SigV4.
pub fn is_signature(value: &str) -> bool {
    value.split_once(' ').is_some_and(|(scheme, _)| scheme.starts_with("AWS4-"))
}

/// The token of `Bearer TOKEN` (RFC 6750, section 2.1); the scheme in any case.
fn bearer(value: &str) -> Result<&str, Reason> {
    let (scheme, token) = value.split_once(' ').ok_or(Reason::Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim_start_matches(' ')) } else { Err(Reason::Malformed) }
}

/// What the query of a path says about credentials.
struct Query<'a> {
    /// The values of every `key`.
    keys: Vec<&'a str>,
    /// Whether there is one under a name that we never take.
    foreign: bool,
    /// The path without any of them.
    without: String,
}

/// A query that is not ASCII: only that may stand in a request target (RFC 9112, section 3.2), but Envoy lets more through.
struct Unreadable;

impl<'a> Query<'a> {
    /// `None` where there is no query. Both `&` and `;` separate parameters, since servers differ in that.
    fn of(target: &'a [u8]) -> Option<Result<Self, Unreadable>> {
        let mark = target.iter().position(|b| *b == b'?')?;
        let target = std::str::from_utf8(target).ok().and_then(|t| t.split_at_checked(mark + 1));
        Some(target.ok_or(Unreadable).map(|(path, rest)| Self::read(path, rest)))
    }

    fn read(path: &'a str, rest: &'a str) -> Self {
        let mut query = Self { keys: Vec::new(), foreign: false, without: path.to_owned() };
        for part in rest.split_inclusive(['&', ';']) {
            let parameter = part.strip_suffix(['&', ';']).unwrap_or(part);
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let name = unescape(name);
            if FOREIGN_PARAMETERS.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes())) {
                query.foreign = true;
            } else if name == b"key" {
                // An escape has no business in a token: every character of it is unreserved.
                query.keys.push(value);
            } else {
                query.without.push_str(part);
            }
        }
        if query.without.len() > path.len() || rest.is_empty() {
            // The last parameter left may have lost the one after it, and would end in a separator.
            if !rest.ends_with(['&', ';']) && query.without.ends_with(['&', ';']) {
                query.without.pop();
            }
        } else {
            query.without.pop();
        }
        query
    }
}

/// Decodes percent escapes and `+`; what is no escape stays as it is.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let Some((byte, rest)) = bytes.split_first() {
        bytes = rest;
        out.push(match (byte, rest) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            _ => *byte,
        });
    }
    out
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pairs: &[(&str, &str)]) -> Result<(Option<String>, Option<String>), Reason> {
        let headers: Headers = pairs.iter().copied().collect();
        let path = path_without_credential(&headers);
        take(&headers, &TakeOptions::default()).map(|token| (token.map(str::to_owned), path))
    }

    fn token(pairs: &[(&str, &str)]) -> Result<Option<String>, Reason> {
        found(pairs).map(|(token, _)| token)
    }

    #[test]
    fn every_sdk_finds_its_place() {
        for pair in [
            ("authorization", "Bearer abc.def"),
            ("Authorization", "bEARER   abc.def"),
            ("x-api-key", "abc.def"),
            ("api-key", " abc.def\t"),
            ("x-goog-api-key", "abc.def"),
            (":path", "/v1?key=abc.def"),
        ] {
            assert_eq!(token(&[pair]).unwrap().as_deref(), Some("abc.def"), "{pair:?}");
        }
        assert_eq!(token(&[(":path", "/v1?alt=sse"), ("x-other", "1")]), Ok(None));
    }

    #[test]
    fn refuses_more_than_one() {
        for pairs in [
            &[("authorization", "Bearer a"), ("authorization", "Bearer a")][..],
            &[("authorization", "Bearer a"), ("Authorization", "Bearer b")],
            &[("authorization", "Bearer a"), ("x-api-key", "a")],
            &[("x-api-key", "a"), ("x-api-key", "b")],
            &[("x-goog-api-key", "a"), (":path", "/?key=a")],
            &[(":path", "/?key=a&key=a")],
            &[(":path", "/?key=a&%6bey=")],
            &[(":path", "/?key&ke%79=a")],
            &[(":path", "/?key=a;key=b")],
            &[("authorization", "Bearer a"), ("api-key", "")],
        ] {
            assert_eq!(token(pairs), Err(Reason::Repeated), "{pairs:?}");
        }
    }

    #[test]
    fn refuses_what_is_no_token() {
        for pair in [
            ("authorization", ""),
            ("authorization", "Bearer"),
            ("authorization", "Bearer "),
            ("authorization", "Basic YTpi"),
            ("authorization", "Bearer a, Bearer b"),
            ("authorization", "Bearer a b"),
            ("authorization", "Bearer a\tb"),
            ("authorization", "Bearer\ta"),
            ("authorization", "abc"),
            ("x-api-key", ""),
            ("x-api-key", "Bearer a"),
            ("x-api-key", "a\u{0}b"),
            ("x-api-key", "ä"),
            (":path", "/?key="),
            (":path", "/?key=a%20b"),
        ] {
            assert_eq!(token(&[pair]), Err(Reason::Malformed), "{pair:?}");
        }
        let bytes = Headers::new([("x-api-key".to_owned(), b"a\xff".to_vec())]);
        assert_eq!(take(&bytes, &TakeOptions::default()), Err(Reason::Malformed));
        let long = "a".repeat(8193);
        assert_eq!(token(&[("x-api-key", &long)]), Err(Reason::TooLarge));
        assert!(token(&[("x-api-key", long.get(1..).unwrap())]).is_ok());
        for path in ["/?access_token=x", "/?%61ccess_token=x", "/?a=1&%24key=x", "/?OAuth_Token=x"] {
            assert_eq!(token(&[(":path", path)]), Err(Reason::Misplaced), "{path}");
        }
        let headers: Headers = [(":path", "/?key=a")].into_iter().collect();
        let options = TakeOptions { query_key: false, ..TakeOptions::default() };
        assert_eq!(take(&headers, &options), Err(Reason::Misplaced));
    }

    #[test]
    fn the_path_loses_the_key_and_nothing_else() {
        for (before, after) in [
            ("/v1/m:gen?key=abc", "/v1/m:gen"),
            ("/v1?key=abc&alt=sse", "/v1?alt=sse"),
            ("/v1?alt=sse&key=abc", "/v1?alt=sse"),
            ("/v1?a=%20b+c&key=abc&d=%2F&", "/v1?a=%20b+c&d=%2F&"),
            ("/v1?%6B%65%79=abc&x", "/v1?x"),
            ("/v1?a;key=abc;b", "/v1?a;b"),
            ("/v1?keys=1&key=abc&KEY=2&xkey=3&key%20=4", "/v1?keys=1&KEY=2&xkey=3&key%20=4"),
            ("/v1?key=abc&", "/v1"),
            ("/v1?a?key=1&key=abc", "/v1?a?key=1"),
        ] {
            assert_eq!(found(&[(":path", before)]), Ok((Some("abc".into()), Some(after.into()))), "{before}");
        }
        for untouched in ["/v1", "/v1?", "/v1?a=key", "/v1?a&&b", "/key=abc"] {
            assert_eq!(found(&[(":path", untouched)]), Ok((None, None)), "{untouched}");
        }
    }

    #[test]
    fn a_path_loses_what_is_refused_too() {
        let without = |path: &[u8]| path_without_credential(&Headers::new([(":path".to_owned(), path.to_vec())]));
        for (before, after) in [
            (&b"/v1?key=a&key=b&x=1"[..], "/v1?x=1"),
            (b"/v1?access_token=abc", "/v1"),
            (b"/v1?a=1&%61ccess_token=abc", "/v1?a=1"),
            (b"/v1?key=a\xff", "/v1"),
        ] {
            assert_eq!(without(before).as_deref(), Some(after), "{}", before.escape_ascii());
        }
    }
}
