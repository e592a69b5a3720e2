//! Resources of Istio and of Envoy Gateway.

use anyhow::bail;
use doorward_core::config::Tree;

use super::args::{To, Topology};
use super::module::Module;
use super::plugin::{self, Rendered};
use super::tree::{list, map, set, text};

const HCM: &str = "envoy.filters.network.http_connection_manager";
const ROUTER: &str = "envoy.filters.http.router";

/// The resource.
///
/// # Errors
/// It is not said what it is for.
pub fn resource(rendered: &Rendered<'_>) -> anyhow::Result<Tree> {
    let to = rendered.arguments.to;
    let (version, spec) = match to {
        To::Envoy | To::EnvoyFilter => ("networking.istio.io/v1alpha3", envoy_filter(rendered)?),
        To::TrafficExtension => ("extensions.istio.io/v1alpha1", traffic_extension(rendered)?),
        To::WasmPlugin => ("extensions.istio.io/v1alpha1", wasm_plugin(rendered)?),
        To::EnvoyGateway => ("gateway.envoyproxy.io/v1alpha1", extension_policy(rendered)?),
    };
    let arguments = rendered.arguments;
    let mut metadata = map([("name", text(&arguments.name))]);
    if let Some(namespace) = &arguments.namespace {
        set(&mut metadata, "namespace", text(namespace));
    }
    set(&mut metadata, "annotations", map([("doorward-policy-digest", text(&rendered.digest))]));
    let entries = [("apiVersion", text(version)), ("kind", text(to.kind())), ("metadata", metadata), ("spec", spec)];
    Ok(map(entries))
}

fn envoy_filter(rendered: &Rendered<'_>) -> anyhow::Result<Tree> {
    let arguments = rendered.arguments;
    let context = match arguments.topology {
        Topology::SidecarInbound => "SIDECAR_INBOUND",
        Topology::SidecarOutbound => "SIDECAR_OUTBOUND",
        Topology::Gateway => "GATEWAY",
        Topology::Waypoint => bail!(
            "an EnvoyFilter is not for waypoints: their configuration is Istio's own, and changes; render a TrafficExtension"
        ),
        Topology::Standalone => bail!("an EnvoyFilter needs --topology: sidecar-inbound, sidecar-outbound or gateway"),
    };
    let listener = |filter: Tree| {
        map([("context", text(context)), ("listener", map([("filterChain", map([("filter", filter)]))]))])
    };
    let manager = || map([("name", text(HCM))]);
    let router = map([("name", text(HCM)), ("subFilter", map([("name", text(ROUTER))]))]);
    let mut patches = Vec::new();
    let mut patch = |apply: &str, matches: Option<Tree>, operation: &str, value: Tree| {
        let mut entries = vec![("applyTo".to_owned(), text(apply))];
        entries.extend(matches.map(|m| ("match".to_owned(), m)));
        entries.push(("patch".to_owned(), map([("operation", text(operation)), ("value", value)])));
        patches.push(Tree::Map(entries));
    };
    let name = &arguments.name;
    let filter = match &rendered.module {
        Module::File(_) => map([("name", text(name)), ("typed_config", rendered.wasm())]),
        // Istio's agent fetches the module and puts a file in its place, for configurations that are discovered.
        Module::Remote { .. } => {
            let extension = map([("name", text(name)), ("typed_config", rendered.wasm())]);
            let of = [("context", text(context))];
            patch("EXTENSION_CONFIG", Some(map(of)), "ADD", extension);
            let source =
                map([("ads", map([])), ("initial_fetch_timeout", text("0s")), ("resource_api_version", text("V3"))]);
            let types = list([text("type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm")]);
            map([("name", text(name)), ("config_discovery", map([("config_source", source), ("type_urls", types)]))])
        }
    };
    patch("HTTP_FILTER", Some(listener(router)), "INSERT_BEFORE", filter);
    let at = format!(
        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.{}",
        "HttpConnectionManager"
    );
    let early = map([("@type", text(at)), ("early_header_mutation_extensions", plugin::early_headers())]);
    patch("NETWORK_FILTER", Some(listener(manager())), "MERGE", map([("typed_config", early)]));
    if let Some(bytes) = rendered.buffer() {
        let value = map([("per_connection_buffer_limit_bytes", Tree::Integer(bytes))]);
        patch("LISTENER", Some(map([("context", text(context))])), "MERGE", value);
    }
    patch("BOOTSTRAP", None, "MERGE", map([("stats_config", plugin::stats())]));
    let mut spec = map([]);
    attach(rendered, &mut spec, "workloadSelector", "labels")?;
    set(&mut spec, "configPatches", Tree::List(patches));
    Ok(spec)
}

fn traffic_extension(rendered: &Rendered<'_>) -> anyhow::Result<Tree> {
    let mut spec = map([]);
    attach(rendered, &mut spec, "selector", "matchLabels")?;
    set(&mut spec, "phase", text(rendered.arguments.phase.as_str()));
    set(&mut spec, "priority", Tree::Integer(rendered.arguments.priority.into()));
    mode(rendered, &mut spec);
    set(&mut spec, "wasm", istio_wasm(rendered));
    Ok(spec)
}

