//! `doorward render` for a real Envoy: what it makes is loaded, and governs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use doorward_e2e::client::http1::Connection;
use doorward_e2e::client::{Answer, Request, Target};
use doorward_e2e::envoy::{Envoy, Options, validate_in};
use doorward_e2e::governed::{chat, post};
use doorward_e2e::idp::{Algorithm, Idp};
use doorward_e2e::upstream::Upstream;
use doorward_e2e::{model, tools};
use serde_json::{Value, json};

/// What somebody has who has not heard of Doorward: one listener, one route to one provider.
fn plain(provider: &Upstream, idp: &Idp) -> String {
    let cluster = |name: &str, port: u16| {
        format!(
            "  - name: {name}\n    type: STATIC\n    load_assignment:\n      cluster_name: {name}\n      endpoints:\n      - lb_endpoints:\n        \
             - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}\n"
        )
    };
    format!(
        "# Ours.\nadmin:\n  address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}\nstatic_resources:\n  listeners:\n  \
         - name: llm\n    address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}\n    filter_chains:\n    - filters:\n      \
         - name: envoy.filters.network.http_connection_manager\n        typed_config:\n          \"@type\": type.googleapis.com/envoy.\
         extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          stat_prefix: llm\n          route_config:\n            \
         virtual_hosts:\n            - name: all\n              domains: [\"*\"]\n              routes:\n              \
         - {{match: {{prefix: /}}, route: {{cluster: openai}}}}\n          http_filters:\n          - name: envoy.filters.http.router\n            \
         typed_config: {{\"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}\n  clusters:\n{}{}",
        cluster("openai", provider.address.port()),
        cluster("idp", idp.endpoint.address.port()),
    )
}

const BASE: &str = r#"
version: doorward/v1
name: rendered
targets:
- {name: openai, cluster: openai, provider: openai, owner: search}
identity:
  jwt:
  - {issuer: "https://idp.test", audiences: doorward, jwks: {inline: JWKS}, claims: {groups: groups}}
roles:
  eng: {groups: eng}
redaction: {tokenize_key: {env: DOORWARD_TOKENIZE_KEY}}
limits:
- {id: day, requests: 3, calendar: day, zone: Pacific/Auckland}
"#;

const SEARCH: &str = r#"
version: doorward/v1
access:
- {id: search, effect: allow, roles: eng, targets: openai, models: "gpt-5*"}
content:
- {id: search-pii, detect: EMAIL_ADDRESS, action: mask, direction: request, targets: openai}
"#;

struct Files {
    folder: PathBuf,
    envoy: PathBuf,
}

impl Files {
    fn write(provider: &Upstream, idp: &Idp) -> Self {
        let folder = tools::scratch("render");
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("write a file");
        write("envoy.yaml", &plain(provider, idp));
        write("base.yaml", &BASE.replace("JWKS", &idp.jwks().to_string()).replace("https://idp.test", &idp.issuer));
        write("search.yaml", SEARCH);
        Self { envoy: folder.join("envoy.yaml"), folder }
    }

    fn render(&self, arguments: &[&str]) -> String {
        let owned = format!("search={}", self.folder.join("search.yaml").display());
        let output = Command::new(tools::cli())
            .arg("render")
            .args(arguments)
            .arg(self.folder.join("base.yaml"))
            .args(["--owned", &owned])
            .output()
            .expect("start doorward");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn save(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).expect("write a file");
        path
    }
}

fn module() -> String {
    tools::wasm().expect("run `make wasm`").display().to_string()
}

fn environment() -> BTreeMap<String, String> {
    BTreeMap::from([("DOORWARD_TOKENIZE_KEY".to_owned(), "k".repeat(32))])
}

async fn call(address: std::net::SocketAddr, request: &Request) -> Answer {
    let mut connection = Connection::open(&Target::plain(address)).await.expect("a connection");
    connection.call(request).await.expect("an answer")
}

