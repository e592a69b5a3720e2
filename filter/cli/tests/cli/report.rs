//! `doorward report`: figures, what cannot be read, and texts that want to be more than texts.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Ran, doorward, doorward_with};

fn line(changes: Value) -> String {
    let mut line = json!({"time": "2026-11-02T10:00:00.000Z", "method": "POST", "status": 200, "doorward.decision": "allow",
        "doorward.action": "pass", "doorward.user": "alice", "doorward.team": "search", "doorward.target": "openai",
        "doorward.rules": "staff", "doorward.auth": "jwt", "gen_ai.request.model": "gpt-5", "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": "1000", "gen_ai.usage.output_tokens": "10", "doorward.cost": "0.0026 USD",
        "doorward.policy": "p", "doorward.policy.digest": "00", "route": null});
    for (key, value) in changes.as_object().unwrap() {
        line[key] = value.clone();
    }
    line.to_string()
}

fn log() -> Vec<String> {
    vec![
        line(json!({})),
        line(
            json!({"time": "2026-10-31T23:59:59.999Z", "doorward.cost": "1 USD", "gen_ai.request.model": "gpt-5-mini"}),
        ),
        line(
            json!({"doorward.user": "bob", "doorward.team": "legal", "doorward.cost": null, "doorward.decision": "deny",
            "doorward.action": "reply", "doorward.reason": "limit.tokens", "doorward.rules": "day",
            "doorward.limit.remaining": "day=7,money=0.5"}),
        ),
        line(json!({"doorward.decision": "deny", "doorward.action": "observe", "doorward.reason": "content.denied",
            "doorward.observed": "no-cards", "doorward.findings": "in:CREDIT_CARD/flag=2,out:EMAIL_ADDRESS/mask=1",
            "doorward.tools": "called:a/b/refuse=3,offered:send_mail/remove=1", "doorward.anomaly": "tokens,denials"})),
        json!({"time": "2026-11-02T10:00:00Z", "sni": "api.openai.com", "client": "10.0.0.7:999"}).to_string(),
        json!({"time": "2026-11-02T10:00:00Z", "sni": "example.com", "client": "10.0.0.7:999"}).to_string(),
        json!({"time": "2026-11-02T10:00:00Z", "method": "GET", "status": 503, "details": "wasm_fail_stream"})
            .to_string(),
    ]
}

fn reported(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {} {}", ran.out, ran.err))
}

