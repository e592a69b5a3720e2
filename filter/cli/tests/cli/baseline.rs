//! `doorward baseline`, and that core takes what it makes.

use doorward_core::config::tree_from_json;
use doorward_core::engine::Engine;
use serde_json::{Value, json};

use super::{doorward, doorward_with};

const CALLER: &str = "00112233445566aa";

fn line(day: u32, hour: u32, minute: u32) -> String {
    json!({"time": format!("2026-01-{day:02}T{hour:02}:{minute:02}:00.123Z"), "doorward.caller": CALLER,
        "doorward.decision": "allow", "gen_ai.request.model": "m-1", "gen_ai.usage.input_tokens": "100",
        "gen_ai.usage.output_tokens": "20", "doorward.cost": "0.001 USD", "doorward.tools": "called:query/allow=1",
        "doorward.findings": "in:EMAIL_ADDRESS/flag=2"})
    .to_string()
}

fn log() -> String {
    let mut lines = Vec::new();
    // The newest first: logs of several proxies come in no order.
    for day in (1..=10).rev() {
        for hour in 8..16 {
            lines.extend((0..60).step_by(10).map(|minute| line(day, hour, minute)));
        }
    }
    lines.push(json!({"time": "2026-01-01T00:00:00Z", "doorward.caller": null}).to_string());
    lines.join("\n")
}

#[test]
fn what_it_makes_is_a_part_of_a_policy() {
    let ran = doorward_with(&["baseline"], &log(), &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let entry = ran.out.strip_prefix("baselines:\n- {caller: \"").unwrap();
    let (caller, rest) = entry.split_once("\", learned: \"").unwrap();
    assert_eq!(caller, CALLER);
    let learned = rest.strip_suffix("\"}\n").unwrap();
    let compiled = |learned: &str| {
        let policy: Value = json!({"version": "doorward/v1",
            "targets": [{"name": "t", "cluster": "c", "provider": "openai"}],
            "identity": {"mtls": {"trust_domains": ["td"]}, "require": {"user": false, "workload": true}},
            "anomaly": {"baselines": [{"caller": caller, "learned": learned}]}});
        Engine::compile(&tree_from_json(&policy.to_string()).unwrap(), &|_| None).is_ok()
    };
    assert!(compiled(learned) && !compiled(learned.get(4..).unwrap()));
}

#[test]
fn lines_that_are_none_are_told() {
    let ran = doorward_with(&["baseline", "-"], &format!("{}\nno json\n", log()), &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("1 lines"), "{}", ran.err);
    let ran = doorward_with(&["baseline", "-"], "{}\n", &[]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(doorward(&["baseline", "no-such-file"]).code, 2);
}
