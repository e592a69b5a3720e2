//! `doorward replay`: what another policy would have made of what happened.
//!
//! Recorded exchanges, with their texts, go through the policy and through the one before it, and what differs is told. Lines of
//! an access log have no texts: from what they say a request is made that the policy judges (caller, target, call, model, tool), and
//! what was found then is held against its content statements. What such a line cannot tell is said, and never guessed.

mod exchange;
mod record;
mod tally;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use doorward_cases::format::Suite;
use doorward_cases::play::compile;
use doorward_cases::suite::Stage;
use doorward_core::engine::Engine;
use serde_json::Value;

use crate::args::Format;
use crate::{Outcome, input, test};

use tally::{Tally, Told};

/// Tell what would change under another policy.
///
/// Reads lines of JSON: records of the access log as shipped, or exchanges (`{identity, target, request, answer}`, as cases of
/// policies/TESTS.md have them), or files of tests. Exchanges go through the policy and through the one that --against names; records are held
/// against what was decided then. Each is judged by itself: limits, sessions and what is usual are not played.
///
/// A record has no texts, parameters, groups and claims. Roles are taken by their names; a cap on a parameter, a statement that looks
/// into some channels only, and a denial that no statement made are told as what cannot be told. What nobody looked for then was not found,
/// and a statement that looks for it now meets nothing here.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward replay --policy next.yaml /var/log/envoy/access.log
  doorward replay --policy next.yaml --against policy.yaml exchanges.jsonl policies/default.test.yaml
  kubectl logs -l app=gateway --since=24h | doorward replay --policy next.yaml --format json - | jq .changes

Exit codes: 0 nothing would change, 1 something would, 2 nothing could be read.")]
pub struct ReplayArguments {
    /// The policy to try, or a configuration that holds it.
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The policy before it, for exchanges.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Records and exchanges; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// For people, or for machines: {read, unread, same, changes: [...], untold: [...]}.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// A policy that is ready to judge.
pub struct Judge {
    stage: Stage,
    engine: Engine,
}

impl Judge {
    fn read(path: &std::path::Path, suite: &Suite) -> anyhow::Result<Self> {
        let shown = path.display().to_string();
        let policy = test::policy(path).with_context(|| shown.clone())?;
        let stage = Stage::new(suite, policy).with_context(|| shown.clone())?;
        let engine = compile(&stage).with_context(|| shown)?;
        Ok(Self { stage, engine })
    }
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read, a policy does not compile, or nothing was read.
pub fn run(arguments: &ReplayArguments) -> anyhow::Result<Outcome> {
    let suite = Suite::default();
    let next = Judge::read(&arguments.policy, &suite)?;
    let before = arguments.against.as_deref().map(|path| Judge::read(path, &suite)).transpose()?;
    let mut tally = Tally::default();
    for file in &arguments.files {
        if file.ends_with(".yaml") {
            let read = doorward_cases::suite::File::read(std::path::Path::new(file))?;
            for case in &read.suite.cases {
                exchange::case(&read.suite, case, &next, held_against(&before)?, &mut tally);
            }
            continue;
        }
        for line in input::text(file)?.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str::<Value>(line) {
                Ok(value) if value.get("request").is_some_and(Value::is_object) => {
                    exchange::line(line, &next, held_against(&before)?, &mut tally);
                }
                Ok(value) if value.get("doorward.decision").is_some_and(Value::is_string) => {
                    tally.add(record::judge(&value, &next));
                }
                _ => tally.add(Told::Unread),
            }
        }
    }
    if tally.read() == 0 {
        bail!("nothing could be read: neither records (`doorward.decision`) nor exchanges (`request`)");
    }
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Human => tally.human(&mut out)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&tally.json())?)?,
    }
    out.flush()?;
    Ok(if tally.changes() == 0 { Outcome::Clean } else { Outcome::Problems })
}

fn held_against(before: &Option<Judge>) -> anyhow::Result<&Judge> {
    before.as_ref().context("exchanges are held against the policy before: name it with --against")
}
