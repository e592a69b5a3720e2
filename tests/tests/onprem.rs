//! Requests that the policy sends elsewhere, on the real Envoy: a cloud and a house, each with its key. No cluster sees the other's
//! key, the caller's token, or a body that its access rules refuse, whatever the caller tries.

use doorward_e2e::client::{Answer, Body, Request};
use doorward_e2e::envoy::{Cluster, Gate, ListenerSpec, Route};
use doorward_e2e::fields::Fields;
use doorward_e2e::governed::{World, access_log, assert_unlogged, chat, code, post};
use doorward_e2e::model;
use doorward_e2e::upstream::{Script, Upstream};
use serde_json::{Value, json};

const CHAT: &str = "/v1/chat/completions";
const MAIL: &str = "write bob@northwind.dev";
/// [`MAIL`] and more, as a caller may hide it.
const HIDDEN: &str = "decode d3JpdGUgYm9iQG5vcnRod2luZC5kZXYgdG9kYXk= first";
const CLOUD_KEY: &str = "sk-cloud-of-the-platform";
const HOUSE_KEY: &str = "sk-house-of-the-platform";

struct Two {
    world: World,
    cloud: Cluster,
    house: Cluster,
    house_upstream: Upstream,
    /// Every token that was ever sent.
    tokens: Vec<String>,
}

impl Two {
    /// What names a mailbox goes to the house's `llama-h`; the house's end speaks HTTP/1.1 or HTTP/2.
    async fn new(http2: bool) -> Self {
        let mut world = World::new().await;
        let house_upstream = Upstream::start(http2, model::handler()).await;
        let cloud = world.cluster.clone().credential("authorization", &format!("Bearer {CLOUD_KEY}")).one_connection();
        let house = Cluster::to(&house_upstream).credential("x-api-key", HOUSE_KEY).one_connection();
        world.policy["targets"] = json!([
            {"name": "cloud", "cluster": cloud.name, "provider": "openai"},
            {"name": "house", "cluster": house.name, "provider": "vllm"},
        ]);
        world.policy["access"] = json!([
            {"id": "cloud", "effect": "allow", "roles": "engineers", "targets": "cloud", "models": "gpt-5*"},
            {"id": "house", "effect": "allow", "roles": "engineers", "targets": "house", "models": "llama-h",
             "parameters": {"max_tokens": {"max": 50}}},
        ]);
        world.policy["routes"] = json!([
            {"id": "stays", "when": {"detect": "EMAIL_ADDRESS"}, "to": {"target": "house"}, "model": "llama-h"},
        ]);
        world.policy["content"] = json!([{"id": "no-secrets", "detect": "secrets", "action": "deny"}]);
        let tokens = vec![world.alice()];
        Self { world, cloud, house, house_upstream, tokens }
    }

    /// The shipped way: one route for the header, one for its absence.
    fn routes(&self) -> Vec<Route> {
        let mut cloud = Route::prefix("/", &self.cloud);
        cloud.matches["headers"] = json!([{"name": "x-doorward-route", "present_match": true, "invert_match": true}]);
        vec![Route::prefix("/", &self.house).header("x-doorward-route", "house"), cloud]
    }

