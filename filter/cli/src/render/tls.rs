//! Whether what a cluster leads to proves that it is the provider, before it gets the provider's key.

use doorward_core::config::Tree;

use super::tree::{items_of, text_of};

const CLEAR: (&str, &str) = (
    "without TLS, for everybody on the way to read",
    "a `transport_socket` with TLS that verifies the provider's name",
);

/// What is missing, and what to add; `None` where the provider is verified, or where the file does not say how.
pub fn unverified(cluster: &Tree) -> Option<(&'static str, &'static str)> {
    let mut sockets: Vec<&Tree> =
        items_of(cluster, "transport_socket_matches").iter().filter_map(|m| m.get("transport_socket")).collect();
    sockets.extend(cluster.get("transport_socket"));
    if sockets.is_empty() {
        return Some(CLEAR);
    }
    sockets.into_iter().find_map(|socket| of_socket(socket, validates_san(cluster)))
}

/// TLS may stand inside of another socket (PROXY protocol, an HTTP proxy).
fn of_socket(socket: &Tree, by_options: bool) -> Option<(&'static str, &'static str)> {
    let Some(tls) = with(socket, "common_tls_context").or_else(|| bare(socket)) else { return Some(CLEAR) };
    let common = tls.get("common_tls_context").unwrap_or(&Tree::Null);
    let combined = common.get("combined_validation_context");
    let context =
        common.get("validation_context").or_else(|| combined.and_then(|c| c.get("default_validation_context")));
    // What a secret service says is not in the file.
    if common.get("validation_context_sds_secret_config").is_some()
        || combined.is_some_and(|c| c.get("validation_context_sds_secret_config").is_some())
    {
        return None;
    }
    let has = |key: &str| context.is_some_and(|c| c.get(key).is_some_and(|value| !is_empty(value)));
    let accepts = context.is_some_and(|c| text_of(c, "trust_chain_verification") == Some("ACCEPT_UNTRUSTED"));
    // A pinned certificate is known by itself; a validator of its own (SPIFFE) knows names and authorities.
    if ["verify_certificate_spki", "verify_certificate_hash", "custom_validator_config"].iter().any(|key| has(key)) {
        return None;
    }
    // An empty mapping is the system's authorities.
    let system = context.is_some_and(|c| c.get("system_root_certs").is_some());
    let authorities = system || ["trusted_ca", "ca_certificate_provider_instance"].iter().any(|key| has(key));
    if !authorities || accepts {
        return Some((
            "to whoever answers there, since no certificate is verified",
            "a `validation_context` with `trusted_ca` and `match_typed_subject_alt_names` (the provider's name) to its TLS, and no ACCEPT_UNTRUSTED",
        ));
    }
    let names = ["match_typed_subject_alt_names", "match_subject_alt_names"].iter().any(|key| has(key));
    let by_sni = tls.get("auto_sni_san_validation") == Some(&Tree::Bool(true));
    if !names && !by_sni && !by_options {
        return Some((
            "to whoever has any certificate of a trusted authority",
            "`match_typed_subject_alt_names` with the provider's name to its `validation_context`, or `auto_sni_san_validation: true`",
        ));
    }
    None
}

/// `auto_san_validation` among the cluster's protocol options.
fn validates_san(cluster: &Tree) -> bool {
    with(cluster, "auto_san_validation").is_some_and(|o| o.get("auto_san_validation") == Some(&Tree::Bool(true)))
}

/// The mapping at or below `tree` that has `key`.
fn with<'t>(tree: &'t Tree, key: &str) -> Option<&'t Tree> {
    match tree {
        Tree::Map(entries) if entries.iter().any(|(k, _)| k == key) => Some(tree),
        Tree::Map(entries) => entries.iter().find_map(|(_, value)| with(value, key)),
        Tree::List(items) => items.iter().find_map(|item| with(item, key)),
        _ => None,
    }
}

/// TLS of which nothing is said.
fn bare(tree: &Tree) -> Option<&Tree> {
    let kinds = ["tls.v3.UpstreamTlsContext", "quic.v3.QuicUpstreamTransport"];
    match tree {
        Tree::Map(_) if text_of(tree, "@type").is_some_and(|t| kinds.iter().any(|kind| t.ends_with(kind))) => {
            Some(tree)
        }
        Tree::Map(entries) => entries.iter().find_map(|(_, value)| bare(value)),
        _ => None,
    }
}

fn is_empty(tree: &Tree) -> bool {
    match tree {
        Tree::Null => true,
        Tree::Map(entries) => entries.is_empty(),
        Tree::List(items) => items.is_empty(),
        Tree::String(text) => text.is_empty(),
        _ => false,
    }
}
