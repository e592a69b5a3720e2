//! How identifiers are written.
//!
//! A layout is a text: `d` a digit, `u` an upper-case letter, `l` a letter, `x` an upper-case letter or digit, `y` a
//! letter or digit, `h` a hexadecimal digit; upper-case letters and figures are themselves; anything else is a separator as
//! it is mostly written. All separators stand or none does; another one of space, dash and dot may stand for each. A `!`
//! before the layout: they must stand.

use super::super::bytes;
use super::form::{Form, Text};

/// The longest identifier, in symbols.
pub(super) const MAX: usize = 40;

/// A layout with its separators, or without.
pub(super) struct Variant {
    pub(super) row: u16,
    /// Without separators, unless they stand.
    text: Box<[u8]>,
    /// Its separators stand.
    pub(super) formed: bool,
    /// The length of the second group of digits, where the first two groups are that and a separator stands between.
    second: Option<u8>,
    /// Digits and what joins groups of them: found where such groups are.
    pub(super) digits: bool,
    form: Form,
}

/// What stands behind the first digits of a variant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Follows {
    Nothing,
    Separator,
    Letter,
}

/// What a layout matched.
pub(super) struct Match {
    pub(super) end: usize,
    pub(super) formed: bool,
    /// The separators are those of the layout.
    pub(super) typical: bool,
    /// The first and the last of them.
    pub(super) seps: (u8, u8),
}

impl Match {
    /// Without separators.
    pub(super) fn compact(end: usize) -> Self {
        Self { end, formed: false, typical: true, seps: (0, 0) }
    }
}

/// What may stand at a place of a variant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Place {
    Digit,
    Upper,
    Letter,
    UpperOrDigit,
    Any,
    Hex,
    Only(u8),
    Sep(u8),
}

impl Place {
    pub(super) fn of(byte: u8) -> Self {
        match byte {
            b'd' => Place::Digit,
            b'u' => Place::Upper,
            b'l' => Place::Letter,
            b'x' => Place::UpperOrDigit,
            b'y' => Place::Any,
            b'h' => Place::Hex,
            b'A'..=b'Z' | b'0'..=b'9' => Place::Only(byte),
            sep => Place::Sep(sep),
        }
    }

    /// Whether a letter or digit may stand here.
    pub(in super::super) fn takes(self, byte: u8) -> bool {
        match self {
            Place::Digit => byte.is_ascii_digit(),
            Place::Upper => byte.is_ascii_uppercase(),
            Place::Letter => byte.is_ascii_alphabetic(),
            Place::UpperOrDigit => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Place::Any => byte.is_ascii_alphanumeric(),
            Place::Hex => byte.is_ascii_hexdigit(),
            Place::Only(only) => byte == only,
            Place::Sep(_) => false,
        }
    }

    /// Whether this separator may stand here.
    pub(in super::super) fn takes_sep(self, sep: u8) -> bool {
        match self {
            Place::Sep(typical @ (b' ' | b'-' | b'.' | b'/')) => sep == typical || matches!(sep, b' ' | b'-' | b'.'),
            Place::Sep(typical) => sep == typical,
            _ => false,
        }
    }
}

impl Variant {
    /// Those of a layout.
    pub(super) fn of(row: u16, layout: &'static str) -> impl Iterator<Item = Self> {
        let (must, text) = match layout.strip_prefix('!') {
            Some(rest) => (true, rest.as_bytes()),
            None => (false, layout.as_bytes()),
        };
        let separated = text.iter().any(|b| matches!(Place::of(*b), Place::Sep(_)));
        let forms: &[bool] = match (separated, must) {
            (true, true) => &[true],
            (true, false) => &[true, false],
            (false, _) => &[false],
        };
        forms.iter().map(move |formed| {
            let digits = text.iter().all(|b| match Place::of(*b) {
                Place::Digit => true,
                Place::Sep(b' ' | b'-' | b'.' | b'/') => true,
                Place::Sep(_) => !formed,
                _ => false,
            });
            let mut groups = text.split(|b| *b != b'd');
            let (first, second) = (groups.next().unwrap_or_default(), groups.next().unwrap_or_default());
            let second = (*formed && digits && !first.is_empty()).then_some(second.len() as u8);
            let text: Box<[u8]> =
                text.iter().copied().filter(|b| *formed || !matches!(Place::of(*b), Place::Sep(_))).collect();
            Self { row, formed: *formed, second, digits, form: Form::of(&text), text }
        })
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.text.iter().map(|b| Place::of(*b))
    }

