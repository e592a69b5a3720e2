//! What the policy needs of Envoy's clusters, put into a configuration that is there: the providers' keys (`--key`), and the way to an
//! identity provider's keys where no cluster leads there.
//!
//! A key comes out of the environment of the Envoy process, so that it stands in no file and in no `/config_dump`.

use anyhow::bail;
use doorward_core::config::Tree;

use super::leads::Left;
use super::plugin::Rendered;
use super::tls;
use super::tree::{entry, items_of, list, map, set, text, text_of};
use crate::report;

const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
const INJECTOR: &str = "envoy.filters.http.credential_injector";
const CODEC: &str = "envoy.filters.http.upstream_codec";

/// The providers' keys, each on the clusters of its target. `left` is what did not get the filter.
///
/// # Errors
/// A target, its clusters or its provider's way to take a key is not known, a cluster has a key already, or a listener without the filter
/// leads there, so that the key would be anybody's.
pub fn keys(root: &mut Tree, rendered: &Rendered<'_>, left: &[Left]) -> anyhow::Result<()> {
    if !rendered.arguments.key.is_empty() && root.get("dynamic_resources").is_some() {
        report::note(
            "what Envoy discovers (`dynamic_resources`) is not seen: a discovered listener or route that leads to a cluster with a key, without the filter, lets anybody use it",
        );
    }
    for key in &rendered.arguments.key {
        let Some((name, variable)) =
            key.split_once('=').filter(|(name, variable)| !name.is_empty() && is_name(variable))
        else {
            // What is given may be the key itself: only what the policy says anyway is shown.
            let name = key.split('=').next().unwrap_or_default();
            let known = items_of(&rendered.policy, "targets").iter().any(|t| text_of(t, "name") == Some(name));
            let shown = if known { format!(" {name}=...") } else { String::new() };
            bail!(
                "--key{shown} is not TARGET=VARIABLE: the key stands in that variable of Envoy's environment, named as OPENAI_API_KEY"
            );
        };
        let target = items_of(&rendered.policy, "targets").iter().find(|target| text_of(target, "name") == Some(name));
        let Some(target) = target else { bail!("--key {key}: no target of the policy is `{name}`") };
        let provider = text_of(target, "provider").unwrap_or_default();
        let Some((header, prefix)) = takes(provider) else {
            bail!(
                "--key {key}: `{provider}` takes no plain key; Envoy signs or fetches tokens for it by a filter of its own on the cluster"
            );
        };
        let clusters: Vec<&str> = match target.get("cluster") {
            Some(Tree::String(one)) => vec![one],
            Some(Tree::List(all)) => {
                all.iter().filter_map(|c| if let Tree::String(c) = c { Some(&**c) } else { None }).collect()
            }
            _ => Vec::new(),
        };
        if clusters.is_empty() {
            bail!("--key {key}: the target names no `cluster`, and a key is bound to one");
        }
        let secret = format!("doorward-key-{name}");
        for cluster in clusters {
            let found = clusters_of(root).and_then(|all| all.iter_mut().find(|c| text_of(c, "name") == Some(cluster)));
            let Some(found) = found else { bail!("--key {key}: no cluster of the file is `{cluster}`") };
            if let Some(Left { name: listener, .. }) = left.iter().find(|left| left.may_lead(cluster)) {
                bail!(
                    "--key {key}: the listener `{listener}` may lead to `{cluster}` as well, past the filter: whoever takes that way would use the key; put the filter there, too, in front of a router, or take the way out"
                );
            }
            if let Some((how, add)) = tls::unverified(found) {
                report::warning(&format!("the key of `{name}` goes out by the cluster `{cluster}` {how}: add {add}"));
            }
            inject(found, cluster, header, prefix, &secret)?;
        }
        let value = map([("environment_variable", text(variable))]);
        let secret = map([("name", text(secret)), ("generic_secret", map([("secret", value)]))]);
        let resources = entry(root, "static_resources", map([])).and_then(|r| entry(r, "secrets", list([])));
        if let Some(Tree::List(secrets)) = resources {
            secrets.push(secret);
        }
    }
    Ok(())
}

/// Capitals only, as everybody names them: a key that was given by mistake has other letters, and would end up in a file.
fn is_name(variable: &str) -> bool {
    let good = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    !variable.is_empty() && variable.bytes().all(good) && !variable.starts_with(|c: char| c.is_ascii_digit())
}

/// The header in which a provider takes its key, and what stands before it.
fn takes(provider: &str) -> Option<(&'static str, &'static str)> {
    match provider {
        "anthropic" => Some(("x-api-key", "")),
        "azure.ai.openai" => Some(("api-key", "")),
        "gcp.gemini" | "gcp.gen_ai" => Some(("x-goog-api-key", "")),
        // Signatures, and tokens that end within the hour.
        "aws.bedrock" | "gcp.vertex_ai" => None,
        _ => Some(("authorization", "Bearer ")),
    }
}

