//! The harness itself, on plain Envoy: what it reports is what happened.

use std::sync::Arc;
use std::time::{Duration, Instant};

use doorward_e2e::client::{Request, Target, http2};
use doorward_e2e::envoy::{Cluster, Envoy, Gate, ListenerSpec, Options, Route, Tls, validate};
use doorward_e2e::fields::Fields;
use doorward_e2e::idp::{self, Algorithm, Idp, Key};
use doorward_e2e::pki::Ca;
use doorward_e2e::sdk::{self, Call};
use doorward_e2e::upstream::{Arrival, Ending, Script, Step, Told, Upstream};
use doorward_e2e::wait::all;
use doorward_e2e::{client, model};
use serde_json::{Value, json};
use tokio::sync::Notify;

async fn gate(spec: ListenerSpec) -> Gate {
    Envoy::shared(1).await.listener(spec).await.unwrap()
}

fn lua(code: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": code},
    })
}

const LUA: &str = "envoy.filters.http.lua";

#[tokio::test]
async fn a_request_passes_and_every_byte_is_seen() {
    let upstream = Upstream::http1().await;
    let gate = gate(ListenerSpec::to(Cluster::to(&upstream)).log("odd", "%REQ(X-ODD)%")).await;
    upstream.enqueue(Script::status(201).header("x-answer", b"\xe9".as_slice()).data("hel").data("lo"));

    let request = Request::new("POST", "/a//b?q=%2e").header("X-Odd", b"\xc3\xa9\xff".as_slice()).body("{\"a\": 1}");
    let answer = gate.call(&request).await;

    assert_eq!((answer.status, answer.text(), &answer.cut), (201, "hello", &None));
    assert_eq!(answer.fields.all("x-answer").next(), Some(b"\xe9".as_slice()));
    let seen = upstream.request(0).await;
    assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.text()), ("POST", "/a//b?q=%2e", "{\"a\": 1}"));
    assert_eq!(seen.fields.all("x-odd").next(), Some(b"\xc3\xa9\xff".as_slice()));
    assert_eq!(seen.fields.get("content-length").as_deref(), Some("8"));
    assert!(seen.raw.starts_with(b"POST /a//b?q=%2e HTTP/1.1\r\n") && seen.raw.ends_with(b"\r\n\r\n{\"a\": 1}"));
    let line = gate.log_line(&answer).await;
    assert_eq!((&line["status"], &line["upstream"]), (&json!(201), &json!(gate.spec.clusters[0].name)));
    assert_eq!(gate.envoy.stat(&format!("http.{}.downstream_rq_2xx", gate.name)).await, 1);
    assert!(gate.envoy.prometheus().await.contains("envoy_http_downstream_rq_xx"));
}

#[tokio::test]
async fn listeners_of_one_envoy_do_not_disturb_each_other() {
    let upstreams = all([Upstream::http1(), Upstream::http1(), Upstream::http1()]).await;
    let specs = upstreams.iter().map(|upstream| ListenerSpec::to(Cluster::to(upstream)));
    let gates = all(specs.map(gate)).await;
    for (gate, upstream) in gates.iter().zip(&upstreams) {
        gate.call(&Request::get(&format!("/{}", gate.name))).await;
        assert_eq!(upstream.request(0).await.target, format!("/{}", gate.name));
        assert_eq!(upstream.count(), 1);
    }
}

#[tokio::test]
async fn four_workers_serve_a_listener_from_the_first_request_on() {
    let upstream = Upstream::http1().await;
    let gate = Envoy::shared(4).await.listener(ListenerSpec::to(Cluster::to(&upstream))).await.unwrap();
    all((0..32).map(|_| async { assert_eq!(gate.call(&Request::get("/")).await.status, 200) })).await;
    assert_eq!(upstream.count(), 32);
}

