//! The lifecycle scenarios that a client and an upstream can play, on the real Envoy: what keeps the model that core and the
//! module are tested with honest.

use std::collections::BTreeMap;

use doorward_e2e::client::{Answer, Body, Request};
use doorward_e2e::envoy::{Cluster, Envoy, Gate, ListenerSpec, Policy, Wasm};
use doorward_e2e::fields::Fields;
use doorward_e2e::governed::{access_log, capabilities};
use doorward_e2e::upstream::{Arrival, Script, Seen, Told, Upstream};
use doorward_e2e::{idp, tools};
use doorward_lifecycle::model::{self, Received, Stream};
use doorward_lifecycle::scenario::{Common, Ends, Message, Mode, Scenario, Step, check, load, policy};
use serde_json::json;

/// Heads that a filter never sees: Envoy's codec joins the values by a comma first.
const NOT_ON_THE_WIRE: &[&str] = &["content-type twice", "one credential header twice"];

/// What a scenario says nothing of.
const BUFFER_LIMIT: usize = 1024 * 1024;

/// A request and at most one answer to it.
fn playable(scenario: &Scenario) -> Option<(&Step, Option<&Step>)> {
    let plain = scenario.base == "base"
        && scenario.workers == 1
        && scenario.stop_iteration.is_none()
        && !scenario.wasm_only
        && scenario.others.is_empty()
        && scenario.expect.pending.is_none()
        && scenario.properties.values().flat_map(BTreeMap::keys).all(|path| path == "xds/cluster_name")
        && !NOT_ON_THE_WIRE.contains(&scenario.name.as_str());
    let steps: Vec<&Step> = scenario.steps.iter().filter(|s| s.expect.is_none() && s.totals.is_none()).collect();
    let whole = |step: &&Step| step.on.is_none() && step.request.as_ref().is_none_or(|r| r.ends != Some(Ends::Open));
    match steps.as_slice() {
        [request] if plain && whole(request) => request.request.is_some().then_some((*request, None)),
        [request, answer]
            if plain && whole(request) && answer.answer.as_ref().is_some_and(|a| a.ends != Some(Ends::Open)) =>
        {
            request.request.is_some().then_some((*request, Some(*answer)))
        }
        _ => None,
    }
}

/// One cluster for each name that scenarios route to, and the listeners in front of them.
struct Stage {
    envoy: Envoy,
    upstreams: BTreeMap<&'static str, (Upstream, Cluster)>,
    gates: BTreeMap<String, Gate>,
}

impl Stage {
    async fn new() -> Self {
        let mut upstreams = BTreeMap::new();
        for name in ["openai", "anthropic", "elsewhere"] {
            let upstream = Upstream::http1().await;
            let cluster = Cluster::to(&upstream);
            upstreams.insert(name, (upstream, cluster));
        }
        Self { envoy: Envoy::shared(1).await, upstreams, gates: BTreeMap::new() }
    }

