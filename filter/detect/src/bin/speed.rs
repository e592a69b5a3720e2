//! How fast the detectors are, natively or (as a WASI module) in V8, which runs the filter inside Envoy: `make speed`.
//!
//! Texts are this repository's own prose and code, or labelled benign data where a folder of it is named. All figures are taken in turn
//! in one run, several rounds, and the median counts: compare them with each other, not with another machine's. The bare prefilter is
//! the automaton of `aho-corasick` over the same literals as the detectors' own, with nothing done at what it finds.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a benchmark")]

use std::path::{Path as File, PathBuf};
use std::time::Instant;

use aho_corasick::AhoCorasick;
use doorward_core::config::Path;
use doorward_core::inspect::{Budget, Detectors, DetectorsDocument, Selection};

/// Rounds of which the median counts.
const ROUNDS: usize = 7;
/// Bytes that each measurement reads at least.
const BYTES: usize = 4 << 20;
/// What hostile texts are made of: each alone, and in pairs.
const PIECES: &str = include_str!("../../hostile.txt");

struct Bench {
    detectors: Detectors,
    automaton: AhoCorasick,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|a| a == name)?;
        arguments.get(at + 1).map(PathBuf::from)
    };
    let root = option("--root").unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")));
    let detectors =
        Detectors::compile(&DetectorsDocument::default(), &|_| None, &Path::root()).expect("built-in detectors");
    let automaton =
        AhoCorasick::builder().ascii_case_insensitive(true).build(detectors.literals()).expect("an automaton");
    let bench = Bench { detectors, automaton };
    println!(
        "automaton over {} literals: {} KB",
        bench.automaton.patterns_len(),
        bench.automaton.memory_usage() / 1024
    );
    let prose = text(&root, &["README.md", "CHANGELOG.md", "SECURITY.md"], "md");
    let code = text(&root, &["filter/core/src"], "rs");
    let benign = option("--data").and_then(|data| benign(&data));
    let personal = bench.select(&["pii", "financial", "health", "secrets"]);
    let all = bench.select(&["all"]);
    for (what, text) in [("prose", Some(&prose)), ("code", Some(&code)), ("benign data", benign.as_ref())] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            bench.throughput(what, text, &personal, &all);
        }
    }
    bench.sizes(&prose, &all);
    if !arguments.iter().any(|a| a == "--quick") {
        bench.hostile(&all);
    }
    // Not by the way back through the host's start function: node 20 crashes there after a run of this length.
    std::process::exit(0);
}

impl Bench {
    fn select(&self, names: &[&str]) -> Selection {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        self.detectors.select(&names, &Path::root()).expect("groups")
    }

    /// Megabytes per second over texts of 16 KB.
    fn throughput(&self, what: &str, text: &str, personal: &Selection, all: &Selection) {
        let texts = pieces(text, 16 << 10);
        let mut rates: [Vec<f64>; 3] = Default::default();
        for _ in 0..ROUNDS {
            let scans: [&dyn Fn(&str); 3] =
                [&|text| self.prefilter(text), &|text| self.scan(text, personal), &|text| self.scan(text, all)];
            for (scan, rates) in scans.into_iter().zip(&mut rates) {
                rates.push(rate(&texts, scan));
            }
        }
        let [bare, personal, all] = rates.map(median);
        println!(
            "{what}: bare prefilter {bare:.0} MB/s; personal data and secrets {personal:.0} MB/s ({:.2} of it); everything \
             {all:.0} MB/s ({:.2} of it)",
            personal / bare,
            all / bare
        );
    }

    /// One text of 2 KB, and one of 1 MB.
    fn sizes(&self, text: &str, all: &Selection) {
        for (what, size) in [("2 KB", 2 << 10), ("1 MB", 1 << 20)] {
            let text = grown(text, size);
            let times = (0..ROUNDS).map(|_| size as f64 / rate(std::slice::from_ref(&text), &|t| self.scan(t, all)));
            println!("everything over {what}: {:.1} us", median(times.collect()));
        }
    }

    /// The slowest of texts that are made to be slow.
    fn hostile(&self, all: &Selection) {
        let pieces: Vec<String> =
            PIECES.lines().filter(|l| !l.is_empty()).map(|l| l.replace("\\n", "\n").replace("\\s", " ")).collect();
        let mut found: Vec<(f64, String)> = Vec::new();
        let size = 128 << 10;
        let pairs = pieces.iter().flat_map(|a| pieces.iter().map(move |b| format!("{a}{b}")));
        for piece in pieces.iter().cloned().chain(pairs.step_by(7)) {
            let text = grown(&piece, size);
            let start = Instant::now();
            self.scan(&text, all);
            found.push((size as f64 / 1e6 / start.elapsed().as_secs_f64(), piece));
        }
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (_, piece) in found.iter().take(6) {
            let text = [grown(piece, 1 << 20)];
            let rates = (0..3).map(|_| rate_of(&text, 1 << 20, &|t| self.scan(t, all)));
            println!("hostile {piece:?}: {:.1} MB/s", median(rates.collect()));
        }
    }

    fn scan(&self, text: &str, selection: &Selection) {
        let mut found = Vec::new();
        let _ = self.detectors.scan(text, selection, &mut Budget::default(), &mut found);
        std::hint::black_box(found);
    }

    fn prefilter(&self, text: &str) {
        std::hint::black_box(self.automaton.find_overlapping_iter(text).count());
    }
}

fn rate(texts: &[String], scan: &dyn Fn(&str)) -> f64 {
    rate_of(texts, BYTES, scan)
}

/// Megabytes per second, over at least `bytes`.
fn rate_of(texts: &[String], bytes: usize, scan: &dyn Fn(&str)) -> f64 {
    let start = Instant::now();
    let mut read = 0;
    while read < bytes {
        for text in texts {
            scan(text);
            read += text.len();
        }
    }
    read as f64 / 1e6 / start.elapsed().as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

/// `text`, repeated and cut to `size`.
fn grown(text: &str, size: usize) -> String {
    let mut grown = text.repeat(size.div_ceil(text.len().max(1)));
    grown.truncate(grown.floor_char_boundary(size));
    grown
}

fn pieces(text: &str, size: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((piece, after)) =
        rest.split_at_checked(rest.floor_char_boundary(size.min(rest.len()))).filter(|(p, _)| !p.is_empty())
    {
        pieces.push(piece.to_owned());
        rest = after;
    }
    pieces
}

/// Files, and those with the extension in folders, one after the other.
fn text(root: &File, names: &[&str], extension: &str) -> String {
    let mut text = String::new();
    for name in names {
        collect(&root.join(name), extension, &mut text);
    }
    text
}

fn collect(path: &File, extension: &str, text: &mut String) {
    if let Ok(entries) = std::fs::read_dir(path) {
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths.iter().for_each(|path| collect(path, extension, text));
    } else if path.extension().is_some_and(|e| e == extension) {
        text.push_str(&std::fs::read_to_string(path).unwrap_or_default());
    }
}

/// The texts of labelled benign data.
fn benign(folder: &File) -> Option<String> {
    let file = std::fs::read_to_string(folder.join("benign.jsonl")).ok()?;
    let row =
        |line: &str| Some(serde_json::from_str::<serde_json::Value>(line).ok()?.get("text")?.as_str()?.to_owned());
    Some(file.lines().filter_map(row).collect::<Vec<_>>().join("\n"))
}
