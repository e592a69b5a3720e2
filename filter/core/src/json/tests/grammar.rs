//! What is read and what is refused, case by case.

use super::super::{Document, ErrorKind, JsonError, Limits};
use super::{refusal, refusal_kind};

#[test]
fn reads_what_rfc_8259_allows() {
    let cases: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0",
        "1e5",
        "1E+5",
        "1e-5",
        "0e0",
        "0.5e-0",
        "123456789012345678901234567890",
        "1e999999999",
        "-1.5",
        "\"\"",
        " \"a\" ",
        "\t\r\n [ \t\r\n ] \t\r\n ",
        "[]",
        "[[]]",
        "[1,2]",
        "[ 1 , 2 ]",
        "{}",
        "{ }",
        r#"{"":0}"#,
        r#"{"a":{"a":{"a":[]}}}"#,
        r#"{"a" : 1 , "b" : [ { } ] }"#,
        r#""\" \\ \/ \b \f \n \r \t""#,
        r#""\u0001\u001F\u007f\u0080\uFFFF\uFFFE""#,
        r#""\uD83D\uDE00 \ud83d\ude00""#,
        r#""\uDBFF\uDFFF""#,
        r#""/""#,
        "\"\u{7F}\u{80}\u{2028}\u{2029}\u{FEFF}\u{FFFF}\u{10FFFF}\"",
        // White space that is only a character inside a string.
        "\"\u{A0}\u{3000}\"",
        // Alike, but not the same key.
        r#"{"a":1,"a ":2,"á":3,"aa":4}"#,
        r#"[{"a":1},{"a":2}]"#,
        r#"{"a":{"a":1},"b":{"a":1}}"#,
        r#"{"ß":1,"ss":2}"#,
    ];
    for case in cases {
        assert_eq!(refusal(case), None, "{case:?}");
    }
}

