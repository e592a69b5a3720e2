//! What exchanges add up to, on the real Envoy: a session that shows too much, and a caller who is far from usual.

use doorward_e2e::governed::{World, chat, code, post};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

#[tokio::test]
async fn a_debugging_session_that_has_shown_too_much_is_refused() {
    for workers in [1, 4] {
        let world = World::new().await.workers(workers).with(
            "sessions",
            json!({
                "risk": [{"id": "hosts", "detect": "IP_ADDRESS"}, {"id": "customers", "detect": "EMAIL_ADDRESS"},
                         {"id": "phones", "detect": "PHONE_NUMBER"}],
                "thresholds": [{"id": "mosaic", "seen": ["hosts", "customers", "phones"], "action": "deny"}],
            }),
        );
        let gate = world.gate().await;
        let alice = world.alice();
        let say = async |token: &str, conversation: &str, text: &str| {
            let mut body = chat("gpt-5", text);
            body["metadata"] = json!({"session_id": conversation});
            gate.call(&post(CHAT, token, body.to_string())).await
        };
        for text in ["ping 185.199.108.77 fails", "bob.miller@northwind.dev cannot log in", "what now?"] {
            let answer = say(&alice, "debug", text).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let line = gate.log_line(&answer).await;
            assert!(line["doorward.session.risk"].as_str().is_some(), "{line:#}");
        }
        let last = "call him at +1 415-863-2671";
        let answer = say(&alice, "debug", last).await;
        assert_eq!((answer.status, code(&answer).as_str()), (403, "session.denied"), "{}", answer.text());
        let line = gate.log_line(&answer).await;
        assert_eq!(line["doorward.rules"], "mosaic", "{line:#}");
        assert_eq!(line["doorward.session.seen"], "hosts,customers,phones");
        // The same words in another session, and the same session's name from another caller.
        assert_eq!(say(&alice, "other", last).await.status, 200);
        let bob = world.token("bob", &["eng"]);
        assert_eq!(say(&bob, "debug", last).await.status, 200);
        assert_eq!(world.upstream.count(), 5);
    }
}

#[tokio::test]
async fn a_caller_who_is_far_from_usual_is_flagged_then_asked_for_a_fresh_token() {
    let world = World::new().await.workers(4).with(
        "anomaly",
        json!({"ceilings": {"requests": 20},
               "actions": [{"id": "again", "action": "fresh_token", "max_age": "1m"}]}),
    );
    let gate = world.gate().await;
    let now = doorward_e2e::idp::now();
    let token = |age: u64| world.idp.token("alice", json!({"groups": ["eng"], "iat": now - age}));
    let (old, fresh) = (token(600), token(0));
    let ask = async |token: &str| gate.call(&post(CHAT, token, chat("gpt-5", "hi").to_string())).await;
    let mut refused = None;
    for n in 0..40 {
        let answer = ask(&old).await;
        if answer.status != 200 {
            refused = Some((n, answer));
            break;
        }
    }
    let (n, answer) = refused.expect("refused by and by");
    assert!((20..30).contains(&n), "{n}");
    assert_eq!((answer.status, code(&answer).as_str()), (401, "anomaly.fresh_token"), "{}", answer.text());
    let line = gate.log_line(&answer).await;
    assert_eq!((&line["doorward.anomaly"], &line["doorward.rules"]), (&json!("requests"), &json!("again")), "{line:#}");
    assert_eq!(line["doorward.caller"].as_str().map(str::len), Some(16));
    let answer = ask(&fresh).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let line = gate.log_line(&answer).await;
    assert_eq!(line["doorward.reason"], Value::Null);
    // Somebody else is not held to it.
    assert_eq!(
        gate.call(&post(CHAT, &world.token("bob", &["eng"]), chat("gpt-5", "hi").to_string())).await.status,
        200
    );
}
