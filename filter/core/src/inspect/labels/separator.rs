//! What stands between a label and its value: `number: `, `": "`, ` = `, ` is `, `</b> | `.

use super::super::bytes;
use super::reader::{Reader, list};

/// How clearly a value is announced.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Strength {
    /// By a space.
    Space,
    /// By a word such as `is`, or by a dash.
    Is,
    /// By a sign such as `:`.
    Sign,
}

pub(super) struct Separator {
    pub(super) strength: Strength,
    /// The quotation mark before the value, or NUL.
    pub(super) quote: u8,
    /// Whether it is code that assigns (`=`).
    pub(super) assigns: bool,
    /// Where the value starts.
    pub(super) at: usize,
}

// Words that belong to a label.
list!(
    FILLERS,
    "number numbers n no nr num nro numero nummer id code card reg of for on numer numarasi de do da del der des la en \
     and expires"
);
list!(IS, "is was are ist war lautet es est e era is jest reads equals became wynosi");

/// Where the next word of a label may start that has one ending at `at`.
pub(super) fn join(r: &Reader<'_>, at: usize) -> usize {
    match r.at(at) {
        b' ' | b'_' | b'-' => at + 1,
        // `St. No.`, `driver's`
        b'.' if r.at(at + 1) == b' ' => at + 2,
        b'.' | b'\'' => at + 1,
        0xE2 if r.at(at + 1) == 0x80 && r.at(at + 2) == 0x99 => at + 3,
        _ => at,
    }
}

/// Reads on from the end of a label. `start` becomes the earliest place where a value may start, as far as that is
/// known when the text ends.
pub(super) fn read(r: &Reader<'_>, end: usize, fillers: bool, start: &mut usize) -> Option<Separator> {
    let (mut at, mut strength, mut quote, mut assigns) = (end, Strength::Space, 0, false);
    // `phone1`, `name_2`
    at += usize::from(r.at(at) == b'.' && matches!(r.at(at + 1), b' ' | b':'));
    at += closers(r, at);
    if fillers {
        // `ICD-10`, `ICD10-CM`
        let from = at + usize::from(matches!(r.at(at), b'-' | b' '));
        if r.at(from) == b'1' && r.at(from + 1) == b'0' && !r.alnum(from + 2) {
            at = from + 2;
            let more = usize::from(r.at(at) == b'-') * 3;
            at += if more > 0 && !r.alnum(at + more) && r.at(at + 1).is_ascii_uppercase() { more } else { 0 };
        }
    }
    let mut words = 0;
    while strength != Strength::Sign {
        *start = at;
        if fillers && at == end && r.at(at) == b'-' && r.letter(at + 1).is_some() {
            // `HRB-Nr.`
            at += 1;
        }
        let next = r.run(at, 5, |b| matches!(b, b' ' | b'_' | b'\t' | b'*' | b'"' | b'\'' | b'`')) + at;
        *start = next;
        match r.at(next) {
            b':' if r.at(next + 1) == b':' => return None,
            b':' => (at, strength) = (next + 1 + usize::from(r.at(next + 1) == b'='), Strength::Sign),
            b'=' if r.at(next + 1) == b'=' || matches!(r.before(next), b'!' | b'<') => return None,
            b'=' => {
                (at, strength, assigns) = (next + 1 + usize::from(r.at(next + 1) == b'>'), Strength::Sign, true);
            }
            b'|' => (at, strength) = (next + 1, Strength::Sign),
            b'>' if next == end => (at, strength) = (next + 1, Strength::Sign),
            b'-' if next > at && matches!(r.at(next + 1), b' ' | b'>') => (at, strength) = (next + 2, Strength::Sign),
            0xE2 if next > at && r.at(next + 1) == 0x80 && matches!(r.at(next + 2), 0x93 | 0x94) => {
                (at, strength) = (next + 3, Strength::Sign);
            }
            0xEF if r.at(next + 1) == 0xBC && r.at(next + 2) == 0x9A => (at, strength) = (next + 3, Strength::Sign),
            b'#' if fillers => at = next + 1,
            b'(' if words < 3 => {
                let length = r.run(next + 1, 24, |b| b.is_ascii_alphabetic() || b"/ -.,".contains(&b));
                if r.at(next + 1 + length) != b')' {
                    break;
                }
                (at, words) = (next + length + 2, words + 1);
            }
            _ => {
                let word = r.word(next).filter(|_| words < 3 && (next > at || words == 0 && next <= end + 1));
                let Some(word) = word.filter(|_| !r.is_short()) else { break };
                words += 1;
                if IS.has(word.hash) && next > at && !r.alnum(word.end) {
                    (at, strength) = (word.end, Strength::Is);
                    // `is: `
                    if r.at(at) != b':' {
                        break;
                    }
                } else if fillers && FILLERS.has(word.hash) {
                    at = word.end;
                    at += usize::from(r.at(at) == b'.');
                    at += closers(r, at);
                    // `Nº`, `N°`
                    at += if r.at(at) == 0xC2 && matches!(r.at(at + 1), 0xB0 | 0xBA) { 2 } else { 0 };
                } else {
                    break;
                }
            }
        }
    }
    if r.is_short() {
        return None;
    }
    // What may open a value; after a sign also a line's end.
    let mut lines = 0;
    for _ in 0..12 {
        *start = at;
        match r.at(at) {
            b' ' | b'\t' | b'*' | b'(' | b'[' | b'|' if at > end => at += 1,
            b' ' | b'(' => at += 1,
            b'\n' | b'\r' if strength == Strength::Sign && lines < 2 => (at, lines) = (at + 1, lines + 1),
            b'"' | b'\'' | b'`' if quote == 0 || at == end => {
                quote = r.at(at);
                at += 1;
            }
            b'\\' if matches!(r.at(at + 1), b'"' | b'\'') => at += 1,
            _ => break,
        }
    }
    (at > end || strength != Strength::Space).then_some(Separator { strength, quote, assigns, at })
}

/// Quotation marks and the like that close a key: how many.
fn closers(r: &Reader<'_>, at: usize) -> usize {
    r.run(at, 4, |b| bytes::CLOSE.contains(b))
}
