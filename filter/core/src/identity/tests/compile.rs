//! Mistakes in the `identity` section: where, what, and how to mend them.

use super::*;

fn problem(section: Value) -> String {
    try_compile(section).unwrap_err().to_string()
}

fn keys(key: Value) -> Value {
    document(json!([key]), json!({}))
}

#[test]
fn sections_that_prove_nobody() {
    for (section, start) in [
        (json!({}), "identity: no way to prove an identity is configured"),
        (json!({"mtls": {"trust_domains": ["td"]}}), "identity.require.user: nothing can prove a user"),
        (with_require(json!({"workload": true})), "identity.require.workload: nothing can prove a workload"),
        (
            json!({"jwt": [{"issuer": ISSUER, "audiences": []}]}),
            "identity.jwt[0].audiences: an empty list, expected a value",
        ),
        (json!({"jwt": [{"issuer": ISSUER, "audiences": "a"}]}), "identity.jwt[0]: the issuer has no keys"),
        (json!({"jwt": [{"issuer": ISSUER}]}), "identity.jwt[0]: the key `audiences` is missing"),
        (
            json!({"jwt": [{"isuer": ISSUER}]}),
            "identity.jwt[0].isuer: unknown key `isuer` (help: did you mean `issuer`?)",
        ),
        (document(json!([]), json!({})), "identity.jwt[0].jwks.inline: no keys"),
        (document(json!({}), json!({})), "identity.jwt[0].jwks.inline: not a JSON Web Key Set"),
        (document(json!([]), json!({"jwks": {"inline": "{"}})), "identity.jwt[0].jwks.inline: not valid JSON"),
        (document(json!([]), json!({"jwks": {"cluster": "c"}})), "identity.jwt[0].jwks: neither an inline key set"),
        (
            document(json!([]), json!({"jwks": {"cluster": "c", "authority": "a", "path": "x"}})),
            "identity.jwt[0].jwks: `cluster`, `authority` or `path` is not usable",
        ),
        (
            document(json!([]), json!({"jwks": {"cluster": "c", "authority": "a", "path": "/x", "refresh": "1s"}})),
            "identity.jwt[0].jwks.refresh: not between 30000ms and 86400000ms",
        ),
        (document(json!([]), json!({"algorithms": ["none"]})), "identity.jwt[0].algorithms[0]: unknown value `none`"),
        (document(json!([]), json!({"skew": "10m"})), "identity.jwt[0].skew: not between 0ms and 300000ms"),
        (document(json!([]), json!({"issuer": ""})), "identity.jwt[0].issuer: is empty"),
        (document(json!([]), json!({"claims": {"user": "a..b"}})), "identity.jwt[0].claims.user: invalid value"),
    ] {
        let got = problem(section.clone());
        assert!(got.starts_with(start), "{section}\n got {got}\nwant {start}");
        assert!(got.contains("(help: ") || got.contains(", expected "), "{got}");
    }
}

fn with_require(require: Value) -> Value {
    let mut section = keys(jwk("p256_a", json!({})));
    section["require"] = require;
    section
}

#[test]
fn weak_and_foreign_keys() {
    let private = json!({"d": "AQAB"});
    for (key, why) in [
        (jwk("rsa_1024", json!({})), "2048 to 4096 bits"),
        (jwk("rsa_e3", json!({})), "65537"),
        (jwk("rsa_a", json!({"e": "AQ"})), "65537"),
        (jwk("rsa_a", json!({"use": "enc"})), "`use` is not `sig`"),
        (jwk("rsa_a", json!({"key_ops": ["sign"]})), "`verify`"),
        (jwk("rsa_a", json!({"alg": "RSA-OAEP"})), "`alg` is not a signature algorithm"),
        (jwk("rsa_a", json!({"alg": "ES256"})), "`alg` does not fit"),
        (jwk("rsa_a", json!({"alg": "HS256"})), "`alg` does not fit"),
        (jwk("rsa_a", json!({"n": "!"})), "base64url"),
        (jwk("rsa_a", private.clone()), "private key"),
        (jwk("p256_a", private.clone()), "private key"),
        (jwk("ed25519", private), "private key"),
        (jwk("p256_a", json!({"alg": "ES384"})), "`alg` does not fit"),
        (jwk("p256_a", json!({"crv": "P-521"})), "P-256 or P-384"),
        (jwk("p256_a", json!({"crv": "secp256k1"})), "P-256 or P-384"),
        (jwk("p256_a", json!({"x": jwk("p256_b", json!({}))["x"]})), "not on the curve"),
        (jwk("p384", json!({"crv": "P-256"})), "as long as the curve"),
        (jwk("ed25519", json!({"crv": "X25519"})), "Ed25519"),
        (jwk("ed25519", json!({"x": "AAAA"})), "32 bytes"),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), "shared key has no place"),
        (json!({"kty": "XYZ"}), "`kty`"),
        (json!("text"), "`kty`"),
        (jwk("p256_a", json!({"kid": 1})), "not text"),
        (jwk("p256_a", json!({"kid": ""})), "`kid` is empty"),
    ] {
        let got = problem(keys(key.clone()));
        assert!(
            got.starts_with("identity.jwt[0].jwks.inline.keys[0]: ") && got.contains(why),
            "{key}\n got {got}\nwant {why}"
        );
    }
    let twice = document(json!([jwk("p256_a", json!({"kid": "a"})), jwk("p256_b", json!({"kid": "a"}))]), json!({}));
    assert!(problem(twice).contains("keys[0]: another key has the same `kid`"));
    let left = document(json!([jwk("p256_a", json!({}))]), json!({"algorithms": ["RS256"]}));
    assert!(problem(left).contains("`algorithms` leave nothing"));
    let text = json!({"keys": [jwk("p256_a", json!({}))]}).to_string();
    assert!(try_compile(document(json!([]), json!({"jwks": {"inline": text}}))).is_ok());
}

