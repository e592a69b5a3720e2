//! The way from each callback of the host to core and back.
//!
//! The host decides what is called when. Ids it never named, ends told twice and callbacks out of order are passed over,
//! and a request that cannot be served is refused.

pub mod late;
mod stuck;

use doorward_core::exchange::{CallResult, Effect, Event, Flow, Time};
use doorward_core::head::Headers;
use doorward_core::host::Side;

use crate::abi::{Action, Buffer, Direction, Level, Map, calls};
use crate::effects::{Target, Undone, strip_trailers};
use crate::host::Envoy;
use crate::state::{Caller, Errand, Generation, Hold, with};
use crate::{config, pairs, protobuf};

/// The longest answer to a call-out that is read: no key set is longer, and no answer of an external detector is read further.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// A root context has a configuration: whether it is taken. One that is not leaves the old one going on.
pub fn configure(root: u32, size: usize) -> bool {
    let refused = |problem: &str| {
        calls::log(Level::Error, &format!("configuration refused: {problem}"));
        false
    };
    #[cfg(feature = "bench")]
    let started = now();
    let Ok(bytes) = calls::buffer(Buffer::Configuration, size) else {
        return refused("the host does not hand it over");
    };
    if calls::now().is_err() {
        // Without a clock every token would be expired, or none.
        return refused(
            "the host grants no clock (help: capability_restriction_config must allow envoy/capabilities.txt)",
        );
    }
    match config::compile(&bytes) {
        Ok(engine) => match with(|state| {
            let declared = engine.declared();
            state.adopt(root, engine).map(|()| declared)
        }) {
            Some(Ok(declared)) => {
                for name in declared {
                    // One that is declared already stays so.
                    let _ = calls::foreign_function("declare_property", &protobuf::declare_arguments(name));
                }
                keep_time(root);
                #[cfg(feature = "bench")]
                crate::bench::run(&bytes, started);
                true
            }
            _ => refused("the host's shared store fails"),
        },
        Err(problems) => {
            for problem in &problems {
                refused(&problem.to_string());
            }
            false
        }
    }
}

/// A context begins: a root context (`root` is 0), or a stream of one.
pub fn create(context: u32, root: u32) {
    with(|state| state.create(context, root));
}

/// The head of a request or an answer.
pub fn headers(id: u32, side: Side, end: bool) -> Action {
    /// What there is to do about a head.
    enum Head {
        Tell,
        Again(Action),
        Unserved,
    }
    let head = with(|state| {
        let served = state.generation_of(id).is_some();
        let Some(stream) = state.streams.get_mut(&id).filter(|_| served) else { return Head::Unserved };
        let half = stream.half(side);
        if half.head_told {
            return Head::Again(standing(half.held));
        }
        half.head_told = true;
        half.end_told = end;
        half.headers_open = true;
        Head::Tell
    });
    match head {
        Some(Head::Tell) => {}
        Some(Head::Again(action)) => return action,
        Some(Head::Unserved) | None => return refuse(side),
    }
    let map = match side {
        Side::Request => Map::Request,
        Side::Response => Map::Response,
    };
    // A head without headers is none: the host that says so has lost them.
    let pairs = calls::header_map(map).ok().and_then(|bytes| pairs::parse(&bytes)).filter(|p| !p.is_empty());
    let Some(headers) = pairs.map(Headers::new) else {
        fail(id);
        return Action::Pause;
    };
    #[cfg(feature = "trap")]
    trap(&headers);
    let action = tell(id, side, Event::Head { side, headers: &headers, end });
    if action == Action::Pause && !end {
        stuck::expect_body(id, side);
    }
    action
}

/// Part of a body, or its end: `size` bytes can be read.
pub fn body(id: u32, side: Side, size: usize, end: bool) -> Action {
    match tell_end(id, side, Some(size), end) {
        Ok(available) => {
            let action = tell(id, side, Event::Body { side, available, end });
            if side == Side::Response && action == Action::Pause && !end {
                late::expect_end(id);
            }
            action
        }
        Err(action) => {
            late::drop_rest(id, side, size);
            action
        }
    }
}

/// The end of a body that trailers follow.
pub fn trailers(id: u32, side: Side) -> Action {
    let available = match tell_end(id, side, None, true) {
        Ok(available) => available,
        Err(action) => return action,
    };
    let action = tell(id, side, Event::Body { side, available, end: true });
    if side == Side::Request && action == Action::Continue && strip_trailers(id).is_err() {
        fail(id);
        return Action::Pause;
    }
    // A head that was let go by a call takes body and trailers that were waiting behind it along, all inside that call. Envoy
    // then loses a body that was held at its end and let go at the trailers; let go by a later call, it is not.
    let later = action == Action::Continue
        && available > 0
        && with(|state| {
            let half = *state.streams.get_mut(&id)?.half(side);
            half.resumed.then(|| {
                state.errands.push(match side {
                    Side::Request => Errand::ResumeRequest(id),
                    Side::Response => Errand::ResumeResponse(id),
                });
            })
        })
        .flatten()
        .is_some();
    if later {
        keep_time_of(id);
        return Action::Pause;
    }
    action
}

