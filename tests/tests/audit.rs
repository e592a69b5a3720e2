//! The record on a real Envoy: chained, with checkpoints in Envoy's own log, and without a user's name or text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use doorward_core::audit::Pseudonyms;
use doorward_core::audit::chain::{ChainKey, Checkpoint, Link};
use doorward_core::audit::text::{TextKey, written};
use doorward_e2e::envoy::ListenerSpec;
use doorward_e2e::governed::{World, access_log, chat, post, record};
use doorward_e2e::upstream::{Ending, Script};
use doorward_e2e::wait::until;
use serde_json::json;

const CHAIN: &str = "a-key-of-chains-of-more-than-32-bytes";
const AUDIT: &str = "a-key-of-audits-of-more-than-32-bytes";
const USERS: &str = "a-key-of-pseudonyms-of-more-than-32-bytes";

#[tokio::test]
async fn records_are_tied_together_as_envoy_writes_them() {
    let world = World::new().await.with("extends", json!(["pii@1"])).with(
        "audit",
        json!({"key": {"env": "AUDIT_KEY"}, "user": "pseudonym", "user_key": {"env": "USER_KEY"}, "capture": "redacted",
            "chain": {"key": {"env": "CHAIN_KEY"}, "checkpoint_records": 3}}),
    );
    let wasm = world.wasm().env("AUDIT_KEY", AUDIT).env("CHAIN_KEY", CHAIN).env("USER_KEY", USERS);
    let mut spec = ListenerSpec::to(world.cluster.clone()).wasm(wasm);
    spec.log = access_log();
    let gate = world.open(spec).await.unwrap_or_else(|refused| panic!("{refused}"));
    let path = "/v1/chat/completions";
    let texts =
        ["hello there, bob@northwind.dev", "the key is AKIAIQ7RX4PJH6ZN2WVB", "so that é and \"quotes\" are in it"];
    for text in texts {
        gate.post_json(path, &world.alice(), &chat("gpt-5-mini", text)).await;
    }
    gate.post_json(path, "no token", &chat("gpt-5-mini", "nobody's text")).await;
    let lines = until("four records", async || {
        let lines = gate.log_lines();
        if lines.len() >= 4 { Ok(lines) } else { Err(format!("{lines:?}")) }
    })
    .await;
    let key = ChainKey::new(CHAIN.as_bytes());
    let mut links = Vec::new();
    for line in &lines {
        let fields = record(line);
        let link = Link::read(fields["doorward.chain"].as_str().unwrap()).unwrap();
        let texts: Vec<(&str, &str)> = fields
            .iter()
            .filter(|(k, _)| *k != "doorward.chain")
            .map(|(k, v)| (k.as_str(), v.as_str().unwrap()))
            .collect();
        assert!(link.fits(&key, &texts), "{line:#}");
        assert_eq!(line["doorward.policy.packs"], "pii@1");
        links.push(link);
    }
    links.sort_by_key(|link| link.number);
    assert!(links.windows(2).all(|pair| pair[0].code == pair[1].before && pair[0].number + 1 == pair[1].number));
    let boot = links[0].boot;
    until("a checkpoint", async || {
        let log = gate.envoy.log();
        let found = log.lines().filter_map(Checkpoint::read).find(|c| c.boot == boot && c.records == 3);
        found.filter(|c| c.fits(&key)).ok_or_else(|| "none".to_owned())
    })
    .await;
    // Who sent it is known, and neither who that is nor what it was can be read.
    let digest = written(TextKey::new(AUDIT.as_bytes()).digest(texts[0]).unwrap());
    let sent = lines.iter().find(|line| line["doorward.texts.in"] == digest.as_str()).expect("a record of the text");
    assert_eq!(sent["doorward.user"], Pseudonyms::new(USERS.as_bytes()).of("alice"));
    assert!(sent["doorward.captured.in"].as_str().unwrap().contains("hello there, [EMAIL_ADDRESS]"), "{sent:#}");
    let log = gate.log_text();
    assert!(!log.contains("alice") && !log.contains("northwind.dev") && !log.contains("AKIAIQ7RX4"), "{log}");
}

#[tokio::test]
async fn texts_of_streams_are_recorded_as_clients_got_them() {
    let world = World::new().await.with("audit", json!({"capture": "redacted", "capture_bytes": 4096}));
    let gate = world.gate().await;
    let event = |text: &str| {
        let choices = json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]);
        format!(
            "data: {}\n\n",
            json!({"id": "c", "object": "chat.completion.chunk", "model": "gpt-5", "choices": choices})
        )
    };
    let said = |texts: &[&str], end: bool| {
        let mut events: Vec<String> = texts.iter().map(|text| event(text)).collect();
        events.extend(end.then(|| "data: [DONE]\n\n".to_owned()));
        Script::sse(events)
    };
    let whole = ["Ask jane.doe@", "northwind.dev ", "or call (415) 555-", "0132."];
    let refused = ["The key of bob@northwind.dev", " is AKIAIQ7RX4", "PJH6ZN2WVB, and", " more"];
    for (script, expected, hidden) in [
        (said(&whole, true), "Ask [EMAIL_ADDRESS] or call [PHONE_NUMBER].", "northwind"),
        // Refused half-way, and cut off by the upstream.
        (said(&refused, true), "The key of [EMAIL_ADDRESS]", "AKIA"),
        (said(&whole[..3], false).ending(Ending::Reset), "Ask [EMAIL_ADDRESS] or", "northwind"),
    ] {
        world.upstream.enqueue(script);
        let mut body = chat("gpt-5", "who?");
        body["stream"] = json!(true);
        let request = post("/v1/chat/completions", &world.alice(), body.to_string());
        let _ = gate.try_call(&request).await;
        let line = gate.log_line_of(&request.request_id).await;
        let captured = line["doorward.captured.out"].as_str().unwrap_or_else(|| panic!("{line:#}"));
        let readable = captured.replace("%22", "\"").replace("%20", " ");
        assert!(readable.starts_with(&format!("[{{\"text\":\"{expected}")), "{readable}");
        assert!(!readable.contains(hidden) && !gate.log_text().contains("northwind.dev"), "{readable}");
    }
}
