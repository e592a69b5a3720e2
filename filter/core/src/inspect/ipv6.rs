//! IP_ADDRESS, version 6: the text forms of RFC 4291 (2.2), with a zone (RFC 4007) and a prefix length.

use super::Candidate;
use super::bytes::{self, ALNUM, DIGIT, HEX};
use super::context::{Words, words};
use super::numbers::ipv4::{ADDRESS, is_reserved};
use super::types::Type;

/// What was read.
pub(super) struct Read {
    /// The end of the run of hex digits, colons and dots: no other address starts in it.
    pub(super) end: usize,
    /// Whether it was an address.
    pub(super) found: bool,
}

/// The longest text form, `ffff:` six times and a dotted quad, is 45 long.
const MAX: usize = 48;

/// Reads the address around the `:` at `at`, the first of its run.
pub(super) fn find(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) -> Read {
    if !is_part(bytes::at(bytes, at + 1)) {
        return Read { end: at + 1, found: false };
    }
    let head = HEX.run_back(bytes, at, 5);
    let start = at - head;
    let labelled = head > 4 || bytes::WORD.contains(bytes::before(bytes, start));
    // `IPv6:2001:db8::1`, `addr:2001:db8::1`: a label, and the address behind the colon.
    let start = if labelled && !bytes::escape_before(bytes, start) { at + 1 } else { start };
    let mut end = at;
    while end < bytes.len() && end < at + MAX && is_part(bytes::at(bytes, end)) {
        end += 1;
    }
    super::work::add(end - start.min(end) + 1);
    let miss = Read { end: end.max(at + 1), found: false };
    if matches!(bytes::before(bytes, start), b':' | b'.') && start != at + 1 {
        return miss;
    }
    let Some(address) = parse(bytes, start) else { return miss };
    if !address.ends_well(bytes) {
        return miss;
    }
    let Some(score) = score(bytes, start, &address) else { return miss };
    let mut end = address.end;
    if bytes::at(bytes, end) == b'%' {
        let zone = ALNUM.run(bytes, end + 1, 16);
        end += if zone > 0 { zone + 1 } else { 0 };
    }
    if bytes::at(bytes, end) == b'/' && bytes::at(bytes, end + 1).is_ascii_digit() {
        let digits = DIGIT.run(bytes, end + 1, 4);
        let prefix = bytes.get(end + 1..end + 1 + digits).unwrap_or_default();
        let prefix = prefix.iter().fold(0u32, |n, d| n * 10 + u32::from(d - b'0'));
        end += if prefix <= 128 { digits + 1 } else { 0 };
    }
    let test_value = address.is_reserved();
    found.push(Candidate { kind: Type::IpAddress, start, end, score, checked: score >= 0.5, test_value });
    Read { end: end.max(miss.end), found: true }
}

pub(super) fn is_part(byte: u8) -> bool {
    HEX.contains(byte) || byte == b':' || byte == b'.'
}

struct Address {
    end: usize,
    groups: [u16; 8],
    /// How many groups are written out.
    written: usize,
    compressed: bool,
    /// A group of three or four hex digits with a decimal digit among them is there: few words have one.
    telling: bool,
    /// Every group has exactly two digits, as in hardware addresses and fingerprints.
    pairs: bool,
    digits: bool,
    /// A group of three or four hex digits is there.
    long: bool,
    mapped: bool,
}

impl Address {
    /// Whether what follows cannot be more of it: `:` may follow only as punctuation.
    fn ends_well(&self, bytes: &[u8]) -> bool {
        let (next, after) = (bytes::at(bytes, self.end), bytes::at(bytes, self.end + 1));
        let more = match next {
            b':' => after == b':' || after.is_ascii_alphanumeric(),
            b'.' => after.is_ascii_digit(),
            b'_' => true,
            next => next.is_ascii_alphanumeric(),
        };
        !more
    }

    /// Unspecified, loopback and documentation (RFC 3849, RFC 9637) addresses.
    fn is_reserved(&self) -> bool {
        match self.groups {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] | [0x2001, 0xdb8, ..] => true,
            [0x3fff, second, ..] => second < 0x1000,
            [0, 0, 0, 0, 0, 0xffff, high, low] => {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                is_reserved(&[a, b, c, d])
            }
            _ => false,
        }
    }
}

