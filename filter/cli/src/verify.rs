//! `doorward verify`: whether access logs are what the filter wrote.
//!
//! Lines come in any order, from any number of proxies and files. For each life of each worker the runs of records without a gap are kept,
//! not the records: what this needs is bounded by how much is out of order.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::bail;
use doorward_core::audit::chain::{CHECKPOINT, ChainKey, Checkpoint, ERASED, KEY, Link};
use serde_json::json;

use crate::args::{Format, VerifyArguments};
use crate::variables::Variables;
use crate::{Outcome, logs};

/// So many problems are named.
const NAMED: usize = 50;

/// Records of one worker without a gap between them.
#[derive(Debug)]
struct Run {
    last: u64,
    /// The code before the first, and of the last.
    before: [u8; 16],
    code: [u8; 16],
}

/// One life of one worker.
#[derive(Debug, Default)]
struct Worker {
    /// By their first record's number.
    runs: BTreeMap<u64, Run>,
    checkpoints: usize,
    /// The most records that a checkpoint tells of, and when.
    told: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
struct Verified {
    workers: BTreeMap<[u8; 8], Worker>,
    records: u64,
    erased: u64,
    unlinked: u64,
    other: u64,
    problems: Vec<String>,
    more: usize,
    notes: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// No key, a file that cannot be read, nothing to verify, or the output failed.
pub fn run(arguments: &VerifyArguments) -> anyhow::Result<Outcome> {
    let key = chain_key(&arguments.key_env, arguments.env_file.as_deref())?;
    let mut verified = Verified::default();
    for file in &arguments.files {
        logs::lines(file, &mut |number, line| {
            verified.line(&key, &format!("{file}:{number}"), line);
            Ok(())
        })?;
    }
    if verified.records == 0 && verified.problems.is_empty() {
        bail!(
            "no line has a record with `{KEY}` (is `audit.chain` in the policy, and `{KEY}` in the access log's format?)"
        );
    }
    verified.conclude(arguments.whole);
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&verified.json())?)?,
        Format::Human => write!(out, "{}", verified.human())?,
    }
    out.flush()?;
    Ok(if verified.problems.is_empty() { Outcome::Clean } else { Outcome::Problems })
}

/// The key of a chain out of a variable.
///
/// # Errors
/// It is not set, or too short to be one.
pub fn chain_key(name: &str, file: Option<&std::path::Path>) -> anyhow::Result<ChainKey> {
    Ok(ChainKey::new(key(name, file)?.as_bytes()))
}

/// A key out of a variable.
///
/// # Errors
/// It is not set, or too short to be one.
pub fn key(name: &str, file: Option<&std::path::Path>) -> anyhow::Result<String> {
    match Variables::load(file)?.known(name) {
        Some(key) if key.len() >= 32 => Ok(key),
        Some(_) => bail!("the key in `{name}` is shorter than 32 bytes: no policy takes it"),
        None => bail!("the environment variable `{name}` is not set (it is the one that the policy refers to)"),
    }
}

