//! The United Kingdom, Ireland and the Nordic countries.

use super::super::rules::{ELEVEN, Order, Rule, digit, number, sum};
use super::super::{Row, Type, Words, words};

static UK: Words = words!("uk gb british britain england wales scotland hmrc");
static SWEDEN: Words = words!("sweden swedish sverige svensk svenskt svenska se");
static FINLAND: Words = words!("finland finnish suomi fi");
static DENMARK: Words = words!("denmark danish danmark dansk dk");
static NORWAY: Words = words!("norway norwegian norge norsk");
static ICELAND: Words = words!("iceland icelandic");
static BELGIUM: Words = words!("belgian belgium belgie belgique belge be");
static IRELAND: Words = words!("ireland irish");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::UkNhs, &["ddd ddd dddd", "dddddddddd"], &[Rule::Mixed, Rule::Sum(&[10, 9, 8, 7, 6, 5, 4, 3, 2], 11, ELEVEN)],
        words!("nhs"), (0.25, 0.4),
    ).of(&UK),
    Row::new(
        Type::UkNino, &["ll dd dd dd l", "ll dddddd l", "lldddddd l", "ll ddddddl"],
        &[Rule::Is(|s| {
            let [a, b, .., last] = s else { return false };
            !b"DFIQUV".contains(a) && !b"DFIQUVO".contains(b) && b"ABCD".contains(last)
                && !matches!(&[*a, *b], b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ")
        })],
        words!("nino ninos nationalinsurance"), (0.6, 0.75),
    ).of(&UK),
    // Never given, and used for made-up people.
    Row::new(
        Type::UkNino, &["ZZ dd dd dd T", "ZZddddddT"], &[Rule::Mixed], words!("nino ninos ssn insurance"), (0.5, 0.55),
    ).of(&UK),
    Row::new(
        Type::UkUtr, &["ddddd ddddd", "dddddddddd", "ddddddddddK"],
        &[Rule::Mixed, Rule::Is(|s| {
            let remainder = sum(s.get(1..).unwrap_or_default(), &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
            b"21987654321".get(remainder as usize) == s.first()
        })],
        words!("utr utrs taxpayer hmrc"), (0.25, 0.3),
    ).of(&UK),
    Row::new(
        Type::UkDrivingLicence, &["uxxxx dddddd xxxuu", "uxxxx dddddd xxx uu"], &[Rule::Is(is_licence)],
        words!("dvla driving licence license driver"), (0.7, 0.8),
    ).of(&UK),
    Row::new(
        Type::IePps, &["ddddddd-l", "ddddddd-ll"], &[Rule::Is(is_pps)], words!("pps ppsn ppsno"), (0.5, 0.45),
    ).of(&IRELAND),
    Row::new(
        Type::SePersonnummer, &["dddddd-dddd", "!dddddd+dddd"], &[Rule::Date(0, Order::YmdDays), Rule::Luhn],
        words!("personnummer personnr samordningsnummer personal pnr"), (0.3, 0.6),
    ).of(&SWEDEN),
    Row::new(
        Type::SePersonnummer, &["dddddddd-dddd"],
        &[Rule::Within(0, 2, 18, 20), Rule::Date(2, Order::YmdDays), Rule::Is(|s| super::super::rules::luhn_of(s.get(2..).unwrap_or_default()))],
        words!("personnummer personnr samordningsnummer personal pnr"), (0.5, 0.7),
    ).of(&SWEDEN),
    // The third digit tells it from a birth date.
    Row::new(
        Type::SeOrganisationsnummer, &["dddddd-dddd"], &[Rule::Is(is_firm), Rule::In(2, b"23456789"), Rule::Luhn],
        words!("organisationsnummer organisationsnr organisation orgnr orgnummer org organization"), (0.2, 0.5),
    ).of(&SWEDEN),
    // That of a firm of one person is the person's.
    Row::new(
        Type::SeOrganisationsnummer, &["dddddd-dddd"], &[Rule::Mixed, Rule::Luhn],
        words!("organisationsnummer organisationsnr orgnr orgnummer org"), (0.0, 0.0),
    ).of(&SWEDEN),
    Row::new(
        Type::FiPersonalIdentityCode, &["!dddddd-dddy", "!dddddd+dddy", "ddddddudddy"],
        &[Rule::Date(0, Order::Dmy), Rule::Is(is_hetu)],
        words!("hetu henkilotunnus henkilotunnuksesi henkilotunnukseni sotu personbeteckning"), (0.85, 0.85),
    ).of(&FINLAND),
    // The check digit is no longer always right; with it, less is needed.
    Row::new(
        Type::DkCpr, &["dddddd-dddd"], &[Rule::Date(0, Order::Dmy), Rule::Zero(&[4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11)],
        words!("cpr cprnummer cprnr personnummer personnr"), (0.3, 0.55),
    ).of(&DENMARK),
    Row::new(
        Type::DkCpr, &["dddddd-dddd"], &[Rule::Date(0, Order::Dmy)],
        words!("cpr cprnummer cprnr"), (0.0, 0.35),
    ).of(&DENMARK).named(0.85),
    Row::new(
        Type::NoFnr, &["dddddd ddddd"],
        &[Rule::Date(0, Order::DmyBoth), Rule::Sum(&[3, 7, 6, 1, 8, 9, 4, 5, 2], 11, ELEVEN),
          Rule::Sum(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11, ELEVEN)],
        words!("fodselsnummer fodselsnr fnr personnummer personnr dnummer hnummer"), (0.55, 0.7),
    ).of(&NORWAY),
    Row::new(
        Type::IsKennitala, &["dddddd-dddd"],
        &[Rule::Date(0, Order::DmyDays), Rule::In(9, b"890"), Rule::Sum(&[3, 2, 7, 6, 5, 4, 3, 2], 11, b"0-987654321")],
        words!("kennitala kennitolu kt"), (0.35, 0.6),
    ).of(&ICELAND),
    Row::new(
        Type::LvPersonalCode, &["dddddd-ddddd"],
        &[Rule::Is(|s| s.starts_with(b"32") || super::super::rules::is_date(s, Order::Dmy)),
          Rule::Is(|s| s.starts_with(b"32") || (1 + sum(s, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11 % 10 == digit(s, 10))],
        words!("personas kods latvia latvian latvijas"), (0.3, 0.55),
    ),
    Row::new(
        Type::EePersonalCode, &["ddddddddddd"],
        &[Rule::In(0, b"12345678"), Rule::Date(1, Order::Ymd), Rule::Is(is_baltic)],
        words!("isikukood isikukoodi estonian estonia eesti"), (0.35, 0.35),
    ),
    Row::new(
        Type::LtPersonalCode, &["ddddddddddd"],
        &[Rule::In(0, b"12345678"), Rule::Date(1, Order::Ymd), Rule::Is(is_baltic)],
        words!("asmens lithuanian lithuania lietuvos"), (0.35, 0.35),
    ),
    Row::new(
        Type::NlBsn, &["ddd ddd ddd", "dddd.dd.ddd", "ddddddddd"],
        &[Rule::Mixed, Rule::Is(|s| (sum(s, &[9, 8, 7, 6, 5, 4, 3, 2]) + 10 * digit(s, 8)).is_multiple_of(11))],
        words!("bsn bsns burgerservicenummer burgerservicenr sofinummer sofi"), (0.2, 0.4),
    ),
    Row::new(
        Type::NlBsn, &["dddddddd"],
        &[Rule::Mixed, Rule::Is(|s| (sum(s, &[8, 7, 6, 5, 4, 3, 2]) + 10 * digit(s, 7)).is_multiple_of(11))],
        words!("bsn bsns burgerservicenummer burgerservicenr sofinummer sofi"), (0.1, 0.1),
    ),
    Row::new(
        Type::BeNn, &["dd.dd.dd-ddd.dd"], &[Rule::Is(is_belgian)],
        words!("rijksregister rijksregisternummer rijksregisternr registre national nationaal nrn nn insz niss"), (0.4, 0.7),
    ).of(&BELGIUM),
];

/// What most firms, clubs and offices start with.
fn is_firm(symbols: &[u8]) -> bool {
    matches!(symbols.get(..2).map_or(0, number), 16 | 20..=23 | 55 | 56 | 71 | 76 | 80 | 91 | 96)
}

fn is_licence(symbols: &[u8]) -> bool {
    let Some((name, rest)) = symbols.split_at_checked(5) else { return false };
    // Short names are filled up with nines.
    let letters = name.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let filled = name.iter().skip(letters).all(|b| *b == b'9');
    let month = rest.get(1..3).map_or(0, number) % 50;
    let day = rest.get(3..5).map_or(0, number);
    let initials = matches!(rest, [_, _, _, _, _, _, b'A'..=b'Z', b'A'..=b'Z' | b'9', ..]);
    filled
        && initials
        && (1..=12).contains(&month)
        && matches!(rest, [_, b'0' | b'1' | b'5' | b'6', ..])
        && (1..=31).contains(&day)
}

pub(super) fn is_pps(symbols: &[u8]) -> bool {
    let extra = if symbols.len() == 9 { digit(symbols, 8) - 9 } else { 0 };
    let all = sum(symbols, &[8, 7, 6, 5, 4, 3, 2]);
    let fits = |extra: u32| b"WABCDEFGHIJKLMNOPQRSTUV".get(((all + 9 * extra) % 23) as usize) == symbols.get(7);
    match symbols.get(8) {
        None => fits(0),
        // Of old numbers of wives, who had their husbands'.
        Some(b'W' | b'T' | b'X') => fits(0) || fits(extra),
        Some(b'A'..=b'I') => fits(extra),
        Some(_) => false,
    }
}

fn is_hetu(symbols: &[u8]) -> bool {
    let (century, rest) = match symbols.len() {
        11 => (symbols.get(6), symbols.get(7..).unwrap_or_default()),
        _ => (None, symbols.get(6..).unwrap_or_default()),
    };
    let individual = rest.get(..3).unwrap_or_default();
    let all = symbols.get(..6).map_or(0, number) * 1000 + number(individual);
    individual.iter().all(u8::is_ascii_digit)
        && number(individual) >= 2
        && century.is_none_or(|c| b"ABCDEFUVWXY".contains(c))
        && b"0123456789ABCDEFHJKLMNPRSTUVWXY".get((all % 31) as usize) == rest.get(3)
}

/// Weights 1 to 9 and 1 again; where ten is left, 3 to 9 and 1 to 3.
pub(super) fn is_baltic(symbols: &[u8]) -> bool {
    let check = match sum(symbols, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11 {
        10 => sum(symbols, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10,
        n => n,
    };
    check == digit(symbols, 10)
}

/// The last two are 97 less what the first nine leave; of those born since 2000, with a 2 before them.
fn is_belgian(symbols: &[u8]) -> bool {
    let Some((first, last)) = symbols.split_at_checked(9) else { return false };
    let (first, last) = (number(first), number(last));
    let dated = symbols.get(2..4).is_some_and(|m| number(m) % 20 <= 12);
    first > 0 && dated && (97 - first % 97 == last || 97 - (first + 2_000_000_000) % 97 == last)
}
