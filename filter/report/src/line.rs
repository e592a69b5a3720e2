//! One line of an access log: the shipped formats, as far as reports read them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

/// The members that reports read. Every other one is passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Line<'a> {
    #[serde(borrow, alias = "start_time", alias = "timestamp")]
    pub time: Field<'a>,
    #[serde(borrow)]
    pub method: Field<'a>,
    #[serde(borrow, alias = "response_code")]
    pub status: Field<'a>,
    #[serde(borrow, alias = "response_code_details")]
    pub details: Field<'a>,
    #[serde(borrow)]
    pub upstream_cluster: Field<'a>,
    #[serde(borrow, alias = "downstream_remote_address")]
    pub client: Field<'a>,
    /// The client's SPIFFE id: of the TCP format.
    #[serde(borrow)]
    pub peer: Field<'a>,
    /// The name that a TLS connection asked for: of the TCP format.
    #[serde(borrow, alias = "requested_server_name")]
    pub sni: Field<'a>,
    #[serde(borrow, rename = "gen_ai.operation.name")]
    pub operation: Field<'a>,
    #[serde(borrow, rename = "gen_ai.provider.name")]
    pub provider: Field<'a>,
    #[serde(borrow, rename = "gen_ai.request.model")]
    pub model: Field<'a>,
    #[serde(borrow, rename = "mcp.method.name")]
    pub mcp_method: Field<'a>,
    #[serde(borrow, rename = "gen_ai.tool.name")]
    pub tool: Field<'a>,
    #[serde(borrow, rename = "gen_ai.usage.input_tokens")]
    pub input: Field<'a>,
    #[serde(borrow, rename = "gen_ai.usage.output_tokens")]
    pub output: Field<'a>,
    #[serde(borrow, rename = "gen_ai.usage.cache_read.input_tokens")]
    pub cached: Field<'a>,
    #[serde(borrow, rename = "gen_ai.usage.reasoning.output_tokens")]
    pub reasoning: Field<'a>,
    #[serde(borrow, rename = "doorward.usage.estimated")]
    pub estimated: Field<'a>,
    #[serde(borrow, rename = "doorward.api")]
    pub api: Field<'a>,
    #[serde(borrow, rename = "doorward.decision")]
    pub decision: Field<'a>,
    #[serde(borrow, rename = "doorward.action")]
    pub action: Field<'a>,
    #[serde(borrow, rename = "doorward.reason")]
    pub reason: Field<'a>,
    #[serde(borrow, rename = "doorward.notes")]
    pub notes: Field<'a>,
    #[serde(borrow, rename = "doorward.rules")]
    pub rules: Field<'a>,
    #[serde(borrow, rename = "doorward.observed")]
    pub observed: Field<'a>,
    #[serde(borrow, rename = "doorward.user")]
    pub user: Field<'a>,
    #[serde(borrow, rename = "doorward.team")]
    pub team: Field<'a>,
    #[serde(borrow, rename = "doorward.workload")]
    pub workload: Field<'a>,
    #[serde(borrow, rename = "doorward.auth")]
    pub auth: Field<'a>,
    #[serde(borrow, rename = "doorward.target")]
    pub target: Field<'a>,
    #[serde(borrow, rename = "doorward.route")]
    pub routes: Field<'a>,
    #[serde(borrow, rename = "doorward.owner")]
    pub owner: Field<'a>,
    #[serde(borrow, rename = "doorward.findings")]
    pub findings: Field<'a>,
    #[serde(borrow, rename = "doorward.external")]
    pub external: Field<'a>,
    #[serde(borrow, rename = "doorward.tools")]
    pub tools: Field<'a>,
    #[serde(borrow, rename = "doorward.limit.remaining")]
    pub remaining: Field<'a>,
    #[serde(borrow, rename = "doorward.session.seen")]
    pub seen: Field<'a>,
    #[serde(borrow, rename = "doorward.anomaly")]
    pub anomaly: Field<'a>,
    #[serde(borrow, rename = "doorward.cost")]
    pub cost: Field<'a>,
    #[serde(borrow, rename = "doorward.policy")]
    pub policy: Field<'a>,
    #[serde(borrow, rename = "doorward.policy.digest")]
    pub digest: Field<'a>,
}

