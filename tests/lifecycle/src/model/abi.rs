//! What a filter can call: proxy-wasm's host functions, with the answers that Envoy gives.

use std::cell::RefCell;
use std::rc::Rc;

use super::host::{After, Call, Metric};
use super::{Fields, Host, LocalReply, Side, Stream};
use crate::verify;

/// Why a call did not do what it was asked (`WasmResult`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// There is no such thing.
    NotFound = 1,
    /// Not with these arguments, or not now.
    BadArgument = 2,
    /// Somebody else stored in between.
    CasMismatch = 8,
}

/// Header maps (`WasmHeaderMapType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// Of a stream.
    Head(Side),
    /// Of a stream's end.
    Trailers(Side),
    /// Of the answer to a call-out.
    Call,
}

/// Buffers (`WasmBufferType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferKind {
    /// Of a stream.
    Body(Side),
    /// Of the answer to a call-out.
    Call,
    /// The root's configuration.
    Configuration,
}

/// The host functions as one VM sees them. Calls act on the effective context.
#[derive(Clone, Debug)]
pub struct Abi {
    host: Rc<RefCell<Host>>,
    vm: usize,
}

type Answer<T> = Result<T, Status>;

impl Abi {
    /// For the VM with this number.
    pub fn new(host: Rc<RefCell<Host>>, vm: usize) -> Self {
        Self { host, vm }
    }

    /// Runs `f` on the effective stream. Roots have none.
    fn stream<R>(&self, call: &str, f: impl FnOnce(&mut Stream) -> Answer<R>) -> Answer<R> {
        let host = &mut *self.host.borrow_mut();
        let context = host.vms[self.vm].effective;
        let result = host.streams.get_mut(&context).map_or(Err(Status::BadArgument), f);
        if let Err(Status::BadArgument) = result {
            host.mistakes.push(format!("{call}: BadArgument"));
        }
        result
    }

