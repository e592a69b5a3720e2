//! Targets: what is governed, named by what Envoy decided (cluster, route), never by what the client wrote.

use super::document::{Forward, TargetDocument, Transport, Ungoverned};
use super::glob::Globs;
use crate::config::{OneOrMany, Path, Problem};
use crate::protocol::Api;

/// Every target of a policy.
#[derive(Debug, Default)]
pub struct Targets(Vec<Target>);

/// One governed destination.
#[derive(Debug)]
pub struct Target {
    /// Its place in the policy.
    pub index: usize,
    /// On the record, and in statements.
    pub name: String,
    /// OpenTelemetry's provider name.
    pub provider: String,
    /// The APIs that may be used; none listed is all.
    pub apis: Vec<Api>,
    /// What stands in front of the API's own paths.
    pub path_prefix: String,
    /// The MCP server's own URL, where it is not what clients call it by.
    pub resource: Option<String>,
    /// What it learns of callers.
    pub forward: Forward,
    /// The audiences of tokens that are meant for it.
    pub audiences: Vec<String>,
    /// How an MCP server is spoken to.
    pub transport: Transport,
    /// Where an agent may be told to push notifications to.
    pub push_hosts: Globs,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Whether paths that are no known call pass.
    pub passes_unknown_paths: bool,
    /// Whether callers may sign requests for the provider.
    pub signed: bool,
    /// Whether streams are asked for their usage.
    pub asks_for_usage: bool,
    clusters: Globs,
    routes: Globs,
}

impl Targets {
    /// Compiles a policy's `targets`.
    pub fn compile(documents: &[TargetDocument], path: &Path, problems: &mut Vec<Problem>) -> Self {
        if documents.is_empty() {
            problems.push(
                Problem::new(path.clone(), "no targets, so nothing is governed")
                    .help("name at least one Envoy cluster or route"),
            );
        }
        let mut targets: Vec<Target> = Vec::new();
        for (index, document) in documents.iter().enumerate() {
            let path = path.index(index);
            if targets.iter().any(|t| t.name == document.name) {
                problems.push(Problem::new(path.key("name"), format!("a second target `{}`", document.name)));
            }
            if document.cluster.0.is_empty() && document.route.0.is_empty() {
                problems.push(
                    Problem::new(path.clone(), "a target that names neither a cluster nor a route")
                        .help("add `cluster: <name of the Envoy cluster>`"),
                );
            }
            let prefix = &document.path_prefix;
            if !prefix.is_empty() && (!prefix.starts_with('/') || prefix.ends_with('/')) {
                problems.push(
                    Problem::new(path.key("path_prefix"), format!("`{prefix}` is no path prefix"))
                        .help("it starts with `/` and does not end with it"),
                );
            }
            if let Some(resource) = &document.resource
                && !(resource.starts_with("https://") || resource.starts_with("http://"))
            {
                problems.push(
                    Problem::new(path.key("resource"), format!("`{resource}` is no URL"))
                        .help("as clients write it: `https://mcp.acme.com/mcp`"),
                );
            }
            let speaks_mcp = document.provider == "mcp" || document.apis.0.contains(&Api::Mcp);
            if document.transport == Transport::Sse && !speaks_mcp {
                problems.push(
                    Problem::new(
                        path.key("transport"),
                        "`sse` is a transport of MCP, which this target does not speak",
                    )
                    .help("add `provider: mcp`"),
                );
            }
            let audiences: Vec<String> = match document.audiences.0.as_slice() {
                [] => document.resource.iter().cloned().collect(),
                own => own.to_vec(),
            };
            if document.forward == Forward::SameAudience && audiences.is_empty() {
                problems.push(
                    Problem::new(
                        path.key("forward"),
                        "`same-audience` needs to know which audience means this upstream",
                    )
                    .help("add `audiences: <what tokens for it have as `aud`>`, or `resource`"),
                );
            }
            if document.forward != Forward::SameAudience && !document.audiences.0.is_empty() {
                problems.push(
                    Problem::new(path.key("audiences"), "nothing is forwarded by these audiences")
                        .help("add `forward: same-audience`"),
                );
            }
            targets.push(Target {
                index,
                name: document.name.clone(),
                provider: document.provider.clone(),
                apis: match document.apis.0.as_slice() {
                    [] if document.provider == "mcp" => vec![Api::Mcp],
                    [] if document.provider == "a2a" => vec![Api::A2aRest, Api::A2a],
                    apis => apis.to_vec(),
                },
                path_prefix: prefix.clone(),
                resource: document.resource.clone(),
                forward: document.forward,
                audiences,
                transport: document.transport,
                push_hosts: Globs::new(&document.push_hosts.0),
                owner: document.owner.clone(),
                passes_unknown_paths: document.unknown_paths == Ungoverned::Pass,
                signed: document.signed,
                asks_for_usage: document.ask_for_usage,
                clusters: Globs::new(&document.cluster.0),
                routes: Globs::new(&document.route.0),
            });
        }
        let speaks = |target: &Target, transport| target.transport == transport && target.apis.contains(&Api::Mcp);
        let shares = |a: &Target, b: &Target| {
            let clusters = |target: &Target| documents.get(target.index).map_or(&[][..], |d| d.cluster.0.as_slice());
            clusters(a).iter().any(|name| clusters(b).contains(name))
        };
        for target in targets.iter().filter(|t| speaks(t, Transport::StreamableHttp) && t.path_prefix.is_empty()) {
            // There, an address of a stream is a path like any other, and nobody asks for its tag.
            if let Some(older) = targets.iter().find(|t| speaks(t, Transport::Sse) && shares(t, target)) {
                problems.push(
                    Problem::new(
                        path.index(target.index).key("path_prefix"),
                        format!("no `path_prefix`, where `{}` has the same server's streams of `sse`", older.name),
                    )
                    .help("say where streamable HTTP is spoken: `path_prefix: /mcp`"),
                );
            }
        }
        Self(targets)
    }

