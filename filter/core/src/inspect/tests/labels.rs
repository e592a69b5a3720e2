//! Precision and recall, on labelled data, of what only the words around it give away.

use std::collections::BTreeMap;

use super::super::labels;
use super::super::types::Type;
use super::corpora::{covers, predictions, rows, show, spans};
use super::{builtin, findings, found};

fn labelled(kind: &str) -> bool {
    (0..).map_while(|id| Type::of(super::super::KindId(id))).any(|t| {
        labels::finds(t) && super::super::types::TYPES.get(t.id().index()).is_some_and(|(name, _)| *name == kind)
    })
}

/// What the people who labelled the rows call it too.
fn same(kind: &str, label: &str) -> bool {
    kind == label
        || match kind {
            "PERSON" => ["TITLE", "PREFIX"].contains(&label),
            "ADDRESS" => ["LOCATION", "ZIP_CODE", "STREET_ADDRESS"].contains(&label),
            "DATE_OF_BIRTH" => label == "DATE_TIME",
            "DRIVER_LICENSE" => label.ends_with("DRIVER_LICENSE"),
            "UK_POSTCODE" | "POSTAL_CODE" => label == "ZIP_CODE",
            "ACCOUNT_NUMBER" => label == "US_BANK_NUMBER",
            _ => false,
        }
}

#[test]
fn what_is_reported_is_right() {
    let Some(rows) = rows("pii.jsonl") else { return };
    let detectors = builtin();
    // Right, wrong, missed.
    let mut tallies: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let gold = spans(row, text);
        let predicted = predictions(&detectors, text);
        for (kind, span) in predicted.iter().filter(|(kind, _)| labelled(kind)) {
            if row["scope"] == "single" && row["entity"] != **kind {
                continue;
            }
            let right = gold.iter().any(|(label, g)| same(kind, label) && g.0 < span.1 && span.0 < g.1);
            tallies.entry(kind.clone()).or_default()[usize::from(!right)] += 1;
            if !right {
                show("too much", kind, text, *span);
            }
        }
        for (label, g) in gold.iter().filter(|(label, _)| labelled(label)) {
            let found = predicted.iter().any(|(kind, p)| same(kind, label) && covers(*p, *g));
            tallies.entry(label.clone()).or_default()[2] += usize::from(!found);
            if !found {
                show("missed", label, text, *g);
            }
        }
    }
    for (kind, [right, wrong, missed]) in &tallies {
        println!("{kind}: right {right}, wrong {wrong}, missed {missed}");
    }
    let sum = |i: usize| tallies.values().map(|t| t[i]).sum::<usize>();
    println!("in all: right {}, wrong {}", sum(0), sum(1));
}

#[test]
fn benign_text_has_little_of_it() {
    let Some(rows) = rows("benign.jsonl") else { return };
    let detectors = builtin();
    let (mut with, mut kinds) = (0, BTreeMap::<String, usize>::new());
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let mut any = false;
        for f in findings(&detectors, &["all"], text) {
            let kind = &detectors.kind(f.kind).name;
            if labelled(kind) {
                any = true;
                *kinds.entry(kind.clone()).or_default() += 1;
                show(row["category"].as_str().unwrap(), kind, text, (f.start, f.end));
            }
        }
        with += usize::from(any);
    }
    println!("{with} of {} rows: {kinds:?}", rows.len());
}

#[test]
fn business_content_is_not_everywhere() {
    let Some(rows) = rows("benign.jsonl") else { return };
    let detectors = builtin();
    let mut kinds = BTreeMap::<(String, String), usize>::new();
    let mut all = BTreeMap::<String, usize>::new();
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let category = row["category"].as_str().unwrap();
        *all.entry(category.to_owned()).or_default() += 1;
        let mut seen: Vec<&str> = Vec::new();
        for f in findings(&detectors, &["business"], text) {
            let kind = detectors.kind(f.kind).name.as_str();
            show(category, kind, text, (f.start, f.end));
            if !seen.contains(&kind) {
                seen.push(kind);
                *kinds.entry((kind.to_owned(), category.to_owned())).or_default() += 1;
            }
        }
    }
    for ((kind, category), n) in kinds.iter().filter(|((_, category), _)| !category.starts_with("trap")) {
        println!("{kind} {category}: {n} of {}", all[category]);
    }
}

/// In whole texts only: a text that arrives has not the word yet.
#[test]
fn a_spanish_passport_is_named_behind_it_as_well() {
    let detectors = builtin();
    for text in ["BCD123456 es mi pasaporte.", "bcd123456: mi número de pasaporte"] {
        for names in [&["ES_PASSPORT"][..], &["pii"]] {
            assert!(found(&detectors, names, text)[0].eq_ignore_ascii_case("ES_PASSPORT:BCD123456"), "{text}");
        }
    }
    for text in [
        "BCD123456 es mi pedido",
        "BCD1234567 es mi pasaporte",
        "BCD123456 es lo que pone en la página dos del pasaporte",
    ] {
        assert!(found(&detectors, &["ES_PASSPORT"], text).is_empty(), "{text}");
    }
}

/// One label may announce several values; what only stands behind one is something else.
#[test]
fn several_values_of_one_label() {
    let detectors = builtin();
    for (text, expected) in [
        ("plates AB51 ABC, AB70 DEF & M456 DEF", vec!["AB51 ABC", "AB70 DEF", "M456 DEF"]),
        ("number plate: AB51 ABC;AB70 DEF", vec!["AB51 ABC", "AB70 DEF"]),
        ("plate AB51 ABC and then AB70 DEF", vec!["AB51 ABC"]),
        ("plate AB51 ABC or a car, AB70 DEF", vec!["AB51 ABC"]),
        ("plate AB51 ABC. AB70 DEF", vec!["AB51 ABC"]),
    ] {
        let values: Vec<String> = expected.iter().map(|v| format!("UK_VEHICLE_REGISTRATION:{v}")).collect();
        assert_eq!(found(&detectors, &["UK_VEHICLE_REGISTRATION"], text), values, "{text}");
    }
    for (text, expected) in [
        ("account numbers: 945456787654 and 945456787655", 0),
        ("account number 945456787654 and 945456787655", 2),
        ("account number 945456787654, 2024", 1),
        ("account number 945456787654, 9454567876555", 1),
        ("zip 94105, 2024", 1),
        ("passport 912803456 and 912803457", 2),
    ] {
        let names = ["ACCOUNT_NUMBER", "POSTAL_CODE", "US_PASSPORT"];
        assert_eq!(found(&detectors, &names, text).len(), expected, "{text}");
    }
    // As far as a label reaches, and no farther.
    let many = format!("plates {}", "AB51 ABC, ".repeat(50));
    assert!((2..=9).contains(&found(&detectors, &["UK_VEHICLE_REGISTRATION"], &many).len()));
}
