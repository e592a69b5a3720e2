//! Server-sent events (WHATWG HTML, 9.2.5 and 9.2.6).
//!
//! A frame ends with the line end of a blank line. When that is a CR, an LF behind it belongs to it; but it may
//! not have come yet, and may never come, so the frame is not held back for it: a late LF is a frame of its own,
//! without a payload.

use std::borrow::Cow;
use std::ops::Range;

use super::ErrorKind;

const BYTE_ORDER_MARK: &str = "\u{FEFF}";

pub(super) struct Scan {
    /// The next byte to look at.
    at: usize,
    /// Nothing stands on the line at hand so far.
    blank: bool,
    /// The byte before, here or in the frame before, is a CR.
    after_cr: bool,
    /// The stream begins here.
    start: bool,
    /// Bytes of the mark before the first line.
    mark: usize,
    /// Where the line at hand begins.
    line: usize,
    /// What the lines before it are.
    fields: Fields,
}

impl Default for Scan {
    fn default() -> Self {
        Self { at: 0, blank: true, after_cr: false, start: true, mark: 0, line: 0, fields: Fields::default() }
    }
}

impl Scan {
    pub(super) fn next(&mut self, bytes: &[u8], end: bool) -> Result<Option<Event>, ErrorKind> {
        if self.start {
            let mark = BYTE_ORDER_MARK.as_bytes();
            if bytes.len() < mark.len() && mark.starts_with(bytes) && !end {
                return Ok(None);
            }
            self.start = false;
            if bytes.starts_with(mark) {
                (self.at, self.mark, self.line) = (mark.len(), mark.len(), mark.len());
            }
        }
        while let Some(byte) = bytes.get(self.at) {
            let after_cr = std::mem::replace(&mut self.after_cr, *byte == b'\r');
            match byte {
                b'\n' if after_cr => {
                    self.at += 1;
                    self.line = self.at;
                    if self.at == 1 {
                        return self.cut(bytes, true).map(Some);
                    }
                }
                b'\n' | b'\r' => {
                    self.at += 1;
                    if self.blank {
                        if self.after_cr && bytes.get(self.at) == Some(&b'\n') {
                            self.at += 1;
                            self.after_cr = false;
                        }
                        return self.cut(bytes, true).map(Some);
                    }
                    self.end_line(bytes, self.at - 1);
                    (self.blank, self.line) = (true, self.at);
                }
                _ => {
                    self.blank = false;
                    let rest = bytes.get(self.at..).unwrap_or_default();
                    self.at += line_end(rest);
                }
            }
        }
        if !end || bytes.is_empty() {
            return Ok(None);
        }
        if !self.blank {
            self.end_line(bytes, self.at);
        }
        self.cut(bytes, false).map(Some)
    }

    /// A line that is not blank ends.
    fn end_line(&mut self, bytes: &[u8], end: usize) {
        self.fields.add(bytes.get(self.line..end).unwrap_or_default(), end);
    }

    fn cut(&mut self, bytes: &[u8], complete: bool) -> Result<Event, ErrorKind> {
        let raw = bytes.get(..self.at).unwrap_or_default();
        let text = std::str::from_utf8(raw).map_err(|_| ErrorKind::Utf8)?.to_owned();
        let event = Event { text, mark: self.mark, complete, fields: std::mem::take(&mut self.fields) };
        (self.at, self.mark, self.line, self.blank) = (0, 0, 0, true);
        Ok(event)
    }
}

/// The lines up to and with a blank one; what else stands between events is one without fields.
pub(super) struct Event {
    text: String,
    /// Bytes of the mark before the first line.
    mark: usize,
    /// Whether the blank line is there.
    complete: bool,
    fields: Fields,
}

/// What the lines of an event are.
#[derive(Default)]
struct Fields {
    /// How many there are, but for the blank one.
    lines: usize,
    /// How many say data, and where the value of the last one stands.
    data: (usize, Range<usize>),
    /// The last `event:` line, which is the one that counts, and where its value stands.
    name: Option<(usize, Range<usize>)>,
    /// There are others.
    more: bool,
}

