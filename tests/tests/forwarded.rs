//! Workloads behind other proxies, on the real Envoy: `x-forwarded-client-cert` counts from listed peers only, and what a client
//! writes into it counts never. In the chain, one Envoy's listener ends the clients' TLS and calls the other over TLS of its own.

use doorward_e2e::client::Request;
use doorward_e2e::envoy::{Cluster, Gate, ListenerSpec, Tls};
use doorward_e2e::governed::{World, chat, code, refusal};
use doorward_e2e::pki::{Ca, Identity};
use serde_json::{Value, json};

const EDGE: &str = "spiffe://cluster.local/ns/edge/sa/gateway";
const JOB: &str = "spiffe://cluster.local/ns/batch/sa/job";
const SHOP: &str = "spiffe://cluster.local/ns/web/sa/shop";
const HEADER: &str = "x-forwarded-client-cert";

async fn world() -> World {
    let mut world = World::new().await;
    world.policy["identity"] = json!({
        "mtls": {"trust_domains": "cluster.local", "from": "xfcc", "peers": "spiffe://cluster.local/ns/edge/sa/*"},
        "require": {"user": false, "workload": true},
    });
    world.policy["roles"] = json!({"jobs": {"workloads": "spiffe://cluster.local/ns/batch/sa/*"}});
    world.policy["access"] = json!([{"id": "jobs", "effect": "allow", "roles": "jobs", "models": "gpt-5"}]);
    world
}

fn treats(spec: ListenerSpec, how: &str) -> ListenerSpec {
    let mut hcm = json!({"forward_client_cert_details": how});
    if how == "APPEND_FORWARD" || how == "SANITIZE_SET" {
        hcm["set_current_client_cert_details"] = json!({"subject": true, "uri": true, "dns": true, "cert": true});
    }
    ListenerSpec { hcm, ..spec }
}

async fn behind(world: &World, ca: &Ca, how: &str) -> Gate {
    let spec = treats(world.spec().tls(Tls::mutual(ca).optional()), how);
    world.open(spec).await.unwrap_or_else(|refused| panic!("{refused}"))
}

fn ask() -> Request {
    Request::post("/v1/chat/completions", &chat("gpt-5", "hi"))
}

/// What came of a request: the workload on the record, and nothing of the header upstream.
async fn comes(
    world: &World,
    gate: &Gate,
    ca: &Ca,
    peer: Option<&Identity>,
    request: &Request,
    expected: Result<&str, &str>,
) {
    let before = world.upstream.count();
    let answer = gate.call_tls(ca.client(peer), request).await.unwrap();
    match expected {
        Ok(workload) => {
            assert_eq!(answer.status, 200, "{}: {}", code(&answer), answer.text());
            let line = gate.log_line(&answer).await;
            assert_eq!((&line["doorward.workload"], &line["doorward.auth"]), (&json!(workload), &json!("mtls")));
            let seen = world.upstream.request(before).await;
            assert_eq!(seen.fields.get(HEADER), None, "it is not the provider's");
        }
        Err("access.denied") => {
            assert_eq!(code(&answer), "access.denied", "{}", answer.text());
            assert_eq!(world.upstream.count(), before);
        }
        Err(reason) => {
            let line = refusal(gate, &answer, 401, reason).await;
            assert_eq!(line["doorward.workload"], Value::Null, "{line:#}");
            assert_eq!(world.upstream.count(), before);
        }
    }
}

#[tokio::test]
async fn the_header_counts_from_listed_peers_alone() {
    let ca = Ca::new();
    let world = world().await;
    let gate = behind(&world, &ca, "FORWARD_ONLY").await;
    let (edge, shop, job) = (ca.workload(EDGE), ca.workload(SHOP), ca.workload(JOB));
    let of = |uri: &str| format!("By={EDGE};Hash=ab;Subject=\"CN=a,O=\\\"b\\\"\";URI={uri}");
    let with = |value: String| ask().header(HEADER, value);

    comes(&world, &gate, &ca, Some(&edge), &with(of(JOB)), Ok(JOB)).await;
    comes(&world, &gate, &ca, Some(&edge), &with(of(SHOP)), Err("access.denied")).await;
    // The same header from a workload that is not listed, one that could use the model itself, and without a certificate.
    comes(&world, &gate, &ca, Some(&shop), &with(of(JOB)), Err("identity.forwarded_peer")).await;
    comes(&world, &gate, &ca, Some(&job), &with(of(JOB)), Err("identity.forwarded_peer")).await;
    comes(&world, &gate, &ca, None, &with(of(JOB)), Err("identity.forwarded_peer")).await;
    // Forged on the left, in one header and in two; and through a second hop.
    comes(&world, &gate, &ca, Some(&edge), &with(format!("{},{}", of(JOB), of(SHOP))), Err("access.denied")).await;
    comes(&world, &gate, &ca, Some(&edge), &with(of(JOB)).header(HEADER, of(SHOP)), Err("access.denied")).await;
    comes(&world, &gate, &ca, Some(&edge), &with(format!("{},{},{}", of(SHOP), of(JOB), of(EDGE))), Ok(JOB)).await;
    for unreadable in [
        format!("URI=\"{SHOP},{}", of(JOB)),
        format!("{};URI={SHOP}", of(JOB)),
        "By=a;Hash=b".to_owned(),
        format!("{}, {}", of(SHOP), of(JOB)),
        format!("{};Cert=\"{}\"", of(JOB), "a".repeat(33 * 1024)),
    ] {
        comes(&world, &gate, &ca, Some(&edge), &with(unreadable), Err("identity.forwarded_certificate")).await;
    }
    comes(&world, &gate, &ca, Some(&edge), &ask(), Err("identity.workload_required")).await;
}

