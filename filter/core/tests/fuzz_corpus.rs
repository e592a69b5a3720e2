//! Replays the fuzzing corpus with the fuzzer's own checks, on stable Rust.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../../fuzz/checks/json.rs"]
mod json;

#[test]
fn json() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/json");
    let mut replayed = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        json::json(&std::fs::read(entry.unwrap().path()).unwrap());
        replayed += 1;
    }
    assert!(replayed > 0, "the corpus is empty");
}
