//! The tokenizer: one pass, no recursion, a flat tape of spans.

use super::{ErrorKind, JsonError, Limits, escape, keys::Keys, scan};

/// One value or key on the tape. What it is follows from its first byte.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// First raw byte: of a string, the quote.
    pub start: u32,
    /// One past the last raw byte.
    pub end: u32,
    /// For an array or object, the index one past its last descendant (its parent's index while it is
    /// open). For a string, 1 when it has escapes. Otherwise 0.
    pub aux: u32,
}

/// The parent of the root.
const NONE: u32 = u32::MAX;

/// What may come next.
#[derive(Clone, Copy)]
enum Expect {
    Value,
    /// A value, or the end of an array that has none.
    FirstItem,
    Key,
    /// A key, or the end of an object that has none.
    FirstKey,
    /// A comma or the end of what is open.
    More,
}

pub(super) fn tape<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(&'a str, Vec<Entry>), JsonError> {
    let text = utf8(bytes)?;
    // A guess that serves prompts (few, long values); other bodies let it grow.
    let capacity = (bytes.len() / 64).clamp(16, 4_096).min(limits.max_nodes);
    let mut parser = Parser {
        text,
        bytes,
        at: 0,
        tape: Vec::with_capacity(capacity),
        open: NONE,
        in_object: false,
        depth: 0,
        limits,
        keys: Keys::default(),
    };
    parser.run()?;
    Ok((text, parser.tape))
}

fn utf8(bytes: &[u8]) -> Result<&str, JsonError> {
    let fail = |kind, offset| Err(JsonError { kind, offset });
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return fail(ErrorKind::ByteOrderMark, 0);
    }
    if u32::try_from(bytes.len()).is_err() {
        return fail(ErrorKind::Utf8, u32::MAX as usize);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => fail(ErrorKind::Utf8, error.valid_up_to()),
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    tape: Vec<Entry>,
    /// Index of the innermost open array or object.
    open: u32,
    in_object: bool,
    depth: usize,
    limits: &'a Limits,
    keys: Keys,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), JsonError> {
        if self.token().is_none() {
            return self.fail(ErrorKind::Empty);
        }
        let mut expect = Expect::Value;
        loop {
            let byte = self.token();
            expect = match (expect, byte) {
                (Expect::More, None) if self.open == NONE => return Ok(()),
                (Expect::More, Some(byte)) if self.open == NONE => {
                    return self.fail(if byte == 0 { ErrorKind::Nul } else { ErrorKind::Trailing });
                }
                (Expect::More, Some(b',')) => {
                    self.at += 1;
                    if self.in_object { Expect::Key } else { Expect::Value }
                }
                (Expect::More | Expect::FirstKey, Some(b'}')) if self.in_object => self.close()?,
                (Expect::More | Expect::FirstItem, Some(b']')) if !self.in_object => self.close()?,
                (Expect::Key | Expect::FirstKey, Some(b'"')) => {
                    self.string()?;
                    if self.token() != Some(b':') {
                        return self.unexpected();
                    }
                    self.at += 1;
                    Expect::Value
                }
                (Expect::Value | Expect::FirstItem, Some(byte)) => self.value(byte)?,
                _ => return self.unexpected(),
            };
        }
    }

    /// Skips white space; the next byte.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    #[inline]
    fn value(&mut self, byte: u8) -> Result<Expect, JsonError> {
        match byte {
            b'"' => self.string()?,
            b'{' => return self.open(true),
            b'[' => return self.open(false),
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            b'-' | b'0'..=b'9' => self.number()?,
            b'+' | b'.' => return self.fail(ErrorKind::Number),
            _ => return self.unexpected(),
        }
        Ok(Expect::More)
    }

    fn open(&mut self, object: bool) -> Result<Expect, JsonError> {
        if self.depth >= self.limits.max_depth {
            return self.fail(ErrorKind::Depth);
        }
        let index = offset(self.tape.len());
        self.push(self.at, self.at + 1, self.open)?;
        self.depth += 1;
        self.open = index;
        self.in_object = object;
        self.at += 1;
        Ok(if object { Expect::FirstKey } else { Expect::FirstItem })
    }

    fn close(&mut self) -> Result<Expect, JsonError> {
        self.at += 1;
        let (index, past) = (self.open as usize, offset(self.tape.len()));
        if let Some(entry) = self.tape.get_mut(index) {
            self.open = std::mem::replace(&mut entry.aux, past);
            entry.end = offset(self.at);
        }
        self.depth = self.depth.saturating_sub(1);
        if self.in_object
            && let Some(offset) = self.keys.duplicate(self.text, &self.tape, index)
        {
            return Err(JsonError { kind: ErrorKind::DuplicateKey, offset });
        }
        let parent = self.tape.get(self.open as usize).and_then(|parent| self.bytes.get(parent.start as usize));
        self.in_object = parent == Some(&b'{');
        Ok(Expect::More)
    }

    #[inline]
    fn string(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        let mut escaped = 0;
        self.at += 1;
        loop {
            self.at = scan::string_stop(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return self.push(start, self.at, escaped);
                }
                Some(b'\\') => {
                    escaped = 1;
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    match escape::read(rest) {
                        Ok(escape) => self.at += escape.raw,
                        Err((kind, ahead)) => {
                            self.at = (self.at + ahead).min(self.bytes.len());
                            return self.fail(kind);
                        }
                    }
                }
                Some(0) => return self.fail(ErrorKind::Nul),
                Some(_) => return self.fail(ErrorKind::ControlCharacter),
                None => return self.fail(ErrorKind::Syntax),
            }
        }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        match self.bytes.get(self.at) {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_') => {
                self.fail(ErrorKind::Number)
            }
            _ => self.push(start, self.at, 0),
        }
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<(), JsonError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at += length;
        if length == 0 { self.fail(ErrorKind::Number) } else { Ok(()) }
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), JsonError> {
        if !self.bytes.get(self.at..).unwrap_or_default().starts_with(literal) {
            return self.fail(ErrorKind::Syntax);
        }
        let start = self.at;
        self.at += literal.len();
        self.push(start, self.at, 0)
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize, aux: u32) -> Result<(), JsonError> {
        if self.tape.len() >= self.limits.max_nodes {
            return Err(JsonError { kind: ErrorKind::Nodes, offset: start });
        }
        self.tape.push(Entry { start: offset(start), end: offset(end), aux });
        Ok(())
    }

    fn unexpected<T>(&self) -> Result<T, JsonError> {
        self.fail(match self.bytes.get(self.at) {
            Some(0) => ErrorKind::Nul,
            Some(..0x20) => ErrorKind::ControlCharacter,
            _ => ErrorKind::Syntax,
        })
    }

    fn fail<T>(&self, kind: ErrorKind) -> Result<T, JsonError> {
        Err(JsonError { kind, offset: self.at })
    }
}

/// Offsets and indices fit: [`utf8`] refuses longer texts, and every entry takes at least one byte of it.
#[inline]
fn offset(at: usize) -> u32 {
    at as u32
}
