//! However an exchange ends on the real Envoy, it is on the record and nothing of it is left for the next one.

use std::time::Duration;

use doorward_e2e::client::Request;
use doorward_e2e::envoy::Route;
use doorward_e2e::governed::{World, chat, code, post, record};
use doorward_e2e::tools;
use doorward_e2e::upstream::{Script, Step, Told};
use doorward_e2e::wait::until;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";

async fn world(flow: bool) -> World {
    let world = World::new().await;
    if flow { world.flow() } else { world }
}

fn ask(world: &World, text: &str) -> Request {
    post(CHAT, &world.alice(), chat("gpt-5", text).to_string())
}

#[tokio::test]
async fn clients_that_leave_are_on_the_record() {
    for flow in [false, true] {
        let world = world(flow).await;
        let gate = world.gate().await;
        let request = ask(&world, "use AKIAIQ7RX4PJH6ZN2WVB");

        // In the middle of the body.
        let mut connection = gate.connect().await;
        let head = request.head();
        let body = request.body_bytes();
        connection.write(head).await.unwrap();
        connection.write(&body[..20]).await.unwrap();
        if flow {
            // The head is on its way by then.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        connection.abort();
        let line = gate.log_line_of(&request.request_id).await;
        assert_eq!(line["doorward.user"], "alice", "flow {flow} {line:#}");
        assert!(record(&line).contains_key("doorward.decision"), "{line:#}");

        // A stream of HTTP/2, likewise.
        let request = ask(&world, "use AKIAIQ7RX4PJH6ZN2WVB");
        let whole = request.body_bytes();
        let mut connection = gate.connect_http2().await;
        let mut exchange = connection.begin(&request).await.unwrap();
        exchange.send(&whole[..20]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        exchange.reset();
        let line = gate.log_line_of(&request.request_id).await;
        assert_eq!(line["doorward.user"], "alice", "flow {flow} {line:#}");
        assert!(world.upstream.seen().iter().all(|s| !s.mentions("AKIA") && s.body.is_empty()), "flow {flow}");

        // While the answer is awaited.
        world.upstream.enqueue(Script::never());
        let request = ask(&world, "hello");
        let mut connection = gate.connect().await;
        connection.send(&request).await;
        world.upstream.wait("the request", |seen| seen.iter().find(|s| s.mentions("hello")).cloned()).await;
        connection.abort();
        let line = gate.log_line_of(&request.request_id).await;
        assert_eq!(
            (&line["doorward.decision"], &line["gen_ai.request.model"]),
            (&json!("allow"), &json!("gpt-5")),
            "flow {flow} {line:#}"
        );

        assert_eq!(gate.call(&ask(&world, "next")).await.status, 200, "flow {flow}");
        gate.envoy.assert_alive();
    }
}

#[tokio::test]
async fn timeouts_and_answers_of_other_filters_are_on_the_record() {
    for flow in [false, true] {
        let world = world(flow).await;
        let mut spec = world.spec();
        spec.routes = vec![Route::prefix("/", &world.cluster).action(&json!({"timeout": "0.3s"}))];
        // Answers before Doorward sees the request: the end of the stream is all that it is told.
        spec = spec.before(
            "envoy.filters.http.fault",
            json!({
                "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
                "abort": {"http_status": 418, "percentage": {"numerator": 100}},
                "headers": [{"name": "x-fault", "present_match": true}],
            }),
        );
        let gate = world.open(spec).await.unwrap();
        let answer = gate.call(&ask(&world, "hi").header("x-fault", "1")).await;
        assert_eq!(answer.status, 418);
        assert_eq!(gate.log_line(&answer).await["status"], 418);

        world.upstream.enqueue(Script::never());
        let answer = gate.call(&ask(&world, "hi")).await;
        assert_eq!(answer.status, 504, "flow {flow}");
        let line = gate.log_line(&answer).await;
        assert_eq!(
            (&line["doorward.decision"], &line["doorward.user"]),
            (&json!("allow"), &json!("alice")),
            "flow {flow} {line:#}"
        );

        // Head and half of the body, and then nothing.
        world.upstream.enqueue(
            Script::status(200)
                .header("content-type", "application/json")
                .told(Told::Chunked)
                .data("{\"model\":\"gpt-5\",")
                .step(Step::Pause(Duration::from_secs(5))),
        );
        let request = ask(&world, "hi");
        let mut connection = gate.connect().await;
        connection.send(&request).await;
        let answer = connection.answer("POST").await;
        let cut = answer.as_ref().is_ok_and(|a| a.cut.is_some());
        let refused = answer.as_ref().is_ok_and(|a| a.status >= 500 && !a.text().contains("gpt-5"));
        assert!(answer.is_err() || if flow { cut } else { refused }, "flow {flow}: {answer:?}");
        assert_eq!(gate.log_line_of(&request.request_id).await["doorward.user"], "alice");

        assert_eq!(gate.call(&ask(&world, "next")).await.status, 200, "flow {flow}");
    }
}

#[tokio::test]
async fn a_trap_refuses_its_request_and_the_next_one_is_served() {
    let Some(module) = tools::wasm_with_trap() else {
        panic!("the module with the trap is not built; run `make trap`");
    };
    for workers in [1, 4] {
        for flow in [false, true] {
            let world = World::new().await.workers(workers);
            let world = if flow { world.flow() } else { world };
            let mut spec = world.spec();
            let wasm = spec.wasm.as_mut().unwrap();
            wasm.module.clone_from(&module);
            wasm.name = format!("trap-{workers}-{flow}");
            // As shipped.
            let shipped = doorward_e2e::demo::standalone();
            let config = &shipped["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
                ["http_filters"][0]["typed_config"]["config"];
            assert_eq!(config["failure_policy"], json!(wasm.failure_policy));
            let wait = milliseconds(&config["reload_config"]["backoff"]["base_interval"]);
            wasm.reload_backoff_ms = Some(wait);
            let reloads = format!("wasm.{}.vm_reload_success", wasm.name);
            let gate = world.open(spec).await.unwrap();
            assert_eq!(gate.call(&ask(&world, "before")).await.status, 200);
            // No sooner after the load than a reload is allowed: Envoy's interval grows with each, up to ten times the first.
            let allowed = Duration::from_millis(u64::from(10 * wait + 100));
            tokio::time::sleep(allowed).await;

            for round in 0..3 {
                let before = world.upstream.count();
                let trapped = gate.call(&ask(&world, "use AKIAIQ7RX4PJH6ZN2WVB").header("x-trap", "1")).await;
                assert_eq!(trapped.status, 503, "workers {workers} flow {flow} round {round}: {}", trapped.text());
                assert_eq!(world.upstream.count(), before);
                let next = gate.call(&ask(&world, "after")).await;
                assert_eq!(next.status, 200, "workers {workers} flow {flow} round {round}: {}", next.text());
                // The new VM governs as the old one did.
                let refused = gate.call(&ask(&world, "use AKIAIQ7RX4PJH6ZN2WVB")).await;
                assert_eq!((refused.status, code(&refused).as_str()), (400, "content.denied"));
                // Of several workers, the one that trapped may not have been asked since: trapping at once when it is, it would
                // not be allowed to reload for the request behind that.
                until("the worker that trapped to reload", async || {
                    gate.call(&ask(&world, "after")).await;
                    let count = gate.envoy.stat(&reloads).await;
                    if count > round { Ok(()) } else { Err(format!("{reloads}: {count}")) }
                })
                .await;
                tokio::time::sleep(allowed).await;
            }
            until("the reloads to be counted", async || {
                let count = gate.envoy.stat(&reloads).await;
                if count >= 1 { Ok(()) } else { Err(format!("{reloads}: {count}")) }
            })
            .await;
        }
    }
}

#[tokio::test]
async fn the_trap_is_not_in_the_shipped_module() {
    let world = world(false).await;
    let gate = world.gate().await;
    assert_eq!(gate.call(&ask(&world, "hi").header("x-trap", "1")).await.status, 200);
}

#[tokio::test]
async fn a_host_that_keeps_bodies_back_is_found_out() {
    // The policy says that heads can wait for bodies, and Envoy is not set to let them.
    for get in [false, true] {
        let world = world(false).await;
        let mut spec = world.spec();
        spec.wasm.as_mut().unwrap().hold = false;
        let gate = world.open(spec).await.unwrap();
        let request = if get { Request::get("/v1/models").bearer(&world.alice()) } else { ask(&world, "hi") };
        let answer = gate.call(&request).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert_eq!(gate.log_line(&answer).await["details"], "envoy.hold_headers_mismatch");
        assert!(gate.envoy.log().contains("allow_on_headers_stop_iteration: true"));
        assert_eq!(world.upstream.count(), usize::from(get));
    }
}

/// `0.050s`.
fn milliseconds(duration: &Value) -> u32 {
    let seconds: f64 = duration.as_str().and_then(|d| d.strip_suffix('s')).and_then(|d| d.parse().ok()).unwrap();
    (seconds * 1000.0).round() as u32
}
