//! What must hold of the cutting of streams into frames, for any bytes and any cuts.

use doorward_core::stream::framing::{Frame, FrameError, Frames, Framing, MessageKind, Writer, message};

/// Panics when something does not hold. The first byte chooses the framing, the second how the stream is cut,
/// the third how long a frame may be; the rest is the stream.
pub fn framing(data: &[u8]) {
    let Some((&[framing, cuts, max], stream)) = data.split_first_chunk() else { return };
    let framing = [Framing::Sse, Framing::Lines, Framing::JsonArray, Framing::EventStream][usize::from(framing % 4)];
    let max = if max >= 0x80 { 100_000 } else { usize::from(max) };

    let (frames, error) = decode(framing, max, stream.len().max(1), stream);
    let (again, again_error) = decode(framing, max, usize::from(cuts % 16) + 1, stream);
    assert_eq!(error, again_error);
    assert_eq!(seen(&frames), seen(&again), "the same however it is cut");
    let together: Vec<u8> = frames.iter().flat_map(|frame| frame.raw()).copied().collect();
    match error {
        None => assert_eq!(together, stream),
        Some(error) => {
            assert_eq!(together.len() as u64, error.offset);
            assert!(stream.starts_with(&together));
        }
    }
    for (at, frame) in frames.iter().enumerate() {
        assert!(!frame.raw().is_empty() && frame.raw().len() <= max);
        other_payload(frame, at == 0);
    }
    if framing == Framing::JsonArray && error.is_none() {
        array(stream, &frames, cuts);
    }
}

fn decode(framing: Framing, max: usize, size: usize, stream: &[u8]) -> (Vec<Frame>, Option<FrameError>) {
    let mut frames = Frames::new(framing, max);
    let mut out = Vec::new();
    for piece in stream.chunks(size).map(Some).chain([None]) {
        match piece {
            Some(piece) => frames.push(piece),
            None => frames.end(),
        }
        loop {
            match frames.next_frame() {
                Ok(Some(frame)) => out.push(frame),
                Ok(None) => break,
                Err(error) => return (out, Some(error)),
            }
        }
        assert!(frames.buffered() <= max);
    }
    assert_eq!(frames.buffered(), 0);
    (out, None)
}

type Seen = (Vec<u8>, Option<String>, Option<Vec<u8>>, Vec<String>);

/// Everything that frames show. The LF of a CR may be a frame of its own.
fn seen(frames: &[Frame]) -> Vec<Seen> {
    let mut all: Vec<Seen> = Vec::new();
    for frame in frames {
        match all.last_mut() {
            Some((before, ..))
                if frame.framing() == Framing::Sse && frame.raw() == b"\n" && before.ends_with(b"\r") =>
            {
                before.push(b'\n');
            }
            _ => all.push((
                frame.raw().to_vec(),
                frame.event().map(str::to_owned),
                frame.payload().map(|payload| payload.into_owned()),
                frame.rest().map(|text| text.into_owned()).collect(),
            )),
        }
    }
    all
}

/// A payload that is put in arrives, and so does one that follows.
fn other_payload(frame: &Frame, first: bool) {
    let new = "{\"a\":\n \"é\"}";
    let with = frame.with_payload(new.as_bytes());
    if frame.payload().is_none() {
        assert_eq!(with, frame.raw());
        return;
    }
    let expected = if frame.framing() == Framing::Lines { new.replace('\n', " ") } else { new.to_owned() };
    if frame.framing() == Framing::JsonArray {
        assert!(with.ends_with(new.as_bytes()));
        return;
    }
    // A blank line before, because a byte order mark is one at the start of a stream only.
    let before: &[u8] = if frame.framing() == Framing::Sse && !first { b"\n" } else { b"" };
    let changed = [before, &with].concat();
    let (frames, error) = decode(frame.framing(), usize::MAX, changed.len(), &changed);
    let last = frames.last().expect("a frame");
    assert_eq!((last.event(), last.is_exception(), error), (frame.event(), frame.is_exception(), None));
    assert_eq!(last.payload().expect("a payload"), expected.as_bytes());
    assert!(last.rest().eq(frame.rest()));
    let both = [before, frame.raw(), &frame.another(new.as_bytes())].concat();
    let (frames, error) = decode(frame.framing(), usize::MAX, both.len(), &both);
    let last = frames.last().expect("a frame");
    assert_eq!((last.event(), error), (frame.event(), None));
    assert_eq!(last.payload().expect("a payload"), expected.as_bytes());
}

/// Whatever is left of an array is one.
fn array(stream: &[u8], frames: &[Frame], choice: u8) {
    let theirs = serde_json::from_slice::<Vec<serde_json::Value>>(stream);
    let payloads = frames.iter().filter_map(Frame::payload).count();
    if let Ok(theirs) = &theirs {
        assert_eq!(theirs.len(), payloads);
    }
    let (mut writer, mut out, mut count) = (Writer::new(Framing::JsonArray), Vec::new(), 0);
    for (at, frame) in frames.iter().enumerate() {
        let element = usize::from(frame.payload().is_some());
        match choice.rotate_left(at as u32) % 4 {
            0 if element == 1 => {}
            1 if element == 1 => {
                writer.replace(frame, b"0", &mut out);
                count += 1;
            }
            2 => {
                writer.keep(frame, &mut out);
                let more = message(Framing::JsonArray, MessageKind::Plain, b"1");
                count += element + usize::from(writer.another(frame, &more, &mut out));
            }
            _ => {
                writer.keep(frame, &mut out);
                count += element;
            }
        }
    }
    writer.finish(&mut out);
    if theirs.is_ok() {
        assert_eq!(serde_json::from_slice::<Vec<serde_json::Value>>(&out).expect("an array").len(), count);
    }
}
