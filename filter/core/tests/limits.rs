//! Limits in the course of exchanges: what is reserved, what is written into a request, and what is settled on every exit.

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
use doorward_core::exchange::{Effect, Event, Exchange, Flow, LocalReply, Time};
use doorward_core::head::Headers;
use doorward_core::host::{Attribute, MemoryHost, Side};
use doorward_core::protocol::parameter_names;
use serde_json::{Value, json};
use support::{Fixture, engine, policy};

/// A worker that many exchanges share.
struct Desk {
    engine: Engine,
    worker: Worker,
    host: MemoryHost,
    secs: u64,
    next: u32,
}

/// An exchange that went on.
struct Open {
    exchange: Exchange,
    body: Value,
    /// Where the path was changed.
    path: Option<String>,
}

type Record = BTreeMap<&'static str, String>;

impl Desk {
    fn new(policy: &Value) -> Self {
        let engine = engine(policy);
        let mut worker = Worker::new(&engine);
        let mut host = MemoryHost::default();
        worker.start(&engine, &mut host).unwrap();
        host.set_attribute(Attribute::Cluster, "c");
        host.set_attribute(Attribute::PeerUri, "spiffe://td/ns/a/sa/b");
        Self { engine, worker, host, secs: 1_800_000_000, next: 0 }
    }

    /// Another VM of the same process: what one that trapped leaves behind is found by it.
    fn another_vm(&mut self) {
        self.worker = Worker::new(&self.engine);
        self.worker.start(&self.engine, &mut self.host).unwrap();
    }

    fn tell(&mut self, exchange: &mut Exchange, event: Event<'_>) -> (Flow, Vec<Effect>) {
        let mut effects = Vec::new();
        let at = Time(self.secs * 1_000_000_000);
        let flow = exchange.on(event, at, &self.engine, &mut self.worker, &mut self.host, &mut effects);
        (flow, effects)
    }

    fn post(&mut self, path: &str, body: &Value) -> Result<Open, (LocalReply, Record)> {
        self.next += 1;
        let mut exchange = Exchange::new(self.next);
        let fields = [(":method", "POST"), (":path", path), ("content-type", "application/json")];
        let headers: Headers = fields.into_iter().collect();
        let bytes = body.to_string().into_bytes();
        let (_, mut effects) =
            self.tell(&mut exchange, Event::Head { side: Side::Request, headers: &headers, end: false });
        self.host.bodies.insert(Side::Request, bytes.clone());
        let event = Event::Body { side: Side::Request, available: bytes.len(), end: true };
        let (mut sent, mut to) = (bytes, None);
        if !effects.iter().any(|e| matches!(e, Effect::Reply(_))) {
            effects.extend(self.tell(&mut exchange, event).1);
        }
        for effect in effects {
            match effect {
                Effect::Reply(reply) => return Err((reply, self.done(exchange))),
                Effect::ReplaceBody(Side::Request, bytes) => sent = bytes,
                Effect::SetHeader(Side::Request, ":path", value) => to = String::from_utf8(value).ok(),
                _ => {}
            }
        }
        Ok(Open { exchange, body: serde_json::from_slice(&sent).unwrap(), path: to })
    }

    fn chat(&mut self, body: &Value) -> Result<Open, (LocalReply, Record)> {
        self.post("/v1/chat/completions", body)
    }

    /// The head of an answer; its headers as the client gets them.
    fn head(&mut self, open: &mut Open, status: &str, kind: &str) -> BTreeMap<String, String> {
        let headers: Headers = [(":status", status), ("content-type", kind)].into_iter().collect();
        let event = Event::Head { side: Side::Response, headers: &headers, end: false };
        let effects = self.tell(&mut open.exchange, event).1;
        let set = effects.into_iter().filter_map(|e| match e {
            Effect::SetHeader(Side::Response, name, value) => {
                Some((name.to_owned(), String::from_utf8(value).unwrap()))
            }
            _ => None,
        });
        set.collect()
    }

    fn bytes(&mut self, open: &mut Open, bytes: &[u8], end: bool) {
        self.host.bodies.insert(Side::Response, bytes.to_vec());
        let event = Event::Body { side: Side::Response, available: bytes.len(), end };
        let _ = self.tell(&mut open.exchange, event);
    }

