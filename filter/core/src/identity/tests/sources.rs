//! The other ways of proof, what is required, revocation, and what is remembered.

use super::*;
use crate::hex::hex;
use crate::host::Attribute;

const PEER: &str = "spiffe://cluster.local/ns/shop/sa/cart";

fn with(mut section: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        section[name] = value.clone();
    }
    section
}

fn es256_section() -> Value {
    document(json!([jwk("p256_a", json!({"kid": "a"}))]), json!({}))
}

fn verified(outcome: Outcome) -> Rc<Principal> {
    match outcome {
        Outcome::Verified(principal) => principal,
        other => panic!("{other:?}"),
    }
}

fn api_key(changes: Value) -> (String, Value) {
    let minted = mint_api_key([42; 32]);
    let entry = json!({"id": minted.id, "digest": minted.digest, "owner": "ci-bot", "groups": ["bots"]});
    (minted.key, json!({"api_keys": [with(entry, changes)]}))
}

#[test]
fn api_keys_prove_their_owner() {
    let (key, section) = api_key(json!({"team": "build", "purpose": "ci", "expires": "2027-01-15"}));
    let mut gate = Gate::new(section);
    for name in ["x-api-key", "api-key", "x-goog-api-key"] {
        let principal = verified(gate.ask(&[(name, &key)]));
        assert_eq!(principal.method, Method::ApiKey);
        assert_eq!((principal.user.as_deref(), principal.team.as_deref()), (Some("ci-bot"), Some("build")));
        assert_eq!(principal.groups, ["bots"]);
        assert!(principal.key_id.as_deref().unwrap().starts_with("key-"));
        assert_eq!(principal.expires_at, Some(1_800_057_600));
    }
    assert!(gate.token(&key).is_ok());
    assert!(matches!(gate.ask(&[(":path", &format!("/v1?key={key}"))]), Outcome::Verified(_)));
    gate.now_ms = 1_800_057_600_000;
    assert_eq!(gate.token(&key), Err(Reason::Expired));
    gate.now_ms = NOW_MS;
    assert_eq!(gate.token(&mint_api_key([43; 32]).key), Err(Reason::UnknownApiKey));
    assert_eq!(gate.token(&key.replace("dw_", "dw_0")), Err(Reason::Malformed));
    let mut typo = key.clone();
    typo.replace_range(10..11, if key.get(10..11) == Some("a") { "b" } else { "a" });
    assert_eq!(gate.token(&typo), Err(Reason::Malformed));
    let digest = mint_api_key([42; 32]).digest;
    assert_eq!(gate.token(digest.strip_prefix("sha256:").unwrap()), Err(Reason::UnknownIssuer), "the digest is no key");
    let (key, section) = api_key(json!({"revoked": true}));
    assert_eq!(Gate::new(section).token(&key), Err(Reason::Revoked));
    let mut nobody = mint_section_without_owner();
    nobody["require"] = json!({"user": true});
    assert_eq!(Gate::new(nobody).token(&key), Err(Reason::UserRequired));
    let mut nobody = mint_section_without_owner();
    nobody["require"] = json!({"user": false});
    let principal = Gate::new(nobody).token(&key).unwrap();
    assert!(principal.user.is_none() && principal.subject().contains("key/"));
}

fn mint_section_without_owner() -> Value {
    let (_, mut section) = api_key(json!({}));
    section["api_keys"][0].as_object_mut().unwrap().remove("owner");
    section
}

#[test]
fn nothing_is_no_proof() {
    let mut gate = Gate::es256(json!({}));
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::Missing));
    assert_eq!(
        gate.ask(&[("x-forwarded-user", "alice"), ("x-doorward-user", "alice")]),
        Outcome::Refused(Reason::Missing)
    );
    let token = es256(json!({}));
    assert_eq!(gate.ask(&[("x-api-key", &token), ("api-key", &token)]), Outcome::Refused(Reason::Repeated));
    let (key, section) = api_key(json!({}));
    assert_eq!(Gate::new(section).token(&token), Err(Reason::UnknownIssuer), "no issuer is configured");
    assert_eq!(gate.token(&key), Err(Reason::UnknownApiKey), "no key is configured");
}