#[tokio::test]
async fn a_refused_update_is_noticed_and_the_old_configuration_goes_on() {
    let upstream = Upstream::http1().await;
    let good = ListenerSpec::to(Cluster::to(&upstream));
    let marked = |mark: &str| {
        let code = format!("function envoy_on_request(h) h:headers():replace('x-mark', '{mark}') end");
        good.clone().before(LUA, lua(&code))
    };
    let mut gate = gate(marked("one")).await;
    let port = gate.address;

    let refused = gate.update(good.clone().before(LUA, lua("this is no lua"))).await.unwrap_err();
    assert!(refused.reason.contains("script load error"), "{refused}");
    gate.call(&Request::get("/")).await;
    assert_eq!(upstream.request(0).await.fields.get("x-mark").as_deref(), Some("one"));

    gate.update(marked("two")).await.unwrap();
    assert_eq!(gate.address, port);
    gate.call(&Request::get("/")).await;
    assert_eq!(upstream.request(1).await.fields.get("x-mark").as_deref(), Some("two"));

    let mut broken = ListenerSpec::to(Cluster::to(&upstream));
    broken.routes[0].matches = json!({"safe_regex": {"regex": "("}});
    assert!(gate.envoy.listener(broken).await.is_err());
}

#[tokio::test]
async fn a_module_that_does_not_load_is_refused_with_the_log() {
    let upstream = Upstream::http1().await;
    let module = doorward_e2e::tools::scratch("module").join("broken.wasm");
    std::fs::write(&module, b"\0asm\x01\0\0\0 and then nothing of use").unwrap();
    let wasm = doorward_e2e::envoy::Wasm::new(module, json!({"version": "doorward/v1"}));
    let envoy = Envoy::shared(1).await;
    let refused = envoy.listener(ListenerSpec::to(Cluster::to(&upstream)).wasm(wasm)).await.err().unwrap();
    assert!(refused.to_string().to_lowercase().contains("wasm"), "{refused}");
    assert_eq!(gate(ListenerSpec::to(Cluster::to(&upstream))).await.call(&Request::get("/")).await.status, 200);
}

#[tokio::test]
async fn credentials_stay_with_their_cluster_when_a_filter_reroutes() {
    let (a, b) = (Upstream::http1().await, Upstream::http2().await);
    let key_a = Cluster::to(&a).credential("authorization", "Bearer key-a").one_connection();
    let key_b = Cluster::to(&b).credential("x-api-key", "key-b");
    let routes = vec![Route::prefix("/", &key_b).header("x-route", "b"), Route::prefix("/", &key_a)];
    let code = "function envoy_on_request(h)
        if h:body():getBytes(0, 1) == 'b' then h:headers():replace('x-route', 'b') end
        h:headers():remove('authorization')
    end";
    let gate = gate(ListenerSpec::routes(routes, vec![key_a, key_b]).before(LUA, lua(code))).await;
    let request = Request::new("POST", "/").bearer("of-the-caller");
    for body in ["a1", "b1", "a2"] {
        assert_eq!(gate.call(&request.clone().body(body)).await.status, 200);
    }
    let (at_a, at_b) = (a.seen(), b.seen());
    assert_eq!((at_a.len(), at_b.len()), (2, 1));
    assert_eq!(at_a[0].fields.get("authorization").as_deref(), Some("Bearer key-a"));
    assert_eq!(at_b[0].fields.get("x-api-key").as_deref(), Some("key-b"));
    assert!(!at_b[0].mentions("key-a") && !at_b[0].mentions("of-the-caller"));
    assert!(!at_a.iter().any(|seen| seen.mentions("key-b") || seen.mentions("of-the-caller")));
    assert_eq!((at_a[1].connection, at_a[1].sequence, at_a[1].text()), (0, 1, "a2"), "the connection is kept");
}

