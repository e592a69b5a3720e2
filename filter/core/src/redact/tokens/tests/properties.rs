//! What holds for every text and every way to cut it.

use proptest::prelude::*;

use super::*;
use crate::json::Limits;

const VALUES: &[(&str, &str, Form)] = &[
    ("EMAIL_ADDRESS", MAIL, Form::Label),
    ("EMAIL_ADDRESS", "alice@acme.com", Form::Preserve),
    ("EMAIL", "carol@acme.com", Form::Label),
    ("PHONE_NUMBER", "+49 30 901820", Form::Preserve),
    ("PHONE_NUMBER", "+49 30 9018201", Form::Preserve),
    ("PHONE_NUMBER", "901820", Form::Preserve),
    ("CREDIT_CARD", "4556 7375 8689 9855", Form::Preserve),
    ("PROJECT", "Bluebird", Form::Label),
    ("PROJECT", "say \"[hi](\\\n", Form::Label),
];

/// Placeholders, their beginnings, and what makes links of them.
fn piece() -> impl Strategy<Value = String> {
    let placeholders = map(VALUES).1;
    let (whole, cut) = (placeholders.clone(), placeholders);
    let parts = [
        "https://",
        "//",
        "www.",
        "evil.example",
        "/?q=",
        "](",
        "![x](",
        ")",
        "<",
        ">",
        "\"",
        "'",
        "`",
        "]: ",
        "[",
        "]",
        "href=",
        "src=\"",
        "<img ",
        "<!--",
        "<b>",
        "url(",
        "mailto:",
        ":",
        ".",
        "@",
        "/",
        "?",
        " ",
        "\n",
        ", ",
        "a",
        "9",
        "é",
        "。",
        "联系",
        "\u{a0}",
        "&",
        "&#46;",
        "\\",
        "[A_000000000000]",
        "[EMAIL_",
        "=",
    ];
    prop_oneof![
        4 => prop::sample::select(whole),
        1 => (prop::sample::select(cut), any::<prop::sample::Index>()).prop_map(|(text, at)| text[..at.index(text.len())].to_owned()),
        6 => prop::sample::select(parts.to_vec()).prop_map(str::to_owned),
        1 => "\\PC{0,3}",
    ]
}

fn pieces() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cuts_do_not_matter(text in pieces(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let (map, _) = map(VALUES);
        let every: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let mut some: Vec<usize> = cuts.iter().map(|cut| every[cut.index(every.len())]).chain([0, text.len()]).collect();
        some.sort_unstable();
        for first in [Restorer::default(), Restorer::json()] {
            let mut whole = first.clone();
            let expected = whole.push(&map, &text, true);
            for cuts in [&every, &some] {
                let mut restorer = first.clone();
                let mut restored = String::new();
                for cut in cuts.windows(2) {
                    restored += &restorer.push(&map, &text[cut[0]..cut[1]], false);
                    prop_assert!(restorer.held() < 700);
                }
                restored += &restorer.push(&map, "", true);
                prop_assert_eq!(&restored, &expected);
                prop_assert_eq!((restorer.held(), restorer.counts()), (0, whole.counts()));
            }
        }
    }

    /// Against a reading of its own: what white space cuts out and holds `://` has no value behind that.
    #[test]
    fn no_value_is_in_a_link(text in pieces()) {
        let (map, _) = map(VALUES);
        let (restored, _) = restore_whole(&map, &text);
        for word in restored.split(|c: char| c.is_ascii_whitespace() || matches!(c, '<' | '>' | '"' | '`')) {
            let Some((_, link)) = word.split_once("//") else { continue };
            for (_, value, _) in VALUES.iter().filter(|(_, value, _)| !value.contains(char::is_whitespace)) {
                prop_assert!(!link.contains(value), "{restored}");
            }
        }
        for (_, behind) in restored.match_indices("](").map(|(at, _)| restored.split_at(at + 2)) {
            let destination = behind.trim_start().split([')', '\n']).next().unwrap_or_default();
            for (_, value, _) in VALUES.iter().filter(|(_, value, _)| !value.contains("](")) {
                prop_assert!(!destination.contains(value), "{restored}");
            }
        }
    }

    #[test]
    fn nothing_but_placeholders_changes(text in "[\\PC\n]{0,40}") {
        let (map, _) = map(VALUES);
        prop_assert_eq!(restore_whole(&map, &text).0, text.as_str());
    }

    #[test]
    fn json_stays_json(texts in proptest::collection::vec(pieces(), 0..4)) {
        let (map, _) = map(VALUES);
        let nested = serde_json::Value::String(serde_json::json!({ "x": texts }).to_string());
        let document = serde_json::json!({ "a": texts, "b": nested }).to_string();
        prop_assume!(crate::json::Document::parse(document.as_bytes(), &Limits::default()).is_ok());
        let restored = restore_json(&map, &document, &Limits::default()).0;
        let restored: serde_json::Value = serde_json::from_str(&restored).unwrap();
        let nested: serde_json::Value = serde_json::from_str(restored["b"].as_str().unwrap()).unwrap();
        prop_assert_eq!(&restored["a"], &nested["x"]);
        for (restored, text) in restored["a"].as_array().unwrap().iter().zip(&texts) {
            let inner = text.trim_start();
            if !inner.starts_with(['{', '[', '"']) {
                prop_assert_eq!(restored.as_str().unwrap(), restore_whole(&map, text).0);
            }
        }
    }

    #[test]
    fn a_sweep_leaves_no_long_value(text in proptest::collection::vec(prop::sample::select(vec![
        MAIL, "alice@acme.com", "Bluebird", "Blue", "bird", "bob", "@acme.com", " ", "901820", "9", "é",
    ]), 0..12)) {
        let (map, text) = (map(VALUES).0, text.concat());
        let mut rest = String::new();
        let mut at = 0;
        for (range, _) in map.sweep(&text) {
            prop_assert!(range.start >= at && range.start < range.end);
            rest.push_str(&text[at..range.start]);
            rest.push('\0');
            at = range.end;
        }
        rest.push_str(&text[at..]);
        for (_, value, _) in VALUES {
            prop_assert!(!rest.contains(value), "{text}");
        }
    }
}
