//! Fetched key sets: rotation, waiting, cool-down, a provider that is down, and several workers on one store.

use super::*;
use crate::host::{Attribute, Host, HostError, SignatureCheck, StoreError, Stored};

const URI: &str = "spiffe://x/y";

fn section() -> Value {
    json!({"jwt": [{"issuer": ISSUER, "audiences": AUDIENCE,
        "jwks": {"cluster": "idp", "authority": "idp.test", "path": "/jwks", "refresh": "10m", "timeout": "5s"}}]})
}

fn set(keys: &[(&str, &str)]) -> String {
    let keys: Vec<Value> = keys.iter().map(|(name, kid)| jwk(name, json!({"kid": kid}))).collect();
    json!({"keys": keys}).to_string()
}

/// A token of the P-256 key `name` under `kid`.
fn token_of(name: &str, kid: &str) -> String {
    let header = json!({"alg": "ES256", "kid": kid}).to_string();
    sign(name, "ES256", &header, &claims(json!({"exp": NOW + 86_400})))
}

/// One worker; the store is passed in, since workers share it.
struct Worker {
    identity: Identity,
    keys: Keys,
    fetches: Vec<Fetch>,
}

impl Worker {
    fn of(section: Value) -> Self {
        let identity = try_compile(section).unwrap();
        let keys = Keys::new(&identity, "policy-1/");
        Self { identity, keys, fetches: Vec::new() }
    }

    fn new() -> Self {
        Self::of(section())
    }

    fn tick(&mut self, now_ms: u64, host: &mut dyn Host) -> usize {
        self.fetches.clear();
        self.keys.tick(&self.identity, now_ms, host, &mut self.fetches);
        self.fetches.len()
    }

    fn answer(&mut self, body: Option<&str>, now_ms: u64, host: &mut dyn Host) {
        self.keys.fetched(&self.identity, 0, body.map(str::as_bytes).ok_or(()), now_ms, host);
    }

    fn ask(&mut self, token: &str, now_ms: u64, since: Option<u64>, host: &mut dyn Host) -> Outcome {
        self.fetches.clear();
        let header = format!("Bearer {token}");
        let headers: Headers = [("authorization", header.as_str())].into_iter().collect();
        let credential = take(&headers, &self.identity.take_options(false)).unwrap();
        let presented = Presented { credential, headers: &headers };
        self.identity.authenticate(&mut self.keys, presented, now_ms, since, host, &mut self.fetches)
    }

    fn passes(&mut self, token: &str, now_ms: u64, host: &mut dyn Host) -> bool {
        matches!(self.ask(token, now_ms, None, host), Outcome::Verified(_))
    }

    /// A worker that has fetched these keys.
    fn with(keys: &[(&str, &str)], host: &mut dyn Host) -> Self {
        let mut worker = Self::new();
        assert_eq!(worker.tick(NOW_MS, host), 1);
        worker.answer(Some(&set(keys)), NOW_MS, host);
        worker
    }
}

fn wait(until_ms: u64) -> Outcome {
    Outcome::Wait { issuer: 0, until_ms }
}

#[test]
fn the_first_set_is_fetched_once_and_refreshed() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::new();
    assert_eq!(worker.tick(NOW_MS, &mut host), 1);
    assert_eq!(
        worker.fetches,
        [Fetch {
            issuer: 0,
            cluster: "idp".into(),
            authority: "idp.test".into(),
            path: "/jwks".into(),
            timeout_ms: 5000
        }]
    );
    assert_eq!(worker.tick(NOW_MS + 1000, &mut host), 0, "one is under way");
    worker.answer(Some(&set(&[("p256_a", "a")])), NOW_MS + 1500, &mut host);
    assert_eq!(worker.keys.counts(0), Some((1, 0)));
    assert!(worker.passes(&token_of("p256_a", "a"), NOW_MS + 1500, &mut host));
    assert_eq!(worker.tick(NOW_MS + 600_000, &mut host), 0);
    assert_eq!(worker.tick(NOW_MS + 601_500, &mut host), 1, "due after ten minutes");
}

#[test]
fn a_request_before_the_first_set_waits_for_it() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::new();
    let token = token_of("p256_a", "a");
    assert_eq!(worker.ask(&token, NOW_MS, None, &mut host), wait(NOW_MS + 1000));
    assert_eq!(worker.fetches.len(), 1);
    assert_eq!(worker.ask(&token, NOW_MS + 10, None, &mut host), wait(NOW_MS + 1010));
    assert_eq!(worker.fetches.len(), 0, "one fetch for all");
    worker.answer(Some(&set(&[("p256_a", "a")])), NOW_MS + 200, &mut host);
    assert!(matches!(worker.ask(&token, NOW_MS + 200, Some(NOW_MS), &mut host), Outcome::Verified(_)));
}

