//! Made-up access logs, and what `doorward report` takes for them.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use doorward_e2e::logs::{Plan, write};
use doorward_e2e::tools;

const HELP: &str = "usage: doorward-logs generate FILE [KEY=VALUE...] | measure [KEY=VALUE...]
  generate  write a log in the shipped format; the same seed makes the same bytes
  measure   write one below target/, report it with the release build, say what that took

Keys: bytes (1000000000 for measure, 4194304), seed (1), users (2000), days (90), broken (one line in 5000; 0 for none).
  doorward-logs generate access.log bytes=10000000 seed=7
  cargo build --release -p doorward-cli && doorward-logs measure users=3000000";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| ["--help", "-h"].contains(&argument.as_str())) {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // What looks like an option is no file's name.
        ["generate", file, ..] if file.starts_with('-') => usage(),
        ["generate", file, keys @ ..] => match plan(Plan::default(), keys) {
            Some(plan) => generate(Path::new(file), &plan),
            None => usage(),
        },
        ["measure", keys @ ..] => match plan(Plan { bytes: 1_000_000_000, ..Plan::default() }, keys) {
            Some(plan) => measure(&plan),
            None => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{HELP}");
    ExitCode::from(2)
}

fn plan(mut plan: Plan, keys: &[&str]) -> Option<Plan> {
    for pair in keys {
        let (key, value) = pair.split_once('=')?;
        let value = value.parse().ok()?;
        match key {
            "bytes" => plan.bytes = value,
            "seed" => plan.seed = value,
            "users" => plan.users = value,
            "days" => plan.days = value,
            "broken" => plan.broken = value,
            _ => return None,
        }
    }
    Some(plan)
}

fn generate(file: &Path, plan: &Plan) -> ExitCode {
    let written = File::create(file).and_then(|out| write(plan, &mut BufWriter::with_capacity(1 << 20, out)));
    match written {
        Ok(lines) => {
            println!("{lines} lines in {}", file.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}

fn measure(plan: &Plan) -> ExitCode {
    let doorward = tools::root().join("target/release/doorward");
    if !doorward.is_file() {
        eprintln!("{} is not built; run `cargo build --release -p doorward-cli`", doorward.display());
        return ExitCode::from(2);
    }
    let folder = tools::scratch("report");
    let log = folder.join("access.log");
    if generate(&log, plan) != ExitCode::SUCCESS {
        return ExitCode::FAILURE;
    }
    let start = Instant::now();
    let out = |name: &str| folder.join(name);
    let status = Command::new(doorward)
        .arg("report")
        .args(["--out".as_ref(), out("report.html").as_os_str(), "--out".as_ref(), out("report.json").as_os_str()])
        .args(["--out".as_ref(), out("report.csv").as_os_str()])
        .arg(&log)
        .status();
    let wall = start.elapsed().as_secs_f64();
    // SAFETY: a plain structure of numbers that the call fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &mut usage);
        usage
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    let code = status.ok().and_then(|status| status.code());
    println!(
        "{:.2} GB: {cpu:.1} s of CPU, {wall:.1} s, {:.0} MB of memory at most, exit code {code:?}; in {}",
        plan.bytes as f64 / 1e9,
        usage.ru_maxrss as f64 / 1024.0,
        folder.display()
    );
    std::fs::remove_file(&log).ok();
    // The yardstick: 20 s and 200 MB for 1 GB.
    let within = cpu < 20.0 * (plan.bytes as f64 / 1e9).max(0.1) && usage.ru_maxrss < 200 * 1024;
    if within && matches!(code, Some(0 | 1)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
