//! The filter under test as an HTTP filter of Envoy.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

/// How the policy reaches the filter.
#[derive(Clone, Debug)]
pub enum Policy {
    /// Written natively inside Envoy's YAML: a `google.protobuf.Struct`.
    Native(Value),
    /// As text (JSON, or anything a test wants to see refused): a `StringValue`.
    Text(String),
    /// Not at all.
    Absent,
}

/// A Wasm filter and its settings.
#[derive(Clone, Debug)]
pub struct Wasm {
    /// The module.
    pub module: PathBuf,
    /// Its policy.
    pub policy: Policy,
    /// Plugin name; also the prefix of its reload stats.
    pub name: String,
    /// Filters with the same module, environment and `vm_id` share VMs and the shared store.
    /// The listener's name by default: nothing is shared.
    pub vm_id: Option<String>,
    /// `allow_on_headers_stop_iteration`: what hold mode needs.
    pub hold: bool,
    /// Environment of the VM.
    pub environment: BTreeMap<String, String>,
    /// `FAIL_RELOAD`, `FAIL_CLOSED` or `FAIL_OPEN`.
    pub failure_policy: String,
    /// Least time between a load of a VM and its reload after a trap, in milliseconds; requests
    /// meanwhile get 503. Envoy's default is one second; below 2 Envoy 1.40 divides by zero.
    pub reload_backoff_ms: Option<u32>,
    /// The only host functions that may be called; all when `None`.
    pub capabilities: Option<Vec<String>>,
}

impl Wasm {
    /// A module with a native policy, in hold mode, failing as shipped.
    pub fn new(module: impl Into<PathBuf>, policy: Value) -> Self {
        Self {
            module: module.into(),
            policy: Policy::Native(policy),
            name: "doorward".to_owned(),
            vm_id: None,
            hold: true,
            environment: BTreeMap::new(),
            failure_policy: "FAIL_RELOAD".to_owned(),
            reload_backoff_ms: None,
            capabilities: None,
        }
    }

    /// The policy as text.
    #[must_use]
    pub fn text(mut self, policy: &str) -> Self {
        self.policy = Policy::Text(policy.to_owned());
        self
    }

    /// Flow mode: headers cannot be held.
    #[must_use]
    pub fn flow(mut self) -> Self {
        self.hold = false;
        self
    }

    /// Sets an environment variable of the VM.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn config(&self, listener: &str) -> Value {
        let vm_id = self.vm_id.as_deref().unwrap_or(listener);
        let mut config = json!({
            "name": self.name,
            "failure_policy": self.failure_policy,
            "allow_on_headers_stop_iteration": self.hold,
            "vm_config": {
                "vm_id": vm_id,
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": self.module}},
                "environment_variables": {"key_values": self.environment},
            },
        });
        match &self.policy {
            Policy::Native(policy) => {
                config["configuration"] =
                    json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": policy});
            }
            Policy::Text(text) => {
                config["configuration"] =
                    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text});
            }
            Policy::Absent => {}
        }
        if let Some(backoff) = self.reload_backoff_ms {
            assert!(backoff >= 2, "Envoy 1.40 dies of a reload backoff of {backoff} ms");
            let base = format!("{}.{:03}s", backoff / 1000, backoff % 1000);
            config["reload_config"] = json!({"backoff": {"base_interval": base}});
        }
        if let Some(capabilities) = &self.capabilities {
            let allowed: BTreeMap<&str, Value> = capabilities.iter().map(|c| (c.as_str(), json!({}))).collect();
            config["vm_config"]["capability_restriction_config"] = json!({"allowed_capabilities": allowed});
        }
        json!({"name": "doorward", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": config,
        }})
    }
}
