//! `doorward key`, and that core takes what it makes.

use std::collections::HashSet;

use doorward_core::config::{Path, from_tree, tree_from_json};
use doorward_core::head::Headers;
use doorward_core::host::MemoryHost;
use doorward_core::identity::{Identity, IdentityDocument, Keys, Outcome, Presented, take};
use serde_json::{Value, json};

use super::doorward;

/// 2026-06-15T12:00:00Z.
const NOW: u64 = 1_781_524_800_000;

fn authenticate(entry: &Value, key: &str) -> Outcome {
    let document = json!({"api_keys": [entry]}).to_string();
    let tree = tree_from_json(&document).unwrap();
    let document: IdentityDocument = from_tree(&tree, &Path::root()).unwrap();
    let identity = Identity::compile(&document, &|_| None, &Path::root()).unwrap();
    let headers = Headers::new([("authorization".to_owned(), format!("Bearer {key}").into_bytes())]);
    let credential = take(&headers, &identity.take_options(false)).unwrap();
    let mut keys = Keys::new(&identity, "test");
    identity.authenticate(
        &mut keys,
        Presented { credential, headers: &headers },
        NOW,
        None,
        &mut MemoryHost::default(),
        &mut Vec::new(),
    )
}

#[test]
fn a_minted_key_proves_who_it_was_made_for() {
    let ran = doorward(&[
        "key",
        "--id",
        "search",
        "--user",
        "svc",
        "--group",
        "eng",
        "--group",
        "no",
        "--team",
        "t",
        "--purpose",
        "batch",
        "--expires",
        "2026-12-31",
        "--format",
        "json",
    ]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let mut entry: Value = serde_json::from_str(&ran.out).unwrap();
    let key = entry.as_object_mut().unwrap().remove("key").unwrap();
    let Outcome::Verified(principal) = authenticate(&entry, key.as_str().unwrap()) else { panic!("refused") };
    assert_eq!(principal.user.as_deref(), Some("svc"));
    assert_eq!(principal.groups, ["eng", "no"]);
    assert_eq!(principal.team.as_deref(), Some("t"));
    assert_eq!(principal.purpose.as_deref(), Some("batch"));
    let other = doorward(&["key", "--user", "svc", "--format", "json"]);
    let other: Value = serde_json::from_str(&other.out).unwrap();
    assert!(matches!(authenticate(&entry, other["key"].as_str().unwrap()), Outcome::Refused(_)));
}

#[test]
fn the_entry_goes_into_a_policy_as_it_is() {
    let ran =
        doorward(&["key", "--user", "Ann \"A\" Lee", "--group", "no", "--group", "a: b", "--expires", "2999-01-01"]);
    assert_eq!(ran.code, 0);
    let key = ran.err.lines().find(|line| line.starts_with("dw_")).expect("the key on standard error");
    assert!(!ran.out.contains(key), "{}", ran.out);
    assert!(ran.err.contains("shown once"), "{}", ran.err);
    let policy = format!(
        "version: doorward/v1\ntargets: [{{name: a, cluster: a, provider: x}}]\nidentity:\n  api_keys:\n{}\
         access: [{{id: all, effect: allow}}]\ncontent: [{{id: x, detect: pii, action: flag}}]\n",
        ran.out
    );
    let checked = super::doorward_with(&["check", "--strict", "-"], &policy, &[]);
    assert_eq!(checked.code, 0, "{policy}\n{}", checked.out);
}

#[test]
fn keys_differ() {
    let keys: HashSet<String> = (0..20)
        .map(|_| {
            let ran = doorward(&["key", "--user", "a", "--format", "json"]);
            serde_json::from_str::<Value>(&ran.out).unwrap()["key"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(keys.len(), 20);
}

#[test]
fn what_no_policy_would_take_is_refused_with_a_remedy() {
    for (arguments, said) in [
        (&["--expires", "tomorrow"][..], "--expires: not a date (write `2026-12-31`"),
        (&["--id", "a\nb"], "error: "),
        (&["--user", ""], "error: "),
    ] {
        let ran = doorward(&[&["key"], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(said) && !ran.err.contains("dw_"), "{arguments:?}: {}", ran.err);
    }
}
