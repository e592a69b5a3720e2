use doorward_core::config::{Path, Problem, Tree};

use super::*;

fn source(name: &str, text: &str) -> Source {
    Source::parse(name, text.to_owned()).map_err(|(e, _)| e).unwrap()
}

fn at(marks: &Marks, path: Path, message: &str) -> (usize, usize, usize) {
    let mark = marks.find(&Problem::new(path, message));
    (mark.line, mark.column, mark.width)
}

const YAML: &str = "\
# A comment.
targets:
  - name: é
    cluster: [one, \"two\"]
    prïce: 12
roles: {staff: {groups: x}}
text: |-
  {\"a\": 1,
   \"b\": [2]}
";

#[test]
fn yaml_values_have_places() {
    let source = source("p.yaml", YAML);
    let marks = Marks::of(&source.documents[0]);
    let targets = Path::root().key("targets");
    assert_eq!(at(&marks, targets.clone(), "x"), (2, 1, 7));
    assert_eq!(at(&marks, targets.index(0).key("name"), "x"), (3, 11, 1));
    assert_eq!(at(&marks, targets.index(0).key("cluster").index(1), "x"), (4, 20, 5));
    assert_eq!(at(&marks, targets.index(0).key("prïce"), "unknown key `prïce`"), (5, 5, 5));
    assert_eq!(at(&marks, targets.index(0).key("prïce"), "no number"), (5, 12, 2));
    // What is missing is shown at what should hold it.
    assert_eq!(at(&marks, targets.index(0).key("provider"), "the key is missing"), (3, 5, 1));
    assert_eq!(at(&marks, Path::root().key("roles").key("staff").key("teams").index(3), "x"), (6, 9, 5));
    assert_eq!(at(&marks, Path::root().key("version"), "x").0, 2);
}

#[test]
fn a_block_keeps_its_lines() {
    let source = source("p.yaml", YAML);
    let node = source.documents[0].get("text").unwrap();
    let Value::Block { text, first } = &node.value else { panic!("{node:?}") };
    assert_eq!(*first, Mark { line: 8, column: 3, width: 1 });
    let blank = super::tests::source("p.yaml", "a:\n  b: |2\n\n\n     {}\n");
    let Some(Value::Block { first: blank_first, .. }) =
        blank.documents[0].get("a").and_then(|a| a.get("b")).map(|b| &b.value)
    else {
        panic!("{blank:?}")
    };
    assert_eq!((blank_first.line, blank_first.column), (3, 5));
    let inner = Marks::of(&read_json(text).unwrap()).shifted(*first);
    assert_eq!(at(&inner, Path::root().key("b").index(0), "x"), (9, 10, 1));
}

#[test]
fn json_and_yaml_are_one_tree() {
    let json = r#"{"a": [1, -2.5, "é\n", null, true], "b": {"c": "x"}}"#;
    let yaml = "a:\n- 1\n- -2.5\n- \"é\\n\"\n- ~\n- yes\nb:\n  c: x\n";
    assert_eq!(source("x.json", json).documents[0].tree(), source("x.yaml", yaml).documents[0].tree());
    let marks = Marks::of(&source("x", json).documents[0]);
    assert_eq!(at(&marks, Path::root().key("b").key("c"), "x"), (1, 48, 3));
    assert_eq!(at(&marks, Path::root().key("b").key("c"), "unknown key"), (1, 43, 3));
}

#[test]
fn quoted_and_block_text_is_text() {
    let tree = source("x.yaml", "a: '1'\nb: \"yes\"\nc: |\n  5\nd: ! 7\n!ignore e: 1\n").documents[0].tree();
    let text = |s: &str| Some(Tree::String(s.to_owned()));
    assert_eq!(tree.get("a").cloned(), text("1"));
    assert_eq!(tree.get("b").cloned(), text("yes"));
    assert_eq!(tree.get("c").cloned(), text("5\n"));
    assert_eq!(tree.get("d").cloned(), text("7"));
    assert_eq!(tree.get("e"), None);
}

#[test]
fn what_cannot_be_read_says_where() {
    let parse = |name: &str, text: &str| Source::parse(name, text.to_owned()).unwrap_err().0;
    let twice = parse("x.yaml", "a: 1\nb: 2\na: 3\n");
    assert_eq!((twice.mark.line, twice.message.as_str()), (3, "the key `a` is there twice"));
    assert_eq!(parse("x.yaml", "a: [1, 2\nb: 3\n").mark.line, 2);
    let json = parse("x.json", "{\n  \"a\": 1,\n}");
    assert_eq!((json.mark.line, json.mark.column), (3, 1));
    assert!(json.message.starts_with("not valid JSON: "), "{}", json.message);
    assert_eq!(parse("x.json", "").mark.line, 1);
    assert_eq!(parse("x.yaml", "? [a]\n: 1\n").message, "a key that is not text");
}

#[test]
fn hostile_yaml_ends() {
    let parse = |text: String| Source::parse("x.yaml", text).unwrap_err().0.message;
    assert!(parse("[".repeat(5000)).contains("limit"));
    assert!(parse("- ".repeat(200)).contains("deeper"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let aliases = vec![format!("*a{}", i - 1); 8].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
    }
    assert!(parse(bomb).contains("more than"));
    assert!(parse("a: &x [*x]\n".to_owned()).contains("alias"));
}

#[test]
fn several_documents_and_none() {
    assert_eq!(source("x.yaml", "a: 1\n---\nb: 2\n").documents.len(), 2);
    assert!(source("x.yaml", "# nothing\n").documents.is_empty());
}
