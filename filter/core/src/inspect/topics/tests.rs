//! Topics with weights made by hand: what is found, where, and what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::config::Path;
use crate::inspect::tests::{detectors, select_named};
use crate::inspect::{Budget, Detectors, DetectorsDocument, Group};
use crate::protocol::Channel;

/// The hash of the feature that a word is.
fn hash(word: &str) -> u32 {
    features(word).first().unwrap().hashes[0]
}

/// Weights in which each of `words` speaks for or against the topic.
fn weights(words: &[(&str, i8)]) -> Vec<u8> {
    const BITS: u32 = 8;
    let mut slots = vec![0_u8; 2 << BITS];
    for (word, weight) in words {
        let (slot, check) = Model::slot(hash(word), BITS);
        assert_eq!(slots[2 * slot + 1], 0, "{word} shares a slot");
        (slots[2 * slot], slots[2 * slot + 1]) = (check, *weight as u8);
    }
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, BITS as u8, 0, 0]);
    bytes.extend(0.1_f32.to_le_bytes());
    bytes.extend((-2.0_f32).to_le_bytes());
    bytes.extend(slots);
    bytes
}

fn document(name: &str, weights: &[u8]) -> String {
    format!(r#"{{"topics": [{{"name": "{name}", "weights": "{}", "threshold": 0.8}}]}}"#, STANDARD.encode(weights))
}

fn cheese() -> Detectors {
    detectors(&document(
        "CHEESE",
        &weights(&[("cheddar", 120), ("brie", 120), ("rind", 85), ("goat", 80), ("moon", -60)]),
    ))
}

fn found(detectors: &Detectors, names: &[&str], text: &str) -> Vec<String> {
    let mut out = Vec::new();
    detectors.scan(text, &select_named(detectors, names), &mut Budget::default(), &mut out).unwrap();
    out.iter().map(|f| text.get(f.start..f.end).unwrap().to_owned()).collect()
}

#[test]
fn the_sentences_that_speak_of_it_are_found() {
    let detectors = cheese();
    for (text, expected) in [
        ("I like cheddar.", vec!["I like cheddar"]),
        ("CHEDDAR!", vec!["CHEDDAR"]),
        ("The moon is up tonight.", vec![]),
        ("The moon is made of cheddar, they say on the moon, on the moon.", vec![]),
        ("", vec![]),
        ("...", vec![]),
        (
            "Good morning to all of you. We sell much cheddar in winter. Then we all go home. The brie is for the guests.",
            vec!["We sell much cheddar in winter", "The brie is for the guests"],
        ),
        // Neighbours become one.
        (
            "Take the cheddar from here. Take the brie from there.",
            vec!["Take the cheddar from here. Take the brie from there"],
        ),
        // Each says too little, and together they say enough.
        (
            "Ask about this: the rind of it. It is a good thing. Ask about this: the goat of it.",
            vec!["Ask about this: the rind of it", "Ask about this: the goat of it"],
        ),
        ("Ask about this: the rind of it. It is a good thing.", vec![]),
    ] {
        assert_eq!(found(&detectors, &["CHEESE"], text), expected, "{text}");
    }
    // However much stands around it.
    let long = format!(
        "{}They hide the cheddar here. {}",
        "It was a day like any other day. ".repeat(500),
        "And so on it went, on and on. ".repeat(500)
    );
    assert_eq!(found(&detectors, &["CHEESE"], &long), ["They hide the cheddar here"]);
    // And without any sentence.
    let long = format!("{}cheddar, brie {}", "word ".repeat(3000), "word ".repeat(3000));
    let [one] = found(&detectors, &["CHEESE"], &long).try_into().unwrap();
    assert!(one.contains("cheddar") && one.len() < 400, "{one}");
}

#[test]
fn disguises_are_seen_through() {
    let detectors = cheese();
    for text in [
        "some ch\u{435}dd\u{430}r here",
        "some che\u{200B}ddar here",
        "c29tZSBjaGVkZGFyIGhlcmUsIHBsZWFzZSwgYW5kIGJyaWU=",
    ] {
        let mut sightings = Vec::new();
        let selection = select_named(&detectors, &["CHEESE"]);
        detectors.scan_through(Channel::User, text, &selection, &mut Budget::default(), &mut sightings).unwrap();
        assert!(!sightings.is_empty(), "{text}");
    }
}

#[test]
fn a_topic_is_asked_for() {
    let detectors = cheese();
    let text = "I like cheddar.";
    assert_eq!(found(&detectors, &["business"], text).len(), 1);
    assert!(found(&detectors, &["all"], text).is_empty() && found(&detectors, &["SOURCE_CODE"], text).is_empty());
    let (_, kind) = detectors.kinds().find(|(_, k)| k.name == "CHEESE").unwrap();
    assert_eq!(kind.group, Group::Business);
}

#[test]
fn thresholds_are_the_topics_or_those_of_all() {
    let weights = weights(&[("cheddar", 60)]);
    let with = |threshold: &str, thresholds: &str| {
        detectors(&format!(
            r#"{{"topics": [{{"name": "CHEESE", "weights": "{}" {threshold}}}], "thresholds": {{{thresholds}}}}}"#,
            STANDARD.encode(&weights)
        ))
    };
    // Six tenths over the root of six words: 0.61.
    let text = "I like cheddar.";
    for (threshold, thresholds, count) in [
        ("", "", 1),
        (r#", "threshold": 0.6"#, "", 1),
        (r#", "threshold": 0.62"#, "", 0),
        (r#", "threshold": 0.62"#, r#""CHEESE": 0.5"#, 1),
        (r#", "threshold": 0.5"#, r#""CHEESE": 0.9"#, 0),
        (r#", "threshold": 1"#, "", 0),
        (r#", "threshold": 0"#, "", 1),
    ] {
        assert_eq!(found(&with(threshold, thresholds), &["CHEESE"], text).len(), count, "{threshold} {thresholds}");
    }
    assert!((score(&weights, text).unwrap() - 0.611).abs() < 0.01);
}

#[test]
fn what_is_no_topic_is_refused_with_its_path() {
    let good = weights(&[("cheddar", 120)]);
    let refusal = |json: &str| {
        let path = Path::root().key("detectors");
        let tree = crate::config::tree_from_json(json).unwrap();
        let document: DetectorsDocument = crate::config::from_tree(&tree, &path).map_err(|p| p.to_string())?;
        Detectors::compile(&document, &|_| None, &path).map(drop).map_err(|p| p.to_string())
    };
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        document("CHEESE", &bytes)
    };
    let mut huge = good.clone();
    huge.resize(64 << 10, 0);
    let mut nan = good.clone();
    nan[8..12].copy_from_slice(&f32::NAN.to_le_bytes());
    let twice = format!(
        r#"{{"topics": [{0}, {0}]}}"#,
        format_args!(r#"{{"name": "CHEESE", "weights": "{}"}}"#, STANDARD.encode(&good))
    );
    let many: Vec<String> =
        (0..17).map(|i| format!(r#"{{"name": "T{i}", "weights": "{}"}}"#, STANDARD.encode(&good))).collect();
    for (json, path, says) in [
        (document("CHEESE", &[]), "detectors.topics[0].weights", "no weights"),
        (document("CHEESE", &good[..16]), "detectors.topics[0].weights", "damaged"),
        (document("CHEESE", &good[..good.len() - 1]), "detectors.topics[0].weights", "damaged"),
        (document("CHEESE", &huge), "detectors.topics[0].weights", "more weights"),
        (document("CHEESE", &nan), "detectors.topics[0].weights", "damaged"),
        (changed(3, b'X'), "detectors.topics[0].weights", "no weights"),
        (changed(4, 2), "detectors.topics[0].weights", "version 2"),
        (changed(5, 9), "detectors.topics[0].weights", "damaged"),
        (changed(5, 200), "detectors.topics[0].weights", "damaged"),
        (document("CHEESE", &good).replace("RFdU", "R*dU"), "detectors.topics[0].weights", "not base64"),
        (document("IBAN_CODE", &good), "detectors.topics[0].name", "built-in"),
        (document("all", &good), "detectors.topics[0].name", "group"),
        (document("a b", &good), "detectors.topics[0].name", "cannot name"),
        (document("CHEESE", &good).replace("0.8", "1.5"), "detectors.topics[0].threshold", "not a score"),
        (twice, "detectors.topics[1].name", "names two"),
        (format!(r#"{{"topics": [{}]}}"#, many.join(",")), "detectors.topics", "more than 16"),
    ] {
        let problem = refusal(&json).unwrap_err();
        assert!(problem.contains(path) && problem.contains(says), "{path} {says}: {problem}");
    }
    assert_eq!(refusal(&document("CHEESE", &good)), Ok(()));
    // The weights of the injection model are none of a topic's.
    let mut other = good.clone();
    other[..4].copy_from_slice(b"DWIM");
    assert!(refusal(&document("CHEESE", &other)).is_err());
}

/// Sentences as short as can be, words without end: what is read is read once.
#[test]
fn work_is_linear_and_what_is_kept_is_bounded() {
    let weights = weights(&[("cheddar", 120)]);
    let entry = |i: usize| format!(r#"{{"name": "T{i}", "weights": "{}"}}"#, STANDARD.encode(&weights));
    let all: Vec<String> = (0..16).map(entry).collect();
    let detectors = detectors(&format!(r#"{{"topics": [{}]}}"#, all.join(",")));
    let selection = select_named(&detectors, &["business"]);
    for piece in ["a. ", "cheddar. ", "x", "\u{4E2D}", "cheddar a b c. d e f g. "] {
        let steps = |times: usize| {
            let text = piece.repeat(times);
            let mut counted = Counted(0);
            read::read(&text, &mut counted);
            let mut out = Vec::new();
            detectors.scan(&text, &selection, &mut Budget::default(), &mut out).unwrap();
            assert!(out.len() <= 16 * text.len() / 8 + 16);
            counted.0
        };
        let (one, two) = (steps(5_000), steps(10_000));
        assert!(two <= 2 * one + 64 && two <= 16 * 10_000 * piece.len(), "{piece}: {one} {two}");
    }
}

/// Counts what is read.
struct Counted(usize);

impl read::Sink for Counted {
    fn feature(&mut self, _: u32) {
        self.0 += 1;
    }

    fn word(&mut self, _: usize, _: usize) {
        self.0 += 1;
    }

    fn sentence(&mut self) {
        self.0 += 1;
    }
}
