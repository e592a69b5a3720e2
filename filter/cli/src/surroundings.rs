//! An Envoy configuration that is there already, as far as a first policy has to know it: its clusters, the hosts that they lead to, and
//! which of them routes use. Clusters that Envoy discovers are not seen.

use anyhow::{Context as _, anyhow, bail};
use doorward_core::config::Tree;

use crate::init::Provider;
use crate::input;
use crate::render::spelling;
use crate::render::tree::{items_of, text_of};
use crate::source::Source;

/// The clusters of a file.
#[derive(Debug)]
pub struct Surroundings {
    file: String,
    clusters: Vec<Cluster>,
}

#[derive(Debug)]
struct Cluster {
    name: String,
    /// What it leads to, `host:port`.
    hosts: Vec<String>,
    /// What it says in the TLS handshake.
    sni: Option<String>,
    /// Whether a route leads to it.
    routed: bool,
}

impl Surroundings {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or has no clusters.
    pub fn read(file: &str) -> anyhow::Result<Self> {
        let source = Source::parse(file, input::text(file)?).map_err(|(problem, _)| {
            anyhow!("{file}:{}:{}: {}", problem.mark.line, problem.mark.column, problem.message)
        })?;
        let [document] = source.documents.as_slice() else {
            bail!("`{file}` has {} documents, not one", source.documents.len())
        };
        let mut root = document.tree();
        spelling::one(&mut root).with_context(|| format!("`{file}`"))?;
        let resources = root.get("static_resources").cloned().unwrap_or(Tree::Null);
        let (mut routed, mut clusters) = (Vec::new(), Vec::new());
        leads(&resources, &mut routed);
        for cluster in items_of(&resources, "clusters") {
            let name = text_of(cluster, "name").unwrap_or_default().to_owned();
            let mut hosts = Vec::new();
            addresses(cluster, &mut hosts);
            let sni =
                cluster.get("transport_socket").and_then(|s| s.get("typed_config")).and_then(|c| text_of(c, "sni"));
            clusters.push(Cluster { routed: routed.contains(&name), hosts, sni: sni.map(str::to_owned), name });
        }
        if clusters.is_empty() {
            bail!(
                "`{file}` has no `static_resources.clusters`: leave --envoy out, and name the cluster with --cluster"
            );
        }
        Ok(Self { file: file.to_owned(), clusters })
    }

    /// The cluster that leads to a provider, and whose it is where its host says so.
    ///
    /// # Errors
    /// None does, or several do.
    pub fn provider(
        &self,
        wanted: Option<Provider>,
        named: Option<&str>,
    ) -> anyhow::Result<(Option<Provider>, String)> {
        let all = self.clusters.iter().map(|cluster| (cluster.provider(), cluster));
        let fit: Vec<(Option<Provider>, &Cluster)> = match named {
            Some(name) => all.filter(|(_, cluster)| cluster.name == name).collect(),
            None => {
                let known = |(provider, _): &(Option<Provider>, &Cluster)| {
                    provider.is_some_and(|provider| wanted.is_none_or(|wanted| wanted == provider))
                };
                let found: Vec<_> = all.clone().filter(known).collect();
                // A provider under another name (a gateway, a mirror, in the house): whatever routes lead to.
                if found.is_empty() { all.filter(|(_, cluster)| cluster.routed).collect() } else { found }
            }
        };
        match fit.as_slice() {
            [(provider, cluster)] => Ok((*provider, cluster.name.clone())),
            [] => match named {
                Some(name) => bail!("no cluster of `{}` is `{name}`: it has {}", self.file, self.names()),
                None => bail!(
                    "no route of `{}` says which cluster is meant: name one of {} with --cluster",
                    self.file,
                    self.names()
                ),
            },
            _ => bail!("several clusters of `{}` may be meant, {}: name one with --cluster", self.file, self.names()),
        }
    }

    /// The cluster that leads to `host`, which may have a port.
    pub fn cluster_to(&self, host: &str) -> Option<String> {
        let whole = if host.contains(':') { host.to_owned() } else { format!("{host}:443") };
        self.clusters.iter().find(|cluster| cluster.hosts.contains(&whole)).map(|cluster| cluster.name.clone())
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.clusters.iter().map(|cluster| format!("`{}`", cluster.name)).collect();
        names.join(", ")
    }
}

impl Cluster {
    fn provider(&self) -> Option<Provider> {
        let hosts = self.hosts.iter().filter_map(|host| host.split(':').next());
        hosts.chain(self.sni.as_deref()).find_map(Provider::at)
    }
}

/// The clusters that routes lead to.
fn leads(tree: &Tree, into: &mut Vec<String>) {
    match tree {
        Tree::Map(entries) => {
            for (key, value) in entries {
                if key == "route" {
                    into.extend(text_of(value, "cluster").map(str::to_owned));
                }
                leads(value, into);
            }
        }
        Tree::List(items) => items.iter().for_each(|item| leads(item, into)),
        _ => {}
    }
}

/// The addresses below a cluster.
fn addresses(tree: &Tree, into: &mut Vec<String>) {
    match tree {
        Tree::Map(entries) => {
            if let (Some(address), Some(Tree::Integer(port))) = (text_of(tree, "address"), tree.get("port_value")) {
                into.push(format!("{address}:{port}"));
            }
            entries.iter().for_each(|(_, value)| addresses(value, into));
        }
        Tree::List(items) => items.iter().for_each(|item| addresses(item, into)),
        _ => {}
    }
}