    fn done(&mut self, mut exchange: Exchange) -> Record {
        let effects = self.tell(&mut exchange, Event::Done { spent_us: 1 }).1;
        let values = effects.into_iter().filter_map(|e| match e {
            Effect::Record(values) => Some(values),
            _ => None,
        });
        values.flatten().collect()
    }

    /// A whole exchange that used so much.
    fn used(&mut self, body: &Value, input: u64, output: u64) -> Record {
        let mut open = self.chat(body).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        self.head(&mut open, "200", "application/json");
        let answer =
            json!({"model": "m-1", "choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output}});
        self.bytes(&mut open, answer.to_string().as_bytes(), true);
        self.done(open.exchange)
    }

    /// What a small request is told to be left of the only limit; for a model whose tokens nobody has told anything of.
    fn told(&mut self) -> u64 {
        let question = request(json!({"model": "default", "max_tokens": 0}));
        let mut open = self.chat(&question).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        self.head(&mut open, "500", "application/json");
        let record = self.done(open.exchange);
        record["doorward.limit.remaining"].strip_prefix("day=").unwrap().parse().unwrap()
    }

    /// What is left of a limit on tokens.
    fn left(&mut self) -> u64 {
        let reserved = 1_000_000 - Self::new(&day(1_000_000)).told();
        self.told() + reserved
    }
}

fn request(more: Value) -> Value {
    let mut body = json!({"model": "m-1", "messages": [{"role": "user", "content": "Tell me a story."}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn limited(limits: Value) -> Value {
    policy("openai", &json!({"limits": limits}))
}

fn day(tokens: u64) -> Value {
    limited(json!([{"id": "day", "total_tokens": tokens, "calendar": "day"}]))
}

fn event(text: &str) -> Vec<u8> {
    format!("data: {}\n\n", json!({"model": "m-1", "choices": [{"index": 0, "delta": {"content": text}}]})).into_bytes()
}

#[test]
fn answers_tell_what_is_left_unless_only_refusals_are_to() {
    for headers in ["always", "refusals"] {
        let mut policy = day(2000);
        policy["answers"] = json!({"limit_headers": headers});
        let mut desk = Desk::new(&policy);
        let ask = request(json!({"max_tokens": 960}));
        let mut open = desk.chat(&ask).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        let set = desk.head(&mut open, "200", "application/json");
        assert_eq!(set.get("ratelimit-limit").map(String::as_str), (headers == "always").then_some("2000"));
        let (reply, _) = desk.chat(&request(json!({"max_tokens": 1960}))).err().unwrap();
        let told: Vec<&str> =
            reply.headers.iter().map(|(name, _)| *name).filter(|n| n.starts_with("ratelimit-")).collect();
        assert_eq!(told, ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]);
    }
}

#[test]
fn tools_that_the_provider_runs_have_a_margin_each() {
    let search = json!([{"type": "web_search_20250305", "name": "web_search"}, {"name": "own", "input_schema": {}}]);
    let ask =
        json!({"model": "m-1", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}], "tools": search});
    let mut plain = ask.clone();
    plain["tools"] = json!([search[1]]);
    let batch = json!({"requests": [{"custom_id": "a", "params": ask}, {"custom_id": "b", "params": ask},
        {"custom_id": "c", "params": plain}]});
    for (path, body, margins) in
        [("/v1/messages", &plain, 0), ("/v1/messages", &ask, 1), ("/v1/messages/batches", &batch, 2)]
    {
        let limits = json!([{"id": "day", "total_tokens": 1_000_000, "calendar": "day"}]);
        let more = json!({"limits": limits, "reserve": {"provider_tool_tokens": 100_000, "max_tokens": 10}});
        let mut policy = policy("anthropic", &more);
        policy["access"][0]["tools"] = json!([{"name": "*"}, {"kind": "*"}]);
        policy["access"][0]["operations"] = json!(["chat", "batches"]);
        let mut desk = Desk::new(&policy);
        let open = desk.post(path, body).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
        let left: u64 =
            desk.done(open.exchange)["doorward.limit.remaining"].strip_prefix("day=").unwrap().parse().unwrap();
        assert_eq!((1_000_000 - left) / 100_000, margins, "{path}: {left} are left");
    }
}

#[test]
fn a_budget_for_ten_admits_ten() {
    let mut desk = Desk::new(&day(10_000));
    let ask = request(json!({"max_tokens": 960}));
    let open: Vec<Open> = (0..100).filter_map(|_| desk.chat(&ask).ok()).collect();
    assert_eq!(open.len(), 10);
    let (reply, record) = desk.chat(&ask).err().unwrap();
    assert_eq!(reply.status, 429);
    let header = |name: &str| reply.headers.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
    assert_eq!(header("ratelimit-limit"), Some("10000"));
    assert!(header("retry-after").is_some() && header("x-should-retry").is_none());
    let text = String::from_utf8(reply.body.clone()).unwrap();
    assert!(text.contains("limit `day`") && text.contains("rate_limit_error"), "{text}");
    assert_eq!((record["doorward.reason"].as_str(), record["doorward.rules"].as_str()), ("limit.tokens", "day"));
    for open in open {
        desk.done(open.exchange);
    }
}

#[test]
fn what_was_used_is_settled_to_the_token() {
    let mut desk = Desk::new(&day(10_000));
    assert_eq!(desk.left(), 10_000);
    desk.used(&request(json!({"max_tokens": 5000})), 1234, 567);
    assert_eq!(desk.left(), 10_000 - 1801);
    // Refused by the upstream: nothing was used.
    let mut open = desk.chat(&request(json!({"max_tokens": 5000}))).ok().unwrap();
    let headers = desk.head(&mut open, "429", "application/json");
    assert_eq!(headers["ratelimit-limit"], "10000");
    desk.bytes(&mut open, br#"{"error":{"message":"slow down"}}"#, true);
    desk.done(open.exchange);
    assert_eq!(desk.left(), 10_000 - 1801);
    // Refused by ourselves: neither.
    let denied = desk.chat(&request(json!({"model": "m-2"}))).err().unwrap();
    assert_eq!(denied.1["doorward.reason"], "model.not_allowed");
    assert_eq!(desk.left(), 10_000 - 1801);
}

#[test]
fn a_stream_that_is_cut_off_pays_for_what_came() {
    let mut desk = Desk::new(&day(100_000));
    let ask = request(json!({"max_tokens": 5000, "stream": true}));
    // Providers tell what is a token: here, one for each word of six bytes.
    for _ in 0..20 {
        let mut open = desk.chat(&ask).ok().unwrap();
        desk.head(&mut open, "200", "text/event-stream");
        (0..200).for_each(|_| desk.bytes(&mut open, &event("hello "), false));
        let usage = json!({"model": "m-1", "choices": [], "usage": {"prompt_tokens": 40, "completion_tokens": 200}});
        desk.bytes(&mut open, format!("data: {usage}\n\ndata: [DONE]\n\n").as_bytes(), true);
        assert_eq!(desk.done(open.exchange)["gen_ai.usage.output_tokens"], "200");
    }
    assert_eq!(desk.left(), 100_000 - 20 * 240);
    let mut open = desk.chat(&ask).ok().unwrap();
    desk.head(&mut open, "200", "text/event-stream");
    (0..500).for_each(|_| desk.bytes(&mut open, &event("hello "), false));
    let record = desk.done(open.exchange);
    assert_eq!(record["doorward.usage.estimated"], "true");
    let output: u64 = record["gen_ai.usage.output_tokens"].parse().unwrap();
    assert!((500..=550).contains(&output), "{output}");
    let left = desk.left();
    let input: u64 = record["gen_ai.usage.input_tokens"].parse().unwrap();
    assert_eq!(left, 100_000 - 20 * 240 - input - output);
    // Nothing came at all: what went out is paid for.
    let open = desk.chat(&ask).ok().unwrap();
    let record = desk.done(open.exchange);
    assert_eq!(record["doorward.usage.estimated"], "true");
    let now = desk.left();
    assert!(left - now >= input && left - now <= input + 10, "{left} {now} {input}");
}

#[test]
fn a_vm_that_is_lost_keeps_nobodys_budget() {
    let mut desk = Desk::new(&limited(json!([
        {"id": "day", "total_tokens": 10000, "calendar": "day"}, {"id": "one", "concurrent": 1}
    ])));
    let ask = request(json!({"max_tokens": 9000}));
    let lost = desk.chat(&ask).ok().unwrap();
    desk.another_vm();
    assert_eq!(desk.chat(&ask).err().unwrap().1["doorward.rules"], "day,one");
    desk.secs += 11;
    let open = desk.chat(&ask);
    assert!(open.is_ok(), "{:?}", open.err());
    drop(lost);
}

#[test]
fn calls_at_a_time_are_counted_until_they_are_over() {
    let mut desk = Desk::new(&limited(json!([{"id": "two", "concurrent": 2}])));
    let first = desk.chat(&request(json!({}))).ok().unwrap();
    let _second = desk.chat(&request(json!({}))).ok().unwrap();
    let (reply, record) = desk.chat(&request(json!({}))).err().unwrap();
    assert_eq!((reply.status, record["doorward.reason"].as_str()), (429, "limit.concurrent"));
    desk.done(first.exchange);
    assert!(desk.chat(&request(json!({}))).is_ok());
}

#[test]
fn a_request_without_a_bound_gets_one_in_every_api() {
    let mut seen = Vec::new();
    for fixture in Fixture::all() {
        let mut desk = Desk::new(&policy(
            fixture.text("provider"),
            &json!({
                "limits": [{"id": "day", "output_tokens": 1000000, "calendar": "day"}],
                "reserve": {"max_tokens": 777},
                "access": [{"id": "all", "effect": "allow", "models": "*"}],
            }),
        ));
        let mut body: Value = serde_json::from_str(&fixture.request("Hello.")).unwrap();
        for name in parameter_names("max_tokens") {
            remove(&mut body, name);
        }
        let path = fixture.text("path").to_owned();
        let Ok(open) = desk.post(&path, &body) else { continue };
        let bounds: Vec<&&str> =
            parameter_names("max_tokens").iter().filter(|name| pointer(&open.body, name).is_some()).collect();
        match bounds.as_slice() {
            [] => {}
            [name] => {
                assert_eq!(pointer(&open.body, name), Some(&json!(777)), "{}", fixture.name);
                seen.push(fixture.name.clone());
            }
            more => panic!("{}: {more:?}", fixture.name),
        }
        // A bound of the caller's own stays.
        if let [name] = bounds.as_slice() {
            let mut body = open.body.clone();
            *pointer_mut(&mut body, name) = json!(5);
            let again = desk.post(&path, &body).ok().unwrap();
            assert_eq!(pointer(&again.body, name), Some(&json!(5)), "{}", fixture.name);
        }
    }
    assert!(seen.len() >= 12, "{seen:?}");
}

fn remove(value: &mut Value, name: &str) {
    match name.split_once('.') {
        None => drop(value.as_object_mut().map(|o| o.remove(name))),
        Some((first, rest)) => {
            if let Some(inner) = value.get_mut(first) {
                remove(inner, rest);
            }
        }
    }
}

fn pointer<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    name.split('.').try_fold(value, |value, name| value.get(name))
}

fn pointer_mut<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    name.split('.').fold(value, |value, name| value.get_mut(name).unwrap())
}

#[test]
fn what_a_request_may_use_is_multiplied_and_what_others_run_is_added() {
    let reserved = |more: Value| {
        let mut desk = Desk::new(&day(1_000_000));
        let open = desk.chat(&request(more)).ok().unwrap();
        let record = desk.done(open.exchange);
        let left = record["doorward.limit.remaining"].strip_prefix("day=").unwrap().parse::<u64>().unwrap();
        1_000_000 - left
    };
    let plain = reserved(json!({"max_tokens": 100}));
    assert!((100..150).contains(&plain), "{plain}");
    let five = reserved(json!({"max_tokens": 100, "n": 5}));
    assert!((500..=plain + 405).contains(&five), "{five}");
    // Whichever of two names a server takes.
    assert!(reserved(json!({"max_tokens": 100, "max_completion_tokens": 4000})) >= 4000);
    let picture =
        json!({"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{}", "A".repeat(40_000))}});
    let seen = reserved_media(&picture);
    assert!((2100..3000).contains(&seen), "{seen}");
    let none = reserved(json!({}));
    assert!((4096..4200).contains(&none), "{none}");
}

