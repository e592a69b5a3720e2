//! Generated texts, compared with serde_json and with what they were generated from.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::super::{Document, Edits, ErrorKind, Kind, Limits, Node};

/// A value and how each character of its strings is to be written.
#[derive(Clone, Debug)]
enum Tree {
    Plain(&'static str),
    String(Vec<(char, u8)>),
    Array(Vec<Tree>),
    Object(Vec<(Vec<(char, u8)>, Tree)>),
}

fn string() -> impl Strategy<Value = Vec<(char, u8)>> {
    let char = prop_oneof![
        4 => proptest::char::range(' ', '~'),
        1 => proptest::char::range('\u{1}', '\u{1F}'),
        2 => any::<char>().prop_filter("NUL", |&char| char != '\0'),
        1 => prop::sample::select(vec!['"', '\\', '/', '😀', 'é', '€', '\u{10FFFF}', '\u{FEFF}']),
    ];
    vec((char, any::<u8>()), 0..24)
}

fn tree() -> impl Strategy<Value = Tree> {
    let plain = prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.5",
        "-12e3",
        "0.1E-7",
        "18446744073709551616",
        "4111111111111111",
    ]);
    let leaf = prop_oneof![plain.prop_map(Tree::Plain), string().prop_map(Tree::String)];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Tree::Array),
            vec((string(), inner), 0..8).prop_map(Tree::Object),
        ]
    })
}

/// A string as it was written: decoded, and where each character's bytes are.
struct Written {
    decoded: String,
    chars: Vec<Range<usize>>,
}

#[derive(Default)]
struct Writer {
    raw: String,
    strings: Vec<Written>,
    spaces: u8,
}

impl Writer {
    fn space(&mut self) {
        self.spaces = self.spaces.wrapping_mul(13).wrapping_add(7);
        self.raw.push_str(["", "", " ", "\n\t", "", "\r\n  "][usize::from(self.spaces) % 6]);
    }

    fn string(&mut self, chars: &[(char, u8)]) {
        let mut written = Written { decoded: String::new(), chars: Vec::new() };
        self.raw.push('"');
        for &(char, style) in chars {
            let start = self.raw.len();
            let short = "\u{8}\u{C}\n\r\t\"\\/".chars().zip("bfnrt\"\\/".chars()).find(|(plain, _)| *plain == char);
            match (style % 4, short) {
                (1, _) => {
                    char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| self.raw.push_str(&format!("\\u{unit:04x}")))
                }
                (2, _) => {
                    char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| self.raw.push_str(&format!("\\u{unit:04X}")))
                }
                (_, Some((_, letter))) => self.raw.extend(['\\', letter]),
                (_, None) if char < ' ' => self.raw.push_str(&format!("\\u{:04x}", u32::from(char))),
                _ => self.raw.push(char),
            }
            written.chars.push(start..self.raw.len());
            written.decoded.push(char);
        }
        self.raw.push('"');
        self.strings.push(written);
    }

    fn tree(&mut self, tree: &Tree) {
        self.space();
        match tree {
            Tree::Plain(lexeme) => self.raw.push_str(lexeme),
            Tree::String(chars) => self.string(chars),
            Tree::Array(items) => {
                self.raw.push('[');
                for (i, item) in items.iter().enumerate() {
                    self.raw.push_str(if i == 0 { "" } else { "," });
                    self.tree(item);
                }
                self.space();
                self.raw.push(']');
            }
            Tree::Object(members) => {
                self.raw.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    self.raw.push_str(if i == 0 { "" } else { "," });
                    self.space();
                    // A number at the end makes keys differ.
                    let end = format!("#{i}");
                    let key: Vec<_> = key.iter().copied().chain(end.chars().map(|char| (char, 0))).collect();
                    self.string(&key);
                    self.space();
                    self.raw.push(':');
                    self.tree(value);
                }
                self.space();
                self.raw.push('}');
            }
        }
        self.space();
    }
}

fn written(tree: &Tree) -> Writer {
    let mut writer = Writer::default();
    writer.tree(tree);
    writer
}

/// Every string, keys included, in document order.
fn strings<'d>(node: Node<'d>, found: &mut Vec<super::super::StringToken<'d>>) {
    found.extend(node.string());
    node.items().for_each(|item| strings(item, found));
    node.entries().for_each(|(key, value)| {
        found.push(key);
        strings(value, found);
    });
}

