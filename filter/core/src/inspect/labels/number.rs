//! What begins with a number: street addresses, ages, coordinates, and the tracks of payment cards.

use super::super::types::Type;
use super::super::{Candidate, bytes, checks};
use super::reader::{Reader, list};
use super::{Found, Label, Wanted, address};

list!(
    PEOPLE,
    "man woman male female boy girl patient mother father son daughter husband wife lady gentleman teenager child gentleman brother sister"
);

/// What is found: the kind, where it ends, the score.
type Hit = (Type, usize, f32);

/// Whether anything may begin with the digits from `at` to `end`: few bytes around most say that [`find`] finds nothing.
pub(super) fn may_count(text: &[u8], at: usize, end: usize) -> bool {
    let (before, next, beyond) = (bytes::before(text, at), bytes::at(text, end), bytes::at(text, end + 1));
    if matches!(before, b'B' | b';') {
        return true;
    }
    if before != b'-' && is_part(before) || end - at > 5 {
        return false;
    }
    match next {
        // The name of a street, or `years`.
        b' ' => beyond.is_ascii_alphabetic() || beyond >= 0x80,
        b',' => beyond == b' ',
        b'-' | b'/' => beyond.is_ascii_digit() || beyond.eq_ignore_ascii_case(&b'y'),
        b'A'..=b'Z' | b'a'..=b'z' => matches!(beyond, b' ' | b','),
        // A degree sign, behind decimals or not.
        0xC2 => true,
        b'.' => bytes::at(text, end + 1 + bytes::DIGIT.run(text, end + 1, 9)) == 0xC2,
        _ => false,
    }
}

/// Whether a number that stands behind `before` is a part of something.
fn is_part(before: u8) -> bool {
    before.is_ascii_alphanumeric() || before >= 0x80 || matches!(before, b'_' | b'.' | b'$' | b'-' | b'/' | b':' | b'=')
}

/// Reads on from the digit at `at`, if a number starts there.
pub(in super::super) fn find(r: &Reader<'_>, at: usize, wanted: Wanted, found: &mut Found) {
    let before = r.before(at);
    if wanted.has(Type::CardTrack) && matches!(before, b'B' | b';') {
        read(r, at, found, track);
    }
    if is_part(before) {
        if before == b'-' && wanted.has(Type::GeoCoordinates) {
            read(r, at, found, degrees);
        }
        return;
    }
    if wanted.has(Type::Address) {
        address::from_number(r, at, found);
    }
    if wanted.has(Type::Age) {
        read(r, at, found, age);
    }
    if wanted.has(Type::GeoCoordinates) {
        read(r, at, found, degrees);
    }
}

fn read(r: &Reader<'_>, at: usize, found: &mut Found, read: fn(&Reader<'_>, usize) -> Option<Hit>) {
    r.begin();
    let hit = read(r, at);
    if r.is_short() {
        found.undecided(at);
    } else if let Some((kind, end, score)) = hit {
        let checked = kind == Type::CardTrack;
        found.candidates.push(Candidate { kind, start: at, end, score, checked, test_value: false });
    }
}

/// `42-year-old man`, `42 years old`: an age only of somebody.
fn age(r: &Reader<'_>, at: usize) -> Option<Hit> {
    let (digits, years) = r.digits(at, 3);
    let mut end = at + digits;
    if !(1..=3).contains(&digits)
        || !(1..=120).contains(&years)
        || !matches!(r.at(end), b' ' | b'-')
        || !r.stands(end + 1, "year")
    {
        return None;
    }
    let join = r.at(end);
    end += 5;
    end += usize::from(r.at(end) == b's');
    if r.at(end) != join || !r.stands(end + 1, "old") || r.alnum(end + 4) {
        return None;
    }
    let end = end + 4;
    let person = r.word(r.spaces(end, 1)).is_some_and(|word| PEOPLE.has(word.hash));
    let before = r.slice(at.saturating_sub(14), at);
    let told = [&b"I am "[..], b"I'm ", b"patient is ", b"Patient is ", b"i am ", b"i'm "]
        .iter()
        .any(|words| before.ends_with(words));
    (person || told).then_some((Type::Age, at + digits, if told { 0.6 } else { 0.45 }))
}

/// `40.7128° N, 74.0060° W`, `40°42'46"N 74°0'22"W`.
fn degrees(r: &Reader<'_>, at: usize) -> Option<Hit> {
    let (first, _) = angle(r, at)?;
    let next = first + r.run(first, 3, |b| b == b' ' || b == b',');
    let next = next + usize::from(matches!(r.at(next), b'-' | b'+'));
    let (end, exact) = angle(r, next)?;
    (exact && next > first).then_some((Type::GeoCoordinates, end, 0.7))
}

