//! Events inside of events: Bedrock's `invoke-with-response-stream` carries what the model's vendor sends in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::framing::Frame;
use crate::json::{Document, Limits};
use crate::protocol::Api;

/// A wrapping that cannot be taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// What is inside, where there is a wrapping.
pub(super) fn unwrap(api: Api, payload: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
    if api != Api::BedrockInvoke {
        return Ok(None);
    }
    let limits = Limits::default();
    let Ok(document) = Document::parse(payload, &limits) else { return Ok(None) };
    let Some(bytes) = document.root().get("bytes") else { return Ok(None) };
    let text = bytes.text().ok_or(Unreadable)?;
    STANDARD.decode(text.as_bytes()).map(Some).map_err(|_| Unreadable)
}

/// The payload of a frame with `inner` in the wrapping that it came in.
pub(super) fn wrap(api: Api, frame: &Frame, inner: Vec<u8>) -> Vec<u8> {
    let wrapped = api == Api::BedrockInvoke
        && frame.payload().is_some_and(|payload| {
            Document::parse(&payload, &Limits::default()).is_ok_and(|d| d.root().get("bytes").is_some())
        });
    match wrapped {
        // The padding beside it hides the length of what came, which is another now.
        true => format!("{{\"bytes\":\"{}\"}}", STANDARD.encode(inner)).into_bytes(),
        false => inner,
    }
}

/// What stands beside what is inside.
pub(super) fn beside(api: Api, frame: &Frame) -> Option<String> {
    let payload = frame.payload().filter(|_| api == Api::BedrockInvoke)?;
    let limits = Limits::default();
    let document = Document::parse(&payload, &limits).ok()?;
    let inner = document.root().get("bytes")?.string()?.inner_span();
    let (before, after) = (payload.get(..inner.start)?, payload.get(inner.end..)?);
    String::from_utf8([before, after].concat()).ok()
}
