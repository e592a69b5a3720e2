//! What is sent, what is read, and what is refused.

use super::*;
use crate::config::{Path, tree_from_json};
use crate::inspect::{Detectors, DetectorsDocument, Finding};
use crate::protocol::Channel;

fn compile(external: &str) -> Result<Detectors, String> {
    let text =
        format!(r#"{{"patterns": [{{"name": "EMPLOYEE", "pattern": "E-\\d{{6}}"}}], "external": [{external}]}}"#);
    let document: DetectorsDocument = crate::config::from_tree(&tree_from_json(&text).unwrap(), &Path::root())
        .map_err(|problem| problem.to_string())?;
    let env = |name: &str| match name {
        "KEY" => Some("k-1\n".to_owned()),
        "LINES" => Some("a\nb".to_owned()),
        _ => None,
    };
    Detectors::compile(&document, &env, &Path::root()).map_err(|problem| problem.to_string())
}

const PRESIDIO: &str = r#"{"name": "presidio", "cluster": "c", "authority": "a", "api": "presidio"}"#;
const MAPPED: &str = r#"{"name": "presidio", "cluster": "c", "authority": "a", "api": "presidio", "min_score": 0.35,
    "entities": {"PERSON": "PERSON", "EMAIL_ADDRESS": "EMAIL_ADDRESS", "STAFF": "EMPLOYEE"}}"#;
const WEBHOOK: &str =
    r#"{"name": "words", "cluster": "c", "authority": "a", "path": "/find", "api": "webhook", "max_bytes": 64}"#;

fn texts(external: &External, list: &[&str]) -> Texts {
    let mut texts = Texts::new(external);
    list.iter().for_each(|text| texts.add(text, Channel::User));
    texts
}

/// What is found in the first of `list`, as type and value.
fn found(external: &str, list: &[&str], answer: &str) -> Result<Vec<(String, String)>, Failure> {
    let detectors = compile(external).unwrap();
    let external = &detectors.externals()[0];
    let mut found = Found::default();
    external.read(answer.as_bytes(), &texts(external, list), &detectors, &mut found)?;
    let mut findings = Vec::new();
    let everything = detectors.select(&["all".to_owned()], &Path::root()).unwrap();
    found.join(list[0], &everything, &mut findings);
    let told =
        |f: &Finding| (detectors.kind(f.kind).name.clone(), list[0].get(f.start..f.end).unwrap_or_default().to_owned());
    Ok(findings.iter().map(told).collect())
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn requests_are_what_the_apis_take() {
    let detectors = compile(&format!("{MAPPED}, {WEBHOOK}")).unwrap();
    let [presidio, webhook] = detectors.externals() else { panic!("two") };
    let text = |external: &External, list: &[&str]| {
        String::from_utf8(texts(external, list).request(external, Side::Request).unwrap()).unwrap()
    };
    assert_eq!(
        text(presidio, &["a \"b\"", "ü\n1", "a \"b\""]),
        r#"{"text":["a \"b\"","ü\n1"],"language":"en","score_threshold":0.350,"entities":["EMAIL_ADDRESS","PERSON","STAFF"]}"#
    );
    assert_eq!(
        text(webhook, &["x", "y"]),
        r#"{"direction":"request","texts":[{"id":0,"channel":"user","text":"x"},{"id":1,"channel":"user","text":"y"}]}"#
    );
    assert_eq!(presidio.path, "/analyze");
    assert!(texts(presidio, &["", " \n", "--"]).is_empty());
}

#[test]
fn what_is_too_much_is_not_sent_in_part() {
    let detectors = compile(WEBHOOK).unwrap();
    let external = &detectors.externals()[0];
    assert!(texts(external, &["a".repeat(64).as_str()]).request(external, Side::Request).is_ok());
    for list in [vec!["a".repeat(65)], (0..40).map(|i| format!("{i:02}")).collect()] {
        let list: Vec<&str> = list.iter().map(String::as_str).collect();
        let texts = texts(external, &list);
        assert_eq!(texts.request(external, Side::Request), Err(Failure::TooLarge));
        assert!(!texts.is_empty() && texts.in_channel(Channel::Document));
    }
    let detectors = compile(PRESIDIO).unwrap();
    let external = &detectors.externals()[0];
    let many: Vec<String> = (0..=MAX_TEXTS).map(|i| i.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(texts(external, &many[..MAX_TEXTS]).request(external, Side::Request).is_ok());
    assert_eq!(texts(external, &many).request(external, Side::Request), Err(Failure::TooLarge));
}

#[test]
fn places_count_characters() {
    let answer = r#"[[{"entity_type": "PERSON", "start": 3, "end": 7, "score": 0.85, "analysis_explanation": null},
        {"entity_type": "X", "start": 8, "end": 10, "score": 1e0}], []]"#;
    let expected = pairs(&[("presidio", "Zoë "), ("presidio", "😀é")]);
    assert_eq!(found(PRESIDIO, &["üü Zoë 1😀é", "other"], answer), Ok(expected));
    let answer =
        r#"{"findings": [{"id": 0, "type": "P", "start": 0, "end": 4}, {"id": 1, "type": "P", "start": 0, "end": 1}]}"#;
    assert_eq!(found(WEBHOOK, &["Kite", "x"], answer), Ok(pairs(&[("words", "Kite")])));
}