fn report(lines: &[String], arguments: &[&str]) -> Value {
    let ran = doorward_with(&[&["report", "--format", "json", "-"], arguments].concat(), &lines.join("\n"), &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    reported(&ran)
}

/// `[key..., the member]` of a table's rows.
fn rows(report: &Value, table: &str, member: &str) -> Vec<Vec<Value>> {
    let rows = report["tables"][table]["rows"].as_array().unwrap();
    rows.iter().map(|row| [row["key"].as_array().unwrap().as_slice(), &[row[member].clone()]].concat()).collect()
}

#[test]
fn figures_are_those_of_the_lines() {
    let found = report(&log(), &[]);
    let totals = json!({"requests": 4, "denied": 1, "observed": 1, "input_tokens": 4000, "output_tokens": 40,
        "cached_tokens": 0, "reasoning_tokens": 0, "estimated": 0, "cost": {"USD": "1.0052"}});
    assert_eq!(found["totals"], totals);
    assert_eq!(found["distinct"]["users"], json!({"count": 2, "exact": true, "standard_error": 0.0}));
    assert_eq!(
        (&found["findings"], &found["lines"]["unrecorded"], &found["lines"]["connections"]),
        (&json!(3), &json!(1), &json!(2))
    );
    assert_eq!(found["period"]["first"], "2026-10-31T23:59:59Z");
    for (table, member, expected) in [
        ("teams", "cost", json!([["search", {"USD": "1.0052"}], ["legal", {}]])),
        (
            "team_models",
            "requests",
            json!([["search", "gpt-5-mini", 1], ["search", "gpt-5", 2], ["legal", "gpt-5", 1]]),
        ),
        (
            "team_months",
            "requests",
            json!([["2026-10", "search", 1], ["2026-11", "search", 2], ["2026-11", "legal", 1]]),
        ),
        ("denials", "requests", json!([["content.denied", "observe", 1], ["limit.tokens", "reply", 1]])),
        ("limit_refusals", "denied", json!([["day", "limit.tokens", 1]])),
        ("limits", "lowest", json!([["day", 7.0], ["money", 0.5]])),
        ("rules", "requests", json!([["staff", 3], ["day", 1]])),
        ("observed", "observed", json!([["no-cards", 1]])),
        ("findings", "count", json!([["CREDIT_CARD", "in", "flag", 2], ["EMAIL_ADDRESS", "out", "mask", 1]])),
        ("tools", "count", json!([["a/b", "called", "refuse", 3], ["send_mail", "offered", "remove", 1]])),
        ("unusual_callers", "requests", json!([["alice", "denials", 1], ["alice", "tokens", 1]])),
        ("ungoverned", "count", json!([["api.openai.com", "openai", "10.0.0.7", 1]])),
        ("unrecorded", "requests", json!([["wasm_fail_stream", "(none)", 1]])),
    ] {
        assert_eq!(json!(rows(&found, table, member)), expected, "{table}");
    }
    assert_eq!(found["tables"]["teams"]["missing"], 0);
}

#[test]
fn a_time_can_be_asked_for() {
    for (arguments, requests, outside) in [
        (&["--since", "2026-11-01"][..], 3, 1),
        (&["--until", "2026-11-01"], 1, 6),
        (&["--since", "2026-10-31T23:59:59Z", "--until", "2026-11-02T10:00:00Z"], 1, 6),
        (&["--since", "2027-01-01"], 0, 7),
    ] {
        let found = report(&log(), arguments);
        assert_eq!(
            (&found["totals"]["requests"], &found["lines"]["outside_period"]),
            (&json!(requests), &json!(outside)),
            "{arguments:?}"
        );
    }
    for wrong in [&["--since", "yesterday"][..], &["--since", "2026-11-02", "--until", "2026-11-02"]] {
        let ran = doorward(&[&["report", "-"], wrong].concat());
        assert!(ran.code == 2 && ran.err.contains("--since"), "{}", ran.err);
    }
}

#[test]
fn broken_lines_are_counted_and_named_and_packed_logs_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    let mut encoder = GzEncoder::new(fs::File::create(&path).unwrap(), Compression::fast());
    let whole = log().join("\n");
    // The proxy's own words between, and the last line as a crash leaves it.
    let half: String = whole.chars().take(100).collect();
    write!(encoder, "[info] starting\n{whole}\n\n{half}").unwrap();
    encoder.finish().unwrap();
    let name = path.to_str().unwrap();
    let ran = doorward(&["report", "--format", "json", name]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains(&format!("{name}:1: not an object of JSON")), "{}", ran.err);
    assert!(ran.err.contains(&format!("{name}:10: cut off (byte 100)")), "{}", ran.err);
    let found = reported(&ran);
    assert_eq!((&found["totals"]["requests"], &found["lines"]["broken"]), (&json!(4), &json!(2)));
    // What is packed may be cut off, too: what came before it counts, and nobody is told that all is well.
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 12]).unwrap();
    let ran = doorward(&["report", "--format", "json", name, "no-such-log"]);
    assert!(
        ran.code == 2 && ran.err.contains("no-such-log") && ran.err.contains("what was read counts"),
        "{}",
        ran.err
    );
    assert!(reported(&ran)["totals"]["requests"].as_u64() > Some(0));
    assert_eq!(doorward_with(&["report", "-"], "", &[]).code, 2);
}

