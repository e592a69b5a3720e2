//! The official Python SDKs as clients, unchanged but for base URL and key.
//!
//! Each call runs a script of `tests/sdk/`, which prints one line of JSON: either `{"ok": RESULT}` or
//! `{"error": CLASS, "status": N, "body": ..}` with the name of the exception class the SDK raised, and `"partial"` with
//! what came of a stream before.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::tools;
use crate::wait::PATIENCE;

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
    /// What came of a stream before the exception.
    pub partial: Value,
}

/// The calls the scripts know. Each script of `tests/sdk/` has a table of operations by name.
#[derive(Clone, Debug)]
pub enum Call {
    /// The operation `create`: `chat.completions.create(**arguments)` or `messages.create(**arguments)`.
    Create(Value),
    /// The operation `models`; the result is the list of ids.
    Models,
    /// Any operation.
    Operation {
        /// Its name in the script's table.
        name: String,
        /// Its keyword arguments.
        arguments: Value,
    },
}

impl Call {
    /// An operation by its name.
    pub fn of(name: &str, arguments: Value) -> Self {
        Self::Operation { name: name.to_owned(), arguments }
    }
}

/// The SDKs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// `openai`; the base ends in `/v1`, but for the operations `azure_*`, where it has no path.
    OpenAi,
    /// `anthropic`; the base has no path.
    Anthropic,
    /// `google-genai`; the base has no path.
    Google,
    /// `mistralai`; the base has no path.
    Mistral,
    /// `ollama`; the base has no path.
    Ollama,
    /// `cohere`; the base has no path.
    Cohere,
    /// `boto3`'s `bedrock-runtime`; the base has no path, the key `sigv4` signs instead.
    Bedrock,
}

impl Sdk {
    fn script(self) -> &'static str {
        match self {
            Self::OpenAi => "openai_call.py",
            Self::Anthropic => "anthropic_call.py",
            Self::Google => "google_call.py",
            Self::Mistral => "mistral_call.py",
            Self::Ollama => "ollama_call.py",
            Self::Cohere => "cohere_call.py",
            Self::Bedrock => "bedrock_call.py",
        }
    }

    /// One call.
    pub async fn call(self, base: &str, key: &str, call: Call) -> Outcome {
        self.calls(base, &[(key, call)]).await.remove(0)
    }

    /// Several calls in one interpreter, in order: importing an SDK takes a second or more.
    pub async fn calls(self, base: &str, calls: &[(&str, Call)]) -> Vec<Outcome> {
        let calls: Vec<_> = calls.iter().map(|(key, call)| (base, *key, call.clone())).collect();
        self.calls_to(&calls).await
    }

    /// The same, each call with a base and a key of its own.
    pub async fn calls_to(self, calls: &[(&str, &str, Call)]) -> Vec<Outcome> {
        run_all(self.script(), calls).await
    }
}

/// Calls through the `openai` package; `base` ends in `/v1`.
pub async fn openai(base: &str, key: &str, call: Call) -> Outcome {
    Sdk::OpenAi.call(base, key, call).await
}

/// Calls through the `anthropic` package; `base` has no path.
pub async fn anthropic(base: &str, key: &str, call: Call) -> Outcome {
    Sdk::Anthropic.call(base, key, call).await
}

/// Several calls in one interpreter, in order.
pub async fn openai_all(base: &str, calls: &[(&str, Call)]) -> Vec<Outcome> {
    Sdk::OpenAi.calls(base, calls).await
}

/// Several calls in one interpreter, in order.
pub async fn anthropic_all(base: &str, calls: &[(&str, Call)]) -> Vec<Outcome> {
    Sdk::Anthropic.calls(base, calls).await
}

async fn run_all(script: &str, calls: &[(&str, &str, Call)]) -> Vec<Outcome> {
    let mut input = String::new();
    let none = json!({});
    for (base, key, call) in calls {
        let (name, arguments) = match call {
            Call::Create(arguments) => ("create", arguments),
            Call::Models => ("models", &none),
            Call::Operation { name, arguments } => (name.as_str(), arguments),
        };
        input.push_str(&format!("{}\n", json!({"base": base, "key": key, "name": name, "arguments": arguments})));
    }
    let mut child = Command::new(tools::python())
        .arg(tools::root().join("tests/sdk").join(script))
        .arg(calls.first().map_or("", |(base, ..)| base))
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
    let patience = PATIENCE + Duration::from_millis(500) * u32::try_from(calls.len()).unwrap_or(u32::MAX);
    let output = tokio::time::timeout(patience, child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{script} did not end")).expect("wait for python");
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
        partial: line["partial"].clone(),
    }
}