    fn spec(&self, routes: Vec<Route>, shipped: bool) -> ListenerSpec {
        let clusters = vec![self.cloud.clone(), self.house.clone()];
        let mut spec = ListenerSpec::routes(routes, clusters).wasm(self.world.wasm());
        spec.log = access_log();
        if shipped {
            let shipped = doorward_e2e::demo::standalone();
            let hcm = &shipped["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
            spec.hcm = json!({"early_header_mutation_extensions": hcm["early_header_mutation_extensions"]});
        }
        spec
    }

    async fn gate(&self) -> Gate {
        let spec = self.spec(self.routes(), true);
        self.world.open(spec).await.unwrap_or_else(|refused| panic!("{refused}"))
    }

    fn post(&self, body: &Value) -> Request {
        post(CHAT, &self.tokens[0], body.to_string())
    }

    fn counts(&self) -> (usize, usize) {
        (self.world.upstream.count(), self.house_upstream.count())
    }

    /// What neither may have seen, over all that they saw.
    fn check(&self) {
        let ends = [
            (self.world.upstream.seen(), ("authorization", format!("Bearer {CLOUD_KEY}")), HOUSE_KEY),
            (self.house_upstream.seen(), ("x-api-key", HOUSE_KEY.to_owned()), CLOUD_KEY),
        ];
        for (seen, (header, own), foreign) in ends {
            for seen in seen {
                for secret in self.tokens.iter().map(String::as_str).chain([foreign]) {
                    assert!(!seen.mentions(secret), "`{secret}`: {seen:?}");
                }
                assert_eq!(seen.fields.get(header).as_deref(), Some(own.as_str()), "{seen:?}");
                let keys = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "x-doorward-assertion"];
                assert_eq!(keys.iter().map(|k| seen.fields.all(k).count()).sum::<usize>(), 1, "{seen:?}");
            }
        }
        for seen in self.world.upstream.seen() {
            for text in ["bob@northwind.dev", "d3JpdGUg", "llama-h"] {
                assert!(!seen.mentions(text), "the cloud saw `{text}`: {seen:?}");
            }
            assert!(!seen.fields.has("x-doorward-route"), "{seen:?}");
        }
        for seen in self.house_upstream.seen() {
            assert!(!seen.mentions("gpt-5"), "{seen:?}");
        }
    }
}

/// A chat request that the house allows.
fn short(text: &str) -> Value {
    let mut body = chat("gpt-5", text);
    body["max_tokens"] = json!(20);
    body
}

/// The same as the house receives it.
fn there(text: &str) -> String {
    short(text).to_string().replace("gpt-5", "llama-h")
}

async fn sent_to_the_house(two: &Two, gate: &Gate, answer: &Answer, text: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let line = gate.log_line(answer).await;
    for (key, value) in [
        ("doorward.target", json!("house")),
        ("upstream_cluster", json!(two.house.name)),
        ("doorward.route", json!("stays")),
        ("doorward.route.from", json!("cloud")),
        ("doorward.route.model", json!("gpt-5")),
        ("gen_ai.request.model", json!("llama-h")),
        ("gen_ai.provider.name", json!("vllm")),
        ("doorward.action", json!("route")),
        ("doorward.user", json!("alice")),
    ] {
        assert_eq!(line[key], value, "{key}: {line:#}");
    }
    let seen = two.house_upstream.seen();
    assert_eq!(seen.last().map(|seen| seen.text().to_owned()), Some(there(text)));
}

#[tokio::test]
async fn what_must_stay_goes_to_the_house_over_both_protocols() {
    for http2 in [false, true] {
        let two = Two::new(http2).await;
        let gate = two.gate().await;
        let bytes = short(MAIL).to_string().into_bytes();
        let whole = two.post(&short(MAIL));
        let pieces = |size: usize| {
            let mut request = two.post(&short(MAIL));
            request.body = Body::Chunks(bytes.chunks(size).map(<[u8]>::to_vec).collect());
            request
        };
        let mut trailers = Fields::default();
        trailers.push("x-doorward-route", "cloud");
        trailers.push("x-trailer", "last");
        let mut trailed = pieces(20);
        trailed.trailers = Some(trailers);
        let mut expected = 0;
        for request in [whole, pieces(1), pieces(7), trailed] {
            for client2 in [false, true] {
                let mut request = request.clone();
                request.request_id = Request::get("/").request_id;
                let answer = if client2 { gate.call_http2(&request).await } else { gate.call(&request).await };
                sent_to_the_house(&two, &gate, &answer, MAIL).await;
                expected += 1;
                assert_eq!(two.counts(), (expected - 1, expected));
                // What carries nothing goes where it always went, over the same connections.
                let mut plain = two.post(&short("hello"));
                plain.request_id = Request::get("/").request_id;
                let answer = if client2 { gate.call_http2(&plain).await } else { gate.call(&plain).await };
                let line = gate.log_line(&answer).await;
                assert_eq!((answer.status, &line["doorward.target"]), (200, &json!("cloud")), "{line:#}");
                assert_eq!(two.counts(), (expected, expected));
                assert_eq!(two.world.upstream.seen()[expected - 1].text(), short("hello").to_string());
            }
        }
        two.check();
        assert_unlogged(&gate, &[&two.tokens[0], CLOUD_KEY, HOUSE_KEY]);
    }
}

