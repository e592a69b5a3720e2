//! An example: a folder with requests, what has to come of each, and (but for the quickstart) a policy of its own; some say
//! what stands behind the clusters.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::behind::Behind;
use crate::client::Request;
use crate::idp::{self, Idp};

/// `examples/NAME`.
#[derive(Debug)]
pub struct Example {
    /// The folder's name.
    pub name: String,
    /// `policy.yaml`, in place of the policy in `envoy/standalone.yaml`.
    pub policy: Option<Value>,
    /// `envoy.yaml`, a whole configuration in place of `envoy/standalone.yaml`.
    pub envoy: Option<Value>,
    /// `upstreams.yaml`: what stands behind the clusters, where it is not the small model.
    pub behind: Vec<Behind>,
    /// `requests.yaml`.
    pub stops: Vec<Stop>,
}

/// One request, and what has to come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// What it shows.
    pub title: String,
    /// Which Envoy is called, from 1, where the example has several.
    #[serde(default)]
    pub envoy: Option<usize>,
    /// The caller.
    #[serde(default, rename = "as")]
    caller: Option<Caller>,
    /// The path of a POST.
    #[serde(default)]
    post: Option<String>,
    /// The path of a GET.
    #[serde(default)]
    get: Option<String>,
    /// Further headers; `host` in place of the usual one.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body, as JSON.
    #[serde(default)]
    body: Option<Value>,
    /// What has to come of it.
    pub expect: Expect,
}

/// Who sends a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Caller {
    /// The user of a token that the demo's identity provider signs, ...
    #[serde(default)]
    user: Option<String>,
    /// ... with these claims beside the usual ones;
    #[serde(default)]
    claims: Map<String, Value>,
    /// the signature is that of another token.
    #[serde(default)]
    forged: bool,
    /// Or an API key.
    #[serde(default)]
    key: Option<String>,
    /// The header that carries it: `x-api-key`, `api-key`, ...; otherwise `authorization: Bearer`.
    #[serde(default)]
    header: Option<String>,
}

/// What has to come of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The status.
    pub status: u16,
    /// Texts that the answer holds.
    #[serde(default)]
    pub answer: Vec<String>,
    /// Texts that the answer does not hold.
    #[serde(default)]
    pub absent: Vec<String>,
    /// The text of a stream, its pieces put together.
    #[serde(default)]
    pub says: Option<String>,
    /// Texts that reach the upstream, in any case; without any, nothing reaches it.
    #[serde(default)]
    pub upstream: Option<Vec<String>>,
    /// Texts that do not reach it.
    #[serde(default)]
    pub kept: Vec<String>,
    /// A text in Envoy's own details of the answer, on its access log.
    #[serde(default)]
    pub details: Option<String>,
    /// Values on the record.
    #[serde(default)]
    pub record: BTreeMap<String, String>,
}

impl Example {
    /// Reads a folder.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn load(folder: &Path) -> Result<Self, String> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if Self::shares(folder) {
            return Err(format!(
                "{name}: several Envoys and a rate-limit service are more than this shows; run `cargo test -p doorward-mesh example`"
            ));
        }
        let path = folder.join("policy.yaml");
        let policy = path.is_file().then(|| read(&path)).transpose()?;
        let path = folder.join("envoy.yaml");
        let envoy = path.is_file().then(|| read(&path)).transpose()?;
        let path = folder.join("upstreams.yaml");
        let behind = if path.is_file() { read(&path)? } else { Vec::new() };
        let stops = Self::stops(folder)?;
        Ok(Self { name, policy, envoy, behind, stops })
    }

    /// Whether it needs a rate-limit service, which counts for several Envoys.
    pub fn shares(folder: &Path) -> bool {
        folder.join("limitador.yaml").is_file()
    }

    /// The requests of a folder.
    ///
    /// # Errors
    /// What is wrong with them, and where.
    pub fn stops(folder: &Path) -> Result<Vec<Stop>, String> {
        let stops: Vec<Stop> = read(&folder.join("requests.yaml"))?;
        if stops.is_empty() {
            return Err(format!("{}: no requests", folder.display()));
        }
        Ok(stops)
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_saphyr::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

impl Stop {
    /// The request, with a credential of `idp`'s.
    pub fn request(&self, idp: &Idp) -> Request {
        let mut request = match (&self.post, &self.get) {
            (Some(path), None) => Request::new("POST", path),
            (None, Some(path)) => Request::get(path),
            _ => panic!("`{}`: one of `post` and `get`", self.title),
        };
        if let Some(caller) = &self.caller {
            let credential = caller.credential(idp);
            request = match &caller.header {
                Some(name) => request.header(name, credential),
                None => request.bearer(&credential),
            };
        }
        for (name, value) in &self.headers {
            request = if name == "host" { request.authority(value) } else { request.header(name, value) };
        }
        if let Some(body) = &self.body {
            if !self.headers.contains_key("content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body.to_string());
        }
        request
    }
}

impl Caller {
    fn credential(&self, idp: &Idp) -> String {
        let Some(user) = &self.user else { return self.key.clone().expect("a user or a key") };
        let mut claims = self.claims.clone();
        claims.insert("exp".to_owned(), json!(idp::now() + 3600));
        let token = idp.token(user, Value::Object(claims));
        if !self.forged {
            return token;
        }
        let another = idp.token("somebody-else", json!({}));
        let (text, signature) = (token.rsplit_once('.'), another.rsplit_once('.'));
        format!("{}.{}", text.unwrap_or_default().0, signature.unwrap_or_default().1)
    }
}
