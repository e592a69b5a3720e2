//! What Doorward adds to Envoy's memory.
//!
//! V8 itself is not counted: the same Envoy with a module that does nothing is taken off. What is left comes once for the
//! process (V8 compiles the module for all workers; most of what it took is free afterwards, stays with the process, and is
//! used for buffers later) and once for each worker (its VM), which is told apart by Envoys with one and with nine workers.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::load::{Load, Pace};
use super::traffic::PATH;
use super::upstream::Upstream;
use super::{body, process, variant};
use crate::envoy::{Gate, Policy, Wasm};
use crate::idp::Idp;
use crate::tools;

/// Megabytes (10^6 bytes) of resident memory.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// Of an Envoy with one worker whose module does nothing.
    pub base_mb: f64,
    /// Added by Doorward for the process and its first worker, before the first request.
    pub process_mb: f64,
    /// Added by Doorward for each further worker.
    pub idle_mb: f64,
    /// The same and what [`REQUESTS`] bodies of 512 KB, [`AT_ONCE`] at once, add to an Envoy with one worker, its own
    /// buffers included.
    pub loaded_mb: f64,
    /// What the same load adds to the Envoy whose module does nothing.
    pub base_growth_mb: f64,
    /// Doorward's Envoy after each of [`RELOADS`] configuration reloads, less its memory before the first.
    pub reloads_mb: Vec<f64>,
}

/// Bodies of the load.
const REQUESTS: u32 = 1000;
/// How many of them at once.
const AT_ONCE: u32 = 64;
/// Configuration reloads.
const RELOADS: u32 = 20;
/// Until what Envoy frees in the background is freed, and an old listener is gone.
const SETTLED: Duration = Duration::from_millis(1500);
/// Workers of the Envoys that are compared with those of one.
const WORKERS: u32 = 9;

/// A module that Envoy takes and that does nothing: `(module (memory (export "memory") 1)
/// (func (export "proxy_abi_version_0_2_1")) (func (export "_initialize"))
/// (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024)))`.
const NOTHING: &[u8] = b"\0asm\x01\0\0\0\
    \x01\x09\x02\x60\x00\x00\x60\x01\x7f\x01\x7f\
    \x03\x04\x03\x00\x00\x01\x05\x03\x01\x00\x01\
    \x07\x4d\x04\
    \x06memory\x02\x00\
    \x17proxy_abi_version_0_2_1\x00\x00\
    \x0b_initialize\x00\x01\
    \x18proxy_on_memory_allocate\x00\x02\
    \x0a\x0d\x03\x02\x00\x0b\x02\x00\x0b\x05\x00\x41\x80\x08\x0b";

/// Measures both.
pub async fn measure(upstream: &Upstream, idp: &Idp) -> Result<Memory, String> {
    let directory = tools::scratch("bench-memory");
    let nothing = directory.join("nothing.wasm");
    std::fs::write(&nothing, NOTHING).map_err(|e| e.to_string())?;
    let mut base = Wasm::new(nothing, json!({}));
    base.policy = Policy::Absent;
    let base_mb = idle(base.clone(), 1, upstream, idp).await;
    let base_each = (idle(base.clone(), WORKERS, upstream, idp).await - base_mb) / f64::from(WORKERS - 1);
    let one = idle(variant::doorward(), 1, upstream, idp).await;
    let each = (idle(variant::doorward(), WORKERS, upstream, idp).await - one) / f64::from(WORKERS - 1);
    let (base_growth_mb, _) = load(base, upstream, idp).await?;
    let (growth, mut gate) = load(variant::doorward(), upstream, idp).await?;

    let before = settled(&gate).await;
    let mut reloads_mb = Vec::new();
    for n in 0..RELOADS {
        let mut policy = variant::policy();
        policy["limits"][0]["requests"] = json!(1_000_000 + n);
        gate.update_policy(Policy::Native(policy)).await.map_err(|e| e.to_string())?;
        reloads_mb.push(settled(&gate).await - before);
    }
    let idle_mb = each - base_each;
    Ok(Memory { base_mb, process_mb: one - base_mb, idle_mb, loaded_mb: idle_mb + growth, base_growth_mb, reloads_mb })
}

async fn idle(wasm: Wasm, workers: u32, upstream: &Upstream, idp: &Idp) -> f64 {
    settled(&variant::serve_with(variant::listener(upstream, idp).wasm(wasm), workers).await).await
}

/// What the load adds to an Envoy with one worker; and that Envoy.
async fn load(wasm: Wasm, upstream: &Upstream, idp: &Idp) -> Result<(f64, Gate), String> {
    let directory = tools::scratch("bench-memory");
    let path = directory.join("body.json");
    std::fs::write(&path, body::request(512 * 1024)).map_err(|e| e.to_string())?;
    let gate = variant::serve(variant::listener(upstream, idp).wasm(wasm)).await;
    let before = settled(&gate).await;
    let (url, token) = (gate.url(PATH), variant::token(idp, 0));
    let load =
        Load { url: &url, token: &token, body: &path, requests: REQUESTS, connections: AT_ONCE, pace: Pace::Full };
    load.run(&directory)?;
    let growth = settled(&gate).await - before;
    Ok((growth, gate))
}

async fn settled(gate: &Gate) -> f64 {
    tokio::time::sleep(SETTLED).await;
    process::memory_mb(gate.envoy.pid())
}