#[tokio::test]
async fn a_stale_content_length_shows_in_the_next_request() {
    let upstream = Upstream::http1().await;
    let code = "function envoy_on_request(h)
        local length = h:headers():get('content-length')
        h:body():setBytes('longer than before')
        h:headers():replace('content-length', length)
    end";
    let spec = ListenerSpec::to(Cluster::to(&upstream).one_connection()).before(LUA, lua(code));
    let gate = gate(spec).await;
    gate.call(&Request::new("POST", "/1").body("short")).await;
    gate.try_call(&Request::new("POST", "/2").body("short")).await.ok();
    let second = upstream.request(1).await;
    assert!(second.method != "POST" || second.arrival != Arrival::Complete || second.connection != 0, "{second:?}");
}

#[tokio::test]
async fn trailers_pass_over_both_protocols() {
    let (h1, h2) = (Upstream::http1().await, Upstream::http2().await);
    let gates = all([&h1, &h2].map(|u| gate(ListenerSpec::to(Cluster::to(u))))).await;
    for (gate, upstream) in gates.iter().zip([&h1, &h2]) {
        upstream.on("/t", Script::status(200).data("o").data("k").trailers(Fields::from([("x-end", "1")])));
        let request = Request::new("POST", "/t").header("te", "trailers").body("hello").trailers([("x-sum", "abc")]);
        for answer in [gate.call(&request.clone().chunked(2)).await, gate.call_http2(&request).await] {
            assert_eq!((answer.status, answer.text()), (200, "ok"));
            assert_eq!(answer.trailers.unwrap().get("x-end").as_deref(), Some("1"));
        }
        for seen in [upstream.request(0).await, upstream.request(1).await] {
            assert_eq!(seen.text(), "hello");
            assert_eq!(seen.trailers.unwrap().get("x-sum").as_deref(), Some("abc"));
        }
    }
}

#[tokio::test]
async fn broken_answers_are_told_apart() {
    for upstream in [Upstream::http1().await, Upstream::http2().await] {
        let gate = gate(ListenerSpec::to(Cluster::to(&upstream))).await;
        upstream.on("/reset", Script::reset());
        upstream.on("/head", Script::reset_in_head());
        let cut = Script::status(200).told(Told::Chunked).data("half").ending(Ending::Reset);
        upstream.on("/body", cut.clone().step(Step::Pause(Duration::from_millis(50))));
        upstream.on("/204", Script::status(204));
        upstream.on("/304", Script::status(304));
        upstream.on("/hints", Script::status(200).interim(103, Fields::from([("link", "</x>")])).data("ok"));
        assert_eq!(gate.call(&Request::get("/reset")).await.status, 503);
        // Half a head is a protocol error to Envoy, a reset stream is a reset.
        assert!([502, 503].contains(&gate.call(&Request::get("/head")).await.status));
        let cut = gate.call(&Request::get("/body")).await;
        assert_eq!((cut.status, cut.cut.is_some()), (200, true), "{cut:?}");
        assert_eq!(gate.call(&Request::get("/204")).await.status, 204);
        assert_eq!(gate.call(&Request::get("/304")).await.status, 304);
        assert_eq!(gate.call(&Request::get("/hints")).await.text(), "ok");
        assert_eq!(gate.call(&Request::new("HEAD", "/")).await.status, 200);
    }
}

#[tokio::test]
async fn an_upstream_that_never_answers_ends_in_a_timeout() {
    let upstream = Upstream::http1().await;
    let cluster = Cluster::to(&upstream);
    let route = Route::prefix("/", &cluster).action(&json!({"timeout": "0.2s"}));
    let gate = gate(ListenerSpec::routes(vec![route], vec![cluster])).await;
    upstream.enqueue(Script::never());
    let answer = gate.call(&Request::get("/")).await;
    assert_eq!(answer.status, 504);
    assert_eq!(gate.log_line(&answer).await["flags"], "UT");
}

