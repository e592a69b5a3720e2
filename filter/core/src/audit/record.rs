//! What is remembered of one exchange, and how it is written down.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::chain::ERASED;
use super::{Audit, is_printable, printable, text};
use crate::exchange::Measure;
use crate::identity::Principal;
use crate::limits::{Standing, What};
use crate::policy::OpenTelemetry;
use crate::protocol::Usage;
use crate::redact::Counts;
use crate::reply::Reason;

/// How often something was met: in which direction or way, what, and what was done.
pub type Occurrences = BTreeMap<(&'static str, String, &'static str), u32>;

/// What is remembered of one exchange.
#[derive(Debug, Default)]
pub struct Record {
    /// The target's name.
    pub target: Option<String>,
    /// The target's owner.
    pub owner: Option<String>,
    /// The target's provider.
    pub provider: Option<String>,
    /// The path without its query.
    pub path: Option<String>,
    /// The operation.
    pub operation: Option<&'static str>,
    /// The API.
    pub api: Option<&'static str>,
    /// Whether a streamed answer was asked for.
    pub streams: bool,
    /// The caller.
    pub principal: Option<Rc<Principal>>,
    /// The names of the caller's roles.
    pub roles: Vec<String>,
    /// The model asked for.
    pub model: Option<String>,
    /// Whether the policy knows the model: only then is its name a metric's label.
    pub model_known: bool,
    /// The JSON-RPC method, of the first message where there are several.
    pub method: Option<String>,
    /// The tool that is called.
    pub tool: Option<String>,
    /// The statements that sent the request elsewhere, or would have.
    pub routes: Vec<String>,
    /// The target that it came to first, where it went to another.
    pub from: Option<String>,
    /// The model that the caller asked for, where another one is asked.
    pub asked_model: Option<String>,
    /// The model that answered.
    pub answered_by: Option<String>,
    /// What the answer used.
    pub usage: Option<Usage>,
    /// Whether that is an estimate of ours.
    pub usage_estimated: bool,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Bytes of text of a stream that came so far.
    pub stream_bytes: u64,
    /// What became of placeholders in the texts of the answer.
    pub placeholders: Counts,
    /// And in the rest of it.
    pub placeholders_whole: Counts,
    /// What it cost, in billionths, and the currency.
    pub cost: Option<(u64, String)>,
    /// Whether the request was judged, or the exchange ended before.
    pub judged: bool,
    /// The first denial.
    pub denial: Option<Reason>,
    /// Whether the denial was carried out.
    pub enforced: bool,
    /// Whether a body went on changed.
    pub edited: bool,
    /// Whether the denial came after the request had gone on.
    pub answer_denied: bool,
    /// What was noticed and let through.
    pub notes: Vec<&'static str>,
    /// The statements that made the decision.
    pub rules: Vec<String>,
    /// Observed statements that fitted.
    pub observed: Vec<String>,
    /// Findings by direction (`in`, `out`), type and action.
    pub findings: Occurrences,
    /// Tools: `offered` or `called`, their names, what was done.
    pub tools: Occurrences,
    /// How the limits stand that hold for it.
    pub remaining: Vec<Standing>,
    /// What came of charging counts that proxies share: the limit's id, and how far that is.
    pub shared: Vec<(String, String)>,
    /// The session it belongs to, what has added up in it and over all of its caller's, and what was seen.
    pub session: Option<SessionFacts>,
    /// The caller as baselines name them, and in what they are unusual.
    pub caller: Option<String>,
    /// In what they are unusual.
    pub anomaly: Vec<&'static str>,
    /// Compare-and-swaps of counters that another worker was faster at.
    pub conflicts: u64,
    /// What came of asking external detectors: direction, name, outcome.
    pub external: Vec<(&'static str, String, String)>,
    /// Keyed digest of the request's body.
    pub content_in: Option<String>,
    /// Keyed digest of the answer's body.
    pub content_out: Option<String>,
    /// Digests of single texts of the request, and of the answer.
    pub texts_in: Vec<u64>,
    /// And of the answer.
    pub texts_out: Vec<u64>,
    /// What is shown of the request's body, and of the answer's: printable already.
    pub captured_in: Option<String>,
    /// And of the answer's.
    pub captured_out: Option<String>,
    /// Why nothing was enforced.
    pub break_glass: Option<String>,
    /// Where the candidate would have judged otherwise.
    pub candidate: Option<Difference>,
    /// What was judged on the way, for people.
    #[cfg(feature = "trace")]
    pub trace: crate::trace::Trace,
}

/// What the record says of the policy, and how it names callers.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The policy's name.
    pub policy: &'a str,
    /// Its digest.
    pub digest: &'a str,
    /// The packs it extends.
    pub packs: &'a str,
    /// What of them it weakens.
    pub weakened: &'a str,
    /// How callers are named.
    pub audit: &'a Audit,
    /// Microseconds that the filter itself spent.
    pub spent_us: u64,
}