#[test]
fn hostile_input_keeps_to_its_memory() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("log");
    let mut out = std::io::BufWriter::new(fs::File::create(&path).unwrap());
    writeln!(out, "{}", line(json!({}))).unwrap();
    // A line of 100 MB, then names that nobody has twice, as long as records have them.
    out.write_all(b"{\"doorward.user\":\"").unwrap();
    (0..100).for_each(|_| out.write_all(&[b'x'; 1 << 20]).unwrap());
    writeln!(out, "\"}}").unwrap();
    for i in 0..60_000 {
        let name = format!("{i}{}", "y".repeat(900));
        writeln!(out, "{}", line(json!({"doorward.user": name, "gen_ai.request.model": name, "doorward.team": name})))
            .unwrap();
    }
    writeln!(out, "{}", line(json!({}))).unwrap();
    drop(out);
    let script =
        format!("ulimit -v 200000; exec {} report --format json {}", env!("CARGO_BIN_EXE_doorward"), path.display());
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains(":2: longer than 1 MiB (104857620 bytes)"), "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["totals"]["requests"], 60_002);
    let users = &found["tables"]["users"];
    let listed: u64 = users["rows"].as_array().unwrap().iter().map(|row| row["requests"].as_u64().unwrap()).sum();
    assert_eq!(listed + users["rest"]["requests"].as_u64().unwrap(), 60_002);
    assert!(users["missing"].as_u64() > Some(0) && found["distinct"]["users"]["exact"] == false);
    let count = found["distinct"]["users"]["count"].as_f64().unwrap();
    assert!((count - 60_001.0).abs() < 60_001.0 * 0.04, "{count}");
}

#[test]
fn texts_stay_texts() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let names = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "=cmd|'/c calc'!A1",
        "J%C3%B6rg",
        "a%E2%80%AEb",
        "</style><b>",
    ];
    let lines: Vec<String> = names
        .iter()
        .map(|name| line(json!({"doorward.user": name, "doorward.team": name, "doorward.cost": "1 <i>"})))
        .collect();
    let ran = doorward_with(
        &["report", "--out", &file("a.html"), "--out", &file("a.json"), "-o", &file("a.csv"), "-"],
        &lines.join("\n"),
        &[],
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(!ran.out.contains('\u{202e}') && ran.out.contains("Jörg"), "{}", ran.out);
    let page = fs::read_to_string(file("a.html")).unwrap();
    for forbidden in
        ["<script", "<img", "<i>", "<b>", "http://", "https://", "url(", "\u{202e}", " style=", " onerror=alert(1)>\""]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("Jörg"));
    let policy = page.split("content=\"default-src 'none'; style-src 'sha256-").nth(1).unwrap();
    assert!(policy.split('"').next().unwrap().ends_with("base-uri 'none'; form-action 'none'"));
    let table = fs::read_to_string(file("a.csv")).unwrap();
    assert!(table.contains(",'=cmd|'/c calc'!A1,") && !table.contains(",=cmd"), "{table}");
    // All forms hold the same.
    let whole: Value = serde_json::from_str(&fs::read_to_string(file("a.json")).unwrap()).unwrap();
    assert_eq!(whole["tables"]["users"]["rows"].as_array().unwrap().len(), names.len());
    assert_eq!(table.lines().filter(|line| line.starts_with("users,")).count(), names.len());
    let ran = doorward(&["report", "--out", "a.pdf", "-"]);
    assert!(ran.code == 2 && ran.err.contains(".html, .json and .csv"), "{}", ran.err);
}

