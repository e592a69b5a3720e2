//! Ways to a cluster that do not pass the filter. A key on that cluster would be used by whoever takes one of them.

use doorward_core::config::Tree;

use super::tree::{items_of, set, text_of};

/// What leaves the choice of the cluster to something that is not in the file, or to the request.
const ELSEWHERE: &[&str] =
    &["rds", "scoped_routes", "vhds", "cluster_header", "cluster_specifier_plugin", "inline_cluster_specifier_plugin"];

/// A listener, less the connection managers that got the filter.
#[derive(Debug)]
pub struct Left {
    pub name: String,
    rest: Tree,
}

impl Left {
    /// What is left of a listener. Names and matches are taken out: they may be spelled as a cluster is, and lead nowhere.
    pub fn of(name: &str, mut rest: Tree) -> Self {
        for key in ["name", "filter_chain_matcher", "stat_prefix"] {
            set(&mut rest, key, Tree::Null);
        }
        for key in ["filter_chains", "default_filter_chain"] {
            let chains = match entry_mut(&mut rest, key) {
                Some(Tree::List(chains)) => chains.as_mut_slice(),
                Some(chain) => std::slice::from_mut(chain),
                None => continue,
            };
            for chain in chains {
                for key in ["name", "filter_chain_match", "transport_socket"] {
                    set(chain, key, Tree::Null);
                }
                let Some(Tree::List(filters)) = entry_mut(chain, "filters") else { continue };
                for filter in filters {
                    set(filter, "name", Tree::Null);
                }
            }
        }
        Self { name: name.to_owned(), rest }
    }

    /// Whether something that is left names the cluster, or names none because it is told later or by a header.
    pub fn may_lead(&self, cluster: &str) -> bool {
        let mut chains = items_of(&self.rest, "filter_chains").iter().chain(self.rest.get("default_filter_chain"));
        // A discovered network filter may be anything: a connection manager, a proxy of its own.
        let discovered = |chain: &Tree| items_of(chain, "filters").iter().any(|f| f.get("config_discovery").is_some());
        chains.any(discovered) || may_lead(&self.rest, cluster)
    }
}

fn entry_mut<'t>(tree: &'t mut Tree, key: &str) -> Option<&'t mut Tree> {
    let Tree::Map(entries) = tree else { return None };
    entries.iter_mut().find(|(k, _)| k == key).map(|(_, value)| value)
}

fn may_lead(tree: &Tree, cluster: &str) -> bool {
    match tree {
        Tree::String(text) => text == cluster,
        Tree::Map(entries) => {
            entries.iter().any(|(key, value)| ELSEWHERE.contains(&key.as_str()) || may_lead(value, cluster))
        }
        Tree::List(items) => items.iter().any(|item| may_lead(item, cluster)),
        _ => false,
    }
}

/// Where the file names the filter to change it or to switch it off: the key under which it does.
pub fn meddles(tree: &Tree, filter: &str) -> Option<&'static str> {
    match tree {
        Tree::Map(entries) => entries.iter().find_map(|(key, value)| match (key.as_str(), value) {
            ("typed_per_filter_config", Tree::Map(filters)) if filters.iter().any(|(name, _)| name == filter) => {
                Some("typed_per_filter_config")
            }
            ("filter_disabled", value) if may_lead(value, filter) || value.get(filter).is_some() => {
                Some("filter_disabled")
            }
            ("disabled", Tree::Bool(true)) if text_of(tree, "name") == Some(filter) => Some("disabled"),
            _ => meddles(value, filter),
        }),
        Tree::List(items) => items.iter().find_map(|item| meddles(item, filter)),
        _ => None,
    }
}
