//! The HTTP/2 side of an upstream (prior knowledge, cleartext).

use std::sync::Arc;

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{Reason, RecvStream};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Arrival, Ending, Inner, Script, Seen, Step, Told, WriteHead};
use crate::fields::Fields;

pub(super) async fn serve(stream: TcpStream, connection: usize, inner: Arc<Inner>) {
    let mut builder = server::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 24).max_header_list_size(1 << 20);
    let Ok(mut accepting) = builder.handshake::<_, Bytes>(stream).await else { return };
    let mut streams = JoinSet::new();
    let mut sequence = 0;
    while let Some(Ok((request, respond))) = accepting.accept().await {
        streams.spawn(exchange(request, respond, connection, sequence, Arc::clone(&inner)));
        sequence += 1;
        while streams.try_join_next().is_some() {}
    }
}

async fn exchange(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    connection: usize,
    sequence: usize,
    inner: Arc<Inner>,
) {
    let (head, mut body) = request.into_parts();
    let method = head.method.as_str().to_owned();
    let (index, script) = inner.arrived(Seen {
        connection,
        sequence,
        method: method.clone(),
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        authority: head.uri.authority().map(ToString::to_string).unwrap_or_default(),
        fields: Fields::from_map(&head.headers),
        body: Vec::new(),
        pieces: Vec::new(),
        trailers: None,
        raw: Vec::new(),
        arrival: Arrival::Open,
    });
    match script {
        Some(script) if script.early => {
            tokio::join!(read_body(&mut body, index, &inner), answer(&mut respond, &script, &method));
        }
        script => {
            if read_body(&mut body, index, &inner).await {
                let script = script.unwrap_or_else(|| inner.handled(index));
                answer(&mut respond, &script, &method).await;
            }
        }
    }
}

/// Records the body; true if it is complete.
async fn read_body(body: &mut RecvStream, index: usize, inner: &Inner) -> bool {
    let broken = |error: h2::Error| {
        inner.update(index, |seen| seen.arrival = Arrival::Broken(error.to_string()));
        false
    };
    while let Some(data) = body.data().await {
        match data {
            Ok(data) => {
                body.flow_control().release_capacity(data.len()).ok();
                inner.update(index, |seen| {
                    seen.pieces.push(data.len());
                    seen.body.extend_from_slice(&data);
                });
            }
            Err(error) => return broken(error),
        }
    }
    match body.trailers().await {
        Ok(trailers) => {
            inner.update(index, |seen| {
                seen.trailers = trailers.as_ref().map(Fields::from_map);
                seen.arrival = Arrival::Complete;
            });
            true
        }
        Err(error) => broken(error),
    }
}

/// Answers; errors mean that the peer has gone, which is for the test to see elsewhere.
async fn answer(respond: &mut SendResponse<Bytes>, script: &Script, method: &str) {
    for step in &script.before {
        match step {
            Step::Interim(status, fields) => {
                let mut interim = http::Response::new(());
                *interim.status_mut() = http::StatusCode::from_u16(*status).expect("an interim status");
                *interim.headers_mut() = fields.to_map();
                respond.send_informational(interim).ok();
            }
            Step::Data(_) => panic!("body bytes before the head"),
            wait => rest(wait).await,
        }
    }
    if script.head != WriteHead::Whole {
        match script.ending {
            Ending::Hang => drop(std::future::poll_fn(|cx| respond.poll_reset(cx)).await),
            _ => respond.send_reset(Reason::INTERNAL_ERROR),
        }
        return;
    }
    let mut head = http::Response::new(());
    *head.status_mut() = http::StatusCode::from_u16(script.status).expect("a status");
    *head.headers_mut() = script.fields.to_map();
    if script.told == Told::Length && !matches!(script.status, 204 | 304) {
        head.headers_mut().insert("content-length", script.body_len().into());
    }
    let complete = matches!(script.ending, Ending::Keep | Ending::Close);
    let bodiless = method == "HEAD" || matches!(script.status, 204 | 304);
    let empty = bodiless || (script.body.is_empty() && script.trailers.is_none() && complete);
    let Ok(mut stream) = respond.send_response(head, empty) else { return };
    if empty {
        return;
    }
    for step in &script.body {
        match step {
            Step::Data(data) => {
                if crate::client::h2_send(&mut stream, data).await.is_err() {
                    return;
                }
            }
            wait => rest(wait).await,
        }
    }
    match (script.ending, &script.trailers) {
        (Ending::Reset, _) => stream.send_reset(Reason::INTERNAL_ERROR),
        (Ending::Hang, _) => drop(std::future::poll_fn(|cx| stream.poll_reset(cx)).await),
        (_, Some(trailers)) => drop(stream.send_trailers(trailers.to_map())),
        (_, None) => drop(stream.send_data(Bytes::new(), true)),
    }
}

async fn rest(step: &Step) {
    match step {
        Step::Pause(time) => tokio::time::sleep(*time).await,
        Step::Until(signal) => signal.notified().await,
        Step::Data(_) | Step::Interim(..) => panic!("{step:?} is not a wait"),
    }
}
