//! Proofs other than a token of our own checking, on the real Envoy: the peer's certificate, Envoy's `jwt_authn`,
//! API keys; and what roles make of all of them.

use std::process::Command;

use doorward_e2e::client::Request;
use doorward_e2e::envoy::{Gate, ListenerSpec, Policy, Tls};
use doorward_e2e::governed::{World, assert_unlogged, chat, code, post, refusal};
use doorward_e2e::idp::{self, Algorithm, Key, changed};
use doorward_e2e::pki::{Ca, Identity};
use doorward_e2e::tools;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const BOT: &str = "spiffe://cluster.local/ns/pay/sa/bot";

fn unsent() -> Request {
    Request::post(CHAT, &chat("gpt-5", "hi"))
}

fn ask(token: &str) -> Request {
    post(CHAT, token, chat("gpt-5", "hi").to_string())
}

/// Sends with a client certificate, or without.
async fn call(gate: &Gate, ca: &Ca, as_whom: Option<&Identity>, request: &Request) -> doorward_e2e::client::Answer {
    gate.call_tls(ca.client(as_whom), request).await.unwrap()
}

/// A server that asks clients for a certificate, but lets those without one in.
fn optional(world: &World, ca: &Ca) -> ListenerSpec {
    world.spec().tls(Tls::mutual(ca).optional())
}

#[tokio::test]
async fn a_workload_is_who_its_certificate_says() {
    let ca = Ca::new();
    let world = World::new()
        .await
        .with(
            "identity",
            json!({"mtls": {"trust_domains": ["cluster.local"]}, "require": {"user": false, "workload": true}}),
        )
        .with("roles", json!({"engineers": {"workloads": "spiffe://cluster.local/ns/pay/*"}}));
    let gate = world.open(optional(&world, &ca)).await.unwrap();

    let bot = ca.workload(BOT);
    for http2 in [false, true] {
        let before = world.upstream.count();
        let answer = if http2 {
            let target = doorward_e2e::client::Target { address: gate.address, tls: Some(ca.client(Some(&bot))) };
            doorward_e2e::client::http2::Connection::open(&target).await.unwrap().call(&unsent()).await.unwrap()
        } else {
            call(&gate, &ca, Some(&bot), &unsent()).await
        };
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(world.upstream.request(before).await.text(), chat("gpt-5", "hi").to_string());
        let line = gate.log_line(&answer).await;
        let record = ["workload", "auth", "roles", "user"].map(|key| &line[format!("doorward.{key}")]);
        assert_eq!(record, [&json!(BOT), &json!("mtls"), &json!("engineers"), &Value::Null]);
    }

    let before = world.upstream.count();
    for (id, reason) in [
        ("spiffe://evil.example/ns/pay/sa/bot", "identity.workload_required"),
        ("spiffe://cluster.local.evil/ns/pay/sa/bot", "identity.workload_required"),
        ("spiffe://cluster.local/ns/pay/../pay/sa/bot", "identity.workload_required"),
        ("https://cluster.local/ns/pay/sa/bot", "identity.workload_required"),
        ("spiffe://cluster.local/ns/hr/sa/bot", "access.denied"),
    ] {
        let answer = call(&gate, &ca, Some(&ca.workload(id)), &unsent()).await;
        let status = if reason == "access.denied" { 403 } else { 401 };
        refusal(&gate, &answer, status, reason).await;
    }
    // A certificate without an id, none at all, and a header that says so.
    for request in [unsent(), unsent().header("x-forwarded-client-cert", format!("By=x;Hash=y;URI={BOT}"))] {
        for peer in [Some(ca.server()), None] {
            let answer = call(&gate, &ca, peer.as_ref(), &request).await;
            refusal(&gate, &answer, 401, "identity.workload_required").await;
        }
    }
    // Somebody else's authority: Envoy ends it.
    let stranger = Ca::new().workload(BOT);
    assert!(gate.call_tls(ca.client(Some(&stranger)), &unsent()).await.is_err());
    // Credentials prove nothing here, and do not go on either.
    refusal(&gate, &call(&gate, &ca, Some(&bot), &ask(&world.alice())).await, 401, "identity.unknown_issuer").await;
    assert_eq!(world.upstream.count(), before);
}

