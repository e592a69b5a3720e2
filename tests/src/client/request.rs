//! Requests as data, for both protocols.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::fields::Fields;
use crate::h1;

/// A request's body and how its length is told on HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// With `content-length`, computed unless the request's own fields have one.
    Length(Vec<u8>),
    /// In these chunks (HTTP/2: DATA frames).
    Chunks(Vec<Vec<u8>>),
}

/// A request. Fields are sent in order and as given; `host` and `x-request-id` are added in front
/// unless [`Request::bare`].
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Request target.
    pub target: String,
    /// `Host` or `:authority`.
    pub authority: String,
    /// Finds the access-log line again.
    pub request_id: String,
    /// Further fields.
    pub fields: Fields,
    /// Body.
    pub body: Body,
    /// Trailers; on HTTP/1.1 they need [`Body::Chunks`].
    pub trailers: Option<Fields>,
    bare: bool,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &str, target: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            authority: "gateway.test".to_owned(),
            request_id: format!("00000000-0000-4000-8000-{number:012x}"),
            fields: Fields::default(),
            body: Body::Empty,
            trailers: None,
            bare: false,
        }
    }

    /// GET.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// POST of JSON with its length.
    pub fn post(target: &str, body: &Value) -> Self {
        Self::new("POST", target).header("content-type", "application/json").body(body.to_string())
    }

    /// Appends a field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push(name, value);
        self
    }

    /// Appends `authorization: Bearer TOKEN`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets `Host` or `:authority`.
    #[must_use]
    pub fn authority(mut self, authority: &str) -> Self {
        authority.clone_into(&mut self.authority);
        self
    }

    /// A body with its length.
    #[must_use]
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Body::Length(body.as_ref().to_vec());
        self
    }

    /// The body set before, or none, in chunks of `size` bytes.
    #[must_use]
    pub fn chunked(self, size: usize) -> Self {
        let chunks: Vec<_> = self.body_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        self.chunks(chunks)
    }

    /// A body in exactly these chunks.
    #[must_use]
    pub fn chunks<C: AsRef<[u8]>>(mut self, chunks: impl IntoIterator<Item = C>) -> Self {
        self.body = Body::Chunks(chunks.into_iter().map(|c| c.as_ref().to_vec()).collect());
        self
    }

    /// Ends the body with trailers; a body with length becomes one chunk.
    #[must_use]
    pub fn trailers(mut self, trailers: impl Into<Fields>) -> Self {
        if !matches!(self.body, Body::Chunks(_)) {
            self.body = Body::Chunks(vec![self.body_bytes()]);
        }
        self.trailers = Some(trailers.into());
        self
    }

    /// Adds neither `host` nor `x-request-id`.
    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// The body's bytes, chunks joined.
    pub fn body_bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Empty => Vec::new(),
            Body::Length(bytes) => bytes.clone(),
            Body::Chunks(chunks) => chunks.concat(),
        }
    }

    /// The head as HTTP/1.1 bytes, empty line included.
    pub fn head(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        if !self.bare {
            out.extend_from_slice(
                format!("host: {}\r\nx-request-id: {}\r\n", self.authority, self.request_id).as_bytes(),
            );
        }
        self.fields.write_to(&mut out);
        match &self.body {
            Body::Length(bytes) if !self.fields.has("content-length") => {
                out.extend_from_slice(format!("content-length: {}\r\n", bytes.len()).as_bytes());
            }
            Body::Chunks(_) => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            Body::Empty | Body::Length(_) => {}
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// The pieces to write one after the other, each flushed: head, then the body as framed.
    pub fn pieces(&self) -> Vec<Vec<u8>> {
        let mut pieces = vec![self.head()];
        match &self.body {
            Body::Empty => {}
            Body::Length(bytes) => pieces.push(bytes.clone()),
            Body::Chunks(chunks) => {
                for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
                    let mut out = Vec::new();
                    h1::write_chunk(chunk, &mut out);
                    pieces.push(out);
                }
                let mut end = Vec::new();
                h1::write_last_chunk(self.trailers.as_ref(), &mut end);
                pieces.push(end);
            }
        }
        pieces
    }

    pub(super) fn http2_head(&self, scheme: &str) -> http::Request<()> {
        let uri =
            http::Uri::builder().scheme(scheme).authority(self.authority.as_str()).path_and_query(self.target.as_str());
        let mut request = http::Request::new(());
        *request.method_mut() = self.method.parse().expect("a method");
        *request.uri_mut() = uri.build().expect("a request target");
        *request.version_mut() = http::Version::HTTP_2;
        *request.headers_mut() = self.fields.to_map();
        if !self.bare {
            request.headers_mut().insert("x-request-id", self.request_id.parse().expect("a request id"));
        }
        if let Body::Length(bytes) = &self.body
            && !self.fields.has("content-length")
        {
            request.headers_mut().insert("content-length", bytes.len().into());
        }
        request
    }
}
