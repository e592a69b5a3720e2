//! Key sets fetched over an Envoy cluster: slow, rotated, down, and back again, while requests wait.

use std::sync::Arc;
use std::time::Duration;

use doorward_e2e::client::{Answer, Request};
use doorward_e2e::envoy::{Cluster, Gate};
use doorward_e2e::fields::Fields;
use doorward_e2e::governed::{World, assert_unlogged, chat, code, post, refusal};
use doorward_e2e::idp::{Algorithm, Key};
use doorward_e2e::upstream::{Script, Step};
use doorward_e2e::wait::{all, until};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

const CHAT: &str = "/v1/chat/completions";
/// A fetched set is believed to be complete for 10 seconds; then an unknown key asks again.
const COOL_DOWN: Duration = Duration::from_millis(10_500);

fn ask(token: &str) -> Request {
    post(CHAT, token, chat("gpt-5", "hi").to_string())
}

/// A world whose keys are fetched from its identity provider.
async fn world(workers: u32, flow: bool) -> World {
    let world = World::new().await.workers(workers);
    let mut world = if flow { world.flow() } else { world };
    world.policy["identity"]["jwt"][0]["jwks"] =
        json!({"cluster": idp(&world).name, "authority": "keys.idp.test", "path": "/jwks.json"});
    world
}

fn idp(world: &World) -> Cluster {
    Cluster::at(world.idp.endpoint.address, false).named(&format!("idp-{}", world.cluster.name))
}

async fn open(world: &World) -> Gate {
    let mut spec = world.spec();
    spec.clusters.push(idp(world));
    world.open(spec).await.unwrap()
}

/// Many requests at once; with several workers, on each of them.
async fn many(gate: &Gate, token: &str) -> Vec<Answer> {
    let request = ask(token);
    all((0..16).map(|_| gate.call(&request))).await
}

fn signed(world: &World, key: &Key) -> String {
    let mut claims = world.idp.claims("alice");
    claims.insert("groups".to_owned(), json!(["eng"]));
    key.mint(&Value::Object(claims))
}

