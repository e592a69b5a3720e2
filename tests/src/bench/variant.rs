//! The three Envoys that are compared: one process each, one worker, the same listener, route, cluster and access log;
//! only the filters differ.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::upstream::Upstream;
use crate::envoy::{Cluster, Envoy, Gate, ListenerSpec, Options, Wasm};
use crate::governed::{access_log, capabilities};
use crate::idp::{self, Idp};
use crate::tools;

/// What stands between the listener and the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Nothing.
    Plain,
    /// Doorward with `policy.yaml`.
    Doorward,
    /// Envoy's jwt_authn and `filter.lua`.
    Lua,
}

impl Variant {
    /// All, in the order in which they are shown.
    pub const ALL: [Variant; 3] = [Variant::Plain, Variant::Doorward, Variant::Lua];

    /// As in `summary.json`.
    pub fn name(self) -> &'static str {
        match self {
            Variant::Plain => "plain",
            Variant::Doorward => "doorward",
            Variant::Lua => "lua",
        }
    }

    /// Starts an Envoy with it.
    pub async fn start(self, upstream: &Upstream, idp: &Idp) -> Gate {
        let spec = match self {
            Variant::Plain => listener(upstream, idp),
            Variant::Doorward => listener(upstream, idp).wasm(doorward()),
            Variant::Lua => listener(upstream, idp)
                .before("envoy.filters.http.jwt_authn", jwt_authn(idp))
                .before("envoy.filters.http.lua", lua()),
        };
        serve(spec).await
    }
}

/// The listener without filters.
pub fn listener(upstream: &Upstream, idp: &Idp) -> ListenerSpec {
    let cluster = Cluster::at(upstream.address, false).named("openai");
    let mut spec = ListenerSpec::to(cluster);
    spec.clusters.push(Cluster::at(idp.endpoint.address, false).named("idp"));
    spec.log = access_log();
    spec
}

/// An Envoy of its own with one worker, its access log written in blocks as by default.
pub async fn serve(spec: ListenerSpec) -> Gate {
    serve_with(spec, 1).await
}

/// The same with more workers.
pub async fn serve_with(spec: ListenerSpec, workers: u32) -> Gate {
    serve_as(spec, Options { workers, ..options() }).await
}

/// How these Envoys run.
pub fn options() -> Options {
    Options { log_at_once: false, ..Options::default() }
}

/// An Envoy of its own that runs so.
pub async fn serve_as(spec: ListenerSpec, options: Options) -> Gate {
    Envoy::start(options).await.listener(spec).await.unwrap_or_else(|refused| panic!("{refused}"))
}

/// The shipped module as `envoy/standalone.yaml` runs it, with the bench's policy.
pub fn doorward() -> Wasm {
    let module = tools::wasm().expect("doorward.wasm is not built; run `make wasm`");
    filter(module, policy())
}

/// A module with the settings of the shipped filter.
pub fn filter(module: PathBuf, policy: Value) -> Wasm {
    let mut wasm = Wasm::new(module, policy);
    wasm.vm_id = Some("doorward-bench".to_owned());
    wasm.capabilities = Some(capabilities());
    wasm
}

/// The module that measures itself (`filter/plugin/src/bench.rs`), built beside the shipped one.
pub fn measuring_module() -> Result<PathBuf, String> {
    let target = tools::root().join("target/bench/module");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(tools::root()).args(["build", "--quiet", "--release", "--package", "doorward-plugin"]);
    command.args(["--features", "bench", "--target", "wasm32-wasip1", "--target-dir"]).arg(&target);
    let status = command.status().map_err(|e| format!("cargo: {e}"))?;
    if !status.success() {
        return Err("the measuring module does not build".to_owned());
    }
    Ok(target.join("wasm32-wasip1/release/doorward.wasm"))
}

/// `policy.yaml`.
pub fn policy() -> Value {
    serde_saphyr::from_str(include_str!("policy.yaml")).unwrap_or_else(|e| panic!("policy.yaml: {e}"))
}

/// RS256 against an inline key set; the token goes no further.
fn jwt_authn(idp: &Idp) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"idp": {
            "issuer": idp.issuer, "audiences": [idp::AUDIENCE], "forward": false,
            "local_jwks": {"inline_string": idp.jwks().to_string()},
        }},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "idp"}}],
    })
}

fn lua() -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": include_str!("filter.lua")},
    })
}

/// A token of about 1 KB, as identity providers make them; `serial` makes it unlike any other.
pub fn token(idp: &Idp, serial: usize) -> String {
    let groups = ["llm-users", "engineering-platform", "berlin-office", "vpn", "wiki-editors"];
    let token = idp.token(
        "3f0c2c1e-8a57-4f6e-9a55-2f7d2f0f6c11",
        json!({
            "exp": idp::now() + 3600, "jti": format!("{serial:032x}"), "groups": groups, "team": "search",
            "name": "Alice Example", "preferred_username": "alice", "azp": "llm-portal", "sid": "5c1f7f2e-1f0b-45b5-b6a0",
            "email": "alice@example.com", "email_verified": true, "scope": "openid profile email groups", "acr": "1",
        }),
    );
    assert!((900..=1200).contains(&token.len()), "a token of {} bytes", token.len());
    token
}
