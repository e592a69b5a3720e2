//! The binary event stream of AWS (`application/vnd.amazon.eventstream`).
//!
//! A message is: its length and that of its headers (big-endian, 4 bytes each), the CRC-32 of these 8 bytes, the
//! headers, the payload, and the CRC-32 of everything before. A header is a length byte, a name, a type byte and
//! a value (smithy.io, "Amazon Event Stream Specification"). Clients keep headers in maps: a name that comes
//! twice is refused, as botocore does, because which one counts depends on the client.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::ErrorKind;
use super::crc32::crc32;
use super::frame::MessageKind;

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
const BYTES: u8 = 6;
const STRING: u8 = 7;

pub(super) struct Scan {
    max_frame: usize,
    /// The length of the message at hand and of its headers, once its prelude has come.
    lengths: Option<(usize, usize)>,
}

impl Scan {
    pub(super) fn new(max_frame: usize) -> Self {
        Self { max_frame, lengths: None }
    }

    pub(super) fn next(&mut self, bytes: &[u8], end: bool) -> Result<Option<Message>, ErrorKind> {
        if self.lengths.is_none() {
            self.lengths = self.prelude(bytes)?;
        }
        let whole = self.lengths.and_then(|(total, headers)| Some((bytes.get(..total)?, headers)));
        let Some((raw, headers)) = whole else {
            return if end && !bytes.is_empty() { Err(ErrorKind::Truncated) } else { Ok(None) };
        };
        self.lengths = None;
        Message::read(raw, headers).map(Some)
    }

    /// Checked before the message comes, so that nobody waits for, or keeps, what a broken length announces.
    fn prelude(&self, bytes: &[u8]) -> Result<Option<(usize, usize)>, ErrorKind> {
        let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        let (Some(total), Some(headers), Some(checksum)) = (number(0), number(4), number(8)) else { return Ok(None) };
        if crc32(bytes.get(..8).unwrap_or_default()) != checksum {
            return Err(ErrorKind::Checksum);
        }
        let (total, headers) = (total as usize, headers as usize);
        if total.checked_sub(PRELUDE + CHECKSUM).is_none_or(|room| headers > room) {
            return Err(ErrorKind::Malformed);
        }
        if total > self.max_frame { Err(ErrorKind::TooLarge) } else { Ok(Some((total, headers))) }
    }
}

pub(super) struct Message {
    raw: Vec<u8>,
    /// Where the headers end and the payload begins.
    headers_end: usize,
    /// Where the value of the header that names the event stands.
    event: Option<Range<usize>>,
    pub(super) exception: bool,
}

struct Header<'a> {
    name: &'a str,
    kind: u8,
    value: &'a [u8],
    /// Where the value begins in the headers.
    at: usize,
}

impl Message {
    fn read(raw: &[u8], headers: usize) -> Result<Self, ErrorKind> {
        let (body, checksum) = raw.split_last_chunk().ok_or(ErrorKind::Malformed)?;
        if crc32(body) != u32::from_be_bytes(*checksum) {
            return Err(ErrorKind::Checksum);
        }
        let mut message = Self { raw: raw.to_vec(), headers_end: PRELUDE + headers, event: None, exception: false };
        let mut names = BTreeSet::new();
        for header in headers_of(message.headers()) {
            if !names.insert(header?.name) {
                return Err(ErrorKind::Malformed);
            }
        }
        let find = |name: &str| {
            let string = |header: &Header<'_>| header.name == name && header.kind == STRING;
            headers_of(message.headers()).map_while(Result::ok).find(string)
        };
        let kind = find(":message-type").map(|header| header.value);
        let exception = matches!(kind, Some(b"exception" | b"error"));
        let name = match kind {
            Some(b"exception") => find(":exception-type"),
            Some(b"error") => find(":error-code"),
            _ => find(":event-type"),
        };
        let event = name.map(|header| PRELUDE + header.at..PRELUDE + header.at + header.value.len());
        (message.exception, message.event) = (exception, event);
        Ok(message)
    }

    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    fn headers(&self) -> &[u8] {
        self.raw.get(PRELUDE..self.headers_end).unwrap_or_default()
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.raw.get(self.headers_end..self.raw.len().saturating_sub(CHECKSUM)).unwrap_or_default()
    }

    pub(super) fn event(&self) -> Option<&str> {
        std::str::from_utf8(self.raw.get(self.event.clone()?)?).ok()
    }

    /// Names and texts of the headers, but the text that names the event.
    pub(super) fn rest(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let event = self.event.as_ref().map(|range| range.start);
        headers_of(self.headers()).map_while(Result::ok).flat_map(move |header| {
            let text = matches!(header.kind, STRING | BYTES) && Some(PRELUDE + header.at) != event;
            [Some(Cow::Borrowed(header.name)), text.then(|| String::from_utf8_lossy(header.value))]
                .into_iter()
                .flatten()
        })
    }

    /// A message with the same headers.
    pub(super) fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        write(self.headers(), payload)
    }
}

fn headers_of(headers: &[u8]) -> impl Iterator<Item = Result<Header<'_>, ErrorKind>> {
    let mut rest = headers;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let header = header(&mut rest, headers.len());
        if header.is_err() {
            rest = &[];
        }
        Some(header)
    })
}

fn header<'a>(rest: &mut &'a [u8], length: usize) -> Result<Header<'a>, ErrorKind> {
    let mut take = |count: usize| -> Result<&'a [u8], ErrorKind> {
        let (taken, after) = rest.split_at_checked(count).ok_or(ErrorKind::Malformed)?;
        *rest = after;
        Ok(taken)
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
    let name = number(take(1)?);
    let name = std::str::from_utf8(take(name)?).map_err(|_| ErrorKind::Utf8)?;
    let kind = number(take(1)?) as u8;
    let size = match kind {
        // True and false.
        0 | 1 => 0,
        // Integers of one, two, four and eight bytes.
        2 => 1,
        3 => 2,
        4 => 4,
        5 => 8,
        BYTES | STRING => number(take(2)?),
        // A time in milliseconds.
        8 => 8,
        // A UUID.
        9 => 16,
        _ => return Err(ErrorKind::Malformed),
    };
    let value = take(size)?;
    if name.is_empty() {
        return Err(ErrorKind::Malformed);
    }
    if kind == STRING && std::str::from_utf8(value).is_err() {
        return Err(ErrorKind::Utf8);
    }
    Ok(Header { name, kind, value, at: length - rest.len() - value.len() })
}

/// A message from nothing.
pub(super) fn message(kind: MessageKind<'_>, payload: &[u8]) -> Vec<u8> {
    let (kind, name) = match kind {
        MessageKind::Plain => ("event", None),
        MessageKind::Event(name) => ("event", Some((":event-type", name))),
        MessageKind::Exception(name) => ("exception", Some((":exception-type", name))),
    };
    let mut headers = Vec::new();
    let all = name.into_iter().chain([(":content-type", "application/json"), (":message-type", kind)]);
    for (name, value) in all {
        // Every name above is short; a value has two bytes for its length.
        let value = value.get(..value.floor_char_boundary(usize::from(u16::MAX))).unwrap_or_default();
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(STRING);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    write(&headers, payload)
}

fn write(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = PRELUDE + headers.len() + payload.len() + CHECKSUM;
    let mut out = Vec::with_capacity(total);
    // A message of 4 GiB has no length to announce; what builds one has other troubles.
    out.extend_from_slice(&(total as u32).to_be_bytes());
    out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out.extend_from_slice(headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32(&out).to_be_bytes());
    out
}
