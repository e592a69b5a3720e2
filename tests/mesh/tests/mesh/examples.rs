//! Examples in which several Envoys share something: their policy on two Envoys, their Limitador configuration in the service.

use std::path::Path;

use doorward_e2e::demo::example::Example;
use doorward_e2e::tools;
use limitador::limit::Limit;
use serde_json::{Value, json};

use crate::redis::Redis;
use crate::service::Service;
use crate::world::Mesh;

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Limitador's file as its limits.
fn limits(file: &Value) -> Vec<Limit> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
    };
    let one = |limit: &Value| {
        let number = |key: &str| limit[key].as_u64().expect("a number");
        Limit::new(
            limit["namespace"].as_str().expect("a namespace"),
            number("max_value"),
            number("seconds"),
            texts(&limit["conditions"]).into_iter().map(|c| c.try_into().expect("a condition")).collect::<Vec<_>>(),
            texts(&limit["variables"]).into_iter().map(|v| v.try_into().expect("a variable")).collect::<Vec<_>>(),
        )
    };
    file.as_array().expect("limits").iter().map(one).collect()
}

async fn run(folder: &Path) {
    let redis = Redis::start().await;
    let service = Service::with(&redis, limits(&read(&folder.join("limitador.yaml"))));
    let cluster = service.cluster("ratelimit");
    let policy = read(&folder.join("policy.yaml"));
    let mesh = Mesh::start(json!([]), &cluster, |world, _| {
        let keys = json!({"inline": world.idp.jwks()});
        let base = std::mem::replace(&mut world.policy, policy.clone());
        world.policy["name"] = base["name"].clone();
        world.policy["targets"][0]["cluster"] = base["targets"][0]["cluster"].clone();
        let issuer = &mut world.policy["identity"]["jwt"][0];
        issuer["issuer"] = json!(world.idp.issuer);
        issuer["jwks"] = keys;
    })
    .await;
    for stop in Example::stops(folder).unwrap_or_else(|e| panic!("{e}")) {
        let gate = &mesh.gates[stop.envoy.expect("which Envoy") - 1];
        let answer = gate.call(&stop.request(&mesh.world.idp)).await;
        let line = gate.log_line(&answer).await;
        assert_eq!(answer.status, stop.expect.status, "{}: {}\n{line:#}", stop.title, answer.text());
        for text in &stop.expect.answer {
            assert!(answer.text().contains(text), "{}: `{text}` in {}", stop.title, answer.text());
        }
        for (key, value) in &stop.expect.record {
            assert_eq!(line[key], json!(value), "{}: {key} in {line:#}", stop.title);
        }
    }
    assert!(service.asked() > 0, "the service was never asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn examples_that_share_do_what_they_say() {
    let mut ran = 0;
    for entry in std::fs::read_dir(tools::root().join("examples")).expect("examples/") {
        let folder = entry.expect("an entry").path();
        if Example::shares(&folder) {
            run(&folder).await;
            ran += 1;
        }
    }
    assert!(ran >= 1, "no example shares anything");
}