fn reserved_media(part: &Value) -> u64 {
    let mut desk = Desk::new(&policy(
        "openai",
        &json!({
            "limits": [{"id": "day", "total_tokens": 1_000_000, "calendar": "day"}],
            "access": [{"id": "all", "effect": "allow", "models": "*", "media": ["image"]}],
        }),
    ));
    let body = request(json!({"max_tokens": 100, "messages": [{"role": "user", "content": [part]}]}));
    let open = desk.chat(&body).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
    let record = desk.done(open.exchange);
    1_000_000 - record["doorward.limit.remaining"].strip_prefix("day=").unwrap().parse::<u64>().unwrap()
}

#[test]
fn names_that_the_api_does_not_have_bound_nothing() {
    // A server that does not know them would go on for as long as it likes.
    assert_eq!(
        Desk::new(&day(1_000_000)).chat(&request(json!({"MAX_TOKENS": 1}))).err().unwrap().1["doorward.reason"],
        "protocol.unreadable"
    );
    for more in [json!({"n_predict": 1}), json!({"options": {"num_predict": 1}}), json!({"max_tokens": null})] {
        let mut desk = Desk::new(&day(1_000_000));
        let open =
            desk.chat(&request(more.clone())).unwrap_or_else(|(reply, record)| panic!("{more}: {reply:?} {record:?}"));
        assert_eq!(open.body["max_completion_tokens"], 4096, "{more}");
        let record = desk.done(open.exchange);
        let left: u64 = record["doorward.limit.remaining"].strip_prefix("day=").unwrap().parse().unwrap();
        assert!(1_000_000 - left > 4096, "{more}");
    }
    // A number that some servers read out of a text counts.
    let mut desk = Desk::new(&day(10_000));
    let refused = desk.chat(&request(json!({"max_tokens": 5, "n_predict": "20000"}))).err().unwrap();
    assert_eq!(refused.1["doorward.reason"], "limit.too_large");
}

