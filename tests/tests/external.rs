//! Detectors outside of the filter, over an Envoy cluster: a presidio-analyzer from PyPI, and none where one should be.

use std::process::Stdio;

use doorward_e2e::client::Answer;
use doorward_e2e::envoy::{Cluster, Gate, ListenerSpec};
use doorward_e2e::governed::{World, access_log, assert_unlogged, chat, post, refusal};
use doorward_e2e::tools;
use doorward_e2e::upstream::{Script, Upstream};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const CHAT: &str = "/v1/chat/completions";
const KEY: &str = "analyzer-key-for-tests-only";
/// No built-in type knows it; the analyzer's deny list does.
const PROJECT: &str = "Blue Kite";

/// Presidio takes both of a small machine's cores while it starts, and time bounds of a fraction of a second would tell of that.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A running analyzer; it ends with its standard input, at the latest with the test.
struct Analyzer {
    child: Child,
    cluster: Cluster,
}

impl Analyzer {
    async fn start(name: &str, settings: Value) -> Self {
        let mut child = Command::new(tools::presidio())
            .arg(tools::root().join("tests/sdk/presidio_server.py"))
            .arg(settings.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the analyzer starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("its output can be read").expect("it says its port");
        let port: u16 = line.strip_prefix("port ").and_then(|p| p.parse().ok()).expect("its port");
        let cluster = Cluster::at(([127, 0, 0, 1], port).into(), false).named(name);
        Self { child, cluster }
    }

    async fn stop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().await.expect("the analyzer ends");
    }
}

/// The world with `statements` about what the analyzer at `cluster` finds.
async fn world(flow: bool, cluster: &str, statements: Value, more: Value) -> World {
    let world = World::new().await;
    let mut world = if flow { world.flow() } else { world };
    let mut external = json!({"name": "presidio", "cluster": cluster, "authority": "analyzer.test", "api": "presidio",
        "timeout": "5s", "bearer": {"env": "ANALYZER_KEY"}});
    for (name, value) in more.as_object().into_iter().flatten() {
        external[name] = value.clone();
    }
    world.policy["detectors"] = json!({"external": [external]});
    let own = world.policy["content"].as_array_mut().expect("statements");
    own.extend(statements.as_array().cloned().unwrap_or_default());
    world
}

async fn gate(world: &World, cluster: Option<&Cluster>) -> Gate {
    let mut spec = ListenerSpec::to(world.cluster.clone()).wasm(world.wasm().env("ANALYZER_KEY", KEY));
    spec.log = access_log();
    spec.clusters.extend(cluster.cloned());
    world.open(spec).await.unwrap_or_else(|refused| panic!("{refused}"))
}

async fn ask(world: &World, gate: &Gate, body: &Value) -> Answer {
    gate.call(&post(CHAT, &world.alice(), body.to_string())).await
}

fn statement(more: Value) -> Value {
    let mut statement = json!({"id": "projects", "detect": "presidio", "action": "mask", "direction": "request",
        "channels": ["user", "tool_result", "document"]});
    for (name, value) in more.as_object().into_iter().flatten() {
        statement[name] = value.clone();
    }
    json!([statement])
}

