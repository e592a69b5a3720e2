//! Texts that arrive in pieces: what is found in them.

use std::collections::BTreeMap;

use super::super::secrets::tokens::samples as token_samples;
use super::super::types::{TYPES, Type};
use super::super::{Lane, Selection, injection};
use super::lane_properties::own;
use super::sample_rows;
use super::{Budget, Detectors, Finding, builtin, corpora, detectors, findings};
use crate::config::Path;

/// One push: what it settled, and how much was pushed by then.
pub(super) struct Push {
    pub(super) text: String,
    pub(super) findings: Vec<Finding>,
    pub(super) read: usize,
}

pub(super) fn select(detectors: &Detectors, names: &[&str]) -> Selection {
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    detectors.select(&names, &Path::root()).unwrap()
}

/// Pushes the pieces, the last one as the end.
pub(super) fn pushes<'t>(
    detectors: &Detectors,
    selection: &Selection,
    pieces: impl Iterator<Item = &'t str>,
) -> Vec<Push> {
    let mut lane = Lane::new();
    let mut budget = Budget::new(u64::MAX);
    let mut read = 0;
    let mut pieces = pieces.peekable();
    let mut out = Vec::new();
    loop {
        let piece = pieces.next().unwrap_or("");
        let end = pieces.peek().is_none();
        read += piece.len();
        let settled = lane.push(piece, end, detectors, selection, &mut budget).unwrap();
        out.push(Push { text: settled.text, findings: settled.findings, read });
        if end {
            assert_eq!(lane.held(), 0);
            return out;
        }
    }
}

/// The pieces of a text, cut at every `size` bytes (and on to the next character boundary).
pub(super) fn cut(text: &str, size: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let to = text.ceil_char_boundary((from + size).min(text.len()));
        pieces.push(text.get(from..to).unwrap());
        from = to;
    }
    pieces
}

/// What is found, with offsets into the whole text. Private keys are joined where they touch: guarantee 2 is on the
/// bytes that they cover.
pub(super) fn absolute(pushes: &[Push], text: &str) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    let mut base = 0;
    for push in pushes {
        let mut last: BTreeMap<_, usize> = BTreeMap::new();
        for f in &push.findings {
            assert!(f.start < f.end && push.text.get(f.start..f.end).is_some(), "{f:?} in {:?} of {text:?}", push.text);
            let end = last.insert(f.kind, f.end).unwrap_or(0);
            assert!(end <= f.start, "{f:?} overlaps one of its kind in {text:?}");
            let shifted = Finding { start: base + f.start, end: base + f.end, ..*f };
            match all.iter_mut().rfind(|o| o.kind == f.kind) {
                Some(open) if f.kind == Type::PrivateKey.id() && open.end == shifted.start => open.end = shifted.end,
                _ => all.push(shifted),
            }
        }
        assert!(push.findings.is_sorted_by_key(|f| f.start));
        base += push.text.len();
    }
    all.sort_by_key(|f| (f.start, f.kind, f.end));
    all
}

pub(super) fn lane_findings(detectors: &Detectors, selection: &Selection, text: &str) -> Vec<Finding> {
    absolute(&pushes(detectors, selection, [text].into_iter()), text)
}

/// Samples that a lane finds otherwise: a Terraform token starts at its sign. None has its context behind it only.
const ONLY_WHOLE: &[&str] =
    &["token = \"«zfK2aBcD3eFgH1.atla¦sv1.Qw3rTy6uIoP9aSdF2gHjK4lZxC7vBnM0qWe5rTy8uIoP1aSdF3gHjK6lZxCvBn»\""];

