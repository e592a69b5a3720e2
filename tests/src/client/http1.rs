//! HTTP/1.1: one connection, any bytes.

use std::io;

use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};

use super::{Answer, RawSocket, Request, Stream, Target};
use crate::fields::Fields;
use crate::h1::{Framing, Piece, Source};
use crate::wait::within;

/// A connection that can be used for several requests.
pub struct Connection {
    source: Source<ReadHalf<Box<dyn Stream>>>,
    write: WriteHalf<Box<dyn Stream>>,
    socket: RawSocket,
}

impl Connection {
    /// Connects; the error is the peer's (refused, TLS handshake).
    pub async fn open(target: &Target) -> io::Result<Self> {
        let (stream, socket) = within("connecting", target.open(b"http/1.1")).await?;
        let (read, write) = tokio::io::split(stream);
        Ok(Self { source: Source::new(read), write, socket })
    }

    /// Writes bytes as they are.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.write.write_all(bytes.as_ref()).await?;
        self.write.flush().await
    }

    /// Writes a request, each piece on its own. A peer that stops reading early is no error:
    /// its answer says why.
    pub async fn send(&mut self, request: &Request) {
        for piece in request.pieces() {
            if self.write(&piece).await.is_err() {
                return;
            }
        }
    }

    /// Sends `request` and reads its answer, at the same time: an early answer is not missed.
    pub async fn call(&mut self, request: &Request) -> io::Result<Answer> {
        let pieces = request.pieces();
        let write = &mut self.write;
        let sending = async {
            for piece in pieces {
                if write.write_all(&piece).await.is_err() || write.flush().await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let receiving =
            async { io::Result::Ok(Incoming::begin(&mut self.source, &request.method).await?.finish().await) };
        let mut answer = within("an answer", async {
            tokio::select! {
                answer = receiving => answer,
                () = sending => unreachable!("sending never ends"),
            }
        })
        .await?;
        answer.request_id.clone_from(&request.request_id);
        Ok(answer)
    }

    /// Reads the next answer. An error means that none began.
    pub async fn answer(&mut self, method: &str) -> io::Result<Answer> {
        Ok(self.begin_answer(method).await?.finish().await)
    }

    /// Reads the head of the next answer. An error means that none began.
    pub async fn begin_answer(&mut self, method: &str) -> io::Result<Incoming<'_>> {
        within("an answer", Incoming::begin(&mut self.source, method)).await
    }

    /// Reads one head, usually an interim one: its status and fields.
    pub async fn head(&mut self) -> io::Result<(u16, Fields)> {
        within("a head", head(&mut self.source)).await
    }

    /// Raw bytes after an upgrade: the next `count` bytes.
    pub async fn read(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut framing = Framing::Length(count as u64);
        within("bytes", async {
            while let Piece::Data(data) = self.source.piece(&mut framing).await? {
                bytes.extend(data);
            }
            Ok(bytes)
        })
        .await
    }

    /// Whether the peer closes without sending anything more.
    pub async fn closed(&mut self) -> bool {
        within("the peer to close", self.source.closed()).await
    }

    /// Ends the sending direction only.
    pub async fn finish(&mut self) {
        self.write.shutdown().await.ok();
    }

    /// Cuts the connection with a reset.
    pub fn abort(self) {
        self.socket.reset_on_close();
    }
}

async fn head(source: &mut Source<ReadHalf<Box<dyn Stream>>>) -> io::Result<(u16, Fields)> {
    let head = source.head().await?.ok_or(io::ErrorKind::ConnectionReset)?;
    let status = head.line.split(' ').nth(1).and_then(|s| s.parse().ok());
    let status = status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, head.line.clone()))?;
    Ok((status, head.fields))
}

/// An answer whose body is still arriving.
pub struct Incoming<'a> {
    source: &'a mut Source<ReadHalf<Box<dyn Stream>>>,
    framing: Framing,
    ended: bool,
    /// What has arrived.
    pub answer: Answer,
}

impl<'a> Incoming<'a> {
    async fn begin(source: &'a mut Source<ReadHalf<Box<dyn Stream>>>, method: &str) -> io::Result<Self> {
        let mut interim = Vec::new();
        let (status, fields) = loop {
            let (status, fields) = head(source).await?;
            if status >= 200 || status == 101 {
                break (status, fields);
            }
            interim.push((status, fields));
        };
        let framing = Framing::of_answer(method, status, &fields);
        Ok(Self { source, framing, ended: false, answer: Answer::new(status, fields, interim) })
    }

    /// The next chunk (or what one read gave, if not chunked); `None` at the end, which the answer
    /// says more about.
    pub async fn piece(&mut self) -> Option<Vec<u8>> {
        within("a piece of an answer", self.next()).await
    }

    /// The whole answer.
    pub async fn finish(mut self) -> Answer {
        within("the end of an answer", async { while self.next().await.is_some() {} }).await;
        self.answer
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        if self.ended {
            return None;
        }
        match self.source.piece(&mut self.framing).await {
            Ok(Piece::Data(data)) => {
                self.answer.pieces.push(data.len());
                self.answer.body.extend_from_slice(&data);
                return Some(data);
            }
            Ok(Piece::End(trailers)) => self.answer.trailers = trailers,
            Err(error) => self.answer.cut = Some(error.to_string()),
        }
        self.ended = true;
        None
    }
}
