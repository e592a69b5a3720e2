//! Trains the linear models of Doorward's detectors: the one of prompt injections that the filter carries, and topics, whose
//! weights a policy brings.
//!
//! It reads labelled texts from files given by path, learns weights over the very features that the filter computes, and
//! writes them as the filter reads them, with a card that says on what they were trained and how well they do on sources
//! that were left out. The same data give the same bytes.

mod card;
mod data;
mod learn;
mod topic;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use doorward_core::inspect::injection::{Features, features};

use data::Row;
use learn::{Example, Settings};

/// Train the linear models of Doorward's detectors.
#[derive(Debug, Parser)]
#[command(name = "doorward-train", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Injection(InjectionArguments),
    Topic(topic::TopicArguments),
}

/// Train the model of prompt injections.
///
/// Reads `injection.jsonl` and `benign.jsonl`: lines of {"text", "label", "source", "category"}, label 1 for attacks; and
/// `pii.jsonl` and `secrets.jsonl`, where they are, all of whose texts are none.
#[derive(Debug, Args)]
struct InjectionArguments {
    /// The folder with the data.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the weights go.
    #[arg(long, value_name = "FILE", default_value = "filter/core/src/inspect/injection/weights.bin")]
    out: PathBuf,
    /// Where the model card goes.
    #[arg(long, value_name = "FILE", default_value = "filter/core/src/inspect/injection/CARD.md")]
    card: PathBuf,
}

/// Examples of our own.
pub(crate) const SEEDS: &str = include_str!("../seeds.jsonl");

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Injection(arguments) => injection(&arguments),
        Command::Topic(arguments) => topic::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn injection(arguments: &InjectionArguments) -> anyhow::Result<()> {
    let mut rows = data::parse(SEEDS).context("seeds.jsonl")?;
    for file in ["injection.jsonl", "benign.jsonl"] {
        rows.extend(data::read(&arguments.data.join(file))?);
    }
    // What is labelled for something else is no attack.
    for file in ["pii.jsonl", "secrets.jsonl"] {
        let file = arguments.data.join(file);
        if file.exists() {
            rows.extend(data::read(&file)?.into_iter().map(|row| Row { label: 0, ..row }));
        }
    }
    let settings = Settings::default();
    let read: Vec<Vec<Features>> = rows.iter().map(|row| features(&row.text)).collect();
    let measured = card::measure(&rows, &read, settings);
    let trained = learn::train(&examples(&rows, &read, &|_| true), settings);
    let weights = trained.encode(settings, measured.shift);
    let card = card::write(&rows, &measured, settings, &trained, &weights);
    print!("{card}");
    std::fs::write(&arguments.out, &weights).with_context(|| arguments.out.display().to_string())?;
    std::fs::write(&arguments.card, card).with_context(|| arguments.card.display().to_string())
}

/// What is trained on, of the rows that `keep` keeps.
fn examples<'f>(rows: &[Row], read: &'f [Vec<Features>], keep: &dyn Fn(usize) -> bool) -> Vec<Example<'f>> {
    let with = rows.iter().zip(read).enumerate();
    with.filter(|(index, (row, _))| keep(*index) && !(row.is_attack() && row.is_indirect()))
        .map(|(_, (row, chunks))| Example { chunks, attack: row.is_attack() })
        .collect()
}
