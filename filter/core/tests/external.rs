//! External detectors over core alone: asked while a body waits, and judged together with our own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use std::collections::BTreeMap;

use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Call, CallResult, Effect, Event, Exchange, Flow, LocalReply, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use serde_json::{Value, json};

const START: u64 = 1_800_000_000_000_000_000;

fn engine(statements: Value, more: &Value) -> Engine {
    let mut external =
        json!({"name": "presidio", "cluster": "analyzer", "authority": "analyzer.test", "api": "presidio"});
    for (name, value) in more.as_object().unwrap() {
        external[name] = value.clone();
    }
    let policy = support::policy("openai", &json!({"detectors": {"external": [external]}, "content": statements}));
    support::engine(&policy)
}

/// One exchange whose host waits for the test.
struct Play<'e> {
    engine: &'e Engine,
    worker: Worker,
    host: MemoryHost,
    exchange: Exchange,
    now: u64,
    calls: Vec<Call>,
    reply: Option<LocalReply>,
    replaced: BTreeMap<Side2, Vec<u8>>,
    resumed: Vec<Side>,
    record: BTreeMap<&'static str, String>,
}

type Side2 = &'static str;

fn name(side: Side) -> Side2 {
    match side {
        Side::Request => "request",
        Side::Response => "response",
    }
}

impl<'e> Play<'e> {
    fn new(engine: &'e Engine) -> Self {
        let mut worker = Worker::new(engine);
        let mut host = MemoryHost::default();
        worker.start(engine, &mut host).unwrap();
        host.set_attribute(Attribute::Cluster, "c");
        host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
        Self {
            engine,
            worker,
            host,
            exchange: Exchange::new(7),
            now: START,
            calls: Vec::new(),
            reply: None,
            replaced: BTreeMap::new(),
            resumed: Vec::new(),
            record: BTreeMap::new(),
        }
    }

    fn tell(&mut self, event: Event<'_>) -> Flow {
        let mut effects = Vec::new();
        let flow = self.exchange.on(event, Time(self.now), self.engine, &mut self.worker, &mut self.host, &mut effects);
        for effect in effects {
            match effect {
                Effect::Reply(reply) => assert!(self.reply.replace(reply).is_none(), "two replies"),
                Effect::ReplaceBody(side, bytes) => _ = self.replaced.insert(name(side), bytes),
                Effect::Resume(side) => self.resumed.push(side),
                Effect::Call(call) => self.calls.push(call),
                Effect::Record(values) => self.record.extend(values),
                _ => {}
            }
        }
        flow
    }

    fn request(&mut self, body: &Value) -> Flow {
        let headers: Headers =
            [(":method", "POST"), (":path", "/v1/chat/completions"), ("content-type", "application/json")]
                .into_iter()
                .collect();
        assert_eq!(self.tell(Event::Head { side: Side::Request, headers: &headers, end: false }), Flow::Hold);
        let body = body.to_string().into_bytes();
        let available = body.len();
        self.host.bodies.insert(Side::Request, body);
        self.tell(Event::Body { side: Side::Request, available, end: true })
    }

    fn answer(&mut self, content_type: &str, body: &str) -> Flow {
        let headers: Headers = [(":status", "200"), ("content-type", content_type)].into_iter().collect();
        let flow = self.tell(Event::Head { side: Side::Response, headers: &headers, end: false });
        if self.reply.is_some() {
            return flow;
        }
        self.host.bodies.insert(Side::Response, body.as_bytes().to_vec());
        self.tell(Event::Body { side: Side::Response, available: body.len(), end: true })
    }

    /// The oldest call is answered, or fails, after so many milliseconds.
    fn called_back(&mut self, after_ms: u64, answer: Option<(u16, &str)>) {
        self.now += after_ms * 1_000_000;
        let call = self.calls.remove(0);
        let answer = answer.map(|(status, body)| (status, body.as_bytes().to_vec()));
        let mut effects = Vec::new();
        let result = CallResult { id: call.id, answer };
        let woken = self.worker.call_done(self.engine, result, Time(self.now), &mut self.host, &mut effects);
        for id in woken {
            assert_eq!(id, 7);
            let _ = self.tell(Event::Wake);
        }
    }