fn assert_same(node: Node<'_>, value: &Value) {
    match value {
        Value::Null => assert!(node.is_null()),
        Value::Bool(bool) => assert_eq!(node.bool(), Some(*bool)),
        Value::Number(number) => {
            let lexeme: f64 = node.number().unwrap().parse().unwrap();
            let difference = (lexeme - number.as_f64().unwrap()).abs();
            assert!(difference <= lexeme.abs() * 1e-15);
        }
        Value::String(string) => assert_eq!(node.text().unwrap(), string.as_str()),
        Value::Array(items) => {
            assert_eq!((node.kind(), node.items().count()), (Kind::Array, items.len()));
            node.items().zip(items).for_each(|(node, value)| assert_same(node, value));
        }
        Value::Object(members) => {
            assert_eq!((node.kind(), node.entries().count()), (Kind::Object, members.len()));
            for (key, value) in members {
                assert_same(node.get(key).unwrap(), value);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_what_serde_json_reads(tree in tree()) {
        let raw = written(&tree).raw;
        let document = Document::parse(raw.as_bytes(), &Limits::default()).unwrap();
        assert_same(document.root(), &serde_json::from_str(&raw).unwrap());
    }

    #[test]
    fn strings_map_back_to_where_they_were_written(tree in tree()) {
        let writer = written(&tree);
        let document = Document::parse(writer.raw.as_bytes(), &Limits::default()).unwrap();
        let mut tokens = Vec::new();
        strings(document.root(), &mut tokens);
        prop_assert_eq!(tokens.len(), writer.strings.len());
        for (token, written) in tokens.iter().zip(&writer.strings) {
            let text = token.decode();
            prop_assert_eq!(text.as_str(), &written.decoded);
            for ((at, char), raw) in written.decoded.char_indices().zip(&written.chars) {
                prop_assert_eq!(&text.raw_range(at..at + char.len_utf8()), raw);
            }
        }
    }

    #[test]
    fn edits_change_what_they_should_and_nothing_else(
        tree in tree(),
        picks in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..12),
        replacement in "[\\PC\"\\\\\n]{0,8}",
    ) {
        let writer = written(&tree);
        let document = Document::parse(writer.raw.as_bytes(), &Limits::default()).unwrap();
        let mut tokens = Vec::new();
        strings(document.root(), &mut tokens);
        prop_assume!(!tokens.is_empty());

        // One replacement in each picked string, over whole characters.
        let mut edits = Edits::new();
        let mut expected: Vec<String> = writer.strings.iter().map(|written| written.decoded.clone()).collect();
        let mut picked = std::collections::HashSet::new();
        for (which, a, b) in picks {
            let which = which.index(tokens.len());
            if !picked.insert(which) {
                continue;
            }
            let text = tokens[which].decode();
            let borders: Vec<_> = text.as_str().char_indices().map(|(at, _)| at).chain([text.as_str().len()]).collect();
            let (a, b) = (borders[a.index(borders.len())], borders[b.index(borders.len())]);
            let range = a.min(b)..a.max(b);
            edits.replace(text.raw_range(range.clone()), text.escape(&replacement)).unwrap();
            expected[which].replace_range(range, &replacement);
        }

        let spliced = edits.splice(writer.raw.as_bytes());
        let again = match Document::parse(&spliced, &Limits::default()) {
            Ok(again) => again,
            // The replacement made two keys equal, or brought a NUL.
            Err(error) => {
                prop_assert!(matches!(error.kind, ErrorKind::DuplicateKey | ErrorKind::Nul));
                return Ok(());
            }
        };
        let mut tokens = Vec::new();
        strings(again.root(), &mut tokens);
        let decoded: Vec<_> = tokens.iter().map(|token| token.text().into_owned()).collect();
        prop_assert_eq!(decoded, expected);
        prop_assert_eq!(outside(&spliced, &edits, true), outside(writer.raw.as_bytes(), &edits, false));
    }

    /// Small damage to a good text: either both parsers refuse it, or there is a rule that says why only we do.
    #[test]
    fn accepts_no_more_than_serde_json(tree in tree(), damage in vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4)) {
        let mut bytes = written(&tree).raw.into_bytes();
        for (place, byte, how) in damage {
            let place = place.index(bytes.len().max(1));
            match how {
                _ if place >= bytes.len() => bytes.push(byte),
                0 => bytes[place] = byte,
                1 => bytes.insert(place, b"{}[]\",:\\ue1"[usize::from(byte) % 11]),
                _ => drop(bytes.remove(place)),
            }
        }
        agree(&bytes)?;
    }

    #[test]
    fn never_panics_and_agrees_on_noise(bytes in vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\",:\\u0aDdeE+-.1 \ntruefalsn".to_vec())], 0..64)) {
        agree(&bytes)?;
    }
}

fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_slice::<Value>(bytes);
    match (Document::parse(bytes, &Limits::default()), theirs) {
        (Ok(document), Ok(value)) => assert_same(document.root(), &value),
        (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{error}"),
        (Err(error), Ok(_)) => prop_assert!(
            matches!(error.kind, ErrorKind::DuplicateKey | ErrorKind::Nul | ErrorKind::Depth | ErrorKind::Nodes),
            "{error}"
        ),
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

/// The bytes that no edit touches, before or after splicing.
fn outside(bytes: &[u8], edits: &Edits, spliced: bool) -> Vec<u8> {
    let mut left = Vec::new();
    let (mut at, mut grown) = (0, 0_isize);
    for (range, with) in edits.iter() {
        let start = range.start.checked_add_signed(if spliced { grown } else { 0 }).unwrap();
        left.extend_from_slice(&bytes[at..start]);
        at = start + if spliced { with.len() } else { range.len() };
        grown += with.len() as isize - range.len() as isize;
    }
    left.extend_from_slice(&bytes[at..]);
    left
}
