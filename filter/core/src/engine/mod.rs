//! One compiled, immutable policy; and what one worker keeps beside it.

mod worker;

pub use worker::Worker;
pub(crate) use worker::calls;

use crate::anomaly::Anomaly;
use crate::audit::{Audit, BreakGlass, Stamp};
use crate::config::{Path, Problem, SecretRef, Tree, from_tree};
use crate::hex::hex;
use crate::identity::Identity;
use crate::inspect::Detectors;
use crate::json;
use crate::limits::Limits;
use crate::packs;
use crate::policy::{
    Access, AtMaxHold, Capture, Content, Declared, Document, FirstUse, Globs, LimitHeaders, Mode, Models,
    OpenTelemetry, ParamHeaders, Pins, Plan, ReserveDocument, Roles, Targets, Ungoverned, Verdict,
};
use crate::route::Routes;
use crate::session::Sessions;
use crate::sort;

/// Looks up an environment variable.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// One compiled policy. Nothing in it changes.
#[derive(Debug)]
pub struct Engine {
    pub(crate) name: String,
    pub(crate) digest: String,
    /// The packs it extends, and the statements of them that it weakens: as on the record.
    pub(crate) packs: String,
    pub(crate) weakened: String,
    pub(crate) mode: Mode,
    pub(crate) ungoverned: Ungoverned,
    pub(crate) targets: Targets,
    pub(crate) identity: Identity,
    pub(crate) roles: Roles,
    pub(crate) models: Models,
    pub(crate) access: Access,
    pub(crate) detectors: Detectors,
    pub(crate) content: Content,
    pub(crate) routes: Routes,
    /// What access statements look for in conversations.
    pub(crate) taints: Content,
    pub(crate) limits: Limits,
    pub(crate) sessions: Sessions,
    pub(crate) anomaly: Anomaly,
    pub(crate) reserve: ReserveDocument,
    pub(crate) unscannable: Verdict,
    pub(crate) model_mismatch: Verdict,
    pub(crate) note_bytes: u64,
    pub(crate) max_hold: usize,
    pub(crate) at_max_hold: AtMaxHold,
    pub(crate) limit_headers: LimitHeaders,
    pub(crate) hash_key: Option<Vec<u8>>,
    pub(crate) tokenize_key: Option<Vec<u8>>,
    pub(crate) restoring_tools: Globs,
    pub(crate) pins: Pins,
    pub(crate) param_headers: ParamHeaders,
    pub(crate) declared_tools: Declared,
    pub(crate) audit: Audit,
    /// What is replaced in texts that are recorded.
    pub(crate) redacting: Option<Plan>,
    pub(crate) break_glass: Option<BreakGlass>,
    pub(crate) first_use: FirstUse,
    pub(crate) session_key: Option<Vec<u8>>,
    pub(crate) assertion_key: Option<Vec<u8>>,
    pub(crate) record_caller_first: bool,
    pub(crate) hold_headers: bool,
    pub(crate) conventions: Vec<OpenTelemetry>,
    pub(crate) max_body: usize,
    pub(crate) json_limits: json::Limits,
    /// Judges beside, and changes nothing.
    pub(crate) candidate: Option<Box<Engine>>,
}

