//! How workers get along that count together: one budget, and four limits as a team has them, beside the same policy without any; with one
//! worker and with eight. What limits add to a request is measured in [`super::added`].
//!
//! All are asked the same at the same rate, over as many connections: eight workers meet at the same counters, and one that finds a
//! counter changed by another meanwhile does it again. How often that happened is in Doorward's own stats.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::load::{Load, Pace};
use super::plan::{JUDGED_BYTES, Plan};
use super::traffic::{PATH, quantile};
use super::upstream::Upstream;
use super::{body, process, variant};
use crate::envoy::{Gate, ListenerSpec};
use crate::idp::Idp;
use crate::tools;

/// Connections: Envoy deals them out to its workers.
pub const CONNECTIONS: u32 = 16;
/// Workers of the Envoys that have many.
pub const WORKERS: u32 = 8;

/// What stands between the listener and the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Nothing.
    Plain,
    /// Doorward without limits.
    Free,
    /// Doorward with a budget of tokens.
    Budget,
    /// The same, of which only refusals tell the caller.
    Quiet,
    /// Doorward with four limits.
    Limited,
}

impl Way {
    /// All, in the order in which they are shown.
    pub const ALL: [Way; 4] = [Way::Plain, Way::Free, Way::Budget, Way::Limited];

    /// As in `summary.json`.
    pub fn name(self) -> &'static str {
        match self {
            Way::Plain => "plain",
            Way::Free => "no limits",
            Way::Budget => "a budget",
            Way::Quiet => "a budget, told by refusals",
            Way::Limited => "four limits",
        }
    }

    /// The listener of an Envoy that works so.
    pub fn spec(self, upstream: &Upstream, idp: &Idp) -> ListenerSpec {
        let spec = variant::listener(upstream, idp);
        let module = tools::wasm().expect("doorward.wasm is not built; run `make wasm`");
        if self == Way::Plain { spec } else { spec.wasm(variant::filter(module, self.policy())) }
    }

    /// The policy.
    pub fn policy(self) -> Value {
        let mut policy = variant::policy();
        policy["limits"] = match self {
            Way::Plain | Way::Free => json!([]),
            Way::Budget | Way::Quiet => json!([limits()[0]]),
            Way::Limited => limits(),
        };
        if self == Way::Quiet {
            policy["answers"] = json!({"limit_headers": "refusals"});
        }
        policy
    }
}

/// Tokens, money, calls at a time and a rate, none of which the load comes near to.
fn limits() -> Value {
    json!([
        {"id": "tokens", "total_tokens": 100_000_000_000u64, "calendar": "day", "per": "principal"},
        {"id": "money", "cost": 1_000_000, "calendar": "month", "per": "team"},
        {"id": "at-once", "concurrent": 1_000, "per": "principal"},
        {"id": "rate", "requests": 100_000_000, "window": "1m", "per": "principal"},
    ])
}

/// One way with so many workers.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// [`Way::name`].
    pub way: Way,
    /// Envoy's `--concurrency`.
    pub workers: u32,
    /// CPU of the Envoy process for each request, in microseconds: the median of the rounds.
    pub cpu_us: f64,
    /// Least and most of the rounds.
    pub cpu_us_range: [f64; 2],
    /// The same as fast as all connections are answered: what the work takes, and not what waking up for it does.
    pub cpu_us_full: f64,
    /// Compare-and-swaps for each request that another worker was faster at.
    pub conflicts: f64,
    /// The same as fast as all connections are answered.
    pub conflicts_full: f64,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Limits {
    /// Requests a second.
    pub rate: u32,
    /// All connections sent at the same instant.
    pub together: bool,
    /// Each way with each number of workers.
    pub rows: Vec<Row>,
    /// CPU with eight workers over CPU with one, with limits: the median of the rounds.
    pub ratio: f64,
    /// The same of plain Envoy.
    pub ratio_plain: f64,
    /// The same of Doorward without limits.
    pub ratio_free: f64,
}

