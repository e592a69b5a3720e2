//! The demo's Envoy: `envoy/standalone.yaml` as shipped but for its ports, with something behind every cluster.

pub mod example;
pub mod tour;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::envoy::{Envoy, Options};
use crate::idp::{self, Algorithm, Idp};
use crate::upstream::Upstream;
use crate::wait::until;
use crate::{model, tools};

/// A running demo.
pub struct Demo {
    /// The proxy.
    pub envoy: Envoy,
    /// Behind the cluster `openai`.
    pub openai: Upstream,
    /// Behind the cluster `anthropic`.
    pub anthropic: Upstream,
    /// Behind the cluster `idp`.
    pub idp: Idp,
    /// Where the listener is.
    pub address: SocketAddr,
    /// The access log.
    pub access_log: PathBuf,
    /// The policy, as it is in Envoy's configuration.
    policy: Value,
}

/// The example that is `envoy/standalone.yaml` itself.
pub const QUICKSTART: &str = "quickstart";

impl Demo {
    /// Starts it, with `policy` instead of the file's own: on the ports that the file names, or on free ones.
    pub async fn start(fixed: bool, policy: Option<&Value>) -> Self {
        let openai = Upstream::with(model::handler()).await;
        let anthropic = Upstream::with(model::handler()).await;
        let idp = Idp::start(Algorithm::RS256).await;
        let directory = tools::scratch("demo");
        let access_log = directory.join("access.jsonl");

        let mut config = standalone();
        let resources = &mut config["static_resources"];
        let upstreams = [("openai", openai.address), ("anthropic", anthropic.address), ("idp", idp.endpoint.address)];
        for cluster in resources["clusters"].as_array_mut().into_iter().flatten() {
            let address = upstreams.iter().find(|(name, _)| cluster["name"] == *name).expect("a known cluster").1;
            cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["port_value"] =
                json!(address.port());
        }
        let listener = &mut resources["listeners"][0];
        let hcm = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        hcm["access_log"][0]["typed_config"]["path"] = json!(access_log);
        let own = &mut hcm["http_filters"][0]["typed_config"]["config"]["configuration"]["value"];
        if let Some(policy) = policy {
            own.clone_from(policy);
        }
        let policy = own.clone();
        if !fixed {
            listener["address"]["socket_address"]["port_value"] = json!(0);
            config["admin"]["address"]["socket_address"]["port_value"] = json!(0);
        }
        let path = directory.join("envoy.json");
        std::fs::write(&path, config.to_string()).expect("write the demo's configuration");
        let envoy = Envoy::start(Options { config: Some(path), ..Options::default() }).await;
        let address = *envoy.listeners().await.get("llm").expect("the listener `llm`");
        Self { envoy, openai, anthropic, idp, address, access_log, policy }
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
