//! Check rules over the symbols of an identifier: digits and upper-case letters, without separators.

use super::super::checks::{luhn, mod97};

/// One condition; a row's all have to hold.
pub(in super::super) enum Rule {
    /// The first symbols times these weights; what the sum leaves, divided by the second, says which of the third stands
    /// behind them. `-` there: no number has this remainder.
    Sum(&'static [u8], u32, &'static [u8]),
    /// The same over all symbols; it leaves nothing.
    Zero(&'static [u8], u32),
    Luhn,
    /// ISO 7064, hybrid system 11,10.
    Mod1110,
    /// ISO 7064, 11-2.
    Mod112,
    /// ISO 7064, 97-10, over letters too.
    Mod97,
    Verhoeff,
    /// A day stands at this place.
    Date(usize, Order),
    /// The symbol at this place is one of these.
    In(usize, &'static [u8]),
    /// The two or three digits from a place on are a number within these bounds.
    Within(usize, usize, u32, u32),
    /// Not one symbol over and over.
    Mixed,
    Is(fn(&[u8]) -> bool),
}

/// How a date is written, and what states add to its parts to tell people apart.
#[derive(Clone, Copy)]
pub(in super::super) enum Order {
    /// Year, month, day: two digits each.
    Ymd,
    Dmy,
    /// The year in four.
    Yyyymmdd,
    /// The year in three, without the thousands.
    Dmyyy,
    /// The month may be more by 20, 40, 60 or 80.
    YmdMonths,
    /// The month may be more by 20, 50 or 70.
    YmdWomen,
    /// The day may be more by 60.
    YmdDays,
    /// The day may be more by 40.
    DmyDays,
    /// Day and month may be more by 40, the month also by 80.
    DmyBoth,
}

/// The remainder `r` stands for `11 - r`, and 10 for nothing.
pub(super) const ELEVEN: &[u8] = b"0-987654321";
/// The same; 10 stands for 0.
pub(super) const ELEVEN_OR_0: &[u8] = b"00987654321";
/// The remainder itself.
pub(super) const PLAIN: &[u8] = b"0123456789-";
pub(super) const PLAIN_OR_0: &[u8] = b"01234567890";
/// What is missing to ten.
pub(super) const TEN: &[u8] = b"0987654321";

pub(super) fn holds(rule: &Rule, symbols: &[u8]) -> bool {
    super::super::work::add(symbols.len());
    match rule {
        Rule::Sum(weights, modulus, results) => {
            symbols.get(weights.len()).is_some()
                && symbols.get(weights.len()) == result(symbols, weights, *modulus, results)
        }
        Rule::Zero(weights, modulus) => sum(symbols, weights).is_multiple_of(*modulus),
        Rule::Luhn => luhn_of(symbols),
        Rule::Mod1110 => mod11_10(symbols),
        Rule::Mod112 => {
            let sum = symbols.iter().fold(0, |n, s| (n * 2 + if *s == b'X' { 10 } else { value(*s) }) % 11);
            sum == 1
        }
        Rule::Mod97 => mod97(symbols.iter().copied()) == 1,
        Rule::Verhoeff => verhoeff(symbols),
        Rule::Date(at, order) => symbols.get(*at..).is_some_and(|rest| is_date(rest, *order)),
        Rule::In(at, set) => symbols.get(*at).is_some_and(|s| set.contains(s)),
        Rule::Within(at, length, least, most) => {
            symbols.get(*at..at + length).is_some_and(|digits| (*least..=*most).contains(&number(digits)))
        }
        Rule::Mixed => symbols.iter().any(|s| Some(s) != symbols.first()),
        Rule::Is(check) => check(symbols),
    }
}

/// 0 to 9, then A = 10.
pub(super) fn value(symbol: u8) -> u32 {
    match symbol {
        b'0'..=b'9' => u32::from(symbol - b'0'),
        _ => u32::from(symbol.saturating_sub(b'A')) + 10,
    }
}

pub(super) fn digit(symbols: &[u8], at: usize) -> u32 {
    symbols.get(at).map_or(0, |s| value(*s))
}

pub(super) fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0u32, |n, d| n.wrapping_mul(10).wrapping_add(value(*d)))
}

