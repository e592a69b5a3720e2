//! What came of tests, for people and for machines.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use doorward_cases::run::Verdict;
use serde_json::{Value, json};

use super::Ran;

const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// How many tests passed, failed, and could not be run.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    errors: usize,
    unmet: usize,
}

/// One line for each test, and what differs below it.
pub fn human(out: &mut impl Write, ran: &[Ran], whole: bool) -> io::Result<()> {
    let mut counts = Counts::default();
    for ran in ran {
        let file = ran.file.display();
        let report = match &ran.report {
            Ok(report) => report,
            Err(error) => {
                counts.errors += 1;
                writeln!(out, "{RED}ERROR{RED:#} {error}")?;
                continue;
            }
        };
        for case in &report.cases {
            match &case.verdict {
                Verdict::Pass => {
                    counts.passed += 1;
                    writeln!(out, "{GREEN}PASS{GREEN:#}  {file}: {}", case.name)?;
                }
                Verdict::Fail(wrong) => {
                    counts.failed += 1;
                    writeln!(out, "{RED}FAIL{RED:#}  {file}: {}", case.name)?;
                    for line in wrong {
                        writeln!(out, "      {}", line.replace('\n', "\n      "))?;
                    }
                }
                Verdict::Error(error) => {
                    counts.errors += 1;
                    writeln!(out, "{RED}ERROR{RED:#} {file}: {}\n      {error}", case.name)?;
                }
            }
        }
        if whole {
            for statement in report.coverage.unmet() {
                counts.unmet += 1;
                writeln!(
                    out,
                    "{YELLOW}UNMET{YELLOW:#} {file}: no test meets `{}` of `{}`",
                    statement.id, statement.section
                )?;
            }
            for (pack, statements) in &report.coverage.packs {
                let missing = report.coverage.missing(statements);
                let ids: Vec<String> = missing.iter().map(|statement| format!("`{}`", statement.id)).collect();
                let met = statements.len().saturating_sub(ids.len());
                let left = if ids.is_empty() { String::new() } else { format!("; not {}", ids.join(", ")) };
                writeln!(out, "PACK  {file}: {met} of {} statements of {pack} met{left}", statements.len())?;
            }
        }
    }
    let Counts { passed, failed, errors, unmet } = counts;
    write!(out, "{passed} passed, {failed} failed, {errors} could not be run")?;
    match unmet {
        0 => writeln!(out),
        1 => writeln!(out, "; 1 statement was never met"),
        n => writeln!(out, "; {n} statements were never met"),
    }
}

/// The same as a document.
pub fn json(ran: &[Ran], whole: bool) -> Value {
    let suites: Vec<Value> = ran
        .iter()
        .map(|ran| {
            let policy = ran.policy.as_ref().map(|path| path.display().to_string());
            let mut suite = json!({"file": ran.file.display().to_string(), "policy": policy, "cases": []});
            match &ran.report {
                Err(error) => put(&mut suite, "error", json!(error)),
                Ok(report) => {
                    let cases: Vec<Value> = report
                        .cases
                        .iter()
                        .map(|case| {
                            let (verdict, wrong, error) = match &case.verdict {
                                Verdict::Pass => ("pass", None, None),
                                Verdict::Fail(wrong) => ("fail", Some(wrong), None),
                                Verdict::Error(error) => ("error", None, Some(error)),
                            };
                            let ms = case.took.as_secs_f64() * 1000.0;
                            json!({"name": case.name, "verdict": verdict, "differs": wrong, "error": error, "ms": ms})
                        })
                        .collect();
                    put(&mut suite, "cases", json!(cases));
                    if whole {
                        let unmet = report.coverage.unmet().into_iter();
                        let unmet: Vec<Value> = unmet.map(|s| json!({"section": s.section, "id": s.id})).collect();
                        put(&mut suite, "statements", json!(report.coverage.statements.len()));
                        put(&mut suite, "unmet", json!(unmet));
                        let packs = report.coverage.packs.iter().map(|(pack, statements)| {
                            let missing = report.coverage.missing(statements).into_iter();
                            let unmet: Vec<Value> =
                                missing.map(|s| json!({"section": s.section, "id": s.id})).collect();
                            json!({"pack": pack, "statements": statements.len(), "unmet": unmet})
                        });
                        put(&mut suite, "packs", json!(packs.collect::<Vec<_>>()));
                    }
                }
            }
            suite
        })
        .collect();
    json!({"suites": suites})
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = object {
        object.insert(key.to_owned(), value);
    }
}
