//! What exchanges add up to, and what is far from usual, in the course of exchanges.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use std::collections::BTreeMap;

use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, LocalReply, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};
use support::{engine, policy};

const SCHEMA: &str = "CREATE TABLE customers (id INT, name TEXT)";
const KEY: &str = "the key is AKIAIQ7RX4PJH6ZN2WVB";
const MAIL: &str = "bob.miller@northwind.dev wrote";

/// A worker that many exchanges share.
struct Desk {
    engine: Engine,
    worker: Worker,
    host: MemoryHost,
    secs: u64,
    next: u32,
}

/// What came of an exchange.
#[derive(Debug)]
struct Came {
    reply: Option<LocalReply>,
    /// What went on.
    sent: Option<Value>,
    route: Option<String>,
    record: BTreeMap<&'static str, String>,
}

impl Came {
    fn reason(&self) -> &str {
        self.record.get("doorward.reason").map_or("", String::as_str)
    }

    fn of(&self, key: &str) -> &str {
        self.record.get(key).map_or("", String::as_str)
    }
}

impl Desk {
    fn new(more: &Value) -> Self {
        let mut all = json!({"detectors": {"patterns": [{"name": "SCHEMA", "pattern": "CREATE TABLE"}]}});
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        let engine = engine(&policy("openai", &all));
        let mut worker = Worker::new(&engine);
        let mut host = MemoryHost::default();
        worker.start(&engine, &mut host).unwrap();
        host.set_attribute(Attribute::Cluster, "c");
        let mut desk = Self { engine, worker, host, secs: 1_800_000_000, next: 0 };
        desk.caller("a");
        desk
    }

    fn caller(&mut self, name: &str) {
        self.host.set_attribute(Attribute::PeerUri, &format!("spiffe://td/ns/x/sa/{name}"));
    }

    fn tell(&mut self, exchange: &mut Exchange, event: Event<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let at = Time(self.secs * 1_000_000_000);
        let _ = exchange.on(event, at, &self.engine, &mut self.worker, &mut self.host, &mut effects);
        effects
    }

    fn send(&mut self, body: &Value, more: &[(&str, &str)], answer: Option<&Value>) -> Came {
        self.next += 1;
        self.secs += 1;
        let mut exchange = Exchange::new(self.next);
        let fields = [(":method", "POST"), (":path", "/v1/chat/completions"), ("content-type", "application/json")];
        let headers: Headers = fields.into_iter().chain(more.iter().copied()).collect();
        let bytes = body.to_string().into_bytes();
        let mut effects = self.tell(&mut exchange, Event::Head { side: Side::Request, headers: &headers, end: false });
        self.host.bodies.insert(Side::Request, bytes.clone());
        let replied = |effects: &[Effect]| effects.iter().any(|e| matches!(e, Effect::Reply(_)));
        if !replied(&effects) {
            let event = Event::Body { side: Side::Request, available: bytes.len(), end: true };
            effects.extend(self.tell(&mut exchange, event));
        }
        if let Some(answer) = answer.filter(|_| !replied(&effects)) {
            let headers: Headers = [(":status", "200"), ("content-type", "application/json")].into_iter().collect();
            self.tell(&mut exchange, Event::Head { side: Side::Response, headers: &headers, end: false });
            let bytes = answer.to_string().into_bytes();
            self.host.bodies.insert(Side::Response, bytes.clone());
            self.tell(&mut exchange, Event::Body { side: Side::Response, available: bytes.len(), end: true });
        }
        let done = self.tell(&mut exchange, Event::Done { spent_us: 1 });
        let mut came = Came { reply: None, sent: Some(body.clone()), route: None, record: BTreeMap::new() };
        for effect in effects.into_iter().chain(done) {
            match effect {
                Effect::Reply(reply) => (came.reply, came.sent) = (Some(reply), None),
                Effect::ReplaceBody(Side::Request, bytes) => came.sent = serde_json::from_slice(&bytes).ok(),
                Effect::SetHeader(Side::Request, "x-doorward-route", value) => {
                    came.route = String::from_utf8(value).ok();
                }
                Effect::Record(values) => came.record = values.into_iter().collect(),
                _ => {}
            }
        }
        came
    }

    fn say(&mut self, text: &str) -> Came {
        self.send(&chat(text), &[], None)
    }

