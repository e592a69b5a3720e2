//! Clusters: where a route leads, and the credential that is bound to the place.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::upstream::Upstream;

/// An upstream credential, set by Envoy's `credential_injector` as the cluster's own filter.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Header that carries it.
    pub header: String,
    /// Its whole value, scheme included.
    pub value: String,
}

/// A cluster with one endpoint.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub address: SocketAddr,
    /// Whether the upstream speaks HTTP/2.
    pub http2: bool,
    /// The credential that is bound to it.
    pub credential: Option<Credential>,
    /// Its own HTTP filters, in front of the credential's.
    pub filters: Vec<Value>,
    /// One connection for each worker, so that the next request must take the kept one.
    pub one_connection: bool,
    /// Time to connect, in milliseconds.
    pub connect_timeout_ms: u32,
    /// Merged over the generated configuration, member by member.
    pub more: Value,
}

impl Cluster {
    /// A cluster leading to `upstream`, with a name no other test has.
    pub fn to(upstream: &Upstream) -> Self {
        Self::at(upstream.address, upstream.http2)
    }

    /// A cluster leading to an address, with a name no other test has.
    pub fn at(address: SocketAddr, http2: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            name: format!("cluster-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            address,
            http2,
            credential: None,
            filters: Vec::new(),
            one_connection: false,
            connect_timeout_ms: 2000,
            more: json!({}),
        }
    }

    /// Names it; the name must be the test's own.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Binds a credential to it.
    #[must_use]
    pub fn credential(mut self, header: &str, value: &str) -> Self {
        self.credential = Some(Credential { header: header.to_owned(), value: value.to_owned() });
        self
    }

    /// At most one connection for each worker.
    #[must_use]
    pub fn one_connection(mut self) -> Self {
        self.one_connection = true;
        self
    }

    /// The credential's secret as a discovery file; `None` without a credential.
    pub(super) fn secret(&self) -> Option<Value> {
        let credential = self.credential.as_ref()?;
        Some(json!({"version_info": "1", "resources": [{
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
            "name": self.name,
            "generic_secret": {"secret": {"inline_string": credential.value}},
        }]}))
    }

    /// The cluster as Envoy reads it; `secret` is the path of the credential's discovery file.
    pub(super) fn config(&self, secret: &Path) -> Value {
        let protocol = if self.http2 { "http2_protocol_options" } else { "http_protocol_options" };
        let mut options = json!({
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {protocol: {}},
        });
        if self.http2 {
            options["explicit_http_config"][protocol]["allow_connect"] = json!(true);
        } else {
            options["explicit_http_config"][protocol]["enable_trailers"] = json!(true);
        }
        let mut filters = self.filters.clone();
        if let Some(credential) = &self.credential {
            filters.push(json!({"name": "envoy.filters.http.credential_injector", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
                "overwrite": true,
                "credential": {"name": "envoy.http.injected_credentials.generic", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic",
                    "header": credential.header,
                    "credential": {"name": self.name, "sds_config": {
                        "resource_api_version": "V3", "path_config_source": {"path": secret},
                    }},
                }},
            }}));
        }
        if !filters.is_empty() {
            filters.push(json!({"name": "envoy.filters.http.upstream_codec", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
            }}));
            options["http_filters"] = filters.into();
        }
        let mut cluster = json!({
            "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            "name": self.name,
            "type": "STATIC",
            "connect_timeout": format!("{}.{:03}s", self.connect_timeout_ms / 1000, self.connect_timeout_ms % 1000),
            "load_assignment": {"cluster_name": self.name, "endpoints": [{"lb_endpoints": [{"endpoint": {
                "address": {"socket_address": {
                    "address": self.address.ip().to_string(), "port_value": self.address.port(),
                }},
            }}]}]},
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options,
            },
        });
        if self.one_connection {
            cluster["circuit_breakers"] = json!({"thresholds": [{"max_connections": 1}]});
        }
        super::merge(&mut cluster, &self.more);
        cluster
    }
}