/// A stream is over.
pub fn log(id: u32) {
    let spent_us = with(|state| {
        let stream = state.streams.get_mut(&id)?;
        if std::mem::replace(&mut stream.done, true) {
            return None;
        }
        stream.request.settle(false);
        stream.response.settle(false);
        stream.request.waiting_since = None;
        stream.response.waiting_since = None;
        Some(stream.spent_ns / 1_000)
    });
    if let Some(spent_us) = spent_us.flatten() {
        let _ = happen(id, None, Event::Done { spent_us });
        #[cfg(feature = "bench")]
        with(|state| crate::bench::over(state, id));
    }
}

/// A context is gone.
pub fn delete(context: u32) {
    log(context);
    with(|state| state.remove(context));
}

/// A root context's timer.
pub fn tick(root: u32) {
    for errand in with(|state| std::mem::take(&mut state.errands)).unwrap_or_default() {
        match errand {
            Errand::Refused(caller) => call_done(caller, None),
            Errand::ResumeRequest(stream) => let_go(stream, Direction::Request),
            Errand::ResumeResponse(stream) => let_go(stream, Direction::Response),
            Errand::EndResponse(stream) => late::end(stream),
        }
    }
    for id in with(|state| state.generations_of(root)).unwrap_or_default() {
        work(id, |generation, at, host, effects| generation.worker.tick(&generation.engine, at, host, effects));
        stuck::refuse(id);
    }
    let _ = calls::set_effective_context(root);
    keep_time(root);
}

/// An HTTP call ended; `headers` is 0 where it failed.
pub fn call_response(root: u32, token: u32, headers: usize, size: usize) {
    let Some(caller) = with(|state| state.calls.remove(&token)).flatten() else { return };
    let answer = (headers > 0 && size <= LONGEST_ANSWER).then(|| answer(size)).flatten();
    call_done(caller, answer);
    let _ = calls::set_effective_context(root);
    keep_time(root);
}

/// Notes that bytes or the end of a body came, and answers how many can be read; or, where that is no news, what the host
/// was answered before.
fn tell_end(id: u32, side: Side, size: Option<usize>, end: bool) -> Result<usize, Action> {
    let noted = with(|state| {
        let stream = state.streams.get_mut(&id)?;
        if stream.half(side).waiting_since.take().is_some()
            && let Some(generation) = state.generation_of(id)
        {
            generation.hold = Hold::Proven;
        }
        let half = state.streams.get_mut(&id)?.half(side);
        if half.end_told {
            return Some(Err(standing(half.held)));
        }
        half.end_told = end;
        if size.is_some() {
            half.body = size;
        }
        Some(Ok(half.body.unwrap_or(0)))
    });
    noted.flatten().unwrap_or(Err(unserved(side)))
}

/// Tells core what a running callback is about, and answers the host.
fn tell(id: u32, side: Side, event: Event<'_>) -> Action {
    // What comes of the response after a local answer is that answer itself.
    let answer = side == Side::Response && is_replied(id);
    let outcome = happen(id, Some(side), event);
    if outcome == Some(Err(Undone)) && !answer {
        fail(id);
    }
    let Some(outcome) = outcome else { return unserved(side) };
    let hold = !answer && (outcome != Ok(Flow::Continue) || is_replied(id));
    with(|state| {
        if let Some(stream) = state.streams.get_mut(&id) {
            stream.half(side).settle(hold);
        }
    });
    keep_time_of(id);
    standing(hold)
}

/// Tells core of an event and carries its effects out. Nothing where there is no such stream or no engine for it.
fn happen(id: u32, running: Option<Side>, event: Event<'_>) -> Option<Result<Flow, Undone>> {
    let at = now();
    let mut effects = Vec::new();
    let (flow, target) = with(|state| {
        let stream = state.streams.get_mut(&id)?;
        let generation_id = stream.generation?;
        let Generation { root, engine, worker, .. } = state.generations.get_mut(&generation_id)?;
        let mut host = Envoy::of(stream, &mut state.roots.get_mut(root)?.expressions);
        let flow = stream.exchange.on(event, at, engine, worker, &mut host, &mut effects);
        Some((flow, Target { stream: Some(id), running, root: *root, generation: generation_id }))
    })??;
    let mut outcome = Ok(flow);
    for effect in effects {
        // Those after one that failed are still carried out: the record and the counts are among them.
        outcome = target.carry_out(effect).and(outcome);
    }
    with(|state| {
        if let Some(stream) = state.streams.get_mut(&id) {
            stream.spent_ns = stream.spent_ns.saturating_add(now().0.saturating_sub(at.0));
        }
    });
    Some(outcome)
}

