//! A whole suite, offline.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorward_core::config::Tree;
use doorward_core::engine::Engine;

use crate::check::check;
use crate::coverage::Coverage;
use crate::format::{Case, Suite};
use crate::play::{Proxy, compile};
use crate::suite::Stage;

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything as expected.
    Pass,
    /// What differs.
    Fail(Vec<String>),
    /// It could not be played.
    Error(String),
}

/// One test that was played.
#[derive(Clone, Debug)]
pub struct Played {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

/// A suite that was played.
#[derive(Clone, Debug)]
pub struct Report {
    /// The tests.
    pub cases: Vec<Played>,
    /// What they have met.
    pub coverage: Coverage,
}

/// Plays the tests of a suite for which `wanted` holds.
///
/// # Errors
/// The policy does not compile.
pub fn run(suite: &Suite, policy: Tree, wanted: &dyn Fn(&Case) -> bool) -> anyhow::Result<Report> {
    let mut coverage = Coverage::of(&policy);
    let stage = Stage::new(suite, policy)?;
    let engine = compile(&stage)?;
    let now_ms = now_ms(suite);
    let mut cases = Vec::new();
    for case in suite.cases.iter().filter(|case| wanted(case)) {
        let begun = Instant::now();
        let verdict = match play(suite, case, &stage, &engine, now_ms, &mut coverage) {
            Ok(wrong) if wrong.is_empty() => Verdict::Pass,
            Ok(wrong) => Verdict::Fail(wrong),
            Err(error) => Verdict::Error(format!("{error:#}")),
        };
        cases.push(Played { name: case.name.clone(), verdict, took: begun.elapsed() });
    }
    Ok(Report { cases, coverage })
}

fn play(
    suite: &Suite,
    case: &Case,
    stage: &Stage,
    engine: &Engine,
    now_ms: u64,
    coverage: &mut Coverage,
) -> anyhow::Result<Vec<String>> {
    let shots = stage.shots(suite, case)?;
    let mut proxy = Proxy::new(stage, engine, now_ms)?;
    let mut wrong = Vec::new();
    for (number, shot) in shots.iter().enumerate() {
        let outcome = proxy.play(shot, &case.calls)?;
        coverage.add(&outcome);
        let differs = check(&shot.expect, &outcome);
        let named = |line: String| if shots.len() > 1 { format!("exchange {}: {line}", number + 1) } else { line };
        wrong.extend(differs.into_iter().map(named));
    }
    Ok(wrong)
}

/// When a suite takes place, in milliseconds since 1970: when it says, or today at noon, in UTC. Not now, so that no window of a
/// limit ends between two exchanges on some days only.
pub fn now_ms(suite: &Suite) -> u64 {
    const DAY_MS: u64 = 86_400_000;
    let said = suite.now.as_deref().and_then(doorward_core::anomaly::instant);
    said.map(|seconds| seconds.saturating_mul(1000)).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let days = u64::try_from(now.as_millis()).unwrap_or(0) / DAY_MS;
        days.saturating_mul(DAY_MS).saturating_add(DAY_MS / 2)
    })
}
