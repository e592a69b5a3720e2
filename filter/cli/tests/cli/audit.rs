//! `doorward verify`, `find`, `erase` and `packs`, over logs as the filter writes them.

use std::io::Write as _;
use std::path::PathBuf;

use doorward_core::audit::text::{TextKey, written};
use doorward_core::config::tree_from_json;
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Time};
use doorward_core::host::MemoryHost;
use serde_json::{Map, Value, json};

use super::{doorward, doorward_with};

const CHAIN: (&str, &str) = ("DOORWARD_CHAIN_KEY", "a-key-of-chains-of-more-than-32-bytes");
const AUDIT: (&str, &str) = ("DOORWARD_AUDIT_KEY", "a-key-of-audits-of-more-than-32-bytes");

/// Records of one worker as lines of an access log, and its checkpoints as lines of Envoy's.
fn written_log(records: usize) -> (Vec<Value>, Vec<String>) {
    let policy = json!({
        "version": "doorward/v1", "targets": [{"name": "t", "cluster": "c", "provider": "openai"}],
        "identity": {"mtls": {"trust_domains": ["td"]}, "require": {"user": false, "workload": true}},
        "audit": {"chain": {"key": {"env": "C"}, "checkpoint_records": 4}},
    });
    let tree = tree_from_json(&policy.to_string()).unwrap();
    let engine = Engine::compile(&tree, &|_| Some(CHAIN.1.to_owned())).unwrap();
    let (mut worker, mut host) = (Worker::new(&engine), MemoryHost::default());
    let (mut lines, mut checkpoints) = (Vec::new(), Vec::new());
    for n in 0..records {
        let mut effects = Vec::new();
        let at = Time((1_800_000_000 + n as u64) * 1_000_000_000);
        let done = Event::Done { spent_us: n as u64 };
        let _ = Exchange::new(1).on(done, at, &engine, &mut worker, &mut host, &mut effects);
        for effect in effects {
            match effect {
                Effect::Record(values) => {
                    let mut line: Map<String, Value> =
                        values.into_iter().map(|(k, v)| (k.to_owned(), json!(v))).collect();
                    // As Envoy writes what is absent, and fields of its own.
                    line.insert("doorward.user".into(), Value::Null);
                    line.insert("doorward.team".into(), json!("-"));
                    line.insert("status".into(), json!(200));
                    lines.push(Value::Object(line));
                }
                Effect::Checkpoint(line) => {
                    checkpoints.push(format!("[2027-01-15 08:00:00][7][info][wasm] wasm log doorward: {line}"))
                }
                _ => {}
            }
        }
    }
    (lines, checkpoints)
}

fn file(lines: &[impl ToString]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for line in lines {
        writeln!(file, "{}", line.to_string()).unwrap();
    }
    file
}

fn verify(arguments: &[&str], lines: &[impl ToString]) -> (i32, String) {
    let file = file(lines);
    let all: Vec<&str> = ["verify"].iter().chain(arguments).copied().chain([file.path().to_str().unwrap()]).collect();
    let ran = doorward_with(&all, "", &[CHAIN]);
    (ran.code, ran.out + &ran.err)
}

fn texts(lines: &[Value], more: &[String]) -> Vec<String> {
    lines.iter().map(Value::to_string).chain(more.iter().cloned()).collect()
}

#[test]
fn what_was_written_verifies_in_any_order() {
    let (mut lines, checkpoints) = written_log(9);
    assert_eq!(checkpoints.len(), 2);
    let (code, out) = verify(&["--whole"], &texts(&lines, &checkpoints));
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("9 records, 0 to 8, 2 checkpoints") && out.contains("9 records verified"), "{out}");
    lines.reverse();
    lines.swap(1, 6);
    assert_eq!(verify(&["--whole"], &texts(&lines, &checkpoints)).0, 0);
    // Another worker beside it, and lines of other listeners.
    let more: Vec<String> = texts(&lines, &["{\"status\": 200}".to_owned(), "not json".to_owned()]);
    assert_eq!(verify(&[], &more).0, 0);
}