    /// The longest value, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.places().map(|place| if matches!(place, Place::Sep(_)) { 3 } else { 1 }).sum()
    }

    /// For how many letters before the first digits, and how many of these, it may be meant, and what follows then.
    pub(super) fn heads(&self) -> Vec<(usize, usize, Follows)> {
        let places: Vec<Place> = self.places().collect();
        let at = |i: usize| places.get(i).copied();
        let may = |i: usize, byte: u8, other: u8| {
            at(i).is_some_and(|p| {
                p.takes(byte)
                    || p.takes(other)
                    || matches!(p, Place::Only(b) if b.is_ascii_digit() == byte.is_ascii_digit())
            })
        };
        let digit = |i: usize| may(i, b'0', b'1');
        let letter = |i: usize| may(i, b'A', b'B');
        let mut heads = Vec::new();
        for lead in 0..=LEADS {
            if !(0..lead).all(letter) {
                break;
            }
            let sep = usize::from(matches!(at(lead), Some(Place::Sep(_))) && lead > 0);
            for run in 1..=RUNS {
                let from = lead + sep;
                if !(from..from + run).all(digit) {
                    break;
                }
                let follows = match at(from + run) {
                    None => Follows::Nothing,
                    Some(Place::Sep(_)) => Follows::Separator,
                    Some(_) if letter(from + run) => Follows::Letter,
                    Some(_) => continue,
                };
                heads.push((lead, run, follows));
            }
        }
        heads
    }

    /// Whether a value may be written so whose second group of digits has that length.
    #[inline]
    pub(super) fn may_read(&self, second: usize) -> bool {
        self.second.is_none_or(|length| usize::from(length) == second)
    }

    /// Reads a value at the text's start, and its letters and digits.
    #[inline]
    pub(super) fn read<'t>(&self, text: &'t Text) -> Option<(Match, &'t [u8])> {
        super::super::work::add(1);
        if !self.form.fits(text) {
            return None;
        }
        let seps = self.form.read(&self.text, text)?;
        let count = self.text.len() - self.form.separators();
        let end = text.end(self.text.len());
        let read = Match { end, formed: self.formed, typical: seps.typical, seps: seps.ends };
        Some((read, text.symbols(count)))
    }
}

/// So many letters may stand before the first digit, and so many digits count.
pub(super) const LEADS: usize = 8;
pub(super) const RUNS: usize = 20;

/// The separator that `rest` starts with, as the one it stands for, and its width.
pub(in super::super) fn separator(rest: &[u8]) -> Option<(u8, usize)> {
    Some(match rest {
        [b @ (b' ' | b'-' | b'.' | b'/' | b':' | b'+' | b'(' | b')'), ..] => (*b, 1),
        // No-break space; spaces and dashes of the general punctuation; minus; ideographic space.
        [0xC2, 0xA0, ..] => (b' ', 2),
        [0xE2, 0x80, 0x80..=0x8A | 0xAF, ..] | [0xE3, 0x80, 0x80, ..] => (b' ', 3),
        [0xE2, 0x80, 0x90..=0x95, ..] | [0xE2, 0x88, 0x92, ..] => (b'-', 3),
        _ => return None,
    })
}

/// The same for what ends before `at`.
#[inline]
pub(super) fn separator_before(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let last = bytes::before(bytes, at);
    if last < 0x80 {
        return separator(&[last]);
    }
    [2, 3].into_iter().find_map(|width| {
        let rest = bytes.get(at.checked_sub(width)?..at)?;
        separator(rest).filter(|(_, w)| *w == width)
    })
}

