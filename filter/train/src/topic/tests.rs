//! The topic of `examples/own-detectors`, on texts that it was not trained on, and what cannot be trained.

use super::*;

const POSITIVE: &str = include_str!("../../../../examples/own-detectors/mergers.txt");
const NEGATIVE: &str = include_str!("../../../../examples/own-detectors/other.txt");

fn lines(text: &str) -> Vec<String> {
    parse(text, Path::new("texts.txt")).unwrap()
}

fn mergers() -> Topic {
    learn(lines(POSITIVE), lines(NEGATIVE), 2, None).unwrap()
}

#[test]
fn texts_that_were_not_seen_are_told_apart() {
    let topic = mergers();
    let score = |text: &str| topics::score(&topic.weights, text).unwrap();
    for text in [
        "Our board wants to acquire Larkspur Biotech before the summer.",
        "Please draft a letter of intent: we offer 30 million for all shares of the target company.",
        "Hi! Here is what I need. The due diligence for the takeover of Mirwood is nearly over. Make a table of open points.",
    ] {
        assert!(score(text) >= topic.threshold, "{} {text}", score(text));
    }
    for text in [
        "What is a good recipe for lentil soup?",
        "Merge my two branches and tell me which files conflict.",
        "Write a thank-you note to the volunteers of our bird count.",
        "",
    ] {
        assert!(score(text) < topic.threshold, "{} {text}", score(text));
    }
    let [positive, found, negative, wrong] = topic.counts;
    assert!(positive >= 100 && found * 10 >= positive * 6, "{:?}", topic.counts);
    assert!(negative >= 100 && wrong * 10 <= negative, "{:?}", topic.counts);
    assert!(topic.report("MERGERS").contains(&format!("recall {:.3}", found as f64 / positive as f64)));
}

#[test]
fn the_same_texts_give_the_same_entry() {
    let topic = mergers();
    let entry = topic.entry("MERGERS").unwrap();
    assert_eq!(entry, mergers().entry("MERGERS").unwrap());
    assert_eq!(topic.weights.len(), 16 + 2048);
    assert!(entry.starts_with("- name: MERGERS\n  threshold: 0.") && entry.contains("\n  weights: >-\n    RFdUTQ"));
    assert!(topic.entry("EMAIL_ADDRESS").unwrap_err().to_string().contains("built-in"));
    assert!(topic.entry("my topic").is_err());
}

#[test]
fn what_cannot_be_trained_is_told_with_a_remedy() {
    let few = || lines("one text\ntwo texts\n");
    let error = |positive, negative, size, threshold| {
        let error = learn(positive, negative, size, threshold).err().unwrap().to_string();
        assert!(error.contains("\nhelp: "), "{error}");
        error
    };
    assert!(error(few(), lines(NEGATIVE), 8, None).contains("--positive has 2 different texts"));
    assert!(error(lines(POSITIVE), few(), 8, None).contains("--negative has 2 different texts"));
    assert!(error(lines(POSITIVE), lines(NEGATIVE), 64, None).contains("64 is no size"));
    assert!(error(lines(POSITIVE), lines(NEGATIVE), 3, None).contains("3 is no size"));
    assert!(error(lines(POSITIVE), lines(NEGATIVE), 8, Some(1.0)).contains("threshold"));
    let mut both = lines(NEGATIVE);
    both.push(lines(POSITIVE)[3].to_uppercase());
    assert!(error(lines(POSITIVE), both, 8, None).contains("among those that do not"));
    // The same text twice teaches nothing more, and is not left out of what was trained on it.
    assert_eq!(
        learn([lines(POSITIVE), lines(POSITIVE)].concat(), lines(NEGATIVE), 2, None).unwrap().counts,
        mergers().counts
    );
}

#[test]
fn files_are_json_lines_or_plain() {
    assert_eq!(lines("a b\n\n  c \n"), ["a b", "c"]);
    let json = Path::new("texts.jsonl");
    assert_eq!(parse("{\"text\": \"a\\nb\", \"label\": 1}\n", json).unwrap(), ["a\nb"]);
    let error = format!("{:#}", parse("{\"text\": \"a\"}\nplain\n", json).unwrap_err());
    assert!(error.contains("line 2") && error.contains("help: "), "{error}");
    let missing = read_all(&[PathBuf::from("/no/such/file.txt")], "--positive").unwrap_err();
    assert!(format!("{missing:#}").contains("--positive: cannot read /no/such/file.txt"));
}
