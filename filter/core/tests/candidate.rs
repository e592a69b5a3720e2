//! The candidate judges beside the live policy, and nothing else comes of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;

use doorward_core::config::tree_from_json;
use doorward_core::engine::Engine;
use serde_json::{Value, json};
use support::{Answer, Played, engine, host, play, play_on, policy};

const PATH: &str = "/v1/chat/completions";

fn body(text: &str) -> String {
    json!({"model": "m-1", "messages": [{"role": "user", "content": text}]}).to_string()
}

fn with(live: &Value, candidate: &Value) -> Value {
    let mut more = live.clone();
    more["candidate"] = candidate.clone();
    policy("openai", &more)
}

/// The record's values of the candidate, without their prefix.
fn told(played: &Played) -> BTreeMap<&str, &str> {
    let own =
        played.record.iter().filter_map(|(key, value)| Some((key.strip_prefix("doorward.candidate")?, value.as_str())));
    own.filter(|(key, _)| *key != ".digest").collect()
}

fn masks() -> Value {
    json!([{"id": "people", "detect": "EMAIL_ADDRESS", "action": "mask"}])
}

fn denies() -> Value {
    json!([{"id": "no-people", "detect": "EMAIL_ADDRESS", "action": "deny"}])
}

#[test]
fn only_differences_are_recorded_and_the_live_outcome_stays() {
    let deny_mail = [
        ("", "deny"),
        (".findings", "in:EMAIL_ADDRESS/deny=1"),
        (".reason", "content.denied"),
        (".rules", "no-people"),
    ];
    let flags = json!([{"id": "seen", "detect": "EMAIL_ADDRESS", "action": "flag"}]);
    let other_model = json!([{"id": "other", "effect": "allow", "models": "m-2"}]);
    for (live, candidate, text, expected) in [
        (json!({"content": masks()}), json!({"content": denies()}), "bob@northwind.dev", &deny_mail[..]),
        (json!({"content": masks()}), json!({"content": denies()}), "nobody", &[]),
        (json!({"content": masks()}), json!({"content": masks()}), "bob@northwind.dev", &[]),
        (
            json!({"content": masks()}),
            json!({"content": flags}),
            "bob@northwind.dev",
            &[("", "allow"), (".findings", "in:EMAIL_ADDRESS/flag=1"), (".rules", "all,seen")],
        ),
        (
            json!({"content": denies()}),
            json!({"content": []}),
            "bob@northwind.dev",
            &[("", "allow"), (".rules", "all")],
        ),
        (json!({}), json!({"access": other_model}), "x", &[("", "deny"), (".reason", "model.not_allowed")]),
        // The body of a request that the head refuses never comes.
        (json!({"access": []}), json!({"access": [{"id": "all", "effect": "allow"}]}), "x", &[("", "none")]),
        // Sections that the candidate leaves out are the live policy's.
        (
            json!({"content": denies()}),
            json!({"access": [{"id": "also", "effect": "allow"}]}),
            "bob@northwind.dev",
            &[],
        ),
        (
            json!({"content": denies(), "mode": "observe"}),
            json!({"content": []}),
            "bob@northwind.dev",
            &[("", "allow"), (".rules", "all")],
        ),
        (
            json!({"content": masks(), "envoy": {"hold_headers": false}}),
            json!({"content": denies()}),
            "bob@northwind.dev",
            &deny_mail[..],
        ),
    ] {
        let both = play(&engine(&with(&live, &candidate)), "POST", PATH, body(text), None);
        let alone = play(&engine(&policy("openai", &live)), "POST", PATH, body(text), None);
        assert_eq!(told(&both), expected.iter().copied().collect(), "{live} {candidate} {text}");
        assert_eq!(
            (&both.upstream, &both.reply, &both.set, &both.removed),
            (&alone.upstream, &alone.reply, &alone.set, &alone.removed)
        );
        let own = |played: &Played| {
            let values = played
                .record
                .iter()
                .filter(|(key, _)| !key.starts_with("doorward.candidate") && **key != "doorward.policy.digest");
            values.map(|(key, value)| (*key, value.clone())).collect::<Vec<_>>()
        };
        assert_eq!(own(&both), own(&alone));
        assert_eq!(both.record.contains_key("doorward.candidate.digest"), !expected.is_empty());
    }
}

#[test]
fn what_only_the_live_policy_counts_is_no_difference() {
    let live = json!({"limits": [{"id": "two", "requests": 2, "window": "1m"}], "content": masks()});
    let engine = engine(&with(&live, &json!({"content": denies()})));
    let mut host = host(&engine);
    for turn in 0..4 {
        let played = play_on(&engine, &mut host, "POST", PATH, body("bob@northwind.dev"));
        assert_eq!(played.reason(), if turn < 2 { "" } else { "limit.requests" });
        assert_eq!(told(&played).contains_key(""), turn < 2, "{turn}");
    }
}

#[test]
fn it_writes_nothing_that_others_share() {
    let live = json!({
        "limits": [{"id": "many", "requests": 100, "window": "1m"}, {"id": "tokens", "total_tokens": 100_000, "window": "1m"}],
        "sessions": {"risk": [{"id": "mail", "detect": "EMAIL_ADDRESS", "weight": 1}]},
        "anomaly": {"actions": [{"id": "told", "action": "flag"}]},
        "content": masks(),
    });
    let shared = |policy: &Value| {
        let engine = engine(policy);
        let mut host = host(&engine);
        for text in ["bob@northwind.dev", "nobody"] {
            let _ = play_on(&engine, &mut host, "POST", PATH, body(text));
        }
        let mut all: Vec<_> =
            host.shared.into_iter().map(|(key, stored)| (key, stored.value, stored.version)).collect();
        all.sort();
        all
    };
    let alone = shared(&policy("openai", &live));
    assert!(!alone.is_empty());
    assert_eq!(shared(&with(&live, &json!({"content": denies(), "access": []}))), alone);
}

#[test]
fn answers_are_the_live_policys() {
    let engine = engine(&with(&json!({"content": masks()}), &json!({"content": denies()})));
    let answer = json!({"model": "m-1", "choices": [{"index": 0, "message": {"role": "assistant", "content": "bob@northwind.dev"}}]});
    let answer = Answer { content_type: "application/json", chunks: vec![answer.to_string().into_bytes()], cut: false };
    let played = play(&engine, "POST", PATH, body("nobody"), Some(&answer));
    assert!(played.client_text().contains("[EMAIL_ADDRESS]"));
    assert_eq!(told(&played), BTreeMap::new());
}

#[test]
fn what_a_candidate_cannot_be_is_refused_with_its_path() {
    for (candidate, path, message) in [
        (json!({"limits": []}), "candidate.limits", "has no `limits` of its own"),
        (json!({"identity": {}}), "candidate.identity", "has no `identity` of its own"),
        (json!({"candidate": {}}), "candidate.candidate", "has no `candidate` of its own"),
        (json!({"acess": []}), "candidate.acess", "has no `acess` of its own"),
        (json!([]), "candidate", "not a mapping"),
        (
            json!({"access": [{"id": "x", "effect": "allow", "roles": "nobody"}]}),
            "candidate.access[0].roles[0]",
            "unknown role `nobody`",
        ),
    ] {
        let policy = with(&json!({}), &candidate);
        let problems = Engine::compile(&tree_from_json(&policy.to_string()).unwrap(), &|_| None).unwrap_err();
        let found = problems.iter().any(|p| p.path.to_string() == path && p.message.contains(message));
        assert!(found, "{candidate}: {problems:?}");
    }
}
