//! Dates, of birth above all.

use super::super::Candidate;
use super::super::context::{Words, words};
use super::super::types::Type;
use super::Label;
use super::reader::{Reader, list};
use super::separator::Strength;

list!(
    MONTHS,
    "january february march april may june july august september october november december jan feb mar apr jun jul \
     aug sep sept oct nov dec januar februar marz maerz mai juni juli oktober dezember okt dez janner janvier fevrier mars \
     avril juin juillet aout septembre octobre novembre decembre enero febrero marzo mayo junio julio agosto \
     septiembre setiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio settembre ottobre \
     dicembre janeiro fevereiro marco maio junho julho setembro outubro novembro dezembro januari februari maart mei \
     augustus stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia ocak \
     subat nisan mayis haziran temmuz agustos eylul ekim kasim aralik"
);
// In these languages a month has a capital.
list!(
    CAPITAL,
    "january february march april may june july august september october november december januar februar oktober dezember"
);
static MEASURES: Words = words!("median average mean min max minimum maximum legal retirement school drinking voting");
static PEOPLE: Words = words!("man woman male female patient boy girl person mother father");
list!(BORN, "born");
static ONESELF: Words = words!("i am im patient client customer she he applicant employee");
list!(OF, "of de del d");

/// A date of birth behind its label.
pub(super) fn of_birth(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    let date = read(r, label.at())?;
    // People of the past have no privacy, those in encyclopedias little.
    let past = label.separator.strength != Strength::Sign && date.year < 1915;
    let told = BORN.has(label.first.hash) && label.separator.strength != Strength::Sign;
    let own = || ONESELF.before(r.bytes(), label.first.start, 24).is_some();
    let score = if date.lower || told && !own() { 0.45 } else { 0.8 };
    (!past).then_some(Candidate {
        kind: Type::DateOfBirth,
        start: label.at(),
        end: date.end,
        score,
        checked: false,
        test_value: false,
    })
}

pub(super) struct Date {
    pub(super) end: usize,
    year: u32,
    /// Its month is written without the capital that it has.
    lower: bool,
}

/// The date at `at`.
pub(super) fn read(r: &Reader<'_>, at: usize) -> Option<Date> {
    let date = if r.at(at).is_ascii_digit() { numeric(r, at) } else { month_first(r, at) }?;
    (!r.at(date.end).is_ascii_digit() && (1900..2036).contains(&date.year)).then_some(date)
}

fn numeric(r: &Reader<'_>, at: usize) -> Option<Date> {
    let (length, first) = r.digits(at, 8);
    let mut end = at + length;
    if length == 8 {
        let valid = |month, day| (1..=12).contains(&month) && (1..=31).contains(&day);
        let (year, month, day) = (first / 10_000, first / 100 % 100, first % 100);
        if (1900..2036).contains(&year) && valid(month, day) {
            return Some(Date { end, year, lower: false });
        }
        let (a, b, year) = (first / 1_000_000, first / 10_000 % 100, first % 10_000);
        return (valid(a, b) || valid(b, a)).then_some(Date { end, year, lower: false });
    }
    if length == 4 {
        // 1980-05-12, 1980年5月12日
        let cut = |at: usize, last: bool| match r.at(at) {
            b'-' | b'/' | b'.' if !last => Some(at + 1),
            0xE5 | 0xE6 | 0xEB | 0xEC => Some(r.spaces(at + 3, 1)),
            _ if last => Some(at),
            _ => None,
        };
        let at = cut(end, false)?;
        let (m, month) = r.digits(at, 2);
        let at = cut(at + m, false)?;
        let (d, day) = r.digits(at, 2);
        let valid =
            (1..=2).contains(&m) && (1..=2).contains(&d) && (1..=12).contains(&month) && (1..=31).contains(&day);
        let end = cut(at + d, true)?;
        return valid.then_some(Date { end, year: first, lower: false });
    }
    if !(1..=2).contains(&length) || first == 0 || first > 31 {
        return None;
    }
    let sign = r.at(end);
    if matches!(sign, b'/' | b'-' | b'.') {
        let next = if sign == b'.' { r.spaces(end + 1, 1) } else { end + 1 };
        let (m, month) = r.digits(next, 2);
        if (1..=2).contains(&m) {
            let valid = (1..=31).contains(&month) && (month <= 12 || first <= 12);
            let again = next + m;
            let next = if sign == b'.' { r.spaces(again + 1, 1) } else { again + 1 };
            let (y, year) = r.digits(next, 4);
            let year = if y == 2 { short_year(year) } else { year };
            return (valid && r.at(again) == sign && matches!(y, 2 | 4)).then_some(Date {
                end: next + y,
                year,
                lower: false,
            });
        }
    }
    // 12th of May 1980, 12. Mai 1980, 12-May-1980, 12 de mayo de 1980
    end += match r.at(end) {
        b'.' | b'-' | b'/' => 1,
        b's' | b'n' | b'r' | b't' | b'e' if r.at(end + 1).is_ascii_lowercase() && r.at(end + 2) == b' ' => 2,
        _ => 0,
    };
    let (month, lower) = word_in(r, end)?;
    let mut at = r.spaces(month, 1);
    at += usize::from(matches!(r.at(at), b',' | b'.' | b'-' | b'/'));
    at = r.spaces(at, 1);
    if let Some(of) = r.word(at).filter(|w| OF.has(w.hash)) {
        at = r.spaces(of.end, 1);
    }
    year(r, at, lower)
}

