// A slice that cuts a character is a failed test here, and nothing worse.
#![allow(clippy::string_slice)]

mod folding;
mod generated;
mod grammar;
mod hostile;
mod ranges;
mod walk;

use super::{Document, ErrorKind, JsonError, Limits};

/// The only error of `text`, or none.
fn refusal(text: impl AsRef<[u8]>) -> Option<JsonError> {
    Document::parse(text.as_ref(), &Limits::default()).err()
}

fn refusal_kind(text: impl AsRef<[u8]>) -> Option<ErrorKind> {
    refusal(text).map(|error| error.kind)
}