#[tokio::test]
async fn a_client_cannot_say_who_it_is_through_a_real_chain() {
    let ca = Ca::new();
    let world = world().await;
    let inner = behind(&world, &ca, "APPEND_FORWARD").await;
    let edge = ca.workload(EDGE);
    let mut cluster = Cluster::at(inner.address, false);
    cluster.more = json!({"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": {
            "tls_certificates": [{
                "certificate_chain": {"inline_string": edge.certificate}, "private_key": {"inline_string": edge.key},
            }],
            "validation_context": {"trusted_ca": {"inline_string": ca.pem}},
        },
    }}});
    for how in ["APPEND_FORWARD", "SANITIZE_SET", "SANITIZE"] {
        let spec = treats(ListenerSpec::to(cluster.clone()).tls(Tls::mutual(&ca).optional()), how);
        let front = inner.envoy.listener(spec).await.unwrap_or_else(|refused| panic!("{refused}"));
        for (caller, forged, expected) in [
            (Some(JOB), None, ""),
            (Some(JOB), Some(format!("URI={SHOP}")), ""),
            (Some(SHOP), None, "access.denied"),
            (Some(SHOP), Some(format!("By={EDGE};Hash=ab;URI={JOB}")), "access.denied"),
            (Some(SHOP), Some(format!("URI={JOB},By={EDGE};Hash=ab;URI={EDGE}")), "access.denied"),
            // A quote left open swallows what the hops add, or does not fit to it.
            (Some(SHOP), Some(format!("URI={JOB};Subject=\"")), "unreadable"),
            (Some(SHOP), Some(format!("By={EDGE};URI={JOB};Cert=\"\\\\\",By=\"")), "unreadable"),
            (None, Some(format!("By={EDGE};Hash=ab;URI={JOB}")), "identity.workload_required"),
        ] {
            // A front that writes the header anew has nothing of the client's in it; one that removes it tells of nobody.
            let expected = match (how, expected) {
                ("SANITIZE", _) => "identity.workload_required",
                ("SANITIZE_SET", "unreadable") => "access.denied",
                (_, "unreadable") => "identity.forwarded_certificate",
                (_, expected) => expected,
            };
            let request = match &forged {
                Some(forged) => ask().header(HEADER, forged.as_str()),
                None => ask(),
            };
            let identity = caller.map(|caller| ca.workload(caller));
            let before = world.upstream.count();
            let answer = front.call_tls(ca.client(identity.as_ref()), &request).await.unwrap();
            assert_eq!(code(&answer), expected, "{how}, {caller:?}, {forged:?}: {} {}", answer.status, answer.text());
            assert_eq!(world.upstream.count() - before, usize::from(expected.is_empty()));
            if expected.is_empty() {
                let line = inner.log_line(&answer).await;
                assert_eq!(line["doorward.workload"], JOB, "{line:#}");
                assert_eq!(world.upstream.request(before).await.fields.get(HEADER), None);
            }
        }
    }
}

#[tokio::test]
async fn a_policy_that_observes_leaves_the_header() {
    let ca = Ca::new();
    let mut world = world().await;
    world.policy["mode"] = json!("observe");
    let gate = behind(&world, &ca, "FORWARD_ONLY").await;
    for (peer, workload) in [(EDGE, json!(JOB)), (SHOP, Value::Null)] {
        let before = world.upstream.count();
        let value = format!("By={EDGE};Hash=ab;URI={JOB}");
        let request = ask().header(HEADER, value.as_str());
        let answer = gate.call_tls(ca.client(Some(&ca.workload(peer))), &request).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(gate.log_line(&answer).await["doorward.workload"], workload);
        assert_eq!(world.upstream.request(before).await.fields.get(HEADER).as_deref(), Some(value.as_str()));
    }
}
