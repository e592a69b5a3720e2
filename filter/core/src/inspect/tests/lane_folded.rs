//! Texts that arrive in pieces and are written with look-alike characters.

use super::super::Group;
use super::super::Lane;
use super::super::secrets::tokens::samples;
use super::super::types::TYPES;
use super::lanes::{absolute, cut, lane_findings, pushes, select};
use super::sample_rows;
use super::{Budget, builtin, detectors};

/// ASCII written otherwise.
fn disguised(text: &str, how: usize) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        match (how, c) {
            (0, c) => out.extend([c, ['\u{200b}', '\u{2060}', '\u{ad}', '\u{fe0f}'][i % 4]]),
            (1, '!'..='~') => out.push(char::from_u32(c as u32 + 0xFEE0).unwrap()),
            (2, '0'..='9') => out.push(char::from_u32(c as u32 - 0x30 + 0x660).unwrap()),
            (3, 'a'..='z') => out.push(char::from_u32(c as u32 - 0x61 + 0x1D41A).unwrap()),
            (3, '0'..='9') => out.push(char::from_u32(c as u32 - 0x30 + 0x1D7CE).unwrap()),
            (4, ' '..='~') => out.push(char::from_u32(c as u32 + 0xE0000).unwrap()),
            (_, c) => out.push(c),
        }
    }
    // What stands before a value is no part of it.
    out.trim_end_matches(['\u{200b}', '\u{2060}', '\u{ad}', '\u{fe0f}']).to_owned()
}

#[test]
fn disguised_values_are_found_whole() {
    let detectors = builtin();
    let rows = sample_rows::all().flat_map(|row| row.found.iter().map(move |sample| (row.kind, *sample)));
    let tokens = samples().flat_map(|row| {
        let kind = TYPES[row.kind.id().index()].0;
        row.found.iter().map(move |sample| (kind, *sample))
    });
    let marked = tokens.map(|(kind, sample)| (kind, format!("token: «{sample}»")));
    let mut missed = Vec::new();
    let mut all = 0;
    for (kind, sample) in rows.map(|(kind, sample)| (kind, sample.to_owned())).chain(marked) {
        // Links and lines are read as they are written.
        let business = TYPES.iter().any(|(name, group)| *name == kind && *group == Group::Business);
        if kind.starts_with("EXTERNAL_") || business {
            continue;
        }
        let marked = sample.replace('¦', "");
        let (start, end) = (marked.find('«').unwrap(), marked.find('»').unwrap());
        let (before, behind) = (marked.get(..start).unwrap(), marked.get(end + '»'.len_utf8()..).unwrap());
        let value = marked.get(start + '«'.len_utf8()..end).unwrap();
        let selection = select(&detectors, &[kind]);
        let plain = format!("{before}{value}{behind}");
        // As far as a lane finds it in plain.
        let in_plain = lane_findings(&detectors, &selection, &plain);
        if !value.is_ascii() || !in_plain.iter().any(|f| (f.start, f.end) == (start, start + value.len())) {
            continue;
        }
        for how in 0..5 {
            let disguised = disguised(value, how);
            let text = format!("{before}{disguised}{behind}");
            let mut whole = None;
            for size in [1, 3, 7, 10_000] {
                let pushes = pushes(&detectors, &selection, cut(&text, size).into_iter());
                assert_eq!(pushes.iter().map(|p| p.text.as_str()).collect::<String>(), text);
                let found = absolute(&pushes, &text);
                assert_eq!(*whole.get_or_insert_with(|| found.clone()), found, "{text:?}");
                all += 1;
                if !found.iter().any(|f| f.start <= start && start + disguised.len() <= f.end) {
                    missed.push(format!("{kind} {how} {text:?} in {size}: {found:?}"));
                }
            }
        }
    }
    println!("missed {} of {all}: {:#?}", missed.len(), missed.get(..missed.len().min(2000)));
    assert!(missed.len() * 50 <= all, "{} of {all}", missed.len());
}

#[test]
fn what_was_open_before_is_cut_with_it() {
    let detectors = builtin();
    let selection = select(&detectors, &["all"]);
    for (text, value) in [
        ("card 5425 2334\u{200b} 3010 9903 ok", "5425 2334\u{200b} 3010 9903"),
        ("card 5425 2334 ３０１０ ９９０３ ok", "5425 2334 ３０１０ ９９０３"),
        ("to bоb@exаmple.org now", "bоb@exаmple.org"),
        ("❤️ to bob@example.org and 5425233430109903.", "bob@example.org"),
    ] {
        for size in [1, 2, 5, 100] {
            let found = absolute(&pushes(&detectors, &selection, cut(text, size).into_iter()), text);
            let values: Vec<&str> = found.iter().map(|f| text.get(f.start..f.end).unwrap()).collect();
            assert!(values.contains(&value), "{text} in {size}: {values:?}");
        }
    }
}

#[test]
fn what_cannot_be_judged_is_held_back_whole() {
    let detectors = detectors(r#"{"patterns": [{"name": "p", "pattern": "[a-z]{40}x"}]}"#);
    let selection = select(&detectors, &["all"]);
    for before in ["", "text, "] {
        let mut lane = Lane::new();
        let text = format!("{before}４ {}", "abc ".repeat(200));
        let mut budget = Budget::new(10);
        let mut out = String::new();
        for piece in cut(&text, 50) {
            match lane.push(piece, false, &detectors, &selection, &mut budget) {
                Ok(settled) => out.push_str(&settled.text),
                Err(_) => assert!(lane.held() > 0),
            }
        }
        out.push_str(&lane.release());
        assert_eq!(out, text);
        assert_eq!(lane.held(), 0);
    }
}
