use super::*;
use crate::engine::Engine;

/// A policy around `rest`.
fn policy(rest: &str) -> Tree {
    let text = format!(
        r#"{{"version":"doorward/v1","targets":[{{"name":"t","cluster":"c","provider":"openai"}}],
            "identity":{{"mtls":{{"trust_domains":["td"]}},"require":{{"user":false,"workload":true}}}},
            "access":[{{"id":"all","effect":"allow"}}]{rest}}}"#
    );
    tree_from_json(&text).unwrap()
}

fn compile(rest: &str) -> Result<Engine, Vec<Problem>> {
    Engine::compile(&policy(rest), &|name| Some(format!("{name}-is-a-key-of-more-than-32-bytes-in-tests")))
}

const KEYS: &str =
    r#","redaction":{"tokenize_key":{"env":"T"}},"audit":{"key":{"env":"A"},"chain":{"key":{"env":"C"}}}"#;

fn refused(rest: &str) -> String {
    compile(rest).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_pack_compiles_alone_and_all_together() {
    for pack in Pack::all() {
        let name = pack.reference();
        let engine = compile(&format!(r#","extends":"{name}"{KEYS}"#)).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert_eq!((engine.packs(), engine.weakened()), (name.as_str(), ""));
    }
    let all: Vec<String> = Pack::all().iter().map(|p| format!("\"{}\"", p.reference())).collect();
    assert_eq!(all.len(), 9);
    compile(&format!(r#","extends":[{}]{KEYS}"#, all.join(","))).unwrap();
}

#[test]
fn a_pack_adds_its_statements_behind_the_policys_own() {
    let own = r#","extends":["secrets@1","pii@1"],"content":[{"id":"mine","detect":"CREDIT_CARD","action":"deny"}]"#;
    let tree = extend(&policy(own)).unwrap().unwrap().tree;
    let Some(Tree::List(content)) = tree.get("content") else { panic!("{tree:?}") };
    let ids: Vec<_> = content.iter().filter_map(|s| s.get("id")).collect();
    assert_eq!(ids.first(), Some(&&Tree::String("mine".into())));
    assert!(ids.contains(&&Tree::String("secrets.keys".into())) && ids.contains(&&Tree::String("pii.contact".into())));
    // What is for people stays outside of the filter.
    assert!(content.iter().all(|s| s.get("controls").is_none() && s.get("why").is_none()));
    assert!(extend(&policy("")).unwrap().is_none());
}

#[test]
fn what_a_policy_says_lies_over_the_packs() {
    let stricter = r#","extends":"pii@1","content":[{"id":"pii.contact","action":"deny"}]"#;
    let tree = extend(&policy(stricter)).unwrap().unwrap().tree;
    let Some(Tree::List(content)) = tree.get("content") else { panic!("{tree:?}") };
    let contact: Vec<_> = content.iter().filter(|s| s.get("id") == Some(&Tree::String("pii.contact".into()))).collect();
    assert_eq!(contact.len(), 1);
    assert_eq!(contact[0].get("action"), Some(&Tree::String("deny".into())));
    assert!(matches!(contact[0].get("detect"), Some(Tree::List(all)) if all.len() > 3));
    assert_eq!(compile(stricter).unwrap().weakened(), "");
}

#[test]
fn what_weakens_says_so() {
    for change in [
        r#""action":"flag""#,
        r#""action":"tokenize""#,
        r#""mode":"observe""#,
        r#""detect":"EMAIL_ADDRESS""#,
        r#""direction":"request""#,
        r#""channels":["user"]"#,
        r#""roles":"staff""#,
        r#""targets":"t""#,
        r#""action":"flag","stream":"tail""#,
    ] {
        let with = |more: &str| {
            format!(
                r#","roles":{{"staff":{{"groups":"s"}}}},"redaction":{{"tokenize_key":{{"env":"T"}}}},
                   "extends":"pii@1","content":[{{"id":"pii.contact",{change}{more}}}]"#
            )
        };
        let said = refused(&with(""));
        assert!(said.contains("content[0].") && said.contains("add `weakens: true`"), "{change}: {said}");
        assert_eq!(compile(&with(r#","weakens":true"#)).unwrap().weakened(), "pii.contact", "{change}");
    }
    // More is looked for, or sooner: nobody has to say anything.
    for change in [r#""detect":["pii","health"]"#, r#""stream":"hold_all""#, r#""placeholder":"preserve""#] {
        let rest = format!(r#","extends":"pii@1","content":[{{"id":"pii.contact",{change}}}]"#);
        assert_eq!(compile(&rest).unwrap().weakened(), "", "{change}");
    }
}

#[test]
fn limits_denials_and_settings_are_not_weakened_unsaid() {
    let extends = r#","extends":"owasp-llm-2025@1""#;
    let limit = |rest: &str| format!(r#"{extends},"limits":[{{"id":"owasp-llm-2025.requests",{rest}}}]"#);
    assert_eq!(compile(&limit(r#""requests":60"#)).unwrap().weakened(), "");
    for rest in [r#""requests":6000"#, r#""per":"all""#, r#""mode":"observe""#, r#""models":"x""#, r#""window":"1s""#] {
        assert!(refused(&limit(rest)).contains("weaker than the pack's"), "{rest}");
        let said = compile(&limit(&format!(r#"{rest},"weakens":true"#))).unwrap();
        assert_eq!(said.weakened(), "owasp-llm-2025.requests", "{rest}");
    }
    let answers = r#","answers":{"model_mismatch":"allow"}"#;
    assert!(refused(&format!("{extends}{answers}")).contains("answers.model_mismatch"));
    let said = r#","answers":{"model_mismatch":"allow","weakens":true}"#;
    assert_eq!(compile(&format!("{extends}{said}")).unwrap().weakened(), "answers.model_mismatch");
    assert_eq!(compile(&format!(r#"{extends},"answers":{{"note_bytes":1}}"#)).unwrap().weakened(), "");
    let denial = |more: &str| {
        let text = format!(
            r#"{{"version":"doorward/v1","targets":[{{"name":"t","cluster":"c","provider":"openai"}}],
                "identity":{{"mtls":{{"trust_domains":["td"]}},"require":{{"user":false,"workload":true}}}},
                "extends":"owasp-llm-2025@1",
                "access":[{{"id":"owasp-llm-2025.training","effect":"deny","models":"none"{more}}}]}}"#
        );
        Engine::compile(&tree_from_json(&text).unwrap(), &|_| None)
    };
    assert!(denial("").is_err());
    assert_eq!(denial(r#","weakens":true"#).unwrap().weakened(), "owasp-llm-2025.training");
}

#[test]
fn weakens_means_a_packs_statement() {
    let rest = r#","content":[{"id":"mine","detect":"pii","action":"mask","weakens":true}]"#;
    assert!(refused(rest).contains("content[0].weakens"));
    assert!(refused(&format!(r#"{rest},"extends":"pii@1""#)).contains("no pack that this policy extends"));
}

#[test]
fn packs_are_named_with_their_version() {
    for (name, said) in [
        ("gdpr", "write `gdpr@1`"),
        ("gdpr@9", "this filter has `gdpr@1`"),
        ("gdpr@01", "this filter has `gdpr@1`"),
        ("gpdr@1", "did you mean `gdpr@1`"),
        ("something-else-entirely@1", "this filter has `eu-ai-act@1`, `gdpr@1`"),
    ] {
        let problem = refused(&format!(r#","extends":["{name}"]"#));
        assert!(problem.starts_with("extends[0]: ") && problem.contains(said), "{name}: {problem}");
    }
    assert!(refused(r#","extends":["pii@1","pii@1"]"#).contains("twice"));
    assert!(compile(r#","extends":[1]"#).is_err() && compile(r#","extends":{}"#).is_err());
}

#[test]
fn what_a_pack_needs_is_asked_for() {
    let problem = refused(r#","extends":"eu-ai-act@1""#);
    assert!(
        problem.contains("audit.key: the pack `eu-ai-act@1` needs") && problem.contains("audit.chain"),
        "{problem}"
    );
    assert!(refused(r#","extends":"gdpr@1""#).contains("redaction.tokenize_key"));
}

#[test]
fn a_detector_of_a_pack_is_nobody_elses() {
    let rest = r#","extends":"hipaa@1","detectors":{"patterns":[{"name":"HIPAA_DATE","pattern":"never"}]}"#;
    assert!(refused(rest).contains("detectors.patterns[0]"));
}

#[test]
fn the_digest_covers_what_packs_say() {
    let one = compile(r#","extends":"secrets@1""#).unwrap();
    let other = compile(r#","extends":"pii@1""#).unwrap();
    let none = compile("").unwrap();
    assert!(one.digest() != other.digest() && one.digest() != none.digest());
    // The same statements written out are another document.
    assert_eq!(compile(r#","extends":["secrets@1"]"#).unwrap().packs(), "secrets@1");
}
