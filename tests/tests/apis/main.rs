//! Every API that Doorward governs, on a real Envoy: the official SDK as the client, unchanged but for base URL and key, the
//! provider's echo ([`doorward_e2e::providers`]) as the upstream.
//!
//! A file per family of providers lists its [`Row`]s; [`Stage::check`] shows for each that it passes as without Doorward, is
//! denied, redacted and restored, masked, cut off, and that its tool calls arrive whole. What only some APIs have stands beside
//! the rows; other ways through Envoy stand in `modes`, what is refused by name in `surfaces`.

mod agents;
mod anthropic;
mod bedrock;
mod google;
mod modes;
mod openai;
mod others;
mod raw;
mod row;
mod stage;
mod surfaces;

use serde_json::{Value, json};

use crate::row::Row;
use crate::stage::{Client, Stage};

/// The messages of a user who says `text`.
fn ask(text: &str) -> Value {
    json!([{"role": "user", "content": text}])
}

/// The tools `find` and `send`, as OpenAI declares them.
fn functions() -> Value {
    let function = |name: &str| {
        json!({"type": "function", "function": {"name": name, "description": name,
            "parameters": {"type": "object", "properties": {}}}})
    };
    json!([function("find"), function("send")])
}
