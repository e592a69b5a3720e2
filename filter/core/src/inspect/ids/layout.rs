//! How identifiers are written.
//!
//! A layout is a text: `d` a digit, `u` an upper-case letter, `l` a letter, `x` an upper-case letter or digit, `y` a
//! letter or digit, `h` a hexadecimal digit; upper-case letters and figures are themselves; anything else is a separator as
//! it is mostly written. All separators stand or none does; another one of space, dash and dot may stand for each. A `!`
//! before the layout: they must stand.

use super::super::bytes;
use super::super::masks::Masks;

/// The longest identifier, in symbols.
pub(super) const MAX: usize = 40;

/// A layout with its separators, or without.
pub(super) struct Variant {
    pub(super) row: u16,
    text: &'static [u8],
    /// Its separators stand.
    pub(super) formed: bool,
    /// The length of the second group of digits, where the first two groups are that and a separator stands between.
    second: Option<u8>,
    /// Digits and what joins groups of them: found where such groups are.
    pub(super) digits: bool,
    form: Form,
}

/// What a text must have at the places of a variant, a bit for each, as far as one look at all of them tells.
#[derive(Clone, Copy, Default)]
struct Form {
    digits: u64,
    upper: u64,
    /// Letters or digits.
    either: u64,
    /// Neither.
    seps: u64,
}

impl Form {
    /// Of as many places as there are bits: no layout has more.
    fn of(places: impl Iterator<Item = Place>) -> Self {
        let mut form = Self::default();
        for (place, at) in places.zip(0..u64::BITS) {
            let bits = match place {
                Place::Digit | Place::Only(b'0'..=b'9') => &mut form.digits,
                Place::Upper | Place::Only(_) => &mut form.upper,
                Place::Letter | Place::UpperOrDigit | Place::Any | Place::Hex => &mut form.either,
                Place::Sep(_) => &mut form.seps,
            };
            *bits |= 1 << at;
        }
        form
    }

    /// Whether the text whose bytes from the start on these are may have it: always, where separators may be wider than a byte.
    fn fits(self, text: &Masks) -> bool {
        let either = text.letters | text.digits;
        let missing =
            self.digits & !text.digits | self.upper & !text.upper | self.either & !either | self.seps & either;
        let all = self.digits | self.upper | self.either | self.seps;
        missing == 0 || self.seps != 0 && text.high & all != 0
    }
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
    pub(super) count: usize,
    pub(super) formed: bool,
    /// The separators are those of the layout.
    pub(super) typical: bool,
    /// The first and the last of them.
    pub(super) seps: (u8, u8),
}

impl Match {
    /// So many symbols without separators.
    pub(super) fn compact(end: usize, count: usize) -> Self {
        Self { end, count, formed: false, typical: true, seps: (0, 0) }
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
            let form = Form::of(places(text, *formed));
            Self { row, text, formed: *formed, second, digits, form }
        })
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        places(self.text, self.formed)
    }

    /// Whether a value may stand where the text has these letters and digits; most others are told by that.
    #[inline]
    pub(super) fn fits(&self, text: &Masks) -> bool {
        self.form.fits(text)
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

    /// Reads a value at `start`.
    pub(super) fn read(&self, bytes: &[u8], start: usize, symbols: &mut [u8; MAX]) -> Option<Match> {
        let mut at = start;
        let mut count = 0;
        let mut found = Match { formed: self.formed, ..Match::compact(start, 0) };
        let (mut upper, mut lower) = (false, false);
        for place in self.places() {
            super::super::work::add(1);
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
        found.count = count;
        // `Ab12` is no way to write one; hexadecimal digits are.
        let one_case = !(upper && lower) || self.text.contains(&b'h');
        one_case.then_some(found)
    }
}

fn places(text: &'static [u8], formed: bool) -> impl Iterator<Item = Place> {
    text.iter().map(|b| Place::of(*b)).filter(move |place| formed || !matches!(place, Place::Sep(_)))
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
