//! `doorward`: [`doorward_core`] at a terminal and in CI.
//!
//! It decides nothing of its own: a policy is compiled, a text scanned and a key minted by the code that runs inside
//! Envoy. What it adds is what the filter cannot see: the lines of a file, the configuration around a policy, the
//! operating system's random numbers.

mod args;
mod baseline;
mod check;
mod digest;
mod erase;
mod explain;
mod find;
mod init;
mod input;
mod key;
mod lint;
mod logs;
mod packs;
mod pin;
mod policies;
mod reference;
mod render;
mod replay;
mod report;
mod scan;
mod shell;
mod source;
mod surroundings;
mod test;
mod usage;
mod variables;
mod verify;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};

/// What the process says about the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is wrong.
    Clean,
    /// What was asked about has problems.
    Problems,
    /// The command could not do all that was asked.
    Failed,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Baseline(arguments) => baseline::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Digest(arguments) => digest::run(&arguments),
        Command::Pin(arguments) => pin::run(&arguments),
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Report(arguments) => usage::run(&arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
        Command::Packs(arguments) => packs::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Find(arguments) => find::run(&arguments),
        Command::Erase(arguments) => erase::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Schema => reference::run_schema(),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Reference => reference::run(),
        Command::Render(arguments) => render::run(&arguments),
    };
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Problems) => ExitCode::from(1),
        Ok(Outcome::Failed) => ExitCode::from(2),
        // Whoever reads has seen enough (`| head`).
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&error);
            ExitCode::from(2)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|e| e.downcast_ref::<io::Error>()).any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