    fn done(mut self) -> Self {
        let _ = self.tell(Event::Done { spent_us: 1 });
        self
    }

    fn code(&self) -> &str {
        self.record.get("doorward.reason").map_or("", String::as_str)
    }

    fn body(&self, side: Side) -> &str {
        std::str::from_utf8(&self.replaced[name(side)]).unwrap()
    }
}

fn asked(text: &str) -> Value {
    json!({"model": "m-1", "messages": [{"role": "user", "content": text}]})
}

fn mask(more: &Value) -> Value {
    let mut statement =
        json!({"id": "names", "detect": "presidio", "action": "mask", "direction": "request", "channels": "user"});
    for (name, value) in more.as_object().unwrap() {
        statement[name] = value.clone();
    }
    json!([statement, {"id": "mail", "detect": "EMAIL_ADDRESS", "action": "mask"}])
}

/// An answer of Presidio's for the texts of `call`: `value` is found wherever it stands.
fn finds(call: &Call, value: &str) -> String {
    let request: Value = serde_json::from_slice(&call.body).unwrap();
    let texts = request["text"].as_array().unwrap().iter();
    let all: Vec<Value> = texts
        .map(|text| {
            let text = text.as_str().unwrap();
            let found = text.match_indices(value).map(|(at, _)| {
                let start = text[..at].chars().count();
                json!({"entity_type": "PERSON", "start": start, "end": start + value.chars().count(), "score": 0.85})
            });
            Value::Array(found.collect())
        })
        .collect();
    Value::Array(all).to_string()
}

#[test]
fn a_request_waits_and_its_findings_are_masked_with_our_own() {
    let engine = engine(mask(&json!({})), &json!({"bearer": {"env": "KEY"}}));
    let mut play = Play::new(&engine);
    let body = asked("Zoë Müller \u{1F600} wrote Zoë Müller, zoe@acme-inc.io");
    assert_eq!(play.request(&body), Flow::Hold);
    assert!(play.resumed.is_empty() && play.reply.is_none());
    let [call] = play.calls.as_slice() else { panic!("{:?}", play.calls.len()) };
    assert_eq!((call.cluster.as_str(), call.authority.as_str()), ("analyzer", "analyzer.test"));
    assert_eq!((call.method, call.path.as_str(), call.timeout_ms), ("POST", "/analyze", 500));
    assert!(call.headers.iter().any(|(n, v)| n == "authorization" && v.starts_with("Bearer 0123")));
    let sent: Value = serde_json::from_slice(&call.body).unwrap();
    // The user's words and nothing else: keys of a message are of its channel too.
    let expected = ["content", body["messages"][0]["content"].as_str().unwrap(), "role", "user"];
    assert_eq!(sent["text"], json!(expected));
    // A wake that means somebody else changes nothing.
    assert_eq!(play.tell(Event::Wake), Flow::Hold);
    assert!(play.resumed.is_empty());
    let found = finds(&play.calls[0], "Zoë Müller");
    play.called_back(12, Some((200, &found)));
    assert_eq!(play.resumed, [Side::Request]);
    let text = play.body(Side::Request);
    assert!(text.contains("[presidio] \u{1F600} wrote [presidio], [EMAIL_ADDRESS]"), "{text}");
    let play = play.done();
    assert_eq!(play.record["doorward.external"], "in:presidio=ok:12ms");
    assert_eq!(play.record["doorward.findings"], "in:EMAIL_ADDRESS/mask=1,in:presidio/mask=2");
    assert_eq!(play.record["doorward.decision"], "allow");
}

