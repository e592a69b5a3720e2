//! Scenarios: YAML files under `scenarios/`, what they say, and how they are run.
//!
//! `common.yaml` holds the tokens, policies, requests and answers that scenarios build on; every other file is a list of
//! scenarios. In any text, `${token:NAME}` is a minted token, `${fill:x:N}` is N times `x`, and a text that is nothing but
//! `${jwk:KEY:KID}` is a public key. A scenario runs in each of its modes (`hold`, `flow`), and under `mode: observe`
//! as well, where it must change nothing that passes ([`check::transparent`]).

pub mod check;
pub mod observe;
pub mod run;
mod steps;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

pub use steps::{
    AnswerStep, CallAnswer, Configure, Content, Ends, Expect, HeaderValue, Message, RequestStep, Step, Totals,
};

use crate::tokens::TokenSpec;

/// Whether headers can wait for the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They can: `allow_on_headers_stop_iteration`, and `hold_headers` in the policy.
    Hold,
    /// They cannot.
    Flow,
}

impl Mode {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Hold => "hold",
            Mode::Flow => "flow",
        }
    }
}

/// What scenarios build on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Common {
    #[serde(rename = "tokens")]
    _tokens: Value,
    /// Environment variables of every VM.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Policies by name.
    pub policies: BTreeMap<String, Value>,
    /// Requests by name.
    pub requests: BTreeMap<String, RequestStep>,
    /// Answers by name.
    pub answers: BTreeMap<String, AnswerStep>,
}

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Said when it fails.
    pub name: String,
    /// Why it is there, where the name does not say.
    #[serde(default)]
    pub about: Option<String>,
    /// The policy it builds on.
    #[serde(default = "base")]
    pub base: String,
    /// Changes to it (a JSON merge patch, RFC 7396).
    #[serde(default)]
    pub policy: Value,
    /// The modes it runs in.
    #[serde(default = "both")]
    pub modes: Vec<Mode>,
    /// `allow_on_headers_stop_iteration`, where it is not what the mode says.
    #[serde(default)]
    pub stop_iteration: Option<bool>,
    /// Only the module does what is expected here; core alone has no part in it.
    #[serde(default)]
    pub wasm_only: bool,
    /// Workers with a VM each.
    #[serde(default = "one")]
    pub workers: usize,
    /// `per_connection_buffer_limit_bytes`.
    #[serde(default = "mebibyte")]
    pub buffer_limit: usize,
    /// `false`: under observation it would not be the same story. Says why.
    #[serde(default)]
    pub not_observed: Option<String>,
    /// What can be read of each stream beside the defaults: stream to path to value.
    #[serde(default)]
    pub properties: BTreeMap<String, BTreeMap<String, String>>,
    /// The worker that serves a stream, if not the first.
    #[serde(default)]
    pub worker_of: BTreeMap<String, usize>,
    /// What happens.
    pub steps: Vec<Step>,
    /// What must have come of stream `a`.
    #[serde(default)]
    pub expect: Expect,
    /// Of other streams.
    #[serde(default)]
    pub others: BTreeMap<String, Expect>,
    /// Of `a`, in hold mode.
    #[serde(default)]
    pub hold: Expect,
    /// Of `a`, in flow mode.
    #[serde(default)]
    pub flow: Expect,
    /// What was counted and called.
    #[serde(default)]
    pub totals: Totals,
    /// The file it stands in.
    #[serde(skip)]
    pub file: String,
}

fn base() -> String {
    "base".to_owned()
}

fn both() -> Vec<Mode> {
    vec![Mode::Hold, Mode::Flow]
}

fn one() -> usize {
    1
}

fn mebibyte() -> usize {
    1024 * 1024
}

/// Where the scenarios are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Reads everything; tokens are minted at `now`, in seconds since the epoch.
///
/// # Panics
/// On a file that is not what it should be, naming it.
pub fn load(now: u64) -> (Common, Vec<Scenario>) {
    let path = folder().join("common.yaml");
    let mut raw = yaml(&path);
    let specs: BTreeMap<String, TokenSpec> =
        serde_json::from_value(raw["tokens"].take()).unwrap_or_else(|e| panic!("tokens in {}: {e}", path.display()));
    let tokens = specs.into_iter().map(|(name, spec)| (name, spec.mint(now))).collect();
    text::expand(&mut raw, &tokens);
    let common: Common = serde_json::from_value(raw).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the scenarios' folder")
        .map(|entry| entry.expect("a file").path())
        .filter(|p| p.extension().is_some_and(|e| e == "yaml") && *p != path)
        .collect();
    files.sort();
    let mut scenarios = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Value::Array(list) = yaml(&file) else { panic!("{} is not a list of scenarios", file.display()) };
        for mut raw in list {
            text::expand(&mut raw, &tokens);
            let title = raw["name"].as_str().unwrap_or("?").to_owned();
            let scenario: Scenario = serde_json::from_value(raw).unwrap_or_else(|e| panic!("{name}: `{title}`: {e}"));
            scenarios.push(Scenario { file: name.clone(), ..scenario });
        }
    }
    (common, scenarios)
}

/// A policy with changes, in a mode.
pub fn policy(common: &Common, base: &str, patch: &Value, mode: Mode, observe: bool) -> String {
    let mut policy = common.policies.get(base).unwrap_or_else(|| panic!("no policy `{base}`")).clone();
    merge(&mut policy, patch);
    merge(&mut policy, &serde_json::json!({"envoy": {"hold_headers": mode == Mode::Hold}}));
    if observe {
        policy["mode"] = "observe".into();
    }
    policy.to_string()
}

/// A JSON merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    match patch {
        Value::Object(changes) => {
            if !target.is_object() {
                *target = Value::Object(serde_json::Map::new());
            }
            let Some(object) = target.as_object_mut() else { return };
            for (key, change) in changes {
                if change.is_null() {
                    object.remove(key);
                } else {
                    merge(object.entry(key).or_insert(Value::Null), change);
                }
            }
        }
        Value::Null => {}
        other => *target = other.clone(),
    }
}
