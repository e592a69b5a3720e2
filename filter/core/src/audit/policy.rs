//! `audit:` of a policy, compiled; and its switch to observe for a time.

use super::chain::ChainKey;
use super::pseudonym::Pseudonyms;
use super::text::TextKey;
use crate::calendar;
use crate::config::{Path, Problem, SecretRef};
use crate::engine::{Env, key};
use crate::identity::{Method, Principal};
use crate::policy::{AuditDocument, BreakGlassDocument, Capture, UserNames};

/// What goes on the record beside its fields.
#[derive(Debug, Default)]
pub struct Audit {
    /// The key of bodies' digests.
    pub(crate) key: Option<Vec<u8>>,
    /// The key of texts' digests, made of it.
    pub(crate) texts: Option<TextKey>,
    pub(crate) pseudonyms: Option<Pseudonyms>,
    pub(crate) capture: Capture,
    pub(crate) capture_bytes: usize,
    pub(crate) chain: Option<ChainSettings>,
}

/// How records are tied together.
#[derive(Debug)]
pub(crate) struct ChainSettings {
    pub key: ChainKey,
    /// A checkpoint after so many records,
    pub records: u64,
    /// or after this time.
    pub every_ms: u64,
}

/// The most and the least of a body that is recorded, in bytes.
const CAPTURED: std::ops::RangeInclusive<u32> = 64..=16 * 1024;

impl Audit {
    /// Compiles `audit:`.
    pub(crate) fn compile(document: &AuditDocument, env: Env<'_>, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut take = |reference: Option<&SecretRef>, path: Path| {
            key(reference?, env, &path).map_err(|problem| problems.push(problem)).ok()
        };
        let bodies = take(document.key.as_ref(), path.key("key"));
        let user = take(document.user_key.as_ref(), path.key("user_key"));
        let chain = document.chain.as_ref();
        let chain_key = take(chain.map(|chain| &chain.key), path.key("chain").key("key"));
        match (document.user, &document.user_key) {
            (UserNames::Pseudonym, None) => problems.push(
                Problem::new(path.key("user_key"), "`user: pseudonym` needs a key")
                    .help("add `user_key: {env: NAME}` and set NAME in vm_config.environment_variables"),
            ),
            (UserNames::Clear, Some(_)) => problems.push(
                Problem::new(path.key("user_key"), "`user_key` means nothing to `user: clear`")
                    .help("say `user: pseudonym`, or remove it"),
            ),
            _ => {}
        }
        if !CAPTURED.contains(&document.capture_bytes) {
            problems.push(
                Problem::new(path.key("capture_bytes"), "not between 64 and 16384 bytes")
                    .help("an access log is no archive: 2048 is the default"),
            );
        }
        if let Some(chain) = chain {
            let path = path.key("chain");
            if [&document.key, &document.user_key].into_iter().flatten().any(|other| *other == chain.key) {
                problems.push(
                    Problem::new(path.key("key"), "the key of something else, too")
                        .help("whoever searches logs needs `audit.key`, and could then write a chain anew"),
                );
            }
            if !(1..=1_000_000).contains(&chain.checkpoint_records) {
                problems.push(Problem::new(path.key("checkpoint_records"), "not between 1 and 1000000"));
            }
            if chain.checkpoint_every.as_millis() < 1000 {
                problems.push(Problem::new(path.key("checkpoint_every"), "less than a second"));
            }
        }
        Self {
            texts: bodies.as_deref().map(TextKey::new),
            key: bodies,
            pseudonyms: user.as_deref().filter(|_| document.user == UserNames::Pseudonym).map(Pseudonyms::new),
            capture: document.capture,
            capture_bytes: usize::try_from(document.capture_bytes).unwrap_or_default(),
            chain: chain.zip(chain_key).map(|(chain, key)| ChainSettings {
                key: ChainKey::new(&key),
                records: u64::from(chain.checkpoint_records),
                every_ms: chain.checkpoint_every.as_millis(),
            }),
        }
    }

    /// The user as the record names them.
    pub(crate) fn user(&self, principal: &Principal) -> Option<String> {
        principal.user.as_deref().map(|user| self.name(user))
    }

    /// The credential's id. That of an API key is somebody's, that of a signing key nobody's.
    pub(crate) fn credential(&self, principal: &Principal) -> Option<String> {
        let id = principal.key_id.as_deref()?;
        Some(if principal.method == Method::ApiKey { self.name(id) } else { id.to_owned() })
    }

    /// What sessions and baselines know a caller by: it is on the record, and tells no more of them than the rest of it.
    pub(crate) fn subject(&self, principal: &Principal) -> String {
        let subject = principal.subject();
        // A workload's name is on the record in any case.
        let personal = principal.user.is_some() || principal.workload.is_none();
        if personal { self.name(&subject) } else { subject }
    }

    fn name(&self, name: &str) -> String {
        self.pseudonyms.as_ref().map_or_else(|| name.to_owned(), |pseudonyms| pseudonyms.of(name))
    }
}

/// A time in which everything is only recorded.
#[derive(Debug)]
pub struct BreakGlass {
    from: u64,
    until: u64,
    /// Why, and until when: as on the record.
    pub(crate) reason: String,
}

/// The longest: an emergency that lasts longer is a policy.
const LONGEST: u64 = 7 * 86_400;

impl BreakGlass {
    /// Compiles `break_glass:`.
    pub(crate) fn compile(document: &BreakGlassDocument, path: &Path, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut moment = |key: &str, text: &str| {
            let moment = calendar::start(text);
            if moment.is_none() {
                problems.push(
                    Problem::new(path.key(key), format!("`{text}` is no moment"))
                        .help("write `2026-12-31` or `2026-12-31T18:00:00Z`"),
                );
            }
            moment
        };
        let (from, until) = (moment("from", &document.from), moment("until", &document.until));
        if !(8..=200).contains(&document.reason.trim().chars().count()) {
            problems.push(Problem::new(path.key("reason"), "not between 8 and 200 characters").help(
                "say what happened, and where it is followed up: `INC-1234: the detector refuses every invoice`",
            ));
        }
        let (from, until) = from.zip(until)?;
        if until <= from || until - from > LONGEST {
            problems.push(
                Problem::new(path.key("until"), "not within the seven days after `from`")
                    .help("what lasts longer is a policy of its own: `mode: observe`"),
            );
        }
        Some(Self { from, until, reason: format!("{} (until {})", document.reason.trim(), document.until) })
    }

    /// Why, if it is now, in seconds since 1970.
    pub(crate) fn at(&self, now: u64) -> Option<&str> {
        (self.from..self.until).contains(&now).then_some(&*self.reason)
    }
}
