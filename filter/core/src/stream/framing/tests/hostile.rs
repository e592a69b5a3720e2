//! Streams made to cost much.

use std::time::{Duration, Instant};

use super::*;

const ALL: [Framing; 4] = [Framing::Sse, Framing::Lines, Framing::JsonArray, Framing::EventStream];

/// Quadratic work on these takes minutes in a test build, linear work milliseconds.
fn within_time(what: &str, run: impl FnOnce()) {
    let start = Instant::now();
    run();
    assert!(start.elapsed() < Duration::from_secs(5), "{what}: {:?}", start.elapsed());
}

/// One message of about `length` bytes, and then a small one.
fn big(framing: Framing, length: usize) -> Vec<u8> {
    let payload = format!("\"{}\"", "x".repeat(length));
    let (mut writer, mut out) = (Writer::new(framing), Vec::new());
    writer.message(MessageKind::Plain, payload.as_bytes(), &mut out);
    writer.message(MessageKind::Plain, b"{}", &mut out);
    writer.finish(&mut out);
    out
}

#[test]
fn a_megabyte_one_byte_at_a_time() {
    for framing in ALL {
        let stream = big(framing, MAX - 200);
        within_time("one message", || {
            let (frames, error) = decode(framing, MAX, stream.chunks(1));
            assert_eq!((payloads(&frames)[1].as_str(), error), ("{}", None));
        });
        let mut stream = Vec::new();
        let mut writer = Writer::new(framing);
        (0..50_000).for_each(|_| assert!(writer.message(MessageKind::Plain, b"{\"a\":1}", &mut stream)));
        writer.finish(&mut stream);
        for size in [1, 3, 1_000, stream.len()] {
            within_time("many messages", || {
                let (frames, error) = decode(framing, MAX, stream.chunks(size));
                assert_eq!((payloads(&frames).len(), error), (50_000, None));
            });
        }
    }
}

#[test]
fn a_byte_pushed_for_each_frame_taken() {
    let stream = b"data: a\n\n".repeat(100_000);
    within_time("interleaved", || {
        let mut frames = Frames::new(Framing::Sse, MAX);
        frames.push(&stream);
        while frames.next_frame().unwrap().is_some() {
            frames.push(b":");
        }
    });
}

#[test]
fn a_message_without_end() {
    let noise = "x".repeat(1_000);
    for (framing, start) in
        [(Framing::Sse, "data: "), (Framing::Sse, ":\n:\r:\r\n"), (Framing::Lines, ""), (Framing::JsonArray, "[\"")]
    {
        let mut frames = Frames::new(framing, 10_000);
        frames.push(start.as_bytes());
        let mut most = 0;
        let error = loop {
            frames.push(noise.as_bytes());
            most = most.max(frames.buffered());
            match frames.next_frame() {
                Ok(Some(frame)) => assert_eq!(frame.raw(), b"["),
                Ok(None) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind, ErrorKind::TooLarge);
        assert!(most <= 11_000, "{most}");
        frames.push(b"\n\n");
        assert_eq!((frames.buffered(), frames.next_frame().unwrap_err()), (0, error));
    }
    let spaces = " ".repeat(MAX + 1);
    for framing in [Framing::Lines, Framing::JsonArray, Framing::Sse] {
        assert_eq!(failure(framing, &spaces), Some(ErrorKind::TooLarge));
    }
}

#[test]
fn deep_nesting_is_refused_at_once() {
    for unit in ["[", "{\"a\":", "[{\"a\":"] {
        within_time(unit, || {
            let kind = failure(Framing::JsonArray, "[".to_owned() + &unit.repeat(100_000));
            assert_eq!(kind, Some(ErrorKind::Depth));
        });
    }
}

#[test]
fn the_longest_frame_is_the_same_however_it_comes() {
    for framing in ALL {
        let stream = big(framing, 50);
        let longest = whole(framing, &stream).iter().map(|frame| frame.raw().len()).max().unwrap();
        for max in [longest - 1, longest] {
            for size in [1, 7, stream.len()] {
                let (_, error) = decode(framing, max, stream.chunks(size));
                let expected = (max < longest).then_some(ErrorKind::TooLarge);
                assert_eq!(error.map(|error| error.kind), expected, "{framing:?} {max} {size}");
            }
        }
    }
    // The LF that has no room any more is late, as if it had come later.
    let (frames, error) = decode(Framing::Sse, 10, [&b"data: a\r\n\r\n"[..]]);
    assert_eq!((raw(&frames), error), (vec!["data: a\r\n\r".to_owned(), "\n".to_owned()], None));
}

#[test]
fn many_headers() {
    let headers: Vec<u8> = (0..60_000).flat_map(|at| [&[5], format!("{at:05}").as_bytes(), &[0]].concat()).collect();
    let mut stream = (headers.len() as u32 + 16).to_be_bytes().to_vec();
    stream.extend((headers.len() as u32).to_be_bytes());
    stream.extend(super::super::crc32::crc32(&stream).to_be_bytes());
    stream.extend(&headers);
    stream.extend(super::super::crc32::crc32(&stream).to_be_bytes());
    within_time("headers", || assert_eq!(whole(Framing::EventStream, &stream)[0].rest().count(), 60_000));
}