impl Fields {
    /// The next line, which ends at `end`.
    fn add(&mut self, line: &[u8], end: usize) {
        let value = |at: usize| end - line.len() + at..end;
        if let Some(at) = value_at(line, b"data") {
            self.data = (self.data.0 + 1, value(at));
        } else if let Some(at) = value_at(line, b"event") {
            self.more |= self.name.is_some();
            self.name = Some((self.lines, value(at)));
        } else {
            self.more = true;
        }
        self.lines += 1;
    }
}

/// Where in a line the value of the field `name` begins: behind the colon and one space, or at its end.
fn value_at(line: &[u8], name: &[u8]) -> Option<usize> {
    match line.strip_prefix(name)? {
        [b':', b' ', ..] => Some(name.len() + 2),
        [b':', ..] => Some(name.len() + 1),
        [] => Some(name.len()),
        _ => None,
    }
}

/// A line and its end, which only the last one of a stream may lack.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    end: &'a str,
}

impl<'a> Line<'a> {
    fn data(self) -> Option<&'a str> {
        self.text.get(value_at(self.text.as_bytes(), b"data")?..)
    }

    /// The name, colon and space before a piece of payload, as they were unless the piece needs others.
    fn data_prefix(self, piece: &[u8]) -> &'static str {
        match self.text.strip_prefix("data") {
            Some("") if piece.is_empty() => "data",
            Some(rest) if rest.starts_with(": ") => "data: ",
            Some(rest) if rest.starts_with(':') && !piece.starts_with(b" ") => "data:",
            _ => "data: ",
        }
    }
}

impl Event {
    pub(super) fn raw(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Whether its first line begins with what would be skipped as a mark if it came first in a stream.
    pub(super) fn is_not_first(&self) -> bool {
        self.mark == 0 && self.text.starts_with(BYTE_ORDER_MARK)
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut rest = self.text.get(self.mark..).unwrap_or_default();
        std::iter::from_fn(move || {
            let stop = line_end(rest.as_bytes());
            let (text, after) = rest.split_at_checked(stop)?;
            let length = if after.starts_with("\r\n") { 2 } else { after.len().min(1) };
            let (end, next) = after.split_at_checked(length)?;
            rest = next;
            (!text.is_empty() || !end.is_empty()).then_some(Line { text, end })
        })
    }

    pub(super) fn payload(&self) -> Option<Cow<'_, [u8]>> {
        match &self.fields.data {
            (0, _) => None,
            (1, at) => self.raw().get(at.clone()).map(Cow::Borrowed),
            _ => {
                let data: Vec<&str> = self.lines().filter_map(Line::data).collect();
                Some(Cow::Owned(data.join("\n").into_bytes()))
            }
        }
    }

    /// Where the payload begins, if it is one line that says something.
    pub(super) fn payload_at(&self) -> Option<usize> {
        match &self.fields.data {
            (1, at) if !at.is_empty() => Some(at.start),
            _ => None,
        }
    }

    /// An empty name is none.
    pub(super) fn event(&self) -> Option<&str> {
        let (_, at) = self.fields.name.as_ref()?;
        self.text.get(at.clone()).filter(|name| !name.is_empty())
    }

    /// Every line that says something and is neither data nor the name.
    pub(super) fn rest(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let name = self.fields.name.as_ref().map(|(at, _)| *at);
        let lines = self
            .lines()
            .take(if self.fields.more { usize::MAX } else { 0 })
            .enumerate()
            .filter(move |(at, line)| Some(*at) != name && line.data().is_none());
        lines.map(|(_, line)| Cow::Borrowed(line.text)).filter(|text| !text.is_empty())
    }

