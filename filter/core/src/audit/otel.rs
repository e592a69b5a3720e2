//! Tokens under OpenTelemetry's names, where the policy asks for them.
//!
//! The conventions are in development: `gen_ai.client.token.usage`, a histogram, is being replaced by the counters
//! `gen_ai.client.inference.usage.*`. Which of both a dashboard reads is its owner's to say, so both are switches. A histogram of
//! Envoy's holds whole numbers, and a counter that has nothing to count is not there: what OpenTelemetry records as 0 is absent.
//! Durations are in seconds there, which whole numbers cannot say; `doorward_duration_us` is the filter's own.

use super::Record;
use crate::exchange::Measure;
use crate::policy::OpenTelemetry;

impl Record {
    /// The measurements that a policy asked for.
    pub(crate) fn conventional(&self, which: &[OpenTelemetry], model: &str) -> Vec<Measure> {
        let Some(usage) = self.usage.as_ref().filter(|_| !which.is_empty()) else { return Vec::new() };
        let labels = |more: Option<(&'static str, &str)>| {
            let mut labels = vec![
                ("gen_ai.operation.name", self.operation.unwrap_or("none").to_owned()),
                ("gen_ai.provider.name", self.provider.clone().unwrap_or_else(|| "none".to_owned())),
                ("gen_ai.request.model", model.to_owned()),
            ];
            labels.extend(more.map(|(name, value)| (name, value.to_owned())));
            labels
        };
        let mut all = Vec::new();
        if which.contains(&OpenTelemetry::TokenUsage) {
            for (kind, value) in [("input", usage.input), ("output", usage.output)] {
                let labels = labels(Some(("gen_ai.token.type", kind)));
                all.push(Measure { name: "gen_ai.client.token.usage", histogram: true, labels, value });
            }
        }
        if which.contains(&OpenTelemetry::InferenceUsage) {
            for (name, value) in [
                ("gen_ai.client.inference.usage.input_tokens", usage.input),
                ("gen_ai.client.inference.usage.output_tokens", usage.output),
                ("gen_ai.client.inference.usage.cache_read.input_tokens", usage.cache_read),
                ("gen_ai.client.inference.usage.cache_write.input_tokens", usage.cache_write),
                ("gen_ai.client.inference.usage.reasoning.output_tokens", usage.reasoning),
            ] {
                if value > 0 {
                    all.push(Measure { name, histogram: false, labels: labels(None), value });
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Usage;

    #[test]
    fn tokens_have_the_names_that_are_asked_for() {
        let usage = Usage { input: 7, output: 5, cache_read: 2, ..Usage::default() };
        let record = Record { usage: Some(usage), operation: Some("chat"), ..Record::default() };
        let names = |which: &[OpenTelemetry]| -> Vec<(&str, u64)> {
            record.conventional(which, "gpt-5").iter().map(|m| (m.name, m.value)).collect()
        };
        assert_eq!(names(&[]), []);
        let old = "gen_ai.client.token.usage";
        assert_eq!(names(&[OpenTelemetry::TokenUsage]), [(old, 7), (old, 5)]);
        let counters = [
            ("gen_ai.client.inference.usage.input_tokens", 7),
            ("gen_ai.client.inference.usage.output_tokens", 5),
            ("gen_ai.client.inference.usage.cache_read.input_tokens", 2),
        ];
        assert_eq!(names(&[OpenTelemetry::InferenceUsage]), counters);
        let both = record.conventional(&[OpenTelemetry::InferenceUsage, OpenTelemetry::TokenUsage], "gpt-5");
        assert_eq!(both.len(), 5);
        assert!(both.iter().all(|m| m.labels.contains(&("gen_ai.request.model", "gpt-5".to_owned()))));
        let nothing = Record::default();
        assert!(nothing.conventional(&[OpenTelemetry::InferenceUsage], "none").is_empty());
    }
}
