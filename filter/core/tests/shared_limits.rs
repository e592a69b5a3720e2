//! Limits that proxies share, in the course of exchanges: several proxies, one service, and calls that come back late, never, or for
//! nobody.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::get_unwrap
)]

mod support;

use std::collections::BTreeMap;

use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Call, CallResult, Effect, Event, Exchange, Flow, LocalReply, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};
use support::{engine, policy};

const DAY: u64 = 86_400;
const NOON: u64 = 20_000 * DAY + DAY / 2;

type Record = BTreeMap<&'static str, String>;

/// A service that adds what fits, and reads its protocol by itself.
#[derive(Default)]
struct Service {
    budget: i64,
    counts: BTreeMap<String, i64>,
    /// Refuses to add what is over, as Limitador does, or adds it all the same, as `envoyproxy/ratelimit` does.
    adds_over: bool,
}

/// A charge, or a refund, as it stands in a call.
#[derive(Debug, PartialEq)]
struct Asked {
    entries: Vec<(String, String)>,
    hits: i64,
}

fn fields(mut bytes: &[u8]) -> Vec<(u8, u64, &[u8])> {
    let mut all = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let (mut value, mut shift) = (0u64, 0);
        bytes = rest;
        while let Some((byte, rest)) = bytes.split_first() {
            bytes = rest;
            value |= u64::from(byte & 127) << shift;
            shift += 7;
            if byte < &128 {
                break;
            }
        }
        let (content, rest) = bytes.split_at(if tag & 7 == 2 { value as usize } else { 0 });
        bytes = rest;
        all.push((tag >> 3, value, content));
    }
    all
}

fn read(call: &Call) -> Asked {
    assert_eq!(call.path, "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit");
    let message = fields(&call.body[5..]);
    assert_eq!(message[0].2, b"mesh");
    let descriptor = fields(message[1].2);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let entries = descriptor.iter().filter(|f| f.0 == 1).map(|f| {
        let entry = fields(f.2);
        (text(entry[0].2), text(entry[1].2))
    });
    let entries = entries.collect();
    let hits = fields(descriptor.iter().find(|f| f.0 == 3).unwrap().2)[0].1 as i64;
    let refund = descriptor.iter().any(|f| f.0 == 4 && f.1 == 1);
    // Read of the request by those that know no more: never a refund.
    assert_eq!(message.iter().find(|f| f.0 == 3).map(|f| f.1 as i64), (!refund).then_some(hits));
    Asked { entries, hits: if refund { -hits } else { hits } }
}

impl Service {
    fn of(budget: i64) -> Self {
        Self { budget, ..Self::default() }
    }

    fn answer(&mut self, call: &Call) -> Option<(u16, Vec<u8>)> {
        let Asked { entries, hits } = read(call);
        let count = self.counts.entry(format!("{entries:?}")).or_default();
        let fits = *count + hits <= self.budget;
        if fits || self.adds_over {
            *count = (*count + hits).max(0);
        }
        Some((200, vec![0, 0, 0, 0, 2, 8, if fits { 1 } else { 2 }]))
    }

    fn count(&self) -> i64 {
        self.counts.values().sum()
    }
}

/// One proxy: a worker and the store of its process.
struct Proxy {
    engine: Engine,
    worker: Worker,
    host: MemoryHost,
    secs: u64,
    next: u32,
    /// Calls that nobody answered yet.
    calls: Vec<Call>,
}

struct Open {
    id: u32,
    exchange: Exchange,
    flow: Flow,
    reply: Option<LocalReply>,
}

fn limits(amount: u64, global: Value) -> Value {
    let mut all = json!({"cluster": "ratelimit", "domain": "mesh"});
    for (name, value) in global.as_object().unwrap() {
        all[name] = value.clone();
    }
    json!([{"id": "day", "total_tokens": amount, "calendar": "day", "global": all}])
}

impl Proxy {
    fn new(limits: &Value) -> Self {
        let access = json!([{"id": "all", "effect": "allow", "models": ["m-1", "m-2"]}]);
        let engine = engine(&policy("openai", &json!({"limits": limits, "access": access})));
        let mut worker = Worker::new(&engine);
        let mut host = MemoryHost::default();
        worker.start(&engine, &mut host).unwrap();
        host.set_attribute(Attribute::Cluster, "c");
        host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
        Self { engine, worker, host, secs: NOON, next: 0, calls: Vec::new() }
    }

