//! Clients that send what a test says, byte for byte, over HTTP/1.1 and HTTP/2.

pub mod http1;
pub mod http2;
mod request;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

pub(crate) use self::http2::send as h2_send;
pub use self::request::{Body, Request};
use crate::fields::Fields;

/// An answer as it arrived.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Final status.
    pub status: u16,
    /// Fields of the final head.
    pub fields: Fields,
    /// Interim answers that came before.
    pub interim: Vec<(u16, Fields)>,
    /// Body bytes, as far as they came.
    pub body: Vec<u8>,
    /// Sizes of chunks or DATA frames.
    pub pieces: Vec<usize>,
    /// Trailers.
    pub trailers: Option<Fields>,
    /// Why the answer is incomplete, if it is.
    pub cut: Option<String>,
    /// The `x-request-id` the request was sent with, to find its access-log line.
    pub request_id: String,
}

impl Answer {
    fn new(status: u16, fields: Fields, interim: Vec<(u16, Fields)>) -> Self {
        Self {
            status,
            fields,
            interim,
            body: Vec::new(),
            pieces: Vec::new(),
            trailers: None,
            cut: None,
            request_id: String::new(),
        }
    }

    /// The body as text; panics if it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text body")
    }

    /// The body as JSON; panics if it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }
}

/// A stream to Envoy, with or without TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Where to connect to, and how.
#[derive(Clone)]
pub struct Target {
    /// Address.
    pub address: SocketAddr,
    /// TLS, when the listener wants it (see [`crate::pki`]).
    pub tls: Option<Arc<ClientConfig>>,
}

impl Target {
    /// Cleartext.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    pub(crate) async fn open(&self, protocol: &[u8]) -> io::Result<(Box<dyn Stream>, RawSocket)> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let raw = RawSocket::of(&stream);
        let Some(tls) = &self.tls else { return Ok((Box::new(stream), raw)) };
        let mut config = ClientConfig::clone(tls);
        config.alpn_protocols = vec![protocol.to_vec()];
        let name = ServerName::try_from("localhost").expect("a server name");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok((Box::new(stream), raw))
    }
}

/// Lets a connection be reset although its stream is boxed.
pub(crate) struct RawSocket(std::os::fd::RawFd);

impl RawSocket {
    fn of(stream: &TcpStream) -> Self {
        Self(std::os::fd::AsRawFd::as_raw_fd(stream))
    }

    /// The close that follows sends RST. The stream must still be open.
    pub(crate) fn reset_on_close(&self) {
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        let size = libc::socklen_t::try_from(size_of::<libc::linger>()).expect("a small size");
        // SAFETY: the descriptor is open (the caller owns its stream) and the pointer is to a live `linger`.
        let result =
            unsafe { libc::setsockopt(self.0, libc::SOL_SOCKET, libc::SO_LINGER, (&raw const linger).cast(), size) };
        assert_eq!(result, 0, "SO_LINGER: {}", io::Error::last_os_error());
    }
}