#[derive(Default)]
struct Samples {
    cpu_us: Vec<f64>,
    cpu_us_full: Vec<f64>,
    conflicts: Vec<f64>,
    conflicts_full: Vec<f64>,
}

/// Runs all rounds, interleaved.
pub async fn measure(plan: &Plan, upstream: &Upstream, idp: &Idp) -> Result<Limits, String> {
    let directory = tools::scratch("bench-limits");
    let body = directory.join("body.json");
    std::fs::write(&body, body::request(JUDGED_BYTES)).expect("write a body");
    let token = variant::token(idp, 0);
    let mut gates = Vec::new();
    for way in Way::ALL {
        for workers in [1, WORKERS] {
            let gate = variant::serve_with(way.spec(upstream, idp), workers).await;
            run(&gate, &token, &body, 20 * WORKERS * CONNECTIONS, Pace::Full, &directory)?;
            gates.push((way, workers, gate));
        }
    }
    let pace = if plan.together { Pace::Together(plan.rate) } else { Pace::Even(plan.rate) };
    let mut samples: BTreeMap<(Way, u32), Samples> = BTreeMap::new();
    for round in 1..=plan.rounds {
        eprint!("\rbench: limits, round {round} of {} ", plan.rounds);
        for (way, workers, gate) in &gates {
            let samples = samples.entry((*way, *workers)).or_default();
            let requests = ((f64::from(plan.rate) * plan.seconds) as u32).max(CONNECTIONS);
            let (cpu_us, conflicts) = measured(gate, &token, &body, requests, pace, &directory).await?;
            samples.cpu_us.push(cpu_us);
            samples.conflicts.push(conflicts);
            let full = (4_000.0 * plan.full_seconds) as u32;
            let (cpu_us, conflicts) = measured(gate, &token, &body, full, Pace::Full, &directory).await?;
            samples.cpu_us_full.push(cpu_us);
            samples.conflicts_full.push(conflicts);
        }
    }
    eprintln!();
    let over = |way: Way| {
        let rounds = |workers| samples[&(way, workers)].cpu_us.iter();
        quantile(&mut rounds(WORKERS).zip(rounds(1)).map(|(many, one)| many / one).collect::<Vec<_>>(), 0.5)
    };
    let (ratio, ratio_plain, ratio_free) = (over(Way::Limited), over(Way::Plain), over(Way::Free));
    let rows = samples.into_iter().map(|((way, workers), mut samples)| Row {
        way,
        workers,
        cpu_us_range: [quantile(&mut samples.cpu_us, 0.0), quantile(&mut samples.cpu_us, 1.0)],
        cpu_us: quantile(&mut samples.cpu_us, 0.5),
        cpu_us_full: quantile(&mut samples.cpu_us_full, 0.5),
        conflicts: quantile(&mut samples.conflicts, 0.5),
        conflicts_full: quantile(&mut samples.conflicts_full, 0.5),
    });
    Ok(Limits { rate: plan.rate, together: plan.together, rows: rows.collect(), ratio, ratio_plain, ratio_free })
}

fn run(gate: &Gate, token: &str, body: &Path, requests: u32, pace: Pace, directory: &Path) -> Result<(), String> {
    let load = Load { url: &gate.url(PATH), token, body, requests, connections: CONNECTIONS, pace };
    load.run(directory).map(drop)
}

/// Answers the CPU in microseconds and the conflicts, for each request.
async fn measured(
    gate: &Gate,
    token: &str,
    body: &Path,
    requests: u32,
    pace: Pace,
    directory: &Path,
) -> Result<(f64, f64), String> {
    let conflicts = async || -> u64 { gate.envoy.stats("doorward_limit_conflicts_total").await.values().sum() };
    let before = conflicts().await;
    let cpu = process::cpu(gate.envoy.pid());
    run(gate, token, body, requests, pace, directory)?;
    let cpu = process::cpu(gate.envoy.pid()) - cpu;
    let each = f64::from(requests);
    Ok((cpu.as_secs_f64() * 1e6 / each, (conflicts().await - before) as f64 / each))
}
