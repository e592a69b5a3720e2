//! Measures the detectors on labelled data: precision and recall per type and per source, false hits on benign text, what is
//! found of evasions, and each figure beside the one that was saved before.
//!
//! A folder of data holds `pii.jsonl`, `secrets.jsonl`, `benign.jsonl`, `evasion.jsonl` and `injection.jsonl`, of which any may be
//! missing: that part is then left out, and says so. What a row holds stands with each part.

mod benign;
mod data;
mod evasion;
mod figures;
mod goals;
mod injection;
mod pii;
mod scanner;
mod secrets;
mod tally;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use data::Data;
use figures::{Figures, Report};
use scanner::Scanner;

/// Precision and recall of Doorward's detectors on labelled data.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:\n  doorward-detect --data corpora\n  doorward-detect --data corpora --save\n  doorward-detect --data corpora --show US_SSN"
)]
struct Arguments {
    /// The folder of labelled data (JSON lines).
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Figures to compare with.
    #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/figures.json"))]
    figures: PathBuf,
    /// Save the figures there, to compare with from now on.
    #[arg(long)]
    save: bool,
    /// Print what is missed and found too much of this type (of data that is yours to print).
    #[arg(long, value_name = "TYPE")]
    show: Option<String>,
    /// Fail where a goal does not hold.
    #[arg(long)]
    strict: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stdout, reason = "the output of a command")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "the errors of a command")]
fn report(line: &str) {
    eprintln!("{line}");
}

fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    if !arguments.data.is_dir() {
        say(&format!("skipped: there is no labelled data at {}", arguments.data.display()));
        return Ok(true);
    }
    let before = Figures::load(&arguments.figures)?;
    let scanner = Scanner::new(arguments.show.as_deref())?;
    let data = Data::new(&arguments.data);
    let mut report = Report::new(before);
    pii::measure(&data, &scanner, &mut report)?;
    secrets::measure(&data, &scanner, &mut report)?;
    benign::measure(&data, &scanner, &mut report)?;
    evasion::measure(&data, &scanner, &mut report)?;
    injection::measure(&data, &scanner, &mut report)?;
    report.print();
    let held = goals::print(report.figures());
    if arguments.save {
        report.figures().save(&arguments.figures).context("the figures")?;
        say(&format!("saved to {}", arguments.figures.display()));
    }
    Ok(held || !arguments.strict)
}
