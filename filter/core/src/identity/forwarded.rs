//! `x-forwarded-client-cert`: the workload behind hops that are listed as peers.
//!
//! Each proxy that is told so adds an element for the certificate of its own peer to the right of what came (Envoy, "HTTP header
//! manipulation", x-forwarded-client-cert). So the header is read from the right: elements about listed peers are hops, and the first
//! other one is the workload that the last of these hops has seen. What stands left of it was written before anybody listed looked, by
//! the caller themselves perhaps, and decides nothing.
//!
//! Reading is strict, and of the whole header, since a quote that is left open on the left would swallow what the hops wrote. Elements are
//! separated by `,`, pairs by `;`; a value with one of these or `=` in it stands in quotes, where a backslash takes the character after
//! it as itself; keys are those of Envoy, in any case, and only those that it repeats may be there twice. Everything else is no header
//! of a hop's.
//!
//! What it does not do: it does not say whether the connection's own peer is listed, and it checks no certificate; hops did.

use super::reason::Reason;
use super::workload::trust_domain;
use crate::policy::Globs;

/// The header's name.
pub const FORWARDED_HEADER: &str = "x-forwarded-client-cert";

/// Headers of requests that must not come back as trailers: every place of a credential, and this header.
pub const FORWARDED_AND_CREDENTIALS: &[&str] =
    &["authorization", "x-api-key", "api-key", "x-goog-api-key", FORWARDED_HEADER];

/// Most bytes, in all headers of the name: a chain of certificates in each of a few elements.
const MAX_BYTES: usize = 32 * 1024;
/// Most elements: so many hops are a loop.
const MAX_ELEMENTS: usize = 32;

/// Proxies whose word counts.
#[derive(Clone, Debug, Default)]
pub struct Peers(Globs);

impl Peers {
    /// From SPIFFE ids, which may be globs. Case counts, as it does in these ids.
    pub fn new(ids: &[String]) -> Self {
        Self(Globs::exact(ids))
    }

    /// Whether it is a well-formed id and listed.
    pub fn include(&self, id: &str) -> bool {
        trust_domain(id).is_some() && self.0.any(id)
    }
}

/// The first id from the right that is not a peer's, in all headers of the name; `None` where all are.
///
/// # Errors
/// [`Reason::ForwardedCertificate`]: the headers cannot be read, are too long, or an element up to the one that counts has not
/// exactly one URI.
pub fn workload_behind<'a>(values: impl Iterator<Item = &'a [u8]>, peers: &Peers) -> Result<Option<String>, Reason> {
    let (mut elements, mut bytes) = (Vec::new(), 0_usize);
    for value in values {
        bytes = bytes.saturating_add(value.len());
        if bytes > MAX_BYTES {
            return Err(Reason::ForwardedCertificate);
        }
        read(value, &mut elements).ok_or(Reason::ForwardedCertificate)?;
    }
    for element in elements.into_iter().rev() {
        let Element { uri: Some(uri), uris: 1, .. } = element else { return Err(Reason::ForwardedCertificate) };
        if uri.is_empty() {
            return Err(Reason::ForwardedCertificate);
        }
        if !peers.include(&uri) {
            return Ok(Some(uri));
        }
    }
    Ok(None)
}

/// What one proxy wrote of its peer.
#[derive(Debug, Default)]
struct Element {
    uri: Option<String>,
    uris: usize,
    /// Keys that are there, of those that may be there once.
    seen: Vec<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    By,
    Hash,
    Cert,
    Chain,
    Subject,
    Uri,
    Dns,
}

impl Key {
    const ALL: [(&str, Key); 7] = [
        ("by", Key::By),
        ("hash", Key::Hash),
        ("cert", Key::Cert),
        ("chain", Key::Chain),
        ("subject", Key::Subject),
        ("uri", Key::Uri),
        ("dns", Key::Dns),
    ];

    fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, key)| key)
    }

    /// A certificate has several names of these types; a list of URIs is told apart from one where it counts.
    fn repeats(self) -> bool {
        matches!(self, Key::By | Key::Uri | Key::Dns)
    }
}

