//! Shared limits in both ways that Envoy can hold a request: it waits for the service as it came, and goes on as it was judged, or to
//! the cheaper model where the service says that nothing is left for the one that was asked.

use doorward_e2e::governed::{code, post};
use serde_json::json;

use crate::redis::Redis;
use crate::service::Service;
use crate::world::Mesh;

const BIG: u64 = 1_000;
const SMALL: u64 = 700;

async fn goes_on_as_judged(flow: bool) {
    let redis = Redis::start().await;
    let names: [&str; 2] = ["window", "caller"];
    let service = Service::start(&redis, &[("big", BIG, &names), ("small", SMALL, &names)]);
    let cluster = service.cluster(if flow { "ratelimit-flow" } else { "ratelimit-hold" });
    let global = json!({"cluster": cluster.name, "domain": "mesh", "on_failure": "deny", "timeout": "1s"});
    let limits = json!([
        {"id": "big", "models": "gpt-5", "total_tokens": BIG, "calendar": "day", "step_down": "gpt-5-mini", "global": global},
        {"id": "small", "models": "gpt-5-mini", "total_tokens": SMALL, "calendar": "day", "global": global},
    ]);
    let mesh = Mesh::start(limits, &cluster, |world, _| {
        if flow {
            world.flow = true;
            world.policy["envoy"] = json!({"hold_headers": false});
        }
    })
    .await;
    let token = mesh.world.token("alice", &["eng"]);
    let body = json!({"model": "gpt-5", "stream": true, "max_tokens": 400, "messages": [
        {"role": "user", "content": "alice 380"}, {"role": "user", "content": "write to ada.king@northwind.dev"},
    ]});
    let mut ends = Vec::new();
    for n in 0..5 {
        let gate = &mesh.gates[n % 2];
        let answer = gate.call(&post("/v1/chat/completions", &token, body.to_string())).await;
        let line = gate.log_line(&answer).await;
        let reason = if answer.status == 200 { String::new() } else { code(&answer) };
        ends.push(format!("{} {reason} {}", answer.status, line["gen_ai.request.model"].as_str().unwrap_or_default()));
        if answer.status == 200 {
            assert!(answer.text().contains("[DONE]"), "{}", answer.text());
        }
    }
    println!("flow {flow}: {ends:?}");
    let ok = |model: &str| ends.iter().filter(|end| **end == format!("200  {model}")).count();
    assert_eq!((ok("gpt-5"), ok("gpt-5-mini")), (2, 1), "{ends:?}");
    assert_eq!(ends.iter().filter(|end| end.starts_with("429 limit.tokens")).count(), 2, "{ends:?}");
    // In flow mode heads go ahead, also of what is refused then: nothing follows them.
    let (seen, heads): (Vec<_>, Vec<_>) = mesh.world.upstream.seen().into_iter().partition(|s| !s.body.is_empty());
    assert_eq!((seen.len(), heads.is_empty()), (3, !flow));
    for seen in &seen {
        let body = seen.json();
        assert_eq!(body["messages"][1]["content"], "write to [EMAIL_ADDRESS]", "{body}");
        assert_eq!(body["messages"][0]["content"], "alice 380");
    }
    let asked = |model: &str| seen.iter().filter(|seen| seen.json()["model"] == model).count();
    assert_eq!((asked("gpt-5"), asked("gpt-5-mini")), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_the_service_goes_on_as_it_was_judged() {
    goes_on_as_judged(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_the_service_behind_its_head_goes_on_as_it_was_judged() {
    goes_on_as_judged(true).await;
}