#[test]
fn secrets_are_references_and_long_enough() {
    let section = |key: Value| json!({"jwt": [{"issuer": ISSUER, "audiences": "a", "key": key}]});
    for (key, why) in [
        (
            json!({"secret": {"env": "NOWHERE"}}),
            "identity.jwt[0].key.secret: the environment variable `NOWHERE` is not set",
        ),
        (
            json!({"secret": {"env": "SHORT"}}),
            "identity.jwt[0].key.secret: the environment variable `SHORT` is shorter than 32 bytes",
        ),
        (json!({"secret": "inline"}), "identity.jwt[0].key.secret: a secret is given by reference"),
        (json!({"secret": {"env": "SECRET"}, "algorithm": "RS256"}), "identity.jwt[0].key.algorithm: not HS256"),
    ] {
        let got = problem(section(key));
        assert!(got.starts_with(why), "got {got}\nwant {why}");
        assert!(!got.contains("too short"), "a secret in a message");
    }
    let identity = try_compile(section(json!({"secret": {"env": "SECRET"}}))).unwrap();
    assert!(!format!("{identity:?}").contains(fixtures()["secret"].as_str().unwrap()));
    let mut shared = keys(jwk("p256_a", json!({})));
    shared["shared_key"] = json!({"env": "SHORT"});
    assert!(problem(shared).starts_with("identity.shared_key: "));
}

#[test]
fn api_keys_and_the_rest() {
    let digest = mint_api_key([1; 32]).digest;
    let api = |entries: Value| json!({"api_keys": entries});
    let entry = |changes: Value| {
        let mut entry = json!({"id": "k", "digest": digest, "user": "u"});
        for (name, value) in changes.as_object().unwrap() {
            entry[name] = value.clone();
        }
        entry
    };
    let other = mint_api_key([2; 32]).digest;
    let mut rest = keys(jwk("p256_a", json!({})));
    let mut with = |name: &str, value: Value| {
        rest[name] = value;
        let section = rest.clone();
        rest.as_object_mut().unwrap().remove(name);
        section
    };
    for (section, start) in [
        (api(json!([entry(json!({"digest": "dw_key"}))])), "identity.api_keys[0].digest: not a digest"),
        (api(json!([entry(json!({"digest": digest.to_uppercase()}))])), "identity.api_keys[0].digest: not a digest"),
        (api(json!([entry(json!({"expires": "soon"}))])), "identity.api_keys[0].expires: not a date"),
        (api(json!([entry(json!({"user": "a\nb"}))])), "identity.api_keys[0]: a text is empty"),
        (
            api(json!([entry(json!({})), entry(json!({"digest": other}))])),
            "identity.api_keys[1].id: the id `k` is there twice",
        ),
        (
            api(json!([entry(json!({})), entry(json!({"id": "l"}))])),
            "identity.api_keys[1].digest: the digest is there twice",
        ),
        (with("mtls", json!({"trust_domains": []})), "identity.mtls.trust_domains: an empty list"),
        (with("mtls", json!({"trust_domains": "spiffe://td"})), "identity.mtls.trust_domains: not a list"),
        (with("revoked", json!([{}])), "identity.revoked[0]: not exactly one"),
        (with("revoked", json!([{"jti": "a", "sub": "b"}])), "identity.revoked[0]: not exactly one"),
        (with("max_token_bytes", json!(100)), "identity.max_token_bytes: not between"),
        (with("cache", json!({"max_age": "2h"})), "identity.cache.max_age: not between"),
        (with("cache", json!({"entries": 100_000})), "identity.cache.entries: more than"),
        (
            with("envoy_metadata", json!([{"key": "", "issuer": "i", "audiences": "a"}])),
            "identity.envoy_metadata[0]: `namespace` or `key` is empty",
        ),
        (
            with("envoy_metadata", json!([{"key": "p", "issuer": "i", "audiences": []}])),
            "identity.envoy_metadata[0].audiences: an empty list",
        ),
    ] {
        let got = problem(section.clone());
        assert!(got.starts_with(start), "{section}\n got {got}\nwant {start}");
    }
    let mut twice = keys(jwk("p256_a", json!({})));
    let issuer = twice["jwt"][0].clone();
    twice["jwt"].as_array_mut().unwrap().push(issuer);
    assert!(problem(twice).starts_with("identity.jwt[1].issuer: the issuer is there twice"));
}
