//! Each policy pack does what the tests beside it say, and every statement of it is met by one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use doorward_cases::run::{Verdict, run};
use doorward_cases::suite::File;
use doorward_core::config::Tree;
use doorward_core::packs::{Pack, extend};

#[test]
fn every_statement_of_every_pack_is_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/packs");
    for pack in Pack::all() {
        let file = File::read(&folder.join(format!("{}.test.yaml", pack.name))).unwrap_or_else(|e| panic!("{e:#}"));
        let policy: Tree = serde_saphyr::from_str(&std::fs::read_to_string(&file.policy).unwrap()).unwrap();
        // With the pack's statements in it, they count like the policy's own.
        let mut whole = extend(&policy).unwrap().expect("a policy that extends a pack").tree;
        if let Tree::Map(sections) = &mut whole {
            // Detectors of a pack are nobody else's, not even if they are the same.
            sections.retain(|(section, _)| section != "detectors");
        }
        let report = run(&file.suite, whole, &|_| true).unwrap_or_else(|e| panic!("{}: {e:#}", pack.name));
        for case in &report.cases {
            assert_eq!(case.verdict, Verdict::Pass, "{}: {}", pack.name, case.name);
        }
        let prefix = format!("{}.", pack.name);
        let unmet = report.coverage.unmet();
        let unmet: Vec<&str> = unmet.iter().map(|s| s.id.as_str()).filter(|id| id.starts_with(&prefix)).collect();
        assert!(unmet.is_empty(), "{}: nothing tests {unmet:?}", pack.name);
    }
}
