//! Sessions belong to who opened them.
//!
//! The id that a server gives is handed on with a tag: a keyed digest over the caller, the target and the id. On the way back the tag is
//! checked and taken off. So nothing has to be remembered, and an id that leaked, or was guessed, is of no use to anybody else. The key
//! is the policy's, or a random one that the workers of one Envoy process share.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::HMAC;

use super::SESSION;
use crate::exchange::{Context, Effect, Exchange};
use crate::head::Headers;
use crate::host::{Host, HostError, Side, StoreError};
use crate::protocol::Api;
use crate::reply::{Denial, Reason};

/// Bytes of a tag: 128 bits, which nobody guesses online.
const TAG: usize = 16;
/// Bytes of a server's own id.
const MAX_ID: usize = 1024;

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
    /// The server's own id of a session, if it is this caller's.
    pub(super) fn opened(&mut self, sealed: &[u8], cx: &mut Context<'_>) -> Result<Vec<u8>, Denial> {
        let refused = || Denial::new(Reason::McpSession);
        let sealed = std::str::from_utf8(sealed).map_err(|_| refused())?;
        let (id, tag) = sealed.rsplit_once('.').ok_or_else(refused)?;
        let expected = self.tag(id, cx)?;
        let same = expected.len() == tag.len()
            && expected.bytes().zip(tag.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0;
        if same && is_id(id) { Ok(id.as_bytes().to_vec()) } else { Err(refused()) }
    }

    /// Ties the session that an answer opens to its caller.
    pub(in crate::exchange) fn mcp_answer_head(
        &mut self,
        headers: &Headers,
        cx: &mut Context<'_>,
    ) -> Result<(), Denial> {
        let speaks = self.facts.as_ref().is_some_and(|facts| facts.call.api == Api::Mcp);
        if !speaks || self.tap.is_some() || !headers.has(SESSION) {
            return Ok(());
        }
        let unreadable = || Denial::new(Reason::AnswerUnscannable).detail("the session's id");
        let id = headers.one(SESSION).ok().flatten().and_then(|id| std::str::from_utf8(id).ok());
        let id = id.filter(|id| is_id(id)).ok_or_else(unreadable)?;
        let sealed = format!("{id}.{}", self.tag(id, cx)?);
        cx.effects.push(Effect::SetHeader(Side::Response, SESSION.to_owned(), sealed.into_bytes()));
        Ok(())
    }

    /// The tag of an id for this caller.
    fn tag(&self, id: &str, cx: &mut Context<'_>) -> Result<String, Denial> {
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
        for part in ["mcp session", cx.engine.name.as_str(), target, &subject, id] {
            mac.update((part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        Ok(URL_SAFE_NO_PAD.encode(mac.finalize().get(..TAG).unwrap_or_default()))
    }
}

/// Whether a text may be a server's id: visible ASCII, as the protocol has it.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_graphic())
}
