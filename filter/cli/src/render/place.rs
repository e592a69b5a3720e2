//! What a place can do, and what a policy asks of it.

use doorward_core::config::{Path, Problem, Tree};

use super::args::{Phase, RenderArguments, To, Topology};
use crate::source::{Mark, Node, Value};

/// Says in the policy whether headers wait, which is the place's to know.
pub fn hold(root: &mut Node, to: To, problems: &mut Vec<Problem>) {
    let hold = Value::Scalar(Tree::Bool(to.holds()));
    let path = Path::root().key("envoy").key("hold_headers");
    let Value::Map(entries) = &mut root.value else { return };
    let node = |value| Node { mark: Mark::START, value };
    let entry = |key: &str, value| crate::source::Entry { key: key.to_owned(), mark: Mark::START, node: node(value) };
    match entries.iter_mut().find(|e| e.key == "envoy") {
        None if to.holds() => {}
        None => entries.push(entry("envoy", Value::Map(vec![entry("hold_headers", hold)]))),
        Some(envoy) => {
            let Value::Map(own) = &mut envoy.node.value else { return };
            match own.iter().find(|e| e.key == "hold_headers").map(|e| e.node.tree()) {
                None if to.holds() => {}
                None => own.push(entry("hold_headers", hold)),
                Some(said) if said == Tree::Bool(to.holds()) => {}
                Some(_) => {
                    let message = if to.holds() {
                        format!("headers wait for bodies in an {}, and the policy says that they do not", to.kind())
                    } else {
                        format!("headers cannot wait for bodies in {}, so every request would hang", a(to.kind()))
                    };
                    problems.push(Problem::new(path, message).help("leave it out: `render` knows"));
                }
            }
        }
    }
}

/// What the policy asks for and the place cannot do.
pub fn check(root: &Node, arguments: &RenderArguments, problems: &mut Vec<Problem>) {
    if !arguments.to.holds() {
        routes(root, arguments.to, problems);
    }
    let istio = asks_istio(root);
    if istio && arguments.topology != Topology::Waypoint {
        let path = Path::root().key("identity").key("mtls").key("from");
        let message =
            format!("only a waypoint has what Istio says of the peer, and this is {}", arguments.topology.name());
        problems.push(Problem::new(path, message).help("leave `from` out: the connection's own certificate counts"));
    } else if !shows_peer(arguments) && !istio {
        workloads(root, arguments.topology, problems);
    }
    metadata(root, arguments, problems);
}

/// Whether the policy asks Istio's waypoint for the peer (`identity.mtls.from: istio`).
fn asks_istio(root: &Node) -> bool {
    from(root) == Some("istio")
}

fn from(root: &Node) -> Option<&str> {
    let mtls = root.get("identity").and_then(|identity| identity.get("mtls"));
    mtls.and_then(|mtls| mtls.get("from")).and_then(Node::text)
}

/// What has to let the header of `from: xfcc` through, where that is not the place's own default.
pub fn forwarded(root: &Node, arguments: &RenderArguments) -> Option<String> {
    let set = match (arguments.to, arguments.topology) {
        // Istio's inbound sidecars append, with the URI.
        (_, Topology::SidecarInbound) => return None,
        (To::EnvoyGateway, _) => {
            "`headers.xForwardedClientCert: {mode: AppendForward, certDetailsToAdd: [Uri]}` in the ClientTrafficPolicy"
        }
        (To::Envoy, _) => {
            "`forward_client_cert_details: APPEND_FORWARD` with `set_current_client_cert_details: {uri: true}` in the connection manager"
        }
        _ => {
            "`gatewayTopology: {forwardClientCertDetails: APPEND_FORWARD}` in the gateway's ProxyConfig (`proxy.istio.io/config`)"
        }
    };
    (from(root) == Some("xfcc")).then(|| {
        format!("`x-forwarded-client-cert` is removed before the filter sees it, unless it is let through: set {set}, and restart what reads it at its start only")
    })
}

