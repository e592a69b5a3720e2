//! `make bench`: what Doorward costs on a real Envoy, beside plain Envoy and beside Envoy's own jwt_authn with a Lua
//! filter that does a fraction of the job.
//!
//! - [`traffic`]: CPU, latency and throughput of the three at several body sizes.
//! - [`streaming`]: CPU, time to the first token and memory of streamed answers.
//! - [`added`]: what limits add to the filter's own time for a request.
//! - [`instructions`]: the same in instructions, where it is asked for.
//! - [`limits`]: how workers get along that count together.
//! - [`jwt`]: verifying a token inside the VM, seen before and not; loading a configuration.
//! - [`memory`]: what Doorward adds to Envoy's memory: idle, after load, after reloads.
//! - [`report`]: the table, the limits of the design, and `target/bench/summary.json`.

pub mod added;
pub mod body;
pub mod events;
pub mod instructions;
pub mod jwt;
pub mod limits;
pub mod load;
pub mod memory;
pub mod plan;
pub mod process;
pub mod report;
pub mod streaming;
pub mod traffic;
pub mod upstream;
pub mod variant;

use std::process::ExitCode;

use self::plan::{Part, Plan};
use self::report::{Report, Whole};
use self::upstream::Upstream;
use crate::idp::{Algorithm, Idp};
use crate::tools;

/// Runs it all.
pub async fn run(plan: Plan) -> ExitCode {
    let report = match measure(&plan).await {
        Ok(report) => report,
        Err(problem) => {
            eprintln!("bench: {problem}");
            return ExitCode::FAILURE;
        }
    };
    report.print();
    report.write();
    if plan.strict && !report.holds() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn measure(plan: &Plan) -> Result<Report, String> {
    if plan.only != Some(Part::Streams) {
        load::available()?;
    }
    let wasm = tools::wasm().ok_or("doorward.wasm is not built; run `make wasm`")?;
    let wasm_bytes = std::fs::metadata(wasm).map_err(|e| e.to_string())?.len();
    let upstream = Upstream::start();
    let idp = Idp::start(Algorithm::RS256).await;
    let streaming = match plan.has(Part::Streams) {
        true => {
            eprintln!("bench: streams");
            Some(streaming::measure(plan, &upstream, &idp).await?)
        }
        false => None,
    };
    let limits = match plan.has(Part::Limits) {
        true => Some(limits::measure(plan, &upstream, &idp).await?),
        false => None,
    };
    let added = match plan.has(Part::Added) {
        true => Some(added::measure(plan, &upstream, &idp).await?),
        false => None,
    };
    let instructions = match plan.has(Part::Instructions) {
        true => Some(instructions::measure(&upstream, &idp).await?),
        false => None,
    };
    if plan.only.is_some() {
        return Ok(Report { wasm_bytes, streaming, limits, added, instructions, whole: None });
    }
    eprintln!("bench: tokens in the VM");
    let vm = jwt::measure(plan, &upstream, &idp).await?;
    eprintln!("bench: traffic, about {:.0} s", plan.traffic_seconds());
    let rows = traffic::compare(plan, &upstream, &idp).await?;
    let memory = match plan.memory {
        true => {
            eprintln!("bench: memory");
            Some(memory::measure(&upstream, &idp).await?)
        }
        false => None,
    };
    Ok(Report { wasm_bytes, streaming, limits, added, instructions, whole: Some(Whole { rows, vm, memory }) })
}
