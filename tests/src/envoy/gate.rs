//! A listener that is being served: requests through it, its access log, its configuration.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

use serde_json::Value;
use tokio_rustls::rustls::ClientConfig;

use super::{Envoy, ListenerSpec, Policy, Rejected};
use crate::client::{Answer, Request, Target, http1, http2};
use crate::wait::until;

/// A listener; it is removed some time after this is dropped.
pub struct Gate {
    /// The listener's name, also the `stat_prefix` of its connection manager.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it is made of now.
    pub spec: ListenerSpec,
    /// The Envoy it belongs to.
    pub envoy: Envoy,
}

impl Gate {
    pub(super) async fn open(envoy: Envoy, spec: ListenerSpec) -> Result<Self, Rejected> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let name = format!("gate-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let address = envoy.apply(&name, &spec).await?;
        Ok(Self { name, address, spec, envoy })
    }

    /// Replaces the listener's configuration. After a refusal the old one goes on.
    pub async fn update(&mut self, spec: ListenerSpec) -> Result<(), Rejected> {
        self.address = self.envoy.apply(&self.name, &spec).await?;
        self.spec = spec;
        Ok(())
    }

    /// Replaces the policy of its filter.
    pub async fn update_policy(&mut self, policy: Policy) -> Result<(), Rejected> {
        let mut spec = self.spec.clone();
        spec.wasm.as_mut().expect("a listener with the filter").policy = policy;
        self.update(spec).await
    }

    /// Where clients connect to, in cleartext.
    pub fn target(&self) -> Target {
        Target::plain(self.address)
    }

    /// Its URL with this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A new HTTP/1.1 connection.
    pub async fn connect(&self) -> http1::Connection {
        http1::Connection::open(&self.target()).await.expect("connect to a listener")
    }

    /// A new HTTP/2 connection.
    pub async fn connect_http2(&self) -> http2::Connection {
        http2::Connection::open(&self.target()).await.expect("connect to a listener")
    }

    /// Sends a request on a connection of its own; panics when no answer begins.
    pub async fn call(&self, request: &Request) -> Answer {
        self.answered(request, self.try_call(request).await)
    }

    /// Sends a request on a connection of its own. An error means that no answer began.
    pub async fn try_call(&self, request: &Request) -> io::Result<Answer> {
        self.connect().await.call(request).await
    }

    /// Sends a request over HTTP/2 on a connection of its own; panics when no answer begins.
    pub async fn call_http2(&self, request: &Request) -> Answer {
        self.answered(request, self.connect_http2().await.call(request).await)
    }

    /// Sends a request over TLS on a connection of its own. An error means that no answer began.
    pub async fn call_tls(&self, tls: Arc<ClientConfig>, request: &Request) -> io::Result<Answer> {
        let target = Target { address: self.address, tls: Some(tls) };
        http1::Connection::open(&target).await?.call(request).await
    }

    fn answered(&self, request: &Request, answer: io::Result<Answer>) -> Answer {
        answer.unwrap_or_else(|e| {
            let log = self.envoy.inner.process.log_tail();
            panic!("no answer to {} {} ({}): {e}\n{log}", request.method, request.target, self.name)
        })
    }

    /// POST of JSON with a bearer token.
    pub async fn post_json(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.call(&Request::post(path, body).bearer(token)).await
    }

    /// The access-log line of an answer.
    pub async fn log_line(&self, answer: &Answer) -> Value {
        self.log_line_of(&answer.request_id).await
    }

    /// The access-log line of a request id.
    pub async fn log_line_of(&self, request_id: &str) -> Value {
        self.log_line_where(|line| line["request_id"] == request_id).await
    }

    /// The first access-log line that fits.
    pub async fn log_line_where(&self, fits: impl Fn(&Value) -> bool) -> Value {
        until("an access-log line", async || {
            let lines = self.log_lines();
            lines.iter().find(|line| fits(line)).cloned().ok_or_else(|| format!("{lines:?}"))
        })
        .await
    }

    /// Every byte of the access log so far.
    pub fn log_text(&self) -> String {
        let log = std::fs::read(ListenerSpec::log_path(&self.envoy.inner.directory, &self.name)).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// All access-log lines so far.
    pub fn log_lines(&self) -> Vec<Value> {
        let text = std::fs::read(ListenerSpec::log_path(&self.envoy.inner.directory, &self.name)).unwrap_or_default();
        // The last line may be half written.
        let lines = text.split_inclusive(|&b| b == b'\n').filter(|line| line.ends_with(b"\n"));
        lines.map(|line| serde_json::from_slice(line).unwrap_or_else(|e| panic!("{e} in the access log"))).collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.envoy.inner.doomed.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.name));
    }
}