#[tokio::test]
async fn a_plain_envoy_becomes_a_governed_one() {
    let provider = Upstream::with(model::handler()).await;
    let idp = Idp::start(Algorithm::RS256).await;
    let files = Files::write(&provider, &idp);
    let log = files.folder.join("access.jsonl");
    let rendered = files.render(&[
        "--to",
        "envoy",
        "--into",
        files.envoy.to_str().expect("a path"),
        "--module",
        &module(),
        "--access-log",
        log.to_str().expect("a path"),
    ]);
    let config = files.save("governed.yaml", &rendered);
    validate_in(&config, &environment()).await.unwrap_or_else(|e| panic!("{e}\n{rendered}"));
    let checked = Command::new(tools::cli()).args(["check", "--strict"]).arg(&config).output().expect("start doorward");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));

    let envoy = Envoy::start(Options { config: Some(config), environment: environment(), ..Options::default() }).await;
    let address = envoy.listeners().await["llm"];
    let token = idp.token("alice", json!({"groups": ["eng"]}));
    let path = "/v1/chat/completions";

    let answer = call(address, &post(path, &token, chat("gpt-5", "write bob@northwind.dev").to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = provider.seen();
    assert!(seen[0].text().contains("[EMAIL_ADDRESS]") && !seen[0].mentions("bob@northwind.dev"), "{seen:?}");
    let nobody = Request::get("/v1/models").header("x-doorward-route", "openai");
    assert_eq!(call(address, &nobody).await.status, 401);
    let other = idp.token("bob", json!({"groups": ["sales"]}));
    assert_eq!(call(address, &post(path, &other, chat("gpt-5", "hi").to_string())).await.status, 403);
    // The limit's zone was a name, and is a rule now that the filter takes.
    for expected in [200, 200, 429] {
        let answer = call(address, &post(path, &token, chat("gpt-5", "hi").to_string())).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
    }
    assert_eq!(provider.count(), 3);

    let digest = rendered.split("digest ").nth(1).and_then(|d| d.split('.').next()).expect("a digest").to_owned();
    let lines = doorward_e2e::wait::until("six lines", async || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if lines.len() == 6 { Ok(lines) } else { Err(format!("{} lines", lines.len())) }
    })
    .await;
    assert_eq!(lines[0]["doorward.user"], "alice", "{:#}", lines[0]);
    assert!(lines.iter().all(|line| line["doorward.policy.digest"] == json!(digest)), "{digest}: {:#}", lines[0]);
    let metrics = envoy.prometheus().await;
    let labelled =
        metrics.lines().any(|l| l.starts_with("doorward_requests_total{") && l.contains("decision=\"allow\""));
    assert!(labelled, "{metrics}");
}

