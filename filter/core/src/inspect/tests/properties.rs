//! What holds for every text.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::secrets::tokens::samples as token_samples;
use super::{Budget, Detectors, Finding, detectors, findings};
use crate::config::Path;

const DOCUMENT: &str = r#"{
    "patterns": [
        {"name": "employee", "pattern": "EMP-\\d{3,6}"},
        {"name": "digits", "pattern": "\\b\\d{2,4}\\b", "score": 0.6},
        {"name": "vowels", "pattern": "[aeiouäé]{2,}"}
    ],
    "dictionaries": [
        {"name": "projects", "words": ["falcon", "blue moon", ".NET", "über", "内部"]},
        {"name": "parts", "words": ["al", "lc", "moo"], "whole_words": false}
    ]
}"#;

/// Pieces that detectors care about, and what may stand between them.
fn piece() -> impl Strategy<Value = String> {
    let samples: Vec<String> = token_samples().flat_map(|s| s.found).map(|s| s.replace('¦', "")).collect();
    let words = [
        "4556 7375 8689 9855",
        "4556737586899855",
        "536-22-8726",
        "bob@acme.com",
        "+49 30 901820",
        "(415) 555-2671",
        "192.168.1.1",
        "2001:db8::1",
        "::1",
        "GB82 WEST 1234 5698 7654 32",
        "-----BEGIN PRIVATE KEY-----",
        "-----END",
        "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
        "://a:bcd@e",
        "Server=x;Password=abcd1;",
        "EMP-1234",
        "falcon",
        "blue  moon",
        ".NET",
        "über",
        "内部",
        "phone",
        "ssn",
        "version",
        "\\n",
        "\u{a0}",
        "\u{2011}",
        "é",
        "😀",
        "\u{0}",
    ];
    prop_oneof![
        proptest::sample::select(samples),
        proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        "[ -~]{0,6}",
        "[0-9 .:+()/@-]{0,12}",
        "\\PC{0,4}",
    ]
}

fn check(detectors: &Detectors, text: &str, all: &[Finding]) {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    assert!(all.is_sorted_by_key(|f| f.start), "sorted");
    for f in all {
        assert!(f.start < f.end && text.get(f.start..f.end).is_some(), "{f:?} in {text:?}");
        assert!((0.5..=1.0).contains(&f.score), "{f:?}");
        let name = detectors.kind(f.kind).name.as_str();
        let end = last.insert(name, f.end).unwrap_or(0);
        assert!(end <= f.start, "{name} overlaps itself in {text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn findings_are_in_order_and_on_character_boundaries(pieces in proptest::collection::vec(piece(), 0..12)) {
        let text = pieces.concat();
        let detectors = detectors(DOCUMENT);
        check(&detectors, &text, &findings(&detectors, &["all"], &text));
    }

    #[test]
    fn what_is_selected_alone_is_found_alone(pieces in proptest::collection::vec(piece(), 0..6)) {
        let text = pieces.join(" ");
        let detectors = detectors(DOCUMENT);
        let every = findings(&detectors, &["all"], &text);
        for (id, kind) in detectors.kinds() {
            let alone = findings(&detectors, &[&kind.name], &text);
            prop_assert!(alone.iter().all(|f| f.kind == id));
            // Alone, nothing hides it: whatever is found among all is found alone.
            for f in every.iter().filter(|f| f.kind == id) {
                prop_assert!(alone.contains(f), "{f:?} in {text:?}");
            }
        }
    }

    #[test]
    fn scanning_appends(text in "[ -~]{0,40}") {
        let detectors = detectors(DOCUMENT);
        let selection = detectors.select(&["all".to_owned()], &Path::root()).unwrap();
        let mut out = findings(&detectors, &["all"], &text);
        let once = out.clone();
        detectors.scan(&text, &selection, &mut Budget::default(), &mut out).unwrap();
        prop_assert_eq!(&out, &[once.clone(), once].concat());
    }
}
