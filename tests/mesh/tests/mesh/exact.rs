//! The exact way: each request charges what it may use before it goes on.

use std::time::{Duration, Instant};

use doorward_e2e::governed::code;
use doorward_e2e::tools;
use doorward_e2e::wait::{all, until};
use serde_json::{Value, json};

use crate::redis::Redis;
use crate::service::Service;
use crate::world::Mesh;

const PER_USER: u64 = 700;
const TOGETHER: u64 = 20_000;

fn limits(cluster: &str, refund: &str, on_failure: &str) -> Value {
    let global = json!({"cluster": cluster, "domain": "mesh", "refund": refund, "on_failure": on_failure,
        "timeout": "1s"});
    json!([
        {"id": "each", "total_tokens": PER_USER, "calendar": "day", "global": global},
        {"id": "together", "total_tokens": TOGETHER, "calendar": "day", "per": "all", "global": global},
    ])
}

fn start(redis: &std::sync::Arc<Redis>) -> Service {
    Service::start(redis, &[("each", PER_USER, &["window", "caller"]), ("together", TOGETHER, &["window", "caller"])])
}

/// 200 streamed calls at once of 50 users, over two Envoys.
async fn budgets_hold(refund: &str) {
    let redis = Redis::start().await;
    let service = start(&redis);
    let cluster = service.cluster(&format!("ratelimit-{refund}"));
    let mesh = Mesh::start(limits(&cluster.name, refund, "deny"), &cluster, |_, _| {}).await;
    let began = Instant::now();
    let calls = (0..200).map(|n| {
        let (mesh, user) = (&mesh, format!("user-{}", n % 50));
        async move { mesh.call(n / 50 % 2, &user, 250, 100 + (n as u64 * 37) % 150).await }
    });
    let answers = all(calls).await;
    let took = began.elapsed();
    let (mut passed, mut refused) = (0, 0);
    for answer in &answers {
        match answer.status {
            200 => passed += 1,
            429 => {
                assert_eq!(code(answer), "limit.tokens", "{}", answer.text());
                refused += 1;
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    let most = (0..50).map(|n| mesh.used(&format!("user-{n}"))).max().unwrap_or(0);
    println!(
        "{refund}: {passed} passed, {refused} refused, {} tokens of {TOGETHER} used, {most} of {PER_USER} by one user, \
         {} calls of the service, {took:?}",
        mesh.all_used(),
        service.asked(),
    );
    // Not one token more, whoever asked where; and the budgets were there to be used.
    assert!(most <= PER_USER && mesh.all_used() <= TOGETHER);
    assert!(passed >= 60 && refused >= 20, "{passed} {refused}");
    // What stays charged is what was used, and with credits what the Envoys keep for the next requests.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let counts = redis.counts().await;
    let together: i64 = counts.iter().filter(|(key, _)| key.starts_with("together/")).map(|(_, count)| count).sum();
    let used = i64::try_from(mesh.all_used()).expect("a count");
    match refund {
        "negative_hits" => assert_eq!(together, used),
        _ => assert!((used..=TOGETHER as i64).contains(&together), "{together} {used}"),
    }
    assert!(counts.iter().all(|(key, _)| !key.contains("user-")), "no names in {counts:?}");
    // Requests after each other use what is kept: nothing is stranded for good within one Envoy.
    let mut after = 0;
    while mesh.call(0, "user-0", 250, 100).await.status == 200 {
        after += 1;
        assert!(after < 10);
    }
    assert!(mesh.used("user-0") <= PER_USER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_hold_over_two_envoys_with_credits() {
    budgets_hold("credit").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn budgets_hold_over_two_envoys_with_refunds() {
    budgets_hold("negative_hits").await;
}

/// The limits that `envoy/ratelimit/limitador.yaml` has are those of a policy with the same id, by the window and the caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_limits_count_what_a_policy_charges() {
    let redis = Redis::start().await;
    let service = Service::of_file(&redis, &tools::root().join("envoy/ratelimit/limitador.yaml"));
    let cluster = service.cluster("ratelimit-shipped");
    let limits = json!([{"id": "user-tokens", "total_tokens": 2_000_000, "calendar": "day",
        "global": {"cluster": cluster.name, "refund": "negative_hits", "on_failure": "deny"}}]);
    let mesh = Mesh::start(limits, &cluster, |_, _| {}).await;
    for (n, user) in ["ada", "bob", "ada"].into_iter().enumerate() {
        let answer = mesh.call(n % 2, user, 200, 80).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    until("the charges", async || {
        let counts: Vec<i64> = redis.counts().await.into_iter().map(|(_, count)| count).collect();
        let (ada, bob) = (mesh.used("ada") as i64, mesh.used("bob") as i64);
        if counts.len() == 2 && counts.contains(&ada) && counts.contains(&bob) {
            Ok(())
        } else {
            Err(format!("{counts:?}"))
        }
    })
    .await;
    assert_eq!(service.asked(), 6, "each call charges, and gets back");
}