#[tokio::test]
async fn user_and_workload_can_both_be_required() {
    let ca = Ca::new();
    let mut world = World::new().await.with("roles", json!({"engineers": {"groups": "eng", "workloads": BOT}}));
    world.policy["identity"]["mtls"] = json!({"trust_domains": "cluster.local"});
    world.policy["identity"]["require"] = json!({"user": true, "workload": true});
    let gate = world.open(optional(&world, &ca)).await.unwrap();
    let (bot, other) = (ca.workload(BOT), ca.workload("spiffe://cluster.local/ns/pay/sa/other"));
    let token = world.alice();
    for (peer, request, status, reason) in [
        (Some(&bot), ask(&token), 200, ""),
        // The token is remembered, its connection is not.
        (None, ask(&token), 401, "identity.workload_required"),
        (Some(&other), ask(&token), 403, "access.denied"),
        (Some(&bot), unsent(), 401, "identity.missing"),
        (None, unsent(), 401, "identity.missing"),
        (Some(&bot), ask(&world.token("bob", &["sales"])), 403, "access.denied"),
        (Some(&bot), ask(&token), 200, ""),
    ] {
        let before = world.upstream.count();
        let answer = call(&gate, &ca, peer, &request).await;
        if status == 200 {
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(!world.upstream.request(before).await.mentions(&token));
            let line = gate.log_line(&answer).await;
            let record = ["user", "workload", "auth", "roles"].map(|key| &line[format!("doorward.{key}")]);
            assert_eq!(record, ["alice", BOT, "jwt", "engineers"]);
        } else {
            refusal(&gate, &answer, status, reason).await;
            assert_eq!(world.upstream.count(), before);
        }
    }
    assert_unlogged(&gate, &[&token]);
}

#[tokio::test]
async fn a_bound_token_works_on_its_own_connection_only() {
    let ca = Ca::new();
    let world = World::new().await;
    let gate = world.open(optional(&world, &ca)).await.unwrap();
    let (bot, thief) = (ca.workload(BOT), ca.workload(BOT));
    let bound =
        |thumbprint: &str| world.idp.token("alice", json!({"groups": ["eng"], "cnf": {"x5t#S256": thumbprint}}));
    let token = bound(&bot.thumbprint());
    for round in 0..2 {
        let before = world.upstream.count();
        let answer = call(&gate, &ca, Some(&bot), &ask(&token)).await;
        assert_eq!(answer.status, 200, "round {round}: {}", answer.text());
        assert!(!world.upstream.request(before).await.mentions(&token));
        // The same name in another certificate, and none: also where the token is remembered.
        for peer in [Some(&thief), None] {
            refusal(&gate, &call(&gate, &ca, peer, &ask(&token)).await, 401, "identity.binding").await;
        }
        assert_eq!(world.upstream.count(), before + 1);
    }
    for cnf in [
        json!({"x5t#S256": bot.thumbprint(), "jkt": "x"}),
        json!({"x5t": bot.thumbprint()}),
        json!({"x5t#S256": [bot.thumbprint()]}),
        json!({"x5t#S256": format!("{}=", bot.thumbprint())}),
        json!({}),
        json!("x5t#S256"),
    ] {
        let token = world.idp.token("alice", json!({"groups": ["eng"], "cnf": cnf}));
        refusal(&gate, &call(&gate, &ca, Some(&bot), &ask(&token)).await, 401, "identity.binding").await;
    }
    assert_eq!(world.upstream.count(), 2);
    let cleartext = World::new().await;
    let plain = cleartext.gate().await;
    refusal(&plain, &plain.call(&ask(&token)).await, 401, "identity.binding").await;
    assert_eq!(cleartext.upstream.count(), 0);
    assert_unlogged(&gate, &[&token]);
}

fn jwt_authn(world: &World, provider: Value) -> Value {
    let mut idp = json!({
        "issuer": world.idp.issuer, "local_jwks": {"inline_string": world.idp.jwks().to_string()},
        "payload_in_metadata": "verified",
    });
    idp.as_object_mut().unwrap().extend(provider.as_object().cloned().unwrap());
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"idp": idp},
        "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [
            {"provider_name": "idp"}, {"allow_missing_or_failed": {}},
        ]}}}],
    })
}

