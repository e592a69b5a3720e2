//! MAC_ADDRESS: hardware addresses (IEEE EUI-48), in pairs with colons or hyphens, or in fours with dots.

use super::super::bytes::{self, ALPHA, DIGIT, HEX};
use super::super::types::Type;
use super::{Candidate, starts_free};

/// As they are written.
pub(super) const LAYOUTS: &[&str] = &["hh:hh:hh:hh:hh:hh", "hh-hh-hh-hh-hh-hh", "hhhh.hhhh.hhhh"];

/// Looks for one in pairs whose first colon is at `colon`.
pub(in super::super) fn find(bytes: &[u8], colon: usize, found: &mut Vec<Candidate>) {
    if let Some(start) = colon.checked_sub(2)
        && bytes::at(bytes, colon + 3) == b':'
        && bytes::before(bytes, start) != b':'
    {
        read(bytes, start, b':', 2, found);
    }
}

/// Looks for one with hyphens or dots whose first digit is at `at`.
pub(super) fn dashed(bytes: &[u8], at: usize, found: &mut Vec<Candidate>) {
    let end = at + DIGIT.run(bytes, at, 5) + ALPHA.run(bytes, at, 3);
    let near = |sep: u8| bytes.get(at.saturating_sub(1)..end + 4).or(bytes.get(at..)).is_some_and(|b| b.contains(&sep));
    for (sep, group, length) in [(b'-', 2, 17), (b'.', 4, 14)] {
        if !near(sep) {
            continue;
        }
        for start in (0..length).filter_map(|back| at.checked_sub(back)) {
            let letters = bytes.get(start..at).unwrap_or_default();
            if letters.iter().any(|b| b.is_ascii_digit() || !(HEX.contains(*b) || *b == sep)) {
                break;
            }
            if bytes::at(bytes, start + group) == sep && bytes::before(bytes, start) != sep {
                read(bytes, start, sep, group, found);
            }
        }
    }
}

fn read(bytes: &[u8], start: usize, sep: u8, group: usize, found: &mut Vec<Candidate>) {
    let length = 12 + (12 / group) - 1;
    let Some(value) = bytes.get(start..start + length) else { return };
    super::super::work::add(length);
    let fits = |(i, b): (usize, &u8)| if i % (group + 1) == group { *b == sep } else { b.is_ascii_hexdigit() };
    if !value.iter().enumerate().all(fits) || !starts_free(bytes, start) {
        return;
    }
    let (end, mut digits) = (start + length, value.iter().filter(|b| **b != sep));
    let (next, beyond) = (bytes::at(bytes, end), bytes::at(bytes, end + 1));
    let goes_on = next.is_ascii_alphanumeric()
        || matches!(next, b'_' | b'@')
        || matches!(next, b':' | b'-' | b'.') && (beyond.is_ascii_hexdigit() || beyond == next);
    let first = digits.next().copied().unwrap_or(0);
    // None and everybody.
    let nobody = matches!(first, b'0' | b'f' | b'F') && digits.all(|b| b.eq_ignore_ascii_case(&first));
    if !goes_on && !nobody {
        let kind = Type::MacAddress;
        found.push(Candidate { kind, start, end, score: 0.9, checked: true, test_value: false });
    }
}
