//! The provider's credential belongs to its cluster: however requests are routed, re-routed, retried, redirected or
//! mirrored, no provider sees another's key, and none sees the caller's.

use doorward_e2e::client::Request;
use doorward_e2e::envoy::{Cluster, Envoy, Gate, ListenerSpec, Route};
use doorward_e2e::governed::{World, assert_unlogged, chat, code, refusal};
use doorward_e2e::model;
use doorward_e2e::upstream::{Script, Upstream};
use serde_json::{Value, json};

const OPENAI_KEY: &str = "sk-openai-of-the-platform";
const ANTHROPIC_KEY: &str = "sk-ant-of-the-platform";
/// What a caller may have from the provider and must not get through.
const OWN_KEY: &str = "sk-ant-of-the-caller-alone";

/// Two providers with their keys, behind one listener.
struct Two {
    world: World,
    openai: Cluster,
    anthropic: Cluster,
    claude: Upstream,
}

impl Two {
    /// Anthropic's end speaks HTTP/2.
    async fn new() -> Self {
        let mut world = World::new().await;
        let claude = Upstream::start(true, model::handler()).await;
        let bearer = format!("Bearer {OPENAI_KEY}");
        let openai = world.cluster.clone().credential("authorization", &bearer).one_connection();
        let anthropic = Cluster::to(&claude).credential("x-api-key", ANTHROPIC_KEY);
        world.policy["targets"] = json!([
            {"name": "gpt", "cluster": openai.name, "provider": "openai"},
            {"name": "claude", "cluster": anthropic.name, "provider": "anthropic"},
        ]);
        Self { world, openai, anthropic, claude }
    }

    fn spec(&self, routes: Vec<Route>) -> ListenerSpec {
        let clusters = vec![self.openai.clone(), self.anthropic.clone()];
        let mut spec = ListenerSpec::routes(routes, clusters).wasm(self.world.wasm());
        spec.log = doorward_e2e::governed::access_log();
        spec
    }

    async fn open(&self, spec: ListenerSpec) -> Gate {
        Envoy::shared(1).await.listener(spec).await.unwrap_or_else(|refused| panic!("{refused}"))
    }

    fn counts(&self) -> (usize, usize) {
        (self.world.upstream.count(), self.claude.count())
    }

    /// What no provider may have seen, over all that they saw.
    fn check(&self, tokens: &[&str]) {
        for (seen, foreign) in [(self.world.upstream.seen(), ANTHROPIC_KEY), (self.claude.seen(), OPENAI_KEY)] {
            for seen in seen {
                for secret in tokens.iter().chain([&foreign, &OWN_KEY]) {
                    assert!(!seen.mentions(secret), "a provider saw `{secret}`: {seen:?}");
                }
                let keys = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
                assert_eq!(keys.iter().map(|k| seen.fields.all(k).count()).sum::<usize>(), 1, "{seen:?}");
            }
        }
        for seen in self.world.upstream.seen() {
            assert_eq!(seen.fields.get("authorization"), Some(format!("Bearer {OPENAI_KEY}")));
        }
        for seen in self.claude.seen() {
            assert_eq!(seen.fields.get("x-api-key").as_deref(), Some(ANTHROPIC_KEY));
        }
    }
}

fn body(model: &str) -> Value {
    let mut body = chat(model, "hi");
    body["max_tokens"] = json!(10);
    body
}

fn to(path: &str, model: &str) -> Request {
    Request::post(path, &body(model))
}

const GPT: (&str, &str) = ("/v1/chat/completions", "gpt-5");
const CLAUDE: (&str, &str) = ("/v1/messages", "claude-haiku-4-5");

