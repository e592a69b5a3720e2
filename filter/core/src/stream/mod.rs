//! Answers that arrive in pieces.
//!
//! What a streamed answer is made of does not depend on who sends it: a provider chooses one of four
//! [`framing`]s and puts its own messages inside. What the messages mean is [`crate::protocol`]'s affair; what they carry
//! goes through [`Filter`].

mod called;
mod calls;
mod captured;
mod event;
mod filter;
pub mod framing;
mod gate;
mod known;
mod messages;
mod shape;
mod skeleton;
mod text;
mod texts;
mod token_lists;
mod wrap;

pub use captured::Captured;
pub use filter::{Bounds, Filter, Look, Passed, Stream};
pub use gate::Judge;
pub use messages::{Cuts, Incoming, Messages, Sifted};
pub(crate) use token_lists::token_lists;
