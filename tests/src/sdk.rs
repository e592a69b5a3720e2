//! The official OpenAI and Anthropic Python SDKs as clients, unchanged but for base URL and key.
//!
//! Each call runs a script of `tests/sdk/`, which prints one line of JSON: either `{"ok": RESULT}` or
//! `{"error": CLASS, "status": N, "body": ..}` with the name of the exception class the SDK raised.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::tools;
use crate::wait::within;

/// What an SDK made of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The result object, if there was no exception.
    pub ok: Option<Value>,
    /// The exception's class name.
    pub error: Option<String>,
    /// HTTP status of the exception.
    pub status: Option<u64>,
    /// The error's body as the SDK parsed it.
    pub body: Value,
}

/// The calls the scripts know.
#[derive(Clone, Debug)]
pub enum Call {
    /// `chat.completions.create(**arguments)` or `messages.create(**arguments)`.
    Create(Value),
    /// `models.list()`; the result is the list of ids.
    Models,
}

/// Calls through the `openai` package; `base` ends in `/v1`.
pub async fn openai(base: &str, key: &str, call: Call) -> Outcome {
    run("openai_call.py", base, key, call).await
}

/// Calls through the `anthropic` package; `base` has no path.
pub async fn anthropic(base: &str, key: &str, call: Call) -> Outcome {
    run("anthropic_call.py", base, key, call).await
}

async fn run(script: &str, base: &str, key: &str, call: Call) -> Outcome {
    let mut outcomes = run_all(script, base, &[(key, call)]).await;
    outcomes.remove(0)
}

/// Several calls in one interpreter, in order: importing an SDK takes about a second.
pub async fn openai_all(base: &str, calls: &[(&str, Call)]) -> Vec<Outcome> {
    run_all("openai_call.py", base, calls).await
}

/// Several calls in one interpreter, in order: importing an SDK takes about a second.
pub async fn anthropic_all(base: &str, calls: &[(&str, Call)]) -> Vec<Outcome> {
    run_all("anthropic_call.py", base, calls).await
}

async fn run_all(script: &str, base: &str, calls: &[(&str, Call)]) -> Vec<Outcome> {
    let mut input = String::new();
    for (key, call) in calls {
        let line = match call {
            Call::Create(arguments) => json!({"key": key, "create": arguments}),
            Call::Models => json!({"key": key}),
        };
        input.push_str(&format!("{line}\n"));
    }
    let mut child = Command::new(tools::python())
        .arg(tools::root().join("tests/sdk").join(script))
        .arg(base)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("start python");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).await.expect("write to python");
    drop(stdin);
    let output = within(script, child.wait_with_output()).await.expect("wait for python");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let outcomes: Vec<Outcome> =
        stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).map(outcome).collect();
    assert_eq!(outcomes.len(), calls.len(), "{script}: {stdout}{}", String::from_utf8_lossy(&output.stderr));
    outcomes
}

fn outcome(line: Value) -> Outcome {
    Outcome {
        ok: line.get("ok").cloned(),
        error: line["error"].as_str().map(str::to_owned),
        status: line["status"].as_u64(),
        body: line["body"].clone(),
    }
}
