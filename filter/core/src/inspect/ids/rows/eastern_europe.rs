//! Romania, Bulgaria, Croatia, Slovenia and the states around, Russia, Ukraine.

use super::super::rules::{ELEVEN_OR_0, Order, Rule, digit, number, sum, value};
use super::super::{Row, Type, Words, words};

static ROMANIA: Words = words!("romania romanian romana ro");
static BULGARIA: Words = words!("bulgaria bulgarian", "българ");
static CROATIA: Words = words!("croatia croatian hrvatska hrvatski hr");
static RUSSIA: Words = words!("russia russian", "росси" "Росси" "РФ");

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::RoCnp, &["ddddddddddddd"],
        &[Rule::In(0, b"123456789"), Rule::Date(1, Order::Ymd),
          Rule::Is(|s| matches!(number(s.get(7..9).unwrap_or_default()), 1..=48 | 51 | 52 | 70 | 80..=83)),
          Rule::Sum(&[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9], 11, b"01234567891")],
        words!("cnp cnpul numeric"), (0.4, 0.4),
    ).of(&ROMANIA),
    Row::new(
        Type::BgEgn, &["dddddddddd"],
        &[Rule::Date(0, Order::YmdMonths), Rule::Sum(&[2, 4, 8, 5, 10, 9, 7, 3, 6], 11, b"01234567890")],
        words!("egn", "ЕГН" "егн"), (0.3, 0.3),
    ).of(&BULGARIA),
    Row::new(Type::HrOib, &["ddddddddddd"], &[Rule::Mixed, Rule::Mod1110], words!("oib"), (0.25, 0.25)).of(&CROATIA),
    Row::new(
        Type::SiEmso, &["ddddddddddddd"],
        &[Rule::Date(0, Order::Dmyyy), Rule::Is(|s| {
            let remainder = sum(s, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
            (11 - remainder) % 11 % 10 == digit(s, 12)
        })],
        words!("emso jmbg maticna maticni", "ЈМБГ" "јмбг" "ЕМБГ"), (0.45, 0.45),
    ),
    // Of any year, where it is named.
    Row::new(
        Type::SiEmso, &["ddddddddddddd"],
        &[Rule::Date(0, Order::Dmy), Rule::Sum(&[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11, ELEVEN_OR_0)],
        words!("emso jmbg maticna maticni", "ЈМБГ" "јмбг" "ЕМБГ"), (0.0, 0.0),
    ),
    Row::new(
        Type::RuInn, &["dddddddddd"], &[Rule::Mixed, Rule::Is(|s| sum(s, &[2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == digit(s, 9))],
        words!("inn", "ИНН" "инн" "Инн"), (0.2, 0.2),
    ).of(&RUSSIA),
    Row::new(
        Type::RuInn, &["dddddddddddd"],
        &[Rule::Mixed, Rule::Is(|s| sum(s, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == digit(s, 10)
            && sum(s, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10 == digit(s, 11))],
        words!("inn", "ИНН" "инн" "Инн"), (0.35, 0.35),
    ).of(&RUSSIA),
    Row::new(
        Type::RuSnils, &["ddd-ddd-ddd dd"], &[Rule::Mixed, Rule::Is(|s| {
            let sum: u32 = s.iter().take(9).zip((1..=9u32).rev()).map(|(s, w)| value(*s) * w).sum();
            s.get(9..).map_or(0, number) == sum % 101 % 100
        })],
        words!("snils", "СНИЛС" "снилс" "Снилс"), (0.35, 0.7),
    ).of(&RUSSIA),
    Row::new(
        Type::UaRntrc, &["dddddddddd"],
        // -1 is 10, modulo 11.
        &[Rule::Mixed, Rule::Is(|s| sum(s, &[10, 5, 7, 9, 4, 6, 10, 5, 7]) % 11 % 10 == digit(s, 9))],
        words!("rntrc rnokpp ipn drfo", "РНОКПП" "рнокпп" "ІПН" "іпн" "ИНН" "ідентифікаційний" "Ідентифікаційний" "ДРФО"), (0.2, 0.2),
    ),
];
