//! Where a URL leads, as browsers read it (URL Standard, 4.4 "basic URL parser"), and whether it carries anything.
//!
//! A renderer undoes character references and backslash escapes, a browser then drops tabs and line ends, takes `\`
//! for `/` and any number of slashes for two, decodes `%65` in a host, and takes what follows the last `@` for the
//! host. All of that is undone here; where there are two ways to read a backslash, a URL is foreign if either is.
//!
//! **What this does not do.** It does not resolve names, and does not map characters beyond ASCII to others (IDNA):
//! a host is compared with the list as it is written, so `good。example` is not `good.example`, and is foreign.

use std::borrow::Cow;

use super::Hosts;
use super::decode;

/// A longer path carries something.
const MAX_PATH: usize = 32;
/// A longer label of a host name does.
const MAX_LABEL: usize = 24;
/// And so does a longer name.
const MAX_HOST: usize = 64;

/// How a URL is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// As a destination in Markdown or the value of an attribute.
    Value,
    /// In a style sheet, with or without quotes.
    Style,
    /// In running text.
    Bare,
}

/// What is known of a URL that leads to a host which is not in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    /// A query, a fragment, a name before the host, a long path or a long label.
    pub(super) carries: bool,
    /// The host is reserved for documents and tests (RFC 2606, RFC 6761).
    pub(super) reserved: bool,
}

/// Judges a URL; `None` where it leads nowhere else. `cut`: it goes on, and has been long enough: where that leaves
/// open where it leads, it counts.
pub(super) fn judge(raw: &str, written: Written, cut: bool, hosts: &Hosts) -> Option<Foreign> {
    super::super::work::add(raw.len());
    let decoded = decode::references(raw);
    let plain = stripped(&decoded, written);
    let first = read(&plain, written, cut, hosts);
    if !plain.contains('\\') {
        return first;
    }
    let unescaped = match written {
        Written::Style => decode::style_escapes(&plain),
        _ => decode::markdown_escapes(&plain),
    };
    let second = read(&stripped(&unescaped, written), written, cut, hosts);
    match (first, second) {
        (Some(a), Some(b)) => Some(Foreign { carries: a.carries || b.carries, reserved: a.reserved && b.reserved }),
        (first, second) => first.or(second),
    }
}

