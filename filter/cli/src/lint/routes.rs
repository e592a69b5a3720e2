//! Requests that a policy sends elsewhere: whether anything is allowed there, and whether Envoy's routes lead there.

use doorward_core::config::{Path, Problem};
use doorward_core::policy::Glob;

use super::{all_cover, boolean, text, texts};
use crate::source::Node;

/// The header by which Envoy finds the route.
const HEADER: &str = doorward_core::route::HEADER;

/// Statements on routes that end in a refusal, or never send anything.
pub fn routes(root: &Node, found: &mut Vec<Problem>) {
    for (i, route) in enforced(root) {
        let path = Path::root().key("routes").index(i);
        let id = text(route, "id").unwrap_or_default();
        let target = to(route, "target").unwrap_or_default();
        let model = text(route, "model");
        let targets = route.get("when").map(|when| texts(when, "targets")).unwrap_or_default();
        if !targets.is_empty() && targets.iter().all(|name| *name == target) {
            found.push(
                Problem::new(
                    path.key("when").key("targets"),
                    format!("`{id}` sends nothing anywhere: what is at `{target}` stays there"),
                )
                .help("name the targets that it is to send requests from"),
            );
        }
        let allows = |s: &&Node| {
            let models = texts(s, "models");
            text(s, "effect") == Some("allow")
                && text(s, "mode") != Some("observe")
                && among(&texts(s, "targets"), target)
                && among(&texts(s, "providers"), provider(root, target))
                && model.is_none_or(|m| models.is_empty() || models.iter().any(|glob| Glob::new(glob).matches(m)))
        };
        if !items(root, "access").iter().any(|s| allows(&s)) {
            let what = model.map_or_else(|| "anything".to_owned(), |model| format!("`{model}`"));
            found.push(
                Problem::new(
                    path.clone(),
                    format!("`{id}` ends in a refusal: no statement allows {what} at `{target}`"),
                )
                .help("a request must be allowed where it goes, too: add an allow with this target and model"),
            );
        }
        let known = items(root, "models");
        let knows = |m: &Node, name: &str| text(m, "name").is_some_and(|own| own.eq_ignore_ascii_case(name));
        if let Some(model) = model.filter(|model| !known.is_empty() && !known.iter().any(|m| knows(m, model))) {
            found.push(
                Problem::new(path.key("model"), format!("no model of this policy is `{model}`"))
                    .help("add it to `models`, under the name that the target's server knows it by"),
            );
        }
    }
}

/// The same beside the configuration of Envoy's connection manager, `hcm`.
pub fn envoy(root: &Node, hcm: &Node, found: &mut Vec<Problem>) {
    let hosts = member(hcm, "route_config").and_then(|config| member(config, "virtual_hosts"));
    let hosts = hosts.map(Node::items).unwrap_or_default();
    let all: Vec<&Node> =
        hosts.iter().flat_map(|host| host.get("routes").map(Node::items).unwrap_or_default()).collect();
    if all.is_empty() || enforced(root).next().is_none() {
        return;
    }
    unreached(root, &all, found);
    if member(hcm, "early_header_mutation_extensions").is_none() {
        found.push(
            Problem::new(
                Path::root().key("routes"),
                format!("a client's own `{HEADER}` chooses Envoy's first route, so such requests are refused"),
            )
            .help(
                "remove `x-doorward-` headers with `early_header_mutation_extensions`, as envoy/standalone.yaml does",
            ),
        );
    }
    for (i, route) in enforced(root) {
        let target = to(route, "target").unwrap_or_default();
        let value = to(route, "value").unwrap_or(target);
        let path = Path::root().key("routes").index(i).key("to");
        match leads(root, &all, target, value) {
            Leads::There | Leads::Unknown => {}
            Leads::Nowhere => found.push(
                Problem::new(path, format!("no route of this configuration leads to `{target}` with `{HEADER}: {value}`"))
                    .help("add one that matches the header, before those that match anything"),
            ),
            Leads::Elsewhere(cluster) => found.push(
                Problem::new(
                    path,
                    format!("what is meant for `{target}` goes to the cluster `{cluster}`, which is not the target's"),
                )
                .help(format!(
                    "put the route that matches `{HEADER}: {value}` first, and let the others match its absence (`present_match: true, invert_match: true`)"
                )),
            ),
        }
    }
}

/// Where requests with the header go.
enum Leads<'n> {
    There,
    Nowhere,
    Elsewhere(&'n str),
    /// By something that is not looked at here.
    Unknown,
}

