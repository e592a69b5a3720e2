//! Canada, Central and South America.

use super::super::rules::{ELEVEN_OR_0, Rule, digit, sum, value};
use super::super::{Row, Type, Words, words};

static BRAZIL: Words = words!("brasil brazil brasileiro brasileira receita br");
static ARGENTINA: Words = words!("argentina argentino afip ar");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::CaSin, &["ddd-ddd-ddd"], &[Rule::In(0, b"12345679"), Rule::Mixed, Rule::Luhn],
        words!("sin sins nas insurance assurance canada canadian"), (0.2, 0.4),
    ),
    Row::new(Type::BrCpf, &["ddd.ddd.ddd-dd"], &[Rule::Mixed, Rule::Is(is_cpf)], words!("cpf cpfs"), (0.4, 0.85)).of(&BRAZIL),
    Row::new(
        Type::BrCnpj, &["dd.ddd.ddd/dddd-dd"], &[Rule::Mixed, Rule::Is(is_cnpj)],
        words!("cnpj cnpjs"), (0.45, 0.9),
    ).of(&BRAZIL),
    // With letters since July 2026.
    Row::new(
        Type::BrCnpj, &["xx.xxx.xxx/xxxx-dd"],
        &[Rule::Is(|s| s.iter().any(u8::is_ascii_alphabetic)), Rule::Is(is_cnpj)],
        words!("cnpj cnpjs"), (0.45, 0.9),
    ).of(&BRAZIL),
    Row::new(Type::MxCurp, &["uuuuddddddxuuuuuxd"], &[Rule::In(10, b"HMX"), Rule::Is(is_curp)], words!("curp"), (0.9, 0.9)),
    Row::new(
        Type::MxRfc, &["uuuu-dddddd-xxx"], &[Rule::Date(4, super::super::rules::Order::Ymd), Rule::Is(|s| is_rfc(s, 0))],
        words!("rfc contribuyentes sat"), (0.75, 0.8),
    ),
    Row::new(
        Type::MxRfc, &["uuu-dddddd-xxx"], &[Rule::Date(3, super::super::rules::Order::Ymd), Rule::Is(|s| is_rfc(s, 1))],
        words!("rfc contribuyentes sat"), (0.6, 0.7),
    ),
    Row::new(Type::ArDni, &["dd.ddd.ddd", "d.ddd.ddd"], &[], words!("dni documento"), (0.0, 0.2)).of(&ARGENTINA).named(0.75),
    Row::new(
        Type::ArCuit, &["dd-dddddddd-d"],
        &[Rule::Is(|s| matches!(10 * digit(s, 0) + digit(s, 1), 20 | 23..=27 | 30 | 33 | 34 | 50 | 51 | 55)),
          Rule::Sum(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11, b"09987654321")],
        words!("cuit cuil cuits cdi"), (0.35, 0.7),
    ).of(&ARGENTINA),
    Row::new(Type::ClRut, &["dd.ddd.ddd-y", "d.ddd.ddd-y"], &[Rule::Is(is_rut)], words!("rut run ruts"), (0.3, 0.8)),
    Row::new(Type::ClRut, &["dddddddd-y", "ddddddd-y"], &[Rule::Is(is_rut)], words!("rut run ruts"), (0.3, 0.45)),
    Row::new(Type::CoNit, &["ddd.ddd.ddd-d"], &[Rule::Mixed, Rule::Is(is_nit)], words!("nit nits dian"), (0.2, 0.55)),
    Row::new(Type::CoNit, &["ddddddddd-d"], &[Rule::Mixed, Rule::Is(is_nit)], words!("nit nits dian"), (0.2, 0.35)),
];

/// Two check digits, each over all before it.
fn is_cpf(symbols: &[u8]) -> bool {
    let check = |n: usize| {
        let sum: u32 = symbols.iter().take(n).zip((2..=n as u32 + 1).rev()).map(|(s, w)| value(*s) * w).sum();
        sum * 10 % 11 % 10 == digit(symbols, n)
    };
    symbols.len() == 11 && check(9) && check(10)
}

/// A letter counts as its ASCII code less 48.
fn is_cnpj(symbols: &[u8]) -> bool {
    let check = |n: usize| {
        let weights = (2..=9u32).cycle();
        let sum: u32 = symbols.iter().take(n).rev().zip(weights).map(|(s, w)| u32::from(s - b'0') * w).sum();
        ELEVEN_OR_0.get((sum % 11) as usize) == symbols.get(n)
    };
    symbols.len() == 14 && check(12) && check(13)
}

/// The letters count from 10, with a place for the Ñ.
fn is_curp(symbols: &[u8]) -> bool {
    let position = |s: u8| value(s) + u32::from(s > b'N');
    let sum: u32 = symbols.iter().take(17).zip((2..=18u32).rev()).map(|(s, w)| position(*s) * w).sum();
    super::super::rules::is_date(symbols.get(4..).unwrap_or_default(), super::super::rules::Order::Ymd)
        && (10 - sum % 10) % 10 == digit(symbols, 17)
}

/// `&` has the place behind N; those of companies are one shorter, and start with a space.
fn is_rfc(symbols: &[u8], missing: usize) -> bool {
    let position = |s: u8| value(s) + u32::from(s > b'N');
    let space = if missing == 1 { 37 * 13 } else { 0 };
    let sum: u32 =
        symbols.iter().take(12 - missing).zip((2..=13 - missing as u32).rev()).map(|(s, w)| position(*s) * w).sum();
    let expected = match (11 - (sum + space) % 11) % 11 {
        10 => b'A',
        n => b'0' + n as u8,
    };
    symbols.last() == Some(&expected)
}

fn is_rut(symbols: &[u8]) -> bool {
    let Some((last, digits)) = symbols.split_last() else { return false };
    let sum: u32 = digits.iter().rev().zip((2..=7u32).cycle()).map(|(s, w)| value(*s) * w).sum();
    digits.iter().any(|d| Some(d) != digits.first()) && b"0K987654321".get((sum % 11) as usize) == Some(last)
}

fn is_nit(symbols: &[u8]) -> bool {
    sum(symbols, &[41, 37, 29, 23, 19, 17, 13, 7, 3]).checked_rem(11).and_then(|r| b"01987654321".get(r as usize))
        == symbols.last()
}
