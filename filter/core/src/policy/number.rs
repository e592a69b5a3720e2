//! Numbers of a policy, compared exactly with numbers of a request.

use serde::Deserialize;

use crate::json::decimal::Decimal;

/// A number of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    exact: Decimal,
    double: f64,
}

impl Number {
    /// From a double, by its shortest decimal form; `None` unless finite.
    pub fn from_f64(value: f64) -> Option<Self> {
        Decimal::try_from(value).ok().map(|exact| Self { exact, double: value })
    }

    /// Its exact value.
    pub fn exact(&self) -> &Decimal {
        &self.exact
    }

    /// Its nearest double.
    pub fn as_f64(&self) -> f64 {
        self.double
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self { exact: Decimal::from(value), double: value as f64 }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl serde::de::Visitor<'_> for V {
            type Value = Number;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number")
            }

            fn visit_i64<E>(self, v: i64) -> Result<Number, E> {
                Ok(Number::from(v))
            }

            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Number, E> {
                Number::from_f64(v).ok_or_else(|| E::custom("not a finite number"))
            }
        }
        deserializer.deserialize_f64(V)
    }
}
