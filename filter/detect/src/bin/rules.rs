//! What rules about tools cost by their number, natively or (as a WASI module) in V8: `make speed`.
//!
//! An MCP server's list of 1,000 tools, and one call, each under one rule and under 5,000, and with and without what first use remembers. All
//! are taken in turn in one run, and the quickest tenth counts. Every exchange is whole: head, body, answer and end.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark"
)]

use std::time::Instant;

use doorward_core::config::tree_from_json;
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};

/// Rounds of which the quickest tenth counts.
const ROUNDS: usize = 201;
/// Calls are timed so many at once: a clock may be coarse.
const CALLS: usize = 50;
const TOOLS: usize = 1000;

fn main() {
    let list =
        json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": (0..TOOLS).map(tool).collect::<Vec<_>>()}}).to_string();
    let ask = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "tool_7", "arguments": {"path": "/srv/share/a.txt"}}});
    let call = call.to_string();
    println!("a list of {TOOLS} tools, {} KB", list.len() / 1024);
    let mut stages: Vec<(usize, &str, Stage)> = Vec::new();
    for first_use in ["off", "flag"] {
        for rules in [1, 5000] {
            stages.push((rules, first_use, Stage::new(rules, first_use)));
        }
    }
    let mut lists = vec![Vec::new(); stages.len()];
    let mut calls = vec![Vec::new(); stages.len()];
    for round in 0..ROUNDS {
        for turn in 0..stages.len() {
            // None always follows the same one.
            let at = (turn + round) % stages.len();
            let stage = &mut stages[at].2;
            let start = Instant::now();
            stage.exchange(&ask, Some(&list));
            lists[at].push(start.elapsed().as_nanos());
            let start = Instant::now();
            for _ in 0..CALLS {
                stage.exchange(&call, None);
            }
            calls[at].push(start.elapsed().as_nanos() / CALLS as u128);
        }
    }
    for (at, (rules, first_use, _)) in stages.iter().enumerate() {
        println!(
            "{rules} rules, first use {first_use}: the list {:.2} ms, a call {:.1} us",
            quickest(&mut lists[at]) as f64 / 1e6,
            quickest(&mut calls[at]) as f64 / 1e3
        );
    }
}

fn tool(i: usize) -> Value {
    json!({"name": format!("tool_{i}"), "description": format!("Does what the tool of number {i} does, and nothing else."),
        "inputSchema": {"type": "object", "properties": {"path": {"type": "string", "description": "Where to."}}, "required": ["path"]}})
}

/// What a tenth of the rounds take at most: what others do on the machine counts for little there.
fn quickest(times: &mut [u128]) -> u128 {
    times.sort_unstable();
    times[times.len() / 10]
}

struct Stage {
    engine: Engine,
    worker: Worker,
    host: MemoryHost,
    next: u32,
}

impl Stage {
    /// Under so many rules, each for a tool of its own and all of them about arguments; as many of them are prefixes as are names.
    fn new(rules: usize, first_use: &str) -> Self {
        let condition = json!({"/path": {"under": "/srv/share"}});
        let mut all: Vec<Value> = (1..rules)
            .map(|i| match i % 2 {
                0 => json!({"name": format!("other_{i}_*"), "arguments": condition}),
                _ => json!({"name": format!("tool_{i}"), "arguments": condition}),
            })
            .collect();
        all.push(json!({"name": "tool_*", "arguments": condition}));
        let policy = json!({
            "version": "doorward/v1",
            "targets": [{"name": "files", "cluster": "c", "provider": "mcp"}],
            "identity": {"mtls": {"trust_domains": ["td"]}, "require": {"user": false, "workload": true}},
            "access": [{"id": "some", "effect": "allow", "methods": "tools/*", "tools": all}],
            "mcp": {"first_use": first_use},
        });
        let tree = tree_from_json(&policy.to_string()).unwrap();
        let engine = Engine::compile(&tree, &|_| None).unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut worker = Worker::new(&engine);
        let mut host = MemoryHost::default();
        worker.start(&engine, &mut host).unwrap();
        host.set_attribute(Attribute::Cluster, "c");
        host.set_attribute(Attribute::PeerUri, "spiffe://td/a");
        Self { engine, worker, host, next: 0 }
    }

    /// A POST, and the whole answer to it.
    fn exchange(&mut self, body: &str, answer: Option<&str>) {
        self.next += 1;
        let mut exchange = Exchange::new(self.next);
        let headers: Headers = [
            (":method", "POST"),
            (":path", "/mcp"),
            (":scheme", "https"),
            (":authority", "tools.test"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ]
        .into_iter()
        .collect();
        self.tell(&mut exchange, Event::Head { side: Side::Request, headers: &headers, end: false });
        self.host.bodies.insert(Side::Request, body.as_bytes().to_vec());
        self.tell(&mut exchange, Event::Body { side: Side::Request, available: body.len(), end: true });
        if let Some(answer) = answer {
            let headers: Headers = [(":status", "200"), ("content-type", "application/json")].into_iter().collect();
            self.tell(&mut exchange, Event::Head { side: Side::Response, headers: &headers, end: false });
            self.host.bodies.insert(Side::Response, answer.as_bytes().to_vec());
            self.tell(&mut exchange, Event::Body { side: Side::Response, available: answer.len(), end: true });
        }
        self.tell(&mut exchange, Event::Done { spent_us: 1 });
    }

    fn tell(&mut self, exchange: &mut Exchange, event: Event<'_>) {
        let mut effects = Vec::new();
        let at = Time(1_800_000_000_000_000_000);
        let _ = exchange.on(event, at, &self.engine, &mut self.worker, &mut self.host, &mut effects);
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Reply(_))), "nothing of it is refused");
    }
}
