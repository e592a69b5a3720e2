//! Core's effects as host calls.

use std::collections::HashMap;

use doorward_core::exchange::{Call, Effect, LocalReply};
use doorward_core::host::Side;

use crate::abi::{Buffer, Direction, Level, Map, calls};
use crate::metrics::Metrics;
use crate::pairs;
use crate::stream::Stream;

/// An effect on which the outcome depends was not carried out: the stream must not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone;

/// Call-outs under way, by what has to be told of them.
#[derive(Debug, Default)]
pub struct Calls {
    /// By the host's token.
    started: HashMap<u32, Caller>,
    /// Those that the host did not even start. Core is told on the next tick, and not while it waits for its effects to be
    /// carried out; a tick also keeps one stream's wake from stopping another's (a local reply stops the callback it is
    /// sent from, whichever stream it is for).
    refused: Vec<Caller>,
}

/// Who made a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The generation whose worker did.
    pub generation: u32,
    /// The worker's id of the call.
    pub call: u32,
}

impl Calls {
    /// The caller of a call that ended.
    pub fn ended(&mut self, token: u32) -> Option<Caller> {
        self.started.remove(&token)
    }

    /// A caller in `generation` whose call the host refused.
    pub fn refused(&mut self, generation: u32) -> Option<Caller> {
        let at = self.refused.iter().position(|c| c.generation == generation)?;
        Some(self.refused.swap_remove(at))
    }

    /// Whether some caller has yet to be told of a refusal.
    pub fn any_refused(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Forgets what was started for a generation that is gone.
    pub fn forget(&mut self, generation: u32) {
        self.started.retain(|_, caller| caller.generation != generation);
        self.refused.retain(|caller| caller.generation != generation);
    }
}

/// What effects of one callback act on.
pub struct Target<'a> {
    /// The stream; none where a worker acts for itself.
    pub stream: Option<&'a mut Stream>,
    /// The direction whose callback is running: its flow is the callback's answer.
    pub running: Option<Side>,
    /// The context that the host takes calls for, unless told otherwise.
    pub context: u32,
    /// The root context.
    pub root: u32,
    /// The generation of configuration.
    pub generation: u32,
    /// Metrics of the VM.
    pub metrics: &'a mut Metrics,
    /// Call-outs of the VM.
    pub calls: &'a mut Calls,
}

