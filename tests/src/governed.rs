//! A governed Envoy: the built filter, a provider behind it, an identity provider beside it, and a base policy
//! that tests change where they need it otherwise.

use serde_json::{Map, Value, json};

use crate::client::{Answer, Request};
use crate::envoy::{Cluster, Envoy, Gate, ListenerSpec, Rejected, Wasm};
use crate::idp::{Algorithm, Idp, Key};
use crate::upstream::{Handler, Upstream};
use crate::{model, tools};

/// What callers may use in a [`World::of`] a provider: the models, deployments and agents of the tests of
/// [`crate::providers`].
pub const MODELS: [&str; 19] = [
    "gpt-*",
    "text-embedding-*",
    "omni-moderation-latest",
    "tts-1",
    "my-*",
    "*claude-haiku-*",
    "gemini-3-flash",
    "gemini-embedding-*",
    "mistral-*",
    "codestral-*",
    "agent-*",
    "llama3*",
    "qwen3-*",
    "all-minilm",
    "command-*",
    "embed-*",
    "rerank-*",
    "amazon.titan-*",
    "default",
];

/// A provider and an identity provider, and the policy that governs traffic to the one by callers of the other.
pub struct World {
    /// Signs callers in.
    pub idp: Idp,
    /// The provider.
    pub upstream: Upstream,
    /// Its cluster: `model`-like names are made up by the harness.
    pub cluster: Cluster,
    /// The policy; [`World::gate`] uses it as it is then.
    pub policy: Value,
    /// Flow mode instead of hold mode.
    pub flow: bool,
    /// Worker threads.
    pub workers: u32,
}

impl World {
    /// Groups `eng` may use gpt-5 models with at most 1,000 tokens and Claude's haiku; e-mail addresses and cards are
    /// masked, secrets refused.
    pub async fn new() -> Self {
        let upstream = Upstream::with(model::handler()).await;
        let idp = Idp::start(Algorithm::RS256).await;
        let cluster = Cluster::to(&upstream);
        let policy = json!({
            "version": "doorward/v1",
            "name": cluster.name,
            "targets": [{"name": "model", "cluster": cluster.name, "provider": "openai", "owner": "platform"}],
            "identity": {"jwt": [{
                "issuer": idp.issuer, "audiences": crate::idp::AUDIENCE, "jwks": {"inline": idp.jwks()},
                "claims": {"user": "sub", "groups": "groups", "team": "team"},
            }]},
            "roles": {"engineers": {"groups": "eng"}},
            "models": [
                {"name": "gpt-5-mini", "aliases": ["fast"], "price": {"input": 0.25, "output": 2}},
                {"name": "gpt-5"},
            ],
            "access": [
                {"id": "eng-gpt", "effect": "allow", "roles": "engineers", "models": "gpt-5*",
                 "parameters": {"max_tokens": {"max": 1000}}},
                {"id": "eng-claude", "effect": "allow", "roles": "engineers", "models": "claude-haiku-*"},
            ],
            "content": [
                {"id": "mask-pii", "detect": ["EMAIL_ADDRESS", "CREDIT_CARD"], "action": "mask"},
                {"id": "no-secrets", "detect": ["secrets"], "action": "deny"},
            ],
        });
        Self { idp, upstream, cluster, policy, flow: false, workers: 1 }
    }

    /// Everybody may use [`MODELS`] of one provider, for every operation that need not be named; nothing is looked for in
    /// texts. The policy has a key for `tokenize`.
    pub async fn of(handler: Handler, provider: &str) -> Self {
        let upstream = Upstream::with(handler).await;
        let idp = Idp::start(Algorithm::RS256).await;
        let cluster = Cluster::to(&upstream);
        let policy = json!({
            "version": "doorward/v1",
            "name": cluster.name,
            "targets": [{"name": "model", "cluster": cluster.name, "provider": provider}],
            "identity": {"jwt": [{
                "issuer": idp.issuer, "audiences": crate::idp::AUDIENCE, "jwks": {"inline": idp.jwks()},
            }]},
            "access": [{"id": "models", "effect": "allow", "models": MODELS}],
            "redaction": {"tokenize_key": {"env": "TOKENIZE_KEY"}},
        });
        Self { idp, upstream, cluster, policy, flow: false, workers: 1 }
    }

    /// In flow mode: headers go ahead of bodies.
    #[must_use]
    pub fn flow(mut self) -> Self {
        self.flow = true;
        self.policy["envoy"] = json!({"hold_headers": false});
        self
    }

    /// With this many worker threads.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }

    /// Sets a section of the policy.
    #[must_use]
    pub fn with(mut self, section: &str, value: Value) -> Self {
        self.policy[section] = value;
        self
    }

    /// The policy's first allow means only these tools.
    pub fn with_tools(mut self, rules: Value) -> Self {
        self.policy["access"][0]["tools"] = rules;
        self
    }

