//! Skims over string bodies: most bytes of a prompt are in long strings, so this loop is the parser's speed.

/// The first byte at or after `from` that a string body cannot simply hold: a quote, a backslash, or a
/// control character below 0x20. `bytes.len()` when there is none.
#[inline]
pub(crate) fn string_stop(bytes: &[u8], from: usize) -> usize {
    let Some(rest) = bytes.get(from..) else { return bytes.len() };
    let (blocks, tail) = rest.as_chunks::<BLOCK>();
    let mut at = from;
    for block in blocks {
        if let Some(offset) = first_stop(block) {
            return at + offset;
        }
        at += BLOCK;
    }
    at + tail.iter().position(|&byte| is_stop(byte)).unwrap_or(tail.len())
}

fn is_stop(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd::{BLOCK, first_stop};
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use swar::{BLOCK, first_stop};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd {
    use core::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, v128, v128_load, v128_or};

    pub(super) const BLOCK: usize = 16;

    #[inline]
    pub(super) fn first_stop(block: &[u8; BLOCK]) -> Option<usize> {
        // SAFETY: the reference covers exactly the 16 bytes that are loaded, and v128.load needs no alignment.
        let lanes = unsafe { v128_load(block.as_ptr().cast::<v128>()) };
        let quote = u8x16_eq(lanes, u8x16_splat(b'"'));
        let backslash = u8x16_eq(lanes, u8x16_splat(b'\\'));
        let control = u8x16_lt(lanes, u8x16_splat(0x20));
        let mask = u8x16_bitmask(v128_or(v128_or(quote, backslash), control));
        (mask != 0).then(|| mask.trailing_zeros() as usize)
    }
}

/// The same on a 64-bit word (SIMD within a register).
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod swar {
    pub(super) const BLOCK: usize = 8;

    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

    #[inline]
    pub(super) fn first_stop(block: &[u8; BLOCK]) -> Option<usize> {
        // A borrow can mark bytes after the first true hit, never before it: only the lowest mark counts,
        // and little-endian order makes it the earliest byte.
        let word = u64::from_le_bytes(*block);
        let quote = word ^ (LOW * b'"' as u64);
        let backslash = word ^ (LOW * b'\\' as u64);
        let marks = (word.wrapping_sub(LOW * 0x20) & !word)
            | (quote.wrapping_sub(LOW) & !quote)
            | (backslash.wrapping_sub(LOW) & !backslash);
        let marks = marks & HIGH;
        (marks != 0).then_some(marks.trailing_zeros() as usize / 8)
    }
}

#[cfg(test)]
mod tests {
    use super::{is_stop, string_stop};

    #[test]
    fn finds_what_a_byte_loop_finds() {
        // Every byte value at every place around block borders, with misleading neighbours.
        for filler in [b'a', b'!', b'#', b' ', b']', b'[', 0x7F, 0x80, 0xA2, 0xDC, 0xFF] {
            for length in 0..40 {
                for place in 0..length {
                    for byte in 0..=255 {
                        let mut bytes = vec![filler; length];
                        bytes[place] = byte;
                        if place + 1 < length {
                            bytes[place + 1] = if place % 2 == 0 { b'#' } else { b'"' };
                        }
                        let from = place / 2;
                        let expected = (from..length).find(|&i| is_stop(bytes[i])).unwrap_or(length);
                        assert_eq!(string_stop(&bytes, from), expected, "{bytes:?} from {from}");
                    }
                }
            }
        }
        assert_eq!(string_stop(b"abc", 9), 3);
    }
}
