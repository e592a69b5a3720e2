//! `doorward completions` and `doorward man`.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::doorward;

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = doorward(&["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        for word in ["report", "baseline", "llm-hosts"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(doorward(&["completions", "cmd"]).code, 2);
}

#[test]
fn bash_completes() {
    let script = doorward(&["completions", "bash"]).out;
    let complete = |words: &[&str]| {
        let line = words.join(" ");
        let program = format!(
            "{script}\nCOMP_WORDS=({line}{}) COMP_CWORD={} COMP_LINE='{line}'\n_doorward doorward '{}' ''\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            if words.last() == Some(&"") { "''" } else { "" },
            words.len() - 1,
            words.last().unwrap(),
        );
        let output = Command::new("bash").args(["--norc", "-c", &program]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete(&["doorward", "rep"]).trim(), "report\nreplay");
    assert_eq!(complete(&["doorward", "repo"]).trim(), "report");
    let options = complete(&["doorward", "report", "--"]);
    assert!(options.lines().any(|line| line == "--since") && !options.contains("--strict"), "{options}");
}

#[test]
fn manual_pages_say_what_help_says() {
    let page = doorward(&["man"]);
    assert_eq!(page.code, 0);
    assert!(page.out.contains(".TH doorward 1") && page.out.contains("doorward\\-report"), "{}", page.out);
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(doorward(&["man", "--dir", path]).code, 0);
    let report = fs::read_to_string(folder.path().join("doorward-report.1")).unwrap();
    assert!(
        report.contains("doorward report \\-\\-since 2026\\-11\\-01") || report.contains("--since 2026-11-01"),
        "{report}"
    );
    assert!(report.contains(".SH OPTIONS"), "{report}");
    let missing = doorward(&["man", "--dir", &format!("{path}/nowhere")]);
    assert!(missing.code == 2 && missing.err.contains("nowhere"), "{}", missing.err);
}