async fn rotate(workers: u32) {
    let world = world(workers, false).await;
    let gate = open(&world).await;
    let old = world.alice();
    assert!(many(&gate, &old).await.iter().all(|a| a.status == 200), "{workers} workers");
    let fetches = world.idp.fetches();
    assert!((1..=2).contains(&fetches), "{fetches} fetches at start");
    let asked = &world.idp.endpoint.seen()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("GET", "/jwks.json"));
    assert_eq!(asked.authority, "keys.idp.test");
    assert!(!asked.fields.has("authorization") && asked.body.is_empty());

    // A set that was just fetched is not asked for again, whatever keys tokens name.
    for n in 0..8 {
        let made_up = signed(&world, &Key::new(&format!("made-up-{n}"), Algorithm::ES256));
        refusal(&gate, &gate.call(&ask(&made_up)).await, 401, "identity.unknown_key").await;
    }
    assert_eq!(world.idp.fetches(), fetches);

    tokio::time::sleep(COOL_DOWN).await;
    assert!(many(&gate, &old).await.iter().all(|a| a.status == 200));
    assert_eq!(world.idp.fetches(), fetches, "a known key asks for nothing");
    world.idp.rotate(Key::new("key-2", Algorithm::ES256), false);
    world.idp.set_delay(Duration::from_millis(200));
    let new = world.alice();
    let before = world.upstream.count();
    let start = Instant::now();
    let answers = many(&gate, &new).await;
    assert!(start.elapsed() >= Duration::from_millis(200), "nobody waited");
    for answer in &answers {
        assert_eq!(answer.status, 200, "{workers} workers: {}", answer.text());
        assert_eq!(gate.log_line(answer).await["doorward.credential"], "key-2");
    }
    assert_eq!(world.upstream.count(), before + 16);
    let after = world.idp.fetches();
    assert!((fetches + 1..=fetches + 2).contains(&after), "{} fetches for one new key", after - fetches);

    // The old key was taken back, and what it signed is remembered no longer, on any worker.
    until("the old key to be forgotten", async || {
        let answers = many(&gate, &old).await;
        let refused = answers.iter().all(|a| code(a) == "identity.unknown_key");
        if refused { Ok(()) } else { Err(format!("{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>())) }
    })
    .await;
    let made_up = signed(&world, &Key::new("made-up", Algorithm::ES256));
    refusal(&gate, &gate.call(&ask(&made_up)).await, 401, "identity.unknown_key").await;
    assert_eq!(world.idp.fetches(), after);
    assert_unlogged(&gate, &[&old, &new, &made_up]);
}

#[tokio::test]
async fn a_new_key_is_fetched_once_for_all_and_an_old_one_forgotten() {
    tokio::join!(rotate(1), rotate(4));
}

/// The provider fails in every way there is, after it worked once.
async fn keep(workers: u32) {
    let world = world(workers, false).await;
    let gate = open(&world).await;
    let good = world.alice();
    assert!(many(&gate, &good).await.iter().all(|a| a.status == 200));
    tokio::time::sleep(COOL_DOWN).await;
    let fetches = world.idp.fetches();
    let not_keys = Script::status(200).header("content-type", "text/html").data("<p>Down for maintenance");
    world.idp.endpoint.on("/jwks.json", not_keys);
    let unknown = signed(&world, &Key::new("unknown", Algorithm::ES256));
    for answer in many(&gate, &unknown).await {
        refusal(&gate, &answer, 401, "identity.unknown_key").await;
    }
    let failed = world.idp.fetches() - fetches;
    assert!((1..=2).contains(&failed), "{failed} fetches for one unknown key");
    world.idp.endpoint.on("/jwks.json", Script::reset());
    // Remembered, and verified anew.
    for token in [good, world.token("bob", &["eng"])] {
        assert!(many(&gate, &token).await.iter().all(|a| a.status == 200), "{workers} workers");
    }
}

#[tokio::test]
async fn the_last_good_keys_stay_while_the_provider_is_down() {
    tokio::join!(keep(1), keep(4));
}

/// The provider is down from the start, then comes back.
async fn recover(workers: u32, failures: [Script; 2]) {
    let world = world(workers, false).await;
    // After each failure the pause is longer; two are enough.
    failures.into_iter().for_each(|script| world.idp.endpoint.enqueue(script));
    world.idp.set_down(true);
    let gate = open(&world).await;
    for answer in many(&gate, &world.alice()).await {
        refusal(&gate, &answer, 503, "identity.keys_unavailable").await;
        assert_eq!(answer.json()["error"]["type"], "server_error");
    }
    assert!(world.idp.fetches() <= 3, "{} fetches: no pause after a failure", world.idp.fetches());
    assert_eq!(world.upstream.count(), 0);
    world.idp.set_down(false);
    until("the keys", async || {
        let answers = many(&gate, &world.alice()).await;
        if answers.iter().all(|a| a.status == 200) { Ok(()) } else { Err(code(&answers[0])) }
    })
    .await;
    assert!(world.idp.fetches() <= 8, "{} fetches", world.idp.fetches());
}

#[tokio::test]
async fn without_keys_it_is_503_until_the_provider_is_back() {
    let large = format!(r#"{{"keys":[],"pad":"{}"}}"#, "x".repeat(300_000));
    tokio::join!(
        recover(1, [Script::reset(), Script::status(200).data("{}")]),
        recover(4, [Script::status(404), Script::status(200).data(large)]),
    );
}

#[tokio::test]
async fn a_silent_provider_costs_a_second() {
    for flow in [false, true] {
        let mut world = world(1, flow).await;
        world.policy["identity"]["jwt"][0]["jwks"]["timeout"] = json!("30s");
        world.idp.endpoint.on("/jwks.json", Script::never());
        let gate = open(&world).await;
        let token = world.alice();
        let mut connection = gate.connect().await;
        let start = Instant::now();
        let models = Request::get("/v1/models").bearer(&token);
        let chat = ask(&token);
        let (posted, got) = tokio::join!(connection.call(&chat), gate.call(&models));
        let waited = start.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
        for answer in [posted.unwrap(), got] {
            refusal(&gate, &answer, 503, "identity.keys_unavailable").await;
        }
        assert_eq!(world.idp.fetches(), 1, "flow {flow}");
        assert_eq!(world.upstream.count(), 0);
        // The connection is whole.
        let unproven = Request::post(CHAT, &json!({"model": "gpt-5"}));
        assert_eq!(connection.call(&unproven).await.map(|a| a.status).unwrap_or(401), 401);
    }
}

/// What arrives while the first fetch is under way; whether the keys came in time.
async fn wait_for_keys(workers: u32, flow: bool) -> bool {
    let world = world(workers, flow).await;
    let come = Arc::new(Notify::new());
    // Two fetches may run where two workers start at once.
    for _ in 0..2 {
        world.idp.endpoint.enqueue(Script::json(&world.idp.jwks()).after(Step::Until(Arc::clone(&come))));
    }
    let gate = open(&world).await;
    world.idp.endpoint.wait("a fetch", |seen| (!seen.is_empty()).then_some(())).await;
    let token = world.alice();
    let body = |text: &str| chat("gpt-5", text).to_string().into_bytes();
    let own = "sk-the-callers-own-key";
    let trailers = || Fields::from([("x-trailer", "1"), ("x-api-key", own)]);
    let secret = "use AKIAIQ7RX4PJH6ZN2WVB";

    // Each on a connection of its own; those of one half of the requests are HTTP/2.
    let whole = ask(&token);
    let chunked = post(CHAT, &token, body("chunked bob@northwind.dev")).chunked(7);
    let trailing = post(CHAT, &token, body("trailing")).chunked(9).trailers(trailers());
    let denied = post(CHAT, &token, body(secret)).chunked(5).trailers(trailers());
    let models = Request::get("/v1/models").bearer(&token);
    let forged = ask(&Key::new("key-9", Algorithm::ES256).mint(&json!({"iss": "https://idp.test"})));

    let aborted = post(CHAT, &token, body("aborted"));
    let mut leaver = gate.connect().await;
    leaver.write(aborted.head()).await.unwrap();
    leaver.write(&body("aborted")[..9]).await.unwrap();
    let mut resetter = gate.connect_http2().await;
    let mut reset = resetter.begin(&post(CHAT, &token, "").chunks(["unused"])).await.unwrap();
    reset.send("{\"model\"").await.unwrap();
    // Its body comes only after the keys.
    let late = post(CHAT, &token, body("late bob@northwind.dev"));
    let mut slow = gate.connect().await;
    slow.write(late.head()).await.unwrap();

    let waiting = [&whole, &chunked, &trailing, &denied, &models];
    let answers = async {
        let h1 = all(waiting.map(|r| gate.call(r)));
        let h2 = all(waiting.map(|r| gate.call_http2(r)));
        tokio::join!(h1, h2, gate.call(&forged))
    };
    let release = async {
        let active = format!("http.{}.downstream_rq_active", gate.name);
        until("all to wait", async || match gate.envoy.stat(&active).await {
            13.. => Ok(()),
            n => Err(format!("{n} active")),
        })
        .await;
        leaver.abort();
        reset.reset();
        tokio::time::sleep(Duration::from_millis(50)).await;
        come.notify_one();
        come.notify_one();
        tokio::time::sleep(Duration::from_millis(150)).await;
        come.notify_one();
        for chunk in body("late bob@northwind.dev").chunks(11) {
            slow.write(chunk).await.unwrap();
        }
        slow.answer("POST").await.unwrap()
    };
    let ((h1, h2, forged), late) = tokio::join!(answers, release);
    if h1.iter().chain(&h2).any(|a| code(a) == "identity.keys_unavailable") {
        return false;
    }
    refusal(&gate, &forged, 401, "identity.audience").await;
    for answers in [&h1, &h2] {
        assert_eq!(answers.iter().map(|a| a.status).collect::<Vec<_>>(), [200, 200, 200, 400, 200], "flow {flow}");
        assert_eq!(code(&answers[3]), "content.denied");
        assert!(answers[4].text().contains("gpt-5-mini"));
    }
    assert_eq!(late.status, 200, "flow {flow}: {}", late.text());

    let mut seen: Vec<String> = Vec::new();
    for n in 0..9 {
        let seen_at = world.upstream.request(n).await;
        assert!(!seen_at.mentions(&token) && !seen_at.mentions("northwind") && !seen_at.mentions("AKIA"));
        assert!(!seen_at.mentions(own), "a credential came back as a trailer: {seen_at:?}");
        let trailing = seen_at.mentions("trailing");
        assert_eq!(seen_at.trailers.as_ref().is_some_and(|trailers| trailers.has("x-trailer")), trailing);
        seen.push(seen_at.text().to_owned());
    }
    seen.sort();
    let text = |text: &str| String::from_utf8(body(text)).unwrap();
    let masked = "bob@northwind.dev".replace("bob@northwind.dev", "[EMAIL_ADDRESS]");
    let mut expected = vec![String::new(), String::new(), text(&format!("late {masked}"))];
    for sent in ["hi", "trailing", &format!("chunked {masked}")] {
        expected.extend([text(sent), text(sent)]);
    }
    expected.sort();
    assert_eq!(seen, expected, "flow {flow}");
    let line = gate.log_line_of(&aborted.request_id).await;
    assert_eq!((&line["status"], &line["doorward.user"]), (&json!(0), &Value::Null), "{line:#}");
    // Those that went are not missed, and everything goes on.
    assert!(many(&gate, &token).await.iter().all(|a| a.status == 200));
    assert_eq!(world.upstream.count(), 9 + 16);
    assert!(world.idp.fetches() <= 2, "{} fetches", world.idp.fetches());
    assert_unlogged(&gate, &[&token]);
    true
}

#[tokio::test]
async fn what_happens_while_keys_are_fetched_is_not_lost() {
    for (workers, flow) in [(1, false), (1, true), (4, false), (4, true)] {
        let mut attempts = 0;
        // A request waits for a second; on a machine so slow that all of this takes longer, once more.
        while !wait_for_keys(workers, flow).await {
            attempts += 1;
            assert!(attempts < 3, "the keys came, and the requests were refused all the same");
        }
    }
}
