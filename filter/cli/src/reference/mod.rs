//! `doorward reference`: the configuration reference, from the doc comments of the shapes that read a policy.
//!
//! The sources are compiled in as text and read with a Rust parser, so the reference says what the code says. The governed calls
//! are core's own table.
//! `policies/REFERENCE.md` is this output; a test compares the two.

mod apis;
mod markdown;
mod schema;
mod shapes;

use std::io::Write as _;

use crate::Outcome;

/// The files whose types a policy is made of.
const SOURCES: &[&str] = &[
    include_str!("../../../core/src/policy/document/mod.rs"),
    include_str!("../../../core/src/policy/document/access.rs"),
    include_str!("../../../core/src/policy/document/anomaly.rs"),
    include_str!("../../../core/src/policy/document/audit.rs"),
    include_str!("../../../core/src/policy/document/content.rs"),
    include_str!("../../../core/src/policy/document/limits.rs"),
    include_str!("../../../core/src/policy/document/metrics.rs"),
    include_str!("../../../core/src/policy/document/routes.rs"),
    include_str!("../../../core/src/policy/document/sessions.rs"),
    include_str!("../../../core/src/policy/document/settings.rs"),
    include_str!("../../../core/src/policy/document/tools.rs"),
    include_str!("../../../core/src/identity/document.rs"),
    include_str!("../../../core/src/inspect/document.rs"),
    include_str!("../../../core/src/inspect/external/document.rs"),
    include_str!("../../../core/src/protocol/mod.rs"),
    include_str!("../../../core/src/protocol/names.rs"),
    include_str!("../../../core/src/protocol/media.rs"),
    include_str!("../../../core/src/identity/signature.rs"),
    include_str!("../../../core/src/inspect/mod.rs"),
];

/// Runs the command.
///
/// # Errors
/// A type is in none of the sources, or the output failed.
pub fn run() -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    out.write_all(text()?.as_bytes())?;
    out.flush()?;
    Ok(Outcome::Clean)
}

/// Runs `doorward schema`.
///
/// # Errors
/// A type is in none of the sources, or the output failed.
pub fn run_schema() -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    out.write_all(schema_text()?.as_bytes())?;
    out.flush()?;
    Ok(Outcome::Clean)
}

/// The schema as JSON.
fn schema_text() -> anyhow::Result<String> {
    let schema = schema::render(&shapes::Shapes::read(SOURCES)?, "Document", "Doorward policy")?;
    Ok(serde_json::to_string_pretty(&schema)? + "\n")
}

/// The reference as Markdown.
fn text() -> anyhow::Result<String> {
    Ok(markdown::render(&shapes::Shapes::read(SOURCES)?)? + &apis::render())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_reference_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/REFERENCE.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        let same = committed == super::text().unwrap();
        assert!(same, "out of date: run `cargo run -p doorward-cli -- reference > policies/REFERENCE.md`");
    }

    #[test]
    fn the_committed_schema_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/schema.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        let same = committed == super::schema_text().unwrap();
        assert!(same, "out of date: run `cargo run -p doorward-cli -- schema > policies/schema.json`");
    }
}
