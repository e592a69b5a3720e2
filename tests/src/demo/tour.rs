//! The tour: what Doorward does, one request after the other, each checked.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::Demo;
use crate::client::{Answer, Request, Target, http1};
use crate::governed::{chat, post, record};
use crate::upstream::Seen;
use crate::wait::until;

/// One stop of the tour.
struct Stop {
    title: &'static str,
    request: Request,
    /// Expected status.
    status: u16,
    /// Texts that the answer holds.
    answer: Vec<&'static str>,
    /// Texts that reach the upstream; `None`: nothing reaches it.
    upstream: Option<Vec<&'static str>>,
    /// Texts that must not reach the upstream.
    kept: Vec<&'static str>,
    /// Expected values on the record.
    record: Vec<(&'static str, &'static str)>,
}

/// Runs the tour; fails where anything differs.
pub async fn run(demo: &Demo) -> ExitCode {
    println!("Doorward on Envoy 1.40 at {}, policy in envoy/standalone.yaml\n", demo.url());
    let mut differences = 0;
    let stops = stops(demo);
    for (number, stop) in stops.iter().enumerate() {
        println!("--- {}. {}", number + 1, stop.title);
        differences += visit(demo, stop).await;
    }
    differences += stats(demo).await;
    match differences {
        0 => {
            println!("\nThe tour is over: {} requests, everything as it should be.", stops.len());
            println!("`make run` keeps this Envoy up for your own curl.");
            ExitCode::SUCCESS
        }
        n => {
            println!("\n{n} differences: see the lines that begin with `DIFFERS`.");
            ExitCode::FAILURE
        }
    }
}

fn stops(demo: &Demo) -> Vec<Stop> {
    let (alice, ivan) = (demo.token("alice", "eng"), demo.token("ivan", "intern"));
    let ask = |token: &str, model: &str, text: &str| post("/v1/chat/completions", token, chat(model, text).to_string());
    let forged = {
        let mut parts: Vec<&str> = ivan.split('.').collect();
        let payload = alice.split('.').nth(1).unwrap_or_default();
        if let Some(part) = parts.get_mut(1) {
            *part = payload;
        }
        parts.join(".")
    };
    let mut anonymous = Request::new("POST", "/v1/chat/completions").header("content-type", "application/json");
    anonymous = anonymous.body(chat("gpt-5", "hello").to_string());
    let claude = json!({"model": "claude-haiku-4-5", "max_tokens": 100,
                        "messages": [{"role": "user", "content": "Say hello"}]});
    let anthropic = Request::new("POST", "/v1/messages")
        .header("x-api-key", &alice)
        .header("anthropic-version", "2023-06-01")
        .header("content-type", "application/json")
        .body(claude.to_string());
    let stop = |title, request, status| Stop {
        title,
        request,
        status,
        answer: Vec::new(),
        upstream: None,
        kept: Vec::new(),
        record: Vec::new(),
    };
    let denied = |title, request, status, code: &'static str| Stop {
        answer: vec![code],
        record: vec![("doorward.decision", "deny"), ("doorward.reason", code)],
        ..stop(title, request, status)
    };
    let mut stops = vec![
        Stop {
            answer: vec!["Say hello"],
            upstream: Some(vec!["authorization: Bearer sk-demo-openai", "Say hello"]),
            record: vec![("doorward.user", "alice"), ("doorward.decision", "allow"), ("doorward.rules", "engineers")],
            ..stop(
                "Alice, an engineer, asks gpt-5: allowed. Her token stays here; the cluster's own key goes on.",
                ask(&alice, "gpt-5", "Say hello"),
                200,
            )
        },
        Stop {
            upstream: Some(vec!["x-api-key: sk-demo-anthropic"]),
            record: vec![("gen_ai.provider.name", "anthropic"), ("doorward.user", "alice")],
            ..stop("The same token as the Anthropic SDK sends it, to Claude.", anthropic, 200)
        },
        denied("No token.", anonymous, 401, "identity.missing"),
        denied(
            "Alice's claims under another token's signature.",
            ask(&forged, "gpt-5", "hi"),
            401,
            "identity.signature",
        ),
        denied("A model that no statement allows.", ask(&alice, "o3", "hi"), 403, "model.not_allowed"),
        Stop {
            answer: vec!["[EMAIL_ADDRESS]"],
            upstream: Some(vec!["\"gpt-5-mini\"", "[EMAIL_ADDRESS]", "[CREDIT_CARD]"]),
            kept: vec!["bob@northwind.dev", "5425233430109903"],
            record: vec![("doorward.action", "edit"), ("gen_ai.request.model", "gpt-5-mini")],
            ..stop(
                "Personal data is masked on its way out, and the alias `fast` becomes the model it stands for.",
                ask(&alice, "fast", "Mail bob@northwind.dev, card 5425233430109903"),
                200,
            )
        },
        denied("A secret is refused.", ask(&alice, "gpt-5", "use AKIAIQ7RX4PJH6ZN2WVB"), 400, "content.denied"),
        Stop {
            upstream: Some(vec!["+1 415 555"]),
            record: vec![("doorward.decision", "allow"), ("doorward.observed", "try-phones")],
            ..stop(
                "A rule that is only observed: recorded, and no more.",
                ask(&alice, "gpt-5", "Call me on +1 415 555 2671"),
                200,
            )
        },
    ];
    for n in 1..=3 {
        let title = ["An intern's first request this hour.", "The second.", "The third."][n - 1];
        stops.push(Stop {
            upstream: Some(vec!["gpt-5-mini"]),
            record: vec![("doorward.user", "ivan")],
            ..stop(title, ask(&ivan, "gpt-5-mini", "hi"), 200)
        });
    }
    stops.push(denied("The fourth is over the limit of three.", ask(&ivan, "gpt-5-mini", "hi"), 429, "limit.requests"));
    stops
}

