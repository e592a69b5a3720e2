//! Tools in the bodies of every API: those that a request offers to the model, and those that an answer calls.

mod called;
mod declared;
mod kinds;

pub use called::{Called, With, calls, finish, message_id};
pub use declared::{Choice, Declared, List, Offered, declared};
