//! Workloads at an Istio waypoint: who the peer is stands in a filter state that Istio's own configuration sets, and nobody else can.

use doorward_e2e::client::Request;
use doorward_e2e::governed::{World, chat, code};
use serde_json::{Value, json};

const JOB: &str = "spiffe://cluster.local/ns/batch/sa/job";

/// As Istio's waypoint does: the peer of the tunnel that it ended, under Istio's own key.
fn says(peer: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config",
        "on_request_headers": [{
            "object_key": "io.istio.peer_principal", "factory_key": "envoy.string",
            "format_string": {"text_format_source": {"inline_string": peer}},
            "shared_with_upstream": "ONCE",
        }],
    })
}

async fn world() -> World {
    let mut world = World::new().await;
    world.policy["identity"] = json!({
        "mtls": {"trust_domains": "cluster.local", "from": "istio"}, "require": {"user": false, "workload": true},
    });
    world.policy["roles"] = json!({"jobs": {"workloads": "spiffe://cluster.local/ns/batch/sa/*"}});
    world.policy["access"] = json!([{"id": "jobs", "effect": "allow", "roles": "jobs", "models": "gpt-5"}]);
    world
}

#[tokio::test]
async fn a_waypoint_knows_who_the_peer_is() {
    for (peer, expected) in [
        (Some(JOB), ""),
        (Some("spiffe://cluster.local/ns/web/sa/shop"), "access.denied"),
        (Some("spiffe://evil.local/ns/batch/sa/job"), "identity.workload_required"),
        (None, "identity.workload_required"),
    ] {
        let world = world().await;
        let mut spec = world.spec();
        if let Some(peer) = peer {
            spec = spec.before("envoy.filters.http.set_filter_state", says(peer));
        }
        let gate = world.open(spec).await.unwrap_or_else(|refused| panic!("{refused}"));
        // What a client writes of itself counts for nothing.
        let request = Request::post("/v1/chat/completions", &chat("gpt-5", "hi"))
            .header("x-forwarded-client-cert", format!("URI={JOB}"))
            .header("io.istio.peer_principal", JOB);
        let answer = gate.call(&request).await;
        assert_eq!(code(&answer), expected, "{peer:?}: {} {}", answer.status, answer.text());
        let line = gate.log_line(&answer).await;
        let workload = if expected == "identity.workload_required" { Value::Null } else { json!(peer) };
        assert_eq!(line["doorward.workload"], workload, "{line:#}");
        assert_eq!(world.upstream.count(), usize::from(expected.is_empty()));
    }
}
