//! The demo's Envoy: `envoy/standalone.yaml` as shipped but for its ports, with something behind every cluster.

pub mod behind;
pub mod example;
mod shown;
pub mod tour;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use self::behind::Speaks;
use self::example::Example;
use crate::envoy::{Envoy, Options};
use crate::idp::{self, Algorithm, Idp};
use crate::pki::Ca;
use crate::tls::Front;
use crate::tools;
use crate::upstream::Upstream;
use crate::wait::until;

/// A running demo.
pub struct Demo {
    /// The proxy.
    pub envoy: Envoy,
    /// The providers, by their clusters.
    pub upstreams: Vec<(String, Upstream)>,
    /// Behind the cluster `idp`.
    pub idp: Idp,
    /// Where the listener is.
    pub address: SocketAddr,
    /// The access log.
    pub access_log: PathBuf,
    /// The policy, as it is in Envoy's configuration.
    policy: Value,
    /// The clusters of detectors that the policy asks.
    detectors: Vec<String>,
    /// TLS in front of what clusters reach by it.
    _fronts: Vec<Front>,
}

/// The variable of Envoy's environment that has the key of `tokenize`.
const TOKENIZE_KEY: &str = "DOORWARD_TOKENIZE_KEY";

/// The example that is `envoy/standalone.yaml` itself.
pub const QUICKSTART: &str = "quickstart";

impl Demo {
    /// Starts it as an example wants it: on the ports that the file names, or on free ones.
    pub async fn start(fixed: bool, example: &Example) -> Self {
        let mut config = example.envoy.clone().unwrap_or_else(standalone);
        let resources = &mut config["static_resources"];
        let mut upstreams = Vec::new();
        let detectors: Vec<String> =
            example.behind.iter().filter(|b| b.speaks == Speaks::Directory).map(|b| b.cluster.clone()).collect();
        for behind in &example.behind {
            behind.add_to(resources);
            upstreams.push((behind.cluster.clone(), Upstream::with(behind.speaks.handler()).await));
        }
        let idp = Idp::start(Algorithm::RS256).await;
        let directory = tools::scratch("demo");
        let access_log = directory.join("access.jsonl");

        let (ca, mut fronts) = (Ca::new(), Vec::new());
        let authority = directory.join("ca.pem");
        std::fs::write(&authority, &ca.pem).expect("write the authority");
        for cluster in resources["clusters"].as_array_mut().into_iter().flatten() {
            let name = cluster["name"].as_str().expect("a cluster's name").to_owned();
            let known = upstreams.iter().find(|(cluster, _)| *cluster == name).map(|(_, upstream)| upstream.address);
            let address = match known {
                Some(address) => address,
                None if name == "idp" => idp.endpoint.address,
                None => {
                    let upstream = Upstream::with(Speaks::Model.handler()).await;
                    let address = upstream.address;
                    upstreams.push((name.clone(), upstream));
                    address
                }
            };
            let sni = cluster["transport_socket"]["typed_config"]["sni"].as_str().map(str::to_owned);
            let address = match sni {
                None => address,
                Some(host) => {
                    let behind = example.behind.iter().find(|behind| behind.cluster == name);
                    let host = behind.and_then(|behind| behind.certificate.as_deref()).unwrap_or(&host);
                    fronts.push(Front::of(address, &ca.server_for(host)).await);
                    let tls = &mut cluster["transport_socket"]["typed_config"];
                    tls["common_tls_context"]["validation_context"]["trusted_ca"] = json!({"filename": authority});
                    fronts[fronts.len() - 1].address
                }
            };
            cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"] =
                json!({"address": "127.0.0.1", "port_value": address.port()});
        }
        let listener = &mut resources["listeners"][0];
        let hcm = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        hcm["access_log"][0]["typed_config"]["path"] = json!(access_log);
        let own = &mut hcm["http_filters"][0]["typed_config"]["config"]["configuration"]["value"];
        if let Some(policy) = &example.policy {
            own.clone_from(policy);
        }
        let policy = own.clone();
        if !fixed {
            listener["address"]["socket_address"]["port_value"] = json!(0);
            config["admin"]["address"]["socket_address"]["port_value"] = json!(0);
        }
        let path = directory.join("envoy.json");
        std::fs::write(&path, config.to_string()).expect("write the demo's configuration");
        let environment =
            BTreeMap::from([(TOKENIZE_KEY.to_owned(), "the key of a demo, good for nothing else".to_owned())]);
        let envoy = Envoy::start(Options { config: Some(path), environment, ..Options::default() }).await;
        let address = *envoy.listeners().await.get("llm").expect("the listener `llm`");
        Self { envoy, upstreams, idp, address, access_log, policy, detectors, _fronts: fronts }
    }

    /// Whether a cluster is a provider's.
    pub fn is_provider(&self, cluster: &str) -> bool {
        !self.detectors.iter().any(|detector| detector == cluster)
    }

    /// The listener's URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the workers have the identity provider's keys.
    async fn keys_fetched(&self) {
        until("the keys", async || {
            let text = self.envoy.prometheus().await;
            let fetched =
                text.lines().any(|l| l.starts_with("doorward_jwks_fetches_total{result=\"ok\"}") && !l.ends_with(" 0"));
            if fetched { Ok(()) } else { Err("not fetched yet".to_owned()) }
        })
        .await;
        // One worker fetches; the others look every 100 ms.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    /// Whether nothing is changed, callers' credentials included.
    fn policy_observes(&self) -> bool {
        self.policy["mode"] == "observe"
    }

    /// A token for `user` in `group`, good for an hour.
    pub fn token(&self, user: &str, group: &str) -> String {
        self.idp.token(user, json!({"groups": [group], "team": "search", "exp": idp::now() + 3600}))
    }
}

/// `envoy/standalone.yaml`, parsed.
pub fn standalone() -> Value {
    let text = std::fs::read_to_string(tools::root().join("envoy/standalone.yaml")).expect("envoy/standalone.yaml");
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("envoy/standalone.yaml: {e}"))
}