/// A member's value: a text or a number; `null`, `-` and empty texts are none.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Field<'a>(Option<Cow<'a, str>>);

impl Field<'_> {
    /// The text.
    pub fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text, or what stands for none.
    pub fn or<'s>(&'s self, none: &'s str) -> &'s str {
        self.get().unwrap_or(none)
    }

    /// A whole number; 0 where it is none.
    pub fn number(&self) -> u64 {
        self.get().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The parts of a list.
    pub fn list(&self) -> impl Iterator<Item = &str> {
        self.get().unwrap_or_default().split(',').filter(|part| !part.is_empty())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Field<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or null")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Field((!matches!(text, "" | "-")).then_some(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Field((!matches!(text, "" | "-")).then(|| Cow::Owned(text.to_owned()))))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Field(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Field(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Field(Some(Cow::Owned(number.to_string()))))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Field(Some(Cow::Owned(value.to_string()))))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Field(None))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// Reads `{"...": ...}`.
///
/// # Errors
/// It is no object of JSON, has a member twice, or one whose value is neither text nor number. The message holds nothing of the line.
pub fn read(bytes: &[u8]) -> Result<Line<'_>, String> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err("not an object of JSON".to_owned());
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "cut off",
            serde_json::error::Category::Data => "a member is there twice, or is neither text nor number",
            _ => "not JSON",
        };
        format!("{what} (byte {})", error.column())
    })
}

/// A sum of money in billionths and its currency, of `0.0026 USD`.
pub fn money(text: &str) -> Option<(u64, &str)> {
    let (amount, currency) = text.split_once(' ')?;
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) || currency.is_empty() {
        return None;
    }
    let scale = 10u64.checked_pow(9 - u32::try_from(fraction.len()).ok()?)?;
    let fraction = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()?.checked_mul(scale)? };
    Some((whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(fraction)?, currency))
}

/// Billionths as a decimal number.
pub fn decimal(billionths: u64) -> String {
    let (whole, rest) = (billionths / 1_000_000_000, billionths % 1_000_000_000);
    match format!("{rest:09}").trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_envoy_writes() {
        let line = read(
            br#"{"time":"2026-01-01T00:00:00.000Z","status":200,"doorward.user":"al\u0069ce","doorward.team":null,
            "doorward.rules":"a,b","route":"-","gen_ai.usage.input_tokens":"12","x":{"y":[1]}}"#,
        )
        .unwrap();
        assert_eq!(line.time.get(), Some("2026-01-01T00:00:00.000Z"));
        assert_eq!((line.status.number(), line.input.number(), line.output.number()), (200, 12, 0));
        assert_eq!((line.user.get(), line.team.get()), (Some("alice"), None));
        assert_eq!(line.rules.list().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn lines_that_are_none_say_why_and_not_what() {
        for (line, why) in [
            (&b"[info] starting secret-word"[..], "not an object"),
            (br#"{"doorward.user":"secret-word"#, "cut off"),
            (br#"{"doorward.user":"secret-word" "x"}"#, "not JSON"),
            (br#"{"doorward.user":"a","doorward.user":"secret-word"}"#, "twice"),
            (br#"{"doorward.user":["secret-word"]}"#, "neither text nor number"),
            (b"{\"doorward.user\":\"secret-word\xff\"}", "not JSON"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(why) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn money_is_exact() {
        for (text, expected) in [
            ("0.0026 USD", Some((2_600_000, "USD"))),
            ("3 EUR", Some((3_000_000_000, "EUR"))),
            ("0.000000001 USD", Some((1, "USD"))),
            ("18446744073 USD", Some((18_446_744_073_000_000_000, "USD"))),
            ("18446744074 USD", None),
            ("-1 USD", None),
            (".5 USD", None),
            ("1.0000000001 USD", None),
            ("1e3 USD", None),
            ("1", None),
            ("1 ", None),
        ] {
            assert_eq!(money(text), expected, "{text}");
        }
        assert_eq!([decimal(2_600_000), decimal(3_000_000_000), decimal(0)], ["0.0026", "3", "0"]);
    }
}
