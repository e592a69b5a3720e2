//! The `detectors:` document: what it does, and what it refuses.

use super::super::{Group, Selection};
use super::{Budget, builtin, compile, detectors, exact, findings, found};
use crate::config::Path;

#[test]
fn patterns() {
    let detectors = detectors(
        r#"{"patterns": [
            {"name": "EMPLOYEE", "group": "pii", "pattern": "\\bEMP-\\d{6}\\b"},
            {"name": "CUSTOMER", "pattern": "\\d{8}", "context": ["customer", "Kunde"], "within": 20},
            {"name": "LOYALTY", "pattern": "[0-9 ]{12,20}", "check": "luhn", "score": 0.7},
            {"name": "TICKET", "pattern": "(?i)tick-[a-z]+", "score": 0.3},
            {"name": "LINE", "pattern": "(?m)^secret.*$"}
        ], "thresholds": {"TICKET": 0.2}}"#,
    );
    for (text, names, expected) in [
        ("EMP-123456, xEMP-123456, EMP-1234567", "EMPLOYEE", vec!["EMPLOYEE:EMP-123456"]),
        ("EMP-123456", "pii", vec!["EMPLOYEE:EMP-123456"]),
        ("EMP-12EMP-123456", "EMPLOYEE", vec![]),
        ("12345678", "CUSTOMER", vec![]),
        ("customer 12345678", "CUSTOMER", vec!["CUSTOMER:12345678"]),
        ("12345678 (KUNDE)", "CUSTOMER", vec!["CUSTOMER:12345678"]),
        ("customers 12345678", "CUSTOMER", vec![]),
        ("customer                      12345678", "CUSTOMER", vec![]),
        ("4556737586899855", "LOYALTY", vec!["LOYALTY:4556737586899855"]),
        ("4556737586899856", "LOYALTY", vec![]),
        ("TICK-abc tick-DEF", "TICKET", vec!["TICKET:TICK-abc", "TICKET:tick-DEF"]),
        ("a\nsecret x\nb", "LINE", vec!["LINE:secret x"]),
        ("not secret", "LINE", vec![]),
    ] {
        assert_eq!(found(&detectors, &[names], text), expected, "{text}");
    }
}

#[test]
fn patterns_are_found_wherever_slices_end() {
    let detectors = detectors(
        r#"{"patterns": [{"name": "word", "pattern": "\\b[a-z]{3}\\d{3}\\b"}, {"name": "start", "pattern": "^abc"}, {"name": "run", "pattern": "z+"}]}"#,
    );
    for place in (1000..1050).chain(2030..2070) {
        let text = format!("{} abc123 {}", "é".repeat(place / 2), ".".repeat(3000));
        assert_eq!(found(&detectors, &["word"], &text), ["word:abc123"], "{place}");
        assert!(found(&detectors, &["start"], &text).is_empty());
    }
    // Longer than a match may be: nothing of it is left unseen.
    let all = findings(&detectors, &["run"], &"z".repeat(5000));
    let covered: usize = all.iter().map(|f| f.end - f.start).sum();
    assert_eq!(covered, 5000);
}

#[test]
fn dictionaries() {
    let detectors = detectors(
        r#"{"dictionaries": [
            {"name": "projects", "words": ["Falcon", "blue moon", ".NET", "C++", "Ärger"], "group": "business"},
            {"name": "exact", "words": ["IT", "Mañana"], "case_sensitive": true},
            {"name": "anywhere", "words": ["secret", "ßx"], "whole_words": false},
            {"name": "chinese", "words": ["机密"]},
            {"name": "chinese_exact", "words": ["机密A"], "case_sensitive": true}
        ]}"#,
    );
    for (text, name, expected) in [
        ("falcon FALCON Falcons", "projects", vec!["projects:falcon", "projects:FALCON"]),
        ("the falcon's", "projects", vec!["projects:falcon"]),
        ("falcon_x xfalcon éfalcon", "projects", vec![]),
        ("falcon\u{2019}s \u{201c}falcon\u{201d}", "projects", vec!["projects:falcon", "projects:falcon"]),
        ("Blue\n  Moon, bluemoon", "projects", vec!["projects:Blue\n  Moon"]),
        ("blue blue moon", "projects", vec!["projects:blue moon"]),
        ("use .net and C++!", "projects", vec!["projects:.net", "projects:C++"]),
        ("ÄRGER ärger", "projects", vec!["projects:ÄRGER", "projects:ärger"]),
        ("IT it It", "exact", vec!["exact:IT"]),
        ("Mañana mañana", "exact", vec!["exact:Mañana"]),
        ("topsecretS", "anywhere", vec!["anywhere:secret"]),
        ("aSECRETsecretb", "anywhere", vec!["anywhere:SECRET", "anywhere:secret"]),
        ("这是机密文件", "chinese", vec!["chinese:机密"]),
        ("机密a 机密A", "chinese_exact", vec!["chinese_exact:机密A"]),
        ("falcon", "business", vec!["projects:falcon"]),
    ] {
        assert_eq!(found(&detectors, &[name], text), expected, "{text}");
    }
    assert_eq!(found(&detectors, &["custom"], "IT secret falcon").len(), 2);
}

