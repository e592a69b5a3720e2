//! Every scenario, in each of its modes, on core and on the built module; and once more under observation.
//!
//! `cargo test -p doorward-lifecycle -- PART` runs those whose name holds PART.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;

use doorward_lifecycle::scenario::observe::difference;
use doorward_lifecycle::scenario::run::{Outcome, Runner, run};
use doorward_lifecycle::scenario::{Common, Mode, Scenario, load};
use doorward_lifecycle::tokens::NOW;
use doorward_lifecycle::wasm;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (common, scenarios) = load(NOW);
    let common = Arc::new(common);
    let built = wasm::is_built();
    if !built {
        eprintln!("{} is not built (make wasm): scenarios run on core only", wasm::path().display());
        if std::env::var_os("CI").is_some() {
            return ExitCode::FAILURE;
        }
    }
    let mut names = HashSet::new();
    let mut trials = Vec::new();
    for scenario in scenarios {
        let scenario = Arc::new(scenario);
        for mode in scenario.modes.clone() {
            let name = format!("{}: {} [{}]", scenario.file, scenario.name, mode.as_str());
            assert!(names.insert(name.clone()), "two scenarios are called `{name}`");
            let (common, scenario) = (Arc::clone(&common), Arc::clone(&scenario));
            trials.push(Trial::test(name, move || trial(&common, &scenario, mode, built)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(common: &Common, scenario: &Scenario, mode: Mode, built: bool) -> Result<(), Failed> {
    let mut report = String::new();
    for observe in [false, true] {
        if observe && scenario.not_observed.is_some() {
            continue;
        }
        let heading = if observe { "observed, " } else { "" };
        let core = run(common, scenario, mode, Runner::Core, observe);
        if !scenario.wasm_only {
            describe(&format!("{heading}core"), &core, &mut report);
        }
        if built {
            let wasm = run(common, scenario, mode, Runner::Wasm, observe);
            describe(&format!("{heading}wasm"), &wasm, &mut report);
            if scenario.wasm_only {
                continue;
            }
            if let Some(lines) = difference(("core", &core.seen), ("wasm", &wasm.seen)) {
                report.push_str(&format!("{heading}core and wasm differ:\n{lines}"));
                report.push_str(&logs(&wasm));
            }
        }
    }
    if report.is_empty() { Ok(()) } else { Err(Failed::from(report)) }
}

fn describe(heading: &str, outcome: &Outcome, report: &mut String) {
    if outcome.wrong.is_empty() {
        return;
    }
    report.push_str(&format!("{heading}:\n"));
    for wrong in &outcome.wrong {
        report.push_str(&format!("  - {wrong}\n"));
    }
    report.push_str(&logs(outcome));
}

fn logs(outcome: &Outcome) -> String {
    outcome.logs.iter().map(|line| format!("  log: {line}\n")).collect()
}