    fn tell(&mut self, open: &mut Open, event: Event<'_>) -> Record {
        let mut effects = Vec::new();
        let at = Time(self.secs * 1_000_000_000);
        open.flow = open.exchange.on(event, at, &self.engine, &mut self.worker, &mut self.host, &mut effects);
        let mut record = Record::new();
        let mut resumed = false;
        for effect in effects {
            match effect {
                Effect::Call(call) => self.calls.push(call),
                Effect::Reply(reply) => open.reply = Some(reply),
                Effect::Resume(Side::Request) => resumed = true,
                Effect::ReplaceBody(Side::Request, bytes) => {
                    self.host.bodies.insert(Side::Request, bytes);
                }
                Effect::Record(values) => record.extend(values),
                _ => {}
            }
        }
        assert!(!resumed || open.flow == Flow::Continue && open.reply.is_none());
        record
    }

    /// A request that comes; it may wait.
    fn ask(&mut self, max_tokens: u64) -> Open {
        self.next += 1;
        let mut open = Open { id: self.next, exchange: Exchange::new(self.next), flow: Flow::Hold, reply: None };
        let fields = [(":method", "POST"), (":path", "/v1/chat/completions"), ("content-type", "application/json")];
        let headers: Headers = fields.into_iter().collect();
        self.tell(&mut open, Event::Head { side: Side::Request, headers: &headers, end: false });
        let body =
            json!({"model": "m-1", "max_tokens": max_tokens, "messages": [{"role": "user", "content": "Tell!"}]});
        let bytes = body.to_string().into_bytes();
        let event = Event::Body { side: Side::Request, available: bytes.len(), end: true };
        self.host.bodies.insert(Side::Request, bytes);
        self.tell(&mut open, event);
        open
    }

    /// The answer to a call comes. The exchanges to wake.
    fn come(&mut self, call: &Call, answer: Option<(u16, Vec<u8>)>) -> Vec<u32> {
        let (mut effects, at) = (Vec::new(), Time(self.secs * 1_000_000_000));
        let result = CallResult { id: call.id, answer };
        let woken = self.worker.call_done(&self.engine, result, at, &mut self.host, &mut effects);
        self.calls
            .extend(effects.into_iter().filter_map(|e| if let Effect::Call(call) = e { Some(call) } else { None }));
        woken
    }

    /// All calls are answered, and so on, until none is left.
    fn answer(&mut self, service: &mut Service, waiting: &mut [&mut Open]) {
        while !self.calls.is_empty() {
            let call = self.calls.remove(0);
            for woken in self.come(&call, service.answer(&call)) {
                if let Some(open) = waiting.iter_mut().find(|open| open.id == woken) {
                    self.tell(open, Event::Wake);
                }
            }
        }
    }

    fn fails(&mut self, answer: Option<(u16, Vec<u8>)>, open: &mut Open) {
        while !self.calls.is_empty() {
            let call = self.calls.remove(0);
            if self.come(&call, answer.clone()).contains(&open.id) {
                self.tell(open, Event::Wake);
            }
        }
    }

    /// It is over, and used so much.
    fn used(&mut self, mut open: Open, input: u64, output: u64) -> Record {
        assert!(open.flow == Flow::Continue && open.reply.is_none(), "{:?}", open.reply);
        let headers: Headers = [(":status", "200"), ("content-type", "application/json")].into_iter().collect();
        self.tell(&mut open, Event::Head { side: Side::Response, headers: &headers, end: false });
        let usage = json!({"prompt_tokens": input, "completion_tokens": output});
        let bytes = json!({"model": "m-1", "choices": [], "usage": usage}).to_string().into_bytes();
        let event = Event::Body { side: Side::Response, available: bytes.len(), end: true };
        self.host.bodies.insert(Side::Response, bytes);
        self.tell(&mut open, event);
        self.done(open)
    }

    fn done(&mut self, mut open: Open) -> Record {
        self.tell(&mut open, Event::Done { spent_us: 1 })
    }

    /// What this proxy's own count has left.
    fn left(&mut self) -> u64 {
        let mut calm = Service::of(i64::MAX / 4);
        let calls = std::mem::take(&mut self.calls);
        let mut open = self.ask(1);
        self.answer(&mut calm, &mut [&mut open]);
        let record = self.used(open, 0, 0);
        self.calls = calls;
        record["doorward.limit.remaining"].strip_prefix("day=").unwrap().parse().unwrap()
    }
}

fn waits(open: &Open) -> bool {
    open.flow == Flow::Hold && open.reply.is_none()
}

fn status(open: &Open) -> u16 {
    open.reply.as_ref().map_or(200, |reply| reply.status)
}

