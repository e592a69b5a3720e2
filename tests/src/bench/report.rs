//! What is printed and written.

use serde_json::json;

use super::added::{Added, Estimate};
use super::instructions;
use super::jwt::Vm;
use super::limits::{CONNECTIONS, Limits, WORKERS, Way};
use super::memory::Memory;
use super::plan::{JUDGED_BYTES, LOADS};
use super::streaming::{EVENTS, OPEN, OPEN_EVENTS, Streaming};
use super::traffic::Row;
use crate::tools;

/// Everything that was measured.
pub struct Report {
    /// Size of `doorward.wasm`.
    pub wasm_bytes: u64,
    /// Streamed answers, where they were measured.
    pub streaming: Option<Streaming>,
    /// Workers that count together, where they were measured.
    pub limits: Option<Limits>,
    /// What limits add, where it was measured.
    pub added: Option<Vec<Added>>,
    /// Instructions of a request, where they were counted.
    pub instructions: Option<Vec<instructions::Row>>,
    /// Everything else, where it was measured.
    pub whole: Option<Whole>,
}

/// What was measured beside streams.
pub struct Whole {
    /// Each variant at each size.
    pub rows: Vec<Row>,
    /// What the VM measured of itself.
    pub vm: Vm,
    /// Memory, where it was measured.
    pub memory: Option<Memory>,
}

/// A figure and the most it may be.
struct Limit {
    what: &'static str,
    unit: &'static str,
    value: f64,
    most: f64,
}

impl Report {
    /// Whether every figure is within its limit.
    pub fn holds(&self) -> bool {
        self.limits().iter().all(|limit| limit.value <= limit.most)
    }

    /// Prints tables.
    pub fn print(&self) {
        if let Some(whole) = &self.whole {
            whole.print();
        }
        if let Some(streaming) = &self.streaming {
            streaming.print();
        }
        if let Some(limits) = &self.limits {
            limits.print();
        }
        if let Some(added) = &self.added {
            println!(
                "\nThe filter's own time for a request of {JUDGED_BYTES} bytes, one worker; what limits add, and the middle half of all turns"
            );
            added.iter().for_each(Added::print);
        }
        if let Some(rows) = &self.instructions {
            print_instructions(rows);
        }
        println!();
        for limit in self.limits() {
            let verdict = if limit.value <= limit.most { "holds" } else { "DOES NOT HOLD" };
            let Limit { what, unit, value, most } = limit;
            println!("{what:<64}{value:>9.2} {unit:<3} at most {most:>8.2} {unit:<3} {verdict}");
        }
    }

    /// Writes `target/bench/summary.json`.
    pub fn write(&self) {
        let limits: Vec<_> = self
            .limits()
            .iter()
            .map(|l| json!({"what": l.what, "unit": l.unit, "value": l.value, "most": l.most, "holds": l.value <= l.most}))
            .collect();
        let whole = self.whole.as_ref();
        let summary = json!({
            "rows": whole.map(|w| &w.rows), "jwt": whole.map(|w| w.vm.jwt), "wasm_bytes": self.wasm_bytes,
            "on_configure_ms": whole.map(|w| w.vm.on_configure_ms), "memory": whole.map(|w| &w.memory),
            "streaming": self.streaming, "limiting": self.limits, "added": self.added, "instructions": self.instructions, "limits": limits,
        });
        let path = tools::root().join("target/bench/summary.json");
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("create target/bench");
        let text = serde_json::to_string_pretty(&summary).expect("JSON");
        std::fs::write(&path, text + "\n").expect("write target/bench/summary.json");
        println!("\nwritten to target/bench/summary.json");
    }

    fn limits(&self) -> Vec<Limit> {
        // What everything together may come to.
        let mut limits = vec![limit("doorward.wasm", "MB", self.wasm_bytes as f64 / 1e6, 3.0)];
        limits.extend(self.streaming.iter().flat_map(Streaming::limits));
        limits.extend(self.limits.iter().flat_map(Limits::limits));
        limits.extend(self.added.iter().flatten().filter_map(Added::limits));
        limits.extend(self.whole.iter().flat_map(Whole::limits));
        limits
    }
}

fn print_instructions(rows: &[instructions::Row]) {
    println!("\nInstructions of a worker for each request, bodies of {JUDGED_BYTES} bytes");
    println!("{:<12}{:>14}{:>12}", "variant", "instructions", "more");
    let mut before = None;
    for row in rows {
        let more = before.map_or(String::new(), |before: f64| format!("{:+.0}", row.instructions - before));
        println!("{:<12}{:>14.0}{more:>12}", row.way.name(), row.instructions);
        before = Some(row.instructions);
    }
}

