//! IP_ADDRESS, version 4: dotted quads (RFC 791), with a prefix length (RFC 4632).

use super::super::bytes;
use super::super::context::{Words, words};
use super::super::types::Type;
use super::{Candidate, Chain, Sep};

pub(in super::super) static ADDRESS: Words = words!(
    "ip ips ipv address addresses addr host hosts hostname server servers client clients subnet cidr \
     gateway dns nameserver proxy ping ssh router network localhost endpoint listen bind remote peer src \
     dst source destination http https tcp udp inet loopback login firewall vpn forwarded connect \
     connection connected from node range"
);

static VERSION: Words = words!(
    "version versions ver v release releases released build firmware section sections sec chapter rev \
     revision driver package figure fig table clause article appendix oid update upgrade patch tag dll \
     sdk installer rc chrome safari edge edg opr paragraph rule step kernel windows macos ios android firefox chromium libc glibc",
    "版本"
);

pub(super) fn find(chain: &Chain<'_>, first: usize, found: &mut Vec<Candidate>) {
    let dotted = |i: usize| chain.sep(i) == Sep::Dot;
    let last = first + 3;
    if !(dotted(first + 1) && dotted(first + 2) && dotted(last)) || dotted(first) || dotted(last + 1) {
        return;
    }
    let Some(octets) = octets(chain, first) else { return };
    let bytes = chain.bytes;
    let (start, mut end) = (chain.group(first).start, chain.group(last).end);
    let (before, after) = (bytes::before(bytes, start), bytes::at(bytes, end));
    // `.` and a digit before: the tail of something longer that did not become one chain (`1.02.3.4.5`).
    if chain.glued_after(last) || before == b'_' || after == b'_' || before == b'.' {
        return;
    }
    let url = bytes.get(..start).unwrap_or_default().ends_with(b"://");
    if chain.sep(last + 1) == Sep::Slash && !url && !chain.glued_after(last + 1) {
        let bits = chain.group(last + 1);
        if bits.len() <= 2 && chain.value(last + 1).is_some_and(|b| b <= 32) && chain.sep(last + 2) != Sep::Slash {
            end = bits.end;
        }
    }
    let score = score(chain, first, &octets, start, end, url);
    let test_value = is_reserved(&octets);
    found.push(Candidate { kind: Type::IpAddress, start, end, score, checked: score >= 0.5, test_value });
}

fn octets(chain: &Chain<'_>, first: usize) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    for (i, octet) in octets.iter_mut().enumerate() {
        let group = chain.group(first + i);
        // A leading zero is octal to some readers and an error to others.
        if group.len() > 1 && bytes::at(chain.bytes, group.start) == b'0' {
            return None;
        }
        *octet = chain.value(first + i).and_then(|v| u8::try_from(v).ok())?;
    }
    Some(octets)
}

/// Four small numbers are as often a version or a section; what stands around decides.
fn score(chain: &Chain<'_>, first: usize, octets: &[u8; 4], start: usize, end: usize, url: bool) -> f32 {
    let bytes = chain.bytes;
    if url {
        return 0.95;
    }
    let before = bytes::before(bytes, start);
    let compared = matches!(before, b'=' | b'<' | b'>' | b'~' | b'^')
        && matches!(bytes::before(bytes, start - 1), b'=' | b'<' | b'>' | b'~' | b'!' | b'^');
    // `chrome/120.0.0.0`, `name-1.2.3.4`, `1.2.3.4-1`
    let path = before == b'/' && bytes::before(bytes, start - 1).is_ascii_alphanumeric();
    let named = before == b'-' && bytes::before(bytes, start - 1).is_ascii_alphanumeric();
    let suffixed = matches!(bytes::at(bytes, end), b'-' | b'+') && bytes::at(bytes, end + 1).is_ascii_alphanumeric();
    let [address, version] = Words::nearest([&ADDRESS, &VERSION], bytes, start, 40);
    let range = chain.sep(first) == Sep::Dash || chain.sep(first + 4) == Sep::Dash;
    if compared {
        return 0.1;
    }
    if let Some(version) = version
        && address.is_none_or(|address| version < address)
    {
        return 0.2;
    }
    match address {
        Some(_) => 0.95,
        None if path || named || suffixed || range => 0.4,
        // Private and loopback ranges look like nothing else.
        None if matches!(octets, [10, ..] | [127, 0, 0, _] | [0, 0, 0, 0] | [192, 168, ..] | [172, 16..=31, ..]) => {
            0.85
        }
        None if octets.iter().all(|o| *o < 32) && octets.windows(2).any(|w| matches!(w, [a, b] if a != b)) => 0.45,
        None if octets.iter().all(|o| *o < 100) => 0.6,
        None => 0.85,
    }
}

/// Ranges that identify nobody: documentation (RFC 5737), this host, loopback, limited broadcast.
pub(in super::super) fn is_reserved(octets: &[u8; 4]) -> bool {
    matches!(octets, [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [127, ..] | [0, ..] | [255, 255, 255, 255])
}
