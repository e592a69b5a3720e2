//! What access logs tell of the use of models and tools: who, which models, through what, how much, what was refused, what was found.
//!
//! One pass over lines of JSON in the shipped format (`envoy/access-log.json`, `envoy/access-log-tcp.json`), in memory that does not
//! grow with them: lines are read up to [`input::MAX_LINE`], tables keep so many keys (`tables`) and say what that costs in
//! exactness (`frequent`), distinct counts are exact while few and HyperLogLog then (`distinct`).
//!
//! It does not judge: it adds up what records say. What a proxy did not log is not in it.

pub mod collect;
pub mod controls;
pub mod csv;
mod distinct;
mod frequent;
pub mod hosts;
pub mod html;
pub mod input;
mod line;
pub mod model;
mod shown;
mod tables;
pub mod text;
mod usage;

pub use collect::{Collector, Range};
pub use hosts::Hosts;
pub use model::Report;