#[test]
fn envoys_verdict_counts_and_is_checked_again() {
    let metadata = json!([{"key": "payload", "issuer": ISSUER, "audiences": AUDIENCE, "claims": {"groups": "groups"}}]);
    let mut gate = Gate::new(json!({"envoy_metadata": metadata}));
    let place = Attribute::Metadata("envoy.filters.http.jwt_authn", "payload");
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::Missing));
    // As Envoy renders a Struct: every number is a double.
    let payload = r#"{"iss":"https://issuer.test","aud":["doorward"],"sub":"alice","exp":1.8000006e9,"groups":["a","b"],"jti":"j"}"#;
    gate.host.set_attribute(place, payload);
    let principal = verified(gate.ask(&[]));
    assert_eq!((principal.user.as_deref(), principal.method), (Some("alice"), Method::EnvoyMetadata));
    assert_eq!((principal.groups.len(), principal.expires_at), (2, Some(1_800_000_600)));
    assert_eq!(principal.issuer.as_deref(), Some(ISSUER));
    // The token it came from may still be there, of whatever form.
    assert!(gate.token("opaque-token").is_ok());
    for (changed, reason) in [
        (payload.replace("doorward", "other"), Reason::Audience),
        (payload.replace("issuer.test", "evil.test"), Reason::Missing),
        (payload.replace("1.8000006e9", "1.7e9"), Reason::Expired),
        (payload.replace("1.8000006e9", "\"1.8000006e9\""), Reason::Claims),
        (payload.replace(r#""groups":["a","b"]"#, r#""hasgroups":true"#), Reason::GroupsOverage),
        ("alice".to_owned(), Reason::Malformed),
        (String::new(), Reason::Malformed),
    ] {
        gate.host.set_attribute(place, &changed);
        assert_eq!(gate.ask(&[]), Outcome::Refused(reason), "{changed}");
    }
    let mut gate = Gate::new(json!({"envoy_metadata": metadata, "revoked": [{"jti": "j"}]}));
    gate.host.set_attribute(place, payload);
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::Revoked));
    // Another source's credential is judged by itself.
    let mut gate = Gate::new(with(es256_section(), json!({"envoy_metadata": metadata})));
    gate.host.set_attribute(place, payload);
    assert_eq!(gate.token(&es256(json!({"exp": 1}))), Err(Reason::Expired));
    assert_eq!(gate.token(&es256(json!({"sub": "bob"}))).unwrap().user.as_deref(), Some("bob"));
}

#[test]
fn workloads_come_from_the_connection() {
    let section = with(es256_section(), json!({"mtls": {"trust_domains": "cluster.local"}}));
    let both = with(section.clone(), json!({"require": {"workload": true}}));
    let alone = json!({"mtls": {"trust_domains": ["cluster.local"]}, "require": {"user": false, "workload": true}});
    let token = es256(json!({}));

    let mut gate = Gate::new(both);
    assert_eq!(gate.token(&token), Err(Reason::WorkloadRequired));
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::Missing));
    let forged = [("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/cart"), ("x-api-key", &token)];
    assert_eq!(gate.ask(&forged), Outcome::Refused(Reason::WorkloadRequired));
    for foreign in ["spiffe://evil.local/ns/a", "spiffe://cluster.local/", "https://cluster.local/a", ""] {
        gate.host.set_attribute(Attribute::PeerUri, foreign);
        assert_eq!(gate.token(&token), Err(Reason::WorkloadRequired), "{foreign}");
    }
    gate.host.set_attribute(Attribute::PeerUri, PEER);
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::Missing));
    let principal = gate.token(&token).unwrap();
    assert_eq!((principal.user.as_deref(), principal.workload.as_deref()), (Some("alice"), Some(PEER)));
    // The same token, remembered, over another connection.
    let other = "spiffe://cluster.local/ns/shop/sa/other";
    gate.host.set_attribute(Attribute::PeerUri, other);
    assert_eq!(gate.token(&token).unwrap().workload.as_deref(), Some(other));
    gate.host.attributes.clear();
    assert_eq!(gate.token(&token), Err(Reason::WorkloadRequired));

    let mut gate = Gate::new(alone);
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::WorkloadRequired));
    gate.host.set_attribute(Attribute::PeerUri, PEER);
    let principal = verified(gate.ask(&[]));
    assert_eq!((principal.method, principal.workload.as_deref(), &principal.user), (Method::Mtls, Some(PEER), &None));
    // A certificate does not make a bad token good.
    assert_eq!(gate.token(&token), Err(Reason::UnknownIssuer));

    let mut gate = Gate::new(section);
    gate.host.set_attribute(Attribute::PeerUri, PEER);
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::Missing), "a workload is no user");
}