#[tokio::test]
async fn a_client_that_aborts_is_seen_upstream_and_in_the_log() {
    let upstream = Upstream::http1().await;
    let gate = gate(ListenerSpec::to(Cluster::to(&upstream))).await;

    let request = Request::new("POST", "/h1").header("content-length", "10");
    let mut connection = gate.connect().await;
    connection.write(request.head()).await.unwrap();
    connection.write("hello").await.unwrap();
    upstream.wait("half a body", |seen| seen.first().filter(|s| s.body == b"hello").cloned()).await;
    connection.abort();
    assert!(matches!(upstream.request(0).await.arrival, Arrival::Broken(_)));
    assert_eq!(gate.log_line_of(&request.request_id).await["status"], 0);

    let request = Request::new("POST", "/h2").chunks(["unused"]);
    let mut connection = gate.connect_http2().await;
    let mut exchange = connection.begin(&request).await.unwrap();
    exchange.send("hello").await.unwrap();
    upstream.wait("half a body", |seen| seen.get(1).filter(|s| s.body == b"hello").cloned()).await;
    exchange.reset();
    assert!(matches!(upstream.request(1).await.arrival, Arrival::Broken(_)));
    assert_eq!(gate.log_line_of(&request.request_id).await["status"], 0);
}

#[tokio::test]
async fn a_stream_arrives_piece_by_piece() {
    let upstream = Upstream::http1().await;
    let gate = gate(ListenerSpec::to(Cluster::to(&upstream))).await;
    let go_on = Arc::new(Notify::new());
    let script = Script::sse(["data: 1\n\n"]).step(Step::Until(Arc::clone(&go_on))).data("data: 2\n\n");
    upstream.enqueue(script);
    let mut connection = gate.connect().await;
    let request = Request::get("/");
    connection.send(&request).await;
    upstream.request(0).await;
    let mut incoming = connection.begin_answer("GET").await.unwrap();
    assert_eq!(incoming.piece().await.unwrap(), b"data: 1\n\n");
    go_on.notify_one();
    assert_eq!(incoming.piece().await.unwrap(), b"data: 2\n\n");
    assert_eq!(incoming.finish().await.cut, None);

    upstream.enqueue(Script::sse(["data: 1\n\n"]).step(Step::Until(Arc::clone(&go_on))).data("data: 2\n\n"));
    let mut connection = gate.connect_http2().await;
    let mut incoming = connection.begin(&request).await.unwrap().begin_answer().await.unwrap();
    assert_eq!(incoming.piece().await.unwrap(), b"data: 1\n\n");
    go_on.notify_one();
    assert_eq!(incoming.piece().await.unwrap(), b"data: 2\n\n");
    assert_eq!(incoming.finish().await.cut, None);
}

#[tokio::test]
async fn kept_and_pipelined_requests_share_a_connection() {
    let upstream = Upstream::http1().await;
    let gate = gate(ListenerSpec::to(Cluster::to(&upstream))).await;
    let mut connection = gate.connect().await;
    let (one, two) = (Request::new("POST", "/1").body("a"), Request::new("POST", "/2").body("b"));
    connection.write([one.pieces().concat(), two.pieces().concat()].concat()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(connection.answer("POST").await.unwrap().status, 200);
    }
    assert_eq!(connection.call(&Request::get("/3")).await.unwrap().status, 200);
    let targets: Vec<_> = upstream.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/1", "/2", "/3"]);
}

#[tokio::test]
async fn interim_answers_and_upgrades_can_be_driven() {
    let upstream = Upstream::http1().await;
    let mut spec = ListenerSpec::to(Cluster::to(&upstream));
    spec.upgrades.push("websocket".to_owned());
    let gate = gate(spec).await;

    let mut connection = gate.connect().await;
    let request = Request::new("POST", "/").header("expect", "100-continue").header("content-length", "2");
    connection.write(request.head()).await.unwrap();
    assert_eq!(connection.head().await.unwrap().0, 100);
    connection.write("hi").await.unwrap();
    assert_eq!(connection.answer("POST").await.unwrap().status, 200);

    upstream.on("/ws", Script::upgrade("websocket", "frame"));
    let request = Request::get("/ws").header("connection", "upgrade").header("upgrade", "websocket");
    connection.send(&request).await;
    assert_eq!(connection.head().await.unwrap().0, 101);
    assert_eq!(connection.read(5).await.unwrap(), b"frame");
    connection.write("reply").await.unwrap();
    upstream.wait("a frame", |seen| seen.get(1).filter(|seen| seen.raw.ends_with(b"reply")).map(|_| ())).await;

    upstream.on("/garbage", Script::raw("SMTP ready\r\n\r\n"));
    assert_eq!(gate.call(&Request::get("/garbage")).await.status, 502);
}

