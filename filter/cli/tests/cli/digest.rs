//! `doorward digest`, and that `doorward scan` finds what it made an entry of.

use std::path::PathBuf;

use super::{doorward_with, here};

const KEY: (&str, &str) = ("DOORWARD_TEST_KEY", "0123456789abcdef0123456789abcdef");

/// A policy with an entry of `doorward digest` in it.
fn policy(entry: &str) -> tempfile::NamedTempFile {
    let head = "version: doorward/v1
targets: [{name: openai, cluster: openai, provider: openai}]
identity: {mtls: {trust_domains: cluster.local}, require: {user: false, workload: true}}
access: [{id: all, effect: allow}]
content:
  - {id: a, detect: CUSTOMER, action: deny}
detectors:
  exact:
";
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), format!("{head}{entry}")).unwrap();
    file
}

#[test]
fn an_entry_finds_its_values_and_does_not_hold_them() {
    let arguments = ["digest", "--name", "CUSTOMER", "--group", "pii", "--key-env", KEY.0];
    let made = doorward_with(&arguments, "C-100-234\n\n9988-7766\nno digit\n", &[KEY]);
    assert_eq!(made.code, 1, "{}", made.err);
    assert!(made.err.contains("1 of 3 values") && made.err.contains("lines 4"), "{}", made.err);
    assert!(!made.out.contains("100") && !made.out.contains("9988"), "{}", made.out);
    let policy = policy(&made.out);
    let file = policy.path().to_str().unwrap();
    let checked = doorward_with(&["check", file], "", &[KEY]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    let text = "is c100234 due? and 9988 7766? not 99887767\n";
    let scanned = doorward_with(&["scan", "--policy", file, "--show"], text, &[KEY]);
    assert!(scanned.out.contains("c100234") && scanned.out.contains("9988 7766"), "{}{}", scanned.out, scanned.err);
    assert_eq!(scanned.out.lines().count(), 2, "{}", scanned.out);
    // Another key, other digests.
    let other = (KEY.0, "another-key-of-at-least-32-bytes-here");
    assert_eq!(doorward_with(&["scan", "--policy", file], text, &[other]).out, "");
    assert_ne!(doorward_with(&arguments, "C-100-234\n9988-7766\n", &[other]).out, made.out);
}

#[test]
fn what_cannot_be_made_is_said() {
    let digest = |name: &str, stdin: &str, key: &[(&str, &str)]| {
        let ran = doorward_with(&["digest", "--name", name, "--key-env", KEY.0], stdin, key);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        ran.err
    };
    assert!(digest("X", "123456", &[]).contains("openssl rand -hex 32"));
    assert!(digest("X", "words only", &[KEY]).contains("no value"));
    assert!(digest("X", "123456", &[(KEY.0, "short")]).contains("shorter than 32"));
    assert!(digest("CREDIT_CARD", "123456", &[KEY]).contains("built-in"));
    let none: PathBuf = here().join("none.txt");
    let ran = doorward_with(&["digest", "--name", "X", "--key-env", KEY.0, none.to_str().unwrap()], "", &[KEY]);
    assert_eq!(ran.code, 2);
}
