//! Redis and the service go and come back while requests come.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use doorward_e2e::governed::code;
use doorward_e2e::wait::all;
use serde_json::json;

use crate::redis::Redis;
use crate::service::Service;
use crate::world::Mesh;

const BUDGET: u64 = 50_000_000;
/// The model of which nothing passes without the service, and the one that this proxy's own count is enough for.
const STRICT: &str = "gpt-5";
const LOCAL: &str = "gpt-5-mini";

/// One call: when it began, its model, how it ended, how long it took.
type Line = (Duration, &'static str, u16, Duration);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_follow_the_policy_while_redis_or_the_service_is_gone() {
    let redis = Redis::start().await;
    let names: [&str; 2] = ["window", "caller"];
    let service = Service::start(&redis, &[("strict", BUDGET, &names), ("local", BUDGET, &names)]);
    let cluster = service.cluster("ratelimit-outage");
    let limit = |id: &str, model: &str, on_failure: &str| {
        json!({"id": id, "models": model, "total_tokens": BUDGET, "calendar": "day", "per": "all",
            "global": {"cluster": cluster.name, "domain": "mesh", "on_failure": on_failure, "timeout": "400ms"}})
    };
    let limits = json!([limit("strict", STRICT, "deny"), limit("local", LOCAL, "local")]);
    let mesh = Mesh::start(limits, &cluster, |_, _| {}).await;

    let (over, lines) = (AtomicBool::new(false), Mutex::new(Vec::<Line>::new()));
    let began = Instant::now();
    let load = all((0..8).map(|n| {
        let (mesh, over, lines) = (&mesh, &over, &lines);
        async move {
            let model = if n % 2 == 0 { STRICT } else { LOCAL };
            while !over.load(Ordering::SeqCst) {
                let (at, since) = (began.elapsed(), Instant::now());
                let answer = mesh.call_model(model, n / 4, model, 200, 50).await;
                if answer.status == 503 {
                    assert_eq!(code(&answer), "limit.unavailable", "{}", answer.text());
                }
                lines.lock().expect("lines").push((at, model, answer.status, since.elapsed()));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }));
    let wait = |ms| tokio::time::sleep(Duration::from_millis(ms));
    let acts = async {
        wait(1_000).await;
        redis.kill();
        let redis_gone = began.elapsed();
        wait(1_500).await;
        let before = began.elapsed();
        redis.restart().await;
        let redis_back = (before, began.elapsed());
        wait(1_500).await;
        service.kill();
        let service_gone = began.elapsed();
        wait(1_500).await;
        let before = began.elapsed();
        service.restart();
        wait(2_500).await;
        over.store(true, Ordering::SeqCst);
        [(redis_gone, redis_back.0, redis_back.1), (service_gone, before, before)]
    };
    let (_, outages) = tokio::join!(load, acts);
    let lines = lines.into_inner().expect("lines");

    let slowest = lines.iter().map(|l| l.3).max().unwrap_or_default();
    let count = |model, status| lines.iter().filter(|l| l.1 == model && l.2 == status).count();
    println!(
        "{} calls, the slowest {slowest:?}; strict: {} passed, {} refused; local: {} passed",
        lines.len(),
        count(STRICT, 200),
        count(STRICT, 503),
        count(LOCAL, 200),
    );
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    assert!(lines.iter().all(|l| matches!(l.2, 200 | 503)) && count(LOCAL, 503) == 0);
    let settled = Duration::from_millis(300);
    for (gone, before, back) in outages {
        let (mut refused, mut passed) = (0, 0);
        for (at, model, status, _) in &lines {
            if *model == STRICT && *at > gone + settled && *at + settled < before {
                // Credits of this process may carry some of them.
                refused += usize::from(*status == 503);
            }
            if *model == STRICT && *at > back + Duration::from_millis(1_000) {
                passed += usize::from(*status == 200);
            }
        }
        assert!(refused > 0 && passed > 0, "{gone:?} to {back:?}: {refused} refused, {passed} passed after it");
    }
    let last =
        lines.iter().filter(|l| l.0 + Duration::from_millis(1_000) > outages[1].2 + Duration::from_millis(2_500));
    assert!(last.into_iter().all(|l| l.2 == 200), "all is well in the end");

    // Counts recover: what was used meanwhile is charged, at the latest with the next requests.
    for gate in [0, 1, 0, 1] {
        for model in [STRICT, LOCAL] {
            assert_eq!(mesh.call_model(model, gate, model, 200, 50).await.status, 200);
        }
        wait(500).await;
    }
    let counts = redis.counts().await;
    for (id, model) in [("strict", STRICT), ("local", LOCAL)] {
        let charged: i64 = counts.iter().filter(|(key, _)| key.starts_with(&format!("{id}/"))).map(|(_, n)| n).sum();
        let used = i64::try_from(mesh.used(model)).expect("a count");
        println!("{id}: {used} tokens used, {charged} charged");
        assert!(charged >= used, "{id}: {used} used, {charged} charged");
    }

    // A service that thinks for too long is none.
    service.delay_ms.store(1_500, Ordering::SeqCst);
    for (model, expected) in [(STRICT, 503), (LOCAL, 200)] {
        let since = Instant::now();
        // More than is kept.
        let answer = mesh.call_model(model, 0, model, 900, 50).await;
        assert!(answer.status == expected || answer.status == 200, "{model}: {}", answer.text());
        assert!(since.elapsed() < Duration::from_millis(1_400), "{:?}", since.elapsed());
    }
}
