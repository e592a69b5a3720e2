//! README, "Ten minutes with your own envoy.yaml": its very commands, from top to bottom, on a real Envoy with TLS to what stands in for the
//! provider and for the identity provider.
//!
//! Nothing of what the commands make is changed but what is this machine's: addresses, and the authority that vouches for the stand-ins.

use std::collections::{BTreeMap, VecDeque};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use doorward_e2e::client::http1::Connection;
use doorward_e2e::client::{Answer, Request, Target};
use doorward_e2e::envoy::{Envoy, Options, validate_in};
use doorward_e2e::governed::{chat, code, post};
use doorward_e2e::idp::{Algorithm, Idp};
use doorward_e2e::pki::Ca;
use doorward_e2e::tls::Front;
use doorward_e2e::upstream::Upstream;
use doorward_e2e::wait::until;
use doorward_e2e::{model, tools};
use serde_json::{Value, json};

/// What somebody has who has not heard of Doorward.
const ORDINARY: &str = r#"
# Our way out to OpenAI.
admin:
  address: {socket_address: {address: 127.0.0.1, port_value: 9901}}
static_resources:
  listeners:
  - name: egress
    address: {socket_address: {address: 0.0.0.0, port_value: 10000}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: egress
          route_config:
            virtual_hosts:
            - name: openai
              domains: ["*"]
              routes:
              - match: {prefix: /}
                route: {cluster: openai, timeout: 300s, host_rewrite_literal: api.openai.com}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: openai
    type: STRICT_DNS
    connect_timeout: 5s
    load_assignment:
      cluster_name: openai
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: api.openai.com, port_value: 443}}}
    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        sni: api.openai.com
        common_tls_context:
          validation_context:
            trusted_ca: {filename: /etc/ssl/certs/ca-certificates.crt}
            match_typed_subject_alt_names:
            - {san_type: DNS, matcher: {exact: api.openai.com}}
"#;

const HOUSE_KEY: &str = "sk-the-key-of-the-house";
const OWN_KEY: &str = "sk-an-applications-own-key";
const MAIL: &str = "Write to bob@northwind.dev";
const SECRET: &str = "use AKIAIQ7RX4PJH6ZN2WVB";

