//! The suites beside this file pass, and each of their expectations can fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};

use doorward_cases::format::{Expect, Got, NameOr};
use doorward_cases::run::{Report, Verdict, run};
use doorward_cases::suite::File;
use doorward_core::config::Tree;

fn suite(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suites").join(format!("{name}.test.yaml"))
}

fn load(name: &str) -> (File, Tree) {
    let file = File::read(&suite(name)).unwrap_or_else(|e| panic!("{e:#}"));
    let policy = serde_saphyr::from_str(&std::fs::read_to_string(&file.policy).unwrap()).unwrap();
    (file, policy)
}

fn failing(report: &Report) -> Vec<String> {
    let wrong = report.cases.iter().filter(|case| case.verdict != Verdict::Pass);
    wrong.map(|case| format!("{}: {:?}", case.name, case.verdict)).collect()
}

#[test]
fn every_kind_of_caller_and_way_is_played() {
    for name in ["callers", "ways"] {
        let (file, policy) = load(name);
        let report = run(&file.suite, policy, &|_| true).unwrap();
        assert_eq!(failing(&report), Vec::<String>::new(), "{name}");
        assert_eq!(report.cases.len(), file.suite.cases.len());
        assert_eq!(report.coverage.unmet(), Vec::<&_>::new(), "{name}");
    }
}

/// Turns one expectation at a time into its opposite.
fn opposites(expect: &Expect) -> Vec<Expect> {
    let mut all = Vec::new();
    let other = || Some("something-else".to_owned());
    let more = |list: &Option<Vec<String>>| {
        list.clone().map(|mut l| {
            l.push("one-more".to_owned());
            l
        })
    };
    let mut put = |change: &dyn Fn(&mut Expect)| {
        let mut changed = expect.clone();
        change(&mut changed);
        all.push(changed);
    };
    if expect.decision.is_some() {
        put(&|e| e.decision = other());
    }
    if expect.action.is_some() {
        put(&|e| e.action = other());
    }
    if expect.reason.is_some() {
        put(&|e| e.reason = other());
    }
    if expect.rules.is_some() {
        put(&|e| e.rules = more(&e.rules));
    }
    if expect.observed.is_some() {
        put(&|e| e.observed = Some(Vec::new()));
    }
    for (key, value) in &expect.record {
        put(&|e| _ = e.record.insert(key.clone(), if value.is_some() { None } else { other() }));
    }
    match &expect.upstream {
        Some(NameOr::Name(_)) => put(&|e| e.upstream = Some(NameOr::Own(Default::default()))),
        Some(NameOr::Own(_)) => put(&|e| e.upstream = Some(NameOr::Name("nothing".to_owned()))),
        None => {}
    }
    if let Some(NameOr::Own(sent)) = &expect.upstream {
        for text in &sent.lacks {
            let mut sent = sent.clone();
            sent.contains.push(text.clone());
            put(&|e| e.upstream = Some(NameOr::Own(sent.clone())));
        }
        for text in &sent.contains {
            let mut sent = sent.clone();
            sent.lacks.push(text.clone());
            put(&|e| e.upstream = Some(NameOr::Own(sent.clone())));
        }
        for pointer in sent.at.keys() {
            let mut sent = sent.clone();
            sent.absent.push(pointer.clone());
            put(&|e| e.upstream = Some(NameOr::Own(sent.clone())));
        }
    }
    if expect.client.as_ref().is_some_and(|got| got.status.is_some()) {
        put(&|e| e.client = Some(Got { status: Some(999), ..e.client.clone().unwrap_or_default() }));
    }
    all
}

#[test]
fn every_expectation_can_fail() {
    let mut turned = 0;
    for name in ["callers", "ways"] {
        let (file, policy) = load(name);
        for case in file.suite.cases.iter().filter(|case| case.steps.is_empty()) {
            for opposite in opposites(case.expect.as_ref().unwrap()) {
                let mut suite = file.suite.clone();
                let mut changed = case.clone();
                changed.expect = Some(opposite.clone());
                suite.cases = vec![changed];
                let report = run(&suite, policy.clone(), &|_| true).unwrap();
                assert!(matches!(report.cases[0].verdict, Verdict::Fail(_)), "{}: {opposite:?}", case.name);
                turned += 1;
            }
        }
    }
    assert!(turned > 40, "{turned}");
}