    fn say_in(&mut self, conversation: &str, text: &str) -> Came {
        let mut body = chat(text);
        body["metadata"] = json!({"session_id": conversation});
        self.send(&body, &[], None)
    }
}

fn chat(text: &str) -> Value {
    json!({"model": "m-1", "messages": [{"role": "user", "content": text}]})
}

fn risk() -> Value {
    json!([{"id": "schemas", "detect": "SCHEMA"}, {"id": "keys", "detect": "secrets", "weight": 5},
           {"id": "customers", "detect": "EMAIL_ADDRESS", "weight": 2}])
}

fn sessions(thresholds: Value) -> Value {
    json!({"sessions": {"risk": risk(), "thresholds": thresholds}})
}

fn mosaic() -> Value {
    sessions(json!([{"id": "mosaic", "seen": ["schemas", "keys", "customers"], "action": "deny"}]))
}

#[test]
fn what_no_single_prompt_shows_is_caught_with_the_one_that_completes_it() {
    let mut desk = Desk::new(&mosaic());
    for text in [SCHEMA, "why is it slow?", KEY] {
        let came = desk.say(text);
        assert!(came.sent.is_some(), "{text}: {came:?}");
    }
    let came = desk.say(MAIL);
    assert_eq!((came.reason(), came.of("doorward.rules")), ("session.denied", "mosaic"));
    assert_eq!(came.reply.as_ref().map(|r| r.status), Some(403));
    assert_eq!(came.of("doorward.session.seen"), "schemas,keys,customers");
    assert_eq!(came.of("doorward.session.risk"), "8.00");
    assert_eq!(came.of("doorward.session").len(), 16);
    // Another caller, and the same one after a gap.
    desk.caller("b");
    assert!(desk.say(MAIL).sent.is_some());
    desk.caller("a");
    desk.secs += 3600;
    assert!(desk.say(MAIL).sent.is_some());
}

#[test]
fn a_session_is_its_callers_whatever_id_is_sent() {
    let mut desk = Desk::new(&mosaic());
    for text in [SCHEMA, KEY] {
        assert!(desk.say_in("one", text).sent.is_some());
    }
    desk.caller("b");
    let other = desk.say_in("one", MAIL);
    assert!(other.sent.is_some());
    desk.caller("a");
    assert!(desk.say_in("two", MAIL).sent.is_some());
    let came = desk.say_in("one", MAIL);
    assert_eq!(came.reason(), "session.denied");
    assert_ne!(came.of("doorward.session"), other.of("doorward.session"));
}

#[test]
fn whoever_takes_a_new_id_each_time_adds_up_all_the_same() {
    let mut desk = Desk::new(&sessions(json!([{"id": "much", "of": "principal", "above": 20, "action": "deny"}])));
    let sent = (0..100).take_while(|n| {
        let text = format!("write to someone.else{n}@northwind.dev");
        desk.say_in(&format!("s{n}"), &text).sent.is_some()
    });
    // Two for each: the eleventh is one too many (what decays meanwhile is less than a value).
    assert_eq!(sent.count(), 10);
}

#[test]
fn a_conversation_that_repeats_itself_adds_nothing() {
    let mut desk = Desk::new(&sessions(json!([{"id": "much", "above": 3, "action": "deny"}])));
    let mut body = chat(MAIL);
    for _ in 0..50 {
        assert!(desk.send(&body, &[], None).sent.is_some());
        let messages = body["messages"].as_array_mut().unwrap();
        messages.push(json!({"role": "assistant", "content": "ok"}));
        messages.push(json!({"role": "user", "content": "go on"}));
    }
    assert_eq!(desk.say("and to eve.stone@northwind.dev").reason(), "session.denied");
}

#[test]
fn answers_and_denials_add_up_too() {
    let mut more = sessions(json!([{"id": "much", "above": 9, "action": "deny"}]));
    more["sessions"]["risk"] = json!([{"id": "out", "detect": "EMAIL_ADDRESS", "direction": "response", "weight": 5},
        {"id": "tries", "reasons": "model.*", "weight": 5}]);
    let mut desk = Desk::new(&more);
    assert!(desk.say(MAIL).sent.is_some());
    let answer = json!({"model": "m-1", "choices": [{"message": {"role": "assistant", "content": MAIL}}]});
    let came = desk.send(&chat("who wrote?"), &[], Some(&answer));
    assert_eq!(came.of("doorward.session.risk"), "5.00");
    let mut other = chat("x");
    other["model"] = json!("m-9");
    assert_eq!(desk.send(&other, &[], None).reason(), "model.not_allowed");
    assert_eq!(desk.say("x").reason(), "session.denied");
}

