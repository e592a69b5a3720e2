//! A real Envoy, its listeners changed while it runs.
//!
//! ```ignore
//! let envoy = Envoy::shared(1).await;                    // one process for many tests
//! let upstream = Upstream::http1().await;
//! let gate = envoy.listener(ListenerSpec::to(Cluster::to(&upstream))).await.unwrap();
//! let answer = gate.call(&Request::get("/")).await;
//! let line = gate.log_line(&answer).await;
//! ```
//!
//! Listeners and clusters reach Envoy through discovery files, so a test adds its own listener to an
//! Envoy that other tests use too, and learns whether Envoy took it. A listener goes when its
//! [`Gate`] is dropped.

mod cluster;
mod gate;
mod listener;
mod process;
mod wasm;
mod xds;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub use self::cluster::{Cluster, Credential};
pub use self::gate::Gate;
pub use self::listener::{ListenerSpec, Route, Tls};
use self::process::Process;
pub use self::wasm::{Policy, Wasm};
use self::xds::Xds;
use crate::client::http1::Connection;
use crate::client::{Request, Target};
use crate::tools;
use crate::wait::{until, within};

/// Settings of an Envoy process.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads.
    pub workers: u32,
    /// `stats_config.stats_tags`.
    pub stats_tags: Value,
    /// Log level of Envoy's `wasm` component, where a filter's own log goes.
    pub wasm_log: &'static str,
    /// Environment variables of the process, for `host_env_keys`.
    pub environment: BTreeMap<String, String>,
    /// Merged over the generated bootstrap, member by member.
    pub bootstrap: Value,
    /// Access-log lines are written at once; otherwise as Envoy does by itself, in blocks.
    pub log_at_once: bool,
    /// A configuration file to run as it is, from the project's root, instead of a generated one;
    /// listeners cannot be added then.
    pub config: Option<PathBuf>,
    /// What Envoy is started by: a program and its arguments, which Envoy's own follow.
    pub under: Vec<OsString>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: 1,
            stats_tags: crate::governed::stats_config()["stats_tags"].clone(),
            wasm_log: "info",
            environment: BTreeMap::new(),
            bootstrap: json!({}),
            log_at_once: true,
            config: None,
            under: Vec::new(),
        }
    }
}

/// A running Envoy; the process ends with the last handle, or with the test process.
#[derive(Clone)]
pub struct Envoy {
    inner: Arc<Inner>,
}

struct Inner {
    process: Process,
    admin: SocketAddr,
    directory: PathBuf,
    workers: u32,
    /// Runs a configuration of its own.
    fixed: bool,
    xds: tokio::sync::Mutex<Xds>,
    /// Listeners whose gates were dropped.
    doomed: std::sync::Mutex<Vec<String>>,
}

/// Why Envoy refused a configuration.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// Envoy's reason.
    pub reason: String,
    /// What Envoy (and the filter in it) logged meanwhile.
    pub log: String,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envoy refused: {}\n{}", self.reason, self.log)
    }
}

impl std::error::Error for Rejected {}

impl Envoy {
    /// The Envoy with this many workers (1 or 4) that all tests of this process share.
    pub async fn shared(workers: u32) -> Self {
        static ONE: OnceCell<Envoy> = OnceCell::const_new();
        static FOUR: OnceCell<Envoy> = OnceCell::const_new();
        let cell = match workers {
            1 => &ONE,
            4 => &FOUR,
            _ => panic!("shared Envoys have 1 or 4 workers, not {workers}"),
        };
        cell.get_or_init(|| Self::start(Options { workers, ..Options::default() })).await.clone()
    }

