//! One escape sequence, read and written (RFC 8259 section 7).

use super::ErrorKind;

/// A decoded escape: `raw` bytes from the backslash on stand for `char`.
#[derive(Clone, Copy)]
pub(super) struct Escape {
    pub char: char,
    pub raw: usize,
}

/// Reads the escape at the start of `bytes`. On failure, how far from there the mistake is.
#[inline]
pub(super) fn read(bytes: &[u8]) -> Result<Escape, (ErrorKind, usize)> {
    let char = match bytes.get(1) {
        Some(&char @ (b'"' | b'\\' | b'/')) => char,
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 0x08,
        Some(b'f') => 0x0C,
        Some(b'u') => return unicode(bytes),
        _ => return Err((ErrorKind::Syntax, 1)),
    };
    Ok(Escape { char: char::from(char), raw: 2 })
}

/// Reads `\uXXXX`, or two of them that are a surrogate pair.
fn unicode(bytes: &[u8]) -> Result<Escape, (ErrorKind, usize)> {
    let lone = Err((ErrorKind::LoneSurrogate, 0));
    let high = match hex4(bytes, 2)? {
        0 => return Err((ErrorKind::Nul, 0)),
        high @ 0xD800..=0xDBFF => high,
        unit => return char::from_u32(unit).map_or(lone, |char| Ok(Escape { char, raw: 6 })),
    };
    if bytes.get(6..8) != Some(b"\\u") {
        return lone;
    }
    match hex4(bytes, 8)? {
        low @ 0xDC00..=0xDFFF => char::from_u32(0x1_0000 + ((high & 0x3FF) << 10) + (low & 0x3FF))
            .map_or(lone, |char| Ok(Escape { char, raw: 12 })),
        _ => lone,
    }
}

fn hex4(bytes: &[u8], from: usize) -> Result<u32, (ErrorKind, usize)> {
    (from..from + 4).try_fold(0, |value, at| {
        let digit = bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16)).ok_or((ErrorKind::Syntax, at))?;
        Ok(value << 4 | digit)
    })
}

/// Up to this many levels the short forms are used, whose length doubles with every level.
const SHORT_LEVELS: u8 = 3;

/// `text` as it stands between the quotes of a JSON string.
pub(crate) fn escaped(text: &str) -> String {
    write(text, 1)
}

/// `text` as it stands inside `levels` strings, each within the other; without quotes around it.
///
/// A hostile body can be nested hundreds of levels deep at little cost, so beyond a few levels every
/// escaped character is written `\u00XX`, which grows by five bytes a level where `\"` would double.
pub(super) fn write(text: &str, levels: u8) -> String {
    let mut now = text.to_owned();
    for _ in 0..levels {
        if !now.bytes().any(needs_escape) {
            break;
        }
        let mut next = String::with_capacity(now.len() + now.len() / 8 + 8);
        for char in now.chars() {
            let short = match char {
                _ if levels > SHORT_LEVELS => None,
                '"' => Some("\\\""),
                '\\' => Some("\\\\"),
                '\n' => Some("\\n"),
                '\r' => Some("\\r"),
                '\t' => Some("\\t"),
                _ => None,
            };
            match short {
                Some(short) => next.push_str(short),
                None if u8::try_from(char).is_ok_and(needs_escape) => {
                    next.push_str("\\u00");
                    let code = u32::from(char);
                    next.extend([code >> 4, code & 0xF].into_iter().filter_map(|digit| char::from_digit(digit, 16)));
                }
                None => next.push(char),
            }
        }
        now = next;
    }
    now
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
