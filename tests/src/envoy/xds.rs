//! Listener and cluster discovery through files (state of the world), one change at a time so that
//! an outcome belongs to its change.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{Envoy, ListenerSpec, Rejected, write_json};
use crate::wait::until;

pub(super) const LISTENERS: &str = "listeners.json";
pub(super) const CLUSTERS: &str = "clusters.json";

/// What Envoy has been told.
pub(super) struct Xds {
    directory: PathBuf,
    version: u64,
    listeners: BTreeMap<String, Value>,
    clusters: BTreeMap<String, Value>,
    /// Clusters of each listener.
    owned: BTreeMap<String, Vec<String>>,
    /// Port of each listener that there ever was.
    ports: BTreeMap<String, u16>,
}

impl Xds {
    pub(super) fn new(directory: &Path) -> Self {
        let mut xds = Self {
            directory: directory.to_owned(),
            version: 0,
            listeners: BTreeMap::new(),
            clusters: BTreeMap::new(),
            owned: BTreeMap::new(),
            ports: BTreeMap::new(),
        };
        xds.write(CLUSTERS);
        xds.write(LISTENERS);
        xds
    }

    fn write(&mut self, file: &str) {
        self.version += 1;
        let resources = if file == LISTENERS { &self.listeners } else { &self.clusters };
        let resources: Vec<&Value> = resources.values().collect();
        let config = json!({"version_info": self.version.to_string(), "resources": resources});
        write_json(&self.directory.join(file), &config);
    }
}

/// A port that nobody listens on, and nobody is given: below those that connections come from. Port 0 will not do: a listener
/// with it takes over the socket of any other that has it, too, and is draining, which may be another test's.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(97));
        let port = 12_000 + (next % 20_000) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Envoy {
    /// Puts a listener and its clusters in place, new or changed; waits until all workers have it.
    pub(super) async fn apply(&self, name: &str, spec: &ListenerSpec) -> Result<SocketAddr, Rejected> {
        assert!(!self.inner.fixed, "this Envoy runs a configuration file, no listener can be added");
        let mut xds = self.inner.xds.lock().await;
        self.assert_alive();
        let log_start = self.log().len();
        let rejected = |reason: String| {
            let log = self.log().get(log_start..).unwrap_or_default().to_owned();
            Rejected { reason, log }
        };
        let before = self.add_clusters(&mut xds, name, spec).await.map_err(rejected)?;

        let log = ListenerSpec::log_path(&self.inner.directory, name);
        let port = *xds.ports.entry(name.to_owned()).or_insert_with(free_port);
        let config = spec.config(name, port, &log);
        let previous = xds.listeners.insert(name.to_owned(), config);
        if previous.as_ref() == xds.listeners.get(name) {
            return Ok(self.address(name).await.expect("a listener that is there"));
        }
        for doomed in std::mem::take(&mut *self.inner.doomed.lock().unwrap_or_else(PoisonError::into_inner)) {
            xds.listeners.remove(&doomed);
            // They go with the next change of clusters, when no route refers to them any more.
            for cluster in xds.owned.remove(&doomed).unwrap_or_default() {
                xds.clusters.remove(&cluster);
            }
        }
        let added = self.stat("listener_manager.listener_create_success").await;
        match self.deliver(&mut xds, LISTENERS).await {
            Ok(()) => {
                let wanted = added + u64::from(self.inner.workers);
                Ok(self.serving(name, wanted).await)
            }
            Err(()) => {
                let reason = self.refusal(name).await;
                match previous {
                    Some(previous) => drop(xds.listeners.insert(name.to_owned(), previous)),
                    None => drop(xds.listeners.remove(name)),
                }
                xds.clusters = before;
                self.deliver(&mut xds, LISTENERS).await.map_err(|()| rejected("and the old one as well".to_owned()))?;
                Err(rejected(reason))
            }
        }
    }

    /// Adds the clusters of a listener; returns those there were before.
    async fn add_clusters(
        &self,
        xds: &mut Xds,
        name: &str,
        spec: &ListenerSpec,
    ) -> Result<BTreeMap<String, Value>, String> {
        let before = xds.clusters.clone();
        for cluster in &spec.clusters {
            let secret = self.inner.directory.join(format!("{}.secret.json", cluster.name));
            if let Some(config) = cluster.secret() {
                write_json(&secret, &config);
            }
            let owned = xds.owned.entry(name.to_owned()).or_default();
            let mine = owned.contains(&cluster.name);
            if !mine {
                owned.push(cluster.name.clone());
            }
            let config = cluster.config(&secret);
            let old = xds.clusters.insert(cluster.name.clone(), config.clone());
            assert!(mine || old.is_none_or(|old| old == config), "two tests have a cluster `{}`", cluster.name);
        }
        if xds.clusters == before {
            return Ok(before);
        }
        if self.deliver(xds, CLUSTERS).await.is_err() {
            xds.clusters = before;
            self.deliver(xds, CLUSTERS).await.ok();
            return Err("a cluster".to_owned());
        }
        until("clusters to be warm", async || match self.stat("cluster_manager.warming_clusters").await {
            0 => Ok(()),
            warming => Err(format!("{warming} are not; {}", self.inner.process.log_tail())),
        })
        .await;
        Ok(before)
    }

    /// Writes a file and waits for Envoy's verdict on it.
    async fn deliver(&self, xds: &mut Xds, file: &str) -> Result<(), ()> {
        let stats = if file == LISTENERS { "listener_manager.lds" } else { "cluster_manager.cds" };
        let counts = async || {
            let stats = self.stats(&format!("^{}\\.update_(success|rejected)$", stats.replace('.', "\\."))).await;
            let count = |end: &str| stats.iter().find(|(name, _)| name.ends_with(end)).map_or(0, |(_, count)| *count);
            (count("success"), count("rejected"))
        };
        let (succeeded, refused) = counts().await;
        xds.write(file);
        until("Envoy's verdict on a configuration", async || {
            self.assert_alive();
            match counts().await {
                (now, _) if now > succeeded => Ok(Ok(())),
                (_, now) if now > refused => Ok(Err(())),
                same => Err(format!("{file}: {same:?}")),
            }
        })
        .await
    }

    /// Waits until Envoy has given `added` listeners to workers: the changed one went to each of
    /// them, after its filter. (The version of a listener says less: it stays when only filters change.)
    async fn serving(&self, name: &str, added: u64) -> SocketAddr {
        until("a listener to be served", async || {
            self.assert_alive();
            let now = self.stat("listener_manager.listener_create_success").await;
            if now < added {
                let dump = self.dump(name).await;
                return Err(format!("{now} of {added} additions; {dump:.2000}; {}", self.inner.process.log_tail()));
            }
            self.address(name).await.ok_or_else(|| "no address".to_owned())
        })
        .await
    }

    async fn address(&self, name: &str) -> Option<SocketAddr> {
        self.listeners().await.get(name).copied()
    }

    async fn refusal(&self, name: &str) -> String {
        until("the reason of a refusal", async || {
            let dump = self.dump(name).await;
            let details = dump["error_state"]["details"].as_str().map(str::to_owned);
            details.ok_or_else(|| format!("{dump:.2000}; {}", self.inner.process.log_tail()))
        })
        .await
    }

    async fn dump(&self, name: &str) -> Value {
        let (_, text) = self.admin(&format!("/config_dump?resource=dynamic_listeners&name_regex={name}")).await;
        let mut dump: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
        let configs = dump["configs"].as_array_mut().map(std::mem::take).unwrap_or_default();
        configs.into_iter().find(|config| config["name"] == name).unwrap_or_default()
    }
}
