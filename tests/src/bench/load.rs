//! Load from `h2load`: a fixed number of requests over HTTP/1.1, at a fixed rate or one after the other, with every
//! request's status and latency.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Requests to send.
pub struct Load<'a> {
    /// Where to.
    pub url: &'a str,
    /// The bearer token.
    pub token: &'a str,
    /// File with the body.
    pub body: &'a Path,
    /// How many.
    pub requests: u32,
    /// Connections; each has one request under way at a time.
    pub connections: u32,
    /// How fast.
    pub pace: Pace,
}

/// How fast requests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as they are answered.
    Full,
    /// So many a second, one connection after the other, as callers who know nothing of each other send.
    Even(u32),
    /// So many a second, all connections at the same instant.
    Together(u32),
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Latency of each request in microseconds.
    pub latencies: Vec<u64>,
    /// From the first request to the last answer, in seconds.
    pub seconds: f64,
}

/// An `h2load` that was started.
struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Its log, once it has ended.
    fn end(self) -> Result<String, String> {
        let output = self.child.wait_with_output().map_err(|e| format!("h2load: {e}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(format!("h2load ended with {}:\n{said}", output.status));
        }
        fs::read_to_string(&self.log).map_err(|e| format!("h2load's log: {e}\n{said}"))
    }
}

/// Whether `h2load` can be started, and if not, what to do.
pub fn available() -> Result<(), String> {
    match Command::new("h2load").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err("`h2load` is missing; run `tests/setup-bench`".to_owned()),
        Err(e) => Err(format!("`h2load` does not start: {e}")),
    }
}

impl Load<'_> {
    /// Sends them all. Anything but that many answers with status 200 is an error.
    ///
    /// The connections of one `h2load` all send at the same instant; where they are not to, every one has an `h2load` of its own, and they
    /// begin one after the other.
    pub fn run(&self, directory: &Path) -> Result<Outcome, String> {
        let (each, connections, pause) = match self.pace {
            Pace::Even(rate) => (self.connections, 1, Duration::from_secs_f64(1.0 / f64::from(rate.max(1)))),
            Pace::Full | Pace::Together(_) => (1, self.connections, Duration::ZERO),
        };
        let begin = Instant::now();
        let mut running = Vec::new();
        for place in 0..each {
            thread::sleep((begin + pause * place).saturating_duration_since(Instant::now()));
            let requests = self.requests / each + u32::from(place < self.requests % each);
            running.push(self.start(requests, connections, &directory.join(format!("h2load-{place}.tsv")))?);
        }
        // All of them are waited for, whatever came of one.
        let texts: Vec<_> = running.into_iter().map(Running::end).collect();
        let mut text = String::new();
        for said in texts {
            text += &said?;
        }
        self.read(&text)
    }

    fn start(&self, requests: u32, connections: u32, log: &Path) -> Result<Running, String> {
        fs::remove_file(log).ok();
        let mut command = Command::new("h2load");
        command.arg("--h1").arg("-n").arg(requests.to_string()).arg("-c").arg(connections.to_string());
        if let Pace::Even(rate) | Pace::Together(rate) = self.pace {
            command.arg("--rps").arg((f64::from(rate) / f64::from(self.connections)).to_string());
        }
        command.arg("--log-file").arg(log).arg("-d").arg(self.body);
        command.arg("-H").arg(format!("authorization: Bearer {}", self.token));
        command.arg("-H").arg("content-type: application/json").arg(self.url);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|e| format!("h2load: {e}"))?;
        Ok(Running { child, log: log.to_owned() })
    }

    /// Lines of start (microseconds since the epoch), status, and microseconds to the end of the answer.
    fn read(&self, text: &str) -> Result<Outcome, String> {
        let mut outcome = Outcome::default();
        let (mut first, mut last) = (u64::MAX, 0);
        for line in text.lines() {
            let mut columns = line.split('\t');
            let mut number = || columns.next().and_then(|c| c.parse::<u64>().ok());
            let (Some(start), Some(200), Some(latency)) = (number(), number(), number()) else {
                return Err(format!("a request was not answered with 200: `{line}` (start, status, microseconds)"));
            };
            outcome.latencies.push(latency);
            first = first.min(start);
            last = last.max(start + latency);
        }
        outcome.seconds = last.saturating_sub(first) as f64 / 1e6;
        let wanted = usize::try_from(self.requests).unwrap_or(usize::MAX);
        if outcome.latencies.len() != wanted {
            return Err(format!("{} of {wanted} requests were answered", outcome.latencies.len()));
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(requests: u32) -> Load<'static> {
        Load { url: "", token: "", body: Path::new(""), requests, connections: 1, pace: Pace::Full }
    }

    #[test]
    fn every_request_must_be_answered_with_200() {
        let outcome = load(2).read("1000000\t200\t300\n1000500\t200\t1500\n").unwrap();
        assert_eq!(outcome.latencies, [300, 1500]);
        assert!((outcome.seconds - 0.002).abs() < 1e-9);
        assert!(load(2).read("1000000\t200\t300\n1000500\t429\t1500\n").unwrap_err().contains("429"));
        assert!(load(2).read("1000000\t200\t300\n1000500\t-1\t1500\n").is_err());
        assert!(load(2).read("1000000\t200\t300\n").unwrap_err().contains("1 of 2"));
    }
}
