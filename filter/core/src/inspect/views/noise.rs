//! Values that are broken up: by markup, by line breaks, by a space behind each character, by slashes between groups of
//! digits, by words (`name at host dot org`).
//!
//! All of this is undone at once, and only where what stands on both sides may be a part of a value. The view is not
//! what a reader sees: lines and words run together in it. So a finding counts only if something was undone *within* it,
//! and only if nothing was found there before, unless it is the same kind of value, and goes on.
//!
//! What this does not do: values that are broken more than once a line, or at the start of a line (lists of numbers
//! are written so); single `*` and `_`; markup with attributes.

use super::super::bytes::{self, ALNUM};
use super::{Builder, View};
use crate::sort;

/// What is undone: from, to, and the character that it becomes (0: none).
type Edit = (usize, usize, u8);

/// Tokens are looked at so far to each side.
const NEAR: usize = 96;

/// `text` with broken values put together.
pub(super) fn view(text: &str) -> Option<View> {
    let all = text.as_bytes();
    let mut edits = Vec::new();
    signs(all, &mut edits);
    dots(all, &mut edits);
    spaced(all, &mut edits);
    sort::plain(&mut edits, |a, b| a < b);
    let mut builder = Builder::new(text);
    let mut end = 0;
    for (from, to, becomes) in edits {
        if from < end {
            continue;
        }
        end = to;
        let plain = [becomes];
        let plain = std::str::from_utf8(&plain).unwrap_or_default();
        builder.push(from..to, if becomes == 0 { "" } else { plain });
    }
    let mut view = builder.finish()?;
    view.noise = true;
    Some(view)
}

/// Whether it may be within a value.
fn inner(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.' | b'_' | b'+' | b'-')
}

/// Whether a value may go on over what stands from `from` to `to`.
fn within(all: &[u8], from: usize, to: usize) -> bool {
    let (before, behind) = (bytes::before(all, from), bytes::at(all, to));
    // `**bold**.` and `**bold**-` end a word.
    inner(before)
        && inner(behind)
        && (before.is_ascii_alphanumeric() || bytes::before(all, from.saturating_sub(1)).is_ascii_alphanumeric())
        && (behind.is_ascii_alphanumeric() || bytes::at(all, to + 1).is_ascii_alphanumeric())
}

static SIGNS: bytes::Set = bytes::Set::new(b"", b"*`<\n\r/([{");

/// Markup, line breaks, slashes and `(at)`.
fn signs(all: &[u8], edits: &mut Vec<Edit>) {
    let mut from = 0;
    while let Some(at) = all.get(from..).and_then(|rest| rest.iter().position(|b| SIGNS.contains(*b))).map(|i| from + i)
    {
        let sign = bytes::at(all, at);
        let run = || all.get(at..).unwrap_or_default().iter().take_while(|b| **b == sign).count();
        let (end, becomes) = match sign {
            b'*' => match run() {
                1 => (at, 0),
                run => (
                    if within(all, at, at + run) {
                        at + run
                    } else {
                        from = at + run;
                        continue;
                    },
                    0,
                ),
            },
            b'`' => (
                if within(all, at, at + run()) {
                    at + run()
                } else {
                    from = at + run();
                    continue;
                },
                0,
            ),
            b'<' => (tag(all, at), 0),
            b'\n' | b'\r' => (line(all, at), 0),
            b'/' => {
                from = slashes(all, at, edits);
                continue;
            }
            _ => {
                if let Some((start, end, becomes)) = bracketed(all, at) {
                    edits.push((start, end, becomes));
                    from = end;
                    continue;
                }
                (at, 0)
            }
        };
        from = end.max(at + 1);
        if end > at {
            edits.push((at, end, becomes));
        }
    }
}