fn limit(what: &'static str, unit: &'static str, value: f64, most: f64) -> Limit {
    Limit { what, unit, value, most }
}

impl Whole {
    fn print(&self) {
        println!(
            "\nCPU of the Envoy process, latency at the fixed rate; CPU and throughput of one worker under full load"
        );
        println!(
            "{:>8}  {:<9}{:>9}{:>16}{:>11}{:>10}{:>13}{:>9}{:>9}{:>9}",
            "body", "variant", "cpu us", "(rounds)", "added us", "of lua's", "cpu us full", "p50 ms", "p99 ms", "rps"
        );
        for row in &self.rows {
            let added = self.added(row.name, row.body_bytes);
            let share = added / self.added("lua", row.body_bytes);
            let (added, share) = match row.name {
                "plain" => (String::new(), String::new()),
                _ => (format!("{added:.0}"), format!("{share:.2}")),
            };
            let [least, most] = row.cpu_us_range;
            println!(
                "{:>8}  {:<9}{:>9.0}{:>16}{:>11}{:>10}{:>13.0}{:>9.2}{:>9.2}{:>9.0}",
                row.body_bytes,
                row.name,
                row.cpu_us,
                format!("{least:.0}..{most:.0}"),
                added,
                share,
                row.cpu_us_full,
                row.p50_ms,
                row.p99_ms,
                row.rps
            );
        }
        println!(
            "\nRS256, token of 1 KB, in the VM: native check {:.1} us; never seen {:.1} us; seen before {:.1} us",
            self.vm.jwt.native_us, self.vm.jwt.cold_us, self.vm.jwt.warm_us
        );
        if let Some(memory) = &self.memory {
            println!(
                "Memory over an Envoy with an empty module ({:.1} MB): {:+.1} MB once, while V8 compiles, and its first \
                 worker; {:+.1} MB for each further worker.\nAfter 1,000 bodies of 512 KB, 64 at once: {:.1} MB for a \
                 worker (the empty module's Envoy grew by {:.1} MB).\nOver 20 reloads: {}",
                memory.base_mb,
                memory.process_mb,
                memory.idle_mb,
                memory.loaded_mb,
                memory.base_growth_mb,
                memory.reloads_mb.iter().map(|mb| format!("{mb:+.1}")).collect::<Vec<_>>().join(" ")
            );
        }
    }

    fn cpu(&self, name: &str, size: usize) -> f64 {
        self.rows.iter().find(|r| r.name == name && r.body_bytes == size).map_or(f64::NAN, |r| r.cpu_us)
    }

    /// CPU over plain Envoy, in microseconds for each request.
    fn added(&self, name: &str, size: usize) -> f64 {
        self.cpu(name, size) - self.cpu("plain", size)
    }

    fn limits(&self) -> Vec<Limit> {
        const { assert!(LOADS[1].0 == JUDGED_BYTES) };
        let lua = self.added("lua", JUDGED_BYTES);
        let mut limits = vec![
            limit(
                "CPU added at 2 KB (half of what jwt_authn and Lua add)",
                "us",
                self.added("doorward", JUDGED_BYTES),
                lua / 2.0,
            ),
            limit(
                "RS256, never seen (native check and 60 us)",
                "us",
                self.vm.jwt.cold_us,
                self.vm.jwt.native_us + 60.0,
            ),
            limit("RS256, seen before", "us", self.vm.jwt.warm_us, 10.0),
            limit("on_configure of a VM", "ms", self.vm.on_configure_ms, 30.0),
        ];
        if let Some(memory) = &self.memory {
            let (early, late) = memory.reloads_mb.split_at(memory.reloads_mb.len() / 2);
            let most = |mb: &[f64]| mb.iter().copied().fold(f64::MIN, f64::max);
            limits.push(limit("memory added, idle, one worker with all that V8 keeps", "MB", memory.process_mb, 15.0));
            // Over the empty module's Envoy after the same load.
            let loaded = memory.process_mb + (memory.loaded_mb - memory.idle_mb) - memory.base_growth_mb;
            limits.push(limit("memory added, loaded, one worker with all that V8 keeps", "MB", loaded, 40.0));
            limits.push(limit("memory added for each worker, idle", "MB", memory.idle_mb, 15.0));
            limits.push(limit(
                "memory added for each worker, after 1,000 bodies of 512 KB",
                "MB",
                memory.loaded_mb,
                40.0,
            ));
            limits.push(limit(
                "memory over 20 reloads, second ten over first ten",
                "MB",
                most(late) - most(early),
                1.0,
            ));
        }
        limits
    }
}

