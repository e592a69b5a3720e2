//! A parsed text and the way through it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::parse::{self, Entry};
use super::text::StringToken;
use super::{JsonError, Limits, keys};

/// A JSON text and its tape: every value and key in document order, 12 bytes each.
///
/// `Debug` shows sizes only: the text is a user's.
pub struct Document<'a> {
    bytes: &'a [u8],
    text: &'a str,
    tape: Vec<Entry>,
}

impl<'a> Document<'a> {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// The text breaks RFC 8259, one of the stricter rules of this module, or the limits.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, JsonError> {
        let (text, tape) = parse::tape(bytes, limits)?;
        Ok(Self { bytes, text, tape })
    }

    /// The text that was parsed.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        Node { text: self.text, tape: &self.tape, index: 0 }
    }
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("bytes", &self.bytes.len()).field("nodes", &self.tape.len()).finish()
    }
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number of any size.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// One value of a [`Document`].
///
/// `Debug` shows kind and place only.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    text: &'d str,
    tape: &'d [Entry],
    index: usize,
}

impl<'d> Node<'d> {
    /// What this value is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.first_byte() {
            b'"' => Kind::String,
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b't' | b'f' => Kind::Bool,
            b'n' => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// A number that no other value or key of the document has; document order.
    #[must_use]
    pub fn id(&self) -> usize {
        self.index
    }

    /// Where the value stands in the raw bytes; quotes and brackets included.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        let entry = self.entry();
        entry.start as usize..entry.end as usize
    }

    /// The value as it is written.
    #[must_use]
    pub fn raw(&self) -> &'d str {
        self.text.get(self.span()).unwrap_or_default()
    }

    /// The member of an object whose decoded key is exactly `key`. `None` also for what is no object.
    /// Looks at every member: linear in their number.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Node<'d>> {
        self.entries().find_map(|(token, value)| token.is(key).then_some(value))
    }

    /// The member of an object whose decoded key equals `key` once both are case-folded ([`super::fold`]):
    /// what a server that ignores case reads. There is at most one.
    #[must_use]
    pub fn get_folded(&self, key: &str) -> Option<Node<'d>> {
        let wanted = if key.is_ascii() { Cow::Borrowed(key) } else { Cow::Owned(keys::fold(key)) };
        self.entries().find_map(|(token, value)| token.is_folded(&wanted).then_some(value))
    }

    /// The members of an object, in order; nothing for anything else.
    pub fn entries(&self) -> impl Iterator<Item = (StringToken<'d>, Node<'d>)> + use<'d> {
        let Node { text, tape, .. } = *self;
        let (mut at, end) = self.children(Kind::Object);
        std::iter::from_fn(move || {
            let key = tape.get(at).filter(|_| at < end)?;
            let value = Node { text, tape, index: at + 1 };
            at = past(tape, at + 1);
            Some((StringToken::new(text, key), value))
        })
    }

    /// The items of an array, in order; nothing for anything else.
    pub fn items(&self) -> impl Iterator<Item = Node<'d>> + use<'d> {
        let Node { text, tape, .. } = *self;
        let (mut at, end) = self.children(Kind::Array);
        std::iter::from_fn(move || {
            let item = (at < end).then_some(Node { text, tape, index: at })?;
            at = past(tape, at);
            Some(item)
        })
    }

    /// The string, not decoded yet.
    #[must_use]
    pub fn string(&self) -> Option<StringToken<'d>> {
        (self.kind() == Kind::String).then(|| StringToken::new(self.text, self.entry()))
    }

    /// The decoded string; borrowed when it has no escapes.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'d, str>> {
        self.string().map(|token| token.text())
    }

    /// The number as it is written (see [`super::decimal`] for its value).
    #[must_use]
    pub fn number(&self) -> Option<&'d str> {
        if self.kind() == Kind::Number { self.text.get(self.span()) } else { None }
    }

    /// The truth value.
    #[must_use]
    pub fn bool(&self) -> Option<bool> {
        match self.first_byte() {
            b't' => Some(true),
            b'f' => Some(false),
            _ => None,
        }
    }

    /// Whether this is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    /// From the first child's index to one past the last descendant's; empty unless this is a `kind`.
    fn children(&self, kind: Kind) -> (usize, usize) {
        if self.kind() == kind { (self.index + 1, self.entry().aux as usize) } else { (0, 0) }
    }

    fn entry(&self) -> &'d Entry {
        const NOTHING: Entry = Entry { start: 0, end: 0, aux: 0 };
        self.tape.get(self.index).unwrap_or(&NOTHING)
    }

    fn first_byte(&self) -> u8 {
        self.text.as_bytes().get(self.entry().start as usize).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("kind", &self.kind()).field("span", &self.span()).finish()
    }
}

/// The index after the value at `index` and all that is in it.
pub(super) fn past(tape: &[Entry], index: usize) -> usize {
    // Only containers have an `aux` beyond their own index: a string's is 0 or 1, a scalar's 0, and an
    // open container's (its parent) is before it.
    let aux = tape.get(index).map_or(0, |entry| entry.aux as usize);
    aux.max(index + 1)
}