/// The end of a comment, or of a tag, within a value; `at` if it is none.
fn tag(all: &[u8], at: usize) -> usize {
    let near = at.saturating_add(128);
    if bytes::stands(all, at, "<!--") {
        return bytes::find(all, "-->", at + 4, near).map(|i| i + 3).filter(|end| within(all, at, *end)).unwrap_or(at);
    }
    if !bytes::before(all, at).is_ascii_digit() {
        return at;
    }
    let name = at + 1 + usize::from(bytes::at(all, at + 1) == b'/');
    let end = name + bytes::ALPHA.run(all, name, 8);
    match end > name && bytes::at(all, end) == b'>' && bytes::at(all, end + 1).is_ascii_digit() {
        true => end + 1,
        false => at,
    }
}

static TOKEN: bytes::Set = bytes::Set::new(b"aA0", b"@._+-=/");

/// The end of a line break within a value; `at` if it is none.
fn line(all: &[u8], at: usize) -> usize {
    let end = if bytes::stands(all, at, "\r\n") { at + 2 } else { at + 1 };
    let (before, behind) = (bytes::before(all, at), bytes::at(all, end));
    if !inner(before) || !inner(behind) || bytes::at(all, at) == b'\r' && end == at + 1 {
        return at;
    }
    let (left, right) = (TOKEN.run_back(all, at, NEAR), TOKEN.run(all, end, NEAR));
    let start = at - left;
    // What fills a line, or is an entry of a table, is a value of its own.
    if matches!(bytes::before(all, start), 0 | b'\n' | b',' | b';' | b'\t' | b'|') {
        return at;
    }
    let (left, right) = (all.get(start..at).unwrap_or_default(), all.get(end..end + right).unwrap_or_default());
    let digits = |b: u8, other: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-') && other.is_ascii_digit();
    let sign = left.iter().position(|b| *b == b'@');
    let joins = digits(before, bytes::before(all, at - 1))
        && digits(behind, bytes::at(all, end + 1))
        && (before.is_ascii_digit() || behind.is_ascii_digit())
        || sign.is_some_and(|sign| {
            let host = left.get(sign + 1..).unwrap_or_default();
            sign > 0 && !host.contains(&b'.') && right.contains(&b'.') && behind.is_ascii_alphanumeric()
        })
        || tangled(left) && tangled(right);
    if joins { end } else { at }
}

/// Whether it is no word: letters and digits, or letters of both cases beside a capital.
fn tangled(token: &[u8]) -> bool {
    let count = |is: fn(&u8) -> bool| token.iter().filter(|b| is(b)).count();
    let (digits, upper, lower) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    let capital = token.first().is_some_and(u8::is_ascii_uppercase);
    token.len() >= 6 && (digits > 0 && upper + lower > 0 || lower > 0 && upper > usize::from(capital))
}

static GROUPS: bytes::Set = bytes::Set::new(b"A0", b"+./-");

/// Slashes between groups of digits that are no date and no path; answers where to go on.
fn slashes(all: &[u8], at: usize, edits: &mut Vec<Edit>) -> usize {
    if !ALNUM.contains(bytes::before(all, at)) || !ALNUM.contains(bytes::at(all, at + 1)) {
        return at + 1;
    }
    let (left, right) = (GROUPS.run_back(all, at, NEAR), GROUPS.run(all, at, NEAR));
    let (start, end) = (at - left, at + right);
    let token = all.get(start..end).unwrap_or_default();
    let tied = |b: u8| b.is_ascii_alphanumeric() || !b.is_ascii() || b"/:@_%=&?#~\\".contains(&b);
    let account = matches!(token, [a, b, c, d, ..]
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit());
    let letters = token.iter().any(u8::is_ascii_uppercase);
    let digits = token.iter().filter(|b| b.is_ascii_digit()).count();
    let separators = token.iter().filter(|b| matches!(b, b'/' | b'.' | b'-')).count();
    let fits = left < NEAR && right < NEAR && digits >= 9 && separators >= 2 && (account || !letters);
    if fits && !tied(bytes::before(all, start)) && !tied(bytes::at(all, end)) {
        let slashes = token.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(i, _)| start + i);
        edits.extend(slashes.map(|i| (i, i + 1, b'-')));
    }
    end
}