fn leads<'n>(root: &Node, routes: &[&'n Node], target: &str, value: &str) -> Leads<'n> {
    let mut there = false;
    for route in routes {
        let Some(matches) = route.get("match") else { return Leads::Unknown };
        let fits = match fits(matches, value) {
            Some(fits) => fits,
            None => return Leads::Unknown,
        };
        if fits == Fits::No {
            continue;
        }
        let Some(cluster) = route.get("route").and_then(|action| text(action, "cluster")) else {
            // A redirect, a direct answer, or clusters that something else chooses.
            return Leads::Unknown;
        };
        if !is_of(root, target, cluster, text(route, "name")) {
            return Leads::Elsewhere(cluster);
        }
        there = true;
        if fits == Fits::All {
            return Leads::There;
        }
    }
    if there { Leads::There } else { Leads::Nowhere }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fits {
    No,
    /// Some paths.
    Some,
    /// Every request with the header.
    All,
}

/// Which requests with the header a route takes. `None`: that hangs on what is not looked at here.
fn fits(matches: &Node, value: &str) -> Option<Fits> {
    let headers = matches.get("headers").map(Node::items).unwrap_or_default();
    let whole = text(matches, "prefix") == Some("/") && headers.iter().all(|h| text(h, "name") == Some(HEADER));
    for header in headers.iter().filter(|header| text(header, "name").is_some_and(|n| n.eq_ignore_ascii_case(HEADER))) {
        let string = member(header, "string_match");
        let exact = string.and_then(|string| text(string, "exact")).or_else(|| text(header, "exact_match"));
        let present = boolean(header, "present_match").or_else(|| boolean(header, "presentMatch"));
        let holds = match (exact, present) {
            (Some(exact), None) => exact == value,
            (None, Some(present)) => present,
            _ => return None,
        };
        let inverted = boolean(header, "invert_match").or_else(|| boolean(header, "invertMatch")) == Some(true);
        if holds == inverted {
            return Some(Fits::No);
        }
    }
    Some(if whole { Fits::All } else { Fits::Some })
}

/// Targets to whose clusters no route leads.
fn unreached(root: &Node, routes: &[&Node], found: &mut Vec<Problem>) {
    let clusters: Option<Vec<&str>> =
        routes.iter().filter_map(|route| route.get("route")).map(|action| text(action, "cluster")).collect();
    let Some(clusters) = clusters else { return };
    for (i, target) in items(root, "targets").iter().enumerate() {
        let own = texts(target, "cluster");
        if !own.is_empty() && !clusters.iter().any(|cluster| all_cover(&own, &[cluster])) {
            let name = text(target, "name").unwrap_or_default();
            found.push(
                Problem::new(
                    Path::root().key("targets").index(i),
                    format!("nothing goes to `{name}`: no route of this configuration leads to its cluster"),
                )
                .help(format!("add a route to it, such as one that matches `{HEADER}: {name}`")),
            );
        }
    }
}

/// Whether traffic to a cluster by a route is a target's.
fn is_of(root: &Node, target: &str, cluster: &str, route: Option<&str>) -> bool {
    items(root, "targets").iter().filter(|t| text(t, "name") == Some(target)).any(|t| {
        let (clusters, routes) = (texts(t, "cluster"), texts(t, "route"));
        (clusters.is_empty() || all_cover(&clusters, &[cluster]))
            && (routes.is_empty() || route.is_some_and(|name| all_cover(&routes, &[name])))
    })
}

/// The statements that send anything, by their places.
fn enforced(root: &Node) -> impl Iterator<Item = (usize, &Node)> {
    let on = text(root, "mode") != Some("observe");
    let all = items(root, "routes").iter().enumerate();
    all.filter(move |(_, route)| on && text(route, "mode") != Some("observe"))
}

fn items<'n>(root: &'n Node, key: &str) -> &'n [Node] {
    root.get(key).map(Node::items).unwrap_or_default()
}

fn to<'n>(route: &'n Node, key: &str) -> Option<&'n str> {
    text(route.get("to")?, key)
}

fn provider<'n>(root: &'n Node, target: &str) -> &'n str {
    let named = items(root, "targets").iter().find(|t| text(t, "name") == Some(target));
    named.and_then(|t| text(t, "provider")).unwrap_or_default()
}

fn among(list: &[&str], value: &str) -> bool {
    list.is_empty() || list.contains(&value)
}

/// A member by its name in Envoy's API, in either spelling.
fn member<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    super::envoy::member(node, name)
}
