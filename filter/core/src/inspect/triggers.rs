//! The first of the two prefilter passes: finds the bytes at which a number, an e-mail address or an
//! IPv6 address can be recognised.

/// Blocks are judged whole; written so that compilers turn it into vector instructions.
const BLOCK: usize = 32;

/// The first digit, `:` or `@` at or after `from`.
pub(super) fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (blocks, _) = rest.as_chunks::<BLOCK>();
    let quiet = blocks.iter().take_while(|block| !any(block)).count() * BLOCK;
    super::work::add(1);
    let found = rest.get(quiet..)?.iter().position(|b| is_trigger(*b))?;
    Some(from + quiet + found)
}

/// `0`..=`9` and `:` are neighbours in ASCII.
fn is_trigger(byte: u8) -> bool {
    byte.wrapping_sub(b'0') < 11 || byte == b'@'
}

fn any(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(false, |found, b| found | is_trigger(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_trigger_wherever_it_stands() {
        for length in 0..100 {
            for place in 0..length {
                for trigger in *b"0159:@" {
                    let mut text = vec![b'a'; length];
                    text[place] = trigger;
                    assert_eq!(next(&text, 0), Some(place));
                    assert_eq!(next(&text, place + 1), None);
                }
            }
            assert_eq!(next(&vec![b';'; length], 0), None);
        }
    }
}