impl Target<'_> {
    /// Carries out one effect.
    ///
    /// # Errors
    /// The host refused one that the outcome depends on. Records and measurements that are refused are lost.
    pub fn carry_out(&mut self, effect: Effect) -> Result<(), Undone> {
        match effect {
            Effect::SetHeader(side, name, value) => self.set_header(side, &name, &value),
            Effect::RemoveHeader(side, name) => self.remove_header(side, &name),
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
            Effect::Measure(measure) => {
                self.metrics.measure(&measure);
                Ok(())
            }
        }
    }

    fn set_header(&mut self, side: Side, name: &str, value: &[u8]) -> Result<(), Undone> {
        if !self.headers_open(side) {
            return Ok(());
        }
        if !is_name(name.strip_prefix(':').unwrap_or(name)) || !is_value(value) {
            return Err(Undone);
        }
        calls::set_header(map(side), name, value).map_err(|_| Undone)
    }

    fn remove_header(&mut self, side: Side, name: &str) -> Result<(), Undone> {
        if !self.headers_open(side) {
            return Ok(());
        }
        // No request or answer is one without its pseudo headers.
        if name.starts_with(':') {
            return Err(Undone);
        }
        calls::remove_header(map(side), name).map_err(|_| Undone)
    }

    /// Headers that went on are out of reach: Envoy refuses to change them, or changes a map that nobody reads any more.
    fn headers_open(&mut self, side: Side) -> bool {
        self.stream.as_mut().is_some_and(|s| s.half(side).headers_open)
    }

    fn replace_body(&mut self, side: Side, content: &[u8]) -> Result<(), Undone> {
        let Some(stream) = &mut self.stream else { return Err(Undone) };
        let half = stream.half(side);
        match half.body {
            Some(_) => {
                let buffer = match side {
                    Side::Request => Buffer::RequestBody,
                    Side::Response => Buffer::ResponseBody,
                };
                calls::set_buffer(buffer, content).map_err(|_| Undone)?;
                half.body = Some(content.len());
                Ok(())
            }
            // There is no buffer to write into, though Envoy says it wrote.
            None if content.is_empty() => Ok(()),
            None => Err(Undone),
        }
    }

    fn reply(&mut self, reply: &LocalReply) -> Result<(), Undone> {
        let Some(stream) = &mut self.stream else { return Err(Undone) };
        let headers: Vec<_> =
            reply.headers.iter().filter(|(name, value)| is_name(name) && is_value(value.as_bytes())).cloned().collect();
        let headers = pairs::serialize(&headers);
        calls::send_local_response(reply.status, &reply.details, &reply.body, &headers).map_err(|_| Undone)?;
        stream.replied = true;
        Ok(())
    }

    fn resume(&mut self, side: Side) -> Result<(), Undone> {
        let Some(stream) = &mut self.stream else { return Err(Undone) };
        let half = stream.half(side);
        // What is not held goes on by itself, and what is running goes on by the callback's answer: letting it go
        // twice would send the head twice.
        if !half.held || self.running == Some(side) {
            return Ok(());
        }
        let direction = match side {
            Side::Request => Direction::Request,
            Side::Response => Direction::Response,
        };
        calls::continue_stream(direction).map_err(|_| Undone)?;
        half.rejoin = half.body.is_some() && !half.end_told;
        half.settle(false);
        Ok(())
    }

    /// Calls from the root context, so that the answer comes to the worker even if this stream is over by then.
    fn call(&mut self, call: &Call) {
        let headers = pairs::serialize(&[
            (":method", call.method),
            (":path", call.path.as_str()),
            (":authority", call.authority.as_str()),
            (":scheme", "https"),
        ]);
        let caller = Caller { generation: self.generation, call: call.id };
        let answer = calls::set_effective_context(self.root)
            .and_then(|()| calls::http_call(&call.cluster, &headers, call.timeout_ms.max(1)));
        if self.context != self.root && calls::set_effective_context(self.context).is_err() {
            // The stream's own calls now go astray; the root context has no stream to do harm to.
            calls::log(Level::Error, "the host lost the context of a stream");
        }
        match answer {
            Ok(token) => {
                self.calls.started.insert(token, caller);
            }
            Err(_) => {
                calls::log(Level::Error, &format!("cannot call cluster `{}`: does Envoy know it?", call.cluster));
                self.calls.refused.push(caller);
            }
        }
    }
}

fn map(side: Side) -> Map {
    match side {
        Side::Request => Map::Request,
        Side::Response => Map::Response,
    }
}

/// A token (RFC 9110, section 5.6.2). Envoy does not check what a filter sets.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Bytes that cannot end a header line (RFC 9110, section 5.5).
fn is_value(value: &[u8]) -> bool {
    !value.iter().any(|b| matches!(b, 0 | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_cannot_be_injected() {
        assert!(is_name("x-doorward-user") && is_name("content-length"));
        for name in ["", "a b", "a:b", "a\r\nb", "é"] {
            assert!(!is_name(name), "{name:?}");
        }
        assert!(is_value(b"") && is_value(&[0x80, 0xff, b'\t']));
        for value in [&b"a\r\nb: c"[..], b"a\nb", b"\0"] {
            assert!(!is_value(value), "{value:?}");
        }
    }

    #[test]
    fn refused_calls_are_told_once_and_to_their_generation() {
        let mut calls = Calls::default();
        calls.refused.extend([(1, 10), (2, 20), (1, 11)].map(|(generation, call)| Caller { generation, call }));
        let mut told: Vec<u32> = std::iter::from_fn(|| calls.refused(1)).map(|c| c.call).collect();
        told.sort_unstable();
        assert_eq!(told, [10, 11]);
        assert!(calls.any_refused());
        calls.forget(2);
        assert!(!calls.any_refused());
    }
}
