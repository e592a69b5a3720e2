use super::*;

fn frames(stream: &str) -> Vec<Frame> {
    whole(Framing::Lines, stream)
}

#[test]
fn lines() {
    let all = frames("{\"a\":1}\n{\"a\":2}\r\n\n \t\r\n{\"a\":3}");
    assert_eq!(raw(&all), ["{\"a\":1}\n", "{\"a\":2}\r\n", "\n", " \t\r\n", "{\"a\":3}"]);
    assert_eq!(payloads(&all), ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]);
    assert!(all.iter().all(|frame| frame.event().is_none() && frame.rest().next().is_none()));
    assert!(frames("").is_empty());
    // Two values for whoever ends lines at a CR: the reader of the payload refuses them.
    assert_eq!(payloads(&frames("1\r2\n")), ["1\r2"]);
}

#[test]
fn other_payloads() {
    let all = frames("{\"a\":1}\r\n\n{\"a\":3}");
    let with: Vec<_> = all.iter().map(|frame| text(frame.with_payload(b"{\n\"b\":\r\n2}"))).collect();
    assert_eq!(with, ["{ \"b\":  2}\r\n", "\n", "{ \"b\":  2}"]);
    let another: Vec<_> = all.iter().map(|frame| text(frame.another(b"{}"))).collect();
    assert_eq!(another, ["{}\r\n", "{}\n", "\n{}\n"]);
    assert_eq!(text(message(Framing::Lines, MessageKind::Event("e"), b"{\n}")), "{ }\n");
    let (mut writer, mut out) = (Writer::new(Framing::Lines), Vec::new());
    all.iter().for_each(|frame| writer.keep(frame, &mut out));
    writer.message(MessageKind::Plain, b"{}", &mut out);
    writer.another(&all[0], b"[]", &mut out);
    assert_eq!(text(out), "{\"a\":1}\r\n\n{\"a\":3}\n{}\n[]\r\n");
}
