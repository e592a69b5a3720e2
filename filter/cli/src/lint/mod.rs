//! What compiles and is still not what was meant.
//!
//! [`policy`] looks at a policy alone, [`envoy`] at the configuration it stands in, which the filter cannot see.
//! A rule is here only if it is certain: a warning that can be wrong teaches people to ignore warnings.

mod break_glass;
mod content;
mod envoy;
mod policy;
mod routes;

pub use break_glass::break_glass;
pub use envoy::{camel, envoy};
pub use policy::policy;

use doorward_core::policy::Glob;

use crate::source::{Node, Value};
use doorward_core::config::Tree;

/// A value, or a list of them, as texts; what is no text is left out.
fn texts<'n>(node: &'n Node, key: &str) -> Vec<&'n str> {
    let Some(value) = node.get(key) else { return Vec::new() };
    match value.text() {
        Some(one) => vec![one],
        None => value.items().iter().filter_map(Node::text).collect(),
    }
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key)?.text()
}

fn boolean(node: &Node, key: &str) -> Option<bool> {
    match node.get(key)?.value {
        Value::Scalar(Tree::Bool(truth)) => Some(truth),
        _ => None,
    }
}

fn integer(node: &Node, key: &str) -> Option<i64> {
    match node.get(key)?.value {
        Value::Scalar(Tree::Integer(number)) => Some(number),
        _ => None,
    }
}

/// Whether every text that fits the glob `inner` fits `outer`. May miss some; is never wrong about `true`.
fn covers(outer: &str, inner: &str) -> bool {
    // Read as a text, `inner` has wildcards as characters, which only a `*` of `outer` may take for itself: a `?`
    // would take one character of what may be many.
    let takes_runs = !outer.contains('?') || Glob::new(inner).literal().is_some();
    takes_runs && Glob::new(outer).matches(inner)
}

/// Whether the globs `outer` fit whatever one of `inner` fits. An empty list is the absent condition, which fits all.
fn all_cover(outer: &[&str], inner: &[&str]) -> bool {
    outer.is_empty() || (!inner.is_empty() && inner.iter().all(|i| outer.iter().any(|o| covers(o, i))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_covers_what_fits_it() {
        for (outer, inner, covered) in [
            ("*", "gpt-4o*", true),
            ("gpt-*", "gpt-4o*", true),
            ("GPT-*", "gpt-4o", true),
            ("gpt-4o*", "gpt-*", false),
            ("gpt-?", "gpt-*", false),
            ("gpt-?", "gpt-5", true),
            ("*-mini", "*-mini", true),
            ("*-mini", "*", false),
            ("a*c", "a?c", true),
            ("a", "b", false),
        ] {
            assert_eq!(covers(outer, inner), covered, "{outer} over {inner}");
        }
        assert!(all_cover(&[], &["x"]) && all_cover(&[], &[]) && !all_cover(&["*"], &[]));
    }
}