#[test]
fn two_proxies_never_pass_one_budget() {
    for (refund, adds_over) in [("credit", false), ("credit", true), ("negative_hits", false), ("negative_hits", true)]
    {
        let limits = limits(10_000, json!({"refund": refund, "on_failure": "deny"}));
        let mut service = Service { adds_over, ..Service::of(10_000) };
        let mut proxies = [Proxy::new(&limits), Proxy::new(&limits)];
        let mut used = 0;
        for round in 0..40 {
            let proxy = &mut proxies[round % 2];
            let mut open: Vec<Open> = (0..3).map(|_| proxy.ask(400)).collect();
            assert!(open.iter().all(|o| waits(o) || o.flow == Flow::Continue || status(o) == 429));
            proxy.answer(&mut service, &mut open.iter_mut().collect::<Vec<_>>());
            for open in open {
                match status(&open) {
                    200 => {
                        used += 200;
                        proxy.used(open, 20, 180);
                    }
                    429 => drop(proxy.done(open)),
                    other => panic!("{other}"),
                }
            }
            proxy.answer(&mut service, &mut []);
        }
        assert!((8_000..=10_000).contains(&used), "{refund} {adds_over}: {used}");
        if refund == "negative_hits" && !adds_over {
            assert_eq!(service.count(), used);
        }
        assert!(service.count() >= used);
    }
}

#[test]
fn who_is_over_is_refused_and_holds_nothing_back() {
    let mut proxy = Proxy::new(&limits(10_000, json!({"refund": "credit"})));
    let before = proxy.left();
    let mut open = proxy.ask(500);
    assert!(waits(&open));
    let asked = read(&proxy.calls[0]);
    let caller = &asked.entries[2].1;
    assert_eq!(asked.entries[0], ("limit".to_owned(), "day".to_owned()));
    assert_eq!(asked.entries[1], ("window".to_owned(), (20_000 * DAY).to_string()));
    assert!(asked.entries[2].0 == "caller" && caller.len() == 32 && caller.bytes().all(|b| b.is_ascii_hexdigit()));
    proxy.answer(&mut Service::of(10), &mut [&mut open]);
    let reply = open.reply.as_ref().unwrap();
    assert_eq!(reply.status, 429);
    let retry = reply.headers.iter().find(|(name, _)| *name == "retry-after").unwrap();
    assert_eq!(retry.1, (DAY / 2).to_string());
    let record = proxy.done(open);
    assert_eq!((record["doorward.reason"].as_str(), record["doorward.rules"].as_str()), ("limit.tokens", "day"));
    assert_eq!(record["doorward.limit.global"], "day=over_limit");
    assert_eq!(proxy.left(), before);
    assert!(proxy.calls.is_empty());
}

#[test]
fn what_is_charged_for_nobody_comes_back() {
    for refund in ["credit", "negative_hits"] {
        let mut proxy = Proxy::new(&limits(10_000, json!({"refund": refund})));
        let mut service = Service::of(10_000);
        let before = proxy.left();
        let open = proxy.ask(500);
        assert!(waits(&open));
        // Its client goes while the service is asked.
        assert_eq!(proxy.done(open)["doorward.limit.global"], "day=asked");
        proxy.answer(&mut service, &mut []);
        assert_eq!(proxy.left(), before, "{refund}");
        if refund == "negative_hits" {
            assert_eq!(service.count(), 0);
        } else {
            // What the question before had over went into it: its text, and a token for its answer.
            let kept = service.count();
            assert!((499..510).contains(&kept), "{kept}");
            // The next one needs nobody's leave: it has been charged already.
            let open = proxy.ask(400);
            assert_eq!(open.flow, Flow::Continue);
            assert_eq!(proxy.used(open, 10, 10)["doorward.limit.global"], "day=credit");
            assert_eq!(service.count(), kept);
        }
    }
}