/// May 12, 1980
fn month_first(r: &Reader<'_>, at: usize) -> Option<Date> {
    let word = r.word(at).filter(|w| MONTHS.has(w.hash))?;
    let mut at = word.end + usize::from(r.at(word.end) == b'.');
    at = r.spaces(at, 2);
    at += usize::from(r.at(at) == b'-');
    let (d, day) = r.digits(at, 2);
    if !(1..=2).contains(&d) || !(1..=31).contains(&day) {
        return None;
    }
    at += d;
    at += if r.at(at).is_ascii_lowercase() && r.at(at + 1).is_ascii_lowercase() { 2 } else { 0 };
    at += usize::from(matches!(r.at(at), b',' | b'-'));
    year(r, r.spaces(at, 2), !word.capital && CAPITAL.has(word.hash))
}

/// The month that stands at `at`, behind a space and `of`: where it ends.
fn word_in(r: &Reader<'_>, at: usize) -> Option<(usize, bool)> {
    let mut at = r.spaces(at, 2);
    let mut word = r.word(at)?;
    if OF.has(word.hash) {
        at = r.spaces(word.end, 1);
        word = r.word(at)?;
    }
    MONTHS.has(word.hash).then_some((word.end, !word.capital && CAPITAL.has(word.hash)))
}

fn year(r: &Reader<'_>, at: usize, lower: bool) -> Option<Date> {
    let (y, year) = r.digits(at, 4);
    let year = if y == 2 { short_year(year) } else { year };
    matches!(y, 2 | 4).then_some(Date { end: at + y, year, lower })
}

fn short_year(year: u32) -> u32 {
    if year < 30 { 2000 + year } else { 1900 + year }
}

/// An age behind its label: `aged 42`, `Age: 42 years`.
pub(super) fn age(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    let start = label.at();
    let (digits, years) = r.digits(start, 3);
    let next = r.at(start + digits);
    // `age: 30s`, `aged 4-8`, `age = 30.5`
    let goes_on = r.alnum(start + digits)
        || matches!(next, b'-' | b'/' | b':' | b'%' | b'+' | b'_')
        || matches!(next, b'.' | b',') && r.at(start + digits + 1).is_ascii_digit();
    // `median age`, `max_age`
    let other = label.separator.assigns
        || matches!(r.before(label.first.start), b'_' | b'-')
        || MEASURES.before(r.bytes(), label.first.start, 12).is_some();
    let key = matches!(r.at(label.last.end), b'"' | b'\'' | b'\\');
    let aged = label.separator.strength == Strength::Space
        && PEOPLE.before(r.bytes(), label.first.start, 12).is_none_or(|distance| distance > 2);
    ((1..=3).contains(&digits) && !other && (1..=120).contains(&years) && !goes_on).then_some(Candidate {
        kind: Type::Age,
        start,
        end: start + digits,
        // Keys of objects are in every example, `aged 4 to 8` in prose.
        score: if key || aged { 0.45 } else { 0.6 },
        checked: false,
        test_value: false,
    })
}

/// The day that a card is good for: `12/27`, `12/2027`.
pub(super) fn expiry(r: &Reader<'_>, label: &Label<'_>) -> Option<Candidate> {
    let start = label.at();
    // `exp(04/28)`
    if r.at(label.last.end) == b'(' {
        return None;
    }
    let (m, month) = r.digits(start, 2);
    let mut at = r.spaces(start + m, 1);
    if !matches!(r.at(at), b'/' | b'-' | b'.') || !(1..=12).contains(&month) {
        return None;
    }
    at = r.spaces(at + 1, 1);
    let (y, year) = r.digits(at, 4);
    let next = r.at(at + y);
    let fits = match y {
        2 => (15..=60).contains(&year),
        4 => (2015..2060).contains(&year),
        _ => false,
    };
    (fits && !r.alnum(at + y) && !(matches!(next, b'/' | b'-' | b'.') && r.at(at + y + 1).is_ascii_digit())).then_some(
        Candidate { kind: Type::CardExpiry, start, end: at + y, score: 0.7, checked: false, test_value: false },
    )
}
