//! The identity step, and what the filter does for whole streams, timed in the VM by the host's clock, for `make bench`: only in modules
//! built with the feature `bench`, which nobody ships.
//!
//! Of streams, the median of every two hundred of a policy is told, settlement and record included.
//!
//! The identity step is measured while a policy with tokens is configured. The tokens come in an environment variable. Each is first checked by the host's `verify_signature` alone, then by the
//! whole step with nothing remembered, the other way round for every second one; then all of them again, remembered now.

use std::cell::RefCell;
use std::collections::BTreeMap;

use doorward_core::config::{Path, Tree, from_tree};
use doorward_core::exchange::Time;
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, Host, HostError, Side, SignatureCheck, StoreError, Stored};
use doorward_core::identity::{Identity, Keys, Outcome, Presented, take};

use crate::abi::{Level, calls};
use crate::config;
use crate::host::Envoy;
use crate::metadata::Expressions;
use crate::protobuf;
use crate::state::State;

/// Streams of a policy of which the median is told.
const STREAMS: usize = 200;

thread_local! {
    /// Nanoseconds that streams took, by the policy's name.
    static SPENT: RefCell<BTreeMap<String, Vec<u64>>> = const { RefCell::new(BTreeMap::new()) };
}

/// How often every token is looked up when all are known.
const ROUNDS: usize = 20;

/// Measures with the identity section of an accepted configuration, and says so in the log.
pub fn run(configuration: &[u8], started: Time) {
    let configured_ns = now().saturating_sub(started.0);
    let line = match measure(configuration) {
        Some([native, cold, warm]) => format!(
            "bench: {{\"on_configure_us\":{},\"native_us\":{},\"cold_us\":{},\"warm_us\":{}}}",
            us(configured_ns),
            us(native),
            us(cold),
            us(warm)
        ),
        None => "bench: a token was not verified".to_owned(),
    };
    calls::log(Level::Error, &line);
}

/// A stream is over, its record written.
pub fn over(state: &State, id: u32) {
    let Some(stream) = state.streams.get(&id) else { return };
    let Some(generation) = stream.generation.and_then(|id| state.generations.get(&id)) else { return };
    let name = generation.engine.name();
    let spent = SPENT.with_borrow_mut(|all| {
        let spent = all.entry(name.to_owned()).or_default();
        spent.push(stream.spent_ns);
        (spent.len() >= STREAMS).then(|| std::mem::take(spent))
    });
    if let Some(spent) = spent {
        let line = format!("bench: {{\"policy\":\"{name}\",\"streams\":{STREAMS},\"spent_us\":{}}}", us(median(spent)));
        calls::log(Level::Error, &line);
    }
}

/// Medians in nanoseconds: the bare native check, a token never seen, a token seen before.
fn measure(configuration: &[u8]) -> Option<[u64; 3]> {
    let identity = identity(configuration)?;
    let mut keys = Keys::new(&identity, "bench");
    let mut expressions = Expressions::default();
    let mut host = Capture { envoy: Envoy::new(&mut expressions), arguments: Vec::new() };
    let tokens = std::env::var("DOORWARD_BENCH_TOKENS").ok()?;
    let heads: Vec<Headers> = tokens
        .split(' ')
        .map(|token| {
            Headers::from_iter([(":path", "/v1/chat/completions"), ("authorization", &*format!("Bearer {token}"))])
        })
        .collect();
    let (mut native, mut cold, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for (n, head) in heads.iter().enumerate() {
        // Other keys, which remember nothing for the measurement: what the host is asked is captured.
        step(&identity, &mut Keys::new(&identity, "bench"), head, &mut host)?;
        let arguments = std::mem::take(&mut host.arguments);
        for turn in 0..2 {
            let start = now();
            if (n + turn) % 2 == 0 {
                let answer = calls::foreign_function("verify_signature", &arguments).ok()?;
                native.push(now().saturating_sub(start));
                protobuf::verify_result(&answer).ok().filter(|good| *good)?;
            } else {
                step(&identity, &mut keys, head, &mut host.envoy)?;
                cold.push(now().saturating_sub(start));
            }
        }
    }
    for _ in 0..ROUNDS {
        for head in &heads {
            let start = now();
            step(&identity, &mut keys, head, &mut host.envoy)?;
            warm.push(now().saturating_sub(start));
        }
    }
    // Nothing of it was asked of the host.
    host.arguments.is_empty().then(|| [median(native), median(cold), median(warm)])
}

/// The whole step: the credential is found in the headers and proven.
fn step(identity: &Identity, keys: &mut Keys, head: &Headers, host: &mut dyn Host) -> Option<()> {
    let presented = Presented { credential: take(head, &identity.take_options(false)).ok()?, headers: head };
    let outcome = identity.authenticate(keys, presented, now() / 1_000_000, None, host, &mut Vec::new());
    matches!(outcome, Outcome::Verified(_)).then_some(())
}

fn identity(configuration: &[u8]) -> Option<Identity> {
    let tree: Tree = config::read(configuration).ok()?;
    let path = Path::root().key("identity");
    let document = from_tree(tree.get("identity")?, &path).ok()?;
    Identity::compile(&document, &|name| std::env::var(name).ok(), &path).ok()
}

fn now() -> u64 {
    calls::now().unwrap_or(0)
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds in nanoseconds")]
fn us(ns: u64) -> f64 {
    ns as f64 / 1e3
}

/// Keeps what `verify_signature` is called with.
struct Capture<'a> {
    envoy: Envoy<'a>,
    arguments: Vec<u8>,
}

impl Host for Capture<'_> {
    fn verify(&mut self, check: SignatureCheck<'_>) -> Result<bool, HostError> {
        self.arguments = protobuf::verify_arguments(&check).ok_or(HostError::Unsupported)?;
        self.envoy.verify(check)
    }

    fn load(&mut self, key: &str) -> Result<Option<Stored>, HostError> {
        self.envoy.load(key)
    }

    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), StoreError> {
        self.envoy.store(key, value, version)
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        self.envoy.random(out)
    }

    fn attribute(&mut self, attribute: Attribute<'_>) -> Option<String> {
        self.envoy.attribute(attribute)
    }

    fn body(&mut self, side: Side) -> Result<Vec<u8>, HostError> {
        self.envoy.body(side)
    }
}