/// Puts an EnvoyFilter's patches into a configuration, as Istio does.
fn patched(envoy: &Path, filter: &Value) -> Value {
    let text = std::fs::read_to_string(envoy).expect("envoy.yaml");
    let mut config: Value = serde_saphyr::from_str(&text).expect("YAML");
    for patch in filter["spec"]["configPatches"].as_array().expect("patches") {
        let value = &patch["patch"]["value"];
        let listener = &mut config["static_resources"]["listeners"][0];
        let operation = patch["patch"]["operation"].as_str().expect("an operation");
        match (patch["applyTo"].as_str().expect("applyTo"), operation) {
            ("HTTP_FILTER", "INSERT_BEFORE") => {
                let filters = &mut listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"];
                let filters = filters.as_array_mut().expect("filters");
                let router = filters.iter().position(|f| f["name"] == "envoy.filters.http.router").expect("a router");
                filters.insert(router, value.clone());
            }
            ("NETWORK_FILTER", "MERGE") => merge(&mut listener["filter_chains"][0]["filters"][0], value),
            ("LISTENER", "MERGE") => merge(listener, value),
            ("BOOTSTRAP", "MERGE") => merge(&mut config, value),
            other => panic!("{other:?}"),
        }
    }
    config
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

#[tokio::test]
async fn an_envoy_filter_is_one_that_envoy_takes() {
    let provider = Upstream::with(model::handler()).await;
    let idp = Idp::start(Algorithm::RS256).await;
    let files = Files::write(&provider, &idp);
    let at = ["--to", "envoy-filter", "--topology", "gateway", "--selector", "istio=egressgateway"];
    let local = files.render(&[&at[..], &["--module", &module()]].concat());
    let filter: Value = serde_saphyr::from_str(&local).expect("YAML");
    let config = files.save("patched.json", &patched(&files.envoy, &filter).to_string());
    validate_in(&config, &environment()).await.unwrap_or_else(|e| panic!("{e}\n{local}"));

    // What is discovered has the same filter, and Istio's agent puts a file in the place of the URL.
    let digest = "a".repeat(64);
    let remote =
        files.render(&[&at[..], &["--module", &format!("oci://registry.test/doorward@sha256:{digest}")]].concat());
    let filter: Value = serde_saphyr::from_str(&remote).expect("YAML");
    let patches = filter["spec"]["configPatches"].as_array().expect("patches");
    let mut extension = patches[0]["patch"]["value"].clone();
    assert_eq!(extension["name"], patches[1]["patch"]["value"]["name"], "the filter is discovered by its name");
    let code = &mut extension["typed_config"]["config"]["vm_config"]["code"];
    assert_eq!(code["remote"]["sha256"], digest);
    *code = json!({"local": {"filename": module()}});
    let mut inline = filter.clone();
    let rest: Vec<Value> = patches[1..].to_vec();
    inline["spec"]["configPatches"] = json!(rest);
    inline["spec"]["configPatches"][0]["patch"]["value"] = extension;
    let config = files.save("discovered.json", &patched(&files.envoy, &inline).to_string());
    validate_in(&config, &environment()).await.unwrap_or_else(|e| panic!("{e}\n{remote}"));
}

#[tokio::test]
async fn the_providers_key_of_the_egress_gateway_is_one_that_envoy_puts_in() {
    let text = std::fs::read_to_string(tools::root().join("envoy/istio/egress.yaml")).expect("egress.yaml");
    let shipped = serde_saphyr::from_multiple::<Value>(&text).expect("YAML");
    let filter = shipped.iter().find(|r| r["kind"] == "EnvoyFilter").expect("the EnvoyFilter with the key");
    let mut patch = filter["spec"]["configPatches"][0]["patch"]["value"].clone();
    // The secret's file, as the comment above the resource says it.
    let comment: String = text
        .lines()
        .skip_while(|line| !line.starts_with("#   resources:"))
        .take_while(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches("#   ").to_owned() + "\n")
        .collect();
    let provider = Upstream::with(model::handler()).await;
    let idp = Idp::start(Algorithm::RS256).await;
    let files = Files::write(&provider, &idp);
    let secret = files.save("openai-key.yaml", &comment);
    let options =
        &mut patch["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    let injected = &mut options["http_filters"][0]["typed_config"]["credential"]["typed_config"];
    injected["credential"]["sds_config"]["path_config_source"]["path"] = json!(secret);
    let text = std::fs::read_to_string(&files.envoy).expect("envoy.yaml");
    let mut config: Value = serde_saphyr::from_str(&text).expect("YAML");
    merge(&mut config["static_resources"]["clusters"][0], &patch);
    // Whoever subscribes to a secret says who they are, as proxies of Istio's do.
    config["node"] = json!({"id": "gateway", "cluster": "gateway"});
    let config = files.save("with-key.json", &config.to_string());
    let envoy = Envoy::start(Options { config: Some(config), ..Options::default() }).await;
    let address = envoy.listeners().await["llm"];
    let token = idp.token("alice", json!({"groups": ["eng"]}));
    let answer = call(address, &post("/v1/chat/completions", &token, chat("gpt-5", "hi").to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(provider.seen()[0].fields.get("authorization").as_deref(), Some("Bearer sk-..."));
}
