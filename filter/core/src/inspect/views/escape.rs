//! Escapes in text that is not, or not strictly, JSON: a model reads them, as do tools that are not strict.

use super::fold;

/// The character that an escape at the start of `rest` stands for, which is what follows its backslashes, and its bytes:
/// `u0040`, `u{40}`, `x40`, `100` (octal). Characters that are not ASCII count where they are read as such; others
/// cannot be a part of what is looked for, or stand as they are.
pub(super) fn read(rest: &str) -> Option<(char, usize)> {
    let (code, size) = match rest.as_bytes() {
        [b'u', b'{', ..] => {
            let digits = rest.get(2..)?.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
            (
                number(rest.get(2..2 + digits)?, 16).filter(|_| rest.as_bytes().get(2 + digits) == Some(&b'}'))?,
                digits + 3,
            )
        }
        [b'u', ..] => {
            let first = number(rest.get(1..5)?, 16)?;
            let second = || number(rest.get(5..)?.strip_prefix("\\u")?.get(..4)?, 16);
            match (first, second()) {
                (0xD800..0xDC00, Some(second @ 0xDC00..0xE000)) => {
                    (0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00), 11)
                }
                _ => (first, 5),
            }
        }
        [b'x', ..] => (number(rest.get(1..3)?, 16)?, 3),
        [b'0' | b'1', ..] => (number(rest.get(..3)?, 8)?, 3),
        _ => return None,
    };
    let char = char::from_u32(code)?;
    let counts = matches!(char, ' '..='~') || fold::of(char).is_some() || fold::lookalike(char).is_some();
    counts.then_some((char, size))
}

fn number(digits: &str, radix: u32) -> Option<u32> {
    let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    all.then(|| u32::from_str_radix(digits, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_read() {
        for (text, char, size) in [
            ("u0041b", 'A', 5),
            ("u{41}b", 'A', 5),
            ("u{1d400}", '𝐀', 8),
            ("x41b", 'A', 3),
            ("x2e", '.', 3),
            ("1011", 'A', 3),
            ("056", '.', 3),
            ("u200b", '\u{200b}', 5),
            ("uFF11", '１', 5),
            ("u0430", 'а', 5),
            ("udb40\\udc41", '\u{e0041}', 11),
        ] {
            assert_eq!(read(text), Some((char, size)), "{text}");
            assert!(char.len_utf8() <= size);
        }
        for none in
            ["", "n", "u00", "u00e9", "u0g41", "u00+4", "u0009", "u{}", "u{41", "ud800x", "x0a", "x4", "201", "08", "0"]
        {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