#[test]
fn refuses_with_kind_and_place() {
    use ErrorKind::*;
    let cases: &[(&[u8], ErrorKind, usize)] = &[
        (b"", Empty, 0),
        (b" \r\n\t ", Empty, 5),
        // Encodings.
        (b"\xEF\xBB\xBF{}", ByteOrderMark, 0),
        (b"\xEF\xBB\xBF", ByteOrderMark, 0),
        (b"{}\xEF\xBB\xBF", Trailing, 2),
        (b"[\xEF\xBB\xBF]", Syntax, 1),
        (b"\xFE\xFF\0{\0}", Utf8, 0),
        (b"\xFF\xFE{\0}\0", Utf8, 0),
        (b"{\0}\0", Nul, 1),
        (b"\"\x80\"", Utf8, 1),
        (b"\"\xC0\x80\"", Utf8, 1),
        (b"\"\xC0\xAF\"", Utf8, 1),
        (b"\"\xE0\x80\xAF\"", Utf8, 1),
        (b"\"\xED\xA0\x80\"", Utf8, 1),
        (b"\"\xED\xA0\xBD\xED\xB8\x80\"", Utf8, 1),
        (b"\"\xF4\x90\x80\x80\"", Utf8, 1),
        (b"\"\xF8\x88\x80\x80\x80\"", Utf8, 1),
        (b"\"\xE2\x82\"", Utf8, 1),
        (b"\"ok\xF0\x9F\x98", Utf8, 3),
        // Literals.
        (b"nul", Syntax, 0),
        (b"True", Syntax, 0),
        (b"NULL", Syntax, 0),
        (b"nullx", Trailing, 4),
        (b"[truefalse]", Syntax, 5),
        (b"tr\nue", Syntax, 0),
        (b"NaN", Syntax, 0),
        (b"[NaN]", Syntax, 1),
        (b"Infinity", Syntax, 0),
        (b"-Infinity", Number, 1),
        (b"-NaN", Number, 1),
        (b"undefined", Syntax, 0),
        // Numbers.
        (b"-", Number, 1),
        (b"+1", Number, 0),
        (b".5", Number, 0),
        (b"-.5", Number, 1),
        (b"1.", Number, 2),
        (b"1.e5", Number, 2),
        (b"1e", Number, 2),
        (b"1e+", Number, 3),
        (b"1e1.5", Number, 3),
        (b"01", Number, 1),
        (b"-01", Number, 2),
        (b"00", Number, 1),
        (b"0x10", Number, 1),
        (b"1_000", Number, 1),
        (b"1.2.3", Number, 3),
        (b"1-2", Number, 1),
        (b"--1", Number, 1),
        (b"[1f]", Number, 2),
        (b"1\0", Nul, 1),
        ("１".as_bytes(), Syntax, 0),
        ("1٢".as_bytes(), Trailing, 1),
        // Strings.
        (b"\"", Syntax, 1),
        (b"\"abc", Syntax, 4),
        (b"\"abc\\", Syntax, 5),
        (b"\"abc\\\"", Syntax, 6),
        (b"'a'", Syntax, 0),
        (b"{a:1}", Syntax, 1),
        (b"\"\\a\"", Syntax, 2),
        (b"\"\\x41\"", Syntax, 2),
        (b"\"\\'\"", Syntax, 2),
        (b"\"\\\n\"", Syntax, 2),
        (b"\"\\U0041\"", Syntax, 2),
        (b"\"\\u\"", Syntax, 3),
        (b"\"\\u00\"", Syntax, 5),
        (b"\"\\u00g0\"", Syntax, 5),
        (b"\"\\u+041\"", Syntax, 3),
        (b"\"\\u{41}\"", Syntax, 3),
        (b"\"\\u004", Syntax, 6),
        (b"\"a\tb\"", ControlCharacter, 2),
        (b"\"a\nb\"", ControlCharacter, 2),
        (b"\"a\x1Fb\"", ControlCharacter, 2),
        (b"[\x0C1]", ControlCharacter, 1),
        (b"[1\x0B]", ControlCharacter, 2),
        (b"\"a\0b\"", Nul, 2),
        (b"\"a\\u0000b\"", Nul, 2),
        (b"{\"a\\u0000\":1}", Nul, 3),
        (b"[\0]", Nul, 1),
        (b"[]\0", Nul, 2),
        (b"\0", Nul, 0),
        (b"\"\\ud800\"", LoneSurrogate, 1),
        (b"\"\\ud800", LoneSurrogate, 1),
        (b"\"\\uDC00\"", LoneSurrogate, 1),
        (b"\"\\uDE00\\uD83D\"", LoneSurrogate, 1),
        (b"\"\\ud800\\ud800\"", LoneSurrogate, 1),
        (b"\"\\ud800\\n\"", LoneSurrogate, 1),
        (b"\"\\ud800\\u0041\"", LoneSurrogate, 1),
        (b"\"\\ud800 \\udc00\"", LoneSurrogate, 1),
        (b"\"\\ud800\\u00\"", Syntax, 11),
        (b"{\"\\udfff\":1}", LoneSurrogate, 2),
        // Structure.
        (b"[", Syntax, 1),
        (b"]", Syntax, 0),
        (b"{", Syntax, 1),
        (b"}", Syntax, 0),
        (b"[1", Syntax, 2),
        (b"[1,", Syntax, 3),
        (b"[1,]", Syntax, 3),
        (b"[,1]", Syntax, 1),
        (b"[1,,2]", Syntax, 3),
        (b"[1 2]", Syntax, 3),
        (b"[1:2]", Syntax, 2),
        (b"[1}", Syntax, 2),
        (b"[{]}", Syntax, 2),
        (b"{\"a\"}", Syntax, 4),
        (b"{\"a\":}", Syntax, 5),
        (b"{\"a\":1,}", Syntax, 7),
        (b"{,\"a\":1}", Syntax, 1),
        (b"{\"a\":1]", Syntax, 6),
        (b"{\"a\":1 \"b\":2}", Syntax, 7),
        (b"{\"a\",1}", Syntax, 4),
        (b"{\"a\"::1}", Syntax, 5),
        (b"{1:1}", Syntax, 1),
        (b"{null:1}", Syntax, 1),
        (b"{[]:1}", Syntax, 1),
        (b"{\"a\":[1}", Syntax, 7),
        (b"{\"a\":1", Syntax, 6),
        (b"{\"a\":", Syntax, 5),
        (b"{\"a\"", Syntax, 4),
        (b"[\"a\":1]", Syntax, 4),
        // Comments.
        (b"// c\n1", Syntax, 0),
        (b"/**/1", Syntax, 0),
        (b"[1/**/]", Syntax, 2),
        (b"[1 # c\n]", Syntax, 3),
        (b"1 // c", Trailing, 2),
        // What follows the value.
        (b"{}{}", Trailing, 2),
        (b"1 2", Trailing, 2),
        (b"null null", Trailing, 5),
        (b"\"a\"\"b\"", Trailing, 3),
        (b"[]]", Trailing, 2),
        (b"{}}", Trailing, 2),
        (b"{},", Trailing, 2),
        (b")]}'\n{}", Syntax, 0),
        ("{}\u{A0}".as_bytes(), Trailing, 2),
        ("[\u{A0}]".as_bytes(), Syntax, 1),
        ("[\u{2028}]".as_bytes(), Syntax, 1),
        // Keys twice.
        (br#"{"a":1,"a":1}"#, DuplicateKey, 7),
        (br#"{"a":1,"b":2,"A":3}"#, DuplicateKey, 13),
        (br#"{"model":1,"MODEL":2}"#, DuplicateKey, 11),
        (br#"{"model":1,"mod\u0065l":2}"#, DuplicateKey, 11),
        (br#"{"mod\u0045L":1,"model":2}"#, DuplicateKey, 16),
        ("{\"k\":1,\"\u{212A}\":2}".as_bytes(), DuplicateKey, 7),
        (br#"{"k":1,"\u212a":2}"#, DuplicateKey, 7),
        ("{\"messages\":1,\"me\u{17F}sages\":2}".as_bytes(), DuplicateKey, 14),
        (br#"{"messages":1,"me\u017fsages":2}"#, DuplicateKey, 14),
        ("{\"É\":1,\"é\":2}".as_bytes(), DuplicateKey, 8),
        (br#"{"":1,"":2}"#, DuplicateKey, 6),
        (br#"{"a":{"b":1,"b":2},"a":3}"#, DuplicateKey, 12),
        (br#"[{"x":[{"b":1,"c":2,"b":3}]}]"#, DuplicateKey, 20),
        // The first repetition in the text, not in any other order.
        (br#"{"z":1,"b":1,"z":2,"b":2,"a":1,"a":2}"#, DuplicateKey, 13),
        (br#"{"z\n":1,"b":1,"z\n":2,"b":2,"a":1,"a":2}"#, DuplicateKey, 15),
    ];
    for &(case, kind, offset) in cases {
        assert_eq!(refusal(case), Some(JsonError { kind, offset }), "{}", case.escape_ascii());
    }
}

#[test]
fn every_cut_of_a_text_is_refused() {
    let text = r#"{"a":[1.5e+3,true,null,"x\n\ud83d\ude00é"],"b":{"c":-0}}"#.as_bytes();
    assert_eq!(refusal(text), None);
    for length in 0..text.len() {
        assert!(refusal(&text[..length]).is_some(), "cut at {length}");
    }
}

#[test]
fn control_characters_are_white_space_or_nothing() {
    for byte in 0..0x20_u8 {
        let allowed = matches!(byte, b'\t' | b'\n' | b'\r');
        let between = refusal_kind([b"[1," as &[u8], &[byte], b"2]"].concat());
        let within = refusal_kind([b"[\"" as &[u8], &[byte], b"\"]"].concat());
        let kind = if byte == 0 { ErrorKind::Nul } else { ErrorKind::ControlCharacter };
        assert_eq!(between, (!allowed).then_some(kind), "{byte:#x}");
        assert_eq!(within, Some(kind), "{byte:#x}");
    }
}

#[test]
fn limits_hold_to_the_one() {
    let parse = |text: &str, max_depth, max_nodes| {
        Document::parse(text.as_bytes(), &Limits { max_depth, max_nodes }).err().map(|error| error.kind)
    };
    assert_eq!(parse("1", 0, 1), None);
    assert_eq!(parse("[]", 0, 9), Some(ErrorKind::Depth));
    assert_eq!(parse("[]", 1, 1), None);
    assert_eq!(parse("[{}]", 1, 9), Some(ErrorKind::Depth));
    assert_eq!(parse("[{},{},[]]", 2, 4), None);
    assert_eq!(parse("[{},{},[]]", 2, 3), Some(ErrorKind::Nodes));
    assert_eq!(parse(r#"{"a":1}"#, 1, 3), None);
    assert_eq!(parse(r#"{"a":1}"#, 1, 2), Some(ErrorKind::Nodes));
    assert_eq!(parse("1", 1, 0), Some(ErrorKind::Nodes));

    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(refusal_kind(nested(64)), None);
    assert_eq!(refusal(nested(65)), Some(JsonError { kind: ErrorKind::Depth, offset: 64 }));
    let many = |nodes: usize| format!("[{}0]", "0,".repeat(nodes - 2));
    assert_eq!(refusal_kind(many(262_144)), None);
    assert_eq!(refusal_kind(many(262_145)), Some(ErrorKind::Nodes));
}

#[test]
fn errors_name_kind_and_place_and_nothing_of_the_text() {
    let error = refusal(r#"{"secret":1,"SECRET":2}"#).unwrap();
    assert_eq!(error.to_string(), "unreadable json: duplicate_key at byte 12");
}
