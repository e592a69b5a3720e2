//! What is found in plain is found when it is written otherwise; what is harmless in plain stays so. On labelled data,
//! where that is present (`corpora`), and on a few texts of our own.

use std::collections::BTreeMap;

use super::super::{Selection, Sighting};
use super::corpora::{rows, show, spans};
use super::lanes::{absolute, cut, lane_findings, pushes, select};
use super::{Budget, Detectors, builtin};

fn sightings(detectors: &Detectors, selection: &Selection, text: &str) -> Vec<Sighting> {
    let mut out = Vec::new();
    detectors
        .scan_through(crate::protocol::Channel::User, text, selection, &mut Budget::new(u64::MAX), &mut out)
        .unwrap();
    out
}

/// The types found where `span` is.
fn types<'d>(detectors: &'d Detectors, selection: &Selection, text: &str, span: (usize, usize)) -> Vec<&'d str> {
    let found = sightings(detectors, selection, text);
    let there = found.iter().map(|s| s.finding).filter(|f| f.start < span.1 && span.0 < f.end);
    there.map(|f| detectors.kind(f.kind).name.as_str()).collect()
}

/// What is found of what is found in plain, at least; in percent.
const FLOOR: usize = 85;

#[test]
fn what_is_found_in_plain_is_found_in_disguise() {
    let Some(rows) = rows("evasion.jsonl") else { return };
    let detectors = builtin();
    let selection = select(&detectors, &["all"]);
    let mut tallies: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["kind"] == "pii" || row["kind"] == "secret") {
        let (text, original) = (row["text"].as_str().unwrap(), row["original"].as_str().unwrap());
        let Some((_, (start, end))) = spans(row, text).first().cloned() else { continue };
        let plain = format!("{}{original}{}", text.get(..start).unwrap(), text.get(end..).unwrap());
        let expected = types(&detectors, &selection, &plain, (start, start + original.len()));
        let found = types(&detectors, &selection, text, (start, end));
        let (kind, transform) = (row["kind"].as_str().unwrap(), row["transform"].as_str().unwrap());
        for transform in [transform, "all"] {
            let (gold, hit) = tallies.entry((kind.to_owned(), transform.to_owned())).or_default();
            *gold += expected.len();
            *hit += expected.iter().filter(|kind| found.contains(kind)).count();
        }
        if expected.iter().any(|kind| !found.contains(kind)) {
            show(&expected.join(","), transform, text, (start, end));
        }
    }
    let mut low = Vec::new();
    for ((kind, transform), (gold, hit)) in &tallies {
        let share = 100 * hit / (*gold).max(1);
        println!("{kind:8} {transform:20} {hit:4} of {gold:4}: {share} %");
        if share < FLOOR {
            low.push(format!("{kind} {transform}: {share} %"));
        }
    }
    assert!(low.is_empty(), "{low:?}");
}

/// Neither an encoding by itself nor what it makes of harmless text is a finding.
#[test]
fn harmless_text_in_disguise_is_harmless() {
    let detectors = builtin();
    let selection = select(&detectors, &["all"]);
    let Some(disguised) = rows("evasion.jsonl") else { return };
    let benign = rows("benign.jsonl").unwrap_or_default();
    let mut more = Vec::new();
    for row in disguised.iter().filter(|row| row["kind"] == "benign").chain(&benign) {
        let text = row["text"].as_str().unwrap();
        let name = |s: &Sighting| detectors.kind(s.finding.kind).name.clone();
        let tags = row["transform"] == "tags-E0000";
        let hidden = sightings(&detectors, &selection, text).into_iter().filter(|s| s.hidden.is_some());
        for sighting in hidden.filter(|s| !(tags && name(s) == "HIDDEN_TEXT")) {
            show("hidden", &name(&sighting), text, (sighting.finding.start, sighting.finding.end));
            let label = row["transform"].as_str().or(row["category"].as_str()).unwrap_or_default();
            more.push(format!("{label}: {}{}", name(&sighting), if sighting.part { " (part)" } else { "" }));
        }
    }
    println!("hidden in {} harmless texts: {more:?}", benign.len());
    // Addresses that are there, written with references.
    assert!(more.len() <= 8, "{more:?}");
}

/// What characters hide is found in a text that arrives in pieces, too.
#[test]
fn characters_hide_nothing_in_streams() {
    const CHARACTERS: [&str; 10] = [
        "arabic-indic",
        "devanagari",
        "email-fullwidth-at",
        "en-dash",
        "fullwidth",
        "nb-hyphen",
        "nbsp-sep",
        "tags-E0000",
        "thin-space",
        "zero-width",
    ];
    let Some(rows) = rows("evasion.jsonl") else { return };
    let detectors = builtin();
    let selection = select(&detectors, &["all"]);
    let mut tallies: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["kind"] == "pii" || row["kind"] == "secret") {
        let transform = row["transform"].as_str().unwrap();
        if !CHARACTERS.contains(&transform) {
            continue;
        }
        let (text, original) = (row["text"].as_str().unwrap(), row["original"].as_str().unwrap());
        let Some((_, (start, end))) = spans(row, text).first().cloned() else { continue };
        let plain = format!("{}{original}{}", text.get(..start).unwrap(), text.get(end..).unwrap());
        let found = absolute(&pushes(&detectors, &selection, cut(text, 4).into_iter()), text);
        let (gold, hit) = tallies.entry(format!("{} {transform}", row["kind"])).or_default();
        for expected in lane_findings(&detectors, &selection, &plain) {
            if expected.start < start + original.len() && start < expected.end {
                *gold += 1;
                *hit += usize::from(found.iter().any(|f| f.kind == expected.kind && f.start < end && start < f.end));
            }
        }
    }
    for (what, (gold, hit)) in &tallies {
        println!("in a stream: {what:30} {hit:4} of {gold:4}");
        assert!(100 * hit >= FLOOR * gold, "{what}");
    }
}