#[test]
fn headers_name_sessions_where_the_policy_says_so() {
    let mut more = mosaic();
    more["sessions"]["headers"] = json!("X-Chat");
    let mut desk = Desk::new(&more);
    for (chat_id, text) in [("1", SCHEMA), ("2", KEY), ("1", KEY)] {
        assert!(desk.send(&chat(text), &[("x-chat", chat_id)], None).sent.is_some());
    }
    assert!(desk.send(&chat(MAIL), &[("x-chat", "2")], None).sent.is_some());
    assert_eq!(desk.send(&chat(MAIL), &[("x-chat", "1")], None).reason(), "session.denied");
}

#[test]
fn tools_are_taken_away() {
    let mut desk =
        Desk::new(&sessions(json!([{"id": "cold", "seen": "keys", "action": "forbid_tools", "tools": "send_*"}])));
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {}}});
    let mut body = chat("hello");
    body["tools"] = json!([tool("send_mail"), tool("look_up")]);
    assert_eq!(desk.send(&body, &[], None).sent.unwrap()["tools"].as_array().unwrap().len(), 2);
    // The request that shows it loses them already.
    body["messages"][0]["content"] = json!(KEY);
    let came = desk.send(&body, &[], None);
    assert_eq!(came.sent.as_ref().unwrap()["tools"], json!([tool("look_up")]), "{came:?}");
    assert_eq!(came.of("doorward.tools"), "offered:send_mail/remove=1");
    body["messages"][0]["content"] = json!("hello");
    assert_eq!(desk.send(&body, &[], None).sent.unwrap()["tools"], json!([tool("look_up")]));
    // A call that the model makes anyway.
    let call = json!({"id": "c", "type": "function", "function": {"name": "send_mail", "arguments": "{}"}});
    let answer = json!({"model": "m-1", "choices": [{"message": {"role": "assistant", "tool_calls": [call]}}]});
    let came = desk.send(&chat("mail it"), &[], Some(&answer));
    assert_eq!(came.of("doorward.tools"), "called:send_mail/refuse=1");
}

#[test]
fn what_an_earlier_exchange_carried_taints_tools() {
    let tainted = json!([{"id": "all", "effect": "allow", "models": "m-1"},
        {"id": "no-mail", "effect": "deny", "tools": {"name": "send_mail"}, "tainted_by": {"detect": "secrets"}}]);
    let tool = json!({"type": "function", "function": {"name": "send_mail", "parameters": {}}});
    let offered = |more: &Value| {
        let mut all = more.clone();
        all["access"] = tainted.clone();
        let mut desk = Desk::new(&all);
        desk.say(KEY);
        let mut body = chat("mail it");
        body["tools"] = json!([tool]);
        desk.send(&body, &[], None).sent.unwrap().get("tools").is_some()
    };
    assert!(offered(&json!({})));
    assert!(!offered(&sessions(json!([]))));
}

#[test]
fn a_session_goes_to_the_house_and_stays_there() {
    let mut more = json!({
        "targets": [{"name": "cloud", "cluster": "c", "provider": "openai"},
                    {"name": "house", "cluster": "house", "provider": "vllm"}],
        "routes": [{"id": "by-risk", "to": {"target": "house"}},
                   {"id": "by-finding", "when": {"detect": "US_SSN"}, "to": {"target": "house"}}],
    });
    more["sessions"] = json!({"risk": risk(), "thresholds": [
        {"id": "hot", "above": 6, "action": "route", "route": "by-risk"}]});
    let mut desk = Desk::new(&more);
    assert_eq!(desk.say_in("a", KEY).route, None);
    let came = desk.say_in("a", MAIL);
    assert_eq!(came.route.as_deref(), Some("house"), "{came:?}");
    assert_eq!((came.of("doorward.target"), came.of("doorward.action")), ("house", "route"));
    assert!(came.of("doorward.rules").contains("hot"), "{came:?}");
    assert_eq!(desk.say_in("a", "hello").route.as_deref(), Some("house"));
    assert_eq!(desk.say_in("b", "hello").route, None);
    // What a finding has sent there stays, without the finding.
    assert_eq!(desk.say_in("c", "his ssn is 536-90-4399").route.as_deref(), Some("house"));
    assert_eq!(desk.say_in("c", "and how old is he?").route.as_deref(), Some("house"));
    more["sessions"]["keep_route"] = json!(false);
    let mut desk = Desk::new(&more);
    assert_eq!(desk.say_in("c", "his ssn is 536-90-4399").route.as_deref(), Some("house"));
    assert_eq!(desk.say_in("c", "and how old is he?").route, None);
}