#[test]
fn alteration_removal_and_repetition_show() {
    let (lines, checkpoints) = written_log(9);
    let with = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        let (code, out) = verify(&["--whole"], &texts(&lines, &checkpoints));
        assert_eq!(code, 1, "{out}");
        out
    };
    assert!(with(&|l| l[3]["doorward.decision"] = json!("allow")).contains("record 3 was altered"));
    assert!(with(&|l| l[3]["doorward.user"] = json!("alice")).contains("record 3 was altered"));
    assert!(
        with(&|l| drop(l[3].as_object_mut().unwrap().remove("doorward.duration_us"))).contains("record 3 was altered")
    );
    assert!(with(&|l| drop(l.remove(3))).contains("records 3 to 3 are missing"));
    assert!(with(&|l| drop(l.drain(2..5))).contains("records 2 to 4 are missing"));
    assert!(with(&|l| l.push(l[3].clone())).contains("record 3 is here twice"));
    assert!(with(&|l| drop(l.remove(0))).contains("begins at record 1"));
    // Cut off at the end: the checkpoint of eight records tells.
    assert!(with(&|l| l.truncate(6)).contains("records 6 to 7 are missing at the end"));
    let (code, out) = verify(&[], &texts(&lines[..6], &[]));
    assert!(code == 0 && out.contains("would not show"), "{out}");
    let bent = checkpoints[1].replace(".8.", ".6.");
    assert!(verify(&[], &texts(&lines, &[bent])).1.contains("checkpoint was altered"));
    // Stripped of its link, a record leaves a gap.
    assert!(
        with(&|l| drop(l[3].as_object_mut().unwrap().remove("doorward.chain"))).contains("records 3 to 3 are missing")
    );
    let other = [(CHAIN.0, "another-key-of-chains-of-more-than-32")];
    let file = file(&lines);
    let ran = doorward_with(&["verify", file.path().to_str().unwrap()], "", &other);
    assert!(ran.code == 1 && ran.out.contains("another key"), "{}", ran.out);
}

#[test]
fn zipped_logs_verify_and_a_machine_reads_the_outcome() {
    let (lines, checkpoints) = written_log(5);
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zip.write_all(texts(&lines, &checkpoints).join("\n").as_bytes()).unwrap();
    let mut file = tempfile::Builder::new().suffix(".gz").tempfile().unwrap();
    file.write_all(&zip.finish().unwrap()).unwrap();
    let ran = doorward_with(&["verify", "--format", "json", file.path().to_str().unwrap()], "", &[CHAIN]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &told["records"], &told["problems"]), (0, &json!(5), &json!([])));
}

#[test]
fn nothing_to_verify_is_no_verdict() {
    assert_eq!(verify(&[], &["{\"status\": 200}"]).0, 2);
    assert_eq!(verify(&["--key-env", "DOORWARD_TEST_UNSET"], &["{}"]).0, 2);
    let short = doorward_with(&["verify", "-"], "", &[(CHAIN.0, "short")]);
    assert!(short.code == 2 && short.err.contains("shorter than 32"), "{}", short.err);
}

#[test]
fn what_is_erased_is_gone_and_the_rest_verifies() {
    let (mut lines, checkpoints) = written_log(5);
    lines[1]["doorward.decision"] = json!("allow");
    let log = file(&lines);
    let arguments = [
        "erase",
        "--where",
        "doorward.policy=default",
        "--field",
        "doorward.duration_us",
        log.path().to_str().unwrap(),
    ];
    let ran = doorward_with(&arguments, "", &[CHAIN]);
    // The line that was altered is not made to look sound.
    assert!(ran.code == 1 && ran.err.contains("4 fields erased") && ran.err.contains("1 lines"), "{}", ran.err);
    let left: Vec<String> = ran.out.lines().map(str::to_owned).collect();
    assert_eq!(left.len(), 5);
    assert!(left[0].contains("erased:") && !left[0].contains("\"doorward.duration_us\":\"0\""));
    let sound: Vec<String> = left.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, l)| l.clone()).collect();
    let (code, out) = verify(&[], &[sound.clone(), checkpoints].concat());
    assert!(
        code == 1
            && out.contains("records 1 to 1 are missing")
            && out.contains("4 records verified, 4 erased fields, 1 problems"),
        "{out}"
    );
    // Whoever puts another's commitment there is found out.
    let forged = sound[1].replacen("erased:", "erased:0", 1);
    assert!(verify(&[], &[forged]).1.contains("altered"));
    let wrong = doorward_with(&["erase", "--where", "alice", "--field", "doorward.user", "-"], "", &[CHAIN]);
    assert!(wrong.code == 2 && wrong.err.contains("doorward.user=alice"), "{}", wrong.err);
    let own = doorward_with(&["erase", "--where", "a=b", "--field", "doorward.chain", "-"], "", &[CHAIN]);
    assert_eq!(own.code, 2);
}

