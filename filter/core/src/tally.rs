//! Counting bytes, in the shape that compiles to vectors.

/// Counts of a byte each are added up for so many bytes: no sum outgrows a byte, and whole sixteens are left.
const PIECE: usize = 240;

/// How many bytes of a text are so.
pub(crate) fn count(text: &[u8], is: impl Fn(u8) -> bool) -> u64 {
    let pieces = text.chunks(PIECE).map(|piece| piece.iter().map(|byte| u8::from(is(*byte))).sum::<u8>());
    pieces.map(u64::from).sum()
}

/// How many bytes of ASCII a text begins with.
pub(crate) fn ascii(text: &[u8]) -> usize {
    let whole = text.chunks_exact(64).take_while(|block| block.is_ascii()).count().saturating_mul(64);
    let rest = text.get(whole..).unwrap_or_default();
    whole.saturating_add(rest.iter().take_while(|byte| byte.is_ascii()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_whatever_the_length() {
        for length in (0..700).chain([10_000]) {
            let mut text = vec![b'a'; length];
            assert_eq!((count(&text, |b| b == b'a'), ascii(&text)), (length as u64, length));
            for place in [0, 1, 63, 64, 65, 239, 240, 241, 255, 256, length.saturating_sub(1)] {
                if let Some(byte) = text.get_mut(place) {
                    *byte = 0x80;
                    assert_eq!((count(&text, |b| b == b'a'), ascii(&text)), (length as u64 - 1, place));
                    text[place] = b'a';
                }
            }
        }
    }
}
