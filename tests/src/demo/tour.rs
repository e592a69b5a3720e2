//! The tour through an example: one request after the other, each printed and checked.

use std::process::ExitCode;

use serde_json::Value;

use super::example::{Example, Stop};
use super::shown::Shown;
use super::{Demo, QUICKSTART};
use crate::client::{Answer, Body, Request, Target, http1};
use crate::governed::record;
use crate::upstream::Seen;
use crate::wait::until;

/// Runs the tour; fails where anything differs.
pub async fn run(demo: &Demo, example: &Example) -> ExitCode {
    let policy = match (&example.policy, &example.envoy) {
        (None, Some(_)) => format!("examples/{}/envoy.yaml", example.name),
        (Some(_), _) => format!("examples/{}/policy.yaml", example.name),
        (None, None) => "envoy/standalone.yaml".to_owned(),
    };
    println!("Doorward on Envoy 1.40 at {}, policy in {policy}\n", demo.url());
    if demo.policy_observes() {
        // Nothing waits for keys then, and the record of what came before them says so.
        demo.keys_fetched().await;
    }
    let mut differences = 0;
    for (number, stop) in example.stops.iter().enumerate() {
        println!("--- {}. {}", number + 1, stop.title);
        differences += visit(demo, stop).await;
    }
    if example.name == QUICKSTART {
        differences += stats(demo).await;
    }
    match differences {
        0 => {
            println!("\nThe tour is over: {} requests, everything as it should be.", example.stops.len());
            println!("`make run EXAMPLE={}` keeps this Envoy up for your own curl.", example.name);
            ExitCode::SUCCESS
        }
        n => {
            println!("\n{n} differences: see the lines that begin with `DIFFERS`.");
            ExitCode::FAILURE
        }
    }
}

async fn visit(demo: &Demo, stop: &Stop) -> usize {
    let mut differences = 0;
    let mut check = |good: bool, what: String| {
        if !good {
            println!("DIFFERS   {what}");
            differences += 1;
        }
    };
    let (request, expect) = (stop.request(&demo.idp), &stop.expect);
    let before: Vec<usize> = demo.upstreams.iter().map(|(_, upstream)| upstream.count()).collect();
    let mut connection = http1::Connection::open(&Target::plain(demo.address)).await.expect("connect to Envoy");
    let answer: Answer = connection.call(&request).await.expect("an answer");
    println!("request   {} {}  {}", request.method, request.target, short(&body(&request)));
    let shown = Shown::of(&answer);
    print(&answer, &shown);
    check(answer.status == expect.status, format!("the status should be {}", expect.status));
    if let Some(why) = &answer.cut {
        check(false, format!("the answer should be complete: {why}"));
    }
    for text in &expect.answer {
        check(shown.holds(text), format!("the answer should hold `{text}`"));
    }
    for text in &expect.absent {
        check(!shown.holds(text), format!("the answer should not hold `{text}`"));
    }
    if let Some(text) = &expect.says {
        check(shown.said == *text, format!("the stream should say `{text}`"));
    }

    // What a detector is asked is no provider's to receive.
    let upstreams = demo.upstreams.iter().zip(before).filter(|((cluster, _), _)| demo.is_provider(cluster));
    let mut seen: Vec<(&str, Seen)> = Vec::new();
    for ((cluster, upstream), before) in upstreams {
        seen.extend(upstream.seen().into_iter().skip(before).map(|seen| (cluster.as_str(), seen)));
    }
    match (&expect.upstream, seen.first()) {
        (None, None) => println!("upstream  received nothing"),
        (Some(texts), Some((cluster, seen))) => {
            let raw = String::from_utf8_lossy(&seen.raw);
            println!("upstream  {cluster} received {} {}  {}", seen.method, seen.target, short(seen.text()));
            for text in texts {
                let there = raw.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
                check(there, format!("the upstream should receive `{text}`"));
            }
            let token = (!demo.policy_observes()).then_some("eyJ");
            for text in expect.kept.iter().map(String::as_str).chain(token) {
                check(!raw.contains(text), format!("the upstream should not receive `{text}`"));
            }
        }
        (expected, seen) => check(false, format!("upstream: expected {}, saw {}", expected.is_some(), seen.is_some())),
    }

    let line = log_line(demo, &request.request_id).await;
    let values = record(&line);
    let shown: Vec<String> = values
        .iter()
        .filter(|(k, _)| !k.starts_with("doorward.policy") && *k != "doorward.owner" && *k != "doorward.path")
        .map(|(k, v)| format!("{}={}", k.trim_start_matches("doorward."), v.as_str().unwrap_or_default()))
        .collect();
    println!("record    {}\n", shown.join(" "));
    if let Some(text) = &expect.details {
        let details = line["details"].as_str().unwrap_or_default();
        println!("details   {details}\n");
        check(details.contains(text.as_str()), format!("the details should hold `{text}`"));
    }
    for (key, value) in &expect.record {
        check(values.get(key).is_some_and(|v| v == value), format!("the record's `{key}` should be `{value}`"));
    }
    differences
}

/// A stream as what it says and how it ends; anything else as it is.
fn print(answer: &Answer, shown: &Shown) {
    if shown.events.is_empty() {
        return println!("answer    {}  {}", answer.status, short(&shown.raw));
    }
    let kind = answer.fields.get("content-type").unwrap_or_default();
    println!("answer    {}  {} events of {kind}", answer.status, shown.events.len());
    println!("  says    {}", short(&shown.said));
    println!("  ends    {}", short(&shown.ending()));
}

async fn stats(demo: &Demo) -> usize {
    println!("--- Stats");
    // Asking makes Envoy merge its workers' histograms, which the next asking sees.
    demo.envoy.prometheus().await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let text = demo.envoy.prometheus().await;
    let lines: Vec<&str> = text.lines().filter(|l| l.starts_with("doorward_") && !l.contains("_bucket")).collect();
    for line in &lines {
        println!("{line}");
    }
    let expected =
        ["doorward_requests_total", "doorward_tokens_total", "doorward_findings_total", "doorward_duration_us"];
    let missing: Vec<_> = expected.iter().filter(|n| !lines.iter().any(|l| l.starts_with(**n))).collect();
    let timed = |l: &&&str| l.starts_with("doorward_duration_us_count{target=\"openai\"}") && !l.ends_with(" 0");
    if lines.iter().find(|l| timed(l)).is_none() {
        println!("DIFFERS   the histogram `doorward_duration_us` should have counted");
        return missing.len() + 1;
    }
    for name in &missing {
        println!("DIFFERS   the metric `{name}` should be there");
    }
    missing.len()
}

async fn log_line(demo: &Demo, id: &str) -> Value {
    until("the access-log line", async || {
        let text = std::fs::read_to_string(&demo.access_log).map_err(|e| e.to_string())?;
        let mut lines = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
        lines.find(|l| l["request_id"] == id).ok_or_else(|| format!("no line of {id}"))
    })
    .await
}

fn body(request: &Request) -> String {
    match &request.body {
        Body::Length(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

fn short(text: &str) -> String {
    let line = text.replace('\n', " ");
    match line.char_indices().nth(230) {
        Some((at, _)) => format!("{}...", line.split_at(at).0),
        None => line,
    }
}
