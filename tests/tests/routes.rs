//! Routes and filters around Doorward, on the real Envoy: what was judged is where it goes, in the form it was read in.

use std::io::Write;

use doorward_e2e::client::Request;
use doorward_e2e::envoy::{Cluster, ListenerSpec, Route};
use doorward_e2e::governed::{World, access_log, chat, code, post};
use doorward_e2e::model;
use doorward_e2e::upstream::{Script, Upstream};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Envoy's decompressor for gzip, for one direction only.
fn decompressor(requests: bool) -> Value {
    let direction = |on: bool| json!({"common_config": {"enabled": {"default_value": on, "runtime_key": "test.none"}}});
    let mut request = direction(requests);
    request["advertise_accept_encoding"] = json!(false);
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.decompressor.v3.Decompressor",
        "decompressor_library": {"name": "gzip", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.compression.gzip.decompressor.v3.Gzip",
        }},
        "request_direction_config": request,
        "response_direction_config": direction(!requests),
    })
}

/// Two governed clusters of one listener; `routes` leads to them.
async fn two(routes: impl Fn(&Cluster, &Cluster) -> Vec<Route>) -> (World, Upstream, ListenerSpec) {
    let mut world = World::new().await;
    let other = Upstream::with(model::handler()).await;
    let second = Cluster::to(&other);
    world.policy["targets"] = json!([
        {"name": "model", "cluster": world.cluster.name, "provider": "openai"},
        {"name": "second", "cluster": second.name, "provider": "openai"},
    ]);
    let clusters = vec![world.cluster.clone(), second.clone()];
    let mut spec = ListenerSpec::routes(routes(&world.cluster, &second), clusters).wasm(world.wasm());
    spec.log = access_log();
    (world, other, spec)
}

#[tokio::test]
async fn an_answer_from_another_route_than_was_judged_is_withheld() {
    // The route hangs on a header that only the mesh may set, and on a credential: both go.
    for (header, value) in [("x-doorward-route", Some("second")), ("x-api-key", None)] {
        let (world, other, spec) = two(|first, second| {
            let mut by_header = Route::prefix("/", second);
            by_header.matches["headers"] = match value {
                Some(value) => json!([{"name": header, "string_match": {"exact": value}}]),
                None => json!([{"name": header, "present_match": true}]),
            };
            vec![by_header, Route::prefix("/", first)]
        })
        .await;
        let gate = world.open(spec).await.unwrap();
        let mut request = post(CHAT, "", chat("gpt-5", "hi").to_string());
        request.fields = doorward_e2e::fields::Fields::default();
        request = request.header("content-type", "application/json");
        request = match value {
            Some(value) => request.bearer(&world.alice()).header(header, value),
            None => request.header(header, world.alice()),
        };
        let answer = gate.call(&request).await;
        assert_eq!((answer.status, code(&answer).as_str()), (502, "target.changed"), "{header}: {}", answer.text());
        assert_eq!(gate.log_line(&answer).await["doorward.target"], "second");
        assert_eq!(other.count(), 0);
        // What stays on its route is served.
        let plain = post(CHAT, &world.alice(), chat("gpt-5", "hi").to_string());
        assert_eq!(gate.call(&plain).await.status, 200);
    }
}

#[tokio::test]
async fn routing_headers_of_clients_can_be_removed_before_the_first_route() {
    // The way of the shipped configuration.
    let shipped = doorward_e2e::demo::standalone();
    let hcm = &shipped["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let (world, other, mut spec) = two(|first, second| {
        vec![Route::prefix("/", second).header("x-doorward-route", "second"), Route::prefix("/", first)]
    })
    .await;
    spec.hcm = json!({"early_header_mutation_extensions": hcm["early_header_mutation_extensions"]});
    let gate = world.open(spec).await.unwrap();
    let request = post(CHAT, &world.alice(), chat("gpt-5", "hi").to_string()).header("x-doorward-route", "second");
    let answer = gate.call(&request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(gate.log_line(&answer).await["doorward.target"], "model");
    assert_eq!((world.upstream.count(), other.count()), (1, 0));
    assert!(!world.upstream.request(0).await.fields.has("x-doorward-route"));
}

#[tokio::test]
async fn compressed_requests_are_read_behind_envoys_decompressor() {
    let world = World::new().await;
    let mut spec = world.spec().before("envoy.filters.http.decompressor", decompressor(true));
    spec.log = access_log();
    let gate = world.open(spec).await.unwrap();
    let send = |text: &str| {
        post(CHAT, &world.alice(), gzip(chat("gpt-5", text).to_string().as_bytes())).header("content-encoding", "gzip")
    };
    let refused = gate.call(&send("key AKIAIQ7RX4PJH6ZN2WVB")).await;
    assert_eq!((refused.status, code(&refused).as_str()), (400, "content.denied"), "{}", refused.text());
    assert_eq!(world.upstream.count(), 0);
    let masked = gate.call(&send("write bob@northwind.dev")).await;
    assert_eq!(masked.status, 200, "{}", masked.text());
    let seen = world.upstream.request(0).await;
    assert_eq!(seen.text(), chat("gpt-5", "write [EMAIL_ADDRESS]").to_string());
    assert!(!seen.fields.has("content-encoding"));
    // What is no gzip is not passed on as it is.
    let broken = post(CHAT, &world.alice(), "AKIAIQ7RX4PJH6ZN2WVB").header("content-encoding", "gzip");
    assert!(gate.call(&broken).await.status >= 400);
    assert_eq!(world.upstream.count(), 1);
}

#[tokio::test]
async fn compressed_answers_are_asked_for_by_nobody_and_read_behind_envoys_decompressor() {
    let world = World::new().await;
    let spec = world.spec().after("envoy.filters.http.decompressor", decompressor(false));
    let gate = world.open(spec).await.unwrap();
    let body = json!({"model": "gpt-5", "choices": [{"message": {"content": "write eve@northwind.dev"}}]}).to_string();
    world.upstream.enqueue(
        Script::status(200)
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .data(gzip(body.as_bytes())),
    );
    let ask = post(CHAT, &world.alice(), chat("gpt-5", "hi").to_string()).header("accept-encoding", "gzip, br");
    let answer = gate.call(&ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "write [EMAIL_ADDRESS]");
    let sent = world.upstream.request(0).await.fields.get("accept-encoding").unwrap_or_default();
    assert!(!sent.contains("br"), "{sent}");
}

#[tokio::test]
async fn an_http2_upstream_gets_exact_bodies() {
    for flow in [false, true] {
        let mut world = World::new().await;
        world.upstream = Upstream::start(true, model::handler()).await;
        world.cluster = Cluster::to(&world.upstream);
        world.policy["targets"][0]["cluster"] = json!(world.cluster.name);
        let world = if flow { world.flow() } else { world };
        let gate = world.gate().await;
        for (n, text) in ["write bob@northwind.dev", "hello", "write eve@northwind.dev"].into_iter().enumerate() {
            let answer = gate.call_http2(&post(CHAT, &world.alice(), chat("gpt-5", text).to_string())).await;
            assert_eq!(answer.status, 200, "flow {flow}: {}", answer.text());
            let seen = world.upstream.request(n).await;
            let sent =
                text.replace("bob@northwind.dev", "[EMAIL_ADDRESS]").replace("eve@northwind.dev", "[EMAIL_ADDRESS]");
            assert_eq!(seen.text(), chat("gpt-5", &sent).to_string(), "flow {flow}");
        }
        let list = gate.call_http2(&Request::get("/v1/models").bearer(&world.alice())).await;
        assert_eq!(list.status, 200);
        assert!(!list.text().contains("opus"));
    }
}
