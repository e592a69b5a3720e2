//! A caller's own token, and to whom it goes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_core::identity::mint_api_key;
use serde_json::{Value, json};

use crate::stage::{Answer, Stage};

const ISSUER: &str = "https://idp.test";
const FILES: &str = "https://files.test/mcp";

fn claims(aud: &Value) -> Value {
    json!({"iss": ISSUER, "aud": aud, "sub": "alice", "iat": 1_799_999_900, "exp": 1_800_000_300, "jti": "t-1"})
}

/// A token, signed with the key of the tests.
fn token(claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&json!({"alg": "HS256", "typ": "JWT"})), encode(claims));
    let signature = hmac_sha256::HMAC::mac(signed.as_bytes(), "0123456789abcdef0123456789abcdef");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn stage(more: &Value) -> Stage {
    let key = mint_api_key([7; 32]);
    let mut policy = json!({
        "targets": [{"name": "files", "cluster": "c", "provider": "mcp", "forward": "same-audience", "audiences": FILES}],
        "identity": {
            "jwt": [{"issuer": ISSUER, "audiences": "doorward", "key": {"secret": {"env": "KEY"}}}],
            "api_keys": [{"id": "robot", "digest": key.digest, "user": "robot"}],
            "envoy_metadata": [{"key": "payload", "issuer": "https://other.test", "audiences": "doorward"}],
        },
        "roles": {}, "access": [{"id": "all", "effect": "allow"}],
    });
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    Stage::new(&policy)
}

/// What the upstream gets as `authorization`, and what is noted.
fn goes(stage: &mut Stage, fields: &[(&str, &str)]) -> (Option<String>, String) {
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let played = stage.send("nobody", "POST", fields, &list, &Answer::default());
    assert_eq!(crate::outcome(&played), "passes", "{:?}", played.record);
    let notes = played.record.get("doorward.notes").cloned().unwrap_or_default();
    for name in ["x-api-key", "api-key", "x-goog-api-key"] {
        assert_eq!(played.upstream_set.get(name), None);
    }
    (played.upstream_set.get("authorization").cloned(), notes)
}

#[test]
fn a_token_goes_on_where_its_audience_names_the_upstream() {
    let mut stage = stage(&json!({}));
    for (audience, goes_on) in [
        (json!(["doorward", FILES]), true),
        (json!([FILES, "https://elsewhere.test", "doorward"]), true),
        (json!("doorward"), false),
        (json!(["doorward"]), false),
        (json!(["doorward", "https://files.test"]), false),
        (json!(["doorward", "https://files.test/mcp/"]), false),
        (json!(["doorward", "HTTPS://FILES.TEST/mcp"]), false),
        (json!(["doorward", "https://files.test/mcp2"]), false),
        (json!(["doorward", "*"]), false),
    ] {
        let bearer = format!("Bearer {}", token(&claims(&audience)));
        let expected = if goes_on { (Some(bearer.clone()), "") } else { (None, "forward.audience") };
        let got = goes(&mut stage, &[("authorization", &bearer)]);
        assert_eq!((got.0, got.1.as_str()), expected, "{audience}");
    }
    // It stands where servers expect it, or it stays.
    let named = token(&claims(&json!(["doorward", FILES])));
    assert_eq!(goes(&mut stage, &[("x-api-key", &named)]), (None, String::new()));
}

#[test]
fn api_keys_and_what_others_verified_do_not() {
    let mut stage = stage(&json!({}));
    let key = mint_api_key([7; 32]).key;
    for fields in [[("authorization", format!("Bearer {key}"))], [("x-api-key", key.clone())]] {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(goes(&mut stage, &fields), (None, String::new()));
    }
    // Envoy verified a token that stood elsewhere: what stands here is somebody else's.
    let mut verified = claims(&json!(["doorward", FILES]));
    verified["iss"] = json!("https://other.test");
    stage.metadata("envoy.filters.http.jwt_authn", "payload", &verified.to_string());
    let same = format!("Bearer {}", token(&verified));
    assert_eq!(goes(&mut stage, &[("authorization", &same)]), (Some(same.clone()), String::new()));
    for (member, value) in [("jti", json!("t-2")), ("exp", json!(1_800_000_301)), ("aud", json!("doorward"))] {
        let mut other = verified.clone();
        other[member] = value;
        let bearer = format!("Bearer {}", token(&other));
        assert_eq!(goes(&mut stage, &[("authorization", &bearer)]), (None, "forward.audience".to_owned()), "{member}");
    }
}

#[test]
fn other_targets_get_nothing() {
    let bearer = format!("Bearer {}", token(&claims(&json!(["doorward", FILES]))));
    for target in [
        json!({"name": "files", "cluster": "c", "provider": "mcp"}),
        json!({"name": "files", "cluster": "c", "provider": "mcp", "forward": "none", "resource": FILES}),
    ] {
        let mut stage = stage(&json!({"targets": [target]}));
        assert_eq!(goes(&mut stage, &[("authorization", &bearer)]), (None, String::new()));
    }
    let resource =
        json!({"name": "files", "cluster": "c", "provider": "mcp", "forward": "same-audience", "resource": FILES});
    let mut stage = stage(&json!({"targets": [resource]}));
    assert_eq!(goes(&mut stage, &[("authorization", &bearer)]).0, Some(bearer));
}

#[test]
fn a_target_says_which_audience_means_it() {
    for (target, at) in [
        (json!({"name": "f", "cluster": "c", "provider": "mcp", "forward": "same-audience"}), "targets[0].forward"),
        (json!({"name": "f", "cluster": "c", "provider": "mcp", "audiences": "x"}), "targets[0].audiences"),
    ] {
        let policy = crate::stage::policy(&json!({"targets": [target]}));
        let tree = doorward_core::config::tree_from_json(&policy.to_string()).unwrap();
        let problems = doorward_core::engine::Engine::compile(&tree, &|_| None).err().unwrap();
        assert!(problems.iter().any(|problem| problem.to_string().contains(at)), "{at}: {problems:?}");
    }
}