impl Engine {
    /// Compiles a policy.
    ///
    /// # Errors
    /// Every mistake that was found, each with its path and, where there is one, a remedy.
    pub fn compile(tree: &Tree, env: Env<'_>) -> Result<Self, Vec<Problem>> {
        let root = Path::root();
        let extended = packs::extend(tree)?;
        let tree = extended.as_ref().map_or(tree, |extended| &extended.tree);
        let document: Document = from_tree(tree, &root).map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if document.name.is_empty() || document.name.len() > 64 || !document.name.bytes().all(plain) {
            problems.push(
                Problem::new(root.key("name"), format!("`{}` is no name", document.name))
                    .help("letters, digits, `-`, `_` and `.`, at most 64"),
            );
        }
        let targets = Targets::compile(&document.targets, &root.key("targets"), &mut problems);
        let roles = Roles::compile(&document.roles, &root.key("roles"), &mut problems);
        let models = Models::compile(&document.models, &root.key("models"), &mut problems);
        let access =
            Access::compile(&document.access, &document.tool_use, &roles, &targets, &root.key("access"), &mut problems);
        let detectors = take(Detectors::compile(&document.detectors, env, &root.key("detectors")), &mut problems);
        let mut content = match &detectors {
            Some(detectors) => {
                let path = root.key("content");
                let (content, routes) = (&document.content, &document.routes);
                Content::compile(content, routes, detectors, &roles, &targets, &path, &mut problems)
            }
            None => Content::default(),
        };
        let (packs, weakened) = match (&extended, &detectors) {
            (Some(extended), Some(detectors)) => {
                let mut all = extended.settings.clone();
                all.extend(packs::weakened(&extended.bases, tree, &document, detectors, &mut problems));
                (extended.packs.join(","), all.join(","))
            }
            (None, Some(detectors)) => {
                // Nothing can be weakened, and whoever says so meant a pack.
                packs::weakened(&[], tree, &document, detectors, &mut problems);
                Default::default()
            }
            _ => Default::default(),
        };
        let sessions_path = root.key("sessions");
        if let (Some(detectors), Some(sessions)) = (&detectors, &document.sessions) {
            content.watch(&sessions.risk, detectors, &roles, &sessions_path.key("risk"), &mut problems);
        }
        let sessions =
            Sessions::compile(document.sessions.as_ref(), &roles, &document.routes, &sessions_path, &mut problems);
        let anomaly = Anomaly::compile(document.anomaly.as_ref(), &roles, &root.key("anomaly"), &mut problems);
        let thresholds = document.sessions.iter().flat_map(|s| &s.thresholds).filter_map(|t| t.route.as_deref());
        let named = document.content.iter().filter_map(|c| c.route.as_deref());
        let named: Vec<&str> = named.chain(thresholds).collect();
        let carried_out = (document.mode == Mode::Enforce, document.envoy.hold_headers);
        let path = root.key("routes");
        let routes = Routes::compile(&document.routes, (&roles, &targets), &named, carried_out, &path, &mut problems);
        let taints = match &detectors {
            Some(detectors) => {
                Content::taints(&document.access, detectors, &roles, &targets, &root.key("access"), &mut problems)
            }
            None => Content::default(),
        };
        let limits = Limits::compile(&document.limits, &roles, &targets, env, &root.key("limits"), &mut problems);
        let identity = take(Identity::compile(&document.identity, env, &root.key("identity")), &mut problems);
        let hash_path = root.key("redaction").key("hash_key");
        let hash_key = secret(document.redaction.hash_key.as_ref(), env, &hash_path, &mut problems);
        if content.hashes() && document.redaction.hash_key.is_none() {
            problems.push(
                Problem::new(hash_path, "`action: hash` needs a key")
                    .help("add `redaction: {hash_key: {env: NAME}}` and set NAME in vm_config.environment_variables"),
            );
        }
        let tokenize_path = root.key("redaction").key("tokenize_key");
        let tokenize_key = secret(document.redaction.tokenize_key.as_ref(), env, &tokenize_path, &mut problems);
        if content.tokenizes() && document.redaction.tokenize_key.is_none() {
            problems.push(
                Problem::new(tokenize_path, "`action: tokenize` needs a key").help(
                    "add `redaction: {tokenize_key: {env: NAME}}` and set NAME in vm_config.environment_variables",
                ),
            );
        }
        let restoring: Vec<String> =
            document.tools.iter().filter(|t| t.restore).flat_map(|t| t.name.0.iter().cloned()).collect();
        let param_headers = ParamHeaders::compile(&document.tools, &targets, &root.key("tools"), &mut problems);
        let pins = Pins::compile(&document.tools, &targets, &root.key("tools"), &mut problems);
        let audit = Audit::compile(&document.audit, env, &root.key("audit"), &mut problems);
        let redacts = document.audit.capture == Capture::Redacted;
        let redacting = detectors.as_ref().filter(|_| redacts).map(|detectors| content.redacting(detectors));
        let glass = document.break_glass.as_ref();
        let break_glass = glass.and_then(|glass| BreakGlass::compile(glass, &root.key("break_glass"), &mut problems));
        let session_key =
            secret(document.mcp.session_key.as_ref(), env, &root.key("mcp").key("session_key"), &mut problems);
        let assertion_path = root.key("mcp").key("assertion_key");
        let assertion_key = secret(document.mcp.assertion_key.as_ref(), env, &assertion_path, &mut problems);
        if targets.want_assertions() && document.mcp.assertion_key.is_none() {
            problems.push(
                Problem::new(assertion_path, "`forward: assertion` needs a key")
                    .help("add `mcp: {assertion_key: {env: NAME}}` and set NAME in vm_config.environment_variables"),
            );
        }
        let max_body = usize::try_from(document.envoy.max_body_bytes).unwrap_or(usize::MAX);
        if !(1024..=64 * 1024 * 1024).contains(&max_body) {
            problems.push(
                Problem::new(root.key("envoy").key("max_body_bytes"), "not between 1024 and 67108864 bytes")
                    .help("keep it below the listener's per_connection_buffer_limit_bytes"),
            );
        }
        let max_hold = usize::try_from(document.answers.max_hold_bytes).unwrap_or(usize::MAX);
        if max_hold < 64 {
            problems.push(
                Problem::new(root.key("answers").key("max_hold_bytes"), "below 64 bytes")
                    .help("values of that length would not be found; 16384 is the default"),
            );
        }
        let candidate = document
            .candidate
            .as_ref()
            .and_then(|own| candidate(tree, own, env).map_err(|wrong| problems.extend(wrong)).ok().map(Box::new));
        match (detectors, identity) {
            (Some(detectors), Some(identity)) if problems.is_empty() => Ok(Self {
                name: document.name,
                digest: digest(tree),
                packs,
                weakened,
                mode: document.mode,
                ungoverned: document.ungoverned,
                targets,
                identity,
                roles,
                models,
                access,
                detectors,
                content,
                routes,
                taints,
                limits,
                sessions,
                anomaly,
                reserve: document.reserve,
                unscannable: document.answers.unscannable,
                model_mismatch: document.answers.model_mismatch,
                note_bytes: u64::from(document.answers.note_bytes),
                max_hold: max_hold.min(max_body),
                at_max_hold: document.answers.at_max_hold,
                limit_headers: document.answers.limit_headers,
                hash_key,
                tokenize_key,
                restoring_tools: Globs::new(&restoring),
                pins,
                param_headers,
                declared_tools: document.tool_use.declared,
                audit,
                redacting,
                break_glass,
                first_use: document.mcp.first_use,
                session_key,
                assertion_key,
                hold_headers: document.envoy.hold_headers,
                record_caller_first: document.envoy.record_caller_first,
                conventions: document.metrics.opentelemetry.0,
                max_body,
                json_limits: json::Limits::default(),
                candidate,
            }),
            _ => Err(problems),
        }
    }

