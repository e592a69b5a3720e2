//! Values as people read them. Names in logs are chosen by whoever is logged.

/// A record's text: percent-encoded characters as they were, what a page or a terminal would obey or hide as its code.
pub fn text(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let decoded = match (byte, after) {
            (b'%', [high, low, more @ ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| (high << 4 | low, more)),
            _ => None,
        };
        let (byte, after) = decoded.unwrap_or((byte, after));
        bytes.push(byte);
        rest = after;
    }
    let decoded = String::from_utf8(bytes).unwrap_or_else(|_| value.to_owned());
    let mut out = String::with_capacity(decoded.len());
    for c in decoded.chars() {
        if c.is_control() || hides(c) {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Characters that turn text around, or have no width.
fn hides(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.23 M`: three digits that count.
pub fn compact(number: f64) -> String {
    let (mut value, mut unit) = (number, "");
    for next in [" K", " M", " G", " T"] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    let text = match value {
        v if v >= 99.95 || (unit.is_empty() && v.fract() == 0.0) => format!("{v:.0}"),
        v if v >= 9.995 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// An amount of money with two digits behind the point, or three that count where it is small.
pub fn money(amount: &str) -> String {
    let value: f64 = amount.parse().unwrap_or(0.0);
    let (whole, cents) = if value >= 0.995 || value == 0.0 {
        let text = format!("{value:.2}");
        let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
        (whole.parse().unwrap_or(0), cents.to_owned())
    } else {
        let places = usize::try_from((2 - value.log10().floor() as i64).clamp(2, 9)).unwrap_or(9);
        (0, format!("{value:.places$}").split_off(2))
    };
    format!("{}.{cents}", grouped(whole))
}

/// A share in percent.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let share = part as f64 / whole as f64 * 100.0;
    match share {
        s if part > 0 && s < 0.1 => "< 0.1 %".to_owned(),
        s if s < 10.0 => format!("{s:.1} %"),
        s => format!("{s:.0} %"),
    }
}

/// `2026-11-28 09:30` of an RFC 3339 moment, in UTC as all of a report is.
pub fn moment(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_and_harmless() {
        for (raw, shown) in [
            ("J%C3%B6rg", "Jörg"),
            ("50%25", "50%"),
            ("%zz %", "%zz %"),
            ("%FF", "%FF"),
            ("a%0Ab\u{1b}[2J", "a\\u{a}b\\u{1b}[2J"),
            ("a%E2%80%AEb", "a\\u{202e}b"),
            ("<script>", "<script>"),
        ] {
            assert_eq!(text(raw), shown, "{raw}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let shown = [0.0, 7.0, 999.0, 1000.0, 1234.0, 12_345.0, 999_600.0, 2.5e9].map(compact);
        assert_eq!(shown, ["0", "7", "999", "1 K", "1.23 K", "12.3 K", "1 M", "2.5 G"]);
        let shown = ["0", "3", "1234.5678", "0.0026", "0.999", "0.000000001"].map(money);
        assert_eq!(shown, ["0.00", "3.00", "1,234.57", "0.00260", "1.00", "0.000000001"]);
        assert_eq!(
            [(0, 0), (1, 100_000), (5, 100), (1, 2)].map(|(a, b)| percent(a, b)),
            ["0 %", "< 0.1 %", "5.0 %", "50 %"]
        );
        assert_eq!(moment("2026-11-28T09:30:15Z"), "2026-11-28 09:30");
    }
}