#[test]
fn samples_are_found_in_a_lane() {
    let detectors = builtin();
    let (mut wrong, mut only_whole) = (Vec::new(), Vec::new());
    let all = select(&detectors, &["all"]);
    for row in sample_rows::all() {
        let selection = select(&detectors, &[row.kind]);
        for (sample, among_text) in row.found.iter().flat_map(|s| [(s, false), (s, true)]) {
            let marked = sample.replace('¦', "");
            let marked = if among_text { format!("As agreed. {marked} And so on.") } else { marked };
            let (start, end) = (marked.find('«').unwrap(), marked.find('»').unwrap() - '«'.len_utf8());
            let text = marked.replace(['«', '»'], "");
            let (_, kind) = detectors.kinds().enumerate().find(|(_, (_, k))| k.name == row.kind).unwrap();
            for selection in [&selection, &all] {
                let pushes = pushes(&detectors, selection, cut(&text, 3).into_iter());
                let found = absolute(&pushes, &text);
                if !found.iter().any(|f| f.kind == kind.0 && (f.start, f.end) == (start, end)) {
                    let here = findings(&detectors, &["all"], &text);
                    // As far as the whole text has it so.
                    if here.iter().any(|f| f.kind == kind.0 && (f.start, f.end) == (start, end)) {
                        only_whole.push(*sample);
                        if !ONLY_WHOLE.contains(sample) {
                            wrong.push(format!("{}: {text:?} gave {found:?}", row.kind));
                        }
                    }
                }
            }
        }
        for sample in row.missed {
            let text = sample.replace('¦', "");
            let found = lane_findings(&detectors, &selection, &text);
            if !found.is_empty() {
                wrong.push(format!("{}: near miss {text:?} gave {found:?}", row.kind));
            }
        }
    }
    for row in token_samples() {
        let selection = select(&detectors, &[TYPES[row.kind.id().index()].0]);
        for (before, after) in [("", ""), ("token = \"", "\";"), ("use ", "."), ("\\n", "\\n"), (">", "<"), ("é", "é")]
        {
            for sample in row.found {
                let value = sample.replace('¦', "");
                let text = format!("{before}{value}{after}");
                let found = absolute(&pushes(&detectors, &selection, cut(&text, 3).into_iter()), &text);
                if !found.iter().any(|f| (f.start, f.end) == (before.len(), before.len() + value.len())) {
                    wrong.push(format!("{text:?} gave {found:?}"));
                }
            }
            for sample in row.missed {
                let text = format!("{before}{}{after}", sample.replace('¦', ""));
                let found = lane_findings(&detectors, &selection, &text);
                if !found.is_empty() {
                    wrong.push(format!("near miss {text:?} gave {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for sample in ONLY_WHOLE {
        assert!(only_whole.contains(sample), "{sample} is found in a lane too");
    }
}

/// What only context words behind the value make a finding.
#[test]
fn context_behind_a_value_does_not_count() {
    let detectors = builtin();
    for (kind, text) in [
        ("PHONE_NUMBER", "4155552671 (office)"),
        ("PHONE_NUMBER", "98765 43210 mobile"),
        ("CREDIT_CARD", "501800000009 is the card"),
        ("US_SSN", "536228726 is my ssn"),
        ("CONNECTION_STRING", "password=s3cret99;server=db1"),
    ] {
        assert_eq!(findings(&detectors, &[kind], text).len(), 1, "{text}");
        assert!(lane_findings(&detectors, &select(&detectors, &[kind]), text).is_empty(), "{text}");
    }
}

/// On labelled data, a lane finds what a scan finds, but for context behind the value.
#[test]
fn a_lane_finds_what_a_scan_finds() {
    let detectors = builtin();
    // Where only the end is told, or the words behind.
    let terraform = Type::TerraformToken.id();
    let key = |f: &Finding| (f.kind, if f.kind == terraform { 0 } else { f.start }, f.end);
    for (file, names, most) in [
        ("pii.jsonl", "all", 18),
        ("pii.jsonl", "PHONE_NUMBER", 18),
        ("pii.jsonl", "US_SSN", 0),
        ("pii.jsonl", "CREDIT_CARD", 0),
        ("pii.jsonl", "IP_ADDRESS", 0),
        ("pii.jsonl", "IBAN_CODE", 0),
        ("secrets.jsonl", "all", 0),
        ("secrets.jsonl", "secrets", 0),
        // A lane reads what characters that nobody sees hide, too.
        ("benign.jsonl", "all", 1),
    ] {
        let Some(rows) = corpora::rows(file) else { return };
        let selection = select(&detectors, &[names]);
        let (mut both, mut different) = (0, 0);
        for row in &rows {
            let text = row["text"].as_str().unwrap();
            let mut scan = findings(&detectors, &[names], text);
            // Judged in whole texts only.
            scan.retain(|f| f.kind != injection::KIND);
            let lane = lane_findings(&detectors, &selection, text);
            let only = |of: &[Finding], other: &[Finding]| -> Vec<Finding> {
                of.iter().filter(|f| !other.iter().any(|o| key(o) == key(f))).copied().collect()
            };
            let (mut scan_only, lane_only) = (only(&scan, &lane), only(&lane, &scan));
            // Only the word behind tells it, which a lane has not read yet (`a_spanish_passport_is_named_behind_it_as_well`).
            let behind = |f: &Finding| text.get(f.end..).is_some_and(|rest| rest.contains("pasaporte"));
            scan_only.retain(|f| !(f.kind == Type::EsPassport.id() && behind(f)));
            both += scan.len() - scan_only.len();
            different += scan_only.len() + lane_only.len();
            for (what, f) in scan_only.iter().map(|f| ("scan", f)).chain(lane_only.iter().map(|f| ("lane", f))) {
                corpora::show(&format!("{what} only:"), &detectors.kind(f.kind).name, text, (f.start, f.end));
            }
        }
        println!("{file}, {names}: {both} in both, {different} in one only");
        assert!(different <= most, "{file}, {names}: {different}");
    }
}

#[test]
fn a_password_behind_an_underscore_is_one() {
    let detectors = builtin();
    let selection = select(&detectors, &["CONNECTION_STRING"]);
    for text in ["Server=db1;User Id=sa;DB_PASSWORD=hunter2!9 ok", "host=db1;Password=Tr0ub4dor3;DB_PWD=hunter2!9 ok"] {
        let found = absolute(&pushes(&detectors, &selection, cut(text, 1).into_iter()), text);
        let last = found.last().unwrap();
        assert_eq!(text.get(last.start..last.end), Some("hunter2!9"), "{text}");
    }
}

#[test]
fn a_webhook_starts_with_its_scheme() {
    let detectors = builtin();
    let value = "hooks.sla¦ck.com/services/T024AHXWU/BBOSMLT9N/1D9eU2YFa8phvaK5tNIaSfNG".replace('¦', "");
    for before in ["https://", "http://", "https://a.b-c."] {
        let text = format!("at {before}{value} here");
        for names in ["all", "SLACK_WEBHOOK"] {
            let selection = select(&detectors, &[names]);
            let found = absolute(&pushes(&detectors, &selection, cut(&text, 3).into_iter()), &text);
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].start, found[0].end), (3, text.len() - 5));
        }
    }
}

#[test]
fn a_block_is_reported_as_it_comes() {
    let detectors = builtin();
    let selection = select(&detectors, &["PRIVATE_KEY", "CREDIT_CARD"]);
    let key =
        format!("-----BEGIN {} KEY-----\n{}\n4556737586899855 -----END RSA KEY-----", "PRIVATE", "QUJD".repeat(9000));
    let text = format!("key: {key} and on");
    let pushes = pushes(&detectors, &selection, cut(&text, 4).into_iter());
    let found = absolute(&pushes, &text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((found[0].start, found[0].end), (5, 5 + key.len()));
    let held = pushes.iter().scan(0, |settled, p| {
        *settled += p.text.len();
        Some(p.read - *settled)
    });
    assert!(held.max().unwrap() <= 200);
}

#[test]
fn an_empty_selection_lets_everything_pass() {
    let detectors = builtin();
    let mut lane = Lane::new();
    let settled = lane.push("bob@acme.com", false, &detectors, &Selection::default(), &mut Budget::new(0)).unwrap();
    assert_eq!((settled.text.as_str(), settled.findings.len(), lane.held()), ("bob@acme.com", 0, 0));
}

#[test]
fn only_what_may_go_on_is_held() {
    let detectors = own();
    for (name, piece, held) in [
        ("CREDIT_CARD", "The committee met", ""),
        ("CREDIT_CARD", "in 2024", "2024"),
        ("CREDIT_CARD", "in 2024 w", ""),
        ("PHONE_NUMBER", "call (", "("),
        ("PHONE_NUMBER", "555-2671 ex", "555-2671 ex"),
        ("PHONE_NUMBER", "555-2671 exa", ""),
        ("EMAIL_ADDRESS", "The committee", "committee"),
        ("EMAIL_ADDRESS", "The committee ", ""),
        ("EMAIL_ADDRESS", "@committee", ""),
        ("EMAIL_ADDRESS", "to bob@acme", "bob@acme"),
        ("IP_ADDRESS", "Note:", ":"),
        ("IP_ADDRESS", "Note: ", ""),
        ("IBAN_CODE", "is", "is"),
        ("IBAN_CODE", "us", ""),
        ("GITHUB_TOKEN", "laugh", "gh"),
        ("STRIPE_KEY", "task", ""),
        ("STRIPE_KEY", "a sk", "sk"),
        ("URL_CREDENTIALS", "https://acme.com", "://acme.com"),
        ("URL_CREDENTIALS", "https://acme.com/", ""),
        ("PRIVATE_KEY", "a -", "-"),
        ("projects", "a blue ", "blue "),
        ("projects", "a blue m", "blue m"),
        ("projects", "a blue n", "n"),
        ("employee", "an EM", "EM"),
        ("employee", "xEMP-1", ""),
        ("EXTERNAL_IMAGE", "see ![a chart](", ""),
        ("EXTERNAL_IMAGE", "see ![a chart](ht", "ht"),
        ("EXTERNAL_IMAGE", "see [a page](https://a.b", ""),
        ("EXTERNAL_IMAGE", "<img src = ", ""),
        ("EXTERNAL_IMAGE", "<img src = 'a", "a"),
        ("EXTERNAL_IMAGE", "oh https://a.b/?c", ""),
        ("EXTERNAL_LINK", "oh", ""),
        ("EXTERNAL_LINK", "o h", "h"),
        ("EXTERNAL_LINK", "o ht", "ht"),
        ("EXTERNAL_LINK", "o hta", ""),
        ("EXTERNAL_LINK", "o https://a.b", "https://a.b"),
        ("EXTERNAL_LINK", "o https://a.b ", ""),
        ("EXTERNAL_LINK", "see [a page](b c", "b c"),
        ("CANARY", "a Zx", "Zx"),
        ("vowels", "team", ""),
        ("vowels", "tea", "ea"),
    ] {
        let mut lane = Lane::new();
        let selection = select(&detectors, &[name]);
        let settled = lane.push(piece, false, &detectors, &selection, &mut Budget::default()).unwrap();
        assert_eq!(lane.release(), held, "{name}: {piece}");
        assert_eq!(settled.text.len() + held.len(), piece.len());
    }
}

#[test]
fn what_is_held_can_be_let_go_of() {
    let detectors = builtin();
    let selection = select(&detectors, &["all"]);
    let mut lane = Lane::new();
    let settled = lane.push("to bob@ac", false, &detectors, &selection, &mut Budget::default()).unwrap();
    assert_eq!((settled.text.as_str(), lane.held()), ("to ", 6));
    assert_eq!((lane.release().as_str(), lane.held()), ("bob@ac", 0));
    let settled = lane.push("me.com ", true, &detectors, &selection, &mut Budget::default()).unwrap();
    assert_eq!((settled.text.as_str(), settled.findings.len()), ("me.com ", 0));
}

#[test]
fn over_budget_holds_everything() {
    let detectors = detectors(r#"{"patterns":[{"name":"slow","pattern":"[a-z]{3}"}]}"#);
    let selection = select(&detectors, &["slow"]);
    let mut lane = Lane::new();
    let mut budget = Budget::new(8);
    let outcome = lane.push("abc, def, ghi, jkl", true, &detectors, &selection, &mut budget);
    assert!(outcome.is_err());
    assert_eq!(lane.release(), "abc, def, ghi, jkl");
}
