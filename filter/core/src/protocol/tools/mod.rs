//! Tools in the bodies of every API: those that a request offers to the model, and those that an answer calls.

mod declared;
mod kinds;

pub use declared::{Choice, Declared, List, Offered, declared};
