//! Heads that are held for a body which the host keeps back ([`watch`]): found out, and refused.

use doorward_core::host::Side;

use super::{keep_time_of, now, refusal};
use crate::abi::{Level, calls};
use crate::state::{Hold, with};
use crate::watch::{self, Body};

/// A head is held, and a body is to follow.
pub fn expect_body(id: u32, side: Side) {
    with(|state| {
        if state.generation_of(id).is_some_and(|g| matches!(g.hold, Hold::Unknown | Hold::Missing))
            && let Some(stream) = state.streams.get_mut(&id).filter(|s| !s.replied)
        {
            stream.half(side).waiting_since = Some(now());
        }
    });
    keep_time_of(id);
}

/// Refuses the streams of a generation that would hang.
pub fn refuse(generation: u32) {
    let waiting = with(|state| {
        if state.generations.get(&generation)?.hold == Hold::Proven {
            return None;
        }
        let streams = state.streams.iter().filter(|(_, s)| s.generation == Some(generation));
        let halves = streams.flat_map(|(id, s)| {
            [(Side::Request, s.request), (Side::Response, s.response)]
                .map(|(side, half)| (*id, side, half.waiting_since))
        });
        Some(halves.filter_map(|(id, side, since)| Some((id, side, since?))).collect::<Vec<_>>())
    });
    let now = now();
    for (id, side, since) in waiting.flatten().unwrap_or_default() {
        if calls::set_effective_context(id).is_err() {
            continue;
        }
        let body = match side {
            Side::Request => watch::look_at_request(since, now),
            Side::Response => watch::look_at_response(since, now),
        };
        let news = with(|state| {
            let stream = state.streams.get_mut(&id)?;
            match body {
                Body::Due => return None,
                Body::Absent => {
                    stream.half(side).waiting_since = Some(now);
                    return None;
                }
                Body::Stuck => {
                    stream.half(side).waiting_since = None;
                    stream.replied = true;
                }
            }
            let generation = state.generations.get_mut(&generation)?;
            Some(std::mem::replace(&mut generation.hold, Hold::Missing))
        });
        if body != Body::Stuck {
            continue;
        }
        if news.flatten() != Some(Hold::Missing) {
            calls::log(Level::Error, watch::REMEDY);
        }
        refusal("envoy.hold_headers_mismatch");
    }
}
