//! Devices, subscribers and vehicles.

use super::super::rules::{Rule, value};
use super::super::{Row, Type, words};

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    Row::new(
        Type::Imei, &["dd-dddddd-dddddd-d", "dddddd-dd-dddddd-d", "ddddddddddddddd"], &[Rule::Mixed, Rule::Luhn],
        words!("imei imeis meid device", "手机串号"), (0.3, 0.65),
    ),
    Row::new(
        Type::Imsi, &["ddddddddddddddd", "dddddddddddddd"], &[Rule::In(0, b"234567"), Rule::Mixed],
        words!("imsi imsis subscriber"), (0.0, 0.0),
    ).named(0.85),
    Row::new(
        Type::Vin, &["xxxxxxxxxxxxxxxxx"], &[Rule::Is(of_vehicle), Rule::Is(is_vin)],
        words!("vin vins chassis vehicle fahrgestellnummer fin fahrgestell bastidor telaio", "车架号"), (0.6, 0.6),
    ),
    // Only North America and China demand the check digit.
    Row::new(
        Type::Vin, &["xxxxxxxxxxxxxxxxx"], &[Rule::Is(of_vehicle)],
        words!("vin vins chassis fahrgestellnummer fin fahrgestell bastidor telaio", "车架号"), (0.2, 0.2),
    ).named(0.8),
];

/// No letter that looks like a figure, and the last four are figures.
fn of_vehicle(symbols: &[u8]) -> bool {
    let letters = symbols.iter().filter(|s| s.is_ascii_alphabetic()).count();
    letters >= 2
        && !symbols.iter().any(|s| b"IOQ".contains(s))
        && symbols.get(13..).is_some_and(|serial| serial.iter().all(u8::is_ascii_digit))
}

/// ISO 3779, with the check digit of 49 CFR 565.
fn is_vin(symbols: &[u8]) -> bool {
    const WEIGHTS: &[u32; 17] = &[8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    const LETTERS: &[u8; 26] = &[1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9];
    let of = |s: u8| match s {
        b'0'..=b'9' => value(s),
        _ => LETTERS.get(value(s) as usize - 10).map_or(0, |v| u32::from(*v)),
    };
    let total: u32 = symbols.iter().zip(WEIGHTS).map(|(s, w)| of(*s) * w).sum();
    b"0123456789X".get((total % 11) as usize) == symbols.get(8)
}
