//! What waits for the service, in hold and in flow mode: bodies as they will go on, heads without one, and clients that go.

use std::sync::atomic::Ordering;
use std::time::Duration;

use doorward_e2e::client::Request;
use doorward_e2e::governed::{chat, post};
use doorward_e2e::wait::until;
use serde_json::json;

use crate::redis::Redis;
use crate::service::Service;
use crate::world::Mesh;

const PLENTY: u64 = 1_000_000;

async fn waits(flow: bool) {
    let redis = Redis::start().await;
    let names: [&str; 2] = ["window", "caller"];
    let service = Service::start(&redis, &[("tokens", PLENTY, &names), ("rate", 6, &names)]);
    service.delay_ms.store(80, Ordering::SeqCst);
    let cluster = service.cluster(&format!("ratelimit-modes-{flow}"));
    let global = json!({"cluster": cluster.name, "domain": "mesh", "refund": "negative_hits", "on_failure": "deny",
        "timeout": "2s"});
    let limits = json!([
        {"id": "tokens", "total_tokens": PLENTY, "calendar": "day", "global": global},
        {"id": "rate", "requests": 6, "calendar": "day", "global": global},
    ]);
    let mesh = Mesh::start(limits, &cluster, |world, _| {
        world.flow = flow;
        world.policy["envoy"] = json!({"hold_headers": !flow});
    })
    .await;
    let (world, gate) = (&mesh.world, &mesh.gates[0]);
    let token = world.alice();

    // A long body, in many frames, of which a part is replaced.
    let long = format!("{}zoe@acme-inc.io", "nothing to see here ".repeat(5_000));
    let mut body = chat("gpt-5", &long);
    body["max_tokens"] = json!(100);
    let answer = gate.call(&post("/v1/chat/completions", &token, body.to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = world.upstream.seen().pop().expect("it went on");
    assert!(
        seen.text().ends_with('}') && seen.text().contains("see here [EMAIL_ADDRESS]") && seen.body.len() > 100_000
    );
    let line = gate.log_line(&answer).await;
    assert_eq!(line["doorward.limit.global"], "tokens=ok,rate=ok", "{line:#}");

    // The end of a body that trailers tell.
    let mut request = post("/v1/chat/completions", &token, body.to_string());
    let mut trailers = doorward_e2e::fields::Fields::default();
    trailers.push("x-checked", "yes");
    request.trailers = Some(trailers);
    let answer = gate.call_http2(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.upstream.seen().pop().expect("it went on").body.len(), seen.body.len());

    // A head is all there is.
    let answer = gate.call(&Request::get("/v1/models").bearer(&token)).await;
    let line = gate.log_line(&answer).await;
    assert_eq!(line["doorward.limit.global"], "rate=ok", "{line:#}");
    assert_eq!(world.upstream.seen().pop().expect("it went on").target, "/v1/models");

    // A client that goes while the service thinks: what is charged for it comes back, and nothing goes on.
    let before = world.upstream.count();
    let counts = async || redis.counts().await.iter().map(|(_, count)| count).sum::<i64>();
    until("refunds", async || match counts().await {
        charged if charged < 50_000 => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    let (charged, asked) = (counts().await, service.asked());
    service.delay_ms.store(500, Ordering::SeqCst);
    let mut connection = gate.connect().await;
    connection.send(&post("/v1/chat/completions", &token, body.to_string())).await;
    until("the service to be asked", async || if service.asked() > asked { Ok(()) } else { Err(()) }).await;
    connection.abort();
    tokio::time::sleep(Duration::from_millis(700)).await;
    service.delay_ms.store(0, Ordering::SeqCst);
    until("everything to come back", async || match counts().await {
        now if now == charged => Ok(()),
        now => Err(format!("{now}, and {charged} before")),
    })
    .await;
    if !flow {
        assert_eq!(world.upstream.count(), before);
    }

    // Three requests went on; the seventh of six does not.
    let mut statuses = Vec::new();
    for n in 0..4 {
        let answer = mesh.gates[n % 2].call(&post("/v1/chat/completions", &token, body.to_string())).await;
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_hold_mode() {
    waits(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_flow_mode() {
    waits(true).await;
}