#[test]
fn a_bound_that_is_none_gives_way_and_is_not_there_twice() {
    let document =
        policy("gcp.gemini", &json!({"limits": [{"id": "day", "total_tokens": 1_000_000, "calendar": "day"}]}));
    let path = "/v1beta/models/m-1:generateContent";
    let ask =
        |config: Value| json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": config});
    let mut desk = Desk::new(&document);
    let open = desk.post(path, &ask(json!({"maxOutputTokens": null, "topK": 1}))).ok().unwrap();
    assert_eq!(open.body["generationConfig"], json!({"maxOutputTokens": 4096, "topK": 1}));
    let open = desk.post(path, &ask(json!("x"))).ok().unwrap();
    assert_eq!(open.body["generationConfig"], "x");
}

#[test]
fn where_nothing_is_left_nothing_that_may_use_something_passes() {
    let mut desk = Desk::new(&limited(json!([{"id": "day", "output_tokens": 100, "calendar": "day"}])));
    // It says that nothing will come out, and the model has it otherwise.
    let silent = request(json!({"max_tokens": 0}));
    desk.used(&silent, 5, 100);
    let (reply, record) = desk.chat(&silent).err().unwrap();
    assert_eq!((reply.status, record["doorward.reason"].as_str()), (429, "limit.tokens"));
}

