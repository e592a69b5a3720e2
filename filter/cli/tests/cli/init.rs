//! `doorward init`, and `doorward schema` over every policy that is shipped.

use serde_json::Value;

use super::{doorward, root};

fn text(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_it_writes_passes_its_own_tests() {
    for (provider, more) in [
        ("openai", &[][..]),
        ("anthropic", &["--observe"]),
        ("gemini", &["--group", "R&D: \"eng\"", "--models", "gemini-2.5-flash,gemini-3*"]),
        ("vllm", &["--models", "*", "--rate", "10", "--cluster", "house-llm"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("new");
        let ran = doorward(&[&["init", "--yes", "--provider", provider, text(&into)], more].concat());
        assert_eq!(ran.code, 0, "{provider}: {}{}", ran.out, ran.err);
        let (policy, tests) = (into.join("policy.yaml"), into.join("policy.test.yaml"));
        assert_eq!(doorward(&["check", "--strict", text(&policy)]).code, 0, "{provider}");
        let ran = doorward(&["test", text(&into)]);
        assert!(ran.code == 0 && ran.out.contains("PASS"), "{provider}: {}", ran.out);
        // They hold in the other mode, too, once it is time.
        let watched = std::fs::read_to_string(&policy).unwrap();
        if watched.contains("mode: observe") {
            std::fs::write(&policy, watched.replace("mode: observe", "mode: enforce")).unwrap();
            assert_eq!(doorward(&["test", text(&into)]).code, 0, "{provider}");
        }
        // What is there stays.
        let before = std::fs::read(&policy).unwrap();
        let again = doorward(&["init", "--yes", "--provider", "openai", "--group", "others", text(&into)]);
        assert_eq!((again.code, std::fs::read(&policy).unwrap()), (2, before));
        assert_eq!(doorward(&["init", "--yes", "--force", text(&into)]).code, 0);
        assert!(tests.is_file());
    }
}

/// A cluster: name, host, and whether a route leads there.
type Cluster<'a> = (&'a str, &'a str, bool);

/// Listeners and clusters, as little as is read of them.
fn envoy(clusters: &[Cluster<'_>]) -> String {
    let mut text = "static_resources:\n  listeners:\n  - routes:\n    - {}\n".to_owned();
    for (name, _, _) in clusters.iter().filter(|(_, _, routed)| *routed) {
        text += &format!("    - {{match: {{prefix: /}}, route: {{cluster: {name}}}}}\n");
    }
    text += "  clusters:\n";
    for (name, host, _) in clusters {
        let address = format!("{{socket_address: {{address: {host}, port_value: 443}}}}");
        text += &format!(
            "  - name: {name}\n    load_assignment: {{endpoints: [{{lb_endpoints: [{{endpoint: {{address: {address}}}}}]}}]}}\n"
        );
    }
    text
}

#[test]
fn the_cluster_is_the_one_that_leads_to_the_provider() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.yaml");
    let llm = ("way-out", "api.anthropic.com", true);
    let web = ("web", "www.example.com", true);
    let keys = ("sign-on", "login.example.com", false);
    let init = |clusters: &[Cluster<'_>], more: &[&str]| {
        std::fs::write(&file, envoy(clusters)).unwrap();
        let into = folder.path().join("new");
        let ran = doorward(&[&["init", "--yes", "--force", "--envoy", text(&file), text(&into)], more].concat());
        (ran, std::fs::read_to_string(into.join("policy.yaml")).unwrap_or_default())
    };
    // By its host, whatever else routes lead to; and the issuer's keys are where it is said, through a cluster that leads there.
    let at = ["--issuer", "https://login.example.com/t/", "--jwks", "https://login.example.com/t/keys"];
    let (ran, policy) = init(&[web, llm, keys], &at);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for line in [
        r#"- {name: "way-out", cluster: "way-out", provider: anthropic}"#,
        r#"jwks: {cluster: "sign-on", authority: "login.example.com", path: "/t/keys"}"#,
        r#"issuer: "https://login.example.com/t/""#,
        "claude-*",
    ] {
        assert!(policy.contains(line), "{line} in\n{policy}");
    }
    // A provider under another name: the one cluster that routes lead to.
    let (ran, policy) = init(&[("llm", "llm.example.com", true), keys], &["--provider", "vllm"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(policy.contains(r#"cluster: "llm", provider: vllm"#) && policy.contains(r#"cluster: "idp""#), "{policy}");
    // What is not clear is asked for.
    let second = ("second", "api.anthropic.com", true);
    let other = ("llm", "llm.example.com", true);
    let cases: [(&[Cluster<'_>], &[&str], &str); 5] = [
        (&[web, other], &[], "name one with --cluster"),
        (&[llm, second], &[], "name one with --cluster"),
        (&[keys], &[], "name one of `sign-on` with --cluster"),
        (&[llm], &["--cluster", "way-in"], "no cluster of"),
        (&[llm], &["--jwks", "http://login.example.com/keys"], "is no https:// URL"),
    ];
    for (clusters, more, said) in cases {
        let (ran, _) = init(clusters, more);
        assert!(ran.code == 2 && ran.err.contains(said), "{said}: {} {}", ran.code, ran.err);
    }
}

#[test]
fn what_makes_no_policy_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("new");
    let ran = doorward(&["init", "--yes", "--audience", "", text(&into)]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(!into.exists() && !ran.err.is_empty());
}

/// Every policy that is shipped or made fits the schema, and what the filter would not read does not.
#[test]
fn the_schema_takes_what_the_filter_takes() {
    let ran = doorward(&["schema"]);
    assert_eq!(ran.code, 0);
    let schema: Value = serde_json::from_str(&ran.out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let read = |path: &str| -> Value { serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() };
    let mut taken = 0;
    for entry in std::fs::read_dir(root("examples")).unwrap() {
        let path = entry.unwrap().path().join("policy.yaml");
        if path.is_file() {
            let wrong: Vec<String> =
                validator.iter_errors(&read(text(&path))).map(|e| format!("{e} at {}", e.instance_path())).collect();
            assert_eq!(wrong, Vec::<String>::new(), "{}", path.display());
            taken += 1;
        }
    }
    for path in ["policies/default.yaml", "tests/src/bench/policy.yaml"] {
        let wrong: Vec<String> =
            validator.iter_errors(&read(&root(path))).map(|e| format!("{e} at {}", e.instance_path())).collect();
        assert_eq!(wrong, Vec::<String>::new(), "{path}");
    }
    assert!(taken >= 8);
    for file in [
        "unknown-key",
        "missing-version",
        "missing-provider",
        "unknown-value",
        "inline-secret",
        "boolean-for-text",
        "unknown-api",
    ] {
        let path = format!("{}/tests/check/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
        assert!(!validator.is_valid(&read(&path)), "{file} is taken");
    }
}
