//! Germany: taxes, pensions, health, papers.

use super::super::rules::{Rule, cross_sum, digit, number, sum, value};
use super::super::{Row, Type, Words, words};

static GERMANY: Words = words!("german germany deutsch deutsche deutscher deutschen deutschland de");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::DeTaxId, &["dd ddd ddd ddd", "dd/ddd/ddd/ddd", "ddddddddddd"],
        &[Rule::In(0, b"123456789"), Rule::Is(repeats), Rule::Mod1110],
        words!("steuer steuerid idnr steueridnr steueridentifikationsnummer steueridentifikationsnr identifikationsnummer stid"), (0.35, 0.5),
    ).of(&GERMANY),
    Row::new(
        Type::DeTaxNumber, &["!dd/ddd/ddddd", "!ddd/ddd/ddddd", "!ddd/dddd/dddd"], &[],
        words!("steuernummer steuernr stnr steuer finanzamt taxnumber st"), (0.0, 0.4),
    ).of(&GERMANY),
    Row::new(
        Type::DeTaxNumber, &["dddddddddd", "ddddddddddd", "ddd ddd ddddd", "dd ddd ddddd"], &[],
        words!("steuernummer steuernr stnr finanzamt taxnumber"), (0.0, 0.1),
    ).named(0.7),
    // The form in which it is sent: the office of the state, a nought, and the rest.
    Row::new(
        Type::DeTaxNumber, &["ddddddddddddd"],
        &[Rule::In(4, b"0"), Rule::Is(|s| matches!(number(s.get(..2).unwrap_or_default()), 10 | 11 | 21..=24 | 26..=28 | 30..=32 | 40 | 41 | 51..=56))],
        words!("steuernummer steuernr stnr steuer finanzamt taxnumber elster"), (0.2, 0.2),
    ).of(&GERMANY),
    Row::new(
        Type::DeSocialSecurity, &["dd dddddd l ddd"],
        &[Rule::Is(is_pension)],
        words!("rentenversicherung rentenversicherungsnummer rvnr vsnr versicherungsnummer sozialversicherung \
                sozialversicherungsnummer sv svnr sozialversicherungsausweis"), (0.75, 0.8),
    ).of(&GERMANY),
    Row::new(
        // `eGK` is cut where its case turns.
        Type::DeHealthInsurance, &["u ddd ddd ddd", "uddddddddd"],
        &[Rule::Is(|s| {
            let letter = s.first().map_or(0, |b| value(*b) - 9);
            let first = letter / 10 + cross_sum(&[b'0' + (letter % 10) as u8], &[2]);
            let digits = s.get(1..).unwrap_or_default();
            let mixed = digits.iter().any(|d| Some(d) != digits.first());
            mixed && (first + cross_sum(digits, &[1, 2, 1, 2, 1, 2, 1, 2])) % 10 == digit(s, 9)
        })],
        words!("krankenversicherung krankenkasse kvnr krankenversichertennummer krankenversicherungsnummer \
                versichertennummer versichertennr gesundheitskarte egk gk versicherten versicherter kvnummer"), (0.45, 0.5),
    ).of(&GERMANY),
    // Nine symbols and their check digit.
    Row::new(
        Type::DeIdCard, &["uxxxxxxxxd"], &[Rule::In(0, b"LMNPRTVWXY"), Rule::Is(is_document)],
        words!("personalausweis personalausweisnummer ausweis ausweisnummer ausweisnr perso identitatskarte"), (0.5, 0.5),
    ).of(&GERMANY),
    Row::new(
        Type::DeIdCard, &["xxxxxxxxx"], &[Rule::In(0, b"LMNPRTVWXYT"), Rule::Is(of_document), Rule::Is(has_digits)],
        words!("personalausweis personalausweisnummer personalausweisnr ausweis ausweisnummer ausweisnr perso"), (0.0, 0.0),
    ).named(0.8),
    Row::new(
        Type::DePassport, &["uxxxxxxxxd"], &[Rule::In(0, b"CFGHJK"), Rule::Is(is_document)],
        words!("reisepass reisepassnummer reisepassnr pass passnummer passnr passport"), (0.5, 0.5),
    ).of(&GERMANY),
    Row::new(
        Type::DePassport, &["xxxxxxxxx"], &[Rule::In(0, b"CFGHJKL"), Rule::Is(of_document), Rule::Is(has_digits)],
        words!("reisepass reisepassnummer reisepassnr passnummer passnr pass"), (0.0, 0.0),
    ).of(&GERMANY).named(0.8),
    Row::new(
        Type::DeLanr, &["ddddddddd"],
        &[Rule::Is(|s| (10 - sum(s, &[4, 9, 4, 9, 4, 9]) % 10) % 10 == digit(s, 6)), Rule::Mixed, Rule::Within(7, 2, 1, 99)],
        words!("lanr arztnummer arztnr vertragsarzt lebenslange"), (0.2, 0.2),
    ),
    // The association's number, then the practice's; nothing is checked.
    Row::new(
        Type::DeBsnr, &["ddddddddd"], &[],
        words!("bsnr betriebsstattennummer betriebsstatte betriebsstattennr nbsnr"), (0.0, 0.0),
    ).named(0.8),
];

/// Of the first ten digits, one stands there twice or three times, and not thrice in a row.
fn repeats(symbols: &[u8]) -> bool {
    let ten = symbols.get(..10).unwrap_or_default();
    let count = |d: u8| ten.iter().filter(|s| **s == d).count();
    let (mut repeated, mut most) = (0, 0);
    for d in b'0'..=b'9' {
        let n = count(d);
        repeated += usize::from(n > 1);
        most = most.max(n);
    }
    repeated == 1 && most <= 3 && !ten.windows(3).any(|w| w.first() == w.get(1) && w.get(1) == w.get(2))
}

/// Office, birth date, initial, serial number, check digit.
fn is_pension(symbols: &[u8]) -> bool {
    let mut digits = [b'0'; 13];
    let (Some(head), Some(letter), Some(tail)) = (symbols.get(..8), symbols.get(8), symbols.get(9..12)) else {
        return false;
    };
    let place = value(*letter) - 9;
    let pair = [b'0' + (place / 10) as u8, b'0' + (place % 10) as u8];
    digits.iter_mut().zip(head.iter().chain(&pair).chain(tail)).for_each(|(slot, d)| *slot = *d);
    // The day is more by 50 where a number had to be given again.
    let (day, month) = (head.get(2..4).map_or(0, number) % 50, head.get(4..6).map_or(0, number));
    (1..=31).contains(&day)
        && month <= 12
        && cross_sum(&digits, &[2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 == digit(&digits, 12)
}

/// Letters that cannot be taken for vowels or figures.
fn of_document(symbols: &[u8]) -> bool {
    symbols.iter().all(|b| b"0123456789CFGHJKLMNPRTVWXYZ".contains(b))
}

fn has_digits(symbols: &[u8]) -> bool {
    symbols.iter().filter(|b| b.is_ascii_digit()).count() >= 3
}

fn is_document(symbols: &[u8]) -> bool {
    of_document(symbols) && has_digits(symbols) && sum(symbols, &[7, 3, 1, 7, 3, 1, 7, 3, 1]) % 10 == digit(symbols, 9)
}
