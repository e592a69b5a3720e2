//! `make bench`: see `doorward_e2e::bench`. Started again as `upstream` by itself.

use std::process::ExitCode;

use doorward_e2e::bench::{self, plan::Plan, upstream};

#[tokio::main]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        None => bench::run(Plan::from_env()).await,
        Some("upstream") => match upstream::serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Some(_) => {
            eprintln!("usage: doorward-bench (settings are in `tests/src/bench/plan.rs`)");
            ExitCode::from(2)
        }
    }
}