#[tokio::test]
async fn a_dropped_listener_goes() {
    let upstream = Upstream::http1().await;
    let (dropped, kept) = (gate(ListenerSpec::to(Cluster::to(&upstream))).await, Upstream::http1().await);
    let name = dropped.name.clone();
    drop(dropped);
    let other = gate(ListenerSpec::to(Cluster::to(&kept))).await;
    assert!(!other.envoy.listeners().await.contains_key(&name));
}

#[tokio::test]
async fn a_configuration_file_is_validated_and_run_as_it_is() {
    let directory = doorward_e2e::tools::scratch("config");
    let path = directory.join("envoy.yaml");
    let write = |name: &str| {
        let hcm = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "own",
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                {"match": {"prefix": "/"}, "direct_response": {"status": 418}},
            ]}]},
            "http_filters": [{"name": name, "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            }}],
        });
        let config = json!({
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
            "static_resources": {"listeners": [{
                "name": "own",
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager", "typed_config": hcm,
                }]}],
            }]},
        });
        std::fs::write(&path, config.to_string()).unwrap();
    };
    write("");
    let refused = validate(&path).await.unwrap_err();
    assert!(refused.contains("at least 1 characters"), "{refused}");
    write("envoy.filters.http.router");
    validate(&path).await.unwrap();
    let envoy = Envoy::start(Options { config: Some(path), ..Options::default() }).await;
    let target = Target::plain(envoy.listeners().await["own"]);
    let mut connection = client::http1::Connection::open(&target).await.unwrap();
    assert_eq!(connection.call(&Request::get("/")).await.unwrap().status, 418);
    let pid = envoy.pid();
    drop(envoy);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[tokio::test]
async fn workloads_are_known_by_their_certificates() {
    let (ca, stranger) = (Ca::new(), Ca::new());
    let upstream = Upstream::http1().await;
    let spec = ListenerSpec::to(Cluster::to(&upstream)).log("peer", "%DOWNSTREAM_PEER_URI_SAN%");
    let gate = gate(spec.tls(Tls::mutual(&ca))).await;
    let bot = ca.workload("spiffe://cluster.local/ns/pay/sa/bot");
    let target = Target { address: gate.address, tls: Some(ca.client(Some(&bot))) };

    let answer = client::http1::Connection::open(&target).await.unwrap().call(&Request::get("/")).await.unwrap();
    assert_eq!(gate.log_line(&answer).await["peer"], "spiffe://cluster.local/ns/pay/sa/bot");
    let answer = http2::Connection::open(&target).await.unwrap().call(&Request::get("/")).await.unwrap();
    assert_eq!(gate.log_line(&answer).await["peer"], "spiffe://cluster.local/ns/pay/sa/bot");

    for tls in [ca.client(None), ca.client(Some(&stranger.workload("spiffe://cluster.local/ns/pay/sa/bot")))] {
        let target = Target { address: gate.address, tls: Some(tls) };
        let call = async { client::http1::Connection::open(&target).await?.call(&Request::get("/")).await };
        assert!(call.await.is_err());
    }
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn envoy_accepts_the_tokens_of_the_identity_provider() {
    for algorithm in [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let idp = Idp::start(algorithm).await;
        let upstream = Upstream::http1().await;
        let jwt_authn = |idp: &Idp| {
            json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
                "providers": {"idp": {
                    "issuer": idp.issuer, "audiences": [idp::AUDIENCE],
                    "local_jwks": {"inline_string": idp.jwks().to_string()},
                }},
                "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "idp"}}],
            })
        };
        let spec = ListenerSpec::to(Cluster::to(&upstream));
        let gate = gate(spec.before("envoy.filters.http.jwt_authn", jwt_authn(&idp))).await;
        let good = idp.token("alice", json!({"groups": ["eng"]}));
        let claims = Value::Object(idp.claims("alice"));
        let forged = Key::new("key-1-forged", algorithm)
            .mint_with(&json!({"alg": format!("{algorithm:?}"), "kid": "key-1"}), &claims);
        let expired = idp.token("alice", json!({"exp": idp::now() - 3600}));
        for (token, status) in [(good, 200), (forged, 401), (expired, 401), (idp::unsigned(&claims), 401)] {
            assert_eq!(gate.post_json("/", &token, &json!({})).await.status, status, "{algorithm:?} {token}");
        }
    }
}

