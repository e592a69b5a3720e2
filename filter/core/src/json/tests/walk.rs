//! The way through a document.

use super::super::{Document, Kind, Limits};

const TEXT: &str = r#" {"a": [1, {"b":"x"}, [], "y\n"], "\u0062": true, "c":{} , "d":null,"é":-1.50e2} "#;

fn document() -> Document<'static> {
    Document::parse(TEXT.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn members_and_items_come_in_order() {
    let document = document();
    let root = document.root();
    let keys: Vec<_> = root.entries().map(|(key, _)| key.text().into_owned()).collect();
    assert_eq!(keys, ["a", "b", "c", "d", "é"]);
    let kinds: Vec<_> = root.entries().map(|(_, value)| value.kind()).collect();
    assert_eq!(kinds, [Kind::Array, Kind::Bool, Kind::Object, Kind::Null, Kind::Number]);

    let items: Vec<_> = root.get("a").unwrap().items().collect();
    let raw: Vec<_> = items.iter().map(|item| &TEXT[item.span()]).collect();
    assert_eq!(raw, ["1", r#"{"b":"x"}"#, "[]", r#""y\n""#]);
    assert_eq!(items[1].get("b").unwrap().text().unwrap(), "x");
    assert_eq!(items[3].text().unwrap(), "y\n");
    assert_eq!(&TEXT[items[3].string().unwrap().inner_span()], r"y\n");
    assert_eq!(&TEXT[root.span()], TEXT.trim());
    assert_eq!(document.bytes(), TEXT.as_bytes());
}

#[test]
fn scalars_answer_only_as_what_they_are() {
    let document = document();
    let root = document.root();
    let get = |key: &str| root.get(key).unwrap();
    assert_eq!(get("é").number(), Some("-1.50e2"));
    assert_eq!(get("b").bool(), Some(true));
    assert!(get("d").is_null());
    assert!(!get("b").is_null());
    for key in ["a", "b", "c", "d"] {
        assert_eq!(get(key).number(), None);
        assert_eq!(get(key).text(), None);
    }
    assert_eq!(get("d").bool(), None);
    assert_eq!(get("b").entries().count() + get("b").items().count(), 0);
    // An object has no items, an array no members.
    assert_eq!(root.items().count() + get("a").entries().count() + get("c").entries().count(), 0);
    assert!(get("a").get("b").is_none());
}

#[test]
fn a_member_is_found_by_its_decoded_key() {
    let document = document();
    let root = document.root();
    assert_eq!(root.get("b").unwrap().bool(), Some(true));
    assert!(root.get("\\u0062").is_none());
    assert!(root.get("B").is_none());
    assert!(root.get("").is_none());
    assert_eq!(root.get_folded("B").unwrap().bool(), Some(true));
    assert_eq!(root.get_folded("É").unwrap().number(), Some("-1.50e2"));
    assert!(root.get_folded("e").is_none());

    let document =
        Document::parse(br#"{"a\u0062\n":1,"\ud83d\ude00":2,"\\":3,"a\u0062c":4}"#, &Limits::default()).unwrap();
    let found = |key: &str| document.root().get(key).and_then(|value| value.number());
    assert_eq!(["ab\n", "😀", "\\", "abc"].map(found), [Some("1"), Some("2"), Some("3"), Some("4")]);
    assert_eq!(["ab", "a", "", "ab\n\n", "abcd", "😀😀", "b"].map(found), [None; 7]);
    assert_eq!(document.root().get_folded("ABC").unwrap().number(), Some("4"));

    let text = "{\"\u{212A}EY\":1,\"\\u017FIZE\":2}";
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    assert!(document.root().get("key").is_none());
    assert_eq!(document.root().get_folded("key").unwrap().number(), Some("1"));
    assert_eq!(document.root().get_folded("Size").unwrap().number(), Some("2"));
}

#[test]
fn every_value_has_an_id_of_its_own() {
    let document = document();
    let mut open = vec![document.root()];
    let mut ids = Vec::new();
    while let Some(node) = open.pop() {
        ids.push(node.id());
        open.extend(node.items().chain(node.entries().map(|(_, value)| value)));
    }
    assert_eq!(ids.len(), 11);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 11);
}

#[test]
fn debug_output_shows_nothing_of_the_text() {
    let document = Document::parse(br#"{"hush":"hush\n"}"#, &Limits::default()).unwrap();
    let root = document.root();
    let token = root.get("hush").unwrap().string().unwrap();
    let shown = format!("{document:?} {root:?} {token:?} {:?}", token.decode());
    assert!(!shown.contains("hush"), "{shown}");
}
