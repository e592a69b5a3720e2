//! Answers that arrive in pieces.
//!
//! What a streamed answer is made of does not depend on who sends it: a provider chooses one of four
//! [`framing`]s and puts its own messages inside. What the messages mean is [`crate::protocol`]'s affair; what they carry
//! goes through [`Filter`].

mod filter;
pub mod framing;
mod known;
mod skeleton;
mod text;
mod wrap;

pub(crate) use filter::token_lists;
pub use filter::{Bounds, Filter, Look, Passed, Stream};
