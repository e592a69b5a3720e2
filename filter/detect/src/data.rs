//! Rows of labelled data.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde::Deserialize;

use crate::say;

/// A folder of data.
pub struct Data {
    folder: PathBuf,
}

/// A labelled text. Parts read what concerns them.
#[derive(Deserialize)]
pub struct Row {
    /// The text.
    pub text: String,
    /// 1: it holds what the file is about; 0: it does not.
    #[serde(default)]
    pub label: u8,
    /// Where the values stand, in characters.
    #[serde(default)]
    pub spans: Vec<Span>,
    /// Where the row comes from.
    #[serde(default)]
    pub source: String,
    /// `single`: only `entity` is annotated.
    #[serde(default)]
    pub scope: String,
    /// The type that is annotated.
    #[serde(default)]
    pub entity: String,
    /// `noctx`: a number without a word that says what it is.
    #[serde(default)]
    pub context: String,
    /// What kind of text this is.
    #[serde(default)]
    pub category: String,
    /// Of evasions: `pii`, `secret`, `injection`, `benign`.
    #[serde(default)]
    pub kind: String,
    /// Of evasions: how `original` became `text`.
    #[serde(default)]
    pub transform: String,
    /// Of evasions: the text in plain form.
    #[serde(default)]
    pub original: String,
    /// The label of a secret.
    #[serde(default, rename = "type")]
    pub of: String,
    /// It may hold a true e-mail address.
    #[serde(default)]
    pub has_email_like: bool,
    /// It may hold a true address of version 4.
    #[serde(default)]
    pub has_ipv4_like: bool,
}

/// A labelled value.
#[derive(Deserialize)]
pub struct Span {
    start: usize,
    end: usize,
    /// Its type.
    #[serde(rename = "type")]
    pub of: String,
    /// It takes a language model to find.
    #[serde(default)]
    pub ner: bool,
}

impl Row {
    /// The labelled values, in bytes.
    pub fn values(&self) -> Vec<(&Span, Range<usize>)> {
        let places: Vec<usize> = self.text.char_indices().map(|(at, _)| at).chain([self.text.len()]).collect();
        let place = |at: usize| places.get(at).copied().unwrap_or(self.text.len());
        self.spans.iter().map(|span| (span, place(span.start)..place(span.end))).collect()
    }
}

impl Data {
    /// The data in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The rows of a file; `None`, which is said, where it is missing.
    ///
    /// # Errors
    /// It cannot be read, or a line of it is no row.
    pub fn rows(&self, file: &str) -> anyhow::Result<Option<Vec<Row>>> {
        let path = self.folder.join(file);
        if !path.exists() {
            say(&format!("skipped: there is no {}", path.display()));
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let row = |(line, text): (usize, &str)| {
            serde_json::from_str(text).map_err(|e| anyhow!("{}:{}: {e}", path.display(), line + 1))
        };
        text.lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(row)
            .collect::<Result<_, _>>()
            .map(Some)
    }
}
