//! What a plain YAML scalar means, as Envoy reads it.
//!
//! Envoy reads YAML through yaml-cpp: quoted text is text, and plain text is a boolean, a number or text in the
//! manner of YAML 1.1 (`no` is false, `010` is eight). A policy must mean the same here as it will mean there.

use doorward_core::config::Tree;

/// The value of a plain (unquoted) scalar.
pub fn plain(text: &str) -> Tree {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Tree::Null;
    }
    if let Some(truth) = boolean(text) {
        return Tree::Bool(truth);
    }
    if let Some(whole) = integer(text) {
        // A Struct's number is a double, so Envoy keeps only small whole numbers and makes text of the others.
        return match i32::try_from(whole) {
            Ok(_) => Tree::Integer(whole),
            Err(_) => Tree::String(whole.to_string()),
        };
    }
    match double(text) {
        Some(number) => Tree::from(number),
        None => Tree::String(text.to_owned()),
    }
}

fn boolean(text: &str) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    let mut title = lower.clone();
    title.get_mut(..1)?.make_ascii_uppercase();
    if text != lower && text != title && text != text.to_ascii_uppercase() {
        return None;
    }
    match lower.as_str() {
        "y" | "yes" | "true" | "on" => Some(true),
        "n" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => (16, hex),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if negative { -value } else { value }).ok()
}

fn double(text: &str) -> Option<f64> {
    // Rust also reads words such as `infinity`.
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    text.parse::<f64>().ok().filter(|number| numeric && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_envoy_does() {
        let text = |s: &str| Tree::String(s.to_owned());
        for (scalar, value) in [
            ("", Tree::Null),
            ("~", Tree::Null),
            ("Null", Tree::Null),
            ("nUll", text("nUll")),
            ("yes", Tree::Bool(true)),
            ("Off", Tree::Bool(false)),
            ("N", Tree::Bool(false)),
            ("oFF", text("oFF")),
            ("42", Tree::Integer(42)),
            ("-7", Tree::Integer(-7)),
            ("+7", Tree::Integer(7)),
            ("0x1F", Tree::Integer(31)),
            ("010", Tree::Integer(8)),
            ("08", Tree::Integer(8)),
            ("2147483648", text("2147483648")),
            ("0x100000000", text("4294967296")),
            ("2.50", Tree::Float(2.5)),
            ("1e3", Tree::Integer(1000)),
            (".5", Tree::Float(0.5)),
            ("1_000", text("1_000")),
            ("inf", text("inf")),
            (".inf", text(".inf")),
            ("1e999", text("1e999")),
            ("5m", text("5m")),
            ("-", text("-")),
            ("é", text("é")),
            ("gpt-4o", text("gpt-4o")),
        ] {
            assert_eq!(plain(scalar), value, "{scalar}");
        }
    }
}
