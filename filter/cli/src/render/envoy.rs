//! A standalone Envoy: what goes where, or all of it put into a configuration that is there.

use anyhow::{anyhow, bail};
use doorward_core::config::Tree;

use super::clusters;
use super::plugin::{self, Rendered};
use super::tree::{entry, items_of, list, map, set, text, text_of, yaml};
use crate::source::Source;
use crate::{input, report};

const ROUTER: &str = "envoy.filters.http.router";
const FILTER: &str = "envoy.filters.http.wasm";
const HCM: &str = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/// What to put where.
pub fn fragment(rendered: &Rendered<'_>) -> String {
    let mut listener = map([]);
    if let Some(bytes) = rendered.buffer() {
        set(&mut listener, "per_connection_buffer_limit_bytes", Tree::Integer(bytes));
    }
    let mut parts = vec![
        (
            "# In the HTTP connection manager: `http_filters` before the router, the rest as it is.\n",
            map([(
                "http_connection_manager",
                map([
                    ("early_header_mutation_extensions", plugin::early_headers()),
                    ("access_log", plugin::access_log(&rendered.arguments.access_log)),
                    ("http_filters", list([filter(rendered)])),
                ]),
            )]),
        ),
        ("# In the bootstrap.\n", map([("bootstrap", map([("stats_config", plugin::stats())]))])),
    ];
    if rendered.buffer().is_some() {
        parts.insert(0, ("# In the listener.\n", map([("listener", listener)])));
    }
    parts.iter().map(|(comment, tree)| format!("{comment}{}", yaml(tree))).collect()
}

fn filter(rendered: &Rendered<'_>) -> Tree {
    map([("name", text(FILTER)), ("typed_config", rendered.wasm())])
}

/// All of it in a configuration of Envoy's. What is there stays; comments do not.
///
/// # Errors
/// The file cannot be read, or has no place for the filter.
pub fn into(file: &str, only: Option<&str>, rendered: &Rendered<'_>) -> anyhow::Result<String> {
    let source = Source::parse(file, input::text(file)?)
        .map_err(|(problem, _)| anyhow!("{file}:{}:{}: {}", problem.mark.line, problem.mark.column, problem.message))?;
    let [document] = source.documents.as_slice() else {
        bail!("`{file}` has {} documents, not one", source.documents.len())
    };
    let mut root = document.tree();
    let listeners = entry(&mut root, "static_resources", map([])).and_then(|r| entry(r, "listeners", list([])));
    let Some(Tree::List(listeners)) = listeners else { bail!("`{file}` has no `static_resources.listeners`") };
    let (mut placed, mut left) = (0, Vec::new());
    for listener in listeners.iter_mut() {
        let name = text_of(listener, "name").unwrap_or_default().to_owned();
        if only.is_some_and(|only| only != name) {
            left.push(listener.clone());
            continue;
        }
        let here = managers(listener, &mut |hcm| place(hcm, rendered, file, &name))?;
        if here > 0 {
            widen(listener, rendered);
        } else {
            left.push(listener.clone());
        }
        placed += here;
    }
    if placed == 0 {
        let which = only.map_or_else(|| "no listener".to_owned(), |name| format!("no listener `{name}`"));
        bail!("`{file}` has {which} with an HTTP connection manager and a router");
    }
    labels(&mut root);
    clusters::keys(&mut root, rendered, &left)?;
    for added in clusters::issuers(&mut root, rendered) {
        report::note(&added);
    }
    Ok(yaml(&root))
}

/// Every HTTP connection manager of a listener.
fn managers(tree: &mut Tree, each: &mut impl FnMut(&mut Tree) -> anyhow::Result<bool>) -> anyhow::Result<usize> {
    if text_of(tree, "@type").is_some_and(|name| name.ends_with(HCM)) {
        return Ok(usize::from(each(tree)?));
    }
    let mut count = 0;
    match tree {
        Tree::Map(entries) => {
            for (_, value) in entries {
                count += managers(value, each)?;
            }
        }
        Tree::List(items) => {
            for item in items {
                count += managers(item, each)?;
            }
        }
        _ => {}
    }
    Ok(count)
}

fn place(hcm: &mut Tree, rendered: &Rendered<'_>, file: &str, listener: &str) -> anyhow::Result<bool> {
    let name = &rendered.arguments.name;
    let is_ours = |filter: &Tree| {
        filter.get("typed_config").and_then(|t| t.get("config")).and_then(|c| text_of(c, "name")) == Some(name)
    };
    if items_of(hcm, "http_filters").iter().any(is_ours) {
        bail!(
            "`{file}`: the listener `{listener}` has a plugin `{name}` already: take it out, or give this one a --name"
        );
    }
    let Some(Tree::List(filters)) = entry(hcm, "http_filters", list([])) else { return Ok(false) };
    let router = filters.iter().position(|filter| {
        let kind = filter.get("typed_config").and_then(|t| text_of(t, "@type")).unwrap_or_default();
        text_of(filter, "name") == Some(ROUTER) || kind.ends_with("envoy.extensions.filters.http.router.v3.Router")
    });
    let Some(router) = router else { return Ok(false) };
    filters.insert(router, filter(rendered));
    for (key, more) in [
        ("early_header_mutation_extensions", plugin::early_headers()),
        ("access_log", plugin::access_log(&rendered.arguments.access_log)),
    ] {
        if let (Some(Tree::List(old)), Tree::List(more)) = (entry(hcm, key, list([])), more) {
            old.extend(more);
        }
    }
    Ok(true)
}

fn widen(listener: &mut Tree, rendered: &Rendered<'_>) {
    let key = "per_connection_buffer_limit_bytes";
    // What the listener says may be too little even for the policy's default.
    let needed = rendered.buffer().unwrap_or(1024 * 1024);
    match listener.get(key) {
        Some(Tree::Integer(bytes)) if *bytes >= needed => {}
        None if rendered.buffer().is_none() => {}
        _ => set(listener, key, Tree::Integer(needed)),
    }
}

/// Labels and buckets that are not there yet.
fn labels(root: &mut Tree) {
    let Some(config) = entry(root, "stats_config", map([])) else { return };
    let shipped = plugin::stats();
    for (key, name) in [("stats_tags", "tag_name"), ("histogram_bucket_settings", "match")] {
        let Some(Tree::List(old)) = entry(config, key, list([])) else { continue };
        for item in items_of(&shipped, key) {
            if !old.iter().any(|o| o.get("regex") == item.get("regex") && o.get(name) == item.get(name)) {
                old.push(item.clone());
            }
        }
    }
}
