//! The United States. Rules of the Internal Revenue Service, the Centers for Medicare and Medicaid Services and the Drug
//! Enforcement Administration.

use super::super::rules::{Rule, digit, luhn_of, sum};
use super::super::{Row, Type, Words, words};

static US: Words = words!("us usa american federal irs");

/// The prefixes of employer identification numbers that campuses of the Internal Revenue Service give.
const NO_EIN: &[u32] = &[0, 7, 8, 9, 17, 18, 19, 28, 29, 49, 69, 70, 78, 79, 89, 96, 97];

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::UsItin, &["ddd-dd-dddd"],
        &[Rule::In(0, b"9"), Rule::Is(|s| matches!(10 * digit(s, 3) + digit(s, 4), 50..=65 | 70..=88 | 90..=92 | 94..=99))],
        words!("itin itins"), (0.2, 0.5),
    ).of(&US),
    Row::new(
        Type::UsEin, &["dd-ddddddd"],
        &[Rule::Mixed, Rule::Is(|s| !NO_EIN.contains(&(10 * digit(s, 0) + digit(s, 1))))],
        words!("ein eins fein employer irs"), (0.15, 0.35),
    ).of(&US),
    // Pending adoptions; the form is that of a social security number, and nothing is checked.
    Row::new(Type::UsAtin, &["ddd-dd-dddd"], &[Rule::Mixed], words!("atin atins adoption"), (0.0, 0.0)),
    Row::new(Type::UsPtin, &["Pdddddddd"], &[Rule::Mixed], words!("ptin ptins preparer"), (0.3, 0.3)),
    // Luhn over the number behind 80840.
    Row::new(
        Type::UsNpi, &["dddddddddd", "dddd-ddd-ddd"],
        &[Rule::In(0, b"12"), Rule::Is(|s| {
            let mut full = *b"80840----------";
            full.iter_mut().skip(5).zip(s).for_each(|(slot, d)| *slot = *d);
            s.len() == 10 && luhn_of(&full)
        })],
        words!("npi npis nppes physician prescriber provider"), (0.25, 0.3),
    ),
    Row::new(
        Type::MedicalLicense, &["llddddddd"],
        &[Rule::In(0, b"ABCDEFGHJKLMPRSTUX"), Rule::Is(is_dea)],
        words!("dea prescriber registrant physician doctor"), (0.5, 0.5),
    ),
    // Of those who registered a business.
    Row::new(
        Type::MedicalLicense, &["l9ddddddd"],
        &[Rule::In(0, b"ABCDEFGHJKLMPRSTUX"), Rule::Is(is_dea)],
        words!("dea prescriber registrant physician doctor"), (0.3, 0.3),
    ),
    Row::new(
        Type::UsMbi, &["dlyd-lyd-lldd"],
        &[Rule::In(0, b"123456789"), Rule::Is(|s| !s.iter().any(|b| b"SLOIBZ".contains(b)))],
        words!("mbi medicare beneficiary"), (0.7, 0.9),
    ),
];

/// Two letters, or a letter and a 9, then six digits and the last one of their sum, where every second counts twice.
fn is_dea(symbols: &[u8]) -> bool {
    let Some((head, digits)) = symbols.split_at_checked(2) else { return false };
    let second = matches!(head, [_, b'9' | b'A'..=b'Z']);
    let mixed = digits.iter().any(|d| Some(d) != digits.first());
    second
        && mixed
        && digits.iter().all(u8::is_ascii_digit)
        && sum(digits, &[1, 2, 1, 2, 1, 2]) % 10 == digit(digits, 6)
}