#[tokio::test]
async fn what_jwt_authn_verified_is_checked_again() {
    for forward in [true, false] {
        let world = World::new().await.with(
            "identity",
            json!({"envoy_metadata": [{
                "key": "verified", "issuer": "https://idp.test", "audiences": idp::AUDIENCE,
                "claims": {"user": "profile.mail", "groups": "realm_access.roles", "team": ["https://x.test/team"],
                           "purpose": "purpose", "extra": {"level": "a.b.c.d"}},
            }]}),
        );
        let world = world.with("roles", json!({"engineers": {"groups": "eng", "claims": {"level": "7"}}}));
        // Envoy's filter checks no audience here, and is more patient with clocks.
        let filter = jwt_authn(&world, json!({"forward": forward, "clock_skew_seconds": 600}));
        let gate = world.open(world.spec().before("envoy.filters.http.jwt_authn", filter)).await.unwrap();
        let mut claims = world.idp.claims("alice");
        let more = json!({
            "profile": {"mail": "alice@x.test"}, "realm_access": {"roles": ["eng", "ops"]},
            "https://x.test/team": "search", "purpose": "research", "a": {"b": {"c": {"d": 7, "e": [null, {"f": []}]}}},
            "many": (0..60).collect::<Vec<_>>(),
        });
        claims.extend(more.as_object().cloned().unwrap());
        let key = world.idp.key();
        let with = |more: Value| key.mint(&changed(&claims, more));

        let good = with(json!({}));
        let answer = gate.call(&ask(&good)).await;
        assert_eq!(answer.status, 200, "forward {forward}: {}", answer.text());
        assert!(!world.upstream.request(0).await.mentions(&good));
        let line = gate.log_line(&answer).await;
        let record = ["user", "team", "purpose", "roles", "auth"].map(|key| &line[format!("doorward.{key}")]);
        assert_eq!(record, ["alice@x.test", "search", "research", "engineers", "envoy_metadata"]);

        let now = idp::now();
        let mut forged = good.clone();
        forged.replace_range(forged.len() - 6.., "AAAAAA");
        for (token, reason) in [
            (with(json!({"aud": "somebody"})), "audience"),
            (with(json!({"aud": null})), "audience"),
            (with(json!({"exp": now - 60})), "expired"),
            (with(json!({"nbf": now + 120})), "not_yet_valid"),
            (with(json!({"profile": null})), "user_required"),
            (with(json!({"profile": {"mail": ["a", "b"]}})), "claims"),
            (with(json!({"realm_access": null, "_claim_names": {"realm_access": "src1"}})), "groups_overage"),
            (with(json!({"cnf": {"jkt": "x"}})), "binding"),
            // Not verified by anybody: there is no payload.
            (forged, "unknown_issuer"),
            (Key::new("other", Algorithm::ES256).mint(&Value::Object(claims.clone())), "unknown_issuer"),
            (idp::unsigned(&Value::Object(claims.clone())), "unknown_issuer"),
        ] {
            let answer = gate.call(&ask(&token)).await;
            let reason = format!("identity.{reason}");
            refusal(&gate, &answer, 401, &reason).await;
        }
        // Nobody can write metadata from outside.
        let payload = Value::Object(claims.clone()).to_string();
        for request in [
            unsent().header("x-jwt-payload", &payload).header("envoy.filters.http.jwt_authn", &payload),
            unsent().header("x-envoy-dynamic-metadata", &payload).header("verified", &payload),
        ] {
            refusal(&gate, &gate.call(&request).await, 401, "identity.missing").await;
        }
        assert_eq!(world.upstream.count(), 1);
        assert_unlogged(&gate, &[&good]);
    }
}