#[test]
fn types_are_taken_as_the_policy_says() {
    let answer = r#"[[{"entity_type": "PERSON", "start": 0, "end": 2, "score": 0.4},
        {"entity_type": "LOCATION", "start": 3, "end": 5, "score": 0.9},
        {"entity_type": "STAFF", "start": 3, "end": 5, "score": 0.35},
        {"entity_type": "STAFF", "start": 4, "end": 6, "score": 0.9},
        {"entity_type": "EMAIL_ADDRESS", "start": 6, "end": 8, "score": 0.34}]]"#;
    let expected = pairs(&[("PERSON", "Al"), ("EMPLOYEE", "abc")]);
    assert_eq!(found(MAPPED, &["Al abcdefgh"], answer), Ok(expected));
}

#[test]
fn what_is_no_answer_is_a_failure() {
    let one = |finding: &str| format!("[[{finding}]]");
    let bad = [
        String::new(),
        "nonsense".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        "[[],[]]".to_owned(),
        "[{}]".to_owned(),
        "[[1]]".to_owned(),
        one("{}"),
        one(r#"{"entity_type": "P", "start": 0, "end": 1}"#),
        one(r#"{"entity_type": "P", "start": 0, "end": 1, "score": 1.5}"#),
        one(r#"{"entity_type": "P", "start": 0, "end": 1, "score": "1"}"#),
        one(r#"{"entity_type": "P", "start": -1, "end": 1, "score": 1}"#),
        one(r#"{"entity_type": "P", "start": 2, "end": 1, "score": 1}"#),
        one(r#"{"entity_type": "P", "start": 0, "end": 5, "score": 1}"#),
        one(r#"{"entity_type": 7, "start": 0, "end": 1, "score": 1}"#),
        one(r#"{"entity_type": "P", "start": 0, "end": 99999999999999999999999, "score": 1}"#),
        format!("[[],{}]", "[".repeat(100)),
        format!("[[{}]]", vec![r#"{"entity_type":"P","start":0,"end":1,"score":1}"#; MAX_FINDINGS + 1].join(",")),
        format!("[[]]{}", " ".repeat(MAX_ANSWER)),
    ];
    for answer in &bad {
        let start = answer.get(..60).unwrap_or(answer);
        assert_eq!(found(PRESIDIO, &["abcd"], answer), Err(Failure::Malformed), "{start}");
        assert_eq!(found(PRESIDIO, &["äbcd"], answer), Err(Failure::Malformed), "{start}");
    }
    for answer in [
        "[]",
        r#"{"findings": {}}"#,
        r#"{"findings": [{"type": "P", "start": 0, "end": 1}]}"#,
        r#"{"findings": [{"id": 1, "type": "P", "start": 0, "end": 1}]}"#,
        r#"{"findings": [{"id": 0, "start": 0, "end": 1}]}"#,
        r#"{"findings": [{"id": 0, "type": "P", "start": 0, "end": 5}]}"#,
    ] {
        assert_eq!(found(WEBHOOK, &["abcd"], answer), Err(Failure::Malformed), "{answer}");
    }
    assert_eq!(found(WEBHOOK, &["abcd"], r#"{"findings": []}"#), Ok(vec![]));
}

#[test]
fn scores_are_read_as_they_are_written() {
    let score = super::answer::as_score;
    for (lexeme, value) in [
        ("0", 0.0),
        ("1", 1.0),
        ("1.0", 1.0),
        ("1e0", 1.0),
        ("10e-1", 1.0),
        ("0.85", 0.85),
        ("0.35", 0.35),
        ("0.4", 0.4),
        ("0.8500000238418579", 0.85),
        ("8.5e-1", 0.85),
        ("5E-05", 0.00005),
        ("0.0000000001", 0.0),
        ("1e-300", 0.0),
        ("0e9", 0.0),
    ] {
        let read = score(lexeme).unwrap_or_else(|| panic!("{lexeme}"));
        assert!((read - value).abs() < 1e-7, "{lexeme}: {read}");
    }
    assert_eq!(score("0.35"), Some(0.35));
    for lexeme in ["-0.1", "-0", "1.0001", "2", "1e1", "1e400000000000", "99999999999", "0.5e99999999999"] {
        assert_eq!(score(lexeme), None, "{lexeme}");
    }
}

#[test]
fn names_select_what_a_detector_finds() {
    let detectors = compile(&format!("{MAPPED}, {WEBHOOK}")).unwrap();
    let names = |name: &str| {
        let selection = detectors.select(&[name.to_owned()], &Path::root()).unwrap();
        detectors.kinds().filter(|(id, _)| selection.contains(*id)).map(|(_, k)| k.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(names("presidio"), ["EMAIL_ADDRESS", "PERSON", "EMPLOYEE"]);
    assert_eq!(names("words"), ["words"]);
    assert_eq!(names("PERSON"), ["PERSON"]);
    assert!(detectors.select(&["presidia".to_owned()], &Path::root()).unwrap_err().to_string().contains("`presidio`"));
}

#[test]
fn mistakes_are_named() {
    let with = |more: &str| {
        format!(r#"{{"name": "d", "cluster": "c", "authority": "a", "path": "/p", "api": "webhook", {more}}}"#)
    };
    for (external, said) in [
        (with(r#""timeout": "6s""#), "timeout"),
        (with(r#""timeout": "5ms""#), "timeout"),
        (with(r#""max_bytes": 0"#), "max_bytes"),
        (with(r#""min_score": 2"#), "min_score"),
        (with(r#""language": "e\"n""#), "language"),
        (with(r#""bearer": {"env": "NONE"}"#), "`NONE` is not set"),
        (with(r#""bearer": {"env": "LINES"}"#), "cannot be a header's"),
        (with(r#""headers": {"Content-Type": {"env": "KEY"}}"#), "no header"),
        (with(r#""headers": {"content-length": {"env": "KEY"}}"#), "no header"),
        (with(r#""bearer": {"env": "KEY"}, "headers": {"authorization": {"env": "KEY"}}"#), "no header"),
        (with(r#""entities": {"A": "a b"}"#), "cannot name a detector"),
        (with(r#""entities": {"A": "pii"}"#), "name of a group"),
        (r#"{"name": "d", "cluster": "c", "authority": "a", "api": "grpc"}"#.to_owned(), "grpc"),
        (r#"{"name": "d", "cluster": "c", "authority": "a", "api": "webhook"}"#.to_owned(), "path"),
        (r#"{"name": "d", "cluster": "", "authority": "a", "api": "presidio"}"#.to_owned(), "cluster"),
        (r#"{"name": "EMPLOYEE", "cluster": "c", "authority": "a", "api": "presidio"}"#.to_owned(), "two detectors"),
        (r#"{"name": "US_SSN", "cluster": "c", "authority": "a", "api": "presidio"}"#.to_owned(), "built-in"),
        (format!("{PRESIDIO}, {PRESIDIO}"), "two detectors"),
        (format!("{MAPPED}, {MAPPED}"), "two detectors"),
    ] {
        let problem = compile(&external).err().unwrap_or_else(|| panic!("{external} is taken"));
        assert!(problem.contains(said), "{external}: {problem}");
    }
    let keyed = compile(&with(r#""bearer": {"env": "KEY"}, "headers": {"x-tenant": {"env": "KEY"}}"#)).unwrap();
    let headers = keyed.externals()[0].headers();
    assert!(headers.contains(&("authorization".to_owned(), "Bearer k-1".to_owned())), "{headers:?}");
    assert!(headers.contains(&("x-tenant".to_owned(), "k-1".to_owned())));
    assert!(!format!("{:?}", keyed.externals()).contains("k-1"));
}

/// Whatever is answered, it is read or refused, and no finding lies outside of its text or on half a character.
#[test]
fn mutilated_answers_do_no_harm() {
    let detectors = compile(PRESIDIO).unwrap();
    let external = &detectors.externals()[0];
    let list = ["üa😀b", "c"];
    let texts = texts(external, &list);
    let answer =
        br#"[[{"entity_type":"P","start":1,"end":3,"score":0.85}],[{"entity_type":"P","start":0,"end":1,"score":1}]]"#;
    let everything = detectors.select(&["all".to_owned()], &Path::root()).unwrap();
    for at in 0..answer.len() {
        for byte in [None, Some(b'0'), Some(b'9'), Some(b'['), Some(b'}'), Some(b'"'), Some(b' '), Some(0xff)] {
            let mut mutilated = answer.to_vec();
            match byte {
                None => mutilated.truncate(at),
                Some(byte) => mutilated[at] = byte,
            }
            let mut found = Found::default();
            if external.read(&mutilated, &texts, &detectors, &mut found).is_err() {
                assert!(found.is_empty());
            }
            for text in list {
                let mut findings = Vec::new();
                found.join(text, &everything, &mut findings);
                assert!(findings.iter().all(|f| text.get(f.start..f.end).is_some_and(|value| !value.is_empty())));
            }
        }
    }
}
