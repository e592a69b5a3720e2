//! Base64 (RFC 4648, 4 and 5) that hides text.
//!
//! A run is taken with its padding and, where its lines are as long as MIME's and PEM's, over its line breaks. It is
//! decoded whatever its length and whatever is glued in front of it: all four alignments are tried. What decodes
//! to bytes that are no text (pictures, keys, signatures, hashes, identifiers, paths) is left alone.
//!
//! What this does not do: runs that are broken more often than every 60 characters are read line by line; short text
//! behind four or more glued letters (or behind any, where it does not begin in ASCII), text that is less than seven eighths of what the run holds or that follows
//! thousands of other bytes, and text in UTF-16 with characters beyond Latin-1 are not seen.

use std::borrow::Cow;
use std::ops::Range;

use super::{Builder, View, is_text};

/// Shorter runs, padding included, are words.
const MIN: usize = 16;

/// What padding leaves of the shortest run.
const MIN_LETTERS: usize = MIN - 2;

/// The lengths of lines that are one run together.
const LINE: std::ops::RangeInclusive<usize> = 60..=76;

/// Lines may be indented by so much.
const MAX_INDENT: usize = 32;

/// From so many bytes on, an eighth of them need not be text.
const LENIENT: usize = 32;

/// Letters from which long runs are judged first. A multiple of 4.
const SAMPLE: usize = 1 << 10;

/// No letter of either alphabet.
const NONE: u8 = 64;

/// By byte: what it stands for, in the standard and in the URL-safe alphabet.
static VALUES: [u8; 256] = values();

#[expect(clippy::indexing_slicing, reason = "runs at compile time, where `get` cannot")]
const fn values() -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 26 {
        values[(b'A' + value) as usize] = value;
        values[(b'a' + value) as usize] = 26 + value;
        if value < 10 {
            values[(b'0' + value) as usize] = 52 + value;
        }
        value += 1;
    }
    values[b'+' as usize] = 62;
    values[b'-' as usize] = 62;
    values[b'/' as usize] = 63;
    values[b'_' as usize] = 63;
    values
}

fn value(byte: u8) -> u8 {
    VALUES.get(usize::from(byte)).copied().unwrap_or(NONE)
}

fn is_letter(byte: u8) -> bool {
    value(byte) != NONE
}

/// `text` with each run that hides text replaced by it; each is cut as a whole.
pub(super) fn view(text: &str) -> Option<View> {
    let bytes = text.as_bytes();
    let mut builder = Builder::new(text);
    let mut room = Vec::new();
    let mut from = 0;
    while let Some(start) = next(bytes, from, MIN_LETTERS, is_letter) {
        let (run, letters) = extend(bytes, start);
        from = run.end;
        if run.len() >= MIN
            && let Some(plain) = decode(&letters, &mut room)
        {
            builder.push(run.clone(), &plain);
            builder.cut(&run);
        }
    }
    builder.finish()
}

/// Where the first run of `least` letters at or after `from` starts. Looks at a few bytes of ordinary text only, since a
/// run that does not reach the end of its window is passed as a whole; and at no byte twice.
pub(super) fn next(bytes: &[u8], from: usize, least: usize, is_letter: impl Fn(u8) -> bool) -> Option<usize> {
    // From `start` to `clean` there are letters only.
    let (mut start, mut clean) = (from, from);
    loop {
        let end = start + least;
        match bytes.get(clean..end)?.iter().rposition(|b| !is_letter(*b)) {
            Some(at) => (start, clean) = (clean + at + 1, end),
            None => return Some(start),
        }
    }
}

