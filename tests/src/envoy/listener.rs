//! Listeners: filter chain, routes, codec, TLS, access log.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Cluster, Wasm};
use crate::pki::{Ca, Identity};

/// A route of a listener's only virtual host; the first that fits is taken.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name; also a governed target can be named by it.
    pub name: String,
    /// The `route.v3.RouteMatch`.
    pub matches: Value,
    /// The `route.v3.RouteAction`.
    pub action: Value,
    /// `typed_per_filter_config`.
    pub per_filter: Value,
}

impl Route {
    /// Paths with this prefix lead to `cluster`.
    pub fn prefix(prefix: &str, cluster: &Cluster) -> Self {
        Self {
            name: format!("to-{}", cluster.name),
            matches: json!({"prefix": prefix}),
            action: json!({"cluster": cluster.name, "timeout": "60s"}),
            per_filter: json!({}),
        }
    }

    /// Only with this header value: how a filter re-routes.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let mut headers = self.matches["headers"].as_array().cloned().unwrap_or_default();
        headers.push(json!({"name": name, "string_match": {"exact": value}}));
        self.matches["headers"] = headers.into();
        self
    }

    /// Names it.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Merges members into the action (`{"timeout": "0.2s"}`).
    #[must_use]
    pub fn action(mut self, more: &Value) -> Self {
        super::merge(&mut self.action, more);
        self
    }

    fn config(&self) -> Value {
        json!({
            "name": self.name, "match": self.matches, "route": self.action, "typed_per_filter_config": self.per_filter,
        })
    }
}

/// TLS of a listener.
#[derive(Clone, Debug)]
pub struct Tls {
    server: Identity,
    client_ca: Option<String>,
    optional: bool,
}

impl Tls {
    /// A server certificate of `ca`; clients are not asked for one.
    pub fn server(ca: &Ca) -> Self {
        Self { server: ca.server(), client_ca: None, optional: false }
    }

    /// A server certificate of `ca`; clients must show one of `ca` as well.
    pub fn mutual(ca: &Ca) -> Self {
        Self { server: ca.server(), client_ca: Some(ca.pem.clone()), optional: false }
    }

    /// Clients may also show no certificate; one that they show is verified all the same.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    fn config(&self) -> Value {
        let mut context = json!({
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_certificates": [{
                "certificate_chain": {"inline_string": self.server.certificate},
                "private_key": {"inline_string": self.server.key},
            }],
        });
        if let Some(ca) = &self.client_ca {
            context["validation_context"] = json!({"trusted_ca": {"inline_string": ca}});
        }
        json!({"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": context,
            "require_client_certificate": self.client_ca.is_some() && !self.optional,
        }})
    }
}

/// What a listener is made of. The filter chain is `before`, `wasm`, `after`, router.
#[derive(Clone, Debug)]
pub struct ListenerSpec {
    /// Routes in order.
    pub routes: Vec<Route>,
    /// Clusters the routes lead to, and those the filter calls.
    pub clusters: Vec<Cluster>,
    /// Native HTTP filters in front.
    pub before: Vec<Value>,
    /// The filter under test.
    pub wasm: Option<Wasm>,
    /// Native HTTP filters behind it.
    pub after: Vec<Value>,
    /// Trailers on HTTP/1.1 are passed on, not dropped.
    pub http1_trailers: bool,
    /// Upgrades that are allowed (`websocket`, `CONNECT`).
    pub upgrades: Vec<String>,
    /// `per_connection_buffer_limit_bytes`.
    pub buffer_limit: Option<u32>,
    /// TLS.
    pub tls: Option<Tls>,
    /// Access-log members beside the harness's own `request_id`, `status`, `details` and `flags`.
    pub log: Value,
    /// Merged over the generated `HttpConnectionManager`, member by member.
    pub hcm: Value,
}

impl ListenerSpec {
    /// Everything leads to `cluster`.
    pub fn to(cluster: Cluster) -> Self {
        Self::routes(vec![Route::prefix("/", &cluster)], vec![cluster])
    }

    /// A listener with these routes.
    pub fn routes(routes: Vec<Route>, clusters: Vec<Cluster>) -> Self {
        Self {
            routes,
            clusters,
            before: Vec::new(),
            wasm: None,
            after: Vec::new(),
            http1_trailers: true,
            upgrades: Vec::new(),
            buffer_limit: None,
            tls: None,
            log: json!({}),
            hcm: json!({}),
        }
    }

    /// Puts the filter under test into the chain.
    #[must_use]
    pub fn wasm(mut self, wasm: Wasm) -> Self {
        self.wasm = Some(wasm);
        self
    }

    /// Adds a native filter in front: its name and typed configuration.
    #[must_use]
    pub fn before(mut self, name: &str, config: Value) -> Self {
        self.before.push(json!({"name": name, "typed_config": config}));
        self
    }

    /// Adds a native filter behind: its name and typed configuration.
    #[must_use]
    pub fn after(mut self, name: &str, config: Value) -> Self {
        self.after.push(json!({"name": name, "typed_config": config}));
        self
    }

    /// Adds an access-log member, for example `"user"` and `"%FILTER_STATE(wasm.doorward.user:PLAIN)%"`.
    #[must_use]
    pub fn log(mut self, name: &str, format: &str) -> Self {
        self.log[name] = json!(format);
        self
    }

    /// TLS on the listener.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    pub(super) fn config(&self, name: &str, port: u16, log: &Path) -> Value {
        let mut filters = self.before.clone();
        filters.extend(self.wasm.as_ref().map(|wasm| wasm.config(name)));
        filters.extend(self.after.iter().cloned());
        filters.push(json!({"name": "envoy.filters.http.router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        }}));
        let mut format = json!({
            "request_id": "%REQ(X-REQUEST-ID)%",
            "status": "%RESPONSE_CODE%",
            "details": "%RESPONSE_CODE_DETAILS%",
            "flags": "%RESPONSE_FLAGS%",
            "upstream": "%UPSTREAM_CLUSTER_RAW%",
        });
        super::merge(&mut format, &self.log);
        let mut hcm = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": name,
            "codec_type": "AUTO",
            "preserve_external_request_id": true,
            "http_protocol_options": {"enable_trailers": self.http1_trailers},
            "http2_protocol_options": {"allow_connect": true},
            "max_request_headers_kb": 192,
            "upgrade_configs": self.upgrades.iter().map(|u| json!({"upgrade_type": u})).collect::<Vec<_>>(),
            "http_filters": filters,
            "route_config": {"name": name, "virtual_hosts": [{
                "name": name, "domains": ["*"],
                "routes": self.routes.iter().map(Route::config).collect::<Vec<_>>(),
            }]},
            "access_log": [{"name": "envoy.access_loggers.file", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": log,
                "log_format": {"json_format": format},
            }}],
        });
        super::merge(&mut hcm, &self.hcm);
        let mut chain = json!({"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": hcm,
        }]});
        if let Some(tls) = &self.tls {
            chain["transport_socket"] = tls.config();
        }
        let mut listener = json!({
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": name,
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "filter_chains": [chain],
        });
        if let Some(limit) = self.buffer_limit {
            listener["per_connection_buffer_limit_bytes"] = json!(limit);
        }
        listener
    }

    /// Files of a listener live here, under the Envoy's directory.
    pub(super) fn log_path(directory: &Path, name: &str) -> PathBuf {
        directory.join(format!("{name}.access.jsonl"))
    }
}
