//! Lists of tokens, which tell a text once more.

use std::ops::Range;

use crate::json::{Kind, Node};

/// Lists of tokens and their probabilities: they tell a text once more. Emptied.
pub(crate) fn token_lists(node: Node<'_>, edits: &mut Vec<(Range<usize>, String)>) {
    match node.kind() {
        Kind::Object => {
            // TGI's details.
            let details = node.get("prefill").is_some();
            for (key, value) in node.entries() {
                let kind = value.kind();
                if !matches!(kind, Kind::Object | Kind::Array) {
                    continue;
                }
                match (key.text().as_ref(), kind) {
                    ("logprobs" | "logprobsResult" | "prompt_logprobs", Kind::Object) => {
                        edits.push((value.span(), "null".to_owned()));
                    }
                    ("tokens" | "prefill", Kind::Array) if details => edits.push((value.span(), "[]".to_owned())),
                    ("logprobs" | "logprobsResult" | "prompt_logprobs" | "top_tokens", Kind::Array) => {
                        edits.push((value.span(), "[]".to_owned()));
                    }
                    _ => token_lists(value, edits),
                }
            }
        }
        Kind::Array => node.items().for_each(|item| token_lists(item, edits)),
        _ => {}
    }
}
