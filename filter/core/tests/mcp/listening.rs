//! Streams that listen end with the proof of who listens.

use doorward_core::identity::mint_api_key;
use serde_json::{Value, json};

use crate::stage::{Answer, Played, Stage};

/// Callers are API keys that expire at 2027-01-15T08:00:10Z, ten seconds from now.
fn stage(more: &Value) -> (Stage, String) {
    let minted = mint_api_key([7; 32]);
    let key = json!({"id": "k", "digest": minted.digest, "user": "rita", "expires": "2027-01-15T08:00:10Z"});
    let mut policy = json!({"identity": {"api_keys": [key]}, "access": [{"id": "all", "effect": "allow"}]});
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    (Stage::new(&policy), minted.key)
}

fn note(n: u32) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": format!("file:///{n}")}})
}

/// A stream of two notes, with a pause between them.
fn notes(pause_s: u64, ticks: bool) -> Answer {
    let event = |n| format!("data: {}\n\n", note(n)).into_bytes();
    Answer { chunks: vec![event(1), event(2)], pause_s, ticks, ..Answer::events("") }
}

fn listen(stage: &mut Stage, key: &str, answer: &Answer) -> Played {
    stage.send("", "GET", &[("x-api-key", key)], "", answer)
}

#[test]
fn a_stream_that_listens_ends_with_its_token() {
    for (pause_s, ticks, ended) in
        [(9, true, false), (9, false, false), (10, true, true), (10, false, true), (600, false, true)]
    {
        let (mut stage, key) = stage(&json!({}));
        let played = listen(&mut stage, &key, &notes(pause_s, ticks));
        let expected = if ended { vec![note(1)] } else { vec![note(1), note(2)] };
        assert_eq!(played.events(), expected, "{pause_s} {ticks}");
        assert_eq!(played.reason(), if ended { "identity.expired" } else { "" });
        assert_eq!(played.reply.as_ref().map(|reply| reply.status), ended.then_some(401));
        assert_eq!(stage.tick_ms(), 0, "nothing listens any more");
    }
}

#[test]
fn so_does_one_that_a_message_opens() {
    let body = json!({"jsonrpc": "2.0", "id": 5, "method": "subscriptions/listen", "params": {}}).to_string();
    let (mut stage, key) = stage(&json!({}));
    let played = stage.send("", "POST", &[("x-api-key", &key)], &body, &notes(11, true));
    assert_eq!((played.events(), played.reason()), (vec![note(1)], "identity.expired"));
}

#[test]
fn an_answer_that_outlives_its_token_is_recorded() {
    let body = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "slow"}}).to_string();
    let (mut stage, key) = stage(&json!({}));
    let played = stage.send("", "POST", &[("x-api-key", &key)], &body, &notes(11, true));
    assert_eq!((played.events(), played.reason()), (vec![note(1), note(2)], ""));
    assert_eq!(played.record["doorward.notes"], "identity.expired");
    let (mut stage, key) = self::stage(&json!({}));
    let played = stage.send("", "POST", &[("x-api-key", &key)], &body, &notes(5, true));
    assert_eq!(played.record.get("doorward.notes").map_or("", String::as_str), "");
}

#[test]
fn who_only_observes_ends_nothing() {
    let (mut stage, key) = stage(&json!({"mode": "observe"}));
    let played = listen(&mut stage, &key, &notes(11, true));
    assert_eq!((played.events().len(), played.reason()), (2, "identity.expired"));
}

#[test]
fn a_stream_without_an_answer_yet_is_refused() {
    let (mut stage, key) = stage(&json!({}));
    stage.now += 10;
    let played = listen(&mut stage, &key, &notes(0, false));
    assert_eq!((played.status(), played.reason()), (401, "identity.expired"));
}

#[test]
fn a_stream_that_is_refused_does_not_stay_open() {
    let mut stage = Stage::new(&json!({}));
    let endpoint = b"event: endpoint\ndata: /m\n\n".to_vec();
    let answer =
        Answer { chunks: vec![endpoint, b": ping\n\n".to_vec()], pause_s: 1, ticks: true, ..Answer::events("") };
    let played = stage.send("writer", "GET", &[], "", &answer);
    assert_eq!((played.client.as_str(), played.reason()), ("", "answer.unscannable"));
    assert!(played.reply.is_some(), "it is cut off");
    assert_eq!(stage.tick_ms(), 0);
}
