//! Calls that a worker makes on behalf of single exchanges, and what came of them.
//!
//! A call goes out from the worker, since its answer must come to somebody even if the exchange is over by then. Each has a
//! deadline of its own beside the host's: an exchange never waits for an answer that the host forgot.

use crate::exchange::{CallResult, Time};
use crate::host::Side;

/// Ids from here on are those of exchanges' calls; below are the issuers' key sets.
const FIRST: u32 = 1 << 31;

/// Milliseconds that the host may be late.
const GRACE_MS: u64 = 250;

/// Calls under way, and answers that nobody took yet.
#[derive(Debug, Default)]
pub struct Calls {
    waiting: Vec<(u32, Waiting)>,
    answered: Vec<Answered>,
    last: u32,
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    place: Place,
    since: Time,
    timeout_ms: u64,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Whose it is.
    pub exchange: u32,
    /// About which of its bodies.
    pub side: Side,
    /// The external detector's place in the policy.
    pub detector: usize,
}

/// What came of a call.
#[derive(Debug)]
pub struct Answered {
    /// What it was about.
    pub place: Place,
    /// Status and body; nothing where no answer came.
    pub answer: Option<(u16, Vec<u8>)>,
    /// How long it took.
    pub took_ms: u64,
    /// Its time was up.
    pub late: bool,
}

impl Calls {
    /// Whether the id of a result is that of an exchange's call.
    pub fn owns(id: u32) -> bool {
        id >= FIRST
    }

    /// Whether calls are under way.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A call begins: its id.
    pub fn begin(&mut self, place: Place, timeout_ms: u32, at: Time) -> u32 {
        self.last = self.last.wrapping_add(1) % FIRST;
        let id = FIRST | self.last;
        self.waiting.push((id, Waiting { place, since: at, timeout_ms: u64::from(timeout_ms) }));
        id
    }

    /// A call came back. Answers the exchange to wake, unless that is over.
    pub fn done(&mut self, result: CallResult, at: Time) -> Option<u32> {
        let at_hand = self.waiting.iter().position(|(id, _)| *id == result.id)?;
        let (_, Waiting { place, since, timeout_ms }) = self.waiting.swap_remove(at_hand);
        let took_ms = at.millis().saturating_sub(since.millis());
        self.answered.push(Answered { place, answer: result.answer, took_ms, late: took_ms >= timeout_ms });
        Some(place.exchange)
    }

    /// Ends the calls of which the host says nothing. Answers the exchanges to wake.
    pub fn tick(&mut self, at: Time) -> Vec<u32> {
        let over = |w: &Waiting| at.millis() >= w.since.millis().saturating_add(w.timeout_ms).saturating_add(GRACE_MS);
        let late: Vec<u32> = self.waiting.iter().filter(|(_, w)| over(w)).map(|(id, _)| *id).collect();
        late.into_iter().filter_map(|id| self.done(CallResult { id, answer: None }, at)).collect()
    }

    /// Hands over what came for an exchange.
    pub fn take(&mut self, exchange: u32) -> Vec<Answered> {
        let (own, others) = std::mem::take(&mut self.answered).into_iter().partition(|a| a.place.exchange == exchange);
        self.answered = others;
        own
    }

    /// An exchange waits no more.
    pub fn forget(&mut self, exchange: u32) {
        self.waiting.retain(|(_, w)| w.place.exchange != exchange);
        self.answered.retain(|a| a.place.exchange != exchange);
    }
}
