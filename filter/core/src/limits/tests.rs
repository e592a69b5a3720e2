mod purse;
mod workers;

use std::rc::Rc;

use super::*;
use crate::config::{from_tree, tree_from_json};
use crate::exchange::Time;
use crate::host::MemoryHost;
use crate::identity::{Method, Principal};
use crate::policy::RoleSet;
use crate::protocol::Usage;

/// Limits over a store in memory.
struct Desk {
    limits: Limits,
    models: Models,
    roles: Roles,
    host: MemoryHost,
    conflicts: u64,
}

fn at(secs: u64) -> Time {
    Time(secs * 1_000_000_000)
}

fn user(name: &str) -> Rc<Principal> {
    let team = Some("core".to_owned());
    Rc::new(Principal { user: Some(name.to_owned()), team, ..Principal::new(Method::Jwt) })
}

fn tokens(input: u64, output: u64) -> Need {
    Need { usage: Usage { input, output, ..Usage::default() }, floor: input, open: false }
}

fn compile(json: &str) -> (Limits, Vec<String>) {
    let documents: Vec<LimitDocument> = from_tree(&tree_from_json(json).unwrap(), &Path::root()).unwrap();
    let mut problems = Vec::new();
    let limits =
        Limits::compile(&documents, &Roles::default(), &Targets::default(), &|_| None, &Path::root(), &mut problems);
    (limits, problems.iter().map(ToString::to_string).collect())
}

impl Desk {
    fn new(json: &str) -> Self {
        let (limits, problems) = compile(json);
        assert_eq!(problems, [""; 0]);
        let models = r#"[{"name":"m","price":{"input":2,"output":10,"cache_write":4}},{"name":"free"}]"#;
        let documents: Vec<_> = from_tree(&tree_from_json(models).unwrap(), &Path::root()).unwrap();
        let models = Models::compile(&documents, &Path::root(), &mut Vec::new());
        let mut host = MemoryHost::default();
        prepare("p", &mut host).unwrap();
        Self { limits, models, roles: Roles::default(), host, conflicts: 0 }
    }

    fn worker(&mut self) -> Vm {
        Vm::draw(&mut self.host).unwrap()
    }

    fn with<T>(
        &mut self,
        who: &Principal,
        model: &str,
        secs: u64,
        vm: &mut Vm,
        act: impl FnOnce(&Limits, &Subject<'_>, &Models, &mut Counters<'_>) -> T,
    ) -> T {
        let tools = ["search".to_owned(), "search".to_owned(), "mail".to_owned()];
        let subject = Subject {
            principal: who,
            roles: &RoleSet::default(),
            all_roles: &self.roles,
            target: 0,
            model: Some((model, model.len() == 1)),
            tools: if model == "tools" { &tools } else { &[] },
            past: &[],
        };
        let (host, conflicts) = (&mut self.host, &mut self.conflicts);
        let mut counters = Counters { namespace: "p".into(), at: at(secs), vm, host, conflicts };
        act(&self.limits, &subject, &self.models, &mut counters)
    }

