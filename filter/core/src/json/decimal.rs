//! JSON numbers compared by their exact value.
//!
//! A cap of 4,096 tokens must hold against `4096.0`, `4.096e3`, `-0` and 2^64 alike, whatever a server makes
//! of them, so nothing here goes through floating point.

use std::cmp::Ordering;
use std::fmt;

/// The exact value of a JSON number: 0.d1d2d3... times a power of ten.
///
/// `Debug` shows the size only: the number may be a user's.
#[derive(Clone)]
pub struct Decimal {
    negative: bool,
    /// Where the decimal point is, counted from before the first digit. 0 for zero.
    point: i64,
    /// Significant digits: neither the first nor the last is zero; none for zero.
    digits: Digits,
}

/// Exponents of more digits than this are not read.
const EXPONENT_DIGITS: usize = 17;

impl Decimal {
    /// Reads a number as RFC 8259 section 6 writes it.
    ///
    /// `None` for anything else, and for an exponent of 10^17 or more (of a number other than 0), which no
    /// server reads as a finite number.
    #[must_use]
    pub fn parse(lexeme: &str) -> Option<Self> {
        let (negative, rest) = match lexeme.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, lexeme),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (rest, None),
        };
        let (integer, fraction) = match mantissa.split_once('.') {
            Some((integer, fraction)) if is_digits(fraction) => (integer, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        if !is_digits(integer) || (integer.len() > 1 && integer.starts_with('0')) {
            return None;
        }
        let (exponent_negative, exponent) = match exponent {
            None => (false, "0"),
            Some(exponent) => match exponent.strip_prefix('-') {
                Some(exponent) => (true, exponent),
                None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
            },
        };
        if !is_digits(exponent) {
            return None;
        }

        let significant = integer.trim_start_matches('0');
        let (integer, fraction, skipped) = if significant.is_empty() {
            let significant = fraction.trim_start_matches('0');
            (significant, "", fraction.len() - significant.len())
        } else {
            (significant, fraction, 0)
        };
        let Some(digits) = Digits::new(integer, fraction) else {
            return Some(Self { negative: false, point: 0, digits: Digits::NONE });
        };
        let exponent = exponent.trim_start_matches('0');
        if exponent.len() > EXPONENT_DIGITS {
            return None;
        }
        let exponent: i64 = if exponent.is_empty() { 0 } else { exponent.parse().ok()? };
        // The digits before the point, or minus the zeros after it.
        let place = if significant.is_empty() {
            -i64::try_from(skipped).ok()?
        } else {
            i64::try_from(significant.len()).ok()?
        };
        let point = place.checked_add(if exponent_negative { -exponent } else { exponent })?;
        Some(Self { negative, point, digits })
    }

    /// Whether the value is an integer.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.digits.is_empty() || usize::try_from(self.point).is_ok_and(|point| point >= self.digits.as_slice().len())
    }

    fn signum(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

/// The digits of a number whose value is integral, without its sign: `4.111e3` is `4111`, `-0.0` is `0`.
///
/// `None` when the value is not integral or has more than `max` digits.
#[must_use]
pub fn integer_digits(lexeme: &str, max: usize) -> Option<String> {
    let decimal = Decimal::parse(lexeme)?;
    if decimal.digits.is_empty() {
        return (max > 0).then(|| "0".to_owned());
    }
    let length = usize::try_from(decimal.point).ok().filter(|&length| decimal.is_integer() && length <= max)?;
    let mut digits: String = decimal.digits.as_slice().iter().map(|&digit| char::from(digit)).collect();
    digits.extend(std::iter::repeat_n('0', length - digits.len()));
    Some(digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let signs = self.signum().cmp(&other.signum());
        // Without zeros at their ends, fractions compare as their digits do.
        let magnitudes =
            || self.point.cmp(&other.point).then_with(|| self.digits.as_slice().cmp(other.digits.as_slice()));
        signs.then_with(|| if self.negative { magnitudes().reverse() } else { magnitudes() })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        let mut buffer = [0; INLINE];
        let mut rest = value.unsigned_abs();
        let mut length = 0;
        let mut from = INLINE;
        for slot in buffer.iter_mut().rev() {
            if rest == 0 {
                break;
            }
            *slot = b'0' + (rest % 10) as u8;
            rest /= 10;
            from -= 1;
            length += 1;
        }
        let text = buffer.get(from..).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default();
        match Digits::new(text, "") {
            Some(digits) => Self { negative: value < 0, point: length, digits },
            None => Self { negative: false, point: 0, digits: Digits::NONE },
        }
    }
}

/// Infinity or not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFinite;

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a finite number")
    }
}

impl std::error::Error for NotFinite {}

/// The shortest decimal that reads back as the same `f64`: 0.1 is one tenth, not its binary neighbour.
impl TryFrom<f64> for Decimal {
    type Error = NotFinite;

    fn try_from(value: f64) -> Result<Self, NotFinite> {
        Self::parse(&format!("{value:e}")).ok_or(NotFinite)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.as_slice().len();
        f.debug_struct("Decimal").field("point", &self.point).field("digits", &digits).finish()
    }
}

/// More than the 20 digits of 2^64 and the 17 of an `f64`.
const INLINE: usize = 22;

/// ASCII digits; on the heap only when there are many.
#[derive(Clone)]
enum Digits {
    Inline { length: u8, buffer: [u8; INLINE] },
    Heap(Box<[u8]>),
}

impl Digits {
    const NONE: Self = Self::Inline { length: 0, buffer: [0; INLINE] };

    /// The digits of `integer` and `fraction` in a row without the zeros at the end; `None` for none.
    fn new(integer: &str, fraction: &str) -> Option<Self> {
        let fraction = fraction.trim_end_matches('0');
        let integer = if fraction.is_empty() { integer.trim_end_matches('0') } else { integer };
        let all = || integer.bytes().chain(fraction.bytes());
        match integer.len() + fraction.len() {
            0 => None,
            length @ ..=INLINE => {
                let mut buffer = [0; INLINE];
                buffer.iter_mut().zip(all()).for_each(|(slot, digit)| *slot = digit);
                Some(Self::Inline { length: length as u8, buffer })
            }
            _ => Some(Self::Heap(all().collect())),
        }
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline { length, buffer } => buffer.get(..usize::from(*length)).unwrap_or_default(),
            Self::Heap(digits) => digits,
        }
    }

    fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

#[cfg(test)]
mod tests;
