//! The bench's upstream: a process of its own that reads a request to its end and answers with the same bytes always.
//! One blocking thread for each connection: nothing that costs more than the copies.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::body;

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
        let (mut length, mut chunked, mut lines) = (0, false, 0);
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
                _ => {}
            }
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
