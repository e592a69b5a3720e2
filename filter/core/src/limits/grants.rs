//! Calls to rate-limit services, and what came of them.
//!
//! They belong to the worker, since somebody must hear of a charge whose exchange is over by then: what it was charged comes back.
//! Each has a deadline of its own beside the host's: an exchange never waits for an answer that the host forgot.

use super::global::{Place, Stage};
use super::rls::{self, Code};
use crate::exchange::{CallResult, Time};

/// Ids from here on are those of such calls, up to those of the calls of external detectors ([`crate::calls`]).
const FIRST: u32 = 1 << 30;

/// Milliseconds that the host may be late.
const GRACE_MS: u64 = 250;

/// Calls under way, and answers that no exchange took yet.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    waiting: Vec<(u32, Waiting)>,
    answered: Vec<(u32, usize, Stage)>,
    last: u32,
}

#[derive(Debug)]
struct Waiting {
    place: Place,
    hits: u32,
    purpose: Purpose,
    since: Time,
    timeout_ms: u64,
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An exchange waits for it; so much of a balance goes with it.
    Ask { exchange: u32, number: usize, balance: i64 },
    /// An exchange did, and is over.
    Gone { balance: i64 },
    /// So much was used.
    Charge,
    /// So much was not.
    Refund,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(super) place: Place,
    pub(super) hits: u32,
    pub(super) purpose: Purpose,
    pub(super) stage: Stage,
}

impl Grants {
    /// Whether the id of a result is that of such a call.
    pub fn owns(id: u32) -> bool {
        (FIRST..FIRST << 1).contains(&id)
    }

    /// Whether calls are under way.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A call begins: its id.
    pub(super) fn begin(&mut self, place: Place, hits: u32, purpose: Purpose, timeout_ms: u32, since: Time) -> u32 {
        self.last = self.last.wrapping_add(1) % FIRST;
        let id = FIRST | self.last;
        self.waiting.push((id, Waiting { place, hits, purpose, since, timeout_ms: timeout_ms.into() }));
        id
    }

    /// A call came back; `None` where it is not known any more.
    pub fn done(&mut self, result: &CallResult, at: Time) -> Option<Heard> {
        let known = self.waiting.iter().position(|(id, _)| *id == result.id)?;
        let (_, Waiting { place, hits, purpose, since, timeout_ms }) = self.waiting.swap_remove(known);
        let late = at.millis() >= since.millis().saturating_add(timeout_ms);
        let stage = match &result.answer {
            Some((200, body)) => match rls::response(body) {
                Some(Code::Ok) => Stage::Granted,
                Some(Code::OverLimit) => Stage::Over,
                None => Stage::Failed("error"),
            },
            Some((504, _)) => Stage::Failed("timeout"),
            None if late => Stage::Failed("timeout"),
            Some((503, _)) | None => Stage::Failed("unreachable"),
            Some(_) => Stage::Failed("error"),
        };
        Some(Heard { place, hits, purpose, stage })
    }

    /// Ends the calls of which the host says nothing.
    pub fn tick(&mut self, at: Time) -> Vec<Heard> {
        let over = |w: &Waiting| at.millis() >= w.since.millis().saturating_add(w.timeout_ms).saturating_add(GRACE_MS);
        let late: Vec<u32> = self.waiting.iter().filter(|(_, w)| over(w)).map(|(id, _)| *id).collect();
        late.into_iter().filter_map(|id| self.done(&CallResult { id, answer: None }, at)).collect()
    }

    /// Keeps an answer for its exchange.
    pub(super) fn keep(&mut self, exchange: u32, number: usize, stage: Stage) {
        self.answered.push((exchange, number, stage));
    }

    /// Hands over what came for an exchange.
    pub fn take(&mut self, exchange: u32) -> Vec<(usize, Stage)> {
        let mut own = Vec::new();
        self.answered.retain(|(of, number, stage)| {
            if *of == exchange {
                own.push((*number, *stage));
            }
            *of != exchange
        });
        own
    }

    /// An exchange waits no more. Answers to its calls are still awaited, for what they charge.
    pub fn forget(&mut self, gone: u32) {
        for (_, waiting) in &mut self.waiting {
            if let Purpose::Ask { exchange, balance, .. } = waiting.purpose
                && exchange == gone
            {
                waiting.purpose = Purpose::Gone { balance };
            }
        }
        self.answered.retain(|(exchange, ..)| *exchange != gone);
    }
}