    pub(super) fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        if let Some(out) = self.with_line(payload) {
            return out;
        }
        let last = self.fields.data.0;
        let (mark, _) = self.raw().split_at_checked(self.mark).unwrap_or_default();
        let mut out = mark.to_vec();
        let mut pieces = pieces(payload);
        let mut seen = 0;
        for line in self.lines() {
            if line.data().is_none() {
                put(&mut out, line.text);
                put(&mut out, line.end);
                continue;
            }
            seen += 1;
            let Some(piece) = pieces.next() else { continue };
            put(&mut out, line.data_prefix(piece));
            out.extend_from_slice(piece);
            if seen == last {
                for piece in pieces.by_ref() {
                    put(&mut out, if line.end.is_empty() { self.line_end() } else { line.end });
                    put(&mut out, line.data_prefix(piece));
                    out.extend_from_slice(piece);
                }
            }
            put(&mut out, line.end);
        }
        out
    }

    /// The same where all of it is one line and stays one.
    fn with_line(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let (1, at) = &self.fields.data else { return None };
        let (before, after) = (self.raw().get(..at.start)?, self.raw().get(at.end..)?);
        let colon = before.ends_with(b":") || before.ends_with(b": ");
        let line =
            !payload.is_empty() && !payload.starts_with(b" ") && !payload.iter().any(|b| matches!(b, b'\r' | b'\n'));
        (colon && line).then(|| [before, payload, after].concat())
    }

    pub(super) fn fresh(&self, payload: &[u8]) -> Vec<u8> {
        message(self.event(), payload, self.line_end())
    }

    /// What is missing before another event can follow.
    pub(super) fn glue(&self) -> String {
        if self.complete {
            return String::new();
        }
        let end = self.line_end();
        match self.lines().last() {
            Some(line) if line.end.is_empty() => end.repeat(2),
            // The first LF would belong to the CR.
            Some(line) if line.end == "\r" && end == "\n" => "\n\n".to_owned(),
            _ => end.to_owned(),
        }
    }

    /// How lines end here.
    fn line_end(&self) -> &'static str {
        match self.lines().map(|line| line.end).find(|end| !end.is_empty()) {
            Some("\r\n") => "\r\n",
            Some("\r") => "\r",
            _ => "\n",
        }
    }
}

/// Where the first line ends, or all of it does. Eight bytes at a time: events are long lines.
fn line_end(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // A byte of zero is the only one that borrows into its highest bit without having had it.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*block);
        let found = zero(word ^ (ONES * u64::from(b'\n'))) | zero(word ^ (ONES * u64::from(b'\r')));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len())
}

/// Appends without letting an LF become part of a CR's line end, now that what stood between them is gone.
fn put(out: &mut Vec<u8>, text: &str) {
    if text.starts_with('\n') && out.ends_with(b"\r") {
        out.push(b'\n');
    }
    out.extend_from_slice(text.as_bytes());
}

/// A payload as the lines it takes: a CR would end a line as an LF does. At least one.
fn pieces(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(payload);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let stop = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
        let (piece, after) = bytes.split_at_checked(stop)?;
        rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..));
        Some(piece)
    })
}

/// An event from nothing.
pub(super) fn message(event: Option<&str>, payload: &[u8], end: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 32);
    if let Some(event) = event {
        // A line end in a name would start a field.
        out.extend_from_slice(b"event: ");
        out.extend(event.bytes().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        out.extend_from_slice(end.as_bytes());
    }
    for piece in pieces(payload) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(piece);
        out.extend_from_slice(end.as_bytes());
    }
    out.extend_from_slice(end.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::line_end;

    #[test]
    fn the_first_line_end_is_found_wherever_it_stands() {
        for length in 0..40 {
            for at in 0..=length {
                for end in [b'\n', b'\r'] {
                    // Neighbours of a line end, and what differs from one in its highest bit.
                    let mut line: Vec<u8> = (0..length).map(|i| [b'a', 0x0B, 0x8A, 0x8D, 0x0E, 0x09][i % 6]).collect();
                    if let Some(byte) = line.get_mut(at) {
                        *byte = end;
                    }
                    line.push(b'\n');
                    assert_eq!(line_end(&line), at.min(length), "{line:?}");
                }
            }
        }
        assert_eq!(line_end(b""), 0);
    }
}
