//! A policy and the Envoy or Istio configuration around it: what the filter cannot see from inside.

use doorward_core::config::{Path, Problem};

use super::{all_cover, boolean, integer, text, texts};
use crate::policies::{self, Policy};
use crate::render::{leads, spelling};
use crate::report::{Issue, Severity};
use crate::source::{Mark, Node};
use crate::variables::Asked;

/// Envoy's own default of `per_connection_buffer_limit_bytes`.
const ENVOY_BUFFER: i64 = 1024 * 1024;

/// Everything to say about the configuration around a policy that compiled and asked for variables.
pub fn envoy(policy: &Policy<'_>, file: &str, asked: &Asked) -> Vec<Issue> {
    let mut lint = Lint { policy, file, issues: Vec::new() };
    lint.istio();
    if let Some((path, plugin)) = policy.around.iter().rev().find(|(_, node)| node.get("configuration").is_some()) {
        lint.hold(path, plugin);
        lint.failure(path, plugin);
        lint.vm(path, plugin, asked);
    }
    lint.buffer();
    lint.upgrades();
    lint.switches();
    lint.forwarded();
    lint.clusters();
    lint.routes();
    lint.issues
}

/// A member by its name in Envoy's API, which protobuf's JSON also takes in camel case.
pub(super) fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    node.get(name).or_else(|| node.get(&camel(name)))
}

/// The other spelling of a name.
pub fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        out.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

struct Lint<'a> {
    policy: &'a Policy<'a>,
    file: &'a str,
    issues: Vec<Issue>,
}

