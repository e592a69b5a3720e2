//! Texts made to cost much.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::super::escape;
use super::{ErrorKind, refusal_kind};

fn object(keys: impl Iterator<Item = String>) -> String {
    let mut text = String::from("{");
    for (i, key) in keys.enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(text, "{comma}\"{key}\":0").unwrap();
    }
    text + "}"
}

/// Quadratic work on these takes minutes in a test build, linear work milliseconds.
fn within_time(what: &str, run: impl FnOnce()) {
    let start = Instant::now();
    run();
    assert!(start.elapsed() < Duration::from_secs(20), "{what}: {:?}", start.elapsed());
}

#[test]
fn many_keys() {
    let keys = 130_000;
    type Key = fn(usize) -> String;
    let shapes: [(&str, Key); 5] = [
        ("ascending", |i| format!("{i:06}")),
        ("descending", |i| format!("{:06}", 999_999 - i)),
        ("escaped", |i| format!("\\u00e9{i}")),
        ("not ascii", |i| format!("É{i}")),
        ("long common start", |i| format!("{}{i:06}", "x".repeat(200))),
    ];
    for (name, key) in shapes {
        within_time(name, || assert_eq!(refusal_kind(object((0..keys).map(key))), None, "{name}"));
        let twice = (0..keys).chain([keys / 2]).map(key);
        within_time(name, || assert_eq!(refusal_kind(object(twice)), Some(ErrorKind::DuplicateKey), "{name}"));
    }
}

#[test]
fn many_small_objects_inside_each_other() {
    let mut text = String::from("0");
    for depth in 0..60 {
        text = format!("{{\"a\":{text},\"b\":[{}0]}}", "{\"a\":0,\"b\":0},".repeat(600 + depth));
    }
    within_time("nested", || assert_eq!(refusal_kind(&text), None));
}

#[test]
fn deep_nesting_is_refused_at_once() {
    for unit in ["[", "{\"a\":", "[{\"a\":"] {
        let text = unit.repeat(1_000_000);
        within_time(unit, || assert_eq!(refusal_kind(&text), Some(ErrorKind::Depth)));
    }
}

#[test]
fn replacements_do_not_double_with_every_level() {
    let deep = escape::write("\"\\\n", 255);
    assert!(deep.len() < 5_000, "{}", deep.len());
    let mut back = format!("\"{deep}\"");
    for level in 0..255 {
        back = serde_json::from_str(&back).unwrap();
        if level < 254 {
            back = format!("\"{back}\"");
        }
    }
    assert_eq!(back, "\"\\\n");
}