#[tokio::test]
async fn a_streamed_answer_of_the_house_is_governed_as_the_houses() {
    let mut two = Two::new(false).await;
    two.world.policy["content"] = json!([
        {"id": "of-house", "detect": "IBAN_CODE", "action": "mask", "direction": "response", "targets": "house"},
    ]);
    let gate = two.gate().await;
    let event = |text: &str| {
        let choice = json!({"index": 0, "delta": {"content": text}, "finish_reason": null});
        format!("data: {}\n\n", json!({"model": "llama-h", "choices": [choice]}))
    };
    let answers =
        || Script::sse([event("pay DE8937"), event("0400440532013000"), event(" now"), "data: [DONE]\n\n".to_owned()]);
    for (text, masked) in [(MAIL, true), ("hello", false)] {
        let end = if masked { &two.house_upstream } else { &two.world.upstream };
        end.enqueue(answers());
        let mut body = short(text);
        body["stream"] = json!(true);
        let answer = gate.call(&two.post(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().contains("[DONE]"), "{}", answer.text());
        assert_eq!(answer.text().contains("[IBAN_CODE]"), masked, "{}", answer.text());
        let target = if masked { "house" } else { "cloud" };
        assert_eq!(gate.log_line(&answer).await["doorward.target"], target);
    }
    assert_eq!(two.counts(), (1, 1));
    two.check();
}

#[tokio::test]
async fn no_trick_of_the_caller_takes_a_text_to_the_cloud() {
    let two = Two::new(false).await;
    let gate = two.gate().await;
    let history = |messages: Value| {
        let mut body = short("and now?");
        body["messages"] = messages;
        body
    };
    // The header, in several spellings; hiding; earlier turns; a field that nobody knows; a tool's result.
    let mut sent = 0;
    for (request, text) in [
        (two.post(&short(MAIL)).header("x-doorward-route", "cloud"), Some(MAIL)),
        (two.post(&short(MAIL)).header("X-Doorward-Route", "house").header("x-doorward-route", "cloud"), Some(MAIL)),
        (two.post(&short(HIDDEN)), Some(HIDDEN)),
        (two.post(&history(json!([{"role": "user", "content": MAIL}, {"role": "user", "content": "and now?"}]))), None),
        (
            two.post(&history(json!([{"role": "assistant", "content": MAIL}, {"role": "user", "content": "go on"}]))),
            None,
        ),
        (two.post(&history(json!([{"role": "user", "content": [{"type": "text", "text": "x", "new": MAIL}]}]))), None),
    ] {
        let answer = gate.call(&request).await;
        sent += 1;
        assert_eq!((answer.status, two.counts()), (200, (0, sent)), "{}", answer.text());
        if let Some(text) = text {
            sent_to_the_house(&two, &gate, &answer, text).await;
        }
    }
    // The header does not get anybody to the house, either.
    let answer = gate.call(&two.post(&short("hello")).header("x-doorward-route", "house")).await;
    assert_eq!((answer.status, two.counts()), (200, (1, sent)), "{}", answer.text());

    // What the house's rules refuse reaches neither: a parameter, a role, a secret; nor its model asked for by name.
    let mut long = short(MAIL);
    long["max_tokens"] = json!(51);
    let direct = json!({"model": "llama-h", "max_tokens": 20, "messages": [{"role": "user", "content": "hello"}]});
    for (body, reason) in [
        (long, "parameter.not_allowed"),
        (short(&format!("{MAIL} AKIAIQ7RX4PJH6ZN2WVB")), "content.denied"),
        (direct, "model.not_allowed"),
    ] {
        let answer = gate.call(&two.post(&body)).await;
        assert_eq!(code(&answer), reason, "{body}: {}", answer.text());
        assert_eq!(two.counts(), (1, sent), "{body}");
    }
    two.check();
    assert_unlogged(&gate, &[&two.tokens[0], "bob@northwind.dev"]);
}

#[tokio::test]
async fn without_the_shipped_removal_the_header_is_refused() {
    // The first route would be the client's choice then, and the second one without it another.
    let two = Two::new(false).await;
    let gate = two.world.open(two.spec(two.routes(), false)).await.unwrap_or_else(|refused| panic!("{refused}"));
    for (value, text) in [("house", MAIL), ("house", "hello")] {
        let answer = gate.call(&two.post(&short(text)).header("x-doorward-route", value)).await;
        assert_eq!((answer.status, code(&answer).as_str()), (400, "route.asserted"), "{value}: {}", answer.text());
    }
    // With a value that no route has, Envoy's own routes refuse it.
    let answer = gate.call(&two.post(&short(MAIL)).header("x-doorward-route", "nowhere")).await;
    assert!(answer.status >= 400, "{}", answer.text());
    assert_eq!(two.counts(), (0, 0));
    let answer = gate.call(&two.post(&short(MAIL))).await;
    sent_to_the_house(&two, &gate, &answer, MAIL).await;
    two.check();
}

#[tokio::test]
async fn a_route_that_is_missing_leads_nowhere() {
    // Routes that say both values of the header cannot take what is meant for the house to the cloud, even if the house's is missing.
    let two = Two::new(false).await;
    let routes = two.routes().split_off(1);
    let gate = two.world.open(two.spec(routes, true)).await.unwrap_or_else(|refused| panic!("{refused}"));
    let answer = gate.call(&two.post(&short(MAIL))).await;
    assert_eq!((answer.status, code(&answer).as_str()), (502, "target.changed"), "{}", answer.text());
    assert_eq!(two.counts(), (0, 0));
    // One that leads elsewhere is found out when it answers, and the answer withheld.
    let mut wrong = two.routes();
    wrong[0].action["cluster"] = json!(two.cloud.name);
    let gate = two.world.open(two.spec(wrong.clone(), true)).await.unwrap_or_else(|refused| panic!("{refused}"));
    let answer = gate.call(&two.post(&short(MAIL))).await;
    assert_eq!((answer.status, code(&answer).as_str()), (502, "target.changed"), "{}", answer.text());
}

#[tokio::test]
async fn a_cluster_can_refuse_what_is_meant_for_another() {
    // The cloud's cluster has a filter of its own, as it has its key: whatever the routes say, it takes nothing that has the header.
    let mut two = Two::new(false).await;
    two.cloud.filters = vec![guard()];
    let mut wrong = two.routes();
    wrong[0].action["cluster"] = json!(two.cloud.name);
    let gate = two.world.open(two.spec(wrong, true)).await.unwrap_or_else(|refused| panic!("{refused}"));
    for text in [MAIL, HIDDEN] {
        let answer = gate.call(&two.post(&short(text))).await;
        assert_eq!((answer.status, code(&answer).as_str()), (502, "target.changed"), "{}", answer.text());
        assert_eq!(two.counts(), (0, 0));
    }
    let answer = gate.call(&two.post(&short("hello"))).await;
    assert_eq!((answer.status, two.counts()), (200, (1, 0)), "{}", answer.text());
    two.check();
}

/// The filter of the example's cloud that refuses.
fn guard() -> Value {
    let path = doorward_e2e::tools::root().join("examples/onprem/envoy.yaml");
    let text = std::fs::read_to_string(path).expect("the example");
    let example: Value = serde_saphyr::from_str(&text).expect("YAML");
    let clusters = example["static_resources"]["clusters"].as_array().expect("clusters");
    let cloud = clusters.iter().find(|cluster| cluster["name"] == "cloud").expect("the cloud");
    let options = &cloud["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
    options["http_filters"][0].clone()
}

#[tokio::test]
async fn retries_stay_in_the_house() {
    let two = Two::new(false).await;
    let retry = json!({"retry_policy": {"retry_on": "5xx,reset", "num_retries": 2}});
    let routes: Vec<Route> = two.routes().into_iter().map(|route| route.action(&retry)).collect();
    let gate = two.world.open(two.spec(routes, true)).await.unwrap_or_else(|refused| panic!("{refused}"));
    for first in [Script::status(503).data("busy"), Script::reset_in_head()] {
        let before = two.counts();
        two.house_upstream.enqueue(first);
        let answer = gate.call(&two.post(&short(MAIL))).await;
        sent_to_the_house(&two, &gate, &answer, MAIL).await;
        assert_eq!(two.counts(), (before.0, before.1 + 2));
    }
    two.check();
}

#[tokio::test]
async fn callers_and_models_choose_too_and_a_path_names_its_model_anew() {
    let mut two = Two::new(true).await;
    two.world.policy["access"] = json!([
        {"id": "cloud", "effect": "allow", "targets": "cloud", "models": ["gpt-5*", "llama-h"]},
        {"id": "house", "effect": "allow", "targets": "house", "models": "llama-h"},
    ]);
    two.world.policy["roles"]["listers"] = json!({"groups": "list"});
    two.world.policy["routes"] = json!([
        {"id": "lists", "when": {"roles": "listers"}, "to": {"target": "house"}},
        {"id": "of-house", "when": {"models": "llama-*"}, "to": {"target": "house"}},
        {"id": "resident", "when": {"roles": "engineers", "models": "gpt-5"}, "to": {"target": "house"}, "model": "llama-h"},
    ]);
    let gate = two.gate().await;
    let interns = two.world.token("ivo", &["intern"]);
    two.tokens.push(interns.clone());
    let at = |model: &str| format!("/openai/deployments/{model}/chat/completions?api-version=1");
    let hi = json!([{"role": "user", "content": "hi"}]);
    let done = json!({"model": "llama-h", "choices": [{"message": {"role": "assistant", "content": "done"}}]});
    two.house_upstream.on("/openai/deployments/llama-h/chat/completions", Script::json(&done));
    for (path, token, body, house) in [
        (CHAT.to_owned(), &two.tokens[0], json!({"model": "llama-h", "messages": hi}), true),
        (CHAT.to_owned(), &two.tokens[0], json!({"model": "gpt-5", "messages": hi}), true),
        (at("gpt-5"), &two.tokens[0], json!({"messages": hi}), true),
        (at("gpt-5"), &two.tokens[0], json!({"messages": hi, "model": "gpt-5"}), true),
        (CHAT.to_owned(), &interns, json!({"model": "gpt-5", "messages": hi}), false),
        (CHAT.to_owned(), &two.tokens[0], json!({"model": "gpt-5-mini", "messages": hi}), false),
    ] {
        let before = two.counts();
        let answer = gate.call(&post(&path, token, body.to_string())).await;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
        let expected = if house { (before.0, before.1 + 1) } else { (before.0 + 1, before.1) };
        assert_eq!(two.counts(), expected, "{path} {body}");
        let seen = if house { two.house_upstream.seen() } else { two.world.upstream.seen() };
        let seen = seen.last().expect("a request");
        if house {
            assert_eq!(seen.target, path.replace("gpt-5", "llama-h"));
            assert_eq!(seen.text(), body.to_string().replace("gpt-5", "llama-h"));
        }
    }
    // Whether a head says that nothing follows makes no difference.
    let lister = two.world.token("lea", &["list"]);
    for body in [Body::Empty, Body::Chunks(Vec::new())] {
        let before = two.counts();
        let mut list = Request::get("/v1/models").bearer(&lister);
        list.body = body;
        let answer = gate.call(&list).await;
        assert_eq!((answer.status, two.counts()), (200, (before.0, before.1 + 1)), "{}", answer.text());
    }
}

/// Beyond a limit, the cheaper model is asked as if the caller had named it: where access refuses that, nothing goes out, and what must
/// stay in the house does.
#[tokio::test]
async fn who_steps_down_passes_access_again() {
    let mut two = Two::new(false).await;
    two.world.policy["access"] = json!([
        {"id": "big", "effect": "allow", "targets": "cloud", "models": "gpt-5"},
        {"id": "small", "effect": "allow", "roles": "engineers", "targets": "cloud", "models": "gpt-5-mini",
         "parameters": {"max_tokens": {"max": 30}}},
        {"id": "house", "effect": "allow", "roles": "engineers", "targets": "house", "models": "llama-h"},
    ]);
    two.world.policy["limits"] = json!([
        {"id": "spent", "requests": 1, "window": "1h", "models": "gpt-5", "step_down": "gpt-5-mini"},
    ]);
    let gate = two.gate().await;
    let intern = two.world.token("ivo", &["intern"]);
    two.tokens.push(intern.clone());
    let (alice, mut long) = (two.tokens[0].clone(), short("hi"));
    long["max_tokens"] = json!(40);
    // Who, what, the answer, the model that the cloud is asked for, and whether the house is asked.
    for (n, (token, body, status, model, house)) in [
        (&alice, short("hi"), 200, Some("gpt-5"), false),
        (&alice, short("hi"), 200, Some("gpt-5-mini"), false),
        (&alice, long, 403, None, false),
        (&alice, short(MAIL), 200, None, true),
        (&intern, short("hi"), 200, Some("gpt-5"), false),
        (&intern, short("hi"), 403, None, false),
    ]
    .into_iter()
    .enumerate()
    {
        let before = two.counts();
        let answer = gate.call(&post(CHAT, token, body.to_string())).await;
        assert_eq!(answer.status, status, "{n}: {}", answer.text());
        let expected = (before.0 + usize::from(model.is_some()), before.1 + usize::from(house));
        assert_eq!(two.counts(), expected, "{n}");
        let line = gate.log_line(&answer).await;
        if let Some(model) = model {
            let seen = two.world.upstream.seen().pop().expect("a request").json();
            assert_eq!(seen["model"], model, "{n}");
            assert_eq!(line["gen_ai.request.model"], model, "{n}: {line:#}");
            let stepped = model == "gpt-5-mini";
            assert_eq!(line["doorward.notes"].as_str() == Some("limit.requests"), stepped, "{n}: {line:#}");
        }
    }
    for seen in two.world.upstream.seen() {
        assert!(seen.json()["max_tokens"].as_u64() <= Some(30), "{seen:?}");
    }
    for seen in two.house_upstream.seen() {
        assert!(!seen.mentions("gpt-5"), "{seen:?}");
    }
    two.check();
    assert_unlogged(&gate, &[&alice, &intern]);
}

#[tokio::test]
async fn where_headers_go_ahead_the_policy_is_refused() {
    let Two { mut world, .. } = Two::new(false).await;
    world.policy["envoy"] = json!({"hold_headers": false});
    world.flow = true;
    assert!(world.open(world.spec()).await.is_err(), "a policy that cannot be carried out was taken");
    // That, and nothing else, was wrong with it.
    world.policy["routes"][0]["mode"] = json!("observe");
    let gate = world.gate().await;
    let answer = gate.call(&post(CHAT, &world.alice(), short(MAIL).to_string())).await;
    let line = gate.log_line(&answer).await;
    let seen = (answer.status, &line["doorward.target"], &line["doorward.observed"]);
    assert_eq!(seen, (200, &json!("cloud"), &json!("stays")), "{line:#}");
}