    /// Nanoseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.host.borrow().now_ns
    }

    /// Writes to the log.
    pub fn log(&self, message: &str) {
        self.host.borrow_mut().logs.push(message.to_owned());
    }

    /// An environment variable.
    pub fn env(&self, name: &str) -> Option<String> {
        self.host.borrow().env.get(name).cloned()
    }

    /// Every environment variable.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.host.borrow().env.iter().map(|(n, v)| (n.clone(), v.clone())).collect()
    }

    /// Bytes that look random and are the same every time.
    pub fn random(&self, out: &mut [u8]) {
        let random = &mut self.host.borrow_mut().random;
        for byte in out {
            *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (*random >> 56) as u8;
        }
    }

    /// Ticks for the root of the effective context.
    pub fn set_tick_period(&self, ms: u32) {
        let host = &mut *self.host.borrow_mut();
        let effective = host.vms[self.vm].effective;
        let root = host.streams.get(&effective).map_or(effective, |s| s.root);
        let vm = &mut host.vms[self.vm];
        let period = u64::from(ms) * 1_000_000;
        if period == 0 || vm.canary {
            vm.ticks.remove(&root);
        } else {
            vm.ticks.insert(root, (period, host.now_ns + period));
        }
    }

    /// Makes calls act on another context.
    pub fn set_effective_context(&self, context: u32) -> Answer<()> {
        let host = &mut *self.host.borrow_mut();
        let known = host.vms[self.vm].roots.contains(&context)
            || host.streams.get(&context).is_some_and(|s| s.vm == self.vm && s.created && !s.over);
        if !known {
            return Err(Status::BadArgument);
        }
        host.vms[self.vm].effective = context;
        Ok(())
    }

    /// A header map.
    pub fn header_map(&self, map: MapKind) -> Answer<Fields> {
        match map {
            MapKind::Call => {
                let host = self.host.borrow();
                host.vms[self.vm].answer.as_ref().map(|(head, _)| head.clone()).ok_or(Status::BadArgument)
            }
            MapKind::Head(side) => self.stream("header_map", |s| head(s, side).map(|h| h.clone())),
            MapKind::Trailers(side) => self.trailers(side, |trailers| trailers.clone()),
        }
    }

    /// The trailers of the stream, once the filter was told of them. To ask sooner is no mistake.
    fn trailers<R>(&self, side: Side, f: impl FnOnce(&mut Fields) -> R) -> Answer<R> {
        let host = &mut *self.host.borrow_mut();
        let context = host.vms[self.vm].effective;
        let half = host.streams.get_mut(&context).map(|s| s.half(side)).filter(|h| h.trailers_told);
        half.and_then(|h| h.trailers.as_mut()).map(f).ok_or(Status::BadArgument)
    }

    /// Removes every trailer of that name.
    pub fn remove_trailer(&self, side: Side, name: &str) -> Answer<()> {
        self.trailers(side, |trailers| trailers.remove(name))
    }

    /// Sets a header to one value.
    pub fn set_header(&self, side: Side, name: &str, value: &[u8]) -> Answer<()> {
        self.stream("set_header", |s| head(s, side).map(|h| h.set(name, value)))
    }

    /// Removes every header of that name.
    pub fn remove_header(&self, side: Side, name: &str) -> Answer<()> {
        self.stream("remove_header", |s| head(s, side).map(|h| h.remove(name)))
    }

    /// Bytes of a buffer, from `start`, at most `max`.
    pub fn buffer(&self, buffer: BufferKind, start: usize, max: usize) -> Answer<Vec<u8>> {
        let cut = |bytes: &[u8]| bytes.iter().skip(start).take(max).copied().collect();
        match buffer {
            BufferKind::Configuration => {
                let host = self.host.borrow();
                host.vms[self.vm].configuration.as_deref().map(cut).ok_or(Status::NotFound)
            }
            BufferKind::Call => {
                let host = self.host.borrow();
                host.vms[self.vm].answer.as_ref().map(|(_, body)| cut(body)).ok_or(Status::NotFound)
            }
            BufferKind::Body(side) => {
                self.stream("buffer", |s| Ok(in_reach(s, side).map_or_else(Vec::new, |b| cut(b.as_slice()))))
            }
        }
    }

    /// Replaces `length` bytes of a body from `start`, with the conditions that Envoy makes.
    pub fn set_buffer(&self, side: Side, start: usize, length: usize, content: &[u8]) -> Answer<()> {
        let limit = self.host.borrow().buffer_limit;
        let too_large = self.stream("set_buffer", |stream| {
            // Without a buffer, Envoy writes into nothing and says that it wrote.
            let Some(bytes) = in_reach(stream, side) else { return Ok(false) };
            match start {
                0 if length == 0 => _ = bytes.splice(0..0, content.iter().copied()),
                0 if length >= bytes.len() => *bytes = content.to_vec(),
                0 => return Err(Status::BadArgument),
                _ if start >= bytes.len() => bytes.extend_from_slice(content),
                _ => return Err(Status::BadArgument),
            }
            let above = bytes.len() > limit;
            let half = stream.half(side);
            let managed = half.buffering || half.frame_is_buffer;
            Ok(managed && above && !std::mem::replace(&mut half.above_limit, true))
        })?;
        if too_large {
            let state = &mut self.host.borrow_mut().vms[self.vm];
            let context = state.effective;
            state.after.push(After::TooLarge(context, side));
        }
        Ok(())
    }

    /// A response that the filter made too large ends at once, inside the call that did it: the stream that is to be
    /// logged and deleted before that call returns. A filter that cannot be called back leaves it for afterwards.
    pub fn end_inside(&self) -> Option<u32> {
        let host = &mut *self.host.borrow_mut();
        let after = &mut host.vms[self.vm].after;
        let at = after.iter().position(|a| matches!(a, After::TooLarge(_, Side::Response)))?;
        let After::TooLarge(id, _) = after.remove(at) else { return None };
        let stream = host.stream(id);
        stream.aborted = stream.calling;
        stream.answer_directly(LocalReply::response_too_large());
        Some(id)
    }

    /// The stream was logged and deleted.
    pub fn ended_inside(&self, id: u32) {
        self.host.borrow_mut().stream(id).logged = true;
    }

    /// A property of the effective stream, by its path with `/` between the parts.
    pub fn property(&self, path: &str) -> Answer<Vec<u8>> {
        self.stream("property", |stream| {
            if path == "request/total_size" {
                // Envoy adds the bytes of body that came to the header map as it is now.
                let size = stream.request.head.as_ref().map_or(0, Fields::size) + stream.request.sent.body.len();
                return Ok((size as u64).to_le_bytes().to_vec());
            }
            stream.properties.get(path).cloned().ok_or(Status::NotFound)
        })
    }

    /// Writes filter state.
    pub fn set_property(&self, path: &str, value: &[u8]) -> Answer<()> {
        self.stream("set_property", |stream| {
            stream.filter_state.insert(path.to_owned(), value.to_vec());
            Ok(())
        })
    }

    /// A value of the shared store and its version.
    pub fn shared_data(&self, key: &str) -> Answer<(Vec<u8>, u32)> {
        self.host.borrow().shared.get(key).cloned().ok_or(Status::NotFound)
    }

    /// Stores a value, if its version is still this one; 0 is any.
    pub fn set_shared_data(&self, key: &str, value: &[u8], version: u32) -> Answer<()> {
        let host = &mut *self.host.borrow_mut();
        if version != 0 && host.shared.get(key).is_some_and(|(_, v)| *v != version) {
            return Err(Status::CasMismatch);
        }
        host.versions += 1;
        host.shared.insert(key.to_owned(), (value.to_vec(), host.versions));
        Ok(())
    }

    /// Lets a direction go on once the callback has returned.
    pub fn continue_stream(&self, side: Side) -> Answer<()> {
        let host = &mut *self.host.borrow_mut();
        let context = host.vms[self.vm].effective;
        let Some(stream) = host.streams.get_mut(&context) else { return Err(Status::BadArgument) };
        if stream.calling == Some(side) {
            host.mistakes.push(format!("continue_stream({side:?}) from its own callback"));
        }
        // Envoy forgets the request's map and frame, whichever direction goes on.
        stream.request.head_in_reach = false;
        stream.request.frame = None;
        host.vms[self.vm].after.push(After::Continue(context, side));
        Ok(())
    }

    /// Answers the client once the callback has returned. What the callback answers counts no more.
    pub fn send_local_response(&self, reply: LocalReply) -> Answer<()> {
        let vm = self.vm;
        let context = self.host.borrow().vms[vm].effective;
        self.stream("send_local_response", |stream| {
            if std::mem::replace(&mut stream.replied, true) {
                return Err(Status::BadArgument);
            }
            Ok(())
        })?;
        let state = &mut self.host.borrow_mut().vms[vm];
        state.stop_next = true;
        state.after.push(After::Reply(context, reply));
        Ok(())
    }

    /// Starts a call-out and answers its token.
    pub fn http_call(&self, cluster: &str, headers: &Fields, body: &[u8], timeout_ms: u32) -> Answer<u32> {
        let host = &mut *self.host.borrow_mut();
        let whole = [":method", ":path", ":authority"].iter().all(|n| headers.text(n).is_some());
        if !whole || !host.clusters.iter().any(|c| c == cluster) {
            return Err(Status::BadArgument);
        }
        host.tokens += 1;
        let token = host.tokens;
        let state = &host.vms[self.vm];
        if !state.canary {
            host.called.push(format!("{cluster}{}", headers.text(":path").unwrap_or_default()));
            host.called_with.push((headers.clone(), body.to_vec()));
            host.calls.push(Call {
                token,
                vm: self.vm,
                context: state.effective,
                cluster: cluster.to_owned(),
                headers: headers.clone(),
                deadline_ns: host.now_ns + u64::from(timeout_ms) * 1_000_000,
            });
        }
        Ok(token)
    }

    /// The foreign function `verify_signature`.
    pub fn verify(&self, request: &verify::Request<'_>) -> verify::Verdict {
        verify::check(request)
    }

    /// Defines a metric, or finds it.
    pub fn define_metric(&self, name: &str, histogram: bool) -> u32 {
        let metrics = &mut self.host.borrow_mut().metrics;
        let found = metrics.iter().position(|m| m.name == name && m.histogram == histogram);
        let id = found.unwrap_or_else(|| {
            metrics.push(Metric { name: name.to_owned(), histogram, sum: 0, count: 0 });
            metrics.len() - 1
        });
        id as u32
    }

    /// Adds to a counter, or records into a histogram.
    pub fn measure(&self, id: u32, histogram: bool, value: u64) -> Answer<()> {
        let host = &mut *self.host.borrow_mut();
        match host.metrics.get_mut(id as usize) {
            Some(metric) if metric.histogram == histogram && (histogram || value > 0) => {
                metric.sum += value;
                metric.count += 1;
                Ok(())
            }
            _ => {
                host.mistakes.push(format!("metric {id}: BadArgument"));
                Err(Status::BadArgument)
            }
        }
    }
}

fn head(stream: &mut Stream, side: Side) -> Answer<&mut Fields> {
    let half = stream.half(side);
    if half.head_in_reach { half.head.as_mut().ok_or(Status::BadArgument) } else { Err(Status::BadArgument) }
}

/// The bytes that a filter's buffer calls act on: the manager's buffer after a stop, otherwise the running frame.
fn in_reach(stream: &mut Stream, side: Side) -> Option<&mut Vec<u8>> {
    let half = stream.half(side);
    if half.buffering { half.buffered.as_mut() } else { half.frame.as_mut() }
}
