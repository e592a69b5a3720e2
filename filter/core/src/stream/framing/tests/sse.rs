use super::*;

fn frames(stream: &str) -> Vec<Frame> {
    whole(Framing::Sse, stream)
}

/// The only frame.
fn one(stream: &str) -> Frame {
    let mut all = frames(stream);
    assert_eq!(all.len(), 1, "{:?}", raw(&all));
    all.remove(0)
}

#[test]
fn openai_and_anthropic() {
    let all = frames("data: {\"a\":1}\n\ndata: {\"a\":2}\n\ndata: [DONE]\n\n");
    assert_eq!(raw(&all), ["data: {\"a\":1}\n\n", "data: {\"a\":2}\n\n", "data: [DONE]\n\n"]);
    assert_eq!(payloads(&all), ["{\"a\":1}", "{\"a\":2}", "[DONE]"]);
    let frame = one("event: ping\ndata: {\"type\":\"ping\"}\n\n");
    assert_eq!((frame.event(), payload(&frame).as_deref()), (Some("ping"), Some("{\"type\":\"ping\"}")));
    assert_eq!(rest(&frame), [""; 0]);
    assert!(!frame.is_exception());
}

#[test]
fn line_ends_in_any_mix() {
    for stream in ["data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\r\r"] {
        assert_eq!(payloads(&frames(stream)), ["a", "b"]);
        assert_eq!(frames(stream).len(), 2, "{stream:?}");
    }
    let mixed = "data: a\n\r\ndata: b\r\n\ndata: c\r\r\ndata: d\n\rdata: e\r\n\r";
    assert_eq!(payloads(&frames(mixed)), ["a", "b", "c", "d", "e"]);
    assert_eq!(payloads(&frames("data: a\rdata: b\r\ndata: c\ndata: d\r\r")), ["a\nb\nc\nd"]);
}

#[test]
fn a_carriage_return_waits_for_nobody() {
    let mut frames = Frames::new(Framing::Sse, MAX);
    frames.push(b"data: a\r\n\r");
    assert_eq!(frames.next_frame().unwrap().unwrap().raw(), b"data: a\r\n\r");
    frames.push(b"\n");
    let late = frames.next_frame().unwrap().unwrap();
    assert_eq!((late.raw(), late.payload()), (&b"\n"[..], None));
    frames.push(b"data: b\r");
    assert!(frames.next_frame().unwrap().is_none());
    frames.push(b"\ndata: c\n\n");
    assert_eq!(payload(&frames.next_frame().unwrap().unwrap()).unwrap(), "b\nc");
    assert_eq!(frames.buffered(), 0);
}

#[test]
fn fields() {
    for (stream, expected) in [
        ("data:a\n\n", Some("a")),
        ("data: a\n\n", Some("a")),
        ("data:  a\n\n", Some(" a")),
        ("data:\ta\n\n", Some("\ta")),
        ("data\n\n", Some("")),
        ("data:\n\n", Some("")),
        ("data\ndata\n\n", Some("\n")),
        ("data: a\ndata\ndata:b: c\n\n", Some("a\n\nb: c")),
        ("Data: a\n\n", None),
        (" data: a\n\n", None),
        ("data : a\n\n", None),
        ("database: a\n\n", None),
        (": a comment\n\n", None),
        ("retry: 1000\n\n", None),
        ("event: ping\n\n", None),
        ("\n", None),
    ] {
        assert_eq!(payload(&one(stream)).as_deref(), expected, "{stream:?}");
    }
}

#[test]
fn nothing_is_hidden() {
    let frame = one(": note\nid: 7\ndata: a\nData: b\nevent: x\nevent\nfoo\nretry: 1\n:\nevent: y\ndata: c\n\n");
    assert_eq!((frame.event(), payload(&frame).as_deref()), (Some("y"), Some("a\nc")));
    assert_eq!(rest(&frame), [": note", "id: 7", "Data: b", "event: x", "event", "foo", "retry: 1", ":"]);
    assert_eq!(one("event: x\nevent:\ndata: a\n\n").event(), None);
    assert_eq!(rest(&one("event: x\nevent:\ndata: a\n\n")), ["event: x"]);
    assert_eq!(rest(&one("\u{2028}data: a\n\n")), ["\u{2028}data: a"]);
}

#[test]
fn byte_order_mark() {
    let all = frames("\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n");
    assert_eq!(payloads(&all), ["a"]);
    assert_eq!(rest(&all[1]), ["\u{FEFF}data: b"]);
    assert_eq!(text(all[0].with_payload(b"x")), "\u{FEFF}data: x\n\n");
    assert_eq!(text(all[0].another(b"x")), "data: x\n\n");
    assert_eq!(raw(&frames("\u{FEFF}\ndata: a\n\n")), ["\u{FEFF}\n", "data: a\n\n"]);
    assert_eq!(rest(&one("\u{FEFF}\u{FEFF}data: a\n\n")), ["\u{FEFF}data: a"]);
    assert_eq!(one("\u{FEFF}").payload(), None);
}

#[test]
fn blank_lines_and_comments_between_events() {
    let all = frames("\n\n: ping\n\n\ndata: a\n\n\r\n");
    assert_eq!(raw(&all), ["\n", "\n", ": ping\n\n", "\n", "data: a\n\n", "\r\n"]);
    assert_eq!(payloads(&all), ["a"]);
}

