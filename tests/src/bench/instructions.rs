//! What limits cost in instructions: the same Envoys as in [`super::limits`], each under valgrind's callgrind. It takes minutes and says nothing
//! of caches and of the kernel; but a busy machine counts what an idle one does, to a few tenths of a percent. What a change did to a request
//! is seen here, and not in microseconds.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Serialize;

use super::limits::Way;
use super::load::{Load, Pace};
use super::plan::JUDGED_BYTES;
use super::traffic::PATH;
use super::upstream::Upstream;
use super::{body, variant};
use crate::envoy::Options;
use crate::idp::Idp;
use crate::{tools, wait};

/// The ways that are counted.
const WAYS: [Way; 5] = [Way::Plain, Way::Free, Way::Quiet, Way::Budget, Way::Limited];
/// Requests until V8 has compiled what is used for good.
const WARM: u32 = 1_500;
/// Requests that are counted.
const COUNTED: u32 = 300;
/// How many times slower an Envoy is under callgrind.
const SLOWER: u32 = 20;

/// Instructions of a request.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What stands between the listener and the router.
    pub way: Way,
    /// Instructions of the worker for each request.
    pub instructions: f64,
}

/// Whether callgrind can be started, and if not, what to do.
fn available() -> Result<(), String> {
    let started = Command::new("callgrind_control").arg("--version").stdout(Stdio::null()).status();
    started.map(drop).map_err(|e| format!("`callgrind_control` does not start ({e}); run `tests/setup-bench`"))
}

/// Counts them, one Envoy after the other.
pub async fn measure(upstream: &Upstream, idp: &Idp) -> Result<Vec<Row>, String> {
    available()?;
    eprintln!("bench: instructions, some three minutes for each Envoy");
    wait::be_patient(SLOWER);
    let directory = tools::scratch("bench-instructions");
    let body = directory.join("body.json");
    std::fs::write(&body, body::request(JUDGED_BYTES)).map_err(|e| e.to_string())?;
    let token = variant::token(idp, 0);
    let mut rows = Vec::new();
    for way in WAYS {
        let out = directory.join(format!("{}.out", rows.len()));
        // What V8 writes is code, too, and changes.
        let under = ["valgrind", "--tool=callgrind", "--smc-check=all-non-file", "--separate-threads=yes"];
        let mut under: Vec<_> = under.map(Into::into).into();
        under.push(format!("--callgrind-out-file={}", out.display()).into());
        let options = Options { under, ..variant::options() };
        let gate = variant::serve_as(way.spec(upstream, idp), options).await;
        let url = gate.url(PATH);
        let run = |requests| {
            let load = Load { url: &url, token: &token, body: &body, requests, connections: 1, pace: Pace::Full };
            load.run(&directory).map(drop)
        };
        run(WARM)?;
        control("--zero", gate.envoy.pid())?;
        run(COUNTED)?;
        control("--dump", gate.envoy.pid())?;
        let instructions = worker(&directory, &out)? as f64 / f64::from(COUNTED);
        eprintln!("bench: instructions, {}: {instructions:.0}", way.name());
        rows.push(Row { way, instructions });
    }
    Ok(rows)
}

fn control(what: &str, pid: u32) -> Result<(), String> {
    let output =
        Command::new("callgrind_control").args([what, &pid.to_string()]).output().map_err(|e| e.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("callgrind_control {what}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The instructions of the thread that did the most, the only worker, in the dump that was asked for: every thread has a file of its own.
fn worker(directory: &Path, out: &Path) -> Result<u64, String> {
    let prefix = format!("{}.", out.file_name().unwrap_or_default().to_string_lossy());
    let files = std::fs::read_dir(directory).map_err(|e| e.to_string())?.flatten();
    let dumps = files.filter(|file| file.file_name().to_string_lossy().starts_with(&prefix));
    let totals = dumps.filter_map(|file| {
        let text = std::fs::read_to_string(file.path()).ok()?;
        text.contains("desc: Trigger: dump").then_some(())?;
        text.lines().find_map(|line| line.strip_prefix("totals: ")?.split(' ').next()?.parse().ok())
    });
    totals.max().ok_or_else(|| format!("callgrind left no dump beside {}", out.display()))
}