async fn masked(flow: bool) {
    let name = if flow { "presidio-flow" } else { "presidio-hold" };
    let mut analyzer = Analyzer::start(name, json!({"key": KEY})).await;
    let entities = json!({"entities": {"PROJECT": "PROJECT", "UUID": "REFERENCE"}});
    let world = world(flow, name, statement(json!({})), entities.clone()).await;
    let gate = gate(&world, Some(&analyzer.cluster)).await;
    let text = format!("\u{1F600} Zoë of {PROJECT} is zoe@acme-inc.io");
    let answer = ask(&world, &gate, &chat("gpt-5", &text)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.upstream.seen().pop().expect("the request went on");
    let sent = String::from_utf8_lossy(&seen.body).into_owned();
    assert!(sent.contains("\u{1F600} Zoë of [PROJECT] is [EMAIL_ADDRESS]"), "{sent}");
    assert!(!sent.contains(PROJECT));
    let line = gate.log_line(&answer).await;
    let external = line["doorward.external"].as_str().unwrap_or_default();
    assert!(external.starts_with("in:presidio=ok:") && external.ends_with("ms"), "{line:#}");
    assert_eq!(line["doorward.findings"], "in:EMAIL_ADDRESS/mask=1,in:PROJECT/mask=1");
    // A long one, in many frames, of which only the last words are meant.
    let long = format!("{} {PROJECT}", "nothing to see here ".repeat(2_500));
    let answer = ask(&world, &gate, &chat("gpt-5", &long)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.upstream.seen().pop().expect("the request went on");
    assert!(String::from_utf8_lossy(&seen.body).contains("see here  [PROJECT]"));

    // The analyzer is gone: what it would have had to see does not pass, unless the statement says so.
    analyzer.stop().await;
    let before = world.upstream.count();
    let answer = ask(&world, &gate, &chat("gpt-5", &text)).await;
    let line = refusal(&gate, &answer, 503, "content.detector_unavailable").await;
    assert!(line["doorward.external"].as_str().is_some_and(|e| e.starts_with("in:presidio=failed:")), "{line:#}");
    assert_eq!(line["doorward.rules"], "projects");
    assert!(!answer.text().contains(PROJECT));
    if !flow {
        assert_eq!(world.upstream.count(), before);
    }
    let mut lenient = self::world(flow, name, statement(json!({"on_failure": "allow"})), entities).await;
    lenient.policy["name"] = json!(format!("{name}-lenient"));
    let lenient_gate = self::gate(&lenient, Some(&analyzer.cluster)).await;
    let answer = ask(&lenient, &lenient_gate, &chat("gpt-5", &text)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = lenient.upstream.seen().pop().expect("the request went on");
    assert!(String::from_utf8_lossy(&seen.body).contains(&format!("{PROJECT} is [EMAIL_ADDRESS]")));
    let line = lenient_gate.log_line(&answer).await;
    assert!(line["doorward.external"].as_str().is_some_and(|e| e.starts_with("in:presidio=failed:")), "{line:#}");
    assert_eq!(line["doorward.decision"], "allow");
    assert_unlogged(&gate, &[PROJECT, KEY]);
    assert_unlogged(&lenient_gate, &[PROJECT, KEY]);
}

#[tokio::test]
async fn what_presidio_finds_is_masked_and_without_it_nothing_passes() {
    let _alone = ALONE.lock().await;
    tokio::join!(masked(false), masked(true));
}

#[tokio::test]
async fn answers_are_looked_at_as_well() {
    let _alone = ALONE.lock().await;
    let mut analyzer = Analyzer::start("presidio-answers", json!({"key": KEY})).await;
    for (flow, action) in [(false, "mask"), (true, "mask"), (false, "deny"), (true, "deny")] {
        let about = json!({"direction": "response", "channels": "assistant", "action": action});
        // A cluster of its own: that of the gate before goes while this one comes.
        let name = format!("presidio-answers-{action}-{flow}");
        let world = world(flow, &name, statement(about), json!({})).await;
        let gate = gate(&world, Some(&analyzer.cluster.clone().named(&name))).await;
        let body = json!({"model": "gpt-5", "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": format!("It is about {PROJECT}.")}}]});
        world.upstream.enqueue(Script::status(200).header("content-type", "application/json").data(body.to_string()));
        let answer = ask(&world, &gate, &chat("gpt-5", "what?")).await;
        let text = answer.text().to_owned();
        assert!(!text.contains(PROJECT), "{action} {flow}: {text}");
        let line = gate.log_line(&answer).await;
        assert!(line["doorward.external"].as_str().is_some_and(|e| e.starts_with("out:presidio=ok:")), "{line:#}");
        match action {
            "mask" => {
                assert_eq!(answer.status, 200, "{text}");
                assert!(text.contains("It is about [presidio]."), "{text}");
                let length = answer.fields.get("content-length");
                assert!(length.is_none_or(|l| l == text.len().to_string()), "{action} {flow}");
            }
            _ => {
                assert_eq!(answer.status, if flow { 200 } else { 400 }, "{text}");
                assert!(text.contains("answer.denied"), "{text}");
                assert_eq!(line["doorward.reason"], "answer.denied");
            }
        }
    }
    analyzer.stop().await;
}

/// What stands behind the cluster answers in a way that is none, or not at all.
#[tokio::test]
async fn every_failure_is_told_apart_and_refused() {
    let _alone = ALONE.lock().await;
    let upstream = Upstream::http1().await;
    let cluster = Cluster::to(&upstream);
    let quick = json!({"timeout": "200ms"});
    for flow in [false, true] {
        let world = world(flow, &cluster.name, statement(json!({})), quick.clone()).await;
        let gate = gate(&world, Some(&cluster)).await;
        let json = |text: &str| Script::status(200).header("content-type", "application/json").data(text);
        for (script, outcome) in [
            (Script::status(500).data("oops"), "failed:status_500"),
            (Script::status(401).data("{}"), "failed:status_401"),
            (json("{\"no\":1}"), "failed:malformed"),
            (json("[[{\"entity_type\":\"P\",\"start\":0,\"end\":99999,\"score\":1}]]"), "failed:malformed"),
            (json(&format!("[[]]{}", " ".repeat(1_100_000))), "failed:"),
            (Script::never(), "failed:timeout"),
        ] {
            upstream.enqueue(script);
            let answer = ask(&world, &gate, &chat("gpt-5", "hello")).await;
            let line = refusal(&gate, &answer, 503, "content.detector_unavailable").await;
            let external = line["doorward.external"].as_str().unwrap_or_default();
            assert!(external.starts_with(&format!("in:presidio={outcome}")), "{outcome}: {external}");
            // A connection that was given up is gone before the next call would take it: what is asked again at once may, on a
            // busy machine, take another one of those.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        // The cluster is fine, and so is the next request.
        upstream.enqueue(json("[[],[],[],[]]"));
        let answer = ask(&world, &gate, &chat("gpt-5", "hello")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let asked = upstream.seen().pop().expect("it was asked");
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/analyze"));
        assert_eq!(asked.fields.get("authorization").as_deref(), Some(&*format!("Bearer {KEY}")));
        let sent: Value = serde_json::from_slice(&asked.body).expect("JSON");
        assert!(sent["text"].as_array().is_some_and(|texts| texts.contains(&json!("hello"))), "{sent}");
    }
    // Envoy knows no such cluster at all.
    let world = world(false, "nowhere", statement(json!({})), json!({})).await;
    let gate = gate(&world, None).await;
    let answer = ask(&world, &gate, &chat("gpt-5", "hello")).await;
    let line = refusal(&gate, &answer, 503, "content.detector_unavailable").await;
    assert_eq!(line["doorward.external"], "in:presidio=failed:unreachable");
    assert_eq!(world.upstream.count(), 0);
}
