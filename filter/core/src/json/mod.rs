//! JSON that is read without being rewritten.
//!
//! A body is parsed into a flat tape of byte spans ([`Document`]), values are looked at through [`Node`]s,
//! strings are decoded together with the way back to the raw bytes ([`Text`]), and what must change is
//! spliced into the original bytes ([`Edits`]). Everything outside the edits stays byte for byte what the
//! client sent: no re-serialising, no reordering, no number reformatting.
//!
//! The parser is RFC 8259 and nothing more, and stricter where two servers are known to read one text
//! differently, so that what is inspected here is what the upstream reads:
//!
//! - the body is UTF-8 (validated, RFC 3629) without a byte order mark; nothing follows the value;
//! - no comments, no `NaN`, no leading zeros, no raw control characters, no lone surrogates;
//! - no NUL, raw or as `\u0000`: some servers cut the string there;
//! - no key twice in one object, compared decoded and case-folded ([`fold`]): which of `model` and `MODEL`
//!   counts depends on the server;
//! - nesting and the number of values are bounded ([`Limits`]).
//!
//! Time is linear in the body, but for a logarithm where an object has many keys; nothing recurses. Memory
//! is 12 bytes for each value and key, and decoding a string costs at most its own length plus 12 bytes for
//! each run of equal escapes.
//!
//! What it does not do: it does not interpret numbers ([`decimal`] does), does not normalise Unicode, and
//! does not read JSON that arrives in pieces.

mod cut;
pub mod decimal;
mod document;
mod edits;
mod escape;
mod keys;
mod parse;
mod scan;
mod text;

pub use cut::{cut, items};
pub use document::{Document, Kind, Node};
pub use edits::{Edits, Overlap};
pub(crate) use escape::escaped;
pub use keys::fold;
pub(crate) use scan::string_stop;
pub(crate) use text::string_at;
pub use text::{StringToken, Text};

use std::fmt;

/// Bounds on the shape of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep arrays and objects may be nested; a scalar alone is depth 0. 64 by default.
    pub max_depth: usize,
    /// How many values and object keys there may be in all. 262,144 by default (3 MB of tape).
    pub max_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 64, max_nodes: 262_144 }
    }
}

/// Why a text is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Nothing, or white space only.
    Empty,
    /// Not UTF-8 (RFC 3629), or longer than offsets reach (4 GiB).
    Utf8,
    /// Starts with U+FEFF, which RFC 8259 section 8.1 forbids to send and lets parsers ignore.
    ByteOrderMark,
    /// A byte that the grammar does not allow here, or an early end.
    Syntax,
    /// A number outside the grammar: leading zero, bare `-`, `.5`, `1.`, `1e`.
    Number,
    /// A raw byte below 0x20 that is not white space between tokens.
    ControlCharacter,
    /// A `\uD800` to `\uDFFF` that is not half of a pair.
    LoneSurrogate,
    /// A NUL, raw or as `\u0000`.
    Nul,
    /// Two keys of one object are equal once decoded and case-folded; the offset is the second one's.
    DuplicateKey,
    /// Nested deeper than [`Limits::max_depth`].
    Depth,
    /// More values and keys than [`Limits::max_nodes`].
    Nodes,
    /// Something other than white space after the value.
    Trailing,
}

impl ErrorKind {
    /// The stable name used in reason codes and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Utf8 => "utf8",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Syntax => "syntax",
            Self::Number => "number",
            Self::ControlCharacter => "control_character",
            Self::LoneSurrogate => "lone_surrogate",
            Self::Nul => "nul",
            Self::DuplicateKey => "duplicate_key",
            Self::Depth => "depth",
            Self::Nodes => "nodes",
            Self::Trailing => "trailing",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why and where a text is not read. Carries nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The byte at which it is seen; the length of the text for an early end.
    pub offset: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unreadable json: {} at byte {}", self.kind, self.offset)
    }
}

impl std::error::Error for JsonError {}

#[cfg(test)]
mod tests;