#[test]
fn observed_thresholds_and_flags_refuse_nothing() {
    let mut desk = Desk::new(&sessions(json!([
        {"id": "looks", "above": 1, "action": "deny", "mode": "observe"},
        {"id": "tells", "above": 1, "action": "flag"}])));
    let came = desk.say(MAIL);
    assert!(came.sent.is_some());
    assert_eq!((came.of("doorward.observed"), came.of("doorward.notes")), ("looks", "session.flagged"));
    let mut more = mosaic();
    more["mode"] = json!("observe");
    let mut desk = Desk::new(&more);
    for text in [SCHEMA, KEY, MAIL] {
        assert!(desk.say(text).reply.is_none());
    }
    assert_eq!(desk.say("x").of("doorward.action"), "observe");
}

#[test]
fn a_store_that_is_gone_refuses() {
    for more in [mosaic(), json!({"anomaly": {}})] {
        let mut desk = Desk::new(&more);
        assert!(desk.say("x").sent.is_some());
        desk.host.shared.clear();
        let came = desk.say("x");
        assert_eq!(came.reply.as_ref().map(|r| r.status), Some(503), "{came:?}");
    }
}

#[test]
fn memory_is_bounded_by_callers_and_not_by_what_they_send() {
    let mut more = mosaic();
    more["anomaly"] = json!({});
    let mut desk = Desk::new(&more);
    desk.say("x");
    let keys = desk.host.shared.len();
    let size = |desk: &Desk| desk.host.shared.values().map(|s| s.value.len()).sum::<usize>();
    for n in 0..500 {
        desk.say_in(&format!("session {n}"), &format!("mail a.b{n}@northwind.dev about {n}"));
    }
    assert_eq!(desk.host.shared.len(), keys);
    assert!(size(&desk) < 3200 + 700, "{}", size(&desk));
}

fn anomalous(actions: Value) -> Desk {
    Desk::new(&json!({"anomaly": {"ceilings": {"requests": 20}, "actions": actions}}))
}

#[test]
fn an_unusual_caller_is_flagged_slowed_down_or_refused() {
    for (action, reason, status) in [
        (json!({"id": "a", "action": "deny"}), "anomaly.denied", 403),
        (json!({"id": "a", "action": "fresh_token"}), "anomaly.fresh_token", 401),
        (json!({"id": "a", "action": "throttle", "rate": 1}), "anomaly.throttled", 429),
        (json!({"id": "a", "action": "flag"}), "", 0),
        (json!({"id": "a", "action": "deny", "mode": "observe"}), "", 0),
        (json!({"id": "a", "action": "deny", "watch": ["denials", "cost"]}), "", 0),
    ] {
        let mut desk = anomalous(json!([action]));
        for _ in 0..21 {
            assert!(desk.say("x").sent.is_some());
        }
        let second = if reason == "anomaly.throttled" { desk.say("x").reason().to_owned() } else { String::new() };
        let came = desk.say("x");
        assert_eq!((came.reason(), second.as_str()), (reason, ""), "{action}");
        assert_eq!(came.reply.as_ref().map_or(0, |r| r.status), status, "{action}");
        assert_eq!(came.of("doorward.anomaly"), "requests");
        assert_eq!(came.of("doorward.caller").len(), 16);
        match status {
            401 => {
                let reply = came.reply.as_ref().unwrap();
                let challenge = reply.headers.iter().find(|(name, _)| *name == "www-authenticate").unwrap();
                assert!(challenge.1.contains("insufficient_user_authentication"), "{challenge:?}");
                assert!(challenge.1.contains("max_age=\"300\""), "{challenge:?}");
            }
            429 => assert!(came.reply.as_ref().unwrap().headers.iter().any(|(name, _)| *name == "retry-after")),
            _ => {}
        }
        // Nobody else is held to it.
        desk.caller("b");
        assert!(desk.say("x").sent.is_some());
    }
}

