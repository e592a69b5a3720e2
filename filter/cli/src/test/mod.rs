//! `doorward test`: does a policy do what is written beside it?

mod junit;
mod report;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use doorward_cases::format::Case;
use doorward_cases::run::{Report, Verdict, run as play};
use doorward_cases::suite::{ENDING, File};
use doorward_core::config::Tree;

use crate::args::Format;
use crate::policies;
use crate::source::Source;
use crate::{Outcome, input};

/// Run policy tests: who sends what where, and what has to come of it.
///
/// `NAME.test.yaml` stands beside the policy `NAME.yaml`, or names it with `policy:`. Its requests go through the code that runs
/// inside Envoy, with callers proven by real credentials that are made for the test. policies/TESTS.md says what a test can say.
/// At the end stand the statements that no test has met.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward test policies/
  doorward test --only 'card' policies/default.test.yaml
  doorward test --covered --junit target/policies.xml policies/ examples/
  doorward test --format json policies/ | jq '.suites[].cases[] | select(.verdict != \"pass\")'

Exit codes: 0 every test passed, 1 some failed (with --covered also: some statement was never met), 2 some could not be run.")]
pub struct TestArguments {
    /// Files of tests, or folders that hold `*.test.yaml`.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only tests whose name holds this text, in any case. Coverage is not told then.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// A statement that no test has met fails the run too.
    #[arg(long, conflicts_with = "only")]
    pub covered: bool,
    /// Write the outcome as JUnit XML too, for CI.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// For people, or for machines: {suites: [{file, policy, error, cases: [{name, verdict, ...}], unmet: [...]}]}.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// A file of tests, and what came of it: the tests, or why there are none.
#[derive(Debug)]
struct Ran {
    file: PathBuf,
    policy: Option<PathBuf>,
    report: Result<Report, String>,
}

/// Runs the command.
///
/// # Errors
/// There are no tests, or the output failed.
pub fn run(arguments: &TestArguments) -> anyhow::Result<Outcome> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        bail!("no `*{ENDING}` in what was named");
    }
    let only = arguments.only.as_ref().map(|text| text.to_lowercase());
    let wanted = |case: &Case| only.as_ref().is_none_or(|text| case.name.to_lowercase().contains(text));
    let ran: Vec<Ran> = files.iter().map(|file| one(file, &wanted)).collect();
    if only.is_some() && !ran.iter().any(|ran| ran.report.as_ref().map_or(true, |report| !report.cases.is_empty())) {
        bail!("no test has `{}` in its name", arguments.only.as_deref().unwrap_or_default());
    }
    if let Some(path) = &arguments.junit {
        std::fs::write(path, junit::xml(&ran)).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Human => report::human(&mut out, &ran, only.is_none())?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report::json(&ran, only.is_none()))?)?,
    }
    out.flush()?;
    Ok(outcome(&ran, arguments.covered))
}

fn outcome(ran: &[Ran], covered: bool) -> Outcome {
    let (mut failed, mut broken) = (false, false);
    for ran in ran {
        let Ok(report) = &ran.report else {
            broken = true;
            continue;
        };
        failed |= covered && !report.coverage.unmet().is_empty();
        for case in &report.cases {
            failed |= matches!(case.verdict, Verdict::Fail(_));
            broken |= matches!(case.verdict, Verdict::Error(_));
        }
    }
    match (broken, failed) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Problems,
        (false, false) => Outcome::Clean,
    }
}

fn one(path: &Path, wanted: &dyn Fn(&Case) -> bool) -> Ran {
    let file = match File::read(path) {
        Ok(file) => file,
        Err(error) => return Ran { file: path.to_owned(), policy: None, report: Err(format!("{error:#}")) },
    };
    let report = policy(&file.policy).and_then(|policy| play(&file.suite, policy, wanted));
    let report = report.map_err(|error| format!("{}: {error:#}", file.policy.display()));
    Ran { file: file.path, policy: Some(file.policy), report }
}

/// The one policy of a file: a policy, or a configuration that holds one.
///
/// # Errors
/// The file cannot be read, or holds none or several.
pub fn policy(path: &Path) -> anyhow::Result<Tree> {
    let name = path.to_string_lossy();
    let source = Source::parse(&name, input::text(&name)?);
    let source =
        source.map_err(|(problem, _)| anyhow::anyhow!("{}:{}: {}", name, problem.mark.line, problem.message))?;
    let (found, broken) = policies::find(&source);
    match (found.as_slice(), broken.first()) {
        ([policy], None) => Ok(policy.node.get().tree()),
        ([], None) => bail!("there is no Doorward policy in this file"),
        (_, Some(broken)) => bail!("{}: {}", broken.path, broken.problem.message),
        (several, None) => {
            bail!("there are {} policies in this file: keep the one that is meant in a file of its own", several.len())
        }
    }
}

/// Files of tests: the one named, or all below a folder.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        if !path.exists() {
            bail!("there is no `{}`", path.display());
        }
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut below: Vec<PathBuf> = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    below.sort();
    for path in below {
        // Links could lead in circles.
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files)?;
        } else if path.to_string_lossy().ends_with(ENDING) {
            files.push(path);
        }
    }
    Ok(())
}