/// The key as the cluster's own filter: no route can carry it to another cluster, and what a caller sent is gone.
fn inject(cluster: &mut Tree, name: &str, header: &str, prefix: &str, secret: &str) -> anyhow::Result<()> {
    for old in ["http2_protocol_options", "http_protocol_options", "common_http_protocol_options"] {
        if cluster.get(old).is_some() {
            bail!(
                "the cluster `{name}` has `{old}`, which Envoy has deprecated and does not read beside a key: move it into `typed_extension_protocol_options`"
            );
        }
    }
    let at = |kind: &str| text(format!("type.googleapis.com/{kind}"));
    let mut generic = map([
        ("@type", at("envoy.extensions.http.injected_credentials.generic.v3.Generic")),
        ("credential", map([("name", text(secret))])),
        ("header", text(header)),
    ]);
    if !prefix.is_empty() {
        set(&mut generic, "header_value_prefix", text(prefix));
    }
    let credential = map([("name", text("envoy.http.injected_credentials.generic")), ("typed_config", generic)]);
    let injector = map([
        ("name", text(INJECTOR)),
        (
            "typed_config",
            map([
                ("@type", at("envoy.extensions.filters.http.credential_injector.v3.CredentialInjector")),
                ("overwrite", Tree::Bool(true)),
                ("credential", credential),
            ]),
        ),
    ]);
    let codec = map([
        ("name", text(CODEC)),
        ("typed_config", map([("@type", at("envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"))])),
    ]);
    let options = entry(cluster, "typed_extension_protocol_options", map([]))
        .and_then(|all| entry(all, OPTIONS, map([("@type", at(OPTIONS))])));
    let Some(options) = options else {
        bail!("the cluster `{name}` has `typed_extension_protocol_options` that are no mapping")
    };
    let protocols = ["explicit_http_config", "use_downstream_protocol_config", "auto_config"];
    if !protocols.iter().any(|key| options.get(key).is_some()) {
        // What Envoy does without options.
        set(options, "explicit_http_config", map([("http_protocol_options", map([]))]));
    }
    let Some(Tree::List(filters)) = entry(options, "http_filters", list([])) else { return Ok(()) };
    if filters.iter().any(|filter| text_of(filter, "name") == Some(INJECTOR)) {
        bail!("the cluster `{name}` has a key already: leave --key out");
    }
    if filters.is_empty() {
        filters.push(codec);
    }
    // Whatever else stands there, the key comes last: nothing sees it that does not have to.
    filters.insert(filters.len() - 1, injector);
    Ok(())
}

/// Clusters to the identity providers whose keys are fetched, where the file has none of that name and says all that there are.
/// Answers what was added.
pub fn issuers(root: &mut Tree, rendered: &Rendered<'_>) -> Vec<String> {
    if root.get("dynamic_resources").is_some() {
        return Vec::new();
    }
    let mut added = Vec::new();
    let issuers = rendered.policy.get("identity").map(|identity| items_of(identity, "jwt")).unwrap_or_default();
    for jwks in issuers.iter().filter_map(|issuer| issuer.get("jwks")) {
        let (Some(name), Some(authority)) = (text_of(jwks, "cluster"), text_of(jwks, "authority")) else { continue };
        let Some((host, port)) = host_and_port(authority) else { continue };
        let Some(clusters) = clusters_of(root) else { continue };
        if clusters.iter().any(|cluster| text_of(cluster, "name") == Some(name)) {
            continue;
        }
        clusters.push(issuer(name, host, port, &rendered.arguments.ca));
        added.push(format!(
            "the cluster `{name}` was added: TLS to {host}:{port}, verified by {}",
            rendered.arguments.ca
        ));
    }
    added
}

/// A DNS name and a port; anything else is for people to write.
fn host_and_port(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, 443),
    };
    let name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let numbers = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (!host.is_empty() && host.bytes().all(name) && !numbers && port > 0).then_some((host, port))
}

fn issuer(name: &str, host: &str, port: u16, ca: &str) -> Tree {
    let address = map([("address", text(host)), ("port_value", Tree::Integer(i64::from(port)))]);
    let endpoint = map([("endpoint", map([("address", map([("socket_address", address)]))]))]);
    let endpoints = map([("lb_endpoints", list([endpoint]))]);
    let san = map([("san_type", text("DNS")), ("matcher", map([("exact", text(host))]))]);
    let validation = map([
        ("trusted_ca", map([("filename", text(ca))])),
        // Without it any certificate of the authority would do.
        ("match_typed_subject_alt_names", list([san])),
    ]);
    let tls = map([
        ("@type", text("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext")),
        ("sni", text(host)),
        ("common_tls_context", map([("validation_context", validation)])),
    ]);
    map([
        ("name", text(name)),
        ("type", text("STRICT_DNS")),
        ("connect_timeout", text("5s")),
        ("load_assignment", map([("cluster_name", text(name)), ("endpoints", list([endpoints]))])),
        ("transport_socket", map([("name", text("envoy.transport_sockets.tls")), ("typed_config", tls)])),
    ])
}

/// The file's clusters, to be changed.
fn clusters_of(root: &mut Tree) -> Option<&mut Vec<Tree>> {
    match entry(entry(root, "static_resources", map([]))?, "clusters", list([]))? {
        Tree::List(clusters) => Some(clusters),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_get_a_cluster() {
        assert_eq!(host_and_port("idp.example.com"), Some(("idp.example.com", 443)));
        assert_eq!(host_and_port("localhost:8443"), Some(("localhost", 8443)));
        for other in
            ["10.0.0.1", "10.0.0.1:443", "[::1]:443", "::1", "", "idp.example.com:0", "idp.example.com:x", "a b"]
        {
            assert_eq!(host_and_port(other), None, "{other}");
        }
    }
}
