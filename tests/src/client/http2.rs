//! HTTP/2: prior knowledge in cleartext, ALPN over TLS.

use std::future::poll_fn;
use std::io;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use tokio::task::JoinHandle;

use super::{Answer, Body, Request, Target};
use crate::fields::Fields;
use crate::wait::within;

/// A connection for any number of requests at a time.
pub struct Connection {
    requests: SendRequest<Bytes>,
    driver: JoinHandle<()>,
    scheme: &'static str,
}

impl Connection {
    /// Connects.
    pub async fn open(target: &Target) -> io::Result<Self> {
        let (stream, _) = within("connecting", target.open(b"h2")).await?;
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 24).max_header_list_size(1 << 20);
        let (requests, connection) = builder.handshake(stream).await.map_err(io::Error::other)?;
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { requests, driver, scheme: if target.tls.is_some() { "https" } else { "http" } })
    }

    /// Sends `request` and reads its answer. An error means that none began.
    pub async fn call(&mut self, request: &Request) -> io::Result<Answer> {
        let mut exchange = self.begin(request).await?;
        let Exchange { stream, response, .. } = &mut exchange;
        let sending = async {
            send_body(stream, request).await;
            std::future::pending::<()>().await;
        };
        let mut answer = within("an answer", async {
            tokio::select! {
                answer = receive(response) => answer,
                () = sending => unreachable!("sending never ends"),
            }
        })
        .await?;
        answer.request_id.clone_from(&request.request_id);
        Ok(answer)
    }

    /// Sends the head only and hands the stream over, for partial bodies and resets.
    pub async fn begin(&mut self, request: &Request) -> io::Result<Exchange> {
        let mut requests = self.requests.clone().ready().await.map_err(io::Error::other)?;
        let empty = request.body == Body::Empty && request.trailers.is_none();
        let head = request.http2_head(self.scheme);
        let (response, stream) = requests.send_request(head, empty).map_err(io::Error::other)?;
        Ok(Exchange { stream, response, request_id: request.request_id.clone() })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A stream whose head was sent.
pub struct Exchange {
    stream: SendStream<Bytes>,
    response: ResponseFuture,
    request_id: String,
}

impl Exchange {
    /// Sends body bytes.
    pub async fn send(&mut self, data: impl AsRef<[u8]>) -> io::Result<()> {
        send(&mut self.stream, data.as_ref()).await
    }

    /// Ends the body, with trailers if given.
    pub fn end(&mut self, trailers: Option<Fields>) -> io::Result<()> {
        match trailers {
            Some(trailers) => self.stream.send_trailers(trailers.to_map()),
            None => self.stream.send_data(Bytes::new(), true),
        }
        .map_err(io::Error::other)
    }

    /// Resets the stream (CANCEL).
    pub fn reset(mut self) {
        self.stream.send_reset(Reason::CANCEL);
    }

    /// Reads the head of the answer, leaving the request open.
    pub async fn begin_answer(&mut self) -> io::Result<Incoming> {
        within("an answer", Incoming::begin(&mut self.response)).await
    }

    /// Reads the answer.
    pub async fn answer(mut self) -> io::Result<Answer> {
        let mut answer = within("an answer", receive(&mut self.response)).await?;
        answer.request_id = self.request_id;
        Ok(answer)
    }
}

/// Sends the body and its end; a peer that resets the stream has said why in its answer.
async fn send_body(stream: &mut SendStream<Bytes>, request: &Request) {
    let chunks = match &request.body {
        Body::Empty if request.trailers.is_none() => return,
        Body::Empty => Vec::new(),
        Body::Length(bytes) => vec![bytes.clone()],
        Body::Chunks(chunks) => chunks.clone(),
    };
    for chunk in chunks {
        if send(stream, &chunk).await.is_err() {
            return;
        }
    }
    match &request.trailers {
        Some(trailers) => drop(stream.send_trailers(trailers.to_map())),
        None => drop(stream.send_data(Bytes::new(), true)),
    }
}

/// Sends `data`, waiting for the peer's window.
pub(crate) async fn send(stream: &mut SendStream<Bytes>, data: &[u8]) -> io::Result<()> {
    let mut rest = Bytes::copy_from_slice(data);
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len());
        match poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(Ok(capacity)) => {
                let now = rest.split_to(capacity.min(rest.len()));
                stream.send_data(now, false).map_err(io::Error::other)?;
            }
            Some(Err(error)) => return Err(io::Error::other(error)),
            None => return Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
    Ok(())
}

async fn receive(response: &mut ResponseFuture) -> io::Result<Answer> {
    Ok(Incoming::begin(response).await?.finish().await)
}

/// An answer whose body is still arriving.
pub struct Incoming {
    body: RecvStream,
    ended: bool,
    /// What has arrived.
    pub answer: Answer,
}

impl Incoming {
    async fn begin(response: &mut ResponseFuture) -> io::Result<Self> {
        let mut interim = Vec::new();
        while let Some(head) = poll_fn(|cx| response.poll_informational(cx)).await {
            let head = head.map_err(io::Error::other)?;
            interim.push((head.status().as_u16(), Fields::from_map(head.headers())));
        }
        let (head, body) = response.await.map_err(io::Error::other)?.into_parts();
        let answer = Answer::new(head.status.as_u16(), Fields::from_map(&head.headers), interim);
        Ok(Self { body, ended: false, answer })
    }

    /// The next DATA frame's bytes; `None` at the end, which the answer says more about.
    pub async fn piece(&mut self) -> Option<Vec<u8>> {
        within("a piece of an answer", self.next()).await
    }

    /// The whole answer.
    pub async fn finish(mut self) -> Answer {
        within("the end of an answer", async { while self.next().await.is_some() {} }).await;
        self.answer
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        while !self.ended {
            match self.body.data().await {
                Some(Ok(data)) if data.is_empty() => {}
                Some(Ok(data)) => {
                    self.body.flow_control().release_capacity(data.len()).ok();
                    self.answer.pieces.push(data.len());
                    self.answer.body.extend_from_slice(&data);
                    return Some(data.to_vec());
                }
                Some(Err(error)) => {
                    self.answer.cut = Some(error.to_string());
                    self.ended = true;
                }
                None => {
                    match self.body.trailers().await {
                        Ok(trailers) => self.answer.trailers = trailers.as_ref().map(Fields::from_map),
                        Err(error) => self.answer.cut = Some(error.to_string()),
                    }
                    self.ended = true;
                }
            }
        }
        None
    }
}