impl Lint<'_> {
    fn say(&mut self, severity: Severity, mark: Mark, path: &Path, message: impl ToString, help: &str) {
        let issue = Issue::new(severity, self.file, mark, path, message);
        self.issues.push(issue.help(Some(help.to_owned())));
    }

    /// Whether the policy waits in the header phase.
    fn holds(&self) -> bool {
        let root = self.policy.node.get();
        let hold = root.get("envoy").and_then(|envoy| boolean(envoy, "hold_headers")).unwrap_or(true);
        hold && text(root, "mode") != Some("observe")
    }

    fn istio(&mut self) {
        let Some((path, root)) = self.policy.around.first() else { return };
        let Some(kind) = text(root, "kind").filter(|kind| ["WasmPlugin", "TrafficExtension"].contains(kind)) else {
            return;
        };
        if self.holds() {
            let mark = root.get("kind").map_or(root.mark, |kind| kind.mark);
            self.say(
                Severity::Error,
                mark,
                &path.key("kind"),
                format!("headers cannot wait in an Istio {kind}, so every request would hang"),
                "say `envoy: {hold_headers: false}` in the policy, or use an EnvoyFilter",
            );
        }
    }

    fn hold(&mut self, path: &Path, plugin: &Node) {
        let flag = member(plugin, "allow_on_headers_stop_iteration");
        let on = flag.is_some_and(|flag| flag.tree() == doorward_core::config::Tree::Bool(true));
        if self.holds() && !on {
            self.say(
                Severity::Error,
                flag.map_or(plugin.mark, |flag| flag.mark),
                &path.key("allow_on_headers_stop_iteration"),
                "the policy lets headers wait for the body, and Envoy is not told: every request with a body would hang",
                "set `allow_on_headers_stop_iteration: true` here, or `envoy: {hold_headers: false}` in the policy",
            );
        }
    }

    fn failure(&mut self, path: &Path, plugin: &Node) {
        let policy = member(plugin, "failure_policy");
        let fail_open = boolean(plugin, "fail_open") == Some(true) || boolean(plugin, "failOpen") == Some(true);
        let open = policy.and_then(Node::text) == Some("FAIL_OPEN") || fail_open;
        let mark = policy.map_or(plugin.mark, |policy| policy.mark);
        let path = path.key("failure_policy");
        if open {
            self.say(
                Severity::Warning,
                mark,
                &path,
                "once the filter has failed, requests pass without it",
                "set `failure_policy: FAIL_RELOAD`",
            );
        } else if policy.and_then(Node::text) != Some("FAIL_RELOAD") {
            self.say(
                Severity::Warning,
                mark,
                &path,
                "once the filter has failed, its worker refuses every request until the configuration changes",
                "set `failure_policy: FAIL_RELOAD`, which refuses that request and serves the next",
            );
        }
    }

    fn vm(&mut self, path: &Path, plugin: &Node, asked: &Asked) {
        let Some(vm) = member(plugin, "vm_config") else { return };
        let path = path.key("vm_config");
        if member(vm, "vm_id").and_then(Node::text).unwrap_or_default().is_empty() {
            self.say(
                Severity::Warning,
                vm.mark,
                &path.key("vm_id"),
                "without a `vm_id` the filter shares its store with every other plugin that has none",
                "set a `vm_id` that nothing else uses, such as `doorward`",
            );
        }
        let variables = member(vm, "environment_variables");
        let values = variables.and_then(|v| member(v, "key_values"));
        let mut known: Vec<&str> =
            values.map(Node::entries).unwrap_or_default().iter().map(|e| e.key.as_str()).collect();
        if let Some(variables) = variables {
            known.extend(texts(variables, "host_env_keys"));
            known.extend(texts(variables, "hostEnvKeys"));
        }
        for name in asked.set.union(&asked.missing).filter(|name| !known.contains(&name.as_str())) {
            self.say(
                Severity::Error,
                variables.unwrap_or(vm).mark,
                &path.key("environment_variables"),
                format!("the policy refers to the variable `{name}`, and the VM does not get it"),
                &format!("add `environment_variables: {{host_env_keys: [{name}]}}` and set it for the Envoy process"),
            );
        }
    }

    fn buffer(&mut self) {
        let around = &self.policy.around;
        let limit = |(_, node): &(Path, &Node)| {
            integer(node, "per_connection_buffer_limit_bytes")
                .or_else(|| integer(node, "perConnectionBufferLimitBytes"))
        };
        let limit = around.iter().rev().find_map(limit);
        let root = self.policy.node.get();
        let set = root.get("envoy").and_then(|envoy| integer(envoy, "max_body_bytes"));
        let bytes = set.unwrap_or(1_000_000);
        if bytes <= limit.unwrap_or(ENVOY_BUFFER) {
            return;
        }
        let which = match limit {
            Some(limit) => format!("the listener's buffer of {limit} bytes"),
            None => format!("Envoy's default buffer of {ENVOY_BUFFER} bytes"),
        };
        let path = Path::root().key("envoy").key("max_body_bytes");
        let problem = Problem::new(
            path,
            format!("bodies up to {bytes} bytes are above {which}: Envoy refuses them first, in its own words"),
        );
        self.in_policy(problem, "lower `max_body_bytes`, or raise per_connection_buffer_limit_bytes");
    }

    /// An upgrade may have filters of its own, which Envoy then runs in place of all others.
    fn upgrades(&mut self) {
        let around = &self.policy.around;
        let hcm = around.iter().rev().find_map(|(path, node)| Some((path, node, member(node, "http_filters")?)));
        let Some((path, hcm, filters)) = hcm else { return };
        // The policy of an upgrade's own filter says nothing about the others.
        if !around.iter().any(|(_, node)| std::ptr::eq(*node, filters)) {
            return;
        }
        let path = path.key("upgrade_configs");
        for (i, upgrade) in member(hcm, "upgrade_configs").map(Node::items).unwrap_or_default().iter().enumerate() {
            let Some(own) = upgrade.get("filters").filter(|own| !own.items().is_empty()) else { continue };
            // What is discovered may be Doorward.
            if own.items().iter().any(|f| policies::is_in(f) || member(f, "config_discovery").is_some()) {
                continue;
            }
            let kind = member(upgrade, "upgrade_type").and_then(Node::text).unwrap_or_default();
            self.say(
                Severity::Error,
                own.mark,
                &path.index(i).key("filters"),
                format!(
                    "requests that upgrade to `{kind}` go through these filters alone, and Doorward is not among them"
                ),
                "put the filter in front of the router here, too, or take `filters` out of the upgrade",
            );
        }
    }

    /// What switches the filter off by its name, on a route or for all.
    fn switches(&mut self) {
        let filter = self.policy.around.iter().rev().find(|(_, node)| member(node, "typed_config").is_some());
        let (Some((_, root)), Some((path, filter))) = (self.policy.around.first(), filter) else { return };
        let Some(name) = text(filter, "name") else { return };
        let mut tree = root.tree();
        let (told, help) = match spelling::one(&mut tree) {
            Ok(()) => {
                let Some(key) = leads::meddles(&tree, name) else { return };
                let told = format!(
                    "a `{key}` of this configuration names `{name}`: what passes there passes without the filter"
                );
                (told, "give this filter a name that nothing else has, such as `doorward`")
            }
            // The error says what to do.
            Err(error) => {
                (error.to_string(), "Envoy refuses it, and what switches this filter off cannot be looked for")
            }
        };
        let mark = member(filter, "name").map_or(filter.mark, |name| name.mark);
        self.say(Severity::Error, mark, &path.key("name"), told, help);
    }

    /// How the connection manager treats the header that `from: xfcc` reads.
    fn forwarded(&mut self) {
        let identity = self.policy.node.get().get("identity").and_then(|identity| identity.get("mtls"));
        if identity.and_then(|mtls| text(mtls, "from")) != Some("xfcc") {
            return;
        }
        let hcm = self.policy.around.iter().rev().find(|(_, node)| member(node, "http_filters").is_some());
        let Some((path, hcm)) = hcm else { return };
        // A matcher decides for each request anew.
        if member(hcm, "forward_client_cert_matcher").is_some() {
            return;
        }
        let details = member(hcm, "forward_client_cert_details");
        let mark = details.map_or(hcm.mark, |details| details.mark);
        let at = path.key("forward_client_cert_details");
        let use_ = "set `forward_client_cert_details: APPEND_FORWARD` with `set_current_client_cert_details: {uri: true}`, or FORWARD_ONLY";
        match details.and_then(Node::text).unwrap_or("SANITIZE") {
            "APPEND_FORWARD" => {
                let set = member(hcm, "set_current_client_cert_details");
                if set.and_then(|set| boolean(set, "uri")) != Some(true) {
                    self.say(
                        Severity::Error,
                        set.map_or(mark, |set| set.mark),
                        &path.key("set_current_client_cert_details").key("uri"),
                        "Envoy adds an element without a URI for its own peer, so that every request would be refused",
                        "set `set_current_client_cert_details: {uri: true}`",
                    );
                }
            }
            "FORWARD_ONLY" => {}
            "ALWAYS_FORWARD_ONLY" => self.say(
                Severity::Error,
                mark,
                &at,
                "`x-forwarded-client-cert` comes in over connections without a certificate, too, as whoever opened them wrote it",
                use_,
            ),
            "SANITIZE_SET" => self.say(
                Severity::Error,
                mark,
                &at,
                "Envoy replaces what peers say by who they are, so that nobody behind them has a workload",
                use_,
            ),
            _ => self.say(
                Severity::Error,
                mark,
                &at,
                "Envoy removes `x-forwarded-client-cert` before the filter sees it, so that nobody has a workload",
                use_,
            ),
        }
    }

    /// Names of clusters, where the file lists all there are.
    fn clusters(&mut self) {
        let Some((_, bootstrap)) = self.policy.around.first() else { return };
        let resources = member(bootstrap, "static_resources").and_then(|r| r.get("clusters"));
        let names: Vec<&str> =
            resources.map(Node::items).unwrap_or_default().iter().filter_map(|c| text(c, "name")).collect();
        if names.is_empty() || member(bootstrap, "dynamic_resources").is_some() {
            return;
        }
        let root = self.policy.node.get();
        let mut unknown = Vec::new();
        for (i, target) in root.get("targets").map(Node::items).unwrap_or_default().iter().enumerate() {
            for glob in texts(target, "cluster") {
                if !names.iter().any(|name| all_cover(&[glob], &[name])) {
                    unknown.push((Path::root().key("targets").index(i).key("cluster"), glob));
                }
            }
        }
        let issuers = root.get("identity").and_then(|i| i.get("jwt")).map(Node::items).unwrap_or_default();
        for (i, issuer) in issuers.iter().enumerate() {
            let cluster = issuer.get("jwks").and_then(|jwks| text(jwks, "cluster"));
            if let Some(cluster) = cluster.filter(|c| !names.contains(c)) {
                let path = Path::root().key("identity").key("jwt").index(i).key("jwks").key("cluster");
                unknown.push((path, cluster));
            }
        }
        let externals = root.get("detectors").and_then(|d| d.get("external")).map(Node::items).unwrap_or_default();
        for (i, external) in externals.iter().enumerate() {
            if let Some(cluster) = text(external, "cluster").filter(|c| !names.contains(c)) {
                let path = Path::root().key("detectors").key("external").index(i).key("cluster");
                unknown.push((path, cluster));
            }
        }
        for (path, name) in unknown {
            let problem = Problem::new(path, format!("no cluster of this configuration is `{name}`"));
            self.in_policy(problem, "name a cluster of `static_resources.clusters`");
        }
    }

    /// Routes for what the policy sends elsewhere.
    fn routes(&mut self) {
        let around = &self.policy.around;
        let Some((_, hcm)) = around.iter().rev().find(|(_, node)| member(node, "route_config").is_some()) else {
            return;
        };
        let mut found = Vec::new();
        super::routes::envoy(self.policy.node.get(), hcm, &mut found);
        self.issues.extend(found.iter().map(|problem| self.policy.issue(Severity::Warning, self.file, problem)));
    }

    fn in_policy(&mut self, problem: Problem, help: &str) {
        let problem = problem.help(help);
        self.issues.push(self.policy.issue(Severity::Warning, self.file, &problem));
    }
}