/// Without what the URL parser takes away, and the quotes of a style sheet.
fn stripped(text: &str, written: Written) -> Cow<'_, str> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let text = if written == Written::Style { text.trim_matches(['"', '\'', ' ']) } else { text };
    if text.contains(['\t', '\n', '\r']) {
        Cow::Owned(text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn read(url: &str, written: Written, cut: bool, hosts: &Hosts) -> Option<Foreign> {
    let undecided = || cut.then_some(Foreign { carries: true, reserved: false });
    let rest = match authority(url, written) {
        Start::Elsewhere(rest) => rest,
        Start::Here => return None,
        Start::Undecided => return undecided(),
    };
    let end = rest.find(['/', '\\', '?', '#']);
    if end.is_none() && cut {
        return undecided();
    }
    let (authority, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = match host.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => host.split(':').next(),
    };
    let host = decode::percent(host.unwrap_or_default()).to_lowercase();
    let host = host.strip_suffix('.').unwrap_or(&host);
    if host.is_empty() || hosts.contain(host) {
        return None;
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let carries = cut
        || !(user.is_empty() && query.is_empty() && fragment.is_empty())
        || path.len() > MAX_PATH
        || host.len() > MAX_HOST
        || host.split('.').any(|label| label.len() > MAX_LABEL);
    Some(Foreign { carries, reserved: is_reserved(host) })
}

/// Where a URL starts to name a host.
enum Start<'u> {
    /// It names one: what follows the slashes.
    Elsewhere(&'u str),
    /// It names none: it is relative, or holds its content itself.
    Here,
    /// It may yet name one.
    Undecided,
}

fn authority(url: &str, written: Written) -> Start<'_> {
    let slash = |c: char| matches!(c, '/' | '\\');
    if url.is_empty() {
        return Start::Undecided;
    }
    if url.starts_with(slash) {
        let rest = url.trim_start_matches(slash);
        return if url.len() - rest.len() > 1 { Start::Elsewhere(rest) } else { Start::Here };
    }
    let of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let end = url.find(|c: char| !of_scheme(c));
    let scheme = end.and_then(|end| url.get(..end)).filter(|s| s.starts_with(|c: char| c.is_ascii_alphabetic()));
    let after = end.and_then(|end| url.get(end..)).and_then(|rest| rest.strip_prefix(':'));
    match (scheme, after) {
        (Some(scheme), Some(rest)) => {
            let special = ["http", "https", "ftp", "ws", "wss"].iter().any(|s| s.eq_ignore_ascii_case(scheme));
            let host = rest.trim_start_matches(slash);
            if special || rest.starts_with("//") && !rest.starts_with("///") {
                Start::Elsewhere(host)
            } else {
                Start::Here
            }
        }
        _ if written == Written::Bare => Start::Elsewhere(url),
        _ if end.is_none() => Start::Undecided,
        _ => Start::Here,
    }
}

/// Names that belong to nobody.
fn is_reserved(host: &str) -> bool {
    let mut labels = host.rsplit('.');
    match labels.next() {
        Some("example" | "test" | "invalid" | "localhost") => true,
        Some("com" | "net" | "org") => labels.next() == Some("example"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::hosts;
    use super::*;

    fn verdict(raw: &str, written: Written) -> &'static str {
        match judge(raw, written, false, &hosts(&["good.example", "*.good.example", "10.0.0.1", "[2001:db8::1]"])) {
            None => "none",
            Some(Foreign { carries: false, .. }) => "plain",
            Some(Foreign { carries: true, .. }) => "carries",
        }
    }

    #[test]
    fn where_urls_lead() {
        for (url, expected) in [
            ("https://good.example/a?b#c", "none"),
            ("https://GOOD.example.:8443/a?b", "none"),
            ("https://cdn.good.example", "none"),
            ("https://good.example.evil.test", "plain"),
            ("https://evilgood.example", "plain"),
            ("https://u:p@good.example/?x", "none"),
            ("https://good.example@evil.test/x", "carries"),
            ("https://good.example%40evil.test", "plain"),
            ("https://evil.test", "plain"),
            ("https://evil.test/", "plain"),
            ("https://evil.test/?", "plain"),
            ("https://evil.test/a/page.html", "plain"),
            ("https://evil.test/?q", "carries"),
            ("https://evil.test?q", "carries"),
            ("https://evil.test/#q", "carries"),
            ("https://evil.test/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "plain"),
            ("https://evil.test/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "carries"),
            ("https://aaaaaaaaaaaaaaaaaaaaaaaa.evil.test", "plain"),
            ("https://aaaaaaaaaaaaaaaaaaaaaaaaa.evil.test", "carries"),
            ("https://aaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbb.cccccccccccccccccccc.test", "carries"),
            ("HTTPS://EVIL.test?q", "carries"),
            ("https:evil.test?q", "carries"),
            ("https:/\\evil.test?q", "carries"),
            ("\\\\evil.test\\a?q", "carries"),
            ("/\\evil.test?q", "carries"),
            ("//evil.test?q", "carries"),
            ("///evil.test?q", "carries"),
            (" \u{1}https://evil.test?q", "carries"),
            ("ht\ntps:/\t/evil.test?q", "carries"),
            ("https&#x3a;//evil.test?q", "carries"),
            ("https&#58//evil.test?q", "carries"),
            ("https&colon;&sol;&sol;evil.test&quest;q", "carries"),
            ("https\\://evil.test?q", "carries"),
            ("https://good.example\\.evil.test", "plain"),
            ("https://good.example\\@evil.test/?q", "carries"),
            ("https://%65vil.test?q", "carries"),
            ("https://g%6Fod.example/?q", "none"),
            ("https://good.example%2eevil.test", "plain"),
            ("https://evil.test%2fx.good.example", "plain"),
            ("https://good。example/?q", "carries"),
            ("https://10.0.0.1/?q", "none"),
            ("https://10.0.0.2:80/?q", "carries"),
            ("https://0x0a000001/?q", "carries"),
            ("https://[2001:db8::1]:443/?q", "none"),
            ("https://[2001:db8::2]/?q", "carries"),
            ("https://xn--vil-xla.test", "plain"),
            ("ftp://evil.test/x", "plain"),
            ("file://evil.test/x", "plain"),
            ("file:///etc/passwd", "none"),
            ("app://host/?x", "carries"),
            ("data:image/png;base64,AAAA", "none"),
            ("mailto:bob@evil.test?subject=x", "none"),
            ("javascript:x()", "none"),
            ("tel:+1", "none"),
            ("/a?b", "none"),
            ("a/b?c", "none"),
            ("#top", "none"),
            ("?q", "none"),
            ("", "none"),
            ("https://", "none"),
            ("www.evil.test?q", "none"),
        ] {
            assert_eq!(verdict(url, Written::Value), expected, "{url}");
        }
        assert_eq!(verdict("www.evil.test?q", Written::Bare), "carries");
        assert_eq!(verdict("&quot;https://evil.test?q&quot;", Written::Style), "carries");
        assert_eq!(verdict("\\68 ttps\\3a//evil.test", Written::Style), "plain");
    }

    #[test]
    fn what_is_cut_counts_where_it_is_open() {
        let hosts = hosts(&["good.example"]);
        for (url, found) in [
            ("https://aaaaaa", true),
            ("https://evil.test/", true),
            ("httpsaaaaaaa", true),
            ("https://good.example/", false),
            ("a/b", false),
            ("data:x", false),
        ] {
            assert_eq!(judge(url, Written::Value, true, &hosts).is_some(), found, "{url}");
        }
    }

    #[test]
    fn reserved_names() {
        for (host, reserved) in [("example.com", true), ("a.example.org", true), ("x.test", true), ("acme.com", false)]
        {
            assert_eq!(is_reserved(host), reserved, "{host}");
        }
    }
}
