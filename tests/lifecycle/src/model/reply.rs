//! Answers that the proxy makes itself.

use super::Fields;

/// A local reply.
#[derive(Clone, Debug)]
pub struct LocalReply {
    /// `:status`.
    pub status: u16,
    /// Response code details, for the access log.
    pub details: String,
    /// Headers beyond those that the proxy sets.
    pub headers: Fields,
    /// Body.
    pub body: Vec<u8>,
}

impl LocalReply {
    /// One of Envoy's own.
    pub fn plain(status: u16, details: &str, body: &str) -> Self {
        Self { status, details: details.to_owned(), headers: Fields::default(), body: body.as_bytes().to_vec() }
    }

    /// The head as it goes on: `content-length` is the proxy's, `content-type` unless the filter gave one.
    pub fn head(&self) -> Fields {
        let mut head = Fields::of(&[(":status", &self.status.to_string())]);
        head.0.extend(self.headers.0.iter().cloned());
        if !self.body.is_empty() {
            head.set("content-length", self.body.len().to_string().as_bytes());
            if head.text("content-type").is_none() {
                head.add("content-type", b"text/plain");
            }
        }
        head
    }
}