#[test]
fn a_service_that_fails_is_what_the_policy_makes_of_it() {
    let timeout = Some((504, b"timeout".to_vec()));
    let broken = Some((200, Vec::new()));
    let nobody = Some((503, b"upstream connect error".to_vec()));
    for (answer, how) in [(timeout, "timeout"), (broken, "error"), (nobody, "unreachable"), (None, "unreachable")] {
        for (on_failure, expected) in [("local", 200), ("allow", 200), ("deny", 503)] {
            let global = json!({"on_failure": on_failure, "refund": "negative_hits"});
            let mut proxy = Proxy::new(&limits(10_000, global));
            let before = proxy.left();
            let mut open = proxy.ask(500);
            proxy.fails(answer.clone(), &mut open);
            assert_eq!(status(&open), expected, "{on_failure}");
            let record = match expected {
                200 => proxy.used(open, 20, 100),
                _ => proxy.done(open),
            };
            assert_eq!(record["doorward.limit.global"], format!("day=failed:{how}"));
            if expected == 503 {
                assert_eq!(record["doorward.reason"], "limit.unavailable");
                assert!(proxy.calls.is_empty());
                assert_eq!(proxy.left(), before);
                continue;
            }
            // What was used is charged afterwards; and where that fails too, with the next request.
            assert_eq!(read(&proxy.calls[0]).hits, 120);
            let mut nothing = Open { id: 0, exchange: Exchange::new(0), flow: Flow::Hold, reply: None };
            proxy.fails(answer.clone(), &mut nothing);
            let mut service = Service::of(10_000);
            let mut next = proxy.ask(500);
            let need = read(&proxy.calls[0]).hits - 120;
            proxy.answer(&mut service, &mut [&mut next]);
            proxy.used(next, 1, 1);
            assert!(need > 500 && service.count() == need + 120);
        }
    }
}

#[test]
fn its_own_count_bounds_a_proxy_that_is_alone_unless_it_may_pass_all() {
    for (on_failure, passes) in [("local", false), ("allow", true)] {
        let mut proxy = Proxy::new(&limits(2_000, json!({"on_failure": on_failure})));
        let mut statuses = Vec::new();
        for _ in 0..5 {
            let mut open = proxy.ask(900);
            proxy.fails(None, &mut open);
            statuses.push(status(&open));
            if status(&open) == 200 {
                proxy.used(open, 20, 800);
            }
        }
        assert_eq!(statuses.iter().all(|s| *s == 200), passes, "{on_failure} {statuses:?}");
        assert!(passes || statuses.iter().filter(|s| **s == 200).count() == 2, "{statuses:?}");
    }
}

#[test]
fn a_host_that_forgets_a_call_holds_nobody_for_good() {
    let mut proxy = Proxy::new(&limits(10_000, json!({"on_failure": "deny", "timeout": "100ms"})));
    let mut open = proxy.ask(500);
    let at = |ms: u64| Time((NOON * 1000 + ms) * 1_000_000);
    let mut effects = Vec::new();
    assert!(proxy.worker.tick_ms(&proxy.engine) <= 100);
    assert_eq!(proxy.worker.tick(&proxy.engine, at(300), &mut proxy.host, &mut effects), [0; 0]);
    assert_eq!(proxy.worker.tick(&proxy.engine, at(400), &mut proxy.host, &mut effects), [open.id]);
    proxy.tell(&mut open, Event::Wake);
    assert_eq!(status(&open), 503);
    // The answer comes after all: nobody takes it.
    let call = proxy.calls.remove(0);
    assert_eq!(proxy.come(&call, Some((200, vec![0, 0, 0, 0, 2, 8, 1]))), [0; 0]);
    proxy.done(open);
}

#[test]
fn what_is_kept_is_over_with_its_window() {
    let mut proxy = Proxy::new(&limits(10_000, json!({})));
    let mut service = Service::of(10_000);
    let mut open = proxy.ask(500);
    proxy.answer(&mut service, &mut [&mut open]);
    proxy.used(open, 10, 10);
    let kept = proxy.ask(400);
    assert_eq!(kept.flow, Flow::Continue);
    // The day ends while it goes on: what it did not use is of no day that is left.
    proxy.secs += DAY;
    proxy.used(kept, 10, 10);
    let next = proxy.ask(100);
    assert!(waits(&next));
    assert_eq!(read(&proxy.calls[0]).entries[1].1, (20_001 * DAY).to_string());
}

