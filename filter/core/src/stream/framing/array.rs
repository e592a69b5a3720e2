//! A JSON array (RFC 8259) that arrives in pieces, or one object.
//!
//! The frames are `[`, each element with the comma and white space before it, `]`, and white space at either
//! end of the stream. An element that ends with a bracket or a quote is complete there; a number or literal is
//! when the byte after it has come.

use super::ErrorKind;
use crate::json;

/// Where in the array the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the opening bracket.
    Start,
    /// After the opening bracket.
    First,
    /// After a comma.
    Item,
    /// In an element, between its tokens.
    Nested,
    /// In a string.
    String,
    /// After a backslash in a string.
    Escape,
    /// In a number or literal that is an element.
    Scalar,
    /// After an element.
    After,
    /// After the closing bracket.
    Done,
}

pub(super) struct Scan {
    place: Place,
    /// The next byte to look at.
    at: usize,
    comma: Option<usize>,
    /// Where the element begins.
    begin: usize,
    depth: u32,
    /// What is open in the element, one bit for each level, the innermost lowest: set for an object.
    objects: u64,
    /// The stream is one object.
    whole: bool,
}

/// As deep as a payload may be: one bit of [`Scan::objects`] for each level.
const MAX_DEPTH: u32 = u64::BITS;

impl Default for Scan {
    fn default() -> Self {
        Self { place: Place::Start, at: 0, comma: None, begin: 0, depth: 0, objects: 0, whole: false }
    }
}

impl Scan {
    pub(super) fn next(&mut self, bytes: &[u8], end: bool) -> Result<Option<Piece>, ErrorKind> {
        while let Some(byte) = bytes.get(self.at) {
            if let Some(kind) = self.byte(*byte, bytes)? {
                return Ok(Some(self.cut(bytes, kind)));
            }
        }
        match self.place {
            _ if !end => Ok(None),
            Place::Done => Ok(None),
            Place::Start if bytes.is_empty() => Ok(None),
            Place::Start => Ok(Some(self.cut(bytes, Kind::Space))),
            _ => Err(ErrorKind::Truncated),
        }
    }

    /// Looks at one byte, or at a run of a string. What ends before [`Scan::at`] now, if anything.
    fn byte(&mut self, byte: u8, bytes: &[u8]) -> Result<Option<Kind>, ErrorKind> {
        match self.place {
            Place::String => {
                self.at = json::string_stop(bytes, self.at);
                match bytes.get(self.at) {
                    None => return Ok(None),
                    Some(b'"') => {
                        self.at += 1;
                        return Ok(self.value_ends());
                    }
                    Some(b'\\') => self.place = Place::Escape,
                    Some(_) => return Err(ErrorKind::Malformed),
                }
            }
            Place::Escape => self.place = Place::String,
            Place::Scalar => {
                if !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'-' | b'.') {
                    return Ok(self.value_ends());
                }
            }
            Place::Nested => match byte {
                b'}' | b']' => {
                    if self.objects & 1 != u64::from(byte == b'}') {
                        return Err(ErrorKind::Malformed);
                    }
                    self.objects >>= 1;
                    self.depth = self.depth.saturating_sub(1);
                    self.at += 1;
                    return Ok(self.value_ends());
                }
                b'{' | b'[' => self.open(byte)?,
                b'"' => self.place = Place::String,
                _ => {}
            },
            // Nothing can follow that changes it: each by itself, however they come.
            Place::Done if is_space(byte) => {
                self.at += 1;
                return Ok(Some(Kind::Space));
            }
            _ if is_space(byte) => {}
            Place::Done => return Err(ErrorKind::Trailing),
            Place::Start => match byte {
                b'[' => {
                    self.place = Place::First;
                    self.at += 1;
                    return Ok(Some(Kind::Open));
                }
                b'{' => {
                    self.whole = true;
                    self.value(byte)?;
                }
                _ => return Err(ErrorKind::Malformed),
            },
            Place::First | Place::After if byte == b']' => {
                self.place = Place::Done;
                self.at += 1;
                return Ok(Some(Kind::Close));
            }
            Place::First | Place::Item => self.value(byte)?,
            Place::After if byte == b',' => {
                self.comma = Some(self.at);
                self.place = Place::Item;
            }
            Place::After => return Err(ErrorKind::Malformed),
        }
        self.at += 1;
        Ok(None)
    }

    /// The first byte of an element.
    fn value(&mut self, byte: u8) -> Result<(), ErrorKind> {
        self.begin = self.at;
        match byte {
            b'{' | b'[' => return self.open(byte),
            b'"' => self.place = Place::String,
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.place = Place::Scalar,
            _ => return Err(ErrorKind::Malformed),
        }
        Ok(())
    }

    fn open(&mut self, byte: u8) -> Result<(), ErrorKind> {
        if self.depth >= MAX_DEPTH {
            return Err(ErrorKind::Depth);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u64::from(byte == b'{');
        self.place = Place::Nested;
        Ok(())
    }

    fn value_ends(&mut self) -> Option<Kind> {
        if self.depth > 0 {
            self.place = Place::Nested;
            None
        } else if self.whole {
            self.place = Place::Done;
            Some(Kind::Whole { begin: self.begin })
        } else {
            self.place = Place::After;
            Some(Kind::Item { begin: self.begin, comma: self.comma })
        }
    }

    fn cut(&mut self, bytes: &[u8], kind: Kind) -> Piece {
        let raw = bytes.get(..self.at).unwrap_or_default().to_vec();
        (self.at, self.comma) = (0, None);
        Piece { raw, kind }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// What a frame of an array is.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// The opening bracket.
    Open,
    /// An element: where it begins, and where the comma before it is.
    Item { begin: usize, comma: Option<usize> },
    /// The closing bracket.
    Close,
    /// The one object instead of an array: where it begins.
    Whole { begin: usize },
    /// White space at an end of the stream.
    Space,
}

pub(super) struct Piece {
    pub(super) raw: Vec<u8>,
    pub(super) kind: Kind,
}

impl Piece {
    /// What stands before the element, and the element.
    fn parts(&self) -> Option<(&[u8], &[u8])> {
        match self.kind {
            Kind::Item { begin, .. } | Kind::Whole { begin } => self.raw.split_at_checked(begin),
            _ => None,
        }
    }

    pub(super) fn payload(&self) -> Option<&[u8]> {
        self.parts().map(|(_, element)| element)
    }

    pub(super) fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        self.parts().map_or_else(|| self.raw.clone(), |(before, _)| [before, payload].concat())
    }

    /// What must stand before an element that follows; none when nothing can.
    pub(super) fn glue(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Open => Some(""),
            Kind::Item { .. } => Some(","),
            Kind::Close | Kind::Whole { .. } | Kind::Space => None,
        }
    }
}