#[test]
fn without_any_set_it_is_our_fault() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::new();
    let token = token_of("p256_a", "a");
    assert_eq!(worker.ask(&token, NOW_MS, None, &mut host), wait(NOW_MS + 1000));
    assert_eq!(worker.ask(&token, NOW_MS + 999, Some(NOW_MS), &mut host), wait(NOW_MS + 1000));
    let unavailable = Outcome::Refused(Reason::KeysUnavailable);
    assert_eq!(worker.ask(&token, NOW_MS + 1000, Some(NOW_MS), &mut host), unavailable, "no longer than a second");
    worker.answer(None, NOW_MS + 5000, &mut host);
    assert_eq!(worker.ask(&token, NOW_MS + 5100, None, &mut host), unavailable, "the provider has a pause");
    assert_eq!(worker.fetches.len() + worker.tick(NOW_MS + 5200, &mut host), 0);
    assert_eq!(worker.tick(NOW_MS + 7000, &mut host), 1, "and then is asked again");
    // Pauses grow, up to a minute.
    let (mut now, mut pauses) = (NOW_MS + 7000, Vec::new());
    for _ in 0..7 {
        worker.answer(None, now, &mut host);
        let start = now;
        while worker.tick(now, &mut host) == 0 {
            now += 500;
        }
        pauses.push((now - start) / 1000);
    }
    assert_eq!(pauses, [4, 8, 16, 32, 60, 60, 60]);
    worker.answer(Some(&set(&[("p256_a", "a")])), now, &mut host);
    assert!(worker.passes(&token, now, &mut host));
    // Failures that end a wait early.
    let mut other = Worker::new();
    let mut host = MemoryHost::default();
    assert_eq!(other.ask(&token, NOW_MS, None, &mut host), wait(NOW_MS + 1000));
    other.answer(None, NOW_MS + 50, &mut host);
    assert_eq!(other.ask(&token, NOW_MS + 50, Some(NOW_MS), &mut host), unavailable);
}

#[test]
fn a_rotated_key_is_found_and_the_old_one_dies() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::with(&[("p256_a", "a")], &mut host);
    let (old, new) = (token_of("p256_a", "a"), token_of("p256_b", "b"));
    let now = NOW_MS + 60_000;
    assert!(worker.passes(&old, now, &mut host));
    assert_eq!(worker.ask(&new, now, None, &mut host), wait(now + 1000));
    assert_eq!(worker.fetches.len(), 1);
    assert!(worker.passes(&old, now, &mut host), "known keys do not wait");
    worker.answer(Some(&set(&[("p256_b", "b")])), now + 100, &mut host);
    assert!(matches!(worker.ask(&new, now + 100, Some(now), &mut host), Outcome::Verified(_)));
    // Remembered or not: its key has left the set. Within the cool-down nobody is asked again.
    assert_eq!(worker.ask(&old, now + 200, None, &mut host), Outcome::Refused(Reason::UnknownKey));
    assert!(worker.fetches.is_empty());
}

#[test]
fn the_same_kid_with_another_key_is_another_key() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::with(&[("p256_a", "a")], &mut host);
    let old = token_of("p256_a", "a");
    assert!(worker.passes(&old, NOW_MS + 1, &mut host));
    worker.answer(Some(&set(&[("p256_b", "a")])), NOW_MS + 2, &mut host);
    assert_eq!(worker.ask(&old, NOW_MS + 3, None, &mut host), Outcome::Refused(Reason::Signature));
}

