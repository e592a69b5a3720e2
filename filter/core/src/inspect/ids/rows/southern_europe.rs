//! Italy, Spain, Portugal, Greece.

use super::super::rules::{ELEVEN_OR_0, Order, Rule, digit, luhn_of, number, value};
use super::super::{Row, Type, Words, words};

static ITALY: Words = words!("italy italian italia italiano italiana");
static SPAIN: Words = words!("spain spanish espana espanol espanola es");
static PORTUGAL: Words = words!("portugal portuguese portugues portuguesa pt");
static GREECE: Words = words!("greece greek hellenic gr");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::ItFiscalCode, &["uuuuuuxxuxxuxxxu"], &[Rule::In(8, b"ABCDEHLMPRST"), Rule::Is(is_fiscal)],
        words!("codice fiscale cf fiscal codicefiscale"), (0.9, 0.9),
    ).of(&ITALY),
    // That of a company is the number of its value added tax.
    Row::new(
        Type::ItFiscalCode, &["ddddddddddd"], &[Rule::Is(has_office), Rule::Luhn],
        words!("codice fiscale cf codicefiscale"), (0.2, 0.2),
    ).named(0.85),
    Row::new(
        Type::ItVatCode, &["ddddddddddd"], &[Rule::Is(has_office), Rule::Luhn],
        words!("iva piva partita partitaiva"), (0.25, 0.25),
    ).of(&ITALY),
    Row::new(
        Type::EsNif, &["dddddddd-l", "dd.ddd.ddd-l"], &[Rule::Is(|s| is_nif(s.get(..8).unwrap_or_default(), s))],
        words!("nif dni nifs dnis identidad documento"), (0.55, 0.65),
    ).of(&SPAIN),
    // Children, residents abroad, and foreigners without a number of theirs.
    Row::new(
        Type::EsNif, &["l-ddddddd-l"], &[Rule::In(0, b"KLM"), Rule::Is(|s| is_nif(s.get(1..8).unwrap_or_default(), s))],
        words!("nif dni nifs dnis identidad documento"), (0.5, 0.6),
    ).of(&SPAIN),
    Row::new(
        Type::EsNie, &["l-ddddddd-l", "ldddddddl"],
        &[Rule::Is(is_nie)],
        words!("nie nies extranjero extranjeros"), (0.6, 0.65),
    ).of(&SPAIN),
    // Since 2008 the law calls companies' numbers so, too; and people do foreigners'.
    Row::new(
        Type::EsNif, &["u-ddddddd-x", "u-dddddddx"], &[Rule::In(0, b"ABCDEFGHJNPQRSUVW"), Rule::Is(is_cif)],
        words!("nif nifs"), (0.0, 0.0),
    ),
    // Where the word stands behind it; labels find those that it announces.
    Row::new(Type::EsPassport, &["llldddddd"], &[], words!("pasaporte pasaportes"), (0.0, 0.0)).named(0.8).after(32),
    Row::new(Type::EsNif, &["l-ddddddd-l", "ldddddddl"], &[Rule::Is(is_nie)], words!("nif nifs dni"), (0.0, 0.0)),
    Row::new(
        Type::EsCif, &["u-ddddddd-x", "u-dddddddx"], &[Rule::In(0, b"ABCDEFGHJNPQRSUVW"), Rule::Is(is_cif)],
        words!("cif cifs empresa sociedad"), (0.4, 0.45),
    ).of(&SPAIN),
    Row::new(
        Type::PtNif, &["ddd ddd ddd", "ddddddddd"],
        &[Rule::Mixed, Rule::In(0, b"123456789"), Rule::Sum(&[9, 8, 7, 6, 5, 4, 3, 2], 11, ELEVEN_OR_0)],
        words!("nif contribuinte nipc nifs"), (0.2, 0.25),
    ).of(&PORTUGAL),
    Row::new(
        Type::GrAmka, &["ddddddddddd"], &[Rule::Date(0, Order::Dmy), Rule::Luhn],
        words!("amka", "αμκα" "ΑΜΚΑ" "Α.Μ.Κ.Α"), (0.35, 0.35),
    ).of(&GREECE),
    Row::new(
        Type::GrAfm, &["ddddddddd"], &[Rule::Mixed, Rule::Is(is_afm)],
        words!("afm", "αφμ" "ΑΦΜ" "Α.Φ.Μ"), (0.2, 0.2),
    ).of(&GREECE),
];