#[test]
fn sounds_and_pictures_are_no_text_by_their_bytes() {
    let mut desk = Desk::new(&day(100_000));
    let body = json!({"model": "m-1", "prompt": "A cat."});
    let mut open = desk.post("/v1/images/generations", &body).unwrap_or_else(|(reply, _)| panic!("{reply:?}"));
    desk.head(&mut open, "200", "application/json");
    let answer = json!({"created": 1, "data": [{"b64_json": "A".repeat(400_000)}]}).to_string();
    desk.bytes(&mut open, answer.as_bytes(), true);
    desk.done(open.exchange);
    let left = desk.left();
    assert!((95_000..96_000).contains(&left), "{left}");
}

#[test]
fn who_only_observes_changes_nothing_and_counts_apart() {
    let mut document = day(100);
    document["mode"] = json!("observe");
    let mut desk = Desk::new(&document);
    for _ in 0..3 {
        let open = desk.chat(&request(json!({}))).ok().unwrap();
        assert_eq!(open.body, request(json!({})));
        assert_eq!(desk.done(open.exchange)["doorward.reason"], "limit.too_large");
    }
    // One limit of a policy that enforces: it is only recorded, and counts all the same.
    let mut desk = Desk::new(&limited(json!([{"id": "seen", "requests": 1, "window": "1h", "mode": "observe"}])));
    let record = desk.used(&request(json!({})), 1, 1);
    assert_eq!(record.get("doorward.observed"), None);
    assert_eq!(desk.used(&request(json!({})), 1, 1)["doorward.observed"], "seen");
}