/// The commands of the README's section, in their order.
fn commands() -> VecDeque<String> {
    let readme = std::fs::read_to_string(tools::root().join("README.md")).expect("README.md");
    let section = readme.split("\n## ").find(|s| s.starts_with("Ten minutes with your own envoy.yaml"));
    let section = section.expect("the section `Ten minutes with your own envoy.yaml`");
    let blocks = section.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let text = blocks.collect::<String>().replace("\\\n", " ");
    let commands = text.lines().map(|line| line.split("  #").next().unwrap_or(line).trim().to_owned());
    commands.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// A folder as a newcomer has it, and what its Envoy reaches.
struct Day {
    folder: PathBuf,
    commands: VecDeque<String>,
    provider: Upstream,
    front: Front,
    idp: Idp,
    keys: Front,
}

impl Day {
    async fn begin() -> Self {
        let folder = tools::scratch("firstday");
        let provider = Upstream::with(model::handler()).await;
        let mut idp = Idp::start(Algorithm::RS256).await;
        idp.issuer = "https://idp.example.com".to_owned();
        let ca = Ca::new();
        let front = Front::of(provider.address, &ca.server_for("api.openai.com")).await;
        let keys = Front::of(idp.endpoint.address, &ca.server_for("idp.example.com")).await;
        std::fs::write(folder.join("envoy.yaml"), ORDINARY).expect("write envoy.yaml");
        std::fs::write(folder.join("ca.pem"), &ca.pem).expect("write the authority");
        let module = tools::wasm().expect("run `make wasm`");
        symlink(module, folder.join("doorward.wasm")).expect("the module beside envoy.yaml");
        Self { folder, commands: commands(), provider, front, idp, keys }
    }

    /// Runs the next commands up to one that starts Envoy; answers the file that Envoy is to run, and what was printed.
    fn next(&mut self) -> (Option<PathBuf>, String) {
        let mut printed = String::new();
        while let Some(command) = self.commands.pop_front() {
            if command.starts_with("make ") || command.starts_with("cargo ") {
                continue;
            }
            if let Some((_, file)) = command.split_once("envoy -c ") {
                return (Some(self.folder.join(file)), printed);
            }
            let cli = tools::cli();
            let path =
                format!("{}:{}", cli.parent().expect("a folder").display(), std::env::var("PATH").unwrap_or_default());
            let ran = Command::new("sh").arg("-ec").arg(&command).current_dir(&self.folder).env("PATH", path).output();
            let ran = ran.expect("start sh");
            let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
            assert!(ran.status.success(), "{command}\n{out}{err}");
            for word in ["warning", "error"] {
                assert!(!out.contains(word) && !err.contains(word), "{command}\n{out}{err}");
            }
            printed = printed + &out + &err;
        }
        (None, printed)
    }

    /// Starts Envoy on a file that a command made.
    async fn envoy(&self, file: &Path) -> (Envoy, std::net::SocketAddr) {
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let mut config: Value = serde_saphyr::from_str(&text).expect("YAML");
        let resources = &mut config["static_resources"];
        resources["listeners"][0]["address"] = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
        for cluster in resources["clusters"].as_array_mut().expect("clusters") {
            let endpoint = &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
            let address = &mut endpoint["address"]["socket_address"];
            let front = match address["address"].as_str() {
                Some("api.openai.com") => &self.front,
                Some("idp.example.com") => &self.keys,
                other => panic!("a cluster to {other:?}"),
            };
            assert_eq!(address["port_value"], 443, "{address:#}");
            *address = json!({"address": "127.0.0.1", "port_value": front.address.port()});
            let trusted = &mut cluster["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"];
            assert!(trusted["match_typed_subject_alt_names"].is_array(), "{cluster:#}");
            trusted["trusted_ca"]["filename"] = json!(self.folder.join("ca.pem"));
        }
        config["admin"]["address"]["socket_address"]["port_value"] = json!(0);
        let here = file.with_extension("here.json");
        std::fs::write(&here, config.to_string()).expect("write the configuration");
        let environment = BTreeMap::from([("OPENAI_API_KEY".to_owned(), HOUSE_KEY.to_owned())]);
        validate_in(&here, &environment).await.unwrap_or_else(|e| panic!("{e}\n{text}"));
        let envoy = Envoy::start(Options { config: Some(here), environment, ..Options::default() }).await;
        let address = envoy.listeners().await["egress"];
        until("the identity provider's keys", async || {
            let text = envoy.prometheus().await;
            let fetched = |l: &str| l.starts_with("doorward_jwks_fetches_total{result=\"ok\"}") && !l.ends_with(" 0");
            if text.lines().any(fetched) { Ok(()) } else { Err("not fetched".to_owned()) }
        })
        .await;
        (envoy, address)
    }

    async fn lines(&self, count: usize) -> Vec<Value> {
        until("the access log", async || {
            let text = std::fs::read_to_string(self.folder.join("access.log")).unwrap_or_default();
            let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            if lines.len() == count { Ok(lines) } else { Err(format!("{} lines", lines.len())) }
        })
        .await
    }
}

async fn ask(address: std::net::SocketAddr, credential: &str, model: &str, text: &str) -> Answer {
    let request = post("/v1/chat/completions", credential, chat(model, text).to_string());
    call(address, &request).await
}

async fn call(address: std::net::SocketAddr, request: &Request) -> Answer {
    let mut connection = Connection::open(&Target::plain(address)).await.expect("a connection");
    connection.call(request).await.expect("an answer")
}

fn told<'v>(line: &'v Value, key: &str) -> &'v str {
    line[key].as_str().unwrap_or_default()
}

