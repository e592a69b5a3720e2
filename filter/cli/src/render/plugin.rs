//! The parts of Envoy's configuration that make the filter, out of the files that are shipped for people.

use doorward_core::config::{Tree, tree_from_json};

use super::args::RenderArguments;
use super::module::Module;
use super::tree::{list, map, text};

const ACCESS_LOG: &str = include_str!("../../../../envoy/access-log.json");
const STATS: &str = include_str!("../../../../envoy/stats-config.json");
const CAPABILITIES: &str = include_str!("../../../../envoy/capabilities.txt");

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
/// Envoy's own default of `per_connection_buffer_limit_bytes`.
const BUFFER: i64 = 1024 * 1024;
/// How far a listener's buffer is above the largest body: what Envoy holds besides.
const ABOVE: i64 = 64 * 1024;

/// What is rendered: a policy that compiled, and what it needs.
#[derive(Debug)]
pub struct Rendered<'a> {
    pub arguments: &'a RenderArguments,
    pub module: Module,
    pub policy: Tree,
    pub name: String,
    pub digest: String,
    /// Variables that it refers to.
    pub variables: Vec<String>,
}

impl Rendered<'_> {
    /// Envoy's `Wasm`, with its policy.
    pub fn wasm(&self) -> Tree {
        let name = &self.arguments.name;
        let allowed = CAPABILITIES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let allowed = Tree::Map(allowed.map(|name| (name.to_owned(), map([]))).collect());
        let mut vm = vec![
            // Whoever shares the id shares the store with the counters: one for each policy.
            ("vm_id".to_owned(), text(format!("{name}-{}", self.name))),
            ("runtime".to_owned(), text("envoy.wasm.runtime.v8")),
            ("code".to_owned(), self.module.code()),
        ];
        if !self.variables.is_empty() {
            let keys = list(self.variables.iter().map(text));
            vm.push(("environment_variables".to_owned(), map([("host_env_keys", keys)])));
        }
        vm.push(("capability_restriction_config".to_owned(), map([("allowed_capabilities", allowed)])));
        let config = map([
            ("name", text(name)),
            ("root_id", text(name)),
            ("failure_policy", text("FAIL_RELOAD")),
            ("reload_config", map([("backoff", map([("base_interval", text("0.050s"))]))])),
            ("allow_on_headers_stop_iteration", Tree::Bool(true)),
            ("vm_config", Tree::Map(vm)),
            (
                "configuration",
                map([("@type", text("type.googleapis.com/google.protobuf.Struct")), ("value", self.policy.clone())]),
            ),
        ]);
        map([("@type", text(WASM)), ("config", config)])
    }

    /// The listener's buffer, where Envoy's own is too small for the policy's bodies.
    pub fn buffer(&self) -> Option<i64> {
        let body = match self.policy.get("envoy").and_then(|envoy| envoy.get("max_body_bytes")) {
            Some(Tree::Integer(bytes)) => *bytes,
            Some(Tree::String(bytes)) => bytes.parse().unwrap_or(i64::MAX - ABOVE),
            _ => return None,
        };
        (body > BUFFER - ABOVE).then(|| body.saturating_add(ABOVE))
    }
}

/// Takes headers that only the mesh may set away before the first route is chosen.
pub fn early_headers() -> Tree {
    let at = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation";
    let remove = map([("remove_on_match", map([("key_matcher", map([("prefix", text("x-doorward-"))]))]))]);
    list([map([
        ("name", text("envoy.http.early_header_mutation.header_mutation")),
        ("typed_config", map([("@type", text(at)), ("mutations", list([remove]))])),
    ])])
}

/// The access log, one line of JSON for each exchange.
pub fn access_log(path: &str) -> Tree {
    list([map([
        ("name", text("envoy.access_loggers.file")),
        (
            "typed_config",
            map([
                ("@type", text("type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog")),
                ("path", text(path)),
                ("log_format", map([("json_format", shipped(ACCESS_LOG))])),
            ]),
        ),
    ])])
}

/// Labels and buckets of the metrics.
pub fn stats() -> Tree {
    shipped(STATS)
}

/// A file of the project's; a test reads each.
fn shipped(json: &str) -> Tree {
    tree_from_json(json).unwrap_or(Tree::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_read() {
        assert!(matches!(shipped(ACCESS_LOG), Tree::Map(fields) if fields.len() > 50));
        assert!(matches!(stats().get("stats_tags"), Some(Tree::List(tags)) if tags.len() > 10));
        assert!(CAPABILITIES.lines().any(|line| line == "proxy_on_log"));
    }
}