#[test]
fn what_overlaps_within_a_dictionary_is_one_finding() {
    let detectors = detectors(r#"{"dictionaries": [{"name": "d", "words": ["red blue", "blue green", "blue"]}]}"#);
    assert_eq!(found(&detectors, &["d"], "red blue green"), ["d:red blue green"]);
}

#[test]
fn the_policys_own_kinds_stand_beside_others() {
    let detectors = detectors(r#"{"dictionaries": [{"name": "rival", "words": ["acme"]}]}"#);
    assert_eq!(found(&detectors, &["all"], "bob@acme.com"), ["EMAIL_ADDRESS:bob@acme.com", "rival:acme"]);
}

#[test]
fn thresholds_and_allow_lists() {
    let detectors = detectors(
        r#"{"thresholds": {"US_SSN": 0.2, "EMAIL_ADDRESS": 1.0},
            "allow": [{"type": "IP_ADDRESS", "values": ["10.*", "8.8.8.8"]}, {"values": "4556737586899855"}]}"#,
    );
    assert_eq!(found(&detectors, &["all"], "bob@acme.com"), [""; 0]);
    assert_eq!(found(&detectors, &["all"], "078-05-1120"), ["US_SSN:078-05-1120"]);
    assert_eq!(found(&detectors, &["all"], "10.2.3.4 8.8.8.8 9.9.9.9"), ["IP_ADDRESS:9.9.9.9"]);
    assert_eq!(found(&detectors, &["all"], "4556737586899855"), [""; 0]);
    assert_eq!(found(&detectors, &["all"], "4556 7375 8689 9855").len(), 1);
}

#[test]
fn checks_of_own_patterns() {
    for (check, length, right, wrong) in [
        ("luhn", 11, "79927398713", "79927398714"),
        ("mod97", 20, "5493001KJTIIGC8Y1R12", "5493001KJTIIGC8Y1R13"),
        ("mod11_10", 11, "86095742719", "86095742718"),
        ("verhoeff", 4, "2363", "2364"),
    ] {
        let pattern = format!("[0-9A-Z]{{{length}}}");
        let json = format!(r#"{{"patterns": [{{"name": "own", "pattern": "{pattern}", "check": "{check}"}}]}}"#);
        let detectors = detectors(&json);
        assert_eq!(found(&detectors, &["own"], right).len(), 1, "{check}");
        assert!(found(&detectors, &["own"], wrong).is_empty(), "{check}");
    }
}

#[test]
fn selections() {
    let detectors = detectors(
        r#"{"patterns": [{"name": "internal_key", "group": "secrets", "pattern": "ik_\\d+"}], "dictionaries": [{"name": "d", "words": ["x"]}]}"#,
    );
    let select = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        detectors.select(&names, &Path::root().key("content").index(0).key("detectors")).map_err(|p| p.to_string())
    };
    let count = |s: &Selection| detectors.kinds().filter(|(id, _)| s.contains(*id)).count();
    let everything = detectors.kinds().count();
    // What an answer must not carry out is asked for by name.
    assert_eq!(count(&select(&["all"]).unwrap()), everything - 4 - 5 - 1);
    assert_eq!(count(&select(&["exfiltration"]).unwrap()), 4);
    assert_eq!(count(&select(&["business"]).unwrap()), 5);
    assert_eq!(count(&select(&["all", "exfiltration", "business", "injection"]).unwrap()), everything);
    let in_group = |group: Group| detectors.kinds().filter(|(_, kind)| kind.group == group).count();
    for group in [Group::Pii, Group::Financial, Group::Health] {
        assert_eq!(count(&select(&[group.as_str()]).unwrap()), in_group(group));
    }
    assert_eq!(count(&select(&["injection"]).unwrap()), 2);
    assert_eq!(count(&select(&["custom"]).unwrap()), 1);
    // What lets somebody in and is no key, without the policy's own.
    assert_eq!(count(&select(&["secrets"]).unwrap()) + 3, count(&select(&["credentials"]).unwrap()) + 1);
    assert_eq!(count(&select(&["internal_key", "US_SSN", "US_SSN"]).unwrap()), 2);
    assert!(select(&[]).unwrap().is_empty());
    let both = select(&["US_SSN"]).unwrap().union(&select(&["d"]).unwrap());
    assert_eq!(count(&both), 2);
    assert_eq!(
        select(&["pii", "EMAIL_ADRESS"]).unwrap_err(),
        "content[0].detectors[1]: unknown detector `EMAIL_ADRESS` (help: did you mean `EMAIL_ADDRESS`?)"
    );
    assert!(select(&["email_address"]).unwrap_err().contains("did you mean `EMAIL_ADDRESS`"));
    assert!(select(&["internalkey"]).unwrap_err().contains("did you mean `internal_key`"));
    assert_eq!(detectors.kind(detectors.kinds().last().unwrap().0).name, "d");
    assert_eq!(detectors.kinds().find(|(_, k)| k.name == "internal_key").unwrap().1.group, Group::Secrets);
}

#[test]
fn mistakes_say_where_and_what_to_do() {
    for (json, expected) in [
        (r#"{"patern": []}"#, "detectors.patern: unknown key `patern` (help: did you mean `patterns`?)"),
        (r#"{"patterns": [{"name": "x"}]}"#, "detectors.patterns[0]: the key `pattern` is missing"),
        (r#"{"patterns": [{"name": "x", "pattern": "("}]}"#, "detectors.patterns[0].pattern: not a pattern: "),
        (
            r#"{"patterns": [{"name": "x", "pattern": "a*"}]}"#,
            "detectors.patterns[0].pattern: the pattern matches the empty text",
        ),
        (
            r#"{"patterns": [{"name": "x", "pattern": "a{1000}{1000}"}]}"#,
            "detectors.patterns[0].pattern: not a pattern: ",
        ),
        (
            r#"{"patterns": [{"name": "x", "pattern": "a", "score": 1.5}]}"#,
            "detectors.patterns[0].score: 1.5 is not a score",
        ),
        (
            r#"{"patterns": [{"name": "x", "pattern": "a", "check": "lun"}]}"#,
            "detectors.patterns[0].check: unknown value `lun` (help: did you mean `luhn`?)",
        ),
        (
            r#"{"patterns": [{"name": "x", "pattern": "a", "context": ["b", " "]}]}"#,
            "detectors.patterns[0].context[1]: an empty word",
        ),
        (r#"{"patterns": [{"name": "x", "pattern": "a", "within": 0}]}"#, "detectors.patterns[0].within: 0 bytes"),
        (
            r#"{"patterns": [{"name": "x", "pattern": "a", "group": "pi"}]}"#,
            "detectors.patterns[0].group: unknown value `pi` (help: did you mean `pii`?)",
        ),
        (
            r#"{"patterns": [{"name": "1x", "pattern": "a"}]}"#,
            "detectors.patterns[0].name: `1x` cannot name a detector",
        ),
        (
            r#"{"patterns": [{"name": "credit_card", "pattern": "a"}]}"#,
            "detectors.patterns[0].name: `credit_card` is a built-in detector",
        ),
        (
            r#"{"patterns": [{"name": "all", "pattern": "a"}]}"#,
            "detectors.patterns[0].name: `all` is the name of a group",
        ),
        (
            r#"{"patterns": [{"name": "x", "pattern": "a"}], "dictionaries": [{"name": "x", "words": ["a"]}]}"#,
            "detectors.dictionaries[0].name: `x` names two detectors",
        ),
        (
            r#"{"dictionaries": [{"name": "x", "words": []}]}"#,
            "detectors.dictionaries[0].words: a dictionary without words",
        ),
        (
            r#"{"dictionaries": [{"name": "x", "words": ["a", " "]}]}"#,
            "detectors.dictionaries[0].words[1]: an empty word",
        ),
        (
            r#"{"dictionaries": [{"name": "x", "words": ["!!"]}]}"#,
            "detectors.dictionaries[0].words[0]: `!!` has no letter or digit",
        ),
        (r#"{"thresholds": {"EMAIL": 0.5}}"#, "detectors.thresholds.EMAIL: unknown type `EMAIL`"),
        (r#"{"thresholds": {"US_SSN": 2}}"#, "detectors.thresholds.US_SSN: 2 is not a score"),
        (
            r#"{"allow": [{"type": "US_SSM", "values": ["x"]}]}"#,
            "detectors.allow[0].type: unknown type `US_SSM` (help: did you mean `US_SSN`?)",
        ),
        (
            r#"{"links": {"hosts": ["a.com", "https://b.com"]}}"#,
            "detectors.links.hosts[1]: `https://b.com` is no host (help: name a host",
        ),
        (r#"{"links": {"hosts": ["a.com:443"]}}"#, "detectors.links.hosts[0]: `a.com:443` is no host"),
        (r#"{"links": {"host": ["a.com"]}}"#, "detectors.links.host: unknown key `host` (help: did you mean `hosts`?)"),
        (
            r#"{"canaries": [{"env": "CANARY"}, {"env": "NONE"}]}"#,
            "detectors.canaries[1]: the environment variable `NONE` is not set (help: add it to vm_config",
        ),
        (
            r#"{"canaries": [{"env": "SHORT"}]}"#,
            "detectors.canaries[0]: the canary in `SHORT` is shorter than 8 characters (help: for example",
        ),
        (r#"{"canaries": ["Zx9-Kanarie"]}"#, "detectors.canaries[0]: a secret is given by reference"),
        (r#"{"allow": [{"values": []}]}"#, "detectors.allow[0].values: an empty list"),
        (r#"{"allow": [{"values": [""]}]}"#, "detectors.allow[0].values[0]: an empty value"),
    ] {
        let problem = compile(json).err().unwrap_or_else(|| panic!("{json} compiled"));
        assert!(problem.starts_with(expected), "{json}\n got {problem}\nwant {expected}");
    }
}

#[test]
fn an_empty_selection_costs_and_finds_nothing() {
    let detectors = builtin();
    let mut out = Vec::new();
    let mut budget = Budget::new(0);
    detectors.scan("bob@acme.com", &Selection::default(), &mut budget, &mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn listed_values() {
    let customers = exact("CUSTOMER", &["C-1234-567", "998877", "DE 12 34 56"]);
    let detectors = detectors(&format!(r#"{{"exact": [{customers}]}}"#));
    for (text, expected) in [
        ("ask c1234567 now", vec!["CUSTOMER:c1234567"]),
        ("C-1234-567, C.1234/567; c-1234-568", vec!["CUSTOMER:C-1234-567", "CUSTOMER:C.1234/567"]),
        ("99 88 77", vec!["CUSTOMER:99 88 77"]),
        ("9 9 8 8 7 7", vec![]),
        ("99  8877", vec![]),
        ("DE-12-34-56", vec!["CUSTOMER:DE-12-34-56"]),
        ("998877-01", vec!["CUSTOMER:998877"]),
        ("0998877 9988770", vec![]),
        ("é998877é", vec!["CUSTOMER:998877"]),
        ("", vec![]),
    ] {
        assert_eq!(found(&detectors, &["CUSTOMER"], text), expected, "{text}");
    }
    // What is tried is charged.
    let selection = detectors.select(&["CUSTOMER".to_owned()], &Path::root()).unwrap();
    let text = "123456 ".repeat(1000);
    assert!(detectors.scan(&text, &selection, &mut Budget::new(1000), &mut Vec::new()).is_err());
    assert!(detectors.scan("no number here", &selection, &mut Budget::new(0), &mut Vec::new()).is_ok());
    for (list, expected) in [
        (r#"{"name": "X", "key": {"env": "NONE"}, "least": 5, "most": 9, "digests": "AAAAAAAAAAA="}"#, "exact[0].key"),
        (
            r#"{"name": "X", "key": {"env": "SHORT"}, "least": 5, "most": 9, "digests": "AAAAAAAAAAA="}"#,
            "shorter than 32",
        ),
        (r#"{"name": "X", "key": {"env": "EXACT"}, "least": 5, "most": 9, "digests": "AAAA"}"#, "exact[0].digests[0]"),
        (
            r#"{"name": "X", "key": {"env": "EXACT"}, "least": 1, "most": 9, "digests": "AAAAAAAAAAA="}"#,
            "exact[0].least",
        ),
        (
            r#"{"name": "X", "key": {"env": "EXACT"}, "least": 9, "most": 5, "digests": "AAAAAAAAAAA="}"#,
            "exact[0].least",
        ),
    ] {
        let problem = compile(&format!(r#"{{"exact": [{list}]}}"#)).unwrap_err();
        assert!(problem.contains(expected), "{problem}");
    }
}
