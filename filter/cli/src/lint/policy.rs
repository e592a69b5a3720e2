//! A policy that compiles: statements that never do anything, and what is missing.

use doorward_core::config::{Path, Problem};
use doorward_core::policy::Glob;
use doorward_core::protocol::{CALLS, Operation};

use super::content::content;
use super::routes::routes;
use super::{all_cover, boolean, text, texts};
use crate::source::Node;

/// Everything to say about a policy that compiled. `today` is a date, `2026-12-31`.
pub fn policy(root: &Node, today: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    access(root, &mut found);
    content(root, &mut found);
    targets(root, &mut found);
    routes(root, &mut found);
    api_keys(root, today, &mut found);
    found
}

fn enforced(statement: &Node) -> bool {
    text(statement, "mode") != Some("observe")
}

fn access(root: &Node, found: &mut Vec<Problem>) {
    let path = Path::root().key("access");
    let statements = root.get("access").map(Node::items).unwrap_or_default();
    let is = |statement: &&Node, effect: &str| enforced(statement) && text(statement, "effect") == Some(effect);
    if !statements.iter().any(|s| is(&s, "allow")) {
        let observed = statements.iter().any(|s| text(s, "effect") == Some("allow"));
        let message =
            if observed { "every allow is only observed, so nothing is allowed" } else { "nothing is allowed" };
        found.push(Problem::new(path.clone(), message).help(
            "no match denies: add a statement with `effect: allow`, such as `{id: all, effect: allow, roles: [staff]}`",
        ));
    }
    for (i, statement) in statements.iter().enumerate() {
        let meant = meant(root, statement);
        if !meant.contains(&true) {
            found.push(
                Problem::new(
                    path.index(i),
                    format!(
                        "`{}` can never match: no target is among its `targets` and has one of its `providers`",
                        id(statement)
                    ),
                )
                .help("name one or the other"),
            );
        }
        media(statement, &path.index(i), found);
        tools(statements, statement, &path.index(i), found);
        if !is(&statement, "allow") {
            continue;
        }
        bulk(statement, meant.iter().filter(|meant| **meant).count(), &path.index(i), found);
        let shadow = statements.iter().filter(|s| is(s, "deny")).find(|deny| denies_all_of(root, deny, statement));
        if let Some(deny) = shadow {
            found.push(
                Problem::new(
                    path.index(i),
                    format!("`{}` allows nothing: `{}` denies all that it fits", id(statement), id(deny)),
                )
                .help("deny beats allow, whatever the order: narrow the deny, or remove one of the two"),
            );
        }
    }
}

/// What keeps state at the provider or carries many requests has paths and no model: what bounds other calls does not bound it.
fn bulk(statement: &Node, targets: usize, path: &Path, found: &mut Vec<Problem>) {
    let names = texts(statement, "operations");
    let (bulk, other): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| operation(name).is_some_and(Operation::must_be_named));
    let Some(first) = bulk.first() else { return };
    if let Some(other) = other.first() {
        found.push(
            Problem::new(
                path.key("operations"),
                format!(
                    "`{}` allows `{first}` together with `{other}`, and its `models` bound only the latter",
                    id(statement)
                ),
            )
            .help(format!("give `{first}` a statement of its own: such calls name no model")),
        );
    }
    if texts(statement, "targets").is_empty() && targets > 1 {
        found.push(
            Problem::new(
                path.key("operations"),
                format!("`{}` allows `{first}` at each of {targets} targets", id(statement)),
            )
            .help("name the `targets` that are meant"),
        );
    }
}

/// Media where every operation that a statement names has none: a list has no body, and speech is made of text.
fn media(statement: &Node, path: &Path, found: &mut Vec<Problem>) {
    let operations = texts(statement, "operations");
    let none = |name: &&str| matches!(operation(name), Some(Operation::ListModels | Operation::Speech));
    if !texts(statement, "media").is_empty() && !operations.is_empty() && operations.iter().all(none) {
        found.push(
            Problem::new(
                path.key("media"),
                format!("`media` of `{}` means nothing: there is none in `{}`", id(statement), operations.join("`, `")),
            )
            .help("remove it"),
        );
    }
}