#[test]
fn istio_says_the_workload_only_where_it_is_asked() {
    let mtls = |from: &str| json!({"mtls": {"trust_domains": "cluster.local", "from": from}, "require": {"user": false, "workload": true}});
    let mut gate = Gate::new(mtls("istio"));
    gate.host.set_attribute(Attribute::PeerUri, PEER);
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::WorkloadRequired), "the connection is the waypoint's own");
    let header = [("io.istio.peer_principal", PEER), ("x-forwarded-client-cert", PEER)];
    assert_eq!(gate.ask(&header), Outcome::Refused(Reason::WorkloadRequired));
    for foreign in ["spiffe://evil.local/ns/a", "spiffe://cluster.local/", ""] {
        gate.host.set_attribute(Attribute::IstioPeer, foreign);
        assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::WorkloadRequired), "{foreign}");
    }
    gate.host.set_attribute(Attribute::IstioPeer, "spiffe://cluster.local/ns/batch/sa/job");
    let principal = verified(gate.ask(&[]));
    assert_eq!(principal.workload.as_deref(), Some("spiffe://cluster.local/ns/batch/sa/job"));

    let mut gate = Gate::new(mtls("connection"));
    gate.host.set_attribute(Attribute::IstioPeer, PEER);
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::WorkloadRequired));
}

#[test]
fn listed_peers_say_who_is_behind_them_and_nobody_else_does() {
    const EDGE: &str = "spiffe://cluster.local/ns/edge/sa/gateway";
    let mtls =
        json!({"trust_domains": "cluster.local", "from": "xfcc", "peers": "spiffe://cluster.local/ns/edge/sa/*"});
    let mut gate = Gate::new(json!({"mtls": mtls, "require": {"user": false, "workload": true}}));
    let header = format!("By={EDGE};Hash=a;URI={PEER}");
    let says = |value: &str| vec![("x-forwarded-client-cert".to_owned(), value.to_owned())];
    let ask = |gate: &mut Gate, headers: &[(String, String)]| {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        gate.ask(&headers)
    };
    // Without a certificate, and with one of anybody who is not listed: the header is not read, whatever is in it.
    for peer in ["", PEER, "spiffe://evil.local/ns/edge/sa/gateway", "spiffe://cluster.local/ns/EDGE/sa/gateway"] {
        gate.host.set_attribute(Attribute::PeerUri, peer);
        for value in [&*header, "\"", ""] {
            assert_eq!(ask(&mut gate, &says(value)), Outcome::Refused(Reason::ForwardedPeer), "{peer}");
        }
    }
    gate.host.set_attribute(Attribute::PeerUri, EDGE);
    for (value, reason) in [
        ("By=a;Hash=b", Reason::ForwardedCertificate),
        ("URI=\"spiffe://cluster.local/ns/shop/sa/cart", Reason::ForwardedCertificate),
        ("", Reason::ForwardedCertificate),
        // Hops alone, and a workload of nobody's.
        ("URI=spiffe://cluster.local/ns/edge/sa/other", Reason::WorkloadRequired),
        ("URI=spiffe://evil.local/ns/a", Reason::WorkloadRequired),
        ("URI=spiffe://cluster.local/ns/edge/sa/../../batch", Reason::WorkloadRequired),
    ] {
        assert_eq!(ask(&mut gate, &says(value)), Outcome::Refused(reason), "{value}");
    }
    assert_eq!(gate.ask(&[]), Outcome::Refused(Reason::WorkloadRequired), "the peer itself is no workload");
    for value in [header.clone(), format!("URI=spiffe://cluster.local/ns/admin,{header},By=x;URI={EDGE}")] {
        let principal = verified(ask(&mut gate, &says(&value)));
        assert_eq!((principal.method, principal.workload.as_deref()), (Method::Mtls, Some(PEER)), "{value}");
    }

    // Where no workload is required, one that cannot be told apart from none is refused all the same: denies hold for workloads.
    let mut gate = Gate::new(with(es256_section(), json!({"mtls": mtls})));
    let token = es256(json!({}));
    let bearer = || ("x-api-key".to_owned(), token.clone());
    assert_eq!(verified(ask(&mut gate, &[bearer()])).workload, None);
    assert_eq!(verified(ask(&mut gate, &[bearer(), says("\"").remove(0)])).workload, None, "nobody's word");
    gate.host.set_attribute(Attribute::PeerUri, EDGE);
    assert_eq!(verified(ask(&mut gate, &[bearer()])).workload, None);
    assert_eq!(verified(ask(&mut gate, &[bearer(), says(&header).remove(0)])).workload.as_deref(), Some(PEER));
    let spoiled = [bearer(), says(&format!("URI=\",{header}")).remove(0)];
    assert_eq!(ask(&mut gate, &spoiled), Outcome::Refused(Reason::ForwardedCertificate));

    for (changed, place) in [
        (json!({"peers": null}), "mtls.peers"),
        (json!({"from": "connection"}), "mtls.peers"),
        (json!({"peers": [EDGE, "cluster.local/ns/a"]}), "mtls.peers[1]"),
        (json!({"peers": "spiffe://*/ns/edge/sa/a"}), "mtls.peers[0]"),
        (json!({"peers": "spiffe://cluster.local/"}), "mtls.peers[0]"),
        (json!({"peers": "spiffe://cluster.local/*"}), "mtls.peers[0]"),
        (json!({"peers": "spiffe://cluster.local/*/*"}), "mtls.peers[0]"),
        (json!({"peers": "spiffe://cluster.local/ns/*"}), "mtls.peers[0]"),
        (json!({"peers": "spiffe://cluster.local/ns/*/sa/*"}), "mtls.peers[0]"),
    ] {
        let mut own = with(mtls.clone(), changed.clone());
        own.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let refused = try_compile(json!({"mtls": own, "require": {"user": false}})).unwrap_err().to_string();
        assert!(refused.contains(place), "{changed}: {refused}");
    }
}

