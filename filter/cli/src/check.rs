//! `doorward check`: is this policy what the filter will take, and is it what was meant?

use std::io::Write as _;

use doorward_core::engine::Engine;

use crate::args::{CheckArguments, Format};
use crate::policies::{self, Policy};
use crate::report::{Issue, Severity};
use crate::source::{Mark, Source, Unreadable};
use crate::variables::{Asked, Variables};
use crate::{Outcome, input, lint, report};

/// Runs the command.
///
/// # Errors
/// The output or the file of variables failed.
pub fn run(arguments: &CheckArguments) -> anyhow::Result<Outcome> {
    let variables = Variables::load(arguments.env_file.as_deref())?;
    let mut out = anstream::stdout().lock();
    let mut outcome = Outcome::Clean;
    let mut all = Vec::new();
    for file in &arguments.files {
        let text = match input::text(file) {
            Ok(text) => text,
            Err(error) => {
                report::failure(&error);
                outcome = Outcome::Failed;
                continue;
            }
        };
        let checked = Checked::of(file, text, &variables);
        let wrong = |i: &Issue| i.severity == Severity::Error || (arguments.strict && i.severity == Severity::Warning);
        if outcome == Outcome::Clean && checked.issues.iter().any(wrong) {
            outcome = Outcome::Problems;
        }
        if arguments.format == Format::Human {
            for issue in &checked.issues {
                writeln!(out, "{}", issue.human(&checked.text))?;
            }
            for summary in &checked.sound {
                report::ok(&mut out, file, summary)?;
            }
        }
        all.extend(checked.issues);
    }
    match arguments.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?,
        Format::Human => summarise(&all),
    }
    out.flush()?;
    Ok(outcome)
}

fn summarise(issues: &[Issue]) {
    let count = |severity, one: &str| match issues.iter().filter(|i| i.severity == severity).count() {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {one}s")),
    };
    let counts: Vec<_> =
        [count(Severity::Error, "error"), count(Severity::Warning, "warning")].into_iter().flatten().collect();
    if !counts.is_empty() {
        report::summary(&counts.join(", "));
    }
}

/// What is to say about one file.
#[derive(Debug)]
pub struct Checked {
    pub text: String,
    pub issues: Vec<Issue>,
    /// The policies without errors, in a few words each.
    pub sound: Vec<String>,
}

impl Checked {
    /// Checks a file's text.
    pub fn of(file: &str, text: String, variables: &Variables) -> Self {
        let source = match Source::parse(file, text) {
            Ok(source) => source,
            Err((unreadable, text)) => {
                let issues = vec![unreadable_issue(file, "document", unreadable)];
                return Self { text, issues, sound: Vec::new() };
            }
        };
        let (found, broken) = policies::find(&source);
        let (mut issues, mut sound) = (Vec::new(), Vec::new());
        if found.is_empty() && broken.is_empty() {
            issues.push(nothing(file));
        }
        issues.extend(broken.into_iter().map(|b| unreadable_issue(file, &b.path, b.problem)));
        for policy in &found {
            one(file, policy, variables, &mut issues, &mut sound);
        }
        issues.sort_by_key(|i| (i.line, i.column, i.severity));
        Self { text: source.text, issues, sound }
    }

    /// What there is to say about the configuration around a file's policies alone.
    pub fn around(file: &str, text: String, variables: &Variables) -> Vec<Issue> {
        let Ok(source) = Source::parse(file, text) else { return Vec::new() };
        let (found, _) = policies::find(&source);
        found.iter().flat_map(|policy| lint::envoy(policy, file, &variables.asked())).collect()
    }
}

fn nothing(file: &str) -> Issue {
    Issue::new(Severity::Error, file, Mark::START, "document", "there is no Doorward policy in this file")
        .help(Some("a policy is a mapping with `version: doorward/v1`, `targets` and `identity`".to_owned()))
}

fn unreadable_issue(file: &str, path: &str, unreadable: Unreadable) -> Issue {
    Issue::new(Severity::Error, file, unreadable.mark, path, unreadable.message).help(unreadable.help)
}

fn one(file: &str, policy: &Policy<'_>, variables: &Variables, issues: &mut Vec<Issue>, sound: &mut Vec<String>) {
    let root = policy.node.get();
    let compiled = Engine::compile(&root.tree(), &|name| Some(variables.value(name)));
    let asked = variables.asked();
    let engine = match compiled {
        Ok(engine) => engine,
        Err(problems) => {
            issues.extend(problems.iter().map(|p| policy.issue(Severity::Error, file, p)));
            return;
        }
    };
    let alone = policy.around.is_empty();
    let mut warnings = lint::policy(root, &today());
    warnings.extend(lint::break_glass(root, now()));
    issues.extend(warnings.iter().map(|w| policy.issue(Severity::Warning, file, w)));
    let around = lint::envoy(policy, file, &asked);
    let fits = around.iter().all(|i| i.severity != Severity::Error);
    issues.extend(around);
    if !asked.missing.is_empty() {
        issues.push(placeholders(file, policy, &asked));
    }
    if fits {
        let place = if alone { String::new() } else { format!(" at {}", policy.path) };
        let told = |what: &str, list: &str| if list.is_empty() { String::new() } else { format!(", {what} {list}") };
        let packs = told("extends", engine.packs()) + &told("weakens", engine.weakened());
        sound.push(format!("policy `{}`{place}, digest {}{packs}", engine.name(), engine.digest()));
    }
}

fn placeholders(file: &str, policy: &Policy<'_>, asked: &Asked) -> Issue {
    let names: Vec<String> = asked.missing.iter().map(|name| format!("`{name}`")).collect();
    let path = if policy.path.is_empty() { "document" } else { &policy.path };
    let message = format!("checked without the values of {}, which are not set here", names.join(", "));
    Issue::new(Severity::Note, file, policy.node.get().mark, path, message)
        .help(Some("set them, or name a file of them with --env-file, to check their length, too".to_owned()))
}

/// The date in UTC.
pub fn today() -> String {
    date(now() / 86_400)
}

/// Seconds since 1970.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The date of a day since 1970-01-01, in the proleptic Gregorian calendar (ISO 8601).
fn date(days: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (20_453, "2025-12-31"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), expected);
        }
    }
}
