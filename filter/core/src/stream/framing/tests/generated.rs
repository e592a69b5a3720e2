//! Generated streams, cut at random.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use super::*;

fn noise(alphabet: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![20 => select(alphabet).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 1..3)], 0..40)
        .prop_map(|tokens| tokens.concat())
}

fn sse() -> impl Strategy<Value = Vec<u8>> {
    noise(&[
        b"\n",
        b"\n",
        b"\r",
        b"\r\n",
        b"\r\n",
        b"data",
        b"data:",
        b"data: ",
        b"event: ",
        b"event",
        b"id: 1",
        b":",
        b" ",
        b"a",
        b"\xC3\xA9\xF0\x9F\x98\x80",
        b"\xEF\xBB\xBF",
        b"Data: ",
    ])
}

fn ndjson() -> impl Strategy<Value = Vec<u8>> {
    noise(&[b"\n", b"\r\n", b"\r", b" ", b"{\"a\":1}", b"[]", b"\t"])
}

fn good_array() -> impl Strategy<Value = Vec<u8>> {
    let piece = select(&["1", "-2.5e3", "true", "\"a,]\\\"\"", "{\"a\":[1,\"}\"]}", "[]", "{}", "null"][..]);
    let space = select(&["", "", " ", "\r\n", "\t"][..]);
    vec((piece, space.clone(), space), 0..12).prop_map(|pieces| {
        let elements: Vec<_> = pieces.iter().map(|(piece, before, after)| format!("{before}{piece}{after}")).collect();
        format!("[{}]\n", elements.join(",")).into_bytes()
    })
}

fn json_array() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => good_array(),
        1 => noise(&[b"[", b"]", b"{", b"}", b",", b"\"", b"\\", b" ", b"1", b"[1", b"\"a\"", b":", b"\n"]),
    ]
}

fn event_stream() -> impl Strategy<Value = Vec<u8>> {
    let one = (any::<bool>(), "[a-z]{0,12}", vec(any::<u8>(), 0..40)).prop_map(|(exception, name, payload)| {
        let kind = if exception { MessageKind::Exception(&name) } else { MessageKind::Event(&name) };
        message(Framing::EventStream, kind, &payload)
    });
    let damage = proptest::option::weighted(0.3, (any::<Index>(), any::<u8>()));
    (vec(one, 0..6), damage).prop_map(|(messages, damage)| {
        let mut stream = messages.concat();
        if let Some((at, byte)) = damage.filter(|_| !stream.is_empty()) {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        stream
    })
}

fn stream() -> impl Strategy<Value = (Framing, Vec<u8>)> {
    prop_oneof![
        sse().prop_map(|stream| (Framing::Sse, stream)),
        ndjson().prop_map(|stream| (Framing::Lines, stream)),
        json_array().prop_map(|stream| (Framing::JsonArray, stream)),
        event_stream().prop_map(|stream| (Framing::EventStream, stream)),
    ]
}

fn cut<'a>(stream: &'a [u8], places: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = places.iter().map(|place| place.index(stream.len() + 1)).collect();
    places.sort_unstable();
    let ends = places.iter().copied().chain([stream.len()]);
    ends.scan(0, |from, to| Some(&stream[std::mem::replace(from, to)..to])).collect()
}

type Seen = (Vec<u8>, Option<String>, bool, Option<Vec<u8>>, Vec<String>);

/// Everything that frames show. A late LF is put where it belongs.
fn seen(frames: &[Frame]) -> Vec<Seen> {
    let mut all: Vec<Seen> = Vec::new();
    for frame in frames {
        if let Some(before) = all.last_mut()
            && frame.framing() == Framing::Sse
            && frame.raw() == b"\n"
            && before.0.ends_with(b"\r")
        {
            before.0.push(b'\n');
            continue;
        }
        let payload = frame.payload().map(|payload| payload.into_owned());
        all.push((frame.raw().to_vec(), frame.event().map(str::to_owned), frame.is_exception(), payload, rest(frame)));
    }
    all
}

