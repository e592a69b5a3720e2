//! `${...}` in scenarios' texts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex_lite::{Captures, Regex};
use serde_json::Value;

use crate::tokens;

/// Replaces them everywhere.
pub fn expand(value: &mut Value, tokens: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(jwk) = text.strip_prefix("${jwk:").and_then(|t| t.strip_suffix('}')) {
                let (key, kid) = jwk.split_once(':').unwrap_or_else(|| panic!("`{jwk}` is not KEY:KID"));
                *value = tokens::jwk(key, kid);
            } else if text.contains("${") {
                *text = replace(text, tokens);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| expand(item, tokens)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| expand(entry, tokens)),
        _ => {}
    }
}

fn replace(text: &str, tokens: &BTreeMap<String, String>) -> String {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| Regex::new(r"\$\{(\w+):([^:}]*)(?::(\d+))?\}").expect("a pattern"));
    let one = |found: &Captures<'_>| match &found[1] {
        "token" => tokens.get(&found[2]).unwrap_or_else(|| panic!("no token `{}`", &found[2])).clone(),
        "fill" => found[2].repeat(found.get(3).and_then(|n| n.as_str().parse().ok()).expect("a count")),
        other => panic!("`${{{other}:...}}` is not known"),
    };
    pattern.replace_all(text, one).into_owned()
}
