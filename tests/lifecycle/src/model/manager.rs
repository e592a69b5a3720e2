//! The filter manager: how heads, frames and trailers of either direction pass the filter, stop at it, and go on.

use super::host::After;
use super::stream::{Half, Iteration};
use super::{Action, Fields, LocalReply, Proxy, Side, Vm};

/// What becomes of a frame after the filter was told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Continue,
    /// Stopped: a head in the way that the configuration says, a frame into the buffer.
    Stop,
    /// Stopped by a local reply; a frame is dropped.
    StopAll,
}

/// Where a frame comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// Its sender: the filter is told.
    Sender,
    /// What was stopped and now goes on: past the filter, unless everything was stopped before it.
    Continued,
}

impl Proxy<'_> {
    fn half<R>(&self, id: u32, side: Side, f: impl FnOnce(&mut Half) -> R) -> R {
        f(self.host.borrow_mut().stream(id).half(side))
    }

    /// Whether either end has nothing more to expect of this direction.
    fn refused(&self, id: u32, side: Side) -> bool {
        // Once an answer is complete, nobody cares for the rest of the request.
        side == Side::Request && self.half(id, Side::Response, |h| h.complete)
    }

    /// Calls the filter about a stream, then does what it deferred.
    fn tell(&mut self, id: u32, side: Side, f: impl FnOnce(&mut dyn Vm) -> Action) -> Status {
        self.host.borrow_mut().stream(id).calling = Some(side);
        let vm = self.host.borrow_mut().stream(id).vm;
        let action = self.call(vm, id, f);
        let stopped = std::mem::take(&mut self.host.borrow_mut().vms[vm].stop_next);
        self.do_deferred(vm);
        let host = &mut *self.host.borrow_mut();
        let stream = host.stream(id);
        stream.calling = None;
        let aborted = stream.aborted.take_if(|s| *s == side).is_some();
        match action {
            _ if aborted || stopped => Status::StopAll,
            Action::Continue => Status::Continue,
            Action::Pause => Status::Stop,
        }
    }

    /// What the filter asked for during the callback that has just returned.
    pub(super) fn do_deferred(&mut self, vm: usize) {
        let after = std::mem::take(&mut self.host.borrow_mut().vms[vm].after);
        for action in after {
            match action {
                After::Continue(id, side) => self.continue_side(id, side),
                After::Reply(id, reply) => self.local_reply(id, reply),
                After::TooLarge(id, side) => self.too_large(id, side),
            }
        }
    }

    /// A head reaches the filter.
    pub(super) fn head(&mut self, id: u32, side: Side, end: bool) {
        let count = self.half(id, side, |h| {
            h.end_told = end;
            h.head_in_reach = true;
            h.head.as_ref().map_or(0, |f| f.0.len())
        });
        let mut status = Status::Continue;
        let known = self.host.borrow_mut().stream(id).created;
        if known {
            status = self.tell(id, side, |vm| vm.headers(id, side, count, end));
        }
        if status == Status::Continue {
            self.half(id, side, |h| {
                h.head_in_reach = false;
                h.headers_continued = true;
            });
            return self.emit_head(id, side, end);
        }
        let stop_iteration = self.host.borrow().stop_iteration;
        let prepared = self.host.borrow_mut().stream(id).prepared.is_some();
        self.half(id, side, |h| {
            h.iteration = match status {
                Status::Stop if stop_iteration => Iteration::StopSingle,
                Status::StopAll if prepared => Iteration::StopSingle,
                _ => Iteration::StopAll,
            };
        });
        self.send_prepared(id);
    }

    /// Bytes of a body, or its end.
    pub(super) fn data(&mut self, id: u32, side: Side, frame: Vec<u8>, end: bool) {
        self.pass_data(id, side, frame, end, From::Sender);
    }

    fn pass_data(&mut self, id: u32, side: Side, mut frame: Vec<u8>, end: bool, from: From) {
        if self.refused(id, side) {
            return;
        }
        let continued = from == From::Continued;
        let (told, iteration, over) = self.half(id, side, |h| (!continued || h.from_current, h.iteration, h.end_told));
        if !told || !self.host.borrow_mut().stream(id).created {
            return self.emit_data(id, side, frame, end);
        }
        if iteration == Iteration::StopAll {
            self.half(id, side, |h| h.streaming = true);
            return self.keep(id, side, frame, continued);
        }
        if over {
            // What comes after the end is not the filter's, and goes nowhere.
            return self.half(id, side, |h| {
                if continued {
                    h.buffered = Some(frame);
                }
            });
        }
        let end = end && self.half(id, side, |h| h.trailers.is_none());
        self.half(id, side, |h| h.end_told = end);
        if self.half(id, side, |h| h.buffering) {
            self.host.borrow_mut().stream(id).calling = Some(side);
            self.half(id, side, |h| h.streaming = false);
            self.keep(id, side, std::mem::take(&mut frame), false);
            let host = &mut *self.host.borrow_mut();
            host.stream(id).calling = None;
            if host.stream(id).ending {
                return;
            }
        }
        let size = self.half(id, side, |h| {
            h.frame = Some(frame);
            h.frame_is_buffer = continued;
            if h.buffering { h.buffered.as_ref().map_or(0, Vec::len) } else { h.frame.as_ref().map_or(0, Vec::len) }
        });
        let status = self.tell(id, side, |vm| vm.body(id, side, size, end));
        let frame = self.half(id, side, |h| {
            h.buffering = status == Status::Stop;
            h.frame_is_buffer = false;
            h.frame.take().unwrap_or_default()
        });
        if side == Side::Request && self.host.borrow_mut().stream(id).prepared.is_some() {
            return self.send_prepared(id);
        }
        match status {
            Status::Continue if self.half(id, side, |h| h.iteration == Iteration::StopSingle) => {
                self.keep(id, side, frame, continued);
                self.continue_side(id, side);
            }
            Status::Continue => self.emit_data(id, side, frame, end),
            Status::Stop => {
                self.half(id, side, |h| {
                    h.iteration = Iteration::StopSingle;
                    h.streaming = false;
                });
                self.keep(id, side, frame, continued);
            }
            Status::StopAll => self.half(id, side, |h| h.iteration = Iteration::StopSingle),
        }
    }

    /// Trailers, which end a body.
    pub(super) fn trailers(&mut self, id: u32, side: Side) {
        self.pass_trailers(id, side, From::Sender);
    }

    fn pass_trailers(&mut self, id: u32, side: Side, from: From) {
        if self.refused(id, side) {
            return;
        }
        let (told, iteration) = self.half(id, side, |h| (from == From::Sender || h.from_current, h.iteration));
        if !told || !self.host.borrow_mut().stream(id).created {
            return self.emit_trailers(id, side);
        }
        if iteration == Iteration::StopAll {
            return;
        }
        let count = self.half(id, side, |h| h.trailers.as_ref().map_or(0, |f| f.0.len()));
        self.half(id, side, |h| h.trailers_told = true);
        let status = self.tell(id, side, |vm| vm.trailers(id, side, count));
        self.half(id, side, |h| h.end_told = true);
        if side == Side::Request && self.host.borrow_mut().stream(id).prepared.is_some() {
            self.send_prepared(id);
        }
        let stopped = self.half(id, side, |h| h.iteration != Iteration::Continue);
        match status {
            Status::Continue if stopped => self.continue_side(id, side),
            Status::Continue => self.emit_trailers(id, side),
            _ if !stopped => self.half(id, side, |h| h.iteration = Iteration::StopSingle),
            _ => {}
        }
    }

    /// A stopped direction goes on: head, buffer and trailers, as far as they came.
    pub(super) fn continue_side(&mut self, id: u32, side: Side) {
        let ended = match side {
            Side::Request => self.half(id, Side::Response, |h| h.complete),
            Side::Response => self.half(id, Side::Response, |h| h.received.ended),
        };
        let gone = self.host.borrow_mut().stream(id).ending;
        if ended || gone {
            return;
        }
        if self.half(id, side, |h| h.iteration == Iteration::Continue) {
            let mistake = format!("{side:?} goes on though it is not stopped");
            self.host.borrow_mut().mistakes.push(mistake);
        }
        let (head_due, end) = self.half(id, side, |h| {
            h.from_current |= h.iteration == Iteration::StopAll;
            h.iteration = Iteration::Continue;
            let due = !std::mem::replace(&mut h.headers_continued, true);
            (due, h.complete && h.buffered.is_none() && h.trailers.is_none())
        });
        if head_due {
            self.emit_head(id, side, end);
        }
        let (trailers, complete) = self.half(id, side, |h| (h.trailers.is_some(), h.complete));
        let buffered = self.half(id, side, |h| {
            h.above_limit &= h.buffered.is_none();
            h.buffered.as_mut().map(std::mem::take)
        });
        if let Some(bytes) = buffered {
            self.pass_data(id, side, bytes, complete && !trailers, From::Continued);
        }
        if trailers {
            self.pass_trailers(id, side, From::Continued);
        }
        self.half(id, side, |h| h.from_current = false);
    }

    /// Into the manager's buffer; `same` if the bytes are what was in it.
    fn keep(&mut self, id: u32, side: Side, frame: Vec<u8>, same: bool) {
        let limit = self.host.borrow().buffer_limit;
        let too_large = self.half(id, side, |h| {
            match &mut h.buffered {
                Some(bytes) if !same => bytes.extend_from_slice(&frame),
                buffered => *buffered = Some(frame),
            }
            let above = h.buffered.as_ref().is_some_and(|b| b.len() > limit);
            above && !std::mem::replace(&mut h.above_limit, true) && !h.streaming
        });
        if too_large {
            self.too_large(id, side);
        }
    }

    fn too_large(&mut self, id: u32, side: Side) {
        self.local_reply(
            id,
            match side {
                Side::Request => LocalReply::request_too_large(),
                Side::Response => LocalReply::response_too_large(),
            },
        );
    }

    /// The proxy answers the client itself.
    pub(super) fn local_reply(&mut self, id: u32, reply: LocalReply) {
        {
            let host = &mut *self.host.borrow_mut();
            let stream = host.stream(id);
            if stream.ending || stream.over {
                return;
            }
            stream.details = Some(reply.details.clone());
            stream.aborted = stream.calling.or(stream.aborted);
            if stream.response.head.is_some() || !stream.response.received.informational.is_empty() {
                return stream.answer_directly(reply);
            }
            if stream.calling == Some(Side::Request) {
                stream.prepared.get_or_insert(reply);
                return;
            }
        }
        self.reply_through_filter(id, reply);
    }

    /// The client is cut off: an answer that began cannot be taken back.
    pub(super) fn cut_off(&mut self, id: u32) {
        self.half(id, Side::Response, |h| h.received.reset = true);
        self.host.borrow_mut().stream(id).ending = true;
    }

    fn send_prepared(&mut self, id: u32) {
        let prepared = self.host.borrow_mut().stream(id).prepared.take();
        if let Some(reply) = prepared {
            self.reply_through_filter(id, reply);
        }
    }

    /// A local reply passes the filter's callbacks like any answer.
    fn reply_through_filter(&mut self, id: u32, reply: LocalReply) {
        let bodiless = reply.body.is_empty() || self.host.borrow_mut().stream(id).is_head;
        self.half(id, Side::Response, |h| {
            h.head = Some(reply.head());
            h.complete = bodiless;
        });
        self.head(id, Side::Response, bodiless);
        if !bodiless {
            self.half(id, Side::Response, |h| h.complete = true);
            self.data(id, Side::Response, reply.body, true);
        }
    }

    fn emit_head(&mut self, id: u32, side: Side, end: bool) {
        self.half(id, side, |h| {
            h.received.head = h.head.clone();
            h.received.ended = end;
        });
        self.check_end(id, side);
    }

    fn emit_data(&mut self, id: u32, side: Side, frame: Vec<u8>, end: bool) {
        self.half(id, side, |h| {
            h.received.body.extend_from_slice(&frame);
            h.received.ended |= end;
        });
        self.check_end(id, side);
    }

    fn emit_trailers(&mut self, id: u32, side: Side) {
        self.half(id, side, |h| {
            h.received.trailers = Some(h.trailers.clone().unwrap_or_else(Fields::default));
            h.received.ended = true;
        });
        self.check_end(id, side);
    }

    /// A stream ends with its answer.
    fn check_end(&mut self, id: u32, side: Side) {
        if side == Side::Response && self.half(id, side, |h| h.received.ended) {
            self.host.borrow_mut().stream(id).ending = true;
        }
    }
}
