//! A standalone Envoy: what goes where, or all of it put into a configuration that is there.

use anyhow::{Context as _, anyhow, bail};
use doorward_core::config::Tree;

use super::leads::{self, Left};
use super::plugin::{self, Rendered};
use super::tree::{entry, items_of, list, map, set, text, text_of, yaml};
use super::{clusters, spelling};
use crate::source::Source;
use crate::{input, report};

const ROUTER: &str = "envoy.filters.http.router";
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
    // Under a name of its own: an entry of a route's for all Wasm filters would change or switch off this one, too.
    map([("name", text(&rendered.arguments.name)), ("typed_config", rendered.wasm())])
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
    spelling::one(&mut root).with_context(|| format!("`{file}`"))?;
    let own = &rendered.arguments.name;
    if let Some(key) = leads::meddles(&root, own) {
        bail!(
            "`{file}`: a `{key}` names `{own}`, as the filter would be named, and would change it or switch it off: take that entry out, or give the filter another --name"
        );
    }
    let listeners = entry(&mut root, "static_resources", map([])).and_then(|r| entry(r, "listeners", list([])));
    let Some(Tree::List(listeners)) = listeners else { bail!("`{file}` has no `static_resources.listeners`") };
    let (mut placed, mut left) = (0, Vec::new());
    for listener in listeners.iter_mut() {
        let name = text_of(listener, "name").unwrap_or_default().to_owned();
        if only.is_some_and(|only| only != name) {
            left.push(Left::of(&name, listener.clone()));
            continue;
        }
        let mut seen = 0;
        let here = managers(listener, &mut |hcm| {
            seen += 1;
            place(hcm, rendered, file, &name)
        })?;
        if here < seen {
            report::note(&format!(
                "the listener `{name}` has a connection manager without a router in its `http_filters`: it goes without the filter"
            ));
        }
        let mut rest = listener.clone();
        if here > 0 {
            widen(listener, rendered);
            managers(&mut rest, &mut |hcm| {
                if chains(hcm).any(|chain| chain.iter().any(|filter| is_ours(filter, rendered))) {
                    *hcm = Tree::Null;
                }
                Ok(true)
            })?;
        }
        left.push(Left::of(&name, rest));
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

/// The HTTP filters of a connection manager, and those that an upgrade has in their place.
fn chains(hcm: &Tree) -> impl Iterator<Item = &[Tree]> {
    let upgrades = items_of(hcm, "upgrade_configs").iter().map(|upgrade| items_of(upgrade, "filters"));
    std::iter::once(items_of(hcm, "http_filters")).chain(upgrades)
}

fn is_ours(filter: &Tree, rendered: &Rendered<'_>) -> bool {
    let name = Some(rendered.arguments.name.as_str());
    let plugin = filter.get("typed_config").and_then(|t| t.get("config")).and_then(|c| text_of(c, "name"));
    plugin == name || text_of(filter, "name") == name
}

fn place(hcm: &mut Tree, rendered: &Rendered<'_>, file: &str, listener: &str) -> anyhow::Result<bool> {
    let name = &rendered.arguments.name;
    if chains(hcm).any(|chain| chain.iter().any(|filter| is_ours(filter, rendered))) {
        bail!(
            "`{file}`: the listener `{listener}` has a plugin `{name}` already: take it out, or give this one a --name"
        );
    }
    let Some(Tree::List(filters)) = entry(hcm, "http_filters", list([])) else { return Ok(false) };
    if !before_router(filters, rendered) {
        return Ok(false);
    }
    let upgrades = if hcm.get("upgrade_configs").is_some() { entry(hcm, "upgrade_configs", list([])) } else { None };
    if let Some(Tree::List(upgrades)) = upgrades {
        for upgrade in upgrades {
            let kind = text_of(upgrade, "upgrade_type").unwrap_or_default().to_owned();
            // Without filters of its own an upgrade goes through all others.
            if items_of(upgrade, "filters").is_empty() {
                continue;
            }
            let Some(Tree::List(filters)) = entry(upgrade, "filters", list([])) else { continue };
            if !before_router(filters, rendered) {
                bail!(
                    "`{file}`: the listener `{listener}` has `filters` without a router for the upgrade `{kind}`, so that the filter has no place there and would be passed by: end them with the router, or take them out"
                );
            }
        }
    }
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

fn before_router(filters: &mut Vec<Tree>, rendered: &Rendered<'_>) -> bool {
    let router = filters.iter().position(|filter| {
        let kind = filter.get("typed_config").and_then(|t| text_of(t, "@type")).unwrap_or_default();
        text_of(filter, "name") == Some(ROUTER) || kind.ends_with("envoy.extensions.filters.http.router.v3.Router")
    });
    if let Some(router) = router {
        filters.insert(router, filter(rendered));
    }
    router.is_some()
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
