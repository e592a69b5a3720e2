//! Escapes in text that is not, or not strictly, JSON.

/// `text` with its `\u0020` to `\u007e` undone, however many backslashes stand before the `u`, and for each byte of it (and
/// its end) where that stands in `text`. `None` where there are none.
pub(super) fn unescaped(text: &str) -> Option<(String, Vec<usize>)> {
    // The character that is written behind the backslashes that end at `at`.
    let escape = |at: usize| {
        let code = text.get(at..at.checked_add(5)?)?.strip_prefix("u00")?;
        let byte = code.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u8::from_str_radix(code, 16).ok())??;
        (b' '..=b'~').contains(&byte).then_some(char::from(byte))
    };
    text.match_indices("\\u00").find(|(at, _)| escape(at + 1).is_some())?;
    let (mut plain, mut places) = (String::with_capacity(text.len()), Vec::with_capacity(text.len() + 1));
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        // As a whole, so that no run of them is looked at twice.
        let slashes = rest.bytes().take_while(|b| *b == b'\\').count();
        if slashes > 0
            && let Some(char) = escape(at + slashes)
        {
            places.push(at);
            plain.push(char);
            at += slashes + 5;
            continue;
        }
        let size = if slashes > 0 { slashes } else { rest.find('\\').unwrap_or(rest.len()) };
        places.extend(at..at + size);
        plain.push_str(rest.get(..size).unwrap_or_default());
        at += size;
    }
    places.push(at);
    Some((plain, places))
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn escapes_are_undone_and_found_again() {
        let (plain, places) = unescaped("é \\\\u0041b\\n\\u0042").unwrap();
        assert_eq!(plain, "é Ab\\nB");
        assert_eq!(places, [0, 1, 2, 3, 10, 11, 12, 13, 19]);
        for none in ["", "u0041", "\\u00", "\\u00e9", "\\u0g41", "\\u00+4", "\\u0009", "\\u12345"] {
            assert_eq!(unescaped(none), None, "{none}");
        }
        assert_eq!(unescaped(&format!("{}\\u0041", "\\".repeat(100_000))).unwrap().0, "A");
    }
}
