//! Items cut out of a list, or members out of an object.

use std::ops::Range;

use super::{Kind, Node};

/// The ranges to remove so that of a container's `items`, in order, those remain that are kept. A comma goes with the item behind
/// it, and what stands before the first item that is kept with those before it.
pub fn cut(container: &Range<usize>, items: &[(Range<usize>, bool)]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let (mut from, mut kept) = (container.start.saturating_add(1), false);
    for (span, keep) in items {
        match (*keep, kept) {
            (true, false) => {
                out.push(from..span.start);
                kept = true;
            }
            (true, true) => {}
            (false, true) => out.push(from..span.end),
            (false, false) => out.extend([from..span.start, span.clone()]),
        }
        from = span.end;
    }
    // The first kept one stands where the first one stood.
    let some = items.iter().any(|(_, keep)| !keep);
    out.retain(|range| some && !range.is_empty());
    out
}

/// Where each item of a list stands, and each member of an object with its key.
pub fn items<'d>(node: Node<'d>) -> Vec<(Range<usize>, Node<'d>)> {
    match node.kind() {
        Kind::Array => node.items().map(|item| (item.span(), item)).collect(),
        Kind::Object => {
            // The key's quotes are no part of its inner span.
            let member = |(key, value): (super::StringToken<'d>, Node<'d>)| {
                (key.inner_span().start.saturating_sub(1)..value.span().end, value)
            };
            node.entries().map(member).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Document, Edits, Limits};

    fn kept(json: &str, keep: &[bool]) -> String {
        let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
        let root = document.root();
        let items: Vec<_> = items(root).into_iter().zip(keep).map(|((span, _), keep)| (span, *keep)).collect();
        let mut edits = Edits::new();
        cut(&root.span(), &items).into_iter().for_each(|range| edits.replace(range, "").unwrap());
        String::from_utf8(edits.splice(json.as_bytes())).unwrap()
    }

    #[test]
    fn what_is_left_is_json() {
        for json in [r#"[ 1 , "two", {"3":3} ,4 ]"#, r#"{ "a" : 1 ,"b":"two", "c": {"3":3} ,"d":4 }"#] {
            let whole: serde_json::Value = serde_json::from_str(json).unwrap();
            for mask in 0..16u32 {
                let keep: Vec<bool> = (0..4).map(|i| mask >> i & 1 == 1).collect();
                let left: serde_json::Value = serde_json::from_str(&kept(json, &keep)).unwrap();
                let expected: serde_json::Value = match &whole {
                    serde_json::Value::Array(all) => {
                        all.iter().zip(&keep).filter(|(_, k)| **k).map(|(v, _)| v.clone()).collect()
                    }
                    other => {
                        let all = other.as_object().unwrap().iter().zip(&keep).filter(|(_, k)| **k);
                        serde_json::Value::Object(all.map(|((k, v), _)| (k.clone(), v.clone())).collect())
                    }
                };
                assert_eq!(left, expected, "{keep:?}");
            }
            assert_eq!(kept(json, &[true; 4]), json);
        }
    }
}
