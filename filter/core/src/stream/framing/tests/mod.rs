mod array;
mod event_stream;
mod generated;
mod hostile;
mod lines;
mod sse;

use super::{ErrorKind, Frame, FrameError, Frames, Framing, MessageKind, Writer, message};

const MAX: usize = 1_000_000;

/// What comes out of a stream that arrives in these pieces.
fn decode<'a>(
    framing: Framing,
    max_frame: usize,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Option<FrameError>) {
    let mut frames = Frames::new(framing, max_frame);
    let mut out = Vec::new();
    let mut pieces = pieces.into_iter();
    loop {
        let more = pieces.next();
        match more {
            Some(piece) => frames.push(piece),
            None => frames.end(),
        }
        loop {
            match frames.next_frame() {
                Ok(Some(frame)) => out.push(frame),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(frames.next_frame().unwrap_err(), error);
                    return (out, Some(error));
                }
            }
        }
        if more.is_none() {
            assert_eq!(frames.buffered(), 0);
            return (out, None);
        }
    }
}

fn whole(framing: Framing, stream: impl AsRef<[u8]>) -> Vec<Frame> {
    let (frames, error) = decode(framing, MAX, [stream.as_ref()]);
    assert_eq!(error, None);
    frames
}

fn failure(framing: Framing, stream: impl AsRef<[u8]>) -> Option<ErrorKind> {
    decode(framing, MAX, [stream.as_ref()]).1.map(|error| error.kind)
}

fn raw(frames: &[Frame]) -> Vec<String> {
    frames.iter().map(|frame| String::from_utf8(frame.raw().to_vec()).unwrap()).collect()
}

fn payload(frame: &Frame) -> Option<String> {
    frame.payload().map(|payload| String::from_utf8(payload.into_owned()).unwrap())
}

fn payloads(frames: &[Frame]) -> Vec<String> {
    frames.iter().filter_map(payload).collect()
}

fn rest(frame: &Frame) -> Vec<String> {
    frame.rest().map(|text| text.into_owned()).collect()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
