//! `doorward explain`.

use serde_json::Value;

use super::{doorward, doorward_with, root};

const MAIL: &str =
    r#"{"model":"gpt-4o","max_tokens":9999,"messages":[{"role":"user","content":"mail bob@northwind.dev"}]}"#;

fn explain(more: &[&str]) -> super::Ran {
    let policy = root("policies/default.yaml");
    doorward(&[&["explain", "--policy", &policy, "--target", "openai"], more].concat())
}

#[test]
fn the_whole_way_is_told_with_what_nearly_fits() {
    let ran = explain(&["--user", "uma", "--group", "llm-users", "/v1/chat/completions", "-d", MAIL]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    for told in [
        "openai.chat: chat, model gpt-4o",
        "user uma; groups llm-users; proven by jwt",
        "users-gpt         nearly: all but the parameter `max_tokens`",
        "power-users-long  not: the caller has none of its roles",
        "users-claude      not: it is for other targets or providers",
        "user              /messages/0/content  \"mail bob@northwind.dev\"",
        "deny, parameter.not_allowed; done: reply",
        "403",
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
    assert!(!ran.out.contains("Goes on"), "{}", ran.out);

    let ran = explain(&["--user", "pat", "--group", "llm-power-users", "/v1/chat/completions", "-d", MAIL]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    for told in [
        "power-users-long  fits",
        "found EMAIL_ADDRESS (",
        "mask by mask-pii",
        "no-secrets  applies; nothing of what it looks for was found",
        "requests-per-minute=599",
        "removed  authorization",
        "edited   /messages/0/content: \"mail bob@northwind.dev\" -> \"mail [EMAIL_ADDRESS]\"",
        r#"{"model":"gpt-4o","max_tokens":9999,"messages":[{"role":"user","content":"mail [EMAIL_ADDRESS]"}]}"#,
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
}

#[test]
fn machines_read_it_and_a_token_is_taken_for_its_claims() {
    let claims = r#"{"iss":"https://idp.example.com","aud":"llm-gateway","sub":"pat","groups":["llm-power-users"],"exp":99999999999}"#;
    let token = format!("e30.{}.c2ln", base64url(claims));
    let command = format!("curl https://gate/v1/chat/completions -H 'Authorization: Bearer {token}' -d '{MAIL}'");
    let policy = root("policies/default.yaml");
    let arguments = ["explain", "--policy", &policy, "--target", "openai", "--curl", "-", "--format", "json"];
    let ran = doorward_with(&arguments, &command, &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("signature was not checked"), "{}", ran.err);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["caller"]["user"], "pat");
    assert_eq!(told["decision"], "allow");
    assert_eq!(told["upstream"]["edits"][0]["to"], "mail [EMAIL_ADDRESS]");
    let statements = told["access"][0]["statements"].as_array().unwrap();
    let fitting: Vec<_> = statements.iter().filter(|s| s["fits"] == true).map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(fitting, ["power-users-long"]);
    assert_eq!(told["findings"][0]["statements"][0]["id"], "mask-pii");
    // One that has ended is refused as it would be.
    let ended = format!("e30.{}.c2ln", base64url(&claims.replace("99999999999", "1000")));
    let ran = doorward_with(&arguments, &command.replace(&token, &ended), &[]);
    assert_eq!(ran.code, 1);
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["reason"], "identity.expired");
}

#[test]
fn tools_and_answers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let answer = folder.path().join("answer.json");
    std::fs::write(&answer, r#"{"id":"c","object":"chat.completion","model":"gpt-5-mini","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"query","arguments":"{\"sql\":\"drop table x\"}"}}]}}]}"#).unwrap();
    let policy = root("examples/tools/policy.yaml");
    let body = r#"{"model":"gpt-5-mini","messages":[],"tools":[{"type":"function","function":{"name":"query"}},{"type":"function","function":{"name":"run_shell"}}]}"#;
    let ran = doorward(&[
        "explain",
        "--policy",
        &policy,
        "--user",
        "ann",
        "--group",
        "analysts",
        "--answer",
        answer.to_str().unwrap(),
        "/v1/chat/completions",
        "-d",
        body,
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for told in [
        "offered run_shell: taken out of the request, by no-shell",
        "called query: the call is refused, no statement allows it as it is",
        "was refused: tool.argument, /sql",
    ] {
        assert!(ran.out.contains(told), "{told}: {}", ran.out);
    }
}

#[test]
fn what_cannot_be_played_is_2() {
    for (arguments, told) in [
        (&["--policy", "no-such-file", "/v1/models"][..], "no-such-file"),
        (&["--policy", "check/unknown-key.yaml", "/v1/models"][..], "unknown key"),
        (&["--policy", "check/several.yaml", "nonsense"][..], "neither a path nor a URL"),
    ] {
        let ran = doorward(&[&["explain"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
    let policy = root("policies/default.yaml");
    let ran = doorward(&["explain", "--policy", &policy, "/v1/models"]);
    assert!(ran.code == 2 && ran.err.contains("say which with --target (openai, anthropic)"), "{}", ran.err);
    let ran = explain(&["--user", "a", "--claim", "x", "/v1/models"]);
    assert!(ran.code == 2 && ran.err.contains("NAME=VALUE"), "{}", ran.err);
}

/// Without padding (RFC 7515, section 2).
fn base64url(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}