#[test]
fn requests_and_money_are_shared_as_well() {
    let global = json!({"cluster": "ratelimit", "domain": "mesh", "on_failure": "deny"});
    let limits = json!([{"id": "rate", "requests": 3, "window": "1h", "global": global},
        {"id": "money", "cost": 1, "window": "1h", "unpriced": "allow", "global": global}]);
    let mut proxies = [Proxy::new(&limits), Proxy::new(&limits)];
    let mut service = Service::of(3);
    let mut statuses = Vec::new();
    for round in 0..5 {
        let proxy = &mut proxies[round % 2];
        let mut open = proxy.ask(10);
        proxy.answer(&mut service, &mut [&mut open]);
        statuses.push(status(&open));
        proxy.done(open);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    let tree = |limits: Value| {
        let policy = policy("openai", &json!({"limits": limits}));
        doorward_core::config::tree_from_json(&policy.to_string()).unwrap()
    };
    let wrong = json!([{"id": "calls", "concurrent": 3, "global": {"cluster": "a b", "timeout": "9s"}}]);
    let problems = Engine::compile(&tree(wrong), &|_| Some("0".repeat(32))).err().unwrap();
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let all = problems.join("\n");
    assert!(all.contains("global.timeout") && all.contains("`cluster`") && all.contains("calls at a time"), "{all}");
}

/// What is beyond a shared count is made to the cheaper model instead, as if the request had named it: its own limits hold, and
/// values that were taken out of the body come back by the same placeholders.
#[test]
fn a_service_that_refuses_makes_it_the_cheaper_model() {
    let global = |more: Value| {
        let mut all = json!({"cluster": "ratelimit", "domain": "mesh"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let limits = json!([
        {"id": "big", "total_tokens": 1_000, "calendar": "day", "models": "m-1", "step_down": "m-2", "global": global(json!({}))},
        {"id": "small", "total_tokens": 5_000, "calendar": "day", "models": "m-2", "global": global(json!({"on_failure": "deny"}))},
    ]);
    let mut proxies = [Proxy::new(&limits), Proxy::new(&limits)];
    let (mut big, mut small) = (Service::of(1_000), Service::of(1_500));
    let mut went = Vec::new();
    for round in 0..6 {
        let proxy = &mut proxies[round % 2];
        let mut open = proxy.ask(500);
        while waits(&open) {
            let call = proxy.calls.remove(0);
            let service = if read(&call).entries[0].1 == "big" { &mut big } else { &mut small };
            let answer = service.answer(&call);
            if proxy.come(&call, answer) == [open.id] {
                proxy.tell(&mut open, Event::Wake);
            }
        }
        let sent: Value = serde_json::from_slice(&proxy.host.bodies[&Side::Request]).unwrap();
        let answered = status(&open);
        let record = if answered == 200 { proxy.used(open, 20, 480) } else { proxy.done(open) };
        let shared = record.get("doorward.limit.global").cloned().unwrap_or_default();
        went.push(format!("{} {answered} {shared}", sent["model"].as_str().unwrap()));
        if shared.contains("big=over_limit") {
            assert!(record["doorward.notes"].contains("limit.tokens") || answered == 429, "{record:?}");
        }
    }
    let expected = [
        "m-1 200 big=ok",
        "m-2 200 big=over_limit,small=ok",
        // This proxy's own count says so already.
        "m-2 200 small=ok",
        "m-1 429 big=over_limit,small=over_limit",
        "m-1 429 small=over_limit",
        "m-1 429 big=over_limit,small=over_limit",
    ];
    assert_eq!(went, expected);
}

proptest::proptest! {
    /// Whatever order calls are answered in, fail or are given up in: with `deny`, nothing is used that was not charged.
    #[test]
    fn no_order_of_things_passes_the_budget(steps in proptest::collection::vec((0u8..8, 0usize..6, 1u64..400), 1..120)) {
        let limits = limits(3_000, json!({"on_failure": "deny"}));
        let mut service = Service::of(3_000);
        let mut proxies = [Proxy::new(&limits), Proxy::new(&limits)];
        let mut open: [Vec<Open>; 2] = Default::default();
        let mut used = 0u64;
        for (what, which, tokens) in steps {
            let side = which % 2;
            let (proxy, open) = (&mut proxies[side], &mut open[side]);
            match what {
                0..=2 => open.push(proxy.ask(tokens)),
                3 | 4 if !proxy.calls.is_empty() => {
                    let call = proxy.calls.remove(which % proxy.calls.len());
                    let answer = service.answer(&call);
                    // The answer may be lost on its way.
                    let answer = if what == 4 && tokens < 60 { None } else { answer };
                    for woken in proxy.come(&call, answer) {
                        if let Some(open) = open.iter_mut().find(|o| o.id == woken) {
                            proxy.tell(open, Event::Wake);
                        }
                    }
                }
                5 | 6 if !open.is_empty() => {
                    let one = open.remove(which % open.len());
                    if one.reply.is_none() && one.flow == Flow::Continue {
                        used += 10 + tokens.min(1);
                        proxy.used(one, 10, tokens.min(1));
                    } else {
                        proxy.done(one);
                    }
                }
                _ => {}
            }
            proptest::prop_assert!(used as i64 <= service.count(), "{used} {}", service.count());
            proptest::prop_assert!(service.count() <= 3_000);
        }
    }
}