    /// The target that governs a request which Envoy routed so. A target that names a route goes before one that
    /// names only the cluster; among equals the first in the policy.
    pub fn find(&self, cluster: Option<&str>, route: Option<&str>) -> Option<&Target> {
        let fits = |globs: &Globs, name: Option<&str>| name.is_some_and(|n| globs.any(n));
        self.0
            .iter()
            .find(|t| fits(&t.routes, route) && t.clusters.is_empty())
            .or_else(|| self.0.iter().find(|t| fits(&t.routes, route) && fits(&t.clusters, cluster)))
            .or_else(|| self.0.iter().find(|t| t.routes.is_empty() && fits(&t.clusters, cluster)))
    }

    /// Whether any wants our own word on who a caller is.
    pub fn want_assertions(&self) -> bool {
        self.0.iter().any(|t| t.forward == Forward::Assertion)
    }

    /// Whether any is an MCP server.
    pub fn speak_mcp(&self) -> bool {
        self.0.iter().any(|t| t.apis.contains(&Api::Mcp))
    }

    /// Every target, by its place.
    pub fn all(&self) -> &[Target] {
        &self.0
    }

    /// A target by its place.
    pub fn get(&self, index: usize) -> Option<&Target> {
        self.0.get(index)
    }

    /// The targets that a statement's `targets` and `providers` mean, by their place; `None` is all.
    pub(crate) fn meant(
        &self,
        names: &OneOrMany<String>,
        providers: &OneOrMany<String>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Option<Vec<bool>> {
        for (i, name) in names.0.iter().enumerate() {
            if !self.0.iter().any(|t| t.name == *name) {
                let known = self.0.iter().map(|t| t.name.as_str());
                problems.push(super::unknown(path.key("targets").index(i), "target", name, known));
            }
        }
        for (i, provider) in providers.0.iter().enumerate() {
            if !self.0.iter().any(|t| t.provider == *provider) {
                let known = self.0.iter().map(|t| t.provider.as_str());
                problems.push(super::unknown(path.key("providers").index(i), "provider", provider, known));
            }
        }
        if names.0.is_empty() && providers.0.is_empty() {
            return None;
        }
        let fits = |list: &OneOrMany<String>, value: &String| list.0.is_empty() || list.0.contains(value);
        Some(self.0.iter().map(|t| fits(names, &t.name) && fits(providers, &t.provider)).collect())
    }
}

/// Whether a target is among those meant.
pub(crate) fn includes(meant: Option<&Vec<bool>>, target: usize) -> bool {
    meant.is_none_or(|m| m.get(target).copied().unwrap_or(false))
}
