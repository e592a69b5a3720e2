//! Metrics, defined with the host once and then used by id.
//!
//! The host knows names only, so labels are part of the name: `doorward_requests_total.;kind=;in;.;model=;gpt-4;`.
//! Envoy's `stats_tags` (shipped with the filter) take them out again; `;` is in no label value, so they cannot
//! be taken wrongly.

use std::collections::HashMap;

use doorward_core::exchange::Measure;

use crate::abi::{Metric, calls};

/// Envoy never forgets a metric, so that values a client could choose must not make ever new ones. Core's label values
/// are bounded sets; this is what holds if one were not.
const MOST: usize = 10_000;

/// The longest label value. Longer ones are cut.
const LONGEST: usize = 128;

/// Every metric defined by this VM.
#[derive(Debug, Default)]
pub struct Metrics {
    ids: HashMap<String, u32>,
    /// The name being looked up; kept for its memory.
    name: String,
}

impl Metrics {
    /// Adds to a counter or records into a histogram. A measurement the host refuses is lost.
    pub fn measure(&mut self, measure: &Measure) {
        if measure.value == 0 && !measure.histogram {
            return;
        }
        encode(&mut self.name, measure);
        let id = match self.ids.get(&self.name) {
            Some(id) => *id,
            None if self.ids.len() >= MOST => return,
            None => {
                let kind = if measure.histogram { Metric::Histogram } else { Metric::Counter };
                let Ok(id) = calls::define_metric(kind, &self.name) else { return };
                self.ids.insert(self.name.clone(), id);
                id
            }
        };
        let _ = if measure.histogram {
            calls::record_metric(id, measure.value)
        } else {
            calls::increment_metric(id, i64::try_from(measure.value).unwrap_or(i64::MAX))
        };
    }
}

/// Writes the metric's name with its labels, in the order of their names.
fn encode(out: &mut String, measure: &Measure) {
    out.clear();
    out.push_str(measure.name);
    // There are two or three: looking for the next one is less than sorting them.
    let mut last = "";
    while let Some((name, value)) = measure.labels.iter().filter(|(name, _)| *name > last).min_by_key(|(name, _)| *name)
    {
        last = name;
        out.push_str(".;");
        out.push_str(name);
        out.push_str("=;");
        out.extend(value.chars().take(LONGEST).map(|c| match c {
            // `;` would end the value, and a control character would break lines of what scrapes the metrics.
            ';' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        }));
        out.push(';');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(labels: &[(&'static str, &str)]) -> String {
        let mut out = "left over".to_owned();
        let labels = labels.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        encode(&mut out, &Measure { name: "doorward_requests_total", histogram: false, labels, value: 1 });
        out
    }

    #[test]
    fn labels_are_sorted() {
        assert_eq!(
            name(&[("model", "gpt-4.1"), ("kind", "in")]),
            "doorward_requests_total.;kind=;in;.;model=;gpt-4.1;"
        );
        assert_eq!(name(&[]), "doorward_requests_total");
    }

    #[test]
    fn values_cannot_break_out() {
        assert_eq!(
            name(&[("model", "a;.;kind=;out;\n\0\u{7f}é b")]),
            "doorward_requests_total.;model=;a_._kind=_out_____ b;"
        );
        assert_eq!(name(&[("model", &"x".repeat(1000))]).len(), "doorward_requests_total.;model=;;".len() + LONGEST);
    }
}