#[tokio::test]
async fn ten_minutes_with_ones_own_envoy_yaml() {
    let mut day = Day::begin().await;

    // Watched: applications go on with their own keys, and nothing is changed.
    let (file, printed) = day.next();
    assert!(printed.contains("the cluster `idp` was added"), "{printed}");
    let (envoy, address) = day.envoy(&file.expect("Envoy is started")).await;
    for text in ["Say hello", MAIL, SECRET] {
        assert_eq!(ask(address, OWN_KEY, "gpt-5", text).await.status, 200);
    }
    let seen = day.provider.seen();
    let sent: Vec<String> = ["Say hello", MAIL, SECRET].iter().map(|text| chat("gpt-5", text).to_string()).collect();
    assert_eq!(seen.iter().map(|s| s.text().to_owned()).collect::<Vec<_>>(), sent);
    assert!(seen.iter().all(|s| s.fields.get("authorization") == Some(format!("Bearer {OWN_KEY}"))), "{seen:?}");
    assert!(seen.iter().all(|s| s.authority == "api.openai.com"), "{seen:?}");
    assert!(day.front.names().iter().all(|name| name.as_deref() == Some("api.openai.com")), "{:?}", day.front.names());
    let lines = day.lines(3).await;
    assert!(lines.iter().all(|line| told(line, "doorward.action") == "observe"), "{lines:#?}");
    assert_eq!(told(&lines[1], "doorward.findings").split(',').next(), Some("in:EMAIL_ADDRESS/mask=1"));
    assert_eq!(told(&lines[2], "doorward.findings").split(',').next(), Some("in:AWS_ACCESS_KEY/deny=1"));
    drop(envoy);

    // Still watched, with the key on the cluster: applications change to tokens, each on its own day.
    let (file, printed) = day.next();
    assert!(printed.contains("3 exchanges, 0 denied") && printed.contains("3 denials only recorded"), "{printed}");
    assert!(printed.contains("gpt-5") && printed.contains("identity.malformed"), "{printed}");
    assert!(printed.contains("whoever reaches this listener uses the key"), "{printed}");
    let (envoy, address) = day.envoy(&file.expect("Envoy is started again")).await;
    let alice = day.idp.token("alice", json!({"groups": ["eng"]}));
    let bob = day.idp.token("bob", json!({"groups": ["sales"]}));
    assert_eq!(ask(address, OWN_KEY, "gpt-5", "Say hello").await.status, 200);
    for (token, model, text) in
        [(&alice, "gpt-5-mini", MAIL), (&alice, "o3", "hi"), (&alice, "gpt-5", SECRET), (&bob, "gpt-5", "hi")]
    {
        assert_eq!(ask(address, token, model, text).await.status, 200);
        let seen = day.provider.seen();
        let last = seen.last().expect("a request");
        assert_eq!(last.text(), chat(model, text).to_string());
        assert!(!last.mentions(token), "the caller's token left");
    }
    let keyed = &day.provider.seen()[3..];
    assert_eq!(keyed.len(), 5);
    assert!(keyed.iter().all(|s| s.fields.get("authorization") == Some(format!("Bearer {HOUSE_KEY}"))), "{keyed:?}");
    let lines = day.lines(8).await;
    let reasons: Vec<&str> = lines[4..].iter().map(|line| told(line, "doorward.reason")).collect();
    assert_eq!(reasons, ["", "model.not_allowed", "content.denied", "access.denied"]);
    drop(envoy);

    // Enforced.
    let (file, printed) = day.next();
    for expected in [
        "alice",
        "bob",
        "gpt-5-mini",
        "model.not_allowed  observe",
        "content.denied  observe",
        "access.denied  observe",
        "EMAIL_ADDRESS  in  mask",
    ] {
        assert!(printed.contains(expected), "`{expected}` in\n{printed}");
    }
    assert!(!printed.contains("uses the key"), "{printed}");
    assert!(std::fs::read_to_string(day.folder.join("report.html")).expect("the page").contains("alice"));
    let file = file.expect("Envoy is started at last");
    let text = std::fs::read_to_string(&file).expect("what was rendered");
    assert!(text.contains("mode: enforce") && text.contains("environment_variable: OPENAI_API_KEY"), "{text}");
    let (envoy, address) = day.envoy(&file).await;
    assert_eq!(ask(address, &alice, "gpt-5-mini", MAIL).await.status, 200);
    let seen = day.provider.seen();
    let last = seen.last().expect("a request");
    assert!(last.text().contains("[EMAIL_ADDRESS]") && !last.mentions("bob@northwind.dev"), "{last:?}");
    assert_eq!(last.fields.get("authorization"), Some(format!("Bearer {HOUSE_KEY}")));
    let nobody = Request::post("/v1/chat/completions", &chat("gpt-5", "hi"));
    let answer = call(address, &nobody).await;
    assert_eq!((answer.status, code(&answer).as_str()), (401, "identity.missing"));
    for (credential, model, text, status, reason) in [
        (&alice[..], "gpt-5", SECRET, 400, "content.denied"),
        (&alice, "o3", "hi", 403, "model.not_allowed"),
        (&bob, "gpt-5", "hi", 403, "access.denied"),
        (OWN_KEY, "gpt-5", "hi", 401, "identity.malformed"),
    ] {
        let answer = ask(address, credential, model, text).await;
        assert_eq!((answer.status, code(&answer).as_str()), (status, reason), "{}", answer.text());
    }
    assert_eq!(day.provider.count(), 9, "what was refused reached the provider");
    let lines = day.lines(14).await;
    assert!(lines[9..].iter().all(|line| told(line, "doorward.action") == "reply"), "{lines:#?}");
    let (_, dump) = envoy.admin("/config_dump?include_eds").await;
    assert!(!dump.contains(HOUSE_KEY), "the key stands in /config_dump");
    assert!(day.next().0.is_none() && day.commands.is_empty());
}
