//! What must hold of the JSON reader for any bytes.

use doorward_core::json::decimal::{Decimal, integer_digits};
use doorward_core::json::{Document, Edits, ErrorKind, Kind, Limits, Node, Text, fold};
use serde_json::Value;

/// Panics when something does not hold.
pub fn json(data: &[u8]) {
    let theirs = serde_json::from_slice::<Value>(data);
    let document = match Document::parse(data, &Limits::default()) {
        Ok(document) => document,
        Err(error) => {
            assert!(error.offset <= data.len());
            // Only a rule beyond RFC 8259 refuses what another parser reads.
            let stricter =
                [ErrorKind::DuplicateKey, ErrorKind::Nul, ErrorKind::Depth, ErrorKind::Nodes].contains(&error.kind);
            assert!(stricter || theirs.is_err(), "{error}");
            return;
        }
    };
    match theirs {
        Ok(value) => same(document.root(), &value),
        Err(error) => assert!(error.to_string().contains("number out of range"), "{error}"),
    }

    let root = document.root();
    assert!(data[..root.span().start].iter().chain(&data[root.span().end..]).all(u8::is_ascii_whitespace));
    let mut found = Found::default();
    walk(root, &mut found);
    assert!(found.ids.windows(2).all(|pair| pair[0] < pair[1]), "ids in document order");
    let mut choice = Choice::new(data);
    edit(data, &found, &mut choice);
    nested(data, &found, &mut choice);
}

/// The same tree as another parser read.
fn same(node: Node<'_>, value: &Value) {
    match value {
        Value::Null => assert!(node.is_null()),
        Value::Bool(bool) => assert_eq!(node.bool(), Some(*bool)),
        Value::Number(_) => assert_eq!(node.kind(), Kind::Number),
        Value::String(string) => assert_eq!(node.text().unwrap(), string.as_str()),
        Value::Array(items) => {
            assert_eq!((node.kind(), node.items().count()), (Kind::Array, items.len()));
            node.items().zip(items).for_each(|(node, value)| same(node, value));
        }
        Value::Object(members) => {
            assert_eq!((node.kind(), node.entries().count()), (Kind::Object, members.len()));
            for (key, value) in node.entries() {
                same(value, &members[&*key.text()]);
            }
        }
    }
}

#[derive(Default)]
struct Found<'d> {
    ids: Vec<usize>,
    /// Every string and key with its decoded text, in document order.
    strings: Vec<(Text<'d>, doorward_core::json::StringToken<'d>)>,
}

fn walk<'d>(node: Node<'d>, found: &mut Found<'d>) {
    found.ids.push(node.id());
    let outer = node.span();
    let mut last = outer.start;
    let mut inside = |span: std::ops::Range<usize>| {
        assert!(last < span.start && span.start < span.end && span.end < outer.end);
        last = span.end - 1;
    };
    if let Some(token) = node.string() {
        assert_eq!(token.inner_span(), outer.start + 1..outer.end - 1);
        found.strings.push((token.decode(), token));
    }
    if let Some(lexeme) = node.number() {
        number(lexeme);
    }
    for item in node.items() {
        inside(item.span());
        walk(item, found);
    }
    for (at, (key, value)) in node.entries().enumerate() {
        inside(key.inner_span().start - 1..key.inner_span().end + 1);
        inside(value.span());
        if at < 8 {
            assert_eq!(node.get(&key.text()).unwrap().id(), value.id());
            assert_eq!(node.get_folded(&fold(&key.text())).unwrap().id(), value.id());
        }
        found.strings.push((key.decode(), key));
        walk(value, found);
    }
}

fn number(lexeme: &str) {
    let Some(decimal) = Decimal::parse(lexeme) else {
        let exponent = lexeme.split(['e', 'E']).nth(1).unwrap();
        assert!(exponent.len() > 17);
        return;
    };
    if let Some(digits) = integer_digits(lexeme, 300) {
        assert!(decimal.is_integer());
        let sign = if lexeme.starts_with('-') { "-" } else { "" };
        assert_eq!(Decimal::parse(&format!("{sign}{digits}")), Some(decimal.clone()));
    }
    // Rounding to floating point keeps the order.
    let float: f64 = lexeme.parse().unwrap();
    let (below, above) = (float.next_down(), float.next_up());
    assert!(Decimal::try_from(below).is_ok_and(|below| below <= decimal) || below.is_infinite());
    assert!(Decimal::try_from(above).is_ok_and(|above| decimal <= above) || above.is_infinite());
}

