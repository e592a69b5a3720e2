//! From the document to compiled external detectors.

use super::{External, ExternalApi, ExternalDocument};
use crate::config::{Path, Problem, SecretRef};
use crate::engine::Env;
use crate::inspect::compile::score;
use crate::inspect::{Detectors, Selection};

/// External detectors of one policy at most: an exchange waits for all that it needs.
const MAX_EXTERNAL: usize = 8;

/// Bounds on the time of a call, in milliseconds.
const TIMEOUT: std::ops::RangeInclusive<u64> = 10..=5_000;

/// Bounds on the bytes of a call.
const BYTES: std::ops::RangeInclusive<u32> = 1..=1_048_576;

/// Headers that are not the policy's to set.
const OWN_HEADERS: &[&str] = &["content-type", "content-length", "accept", "host", "transfer-encoding", "connection"];

impl Detectors {
    /// Takes up the external detectors of `documents`, which stand at `path`, and the kinds that they bring.
    pub(in crate::inspect) fn compile_external(
        &mut self,
        documents: &[ExternalDocument],
        env: Env<'_>,
        path: &Path,
    ) -> Result<(), Problem> {
        if documents.len() > MAX_EXTERNAL {
            return Err(Problem::new(path.clone(), format!("more than {MAX_EXTERNAL} external detectors"))
                .help("let one of them ask the others"));
        }
        for (i, document) in documents.iter().enumerate() {
            let external = self.external(document, env, &path.index(i))?;
            self.externals.push(external);
        }
        Ok(())
    }

    fn external(&mut self, document: &ExternalDocument, env: Env<'_>, path: &Path) -> Result<External, Problem> {
        self.check_name(&document.name, &path.key("name"))?;
        let (mut kinds, mut entities, mut kind) = (Selection::default(), Vec::new(), None);
        if document.entities.is_empty() {
            let id = self.name(&document.name, document.group, path)?;
            kinds.insert(id);
            kind = Some(id);
        }
        for (theirs, ours) in &document.entities {
            let known = self.kinds().find(|(_, k)| k.name == *ours).map(|(id, _)| id);
            let id = match known {
                Some(id) => id,
                None => self.kind_named(ours, document.group, path.key("entities").key(theirs))?,
            };
            kinds.insert(id);
            entities.push((theirs.clone(), id));
        }
        let target = match (&document.path, document.api) {
            (Some(path), _) => path.clone(),
            (None, ExternalApi::Presidio) => "/analyze".to_owned(),
            (None, ExternalApi::Webhook) => {
                return Err(Problem::new(path.key("path"), "a webhook has no path of its own").help("name it"));
            }
        };
        if !visible(&document.cluster) || !visible(&document.authority) || !visible(&target) || !target.starts_with('/')
        {
            return Err(Problem::new(path.clone(), "`cluster`, `authority` or `path` is not usable")
                .help("they are visible ASCII without spaces, and the path starts with `/`"));
        }
        let timeout = document.timeout.as_millis();
        if !TIMEOUT.contains(&timeout) {
            return Err(Problem::new(path.key("timeout"), "not between 10ms and 5s")
                .help("the caller waits that long where the detector is slow"));
        }
        if !BYTES.contains(&document.max_bytes) {
            return Err(
                Problem::new(path.key("max_bytes"), "not between 1 and 1048576 bytes").help("65536 is the default")
            );
        }
        if document.language.is_empty() || !document.language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(Problem::new(path.key("language"), "not the code of a language").help("such as `en`"));
        }
        Ok(External {
            name: document.name.clone(),
            cluster: document.cluster.clone(),
            authority: document.authority.clone(),
            path: target,
            timeout_ms: u32::try_from(timeout).unwrap_or(u32::MAX),
            api: document.api,
            language: document.language.clone(),
            min_score: score(document.min_score, &path.key("min_score"))?,
            max_bytes: usize::try_from(document.max_bytes).unwrap_or(usize::MAX),
            headers: headers(document, env, path)?,
            entities,
            kind,
            kinds,
        })
    }
}

/// The headers that carry secrets.
fn headers(document: &ExternalDocument, env: Env<'_>, path: &Path) -> Result<Vec<(String, String)>, Problem> {
    let mut headers = Vec::new();
    if let Some(reference) = &document.bearer {
        let key = secret(reference, env, &path.key("bearer"))?;
        headers.push(("authorization".to_owned(), format!("Bearer {key}")));
    }
    for (name, reference) in &document.headers {
        let path = path.key("headers").key(name);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let taken = OWN_HEADERS.contains(&name.as_str()) || headers.iter().any(|(other, _)| other == name);
        if name.is_empty() || !name.bytes().all(plain) || taken {
            return Err(Problem::new(path, format!("`{name}` is no header that can be set"))
                .help("use a name in lower case that the call does not set itself, such as `x-api-key`"));
        }
        headers.push((name.clone(), secret(reference, env, &path)?));
    }
    Ok(headers)
}

/// The value of a secret. No error says what it is.
fn secret(reference: &SecretRef, env: Env<'_>, path: &Path) -> Result<String, Problem> {
    let name = &reference.env;
    match env(name).as_deref().map(str::trim) {
        None | Some("") => Err(Problem::new(path.clone(), format!("the environment variable `{name}` is not set"))
            .help("add it to vm_config.environment_variables (Istio: vmConfig.env)")),
        Some(value) if !value.bytes().all(|b| (0x20..0x7f).contains(&b)) => {
            Err(Problem::new(path.clone(), format!("the value of `{name}` cannot be a header's"))
                .help("it must be one line of printable ASCII"))
        }
        Some(value) => Ok(value.to_owned()),
    }
}

fn visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}