#[test]
fn whole_answers_are_looked_at_too() {
    let statements = mask(&json!({"direction": "response", "channels": "assistant"}));
    let engine = engine(statements, &json!({"entities": {"PERSON": "PERSON"}}));
    let mut play = Play::new(&engine);
    assert_eq!(play.request(&asked("who?")), Flow::Continue);
    assert!(play.calls.is_empty());
    let answer = r#"{"model":"m-1","choices":[{"message":{"role":"assistant","content":"It was Ann Lee."}}]}"#;
    assert_eq!(play.answer("application/json", answer), Flow::Hold);
    let found = finds(&play.calls[0], "Ann Lee");
    play.called_back(3, Some((200, &found)));
    assert_eq!(play.resumed, [Side::Response]);
    assert_eq!(play.body(Side::Response), answer.replace("Ann Lee", "[PERSON]"));
    assert_eq!(play.done().record["doorward.external"], "out:presidio=ok:3ms");
}

#[test]
fn what_is_captured_has_its_findings_replaced() {
    let external = json!({"name": "presidio", "cluster": "analyzer", "authority": "analyzer.test", "api": "presidio"});
    for action in ["mask", "flag", "deny"] {
        let statements =
            mask(&json!({"action": action, "direction": ["request", "response"], "channels": ["user", "assistant"]}));
        let more =
            json!({"detectors": {"external": [external]}, "content": statements, "audit": {"capture": "redacted"}});
        let engine = support::engine(&support::policy("openai", &more));
        let mut play = Play::new(&engine);
        assert_eq!(play.request(&asked("It is for Ann Lee, ann@northwind.dev")), Flow::Hold);
        let found = finds(&play.calls[0], "Ann Lee");
        play.called_back(3, Some((200, &found)));
        if action != "deny" {
            let answer = r#"{"model":"m-1","choices":[{"message":{"role":"assistant","content":"Ann Lee it is."}}]}"#;
            assert_eq!(play.answer("application/json", answer), Flow::Hold);
            let found = finds(&play.calls[0], "Ann Lee");
            play.called_back(3, Some((200, &found)));
        }
        let play = play.done();
        let captured = &play.record["doorward.captured.in"];
        assert!(captured.contains("for [presidio], [EMAIL_ADDRESS]") && !captured.contains("Ann"), "{captured}");
        let captured = play.record.get("doorward.captured.out").map_or("", String::as_str);
        assert!(captured.contains("[presidio] it is.") || action == "deny" && captured.is_empty(), "{captured}");
    }
}