#[test]
fn probing_and_harvests_are_seen_by_what_they_are() {
    let mut desk = Desk::new(&json!({
        "anomaly": {"ceilings": {"denials": 10, "identifiers": 40, "similar": 10, "encoded": 5000},
                    "actions": [{"id": "a", "action": "deny"}]},
        "content": [{"id": "mails", "detect": "EMAIL_ADDRESS", "action": "flag"}],
    }));
    let mut other = chat("x");
    other["model"] = json!("m-9");
    for _ in 0..12 {
        desk.send(&other, &[], None);
    }
    let came = desk.say("x");
    assert_eq!((came.reason(), came.of("doorward.anomaly")), ("anomaly.denied", "denials"));
    desk.caller("harvest");
    let found = (0..100).find(|n| {
        let text = format!(
            "look at {0}a.b{n}@northwind.dev and {0}c.d{n}@northwind.dev",
            "mnopqrstu".get(n % 9..n % 9 + 1).unwrap()
        );
        desk.say(&text).reason() == "anomaly.denied"
    });
    assert!(found.is_some_and(|n| (10..40).contains(&n)), "{found:?}");
    desk.caller("counts");
    let came = (0..30).map(|n| desk.say(&format!("show me all there is of account number {n}"))).last().unwrap();
    assert_eq!(came.of("doorward.anomaly"), "similar");
    desk.caller("packs");
    let blob = "UEsDBBQACAgIAJl8b1cAAAAAAAAAAAAAAAALAAAAX3JlbHMvLnJlbHOtks9KAzEQxu8+Rch9m20FEdm0FxF6E6kPEJLZ3dDmD5Op1rd3KAhaKNpDj0m ".repeat(50);
    desk.say(&blob);
    assert_eq!(desk.say("x").of("doorward.anomaly"), "encoded");
}

#[test]
fn what_we_refuse_ourselves_keeps_nobody_locked_out() {
    let mut desk = Desk::new(&json!({"anomaly": {"ceilings": {"requests": 20, "denials": 5}, "hold": "1h",
        "actions": [{"id": "a", "action": "deny"}]}}));
    for _ in 0..60 {
        desk.say("x");
    }
    assert_eq!(desk.say("x").of("doorward.anomaly"), "requests");
    desk.secs += 7200;
    assert!(desk.say("x").sent.is_some());
}

#[test]
fn mistakes_are_told_by_their_paths() {
    let env = |_: &str| Some("0123456789abcdef0123456789abcdef".to_owned());
    for (more, path) in [
        (json!({"sessions": {"risk": [{"id": "a"}]}}), "sessions.risk[0]"),
        (json!({"sessions": {"risk": [{"id": "a", "detect": "NO_SUCH"}]}}), "sessions.risk[0].detect[0]"),
        (json!({"sessions": {"thresholds": [{"id": "a", "action": "deny"}]}}), "sessions.thresholds[0]"),
        (
            json!({"sessions": {"thresholds": [{"id": "a", "seen": "x", "action": "deny"}]}}),
            "sessions.thresholds[0].seen[0]",
        ),
        (
            json!({"sessions": {"thresholds": [{"id": "a", "above": 1, "action": "route"}]}}),
            "sessions.thresholds[0].route",
        ),
        (json!({"sessions": {"gap": "1s"}}), "sessions.gap"),
        (json!({"anomaly": {"warmup": "1h"}}), "anomaly.warmup"),
        (json!({"anomaly": {"floors": {"requests": 0}}}), "anomaly.floors.requests"),
        (json!({"anomaly": {"actions": [{"id": "a", "action": "deny", "rate": 5}]}}), "anomaly.actions[0].rate"),
        (json!({"anomaly": {"baselines": [{"caller": "x", "learned": ""}]}}), "anomaly.baselines[0].caller"),
        (
            json!({"anomaly": {"baselines": [{"caller": "0123456789abcdef", "learned": "AAAA"}]}}),
            "anomaly.baselines[0].learned",
        ),
    ] {
        let tree = doorward_core::config::tree_from_json(&policy("openai", &more).to_string()).unwrap();
        let problems = Engine::compile(&tree, &env).err().unwrap_or_default();
        assert!(problems.iter().any(|p| p.path.to_string() == path), "{path}: {problems:?}");
    }
}