/// Degrees with a sign for them, and a direction behind: where they end, and whether they are exact.
fn angle(r: &Reader<'_>, at: usize) -> Option<(usize, bool)> {
    let (digits, degrees) = r.digits(at, 3);
    if !(1..=3).contains(&digits) || degrees > 180 {
        return None;
    }
    let mut end = at + digits;
    let mut exact = false;
    if r.at(end) == b'.' {
        let more = r.run(end + 1, 9, |b| b.is_ascii_digit());
        exact = more >= 2;
        end += 1 + more;
    }
    // U+00B0
    if r.at(end) != 0xC2 || r.at(end + 1) != 0xB0 {
        return None;
    }
    end += 2;
    // Minutes and seconds: ', ′, ", ″
    for _ in 0..2 {
        let from = r.spaces(end, 1);
        let (more, _) = r.digits(from, 2);
        let mut to = from + more;
        if !(1..=2).contains(&more) {
            break;
        }
        if r.at(to) == b'.' {
            to += 1 + r.run(to + 1, 6, |b| b.is_ascii_digit());
        }
        let sign = match r.at(to) {
            b'\'' | b'"' => 1,
            0xE2 if r.at(to + 1) == 0x80 && matches!(r.at(to + 2), 0x99 | 0x9D | 0xB2 | 0xB3) => 3,
            _ => break,
        };
        (end, exact) = (to + sign, true);
    }
    let way = r.spaces(end, 1);
    let named = matches!(r.at(way), b'N' | b'S' | b'E' | b'W' | b'O') && !r.alnum(way + 1);
    Some((if named { way + 1 } else { end }, exact))
}

/// The first or second track of a payment card, from its number on.
fn track(r: &Reader<'_>, at: usize) -> Option<Hit> {
    let (digits, _) = r.digits(at, 19);
    let mut end = at + digits;
    if !(12..=19).contains(&digits) || !luhn(r.slice(at, end)) {
        return None;
    }
    let first = r.before(at) == b'B';
    if first {
        let name = r.run(end + 1, 27, |b| (b' '..0x7F).contains(&b) && b != b'^' && b != b'?');
        if r.at(end) != b'^' || r.at(end + 1 + name) != b'^' {
            return None;
        }
        end += 1 + name;
    } else if r.at(end) != b'=' {
        return None;
    }
    let date = r.run(end + 1, 7, |b| b.is_ascii_digit());
    if date < 7 {
        return None;
    }
    end += 8;
    end += r.run(end, 48, |b| b.is_ascii_alphanumeric() || b" =^-/".contains(&b));
    end += usize::from(r.at(end) == b'?');
    Some((Type::CardTrack, end, 0.95))
}

fn luhn(digits: &[u8]) -> bool {
    let digits: Vec<u8> = digits.iter().map(|b| b.wrapping_sub(b'0')).collect();
    checks::luhn(&digits)
}

/// Coordinates behind their label.
pub(super) fn coordinates(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    let start = label.at();
    let (first, places) = decimal(r, start)?;
    // `40.71, -74.00`; one alone is said to be a latitude.
    let next = first + r.run(first, 3, |b| b == b' ' || b == b',');
    let both = decimal(r, next).filter(|_| next > first);
    let pair = both.filter(|(_, places)| *places >= 2).map(|(end, _)| end);
    let end = pair
        .or_else(|| (places >= 3 && label.separator.strength == super::separator::Strength::Sign).then_some(first))?;
    let alone = super::table::is_axis(label.last.hash);
    (places >= 2 && (pair.is_some() || alone) && !r.alnum(end)).then_some(Candidate {
        kind: Type::GeoCoordinates,
        start,
        end,
        score: 0.7,
        checked: false,
        test_value: false,
    })
}

/// A number of degrees with its places: where it ends, how many.
fn decimal(r: &Reader<'_>, at: usize) -> Option<(usize, usize)> {
    let from = at + usize::from(matches!(r.at(at), b'-' | b'+'));
    let (digits, degrees) = r.digits(from, 3);
    let dot = from + digits;
    if !(1..=3).contains(&digits) || degrees > 180 || r.at(dot) != b'.' {
        return None;
    }
    let places = r.run(dot + 1, 16, |b| b.is_ascii_digit());
    let end = dot + 1 + places;
    (places > 0 && !(r.at(end) == b'.' && r.at(end + 1).is_ascii_digit())).then_some((end, places))
}
