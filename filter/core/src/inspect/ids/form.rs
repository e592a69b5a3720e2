//! Reading many layouts at one place: one look at the text's bytes, as bits, tells which of them it may have.
//!
//! Where a number stands that dozens of layouts may be meant by, they differ in few places. So the text is looked at once ([`Text`]),
//! and a layout is a few masks ([`Form`]) that it has or not; what is left to read are separators and letters that are themselves.

use super::super::bytes;
use super::super::masks::{BLOCK, Masks};
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

/// So many places a layout has at most, separators among them.
pub(super) const PLACES: usize = 48;

/// What a text from one place on has. Its places are its bytes, but for separators that are wider: those are one place each.
pub(super) struct Text {
    start: usize,
    /// What stands at each place: separators as what they stand for.
    places: [u8; BLOCK],
    masks: Masks,
    /// How much farther on than its place each byte is.
    wider: Option<[u8; PLACES + 1]>,
    /// The letters and digits of ASCII, as capitals, without what stands between.
    symbols: [u8; MAX],
}

impl Text {
    pub(super) fn at(bytes: &[u8], start: usize) -> Self {
        let rest = bytes.get(start..).unwrap_or_default();
        let mut places = [0; BLOCK];
        places.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
        let mut masks = Masks::of(&places);
        let wider = (masks.high != 0).then(|| {
            let wider = narrow(rest, &mut places);
            masks = Masks::of(&places);
            wider
        });
        let mut symbols = [0; MAX];
        let mut left = masks.letters | masks.digits;
        for slot in &mut symbols {
            if left == 0 {
                break;
            }
            *slot = bytes::at(&places, left.trailing_zeros() as usize).to_ascii_uppercase();
            left &= left - 1;
        }
        super::super::work::add(MAX);
        Self { start, places, masks, wider, symbols }
    }

    /// The first letters and digits.
    pub(super) fn symbols(&self, count: usize) -> &[u8] {
        self.symbols.get(..count).unwrap_or_default()
    }

    /// Where so many places are over.
    pub(super) fn end(&self, places: usize) -> usize {
        let wider = self.wider.as_ref().and_then(|wider| wider.get(places)).copied().unwrap_or(0);
        self.start + places + usize::from(wider)
    }
}

/// Makes one place of each separator, up to what is no part of a value; how much farther on each byte is than its place.
fn narrow(rest: &[u8], places: &mut [u8; BLOCK]) -> [u8; PLACES + 1] {
    *places = [0; BLOCK];
    let mut wider = [0; PLACES + 1];
    let mut at = 0;
    for (place, slot) in places.iter_mut().take(PLACES).enumerate() {
        super::super::work::add(1);
        let byte = bytes::at(rest, at);
        let (what, width) = match byte {
            0x80.. => match separator(rest.get(at..).unwrap_or_default()) {
                Some(sep) => sep,
                None => break,
            },
            byte => (byte, 1),
        };
        *slot = what;
        at += width;
        if let Some(slot) = wider.get_mut(place + 1) {
            *slot = (at - place - 1) as u8;
        }
    }
    wider
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
    pub(super) fn fits(&self, text: &Text) -> bool {
        let Masks { letters, upper, digits, .. } = text.masks;
        let either = letters | digits;
        let missing = self.digits & !digits
            | self.upper & !upper
            | self.letters & !letters
            | self.symbols & !(upper | digits)
            | (self.any | self.hex | self.only) & !either
            | self.seps & either;
        missing == 0
    }

    /// What is left to look at where the text [fits](Form::fits) the layout.
    pub(super) fn read(&self, layout: &[u8], text: &Text) -> Option<Seps> {
        let mut seps = Seps { ends: (0, 0), typical: true };
        for place in places(self.seps) {
            let typical = bytes::at(layout, place);
            let (sep, _) = separator(&[bytes::at(&text.places, place)])?;
            if !Place::Sep(typical).takes_sep(sep) {
                return None;
            }
            seps.typical &= sep == typical;
            seps.ends = (if seps.ends.0 == 0 { sep } else { seps.ends.0 }, sep);
        }
        let stands = |place: usize| bytes::at(&text.places, place) == bytes::at(layout, place);
        let hex = |place: usize| bytes::at(&text.places, place).is_ascii_hexdigit();
        (places(self.only).all(stands) && places(self.hex).all(hex) && self.has_one_case(text)).then_some(seps)
    }

    /// `Ab12` is no way to write a value; hexadecimal digits are.
    fn has_one_case(&self, text: &Text) -> bool {
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