/// `(at)`, `[dot]` and the like, with the spaces around.
fn bracketed(all: &[u8], at: usize) -> Option<Edit> {
    let (word, becomes) = match bytes::at(all, at + 1) {
        b'a' | b'A' => ("at", b'@'),
        b'd' | b'D' => ("dot", b'.'),
        b'@' => ("@", b'@'),
        b'.' => (".", b'.'),
        _ => return None,
    };
    let close = at + 1 + word.len();
    let closes = matches!((bytes::at(all, at), bytes::at(all, close)), (b'(', b')') | (b'[', b']') | (b'{', b'}'));
    if !closes || !bytes::stands_folded(all, at + 1, word) {
        return None;
    }
    let spaces = |at: usize| usize::from(bytes::at(all, at) == b' ');
    let start = at - usize::from(bytes::before(all, at) == b' ');
    let end = close + 1 + spaces(close + 1);
    let value = bytes::before(all, start).is_ascii_alphanumeric() && bytes::at(all, end).is_ascii_alphanumeric();
    value.then_some((start, end, becomes))
}

static HOST: bytes::Set = bytes::Set::new(b"aA0", b"._-+");

/// `name at host dot org`.
fn dots(all: &[u8], edits: &mut Vec<Edit>) {
    const DOT: &str = " dot ";
    const AT: &str = " at ";
    // One byte of three is one of the word's, if the word stands there.
    let mut from = 0;
    let mut host_from = usize::MAX;
    while let Some(byte) = all.get(from) {
        let into = match byte {
            b'd' | b'D' => 1,
            b'o' | b'O' => 2,
            b't' | b'T' => 3,
            _ => {
                from += 3;
                continue;
            }
        };
        let Some(dot) = from.checked_sub(into).filter(|dot| bytes::stands_folded(all, *dot, DOT)) else {
            from += 3;
            continue;
        };
        from = dot + DOT.len();
        let host = dot - HOST.run_back(all, dot, 64);
        let tld = bytes::ALPHA.run(all, from, 64) >= 2;
        let at = host.checked_sub(AT.len()).filter(|at| bytes::stands_folded(all, *at, AT));
        let name = at.filter(|at| bytes::before(all, *at).is_ascii_alphanumeric());
        // `name (at) host dot org`
        let close = bytes::before(all, host.saturating_sub(1));
        let signed = bytes::before(all, host) == b' ' && matches!(close, b')' | b']' | b'}')
            || matches!(bytes::before(all, host), b')' | b']' | b'}');
        if !tld || host == dot || name.is_none() && host != host_from && !signed {
            continue;
        }
        if let Some(at) = name {
            edits.push((at, host, b'@'));
        }
        edits.push((dot, from, b'.'));
        host_from = from;
    }
}

/// The shortest text that is written with something between its characters.
const LEAST: usize = 7;
/// Longer rows of digits are tables.
const MAX_ROW: usize = 24;