#[test]
fn who_sent_a_text_is_found_without_it() {
    let digest = |text: &str| written(TextKey::new(AUDIT.1.as_bytes()).digest(text).unwrap());
    let secret = "the merger closes on Friday";
    let line = |user: &str, sent: &str, got: &str| {
        json!({"time": "2027-01-15T08:00:00Z", "doorward.policy.digest": "0123456789abcdef", "doorward.user": user,
            "doorward.texts.in": format!("{},{}", digest("an earlier turn"), digest(sent)), "doorward.texts.out": digest(got)})
    };
    let log = file(&[
        line("bob", "something else", secret),
        line("alice", secret, "I will not tell"),
        line("carol", "nothing of it", "no, nothing"),
    ]);
    let path = log.path().to_str().unwrap();
    let text: PathBuf = file(&["  the merger\n closes  on Friday"]).into_temp_path().keep().unwrap();
    let find = |more: &[&str]| doorward_with(&[&["find"], more].concat(), "", &[AUDIT]);
    let ran = find(&["--key-env", AUDIT.0, "--text", text.to_str().unwrap(), path]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(
        lines.len() == 2
            && lines[0].contains(":1: received")
            && lines[1].contains(":2: sent")
            && lines[1].contains("alice"),
        "{lines:?}"
    );
    let carol = find(&["--user", "carol", "--format", "json", path]);
    let told: Value = serde_json::from_str(carol.out.trim()).unwrap();
    assert_eq!((&told["line"], &told["found"]), (&json!(3), &json!("user")));
    assert_eq!(find(&["--user", "dave", path]).code, 1);
    assert_eq!(find(&[path]).code, 2);
    assert_eq!(find(&["--text", text.to_str().unwrap(), path]).code, 2);
    // A piece of a text is another text.
    let piece = doorward_with(&["find", "--key-env", AUDIT.0, "--text", "-", path], "the merger closes", &[AUDIT]);
    assert_eq!(piece.code, 1);
    std::fs::remove_file(text).unwrap();
}

#[test]
fn a_users_records_are_found_behind_their_pseudonym() {
    let key = "a-key-of-pseudonyms-of-more-than-32-bytes";
    let user = doorward_core::audit::Pseudonyms::new(key.as_bytes()).of("alice");
    let log = file(&[json!({"doorward.policy.digest": "0", "doorward.user": user})]);
    let path = log.path().to_str().unwrap();
    assert_eq!(doorward(&["find", "--user", "alice", path]).code, 1);
    let ran = doorward_with(&["find", "--user", "alice", "--user-key-env", "U", path], "", &[("U", key)]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn packs_are_listed_and_shown_with_what_they_cannot_do() {
    let list = doorward(&["packs"]);
    assert!(list.code == 0 && list.out.contains("gdpr@1") && list.out.lines().count() == 9, "{}", list.out);
    let hipaa = doorward(&["packs", "hipaa"]);
    for letter in 'A'..='R' {
        assert!(hipaa.out.contains(&format!("164.514(b)(2)(i)({letter})")), "{letter}");
    }
    assert!(hipaa.out.contains("What a proxy cannot do for it:\n  - "));
    let packs: Value = serde_json::from_str(&doorward(&["packs", "--format", "json"]).out).unwrap();
    let sourced = |s: &Value| s["controls"].as_array().is_some_and(|all| !all.is_empty());
    for pack in packs.as_array().unwrap() {
        let statements =
            ["access", "content", "limits"].map(|s| pack[s].as_array().cloned().unwrap_or_default()).concat();
        assert!(statements.len() >= 3 && statements.iter().all(sourced), "{pack}");
    }
    let none = doorward(&["packs", "gpdr"]);
    assert!(none.code == 2 && none.err.contains("gdpr@1"), "{}", none.err);
}

#[test]
fn check_says_what_a_policy_extends_and_when_its_glass_is_broken() {
    let policy = |rest: &str| {
        let text = format!(
            "version: doorward/v1\nextends: [secrets@1]\ntargets: [{{name: t, cluster: c, provider: openai}}]\n\
             identity: {{mtls: {{trust_domains: td}}, require: {{user: false, workload: true}}}}\n\
             access: [{{id: all, effect: allow}}]\n{rest}"
        );
        let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let ran = doorward(&["check", file.path().to_str().unwrap()]);
        (ran.code, ran.out + &ran.err)
    };
    let (code, out) = policy("");
    assert!(code == 0 && out.contains(", extends secrets@1") && !out.contains("warning"), "{out}");
    let (_, out) = policy("content: [{id: secrets.keys, action: flag, weakens: true}]\n");
    assert!(out.contains("weakens secrets.keys"), "{out}");
    let (code, out) = policy("content: [{id: secrets.keys, action: flag}]\n");
    assert!(code == 1 && out.contains("weaker than the pack's") && out.contains("weakens: true"), "{out}");
    let glass = |from: &str, until: &str| {
        policy(&format!("break_glass: {{from: {from}, until: {until}, reason: \"INC-7: a reason\"}}\n")).1
    };
    assert!(glass("2020-01-01", "2020-01-02").contains("it is over since 2020-01-02, and does nothing"));
    assert!(glass("2999-01-01", "2999-01-02").contains("will be enforced"));
}
