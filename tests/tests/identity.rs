//! Who is calling, on the real Envoy: every signature algorithm, every place a credential may stand in, and
//! everything that makes a token none.

use doorward_e2e::client::{Answer, Request};
use doorward_e2e::envoy::Gate;
use doorward_e2e::governed::{World, assert_unlogged, chat, code, post, refusal};
use doorward_e2e::idp::{self, Algorithm, Key, changed};
use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
use serde_json::{Map, Value, json};

const CHAT: &str = "/v1/chat/completions";

fn ask(token: &str) -> Request {
    post(CHAT, token, chat("gpt-5", "hi").to_string())
}

fn unsent(path: &str) -> Request {
    Request::post(path, &chat("gpt-5", "hi"))
}

/// The one request that is new at the provider since `before`, and the record of the call.
async fn passed(world: &World, gate: &Gate, answer: &Answer, before: usize, token: &str) -> Value {
    assert_eq!(answer.status, 200, "{}: {}", code(answer), answer.text());
    let seen = world.upstream.request(before).await;
    assert!(!seen.mentions(token), "the provider received the caller's credential: {seen:?}");
    assert_eq!(seen.text(), chat("gpt-5", "hi").to_string());
    gate.log_line(answer).await
}

/// An issuer of its own for each algorithm.
struct Issuer {
    name: String,
    key: Key,
    claims: Map<String, Value>,
}

impl Issuer {
    fn new(world: &World, name: &str, key: Key) -> Self {
        let name = format!("https://{}.test", name.to_lowercase());
        let mut claims = world.idp.claims("alice");
        claims.insert("iss".to_owned(), json!(name));
        claims.insert("groups".to_owned(), json!(["eng"]));
        Self { name, key, claims }
    }

    fn claims(&self) -> Value {
        Value::Object(self.claims.clone())
    }

    fn policy(&self) -> Value {
        json!({"issuer": self.name, "audiences": idp::AUDIENCE, "claims": {"groups": "groups"}})
    }
}

const HMAC_SECRET: &str = "a secret of at least 64 bytes, for the strongest of the three hashes, SHA-512";

const ALGORITHMS: [Algorithm; 12] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
];

