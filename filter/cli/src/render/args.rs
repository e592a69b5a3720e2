//! What `doorward render` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Make what Envoy, Istio, Envoy Gateway or Helm reads out of policy files.
///
/// Several files are one policy: lists are put together, ids and names stay unique, and a value that two files give must be the
/// same in both. A file of --owned may only have statements about its owner's targets. Names of time zones become
/// the rules that the filter takes. What the place cannot do is refused, with the path of the statement.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  doorward render --to envoy policy.yaml                                    # what to put where, as YAML
  doorward render --to envoy --into envoy.yaml policy.yaml > with-doorward.yaml
  doorward render --to envoy --into envoy.yaml --key openai=OPENAI_API_KEY policy.yaml > with-doorward.yaml
  doorward render --to envoy --into envoy.yaml base.yaml --owned payments=teams/payments.yaml
  doorward render --to envoy-filter --topology gateway --selector istio=egressgateway --namespace istio-system \\
    --module oci://registry.acme.com/doorward@sha256:... policy.yaml | kubectl apply -f -
  doorward render --to traffic-extension --topology waypoint --target-ref Gateway/waypoint \\
    --module oci://registry.acme.com/doorward@sha256:... policy.yaml
  doorward render --to envoy-gateway --topology gateway --target-ref Gateway/eg --helm extraObjects ... > values.yaml

Exit codes: 0 rendered, 1 the policy has errors or asks for what the place cannot do, or `doorward check` finds errors in what --into
made, 2 a file could not be read.")]
pub struct RenderArguments {
    /// What is made.
    #[arg(long, value_enum)]
    pub to: To,
    /// Policies of the platform's, in YAML or JSON; `-` is standard input.
    #[arg(required_unless_present = "owned", value_name = "FILE")]
    pub files: Vec<String>,
    /// A file of one owner's, with statements about targets that have this `owner`. Can be repeated.
    #[arg(long, value_name = "OWNER=FILE")]
    pub owned: Vec<String>,
    /// For --to envoy: a whole configuration of Envoy's, into which everything is put.
    #[arg(long, value_name = "FILE")]
    pub into: Option<String>,
    /// With --into: only this listener. Default: every one with an HTTP connection manager.
    #[arg(long, value_name = "NAME", requires = "into")]
    pub listener: Option<String>,
    /// With --into: the provider's key of a target, out of a variable of Envoy's environment, on the clusters that the target names. It
    /// replaces whatever a caller sent. Can be repeated.
    #[arg(long, value_name = "TARGET=VARIABLE", requires = "into")]
    pub key: Vec<String>,
    /// With --into: who vouches for an identity provider to which no cluster leads yet, so that one is added.
    #[arg(long, value_name = "FILE", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    pub ca: String,
    /// For --to envoy: where the access log goes.
    #[arg(long, value_name = "FILE", default_value = "/dev/stdout")]
    pub access_log: String,
    /// The module: a path in Envoy's file system, or for Kubernetes an `oci://` or `https://` URL. [default for envoy:
    /// /etc/doorward/doorward.wasm]
    #[arg(long, value_name = "URL")]
    pub module: Option<String>,
    /// The SHA-256 of what a URL leads to, where the URL does not end in `@sha256:...`.
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
    /// A name for the plugin, its VM and the resource.
    #[arg(long, default_value = "doorward", value_name = "NAME")]
    pub name: String,
    /// For Kubernetes: the resource's namespace.
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Where the filter stands.
    #[arg(long, value_enum, default_value_t = Topology::Standalone)]
    pub topology: Topology,
    /// The listener asks callers for certificates (TLS mode MUTUAL or ISTIO_MUTUAL), so that a gateway knows its peers.
    #[arg(long)]
    pub mutual: bool,
    /// For Istio: labels of the pods that get it. Can be repeated.
    #[arg(long, value_name = "LABEL=VALUE")]
    pub selector: Vec<String>,
    /// What it is attached to: `Gateway/NAME`, `HTTPRoute/NAME`, `Service/NAME`.
    #[arg(long, value_name = "KIND/NAME", conflicts_with = "selector")]
    pub target_ref: Option<String>,
    /// For WasmPlugin and TrafficExtension: before which of Istio's own filters. AUTHZ is behind the verification of tokens.
    #[arg(long, value_enum, default_value_t = Phase::Authz)]
    pub phase: Phase,
    /// The order among plugins of a phase: greater goes first.
    #[arg(long, default_value_t = 100, allow_negative_numbers = true)]
    pub priority: i32,
    /// For Kubernetes: the secret with the registry's credentials.
    #[arg(long, value_name = "NAME")]
    pub pull_secret: Option<String>,
    /// Wrap the resources as Helm values: a list under this key, as charts take further objects (`extraObjects`, `extraDeploy`).
    #[arg(long, value_name = "KEY")]
    pub helm: Option<String>,
    /// Variables that `{env: NAME}` refers to, as NAME=VALUE lines: only checked, never written.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// Parts of a standalone Envoy's configuration (headers wait for bodies).
    Envoy,
    /// Istio's EnvoyFilter (headers wait for bodies).
    EnvoyFilter,
    /// Istio's TrafficExtension, 1.30 and newer (headers go ahead).
    TrafficExtension,
    /// Istio's WasmPlugin (headers go ahead).
    WasmPlugin,
    /// Envoy Gateway's EnvoyExtensionPolicy (headers go ahead).
    EnvoyGateway,
}

impl To {
    /// Whether headers can wait for the body there.
    pub fn holds(self) -> bool {
        matches!(self, To::Envoy | To::EnvoyFilter)
    }

    pub fn kind(self) -> &'static str {
        match self {
            To::Envoy => "Envoy",
            To::EnvoyFilter => "EnvoyFilter",
            To::TrafficExtension => "TrafficExtension",
            To::WasmPlugin => "WasmPlugin",
            To::EnvoyGateway => "EnvoyExtensionPolicy",
        }
    }
}

/// Where the filter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Topology {
    /// An Envoy of one's own; peers show where its listener asks for certificates.
    Standalone,
    /// The sidecar of what is called: peers show.
    SidecarInbound,
    /// The sidecar of who calls: the caller is the pod itself, over a connection without TLS.
    SidecarOutbound,
    /// A gateway, for ingress or egress; peers show with --mutual.
    Gateway,
    /// Istio's waypoint: the connection that it sees is its own, and Istio says who the peer is (`identity.mtls.from: istio`).
    Waypoint,
}

impl Topology {
    pub fn name(self) -> &'static str {
        match self {
            Topology::Standalone => "a standalone Envoy",
            Topology::SidecarInbound => "an inbound sidecar",
            Topology::SidecarOutbound => "an outbound sidecar",
            Topology::Gateway => "a gateway without --mutual",
            Topology::Waypoint => "a waypoint",
        }
    }
}

/// `phase` of WasmPlugin and TrafficExtension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum Phase {
    /// Before tokens are verified.
    Authn,
    /// Before authorization policies.
    Authz,
    /// Behind both.
    Stats,
}

impl Phase {
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Authn => "AUTHN",
            Phase::Authz => "AUTHZ",
            Phase::Stats => "STATS",
        }
    }
}
