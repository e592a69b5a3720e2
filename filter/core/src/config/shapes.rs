//! Shapes that many parts of a document share.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::read::ONE_OR_MANY;

/// A span of time: `500ms`, `30s`, `5m`, `1h`, `7d`, or a whole number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(u64);

impl Duration {
    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// In milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// In whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as `30s`, `500ms`, `5m`, `1h` or `7d`")
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Duration, E> {
                u64::try_from(v)
                    .map(Duration::from_secs)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(v), &self))
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Duration, E> {
                let digits = v.bytes().take_while(u8::is_ascii_digit).count();
                let (number, unit) = v.split_at_checked(digits).unwrap_or(("", v));
                let scale = match unit {
                    "ms" => 1,
                    "s" => 1_000,
                    "m" => 60_000,
                    "h" => 3_600_000,
                    "d" => 86_400_000,
                    _ => 0,
                };
                match number.parse::<u64>().ok().and_then(|n| n.checked_mul(scale)) {
                    Some(millis) if scale > 0 => Ok(Duration(millis)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(v), &self)),
                }
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// One value, or a list of them; never an empty list. A condition that is left out holds for everything, and so would an
/// empty list, which may be what a template made of a list that somebody meant to fill. Read by [`super::from_tree`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = seq.next_element()? {
                    all.push(item);
                }
                if all.is_empty() {
                    return Err(de::Error::custom(
                        "an empty list, expected a value; leave the key out where everything is meant",
                    ));
                }
                Ok(OneOrMany(all))
            }
        }
        deserializer.deserialize_newtype_struct(ONE_OR_MANY, V(PhantomData))
    }
}

/// A secret by reference: `{env: NAME}`, from the VM's environment variables. Never the value itself,
/// since Envoy shows a filter's configuration in `/config_dump`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    /// The environment variable's name.
    pub env: String,
}

/// The mapping behind [`SecretRef`].
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    env: String,
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = SecretRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`{env: NAME}`")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretRef, A::Error> {
                let Reference { env } = Reference::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(SecretRef { env })
            }

            // Serde's own message would quote what is there: most likely the secret itself.
            fn visit_str<E: de::Error>(self, _: &str) -> Result<SecretRef, E> {
                Err(E::custom("a secret is given by reference, `{env: NAME}`, never inline"))
            }
        }
        deserializer.deserialize_any(V)
    }
}
