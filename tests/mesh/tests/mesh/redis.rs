//! A redis-server of the distribution, started, killed and started again by a test; and Limitador's counters in it.
//!
//! Limitador 0.14's own Redis storage does not compile unless its RocksDB storage is compiled, too, so the engine gets its
//! counters from here by the trait that it has for that. One script checks all counters of a call and adds to them, so that several
//! services over one Redis agree as well.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorward_e2e::tools;
use doorward_e2e::wait::until;
use limitador::counter::Counter;
use limitador::limit::Limit;
use limitador::storage::{AsyncCounterStorage, Authorization, StorageErr};
use redis::aio::MultiplexedConnection;

/// A server that keeps on disk what it answered for.
pub struct Redis {
    directory: PathBuf,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Redis {
    pub async fn start() -> Arc<Self> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
        let redis = Self { directory: tools::scratch("redis"), port: free.port(), child: Mutex::default() };
        redis.restart().await;
        Arc::new(redis)
    }

    pub async fn restart(&self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
            .arg(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts (tests/setup-mesh installs it)");
        *self.child.lock().expect("the server") = Some(child);
        until("Redis to answer", async || {
            let mut connection = self.connect().await.map_err(|e| e.to_string())?;
            redis::cmd("PING").query_async::<String>(&mut connection).await.map_err(|e| e.to_string())
        })
        .await;
    }

    /// As power cuts do.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().expect("the server").take() {
            child.kill().expect("to be killed");
            child.wait().expect("its end");
        }
    }

    async fn connect(&self) -> redis::RedisResult<MultiplexedConnection> {
        redis::Client::open(format!("redis://127.0.0.1:{}/", self.port))?.get_multiplexed_async_connection().await
    }

    /// All counts, by key.
    pub async fn counts(&self) -> Vec<(String, i64)> {
        let mut connection = self.connect().await.expect("Redis");
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.expect("keys");
        let mut counts = Vec::new();
        for key in keys {
            let count: i64 = redis::cmd("GET").arg(&key).query_async(&mut connection).await.expect("a count");
            counts.push((key, count));
        }
        counts
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Checks all counters, then adds to all of them: `ARGV` is the amount, and each key's bound and seconds.
const CHECK_AND_ADD: &str = "
    for i, key in ipairs(KEYS) do
        local used = tonumber(redis.call('GET', key) or '0')
        if used + tonumber(ARGV[1]) > tonumber(ARGV[2 * i]) then return i end
    end
    for i, key in ipairs(KEYS) do
        redis.call('INCRBY', key, ARGV[1])
        redis.call('EXPIRE', key, ARGV[2 * i + 1], 'NX')
    end
    return 0";

/// Takes back, to no less than nothing.
const TAKE_BACK: &str = "
    local left = math.max(0, tonumber(redis.call('GET', KEYS[1]) or '0') - tonumber(ARGV[1]))
    redis.call('SET', KEYS[1], left, 'KEEPTTL')";

/// Limitador's counters.
pub struct Counters {
    redis: Arc<Redis>,
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    /// Redis did not answer: the trait has no error that others than Limitador could make.
    pub failed: AtomicBool,
}

impl Counters {
    pub fn of(redis: Arc<Redis>) -> Self {
        Self { redis, connection: tokio::sync::Mutex::default(), failed: AtomicBool::new(false) }
    }

    async fn run(&self, invocation: &redis::ScriptInvocation<'_>) -> Option<i64> {
        let mut kept = self.connection.lock().await;
        let run = async {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => self.redis.connect().await?,
            };
            let answer: i64 = invocation.invoke_async::<Option<i64>>(&mut connection).await?.unwrap_or(0);
            *kept = Some(connection);
            redis::RedisResult::Ok(answer)
        };
        let answer = tokio::time::timeout(Duration::from_millis(300), run).await.ok()?.ok();
        if answer.is_none() {
            self.failed.store(true, Ordering::SeqCst);
        }
        answer
    }

    /// A refund, which Limitador's engine does not have.
    pub async fn take_back(&self, counter: &Counter, amount: u64) {
        self.run(redis::Script::new(TAKE_BACK).key(key(counter)).arg(amount)).await;
    }
}

/// The same, as the engine wants to own them.
pub struct Shared(pub Arc<Counters>);

fn key(counter: &Counter) -> String {
    let variables: Vec<String> =
        counter.set_variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}/{}", counter.id().unwrap_or_default(), variables.join(","))
}

#[async_trait::async_trait]
impl AsyncCounterStorage for Shared {
    async fn check_and_update<'a>(&self, counters: &mut Vec<Counter>, delta: u64) -> Result<Authorization, StorageErr> {
        let script = redis::Script::new(CHECK_AND_ADD);
        let mut invocation = script.prepare_invoke();
        invocation.arg(delta);
        for counter in counters.iter() {
            invocation.key(key(counter)).arg(counter.max_value()).arg(counter.window().as_secs());
        }
        let answer = self.0.run(&invocation).await;
        Ok(if answer == Some(0) { Authorization::Ok } else { Authorization::Limited(None) })
    }

    async fn is_within_limits(&self, counter: &Counter, delta: u64) -> Result<bool, StorageErr> {
        let script = redis::Script::new("return tonumber(redis.call('GET', KEYS[1]) or '0')");
        let used = self.0.run(&script.key(key(counter))).await;
        Ok(used.and_then(|used| u64::try_from(used).ok()).is_some_and(|used| used + delta <= counter.max_value()))
    }

    async fn update_counter(&self, counter: &Counter, delta: u64) -> Result<(), StorageErr> {
        let add = "redis.call('INCRBY', KEYS[1], ARGV[1]); redis.call('EXPIRE', KEYS[1], ARGV[2], 'NX')";
        let script = redis::Script::new(add);
        self.0.run(script.key(key(counter)).arg(delta).arg(counter.window().as_secs())).await;
        Ok(())
    }

    async fn check<'a>(&self, counters: &mut Vec<Counter>, delta: u64) -> Result<Authorization, StorageErr> {
        for counter in counters.iter() {
            if !self.is_within_limits(counter, delta).await? {
                return Ok(Authorization::Limited(None));
            }
        }
        Ok(Authorization::Ok)
    }

    async fn get_counters(&self, _: &HashSet<Arc<Limit>>) -> Result<HashSet<Counter>, StorageErr> {
        unimplemented!("tests look into Redis")
    }

    async fn delete_counters(&self, _: &HashSet<Arc<Limit>>) -> Result<(), StorageErr> {
        unimplemented!("limits stay")
    }

    async fn clear(&self) -> Result<(), StorageErr> {
        unimplemented!("limits stay")
    }
}
