//! The identity step inside Envoy's V8: the module is built with the feature `bench`, and measures while it is configured
//! (`filter/plugin/src/bench.rs`). Its clock is Envoy's.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::plan::Plan;
use super::traffic::quantile;
use super::upstream::Upstream;
use super::variant;
use crate::idp::Idp;
use crate::wait::until;

/// Microseconds for one RS256 token of about 1 KB; medians.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Jwt {
    /// Envoy's own `verify_signature` alone.
    pub native_us: f64,
    /// The whole step for a token never seen: found in the headers, read, verified, its claims mapped.
    pub cold_us: f64,
    /// The whole step for a token verified before.
    pub warm_us: f64,
}

/// What the VM measured of itself.
#[derive(Clone, Copy, Debug)]
pub struct Vm {
    /// The identity step.
    pub jwt: Jwt,
    /// From the start of `on_configure` to a policy in force, in milliseconds: the slowest VM.
    pub on_configure_ms: f64,
}

/// What one VM writes to Envoy's log.
#[derive(Debug, Deserialize)]
struct Line {
    on_configure_us: f64,
    native_us: f64,
    cold_us: f64,
    warm_us: f64,
}

/// Configures the measuring module and reads what its VMs say: one tries the configuration out, then one on the main
/// thread and one on the worker.
pub async fn measure(plan: &Plan, upstream: &Upstream, idp: &Idp) -> Result<Vm, String> {
    let tokens: Vec<String> = (1..=plan.tokens).map(|serial| variant::token(idp, serial)).collect();
    let mut policy = variant::policy();
    policy["identity"]["jwt"][0]["jwks"] = json!({"inline": idp.jwks()});
    let mut wasm =
        variant::filter(variant::measuring_module()?, policy).env("DOORWARD_BENCH_TOKENS", &tokens.join(" "));
    wasm.vm_id = Some("doorward-bench-jwt".to_owned());
    let gate = variant::serve(variant::listener(upstream, idp).wasm(wasm)).await;
    let lines = until("what the measuring module says", async || {
        let log = gate.envoy.log();
        let said = log.lines().filter_map(|line| line.split_once("bench: ")?.1.split_once('}'));
        let lines: Vec<Line> = said.filter_map(|(json, _)| serde_json::from_str(&format!("{json}}}")).ok()).collect();
        if lines.len() < VMS { Err(log) } else { Ok(lines) }
    })
    .await;
    let middle = |f: fn(&Line) -> f64| quantile(&mut lines.iter().map(f).collect::<Vec<_>>(), 0.5);
    Ok(Vm {
        jwt: Jwt { native_us: middle(|l| l.native_us), cold_us: middle(|l| l.cold_us), warm_us: middle(|l| l.warm_us) },
        on_configure_ms: lines.iter().map(|l| l.on_configure_us).fold(0.0, f64::max) / 1e3,
    })
}

/// VMs that a listener with one worker configures.
const VMS: usize = 3;
