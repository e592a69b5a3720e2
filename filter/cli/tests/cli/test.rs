//! `doorward test`.

use std::path::Path;

use serde_json::Value;

use super::{doorward, root};

const POLICY: &str = "\
version: doorward/v1
targets: [{name: openai, cluster: openai, provider: openai}]
identity: {jwt: [{issuer: https://idp.test, audiences: doorward, jwks: {cluster: idp, authority: idp.test, path: /k}, claims: {user: sub, groups: groups}}]}
roles: {eng: {groups: eng}}
access:
- {id: engineers, effect: allow, roles: eng, models: gpt-5}
- {id: nobody, effect: deny, models: o3}
";

const CASE: &str = "\
- name: engineers may ask & get \"an answer\"
  identity: {user: ann, groups: [eng]}
  request: {path: /v1/chat/completions, json: {model: gpt-5, messages: [{role: user, content: hi}]}}
  expect: {decision: allow, rules: [engineers]}
";

/// A folder with a policy and tests of it.
fn folder(cases: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.yaml"), POLICY).unwrap();
    std::fs::write(folder.path().join("p.test.yaml"), format!("cases:\n{cases}")).unwrap();
    folder
}

fn path(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

#[test]
fn the_shipped_tests_pass_and_meet_every_statement() {
    let ran = doorward(&["test", "--covered", &root("policies"), &root("examples")]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("PASS  ") && !ran.out.contains("UNMET"), "{}", ran.out);
}

#[test]
fn what_differs_is_told_and_fails() {
    let good = folder(CASE);
    let ran = doorward(&["test", path(good.path())]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("UNMET") && ran.out.contains("`nobody` of `access`"), "{}", ran.out);
    // What no test has met fails where it is asked for.
    assert_eq!(doorward(&["test", "--covered", path(good.path())]).code, 1);

    let bad = folder(&CASE.replace("rules: [engineers]", "rules: [nobody], client: {status: 200}"));
    let ran = doorward(&["test", path(bad.path())]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("rules: expected nobody; is engineers"), "{}", ran.out);
    assert!(ran.out.contains("client status: expected `200`, is `204`"), "{}", ran.out);
    assert!(ran.out.contains("0 passed, 1 failed, 0 could not be run"), "{}", ran.out);
}

#[test]
fn packs_are_told_apart_and_thresholds_count() {
    let good = folder(CASE);
    let file = good.path().join("p.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    // A pack's statement that the policy changes is the policy's own.
    let more = "extends: [secrets@1]
sessions:
  risk: [{id: mails, detect: EMAIL_ADDRESS}]
  thresholds: [{id: never, above: 900, action: flag}, {id: once, above: 0.5, action: flag}]
";
    std::fs::write(&file, format!("{text}{more}")).unwrap();
    let told = |arguments: &[&str]| {
        let ran = doorward(&[&["test", "--covered"], arguments, &[path(good.path())]].concat());
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        ran.out
    };
    let out = told(&[]);
    assert!(out.contains("no test meets `never` of `sessions`") && out.contains("`once` of `sessions`"), "{out}");
    let packs = out.lines().filter(|line| line.starts_with("PACK  ")).collect::<Vec<_>>();
    assert!(packs.len() == 1 && packs[0].contains("0 of ") && packs[0].contains("`secrets."), "{out}");
    // A key meets the pack's statement, an address the one threshold.
    let says = |text: &str, decision: &str| {
        let case = CASE.replacen("content: hi", &format!("content: {text}"), 1).replacen("engineers may", text, 1);
        case.replace("expect: {decision: allow, rules: [engineers]}", &format!("expect: {{decision: {decision}}}"))
    };
    let cases = [says("AKIAIQ7RX4PJH6ZN2WVB", "deny"), says("jane.doe@northwind.dev", "allow")].concat();
    std::fs::write(good.path().join("p.test.yaml"), format!("cases:\n{cases}")).unwrap();
    let found: Value = serde_json::from_str(&told(&["--format", "json"])).unwrap();
    let suite = &found["suites"][0];
    assert!(suite["cases"].as_array().unwrap().iter().all(|case| case["verdict"] == "pass"), "{found:#}");
    let unmet: Vec<&str> = suite["unmet"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert!(unmet.contains(&"never") && !unmet.contains(&"once"), "{unmet:?}");
    let (all, missing) = (&suite["packs"][0]["statements"], suite["packs"][0]["unmet"].as_array().unwrap());
    assert!(missing.len() < usize::try_from(all.as_u64().unwrap()).unwrap(), "{found:#}");
}

#[test]
fn a_workload_is_proven_whoever_tells_of_it() {
    for mtls in ["from: istio", "from: xfcc, peers: spiffe://cluster.local/ns/edge/sa/gateway"] {
        let folder = folder(
            "- name: the job may ask
  identity: {workload: spiffe://cluster.local/ns/batch/sa/job}
  request: {path: /v1/chat/completions, json: {model: gpt-5, messages: [{role: user, content: hi}]}}
  expect: {decision: allow, rules: [jobs]}
",
        );
        let policy = format!(
            "version: doorward/v1
targets: [{{name: openai, cluster: openai, provider: openai}}]
identity: {{mtls: {{trust_domains: cluster.local, {mtls}}}, require: {{user: false, workload: true}}}}
roles: {{jobs: {{workloads: \"spiffe://cluster.local/ns/batch/*\"}}}}
access: [{{id: jobs, effect: allow, roles: jobs}}]
"
        );
        std::fs::write(folder.path().join("p.yaml"), policy).unwrap();
        let ran = doorward(&["test", path(folder.path())]);
        assert_eq!(ran.code, 0, "{mtls}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn what_cannot_be_played_is_no_failure_but_an_error() {
    for (case, told) in [
        (CASE.replace("completions, json", "completions, text: x, json"), "a message has one body"),
        (CASE.replace("identity: {user: ann,", "identity: {usr: ann,"), "did you mean `user`"),
        (CASE.replace("  expect: {decision: allow, rules: [engineers]}\n", ""), "it cannot fail"),
        (CASE.replace("groups: [eng]", "team: search"), "add `claims.team` to the policy"),
        (CASE.replace("  request:", "  target: azure\n  request:"), "no target `azure`; known there: `openai`"),
        (CASE.replace("identity: {user: ann, groups: [eng]}", "identity: ann"), "no `ann` among `identities`"),
        (
            CASE.replace("identity: {user: ann, groups: [eng]}", "identity: {api_key: k}"),
            "`identity.api_keys` of the policy has no `k`",
        ),
        (format!("{CASE}{CASE}"), "is there twice"),
    ] {
        let folder = folder(&case);
        let ran = doorward(&["test", path(folder.path())]);
        assert_eq!(ran.code, 2, "{told}: {}", ran.out);
        assert!(ran.out.contains("ERROR") && ran.out.contains(told), "{told}: {}", ran.out);
    }
    let broken = folder(CASE);
    std::fs::write(broken.path().join("p.yaml"), POLICY.replace("roles: eng,", "roles: enx,")).unwrap();
    let ran = doorward(&["test", path(broken.path())]);
    assert!(ran.code == 2 && ran.out.contains("did you mean `eng`?"), "{}", ran.out);
    std::fs::remove_file(broken.path().join("p.yaml")).unwrap();
    assert_eq!(doorward(&["test", path(broken.path())]).code, 2);
    assert_eq!(doorward(&["test", "no-such-place"]).code, 2);
    assert_eq!(doorward(&["test", path(tempfile::tempdir().unwrap().path())]).code, 2);
}

#[test]
fn machines_read_it_too() {
    let folder = folder(&format!("{CASE}{}", CASE.replace("may ask", "may not ask <").replace("allow", "deny")));
    let junit = folder.path().join("out.xml");
    let ran = doorward(&["test", "--format", "json", "--junit", path(&junit), path(folder.path())]);
    assert_eq!(ran.code, 1);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let suite = &told["suites"][0];
    assert_eq!(suite["cases"][0]["verdict"], "pass");
    assert_eq!(suite["cases"][1]["differs"][0], "decision: expected `deny`, is `allow`");
    assert_eq!(suite["unmet"][0]["id"], "nobody");
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");
    assert!(xml.contains("name=\"engineers may not ask &lt; &amp; get &quot;an answer&quot;\""), "{xml}");
    let ran = doorward(&["test", "--only", "NOT ask", path(folder.path())]);
    assert!(ran.code == 1 && !ran.out.contains("UNMET") && ran.out.contains("0 passed, 1 failed"), "{}", ran.out);
    assert_eq!(doorward(&["test", "--only", "nothing like it", path(folder.path())]).code, 2);
}