    /// An Envoy of one's own, ready to take listeners.
    pub async fn start(options: Options) -> Self {
        let directory = tools::scratch(&format!("envoy{}", options.workers));
        let xds = Xds::new(&directory);
        let bootstrap = options.config.clone().unwrap_or_else(|| {
            let path = directory.join("bootstrap.json");
            write_json(&path, &bootstrap_config(&options, &directory));
            path
        });
        let admin_path = directory.join("admin");
        let mut words = options.under.iter().cloned().chain([tools::envoy().into_os_string()]);
        let mut command = Command::new(words.next().expect("Envoy at least"));
        command.args(words).current_dir(tools::root()).envs(&options.environment);
        command.arg("-c").arg(&bootstrap).arg("--admin-address-path").arg(&admin_path);
        // No hot restart: no shared memory to leave behind, any number of Envoys side by side.
        command.arg("--disable-hot-restart").args(["--concurrency", &options.workers.to_string()]);
        if options.log_at_once {
            command.args(["--file-flush-min-size-kb", "0", "--file-flush-interval-msec", "20"]);
        }
        // Removed listeners go at once.
        command.args(["--drain-time-s", "1"]);
        command.args(["--log-level", "warning", "--component-log-level", &format!("wasm:{}", options.wasm_log)]);
        let process = Process::start(command, &directory.join("envoy.log")).expect("start Envoy");
        let admin = until("Envoy to be ready", async || {
            if let Some(end) = process.ended() {
                panic!("Envoy ended while starting ({end}):\n{}", process.log_tail());
            }
            let address = std::fs::read_to_string(&admin_path).map_err(|e| e.to_string())?;
            let address: SocketAddr = address.trim().parse().map_err(|_| process.log_tail())?;
            match admin_get(address, "/ready").await {
                Ok((200, _)) => Ok(address),
                other => Err(format!("{other:?}\n{}", process.log_tail())),
            }
        })
        .await;
        let inner = Inner {
            process,
            admin,
            directory,
            workers: options.workers,
            fixed: options.config.is_some(),
            xds: tokio::sync::Mutex::new(xds),
            doomed: std::sync::Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Adds a listener and waits until every worker serves it, or Envoy says why not.
    pub async fn listener(&self, spec: ListenerSpec) -> Result<Gate, Rejected> {
        Gate::open(self.clone(), spec).await
    }

    /// Addresses of all listeners by name; for an Envoy that runs a configuration file.
    pub async fn listeners(&self) -> BTreeMap<String, SocketAddr> {
        let (_, text) = self.admin("/listeners?format=json").await;
        let listeners: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
        let named = |listener: &Value| {
            let address = &listener["local_address"]["socket_address"];
            let port = address["port_value"].as_u64().filter(|port| *port != 0)?;
            let address = format!("{}:{port}", address["address"].as_str()?).parse().ok()?;
            Some((listener["name"].as_str()?.to_owned(), address))
        };
        listeners["listener_statuses"].as_array().into_iter().flatten().filter_map(named).collect()
    }

    /// GET on the admin interface: status and body.
    pub async fn admin(&self, target: &str) -> (u16, String) {
        let answer = admin_get(self.inner.admin, target).await;
        answer.unwrap_or_else(|e| panic!("admin {target}: {e}; {}", self.inner.process.log_tail()))
    }

    /// Counters and gauges whose name matches the regular expression.
    pub async fn stats(&self, filter: &str) -> BTreeMap<String, u64> {
        let escaped: String = filter.bytes().map(|b| format!("%{b:02X}")).collect();
        let (_, text) = self.admin(&format!("/stats?filter={escaped}")).await;
        let pair = |line: &str| {
            let (name, value) = line.rsplit_once(": ")?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        text.lines().filter_map(pair).collect()
    }

    /// One counter or gauge; 0 when Envoy does not know it (yet).
    pub async fn stat(&self, name: &str) -> u64 {
        self.stats(&format!("^{}$", name.replace('.', "\\."))).await.values().copied().next().unwrap_or(0)
    }

    /// All stats as Prometheus sees them.
    pub async fn prometheus(&self) -> String {
        self.admin("/stats/prometheus").await.1
    }

    /// Envoy's log so far, the filter's messages included.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.inner.process.log).unwrap_or_default()).into_owned()
    }

    /// Where its admin interface is, for what scrapes it.
    pub fn admin_address(&self) -> SocketAddr {
        self.inner.admin
    }

    /// Its process id, for CPU and memory accounting.
    pub fn pid(&self) -> u32 {
        self.inner.process.id()
    }

    /// Panics with the log's end if the process is gone.
    pub fn assert_alive(&self) {
        if let Some(end) = self.inner.process.ended() {
            panic!("Envoy ended ({end}):\n{}", self.inner.process.log_tail());
        }
    }
}

/// Whether Envoy takes this configuration file (`--mode validate`): no port is opened, but filters
/// are loaded and configured. The error is Envoy's own output.
pub async fn validate(config: &Path) -> Result<(), String> {
    validate_in(config, &BTreeMap::new()).await
}

/// The same with these environment variables.
pub async fn validate_in(config: &Path, environment: &BTreeMap<String, String>) -> Result<(), String> {
    let mut command = tokio::process::Command::new(tools::envoy());
    command.current_dir(tools::root()).envs(environment);
    command.arg("-c").arg(config).args(["--mode", "validate", "--log-level", "warning"]);
    let output = within("Envoy to validate", command.kill_on_drop(true).output()).await.expect("start Envoy");
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

fn bootstrap_config(options: &Options, directory: &Path) -> Value {
    let source =
        |file: &str| json!({"resource_api_version": "V3", "path_config_source": {"path": directory.join(file)}});
    let mut config = json!({
        "node": {"id": "doorward-e2e", "cluster": "doorward-e2e"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {"lds_config": source(xds::LISTENERS), "cds_config": source(xds::CLUSTERS)},
        "stats_config": {"stats_tags": options.stats_tags},
    });
    merge(&mut config, &options.bootstrap);
    config
}

async fn admin_get(address: SocketAddr, target: &str) -> std::io::Result<(u16, String)> {
    let mut connection = Connection::open(&Target::plain(address)).await?;
    let answer = connection.call(&Request::get(target)).await?;
    Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
}

/// Merges objects member by member, deeply; anything else is replaced.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// Writes beside and renames over: a reader sees the old file or the new one.
fn write_json(path: &Path, value: &Value) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, value.to_string()).expect("write a configuration file");
    std::fs::rename(&beside, path).expect("put a configuration file in place");
}
