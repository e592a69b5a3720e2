//! Work and memory.

use super::*;

#[test]
fn an_event_of_many_choices_costs_no_more_than_its_bytes() {
    let choices: Vec<Value> = (0..10_000u32).map(|i| json!({"index": i % 2 * (100_000 + i), "delta": {"content": "4"}, "finish_reason": if i % 2 == 0 { json!("x") } else { json!(null) }})).collect();
    let played = streamed("openai", &masking(), CHAT, &streaming(), &[("", json!({"choices": choices}))]);
    assert_eq!(played.reason(), "answer.unscannable");
    // Of few texts in many pieces, each looks whether it ends.
    let choices: Vec<Value> = (0..10_000u32)
        .map(|i| json!({"index": if i % 2 == 0 { i } else { 1 }, "delta": if i % 2 == 0 { json!({}) } else { json!({"content": "a "}) },
            "finish_reason": if i % 2 == 0 { json!("stop") } else { Value::Null }}))
        .collect();
    let played = streamed("openai", &masking(), CHAT, &streaming(), &[("", json!({"choices": choices}))]);
    assert_eq!(played.reason(), "");
}

#[test]
fn texts_beyond_number_are_no_answer_whatever_happens_to_long_ones() {
    let more = merged(&masking(), &json!({"answers": {"at_max_hold": "release"}}));
    let events: Vec<(&str, Value)> = (0..5000u32)
        .map(|i| ("", json!({"choices": [{"index": i, "delta": {"content": "4556"}, "finish_reason": null}]})))
        .collect();
    let played = streamed("openai", &more, CHAT, &streaming(), &events);
    assert_eq!(played.reason(), "answer.unscannable");
}

#[test]
fn events_that_are_kept_for_their_texts_are_bounded() {
    let padding = "x".repeat(60_000);
    let event = |i: u32| {
        (
            "",
            json!({"padding": padding, "choices": [{"index": i, "delta": {"content": "4556"}, "finish_reason": null}]}),
        )
    };
    let events: Vec<(&str, Value)> = (0..20).map(event).collect();
    for (at_max_hold, max_body, reason) in
        [("hold", 100_000, "answer.unscannable"), ("release", 100_000, "answer.unscannable"), ("hold", 1_000_000, "")]
    {
        let more = merged(
            &masking(),
            &json!({"answers": {"at_max_hold": at_max_hold}, "envoy": {"max_body_bytes": max_body}}),
        );
        assert_eq!(streamed("openai", &more, CHAT, &streaming(), &events).reason(), reason, "{at_max_hold} {max_body}");
    }
}