#[test]
fn the_last_event_needs_no_blank_line() {
    for (stream, then) in [
        ("data: a", "\n\ndata: x\n\n"),
        ("data: a\n", "\ndata: x\n\n"),
        ("data: a\r\n", "\r\ndata: x\r\n\r\n"),
        ("data: a\r", "\rdata: x\r\r"),
        ("data: a\r\ndata: a", "\r\n\r\ndata: x\r\n\r\n"),
        (": c\ndata: a\r", "\n\ndata: x\n\n"),
    ] {
        let frame = one(stream);
        assert!(payload(&frame).unwrap().starts_with('a'));
        assert_eq!(text(frame.another(b"x")), then, "{stream:?}");
        let both = [frame.raw(), &frame.another(b"x")].concat();
        assert_eq!(payloads(&whole(Framing::Sse, both)).last().unwrap(), "x");
        assert_eq!(payloads(&frames(&text(frame.with_payload(b"y\nz")))), ["y\nz"], "{stream:?}");
    }
}

#[test]
fn other_payloads() {
    for (stream, new, expected) in [
        ("event: e\nid: 1\ndata: a\n: c\n\n", "b", "event: e\nid: 1\ndata: b\n: c\n\n"),
        ("data:a\r\n\r\n", "b\nc", "data:b\r\ndata:c\r\n\r\n"),
        ("data: a\n\n", "b\r\nc\rd\n", "data: b\ndata: c\ndata: d\ndata: \n\n"),
        ("data: a\n: c\ndata: b\n\n", "x", "data: x\n: c\n\n"),
        ("data: a\n: c\ndata:b\n\n", "x\ny\nz", "data: x\n: c\ndata:y\ndata:z\n\n"),
        ("data:a\n\n", " b", "data:  b\n\n"),
        ("data\n\n", "b", "data: b\n\n"),
        ("data\n\n", "", "data\n\n"),
        ("data: a\n\n", "", "data: \n\n"),
        // The blank line must not become the LF of the CR before it.
        ("data: a\rdata: b\n\n", "x", "data: x\r\n\n"),
        (": c\n\n", "x", ": c\n\n"),
    ] {
        let frame = one(stream);
        assert_eq!(text(frame.with_payload(new.as_bytes())), expected, "{stream:?}");
        let again = one(expected);
        assert_eq!(again.event(), frame.event());
        if frame.payload().is_some() {
            assert_eq!(payload(&again).unwrap(), new.replace("\r\n", "\n").replace('\r', "\n"));
        }
    }
}

#[test]
fn another_of_the_same_kind() {
    let frame = one("id: 4\r\nevent:delta\r\ndata: a\r\n: c\r\n\r\n");
    assert_eq!(text(frame.another(b"b\nc")), "event: delta\r\ndata: b\r\ndata: c\r\n\r\n");
    assert_eq!(text(one(": ping\n\n").another(b"b")), "data: b\n\n");
    let error = message(Framing::Sse, MessageKind::Event("error"), b"{}");
    assert_eq!(text(error), "event: error\ndata: {}\n\n");
    let error = message(Framing::Sse, MessageKind::Exception("a\ndata: b"), b"{}");
    assert_eq!(text(error), "event: a data: b\ndata: {}\n\n");
    assert_eq!(text(message(Framing::Sse, MessageKind::Plain, b"[DONE]")), "data: [DONE]\n\n");
}

#[test]
fn utf8() {
    let stream = "data: é€😀\n\n".as_bytes();
    for at in 0..stream.len() {
        let (frames, error) = decode(Framing::Sse, MAX, [&stream[..at], &stream[at..]]);
        assert_eq!((payloads(&frames).concat().as_str(), error), ("é€😀", None));
    }
    for bad in [&b"data: \xFF\n\n"[..], b"data: a\n\n: \xC3\n\n", b"\xEF\xBB", b"data: \xED\xA0\x80\n\n"] {
        assert_eq!(failure(Framing::Sse, bad), Some(ErrorKind::Utf8));
    }
    let (frames, error) = decode(Framing::Sse, MAX, [&b"data: a\n\n: \xC3\n\ndata: b\n\n"[..]]);
    assert_eq!(
        (payloads(&frames), error),
        (vec!["a".to_owned()], Some(FrameError { kind: ErrorKind::Utf8, offset: 9 }))
    );
}

#[test]
fn a_writer_closes_an_event_before_another_follows() {
    let mut writer = Writer::new(Framing::Sse);
    let mut out = Vec::new();
    writer.keep(&one("data: a\n"), &mut out);
    assert!(writer.message(MessageKind::Event("error"), b"{}", &mut out));
    assert!(writer.message(MessageKind::Plain, b"[DONE]", &mut out));
    writer.finish(&mut out);
    writer.keep(&one("data: b\n"), &mut out);
    assert!(!writer.message(MessageKind::Plain, b"c", &mut out));
    assert_eq!(text(out), "data: a\n\nevent: error\ndata: {}\n\ndata: [DONE]\n\n");
}

#[test]
fn a_writer_lets_no_frame_become_another() {
    let all = frames(": dropped\n\n\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n");
    let (mut writer, mut out) = (Writer::new(Framing::Sse), Vec::new());
    all.iter().skip(1).for_each(|frame| writer.keep(frame, &mut out));
    assert!(payloads(&frames(&text(out))).is_empty());
}
