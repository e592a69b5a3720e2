//! A canary in every leaf of every fixture, mutated, through the built module: core's test of the same name, 100 times each.
//! A trap of the module fails the test.

#[path = "../../../filter/core/tests/support/mutate.rs"]
mod mutate;

use std::collections::BTreeMap;

use doorward_lifecycle::model::{Abi, Fields, Proxy, Setup, Side, Vm};
use doorward_lifecycle::tokens::NOW;
use doorward_lifecycle::wasm::{self, Wasm};
use mutate::{CANARY, Dice, finds, model, mutate, planted};
use serde_json::{Value, json};

const ROUNDS: usize = 100;

#[test]
fn no_mutation_lets_the_canary_through_the_module() {
    if !wasm::is_built() {
        assert!(std::env::var_os("CI").is_none(), "the module is not built");
        eprintln!("{} is not built (make wasm): skipped", wasm::path().display());
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../filter/core/tests/apis");
    let mut passed = 0;
    let mut fixtures = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        fixtures += 1;
        passed += rounds(&serde_json::from_str(&text).unwrap());
    }
    assert!(passed > fixtures * ROUNDS / 20, "{passed} passed");
}

fn rounds(fixture: &Value) -> usize {
    let mut proxy = proxy(fixture);
    let body = planted(&fixture["request"]).to_string();
    let path = fixture["path"].as_str().unwrap();
    let member = if fixture["request"]["agent_id"].is_string() { "agent_id" } else { "model" };
    let mut dice = Dice(path.bytes().fold(0x51ED_270B_7F4A_7C15, |h, b| (h ^ u64::from(b)).wrapping_mul(31)));
    assert_eq!(ask(&mut proxy, path, body.as_bytes()).as_deref().map(finds), Some(None), "{path}");
    let mut passed = 0;
    for round in 0..ROUNDS {
        let mutated = mutate(&body, &mut dice);
        let Some(upstream) = ask(&mut proxy, path, &mutated) else { continue };
        passed += 1;
        let sent = String::from_utf8_lossy(&mutated);
        assert_eq!(finds(&upstream), None, "{path} round {round}: {sent}");
        if let Some(model) = model(&upstream, member) {
            assert!(model.rsplit('/').next().unwrap().eq_ignore_ascii_case("m-1"), "{path} round {round}: {sent}");
        }
    }
    passed
}

/// What the upstream received; nothing where the request was refused, which must be said.
fn ask(proxy: &mut Proxy<'_>, path: &str, body: &[u8]) -> Option<Vec<u8>> {
    let properties: BTreeMap<String, Vec<u8>> = [
        ("xds/cluster_name", "c"),
        ("request/id", "id"),
        ("connection/uri_san_peer_certificate", "spiffe://td/ns/a/sa/b"),
        ("connection/mtls", "\u{1}"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .into();
    let id = proxy.open(0, properties);
    let head = Fields::of(&[(":method", "POST"), (":path", path), ("content-type", "application/json")]);
    proxy.request_head(id, head, false);
    proxy.frame(id, Side::Request, body, true);
    let (sent, refused) = {
        let host = proxy.host();
        let stream = &host.streams[&id];
        let sent = stream.request.received.ended.then(|| stream.request.received.body.clone());
        (sent, stream.response.received.head.as_ref().and_then(|head| head.text("x-doorward-reason")))
    };
    assert!(sent.is_some() != refused.is_some(), "{path}: {refused:?}");
    proxy.client_abort(id);
    sent
}

fn proxy(fixture: &Value) -> Proxy<'static> {
    let all = ["image", "audio", "video", "document", "file", "tokens", "reference"];
    let policy = json!({
        "version": "doorward/v1",
        "targets": [{"name": "t", "cluster": "c", "provider": fixture["provider"]}],
        "identity": {"mtls": {"trust_domains": ["td"]}, "require": {"user": false, "workload": true}},
        "detectors": {"dictionaries": [{"name": "PLANTED", "words": [CANARY], "whole_words": false}]},
        "access": [{"id": "all", "effect": "allow", "models": ["m-1", "default"], "media": all, "stateful": true},
            {"id": "named", "effect": "allow", "operations": ["batches"], "media": all, "stateful": true}],
        "content": [{"id": "mask", "detect": ["PLANTED", "CREDIT_CARD"], "action": "mask"}],
    });
    let setup = Setup {
        now_ns: NOW * 1_000_000_000,
        workers: 1,
        stop_iteration: true,
        buffer_limit: 1 << 20,
        clusters: Vec::new(),
        env: BTreeMap::new(),
    };
    let mut proxy = Proxy::new(setup, Box::new(|abi: Abi| -> Box<dyn Vm> { Box::new(Wasm::new(abi)) }));
    assert!(proxy.configure(policy.to_string().as_bytes()), "the policy is taken");
    proxy
}
