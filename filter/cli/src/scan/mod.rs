//! `doorward scan`: what a text carries, by the detectors that run inside Envoy.

mod jsonl;
mod text;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use anyhow::{Context as _, anyhow, bail};
use doorward_core::config::{Path, Problem, from_tree};
use doorward_core::inspect::{Budget, Detectors, DetectorsDocument, OverBudget, Selection, Sighting};
use doorward_core::packs::extend;
use doorward_core::policy::Document;
use doorward_core::protocol::Channel;

use crate::args::ScanArguments;
use crate::check::Checked;
use crate::policies;
use crate::report::{self, Severity};
use crate::source::Source;
use crate::variables::Variables;
use crate::{Outcome, input};

/// Runs the command.
///
/// # Errors
/// Names of no detector, a policy with errors, or the output failed.
pub fn run(arguments: &ScanArguments) -> anyhow::Result<Outcome> {
    let scanner = Scanner::new(arguments)?;
    let stdin = [input::STDIN.to_owned()];
    let files = if arguments.files.is_empty() { &stdin } else { arguments.files.as_slice() };
    let seen = if arguments.jsonl { jsonl::run(&scanner, files)? } else { text::run(&scanner, files, arguments.show)? };
    Ok(match seen {
        Seen { failed: true, .. } => Outcome::Failed,
        Seen { bad: true, .. } => Outcome::Problems,
        Seen { found: true, .. } if arguments.fail => Outcome::Problems,
        _ => Outcome::Clean,
    })
}

/// What happened on the way.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Something was found.
    found: bool,
    /// A text could not be read or scanned, and its place in the output says so.
    bad: bool,
    /// A file could not be read.
    failed: bool,
}

/// Detectors, which of them are asked, and where in an exchange the texts stand.
struct Scanner {
    detectors: Detectors,
    selection: Selection,
    channel: Channel,
}

impl Scanner {
    fn new(arguments: &ScanArguments) -> anyhow::Result<Self> {
        let (mut document, looked_for) = match &arguments.policy {
            Some(file) => policy(file)?,
            None => (DetectorsDocument::default(), None),
        };
        let path = Path::root().key("detectors");
        // A canary that is not known here is looked for as its placeholder: nobody writes that.
        let variables = Variables::default();
        let env = |name: &str| Some(variables.value(name));
        let mut detectors = Detectors::compile(&document, &env, &path).map_err(said)?;
        if let Some(score) = arguments.score {
            if !(0.0..=1.0).contains(&score) {
                bail!("--score {score}: not a number from 0 to 1");
            }
            document.thresholds = detectors.kinds().map(|(_, kind)| (kind.name.clone(), score)).collect();
            detectors = Detectors::compile(&document, &env, &path).map_err(said)?;
        }
        let everything = || vec!["all".to_owned()];
        let names = match (arguments.detectors.as_slice(), looked_for) {
            ([], None) => everything(),
            ([], Some(names)) if names.is_empty() => {
                report::note("the policy's `content` looks for nothing; scanning for everything");
                everything()
            }
            ([], Some(names)) => names,
            (names, _) => names.iter().map(|name| name.trim().to_owned()).collect(),
        };
        let selection = detectors.select(&names, &Path::root()).map_err(|problem| {
            let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
            anyhow!("--detectors: {}{help}", problem.message)
        })?;
        if detectors.externals().iter().any(|external| external.kinds().meets(&selection)) {
            report::note("external detectors are not asked here");
        }
        Ok(Self { detectors, selection, channel: arguments.channel.into() })
    }

    /// Sorted by start; where a part of a value is seen as it is and more of it behind an encoding, that is one. Answers how much the
    /// text, or what it hides, looks like an injection, from 0 to 1.
    fn scan(&self, text: &str, found: &mut Vec<Sighting>) -> Result<f32, OverBudget> {
        let score = self.detectors.scan_through(self.channel, text, &self.selection, &mut Budget::default(), found)?;
        if found.iter().any(|sighting| sighting.hidden.is_some()) {
            found.sort_by_key(|s| (s.finding.start, s.finding.kind, Reverse(s.finding.end)));
            found.dedup_by(|later, first| {
                let (later, first) = (later.finding, first.finding);
                later.kind == first.kind && later.end <= first.end
            });
        }
        Ok(score)
    }
}

fn said(problem: Problem) -> anyhow::Error {
    anyhow!("{problem}")
}

/// A policy's detectors, and the names that its content statements look for.
fn policy(file: &str) -> anyhow::Result<(DetectorsDocument, Option<Vec<String>>)> {
    let checked = Checked::of(file, input::text(file)?, &Variables::default());
    if let Some(error) = checked.issues.iter().find(|i| i.severity == Severity::Error) {
        bail!("{file}:{}:{}: {} (`doorward check {file}` says more)", error.line, error.column, error.message);
    }
    let source = Source::parse(file, checked.text).map_err(|(e, _)| anyhow!("{}", e.message))?;
    let (found, _) = policies::find(&source);
    let [policy] = found.as_slice() else {
        bail!("`{file}` holds {} policies; name a file with one", found.len());
    };
    let tree = policy.node.get().tree();
    let extended = extend(&tree).map_err(|problems| anyhow!("{problems:?}"))?;
    let tree = extended.map_or(tree, |extended| extended.tree);
    let document: Document = from_tree(&tree, &Path::root()).map_err(said).context("the policy")?;
    let names: BTreeSet<String> = document.content.into_iter().flat_map(|statement| statement.detect.0).collect();
    Ok((document.detectors, Some(names.into_iter().collect())))
}