/// Every character comes from bytes that decode to it alone, and together they are the whole string.
fn maps_back(data: &[u8], text: &Text<'_>, raw: std::ops::Range<usize>) {
    let mut at = raw.start;
    for (i, char) in text.as_str().char_indices().take(2_000) {
        let range = text.raw_range(i..i + char.len_utf8());
        assert_eq!(range.start, at);
        at = range.end;
        let alone = [b"\"", &data[range.clone()], b"\""].concat();
        assert_eq!(serde_json::from_slice::<String>(&alone).unwrap(), char.to_string());
        // Any part of a character means all of it.
        assert_eq!(text.raw_range(i..i + 1), range);
        assert_eq!(text.raw_range(i + char.len_utf8() - 1..i + char.len_utf8()), range);
    }
    assert_eq!(text.raw_range(0..text.as_str().len()), raw);
}

/// Replaces parts of some strings and reads the result.
fn edit(data: &[u8], found: &Found<'_>, choice: &mut Choice) {
    let mut edits = Edits::new();
    let mut expected = Vec::new();
    for (text, token) in &found.strings {
        let mut now = text.as_str().to_owned();
        if choice.below(3) == 0 {
            maps_back(data, text, token.inner_span());
            let (range, with) = choice.replacement(&now);
            edits.replace(text.raw_range(range.clone()), text.escape(with)).unwrap();
            assert!(edits.replace(text.raw_range(range.clone()), "").is_err());
            now.replace_range(range, with);
        }
        expected.push(now);
    }
    let spliced = edits.splice(data);
    if edits.is_empty() {
        assert_eq!(spliced, data);
    }
    match Document::parse(&spliced, &Limits::default()) {
        Ok(again) => {
            let mut found = Found::default();
            walk(again.root(), &mut found);
            assert!(found.strings.iter().map(|(text, _)| text.as_str()).eq(expected.iter().map(String::as_str)));
        }
        Err(error) => assert_eq!(error.kind, ErrorKind::DuplicateKey),
    }
}

/// Strings that are JSON texts themselves: an edit in the inner one arrives there through the raw bytes.
fn nested(data: &[u8], found: &Found<'_>, choice: &mut Choice) {
    for (place, (text, _)) in found.strings.iter().enumerate().take(50) {
        let Ok(inner) = Document::parse(text.as_str().as_bytes(), &Limits::default()) else { continue };
        let mut inside = Found::default();
        walk(inner.root(), &mut inside);
        for (inner_place, (_, token)) in inside.strings.iter().enumerate().take(20) {
            let deep = text.nested(*token);
            assert_eq!(deep.escape_levels(), 2);
            let (range, with) = choice.replacement(deep.as_str());
            let mut expected = deep.as_str().to_owned();
            expected.replace_range(range.clone(), with);
            let mut edits = Edits::new();
            edits.replace(deep.raw_range(range), deep.escape(with)).unwrap();
            let spliced = edits.splice(data);
            let Ok(outer) = Document::parse(&spliced, &Limits::default()) else { continue };
            let mut again = Found::default();
            walk(outer.root(), &mut again);
            let Ok(inner) = Document::parse(again.strings[place].0.as_str().as_bytes(), &Limits::default()) else {
                continue;
            };
            let mut again = Found::default();
            walk(inner.root(), &mut again);
            assert_eq!(again.strings[inner_place].0.as_str(), expected);
        }
    }
}

/// Choices that depend on the input only, so that a failure can be replayed.
struct Choice(u64);

impl Choice {
    fn new(data: &[u8]) -> Self {
        Self(
            data.iter()
                .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)),
        )
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }

    fn replacement(&mut self, text: &str) -> (std::ops::Range<usize>, &'static str) {
        let (a, b) = (self.below(text.len() + 1), self.below(text.len() + 1));
        let range = text.floor_char_boundary(a.min(b))..text.ceil_char_boundary(a.max(b));
        (range, ["", "[EMAIL]", "\"", "\\", "a\nb", "é€😀", "\u{1}\u{7F}"][self.below(7)])
    }
}
