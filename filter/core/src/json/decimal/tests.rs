use std::cmp::Ordering;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use proptest::prelude::*;

use super::{Decimal, NotFinite, integer_digits};

fn decimal(lexeme: &str) -> Decimal {
    Decimal::parse(lexeme).unwrap_or_else(|| panic!("{lexeme}"))
}

#[test]
fn equal_values_however_written() {
    let groups: &[&[&str]] = &[
        &["0", "-0", "0.0", "-0.000", "0e5", "0E-999999999999999999999999", "-0.0e+7"],
        &[
            "1000000000",
            "1e9",
            "1000000000.0",
            "1E+9",
            "0.1e10",
            "0.000001e15",
            "10000000000e-1",
            "1e0000000000000000000009",
        ],
        &["18446744073709551616", "1.8446744073709551616e19", "184467440737095516160e-1"],
        &["-4096", "-4096.0", "-4.096e3"],
        &["0.1", "1e-1", "0.10", "10e-2"],
        &["100.0", "100", "1e2"],
        &["123456789012345678901234567890", "12345678901234567890123456789e1", "123456789012345678901234567890.0"],
    ];
    for group in groups {
        for a in *group {
            for b in *group {
                assert_eq!(decimal(a).cmp(&decimal(b)), Ordering::Equal, "{a} {b}");
                assert_eq!(decimal(a), decimal(b));
            }
        }
    }
}

#[test]
fn strictly_ascending() {
    let ascending = [
        "-1e999999999",
        "-18446744073709551617",
        "-18446744073709551616",
        "-2",
        "-1.5",
        "-1.05",
        "-1",
        "-1e-999999999",
        "0",
        "1e-99999999999999999",
        "1e-999999999",
        "0.09999999999999999999999999999999",
        "0.1",
        "0.10000000000000000000000000000001",
        "0.5",
        "0.99999999999999999999999999999999",
        "1",
        "1.00000000000000000000000000000001",
        "9",
        "10",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "1e999999998",
        "1e999999999",
        "1.1e999999999",
        "1e99999999999999999",
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(decimal(a).cmp(&decimal(b)), i.cmp(&j), "{a} {b}");
        }
    }
}

#[test]
fn only_json_numbers_are_read() {
    for lexeme in [
        "",
        "-",
        "+1",
        ".5",
        "1.",
        "1.e3",
        "1e",
        "1e+",
        "1e-",
        "01",
        "-01",
        "00.5",
        "1e1.5",
        "0x10",
        "1_000",
        " 1",
        "1 ",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e1e1",
        "1.2.3",
        "--1",
        "١",
        "1e٣",
        "1e100000000000000000",
        "1e-100000000000000000",
    ] {
        assert_eq!(Decimal::parse(lexeme), None, "{lexeme}");
    }
}

#[test]
fn integers_and_floats_convert_exactly() {
    for value in [0, 1, -1, 10, 100, -4096, 9_007_199_254_740_993, i64::MAX, i64::MIN, i64::MIN + 1] {
        assert_eq!(Decimal::from(value), decimal(&value.to_string()));
    }
    let floats = [
        (0.1, "0.1"),
        (-0.0, "0"),
        (1e9, "1000000000"),
        (4096.0, "4096"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e308"),
    ];
    for (value, lexeme) in floats {
        assert_eq!(Decimal::try_from(value), Ok(decimal(lexeme)));
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(Decimal::try_from(value), Err(NotFinite));
    }
}

#[test]
fn integral_values_as_digits() {
    let cases: &[(&str, usize, Option<&str>)] = &[
        ("4.111e3", 19, Some("4111")),
        ("4111", 4, Some("4111")),
        ("4111", 3, None),
        ("-4111.000", 19, Some("4111")),
        ("41110e-1", 19, Some("4111")),
        ("4111.5", 19, None),
        ("4.111e2", 19, None),
        ("0", 19, Some("0")),
        ("-0.0", 19, Some("0")),
        ("0", 0, None),
        ("0.1", 19, None),
        ("1e-1", 19, None),
        ("4e15", 16, Some("4000000000000000")),
        ("4e15", 15, None),
        ("1e999999999", 19, None),
        ("1e999999999", 1000, None),
        ("0.0000041111111111111111e22", 19, Some("41111111111111111")),
        ("4111111111111111.0", 19, Some("4111111111111111")),
        ("01", 19, None),
    ];
    for &(lexeme, max, digits) in cases {
        assert_eq!(integer_digits(lexeme, max).as_deref(), digits, "{lexeme} {max}");
    }
}

#[test]
fn integrality() {
    for lexeme in ["0", "-0.0", "100.0", "1.5e1", "1e999999999", "12345678901234567890123456789012345678900e-2"] {
        assert!(decimal(lexeme).is_integer(), "{lexeme}");
    }
    for lexeme in ["0.5", "1e-1", "1.55e1", "12345678901234567890123456789012345678900e-3", "-1e-999999999"] {
        assert!(!decimal(lexeme).is_integer(), "{lexeme}");
    }
}

fn lexeme() -> impl Strategy<Value = String> {
    (
        "-?(0|[1-9][0-9]{0,30})",
        prop::option::of("\\.[0-9]{1,30}|\\.0{1,5}[0-9]{0,4}"),
        prop::option::of("[eE][+-]?[0-9]{1,2}"),
    )
        .prop_map(|(integer, fraction, exponent)| {
            [integer, fraction.unwrap_or_default(), exponent.unwrap_or_default()].concat()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn orders_as_bigdecimal_does(a in lexeme(), b in lexeme()) {
        let (x, y) = (BigDecimal::from_str(&a).unwrap(), BigDecimal::from_str(&b).unwrap());
        prop_assert_eq!(decimal(&a).cmp(&decimal(&b)), x.cmp(&y));
        prop_assert_eq!(decimal(&a).is_integer(), x.is_integer());
    }

    /// The same value with its point moved, and one digit's difference in the last place.
    #[test]
    fn moved_points_and_last_places(digits in "[1-9][0-9]{0,40}", shift in 0..60_usize, move_by in -30..30_i32) {
        let exponent = -i64::try_from(shift).unwrap();
        let a = decimal(&format!("{digits}e{exponent}"));
        let moved = if move_by >= 0 {
            format!("{digits}{}e{}", "0".repeat(move_by as usize), exponent - i64::from(move_by))
        } else {
            format!("0.{}{digits}e{}", "0".repeat(-move_by as usize), exponent + (digits.len() as i64) - i64::from(move_by))
        };
        prop_assert_eq!(a.cmp(&decimal(&moved)), Ordering::Equal);
        let longer = decimal(&format!("{digits}1e{}", exponent - 1));
        prop_assert!(a < longer);
        prop_assert_eq!(decimal(&format!("-{digits}")).cmp(&decimal(&digits)), Ordering::Less);
    }

    #[test]
    fn integer_digits_as_bigdecimal_has_them(lexeme in lexeme()) {
        let value = BigDecimal::from_str(&lexeme).unwrap();
        let expected = value.is_integer().then(|| value.abs().with_scale(0).to_plain_string()).filter(|digits| digits.len() <= 40);
        prop_assert_eq!(integer_digits(&lexeme, 40), expected);
    }

    #[test]
    fn any_i64_and_f64(integer in any::<i64>(), float in any::<f64>()) {
        prop_assert_eq!(Decimal::from(integer), decimal(&integer.to_string()));
        if float.is_finite() {
            prop_assert_eq!(Decimal::try_from(float), Ok(decimal(&format!("{float}"))));
        }
    }
}
