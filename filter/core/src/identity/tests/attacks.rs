//! Tokens that must not be believed.

use super::*;
use crate::hex::unhex;

const HEADER: &str = r#"{"alg":"ES256","typ":"JWT","kid":"a"}"#;

fn refused(token: &str) -> Reason {
    Gate::es256(json!({})).token(token).expect_err(token)
}

/// A token that is properly signed, whatever its header says.
fn with_header(header: &str) -> String {
    sign("p256_a", "ES256", header, &claims(json!({})))
}

fn with_payload(payload: &str) -> String {
    sign("p256_a", "ES256", HEADER, payload)
}

#[test]
fn headers() {
    assert!(Gate::es256(json!({})).token(&with_header(HEADER)).is_ok());
    for (header, reason) in [
        (r#"{"alg":"none","kid":"a"}"#, Reason::Algorithm),
        (r#"{"alg":"None","kid":"a"}"#, Reason::Algorithm),
        (r#"{"alg":"","kid":"a"}"#, Reason::Algorithm),
        (r#"{"alg":"es256","kid":"a"}"#, Reason::Algorithm),
        (r#"{"alg":"ES384","kid":"a"}"#, Reason::Algorithm),
        (r#"{"alg":"RS256","kid":"a"}"#, Reason::Algorithm),
        (r#"{"alg":"HS256","kid":"a"}"#, Reason::Algorithm),
        (r#"{"alg":["ES256"],"kid":"a"}"#, Reason::Algorithm),
        (r#"{"kid":"a"}"#, Reason::Algorithm),
        (r#"{"alg":"none","alg":"ES256","kid":"a"}"#, Reason::Malformed),
        (r#"{"alg":"ES256","kid":"a","kid":"b"}"#, Reason::Malformed),
        (r#"{"alg":"ES256","kid":"b"}"#, Reason::UnknownKey),
        (r#"{"alg":"ES256","kid":"A"}"#, Reason::UnknownKey),
        (r#"{"alg":"ES256","kid":"../../dev/null"}"#, Reason::UnknownKey),
        (r#"{"alg":"ES256","kid":"a' OR '1'='1"}"#, Reason::UnknownKey),
        (r#"{"alg":"ES256","kid":"a\u0000"}"#, Reason::UnknownKey),
        (r#"{"alg":"ES256","kid":""}"#, Reason::Malformed),
        (r#"{"alg":"ES256","kid":1}"#, Reason::Malformed),
        (r#"{"alg":"ES256","kid":null}"#, Reason::Malformed),
        (r#"{"alg":"ES256","kid":"a","crit":["exp"]}"#, Reason::Header),
        (r#"{"alg":"ES256","kid":"a","crit":[]}"#, Reason::Header),
        (r#"{"alg":"ES256","kid":"a","b64":false}"#, Reason::Header),
        (r#"{"alg":"ES256","kid":"a","jku":"https://evil.test/jwks"}"#, Reason::Header),
        (r#"{"alg":"ES256","kid":"a","x5u":"https://evil.test/x"}"#, Reason::Header),
        (r#"{"alg":"ES256","kid":"a","x5c":["MII"]}"#, Reason::Header),
        (r#"{"alg":"ES256","kid":"a","jwk":null}"#, Reason::Header),
        (r#"{"alg":"ES256","kid":"a","zip":"DEF"}"#, Reason::Header),
        (r#"{"alg":"ES256","kid":"a","typ":"JWE"}"#, Reason::Type),
        (r#"{"alg":"ES256","kid":"a","typ":"dpop+jwt"}"#, Reason::Type),
        (r#"{"alg":"ES256","kid":"a","typ":"logout+jwt"}"#, Reason::Type),
        (r#"{"alg":"ES256","kid":"a","typ":1}"#, Reason::Type),
        (r#"["ES256"]"#, Reason::Malformed),
        (r#""ES256""#, Reason::Malformed),
        (r#"{"alg":"ES256","kid":"a"} "x""#, Reason::Malformed),
        ("", Reason::Malformed),
    ] {
        assert_eq!(refused(&with_header(header)), reason, "{header}");
    }
    // An embedded key that the attacker signed with.
    let own = json!({"alg": "ES256", "kid": "a", "jwk": jwk("p256_b", json!({}))}).to_string();
    assert_eq!(refused(&sign("p256_b", "ES256", &own, &claims(json!({})))), Reason::Header);
    let long = json!({"alg": "ES256", "kid": "a".repeat(257)}).to_string();
    assert_eq!(refused(&with_header(&long)), Reason::Malformed);
    for header in [
        r#"{"alg":"ES256","kid":"a","typ":"at+jwt"}"#,
        r#"{"alg":"ES256","kid":"a","typ":"application/AT+JWT"}"#,
        r#"{"alg":"ES256","kid":"a"}"#,
        r#"{"alg":"ES256","kid":"a","x5t":"abc","x5t#S256":"abc","unknown":{"a":1}}"#,
    ] {
        assert!(Gate::es256(json!({})).token(&with_header(header)).is_ok(), "{header}");
    }
}

#[test]
fn the_public_key_is_no_secret() {
    // RS256 -> HS256 with what everybody knows of the key as the secret.
    let fixtures = fixtures();
    let rsa = &fixtures["keys"]["rsa_a"];
    let mut gate = Gate::new(document(json!([jwk("rsa_a", json!({"kid": "a"}))]), json!({})));
    for secret in [rsa["spki"].as_str().unwrap(), rsa["jwk"]["n"].as_str().unwrap(), &rsa["jwk"].to_string()] {
        for algorithm in ["HS256", "HS384", "HS512"] {
            let header = json!({"alg": algorithm, "kid": "a"}).to_string();
            let token = sign(secret, algorithm, &header, &claims(json!({})));
            assert_eq!(gate.token(&token), Err(Reason::Algorithm));
            let token = sign(secret, algorithm, &json!({"alg": "RS256", "kid": "a"}).to_string(), &claims(json!({})));
            assert_eq!(gate.token(&token), Err(Reason::Signature));
        }
    }
    let token = sign("rsa_b", "RS256", r#"{"alg":"RS256","kid":"a"}"#, &claims(json!({})));
    assert_eq!(gate.token(&token), Err(Reason::Signature), "another key of the same kind");
}

#[test]
fn registered_claims() {
    for (changes, reason) in [
        (json!({"iss": null}), Reason::Issuer),
        (json!({"iss": [ISSUER]}), Reason::Issuer),
        (json!({"iss": "https://issuer.test/"}), Reason::UnknownIssuer),
        (json!({"iss": "https://evil.test"}), Reason::UnknownIssuer),
        (json!({"aud": null}), Reason::Audience),
        (json!({"aud": "doorwar"}), Reason::Audience),
        (json!({"aud": []}), Reason::Audience),
        (json!({"aud": ["a", "b"]}), Reason::Audience),
        (json!({"aud": {"doorward": true}}), Reason::Audience),
        (json!({"aud": ["doorward", 1]}), Reason::Audience),
        (json!({"aud": true}), Reason::Audience),
        (json!({"exp": null}), Reason::Claims),
        (json!({"exp": (NOW + 600).to_string()}), Reason::Claims),
        (json!({"exp": -1}), Reason::Claims),
        (json!({"exp": 1e300}), Reason::Claims),
        (json!({"exp": true}), Reason::Claims),
        (json!({"exp": 0}), Reason::Expired),
        (json!({"exp": NOW - 30}), Reason::Expired),
        (json!({"exp": NOW as f64 - 30.001}), Reason::Expired),
        (json!({"nbf": NOW + 31}), Reason::NotYetValid),
        (json!({"nbf": "0"}), Reason::Claims),
        (json!({"iat": NOW + 31}), Reason::NotYetValid),
        (json!({"iat": {}}), Reason::Claims),
        (json!({"sub": 7}), Reason::Claims),
        (json!({"sub": "al\u{0}ice"}), Reason::Claims),
        (json!({"sub": null}), Reason::UserRequired),
        (json!({"jti": 7}), Reason::Claims),
        (json!({"jti": "a\nb"}), Reason::Claims),
        (json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}), Reason::Binding),
        (json!({"cnf": {}}), Reason::Binding),
        (json!({"cnf": true}), Reason::Binding),
    ] {
        assert_eq!(refused(&es256(changes.clone())), reason, "{changes}");
    }
    for changes in [
        json!({"aud": ["other", "doorward"]}),
        json!({"exp": NOW - 29}),
        json!({"exp": NOW as f64 + 0.5}),
        json!({"nbf": NOW + 30, "iat": NOW + 30}),
        json!({"iat": null}),
        json!({"iat": (NOW as f64) - 0.25}),
    ] {
        assert!(Gate::es256(json!({})).token(&es256(changes.clone())).is_ok(), "{changes}");
    }
    let twice = claims(json!({})).replacen('{', r#"{"sub":"bob","#, 1);
    assert_eq!(refused(&with_payload(&twice)), Reason::Malformed, "sub twice");
    let escaped = claims(json!({})).replacen('{', r#"{"\u0073ub":"bob","#, 1);
    assert_eq!(refused(&with_payload(&escaped)), Reason::Malformed, "sub twice, once escaped");
    for payload in ["", "[]", "null", "{}x", "\u{feff}{}", "\"x\""] {
        assert_eq!(refused(&with_payload(payload)), Reason::Malformed, "{payload}");
    }
}

#[test]
fn lifetime_and_typ_as_configured() {
    let mut gate = Gate::es256(json!({"max_lifetime": "10m"}));
    assert!(gate.token(&es256(json!({"iat": NOW, "exp": NOW + 600}))).is_ok());
    assert_eq!(gate.token(&es256(json!({"iat": NOW, "exp": NOW + 601}))), Err(Reason::Lifetime));
    assert_eq!(gate.token(&es256(json!({"iat": null}))), Err(Reason::Claims));
    let mut gate = Gate::es256(json!({"typ": "at+jwt", "skew": "0s"}));
    assert_eq!(gate.token(&es256(json!({}))), Err(Reason::Type));
    assert!(gate.token(&with_header(r#"{"alg":"ES256","kid":"a","typ":"application/at+JWT"}"#)).is_ok());
    assert_eq!(gate.token(&with_header(r#"{"alg":"ES256","kid":"a"}"#)), Err(Reason::Type));
    let mut gate = Gate::es256(json!({"skew": "0s"}));
    assert_eq!(gate.token(&es256(json!({"exp": NOW}))), Err(Reason::Expired));
    assert!(gate.token(&es256(json!({"exp": NOW + 1}))).is_ok());
}

#[test]
fn encodings() {
    let good = es256(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!() };
    let other = b64(claims(json!({"sub": "root"})));
    let mut cut = URL_SAFE_NO_PAD.decode(signature).unwrap();
    cut.pop();
    for (token, reason) in [
        (format!("{header}.{other}.{signature}"), Reason::Signature),
        (format!("{header}.{payload}.{}", b64(&cut)), Reason::Signature),
        (format!("{header}.{payload}."), Reason::Signature),
        (format!("{header}.{payload}.AAAA"), Reason::Signature),
        (format!("{header}.{payload}"), Reason::Malformed),
        (format!("{header}..{signature}"), Reason::Malformed),
        (format!(".{payload}.{signature}"), Reason::Malformed),
        ("..".to_owned(), Reason::Malformed),
        ("x".to_owned(), Reason::Malformed),
        (format!("{good}.x"), Reason::Malformed),
        (format!("{header}.{payload}.x.{signature}"), Reason::Malformed),
        (format!("{good}="), Reason::Malformed),
        (format!("{header}=.{payload}.{signature}"), Reason::Malformed),
        (format!("{header}.{payload}.{}+", signature.get(1..).unwrap()), Reason::Malformed),
        (format!("{header}. {payload}.{signature}"), Reason::Malformed),
        (format!("{header}.{payload}.{signature}\u{0}"), Reason::Malformed),
        (format!("{header}.{payload}.{signature},"), Reason::Malformed),
        (format!("{header}.{}.{signature}", "A".repeat(9000)), Reason::TooLarge),
    ] {
        assert_eq!(refused(&token), reason, "{token}");
    }
    // 64 bytes leave four bits of the last character unused; setting them is another text for the same bytes.
    let last = signature.as_bytes()[signature.len() - 1];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.iter().position(|b| *b == last).unwrap();
    let stray = format!("{}{}", signature.get(..signature.len() - 1).unwrap(), char::from(alphabet[index | 1]));
    assert_eq!(refused(&format!("{header}.{payload}.{stray}")), Reason::Malformed);
}

#[test]
fn elliptic_curve_signatures() {
    let good = es256(json!({"jti": "one"}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = raw.split_at(32);
    let zero = [0u8; 32];
    let order = hex_bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let der = crate::identity::der::ecdsa_signature(&raw, 32).unwrap();
    for (what, bytes) in [
        ("ASN.1", der),
        ("r = 0", [&zero, s].concat()),
        ("s = 0", [r, &zero].concat()),
        ("both 0", vec![0; 64]),
        ("r = n", [&order, s].concat()),
        ("s = n", [r, &order].concat()),
        ("swapped", [s, r].concat()),
        ("padded", [&[0], r, &[0], s].concat()),
        ("longer", [&raw[..], &[0]].concat()),
        ("all ones", vec![0xff; 64]),
    ] {
        assert_eq!(refused(&format!("{signed}.{}", b64(bytes))), Reason::Signature, "{what}");
    }
    // (r, n - s) is as valid by ECDSA's nature. It must buy nothing: the same caller, and revoked as well.
    let mut borrow = 0i16;
    let mut mirrored = [0u8; 32];
    for i in (0..32).rev() {
        let digit = i16::from(order[i]) - i16::from(s[i]) - borrow;
        borrow = i16::from(digit < 0);
        mirrored[i] = (digit + 256 * borrow) as u8;
    }
    let mirrored = format!("{signed}.{}", b64([r, &mirrored].concat()));
    assert_ne!(mirrored, good);
    let mut gate = Gate::es256(json!({}));
    assert_eq!(gate.token(&mirrored).unwrap().subject(), gate.token(&good).unwrap().subject());
    let mut section = document(json!([jwk("p256_a", json!({"kid": "a"}))]), json!({}));
    section["revoked"] = json!([{"jti": "one"}]);
    let mut gate = Gate::new(section);
    assert_eq!(gate.token(&good), Err(Reason::Revoked));
    assert_eq!(gate.token(&mirrored), Err(Reason::Revoked));
}

fn hex_bytes(text: &str) -> [u8; 32] {
    unhex(text).unwrap()
}

#[test]
fn any_bytes_are_survived() {
    use proptest::prelude::*;
    let gate = std::cell::RefCell::new(Gate::es256(json!({})));
    let good = es256(json!({}));
    proptest!(ProptestConfig::with_cases(500), |(token in "[A-Za-z0-9._~+/=-]{0,200}")| {
        prop_assert!(gate.borrow_mut().token(&token).is_err());
    });
    proptest!(ProptestConfig::with_cases(500), |(at in 0..good.len(), byte in "[A-Za-z0-9._-]")| {
        let mut token = good.clone();
        token.replace_range(at..at + 1, &byte);
        prop_assume!(token != good);
        prop_assert!(gate.borrow_mut().token(&token).is_err());
    });
    proptest!(ProptestConfig::with_cases(500), |(header in any::<Vec<u8>>(), payload in ".*")| {
        let token = format!("{}.{}.AAAA", b64(header), b64(&payload));
        prop_assert!(gate.borrow_mut().token(&token).is_err());
        let token = format!("{}.{}.AAAA", b64(HEADER), b64(payload));
        prop_assert!(gate.borrow_mut().token(&token).is_err());
    });
}
