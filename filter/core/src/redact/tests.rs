use std::ops::Range;

use super::hits::{Hit, Hits, Replacement};
use super::*;
use crate::config::{Path, from_tree, tree_from_json};
use crate::inspect::DetectorsDocument;
use crate::policy::{Action, Content, ContentDocument, RoleSet, Roles, Targets};

struct World {
    detectors: Detectors,
    content: Content,
}

fn world(content: &str) -> World {
    let path = Path::root();
    let detectors: DetectorsDocument =
        from_tree(&tree_from_json(r#"{"dictionaries":[{"name":"PROJECT","words":["Bluebird"]}]}"#).unwrap(), &path)
            .unwrap();
    let detectors = Detectors::compile(&detectors, &|_| None, &path).unwrap();
    let documents: Vec<ContentDocument> = from_tree(&tree_from_json(content).unwrap(), &path).unwrap();
    let mut problems = Vec::new();
    let content =
        Content::compile(&documents, &[], &detectors, &Roles::default(), &Targets::default(), &path, &mut problems);
    assert_eq!(problems, []);
    World { detectors, content }
}

impl World {
    fn json(&self, body: &str) -> Outcome {
        self.json_with(body, &[], &[])
    }

    fn json_with(&self, body: &str, protected: &[Range<usize>], edits: &[(Range<usize>, String)]) -> Outcome {
        let plan = self.content.plan(&RoleSet::default(), 0, Side::Request);
        let inspector = Inspector {
            detectors: &self.detectors,
            plan: &plan,
            hash_key: Some(b"0123456789abcdef0123456789abcdef"),
            deriver: None,
            shingles: None,
            external: None,
            limits: Limits::default(),
        };
        let document = Document::parse(body.as_bytes(), &Limits::default()).unwrap();
        let mut budget = Budget::new(1 << 20);
        inspector.json(&document, Side::Request, protected, edits, &mut budget)
    }
}

fn edited(outcome: &Outcome) -> &str {
    std::str::from_utf8(outcome.edited.as_deref().expect("edited")).unwrap()
}

const MASK: &str = r#"[{"id":"mask","detect":["EMAIL_ADDRESS","CREDIT_CARD","PROJECT"],"action":"mask"}]"#;

#[test]
fn only_the_value_changes() {
    let outcome = world(MASK)
        .json("{ \"model\" :\t\"m\",\"messages\":[{\"content\":\"mail bob@example.org, \\u00e9\"}] , \"n\":1.0}");
    assert_eq!(
        edited(&outcome),
        "{ \"model\" :\t\"m\",\"messages\":[{\"content\":\"mail [EMAIL_ADDRESS], \\u00e9\"}] , \"n\":1.0}"
    );
    assert_eq!(outcome.rules, ["mask"]);
    assert_eq!(outcome.findings.get(&("EMAIL_ADDRESS.test".into(), "mask")), Some(&1));
}

#[test]
fn nothing_found_changes_nothing() {
    let outcome = world(MASK).json(r#"{"messages":[{"content":"hello"}]}"#);
    assert!(outcome.edited.is_none() && outcome.denial.is_none() && outcome.rules.is_empty());
}

#[test]
fn escapes_hide_nothing() {
    for value in [r#"bob\u0040example.org"#, r#"\u0062ob@example\u002eorg"#, r#"bob\u0040ex\u0061mple\u002Eorg"#] {
        let outcome = world(MASK).json(&format!(r#"{{"a":"x {value} y"}}"#));
        assert_eq!(edited(&outcome), r#"{"a":"x [EMAIL_ADDRESS] y"}"#, "{value}");
    }
}

#[test]
fn json_inside_strings_is_seen_through() {
    let inner = r#"{"to":"bob\u0040example.org","n":["\u0062ob@example.org"]}"#;
    let body = serde_json::json!({"messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":inner}}]}]});
    let outcome = world(MASK).json(&body.to_string());
    let sent: serde_json::Value = serde_json::from_str(edited(&outcome)).unwrap();
    let arguments = sent["messages"][0]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    let arguments: serde_json::Value = serde_json::from_str(arguments).unwrap();
    assert_eq!(arguments, serde_json::json!({"to":"[EMAIL_ADDRESS]","n":["[EMAIL_ADDRESS]"]}));
}

#[test]
fn keys_and_numbers_carry_values_too() {
    let outcome = world(MASK).json(r#"{"bob@example.org":1,"card":5425233430109903}"#);
    assert_eq!(edited(&outcome), r#"{"[EMAIL_ADDRESS]":1,"card":1000000000000000}"#);
    let outcome = world(MASK).json(r#"{"card":5425233430109903.0,"e":5.425233430109903e15}"#);
    let sent: serde_json::Value = serde_json::from_str(edited(&outcome)).unwrap();
    assert!(sent["card"].is_number() && sent["e"].is_number());
    assert!(!edited(&outcome).contains("542523") && !edited(&outcome).contains("5.425"));
}

#[test]
fn an_edit_that_makes_two_keys_one_is_refused() {
    let outcome = world(MASK).json(r#"{"bob@example.org":1,"eve@example.org":2}"#);
    assert_eq!(outcome.denial, Some(Reason::ContentDenied));
    assert!(outcome.edited.is_none());
}

#[test]
fn the_strictest_wins() {
    let world = world(
        r#"[{"id":"flag","detect":"EMAIL_ADDRESS","action":"flag"},
            {"id":"hash","detect":"EMAIL_ADDRESS","action":"hash"},
            {"id":"deny-tools","detect":"EMAIL_ADDRESS","action":"deny","channels":"tool_result"},
            {"id":"watch","detect":"EMAIL_ADDRESS","action":"deny","mode":"observe"}]"#,
    );
    let outcome = world.json(r#"{"messages":[{"role":"user","content":"a@example.org b@example.org a@example.org"}]}"#);
    assert_eq!(outcome.rules, ["flag", "hash"]);
    assert_eq!(outcome.observed, ["watch"]);
    let text = edited(&outcome);
    let marks: Vec<&str> = text.split('[').skip(2).map(|m| m.split(']').next().unwrap()).collect();
    assert!(marks.iter().all(|m| m.starts_with("EMAIL_ADDRESS:") && m.len() == "EMAIL_ADDRESS:".len() + 12), "{text}");
    assert_eq!(marks[0], marks[2]);
    assert_ne!(marks[0], marks[1]);
    let outcome = world.json(r#"{"messages":[{"role":"tool","content":"a@example.org"}]}"#);
    assert_eq!(outcome.denial, Some(Reason::ContentDenied));
}

#[test]
fn what_decides_cannot_be_replaced() {
    let body = r#"{"model":"Bluebird","x":"y"}"#;
    let at = body.find("Bluebird").unwrap();
    let outcome = world(MASK).json_with(body, std::slice::from_ref(&(at..at + 8)), &[]);
    assert_eq!(outcome.denial, Some(Reason::ContentDenied));
}

#[test]
fn other_edits_go_in_with_or_without_findings() {
    let body = r#"{"model":"fast","x":"bob@example.org"}"#;
    let at = body.find("fast").unwrap();
    let outcome = world(MASK).json_with(body, std::slice::from_ref(&(at..at + 4)), &[(at..at + 4, "gpt-4o".into())]);
    assert_eq!(edited(&outcome), r#"{"model":"gpt-4o","x":"[EMAIL_ADDRESS]"}"#);
    let nothing = world("[]");
    let outcome = nothing.json_with(body, std::slice::from_ref(&(at..at + 4)), &[(at..at + 4, "gpt-4o".into())]);
    assert_eq!(edited(&outcome), r#"{"model":"gpt-4o","x":"bob@example.org"}"#);
}

#[test]
fn overlapping_hits_become_one() {
    let mut hits = Hits::default();
    for (raw, action, text) in
        [(0..10, Action::Mask, "[A]"), (5..15, Action::Hash, "[B]"), (12..20, Action::Mask, "[C]")]
    {
        hits.push(Hit { raw, action, replacement: Replacement::Text(text.into()) });
    }
    assert_eq!(hits.edits(&[]).splice(b"0123456789012345678901234"), b"[A]01234");
}

mod encoded;
