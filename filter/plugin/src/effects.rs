//! Core's effects as host calls.

use doorward_core::exchange::{Call, Effect, LocalReply};
use doorward_core::host::Side;

use crate::abi::{Buffer, Direction, Level, Map, calls};
use crate::pairs;
use crate::state::{Caller, Errand, with};
use crate::stream::{Half, Stream};

/// An effect on which the outcome depends was not carried out: the stream must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone;

/// What effects of one callback act on.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The stream; none where a worker acts for itself.
    pub stream: Option<u32>,
    /// The direction whose callback is running: it goes on, or not, by the callback's answer.
    pub running: Option<Side>,
    /// The root context.
    pub root: u32,
    /// The generation of configuration.
    pub generation: u32,
}

impl Target {
    /// Carries out one effect.
    ///
    /// # Errors
    /// The host refused one that the outcome depends on. Records and measurements that are refused are lost.
    pub fn carry_out(self, effect: Effect) -> Result<(), Undone> {
        match effect {
            Effect::SetHeader(side, name, value) => self.set_header(side, name, &value),
            Effect::RemoveHeader(side, name) => self.remove_header(side, &name),
            Effect::ForbidTrailers(names) => self.stream(|stream| stream.forbidden = Some(names)),
            Effect::ReplaceBody(side, content) => self.replace_body(side, &content),
            Effect::Reply(reply) => self.reply(&reply),
            Effect::Resume(side) => self.resume(side),
            Effect::Call(call) => {
                self.call(&call);
                Ok(())
            }
            Effect::Record(values) => {
                for (key, value) in values {
                    let _ = calls::set_property(key, value.as_bytes());
                }
                Ok(())
            }
            Effect::Checkpoint(line) => {
                calls::log(Level::Info, &line);
                Ok(())
            }
            Effect::Measure(measure) => {
                with(|state| state.metrics.measure(&measure));
                Ok(())
            }
        }
    }

    fn set_header(self, side: Side, name: &str, value: &[u8]) -> Result<(), Undone> {
        if !self.half(side)?.headers_open {
            return Ok(());
        }
        if !is_value(value) {
            return Err(Undone);
        }
        calls::set_header(map(side), name, value).map_err(|_| Undone)
    }

    /// Headers that went on are out of reach: Envoy refuses to change them, or changes a map that nobody reads any more.
    fn remove_header(self, side: Side, name: &str) -> Result<(), Undone> {
        if !self.half(side)?.headers_open {
            return Ok(());
        }
        // No request or answer is one without its pseudo headers.
        if name.starts_with(':') {
            return Err(Undone);
        }
        calls::remove_header(map(side), name).map_err(|_| Undone)
    }

    fn replace_body(self, side: Side, content: &[u8]) -> Result<(), Undone> {
        if self.half(side)?.body.is_none() {
            // There is no buffer to write into, though Envoy says it wrote.
            return if content.is_empty() { Ok(()) } else { Err(Undone) };
        }
        let buffer = match side {
            Side::Request => Buffer::RequestBody,
            Side::Response => Buffer::ResponseBody,
        };
        calls::set_buffer(buffer, content).map_err(|_| Undone)?;
        self.stream(|stream| stream.half(side).body = Some(content.len()))
    }

    fn reply(self, reply: &LocalReply) -> Result<(), Undone> {
        self.stream(|stream| stream.replied = true)?;
        let headers: Vec<_> = reply.headers.iter().filter(|(_, value)| is_value(value.as_bytes())).cloned().collect();
        let headers = pairs::serialize(&headers);
        calls::send_local_response(reply.status, &reply.details, &reply.body, &headers).map_err(|_| Undone)
    }

    fn resume(self, side: Side) -> Result<(), Undone> {
        let half = self.half(side)?;
        // What is not held goes on by itself, and what is running goes on by the callback's answer: letting it go
        // twice would send the head twice.
        if !half.held || self.running == Some(side) {
            return Ok(());
        }
        let direction = match side {
            Side::Request => Direction::Request,
            Side::Response => Direction::Response,
        };
        if side == Side::Request {
            // They may have come while the head was held.
            strip_trailers(self.stream.ok_or(Undone)?)?;
        }
        calls::continue_stream(direction).map_err(|_| Undone)?;
        self.stream(|stream| {
            stream.half(side).settle(false);
            stream.half(side).resumed = true;
        })
    }

    /// Calls from the root context, so that the answer comes to the worker even if this stream is over by then.
    fn call(self, call: &Call) {
        let pseudo = [
            (":method", call.method),
            (":path", call.path.as_str()),
            (":authority", call.authority.as_str()),
            (":scheme", "https"),
        ];
        let more = call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers = pairs::serialize(&pseudo.into_iter().chain(more).collect::<Vec<_>>());
        let caller = Caller { generation: self.generation, call: call.id };
        let answer = calls::set_effective_context(self.root)
            .and_then(|()| calls::http_call(&call.cluster, &headers, &call.body, call.timeout_ms.max(1)));
        if let Some(stream) = self.stream
            && calls::set_effective_context(stream).is_err()
        {
            // The stream's own calls now go to the root context, which has no stream to do harm to.
            calls::log(Level::Error, "the host lost the context of a stream");
        }
        with(|state| match answer {
            Ok(token) => {
                state.calls.insert(token, caller);
            }
            Err(_) => {
                calls::log(Level::Error, &format!("cannot call cluster `{}`: does Envoy know it?", call.cluster));
                state.errands.push(Errand::Refused(caller));
            }
        });
    }

    fn half(self, side: Side) -> Result<Half, Undone> {
        self.stream(|stream| *stream.half(side))
    }

    /// The stream; one that is gone by now, or never was, cannot be acted on.
    fn stream<R>(self, f: impl FnOnce(&mut Stream) -> R) -> Result<R, Undone> {
        let id = self.stream.ok_or(Undone)?;
        with(|state| state.streams.get_mut(&id).map(f)).flatten().ok_or(Undone)
    }
}

/// Takes out of a request's trailers what core forbids in them, and what only the mesh may set.
///
/// # Errors
/// The host keeps one that has to go.
pub fn strip_trailers(stream: u32) -> Result<(), Undone> {
    let Some(forbidden) = with(|state| state.streams.get(&stream)?.forbidden).flatten() else { return Ok(()) };
    // A host that has no trailers to show has none to send.
    let trailers = calls::header_map(Map::RequestTrailers).ok().and_then(|bytes| pairs::parse(&bytes));
    for (name, _) in trailers.unwrap_or_default() {
        let own = name.get(..OWN.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN));
        if own || forbidden.iter().any(|f| f.eq_ignore_ascii_case(&name)) {
            calls::remove_header(Map::RequestTrailers, &name).map_err(|_| Undone)?;
        }
    }
    Ok(())
}

/// What names of headers begin with that only Doorward and the mesh may set.
const OWN: &str = "x-doorward-";

fn map(side: Side) -> Map {
    match side {
        Side::Request => Map::Request,
        Side::Response => Map::Response,
    }
}

/// Bytes that cannot end a header line (RFC 9110, section 5.5). Envoy does not check what a filter sets.
fn is_value(value: &[u8]) -> bool {
    !value.iter().any(|b| matches!(b, 0 | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_cannot_be_injected() {
        assert!(is_value(b"") && is_value(&[0x80, 0xff, b'\t']));
        for value in [&b"a\r\nb: c"[..], b"a\nb", b"\0"] {
            assert!(!is_value(value), "{value:?}");
        }
    }
}
