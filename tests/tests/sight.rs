//! What operators see: a real Prometheus scrapes a real Envoy under a load in which everything happens, and every query of the shipped
//! dashboard finds something. Alerts and recording rules are tested by `promtool`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use doorward_e2e::client::http1::Connection;
use doorward_e2e::client::{Request, Target};
use doorward_e2e::demo::behind::Speaks;
use doorward_e2e::envoy::{Cluster, Envoy, Gate, Options};
use doorward_e2e::governed::{World, chat, code, post, stats_config};
use doorward_e2e::upstream::Upstream;
use doorward_e2e::wait::until;
use doorward_e2e::{providers, tools};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const INSTALL: &str = "tests/setup-sight installs prometheus and promtool";

/// A Prometheus of the distribution that scrapes one Envoy every second; it ends with the test.
struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Prometheus {
    async fn start(envoy: &Envoy) -> Self {
        let folder = tools::scratch("prometheus");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 2s}}\nrule_files: [{rules}/recording.yaml, {rules}/alerts.yaml]\nscrape_configs:\n\
             - {{job_name: envoy, metrics_path: /stats/prometheus, static_configs: [{{targets: ['{}']}}]}}\n",
            envoy.admin_address(),
            rules = tools::root().join("envoy/prometheus").display(),
        );
        std::fs::write(folder.join("prometheus.yaml"), config).expect("write its configuration");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
        let log = std::fs::File::create(folder.join("log")).expect("its log");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yaml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|e| panic!("prometheus: {e}; {INSTALL}"));
        let prometheus = Self { child, address: free };
        until("Prometheus to be ready", async || match prometheus.get("/-/ready").await {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        prometheus
    }

    async fn get(&self, target: &str) -> std::io::Result<(u16, String)> {
        let mut connection = Connection::open(&Target::plain(self.address)).await?;
        let answer = connection.call(&Request::get(target)).await?;
        Ok((answer.status, answer.text().to_owned()))
    }

    /// What an instant query finds: labels and value of each series.
    async fn query(&self, expression: &str) -> Vec<(Value, f64)> {
        let escaped: String = expression.bytes().map(|b| format!("%{b:02X}")).collect();
        let (status, text) = self.get(&format!("/api/v1/query?query={escaped}")).await.expect("an answer");
        assert_eq!(status, 200, "{expression}: {text}");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let series = |r: &Value| Some((r["metric"].clone(), r["value"][1].as_str()?.parse().ok()?));
        answer["data"]["result"].as_array().into_iter().flatten().filter_map(series).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn dashboard() -> Value {
    let text = std::fs::read_to_string(tools::root().join("envoy/grafana/doorward.json")).expect("the dashboard");
    serde_json::from_str(&text).expect("JSON")
}

fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().expect("panels").iter().filter(|p| p["type"] != "row").collect()
}

/// As Grafana asks, with everything chosen and a short range.
fn asked(expression: &str) -> String {
    expression.replace("$target", ".*").replace("$__rate_interval", "20s").replace("$__range", "2m")
}

/// A world in which everything happens: findings, tools, limits, an external detector, unusual callers, costs, two workers.
async fn world() -> (World, Envoy, Gate) {
    let mut world = World::of(providers::openai(), "openai").await;
    let directory = Upstream::with(Speaks::Directory.handler()).await;
    let idp = Cluster::at(world.idp.endpoint.address, false).named("idp");
    world.policy["identity"]["jwt"][0]["jwks"] =
        json!({"cluster": "idp", "authority": "idp.test", "path": "/jwks.json"});
    world.policy["models"] = json!([{"name": "gpt-5-mini", "price": {"input": 1000, "output": 1000}}]);
    world.policy["access"] =
        json!([{"id": "models", "effect": "allow", "models": "gpt-*", "tools": [{"name": "find"}]}]);
    world.policy["tool_use"] = json!({"declared": "deny"});
    world.policy["detectors"] = json!({"external": [{"name": "directory", "cluster": "directory",
        "authority": "directory.test", "path": "/find", "api": "webhook", "timeout": "5s", "entities": {"EMPLOYEE": "COLLEAGUE"}}]});
    world.policy["content"] = json!([
        {"id": "mask", "detect": "EMAIL_ADDRESS", "action": "mask"},
        {"id": "secrets", "detect": "secrets", "action": "deny"},
        {"id": "colleagues", "detect": "directory", "action": "mask", "direction": "request"},
    ]);
    world.policy["limits"] = json!([{"id": "few", "requests": 2, "window": "1h", "roles": "few"}]);
    world.policy["roles"] = json!({"few": {"users": "bob"}});
    world.policy["anomaly"] = json!({"ceilings": {"requests": 20}, "actions": [{"id": "told", "action": "flag"}]});
    world.policy["metrics"] = json!({"opentelemetry": ["token_usage", "inference_usage"]});
    let envoy =
        Envoy::start(Options { workers: 2, bootstrap: json!({"stats_config": stats_config()}), ..Options::default() })
            .await;
    let mut spec = world.spec();
    spec.clusters.extend([idp, Cluster::to(&directory).named("directory")]);
    let gate = envoy.listener(spec).await.unwrap_or_else(|refused| panic!("{refused}"));
    std::mem::forget(directory);
    (world, envoy, gate)
}

/// One of everything: what is sent, and what has to come of it.
async fn everything(world: &World, gate: &Gate) {
    let (alice, bob) = (world.alice(), world.idp.token("bob", json!({})));
    let tool = |name: &str| json!([{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}]);
    let with_tools = |text: &str, name: &str| {
        let mut body = chat("gpt-5-mini", text);
        body["tools"] = tool(name);
        body
    };
    let secret = "keep AKIAIQ7RX4PJH6ZN2WVB safe";
    for (token, body, expected) in [
        (&alice, chat("gpt-5-mini", "write bob@northwind.dev"), ""),
        (&alice, chat("gpt-5-mini", "ask Zoë Mäkinen"), ""),
        (&alice, with_tools("CALL find {\"name\": \"Ada\"}", "find"), ""),
        (&alice, with_tools("hello", "shell"), "tool.not_allowed"),
        (&alice, chat("o1", "hello"), "model.not_allowed"),
        (&alice, chat("gpt-5-mini", secret), "content.denied"),
        (&"not a token".to_owned(), chat("gpt-5-mini", "hello"), "identity."),
    ] {
        let answer = gate.call(&post(CHAT, token, body.to_string())).await;
        let code = code(&answer);
        let fits =
            if expected.is_empty() { code.is_empty() && answer.status == 200 } else { code.starts_with(expected) };
        assert!(fits, "`{expected}`: {} {code} {}", answer.status, answer.text());
    }
    gate.call(&post(CHAT, &bob, chat("gpt-5-mini", "hello").to_string())).await;
}

#[tokio::test]
async fn every_panel_of_the_dashboard_shows_something() {
    let (world, envoy, gate) = world().await;
    until("keys", async || {
        let answer = gate.call(&post(CHAT, &world.alice(), chat("gpt-5-mini", "hello").to_string())).await;
        if answer.status == 200 { Ok(()) } else { Err(answer.text().to_owned()) }
    })
    .await;
    everything(&world, &gate).await;
    let prometheus = Prometheus::start(&envoy).await;
    let dashboard = dashboard();
    let all: Vec<(String, String)> = panels(&dashboard)
        .into_iter()
        .flat_map(|panel| {
            let title = panel["title"].as_str().expect("a title").to_owned();
            let targets = panel["targets"].as_array().expect("targets");
            targets.iter().map(move |t| (title.clone(), t["expr"].as_str().expect("a query").to_owned()))
        })
        .collect();
    assert!(all.len() >= 30, "{}", all.len());
    let mut empty = all;
    for _ in 0..40 {
        for _ in 0..3 {
            everything(&world, &gate).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        let mut still = Vec::new();
        for (title, expression) in empty {
            let found = prometheus.query(&asked(&expression)).await;
            if found.is_empty() || found.iter().all(|(_, value)| value.is_nan()) {
                still.push((title, expression));
            }
        }
        empty = still;
        if empty.is_empty() {
            break;
        }
    }
    assert!(empty.is_empty(), "nothing to see in {empty:#?}\n{}", envoy.prometheus().await);

    // The variable has the target's name, and the rules of this Prometheus have results, too.
    let targets = prometheus.query("count by (target) (doorward_requests_total)").await;
    assert!(targets.iter().any(|(labels, _)| labels["target"] == "model"), "{targets:?}");
    until("recorded rules", async || {
        let found = prometheus.query("doorward:requests:rate5m").await;
        if found.is_empty() { Err("none yet".to_owned()) } else { Ok(()) }
    })
    .await;
    // A label is never a user.
    let metrics = envoy.prometheus().await;
    assert!(!metrics.contains("alice") && !metrics.contains("bob"), "a user's name among the metrics");
    // What the alert on traps reads is there before the first one.
    assert!(metrics.contains("envoy_wasm_doorward_vm_reload_success"), "no count of reloads");
    for name in [
        "gen_ai_client_token_usage_bucket{",
        "gen_ai_client_inference_usage_input_tokens{",
        "gen_ai_client_inference_usage_output_tokens{",
    ] {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
        for label in
            ["gen_ai_operation_name=\"chat\"", "gen_ai_provider_name=\"openai\"", "gen_ai_request_model=\"gpt-5-mini\""]
        {
            assert!(line.contains(label), "{label}: {line}");
        }
    }
}

#[test]
fn the_dashboard_is_whole() {
    let dashboard = dashboard();
    let all = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<i64> = all.iter().filter_map(|p| p["id"].as_i64()).collect();
    assert_eq!(ids.len(), all.len(), "each panel has an id of its own");
    let rows: Vec<&str> = all.iter().filter(|p| p["type"] == "row").filter_map(|p| p["title"].as_str()).collect();
    assert_eq!(
        rows,
        ["Overview", "Identity", "Models and cost", "Content", "Tools", "Limits and anomaly", "Health of the filter"]
    );
    let place = |p: &Value| ["x", "y", "w", "h"].map(|key| p["gridPos"][key].as_i64().expect("a number"));
    for (i, panel) in all.iter().enumerate() {
        let [x, y, w, h] = place(panel);
        assert!(x + w <= 24, "{}", panel["title"]);
        for other in all.iter().skip(i + 1) {
            let [ox, oy, ow, oh] = place(other);
            let apart = x + w <= ox || ox + ow <= x || y + h <= oy || oy + oh <= y;
            assert!(apart, "{} lies over {}", panel["title"], other["title"]);
        }
    }
    for panel in panels(&dashboard) {
        let title = &panel["title"];
        assert!(panel["description"].as_str().is_some_and(|d| d.len() > 15), "{title} says nothing of itself");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
    }
}

fn promtool(arguments: &[&str]) {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(tools::root().join("envoy/prometheus"))
        .output()
        .unwrap_or_else(|e| panic!("promtool: {e}; {INSTALL}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn rules_hold_and_each_alert_has_a_test() {
    promtool(&["check", "rules", "recording.yaml", "alerts.yaml"]);
    promtool(&["test", "rules", "tests.yaml"]);
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(tools::root().join("envoy/prometheus").join(name)).expect(name);
        serde_saphyr::from_str(&text).expect(name)
    };
    let alerts = read("alerts.yaml");
    let names: BTreeSet<&str> = alerts["groups"][0]["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| rule["alert"].as_str().expect("an alert's name"))
        .collect();
    let tests = read("tests.yaml");
    let fired = |case: &&Value| case["exp_alerts"].as_array().is_some_and(|alerts| !alerts.is_empty());
    let tested: BTreeSet<&str> = tests["tests"]
        .as_array()
        .expect("tests")
        .iter()
        .flat_map(|test| test["alert_rule_test"].as_array().into_iter().flatten())
        .filter(fired)
        .filter_map(|case| case["alertname"].as_str())
        .collect();
    assert_eq!(names, tested);
}