#[test]
fn refused_requests_count_against_rates_and_not_against_tokens() {
    let mut desk = Desk::new(&limited(json!([
        {"id": "rate", "requests": 3, "window": "1h", "models": "m-*"},
        {"id": "day", "total_tokens": 100000, "calendar": "day"}
    ])));
    for _ in 0..3 {
        assert_eq!(
            desk.chat(&request(json!({"model": "m-2"}))).err().unwrap().1["doorward.reason"],
            "model.not_allowed"
        );
    }
    let (reply, record) = desk.chat(&request(json!({}))).err().unwrap();
    assert_eq!((reply.status, record["doorward.reason"].as_str()), (429, "limit.requests"));
    assert!(!record["doorward.limit.remaining"].contains("day"), "{record:?}");
}

fn stepping(more: Value) -> Value {
    let mut document = limited(json!([
        {"id": "big", "total_tokens": 10000, "calendar": "day", "models": "m-1", "step_down": "m-2"},
        {"id": "small", "total_tokens": 3000, "calendar": "day", "models": "m-2"}
    ]));
    document["access"] = json!([{"id": "all", "effect": "allow", "models": ["m-1", "m-2"]}]);
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

#[test]
fn beyond_a_limit_a_cheaper_model_is_asked_within_its_own_limits() {
    let mut desk = Desk::new(&stepping(json!({
        "content": [{"id": "mask", "detect": "EMAIL_ADDRESS", "action": "mask"}]
    })));
    let ask = request(json!({"max_tokens": 900, "messages": [{"role": "user", "content": "mail bob@acme.com"}]}));
    let mut models = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let refused = loop {
        match desk.chat(&ask) {
            Ok(went) => {
                models.push(went.body["model"].as_str().unwrap().to_owned());
                assert_eq!(went.body["messages"][0]["content"], "mail [EMAIL_ADDRESS]");
                open.push(went);
            }
            Err((_, record)) => break record,
        }
    };
    assert_eq!(models.iter().filter(|m| *m == "m-1").count(), 10);
    assert_eq!(models.iter().filter(|m| *m == "m-2").count(), 3);
    assert_eq!((refused["doorward.reason"].as_str(), refused["doorward.rules"].as_str()), ("limit.tokens", "small"));
    let record = desk.done(open.pop().unwrap().exchange);
    assert_eq!((record["gen_ai.request.model"].as_str(), record["doorward.route.model"].as_str()), ("m-2", "m-1"));
    assert_eq!((record["doorward.notes"].as_str(), record["doorward.decision"].as_str()), ("limit.tokens", "allow"));
    assert_eq!(record["doorward.findings"], "in:EMAIL_ADDRESS/mask=1");
}

#[test]
fn a_cheaper_model_must_be_allowed_and_stands_in_paths_too() {
    let mut desk = Desk::new(&stepping(json!({
        "access": [{"id": "all", "effect": "allow", "models": "m-1"}]
    })));
    let ask = request(json!({"max_tokens": 9000}));
    assert!(desk.chat(&ask).is_ok());
    assert_eq!(desk.chat(&ask).err().unwrap().1["doorward.reason"], "model.not_allowed");

    let mut document = stepping(json!({"targets": [{"name": "t", "cluster": "c", "provider": "gcp.gemini"}]}));
    document["limits"][1]["total_tokens"] = json!(10_000);
    let mut desk = Desk::new(&document);
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 9000}});
    let path = "/v1beta/models/m-1:generateContent";
    assert_eq!(desk.post(path, &body).ok().unwrap().path, None);
    let second = desk.post(path, &body).ok().unwrap();
    assert_eq!(second.path.as_deref(), Some("/v1beta/models/m-2:generateContent"));
    assert_eq!(desk.post(path, &body).err().unwrap().1["doorward.rules"], "small");
}

#[test]
fn what_cannot_step_down_is_refused_with_its_path() {
    use doorward_core::config::tree_from_json;
    for (limit, problem) in [
        (json!({"id": "a", "concurrent": 1, "step_down": "m-2"}), "have no cheaper model"),
        (json!({"id": "a", "requests": 1, "window": "1h", "tools": "x", "step_down": "m-2"}), "have no cheaper model"),
        (json!({"id": "a", "requests": 1, "window": "1h", "step_down": "m 2"}), "is no model name"),
    ] {
        let tree = tree_from_json(&limited(json!([limit])).to_string()).unwrap();
        let problems = Engine::compile(&tree, &|_| Some("x".repeat(32))).err().unwrap();
        assert!(problems.iter().any(|p| p.to_string().contains(problem)), "{problems:?}");
    }
}
