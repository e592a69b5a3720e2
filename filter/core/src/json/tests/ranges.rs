//! Decoded ranges back to raw bytes.

use super::super::{Document, Edits, Limits, Text};

fn parse(text: &str) -> Document<'_> {
    Document::parse(text.as_bytes(), &Limits::default()).unwrap()
}

/// The same character written in every way JSON allows.
const UNITS: &[(&str, char)] = &[
    ("a", 'a'),
    ("é", 'é'),
    ("€", '€'),
    ("😀", '😀'),
    ("\\n", '\n'),
    ("\\\"", '"'),
    ("\\\\", '\\'),
    ("\\/", '/'),
    ("\\u0061", 'a'),
    ("\\u00e9", 'é'),
    ("\\u20AC", '€'),
    ("\\uD83D\\uDE00", '😀'),
];

/// Checks every range of a string made of `units` against a list of where each unit is.
fn check_all_ranges(units: &[(&str, char)], before: &str) {
    let mut raw = format!("{before}[\"");
    let mut decoded = String::new();
    // Decoded and raw start of each unit.
    let mut starts = Vec::new();
    for (written, char) in units {
        starts.push((decoded.len(), raw.len()));
        raw.push_str(written);
        decoded.push(*char);
    }
    let end = (decoded.len(), raw.len());
    starts.push(end);
    raw.push_str("\"]");

    let document = parse(&raw);
    let text = document.root().items().next().unwrap().string().unwrap().decode();
    assert_eq!(text.as_str(), decoded);
    let down = |at: usize| starts.iter().rev().find(|(start, _)| *start <= at).unwrap().1;
    let up = |at: usize| starts.iter().find(|(start, _)| *start >= at).map_or(end.1, |start| start.1);
    for start in 0..=decoded.len() {
        for stop in start..=decoded.len() {
            assert_eq!(text.raw_range(start..stop), down(start)..up(stop), "{start}..{stop} of {raw}");
        }
    }
    assert_eq!(text.raw_range(0..usize::MAX), starts[0].1..end.1);
    assert_eq!(text.raw_range(usize::MAX..usize::MAX), end.1..end.1);
}

#[test]
fn every_escape_at_every_border() {
    for a in UNITS {
        for b in UNITS {
            for c in UNITS {
                check_all_ranges(&[*a, *b, *c], "");
                check_all_ranges(&[*a, *a, *b, *b, *c], " ");
            }
        }
    }
}