#[tokio::test]
async fn keys_are_fetched_rotated_and_unavailable() {
    let idp = Idp::start(Algorithm::ES256).await;
    let gate = gate(ListenerSpec::to(Cluster::to(&idp.endpoint))).await;
    let fetch = async || gate.call(&Request::get("/jwks.json")).await;
    assert_eq!(fetch().await.json(), idp.jwks());
    idp.rotate(Key::new("key-2", Algorithm::ES256), true);
    assert_eq!(fetch().await.json()["keys"].as_array().unwrap().len(), 2);
    idp.set_delay(Duration::from_millis(100));
    let start = Instant::now();
    fetch().await;
    assert!(start.elapsed() >= Duration::from_millis(100));
    assert_eq!(idp.fetches(), 3);
    idp.set_down(true);
    assert_eq!(fetch().await.status, 503);
}

#[tokio::test]
async fn the_official_sdks_talk_to_the_model() {
    let upstream = Upstream::with(model::handler()).await;
    let cluster = Cluster::to(&upstream).credential("authorization", "Bearer upstream-key");
    let gate = gate(ListenerSpec::to(cluster)).await;
    let message = |text: &str| json!([{"role": "user", "content": text}]);

    let create = Call::Create(json!({"model": "gpt-5-mini", "messages": message("hello there")}));
    let fail = Call::Create(json!({"model": "gpt-5-mini", "messages": message("status: 429")}));
    let base = gate.url("/v1");
    let openai =
        sdk::openai_all(&base, &[("caller-key", create), ("caller-key", fail), ("caller-key", Call::Models)]).await;
    let ok = openai[0].ok.as_ref().unwrap();
    assert_eq!(ok["choices"][0]["message"]["content"], "hello there");
    assert_eq!(
        ok["usage"],
        json!({"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6,
        "completion_tokens_details": null, "prompt_tokens_details": null})
    );
    assert_eq!((openai[1].error.as_deref(), openai[1].status), (Some("RateLimitError"), Some(429)));
    assert_eq!(openai[2].ok, Some(json!(model::MODELS.map(|(id, _)| id))));

    let prompt = "reply: good day\nmodel: claude-opus-4-5";
    let create = Call::Create(json!({"model": "claude-haiku-4-5", "max_tokens": 9, "messages": message(prompt)}));
    let fail = Call::Create(json!({"model": "claude-haiku-4-5", "max_tokens": 9, "messages": message("status: 403")}));
    let base = gate.url("");
    let anthropic =
        sdk::anthropic_all(&base, &[("caller-key", create), ("caller-key", fail), ("caller-key", Call::Models)]).await;
    let ok = anthropic[0].ok.as_ref().unwrap();
    assert_eq!((&ok["content"][0]["text"], &ok["model"]), (&json!("good day"), &json!("claude-opus-4-5")));
    assert_eq!((anthropic[1].error.as_deref(), anthropic[1].status), (Some("PermissionDeniedError"), Some(403)));
    assert_eq!(anthropic[2].ok, Some(json!(model::MODELS.map(|(id, _)| id))));

    for seen in upstream.seen() {
        assert_eq!(seen.fields.get("authorization").as_deref(), Some("Bearer upstream-key"));
    }
}
