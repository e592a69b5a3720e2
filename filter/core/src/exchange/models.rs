//! Lists of models, cut to what a caller may use.

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{self, Kind, Node};

/// Removes from `data` and `models` (llama.cpp answers both; a list itself, where a server answers no more than that) the models that a
/// caller may not use, and points Anthropic's page ends at what is left. `None`: there is no list where one is known to be.
pub(super) fn filter_models(
    root: Node<'_>,
    may_use: &mut dyn FnMut(&str) -> bool,
) -> Option<Vec<(Range<usize>, String)>> {
    let lists: Vec<Node<'_>> = match root.kind() {
        Kind::Array => vec![root],
        _ => ["data", "models"].into_iter().filter_map(|name| root.get(name)).collect(),
    };
    if lists.is_empty() || lists.iter().any(|list| list.kind() != Kind::Array) {
        return None;
    }
    let mut edits = Vec::new();
    let mut kept = Vec::new();
    for list in lists {
        kept.extend(cut(list, may_use, &mut edits));
    }
    if edits.is_empty() {
        return Some(edits);
    }
    let ids: Vec<Node<'_>> = kept.iter().filter_map(|item| item.get("id")).collect();
    for (name, id) in [("first_id", ids.first()), ("last_id", ids.last())] {
        if let Some(node) = root.get(name) {
            let text = id.and_then(|id| id.text()).map_or("null".to_owned(), |id| serde_json::json!(id).to_string());
            edits.push((node.span(), text));
        }
    }
    Some(edits)
}

/// Cuts one list; what is left of it.
fn cut<'d>(
    data: Node<'d>,
    may_use: &mut dyn FnMut(&str) -> bool,
    edits: &mut Vec<(Range<usize>, String)>,
) -> Vec<Node<'d>> {
    let items: Vec<(Node<'d>, bool)> = data
        .items()
        // An item without a readable id cannot be allowed.
        .map(|item| (item, id(item).is_some_and(|id| may_use(id.strip_prefix("models/").unwrap_or(&id)))))
        .collect();
    let spans: Vec<_> = items.iter().map(|(item, keep)| (item.span(), *keep)).collect();
    edits.extend(json::cut(&data.span(), &spans).into_iter().map(|range| (range, String::new())));
    items.into_iter().filter(|(_, keep)| *keep).map(|(item, _)| item).collect()
}

/// The name of a listed model: OpenAI and Anthropic, Gemini, Ollama.
fn id<'d>(item: Node<'d>) -> Option<Cow<'d, str>> {
    ["id", "name", "model"].into_iter().find_map(|name| item.get(name))?.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Edits, Limits};

    fn filtered(json: &str, allowed: &[&str]) -> String {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let mut edits = Edits::new();
        for (range, text) in filter_models(document.root(), &mut |m| allowed.contains(&m)).unwrap() {
            edits.replace(range, text).unwrap();
        }
        String::from_utf8(edits.splice(json.as_bytes())).unwrap()
    }

    #[test]
    fn every_list_of_an_answer_is_cut() {
        let out = filtered(r#"{"models":[{"name":"a"},{"name":"b"}],"data":[{"id":"b"},{"id":"a"}]}"#, &["a"]);
        assert_eq!(out, r#"{"models":[{"name":"a"}],"data":[{"id":"a"}]}"#);
    }

    #[test]
    fn lists_keep_what_may_be_used() {
        let list = r#"{"object":"list","data":[ {"id":"a"} , {"id":"b"}, {"id":"c"} ],"first_id":"a","last_id":"c"}"#;
        for allowed in [vec!["a", "b", "c"], vec!["a"], vec!["b"], vec!["c"], vec!["a", "c"], vec!["b", "c"], vec![]] {
            let out: serde_json::Value = serde_json::from_str(&filtered(list, &allowed)).unwrap();
            let ids: Vec<_> = out["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
            assert_eq!(ids, allowed);
            assert_eq!(out["first_id"].as_str(), allowed.first().copied());
            assert_eq!(out["last_id"].as_str(), allowed.last().copied());
        }
    }

    #[test]
    fn odd_items_are_not_shown() {
        assert_eq!(filtered(r#"{"data":["a",{"id":1},{"id":"a"},{}]}"#, &["a"]), r#"{"data":[{"id":"a"}]}"#);
        assert_eq!(filtered(r#"{"data":[]}"#, &[]), r#"{"data":[]}"#);
        assert_eq!(filtered(r#"[{"id":"a"},{"id":"b"}]"#, &["b"]), r#"[{"id":"b"}]"#);
        let quoted = r#"{"data":[{"id":"a"},{"id":"b\"}"}],"first_id":"a"}"#;
        assert_eq!(filtered(quoted, &["b\"}"]), r#"{"data":[{"id":"b\"}"}],"first_id":"b\"}"}"#);
    }

    #[test]
    fn a_list_of_another_shape_is_none() {
        for json in [r#"{"data":"a"}"#, r#"{"data":{"a":{"id":"a"}}}"#, "1"] {
            let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
            assert!(filter_models(document.root(), &mut |_| true).is_none(), "{json}");
        }
    }
}