/// A session as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionFacts {
    /// Its digest.
    pub id: u64,
    /// What has added up in it.
    pub risk: f32,
    /// And over all of its caller's.
    pub caller_risk: f32,
    /// What was seen.
    pub seen: Vec<String>,
}

/// What a candidate says of a request, where that is not what the live policy says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// `allow`, `deny`, or `none` where it would have read on.
    pub decision: &'static str,
    /// Why it denies.
    pub reason: Option<&'static str>,
    /// The statements that made its decision.
    pub rules: Vec<String>,
    /// Its findings, as on the record.
    pub findings: String,
    /// Its digest.
    pub digest: String,
}

/// Token counts by kind, for metrics.
pub type Tokens = [(&'static str, u64); 3];

impl Record {
    /// Counts what was done about a tool.
    pub fn tool(&mut self, how: &'static str, name: &str, action: &'static str) {
        // Names are the caller's, or the model's: so many of them, and so long.
        const MOST: usize = 128;
        const LONGEST: usize = 64;
        // Commas and slashes are the list's own.
        let name: String =
            name.chars().take(LONGEST).map(|c| if matches!(c, ',' | '=' | ';') { '_' } else { c }).collect();
        let key = (how, name, action);
        if self.tools.len() < MOST || self.tools.contains_key(&key) {
            let count = self.tools.entry(key).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// `allow`, `deny` or `none`.
    pub fn decision(&self) -> &'static str {
        match (self.denial, self.judged) {
            (Some(_), _) => "deny",
            (None, true) => "allow",
            (None, false) => "none",
        }
    }

    /// What was done.
    pub fn action(&self) -> &'static str {
        match (self.denial, self.enforced) {
            (Some(_), false) => "observe",
            (Some(_), true) if self.answer_denied => "replace",
            (Some(_), true) => "reply",
            (None, _) if self.from.is_some() => "route",
            (None, _) if self.edited => "edit",
            (None, _) => "pass",
        }
    }

    /// What of it is known as soon as the caller is proven; numbers that others read begin with 0.
    pub fn caller(&self, audit: &Audit) -> Vec<(&'static str, String)> {
        let principal = self.principal.as_deref();
        let values = [
            ("doorward.user", principal.and_then(|p| audit.user(p))),
            ("doorward.team", principal.and_then(|p| p.team.clone())),
            ("doorward.workload", principal.and_then(|p| p.workload.clone())),
            ("doorward.usage.total_tokens", Some("0".to_owned())),
        ];
        values.into_iter().filter_map(|(key, value)| Some((key, written(value?)))).collect()
    }

    /// The findings: `in:EMAIL_ADDRESS/mask=1`, comma-separated.
    pub fn findings_text(&self) -> String {
        let findings = self.findings.iter().map(|((side, kind, action), n)| format!("{side}:{kind}/{action}={n}"));
        findings.collect::<Vec<_>>().join(",")
    }

    /// The record's values, by key. Absent ones are left out.
    pub fn values(&self, stamp: Stamp<'_>) -> Vec<(&'static str, String)> {
        let mut values = Vec::with_capacity(48);
        let mut put = |key: &'static str, value: Option<String>| {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                values.push((key, written(value)));
            }
        };
        let list = |items: &[String]| Some(items.join(","));
        let principal = self.principal.as_deref();
        put("gen_ai.operation.name", self.operation.map(str::to_owned));
        put("gen_ai.provider.name", self.provider.clone());
        put("gen_ai.request.model", self.model.clone());
        put("mcp.method.name", self.method.clone());
        put("gen_ai.tool.name", self.tool.clone());
        put("gen_ai.response.model", self.answered_by.clone());
        if let Some(usage) = &self.usage {
            put("gen_ai.usage.input_tokens", Some(usage.input.to_string()));
            put("gen_ai.usage.output_tokens", Some(usage.output.to_string()));
            let some = |n: u64| (n > 0).then(|| n.to_string());
            put("gen_ai.usage.cache_read.input_tokens", some(usage.cache_read));
            put("gen_ai.usage.cache_creation.input_tokens", some(usage.cache_write));
            put("gen_ai.usage.reasoning.output_tokens", some(usage.reasoning));
            put("doorward.usage.audio.input_tokens", some(usage.audio_in));
            put("doorward.usage.audio.output_tokens", some(usage.audio_out));
        }
        let mut counts = self.placeholders;
        counts.add(self.placeholders_whole);
        let tokens = self.usage.map_or(0, |usage| usage.input.saturating_add(usage.output));
        put("doorward.usage.total_tokens", Some(tokens.to_string()));
        put("doorward.usage.estimated", self.usage_estimated.then(|| "true".to_owned()));
        put("doorward.api", self.api.map(str::to_owned));
        put("doorward.stream", self.streams.then(|| "true".to_owned()));
        put("doorward.placeholders", placeholders(counts));
        put("doorward.decision", Some(self.decision().to_owned()));
        put("doorward.action", Some(self.action().to_owned()));
        put("doorward.reason", self.denial.map(|r| r.code().to_owned()));
        put("doorward.notes", Some(self.notes.join(",")));
        put("doorward.rules", list(&self.rules));
        put("doorward.observed", list(&self.observed));
        put("doorward.user", principal.and_then(|p| stamp.audit.user(p)));
        put("doorward.team", principal.and_then(|p| p.team.clone()));
        put("doorward.purpose", principal.and_then(|p| p.purpose.clone()));
        put("doorward.workload", principal.and_then(|p| p.workload.clone()));
        put("doorward.roles", list(&self.roles));
        put("doorward.auth", principal.map(|p| p.method.as_str().to_owned()));
        put("doorward.credential", principal.and_then(|p| stamp.audit.credential(p)));
        put("doorward.target", self.target.clone());
        put("doorward.route", list(&self.routes));
        put("doorward.route.from", self.from.clone());
        put("doorward.route.model", self.asked_model.clone());
        put("doorward.owner", self.owner.clone());
        put("doorward.path", self.path.clone());
        put("doorward.findings", Some(self.findings_text()));
        let external: Vec<String> =
            self.external.iter().map(|(side, name, outcome)| format!("{side}:{name}={outcome}")).collect();
        put("doorward.external", list(&external));
        let tools: Vec<String> =
            self.tools.iter().map(|((how, name, action), count)| format!("{how}:{name}/{action}={count}")).collect();
        put("doorward.tools", list(&tools));
        let shared: Vec<String> = self.shared.iter().map(|(id, stage)| format!("{id}={stage}")).collect();
        put("doorward.limit.global", list(&shared));
        let remaining: Vec<String> = self.remaining.iter().map(remaining).collect();
        put("doorward.limit.remaining", list(&remaining));
        if let Some(session) = &self.session {
            put("doorward.session", Some(format!("{:016x}", session.id)));
            put("doorward.session.risk", Some(format!("{:.2}", session.risk)));
            put("doorward.session.caller_risk", Some(format!("{:.2}", session.caller_risk)));
            put("doorward.session.seen", list(&session.seen));
        }
        put("doorward.caller", self.caller.clone());
        put("doorward.anomaly", Some(self.anomaly.join(",")));
        if let Some(candidate) = &self.candidate {
            put("doorward.candidate", Some(candidate.decision.to_owned()));
            put("doorward.candidate.reason", candidate.reason.map(str::to_owned));
            put("doorward.candidate.rules", list(&candidate.rules));
            put("doorward.candidate.findings", Some(candidate.findings.clone()));
            put("doorward.candidate.digest", Some(candidate.digest.clone()));
        }
        put("doorward.cost", self.cost.as_ref().map(|(billionths, currency)| decimal(*billionths, currency)));
        put("doorward.content.in", self.content_in.clone());
        put("doorward.content.out", self.content_out.clone());
        put("doorward.texts.in", Some(text::listed(&self.texts_in)));
        put("doorward.texts.out", Some(text::listed(&self.texts_out)));
        put("doorward.policy", Some(stamp.policy.to_owned()));
        put("doorward.policy.digest", Some(stamp.digest.to_owned()));
        put("doorward.policy.packs", Some(stamp.packs.to_owned()));
        put("doorward.policy.weakened", Some(stamp.weakened.to_owned()));
        put("doorward.break_glass", self.break_glass.clone());
        put("doorward.duration_us", Some(stamp.spent_us.to_string()));
        let captured = [("doorward.captured.in", &self.captured_in), ("doorward.captured.out", &self.captured_out)];
        // Printable already, and longer than other values may be.
        values.extend(captured.into_iter().filter_map(|(key, text)| Some((key, unlike_erased(text.clone()?)))));
        values
    }

    /// The measurements of the exchange. Every label's values are a bounded set: names out of the policy, codes,
    /// types; a model that the policy does not know is `other`.
    pub fn measures(&self, spent_us: u64, conventions: &[OpenTelemetry]) -> Vec<Measure> {
        let target = || ("target", self.target.clone().unwrap_or_else(|| "none".to_owned()));
        let model = match (&self.model, self.model_known) {
            (Some(model), true) => model.as_str(),
            (Some(_), false) => "other",
            (None, _) => "none",
        };
        let mut all = vec![counter(
            "doorward_requests_total",
            vec![
                target(),
                ("operation", self.operation.unwrap_or("none").to_owned()),
                ("decision", self.decision().to_owned()),
                ("action", self.action().to_owned()),
                ("reason", self.denial.map_or("none", Reason::code).to_owned()),
            ],
            1,
        )];
        if let Some(usage) = &self.usage {
            let kinds: Tokens = [("input", usage.input), ("output", usage.output), ("cached", usage.cache_read)];
            for (kind, tokens) in kinds.into_iter().filter(|(_, tokens)| *tokens > 0) {
                let labels = vec![target(), ("model", model.to_owned()), ("kind", kind.to_owned())];
                all.push(counter("doorward_tokens_total", labels, tokens));
            }
        }
        if let Some((billionths, currency)) = self.cost.as_ref().filter(|(b, _)| *b > 0) {
            let labels = vec![target(), ("model", model.to_owned()), ("currency", currency.clone())];
            // Counters are whole numbers: billionths of the currency's unit.
            all.push(counter("doorward_cost_nanos_total", labels, *billionths));
        }
        for ((side, kind, action), count) in &self.findings {
            let labels = vec![
                target(),
                ("direction", (*side).to_owned()),
                ("type", kind.clone()),
                ("action", (*action).to_owned()),
            ];
            all.push(counter("doorward_findings_total", labels, u64::from(*count)));
        }
        for (side, name, outcome) in &self.external {
            let result = outcome.split_once(':').map_or(outcome.as_str(), |(result, _)| result);
            let labels = vec![
                target(),
                ("direction", (*side).to_owned()),
                ("detector", name.clone()),
                ("result", result.to_owned()),
            ];
            all.push(counter("doorward_external_total", labels, 1));
        }
        let mut tools: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for ((how, _, action), count) in &self.tools {
            *tools.entry((how, action)).or_default() += u64::from(*count);
        }
        for ((how, action), count) in tools {
            let labels = vec![target(), ("kind", how.to_owned()), ("action", action.to_owned())];
            all.push(counter("doorward_tools_total", labels, count));
        }
        all.extend(self.conventional(conventions, model));
        for what in &self.anomaly {
            all.push(counter("doorward_anomaly_total", vec![target(), ("watch", (*what).to_owned())], 1));
        }
        if let Some(candidate) = &self.candidate {
            let labels = vec![
                target(),
                ("decision", self.decision().to_owned()),
                ("candidate", candidate.decision.to_owned()),
                ("reason", candidate.reason.unwrap_or("none").to_owned()),
            ];
            all.push(counter("doorward_candidate_total", labels, 1));
        }
        all.extend(conflicts(self.conflicts));
        all.push(Measure { name: "doorward_duration_us", histogram: true, labels: vec![target()], value: spent_us });
        all
    }
}

