//! What goes on the record beside its fields, and switching to observe in an emergency.

use serde::Deserialize;

use crate::config::{Duration, SecretRef};

/// What is recorded beyond the record's fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditDocument {
    /// Keyed digests of the bodies, and of each text in them, are recorded with this key: at least 32 bytes. `doorward find` tells by
    /// them who sent or got a text, and nobody without the key can.
    pub key: Option<SecretRef>,
    /// How callers stand on the record: `clear` (the default), or `pseudonym`, made of the user with `user_key`. The same user has the
    /// same one while the key is the same; sessions, baselines and ids of API keys go by it, too.
    pub user: UserNames,
    /// The key of pseudonyms: at least 32 bytes. With another key everybody has another one, and who destroys the old key cuts the
    /// old ones off from whose they were.
    pub user_key: Option<SecretRef>,
    /// Whether texts are recorded: `none` (the default), `redacted` (with whatever `content` looks for replaced by its type, whatever
    /// its action is), or `full`, as they came. Of an answer that is streamed, its texts as the client got them, as a list: with the
    /// choice, the part and the channel of each, where these are not the first and the assistant's.
    pub capture: Capture,
    /// Of one body, this many bytes at most, from its start: 64 to 16384. Default: 2048.
    pub capture_bytes: u32,
    /// Records are tied together, so that alteration and removal show (`doorward verify`). Default: they are not.
    pub chain: Option<ChainDocument>,
}

impl Default for AuditDocument {
    fn default() -> Self {
        Self {
            key: None,
            user: UserNames::default(),
            user_key: None,
            capture: Capture::default(),
            capture_bytes: 2048,
            chain: None,
        }
    }
}

/// How callers stand on the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserNames {
    /// As they were proven.
    #[default]
    Clear,
    /// By a keyed digest.
    Pseudonym,
}

/// Whether texts are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// They are not.
    #[default]
    None,
    /// With findings replaced.
    Redacted,
    /// As they came.
    Full,
}

/// Records of one worker, each tied to the one before it with HMAC-SHA-256.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainDocument {
    /// The key: at least 32 bytes, and another one than `audit.key`. Who has it can write a chain anew, so keep it from those who keep the logs.
    pub key: SecretRef,
    /// A checkpoint is written to Envoy's own log after so many records: 1 to 1000000. Default: 1000.
    #[serde(default = "default_checkpoint_records")]
    pub checkpoint_records: u32,
    /// And after this time, if there were any: at least a second. Default: 60s.
    #[serde(default = "default_checkpoint_every")]
    pub checkpoint_every: Duration,
}

fn default_checkpoint_records() -> u32 {
    1000
}

fn default_checkpoint_every() -> Duration {
    Duration::from_secs(60)
}

/// A switch to `observe` for a time: everything is recorded, and nothing refused or changed. On the record with its reason
/// (`doorward.break_glass`). When the time is over, the policy is enforced as before.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassDocument {
    /// When it begins (RFC 3339): `2026-12-31` or `2026-12-31T18:00:00Z`.
    pub from: String,
    /// When it ends: at most seven days later.
    pub until: String,
    /// Why: at least eight characters, at most 200.
    pub reason: String,
}
