//! What single texts of an exchange leave on the record: digests of each, and, where the policy says so, the texts themselves.

use std::collections::VecDeque;

use super::printable_within;
use super::text::{MOST, TextKey};
use crate::engine::Engine;
use crate::host::Side;
use crate::inspect::{Budget, Found};
use crate::json::Document;
use crate::policy::Capture;
use crate::protocol::{Call, Channel, Contents, Leaf, Place, walk_body};
use crate::redact::Inspector;

/// Members of messages that are no texts.
const NAMES: &[&str] = &[
    "role",
    "type",
    "id",
    "name",
    "object",
    "status",
    "finish_reason",
    "stop_reason",
    "finishReason",
    "tool_use_id",
    "tool_call_id",
    "toolUseId",
    "call_id",
    "media_type",
    "mimeType",
    "mime_type",
    "signature",
    "encrypted_content",
    "thoughtSignature",
    "thought_signature",
];

/// The digests of a body's last texts, in their order. Names, descriptions and settings are no texts.
pub(crate) fn digests(key: &TextKey, side: Side, document: &Document<'_>, call: &Call) -> Vec<u64> {
    let root = document.root();
    let contents = Contents::payloads(root);
    let (mut last, mut names) = (VecDeque::with_capacity(MOST), false);
    walk_body(call, side, root, &mut |leaf: Leaf<'_>| {
        let token = match leaf.place {
            Place::Value(token) if !names => token,
            // What stands behind it says what a part is, or which one, and is no text.
            Place::Key(key, _) => return names = NAMES.contains(&key.text().as_ref()),
            _ => return,
        };
        if matches!(leaf.of.channel, Channel::Metadata | Channel::ToolDescription) || contents.payload(&token).is_some()
        {
            return;
        }
        if last.len() == MOST {
            last.pop_front();
        }
        last.push_back(token);
    });
    last.iter().filter_map(|token| key.digest(&token.text())).collect()
}

/// What replaces findings in texts that are recorded; `None` where they are not to be replaced.
pub(crate) fn redactor(engine: &Engine) -> Option<Inspector<'_>> {
    Some(Inspector {
        detectors: &engine.detectors,
        plan: engine.redacting.as_ref()?,
        hash_key: None,
        deriver: None,
        limits: engine.json_limits,
        shingles: None,
        external: None,
    })
}

/// What is recorded of a body, with what external detectors have `found` in it, as far as they were asked. `None` where nothing is.
pub(crate) fn captured(
    engine: &Engine,
    side: Side,
    bytes: &[u8],
    document: Option<&Document<'_>>,
    found: Option<&Found>,
) -> Option<String> {
    let most = engine.audit.capture_bytes;
    let cut = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes.get(..most.saturating_add(3)).unwrap_or(bytes)).into_owned();
        Some(printable_within(&text, most))
    };
    match (engine.audit.capture, document) {
        (Capture::None, _) => None,
        (Capture::Full, _) => cut(bytes),
        // Nothing is known of what cannot be read.
        (Capture::Redacted, None) => None,
        (Capture::Redacted, Some(document)) => {
            let inspector = Inspector { external: found, ..redactor(engine)? };
            let outcome = inspector.json(document, side, &[], &[], &mut Budget::default());
            // Where something could not be replaced, or not be looked for, nothing is shown.
            match (outcome.denial, outcome.edited) {
                (Some(_), _) => Some("withheld".to_owned()),
                (None, Some(edited)) => cut(&edited),
                (None, None) => cut(bytes),
            }
        }
    }
}
