//! What limits add to a request, in one Envoy with one worker: three listeners whose policies differ in nothing but limits are asked in
//! turns of a fraction of a second, so that what one of them costs more is not hidden behind what two processes differ in, nor behind
//! what a machine does better or worse for some seconds. Of the differences within each turn, the median is told, and where it surely lies.

use serde::Serialize;

use super::limits::Way;
use super::load::{Load, Pace};
use super::plan::{JUDGED_BYTES, Plan};
use super::process;
use super::traffic::PATH;
use super::upstream::Upstream;
use super::{body, variant};
use crate::envoy::Envoy;
use crate::idp::Idp;
use crate::tools;

/// Turns for each round of the plan.
const TURNS: usize = 12;
/// Seconds of each measurement in a turn.
const SECONDS: f64 = 0.3;
/// Requests a second under full load, about.
const FULL_RATE: f64 = 1_500.0;
/// The ways that are compared, the one without limits first.
const WAYS: [Way; 3] = [Way::Free, Way::Budget, Way::Limited];

/// What one way adds.
#[derive(Clone, Debug, Serialize)]
pub struct Added {
    /// The way.
    pub way: Way,
    /// At the plan's rate.
    pub even: Estimate,
    /// As fast as requests are answered.
    pub full: Estimate,
}

/// Microseconds of CPU for each request.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Estimate {
    /// The median of all turns.
    pub us: f64,
    /// Between these the median lies with 95 % probability (by order statistics).
    pub surely: [f64; 2],
}

/// Measures in turns.
pub async fn measure(plan: &Plan, upstream: &Upstream, idp: &Idp) -> Result<Vec<Added>, String> {
    let directory = tools::scratch("bench-added");
    let file = directory.join("body.json");
    std::fs::write(&file, body::request(JUDGED_BYTES)).map_err(|e| e.to_string())?;
    let token = variant::token(idp, 0);
    let envoy = Envoy::start(variant::options()).await;
    let mut gates = Vec::new();
    for way in WAYS {
        gates.push(envoy.listener(way.spec(upstream, idp)).await.map_err(|refused| refused.to_string())?);
    }
    let run = |place: usize, rate: f64, pace: Pace| -> Result<f64, String> {
        let url = gates.get(place).ok_or("no such way")?.url(PATH);
        let requests = (rate * SECONDS) as u32;
        let load = Load { url: &url, token: &token, body: &file, requests, connections: 1, pace };
        let cpu = process::cpu(envoy.pid());
        load.run(&directory)?;
        Ok((process::cpu(envoy.pid()) - cpu).as_secs_f64() * 1e6 / f64::from(requests))
    };
    for place in 0..WAYS.len() {
        for _ in 0..5 {
            run(place, FULL_RATE, Pace::Full)?;
        }
    }
    let turns = TURNS * plan.rounds as usize;
    let mut samples: Vec<[f64; 2 * WAYS.len()]> = Vec::new();
    for turn in 0..turns {
        eprint!("\rbench: what limits add, turn {} of {turns} ", turn + 1);
        let mut sample = [0.0; 2 * WAYS.len()];
        for step in 0..WAYS.len() {
            // Nobody is always the first one.
            let place = (turn + step) % WAYS.len();
            sample[place] = run(place, f64::from(plan.rate), Pace::Together(plan.rate))?;
            sample[place + WAYS.len()] = run(place, FULL_RATE, Pace::Full)?;
        }
        samples.push(sample);
    }
    eprintln!();
    let added = |place: usize, free: usize| estimate(samples.iter().map(|s| s[place] - s[free]).collect());
    let ways = WAYS.iter().enumerate().skip(1);
    Ok(ways
        .map(|(place, way)| Added { way: *way, even: added(place, 0), full: added(place + WAYS.len(), WAYS.len()) })
        .collect())
}

/// The median and its confidence interval: the order statistics that as many coins as there are values leave out in 5 % of throws.
fn estimate(mut values: Vec<f64>) -> Estimate {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    let half = 0.98 * (count as f64).sqrt();
    let at =
        |rank: f64| values.get((rank.round().max(0.0) as usize).min(count.saturating_sub(1))).copied().unwrap_or(0.0);
    let middle = (count as f64 - 1.0) / 2.0;
    let us = (at(middle.floor()) + at(middle.ceil())) / 2.0;
    Estimate { us, surely: [at((middle - half).floor()), at((middle + half).ceil())] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_its_bounds() {
        let values: Vec<f64> = (0..101).map(|n| f64::from(n * 37 % 101)).collect();
        let Estimate { us, surely } = estimate(values);
        assert_eq!((us, surely), (50.0, [40.0, 60.0]));
        assert_eq!(estimate(vec![1.0, 4.0]).us, 2.5);
        assert_eq!(estimate(vec![7.0]).surely, [7.0, 7.0]);
    }
}