fn counter(name: &'static str, labels: Vec<(&'static str, String)>, value: u64) -> Measure {
    Measure { name, histogram: false, labels, value }
}

/// Changes of shared counters that another worker was faster at.
pub fn conflicts(count: u64) -> Option<Measure> {
    (count > 0).then(|| counter("doorward_limit_conflicts_total", Vec::new(), count))
}

/// A value as it goes on the record.
fn written(value: String) -> String {
    unlike_erased(if is_printable(&value, 1024) { value } else { printable(&value) })
}

/// A value that a caller chose does not pass for one that was erased.
fn unlike_erased(value: String) -> String {
    match value.strip_prefix(ERASED) {
        Some(rest) => format!("%65rased:{rest}"),
        None => value,
    }
}

/// What became of placeholders: `restored=2,kept=1,foreign=3`.
fn placeholders(counts: Counts) -> Option<String> {
    let counts = [("restored", counts.restored), ("kept", counts.in_url), ("foreign", counts.foreign)];
    let some: Vec<String> = counts.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name}={n}")).collect();
    (!some.is_empty()).then(|| some.join(","))
}

/// What is left of a limit: `tokens-a-day=1200`; money as a decimal number.
fn remaining(standing: &Standing) -> String {
    let left = match standing.what {
        What::Cost => decimal(standing.remaining, ""),
        _ => standing.remaining.to_string(),
    };
    [&standing.id, "=", left.trim_end()].concat()
}