    /// The policy's SHA-256, first 16 hex digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The packs that it extends, comma-separated.
    pub fn packs(&self) -> &str {
        &self.packs
    }

    /// The statements of packs that it weakens, comma-separated.
    pub fn weakened(&self) -> &str {
        &self.weakened
    }

    /// The policy's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The policy's detectors.
    pub fn detectors(&self) -> &Detectors {
        &self.detectors
    }

    /// Under which name the counters stand in the shared store. Who only observes writes into none of a live policy's:
    /// counters that refuse nobody would still be spent for it.
    pub(crate) fn counters_name(&self) -> std::borrow::Cow<'_, str> {
        match self.mode {
            Mode::Enforce => self.name.as_str().into(),
            Mode::Observe => format!("{}/observe", self.name).into(),
        }
    }

    /// What the record says of it.
    pub(crate) fn stamp(&self, spent_us: u64) -> Stamp<'_> {
        Stamp {
            policy: &self.name,
            digest: &self.digest,
            packs: &self.packs,
            weakened: &self.weakened,
            audit: &self.audit,
            spent_us,
        }
    }

    /// Values of the record that filters behind this one read as texts.
    pub fn declared(&self) -> &'static [&'static str] {
        match self.record_caller_first {
            true => &["doorward.user", "doorward.team", "doorward.workload"],
            false => &[],
        }
    }

    /// Whether headers wait for the body.
    pub fn holds_headers(&self) -> bool {
        self.hold_headers && self.mode == Mode::Enforce
    }
}

/// What a candidate can have of its own. Who calls, what is counted and what the host is like is the live policy's.
const OF_CANDIDATES: &[&str] = &["targets", "roles", "models", "access", "detectors", "content", "tools", "tool_use"];

/// What is not the candidate's: it counts nothing, and has none in turn.
const OF_LIVE_ALONE: &[&str] = &["candidate", "limits", "sessions", "anomaly", "mode"];