fn is_hmac(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

/// A key of the algorithm; those with RSA share one pair.
fn key(kid: &str, algorithm: Algorithm) -> Key {
    if is_hmac(algorithm) { Key::shared(kid, algorithm, HMAC_SECRET.as_bytes()) } else { Key::new(kid, algorithm) }
}

#[tokio::test]
async fn every_algorithm_verifies_and_only_with_its_own_key() {
    let mut world = World::new().await;
    let issuers = ALGORITHMS.map(|a| Issuer::new(&world, &format!("{a:?}"), key("key-1", a)));
    let policies = issuers.iter().map(|issuer| {
        let mut policy = issuer.policy();
        if is_hmac(issuer.key.algorithm) {
            let algorithm = format!("{:?}", issuer.key.algorithm);
            policy["key"] = json!({"id": "key-1", "secret": {"env": "HMAC_SECRET"}, "algorithm": algorithm});
        } else {
            policy["jwks"] = json!({"inline": {"keys": [issuer.key.jwk]}});
        }
        policy
    });
    world.policy["identity"]["jwt"] = policies.collect();
    let mut spec = world.spec();
    // Environment variables are the VM's, and with its id it would be another test's.
    let wasm = world.wasm().env("HMAC_SECRET", HMAC_SECRET);
    spec.wasm = Some(doorward_e2e::envoy::Wasm { vm_id: None, ..wasm });
    let gate = world.open(spec).await.unwrap();

    for (n, issuer) in issuers.iter().enumerate() {
        let algorithm = issuer.key.algorithm;
        let good = issuer.key.mint(&issuer.claims());
        // Once verified, then remembered.
        for _ in 0..2 {
            let before = world.upstream.count();
            let answer = gate.call(&ask(&good)).await;
            let line = passed(&world, &gate, &answer, before, &good).await;
            let record = ["user", "roles", "auth", "credential"].map(|key| &line[format!("doorward.{key}")]);
            assert_eq!(record, ["alice", "engineers", "jwt", "key-1"], "{algorithm:?}");
        }

        let before = world.upstream.count();
        let mallory = changed(&issuer.claims, json!({"sub": "mallory"}));
        let forged = issuer.key.mint(&mallory);
        let (signed, _) = forged.rsplit_once('.').unwrap();
        let (_, signature) = good.rsplit_once('.').unwrap();
        let stranger = match is_hmac(algorithm) {
            true => Key::shared("key-1", algorithm, &[b'x'; 64]),
            false => Key::new("key-2", algorithm),
        };
        let header = |alg: &str| json!({"alg": alg, "typ": "JWT", "kid": "key-1"});
        let other = issuers[(n + 1) % issuers.len()].key.algorithm;
        let mut refused = vec![
            (format!("{signed}.{signature}"), "identity.signature"),
            (format!("{signed}."), "identity.signature"),
            (stranger.mint_with(&header(&format!("{algorithm:?}")), &issuer.claims()), "identity.signature"),
            (idp::unsigned(&issuer.claims()), "identity.algorithm"),
            // Another issuer's key, under this one's name.
            (issuers[(n + 1) % issuers.len()].key.mint(&issuer.claims()), "identity.algorithm"),
            (issuer.key.mint_with(&header(&format!("{other:?}")), &issuer.claims()), "identity.algorithm"),
        ];
        for none in ["none", "None", "nOnE", "", "RS256 ", "rs256", "HS1", "ES256K"] {
            refused.push((issuer.key.mint_with(&header(none), &issuer.claims()), "identity.algorithm"));
        }
        for (token, reason) in &refused {
            let answer = gate.call(&ask(token)).await;
            let line = refusal(&gate, &answer, 401, reason).await;
            assert_eq!(line["doorward.user"], Value::Null, "an unproven user is on the record: {line:#}");
        }
        assert_eq!(world.upstream.count(), before);
    }
    assert_unlogged(&gate, &[HMAC_SECRET]);
}

/// The classic: what everybody knows, the public key, taken for a shared secret.
#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let keys = [Algorithm::RS256, Algorithm::ES256].map(|a| Key::new("key-1", a));
    // The second time the key set does not say what the keys are for.
    for narrow in [true, false] {
        let mut world = World::new().await;
        let issuers = keys.clone().map(|key| Issuer::new(&world, &format!("{:?}", key.algorithm), key));
        let policies = issuers.iter().map(|issuer| {
            let mut jwk = issuer.key.jwk.clone();
            if !narrow {
                jwk.as_object_mut().unwrap().retain(|name, _| name != "alg" && name != "use");
            }
            let mut policy = issuer.policy();
            policy["jwks"] = json!({"inline": {"keys": [jwk]}});
            policy
        });
        world.policy["identity"]["jwt"] = policies.collect();
        let gate = world.gate().await;
        for issuer in &issuers {
            assert_eq!(gate.call(&ask(&issuer.key.mint(&issuer.claims()))).await.status, 200, "narrow {narrow}");
        }
        let before = world.upstream.count();
        let jwk = &issuers[0].key.jwk;
        let number = |name: &str| {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
            rsa::BigUint::from_bytes_be(&bytes)
        };
        let public = rsa::RsaPublicKey::new(number("n"), number("e")).unwrap();
        let pem = public.to_public_key_pem(LineEnding::LF).unwrap();
        for secret in [
            pem.as_bytes(),
            pem.trim_end().as_bytes(),
            public.to_public_key_der().unwrap().as_bytes(),
            jwk.to_string().as_bytes(),
            jwk["n"].as_str().unwrap().as_bytes(),
            b"",
        ] {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let token = Key::shared("key-1", algorithm, secret).mint(&issuers[0].claims());
                refusal(&gate, &gate.call(&ask(&token)).await, 401, "identity.algorithm").await;
            }
        }
        // The token does not choose among the hashes of its key either: without `alg` an RSA key does RS256.
        for algorithm in [Algorithm::RS384, Algorithm::PS256] {
            let token = Key::new("key-1", algorithm).mint(&issuers[0].claims());
            refusal(&gate, &gate.call(&ask(&token)).await, 401, "identity.algorithm").await;
        }
        assert_eq!(world.upstream.count(), before);
    }
}

