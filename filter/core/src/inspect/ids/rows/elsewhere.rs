//! Australia, Africa, the Middle East and Turkey.

use super::super::rules::{Order, Rule, TEN, digit, sum};
use super::super::{Row, Type, Words, words};

static AUSTRALIA: Words = words!("australia australian ato au");
static SOUTH_AFRICA: Words = words!("south african africa za rsa sa");
static ISRAEL: Words = words!("israel israeli il", "ישראל");
static TURKEY: Words = words!("turkey turkish turkiye turk tr");
static NIGERIA: Words = words!("nigeria nigerian nimc ng");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::AuTfn, &["ddd ddd ddd", "ddddddddd"], &[Rule::Mixed, Rule::Zero(&[1, 4, 3, 7, 5, 8, 6, 9, 10], 11)],
        words!("tfn tfns"), (0.2, 0.35),
    ).of(&AUSTRALIA),
    Row::new(
        Type::AuTfn, &["dddddddd"], &[Rule::Mixed, Rule::Zero(&[10, 7, 8, 4, 6, 3, 5, 1], 11)], words!("tfn tfns"), (0.1, 0.1),
    ),
    Row::new(
        Type::AuAbn, &["dd ddd ddd ddd", "ddddddddddd"],
        // The first digit counts one less.
        &[Rule::In(0, b"123456789"), Rule::Is(|s| (sum(s, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) + 79).is_multiple_of(89))],
        words!("abn abns"), (0.5, 0.6),
    ).of(&AUSTRALIA),
    Row::new(
        Type::AuAcn, &["ddd ddd ddd", "ddddddddd"], &[Rule::Mixed, Rule::Sum(&[8, 7, 6, 5, 4, 3, 2, 1], 10, TEN)],
        words!("acn acns"), (0.2, 0.35),
    ).of(&AUSTRALIA),
    Row::new(
        Type::AuMedicare, &["dddd ddddd d", "dddd ddddd d/d", "dddddddddd", "ddddddddddd"],
        &[Rule::In(0, b"23456"), Rule::Sum(&[1, 3, 7, 9, 1, 3, 7, 9], 10, b"0123456789")],
        words!("medicare"), (0.25, 0.45),
    ).of(&AUSTRALIA),
    Row::new(
        Type::ZaIdNumber, &["dddddd dddd dd d", "dddddd ddddddd", "ddddddddddddd"],
        &[Rule::Date(0, Order::Ymd), Rule::In(10, b"012"), Rule::Luhn],
        words!("rsa said saids"), (0.4, 0.7),
    ).of(&SOUTH_AFRICA),
    Row::new(
        Type::IlId, &["dddddddd-d"], &[Rule::Mixed, Rule::Luhn],
        words!("teudat zehut tz mispar", "תעודת" "זהות" "ת.ז" "ת״ז"), (0.2, 0.35),
    ).of(&ISRAEL),
    Row::new(
        Type::TrNationalId, &["ddddddddddd", "ddd ddd ddd dd"],
        &[Rule::In(0, b"123456789"), Rule::Is(|s| {
            let all: u32 = sum(s, &[1; 10]) % 10;
            let tenth = (10 - sum(s, &[3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10) % 10;
            tenth == digit(s, 9) && all == digit(s, 10)
        })],
        words!("tc tckn kimlik tckno vatandaslik"), (0.5, 0.5),
    ).of(&TURKEY),
    Row::new(Type::NgNin, &["ddddddddddd", "dddd ddd dddd"], &[Rule::Mixed], words!("nin nimc"), (0.0, 0.1)).of(&NIGERIA).named(0.8),
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_modulus_of_an_abn_is_that_of_its_first_digit_less_one() {
        assert_eq!((super::sum(b"51824753556", &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89, 0);
    }
}
