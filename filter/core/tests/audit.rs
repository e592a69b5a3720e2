//! What goes on the record: of every exit, of texts, of callers; what ties records together; and the switch to observe for a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

mod support;

use std::collections::BTreeMap;

use doorward_core::audit::chain::{ChainKey, Checkpoint, Link};
use doorward_core::audit::text::{TextKey, written};
use doorward_core::audit::{KEYS, Pseudonyms};
use doorward_core::engine::{Engine, Worker};
use doorward_core::exchange::{Effect, Event, Exchange, Flow, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use doorward_core::identity::mint_api_key;
use serde_json::{Value, json};
use support::{engine, policy};

/// What `support::engine` answers for every variable.
const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: u64 = 1_800_000_000;

/// One worker.
struct Desk {
    engine: Engine,
    worker: Worker,
    host: MemoryHost,
    at: u64,
    /// What goes with each request.
    token: Option<String>,
    checkpoints: Vec<String>,
}

#[derive(Debug, Default)]
struct Came {
    status: Option<u16>,
    sent: Option<String>,
    removed: Vec<String>,
    record: BTreeMap<&'static str, String>,
}

impl Came {
    fn of(&self, key: &str) -> &str {
        self.record.get(key).map_or("", String::as_str)
    }
}

impl Desk {
    fn new(more: &Value) -> Self {
        let engine = engine(&policy("openai", more));
        let (mut worker, mut host) = (Worker::new(&engine), MemoryHost::default());
        worker.start(&engine, &mut host).unwrap();
        host.set_attribute(Attribute::Cluster, "c");
        host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/x/sa/a");
        Self { engine, worker, host, at: NOW, token: None, checkpoints: Vec::new() }
    }

    /// One whose callers are proven by an API key of alice's.
    fn of_alice(more: &Value) -> Self {
        let minted = mint_api_key([7; 32]);
        let mut all = json!({"identity": {"api_keys": [{"id": "alices-laptop", "digest": minted.digest, "user": "alice", "team": "search"}]}});
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        Self { token: Some(minted.key), ..Self::new(&all) }
    }

    fn tell(&mut self, exchange: &mut Exchange, event: Event<'_>) -> (Flow, Vec<Effect>) {
        let mut effects = Vec::new();
        let at = Time(self.at * 1_000_000_000);
        let flow = exchange.on(event, at, &self.engine, &mut self.worker, &mut self.host, &mut effects);
        (flow, effects)
    }

    fn send(&mut self, path: &str, body: &[u8], answer: Option<(&str, &[&[u8]])>) -> Came {
        let mut exchange = Exchange::new(1);
        let mut came = Came::default();
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut fields = vec![(":method", "POST"), (":path", path), ("content-type", "application/json")];
        fields.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        let headers: Headers = fields.into_iter().collect();
        self.host.bodies.insert(Side::Request, body.to_vec());
        let (_, effects) = self.tell(&mut exchange, Event::Head { side: Side::Request, headers: &headers, end: false });
        came.take(effects, self);
        let mut sent = Some(body.to_vec());
        if came.status.is_none() {
            let (_, effects) =
                self.tell(&mut exchange, Event::Body { side: Side::Request, available: body.len(), end: true });
            if let Some(Effect::ReplaceBody(_, bytes)) = effects.iter().find(|e| matches!(e, Effect::ReplaceBody(..))) {
                sent = Some(bytes.clone());
            }
            came.take(effects, self);
        }
        came.sent = sent.filter(|_| came.status.is_none()).map(|sent| String::from_utf8_lossy(&sent).into_owned());
        if let Some((kind, chunks)) = answer.filter(|_| came.status.is_none()) {
            let headers: Headers = [(":status", "200"), ("content-type", kind)].into_iter().collect();
            let (_, effects) =
                self.tell(&mut exchange, Event::Head { side: Side::Response, headers: &headers, end: false });
            came.take(effects, self);
            for (i, chunk) in chunks.iter().enumerate() {
                self.host.bodies.insert(Side::Response, chunk.to_vec());
                let event = Event::Body { side: Side::Response, available: chunk.len(), end: i + 1 == chunks.len() };
                let (_, effects) = self.tell(&mut exchange, event);
                came.take(effects, self);
            }
        }
        let (_, effects) = self.tell(&mut exchange, Event::Done { spent_us: 1 });
        came.take(effects, self);
        came
    }

    fn say(&mut self, text: &str) -> Came {
        self.send("/v1/chat/completions", &chat(&[text]), None)
    }

    fn tick(&mut self) {
        let mut effects = Vec::new();
        let at = Time(self.at * 1_000_000_000);
        self.worker.tick(&self.engine, at, &mut self.host, &mut effects);
        Came::default().take(effects, self);
    }
}

impl Came {
    fn take(&mut self, effects: Vec<Effect>, desk: &mut Desk) {
        for effect in effects {
            match effect {
                Effect::Reply(reply) => self.status = Some(reply.status),
                Effect::RemoveHeader(Side::Request, name) => self.removed.push(name.into_owned()),
                Effect::Record(values) => self.record.extend(values),
                Effect::Checkpoint(line) => desk.checkpoints.push(line),
                _ => {}
            }
        }
    }
}

fn chat(texts: &[&str]) -> Vec<u8> {
    let messages: Vec<Value> = texts.iter().map(|text| json!({"role": "user", "content": text})).collect();
    json!({"model": "m-1", "messages": messages}).to_string().into_bytes()
}

fn digest(text: &str) -> String {
    written(TextKey::new(KEY).digest(text).unwrap())
}

#[test]
fn every_exit_is_on_the_record_with_the_policys_digest() {
    let mut desk = Desk::new(&json!({"content": [{"id": "s", "detect": "secrets", "action": "deny"}]}));
    let expected = desk.engine.digest().to_owned();
    // Nothing but the end, as when a filter in front answers.
    let (_, effects) = desk.tell(&mut Exchange::new(9), Event::Done { spent_us: 1 });
    let mut came = Came::default();
    came.take(effects, &mut desk);
    let mut all = vec![("none", came)];
    all.push(("allow", desk.say("hello there")));
    all.push(("deny", desk.say("the key is AKIAIQ7RX4PJH6ZN2WVB")));
    all.push(("deny", desk.send("/v1/unknown", b"{}", None)));
    all.push(("deny", desk.send("/v1/chat/completions", b"{not json", None)));
    desk.host.set_attribute(Attribute::Cluster, "other");
    all.push(("deny", desk.say("hello there")));
    desk.host.set_attribute(Attribute::Cluster, "c");
    desk.host.attributes.clear();
    desk.host.set_attribute(Attribute::Cluster, "c");
    all.push(("deny", desk.say("nobody is proven")));
    for (decision, came) in &all {
        assert_eq!(
            (came.of("doorward.policy.digest"), came.of("doorward.decision")),
            (expected.as_str(), *decision),
            "{came:?}"
        );
    }
}

#[test]
fn packs_and_what_they_lose_are_on_the_record() {
    let mut desk = Desk::new(&json!({"extends": ["secrets@1", "pii@1"],
        "content": [{"id": "secrets.keys", "action": "flag", "weakens": true}]}));
    let came = desk.say("the key is AKIAIQ7RX4PJH6ZN2WVB, mail bob@northwind.dev");
    assert_eq!(came.of("doorward.policy.packs"), "secrets@1,pii@1");
    assert_eq!(came.of("doorward.policy.weakened"), "secrets.keys");
    assert_eq!(came.of("doorward.decision"), "allow");
    assert!(came.of("doorward.rules").contains("pii.contact"), "{came:?}");
    assert!(came.sent.as_deref().unwrap().contains("[EMAIL_ADDRESS]"));
}

#[test]
fn each_text_has_a_digest_and_none_is_there() {
    let mut desk = Desk::new(&json!({"audit": {"key": {"env": "A"}}}));
    let texts = ["the merger closes on Friday", "and nobody may know", "ok"];
    let answer = json!({"id": "1", "object": "chat.completion", "model": "m-1", "choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "I will keep it to myself"}}]})
    .to_string();
    let whole = ("application/json", &[answer.as_bytes()][..]);
    let came = desk.send("/v1/chat/completions", &chat(&texts), Some(whole));
    // Texts of less than eight bytes are everybody's.
    assert_eq!(came.of("doorward.texts.in"), format!("{},{}", digest(texts[0]), digest(texts[1])));
    assert_eq!(came.of("doorward.texts.out"), digest("I will keep it to myself"));
    assert!(came.of("doorward.content.in").starts_with("hmac-sha256:"));
    assert!(!format!("{:?}", came.record).contains("merger"));
    // Refused ones, too.
    assert_eq!(
        desk.send("/v1/chat/completions", &chat(&["a refused text"]).replace_model(), None).of("doorward.texts.in"),
        digest("a refused text")
    );
    // A stream's text is the one that its pieces make.
    let event = |text: &str| {
        let data = json!({"id": "1", "object": "chat.completion.chunk", "model": "m-1",
            "choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {data}\n\n").into_bytes()
    };
    let pieces: Vec<Vec<u8>> =
        ["I will", " keep it", " to", " myself"].map(event).into_iter().chain([b"data: [DONE]\n\n".to_vec()]).collect();
    let body =
        json!({"model": "m-1", "stream": true, "messages": [{"role": "user", "content": "please stream"}]}).to_string();
    let chunks: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let came = desk.send("/v1/chat/completions", body.as_bytes(), Some(("text/event-stream", &chunks)));
    assert_eq!(came.of("doorward.texts.out"), digest("I will keep it to myself"), "{came:?}");
    // Without a key there are none, and however many there are, the last ones are there.
    assert_eq!(Desk::new(&json!({})).say("the merger closes").of("doorward.texts.in"), "");
    let many: Vec<String> = (0..500).map(|n| format!("message number {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let came = desk.send("/v1/chat/completions", &chat(&many), None);
    let digests: Vec<&str> = came.of("doorward.texts.in").split(',').collect();
    assert_eq!((digests.len(), digests[47]), (48, digest("message number 499").as_str()));
}

trait ReplaceModel {
    fn replace_model(&self) -> Vec<u8>;
}

impl ReplaceModel for Vec<u8> {
    fn replace_model(&self) -> Vec<u8> {
        String::from_utf8_lossy(self).replace("m-1", "m-2").into_bytes()
    }
}

#[test]
fn pseudonyms_are_all_there_is_of_a_user() {
    let more = json!({"audit": {"user": "pseudonym", "user_key": {"env": "U"}}, "sessions": {}, "anomaly": {},
        "envoy": {"record_caller_first": true}});
    let mut hidden = Desk::of_alice(&more);
    let came = hidden.say("hello there");
    assert_eq!(came.of("doorward.user"), Pseudonyms::new(KEY).of("alice"));
    assert_eq!(came.of("doorward.team"), "search");
    assert!(!format!("{:?}", came.record).contains("alice"), "{came:?}");
    let again = hidden.say("hello once more");
    for key in ["doorward.user", "doorward.caller", "doorward.session", "doorward.credential"] {
        assert_eq!(came.of(key), again.of(key), "{key}");
    }
    let mut clear = more.clone();
    clear["audit"] = json!({});
    let clear = Desk::of_alice(&clear).say("hello there");
    assert_eq!((clear.of("doorward.user"), clear.of("doorward.credential")), ("alice", "alices-laptop"));
    // Digests that anybody can make of a name give nobody away.
    for key in ["doorward.caller", "doorward.session"] {
        assert!(!clear.of(key).is_empty() && clear.of(key) != came.of(key), "{key}");
    }
}

#[test]
fn keys_of_the_audit_are_what_they_are_for() {
    let refused = |audit: Value| {
        let policy = policy("openai", &json!({"audit": audit}));
        let tree = doorward_core::config::tree_from_json(&policy.to_string()).unwrap();
        let problems = Engine::compile(&tree, &|_| Some("0123456789abcdef0123456789abcdef".to_owned())).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(refused(json!({"user": "pseudonym"})).contains("audit.user_key"));
    assert!(refused(json!({"user_key": {"env": "U"}})).contains("means nothing"));
    assert!(refused(json!({"key": {"env": "A"}, "chain": {"key": {"env": "A"}}})).contains("audit.chain.key"));
    assert!(refused(json!({"capture_bytes": 63})).contains("between 64 and 16384"));
    assert!(refused(json!({"chain": {"key": {"env": "C"}, "checkpoint_records": 0}})).contains("checkpoint_records"));
    assert!(refused(json!({"chain": {"key": {"env": "C"}, "checkpoint_every": "1ms"}})).contains("checkpoint_every"));
}

#[test]
fn texts_are_recorded_as_far_as_the_policy_says() {
    let text = "call 415-555-0132 or mail bob@northwind.dev, key AKIAIQ7RX4PJH6ZN2WVB";
    let captured = |capture: &str, content: Value| {
        let mut desk = Desk::new(&json!({"audit": {"capture": capture, "capture_bytes": 400}, "content": content}));
        desk.say(text).of("doorward.captured.in").to_owned()
    };
    assert_eq!(captured("none", json!([])), "");
    assert!(captured("full", json!([])).contains("bob@northwind.dev"));
    // Whether a statement looks for it or not, and whatever comes of it.
    for content in [
        json!([]),
        json!([{"id": "f", "detect": "pii", "action": "flag"}]),
        json!([{"id": "d", "detect": "secrets", "action": "deny"}]),
    ] {
        let shown = captured("redacted", content);
        assert!(shown.contains("[EMAIL_ADDRESS]") && shown.contains("[AWS_ACCESS_KEY]"), "{shown}");
        assert!(!shown.contains("northwind") && !shown.contains("AKIA"), "{shown}");
    }
    let mut desk = Desk::new(&json!({"audit": {"capture": "full", "capture_bytes": 64}}));
    let shown = desk.say(&"\u{e9}\"".repeat(1000)).of("doorward.captured.in").to_owned();
    assert!(shown.len() <= 64 && shown.is_ascii() && !shown.contains('"'), "{shown}");
    // What cannot be read is not shown redacted.
    let mut desk = Desk::new(&json!({"audit": {"capture": "redacted"}}));
    assert_eq!(desk.send("/v1/chat/completions", b"{\"a\": bob@northwind.dev", None).of("doorward.captured.in"), "");
    let answer = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"ask bob@northwind.dev"}}]}"#;
    let came = desk.send("/v1/chat/completions", &chat(&["who?"]), Some(("application/json", &[answer.as_bytes()])));
    assert!(came.of("doorward.captured.out").contains("ask [EMAIL_ADDRESS]"), "{came:?}");
}

#[test]
fn records_are_tied_together_and_checkpoints_tell_how_many() {
    let audit =
        json!({"chain": {"key": {"env": "C"}, "checkpoint_records": 3, "checkpoint_every": "60s"}, "capture": "full"});
    let mut desk = Desk::new(&json!({"audit": audit}));
    assert_eq!(desk.worker.tick_ms(&desk.engine), 0);
    let key = ChainKey::new(KEY);
    let mut before = [0; 16];
    for number in 0..4 {
        let came = desk.say(&format!("text {number}"));
        let link = Link::read(came.of("doorward.chain")).unwrap();
        assert_eq!((link.number, link.before, link.at_ms), (number, before, NOW * 1000));
        let fields: Vec<(&str, &str)> =
            came.record.iter().filter(|(name, _)| **name != "doorward.chain").map(|(n, v)| (*n, v.as_str())).collect();
        assert!(link.fits(&key, &fields));
        // Each value is covered, whatever it is.
        for at in 0..fields.len() {
            let mut fewer = fields.clone();
            fewer.remove(at);
            assert!(!link.fits(&key, &fewer), "{:?}", fields[at]);
        }
        assert!(fields.iter().all(|(name, _)| KEYS.iter().any(|(key, _)| key == name)));
        before = link.code;
    }
    assert_eq!(desk.checkpoints.len(), 1);
    assert_eq!(desk.worker.tick_ms(&desk.engine), 1000);
    desk.at += 59;
    desk.tick();
    assert_eq!(desk.checkpoints.len(), 1);
    desk.at += 1;
    desk.tick();
    desk.tick();
    let last = Checkpoint::read(&desk.checkpoints[1]).unwrap();
    assert!(last.fits(&key) && desk.checkpoints.len() == 2);
    assert_eq!((last.records, last.last), (4, before));
    // Another worker's chain is another one.
    let other =
        Link::read(Desk::new(&json!({"audit": {"chain": {"key": {"env": "C"}}}})).say("a text").of("doorward.chain"))
            .unwrap();
    assert_eq!(other.number, 0);
}

/// A policy that refuses secrets, unless the glass is broken.
fn glass(from: &str, until: &str) -> Value {
    json!({"break_glass": {"from": from, "until": until, "reason": "INC-7: refuses every invoice"},
        "content": [{"id": "s", "detect": "secrets", "action": "deny"}],
        "limits": [{"id": "r", "requests": 100, "window": "1h"}]})
}

#[test]
fn a_broken_glass_lets_everything_pass_for_its_time_and_says_why() {
    let text = "the key is AKIAIQ7RX4PJH6ZN2WVB";
    // 1800000000 is 2027-01-15T08:00:00Z.
    let mut desk = Desk::of_alice(&glass("2027-01-15T07:00:00Z", "2027-01-15T09:00:00Z"));
    let came = desk.say(text);
    assert_eq!(
        (came.status, came.of("doorward.decision"), came.of("doorward.action")),
        (None, "deny", "observe"),
        "{came:?}"
    );
    assert_eq!(came.of("doorward.break_glass"), "INC-7: refuses every invoice (until 2027-01-15T09:00:00Z)");
    assert!(came.of("doorward.findings").contains("AWS_ACCESS_KEY") && came.sent.as_deref().unwrap().contains("AKIA"));
    // The caller's own credential still stays here, and who has none still stays outside.
    assert!(came.removed.iter().any(|name| name == "authorization"));
    let token = desk.token.take();
    let nobody = desk.say(text);
    assert_eq!(
        (nobody.status, nobody.of("doorward.action"), nobody.of("doorward.break_glass")),
        (Some(401), "reply", "")
    );
    desk.token = token;
    // When the time is over, all is as before.
    desk.at += 3600;
    let came = desk.say(text);
    assert_eq!((came.status, came.of("doorward.action"), came.of("doorward.break_glass")), (Some(400), "reply", ""));
    for (from, until) in [("2027-01-15T08:00:01Z", "2027-01-16"), ("2027-01-01", "2027-01-08")] {
        assert_eq!(Desk::of_alice(&glass(from, until)).say(text).status, Some(400), "{from}");
    }
}

#[test]
fn a_glass_is_broken_for_days_and_with_a_reason() {
    let refused = |from: &str, until: &str, reason: &str| {
        let mut policy = policy("openai", &glass(from, until));
        policy["break_glass"]["reason"] = json!(reason);
        let tree = doorward_core::config::tree_from_json(&policy.to_string()).unwrap();
        let problems = Engine::compile(&tree, &|_| None).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(refused("2027-01-01", "2027-01-08T00:00:01Z", "a reason of some length").contains("break_glass.until"));
    assert!(refused("2027-01-02", "2027-01-02", "a reason of some length").contains("break_glass.until"));
    assert!(refused("tomorrow", "2027-01-02", "a reason of some length").contains("break_glass.from"));
    assert!(refused("2027-01-01", "2027-01-02", "  why  ").contains("break_glass.reason"));
}