#[test]
fn a_finding_can_refuse() {
    for (direction, code, status) in [("request", "content.denied", 400), ("response", "answer.denied", 400)] {
        let engine = engine(
            mask(&json!({"action": "deny", "direction": direction, "channels": ["user", "assistant"]})),
            &json!({}),
        );
        let mut play = Play::new(&engine);
        let flow = play.request(&asked("Ann Lee"));
        if direction == "response" {
            assert_eq!(flow, Flow::Continue);
            assert_eq!(
                play.answer("application/json", r#"{"choices":[{"message":{"content":"Ann Lee"}}]}"#),
                Flow::Hold
            );
        }
        let found = finds(&play.calls[0], "Ann Lee");
        play.called_back(3, Some((200, &found)));
        assert!(play.resumed.is_empty());
        assert_eq!(play.reply.as_ref().unwrap().status, status);
        let play = play.done();
        assert_eq!((play.code(), play.record["doorward.rules"].as_str()), (code, "names"));
    }
}

#[test]
fn failures_refuse_unless_the_statement_lets_them_pass() {
    let failures = [
        (495, None, "failed:unreachable"),
        (500, None, "failed:timeout"),
        (501, Some((504, "upstream request timeout")), "failed:timeout"),
        (2, Some((503, "no healthy upstream")), "failed:status_503"),
        (2, Some((500, "{}")), "failed:status_500"),
        (2, Some((200, "[]")), "failed:malformed"),
        (2, Some((200, "")), "failed:malformed"),
    ];
    for (after, answer, outcome) in failures {
        for allow in [false, true] {
            let more = if allow { json!({"on_failure": "allow"}) } else { json!({}) };
            let engine = engine(mask(&more), &json!({}));
            let mut play = Play::new(&engine);
            assert_eq!(play.request(&asked("Ann Lee, ann@acme-inc.io")), Flow::Hold);
            play.called_back(after, answer);
            assert_eq!(play.resumed.len(), usize::from(allow), "{outcome}");
            if allow {
                assert!(play.body(Side::Request).contains("Ann Lee, [EMAIL_ADDRESS]"));
            } else {
                let reply = play.reply.as_ref().unwrap();
                assert_eq!(reply.status, 503);
                assert!(!reply.headers.iter().any(|(name, _)| *name == "x-should-retry"));
                let text = String::from_utf8_lossy(&reply.body);
                assert!(text.contains("`presidio`") && text.contains("`names`") && !text.contains("Lee"), "{text}");
            }
            let play = play.done();
            assert_eq!(play.record["doorward.external"], format!("in:presidio={outcome}"));
            assert_eq!(play.code(), if allow { "" } else { "content.detector_unavailable" }, "{outcome}");
            assert_eq!(play.record["doorward.decision"], if allow { "allow" } else { "deny" });
        }
    }
}

/// What Envoy answers itself where a connection failed.
const RESET: &str = "upstream connect error or disconnect/reset before headers. reset reason: connection termination";

#[test]
fn a_detector_that_was_not_reached_is_asked_once_more() {
    let engine = engine(mask(&json!({})), &json!({}));
    for failure in [None, Some((503, RESET))] {
        let mut play = Play::new(&engine);
        assert_eq!(play.request(&asked("Ann Lee")), Flow::Hold);
        let first = play.calls[0].clone();
        play.called_back(30, failure);
        let [again] = play.calls.as_slice() else { panic!("{:?}", play.calls.len()) };
        assert_eq!((&again.body, &again.path, &again.headers), (&first.body, &first.path, &first.headers));
        assert_eq!((first.timeout_ms, again.timeout_ms), (500, 470));
        assert_ne!(again.id, first.id);
        assert!(play.resumed.is_empty() && play.reply.is_none());
        let found = finds(again, "Ann Lee");
        play.called_back(12, Some((200, &found)));
        assert_eq!(play.resumed, [Side::Request]);
        assert!(play.body(Side::Request).contains("[presidio]"));
        assert_eq!(play.done().record["doorward.external"], "in:presidio=ok:42ms");
    }
}

#[test]
fn a_detector_is_asked_again_once_and_in_its_time() {
    let engine = engine(mask(&json!({})), &json!({}));
    for (first, second, outcome) in [
        ((2, None), Some((2, None)), "failed:unreachable"),
        ((2, Some((503, RESET))), Some((3, None)), "failed:unreachable"),
        ((300, None), Some((200, None)), "failed:timeout"),
        ((300, None), Some((100, Some((500, "oops")))), "failed:status_500"),
        // Who answered is not asked again.
        ((2, Some((503, "no healthy upstream"))), None, "failed:status_503"),
        ((2, Some((502, RESET))), None, "failed:status_502"),
        ((2, Some((200, ""))), None, "failed:malformed"),
        // Nor is who has no time left.
        ((491, None), None, "failed:unreachable"),
        ((600, None), None, "failed:timeout"),
    ] {
        let mut play = Play::new(&engine);
        assert_eq!(play.request(&asked("Ann Lee")), Flow::Hold);
        play.called_back(first.0, first.1);
        if let Some((after, answer)) = second {
            assert!(play.reply.is_none(), "{outcome}");
            play.called_back(after, answer);
        }
        assert!(play.calls.is_empty() && play.resumed.is_empty(), "{outcome}");
        assert_eq!(play.reply.as_ref().unwrap().status, 503);
        assert_eq!(play.worker.tick_ms(&engine), 0);
        let play = play.done();
        assert_eq!(play.record["doorward.external"], format!("in:presidio={outcome}"));
        assert_eq!(play.code(), "content.detector_unavailable");
    }
}

#[test]
fn a_detector_is_asked_again_while_another_still_thinks() {
    let detector = |name: &str| json!({"name": name, "cluster": name, "authority": "analyzer.test", "api": "presidio"});
    let statement =
        |name: &str| json!({"id": name, "detect": name, "action": "mask", "direction": "request", "channels": "user"});
    let more = json!({"detectors": {"external": [detector("one"), detector("two")]},
        "content": [statement("one"), statement("two")]});
    let engine = support::engine(&support::policy("openai", &more));
    let mut play = Play::new(&engine);
    assert_eq!(play.request(&asked("Ann Lee met Bob Orr")), Flow::Hold);
    let clusters = |play: &Play<'_>| play.calls.iter().map(|c| c.cluster.clone()).collect::<Vec<_>>();
    assert_eq!(clusters(&play), ["one", "two"]);
    play.called_back(5, None);
    assert_eq!(clusters(&play), ["two", "one"]);
    let (two, one) = (finds(&play.calls[0], "Bob Orr"), finds(&play.calls[1], "Ann Lee"));
    play.called_back(5, Some((200, &two)));
    assert!(play.resumed.is_empty());
    play.called_back(5, Some((200, &one)));
    assert_eq!(play.resumed, [Side::Request]);
    assert!(play.body(Side::Request).contains("[one] met [two]"));
    assert_eq!(play.done().record["doorward.external"], "in:one=ok:15ms,in:two=ok:10ms");
}

#[test]
fn an_answer_is_withheld_where_its_detector_is_not_reached_twice() {
    let statements = mask(&json!({"direction": "response", "channels": "assistant"}));
    let engine = engine(statements, &json!({}));
    for reached in [false, true] {
        let mut play = Play::new(&engine);
        assert_eq!(play.request(&asked("who?")), Flow::Continue);
        let answer = r#"{"model":"m-1","choices":[{"message":{"role":"assistant","content":"It was Ann Lee."}}]}"#;
        assert_eq!(play.answer("application/json", answer), Flow::Hold);
        play.called_back(3, None);
        let found = finds(&play.calls[0], "Ann Lee");
        play.called_back(3, reached.then_some((200, &found)));
        assert_eq!(play.resumed.len(), usize::from(reached));
        let status = play.reply.as_ref().map(|reply| reply.status);
        assert_eq!(status, (!reached).then_some(502));
        let play = play.done();
        assert_eq!(play.code(), if reached { "" } else { "answer.unscannable" });
    }
}

#[test]
fn a_caller_who_leaves_is_not_waited_for_when_the_detector_is_asked_again() {
    let engine = engine(mask(&json!({})), &json!({}));
    let mut play = Play::new(&engine);
    assert_eq!(play.request(&asked("Ann Lee")), Flow::Hold);
    play.called_back(2, None);
    let mut play = play.done();
    assert_eq!(play.worker.tick_ms(&engine), 0);
    play.called_back(5, None);
    assert!(play.calls.is_empty() && play.resumed.is_empty());
}

#[test]
fn more_text_than_may_be_sent_asks_nobody() {
    let engine = engine(mask(&json!({})), &json!({"max_bytes": 100}));
    let mut play = Play::new(&engine);
    assert_eq!(play.request(&asked(&"word ".repeat(30))), Flow::Hold);
    assert!(play.calls.is_empty() && play.reply.is_some());
    let play = play.done();
    assert_eq!(play.record["doorward.external"], "in:presidio=failed:too_large");
    assert_eq!(play.code(), "content.unscannable");
}

#[test]
fn a_host_that_forgets_a_call_does_not_keep_the_exchange() {
    let engine = engine(mask(&json!({})), &json!({}));
    let mut play = Play::new(&engine);
    assert_eq!(play.worker.tick_ms(&engine), 0);
    assert_eq!(play.request(&asked("Ann Lee")), Flow::Hold);
    assert_eq!(play.worker.tick_ms(&engine), 100);
    for (ms, woken) in [(400, 0), (740, 0), (751, 1)] {
        let at = Time(START + ms * 1_000_000);
        assert_eq!(play.worker.tick(&engine, at, &mut play.host, &mut Vec::new()).len(), woken, "{ms}");
    }
    let _ = play.tell(Event::Wake);
    assert_eq!(play.worker.tick_ms(&engine), 0);
    let late = CallResult { id: play.calls[0].id, answer: Some((200, b"[]".to_vec())) };
    assert_eq!(play.worker.call_done(&engine, late, Time(START), &mut play.host, &mut Vec::new()), [0u32; 0]);
    let play = play.done();
    assert_eq!(play.record["doorward.external"], "in:presidio=failed:timeout");
}

#[test]
fn a_caller_who_leaves_is_not_waited_for() {
    let engine = engine(mask(&json!({})), &json!({}));
    let mut play = Play::new(&engine);
    assert_eq!(play.request(&asked("Ann Lee")), Flow::Hold);
    let mut play = play.done();
    assert_eq!(play.record["doorward.decision"], "none");
    assert_eq!(play.worker.tick_ms(&engine), 0);
    play.called_back(5, Some((200, "[[],[],[],[]]")));
    assert!(play.resumed.is_empty());
}

#[test]
fn streams_are_refused_where_answers_must_be_seen() {
    let mut stream = asked("hi");
    stream["stream"] = true.into();
    for (more, refused) in [
        (json!({"direction": "response", "channels": "assistant"}), true),
        (json!({"direction": "response", "channels": "assistant", "on_failure": "allow"}), false),
        (json!({"direction": "response", "channels": "assistant", "mode": "observe"}), false),
        (json!({}), false),
    ] {
        let engine = engine(mask(&more), &json!({}));
        let mut play = Play::new(&engine);
        let flow = play.request(&stream);
        assert_eq!(play.reply.is_some(), refused, "{more}");
        if !refused && flow == Flow::Hold {
            let found = finds(&play.calls[0], "nobody");
            play.called_back(1, Some((200, &found)));
        }
        let play = play.done();
        assert_eq!(play.code(), if refused { "protocol.stream_unsupported" } else { "" });
        let expected =
            if more.get("direction").is_some() { "out:presidio=skipped:stream" } else { "in:presidio=ok:1ms" };
        assert_eq!(play.record["doorward.external"], expected, "{more}");
    }
}

#[test]
fn a_policy_that_observes_holds_nothing_and_asks_nobody() {
    let external = json!({"name": "presidio", "cluster": "a", "authority": "a", "api": "presidio"});
    let policy = support::policy(
        "openai",
        &json!({"detectors": {"external": [external]}, "content": mask(&json!({"direction": ["request", "response"]})), "mode": "observe"}),
    );
    let engine = support::engine(&policy);
    let mut play = Play::new(&engine);
    let headers: Headers =
        [(":method", "POST"), (":path", "/v1/chat/completions"), ("content-type", "application/json")]
            .into_iter()
            .collect();
    assert_eq!(play.tell(Event::Head { side: Side::Request, headers: &headers, end: false }), Flow::Continue);
    let body = asked("Ann Lee").to_string().into_bytes();
    let available = body.len();
    play.host.bodies.insert(Side::Request, body);
    assert_eq!(play.tell(Event::Body { side: Side::Request, available, end: true }), Flow::Continue);
    assert!(play.calls.is_empty());
    assert_eq!(play.done().record["doorward.external"], "in:presidio=skipped:observe");
}

#[test]
fn an_observed_statement_records_and_never_refuses() {
    let engine = engine(mask(&json!({"mode": "observe", "action": "deny"})), &json!({}));
    for answer in [None, Some(true)] {
        let mut play = Play::new(&engine);
        assert_eq!(play.request(&asked("Ann Lee")), Flow::Hold);
        let found = finds(&play.calls[0], "Ann Lee");
        play.called_back(1, answer.map_or(Some((500, "")), |_| Some((200, found.as_str()))));
        assert_eq!(play.resumed, [Side::Request]);
        let play = play.done();
        assert_eq!(play.record["doorward.decision"], "allow");
        assert_eq!(play.record.contains_key("doorward.observed"), answer.is_some());
    }
}

#[test]
fn a_mode_of_failure_needs_something_that_fails() {
    let statements = json!([{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "mask", "on_failure": "allow"}]);
    let policy = support::policy("openai", &json!({"content": statements}));
    let tree = doorward_core::config::tree_from_json(&policy.to_string()).unwrap();
    let env = |_: &str| Some("0123456789abcdef0123456789abcdef".to_owned());
    let problems = Engine::compile(&tree, &env).unwrap_err();
    assert!(problems.iter().any(|p| p.to_string().contains("on_failure")), "{problems:?}");
}

#[test]
fn what_a_detector_finds_sends_the_request_elsewhere_where_it_is_judged_anew() {
    let policy = |when: Value| {
        support::policy(
            "openai",
            &json!({
                "targets": [{"name": "cloud", "cluster": "c", "provider": "openai"},
                    {"name": "house", "cluster": "house", "provider": "vllm"}],
                "access": [{"id": "all", "effect": "allow", "models": ["m-1", "h-1"]}],
                "detectors": {"external": [
                    {"name": "presidio", "cluster": "analyzer", "authority": "analyzer.test", "api": "presidio"}]},
                "routes": [{"id": "names-stay", "when": when, "to": {"target": "house"}, "model": "h-1"}],
                "content": [{"id": "mail", "detect": "EMAIL_ADDRESS", "action": "mask", "targets": "house"}],
            }),
        )
    };
    let everywhere = json!({"detect": "presidio", "channels": "user"});
    let in_cloud = json!({"detect": "presidio", "channels": "user", "targets": "cloud"});
    for (when, calls) in [(everywhere, 2), (in_cloud, 1)] {
        let engine = support::engine(&policy(when.clone()));
        let mut play = Play::new(&engine);
        assert_eq!(play.request(&asked("Zoë Müller, zoe@acme-inc.io")), Flow::Hold);
        for asked in 1..=calls {
            assert!(play.resumed.is_empty() && play.calls.len() == 1, "{when}: {asked}");
            let found = finds(&play.calls[0], "Zoë Müller");
            play.called_back(5, Some((200, &found)));
        }
        assert_eq!((play.resumed.as_slice(), play.calls.len()), ([Side::Request].as_slice(), 0), "{when}");
        let sent: Value = serde_json::from_str(play.body(Side::Request)).unwrap();
        assert_eq!(sent, {
            let mut sent = asked("Zoë Müller, [EMAIL_ADDRESS]");
            sent["model"] = json!("h-1");
            sent
        });
        let play = play.done();
        assert_eq!(play.record["doorward.target"], "house");
        assert_eq!(play.record["doorward.findings"], "in:EMAIL_ADDRESS/mask=1,in:presidio/route=1");
    }
    // One that says nothing keeps it from both.
    let engine = support::engine(&policy(json!({"detect": "presidio"})));
    let mut play = Play::new(&engine);
    assert_eq!(play.request(&asked("Zoë Müller")), Flow::Hold);
    play.called_back(5, Some((500, "")));
    let play = play.done();
    assert_eq!((play.code(), play.resumed.len()), ("content.detector_unavailable", 0));
}
