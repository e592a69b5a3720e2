//! Sessions belong to who opened them: their ids carry a tag ([`super::seal`]).

use super::SESSION;
use super::seal::{Of, is_id};
use crate::exchange::{Context, Effect, Exchange};
use crate::head::Headers;
use crate::host::Side;
use crate::protocol::Api;
use crate::reply::{Denial, Reason};

impl Exchange {
    /// The server's own id of a session, if it is this caller's.
    pub(super) fn opened(&mut self, sealed: &[u8], cx: &mut Context<'_>) -> Result<Vec<u8>, Denial> {
        let refused = || Denial::new(Reason::McpSession);
        let sealed = std::str::from_utf8(sealed).map_err(|_| refused())?;
        let id = self.seal(cx)?.open(Of::Session, sealed).ok_or_else(refused)?.to_owned();
        Ok(id.into_bytes())
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
        let sealed = format!("{id}.{}", self.seal(cx)?.tag(Of::Session, id));
        cx.effects.push(Effect::SetHeader(Side::Response, SESSION, sealed.into_bytes()));
        Ok(())
    }
}
