//! Two Envoys with one policy, and a provider that says what it was used for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorward_e2e::client::Answer;
use doorward_e2e::envoy::{Cluster, Envoy, Gate, Options};
use doorward_e2e::governed::{World, post};
use doorward_e2e::upstream::{Script, Seen, Step, Upstream};
use serde_json::{Value, json};

/// What each user got, in tokens.
pub type Used = Arc<Mutex<BTreeMap<String, u64>>>;

/// Tokens in that the provider counts for every call.
const INPUT: u64 = 20;

pub struct Mesh {
    pub world: World,
    pub gates: Vec<Gate>,
    pub used: Used,
}

impl Mesh {
    pub async fn start(
        limits: Value,
        service: &Cluster,
        more: impl Fn(&mut World, &mut doorward_e2e::envoy::ListenerSpec),
    ) -> Self {
        let used = Used::default();
        let seen = Arc::clone(&used);
        let mut world = World::new().await;
        world.upstream = Upstream::with(Arc::new(move |request: &Seen| answer(request, &seen))).await;
        world.cluster = Cluster::to(&world.upstream);
        world.policy["name"] = json!(world.cluster.name);
        world.policy["targets"][0]["cluster"] = json!(world.cluster.name);
        world.policy["limits"] = limits;
        let mut spec = world.spec();
        more(&mut world, &mut spec);
        spec.wasm = Some(world.wasm());
        spec.clusters.push(service.clone());
        let mut gates = Vec::new();
        for _ in 0..2 {
            let envoy = Envoy::start(Options { workers: 2, ..Options::default() }).await;
            gates.push(envoy.listener(spec.clone()).await.unwrap_or_else(|refused| panic!("{refused}")));
        }
        Self { world, gates, used }
    }

    /// A streamed call of a user, of which the provider counts `output` tokens out, at most `most`.
    pub async fn call(&self, gate: usize, user: &str, most: u64, output: u64) -> Answer {
        self.call_model("gpt-5", gate, user, most, output).await
    }

    /// The same of a model.
    pub async fn call_model(&self, model: &str, gate: usize, user: &str, most: u64, output: u64) -> Answer {
        let text = format!("{user} {output}");
        let body = json!({"model": model, "stream": true, "max_tokens": most,
            "messages": [{"role": "user", "content": text}]});
        let token = self.world.token(user, &["eng"]);
        self.gates[gate].call(&post("/v1/chat/completions", &token, body.to_string())).await
    }

    pub fn used(&self, user: &str) -> u64 {
        self.used.lock().expect("usage").get(user).copied().unwrap_or(0)
    }

    pub fn all_used(&self) -> u64 {
        self.used.lock().expect("usage").values().sum()
    }
}

/// A stream that takes a little while, and tells its usage.
fn answer(request: &Seen, used: &Used) -> Script {
    let body = request.json();
    let model = &body["model"];
    let text = body["messages"][0]["content"].as_str().unwrap_or_default();
    let (user, output) = text.split_once(' ').unwrap_or((text, "1"));
    let output: u64 = output.parse().unwrap_or(1);
    *used.lock().expect("usage").entry(user.to_owned()).or_default() += INPUT + output;
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model,
            "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    };
    let delta = json!([{"index": 0, "delta": {"role": "assistant", "content": "hello"}, "finish_reason": null}]);
    let end = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    let usage = json!({"prompt_tokens": INPUT, "completion_tokens": output, "total_tokens": INPUT + output});
    Script::sse([chunk(delta, Value::Null)])
        .step(Step::Pause(Duration::from_millis(40)))
        .data(chunk(end, Value::Null))
        .data(chunk(json!([]), usage))
        .data("data: [DONE]\n\n")
}
