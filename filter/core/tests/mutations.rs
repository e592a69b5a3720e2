//! A canary stands in every leaf of every fixture. Whatever is done to the bytes, the request is refused or the canary does not go
//! on, by an oracle that shares no code with what is tested.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use serde_json::json;
use support::mutate::{CANARY, Dice, finds, model, mutate, planted};
use support::{Fixture, engine, play, policy};

/// Mutations of each fixture.
const ROUNDS: usize = 10_000;

#[test]
fn no_mutation_lets_the_canary_through() {
    let fixtures = Fixture::all();
    let halves: Vec<_> = fixtures.chunks(fixtures.len().div_ceil(2)).collect();
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> =
            halves.into_iter().map(|half| scope.spawn(|| half.iter().map(rounds).sum::<usize>())).collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    // The test would prove nothing if everything were refused.
    assert!(passed > fixtures.len() * ROUNDS / 20, "{passed} passed");
}

/// How many mutations of a fixture went on.
fn rounds(fixture: &Fixture) -> usize {
    let all = ["image", "audio", "video", "document", "file", "tokens", "reference"];
    let more = json!({
        "detectors": {"dictionaries": [{"name": "PLANTED", "words": [CANARY], "whole_words": false}]},
        "access": [{"id": "all", "effect": "allow", "models": ["m-1", "default"], "media": all, "stateful": true},
            {"id": "named", "effect": "allow", "models": ["m-1"], "operations": ["batches", "chat"], "media": all, "stateful": true},
            {"id": "batches", "effect": "allow", "operations": ["batches"], "media": all, "stateful": true}],
        "content": [{"id": "mask", "detect": ["PLANTED", "CREDIT_CARD"], "action": "mask"}],
    });
    let engine = engine(&policy(fixture.text("provider"), &more));
    let body = planted(&fixture.value["request"]).to_string();
    let member = if fixture.value["request"]["agent_id"].is_string() { "agent_id" } else { "model" };
    let mut dice = Dice(fixture.name.bytes().fold(0x9E37_79B9_7F4A_7C15, |h, b| (h ^ u64::from(b)).wrapping_mul(31)));
    let mut passed = 0;
    // Unchanged, it passes without the canary.
    let clean = play(&engine, "POST", fixture.text("path"), &body, None);
    assert_eq!(clean.upstream.as_deref().map(finds), Some(None), "{}: {:?}", fixture.name, clean.reason());
    if body.contains("\"thinking\":\"hm\"") {
        let signed = body.replace("\"thinking\":\"hm\"", &format!("\"thinking\":\"{CANARY}\""));
        assert_eq!(play(&engine, "POST", fixture.text("path"), &signed, None).reason(), "content.denied");
    }
    for round in 0..ROUNDS {
        let mutated = mutate(&body, &mut dice);
        let played = play(&engine, "POST", fixture.text("path"), &mutated, None);
        let Some(upstream) = played.upstream else { continue };
        passed += 1;
        if let Some(found) = finds(&upstream) {
            panic!(
                "{} round {round}: {found}\nsent: {}\ngot: {}",
                fixture.name,
                String::from_utf8_lossy(&mutated),
                String::from_utf8_lossy(&upstream)
            );
        }
        if let Some(model) = model(&upstream, member) {
            let bare = model.rsplit('/').next().unwrap_or_default();
            assert!(
                bare.eq_ignore_ascii_case("m-1"),
                "{} round {round}: the model is {model}\n{}",
                fixture.name,
                String::from_utf8_lossy(&mutated)
            );
        }
    }
    passed
}