    /// A second key of the policy's issuer.
    pub fn publish_beside(&mut self, kid: &str) -> Key {
        let key = Key::new(kid, Algorithm::ES256);
        let keys = &mut self.policy["identity"]["jwt"][0]["jwks"]["inline"]["keys"];
        keys.as_array_mut().expect("inline keys").push(key.jwk.clone());
        key
    }

    /// The filter with the policy.
    pub fn wasm(&self) -> Wasm {
        let module = tools::wasm().expect("doorward.wasm is not built; run `make wasm`");
        let mut wasm = Wasm::new(module, self.policy.clone());
        wasm.hold = !self.flow;
        wasm.vm_id = Some("doorward-tests".to_owned());
        wasm.capabilities = Some(capabilities());
        if !self.policy["redaction"]["tokenize_key"].is_null() {
            wasm = wasm.env("TOKENIZE_KEY", "0123456789abcdef0123456789abcdef");
        }
        wasm
    }

    /// A listener that leads to the provider, with the shipped access log.
    pub fn spec(&self) -> ListenerSpec {
        let mut spec = ListenerSpec::to(self.cluster.clone()).wasm(self.wasm());
        spec.log = access_log();
        spec
    }

    /// The listener, up.
    pub async fn gate(&self) -> Gate {
        self.open(self.spec()).await.unwrap_or_else(|refused| panic!("{refused}"))
    }

    /// A listener of the shared Envoy.
    pub async fn open(&self, spec: ListenerSpec) -> Result<Gate, Rejected> {
        Envoy::shared(self.workers).await.listener(spec).await
    }

    /// A token for `user` in `groups`.
    pub fn token(&self, user: &str, groups: &[&str]) -> String {
        self.idp.token(user, json!({"groups": groups, "team": "search"}))
    }

    /// A token for alice, an engineer.
    pub fn alice(&self) -> String {
        self.token("alice", &["eng"])
    }
}

/// A chat request to OpenAI's API.
pub fn chat(model: &str, text: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": text}]})
}

/// POST of JSON text, byte for byte, with a bearer token.
pub fn post(path: &str, token: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", path).bearer(token).header("content-type", "application/json").body(body.into())
}

/// The code that an error answer carries.
pub fn code(answer: &Answer) -> String {
    answer.fields.get("x-doorward-reason").unwrap_or_default()
}

/// The log line of an answer by which Doorward refused, once the answer says so in every place it should: status,
/// body, headers, record.
pub async fn refusal(gate: &Gate, answer: &Answer, status: u16, reason: &str) -> Value {
    assert_eq!((answer.status, code(answer).as_str()), (status, reason), "{}", answer.text());
    let error = &answer.json()["error"];
    assert!(error["message"].as_str().is_some_and(|m| m.ends_with(&format!("[{reason}]"))), "{error}");
    let challenge = answer.fields.get("www-authenticate");
    assert_eq!(challenge.is_some(), status == 401, "{reason}: {challenge:?}");
    assert!(challenge.is_none_or(|c| c.starts_with("Bearer realm=\"doorward\"")), "{reason}");
    let line = gate.log_line(answer).await;
    let expected = json!({"status": status, "details": format!("doorward.{reason}"), "doorward.decision": "deny",
        "doorward.action": "reply", "doorward.reason": reason});
    for (key, value) in expected.as_object().into_iter().flatten() {
        assert_eq!(line[key], *value, "{key} in {line:#}");
    }
    line
}

/// Panics where any of `secrets` is in what the gate or its Envoy logged, or in an answer.
pub fn assert_unlogged(gate: &Gate, secrets: &[&str]) {
    let (log, envoy) = (gate.log_text(), gate.envoy.log());
    for secret in secrets {
        assert!(secret.len() > 8, "`{secret}` would be found by chance");
        assert!(!log.contains(secret), "the access log of {} holds a credential", gate.name);
        assert!(!envoy.contains(secret), "Envoy's log holds a credential of {}", gate.name);
    }
}

/// The shipped access-log format.
pub fn access_log() -> Value {
    shipped("envoy/access-log.json")
}

/// The shipped tags and buckets of metrics.
pub fn stats_config() -> Value {
    shipped("envoy/stats-config.json")
}

/// The shipped list of host functions.
pub fn capabilities() -> Vec<String> {
    let text = std::fs::read_to_string(tools::root().join("envoy/capabilities.txt")).expect("envoy/capabilities.txt");
    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect()
}

fn shipped(path: &str) -> Value {
    let text = std::fs::read_to_string(tools::root().join(path)).expect("a shipped file");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The values that a log line has under Doorward's and OpenTelemetry's names.
pub fn record(line: &Value) -> Map<String, Value> {
    let Value::Object(line) = line else { return Map::new() };
    let ours = |key: &str| ["doorward.", "gen_ai.", "mcp."].iter().any(|prefix| key.starts_with(prefix));
    line.iter().filter(|(k, v)| ours(k) && !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect()
}
