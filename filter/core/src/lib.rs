//! Doorward's core: identity, policy, inspection, redaction and limits for LLM traffic, as a pure library.
//!
//! It is sans-IO: it is fed events and answers with effects. It knows no proxy, reads no clock, opens no
//! socket and has no randomness of its own, so that the same code runs inside Envoy, at a terminal, in a
//! fuzzer and in a replay. What a host answers at once (the shared store, a native signature check) comes
//! in through [`host::Host`]; what it answers later is an effect and returns as an event.
//!
//! State has three owners and no statics: an immutable compiled policy ([`engine::Engine`]), what one worker
//! keeps ([`engine::Worker`]), and one HTTP exchange ([`exchange::Exchange`]).

pub mod anomaly;
pub mod audit;
mod calendar;
mod calls;
pub mod config;
pub mod engine;
pub mod exchange;
pub mod head;
mod hex;
pub mod host;
pub mod identity;
pub mod inspect;
pub mod json;
pub mod limits;
mod literals;
pub mod packs;
pub mod policy;
pub mod protocol;
pub mod redact;
pub mod reply;
pub mod route;
mod session;
mod shards;
mod sort;
pub mod stream;
mod tally;
#[cfg(feature = "trace")]
pub mod trace;