#[test]
fn certificate_bound_tokens_need_the_certificate() {
    let digest = [0xab; 32];
    let token = es256(json!({"cnf": {"x5t#S256": b64(digest)}}));
    let mut gate = Gate::es256(json!({}));
    assert_eq!(gate.token(&token), Err(Reason::Binding));
    gate.host.set_attribute(Attribute::PeerCertificateDigest, &"cd".repeat(32));
    assert_eq!(gate.token(&token), Err(Reason::Binding));
    gate.host.set_attribute(Attribute::PeerCertificateDigest, &"ab".repeat(32));
    assert!(gate.token(&token).is_ok());
    // Remembered, but not for another connection.
    gate.host.set_attribute(Attribute::PeerCertificateDigest, &"cd".repeat(32));
    assert_eq!(gate.token(&token), Err(Reason::Binding));
    gate.host.attributes.clear();
    assert_eq!(gate.token(&token), Err(Reason::Binding));
    for cnf in [
        json!({"x5t#S256": "short"}),
        json!({"x5t#S256": 1}),
        json!({"x5t#S256": b64(digest), "jkt": "x"}),
        json!({"x5t#S256": hex(&digest)}),
        json!({"jwk": jwk("p256_a", json!({}))}),
    ] {
        gate.host.set_attribute(Attribute::PeerCertificateDigest, &"ab".repeat(32));
        assert_eq!(gate.token(&es256(json!({"cnf": cnf.clone()}))), Err(Reason::Binding), "{cnf}");
    }
}