    /// The listener for a scenario; scenarios that need the same share one.
    async fn gate(&mut self, common: &Common, scenario: &Scenario, mode: Mode, cluster: &str) -> &Gate {
        let mut text = policy(common, &scenario.base, &scenario.policy, mode, false);
        for name in ["openai", "anthropic"] {
            let named = |cluster: &str| format!(r#""cluster":"{cluster}""#);
            text = text.replace(&named(name), &named(&self.upstreams[name].1.name));
        }
        let key = format!("{cluster} {} {} {text}", mode.as_str(), scenario.buffer_limit);
        if !self.gates.contains_key(&key) {
            let mut wasm = Wasm::new(tools::wasm().expect("doorward.wasm is not built; run `make wasm`"), json!({}));
            wasm.policy = Policy::Text(text);
            wasm.hold = mode == Mode::Hold;
            wasm.environment.clone_from(&common.env);
            wasm.capabilities = Some(capabilities());
            let mut spec = ListenerSpec::to(self.upstreams[cluster].1.clone()).wasm(wasm);
            spec.log = access_log();
            spec.buffer_limit = Some(scenario.buffer_limit as u32);
            spec.upgrades = vec!["websocket".to_owned(), "CONNECT".to_owned()];
            let gate = self.envoy.listener(spec).await.unwrap_or_else(|e| panic!("{}: {e}", scenario.name));
            self.gates.insert(key.clone(), gate);
        }
        &self.gates[&key]
    }

    /// Plays a scenario, and tells it in the model's words.
    async fn play(&mut self, common: &Common, scenario: &Scenario, mode: Mode) -> Option<Vec<String>> {
        let (request_step, answer_step) = playable(scenario)?;
        let cluster =
            scenario.properties.get("a").and_then(|p| p.get("xds/cluster_name")).map_or("openai", String::as_str);
        let cluster = *self.upstreams.keys().find(|name| **name == cluster)?;
        let step = request_step.request.as_ref()?;
        let message = step.message(common);
        let request = request(&message, &step.chunks);
        let answer_step = answer_step.and_then(|s| s.answer.as_ref());
        let sent = answer_step.map(|s| s.message(common));
        self.gate(common, scenario, mode, cluster).await;
        let upstream = &self.upstreams[cluster].0;
        if let (Some(step), Some(sent)) = (answer_step, &sent) {
            upstream.enqueue(script(sent, &step.chunks));
        }
        let gate = self.gate(common, scenario, mode, cluster).await;
        // HTTP/2 where the scenario's frames are those of HTTP/2; but there, a stream's window is the limit of its buffer.
        let http2 = message.ends != Ends::Alone && scenario.buffer_limit == BUFFER_LIMIT;
        let answer = match http2 {
            true => gate.connect_http2().await.call(&request).await,
            false => gate.try_call(&request).await,
        };
        let line = gate.log_line_of(&request.request_id).await;
        let upstream = &self.upstreams[cluster].0;
        let mut stream = Stream::default();
        stream.request.sent.body = message.body.unwrap_or_default();
        stream.response.sent.body = sent.map(|s| s.body.unwrap_or_default()).unwrap_or_default();
        let ours = |seen: &Seen| seen.fields.get("x-request-id").as_deref() == Some(&request.request_id);
        if upstream.seen().iter().any(ours) {
            // What is cut off is cut off a little later.
            let whole = |seen: &&Seen| ours(seen) && seen.arrival != Arrival::Open;
            let seen = upstream.wait("the request to end", |all| all.iter().find(whole).cloned()).await;
            stream.request.received = received_request(&seen);
        }
        let refused = answer.as_ref().is_ok_and(|a| a.status >= 400);
        match answer {
            Ok(answer) => stream.response.received = received_answer(&answer),
            Err(_) => stream.response.received.reset = true,
        }
        stream.details = line["details"].as_str().map(str::to_owned);
        for (key, value) in line.as_object()? {
            if let Some(value) = value.as_str() {
                stream.filter_state.insert(key.clone(), value.as_bytes().to_vec());
            }
        }
        let by_mode = if mode == Mode::Hold { &scenario.hold } else { &scenario.flow };
        let check = |stream: &Stream| [&scenario.expect, by_mode].map(|e| check::stream("", stream, e, None)).concat();
        let mut wrong = check(&stream);
        if !wrong.is_empty() && mode == Mode::Flow && refused && stream.request.received == Received::default() {
            // The head went ahead, and the refusal overtook it before a connection was there.
            stream.request.received = Received { head: Some(message.head), reset: true, ..Received::default() };
            wrong = check(&stream);
        }
        // An answer that nobody asked for would be the next scenario's.
        upstream.clear();
        Some(wrong)
    }
}

fn request(message: &Message, chunks: &[usize]) -> Request {
    let pseudo = |name: &str| message.head.text(name).unwrap_or_default();
    let mut request = Request::new(&pseudo(":method"), &pseudo(":path"));
    request.authority = pseudo(":authority");
    request.fields = Fields(message.head.0.iter().filter(|(n, _)| !n.starts_with(':')).cloned().collect());
    if let Some(body) = &message.body {
        let length = message.head.text("content-length").is_some();
        let size = chunks.first().copied().unwrap_or(usize::MAX).clamp(1, body.len().max(1));
        request.body = match message.ends {
            Ends::Alone if length => Body::Length(body.clone()),
            _ => Body::Chunks(body.chunks(size).map(<[u8]>::to_vec).collect()),
        };
    }
    if message.ends == Ends::Trailers {
        if request.body == Body::Empty {
            request.body = Body::Chunks(Vec::new());
        }
        request.trailers = Some(Fields::from([("x-trailer", "last")]));
    }
    request
}

fn script(message: &Message, chunks: &[usize]) -> Script {
    let status = message.head.text(":status").and_then(|s| s.parse().ok()).expect("a status");
    let mut script = Script::status(status);
    script.fields = Fields(message.head.0.iter().filter(|(n, _)| !n.starts_with(':')).cloned().collect());
    let length = message.head.text("content-length").is_some();
    if let Some(body) = message.body.as_ref().filter(|b| !b.is_empty()) {
        script = script.split(body, chunks.first().copied().unwrap_or(usize::MAX).clamp(1, body.len()));
        script = script.told(if length { Told::AsGiven } else { Told::Chunked });
    }
    if message.ends == Ends::Trailers {
        script = script.trailers(Fields::from([("x-trailer", "last")]));
    }
    script
}

fn fields(first: &[(&str, &str)], fields: &Fields) -> model::Fields {
    let mut head = model::Fields::of(first);
    for (name, value) in &fields.0 {
        head.add(name, value);
    }
    head
}

fn received_request(seen: &Seen) -> Received {
    Received {
        head: Some(fields(&[(":method", &seen.method), (":path", &seen.target)], &seen.fields)),
        body: seen.body.clone(),
        trailers: seen.trailers.as_ref().map(|t| fields(&[], t)),
        ended: seen.arrival == Arrival::Complete,
        reset: matches!(seen.arrival, Arrival::Broken(_)),
        ..Received::default()
    }
}

fn received_answer(answer: &Answer) -> Received {
    Received {
        informational: answer.interim.iter().map(|(status, _)| *status).collect(),
        head: Some(fields(&[(":status", &answer.status.to_string())], &answer.fields)),
        body: answer.body.clone(),
        trailers: answer.trailers.as_ref().map(|t| fields(&[], t)),
        ended: answer.cut.is_none(),
        reset: answer.cut.is_some(),
    }
}

#[tokio::test]
async fn scenarios_come_out_on_envoy_as_in_the_model() {
    let (common, scenarios) = load(idp::now());
    let mut stage = Stage::new().await;
    let mut report = Vec::new();
    let mut played = 0;
    for scenario in &scenarios {
        for mode in scenario.modes.clone() {
            let Some(wrong) = stage.play(&common, scenario, mode).await else { continue };
            played += 1;
            if !wrong.is_empty() {
                report.push(format!(
                    "{}: {} [{}]\n  {}",
                    scenario.file,
                    scenario.name,
                    mode.as_str(),
                    wrong.join("\n  ")
                ));
            }
        }
    }
    println!("{played} played");
    assert!(report.is_empty(), "{} of {played} differ:\n{}", report.len(), report.join("\n"));
    assert!(played >= 100, "only {played} can be played");
}
