//! Ends of answers that the host never tells.
//!
//! A filter that meets an answer before us may add trailers at its end, as Envoy's decompressor does. Envoy 1.40 then tells
//! the last bytes as if more were to come, and where they are held, never tells the trailers: the answer would hang. But the
//! upstream is done by then, and Envoy knows it. So where bytes are held of an answer whose upstream is done, the answer
//! is taken to be over if nothing follows until the next tick. Should something follow after all, it is dropped: nothing
//! passes that was not judged. A filter that paces an answer on purpose (Envoy's `bandwidth_limit`) belongs in front of us, not
//! behind: its first bytes would be taken for the whole answer, which is then unreadable and refused.

use doorward_core::exchange::Event;
use doorward_core::host::Side;

use super::{keep_time_of, tell, tell_end};
use crate::abi::{Action, Buffer, Direction, calls};
use crate::state::{Errand, with};

/// Bytes of an answer are held, and more is to follow, by what the host says.
pub fn expect_end(id: u32) {
    if !upstream_is_done() {
        return;
    }
    with(|state| {
        let errand = Errand::EndResponse(id);
        if !state.errands.contains(&errand) {
            state.errands.push(errand);
        }
    });
    keep_time_of(id);
}

/// Nothing followed.
pub fn end(id: u32) {
    let waits = with(|state| {
        let stream = state.streams.get_mut(&id)?;
        let half = &mut stream.response;
        let waits = half.held && !half.end_told && !stream.replied;
        half.late |= waits;
        Some(waits)
    });
    if waits.flatten() != Some(true) || calls::set_effective_context(id).is_err() {
        return;
    }
    let action = match tell_end(id, Side::Response, None, true) {
        Ok(available) => tell(id, Side::Response, Event::Body { side: Side::Response, available, end: true }),
        Err(_) => return,
    };
    if action == Action::Continue {
        let _ = calls::continue_stream(Direction::Response);
    }
}

/// Bytes came after an end that was told: none of them passes.
pub fn drop_rest(id: u32, side: Side, size: usize) {
    let late = with(|state| state.streams.get_mut(&id).is_some_and(|s| s.half(side).late)).unwrap_or(false);
    if late && size > 0 {
        let _ = calls::set_buffer(Buffer::ResponseBody, &[]);
    }
}

/// Whether the host has all of the answer: it knows how long the upstream took.
pub fn upstream_is_done() -> bool {
    calls::property("response\0backend_latency").is_ok_and(|latency| !latency.is_empty())
}