/// Strings that a payload of each framing can hold unchanged.
fn new_payload() -> impl Strategy<Value = String> {
    vec(select(&["{\"a\":1}", " ", "é", "\n", ":", "data: x", "\u{2028}"][..]), 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_same_however_it_is_cut((framing, stream) in stream(), places in vec(any::<Index>(), 0..8), max in prop_oneof![Just(MAX), 1..60_usize]) {
        let (frames, error) = decode(framing, max, [&stream[..]]);
        let cuts = [cut(&stream, &places), stream.chunks(1).collect()];
        for pieces in cuts {
            let (again, again_error) = decode(framing, max, pieces);
            prop_assert_eq!(seen(&again), seen(&frames));
            // Late LFs make the place of the error differ by nothing: they are frames too.
            prop_assert_eq!(again_error, error);
        }
        let together: Vec<u8> = frames.iter().flat_map(|frame| frame.raw().to_vec()).collect();
        match error {
            None => prop_assert_eq!(together, stream),
            Some(error) => {
                prop_assert_eq!(together.len() as u64, error.offset);
                prop_assert!(stream.starts_with(&together));
            }
        }
    }

    #[test]
    fn other_payloads_arrive((framing, stream) in stream(), new in new_payload()) {
        let (frames, _) = decode(framing, MAX, [&stream[..]]);
        for (at, frame) in frames.iter().enumerate() {
            let bytes = frame.with_payload(new.as_bytes());
            let further = frame.another(new.as_bytes());
            if frame.payload().is_none() {
                prop_assert_eq!(bytes, frame.raw());
                continue;
            }
            if framing == Framing::JsonArray {
                prop_assert!(bytes.ends_with(new.as_bytes()));
                // After an object alone nothing can follow.
                prop_assert!(further.is_empty() || further.ends_with(new.as_bytes()));
                continue;
            }
            // A mark is one at the start of a stream only.
            let lead: &[u8] = if framing == Framing::Sse && at > 0 { b"\n" } else { b"" };
            let again = whole(framing, [lead, &bytes].concat());
            let again = again.iter().filter(|again| again.raw() != b"\n").collect::<Vec<_>>();
            let new = if framing == Framing::Lines { new.replace('\n', " ") } else { new.clone() };
            let expected = (framing != Framing::Lines || !new.trim_ascii().is_empty()).then(|| new.clone());
            if expected.is_none() {
                continue;
            }
            prop_assert_eq!(again.len(), 1);
            prop_assert_eq!((again[0].event(), again[0].is_exception()), (frame.event(), frame.is_exception()));
            prop_assert_eq!(payload(again[0]), expected.clone());
            prop_assert_eq!(rest(again[0]), rest(frame));
            let both = whole(framing, [lead, frame.raw(), &further].concat());
            let last = both.last().unwrap();
            prop_assert_eq!(last.event(), frame.event());
            prop_assert_eq!(payload(last), expected);
        }
    }

    #[test]
    fn what_a_writer_leaves_of_an_array_is_one(stream in good_array(), how in vec(0..6_u8, 0..20), early in any::<bool>()) {
        let frames = whole(Framing::JsonArray, &stream);
        let (mut writer, mut out) = (Writer::new(Framing::JsonArray), Vec::new());
        let mut expected = Vec::new();
        for (at, frame) in frames.iter().enumerate() {
            let how = how.get(at).copied().unwrap_or_default();
            let last = early && at + 2 == frames.len();
            let payload = frame.payload().map(|payload| serde_json::from_slice(&payload).unwrap());
            match (how, payload) {
                (0 | 1, _) if last => {}
                (2, Some(_)) => {}
                (3, Some(_)) => {
                    writer.replace(frame, b"0", &mut out);
                    expected.push(Value::from(0));
                }
                (_, payload) => {
                    writer.keep(frame, &mut out);
                    expected.extend(payload);
                }
            }
            if how == 4 && writer.another(frame, b"7", &mut out) || how == 5 && writer.message(MessageKind::Plain, b"7", &mut out) {
                expected.push(Value::from(7));
            }
        }
        writer.finish(&mut out);
        let array: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(array, Value::from(expected));
    }
}
