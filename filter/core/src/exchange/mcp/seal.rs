//! Ids of a server that belong to one caller: of sessions, of the older transport's streams, of tasks.
//!
//! An id is handed on with a tag: a keyed digest over the caller, the target, what kind of id it is, and the id. On the way back the tag is
//! checked and taken off. So nothing has to be remembered, and an id that leaked, or was guessed, is of no use to anybody else. The key
//! is the policy's, or a random one that the workers of one Envoy process share.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::HMAC;

use crate::exchange::{Context, Exchange};
use crate::host::{Host, HostError, StoreError};
use crate::reply::{Denial, Reason};

/// Bytes of a tag: 128 bits, which nobody guesses online.
const TAG: usize = 16;
/// Bytes of a server's own id.
const MAX_ID: usize = 1024;

/// What an id is of. None passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum Of {
    Session,
    Endpoint,
    Task,
}

/// Ties ids to one caller of one target.
#[derive(Clone)]
pub(in crate::exchange) struct Seal(HMAC);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

/// Puts a random key where the workers of a process find it, if none is there.
///
/// # Errors
/// The host failed.
pub(crate) fn prepare(namespace: &str, host: &mut dyn Host) -> Result<(), HostError> {
    let name = key_name(namespace);
    if host.load(&name)?.is_some_and(|stored| stored.value.len() == 32) {
        return Ok(());
    }
    let mut key = [0u8; 32];
    host.random(&mut key)?;
    // Of two workers that start at once the last one's counts, for both: the key is read when it is needed.
    match host.store(&name, &key, None) {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(StoreError::Failed) => Err(HostError::Failed),
    }
}

fn key_name(namespace: &str) -> String {
    format!("doorward/{namespace}/mcp-sessions")
}

impl Exchange {
    /// What ties ids to this caller.
    ///
    /// # Errors
    /// There is no key, or no caller.
    pub(in crate::exchange) fn seal(&self, cx: &mut Context<'_>) -> Result<Seal, Denial> {
        let unavailable = || Denial::new(Reason::InternalHost);
        let shared;
        let key = match &cx.engine.session_key {
            Some(key) => key.as_slice(),
            None => {
                let stored = cx.host.load(&key_name(&cx.engine.name)).ok().flatten();
                shared = stored.filter(|stored| stored.value.len() == 32).ok_or_else(unavailable)?.value;
                shared.as_slice()
            }
        };
        let subject = self.record.principal.as_ref().ok_or_else(unavailable)?.subject();
        let target = self.record.target.as_deref().unwrap_or_default();
        let mut mac = HMAC::new(key);
        for part in [cx.engine.name.as_str(), target, &subject] {
            feed(&mut mac, part);
        }
        Ok(Seal(mac))
    }
}

impl Seal {
    #[cfg(test)]
    pub fn for_tests(subject: &str) -> Self {
        let mut mac = HMAC::new([7u8; 32]);
        feed(&mut mac, subject);
        Self(mac)
    }

    /// The tag of an id.
    pub fn tag(&self, of: Of, id: &str) -> String {
        let mut mac = self.0.clone();
        feed(
            &mut mac,
            match of {
                Of::Session => "mcp session",
                Of::Endpoint => "mcp endpoint",
                Of::Task => "mcp task",
            },
        );
        feed(&mut mac, id);
        URL_SAFE_NO_PAD.encode(mac.finalize().get(..TAG).unwrap_or_default())
    }

    /// Whether `tag` is the tag of an id. It takes as long for a wrong one.
    pub fn is_of(&self, of: Of, id: &str, tag: &str) -> bool {
        let expected = self.tag(of, id);
        expected.len() == tag.len() && expected.bytes().zip(tag.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
    }

    /// The server's own id, if what a client sends is one of this caller.
    pub fn open<'s>(&self, of: Of, sealed: &'s str) -> Option<&'s str> {
        let (id, tag) = sealed.rsplit_once('.')?;
        (is_id(id) && self.is_of(of, id, tag)).then_some(id)
    }
}

fn feed(mac: &mut HMAC, part: &str) {
    mac.update((part.len() as u64).to_le_bytes());
    mac.update(part.as_bytes());
}

/// Whether a text may be a server's id: visible ASCII, as the protocol has it.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_graphic())
}
