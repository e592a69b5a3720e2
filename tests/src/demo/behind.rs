//! What stands behind the clusters of `envoy/standalone.yaml`, where an example says more than the file.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::upstream::{Handler, Script, Seen};
use crate::{model, providers};

/// A cluster, and which provider's API it speaks. A cluster that the file does not have is made like the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behind {
    /// Its name, and that of its route.
    pub cluster: String,
    /// What it speaks.
    pub speaks: Speaks,
    /// Which paths lead there; the file's own clusters have their routes, and without one only the filter calls it.
    #[serde(default)]
    prefix: Option<String>,
    /// The header in which the provider wants its key; without one it wants none.
    #[serde(default)]
    key: Option<String>,
    /// The host name in its certificate, where it is not the one that the cluster asks for.
    #[serde(default)]
    pub certificate: Option<String>,
}

/// An API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
    /// MCP: a server of tools.
    Mcp,
    /// A detector's: the webhook of `detectors.external`.
    Directory,
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
            Speaks::Mcp => providers::mcp(),
            Speaks::Directory => directory(),
        }
    }
}

/// Finds the names of a few people, as a detector outside of the filter does.
fn directory() -> Handler {
    const PEOPLE: [(&str, &str); 2] = [("Zoë Mäkinen", "EMPLOYEE"), ("Ola Nordmann", "CONTRACTOR")];
    Arc::new(|seen: &Seen| {
        let asked: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
        let mut findings = Vec::new();
        for text in asked["texts"].as_array().into_iter().flatten() {
            let content = text["text"].as_str().unwrap_or_default();
            for (name, kind) in PEOPLE {
                for (at, _) in content.match_indices(name) {
                    let start = content.get(..at).unwrap_or_default().chars().count();
                    let end = start + name.chars().count();
                    findings.push(json!({"id": text["id"], "type": kind, "start": start, "end": end, "score": 0.9}));
                }
            }
        }
        Script::json(&json!({"findings": findings}))
    })
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
        let Some(prefix) = &self.prefix else { return };
        let to = json!({"cluster": self.cluster, "timeout": "300s"});
        routes.insert(0, json!({"name": self.cluster, "match": {"prefix": prefix}, "route": to}));
    }
}
