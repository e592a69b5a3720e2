//! Replays the fuzzing corpus with the fuzzer's own checks, on stable Rust.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

#[path = "../../fuzz/checks/exchange.rs"]
mod exchange;
#[path = "../../fuzz/checks/forwarded.rs"]
mod forwarded;
#[path = "../../fuzz/checks/framing.rs"]
mod framing;
#[path = "../../fuzz/checks/head.rs"]
mod head;
#[path = "../../fuzz/checks/json.rs"]
mod json;
#[path = "../../fuzz/checks/policy.rs"]
mod policy;

fn replay(target: &str, check: fn(&[u8])) {
    let corpus = format!("{}/../fuzz/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut replayed = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        check(&std::fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0, "the corpus of {target} is empty");
}

#[test]
fn exchanges() {
    replay("exchange", exchange::exchange);
}

#[test]
fn forwarded_certificates() {
    replay("forwarded", forwarded::forwarded);
}

#[test]
fn framings() {
    replay("framing", framing::framing);
}

#[test]
fn heads() {
    replay("head", head::head);
}

#[test]
fn json() {
    replay("json", json::json);
}

#[test]
fn policies() {
    replay("policy", policy::policy);
}