#[tokio::test]
async fn each_provider_gets_its_own_key_and_nothing_of_the_caller() {
    let two = Two::new().await;
    let routes = vec![
        Route::prefix("/", &two.anthropic).header("x-provider", "anthropic"),
        Route::prefix("/v1/messages", &two.anthropic).named("by-path"),
        Route::prefix("/", &two.openai),
    ];
    let gate = two.open(two.spec(routes)).await;
    let token = two.world.alice();

    let mut expected = (0, 0);
    for _ in 0..2 {
        for (path, model) in [GPT, CLAUDE] {
            let claude = path == CLAUDE.0;
            let query = to(&format!("{path}?key={token}"), model);
            for request in [
                to(path, model).bearer(&token),
                to(path, model).header("x-api-key", &token),
                to(path, model).header("api-key", &token),
                to(path, model).header("x-goog-api-key", &token),
                query,
            ] {
                let answer = gate.call(&request).await;
                assert_eq!(answer.status, 200, "{path}: {}", answer.text());
                let line = gate.log_line(&answer).await;
                assert_eq!(line["doorward.target"], if claude { "claude" } else { "gpt" });
                if claude {
                    expected.1 += 1
                } else {
                    expected.0 += 1
                }
                assert_eq!(two.counts(), expected);
            }
        }
    }
    // By header, to the other provider's models list.
    let listed = gate.call(&Request::get("/v1/models").header("x-provider", "anthropic").bearer(&token)).await;
    assert_eq!((listed.status, two.counts()), (200, (expected.0, expected.1 + 1)));

    // A caller's own key beside the token, or instead of it, goes nowhere.
    let counts = two.counts();
    for (request, reason) in [
        (to(CLAUDE.0, CLAUDE.1).bearer(&token).header("x-api-key", OWN_KEY), "identity.repeated"),
        (to(GPT.0, GPT.1).header("x-api-key", &token).bearer(OWN_KEY), "identity.repeated"),
        (to(CLAUDE.0, CLAUDE.1).header("x-api-key", OWN_KEY), "identity.malformed"),
        (to(&format!("{}?key={OWN_KEY}", GPT.0), GPT.1).bearer(&token), "identity.repeated"),
    ] {
        let answer = gate.call(&request).await;
        assert_eq!((answer.status, answer.fields.get("x-doorward-reason").as_deref()), (401, Some(reason)));
    }
    assert_eq!(two.counts(), counts);
    two.check(&[&token]);
    assert_unlogged(&gate, &[&token, OWN_KEY]);
}

#[tokio::test]
async fn a_request_that_is_rerouted_takes_no_key_along() {
    let two = Two::new().await;
    let routes =
        |two: &Two| vec![Route::prefix("/", &two.anthropic).header("x-route", "b"), Route::prefix("/", &two.openai)];
    // A filter behind Doorward moves requests that it judged to the other cluster, and one in front does before. Envoy
    // does not tell of a route that was forgotten until some filter asks for the new one: RBAC does.
    let lua = |when: &str| {
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": {"inline_string": format!("function envoy_on_request(h)
                if h:headers():get('x-move') == '{when}' then
                    h:headers():replace('x-route', 'b')
                    h:clearRouteCache()
                end
            end")},
        })
    };
    let spec = two.spec(routes(&two));
    let rbac = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"});
    let spec = spec.before("envoy.filters.http.lua", lua("early")).before("envoy.filters.http.rbac", rbac);
    let spec = spec.after("envoy.filters.http.lua", lua("late"));
    let gate = two.open(spec).await;
    let token = two.world.alice();
    for credential in ["authorization", "x-api-key", "x-goog-api-key"] {
        let request = |moved: &str| {
            let value = if credential == "authorization" { format!("Bearer {token}") } else { token.clone() };
            to(GPT.0, GPT.1).header(credential, value).header("x-move", moved)
        };
        let before = two.counts();
        for moved in ["no", "late", "no", "early"] {
            let answer = gate.call(&request(moved)).await;
            let line = gate.log_line(&answer).await;
            let target = &line["doorward.target"];
            assert_eq!(*target, if moved == "early" { "claude" } else { "gpt" }, "{moved} {} {line:#}", code(&answer));
            // What it was judged for is on the record, and where it went.
            let went = if moved == "no" { &two.openai.name } else { &two.anthropic.name };
            assert_eq!(line["upstream_cluster"], json!(went), "{moved}");
        }
        assert_eq!(two.counts(), (before.0 + 2, before.1 + 2));
    }
    two.check(&[&token]);
    assert_unlogged(&gate, &[&token]);
}

