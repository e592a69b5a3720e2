//! Other ways through Envoy: headers that go ahead, several workers, HTTP/2, and a policy that only observes.

use doorward_e2e::client::{Answer, Target, http1};
use doorward_e2e::governed::{World, post};
use doorward_e2e::providers;
use doorward_e2e::upstream::Handler;
use serde_json::{Value, json};

use crate::anthropic::{self, ANTHROPIC};
use crate::openai::{self, OPENAI};
use crate::stage::{CARD, MAIL, Place, TOKEN};
use crate::{Stage, ask, raw};

#[tokio::test]
async fn openai_streams_in_flow_mode() {
    Stage::open(OPENAI, providers::openai, "openai", World::flow).await.check(&openai::streams()).await;
}

#[tokio::test]
async fn anthropic_streams_in_flow_mode_on_four_workers() {
    let set = |world: World| world.flow().workers(4);
    Stage::open(ANTHROPIC, providers::anthropic, "anthropic", set).await.check(&anthropic::streams()).await;
}

/// A stream over HTTP/2: restored, masked, cut off, denied.
async fn over_http2(handler: fn() -> Handler, provider: &str, path: &str, model: &str, delta: &str) {
    let content = json!([
        {"id": "tokenize", "detect": "EMAIL_ADDRESS", "action": "tokenize"},
        {"id": "mask", "detect": "CREDIT_CARD", "action": "mask", "direction": "response"},
        {"id": "deny", "detect": "secrets", "action": "deny", "direction": "response"},
    ]);
    let place = Place::open(World::of(handler(), provider).await.with("content", content)).await;
    let token = place.world.alice();
    let say = async |model: &str, text: &str| -> Answer {
        let body = json!({"model": model, "max_tokens": 99, "stream": true, "messages": ask(text)});
        place.gate.call_http2(&post(path, &token, body.to_string())).await
    };
    let said = say(model, &format!("write to {MAIL}, pay with {CARD} now")).await;
    let outcome = raw::outcome(&said, delta);
    let text = outcome.ok.unwrap_or_else(|| panic!("{said:?}"))["text"].clone();
    assert_eq!(text, format!("You said: write to {MAIL}, pay with [CREDIT_CARD] now"));
    let line = place.gate.log_line(&said).await;
    assert_eq!((&line["protocol"], &line["doorward.stream"]), (&json!("HTTP/2"), &json!("true")));
    assert_eq!((&line["gen_ai.usage.input_tokens"], &line["gen_ai.usage.output_tokens"]), (&json!("21"), &json!("34")));
    assert!(!place.world.upstream.request(0).await.mentions("northwind"));

    let cut = say(model, &format!("reply: The key is {TOKEN} and it works.")).await;
    let outcome = raw::outcome(&cut, delta);
    assert_eq!((cut.status, &outcome.partial["text"]), (200, &json!("The key is ")), "{outcome:?}");
    assert!(outcome.body["message"].as_str().is_some_and(|m| m.contains("[answer.denied]")), "{outcome:?}");
    assert!(!cut.text().contains("ghp_"), "{}", cut.text());
    assert_eq!(place.gate.log_line(&cut).await["doorward.reason"], "answer.denied");

    let denied = say("other-1", "hi").await;
    assert_eq!(denied.status, 403);
    assert_eq!(place.world.upstream.count(), 2);
}

#[tokio::test]
async fn openai_over_http2() {
    let delta = "/choices/0/delta/content";
    over_http2(providers::openai, "openai", "/v1/chat/completions", "gpt-5-mini", delta).await;
}

#[tokio::test]
async fn anthropic_over_http2() {
    over_http2(providers::anthropic, "anthropic", "/v1/messages", "claude-haiku-4-5", "/delta/text").await;
}

/// Who only observes changes nothing, records what would have been done, and what the provider tells by itself.
#[tokio::test]
async fn observed_streams_pass_as_they_are() {
    let content = json!([{"id": "mask", "detect": "CREDIT_CARD", "action": "mask"},
        {"id": "deny", "detect": "secrets", "action": "deny"}]);
    let world = World::of(providers::openai(), "openai").await.with("content", content).with("mode", json!("observe"));
    let place = Place::open(world).await;
    let token = place.world.alice();
    for asks in [true, false] {
        let text = format!("reply: pay with {CARD}, the key is {TOKEN}");
        let mut body = json!({"model": "other-1", "stream": true, "messages": ask(&text)});
        if asks {
            body["stream_options"] = json!({"include_usage": true});
        }
        let request = post("/v1/chat/completions", &token, body.to_string());
        let observed = place.gate.call(&request).await;
        let upstream = Target::plain(place.world.upstream.address);
        let direct = http1::Connection::open(&upstream).await.unwrap().call(&request).await.unwrap();
        assert_eq!(observed.text(), direct.text());
        let seen = place.world.upstream.request(if asks { 0 } else { 2 }).await;
        assert_eq!(seen.text(), body.to_string());
        assert!(seen.mentions(&token), "the caller's credential is the caller's");
        let line = place.gate.log_line(&observed).await;
        let told = |value: &str| if asks { json!(value) } else { Value::Null };
        assert_eq!(line["gen_ai.usage.input_tokens"], told("21"), "{line:#}");
        assert_eq!(line["gen_ai.usage.output_tokens"], told("34"), "{line:#}");
        assert_eq!((&line["doorward.action"], &line["doorward.decision"]), (&json!("observe"), &json!("deny")));
        assert_eq!(line["doorward.reason"], "model.not_allowed");
        let findings = line["doorward.findings"].as_str().unwrap();
        assert!(
            findings.contains("in:CREDIT_CARD/mask=1") && findings.contains("out:CREDIT_CARD/mask=1"),
            "{findings}"
        );
    }
}
