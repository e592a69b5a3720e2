//! What Doorward adds to an Envoy with one worker. V8 itself is not counted: the same Envoy with a module that does
//! nothing, under the same load, is taken off.
//!
//! Both run with Envoy's `memory_allocator_manager`, which gives free memory back to the system. Without it, which is
//! Envoy's default, what V8 took while it compiled the module stays with the process as free memory (and is used for
//! buffers later): that is measured, too.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::load::Load;
use super::traffic::PATH;
use super::upstream::Upstream;
use super::{body, process, variant};
use crate::envoy::{Gate, Policy, Wasm};
use crate::idp::Idp;
use crate::tools;

/// Megabytes (10^6 bytes) of resident memory.
#[derive(Clone, Debug, Serialize)]
pub struct Memory {
    /// Of an Envoy whose module does nothing.
    pub base_idle_mb: f64,
    /// Of the same after the load.
    pub base_loaded_mb: f64,
    /// Added by Doorward before the first request.
    pub idle_mb: f64,
    /// The same where Envoy keeps free memory to itself.
    pub idle_kept_mb: f64,
    /// Added by Doorward after [`REQUESTS`] bodies of 512 KB, [`AT_ONCE`] at once, over the same after the same load.
    pub loaded_mb: f64,
    /// Added by the load to what Doorward's Envoy took before it, Envoy's own buffers included.
    pub growth_mb: f64,
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
/// Free memory given back at once.
const RELEASED: &str = "1000000000";

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
    let kept = variant::serve(variant::listener(upstream, idp).wasm(base.clone())).await;
    let base_kept = settled(&kept).await;
    drop(kept);
    let kept = variant::serve(variant::listener(upstream, idp).wasm(variant::doorward())).await;
    let idle_kept_mb = settled(&kept).await - base_kept;
    drop(kept);
    let (base_idle_mb, base_loaded_mb, _) = load(base, upstream, idp).await?;
    let (idle, loaded, mut gate) = load(variant::doorward(), upstream, idp).await?;

    let before = settled(&gate).await;
    let mut reloads_mb = Vec::new();
    for n in 0..RELOADS {
        let mut policy = variant::policy();
        policy["limits"][0]["requests"] = json!(1_000_000 + n);
        gate.update_policy(Policy::Native(policy)).await.map_err(|e| e.to_string())?;
        reloads_mb.push(settled(&gate).await - before);
    }
    Ok(Memory {
        base_idle_mb,
        base_loaded_mb,
        idle_mb: idle - base_idle_mb,
        idle_kept_mb,
        loaded_mb: loaded - base_loaded_mb,
        growth_mb: loaded - idle,
        reloads_mb,
    })
}

/// Memory before and after the load.
async fn load(wasm: Wasm, upstream: &Upstream, idp: &Idp) -> Result<(f64, f64, Gate), String> {
    let directory = tools::scratch("bench-memory");
    let path = directory.join("body.json");
    std::fs::write(&path, body::request(512 * 1024)).map_err(|e| e.to_string())?;
    let release = json!({"memory_allocator_manager": {
        "bytes_to_release": RELEASED, "memory_release_interval": "0.1s",
    }});
    let gate = variant::serve_with(variant::listener(upstream, idp).wasm(wasm), release).await;
    let idle = settled(&gate).await;
    let (url, token) = (gate.url(PATH), variant::token(idp, 0));
    let load = Load { url: &url, token: &token, body: &path, requests: REQUESTS, connections: AT_ONCE, rate: None };
    load.run(&directory)?;
    let loaded = settled(&gate).await;
    Ok((idle, loaded, gate))
}

async fn settled(gate: &Gate) -> f64 {
    tokio::time::sleep(SETTLED).await;
    process::memory_mb(gate.envoy.pid())
}