/// The elements of one header; `None` where it is none.
fn read(value: &[u8], elements: &mut Vec<Element>) -> Option<()> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| (0x20..=0x7e).contains(&b)))?;
    let mut rest = text;
    let mut element = Element::default();
    loop {
        let (name, value) = rest.split_once('=')?;
        let key = Key::of(name)?;
        let (value, after) = if let Some(quoted) = value.strip_prefix('"') { unquoted(quoted)? } else { bare(value)? };
        if !key.repeats() {
            if element.seen.contains(&key) {
                return None;
            }
            element.seen.push(key);
        }
        if key == Key::Uri {
            element.uris = element.uris.saturating_add(1);
            element.uri = Some(value);
        }
        let mut next = after.chars();
        match next.next() {
            Some(';') => {}
            separator @ (Some(',') | None) => {
                elements.push(std::mem::take(&mut element));
                if elements.len() > MAX_ELEMENTS {
                    return None;
                }
                if separator.is_none() {
                    return Some(());
                }
            }
            Some(_) => return None,
        }
        rest = next.as_str();
    }
}

/// A value without quotes, and what is behind it.
fn bare(text: &str) -> Option<(String, &str)> {
    let end = text.find([',', ';']).unwrap_or(text.len());
    let (value, after) = text.split_at_checked(end)?;
    // What has one of these would have been quoted, or escaped in quotes.
    (!value.contains(['=', '"', '\\'])).then(|| (value.to_owned(), after))
}

