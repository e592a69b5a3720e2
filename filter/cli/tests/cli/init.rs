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
        // What is there stays.
        let before = std::fs::read(&policy).unwrap();
        let again = doorward(&["init", "--yes", "--provider", "openai", "--group", "others", text(&into)]);
        assert_eq!((again.code, std::fs::read(&policy).unwrap()), (2, before));
        assert_eq!(doorward(&["init", "--yes", "--force", text(&into)]).code, 0);
        assert!(tests.is_file());
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
