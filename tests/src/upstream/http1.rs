//! The HTTP/1.1 side of an upstream.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::{Arrival, Ending, Inner, Script, Seen, Step, Told, WriteHead};
use crate::h1::{self, Framing, Head, Piece, Source};

pub(super) async fn serve(stream: TcpStream, connection: usize, inner: Arc<Inner>) {
    let (read, mut write) = stream.into_split();
    let mut source = Source::new(read);
    for sequence in 0.. {
        let head = match source.head().await {
            Ok(Some(head)) => head,
            Ok(None) => return,
            Err(error) => {
                let raw = source.take_all();
                // The peer let go of an idle connection, with a reset.
                if raw.is_empty() {
                    return;
                }
                // Bytes that are no request: a test that looks for smuggling must see them.
                let mut seen = seen(&Head::default(), connection, sequence);
                seen.raw = raw;
                seen.arrival = Arrival::Broken(error.to_string());
                inner.arrived(seen);
                return;
            }
        };
        let method = head.line.split(' ').next().unwrap_or_default().to_owned();
        let (index, script) = inner.arrived(seen(&head, connection, sequence));
        let framing = Framing::of_request(&head.fields);
        let kept = match script {
            Some(script) if script.early => {
                let reading = read_body(&mut source, framing, index, &inner);
                let writing = answer(&mut write, &script, &method);
                let (read, kept) = tokio::join!(reading, writing);
                read.and(kept)
            }
            script => match read_body(&mut source, framing, index, &inner).await {
                Ok(_) => {
                    let script = script.unwrap_or_else(|| inner.handled(index));
                    let beyond = async {
                        // A hanging or upgraded exchange: what still arrives belongs to it, and a
                        // peer that gives up ends it.
                        if script.ending == Ending::Hang {
                            while let Some(bytes) = source.some().await {
                                inner.update(index, |seen| seen.raw.extend_from_slice(&bytes));
                            }
                        } else {
                            std::future::pending::<()>().await;
                        }
                    };
                    tokio::select! {
                        kept = answer(&mut write, &script, &method) => kept,
                        () = beyond => Ok(false),
                    }
                }
                Err(error) => Err(error),
            },
        };
        if !matches!(kept, Ok(true)) {
            return;
        }
    }
}

fn seen(head: &Head, connection: usize, sequence: usize) -> Seen {
    let mut words = head.line.split(' ');
    Seen {
        connection,
        sequence,
        method: words.next().unwrap_or_default().to_owned(),
        target: words.next().unwrap_or_default().to_owned(),
        authority: head.fields.all("host").next().map(|v| String::from_utf8_lossy(v).into_owned()).unwrap_or_default(),
        fields: head.fields.clone(),
        body: Vec::new(),
        pieces: Vec::new(),
        trailers: None,
        raw: Vec::new(),
        arrival: Arrival::Open,
    }
}

async fn read_body(
    source: &mut Source<OwnedReadHalf>,
    mut framing: Framing,
    index: usize,
    inner: &Inner,
) -> io::Result<bool> {
    loop {
        match source.piece(&mut framing).await {
            Ok(Piece::Data(data)) => inner.update(index, |seen| {
                seen.pieces.push(data.len());
                seen.body.extend_from_slice(&data);
            }),
            Ok(Piece::End(trailers)) => {
                let raw = source.take_raw();
                inner.update(index, |seen| {
                    seen.trailers = trailers;
                    seen.raw = raw;
                    seen.arrival = Arrival::Complete;
                });
                return Ok(true);
            }
            Err(error) => {
                let raw = source.take_all();
                inner.update(index, |seen| {
                    seen.raw = raw;
                    seen.arrival = Arrival::Broken(error.to_string());
                });
                return Err(error);
            }
        }
    }
}

/// Writes the answer; true if the connection is kept.
async fn answer(write: &mut OwnedWriteHalf, script: &Script, method: &str) -> io::Result<bool> {
    for step in &script.before {
        perform(write, step, false).await?;
    }
    let head = head(script, method);
    match script.head {
        WriteHead::Whole => write.write_all(&head).await?,
        WriteHead::Half => write.write_all(&head[..head.len() / 2]).await?,
        WriteHead::None => {}
    }
    let chunked = script.told == Told::Chunked;
    if script.head != WriteHead::Half && !bodiless(method, script.status) {
        for step in &script.body {
            perform(write, step, chunked).await?;
        }
        if chunked && matches!(script.ending, Ending::Keep | Ending::Close) {
            let mut end = Vec::new();
            h1::write_last_chunk(script.trailers.as_ref(), &mut end);
            write.write_all(&end).await?;
        }
    }
    match script.ending {
        Ending::Keep => return Ok(script.told != Told::Close),
        Ending::Close => write.shutdown().await?,
        // The read half is dropped with the connection's task: then the kernel sends the reset.
        Ending::Reset => write.as_ref().set_zero_linger()?,
        Ending::Hang => std::future::pending().await,
    }
    Ok(false)
}

fn head(script: &Script, method: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", script.status).into_bytes();
    script.fields.write_to(&mut head);
    match script.told {
        // RFC 9110 8.6: no length in 204; in 304 and to HEAD it is what GET would have had.
        Told::Length if script.status == 204 => {}
        Told::Length if script.status == 304 && script.body.is_empty() => {}
        Told::Length => head.extend_from_slice(format!("content-length: {}\r\n", script.body_len()).as_bytes()),
        Told::Chunked if bodiless(method, script.status) => {}
        Told::Chunked => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Told::Close | Told::AsGiven => {}
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn bodiless(method: &str, status: u16) -> bool {
    status != 101 && Framing::of_answer(method, status, &crate::fields::Fields::default()) == Framing::Done
}

async fn perform(write: &mut OwnedWriteHalf, step: &Step, chunked: bool) -> io::Result<()> {
    match step {
        Step::Data(data) if chunked => {
            let mut chunk = Vec::new();
            h1::write_chunk(data, &mut chunk);
            write.write_all(&chunk).await
        }
        Step::Data(data) => write.write_all(data).await,
        Step::Pause(time) => {
            tokio::time::sleep(*time).await;
            Ok(())
        }
        Step::Until(signal) => {
            signal.notified().await;
            Ok(())
        }
        Step::Interim(status, fields) => {
            let mut head = format!("HTTP/1.1 {status} Interim\r\n").into_bytes();
            fields.write_to(&mut head);
            head.extend_from_slice(b"\r\n");
            write.write_all(&head).await
        }
    }
}
