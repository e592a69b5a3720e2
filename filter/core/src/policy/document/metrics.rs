//! Which metrics there are beside Doorward's own.

use serde::Deserialize;

use crate::config::OneOrMany;

/// Metrics beside `doorward_*`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsDocument {
    /// Also under OpenTelemetry's names for generative AI, whose conventions for tokens are moving: each switch is one state of them.
    /// Default: none.
    #[serde(default)]
    pub opentelemetry: OneOrMany<OpenTelemetry>,
}

/// OpenTelemetry's metrics of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenTelemetry {
    /// The histogram `gen_ai.client.token.usage` with `gen_ai.token.type`: what most gateways have today.
    TokenUsage,
    /// The counters `gen_ai.client.inference.usage.*`, by which the conventions replace it.
    InferenceUsage,
}
