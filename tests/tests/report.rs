//! `doorward report` and the queries over logs that a real Envoy wrote, and the page in a real browser.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use doorward_e2e::envoy::{Gate, ListenerSpec};
use doorward_e2e::governed::{World, access_log, chat, post};
use doorward_e2e::logs::{Plan, write};
use doorward_e2e::tools;
use hmac_sha256::HMAC;
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const AUDIT_KEY: &str = "0123456789abcdef0123456789abcdef";

/// What a command prints, as JSON.
fn json_of(command: &mut Command) -> Value {
    let output = command.stderr(Stdio::piped()).output().expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out} {err}"))
}

fn looked_at(page: &Path, figures: &Path) -> Value {
    json_of(Command::new(tools::report()).arg(tools::root().join("tests/report/browser.py")).args([page, figures]))
}

#[test]
fn the_page_reads_well_in_a_browser_and_says_what_the_json_says() {
    let folder = tools::scratch("page");
    let (log, page, figures) = (folder.join("access.log"), folder.join("report.html"), folder.join("report.json"));
    write(&Plan::default(), &mut fs::File::create(&log).expect("a file")).expect("a log");
    let policy = "version: doorward/v1\nname: gateway\nextends: [pci-dss@1]\ntargets: []\n";
    fs::write(folder.join("policy.yaml"), policy).expect("a policy");
    let status = Command::new(tools::cli())
        .arg("report")
        .args(["--policy".as_ref(), folder.join("policy.yaml").as_os_str(), "--out".as_ref(), page.as_os_str()])
        .args(["--out".as_ref(), figures.as_os_str(), log.as_os_str()])
        .stdout(Stdio::null())
        .status();
    assert_eq!(status.expect("it starts").code(), Some(1), "some lines are broken");
    let found = looked_at(&page, &figures);
    assert_eq!(found["wrong"], json!([]));
    assert!(found["figures"].as_u64() > Some(200), "{found}");

    // Who looks for nothing finds nothing: each of these has to be seen.
    let whole = fs::read_to_string(&page).expect("the page");
    for (from, to, seen) in [
        ("<data value=\"", "<data value=\"9", "in the JSON"),
        (
            "<main",
            "<p class=\"tiles\">xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx</p><main",
            "px wide",
        ),
        ("<main", "<img src=\"data:image/png;base64,AAAA\"><main", "console"),
        ("<main", "<script>alert(1)</script><main", "a script is in the page"),
        ("--soft: #55606f", "--soft: #b5b6bf", "the style does not count"),
    ] {
        fs::write(&page, whole.replacen(from, to, 1)).expect("the page");
        let found = looked_at(&page, &figures);
        let wrong = found["wrong"].as_array().expect("a list");
        assert!(wrong.iter().any(|what| what.as_str().is_some_and(|what| what.contains(seen))), "{seen}: {wrong:?}");
    }
}

