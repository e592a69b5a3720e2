//! Percent-encoding (RFC 3986, 2.1), and the `+` of queries.

use std::ops::Range;

/// A run of characters that a URL may have, and what is known of it.
#[derive(Default)]
pub(super) struct UrlRun {
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether something may be encoded in it.
    pub encoded: bool,
    /// Where its query begins, if it may be one with spaces as `+`: it must have something percent-encoded, since
    /// sums are written with `+`, too.
    query: Option<usize>,
}

impl UrlRun {
    /// The run around `at`.
    pub fn around(bytes: &[u8], at: usize) -> Self {
        let (before, behind) = bytes.split_at_checked(at).unwrap_or_default();
        let start = before.iter().rposition(|b| !is_url(*b)).map_or(0, |last| last + 1);
        let end = at + behind.iter().position(|b| !is_url(*b)).unwrap_or(behind.len());
        let run = bytes.get(start..end).unwrap_or_default();
        let query = run.iter().position(|b| *b == b'?').map(|mark| start + mark);
        let query =
            query.filter(|_| run.windows(3).any(|w| matches!(w, [b'%', high, low] if pair(*high, *low).is_some())));
        Self { range: start..end, encoded: run.iter().any(|b| matches!(b, b'%' | b'&')), query }
    }

    /// Whether a `+` at `at` is a space.
    pub fn spaces(&self, at: usize) -> bool {
        self.query.is_some_and(|mark| mark < at)
    }
}

/// Unreserved and reserved characters, and `%` (RFC 3986, 2.2 and 2.3), by byte: pictures are long runs, and branches
/// are slow where the next byte is anyone's guess.
static URL: [bool; 256] = url();

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn url() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, b'!' | b'#'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~');
        byte += 1;
    }
    table
}

fn is_url(byte: u8) -> bool {
    URL.get(usize::from(byte)).copied().unwrap_or(false)
}

/// The character that is written at the start of `rest`, and in how many bytes. Bytes that are no UTF-8 and control
/// characters that no text has are not taken for encoded.
pub(super) fn read(rest: &[u8]) -> Option<(char, usize)> {
    let mut utf8 = [0; 4];
    let mut rest = rest.as_chunks::<3>().0.iter();
    let mut size = 0;
    let mut wanted = 1;
    while size < wanted {
        let [b'%', high, low] = rest.next()? else { return None };
        let byte = pair(*high, *low)?;
        if size == 0 {
            wanted = match byte {
                0..0x80 => 1,
                0xC2..0xE0 => 2,
                0xE0..0xF0 => 3,
                0xF0..0xF5 => 4,
                _ => return None,
            };
        }
        *utf8.get_mut(size)? = byte;
        size += 1;
    }
    let char = std::str::from_utf8(utf8.get(..size)?).ok()?.chars().next()?;
    super::is_text(char).then_some((char, size * 3))
}

/// The byte that two hexadecimal digits are.
fn pair(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    Some((digit(high)? * 16 + digit(low)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_read_whole_or_not_at_all() {
        for (text, char, size) in [
            ("%40x", '@', 3),
            ("%2e%2e", '.', 3),
            ("%C3%a9", 'é', 6),
            ("%E2%82%ACx", '€', 9),
            ("%F0%9F%92%A9", '💩', 12),
        ] {
            assert_eq!(read(text.as_bytes()), Some((char, size)), "{text}");
        }
        for none in ["", "%", "%4", "%4g", "%+4", "%C3", "%C3%", "%C3x", "%C3%40", "%80", "%FF", "%00", "%ED%A0%80"] {
            assert_eq!(read(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn urls_have_these_characters_and_no_others() {
        for byte in 0..=255_u8 {
            let listed = byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
            assert_eq!(is_url(byte), listed, "{byte}");
        }
    }

    #[test]
    fn a_run_ends_where_no_url_goes_on() {
        let text = "see <https://a.b/c?d=%20+e>, x";
        let run = UrlRun::around(text.as_bytes(), 12);
        assert_eq!(text.get(run.range.clone()), Some("https://a.b/c?d=%20+e"));
        assert!(run.spaces(21) && !run.spaces(7));
        assert!(!UrlRun::around(b"a?b+c", 3).spaces(3));
        assert!(!UrlRun::around(b"a+b%20?", 3).spaces(1));
    }
}
