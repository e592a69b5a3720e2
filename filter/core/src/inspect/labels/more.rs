//! Further values behind a label that announces several: `passports AB1234567 and XY9876543`.

use super::super::Candidate;
use super::reader::{Reader, list};
use super::separator::Separator;
use super::table::Row;
use super::{BACK, Found, Label};

list!(AND, "and or und oder et ou y o e ed ve veya en of og och eller i lub oraz ja tai sowie plus");

/// The fewest figures of a value that has no letters.
const FIGURES: usize = 7;
/// Further values of one label, at most.
const MOST: usize = 8;

/// Reads on behind `last`, which is the first value of `label`: while what follows joins another one like it.
pub(super) fn read(r: &Reader<'_>, label: Label<'_>, row: &Row, last: Candidate, found: &mut Found) {
    let Label { first, last: word, separator } = label;
    let mut last = last;
    for _ in 0..MOST {
        let Some(at) = joined(r, last.end).filter(|at| *at <= first.start + BACK) else { return };
        let label = Label { first, last: word, separator: Separator { at, quote: 0, ..separator } };
        let Some(next) = (row.read)(r, &label, row) else { return };
        if next.kind != last.kind || r.is_short() || !alike(r, &last, &next) {
            return;
        }
        found.candidates.push(next);
        last = next;
    }
}

/// Where another value may stand behind one that ends at `end`: after a comma or a word such as `and`.
fn joined(r: &Reader<'_>, end: usize) -> Option<usize> {
    let mut at = r.spaces(end, 1);
    let sign = matches!(r.at(at), b',' | b';' | b'/' | b'|' | b'&' | b'+');
    if sign {
        at = r.spaces(at + 1, 1);
    }
    match r.word(at).filter(|word| AND.has(word.hash) && at > end) {
        Some(word) if r.at(word.end) == b' ' => Some(word.end + 1),
        _ => (sign && at > end).then_some(at),
    }
}

/// Whether both have letters and figures, or as many figures: a number that follows another is mostly something else.
fn alike(r: &Reader<'_>, one: &Candidate, two: &Candidate) -> bool {
    let (one, two) = (r.slice(one.start, one.end), r.slice(two.start, two.end));
    let mixed = |value: &[u8]| value.iter().any(u8::is_ascii_alphabetic) && value.iter().any(u8::is_ascii_digit);
    let figures = |value: &[u8]| value.iter().filter(|b| b.is_ascii_digit()).count();
    mixed(one) && mixed(two) || figures(one) >= FIGURES && one.len() == two.len() && figures(one) == figures(two)
}