impl Streaming {
    fn print(&self) {
        println!("\nStreams of {EVENTS} events with text, each by itself: CPU of the Envoy process for each event");
        println!(
            "{:>10}  {:<9}{:>9}{:>16}{:>11}{:>17}{:>16}",
            "events", "variant", "cpu us", "(rounds)", "added us", "first event ms", "first text ms"
        );
        for row in &self.rows {
            let plain = self.rows.iter().find(|r| r.name == "plain" && r.format == row.format);
            let added = match row.name {
                "plain" => String::new(),
                _ => format!("{:.1}", row.event_us - plain.map_or(f64::NAN, |r| r.event_us)),
            };
            let [least, most] = row.event_us_range;
            let rounds = format!("{least:.1}..{most:.1}");
            println!(
                "{:>10}  {:<9}{:>9.1}{rounds:>16}{added:>11}{:>17.2}{:>16.2}",
                row.format, row.name, row.event_us, row.first_event_ms, row.first_text_ms
            );
        }
        for open in &self.open {
            let ([few, many], [a_few, a_lot]) = (open.stream_kb, OPEN_EVENTS);
            let [least, most] = open.growth_kb_range;
            println!(
                "{OPEN} streams, {}: {few:.1} KB each after {a_few} events, {many:.1} KB after {a_lot}, {least:.1}..{most:.1} more",
                open.name
            );
        }
    }

    fn limits(&self) -> Vec<Limit> {
        let mut limits = Vec::new();
        for (name, cpu, first) in [
            (
                "mask",
                "CPU added for each event, all answers masked",
                "time to the first token added, all answers masked",
            ),
            ("restore", "CPU added for each event, restoring", "time to the first token added, restoring"),
        ] {
            limits.push(limit(cpu, "us", self.added(name, |row| row.event_us), 15.0));
            limits.push(limit(first, "ms", self.added(name, |row| row.first_text_ms), 2.0));
        }
        if let [plain, restore] = self.open.as_slice() {
            // Two bytes for each event more are the allocator's; the events have 300 each.
            let (what, added) = ("memory added to a stream by 4,000 more events", restore.growth_kb - plain.growth_kb);
            limits.push(limit(what, "KB", added, 8.0));
        }
        limits
    }
}

impl Limits {
    fn print(&self) {
        println!(
            "\nLimits: bodies of {JUDGED_BYTES} bytes over {CONNECTIONS} connections, {} requests a second, {}; \
             compare-and-swaps done again, for each request",
            self.rate,
            if self.together { "all connections at the same instant" } else { "one connection after the other" }
        );
        println!(
            "{:<12}{:>9}{:>9}{:>16}{:>11}{:>13}{:>11}",
            "variant", "workers", "cpu us", "(rounds)", "done again", "cpu us full", "done again"
        );
        for row in &self.rows {
            let [least, most] = row.cpu_us_range;
            let rounds = format!("{least:.0}..{most:.0}");
            println!(
                "{:<12}{:>9}{:>9.1}{rounds:>16}{:>11.4}{:>13.1}{:>11.4}",
                row.way.name(),
                row.workers,
                row.cpu_us,
                row.conflicts,
                row.cpu_us_full,
                row.conflicts_full
            );
        }
        println!(
            "{WORKERS} workers over one: plain Envoy {:.2} times the CPU, without limits {:.2} times",
            self.ratio_plain, self.ratio_free
        );
    }

    fn limits(&self) -> Vec<Limit> {
        const { assert!(WORKERS == 8) };
        vec![limit("CPU with eight workers over CPU with one, four limits", "x", self.ratio, 1.2)]
    }
}

impl Added {
    fn print(&self) {
        let told = |Estimate { all_us, us, half: [least, most] }: &Estimate| {
            format!("{all_us:>7.1} us, {us:>+5.1} ({least:+.1}..{most:+.1})")
        };
        println!("{:<26}{}; one after the other {}", self.way.name(), told(&self.even), told(&self.full));
    }

    fn limits(&self) -> Option<Limit> {
        let what = "added by a budget: admission and settlement, one worker";
        (self.way == Way::Budget).then(|| limit(what, "us", self.full.us, 15.0))
    }
}
