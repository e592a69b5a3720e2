//! The comparison: interleaved rounds over the same Envoys, so that whatever else the machine does meets all alike.
//!
//! Each measurement of a round is one variant at one size, twice: first at a fixed rate, the same for all variants, from
//! which CPU and latencies come (under full load a faster variant would be asked more, and latency would be the queue's);
//! then as fast as its connections are answered, from which the throughput comes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::load::{Load, Pace};
use super::plan::{CONNECTIONS, LOADS, Plan};
use super::variant::{self, Variant};
use super::{body, process};
use crate::bench::upstream::Upstream;
use crate::envoy::Gate;
use crate::idp::Idp;
use crate::tools;

/// One variant at one size.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// [`Variant::name`].
    pub name: &'static str,
    /// Size of the request's body.
    pub body_bytes: usize,
    /// CPU of the whole Envoy process for each request, in microseconds: the median of the rounds.
    pub cpu_us: f64,
    /// Least and most of the rounds.
    pub cpu_us_range: [f64; 2],
    /// The same under full load.
    pub cpu_us_full: f64,
    /// Median latency at the fixed rate, in milliseconds, of all rounds.
    pub p50_ms: f64,
    /// 99th percentile of the same.
    pub p99_ms: f64,
    /// Requests a second under full load: the median of the rounds.
    pub rps: f64,
}

/// What is collected for a row.
#[derive(Default)]
struct Samples {
    cpu_us: Vec<f64>,
    cpu_us_full: Vec<f64>,
    latencies_us: Vec<f64>,
    rps: Vec<f64>,
}

/// Runs all rounds.
pub async fn compare(plan: &Plan, upstream: &Upstream, idp: &Idp) -> Result<Vec<Row>, String> {
    let directory = tools::scratch("bench");
    let bodies: Vec<(usize, u32, PathBuf)> = LOADS
        .iter()
        .map(|&(size, rate)| {
            let path = directory.join(format!("{size}.json"));
            std::fs::write(&path, body::request(size)).expect("write a body");
            (size, rate, path)
        })
        .collect();
    let mut gates = Vec::new();
    for variant in Variant::ALL {
        gates.push((variant, variant.start(upstream, idp).await));
    }
    let token = variant::token(idp, 0);
    let mut sent = 0;
    for (variant, gate) in &gates {
        for (.., body) in &bodies {
            let load =
                Load { url: &gate.url(PATH), token: &token, body, requests: 40, connections: 2, pace: Pace::Full };
            load.run(&directory).map_err(|e| format!("{}: {e}", variant.name()))?;
            sent += if *variant == Variant::Doorward { load.requests } else { 0 };
        }
    }
    let mut samples: BTreeMap<(usize, &str), Samples> = BTreeMap::new();
    for round in 1..=plan.rounds {
        eprint!("\rbench: round {round} of {} ", plan.rounds);
        for (size, rate, body) in &bodies {
            for (variant, gate) in &gates {
                let samples = samples.entry((*size, variant.name())).or_default();
                let requests = samples.measure(plan, gate, &token, body, *rate, &directory);
                let requests = requests.map_err(|e| format!("{} at {size} bytes: {e}", variant.name()))?;
                sent += if *variant == Variant::Doorward { requests } else { 0 };
            }
        }
    }
    eprintln!();
    for (variant, gate) in &gates {
        if *variant == Variant::Doorward {
            judged(gate, sent).await?;
        }
    }
    let mut rows = Vec::new();
    for (size, ..) in bodies {
        for variant in Variant::ALL {
            let samples = samples.remove(&(size, variant.name())).unwrap_or_default();
            rows.push(samples.row(variant.name(), size));
        }
    }
    Ok(rows)
}

/// Where all requests go.
pub const PATH: &str = "/v1/chat/completions";

impl Samples {
    /// One measurement at the fixed rate and one under full load; answers how many requests they were.
    fn measure(
        &mut self,
        plan: &Plan,
        gate: &Gate,
        token: &str,
        body: &Path,
        rate: u32,
        directory: &Path,
    ) -> Result<u32, String> {
        let url = gate.url(PATH);
        let load = |requests, pace| {
            let connections = if pace == Pace::Full { CONNECTIONS } else { 1 };
            Load { url: &url, token, body, requests, connections, pace }
        };
        let requests = ((f64::from(rate) * plan.seconds) as u32).max(1);
        let before = process::cpu(gate.envoy.pid());
        let outcome = load(requests, Pace::Even(rate)).run(directory)?;
        let cpu_us = (process::cpu(gate.envoy.pid()) - before).as_secs_f64() * 1e6 / f64::from(requests);
        self.cpu_us.push(cpu_us);
        self.latencies_us.extend(outcome.latencies.iter().map(|&us| us as f64));

        // One worker is the bottleneck, so that its CPU says how many requests fill the time.
        let full = ((plan.full_seconds * 1e6 / cpu_us) as u32).max(2 * CONNECTIONS);
        let before = process::cpu(gate.envoy.pid());
        let outcome = load(full, Pace::Full).run(directory)?;
        let spent = process::cpu(gate.envoy.pid()) - before;
        self.cpu_us_full.push(spent.as_secs_f64() * 1e6 / f64::from(full));
        self.rps.push(f64::from(full) / outcome.seconds.max(1e-6));
        Ok(requests + full)
    }

    fn row(mut self, name: &'static str, body_bytes: usize) -> Row {
        let range = [quantile(&mut self.cpu_us, 0.0), quantile(&mut self.cpu_us, 1.0)];
        Row {
            name,
            body_bytes,
            cpu_us: quantile(&mut self.cpu_us, 0.5),
            cpu_us_range: range,
            cpu_us_full: quantile(&mut self.cpu_us_full, 0.5),
            p50_ms: quantile(&mut self.latencies_us, 0.5) / 1e3,
            p99_ms: quantile(&mut self.latencies_us, 0.99) / 1e3,
            rps: quantile(&mut self.rps, 0.5),
        }
    }
}

/// Whether Doorward counted as many allowed requests as were sent: none passed it by.
async fn judged(gate: &Gate, sent: u32) -> Result<(), String> {
    let counters = gate.envoy.stats("doorward_requests_total").await;
    let allowed: u64 = counters.iter().filter(|(name, _)| name.contains(";decision=;allow;")).map(|(_, n)| n).sum();
    if allowed == u64::from(sent) && counters.values().sum::<u64>() == allowed {
        return Ok(());
    }
    Err(format!("doorward: {sent} requests were sent, but counted were {counters:?}"))
}

/// The value below which this share of the values lies, by the nearest rank; 0 where there are none.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * share).round() as usize).copied().unwrap_or(0.0)
}