#[cfg(test)]
mod tests {
    use super::super::form::PLACES;
    use super::*;

    impl Variant {
        /// Reads a value place by place.
        fn read_slowly(&self, bytes: &[u8], start: usize, symbols: &mut [u8; MAX]) -> Option<(Match, usize)> {
            let mut at = start;
            let mut count = 0;
            let mut found = Match { formed: self.formed, ..Match::compact(start) };
            let (mut upper, mut lower) = (false, false);
            for place in self.places() {
                if let Place::Sep(typical) = place {
                    let (sep, width) = separator(bytes.get(at..)?)?;
                    if !place.takes_sep(sep) {
                        return None;
                    }
                    found.typical &= sep == typical;
                    found.seps = (if found.seps.0 == 0 { sep } else { found.seps.0 }, sep);
                    at += width;
                    continue;
                }
                let byte = bytes::at(bytes, at);
                if !place.takes(byte) {
                    return None;
                }
                upper |= byte.is_ascii_uppercase();
                lower |= byte.is_ascii_lowercase();
                *symbols.get_mut(count)? = byte.to_ascii_uppercase();
                count += 1;
                at += 1;
            }
            found.end = at;
            // `Ab12` is no way to write one; hexadecimal digits are.
            let one_case = !(upper && lower) || self.text.contains(&b'h');
            one_case.then_some((found, count))
        }
    }

    /// Both ways to read a layout find the same in what it looks like, and in what it nearly does.
    #[test]
    fn a_look_at_all_places_tells_what_reading_them_tells() {
        let rows: Vec<&super::super::Row> = super::super::rows().collect();
        let variants: Vec<Variant> =
            rows.iter().flat_map(|row| row.layouts).flat_map(|layout| Variant::of(0, layout)).collect();
        assert!(variants.iter().all(|variant| variant.text.len() <= PLACES));
        let mut found = 0;
        for (seed, variant) in variants.iter().enumerate() {
            for round in 0..24usize {
                let pick = |i: usize, from: &[u8]| from[(seed * 7 + round * 13 + i * 5) % from.len()];
                let seps: [&[u8]; 6] = [b"", b" ", b"-", b".", b",", "\u{a0}".as_bytes()];
                let mut text = Vec::new();
                for (i, place) in variant.places().enumerate() {
                    let letters: &[u8] = if round % 3 == 2 { b"AbCd" } else { b"ABYZ" };
                    text.push(match place {
                        Place::Digit => pick(i, b"0123456789"),
                        Place::Upper | Place::Letter => pick(i, letters),
                        Place::UpperOrDigit | Place::Any => pick(i, b"A1B2"),
                        Place::Hex => pick(i, b"aF09"),
                        Place::Only(only) => only,
                        Place::Sep(sep) if seps[round % 6].is_empty() => sep,
                        Place::Sep(_) => {
                            text.extend_from_slice(seps[round % 6]);
                            continue;
                        }
                    });
                }
                if round % 4 == 3 {
                    let at = round % text.len();
                    text[at] = pick(at, b"7x -Z_");
                }
                text.extend_from_slice([&b" "[..], b"", b"1", "\u{a0}2".as_bytes()][round % 4]);
                let mut symbols = [0; MAX];
                let looked = Text::at(&text, 0);
                let read = variant.read(&looked).map(|(m, s)| (m.end, s.to_vec(), m.typical, m.seps));
                let slow = variant
                    .read_slowly(&text, 0, &mut symbols)
                    .map(|(m, count)| (m.end, symbols[..count].to_vec(), m.typical, m.seps));
                assert_eq!(
                    read,
                    slow,
                    "{:?} in {:?}",
                    String::from_utf8_lossy(&variant.text),
                    String::from_utf8_lossy(&text)
                );
                found += usize::from(read.is_some());
            }
        }
        assert!(found > variants.len() * 6, "{found} of {}", variants.len());
    }
}
