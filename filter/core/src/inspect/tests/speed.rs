//! What the rows of secrets cost on ordinary text. Not run by itself:
//! `cargo test -p doorward-core --lib inspect::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use super::super::secrets;
use super::lanes::cut;
use super::{Budget, builtin, corpora};
use crate::config::Path;

#[test]
#[ignore = "prints speeds"]
fn rows_of_secrets() {
    let Some(rows) = corpora::rows("benign.jsonl") else { return };
    let text: String = rows.iter().map(|row| format!("{}\n", row["text"].as_str().unwrap())).collect();
    let tokens = secrets::tokens::TOKENS.len() as u16;
    let functions = tokens..secrets::AT_ANCHORS as u16;
    let speed = |what: &str, names: &[&str], keep: &dyn Fn(u16) -> bool| {
        let mut detectors = builtin();
        detectors.anchors = secrets::anchors_of(keep);
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let selection = detectors.select(&names, &Path::root()).unwrap();
        // The machine has other work: what counts is the least for each part.
        let parts: Vec<&str> = cut(&text, 64 * 1024);
        let least = |run: &dyn Fn(&str)| {
            let mut least = vec![f64::MAX; parts.len()];
            for _ in 0..15 {
                for (part, least) in parts.iter().zip(&mut least) {
                    let started = Instant::now();
                    run(part);
                    *least = least.min(started.elapsed().as_secs_f64());
                }
            }
            text.len() as f64 / least.iter().sum::<f64>() / 1e6
        };
        let scan = least(&|part| {
            detectors.scan(part, &selection, &mut Budget::default(), &mut Vec::new()).unwrap();
        });
        let bare = least(&|part| detectors.anchors.scan(part.as_bytes(), 0, |_, _| ()));
        println!("{what}: {scan:.0} MB/s; prefilter alone {bare:.0} MB/s");
    };
    for names in [["secrets"].as_slice(), &["all"]] {
        println!("{names:?}");
        speed("all rows", names, &|_| true);
        speed("first tokens and functions only", names, &|id| {
            usize::from(id) < secrets::tokens::FIRST || functions.contains(&id)
        });
        speed("without names", names, &|id| id < secrets::AT_ANCHORS as u16);
        speed("names only", names, &|id| id >= secrets::AT_ANCHORS as u16);
        speed("nothing", names, &|_| false);
    }
}
