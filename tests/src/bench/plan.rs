//! How much is measured; every number can be set by an environment variable.

use std::env;

/// Size of a request's body in bytes, and requests a second at which all variants are compared.
///
/// The rate is one that the slowest of them carries without a queue, so that latencies are those of the work itself.
pub const LOADS: [(usize, u32); 4] = [(512, 400), (2048, 400), (32 * 1024, 80), (512 * 1024, 6)];

/// The size that the limit is about.
pub const JUDGED_BYTES: usize = 2048;

/// Connections of the full load. The fixed rate comes over one: several would send at the same instant, and wait for one
/// another in the only worker.
pub const CONNECTIONS: u32 = 4;

/// A part that can be measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Streamed answers.
    Streams,
    /// Workers that count together.
    Limits,
    /// What limits add to a request.
    Added,
    /// Instructions of a request, which are not counted unless they are asked for.
    Instructions,
}

/// What one run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Rounds; each measures every variant at every size once.
    pub rounds: u32,
    /// Seconds of each measurement at a fixed rate.
    pub seconds: f64,
    /// Seconds of each measurement of throughput.
    pub full_seconds: f64,
    /// Tokens that are verified.
    pub tokens: usize,
    /// Requests a second at which limits are compared.
    pub rate: u32,
    /// Whether all connections send at the same instant there, and not one after the other.
    pub together: bool,
    /// Whether memory is measured.
    pub memory: bool,
    /// The only part to measure.
    pub only: Option<Part>,
    /// Whether figures beyond a limit fail the run.
    pub strict: bool,
}

impl Plan {
    /// From `BENCH_ROUNDS`, `BENCH_SECONDS`, `BENCH_FULL_SECONDS`, `BENCH_TOKENS`, `BENCH_RATE`, `BENCH_TOGETHER=1`, `BENCH_MEMORY=0`, `BENCH_STRICT=1`,
    /// `BENCH_ONLY=streams`, `=limits`, `=added` or `=instructions`.
    pub fn from_env() -> Self {
        Self {
            rounds: number("BENCH_ROUNDS", 5).max(1),
            seconds: number("BENCH_SECONDS", 2.0),
            full_seconds: number("BENCH_FULL_SECONDS", 0.7),
            tokens: number("BENCH_TOKENS", 200),
            rate: number("BENCH_RATE", 400),
            together: number("BENCH_TOGETHER", 0) != 0,
            memory: number("BENCH_MEMORY", 1) != 0,
            only: match env::var("BENCH_ONLY").as_deref() {
                Ok("streams") => Some(Part::Streams),
                Ok("limits") => Some(Part::Limits),
                Ok("added") => Some(Part::Added),
                Ok("instructions") => Some(Part::Instructions),
                Ok(other) => {
                    panic!(
                        "BENCH_ONLY: `{other}` is no part of the bench; say `streams`, `limits`, `added` or `instructions`"
                    )
                }
                Err(_) => None,
            },
            strict: number("BENCH_STRICT", 0) != 0,
        }
    }

    /// Whether a part is measured.
    pub fn has(&self, part: Part) -> bool {
        self.only.map_or(part != Part::Instructions, |only| only == part)
    }

    /// How long the comparison takes, about.
    pub fn traffic_seconds(&self) -> f64 {
        let measurements = f64::from(self.rounds) * (LOADS.len() * 3) as f64;
        measurements * (self.seconds + self.full_seconds) + 5.0
    }
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: `{text}` is no number that fits")),
        Err(_) => default,
    }
}
