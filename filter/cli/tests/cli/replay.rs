//! `doorward replay`.

use serde_json::{Value, json};

use super::doorward_with;

const BEFORE: &str = "\
version: doorward/v1
targets: [{name: openai, cluster: openai, provider: openai}]
identity: {jwt: [{issuer: https://idp.test, audiences: doorward, jwks: {cluster: idp, authority: idp.test, path: /k}, claims: {user: sub, groups: groups, team: team}}]}
roles: {eng: {groups: eng}, sales: {groups: sales}}
access:
- {id: engineers, effect: allow, roles: eng, models: \"gpt-5*\"}
- {id: capped, effect: allow, roles: sales, models: gpt-5-mini, parameters: {max_tokens: {max: 10}}}
content:
- {id: people, detect: EMAIL_ADDRESS, action: mask}
";

fn folder(next: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("before.yaml"), BEFORE).unwrap();
    std::fs::write(folder.path().join("next.yaml"), next).unwrap();
    folder
}

fn replay(next: &str, lines: &[Value]) -> (i32, Value) {
    let folder = folder(next);
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let (next, before) = (at("next.yaml"), at("before.yaml"));
    let arguments = ["replay", "--policy", &next, "--against", &before, "--format", "json", "-"];
    let ran = doorward_with(&arguments, &input, &[]);
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err)))
}

fn record(more: &Value) -> Value {
    let mut line = json!({"doorward.decision": "allow", "doorward.target": "openai", "doorward.api": "openai.chat",
        "doorward.path": "/v1/chat/completions", "gen_ai.request.model": "gpt-5", "doorward.user": "ann", "doorward.team": "search",
        "doorward.roles": "eng", "doorward.auth": "jwt", "doorward.reason": "-"});
    for (key, value) in more.as_object().unwrap() {
        line[key] = value.clone();
    }
    line
}

fn exchange(text: &str) -> Value {
    json!({"identity": {"user": "ann", "groups": ["eng"], "team": "search"},
        "request": {"path": "/v1/chat/completions", "json": {"model": "gpt-5", "messages": [{"role": "user", "content": text}]}}})
}

#[test]
fn exchanges_go_through_both_policies() {
    let denies = BEFORE.replace(
        "{id: people, detect: EMAIL_ADDRESS, action: mask}",
        "{id: no-people, detect: EMAIL_ADDRESS, action: deny}",
    );
    let lines = [exchange("nobody"), exchange("bob@northwind.dev"), exchange("eve@northwind.dev")];
    let (code, told) = replay(&denies, &lines);
    assert_eq!((code, &told["same"], told["changes"].as_array().unwrap().len()), (1, &json!(1), 1));
    assert_eq!(
        told["changes"][0],
        json!({"from": "allow", "to": "deny (content.denied)", "statements": ["no-people"],
        "teams": {"search": 2}, "count": 2})
    );
    let hashes = BEFORE.replace("action: mask", "action: flag");
    let (_, told) = replay(&hashes, &lines[..2]);
    assert_eq!(told["changes"][0]["to"], "the request goes on otherwise");
    assert_eq!(replay(BEFORE, &lines), (0, json!({"read": 3, "unread": 0, "same": 3, "changes": [], "untold": []})));
}

#[test]
fn records_are_judged_by_what_they_say() {
    let next = BEFORE.replace("\"gpt-5*\"", "gpt-5-mini").replace("action: mask", "action: deny");
    let (code, told) = replay(
        &next,
        &[
            record(&json!({})),
            record(&json!({"gen_ai.request.model": "gpt-5-mini"})),
            record(&json!({"gen_ai.request.model": "gpt-5-mini", "doorward.findings": "in:EMAIL_ADDRESS/mask=1"})),
        ],
    );
    assert_eq!((code, &told["same"]), (1, &json!(1)), "{told:#}");
    let changes: Vec<_> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["to"].as_str().unwrap(), c["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(changes, [("deny (content.denied)", 1), ("deny (model.not_allowed)", 1)]);
}

#[test]
fn what_a_record_cannot_tell_is_said() {
    let channels =
        BEFORE.replace("detect: EMAIL_ADDRESS, action: mask", "detect: EMAIL_ADDRESS, action: deny, channels: user");
    let (code, told) = replay(
        &channels,
        &[
            record(&json!({"doorward.findings": "in:EMAIL_ADDRESS/mask=1"})),
            record(&json!({"doorward.roles": "sales", "gen_ai.request.model": "gpt-5-mini"})),
            record(&json!({"doorward.target": "gone"})),
            record(&json!({"doorward.decision": "deny", "doorward.reason": "limit.requests"})),
            json!({"unrelated": 1}),
        ],
    );
    assert_eq!((code, &told["same"], &told["unread"]), (0, &json!(0), &json!(1)), "{told:#}");
    let whys: Vec<&str> = told["untold"].as_array().unwrap().iter().map(|u| u["why"].as_str().unwrap()).collect();
    for part in ["looks into some channels only", "`capped` hangs on parameters", "no target `gone`", "limit.requests"]
    {
        assert!(whys.iter().any(|why| why.contains(part)), "{part}: {whys:?}");
    }
}
