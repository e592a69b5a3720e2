//! Reading many layouts at one place: one look at the text's bytes, as bits, tells which of them it may have.
//!
//! Where a number stands that dozens of layouts may be meant by, they differ in few places. So the text is looked at once ([`Text`]),
//! and a layout is a few masks ([`Form`]) that it has or not; what is left to read are separators and letters that are themselves.

use super::super::bytes;
use super::super::masks::Masks;
use super::layout::{MAX, Place, separator};

/// What a text must have at the places of a layout, a bit for each place: no layout has more than there are bits.
#[derive(Clone, Copy, Default)]
pub(super) struct Form {
    digits: u64,
    upper: u64,
    letters: u64,
    /// Capitals or digits.
    symbols: u64,
    /// Letters or digits.
    any: u64,
    hex: u64,
    /// Letters and digits that are themselves.
    only: u64,
    seps: u64,
}

/// What a text from one place on has.
pub(super) struct Text<'t> {
    pub(super) bytes: &'t [u8],
    pub(super) start: usize,
    masks: Masks,
    /// The letters and digits of ASCII, as capitals, without what stands between.
    symbols: [u8; MAX],
}

impl<'t> Text<'t> {
    pub(super) fn at(bytes: &'t [u8], start: usize) -> Self {
        let masks = Masks::at(bytes, start);
        let mut symbols = [0; MAX];
        let mut places = masks.letters | masks.digits;
        for slot in &mut symbols {
            if places == 0 {
                break;
            }
            *slot = bytes::at(bytes, start + places.trailing_zeros() as usize).to_ascii_uppercase();
            places &= places - 1;
        }
        super::super::work::add(MAX);
        Self { bytes, start, masks, symbols }
    }

    /// The first letters and digits.
    pub(super) fn symbols(&self, count: usize) -> &[u8] {
        self.symbols.get(..count).unwrap_or_default()
    }
}

/// Whether a text may have a layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fit {
    None,
    /// Every place is a byte.
    Narrow,
    /// There is something wider, from a place on where it may be a separator.
    Wide,
}

/// The separators of a value: the first, the last, and whether all are those of the layout.
pub(super) struct Seps {
    pub(super) ends: (u8, u8),
    pub(super) typical: bool,
}

impl Form {
    pub(super) fn of(layout: &[u8]) -> Self {
        let mut form = Self::default();
        for (byte, place) in layout.iter().zip(0..u64::BITS) {
            let bits = match Place::of(*byte) {
                Place::Digit => &mut form.digits,
                Place::Upper => &mut form.upper,
                Place::Letter => &mut form.letters,
                Place::UpperOrDigit => &mut form.symbols,
                Place::Any => &mut form.any,
                Place::Hex => &mut form.hex,
                Place::Only(_) => &mut form.only,
                Place::Sep(_) => &mut form.seps,
            };
            *bits |= 1 << place;
        }
        form
    }

    /// How many separators it has.
    pub(super) fn separators(&self) -> usize {
        self.seps.count_ones() as usize
    }

    fn all(&self) -> u64 {
        self.digits | self.upper | self.letters | self.symbols | self.any | self.hex | self.only | self.seps
    }

    /// Whether the text has letters, digits and neither where the layout has.
    #[inline]
    pub(super) fn fits(&self, text: &Text<'_>) -> Fit {
        let Masks { letters, upper, digits, high } = text.masks;
        let either = letters | digits;
        let missing = self.digits & !digits
            | self.upper & !upper
            | self.letters & !letters
            | self.symbols & !(upper | digits)
            | (self.any | self.hex | self.only) & !either
            | self.seps & either;
        let wide = high & self.all();
        if wide == 0 {
            return if missing == 0 { Fit::Narrow } else { Fit::None };
        }
        // Up to there the places are bytes, and only a separator may be wider.
        let first = wide & wide.wrapping_neg();
        if missing & (first - 1) == 0 && self.seps & first != 0 { Fit::Wide } else { Fit::None }
    }

    /// What is left to look at where the text fits the layout, and none of its separators is wide.
    pub(super) fn read(&self, layout: &[u8], text: &Text<'_>) -> Option<Seps> {
        let mut seps = Seps { ends: (0, 0), typical: true };
        for place in places(self.seps) {
            let typical = bytes::at(layout, place);
            let (sep, _) = separator(&[bytes::at(text.bytes, text.start + place)])?;
            if !Place::Sep(typical).takes_sep(sep) {
                return None;
            }
            seps.typical &= sep == typical;
            seps.ends = (if seps.ends.0 == 0 { sep } else { seps.ends.0 }, sep);
        }
        let stands = |place: usize| bytes::at(text.bytes, text.start + place) == bytes::at(layout, place);
        let hex = |place: usize| bytes::at(text.bytes, text.start + place).is_ascii_hexdigit();
        (places(self.only).all(stands) && places(self.hex).all(hex) && self.has_one_case(text)).then_some(seps)
    }

    /// `Ab12` is no way to write a value; hexadecimal digits are.
    fn has_one_case(&self, text: &Text<'_>) -> bool {
        let Masks { letters, upper, .. } = text.masks;
        let all = self.all();
        self.hex != 0 || upper & all == 0 || letters & !upper & all == 0
    }
}

/// The places of the bits that are set.
fn places(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        super::super::work::add(1);
        (place < u64::BITS).then_some(place as usize)
    })
}
