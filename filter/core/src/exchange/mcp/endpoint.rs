//! The HTTP+SSE transport of version 2024-11-05, for targets that still speak it (`transport: sse`).
//!
//! A GET opens a stream, whose first event, `endpoint`, tells where messages are to be POSTed; what is answered to them comes on the stream.
//! Which session a POST belongs to stands in that address, in the server's own way. So the address is handed on with a tag
//! ([`super::seal`]) as its last query parameter, which a POST must bring back: nobody speaks into another caller's stream, and everything on a
//! stream is judged for the caller who opened it.
//!
//! Clients send their credential wherever this event says. It must lead back here.

use super::seal::{Of, Seal};
use crate::exchange::{Context, Effect, Exchange};
use crate::host::Side;
use crate::reply::{Denial, Reason};

/// Where a client opened a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::exchange) struct Called {
    /// Scheme and authority.
    pub origin: String,
    /// Path without its query.
    pub path: String,
}

/// The parameter with the tag.
const TAG: &str = "doorward=";
/// Bytes of an address.
const MAX_ADDRESS: usize = 2048;

/// The address that a client is told instead of the server's. `called`: where the client opened the stream.
///
/// # Errors
/// It leads elsewhere, or not everybody would say that it leads here.
pub(in crate::exchange) fn sealed(address: &str, called: Option<&Called>, seal: &Seal) -> Result<String, Denial> {
    let own = match called {
        // As some servers tell it, relative to where the stream was opened (RFC 3986, section 5.2).
        Some(called) if is_relative(address) => {
            let folder = called.path.rfind('/').and_then(|at| called.path.get(..=at)).unwrap_or("/");
            &format!("{folder}{address}")
        }
        Some(called) => address.strip_prefix(&called.origin).unwrap_or(address),
        None => address,
    };
    if !is_path(own) {
        return Err(Denial::new(Reason::AnswerUnscannable).detail("the address of the `endpoint` event"));
    }
    Ok(tagged(own, &seal.tag(Of::Endpoint, own)))
}

/// Whether an address begins with a plain segment of a path, and so cannot be taken for a scheme or a host.
fn is_relative(address: &str) -> bool {
    let first = address.split(['/', '?']).next().unwrap_or_default();
    !first.is_empty() && first.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// Path and query as every client resolves them: to themselves. `//host` would be another host, and so would `/\host`.
fn is_path(address: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~:@!$&'()*+,;=?%".contains(&b);
    let path = address.split('?').next().unwrap_or_default();
    let steps = |segment: &str| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    };
    address.len() <= MAX_ADDRESS
        && address.starts_with('/')
        && !address.starts_with("//")
        && address.bytes().all(plain)
        && !path.split('/').any(steps)
}

fn tagged(own: &str, tag: &str) -> String {
    let joint = if own.contains('?') { '&' } else { '?' };
    format!("{own}{joint}{TAG}{tag}")
}

/// The server's own address, if what a client calls is that of a stream which this very caller opened.
fn opened<'p>(path: &'p str, seal: &Seal) -> Option<&'p str> {
    let (before, tag) = path.rsplit_once(TAG)?;
    let own = before.strip_suffix(['?', '&'])?;
    (seal.is_of(Of::Endpoint, own, tag) && tagged(own, tag) == path).then_some(own)
}

impl Exchange {
    /// Checks where a message is POSTed to; answers the path that the server knows.
    pub(super) fn posted(&mut self, path: &str, cx: &mut Context<'_>) -> Result<String, Denial> {
        let seal = self.seal(cx)?;
        let own = opened(path, &seal).ok_or_else(|| Denial::new(Reason::McpSession))?.to_owned();
        cx.effects.push(Effect::SetHeader(Side::Request, ":path", own.clone().into_bytes()));
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_back_here() {
        let seal = Seal::for_tests("rita");
        let called = Called { origin: "https://tools.test".to_owned(), path: "/mcp/sse".to_owned() };
        let called = Some(&called);
        for address in
            ["/messages/?session_id=1", "/messages", "/m?a=%2F&b=c", "https://tools.test/messages?sessionId=1"]
        {
            let told = sealed(address, called, &seal).unwrap();
            let own = address.strip_prefix("https://tools.test").unwrap_or(address);
            assert!(told.starts_with(own) && told.len() > own.len() + 22, "{told}");
            assert_eq!(opened(&told, &seal), Some(own));
            assert_eq!(opened(&told, &Seal::for_tests("rosa")), None);
            assert_eq!(opened(own, &seal), None);
            assert_eq!(opened(&format!("{told}&x=1"), &seal), None);
            let other = told.replacen(own, &own.replace(['1', 'c', 's'], "2"), 1);
            assert_eq!(opened(&other, &seal), None, "{other}");
            let mut switched = told.clone();
            if let Some(at) = switched.rfind(TAG) {
                switched.replace_range(at - 1..at, if own.contains('?') { "?" } else { "&" });
            }
            assert_eq!(opened(&switched, &seal), None, "{switched}");
        }
        assert!(
            sealed("message?sessionId=1", called, &seal).unwrap().starts_with("/mcp/message?sessionId=1&doorward=")
        );
        assert!(sealed("message?sessionId=1", None, &seal).is_err());
        for address in [
            "https://evil.test/messages",
            "https://tools.test.evil.test/messages",
            "https://tools.test@evil.test/",
            "//evil.test/m",
            "/\\evil.test/m",
            "?session_id=1",
            "./messages",
            "javascript:alert(1)",
            "evil.test/messages",
            "/a/../admin",
            "/a/%2E%2e/admin",
            "/a#b",
            "/a b",
            "/m\u{e4}",
            "",
            &format!("/{}", "x".repeat(MAX_ADDRESS)),
        ] {
            assert!(sealed(address, called, &seal).is_err(), "{address}");
        }
    }
}
