use super::*;

/// Written by Python's `struct` and `zlib.crc32`.
const DELTA: &[u8] = b"\x00\x00\x00~\x00\x00\x00W\xD6\xCFE\x90\x0B:event-type\x07\x00\x11contentBlockDelta\
    \x0D:content-type\x07\x00\x10application/json\x0D:message-type\x07\x00\x05event{\"delta\":{\"text\":\"hi\"}}\
    \x89\xB7\xA2M";

/// One header of each type, written likewise.
const TYPES: &[u8] = b"\x00\x00\x00c\x00\x00\x00SI\xD2\xD2\xBA\x01a\x00\x01b\x01\x01c\x02\x01\x01d\x03\x00\x01\x01\
    e\x04\x00\x00\x00\x01\x01f\x05\x00\x00\x00\x00\x00\x00\x00\x00\x01g\x06\x00\x06by\xFFtes\x01h\x07\x00\x04text\x01\
    i\x08\x00\x00\x00\x00\x00\x00\x00\x00\x01j\x09\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\
    \xD2\x89\xA1q";

/// AWS's own vector: no headers, no payload.
const EMPTY: &[u8] = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xC2H\xEB}\x98\xC8\xFF";

fn one(stream: &[u8]) -> Frame {
    let mut all = whole(Framing::EventStream, stream);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// A message with these headers and the payload `{}`, its checksums right.
fn with_headers(headers: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let headers: Vec<u8> = headers
        .iter()
        .flat_map(|(name, kind, value)| [&[name.len() as u8], name.as_bytes(), &[*kind], *value].concat())
        .collect();
    let mut out = (headers.len() as u32 + 18).to_be_bytes().to_vec();
    out.extend((headers.len() as u32).to_be_bytes());
    out.extend(super::super::crc32::crc32(&out).to_be_bytes());
    out.extend(headers);
    out.extend(b"{}");
    out.extend(super::super::crc32::crc32(&out).to_be_bytes());
    out
}

#[test]
fn known_messages() {
    let frame = one(DELTA);
    assert_eq!((frame.event(), frame.is_exception()), (Some("contentBlockDelta"), false));
    assert_eq!(payload(&frame).unwrap(), "{\"delta\":{\"text\":\"hi\"}}");
    assert_eq!(rest(&frame), [":event-type", ":content-type", "application/json", ":message-type", "event"]);
    assert_eq!(frame.with_payload(b"{\"delta\":{\"text\":\"hi\"}}"), DELTA);
    let frame = one(EMPTY);
    assert_eq!((frame.event(), payload(&frame).as_deref()), (None, Some("")));
    assert_eq!(frame.with_payload(b""), EMPTY);
    let frame = one(TYPES);
    assert_eq!(rest(&frame), ["a", "b", "c", "d", "e", "f", "g", "by\u{FFFD}tes", "h", "text", "i", "j"]);
    assert_eq!(frame.with_payload(b""), TYPES);
    let both = [DELTA, TYPES, EMPTY].concat();
    let all = whole(Framing::EventStream, &both);
    assert_eq!(all.iter().map(Frame::raw).collect::<Vec<_>>(), [DELTA, TYPES, EMPTY]);
}

#[test]
fn other_payloads() {
    let frame = one(DELTA);
    for bytes in [frame.with_payload(b"{\n}\0"), frame.another(b"{\n}\0")] {
        let again = one(&bytes);
        assert_eq!((again.event(), payload(&again).as_deref()), (Some("contentBlockDelta"), Some("{\n}\0")));
        assert_eq!(rest(&again), rest(&frame));
    }
}

#[test]
fn messages_from_nothing() {
    let made = |kind| one(&message(Framing::EventStream, kind, b"{}"));
    let frame = made(MessageKind::Event("messageStop"));
    assert_eq!((frame.event(), frame.is_exception()), (Some("messageStop"), false));
    let frame = made(MessageKind::Exception("validationException"));
    assert_eq!((frame.event(), frame.is_exception()), (Some("validationException"), true));
    assert_eq!(rest(&frame), [":exception-type", ":content-type", "application/json", ":message-type", "exception"]);
    assert_eq!(payload(&frame).unwrap(), "{}");
    assert_eq!(made(MessageKind::Plain).event(), None);
    assert_eq!(made(MessageKind::Event(&"é".repeat(40_000))).event().unwrap().len(), 65_534);
    // As the independent writer has it.
    let headers: [(&str, u8, &[u8]); 3] = [
        (":event-type", 7, b"\0\x0BmessageStop"),
        (":content-type", 7, b"\0\x10application/json"),
        (":message-type", 7, b"\0\x05event"),
    ];
    assert_eq!(message(Framing::EventStream, MessageKind::Event("messageStop"), b"{}"), with_headers(&headers));
}

#[test]
fn the_message_type_says_which_name_counts() {
    let names: [(&str, u8, &[u8]); 3] =
        [(":event-type", 7, b"\0\x01a"), (":exception-type", 7, b"\0\x01b"), (":error-code", 7, b"\0\x01c")];
    for (kind, name, exception) in [
        (&b"\0\x05event"[..], "a", false),
        (b"\0\x09exception", "b", true),
        (b"\0\x05error", "c", true),
        (b"\0\x05other", "a", false),
    ] {
        let frame = one(&with_headers(&[&names[..], &[(":message-type", 7, kind)]].concat()));
        assert_eq!((frame.event(), frame.is_exception()), (Some(name), exception));
        let others = ["a", "b", "c"].iter().filter(|other| **other != name).count();
        assert_eq!(rest(&frame).iter().filter(|text| text.len() == 1).count(), others);
    }
    // Another type than text is no name.
    assert_eq!(one(&with_headers(&[(":event-type", 6, b"\0\x01a")])).event(), None);
}

#[test]
fn refused() {
    let bad = |headers: &[(&str, u8, &[u8])]| failure(Framing::EventStream, with_headers(headers));
    assert_eq!(bad(&[("a", 7, b"\0\x01x"), ("a", 7, b"\0\x01y")]), Some(ErrorKind::Malformed));
    assert_eq!(bad(&[("a", 10, b"")]), Some(ErrorKind::Malformed));
    assert_eq!(bad(&[("", 7, b"\0\x01x")]), Some(ErrorKind::Malformed));
    assert_eq!(bad(&[("a", 7, b"\0\x02x")]), Some(ErrorKind::Malformed));
    assert_eq!(bad(&[("a", 7, b"\0\x01\xFF")]), Some(ErrorKind::Utf8));
    // The payload is not part of the headers.
    assert_eq!(bad(&[("a", 3, b"")]), Some(ErrorKind::Malformed));
}

#[test]
fn every_bit_counts() {
    for bit in 0..DELTA.len() * 8 {
        let mut bytes = DELTA.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(failure(Framing::EventStream, bytes), Some(ErrorKind::Checksum), "bit {bit}");
    }
    for length in 1..DELTA.len() {
        assert_eq!(failure(Framing::EventStream, &DELTA[..length]), Some(ErrorKind::Truncated), "{length} bytes");
    }
}

#[test]
fn lengths_are_checked_before_anything_is_kept() {
    let prelude = |total: u32, headers: u32| {
        let mut out = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        out.extend(super::super::crc32::crc32(&out).to_be_bytes());
        failure(Framing::EventStream, out)
    };
    assert_eq!(prelude(u32::MAX, 0), Some(ErrorKind::TooLarge));
    assert_eq!(prelude(MAX as u32 + 1, 0), Some(ErrorKind::TooLarge));
    assert_eq!(prelude(MAX as u32, 0), Some(ErrorKind::Truncated));
    for (total, headers) in [(0, 0), (15, 0), (16, 1), (20, 5), (20, u32::MAX), (u32::MAX, u32::MAX)] {
        assert_eq!(prelude(total, headers), Some(ErrorKind::Malformed), "{total} {headers}");
    }
}