/// A gate with a handful of exchanges in its log, and the body of the one that alice sent last.
async fn used() -> (Gate, String) {
    let world = World::new()
        .await
        .with("audit", json!({"key": {"env": "AUDIT_KEY"}}))
        .with("limits", json!([{"id": "rate", "requests": 100, "window": "1m"}]));
    let mut spec = ListenerSpec::to(world.cluster.clone()).wasm(world.wasm().env("AUDIT_KEY", AUDIT_KEY));
    spec.log = access_log();
    let gate = world.open(spec).await.unwrap_or_else(|refused| panic!("{refused}"));
    let (alice, bob) = (world.alice(), world.idp.token("bob", json!({"groups": ["eng"], "team": "legal"})));
    let secret = "my key is AKIAQ3EGRIT7N2XWZB5C and the rest";
    let last = chat("gpt-5-mini", "mail ann@corp.io").to_string();
    for (token, body, status) in [
        (&alice, chat("gpt-5-mini", "hello").to_string(), 200),
        (&bob, chat("gpt-5", "hello").to_string(), 200),
        (&bob, chat("gpt-5", secret).to_string(), 400),
        (&bob, chat("gpt-6", "hello").to_string(), 403),
        (&alice, last.clone(), 200),
    ] {
        let answer = gate.call(&post(CHAT, token, body)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        gate.log_line(&answer).await;
    }
    (gate, last)
}

/// Sums of members of log lines that fit.
fn sum(lines: &[Value], key: &str, fits: impl Fn(&Value) -> bool) -> u64 {
    lines.iter().filter(|line| fits(line)).filter_map(|line| line[key].as_str()?.parse::<u64>().ok()).sum()
}

#[tokio::test]
async fn a_real_log_is_reported_and_queried() {
    let (gate, body) = used().await;
    let folder = tools::scratch("queries");
    let log = folder.join("access.log");
    fs::write(&log, gate.log_text()).expect("the log");
    let lines = gate.log_lines();
    let mini = |line: &Value| line["gen_ai.request.model"] == "gpt-5-mini";
    let (input, output) =
        (sum(&lines, "gen_ai.usage.input_tokens", mini), sum(&lines, "gen_ai.usage.output_tokens", mini));
    assert!(input > 0 && output > 0, "{lines:?}");

    let found = json_of(Command::new(tools::cli()).args(["report", "--format", "json"]).arg(&log));
    assert_eq!((&found["lines"]["records"], &found["totals"]["denied"]), (&json!(5), &json!(2)));
    let teams = found["tables"]["teams"]["rows"].as_array().expect("rows");
    let row = |team: &str| teams.iter().find(|row| row["key"] == json!([team])).cloned().unwrap_or_default();
    assert_eq!((&row("search")["requests"], &row("search")["input_tokens"]), (&json!(2), &json!(input)));
    // 0.25 and 2 USD for a million.
    let cost: f64 = row("search")["cost"]["USD"].as_str().and_then(|cost| cost.parse().ok()).expect("a cost");
    let expected = (input as f64 * 0.25 + output as f64 * 2.0) / 1e6;
    assert!((cost - expected).abs() < 1e-9, "{cost} {expected}");
    assert_eq!(
        (&row("legal")["requests"], &row("legal")["denied"], &row("legal")["callers"]),
        (&json!(3), &json!(2), &json!(1))
    );

    let query = |name: &str, variables: &[String]| {
        let queries = tools::root().join("envoy/queries");
        let mut command = Command::new(tools::report());
        command
            .arg(tools::root().join("tests/report/query.py"))
            .args([queries.join("records.sql"), queries.join(name)]);
        command.arg(format!("logs={}", log.display())).args(variables);
        json_of(&mut command)
    };
    let picked = |rows: &Value, members: &[&str]| -> Value {
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| members.iter().map(|member| row[*member].clone()).collect::<Value>()).collect()
    };
    // Who sent this text: from its bytes and the key alone.
    let digest: String = HMAC::mac(body.as_bytes(), AUDIT_KEY.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let sent = query("who-sent.sql", &[format!("digest=hmac-sha256:{digest}")]);
    assert_eq!(
        picked(&sent, &["user", "team", "model", "decision"]),
        json!([["alice", "search", "gpt-5-mini", "allow"]])
    );
    let none = query("who-sent.sql", &["digest=hmac-sha256:00".to_owned()]);
    assert_eq!(none, json!([]));
    for (name, variables, members, expected) in [
        (
            "models-of-team.sql",
            &["team=search"][..],
            &["model", "requests", "input_tokens"][..],
            json!([["gpt-5-mini", 2, input]]),
        ),
        ("models-of-team.sql", &["team=legal"], &["model", "requests"], json!([["gpt-5", 2], ["gpt-6", 1]])),
        (
            "cost-by-user.sql",
            &[],
            &["user", "tokens", "models"],
            json!([
                ["alice", input + output, ["gpt-5-mini"]],
                [
                    "bob",
                    sum(&lines, "doorward.usage.total_tokens", |line| line["doorward.user"] == "bob"),
                    ["gpt-5", "gpt-6"]
                ],
            ]),
        ),
        (
            "denials.sql",
            &[],
            &["reason", "action", "requests"],
            json!([["content.denied", "reply", 1], ["model.not_allowed", "reply", 1]]),
        ),
        (
            "findings.sql",
            &[],
            &["team", "direction", "type", "action", "findings"],
            json!([["legal", "in", "AWS_ACCESS_KEY", "deny", 1], ["search", "in", "EMAIL_ADDRESS", "mask", 1],]),
        ),
        ("policies.sql", &[], &["policy", "requests"], json!([[lines[0]["doorward.policy"], 5]])),
        ("latency.sql", &[], &["model", "requests"], json!([["gpt-5-mini", 2], ["gpt-5", 1]])),
        ("unusual.sql", &[], &["caller"], json!([])),
        ("tools.sql", &[], &["tool"], json!([])),
    ] {
        let variables: Vec<String> = variables.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(picked(&query(name, &variables), members), expected, "{name}");
    }
    let months = query("cost-by-team-month.sql", &[]);
    let search = months.as_array().expect("rows").iter().find(|row| row["team"] == "search").expect("the team");
    let month = lines[0]["time"].as_str().and_then(|time| time.get(..7)).expect("a time");
    assert_eq!((search["month"].as_str(), search["currency"].as_str()), (Some(month), Some("USD")));
    let summed: f64 = search["cost"].as_str().and_then(|cost| cost.parse().ok()).expect("a cost");
    assert!((summed - expected).abs() < 1e-9, "{summed}");
    let statements = query("statements.sql", &[]);
    let of = |id: &str| statements.as_array().and_then(|rows| rows.iter().find(|row| row["statement"] == id)).cloned();
    assert_eq!(of("no-secrets").map(|row| (row["acted"].clone(), row["denied"].clone())), Some((json!(1), json!(1))));
    assert_eq!(of("mask-pii").map(|row| row["acted"].clone()), Some(json!(1)));
    let limits = query("limits.sql", &[]);
    assert_eq!(picked(&limits, &["limit_id", "caller", "refused"]), json!([["rate", "bob", 0], ["rate", "alice", 0]]));
}

#[test]
fn the_view_knows_every_member_of_the_shipped_log() {
    let text = fs::read_to_string(tools::root().join("envoy/queries/records.sql")).expect("the view");
    for key in access_log().as_object().expect("an object").keys() {
        assert_eq!(text.matches(&format!("'{key}':")).count(), 1, "{key}");
        assert!(text.contains(&format!("\"{key}\"")), "{key}");
    }
    let guide = fs::read_to_string(tools::root().join("envoy/queries/README.md")).expect("the guide");
    for file in fs::read_dir(tools::root().join("envoy/queries")).expect("the folder").flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        assert!(!name.ends_with(".sql") || guide.contains(&format!("`{name}`")), "{name}");
    }
}