/// A value whose first quote is gone, and what is behind its last.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::take::CREDENTIAL_HEADERS;
    use super::*;

    const EDGE: &str = "spiffe://td/ns/edge/sa/gateway";
    const INNER: &str = "spiffe://td/ns/inner/sa/proxy";
    const JOB: &str = "spiffe://td/ns/batch/sa/job";
    const HASH: &str = "Hash=468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688";

    fn behind(values: &[&str]) -> Result<Option<String>, Reason> {
        let peers = Peers::new(&["spiffe://td/ns/edge/sa/*".to_owned(), INNER.to_owned()]);
        workload_behind(values.iter().map(|v| v.as_bytes()), &peers)
    }

    #[test]
    fn the_first_from_the_right_that_is_no_hop_is_the_workload() {
        let job = Ok(Some(JOB.to_owned()));
        let edge = format!("By={INNER};{HASH};Subject=\"CN=edge,O=\\\"a;b\\\\\";URI={EDGE};DNS=a.test;DNS=b.test");
        let caller = format!("By={EDGE};By=https://edge.test;{HASH};URI={JOB}");
        assert_eq!(behind(&[&caller]), job, "the hop wrote it, and this proxy adds nothing");
        assert_eq!(behind(&[&format!("{caller},{edge}")]), job, "this proxy appends its own peer");
        assert_eq!(behind(&[&caller, &edge]), job, "in two headers");
        assert_eq!(
            behind(&[&format!("{caller},{edge},uri=\"{INNER}\"")]),
            job,
            "three hops, and a key in another case"
        );
        assert_eq!(behind(&[&format!("Cert=\"a%3Db\";Chain=\"{}\";URI={JOB}", "x".repeat(9000))]), job);
        assert_eq!(behind(&[]), Ok(None));
        assert_eq!(behind(&[&edge]), Ok(None), "hops alone");
        // Case counts in ids: this one is not listed, and nobody's proxy.
        let other = "spiffe://td/ns/inner/sa/Proxy";
        assert_eq!(behind(&[&format!("{caller},URI={other}")]), Ok(Some(other.to_owned())));
        // No id at all is the workload, which is then none of a trust domain.
        assert_eq!(behind(&["URI=http://client.test"]), Ok(Some("http://client.test".to_owned())));
    }

    #[test]
    fn what_the_caller_wrote_stands_left_of_what_counts() {
        let written = format!("By={EDGE};{HASH};Subject=\"\";URI={JOB},By={INNER};{HASH};URI={EDGE}");
        let forged = "spiffe://td/ns/admin/sa/root";
        for left in [
            format!("URI={forged}"),
            format!("URI={forged},URI={EDGE}"),
            format!("By={EDGE};{HASH};URI={forged},By={INNER};{HASH};URI={EDGE}"),
            "Hash=a;DNS=b".to_owned(),
            format!("URI={forged};URI={forged}"),
            "Subject=\"\\\",URI=\"".to_owned(),
        ] {
            assert_eq!(behind(&[&format!("{left},{written}")]), Ok(Some(JOB.to_owned())), "{left}");
            assert_eq!(behind(&[&left, &written]), Ok(Some(JOB.to_owned())), "{left}");
        }
        // What would swallow the hops' own words, or is not theirs in form.
        for left in [
            format!("URI={forged};Subject=\""),
            format!("URI={forged};Subject=\"a\\"),
            format!("URI={forged};Cert=\"\\\""),
            format!("URI=\"{forged}"),
            "\"".to_owned(),
            String::new(),
            ",".to_owned(),
            "x".to_owned(),
        ] {
            assert_eq!(behind(&[&format!("{left},{written}")]), Err(Reason::ForwardedCertificate), "{left}");
            assert_eq!(behind(&[&left, &written]), Err(Reason::ForwardedCertificate), "{left}");
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let many = vec![format!("URI={EDGE}"); 33].join(",");
        let long = format!("URI={JOB};Cert=\"{}\"", "a".repeat(32 * 1024));
        for bad in [
            "",
            ",",
            ";",
            "URI",
            "=a",
            "URI=a;",
            "URI=a,",
            ",URI=a",
            "URI=a,,URI=b",
            "URI=a;;DNS=b",
            "URI=a, URI=b",
            "URI=a; DNS=b",
            " URI=a",
            "URI =a",
            "URI= a=b",
            "URI=a=b",
            "URI=a\"b",
            "URI=a\\b",
            "URI=\"a\"b",
            "URI=\"a\"\"b\"",
            "URI=\"a",
            "URI=\"a\\",
            "URI=\"a\\\"",
            "URI=a\tb",
            "URI=é",
            "SAN=a",
            "URIs=a",
            "Hash=a;Hash=b;URI=a",
            "Subject=\"a\";subject=\"b\";URI=a",
            // No URI, an empty one, two.
            "By=a;Hash=b",
            "URI=",
            "URI=\"\"",
            "URI=a;URI=b",
            "URI=;URI=a",
            &many,
            &long,
        ] {
            assert_eq!(behind(&[bad]), Err(Reason::ForwardedCertificate), "{bad}");
        }
        // A hop of this kind is in the way of everything left of it, too.
        assert_eq!(behind(&[&format!("URI={JOB},By=a")]), Err(Reason::ForwardedCertificate));
        assert_eq!(behind(&[&format!("URI={JOB},URI={EDGE};URI={JOB}")]), Err(Reason::ForwardedCertificate));
        let peers = Peers::new(&[EDGE.to_owned()]);
        let bytes: [&[u8]; 2] = [b"URI=a", b"URI=\xff"];
        assert_eq!(workload_behind(bytes.into_iter(), &peers), Err(Reason::ForwardedCertificate));
        let halves = vec!["a".repeat(20_000); 2];
        let halves: Vec<String> = halves.iter().map(|half| format!("Cert=\"{half}\"")).collect();
        assert_eq!(behind(&[&halves[0], &halves[1], &format!("URI={JOB}")]), Err(Reason::ForwardedCertificate));
        let most = vec![format!("URI={EDGE}"); 32].join(",");
        assert_eq!(behind(&[&most]), Ok(None));
    }

    #[test]
    fn only_well_formed_ids_are_peers() {
        let peers = Peers::new(&["spiffe://td/ns/edge/*".to_owned()]);
        assert!(peers.include("spiffe://td/ns/edge/sa/gateway"));
        for other in ["spiffe://td/ns/edge/../batch", "spiffe://td/ns/Edge/sa/a", "spiffe://td/ns/edge/", ""] {
            assert!(!peers.include(other), "{other}");
        }
        assert_eq!(FORWARDED_AND_CREDENTIALS[..4], *CREDENTIAL_HEADERS);
    }
}
