//! What limits add to a request: four listeners of one Envoy with one worker, whose policies differ in nothing but limits, are asked at
//! the same time, and the measuring module tells how long the filter took for the median of two hundred requests, by Envoy's clock. That
//! is all that limits do for a request: the estimate, admission, settlement, what of them is on the record, and the headers by which
//! answers tell the caller, which one of the policies leaves out.
//!
//! The CPU of whole processes, as [`super::limits`] measures it, differs by more than that from one second to the next, and between two
//! processes that do the same. So does the filter's own time from one second to the next: what is compared is of the same seconds.

use std::collections::BTreeMap;
use std::thread;

use serde::{Deserialize, Serialize};

use super::limits::Way;
use super::load::{Load, Pace};
use super::plan::{JUDGED_BYTES, Plan};
use super::traffic::{PATH, quantile};
use super::upstream::Upstream;
use super::{body, variant};
use crate::envoy::{Envoy, Gate};
use crate::idp::Idp;
use crate::tools;
use crate::wait::until;

/// Requests of which the module tells the median.
const REQUESTS: u32 = 200;
/// Turns for each round of the plan, of each pace.
const TURNS: usize = 6;
/// Turns until V8 has compiled for good what runs once in a request: it counts how much was run, and loops come first.
const WARM: usize = 150;
/// The ways that are compared, the one without limits first.
const WAYS: [Way; 4] = [Way::Free, Way::Quiet, Way::Budget, Way::Limited];

/// What one way adds.
#[derive(Clone, Debug, Serialize)]
pub struct Added {
    /// The way.
    pub way: Way,
    /// At the plan's rate.
    pub even: Estimate,
    /// One request right after the other.
    pub full: Estimate,
}

/// Microseconds for each request.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Estimate {
    /// What the filter takes in all: the median of the turns.
    pub all_us: f64,
    /// What of it limits add: the median of the differences within each turn.
    pub us: f64,
    /// The middle half of these differences.
    pub half: [f64; 2],
}

/// What the module says.
#[derive(Debug, Deserialize)]
struct Line {
    policy: String,
    spent_us: f64,
}

/// Measures in turns.
pub async fn measure(plan: &Plan, upstream: &Upstream, idp: &Idp) -> Result<Vec<Added>, String> {
    let directory = tools::scratch("bench-added");
    let file = directory.join("body.json");
    std::fs::write(&file, body::request(JUDGED_BYTES)).map_err(|e| e.to_string())?;
    let token = variant::token(idp, 0);
    let module = variant::measuring_module()?;
    let envoy = Envoy::start(variant::options()).await;
    let mut gates = Vec::new();
    for way in WAYS {
        let mut policy = way.policy();
        policy["name"] = name(way).into();
        let spec = variant::listener(upstream, idp).wasm(variant::filter(module.clone(), policy));
        let gate = envoy.listener(spec).await.map_err(|refused| refused.to_string())?;
        std::fs::create_dir_all(directory.join(&gate.name)).map_err(|e| e.to_string())?;
        gates.push(gate);
    }
    let turns = TURNS * plan.rounds as usize;
    let share = plan.rate / u32::try_from(WAYS.len()).unwrap_or(u32::MAX);
    let paces = [(Pace::Full, WARM), (Pace::Together(share), turns), (Pace::Full, turns)];
    for (pace, turns) in paces {
        for turn in 0..turns {
            eprint!("\rbench: what limits add, {pace:?}, turn {} of {turns}      ", turn + 1);
            let ask = |gate: &Gate| {
                let url = gate.url(PATH);
                let load = Load { url: &url, token: &token, body: &file, requests: REQUESTS, connections: 1, pace };
                load.run(&directory.join(&gate.name)).map(drop)
            };
            thread::scope(|scope| {
                let asked: Vec<_> = gates.iter().map(|gate| scope.spawn(|| ask(gate))).collect();
                asked.into_iter().try_for_each(|asked| asked.join().expect("a load does not panic"))
            })?;
        }
    }
    eprintln!();
    let told = until("what the measuring module says", async || {
        let mut told: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let log = envoy.log();
        let said = log.lines().filter_map(|line| line.split_once(" bench: "));
        for Line { policy, spent_us } in said.filter_map(|(_, json)| serde_json::from_str(json).ok()) {
            told.entry(policy).or_default().push(spent_us);
        }
        let all = WARM + 2 * turns;
        let complete = WAYS.iter().all(|way| told.get(name(*way)).is_some_and(|told| told.len() == all));
        if complete { Ok(told) } else { Err(format!("not {all} of each way: {told:?}")) }
    })
    .await;
    let estimate = |way: Way, from: usize| {
        let of = |way: Way| &told[name(way)][from..from + turns];
        let mut added: Vec<f64> = of(way).iter().zip(of(WAYS[0])).map(|(way, free)| way - free).collect();
        Estimate {
            all_us: quantile(&mut of(way).to_vec(), 0.5),
            us: quantile(&mut added, 0.5),
            half: [quantile(&mut added, 0.25), quantile(&mut added, 0.75)],
        }
    };
    let added = |way: Way| Added { way, even: estimate(way, WARM), full: estimate(way, WARM + turns) };
    Ok(WAYS.into_iter().map(added).collect())
}

fn name(way: Way) -> &'static str {
    match way {
        Way::Plain => "plain",
        Way::Free => "free",
        Way::Quiet => "quiet",
        Way::Budget => "budget",
        Way::Limited => "limited",
    }
}