/// The run that starts at `start`, and its letters.
fn extend(bytes: &[u8], start: usize) -> (Range<usize>, Cow<'_, [u8]>) {
    let line = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        rest.get(..rest.iter().position(|b| !is_letter(*b)).unwrap_or(rest.len())).unwrap_or_default()
    };
    let first = line(start);
    let mut letters = Cow::Borrowed(first);
    let mut end = start + first.len();
    if LINE.contains(&first.len()) {
        while let Some(at) = line_break(bytes, end) {
            let more = line(at);
            // A shorter line is the last; a word of a sentence is none.
            let word = more.len() < first.len() && bytes.get(at + more.len()) == Some(&b' ');
            if more.is_empty() || more.len() > first.len() || word {
                break;
            }
            letters.to_mut().extend_from_slice(more);
            end = at + more.len();
            if more.len() < first.len() {
                break;
            }
        }
    }
    end += bytes.get(end..).unwrap_or_default().iter().take(2).take_while(|b| **b == b'=').count();
    (start..end, letters)
}

/// Where the line goes on behind the break at `at`. Breaks may be escaped.
fn line_break(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let size = [b"\n".as_slice(), b"\r\n", b"\\n", b"\\r\\n"].iter().find(|b| rest.starts_with(b))?.len();
    let indent = rest.iter().skip(size).take(MAX_INDENT).take_while(|b| matches!(b, b' ' | b'\t')).count();
    Some(at + size + indent)
}

/// The text that `letters` hide. `bytes` is room to decode in: there are many candidates in code, and few that hide text.
fn decode(letters: &[u8], bytes: &mut Vec<u8>) -> Option<String> {
    // Encoded text always has both; words, paths and numbers mostly do not.
    let upper = letters.iter().any(u8::is_ascii_uppercase);
    let other = letters.iter().any(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !upper || !other {
        return None;
    }
    (0..4).find_map(|skip| {
        let letters = letters.get(skip..)?;
        // Most candidates are names in code. Text in ASCII has no high bits, and other text that is short and has letters
        // glued to it is not worth its price.
        let short = letters.len() < LENIENT / 3 * 4;
        if short && skip > 0 && letters.iter().step_by(4).take(3).any(|letter| value(*letter) >= 32) {
            return None;
        }
        if let Some(sample) = letters.get(..SAMPLE) {
            read(sample, bytes);
            if !is_readable(bytes, 2) {
                return None;
            }
        }
        read(letters, bytes);
        narrow(bytes);
        is_readable(bytes, 8).then(|| readable(bytes))
    })
}

/// The bytes that `letters` stand for.
fn read(letters: &[u8], bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.reserve(letters.len() / 4 * 3 + 2);
    let (quads, rest) = letters.as_chunks::<4>();
    for [a, b, c, d] in quads {
        let [a, b, c, d] = [a, b, c, d].map(|letter| u32::from(value(*letter)));
        let [_, three @ ..] = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
        bytes.extend_from_slice(&three);
    }
    // What is left over of the last letter is no byte.
    let bits = rest.iter().fold(0, |bits, letter| bits << 6 | u32::from(value(*letter)));
    match rest.len() {
        2 => bytes.push((bits >> 4) as u8),
        3 => bytes.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
}

/// Takes the zeros from Latin text in UTF-16 (as PowerShell takes commands).
fn narrow(bytes: &mut Vec<u8>) {
    let (units, _) = bytes.as_chunks::<2>();
    if units.iter().all(|[_, high]| *high == 0) {
        *bytes = units.iter().map(|[low, _]| *low).collect();
    }
}

/// Whether not more than one in `tolerance` bytes is no text.
pub(super) fn is_readable(bytes: &[u8], tolerance: usize) -> bool {
    let most = if bytes.len() < LENIENT { 0 } else { bytes.len() / tolerance };
    let mut bad = 0;
    for chunk in bytes.utf8_chunks() {
        bad += chunk.valid().chars().filter(|c| !is_text(*c)).count() + chunk.invalid().len();
        if bad > most {
            return false;
        }
    }
    true
}

/// `bytes` as text, with a SUB for what is none, so that text never grows.
pub(super) fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.extend(chunk.valid().chars().map(|char| if is_text(char) { char } else { SUBSTITUTE }));
        text.extend(chunk.invalid().iter().map(|_| SUBSTITUTE));
    }
    text
}

