//! HTTP/1.1 messages read byte by byte (RFC 9112), lenient on purpose: what a peer really sent is
//! recorded, not judged. Shared by the client and the upstream.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::fields::Fields;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes are still to come.
    Length(u64),
    /// Chunks; a zero chunk and trailers end it.
    Chunked,
    /// Until the connection closes (answers only).
    UntilClose,
    /// Nothing (more) comes.
    Done,
}

impl Framing {
    /// The framing that the fields of a request ask for.
    pub fn of_request(fields: &Fields) -> Self {
        Self::told(fields).unwrap_or(Self::Done)
    }

    /// The framing of an answer to `method` with `status`.
    pub fn of_answer(method: &str, status: u16, fields: &Fields) -> Self {
        if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            return Self::Done;
        }
        if method == "CONNECT" && status < 300 {
            return Self::UntilClose;
        }
        Self::told(fields).unwrap_or(Self::UntilClose)
    }

    fn told(fields: &Fields) -> Option<Self> {
        if fields.all("transfer-encoding").any(|v| v.eq_ignore_ascii_case(b"chunked")) {
            return Some(Self::Chunked);
        }
        let length = fields.all("content-length").next()?;
        std::str::from_utf8(length).ok()?.parse().ok().map(Self::Length)
    }
}

/// A part of a body.
#[derive(Debug)]
pub enum Piece {
    /// Bytes: one chunk if chunked, otherwise what one read gave.
    Data(Vec<u8>),
    /// The end, with the trailers of a chunked body.
    End(Option<Fields>),
}

/// First line and fields.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// Request line or status line, without its line end.
    pub line: String,
    /// Fields in order.
    pub fields: Fields,
}

/// Reads messages from a stream, keeping a copy of every byte consumed.
pub struct Source<R> {
    io: R,
    buffer: Vec<u8>,
    raw: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Source<R> {
    /// A source over `io`.
    pub fn new(io: R) -> Self {
        Self { io, buffer: Vec::new(), raw: Vec::new() }
    }

    /// Everything consumed since the last call.
    pub fn take_raw(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.raw)
    }

    /// Everything consumed and everything received beyond it: what a broken message left behind.
    pub fn take_all(&mut self) -> Vec<u8> {
        self.consume(self.buffer.len());
        self.take_raw()
    }

    /// The next message's head; `None` when the peer closed before its first byte.
    pub async fn head(&mut self) -> io::Result<Option<Head>> {
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.fill().await? {
                if self.buffer.is_empty() {
                    return Ok(None);
                }
                return Err(cut("inside a message head"));
            }
        };
        let bytes = self.consume(end);
        let mut lines = bytes[..end - 4].split(|&b| b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
        let line = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        Ok(Some(Head { line, fields: fields(lines) }))
    }

    /// The next piece of a body; `framing` keeps count.
    pub async fn piece(&mut self, framing: &mut Framing) -> io::Result<Piece> {
        match *framing {
            Framing::Done | Framing::Length(0) => Ok(Piece::End(None)),
            Framing::Length(left) => {
                if self.buffer.is_empty() && !self.fill().await? {
                    return Err(cut("inside a body with content-length"));
                }
                let take = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                *framing = Framing::Length(left - take as u64);
                Ok(Piece::Data(self.consume(take)))
            }
            Framing::UntilClose => {
                if self.buffer.is_empty() && !self.fill().await? {
                    *framing = Framing::Done;
                    return Ok(Piece::End(None));
                }
                Ok(Piece::Data(self.consume(self.buffer.len())))
            }
            Framing::Chunked => self.chunk(framing).await,
        }
    }

    /// Whatever comes next, unframed; `None` when the peer closed.
    pub async fn some(&mut self) -> Option<Vec<u8>> {
        if self.buffer.is_empty() && !self.fill().await.unwrap_or(false) {
            return None;
        }
        Some(self.consume(self.buffer.len()))
    }

    /// Waits for the peer to close; true if it sent nothing more.
    pub async fn closed(&mut self) -> bool {
        self.buffer.is_empty() && !self.fill().await.unwrap_or(false)
    }

    async fn chunk(&mut self, framing: &mut Framing) -> io::Result<Piece> {
        let line = self.line().await?;
        let digits = line.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
        let size = std::str::from_utf8(digits).ok().and_then(|d| usize::from_str_radix(d, 16).ok());
        let Some(size) = size else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("chunk size {}", line.escape_ascii())));
        };
        if size > 0 {
            while self.buffer.len() < size + 2 {
                if !self.fill().await? {
                    return Err(cut("inside a chunk"));
                }
            }
            let mut data = self.consume(size + 2);
            data.truncate(size);
            return Ok(Piece::Data(data));
        }
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        *framing = Framing::Done;
        let trailers = fields(lines.iter().map(Vec::as_slice));
        Ok(Piece::End((!trailers.0.is_empty()).then_some(trailers)))
    }

    async fn line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                let mut line = self.consume(at + 2);
                line.truncate(at);
                return Ok(line);
            }
            if !self.fill().await? {
                return Err(cut("inside chunked framing"));
            }
        }
    }

    fn consume(&mut self, count: usize) -> Vec<u8> {
        let bytes: Vec<u8> = self.buffer.drain(..count).collect();
        self.raw.extend_from_slice(&bytes);
        bytes
    }

    async fn fill(&mut self) -> io::Result<bool> {
        Ok(self.io.read_buf(&mut self.buffer).await? > 0)
    }
}

/// Appends `data` as one chunk.
pub fn write_chunk(data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Appends the zero chunk and `trailers`.
pub fn write_last_chunk(trailers: Option<&Fields>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    if let Some(trailers) = trailers {
        trailers.write_to(out);
    }
    out.extend_from_slice(b"\r\n");
}

fn fields<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Fields {
    let split = |line: &[u8]| {
        let colon = line.iter().position(|&b| b == b':').unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default().trim_ascii().to_vec();
        (String::from_utf8_lossy(&line[..colon]).into_owned(), value)
    };
    Fields(lines.map(split).collect())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

fn cut(place: &str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("the peer closed {place}"))
}
