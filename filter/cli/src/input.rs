//! Reading what the command line names.

use std::fs;
use std::io::{self, Read as _};

use anyhow::{Context as _, anyhow};

/// The name of standard input.
pub const STDIN: &str = "-";

/// A file's bytes.
///
/// # Errors
/// It cannot be read.
pub fn bytes(name: &str) -> anyhow::Result<Vec<u8>> {
    if name == STDIN {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    fs::read(name).with_context(|| format!("cannot read `{name}`"))
}

/// A file's text.
///
/// # Errors
/// It cannot be read, or is not UTF-8.
pub fn text(name: &str) -> anyhow::Result<String> {
    String::from_utf8(bytes(name)?)
        .map_err(|e| anyhow!("`{name}` is not UTF-8 text (byte {})", e.utf8_error().valid_up_to()))
}