fn shows_peer(arguments: &RenderArguments) -> bool {
    match arguments.topology {
        Topology::Standalone | Topology::SidecarInbound => true,
        Topology::Gateway => arguments.mutual,
        Topology::SidecarOutbound | Topology::Waypoint => false,
    }
}

/// The body chooses no route when its headers have gone ahead.
fn routes(root: &Node, to: To, problems: &mut Vec<Problem>) {
    let enforced = |item: &Node| item.get("mode").and_then(Node::text) != Some("observe");
    if !enforced(root) {
        return;
    }
    let help = "use an EnvoyFilter, or say `mode: observe`";
    for (i, item) in items(root, "routes").iter().enumerate().filter(|(_, item)| enforced(item)) {
        let id = item.get("id").and_then(Node::text).unwrap_or_default();
        let message =
            format!("`{id}` cannot send requests elsewhere in {}: their headers have gone ahead", a(to.kind()));
        problems.push(Problem::new(Path::root().key("routes").index(i), message).help(help));
    }
    for (i, item) in items(root, "content").iter().enumerate().filter(|(_, item)| enforced(item)) {
        if item.get("action").and_then(Node::text) == Some("route") {
            let path = Path::root().key("content").index(i).key("action");
            let message = format!("what a text carries cannot choose a route in {}", a(to.kind()));
            problems.push(Problem::new(path, message).help(help));
        }
    }
}

/// Statements on workloads where nobody's certificate is seen.
fn workloads(root: &Node, topology: Topology, problems: &mut Vec<Problem>) {
    let where_ = topology.name();
    let help = match topology {
        Topology::Gateway => "let the Gateway ask for certificates and say --mutual, or prove callers by tokens",
        Topology::Waypoint => "say `identity: {mtls: {from: istio}}`: Istio knows the peer whose tunnel it ended",
        _ => "prove callers by tokens here, or put the filter where peers show: an inbound sidecar, an egress gateway",
    };
    let mut say = |path: Path, what: &str| {
        let message = format!("{what}, and {where_} sees no peer's certificate");
        problems.push(Problem::new(path, message).help(help));
    };
    let identity = Path::root().key("identity");
    if root.get("identity").is_some_and(|i| i.get("mtls").is_some()) {
        say(identity.key("mtls"), "workloads are to be proven by their certificates");
    }
    for entry in root.get("roles").map(Node::entries).unwrap_or_default() {
        let path = Path::root().key("roles").key(&entry.key);
        if entry.node.get("workloads").is_some() {
            say(path.key("workloads"), "the role asks for a workload");
        }
        for (i, item) in entry.node.items().iter().enumerate().filter(|(_, item)| item.get("workloads").is_some()) {
            let _ = item;
            say(path.index(i).key("workloads"), "the role asks for a workload");
        }
    }
    for (i, limit) in items(root, "limits").iter().enumerate() {
        let Some(per) = limit.get("per") else { continue };
        let one = |node: &Node| node.text() == Some("workload");
        if one(per) || per.items().iter().any(one) {
            say(Path::root().key("limits").index(i).key("per"), "the limit counts workloads apart");
        }
    }
}

/// Tokens that Istio verified, before it did.
fn metadata(root: &Node, arguments: &RenderArguments, problems: &mut Vec<Problem>) {
    let istio = matches!(arguments.to, To::WasmPlugin | To::TrafficExtension);
    if istio
        && arguments.phase == Phase::Authn
        && root.get("identity").is_some_and(|i| i.get("envoy_metadata").is_some())
    {
        let path = Path::root().key("identity").key("envoy_metadata");
        let message = "in phase AUTHN nobody has verified a token yet, so that nobody would be proven by this";
        problems.push(Problem::new(path, message).help("say --phase AUTHZ"));
    }
}

fn items<'n>(root: &'n Node, key: &str) -> &'n [Node] {
    root.get(key).map(Node::items).unwrap_or_default()
}

/// With its article.
fn a(kind: &str) -> String {
    let article = if kind.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    format!("{article} {kind}")
}
