//! The command line as its users meet it: real files in, exit code, standard output and standard error out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod audit;
mod baseline;
mod check;
mod digest;
mod explain;
mod init;
mod key;
mod manifests;
mod render;
mod render_into;
mod replay;
mod report;
mod scan;
mod shell;
mod test;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run left behind.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

/// Runs `doorward` in this crate's `tests` directory.
fn doorward(arguments: &[&str]) -> Ran {
    doorward_with(arguments, "", &[])
}

fn doorward_with(arguments: &[&str], stdin: &str, environment: &[(&str, &str)]) -> Ran {
    let mut child = command(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let text = stdin.to_owned();
    // A command that does not read its input closes it.
    let writer = std::thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran {
        code: output.status.code().expect("ended by a signal"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.args(arguments).current_dir(here()).env_remove("DOORWARD_TEST_UNSET").env_remove("DOORWARD_TEST_KEY");
    command
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn root(path: &str) -> String {
    format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_command_has_help_with_what_it_takes() {
    let help = doorward(&["--help"]);
    assert_eq!(help.code, 0);
    let more = [
        "test",
        "explain",
        "replay",
        "init",
        "schema",
        "packs",
        "render",
        "report",
        "verify",
        "find",
        "erase",
        "completions",
        "man",
    ];
    for command in ["check", "key", "scan", "reference"].into_iter().chain(more) {
        assert!(help.out.contains(command), "{}", help.out);
        let own = doorward(&[command, "--help"]);
        assert_eq!(own.code, 0);
        assert!(own.out.contains(&format!("Usage: doorward {command}")), "{}", own.out);
    }
    for command in ["check", "key", "scan"].into_iter().chain(more) {
        assert!(doorward(&[command, "--help"]).out.contains("Examples:\n  "), "{command}");
    }
}

#[test]
fn a_wrong_usage_is_2() {
    for arguments in [&[][..], &["chekc"], &["check"], &["scan", "--score", "x"], &["key", "extra"]] {
        let ran = doorward(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    use std::io::Read as _;
    let mut child = command(&["reference"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn no_colours_without_a_terminal() {
    for arguments in [&["check", "check/unknown-key.yaml"][..], &["--help"], &["scan", "--detectors", "nope"]] {
        let ran = doorward(arguments);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{arguments:?}");
    }
}