#[test]
fn statements_of_packs_are_evidence_for_their_controls() {
    let folder = TempDir::new().unwrap();
    let policy = folder.path().join("policy.yaml");
    let text = "version: doorward/v1
name: p
extends: [pci-dss@1]
targets: [{name: openai, cluster: c, provider: openai}]
identity: {mtls: {trust_domains: [td]}, require: {user: false, workload: true}}
access:
- {id: staff, effect: allow}
";
    fs::write(&policy, text).unwrap();
    let policy = policy.to_str().unwrap();
    let packs: Value = serde_json::from_str(&doorward(&["packs", "--format", "json", "pci-dss"]).out).unwrap();
    let statement = packs.pointer("/0/content/0").or_else(|| packs.pointer("/content/0")).unwrap();
    let (id, control) = (statement["id"].as_str().unwrap(), statement["controls"][0].as_str().unwrap());
    let acted =
        line(json!({"doorward.rules": format!("staff,{id}"), "doorward.decision": "deny", "doorward.action": "reply"}));
    let found = report(&[acted, line(json!({"doorward.observed": id})), line(json!({}))], &["--policy", policy]);
    let controls = &found["controls"];
    assert_eq!((&controls["policy"], &controls["exchanges"], &controls["others"]), (&json!("p"), &json!(0), &json!(3)));
    let evidence = controls["evidence"].as_array().unwrap();
    let row = evidence.iter().find(|row| row["control"] == control && row["statement"] == id).unwrap();
    assert_eq!(
        (&row["acted"], &row["denied"], &row["observed"], &row["pack"]),
        (&json!(1), &json!(1), &json!(1), &json!("pci-dss@1"))
    );
    assert_eq!(
        (&row["section"], &row["mode"], &row["last"]),
        (&json!("content"), &json!("enforce"), &json!("2026-11-02T10:00:00Z"))
    );
    // What never acted is there as well: that is evidence, too.
    assert!(evidence.iter().any(|row| row["acted"] == 0 && row["first"].is_null()));
    assert!(evidence.iter().all(|row| row["statement"].as_str().unwrap().starts_with("pci-dss.")), "{evidence:?}");
    // Under this very policy: records name its digest.
    let digest = controls["digest"].as_str().unwrap();
    let under = [line(json!({"doorward.policy.digest": digest})), line(json!({}))];
    let found = report(&under, &["--policy", policy]);
    assert_eq!((&found["controls"]["exchanges"], &found["controls"]["others"]), (&json!(1), &json!(1)));
    assert_eq!(found["controls"]["first"], "2026-11-02T10:00:00Z");
    fs::write(folder.path().join("unknown.yaml"), text.replace("pci-dss@1", "pci@9")).unwrap();
    let ran = doorward(&["report", "--policy", folder.path().join("unknown.yaml").to_str().unwrap(), "-"]);
    assert!(ran.code == 2 && ran.err.contains("pci"), "{}", ran.err);
}

