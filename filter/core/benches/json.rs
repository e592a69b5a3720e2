//! What reading a body costs: `cargo bench -p doorward-core --bench json`.

use std::fmt::Write;
use std::hint::black_box;

use divan::{Bencher, counter::BytesCount};
use doorward_core::json::decimal::Decimal;
use doorward_core::json::{Document, Edits, Limits, Node};

fn main() {
    divan::main();
}

const SENTENCE: &str =
    "The quarterly report is due on Friday, and the figures for the northern region are still missing. ";

/// A chat request of about `bytes` bytes, with one long message in it.
fn chat(bytes: usize, sentence: &str) -> Vec<u8> {
    let text = sentence.repeat(bytes / sentence.len() + 1);
    format!(r#"{{"model":"gpt-5","max_tokens":1024,"messages":[{{"role":"system","content":"Be brief."}},{{"role":"user","content":"{text}"}}],"stream":false}}"#).into_bytes()
}

/// The bodies by name.
fn body(name: &str) -> Vec<u8> {
    match name {
        "chat_2k" => chat(2 << 10, SENTENCE),
        "chat_32k" => chat(32 << 10, SENTENCE),
        "chat_512k" => chat(512 << 10, SENTENCE),
        // Source code as JSON has it: an escape every few words.
        "code_512k" => chat(512 << 10, r#"    let name = \"value\";\n    if name.len() > 3 {\n\t\treturn;\n    }\n"#),
        "greek_512k" => {
            chat(512 << 10, "Η τριμηνιαία έκθεση πρέπει να παραδοθεί την Παρασκευή, λείπουν ακόμη τα στοιχεία. ")
        }
        "many_messages" => {
            let mut text = String::from(r#"{"model":"gpt-5","messages":["#);
            for i in 0..4_000 {
                let comma = if i == 0 { "" } else { "," };
                write!(text, r#"{comma}{{"role":"user","content":"Message number {i}, and a little more text."}}"#)
                    .unwrap_or_default();
            }
            (text + "]}").into_bytes()
        }
        "integers" => format!("{{\"input\":[{}1]}}", "100257, 220, ".repeat(20_000)).into_bytes(),
        "hostile_keys" => {
            let mut text = String::from("{");
            for i in 0..60_000 {
                write!(text, "\"\\u00e9{i}\":0,").unwrap_or_default();
            }
            (text + "\"\":0}").into_bytes()
        }
        _ => Vec::new(),
    }
}

const BODIES: [&str; 8] =
    ["chat_2k", "chat_32k", "chat_512k", "code_512k", "greek_512k", "many_messages", "integers", "hostile_keys"];

#[divan::bench(args = BODIES)]
fn parse(bencher: Bencher<'_, '_>, name: &str) {
    let body = body(name);
    bencher
        .counter(BytesCount::of_slice(&body))
        .bench(|| Document::parse(black_box(&body), &Limits::default()).map(|document| document.root().span()));
}

/// For comparison: serde_json checks the same text and keeps nothing.
#[divan::bench(args = BODIES)]
fn serde_json_ignoring_all(bencher: Bencher<'_, '_>, name: &str) {
    let body = body(name);
    bencher
        .counter(BytesCount::of_slice(&body))
        .bench(|| serde_json::from_slice::<serde::de::IgnoredAny>(black_box(&body)).is_ok());
}

fn decoded_length(node: Node<'_>) -> usize {
    node.string().map_or(0, |token| token.decode().as_str().len())
        + node.items().map(decoded_length).sum::<usize>()
        + node.entries().map(|(key, value)| key.decode().as_str().len() + decoded_length(value)).sum::<usize>()
}

#[divan::bench(args = BODIES)]
fn parse_and_decode(bencher: Bencher<'_, '_>, name: &str) {
    let body = body(name);
    bencher.counter(BytesCount::of_slice(&body)).bench(|| {
        Document::parse(black_box(&body), &Limits::default()).map(|document| decoded_length(document.root()))
    });
}

#[divan::bench(args = ["chat_2k", "chat_512k"])]
fn splice_100(bencher: Bencher<'_, '_>, name: &str) {
    let body = body(name);
    bencher.counter(BytesCount::of_slice(&body)).bench(|| {
        let mut edits = Edits::new();
        for i in 0..100 {
            let _ = edits.replace(i * 20..i * 20 + 10, "[EMAIL]");
        }
        edits.splice(black_box(&body))
    });
}

#[divan::bench(args = ["4096", "4.096e3", "18446744073709551616", "0.123456789012345678901234567890e12"])]
fn decimal(lexeme: &str) -> Option<bool> {
    Decimal::parse(black_box(lexeme)).map(|number| number <= Decimal::from(4096))
}
