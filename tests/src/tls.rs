//! TLS in front of an upstream, as providers have it: ends it and hands the bytes on, and remembers the names that clients asked for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::pki::Identity;

/// A server with a certificate; it ends when this is dropped.
pub struct Front {
    /// Where it listens.
    pub address: SocketAddr,
    names: Arc<Mutex<Vec<Option<String>>>>,
    server: JoinHandle<()>,
}

impl Front {
    /// In front of `upstream`, showing `identity`.
    pub async fn of(upstream: SocketAddr, identity: &Identity) -> Self {
        let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("PEM")];
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM");
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("TLS versions").with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).expect("a certificate")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind a front");
        let address = listener.local_addr().expect("address of a front");
        let names = Arc::<Mutex<Vec<Option<String>>>>::default();
        let told = Arc::clone(&names);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, told) = (acceptor.clone(), Arc::clone(&told));
                tokio::spawn(async move {
                    // Who does not like the certificate goes away.
                    let Ok(mut outer) = acceptor.accept(stream).await else { return };
                    let name = outer.get_ref().1.server_name().map(str::to_owned);
                    told.lock().unwrap_or_else(PoisonError::into_inner).push(name);
                    if let Ok(mut inner) = TcpStream::connect(upstream).await {
                        copy_bidirectional(&mut outer, &mut inner).await.ok();
                    }
                });
            }
        });
        Self { address, names, server }
    }

    /// The names (SNI) of the handshakes that clients completed; `None` where one said none.
    pub fn names(&self) -> Vec<Option<String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}