#[test]
fn made_up_kids_do_not_hammer_the_provider() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::with(&[("p256_a", "a")], &mut host);
    let mut fetched = 0;
    for i in 0..2000u64 {
        let now = NOW_MS + i * 10;
        let outcome = worker.ask(&token_of("p256_b", &format!("x{i}")), now, None, &mut host);
        fetched += worker.fetches.len();
        if !worker.fetches.is_empty() {
            assert_eq!(outcome, wait(now + 1000));
            worker.answer(Some(&set(&[("p256_a", "a")])), now, &mut host);
        } else {
            assert_eq!(outcome, Outcome::Refused(Reason::UnknownKey));
        }
    }
    assert_eq!(fetched, 1, "20 seconds, one every ten after the first fetch");
    // Nor do tokens that would fail anyway.
    let now = NOW_MS + 100_000;
    for changes in [json!({"exp": 1}), json!({"aud": "x"}), json!({"iss": "https://x"})] {
        let token = sign("p256_b", "ES256", r#"{"alg":"ES256","kid":"y"}"#, &claims(changes));
        assert!(matches!(worker.ask(&token, now, None, &mut host), Outcome::Refused(_)));
        assert!(worker.fetches.is_empty());
    }
    let unnamed = sign("p256_b", "ES256", r#"{"alg":"RS256"}"#, &claims(json!({})));
    assert_eq!(worker.ask(&unnamed, now, None, &mut host), Outcome::Refused(Reason::UnknownKey));
    assert!(worker.fetches.is_empty(), "without kid, a newer set would not help");
}

#[test]
fn the_last_good_set_outlives_the_provider() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::with(&[("p256_a", "a")], &mut host);
    let token = token_of("p256_a", "a");
    let mut now = NOW_MS;
    for bad in [None, Some(""), Some("<html>"), Some("{}"), Some(r#"{"keys":{}}"#), Some(r#"{"keys":[],"keys":[]}"#)] {
        now += 700_000;
        assert_eq!(worker.tick(now, &mut host), 1);
        worker.answer(bad, now, &mut host);
        assert!(worker.passes(&token, now, &mut host), "{bad:?}");
    }
    let huge = format!(r#"{{"keys":[],"pad":"{}"}}"#, "x".repeat(300_000));
    worker.answer(Some(&huge), now, &mut host);
    assert!(worker.passes(&token, now, &mut host));
    let unknown = token_of("p256_b", "b");
    assert_eq!(worker.ask(&unknown, now + 100, None, &mut host), Outcome::Refused(Reason::UnknownKey), "401, not 503");
    // An empty set is the provider's word.
    worker.answer(Some(r#"{"keys":[]}"#), now + 100_000, &mut host);
    assert_eq!(worker.ask(&token, now + 100_001, None, &mut host), Outcome::Refused(Reason::UnknownKey));
}

#[test]
fn unusable_keys_are_left_out_and_counted() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::new();
    worker.tick(NOW_MS, &mut host);
    let keys = json!({"keys": [
        jwk("p256_a", json!({"kid": "a"})), jwk("rsa_1024", json!({"kid": "w"})), jwk("rsa_a", json!({"kid": "e", "use": "enc"})),
        jwk("rsa_a", json!({"kid": "dup"})), jwk("rsa_b", json!({"kid": "dup"})), jwk("p256_a", json!({"kid": "a"})),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "o"}, 7,
    ]});
    worker.answer(Some(&keys.to_string()), NOW_MS, &mut host);
    assert_eq!(worker.keys.counts(0), Some((1, 7)));
    assert!(worker.passes(&token_of("p256_a", "a"), NOW_MS, &mut host));
    let dup = sign("rsa_a", "RS256", r#"{"alg":"RS256","kid":"dup"}"#, &claims(json!({})));
    assert_eq!(worker.ask(&dup, NOW_MS, None, &mut host), Outcome::Refused(Reason::UnknownKey));
    let many: Vec<Value> = (0..500).map(|i| jwk("ed25519", json!({"kid": i.to_string()}))).collect();
    worker.answer(Some(&json!({"keys": many}).to_string()), NOW_MS, &mut host);
    assert_eq!(worker.keys.counts(0), Some((100, 400)));
}

#[test]
fn one_worker_fetches_for_all() {
    let mut host = MemoryHost::default();
    let mut workers: Vec<Worker> = (0..5).map(|_| Worker::new()).collect();
    let fetching: Vec<usize> = workers.iter_mut().map(|w| w.tick(NOW_MS, &mut host)).collect();
    assert_eq!(fetching, [1, 0, 0, 0, 0]);
    let token = token_of("p256_a", "a");
    assert_eq!(workers[3].ask(&token, NOW_MS + 10, None, &mut host), wait(NOW_MS + 1010));
    workers[0].answer(Some(&set(&[("p256_a", "a")])), NOW_MS + 100, &mut host);
    // Woken by its tick, or by time; either way it looks into the store.
    assert_eq!(workers[3].tick(NOW_MS + 150, &mut host), 0);
    assert!(matches!(workers[3].ask(&token, NOW_MS + 150, Some(NOW_MS + 10), &mut host), Outcome::Verified(_)));
    assert!(workers[4].passes(&token, NOW_MS + 150, &mut host), "also without a tick");
    // Rotation seen by one is seen by all, and ends what they remembered.
    let now = NOW_MS + 60_000;
    let new = token_of("p256_b", "b");
    assert_eq!(workers[4].ask(&new, now, None, &mut host), wait(now + 1000));
    assert_eq!((workers[4].fetches.len(), workers[0].tick(now, &mut host)), (1, 0));
    assert_eq!(workers[2].ask(&new, now + 1, None, &mut host), wait(now + 1001));
    assert!(workers[2].fetches.is_empty());
    workers[4].answer(Some(&set(&[("p256_b", "b")])), now + 50, &mut host);
    for worker in &mut workers {
        worker.tick(now + 100, &mut host);
        assert!(worker.passes(&new, now + 100, &mut host));
        assert!(!worker.passes(&token, now + 100, &mut host));
    }
    // Refresh: one again.
    let due = now + 50 + 600_000;
    assert_eq!(workers.iter_mut().map(|w| w.tick(due, &mut host)).sum::<usize>(), 1);
}

#[test]
fn a_dead_fetcher_is_replaced() {
    let mut host = MemoryHost::default();
    let (mut dead, mut other) = (Worker::new(), Worker::new());
    assert_eq!(dead.tick(NOW_MS, &mut host), 1);
    assert_eq!(other.tick(NOW_MS + 6_999, &mut host), 0);
    assert_eq!(other.tick(NOW_MS + 7_000, &mut host), 1, "timeout and two seconds");
    // The dead one was only slow. Its failure does not end the other's lease; its success counts.
    dead.answer(None, NOW_MS + 7_100, &mut host);
    let mut third = Worker::new();
    assert_eq!(third.tick(NOW_MS + 10_000, &mut host), 0);
    dead.answer(Some(&set(&[("p256_a", "a")])), NOW_MS + 10_100, &mut host);
    assert!(third.passes(&token_of("p256_a", "a"), NOW_MS + 10_200, &mut host));
    // An answer that never comes: asked again when the lease has ended.
    let mut host = MemoryHost::default();
    let mut lost = Worker::new();
    assert_eq!((lost.tick(NOW_MS, &mut host), lost.tick(NOW_MS + 7_000, &mut host)), (1, 1));
}

#[test]
fn the_store_is_read_with_suspicion() {
    let mut host = MemoryHost::default();
    let _ = Worker::with(&[("p256_a", "a")], &mut host);
    let set_name = host.shared.keys().find(|k| k.contains("jwks")).unwrap().clone();
    let lease_name = host.shared.keys().find(|k| k.contains("lease")).unwrap().clone();
    assert!(set_name.starts_with("policy-1/"), "{set_name}");
    let (set_value, lease_value) = (host.shared[&set_name].value.clone(), host.shared[&lease_name].value.clone());
    let token = token_of("p256_a", "a");
    let plant = |host: &mut MemoryHost, name: &str, value: &[u8]| {
        host.store(name, value, None).unwrap();
    };
    // Rubbish is nothing, and is overwritten.
    for rubbish in [&b""[..], b"dwk1", b"dwl1", b"x", &[0xff; 64], &set_value[..20], &lease_value[..6]] {
        plant(&mut host, &set_name, rubbish);
        plant(&mut host, &lease_name, rubbish);
        let mut worker = Worker::new();
        assert_eq!(worker.tick(NOW_MS + 1, &mut host), 1, "{rubbish:?}");
        worker.answer(Some(&set(&[("p256_a", "a")])), NOW_MS + 2, &mut host);
        assert!(Worker::new().passes(&token, NOW_MS + 3, &mut host));
    }
    // Dates in the future would shut out every set to come, or every fetch.
    let mut future = set_value.clone();
    future[4..12].copy_from_slice(&u64::MAX.to_be_bytes());
    plant(&mut host, &set_name, &future);
    let mut stuck = lease_value.clone();
    stuck[4] = 1;
    stuck[6..14].copy_from_slice(&(NOW_MS + 3_600_000).to_be_bytes());
    plant(&mut host, &lease_name, &stuck);
    let mut worker = Worker::new();
    assert_eq!(worker.tick(NOW_MS + 10, &mut host), 1);
    worker.answer(Some(&set(&[("p256_a", "a")])), NOW_MS + 11, &mut host);
    assert!(Worker::new().passes(&token, NOW_MS + 12, &mut host), "the future set was replaced");
}

#[test]
fn with_a_key_the_store_is_authenticated() {
    let mut keyed = section();
    keyed["shared_key"] = json!({"env": "SECRET"});
    let mut host = MemoryHost::default();
    // An attacker's worker, without the key.
    let _ = Worker::with(&[("p256_b", "b")], &mut host);
    let mut worker = Worker::of(keyed.clone());
    assert_eq!(worker.tick(NOW_MS, &mut host), 1, "neither its set nor its lease counts");
    assert_eq!(worker.keys.counts(0), None);
    worker.answer(Some(&set(&[("p256_a", "a")])), NOW_MS + 1, &mut host);
    let mut second = Worker::of(keyed.clone());
    assert!(second.passes(&token_of("p256_a", "a"), NOW_MS + 2, &mut host));
    // One bit.
    let name = host.shared.keys().find(|k| k.contains("jwks")).unwrap().clone();
    for at in [0, 5, 40] {
        let mut value = host.shared[&name].value.clone();
        value[at] ^= 1;
        let mut host = MemoryHost::default();
        host.store(&name, &value, None).unwrap();
        assert_eq!(Worker::of(keyed.clone()).tick(NOW_MS + 3, &mut host), 1);
    }
    // Another issuer's entry under this one's name.
    let mut elsewhere = keyed.clone();
    elsewhere["jwt"][0]["issuer"] = json!("https://other.test");
    let mut other_host = MemoryHost::default();
    let mut other = Worker::of(elsewhere);
    other.tick(NOW_MS, &mut other_host);
    other.answer(Some(&set(&[("p256_b", "b")])), NOW_MS, &mut other_host);
    let (other_name, stored) = other_host.shared.iter().find(|(k, _)| k.contains("jwks")).unwrap();
    assert_ne!(*other_name, name);
    let mut host = MemoryHost::default();
    host.store(&name, &stored.value, None).unwrap();
    let mut worker = Worker::of(keyed);
    worker.tick(NOW_MS + 1, &mut host);
    assert_eq!(worker.keys.counts(0), None);
}

/// A host whose store does not work.
struct NoStore;

impl Host for NoStore {
    fn load(&mut self, _: &str) -> Result<Option<Stored>, HostError> {
        Err(HostError::Failed)
    }
    fn store(&mut self, _: &str, _: &[u8], _: Option<u32>) -> Result<(), StoreError> {
        Err(StoreError::Failed)
    }
    fn verify(&mut self, _: SignatureCheck<'_>) -> Result<bool, HostError> {
        Err(HostError::Failed)
    }
    fn random(&mut self, _: &mut [u8]) -> Result<(), HostError> {
        Err(HostError::Failed)
    }
    fn attribute(&mut self, _: Attribute<'_>) -> Option<String> {
        Some(URI.to_owned())
    }
    fn body(&mut self, _: crate::host::Side) -> Result<Vec<u8>, HostError> {
        Err(HostError::Failed)
    }
}

#[test]
fn without_a_store_each_worker_is_on_its_own() {
    let mut worker = Worker::new();
    assert_eq!((worker.tick(NOW_MS, &mut NoStore), worker.tick(NOW_MS + 1000, &mut NoStore)), (1, 0));
    worker.answer(None, NOW_MS + 1500, &mut NoStore);
    assert_eq!((worker.tick(NOW_MS + 2000, &mut NoStore), worker.tick(NOW_MS + 3500, &mut NoStore)), (0, 1));
    worker.answer(Some(&set(&[("p256_a", "a")])), NOW_MS + 3600, &mut NoStore);
    assert!(worker.passes(&token_of("p256_a", "a"), NOW_MS + 3700, &mut NoStore), "and checks signatures itself");
}

#[test]
fn a_clock_set_back_locks_nobody_out() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::with(&[("p256_a", "a")], &mut host);
    let token = token_of("p256_a", "a");
    let before = NOW_MS - 8_000;
    assert!(worker.passes(&token, before, &mut host));
    assert_eq!(worker.tick(NOW_MS - 86_400_000, &mut host), 1, "the set's age is unknown: fetch");
}

#[test]
fn policies_do_not_share_workers() {
    let mut host = MemoryHost::default();
    let mut worker = Worker::with(&[("p256_a", "a")], &mut host);
    let token = token_of("p256_a", "a");
    assert!(worker.passes(&token, NOW_MS, &mut host));
    let mut changed = section();
    changed["jwt"][0]["audiences"] = json!(["elsewhere"]);
    worker.identity = try_compile(changed).unwrap();
    assert_eq!(worker.ask(&token, NOW_MS, None, &mut host), Outcome::Refused(Reason::Audience));
    let mut changed = section();
    changed["jwt"][0]["skew"] = json!("29s");
    worker.identity = try_compile(changed).unwrap();
    assert_eq!(worker.ask(&token, NOW_MS, None, &mut host), Outcome::Refused(Reason::UnknownKey));
}
