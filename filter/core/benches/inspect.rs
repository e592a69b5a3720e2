//! Scanning speed on ordinary text, and what user dictionaries and patterns add.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use doorward_core::config::{Path, from_tree, tree_from_json};
use doorward_core::inspect::{Budget, Detectors, Lane, Selection};
use doorward_core::protocol::Channel;

fn main() {
    divan::main();
}

const PROSE: &str = "The committee met on Tuesday to discuss the library's new opening hours, and nobody was surprised that \
    it took longer than planned. Some members wanted to keep the doors open until eight; others, mindful of the budget, \
    asked whether three evenings a week would be enough. In the end they agreed to try it for a season and look at the \
    figures again in spring. \"We can always change it,\" the chair said, and closed the meeting. ";

const CODE: &str = "    fn next(&mut self, from: usize) -> Option<Span> {\n        let rest = self.bytes.get(from..)?; // see RFC 9110, 5.6.2\n        \
    if rest.len() < 16 { return self.slow(from, 0x7f_u8); }\n        let mask = [1, 2, 4, 8, 16, 32, 64, 128];\n        \
    self.state = State::Open { at: from + 12, depth: self.depth + 1, name: \"content-type\" };\n    }\n";

const RECORDS: &str = "{\"id\": 48213, \"created\": \"2024-05-17T08:12:45.123Z\", \"customer\": \"Jane Roe\", \"email\": \"jane@acme.com\", \
    \"phone\": \"+44 20 7946 0958\", \"ip\": \"81.2.69.142\", \"amount\": 1249.50, \"trace\": \"4bf92f3577b34da6a3ce929d0e0e4736\"},\n";

fn text(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len() + 1).chars().take(bytes).collect()
}

fn detectors(json: &str) -> (Detectors, Selection) {
    let path = Path::root();
    let document = tree_from_json(json).and_then(|tree| from_tree(&tree, &path)).unwrap();
    let detectors = Detectors::compile(&document, &|_| None, &path).unwrap();
    let selection = detectors.select(&["all".to_owned()], &path).unwrap();
    (detectors, selection)
}

fn scan(bencher: Bencher<'_, '_>, json: &str, text: &str) {
    let (detectors, selection) = detectors(json);
    let mut out = Vec::new();
    bencher.counter(BytesCount::of_str(text)).bench_local(|| {
        out.clear();
        detectors.scan(black_box(text), &selection, &mut Budget::default(), &mut out).unwrap();
        out.len()
    });
}

#[divan::bench(args = [2 << 10, 512 << 10])]
fn prose(bencher: Bencher<'_, '_>, bytes: usize) {
    scan(bencher, "{}", &text(PROSE, bytes));
}

#[divan::bench(args = [2 << 10, 512 << 10])]
fn code(bencher: Bencher<'_, '_>, bytes: usize) {
    scan(bencher, "{}", &text(CODE, bytes));
}

#[divan::bench(args = [2 << 10, 512 << 10])]
fn records(bencher: Bencher<'_, '_>, bytes: usize) {
    scan(bencher, "{}", &text(RECORDS, bytes));
}

/// What looking behind encodings adds where there are none.
#[divan::bench(args = ["prose", "code", "records", "typographic", "russian", "chinese"])]
fn through(bencher: Bencher<'_, '_>, what: &str) {
    let piece = match what {
        "code" => CODE,
        "records" => RECORDS,
        "typographic" => "“It’s – well – naïve,” she said: 10\u{a0}km at 5\u{202f}°C, pages 10–20 … 👍🏽 ❤️. ",
        "russian" => "Комитет собрался во вторник и решил, что он сам всё обсудит. ",
        "chinese" => "委员会在星期二开会，（见第三页）：好。",
        _ => PROSE,
    };
    let (detectors, selection) = detectors("{}");
    let text = text(piece, 64 << 10);
    let mut out = Vec::new();
    bencher.counter(BytesCount::of_str(text.as_str())).bench_local(|| {
        out.clear();
        detectors.scan_through(Channel::User, black_box(&text), &selection, &mut Budget::default(), &mut out).unwrap();
        out.len()
    });
}

#[divan::bench(args = [10, 1_000, 10_000])]
fn dictionary(bencher: Bencher<'_, '_>, words: usize) {
    let list: Vec<String> = (0..words).map(|i| format!("\"term{:x}\"", i * 7919)).collect();
    scan(
        bencher,
        &format!(r#"{{"dictionaries":[{{"name":"d","words":[{}]}}]}}"#, list.join(",")),
        &text(PROSE, 64 << 10),
    );
}

#[divan::bench(args = [1, 10, 100])]
fn patterns_with_literal_start(bencher: Bencher<'_, '_>, patterns: usize) {
    let list: Vec<String> =
        (0..patterns).map(|i| format!(r#"{{"name":"p{i}","pattern":"P{i:03}-[0-9]{{6}}"}}"#)).collect();
    scan(bencher, &format!(r#"{{"patterns":[{}]}}"#, list.join(",")), &text(PROSE, 64 << 10));
}

#[divan::bench]
fn pattern_without_literal_start(bencher: Bencher<'_, '_>) {
    scan(bencher, r#"{"patterns":[{"name":"p","pattern":"[A-Z]{2}[0-9]{6}"}]}"#, &text(PROSE, 64 << 10));
}

/// A text that arrives in pieces of four bytes: time per push is this divided by 4,096.
#[divan::bench(args = ["all", "secrets", "EMAIL_ADDRESS"])]
fn lane_of_4096_pieces(bencher: Bencher<'_, '_>, names: &str) {
    let (detectors, _) = detectors("{}");
    let selection = detectors.select(&[names.to_owned()], &Path::root()).unwrap();
    let text = text(PROSE, 16 << 10);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let mut lane = Lane::new();
        let mut budget = Budget::default();
        let mut from = 0;
        while from < text.len() {
            let to = text.ceil_char_boundary((from + 4).min(text.len()));
            let piece = text.get(from..to).unwrap();
            black_box(lane.push(piece, to == text.len(), &detectors, &selection, &mut budget).unwrap());
            from = to;
        }
    });
}

#[divan::bench]
fn compile() -> Detectors {
    detectors("{}").0
}