/// Doorward takes credentials out of the head, and Envoy then asks its routes again: one that was chosen for such a
/// header or parameter may not be the one that is taken. Keys stay where they belong all the same.
#[tokio::test]
async fn a_route_chosen_for_the_credential_takes_no_key_along() {
    let two = Two::new().await;
    let when = |matches: Value| Route { matches, ..Route::prefix("/", &two.anthropic) };
    let routes = vec![
        when(json!({"prefix": "/", "headers": [{"name": "x-api-key", "present_match": true}]})),
        when(json!({"prefix": "/", "query_parameters": [{"name": "key", "present_match": true}]})),
        Route::prefix("/", &two.openai),
    ];
    let gate = two.open(two.spec(routes)).await;
    let token = two.world.alice();
    let chosen = to(GPT.0, GPT.1).header("x-api-key", &token);
    let query = to(&format!("{}?key={token}", GPT.0), GPT.1);
    for request in [chosen, query, to(GPT.0, GPT.1).bearer(&token)] {
        let answer = gate.call(&request).await;
        let line = gate.log_line(&answer).await;
        // Where it went is on the record, beside what it was judged for.
        assert!(line["upstream_cluster"].is_string() && line["doorward.target"].is_string(), "{line:#}");
    }
    assert!(two.counts().0 + two.counts().1 >= 1);
    two.check(&[&token]);
    assert_unlogged(&gate, &[&token]);
}

#[tokio::test]
async fn retries_redirects_and_mirrors_keep_keys_apart() {
    let two = Two::new().await;
    let retry = json!({"retry_policy": {"retry_on": "5xx,reset", "num_retries": 2}});
    let redirect = json!({"internal_redirect_policy": {
        "max_internal_redirects": 2, "redirect_response_codes": [307], "allow_cross_scheme_redirect": true,
    }});
    let mirror = json!({"request_mirror_policies": [{"cluster": two.anthropic.name}]});
    let when = |how: &str| Route::prefix("/v1/chat", &two.openai).header("x-how", how);
    let routes = vec![
        when("retry").action(&retry),
        when("redirect").action(&redirect),
        when("mirror").action(&mirror),
        Route::prefix("/v1/messages", &two.anthropic),
        Route::prefix("/", &two.openai),
    ];
    let gate = two.open(two.spec(routes)).await;
    let token = two.world.alice();
    let ask = |how: &str| to(GPT.0, GPT.1).bearer(&token).header("x-how", how);

    two.world.upstream.enqueue(Script::status(503));
    two.world.upstream.enqueue(Script::reset());
    assert_eq!(gate.call(&ask("retry")).await.status, 200);
    assert_eq!(two.counts(), (3, 0));

    assert_eq!(gate.call(&ask("mirror")).await.status, 200);
    two.claude.request(0).await;
    assert_eq!(two.counts(), (4, 1));

    // A provider answers with a redirect to the other's route. Envoy sends the request through the filters again, as
    // it went out: with the first provider's key, which is no caller's credential here.
    let location = format!("http://gateway.test{}", CLAUDE.0);
    two.world.upstream.enqueue(Script::status(307).header("location", location));
    let answer = gate.call(&ask("redirect")).await;
    assert!(answer.status == 401 || answer.status == 307, "{} {}", answer.status, answer.text());
    assert_eq!(two.counts(), (5, 1));
    two.check(&[&token]);
    assert!(!gate.log_text().contains(&token));
    // The next caller is not the last one.
    refusal(&gate, &gate.call(&to(GPT.0, GPT.1)).await, 401, "identity.missing").await;
    assert_eq!(two.counts(), (5, 1));
}

/// What follows a body is read as headers by some servers.
#[tokio::test]
async fn credentials_do_not_come_back_as_trailers() {
    for flow in [false, true] {
        let mut two = Two::new().await;
        if flow {
            two.world = two.world.flow();
        }
        let gate = two
            .open(two.spec(vec![Route::prefix("/v1/messages", &two.anthropic), Route::prefix("/", &two.openai)]))
            .await;
        let token = two.world.alice();
        let trailers = [
            ("Authorization", format!("Bearer {OWN_KEY}")),
            ("X-Api-Key", OWN_KEY.to_owned()),
            ("api-key", token.clone()),
            ("x-goog-api-key", OWN_KEY.to_owned()),
            ("x-doorward-user", "root-of-all".to_owned()),
            ("x-checksum", "abc".to_owned()),
        ];
        for (path, model) in [GPT, CLAUDE] {
            let request = to(path, model).bearer(&token).header("te", "trailers").trailers(trailers.clone());
            for http2 in [false, true] {
                let answer = if http2 { gate.call_http2(&request).await } else { gate.call(&request).await };
                assert_eq!(answer.status, 200, "flow {flow} http2 {http2}: {}", answer.text());
            }
        }
        assert_eq!(two.counts(), (2, 2));
        two.check(&[&token, "root-of-all"]);
        for seen in two.world.upstream.seen().into_iter().chain(two.claude.seen()) {
            assert_eq!(seen.trailers.unwrap_or_default().get("x-checksum").as_deref(), Some("abc"));
        }
    }
}