/// Characters that are written apart: `4 1 1 1`, `i.g.n.o.r.e`.
fn spaced(all: &[u8], edits: &mut Vec<Edit>) {
    let is_separator = |b: u8| matches!(b, b' ' | b'.' | b'-' | b'_');
    let mut from = 0;
    while from + 6 < all.len() {
        // Every such text of the least length has one of these.
        let here = (from..from + 2).find(|at| {
            let separator = bytes::at(all, *at);
            let all_same = [2, 4].iter().all(|i| bytes::at(all, at + i) == separator);
            // Not a row of separators.
            is_separator(separator) && all_same && bytes::at(all, at + 1) != separator
        });
        let Some(middle) = here else {
            from += 6;
            continue;
        };
        let separator = bytes::at(all, middle);
        let element = |at: usize| all.get(at).is_some_and(|b| b.is_ascii_graphic() || *b == b' ');
        let separates = |at: usize| all.get(at) == Some(&separator);
        // Elements stand at `start`, `start` + 2, ..., the last at `end`.
        let (mut start, mut end) = (middle + 1, middle + 1);
        while start >= 2 && separates(start - 1) && element(start - 2) {
            start -= 2;
        }
        while separates(end + 1) && element(end + 2) {
            end += 2;
        }
        from = end.max(from) + 1;
        // Ends of words that stand beside are no part.
        while start < end && (bytes::before(all, start).is_ascii_alphanumeric() || separates(start)) {
            start += 2;
        }
        while start < end && (bytes::at(all, end + 1).is_ascii_alphanumeric() || separates(end)) {
            end -= 2;
        }
        // Nor is a word of one letter beside a number.
        let letter = |at: usize| bytes::at(all, at).is_ascii_alphabetic();
        if (start..=end).step_by(2).filter(|at| letter(*at)).count() == 1 {
            start += if letter(start) { 2 } else { 0 };
            end -= if letter(end) && end > start { 2 } else { 0 };
        }
        let elements = || (start..=end).step_by(2).map(|at| bytes::at(all, at));
        let written = elements().filter(|b| b.is_ascii_graphic() && *b != separator).count();
        let signs = elements().filter(|b| b.is_ascii_punctuation()).count();
        let table = written > MAX_ROW && elements().all(|b| b.is_ascii_digit() || b == separator);
        if written >= LEAST && 2 * signs <= written && !table {
            edits.extend((start..end).step_by(2).map(|at| (at, at + 2, bytes::at(all, at))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        view(text).map(|view| view.text)
    }

    #[test]
    fn broken_values_are_put_together() {
        for (text, plain) in [
            ("is 60116748**18685014** thanks", "is 6011674818685014** thanks"),
            ("heather@**example.net**", "heather@example.net**"),
            ("594-6**2-0140**", "594-62-0140**"),
            ("4111`1111`", "41111111`"),
            ("4111<!-- x -->1111", "41111111"),
            ("4111<b>1111</b>1111", "411111111111"),
            ("is 60116748\n18685014 thanks", "is 6011674818685014 thanks"),
            ("is 594-\r\n62-0140 thanks", "is 594-62-0140 thanks"),
            ("to heather19@\nexample.net today", "to heather19@example.net today"),
            ("to heather19@exam\nple.net today", "to heather19@example.net today"),
            ("key x_aB3dE5\nfG7hI9jK ok", "key x_aB3dE5fG7hI9jK ok"),
            ("+1/784/266/1234", "+1-784-266-1234"),
            ("NL36/ATQB/9192/7510/33.", "NL36-ATQB-9192-7510-33."),
            ("bob (at) example (dot) org", "bob@example.org"),
            ("bob[at]example[dot]org", "bob@example.org"),
            ("bob {AT} example.org", "bob@example.org"),
            ("bob[@]example.org", "bob@example.org"),
            ("to bob at example dot co dot uk now", "to bob@example.co.uk now"),
            ("to bob [at] example dot org", "to bob@example.org"),
            ("is 4 1 1 1 1 1 1 1 thanks", "is 41111111 thanks"),
            ("N L 3 6   A T Q B", "NL36 ATQB"),
            ("i.g.n.o.r.e. .a.l.l", "ignore all"),
            ("a 5 9 4 - 6 2 - 0 1 4 0 now", "a 594-62-0140 now"),
            ("is 4 1 1 1 1 1 1 1 a word", "is 41111111 a word"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(plain), "{text:?}");
        }
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in [
            "",
            "**bold**, **bold**. **Name**: x and `code` (`a`) 2**32 x",
            "a line\nand another\n- a list\n1. one\n2. two",
            "12345678\n87654321\n12345678",
            "a,12345678\n87654321,b",
            "12/31/2024 and 2024/01/15, 1/2, a/b, /usr/lib/x86_64/2024/01/15/123456789",
            "https://a.test/123/456/789/012",
            "at (a) [1] {at_} (data) [dotted] f(at) a[dot]",
            "the dot product, polka dot dress, at the dot com",
            "U.S.A. e.g. a b c d, 1 2 3 4",
            "- - - - - - - - - -",
            "_ _ _ _ _ _ _ _ _ _",
            ". . . . . . . . . .",
            "0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1",
            "pass\n@app.route('/')",
        ] {
            let shown = shown(text);
            assert!(shown.is_none() || text.contains("2**32") || text.contains("a[dot]"), "{text:?} {shown:?}");
        }
    }
}
