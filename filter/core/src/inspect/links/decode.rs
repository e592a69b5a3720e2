//! What renderers and browsers undo in a URL before they follow it.

use std::borrow::Cow;

/// The named references (HTML standard, 13.5) of what a URL's structure is made of. Others change no structure.
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("AMP", '&'),
    ("colon", ':'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("period", '.'),
    ("quest", '?'),
    ("num", '#'),
    ("commat", '@'),
    ("percnt", '%'),
    ("equals", '='),
    ("lowbar", '_'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("quot", '"'),
    ("apos", '\''),
    ("Tab", '\t'),
    ("NewLine", '\n'),
];

/// More digits are of no character.
const MAX_REFERENCE: usize = 32;

/// With character references replaced: numbers, with or without `;`, and [`NAMED`].
pub(super) fn references(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match reference(part) {
            Some((c, rest)) => {
                out.push(c);
                out.push_str(rest);
            }
            None => {
                out.push('&');
                out.push_str(part);
            }
        }
    }
    Cow::Owned(out)
}

/// The character that `text`, which follows an `&`, starts with, and the rest.
fn reference(text: &str) -> Option<(char, &str)> {
    let Some(number) = text.strip_prefix('#') else {
        let (name, rest) = text.split_once(';')?;
        return NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| (*c, rest));
    };
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let length = digits.bytes().take(MAX_REFERENCE).take_while(|b| char::from(*b).is_digit(radix)).count();
    let (value, rest) = digits.split_at_checked(length)?;
    let c = u32::from_str_radix(value, radix).ok().and_then(char::from_u32)?;
    Some((c, rest.strip_prefix(';').unwrap_or(rest)))
}

/// With Markdown's backslash escapes replaced: of ASCII punctuation only (CommonMark, 2.4).
pub(super) fn markdown_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.next_if(|next| c == '\\' && next.is_ascii_punctuation()) {
            Some(escaped) => out.push(escaped),
            None => out.push(c),
        }
    }
    out
}

/// With the escapes of style sheets replaced (CSS Syntax, 4.3.7).
pub(super) fn style_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut value: Option<u32> = None;
        for _ in 0..6 {
            let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else { break };
            value = Some(value.unwrap_or(0) * 16 + digit);
            chars.next();
        }
        match value {
            Some(value) => {
                out.extend(char::from_u32(value));
                chars.next_if(|c| c.is_ascii_whitespace());
            }
            None => out.extend(chars.next()),
        }
    }
    out
}

/// With `%41` decoded.
pub(super) fn percent(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let hex = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        assert_eq!(
            references("a&#x3a;b&#58c&colon;&copy;&#;&&amp;&#x0000000000000000000000003a;"),
            "a:b:c:&copy;&#;&&:"
        );
        assert_eq!(markdown_escapes(r"a\:\b\\c\"), r"a:\b\c\");
        assert_eq!(style_escapes(r"\68 t\:\00003ax\"), "ht::x");
        assert_eq!(percent("%65%7é%zz%"), "e%7é%zz%");
    }
}
