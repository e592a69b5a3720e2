//! Who may do what.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Mode, TaintDocument, ToolRuleDocument};
use crate::config::OneOrMany;
use crate::policy::number::Number;
use crate::protocol::{Media, Operation};

/// Allows or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessEffect {
    /// What fits is allowed, unless a deny fits too.
    Allow,
    /// What fits is denied.
    Deny,
}

/// One access statement. Every condition must hold; one that is absent holds for everything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessDocument {
    /// On the record when this decided.
    pub id: String,
    /// `allow` or `deny`.
    pub effect: AccessEffect,
    /// `observe`: recorded, never part of the outcome.
    #[serde(default)]
    pub mode: Mode,
    /// The caller has one of these roles.
    #[serde(default)]
    pub roles: OneOrMany<String>,
    /// The model's name, aliases resolved (globs, any case).
    #[serde(default)]
    pub models: OneOrMany<String>,
    /// The target's provider.
    #[serde(default)]
    pub providers: OneOrMany<String>,
    /// The target's name.
    #[serde(default)]
    pub targets: OneOrMany<String>,
    /// The operation. Default: every one up to `list_models`; what keeps state at the provider or carries many requests at once
    /// (`batches` and what follows) an allow must name.
    #[serde(default)]
    pub operations: OneOrMany<Operation>,
    /// What a request may carry that cannot be read: images, sound, files, token ids, references. An allow without it allows none
    /// of it; a deny with it fits requests that carry any of it.
    #[serde(default)]
    pub media: OneOrMany<Media>,
    /// Whether a request may leave state at the provider or refer to it (`store`, `previous_response_id`, `conversation`,
    /// `cachedContent`, ...): text that is not in the request, and that nobody looks at. Without it a caller who says nothing of
    /// `store` gets `store: false`. In a deny, `true` fits requests that do.
    #[serde(default)]
    pub stateful: bool,
    /// Tools that the statement is about. In an allow: only these may be offered to the model and called by it; without it every
    /// tool that the caller's application runs, and none that the provider runs. In a deny: these are refused, and not the call.
    #[serde(default)]
    pub tools: OneOrMany<ToolRuleDocument>,
    /// In a deny with `tools`: it fits only once the conversation carries such findings. What came from a tool or a page that tried to
    /// give orders, or data that is confidential, then takes tools away, such as those that send something out.
    #[serde(default)]
    pub tainted_by: Option<TaintDocument>,
    /// The methods of MCP and A2A that the statement is about (globs): `tools/call`, `resources/*`, `message/send`. Default: all.
    #[serde(default)]
    pub methods: OneOrMany<String>,
    /// Caps on the request's parameters. `max_tokens`, `n`, `temperature`, `top_p`, `top_k` and `reasoning_effort` stand for
    /// whatever an API calls them, and wherever it has them; others are named as the API does, with dots for members of members.
    /// An allow fits only within its caps; a deny fits what is within them.
    #[serde(default)]
    pub parameters: BTreeMap<String, CapDocument>,
    /// Controls that the statement serves, as auditors know them: `GDPR Art. 32`. They decide nothing; `doorward report --policy`
    /// counts what the statement did as evidence for them.
    #[serde(default)]
    pub controls: OneOrMany<String>,
    /// This makes a statement of a pack weaker: without it, what does so is refused. On the record (`doorward.policy.weakened`).
    #[serde(default)]
    pub weakens: bool,
}

/// A cap on one parameter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapDocument {
    /// The least value, compared exactly.
    #[serde(default)]
    pub min: Option<Number>,
    /// The greatest value, compared exactly.
    #[serde(default)]
    pub max: Option<Number>,
    /// The only values accepted: text, numbers, booleans.
    #[serde(default)]
    pub one_of: Option<Vec<Scalar>>,
    /// The parameter must be there. Default: one that is absent is within the cap.
    #[serde(default)]
    pub required: bool,
}

/// A value without parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl serde::de::Visitor<'_> for V {
            type Value = Scalar;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string, a number or a boolean")
            }

            fn visit_bool<E>(self, v: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(v))
            }

            fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(Number::from(v)))
            }

            fn visit_f64<E: serde::de::Error>(self, v: f64) -> Result<Scalar, E> {
                Number::from_f64(v).map(Scalar::Number).ok_or_else(|| E::custom("not a finite number"))
            }

            fn visit_str<E>(self, v: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(v.to_owned()))
            }
        }
        deserializer.deserialize_any(V)
    }
}