fn parse(bytes: &[u8], start: usize) -> Option<Address> {
    let mut address = Address {
        end: start,
        groups: [0; 8],
        written: 0,
        compressed: false,
        telling: false,
        pairs: true,
        digits: false,
        long: false,
        mapped: false,
    };
    let mut at = start;
    let mut gap = None;
    if bytes::stands(bytes, at, "::") {
        gap = Some(0);
        at += 2;
    } else if bytes::at(bytes, at) == b':' {
        return None;
    }
    while address.written < 8 {
        let length = HEX.run(bytes, at, 5);
        if length == 0 {
            break;
        }
        if bytes::at(bytes, at + length) == b'.'
            && address.written <= 6
            && bytes::at(bytes, at + length + 1).is_ascii_digit()
        {
            let (quad, end) = quad(bytes, at)?;
            let [a, b, c, d] = quad;
            let slots = address.groups.get_mut(address.written..address.written + 2)?;
            slots.copy_from_slice(&[u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
            address.written += 2;
            address.mapped = true;
            at = end;
            break;
        }
        let text = bytes.get(at..at + length)?;
        *address.groups.get_mut(address.written)? = group(text)?;
        let decimal = text.iter().any(u8::is_ascii_digit);
        address.digits |= decimal;
        address.long |= length >= 3;
        address.telling |= length >= 3 && decimal && !matches!(text, b"f16" | b"f32" | b"f64");
        address.pairs &= length == 2;
        address.written += 1;
        at += length;
        if address.written == 8 || bytes::at(bytes, at) != b':' {
            break;
        }
        if bytes::at(bytes, at + 1) == b':' {
            if gap.is_some() {
                return None;
            }
            gap = Some(address.written);
            at += 2;
        } else if HEX.contains(bytes::at(bytes, at + 1)) {
            at += 1;
        } else {
            break;
        }
    }
    address.end = at;
    address.compressed = gap.is_some();
    match gap {
        None => (address.written == 8).then_some(address),
        // `::` stands for at least one group.
        Some(_) if address.written == 8 => None,
        Some(gap) => {
            address.groups.get_mut(gap..)?.rotate_right(8 - address.written);
            Some(address)
        }
    }
}

fn group(text: &[u8]) -> Option<u16> {
    let value = text.iter().try_fold(0u32, |n, b| Some(n * 16 + char::from(*b).to_digit(16)?))?;
    u16::try_from(value).ok().filter(|_| text.len() <= 4)
}

/// The dotted quad at the end of an address, and where it ends.
fn quad(bytes: &[u8], start: usize) -> Option<([u8; 4], usize)> {
    let mut octets = [0; 4];
    let mut at = start;
    for (i, octet) in octets.iter_mut().enumerate() {
        if i > 0 {
            at += usize::from(bytes::at(bytes, at) == b'.');
        }
        let length = DIGIT.run(bytes, at, 4);
        let value = bytes.get(at..at + length)?.iter().fold(0u32, |n, d| n * 10 + u32::from(d - b'0'));
        *octet = u8::try_from(value).ok().filter(|_| (1..=3).contains(&length))?;
        at += length;
    }
    Some((octets, at))
}

static IP: Words = words!("ip ipv");

/// How much an address it looks; `a::b` and `12::34` are more often code and ratios.
fn score(bytes: &[u8], start: usize, address: &Address) -> Option<f32> {
    let context = || ADDRESS.before(bytes, start, 40).is_some();
    let score = match (address.compressed, address.written) {
        (false, _) if address.pairs => return None,
        (false, _) if !(address.digits && address.long || context()) => 0.4,
        (false, _) => 0.95,
        (true, 0) if IP.before(bytes, start, 16).is_some() && bytes::at(bytes, address.end) != b':' => 0.5,
        (true, 0) => return None,
        (true, _) if address.mapped => 0.95,
        (true, 1) if address.groups.ends_with(&[0, 1]) && bytes::at(bytes, start) == b':' => 0.7,
        (true, 2..) if address.telling => 0.9,
        (true, 3..) if address.digits => 0.8,
        (true, 1) if address.telling => 0.7,
        (true, _) if context() && address.digits => 0.6,
        _ => 0.3,
    };
    Some(score)
}