/// Lets a worker work from its root context, then wakes the streams that it names.
fn work(id: u32, f: impl FnOnce(&mut Generation, Time, &mut Envoy<'_>, &mut Vec<Effect>) -> Vec<u32>) {
    let mut effects = Vec::new();
    let worked = with(|state| {
        let generation = state.generations.get_mut(&id)?;
        let mut host = Envoy::new(&mut state.roots.get_mut(&generation.root)?.expressions);
        let woken = f(generation, now(), &mut host, &mut effects);
        Some((woken, generation.root))
    });
    let Some((woken, root)) = worked.flatten() else { return };
    if calls::set_effective_context(root).is_ok() {
        let target = Target { stream: None, running: None, root, generation: id };
        for effect in effects {
            let _ = target.carry_out(effect);
        }
    }
    for stream in woken {
        if calls::set_effective_context(stream).is_ok() && happen(stream, None, Event::Wake) == Some(Err(Undone)) {
            fail(stream);
        }
    }
}

fn call_done(caller: Caller, answer: Option<(u16, Vec<u8>)>) {
    let result = CallResult { id: caller.call, answer };
    work(caller.generation, |generation, at, host, effects| {
        generation.worker.call_done(&generation.engine, result, at, host, effects)
    });
}

/// Lets a direction of another stream go on.
fn let_go(stream: u32, direction: Direction) {
    if calls::set_effective_context(stream).is_ok() && !is_replied(stream) {
        let _ = calls::continue_stream(direction);
    }
}

/// Ends a stream for which something could not be done.
fn fail(id: u32) {
    calls::log(Level::Error, "the host did not do what the policy asks for; the stream is ended");
    let first = with(|state| state.streams.get_mut(&id).is_some_and(|s| !std::mem::replace(&mut s.replied, true)));
    if first == Some(true) {
        refusal("doorward.unavailable");
    }
}

/// Refuses a stream that cannot be served, at its head. An answer in such a stream is the refusal itself, or Envoy's own.
fn refuse(side: Side) -> Action {
    if side == Side::Request {
        refusal("doorward.unavailable");
    }
    unserved(side)
}

/// Answers the client in the name of a filter that cannot do its work.
fn refusal(details: &str) {
    let headers = pairs::serialize(&[("content-type", "application/json")]);
    let body =
        br#"{"error":{"message":"the gateway cannot check this request","type":"server_error","code":"unavailable"}}"#;
    let _ = calls::send_local_response(503, details, body, &headers);
}

/// What becomes of a direction that is not served.
fn unserved(side: Side) -> Action {
    standing(side == Side::Request)
}

fn standing(held: bool) -> Action {
    if held { Action::Pause } else { Action::Continue }
}

fn is_replied(id: u32) -> bool {
    with(|state| state.streams.get(&id).is_some_and(|s| s.replied)).unwrap_or(false)
}

/// Asks for the tick that the root needs, where that changed. The running context is the root or a stream of it.
fn keep_time(root: u32) {
    if let Some(period) = with(|state| state.new_period(root)).flatten() {
        let _ = calls::set_tick_period(period);
    }
}

fn keep_time_of(stream: u32) {
    if let Some(root) = with(|state| state.generation_of(stream).map(|g| g.root)).flatten() {
        keep_time(root);
    }
}

/// The host's clock. Without one, the end of time: everything with a deadline is past it.
fn now() -> Time {
    Time(calls::now().unwrap_or(u64::MAX))
}

/// Status and body of the answer to the call that just ended.
fn answer(size: usize) -> Option<(u16, Vec<u8>)> {
    let headers = pairs::parse(&calls::header_map(Map::Call).ok()?)?;
    let (_, status) = headers.iter().find(|(name, _)| name == ":status")?;
    let status = std::str::from_utf8(status).ok()?.parse().ok()?;
    let body = if size == 0 { Vec::new() } else { calls::buffer(Buffer::CallBody, size).ok()? };
    (body.len() == size).then_some((status, body))
}

/// What FAIL_RELOAD is for, on demand.
#[cfg(feature = "trap")]
fn trap(headers: &Headers) {
    if headers.text("x-trap") == Some("1") {
        #[cfg(target_arch = "wasm32")]
        core::arch::wasm32::unreachable();
    }
}

#[cfg(test)]
mod tests;
