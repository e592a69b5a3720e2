//! One HTTP stream as a state machine: events in, effects out.

mod event;

pub use event::{Call, CallResult, Effect, Event, Flow, LocalReply, Measure, Time};
