//! Which bytes of a block of 64 are letters, capitals, digits or none of ASCII's, a bit for each: words and numbers are then
//! stepped through from bit to bit, and not byte by byte.
//!
//! Eight bytes are judged at once, in a machine word. That is plain arithmetic, the same in V8 as anywhere, and leaves nothing to a
//! compiler's wits.

/// So many bytes are judged together: one for each bit.
pub(super) const BLOCK: usize = 64;

/// The first byte is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Masks {
    /// Letters of ASCII.
    pub(super) letters: u64,
    /// Capitals of ASCII.
    pub(super) upper: u64,
    pub(super) digits: u64,
    /// Bytes of characters that are none of ASCII's.
    pub(super) high: u64,
}

/// A byte in each of eight.
const fn all(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

/// The highest bit of each of eight bytes, as bits in their order: no two of the products meet.
const fn gather(flags: u64) -> u64 {
    (flags & all(0x80)).wrapping_mul(0x0002_0408_1020_4081) >> 56
}

impl Masks {
    pub(super) fn of(block: &[u8; BLOCK]) -> Self {
        let mut masks = Self::default();
        let (words, _) = block.as_chunks::<8>();
        for (word, shift) in words.iter().zip((0u32..).step_by(8)) {
            let bytes = u64::from_le_bytes(*word);
            // Without the highest bit, sums do not carry from byte to byte.
            let low = bytes & all(0x7F);
            let folded = low | all(0x20);
            let ascii = !bytes;
            let letters = (folded + all(0x80 - b'a')) & !(folded + all(0x7F - b'z')) & ascii;
            let digits = (low + all(0x80 - b'0')) & !(low + all(0x7F - b'9')) & ascii;
            masks.letters |= gather(letters) << shift;
            // The bit that tells small letters from capitals.
            masks.upper |= gather(letters & !(low << 2)) << shift;
            masks.digits |= gather(digits) << shift;
            masks.high |= gather(bytes) << shift;
        }
        masks
    }

    /// Of the block at `at`; behind the text's end is nothing.
    #[inline]
    pub(super) fn at(bytes: &[u8], at: usize) -> Self {
        let rest = bytes.get(at..).unwrap_or_default();
        match rest.first_chunk::<BLOCK>() {
            Some(block) => Self::of(block),
            None => {
                let mut block = [0; BLOCK];
                block.iter_mut().zip(rest).for_each(|(slot, byte)| *slot = *byte);
                Self::of(&block)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_what_it_is() {
        for byte in 0..=255u8 {
            for place in 0..BLOCK {
                // What stands beside must make no difference.
                for beside in [0u8, b'z', 0xFF] {
                    let mut block = [beside; BLOCK];
                    block[place] = byte;
                    let masks = Masks::of(&block);
                    let bit = |mask: u64| mask >> place & 1 == 1;
                    assert_eq!(bit(masks.letters), byte.is_ascii_alphabetic(), "{byte} at {place}");
                    assert_eq!(bit(masks.upper), byte.is_ascii_uppercase(), "{byte} at {place}");
                    assert_eq!(bit(masks.digits), byte.is_ascii_digit(), "{byte} at {place}");
                    assert_eq!(bit(masks.high), byte >= 0x80, "{byte} at {place}");
                }
            }
        }
    }

    #[test]
    fn behind_the_end_is_nothing() {
        let text = vec![b'a'; 100];
        assert_eq!(Masks::at(&text, 0).letters, u64::MAX);
        assert_eq!(Masks::at(&text, 64).letters, (1 << 36) - 1);
        assert_eq!(Masks::at(&text, 101), Masks::default());
    }
}
