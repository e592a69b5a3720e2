//! Envoy's traps, on the real Envoy: none of them lets a request pass uninspected, hangs, or breaks the next one.

use doorward_e2e::client::{Body, Request};
use doorward_e2e::envoy::{Cluster, ListenerSpec, Policy, Route};
use doorward_e2e::fields::Fields;
use doorward_e2e::governed::{World, chat, code, post, stats_config};
use doorward_e2e::idp::{Algorithm, Key};
use doorward_e2e::upstream::{Script, Upstream};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

async fn world(flow: bool) -> World {
    let world = World::new().await;
    if flow { world.flow() } else { world }
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in pairs {
        fields.push(name, value.as_bytes());
    }
    fields
}

#[tokio::test]
async fn bodies_that_end_in_trailers_are_inspected() {
    for flow in [false, true] {
        let world = world(flow).await;
        let gate = world.gate().await;
        let token = world.alice();
        let send = |text: &str| {
            let body = chat("gpt-5", text).to_string();
            let mut request = post(CHAT, &token, "");
            request.body = Body::Chunks(body.as_bytes().chunks(7).map(<[u8]>::to_vec).collect());
            request.trailers = Some(fields(&[("x-trailer", "1")]));
            request
        };
        for http2 in [false, true] {
            let before = world.upstream.count();
            let secret = send("use AKIAIQ7RX4PJH6ZN2WVB");
            let refused = if http2 { gate.call_http2(&secret).await } else { gate.call(&secret).await };
            assert_eq!((refused.status, code(&refused).as_str()), (400, "content.denied"), "flow {flow} http2 {http2}");
            let mail = send("write bob@northwind.dev");
            let masked = if http2 { gate.call_http2(&mail).await } else { gate.call(&mail).await };
            assert_eq!(masked.status, 200, "flow {flow} http2 {http2}: {}", masked.text());
            let whole: Vec<_> =
                world.upstream.seen().into_iter().skip(before).filter(|s| s.text().contains("gpt-5")).collect();
            assert_eq!(whole.len(), 1, "flow {flow} http2 {http2}");
            assert!(whole[0].text().contains("write [EMAIL_ADDRESS]") && !whole[0].mentions("northwind"));
        }
    }
}

