//! `doorward baseline`: what callers usually do, out of access logs, as a policy has it.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use anyhow::bail;
use doorward_core::anomaly::{Baseline, Sample, Tuning, instant, name};
use serde_json::Value;

use crate::args::BaselineArguments;
use crate::{Outcome, input};

/// One line, as far as baselines need it.
struct Exchange {
    at: u64,
    caller: String,
    tokens: f32,
    cost: f32,
    denied: bool,
    names: Vec<u64>,
    findings: f32,
}

/// Reads lines of access logs and prints a baseline for each caller.
pub fn run(arguments: &BaselineArguments) -> anyhow::Result<Outcome> {
    let (mut exchanges, mut unread) = (Vec::new(), 0usize);
    for file in &arguments.files {
        for line in input::text(file)?.lines().filter(|line| !line.trim().is_empty()) {
            match read(line, &arguments.time) {
                Some(Some(exchange)) => exchanges.push(exchange),
                // Nobody was proven: no caller's.
                Some(None) => {}
                None => unread += 1,
            }
        }
    }
    // Several proxies' logs: each is in its own order.
    exchanges.sort_by_key(|exchange| exchange.at);
    let Some(last) = exchanges.last().map(|exchange| exchange.at) else {
        bail!("no line names a caller (`doorward.caller`) and a time (`{}`)", arguments.time);
    };
    let tuning = Tuning::default();
    let mut callers: BTreeMap<String, Baseline> = BTreeMap::new();
    for exchange in exchanges {
        let sample = Sample {
            tokens: exchange.tokens,
            cost: exchange.cost,
            denied: exchange.denied,
            names: &exchange.names,
            findings: exchange.findings,
            ..Sample::default()
        };
        callers.entry(exchange.caller).or_default().add(exchange.at, &sample, &tuning);
    }
    let mut out = String::from("baselines:\n");
    for (caller, baseline) in &mut callers {
        baseline.roll(last.saturating_add(3600), &tuning);
        out.push_str(&format!("- {{caller: \"{caller}\", learned: \"{}\"}}\n", baseline.export()));
    }
    io::stdout().write_all(out.as_bytes())?;
    if unread > 0 {
        anstream::eprintln!("{unread} lines could not be read and were left out");
        return Ok(Outcome::Problems);
    }
    Ok(Outcome::Clean)
}

/// Reads a line; `None` where it is none, `Some(None)` where nobody was proven.
fn read(line: &str, time: &str) -> Option<Option<Exchange>> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| line.get(key).and_then(Value::as_str).filter(|text| !text.is_empty() && *text != "-");
    let number = |key: &str| text(key).and_then(|text| text.parse::<f32>().ok()).unwrap_or(0.0);
    line.as_object()?;
    let Some(caller) = text("doorward.caller") else { return Some(None) };
    let tools = text("doorward.tools").unwrap_or_default().split(',').filter_map(|tool| {
        let (_, name) = tool.split_once(':')?;
        Some(name.rsplit_once('/')?.0)
    });
    let named = text("gen_ai.request.model").into_iter().chain(text("gen_ai.tool.name")).chain(tools);
    let counts = text("doorward.findings").unwrap_or_default().split(',');
    let findings = counts.filter_map(|finding| finding.rsplit_once('=')?.1.parse::<f32>().ok()).sum();
    let own = text("doorward.reason").is_some_and(|reason| reason.starts_with("anomaly."));
    Some(Some(Exchange {
        at: instant(text(time)?)?,
        caller: caller.to_owned(),
        tokens: number("gen_ai.usage.input_tokens") + number("gen_ai.usage.output_tokens"),
        cost: text("doorward.cost").and_then(|cost| cost.split(' ').next()?.parse().ok()).unwrap_or(0.0),
        denied: text("doorward.decision") == Some("deny") && !own,
        names: named.map(name).collect(),
        findings,
    }))
}
