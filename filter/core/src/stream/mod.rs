//! Answers that arrive in pieces.
//!
//! What a streamed answer is made of does not depend on who sends it: a provider chooses one of four
//! [`framing`]s and puts its own messages inside. This module knows the framings only; what the messages mean
//! is [`crate::protocol`]'s affair.

pub mod framing;
