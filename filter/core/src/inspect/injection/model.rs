//! The linear model: weights of features, in a table that knows which features it has.
//!
//! `weights.bin` is a header of 16 bytes (`DWIM`, version 1, the bits of a slot's index, two zero bytes, the weight of
//! one unit and the bias as little-endian `f32`) and two bytes per slot: a check of the feature's hash and the weight as
//! `i8`. A feature that was not trained weighs nothing, but for one in 256 that shares a slot and its check. The weights of a
//! topic are the same but for their first letters.

const HEADER: usize = 16;

/// The first letters of the injection model.
pub const MAGIC: [u8; 4] = *b"DWIM";
/// The version of the format.
pub(in crate::inspect) const VERSION: u8 = 1;

/// A model.
#[derive(Clone, Copy)]
pub struct Model<'w> {
    slots: &'w [u8],
    shift: u32,
    unit: f32,
    bias: f32,
}

impl<'w> Model<'w> {
    /// Reads `weights`.
    pub fn new(weights: &'w [u8]) -> Option<Self> {
        Self::read(weights, MAGIC)
    }

    /// The same of a model that begins with `magic`.
    pub(in crate::inspect) fn read(weights: &'w [u8], magic: [u8; 4]) -> Option<Self> {
        let (header, slots) = weights.split_at_checked(HEADER)?;
        let (letters, header) = header.split_at_checked(magic.len())?;
        let [VERSION, bits, 0, 0, numbers @ ..] = header else { return None };
        if letters != magic {
            return None;
        }
        let (unit, bias) = numbers.split_at_checked(4)?;
        let unit = f32::from_le_bytes(unit.try_into().ok()?);
        let bias = f32::from_le_bytes(bias.try_into().ok()?);
        let bits = u32::from(*bits);
        let sized = (1..=20).contains(&bits) && slots.len() == 2 << bits;
        (sized && unit.is_finite() && bias.is_finite()).then_some(Self { slots, shift: 32 - bits, unit, bias })
    }

    /// The place and the check of a feature in a table of `bits`.
    pub fn slot(hash: u32, bits: u32) -> (usize, u8) {
        let mixed = hash.wrapping_mul(0x9E37_79B1);
        ((mixed >> (32 - bits)) as usize, mixed as u8)
    }

    /// The weight of a feature, in units.
    #[inline]
    pub(in crate::inspect) fn weight(&self, hash: u32) -> i32 {
        let mixed = hash.wrapping_mul(0x9E37_79B1);
        let at = 2 * (mixed >> self.shift) as usize;
        match self.slots.get(at..at + 2) {
            Some([check, weight]) if *check == mixed as u8 => i32::from(*weight as i8),
            _ => 0,
        }
    }

    /// The log-odds of `words` words whose features weigh `sum`.
    pub(in crate::inspect) fn log_odds(&self, sum: i64, words: u32) -> f32 {
        self.bias + self.unit * sum as f32 / length(words)
    }
}

/// By what the weights of so many words are divided.
pub fn length(words: u32) -> f32 {
    (words.max(LEAST) as f32).sqrt()
}

/// Fewer words count as so many.
const LEAST: u32 = 6;
