//! `make demo` and `make run`: Doorward on a real Envoy with `envoy/standalone.yaml`, a small model behind it and an
//! identity provider beside it.
//!
//! `tour` sends scripted requests, prints what went in, what came out, what the upstream received and what is on the
//! record, and fails where any of it differs from what it should be. `serve` keeps everything up for your own curl.

use std::process::ExitCode;

use doorward_e2e::demo::example::Example;
use doorward_e2e::demo::{Demo, QUICKSTART, tour};
use doorward_e2e::tools;

const HELP: &str = "usage: doorward-demo tour [EXAMPLE] | serve [EXAMPLE]
  tour   a scripted tour that checks itself (`make demo`)
  serve  the same Envoy on fixed ports, until Ctrl-C (`make run`)

EXAMPLE is a folder of examples/; without one, `quickstart`.
  doorward-demo tour api-keys";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, name) = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [command @ ("tour" | "serve")] => (*command, QUICKSTART),
        [command @ ("tour" | "serve"), name] => (*command, *name),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    let example = match Example::load(&tools::root().join("examples").join(name)) {
        Ok(example) => example,
        Err(error) => {
            eprintln!("{error}\nhelp: name a folder of examples/, such as `{QUICKSTART}`");
            return ExitCode::FAILURE;
        }
    };
    let demo = Demo::start(command == "serve", &example).await;
    if command == "tour" { tour::run(&demo, &example).await } else { serve(&demo).await }
}

async fn serve(demo: &Demo) -> ExitCode {
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