#[test]
fn an_inverted_range_is_empty() {
    let document = parse(r#""ab\ncd""#);
    let text = document.root().string().unwrap().decode();
    #[expect(clippy::reversed_empty_ranges)]
    let range = text.raw_range(4..1);
    assert_eq!(range, 6..6);
}

#[test]
fn plain_text_is_borrowed_and_runs_of_equal_escapes_are_one() {
    let plain = "x".repeat(1000);
    let raw = format!("\"{plain}\"");
    let document = parse(&raw);
    let token = document.root().string().unwrap();
    assert!(matches!(token.text(), std::borrow::Cow::Borrowed(_)));
    assert_eq!(token.decode().as_str().as_ptr(), raw[1..].as_ptr());

    // More than a run's counter holds.
    let count = 70_000;
    let raw = format!("\"{}\"", "\\n".repeat(count));
    let document = parse(&raw);
    let text = document.root().string().unwrap().decode();
    for at in [0, 1, 65_534, 65_535, 65_536, count - 1] {
        assert_eq!(text.raw_range(at..at + 1), 1 + 2 * at..3 + 2 * at);
    }
}

/// A JSON string literal with as many escapes as possible, of different kinds.
fn quoted(text: &str, style: usize) -> String {
    let mut quoted = String::from("\"");
    for (i, char) in text.chars().enumerate() {
        match char {
            '"' if (i + style).is_multiple_of(2) => quoted.push_str("\\\""),
            '\\' if (i + style).is_multiple_of(2) => quoted.push_str("\\\\"),
            'a'..='z' if !(i + style).is_multiple_of(3) => quoted.push(char),
            _ => char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| quoted.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    quoted.push('"');
    quoted
}

/// Replaces every character of a thrice nested string, and looks at the whole afterwards.
#[test]
fn replacements_through_nested_documents() {
    let replacement = "<\"\\\n\u{1}é😀>";
    let secret = "k€y\\\"\n😀é/z";
    for style in 0..6 {
        let innermost = format!("{{\"p\": {}}}", quoted(secret, style));
        let inner = format!("{{\"q\":[{}]}}", quoted(&innermost, style + 1));
        let outer = format!("{{\"r\":{}, \"s\":1}}", quoted(&inner, style + 2));

        let first = parse(&outer);
        let first_text = first.root().get("r").unwrap().string().unwrap().decode();
        assert_eq!(first_text.as_str(), inner);
        let second = parse(first_text.as_str());
        let token = second.root().get("q").unwrap().items().next().unwrap().string().unwrap();
        let second_text = first_text.nested(token);
        assert_eq!(second_text.as_str(), innermost);
        let third = parse(second_text.as_str());
        let text = second_text.nested(third.root().get("p").unwrap().string().unwrap());
        assert_eq!(text.as_str(), secret);
        assert_eq!([&first_text, &second_text, &text].map(Text::escape_levels), [1, 2, 3]);

        let borders: Vec<usize> = secret.char_indices().map(|(at, _)| at).chain([secret.len()]).collect();
        for (i, &start) in borders.iter().enumerate() {
            for &end in &borders[i..] {
                let mut edits = Edits::new();
                edits.replace(text.raw_range(start..end), text.escape(replacement)).unwrap();
                let spliced = edits.splice(outer.as_bytes());
                let expected = format!("{}{replacement}{}", &secret[..start], &secret[end..]);
                assert_eq!(innermost_of(&spliced), expected, "{start}..{end} style {style}");
            }
        }
    }
}

/// Reads the three levels with another parser.
fn innermost_of(bytes: &[u8]) -> String {
    let outer: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(outer["s"], 1);
    let inner: serde_json::Value = serde_json::from_str(outer["r"].as_str().unwrap()).unwrap();
    let innermost: serde_json::Value = serde_json::from_str(inner["q"][0].as_str().unwrap()).unwrap();
    innermost["p"].as_str().unwrap().to_owned()
}

#[test]
fn a_number_inside_a_string_is_found_in_the_raw_bytes() {
    let raw = r#"{"arguments":"{\"n\\u0022\":\u0034111,\"m\":2}"}"#;
    let document = parse(raw);
    let text = document.root().get("arguments").unwrap().string().unwrap().decode();
    let inner = parse(text.as_str());
    let number = inner.root().get("n\"").unwrap();
    assert_eq!(number.number(), Some("4111"));
    assert_eq!(&raw[text.raw_range(number.span())], r"\u0034111");
}

#[test]
fn escapes_read_back_at_every_depth() {
    let nasty = "\"\\\n\r\t\u{8}\u{C}\u{1F}\u{7F}/é😀\u{2028}";
    let mut raw = String::from("\"\"");
    for levels in 1..=12_u8 {
        // `raw` is the empty string inside `levels` strings; put the text into its middle.
        let documents = Nest::new(&raw, levels);
        let spliced = documents.insert(nasty);
        let mut text = spliced;
        for _ in 0..levels {
            text = serde_json::from_str(&text).unwrap();
        }
        assert_eq!(text, nasty, "{levels} levels");
        raw = serde_json::to_string(&raw).unwrap();
    }
}

/// Strings that are JSON strings that are JSON strings.
struct Nest<'a> {
    raw: &'a str,
    levels: u8,
}

impl<'a> Nest<'a> {
    fn new(raw: &'a str, levels: u8) -> Self {
        Self { raw, levels }
    }

    fn insert(&self, what: &str) -> String {
        fn descend(outer: &Text<'_>, left: u8, what: &str, edits: &mut Edits) {
            if left == 0 {
                assert_eq!(outer.as_str(), "");
                edits.replace(outer.raw_range(0..0), outer.escape(what)).unwrap();
            } else {
                let document = parse(outer.as_str());
                descend(&outer.nested(document.root().string().unwrap()), left - 1, what, edits);
            }
        }
        let mut edits = Edits::new();
        let document = parse(self.raw);
        let text = document.root().string().unwrap().decode();
        descend(&text, self.levels - 1, what, &mut edits);
        String::from_utf8(edits.splice(self.raw.as_bytes())).unwrap()
    }
}