pub(super) fn long_number(digits: &[u8]) -> u64 {
    digits.iter().fold(0u64, |n, d| n.wrapping_mul(10).wrapping_add(u64::from(value(*d))))
}

pub(super) fn sum(symbols: &[u8], weights: &[u8]) -> u32 {
    symbols.iter().zip(weights).map(|(s, w)| value(*s) * u32::from(*w)).sum()
}

fn result<'r>(symbols: &[u8], weights: &[u8], modulus: u32, results: &'r [u8]) -> Option<&'r u8> {
    results.get((sum(symbols, weights) % modulus) as usize)
}

/// The sum of the digits of the products.
pub(super) fn cross_sum(symbols: &[u8], weights: &[u8]) -> u32 {
    symbols.iter().zip(weights).map(|(s, w)| value(*s) * u32::from(*w)).map(|p| p / 10 + p % 10).sum()
}

pub(super) fn luhn_of(symbols: &[u8]) -> bool {
    let mut values = [0u8; 24];
    let Some(slots) = values.get_mut(..symbols.len()) else { return false };
    slots.iter_mut().zip(symbols).for_each(|(slot, s)| *slot = value(*s) as u8);
    luhn(slots)
}

pub(in super::super) fn mod11_10(symbols: &[u8]) -> bool {
    let Some((last, digits)) = symbols.split_last() else { return false };
    let product = digits.iter().fold(10, |product, d| match (product + value(*d)) % 10 {
        0 => 20 % 11,
        sum => sum * 2 % 11,
    });
    (11 - product) % 10 == value(*last)
}

/// Over the dihedral group of order ten.
pub(in super::super) fn verhoeff(symbols: &[u8]) -> bool {
    const TIMES: &[&[u8; 10]; 10] = &[
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        &[1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        &[2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        &[3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        &[4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        &[5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        &[6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        &[7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        &[8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        &[9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const STEP: &[u8; 10] = &[1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let at = |row: u32, column: u32| {
        TIMES.get(row as usize).and_then(|r| r.get(column as usize)).map_or(0, |v| u32::from(*v))
    };
    let total = symbols.iter().rev().enumerate().fold(0, |total, (i, s)| {
        let permuted = (0..i % 8).fold(value(*s), |v, _| STEP.get(v as usize).map_or(0, |p| u32::from(*p)));
        at(total, permuted)
    });
    total == 0 && !symbols.is_empty()
}

/// Whether a day of some century stands at the start.
pub(super) fn is_date(symbols: &[u8], order: Order) -> bool {
    let two = |at: usize| symbols.get(at..at + 2).map_or(99, number);
    let (year, month, day) = match order {
        Order::Ymd | Order::YmdMonths | Order::YmdWomen | Order::YmdDays => (two(0), two(2), two(4)),
        Order::Dmy | Order::DmyDays | Order::DmyBoth | Order::Dmyyy => (two(4), two(2), two(0)),
        Order::Yyyymmdd => (symbols.get(..4).map_or(0, number), two(4), two(6)),
    };
    let month = match order {
        Order::YmdMonths if month > 20 => month % 20,
        Order::YmdWomen if month > 70 => month - 70,
        Order::YmdWomen if month > 50 => month - 50,
        Order::YmdWomen if month > 20 => month - 20,
        Order::DmyBoth if month > 80 => month - 80,
        Order::DmyBoth if month > 40 => month - 40,
        _ => month,
    };
    let day = match order {
        Order::YmdDays if day > 60 => day - 60,
        Order::DmyDays | Order::DmyBoth if day > 40 => day - 40,
        _ => day,
    };
    let days = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let year = match order {
        Order::Yyyymmdd => (1850..2100).contains(&year),
        Order::Dmyyy => matches!(symbols.get(4), Some(b'0' | b'9')),
        _ => true,
    };
    year && (1..=days).contains(&day)
}