/// The office that gave a number of value added tax: that of a province, or one of a few.
pub(super) fn has_office(symbols: &[u8]) -> bool {
    let office = symbols.get(7..10).map_or(0, number);
    matches!(office, 1..=100 | 120 | 121 | 888 | 999) && !symbols.starts_with(b"0000000")
}

const NIF: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

pub(super) fn is_nif(digits: &[u8], symbols: &[u8]) -> bool {
    let mixed = digits.iter().any(|d| Some(d) != digits.first()) || digits.first() != Some(&b'0');
    mixed && NIF.get((number(digits) % 23) as usize) == symbols.last()
}

/// A foreigner's: the first letter stands for 0, 1 or 2.
pub(super) fn is_nie(symbols: &[u8]) -> bool {
    let mut digits = [b'0'; 8];
    digits.iter_mut().zip(symbols).for_each(|(slot, b)| *slot = *b);
    let Some(first) = digits.first_mut() else { return false };
    let Some(place) = b"XYZ".iter().position(|x| x == first) else { return false };
    *first = b'0' + place as u8;
    symbols.len() == 9 && is_nif(&digits, symbols)
}

/// The check is a digit or its letter; some kinds of companies have only one of these.
pub(super) fn is_cif(symbols: &[u8]) -> bool {
    let Some((first, rest)) = symbols.split_first() else { return false };
    let Some((last, digits)) = rest.split_last() else { return false };
    let mut full = [b'0'; 8];
    full.iter_mut().zip(digits).for_each(|(slot, d)| *slot = *d);
    let fits = |check: u8| {
        let mut all = full;
        if let Some(slot) = all.last_mut() {
            *slot = check;
        }
        luhn_of(&all)
    };
    let Some(check) = (b'0'..=b'9').find(|c| fits(*c)) else { return false };
    let letter = b"JABCDEFGHI".get(usize::from(check - b'0'));
    let (may_digit, may_letter) = (!b"NPQRSW".contains(first), !b"ABEH".contains(first));
    digits.len() == 7 && (may_digit && *last == check || may_letter && Some(last) == letter)
}

/// The letters that may stand for digits where two people would have the same code.
const OMOCODIA: &[u8; 10] = b"LMNPQRSTUV";

fn is_fiscal(symbols: &[u8]) -> bool {
    const ODD: &[u8; 26] =
        &[1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let mut digits = [b'0'; 16];
    for (slot, s) in digits.iter_mut().zip(symbols) {
        *slot = OMOCODIA.iter().position(|l| l == s).map_or(*s, |p| b'0' + p as u8);
    }
    let two = |at: usize| {
        digits.get(at..at + 2).map_or(99, |d| if d.iter().all(u8::is_ascii_digit) { number(d) } else { 99 })
    };
    // Women's days are more by 40.
    let day = two(9) < 99 && (1..=31).contains(&(two(9) % 40));
    let numeric = two(6) < 99 + u32::from(digits.get(6..8) == Some(b"99"))
        && digits.get(12..15).is_some_and(|d| d.iter().all(u8::is_ascii_digit));
    let place = |s: u8| if s.is_ascii_digit() { value(s) } else { value(s) - 10 };
    let sum: u32 = symbols
        .iter()
        .take(15)
        .enumerate()
        .map(|(i, s)| if i % 2 == 0 { ODD.get(place(*s) as usize).map_or(0, |v| u32::from(*v)) } else { place(*s) })
        .sum();
    day && numeric && symbols.last() == Some(&(b'A' + (sum % 26) as u8))
}

pub(super) fn is_afm(symbols: &[u8]) -> bool {
    let sum: u32 = symbols.iter().take(8).enumerate().map(|(i, s)| value(*s) << (8 - i)).sum();
    sum % 11 % 10 == digit(symbols, 8)
}