#[tokio::test]
async fn a_credential_may_stand_in_five_places_and_goes_no_further() {
    for flow in [false, true] {
        let world = World::new().await;
        let world = if flow { world.flow() } else { world };
        let mut spec = world.spec();
        // What an operator may well log.
        for (name, format) in [
            ("path", "%REQ(:PATH)%"),
            ("original", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"),
            ("a", "%REQ(AUTHORIZATION)%"),
            ("b", "%REQ(X-API-KEY)% %REQ(API-KEY)% %REQ(X-GOOG-API-KEY)%"),
        ] {
            spec = spec.log(name, format);
        }
        let gate = world.open(spec).await.unwrap();
        let token = world.alice();
        let header = |name: &str| unsent(&format!("{CHAT}?keys=1&q=a%20b")).header(name, &token);
        let query = |query: &str| unsent(&format!("{CHAT}?{}", query.replace("TOKEN", &token)));
        let path = |query: &str| format!("{CHAT}{query}");
        for (n, (request, target)) in [
            (unsent(CHAT).bearer(&token), path("")),
            (unsent(CHAT).header("Authorization", format!("bEARER   {token} ")), path("")),
            (header("x-api-key"), path("?keys=1&q=a%20b")),
            (header("api-key"), path("?keys=1&q=a%20b")),
            (header("X-Goog-Api-Key"), path("?keys=1&q=a%20b")),
            (query("key=TOKEN"), path("")),
            (query("key=TOKEN&alt=x"), path("?alt=x")),
            (query("alt=x&key=TOKEN"), path("?alt=x")),
            (query("a=1&%6b%65y=TOKEN&b=%2F"), path("?a=1&b=%2F")),
            (query("a=1;key=TOKEN;b=2"), path("?a=1;b=2")),
        ]
        .into_iter()
        .enumerate()
        {
            for http2 in [false, true] {
                let before = world.upstream.count();
                let answer = if http2 { gate.call_http2(&request).await } else { gate.call(&request).await };
                let line = passed(&world, &gate, &answer, before, &token).await;
                assert_eq!(world.upstream.request(before).await.target, target, "{n} flow {flow} http2 {http2}");
                for name in ["authorization", "x-api-key", "api-key", "x-goog-api-key"] {
                    assert!(!world.upstream.request(before).await.fields.has(name), "{n} {name}");
                }
                assert_eq!((&line["doorward.user"], &line["doorward.path"]), (&json!("alice"), &json!(CHAT)));
                assert_eq!(line["path"], json!(target));
            }
        }
        assert_unlogged(&gate, &[&token, token.rsplit_once('.').unwrap().1]);
    }
}

#[tokio::test]
async fn two_credentials_are_none() {
    let world = World::new().await;
    let gate = world.gate().await;
    let (one, two) = (world.alice(), world.token("bob", &["eng"]));
    let own = "sk-ant-the-callers-own-key-of-a-provider";
    let query = |query: &str| unsent(&format!("{CHAT}?{}", query.replace("ONE", &one).replace("TWO", &two)));
    for (request, reason) in [
        // Envoy joins the two by a comma before any filter sees them.
        (unsent(CHAT).bearer(&one).bearer(&two), "identity.malformed"),
        (unsent(CHAT).bearer(&one).bearer(&one), "identity.malformed"),
        (unsent(CHAT).header("x-api-key", &one).header("x-api-key", &one), "identity.repeated"),
        (unsent(CHAT).header("x-api-key", &one).header("X-API-Key", &two), "identity.repeated"),
        (unsent(CHAT).bearer(&one).header("x-api-key", &two), "identity.repeated"),
        // The caller's own key, to be carried past the one that is bound to the cluster.
        (unsent(CHAT).bearer(&one).header("x-api-key", own), "identity.repeated"),
        (unsent(CHAT).header("api-key", &one).header("x-goog-api-key", own), "identity.repeated"),
        (unsent(CHAT).bearer(&one).header("x-goog-api-key", ""), "identity.repeated"),
        (query("key=ONE").bearer(&one), "identity.repeated"),
        (query("key=ONE&key=TWO"), "identity.repeated"),
        (query("key=ONE&%6bey=TWO"), "identity.repeated"),
        (query("key=ONE;key=TWO"), "identity.repeated"),
        (query("access_token=ONE"), "identity.misplaced"),
        (query("%61ccess_token=TWO").bearer(&one), "identity.misplaced"),
        (query("key="), "identity.malformed"),
        (unsent(CHAT).header("authorization", format!("Basic {own}")), "identity.malformed"),
        (unsent(CHAT).header("authorization", &one), "identity.malformed"),
        (unsent(CHAT).header("authorization", "Bearer"), "identity.malformed"),
        (unsent(CHAT).header("x-api-key", format!("Bearer {one}")), "identity.malformed"),
        (unsent(CHAT).header("x-api-key", [one.as_bytes(), b"\xff"].concat()), "identity.malformed"),
        (unsent(CHAT).header("x-api-key", own), "identity.malformed"),
        (unsent(CHAT), "identity.missing"),
        (unsent(CHAT).header("cookie", format!("authorization={one}")), "identity.missing"),
        (unsent(CHAT).header("proxy-authorization", format!("Bearer {one}")), "identity.missing"),
        (unsent(CHAT).header("x-auth-token", &one).header("x-doorward-user", "alice"), "identity.missing"),
    ] {
        for http2 in [false, true] {
            let answer = if http2 { gate.call_http2(&request).await } else { gate.call(&request).await };
            refusal(&gate, &answer, 401, reason).await;
        }
    }
    assert_eq!(world.upstream.count(), 0);
    assert_unlogged(&gate, &[&one, &two, own]);

    let mut closed = world;
    closed.policy["identity"]["query_key"] = json!(false);
    let gate = closed.gate().await;
    let request = unsent(&format!("{CHAT}?key={one}"));
    refusal(&gate, &gate.call(&request).await, 401, "identity.misplaced").await;
    assert_eq!(gate.call(&ask(&one)).await.status, 200);
    assert_unlogged(&gate, &[&one]);
}

#[tokio::test]
async fn every_claim_and_header_of_a_token_is_held_to_the_rules() {
    let mut world = World::new().await;
    world.policy["identity"]["jwt"][0]["max_lifetime"] = json!("2h");
    let spare = world.publish_beside("spare");
    let gate = world.gate().await;
    let key = world.idp.key();
    let mut claims = world.idp.claims("alice");
    claims.insert("groups".to_owned(), json!(["eng"]));
    let now = idp::now();
    let with = |more: Value| key.mint(&changed(&claims, more));
    let header = |more: Value| {
        let usual = json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"});
        key.mint_with(&changed(usual.as_object().unwrap(), more), &Value::Object(claims.clone()))
    };
    let raw = |extra: &str| {
        let usual = Value::Object(claims.clone()).to_string();
        let header = br#"{"alg":"RS256","kid":"key-1"}"#;
        key.mint_raw(header, format!("{}{extra}}}", usual.strip_suffix('}').unwrap()).as_bytes())
    };

    for (n, token) in [
        with(json!({"exp": now - 10, "iat": now - 300})),
        with(json!({"nbf": now + 10})),
        with(json!({"iat": now + 10})),
        with(json!({"aud": ["somebody", "doorward"]})),
        with(json!({"exp": now as f64 + 60.5})),
        header(json!({"kid": null})),
        header(json!({"typ": null})),
        header(json!({"typ": "application/at+JWT"})),
        header(json!({"x5t": "thumbprint", "cty": "x"})),
        spare.mint(&Value::Object(claims.clone())),
        with(json!({"pad": "x".repeat(4000)})),
    ]
    .into_iter()
    .enumerate()
    {
        let before = world.upstream.count();
        let answer = gate.call(&ask(&token)).await;
        passed(&world, &gate, &answer, before, &token).await;
        assert_eq!(world.upstream.count(), before + 1, "{n}");
    }

    let before = world.upstream.count();
    let jwk = Key::new("own", Algorithm::ES256).jwk;
    for (token, reason) in [
        (with(json!({"exp": now - 60, "iat": now - 300})), "expired"),
        (with(json!({"exp": null})), "claims"),
        (with(json!({"exp": (now + 60).to_string()})), "claims"),
        (with(json!({"exp": -1})), "claims"),
        (with(json!({"exp": 1e300})), "claims"),
        (with(json!({"exp": now + 36_000})), "lifetime"),
        (with(json!({"iat": null})), "claims"),
        (with(json!({"nbf": now + 120})), "not_yet_valid"),
        (with(json!({"iat": now + 120})), "not_yet_valid"),
        (with(json!({"nbf": "soon"})), "claims"),
        (with(json!({"iss": "https://evil.test"})), "unknown_issuer"),
        (with(json!({"iss": "https://idp.test/"})), "unknown_issuer"),
        (with(json!({"iss": null})), "issuer"),
        (with(json!({"iss": ["https://idp.test"]})), "issuer"),
        (with(json!({"aud": "somebody"})), "audience"),
        (with(json!({"aud": ["somebody"]})), "audience"),
        (with(json!({"aud": []})), "audience"),
        (with(json!({"aud": ["doorward", 1]})), "audience"),
        (with(json!({"aud": null})), "audience"),
        (with(json!({"sub": null})), "user_required"),
        (with(json!({"sub": ""})), "user_required"),
        (with(json!({"sub": ["alice"]})), "claims"),
        (with(json!({"sub": "al\u{202e}ice"})), "claims"),
        (with(json!({"sub": "alice\nroot"})), "claims"),
        (with(json!({"groups": [["eng"]]})), "claims"),
        (with(json!({"groups": null, "hasgroups": true})), "groups_overage"),
        (with(json!({"groups": null, "_claim_names": {"groups": "src1"}})), "groups_overage"),
        (with(json!({"cnf": {"jkt": "x".repeat(43)}})), "binding"),
        (with(json!({"cnf": {"x5t#S256": "x".repeat(43)}})), "binding"),
        (with(json!({"pad": "x".repeat(10_000)})), "too_large"),
        (header(json!({"crit": ["exp"], "exp": 1})), "header"),
        (header(json!({"crit": []})), "header"),
        (header(json!({"jwk": jwk})), "header"),
        (header(json!({"jku": "https://evil.test/jwks"})), "header"),
        (header(json!({"x5u": "https://evil.test/x5"})), "header"),
        (header(json!({"x5c": ["MII"]})), "header"),
        (header(json!({"b64": false})), "header"),
        (header(json!({"zip": "DEF"})), "header"),
        (header(json!({"kid": "unheard-of"})), "unknown_key"),
        (header(json!({"kid": "../key-1"})), "unknown_key"),
        (header(json!({"kid": 1})), "malformed"),
        (header(json!({"kid": ""})), "malformed"),
        (header(json!({"typ": "logout+jwt"})), "type"),
        (header(json!({"typ": "JOSE"})), "type"),
        (header(json!({"alg": null})), "algorithm"),
        // Whom a key of the set is for is the set's to say.
        (header(json!({"kid": "spare"})), "algorithm"),
        (raw(r#","sub":"mallory""#), "malformed"),
        (raw(r#","s\u0075b":"mallory""#), "malformed"),
        (raw(r#","x":1}{"#), "malformed"),
        (raw(",\"x\":NaN"), "malformed"),
        (raw(&format!(r#","x":{}{}"#, "[".repeat(200), "]".repeat(200))), "malformed"),
        (key.mint_raw(br#"{"alg":"RS256"}"#, b"[]"), "malformed"),
        (key.mint_raw(br#"{"alg":"RS256"}"#, b"\xff"), "malformed"),
        (key.mint_raw(br#"{"alg":"RS256","alg":"none"}"#, b"{}"), "malformed"),
        (format!("{}.x", with(json!({}))), "malformed"),
        (format!("{}=", with(json!({}))), "malformed"),
        ("not-a-token".to_owned(), "malformed"),
        ("..".to_owned(), "malformed"),
    ] {
        let reason = format!("identity.{reason}");
        let answer = gate.call(&ask(&token)).await;
        refusal(&gate, &answer, 401, &reason).await;
        let challenge = answer.fields.get("www-authenticate").unwrap();
        let told = format!(r#"Bearer realm="doorward", error="invalid_token", error_description="{reason}""#);
        let expected = if reason.ends_with("user_required") { r#"Bearer realm="doorward""# } else { &told };
        assert_eq!(challenge, expected);
        if token.len() > 100 {
            assert_unlogged(&gate, &[&token]);
        }
    }
    assert_eq!(world.upstream.count(), before, "a refused request reached the provider");
}
