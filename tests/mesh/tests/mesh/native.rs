//! The soft way: Envoy's own rate-limit filter, as shipped in `envoy/ratelimit`, charged when streams are over.

use std::sync::atomic::Ordering;

use doorward_e2e::tools;
use doorward_e2e::wait::{all, until};
use serde_json::{Value, json};

use crate::redis::Redis;
use crate::service::Service;
use crate::world::Mesh;

const BUDGET: u64 = 1_000;
const USED: u64 = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn envoys_own_filter_charges_what_was_used_and_passes_its_bound_by_what_goes_on() {
    let redis = Redis::start().await;
    let service = Service::start(&redis, &[("tokens", BUDGET, &["user"])]);
    service.reports.store(true, Ordering::SeqCst);
    let cluster = service.cluster("ratelimit-native");
    let text = std::fs::read_to_string(tools::root().join("envoy/ratelimit/filter.yaml")).expect("the shipped file");
    let shipped: Value = serde_saphyr::from_str(&text).expect("YAML");
    let mesh = Mesh::start(json!([]), &cluster, |world, spec| {
        world.policy["envoy"] = json!({"record_caller_first": true});
        let mut filter = shipped["filter"].clone();
        filter["typed_config"]["domain"] = json!("mesh");
        let service = &mut filter["typed_config"]["rate_limit_service"]["grpc_service"]["envoy_grpc"]["cluster_name"];
        *service = json!(cluster.name);
        spec.after.push(filter);
        spec.routes[0].per_filter = shipped["per_route"].clone();
    })
    .await;
    let count = async |user: &str| {
        let counts = redis.counts().await;
        counts.into_iter().find(|(key, _)| key.contains(user)).map_or(0, |(_, count)| count)
    };

    // One after the other, a budget is passed by less than one call.
    let (mut passed, mut refused) = (0, 0);
    for n in 0..12 {
        let answer = mesh.call(n % 2, "alone", 200, USED - 20).await;
        match answer.status {
            200 => passed += 1,
            429 => refused += 1,
            other => panic!("{other}: {}", answer.text()),
        }
        let used = i64::try_from(mesh.used("alone")).expect("a count");
        until("the charge", async || match count("alone").await {
            charged if charged == used => Ok(()),
            other => Err(format!("{other} of {used}")),
        })
        .await;
    }
    assert_eq!((passed, refused), (9, 3));
    println!("one after the other: {} of {BUDGET}", mesh.used("alone"));

    // At the same time, by all that went on before the first was over.
    let answers = all((0..40).map(|n| {
        let mesh = &mesh;
        async move { mesh.call(n % 2, "together", 200, USED - 20).await }
    }))
    .await;
    let passed = answers.iter().filter(|a| a.status == 200).count() as u64;
    println!("40 at once: {passed} passed, {} of {BUDGET}", mesh.used("together"));
    assert_eq!(mesh.used("together"), passed * USED);
    assert!(mesh.used("together") > BUDGET, "this way is soft; if it no longer is, say so");
    assert!(mesh.used("together") <= BUDGET + 40 * USED);
    until("the charges", async || match count("together").await {
        charged if charged as u64 == mesh.used("together") => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    assert_eq!(mesh.call(0, "together", 200, 10).await.status, 429);
    assert_eq!(mesh.call(1, "another", 200, 10).await.status, 200);
}