async fn visit(demo: &Demo, stop: &Stop) -> usize {
    let mut differences = 0;
    let mut check = |good: bool, what: String| {
        if !good {
            println!("DIFFERS   {what}");
            differences += 1;
        }
    };
    let before = (demo.openai.count(), demo.anthropic.count());
    let mut connection = http1::Connection::open(&Target::plain(demo.address)).await.expect("connect to Envoy");
    let answer: Answer = connection.call(&stop.request).await.expect("an answer");
    println!("request   {} {}  {}", stop.request.method, stop.request.target, short(&body(&stop.request)));
    println!("answer    {}  {}", answer.status, short(answer.text()));
    check(answer.status == stop.status, format!("the status should be {}", stop.status));
    for text in &stop.answer {
        check(answer.text().contains(text), format!("the answer should hold `{text}`"));
    }

    let seen: Vec<Seen> =
        demo.openai.seen().into_iter().skip(before.0).chain(demo.anthropic.seen().into_iter().skip(before.1)).collect();
    match (&stop.upstream, seen.first()) {
        (None, None) => println!("upstream  received nothing"),
        (Some(texts), Some(seen)) => {
            let raw = String::from_utf8_lossy(&seen.raw);
            println!("upstream  received {}", short(seen.text()));
            for text in texts {
                let there = raw.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
                check(there, format!("the upstream should receive `{text}`"));
            }
            for text in stop.kept.iter().chain(&["eyJ"]) {
                check(!raw.contains(text), format!("the upstream should not receive `{text}`"));
            }
        }
        (expected, seen) => check(false, format!("upstream: expected {}, saw {}", expected.is_some(), seen.is_some())),
    }

    let line = log_line(demo, &stop.request.request_id).await;
    let values = record(&line);
    let shown: Vec<String> = values
        .iter()
        .filter(|(k, _)| !k.starts_with("doorward.policy") && *k != "doorward.owner" && *k != "doorward.path")
        .map(|(k, v)| format!("{}={}", k.trim_start_matches("doorward."), v.as_str().unwrap_or_default()))
        .collect();
    println!("record    {}\n", shown.join(" "));
    for (key, value) in &stop.record {
        check(values.get(*key).is_some_and(|v| v == value), format!("the record's `{key}` should be `{value}`"));
    }
    differences
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
        crate::client::Body::Length(bytes) => String::from_utf8_lossy(bytes).into_owned(),
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