    /// Does something with the counters of a worker.
    fn at_millis(&mut self, millis: u64, vm: &mut Vm, act: impl FnOnce(&Limits, &mut Counters<'_>)) {
        let (host, conflicts) = (&mut self.host, &mut self.conflicts);
        act(&self.limits, &mut Counters { namespace: "p".into(), at: Time(millis * 1_000_000), vm, host, conflicts });
    }

    /// Time passed for a worker.
    fn tick(&mut self, secs: u64, vm: &mut Vm) {
        self.with(&user("nobody"), "m", secs, vm, |limits, _, _, counters| limits.tick(counters));
    }

    fn count(&mut self, who: &str, secs: u64, vm: &mut Vm) -> Count {
        self.with(&user(who), "m", secs, vm, |limits, subject, _, counters| {
            limits.count(subject, false, &mut Counted::default(), counters).unwrap()
        })
    }

    fn reserve(&mut self, who: &str, need: Need, secs: u64, vm: &mut Vm) -> (Reserved, Count) {
        self.with(&user(who), "m", secs, vm, |limits, subject, models, counters| {
            limits.reserve(subject, &need, models, counters).unwrap()
        })
    }

    fn settle(&mut self, who: &str, reserved: Reserved, used: Need, secs: u64, vm: &mut Vm) {
        self.with(&user(who), "m", secs, vm, |limits, subject, models, counters| {
            limits.settle(reserved, &used, subject, models, counters).unwrap();
        });
    }
}

fn left(count: &Count) -> Vec<u64> {
    count.standings.iter().map(|s| s.remaining).collect()
}

#[test]
fn counts_each_caller_apart_and_says_when_to_come_back() {
    let mut desk = Desk::new(
        r#"[{"id":"rpm","requests":2,"window":"80s"},{"id":"seen","requests":1,"window":"80s","mode":"observe"}]"#,
    );
    let worker = &mut desk.worker();
    assert_eq!(left(&desk.count("alice", 800, worker)), [1]);
    let second = desk.count("alice", 811, worker);
    assert_eq!((left(&second), second.exceeded.len(), second.observed), (vec![0], 0, vec!["seen".to_owned()]));
    let third = desk.count("alice", 825, worker);
    // The first two must be over: the one of 811 is in the part that ends with 820.
    assert_eq!(third.exceeded.first().unwrap().retry_after, Some(900 - 825));
    assert_eq!(desk.count("bob", 825, worker).exceeded, []);
    assert_eq!(desk.count("alice", 900, worker).exceeded, []);
}

#[test]
fn limits_that_count_alike_count_apart() {
    // More of them than stand in one shard: the same two limits again and again but for their names.
    let limits: Vec<_> = (0..20)
        .map(|n| format!(r#"{{"id":"limit-{n}","requests":{},"window":"1h"}}"#, if n % 2 == 0 { 9 } else { 5 }))
        .collect();
    let mut desk = Desk::new(&format!("[{}]", limits.join(",")));
    let worker = &mut desk.worker();
    let expected = |even, odd| [even, odd].repeat(10);
    for done in 1..=3 {
        assert_eq!(left(&desk.count("alice", 1000, worker)), expected(9 - done, 5 - done));
    }
    assert_eq!(left(&desk.count("bob", 1000, worker)), expected(8, 4));
    // And of many callers, whose shards must meet, no two counters are one.
    let mut ids = HashSet::new();
    for caller in 0..2000 {
        desk.with(&user(&format!("caller-{caller}")), "m", 1000, worker, |limits, subject, _, _| {
            ids.extend(limits.0.iter().flat_map(|limit| limit.keys(subject)).map(|(id, _)| id));
        });
    }
    assert_eq!(ids.len(), 2000 * 20);
}

#[test]
fn no_window_of_a_limits_length_sees_more_than_the_limit() {
    let mut desk = Desk::new(r#"[{"id":"rpm","requests":5,"window":"8s"}]"#);
    let worker = &mut desk.worker();
    let mut admitted = Vec::new();
    for step in 0..400u64 {
        // Refused requests count: try seldom enough that some pass.
        let secs = 1000 + step * 2;
        if desk.count("alice", secs, worker).exceeded.is_empty() {
            admitted.push(secs);
        }
    }
    assert!(admitted.len() > 50, "{}", admitted.len());
    assert!(admitted.iter().all(|from| admitted.iter().filter(|t| (*from..from + 8).contains(t)).count() <= 5));
}

#[test]
fn calls_at_the_same_time_cannot_pass_a_budget_together() {
    let mut desk = Desk::new(r#"[{"id":"day","total_tokens":10000,"calendar":"day"}]"#);
    let worker = &mut desk.worker();
    let mut running = Vec::new();
    for _ in 0..100 {
        let (reserved, count) = desk.reserve("alice", tokens(200, 800), 1000, worker);
        if count.exceeded.is_empty() {
            running.push(reserved);
        } else {
            assert!(reserved.is_empty());
        }
    }
    assert_eq!(running.len(), 10);
    // They used half of it.
    for reserved in running {
        desk.settle("alice", reserved, tokens(150, 350), 1010, worker);
    }
    let (_, count) = desk.reserve("alice", tokens(200, 800), 1020, worker);
    assert_eq!(left(&count), [10_000 - 5_000 - 1_000]);
    // What can never fit is told apart from what must wait.
    let (_, count) = desk.reserve("alice", tokens(200, 9_801), 1020, worker);
    assert_eq!(count.exceeded.first().unwrap().retry_after, None);
    let (_, count) = desk.reserve("alice", tokens(200, 8_000), 1020, worker);
    assert_eq!(count.exceeded.first().unwrap().retry_after, Some(86_400 - 1020));
    assert_eq!(count.exceeded.first().unwrap().asks, (8_200, 4_000));
    assert_eq!(desk.reserve("alice", tokens(200, 8_000), 86_400, worker).1.exceeded, []);
}

#[test]
fn a_refusal_by_one_limit_reserves_under_none() {
    let mut desk = Desk::new(
        r#"[{"id":"user","total_tokens":1000,"window":"1h"},{"id":"team","total_tokens":1500,"window":"1h","per":"team"},
            {"id":"all","concurrent":3,"per":"all"}]"#,
    );
    let worker = &mut desk.worker();
    let (alice, count) = desk.reserve("alice", tokens(0, 1000), 1000, worker);
    assert_eq!(left(&count), [0, 500, 2]);
    let (bob, count) = desk.reserve("bob", tokens(0, 600), 1000, worker);
    assert_eq!(count.exceeded.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["team"]);
    assert!(bob.is_empty());
    let (bob, count) = desk.reserve("bob", tokens(0, 500), 1000, worker);
    assert_eq!(left(&count), [500, 0, 1]);
    desk.settle("bob", bob, tokens(0, 10), 1001, worker);
    desk.settle("alice", alice, tokens(0, 20), 1001, worker);
    let (_, count) = desk.reserve("carol", tokens(0, 1), 1001, worker);
    assert_eq!(left(&count), [999, 1500 - 31, 2]);
}

#[test]
fn what_a_lost_vm_reserved_comes_back() {
    let mut desk = Desk::new(
        r#"[{"id":"budget","total_tokens":1000,"window":"1h"},{"id":"slots","concurrent":1,"per":"principal"}]"#,
    );
    let (mut first, mut second) = (desk.worker(), desk.worker());
    let (lost, count) = desk.reserve("alice", tokens(300, 700), 1000, &mut first);
    assert_eq!(count.exceeded, []);
    let refused = desk.reserve("alice", tokens(100, 100), 1005, &mut second).1.exceeded;
    assert_eq!(refused.iter().map(|e| e.what).collect::<Vec<_>>(), [What::Tokens, What::Concurrent]);
    // The first VM tells nothing for ten seconds: what surely went out stays used, the rest is free.
    let (_, count) = desk.reserve("alice", tokens(100, 100), 1011, &mut second);
    assert_eq!((count.exceeded.len(), left(&count)), (0, vec![500, 0]));
    // It was only busy, and settles: nothing is charged twice.
    desk.settle("alice", lost, tokens(300, 50), 1012, &mut first);
    let (_, count) = desk.reserve("bob", tokens(1, 1), 1012, &mut second);
    assert_eq!(left(&count), [998, 0]);
    desk.second_view("alice", 1012, &mut second, 450);
}

impl Desk {
    /// What is left of the first limit, with another's call going on.
    fn second_view(&mut self, who: &str, secs: u64, worker: &mut Vm, expected: u64) {
        let (_, count) = self.reserve(who, tokens(0, 451), secs, worker);
        assert_eq!(count.exceeded.first().map(|e| e.asks), Some((451, expected)));
    }
}

#[test]
fn money_is_reserved_at_its_dearest_and_models_without_price_are_refused() {
    let mut desk = Desk::new(r#"[{"id":"usd","cost":0.01,"calendar":"month"}]"#);
    let worker = &mut desk.worker();
    // 1,000 tokens in at 4 (written to a cache) and 600 out at 10 for a million: 0.01.
    let (reserved, count) = desk.reserve("alice", tokens(1000, 600), 1000, worker);
    assert_eq!((count.exceeded.len(), left(&count)), (0, vec![0]));
    desk.settle("alice", reserved, tokens(1000, 100), 1001, worker);
    // 1,000 at 2 and 100 at 10: 0.003 used.
    let (_, count) = desk.reserve("alice", tokens(0, 1), 1001, worker);
    assert_eq!(left(&count), [7_000_000 - 10_000]);
    let unpriced = desk.with(&user("alice"), "free", 1001, worker, |limits, subject, models, counters| {
        limits.reserve(subject, &tokens(1, 1), models, counters).unwrap().1
    });
    assert_eq!(unpriced.exceeded.first().map(|e| e.what), Some(What::Unpriced));
}

#[test]
fn tools_count_apart_and_as_often_as_they_are_called() {
    let mut desk = Desk::new(r#"[{"id":"calls","requests":3,"window":"1h","per":["principal","tool"]}]"#);
    let worker = &mut desk.worker();
    let mut count = |desk: &mut Desk| {
        desk.with(&user("alice"), "tools", 1000, worker, |limits, subject, _, counters| {
            assert_eq!(limits.count(subject, false, &mut Counted::default(), counters).unwrap(), Count::default());
            limits.count(subject, true, &mut Counted::default(), counters).unwrap()
        })
    };
    assert_eq!(left(&count(&mut desk)), [1, 2]);
    let second = count(&mut desk);
    assert_eq!((left(&second), second.exceeded.len()), (vec![0, 1], 1));
}

#[test]
fn counters_of_one_caller_are_changed_at_once_but_those_of_names_they_give() {
    let shards = |desk: &Desk| {
        let counters = desk.host.shared.iter().filter(|(key, _)| !key.ends_with("alive"));
        counters.filter(|(_, stored)| !stored.value.is_empty()).count()
    };
    let mut desk = Desk::new(
        r#"[{"id":"day","total_tokens":1000,"calendar":"day"},{"id":"month","total_tokens":9000,"calendar":"month"},
            {"id":"slots","concurrent":2},{"id":"rpm","requests":9,"window":"1m"}]"#,
    );
    let worker = &mut desk.worker();
    assert_eq!(left(&desk.count("alice", 1000, worker)), [8]);
    let (reserved, count) = desk.reserve("alice", tokens(10, 90), 1000, worker);
    assert_eq!((left(&count), shards(&desk)), (vec![900, 8900, 1], 1));
    desk.settle("alice", reserved, tokens(10, 10), 1000, worker);
    let (_, count) = desk.reserve("bob", tokens(10, 90), 1000, worker);
    assert_eq!((left(&count), shards(&desk)), (vec![900, 8900, 1], 2));
    assert_eq!(left(&desk.reserve("alice", tokens(10, 90), 1000, worker).1), [880, 8880, 1]);
    let mut desk = Desk::new(r#"[{"id":"calls","requests":3,"window":"1h","per":["principal","tool"]}]"#);
    desk.with(&user("alice"), "tools", 1000, worker, |limits, subject, _, counters| {
        limits.count(subject, true, &mut Counted::default(), counters).unwrap()
    });
    assert_eq!(shards(&desk), 2);
    // No caller fills a shard: so many limits, and what else is told apart, lie elsewhere.
    let many = (0..40).map(|n| format!(r#"{{"id":"l{n}","requests":9,"window":"31d"}}"#)).collect::<Vec<_>>().join(",");
    let mut desk = Desk::new(&format!("[{many}]"));
    assert_eq!((desk.count("alice", 1000, worker).standings.len(), shards(&desk)), (40, 3));
}

#[test]
fn one_counter_without_room_keeps_no_other_from_being_released() {
    // Settled at once, or with a later change.
    for (amount, waits) in [(500, false), (50_000, true)] {
        without_room(amount, waits);
    }
}

fn without_room(amount: u64, waits: bool) {
    let mut desk = Desk::new(&format!(
        r#"[{{"id":"minute","total_tokens":{amount},"calendar":"minute"}},{{"id":"slots","concurrent":2}}]"#
    ));
    let worker = &mut desk.worker();
    let (reserved, _) = desk.reserve("alice", tokens(10, 90), 1000, worker);
    // This VM is taken for lost, the minute is forgotten, and others fill the shard.
    let (key, mut shard) = {
        let (key, stored) =
            desk.host.shared.iter().find(|(k, s)| !k.ends_with("alive") && !s.value.is_empty()).unwrap();
        (key.clone(), stored.value.clone())
    };
    let minute = usize::from(u16::from_le_bytes([shard[0], shard[1]]));
    shard.drain(..minute);
    let mut filler = shard.clone();
    filler[2..18].copy_from_slice(&[0xff; 16]);
    filler[18..26].copy_from_slice(&u64::MAX.to_le_bytes());
    let mut n = 0u32;
    while shard.len() + filler.len() <= 32 * 1024 {
        n += 1;
        filler[4..8].copy_from_slice(&n.to_le_bytes());
        shard.extend_from_slice(&filler);
    }
    desk.host.store(&key, &shard, None).unwrap();
    let settled = desk.with(&user("alice"), "m", 1001, worker, |limits, subject, models, counters| {
        limits.settle(reserved, &tokens(10, 10), subject, models, counters)
    });
    assert_eq!(settled, if waits { Ok(()) } else { Err(HostError::Failed) });
    desk.tick(1001, worker);
    // What finds no room waits on, and is tried again.
    assert_eq!(worker.purse.shards().len(), 1);
    // The slot is free again.
    let (_, count) = desk.reserve("alice", Need::default(), 1002, worker);
    assert_eq!(left(&count), [1]);
}

#[test]
fn overrides_and_replacements() {
    let mut desk = Desk::new(
        r#"[{"id":"base","requests":1,"window":"1h","overrides":[{"amount":3,"until":"1970-01-01T01:00:00Z"}]},
            {"id":"m","requests":2,"window":"1h","replaces":"base","models":"big*"}]"#,
    );
    let worker = &mut desk.worker();
    let mut count = |desk: &mut Desk, model: &str, secs| {
        desk.with(&user("alice"), model, secs, worker, |limits, subject, _, counters| {
            limits.count(subject, true, &mut Counted::default(), counters).unwrap()
        })
    };
    assert_eq!(left(&count(&mut desk, "m", 1000)), [2]);
    assert_eq!(left(&count(&mut desk, "m", 3599)), [1]);
    // The override has ended: the limit's own amount is used up.
    assert_eq!(count(&mut desk, "m", 3601).exceeded.len(), 1);
    let big = count(&mut desk, "big-1", 3601);
    assert_eq!((left(&big), &*big.standings.first().unwrap().id), (vec![1], "m"));
}

/// Another worker stores between our load and our store, a few times.
struct Busy(MemoryHost, u32);
impl Host for Busy {
    fn load(&mut self, key: &str) -> Result<Option<crate::host::Stored>, HostError> {
        self.0.load(key)
    }
    fn store(&mut self, key: &str, value: &[u8], version: Option<u32>) -> Result<(), crate::host::StoreError> {
        if self.1 > 0 && !key.ends_with("alive") {
            self.1 -= 1;
            let other = self.0.load(key).unwrap().unwrap();
            self.0.store(key, &other.value, None)?;
        }
        self.0.store(key, value, version)
    }
    fn verify(&mut self, check: crate::host::SignatureCheck<'_>) -> Result<bool, HostError> {
        self.0.verify(check)
    }
    fn random(&mut self, out: &mut [u8]) -> Result<(), HostError> {
        self.0.random(out)
    }
    fn attribute(&mut self, attribute: crate::host::Attribute<'_>) -> Option<String> {
        self.0.attribute(attribute)
    }
    fn body(&mut self, side: crate::host::Side) -> Result<Vec<u8>, HostError> {
        self.0.body(side)
    }
}

fn subject<'a>(who: &'a Principal, roles: &'a RoleSet, all_roles: &'a Roles) -> Subject<'a> {
    Subject { principal: who, roles, all_roles, target: 0, model: Some(("m", true)), tools: &[], past: &[] }
}

#[test]
fn every_worker_counts() {
    let (limits, _) = compile(r#"[{"id":"rpm","requests":2,"window":"1m"}]"#);
    let mut host = Busy(MemoryHost::default(), 0);
    prepare("p", &mut host).unwrap();
    let mut vm = Vm::draw(&mut host).unwrap();
    let (who, roles, all_roles) = (user("alice"), RoleSet::default(), Roles::default());
    let subject = subject(&who, &roles, &all_roles);
    let mut conflicts = 0;
    let mut count = |host: &mut Busy, conflicts: &mut u64| {
        let mut counters = Counters { namespace: "p".into(), at: at(60), vm: &mut vm, host, conflicts };
        limits.count(&subject, false, &mut Counted::default(), &mut counters)
    };
    host.1 = 3;
    assert_eq!(left(&count(&mut host, &mut conflicts).unwrap()), [1]);
    assert_eq!(conflicts, 3);
    host.1 = u32::MAX;
    assert_eq!(count(&mut host, &mut conflicts), Err(HostError::Failed));
}

#[test]
fn a_limit_that_is_none_is_refused_with_its_path() {
    for (json, problem) in [
        (r#"[{"id":"a","window":"1h"}]"#, "a limit of nothing"),
        (r#"[{"id":"a","requests":1,"cost":1,"window":"1h"}]"#, "a limit of several things"),
        (r#"[{"id":"a","requests":0,"window":"1h"}]"#, "a limit of none"),
        (r#"[{"id":"a","requests":1}]"#, "neither one `window` nor one `calendar`"),
        (r#"[{"id":"a","requests":1,"window":"1h","calendar":"day"}]"#, "neither one `window` nor one `calendar`"),
        (r#"[{"id":"a","requests":1,"window":"1500ms"}]"#, "not a window"),
        (r#"[{"id":"a","requests":1,"window":"32d"}]"#, "not a window"),
        (r#"[{"id":"a","concurrent":1,"window":"1h"}]"#, "calls at a time have no window"),
        (r#"[{"id":"a","requests":1,"calendar":"day","zone":"Europe/Berlin"}]"#, "not a time zone"),
        (r#"[{"id":"a","requests":1,"window":"1h","zone":"UTC"}]"#, "a zone without a `calendar`"),
        (r#"[{"id":"a","cost":-1,"window":"1h"}]"#, "not an amount of money"),
        (r#"[{"id":"a","requests":1,"window":"1h","per":["all","team"]}]"#, "`all` beside others"),
        (r#"[{"id":"a","total_tokens":1,"window":"1h","per":"tool"}]"#, "tokens of tools"),
        (r#"[{"id":"a","requests":1,"window":"1h","replaces":"b"}]"#, "unknown limit `b`"),
        (r#"[{"id":"a","requests":1,"window":"1h","replaces":"a"}]"#, "a limit that replaces itself"),
        (
            r#"[{"id":"a","requests":1,"window":"1h","overrides":[{"amount":1.5,"until":"2026-01-01"}]}]"#,
            "not an amount",
        ),
        (r#"[{"id":"a","requests":1,"window":"1h","overrides":[{"amount":1,"until":"soon"}]}]"#, "not a date"),
    ] {
        let (_, problems) = compile(json);
        assert!(problems.iter().any(|p| p.contains(problem)), "{json}: {problems:?}");
    }
}