#[tokio::test]
async fn what_servers_read_differently_is_refused() {
    let world = world(false).await;
    let gate = world.gate().await;
    let token = world.alice();
    let good = r#""messages":[{"role":"user","content":"x"}]"#;
    for body in [
        format!(r#"{{"model":"gpt-5","model":"o1",{good}}}"#),
        format!(r#"{{"model":"gpt-5","MODEL":"o1",{good}}}"#),
        format!(r#"{{"model":"gpt-5","mode\u006c":"o1",{good}}}"#),
        format!(r#"{{"Model":"gpt-5",{good}}}"#),
        format!("{{\"model\":\"gpt-5\",\"to\u{212a}en\":1,\"token\":2,{good}}}"),
        format!(r#"{{"model":"gpt-5",{good}}} {{}}"#),
        format!("\u{feff}{{\"model\":\"gpt-5\",{good}}}"),
        format!(r#"{{"model":"gpt-5","n":NaN,{good}}}"#),
        format!(r#"{{"model":"gpt-5",/*x*/{good}}}"#),
        format!(r#"{{"model":"gpt-5","x":"\ud800",{good}}}"#),
        format!(r#"{{"model":"gpt-5","x":"a\u0000b",{good}}}"#),
        format!(r#"{{"model":"gpt-5","x":{}{},{good}}}"#, "[".repeat(100), "]".repeat(100)),
        format!(r#"{{"model":["gpt-5"],{good}}}"#),
        format!(r#"{{"model":" gpt-5",{good}}}"#),
        format!(r#"[{{"model":"gpt-5",{good}}}]"#),
        String::new(),
        "null".to_owned(),
        format!(r#"{{{good}}}"#),
    ] {
        let answer = gate.call(&post(CHAT, &token, body.clone())).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert!(["protocol.unreadable", "protocol.model"].contains(&code(&answer).as_str()), "{body}");
    }
    let mut bad_utf8 = format!(r#"{{"model":"gpt-5","x":"?",{good}}}"#).into_bytes();
    if let Some(byte) = bad_utf8.iter_mut().find(|b| **b == b'?') {
        *byte = 0xff;
    }
    assert_eq!(gate.call(&post(CHAT, &token, bad_utf8)).await.status, 400);
    assert_eq!(world.upstream.count(), 0);
}

#[tokio::test]
async fn odd_heads_are_refused_or_seen_through() {
    for flow in [false, true] {
        let world = world(flow).await;
        let mut spec = world.spec();
        spec.upgrades = vec!["websocket".to_owned(), "CONNECT".to_owned()];
        let gate = world.open(spec).await.unwrap();
        let token = world.alice();
        let body = chat("gpt-5", "x").to_string();
        let good = || post(CHAT, &token, body.clone());
        for (request, status, reason) in [
            // Envoy joins the two by a comma before any filter sees them.
            (good().header("authorization", format!("Bearer {token}").as_bytes()), 401, "identity.malformed"),
            (good().header("x-api-key", token.as_bytes()), 401, "identity.repeated"),
            (good().header("content-type", b"text/plain".as_slice()), 415, "protocol.content_type"),
            (good().header("content-encoding", b"gzip".as_slice()), 415, "protocol.encoding"),
            (good().header("content-encoding", b"x-unknown".as_slice()), 415, "protocol.encoding"),
            (Request::new("POST", CHAT).bearer(&token).body(body.clone()), 415, "protocol.content_type"),
            (
                Request::new("POST", CHAT)
                    .bearer(&token)
                    .header("content-type", "application/json; charset=utf-16")
                    .body(body.clone()),
                415,
                "protocol.content_type",
            ),
            (
                Request::new("POST", CHAT).bearer(&token).header("content-type", "application/json"),
                400,
                "protocol.unreadable",
            ),
            (Request::new("HEAD", "/v1/models").bearer(&token), 405, "protocol.method"),
            (post("//v1/chat/completions", &token, body.clone()), 403, "protocol.unknown_path"),
            (post("/v1/chat/%63ompletions", &token, body.clone()), 403, "protocol.unknown_path"),
            (post("/V1/chat/completions", &token, body.clone()), 403, "protocol.unknown_path"),
            (post("/v1/chat/completions/", &token, body.clone()), 403, "protocol.unknown_path"),
            (post("/v1/./chat/completions", &token, body.clone()), 403, "protocol.unknown_path"),
            (post("/v1/chat/completions?x=AKIAIQ7RX4PJH6ZN2WVB", &token, body.clone()), 400, "content.denied"),
            (
                Request::get(CHAT).bearer(&token).header("connection", "upgrade").header("upgrade", "websocket"),
                403,
                "protocol.upgrade",
            ),
        ] {
            let answer = gate.call(&request).await;
            let head = request.method == "HEAD";
            let got = (answer.status, code(&answer));
            assert_eq!(got, (status, reason.to_owned()), "flow {flow} {} {}", request.method, request.target);
            assert!(head || answer.json()["error"]["code"] == reason);
        }
        assert_eq!(world.upstream.count(), 0, "flow {flow}");

        let large = "v".repeat(50_000);
        let odd = good()
            .header("x-odd", b"\xff\x80\xc3".as_slice())
            .header("x-empty", b"".as_slice())
            .header("x-large", large.as_bytes())
            .header("x-twice", b"1".as_slice())
            .header("x-twice", b"2".as_slice())
            .header("x-doorward-user", b"root".as_slice());
        let answer = gate.call(&odd).await;
        assert_eq!(answer.status, 200, "flow {flow}: {}", answer.text());
        let seen = world.upstream.request(0).await;
        assert_eq!(seen.fields.all("x-odd").next(), Some(b"\xff\x80\xc3".as_slice()));
        assert_eq!(seen.fields.all("x-twice").count(), 2);
        assert!(!seen.fields.has("x-doorward-user"));
    }
}

#[tokio::test]
async fn a_forged_host_is_governed_and_ungoverned_routes_pass_only_by_policy() {
    let mut world = world(false).await;
    let other = Upstream::http1().await;
    let plain = Cluster::to(&other);
    let routes = vec![Route::prefix("/plain", &plain), Route::prefix("/", &world.cluster)];
    let spec = |world: &World| {
        let mut spec =
            ListenerSpec::routes(routes.clone(), vec![plain.clone(), world.cluster.clone()]).wasm(world.wasm());
        spec.log = doorward_e2e::governed::access_log();
        spec
    };
    let gate = world.open(spec(&world)).await.unwrap();
    let mut forged = post(CHAT, "", chat("gpt-5", "x").to_string());
    forged.fields = fields(&[("content-type", "application/json")]);
    forged.authority = "internal.example".to_owned();
    assert_eq!(gate.call(&forged).await.status, 401);
    let refused = gate.call(&Request::get("/plain")).await;
    assert_eq!((refused.status, code(&refused).as_str()), (403, "target.ungoverned"));
    assert_eq!((world.upstream.count(), other.count()), (0, 0));

    world.policy["ungoverned"] = json!("pass");
    let gate = world.open(spec(&world)).await.unwrap();
    let answer = gate.call(&Request::get("/plain").bearer("somebody's").header("x-doorward-x", b"1".as_slice())).await;
    assert_eq!(answer.status, 200);
    assert!(other.request(0).await.mentions("somebody's") && other.request(0).await.mentions("x-doorward-x"));
    assert_eq!(gate.call(&forged).await.status, 401);
}

#[tokio::test]
async fn bodies_over_a_bound_get_413_in_the_apis_dialect() {
    let world = world(false).await.with("envoy", json!({"max_body_bytes": 100_000}));
    let gate = world.gate().await;
    let big = post(CHAT, &world.alice(), chat("gpt-5", &"x".repeat(200_000)).to_string());
    let mut chunked = big.clone();
    if let Body::Length(bytes) = &big.body {
        chunked.body = Body::Chunks(bytes.chunks(30_000).map(<[u8]>::to_vec).collect());
    }
    for request in [&big, &chunked] {
        let answer = gate.call(request).await;
        assert_eq!((answer.status, code(&answer).as_str()), (413, "protocol.too_large"), "{}", answer.text());
        assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    }
    // The host's buffer is smaller than our bound.
    let mut spec = world.spec();
    spec.buffer_limit = Some(32_768);
    let gate = world.open(spec).await.unwrap();
    let middle = post(CHAT, &world.alice(), chat("gpt-5", &"x".repeat(90_000)).to_string());
    let answer = gate.call(&middle).await;
    assert_eq!((answer.status, code(&answer).as_str()), (413, "protocol.too_large"), "{}", answer.text());
    assert_eq!(answer.json()["error"]["code"], "protocol.too_large");
    assert_eq!(world.upstream.count(), 0);
}

#[tokio::test]
async fn observing_changes_nothing() {
    let world = world(false).await.with("mode", json!("observe"));
    let gate = world.gate().await;
    let bodies: Vec<Vec<u8>> = vec![
        chat("o1", "mail bob@northwind.dev AKIAIQ7RX4PJH6ZN2WVB").to_string().into_bytes(),
        br#"{"model":"gpt-5","MODEL":"o1" , "messages":[]}"#.to_vec(),
        b"not json \xff".to_vec(),
        vec![b'x'; 1_500_000],
    ];
    for (n, body) in bodies.iter().enumerate() {
        world.upstream.enqueue(Script::json(&json!({"model": "gpt-5", "choices": []})));
        let request = post(&format!("{CHAT}?key=abc"), "forged", body.clone())
            .header("accept-encoding", b"gzip".as_slice())
            .header("x-odd", b"\xff".as_slice());
        let answer = gate.call(&request).await;
        assert_eq!(answer.status, 200, "{n}");
        let seen = world.upstream.request(n).await;
        assert_eq!((seen.target.as_str(), seen.method.as_str()), ("/v1/chat/completions?key=abc", "POST"));
        assert!(seen.body == *body, "body {n} differs");
        assert_eq!(seen.fields.get("authorization").as_deref(), Some("Bearer forged"));
        assert_eq!(seen.fields.get("accept-encoding").as_deref(), Some("gzip"));
        let line = gate.log_line(&answer).await;
        assert_eq!(
            (&line["doorward.decision"], &line["doorward.action"]),
            (&json!("deny"), &json!("observe")),
            "{line:#}"
        );
    }
    let line = gate.log_lines().into_iter().next().unwrap();
    assert!(line["doorward.findings"].as_str().is_some_and(|f| f.contains("AWS_ACCESS_KEY")), "{line:#}");
}

#[tokio::test]
async fn upstreams_that_misbehave_are_on_the_record_and_the_next_call_works() {
    for flow in [false, true] {
        let world = world(flow).await;
        let gate = world.gate().await;
        let ask = || post(CHAT, &world.alice(), chat("gpt-5", "hi").to_string());
        let json = |text: &str| Script::status(200).header("content-type", "application/json").data(text);
        for (name, script, status) in [
            ("204", Script::status(204), 204),
            ("reset", Script::reset(), 503),
            ("gzip", json("{}").header("content-encoding", "gzip"), 502),
            ("sse", Script::sse(["data: {}\n\n"]), 502),
            ("binary", Script::status(200).header("content-type", "image/png").data([0u8, 1, 2]), 502),
            ("not json", json("{\"a\":"), if flow { 200 } else { 502 }),
            ("interim", json("{\"model\":\"gpt-5\"}").interim(103, fields(&[("link", "x")])), 200),
            ("trailers", json("{\"model\":\"gpt-5\"}").trailers(fields(&[("x-t", "1")])), 200),
            (
                "error page",
                Script::status(500).header("content-type", "text/html").data("<p>mail eve@northwind.dev"),
                500,
            ),
        ] {
            world.upstream.enqueue(script);
            let answer = gate.call(&ask()).await;
            assert_eq!(answer.status, status, "{name} flow {flow}: {:?}", String::from_utf8_lossy(&answer.body));
            assert!(!String::from_utf8_lossy(&answer.body).contains("northwind"), "{name}");
            let line = gate.log_line(&answer).await;
            assert_eq!(line["doorward.user"], "alice", "{name} {line:#}");
            if name == "not json" {
                assert_eq!(answer.json()["error"]["code"], "answer.unscannable");
            }
            assert_eq!(gate.call(&ask()).await.status, 200, "after {name}");
        }
    }
}

#[tokio::test]
async fn a_bad_update_leaves_the_old_policy_running_and_says_where() {
    let world = world(false).await;
    let mut gate = world.gate().await;
    let mut bad = world.policy.clone();
    bad["access"][0]["rolls"] = json!("engineers");
    for policy in
        [Policy::Native(bad.clone()), Policy::Text(bad.to_string()), Policy::Text("{".to_owned()), Policy::Absent]
    {
        let refused = gate.update_policy(policy).await.unwrap_err();
        assert!(refused.log.contains("configuration refused"), "{}", refused.log);
    }
    assert!(gate.envoy.log().contains("access[0].rolls: unknown key `rolls` (help: did you mean `roles`?)"));
    let ask = post(CHAT, &world.alice(), chat("gpt-5", "hi").to_string());
    assert_eq!(gate.call(&ask).await.status, 200);
    gate.update_policy(Policy::Text(world.policy.to_string())).await.unwrap();
    assert_eq!(gate.call(&ask).await.status, 200);
}

#[tokio::test]
async fn keys_are_fetched_rotated_and_kept() {
    for workers in [1, 4] {
        let mut world = World::new().await.workers(workers);
        let idp = Cluster::at(world.idp.endpoint.address, false).named(&format!("idp-{}", world.cluster.name));
        world.policy["identity"]["jwt"][0]["jwks"] =
            json!({"cluster": idp.name, "authority": "idp.test", "path": "/jwks.json", "refresh": "10m"});
        let mut spec = world.spec();
        spec.clusters.push(idp);
        let gate = world.open(spec).await.unwrap();
        let ask = |token: &str| post(CHAT, token, chat("gpt-5", "hi").to_string());
        let old = world.alice();
        for _ in 0..8 {
            assert_eq!(gate.call(&ask(&old)).await.status, 200, "{workers} workers");
        }
        assert!(world.idp.fetches() <= 2, "{} fetches", world.idp.fetches());
        let stranger = Key::new("stranger", Algorithm::ES256).mint(&Value::Object(world.idp.claims("eve")));
        let refused = gate.call(&ask(&stranger)).await;
        assert_eq!(code(&refused), "identity.unknown_key");
        // The provider is down: the keys that are there go on.
        world.idp.set_down(true);
        assert_eq!(gate.call(&ask(&world.token("bob", &["eng"]))).await.status, 200);
    }
}

#[tokio::test]
async fn counters_are_exact_over_workers() {
    let world = World::new().await.workers(4).with("limits", json!([{"id": "ten", "requests": 10, "window": "1h"}]));
    let gate = world.gate().await;
    let token = world.alice();
    let asks = (0..40).map(|_| async { gate.call(&post(CHAT, &token, chat("gpt-5", "hi").to_string())).await.status });
    let statuses = doorward_e2e::wait::all(asks).await;
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 10);
    assert_eq!(statuses.iter().filter(|s| **s == 429).count(), 30);
    assert_eq!(world.upstream.count(), 10);
}

#[tokio::test]
async fn the_shipped_configuration_says_what_the_shipped_parts_say() {
    let shipped = doorward_e2e::demo::standalone();
    let listener = &shipped["static_resources"]["listeners"][0];
    let hcm = &listener["filter_chains"][0]["filters"][0]["typed_config"];
    assert_eq!(hcm["access_log"][0]["typed_config"]["log_format"]["json_format"], doorward_e2e::governed::access_log());
    assert_eq!(shipped["stats_config"], stats_config());
    let config = &hcm["http_filters"][0]["typed_config"]["config"];
    let allowed = config["vm_config"]["capability_restriction_config"]["allowed_capabilities"].as_object().unwrap();
    let mut listed = doorward_e2e::governed::capabilities();
    listed.sort();
    let mut names: Vec<&String> = allowed.keys().collect();
    names.sort();
    assert_eq!(names, listed.iter().collect::<Vec<_>>());
    let format = doorward_e2e::governed::access_log();
    let source = std::fs::read_to_string(doorward_e2e::tools::root().join("filter/core/src/audit/mod.rs")).unwrap();
    let keys: Vec<&str> = source.lines().filter_map(|l| l.trim().strip_prefix("(\"")?.split('"').next()).collect();
    assert!(keys.len() > 25);
    for key in keys {
        assert_eq!(format[key], format!("%FILTER_STATE(wasm.{key}:PLAIN)%"), "{key}");
    }
}
