//! What stands behind the clusters of `envoy/standalone.yaml`, where an example says more than the file.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::upstream::Handler;
use crate::{model, providers};

/// A cluster, and which provider's API it speaks. A cluster that the file does not have is made like the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    /// Its name, and that of its route.
    pub cluster: String,
    /// What it speaks.
    pub speaks: Speaks,
    /// Which paths lead there; the file's own clusters have their routes.
    #[serde(default)]
    prefix: Option<String>,
    /// The header in which the provider wants its key; without one it wants none.
    #[serde(default)]
    key: Option<String>,
}

/// An API.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaks {
    /// The small model, in OpenAI's or Anthropic's words.
    Model,
    /// OpenAI's.
    Openai,
    /// Anthropic's.
    Anthropic,
    /// Azure OpenAI's.
    Azure,
    /// Gemini's and Vertex AI's.
    Gemini,
    /// Amazon Bedrock's.
    Bedrock,
    /// Cohere's.
    Cohere,
    /// Mistral's.
    Mistral,
    /// Ollama's.
    Ollama,
    /// TGI's.
    Tgi,
}

impl Speaks {
    /// As an upstream's handler.
    pub fn handler(self) -> Handler {
        match self {
            Speaks::Model => model::handler(),
            Speaks::Openai => providers::openai(),
            Speaks::Anthropic => providers::anthropic(),
            Speaks::Azure => providers::azure(),
            Speaks::Gemini => providers::gemini(),
            Speaks::Bedrock => providers::bedrock(),
            Speaks::Cohere => providers::cohere(),
            Speaks::Mistral => providers::mistral(),
            Speaks::Ollama => providers::ollama(),
            Speaks::Tgi => providers::tgi(),
        }
    }
}

impl Behind {
    /// Adds the cluster, its route and its key to a configuration that lacks them.
    pub fn add_to(&self, resources: &mut Value) {
        let clusters = resources["clusters"].as_array_mut().expect("clusters");
        if clusters.iter().any(|cluster| cluster["name"] == self.cluster.as_str()) {
            return;
        }
        let mut cluster = clusters.first().expect("a cluster to take after").clone();
        cluster["name"] = json!(self.cluster);
        cluster["load_assignment"]["cluster_name"] = json!(self.cluster);
        let options = &mut cluster["typed_extension_protocol_options"];
        let filters = options["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"]["http_filters"]
            .as_array_mut()
            .expect("filters of the cluster");
        let secret = format!("{}-key", self.cluster);
        match &self.key {
            None => filters.retain(|filter| filter["name"] != "envoy.filters.http.credential_injector"),
            Some(header) => {
                let injected = &mut filters[0]["typed_config"]["credential"]["typed_config"];
                injected["header"] = json!(header);
                injected["credential"]["name"] = json!(secret);
            }
        }
        clusters.push(cluster);
        if let Some(header) = &self.key {
            let scheme = if header == "authorization" { "Bearer " } else { "" };
            let value = format!("{scheme}sk-demo-{}", self.cluster);
            let secrets = resources["secrets"].as_array_mut().expect("secrets");
            secrets.push(json!({"name": secret, "generic_secret": {"secret": {"inline_string": value}}}));
        }
        let hcm = &mut resources["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
        let routes = hcm["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().expect("routes");
        let prefix = self.prefix.as_deref().unwrap_or_else(|| panic!("`{}`: which `prefix`?", self.cluster));
        let to = json!({"cluster": self.cluster, "timeout": "300s"});
        routes.insert(0, json!({"name": self.cluster, "match": {"prefix": prefix}, "route": to}));
    }
}