/// Billionths as a decimal number without trailing zeros, and the currency.
fn decimal(billionths: u64, currency: &str) -> String {
    let (whole, rest) = (billionths / 1_000_000_000, billionths % 1_000_000_000);
    let fraction = format!("{rest:09}");
    match fraction.trim_end_matches('0') {
        "" => format!("{whole} {currency}"),
        fraction => format!("{whole}.{fraction} {currency}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::KEYS;
    use super::*;

    #[test]
    fn money() {
        assert_eq!(decimal(2_600_000, "USD"), "0.0026 USD");
        assert_eq!(decimal(3_000_000_000, "EUR"), "3 EUR");
        assert_eq!(decimal(1, "USD"), "0.000000001 USD");
    }

    #[test]
    fn a_verdict_is_not_an_action() {
        let mut record = Record { judged: true, ..Record::default() };
        assert_eq!((record.decision(), record.action()), ("allow", "pass"));
        record.edited = true;
        assert_eq!((record.decision(), record.action()), ("allow", "edit"));
        record.denial = Some(Reason::ModelNotAllowed);
        assert_eq!((record.decision(), record.action()), ("deny", "observe"));
        record.enforced = true;
        assert_eq!((record.decision(), record.action()), ("deny", "reply"));
        assert_eq!((Record::default().decision(), Record::default().action()), ("none", "pass"));
    }

    #[test]
    fn values_are_keys_of_the_table_and_user_text_stays_inside() {
        let record = Record {
            model: Some("m".into()),
            usage: Some(Usage { input: 1, ..Usage::default() }),
            findings: BTreeMap::from([(("in", "EMAIL_ADDRESS".into(), "mask"), 2)]),
            rules: vec!["a".into(), "b".into()],
            ..Record::default()
        };
        let audit = Audit::default();
        let stamp = Stamp { policy: "p", digest: "d", packs: "", weakened: "", audit: &audit, spent_us: 5 };
        let values = record.values(stamp);
        assert!(values.iter().all(|(key, _)| KEYS.iter().any(|(k, _)| k == key)));
        assert!(values.contains(&("doorward.findings", "in:EMAIL_ADDRESS/mask=2".into())));
        assert!(values.contains(&("doorward.rules", "a,b".into())));
        let posing = Record { model: Some(format!("erased:{}", "0".repeat(32))), ..Record::default() };
        let posed = posing.values(stamp);
        assert!(posed.iter().any(|(key, value)| *key == "gen_ai.request.model" && value.starts_with("%65rased:")));
        let measures = record.measures(5, &[]);
        assert!(measures.iter().flat_map(|m| &m.labels).any(|l| *l == ("model", "other".to_owned())));
    }
}