/// An API key as the command line mints it, and its entry for the policy.
fn mint(arguments: &[&str]) -> (String, Value) {
    let output = Command::new(tools::cli()).arg("key").args(arguments).args(["--format", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut entry: Value = serde_json::from_slice(&output.stdout).unwrap();
    let key = entry.as_object_mut().unwrap().remove("key").unwrap();
    (key.as_str().unwrap().to_owned(), entry)
}

#[tokio::test]
async fn api_keys_are_known_by_their_digests() {
    let (key, entry) = mint(&["--user", "carol", "--group", "eng", "--team", "search", "--purpose", "batch"]);
    let (expired, old) = mint(&["--id", "old", "--user", "carol", "--group", "eng", "--expires", "2020-01-01"]);
    let (lost, mut revoked) = mint(&["--id", "lost", "--user", "carol", "--group", "eng"]);
    let (lasting, long) = mint(&["--id", "lasting", "--user", "dave", "--group", "eng", "--expires", "2999-12-31"]);
    let (foreign, _) = mint(&["--user", "carol", "--group", "eng"]);
    revoked["revoked"] = json!(true);
    let mut world = World::new().await;
    world.policy["identity"]["api_keys"] = json!([entry, old, revoked, long]);
    assert!(!world.policy.to_string().contains(&key[4..40]), "the policy holds the key itself");
    let mut gate = world.gate().await;
    let id = entry["id"].as_str().unwrap();

    for request in [
        ask(&key),
        unsent().header("x-api-key", &key),
        unsent().header("api-key", &key),
        unsent().header("x-goog-api-key", &key),
        Request::post(&format!("{CHAT}?key={key}"), &chat("gpt-5", "hi")),
    ] {
        let before = world.upstream.count();
        let answer = gate.call(&request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = world.upstream.request(before).await;
        assert!(!seen.mentions(&key) && seen.target == CHAT);
        let line = gate.log_line(&answer).await;
        let record = ["user", "team", "purpose", "auth", "credential", "roles"].map(|k| &line[format!("doorward.{k}")]);
        assert_eq!(record, ["carol", "search", "batch", "api_key", id, "engineers"]);
    }
    assert_eq!(gate.call(&ask(&lasting)).await.status, 200);
    // Tokens go on beside them.
    assert_eq!(gate.call(&ask(&world.alice())).await.status, 200);

    let before = world.upstream.count();
    let mut mistyped = key.clone();
    let last = if mistyped.pop() == Some('0') { '1' } else { '0' };
    mistyped.push(last);
    for (key, reason) in [
        (expired.as_str(), "identity.expired"),
        (&lost, "identity.revoked"),
        (&foreign, "identity.unknown_api_key"),
        (&mistyped, "identity.malformed"),
        (&key[..50], "identity.malformed"),
        (&format!("{key}0"), "identity.malformed"),
        (&key.to_uppercase(), "identity.malformed"),
        (entry["digest"].as_str().unwrap(), "identity.malformed"),
        (entry["id"].as_str().unwrap(), "identity.malformed"),
    ] {
        let answer = gate.call(&unsent().header("x-api-key", key)).await;
        let line = refusal(&gate, &answer, 401, reason).await;
        assert_eq!(line["doorward.user"], Value::Null);
    }
    // The owner loses a key that worked until now, with the next update of the policy.
    let mut policy = world.policy.clone();
    policy["identity"]["api_keys"][0]["revoked"] = json!(true);
    gate.update_policy(Policy::Native(policy)).await.unwrap();
    refusal(&gate, &gate.call(&ask(&key)).await, 401, "identity.revoked").await;
    assert_eq!(gate.call(&ask(&lasting)).await.status, 200);
    assert_eq!(world.upstream.count(), before + 1);
    assert_unlogged(&gate, &[&key, &expired, &lost, &foreign, &lasting, &mistyped, &key[4..40]]);
}

#[tokio::test]
async fn roles_are_made_of_everything_that_was_proven() {
    let mut world = World::new().await;
    world.policy["identity"]["jwt"][0]["claims"] = json!({
        "user": "email", "groups": "realm_access.roles", "team": ["https://x.test/team"], "purpose": "usage.purpose",
        "extra": {"scope": "scope", "tier": "plan.tier"},
    });
    world.policy["roles"] = json!({
        "researchers": {"groups": ["res-*"], "teams": "search", "purposes": "research", "claims": {"tier": ["2", "3"]}},
        "writers": {"claims": {"scope": "llm:write"}},
        "named": {"users": ["*@corp.test"]},
    });
    world.policy["access"] = json!([
        {"id": "research", "effect": "allow", "roles": ["researchers"], "models": "gpt-5*"},
        {"id": "read-only", "effect": "deny", "roles": "writers", "models": "gpt-5"},
    ]);
    let gate = world.gate().await;
    let claims = json!({
        "email": "ann@corp.test", "realm_access": {"roles": ["x", "res-eu"]}, "https://x.test/team": "search",
        "usage": {"purpose": "research"}, "scope": "llm:read llm:list", "plan": {"tier": 3},
    });
    let claims = claims.as_object().unwrap();
    for (more, model, status) in [
        (json!({}), "gpt-5", 200),
        (json!({"scope": "llm:read llm:write"}), "gpt-5", 403),
        (json!({"scope": "llm:read llm:write"}), "gpt-5-mini", 200),
        (json!({"scope": "llm:writer"}), "gpt-5", 200),
        (json!({"plan": {"tier": 4}}), "gpt-5", 403),
        (json!({"plan": {"tier": "3"}}), "gpt-5", 200),
        (json!({"usage": {"purpose": "fun"}}), "gpt-5", 403),
        (json!({"realm_access": {"roles": ["res"]}}), "gpt-5", 403),
        (json!({"realm_access": null, "roles": ["res-eu"], "realm_access.roles": ["res-eu"]}), "gpt-5", 403),
        (json!({"https://x.test/team": "Search team"}), "gpt-5", 403),
    ] {
        let token = world.idp.token("ignored", changed(claims, more.clone()));
        let before = world.upstream.count();
        let answer = gate.call(&post(CHAT, &token, chat(model, "hi").to_string())).await;
        assert_eq!(answer.status, status, "{more}: {}", code(&answer));
        let line = gate.log_line(&answer).await;
        assert_eq!((&line["doorward.user"], &line["doorward.auth"]), (&json!("ann@corp.test"), &json!("jwt")));
        if status == 200 {
            let roles = line["doorward.roles"].as_str().unwrap_or_default();
            assert!(roles.contains("named") && roles.contains("researchers"), "{line:#}");
            assert_eq!(line["doorward.purpose"], "research");
            assert_eq!(line["doorward.team"], "search");
        } else {
            assert_eq!(world.upstream.count(), before);
        }
    }
}
