//! France, Austria, Switzerland, Poland, Czechia, Slovakia.

use super::super::rules::{ELEVEN, Order, PLAIN, PLAIN_OR_0, Rule, TEN, digit, long_number, number, sum};
use super::super::{Row, Type, Words, words};

static FRANCE: Words = words!("france french francais francaise fr");
static AUSTRIA: Words = words!("austria austrian osterreich osterreichische at");
static SWITZERLAND: Words = words!("swiss switzerland schweiz schweizer suisse svizzera ch");
static POLAND: Words = words!("poland polish polska polski pl");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::FrNir, &["d dd dd dd ddd ddd dd", "d dd dd dA ddd ddd dd", "d dd dd dB ddd ddd dd", "ddddddddddddd dd"],
        &[Rule::In(0, b"123478"), Rule::Is(|s| matches!(number(s.get(3..5).unwrap_or_default()), 1..=12 | 20 | 30..=42 | 50..=99)), Rule::Is(is_nir)],
        words!("securite nir insee secu sociale ssn"), (0.6, 0.8),
    ).of(&FRANCE),
    // Whatever it says of birth and place: where it is named, and the key is right.
    Row::new(
        Type::FrNir, &["d dd dd dd ddd ddd dd", "d dd dd dA ddd ddd dd", "d dd dd dB ddd ddd dd", "ddddddddddddd dd"],
        &[Rule::Is(is_nir)],
        words!("securite nir insee secu sociale ssn"), (0.3, 0.45),
    ).of(&FRANCE),
    Row::new(
        Type::FrNif, &["dd dd ddd ddd ddd", "ddddddddddddd"],
        &[Rule::In(0, b"0123"), Rule::Mixed, Rule::Is(|s| s.get(..10).map_or(0, long_number) % 511 == u64::from(s.get(10..).map_or(0, number)))],
        words!("fiscal fiscale nif spi impots impot fisc dgfip"), (0.35, 0.6),
    ).of(&FRANCE),
    Row::new(
        Type::FrSiren, &["ddd ddd ddd", "ddddddddd"], &[Rule::Mixed, Rule::Luhn],
        words!("siren rcs insee"), (0.2, 0.3),
    ),
    Row::new(
        // All offices of the post share a number, and have the sum of their digits checked.
        Type::FrSiret, &["ddd ddd ddd ddddd", "dddddddddddddd"],
        &[Rule::Mixed, Rule::Is(|s| super::super::rules::luhn_of(s) && s.get(..9).is_some_and(super::super::rules::luhn_of)
            || s.starts_with(b"356000000") && sum(s, &[1; 14]).is_multiple_of(5))],
        words!("siret etablissement insee"), (0.25, 0.5),
    ),
    Row::new(
        Type::AtVnr, &["dddd dddddd", "dddd dd dd dd"],
        &[Rule::In(0, b"123456789"), Rule::Is(|s| sum(s, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == digit(s, 3))],
        words!("svnr svnummer sv sozialversicherungsnummer sozialversicherungsnr versicherungsnummer vnr vsnr ecard"), (0.2, 0.35),
    ).of(&AUSTRIA),
    Row::new(
        Type::ChAhv, &["ddd.dddd.dddd.dd"],
        &[Rule::Within(0, 3, 756, 756), Rule::Sum(&[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3], 10, TEN)],
        words!("ahv avs ahvnummer oasi navs sozialversicherungsnummer ahvn"), (0.75, 0.9),
    ).of(&SWITZERLAND),
    Row::new(
        Type::PlPesel, &["ddddddddddd"],
        &[Rule::Date(0, Order::YmdMonths), Rule::Sum(&[1, 3, 7, 9, 1, 3, 7, 9, 1, 3], 10, TEN)],
        words!("pesel pesele"), (0.4, 0.4),
    ).of(&POLAND),
    Row::new(
        Type::PlNip, &["ddd-ddd-dd-dd", "ddd-dd-dd-ddd", "dddddddddd"],
        &[Rule::Mixed, Rule::Sum(&[6, 5, 7, 2, 3, 4, 5, 6, 7], 11, PLAIN)],
        words!("nip podatkowy podatkowej podatnika"), (0.25, 0.6),
    ).of(&POLAND),
    Row::new(
        Type::PlRegon, &["ddd-ddd-ddd", "ddddddddd"], &[Rule::Mixed, Rule::Sum(&[8, 9, 2, 3, 4, 5, 6, 7], 11, PLAIN_OR_0)],
        words!("regon"), (0.2, 0.3),
    ),
    Row::new(
        Type::PlRegon, &["dddddddddddddd", "ddd-ddd-ddd-ddddd"],
        &[Rule::Mixed, Rule::Sum(&[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8], 11, PLAIN_OR_0)],
        words!("regon"), (0.2, 0.3),
    ),
    Row::new(
        Type::CzSkBirthNumber, &["dddddd/dddd"],
        &[Rule::Date(0, Order::YmdWomen), Rule::Is(|s| {
            let (first, last) = (s.get(..9).map_or(0, number), digit(s, 9));
            first % 11 % 10 == last
        })],
        words!("rodne rodnecislo rc birth", "rodné č"), (0.4, 0.75),
    ),
    // Until 1953, without a check digit.
    Row::new(
        Type::CzSkBirthNumber, &["!dddddd/ddd"], &[Rule::Date(0, Order::YmdWomen), Rule::Within(0, 2, 0, 53)],
        words!("rodne rodnecislo rc birth"), (0.0, 0.4),
    ).named(0.8),
    Row::new(
        Type::ChUid, &["CHE-ddd.ddd.ddd"],
        &[Rule::Is(|s| {
            let digits = s.get(3..).unwrap_or_default();
            ELEVEN.get((sum(digits, &[5, 4, 3, 2, 7, 6, 5, 4]) % 11) as usize) == digits.last()
        })],
        words!("uid mwst tva iva ide handelsregister"), (0.8, 0.9),
    ).of(&SWITZERLAND),
];

/// Thirteen symbols and 97 less what they leave; in Corsica 2A and 2B stand for 19 and 18.
fn is_nir(symbols: &[u8]) -> bool {
    let mut digits = [b'0'; 15];
    digits.iter_mut().zip(symbols).for_each(|(slot, s)| *slot = *s);
    if let [_, _, _, _, _, tens @ b'2', letter @ (b'A' | b'B'), ..] = &mut digits {
        (*tens, *letter) = (b'1', if *letter == b'A' { b'9' } else { b'8' });
    }
    let Some((number, key)) = digits.split_at_checked(13) else { return false };
    digits.iter().all(u8::is_ascii_digit)
        && long_number(number) > 0
        && 97 - long_number(number) % 97 == long_number(key)
}
