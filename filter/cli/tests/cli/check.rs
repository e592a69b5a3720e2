//! `doorward check`.
//!
//! Each file of `tests/check` has beside it, in a `.txt`, what is said about it. `UPDATE=1 cargo test -p doorward-cli`
//! writes these files again; look at the difference before committing it.

use serde_json::Value;

use super::{doorward, doorward_with, here, root};

fn cases() -> Vec<String> {
    let files = std::fs::read_dir(here().join("check")).unwrap();
    let names = files.map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with(".txt")).collect();
    names.sort();
    names
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let cases = cases();
    assert!(cases.len() >= 17, "{cases:?}");
    for name in cases {
        let ran = doorward(&["check", &format!("check/{name}")]);
        let said = format!("{}{}exit code {}\n", ran.out, ran.err, ran.code);
        let golden = here().join(format!("check/{name}.txt"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&golden, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(said, expected, "{name}");
    }
}

#[test]
fn json_says_the_same_as_text() {
    for name in cases() {
        let file = format!("check/{name}");
        let ran = doorward(&["check", "--format", "json", &file]);
        let Value::Array(issues) = serde_json::from_str(&ran.out).unwrap() else { panic!("{}", ran.out) };
        assert!(!issues.is_empty(), "{name}");
        let text = doorward(&["check", &file]);
        assert_eq!(ran.code, text.code);
        let errors = issues.iter().filter(|i| i["severity"] == "error").count();
        assert_eq!(errors > 0, ran.code == 1, "{name}");
        for issue in &issues {
            let place = format!(
                "--> {}:{}:{} ({})",
                issue["file"].as_str().unwrap(),
                issue["line"],
                issue["column"],
                issue["path"].as_str().unwrap()
            );
            assert!(text.out.contains(&place), "{place} in {}", text.out);
            assert!(text.out.contains(issue["message"].as_str().unwrap()));
        }
    }
}

#[test]
fn sound_files_are_clean_even_strictly() {
    for (file, policies) in [("sound/envoy.yaml", 1), ("sound/envoyfilter.yaml", 1)] {
        let key = [("DOORWARD_TEST_KEY", "0123456789abcdef0123456789abcdef")];
        let ran = doorward_with(&["check", "--strict", file], "", &key);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
        assert_eq!(ran.out.lines().filter(|l| l.starts_with("ok ")).count(), policies, "{}", ran.out);
        assert_eq!(ran.out.lines().count(), policies, "{}", ran.out);
    }
}

#[test]
fn the_default_policy_is_clean() {
    let ran = doorward(&["check", "--strict", "--format", "json", &root("policies/default.yaml")]);
    assert_eq!((ran.code, ran.out.trim(), ran.err.as_str()), (0, "[]", ""));
}

#[test]
fn the_configurations_of_examples_are_clean_and_record_what_is_shipped() {
    let shipped: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(root("envoy/access-log.json")).unwrap()).unwrap();
    for example in ["onprem", "egress"] {
        let path = root(&format!("examples/{example}/envoy.yaml"));
        let ran = doorward(&["check", "--strict", &path]);
        assert_eq!((ran.code, ran.out.lines().count(), ran.err.as_str()), (0, 1, ""), "{}", ran.out);
        let config: serde_json::Value = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let hcm = &config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
        assert_eq!(hcm["access_log"][0]["typed_config"]["log_format"]["json_format"], shipped, "{example}");
    }
}

#[test]
fn warnings_fail_only_a_strict_check() {
    assert_eq!(doorward(&["check", "check/warnings.yaml"]).code, 0);
    assert_eq!(doorward(&["check", "--strict", "check/warnings.yaml"]).code, 1);
}

#[test]
fn a_file_that_cannot_be_read_is_2_and_the_others_are_checked() {
    let ran = doorward(&["check", "check/none.yaml", "check/unknown-key.yaml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("cannot read `check/none.yaml`"), "{}", ran.err);
    assert!(ran.out.contains("did you mean `access`?"), "{}", ran.out);
}

#[test]
fn standard_input_is_a_file() {
    let text = std::fs::read_to_string(here().join("check/unknown-key.yaml")).unwrap();
    let ran = doorward_with(&["check", "-"], &text, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("--> -:4:1 (acess)"), "{}", ran.out);
}

#[test]
fn secrets_are_taken_where_they_are_and_stood_in_for_where_not() {
    let file = "sound/envoy.yaml";
    let without = doorward(&["check", "--strict", file]);
    assert_eq!(without.code, 0);
    assert!(without.out.contains("note: checked without the values of `DOORWARD_TEST_KEY`"), "{}", without.out);

    let short = doorward_with(&["check", file], "", &[("DOORWARD_TEST_KEY", "hunter2hunter2")]);
    assert_eq!(short.code, 1);
    assert!(short.out.contains("shorter than 32 bytes"), "{}", short.out);
    assert!(!short.out.contains("hunter2"), "{}", short.out);

    let directory = tempfile::tempdir().unwrap();
    let env = directory.path().join("test.env");
    std::fs::write(&env, "# secrets\nDOORWARD_TEST_KEY=0123456789abcdef0123456789abcdef\n").unwrap();
    let from_file = doorward(&["check", "--env-file", env.to_str().unwrap(), file]);
    assert_eq!((from_file.code, from_file.out.contains("note:")), (0, false), "{}", from_file.out);
}

#[test]
fn yaml_json_and_envoy_give_one_digest() {
    let digest = |file: &str| {
        let ran = doorward(&["check", file]);
        ran.out.split("digest ").nth(1).unwrap_or_else(|| panic!("{}", ran.out)).trim().to_owned()
    };
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let yaml = write(
        "a.yaml",
        "version: doorward/v1\ntargets:\n- name: a\n  cluster: a\n  provider: x\nidentity:\n  mtls: {trust_domains: b}\n  \
         require: {user: no, workload: yes}\naccess: [{id: all, effect: allow, parameters: {n: {max: 0x10}}}]\n\
         content: [{id: x, detect: pii, action: flag}]\n",
    );
    let json = r#"{"content":[{"id":"x","detect":"pii","action":"flag"}],"version":"doorward/v1",
        "targets":[{"provider":"x","name":"a","cluster":"a"}],
        "identity":{"mtls":{"trust_domains":"b"},"require":{"user":false,"workload":true}},
        "access":[{"id":"all","effect":"allow","parameters":{"n":{"max":16.0}}}]}"#;
    let expected = digest(&yaml);
    assert_eq!(digest(&write("a.json", json)), expected);
    let envoy = serde_json::json!({"config": {
        "name": "doorward", "allow_on_headers_stop_iteration": true,
        "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json},
    }});
    assert_eq!(digest(&write("envoy.json", &envoy.to_string())), expected);
}