impl Verified {
    fn line(&mut self, key: &ChainKey, place: &str, line: Option<&[u8]>) {
        let Some(line) = line else { return self.problem(format!("{place}: longer than a record can be")) };
        let Some(record) = logs::record(line) else {
            let text = String::from_utf8_lossy(line);
            if text.contains(CHECKPOINT) {
                self.checkpoint(key, place, &text);
            } else if !text.trim().is_empty() {
                self.other += 1;
            }
            return;
        };
        let Some(link) = logs::text(&record, KEY) else {
            // A record of ours names its policy.
            match record.contains_key("doorward.policy.digest") {
                true => self.unlinked += 1,
                false => self.other += 1,
            }
            return;
        };
        let Some(link) = Link::read(&link) else { return self.problem(format!("{place}: `{KEY}` is none")) };
        let values = logs::values(&record);
        let fields: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| *name != KEY)
            .collect();
        if !link.fits(key, &fields) {
            return self.problem(format!("{place}: record {} was altered, or written with another key", link.number));
        }
        self.records += 1;
        self.erased += fields.iter().filter(|(_, value)| value.starts_with(ERASED)).count() as u64;
        if let Err(problem) = self.workers.entry(link.boot).or_default().add(&link) {
            self.problem(format!("{place}: {problem}"));
        }
    }

    fn checkpoint(&mut self, key: &ChainKey, place: &str, line: &str) {
        match Checkpoint::read(line) {
            Some(checkpoint) if checkpoint.fits(key) => {
                let worker = self.workers.entry(checkpoint.boot).or_default();
                worker.checkpoints += 1;
                if worker.told.is_none_or(|(records, _)| records < checkpoint.records) {
                    worker.told = Some((checkpoint.records, checkpoint.at_ms));
                }
            }
            _ => self.problem(format!("{place}: the checkpoint was altered, or written with another key")),
        }
    }

    fn problem(&mut self, problem: String) {
        match self.problems.len() < NAMED {
            true => self.problems.push(problem),
            false => self.more += 1,
        }
    }

    /// What is missing.
    fn conclude(&mut self, whole: bool) {
        let mut found = Vec::new();
        for (boot, worker) in &self.workers {
            let name = name(boot);
            let mut next = worker.runs.first_key_value().map_or(0, |(first, _)| *first);
            if next > 0 {
                let text = format!("worker {name}: begins at record {next}; the {next} before it are not here");
                match whole {
                    true => found.push(text),
                    false => self.notes.push(text),
                }
            }
            for (first, run) in &worker.runs {
                if *first > next {
                    found.push(format!("worker {name}: records {next} to {} are missing", first - 1));
                }
                next = run.last.saturating_add(1);
            }
            match worker.told {
                Some((told, at_ms)) if told > next => found.push(format!(
                    "worker {name}: records {next} to {} are missing at the end: the checkpoint of {at_ms} ms since 1970 tells of them",
                    told - 1
                )),
                Some(_) => {}
                None => self.notes.push(format!("worker {name}: no checkpoint, so records cut off at its end would not show")),
            }
        }
        found.into_iter().for_each(|problem| self.problem(problem));
        if self.unlinked > 0 {
            let text = format!(
                "{} records are in no chain: written by a policy without `audit.chain`, or stripped of it",
                self.unlinked
            );
            match whole {
                true => self.problem(text),
                false => self.notes.push(text),
            }
        }
    }

    fn human(&self) -> String {
        let mut out = String::new();
        for (boot, worker) in &self.workers {
            let (first, last) = worker.span();
            let count: u64 = worker.runs.iter().map(|(first, run)| run.last - first + 1).sum();
            out.push_str(&format!(
                "worker {}: {count} records, {first} to {last}, {} checkpoints\n",
                name(boot),
                worker.checkpoints
            ));
        }
        self.notes.iter().for_each(|note| out.push_str(&format!("note: {note}\n")));
        self.problems.iter().for_each(|problem| out.push_str(&format!("problem: {problem}\n")));
        if self.more > 0 {
            out.push_str(&format!("and {} problems more\n", self.more));
        }
        let problems = self.problems.len() + self.more;
        out.push_str(&format!(
            "{} records verified, {} erased fields, {problems} problems\n",
            self.records, self.erased
        ));
        out
    }

    fn json(&self) -> serde_json::Value {
        let workers: Vec<_> = self
            .workers
            .iter()
            .map(|(boot, worker)| {
                let (first, last) = worker.span();
                json!({"worker": name(boot), "first": first, "last": last, "runs": worker.runs.len(), "checkpoints": worker.checkpoints})
            })
            .collect();
        json!({
            "records": self.records, "erased_fields": self.erased, "unlinked": self.unlinked, "other_lines": self.other,
            "workers": workers, "notes": self.notes, "problems": self.problems, "further_problems": self.more,
        })
    }
}

impl Worker {
    /// Adds a record whose own code is right.
    fn add(&mut self, link: &Link) -> Result<(), String> {
        let number = link.number;
        let before = self.runs.range_mut(..=number).next_back();
        let extends = match before {
            Some((_, run)) if run.last >= number => return Err(format!("record {number} is here twice")),
            Some((first, run)) if run.last.checked_add(1) == Some(number) => {
                if run.code != link.before {
                    return Err(format!("record {number} follows another one than record {} here", run.last));
                }
                (run.last, run.code) = (number, link.code);
                Some(*first)
            }
            _ => None,
        };
        let first = extends.unwrap_or(number);
        if extends.is_none() {
            self.runs.insert(number, Run { last: number, before: link.before, code: link.code });
        }
        let Some(next) = number.checked_add(1).and_then(|next| self.runs.get(&next).map(|run| (next, run.before)))
        else {
            return Ok(());
        };
        let (next, expected) = next;
        if expected != link.code {
            return Err(format!("record {next} follows another one than record {number} here"));
        }
        if let Some(behind) = self.runs.remove(&next)
            && let Some(run) = self.runs.get_mut(&first)
        {
            (run.last, run.code) = (behind.last, behind.code);
        }
        Ok(())
    }

    fn span(&self) -> (u64, u64) {
        let first = self.runs.first_key_value().map_or(0, |(first, _)| *first);
        (first, self.runs.last_key_value().map_or(0, |(_, run)| run.last))
    }
}

fn name(boot: &[u8; 8]) -> String {
    boot.iter().map(|byte| format!("{byte:02x}")).collect()
}