/// Rules for tools where there are none, and those that a deny makes void.
fn tools(statements: &[Node], statement: &Node, path: &Path, found: &mut Vec<Problem>) {
    let rules = statement
        .get("tools")
        .map(|tools| if tools.items().is_empty() { std::slice::from_ref(tools) } else { tools.items() });
    let Some(rules) = rules else { return };
    let operations = texts(statement, "operations");
    let with = |name: &&str| {
        let none = |operation: Operation| {
            use Operation::{
                Analyze, Embeddings, ImageGeneration, ListModels, Moderation, Rerank, Speech, TextCompletion,
            };
            [Analyze, Embeddings, ImageGeneration, ListModels, Moderation, Rerank, Speech, TextCompletion]
                .contains(&operation)
        };
        operation(name).is_none_or(|operation| !none(operation))
    };
    if !operations.is_empty() && !operations.iter().any(with) {
        found.push(
            Problem::new(
                path.key("tools"),
                format!(
                    "`tools` of `{}` means nothing: there are none in `{}`",
                    id(statement),
                    operations.join("`, `")
                ),
            )
            .help("remove it, or name `chat` among the operations"),
        );
    }
    if !enforced(statement) || text(statement, "effect") != Some("allow") {
        return;
    }
    let denies = statements.iter().filter(|s| enforced(s) && text(s, "effect") == Some("deny"));
    let denies: Vec<&Node> = denies
        .filter(|s| {
            ["roles", "targets", "providers", "models", "operations", "methods", "parameters"]
                .iter()
                .all(|key| s.get(key).is_none())
        })
        .collect();
    for (i, rule) in rules.iter().enumerate() {
        for name in texts(rule, "name") {
            let voids = |deny: &&&Node| {
                let rules = deny.get("tools").map(Node::items).unwrap_or_default();
                rules.iter().any(|rule| {
                    rule.get("arguments").is_none()
                        && rule.get("kind").is_none()
                        && texts(rule, "name").iter().any(|glob| Glob::new(glob).matches(name))
                })
            };
            if let Some(deny) = denies.iter().find(voids) {
                found.push(
                    Problem::new(
                        path.key("tools").index(i),
                        format!("`{}` never allows the tool `{name}`: `{}` denies it", id(statement), id(deny)),
                    )
                    .help("deny beats allow, whatever the order: narrow the deny, or leave the tool out"),
                );
            }
        }
    }
}

fn operation(name: &str) -> Option<Operation> {
    CALLS.iter().map(|call| call.operation).find(|operation| operation.as_str() == name)
}

fn id(statement: &Node) -> &str {
    text(statement, "id").unwrap_or_default()
}

/// Which targets a statement means.
fn meant(root: &Node, statement: &Node) -> Vec<bool> {
    let targets = root.get("targets").map(Node::items).unwrap_or_default();
    let (names, providers) = (texts(statement, "targets"), texts(statement, "providers"));
    let among = |list: &[&str], value: Option<&str>| list.is_empty() || value.is_some_and(|v| list.contains(&v));
    targets.iter().map(|t| among(&names, text(t, "name")) && among(&providers, text(t, "provider"))).collect()
}

/// Whether a deny fits every call that an allow fits.
fn denies_all_of(root: &Node, deny: &Node, allow: &Node) -> bool {
    if deny.get("tools").is_some() || deny.get("methods").is_some() {
        // It denies tools, or methods.
        return false;
    }
    let subset = |key: &str| {
        let (outer, inner) = (texts(deny, key), texts(allow, key));
        outer.is_empty() || (!inner.is_empty() && inner.iter().all(|i| outer.contains(i)))
    };
    // A deny of calls leaves the list of models alone unless it names it, but a list without calls allows nothing.
    let operations = {
        let (outer, inner) = (texts(deny, "operations"), texts(allow, "operations"));
        let listed = |o: &str| outer.contains(&o);
        match inner.as_slice() {
            [] => outer.is_empty() || listed("chat"),
            inner => inner.iter().all(|o| listed(o) || (outer.is_empty() && *o != "list_models")),
        }
    };
    deny.get("parameters").is_none_or(|p| p.entries().is_empty())
        && operations
        && subset("roles")
        && all_cover(&texts(deny, "models"), &texts(allow, "models"))
        && meant(root, allow).iter().zip(meant(root, deny)).all(|(allowed, denied)| !allowed || denied)
}

fn targets(root: &Node, found: &mut Vec<Problem>) {
    let targets = root.get("targets").map(Node::items).unwrap_or_default();
    for (i, target) in targets.iter().enumerate() {
        let path = Path::root().key("targets").index(i);
        if text(target, "unknown_paths") == Some("pass") {
            let name = text(target, "name").unwrap_or_default();
            found.push(
                Problem::new(
                    path.key("unknown_paths"),
                    format!("requests to `{name}` on paths that are not known pass unread"),
                )
                .help("say `deny`: the paths that are known are in policies/REFERENCE.md"),
            );
        }
        let (clusters, routes) = (texts(target, "cluster"), texts(target, "route"));
        let earlier = targets.iter().take(i).find(|other| {
            let (c, r) = (texts(other, "cluster"), texts(other, "route"));
            match (routes.is_empty(), r.is_empty()) {
                (true, true) => all_cover(&c, &clusters),
                (false, false) => c.is_empty() && clusters.is_empty() && all_cover(&r, &routes),
                _ => false,
            }
        });
        if let Some(other) = earlier {
            let (name, other) = (text(target, "name").unwrap_or_default(), text(other, "name").unwrap_or_default());
            found.push(
                Problem::new(path, format!("`{name}` governs nothing: all its traffic is `{other}`'s"))
                    .help("the first target that fits governs: put the narrower one first"),
            );
        }
    }
}

fn api_keys(root: &Node, today: &str, found: &mut Vec<Problem>) {
    let keys = root.get("identity").and_then(|identity| identity.get("api_keys")).map(Node::items).unwrap_or_default();
    for (i, key) in keys.iter().enumerate() {
        let expired = text(key, "expires").and_then(|e| e.get(..10)).is_some_and(|date| date < today);
        if expired && boolean(key, "revoked") != Some(true) {
            found.push(
                Problem::new(
                    Path::root().key("identity").key("api_keys").index(i).key("expires"),
                    format!("the key `{}` has expired", id(key)),
                )
                .help("remove it, or make another with `doorward key`"),
            );
        }
    }
}