fn wasm_plugin(rendered: &Rendered<'_>) -> anyhow::Result<Tree> {
    let mut spec = map([]);
    attach(rendered, &mut spec, "selector", "matchLabels")?;
    set(&mut spec, "phase", text(rendered.arguments.phase.as_str()));
    set(&mut spec, "priority", Tree::Integer(rendered.arguments.priority.into()));
    mode(rendered, &mut spec);
    if let (Tree::Map(spec), Tree::Map(wasm)) = (&mut spec, istio_wasm(rendered)) {
        spec.extend(wasm);
    }
    Ok(spec)
}

fn istio_wasm(rendered: &Rendered<'_>) -> Tree {
    let mut wasm = map([("type", text("HTTP")), ("pluginName", text(&rendered.arguments.name))]);
    if let Module::Remote { url, sha256 } = &rendered.module {
        set(&mut wasm, "url", text(url));
        // An image is pinned by its manifest in the URL; `sha256` beside it is the same digest.
        set(&mut wasm, "sha256", text(sha256));
        set(&mut wasm, "imagePullPolicy", text("IfNotPresent"));
    }
    if let Some(secret) = &rendered.arguments.pull_secret {
        set(&mut wasm, "imagePullSecret", text(secret));
    }
    set(&mut wasm, "failStrategy", text("FAIL_RELOAD"));
    if !rendered.variables.is_empty() {
        let env = rendered.variables.iter().map(|name| map([("name", text(name)), ("valueFrom", text("HOST"))]));
        set(&mut wasm, "vmConfig", map([("env", list(env))]));
    }
    set(&mut wasm, "pluginConfig", rendered.policy.clone());
    wasm
}

/// Which of a sidecar's two directions.
fn mode(rendered: &Rendered<'_>, spec: &mut Tree) {
    let mode = match rendered.arguments.topology {
        Topology::SidecarInbound => "SERVER",
        Topology::SidecarOutbound => "CLIENT",
        _ => return,
    };
    set(spec, "match", list([map([("mode", text(mode))])]));
}

fn extension_policy(rendered: &Rendered<'_>) -> anyhow::Result<Tree> {
    let Module::Remote { url, sha256 } = &rendered.module else {
        bail!("Envoy Gateway fetches modules: say --module `oci://...` or `https://...`");
    };
    let Some((kind, name)) = rendered.arguments.target_ref.as_deref().and_then(|t| t.split_once('/')) else {
        bail!("an EnvoyExtensionPolicy is attached to something: say --target-ref Gateway/NAME or HTTPRoute/NAME");
    };
    let code = match url.strip_prefix("oci://") {
        Some(image) => {
            let mut source = map([("url", text(image)), ("sha256", text(sha256))]);
            if let Some(secret) = &rendered.arguments.pull_secret {
                set(&mut source, "pullSecretRef", map([("name", text(secret))]));
            }
            map([("type", text("Image")), ("image", source)])
        }
        None => map([("type", text("HTTP")), ("http", map([("url", text(url)), ("sha256", text(sha256))]))]),
    };
    let plugin = &rendered.arguments.name;
    let mut wasm =
        map([("name", text(plugin)), ("rootID", text(plugin)), ("failOpen", Tree::Bool(false)), ("code", code)]);
    if !rendered.variables.is_empty() {
        set(&mut wasm, "env", map([("hostKeys", list(rendered.variables.iter().map(text)))]));
    }
    set(&mut wasm, "config", rendered.policy.clone());
    let target = map([("group", text("gateway.networking.k8s.io")), ("kind", text(kind)), ("name", text(name))]);
    Ok(map([("targetRefs", list([target])), ("wasm", list([wasm]))]))
}

/// The pods or the Gateway API resource that get it.
fn attach(rendered: &Rendered<'_>, spec: &mut Tree, selector: &str, labels: &str) -> anyhow::Result<()> {
    let arguments = rendered.arguments;
    if let Some(target) = &arguments.target_ref {
        let Some((kind, name)) = target.split_once('/') else { bail!("`{target}` is not KIND/NAME") };
        let group = if kind == "Service" { "" } else { "gateway.networking.k8s.io" };
        let target = map([("group", text(group)), ("kind", text(kind)), ("name", text(name))]);
        set(spec, "targetRefs", list([target]));
        return Ok(());
    }
    if arguments.topology == Topology::Waypoint {
        bail!("a waypoint is named by --target-ref: `Gateway/NAME`, or `Service/NAME` for one service behind it");
    }
    if arguments.selector.is_empty() {
        // In Istio's root namespace that would be every proxy of the mesh.
        bail!("say which pods get it: --selector LABEL=VALUE, or --target-ref KIND/NAME");
    }
    let mut pairs = Vec::new();
    for label in &arguments.selector {
        let Some((key, value)) = label.split_once('=') else { bail!("`{label}` is not LABEL=VALUE") };
        pairs.push((key.to_owned(), text(value)));
    }
    set(spec, selector, map([(labels, Tree::Map(pairs))]));
    Ok(())
}