/// Compiles the candidate of a live policy: the live one with the candidate's sections in place of its own, only observing.
#[cold]
fn candidate(live: &Tree, own: &Tree, env: Env<'_>) -> Result<Engine, Vec<Problem>> {
    let path = Path::root().key("candidate");
    let (Tree::Map(live), Tree::Map(own)) = (live, own) else {
        let problem = Problem::new(path, "not a mapping")
            .help("write the sections that are to be tried: `access`, `content`, ...");
        return Err(vec![problem]);
    };
    let strange = own.iter().filter(|(key, _)| !OF_CANDIDATES.contains(&key.as_str()));
    let strange: Vec<Problem> = strange
        .map(|(key, _)| {
            Problem::new(path.key(key), format!("a candidate has no `{key}` of its own")).help(
                "it may have `targets`, `roles`, `models`, `access`, `detectors`, `content`, `tools` and `tool_use`",
            )
        })
        .collect();
    if !strange.is_empty() {
        return Err(strange);
    }
    let kept = |key: &str| !OF_LIVE_ALONE.contains(&key) && !own.iter().any(|(k, _)| k == key);
    let mut sections: Vec<(String, Tree)> = live.iter().filter(|(key, _)| kept(key)).cloned().collect();
    sections.extend(own.iter().cloned());
    sections.push(("mode".to_owned(), Tree::String("observe".to_owned())));
    Engine::compile(&Tree::Map(sections), env)
        .map_err(|wrong| wrong.into_iter().map(|p| Problem { path: p.path.below(&path), ..p }).collect())
}

fn take<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

/// The bytes of a referenced key.
fn secret(reference: Option<&SecretRef>, env: Env<'_>, path: &Path, problems: &mut Vec<Problem>) -> Option<Vec<u8>> {
    key(reference?, env, path).map_err(|problem| problems.push(problem)).ok()
}

/// The key behind a reference.
pub(crate) fn key(reference: &SecretRef, env: Env<'_>, path: &Path) -> Result<Vec<u8>, Problem> {
    let name = &reference.env;
    match env(name) {
        Some(value) if value.len() >= 32 => Ok(value.into_bytes()),
        Some(_) => Err(Problem::new(path.clone(), format!("the key in `{name}` is shorter than 32 bytes"))
            .help("for example the output of `openssl rand -hex 32`")),
        None => Err(Problem::new(path.clone(), format!("the environment variable `{name}` is not set"))
            .help("add it to vm_config.environment_variables (Istio: vmConfig.env)")),
    }
}

/// SHA-256 over a form of the document that does not depend on what it was written in, first 16 hex digits: as records have it.
pub fn digest(tree: &Tree) -> String {
    fn feed(tree: &Tree, hash: &mut hmac_sha256::Hash) {
        let mut text = |tag: &str, s: &str| {
            hash.update(tag.as_bytes());
            hash.update((s.len() as u64).to_le_bytes());
            hash.update(s.as_bytes());
        };
        match tree {
            Tree::Null => text("z", ""),
            Tree::Bool(b) => text("b", if *b { "1" } else { "0" }),
            Tree::Integer(i) => text("n", &i.to_string()),
            Tree::Float(f) => text("n", &f.to_string()),
            Tree::String(s) => text("s", s),
            Tree::List(items) => {
                text("l", &items.len().to_string());
                items.iter().for_each(|item| feed(item, hash));
            }
            Tree::Map(entries) => {
                text("m", &entries.len().to_string());
                let mut sorted: Vec<_> = entries.iter().collect();
                sort::cold(&mut sorted, |a, b| a.0 < b.0);
                for (key, value) in sorted {
                    feed(&Tree::String(key.clone()), hash);
                    feed(value, hash);
                }
            }
        }
    }
    let mut hash = hmac_sha256::Hash::new();
    feed(tree, &mut hash);
    hex(hash.finalize().get(..8).unwrap_or_default())
}

/// A keyed digest of a body that comes in pieces, where the policy has an audit key.
pub(crate) struct Digest(Option<hmac_sha256::HMAC>);

impl Digest {
    pub fn new(engine: &Engine) -> Self {
        Self(engine.audit.key.as_ref().map(hmac_sha256::HMAC::new))
    }

    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(mac) = &mut self.0 {
            mac.update(bytes);
        }
    }

    /// The digest of what came so far, written as on the record.
    pub fn finish(self) -> Option<String> {
        self.0.map(|mac| format!("hmac-sha256:{}", hex(&mac.finalize())))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest")
    }
}

/// The keyed digest of a body, where the policy has an audit key.
pub(crate) fn body_digest(engine: &Engine, body: &[u8]) -> Option<String> {
    let mut digest = Digest::new(engine);
    digest.update(body);
    digest.finish()
}
