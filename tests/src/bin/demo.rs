//! `make demo` and `make run`: Doorward on a real Envoy with `envoy/standalone.yaml`, a small model behind it and an
//! identity provider beside it.
//!
//! `tour` sends scripted requests, prints what went in, what came out, what the upstream received and what is on the
//! record, and fails where any of it differs from what it should be. `serve` keeps everything up for your own curl.

use std::process::ExitCode;

use doorward_e2e::demo::{Demo, tour};

const HELP: &str = "usage: doorward-demo tour | serve
  tour   a scripted tour that checks itself (`make demo`)
  serve  the same Envoy on fixed ports, until Ctrl-C (`make run`)";

#[tokio::main]
async fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("tour") => {
            let demo = Demo::start(false).await;
            tour::run(&demo).await
        }
        Some("serve") => serve().await,
        _ => {
            eprintln!("{HELP}");
            ExitCode::from(2)
        }
    }
}

async fn serve() -> ExitCode {
    let demo = Demo::start(true).await;
    let (alice, intern) = (demo.token("alice", "eng"), demo.token("ivan", "intern"));
    println!(
        "Doorward is up on {url}; the access log is {log}, stats are on http://127.0.0.1:9901/stats/prometheus.

A token for alice, an engineer, and one for ivan, an intern, good for an hour:

export ALICE={alice}

export IVAN={intern}

curl -si {url}/v1/chat/completions -H \"authorization: Bearer $ALICE\" -H 'content-type: application/json' \\
  -d '{{\"model\": \"fast\", \"messages\": [{{\"role\": \"user\", \"content\": \"Write to bob@northwind.dev\"}}]}}'

Ctrl-C ends it.",
        url = demo.url(),
        log = demo.access_log.display(),
    );
    let _ = tokio::signal::ctrl_c().await;
    ExitCode::SUCCESS
}