const SUBSTITUTE: char = '\u{1a}';

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    fn shown(text: &str) -> Option<String> {
        view(text).map(|view| view.text)
    }

    #[test]
    fn every_length_and_alphabet_is_read() {
        let text = "née ÿÿÿ <bob@example.org>???>>> said so, and so on and on and on";
        for end in (12..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let plain = text.get(..end).unwrap();
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                for glued in ["", "=", "x:", "\""] {
                    let run = engine.encode(plain);
                    assert_eq!(shown(&format!("{glued}{run}. ")), Some(format!("{glued}{plain}. ")), "{run}");
                }
            }
        }
    }

    #[test]
    fn no_run_is_missed() {
        for before in 0..100 {
            for length in 0..40 {
                for behind in [0, 1, 50] {
                    let text = format!(
                        "{}{}{}",
                        "ab c ".repeat(20).get(..before).unwrap(),
                        "A".repeat(length),
                        ".a".repeat(behind)
                    );
                    // By the definition.
                    let start = text.split_inclusive(|c| !is_letter(c as u8)).scan(0, |at, piece| {
                        *at += piece.len();
                        Some((*at - piece.len(), piece.bytes().filter(|b| is_letter(*b)).count()))
                    });
                    let start = start.into_iter().find(|(_, letters)| *letters >= MIN_LETTERS);
                    assert_eq!(next(text.as_bytes(), 0, MIN_LETTERS, is_letter), start.map(|(at, _)| at), "{text}");
                }
            }
        }
    }

    #[test]
    fn runs_are_found_wherever_they_stand() {
        let run = STANDARD.encode("call me at noon");
        for before in 0..60 {
            for word in ["a", "ab ", "Some words, of 13 letters. "] {
                let before: String = word.chars().cycle().take(before).chain([' ']).collect();
                assert!(next(format!("{before}{run}").as_bytes(), 0, MIN_LETTERS, is_letter).is_some());
                if word != "a" {
                    assert_eq!(shown(&format!("{before}{run}")), Some(format!("{before}call me at noon")));
                }
            }
        }
    }

    #[test]
    fn lines_are_joined() {
        let plain = "The quick brown fox jumps over the lazy dog. ".repeat(9);
        let run = STANDARD.encode(&plain);
        for width in [60, 61, 64, 75, 76] {
            for separator in ["\n", "\r\n", "\\n", "\n    "] {
                let lines: Vec<&str> = run.as_bytes().chunks(width).map(|c| std::str::from_utf8(c).unwrap()).collect();
                let text = format!("a: {}\nb c", lines.join(separator));
                let view = view(&text).unwrap();
                assert_eq!(view.text, format!("a: {plain}\nb c"), "{width} {separator:?}");
                assert_eq!(view.way.cut(10..20), 3..text.len() - 4);
            }
        }
    }

    #[test]
    fn what_is_glued_in_front_is_no_cover() {
        let run = STANDARD_NO_PAD.encode("bob@example.org and more text, so that it is long enough");
        for glued in ["A", "/x", "key", "abcdefgh"] {
            assert!(shown(&format!("{glued}{run}")).unwrap().contains("bob@example.org"), "{glued}");
        }
        let wide: Vec<u8> = "mail bob@example.org".bytes().flat_map(|b| [b, 0]).collect();
        assert_eq!(shown(&STANDARD.encode(wide)).unwrap(), "mail bob@example.org");
    }

    #[test]
    fn what_hides_no_text_is_left_alone() {
        let noise: Vec<u8> = (0..3000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for none in [
            "",
            "short",
            "filter/core/src/inspect/views/base64",
            "getElementsByClassName and HTMLInputElement",
            "a-kebab-case-identifier-of-some-length",
            "SCREAMING_SNAKE_CASE_CONSTANT",
            "550e8400-e29b-41d4-a716-446655440000",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "5425233430109903",
            "----------------------------------------",
            "====================",
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
            &STANDARD.encode(&noise),
            &STANDARD.encode(&noise[..13]),
        ] {
            assert_eq!(shown(none), None, "{none}");
        }
    }
}