#[test]
fn claims_become_the_principal() {
    let mapping = json!({"user": "email", "groups": "realm_access.roles", "team": ["https://x.test/team"],
        "purpose": "purpose", "extra": {"tier": "plan.tier", "scope": "scope"}});
    let mut gate = Gate::es256(json!({"claims": mapping}));
    let claims = json!({"email": "a@b.test", "realm_access": {"roles": ["dev", "ops"]}, "https://x.test/team": "red",
        "purpose": "chat", "plan": {"tier": "gold"}, "scope": "read write", "jti": "t1", "secret": "not mapped"});
    let principal = gate.token(&es256(claims)).unwrap();
    let expected = Principal {
        user: Some("a@b.test".into()),
        groups: vec!["dev".into(), "ops".into()],
        team: Some("red".into()),
        purpose: Some("chat".into()),
        workload: None,
        claims: [
            ("scope".to_owned(), vec!["read".to_owned(), "write".to_owned()]),
            ("tier".to_owned(), vec!["gold".to_owned()]),
        ]
        .into(),
        method: Method::Jwt,
        issuer: Some(ISSUER.into()),
        key_id: Some("a".into()),
        token_id: Some("t1".into()),
        issued_at: Some(NOW - 10),
        expires_at: Some(NOW + 600),
        ends_ms: Some((NOW + 630) * 1000),
        digest: Default::default(),
    };
    assert_eq!(*principal, expected);
    assert_eq!(
        gate.token(&es256(json!({"email": "a@b.test", "_claim_names": {"realm_access": "s"}}))),
        Err(Reason::GroupsOverage)
    );
}

#[test]
fn what_is_revoked_stays_out() {
    let token = es256(json!({"jti": "t1"}));
    for (entry, out) in [
        (json!({"jti": "t1"}), true),
        (json!({"sub": "alice"}), true),
        (json!({"kid": "a"}), true),
        (json!({"jti": "t1", "issuer": ISSUER}), true),
        (json!({"jti": "t1", "issuer": "https://other.test"}), false),
        (json!({"jti": "t2"}), false),
        (json!({"sub": "t1"}), false),
    ] {
        let mut gate = Gate::new(with(es256_section(), json!({"revoked": [entry]})));
        assert_eq!(gate.token(&token).err(), out.then_some(Reason::Revoked), "{entry}");
    }
    // Revocation is by `sub`, also where the user is another claim.
    let mut section = document(json!([jwk("p256_a", json!({"kid": "a"}))]), json!({"claims": {"user": "email"}}));
    section["revoked"] = json!([{"sub": "alice"}]);
    assert_eq!(Gate::new(section).token(&es256(json!({"email": "e"}))), Err(Reason::Revoked));
}

#[test]
fn memory_is_short_and_true_to_the_clock() {
    let token = es256(json!({"exp": NOW + 7200, "nbf": NOW}));
    let mut gate = Gate::es256(json!({}));
    gate.token(&token).unwrap();
    // From here on a signature check would fail: what still passes was remembered.
    let gate_without_crypto = |gate: &mut Gate, now: u64| {
        gate.host.native = Some(|_| false);
        gate.now_ms = now * 1000;
        gate.token(&token)
    };
    assert!(gate_without_crypto(&mut gate, NOW + 299).is_ok());
    assert_eq!(gate_without_crypto(&mut gate, NOW + 300), Err(Reason::Signature), "five minutes");
    gate.host.native = None;
    gate.now_ms = NOW_MS;
    gate.token(&token).unwrap();
    assert_eq!(gate_without_crypto(&mut gate, NOW - 31), Err(Reason::NotYetValid));

    let short = es256(json!({"exp": NOW + 60}));
    gate.host.native = None;
    gate.now_ms = NOW_MS;
    gate.token(&short).unwrap();
    gate.now_ms = NOW_MS + 89_999;
    assert!(gate.token(&short).is_ok());
    gate.now_ms = NOW_MS + 90_000;
    assert_eq!(gate.token(&short), Err(Reason::Expired));

    // A token that was refused is not remembered, and one policy's memory is not another's.
    gate.now_ms = NOW_MS;
    let revoking = try_compile(with(es256_section(), json!({"revoked": [{"sub": "alice"}]}))).unwrap();
    gate.identity = revoking;
    assert_eq!(gate.token(&token), Err(Reason::Revoked));
    let mut off = Gate::new(with(es256_section(), json!({"cache": {"entries": 0}})));
    off.token(&token).unwrap();
    assert_eq!(gate_without_crypto(&mut off, NOW), Err(Reason::Signature));
}
