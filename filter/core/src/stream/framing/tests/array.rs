use super::*;
use crate::json;

fn frames(stream: &str) -> Vec<Frame> {
    whole(Framing::JsonArray, stream)
}

/// The stream with each frame treated as `how` says: `k`eep, `d`rop, `r`eplace, `a`nother after it, `m`essage
/// after it, `f`inish after it.
fn written(stream: &str, how: &str) -> String {
    let (mut writer, mut out) = (Writer::new(Framing::JsonArray), Vec::new());
    for (frame, how) in frames(stream).iter().zip(how.chars()) {
        match how {
            'd' => {}
            'r' => writer.replace(frame, b"0", &mut out),
            _ => writer.keep(frame, &mut out),
        }
        match how {
            'a' => drop(writer.another(frame, b"7", &mut out)),
            'm' => drop(writer.message(MessageKind::Event("e"), b"8", &mut out)),
            'f' => writer.finish(&mut out),
            _ => {}
        }
    }
    text(out)
}

#[test]
fn elements() {
    let all = frames(" [{\"a\":\"]}\\\"\"}\n,\r\n{\"a\":[1,{}]}\n, 12, -1.5e3,true , \"x,\", [] ] \n");
    assert_eq!(
        raw(&all),
        [
            " [",
            "{\"a\":\"]}\\\"\"}",
            "\n,\r\n{\"a\":[1,{}]}",
            "\n, 12",
            ", -1.5e3",
            ",true",
            " , \"x,\"",
            ", []",
            " ]",
            " ",
            "\n",
        ]
    );
    assert_eq!(payloads(&all), ["{\"a\":\"]}\\\"\"}", "{\"a\":[1,{}]}", "12", "-1.5e3", "true", "\"x,\"", "[]"]);
    assert_eq!(raw(&frames("[]")), ["[", "]"]);
    assert_eq!(raw(&frames(" ")), [" "]);
    assert!(frames("").is_empty());
}

#[test]
fn an_element_comes_as_soon_as_it_ends() {
    let mut frames = Frames::new(Framing::JsonArray, MAX);
    for (piece, expected) in [
        ("[", Some("[")),
        ("{\"a\":", None),
        ("1}", Some("{\"a\":1}")),
        (",\"", None),
        ("b\"", Some(",\"b\"")),
        (",1", None),
        ("]", Some(",1")),
    ] {
        frames.push(piece.as_bytes());
        let frame = frames.next_frame().unwrap();
        assert_eq!(frame.map(|frame| text(frame.raw().to_vec())).as_deref(), expected, "{piece}");
    }
    assert_eq!(frames.next_frame().unwrap().unwrap().raw(), b"]");
}

#[test]
fn one_object_instead() {
    let all = frames("\n{\"error\":{\"code\":429}}\n");
    assert_eq!(raw(&all), ["\n{\"error\":{\"code\":429}}", "\n"]);
    assert_eq!(payloads(&all), ["{\"error\":{\"code\":429}}"]);
    assert_eq!(text(all[0].with_payload(b"{}")), "\n{}");
    assert!(all[0].another(b"{}").is_empty());
    assert_eq!(written("{\"a\":1}\n", "mk"), "{\"a\":1}\n");
    assert_eq!(written("{\"a\":1}\n", "rk"), "0\n");
    assert_eq!(written("{\"a\":1}\n", "df"), "\n[]");
}

#[test]
fn refused() {
    use ErrorKind::{Depth, Malformed, Trailing, Truncated};
    for (stream, kind) in [
        ("[1,]", Malformed),
        ("[,1]", Malformed),
        ("[1 2]", Malformed),
        ("[{}{}]", Malformed),
        ("[{]", Malformed),
        ("[[}", Malformed),
        ("[1:2]", Malformed),
        ("[\"a\nb\"]", Malformed),
        ("[\"a\0\"]", Malformed),
        ("1", Malformed),
        ("\"a\"", Malformed),
        ("\u{FEFF}[]", Malformed),
        ("[/**/1]", Malformed),
        ("[]]", Trailing),
        ("[][]", Trailing),
        ("{}{}", Trailing),
        ("{},", Trailing),
        ("[1", Truncated),
        ("[", Truncated),
        ("[{}", Truncated),
        ("[{},", Truncated),
        ("{\"a\":1", Truncated),
        ("[\"a", Truncated),
    ] {
        assert_eq!(failure(Framing::JsonArray, stream), Some(kind), "{stream}");
    }
    let depth = json::Limits::default().max_depth;
    let nested = |depth: usize| format!("[{}{}]", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(failure(Framing::JsonArray, nested(depth)), None);
    assert_eq!(failure(Framing::JsonArray, nested(depth + 1)), Some(Depth));
}

#[test]
fn single_frames() {
    let all = frames("[1 , 2]");
    let with: Vec<_> = all.iter().map(|frame| text(frame.with_payload(b"{}"))).collect();
    assert_eq!(with, ["[", "{}", " , {}", "]"]);
    let another: Vec<_> = all.iter().map(|frame| text(frame.another(b"{}"))).collect();
    assert_eq!(another, ["{}", ",{}", ",{}", ""]);
    assert_eq!(text(message(Framing::JsonArray, MessageKind::Plain, b"{}")), "{}");
}

#[test]
fn a_writer_keeps_the_commas_right() {
    for (how, expected) in [
        ("kkkkk", "[1 , 2,3]"),
        ("kdkkk", "[  2,3]"),
        ("kddkk", "[3]"),
        ("kdddk", "[]"),
        ("kkddk", "[1]"),
        ("krrrk", "[0 , 0,0]"),
        ("akkkk", "[7,1 , 2,3]"),
        ("mdkkk", "[8 , 2,3]"),
        ("kakmk", "[1,7 , 2,3,8]"),
        ("kkfkk", "[1 , 2]"),
        ("kffkk", "[1]"),
        ("dkkkk", "[1 , 2,3]"),
        ("ddddd", ""),
        ("ddddk", "[]"),
        ("kkkkm", "[1 , 2,3]"),
        ("fkkkk", "[]"),
    ] {
        assert_eq!(written("[1 , 2,3]", how), expected, "{how}");
    }
    let (mut writer, mut out) = (Writer::new(Framing::JsonArray), Vec::new());
    assert!(writer.message(MessageKind::Plain, b"{}", &mut out));
    assert!(writer.message(MessageKind::Plain, b"1", &mut out));
    writer.finish(&mut out);
    writer.finish(&mut out);
    assert_eq!(text(out), "[{},1]");
}
