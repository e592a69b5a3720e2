//! Text in hexadecimal digits, two for each byte. Runs that hide no text (digests, identifiers) are left alone; what
//! stands between pairs of digits (`35 39`, `35:39`) makes them no run.

use super::super::bytes;
use super::{Builder, View, base64};

/// Shorter runs are numbers.
const MIN: usize = 16;

/// `text` with each run that hides text replaced by it; each is cut as a whole.
pub(super) fn view(text: &str) -> Option<View> {
    let all = text.as_bytes();
    let mut builder = Builder::new(text);
    let mut from = 0;
    let mut plain = Vec::new();
    while let Some(start) = base64::next(all, from, MIN, |b| b.is_ascii_hexdigit()) {
        let end = start + bytes::HEX.run(all, start, usize::MAX);
        from = end;
        // `0x` is no part of it, and `x` no digit. Of an odd number of digits the first may be no part of it, either.
        let odd = (end - start) % 2;
        let (pairs, _) = all.get(start + odd..end).unwrap_or_default().as_chunks::<2>();
        plain.clear();
        plain.extend(pairs.iter().filter_map(|[high, low]| {
            let digit = |b: u8| char::from(b).to_digit(16);
            Some((digit(*high)? * 16 + digit(*low)?) as u8)
        }));
        if base64::is_readable(&plain, 7) {
            let run = start + odd..end;
            builder.push(run.clone(), &base64::readable(&plain));
            builder.cut(&(start..end));
        }
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_and_nothing_else() {
        let hex = |text: &str| text.bytes().map(|b| format!("{b:02x}")).collect::<String>();
        for text in ["10.0.0.0", "bob@example.org", "née Ångström, bob", "a longer text, so that\nit has two lines"]
        {
            let run = hex(text);
            for (before, behind) in [("", ""), ("x ", " y"), ("0x", ";"), ("\"", "\""), ("a.", ".b")] {
                for run in [&run, &run.to_uppercase()] {
                    let view = view(&format!("{before}{run}{behind}")).unwrap();
                    assert_eq!(view.text, format!("{before}{text}{behind}"));
                    assert_eq!(view.way.cut(before.len()..before.len() + 1), before.len()..before.len() + run.len());
                }
            }
        }
        for none in [
            "",
            "3539342d",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "550e8400-e29b-41d4-a716-446655440000",
            "4556737586899855",
            "20241128164500",
        ] {
            assert!(view(none).is_none_or(|v| none == "4556737586899855" && v.text.len() == 8), "{none}");
        }
    }
}
