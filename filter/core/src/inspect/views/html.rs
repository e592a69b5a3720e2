//! HTML character references (HTML standard, 13.2.5.72 and following): by number, and by name for ASCII punctuation
//! and the spaces that stand between digits. Names of letters (`&eacute;`) stay as they are: nothing that is looked for
//! is hidden by them.

/// Longer names and numbers are none.
const MAX: usize = 12;

/// In the order of the names.
#[rustfmt::skip]
const NAMES: &[(&str, char)] = &[
    ("AMP", '&'), ("GT", '>'), ("Hat", '^'), ("LT", '<'), ("NewLine", '\n'), ("QUOT", '"'), ("Tab", '\t'), ("UnderBar", '_'),
    ("amp", '&'), ("apos", '\''), ("ast", '*'), ("bsol", '\\'), ("colon", ':'), ("comma", ','), ("commat", '@'),
    ("dash", '\u{2010}'), ("dollar", '$'), ("emsp", '\u{2003}'), ("ensp", '\u{2002}'), ("equals", '='), ("excl", '!'),
    ("grave", '`'), ("gt", '>'), ("hyphen", '\u{2010}'), ("lbrace", '{'), ("lbrack", '['), ("lcub", '{'), ("lowbar", '_'),
    ("lpar", '('), ("lsqb", '['), ("lt", '<'), ("midast", '*'), ("minus", '\u{2212}'), ("nbsp", '\u{a0}'),
    ("ndash", '\u{2013}'), ("num", '#'), ("percnt", '%'), ("period", '.'), ("plus", '+'), ("quest", '?'), ("quot", '"'),
    ("rbrace", '}'), ("rbrack", ']'), ("rcub", '}'), ("rpar", ')'), ("rsqb", ']'), ("semi", ';'), ("sol", '/'),
    ("thinsp", '\u{2009}'), ("verbar", '|'), ("vert", '|'),
];

/// The character that the reference at the start of `rest` stands for, and the reference's bytes.
pub(super) fn read(rest: &str) -> Option<(char, usize)> {
    let body = rest.strip_prefix('&')?;
    if let Some(number) = body.strip_prefix('#') {
        let (digits, radix, prefix) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16, 3),
            None => (number, 10, 2),
        };
        let size = digits.bytes().take(MAX).take_while(|b| char::from(*b).is_digit(radix)).count();
        let code = u32::from_str_radix(digits.get(..size)?, radix).ok()?;
        let char = char::from_u32(code).filter(|c| super::is_text(*c))?;
        // Browsers take a number without its semicolon.
        let end = usize::from(digits.as_bytes().get(size) == Some(&b';'));
        return Some((char, prefix + size + end));
    }
    let size = body.bytes().take(MAX).take_while(u8::is_ascii_alphabetic).count();
    let name = body.get(..size).filter(|_| body.as_bytes().get(size) == Some(&b';'))?;
    let row = NAMES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    NAMES.get(row).map(|(_, char)| (*char, size + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        for (text, char, size) in [
            ("&#64;x", '@', 5),
            ("&#x40;", '@', 6),
            ("&#X2e;", '.', 6),
            ("&#0064;", '@', 7),
            ("&#64x", '@', 4),
            ("&#233;", 'é', 6),
            ("&commat;", '@', 8),
            ("&period;", '.', 8),
            ("&amp;#64;", '&', 5),
            ("&nbsp;", '\u{a0}', 6),
        ] {
            assert_eq!(read(text), Some((char, size)), "{text}");
        }
        for none in [
            "&",
            "&;",
            "&#",
            "&#;",
            "&#x;",
            "&#xg;",
            "&#0;",
            "&#7;",
            "&#xD800;",
            "&#99999999999999;",
            "&amp",
            "&COMMAT;",
            "&é;",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn no_character_takes_more_bytes_than_its_reference() {
        for (name, char) in NAMES {
            assert!(char.len_utf8() <= name.len() + 2, "{name}");
        }
    }
}
