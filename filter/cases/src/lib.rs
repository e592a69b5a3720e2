//! Policy tests: what a policy has to do, written beside it, and played without Envoy or on one.
//!
//! A file of tests ([`format`]) says who sends what to which target, what the upstream answers, and what has to come of it.
//! [`suite`] puts it together with its policy, [`identity`] makes its callers real credentials, [`play`] plays it over core
//! with the host in memory, [`check`] compares, [`coverage`] says which statements nothing has met. What plays it on a real
//! Envoy lives with the end-to-end tests and compares by the same code.

pub mod check;
pub mod coverage;
pub mod format;
pub mod identity;
pub mod message;
pub mod outcome;
pub mod play;
pub mod run;
pub mod suite;
pub mod value;
pub mod words;
