//! What encodings hide is found, cut as a whole, counted once, and leaves valid JSON behind.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;

fn chat(text: &str) -> String {
    serde_json::json!({"messages":[{"role":"user","content":text}]}).to_string()
}

fn masked(text: &str) -> Option<String> {
    let outcome = world(MASK).json(&chat(text));
    outcome.edited.as_ref()?;
    let sent: serde_json::Value = serde_json::from_str(edited(&outcome)).unwrap();
    Some(sent["messages"][0]["content"].as_str().unwrap().to_owned())
}

fn count(outcome: &Outcome) -> u32 {
    outcome.findings.values().sum()
}

#[test]
fn the_whole_run_is_cut() {
    let base64 = |text: &str| STANDARD.encode(text);
    let mail = "write to bob@example.org today";
    for run in [
        base64(mail),
        URL_SAFE_NO_PAD.encode(mail),
        base64(&base64(mail)),
        base64("bob%40example.org"),
        base64("bob&commat;example.org"),
        base64(r#"{"to":"bob\u0040example.org"}"#),
        base64("5425 2334 3010 9903"),
        base64("Bluebird is late"),
        "bob%40example.org".into(),
        "https://a.test/?m=bob%2540example.org&x=1".into(),
        "https://a.test/?m=%62%6F%62%40%65%78%61%6d%70le.org".into(),
        "https://a.test/?card=5425+2334+3010+9903&a=%20".into(),
        format!("https://a.test/?d={}", base64("a bob@example.org b").replace('=', "%3D")),
        "bob&#64;example.org".into(),
        "bob&#x40;example&period;org".into(),
        "bob&amp;#64;example.org".into(),
        "bob%26%2364%3Bexample.org".into(),
        "5425&nbsp;2334&nbsp;3010&nbsp;9903".into(),
        "bob@exa\u{200b}mple.org".into(),
        "bоb@example.org".into(),
        "ｂｏｂ＠ｅｘａｍｐｌｅ．ｏｒｇ".into(),
        "５４２５２３３４３０１０９９０３".into(),
        "5425%E2%80%8B2334%E2%80%8B30109903".into(),
        "bob\\x40example.org".into(),
        "626f62406578616d706c652e6f7267".into(),
        "bob (at) example (dot) org".into(),
        "bob at example dot org".into(),
        "54252334`30109903".into(),
        "54252334\n30109903".into(),
    ] {
        let sent = masked(&format!("é \"x\" {run} y")).unwrap_or_else(|| panic!("{run}"));
        let name =
            sent.strip_prefix("é \"x\" [").and_then(|s| s.strip_suffix("] y")).unwrap_or_else(|| panic!("{sent}"));
        assert!(["EMAIL_ADDRESS", "CREDIT_CARD", "PROJECT"].contains(&name), "{run}: {sent}");
    }
}

#[test]
fn runs_end_where_they_end() {
    for (text, sent) in [
        ("<a href=\"mailto:bob%40example.org\">x</a>", "<a href=\"[EMAIL_ADDRESS]\">x</a>"),
        ("<p>bob&#64;example.org</p>", "<p>[EMAIL_ADDRESS]</p>"),
        ("data:text/plain;base64,Ym9iQGV4YW1wbGUub3Jn", "data:text/plain;base64,[EMAIL_ADDRESS]"),
        ("key=Ym9iQGV4YW1wbGUub3Jn.", "key=[EMAIL_ADDRESS]."),
        ("请联系bob%40example.org谢谢", "请联系[EMAIL_ADDRESS]"),
        ("a%20b c@example.org d%20e", "a%20b [EMAIL_ADDRESS] d%20e"),
        ("https://a.test/?m=bob@example.org&x=%20", "https://a.test/?m=[EMAIL_ADDRESS]&x=%20"),
        ("one Ym9iQGV4YW1wbGUub3Jn bob@example.org", "one [EMAIL_ADDRESS] [EMAIL_ADDRESS]"),
    ] {
        assert_eq!(masked(text).as_deref(), Some(sent), "{text}");
    }
    for none in ["bob%40", "&#64; at 100%", "Ym9iIGF0IGV4YW1wbGUgb3Jn", "5425+2334"] {
        assert_eq!(masked(none), None, "{none}");
    }
}

#[test]
fn runs_are_cut_at_every_level() {
    let run = STANDARD.encode("bob@example.org");
    let arguments =
        serde_json::json!({"body":run,"url":"a?m=bob%40example.org","q":"\"é\"", run.as_str(): 1}).to_string();
    let text = serde_json::json!([{"role":"assistant","tool_calls":[{"function":{"arguments":arguments}}]}]);
    let outcome = world(MASK).json(&serde_json::json!({"messages": text}).to_string());
    assert_eq!(count(&outcome), 3);
    let sent: serde_json::Value = serde_json::from_str(edited(&outcome)).unwrap();
    let arguments = sent["messages"][0]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    let arguments: serde_json::Value = serde_json::from_str(arguments).unwrap();
    let mask = "[EMAIL_ADDRESS]";
    assert_eq!(arguments, serde_json::json!({"body":mask,"url":mask,"q":"\"é\"",mask:1}));
    // JSON in a string without an escape in it, and a run written with escapes.
    let outcome = world(MASK).json(&format!(r#"{{"a":"[\"{run}\"]","b":"\u0059{}"}}"#, run.strip_prefix('Y').unwrap()));
    assert_eq!(edited(&outcome), format!(r#"{{"a":"[\"{mask}\"]","b":"{mask}"}}"#));
}

#[test]
fn a_value_counts_once() {
    for (text, findings) in [
        ("bob@example.org and %41&amp;", 1),
        ("bob@example.org%20", 1),
        ("%62ob@example.org", 1),
        ("https://a.test/?a=bob@example.org&b=%2540", 1),
        ("bob%2540example.org", 1),
        ("Ym9iQGV4YW1wbGUub3JnIGFuZCBldmVAZXhhbXBsZS5vcmc=", 2),
        ("bob@example.org Ym9iQGV4YW1wbGUub3Jn", 2),
        ("\\u0062ob@example.org \\u0041", 1),
    ] {
        assert_eq!(count(&world(MASK).json(&chat(text))), findings, "{text}");
    }
}

#[test]
fn what_is_denied_or_hashed_is_so_inside_runs() {
    let deny = world(r#"[{"id":"deny","detect":"EMAIL_ADDRESS","action":"deny"}]"#);
    for text in ["bob%40example.org", "Ym9iQGV4YW1wbGUub3Jn", "bob&#64;example.org"] {
        assert_eq!(deny.json(&chat(text)).denial, Some(Reason::ContentDenied), "{text}");
    }
    let hash = world(r#"[{"id":"hash","detect":"EMAIL_ADDRESS","action":"hash"}]"#);
    let sent = |text: &str| edited(&hash.json(&chat(text))).to_owned();
    assert_eq!(sent("Ym9iQGV4YW1wbGUub3Jn"), sent("bob@example.org"));
    assert_eq!(sent("bob%40example.org"), sent("bob@example.org"));
}

#[test]
fn plain_texts_are_seen_through() {
    let world = world(MASK);
    let plan = world.content.plan(&RoleSet::default(), 0, Side::Request);
    let inspector = Inspector {
        detectors: &world.detectors,
        plan: &plan,
        hash_key: None,
        deriver: None,
        shingles: None,
        external: None,
        limits: Limits::default(),
    };
    let outcome = inspector.text("m=bob&#64;example.org", Channel::Metadata, &mut Budget::new(1 << 20));
    assert_eq!(edited(&outcome), "[EMAIL_ADDRESS]");
}

#[test]
fn tokens_with_detectors_of_their_own_are_not_disturbed() {
    let world = world(r#"[{"id":"s","detect":"secrets","action":"mask"}]"#);
    let token = format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(r#"{"sub":"4711","name":"Alice Roe","admin":true}"#),
        URL_SAFE_NO_PAD.encode([0x9c; 32]),
    );
    let outcome = world.json(&chat(&format!("use {token} now")));
    assert!(edited(&outcome).contains("use [JSON_WEB_TOKEN] now"), "{}", edited(&outcome));
    assert_eq!(count(&outcome), 1);
}