#[test]
fn statements_of_a_policys_own_are_evidence_for_the_controls_that_they_name() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let text = "version: doorward/v1
name: p
extends: [pci-dss@1]
targets: [{name: openai, cluster: c, provider: openai}]
identity: {mtls: {trust_domains: [td]}, require: {user: false, workload: true}}
access:
- {id: staff, effect: allow, controls: [CC6.1, A.9.4.1]}
content:
- {id: no-keys, detect: secrets, action: deny, controls: \"GDPR Art. 32\"}
- {id: plain, detect: injection, action: flag}
- {id: pci-dss.cards, controls: [HOUSE 7, PCI]}
limits:
- {id: day, requests: 10, window: 1d, mode: observe, controls: SOC2 A1.1}
routes:
- {id: inside, to: {target: openai}, when: {roles: any}, controls: ROUTE 1}
roles: {any: {workloads: \"*\"}}
sessions:
  risk: [{id: leaks, detect: secrets, controls: RISK 1}]
  thresholds: [{id: hot, above: 5, action: deny, controls: RISK 2}]
anomaly:
  actions: [{id: slow, action: throttle, controls: RISK 3}]
candidate:
  access: [{id: staff-next, effect: allow, controls: NEXT 1}]
";
    let packs: Value = serde_json::from_str(&doorward(&["packs", "--format", "json", "pci-dss"]).out).unwrap();
    let statement = packs.pointer("/0/content/0").or_else(|| packs.pointer("/content/0")).unwrap();
    let (id, theirs) = (statement["id"].as_str().unwrap(), statement["controls"][0].as_str().unwrap());
    let text =
        text.replace("pci-dss.cards, controls: [HOUSE 7, PCI]", &format!("{id}, controls: [HOUSE 7, {theirs:?}]"));
    let policy = file("policy.yaml", &text);
    // To name a pack's statement and add a control to it makes nothing weaker.
    let ran = doorward(&["check", &policy]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let denied = line(json!({"doorward.rules": "no-keys", "doorward.decision": "deny", "doorward.action": "reply"}));
    let log = [denied, line(json!({"doorward.rules": "staff,hot", "doorward.observed": "day"})), line(json!({}))];
    let evidence = |policy: &str| {
        let found = report(&log, &["--policy", policy]);
        found["controls"]["evidence"].as_array().unwrap().clone()
    };
    let all = evidence(&policy);
    let own: Vec<_> = all
        .iter()
        .filter(|row| row["pack"].is_null())
        .map(|row| {
            json!([
                row["control"],
                row["section"],
                row["statement"],
                row["mode"],
                row["acted"],
                row["denied"],
                row["observed"]
            ])
        })
        .collect();
    assert_eq!(
        json!(own),
        json!([
            ["A.9.4.1", "access", "staff", "enforce", 2, 0, 0],
            ["CC6.1", "access", "staff", "enforce", 2, 0, 0],
            ["GDPR Art. 32", "content", "no-keys", "enforce", 1, 1, 0],
            ["HOUSE 7", "content", id, "enforce", 0, 0, 0],
            ["RISK 1", "sessions", "leaks", "enforce", 0, 0, 0],
            ["RISK 2", "sessions", "hot", "enforce", 1, 0, 0],
            ["RISK 3", "anomaly", "slow", "enforce", 0, 0, 0],
            ["ROUTE 1", "routes", "inside", "enforce", 0, 0, 0],
            ["SOC2 A1.1", "limits", "day", "observe", 0, 0, 1],
        ])
    );
    // What the pack says already is the pack's, and told once.
    let both: Vec<_> = all.iter().filter(|row| row["control"] == theirs && row["statement"] == id).collect();
    assert!(both.len() == 1 && both[0]["pack"] == "pci-dss@1", "{both:?}");
    let observing = evidence(&file("observing.yaml", &format!("mode: observe\n{text}")));
    assert!(observing.iter().all(|row| row["mode"] == "observe"), "{observing:?}");
    for (wrong, said) in [
        ("[]", "an empty list"),
        ("[CC6.1, CC6.1]", "access[0].controls[1]"),
        ("[\"a\\tb\"]", "access[0].controls[0]"),
        ("{id: CC6.1}", "access[0].controls"),
        (&format!("[{}]", (0..33).map(|i| format!("C{i}")).collect::<Vec<_>>().join(", ")), "more than 32 controls"),
    ] {
        let ran = doorward(&["check", &file("wrong.yaml", &text.replace("[CC6.1, A.9.4.1]", wrong))]);
        let all = format!("{}{}", ran.out, ran.err);
        assert!(ran.code != 0 && all.contains(said), "{wrong}: {all}");
    }
}

#[test]
fn more_hosts_can_be_told() {
    let folder = TempDir::new().unwrap();
    let hosts = folder.path().join("hosts");
    fs::write(&hosts, "# our own\nexample.com internal\n").unwrap();
    let found = report(&log(), &["--llm-hosts", hosts.to_str().unwrap()]);
    let expected = json!([["api.openai.com", "openai", "10.0.0.7", 1], ["example.com", "internal", "10.0.0.7", 1]]);
    assert_eq!(json!(rows(&found, "ungoverned", "count")), expected);
}
