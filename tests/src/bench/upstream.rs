//! The bench's upstream: a process of its own that reads a request to its end and answers with the same bytes always.
//! One blocking thread for each connection: nothing that costs more than the copies.
//!
//! A request with [`STREAM`] is answered by a stream, each event written by itself.

use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::body;
use super::events::Format;

/// The header that asks for a stream: see [`Stream`].
pub const STREAM: &str = "x-bench-stream";

/// A stream that is asked for, as the header's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Whose events.
    pub format: Format,
    /// How many with text.
    pub events: usize,
    /// How many are written together.
    pub together: usize,
    /// From one write to the next.
    pub pause: Duration,
    /// Left open behind the last piece of text, until the other side closes.
    pub open: bool,
}

impl Stream {
    /// The header's value.
    pub fn header(self) -> String {
        format!("{} {} {} {} {}", self.format.name(), self.events, self.together, self.pause.as_micros(), self.open)
    }

    fn read(header: &str) -> Option<Self> {
        let mut words = header.split_whitespace();
        Some(Self {
            format: Format::named(words.next()?)?,
            events: words.next()?.parse().ok()?,
            together: words.next()?.parse().ok()?,
            pause: Duration::from_micros(words.next()?.parse().ok()?),
            open: words.next()?.parse().ok()?,
        })
    }

    /// Answers with it; `request` may hold placeholders, which a model repeats.
    fn write(self, connection: &mut TcpStream, request: &[u8]) -> io::Result<()> {
        let request = String::from_utf8_lossy(request);
        let placeholder = request
            .find("[EMAIL_ADDRESS_")
            .and_then(|start| request.get(start..)?.split_inclusive(']').next())
            .unwrap_or("the chair");
        connection
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")?;
        let frames = self.format.stream(self.events, placeholder);
        let frames = frames.get(..if self.open { self.events } else { frames.len() }).unwrap_or_default();
        for frames in frames.chunks(self.together) {
            let frames = frames.concat();
            connection.write_all(format!("{:x}\r\n{frames}\r\n", frames.len()).as_bytes())?;
            thread::sleep(self.pause);
        }
        if self.open {
            return Ok(());
        }
        connection.write_all(b"0\r\n\r\n")
    }
}

/// The running upstream; it ends with this.
pub struct Upstream {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Upstream {
    /// Starts this executable again, as the upstream.
    pub fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().expect("the path of this executable"));
        command.arg("upstream").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("start the upstream");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a piped output");
        BufReader::new(stdout).read_line(&mut line).expect("the upstream's address");
        let address = line.trim().parse().unwrap_or_else(|_| panic!("the upstream said `{}`", line.trim()));
        Self { child, address }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The upstream itself: says where it listens, and serves until its standard input ends.
pub fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let answer = body::answer();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", answer.len());
    let answer: &'static [u8] = [head.as_bytes(), answer.as_bytes()].concat().leak();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || converse(connection, answer));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

fn converse(mut connection: TcpStream, answer: &[u8]) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(64 * 1024, connection.try_clone()?);
    let mut line = String::new();
    loop {
        let (mut length, mut chunked, mut lines, mut stream) = (0, false, 0, None);
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() && lines > 0 {
                break;
            }
            lines += 1;
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().map_err(io::Error::other)?;
                }
                Some((name, _)) if name.eq_ignore_ascii_case("transfer-encoding") => chunked = true,
                Some((name, value)) if name.eq_ignore_ascii_case(STREAM) => stream = Stream::read(value),
                _ => {}
            }
        }
        if let Some(stream) = stream {
            // Their bodies have a length: they are held until they are complete.
            let mut request = Vec::new();
            Read::by_ref(&mut reader).take(length).read_to_end(&mut request)?;
            stream.write(&mut connection, &request)?;
            continue;
        }
        while chunked {
            line.clear();
            reader.read_line(&mut line)?;
            let size = u64::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
            // A chunk, or the end, is followed by an empty line.
            skip(&mut reader, size + 2)?;
            chunked = size > 0;
        }
        skip(&mut reader, length)?;
        connection.write_all(answer)?;
    }
}

fn skip(reader: &mut BufReader<TcpStream>, bytes: u64) -> io::Result<()> {
    match io::copy(&mut reader.take(bytes), &mut io::sink())? {
        n if n == bytes => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
